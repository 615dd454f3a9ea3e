/* The roster is read once more from the spool while the answer is written: rows, answers and
 * text go through in one pass, whatever their number. */
#include "adapters/village/render.h"
#include "adapters/village/own.h"
#include "base/date.h"
#include "base/text.h"
#include "crypto/ids.h"
#include "domain/cell.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4 * CSV_RECORD_MAX, FLUSH_AT = 32 << 10 };

struct writing {
	const struct rendering *r;
	struct sink to;
	struct buf out, scratch;
	struct buf ours; /* our cells of the last row: most rows have the same */
	struct row_state ours_for;
	bool ours_set;
	int width; /* her columns */
	bool full; /* a line did not fit: reported at its end */
};

static int put_head(struct writing *w, struct err *e);
static void put_counts(struct writing *w, const struct roster_state *st);
static void put_next(struct writing *w, const struct roster_state *st);
static int put_header(struct writing *w, struct err *e);
static int put_rows(struct writing *w, struct err *e);
static void put_row(struct writing *w, const struct row_state *st);
static bool alike(const struct row_state *a, const struct row_state *b);
static void make_ours(struct writing *w, const struct row_state *st);
static void put_reason(struct buf *out, const struct row_state *st);
static void put_cure(struct buf *out, const struct row_state *st);
static void put_line(struct writing *w);
static int end_line(struct writing *w, struct err *e);
static int flush(struct writing *w, struct err *e);
static void filled(struct buf *out, const char *text, const char *detail);
static const char *cure_of(const char *code);
static bool formula(struct str s);
static bool long_number(struct str s);

int render(const struct rendering *r, struct sink to, struct err *e)
{
	struct writing w = {.r = r, .to = to};
	struct str cells[CSV_CELLS_MAX];
	int rc = -1;

	buf_init(&w.out, LINE_MAX_BYTES + FLUSH_AT);
	buf_init(&w.scratch, 1 << 16);
	buf_init(&w.ours, 1 << 16);
	for (int i = 0; i < r->roster->header_records; i++) {
		int count = roster_header(r->roster, i, cells);

		w.width = count > w.width ? count : w.width;
	}
	if (put_head(&w, e) == 0 && put_header(&w, e) == 0 && put_rows(&w, e) == 0)
		rc = flush(&w, e);
	buf_fini(&w.out);
	buf_fini(&w.scratch);
	buf_fini(&w.ours);
	return rc;
}

/* ---- above the table ---- */

static void put(struct writing *w, const char *text)
{
	w->full |= buf_put_str(&w->out, text) < 0;
}

/* A cell of our own words, label and value. */
static void put_text(struct writing *w, const char *label, const char *value)
{
	buf_reset(&w->scratch);
	w->full |= buf_put_str(&w->scratch, label) < 0 || buf_put_str(&w->scratch, value) < 0;
	w->full |= render_cell(&w->out, (struct str){(char *)w->scratch.data, w->scratch.len},
			       false) < 0;
}

static const char *word(const char *code)
{
	return text_or_code(code, LANG_ZH);
}

static int put_head(struct writing *w, struct err *e)
{
	const struct spool_meta *m = w->r->meta;
	struct roster_state st;
	char ten[11], receipt[12], year[16];

	answers_get_roster(w->r->answers, &st);
	receipt_number(ten, &m->submission);
	snprintf(year, sizeof year, "%d年", (int)m->year);
	put(w, "\xEF\xBB\xBF");
	put_text(w, word("answer_title"), "");
	put(w, "\r\n");
	put_text(w, word("answer_receipt"), receipt_text(receipt, ten));
	put(w, "\r\n");
	put_text(w, "补助年度：", year);
	put(w, ",");
	put_text(w, "乡镇（街道）：", w->r->town);
	put(w, ",");
	put_text(w, "村（居）：", w->r->village);
	put(w, "\r\n");
	put_text(w, word("answer_digest"), m->sha256);
	put(w, "\r\n");
	put_text(w, OWN_LABEL, OWN_BLANK); /* filled in by who writes the file */
	put(w, "\r\n");
	put_counts(w, &st);
	put_next(w, &st);
	put(w, "\r\n");
	return end_line(w, e);
}

static void put_counts(struct writing *w, const struct roster_state *st)
{
	char rows[24], accepted[24], mend[24], waiting[24], done[24], all_yuan[24],
		accepted_yuan[24], done_yuan[24];
	struct str args[8];

	snprintf(rows, sizeof rows, "%" PRId64, st->known ? st->rows : w->r->meta->rows);
	snprintf(accepted, sizeof accepted, "%d", st->accepted);
	snprintf(mend, sizeof mend, "%d", st->mend);
	snprintf(waiting, sizeof waiting, "%d", st->waiting);
	snprintf(done, sizeof done, "%d", st->done);
	args[0] = str_of(rows);
	args[1] = str_of(yuan(all_yuan, st->amount_fen));
	args[2] = str_of(accepted);
	args[3] = str_of(yuan(accepted_yuan, st->accepted_fen));
	args[4] = str_of(mend);
	args[5] = str_of(waiting);
	args[6] = str_of(done);
	args[7] = str_of(yuan(done_yuan, st->done_fen));
	buf_reset(&w->scratch);
	w->full |=
		text_fill(&w->scratch, word(st->known ? "answer_counts" : "answer_counts_received"),
			  args, 8) < 0;
	w->full |= render_cell(&w->out, (struct str){(char *)w->scratch.data, w->scratch.len},
			       false) < 0;
	put(w, "\r\n");
}

/* What the gateway said about the roster as a whole, what to do now, and by when. */
static void put_next(struct writing *w, const struct roster_state *st)
{
	char state[sizeof st->state + 16], day[16];
	const char *cure;

	snprintf(state, sizeof state, "submission_%s",
		 st->known && st->state[0] ? st->state : "received");
	buf_reset(&w->scratch);
	w->full |= buf_put_str(&w->scratch, word("answer_state")) < 0 ||
		   buf_put_str(&w->scratch, word(state)) < 0;
	if (st->code[0] && strcmp(st->code, state) != 0) {
		w->full |= buf_put_str(&w->scratch, "：") < 0;
		filled(&w->scratch, word(st->code), st->detail);
	}
	w->full |= render_cell(&w->out, (struct str){(char *)w->scratch.data, w->scratch.len},
			       false) < 0;
	put(w, "\r\n");
	buf_reset(&w->scratch);
	w->full |= buf_put_str(&w->scratch, word("answer_next")) < 0;
	if (st->mend > 0)
		w->full |= buf_put_str(&w->scratch, word("answer_mend")) < 0;
	cure = st->code[0] && cure_of(st->code) ? cure_of(st->code) : cure_of(state);
	/* "Nothing to do" does not go with rows to be mended. */
	if (cure && (st->mend == 0 || strncmp(cure, "无需", strlen("无需")) != 0))
		filled(&w->scratch, cure, st->detail);
	w->full |= render_cell(&w->out, (struct str){(char *)w->scratch.data, w->scratch.len},
			       false) < 0;
	put(w, "\r\n");
	if (!st->deadline.set)
		return;
	put_text(w, word("answer_deadline"), date_text(day, (int)st->deadline.v));
	put(w, "\r\n");
}

/* ---- the table ---- */

/* Her cells; what she wrote beyond her last heading comes behind ours, so that columns stay
 * columns. */
static void put_cells(struct writing *w, const struct str *cells, int from, int to, bool ids)
{
	const struct roster *r = w->r->roster;

	for (int i = from; i < to; i++) {
		bool id = ids && (i == r->column_at[COL_ID] || i == r->column_at[COL_SSA_NO] ||
				  i == r->column_at[COL_PHONE]);

		if (roster_hidden(r, i))
			continue;
		if (i > 0)
			put(w, ",");
		w->full |= cells && render_cell(&w->out, cells[i], id) < 0;
	}
}

/* count cells, padded to her width. */
static void put_her_cells(struct writing *w, const struct str *cells, int count, bool ids)
{
	put_cells(w, cells, 0, count < w->width ? count : w->width, ids);
	if (count < w->width)
		put_cells(w, NULL, count, w->width, false);
}

/* Both rows of a two-row header; ours stand in the lower one, where the reader looks for
 * headings. */
static int put_header(struct writing *w, struct err *e)
{
	struct str cells[CSV_CELLS_MAX];
	int records = w->r->roster->header_records;

	for (int i = 0; i < records; i++) {
		int count = roster_header(w->r->roster, i, cells);

		put_her_cells(w, cells, count, false);
		for (int k = 0; i == records - 1 && k < ROSTER_APPENDED; k++) {
			put(w, ",");
			put(w, roster_appended[k]);
		}
		put(w, "\r\n");
		if (end_line(w, e) < 0)
			return -1;
	}
	return 0;
}

static int put_rows(struct writing *w, struct err *e)
{
	struct roster *r = w->r->roster;
	struct row_state st;
	enum roster_line line;

	for (;;) {
		if (roster_next(r, &line, e) < 0)
			return -1;
		if (line == ROSTER_END)
			return 0;
		if (line == ROSTER_BLANK)
			continue;
		if (line == ROSTER_ROW) {
			if (answers_get_row(w->r->answers, r->csv.record, &st, e) < 0)
				return -1;
			put_row(w, &st);
		} else {
			put_line(w);
		}
		if (end_line(w, e) < 0)
			return -1;
	}
}

/* Her cells, then ours: result, reason, cure, and the row's number in her own file, which is what
 * reasons like "the same as row 12" mean. */
static void put_row(struct writing *w, const struct row_state *st)
{
	const struct roster *r = w->r->roster;
	char number[32];

	put_her_cells(w, r->csv.cells, r->csv.count, true);
	if (!w->ours_set || !alike(&w->ours_for, st))
		make_ours(w, st);
	w->full |= buf_put(&w->out, w->ours.data, w->ours.len) < 0;
	snprintf(number, sizeof number, ",%" PRId64, r->csv.record);
	put(w, number);
	if (r->csv.count > w->width)
		put_cells(w, r->csv.cells, w->width, r->csv.count, false);
	put(w, "\r\n");
}

static bool alike(const struct row_state *a, const struct row_state *b)
{
	return a->result == b->result && a->column == b->column && a->code == b->code &&
	       a->warning == b->warning && strcmp(a->detail, b->detail) == 0;
}

static void make_ours(struct writing *w, const struct row_state *st)
{
	struct buf *s = &w->scratch, *to = &w->ours;
	char result[32];

	w->ours_set = true;
	w->ours_for = *st;
	buf_reset(to);
	snprintf(result, sizeof result, "result_%s", row_result_code(st->result));
	w->full |= buf_printf(to, ",%s,", word(result)) < 0;
	buf_reset(s);
	put_reason(s, st);
	w->full |= render_cell(to, (struct str){(char *)s->data, s->len}, false) < 0;
	w->full |= buf_put_u8(to, ',') < 0;
	buf_reset(s);
	put_cure(s, st);
	w->full |= render_cell(to, (struct str){(char *)s->data, s->len}, false) < 0;
}

/* Total, foot, sub-total, repeated header: as they are. */
static void put_line(struct writing *w)
{
	const struct roster *r = w->r->roster;

	put_cells(w, r->csv.cells, 0, r->csv.count, false);
	put(w, "\r\n");
}

static void put_reason(struct buf *out, const struct row_state *st)
{
	if (st->code[0]) {
		const char *text = word(st->code),
			   *column = st->column >= 0 ? word(column_code((enum column)st->column))
						     : "";

		/* Most texts name their column themselves. */
		if (strstr(text, column) == NULL)
			buf_printf(out, "%s：", column);
		filled(out, text, st->detail);
	}
	if (st->warning[0])
		buf_printf(out, "%s%s", out->len > 0 ? "；" : "", word(st->warning));
}

static void put_cure(struct buf *out, const struct row_state *st)
{
	const char *cure = st->code[0] ? cure_of(st->code) : NULL;

	if (cure == NULL && st->warning[0])
		cure = cure_of(st->warning);
	if (cure)
		filled(out, cure, st->detail);
}

static const char *cure_of(const char *code)
{
	char name[ANSWER_CODE_MAX + 32];

	snprintf(name, sizeof name, "%s.cure", code);
	return text_get(name, LANG_ZH);
}

/* A detail may itself be a code: the gate that is missing, a column. */
static void filled(struct buf *out, const char *text, const char *detail)
{
	struct str arg = str_of(text_or_code(detail, LANG_ZH));

	text_fill(out, text, &arg, 1);
}

/* ---- cells and lines ---- */

/* A guard or a tab is put once: what is there already is taken off first, so an answer to an answer
 * does not grow. Quotes are put only where a comma, quote or line end asks for them: numbers in
 * quotes are numbers for a spreadsheet all the same. */
int render_cell(struct buf *out, struct str raw, bool id)
{
	struct str s = raw;
	bool guard, tab, quote;
	int rc = 0;

	if (s.n == 0)
		return 0;
	if (id || long_number(cell_bare(s)))
		s = cell_bare(s);
	if (s.n == 0)
		return 0;
	guard = formula(s);
	tab = id || long_number(s);
	quote = memchr(s.p, ',', s.n) || memchr(s.p, '"', s.n) || memchr(s.p, '\n', s.n) ||
		memchr(s.p, '\r', s.n);
	if (!guard && !tab && !quote)
		return buf_put(out, s.p, s.n);
	if (quote)
		rc |= buf_put_u8(out, '"');
	if (guard)
		rc |= buf_put_u8(out, '\'');
	while (quote && s.n > 0) {
		const char *mark = memchr(s.p, '"', s.n);
		size_t n = mark ? (size_t)(mark - s.p) + 1 : s.n;

		rc |= buf_put(out, s.p, n);
		if (mark)
			rc |= buf_put_u8(out, '"');
		s = (struct str){s.p + n, s.n - n};
	}
	rc |= buf_put(out, s.p, s.n);
	if (tab)
		rc |= buf_put_u8(out, '\t');
	if (quote)
		rc |= buf_put_u8(out, '"');
	return rc;
}

/* What spreadsheets take for a formula, in the full-width forms too. */
static bool formula(struct str s)
{
	static const char *const wide[] = {"＝", "＋", "－", "＠"};

	if (strchr("=+-@\t\r\n", s.p[0]) && s.p[0] != '\0')
		return true;
	for (size_t i = 0; s.n >= 3 && i < sizeof wide / sizeof wide[0]; i++) {
		if (memcmp(s.p, wide[i], 3) == 0)
			return true;
	}
	return false;
}

/* From 12 digits on a spreadsheet shows 3.30603E+17, from 16 on it loses some. */
static bool long_number(struct str s)
{
	size_t digits = 0;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	return digits >= 12 &&
	       (digits == s.n || (digits + 1 == s.n && (s.p[digits] == 'X' || s.p[digits] == 'x')));
}

static int end_line(struct writing *w, struct err *e)
{
	if (w->full)
		return err_sys(e, ERR_TEMP, ENOMEM, "answer: line");
	return w->out.len >= FLUSH_AT ? flush(w, e) : 0;
}

static int flush(struct writing *w, struct err *e)
{
	if (w->out.len > 0 && w->to.put(w->to.arg, w->out.data, w->out.len, e) < 0)
		return -1;
	buf_reset(&w->out);
	return 0;
}
