/* Load for a world: any number of rows in rosters of bulk.h, village after village, written aside and put into place at once. */
#ifndef QIAO_TESTS_LIB_LOAD_H
#define QIAO_TESTS_LIB_LOAD_H
#include "tests/lib/world.h"

struct load {
	uint64_t seed;
	int64_t rows, rows_each; /* of a roster; the last may have fewer */
	bool covers;             /* each with its cover, so that it is filed */
};
/* told, which may be NULL, hears how many rows are written. */
int load_write(const struct load *l, const struct world *w, void (*told)(void *arg, int64_t rows), void *arg, struct err *e);
/* All that was written goes into the drop folder. */
int load_drop(const struct load *l, const struct world *w, struct err *e);
/* Payments that are credited, as the ledger counts them; -1 failed. */
int64_t load_credited(const struct world *w, struct err *e);

#endif
