/* Feedback (what was collected and refunded) becomes postings to personal accounts; the feed of
 * credits tells how each ended. */
#include "base/date.h"
#include "tests/agencies/json_in.h"
#include "tests/agencies/ssa.h"
#include <string.h>

enum { SALT_CREDIT = 11, SALT_DEBIT };

struct feedback {
	struct id id;
	int64_t count, amount_fen, sum_fen;
	int rows;
};

static bool read_feedback(struct ssa *s, struct request *q, struct feedback *b);
static bool read_item(struct json *j, struct posting *p);
static void read_person(struct json *j, struct posting *p);
static int64_t read_time(struct json *j);
static bool item_is_good(const struct posting *p);
static int64_t enter(struct ssa *s, struct feedback *b);
static bool seen_before(struct ssa *s, struct posting *p);
static void settle(struct ssa *s, struct posting *p);
static bool debit_fits(struct ssa *s, struct posting *p);
static void put_answer(const struct ssa *s, const struct feedback *b, struct request *q,
		       struct out *o);
static int64_t put_run(struct page *p, const struct run *r, int64_t from_row);
struct credit { /* an entry of the feed, as it is told */
	struct id id;
	int64_t sequence, amount_fen, at;
	const char *result, *reason;
};
static void put_credit(struct page *p, const struct credit *c);
static void put_posted(struct page *p, const struct run *r, struct stmt *row);
static void put_odd(struct page *p, struct credit c, bool before);

int ssa_feedback(void *agency, struct request *q, struct out *o)
{
	struct ssa *s = agency;
	struct feedback b = {.rows = 0};
	int64_t first, count, real = book_real(&s->book);

	if (!read_feedback(s, q, &b))
		return answer_error(o, 400, "malformed", "not a batch of feedback");
	for (int i = 0; i < b.rows; i++)
		b.sum_fen += s->rows[i].amount_fen;
	if (b.count != b.rows || b.amount_fen != b.sum_fen)
		return answer_error(o, 400, "totals",
				    "the control totals are not those of the items");
	first = s->book.feed.of[KIND_TAKEN].upto + 1;
	count = enter(s, &b);
	if (count > 0)
		feed_add(&s->book.feed,
			 (struct run){.kind = KIND_TAKEN,
				      .first_row = first,
				      .last_row = first + count - 1,
				      .at = book_now(&s->book),
				      .ready_ms = real,
				      .noted_ms = real},
			 &b.id);
	put_answer(s, &b, q, o);
	return 200;
}

int ssa_credits(void *agency, struct request *q, struct out *o)
{
	struct ssa *s = agency;
	struct page p = {.agency = s, .out = o, .twice = q->twice};

	book_mature(&s->book, KIND_TAKEN, KIND_POSTED, s->options.credit_ms);
	if (request_page(q, s->book.feed.last_sequence, &p.next, &p.limit) < 0)
		return answer_error(o, 400, "cursor",
				    "not a cursor of this feed, or a wrong limit");
	p.as_of = book_now(&s->book);
	out_lit(o, "{\"credits\":[");
	feed_page(&s->book.feed, &p, book_real(&s->book), put_run);
	out_lit(o, "],\"next\":\"");
	out_int(o, p.next);
	out_lit(o, "\",\"as_of\":");
	out_time(o, p.as_of);
	out_lit(o, "}");
	q->took = p.twice && p.written > 0;
	return 200;
}

static bool read_feedback(struct ssa *s, struct request *q, struct feedback *b)
{
	static const char *const fields[] = {"batch", "count", "amount_fen", "items", NULL};
	struct json j;
	unsigned seen = 0;
	int hint = 0, f;

	json_init(&j, (char *)q->body.p, q->body.n);
	json_object(&j);
	while ((f = json_field(&j, fields, &hint)) >= 0) {
		seen |= 1u << f;
		if (f == 0) {
			j.bad |= id_parse(&b->id, json_text(&j)) < 0;
		} else if (f < 3) {
			*(f == 1 ? &b->count : &b->amount_fen) = json_int(&j);
		} else {
			json_array(&j);
			for (b->rows = 0; json_item(&j); b->rows++)
				if (b->rows == ROWS_MAX || !read_item(&j, &s->rows[b->rows]))
					return false;
		}
	}
	return json_end(&j) && seen == 0xF && b->rows > 0;
}

/* Any item of the right JSON types is read; whether it makes sense is told in its result. */
static bool read_item(struct json *j, struct posting *p)
{
	static const char *const fields[] = {
		"kind",		  "payment_id",	  "version",	"person",  "year",
		"village",	  "sponsor_type", "amount_fen", "receipt", "paid_at",
		"in_treasury_at", "refunded_at",  NULL};
	static const char types[] = "tdipittitmmm"; /* text, id, integer, person, moment */
	struct str kind = {NULL, 0};
	int64_t in_treasury_at = 0, refunded_at = 0;
	void *const to[] = {&kind,	 &p->payment_id, &p->version,	   p,
			    &p->year,	 &p->village,	 &p->sponsor_type, &p->amount_fen,
			    &p->receipt, &p->paid_at,	 &in_treasury_at,  &refunded_at};
	unsigned seen = 0;
	int hint = 0, f;

	*p = (struct posting){.row = 0};
	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0) {
		seen |= 1u << f;
		if (types[f] == 't')
			*(struct str *)to[f] = json_text(j);
		else if (types[f] == 'i')
			*(int64_t *)to[f] = json_int(j);
		else if (types[f] == 'm')
			*(int64_t *)to[f] = read_time(j);
		else if (types[f] == 'p')
			read_person(j, to[f]);
		else
			j->bad |= id_parse(to[f], json_text(j)) < 0;
	}
	p->kind = str_is(kind, "refunded") ? POSTING_REFUNDED : POSTING_COLLECTED;
	p->at = p->kind == POSTING_REFUNDED ? refunded_at : in_treasury_at;
	p->malformed =
		!item_is_good(p) || (p->kind == POSTING_COLLECTED && !str_is(kind, "collected"));
	return !j->bad && seen & 2;
}

static void read_person(struct json *j, struct posting *p)
{
	static const char *const fields[] = {"number", "name", NULL};
	int hint = 0, f;

	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0)
		*(f == 0 ? &p->number : &p->name) = json_text(j);
}

/* ms; 0 for null or what is no time. */
static int64_t read_time(struct json *j)
{
	struct str s = json_text_or_null(j);
	int64_t ms;

	return s.p && time_parse(s, &ms) == 0 ? ms : 0;
}

static bool item_is_good(const struct posting *p)
{
	return p->version >= 1 && p->number.n >= 8 && p->name.n > 0 && p->village.n == 12 &&
	       p->sponsor_type.n > 0 && p->year >= 2009 && p->year <= 2099 && p->amount_fen > 0 &&
	       p->receipt.n >= 18 && p->receipt.n <= 20 && p->at > 0 &&
	       (p->kind == POSTING_REFUNDED || p->paid_at > 0);
}

/* Gives how many postings are new. */
static int64_t enter(struct ssa *s, struct feedback *b)
{
	int64_t next = s->book.feed.of[KIND_TAKEN].upto + 1, first = next, repeats = 0,
		malformed = 0;

	book_write(&s->book);
	for (int i = 0; i < b->rows; i++) {
		struct posting *p = &s->rows[i];

		if (p->malformed) {
			malformed++;
		} else if (seen_before(s, p)) {
			repeats++;
		} else {
			p->row = next++;
			settle(s, p);
			ssa_insert(s, p);
		}
	}
	book_count(&s->book, "repeats", repeats);
	book_count(&s->book, "malformed", malformed);
	return next - first;
}

/* The key of a fact is (payment, kind, version). What a repeat says beyond its key is compared and
 * counted, never taken: a sender that changes its mind under an old version is wrong. */
static bool seen_before(struct ssa *s, struct posting *p)
{
	struct posting before;
	size_t probe = 0;
	int64_t row;
	bool same = false;

	while (!same && (row = idindex_next(&s->index, &p->payment_id, &probe)) != 0) {
		same = ssa_get(s, row, &before) && id_eq(&before.payment_id, &p->payment_id) &&
		       before.kind == p->kind && before.version == p->version;
		if (same &&
		    (before.amount_fen != p->amount_fen || !str_eq(before.number, p->number)))
			book_count(&s->book, "differing_repeats", 1);
		stmt_reset(s->get);
	}
	return same;
}

/* What will become of a new posting. */
static void settle(struct ssa *s, struct posting *p)
{
	const struct ssa_options *o = &s->options;
	struct str reason = refusals_find(&s->refusals, p->number);

	p->fate = 0;
	if (p->kind == POSTING_REFUNDED) {
		if (!debit_fits(s, p))
			return;
		if (book_chance(&p->payment_id, o->seed, SALT_DEBIT) < o->debit_refuse_permille)
			p->fate = 1 + REASON_FROZEN;
	} else if (reason.p) {
		ssa_reason_of(reason, &p->fate);
	} else if (book_chance(&p->payment_id, o->seed, SALT_CREDIT) < o->credit_refuse_permille) {
		p->fate = 1 + (p->payment_id.b[ID_LEN - 1] & 1 ? REASON_CLOSED : REASON_FROZEN);
	}
}

/* Is there a credit of that payment and amount that was not taken back; sets the reason where
 * not. */
static bool debit_fits(struct ssa *s, struct posting *p)
{
	struct posting other;
	int64_t row, net = 0, credited_fen = 0;
	size_t probe = 0;

	while ((row = idindex_next(&s->index, &p->payment_id, &probe)) != 0) {
		if (ssa_get(s, row, &other) && id_eq(&other.payment_id, &p->payment_id) &&
		    other.fate == 0) {
			net += other.kind == POSTING_COLLECTED ? 1 : -1;
			if (other.kind == POSTING_COLLECTED)
				credited_fen = other.amount_fen;
		}
		stmt_reset(s->get);
	}
	if (net < 1)
		p->fate = 1 + REASON_NOT_CREDITED;
	else if (credited_fen != p->amount_fen)
		p->fate = 1 + REASON_AMOUNT;
	return p->fate == 0;
}

static void put_answer(const struct ssa *s, const struct feedback *b, struct request *q,
		       struct out *o)
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
		const struct posting *p = &s->rows[(start + i) % b->rows];

		if (i == missing) {
			q->took = true;
			continue;
		}
		out_put(o, comma, strlen(comma));
		out_lit(o, "{\"payment_id\":");
		out_hex(o, p->payment_id.b, ID_LEN);
		out_lit(o, ",\"kind\":");
		out_text(o, str_of(p->kind == POSTING_REFUNDED ? "refunded" : "collected"));
		out_lit(o, ",\"result\":");
		out_text(o, str_of(p->malformed ? "refused" : "taken"));
		out_lit(o, ",\"reason\":");
		out_text(o, str_of(p->malformed ? "malformed" : NULL));
		out_lit(o, "}");
		comma = ",";
	}
	out_lit(o, "]}");
}

/* That feedback was taken is no credit: such runs are passed over, and their sequences left out. */
static int64_t put_run(struct page *p, const struct run *r, int64_t from_row)
{
	struct ssa *s = p->agency;
	int64_t last = from_row - 1;

	if (r->kind == KIND_TAKEN)
		return r->last_row;
	stmt_int(s->range, 1, from_row);
	stmt_int(s->range, 2, r->last_row);
	while (p->limit > 0 && book_step(s->range)) {
		last = stmt_get_int(s->range, 0);
		for (int i = 0; i <= p->twice; i++)
			put_posted(p, r, s->range);
		p->limit--;
	}
	stmt_reset(s->range);
	return last;
}

static void put_posted(struct page *p, const struct run *r, struct stmt *row)
{
	static const char *const results[] = {"credited", "credit_refused", "debited",
					      "debit_refused"};
	int64_t fate = stmt_get_int(row, 4);
	struct credit c = {.sequence = run_sequence(r, stmt_get_int(row, 0)),
			   .amount_fen = stmt_get_int(row, 3),
			   .at = r->at,
			   .result = results[2 * stmt_get_int(row, 2) + (fate > 0)],
			   .reason = ssa_reason(fate)};
	const struct ssa *s = p->agency;
	bool odd = s->odd.any && strcmp(c.result, "credited") == 0;

	memcpy(c.id.b, stmt_get_blob(row, 1).p, ID_LEN);
	if (odd)
		put_odd(p, c, true);
	put_credit(p, &c);
	if (odd)
		put_odd(p, c, false);
}

/* What is said wrongly on request, before or behind a true credit. */
static void put_odd(struct page *p, struct credit c, bool before)
{
	struct ssa *s = p->agency;
	enum odd_kind kind = odd_of(&s->odd, &c.id);
	const char *what;

	if (kind == ODD_NONE || before != (kind == ODD_OTHER_AMOUNT))
		return;
	c.sequence = odd_sequence(kind, c.sequence);
	switch (kind) {
	case ODD_OTHER_AMOUNT:
		c.amount_fen += 100;
		what = "a yuan more, before the true credit";
		break;
	case ODD_REFUSED_AFTER:
		c.result = "credit_refused";
		c.reason = ssa_reason(1 + REASON_FROZEN);
		what = "refused behind the credit";
		break;
	case ODD_STRANGER:
		c.id = odd_stranger(&c.id);
		c.id.b[0] ^= 1; /* not the bureau's */
		what = "a credit of nobody's payment";
		break;
	case ODD_GARBAGE:
		c.result = "forgotten";
		what = "a result that is none";
		break;
	case ODD_DEBITED:
		c.result = "debited";
		what = "debited, and nothing was refunded";
		break;
	default:
		return;
	}
	odd_plant_payment(&s->odd, kind, &c.id, what);
	put_credit(p, &c);
}

static void put_credit(struct page *p, const struct credit *c)
{
	struct out *o = p->out;

	out_put(o, ",", p->written++ > 0);
	out_lit(o, "{\"sequence\":");
	out_int(o, c->sequence);
	out_lit(o, ",\"payment_id\":");
	out_hex(o, c->id.b, ID_LEN);
	out_lit(o, ",\"result\":");
	out_text(o, str_of(c->result));
	out_lit(o, ",\"reason\":");
	out_text(o, str_of(c->reason));
	out_lit(o, ",\"amount_fen\":");
	out_int(o, c->amount_fen);
	out_lit(o, ",\"at\":");
	out_time(o, c->at);
	out_lit(o, "}");
}
