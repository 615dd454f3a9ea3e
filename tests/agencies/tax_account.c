/* The bureau's own book of a period, page by page: GET /v1/book. */
#include "tests/agencies/plants.h"
#include "tests/agencies/tax.h"
#include <string.h>

/* One entry, if it is of that year and period. */
static void tell(struct tax *t, struct telling *to, const struct book_period *p, int64_t entry)
{
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
	int64_t last = tax_entries(t), at;
	struct telling page = {.plants = &t->plants, .out = o}, all = {.plants = &t->plants, .silent = true};
	struct book_period p;

	tax_mature(t);
	if (request_book(q, last, &p) < 0)
		return answer_error(o, 400, "cursor", "not a cursor of this book, or no period");
	if (p.after == 0 || !t->plants.loaded)
		plants_load(&t->plants);
	out_lit(o, "{\"entries\":[");
	for (at = p.after + 1; at <= last && page.written < p.limit; at++)
		tell(t, &page, &p, at);
	if (at > last) {
		telling_added(&page, &p);
		for (int64_t i = 1; i <= last; i++)
			tell(t, &all, &p, i);
		telling_added(&all, &p);
	}
	out_lit(o, "],\"as_of\":");
	out_time(o, book_now(&t->book));
	out_lit(o, ",\"next\":");
	if (at <= last) {
		out_lit(o, "\"");
		out_int(o, at - 1);
		out_lit(o, "\"}");
		return 200;
	}
	out_lit(o, "null,\"count\":");
	out_int(o, all.count);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, all.amount_fen);
	out_lit(o, "}");
	return 200;
}
