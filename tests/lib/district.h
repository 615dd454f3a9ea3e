/* A year of the whole district on paper: what 341 villages and the other sponsors hand in, on which day of the season, and what each row
 * must come to. Made from a seed and a number of people, with the kinds of rows of story.h in the shares in which they may occur.
 *
 * district_make writes under dir:
 *   next/<i>.csv .cover.json .plan.json     the papers of roster i, to be dropped into inbox/<sender>/
 *   population.csv tax-refusals.csv ssa-refusals.csv   what the agencies know (rosters.h) */
#ifndef QIAO_TESTS_LIB_DISTRICT_H
#define QIAO_TESTS_LIB_DISTRICT_H
#include "base/err.h"
#include "base/str.h"
#include "domain/policy.h"
#include "tests/lib/story.h"

enum { DISTRICT_VILLAGES = 341 };
enum season { /* parts of the year, in their order; a roster and its papers may come in different ones */
	IN_NOVEMBER,   /* rosters ahead of their papers */
	IN_ADVENT,     /* more of them */
	AT_FILING,     /* papers for those, rosters with papers */
	AFTER_CHRISTMAS, /* contributions that came late, more rosters */
	OTHER_SPONSORS,
	PAST_THE_END,  /* what comes too late */
	SEASONS,
	NEVER = SEASONS,
};
enum fate { /* what befalls a few of those who simply go through */
	FATE_NONE,
	ASKED_BACK,     /* once paid, people have it refunded */
	NOT_GIVEN_BACK, /* the same, and the bureau refuses */
	QUESTIONED,     /* their own contribution is refunded in January: a difference for a person */
	OUTSIDE,        /* others subsidise them elsewhere, as the SSA knows: no room under the cap */
	FATES
};
struct district_row { /* what must become of it */
	struct id submission;
	int row;
	int roster;
	enum kind kind;
	uint32_t person;
	const char *code;   /* the final answer */
	bool withdrawn;     /* by a person meanwhile: expected instead */
	enum fate fate;     /* only of rows that are credited but for it */
};
struct district_roster {
	struct id submission;
	char sender[16];
	enum sponsor_type type;
	enum season comes, papers; /* papers NEVER: none */
	int first, count;          /* of rows */
};
struct district {
	uint64_t seed;
	uint32_t people;
	int villages;
	struct district_row *rows;
	int row_count, row_cap;
	struct district_roster *rosters;
	int roster_count, roster_cap;
	char dir[256];
};
int district_make(struct district *d, const char *dir, uint64_t seed, uint32_t people, const char *villages_csv, struct err *e);
void district_free(struct district *d);
/* Puts into place what comes in that part of the year. */
int district_drop(const struct district *d, enum season now, const char *inbox, struct err *e);
/* How many rosters have come by then, and how many of them have gone all their way to filing, or to its refusal. */
int district_come(const struct district *d, enum season now);
int district_settled(const struct district *d, enum season now);
/* Rows that are filed by then and whose contribution is still to come; in_time: known after Christmas. */
int district_pending(const struct district *d, enum season now);
/* Sorts rows by submission and row. After this a roster's rows are no longer together. */
void district_sort(struct district *d);

#endif
