/* Inside qiao reconcile and qiao differences: how a case is shown. */
#ifndef QIAO_CLI_RECONCILE_H
#define QIAO_CLI_RECONCILE_H
#include "cli/statement.h"
#include "ledger/books.h"

struct case_list {
	struct case_row *rows;
	int count, cap;
};
int cases_take(void *list, const struct case_row *c); /* a view_difference_fn; -1: out of memory */
int cases_grid(const struct grid *g, const void *list, const struct cli *c); /* a grid_fn */
int cases_print(const struct case_list *l, const struct cli *c);
struct json_t *cases_json(const struct case_list *l);
struct json_t *case_json(const struct case_row *c);
/* What qiao reconcile tells: of a run, or of a file. */
struct report {
	struct run run;
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	struct case_list cases;
	int open;
};
/* Matches the bureau's book in a file (adapters/tax/README.zh.md has its form) with the ledger, here and now: nothing is written, no case is
 * made. ERR_CONF names the line that is wrong, or the total that does not fit. */
int reconcile_file(struct cli *c, const char *file, int year, struct report *r, struct err *e);
/* What a person can do about it, as a text code. */
const char *case_cure(const struct case_row *c);

#endif
