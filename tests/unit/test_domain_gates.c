#include "domain/gates.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct calendar calendar;
static struct policy policy;

static int set_up(void **state)
{
	struct complaints why = {0};
	struct err e = {0};
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 16);
	assert_int_equal(fs_read("config/calendar.csv", &text, &e), 0);
	assert_int_equal(calendar_parse(&calendar, str_of(buf_text(&text)), true, &why), 0);
	buf_reset(&text);
	assert_int_equal(fs_read("config/policy/2026.ini", &text, &e), 0);
	assert_int_equal(policy_parse(&policy, 2026, str_of(buf_text(&text)), &why), 0);
	buf_fini(&text);
	return 0;
}

static int day(int mmdd)
{
	return date_of(2026, mmdd / 100, mmdd % 100);
}

/* A collective's case in good order: posted on Friday the 20th, free on Saturday the 28th. */
static void good_case(struct gate_fact f[GATES])
{
	static const int dates[GATES] = {
		[GATE_PLAN_AGREED] = 901,    [GATE_PLAN_POSTED] = 905, [GATE_PLAN_FILED_TOWN] = 920,
		[GATE_PLAN_FILED_SSA] = 915, [GATE_AGREEMENT] = 910,   [GATE_SSA_CHECK] = 1110,
		[GATE_VOTE] = 1115,	     [GATE_POSTING] = 1120,    [GATE_TOWN_APPROVAL] = 1128,
		[GATE_FILED] = 1130,
	};

	for (int g = 0; g < GATES; g++)
		f[g] = (struct gate_fact){.there = true,
					  .date = day(dates[g]),
					  .until = DATE_NONE,
					  .cites_roster = true,
					  .shown = true};
	f[GATE_POSTING].until = day(1127);
}

static void assert_judged(const struct gate_fact f[GATES], enum sponsor_type t, int received_on,
			  enum gates_answer want, const char *why_want, enum gate which_want,
			  const char *label)
{
	enum gate which = GATES;
	const char *why = "unset";
	enum gates_answer got = gates_judge(&policy, &calendar, t, f, received_on, &which, &why);

	if (got != want || (why == NULL) != (why_want == NULL) ||
	    (why != NULL && strcmp(why, why_want) != 0) || (why != NULL && which != which_want))
		fail_msg("%s: %d %s at %s", label, got, why ? why : "good",
			 which < GATES ? gate_code(which) : "?");
}

static void a_case_in_good_order_passes(void **state)
{
	struct gate_fact f[GATES];

	(void)state;
	good_case(f);
	assert_judged(f, SPONSOR_COLLECTIVE, day(1130), GATES_PASSED, NULL, GATES, "collective");
	for (int t = 0; t < SPONSOR_TYPES; t++)
		assert_judged(f, (enum sponsor_type)t, day(1201), GATES_PASSED, NULL, GATES,
			      sponsor_type_code((enum sponsor_type)t));
}

/* R-15 R-18 R-19 R-21 */
static void each_missing_gate_holds_its_case(void **state)
{
	(void)state;
	for (int t = 0; t < SPONSOR_TYPES; t++)
		for (int g = 0; g < GATES; g++) {
			bool needed = (policy.rules[t].gates & 1u << g) != 0;
			enum gates_answer want = needed ? GATES_HELD : GATES_PASSED;
			const char *why = needed ? "gate_missing" : NULL;
			struct gate_fact f[GATES];

			good_case(f);
			f[g].there = false;
			assert_judged(f, (enum sponsor_type)t, day(1201), want, why, (enum gate)g,
				      gate_code((enum gate)g));
			good_case(f);
			f[g].date = DATE_NONE;
			if (g != GATE_FILED) /* undated: filed on the day it came */
				assert_judged(f, (enum sponsor_type)t, day(1201), want, why,
					      (enum gate)g, "undated");
		}
}

/* R-07 R-15 R-18 R-19 R-21 R-23 R-25 */
static void one_change_one_answer(void **state)
{
	static const struct {
		enum gate gate;
		int date, until; /* 0: as in the good case */
		int received;
		enum gates_answer answer;
		const char *why;
		enum gate which;
	} table[] = {
		/* order; the same day is in order */
		{GATE_PLAN_POSTED, 831, 0, 1201, GATES_REFUSED, "gate_out_of_order",
		 GATE_PLAN_POSTED},
		{GATE_PLAN_POSTED, 901, 0, 1201, GATES_PASSED, NULL, GATES},
		{GATE_PLAN_FILED_TOWN, 904, 0, 1201, GATES_REFUSED, "gate_out_of_order",
		 GATE_PLAN_FILED_TOWN},
		{GATE_PLAN_FILED_SSA, 904, 0, 1201, GATES_REFUSED, "gate_out_of_order",
		 GATE_PLAN_FILED_SSA},
		{GATE_PLAN_FILED_SSA, 1109, 0, 1201, GATES_PASSED, NULL,
		 GATES}, /* town and SSA in either order */
		{GATE_PLAN_FILED_SSA, 1111, 0, 1201, GATES_REFUSED, "gate_out_of_order",
		 GATE_SSA_CHECK},
		{GATE_SSA_CHECK, 919, 0, 1201, GATES_REFUSED, "gate_out_of_order", GATE_SSA_CHECK},
		{GATE_SSA_CHECK, 1116, 0, 1201, GATES_REFUSED, "gate_out_of_order", GATE_VOTE},
		{GATE_VOTE, 1121, 0, 1201, GATES_REFUSED, "gate_out_of_order", GATE_POSTING},
		{GATE_TOWN_APPROVAL, 1201, 0, 1201, GATES_REFUSED, "gate_out_of_order", GATE_FILED},
		/* posting: five full working days, then approval on the day after at the
		 * earliest */
		{GATE_POSTING, 1120, 1126, 1201, GATES_REFUSED, "posting_too_short", GATE_POSTING},
		{GATE_POSTING, 1120, 1130, 1201, GATES_PASSED, NULL, GATES}, /* longer is fine */
		{GATE_POSTING, 1123, 1130, 1201, GATES_REFUSED, "gate_out_of_order",
		 GATE_TOWN_APPROVAL},
		{GATE_TOWN_APPROVAL, 1127, 0, 1201, GATES_REFUSED, "gate_out_of_order",
		 GATE_TOWN_APPROVAL},
		{GATE_POSTING, 1120, 1119, 1201, GATES_REFUSED, "posting_too_short", GATE_POSTING},
		/* not yet */
		{GATE_FILED, 1202, 0, 1201, GATES_HELD, "gate_in_future", GATE_FILED},
		{GATE_PLAN_AGREED, 1202, 0, 1201, GATES_HELD, "gate_in_future", GATE_PLAN_AGREED},
		{GATE_POSTING, 1120, 1205, 1201, GATES_HELD, "gate_in_future", GATE_POSTING},
		/* the filing day */
		{GATE_FILED, 1231, 0, 1231, GATES_PASSED, NULL, GATES},
		{GATE_FILED, 1128, 0, 1201, GATES_PASSED, NULL, GATES},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct gate_fact f[GATES];
		char label[32];

		good_case(f);
		f[table[i].gate].date = day(table[i].date);
		if (table[i].until != 0)
			f[table[i].gate].until = day(table[i].until);
		snprintf(label, sizeof label, "row %zu", i);
		assert_judged(f, SPONSOR_COLLECTIVE, day(table[i].received), table[i].answer,
			      table[i].why, table[i].which, label);
	}
}

/* */
static void filing_belongs_to_the_year(void **state)
{
	struct gate_fact f[GATES];

	(void)state;
	good_case(f);
	f[GATE_FILED].date = date_of(2027, 1, 1);
	assert_judged(f, SPONSOR_COLLECTIVE, date_of(2027, 1, 5), GATES_REFUSED, "filed_too_late",
		      GATE_FILED, "next year");
	f[GATE_FILED].date = DATE_NONE; /* undated: the day it came */
	assert_judged(f, SPONSOR_COLLECTIVE, day(1231), GATES_PASSED, NULL, GATES, "undated");
	assert_judged(f, SPONSOR_COLLECTIVE, date_of(2027, 1, 1), GATES_REFUSED, "filed_too_late",
		      GATE_FILED, "undated late");
	good_case(f);
	f[GATE_AGREEMENT].date = f[GATE_SSA_CHECK].date = date_of(2025, 11, 1);
	f[GATE_FILED].date = date_of(2025, 12, 31);
	assert_judged(f, SPONSOR_CHARITY, day(1201), GATES_REFUSED, "filed_in_other_year",
		      GATE_FILED, "last year");
	f[GATE_FILED].date = date_of(2026, 1, 1);
	assert_judged(f, SPONSOR_CHARITY, day(1201), GATES_PASSED, NULL, GATES, "January");
	f[GATE_SSA_CHECK].there = false; /* held comes first, in the order of the gates */
	f[GATE_FILED].date = date_of(2027, 1, 1);
	assert_judged(f, SPONSOR_CHARITY, day(1201), GATES_HELD, "gate_missing", GATE_SSA_CHECK,
		      "held first");
}

/* */
static void without_a_filed_gate_the_day_received_counts(void **state)
{
	struct policy saved = policy;
	struct gate_fact f[GATES];

	(void)state;
	good_case(f);
	policy.rules[SPONSOR_CHARITY].gates &= ~(1u << GATE_FILED);
	f[GATE_FILED].there = false;
	assert_judged(f, SPONSOR_CHARITY, day(1231), GATES_PASSED, NULL, GATES, "in time");
	assert_judged(f, SPONSOR_CHARITY, date_of(2027, 1, 1), GATES_REFUSED, "filed_too_late",
		      GATE_FILED, "late");
	for (int g = 0; g < GATES; g++)
		f[g].date = date_of(2025, 10, 1);
	assert_judged(f, SPONSOR_CHARITY, date_of(2025, 12, 31), GATES_REFUSED,
		      "filed_in_other_year", GATE_FILED, "early");
	policy = saved;
}

/* R-07 R-25 */
static void what_follows_the_roster_must_cite_it(void **state)
{
	static const bool cites[GATES] = {[GATE_VOTE] = true,
					  [GATE_POSTING] = true,
					  [GATE_TOWN_APPROVAL] = true,
					  [GATE_FILED] = true};

	(void)state;
	for (int g = 0; g < GATES; g++) {
		struct gate_fact f[GATES];

		good_case(f);
		f[g].cites_roster = false;
		assert_judged(f, SPONSOR_COLLECTIVE, day(1201),
			      cites[g] ? GATES_HELD : GATES_PASSED,
			      cites[g] ? "gate_roster_not_cited" : NULL, (enum gate)g,
			      gate_code((enum gate)g));
	}
}

/* */
static void an_unknown_calendar_is_refused(void **state)
{
	struct calendar saved = calendar;
	struct gate_fact f[GATES];

	(void)state;
	good_case(f);
	f[GATE_POSTING].date = day(1210);
	f[GATE_POSTING].until = day(1217);
	f[GATE_TOWN_APPROVAL].date = f[GATE_FILED].date = day(1218);
	assert_judged(f, SPONSOR_COLLECTIVE, day(1220), GATES_PASSED, NULL, GATES,
		      "no change known");
	calendar.no_change_known = false;
	assert_judged(f, SPONSOR_COLLECTIVE, day(1220), GATES_REFUSED, "calendar_unknown",
		      GATE_POSTING, "late December");
	calendar.last_year = 2025;
	assert_judged(f, SPONSOR_COLLECTIVE, day(1220), GATES_REFUSED, "calendar_unknown",
		      GATE_POSTING, "unknown year");
	assert_judged(f, SPONSOR_CHARITY, day(1220), GATES_PASSED, NULL, GATES,
		      "no posting, no calendar");
	calendar = saved;
}

/* domain.md: December 23 is the last posting day from which December 31 can still be reached.
 * */
static void the_last_posting_day_of_the_season(void **state)
{
	struct gate_fact f[GATES];

	(void)state;
	good_case(f);
	f[GATE_POSTING].date = day(1223);
	f[GATE_POSTING].until = day(1230);
	f[GATE_TOWN_APPROVAL].date = f[GATE_FILED].date = day(1231);
	assert_judged(f, SPONSOR_COLLECTIVE, day(1231), GATES_PASSED, NULL, GATES, "December 23");
	f[GATE_POSTING].date = day(1224);
	f[GATE_POSTING].until = day(1231);
	assert_judged(f, SPONSOR_COLLECTIVE, day(1231), GATES_REFUSED, "gate_out_of_order",
		      GATE_TOWN_APPROVAL, "December 24");
}

/* Every reason that comes out is in the list that the texts are checked by. */
static void reasons_are_listed(void **state)
{
	int count;
	const char *const *codes = gate_reason_codes(&count);
	uint64_t seed = 77;
	unsigned answers = 0, seen = 0;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		struct gate_fact f[GATES];
		enum gate which = GATES;
		const char *why;
		int listed = -1;

		good_case(f);
		for (int k = 0; k < 3; k++) {
			struct gate_fact *g;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			g = &f[(seed >> 33) % GATES];
			if ((seed >> 20) % 8 == 0)
				g->there = false;
			else if ((seed >> 20) % 8 == 1)
				g->cites_roster = false;
			else
				g->date += (int)((seed >> 40) % 200) - 100;
		}
		answers |= 1u << gates_judge(&policy, &calendar, SPONSOR_COLLECTIVE, f, day(1205),
					     &which, &why);
		for (int i = 0; why != NULL && i < count; i++)
			if (strcmp(codes[i], why) == 0)
				listed = i;
		assert_true(why == NULL || listed >= 0);
		assert_true(which < GATES);
		if (listed >= 0)
			seen |= 1u << listed;
	}
	assert_int_equal(answers, 7);
	assert_true((seen & (seen - 1)) != 0);
}

/* */
static void papers_must_be_shown(void **state)
{
	static const enum gate papers[] = {GATE_PLAN_AGREED, GATE_VOTE, GATE_POSTING, GATE_FILED};
	struct gate_fact f[GATES];

	(void)state;
	for (size_t i = 0; i < COUNT(papers); i++) {
		good_case(f);
		f[papers[i]].shown = false;
		assert_judged(f, SPONSOR_COLLECTIVE, day(1130), GATES_HELD, "document_missing",
			      papers[i], gate_code(papers[i]));
	}
	good_case(f);
	f[GATE_PLAN_POSTED].shown = f[GATE_TOWN_APPROVAL].shown = f[GATE_SSA_CHECK].shown = false;
	assert_judged(f, SPONSOR_COLLECTIVE, day(1130), GATES_PASSED, NULL, GATES, "the others");
	f[GATE_FILED].shown = false;
	assert_judged(f, SPONSOR_CHARITY, day(1130), GATES_PASSED, NULL, GATES, "charity");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_in_good_order_passes),
		cmocka_unit_test(each_missing_gate_holds_its_case),
		cmocka_unit_test(one_change_one_answer),
		cmocka_unit_test(filing_belongs_to_the_year),
		cmocka_unit_test(without_a_filed_gate_the_day_received_counts),
		cmocka_unit_test(what_follows_the_roster_must_cite_it),
		cmocka_unit_test(an_unknown_calendar_is_refused),
		cmocka_unit_test(the_last_posting_day_of_the_season),
		cmocka_unit_test(reasons_are_listed),
		cmocka_unit_test(papers_must_be_shown),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
