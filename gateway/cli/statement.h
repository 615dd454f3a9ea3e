/* Inside qiao statement: what it has found (statement.c), and the tables it gives them out as (statement_grid.c, statement_xlsx.c). */
#ifndef QIAO_CLI_STATEMENT_H
#define QIAO_CLI_STATEMENT_H
#include "cli/cli.h"
#include "flow/reference.h"
#include "ledger/cuts.h"

/* Lines of the statement, in the order of promise 3. A sum's parts are the cells of its mask. */
struct line {
	int cell;
	int depth;
	uint32_t parts; /* 0: a column itself */
};
enum { LINES = 18 };
extern const struct line statement_lines[LINES];

enum level { BY_VILLAGE, BY_TOWN, BY_DISTRICT, LEVELS };
struct level_row {
	struct stat s;              /* the key's village is "" above villages */
	const char *town, *village; /* "" above them */
	int64_t first_at, last_at;  /* into the treasury; 0 none */
};
struct level_rows {
	struct level_row *rows;
	int count, cap;
};

struct statement {
	const struct reference *reference;
	struct stat *rows; /* as kept */
	int count, cap;
	struct stat total; /* sums over all rows */
	struct level_rows levels[LEVELS];
	struct reason *reasons;
	int reason_count, reason_cap;
	bool failed;
	const char *as_of, *cut_no; /* both NULL: now */
	struct moment when;
	struct cut cut; /* no 0: an intraday run, at whatever moment */
	enum level by;
	bool adds_up, recounted, levels_agree;
};
/* The head line; out holds some hundred bytes. */
int statement_head(const struct statement *st, const struct cli *c, struct buf *out);
int64_t statement_net(const struct stat *s, bool count); /* collected less refunded: fen, or how many */

/* ---- tables: cells from 0, row 0 is the head ---- */
struct grid {
	void *arg;
	int (*text)(void *arg, int row, int column, const char *text);
	int (*count)(void *arg, int row, int column, int64_t n);
	int (*yuan)(void *arg, int row, int column, int64_t fen);
	int (*end)(void *arg, int row); /* of a row */
};
int grid_totals(const struct grid *g, const struct statement *st, const struct cli *c);
int grid_level(const struct grid *g, const struct statement *st, const struct cli *c, enum level level);
int grid_reasons(const struct grid *g, const struct statement *st, const struct cli *c);
enum { GRID_DECLARED = 5 }; /* column of the declared yuan in a level's table; collected is next but one */

/* The level that st->by names, as Excel opens it: BOM, CRLF, no cell that begins a formula. */
int statement_csv(const struct statement *st, const struct cli *c, struct buf *out);
/* A table of another command, in the same form. */
typedef int grid_fn(const struct grid *g, const void *arg, const struct cli *c);
int table_csv(grid_fn *fill, const void *arg, const struct cli *c, struct buf *out);
struct grid_sheet {
	const char *code; /* NULL ends the list */
	grid_fn *fill;
	const void *arg;
};
int sheets_xlsx(const struct grid_sheet *sheets, int64_t at, const struct cli *c, const char *path, struct err *e);
/* A workbook: totals, villages, towns, district, reasons, a chart of the towns. Written beside, then renamed. */
int statement_xlsx(const struct statement *st, const struct cli *c, const char *path, struct err *e);

#endif
