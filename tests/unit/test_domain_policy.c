#include "domain/policy.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct buf text; /* the policy of 2026 as shipped */

static void load(int year)
{
	char path[64];
	struct err e = {0};

	snprintf(path, sizeof path, "config/policy/%d.ini", year);
	buf_reset(&text);
	if (fs_read(path, &text, &e) != 0)
		fail_msg("%s", e.text);
}

static int set_up(void **state)
{
	(void)state;
	buf_init(&text, 1 << 16);
	load(2026);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_fini(&text);
	return 0;
}

static void shipped_policies_are_good(void **state)
{
	(void)state;
	for (int year = 2024; year <= 2026; year++) {
		struct complaints why = {0};
		struct policy p;

		load(year);
		if (policy_parse(&p, year, str_of(buf_text(&text)), &why) != 0)
			fail_msg("%d: line %d: %s", year, why.at[0].line, why.at[0].text);
		assert_int_equal(p.year, year);
		assert_int_equal(p.last_filing_day, date_of(year, 12, 31));
		assert_int_equal(p.last_instruct_day, date_of(year + 1, 1, 20));
		assert_int_equal(p.posting_days, 5);
		assert_int_equal(p.tier_count, 9);
		assert_int_equal(p.tiers_fen[0], 10000);
		assert_int_equal(p.highest_tier_fen, 500000);
		assert_int_equal(p.advised_count, 5);
		assert_int_equal(p.advised_fen[4], 60000);
		assert_string_equal(p.insurance_kind, "170");
		assert_int_equal(p.payment_kind_count, 1);
		assert_string_equal(p.payment_kinds[0], "10");
		assert_int_equal(p.back_payment_kind_count, 2);
		assert_string_equal(p.back_payment_kinds[1], "32");
		assert_false(p.paid_by_government_counts);
	}
}

static void the_collective_has_all_gates_of_the_plan(void **state)
{
	const uint32_t others = 1u << GATE_AGREEMENT | 1u << GATE_SSA_CHECK | 1u << GATE_FILED;
	struct complaints why = {0};
	struct policy p;

	(void)state;
	assert_int_equal(policy_parse(&p, 2026, str_of(buf_text(&text)), &why), 0);
	assert_int_equal(p.rules[SPONSOR_COLLECTIVE].gates,
			 ((1u << GATES) - 1) & ~(1u << GATE_AGREEMENT | 1u << GATE_SUPERVISION)); /* it blocks nothing */
	assert_true(p.rules[SPONSOR_COLLECTIVE].members_only &&
		    p.rules[SPONSOR_COLLECTIVE].advised);
	assert_true(p.rules[SPONSOR_COLLECTIVE].cap_a &&
		    p.rules[SPONSOR_COLLECTIVE].plan_standards);
	for (int t = SPONSOR_COMMITTEE; t < SPONSOR_TYPES; t++) {
		assert_int_equal(p.rules[t].gates, others);
		assert_false(p.rules[t].members_only || p.rules[t].advised ||
			     p.rules[t].plan_standards);
	}
}

/* Replaces the first `from` in the shipped text by `to`, parses, and gives all complaints. */
static int parse_with(const char *from, const char *to, struct policy *p, struct complaints *why)
{
	const char *whole = buf_text(&text), *at = strstr(whole, from);
	struct buf changed;
	int rc;

	assert_non_null(at);
	buf_init(&changed, 1 << 16);
	assert_int_equal(buf_put(&changed, whole, (size_t)(at - whole)), 0);
	assert_int_equal(buf_put_str(&changed, to), 0);
	assert_int_equal(buf_put_str(&changed, at + strlen(from)), 0);
	memset(why, 0, sizeof *why);
	rc = policy_parse(p, 2026, str_of(buf_text(&changed)), why);
	buf_fini(&changed);
	return rc;
}

static void each_mistake_is_told_with_its_line(void **state)
{
	static const struct {
		const char *from, *to, *told;
		bool line;
	} table[] = {
		{"year = 2026", "year = 2025", "2026 expected", true},
		{"year = 2026", "year = this", "not a year", true},
		{"year = 2026", "", "[policy] year is missing", false},
		{"last_filing_day = 2026-12-31", "last_filing_day = 2026-12-32", "not a date",
		 true},
		{"last_filing_day = 2026-12-31", "last_filing_day = 2025-12-31", "not in 2026",
		 false},
		{"last_instruct_day = 2027-01-20", "last_instruct_day = 2026-12-30",
		 "last_instruct_day", false},
		{"last_instruct_day = 2027-01-20", "last_instruct_day = 2028-01-01",
		 "last_instruct_day", false},
		{"posting_days = 5", "posting_days = 61", "0 to 60", true},
		{"posting_days = 5", "posting_days = 5\nposting_days = 6", "already given", true},
		{"tiers = 100 300", "tiers = 300 100", "must rise", true},
		{"tiers = 100", "tiers = one", "not an amount", true},
		{"tiers = 100 300 500 800 1000 1500 2000 3000 5000", "tiers =", "no amount", true},
		{"tiers = 100 ", "tiers = 1 2 3 4 5 6 7 8 9 10 ", "more than 16", true},
		{"highest_tier = 5000", "highest_tier = 4000", "not the highest", false},
		{"highest_tier = 5000", "highest_tier = -1", "not an amount", true},
		{"advised = 200 300 400 500 600", "advised = 200 5001", "above the highest tier",
		 false},
		{"insurance_kind = 170", "insurance_kind =", "1 to 7", true},
		{"insurance_kind = 170", "insurance_kind = 12345678", "1 to 7", true},
		{"payment_kinds = 10", "payment_kinds = 1 2 3 4 5 6 7 8 9", "more than 8", true},
		{"payment_kinds = 10", "payment_kinds = 123456789", "too long", true},
		{"counts = no", "counts = perhaps", "yes or no", true},
		{"vote posting", "vote party posting", "no such gate: party", true},
		{"members_only = yes", "members_only = 1", "yes or no", true},
		{"[charity]", "[lottery]", "no such section: [lottery]", true},
		{"[charity]\ngates = agreement ssa_check filed", "[charity]",
		 "[charity] gates is missing", false},
		{"posting_days = 5", "posting_days = 5\nweather = good", "no key weather", true},
		{"cap_a = yes", "cap_a = yes\nyear = 2026", "[collective] has no key year", true},
		{"year = 2026", "year = 2026\ncap_a = yes", "[policy] has no key cap_a", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct complaints why;
		struct policy p;
		bool told = false;

		assert_int_equal(parse_with(table[i].from, table[i].to, &p, &why), -1);
		assert_true(why.count > 0);
		for (int k = 0; k < why.count && k < COMPLAINTS_MAX; k++)
			if (strstr(why.at[k].text, table[i].told) != NULL &&
			    (why.at[k].line > 0) == table[i].line)
				told = true;
		if (!told)
			fail_msg("%s: line %d: %s", table[i].to, why.at[0].line, why.at[0].text);
	}
}

/* */
static void all_mistakes_are_told_at_once(void **state)
{
	struct complaints why = {0};
	struct policy p;

	(void)state;
	assert_int_equal(policy_parse(&p, 2026, STR(""), &why), -1);
	assert_int_equal(why.count, 11 + 7 * SPONSOR_TYPES); /* every key is missing */
	memset(&why, 0, sizeof why);
	assert_int_equal(
		policy_parse(&p, 2026,
			     STR("[policy]\nyear = x\nposting_days = x\n[nowhere]\na = b\n"), &why),
		-1);
	assert_int_equal(why.at[0].line, 2);
	assert_int_equal(why.at[1].line, 3);
	assert_int_equal(why.at[2].line, 5);
}

/* */
static void codes_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < SPONSOR_TYPES; i++) {
		enum sponsor_type t = SPONSOR_TYPES;

		assert_int_equal(
			sponsor_type_of(str_of(sponsor_type_code((enum sponsor_type)i)), &t), 0);
		assert_int_equal(t, i);
	}
	for (int i = 0; i < GATES; i++) {
		enum gate g = GATES;

		assert_int_equal(gate_of(str_of(gate_code((enum gate)i)), &g), 0);
		assert_int_equal(g, i);
	}
	assert_int_equal(sponsor_type_of(STR("collectiv"), &(enum sponsor_type){0}), -1);
	assert_int_equal(gate_of(STR(""), &(enum gate){0}), -1);
	assert_int_equal(gate_of((struct str){NULL, 0}, &(enum gate){0}), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_policies_are_good),
		cmocka_unit_test(the_collective_has_all_gates_of_the_plan),
		cmocka_unit_test(each_mistake_is_told_with_its_line),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(codes_read_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
