/* Covers: what a good one becomes, and that each mistake is told with its place. */
/* LINK: adapters/village/cover.o adapters/village/plan.o */
#include "adapters/village/cover.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <string.h>

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DOC "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
static const char good[] =
	"{\"cover\":1,\"roster_sha256\":\"" SHA "\",\"year\":2026,\"village\":\"330603001008\","
	"\"sponsor\":{\"type\":\"collective\",\"code\":\"91350100M000100Y43\",\"name\":"
	"\"某村股份经济合作社\"},"
	"\"standards_yuan\":[\"500.00\",\"600\"],\"acceptance_no\":\"浙税2026-17\","
	"\"gates\":[{\"gate\":\"plan_agreed\",\"date\":\"2026-11-01\",\"document_sha256\":\"" DOC
	"\",\"by\":\"村委会\"},"
	"{\"gate\":\"posting\",\"date\":\"2026-12-10\",\"until\":\"2026-12-17\",\"document_"
	"sha256\":null,\"by\":null,"
	"\"cites_roster\":true}]}";

static struct {
	struct tmpdir dir;
	struct reference *ref;
	struct keyring *keys;
	struct buf wrong;
} w;

static int make_world(void **state)
{
	struct complaints why = {0};
	struct conf *c = calloc(1, sizeof *c);
	struct err e = {0};
	char keys[320];

	(void)state;
	tmpdir_make(&w.dir);
	tmpdir_file(&w.dir, keys, "keys");
	str_copy(c->reference.policy, sizeof c->reference.policy, STR("config/policy"));
	str_copy(c->reference.calendar, sizeof c->reference.calendar, STR("config/calendar.csv"));
	str_copy(c->reference.villages, sizeof c->reference.villages, STR("config/villages.csv"));
	if (reference_load(&w.ref, c, &why) < 0)
		fail_msg("%s", why.at[0].text);
	if (keygen(keys, 2026, 2026, &e) < 0 ||
	    keyring_open(&w.keys, keys, "village", false, &e) < 0)
		fail_msg("%s", e.text);
	buf_init(&w.wrong, 1 << 16);
	free(c);
	return 0;
}

static int drop_world(void **state)
{
	(void)state;
	buf_fini(&w.wrong);
	keyring_free(w.keys);
	reference_free(w.ref);
	tmpdir_remove(&w.dir);
	return 0;
}

static int parse(struct cover *c, const char *json, const char **code)
{
	buf_reset(&w.wrong);
	*code = NULL;
	return cover_parse(c, str_of(json), w.ref, date_of(2026, 12, 24), &w.wrong, code);
}

static void a_good_cover_is_read(void **state)
{
	struct gate_documents *ev;
	struct cover c;
	const char *code;
	struct id id;

	(void)state;
	if (parse(&c, good, &code) < 0)
		fail_msg("%s", buf_text(&w.wrong));
	ev = &c.event;
	assert_string_equal(c.roster_sha256, SHA);
	assert_int_equal(ev->year, 2026);
	assert_true(str_is(ev->village, "330603001008") && str_is(ev->sponsor_type, "collective"));
	assert_true(str_is(ev->sponsor_code, "91350100M000100Y43") &&
		    str_is(ev->acceptance_no, "浙税2026-17"));
	assert_int_equal(ev->standard_count, 2);
	assert_int_equal(ev->standards_fen[0], 50000);
	assert_int_equal(ev->standards_fen[1], 60000);
	assert_int_equal(ev->gate_count, 2);
	assert_true(str_is(ev->gates[0].gate, "plan_agreed") && str_is(ev->gates[0].document, DOC));
	assert_int_equal(ev->gates[0].date, date_of(2026, 11, 1));
	assert_true(!ev->gates[0].until.set && !ev->gates[0].cites_roster &&
		    str_is(ev->gates[0].passed_by, "村委会"));
	assert_true(ev->gates[1].until.set && ev->gates[1].cites_roster &&
		    ev->gates[1].document.p == NULL);
	assert_int_equal(ev->gates[1].until.v, date_of(2026, 12, 17));
	cover_sponsor(&c, w.keys);
	sponsor_id(&id, STR("collective"), STR("91350100M000100Y43"));
	assert_memory_equal(&ev->sponsor_id, &id, sizeof id);
	cover_close(&c);
}

static void a_byte_order_mark_is_fine(void **state)
{
	char text[sizeof good + 3];
	struct cover c;
	const char *code;

	(void)state;
	snprintf(text, sizeof text, "\xEF\xBB\xBF%s", good);
	assert_int_equal(parse(&c, text, &code), 0);
	cover_close(&c);
}

/* Known by token only: neither number nor name is in what is published. */
static void an_individual_stays_a_token(void **state)
{
	const char *json = "{\"cover\":1,\"roster_sha256\":\"" SHA
			   "\",\"year\":2026,\"village\":\"管墅社区居委会\","
			   "\"sponsor\":{\"type\":\"individual\",\"id_number\":"
			   "\"11010519491231002x\",\"name\":\"张三\"},\"gates\":[]}";
	struct id id, token;
	struct cover c;
	const char *code;

	(void)state;
	if (parse(&c, json, &code) < 0)
		fail_msg("%s", buf_text(&w.wrong));
	cover_sponsor(&c, w.keys);
	token_of(w.keys, STR("11010519491231002X"), &token);
	sponsor_id(&id, STR("individual"), (struct str){(char *)token.b, ID_LEN});
	assert_memory_equal(&c.event.sponsor_id, &id, sizeof id);
	assert_null(c.event.sponsor_code.p);
	assert_null(c.event.acceptance_no.p);
	assert_int_equal(c.event.standard_count, 0);
	cover_close(&c);
}

/* A good cover with one thing changed. */
static const struct {
	const char *from, *to, *code, *path;
} flaws[] = {
	{"{\"cover\"", "[\"cover\"", "cover_not_json", "第 1 行"},
	{"\"gates\":", "\"gates\"", "cover_not_json", "第 1 行"},
	{"\"cover\":1", "\"cover\":2", "cover_version", "cover："},
	{"\"cover\":1,", "", "cover_version", "cover："},
	{"\"cover\":1", "\"cover\":1,\"cover\":1", "cover_not_json", "第 1 行"},
	{"\"year\":2026", "\"jahr\":2026", "cover_key_unknown", "jahr："},
	{"\"year\":2026", "\"year\":\"2026\"", "cover_year", "year："},
	{"\"year\":2026", "\"year\":2026.0", "cover_year", "year："},
	{"\"year\":2026", "\"year\":2019", "cover_year_unknown", "year："},
	{SHA, "abc", "cover_digest", "roster_sha256："},
	{"\"roster_sha256\":\"" SHA "\",", "", "cover_digest", "roster_sha256："},
	{"330603001008", "330603001999", "village_unknown", "village："},
	{"\"village\":\"330603001008\"", "\"village\":3306", "village_unknown", "village："},
	{"\"village\":\"330603001008\"", "\"village\":\"型塘\"", "village_ambiguous", "village："},
	{"\"type\":\"collective\"", "\"type\":\"club\"", "cover_sponsor_unknown", "sponsor.type："},
	{"M000100Y43", "M000100Y44", "credit_code_check", "sponsor.code："},
	{"\"code\":\"91350100M000100Y43\",", "", "credit_code_missing", "sponsor.code："},
	{"\"type\":\"collective\",\"code\":\"91350100M000100Y43\"",
	 "\"type\":\"individual\",\"id_number\":\"1101051949123100\"", "id_length",
	 "sponsor.id_number："},
	{"\"type\":\"collective\",\"code\":\"91350100M000100Y43\"", "\"type\":\"individual\"",
	 "id_missing", "sponsor.id_number："},
	{"\"type\":\"collective\"", "\"type\":\"individual\"", "cover_key_unknown",
	 "sponsor.code："},
	{"[\"500.00\",\"600\"]", "[\"500.00\",\"many\"]", "amount_not_a_number",
	 "standards_yuan[1]："},
	{"[\"500.00\",\"600\"]", "[500.5]", "amount_not_a_number", "standards_yuan[0]："},
	{"[\"500.00\",\"600\"]", "[0]", "amount_zero", "standards_yuan[0]："},
	{"[\"500.00\",\"600\"]", "\"500\"", "cover_standards", "standards_yuan："},
	{"plan_agreed", "plan_dreamt", "cover_gate_unknown", "gates[0].gate："},
	{"plan_agreed", "posting", "cover_gate_twice", "gates[1].gate："},
	{"2026-11-01", "2026-11-31", "cover_date", "gates[0].date："},
	{"2026-11-01", "2026/11/01", "cover_date", "gates[0].date："},
	{"\"date\":\"2026-11-01\",", "", "cover_date", "gates[0].date："},
	{"2026-12-17", "bald", "cover_date", "gates[1].until："},
	{"\"by\":\"村委会\"", "\"until\":\"2026-11-02\"", "cover_until", "gates[0].until："},
	{DOC, "x", "cover_digest", "gates[0].document_sha256："},
	{"\"cites_roster\":true", "\"cites_roster\":\"yes\"", "cover_boolean",
	 "gates[1].cites_roster："},
	{"\"by\":null", "\"by\":7", "cover_text", "gates[1].by："},
	{"\"gates\":[{", "\"gates\":[7,{", "cover_gate", "gates[0].："},
	{"浙税2026-17", "a\\u0000b", "cover_not_json", "第 1 行"},
};

/* */
static void mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(flaws); i++) {
		char text[2048];
		const char *at = strstr(good, flaws[i].from), *code;
		struct cover c;

		if (at == NULL)
			fail_msg("case %zu", i);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, flaws[i].to,
			 at + strlen(flaws[i].from));
		if (parse(&c, text, &code) == 0)
			fail_msg("case %zu (%s) passed", i, flaws[i].code);
		if (strcmp(code, flaws[i].code) != 0 ||
		    strstr(buf_text(&w.wrong), flaws[i].path) == NULL)
			fail_msg("case %zu: %s: %s", i, code, buf_text(&w.wrong));
		if (strstr(buf_text(&w.wrong), code))
			fail_msg("case %zu: the code shows: %s", i, buf_text(&w.wrong));
	}
}

static void all_mistakes_are_told_at_once(void **state)
{
	struct cover c;
	const char *code, *text;

	(void)state;
	assert_int_equal(parse(&c,
			       "{\"year\":1,\"x\":2,\"gates\":[{\"gate\":\"vote\"},{\"date\":"
			       "\"2026-12-01\"}]}",
			       &code),
			 -1);
	text = buf_text(&w.wrong);
	assert_non_null(strstr(text, "x："));
	assert_non_null(strstr(text, "cover："));
	assert_non_null(strstr(text, "year："));
	assert_non_null(strstr(text, "sponsor："));
	assert_non_null(strstr(text, "gates[0].date："));
	assert_non_null(strstr(text, "gates[1].gate："));
}

static void random_changes_are_survived(void **state)
{
	uint64_t seed = 7;
	char text[sizeof good];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct cover c;
		const char *code;

		memcpy(text, good, sizeof good);
		for (int k = 0; k <= round % 3; k++) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			text[(seed >> 33) % (sizeof good - 1)] = (char)(1 + (seed >> 20) % 255);
		}
		if (parse(&c, text, &code) == 0)
			cover_close(&c);
		else
			assert_non_null(code);
	}
}

/* */
static void an_annex_has_reason_and_approver(void **state)
{
	static const struct {
		const char *extra;
		bool good;
	} table[] = {
		{"\"annex_to\":\"" DOC "\",\"reason\":\"迁出\",\"approver\":\"三资办\",", true},
		{"\"annex_to\":\"" DOC "\",\"reason\":\"迁出\",", false},
		{"\"annex_to\":\"" DOC "\",\"approver\":\"三资办\",", false},
		{"\"reason\":\"迁出\",", false},
		{"\"annex_to\":null,", true},
		{"\"annex_to\":\"x\",\"reason\":\"迁出\",\"approver\":\"三资办\",", false},
	};
	struct cover c;
	const char *code;
	char text[2000];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		snprintf(text, sizeof text, "{%s%s", table[i].extra, good + 1);
		if ((parse(&c, text, &code) == 0) != table[i].good)
			fail_msg("%s: %s", table[i].extra, buf_text(&w.wrong));
		if (!table[i].good)
			continue;
		assert_int_equal(c.event.annex_to.n, i == 0 ? 64 : 0);
		assert_int_equal(c.event.reason.n > 0, i == 0);
		cover_close(&c);
	}
}

/* The published form and the program agree: its examples pass, and its lists of words are the program's. */
static void the_schema_tells_the_truth(void **state)
{
	json_t *schema = json_load_file("schemas/cover.schema.json", 0, NULL), *examples, *words,
	       *one, *in;
	const char *code;
	size_t i;

	(void)state;
	assert_non_null(schema);
	examples = json_object_get(schema, "examples");
	assert_true(json_array_size(examples) >= 2);
	json_array_foreach(examples, i, one)
	{
		char *text = json_dumps(one, 0);
		struct cover c;

		if (parse(&c, text, &code) < 0)
			fail_msg("example %zu: %s", i, buf_text(&w.wrong));
		cover_close(&c);
		free(text);
	}
	in = json_object_get(json_object_get(schema, "properties"), "gates");
	in = json_object_get(json_object_get(in, "items"), "properties");
	words = json_object_get(json_object_get(in, "gate"), "enum");
	assert_int_equal(json_array_size(words), GATES);
	json_array_foreach(words, i, one)
		assert_string_equal(json_string_value(one), gate_code((enum gate)i));
	in = json_object_get(json_object_get(schema, "properties"), "sponsor");
	in = json_array_get(json_object_get(in, "oneOf"), 0);
	words = json_object_get(json_object_get(json_object_get(in, "properties"), "type"), "enum");
	assert_int_equal(json_array_size(words), SPONSOR_TYPES - 1);
	json_array_foreach(words, i, one) assert_string_equal(
		json_string_value(one), sponsor_type_code((enum sponsor_type)i));
	json_decref(schema);
}

/* The sample of the operators' page is one that can be used. */
static void the_manual_shows_a_good_cover(void **state)
{
	struct buf page;
	struct err e = {0};
	struct cover c;
	const char *code, *from, *to;
	char sample[4000];

	(void)state;
	buf_init(&page, 1 << 20);
	assert_int_equal(fs_read("adapters/village/README.md", &page, &e), 0);
	from = strstr(buf_text(&page), "```json\n");
	assert_non_null(from);
	to = strstr(from + 8, "```");
	assert_non_null(to);
	assert_true((size_t)snprintf(sample, sizeof sample, "%.*s", (int)(to - from - 8),
				     from + 8) < sizeof sample);
	if (parse(&c, sample, &code) < 0)
		fail_msg("%s", buf_text(&w.wrong));
	cover_close(&c);
	buf_fini(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_cover_is_read),
		cmocka_unit_test(a_byte_order_mark_is_fine),
		cmocka_unit_test(an_individual_stays_a_token),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(an_annex_has_reason_and_approver),
		cmocka_unit_test(the_schema_tells_the_truth),
		cmocka_unit_test(the_manual_shows_a_good_cover),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(random_changes_are_survived),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
