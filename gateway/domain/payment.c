/* The life of a payment as two tables: how a fact joins the facts so far, and what state a set
 * of facts means. */
#include "domain/payment.h"
#include <assert.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const fact_codes[] = {
	"declared",	    "rejected",	      "filed",	     "instructed",
	"accepted",	    "paid",	      "in_treasury", "fed_back",
	"credited",	    "credit_refused", "failed",	     "doubt",
	"refund_requested", "refund_doubt",   "refunded",    "debited",
	"debit_refused",    "expired",	      "withdrawn",   "refund_refused",
};

const char *fact_code(enum fact f)
{
	for (size_t i = 0; i < COUNT(fact_codes); i++)
		if ((uint32_t)f == UINT32_C(1) << i)
			return fact_codes[i];
	return "unknown";
}

/* Read top down; the first row whose facts are all there and whose forbidden facts are all
 * absent gives the state. Ends come first, then what happened to the money last. A doubt counts
 * only while nothing later is known. */
static const struct {
	uint32_t required, forbidden;
	enum state state;
} state_table[] = {
	{F_REJECTED, 0, ST_REJECTED},
	{F_WITHDRAWN, 0, ST_WITHDRAWN},
	{F_EXPIRED, 0, ST_EXPIRED},
	{F_FAILED, 0, ST_FAILED},
	{F_REFUNDED, 0, ST_REFUNDED},
	{F_REFUND_DOUBT, 0, ST_REFUND_IN_DOUBT},
	{F_REFUND_REQUESTED, 0, ST_REFUND_REQUESTED},
	{F_CREDITED, 0, ST_CREDITED},
	{F_CREDIT_REFUSED, 0, ST_CREDIT_REFUSED},
	{F_IN_TREASURY, 0, ST_IN_TREASURY},
	{F_PAID, 0, ST_PAID},
	{F_DOUBT, F_ACCEPTED, ST_IN_DOUBT},
	{F_ACCEPTED, 0, ST_ACCEPTED},
	{F_INSTRUCTED, 0, ST_INSTRUCTED},
	{F_FILED, 0, ST_PENDING},
	{0, 0, ST_STAGED},
};

enum state state_of(uint32_t facts)
{
	size_t i = 0;

	while ((facts & state_table[i].required) != state_table[i].required ||
	       (facts & state_table[i].forbidden) != 0)
		i++; /* the last row takes everything */
	return state_table[i].state;
}

/* What each state means to the statement and to the flow. */
static const struct {
	const char *code;
	enum stat_column column;
	bool final, live;
} states[STATES] = {
	[ST_STAGED] = {"staged", SC_STAGED, false, true},
	[ST_REJECTED] = {"rejected", SC_REJECTED, true, false},
	[ST_PENDING] = {"pending", SC_PENDING, false, true},
	[ST_INSTRUCTED] = {"instructed", SC_IN_FLIGHT, false, true},
	[ST_ACCEPTED] = {"accepted", SC_IN_FLIGHT, false, true},
	[ST_PAID] = {"paid", SC_AWAITING_CREDIT, false, true},
	[ST_IN_TREASURY] = {"in_treasury", SC_AWAITING_CREDIT, false, true},
	[ST_CREDITED] = {"credited", SC_CREDITED, true, true},
	[ST_CREDIT_REFUSED] = {"credit_refused", SC_CREDIT_REFUSED, true, true},
	[ST_FAILED] = {"failed", SC_FAILED, true, false},
	[ST_IN_DOUBT] = {"in_doubt", SC_IN_DOUBT, false, true},
	[ST_REFUND_REQUESTED] = {"refund_requested", SC_REFUND_REQUESTED, false, true},
	[ST_REFUND_IN_DOUBT] = {"refund_in_doubt", SC_REFUND_IN_DOUBT, false, true},
	[ST_REFUNDED] = {"refunded", SC_REFUNDED, true, false},
	[ST_EXPIRED] = {"expired", SC_EXPIRED, true, false},
	[ST_WITHDRAWN] = {"withdrawn", SC_WITHDRAWN, true, false},
};

const char *state_code(enum state s)
{
	return states[s].code;
}

bool state_final(enum state s)
{
	return states[s].final;
}

bool state_live(enum state s)
{
	return states[s].live;
}

/* */
enum stat_column stat_column_of(enum state s)
{
	return states[s].column;
}

const char *stat_column_code(enum stat_column c)
{
	static const char *const codes[STAT_COLUMNS] = {
		[SC_STAGED] = "staged",
		[SC_REJECTED] = "rejected",
		[SC_WITHDRAWN] = "withdrawn",
		[SC_EXPIRED] = "expired",
		[SC_PENDING] = "pending",
		[SC_IN_FLIGHT] = "in_flight",
		[SC_IN_DOUBT] = "in_doubt",
		[SC_FAILED] = "failed",
		[SC_REFUND_REQUESTED] = "refund_requested",
		[SC_REFUND_IN_DOUBT] = "refund_in_doubt",
		[SC_REFUNDED] = "refunded",
		[SC_CREDITED] = "credited",
		[SC_CREDIT_REFUSED] = "credit_refused",
		[SC_AWAITING_CREDIT] = "awaiting_credit",
		[SC_UNREADABLE] = "unreadable",
	};

	return codes[c];
}

/* The way up to a fact: each includes the ones before. */
#define TO_FILED (F_DECLARED | F_FILED)
#define TO_INSTRUCTED (TO_FILED | F_INSTRUCTED)
#define TO_ACCEPTED (TO_INSTRUCTED | F_ACCEPTED)
#define TO_PAID (TO_ACCEPTED | F_PAID)
#define TO_CREDITED (TO_PAID | F_IN_TREASURY | F_FED_BACK)
/* Ends that no money fact can follow. */
#define UNPAID_ENDS (F_REJECTED | F_FAILED | F_EXPIRED | F_WITHDRAWN)
#define CLOSED (F_REJECTED | F_EXPIRED | F_WITHDRAWN)

/* How a fact joins. needs: without these it contradicts (a refund of what was never paid).
 * against: facts that it contradicts. old: facts after which it tells nothing new. implies: the
 * steps that must have happened before it. clears: what it answers. */
static const struct {
	enum fact fact;
	uint32_t needs, against, old, implies, clears;
} joins[] = {
	{F_DECLARED, 0, 0, F_ALL, 0, 0},
	{F_REJECTED, 0, F_INSTRUCTED | F_EXPIRED | F_WITHDRAWN, 0, F_DECLARED,
	 0}, /* also of a filed row: not eligible */
	{F_FILED, 0, UNPAID_ENDS, 0, F_DECLARED, 0},
	{F_INSTRUCTED, 0, UNPAID_ENDS, 0, TO_FILED, 0},
	{F_ACCEPTED, 0, CLOSED, F_FAILED, TO_INSTRUCTED, F_DOUBT},
	{F_PAID, 0, UNPAID_ENDS, 0, TO_ACCEPTED, F_DOUBT},
	{F_IN_TREASURY, 0, UNPAID_ENDS, 0, TO_PAID, F_DOUBT},
	{F_FED_BACK, 0, UNPAID_ENDS, 0, TO_PAID, F_DOUBT},
	{F_CREDITED, 0, UNPAID_ENDS, 0, TO_CREDITED, F_DOUBT},
	{F_CREDIT_REFUSED, 0, UNPAID_ENDS | F_CREDITED, 0, TO_PAID | F_FED_BACK, F_DOUBT},
	{F_FAILED, 0, CLOSED | F_PAID, 0, TO_INSTRUCTED, F_DOUBT},
	{F_DOUBT, 0, CLOSED, F_ACCEPTED | F_FAILED, TO_INSTRUCTED, 0},
	{F_REFUND_REQUESTED, F_PAID, UNPAID_ENDS, F_REFUNDED, 0, F_REFUND_REFUSED},
	{F_REFUND_DOUBT, F_PAID, UNPAID_ENDS, F_REFUNDED, F_REFUND_REQUESTED, F_REFUND_REFUSED},
	/* a second reversal may be asked for, and refused too */
	{F_REFUND_REFUSED, F_REFUND_REQUESTED, UNPAID_ENDS | F_REFUNDED, 0, 0,
	 F_REFUND_REQUESTED | F_REFUND_DOUBT},
	{F_REFUNDED, 0, UNPAID_ENDS, 0, TO_PAID, F_DOUBT | F_REFUND_DOUBT | F_REFUND_REFUSED},
	{F_DEBITED, F_REFUNDED, UNPAID_ENDS, 0, 0, 0},
	{F_DEBIT_REFUSED, F_REFUNDED, UNPAID_ENDS | F_DEBITED, 0, 0, 0},
	{F_EXPIRED, 0, F_REJECTED | F_WITHDRAWN | F_INSTRUCTED, 0, F_DECLARED, 0},
	{F_WITHDRAWN, 0, F_REJECTED | F_EXPIRED | F_INSTRUCTED, 0, F_DECLARED, 0},
};

static size_t join_of(enum fact f)
{
	size_t i = 0;

	while (i < COUNT(joins) && joins[i].fact != f)
		i++;
	assert(i < COUNT(joins));
	return i;
}

uint32_t fact_clears(enum fact f)
{
	return joins[join_of(f)].clears;
}

enum absorb fact_absorb(uint32_t *facts, enum fact f, uint32_t *implied)
{
	size_t i = join_of(f);

	*implied = 0;
	if ((*facts & f) != 0)
		return ABSORB_OLD;
	if ((*facts & joins[i].against) != 0 || (*facts & joins[i].needs) != joins[i].needs)
		return ABSORB_CONTRADICTION;
	if ((*facts & joins[i].old) != 0)
		return ABSORB_OLD;
	*implied = joins[i].implies & ~*facts;
	*facts = (*facts | f | joins[i].implies) & ~joins[i].clears;
	return ABSORB_NEW;
}
