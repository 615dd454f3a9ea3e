/* Corrections of what was declared: rows are taken out again, with a reason, as long as nobody was instructed to collect them.
 * Afterwards only a reversal helps (collections.c). */
#include "flow/internal.h"

int withdraw_row(struct flow *f, struct decl *d, const char *why, const struct id *cause, struct err *e)
{
	struct said say = {RES_STOPPED, "withdrawn", NULL, {0}, NULL};
	enum state st = state_of(d->facts);
	enum absorb how;
	if (d->voided || d->repeat || (st != ST_STAGED && st != ST_PENDING))
		return 0;
	COUNT(C_WITHDRAWN);
	if (flow_fact(f, d, F_WITHDRAWN, cause, f->now, why, &how, e) != 0 || flow_answer(f, d, &say, e) != 0)
		return -1;
	return 1;
}
