/* The statement and other tables as a workbook. The only file that knows libxlsxwriter. Text goes in as text: nothing of it is ever a formula. */
#include "base/date.h"
#include "cli/statement.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xlsxwriter.h>

struct book {
	lxw_workbook *book;
	lxw_worksheet *sheet; /* the one being written */
	lxw_format *head, *money;
	char tmp[CONF_PATH];
};

static int put_text(void *arg, int row, int column, const char *text)
{
	struct book *b = arg;
	if (!text[0])
		return 0;
	return worksheet_write_string(b->sheet, (lxw_row_t)row, (lxw_col_t)column, text, row ? NULL : b->head) != LXW_NO_ERROR;
}

static int put_count(void *arg, int row, int column, int64_t n)
{
	struct book *b = arg;
	return worksheet_write_number(b->sheet, (lxw_row_t)row, (lxw_col_t)column, n, NULL) != LXW_NO_ERROR;
}

/* Spreadsheets know no fen: exact up to 2^53 of them. */
static int put_yuan(void *arg, int row, int column, int64_t fen)
{
	struct book *b = arg;
	return worksheet_write_number(b->sheet, (lxw_row_t)row, (lxw_col_t)column, fen / 100.0, b->money) != LXW_NO_ERROR;
}

static int end_row(void *arg, int row)
{
	(void)arg;
	(void)row;
	return 0;
}

static int add_sheet(struct book *b, const struct cli *c, const char *code, int frozen)
{
	b->sheet = workbook_add_worksheet(b->book, text_or_code(code, c->lang));
	if (!b->sheet)
		return -1;
	worksheet_freeze_panes(b->sheet, 1, (lxw_col_t)frozen);
	worksheet_set_column(b->sheet, 0, frozen ? 3 : 0, 24, NULL);
	return 0;
}

/* Declared and collected of each line of the towns' table. */
static int add_chart(struct book *b, const struct statement *st, const struct cli *c)
{
	const char *towns = text_or_code("sheet_towns", c->lang);
	lxw_row_t last = (lxw_row_t)st->levels[BY_TOWN].count;
	lxw_chartsheet *sheet = workbook_add_chartsheet(b->book, text_or_code("sheet_chart", c->lang));
	lxw_chart *chart = workbook_add_chart(b->book, LXW_CHART_COLUMN);
	int collected = 0;
	if (!sheet || !chart)
		return -1;
	while (statement_lines[collected].cell != ST_COLLECTED_TOTAL)
		collected++;
	const int columns[] = {GRID_DECLARED, GRID_DECLARED + 2 * collected};
	const char *const names[] = {"declared", "collected"};
	for (int i = 0; i < 2 && last > 0; i++) {
		lxw_chart_series *s = chart_add_series(chart, NULL, NULL);
		if (!s)
			return -1;
		chart_series_set_categories(s, towns, 1, 0, last, 0);
		chart_series_set_values(s, towns, 1, (lxw_col_t)columns[i], last, (lxw_col_t)columns[i]);
		chart_series_set_name(s, text_or_code(names[i], c->lang));
	}
	chart_title_set_name(chart, text_or_code("sheet_chart", c->lang));
	return chartsheet_set_chart(sheet, chart) == LXW_NO_ERROR ? 0 : -1;
}

static int fill(struct book *b, const void *what, const struct cli *c)
{
	const struct statement *st = what;
	const struct grid g = {b, put_text, put_count, put_yuan, end_row};
	static const char *const levels[] = {"sheet_villages", "sheet_towns", "sheet_district"};
	struct buf head;
	buf_init(&head, 1 << 12);
	int rc = add_sheet(b, c, "sheet_totals", 0) | grid_totals(&g, st, c);
	rc |= statement_head(st, c, &head);
	if (rc == 0 && buf_text(&head)) {
		head.data[strcspn((const char *)head.data, "\n")] = '\0';
		rc |= put_text(b, LINES + 3, 0, (const char *)head.data);
	}
	buf_fini(&head);
	rc |= put_text(b, LINES + 4, 0, text_or_code(st->adds_up ? "statement_adds_up" : "statement_does_not", c->lang));
	rc |= put_text(b, LINES + 5, 0, text_or_code(st->recounted ? "statement_recount" : "statement_recount_differs", c->lang));
	for (int i = 0; i < LEVELS && rc == 0; i++)
		rc |= add_sheet(b, c, levels[i], 2) | grid_level(&g, st, c, (enum level)i);
	return rc != 0 ? rc : add_sheet(b, c, "sheet_reasons", 0) | grid_reasons(&g, st, c) | add_chart(b, st, c);
}

typedef int fill_fn(struct book *b, const void *what, const struct cli *c);

static int write_book(fill_fn *fill_in, const void *what, int64_t at, const struct cli *c, const char *path, struct err *e)
{
	struct book b = {0};
	char part[CONF_PATH + 8];
	const char *slash = strrchr(path, '/');
	if (strlen(path) >= CONF_PATH)
		return err_set(e, ERR_CONF, "--output: path too long");
	snprintf(part, sizeof part, "%s.part", path);
	snprintf(b.tmp, sizeof b.tmp, "%.*s", slash ? (int)(slash - path + (slash == path)) : 1, slash ? path : ".");
	lxw_workbook_options o = {.tmpdir = b.tmp};
	b.book = workbook_new_opt(part, &o);
	if (!b.book)
		return err_set(e, ERR_TEMP, "--output: out of memory");
	b.head = workbook_add_format(b.book);
	b.money = workbook_add_format(b.book);
	if (b.head)
		format_set_bold(b.head);
	if (b.money)
		format_set_num_format(b.money, "#,##0.00");
	lxw_doc_properties about = {.created = (time_t)(at / 1000)};
	workbook_set_properties(b.book, &about);
	int filled = b.head && b.money ? fill_in(&b, what, c) : -1;
	errno = 0;
	if (workbook_close(b.book) != LXW_NO_ERROR || filled != 0 || rename(part, path) != 0) {
		int sys = errno;
		unlink(part);
		return sys ? err_sys(e, ERR_TEMP, sys, "--output") : err_set(e, ERR_TEMP, "--output: could not be written");
	}
	return 0;
}

int statement_xlsx(const struct statement *st, const struct cli *c, const char *path, struct err *e)
{
	return write_book(fill, st, st->when.at, c, path, e);
}

static int fill_sheets(struct book *b, const void *what, const struct cli *c)
{
	const struct grid g = {b, put_text, put_count, put_yuan, end_row};
	int rc = 0;
	for (const struct grid_sheet *s = what; s->code && rc == 0; s++)
		rc = add_sheet(b, c, s->code, 0) | s->fill(&g, s->arg, c);
	return rc;
}

int sheets_xlsx(const struct grid_sheet *sheets, int64_t at, const struct cli *c, const char *path, struct err *e)
{
	return write_book(fill_sheets, sheets, at, c, path, e);
}
