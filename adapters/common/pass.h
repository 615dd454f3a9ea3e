/* One pass of a window of events to a peer: which rows go out together, which are halved, which are
 * asked again alone.
 *
 * A pass holds row numbers of the window. Its head is what goes out next: cut to the batch size,
 * halved when the peer refuses the batch as a whole (so that one bad row fails alone), dropped when
 * it is settled. Rows that an answer left out may be put aside and come again, each alone, after
 * the others; PASS_ROUNDS times at most. Pure: nothing here knows of HTTP or JSON. */
#ifndef QIAO_ADAPTERS_PASS_H
#define QIAO_ADAPTERS_PASS_H
#include "base/str.h"

/* Most events that one window takes off the bus, and so the most that may have been sent without a
 * stored position. */
#define WINDOW_MAX 1000

#define PASS_ROUNDS 5
struct span {
	int from, count;
};
struct pass {
	int rows[WINDOW_MAX], count;
	struct span spans[WINDOW_MAX + 1]; /* a stack; the last is the head; none is empty */
	int span_count;
	int again[WINDOW_MAX], again_count;
	int round; /* above 0: these are the rows put aside */
};
void pass_init(struct pass *p);
bool pass_over(const struct pass *p);	/* nothing is left to send */
void pass_add(struct pass *p, int row); /* before the first pass_head */
/* The rows to send now, at most rows_max (1 for those that come again); false when the pass is
 * over. */
bool pass_head(struct pass *p, int rows_max, const int **rows, int *count);
void pass_drop(struct pass *p);	 /* the head is settled */
bool pass_split(struct pass *p); /* halves the head; false when it is one row */
void pass_remove(struct pass *p, int row); /* from the head, which may end by it */
/* A row of the head was left out of an answer: it comes again alone. false when it did so
 * PASS_ROUNDS times. */
bool pass_aside(struct pass *p, int row);

/* Row numbers by id, for at most WINDOW_MAX ids at a time. Ids are hashes already. */
#define IDMAP_SLOTS 4096
struct idmap {
	struct id ids[IDMAP_SLOTS];
	int rows[IDMAP_SLOTS];
	uint32_t used[IDMAP_SLOTS], turn; /* a slot is in use when used == turn */
	int count;
};
void idmap_reset(struct idmap *m); /* empties; also needed before the first use */
int idmap_find(const struct idmap *m, const struct id *id); /* -1 none */
/* The row that was there already, else -1. */
int idmap_add(struct idmap *m, const struct id *id, int row);
void idmap_set(struct idmap *m, const struct id *id, int row); /* of an id that is there */

#endif
