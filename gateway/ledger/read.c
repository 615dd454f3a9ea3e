/* Read-only questions to the ledger. */
#include "ledger/read.h"
#include "base/fs.h"
#include "ledger/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ledger_view {
	struct store *st;
	struct stmt *filed_under, *on_file, *use, *word; /* asked for once a case */
};

int view_open(struct ledger_view **out, const char *path, struct err *e)
{
	struct ledger_view *v = calloc(1, sizeof(*v));
	struct store_options o = {.flags = STORE_READONLY, .busy_ms = 10000, .cache_kib = 8192};
	if (!v)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	if (!fs_exists(path)) {
		free(v);
		return err_set(e, ERR_CONF, "ledger: not there; a new installation is made with: qiao init");
	}
	if (store_open(&v->st, path, &ledger_kind, &o, e) != 0) {
		free(v);
		return -1;
	}
	if (store_exec(v->st, "BEGIN", e) != 0) {
		view_close(v);
		return -1;
	}
	*out = v;
	return 0;
}

struct store *view_store(struct ledger_view *v)
{
	return v->st;
}

void view_close(struct ledger_view *v)
{
	if (v)
		store_close(v->st);
	free(v);
}

static void key_read(struct stat *s, struct stmt *q)
{
	memset(s, 0, sizeof(*s));
	s->key.year = (int32_t)stmt_get_int(q, 0);
	(void)str_copy(s->key.village, sizeof(s->key.village), stmt_get_text(q, 1));
	s->key.sponsor_type = (int32_t)stmt_get_int(q, 2);
}

int view_stats(struct ledger_view *v, int year, struct str village, int (*fn)(void *arg, const struct stat *s), void *arg,
	       struct err *e)
{
	struct stmt *q;
	struct stat s = {.key.year = -1}, next;
	int got;
	if (store_prepare(v->st, &q,
			  "SELECT year, village, sponsor_type, cell, count, fen FROM stat WHERE (?1 = 0 OR year = ?1) AND"
			  " (?2 IS NULL OR village = ?2) ORDER BY year, village, sponsor_type, cell",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	while ((got = stmt_step(q, e)) == 1) {
		key_read(&next, q);
		if (s.key.year != next.key.year || s.key.sponsor_type != next.key.sponsor_type ||
		    strcmp(s.key.village, next.key.village) != 0) {
			if (s.key.year >= 0 && fn(arg, &s) != 0)
				break;
			s = next;
		}
		int64_t cell = stmt_get_int(q, 3);
		if (cell >= 0 && cell < STAT_CELLS) {
			s.count[cell] = stmt_get_int(q, 4);
			s.fen[cell] = stmt_get_int(q, 5);
		}
	}
	stmt_reset(q);
	if (got < 0)
		return -1;
	return s.key.year >= 0 ? fn(arg, &s) : 0;
}

int view_recount(struct ledger_view *v, int year, struct str village, int (*fn)(void *arg, const struct stat *s), void *arg,
		 struct err *e)
{
	struct stmt *q;
	int got;
	if (store_prepare(v->st, &q,
			  "SELECT s.year, s.village, d.sponsor_type, d.facts, d.amount_fen IS NOT NULL, count(*),"
			  " sum(coalesce(d.amount_fen, 0)) FROM decl d JOIN submission s ON s.no = d.sub"
			  " WHERE d.voided = 0 AND d.repeat = 0 AND (?1 = 0 OR s.year = ?1) AND (?2 IS NULL OR s.village = ?2)"
			  " GROUP BY 1, 2, 3, 4, 5",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	while ((got = stmt_step(q, e)) == 1) {
		struct stat s;
		struct decl d = {.facts = (uint32_t)stmt_get_int(q, 3), .amount_known = stmt_get_int(q, 4)};
		int64_t count = stmt_get_int(q, 5), fen = stmt_get_int(q, 6);
		int cells[] = {stats_column(&d), ST_DECLARED_TOTAL, stats_collected(d.facts) ? ST_COLLECTED_TOTAL : -1,
			       stats_kept(d.facts) ? ST_KEPT_TOTAL : -1};
		key_read(&s, q);
		for (int i = 0; i < 4; i++)
			if (cells[i] >= 0) {
				s.count[cells[i]] = count;
				s.fen[cells[i]] = fen;
			}
		if (fn(arg, &s) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

static int64_t how_many(struct ledger_view *v, const char *sql)
{
	struct stmt *q;
	if (store_prepare(v->st, &q, sql, NULL) != 0 || stmt_step(q, NULL) != 1)
		return -1;
	int64_t n = stmt_get_int(q, 0);
	stmt_reset(q);
	return n;
}

int64_t view_unfinished(struct ledger_view *v, int year, struct err *e)
{
	struct stmt *q;
	if (store_prepare(v->st, &q,
			  "SELECT (SELECT count(*) FROM decl d JOIN submission s ON s.no = d.sub WHERE s.year = ?1 AND d.voided = 0 AND"
			  " d.final = 0) + (SELECT count(*) FROM adopted_payment WHERE year = ?1 AND decl = 0 AND attempt > 0)",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	int64_t n = stmt_step(q, e) == 1 ? stmt_get_int(q, 0) : -1;
	stmt_reset(q);
	return n;
}

int64_t view_differences(struct ledger_view *v)
{
	return how_many(v, "SELECT count(*) FROM difference WHERE state < 2 AND NOT (kind = '" UNCLAIMED "' AND EXISTS (SELECT 1 FROM adopted_payment a"
			" WHERE lower(hex(a.pid)) = detail AND a.decl <> 0))");
}

int64_t view_strangers(struct ledger_view *v)
{
	return how_many(v, "SELECT count(DISTINCT pid) FROM early e WHERE NOT EXISTS (SELECT 1 FROM decl d WHERE d.pid = e.pid)"
			" AND NOT EXISTS (SELECT 1 FROM adopted_payment a WHERE a.pid = e.pid AND a.attempt > 0)");
}

int view_adopted_sum(struct ledger_view *v, int year, struct str village, struct view_adopted *out, struct err *e)
{
	struct stmt *q;
	if (store_prepare(v->st, &q,
			  "SELECT count(*), coalesce(sum(amount_fen), 0), EXISTS (SELECT 1 FROM meta WHERE key = 'adopt' AND value <> 0)"
			  " FROM adopted_payment WHERE decl = 0 AND attempt > 0 AND"
			  " (?1 = 0 OR year = ?1) AND (?2 IS NULL OR village = ?2)",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	if (stmt_step(q, e) != 1)
		return -1;
	*out = (struct view_adopted){stmt_get_int(q, 0), stmt_get_int(q, 1), stmt_get_int(q, 2)};
	stmt_reset(q);
	return 0;
}

int view_adopted(struct ledger_view *v, int (*fn)(void *arg, const struct adopted_payment *p), void *arg, struct err *e)
{
	struct adopted_payment p;
	struct stmt *q;
	int got;
	if (store_prepare(v->st, &q,
			  "SELECT " ADOPTED_COLS " FROM adopted_payment WHERE decl = 0 AND attempt > 0 ORDER BY village, instructed_at, pid",
			  e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		adopted_payment_read(&p, q);
		if (fn(arg, &p) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

/* ---- finding declarations ---- */

/* Runs the query (parameters bound) that gives declaration numbers, and shows each to fn. */
static int each_decl(struct ledger_view *v, struct stmt *q, view_fn *fn, void *arg, struct err *e)
{
	struct stmt *by_no, *sub;
	static struct view_decl out;
	int got;
	if (store_prepare(v->st, &by_no, ledger_sql[Q_DECL_BY_NO], e) != 0 ||
	    store_prepare(v->st, &sub, ledger_sql[Q_SUB_BY_NO], e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		memset(&out, 0, sizeof(out));
		stmt_int(by_no, 1, stmt_get_int(q, 0));
		if (stmt_step(by_no, e) != 1)
			continue;
		decl_read(&out.d, by_no);
		stmt_reset(by_no);
		stmt_int(sub, 1, out.d.sub);
		if (stmt_step(sub, e) == 1)
			sub_read(&out.s, sub);
		stmt_reset(sub);
		if (fn(arg, &out) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

/* The ids that begin with these hex digits lie between low and high. */
static int prefix_range(struct str hex, struct id *low, struct id *high)
{
	char text[2 * ID_LEN + 1];
	if (hex.n < 8 || hex.n > 2 * ID_LEN)
		return -1;
	memset(text, '0', 2 * ID_LEN);
	memcpy(text, hex.p, hex.n);
	if (id_parse(low, (struct str){text, 2 * ID_LEN}) != 0)
		return -1;
	memset(text + hex.n, 'f', 2 * ID_LEN - hex.n);
	return id_parse(high, (struct str){text, 2 * ID_LEN});
}

int view_by_prefix(struct ledger_view *v, struct str hex, view_fn *fn, void *arg, struct err *e)
{
	/* The indexed ones first; a person's token and an event's id are looked for only where those give nothing. */
	static const char *const queries[] = {
		"SELECT no FROM decl WHERE pid BETWEEN ?1 AND ?2 ORDER BY no",
		"SELECT d.no FROM submission s JOIN decl d ON d.no BETWEEN s.first_no AND s.last_no AND d.sub = s.no"
		" WHERE s.id BETWEEN ?1 AND ?2 AND d.voided = 0 ORDER BY d.no",
		"SELECT no FROM decl WHERE (token BETWEEN ?1 AND ?2 OR trace BETWEEN ?1 AND ?2) AND voided = 0 ORDER BY no",
		"SELECT DISTINCT decl FROM history WHERE cause BETWEEN ?1 AND ?2 AND decl IS NOT NULL",
	};
	struct id low, high;
	if (prefix_range(hex, &low, &high) != 0)
		return err_set(e, ERR_PERM, "an id is 8 to 32 hex digits");
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct stmt *q, *probe;
		if (store_prepare(v->st, &q, queries[i], e) != 0 || store_prepare(v->st, &probe, queries[i], e) != 0)
			return -1;
		stmt_blob(probe, 1, low.b, ID_LEN);
		stmt_blob(probe, 2, high.b, ID_LEN);
		int got = stmt_step(probe, e);
		stmt_reset(probe);
		if (got < 0)
			return -1;
		if (got == 0)
			continue;
		stmt_blob(q, 1, low.b, ID_LEN);
		stmt_blob(q, 2, high.b, ID_LEN);
		return each_decl(v, q, fn, arg, e);
	}
	return 0;
}

int view_by_token(struct ledger_view *v, const struct id *token, view_fn *fn, void *arg, struct err *e)
{
	struct stmt *q;
	if (store_prepare(v->st, &q, "SELECT no FROM decl WHERE token = ?1 AND voided = 0 ORDER BY no", e) != 0)
		return -1;
	stmt_blob(q, 1, token->b, ID_LEN);
	return each_decl(v, q, fn, arg, e);
}

static int by_submission(struct ledger_view *v, const char *where, struct str value, int row, view_fn *fn, void *arg,
			 struct err *e)
{
	struct stmt *q;
	char sql[400];
	snprintf(sql, sizeof(sql),
		 "SELECT d.no FROM submission s JOIN decl d ON d.no BETWEEN s.first_no AND s.last_no AND d.sub = s.no"
		 " WHERE s.%s = ?1 AND d.voided = 0 AND (?2 = 0 OR d.row_no = ?2) ORDER BY d.no",
		 where);
	if (store_prepare(v->st, &q, sql, e) != 0)
		return -1;
	stmt_text(q, 1, value);
	stmt_int(q, 2, row);
	return each_decl(v, q, fn, arg, e);
}

int view_by_receipt(struct ledger_view *v, const char *ten_digits, int row, view_fn *fn, void *arg, struct err *e)
{
	return by_submission(v, "receipt", str_of(ten_digits), row, fn, arg, e);
}

int view_by_roster(struct ledger_view *v, struct str sha256_hex, int row, view_fn *fn, void *arg, struct err *e)
{
	return by_submission(v, "roster_sha256", sha256_hex, row, fn, arg, e);
}

int view_history(struct ledger_view *v, const struct decl *d, struct view_history *out, int max, int *count, struct err *e)
{
	struct stmt *q;
	int64_t seq = d->last_history;
	*count = 0;
	if (store_prepare(v->st, &q,
			  "SELECT effective_at, recorded_at, fact, implied, cause, note, prev FROM history WHERE seq = ?1", e) != 0)
		return -1;
	while (seq > 0 && *count < max) {
		struct view_history *h = &out[(*count)++];
		memset(h, 0, sizeof(*h));
		stmt_int(q, 1, seq);
		int got = stmt_step(q, e);
		if (got <= 0)
			return got < 0 ? -1 : err_set(e, ERR_SAFE, "ledger: history is broken");
		struct str cause = stmt_get_blob(q, 4), note = stmt_get_text(q, 5);
		*h = (struct view_history){.seq = seq, .effective_at = stmt_get_int(q, 0), .recorded_at = stmt_get_int(q, 1),
					   .fact = (enum fact)stmt_get_int(q, 2), .implied = stmt_get_int(q, 3)};
		if (cause.p && cause.n == ID_LEN)
			memcpy(h->cause.b, cause.p, ID_LEN);
		if (note.p)
			(void)str_copy(h->note, sizeof(h->note), note);
		seq = stmt_get_int(q, 6);
		stmt_reset(q);
	}
	for (int i = 0; i < *count / 2; i++) {
		struct view_history swap = out[i];
		out[i] = out[*count - 1 - i];
		out[*count - 1 - i] = swap;
	}
	return 0;
}

/* ---- cases ---- */

static void read_id(struct id *out, struct str s)
{
	memset(out, 0, sizeof(*out));
	if (s.p && s.n == ID_LEN)
		memcpy(out->b, s.p, ID_LEN);
}

int view_cases(struct ledger_view *v, int year, struct str village, int (*fn)(void *arg, const struct view_case *c), void *arg,
	       struct err *e)
{
	struct stmt *q;
	int got;
	if (store_prepare(v->st, &q,
			  "SELECT s.id, s.receipt, s.village, s.year, s.state, s.code, s.detail, s.rows, s.amount_fen, s.received_at,"
			  " c.event, u.document, (SELECT f.receipt FROM annex a JOIN submission f ON f.no = a.first WHERE a.sub = s.no)"
			  " FROM submission s LEFT JOIN cover c ON c.submission = s.id LEFT JOIN filed_under u ON u.sub = s.no"
			  " WHERE (?1 = 0 OR s.year = ?1) AND (?2 IS NULL OR s.village = ?2) ORDER BY s.year, s.village, s.no",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	if (village.p)
		stmt_text(q, 2, village);
	else
		stmt_null(q, 2);
	while ((got = stmt_step(q, e)) == 1) {
		struct view_case c = {.year = (int)stmt_get_int(q, 3), .state = (enum sub_state)stmt_get_int(q, 4),
				      .rows = stmt_get_int(q, 7), .fen = stmt_get_int(q, 8), .received_at = stmt_get_int(q, 9),
				      .receipt = stmt_get_text(q, 1), .village = stmt_get_text(q, 2), .code = stmt_get_text(q, 5),
				      .detail = stmt_get_text(q, 6), .cover = stmt_get_blob(q, 10),
				      .filed_under = !stmt_is_null(q, 11), .annex_to = stmt_get_text(q, 12)};
		read_id(&c.id, stmt_get_blob(q, 0));
		read_id(&c.plan, stmt_get_blob(q, 11));
		if (fn(arg, &c) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

static int once(struct ledger_view *v, struct stmt **q, const char *sql, struct err *e)
{
	return *q ? 0 : store_prepare(v->st, q, sql, e);
}

int view_plan(struct ledger_view *v, const struct view_case *c, const struct id *sponsor, struct view_plan *out, struct err *e)
{
	out->heads = out->fen = 0;
	buf_reset(&out->event);
	if (once(v, &v->filed_under, "SELECT event FROM plan WHERE document = ?1", e) != 0 ||
	    once(v, &v->on_file,
		 "SELECT event FROM plan p WHERE village = ?2 AND sponsor = ?3 AND first_year <= ?4 AND last_year >= ?4 AND NOT EXISTS"
		 " (SELECT 1 FROM plan n WHERE n.village = ?2 AND n.sponsor = ?3 AND n.first_year = p.first_year AND"
		 " (n.received_at, n.document) > (p.received_at, p.document)) ORDER BY first_year DESC LIMIT 1",
		 e) != 0 ||
	    once(v, &v->use, "SELECT heads, fen FROM plan_use WHERE year = ?1 AND sponsor = ?2 AND village = ?3", e) != 0)
		return -1;
	struct stmt *q = c->filed_under ? v->filed_under : v->on_file;
	if (c->filed_under) {
		stmt_blob(q, 1, c->plan.b, ID_LEN);
	} else {
		stmt_text(q, 2, c->village);
		stmt_blob(q, 3, sponsor->b, ID_LEN);
		stmt_int(q, 4, c->year);
	}
	int got = stmt_step(q, e);
	struct str event = got == 1 ? stmt_get_blob(q, 0) : (struct str){0};
	if (got < 0 || (got == 1 && buf_put(&out->event, event.p, event.n) != 0))
		return got < 0 ? -1 : err_set(e, ERR_TEMP, "ledger: out of memory");
	stmt_reset(q);
	q = v->use;
	stmt_int(q, 1, c->year);
	stmt_blob(q, 2, sponsor->b, ID_LEN);
	stmt_text(q, 3, c->village);
	got = stmt_step(q, e);
	if (got == 1) {
		out->heads = stmt_get_int(q, 0);
		out->fen = stmt_get_int(q, 1);
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int view_supervision(struct ledger_view *v, const struct id *subject, int (*fn)(void *arg, const struct supervision *s), void *arg,
		     struct err *e)
{
	int got;
	if (once(v, &v->word, "SELECT source, date, result, passed_by, document, note FROM supervision WHERE subject = ?1 ORDER BY date",
		 e) != 0)
		return -1;
	struct stmt *q = v->word;
	stmt_blob(q, 1, subject->b, ID_LEN);
	while ((got = stmt_step(q, e)) == 1) {
		struct supervision s = {.subject = *subject, .date = (int32_t)stmt_get_int(q, 1), .result = stmt_get_text(q, 2),
					.passed_by = stmt_get_text(q, 3), .document = stmt_get_text(q, 4), .note = stmt_get_text(q, 5)};
		read_id(&s.source, stmt_get_blob(q, 0));
		if (fn(arg, &s) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}
