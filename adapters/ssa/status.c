/* A person's record as the SSA tells it, in an answer and in its feed alike. Pure. */
#include "adapters/ssa/ssa.h"

enum { WORD_MAX = 16 };
#define TIER_MAX INT64_C(100000000000)

static int read_outside(const json_t *person, struct contribution_status *out, struct ev_outside *outside);
static int read_entry(const json_t *o, struct ev_contribution *c);

int status_read(const json_t *person, struct contribution_status *out, struct ev_outside *outside,
		struct ev_contribution *entries)
{
	const json_t *list = jsonin_list(person, "contributions");
	size_t count = json_array_size(list);

	*out = (struct contribution_status){.entries = entries, .entry_count = (int32_t)count};
	if (!list || count > STATUS_ENTRIES_MAX ||
	    jsonin_int(person, "sequence", 0, INT64_MAX, &out->sequence) != 0 ||
	    jsonin_bool(person, "insured", &out->insured) != 0 ||
	    jsonin_str(person, "insured_state", WORD_MAX, &out->insured_state) != 0 ||
	    jsonin_date_or_null(person, "pension_start", &out->pension_start) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (read_entry(json_array_get(list, i), &entries[i]) != 0)
			return -1;
	}
	return read_outside(person, out, outside);
}

/* An agency that does not tell of others' money has none to tell of. */
static int read_outside(const json_t *person, struct contribution_status *out, struct ev_outside *outside)
{
	const json_t *all = json_object_get(person, "outside"), *list = jsonin_list(person, "outside");
	size_t count = json_array_size(list);
	int64_t year;

	if (all == NULL || json_is_null(all))
		return 0;
	if (!list || count > STATUS_OUTSIDE_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const json_t *o = json_array_get(list, i);

		if (jsonin_int(o, "for_year", 1900, 2200, &year) != 0 ||
		    jsonin_int(o, "amount_fen", 0, TIER_MAX, &outside[i].amount_fen) != 0)
			return -1;
		outside[i].for_year = (int32_t)year;
	}
	out->outside = outside;
	out->outside_count = (int32_t)count;
	return 0;
}

static int read_entry(const json_t *o, struct ev_contribution *c)
{
	int64_t year;

	*c = (struct ev_contribution){0};
	if (jsonin_int(o, "for_year", 1900, 2200, &year) != 0 ||
	    jsonin_str(o, "kind", WORD_MAX, &c->kind) != 0 ||
	    jsonin_str(o, "paid_by", WORD_MAX, &c->paid_by) != 0 ||
	    jsonin_int(o, "tier_fen", 0, TIER_MAX, &c->tier_fen) != 0 ||
	    jsonin_date(o, "paid_on", &c->paid_on) != 0 ||
	    jsonin_date_or_null(o, "arrived_on", &c->arrived_on) != 0 ||
	    jsonin_date_or_null(o, "refunded_on", &c->refunded_on) != 0)
		return -1;
	c->for_year = (int32_t)year;
	return 0;
}
