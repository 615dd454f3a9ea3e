#include "base/text.h"
#include "tests/lib/unit.h"
#include <string.h>

static void every_code_has_both_texts_and_stands_once(void **state)
{
	const char *code;

	(void)state;
	for (int i = 0; (code = text_code_at(i)) != NULL; i++) {
		const char *zh = text_get(code, LANG_ZH), *en = text_get(code, LANG_EN);

		if (!zh || !en || !zh[0] || !en[0])
			fail_msg("%s: a text is missing", code);
		if (!utf8_valid(str_of(zh)) || !utf8_valid(str_of(en)))
			fail_msg("%s: not UTF-8", code);
		for (int k = 0; k < i; k++) {
			if (strcmp(code, text_code_at(k)) == 0)
				fail_msg("%s: twice", code);
		}
	}
	assert_null(text_code_at(-1));
}

/* Both languages take the same arguments: what one tells, the other tells too. */
static void both_texts_have_the_same_places(void **state)
{
	const char *code;

	(void)state;
	for (int i = 0; (code = text_code_at(i)) != NULL; i++) {
		for (char n = '0'; n <= '9'; n++) {
			char place[] = {'{', n, '}', '\0'};
			const char *zh = strstr(text_get(code, LANG_ZH), place);
			const char *en = strstr(text_get(code, LANG_EN), place);

			if (!zh != !en)
				fail_msg("%s: %s in one language only", code, place);
		}
	}
}

static void codes_are_stable_words(void **state)
{
	const char *code;

	(void)state;
	for (int i = 0; (code = text_code_at(i)) != NULL; i++) {
		if (code[0] == '\0' || code[strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_.")])
			fail_msg("%s: not lower_snake", code);
	}
}

static void finds_by_code_and_language(void **state)
{
	(void)state;
	assert_string_equal(text_get("yes", LANG_ZH), "是");
	assert_string_equal(text_get("yes", LANG_EN), "yes");
	assert_null(text_get("no_such_code", LANG_ZH));
	assert_null(text_get("", LANG_EN));
	assert_string_equal(text_or_code("no_such_code", LANG_EN), "no_such_code");
	assert_string_equal(text_or_code("no", LANG_ZH), "否");
}

static void fills_places(void **state)
{
	static const struct {
		const char *text, *out;
	} table[] = {
		{"", ""},
		{"plain", "plain"},
		{"{0}", "仲妮"},
		{"第{1}行：{0}，{1}", "第12行：仲妮，12"},
		{"{2}|", "|"},		/* no value */
		{"{3} {9}", "{3} {9}"}, /* no such argument */
		{"{ {0 {a} {{0}", "{ {0 {a} {仲妮"},
		{"{", "{"},
		{"{1", "{1"},
	};
	const struct str args[] = {STR("仲妮"), STR("12"), {NULL, 0}};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < COUNT(table); i++) {
		buf_reset(&b);
		assert_int_equal(text_fill(&b, table[i].text, args, 3), 0);
		assert_string_equal(buf_text(&b), table[i].out);
	}
	buf_fini(&b);
}

static void leaves_a_full_buffer_as_it_was(void **state)
{
	const struct str arg = STR("much too long");
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_put_str(&b, "ab");
	assert_int_equal(text_fill(&b, "cd {0}", &arg, 1), -1);
	assert_string_equal(buf_text(&b), "ab");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_both_texts_and_stands_once),
		cmocka_unit_test(both_texts_have_the_same_places),
		cmocka_unit_test(codes_are_stable_words),
		cmocka_unit_test(finds_by_code_and_language),
		cmocka_unit_test(fills_places),
		cmocka_unit_test(leaves_a_full_buffer_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
