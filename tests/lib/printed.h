/* The statement as it was printed at some moment, to be compared with what the ledger says of that moment later. */
#ifndef QIAO_TESTS_PRINTED_H
#define QIAO_TESTS_PRINTED_H
#include "tests/lib/flow_world.h"

struct printed {
	struct moment when;
	struct stat keys[64]; /* those that are not empty, in their order */
	int count;
};
void print_now(struct flow_world *w, struct printed *out);
/* Asked for by its sequence, by a later one that changed nothing, and where the time names it alone (next: the moment after it, or
 * NULL) by its time: the same figures, and a recount from the history agrees. */
void printed_again(struct flow_world *w, const struct printed *then, const struct printed *next);

#endif
