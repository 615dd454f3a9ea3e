/* The plan's "who", by the person's own contributions: paid this year, in the normal way,
 * arrived, and not yet drawing a pension. Back-paid years, past years and pensioners are three
 * different answers, because the clerk does something else about each. */
#include "domain/eligibility.h"
#include "base/date.h"

/* What the entries say together: a bit for each kind of entry that was seen. */
enum {
	SEEN_GOOD = 1 << 0,
	SEEN_NOT_ARRIVED = 1 << 1,
	SEEN_REFUNDED = 1 << 2,
	SEEN_GOVERNMENT = 1 << 3,
	SEEN_BACK_PAYMENT = 1 << 4,
	SEEN_OTHER_YEAR = 1 << 5,
	SEEN_OTHER_KIND = 1 << 6,
};

static bool one_of(const char (*codes)[8], int count, struct str code)
{
	for (int i = 0; i < count; i++)
		if (str_is(code, codes[i]))
			return true;
	return false;
}

/* R-04 R-05 R-10 R-11 */
static unsigned classify(const struct policy *p, const struct contribution *c, int today,
			 int cut_off)
{
	if (c->for_year != p->year)
		return SEEN_OTHER_YEAR;
	if (one_of(p->back_payment_kinds, p->back_payment_kind_count, c->kind))
		return SEEN_BACK_PAYMENT;
	if (!one_of(p->payment_kinds, p->payment_kind_count, c->kind))
		return SEEN_OTHER_KIND;
	if (c->refunded_on != DATE_NONE)
		return SEEN_REFUNDED;
	if (str_is(c->paid_by, "11") && !p->paid_by_government_counts)
		return SEEN_GOVERNMENT;
	if (c->arrived_on == DATE_NONE || c->arrived_on > today || c->arrived_on > cut_off)
		return SEEN_NOT_ARRIVED;
	return SEEN_GOOD;
}

/* R-04 R-06 R-11 */
enum eligible eligibility(const struct policy *p, bool insured, struct str insured_state,
			  int pension_start, const struct contribution *list, int count, int today,
			  int cut_off, const char **why)
{
	/* Read top down: what is better for the person stands first, so that an entry of another
	 * kind never hides a good one. */
	static const struct {
		unsigned seen;
		enum eligible answer;
		const char *why;
	} verdicts[] = {
		{SEEN_GOOD, ELIGIBLE_YES, NULL},
		{SEEN_NOT_ARRIVED, ELIGIBLE_NOT_YET, "contribution_not_arrived"},
		{SEEN_REFUNDED, ELIGIBLE_NO, "contribution_refunded"},
		{SEEN_GOVERNMENT, ELIGIBLE_NO, "paid_by_government"},
		{SEEN_BACK_PAYMENT, ELIGIBLE_NO, "back_payment_only"},
	};
	unsigned seen = 0;

	*why = NULL;
	if ((pension_start != DATE_NONE && pension_start <= today) || str_is(insured_state, "4") ||
	    str_is(insured_state, "drawing")) {
		*why = "drawing_pension";
		return ELIGIBLE_NO;
	}
	if (!insured || str_is(insured_state, "0")) {
		*why = "not_insured";
		return ELIGIBLE_NO;
	}
	for (int i = 0; i < count; i++)
		seen |= classify(p, &list[i], today, cut_off);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if ((seen & verdicts[i].seen) == 0)
			continue;
		*why = verdicts[i].why;
		return verdicts[i].answer;
	}
	if (seen == SEEN_OTHER_YEAR && today > cut_off) {
		*why = "past_year_only";
		return ELIGIBLE_NO;
	}
	*why = "contribution_missing";
	return ELIGIBLE_NOT_YET;
}
