/* The story of rosters.h lived through in a world: handed in wave by wave, followed to its end, checked. Who starts and kills the
 * programs meanwhile is the caller's business. */
#ifndef QIAO_TESTS_LIB_TALE_H
#define QIAO_TESTS_LIB_TALE_H
#include "tests/lib/books.h"
#include "tests/lib/outcomes.h"
#include "tests/lib/rosters.h"
#include "tests/lib/world.h"

typedef bool tale_reached(const struct outcomes *o, const struct rosters *r, int wave);
struct tale {
	struct world world;
	struct rosters rosters;
	struct outcomes outcomes;
	char inbox[300];
	int wave;                                     /* handed in */
	int (*meanwhile)(struct tale *t, struct err *e); /* at every look while something is waited for; NULL: must_run */
	void *arg;                                    /* of the caller */
	int64_t limit_ms;                             /* patience of one waiting; 0 = 90 s */
	tale_reached *reached;
};
/* Makes world and rosters, starts the agencies; o->lists is set here. On failure call tale_close all the same. */
int tale_open(struct tale *t, const struct world_options *o, uint64_t seed, struct err *e);
void tale_close(struct tale *t);

int tale_drop(struct tale *t, int step, struct err *e);
/* Waits; names what is not as expected on stderr when it takes too long. */
int tale_await(struct tale *t, tale_reached *reached, const char *what, struct err *e);
/* Drops the steps of a wave, and waits until all of it is filed or waits for somebody. */
int tale_hand_in(struct tale *t, int wave, struct err *e);
/* After the last but one wave: until nothing is on its way, then to the day of the late contributions, then past the year. */
int tale_end_year(struct tale *t, struct err *e);
/* Waits until answers, answer files, statement and the agencies' books fit together; names on out what does not. Differences. */
int tale_check(struct tale *t, FILE *out);

/* The answer files in the inbox against the answers: each roster has one that says of each row what its current answer says.
 * Names differences on out; gives how many. */
int answer_files_compare(const struct tale *t, FILE *out);

#endif
