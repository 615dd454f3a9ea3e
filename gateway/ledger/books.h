/* Reconciliation in the ledger: runs, the books that agencies sent for them, what was counted, and differences as cases.
 *
 * Entries of a book are kept as packed struct book_line, in parts: a row of book_part holds those of one transaction that fall into
 * one bucket (the first byte of the payment id; of the person's token for entries without id, in the upper half). So writing goes on
 * at the end of 512 places however large the book, and matching takes bucket after bucket. They are forgotten when matched. */
#ifndef QIAO_LEDGER_BOOKS_H
#define QIAO_LEDGER_BOOKS_H
#include "base/buf.h"
#include "domain/reconcile.h"
#include "ledger/ledger.h"

enum { BUCKETS_OF_IDS = 256, BUCKETS = 2 * BUCKETS_OF_IDS };
enum { KEPT_OURS = BOOKS, KEPT_BOOKS = 2 * BOOKS }; /* KEPT_OURS + book: our lines that found no id there */
enum run_state { RUN_FETCHING, RUN_MATCHING, RUN_CLOSING, RUN_DONE, RUN_INCOMPLETE, RUN_STATES };
const char *run_state_code(enum run_state s);

struct run_book {
	bool asked, closed;
	int64_t attempt, seq, fen, said_count, said_fen, as_of;
	int64_t first_part, parts; /* parts before first_part are of attempts that were voided */
	int64_t strangers;         /* entries without an id */
};
struct run {
	int64_t no;
	struct id id;
	int32_t year;
	int64_t from, to, started_at, ended_at;
	enum run_state state;
	int64_t cursor; /* MATCHING: next bucket; CLOSING: last difference looked at */
	int64_t found;  /* differences of this run */
	char operator[33], why[40];
	struct run_book book[BOOKS];
};
int run_add(struct ledger *l, struct run *r, struct err *e); /* gives it a number */
int run_put(struct ledger *l, const struct run *r, struct err *e);
int run_find(struct ledger *l, const struct id *id, bool *there, struct err *e);
int run_going(struct ledger *l, struct run *out, struct err *e); /* the one that has not ended: 1, or 0 */

int book_part_put(struct ledger *l, const struct run *r, int book, int bucket, int64_t part, const struct book_line *lines, size_t count,
		  struct err *e);
int book_part_get(struct ledger *l, const struct run *r, int book, int bucket, int64_t first_part, struct buf *lines, struct err *e);
int book_part_forget(struct ledger *l, const struct run *r, int book, int bucket, struct err *e);
/* Some of what runs before this one left; *more: there is more. */
int book_purge(struct ledger *l, int64_t before_run, bool *more, struct err *e);

/* Our payments whose ids begin with that byte, by id, told as lines of the two books: lines[b] gets struct book_line. */
int book_ours(struct ledger *l, int year, int first_byte, struct buf *tax, struct buf *ssa, struct err *e);

struct run_sum {
	int64_t count, our_fen, their_fen, oldest_days;
};
int run_sum_add(struct ledger *l, const struct run *r, int book, enum book_class c, const struct run_sum *s, struct err *e);

/* ---- differences as cases ---- */
enum case_state { CASE_OPEN, CASE_ASSIGNED, CASE_RESOLVED, CASE_GONE, CASE_STATES };
const char *case_state_code(enum case_state s);
struct case_found {
	int book;
	enum book_class class;
	bool twice; /* a second entry of theirs under one id */
	const struct book_line *a, *b;
};
const char *case_kind(int book, enum book_class c, bool twice); /* "tax_amount_differs" */
/* A difference that a run found: new, or seen again (reopened where an earlier run had not found it any more). *fresh: new or reopened. */
int case_found(struct ledger *l, const struct run *r, const struct case_found *c, bool *fresh, struct err *e);
/* Cases after *at that this run, which covers what found them, did not find: gone. Looks at up to max; *at -1 at the end. */
int case_close(struct ledger *l, const struct run *r, int64_t *at, int max, int *gone, struct err *e);
/* What a person decided: ASSIGNED with owner, RESOLVED with note. *refused as operations say it. */
int case_decide(struct ledger *l, int64_t no, enum case_state state, const char *owner, const char *note, const char *operator,
		const struct id *operation, const char **refused, struct err *e);

/* ---- for commands ---- */
struct ledger_view;
struct case_row {
	int64_t no, decl, run, seen_run, our_fen, their_fen, our_at, their_at, recorded_at, changed_at;
	int book; /* -1: not found by a reconciliation */
	enum case_state state;
	enum book_class class;
	char kind[32], detail[160], owner[33], note[400], our_state[24], their_state[24], receipt[BOOK_RECEIPT];
	bool has_pid, has_token;
	struct id pid, token;
};
/* Our side as book_ours gives it, bucket after bucket. */
typedef int view_bucket_fn(void *arg, int first_byte);
int view_ours(struct ledger_view *v, int year, struct buf *tax, struct buf *ssa, view_bucket_fn *fn, void *arg, struct err *e);
typedef int view_difference_fn(void *arg, const struct case_row *c);
/* no 0: all; all: closed ones too; run 0: any. */
int view_difference_cases(struct ledger_view *v, int64_t no, bool all, int64_t run, view_difference_fn *fn, void *arg, struct err *e);
struct case_event {
	char what[16], operator[33], note[400];
	int64_t run, at;
};
int view_case_events(struct ledger_view *v, int64_t no, int (*fn)(void *arg, const struct case_event *ev), void *arg, struct err *e);
int view_run(struct ledger_view *v, const struct id *id, struct run *out, struct err *e); /* id NULL: the newest. 1 found, 0 none */
int view_run_sums(struct ledger_view *v, int64_t run, struct run_sum out[BOOKS][BOOK_CLASSES], struct err *e);

#endif
