/* The demo's rosters: a seeded story of some twenty villages, in the order in which clerks drop their files, and what each row must come to.
 *
 * rosters_make writes under dir:
 *   inbox-plan/NN-<sender>/   the files of step NN, which go together into inbox/<sender>/
 *   population.csv            whom the social-security agency knows (tests/agencies/population.h)
 *   tax-refusals.csv, ssa-refusals.csv   whom an agency refuses: number,reason
 *   expected.csv              step,file,row,code: the final answer of each row; row 0: the file is refused as a whole
 *   personal.txt              every name and number, one a line, for whoever looks for leaks */
#ifndef QIAO_TESTS_LIB_ROSTERS_H
#define QIAO_TESTS_LIB_ROSTERS_H
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

/* Days of the story: everything is dropped on the first (waves 1 to 3) or on the last (wave 4). */
#define STORY_BEGINS "2026-12-24"
#define STORY_LATE_MONEY "2026-12-28" /* contributions known from the day before */
#define STORY_ENDS "2027-01-03"       /* past the last filing day */
enum { STORY_WAVES = 4 };

/* Steps of a wave do not depend on one another; a wave begins when all before it are answered. */
struct roster_step {
	int wave;
	const char *sender;
	const char *what;  /* for the screen, in Chinese; nothing personal */
	char folder[320];
};
struct expected_row {
	struct id submission;
	int step, row;     /* row 0: the file is refused */
	int filed;         /* wave in which roster and cover are both there; 0: they never are as they must be */
	char file[168];
	const char *code;
};
struct rosters {
	struct roster_step steps[48];
	int step_count;
	struct expected_row *rows;
	int row_count, row_cap;
	int people; /* invented */
	char dir[256];
};
int rosters_make(struct rosters *r, const char *dir, uint64_t seed, struct err *e);
void rosters_free(struct rosters *r);
/* Gives how many submissions (rosters that are not refused) the steps of the waves up to that one hand in. */
int rosters_submissions(const struct rosters *r, int wave);
/* Puts the files of a step into inbox/<sender>/ as clerks' programs do: written beside, then renamed into place. */
int rosters_drop(const struct rosters *r, int step, const char *inbox, struct err *e);

#endif
