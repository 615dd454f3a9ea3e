/* The tax bureau's book. Entries are only ever added: what happens to them later are runs of the
 * feed, and an entry's state follows from how far those have come. */
#include "tests/agencies/tax.h"
#include "base/date.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_COLUMNS                                                                              \
	"entry, payment_id, cert_kind, number, name, payer_type, payer_code, village, year,"       \
	" amount_fen, receipt, fate"
/* The state of an entry, given how far each kind of fact has come: ?1 paid, ?2 in the treasury,
 * ?3 refunded, ?4 reversals carried out. */
#define STATE                                                                                      \
	"CASE WHEN fate >= 2 THEN 4 WHEN EXISTS (SELECT 1 FROM reversal AS r"                      \
	" WHERE r.entry = entry.entry AND r.fate = 0 AND r.no <= ?4) THEN 3 WHEN fate = 1 AND entry <= ?3 THEN 3 WHEN entry <= ?2 THEN 2 " \
	"WHEN entry <= ?1 THEN 1 ELSE 0 END"

static const char *const steps[] = {
	BOOK_TABLES
	"CREATE TABLE entry(entry INTEGER PRIMARY KEY, payment_id BLOB NOT NULL,"
	" cert_kind TEXT NOT NULL, number TEXT NOT NULL, name TEXT NOT NULL,"
	" payer_type TEXT NOT NULL, payer_code TEXT, village TEXT NOT NULL, year INTEGER NOT NULL,"
	" amount_fen INTEGER NOT NULL, receipt INTEGER NOT NULL, fate INTEGER NOT NULL);",
	"CREATE TABLE reversal(no INTEGER PRIMARY KEY, reversal_id BLOB NOT NULL,"
	" payment_id BLOB NOT NULL, receipt TEXT NOT NULL, reason TEXT NOT NULL,"
	" amount_fen INTEGER NOT NULL, entry INTEGER NOT NULL, fate INTEGER NOT NULL);"
	"CREATE INDEX reversal_entry ON reversal(entry);",
};
static const struct store_kind book_kind = {"tax bureau's book", 0x51425458, steps, 2};
static const char *const words[TAX_STATES] = {"accepted", "paid", "in_treasury", "refunded",
					      "refused"};
static const char *const reasons[] = {"unknown_account", "name_mismatch", "payer_unknown",
				      "refused", "bad_row"};
enum { REASONS = sizeof reasons / sizeof reasons[0] };

static void bind_upto(struct book *b, struct stmt *st);
static void put_totals(struct book *b, struct out *o);
static int print_out(struct out *o, struct err *e);

const char *tax_state_word(enum tax_state s)
{
	return words[s];
}

const char *tax_reason(int64_t fate)
{
	return fate < FATE_REFUSED ? NULL : reasons[fate - FATE_REFUSED];
}

int tax_reason_of(struct str word, int64_t *fate)
{
	if (str_is(word, "refunded")) { /* no refusal: paid, and paid back later */
		*fate = FATE_REFUNDED;
		return 0;
	}
	if (str_is(word, "no_refund")) { /* paid, and a reversal is refused */
		*fate = FATE_PAID;
		return 0;
	}
	for (int i = 0; i < REASONS; i++)
		if (str_is(word, reasons[i])) {
			*fate = FATE_REFUSED + i;
			return 0;
		}
	return -1;
}

int tax_open(struct tax *t, const char *file, const char *clock, const char *refuse_file,
	     struct err *e)
{
	struct stmt *all;
	struct id id;
	int64_t fate;

	t->rows = calloc(ROWS_MAX, sizeof *t->rows);
	t->undo = calloc(ROWS_MAX, sizeof *t->undo);
	if (!t->rows || !t->undo)
		return err_set(e, ERR_TEMP, "no memory");
	if (refusals_load(&t->refusals, refuse_file, e) < 0)
		return -1;
	if (t->options.treasury_from && date_parse(str_of(t->options.treasury_from), &t->treasury_day) < 0)
		return err_set(e, ERR_CONF, "treasury-from: %s: no day", t->options.treasury_from);
	t->refunds = t->options.refund_permille > 0;
	for (size_t i = 0; i < t->refusals.count; i++) {
		if (tax_reason_of(t->refusals.at[i].reason, &fate) < 0)
			return err_set(e, ERR_CONF, "%s: unknown reason", refuse_file);
		t->refunds |= fate == FATE_REFUNDED;
	}
	if (book_open(&t->book, file, clock, &book_kind, e) < 0)
		return -1;
	t->insert = book_prepare(&t->book, "INSERT INTO entry(" ENTRY_COLUMNS
					   ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?)");
	t->get = book_prepare(&t->book, "SELECT " ENTRY_COLUMNS " FROM entry WHERE entry = ?");
	t->range = book_prepare(&t->book,
				"SELECT entry, payment_id, amount_fen, receipt, fate FROM entry"
				" WHERE entry BETWEEN ? AND ?");
	all = book_prepare(&t->book, "SELECT entry, payment_id FROM entry");
	while (book_step(all)) {
		memcpy(id.b, stmt_get_blob(all, 1).p, ID_LEN);
		idindex_add(&t->index, &id, stmt_get_int(all, 0));
	}
	tax_reversals_open(t);
	return 0;
}

void tax_close(struct tax *t)
{
	book_close(&t->book);
	idindex_fini(&t->index);
	refusals_fini(&t->refusals);
	idindex_fini(&t->reversals);
	free(t->rows);
	free(t->undo);
}

int64_t tax_entries(const struct tax *t)
{
	return t->book.feed.of[KIND_DECLARED].upto;
}

void tax_insert(struct tax *t, const struct payment *p)
{
	struct stmt *st = t->insert;

	stmt_int(st, 1, p->entry);
	stmt_blob(st, 2, p->id.b, ID_LEN);
	stmt_text(st, 3, p->cert_kind);
	stmt_text(st, 4, p->number);
	stmt_text(st, 5, p->name);
	stmt_text(st, 6, p->payer_type);
	stmt_text(st, 7, p->payer_code);
	stmt_text(st, 8, p->village);
	stmt_int(st, 9, p->year);
	stmt_int(st, 10, p->amount_fen);
	stmt_int(st, 11, p->receipt);
	stmt_int(st, 12, p->fate);
	book_run(st);
	idindex_add(&t->index, &p->id, p->entry);
}

bool tax_get(struct tax *t, int64_t entry, struct payment *p)
{
	struct stmt *st = t->get;

	stmt_int(st, 1, entry);
	if (!book_step(st))
		return false;
	*p = (struct payment){.entry = entry,
			      .cert_kind = stmt_get_text(st, 2),
			      .number = stmt_get_text(st, 3),
			      .name = stmt_get_text(st, 4),
			      .payer_type = stmt_get_text(st, 5),
			      .payer_code = stmt_get_text(st, 6),
			      .village = stmt_get_text(st, 7),
			      .year = stmt_get_int(st, 8),
			      .amount_fen = stmt_get_int(st, 9),
			      .receipt = stmt_get_int(st, 10),
			      .fate = stmt_get_int(st, 11)};
	memcpy(p->id.b, stmt_get_blob(st, 1).p, ID_LEN);
	return true;
}

/* All entries with that id are looked at, since without keys there may be several, the newer ones
 * perhaps without their effect yet. */
int64_t tax_find(struct tax *t, const struct id *id, int64_t delay_ms, int64_t window_ms)
{
	int64_t real = book_real(&t->book), entry, newest = 0;
	struct payment p;
	size_t probe = 0;

	while ((entry = idindex_next(&t->index, id, &probe)) != 0) {
		const struct run *r = feed_find(&t->book.feed, KIND_DECLARED, entry);

		if (entry <= newest || !r || r->ready_ms + delay_ms > real ||
		    (window_ms > 0 && r->ready_ms + window_ms < real))
			continue;
		if (tax_get(t, entry, &p) && id_eq(&p.id, id))
			newest = entry;
		stmt_reset(t->get);
	}
	return newest;
}

/* The furthest stage whose runs cover the entry. */
enum tax_state tax_state_of(struct tax *t, int64_t entry, int64_t fate, const struct run **run,
			    int64_t *row, struct id *by)
{
	static const enum tax_kind stages[] = {KIND_REFUNDED, KIND_TREASURY, KIND_PAID};
	static const struct id none;

	*by = none;
	*row = tax_reversal_of(t, entry, true, by);
	if (*row > 0) {
		*run = feed_find(&t->book.feed, KIND_REVERSAL_DONE, *row);
		return TAX_REFUNDED;
	}
	*row = entry;
	for (int i = 0; i < 3 && fate < FATE_REFUSED; i++) {
		if (stages[i] == KIND_REFUNDED && fate != FATE_REFUNDED)
			continue;
		*run = feed_find(&t->book.feed, stages[i], entry);
		if (*run)
			return (enum tax_state)stages[i]; /* the words are in the same order */
	}
	*run = feed_find(&t->book.feed, KIND_DECLARED, entry);
	return fate >= FATE_REFUSED ? TAX_REFUSED : TAX_ACCEPTED;
}

/* Called when somebody looks, not by a timer: an agency that nobody asks costs nothing, and what is
 * due comes with its due time. Three stages may pass in one look. */
void tax_mature(struct tax *t)
{
	book_mature(&t->book, KIND_DECLARED, KIND_PAID, t->options.settle_ms);
	if (date_of_time(book_now(&t->book)) >= t->treasury_day)
		book_mature(&t->book, KIND_PAID, KIND_TREASURY, t->options.settle_ms);
	if (t->refunds)
		book_mature(&t->book, KIND_TREASURY, KIND_REFUNDED, t->options.refund_ms);
	book_mature(&t->book, KIND_REVERSED, KIND_REVERSAL_DONE, t->options.refund_ms);
}

void tax_put_receipt(struct out *o, int64_t receipt)
{
	char text[20];
	int digits = 18 + (int)(receipt % 3);

	/* The entry's number in digits 5 to 18 makes it unique; what follows makes some longer. */
	memcpy(text, "4330", 4);
	for (int i = 17, rest = 0; i >= 4; i--, receipt /= 10) {
		text[i] = (char)('0' + receipt % 10);
		rest += (int)(receipt % 10);
		text[18] = text[19] = (char)('0' + rest % 10);
	}
	out_lit(o, "\"");
	out_put(o, text, (size_t)digits);
	out_lit(o, "\"");
}

int tax_planted(const char *file, struct err *e)
{
	return odd_dump(file, &book_kind, e);
}

int tax_report(const char *file, struct err *e)
{
	struct book b;
	struct out o;
	struct stmt *st;
	int rc;

	if (book_open_readonly(&b, file, &book_kind, e) < 0)
		return -1;
	out_init(&o, 1 << 20);
	/* Twice paid: more than one entry that was not refused, for one payment. */
	st = book_prepare(
		&b,
		"SELECT coalesce(sum(n), 0), count(*), coalesce(sum(good > 1), 0) FROM"
		" (SELECT count(*) AS n, sum(fate < 2) AS good FROM entry GROUP BY payment_id)");
	book_step(st);
	out_lit(&o, "{\"entries\":");
	out_int(&o, stmt_get_int(st, 0));
	out_lit(&o, ",\"distinct_payment_ids\":");
	out_int(&o, stmt_get_int(st, 1));
	out_lit(&o, ",\"paid_twice\":");
	out_int(&o, stmt_get_int(st, 2));
	st = book_prepare(&b, "SELECT count(*), coalesce(sum(fate = 0), 0) FROM reversal");
	book_step(st);
	out_lit(&o, ",\"reversals\":");
	out_int(&o, stmt_get_int(st, 0));
	out_lit(&o, ",\"reversals_taken\":");
	out_int(&o, stmt_get_int(st, 1));
	stmt_reset(st);
	/* Refunded twice: more than one reversal that was taken, for one payment. */
	st = book_prepare(&b, "SELECT count(*) FROM (SELECT entry FROM reversal WHERE fate = 0 GROUP BY entry"
			      " HAVING count(*) > 1)");
	book_step(st);
	out_lit(&o, ",\"refunded_twice\":");
	out_int(&o, stmt_get_int(st, 0));
	stmt_reset(st);
	put_totals(&b, &o);
	book_put_counters(&b, &o);
	out_lit(&o, "}\n");
	rc = print_out(&o, e);
	out_fini(&o);
	book_close(&b);
	return rc;
}

int tax_dump(const char *file, struct err *e)
{
	struct book b;
	struct out o;
	struct stmt *st;
	char hex[ID_HEX];
	int rc;

	if (book_open_readonly(&b, file, &book_kind, e) < 0)
		return -1;
	out_init(&o, 1 << 20);
	out_init(&o, 1 << 10);
	st = book_prepare(&b, "SELECT payment_id, number, year, amount_fen, " STATE
			      " AS state, receipt, count(*),"
			      " min(entry) FROM entry GROUP BY payment_id ORDER BY min(entry)");
	bind_upto(&b, st);
	puts("payment_id,number,year,amount_fen,status,receipt,copies");
	while (book_step(st)) {
		struct id id;
		struct str number = stmt_get_text(st, 1);
		int64_t state = stmt_get_int(st, 4);

		memcpy(id.b, stmt_get_blob(st, 0).p, ID_LEN);
		out_reset(&o);
		if (state != TAX_ACCEPTED && state != TAX_REFUSED)
			tax_put_receipt(&o, stmt_get_int(st, 5));
		printf("%s,%.*s,%" PRId64 ",%" PRId64 ",%s,%.*s,%" PRId64 "\n", id_hex(&id, hex),
		       (int)number.n, number.p, stmt_get_int(st, 2), stmt_get_int(st, 3),
		       words[state], o.b.len ? (int)o.b.len - 2 : 0,
		       o.b.len ? (const char *)o.b.data + 1 : "", stmt_get_int(st, 6));
	}
	out_reset(&o);
	rc = print_out(&o, e);
	out_fini(&o);
	book_close(&b);
	return rc;
}

static void bind_upto(struct book *b, struct stmt *st)
{
	struct stmt *upto =
		book_prepare(b, "SELECT CASE kind WHEN 5 THEN 4 ELSE kind END, max(last_row) FROM run"
			     " WHERE kind IN (1, 2, 3, 5) GROUP BY kind");

	for (int i = 1; i <= 4; i++)
		stmt_int(st, i, 0);
	while (book_step(upto))
		stmt_int(st, (int)stmt_get_int(upto, 0), stmt_get_int(upto, 1));
}

static void put_totals(struct book *b, struct out *o)
{
	struct stmt *st =
		book_prepare(b, "SELECT " STATE
				" AS state, count(*), sum(amount_fen) FROM entry GROUP BY state");
	int64_t totals[2][TAX_STATES] = {{0}};
	static const char *const names[] = {",\"counts\":{", "},\"amount_fen\":{"};

	bind_upto(b, st);
	while (book_step(st)) {
		totals[0][stmt_get_int(st, 0)] = stmt_get_int(st, 1);
		totals[1][stmt_get_int(st, 0)] = stmt_get_int(st, 2);
	}
	for (int i = 0; i < 2; i++) {
		out_put(o, names[i], strlen(names[i]));
		for (int s = 0; s < TAX_STATES; s++) {
			out_put(o, ",", s > 0);
			out_text(o, str_of(words[s]));
			out_lit(o, ":");
			out_int(o, totals[i][s]);
		}
	}
	out_lit(o, "}");
}

static int print_out(struct out *o, struct err *e)
{
	fwrite(o->b.data, 1, o->b.len, stdout);
	return fflush(stdout) == 0 ? 0 : err_set(e, ERR_TEMP, "stdout: write failed");
}
