/* Reconciliation: the agencies are asked for their books of a period, and what stands there is matched with the ledger.
 *
 *     FETCHING   BookRequest for each book; entries come on books.<role> and are kept in parts
 *     MATCHING   bucket after bucket, some each turn: first by payment id, then, where a book has entries without one, by person
 *     CLOSING    cases that an earlier run found and this one did not are gone
 *     DONE, or INCOMPLETE: a book that did not come whole, or not at all. Nothing is concluded from such a run.
 *
 * One run at a time; a new one ends an unfinished one. Our side is read while matching, so it may be newer than the books: what changed
 * since is expected later, not a difference (domain/reconcile.c). */
#include "flow/internal.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "ledger/books.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_MS DAY_MS             /* a book that did not come by then does not come */
#define FOUND_MAX 100000            /* more differences than a person can look at: something else is wrong */
#define BOOK_ENTRIES_MAX INT64_C(50000000)
#define BUCKET_BYTES_MAX ((size_t)64 << 20)
#define CASES_STEP 200

struct reconcile {
	struct run run;
	bool going, changed, purge; /* changed: run must be written */
	struct book_line *lines;    /* entries of this turn */
	int line_count, line_cap;
	uint8_t *line_book;
	struct buf ours[BOOKS], theirs, left;
	int64_t looked;             /* lines of both sides in this turn */
};

static struct reconcile *state_of_run(struct flow *f)
{
	return f->reconcile;
}

int reconcile_open(struct flow *f, struct err *e)
{
	struct reconcile *r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(e, ERR_TEMP, "flow: out of memory");
	f->reconcile = r;
	for (int i = 0; i < BOOKS; i++)
		buf_init(&r->ours[i], BUCKET_BYTES_MAX);
	buf_init(&r->theirs, BUCKET_BYTES_MAX);
	buf_init(&r->left, BUCKET_BYTES_MAX);
	int got = run_going(f->p.ledger, &r->run, e);
	r->going = got == 1;
	r->purge = true;
	return got < 0 ? -1 : 0;
}

void reconcile_close(struct flow *f)
{
	struct reconcile *r = f->reconcile;
	if (!r)
		return;
	for (int i = 0; i < BOOKS; i++)
		buf_fini(&r->ours[i]);
	buf_fini(&r->theirs);
	buf_fini(&r->left);
	free(r->lines);
	free(r->line_book);
	free(r);
}

/* ---- start and end ---- */

static void end_run(struct flow *f, enum run_state state, const char *why)
{
	struct reconcile *r = state_of_run(f);
	char hex[ID_HEX];
	r->run.state = state;
	r->run.ended_at = f->now;
	snprintf(r->run.why, sizeof(r->run.why), "%s", why);
	r->going = false;
	r->changed = r->purge = true;
	r->line_count = 0;
	f->touched = true;
	log_info("RECONCILED", "run=%s year=%d state=%s differences=%lld reason=%s", id_hex(&r->run.id, hex), (int)r->run.year,
		 run_state_code(state), (long long)r->run.found, why[0] ? why : "-");
}

static int write_run(struct flow *f, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	if (!r->changed)
		return 0;
	r->changed = false;
	f->touched = true;
	return run_put(f->p.ledger, &r->run, e);
}

/* "tax,ssa FROM TO", both times in milliseconds. */
static bool read_argument(struct str argument, struct run *r)
{
	struct str rest = argument, part[3] = {{0}};
	for (int i = 0; i < 3 && rest.p; i++) {
		const char *blank = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
		part[i] = (struct str){rest.p, blank ? (size_t)(blank - rest.p) : rest.n};
		rest = blank ? (struct str){blank + 1, rest.n - part[i].n - 1} : (struct str){0};
	}
	if (!part[2].p || rest.p || str_int(part[1], 0, INT64_MAX / 2, &r->from) != 0 || str_int(part[2], 0, INT64_MAX / 2, &r->to) != 0 ||
	    r->from >= r->to)
		return false;
	for (struct str left = part[0]; left.n > 0;) {
		const char *comma = memchr(left.p, ',', left.n);
		struct str one = {left.p, comma ? (size_t)(comma - left.p) : left.n};
		int b = book_of(one);
		if (b < 0)
			return false;
		r->book[b].asked = true;
		left = comma ? (struct str){comma + 1, left.n - one.n - 1} : (struct str){left.p, 0};
	}
	return r->book[BOOK_TAX].asked || r->book[BOOK_SSA].asked;
}

static int ask(struct flow *f, const struct run *r, enum book b, struct err *e)
{
	struct book_request q = {.run_id = r->id, .system = str_of(book_code(b)), .kind = STR("book"), .year = r->year, .from = r->from,
				 .to = r->to};
	struct id id;
	decision_id(&id, STR("BookRequest"), &r->id, b + 1);
	return flow_emit(f, EV_BOOK_REQUEST, &q, id_str(&r->id), &id, &r->id, e);
}

int reconcile_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	struct run run = {.id = *cause, .started_at = f->now, .state = RUN_FETCHING};
	int64_t year;
	bool there;
	if (str_int(op->subject, 2009, 2099, &year) != 0 || !read_argument(op->argument, &run)) {
		*refused = "reconcile_what";
		return 0;
	}
	if (run_find(f->p.ledger, cause, &there, e) != 0 || there)
		return there ? 0 : -1;
	if (r->going)
		end_run(f, RUN_INCOMPLETE, "superseded");
	run.year = (int32_t)year;
	(void)str_copy(run.operator, sizeof(run.operator), op->operator);
	if (write_run(f, e) != 0 || run_add(f->p.ledger, &run, e) != 0)
		return -1;
	r->run = run;
	r->going = true;
	for (int b = 0; b < BOOKS; b++)
		if (run.book[b].asked && ask(f, &run, (enum book)b, e) != 0)
			return -1;
	return 0;
}

/* ---- books come in ---- */

static int keep_line(struct reconcile *r, int book, const struct book_line *line, struct err *e)
{
	if (r->line_count == r->line_cap) {
		int cap = r->line_cap ? 2 * r->line_cap : 1024;
		struct book_line *lines = realloc(r->lines, sizeof(*lines) * (size_t)cap);
		uint8_t *books = lines ? realloc(r->line_book, (size_t)cap) : NULL;
		r->lines = lines ? lines : r->lines;
		if (!books)
			return err_set(e, ERR_TEMP, "flow: out of memory");
		r->line_book = books;
		r->line_cap = cap;
	}
	r->lines[r->line_count] = *line;
	r->line_book[r->line_count++] = (uint8_t)book;
	return 0;
}

/* The book that an event belongs to, while it is wanted; else NULL: of an old run, or repeated. */
static struct run_book *wanted(struct flow *f, enum book b, const struct id *run)
{
	struct reconcile *r = state_of_run(f);
	struct run_book *k = &r->run.book[b];
	return r->going && r->run.state == RUN_FETCHING && id_eq(&r->run.id, run) && k->asked && !k->closed ? k : NULL;
}

/* What an earlier attempt brought is passed over from here on. */
static void opened(struct flow *f, enum book b, const struct book_opened *o)
{
	struct reconcile *r = state_of_run(f);
	struct run_book *k = wanted(f, b, &o->run_id);
	int kept = 0;
	if (!k || k->attempt == o->attempt)
		return;
	for (int i = 0; i < r->line_count; i++)
		if (r->line_book[i] != b) {
			r->lines[kept] = r->lines[i];
			r->line_book[kept++] = r->line_book[i];
		}
	r->line_count = kept;
	k->attempt = o->attempt;
	k->seq = k->fen = k->strangers = 0;
	k->first_part = k->parts;
	r->changed = true;
}

static int entry(struct flow *f, enum book b, const struct book_entry *x, struct err *e)
{
	struct run_book *k = wanted(f, b, &x->run_id);
	int word = book_word_of(b, x->state);
	if (!k || k->attempt != x->attempt || x->seq <= k->seq)
		return 0;
	if (x->seq != k->seq + 1 || word < 0 || x->seq > BOOK_ENTRIES_MAX) {
		end_run(f, RUN_INCOMPLETE, word < 0 ? "unknown_state" : x->seq > BOOK_ENTRIES_MAX ? "book_too_large" : "entries_missing");
		return 0;
	}
	struct book_line line = {.has_pid = x->payment_id.set, .has_token = x->token.set, .stand = (uint8_t)stand_of_word(word),
				 .state = (uint8_t)word, .amount_fen = x->amount_fen, .at = x->at, .ref = x->seq};
	if (x->payment_id.set)
		line.pid = x->payment_id.v;
	if (x->token.set)
		line.token = x->token.v;
	if (x->receipt.p && x->receipt.n < sizeof(line.receipt))
		memcpy(line.receipt, x->receipt.p, x->receipt.n);
	k->seq = x->seq;
	k->fen += x->amount_fen;
	k->strangers += !line.has_pid;
	state_of_run(f)->changed = true;
	return keep_line(state_of_run(f), b, &line, e);
}

static void closed(struct flow *f, enum book b, const struct book_closed *c)
{
	struct reconcile *r = state_of_run(f);
	struct run_book *k = wanted(f, b, &c->run_id);
	if (!k || k->attempt != c->attempt)
		return;
	k->closed = true;
	k->said_count = c->count;
	k->said_fen = c->amount_fen;
	k->as_of = c->as_of;
	r->changed = true;
	if (k->seq != k->said_count || k->fen != k->said_fen) {
		end_run(f, RUN_INCOMPLETE, "totals_differ");
		return;
	}
	for (int i = 0; i < BOOKS; i++)
		if (r->run.book[i].asked && !r->run.book[i].closed)
			return;
	r->run.state = RUN_MATCHING;
	r->run.cursor = 0;
}

static int on_book(struct flow *f, enum book b, const struct bus_record *rec, struct err *e)
{
	const char *topic = flow_input(b == BOOK_TAX ? IN_BOOKS_TAX : IN_BOOKS_SSA);
	union {
		struct book_opened opened;
		struct book_entry entry;
		struct book_closed closed;
	} ev;
	enum event_type t;
	if (event_type_of(rec->event.type, &t) != 0)
		return flow_reject(f, topic, rec, "unknown_type", NULL, e);
	int rc = flow_decode(f, topic, rec, t, &ev, e);
	if (rc <= 0)
		return rc;
	f->touched = true;
	if (t == EV_BOOK_ENTRY)
		return entry(f, b, &ev.entry, e);
	if (t == EV_BOOK_OPENED)
		opened(f, b, &ev.opened);
	else
		closed(f, b, &ev.closed);
	return 0;
}

int on_tax_book(struct flow *f, const struct bus_record *r, struct err *e)
{
	return on_book(f, BOOK_TAX, r, e);
}

int on_ssa_book(struct flow *f, const struct bus_record *r, struct err *e)
{
	return on_book(f, BOOK_SSA, r, e);
}

static int bucket_of(const struct book_line *l)
{
	return l->has_pid ? l->pid.b[0] : BUCKETS_OF_IDS + l->token.b[0];
}

static int by_bucket(const void *a, const void *b)
{
	return bucket_of(a) - bucket_of(b);
}

/* Lines of one book, sorted by bucket, into one part each. */
static int put_parts(struct flow *f, int book, struct book_line *lines, size_t count, int64_t part, struct err *e)
{
	qsort(lines, count, sizeof(*lines), by_bucket);
	for (size_t from = 0, to; from < count; from = to) {
		int bucket = bucket_of(&lines[from]);
		for (to = from + 1; to < count && bucket_of(&lines[to]) == bucket;)
			to++;
		if (book_part_put(f->p.ledger, &state_of_run(f)->run, book, bucket, part, &lines[from], to - from, e) != 0)
			return -1;
	}
	return 0;
}

static int keep_entries(struct flow *f, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	for (int b = 0; b < BOOKS && r->line_count > 0; b++) {
		buf_reset(&r->theirs);
		for (int i = 0; i < r->line_count; i++)
			if (r->line_book[i] == b && buf_put(&r->theirs, &r->lines[i], sizeof(r->lines[i])) != 0)
				return err_set(e, ERR_TEMP, "flow: out of memory");
		size_t count = r->theirs.len / sizeof(struct book_line);
		if (count > 0 && put_parts(f, b, (struct book_line *)r->theirs.data, count, r->run.book[b].parts++, e) != 0)
			return -1;
	}
	r->line_count = 0;
	return 0;
}

/* ---- matching ---- */

struct pass { /* of one book through one bucket */
	struct flow *f;
	struct reconcile_terms terms;
	enum book book;
	bool keep; /* our lines that found no id are kept: entries without one may be theirs */
	const struct book_line *last_b;
	struct run_sum sums[BOOK_CLASSES];
	struct err *e;
};

static void count_pair(struct pass *p, enum book_class c, const struct book_line *a, const struct book_line *b)
{
	struct run_sum *s = &p->sums[c];
	int64_t age = c == BC_LATER ? reconcile_age(&p->terms, a, b) : 0;
	s->count++;
	s->our_fen += a ? a->amount_fen : 0;
	s->their_fen += b ? b->amount_fen : 0;
	s->oldest_days = age > s->oldest_days ? age : s->oldest_days;
}

static int judge_pair(void *arg, const struct book_line *a, const struct book_line *b)
{
	struct pass *p = arg;
	struct reconcile *r = state_of_run(p->f);
	bool twice = !a && b->has_pid && p->last_b && id_eq(&p->last_b->pid, &b->pid), fresh;
	enum book_class c = reconcile_judge(&p->terms, a, b);
	if (b)
		p->last_b = b;
	if (a && !b && p->keep && a->stand != STAND_NONE)
		return buf_put(&r->left, a, sizeof(*a)) == 0 ? 0 : err_set(p->e, ERR_TEMP, "flow: out of memory");
	if (c == BC_NONE)
		return 0;
	count_pair(p, c, a, b);
	if (!book_class_differs(c))
		return 0;
	if (++r->run.found > FOUND_MAX)
		return 1;
	struct case_found found = {.book = p->book, .class = c, .twice = twice, .a = a, .b = b};
	if (case_found(p->f->p.ledger, &r->run, &found, &fresh, p->e) != 0)
		return -1;
	if (fresh)
		COUNT(C_DIFFERENCES);
	return 0;
}

static void begin_pass(struct pass *p, struct flow *f, enum book b, struct err *e)
{
	const struct run *run = &state_of_run(f)->run;
	*p = (struct pass){.f = f, .book = b, .e = e};
	p->terms = reconcile_terms_of(run->from, run->to, run->book[b].as_of);
}

static int end_pass(struct pass *p, int rc)
{
	if (rc < 0)
		return -1;
	if (rc > 0) {
		end_run(p->f, RUN_INCOMPLETE, "too_many_differences");
		return 0;
	}
	for (int c = 0; c < BOOK_CLASSES; c++)
		if (p->sums[c].count &&
		    run_sum_add(p->f->p.ledger, &state_of_run(p->f)->run, p->book, (enum book_class)c, &p->sums[c], p->e) != 0)
			return -1;
	return 0;
}

static size_t lines_in(struct buf *b, int (*order)(const void *, const void *))
{
	size_t count = b->len / sizeof(struct book_line);
	if (count > 1)
		qsort(b->data, count, sizeof(struct book_line), order);
	return count;
}

static int match_ids(struct flow *f, enum book b, int bucket, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	struct run_book *k = &r->run.book[b];
	struct pass p;
	begin_pass(&p, f, b, e);
	p.keep = k->strangers > 0;
	buf_reset(&r->theirs);
	buf_reset(&r->left);
	if (book_part_get(f->p.ledger, &r->run, b, bucket, k->first_part, &r->theirs, e) != 0)
		return -1;
	r->looked += (int64_t)((r->theirs.len + r->ours[b].len) / sizeof(struct book_line));
	size_t theirs = lines_in(&r->theirs, book_line_by_pid), ours = r->ours[b].len / sizeof(struct book_line);
	int rc = reconcile_by_pid((const struct book_line *)r->ours[b].data, ours, (const struct book_line *)r->theirs.data, theirs,
				  judge_pair, &p);
	if (end_pass(&p, rc) != 0)
		return -1;
	/* Found again by person; the bucket's number serves as that of the part. */
	struct book_line *left = (struct book_line *)r->left.data;
	size_t count = r->left.len / sizeof(*left);
	for (size_t i = 0; i < count; i++)
		left[i].has_pid = false;
	if (r->going && count > 0 && put_parts(f, KEPT_OURS + b, left, count, bucket, e) != 0)
		return -1;
	return book_part_forget(f->p.ledger, &r->run, b, bucket, e);
}

static int match_persons(struct flow *f, enum book b, int bucket, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	struct run_book *k = &r->run.book[b];
	struct pass p;
	begin_pass(&p, f, b, e);
	buf_reset(&r->theirs);
	buf_reset(&r->left);
	if (book_part_get(f->p.ledger, &r->run, b, bucket, k->first_part, &r->theirs, e) != 0 ||
	    book_part_get(f->p.ledger, &r->run, KEPT_OURS + b, bucket, 0, &r->left, e) != 0)
		return -1;
	r->looked += (int64_t)((r->theirs.len + r->left.len) / sizeof(struct book_line));
	size_t theirs = lines_in(&r->theirs, book_line_by_person), ours = lines_in(&r->left, book_line_by_person);
	for (size_t i = 0; i < ours; i++)
		((struct book_line *)r->left.data)[i].has_pid = true;
	int rc = reconcile_by_person(&p.terms, (const struct book_line *)r->left.data, ours, (const struct book_line *)r->theirs.data, theirs,
				     judge_pair, &p);
	if (end_pass(&p, rc) != 0)
		return -1;
	return book_part_forget(f->p.ledger, &r->run, b, bucket, e) != 0 ? -1 : book_part_forget(f->p.ledger, &r->run, KEPT_OURS + b, bucket, e);
}

static int match_bucket(struct flow *f, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	int bucket = (int)r->run.cursor;
	for (int b = 0; b < BOOKS; b++)
		buf_reset(&r->ours[b]);
	if (bucket < BUCKETS_OF_IDS && book_ours(f->p.ledger, r->run.year, bucket, &r->ours[BOOK_TAX], &r->ours[BOOK_SSA], e) != 0)
		return -1;
	for (int b = 0; b < BOOKS && r->going; b++) {
		const struct run_book *k = &r->run.book[b];
		int rc = !k->asked			    ? 0
			 : bucket < BUCKETS_OF_IDS ? match_ids(f, (enum book)b, bucket, e)
			 : k->strangers > 0	    ? match_persons(f, (enum book)b, bucket, e)
						    : 0;
		if (rc != 0)
			return -1;
	}
	bool persons = (r->run.book[BOOK_TAX].asked && r->run.book[BOOK_TAX].strangers) ||
		       (r->run.book[BOOK_SSA].asked && r->run.book[BOOK_SSA].strangers);
	r->changed = true;
	if (!r->going || ++r->run.cursor < (persons ? BUCKETS : BUCKETS_OF_IDS))
		return 0;
	r->run.state = RUN_CLOSING;
	r->run.cursor = 0;
	return 0;
}

/* So many buckets that a transaction stays bounded, and small books are done in few. */
static int match_step(struct flow *f, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	r->looked = 0;
	for (int i = 0; i < BUCKETS && r->going && r->run.state == RUN_MATCHING && r->looked < f->p.conf->gateway.batch_events; i++)
		if (match_bucket(f, e) != 0)
			return -1;
	return 0;
}

static int close_step(struct flow *f, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	int gone;
	if (case_close(f->p.ledger, &r->run, &r->run.cursor, CASES_STEP, &gone, e) != 0)
		return -1;
	r->changed = true;
	if (r->run.cursor < 0)
		end_run(f, RUN_DONE, "");
	return 0;
}

/* At the end of a turn: one bounded step. */
int reconcile_step(struct flow *f, struct err *e)
{
	struct reconcile *r = state_of_run(f);
	int rc = keep_entries(f, e);
	if (rc == 0 && r->going && r->run.state == RUN_FETCHING && f->now - r->run.started_at > FETCH_MS)
		end_run(f, RUN_INCOMPLETE, "book_missing");
	else if (rc == 0 && r->going && r->run.state == RUN_MATCHING)
		rc = match_step(f, e);
	else if (rc == 0 && r->going && r->run.state == RUN_CLOSING)
		rc = close_step(f, e);
	else if (rc == 0 && r->purge) {
		rc = book_purge(f->p.ledger, r->going ? r->run.no : INT64_MAX, &r->purge, e);
		f->touched = f->touched || r->purge;
	}
	return rc == 0 ? write_run(f, e) : -1;
}

/* ---- what people decide about a case ---- */

static int decide(struct flow *f, const struct operation *op, enum case_state state, const char *owner, const char *note,
		  const struct id *cause, const char **refused, struct err *e)
{
	char operator[33];
	int64_t no;
	(void)str_copy(operator, sizeof(operator), op->operator);
	if (str_int(op->subject, 1, INT64_MAX, &no) != 0) {
		*refused = "difference_not_found";
		return 0;
	}
	return case_decide(f->p.ledger, no, state, owner, note, operator, cause, refused, e);
}

int difference_assign_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	char owner[33];
	if (!op->argument.p || op->argument.n == 0 || str_copy(owner, sizeof(owner), op->argument) != 0) {
		*refused = "difference_owner";
		return 0;
	}
	return decide(f, op, CASE_ASSIGNED, owner, NULL, cause, refused, e);
}

int difference_resolve_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	char note[400];
	if (!op->reason.p || op->reason.n == 0 || str_copy(note, sizeof(note), op->reason) != 0) {
		*refused = "difference_note";
		return 0;
	}
	return decide(f, op, CASE_RESOLVED, NULL, note, cause, refused, e);
}
