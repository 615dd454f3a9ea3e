#include "base/counters.h"
#include "tests/lib/unit.h"

static struct counter at[] = {
	{"rows_read", "rows read from rosters", 12},
	{"files_refused", "files refused as a whole", 0},
	{"most", "the largest there is", INT64_MAX},
};
static const struct counters counters = {at, COUNT(at)};

static void prints_names_and_values(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(counters_put(&counters, &b), 0);
	assert_string_equal(buf_text(&b), "rows_read=12 files_refused=0 most=9223372036854775807");
	buf_reset(&b);
	assert_int_equal(counters_put(&(struct counters){NULL, 0}, &b), 0);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
}

static void prints_all_or_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 20);
	buf_put_str(&b, "x");
	assert_int_equal(counters_put(&counters, &b), -1);
	assert_string_equal(buf_text(&b), "x");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_names_and_values),
		cmocka_unit_test(prints_all_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
