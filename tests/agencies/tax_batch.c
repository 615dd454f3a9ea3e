/* POST /v1/batches: read, check, look whether the payments were seen before, enter, answer. A
 * batch is refused whole before anything of it is done, or done whole; a row that the bureau
 * refuses is done too: it is an entry with a reason. */
#include "tests/agencies/json_in.h"
#include "tests/agencies/rowset.h"
#include "tests/agencies/tax.h"
#include <string.h>

enum { SALT_REFUSE = 1, SALT_REASON, SALT_REFUND, SALT_RECEIPT };
enum { REASONS_BY_CHANCE = 4, RECEIPT_SHARED_PERMILLE = 100 };

struct batch {
	struct id id;
	int64_t count, heads, amount_fen;
	int rows, distinct;
	int64_t sum_fen;
	int same_as[ROWS_MAX]; /* the earlier row of the batch with the same payment id, or -1 */
};

static bool read_batch(struct tax *t, struct request *q, struct batch *b);
static bool read_payment(struct json *j, struct payment *p);
static bool read_person(struct json *j, struct payment *p);
static bool read_payer(struct json *j, struct payment *p);
static bool row_is_good(const struct tax *t, const struct payment *p);
static bool form_is_good(const struct payment *p);
static bool digits(struct str s, size_t n);
static void count_rows(struct tax *t, struct batch *b);
static bool find_earlier(struct tax *t, struct batch *b);
static bool same_content(const struct payment *a, const struct payment *b);
static void enter(struct tax *t, struct batch *b);
static void settle(struct tax *t, struct payment *p, const struct payment *before);
static void put_answer(struct tax *t, const struct batch *b, struct request *q, struct out *o);
static void put_result(struct tax *t, const struct payment *p, struct out *o);

int tax_batches(void *agency, struct request *q, struct out *o)
{
	struct tax *t = agency;
	static struct batch b;

	b = (struct batch){.rows = 0};
	if (!read_batch(t, q, &b))
		return answer_error(o, 400, "malformed", "not a batch");
	for (int i = 0; i < b.rows; i++)
		if (!row_is_good(t, &t->rows[i]))
			return answer_error(o, 400, "bad_row", "a payment cannot be taken");
	count_rows(t, &b);
	if (b.count != b.rows || b.heads != b.distinct || b.amount_fen != b.sum_fen)
		return answer_error(o, 400, "totals",
				    "the control totals are not those of the payments");
	if (!find_earlier(t, &b)) {
		book_count(&t->book, "conflicts", 1);
		return answer_error(o, 409, "conflict",
				    "a payment id came before with other content");
	}
	enter(t, &b);
	put_answer(t, &b, q, o);
	return 200;
}

static bool read_batch(struct tax *t, struct request *q, struct batch *b)
{
	static const char *const fields[] = {"batch",	   "count",    "heads",
					     "amount_fen", "payments", NULL};
	struct json j;
	unsigned seen = 0;
	int hint = 0, f;

	json_init(&j, (char *)q->body.p, q->body.n);
	json_object(&j);
	while ((f = json_field(&j, fields, &hint)) >= 0) {
		seen |= 1u << f;
		switch (f) {
		case 0:
			j.bad |= id_parse(&b->id, json_text(&j)) < 0;
			break;
		case 1:
			b->count = json_int(&j);
			break;
		case 2:
			b->heads = json_int(&j);
			break;
		case 3:
			b->amount_fen = json_int(&j);
			break;
		case 4:
			json_array(&j);
			for (b->rows = 0; json_item(&j); b->rows++)
				if (b->rows == ROWS_MAX || !read_payment(&j, &t->rows[b->rows]))
					return false;
		}
	}
	return json_end(&j) && seen == 0x1F && b->rows > 0;
}

static bool read_payment(struct json *j, struct payment *p)
{
	static const char *const fields[] = {"payment_id",     "person",     "payer", "year",
					     "insurance_kind", "amount_fen", NULL};
	unsigned seen = 0;
	int hint = 0, f;

	*p = (struct payment){.entry = 0};
	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0) {
		seen |= 1u << f;
		switch (f) {
		case 0:
			j->bad |= id_parse(&p->id, json_text(j)) < 0;
			break;
		case 1:
			if (!read_person(j, p))
				return false;
			break;
		case 2:
			if (!read_payer(j, p))
				return false;
			break;
		case 3:
			p->year = json_int(j);
			break;
		case 4:
			/* 170: residents' basic pension; this bureau collects nothing else here. */
			j->bad |= !str_is(json_text(j), "170");
			break;
		case 5:
			p->amount_fen = json_int(j);
		}
	}
	return !j->bad && seen == 0x3F;
}

static bool read_person(struct json *j, struct payment *p)
{
	static const char *const fields[] = {"kind", "number", "name", NULL};
	struct str *const to[] = {&p->cert_kind, &p->number, &p->name};
	int hint = 0, f;

	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0)
		*to[f] = json_text(j);
	return !j->bad && p->cert_kind.p && p->number.p && p->name.p;
}

static bool read_payer(struct json *j, struct payment *p)
{
	static const char *const fields[] = {"type", "code", "village", NULL};
	struct str *const to[] = {&p->payer_type, &p->payer_code, &p->village};
	int hint = 0, f;

	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0)
		*to[f] = f == 1 ? json_text_or_null(j) : json_text(j);
	return !j->bad && p->payer_type.p && p->village.p;
}

/* What the bureau can never take. Only the form is looked at: whether a number is somebody's is the
 * business of the bureau's registers, here the file of refusals and chance. */
static bool row_is_good(const struct tax *t, const struct payment *p)
{
	return form_is_good(p) && !str_is(refusals_find(&t->refusals, p->number), "bad_row");
}

static bool form_is_good(const struct payment *p)
{
	static const char *const payers[] = {"collective", "committee", "organization", "charity",
					     "individual"};
	int known = 0;

	for (int i = 0; i < 5; i++)
		known += str_is(p->payer_type, payers[i]);
	for (size_t i = 0; i < p->number.n; i++)
		if (!(p->number.p[i] >= '0' && p->number.p[i] <= '9') &&
		    !(p->number.p[i] >= 'A' && p->number.p[i] <= 'Z'))
			return false;
	return known == 1 && digits(p->cert_kind, 3) && p->number.n >= 8 && p->number.n <= 24 &&
	       p->name.n > 0 && p->name.n <= 200 && digits(p->village, 12) &&
	       (!p->payer_code.p || p->payer_code.n == 18) && p->year >= 2009 && p->year <= 2099 &&
	       p->amount_fen > 0 && p->amount_fen < INT64_C(1000000000);
}

static bool digits(struct str s, size_t n)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == n;
}

/* The bureau's own count, to be compared with the sender's. */
static void count_rows(struct tax *t, struct batch *b)
{
	static struct rowset set;

	rowset_reset(&set);
	for (int i = 0; i < b->rows; i++) {
		b->distinct += rowset_add(&set, t->rows[i].number, i) < 0;
		b->sum_fen += t->rows[i].amount_fen;
	}
	rowset_reset(&set);
	for (int i = 0; i < b->rows; i++)
		b->same_as[i] =
			rowset_add(&set, (struct str){(const char *)t->rows[i].id.b, ID_LEN}, i);
}

/* Where keys are honoured: sets the entry of each payment that was taken within the window.
 * False: other content then. */
static bool find_earlier(struct tax *t, struct batch *b)
{
	struct payment before;

	if (t->options.keys_none)
		return true;
	for (int i = 0; i < b->rows; i++) {
		struct payment *p = &t->rows[i];
		int64_t entry = tax_find(t, &p->id, INT64_MIN / 2, t->options.key_window_ms);
		bool same = true;

		if (b->same_as[i] >= 0)
			same = same_content(p, &t->rows[b->same_as[i]]);
		if (entry > 0) {
			same = same && tax_get(t, entry, &before) && same_content(p, &before);
			p->entry = entry;
			p->fate = before.fate;
			stmt_reset(t->get);
		}
		if (!same)
			return false;
	}
	return true;
}

static bool same_content(const struct payment *a, const struct payment *b)
{
	return str_eq(a->number, b->number) && str_eq(a->name, b->name) &&
	       str_eq(a->cert_kind, b->cert_kind) && str_eq(a->payer_type, b->payer_type) &&
	       str_eq(a->payer_code, b->payer_code) && str_eq(a->village, b->village) &&
	       a->year == b->year && a->amount_fen == b->amount_fen;
}

/* One entry for each payment that is new; with keys a repeat takes the entry of the first. The new
 * ones are one run of the feed, whose sequences the answer tells. */
static void enter(struct tax *t, struct batch *b)
{
	int64_t first = tax_entries(t) + 1, next = first, repeats = 0, real = book_real(&t->book);
	const struct payment *before = NULL;

	book_write(&t->book);
	for (int i = 0; i < b->rows; i++) {
		struct payment *p = &t->rows[i];

		if (!t->options.keys_none && (p->entry > 0 || b->same_as[i] >= 0)) {
			repeats++;
			if (p->entry == 0) {
				p->entry = t->rows[b->same_as[i]].entry;
				p->fate = t->rows[b->same_as[i]].fate;
			}
			continue;
		}
		p->entry = next++;
		settle(t, p, before);
		tax_insert(t, p);
		before = p;
	}
	book_count(&t->book, "repeats", repeats);
	if (next > first)
		feed_add(&t->book.feed,
			 (struct run){.kind = KIND_DECLARED,
				      .first_row = first,
				      .last_row = next - 1,
				      .at = book_now(&t->book),
				      .ready_ms = real + t->options.effect_delay_ms,
				      .noted_ms = real},
			 &b->id);
}

/* What will become of a new entry. One receipt may cover neighbours of one village. */
static void settle(struct tax *t, struct payment *p, const struct payment *before)
{
	const struct tax_options *o = &t->options;
	struct str reason = refusals_find(&t->refusals, p->number);

	p->fate = FATE_PAID;
	p->receipt = p->entry;
	if (reason.p)
		tax_reason_of(reason, &p->fate);
	else if (book_chance(&p->id, o->seed, SALT_REFUSE) < o->refuse_permille)
		p->fate = FATE_REFUSED +
			  book_chance(&p->id, o->seed, SALT_REASON) % REASONS_BY_CHANCE;
	else if (book_chance(&p->id, o->seed, SALT_REFUND) < o->refund_permille)
		p->fate = FATE_REFUNDED;
	if (before && str_eq(before->village, p->village) &&
	    book_chance(&p->id, o->seed, SALT_RECEIPT) < RECEIPT_SHARED_PERMILLE)
		p->receipt = before->receipt;
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
	out_lit(o, ",\"heads\":");
	out_int(o, b->heads);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, b->amount_fen);
	out_lit(o, ",\"results\":[");
	for (int i = 0; i < b->rows; i++) {
		if (i == missing) {
			q->took = true;
			continue;
		}
		out_put(o, comma, strlen(comma));
		put_result(t, &t->rows[(start + i) % b->rows], o);
		comma = ",";
	}
	out_lit(o, "]}");
}

static void put_result(struct tax *t, const struct payment *p, struct out *o)
{
	const struct run *r = feed_find(&t->book.feed, KIND_DECLARED, p->entry);
	const char *reason = tax_reason(p->fate);

	out_lit(o, "{\"payment_id\":");
	out_hex(o, p->id.b, ID_LEN);
	out_lit(o, ",\"result\":");
	out_text(o, str_of(reason ? "refused" : "accepted"));
	out_lit(o, ",\"reason\":");
	out_text(o, str_of(reason));
	out_lit(o, ",\"sequence\":");
	out_int(o, run_sequence(r, p->entry));
	out_lit(o, ",\"at\":");
	out_time(o, r->at);
	out_lit(o, "}");
}
