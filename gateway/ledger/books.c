#include "ledger/books.h"
#include "crypto/digest.h"
#include "ledger/internal.h"
#include <stdio.h>
#include <string.h>

const char *run_state_code(enum run_state s)
{
	static const char *const codes[RUN_STATES] = {[RUN_FETCHING] = "fetching", [RUN_MATCHING] = "matching", [RUN_CLOSING] = "closing",
						      [RUN_DONE] = "done", [RUN_INCOMPLETE] = "incomplete"};
	return codes[s];
}

const char *case_state_code(enum case_state s)
{
	static const char *const codes[CASE_STATES] = {
		[CASE_OPEN] = "open", [CASE_ASSIGNED] = "assigned", [CASE_RESOLVED] = "resolved", [CASE_GONE] = "gone"};
	return codes[s];
}

/* ---- runs ---- */

static void run_read(struct run *r, struct stmt *q)
{
	memset(r, 0, sizeof(*r));
	r->no = stmt_get_int(q, 0);
	column_id(&r->id, stmt_get_blob(q, 1));
	r->year = (int32_t)stmt_get_int(q, 2);
	r->from = stmt_get_int(q, 3);
	r->to = stmt_get_int(q, 4);
	r->started_at = stmt_get_int(q, 5);
	r->ended_at = stmt_get_int(q, 6);
	r->state = (enum run_state)stmt_get_int(q, 7);
	r->cursor = stmt_get_int(q, 8);
	r->found = stmt_get_int(q, 9);
	column_text(r->operator, sizeof(r->operator), stmt_get_text(q, 10));
	column_text(r->why, sizeof(r->why), stmt_get_text(q, 11));
}

static void run_book_read(struct run *r, struct stmt *q)
{
	int64_t book = stmt_get_int(q, 0);
	if (book < 0 || book >= BOOKS)
		return;
	r->book[book] = (struct run_book){.asked = true, .closed = stmt_get_int(q, 1), .attempt = stmt_get_int(q, 2),
					  .seq = stmt_get_int(q, 3), .fen = stmt_get_int(q, 4), .said_count = stmt_get_int(q, 5),
					  .said_fen = stmt_get_int(q, 6), .as_of = stmt_get_int(q, 7),
					  .first_part = stmt_get_int(q, 8), .parts = stmt_get_int(q, 9),
					  .strangers = stmt_get_int(q, 10)};
}

int run_put(struct ledger *l, const struct run *r, struct err *e)
{
	struct stmt *q = l->q[Q_RUN_PUT], *b = l->q[Q_RUN_BOOK_PUT];
	const int64_t ints[] = {r->year, r->from, r->to, r->started_at, r->ended_at, r->state, r->cursor, r->found};
	stmt_int(q, 1, r->no);
	stmt_blob(q, 2, r->id.b, ID_LEN);
	for (int i = 0; i < 8; i++)
		stmt_int(q, 3 + i, ints[i]);
	stmt_text(q, 11, str_of(r->operator));
	column_put_text(q, 12, r->why);
	if (stmt_run(q, e) != 0)
		return -1;
	for (int i = 0; i < BOOKS; i++) {
		const struct run_book *k = &r->book[i];
		const int64_t of[] = {r->no, i, k->closed, k->attempt, k->seq, k->fen, k->said_count, k->said_fen, k->as_of, k->first_part,
				      k->parts, k->strangers};
		for (int n = 0; n < 12; n++)
			stmt_int(b, n + 1, of[n]);
		if (!k->asked)
			stmt_reset(b);
		else if (stmt_run(b, e) != 0)
			return -1;
	}
	return 0;
}

int run_add(struct ledger *l, struct run *r, struct err *e)
{
	if (one_int(l->st, "SELECT coalesce(max(no), 0) FROM reconcile_run", &r->no, e) != 0)
		return -1;
	r->no++;
	return run_put(l, r, e);
}

int run_find(struct ledger *l, const struct id *id, bool *there, struct err *e)
{
	struct stmt *q = l->q[Q_RUN_FIND];
	stmt_blob(q, 1, id->b, ID_LEN);
	int got = stmt_step(q, e);
	stmt_reset(q);
	*there = got == 1;
	return got < 0 ? -1 : 0;
}

int run_going(struct ledger *l, struct run *out, struct err *e)
{
	struct stmt *q = l->q[Q_RUN_GOING], *b = l->q[Q_RUN_BOOKS];
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	run_read(out, q);
	stmt_reset(q);
	stmt_int(b, 1, out->no);
	while ((got = stmt_step(b, e)) == 1)
		run_book_read(out, b);
	return got < 0 ? -1 : 1;
}

/* ---- parts ---- */

int book_part_put(struct ledger *l, const struct run *r, int book, int bucket, int64_t part, const struct book_line *lines, size_t count,
		  struct err *e)
{
	struct stmt *q = l->q[Q_PART_PUT];
	stmt_int(q, 1, r->no);
	stmt_int(q, 2, book);
	stmt_int(q, 3, bucket);
	stmt_int(q, 4, part);
	stmt_blob(q, 5, lines, count * sizeof(*lines));
	return stmt_run(q, e);
}

int book_part_get(struct ledger *l, const struct run *r, int book, int bucket, int64_t first_part, struct buf *lines, struct err *e)
{
	struct stmt *q = l->q[Q_PART_GET];
	int got;
	stmt_int(q, 1, r->no);
	stmt_int(q, 2, book);
	stmt_int(q, 3, bucket);
	stmt_int(q, 4, first_part);
	while ((got = stmt_step(q, e)) == 1) {
		struct str data = stmt_get_blob(q, 0);
		if (data.n % sizeof(struct book_line) == 0 && buf_put(lines, data.p, data.n) == 0)
			continue;
		stmt_reset(q);
		return err_set(e, ERR_TEMP, "ledger: a bucket of a book is too large for this memory");
	}
	return got;
}

int book_part_forget(struct ledger *l, const struct run *r, int book, int bucket, struct err *e)
{
	struct stmt *q = l->q[Q_PART_FORGET];
	stmt_int(q, 1, r->no);
	stmt_int(q, 2, book);
	stmt_int(q, 3, bucket);
	return stmt_run(q, e);
}

int book_purge(struct ledger *l, int64_t before_run, bool *more, struct err *e)
{
	struct stmt *q = l->q[Q_PART_OLD];
	stmt_int(q, 1, before_run);
	int got = stmt_step(q, e);
	struct run old = {.no = got == 1 ? stmt_get_int(q, 0) : 0};
	int book = got == 1 ? (int)stmt_get_int(q, 1) : 0, bucket = got == 1 ? (int)stmt_get_int(q, 2) : 0;
	stmt_reset(q);
	*more = got == 1;
	return got <= 0 ? got : book_part_forget(l, &old, book, bucket, e);
}

/* ---- our side ---- */

static int put_line(struct buf *out, enum book b, uint32_t facts, const struct book_line *of, int64_t entered, int64_t since, struct err *e)
{
	struct book_line line = *of;
	line.stand = (uint8_t)stand_of_facts(b, facts);
	line.entered = entered;
	line.at = since;
	return buf_put(out, &line, sizeof(line)) == 0 ? 0 : err_set(e, ERR_TEMP, "ledger: too many payments in one bucket");
}

static int put_ours(struct stmt *q, int year, struct buf *tax, struct buf *ssa, struct err *e)
{
	uint32_t facts = (uint32_t)stmt_get_int(q, 3);
	int64_t instructed_at = stmt_get_int(q, 5), paid_at = stmt_get_int(q, 6), treasury_at = stmt_get_int(q, 7);
	int64_t known = treasury_at ? treasury_at : paid_at;
	struct book_line line = {.has_pid = true, .state = (uint8_t)state_of(facts), .amount_fen = stmt_get_int(q, 2),
				 .ref = stmt_get_int(q, 0)};
	column_id(&line.pid, stmt_get_blob(q, 4));
	line.has_token = column_id(&line.token, stmt_get_blob(q, 1));
	struct str receipt = stmt_get_text(q, 8);
	if (receipt.p && receipt.n < sizeof(line.receipt))
		memcpy(line.receipt, receipt.p, receipt.n);
	/* Of another year: whatever stands in the book under its id is judged, its absence tells nothing. */
	bool other = stmt_get_int(q, 9) != year;
	if (put_line(tax, BOOK_TAX, facts, &line, other ? INT64_MIN : instructed_at, paid_at ? paid_at : instructed_at, e) != 0)
		return -1;
	return put_line(ssa, BOOK_SSA, facts, &line, other ? INT64_MIN : known, known, e);
}

static int ours(struct stmt *q, int year, int first_byte, struct buf *tax, struct buf *ssa, struct err *e)
{
	uint8_t low[ID_LEN] = {(uint8_t)first_byte}, high[ID_LEN + 1];
	int got;
	memset(high, 0xff, sizeof(high));
	high[0] = (uint8_t)first_byte;
	stmt_blob(q, 1, low, sizeof(low));
	stmt_blob(q, 2, high, sizeof(high));
	while ((got = stmt_step(q, e)) == 1)
		if (put_ours(q, year, tax, ssa, e) != 0) {
			stmt_reset(q);
			return -1;
		}
	return got;
}

int book_ours(struct ledger *l, int year, int first_byte, struct buf *tax, struct buf *ssa, struct err *e)
{
	return decls_write(l, e) != 0 ? -1 : ours(l->q[Q_BOOK_OURS], year, first_byte, tax, ssa, e);
}

int view_ours(struct ledger_view *v, int year, struct buf *tax, struct buf *ssa, view_bucket_fn *fn, void *arg, struct err *e)
{
	struct stmt *q;
	if (store_prepare(view_store(v), &q, ledger_sql[Q_BOOK_OURS], e) != 0)
		return -1;
	for (int byte = 0; byte < BUCKETS_OF_IDS; byte++) {
		buf_reset(tax);
		buf_reset(ssa);
		if (ours(q, year, byte, tax, ssa, e) != 0 || fn(arg, byte) != 0)
			return -1;
	}
	return 0;
}

int run_sum_add(struct ledger *l, const struct run *r, int book, enum book_class c, const struct run_sum *s, struct err *e)
{
	struct stmt *q = l->q[Q_RUN_SUM_ADD];
	const int64_t of[] = {r->no, book, c, s->count, s->our_fen, s->their_fen, s->oldest_days};
	for (int i = 0; i < 7; i++)
		stmt_int(q, i + 1, of[i]);
	return stmt_run(q, e);
}

/* ---- cases ---- */

/* The same matter at each run: system, class, and the payment, or where that is not known the person, amount and time. */
static void case_key(struct id *key, const struct case_found *c)
{
	const struct book_line *l = c->b && (!c->a || !c->a->has_pid) ? c->b : c->a;
	const uint8_t kind[3] = {(uint8_t)c->book, (uint8_t)c->class, c->twice};
	struct str parts[5] = {STR("difference"), {(const char *)kind, 3}, {(const char *)l->pid.b, ID_LEN}, {NULL, 0}, {NULL, 0}};
	int count = 3;
	if (!l->has_pid) {
		parts[2] = (struct str){(const char *)l->token.b, ID_LEN};
		parts[3] = (struct str){(const char *)&l->amount_fen, sizeof(l->amount_fen)};
		count = 4;
	}
	if (!l->has_pid || c->twice)
		parts[count++] = (struct str){(const char *)&l->at, sizeof(l->at)};
	id_make(key, parts, count);
}

static int case_event(struct ledger *l, int64_t no, const char *what, int64_t run, const struct id *operation, const char *operator,
		      const char *note, struct err *e)
{
	struct stmt *q = l->q[Q_CASE_EVENT];
	stmt_int(q, 1, no);
	stmt_text(q, 2, str_of(what));
	if (run)
		stmt_int(q, 3, run);
	else
		stmt_null(q, 3);
	column_put_id(q, 4, operation);
	column_put_text(q, 5, operator);
	column_put_text(q, 6, note);
	stmt_int(q, 7, l->now);
	return stmt_run(q, e);
}

static void bind_side(struct stmt *q, int at, const struct book_line *l, const char *word)
{
	if (l) {
		stmt_int(q, at, l->amount_fen);
		stmt_text(q, at + 1, str_of(word));
		stmt_int(q, at + 2, l->at);
		return;
	}
	for (int i = 0; i < 3; i++)
		stmt_null(q, at + i);
}

static void bind_sides(struct stmt *q, int at, const struct case_found *c)
{
	bind_side(q, at, c->a, c->a ? state_code((enum state)c->a->state) : "");
	bind_side(q, at + 3, c->b, c->b ? book_word(c->b->state) : "");
}

const char *case_kind(int book, enum book_class c, bool twice)
{
	/* Written out, so that who meets one finds it. */
	static const char *const kinds[BOOKS][BOOK_CLASSES] = {
		{[BC_NONE] = "tax_twice", [BC_AMOUNT] = "tax_amount_differs", [BC_FAILED_THERE] = "tax_failed_there",
		 [BC_MISSING_THERE] = "tax_missing_there", [BC_OK_THERE] = "tax_ok_there", [BC_UNKNOWN_HERE] = "tax_unknown_here"},
		{[BC_NONE] = "ssa_twice", [BC_AMOUNT] = "ssa_amount_differs", [BC_FAILED_THERE] = "ssa_failed_there",
		 [BC_MISSING_THERE] = "ssa_missing_there", [BC_OK_THERE] = "ssa_ok_there", [BC_UNKNOWN_HERE] = "ssa_unknown_here"},
	};
	return kinds[book][twice ? BC_NONE : c];
}

static int case_insert(struct ledger *l, const struct run *r, const struct case_found *c, const struct id *key, struct err *e)
{
	struct stmt *q = l->q[Q_CASE_PUT];
	const struct book_line *pid = c->a ? c->a : c->b->has_pid ? c->b : NULL, *person = c->b && c->b->has_token ? c->b : c->a;
	const char *receipt = c->b && c->b->receipt[0] ? c->b->receipt : c->a ? c->a->receipt : "";
	stmt_int(q, 1, c->a ? c->a->ref : 0);
	stmt_text(q, 2, str_of(case_kind(c->book, c->class, c->twice)));
	stmt_blob(q, 3, r->id.b, ID_LEN);
	stmt_int(q, 4, l->now);
	stmt_int(q, 5, c->class);
	stmt_int(q, 6, c->book);
	stmt_int(q, 7, r->no);
	stmt_blob(q, 8, key->b, ID_LEN);
	column_put_id(q, 9, pid ? &pid->pid : NULL);
	column_put_id(q, 10, person && person->has_token ? &person->token : NULL);
	column_put_text(q, 11, receipt);
	bind_sides(q, 12, c);
	if (stmt_run(q, e) != 0)
		return -1;
	return case_event(l, store_last_rowid(l->st), "found", r->no, NULL, NULL, NULL, e);
}

int case_found(struct ledger *l, const struct run *r, const struct case_found *c, bool *fresh, struct err *e)
{
	struct stmt *q = l->q[Q_CASE_BY_KEY];
	struct id key;
	case_key(&key, c);
	stmt_blob(q, 1, key.b, ID_LEN);
	int got = stmt_step(q, e);
	if (got < 0)
		return -1;
	int64_t no = got ? stmt_get_int(q, 0) : 0;
	bool gone = got && stmt_get_int(q, 1) == CASE_GONE;
	stmt_reset(q);
	*fresh = !got || gone;
	if (!got)
		return case_insert(l, r, c, &key, e);
	q = l->q[Q_CASE_SEEN];
	stmt_int(q, 1, no);
	stmt_int(q, 2, r->no);
	stmt_int(q, 3, l->now);
	bind_sides(q, 4, c);
	if (stmt_run(q, e) != 0)
		return -1;
	return gone ? case_event(l, no, "found_again", r->no, NULL, NULL, NULL, e) : 0;
}

static int case_state_put(struct ledger *l, int64_t no, enum case_state state, const char *owner, const char *note, struct err *e)
{
	struct stmt *q = l->q[Q_CASE_STATE];
	stmt_int(q, 1, no);
	stmt_int(q, 2, state);
	column_put_text(q, 3, owner);
	column_put_text(q, 4, note);
	stmt_int(q, 5, l->now);
	return stmt_run(q, e);
}

int case_close(struct ledger *l, const struct run *r, int64_t *at, int max, int *gone, struct err *e)
{
	struct stmt *q = l->q[Q_CASE_UNSEEN];
	int64_t nos[256];
	int n = 0, got;
	const int64_t of[] = {*at, r->no, r->year, r->from, r->to, r->book[BOOK_TAX].asked, r->book[BOOK_SSA].asked, max < 256 ? max : 256};
	for (int i = 0; i < 8; i++)
		stmt_int(q, i + 1, of[i]);
	while ((got = stmt_step(q, e)) == 1)
		nos[n++] = stmt_get_int(q, 0);
	if (got < 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (case_state_put(l, nos[i], CASE_GONE, NULL, NULL, e) != 0 || case_event(l, nos[i], "gone", r->no, NULL, NULL, NULL, e) != 0)
			return -1;
	*gone = n;
	*at = n == of[7] ? nos[n - 1] : -1;
	return 0;
}

int case_decide(struct ledger *l, int64_t no, enum case_state state, const char *owner, const char *note, const char *operator,
		const struct id *operation, const char **refused, struct err *e)
{
	struct stmt *q = l->q[Q_CASE_GET];
	stmt_int(q, 1, no);
	int got = stmt_step(q, e);
	int64_t before = got == 1 ? stmt_get_int(q, 0) : 0;
	stmt_reset(q);
	if (got < 0)
		return -1;
	*refused = !got ? "difference_not_found" : before == CASE_RESOLVED || before == CASE_GONE ? "difference_closed" : NULL;
	if (*refused)
		return 0;
	if (case_state_put(l, no, state, owner, note, e) != 0)
		return -1;
	return case_event(l, no, case_state_code(state), 0, operation, operator, state == CASE_ASSIGNED ? owner : note, e);
}

/* ---- for commands ---- */

static void case_read(struct case_row *c, struct stmt *q)
{
	memset(c, 0, sizeof(*c));
	c->no = stmt_get_int(q, 0);
	c->decl = stmt_get_int(q, 1);
	column_text(c->kind, sizeof(c->kind), stmt_get_text(q, 2));
	struct str detail = stmt_get_text(q, 3);
	column_text(c->detail, sizeof(c->detail), (struct str){detail.p, detail.p ? utf8_cut(detail.p, detail.n < 150 ? detail.n : 150) : 0});
	c->recorded_at = stmt_get_int(q, 4);
	c->state = (enum case_state)stmt_get_int(q, 5);
	column_text(c->owner, sizeof(c->owner), stmt_get_text(q, 6));
	column_text(c->note, sizeof(c->note), stmt_get_text(q, 7));
	c->class = (enum book_class)stmt_get_int(q, 8);
	c->book = stmt_is_null(q, 9) ? -1 : (int)stmt_get_int(q, 9);
	c->run = stmt_get_int(q, 10);
	c->seen_run = stmt_get_int(q, 11);
	c->has_pid = column_id(&c->pid, stmt_get_blob(q, 12));
	c->has_token = column_id(&c->token, stmt_get_blob(q, 13));
	column_text(c->receipt, sizeof(c->receipt), stmt_get_text(q, 14));
	c->our_fen = stmt_get_int(q, 15);
	column_text(c->our_state, sizeof(c->our_state), stmt_get_text(q, 16));
	c->our_at = stmt_get_int(q, 17);
	c->their_fen = stmt_get_int(q, 18);
	column_text(c->their_state, sizeof(c->their_state), stmt_get_text(q, 19));
	c->their_at = stmt_get_int(q, 20);
	c->changed_at = stmt_get_int(q, 21);
}

int view_difference_cases(struct ledger_view *v, int64_t no, bool all, int64_t run, view_difference_fn *fn, void *arg, struct err *e)
{
	struct stmt *q;
	struct case_row c;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT no, decl, kind, detail, recorded_at, state, owner, note, class, book, run, seen_run, pid, token, receipt,"
			  " our_fen, our_state, our_at, their_fen, their_state, their_at, changed_at FROM difference d"
			  " WHERE (?1 = 0 OR no = ?1) AND (?2 OR ?1 <> 0 OR state < 2) AND (?3 = 0 OR seen_run = ?3)"
			  " AND NOT (kind = '" UNCLAIMED "' AND EXISTS (SELECT 1 FROM adopted_payment a"
			  " WHERE lower(hex(a.pid)) = detail AND a.decl <> 0)) ORDER BY no",
			  e) != 0)
		return -1;
	stmt_int(q, 1, no);
	stmt_int(q, 2, all);
	stmt_int(q, 3, run);
	while ((got = stmt_step(q, e)) == 1) {
		case_read(&c, q);
		if (fn(arg, &c) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int view_case_events(struct ledger_view *v, int64_t no, int (*fn)(void *arg, const struct case_event *ev), void *arg, struct err *e)
{
	struct stmt *q;
	int got;
	if (store_prepare(view_store(v), &q, "SELECT what, operator, note, run, at FROM difference_event WHERE difference = ?1 ORDER BY no",
			  e) != 0)
		return -1;
	stmt_int(q, 1, no);
	while ((got = stmt_step(q, e)) == 1) {
		struct case_event ev = {.run = stmt_get_int(q, 3), .at = stmt_get_int(q, 4)};
		column_text(ev.what, sizeof(ev.what), stmt_get_text(q, 0));
		column_text(ev.operator, sizeof(ev.operator), stmt_get_text(q, 1));
		column_text(ev.note, sizeof(ev.note), stmt_get_text(q, 2));
		if (fn(arg, &ev) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int view_run(struct ledger_view *v, const struct id *id, struct run *out, struct err *e)
{
	struct stmt *q, *b;
	int got;
	if (store_prepare(view_store(v), &q, "SELECT " RUN_COLS " FROM reconcile_run WHERE ?1 IS NULL OR id = ?1 ORDER BY no DESC LIMIT 1", e) != 0 ||
	    store_prepare(view_store(v), &b, ledger_sql[Q_RUN_BOOKS], e) != 0)
		return -1;
	column_put_id(q, 1, id);
	got = stmt_step(q, e);
	if (got <= 0)
		return got;
	run_read(out, q);
	stmt_reset(q);
	stmt_int(b, 1, out->no);
	while ((got = stmt_step(b, e)) == 1)
		run_book_read(out, b);
	return got < 0 ? -1 : 1;
}

int view_run_sums(struct ledger_view *v, int64_t run, struct run_sum out[BOOKS][BOOK_CLASSES], struct err *e)
{
	struct stmt *q;
	int got;
	memset(out, 0, sizeof(struct run_sum) * BOOKS * BOOK_CLASSES);
	if (store_prepare(view_store(v), &q, "SELECT book, class, count, our_fen, their_fen, oldest FROM reconcile_sum WHERE run = ?1", e) != 0)
		return -1;
	stmt_int(q, 1, run);
	while ((got = stmt_step(q, e)) == 1) {
		int64_t book = stmt_get_int(q, 0), class = stmt_get_int(q, 1);
		if (book >= 0 && book < BOOKS && class >= 0 && class < BOOK_CLASSES)
			out[book][class] = (struct run_sum){stmt_get_int(q, 2), stmt_get_int(q, 3), stmt_get_int(q, 4), stmt_get_int(q, 5)};
	}
	return got;
}
