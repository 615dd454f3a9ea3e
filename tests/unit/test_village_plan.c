/* Plans: what a good one becomes, and that each mistake is told with its place. */
/* LINK: adapters/village/cover.o adapters/village/plan.o */
#include "adapters/village/cover.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <string.h>

static struct {
	struct reference *ref;
	struct buf wrong;
	json_t *sample; /* the example of the published form */
} w;

static int make_world(void **state)
{
	struct complaints why = {0};
	struct conf *c = calloc(1, sizeof *c);
	json_t *schema = json_load_file("schemas/plan.schema.json", 0, NULL);

	(void)state;
	str_copy(c->reference.policy, sizeof c->reference.policy, STR("config/policy"));
	str_copy(c->reference.calendar, sizeof c->reference.calendar, STR("config/calendar.csv"));
	str_copy(c->reference.villages, sizeof c->reference.villages, STR("config/villages.csv"));
	if (reference_load(&w.ref, c, &why) < 0)
		fail_msg("%s", why.at[0].text);
	buf_init(&w.wrong, 1 << 16);
	w.sample = json_deep_copy(json_array_get(json_object_get(schema, "examples"), 0));
	assert_non_null(w.sample);
	json_decref(schema);
	free(c);
	return 0;
}

static int drop_world(void **state)
{
	(void)state;
	json_decref(w.sample);
	buf_fini(&w.wrong);
	reference_free(w.ref);
	return 0;
}

static int parse(struct cover *c, const json_t *plan, const char **code)
{
	char *text = json_dumps(plan, 0);
	int rc;

	buf_reset(&w.wrong);
	*code = NULL;
	assert_true(cover_is_plan(str_of(text)));
	rc = cover_parse(c, str_of(text), w.ref, date_of(2026, 12, 24), &w.wrong, code);
	free(text);
	return rc;
}

/* */
static void a_good_plan_is_read(void **state)
{
	struct cover c;
	const char *code;
	struct id sponsor;

	(void)state;
	if (parse(&c, w.sample, &code) < 0)
		fail_msg("%s", buf_text(&w.wrong));
	const struct subsidy_plan *p = &c.plan;
	assert_true(c.is_plan && str_is(p->village, "330603001008"));
	sponsor_id(&sponsor, STR("collective"), STR("91350100M000100Y43"));
	assert_true(id_eq(&p->sponsor_id, &sponsor));
	assert_int_equal(p->first_year, 2026);
	assert_int_equal(p->last_year, 2028);
	assert_int_equal(p->source_count, 2);
	assert_true(str_is(p->sources[0].kind, "collective_income") && !p->sources[0].amount_fen.set);
	assert_true(str_is(p->sources[1].kind, "donation") && p->sources[1].name.n > 0);
	assert_int_equal(p->sources[1].amount_fen.v, 2000000);
	assert_int_equal(p->standard_count, 2);
	assert_int_equal(p->standards_fen[1], 60000);
	assert_true(p->heads.set && p->heads.v == 120);
	assert_true(p->total_fen.set && p->total_fen.v == 7200000);
	assert_int_equal(p->gate_count, 5);
	assert_true(p->gates[0].document.n == 64 && str_is(p->gates[4].result, "signed"));
	cover_close(&c);
}

/* Village, sponsor and first year make the plan; all else is a version of it. */
static void what_makes_a_plan(void **state)
{
	static const struct {
		const char *key, *value;
		bool other;
	} table[] = {
		{"persons", "\"全体成员\"", false},
		{"years", "{\"first\": 2026}", false},
		{"years", "{\"first\": 2025, \"last\": 2028}", true},
		{"village", "\"330603001030\"", true},
		{"sponsor", "{\"type\": \"charity\", \"code\": \"91350100M000100Y43\"}", true},
	};
	struct cover c;
	const char *code;
	struct id first;

	(void)state;
	assert_int_equal(parse(&c, w.sample, &code), 0);
	first = c.plan.plan_id;
	cover_close(&c);
	for (size_t i = 0; i < COUNT(table); i++) {
		json_t *plan = json_deep_copy(w.sample);

		json_object_set_new(plan, table[i].key,
				    json_loads(table[i].value, JSON_DECODE_ANY, NULL));
		assert_int_equal(parse(&c, plan, &code), 0);
		assert_int_equal(!id_eq(&c.plan.plan_id, &first), table[i].other);
		cover_close(&c);
		json_decref(plan);
	}
}

/* */
static void mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *key, *value, *code, *place;
	} table[] = {
		{"plan", "2", "cover_version", "plan："},
		{"plans", "1", "cover_key_unknown", "plans："},
		{"roster_sha256", "\"\"", "cover_key_unknown", "roster_sha256："},
		{"village", "\"nowhere\"", "village_unknown", "village："},
		{"sponsor", "{\"type\": \"individual\", \"id_number\": \"11010519491231002X\", \"name\": \"a\"}",
		 "plan_sponsor", "sponsor.type："},
		{"sponsor", "{\"type\": \"collective\", \"code\": \"91350100M000100Y44\"}",
		 "credit_code_check", "sponsor.code："},
		{"years", "2026", "plan_years", "years："},
		{"years", "{\"first\": 2026, \"last\": 2025}", "plan_years", "years："},
		{"years", "{\"first\": 2026, \"last\": 2056}", "plan_years", "years："},
		{"years", "{\"first\": 2026, \"until\": 2027}", "cover_key_unknown", "years.until："},
		{"sources", "[]", "plan_sources", "sources："},
		{"sources", "[1,1,1,1,1,1,1,1,1]", "plan_sources", "sources："},
		{"sources", "[{\"kind\": \"lottery\"}]", "plan_source_kind", "sources[0].kind："},
		{"sources", "[{\"kind\": \"other\"}, {\"kind\": \"donation\"}]", "plan_source_name",
		 "sources[1].name："},
		{"sources", "[{\"kind\": \"other\", \"yuan\": 1.5}]", "amount_not_a_number",
		 "sources[0].yuan："},
		{"persons", "\"\"", "plan_words", "persons："},
		{"timing", "null", "plan_words", "timing："},
		{"timing", "7", "cover_text", "timing："},
		{"standards_yuan", "[]", "cover_standards", "standards_yuan："},
		{"standards_yuan", "[\"x\"]", "amount_not_a_number", "standards_yuan[0]："},
		{"heads", "0", "plan_heads", "heads："},
		{"heads", "\"12\"", "plan_heads", "heads："},
		{"total_yuan", "-5", "amount_negative", "total_yuan："},
		{"gates", "[{\"gate\": \"vote\", \"date\": \"2026-10-12\"}]", "plan_gate", "gates[0].gate："},
		{"gates", "[{\"gate\": \"supervision\", \"date\": \"2026-10-12\"}]", "cover_supervision",
		 "gates[0].result："},
		{"gates", "[{\"gate\": \"plan_agreed\", \"date\": \"2026-10-12\", \"note\": \"x\"}]",
		 "cover_key_unknown", "gates[0].note："},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		json_t *plan = json_deep_copy(w.sample);
		struct cover c;
		const char *code;

		json_object_set_new(plan, table[i].key,
				    json_loads(table[i].value, JSON_DECODE_ANY, NULL));
		if (parse(&c, plan, &code) != -1 || strcmp(code, table[i].code) != 0 ||
		    strstr(buf_text(&w.wrong), table[i].place) == NULL)
			fail_msg("%s: %s: %s", table[i].key, table[i].value, buf_text(&w.wrong));
		json_decref(plan);
	}
}

/* The published form and the program agree. */
static void the_schema_tells_the_truth(void **state)
{
	json_t *schema = json_load_file("schemas/plan.schema.json", 0, NULL), *one;
	const char *code, *key;
	struct cover c;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(schema, "required"), i, one)
	{
		json_t *plan = json_deep_copy(w.sample);

		json_object_del(plan, json_string_value(one));
		if (strcmp(json_string_value(one), "plan") != 0)
			assert_int_equal(parse(&c, plan, &code), -1);
		json_decref(plan);
	}
	json_object_foreach(json_object_get(schema, "properties"), key, one)
		assert_non_null(json_object_get(w.sample, key));
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_plan_is_read),
		cmocka_unit_test(what_makes_a_plan),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(the_schema_tells_the_truth),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
