/* LINK: gateway/cli/common.o */
#include "cli/cli.h"
#include "tests/lib/unit.h"

static int usages;

int cli_usage(const struct cli *c, const char *command, const char *code)
{
	(void)c;
	(void)command;
	(void)code;
	usages++;
	return EXIT_USAGE;
}

static void reads_options_and_operands_in_any_order(void **state)
{
	static const struct {
		const char *line[8];
		int count; /* -1: refused */
		const char *year, *first, *second;
		bool all;
	} table[] = {
		{{"x"}, 0, NULL, NULL, NULL, false},
		{{"x", "a"}, 1, NULL, "a", NULL, false},
		{{"x", "a", "--year", "2026", "b", "--all"}, 2, "2026", "a", "b", true},
		{{"x", "--year=2026", "-"}, 1, "2026", "-", NULL, false},
		{{"x", "--year="}, 0, "", NULL, NULL, false},
		{{"x", "--all", "--", "--year"}, 1, NULL, "--year", NULL, true},
		{{"x", "a", "b", "c"}, -1, NULL, NULL, NULL, false},
		{{"x", "--year"}, -1, NULL, NULL, NULL, false},
		{{"x", "--all=yes"}, -1, NULL, NULL, NULL, false},
		{{"x", "--yea", "2026"}, -1, NULL, NULL, NULL, false},
		{{"x", "--years", "2026"}, -1, NULL, NULL, NULL, false},
		{{"x", "-y"}, -1, NULL, NULL, NULL, false},
	};
	struct cli c = {.lang = LANG_EN};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *year = NULL, *operands[2] = {NULL, NULL};
		bool all = false;
		const struct cli_option options[] = {
			{"--year", &year, NULL}, {"--all", NULL, &all}, {0}};
		char *argv[8];
		int argc = 0, before = usages, count;

		while (argc < 8 && table[i].line[argc]) {
			argv[argc] = (char *)(uintptr_t)table[i].line[argc];
			argc++;
		}
		count = cli_options(&c, argc, argv, options, operands, 2);
		assert_int_equal(count, table[i].count);
		assert_int_equal(usages - before, count < 0);
		if (count < 0)
			continue;
		assert_true(str_eq(str_of(year), str_of(table[i].year)));
		assert_true(str_eq(str_of(operands[0]), str_of(table[i].first)));
		assert_true(str_eq(str_of(operands[1]), str_of(table[i].second)));
		assert_int_equal(all, table[i].all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_options_and_operands_in_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
