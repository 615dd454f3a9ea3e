/* The policy of one year, from config/policy/<year>.ini: figures and switches that the plan
 * leaves to the year. Pure: parses text. A year without a policy is refused by who loads it
 * (flow/reference.h); nothing is guessed. */
#ifndef QIAO_DOMAIN_POLICY_H
#define QIAO_DOMAIN_POLICY_H
#include "base/ini.h"
#include <stdbool.h>

enum sponsor_type {
	SPONSOR_COLLECTIVE,
	SPONSOR_COMMITTEE,
	SPONSOR_ORGANIZATION,
	SPONSOR_CHARITY,
	SPONSOR_INDIVIDUAL,
	SPONSOR_TYPES
};
const char *sponsor_type_code(enum sponsor_type t); /* "collective" ... */
int sponsor_type_of(struct str code, enum sponsor_type *t);

/* The gates of the plan in their order (domain.md 2.5). */
enum gate {
	GATE_PLAN_AGREED,
	GATE_PLAN_POSTED,
	GATE_PLAN_FILED_TOWN,
	GATE_PLAN_FILED_SSA,
	GATE_AGREEMENT,
	GATE_SSA_CHECK,
	GATE_VOTE,
	GATE_POSTING,
	GATE_TOWN_APPROVAL,
	GATE_FILED,
	GATE_SUPERVISION, /* watches the whole: recorded, never blocks; in no policy */
	GATES
};
const char *gate_code(enum gate g); /* "plan_agreed" ... */
int gate_of(struct str code, enum gate *g);

#define POLICY_AMOUNTS_MAX 16
struct sponsor_rules {
	uint32_t gates;	   /* bit set of enum gate that must be passed */
	bool members_only; /* membership in the collective is asked for */
	/* advised amounts apply: below the highest advised one, another amount is a warning */
	bool advised;
	bool cap_a;	     /* a row may not exceed the highest tier */
	bool plan_standards; /* the amount must be one of the filed plan's standards */
	bool plan_on_file;   /* a plan must be there; gates and standards of the plan are its own */
	bool documents;	     /* plan, resolution, posting and acceptance number are shown */
};
struct policy {
	int year;
	int64_t tiers_fen[POLICY_AMOUNTS_MAX];
	int tier_count;
	int64_t highest_tier_fen; /* caps A and B */
	int64_t advised_fen[POLICY_AMOUNTS_MAX];
	int advised_count;
	int last_filing_day;	  /* date; December 31 */
	int last_instruct_day;	  /* date; none is instructed after it (late-arrival window) */
	int posting_days;	  /* working days, at least */
	char insurance_kind[8];	  /* AAE140, "170" */
	char payment_kinds[8][8]; /* AAA115 that make a person eligible; default 10 */
	int payment_kind_count;
	char back_payment_kinds[8][8]; /* 31, 32: back-payment is its own reject reason */
	int back_payment_kind_count;
	bool paid_by_government_counts; /* AAE341 11 */
	struct sponsor_rules rules[SPONSOR_TYPES];
};
/* 0, or -1 with complaints (all of them). */
int policy_parse(struct policy *p, int year, struct str text, struct complaints *why);

#endif
