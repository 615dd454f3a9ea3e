/* The checks of a roster row: what a form can have wrong (the adapter's part) and what the plan
 * forbids (the gateway's part). Pure.
 *
 * Reason codes are the stable words of base/texts_clerk.c; each has a text and a cure. */
#ifndef QIAO_DOMAIN_ROW_H
#define QIAO_DOMAIN_ROW_H
#include "domain/policy.h"

/* Columns of the roster [ours], in the order of the form. */
enum column {
	COL_SERIAL,
	COL_NAME,
	COL_CERT_KIND,
	COL_ID,
	COL_SSA_NO,
	COL_TIER,
	COL_ARRIVED,
	COL_AMOUNT,
	COL_OTHER_AMOUNT,
	COL_MEMBER,
	COL_PHONE,
	COL_NOTE,
	COLUMNS
};
const char *column_code(enum column c); /* "id_number": text table gives 公民身份号码 */
/* Tolerant: blanks, brackets (元), usual synonyms; -1 unknown. */
int column_of_heading(struct str heading, enum column *c);

struct defect {
	const char *code;   /* reason code */
	const char *column; /* column_code */
};
#define DEFECTS_MAX 8
struct row_form { /* what the adapter reads out of one row */
	/* normalised: blanks out of Chinese names, middle dots folded to U+00B7; into caller's
	 * buffer */
	struct str name;
	char number[24];       /* normalised; "" when missing or with any defect of its own */
	const char *cert_kind; /* or NULL */
	bool amount_known, other_known, tier_known, member_known;
	bool member;
	int64_t amount_fen, other_fen, tier_fen;
	int arrived_on; /* DATE_NONE when empty */
	struct defect defects[DEFECTS_MAX];
	int defect_count;
};
/* cells[COLUMNS]: raw text of each column, p == NULL where the roster has no such column.
 * name_out: at least 3x the name's bytes + 16. `today` bounds dates. Fills everything; defects
 * lists every form error found (name_missing, id_*, amount_*, cert_kind_unknown, member_unclear,
 * tier_not_a_number, other_amount_not_a_number, date_unclear ...). Never fails. */
void row_read(struct row_form *out, const struct str cells[COLUMNS], int today, char *name_out,
	      size_t name_cap);

/* The gateway's part, once the cover is known. NULL when good, else the reason code:
 * not_a_member, member_missing, amount_above_cap_a, amount_not_in_plan. *warning (may be set on
 * a good row): amount_not_advised. member: -1 unknown, 0, 1. */
const char *row_rules(const struct policy *p, enum sponsor_type t, int64_t amount_fen, int member,
		      const int64_t *standards_fen, int standard_count, const char **warning);

/* Cap B: what is left under the highest tier for a person and year, given what is reserved.
 * Never negative. */
int64_t cap_b_room(const struct policy *p, int64_t reserved_fen);

/* What a plan states at most for a year; what it does not state has no limit. */
struct plan_limits {
	bool heads_stated, total_stated;
	int64_t heads, total_fen;
};
/* NULL when one more row of the amount fits beside what is used; else plan_heads_exceeded (*room:
 * heads left) or plan_total_exceeded (*room: fen left). Amounts are never cut. */
const char *plan_limits_check(const struct plan_limits *p, int64_t used_heads, int64_t used_fen,
			      int64_t amount_fen, int64_t *room);

/* All reason codes that this module, citizen_id, money and eligibility can give, for the text
 * table's test. */
const char *const *row_reason_codes(int *count);

#endif
