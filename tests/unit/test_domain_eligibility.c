#include "domain/eligibility.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

#define NEVER 0 /* in the table; date 0 is 1970 and in no list */

struct entry {
	int for_year;
	const char *kind, *paid_by;
	int arrived_on, refunded_on; /* mmdd of 2026, 13xx for January 2027 */
};

static int day(int mmdd)
{
	if (mmdd == NEVER)
		return DATE_NONE;
	return mmdd >= 1300 ? date_of(2027, 1, mmdd % 100) : date_of(2026, mmdd / 100, mmdd % 100);
}

static const struct policy policy = {
	.year = 2026,
	.payment_kinds = {"10"},
	.payment_kind_count = 1,
	.back_payment_kinds = {"31", "32"},
	.back_payment_kind_count = 2,
};

static enum eligible judge(const struct policy *p, const struct entry *entries, int count,
			   const char *insured_state, int pension_start, int today,
			   const char **why)
{
	struct contribution list[4];

	for (int i = 0; i < count; i++) {
		list[i] = (struct contribution){
			.for_year = entries[i].for_year,
			.kind = str_of(entries[i].kind),
			.paid_by = str_of(entries[i].paid_by),
			.tier_fen = 100000,
			.paid_on = day(1101),
			.arrived_on = day(entries[i].arrived_on),
			.refunded_on = day(entries[i].refunded_on),
		};
	}
	return eligibility(p, insured_state != NULL, str_of(insured_state), day(pension_start),
			   list, count, day(today), day(1231), why);
}

#define NORMAL                               \
	{                                    \
		2026, "10", "1", 1105, NEVER \
	}
#define WAITING                               \
	{                                     \
		2026, "10", "1", NEVER, NEVER \
	}
#define REFUNDED                            \
	{                                   \
		2026, "10", "1", 1105, 1110 \
	}
#define GOVERNMENT                            \
	{                                     \
		2026, "10", "11", 1105, NEVER \
	}
#define BACK                                 \
	{                                    \
		2026, "32", "1", 1105, NEVER \
	}
#define OLD                                  \
	{                                    \
		2025, "10", "1", 1105, NEVER \
	}

/* R-04 R-05 R-10 R-11 */
static void the_list_decides(void **state)
{
	static const struct {
		struct entry entries[4];
		int count, today;
		enum eligible answer;
		const char *why;
	} table[] = {
		{{NORMAL}, 1, 1201, ELIGIBLE_YES, NULL},
		{{NORMAL}, 1, 1105, ELIGIBLE_YES, NULL}, /* on the day of arrival */
		{{NORMAL}, 1, 1104, ELIGIBLE_NOT_YET, "contribution_not_arrived"},
		{{WAITING}, 1, 1201, ELIGIBLE_NOT_YET, "contribution_not_arrived"},
		{{{NEVER, NULL, NULL, NEVER, NEVER}},
		 0,
		 1201,
		 ELIGIBLE_NOT_YET,
		 "contribution_missing"},
		{{{NEVER, NULL, NULL, NEVER, NEVER}},
		 0,
		 1305,
		 ELIGIBLE_NOT_YET,
		 "contribution_missing"},
		{{REFUNDED}, 1, 1201, ELIGIBLE_NO, "contribution_refunded"},
		{{REFUNDED, NORMAL}, 2, 1201, ELIGIBLE_YES, NULL}, /* paid again */
		{{REFUNDED, WAITING}, 2, 1201, ELIGIBLE_NOT_YET, "contribution_not_arrived"},
		{{GOVERNMENT}, 1, 1201, ELIGIBLE_NO, "paid_by_government"},
		{{GOVERNMENT, NORMAL}, 2, 1201, ELIGIBLE_YES, NULL},
		{{BACK}, 1, 1201, ELIGIBLE_NO, "back_payment_only"},
		{{{2026, "31", "1", 1105, NEVER}}, 1, 1201, ELIGIBLE_NO, "back_payment_only"},
		{{BACK, NORMAL}, 2, 1201, ELIGIBLE_YES, NULL},
		{{{2025, "32", "1", 1105, NEVER}, NORMAL},
		 2,
		 1201,
		 ELIGIBLE_YES,
		 NULL}, /* old years back-paid besides */
		{{BACK, WAITING}, 2, 1201, ELIGIBLE_NOT_YET, "contribution_not_arrived"},
		{{OLD}, 1, 1201, ELIGIBLE_NOT_YET, "contribution_missing"},
		{{OLD}, 1, 1231, ELIGIBLE_NOT_YET, "contribution_missing"},
		{{OLD}, 1, 1301, ELIGIBLE_NO, "past_year_only"},
		{{OLD, WAITING}, 2, 1301, ELIGIBLE_NOT_YET, "contribution_not_arrived"},
		{{{2026, "40", "1", 1105, NEVER}},
		 1,
		 1201,
		 ELIGIBLE_NOT_YET,
		 "contribution_missing"},
		{{{2026, NULL, NULL, 1105, NEVER}},
		 1,
		 1201,
		 ELIGIBLE_NOT_YET,
		 "contribution_missing"},
		{{{2026, "10", "1", 1231, NEVER}}, 1, 1310, ELIGIBLE_YES, NULL},
		{{{2026, "10", "1", 1302, NEVER}},
		 1,
		 1310,
		 ELIGIBLE_NOT_YET,
		 "contribution_not_arrived"}, /* after the cut-off */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *why = "unset";
		enum eligible answer = judge(&policy, table[i].entries, table[i].count, "1", NEVER,
					     table[i].today, &why);

		if (answer != table[i].answer || (why == NULL) != (table[i].why == NULL) ||
		    (why != NULL && strcmp(why, table[i].why) != 0))
			fail_msg("row %zu: %d %s", i, answer, why ? why : "good");
	}
}

/* R-04 R-06 */
static void the_person_comes_before_the_list(void **state)
{
	static const struct {
		const char *insured_state; /* NULL: not insured */
		int pension_start;
		enum eligible answer;
		const char *why;
	} table[] = {
		{"1", NEVER, ELIGIBLE_YES, NULL},
		{"2", NEVER, ELIGIBLE_YES, NULL},
		{"1", 1202, ELIGIBLE_YES, NULL}, /* starts tomorrow */
		{"1", 1201, ELIGIBLE_NO, "drawing_pension"},
		{"1", 101, ELIGIBLE_NO, "drawing_pension"},
		{"4", NEVER, ELIGIBLE_NO, "drawing_pension"},
		{"drawing", NEVER, ELIGIBLE_NO, "drawing_pension"},
		{"0", NEVER, ELIGIBLE_NO, "not_insured"},
		{NULL, NEVER, ELIGIBLE_NO, "not_insured"},
		{NULL, 101, ELIGIBLE_NO, "drawing_pension"},
	};
	static const struct entry normal[] = {NORMAL};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *why = "unset";
		enum eligible answer = judge(&policy, normal, 1, table[i].insured_state,
					     table[i].pension_start, 1201, &why);

		assert_int_equal(answer, table[i].answer);
		if (table[i].why == NULL)
			assert_null(why);
		else
			assert_string_equal(why, table[i].why);
	}
}

/* */
static void policy_switches_and_kinds(void **state)
{
	static const struct entry government[] = {GOVERNMENT};
	static const struct entry other[] = {{2026, "40", "1", 1105, NEVER}};
	struct policy p = policy;
	const char *why;

	(void)state;
	p.paid_by_government_counts = true;
	assert_int_equal(judge(&p, government, 1, "1", NEVER, 1201, &why), ELIGIBLE_YES);
	memcpy(p.payment_kinds[p.payment_kind_count++], "40", 3);
	assert_int_equal(judge(&p, other, 1, "1", NEVER, 1201, &why), ELIGIBLE_YES);
}

/* One good entry among any others makes a person eligible, whatever the order. */
static void order_of_entries_does_not_matter(void **state)
{
	static const struct entry all[] = {NORMAL, WAITING, REFUNDED, GOVERNMENT, BACK, OLD};
	const char *why, *again;

	(void)state;
	for (size_t a = 0; a < COUNT(all); a++)
		for (size_t b = 0; b < COUNT(all); b++) {
			const struct entry two[] = {all[a], all[b]}, swapped[] = {all[b], all[a]};
			enum eligible one = judge(&policy, two, 2, "1", NEVER, 1201, &why);

			assert_int_equal(judge(&policy, swapped, 2, "1", NEVER, 1201, &again), one);
			assert_ptr_equal(why, again);
			assert_int_equal(one == ELIGIBLE_YES, a == 0 || b == 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_decides),
		cmocka_unit_test(the_person_comes_before_the_list),
		cmocka_unit_test(policy_switches_and_kinds),
		cmocka_unit_test(order_of_entries_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
