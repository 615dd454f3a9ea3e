/* An event as a message of Kafka and back. Messages are made by a producer that has no brokers and is
 * purged: what its reports bring is a message with key, value and headers, and no network. */
#include "bus/kafka_inside.h"
#include "tests/lib/unit.h"
#include <inttypes.h>
#include <string.h>

enum { HEADERS_MAX = 16 };

struct header {
	const char *name, *value;
	ssize_t n; /* -1: up to the NUL; -2: no value */
};
struct parsed { /* copied out of the message, which does not live long */
	struct bus_record record;
	char type[80], key[80], data[80], ledger[120];
	int count;
	char names[HEADERS_MAX][40], values[HEADERS_MAX][120];
	bool got;
};

static const struct kafka_topic *topic;
static struct kafka kafka;

static void copy(char *out, size_t cap, struct str s)
{
	assert_true(s.n < cap);
	memcpy(out, s.p ? s.p : "", s.n);
	out[s.n] = '\0';
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct parsed *p = opaque;
	rd_kafka_headers_t *h = NULL;
	const char *name;
	const void *value;
	size_t n;

	(void)rk;
	event_of(topic, m, &p->record);
	copy(p->type, sizeof p->type, p->record.event.type);
	copy(p->key, sizeof p->key, p->record.event.key);
	copy(p->data, sizeof p->data, p->record.event.data);
	copy(p->ledger, sizeof p->ledger, p->record.ledger);
	if (rd_kafka_message_headers(m, &h) == RD_KAFKA_RESP_ERR_NO_ERROR)
		for (size_t i = 0; rd_kafka_header_get_all(h, i, &name, &value, &n) == 0; i++) {
			assert_true(p->count < HEADERS_MAX);
			copy(p->names[p->count], sizeof p->names[0], str_of(name));
			copy(p->values[p->count++], sizeof p->values[0],
			     (struct str){value, value ? n : 0});
		}
	p->got = true;
}

/* Takes the headers; NULL: none. */
static void pass(struct parsed *p, struct str key, struct str value, rd_kafka_headers_t *h)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200] = "";
	rd_kafka_t *rk;
	rd_kafka_vu_t vus[] = {
		{.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic->name},
		{.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 3},
		{.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
		{.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.p, key.n}},
		{.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.p, value.n}},
		{.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = h},
	};

	*p = (struct parsed){.count = 0};
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rd_kafka_conf_set_opaque(conf, p);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	assert_non_null(rk);
	assert_null(rd_kafka_produceva(rk, vus, h ? 6 : 5));
	rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE);
	rd_kafka_flush(rk, 10000);
	assert_true(p->got);
	rd_kafka_destroy(rk);
}

static rd_kafka_headers_t *headers_of(const struct header *list, size_t count)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(count);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(rd_kafka_header_add(h, list[i].name, -1,
						     list[i].n == -2 ? NULL : list[i].value,
						     list[i].n == -2 ? 0 : list[i].n),
				 0);
	return h;
}

static const char *value_of(const struct parsed *p, const char *name)
{
	const char *found = NULL;

	for (int i = 0; i < p->count; i++)
		if (strcmp(p->names[i], name) == 0) {
			assert_null(found); /* each of them once */
			found = p->values[i];
		}
	return found;
}

static struct bus_event sample(void)
{
	struct bus_event ev = {.key = STR("a key"),
			       .type = STR("SubsidyPayment"),
			       .time_ms = INT64_C(1796000645123),
			       .seq = 42,
			       .data = STR("bytes")};

	for (int i = 0; i < ID_LEN; i++) {
		ev.id.b[i] = (uint8_t)(0xf0 + i);
		ev.trace.b[i] = (uint8_t)(16 * i);
	}
	return ev;
}

static void test_headers(void **state)
{
	struct kafka_kinds *kinds = NULL;
	struct bus_event ev = sample();
	struct parsed p;

	(void)state;
	snprintf(kafka.ledger, sizeof kafka.ledger, "00112233445566778899aabbccddeeff/7");
	pass(&p, ev.key, ev.data, event_headers(&kafka, &kinds, topic->topic, &ev));
	assert_int_equal(p.count, 9);
	assert_string_equal(value_of(&p, "ce_specversion"), "1.0");
	assert_string_equal(value_of(&p, "content-type"), "application/avro");
	assert_string_equal(value_of(&p, "ce_source"), "/qiao/gateway");
	assert_string_equal(value_of(&p, "ce_type"), "cn.keqiao.qiao.SubsidyPayment.v1");
	assert_string_equal(value_of(&p, "ce_id"), "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
	assert_string_equal(value_of(&p, "ce_time"), "2026-11-30T01:04:05.123Z");
	assert_string_equal(value_of(&p, "ce_traceparent"),
			    "00-00102030405060708090a0b0c0d0e0f0-f0f1f2f3f4f5f6f7-01");
	assert_string_equal(value_of(&p, "ce_qiaoledger"), "00112233445566778899aabbccddeeff/7");
	assert_string_equal(value_of(&p, "ce_qiaoseq"), "42");
	/* An adapter's have neither ledger nor sequence; a ledger's mark may change. */
	kafka.ledger[0] = '\0';
	ev.seq = 0;
	pass(&p, ev.key, ev.data, event_headers(&kafka, &kinds, topic->topic, &ev));
	assert_int_equal(p.count, 7);
	assert_null(value_of(&p, "ce_qiaoledger"));
	assert_null(value_of(&p, "ce_qiaoseq"));
	kafka_kinds_free(kinds);
}

static void test_there_and_back(void **state)
{
	static const int64_t times[] = {0,
					1,
					-1,
					INT64_C(951782399999),	  /* 2000-02-28T23:59:59.999Z */
					INT64_C(951782400000),	  /* 2000-02-29 */
					INT64_C(-62135596800000), /* year 1 */
					INT64_C(253402300799999), /* the end of year 9999 */
					INT64_C(1796000645120)};
	static const int64_t seqs[] = {0, 1, 9, 10, 4294967296, INT64_MAX};
	struct kafka_kinds *kinds = NULL;
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < COUNT(times) * COUNT(seqs); i++) {
		struct bus_event ev = sample();
		char type[40];

		ev.time_ms = times[i % COUNT(times)];
		ev.seq = seqs[i / COUNT(times)];
		snprintf(type, sizeof type, "Type%zu", i % 7);
		ev.type = str_of(type);
		ev.id.b[3] = (uint8_t)i;
		snprintf(kafka.ledger, sizeof kafka.ledger, "ab/%zu", i % 2);
		pass(&p, ev.key, ev.data, event_headers(&kafka, &kinds, topic->topic, &ev));
		assert_string_equal(p.type, type);
		assert_string_equal(p.key, "a key");
		assert_string_equal(p.data, "bytes");
		assert_string_equal(p.ledger, kafka.ledger);
		assert_true(p.record.event.time_ms == ev.time_ms);
		assert_true(p.record.event.seq == ev.seq);
		assert_true(id_eq(&p.record.event.id, &ev.id));
		assert_true(id_eq(&p.record.event.trace, &ev.trace));
		assert_int_equal(p.record.partition, 3);
	}
	kafka_kinds_free(kinds);
}

/* More types than have a place: the headers are still right. */
static void test_many_types(void **state)
{
	struct kafka_kinds *kinds = NULL;
	struct parsed p;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct bus_event ev = sample();
		char type[40];

		snprintf(type, sizeof type, "Type%d", i % 90);
		ev.type = str_of(type);
		pass(&p, ev.key, ev.data, event_headers(&kafka, &kinds, topic->topic, &ev));
		assert_string_equal(p.type, type);
	}
	kafka_kinds_free(kinds);
}

/* A time that no calendar has is no reason to write what nobody can read. */
static void test_odd_times(void **state)
{
	static const int64_t times[] = {INT64_MIN, INT64_MAX, INT64_C(-62135596800001),
					INT64_C(253402300800000)};
	struct kafka_kinds *kinds = NULL;
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct bus_event ev = sample();

		ev.time_ms = times[i];
		pass(&p, ev.key, ev.data, event_headers(&kafka, &kinds, topic->topic, &ev));
		assert_string_equal(p.type, "SubsidyPayment");
	}
	kafka_kinds_free(kinds);
}

#define GOOD_VERSION                        \
	{                                   \
		"ce_specversion", "1.0", -1 \
	}
#define GOOD_ID                                                 \
	{                                                       \
		"ce_id", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", -1 \
	}
#define GOOD_TYPE                                                 \
	{                                                         \
		"ce_type", "cn.keqiao.qiao.SubsidyPayment.v1", -1 \
	}
#define GOOD_TIME                                         \
	{                                                 \
		"ce_time", "2026-11-30T01:04:05.123Z", -1 \
	}

static void test_foreign(void **state)
{
	static const struct {
		const char *name;
		struct header list[7];
	} cases[] = {
		{"nothing", {{0}}},
		{"no id", {GOOD_VERSION, GOOD_TYPE, GOOD_TIME}},
		{"no type", {GOOD_VERSION, GOOD_ID, GOOD_TIME}},
		{"no time", {GOOD_VERSION, GOOD_ID, GOOD_TYPE}},
		{"short id", {GOOD_VERSION, GOOD_TYPE, GOOD_TIME, {"ce_id", "f0f1", -1}}},
		{"empty id", {GOOD_VERSION, GOOD_TYPE, GOOD_TIME, {"ce_id", "", 0}}},
		{"id without value", {GOOD_VERSION, GOOD_TYPE, GOOD_TIME, {"ce_id", NULL, -2}}},
		{"id not hex",
		 {GOOD_VERSION,
		  GOOD_TYPE,
		  GOOD_TIME,
		  {"ce_id", "g0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", -1}}},
		{"foreign type",
		 {GOOD_VERSION, GOOD_ID, GOOD_TIME, {"ce_type", "com.example.Order", -1}}},
		{"type of no name",
		 {GOOD_VERSION, GOOD_ID, GOOD_TIME, {"ce_type", "cn.keqiao.qiao..v1", -1}}},
		{"head and foot overlap",
		 {GOOD_VERSION, GOOD_ID, GOOD_TIME, {"ce_type", "cn.keqiao.qiao.v1", -1}}},
		{"type of another version",
		 {GOOD_VERSION, GOOD_ID, GOOD_TIME, {"ce_type", "cn.keqiao.qiao.Row.v2", -1}}},
		{"type not UTF-8",
		 {GOOD_VERSION, GOOD_ID, GOOD_TIME, {"ce_type", "cn.keqiao.qiao.\xff\xfe.v1", -1}}},
		{"time of another form",
		 {GOOD_VERSION, GOOD_ID, GOOD_TYPE, {"ce_time", "2026-11-30T01:04:05Z", -1}}},
		{"time with letters",
		 {GOOD_VERSION, GOOD_ID, GOOD_TYPE, {"ce_time", "2026-11-30T01:04:05.12xZ", -1}}},
		{"month 13",
		 {GOOD_VERSION, GOOD_ID, GOOD_TYPE, {"ce_time", "2026-13-30T01:04:05.123Z", -1}}},
		{"30 February",
		 {GOOD_VERSION, GOOD_ID, GOOD_TYPE, {"ce_time", "2026-02-30T01:04:05.123Z", -1}}},
		{"hour 24",
		 {GOOD_VERSION, GOOD_ID, GOOD_TYPE, {"ce_time", "2026-11-30T24:04:05.123Z", -1}}},
		{"second 60",
		 {GOOD_VERSION, GOOD_ID, GOOD_TYPE, {"ce_time", "2026-11-30T23:59:60.000Z", -1}}},
		{"a good id, then a bad one",
		 {GOOD_VERSION, GOOD_ID, GOOD_TYPE, GOOD_TIME, {"ce_id", "?", -1}}},
		{"no version of CloudEvents", {GOOD_ID, GOOD_TYPE, GOOD_TIME}},
		{"another version of CloudEvents",
		 {GOOD_ID, GOOD_TYPE, GOOD_TIME, {"ce_specversion", "2.0", -1}}},
	};
	struct parsed p, again;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = 0;

		while (n < 7 && cases[i].list[n].name)
			n++;
		pass(&p, STR("k"), STR("v"), n ? headers_of(cases[i].list, n) : NULL);
		if (p.record.event.type.n != 0)
			fail_msg("%s: taken as %s", cases[i].name, p.type);
		assert_non_null(p.record.event.type.p);
		assert_string_equal(p.key, "k");
		assert_string_equal(p.data, "v");
		assert_null(p.record.ledger.p);
		/* The id is made of the place: the same each time, and not empty. */
		assert_false(id_is_zero(&p.record.event.id));
		pass(&again, STR("other"), STR("bytes"), NULL);
		assert_true(id_eq(&p.record.event.id, &again.record.event.id));
	}
	/* Without a key it is none of ours either; without a value it has none. */
	pass(&p, (struct str){0}, (struct str){0},
	     headers_of((struct header[]){GOOD_VERSION, GOOD_ID, GOOD_TYPE, GOOD_TIME}, 4));
	assert_int_equal(p.record.event.type.n, 0);
	assert_int_equal(p.record.event.data.n, 0);
	assert_non_null(p.record.event.key.p);
}

/* What we do not know, or do not need, is passed over. */
static void test_tolerated(void **state)
{
	static const struct header list[] = {
		{"x-something", "\0\1\2", 3},
		GOOD_VERSION,
		GOOD_ID,
		GOOD_TYPE,
		GOOD_TIME,
		{"ce_traceparent", "garbage", -1},
		{"ce_qiaoseq", "-5", -1},
		{"ce_qiaoseq", "99999999999999999999", -1},
		{"ce_unknown", NULL, -2},
	};
	struct parsed p;

	(void)state;
	pass(&p, STR("k"), STR("v"), headers_of(list, COUNT(list)));
	assert_string_equal(p.type, "SubsidyPayment");
	assert_true(id_is_zero(&p.record.event.trace));
	assert_true(p.record.event.seq == 0);
	assert_true(p.record.event.time_ms == INT64_C(1796000645123));
}

static int set_up(void **state)
{
	static struct kafka_topic t;

	(void)state;
	t.topic = topic_find(STR("payments"));
	assert_non_null(t.topic);
	snprintf(t.name, sizeof t.name, "some.payments");
	t.partitions = 6;
	topic = &t;
	snprintf(kafka.role, sizeof kafka.role, "gateway");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),	   cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_many_types), cmocka_unit_test(test_odd_times),
		cmocka_unit_test(test_foreign),	   cmocka_unit_test(test_tolerated),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
