/* LINK: gateway/cli/supervisor.o gateway/cli/common.o gateway/cli/health.o */
#include "cli/supervisor.h"
#include "tests/lib/unit.h"

int cli_usage(const struct cli *c, const char *command, const char *code)
{
	(void)c;
	(void)command;
	(void)code;
	return EXIT_USAGE;
}

#define EXITED(status) ((status) << 8)

static void holds_only_what_needs_a_person(void **state)
{
	(void)state;
	for (int status = 0; status < 256; status++)
		assert_int_equal(child_held_by(EXITED(status)),
				 status == EXIT_USAGE || status == EXIT_SAFE);
	for (int number = 1; number < 32; number++)
		assert_false(child_held_by(number)); /* ended by that signal */
}

static void pauses_double_up_to_the_longest_and_begin_anew_after_a_minute(void **state)
{
	static const struct {
		int64_t last, lived, min, max, expected;
	} table[] = {
		{0, 0, 200, 10000, 200},       {200, 0, 200, 10000, 400},
		{400, 59999, 200, 10000, 800}, {400, 60000, 200, 10000, 200},
		{6400, 5, 200, 10000, 10000},  {5000, 5, 200, 10000, 10000},
		{10000, 5, 200, 10000, 10000}, {10000, 3600000, 200, 10000, 200},
		{10, 0, 10, 10, 10},	       {INT64_MAX, 0, 10, INT64_MAX, INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(
			child_backoff(table[i].last, table[i].lived, table[i].min, table[i].max),
			table[i].expected);
}

static void tells_how_a_program_ended(void **state)
{
	static const struct {
		int status;
		const char *text;
	} table[] = {{-1, "-"},
		     {EXITED(0), "exit 0"},
		     {EXITED(4), "exit 4"},
		     {9, "signal 9"},
		     {11 | 0x80, "signal 11"}};
	char out[24];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(child_end_text(out, table[i].status), table[i].text);
}

static void only_who_works_or_stands_by_must_give_signs(void **state)
{
	static const struct {
		const char *status;
		bool must;
	} table[] = {
		{"pid 7\nstate running\nsince_ms 1\nat_ms 2\n", true},
		{"pid 7\nstate standby\nsince_ms 1\nat_ms 2\n", true},
		{"pid 7\nstate starting\nsince_ms 1\nat_ms 2\n", false}, /* may take its time */
		{"pid 7\nstate stopped\nsince_ms 1\nat_ms 2\n", false},
		{"pid 77\nstate running\nsince_ms 1\nat_ms 2\n", false}, /* of an earlier life */
		{"state running\n", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(child_must_give_signs(str_of(table[i].status), 7), table[i].must);
}

static void takes_programs_off_a_list(void **state)
{
	static const struct {
		const char *list, *names;
	} table[] = {
		{"", ""},
		{"   ", ""},
		{"one", "one,"},
		{" one  two three ", "one,two,three,"},
		/* too long for a name: empty, and the list goes on */
		{"a-name-of-more-than-sixty-three-characters-is-none-that-a-program-could-have b",
		 ",b,"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct str list = str_of(table[i].list);
		char name[CLI_PROGRAM], names[200] = "";
		size_t n = 0;

		while (cli_next_program(&list, name) > 0)
			n += (size_t)snprintf(names + n, sizeof names - n, "%s,", name);
		assert_string_equal(names, table[i].names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_only_what_needs_a_person),
		cmocka_unit_test(pauses_double_up_to_the_longest_and_begin_anew_after_a_minute),
		cmocka_unit_test(tells_how_a_program_ended),
		cmocka_unit_test(only_who_works_or_stands_by_must_give_signs),
		cmocka_unit_test(takes_programs_off_a_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
