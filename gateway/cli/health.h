/* What `qiao status` knows, gathered from files alone: the programs' status files, the bus, the
 * folders, the policies.
 *
 * Nothing is asked of a running program and nothing is written, so it answers whatever state the
 * rest is in. */
#ifndef QIAO_CLI_HEALTH_H
#define QIAO_CLI_HEALTH_H
#include "bus/bus.h"
#include "cli/cli.h"
#include "ledger/rejects.h"

enum { HEALTH_PROGRAMS = 16, HEALTH_LAGS = 80, HEALTH_TODOS = 40, HEALTH_STOPS = 8, COUNTERS_TEXT = 4096 };

/* A status file: base/role.h and, with the lines "program", cli/supervisor.c. */
struct role_status {
	bool there;
	int64_t pid, since_ms, at_ms;
	char state[16], note[400], peer[64], counters[COUNTERS_TEXT];
};
/* Takes what it knows and passes over the rest: files of another version. */
void role_status_parse(struct role_status *out, struct str text);
/* Does the supervisor's status file say that it keeps this program down? */
bool supervised_held(struct str status, const char *name);
/* "up", "slow", "open"; *since_ms 0 where it tells none. */
const char *peer_word(char out[16], const char *peer, int64_t *since_ms);

struct program_health {
	char name[CLI_PROGRAM];
	const char *role; /* within name */
	struct role_status status;
	bool alive;
	const char *state; /* running, stopped, killed, held ...: the text role_<state> */
};

/* Something a person must do: the text todo_<word> with these arguments. */
struct todo {
	char code[32], args[2][400];
};

struct health {
	bool initialised;
	struct program_health programs[HEALTH_PROGRAMS];
	int program_count;
	struct bus_lag lags[HEALTH_LAGS];
	int lag_count;
	char lag_error[400];
	int64_t rejects; /* that nobody released or discarded */
	struct flow_stop stops[HEALTH_STOPS];
	int stop_count;
	int64_t refused_files;
	int64_t differences; /* that the ledger keeps for a person */
	int64_t adopted;     /* of them, payments that a restored ledger adopted and no row claimed */
	int64_t disk_free, disk_total; /* bytes */
	int64_t now_ms;		       /* of the configured clock */
	int year;
	int last_filing_day; /* DATE_NONE: the year has no policy */
	int days_left;
	struct todo todos[HEALTH_TODOS];
	int todo_count;
};
int health_gather(struct health *h, const struct cli *c, struct err *e);
/* The second half of it: what follows from the facts. Pure. */
void health_judge(struct health *h);

#endif
