/* What happened to the rows of a book, in the order in which it happened: the feed behind a
 * cursor.
 *
 * Rows are only ever appended, and what happens by time happens to the next rows in line (all
 * that are due at once). So a fact about thousands of rows is one run: kind, first and last row,
 * time. The sequence of the fact about one row is computed: run.sequence + (row - run.first_row).
 * Sequences grow strictly; rows that a fact leaves out leave gaps. A row's state follows from how
 * far each kind has come: nothing is ever updated. Runs are kept in the book and all in memory. */
#ifndef QIAO_AGENCIES_FEED_H
#define QIAO_AGENCIES_FEED_H
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"
#include <stdbool.h>
#include <stddef.h>

struct out;

#define FEED_TABLE                                                                                 \
	"CREATE TABLE run(sequence INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"                    \
	" first_row INTEGER NOT NULL, last_row INTEGER NOT NULL, at INTEGER NOT NULL,"             \
	" ready_ms INTEGER NOT NULL, noted_ms INTEGER NOT NULL, batch BLOB);"

enum { FEED_KINDS = 6 }; /* kind 0: the rows' coming into the book; the others follow by time */
struct run {
	int64_t sequence, first_row, last_row;
	int64_t at;	  /* the agency's clock, never falling */
	int64_t ready_ms; /* book_real: effect and showing from then on; may lie ahead */
	int64_t noted_ms; /* book_real when the run was made */
	int kind;
};
struct feed {
	struct stmt *add;
	struct run *runs; /* by sequence */
	size_t count, cap;
	struct { /* of a kind: its runs, by row */
		uint32_t *at;
		size_t count, cap;
		int64_t upto;  /* last row */
		size_t passed; /* of the source's runs so many were turned into this kind */
	} of[FEED_KINDS];
	int64_t last_sequence, last_at, last_noted_ms;
};
int feed_open(struct feed *f, struct store *s, struct err *e); /* reads the runs */
void feed_fini(struct feed *f);

/* Appends a run, in the store's open transaction; gives it. batch may be NULL. Never fails: ends
 * the process. */
const struct run *feed_add(struct feed *f, struct run r, const struct id *batch);
/* The last row of kind `from` that was ready at least delay_ms before real_ms, when it is past
 * what kind `to` has; else 0. *ready_ms: when that came due, so that a late look makes nothing
 * later. */
int64_t feed_due(struct feed *f, int from, int to, int64_t delay_ms, int64_t real_ms,
		 int64_t *ready_ms);
/* The run of that kind about row, or NULL. */
const struct run *feed_find(const struct feed *f, int kind, int64_t row);

/* A page of the feed behind a cursor. */
struct page {
	int64_t next;  /* in: the cursor; out: the last sequence looked at */
	int64_t limit; /* entries still wanted */
	int64_t as_of; /* in: now; out: everything up to then has been delivered */
	bool twice;
	void *agency;
	struct out *out;
	int64_t written;
};
/* Writes the entries of r from from_row on while limit lasts; gives the last row looked at. */
typedef int64_t page_fn(struct page *p, const struct run *r, int64_t from_row);
/* Gives each run behind the cursor to fn until the page is full or a run's effect is still to
 * come: nothing behind that one is shown before it, so that a cursor never passes over it. */
void feed_page(const struct feed *f, struct page *p, int64_t real_ms, page_fn *fn);

static inline int64_t run_sequence(const struct run *r, int64_t row)
{
	return r->sequence + (row - r->first_row);
}

#endif
