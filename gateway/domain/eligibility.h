/* Is this person's contribution for this year good for a subsidy: the plan's "who" (domain.md
 * 2.1). Pure. */
#ifndef QIAO_DOMAIN_ELIGIBILITY_H
#define QIAO_DOMAIN_ELIGIBILITY_H
#include "domain/policy.h"

struct contribution { /* one entry of the SSA's list */
	int for_year;
	struct str kind;    /* AAA115 */
	struct str paid_by; /* AAE341: "1" own, "11" government */
	int64_t tier_fen;
	int paid_on, arrived_on, refunded_on; /* DATE_NONE = not (yet) */
};
enum eligible { ELIGIBLE_YES, ELIGIBLE_NOT_YET, ELIGIBLE_NO };
/* Judged by the day `today` (of instructing or checking). NOT_YET (wait and ask again):
 * contribution_missing (no entry for the year), contribution_not_arrived. NO (final):
 * drawing_pension (pension start on or before today, or insured state 4 / "drawing"),
 * not_insured, back_payment_only (only one-off back-payment entries cover the year),
 * past_year_only (only entries for other years, and cut off passed: given as
 * contribution_missing before), contribution_refunded, paid_by_government (where policy says it
 * does not count). An arrival after `cut_off` (date) does not count. *why is the reason code,
 * NULL for YES. */
enum eligible eligibility(const struct policy *p, bool insured, struct str insured_state,
			  int pension_start, const struct contribution *list, int count, int today,
			  int cut_off, const char **why);

#endif
