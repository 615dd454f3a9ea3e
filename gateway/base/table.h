/* Columns for a terminal, aligned by display width so that Chinese and English line up. */
#ifndef QIAO_BASE_TABLE_H
#define QIAO_BASE_TABLE_H
#include "base/buf.h"
#include <stdbool.h>

#define TABLE_COLUMNS_MAX 32
struct table {
	int columns;
	bool right[TABLE_COLUMNS_MAX]; /* numbers align right */
	struct buf cells;	       /* NUL-separated, row after row */
	int rows, count;	       /* count: cells */
};
void table_init(struct table *t, int columns);
void table_fini(struct table *t);
/* The next cell, row by row; the first row is the head. */
int table_cell(struct table *t, const char *text);
int table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Two blanks between columns, none at the end of a line. */
int table_print(const struct table *t, struct buf *out);

#endif
