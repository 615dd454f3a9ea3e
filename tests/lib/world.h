/* The real programs in a world of their own: simulated agencies, configuration, keys, clock, data, in one folder.
 *
 *   <dir>/qiao.ini clock keys/ data/ log/    as an operator has them
 *   <dir>/qiao-tax.ini ...                   of that program alone, where the file is there
 *   <dir>/agencies/                          the agencies' books, and what they know (population.csv ...)
 *
 * With BUS=kafka its bus is on a broker, under names of its own (which_bus.h). With QIAO_REGISTRY, a registry's url, its events are
 * framed with the numbers of that registry, where its schemas are registered.
 *
 * Each part is a process that the test started: killed, stopped and started again by its id. All die with the test. Waiting is
 * polling of a condition with a limit, never a pause. */
#ifndef QIAO_TESTS_LIB_WORLD_H
#define QIAO_TESTS_LIB_WORLD_H
#include "base/buf.h"
#include "base/err.h"
#include "tests/lib/which_bus.h"
#include <stdbool.h>
#include <sys/types.h>

enum part { SIM_TAX, SIM_SSA, GATEWAY, VILLAGE, TAX, SSA, SUPERVISOR, STANDBY, PARTS };
const char *part_name(enum part p); /* "qiao-tax" */

struct setting {
	const char *section, *key, *value;
};
struct world;
struct world_options {
	const char *dir;          /* NULL: a new temporary one, removed with the world */
	const char *day;          /* the clock begins at nine on that day, "2026-12-24" */
	const struct setting *settings; /* of qiao.ini, over the defaults of a world; ends with NULL */
	const char *lists;        /* folder in <dir> with population.csv, tax-refusals.csv, ssa-refusals.csv; NULL: none */
	const char *const *tax_args, *const *ssa_args; /* further ones of the agencies, ending with NULL */
	/* Called once qiao.ini is there, before qiao init: makes what init is to find. NULL: nothing. */
	int (*before_init)(struct world *w, void *arg, struct err *e);
	void *arg;
};
enum { WORLD_ARGS = 40 };
struct world_part {
	pid_t pid;                /* 0: not running */
	int ready_fd;             /* -1: nothing to hear */
	int port;                 /* agencies */
	int starts, kills;
	int status;               /* exit status of the last life, or -signal */
	int64_t cpu_us, peak_kib; /* of earlier lives; the peak leaves out lives that were killed unseen */
};
struct world {
	char dir[256], bin[300], root[300];
	bool keep;
	struct world_options options;
	struct which_bus bus; /* whole when the world is founded */
	struct world_part parts[PARTS];
};

/* Makes the folder (what was there before is removed) and the clock. On failure call world_close all the same. */
int world_open(struct world *w, const struct world_options *o, struct err *e);
/* Starts both agencies (their lists must be there), writes qiao.ini, runs keygen and, as the gateway, init; registers the schemas. Starts
 * nothing else. */
int world_found(struct world *w, struct err *e);
void world_close(struct world *w); /* kills what runs; removes a temporary folder unless keep */
const char *world_path(const struct world *w, char out[512], const char *name); /* <dir>/name */

int world_spawn(struct world *w, enum part p, struct err *e); /* does not wait */
int world_ready(struct world *w, enum part p, struct err *e); /* waits, at most 60 s */
int world_start(struct world *w, enum part p, struct err *e); /* both */
int world_start_four(struct world *w, struct err *e);         /* gateway, village, tax, ssa, each by itself */
void world_kill(struct world *w, enum part p);                /* SIGKILL; fine when not running */
int world_stop(struct world *w, enum part p);                 /* SIGTERM; its exit status */
bool world_alive(struct world *w, enum part p);               /* false: status says how it ended */
int world_end(struct world *w, enum part p, int64_t limit_ms); /* waits for its own end; exit status, -1000 when it did not */
int64_t world_cpu_us(struct world *w, enum part p);           /* of all its lives, the present one included */
int64_t world_peak_kib(struct world *w, enum part p);
int64_t process_cpu_us(pid_t pid);                            /* of any process, in ticks; 0 when it is gone */

/* Runs a program of the build, or one by its whole path, to its end; stdout into out (may be NULL), stderr to <dir>/log/commands.stderr. Exit status. */
int world_run(struct world *w, struct buf *out, const char *program, const char *const *args);
int world_qiao(struct world *w, struct buf *out, ...) __attribute__((sentinel)); /* qiao -c <dir>/qiao.ini ... */

int world_set_day(struct world *w, const char *day, struct err *e); /* to nine o'clock of that day */
int world_faults(struct world *w, enum part sim, const char *spec, struct err *e); /* from now on; "" none */

/* Polls until fn gives 1 (0), the limit is over (-1), or fn gives -1 (-1; *e says why). */
typedef int world_condition(void *arg, struct err *e);
int world_wait(int64_t limit_ms, world_condition *fn, void *arg, struct err *e);

#endif
