/* The gates of a case in the plan's order. The first gate that does not hold decides: what comes
 * after it cannot be judged. */
#include "domain/gates.h"
#include "base/date.h"

static const char *const codes[] = {
	"gate_missing",	     "gate_in_future", "gate_roster_not_cited", "gate_out_of_order",
	"posting_too_short", "filed_too_late", "calendar_unknown",	"filed_in_other_year",
	"document_missing",
};

const char *const *gate_reason_codes(int *count)
{
	*count = (int)(sizeof(codes) / sizeof(codes[0]));
	return codes;
}

#define BIT(g) (UINT32_C(1) << (g))

/* Which gates come before each (a gate that the sponsor type does not need is passed over, so
 * all that come before are named), and which cite the roster. The two filings of a plan, with
 * the town and with the SSA, have no order between them. */
#define TO_POSTED (BIT(GATE_PLAN_AGREED) | BIT(GATE_PLAN_POSTED))
#define TO_PLAN \
	(TO_POSTED | BIT(GATE_PLAN_FILED_TOWN) | BIT(GATE_PLAN_FILED_SSA) | BIT(GATE_AGREEMENT))
#define TO_CHECK (TO_PLAN | BIT(GATE_SSA_CHECK))
static const struct {
	uint32_t after;
	bool cites;
} order[GATES] = {
	[GATE_PLAN_AGREED] = {0, false}, /* */
	[GATE_PLAN_POSTED] = {BIT(GATE_PLAN_AGREED), false}, /* */
	[GATE_PLAN_FILED_TOWN] = {TO_POSTED, false}, /* */
	[GATE_PLAN_FILED_SSA] = {TO_POSTED, false}, /* */
	[GATE_AGREEMENT] = {0, false},
	[GATE_SSA_CHECK] = {TO_PLAN, false}, /* */
	[GATE_VOTE] = {TO_CHECK, true}, /* */
	[GATE_POSTING] = {TO_CHECK | BIT(GATE_VOTE), true}, /* */
	/* */
	[GATE_TOWN_APPROVAL] = {TO_CHECK | BIT(GATE_VOTE) | BIT(GATE_POSTING), true},
	/* */
	[GATE_FILED] = {TO_CHECK | BIT(GATE_VOTE) | BIT(GATE_POSTING) | BIT(GATE_TOWN_APPROVAL),
			true},
};

/* A roster must have been up for the plan's full working days: what follows may happen on the
 * day after the last of them. R-23 */
static const char *judge_posting(const struct policy *p, const struct calendar *cal,
				 const struct gate_fact *f, int *free_from)
{
	int end;

	if (calendar_posting_end(cal, f->date, p->posting_days, &end) != 0)
		return "calendar_unknown";
	*free_from = end + 1;
	return f->until < end ? "posting_too_short" : NULL;
}

/* */
static const char *judge_filing_day(const struct policy *p, int day)
{
	if (day > p->last_filing_day)
		return "filed_too_late";
	return date_year(day) != p->year ? "filed_in_other_year" : NULL;
}

/* Filing through Qiao is the application itself: an undated filing counts for the day on which
 * it was received. */
static int day_of(enum gate g, const struct gate_fact *f, int received_on)
{
	return g == GATE_FILED && f->date == DATE_NONE ? received_on : f->date;
}

/* Filing shows plan, resolution, posting material and the bureau's acceptance number. */
#define PAPERS (BIT(GATE_PLAN_AGREED) | BIT(GATE_VOTE) | BIT(GATE_POSTING) | BIT(GATE_FILED))

/* Holds, or is held: what may still come right by a further document or by time. R-07 R-25 R-27 */
static const char *held(enum gate g, const struct gate_fact *f, bool papers, int received_on)
{
	int day = day_of(g, f, received_on);
	bool posting = g == GATE_POSTING;

	if (!f->there || day == DATE_NONE || (posting && f->until == DATE_NONE))
		return "gate_missing";
	if (papers && (PAPERS & BIT(g)) != 0 && !f->shown)
		return "document_missing";
	if (order[g].cites && !f->cites_roster)
		return "gate_roster_not_cited";
	return day > received_on || (posting && f->until > received_on) ? "gate_in_future" : NULL;
}

/* Judges one gate of those that are needed. not_before: for each gate that held, the first day
 * on which what follows may be. */
static enum gates_answer judge_one(const struct policy *p, const struct calendar *cal,
				   const struct sponsor_rules *r, enum gate g, const struct gate_fact *f,
				   int received_on, int not_before[GATES], const char **why)
{
	int day = day_of(g, f, received_on);

	/* A filing outside of the filing time stays refused, whatever else may still come. */
	*why = g == GATE_FILED && f->there ? judge_filing_day(p, day) : NULL;
	if (*why != NULL)
		return GATES_REFUSED;
	*why = held(g, f, r->documents, received_on);
	if (*why != NULL)
		return GATES_HELD;
	for (int b = 0; b < (int)g; b++)
		if ((r->gates & order[g].after & BIT(b)) != 0 && day < not_before[b])
			*why = "gate_out_of_order";
	not_before[g] = day;
	if (*why == NULL && g == GATE_POSTING)
		*why = judge_posting(p, cal, f, &not_before[g]);
	return *why == NULL ? GATES_PASSED : GATES_REFUSED;
}

enum gates_answer gates_judge(const struct policy *p, const struct calendar *cal,
			      enum sponsor_type t, const struct gate_fact facts[GATES],
			      int received_on, enum gate *which, const char **why)
{
	uint32_t needed = p->rules[t].gates;
	int not_before[GATES] = {0};

	for (int g = 0; g < GATES; g++) {
		enum gates_answer answer;

		*which = (enum gate)g;
		if ((needed & BIT(g)) == 0)
			continue;
		answer = judge_one(p, cal, &p->rules[t], (enum gate)g, &facts[g], received_on, not_before,
				   why);
		if (answer != GATES_PASSED)
			return answer;
	}
	*which = GATE_FILED;
	*why = (needed & BIT(GATE_FILED)) == 0 ? judge_filing_day(p, received_on) : NULL;
	return *why == NULL ? GATES_PASSED : GATES_REFUSED;
}
