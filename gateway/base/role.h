/* The start-up that every long-running program shares, and its conversation with the supervisor.
 *
 * role_start: parses -c FILE (else qiao.ini in the current folder) and --help, loads the
 * configuration (all complaints, exit 2), umask 0077, ignores SIGPIPE, opens the log, takes the
 * role's lock data/run/<role>.lock, starts the clock, installs SIGTERM/SIGINT (stop) and SIGHUP
 * (reopen the log). role_ready: writes "ready\n" to the descriptor named by QIAO_READY_FD (then
 * closes it). Status: data/run/<role>.status, replaced atomically at most once a second and at
 * stop, lines "key value": pid, state (starting|running|stopped|failed), since_ms, at_ms (both by
 * the wall clock), note (why it failed), peer (up|slow|open SINCE_MS, for adapters with a peer),
 * counters. It is the program's sign of life too: whoever waits here, or asks role_stopping in a
 * longer piece of work, gives it; the supervisor kills who gives none.
 *
 * Hot stand-by: a program that can_stand_by runs twice on one host, once under the name
 * qiao-<role>-standby (or with --stand-by), each with status, log and a lock of its own,
 * run/<name>.process.lock. Only one of them has the role's lock, from role_lock on; the other waits
 * for it there, state standby, "ready" for its supervisor. Either may be the one that waits. */
#ifndef QIAO_BASE_ROLE_H
#define QIAO_BASE_ROLE_H
#include "base/clock.h"
#include "base/conf.h"
#include "base/counters.h"
#include "base/err.h"
#include "base/log.h"

struct role {
	const char *name;    /* "tax"; the program is qiao-tax */
	const char *summary; /* for --help: what it does, one paragraph */
	struct counters counters;
	struct conf conf;
	struct clock clock;
	char peer[64];	   /* state of the outside peer for status, "" = none */
	bool can_stand_by; /* then role_lock must be called before the role's work begins */
	/* private */
	const char *state;
	char instance[32];    /* "gateway", "gateway-standby": names lock, status and log */
	bool standby;	      /* this is the second one */
	int lock_fd, work_fd; /* of the instance; of the role where those are two */
	int64_t started_ms, status_ms, counters_ms;
};

/* Returns 0, or the exit status + 1000 to leave main with at once (help shown, configuration wrong,
 * lock held). */
int role_start(struct role *r, int argc, char **argv);
/* For who can_stand_by, once, before it touches what only one may touch: takes the role's lock, held
 * until role_end. While another process has it, waits where that is wished for (the second one; [gateway]
 * stand_by; [run] programs names the second one), else ERR_TEMP. 1: a stop was asked for meanwhile. */
int role_lock(struct role *r, struct err *e);
void role_ready(struct role *r);
bool role_stopping(void); /* a stop was asked for; gives a sign of life when one is due */
void role_stop(void);	  /* ask for one (tests) */
/* To be called in each turn of the loop: reopens the log when asked, writes status and counters
 * when due. */
void role_tick(struct role *r);
/* For bus_options.waiting: a turn of the loop while the bus waits; false once a stop was asked for. */
bool role_going(void *role);
/* Sleeps at most ms or until a signal, giving signs of life. The one place where a program waits
 * when there is nothing to do. */
void role_wait(int64_t ms);
/* Last line of main: logs why (e may be NULL), writes the last status, unlocks, gives the exit
 * status. */
int role_end(struct role *r, const struct err *e);

#endif
