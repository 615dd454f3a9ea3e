/* The roster 集体补助人员名册 in a CSV file as people really send it (domain.md 6): title, head line,
 * one or two header rows with columns in any order, rows, blank rows, sub-totals, 合计, foot
 * lines; and our own answer file, which is a roster too.
 *
 * The reader finds its way by words, never by position. It leaves no person out silently: rows
 * after the total refuse the file. It reads forms only; what is in a row is domain/row.h's
 * business. */
#ifndef QIAO_VILLAGE_ROSTER_H
#define QIAO_VILLAGE_ROSTER_H
#include "adapters/village/csv.h"
#include "base/buf.h"
#include "domain/row.h"

/* Changes whenever the same bytes may be read differently: it is part of the attempt id. */
#define ROSTER_READER "roster-1"
#define ROSTER_HEAD_RECORDS 60 /* the header row is looked for in so many records */

/* The columns that an answer file appends; dropped again, they are not hers. */
extern const char *const roster_appended[];
#define ROSTER_APPENDED 4

enum roster_line {
	ROSTER_END = 0,
	ROSTER_ROW,   /* a person */
	ROSTER_BLANK, /* nothing, or a number without anything */
	ROSTER_NOTE,  /* header repeated on a new page, sub-total */
	ROSTER_TOTAL,
	ROSTER_FOOT, /* whatever comes after */
};

struct roster {
	struct csv_reader csv;
	/* from the records before the header row, "" or 0 where it says nothing */
	int year;
	char town[96], village[192];
	struct buf preface; /* those records, folded: the title may name the village */
	/* the header */
	struct buf header; /* its one or two records, see roster_header */
	int header_records;
	int64_t header_last;		     /* number of its last record */
	int column_at[COLUMNS];		     /* which cell, -1 = no such column */
	uint64_t hidden[CSV_CELLS_MAX / 64]; /* cells that an answer file of ours appended */
	/* the record that roster_next gave */
	struct str cells[COLUMNS]; /* p == NULL where there is no such column */
	/* the total, once ROSTER_TOTAL was given */
	bool total_known, past_rows;
	int64_t total_fen;
	/* after -1 with ERR_PERM: the code of why the file is refused, its record, and what
	 * fills {0} otherwise */
	const char *refused;
	int64_t refused_at;
	char refused_what[96];
};
/* Reads up to the header row. Borrows from. -1: ERR_PERM with `refused`, or what the source
 * said. Close after either. */
int roster_open(struct roster *r, struct decoder *from, struct err *e);
void roster_close(struct roster *r);
/* The next record behind the header into *line; csv.cells are its raw cells, csv.record its
 * number. */
int roster_next(struct roster *r, enum roster_line *line, struct err *e);
/* Cells of the header's i-th record; gives how many. */
int roster_header(const struct roster *r, int i, struct str cells[CSV_CELLS_MAX]);
static inline bool roster_hidden(const struct roster *r, int cell)
{
	return r->hidden[cell / 64] >> cell % 64 & 1;
}

#endif
