/* Which rows of a book carry an id: an index in memory, made anew at start from the book itself.
 *
 * Ids are hashes, so an index on disk would be written all over at every request; the books only
 * ever append. A slot holds 32 bits of the id and the row: whoever finds a row must compare the
 * whole id. An id may have several rows. */
#ifndef QIAO_AGENCIES_IDINDEX_H
#define QIAO_AGENCIES_IDINDEX_H
#include "base/str.h"

struct idindex { /* zeroed = empty */
	uint64_t *slots;
	size_t mask, count;
};
void idindex_fini(struct idindex *x);
void idindex_add(struct idindex *x, const struct id *id,
		 int64_t row); /* row >= 1; ends the process without memory */
/* The next row that may carry id, 0 when there is none. *probe starts at 0. In no order. */
int64_t idindex_next(const struct idindex *x, const struct id *id, size_t *probe);

#endif
