/* The agencies' JSON reader and writer: what is taken, what is refused, nothing read past the
 * end. */
/* LINK: tests/agencies/json_in.o tests/agencies/json_out.o */
#include "tests/agencies/json_in.h"
#include "tests/agencies/json_out.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

/* Reads {"t":text,"i":integer,"b":bool,"n":text or null,"a":[integers]}, all optional; the sum of
 * the integers in *sum. */
static bool read_all(const char *json, char *text, int64_t *sum)
{
	static const char *const fields[] = {"t", "i", "b", "n", "a", NULL};
	size_t n = strlen(json);
	char *copy = malloc(n + 1); /* just as long, so that a sanitizer sees a read past it */
	struct json j;
	int hint = 0, f;
	bool good;

	memcpy(copy, json, n);
	*sum = 0;
	text[0] = '\0';
	json_init(&j, copy, n);
	json_object(&j);
	while ((f = json_field(&j, fields, &hint)) >= 0) {
		if (f == 0)
			str_copy(text, 64, json_text(&j));
		else if (f == 1)
			*sum += json_int(&j);
		else if (f == 2)
			*sum += json_bool(&j);
		else if (f == 3)
			*sum += json_text_or_null(&j).p ? 100 : 0;
		else
			for (json_array(&j); json_item(&j);)
				*sum += json_int(&j);
	}
	good = json_end(&j);
	free(copy);
	return good;
}

static void takes_good(void **state)
{
	static const struct {
		const char *json, *text;
		int64_t sum;
	} rows[] = {
		{"{}", "", 0},
		{" { \"i\" : 5 , \"t\" : \"\\u5f20\\ud842\\udfb7\\n\\\"\\/\" }\n", "张𠮷\n\"/", 5},
		{"{\"a\":[1,2,-3],\"b\":true,\"n\":null}", "", 1},
		{"{\"a\":[],\"b\":false,\"n\":\"\"}", "", 100},
		{"{\"i\":-9223372036854775808}", "", INT64_MIN},
		{"{\"x\":{\"y\":[1.5e3,{\"z\":\"}\"},[],{},true,null]},\"i\":7,\"y\":-0.1}", "", 7},
		{"{\"i\":1,\"i\":2,\"t\":\"a\"}", "a", 3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];
		int64_t sum;

		if (!read_all(rows[i].json, text, &sum))
			fail_msg("%s", rows[i].json);
		assert_string_equal(text, rows[i].text);
		assert_true(sum == rows[i].sum);
	}
}

static void refuses_bad(void **state)
{
	static const char *const rows[] = {
		"",
		"{",
		"[",
		"null",
		"{\"i\"",
		"{\"i\":",
		"{\"i\":1",
		"{\"i\":1,}",
		"{\"i\":1}x",
		"{\"i\" 1}",
		"{i:1}",
		"{\"i\":1.0}",
		"{\"i\":1e3}",
		"{\"i\":01}",
		"{\"i\":-}",
		"{\"i\":+1}",
		"{\"i\":9223372036854775808}",
		"{\"i\":\"1\"}",
		"{\"t\":1}",
		"{\"t\":null}",
		"{\"t\":\"a}",
		"{\"t\":\"\\\"}",
		"{\"t\":\"\\x\"}",
		"{\"t\":\"\\u12\"}",
		"{\"t\":\"\\ud840\"}",
		"{\"t\":\"\\ud840\\u0041\"}",
		"{\"t\":\"\\udc00\"}",
		"{\"t\":\"\\u0000\"}",
		"{\"t\":\"\n\"}",
		"{\"t\":\"\xff\"}",
		"{\"t\":\"\xc0\xaf\"}",
		"{\"a\":[1,]}",
		"{\"a\":[1 2]}",
		"{\"a\":[1}",
		"{\"a\":[1}]",
		"{\"b\":tru}",
		"{\"b\":1}",
		"{\"n\":nul}",
		"{\"x\":[1,{]}}",
		"{\"x\":[}",
		"{\"x\":{\"y\":1]}",
		"{\"i\":1 \"t\":\"\"}",
		"{\"x\":.5}",
		"{\"x\":}",
		"{,}",
		"{\"i\":1}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];
		int64_t sum;

		if (read_all(rows[i], text, &sum))
			fail_msg("taken: %s", rows[i]);
	}
}

/* However deep: refused, without a stack that grows. */
static void refuses_deep(void **state)
{
	enum { DEPTH = 200000 };
	char *json = malloc(DEPTH + 6), text[64];
	int64_t sum;

	(void)state;
	memcpy(json, "{\"x\":", 5);
	memset(json + 5, '[', DEPTH);
	json[DEPTH + 5] = '\0';
	assert_false(read_all(json, text, &sum));
	free(json);
}

/* Cut anywhere, it is refused: nothing is taken from half a request. */
static void refuses_every_cut(void **state)
{
	static const char whole[] = "{\"t\":\"\\u5f20\",\"i\":-12,\"b\":true,\"n\":null,\"a\":[1,2]"
				    ",\"x\":{\"y\":[1,\"z\"]}}";
	char part[sizeof whole], text[64];
	int64_t sum;

	(void)state;
	assert_true(read_all(whole, text, &sum));
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		memcpy(part, whole, n);
		part[n] = '\0';
		assert_false(read_all(part, text, &sum));
	}
}

static void writes(void **state)
{
	struct out o;

	(void)state;
	out_init(&o, 4096);
	out_text(&o, str_of("a\"\\\x01\n张"));
	out_text(&o, (struct str){NULL, 0});
	out_int(&o, INT64_MIN);
	out_int(&o, 0);
	out_hex(&o, "\x01\xfe", 2);
	out_time(&o, 0);
	out_date(&o, 0);
	out_date(&o, DATE_NONE);
	assert_false(o.bad);
	assert_string_equal(buf_text(&o.b),
			    "\"a\\u0022\\u005c\\u0001\\u000a张\"null-92233720368547758080\"01fe\""
			    "\"1970-01-01T08:00:00.000+08:00\"\"1970-01-01\"null");
	out_fini(&o);
	out_init(&o, 8);
	out_text(&o, str_of("123456789"));
	assert_true(o.bad);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_good),	cmocka_unit_test(refuses_bad),
		cmocka_unit_test(refuses_deep), cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
