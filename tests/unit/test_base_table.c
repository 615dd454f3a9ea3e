#include "base/table.h"
#include "tests/lib/unit.h"
#include <string.h>

static void assert_printed(const struct table *t, const char *expected)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	assert_int_equal(table_print(t, &out), 0);
	assert_string_equal(buf_text(&out), expected);
	buf_fini(&out);
}

static void put(struct table *t, const char *const *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(table_cell(t, cells[i]), 0);
}

static void aligns_chinese_and_english_by_width(void **state)
{
	static const char *const cells[] = {"village",	  "元",	  "村",	   "1200.50",
					    "瓜渚湖社区", "5.00", "total", "1205.50"};
	struct table t;

	(void)state;
	table_init(&t, 2);
	t.right[1] = true;
	put(&t, cells, COUNT(cells));
	assert_int_equal(t.rows, 4);
	assert_printed(&t, "village          元\n"
			   "村          1200.50\n"
			   "瓜渚湖社区     5.00\n"
			   "total       1205.50\n");
	table_fini(&t);
}

static void leaves_no_blanks_at_the_end(void **state)
{
	static const char *const cells[] = {"a", "b", "c", "long cell", "", "",
					    "",	 "x", "",  "",		"", ""};
	struct table t;

	(void)state;
	table_init(&t, 3);
	put(&t, cells, COUNT(cells));
	assert_printed(&t, "a          b  c\n"
			   "long cell\n"
			   "           x\n"
			   "\n");
	table_fini(&t);
}

static void right_columns_stand_right_after_empty_cells(void **state)
{
	static const char *const cells[] = {"n", "head", "", "7", "12", ""};
	struct table t;

	(void)state;
	table_init(&t, 2);
	t.right[0] = t.right[1] = true;
	put(&t, cells, COUNT(cells));
	assert_printed(&t, " n  head\n"
			   "       7\n"
			   "12\n");
	table_fini(&t);
}

static void prints_unfinished_rows_and_nothing(void **state)
{
	static const char *const cells[] = {"a", "b", "c"};
	struct table t;

	(void)state;
	table_init(&t, 2);
	assert_printed(&t, "");
	put(&t, cells, COUNT(cells));
	assert_int_equal(t.rows, 2);
	assert_printed(&t, "a  b\nc\n");
	table_fini(&t);
	assert_printed(&t, "");
}

static void cells_stay_on_their_line(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 1);
	assert_int_equal(table_cell(&t, "a\nb\tc\x1b[0m"), 0);
	assert_printed(&t, "a b c [0m\n");
	table_fini(&t);
}

static void formats_cells_within_a_limit(void **state)
{
	char long_text[2000];
	struct table t;

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	table_init(&t, 2);
	assert_int_equal(table_cellf(&t, "%d%%", 12), 0);
	assert_int_equal(table_cellf(&t, "%s", long_text), -1);
	assert_int_equal(table_cellf(&t, "%s", "ok"), 0);
	assert_printed(&t, "12%  ok\n");
	table_fini(&t);
}

static void says_when_the_output_is_full(void **state)
{
	static const char *const cells[] = {"aaaa", "b", "c", "d"};
	struct table t;

	(void)state;
	table_init(&t, 2);
	put(&t, cells, COUNT(cells));
	for (size_t max = 0;; max++) {
		struct buf out;
		int rc;

		buf_init(&out, max);
		rc = table_print(&t, &out);
		buf_fini(&out);
		if (rc == 0) {
			assert_int_equal(max, strlen("aaaa  b\nc     d\n"));
			break;
		}
	}
	table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligns_chinese_and_english_by_width),
		cmocka_unit_test(leaves_no_blanks_at_the_end),
		cmocka_unit_test(right_columns_stand_right_after_empty_cells),
		cmocka_unit_test(prints_unfinished_rows_and_nothing),
		cmocka_unit_test(cells_stay_on_their_line),
		cmocka_unit_test(formats_cells_within_a_limit),
		cmocka_unit_test(says_when_the_output_is_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
