#include "base/str.h"
#include "tests/lib/unit.h"
#include <string.h>

static void no_value_is_not_the_empty_text(void **state)
{
	struct str none = str_of(NULL), empty = str_of("");

	(void)state;
	assert_null(none.p);
	assert_false(str_eq(none, empty));
	assert_true(str_eq(none, str_of(NULL)));
	assert_true(str_eq(empty, STR("")));
	assert_false(str_is(none, ""));
	assert_true(str_is(none, NULL));
	assert_true(str_is(STR("村"), "村"));
	assert_false(str_is(STR("ab"), "abc"));
	assert_false(str_is(STR("ab"), "ac"));
}

static void copies_whole_or_not_at_all(void **state)
{
	char out[4] = "zzz";

	(void)state;
	assert_int_equal(str_copy(out, sizeof out, STR("abc")), 0);
	assert_string_equal(out, "abc");
	assert_int_equal(str_copy(out, sizeof out, STR("abcd")), -1);
	assert_string_equal(out, "");
	assert_int_equal(str_copy(out, sizeof out, STR("a\0b")), -1);
	assert_string_equal(out, "");
	assert_int_equal(str_copy(out, sizeof out, str_of(NULL)), 0);
	assert_string_equal(out, "");
}

static void trims_blanks_and_tabs(void **state)
{
	(void)state;
	assert_true(str_is(str_trim(STR(" \t a b\t ")), "a b"));
	assert_true(str_is(str_trim(STR(" \t ")), ""));
	assert_true(str_is(str_trim(STR("")), ""));
	assert_null(str_trim(str_of(NULL)).p);
}

static void ids_are_printed_and_read(void **state)
{
	struct id id, other;
	char hex[ID_HEX];

	(void)state;
	assert_int_equal(id_parse(&id, STR("00112233445566778899AABBccddeeff")), 0);
	assert_string_equal(id_hex(&id, hex), "00112233445566778899aabbccddeeff");
	assert_false(id_is_zero(&id));
	assert_int_equal(id_parse(&other, str_of(hex)), 0);
	assert_true(id_eq(&id, &other));
	other.b[15] ^= 1;
	assert_false(id_eq(&id, &other));
	memset(&other, 0, sizeof other);
	assert_true(id_is_zero(&other));
}

static void refuses_what_is_not_an_id(void **state)
{
	static const char *const table[] = {"",
					    "00112233445566778899aabbccddeef",
					    "00112233445566778899aabbccddeeff0",
					    "0g112233445566778899aabbccddeeff",
					    "00112233445566778899aabbccddeef ",
					    "0x112233445566778899aabbccddeeff"};
	struct id id = {{1}};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(id_parse(&id, str_of(table[i])), -1);
	assert_int_equal(id_parse(&id, str_of(NULL)), -1);
	assert_int_equal(id.b[0], 1); /* left alone */
}

static void reads_integers_within_a_range(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		int rc;
	} table[] = {
		{"0", 0, 9, 0, 0},
		{"-0", 0, 9, 0, 0},
		{"007", 0, 9, 7, 0},
		{"-12", -12, 0, -12, 0},
		{"-13", -12, 0, 0, -1},
		{"10", 0, 9, 0, -1},
		{"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, 0},
		{"9223372036854775808", INT64_MIN, INT64_MAX, 0, -1},
		{"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, 0},
		{"-9223372036854775809", INT64_MIN, INT64_MAX, 0, -1},
		{"99999999999999999999999", INT64_MIN, INT64_MAX, 0, -1},
		{"", INT64_MIN, INT64_MAX, 0, -1},
		{"-", INT64_MIN, INT64_MAX, 0, -1},
		{"+1", INT64_MIN, INT64_MAX, 0, -1},
		{" 1", INT64_MIN, INT64_MAX, 0, -1},
		{"1 ", INT64_MIN, INT64_MAX, 0, -1},
		{"1e3", INT64_MIN, INT64_MAX, 0, -1},
		{"１", INT64_MIN, INT64_MAX, 0, -1},
		{NULL, INT64_MIN, INT64_MAX, 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int64_t value = 4711;

		if (str_int(str_of(table[i].text), table[i].min, table[i].max, &value) !=
		    table[i].rc)
			fail_msg("%s", table[i].text);
		assert_true(value == (table[i].rc == 0 ? table[i].value : 4711));
	}
}

static const struct {
	uint32_t cp;
	const char *bytes;
} characters[] = {
	{0x24, "$"},
	{0x7f, "\x7f"},
	{0x80, "\xc2\x80"},
	{0xb7, "\xc2\xb7"},
	{0x7ff, "\xdf\xbf"},
	{0x800, "\xe0\xa0\x80"},
	{0x6751, "村"},
	{0xd7ff, "\xed\x9f\xbf"},
	{0xe000, "\xee\x80\x80"},
	{0xffff, "\xef\xbf\xbf"},
	{0x10000, "\xf0\x90\x80\x80"},
	{0x20bb7, "𠮷"},
	{0x10ffff, "\xf4\x8f\xbf\xbf"},
};

static void code_points_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(characters); i++) {
		struct str s = str_of(characters[i].bytes);
		size_t n = s.n;
		char out[4];
		uint32_t cp = 0;

		assert_int_equal(utf8_put(out, characters[i].cp), n);
		assert_memory_equal(out, characters[i].bytes, n);
		assert_int_equal(utf8_next(&s, &cp), 1);
		assert_int_equal(cp, characters[i].cp);
		assert_int_equal(s.n, 0);
		assert_int_equal(utf8_next(&s, &cp), 0);
		for (size_t cut = 1; cut < n; cut++)
			assert_false(utf8_valid((struct str){characters[i].bytes, cut}));
	}
}

static void refuses_what_is_not_utf8(void **state)
{
	static const char *const table[] = {
		"\x80",		    /* a follower alone */
		"\xc0\x80",	    /* overlong NUL */
		"\xc1\xbf",	    /* overlong */
		"\xe0\x9f\xbf",	    /* overlong */
		"\xf0\x8f\xbf\xbf", /* overlong */
		"\xed\xa0\x80",	    /* surrogate */
		"\xed\xbf\xbf",	    /* surrogate */
		"\xf4\x90\x80\x80", /* past the last */
		"\xf8\x88\x80\x80\x80",
		"\xff",
		"\xe6\x9d", /* half a character */
		"\xe6\x9d"
		"a",	    /* the same, followed */
		"\xb4\xe5", /* GBK */
	};
	char out[4];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct str s = str_of(table[i]), before = s;
		uint32_t cp = 99;

		assert_int_equal(utf8_next(&s, &cp), -1);
		assert_ptr_equal(s.p, before.p); /* not moved, so that the caller can look at it */
		assert_int_equal(s.n, before.n);
		assert_false(utf8_valid(s));
	}
	assert_true(utf8_valid(STR("")));
	assert_true(utf8_valid(STR("古丽米热·艾比布力 a")));
	assert_int_equal(utf8_put(out, 0xd800), 0);
	assert_int_equal(utf8_put(out, 0x110000), 0);
}

static void widths_are_terminal_columns(void **state)
{
	static const struct {
		const char *text;
		int width;
	} table[] = {
		{"", 0},
		{"abc", 3},
		{"村级", 4},
		{"㛃𠮷䮌", 6},
		{"（Ａ）", 6},
		{"e\xcc\x81", 1},
		{"a\xe2\x80\x8b"
		 "b",
		 2},
		{"·", 1},
		{"1,200.50", 8},
		{"、。", 4},
		{"한글", 4},
		{"ｱ", 1},
		{"\xff\xfe", 2},
		{"a\tb", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (utf8_width(str_of(table[i].text)) != table[i].width)
			fail_msg("%s: %d", table[i].text, utf8_width(str_of(table[i].text)));
	}
}

static void cuts_before_half_a_character(void **state)
{
	static const struct {
		const char *text;
		size_t n, cut;
	} table[] = {
		{"abc", 3, 3},
		{"abc", 0, 0},
		{"村a", 1, 0},
		{"村a", 2, 0},
		{"村a", 3, 3},
		{"村a", 4, 4},
		{"村村", 5, 3},
		{"a𠮷", 2, 1},
		{"a𠮷", 4, 1},
		{"a𠮷", 5, 5},
		{"\x80\x80", 2, 2},
		{"a\x80\x80", 3, 3},
		{"\x80\x80\x80\x80\x80", 5, 5},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (utf8_cut(table[i].text, table[i].n) != table[i].cut)
			fail_msg("%zu: %s", i, table[i].text);
	}
}

static void money_has_two_decimals(void **state)
{
	static const struct {
		int64_t fen;
		const char *text;
	} table[] = {
		{0, "0.00"},
		{5, "0.05"},
		{60000, "600.00"},
		{123450, "1234.50"},
		{-1, "-0.01"},
		{-123450, "-1234.50"},
		{INT64_MAX, "92233720368547758.07"},
		{INT64_MIN, "-92233720368547758.08"},
	};
	char out[24];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(yuan(out, table[i].fen), table[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_is_not_the_empty_text),
		cmocka_unit_test(copies_whole_or_not_at_all),
		cmocka_unit_test(trims_blanks_and_tabs),
		cmocka_unit_test(ids_are_printed_and_read),
		cmocka_unit_test(refuses_what_is_not_an_id),
		cmocka_unit_test(reads_integers_within_a_range),
		cmocka_unit_test(code_points_go_both_ways),
		cmocka_unit_test(refuses_what_is_not_utf8),
		cmocka_unit_test(widths_are_terminal_columns),
		cmocka_unit_test(cuts_before_half_a_character),
		cmocka_unit_test(money_has_two_decimals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
