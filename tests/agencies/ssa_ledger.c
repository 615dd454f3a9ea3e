/* The agency's own book of a period, page by page: GET /v1/book. One entry a payment, as its newest posting left it. */
#include "tests/agencies/plants.h"
#include "tests/agencies/ssa.h"
#include <string.h>

struct account {
	struct id id;
	int64_t first, newest, kind, fate, amount_fen, year;
	char number[32], receipt[24];
};

/* What that posting's payment came to; false where the posting is not its first. */
static bool account_of(struct ssa *s, struct stmt *q, int64_t row, struct account *a)
{
	size_t probe = 0;
	int64_t other;

	stmt_int(q, 1, row);
	if (!book_step(q))
		return false;
	*a = (struct account){.first = row, .newest = row, .kind = stmt_get_int(q, 1), .amount_fen = stmt_get_int(q, 3),
			      .fate = stmt_get_int(q, 4), .year = stmt_get_int(q, 5)};
	memcpy(a->id.b, stmt_get_blob(q, 0).p, ID_LEN);
	(void)str_copy(a->number, sizeof a->number, stmt_get_text(q, 2));
	(void)str_copy(a->receipt, sizeof a->receipt, stmt_get_text(q, 6));
	stmt_reset(q);
	while ((other = idindex_next(&s->index, &a->id, &probe)) != 0) {
		struct posting p;

		if (ssa_get(s, other, &p) && id_eq(&p.payment_id, &a->id)) {
			a->first = other < a->first ? other : a->first;
			if (other > a->newest) {
				a->newest = other;
				a->kind = p.kind;
				a->fate = p.fate;
			}
		}
		stmt_reset(s->get);
	}
	return a->first == row;
}

static void tell(void *agency, struct telling *to, const struct book_period *p, int64_t row)
{
	struct ssa *s = agency;
	static const char *const words[] = {"credited", "credit_refused", "debited", "debit_refused"};
	const struct run *taken = feed_find(&s->book.feed, KIND_TAKEN, row), *posted;
	struct account a;

	if (!taken || taken->at < p->from || taken->at >= p->to || !account_of(s, s->account, row, &a) || a.year != p->year)
		return;
	posted = feed_find(&s->book.feed, KIND_POSTED, a.newest);
	telling_put(to, &(struct told){.id = &a.id, .number = str_of(a.number), .amount_fen = a.amount_fen,
				       .state = posted ? words[2 * a.kind + (a.fate > 0)] : a.kind == POSTING_COLLECTED ? "pending" : "credited",
				       .at = posted ? posted->at : taken->at, .receipt_text = str_of(a.receipt)});
}

int ssa_account(void *agency, struct request *q, struct out *o)
{
	struct ssa *s = agency;

	book_mature(&s->book, KIND_TAKEN, KIND_POSTED, s->options.credit_ms);
	return book_tell(&s->plants, q, o, s->book.feed.of[KIND_TAKEN].upto, book_now(&s->book), tell, s);
}
