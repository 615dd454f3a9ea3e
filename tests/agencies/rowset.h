/* Which of at most ROWS_MAX rows of one request had the same key before. */
#ifndef QIAO_AGENCIES_ROWSET_H
#define QIAO_AGENCIES_ROWSET_H
#include "base/str.h"

enum { ROWSET_SLOTS = 2048 }; /* at least twice ROWS_MAX, a power of two */
struct rowset {
	struct str keys[ROWSET_SLOTS]; /* borrowed */
	int rows[ROWSET_SLOTS];
};
void rowset_reset(struct rowset *s);
int rowset_add(struct rowset *s, struct str key,
	       int row); /* the earlier row with that key, or -1 and row is remembered */

#endif
