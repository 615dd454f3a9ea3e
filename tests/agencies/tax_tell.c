/* What the tax bureau tells: the state of payments asked for by id, and the feed of changes. */
#include "tests/agencies/json_in.h"
#include "tests/agencies/tax.h"
#include <stdio.h>
#include <string.h>

static void put_state(struct tax *t, const struct id *id, struct out *o);
static void put_changes(struct page *p);
static int64_t put_run(struct page *p, const struct run *r, int64_t from_row);
static const char *status_of(enum tax_kind kind, int64_t fate);
static void put_row(struct page *p, const struct run *r, struct stmt *row, const char *status);

int tax_answer_each(struct tax *t, struct request *q, struct out *o, const char *name,
		    void (*put)(struct tax *t, const struct id *id, struct out *o))
{
	static struct id ids[ROWS_MAX];
	char why[64];
	int count = tax_read_ids(q, name, ids), missing;
	const char *comma = "";

	snprintf(why, sizeof why, "expected 1 to %d %s", ROWS_MAX, name);
	if (count < 0)
		return answer_error(o, 400, "malformed", why);
	tax_mature(t);
	missing = q->missing < 0 ? -1 : q->missing % count;
	out_lit(o, "{\"results\":[");
	for (int i = 0; i < count; i++) {
		if (i == missing) {
			q->took = true;
			continue;
		}
		out_put(o, comma, strlen(comma));
		put(t, &ids[i], o);
		comma = ",";
	}
	out_lit(o, "]}");
	return 200;
}

int tax_queries(void *agency, struct request *q, struct out *o)
{
	return tax_answer_each(agency, q, o, "payment_ids", put_state);
}

int tax_changes(void *agency, struct request *q, struct out *o)
{
	struct tax *t = agency;
	struct page p = {.agency = t, .out = o};

	tax_mature(t);
	if (request_page(q, t->book.feed.last_sequence, &p.next, &p.limit) < 0)
		return answer_error(o, 400, "cursor",
				    "not a cursor of this feed, or a wrong limit");
	p.as_of = book_now(&t->book);
	p.twice = q->twice;
	put_changes(&p);
	q->took = p.twice && p.written > 0;
	return 200;
}

int tax_read_ids(struct request *q, const char *name, struct id *ids)
{
	const char *const fields[] = {name, NULL};
	struct json j;
	int hint = 0, count = 0;

	json_init(&j, (char *)q->body.p, q->body.n);
	json_object(&j);
	while (json_field(&j, fields, &hint) >= 0) {
		json_array(&j);
		for (count = 0; json_item(&j); count++)
			if (count == ROWS_MAX || id_parse(&ids[count], json_text(&j)) < 0)
				return -1;
	}
	return json_end(&j) && count > 0 ? count : -1;
}

/* The delay of queries counts from accepting, the entry's own time from the effect: hence the
 * difference, and never less than the effect. */
static void put_state(struct tax *t, const struct id *id, struct out *o)
{
	const struct tax_options *opt = &t->options;
	int64_t more = opt->query_delay_ms - opt->effect_delay_ms;
	int64_t entry = tax_find(t, id, more > 0 ? more : 0, 0);
	const struct run *r = NULL;
	struct payment p = {.entry = 0};
	enum tax_state state = TAX_ACCEPTED;
	struct id by = {{0}};
	static const struct id none;
	int64_t row = 0;

	if (entry > 0 && tax_get(t, entry, &p))
		state = tax_state_of(t, entry, p.fate, &r, &row, &by);
	stmt_reset(t->get);
	out_lit(o, "{\"payment_id\":");
	out_hex(o, id->b, ID_LEN);
	out_lit(o, ",\"result\":");
	out_text(o, str_of(r ? tax_state_word(state) : "unknown"));
	out_lit(o, ",\"reason\":");
	out_text(o, str_of(tax_reason(p.fate)));
	out_lit(o, ",\"receipt\":");
	if (state == TAX_ACCEPTED || state == TAX_REFUSED)
		out_lit(o, "null");
	else
		tax_put_receipt(o, p.receipt);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, p.amount_fen);
	out_lit(o, ",\"sequence\":");
	out_int(o, r ? run_sequence(r, row) : 0);
	if (!id_eq(&by, &none)) {
		out_lit(o, ",\"reversal_id\":");
		out_hex(o, by.b, ID_LEN);
	}
	out_lit(o, ",\"at\":");
	out_time(o, r ? r->at : book_now(&t->book));
	out_lit(o, "}");
}

/* next and as_of come last: they are known only then. */
static void put_changes(struct page *p)
{
	struct tax *t = p->agency;

	out_lit(p->out, "{\"changes\":[");
	feed_page(&t->book.feed, p, book_real(&t->book), put_run);
	out_lit(p->out, "],\"next\":\"");
	out_int(p->out, p->next);
	out_lit(p->out, "\",\"as_of\":");
	out_time(p->out, p->as_of);
	out_lit(p->out, "}");
}

/* A run's entries in one range scan. With the page full the scan is given up in the middle; the
 * next page goes on behind the last row that was looked at. */
static int64_t put_run(struct page *p, const struct run *r, int64_t from_row)
{
	struct tax *t = p->agency;
	int64_t last = from_row - 1;

	if (t->options.feed_settled && r->kind == KIND_DECLARED)
		return r->last_row;
	if (r->kind >= KIND_REVERSED)
		return tax_put_reversals(p, r, from_row);
	stmt_int(t->range, 1, from_row);
	stmt_int(t->range, 2, r->last_row);
	while (p->limit > 0 && book_step(t->range)) {
		const char *status = status_of((enum tax_kind)r->kind, stmt_get_int(t->range, 4));

		last = stmt_get_int(t->range, 0);
		if (!status)
			continue;
		for (int i = 0; i <= p->twice; i++)
			put_row(p, r, t->range, status);
		p->limit--;
	}
	if (p->limit > 0)
		return r->last_row;
	stmt_reset(t->range);
	return last;
}

/* How the feed shows a fact about an entry of that fate; NULL: the fact is not about it. */
static const char *status_of(enum tax_kind kind, int64_t fate)
{
	if (fate >= FATE_REFUSED)
		return kind == KIND_DECLARED ? "refused" : NULL;
	switch (kind) {
	case KIND_DECLARED:
		return "02";
	case KIND_PAID:
		return "03";
	case KIND_TREASURY:
		return "04";
	default:
		return fate == FATE_REFUNDED ? "refunded" : NULL;
	}
}

static void put_row(struct page *p, const struct run *r, struct stmt *row, const char *status)
{
	const struct tax *t = p->agency;
	int64_t entry = stmt_get_int(row, 0);
	struct change c = {.sequence = run_sequence(r, entry),
			   .receipt = r->kind == KIND_DECLARED ? 0 : stmt_get_int(row, 3),
			   .amount_fen = stmt_get_int(row, 2),
			   .at = r->at,
			   .status = status,
			   .reason = tax_reason(stmt_get_int(row, 4))},
		      paid = c;
	const struct run *before = r->kind == KIND_TREASURY ? feed_find(&t->book.feed, KIND_PAID, entry) : NULL;

	memcpy(c.id.b, stmt_get_blob(row, 1).p, ID_LEN);
	if (before)
		paid = (struct change){c.id, run_sequence(before, entry), c.receipt, c.amount_fen, before->at, "03", NULL};
	tax_put_odd(p, (enum tax_kind)r->kind, &c, &paid);
}

void tax_put_change(struct page *p, const struct change *c)
{
	struct out *o = p->out;

	out_put(o, ",", p->written++ > 0);
	out_lit(o, "{\"sequence\":");
	out_int(o, c->sequence);
	out_lit(o, ",\"payment_id\":");
	out_hex(o, c->id.b, ID_LEN);
	out_lit(o, ",\"status\":");
	out_text(o, str_of(c->status));
	out_lit(o, ",\"reason\":");
	out_text(o, str_of(c->reason));
	out_lit(o, ",\"receipt\":");
	if (c->receipt == 0)
		out_lit(o, "null");
	else
		tax_put_receipt(o, c->receipt);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, c->amount_fen);
	out_lit(o, ",\"at\":");
	out_time(o, c->at);
	out_lit(o, "}");
}
