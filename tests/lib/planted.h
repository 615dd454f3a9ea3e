/* What the simulated agencies said wrongly on purpose (tests/agencies/odd.h), by their own lists, and whether the product found it. */
#ifndef QIAO_TESTS_LIB_PLANTED_H
#define QIAO_TESTS_LIB_PLANTED_H
#include "tests/lib/world.h"
#include <stdio.h>

struct planted {
	bool tax; /* by the bureau, else by the SSA */
	char kind[24];
	struct id payment; /* zeros where the subject is a person */
	const char *becomes; /* kind of difference, "stranger", "rejects"; NULL: a rule takes care of it, and no difference comes of it */
	bool unheard;      /* the bureau's "paid" is not told before the treasury's */
	bool found;
};
struct planted_list {
	struct planted *at;
	int count;
};
int planted_read(struct planted_list *l, struct world *w, struct err *e);
void planted_free(struct planted_list *l);
/* Something else that must be found about that payment. */
int planted_add(struct planted_list *l, const struct id *payment, const char *kind, const char *becomes, struct err *e);
int planted_unheard(const struct planted_list *l);
void planted_sort(struct planted_list *l); /* by payment */
bool planted_unheard_of(const struct planted_list *sorted, const struct id *payment);

/* Marks what the ledger's differences, its strangers and the rejected entries of feeds account for. Gives how many of those nobody planted, and names the
 * first few on out; -1: the ledger cannot be read. */
int planted_find(struct planted_list *l, struct world *w, FILE *out, struct err *e);
/* Different events of the bus among the rejects: none of them can be planted. */
int planted_other_rejects(struct world *w);

#endif
