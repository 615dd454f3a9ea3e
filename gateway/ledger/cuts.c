#include "ledger/cuts.h"
#include "base/date.h"
#include "crypto/digest.h"
#include "ledger/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_MAX = 256 << 20, LINE = 112 };
static const char nothing_before[] = "0000000000000000000000000000000000000000000000000000000000000000";
_Static_assert(sizeof(nothing_before) == CUT_DIGEST, "a digest in hex");

/* ---- the canonical form ---- */

struct lines {
	char (*at)[LINE];
	size_t count, cap;
};

static int add_line(struct lines *l, const struct stat *s, int cell)
{
	if (l->count == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 1024;
		char(*more)[LINE] = realloc(l->at, cap * LINE);
		if (!more)
			return -1;
		l->at = more;
		l->cap = cap;
	}
	int n = snprintf(l->at[l->count], LINE, "%04d|%s|%s|%s|%" PRId64 "|%" PRId64 "\n", s->key.year, s->key.village,
			 stats_type_code(s->key.sponsor_type), stats_cell_code(cell), s->count[cell], s->fen[cell]);
	l->count++;
	return n > 0 && n < LINE ? 0 : -1;
}

static int add_lines(void *arg, const struct stat *s)
{
	for (int c = 0; c < STAT_CELLS; c++)
		if ((s->count[c] || s->fen[c]) && add_line(arg, s, c) != 0)
			return -1;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sorts and takes the lines; frees them. */
static int put_form(struct buf *out, const struct cut *c, struct lines *l, struct err *e)
{
	char day[16];
	int rc = buf_printf(out, "qiao-cut-1|%s|%" PRId64 "|%s|%" PRId64 "|%s\n", c->ledger, c->no, date_text(day, c->day), c->seq,
			    c->before);
	if (l->count)
		qsort(l->at, l->count, LINE, by_bytes);
	for (size_t i = 0; i < l->count && rc == 0; i++)
		rc = buf_put_str(out, l->at[i]);
	free(l->at);
	return rc == 0 ? 0 : err_set(e, ERR_TEMP, "ledger: out of memory");
}

static void digest_of(const struct buf *form, char *hex)
{
	uint8_t sum[SHA256_LEN];
	sha256(form->data, form->len, sum);
	hex_put(hex, sum, SHA256_LEN);
}

/* ---- making one ---- */

int cut_last_day(const struct ledger *l)
{
	return l->cut_day;
}

int cut_load(struct ledger *l, struct err *e)
{
	struct stmt *q;
	int64_t from;
	snprintf(l->cut_digest, sizeof(l->cut_digest), "%s", nothing_before);
	if (one_int(l->st, "SELECT value FROM meta WHERE key = 'cut_from'", &from, e) != 0 ||
	    store_prepare(l->st, &q, "SELECT no, day, digest FROM cut ORDER BY no DESC LIMIT 1", e) != 0)
		return -1;
	l->cut_day = (int)from - 1;
	int got = stmt_step(q, e);
	if (got == 1) {
		l->cut_no = stmt_get_int(q, 0);
		l->cut_day = (int)stmt_get_int(q, 1);
		(void)str_copy(l->cut_digest, sizeof(l->cut_digest), stmt_get_text(q, 2));
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

static int cut_put(struct ledger *l, const struct cut *c, struct err *e)
{
	struct stmt *q = l->q[Q_CUT_PUT];
	stmt_int(q, 1, c->no);
	stmt_int(q, 2, c->day);
	stmt_int(q, 3, c->seq);
	stmt_int(q, 4, c->made_at);
	stmt_text(q, 5, str_of(c->ledger));
	stmt_text(q, 6, str_of(c->digest));
	return stmt_run(q, e);
}

int cut_make(struct ledger *l, int day, struct err *e)
{
	struct cut c = {.no = l->cut_no + 1, .seq = l->stat_seq, .made_at = l->now, .day = day};
	struct lines lines = {0};
	struct buf form;
	int rc = -1;
	snprintf(c.ledger, sizeof(c.ledger), "%s", l->mark);
	snprintf(c.before, sizeof(c.before), "%s", l->cut_digest);
	buf_init(&form, FORM_MAX);
	for (int i = 0; i < l->stat_count; i++)
		if (add_lines(&lines, &l->stats[i]) != 0) {
			free(lines.at);
			err_set(e, ERR_TEMP, "ledger: out of memory");
			goto out;
		}
	if (put_form(&form, &c, &lines, e) != 0)
		goto out;
	digest_of(&form, c.digest);
	if (cut_put(l, &c, e) != 0)
		goto out;
	l->cut_no = c.no;
	l->cut_day = day;
	memcpy(l->cut_digest, c.digest, sizeof(l->cut_digest));
	rc = 0;
out:
	buf_fini(&form);
	return rc;
}

/* ---- reading ---- */

#define CUT_COLS "no, day, seq, made_at, ledger, digest, (SELECT digest FROM cut b WHERE b.no = c.no - 1)"

static void cut_read(struct cut *c, struct stmt *q)
{
	memset(c, 0, sizeof(*c));
	c->no = stmt_get_int(q, 0);
	c->day = (int)stmt_get_int(q, 1);
	c->seq = stmt_get_int(q, 2);
	c->made_at = stmt_get_int(q, 3);
	(void)str_copy(c->ledger, sizeof(c->ledger), stmt_get_text(q, 4));
	(void)str_copy(c->digest, sizeof(c->digest), stmt_get_text(q, 5));
	(void)str_copy(c->before, sizeof(c->before), stmt_is_null(q, 6) ? str_of(nothing_before) : stmt_get_text(q, 6));
}

int view_cuts(struct ledger_view *v, int (*fn)(void *arg, const struct cut *c), void *arg, struct err *e)
{
	struct stmt *q;
	struct cut c;
	int got;
	if (store_prepare(view_store(v), &q, "SELECT " CUT_COLS " FROM cut c ORDER BY no", e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		cut_read(&c, q);
		if (fn(arg, &c) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

static int one_cut(struct ledger_view *v, const char *sql, int64_t which, struct cut *out, struct err *e)
{
	struct stmt *q;
	if (store_prepare(view_store(v), &q, sql, e) != 0)
		return -1;
	stmt_int(q, 1, which);
	int got = stmt_step(q, e);
	if (got == 1)
		cut_read(out, q);
	stmt_reset(q);
	return got;
}

int view_cut(struct ledger_view *v, int64_t no, struct cut *out, struct err *e)
{
	return one_cut(v, "SELECT " CUT_COLS " FROM cut c WHERE no = ?1", no, out, e);
}

int view_cut_of_day(struct ledger_view *v, int day, struct cut *out, struct err *e)
{
	return one_cut(v, "SELECT " CUT_COLS " FROM cut c WHERE day = ?1", day, out, e);
}

int view_cut_form(struct ledger_view *v, const struct cut *c, struct buf *out, char *digest, struct err *e)
{
	struct lines lines = {0};
	if (view_stats_at(v, c->seq, 0, (struct str){0}, add_lines, &lines, e) != 0) {
		free(lines.at);
		return -1;
	}
	if (put_form(out, c, &lines, e) != 0)
		return -1;
	digest_of(out, digest);
	return 0;
}
