/* What a posted list may show of a name and a number. */
#include "domain/mask.h"
#include "tests/lib/unit.h"
#include <string.h>

/* */
static void names(void **state)
{
	static const struct {
		const char *name, *masked;
	} cases[] = {
		{"仲妮", "仲*"}, {"仲小妮", "仲*妮"}, {"仲孙小妮", "仲**妮"}, {"𠮷田", "𠮷*"}, {"仲", "*"}, {"", "*"},
		{"古丽米热·艾比布力", "古*******力"}, {"\xff\xfe", "*"},
	};
	char out[MASKED_NAME];
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		mask_name(out, str_of(cases[i].name));
		assert_string_equal(out, cases[i].masked);
	}
	static char large[5000];
	memset(large, 'a', sizeof large - 1);
	mask_name(out, str_of(large));
	assert_string_equal(out, "*");
}

/* */
static void numbers(void **state)
{
	char out[MASKED_ID];
	(void)state;
	mask_id(out, STR("11010519491231002X"));
	assert_string_equal(out, "110************02X");
	mask_id(out, STR("123456789"));
	assert_string_equal(out, "*********");
	mask_id(out, STR(""));
	assert_string_equal(out, "");
	mask_id(out, STR("1234567890123456789012345678901234567890"));
	assert_string_equal(out, "*******************************");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(numbers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
