/* An agency's own book: a SQLite file with its rows, its feed (feed.h) and what it counted; and
 * its two times.
 *
 * One transaction a request: book_write begins it where something is to be written, book_commit
 * ends it, and only then may an answer go out. A book that cannot be written ends the process at
 * once: an agency that guesses is no referee. */
#ifndef QIAO_AGENCIES_BOOK_H
#define QIAO_AGENCIES_BOOK_H
#include "base/clock.h"
#include "store/store.h"
#include "tests/agencies/feed.h"
#include "tests/agencies/json_out.h"
#include <stdbool.h>

#define BOOK_TABLES                                                                                \
	FEED_TABLE                                                                                 \
	"CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"       \
	"CREATE TABLE planted(kind TEXT, subject TEXT, what TEXT NOT NULL,"                        \
	" PRIMARY KEY(kind, subject)) WITHOUT ROWID;"

struct book {
	struct store *store;
	struct clock clock;
	struct feed feed;
	struct stmt *count;
	bool writing;
	int64_t real_offset;
};
/* clock NULL = wall. Reads the feed; counts this start. */
int book_open(struct book *b, const char *file, const char *clock, const struct store_kind *kind,
	      struct err *e);
/* For reports, while the agency runs or not: one moment of the book; no clock, no feed, nothing
 * is made or written. */
int book_open_readonly(struct book *b, const char *file, const struct store_kind *kind,
		       struct err *e);
void book_close(struct book *b);

void book_write(struct book *b);
void book_commit(struct book *b);
/* Takes back what the request wrote; only where it added no row and no run, those are in memory. */
void book_undo(struct book *b);
void book_count(struct book *b, const char *name, int64_t n); /* adds n, in the transaction */
int64_t book_counter(struct book *b, const char *name);
/* ,"repeats":N,...,"faults":{"batches/cut_after":N,...}  for a report. */
void book_put_counters(struct book *b, struct out *o);

/* All the rows that kind `from` has had for delay_ms come to kind `to`, as one run. */
void book_mature(struct book *b, int from, int to, int64_t delay_ms);

int64_t book_now(struct book *b); /* the agency's clock: what its stamps show */
/* Milliseconds that really pass, over restarts too: what its delays run on. */
int64_t book_real(struct book *b);
_Noreturn void book_fatal(const struct err *e);
struct stmt *book_prepare(struct book *b, const char *sql);
bool book_step(struct stmt *st); /* is there a row */
void book_run(struct stmt *st);

/* 0..999 by (id, seed, salt): what befalls a row by chance, the same at every run. */
int book_chance(const struct id *id, int64_t seed, int salt);

#endif
