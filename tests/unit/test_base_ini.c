#include "base/ini.h"
#include "tests/lib/unit.h"
#include <string.h>

/* What the reader called and complained about, as one text: "line section/key=value;" and
 * "!line;". */
struct seen {
	char text[2000];
	size_t len;
};

static void note(struct seen *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct seen *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	s->len += (size_t)vsnprintf(s->text + s->len, sizeof s->text - s->len, fmt, ap);
	va_end(ap);
	assert_true(s->len < sizeof s->text);
}

static void on_key(void *arg, int line, struct str section, struct str key, struct str value)
{
	note(arg, "%d %.*s/%.*s=%.*s;", line, (int)section.n, section.p, (int)key.n, key.p,
	     (int)value.n, value.p);
}

static const struct row {
	struct str text;
	const char *seen;
} rows[] = {
	{STR(""), ""},
	{STR("\n\n# c\n; c\n  # c\n"), ""},
	{STR("[a]\nk = v\n"), "2 a/k=v;"},
	{STR("[a]\nk=v"), "2 a/k=v;"},
	{STR("[a]\r\nk = v\r\n\r\nl=w\r\n"), "2 a/k=v;4 a/l=w;"},
	{STR("\xef\xbb\xbf[a]\nk=v"), "2 a/k=v;"},
	{STR(" [ a ] \n\tk\t=\t v w \t\n"), "2 a/k=v w;"},
	{STR("[a]\nk =\n[b]\nk = 1\n"), "2 a/k=;4 b/k=1;"},
	{STR("k = v\n"), "1 /k=v;"},
	{STR("[a]\nk = a = b # not a comment ; nor this\n"),
	 "2 a/k=a = b # not a comment ; nor this;"},
	{STR("[a]\nk = \"quoted\"\n"), "2 a/k=\"quoted\";"},
	{STR("[政策]\n年份 = 2026\n"), "2 政策/年份=2026;"},
	{STR("[a]\nk = 1\nk = 2\n"),
	 "2 a/k=1;3 a/k=2;"}, /* what twice means is the caller's matter */
	{STR("[a]\nword\nk = v\n= v\na b = v\n"), "3 a/k=v;!2;!4;!5;"},
	{STR("[a]\nk = v\n[b\nk = lost\n[c]\nk = v\n"), "2 a/k=v;6 c/k=v;!3;"},
	{STR("[]\nk = lost\n"), "!1;"},
	{STR("[a] x\nk = lost\n"), "!1;"},
	{STR("[a]\nk = \xb4\xe5\nl = v\n"), "3 a/l=v;!2;"},
	{STR("[a]\nk = a\0b\nl = v\n"), "3 a/l=v;!2;"},
	{STR("[a]\nk = v\n\xef\xbb\xbf[b]\n"), "2 a/k=v;!3;"},
};

static void reads_keys_and_complains_by_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct complaints why = {0};
		struct seen seen = {.text = ""};

		ini_parse(rows[i].text, on_key, &seen, &why);
		for (int k = 0; k < why.count; k++)
			note(&seen, "!%d;", why.at[k].line);
		assert_string_equal(seen.text, rows[i].seen);
	}
}

static void counts_complaints_that_do_not_fit(void **state)
{
	struct complaints why = {0};

	(void)state;
	for (int i = 1; i <= COMPLAINTS_MAX + 10; i++)
		complain(&why, i, "number %d", i);
	assert_int_equal(why.count, COMPLAINTS_MAX + 10);
	assert_int_equal(why.at[COMPLAINTS_MAX - 1].line, COMPLAINTS_MAX);
	assert_string_equal(why.at[COMPLAINTS_MAX - 1].text, "number 64");
}

static void cuts_long_complaints_between_characters(void **state)
{
	char text[500];
	struct complaints why = {0};

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t n = shift; n + 4 < sizeof text; n += 3)
			memcpy(text + n, "村", 4);
		complain(&why, 1, "%s", text);
		assert_true(utf8_valid(str_of(why.at[shift].text)));
		assert_true(strlen(why.at[shift].text) > 190);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_keys_and_complains_by_line),
		cmocka_unit_test(counts_complaints_that_do_not_fit),
		cmocka_unit_test(cuts_long_complaints_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
