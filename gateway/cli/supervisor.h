/* The supervisor behind `qiao run`: starts programs, starts them again, stops them in order. It
 * opens no ledger, no bus and no key.
 *
 * A program is executed afresh each time (fork and exec, a group of its own, so that Ctrl-C reaches
 * the supervisor alone) and says "ready" on the descriptor named by QIAO_READY_FD. How it ended
 * decides what follows:
 *   2 (configuration), 4 (stopped to stay safe): held. A person must act; another start could only
 *     do the same, or harm.
 *   anything else, signals too: started again after a pause that doubles, and is short again after
 *     a minute of life.
 * A program that said ready and then gives no sign of life for [run] hang_timeout (its status file
 * stays as it is) is killed: a program that hangs keeps its locks, and a hot stand-by would wait for
 * them for ever. Dead, it can write and publish nothing any more: only then the other one takes over.
 *
 * Children end with the supervisor, however that ends. Only processes that it started are ever
 * signalled, by their id. */
#ifndef QIAO_CLI_SUPERVISOR_H
#define QIAO_CLI_SUPERVISOR_H
#include "cli/cli.h"
#include <sys/types.h>

enum child_state {
	CHILD_WAITING,	/* not running; starts at restart_at_ms */
	CHILD_STARTING, /* running, not ready yet */
	CHILD_RUNNING,	/* said ready */
	CHILD_HELD,	/* ended with 2 or 4: not started again */
	CHILD_STOPPED,	/* ended because it was asked to */
	CHILD_STATES
};
struct child {
	char name[CLI_PROGRAM], path[CONF_PATH];
	enum child_state state;
	pid_t pid;			   /* 0 = not running */
	int ready_fd;			   /* -1 = none */
	int64_t started_ms, restart_at_ms; /* monotonic */
	int64_t kill_at_ms;		   /* monotonic; 0 = not asked to stop */
	int64_t since_ms;		   /* wall: when it came into this state */
	int64_t backoff_ms;		   /* last pause, 0 = none yet */
	int64_t restarts;
	int64_t sign_ns;   /* when its status file was last written, by the file's own time */
	int64_t silent_ms; /* how long no newer one was seen */
	int last;	   /* how it ended last, as waitpid tells; -1 = not yet */
};

enum { SUPERVISOR_CHILDREN_MAX = 16, SUPERVISOR_FRESH_MS = 60000 };
struct supervisor {
	const struct cli *cli;
	struct child children[SUPERVISOR_CHILDREN_MAX];
	int count;
	int signal_fd, lock_fd;
	bool stopping;
	int64_t started_ms, status_ms, looked_ms;
};

/* Names and paths from [run] programs, the lock, the signals. ERR_CONF names a program that is not
 * there; ERR_TEMP: another supervisor runs on this data folder. */
int supervisor_open(struct supervisor *s, const struct cli *c, struct err *e);
/* Runs until a stop was asked for and done, or nothing is left that may run. Gives the exit status:
 * 4 when a program is held. */
int supervisor_run(struct supervisor *s);
void supervisor_close(struct supervisor *s);

/* Pure parts. */
bool child_held_by(int wait_status);
int64_t child_backoff(int64_t last_ms, int64_t lived_ms, int64_t min_ms, int64_t max_ms);
const char *child_state_code(enum child_state s); /* "running" ... */
/* Is this status file, as the process wrote it, one that must be renewed each second? While it starts or
 * takes over a program may have a long piece of work at once (recovery, migration). */
bool child_must_give_signs(struct str status, pid_t pid);
/* How it ended in a few characters that need no translation: "exit 3", "signal 9"; "-" before the
 * first end. */
const char *child_end_text(char out[24], int wait_status);

#endif
