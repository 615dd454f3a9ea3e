/* Schemas: canonical form and fingerprint against fastavro's, what is refused, and that tables
 * and schemas agree. */
#include "events/check.h"
#include "tests/lib/event_gen.h"
#include "tests/lib/unit.h"
#include <string.h>

/* Made with fastavro 1.9.7: to_parsing_canonical_form(json.loads(text)) and
 * fingerprint(canonical, "CRC-64-AVRO"), the latter byte-swapped, since fastavro prints it
 * little endian. */
static const struct {
	const char *text, *canonical;
	uint64_t fingerprint;
} vectors[] = {
	{"\"null\"", "\"null\"", 0x63dd24e7cc258f8a},
	{" {\"type\": \"int\"} ", "\"int\"", 0x7275d51a3f395c8f},
	{"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "\"long\"",
	 0xd054e14493f41db7},
	{"[\"null\",{\"type\":\"string\"},\"bytes\"]", "[\"null\",\"string\",\"bytes\"]",
	 0x885827e0e4e77357},
	{"{\"type\":\"fixed\",\"size\":16,\"name\":\"Id\",\"namespace\":\"cn.keqiao.qiao\",\"doc\":"
	 "\"x\"}",
	 "{\"name\":\"cn.keqiao.qiao.Id\",\"type\":\"fixed\",\"size\":16}", 0x493db2839c9d48d5},
	{"{\"type\":\"enum\",\"name\":\"a.b.Kind\",\"doc\":\"\\u5b57\",\"symbols\":[\"A\",\"B_2\"],"
	 "\"default\":\"A\"}",
	 "{\"name\":\"a.b.Kind\",\"type\":\"enum\",\"symbols\":[\"A\",\"B_2\"]}",
	 0x3162652626fb3afe},
	{"{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"double\",\"doc\":\"d\"}}",
	 "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"double\"}}",
	 0xec90c32f90156998},
	{"{ "
	 "\"doc\":\"head\",\"fields\":[{\"type\":{\"name\":\"Inner\",\"type\":\"record\","
	 "\"fields\":[{\"name\":\"x\","
	 "\"type\":\"float\",\"order\":\"ignore\"}]},\"name\":\"one\",\"aliases\":[\"uno\"]},{"
	 "\"name\":\"two\","
	 "\"type\":\"Inner\"},{\"name\":\"three\",\"type\":{\"type\":\"enum\",\"name\":\"other."
	 "space.E\","
	 "\"symbols\":[\"Q\"]}},{\"name\":\"four\",\"type\":[\"null\",\"other.space.E\"],"
	 "\"default\":null}],"
	 "\"name\":\"Outer\",\"namespace\":\"cn.keqiao.qiao\",\"type\":\"record\",\"aliases\":["
	 "\"Old\"]}",
	 "{\"name\":\"cn.keqiao.qiao.Outer\",\"type\":\"record\",\"fields\":[{\"name\":\"one\","
	 "\"type\":{\"name\":"
	 "\"cn.keqiao.qiao.Inner\",\"type\":\"record\",\"fields\":[{\"name\":\"x\",\"type\":"
	 "\"float\"}]}},{\"name\":"
	 "\"two\",\"type\":\"cn.keqiao.qiao.Inner\"},{\"name\":\"three\",\"type\":{\"name\":"
	 "\"other.space.E\","
	 "\"type\":\"enum\",\"symbols\":[\"Q\"]}},{\"name\":\"four\",\"type\":[\"null\",\"other."
	 "space.E\"]}]}",
	 0x65c6620c1e917b2d},
	{"{\"type\":\"record\",\"name\":\"Plain\",\"fields\":[{\"name\":\"id\",\"type\":{\"type\":"
	 "\"fixed\",\"name\":"
	 "\"Id\",\"size\":16}},{\"name\":\"ids\",\"type\":{\"type\":\"array\",\"items\":\"Id\"}},{"
	 "\"name\":\"b\","
	 "\"type\":\"boolean\"}]}",
	 "{\"name\":\"Plain\",\"type\":\"record\",\"fields\":[{\"name\":\"id\",\"type\":{\"name\":"
	 "\"Id\",\"type\":"
	 "\"fixed\",\"size\":16}},{\"name\":\"ids\",\"type\":{\"type\":\"array\",\"items\":\"Id\"}}"
	 ",{\"name\":\"b\","
	 "\"type\":\"boolean\"}]}",
	 0x5e9aca27f86936c4},
	{"{\"type\":\"record\",\"name\":\"p.q.Full\",\"namespace\":\"ignored.here\",\"fields\":[{"
	 "\"name\":\"in\",\"type\":"
	 "{\"type\":\"record\",\"name\":\"Deep\",\"fields\":[{\"name\":\"back\",\"type\":[\"null\","
	 "\"long\"]}]}}]}",
	 "{\"name\":\"p.q.Full\",\"type\":\"record\",\"fields\":[{\"name\":\"in\",\"type\":{"
	 "\"name\":\"p.q.Deep\","
	 "\"type\":\"record\",\"fields\":[{\"name\":\"back\",\"type\":[\"null\",\"long\"]}]}}]}",
	 0x6f6e8aa3d5aa567f},
	{"{\"type\":\"record\",\"name\":\"a.Loop\",\"fields\":[{\"name\":\"next\",\"type\":["
	 "\"null\",\"Loop\"]}]}",
	 "{\"name\":\"a.Loop\",\"type\":\"record\",\"fields\":[{\"name\":\"next\",\"type\":["
	 "\"null\",\"a.Loop\"]}]}",
	 0x7a43c65c721fa761},
};

static void gives_fastavros_canonical_form_and_fingerprint(void **state)
{
	struct err e = {0};
	struct buf out;
	uint64_t fingerprint;

	(void)state;
	buf_init(&out, SCHEMA_TEXT_MAX);
	for (size_t i = 0; i < COUNT(vectors); i++) {
		buf_reset(&out);
		assert_int_equal(schema_canonical(str_of(vectors[i].text), &out, &e), 0);
		assert_string_equal(buf_text(&out), vectors[i].canonical);
		assert_int_equal(schema_fingerprint(str_of(vectors[i].text), &fingerprint, &e), 0);
		assert_int_equal(fingerprint, vectors[i].fingerprint);
	}
	assert_int_equal(schema_crc64("", 0), 0xc15d213aa4d7a795);
	buf_fini(&out);
}

/* A canonical form is a schema, and its own canonical form. */
static void is_its_own_canonical_form(void **state)
{
	struct err e = {0};
	struct buf once, twice;

	(void)state;
	buf_init(&once, SCHEMA_TEXT_MAX);
	buf_init(&twice, SCHEMA_TEXT_MAX);
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		buf_reset(&once);
		buf_reset(&twice);
		assert_int_equal(schema_canonical(pinned_schema(t), &once, &e), 0);
		assert_int_equal(
			schema_canonical((struct str){(char *)once.data, once.len}, &twice, &e), 0);
		assert_string_equal(buf_text(&once), buf_text(&twice));
	}
	buf_fini(&once);
	buf_fini(&twice);
}

static void refuses_what_is_no_schema(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"1",
		"null",
		"\"nul\"",
		"[]",
		"[[\"null\"]]",
		"{}",
		"{\"type\":1}",
		"{\"type\":\"array\"}",
		"{\"type\":\"map\",\"values\":\"x\"}",
		"{\"type\":\"record\",\"fields\":[]}",
		"{\"type\":\"record\",\"name\":\"A\"}",
		"{\"type\":\"record\",\"name\":\"A-B\",\"fields\":[]}",
		"{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"a..b\",\"fields\":[]}",
		"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\"}]}",
		"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x.y\",\"type\":"
		"\"int\"}]}",
		"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"},"
		"{\"name\":\"x\",\"type\":\"int\"}]}",
		"{\"type\":\"fixed\",\"name\":\"A\"}",
		"{\"type\":\"fixed\",\"name\":\"A\",\"size\":0}",
		"{\"type\":\"fixed\",\"name\":\"A\",\"size\":-1}",
		"{\"type\":\"fixed\",\"name\":\"A\",\"size\":99999999999}",
		"{\"type\":\"enum\",\"name\":\"A\",\"symbols\":[]}",
		"{\"type\":\"enum\",\"name\":\"A\",\"symbols\":[\"a b\"]}",
		"{\"type\":\"enum\",\"name\":\"A\",\"symbols\":[1]}",
		"[{\"type\":\"fixed\",\"name\":\"A\",\"size\":1},{\"type\":\"fixed\",\"name\":"
		"\"A\",\"size\":1}]",
		"{\"type\":\"array\",\"items\":\"int\",\"items\":\"int\"}",
	};
	struct schema s;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {0};

		if (schema_parse(&s, str_of(bad[i]), &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.class, ERR_CONF);
		assert_null(s.nodes);
	}
	assert_int_equal(schema_parse(&s, (struct str){0}, NULL), -1);
}

/* depth levels of arrays around a null. */
static const char *nested(char *out, size_t cap, int depth)
{
	size_t n = 0;

	for (int i = 0; i < depth; i++)
		n += (size_t)snprintf(out + n, cap - n, "{\"type\":\"array\",\"items\":");
	n += (size_t)snprintf(out + n, cap - n, "\"null\"");
	for (int i = 0; i < depth; i++)
		n += (size_t)snprintf(out + n, cap - n, "}");
	return out;
}

static void bounds_depth_and_size(void **state)
{
	static char text[SCHEMA_TEXT_MAX + 2];
	struct err e = {0};
	struct schema s;
	struct check c;
	size_t n = 0;

	(void)state;
	assert_int_equal(schema_parse(&s, str_of(nested(text, sizeof text, SCHEMA_DEPTH_MAX)), &e),
			 0);
	assert_int_equal(check_compile(&c, &s, &e), 0);
	check_fini(&c);
	schema_fini(&s);
	assert_int_equal(
		schema_parse(&s, str_of(nested(text, sizeof text, SCHEMA_DEPTH_MAX + 1)), &e), -1);
	assert_int_equal(schema_parse(&s, str_of(nested(text, sizeof text, 5000)), &e), -1);
	memset(text, ' ', sizeof text - 1);
	assert_int_equal(schema_parse(&s, str_of(text), &e), -1);

	/* Each record holds the one before twice: 2^20 values unfolded. */
	n = (size_t)snprintf(text, sizeof text,
			     "[{\"type\":\"record\",\"name\":\"R0\",\"fields\":[{\"name\":"
			     "\"a\",\"type\":\"int\"}]}");
	for (int i = 1; i <= 20; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
				      ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{"
				      "\"name\":\"a\",\"type\":"
				      "\"R%d\"},{\"name\":\"b\",\"type\":\"R%d\"}]}",
				      i, i - 1, i - 1);
	snprintf(text + n, sizeof text - n, "]");
	assert_int_equal(schema_parse(&s, str_of(text), &e), 0);
	assert_int_equal(check_compile(&c, &s, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_non_null(strstr(e.text, "unfolds"));
	schema_fini(&s);
}

static void refuses_to_check_what_refers_to_itself(void **state)
{
	struct err e = {0};
	struct schema s;
	struct check c;

	(void)state;
	assert_int_equal(schema_parse(&s, str_of(vectors[COUNT(vectors) - 1].text), &e), 0);
	assert_int_equal(check_compile(&c, &s, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_non_null(strstr(e.text, "itself"));
	schema_fini(&s);
}

/* Changes each node of each schema in each way that matters; the table must notice every one. */
static void tables_and_schemas_agree_in_everything(void **state)
{
	struct err e = {0};
	struct schema s;
	int changes = 0;

	(void)state;
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		const struct shape *shape = shape_of(t);

		assert_int_equal(schema_parse(&s, pinned_schema(t), &e), 0);
		assert_int_equal(shape_agree(shape, &s.nodes[0], &e), 0);
		for (int i = 1; i < s.used; i++) {
			struct schema_node *n = &s.nodes[i], saved = *n;

			n->type = n->type == SCH_DOUBLE ? SCH_NULL : SCH_DOUBLE;
			assert_int_equal(shape_agree(shape, &s.nodes[0], &e), -1);
			*n = saved;
			if (n->field) {
				n->field = "other";
				assert_int_equal(shape_agree(shape, &s.nodes[0], &e), -1);
				*n = saved;
				n->dflt = n->dflt == DEFAULT_NONE ? DEFAULT_EMPTY : DEFAULT_NONE;
				assert_int_equal(shape_agree(shape, &s.nodes[0], &e), -1);
				*n = saved;
				n->next = n->next ? NULL
						  : n; /* the fields behind it gone, or one more */
				assert_int_equal(shape_agree(shape, &s.nodes[0], &e), -1);
				*n = saved;
			}
			if (n->type == SCH_INT || n->type == SCH_LONG) {
				/* the items of standards_fen are no member of their own */
				n->logical = n->logical ? NULL : "date";
				if (n->field || n->logical == NULL)
					assert_int_equal(shape_agree(shape, &s.nodes[0], &e), -1);
				*n = saved;
			}
			changes++;
		}
		assert_int_equal(shape_agree(shape, &s.nodes[0], &e), 0);
		schema_fini(&s);
	}
	assert_true(changes > 300);
}

/* A struct's bytes belong to members of its table or are the padding that the next member's
 * alignment asks for. */
static void check_covered(const struct shape *s)
{
	char covered[512] = {0};
	size_t gap = 0;

	assert_true(s->size <= sizeof covered);
	for (int i = 0; i < s->count; i++) {
		const struct member *m = &s->members[i];

		memset(covered + m->offset, 1, member_size(m->kind));
		if (m->kind == M_LONGS || m->kind == M_RECORDS)
			memset(covered + m->count_offset, 1, sizeof(int32_t));
		if (m->items)
			check_covered(m->items);
	}
	for (size_t at = 0; at < s->size; at++) {
		gap = covered[at] ? 0 : gap + 1;
		if (gap > 7)
			fail_msg("%s: no member at %zu", s->name, at);
	}
}

static void tables_cover_the_structs(void **state)
{
	(void)state;
	for (enum event_type t = 0; t < EVENT_TYPES; t++)
		check_covered(shape_of(t));
}

static void knows_names_and_topics(void **state)
{
	enum event_type t;

	(void)state;
	for (enum event_type i = 0; i < EVENT_TYPES; i++) {
		assert_int_equal(event_type_of(str_of(event_name(i)), &t), 0);
		assert_int_equal(t, i);
	}
	assert_int_equal(event_type_of(STR("Nothing"), &t), -1);
	assert_int_equal(event_type_of((struct str){0}, &t), -1);
	assert_string_equal(event_name(EV_SUBSIDY_PAYMENT), "SubsidyPayment");
	assert_string_equal(event_topic(EV_SUBMISSION_OPENED), "submissions");
	assert_string_equal(event_topic(EV_GATE_DOCUMENTS), "submissions");
	assert_string_equal(event_topic(EV_OPERATION), "operations");
	assert_string_equal(event_topic(EV_CONTRIBUTION_ENQUIRY), "enquiries");
	assert_string_equal(event_topic(EV_CONTRIBUTION_STATUS), "contributions");
	assert_string_equal(event_topic(EV_CONTRIBUTION_FEED_REACHED), "contributions");
	assert_string_equal(event_topic(EV_SUBSIDY_PAYMENT), "payments");
	assert_string_equal(event_topic(EV_PAYMENT_ENQUIRY), "payments");
	assert_string_equal(event_topic(EV_COLLECTION_RESULT), "collections");
	assert_string_equal(event_topic(EV_COLLECTED_SUBSIDY), "feedback");
	assert_string_equal(event_topic(EV_SUBSIDY_REFUNDED), "feedback");
	assert_string_equal(event_topic(EV_ACCOUNT_CREDITED), "credits");
	assert_string_equal(event_topic(EV_DEBIT_REFUSED), "credits");
	assert_string_equal(event_topic(EV_COLLECTION_STATISTICS), "statistics");
	assert_string_equal(event_topic(EV_ROW_ANSWER), "answers");
	assert_string_equal(event_topic(EV_SUBMISSION_ANSWER), "answers");
	assert_string_equal(event_topic(EV_BOOK_REQUEST), "requests");
	assert_string_equal(event_topic(EV_BOOK_OPENED), "books");
	assert_string_equal(event_topic(EV_BOOK_CLOSED), "books");
	assert_string_equal(event_topic(EV_FEED_POSITION), "positions");
	assert_string_equal(event_topic(EV_REJECTED_EVENT), "rejects");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_fastavros_canonical_form_and_fingerprint),
		cmocka_unit_test(is_its_own_canonical_form),
		cmocka_unit_test(refuses_what_is_no_schema),
		cmocka_unit_test(bounds_depth_and_size),
		cmocka_unit_test(refuses_to_check_what_refers_to_itself),
		cmocka_unit_test(tables_and_schemas_agree_in_everything),
		cmocka_unit_test(tables_cover_the_structs),
		cmocka_unit_test(knows_names_and_topics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
