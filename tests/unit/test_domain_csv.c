#include "domain/csv.h"
#include "tests/lib/unit.h"

static void lines_end_as_they_may(void **state)
{
	struct str text = STR("\xEF\xBB\xBF"
			      "a,b\r\n\nc\n\rd"),
		   line;
	static const char *const lines[] = {"a,b", "", "c", "\rd"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_true(csv_line(&text, &line));
		assert_true(str_is(line, lines[i]));
	}
	assert_false(csv_line(&text, &line));
	text = (struct str){NULL, 0};
	assert_false(csv_line(&text, &line));
}

static void cells_are_counted_past_the_maximum(void **state)
{
	struct str cells[3];

	(void)state;
	assert_int_equal(csv_cells(STR("a,,c"), cells, 3), 3);
	assert_true(str_is(cells[0], "a") && cells[1].n == 0 && str_is(cells[2], "c"));
	assert_int_equal(csv_cells(STR("a,b,c,d,"), cells, 3), 5);
	assert_true(str_is(cells[2], "c"));
	assert_int_equal(csv_cells(STR(""), cells, 3), 1);
	assert_int_equal(cells[0].n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_as_they_may),
		cmocka_unit_test(cells_are_counted_past_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
