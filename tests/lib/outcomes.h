/* What the clerks were told: the topic `answers`, read by a consumer of its own, and compared with what the story expects. */
#ifndef QIAO_TESTS_LIB_OUTCOMES_H
#define QIAO_TESTS_LIB_OUTCOMES_H
#include "bus/bus.h"
#include "events/events.h"
#include "http/registry.h"
#include "tests/lib/rosters.h"
#include "tests/lib/world.h"
#include <stdio.h>

struct outcome { /* the current answer of a row */
	struct id submission, payment;
	int row, version;
	char result[12], code[40], warning[40];
	bool final, paid; /* paid: it has a payment id */
	int64_t amount_fen;
};
struct outcome_roster { /* the current answer of a submission */
	struct id submission;
	int version, rows, accepted, mend, waiting;
	char receipt[11], state[16], code[40];
	bool final;
};
struct outcomes {
	struct bus *bus;
	struct bus_reader *reader;
	struct codec *codec;
	struct registry *registry; /* as the world's qiao.ini has it, or none */
	struct outcome *rows;
	struct outcome_roster *rosters;
	int row_count, row_cap, roster_count, roster_cap;
	int64_t answers;
	int contradictions; /* the same version with another content */
};
int outcomes_open(struct outcomes *o, const struct world *w, struct err *e);
void outcomes_close(struct outcomes *o);
int outcomes_read(struct outcomes *o, struct err *e); /* what is new on the topic */
const struct outcome *outcome_of(const struct outcomes *o, const struct id *submission, int row); /* NULL: none yet */
const struct outcome_roster *outcome_of_roster(const struct outcomes *o, const struct id *submission);

/* All that was handed in up to that wave went as far as it can for now: filed, or waiting for what has not come. */
bool outcomes_filed(const struct outcomes *o, const struct rosters *r, int wave);
/* Every row handed in up to that wave has its final answer or waits for somebody outside: nothing is on its way. */
bool outcomes_quiet(const struct outcomes *o, const struct rosters *r, int wave);
/* All final, but for rows that only the end of the year decides. */
bool outcomes_final_but_for_the_end(const struct outcomes *o, const struct rosters *r, int wave);
bool outcomes_final(const struct outcomes *o, const struct rosters *r, int wave);
/* Names on out whatever differs from what is expected (by submission and row, nothing personal); gives how many. Files refused as
 * a whole are looked for in the data folder of w. */
int outcomes_compare(const struct outcomes *o, const struct rosters *r, const struct world *w, FILE *out);

#endif
