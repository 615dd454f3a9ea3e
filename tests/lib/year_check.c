/* What the ledger holds at the end of the year against what the district's rosters must come to, and against both agencies' own books. */
#include "ledger/internal.h"
#include "tests/lib/books.h"
#include "tests/lib/year.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 20 };

struct ledger_row {
	struct id submission, payment;
	int row;
	bool has_payment, final;
	bool unheard_of; /* the bureau refused its whole batch for it, and has no entry */
	char code[40];
	int64_t amount_fen;
	uint32_t facts;
};
struct comparison {
	struct year *y;
	FILE *out;
	int differences;
	struct ledger_row *rows, *payments; /* by submission and row; by payment */
	int row_count, payment_count, unheard_of;
	struct agency_book tax, ssa;
};

#define DIFFERS(c, ...) ((c)->differences++ < NAMED_MAX ? fprintf((c)->out, __VA_ARGS__) : 0)

static int open_ledger(const struct world *w, struct store **st, struct err *e)
{
	const struct store_options o = {.flags = STORE_READONLY, .busy_ms = 10000};
	char path[512];

	return store_open(st, world_path(w, path, "data/gateway/ledger.db"), &ledger_kind, &o, e);
}

int year_tally(const struct world *w, struct year_tally *t, struct err *e)
{
	struct store *st = NULL;
	struct stmt *q;
	int rc = -1, got;

	*t = (struct year_tally){.rosters = 0};
	if (open_ledger(w, &st, e) < 0 || store_begin(st, e) < 0 || store_prepare(st, &q, "SELECT state, count(*) FROM submission GROUP BY state", e) < 0)
		goto out;
	while ((got = stmt_step(q, e)) == 1) {
		t->rosters += stmt_get_int(q, 1);
		t->settled += stmt_get_int(q, 0) == SUB_FILED ? stmt_get_int(q, 1) : 0;
	}
	if (got < 0 || store_prepare(st, &q, "SELECT cell, sum(count) FROM stat GROUP BY cell", e) < 0)
		goto out;
	while ((got = stmt_step(q, e)) == 1)
		if (stmt_get_int(q, 0) < STAT_COLUMNS)
			t->column[stmt_get_int(q, 0)] = stmt_get_int(q, 1);
	rc = got;
out:
	store_close(st);
	return rc;
}

int year_in_flight_are(const struct world *w, struct planted_list *unheard, struct err *e)
{
	struct store *st = NULL;
	struct stmt *q;
	int got = -1;
	bool all = true;

	planted_sort(unheard);
	if (open_ledger(w, &st, e) == 0 && store_prepare(st, &q, "SELECT pid, facts FROM decl WHERE voided = 0 AND pid IS NOT NULL", e) == 0)
		while (all && (got = stmt_step(q, e)) == 1) {
			enum stat_column c = stat_column_of(state_of((uint32_t)stmt_get_int(q, 1)));
			struct id payment;

			if (c != SC_IN_FLIGHT && c != SC_IN_DOUBT)
				continue;
			memcpy(payment.b, stmt_get_blob(q, 0).p, ID_LEN);
			all = planted_unheard_of(unheard, &payment);
		}
	store_close(st);
	return got < 0 ? -1 : all;
}

bool year_payment_of(const struct world *w, const struct district_row *r, struct id *payment, struct err *e)
{
	struct store *st = NULL;
	struct stmt *q;
	bool there = false;

	if (open_ledger(w, &st, e) == 0 &&
	    store_prepare(st, &q, "SELECT d.pid FROM submission s JOIN decl d ON d.no BETWEEN s.first_no AND s.last_no AND d.sub = s.no"
				  " WHERE s.id = ?1 AND d.row_no = ?2 AND d.voided = 0 AND d.pid IS NOT NULL", e) == 0) {
		stmt_blob(q, 1, r->submission.b, ID_LEN);
		stmt_int(q, 2, r->row);
		there = stmt_step(q, e) == 1;
		if (there)
			memcpy(payment->b, stmt_get_blob(q, 0).p, ID_LEN);
	}
	store_close(st);
	return there;
}

/* ---- rows ---- */

static int read_rows(struct comparison *c, struct err *e)
{
	static const char sql[] = "SELECT s.id, d.row_no, d.code, d.final, d.pid, d.amount_fen, d.facts FROM decl d JOIN submission s"
				  " ON s.no = d.sub WHERE d.voided = 0";
	struct store *st = NULL;
	struct stmt *q;
	int rc = -1, got = 0, cap = 0;

	if (open_ledger(&c->y->world, &st, e) < 0 || store_prepare(st, &q, sql, e) < 0)
		goto out;
	while ((got = stmt_step(q, e)) == 1) {
		struct ledger_row *r;

		if (c->row_count == cap) {
			cap = cap ? 2 * cap : 4096;
			r = realloc(c->rows, sizeof *r * (size_t)cap);
			if (!r) {
				err_set(e, ERR_TEMP, "no memory");
				goto out;
			}
			c->rows = r;
		}
		r = &c->rows[c->row_count++];
		*r = (struct ledger_row){.row = (int)stmt_get_int(q, 1), .final = stmt_get_int(q, 3) != 0, .amount_fen = stmt_get_int(q, 5),
					 .facts = (uint32_t)stmt_get_int(q, 6)};
		memcpy(r->submission.b, stmt_get_blob(q, 0).p, ID_LEN);
		(void)str_copy(r->code, sizeof r->code, stmt_get_text(q, 2));
		r->has_payment = stmt_get_blob(q, 4).n == ID_LEN;
		if (r->has_payment)
			memcpy(r->payment.b, stmt_get_blob(q, 4).p, ID_LEN);
	}
	rc = got;
out:
	store_close(st);
	return rc;
}

static int by_row(const void *a, const void *b)
{
	const struct ledger_row *x = a, *y = b;
	int rc = memcmp(x->submission.b, y->submission.b, ID_LEN);

	return rc ? rc : (x->row > y->row) - (x->row < y->row);
}

static int by_payment(const void *a, const void *b)
{
	return memcmp(((const struct ledger_row *)a)->payment.b, ((const struct ledger_row *)b)->payment.b, ID_LEN);
}

static int sort_payments(struct comparison *c, struct err *e)
{
	c->payments = calloc((size_t)c->row_count + 1, sizeof *c->payments);
	if (!c->payments)
		return err_set(e, ERR_TEMP, "no memory");
	for (int i = 0; i < c->row_count; i++)
		if (c->rows[i].has_payment)
			c->payments[c->payment_count++] = c->rows[i];
	qsort(c->payments, (size_t)c->payment_count, sizeof *c->payments, by_payment);
	return 0;
}

static void compare_rows(struct comparison *c)
{
	struct district *d = &c->y->district;
	char hex[ID_HEX];

	district_sort(d);
	qsort(c->rows, (size_t)c->row_count, c->rows ? sizeof *c->rows : 1, by_row);
	if (c->row_count != d->row_count)
		DIFFERS(c, "%d rows were handed in, the ledger has %d\n", d->row_count, c->row_count);
	for (int i = 0; i < d->row_count; i++) {
		const struct district_row *x = &d->rows[i];
		const char *code = x->withdrawn ? "withdrawn" : x->code;
		struct ledger_row key = {.submission = x->submission, .row = x->row};
		struct ledger_row *r = c->rows ? bsearch(&key, c->rows, (size_t)c->row_count, sizeof key, by_row) : NULL;

		if (r)
			r->unheard_of = x->kind == K_TAX_BAD_ROW && r->facts & F_FAILED;
		c->unheard_of += r && r->unheard_of;
		if (!r || !r->final || strcmp(r->code, code) != 0)
			DIFFERS(c, "submission %s row %d: expected %s, is %s%s; payment %s\n", id_hex(&x->submission, hex), x->row, code,
				r ? r->code : "not there", r && !r->final ? " (not final)" : "",
				r && r->has_payment ? id_hex(&r->payment, (char[ID_HEX]){0}) : "-");
	}
}

/* ---- books ---- */

static const struct {
	enum state state;
	const char *tax, *ssa; /* NULL: not in that book; ssa "?": may be, or not */
} stands[] = {
	{ST_REJECTED, NULL, NULL},     {ST_EXPIRED, NULL, NULL},    {ST_WITHDRAWN, NULL, NULL},
	{ST_FAILED, "refused", NULL},  {ST_REFUNDED, "refunded", "debited"}, {ST_CREDITED, "in_treasury", "credited"},
	{ST_CREDIT_REFUSED, "in_treasury", "credit_refused"},
};

static void compare_payment(struct comparison *c, const struct ledger_row *r, const char *book, const struct agency_entry *entry,
			    const char *status)
{
	char hex[ID_HEX];

	if (!entry && !status)
		return;
	id_hex(&r->payment, hex);
	if (!entry || !status || strcmp(entry->status, status) != 0)
		DIFFERS(c, "payment %s: %s says %s, the ledger %s\n", hex, book, entry ? entry->status : "nothing",
			state_code(state_of(r->facts)));
	else if (entry->amount_fen != r->amount_fen)
		DIFFERS(c, "payment %s: %s has %" PRId64 " fen, the ledger %" PRId64 "\n", hex, book, entry->amount_fen, r->amount_fen);
}

/* An account from which a refused or refunded amount was never credited has nothing to be debited. */
static const char *ssa_of(const struct ledger_row *r, const char *status)
{
	if (!(r->facts & F_REFUNDED))
		return status;
	return r->facts & F_DEBIT_REFUSED ? "debit_refused" : r->facts & F_FED_BACK ? status : NULL;
}

static void compare_ours(struct comparison *c)
{
	char hex[ID_HEX];

	for (int i = 0; i < c->payment_count; i++) {
		const struct ledger_row *r = &c->payments[i];
		size_t s = 0;

		while (s < sizeof stands / sizeof stands[0] && stands[s].state != state_of(r->facts))
			s++;
		if (s == sizeof stands / sizeof stands[0]) {
			DIFFERS(c, "payment %s: still %s\n", id_hex(&r->payment, hex), state_code(state_of(r->facts)));
			continue;
		}
		compare_payment(c, r, "the bureau", agency_book_find(&c->tax, &r->payment), r->unheard_of ? NULL : stands[s].tax);
		compare_payment(c, r, "the SSA", agency_book_find(&c->ssa, &r->payment), ssa_of(r, stands[s].ssa));
		c->y->figures.payments += stands[s].tax != NULL;
	}
}

static void compare_theirs(struct comparison *c, const struct agency_book *b, const char *name, bool once)
{
	char hex[ID_HEX];

	for (int i = 0; i < b->count; i++) {
		const struct agency_entry *x = &b->entries[i];
		struct ledger_row key = {.payment = x->payment};

		id_hex(&x->payment, hex);
		if (once ? x->copies != 1 : x->copies > 1)
			DIFFERS(c, "payment %s is in the book of %s %d times\n", hex, name, x->copies);
		if (!bsearch(&key, c->payments, (size_t)c->payment_count, sizeof key, by_payment))
			DIFFERS(c, "payment %s: %s has it, the ledger does not\n", hex, name);
	}
}

static int compare_statement(struct comparison *c, struct err *e)
{
	struct statement_read s;

	if (statement_read(&s, &c->y->world, e) < 0)
		return -1;
	if (!s.adds_up || statement_total(&s, "declared").count != c->y->district.row_count)
		DIFFERS(c, "qiao statement: exit %d, adds up: %d, %" PRId64 " rows declared of %d\n", s.status, s.adds_up,
			statement_total(&s, "declared").count, c->y->district.row_count);
	statement_free(&s);
	return 0;
}

int year_compare(struct year *y, FILE *out, struct err *e)
{
	struct comparison c = {.y = y, .out = out};
	int rc = -1;

	y->figures.payments = 0;
	if (read_rows(&c, e) < 0 || agency_book_read(&c.tax, &y->world, SIM_TAX, e) < 0 ||
	    agency_book_read(&c.ssa, &y->world, SIM_SSA, e) < 0 || compare_statement(&c, e) < 0)
		goto out;
	compare_rows(&c);
	if (sort_payments(&c, e) < 0)
		goto out;
	if (planted_other_rejects(&y->world) != c.unheard_of)
		DIFFERS(&c, "%d events were rejected, %d had to be\n", planted_other_rejects(&y->world), c.unheard_of);
	compare_ours(&c);
	compare_theirs(&c, &c.tax, "the bureau", true);
	compare_theirs(&c, &c.ssa, "the SSA", false);
	rc = c.differences;
out:
	agency_book_free(&c.tax);
	agency_book_free(&c.ssa);
	free(c.rows);
	free(c.payments);
	return rc;
}
