/* JSON out and in: escapes, bounds, and that nothing personal of a broken entry is shown. */
#include "adapters/common/jsonin.h"
#include "adapters/common/jsonout.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

static void text_is_escaped_and_comes_back(void **state)
{
	static const char *const texts[] = {"", "plain", "\"quoted\" \\ back",
					    "line\nfeed\ttab\r\x01\x1f\x7f",
					    "古丽米热·艾比布力 𠮷"};
	struct jsonout j;

	(void)state;
	jsonout_init(&j, 1000);
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct str back;

		jsonout_reset(&j);
		JSONOUT(&j, "{\"t\":");
		jsonout_str(&j, str_of(texts[i]));
		JSONOUT(&j, "}");
		assert_false(j.full);
		json_t *root = jsonin_parse(jsonout_text(&j));
		assert_non_null(root);
		assert_int_equal(jsonin_str(root, "t", 1000, &back), 0);
		assert_true(str_is(back, texts[i]));
		jsonin_free(root);
	}
	jsonout_fini(&j);
}

static void values_are_written(void **state)
{
	static const int64_t numbers[] = {0, 7, -1, 1000000, INT64_MAX, INT64_MIN};
	struct id id = {{0x01, 0xab}};
	struct jsonout j;
	char want[32];

	(void)state;
	jsonout_init(&j, 1000);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		jsonout_reset(&j);
		jsonout_int(&j, numbers[i]);
		snprintf(want, sizeof want, "%lld", (long long)numbers[i]);
		assert_true(str_is(jsonout_text(&j), want));
	}
	jsonout_reset(&j);
	jsonout_id(&j, &id);
	jsonout_str(&j, (struct str){NULL, 0});
	jsonout_bool(&j, true);
	jsonout_time(&j, 0);
	assert_true(str_is(
		jsonout_text(&j),
		"\"01ab0000000000000000000000000000\"nulltrue\"1970-01-01T08:00:00.000+08:00\""));
	jsonout_fini(&j);
	jsonout_init(&j, 8);
	JSONOUT(&j, "12345678");
	assert_false(j.full);
	jsonout_int(&j, 9);
	assert_true(j.full);
	JSONOUT(&j, "");
	assert_true(str_is(jsonout_text(&j), "12345678"));
	jsonout_fini(&j);
}

static void getters_have_bounds(void **state)
{
	json_t *o =
		jsonin_parse(STR("{\"n\":5,\"big\":99999999999999999,\"real\":1.5,\"s\":\"abc\","
				 "\"nul\":null,\"yes\":true,"
				 "\"id\":\"0123456789abcdef0123456789ABCDEF\",\"at\":\"2026-12-"
				 "31T09:30:00.123+08:00\","
				 "\"day\":\"2026-12-31\",\"noday\":\"2026-02-30\",\"list\":[1]}"));
	int64_t n = -7;
	struct str s = STR("kept");
	struct id id;
	struct opt_long date;
	int32_t day;
	bool yes = false;

	(void)state;
	assert_non_null(o);
	assert_int_equal(jsonin_int(o, "n", 0, 5, &n), 0);
	assert_int_equal(n, 5);
	n = -7;
	assert_int_equal(jsonin_int(o, "n", 0, 4, &n), -1);
	assert_int_equal(jsonin_int(o, "n", 6, 9, &n), -1);
	assert_int_equal(jsonin_int(o, "real", 0, 9, &n), -1);
	assert_int_equal(jsonin_int(o, "s", 0, 9, &n), -1);
	assert_int_equal(jsonin_int(o, "none", 0, 9, &n), -1);
	assert_int_equal(n, -7);
	assert_int_equal(jsonin_str(o, "s", 2, &s), -1);
	assert_int_equal(jsonin_str(o, "nul", 9, &s), -1);
	assert_true(str_is(s, "kept"));
	assert_int_equal(jsonin_str(o, "s", 3, &s), 0);
	assert_true(str_is(s, "abc"));
	assert_int_equal(jsonin_str_or_null(o, "nul", 3, &s), 0);
	assert_null(s.p);
	assert_int_equal(jsonin_str_or_null(o, "none", 3, &s), 0);
	assert_int_equal(jsonin_str_or_null(o, "n", 3, &s), -1);
	assert_int_equal(jsonin_bool(o, "yes", &yes), 0);
	assert_true(yes);
	assert_int_equal(jsonin_bool(o, "n", &yes), -1);
	assert_int_equal(jsonin_id(o, "id", &id), 0);
	assert_int_equal(jsonin_id(o, "s", &id), -1);
	assert_int_equal(jsonin_id(o, "none", &id), -1);
	assert_int_equal(jsonin_time(o, "at", &n), 0);
	assert_int_equal(n, time_of_date(date_of(2026, 12, 31)) + 34200123);
	assert_int_equal(jsonin_time(o, "day", &n), -1);
	assert_int_equal(jsonin_date(o, "day", &day), 0);
	assert_int_equal(day, date_of(2026, 12, 31));
	assert_int_equal(jsonin_date_or_null(o, "nul", &date), 0);
	assert_false(date.set);
	assert_int_equal(jsonin_date_or_null(o, "day", &date), 0);
	assert_true(date.set && date.v == day);
	assert_int_equal(jsonin_date_or_null(o, "noday", &date), -1);
	assert_non_null(jsonin_list(o, "list"));
	assert_null(jsonin_list(o, "n"));
	jsonin_free(o);
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "[]",
					    "1",
					    "null",
					    "{",
					    "{}x",
					    "{\"a\":1,}",
					    "{\"a\":\"\xff\"}",
					    "{\"a\":99999999999999999999}",
					    "<html>"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_null(jsonin_parse(str_of(texts[i])));
	assert_null(jsonin_parse((struct str){NULL, 0}));
}

/* What a hostile answer costs is bounded; and after it the next one is read as ever. */
static void a_tree_has_a_bound(void **state)
{
	struct jsonout j;
	json_t *o;

	(void)state;
	jsonout_init(&j, 16 << 20);
	JSONOUT(&j, "{\"a\":[1");
	for (int i = 0; i < 3000000; i++)
		JSONOUT(&j, ",1");
	JSONOUT(&j, "]}");
#ifndef __SANITIZE_ADDRESS__
	assert_null(jsonin_parse(jsonout_text(&j)));
#endif
	for (int i = 0; i < 3; i++) {
		o = jsonin_parse(STR("{\"a\":{\"b\":[1,2,3]}}"));
		assert_non_null(o);
		jsonin_free(o);
		assert_null(jsonin_parse(STR("[1,2")));
	}
	jsonin_free(NULL);
	jsonout_fini(&j);
}

static void nothing_personal_is_shown(void **state)
{
	static const char *const names[] = {"sequence",	  "payment_id", "status", "reason",
					    "amount_fen", "at",		"none"};
	json_t *o = jsonin_parse(
		STR("{\"sequence\":33060319491231002,\"payment_id\":\"33060319491231002X\","
		    "\"status\":\"张三\",\"reason\":\"33062119491231\",\"amount_fen\":50000,"
		    "\"at\":{\"number\":\"33060319491231002X\"},\"number\":\"33060319491231002X\","
		    "\"name\":\"张三\"}"));
	struct jsonout j;
	const char *text;

	(void)state;
	jsonout_init(&j, 1000);
	jsonin_show(o, names, COUNT(names), &j);
	text = buf_text(&j.buf);
	assert_non_null(strstr(text, "\"amount_fen\":50000"));
	assert_null(strstr(text, "3306"));
	assert_null(strstr(text, "张"));
	jsonin_free(o);

	o = jsonin_parse(
		STR("{\"sequence\":12,\"payment_id\":\"0123456789abcdef0123456789abcdef\","
		    "\"status\":\"04\","
		    "\"reason\":null,\"amount_fen\":-5,\"at\":\"2026-12-31T09:30:00.123+08:00\"}"));
	jsonout_reset(&j);
	jsonin_show(o, names, COUNT(names), &j);
	assert_true(str_is(
		jsonout_text(&j),
		"{\"sequence\":12,\"payment_id\":\"0123456789abcdef0123456789abcdef\",\"status\":"
		"\"04\","
		"\"reason\":null,\"amount_fen\":-5,\"at\":\"2026-12-31T09:30:00.123+08:00\"}"));
	jsonin_free(o);
	jsonout_fini(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_escaped_and_comes_back),
		cmocka_unit_test(values_are_written),
		cmocka_unit_test(getters_have_bounds),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(nothing_personal_is_shown),
		cmocka_unit_test(a_tree_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
