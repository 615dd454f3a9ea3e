/* The life of a payment: facts are stored, the state is derived from them by one table, and each
 * state falls in exactly one column of the statement (design, promise 3 and section 7). Pure. */
#ifndef QIAO_DOMAIN_PAYMENT_H
#define QIAO_DOMAIN_PAYMENT_H
#include "base/str.h"
#include <stdbool.h>

/* Facts about one declaration (roster row) and the payment that came of it. Bits of a set;
 * F_DOUBT and what is said of a refund that the bureau then refuses are taken away again by a later
 * answer; the history keeps them. */
enum fact {
	F_DECLARED = 1 << 0,
	F_REJECTED = 1 << 1,
	F_FILED = 1 << 2,	/* gates passed, cap B reserved: a payment exists */
	F_INSTRUCTED = 1 << 3,	/* SubsidyPayment decided */
	F_ACCEPTED = 1 << 4,	/* the tax bureau took it (02 declared) */
	F_PAID = 1 << 5,	/* 03 */
	F_IN_TREASURY = 1 << 6, /* 04 */
	F_FED_BACK = 1 << 7,	/* CollectedSubsidy decided */
	F_CREDITED = 1 << 8,
	F_CREDIT_REFUSED = 1 << 9,
	F_FAILED = 1 << 10, /* refused by the tax bureau: final */
	F_DOUBT = 1 << 11,  /* sent, outcome unknown */
	F_REFUND_REQUESTED = 1 << 12,
	F_REFUND_DOUBT = 1 << 13,
	F_REFUNDED = 1 << 14,
	F_DEBITED = 1 << 15, /* the SSA took the refunded amount off the account */
	F_DEBIT_REFUSED = 1 << 16,
	F_EXPIRED = 1 << 17,
	F_WITHDRAWN = 1 << 18,
	F_REFUND_REFUSED = 1 << 19, /* the bureau does not refund: the payment is what it was */
	F_ALL = (1 << 20) - 1,
};
const char *fact_code(enum fact f); /* "paid" ... */

enum state {
	ST_STAGED,
	ST_REJECTED,
	ST_PENDING,
	ST_INSTRUCTED,
	ST_ACCEPTED,
	ST_PAID,
	ST_IN_TREASURY,
	ST_CREDITED,
	ST_CREDIT_REFUSED,
	ST_FAILED,
	ST_IN_DOUBT,
	ST_REFUND_REQUESTED,
	ST_REFUND_IN_DOUBT,
	ST_REFUNDED,
	ST_EXPIRED,
	ST_WITHDRAWN,
	STATES
};
const char *state_code(enum state s);
enum state state_of(uint32_t facts);
/* no answer will follow but by a reversal or refund (or what a person settles, after
 * credit_refused) */
bool state_final(enum state s);
/* holds its tuple and its reservation: not failed, expired, withdrawn, refunded, rejected */
bool state_live(enum state s);

/* Columns of promise 3. The first nine (leaves below collected replaced) add up to declared. */
enum stat_column {
	SC_STAGED,
	SC_REJECTED,
	SC_WITHDRAWN,
	SC_EXPIRED,
	SC_PENDING,
	SC_IN_FLIGHT,
	SC_IN_DOUBT,
	SC_FAILED,
	SC_REFUND_REQUESTED,
	SC_REFUND_IN_DOUBT,
	SC_REFUNDED,
	SC_CREDITED,
	SC_CREDIT_REFUSED,
	SC_AWAITING_CREDIT,
	/* rows whose amount cannot be read: count with 0 fen; rejected rows, a column of their
	 * own */
	SC_UNREADABLE,
	STAT_COLUMNS
};
const char *stat_column_code(enum stat_column c);
/* Exactly one for each state (unreadable is chosen by who knows the amount). */
enum stat_column stat_column_of(enum state s);

/* What a new fact does to the facts so far. */
enum absorb {
	/* *facts changed (a forward jump sets the steps between; those bits are given in
	 * *implied) */
	ABSORB_NEW,
	/* a repeat or an older fact: counted, nothing changes */
	ABSORB_OLD,
	/* failed after paid, paid after failed, ...: a difference for a person; nothing changes */
	ABSORB_CONTRADICTION,
};
/* A fact that is there already is OLD, even after what undid it: whether "paid" after "refunded"
 * is a stale repeat or a second payment is for who holds the outside's sequence numbers. A filed
 * row can still be rejected (not eligible), expire or be withdrawn; from instructing on only the
 * bureau ends it. */
enum absorb fact_absorb(uint32_t *facts, enum fact f, uint32_t *implied);
uint32_t fact_clears(enum fact f); /* the facts that it answers */

/* Payment id (design, section 4): whose money, for whom, which year, the n-th. */
struct payment_tuple {
	int year;
	struct id sponsor, token;
	int n; /* earlier payments of this tuple that ended */
};

#endif
