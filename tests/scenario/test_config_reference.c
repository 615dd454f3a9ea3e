/* What is shipped is what the program prints: config/qiao.ini = `qiao config --reference`, and it
 * is free of errors. */
#include "tests/lib/command.h"

static struct tmpdir dir;
static struct command_said said;

static int make_dir(void **state)
{
	(void)state;
	tmpdir_make(&dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	tmpdir_remove(&dir);
	return 0;
}

static void the_shipped_file_is_the_reference(void **state)
{
	char shipped[COMMAND_OUT];

	(void)state;
	assert_int_equal(command_run(&said, &dir, "qiao", "config", "--reference", NULL), EXIT_YES);
	assert_true(said.out[0] != '\0');
	assert_string_equal(said.out, text_of("config/qiao.ini", shipped, sizeof shipped));
	assert_string_equal(said.err, "");
}

/* In force with the shipped file: the same settings, each with the line that it stands in. */
static void the_effective_settings_are_a_configuration_again(void **state)
{
	char path[320];

	(void)state;
	assert_int_equal(command_run(&said, &dir, "qiao", "-c", "config/qiao.ini", "config", NULL),
			 EXIT_YES);
	assert_has(said.out, "# config/qiao.ini:");
	tmpdir_file(&dir, path, "again.ini");
	write_text(path, said.out);
	assert_int_equal(
		command_run(&said, &dir, "qiao", "-c", path, "config", "--format", "json", NULL),
		EXIT_YES);
	assert_has(said.out, "\"poll_min\": {");
	assert_string_equal(said.err, "");
}

static void only_what_differs_is_marked(void **state)
{
	char path[320], part[400];

	(void)state;
	tmpdir_file(&dir, path, "small.ini");
	write_text(path, "\n[bus]\npoll_min = 7ms\n");
	assert_int_equal(command_run(&said, &dir, "qiao", "-c", path, "config", NULL), EXIT_YES);
	snprintf(part, sizeof part, "# %s:3\npoll_min = 7ms\npoll_max = 50ms\n", path);
	assert_has(said.out, part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_file_is_the_reference),
		cmocka_unit_test(the_effective_settings_are_a_configuration_again),
		cmocka_unit_test(only_what_differs_is_marked),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
