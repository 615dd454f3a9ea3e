#include "base/clock.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <unistd.h>

static struct tmpdir tmp;
static char file[320];

/* Far from any wall time of a machine, and far enough that no test runs into the next. */
#define SIM INT64_C(1700000000000)
#define MINUTE INT64_C(60000)

static int set_up(void **state)
{
	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, file, "clock");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&tmp);
	return 0;
}

static void assert_about(int64_t time_ms, int64_t expected)
{
	if (time_ms < expected || time_ms > expected + MINUTE)
		fail_msg("%lld is not %lld", (long long)time_ms, (long long)expected);
}

static void without_a_file_it_is_the_wall_clock(void **state)
{
	struct clock c;
	struct err e = {0};
	int64_t wall = clock_wall();

	(void)state;
	assert_int_equal(clock_init(&c, "", &e), 0);
	assert_about(clock_now(&c), wall);
	assert_int_equal(clock_init(&c, NULL, &e), 0);
	assert_about(clock_now(&c), wall);
}

static void with_a_file_time_goes_on_from_what_it_says(void **state)
{
	struct clock c;
	struct err e = {0};
	int64_t first;

	(void)state;
	assert_int_equal(clock_file_write(file, SIM, &e), 0);
	assert_int_equal(clock_init(&c, file, &e), 0);
	first = clock_now(&c);
	assert_about(first, SIM);
	c.wall_ms -= 5000; /* as if five seconds had gone by since the file was written */
	assert_about(clock_now(&c), first + 5000);
}

static void a_jump_is_seen_after_50_ms_and_not_before(void **state)
{
	struct clock c;
	struct err e = {0};

	(void)state;
	assert_int_equal(clock_file_write(file, SIM, &e), 0);
	assert_int_equal(clock_init(&c, file, &e), 0);
	assert_int_equal(clock_file_write(file, SIM + 100 * MINUTE, &e), 0);
	c.looked_ms = clock_monotonic() + MINUTE; /* not due yet, however slow the machine */
	assert_about(clock_now(&c), SIM);
	c.looked_ms = clock_monotonic() - 100 * MINUTE;
	assert_about(clock_now(&c), SIM + 100 * MINUTE);
	assert_true(clock_monotonic() - c.looked_ms < MINUTE);
	assert_int_equal(clock_file_write(file, SIM - 100 * MINUTE, &e), 0); /* back as well */
	c.looked_ms -= 50;
	assert_about(clock_now(&c), SIM - 100 * MINUTE);
}

static void time_goes_on_when_the_file_is_lost_or_broken(void **state)
{
	struct clock c;
	struct err e = {0};

	(void)state;
	assert_int_equal(clock_file_write(file, SIM, &e), 0);
	assert_int_equal(clock_init(&c, file, &e), 0);
	assert_int_equal(fs_write_atomic(file, "broken", 6, 0600, &e), 0);
	c.looked_ms -= 50;
	assert_about(clock_now(&c), SIM);
	assert_int_equal(unlink(file), 0);
	c.looked_ms -= 50;
	assert_about(clock_now(&c), SIM);
}

static void refuses_files_that_say_no_time(void **state)
{
	static const char *const table[] = {"",
					    "\n",
					    "1",
					    "1 ",
					    " 1",
					    "1  2",
					    "1 2 3",
					    "1 2\n\n",
					    "a b",
					    "-1 2",
					    "1 2x",
					    "99999999999999999999 1",
					    "9223372036854775807 1"};
	char long_path[600];
	struct clock c;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct err e = {0};

		assert_int_equal(fs_write_atomic(file, table[i], strlen(table[i]), 0600, &e), 0);
		if (clock_init(&c, file, &e) != -1)
			fail_msg("%s", table[i]);
		assert_int_equal(e.class, ERR_CONF);
	}
	for (int i = 0; i < 2; i++) {
		struct err e = {0};

		memset(long_path, 'x', sizeof long_path - 1);
		long_path[sizeof long_path - 1] = '\0';
		assert_int_equal(clock_init(&c, i ? long_path : "/no/such/file", &e), -1);
		assert_int_equal(e.class, ERR_CONF);
	}
}

static void monotonic_time_does_not_go_back(void **state)
{
	int64_t last = clock_monotonic();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_it_is_the_wall_clock),
		cmocka_unit_test_setup_teardown(with_a_file_time_goes_on_from_what_it_says, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_jump_is_seen_after_50_ms_and_not_before, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(time_goes_on_when_the_file_is_lost_or_broken,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_files_that_say_no_time, set_up, tear_down),
		cmocka_unit_test(monotonic_time_does_not_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
