#include "base/date.h"
#include "tests/lib/unit.h"
#include <stdlib.h>
#include <time.h>

static const struct {
	int year, month, day, days;
} known[] = {
	{1970, 1, 1, 0},       {1969, 12, 31, -1},	{2000, 2, 29, 11016},  {2000, 3, 1, 11017},
	{2026, 12, 31, 20818}, {2030, 1, 1, 21915},	{1949, 12, 31, -7306}, {1900, 3, 1, -25508},
	{1, 1, 1, -719162},    {9999, 12, 31, 2932896},
};

static void known_days_go_both_ways(void **state)
{
	int year, month, day;

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		assert_int_equal(date_of(known[i].year, known[i].month, known[i].day),
				 known[i].days);
		date_split(known[i].days, &year, &month, &day);
		assert_int_equal(year, known[i].year);
		assert_int_equal(month, known[i].month);
		assert_int_equal(day, known[i].day);
		assert_int_equal(date_year(known[i].days), known[i].year);
	}
}

/* Every day of four centuries, against a calendar that only counts. */
static void every_day_follows_the_one_before(void **state)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int days = date_of(1800, 1, 1), year, month, day;

	(void)state;
	for (int y = 1800; y < 2200; y++) {
		for (int m = 1; m <= 12; m++) {
			bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

			for (int d = 1; d <= lengths[m - 1] + (m == 2 && leap); d++, days++) {
				date_split(days, &year, &month, &day);
				if (year != y || month != m || day != d || date_of(y, m, d) != days)
					fail_msg("%d-%d-%d", y, m, d);
			}
		}
	}
}

static void refuses_days_that_there_are_not(void **state)
{
	static const int table[][3] = {{2026, 2, 29}, {2000, 2, 30}, {1900, 2, 29}, {2026, 4, 31},
				       {2026, 0, 1},  {2026, 13, 1}, {2026, 1, 0},  {2026, 1, 32},
				       {0, 1, 1},     {10000, 1, 1}, {-5, 1, 1},    {2026, 1, -1}};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(date_of(table[i][0], table[i][1], table[i][2]), DATE_NONE);
}

static void the_civil_day_changes_at_16_utc(void **state)
{
	static const struct {
		int64_t time_ms;
		int days;
	} table[] = {
		{0, 0},
		{INT64_C(16) * 3600000 - 1, 0},
		{INT64_C(16) * 3600000, 1},
		{-INT64_C(8) * 3600000, 0},
		{-INT64_C(8) * 3600000 - 1, -1},
		{INT64_C(1893427200000), 21915}, /* 2030-01-01T00:00+08:00 */
		{INT64_C(1893427199999), 21914},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(date_of_time(table[i].time_ms), table[i].days);
	assert_true(time_of_date(21915) == INT64_C(1893427200000));
	assert_true(time_of_date(-1) == -INT64_C(32) * 3600000);
}

static void edges_of_the_range_are_defined(void **state)
{
	char out[40], date[16];

	(void)state;
	assert_int_equal(date_of_time(INT64_MAX), INT32_MAX);
	assert_int_equal(date_of_time(INT64_MIN), INT32_MIN);
	date_text(date, INT32_MAX);
	date_text(date, INT32_MIN);
	time_text(out, INT64_MAX);
	time_text(out, INT64_MIN);
}

static void dates_are_written_and_read(void **state)
{
	char out[16];
	int days = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		assert_int_equal(date_parse(str_of(date_text(out, known[i].days)), &days), 0);
		assert_int_equal(days, known[i].days);
	}
	assert_string_equal(date_text(out, 20818), "2026-12-31");
	assert_string_equal(date_text(out, -719162), "0001-01-01");
}

static void refuses_other_forms_of_a_date(void **state)
{
	static const char *const table[] = {
		"",	      "2026-12-3",  "2026-12-311", "2026/12/31",   "2026-13-01",
		"2026-02-29", "26-12-31",   "2026-1-010",  " 2026-12-31",  "2026-12-3x",
		"20261-2-31", "-026-12-31", "2026--1-31",  "２０26-12-31", "20261231"};
	int days = 4711;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (date_parse(str_of(table[i]), &days) != -1)
			fail_msg("%s", table[i]);
	}
	assert_int_equal(date_parse(str_of(NULL), &days), -1);
	assert_int_equal(days, 4711);
}

static const struct {
	const char *text;
	int64_t time_ms;
	bool canonical;
} times[] = {
	{"1970-01-01T08:00:00.000+08:00", 0, true},
	{"1970-01-01T07:59:59.999+08:00", -1, true},
	{"2026-12-31T09:30:00.123+08:00", INT64_C(1798680600123), true},
	{"2030-01-01T00:00:00.000+08:00", INT64_C(1893427200000), true},
	{"2026-12-31T23:59:59.999+08:00", INT64_C(1798732799999), true},
	{"2026-12-31T09:30:00+08:00", INT64_C(1798680600000), false},
	{"2026-12-31T09:30:00.1+08:00", INT64_C(1798680600100), false},
	{"2026-12-31T09:30:00.12+08:00", INT64_C(1798680600120), false},
};

static void times_are_written_and_read(void **state)
{
	char out[40];
	int64_t time_ms = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		if (times[i].canonical)
			assert_string_equal(time_text(out, times[i].time_ms), times[i].text);
		assert_int_equal(time_parse(str_of(times[i].text), &time_ms), 0);
		assert_true(time_ms == times[i].time_ms);
	}
}

static void refuses_other_forms_of_a_time(void **state)
{
	static const char *const table[] = {
		"",
		"2026-12-31",
		"2026-12-31T09:30:00",
		"2026-12-31T09:30:00Z",
		"2026-12-31T09:30:00+00:00",
		"2026-12-31 09:30:00+08:00",
		"2026-12-31T24:00:00+08:00",
		"2026-12-31T09:60:00+08:00",
		"2026-12-31T09:30:60+08:00",
		"2026-12-31T09:30:00.+08:00",
		"2026-12-31T09:30:00.1234+08:00",
		"2026-12-31T09:30:00,123+08:00",
		"2026-12-31T09:30:00.-12+08:00",
		"2026-02-30T09:30:00+08:00",
		"2026-12-31T-9:30:00+08:00",
		"2026-12-31T9:30:00.1+08:00",
		"2026-12-31T09-30-00+08:00",
		"2026-12-31T09:30:00+08:00 ",
	};
	int64_t time_ms = 4711;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (time_parse(str_of(table[i]), &time_ms) != -1)
			fail_msg("%s", table[i]);
	}
	assert_true(time_ms == 4711);
}

static void the_zone_of_the_machine_does_not_matter(void **state)
{
	char out[40];

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const zones[] = {"America/New_York", "UTC", "Asia/Kolkata"};

		setenv("TZ", zones[i], 1);
		tzset();
		assert_string_equal(time_text(out, 0), "1970-01-01T08:00:00.000+08:00");
	}
	unsetenv("TZ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_days_go_both_ways),
		cmocka_unit_test(every_day_follows_the_one_before),
		cmocka_unit_test(refuses_days_that_there_are_not),
		cmocka_unit_test(the_civil_day_changes_at_16_utc),
		cmocka_unit_test(edges_of_the_range_are_defined),
		cmocka_unit_test(dates_are_written_and_read),
		cmocka_unit_test(refuses_other_forms_of_a_date),
		cmocka_unit_test(times_are_written_and_read),
		cmocka_unit_test(refuses_other_forms_of_a_time),
		cmocka_unit_test(the_zone_of_the_machine_does_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
