/* The bureau's own book of a period, page by page: GET /v1/book. */
#include "tests/agencies/plants.h"
#include "tests/agencies/tax.h"
#include <string.h>

/* One entry, if it is of that year and period. */
static void tell(void *agency, struct telling *to, const struct book_period *p, int64_t entry)
{
	struct tax *t = agency;
	const struct run *entered = feed_find(&t->book.feed, KIND_DECLARED, entry), *r = NULL;
	struct payment pay;
	int64_t row;
	struct id by;

	if (!entered || entered->at < p->from || entered->at >= p->to || !tax_get(t, entry, &pay))
		return;
	if (pay.year == p->year) {
		enum tax_state state = tax_state_of(t, entry, pay.fate, &r, &row, &by);
		bool receipt = state != TAX_ACCEPTED && state != TAX_REFUSED;

		telling_put(to, &(struct told){.id = &pay.id, .number = pay.number, .amount_fen = pay.amount_fen,
					       .state = tax_state_word(state), .at = r->at,
					       .receipt = receipt ? pay.receipt : 0});
	}
	stmt_reset(t->get);
}

int tax_account(void *agency, struct request *q, struct out *o)
{
	struct tax *t = agency;

	tax_mature(t);
	return book_tell(&t->plants, q, o, tax_entries(t), book_now(&t->book), tell, t);
}
