/* The ledger for commands: read-only, one consistent moment, while the gateway writes. */
#ifndef QIAO_LEDGER_READ_H
#define QIAO_LEDGER_READ_H
#include "ledger/adopted.h"
#include "ledger/ledger.h"
#include "ledger/stats.h"

struct ledger_view;
/* Opens and takes one moment of the ledger, which stays the same until closed. ERR_CONF when there is none. */
int view_open(struct ledger_view **out, const char *path, struct err *e);
void view_close(struct ledger_view *v);

/* Every key of the statistics with its cells; year 0 and village no value = all. */
int view_stats(struct ledger_view *v, int year, struct str village, int (*fn)(void *arg, const struct stat *s), void *arg,
	       struct err *e);
/* The same, counted anew from the declarations. In no order; a key may come several times. */
int view_recount(struct ledger_view *v, int year, struct str village, int (*fn)(void *arg, const struct stat *s), void *arg,
		 struct err *e);
/* A moment of the statistics: the ledger sequence of the transaction that last changed them, and when that was. */
struct moment {
	int64_t seq, at;
};
enum { MOMENT_KNOWN, MOMENT_LOST, MOMENT_TO_COME }; /* lost: before the ledger began to log its statistics */
int view_now(struct ledger_view *v, struct moment *out, struct err *e);
/* The last moment up to a sequence or a time: one of the words above, -1 on error. */
int view_moment_of(struct ledger_view *v, int64_t sequence, struct moment *out, struct err *e);
int view_moment_at(struct ledger_view *v, int64_t time, struct moment *out, struct err *e);
/* What view_stats gave then, and the proof of it: counted anew from the history up to there, one row a call. seq: of a known moment. */
int view_stats_at(struct ledger_view *v, int64_t seq, int year, struct str village, int (*fn)(void *arg, const struct stat *s),
		  void *arg, struct err *e);
int view_recount_at(struct ledger_view *v, int64_t seq, int year, struct str village, int (*fn)(void *arg, const struct stat *s),
		    void *arg, struct err *e);
/* Why rows ended without money, up to a sequence: each code with its column (rejected, unreadable, expired, failed). In order. */
struct reason {
	int column; /* enum stat_column */
	char code[40];
	int64_t count, fen;
};
int view_reasons_at(struct ledger_view *v, int64_t seq, int year, struct str village, int (*fn)(void *arg, const struct reason *r),
		    void *arg, struct err *e);
/* When the first and the last payment of each key came into the treasury, up to a sequence. */
int view_treasury_at(struct ledger_view *v, int64_t seq, int year, struct str village,
		     int (*fn)(void *arg, const struct stat_key *k, int64_t first_at, int64_t last_at), void *arg, struct err *e);
/* Rows of a year whose last word is not said, and adopted payments that no row has claimed; -1 on error. */
int64_t view_unfinished(struct ledger_view *v, int year, struct err *e);
int64_t view_differences(struct ledger_view *v); /* how many a person must look at, -1 on error */
/* Payments that an agency knows and the ledger does not: results came for them, their roster did not (yet). A ledger that was
 * restored has some until the rosters of the lost time are there again. -1 on error. */
int64_t view_strangers(struct ledger_view *v);
/* Payments that a restored ledger adopted and no row has claimed. */
struct view_adopted {
	int64_t count, fen;
	bool going; /* rows that claim some may still be read */
};
int view_adopted_sum(struct ledger_view *v, int year, struct str village, struct view_adopted *out, struct err *e);
int view_adopted(struct ledger_view *v, int (*fn)(void *arg, const struct adopted_payment *p), void *arg, struct err *e);

struct view_decl {
	struct decl d;
	struct submission s;
};
/* Declarations that match; fn gives non-zero to stop. A prefix is at least 8 hex digits of a payment, submission, person token
 * or event id. row 0 = all rows of the submission. */
typedef int view_fn(void *arg, const struct view_decl *d);
int view_by_prefix(struct ledger_view *v, struct str hex, view_fn *fn, void *arg, struct err *e);
int view_by_token(struct ledger_view *v, const struct id *token, view_fn *fn, void *arg, struct err *e);
int view_by_receipt(struct ledger_view *v, const char *ten_digits, int row, view_fn *fn, void *arg, struct err *e);
int view_by_roster(struct ledger_view *v, struct str sha256_hex, int row, view_fn *fn, void *arg, struct err *e);

struct view_history {
	int64_t seq, effective_at, recorded_at;
	enum fact fact;
	bool implied;
	struct id cause;
	char note[64];
};
/* Oldest first, up to max. */
int view_history(struct ledger_view *v, const struct decl *d, struct view_history *out, int max, int *count, struct err *e);

/* Rosters as cases: with the newest cover and the plan that they are filed under, as they came (Avro). Slices live within fn, which
 * gives non-zero to stop. year 0, village no value: all. */
struct view_case {
	struct id id, plan; /* plan: the version, when filed_under */
	struct str receipt, village, code, detail, cover, annex_to; /* annex_to: receipt of the first roster, or no value */
	int year;
	enum sub_state state;
	int64_t rows, fen, received_at;
	bool filed_under;
};
int view_cases(struct ledger_view *v, int year, struct str village, int (*fn)(void *arg, const struct view_case *c), void *arg,
	       struct err *e);
/* The plan of such a case, filed under or on file (event empty: none), and what of it is used. */
struct view_plan {
	struct buf event; /* the caller's */
	int64_t heads, fen;
};
int view_plan(struct ledger_view *v, const struct view_case *c, const struct id *sponsor, struct view_plan *out, struct err *e);
int view_supervision(struct ledger_view *v, const struct id *subject, int (*fn)(void *arg, const struct supervision *s), void *arg,
		     struct err *e);

#endif
