/* A world around one adapter: a temporary folder with configuration, keys and bus; a simulated
 * agency; the real adapter program, to be killed and started again; and the test in the gateway's
 * place, which publishes and reads. */
#ifndef QIAO_TESTS_ADAPTER_RIG_H
#define QIAO_TESTS_ADAPTER_RIG_H
#include "bus/bus.h"
#include "crypto/identity.h"
#include "events/events.h"
#include "tests/lib/people.h"
#include "tests/lib/sim.h"
#include "tests/lib/unit.h"
#include "tests/lib/which_bus.h"
#include <jansson.h>

enum { RIG_TOPICS = 4, RIG_ARGS = 24, RIG_SEED = 7 };

struct rig_reader {
	const char *topic;
	struct bus_reader *reader;
};
struct rig {
	struct tmpdir dir;
	char conf[320], book[320], faults[320], extra[320];
	const char *role; /* "tax": the adapter is qiao-tax, the agency sim-tax */
	const char *sim_program, *adapter_program;
	const char *sim_args[RIG_ARGS + 8];
	struct sim sim;
	pid_t adapter;
	int starts;
	struct which_bus which;
	struct bus *bus; /* opened as the gateway */
	struct codec *codec;
	struct keyring *keys;
	struct rig_reader readers[RIG_TOPICS];
	struct buf body, sealed;
	int64_t seq; /* of the gateway's outbox */
};

/* settings: further lines of section [<role>] and of others. sim_args: for the agency, up to NULL.
 * Starts the agency. */
void rig_open(struct rig *r, const char *role, const char *settings, const char *const *sim_args);
void rig_close(struct rig *r);
void rig_adapter_start(struct rig *r);		  /* returns when it is ready and has its share */
void rig_adapter_kill(struct rig *r);		  /* SIGKILL; fails when it has ended by itself */
int rig_adapter_stop(struct rig *r);		  /* SIGTERM; its exit status */
int rig_adapter_ends(struct rig *r);		  /* starts it; it ends by itself: its exit status */
void rig_sim_restart(struct rig *r);		  /* SIGKILL, then on the same port with its book */
void rig_faults(struct rig *r, const char *spec); /* from now on */
int64_t rig_book(struct rig *r, const char *key,
		 const char *inner); /* a number of the book's report; inner may be NULL */
void rig_status(struct rig *r, const char *key, char *out,
		size_t cap); /* of data/run/<role>.status; "" when not there */
int64_t rig_counter(struct rig *r, const char *name); /* of the status file; at most a second old */
/* Identities that the audit has for that purpose; fails when its chain is broken. */
int64_t rig_audited(struct rig *r, const char *purpose);

/* Of the local bus only. A copy as of now under that name in the folder; and going back to it (the
 * adapter must not run): the test's readers begin at the beginning again. */
void rig_backup(struct rig *r, const char *name);
void rig_restore(struct rig *r, const char *name);

/* The i-th invented person: token and sealed identity (valid until the next call). */
void rig_person(struct rig *r, uint32_t i, struct id *token, struct str *identity);
/* In the gateway's place. seq 0: the next one. Not durable before rig_flush. */
void rig_publish(struct rig *r, enum event_type t, const void *event, struct str key,
		 const struct id *id, int64_t seq);
void rig_publish_raw(struct rig *r, const char *topic, const char *type, struct str data);
void rig_flush(struct rig *r);
/* Next event of a topic for the test, NULL when there is none now. Slices live until the next call
 * for that topic. */
const struct bus_record *rig_read(struct rig *r, const char *topic);

void rig_look_again(int64_t started_ms); /* a short pause; fails when the patience is over */

#endif
