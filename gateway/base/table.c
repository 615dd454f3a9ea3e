/* A table is collected first and printed then, because a column is as wide as its widest cell. */
#include "base/table.h"
#include "base/str.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CELLS_MAX = 64 << 20, CELL_MAX = 1024, GAP = 2 };

static int put_blanks(struct buf *out, int count);

void table_init(struct table *t, int columns)
{
	assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
	*t = (struct table){.columns = columns};
	buf_init(&t->cells, CELLS_MAX);
}

void table_fini(struct table *t)
{
	buf_fini(&t->cells);
	t->rows = t->count = 0;
}

int table_cell(struct table *t, const char *text)
{
	size_t from = t->cells.len, n = strlen(text);

	if (buf_put(&t->cells, text, n + 1) < 0)
		return -1;
	for (size_t i = from; i < from + n; i++) { /* a line end in a cell would break the table */
		if (t->cells.data[i] < 0x20)
			t->cells.data[i] = ' ';
	}
	t->count++;
	t->rows = (t->count + t->columns - 1) / t->columns;
	return 0;
}

int table_cellf(struct table *t, const char *fmt, ...)
{
	char text[CELL_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text)
		return -1;
	return table_cell(t, text);
}

/* Twice over the cells: widths, then lines. */
int table_print(const struct table *t, struct buf *out)
{
	int widths[TABLE_COLUMNS_MAX] = {0}, pending = 0, rc = 0;
	const char *cell = (const char *)t->cells.data;

	for (int i = 0; i < t->count; i++) {
		int width = utf8_width(str_of(cell));

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
		cell += strlen(cell) + 1;
	}
	cell = (const char *)t->cells.data;
	/* Blanks are held back until a cell that is not empty needs them: so none stand at a line's
	 * end. */
	for (int i = 0; i < t->count && rc == 0; i++) {
		int column = i % t->columns, pad = widths[column] - utf8_width(str_of(cell));

		if (cell[0]) {
			rc |= put_blanks(out, pending + (t->right[column] ? pad : 0));
			rc |= buf_put_str(out, cell);
			pending = t->right[column] ? GAP : pad + GAP;
		} else {
			pending += widths[column] + GAP;
		}
		if (column == t->columns - 1 || i == t->count - 1) {
			rc |= buf_put_u8(out, '\n');
			pending = 0;
		}
		cell += strlen(cell) + 1;
	}
	return rc;
}

static int put_blanks(struct buf *out, int count)
{
	for (int i = 0; i < count; i++) {
		if (buf_put_u8(out, ' ') < 0)
			return -1;
	}
	return 0;
}
