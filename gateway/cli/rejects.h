/* What the commands about rejects share: reading them all, and knowing which of them a person has settled. */
#ifndef QIAO_CLI_REJECTS_H
#define QIAO_CLI_REJECTS_H
#include "bus/bus.h"
#include "cli/cli.h"
#include "events/events.h"
#include "ledger/rejects.h"
#include "ledger/read.h"

struct reject_seen {
	const char *role;                /* whose it is; "<role>:<offset>" names it */
	const struct bus_record *r;      /* its RejectedEvent */
	const struct rejected_event *ev; /* decoded; topic "?" where that was not possible */
	enum reject_state state;
	struct codec *codec;
};
/* fn gives 0, 1 to stop, or -1 with e filled. */
typedef int reject_fn(void *arg, const struct reject_seen *s, struct err *e);
/* From the oldest that is kept; role NULL: of all. */
int rejects_each(const struct cli *c, const char *role, reject_fn *fn, void *arg, struct err *e);
/* "gateway:12" */
int reject_place(const char *text, char role[32], int64_t *offset);

/* release.c: argv[0] says which: release, discard, resume. Give exit statuses. */
int rejects_settle(struct cli *c, int argc, char **argv);
int rejects_resume(struct cli *c, int argc, char **argv);
/* effect.c: what releasing it now would do. */
struct reject_effect {
	enum lang lang;    /* given */
	const char *code;  /* the text */
	char args[3][100]; /* of the text */
};
int reject_predict(struct reject_effect *f, struct ledger_view *v, const struct reject_seen *s, struct err *e);

#endif
