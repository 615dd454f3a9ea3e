#include "base/err.h"
#include "base/str.h"
#include "tests/lib/unit.h"
#include <errno.h>
#include <string.h>

static void sets_class_text_and_no_errno(void **state)
{
	struct err e = {.sys = 7};

	(void)state;
	assert_int_equal(err_set(&e, ERR_PERM, "row %d: %s", 3, "too long"), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.text, "row 3: too long");
}

static void says_what_the_system_said(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_sys(&e, ERR_TEMP, ENOSPC, "spool %s: write", "ab12"), -1);
	assert_int_equal(e.class, ERR_TEMP);
	assert_int_equal(e.sys, ENOSPC);
	assert_string_equal(e.text, "spool ab12: write: No space left on device");
	err_sys(&e, ERR_TEMP, 99999, "x");
	assert_string_equal(e.text, "x: unknown system error");
}

static void wraps_and_keeps_the_class(void **state)
{
	struct err e = {0};

	(void)state;
	err_sys(&e, ERR_CONF, EACCES, "open");
	assert_int_equal(err_wrap(&e, "keys of %s", "tax"), -1);
	assert_string_equal(e.text, "keys of tax: open: Permission denied");
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(e.sys, EACCES);
}

static void takes_its_own_text_as_an_argument(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_TEMP, "inner");
	err_set(&e, ERR_SAFE, "outer: %s", e.text);
	assert_string_equal(e.text, "outer: inner");
}

static void does_without_a_place_for_the_error(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_TEMP, "x"), -1);
	assert_int_equal(err_sys(NULL, ERR_TEMP, EIO, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

/* Every shift of the cut against the three bytes of a character. */
static void cuts_long_text_between_characters(void **state)
{
	char text[1000];
	struct err e = {0};

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		size_t n = 0;

		memset(text, 'a', shift);
		for (n = shift; n + 3 < sizeof text; n += 3)
			memcpy(text + n, "村", 3);
		text[n] = '\0';
		err_set(&e, ERR_PERM, "%s", text);
		assert_true(utf8_valid(str_of(e.text)));
		assert_in_range(strlen(e.text), sizeof e.text - 4, sizeof e.text - 1);
		err_wrap(&e, "%s", text);
		assert_true(utf8_valid(str_of(e.text)));
		err_sys(&e, ERR_TEMP, EIO, "%s", text);
		assert_true(utf8_valid(str_of(e.text)));
		assert_int_equal(e.sys, EIO);
	}
}

static void every_class_has_its_exit_status(void **state)
{
	static const struct {
		enum err_class class;
		int status;
	} table[] = {{ERR_NONE, 0}, {ERR_TEMP, 3}, {ERR_PERM, 1}, {ERR_CONF, 2}, {ERR_SAFE, 4}};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(err_exit(&(struct err){.class = table[i].class}), table[i].status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_class_text_and_no_errno),
		cmocka_unit_test(says_what_the_system_said),
		cmocka_unit_test(wraps_and_keeps_the_class),
		cmocka_unit_test(takes_its_own_text_as_an_argument),
		cmocka_unit_test(does_without_a_place_for_the_error),
		cmocka_unit_test(cuts_long_text_between_characters),
		cmocka_unit_test(every_class_has_its_exit_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
