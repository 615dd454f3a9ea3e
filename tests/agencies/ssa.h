/* The simulated social-security agency: whom it knows, and its book of accounts. Files:
 * ssa_main.c options and routes, ssa_persons.c enquiries and the feed of changes, ssa_accounts.c
 * feedback and the feed of credits, ssa_statistics.c, ssa_ledger.c the book of a period, ssa_book.c the book, its report and dump. */
#ifndef QIAO_AGENCIES_SSA_H
#define QIAO_AGENCIES_SSA_H
#include "tests/agencies/book.h"
#include "tests/agencies/idindex.h"
#include "tests/agencies/plants.h"
#include "tests/agencies/odd.h"
#include "tests/agencies/population.h"
#include "tests/agencies/refusals.h"
#include "tests/agencies/server.h"

enum posting_kind { POSTING_COLLECTED, POSTING_REFUNDED };
enum ssa_kind { KIND_TAKEN, KIND_POSTED }; /* kinds of the feed's runs */
enum ssa_state {
	SSA_PENDING,
	SSA_CREDITED,
	SSA_CREDIT_REFUSED,
	SSA_DEBITED,
	SSA_DEBIT_REFUSED,
	SSA_STATES
};
enum {
	REASON_CLOSED,
	REASON_FROZEN,
	REASON_UNKNOWN,
	REASON_NOT_CREDITED,
	REASON_AMOUNT,
	SSA_REASONS
};
const char *ssa_reason(int64_t fate); /* fate 0: done, NULL; else reason + 1 */
int ssa_reason_of(struct str word, int64_t *fate);

struct ssa_options {
	int64_t everyone_paid; /* year: all others have paid for it; 0 = are not insured */
	int64_t tier_fen; /* what they paid */
	int64_t credit_ms, credit_refuse_permille, debit_refuse_permille, seed;
	const char *plants_file;
};
struct posting { /* a credit or debit of an account */
	struct id payment_id;
	int64_t kind, version;
	struct str number, name, village, sponsor_type, receipt;
	int64_t year, amount_fen, paid_at, at; /* at: in the treasury, or refunded */
	int64_t row;			       /* in the book */
	int64_t fate;
	bool malformed;
};
struct ssa {
	struct ssa_options options;
	struct population population;
	struct refusals refusals;
	struct plants plants;
	struct odd odd;
	struct book book;
	struct idindex index;		   /* payment id -> postings */
	struct stmt *insert, *get, *range; /* posting */
	struct stmt *changed, *changes;	   /* change */
	struct stmt *statistic, *account;
	struct posting *rows; /* ROWS_MAX: the feedback at hand */
	int64_t now;	      /* of the request at hand */
	int known_day;	      /* what the population says up to that day is known */
	int64_t next_dated;   /* of population.dated */
	int64_t last_change;  /* sequence */
};
int ssa_open(struct ssa *s, const char *file, const char *clock, const char *population,
	     const char *refuse_file, struct err *e);
void ssa_close(struct ssa *s);
void ssa_insert(struct ssa *s, const struct posting *p);
bool ssa_get(struct ssa *s, int64_t row, struct posting *p); /* texts until stmt_reset(s->get) */
/* Sets now and learns what has become known by then: a change for each person concerned, dated
 * with its day. */
void ssa_learn(struct ssa *s);

int ssa_planted(const char *file, struct err *e); /* CSV on stdout */
int ssa_report(const char *file, struct err *e); /* JSON on stdout */
int ssa_dump(const char *file, struct err *e);	 /* CSV on stdout */

route_fn ssa_enquiries, ssa_changes, ssa_feedback, ssa_credits, ssa_statistics, ssa_account;

#endif
