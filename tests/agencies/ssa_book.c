/* The agency's book: postings to accounts, only ever added, with their feed; the changes of
 * persons' records that were told; the newest statistics. */
#include "tests/agencies/ssa.h"
#include "base/date.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSTING_COLUMNS                                                                            \
	"posting, payment_id, kind, version, number, name, year, village, sponsor_type,"           \
	" amount_fen, receipt, paid_at, at, fate"
/* The state of a posting, given ?1: the last that was posted. */
#define STATE "CASE WHEN posting > ?1 THEN 0 ELSE 1 + 2 * kind + (fate > 0) END"
/* That last one. */
#define POSTED "SELECT coalesce(max(last_row), 0) FROM run WHERE kind = 1"

static const char *const steps[] = {
	BOOK_TABLES
	"CREATE TABLE posting(posting INTEGER PRIMARY KEY, payment_id BLOB NOT NULL,"
	" kind INTEGER NOT NULL, version INTEGER NOT NULL, number TEXT NOT NULL,"
	" name TEXT NOT NULL, year INTEGER NOT NULL, village TEXT NOT NULL,"
	" sponsor_type TEXT NOT NULL, amount_fen INTEGER NOT NULL, receipt TEXT NOT NULL,"
	" paid_at INTEGER, at INTEGER NOT NULL, fate INTEGER NOT NULL);"
	"CREATE TABLE change(sequence INTEGER PRIMARY KEY, number TEXT NOT NULL,"
	" at INTEGER NOT NULL);"
	"CREATE TABLE statistic(year INTEGER, village TEXT, sponsor_type TEXT,"
	" version INTEGER NOT NULL, as_of INTEGER NOT NULL, declared_count INTEGER NOT NULL,"
	" declared_fen INTEGER NOT NULL, collected_count INTEGER NOT NULL,"
	" collected_fen INTEGER NOT NULL, kept_count INTEGER NOT NULL, kept_fen INTEGER NOT NULL,"
	" columns TEXT NOT NULL, PRIMARY KEY(year, village, sponsor_type)) WITHOUT ROWID;",
};
static const struct store_kind book_kind = {"social-security agency's book", 0x51425353, steps, 1};
static const char *const words[SSA_STATES] = {"pending", "credited", "credit_refused", "debited",
					      "debit_refused"};
static const char *const reasons[SSA_REASONS] = {
	"account_closed", "account_frozen", "unknown_person", "not_credited", "amount_differs"};
enum { FIRST_CHANGE = 2 }; /* 1 is the sequence of who never changed */

static int load(struct ssa *s, const char *population, const char *refuse_file, struct err *e);
static void prepare(struct ssa *s);
static void index_postings(struct ssa *s);
static void recall_changes(struct ssa *s);
static void change(struct ssa *s, struct person *who, int day);
static void put_totals(struct book *b, struct out *o);
static void put_statistics(struct book *b, struct out *o);
static void put_number(struct out *o, const char *name, int64_t v);
static int64_t posted(struct book *b);

const char *ssa_reason(int64_t fate)
{
	return fate > 0 ? reasons[fate - 1] : NULL;
}

int ssa_reason_of(struct str word, int64_t *fate)
{
	for (int i = 0; i < SSA_REASONS; i++)
		if (str_is(word, reasons[i])) {
			*fate = i + 1;
			return 0;
		}
	return -1;
}

int ssa_open(struct ssa *s, const char *file, const char *clock, const char *population,
	     const char *refuse_file, struct err *e)
{
	if (load(s, population, refuse_file, e) < 0 ||
	    book_open(&s->book, file, clock, &book_kind, e) < 0)
		return -1;
	prepare(s);
	index_postings(s);
	recall_changes(s);
	return 0;
}

void ssa_close(struct ssa *s)
{
	book_close(&s->book);
	population_fini(&s->population);
	refusals_fini(&s->refusals);
	idindex_fini(&s->index);
	free(s->rows);
}

void ssa_insert(struct ssa *s, const struct posting *p)
{
	struct stmt *st = s->insert;

	stmt_int(st, 1, p->row);
	stmt_blob(st, 2, p->payment_id.b, ID_LEN);
	stmt_int(st, 3, p->kind);
	stmt_int(st, 4, p->version);
	stmt_text(st, 5, p->number);
	stmt_text(st, 6, p->name);
	stmt_int(st, 7, p->year);
	stmt_text(st, 8, p->village);
	stmt_text(st, 9, p->sponsor_type);
	stmt_int(st, 10, p->amount_fen);
	stmt_text(st, 11, p->receipt);
	stmt_int(st, 12, p->paid_at);
	stmt_int(st, 13, p->at);
	stmt_int(st, 14, p->fate);
	book_run(st);
	idindex_add(&s->index, &p->payment_id, p->row);
}

bool ssa_get(struct ssa *s, int64_t row, struct posting *p)
{
	struct stmt *st = s->get;

	stmt_int(st, 1, row);
	if (!book_step(st))
		return false;
	*p = (struct posting){.row = row,
			      .kind = stmt_get_int(st, 1),
			      .version = stmt_get_int(st, 2),
			      .number = stmt_get_text(st, 3),
			      .amount_fen = stmt_get_int(st, 4),
			      .fate = stmt_get_int(st, 5)};
	memcpy(p->payment_id.b, stmt_get_blob(st, 0).p, ID_LEN);
	return true;
}

/* Runs before every answer about people, so that an as_of never passes a day whose changes are
 * not in the feed. After a jump of the clock each change still carries its own day. */
void ssa_learn(struct ssa *s)
{
	const struct population *p = &s->population;
	int today;

	s->now = book_now(&s->book);
	today = date_of_time(s->now);
	if (today <= s->known_day)
		return;
	for (; s->next_dated < p->dated_count; s->next_dated++) {
		const struct line *l = &p->lines[p->dated[s->next_dated]];

		if (l->known_from > today)
			break;
		if (l->known_from > s->known_day)
			change(s, &p->persons[l->person], l->known_from);
	}
	book_count(&s->book, "known_day", today - s->known_day);
	s->known_day = today;
}

int ssa_planted(const char *file, struct err *e)
{
	return odd_dump(file, &book_kind, e);
}

int ssa_report(const char *file, struct err *e)
{
	struct book b;
	struct out o;
	struct stmt *st;

	if (book_open_readonly(&b, file, &book_kind, e) < 0)
		return -1;
	out_init(&o, 1 << 20);
	/* Credited twice: more credits than debits allow for. */
	st = book_prepare(&b, "SELECT coalesce(sum(n), 0), count(*), coalesce(sum(net > 1), 0), "
			      "coalesce(sum(fen), 0) FROM"
			      " (SELECT count(*) AS n, sum((fate = 0) * (1 - 2 * kind)) AS net,"
			      " sum((fate = 0) * (1 - 2 * kind) * amount_fen) AS fen FROM posting "
			      "GROUP BY payment_id)");
	book_step(st);
	out_lit(&o, "{");
	put_number(&o, "postings", stmt_get_int(st, 0));
	put_number(&o, "distinct_payment_ids", stmt_get_int(st, 1));
	put_number(&o, "credited_twice", stmt_get_int(st, 2));
	put_number(&o, "net_fen", stmt_get_int(st, 3));
	put_totals(&b, &o);
	put_statistics(&b, &o);
	put_number(&o, "differing_repeats", book_counter(&b, "differing_repeats"));
	book_put_counters(&b, &o);
	out_lit(&o, "}\n");
	fwrite(o.b.data, 1, o.b.len, stdout);
	out_fini(&o);
	book_close(&b);
	return fflush(stdout) == 0 ? 0 : err_set(e, ERR_TEMP, "stdout: write failed");
}

int ssa_dump(const char *file, struct err *e)
{
	struct book b;
	struct stmt *st;
	char hex[ID_HEX];

	if (book_open_readonly(&b, file, &book_kind, e) < 0)
		return -1;
	/* The last posting of each payment tells its state; copies are the credits. */
	st = book_prepare(
		&b, "SELECT payment_id, number, year, amount_fen, " STATE " AS state, receipt,"
		    " sum(kind = 0 AND fate = 0), max(posting) FROM posting GROUP BY payment_id"
		    " ORDER BY max(posting)");
	stmt_int(st, 1, posted(&b));
	puts("payment_id,number,year,amount_fen,status,receipt,copies");
	while (book_step(st)) {
		struct str number = stmt_get_text(st, 1), receipt = stmt_get_text(st, 5);
		struct id id;

		memcpy(id.b, stmt_get_blob(st, 0).p, ID_LEN);
		printf("%s,%.*s,%" PRId64 ",%" PRId64 ",%s,%.*s,%" PRId64 "\n", id_hex(&id, hex),
		       (int)number.n, number.p, stmt_get_int(st, 2), stmt_get_int(st, 3),
		       words[stmt_get_int(st, 4)], (int)receipt.n, receipt.p, stmt_get_int(st, 6));
	}
	book_close(&b);
	return fflush(stdout) == 0 ? 0 : err_set(e, ERR_TEMP, "stdout: write failed");
}

static int load(struct ssa *s, const char *population, const char *refuse_file, struct err *e)
{
	int64_t fate;

	s->rows = calloc(ROWS_MAX, sizeof *s->rows);
	if (!s->rows)
		return err_set(e, ERR_TEMP, "no memory");
	if (population_load(&s->population, population, e) < 0 ||
	    refusals_load(&s->refusals, refuse_file, e) < 0)
		return -1;
	for (size_t i = 0; i < s->refusals.count; i++)
		if (ssa_reason_of(s->refusals.at[i].reason, &fate) < 0)
			return err_set(e, ERR_CONF, "%s: unknown reason", refuse_file);
	return 0;
}

static void prepare(struct ssa *s)
{
	s->insert = book_prepare(&s->book, "INSERT INTO posting(" POSTING_COLUMNS
					   ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	s->get = book_prepare(
		&s->book, "SELECT payment_id, kind, version, number, amount_fen, fate FROM posting"
			  " WHERE posting = ?");
	s->range = book_prepare(&s->book,
				"SELECT posting, payment_id, kind, amount_fen, fate FROM posting"
				" WHERE posting BETWEEN ? AND ?");
	s->account = book_prepare(&s->book, "SELECT payment_id, kind, number, amount_fen, fate, year, receipt FROM posting"
					    " WHERE posting = ?");
	s->changed = book_prepare(&s->book, "INSERT INTO change VALUES(?,?,?)");
	s->changes = book_prepare(
		&s->book,
		"SELECT sequence, number, at FROM change WHERE sequence > ? ORDER BY sequence");
	s->statistic = book_prepare(
		&s->book,
		"INSERT INTO statistic VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"
		" ON CONFLICT(year, village, sponsor_type) DO UPDATE SET"
		" version = excluded.version,"
		" as_of = excluded.as_of, declared_count = excluded.declared_count,"
		" declared_fen = excluded.declared_fen, collected_count = excluded.collected_count,"
		" collected_fen = excluded.collected_fen, kept_count = excluded.kept_count,"
		" kept_fen = excluded.kept_fen, columns = excluded.columns"
		" WHERE excluded.version > statistic.version");
}

/* The index lives in memory only: it is made from the book. */
static void index_postings(struct ssa *s)
{
	struct stmt *all = book_prepare(&s->book, "SELECT posting, payment_id FROM posting");
	struct id id;

	while (book_step(all)) {
		memcpy(id.b, stmt_get_blob(all, 1).p, ID_LEN);
		idindex_add(&s->index, &id, stmt_get_int(all, 0));
	}
}

/* Where the book left off. In a new book everything up to today has always been known: no
 * changes. */
static void recall_changes(struct ssa *s)
{
	struct stmt *all =
		book_prepare(&s->book, "SELECT sequence, number FROM change ORDER BY sequence");
	struct person *who;

	s->known_day = (int)book_counter(&s->book, "known_day");
	if (s->known_day == 0) {
		s->known_day = date_of_time(book_now(&s->book));
		book_count(&s->book, "known_day", s->known_day);
		book_commit(&s->book);
	}
	s->last_change = FIRST_CHANGE - 1;
	while (book_step(all)) {
		s->last_change = stmt_get_int(all, 0);
		who = population_find(&s->population, stmt_get_text(all, 1));
		if (who)
			who->sequence = s->last_change;
	}
}

static void change(struct ssa *s, struct person *who, int day)
{
	book_write(&s->book);
	who->sequence = ++s->last_change;
	stmt_int(s->changed, 1, who->sequence);
	stmt_text(s->changed, 2, who->number);
	stmt_int(s->changed, 3, time_of_date(day));
	book_run(s->changed);
}

static void put_totals(struct book *b, struct out *o)
{
	struct stmt *st =
		book_prepare(b, "SELECT " STATE
				" AS state, count(*), sum(amount_fen) FROM posting GROUP BY state");
	static const char *const names[] = {",\"counts\":{", "},\"amount_fen\":{"};
	int64_t totals[2][SSA_STATES] = {{0}};

	stmt_int(st, 1, posted(b));
	while (book_step(st)) {
		totals[0][stmt_get_int(st, 0)] = stmt_get_int(st, 1);
		totals[1][stmt_get_int(st, 0)] = stmt_get_int(st, 2);
	}
	for (int i = 0; i < 2; i++) {
		out_put(o, names[i], strlen(names[i]));
		for (int state = 0; state < SSA_STATES; state++)
			put_number(o, words[state], totals[i][state]);
	}
	out_lit(o, "}");
}

static void put_statistics(struct book *b, struct out *o)
{
	struct stmt *st = book_prepare(
		b,
		"SELECT count(*), coalesce(sum(declared_count), 0), coalesce(sum(declared_fen), 0),"
		" coalesce(sum(collected_count), 0), coalesce(sum(collected_fen), 0),"
		" coalesce(sum(kept_count), 0), coalesce(sum(kept_fen), 0) FROM statistic");
	static const char *const names[] = {
		"keys",		 "declared_count", "declared_fen", "collected_count",
		"collected_fen", "kept_count",	   "kept_fen"};

	book_step(st);
	out_lit(o, ",\"statistics\":{");
	for (int i = 0; i < 7; i++)
		put_number(o, names[i], stmt_get_int(st, i));
	out_lit(o, "}");
	stmt_reset(st);
}

/* "name":v  with a comma where one is due. */
static void put_number(struct out *o, const char *name, int64_t v)
{
	out_put(o, ",", o->b.len > 0 && o->b.data[o->b.len - 1] != '{');
	out_text(o, str_of(name));
	out_lit(o, ":");
	out_int(o, v);
}

static int64_t posted(struct book *b)
{
	struct stmt *st = book_prepare(b, POSTED);
	int64_t row;

	book_step(st);
	row = stmt_get_int(st, 0);
	stmt_reset(st);
	return row;
}
