/* The policy of a year from its INI text. Every key must be there exactly once: a figure that
 * somebody forgot must not become a default. */
#include "domain/policy.h"
#include "base/date.h"
#include "domain/money.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

static const char *const sponsor_codes[SPONSOR_TYPES] = {
	[SPONSOR_COLLECTIVE] = "collective",	 [SPONSOR_COMMITTEE] = "committee",
	[SPONSOR_ORGANIZATION] = "organization", [SPONSOR_CHARITY] = "charity",
	[SPONSOR_INDIVIDUAL] = "individual",
};
static const char *const gate_codes[GATES] = {
	[GATE_PLAN_AGREED] = "plan_agreed",
	[GATE_PLAN_POSTED] = "plan_posted",
	[GATE_PLAN_FILED_TOWN] = "plan_filed_town",
	[GATE_PLAN_FILED_SSA] = "plan_filed_ssa",
	[GATE_AGREEMENT] = "agreement",
	[GATE_SSA_CHECK] = "ssa_check",
	[GATE_VOTE] = "vote",
	[GATE_POSTING] = "posting",
	[GATE_TOWN_APPROVAL] = "town_approval",
	[GATE_FILED] = "filed",
	[GATE_SUPERVISION] = "supervision",
};

static int index_of(const char *const *codes, int count, struct str code)
{
	for (int i = 0; i < count; i++)
		if (str_is(code, codes[i]))
			return i;
	return -1;
}

const char *sponsor_type_code(enum sponsor_type t)
{
	return sponsor_codes[t];
}

/* */
int sponsor_type_of(struct str code, enum sponsor_type *t)
{
	int i = index_of(sponsor_codes, SPONSOR_TYPES, code);

	if (i >= 0)
		*t = (enum sponsor_type)i;
	return i < 0 ? -1 : 0;
}

const char *gate_code(enum gate g)
{
	return gate_codes[g];
}

int gate_of(struct str code, enum gate *g)
{
	int i = index_of(gate_codes, GATES, code);

	if (i >= 0)
		*g = (enum gate)i;
	return i < 0 ? -1 : 0;
}

/* The keys. Section NULL means: in the section of each sponsor type. Two of a kind tell
 * themselves apart by `at`. */
enum kind { YEAR, DATE, COUNT_OF_DAYS, AMOUNT, AMOUNTS, CODE, CODES, SWITCH, GATE_SET, RULE };
static const struct key {
	const char *section, *name;
	enum kind kind;
	size_t at, count_at; /* where in struct policy, or in struct sponsor_rules */
} keys[] = {
	{"policy", "year", YEAR, offsetof(struct policy, year), 0},
	{"policy", "last_filing_day", DATE, offsetof(struct policy, last_filing_day), 0},
	{"policy", "last_instruct_day", DATE, offsetof(struct policy, last_instruct_day), 0},
	{"policy", "posting_days", COUNT_OF_DAYS, offsetof(struct policy, posting_days), 0},
	{"amounts", "tiers", AMOUNTS, offsetof(struct policy, tiers_fen),
	 offsetof(struct policy, tier_count)},
	{"amounts", "highest_tier", AMOUNT, offsetof(struct policy, highest_tier_fen), 0},
	{"amounts", "advised", AMOUNTS, offsetof(struct policy, advised_fen),
	 offsetof(struct policy, advised_count)},
	{"contribution", "insurance_kind", CODE, offsetof(struct policy, insurance_kind), 0},
	{"contribution", "payment_kinds", CODES, offsetof(struct policy, payment_kinds),
	 offsetof(struct policy, payment_kind_count)},
	{"contribution", "back_payment_kinds", CODES, offsetof(struct policy, back_payment_kinds),
	 offsetof(struct policy, back_payment_kind_count)},
	{"contribution", "paid_by_government_counts", SWITCH,
	 offsetof(struct policy, paid_by_government_counts), 0},
	{NULL, "gates", GATE_SET, offsetof(struct sponsor_rules, gates), 0},
	{NULL, "members_only", RULE, offsetof(struct sponsor_rules, members_only), 0},
	{NULL, "advised", RULE, offsetof(struct sponsor_rules, advised), 0},
	{NULL, "cap_a", RULE, offsetof(struct sponsor_rules, cap_a), 0},
	{NULL, "plan_standards", RULE, offsetof(struct sponsor_rules, plan_standards), 0},
	{NULL, "plan_on_file", RULE, offsetof(struct sponsor_rules, plan_on_file), 0},
	{NULL, "documents", RULE, offsetof(struct sponsor_rules, documents), 0},
};

struct reader {
	struct policy *p;
	struct complaints *why;
	int seen[SPONSOR_TYPES]
		[COUNT(keys)]; /* the line; a key outside of the sponsors' sections uses row 0 */
};

/* The next word of a list; blanks part words. */
static bool word(struct str *rest, struct str *w)
{
	size_t i = 0, start;

	while (i < rest->n && (rest->p[i] == ' ' || rest->p[i] == '\t'))
		i++;
	start = i;
	while (i < rest->n && rest->p[i] != ' ' && rest->p[i] != '\t')
		i++;
	*w = (struct str){rest->p + start, i - start};
	*rest = (struct str){rest->p + i, rest->n - i};
	return w->n > 0;
}

static void read_amounts(struct reader *r, int line, const struct key *k, struct str value)
{
	int64_t *to = (int64_t *)(void *)((char *)r->p + k->at);
	int *count = (int *)(void *)((char *)r->p + k->count_at);
	struct str w;

	while (word(&value, &w)) {
		if (*count == POLICY_AMOUNTS_MAX) {
			complain(r->why, line, "%s: more than %d amounts", k->name,
				 POLICY_AMOUNTS_MAX);
			return;
		}
		if (money_parse(w, &to[*count]) != NULL)
			complain(r->why, line, "%s: not an amount in yuan: %.*s", k->name, (int)w.n,
				 w.p);
		else if (*count > 0 && to[*count] <= to[*count - 1])
			complain(r->why, line, "%s: amounts must rise: %.*s", k->name, (int)w.n,
				 w.p);
		else
			++*count;
	}
	if (*count == 0)
		complain(r->why, line, "%s: no amount", k->name);
}

static void read_codes(struct reader *r, int line, const struct key *k, struct str value)
{
	char(*to)[8] = (char(*)[8])(void *)((char *)r->p + k->at);
	int *count = (int *)(void *)((char *)r->p + k->count_at);
	struct str w;

	while (word(&value, &w)) {
		if (*count == 8) {
			complain(r->why, line, "%s: more than 8 codes", k->name);
			return;
		}
		if (str_copy(to[*count], sizeof(to[0]), w) != 0)
			complain(r->why, line, "%s: code too long: %.*s", k->name, (int)w.n, w.p);
		else
			++*count;
	}
	if (*count == 0)
		complain(r->why, line, "%s: no code", k->name);
}

/* An empty list is allowed: a sponsor type without gates is a policy, if an unlikely one. */
static void read_gates(struct reader *r, int line, struct sponsor_rules *to, struct str value)
{
	struct str w;
	enum gate g;

	while (word(&value, &w)) {
		if (gate_of(w, &g) != 0)
			complain(r->why, line, "gates: no such gate: %.*s", (int)w.n, w.p);
		else if (g == GATE_SUPERVISION)
			complain(r->why, line, "gates: supervision never blocks");
		else
			to->gates |= UINT32_C(1) << g;
	}
}

static void read_switch(struct reader *r, int line, const struct key *k, bool *to, struct str value)
{
	if (str_is(value, "yes"))
		*to = true;
	else if (!str_is(value, "no"))
		complain(r->why, line, "%s: must be yes or no", k->name);
}

static void read_value(struct reader *r, int line, const struct key *k, int sponsor,
		       struct str value)
{
	char *at = (char *)r->p + k->at, *rule = (char *)&r->p->rules[sponsor] + k->at;
	int64_t n = 0;

	switch (k->kind) {
	case YEAR:
		if (str_int(value, 1900, 9999, &n) != 0)
			complain(r->why, line, "%s: not a year", k->name);
		else if (n != r->p->year)
			complain(r->why, line, "year: %d expected, by the name of the file",
				 r->p->year);
		break;
	case DATE:
		if (date_parse(value, (int *)(void *)at) != 0)
			complain(r->why, line, "%s: not a date like 2026-12-31", k->name);
		break;
	case COUNT_OF_DAYS:
		if (str_int(value, 0, 60, &n) != 0)
			complain(r->why, line, "%s: 0 to 60 days", k->name);
		*(int *)(void *)at = (int)n;
		break;
	case AMOUNT:
		if (money_parse(value, (int64_t *)(void *)at) != NULL)
			complain(r->why, line, "%s: not an amount in yuan", k->name);
		break;
	case AMOUNTS:
		read_amounts(r, line, k, value);
		break;
	case CODE:
		if (value.n == 0 || str_copy(at, 8, value) != 0)
			complain(r->why, line, "%s: a code of 1 to 7 characters", k->name);
		break;
	case CODES:
		read_codes(r, line, k, value);
		break;
	case SWITCH:
		read_switch(r, line, k, (bool *)at, value);
		break;
	case GATE_SET:
		read_gates(r, line, (struct sponsor_rules *)(void *)rule, value);
		break;
	case RULE:
		read_switch(r, line, k, (bool *)rule, value);
		break;
	}
}

static void read_key(void *arg, int line, struct str section, struct str name, struct str value)
{
	struct reader *r = arg;
	int sponsor = index_of(sponsor_codes, SPONSOR_TYPES, section);
	bool known = sponsor >= 0;

	for (int i = 0; i < COUNT(keys); i++) {
		const struct key *k = &keys[i];
		int *seen = &r->seen[sponsor < 0 ? 0 : sponsor][i];

		if (k->section == NULL ? sponsor < 0 : !str_is(section, k->section))
			continue;
		known = true;
		if (!str_is(name, k->name))
			continue;
		if (*seen != 0) {
			complain(r->why, line, "%s: already given on line %d", k->name, *seen);
			return;
		}
		*seen = line;
		read_value(r, line, k, sponsor < 0 ? 0 : sponsor, value);
		return;
	}
	if (known)
		complain(r->why, line, "[%.*s] has no key %.*s", (int)section.n, section.p,
			 (int)name.n, name.p);
	else
		complain(r->why, line, "no such section: [%.*s]", (int)section.n, section.p);
}

static void check_all_there(struct reader *r)
{
	for (int i = 0; i < COUNT(keys); i++)
		for (int t = 0; t < (keys[i].section == NULL ? SPONSOR_TYPES : 1); t++)
			if (r->seen[t][i] == 0)
				complain(r->why, 0, "[%s] %s is missing",
					 keys[i].section == NULL ? sponsor_codes[t]
								 : keys[i].section,
					 keys[i].name);
}

/* What no single key shows: figures that contradict one another. */
static void check_sense(const struct policy *p, struct complaints *why)
{
	if (p->highest_tier_fen != p->tiers_fen[p->tier_count - 1])
		complain(why, 0, "highest_tier is not the highest of tiers");
	if (p->advised_fen[p->advised_count - 1] > p->highest_tier_fen)
		complain(why, 0, "advised: above the highest tier");
	if (date_year(p->last_filing_day) != p->year)
		complain(why, 0, "last_filing_day is not in %d", p->year);
	if (p->last_instruct_day < p->last_filing_day ||
	    date_year(p->last_instruct_day) > p->year + 1)
		complain(why, 0,
			 "last_instruct_day must lie between last_filing_day and the end of %d",
			 p->year + 1);
}

/* */
int policy_parse(struct policy *p, int year, struct str text, struct complaints *why)
{
	struct reader r = {.p = p, .why = why};
	int before = why->count;

	memset(p, 0, sizeof(*p));
	p->year = year;
	ini_parse(text, read_key, &r, why);
	check_all_there(&r);
	if (why->count == before)
		check_sense(p, why);
	return why->count == before ? 0 : -1;
}
