#include "domain/calendar.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct calendar shipped;
static struct calendar small;

static int set_up(void **state)
{
	struct complaints why = {0};
	struct err e = {0};
	struct buf csv;

	(void)state;
	buf_init(&csv, 1 << 16);
	if (fs_read("config/calendar.csv", &csv, &e) != 0)
		fail_msg("%s", e.text);
	if (calendar_parse(&shipped, str_of(buf_text(&csv)), false, &why) != 0)
		fail_msg("line %d: %s", why.at[0].line, why.at[0].text);
	buf_fini(&csv);
	return 0;
}

static int day(const char *text)
{
	int d = DATE_NONE;

	assert_int_equal(date_parse(str_of(text), &d), 0);
	return d;
}

static void working_days_by_the_notices(void **state)
{
	static const struct {
		const char *day;
		int working;
	} table[] = {
		{"2024-01-01", 0}, /* New Year */
		{"2024-02-04", 1}, /* a Sunday that is worked */
		{"2024-02-10", 0}, /* Spring Festival */
		{"2024-12-30", 1}, {"2024-12-28", 0},  {"2024-12-29", 0},  {"2025-01-26", 1},
		{"2026-10-10", 1}, /* a Saturday that is worked */
		{"2026-10-07", 0}, {"2026-12-31", 1},  {"2026-11-23", 1},  {"2026-11-21", 0},
		{"2026-11-22", 0}, {"2023-12-31", -1}, {"2027-01-01", -1}, {"1969-12-31", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (calendar_is_working(&shipped, day(table[i].day)) != table[i].working)
			fail_msg("%s", table[i].day);
}

/* domain.md: with five full working days before December 31, the last posting day is December 23
 * in these years. */
static void the_last_posting_day_is_december_23(void **state)
{
	(void)state;
	for (int year = 2024; year <= 2025; year++) {
		int end;

		assert_int_equal(calendar_posting_end(&shipped, date_of(year, 12, 23), 5, &end), 0);
		assert_int_equal(end, date_of(year, 12, 30));
		assert_int_equal(calendar_posting_end(&shipped, date_of(year, 12, 24), 5, &end), 0);
		assert_int_equal(end, date_of(year, 12, 31));
	}
	shipped.no_change_known = true;
	for (int first = 22; first <= 23; first++) {
		int end;

		assert_int_equal(calendar_posting_end(&shipped, date_of(2026, 12, first), 5, &end),
				 0);
		assert_int_equal(end, date_of(2026, 12, first == 23 ? 30 : 29));
	}
	shipped.no_change_known = false;
}

/* */
static void posting_counts_from_the_day_after(void **state)
{
	static const struct {
		const char *first;
		int days;
		int rc;
		const char *end;
	} table[] = {
		{"2026-11-23", 5, 0, "2026-11-30"}, /* Monday: Tue..Fri, Mon */
		{"2026-11-20", 5, 0, "2026-11-27"}, /* Friday */
		{"2026-11-21", 5, 0, "2026-11-27"}, /* Saturday: the same */
		{"2026-11-23", 1, 0, "2026-11-24"},
		{"2026-11-23", 0, 0, "2026-11-23"},
		{"2026-09-30", 5, 0,
		 "2026-10-13"}, /* over the National Day; Saturday the 10th is worked */
		{"2024-02-09", 5, 0,
		 "2024-02-22"}, /* over the Spring Festival; Sunday the 18th is worked */
		{"2025-12-29", 5, 0,
		 "2026-01-06"}, /* over the New Year; Sunday the 4th is worked */
		{"2026-12-08", 5, 0, "2026-12-15"},
		{"2026-12-09", 5, -2, NULL}, /* ends after December 15 and 2027 is not announced */
		{"2026-12-23", 5, -2, NULL},
		{"2026-12-28", 5, -1, NULL}, /* runs into 2027 */
		{"2027-01-04", 5, -1, NULL},
		{"2023-12-20", 5, -1, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int end = -77;

		if (calendar_posting_end(&shipped, day(table[i].first), table[i].days, &end) !=
		    table[i].rc)
			fail_msg("%s", table[i].first);
		assert_int_equal(end, table[i].end == NULL ? -77 : day(table[i].end));
	}
}

static void bad_calendars_are_told_by_line(void **state)
{
	static const struct {
		const char *csv, *told;
		int line;
	} table[] = {
		{"", "no days", 0},
		{"date,off,name,paper\n", "no days", 0},
		{"day,free\n2026-01-01,1,,\n", "head", 1},
		{"date,off,name,paper\n2026-01-01,1,,\n2026-02-30,1,,\n", "must be a date", 3},
		{"date,off,name,paper\n2026-01-01,yes,,\n", "must be a date", 2},
		{"date,off,name,paper\n2026-01-01\n", "must be a date", 2},
		{"date,off,name,paper\n2026-01-01,1,,\n2026-01-01,0,,\n",
		 "2026-01-01 is there twice", 0},
		{"date,off,name,paper\n2024-01-01,1,,\n2026-01-01,1,,\n",
		 "the year 2025 is missing", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct complaints why = {0};

		assert_int_equal(calendar_parse(&small, str_of(table[i].csv), false, &why), -1);
		assert_int_equal(why.at[0].line, table[i].line);
		if (strstr(why.at[0].text, table[i].told) == NULL)
			fail_msg("%s", why.at[0].text);
	}
}

static void order_and_line_ends_do_not_matter(void **state)
{
	struct complaints why = {0};

	(void)state;
	assert_int_equal(
		calendar_parse(
			&small,
			STR("\xEF\xBB\xBF"
			    "date,off,name,paper\r\n2026-05-01,1,x,y\r\n2026-01-03,0,x,y\r\n\r\n"
			    "2026-01-01,1,x,y"),
			true, &why),
		0);
	assert_int_equal(small.count, 3);
	assert_int_equal(small.first_year, 2026);
	assert_int_equal(small.last_year, 2026);
	assert_int_equal(calendar_is_working(&small, day("2026-01-01")), 0);
	assert_int_equal(calendar_is_working(&small, day("2026-01-03")), 1); /* a Saturday */
	assert_int_equal(calendar_is_working(&small, day("2026-05-01")), 0);
	assert_int_equal(calendar_is_working(&small, day("2026-05-04")), 1);
}

static void too_many_days_are_refused(void **state)
{
	struct complaints why = {0};
	struct buf csv;

	(void)state;
	buf_init(&csv, 1 << 20);
	assert_int_equal(buf_put_str(&csv, "date,off,name,paper\n"), 0);
	for (int i = 0; i <= CALENDAR_DAYS_MAX; i++) {
		char text[16];

		assert_int_equal(
			buf_printf(&csv, "%s,1,,\n", date_text(text, day("2000-01-01") + i)), 0);
	}
	assert_int_equal(calendar_parse(&small, str_of(buf_text(&csv)), false, &why), -1);
	assert_int_equal(why.at[0].line, CALENDAR_DAYS_MAX + 2);
	buf_fini(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(working_days_by_the_notices),
		cmocka_unit_test(the_last_posting_day_is_december_23),
		cmocka_unit_test(posting_counts_from_the_day_after),
		cmocka_unit_test(bad_calendars_are_told_by_line),
		cmocka_unit_test(order_and_line_ends_do_not_matter),
		cmocka_unit_test(too_many_days_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
