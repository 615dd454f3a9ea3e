#include "domain/cell.h"
#include "tests/lib/unit.h"
#include <string.h>

static void blanks_of_every_kind(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} table[] = {
		{" a", 1},	     {"\t", 1},
		{"\r\n", 1},	     {"\v", 1},
		{"\xC2\xA0", 2},     {"\xE3\x80\x80", 3},
		{"\xE2\x80\x80", 3}, {"\xE2\x80\x8B", 3},
		{"\xE2\x80\x8F", 3}, {"\xE2\x80\xAA", 3},
		{"\xE2\x80\xAF", 3}, {"\xE2\x81\xA0", 3},
		{"\xEF\xBB\xBF", 3}, {"", 0},
		{"a ", 0},	     {"\x08", 0},
		{"\x0E", 0},	     {"\xC2\xB7", 0},
		{"\xC2", 0},	     {"\xE3\x80\x81", 0},
		{"\xE3\x80", 0},     {"\xE2\x80\x90", 0},
		{"\xE2\x80\xA2", 0}, {"\xE2\x80\xB0", 0},
		{"\xE2\x81\xA1", 0}, {"\xEF\xBB\xBE", 0},
		{"张", 0},	     {"\xFF", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(cell_blank(str_of(table[i].text)), table[i].n);
	assert_int_equal(cell_blank((struct str){NULL, 0}), 0);
}

static void guards_and_blanks_around_go(void **state)
{
	static const struct {
		const char *raw, *bare;
	} table[] = {
		{"abc", "abc"},
		{"  a b\t", "a b"},
		{"\xE3\x80\x80张\xC2\xA0", "张"},
		{"'007", "007"},
		{"`007", "007"},
		{"’007", "007"},
		{"‘ 007", "007"},
		{"=\"007\"", "007"},
		{" '=\"007\"\t", "007"},
		{"=\" 007 \"", "007"},
		{"=\"\"", ""},
		{"=\"", "=\""},
		{"=007", "=007"},
		{"=\"007", "=\"007"},
		{"''", "'"},
		{"'", ""},
		{"", ""},
		{"   ", ""},
		{"\xE3\x80\x80", ""},
		{"\xEF\xBB\xBF序号", "序号"},
		{"张\xE3\x80\x80", "张"},
		{"\x80", "\x80"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct str got = cell_bare(str_of(table[i].raw));

		if (!str_is(got, table[i].bare))
			fail_msg("%s: got %.*s", table[i].raw, (int)got.n, got.p);
	}
	assert_int_equal(cell_bare((struct str){NULL, 0}).n, 0);
	assert_non_null(cell_bare((struct str){NULL, 0}).p);
}

static void narrow_drops_blanks_and_folds_full_width(void **state)
{
	static const struct {
		const char *raw, *narrow;
	} table[] = {
		{"1 2 3", "123"},   {"１２３Ｘｘ", "123Xx"}, {"（元）", "(元)"}, {"～！", "~!"},
		{"张　三", "张三"}, {"￥5", "￥5"},	     {"'１", "1"},	 {"", ""},
		{"ﾞ", "ﾞ"},
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_int_equal(cell_narrow(str_of(table[i].raw), out, sizeof out),
				 strlen(table[i].narrow));
		assert_string_equal(out, table[i].narrow);
	}
	assert_int_equal(cell_narrow(STR("1234"), out, 5), 4);
	assert_int_equal(cell_narrow(STR("1234"), out, 4), -1);
	assert_string_equal(out, "");
	assert_int_equal(cell_narrow(STR("1 2 3   "), out, 4), 3);
	assert_int_equal(cell_narrow(STR(""), out, 1), 0);
	assert_int_equal(cell_narrow(STR(""), out, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_of_every_kind),
		cmocka_unit_test(guards_and_blanks_around_go),
		cmocka_unit_test(narrow_drops_blanks_and_folds_full_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
