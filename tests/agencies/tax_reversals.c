/* POST /v1/reversals and its query: payments that the bureau is asked to refund, in full. A book of its own beside that of the
 * payments: a reversal that was taken is carried out after a while and appears in the feed as its payment's refund. */
#include "tests/agencies/json_in.h"
#include "tests/agencies/rowset.h"
#include "tests/agencies/tax.h"
#include <string.h>

enum { SALT_REFUSE_REVERSAL = 11 };
enum { UNKNOWN_PAYMENT = 1, RECEIPT_MISMATCH, ALREADY_REFUNDED, REFUSED };
static const char *const reasons[] = {NULL, "unknown_payment", "receipt_mismatch", "already_refunded", "refused"};

struct batch {
	struct id id;
	int64_t count, amount_fen, sum_fen;
	int rows;
	int same_as[ROWS_MAX]; /* the earlier row of the batch with the same id, or -1 */
};

static bool read_batch(struct tax *t, struct request *q, struct batch *b);
static bool read_row(struct json *j, struct reversal *r);
static bool find_earlier(struct tax *t, struct batch *b);
static void enter(struct tax *t, struct batch *b);
static int64_t judge(struct tax *t, struct reversal *r);
static bool get(struct tax *t, int64_t no, struct reversal *r);
static int64_t find(struct tax *t, const struct id *id, int64_t delay_ms, int64_t window_ms);
static void put_answer(struct tax *t, const struct batch *b, struct request *q, struct out *o);
static void put_state(struct tax *t, const struct id *id, struct out *o);
static void put_refund(struct out *o, const struct run *run, const struct reversal *r, int64_t receipt);

void tax_reversals_open(struct tax *t)
{
	struct stmt *all = book_prepare(&t->book, "SELECT no, reversal_id FROM reversal");
	struct id id;

	t->reversal_insert = book_prepare(&t->book, "INSERT INTO reversal VALUES(?,?,?,?,?,?,?,?)");
	t->reversal_get = book_prepare(&t->book, "SELECT * FROM reversal WHERE no = ?");
	t->reversal_range = book_prepare(&t->book, "SELECT r.no, reversal_id, r.payment_id, r.amount_fen, r.fate, e.receipt"
						   " FROM reversal AS r LEFT JOIN entry AS e ON e.entry = r.entry"
						   " WHERE r.no BETWEEN ? AND ?");
	t->reversal_of = book_prepare(&t->book, "SELECT no, reversal_id FROM reversal WHERE entry = ? AND fate = 0 AND no <= ?"
						" ORDER BY no LIMIT 1");
	while (book_step(all)) {
		memcpy(id.b, stmt_get_blob(all, 1).p, ID_LEN);
		idindex_add(&t->reversals, &id, stmt_get_int(all, 0));
	}
}

int64_t tax_reversal_of(struct tax *t, int64_t entry, bool done, struct id *id)
{
	int64_t upto = t->book.feed.of[done ? KIND_REVERSAL_DONE : KIND_REVERSED].upto, no = 0;

	if (upto == 0)
		return 0;
	stmt_int(t->reversal_of, 1, entry);
	stmt_int(t->reversal_of, 2, upto);
	if (book_step(t->reversal_of)) {
		no = stmt_get_int(t->reversal_of, 0);
		memcpy(id->b, stmt_get_blob(t->reversal_of, 1).p, ID_LEN);
	}
	stmt_reset(t->reversal_of);
	return no;
}

int tax_reversals(void *agency, struct request *q, struct out *o)
{
	struct tax *t = agency;
	static struct batch b;

	b = (struct batch){.rows = 0};
	if (!read_batch(t, q, &b))
		return answer_error(o, 400, "malformed", "not a batch of reversals");
	tax_mature(t);
	if (b.count != b.rows || b.amount_fen != b.sum_fen)
		return answer_error(o, 400, "totals", "the control totals are not those of the reversals");
	if (!find_earlier(t, &b)) {
		book_count(&t->book, "conflicts", 1);
		return answer_error(o, 409, "conflict", "a reversal id came before with other content");
	}
	enter(t, &b);
	put_answer(t, &b, q, o);
	return 200;
}

int tax_reversal_queries(void *agency, struct request *q, struct out *o)
{
	return tax_answer_each(agency, q, o, "reversal_ids", put_state);
}

int64_t tax_put_reversals(struct page *p, const struct run *r, int64_t from_row)
{
	struct tax *t = p->agency;
	struct stmt *st = t->reversal_range;
	int64_t last = from_row - 1;

	if (r->kind == KIND_REVERSED)
		return r->last_row;
	stmt_int(st, 1, from_row);
	stmt_int(st, 2, r->last_row);
	while (p->limit > 0 && book_step(st)) {
		struct reversal row = {.no = stmt_get_int(st, 0), .amount_fen = stmt_get_int(st, 3)};

		last = row.no;
		if (stmt_get_int(st, 4) != 0)
			continue;
		memcpy(row.id.b, stmt_get_blob(st, 1).p, ID_LEN);
		memcpy(row.payment.b, stmt_get_blob(st, 2).p, ID_LEN);
		for (int i = 0; i <= p->twice; i++) {
			out_put(p->out, ",", p->written++ > 0);
			put_refund(p->out, r, &row, stmt_get_int(st, 5));
		}
		p->limit--;
	}
	if (p->limit > 0)
		return r->last_row;
	stmt_reset(st);
	return last;
}

static bool read_batch(struct tax *t, struct request *q, struct batch *b)
{
	static const char *const fields[] = {"batch", "count", "amount_fen", "reversals", NULL};
	static struct rowset set;
	struct json j;
	unsigned seen = 0;
	int hint = 0, f;

	json_init(&j, (char *)q->body.p, q->body.n);
	json_object(&j);
	rowset_reset(&set);
	while ((f = json_field(&j, fields, &hint)) >= 0) {
		seen |= 1u << f;
		if (f == 0) {
			j.bad |= id_parse(&b->id, json_text(&j)) < 0;
		} else if (f < 3) {
			*(f == 1 ? &b->count : &b->amount_fen) = json_int(&j);
		} else {
			json_array(&j);
			for (b->rows = 0; json_item(&j); b->rows++) {
				struct reversal *r = &t->undo[b->rows];

				if (b->rows == ROWS_MAX || !read_row(&j, r))
					return false;
				b->sum_fen += r->amount_fen;
				b->same_as[b->rows] = rowset_add(&set, (struct str){(const char *)r->id.b, ID_LEN}, b->rows);
			}
		}
	}
	return json_end(&j) && seen == 0xF && b->rows > 0;
}

static bool read_row(struct json *j, struct reversal *r)
{
	static const char *const fields[] = {"reversal_id", "payment_id", "receipt", "reason", "amount_fen", NULL};
	unsigned seen = 0;
	int hint = 0, f;

	*r = (struct reversal){.no = 0};
	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0) {
		seen |= 1u << f;
		if (f < 2)
			j->bad |= id_parse(f == 0 ? &r->id : &r->payment, json_text(j)) < 0;
		else if (f < 4)
			*(f == 2 ? &r->receipt : &r->reason) = json_text(j);
		else
			r->amount_fen = json_int(j);
	}
	return !j->bad && seen == 0x1F && (str_is(r->reason, "03") || str_is(r->reason, "04"));
}

static bool same_content(const struct reversal *a, const struct reversal *b)
{
	return id_eq(&a->payment, &b->payment) && str_eq(a->receipt, b->receipt) && str_eq(a->reason, b->reason) &&
	       a->amount_fen == b->amount_fen;
}

/* Where keys are honoured: sets the number of each reversal that was taken within the window. False: other content then. */
static bool find_earlier(struct tax *t, struct batch *b)
{
	struct reversal before;

	for (int i = 0; i < b->rows && !t->options.keys_none; i++) {
		struct reversal *r = &t->undo[i];
		int64_t no = find(t, &r->id, INT64_MIN / 2, t->options.key_window_ms);
		bool same = b->same_as[i] < 0 || same_content(r, &t->undo[b->same_as[i]]);

		if (no > 0) {
			same = same && get(t, no, &before) && same_content(r, &before);
			r->no = no;
			r->fate = before.fate;
			stmt_reset(t->reversal_get);
		}
		if (!same)
			return false;
	}
	return true;
}

static void insert(struct tax *t, const struct reversal *r)
{
	struct stmt *st = t->reversal_insert;

	stmt_int(st, 1, r->no);
	stmt_blob(st, 2, r->id.b, ID_LEN);
	stmt_blob(st, 3, r->payment.b, ID_LEN);
	stmt_text(st, 4, r->receipt);
	stmt_text(st, 5, r->reason);
	stmt_int(st, 6, r->amount_fen);
	stmt_int(st, 7, r->entry);
	stmt_int(st, 8, r->fate);
	book_run(st);
	idindex_add(&t->reversals, &r->id, r->no);
}

static void enter(struct tax *t, struct batch *b)
{
	int64_t first = t->book.feed.of[KIND_REVERSED].upto + 1, next = first, repeats = 0, real = book_real(&t->book);

	book_write(&t->book);
	for (int i = 0; i < b->rows; i++) {
		struct reversal *r = &t->undo[i];

		if (!t->options.keys_none && (r->no > 0 || b->same_as[i] >= 0)) {
			repeats++;
			if (r->no == 0) {
				r->no = t->undo[b->same_as[i]].no;
				r->fate = t->undo[b->same_as[i]].fate;
			}
			continue;
		}
		r->no = next++;
		r->fate = judge(t, r);
		insert(t, r);
	}
	book_count(&t->book, "repeats", repeats);
	if (next > first)
		feed_add(&t->book.feed,
			 (struct run){.kind = KIND_REVERSED,
				      .first_row = first,
				      .last_row = next - 1,
				      .at = book_now(&t->book),
				      .ready_ms = real + t->options.effect_delay_ms,
				      .noted_ms = real},
			 &b->id);
}

/* Without keys the same reversal coming twice is refunded twice; another reversal of what is refunded, or will be, is refused. */
static int64_t judge(struct tax *t, struct reversal *r)
{
	int64_t entry = tax_find(t, &r->payment, 0, 0), row;
	const struct run *run;
	struct payment p;
	struct out receipt;
	struct id taken, by;
	bool same, stubborn;

	if (entry == 0 || !tax_get(t, entry, &p))
		return UNKNOWN_PAYMENT;
	stubborn = str_is(refusals_find(&t->refusals, p.number), "no_refund");
	stmt_reset(t->get);
	r->entry = entry;
	enum tax_state state = tax_state_of(t, entry, p.fate, &run, &row, &by);
	if (p.fate == FATE_REFUNDED || (tax_reversal_of(t, entry, false, &taken) > 0 && !id_eq(&taken, &r->id)))
		return ALREADY_REFUNDED;
	if (state == TAX_ACCEPTED || state == TAX_REFUSED)
		return UNKNOWN_PAYMENT;
	out_init(&receipt, 100);
	tax_put_receipt(&receipt, p.receipt);
	same = receipt.b.len == r->receipt.n + 2 && memcmp(receipt.b.data + 1, r->receipt.p, r->receipt.n) == 0;
	out_fini(&receipt);
	if (!same)
		return RECEIPT_MISMATCH;
	if (stubborn || p.amount_fen != r->amount_fen ||
	    book_chance(&r->id, t->options.seed, SALT_REFUSE_REVERSAL) < t->options.refuse_reversals_permille)
		return REFUSED;
	return 0;
}

static bool get(struct tax *t, int64_t no, struct reversal *r)
{
	struct stmt *st = t->reversal_get;

	stmt_int(st, 1, no);
	if (!book_step(st))
		return false;
	*r = (struct reversal){.no = no,
			       .receipt = stmt_get_text(st, 3),
			       .reason = stmt_get_text(st, 4),
			       .amount_fen = stmt_get_int(st, 5),
			       .entry = stmt_get_int(st, 6),
			       .fate = stmt_get_int(st, 7)};
	memcpy(r->id.b, stmt_get_blob(st, 1).p, ID_LEN);
	memcpy(r->payment.b, stmt_get_blob(st, 2).p, ID_LEN);
	return true;
}

/* As tax_find does. */
static int64_t find(struct tax *t, const struct id *id, int64_t delay_ms, int64_t window_ms)
{
	int64_t real = book_real(&t->book), no, newest = 0;
	struct reversal r;
	size_t probe = 0;

	while ((no = idindex_next(&t->reversals, id, &probe)) != 0) {
		const struct run *run = feed_find(&t->book.feed, KIND_REVERSED, no);

		if (no <= newest || !run || run->ready_ms + delay_ms > real || (window_ms > 0 && run->ready_ms + window_ms < real))
			continue;
		if (get(t, no, &r) && id_eq(&r.id, id))
			newest = no;
		stmt_reset(t->reversal_get);
	}
	return newest;
}

/* The results begin anywhere and wrap around: nobody may count on the order. */
static void put_answer(struct tax *t, const struct batch *b, struct request *q, struct out *o)
{
	int start = b->id.b[0] % b->rows, missing = q->missing < 0 ? -1 : q->missing % b->rows;
	const char *comma = "";

	out_lit(o, "{\"batch\":");
	out_hex(o, b->id.b, ID_LEN);
	out_lit(o, ",\"count\":");
	out_int(o, b->count);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, b->amount_fen);
	out_lit(o, ",\"results\":[");
	for (int i = 0; i < b->rows; i++) {
		const struct reversal *r = &t->undo[(start + i) % b->rows];
		const struct run *run = feed_find(&t->book.feed, KIND_REVERSED, r->no);

		if (i == missing) {
			q->took = true;
			continue;
		}
		out_put(o, comma, strlen(comma));
		comma = ",";
		out_lit(o, "{\"reversal_id\":");
		out_hex(o, r->id.b, ID_LEN);
		out_lit(o, ",\"result\":");
		out_text(o, str_of(r->fate ? "refused" : "accepted"));
		out_lit(o, ",\"reason\":");
		out_text(o, str_of(reasons[r->fate]));
		out_lit(o, ",\"sequence\":");
		out_int(o, run_sequence(run, r->no));
		out_lit(o, ",\"at\":");
		out_time(o, run->at);
		out_lit(o, "}");
	}
	out_lit(o, "]}");
}

static void put_state(struct tax *t, const struct id *id, struct out *o)
{
	int64_t more = t->options.query_delay_ms - t->options.effect_delay_ms;
	int64_t no = find(t, id, more > 0 ? more : 0, 0);
	const struct run *run = NULL, *done = NULL;
	struct reversal r = {.no = 0};
	struct payment p = {.entry = 0};

	if (no > 0 && get(t, no, &r)) {
		run = feed_find(&t->book.feed, KIND_REVERSED, no);
		done = r.fate == 0 ? feed_find(&t->book.feed, KIND_REVERSAL_DONE, no) : NULL;
		run = done ? done : run;
		if (tax_get(t, r.entry, &p))
			stmt_reset(t->get);
	}
	out_lit(o, "{\"reversal_id\":");
	out_hex(o, id->b, ID_LEN);
	if (run) {
		out_lit(o, ",\"payment_id\":");
		out_hex(o, r.payment.b, ID_LEN);
	}
	out_lit(o, ",\"result\":");
	out_text(o, str_of(!run ? "unknown" : done ? "refunded" : r.fate ? "refused" : "accepted"));
	out_lit(o, ",\"reason\":");
	out_text(o, str_of(run ? reasons[r.fate] : NULL));
	out_lit(o, ",\"receipt\":");
	if (done)
		tax_put_receipt(o, p.receipt);
	else
		out_lit(o, "null");
	out_lit(o, ",\"amount_fen\":");
	out_int(o, r.amount_fen);
	out_lit(o, ",\"sequence\":");
	out_int(o, run ? run_sequence(run, no) : 0);
	out_lit(o, ",\"at\":");
	out_time(o, run ? run->at : book_now(&t->book));
	out_lit(o, "}");
	stmt_reset(t->reversal_get);
}

static void put_refund(struct out *o, const struct run *run, const struct reversal *r, int64_t receipt)
{
	out_lit(o, "{\"sequence\":");
	out_int(o, run_sequence(run, r->no));
	out_lit(o, ",\"payment_id\":");
	out_hex(o, r->payment.b, ID_LEN);
	out_lit(o, ",\"status\":\"refunded\",\"reason\":null,\"reversal_id\":");
	out_hex(o, r->id.b, ID_LEN);
	out_lit(o, ",\"receipt\":");
	tax_put_receipt(o, receipt);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, r->amount_fen);
	out_lit(o, ",\"at\":");
	out_time(o, run->at);
	out_lit(o, "}");
}
