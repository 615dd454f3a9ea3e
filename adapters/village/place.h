/* Which village, which year: from what a roster's head says and the reference data. Pure. */
#ifndef QIAO_VILLAGE_PLACE_H
#define QIAO_VILLAGE_PLACE_H
#include "adapters/village/refusal.h"
#include "adapters/village/roster.h"
#include "flow/reference.h"

/* The village, or NULL and *why: village_missing, village_unknown, village_ambiguous,
 * town_unknown, year_missing, year_unknown. Where no head line names one, a name in the title
 * counts when it is the only one. */
const struct village *place_of(const struct roster *r, const struct reference *ref,
			       struct refusal *why);

#endif
