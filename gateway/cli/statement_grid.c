/* The tables of a statement, cell by cell, for whatever form they are written in; and CSV. */
#include "base/date.h"
#include "cli/statement.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t statement_net(const struct stat *s, bool count)
{
	return count ? s->count[ST_COLLECTED_TOTAL] - s->count[SC_REFUNDED] : s->fen[ST_COLLECTED_TOTAL] - s->fen[SC_REFUNDED];
}

static int put_head(const struct grid *g, const struct cli *c, const char *const *codes, int count)
{
	int rc = 0;
	for (int i = 0; i < count; i++)
		rc |= g->text(g->arg, 0, i, text_or_code(codes[i], c->lang));
	return rc;
}

int grid_totals(const struct grid *g, const struct statement *st, const struct cli *c)
{
	static const char *const head[] = {"statement_column", "statement_rows", "statement_yuan"};
	int rc = put_head(g, c, head, 3) | g->end(g->arg, 0), row = 1;
	for (; row <= LINES; row++) {
		int cell = statement_lines[row - 1].cell;
		rc |= g->text(g->arg, row, 0, text_or_code(stats_cell_code(cell), c->lang)) |
		      g->count(g->arg, row, 1, st->total.count[cell]) | g->yuan(g->arg, row, 2, st->total.fen[cell]) |
		      g->end(g->arg, row);
	}
	return rc | g->text(g->arg, row, 0, text_or_code("statement_net", c->lang)) |
	       g->count(g->arg, row, 1, statement_net(&st->total, true)) |
	       g->yuan(g->arg, row, 2, statement_net(&st->total, false)) | g->end(g->arg, row);
}

static const char *day_of(char out[16], int64_t at)
{
	return at ? date_text(out, date_of_time(at)) : "";
}

/* Town, village, year and sponsor; count and yuan of the lines as they stand; net; dates in the treasury; the codes. */
static int put_level_row(const struct grid *g, const struct cli *c, int row, const struct level_row *r)
{
	char first[16], last[16];
	int at = 4;
	int rc = g->text(g->arg, row, 0, r->town) | g->text(g->arg, row, 1, r->village) | g->count(g->arg, row, 2, r->s.key.year) |
		 g->text(g->arg, row, 3,
			 text_or_code(r->s.key.sponsor_type < 0 ? "statement_no_cover" : stats_type_code(r->s.key.sponsor_type),
				      c->lang));
	for (int i = 0; i < LINES; i++) {
		rc |= g->count(g->arg, row, at++, r->s.count[statement_lines[i].cell]);
		rc |= g->yuan(g->arg, row, at++, r->s.fen[statement_lines[i].cell]);
	}
	rc |= g->count(g->arg, row, at++, statement_net(&r->s, true));
	rc |= g->yuan(g->arg, row, at++, statement_net(&r->s, false));
	rc |= g->text(g->arg, row, at++, day_of(first, r->first_at));
	rc |= g->text(g->arg, row, at++, day_of(last, r->last_at));
	rc |= g->text(g->arg, row, at++, r->s.key.village);
	return rc | g->text(g->arg, row, at, stats_type_code(r->s.key.sponsor_type)) | g->end(g->arg, row);
}

int grid_level(const struct grid *g, const struct statement *st, const struct cli *c, enum level level)
{
	static const char *const head[] = {"statement_town", "statement_village", "statement_year", "statement_sponsor"};
	static const char *const foot[] = {"statement_first", "statement_last", "statement_village_code", "statement_sponsor_code"};
	char name[160];
	int rc = put_head(g, c, head, 4), at = 4;
	for (int i = 0; i <= LINES; i++) {
		const char *line = text_or_code(i < LINES ? stats_cell_code(statement_lines[i].cell) : "statement_net", c->lang);
		for (int k = 0; k < 2; k++) {
			snprintf(name, sizeof name, "%s (%s)", line, text_or_code(k ? "statement_yuan" : "statement_rows", c->lang));
			rc |= g->text(g->arg, 0, at++, name);
		}
	}
	for (int i = 0; i < 4; i++)
		rc |= g->text(g->arg, 0, at++, text_or_code(foot[i], c->lang));
	rc |= g->end(g->arg, 0);
	for (int i = 0; i < st->levels[level].count; i++)
		rc |= put_level_row(g, c, i + 1, &st->levels[level].rows[i]);
	return rc;
}

int grid_reasons(const struct grid *g, const struct statement *st, const struct cli *c)
{
	static const char *const head[] = {"statement_column", "statement_code", "statement_reason", "statement_rows", "statement_yuan"};
	int rc = put_head(g, c, head, 5) | g->end(g->arg, 0);
	for (int i = 0; i < st->reason_count; i++) {
		const struct reason *r = &st->reasons[i];
		rc |= g->text(g->arg, i + 1, 0, text_or_code(stats_cell_code(r->column), c->lang)) | g->text(g->arg, i + 1, 1, r->code) |
		      g->text(g->arg, i + 1, 2, text_or_code(r->code, c->lang)) | g->count(g->arg, i + 1, 3, r->count) |
		      g->yuan(g->arg, i + 1, 4, r->fen) | g->end(g->arg, i + 1);
	}
	return rc;
}

/* ---- CSV ---- */

static int csv_text(void *arg, int row, int column, const char *text)
{
	struct buf *out = arg;
	(void)row;
	int rc = column ? buf_put_u8(out, ',') : 0;
	bool formula = text[0] && strchr("=+-@\t\r", text[0]);
	rc |= buf_put_u8(out, '"') | (formula ? buf_put_u8(out, '\'') : 0);
	for (const char *p = text; *p; p++)
		rc |= (*p == '"' ? buf_put_u8(out, '"') : 0) | buf_put_u8(out, (uint8_t)*p);
	return rc | buf_put_u8(out, '"');
}

static int csv_count(void *arg, int row, int column, int64_t n)
{
	(void)row;
	return buf_printf(arg, "%s%" PRId64, column ? "," : "", n);
}

static int csv_yuan(void *arg, int row, int column, int64_t fen)
{
	char money[24];
	(void)row;
	return buf_printf(arg, "%s%s", column ? "," : "", yuan(money, fen));
}

static int csv_end(void *arg, int row)
{
	(void)row;
	return buf_put_str(arg, "\r\n");
}

int statement_csv(const struct statement *st, const struct cli *c, struct buf *out)
{
	const struct grid g = {out, csv_text, csv_count, csv_yuan, csv_end};
	return buf_put_str(out, "\xEF\xBB\xBF") | grid_level(&g, st, c, st->by);
}

int table_csv(grid_fn *fill, const void *arg, const struct cli *c, struct buf *out)
{
	const struct grid g = {out, csv_text, csv_count, csv_yuan, csv_end};
	return buf_put_str(out, "\xEF\xBB\xBF") | fill(&g, arg, c);
}
