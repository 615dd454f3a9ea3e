/* A year of the district (district.h) lived by the real programs: the calendar moves from November over the New Year, agencies and programs fail and
 * are killed, the agencies say a share of what they say wrongly; at the end everything is compared with everything.
 *
 * Its parts stand in one table, in their order (year.c). */
#ifndef QIAO_TESTS_LIB_YEAR_H
#define QIAO_TESTS_LIB_YEAR_H
#include "domain/payment.h"
#include "tests/lib/district.h"
#include "tests/lib/planted.h"
#include "tests/lib/world.h"

struct year_options {
	uint64_t seed;
	uint32_t people;
	int wrong_permille; /* of what each agency says */
	int kill_ms;	    /* on the average so long between two kills */
	FILE *progress;	    /* NULL: none */
};
struct year_figures {
	int64_t payments; /* that the rules let through to the bureau */
	int64_t planted, found;
	int64_t unexplained;
	double payments_per_s;
	double cpu_us[4]; /* of gateway, village, tax, ssa for each payment */
	int kills;
};
struct year {
	struct year_options options;
	struct year_figures figures;
	struct world world;
	struct district district;
	uint64_t chance;
	enum season now;
	bool treasury_open;
	int64_t began_ms, told_ms, next_kill_ms;
	char state[400]; /* what the last look saw */
};
/* Lives it and fills the figures; what does not fit is named on out. -1: it did not come to its end. Call year_close in any case. */
int year_live(struct year *y, const struct year_options *o, FILE *out, struct err *e);
void year_close(struct year *y);

void year_say(struct year *y, const char *format, ...) __attribute__((format(printf, 2, 3))); /* progress */
int year_go_on(struct year *y, struct err *e); /* what ended is started again, and now and then one is killed */

/* ---- year_books.c ---- */

/* Files in the world's folder: what the books say wrongly on purpose (tests/agencies/plants.h). */
#define YEAR_TAX_PLANTS "agencies/tax.plants"
#define YEAR_SSA_PLANTS "agencies/ssa.plants"
/* Adds what it finds to the figures. */
int year_books(struct year *y, FILE *out, struct err *e);

/* ---- year_check.c ---- */

struct year_tally { /* one look at the ledger */
	int64_t rosters, settled; /* all, and those whose rows all have an answer beyond waiting for papers */
	int64_t column[STAT_COLUMNS];
};
int year_tally(const struct world *w, struct year_tally *t, struct err *e);
/* 1 when every payment that is in flight or in doubt is one of those unheard, else 0. Sorts the list. */
int year_in_flight_are(const struct world *w, struct planted_list *unheard, struct err *e);
/* Compares rows, payments and books one by one: how many do not fit, the first few named on out. */
int year_compare(struct year *y, FILE *out, struct err *e);
/* The payment of a row; false: it has none. */
bool year_payment_of(const struct world *w, const struct district_row *r, struct id *payment, struct err *e);

#endif
