/* The statistics of a past moment, from their log and, as a proof, counted anew from the history. */
#include "ledger/internal.h"
#include "ledger/read.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- moments ---- */

static int moment_by(struct ledger_view *v, const char *sql, int64_t seq, struct moment *out, struct err *e)
{
	struct stmt *q;
	if (store_prepare(view_store(v), &q, sql, e) != 0)
		return -1;
	stmt_int(q, 1, seq);
	int got = stmt_step(q, e);
	if (got == 1)
		*out = (struct moment){stmt_get_int(q, 0), stmt_get_int(q, 1)};
	stmt_reset(q);
	return got;
}

/* The first moment of the log at or after seq: 1, 0 none. */
static int moment_from(struct ledger_view *v, int64_t seq, struct moment *out, struct err *e)
{
	return moment_by(v, "SELECT seq, at FROM stat_log WHERE seq >= ?1 ORDER BY seq LIMIT 1", seq, out, e);
}

/* The last moment up to seq: 1, 0 none. */
static int moment_until(struct ledger_view *v, int64_t seq, struct moment *out, struct err *e)
{
	return moment_by(v, "SELECT seq, at FROM stat_log WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1", seq, out, e);
}

/* Where the log begins: nothing before it is known. */
static int beginning(struct ledger_view *v, struct moment *out, struct err *e)
{
	*out = (struct moment){0};
	if (one_int(view_store(v), "SELECT value FROM meta WHERE key = 'stat_base'", &out->seq, e) != 0)
		return -1;
	return one_int(view_store(v), "SELECT recorded_at FROM history WHERE seq = (SELECT value FROM meta WHERE key = 'stat_base')",
		       &out->at, e);
}

int view_now(struct ledger_view *v, struct moment *out, struct err *e)
{
	int got = moment_until(v, INT64_MAX, out, e);
	return got < 0 ? -1 : got == 1 ? 0 : beginning(v, out, e);
}

int view_moment_of(struct ledger_view *v, int64_t sequence, struct moment *out, struct err *e)
{
	struct moment first;
	int64_t last;
	if (beginning(v, &first, e) != 0 || one_int(view_store(v), "SELECT max(seq) FROM history", &last, e) != 0)
		return -1;
	if (sequence < first.seq)
		return MOMENT_LOST;
	if (sequence > last)
		return MOMENT_TO_COME;
	int got = moment_until(v, sequence, out, e);
	if (got == 0)
		*out = first;
	return got < 0 ? -1 : MOMENT_KNOWN;
}

int view_moment_at(struct ledger_view *v, int64_t time, struct moment *out, struct err *e)
{
	struct moment low, last, m; /* low: the best so far */
	int got;
	if (beginning(v, &low, e) != 0 || view_now(v, &last, e) != 0)
		return -1;
	if (low.seq > 0 && time < low.at)
		return MOMENT_LOST;
	for (int64_t from = low.seq + 1, to = last.seq; from <= to;) {
		int64_t middle = from + (to - from) / 2;
		if ((got = moment_from(v, middle, &m, e)) < 0)
			return -1;
		if (got == 1 && m.at <= time) {
			low = m;
			from = m.seq + 1;
		} else {
			to = middle - 1;
		}
	}
	*out = low;
	return MOMENT_KNOWN;
}

/* ---- the log ---- */

struct sheet {
	struct stat *keys;
	int count, cap;
};

static int by_key(const void *a, const void *b)
{
	const struct stat_key *x = &((const struct stat *)a)->key, *y = &((const struct stat *)b)->key;
	int c = (x->year > y->year) - (x->year < y->year);
	if (c == 0)
		c = strcmp(x->village, y->village);
	return c ? c : (x->sponsor_type > y->sponsor_type) - (x->sponsor_type < y->sponsor_type);
}

/* The key's entry; the array stays sorted. NULL: out of memory. */
static struct stat *entry(struct sheet *t, const struct stat *like)
{
	int low = 0, high = t->count;
	while (low < high) {
		int middle = low + (high - low) / 2, c = by_key(&t->keys[middle], like);
		if (c == 0)
			return &t->keys[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (t->count == t->cap) {
		int cap = t->cap ? t->cap * 2 : 256;
		struct stat *more = realloc(t->keys, sizeof(*more) * (size_t)cap);
		if (!more)
			return NULL;
		t->keys = more;
		t->cap = cap;
	}
	memmove(&t->keys[low + 1], &t->keys[low], sizeof(*t->keys) * (size_t)(t->count - low));
	t->count++;
	t->keys[low] = (struct stat){.key = like->key};
	return &t->keys[low];
}

static void key_read(struct stat *s, struct stmt *q)
{
	memset(s, 0, sizeof(*s));
	s->key.year = (int32_t)stmt_get_int(q, 0);
	(void)str_copy(s->key.village, sizeof(s->key.village), stmt_get_text(q, 1));
	s->key.sponsor_type = (int32_t)stmt_get_int(q, 2);
}

#define OF_YEAR_AND_VILLAGE "(?1 = 0 OR year = ?1) AND (?2 IS NULL OR village = ?2)"

static int damaged(struct err *e)
{
	return err_set(e, ERR_SAFE, "ledger: the log of the statistics is damaged; restore the last backup");
}

static int read_base(struct ledger_view *v, int year, struct str village, struct sheet *t, struct err *e)
{
	struct stmt *q;
	struct stat key, *s;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT year, village, sponsor_type, cell, count, fen FROM stat_base WHERE " OF_YEAR_AND_VILLAGE, e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	while ((got = stmt_step(q, e)) == 1) {
		int64_t cell = stmt_get_int(q, 3);
		key_read(&key, q);
		if (!(s = entry(t, &key)))
			return err_set(e, ERR_TEMP, "ledger: out of memory");
		if (cell < -1 || cell >= STAT_CELLS)
			return damaged(e);
		if (cell == -1) {
			s->version = stmt_get_int(q, 4);
			continue;
		}
		s->count[cell] = stmt_get_int(q, 4);
		s->fen[cell] = stmt_get_int(q, 5);
	}
	return got;
}

static int read_log(struct ledger_view *v, int64_t seq, int year, struct str village, struct sheet *t, struct err *e)
{
	struct stmt *q;
	struct stat key, *s;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT year, village, sponsor_type, cells FROM stat_log WHERE seq <= ?3 AND " OF_YEAR_AND_VILLAGE
			  " ORDER BY seq",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	stmt_int(q, 3, seq);
	while ((got = stmt_step(q, e)) == 1) {
		key_read(&key, q);
		if (!(s = entry(t, &key)))
			return err_set(e, ERR_TEMP, "ledger: out of memory");
		if (stat_unpack(stmt_get_blob(q, 3), s) != 0)
			return damaged(e);
	}
	return got;
}

int view_stats_at(struct ledger_view *v, int64_t seq, int year, struct str village, int (*fn)(void *arg, const struct stat *s),
		  void *arg, struct err *e)
{
	struct sheet t = {0};
	int rc = -1;
	if (read_base(v, year, village, &t, e) != 0 || read_log(v, seq, year, village, &t, e) != 0)
		goto out;
	for (int i = 0; i < t.count; i++)
		if (fn(arg, &t.keys[i]) != 0)
			break;
	rc = 0;
out:
	free(t.keys);
	return rc;
}

/* ---- the recount ---- */

/* Rows of a submission up to `to`: voided at the moment; or from `from` on, that have their sponsor type only since later. */
struct rows {
	int64_t sub, from, to;
};
struct row_list {
	struct rows *at;
	int count, cap;
};
struct recount {
	uint32_t *facts;        /* by number of the declaration: its facts at the moment */
	int64_t last_decl, seen; /* seen: the highest one declared so far */
	struct row_list voided, untyped;
};
#define REPEATS (UINT32_C(1) << 31) /* beside the facts: was no declaration of its own any more */
_Static_assert(F_ALL < 1 << 30, "facts and marks share a word");

static int add_rows(struct row_list *l, struct rows r, struct err *e)
{
	if (l->count == l->cap) {
		int cap = l->cap ? l->cap * 2 : 64;
		struct rows *more = realloc(l->at, sizeof(*more) * (size_t)cap);
		if (!more)
			return err_set(e, ERR_TEMP, "ledger: out of memory");
		l->at = more;
		l->cap = cap;
	}
	l->at[l->count++] = r;
	return 0;
}

static bool begins(struct str note, const char *word)
{
	size_t n = strlen(word);
	return note.p && note.n >= n && memcmp(note.p, word, n) == 0;
}

static int about_submission(struct recount *r, int64_t sub, struct str note, bool later, struct err *e)
{
	struct rows rows = {.sub = sub, .to = r->seen};
	char text[64];
	if (!later && str_is(note, HISTORY_VOIDED))
		return add_rows(&r->voided, rows, e);
	if (!later || !begins(note, HISTORY_TYPED " "))
		return 0;
	if (str_copy(text, sizeof(text), note) != 0 || sscanf(text, HISTORY_TYPED " %" SCNd64 " %" SCNd64, &rows.from, &rows.to) != 2)
		return damaged(e);
	return add_rows(&r->untyped, rows, e);
}

static int about_row(struct recount *r, int64_t no, uint32_t fact, struct str note)
{
	if (no < 1 || no > r->last_decl || (fact & ~(uint32_t)F_ALL) || fact == 0 || (fact & (fact - 1)))
		return -1;
	if (no > r->seen)
		r->seen = no;
	if (begins(note, HISTORY_CLEARED))
		r->facts[no] &= ~fact;
	else
		r->facts[no] = (r->facts[no] | fact) & ~fact_clears((enum fact)fact);
	if (fact == F_REJECTED && (str_is(note, "already_accepted") || str_is(note, "already_filed")))
		r->facts[no] |= REPEATS;
	return 0;
}

static int read_history(struct ledger_view *v, int64_t seq, struct recount *r, struct err *e)
{
	struct stmt *q;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT seq, decl, sub, fact, note FROM history WHERE seq <= ?1 OR sub IS NOT NULL ORDER BY seq", e) != 0)
		return -1;
	stmt_int(q, 1, seq);
	while ((got = stmt_step(q, e)) == 1) {
		struct str note = stmt_get_text(q, 4);
		bool later = stmt_get_int(q, 0) > seq;
		if (!stmt_is_null(q, 2)) {
			if (about_submission(r, stmt_get_int(q, 2), note, later, e) != 0)
				return -1;
		} else if (!stmt_is_null(q, 1) && about_row(r, stmt_get_int(q, 1), (uint32_t)stmt_get_int(q, 3), note) != 0) {
			return damaged(e);
		}
	}
	return got;
}

static int by_rows(const void *a, const void *b)
{
	const struct rows *x = a, *y = b;
	int c = (x->sub > y->sub) - (x->sub < y->sub);
	return c ? c : (x->to > y->to) - (x->to < y->to);
}

/* Sorted by submission and end; ranges of one submission do not overlap, or all begin at 0. */
static bool among(const struct row_list *l, int64_t sub, int64_t no)
{
	int low = 0, high = l->count;
	struct rows want = {sub, 0, no};
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (by_rows(&l->at[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->count && l->at[low].sub == sub && l->at[low].from <= no;
}

static int count_row(struct recount *r, struct stmt *q, int (*fn)(void *arg, const struct stat *s), void *arg)
{
	struct stat s;
	int64_t no = stmt_get_int(q, 3), sub = stmt_get_int(q, 4);
	if (no > r->last_decl || !r->facts[no] || (r->facts[no] & REPEATS) || among(&r->voided, sub, no))
		return 0;
	uint32_t facts = r->facts[no];
	struct decl d = {.facts = facts, .amount_known = !stmt_is_null(q, 5), .amount_fen = stmt_get_int(q, 5)};
	int cells[] = {stats_column(&d), ST_DECLARED_TOTAL, stats_collected(facts) ? ST_COLLECTED_TOTAL : -1,
		       stats_kept(facts) ? ST_KEPT_TOTAL : -1};
	key_read(&s, q);
	if (!(facts & F_FILED) && among(&r->untyped, sub, no))
		s.key.sponsor_type = -1;
	for (int i = 0; i < 4; i++)
		if (cells[i] >= 0) {
			s.count[cells[i]] = 1;
			s.fen[cells[i]] = d.amount_fen;
		}
	return fn(arg, &s);
}

static int count_rows(struct ledger_view *v, struct recount *r, int year, struct str village,
		      int (*fn)(void *arg, const struct stat *s), void *arg, struct err *e)
{
	struct stmt *q;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT s.year, s.village, d.sponsor_type, d.no, d.sub, d.amount_fen FROM decl d JOIN submission s ON s.no = d.sub"
			  " WHERE (?1 = 0 OR s.year = ?1) AND (?2 IS NULL OR s.village = ?2) ORDER BY d.no",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	while ((got = stmt_step(q, e)) == 1 && count_row(r, q, fn, arg) == 0)
		;
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int view_recount_at(struct ledger_view *v, int64_t seq, int year, struct str village, int (*fn)(void *arg, const struct stat *s),
		    void *arg, struct err *e)
{
	struct recount r = {0};
	int rc = -1;
	if (one_int(view_store(v), "SELECT max(no) FROM decl", &r.last_decl, e) != 0)
		return -1;
	r.facts = calloc((size_t)r.last_decl + 1, sizeof(*r.facts));
	if (!r.facts)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	if (read_history(v, seq, &r, e) == 0) {
		if (r.voided.count)
			qsort(r.voided.at, (size_t)r.voided.count, sizeof(*r.voided.at), by_rows);
		if (r.untyped.count)
			qsort(r.untyped.at, (size_t)r.untyped.count, sizeof(*r.untyped.at), by_rows);
		rc = count_rows(v, &r, year, village, fn, arg, e);
	}
	free(r.facts);
	free(r.voided.at);
	free(r.untyped.at);
	return rc;
}

/* ---- reasons and dates ---- */

#define FACT_OF_ROW \
	" FROM history h JOIN decl d ON d.no = h.decl JOIN submission s ON s.no = d.sub WHERE h.seq <= ?3 AND" \
	" (?1 = 0 OR s.year = ?1) AND (?2 IS NULL OR s.village = ?2)"

int view_reasons_at(struct ledger_view *v, int64_t seq, int year, struct str village, int (*fn)(void *arg, const struct reason *r),
		    void *arg, struct err *e)
{
	struct stmt *q;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT h.fact, d.amount_fen IS NOT NULL, coalesce(h.note, ''), count(*), sum(coalesce(d.amount_fen, 0))" FACT_OF_ROW
			  " AND h.fact IN (?4, ?5, ?6) AND coalesce(h.note, '') NOT IN ('already_accepted', 'already_filed')"
			  " GROUP BY 1, 2, 3 ORDER BY 1, 2 DESC, 3",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	stmt_int(q, 3, seq);
	stmt_int(q, 4, F_REJECTED);
	stmt_int(q, 5, F_FAILED);
	stmt_int(q, 6, F_EXPIRED);
	while ((got = stmt_step(q, e)) == 1) {
		struct decl d = {.facts = F_DECLARED | (uint32_t)stmt_get_int(q, 0), .amount_known = stmt_get_int(q, 1)};
		struct reason r = {.column = stats_column(&d), .count = stmt_get_int(q, 3), .fen = stmt_get_int(q, 4)};
		(void)str_copy(r.code, sizeof(r.code), stmt_get_text(q, 2));
		if (fn(arg, &r) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int view_treasury_at(struct ledger_view *v, int64_t seq, int year, struct str village,
		     int (*fn)(void *arg, const struct stat_key *k, int64_t first_at, int64_t last_at), void *arg, struct err *e)
{
	struct stmt *q;
	struct stat s;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT s.year, s.village, d.sponsor_type, min(h.effective_at), max(h.effective_at)" FACT_OF_ROW
			  " AND h.fact = ?4 GROUP BY 1, 2, 3",
			  e) != 0)
		return -1;
	stmt_int(q, 1, year);
	stmt_text(q, 2, village);
	stmt_int(q, 3, seq);
	stmt_int(q, 4, F_IN_TREASURY);
	while ((got = stmt_step(q, e)) == 1) {
		key_read(&s, q);
		if (fn(arg, &s.key, stmt_get_int(q, 3), stmt_get_int(q, 4)) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}
