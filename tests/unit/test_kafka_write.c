/* Publishing on Kafka when requests fail: every event arrives, those of a key in order, or the bus says for good why not.
 *
 * Against librdkafka's mock cluster, which answers any request with the error that we ask for; what only a real broker can show is in
 * tests/kafka/test_write.c. The mock keeps 5 MB a partition: the tests stay below. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/bus.h"
#include "tests/lib/unit.h"
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

enum {
	PARTITIONS = 6,
	KEYS = 40,
	EVENTS = 2000,
	PRODUCE = 0, /* numbers of requests */
	INIT_PRODUCER = 22,
	EVENTS_MAX = 100000,
	PATIENCE_MS = 30000,
	CLOSE_MS = 8000,
};

struct mock {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	struct conf conf;
	struct bus *bus;
	int published;
	/* waiting(): calls so far; at which brokers come back, at which a stop is asked for; 0: never */
	int turns, up_at, stop_at;
};

static bool waiting(void *arg)
{
	struct mock *m = arg;

	m->turns++;
	if (m->turns == m->up_at)
		rd_kafka_mock_broker_set_up(m->cluster, -1);
	return m->stop_at == 0 || m->turns < m->stop_at;
}

static void mock_open(struct mock *m)
{
	static const char *const needed[] = {"submissions", "rejects.village", "answers"};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200];
	struct err e = {0};
	struct bus_options o = {.role = "village", .conf = &m->conf, .waiting = waiting, .arg = m};

	*m = (struct mock){.rk = NULL};
	rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
	m->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	assert_non_null(m->rk);
	m->cluster = rd_kafka_mock_cluster_new(m->rk, 3);
	assert_non_null(m->cluster);
	for (size_t i = 0; i < COUNT(needed); i++) /* each takes the mock a moment */
		assert_int_equal(rd_kafka_mock_topic_create(m->cluster, needed[i],
							    i == 0 ? PARTITIONS : 1, 3),
				 0);
	snprintf(m->conf.bus.kind, sizeof m->conf.bus.kind, "kafka");
	snprintf(m->conf.kafka.brokers, sizeof m->conf.kafka.brokers, "%s",
		 rd_kafka_mock_cluster_bootstraps(m->cluster));
	m->conf.kafka.security = SECURITY_PLAINTEXT;
	snprintf(m->conf.kafka.properties, sizeof m->conf.kafka.properties,
		 "retry.backoff.ms=20\nreconnect.backoff.ms=20\nreconnect.backoff.max.ms=100\n");
	if (bus_open(&m->bus, &o, &e) < 0)
		fail_msg("%s", e.text);
}

static void mock_close(struct mock *m)
{
	bus_close(m->bus);
	rd_kafka_mock_cluster_destroy(m->cluster);
	rd_kafka_destroy(m->rk);
}

static void fail_next(struct mock *m, int request, int count, rd_kafka_resp_err_t err)
{
	for (int i = 0; i < count; i++)
		rd_kafka_mock_push_request_errors(m->cluster, (int16_t)request, 1, err);
}

static int publish_one(struct mock *m, struct err *e)
{
	char key[16], data[16];
	struct bus_event ev = {.type = STR("SubsidyDeclared"), .time_ms = 1};

	snprintf(key, sizeof key, "key %d", m->published % KEYS);
	snprintf(data, sizeof data, "%d", m->published);
	memcpy(ev.id.b, &m->published, sizeof m->published);
	ev.key = str_of(key);
	ev.data = str_of(data);
	if (bus_publish(m->bus, "submissions", &ev, e) < 0)
		return -1;
	m->published++;
	return 0;
}

static void publish(struct mock *m, int count)
{
	struct err e = {0};

	for (int i = 0; i < count; i++)
		if (publish_one(m, &e) < 0)
			fail_msg("%s", e.text);
}

static void flush(struct mock *m)
{
	struct err e = {0};

	if (bus_flush(m->bus, &e) < 0)
		fail_msg("%s", e.text);
}

/* How often each event lies on the topic; order is looked at by the way. */
struct found {
	int count[EVENTS_MAX], all, newest[KEYS];
};

static void find(struct mock *m, struct found *f)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int64_t until = clock_monotonic() + PATIENCE_MS;
	char why[200];
	int ends = 0;
	rd_kafka_t *rk;

	memset(f, 0, sizeof *f);
	for (int i = 0; i < KEYS; i++)
		f->newest[i] = -1;
	rd_kafka_conf_set(conf, "bootstrap.servers", m->conf.kafka.brokers, why, sizeof why);
	rd_kafka_conf_set(conf, "group.id", "finder", why, sizeof why);
	rd_kafka_conf_set(conf, "enable.auto.commit", "false", why, sizeof why);
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
	rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	for (int i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(list, "submissions", i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(rk, list), 0);
	while (ends < PARTITIONS && clock_monotonic() < until) {
		rd_kafka_message_t *msg = rd_kafka_consumer_poll(rk, 100);

		if (msg && msg->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
			ends++;
		} else if (msg && msg->err == 0) {
			int64_t n, key;

			assert_int_equal(str_int((struct str){msg->payload, msg->len}, 0,
						 EVENTS_MAX - 1, &n),
					 0);
			assert_int_equal(
				str_int((struct str){(char *)msg->key + 4, msg->key_len - 4}, 0,
					KEYS - 1, &key),
				0);
			assert_int_equal(n % KEYS, key);
			/* The first time that an event shows, all earlier ones of its key have. */
			if (f->count[n]++ == 0)
				assert_true(n < KEYS || f->count[n - KEYS] > 0);
			f->newest[key] = (int)n;
			f->all++;
		}
		if (msg)
			rd_kafka_message_destroy(msg);
	}
	assert_int_equal(ends, PARTITIONS);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
}

/* All there; what a reader of the newest of each key sees is the newest. Gives how many lie there twice. */
static int check_all(struct mock *m)
{
	static struct found f;

	find(m, &f);
	for (int i = 0; i < m->published; i++)
		if (f.count[i] == 0)
			fail_msg("event %d of %d is lost", i, m->published);
	for (int i = 0; i < KEYS && i < m->published; i++)
		assert_int_equal(f.newest[i], (m->published - 1 - i) / KEYS * KEYS + i);
	return f.all - m->published;
}

static void test_plain(void **state)
{
	struct mock m;

	(void)state;
	mock_open(&m);
	publish(&m, EVENTS);
	flush(&m);
	flush(&m);
	assert_int_equal(check_all(&m), 0);
	mock_close(&m);
}

/* What passes by itself: the library tries again, mostly within one handle. When it gives that up nothing is lost either, but some
 * events lie there twice, with the same ids. */
static void test_passing(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
		RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
		RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
		RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
		RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
		RD_KAFKA_RESP_ERR__TRANSPORT,
	};
	struct mock m;

	(void)state;
	mock_open(&m);
	for (size_t i = 0; i < COUNT(errors); i++) {
		publish(&m, EVENTS / 4);
		fail_next(&m, PRODUCE, 7, errors[i]);
		publish(&m, EVENTS / 4);
		flush(&m);
		publish(&m, 1);
		flush(&m);
	}
	check_all(&m);
	mock_close(&m);
}

/* The first answers to a new producer. */
static void test_passing_at_start(void **state)
{
	struct mock m;

	(void)state;
	mock_open(&m);
	fail_next(&m, INIT_PRODUCER, 3, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
	publish(&m, 100);
	flush(&m);
	assert_int_equal(check_all(&m), 0);
	mock_close(&m);
}

/* The library gives its handle up: a new one sends again what has no report. */
static void test_dead_handle(void **state)
{
	struct mock m;

	(void)state;
	mock_open(&m);
	publish(&m, EVENTS / 2);
	flush(&m);
	fail_next(&m, PRODUCE, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	publish(&m, EVENTS);
	flush(&m);
	check_all(&m);
	mock_close(&m);
}

/* The new one dies, too, and so on; at last it goes. */
static void test_dead_handles(void **state)
{
	struct mock m;

	(void)state;
	mock_open(&m);
	publish(&m, 100);
	flush(&m);
	for (int round = 0; round < 3; round++) {
		fail_next(&m, PRODUCE, 6, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
		publish(&m, EVENTS);
		flush(&m);
		publish(&m, 10);
		flush(&m);
	}
	check_all(&m);
	mock_close(&m);
}

/* A stop while a dead handle's events wait for the brokers: later, all the same; nothing is forgotten. */
static void test_stop_while_mending(void **state)
{
	struct err e = {0};
	struct mock m;

	(void)state;
	mock_open(&m);
	publish(&m, 100);
	flush(&m);
	fail_next(&m, PRODUCE, 3, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	m.stop_at = 1;
	rd_kafka_mock_broker_set_rtt(m.cluster, -1, 300);
	publish(&m, EVENTS);
	for (int i = 0; i < 4; i++) {
		if (bus_flush(m.bus, &e) == 0)
			break;
		assert_int_equal(e.class, ERR_TEMP);
		if (i == 0) { /* while they are away */
			rd_kafka_mock_broker_set_rtt(m.cluster, -1, 0);
			rd_kafka_mock_broker_set_down(m.cluster, -1);
		}
		if (i == 1)
			rd_kafka_mock_broker_set_up(m.cluster, -1);
	}
	m.stop_at = 0;
	publish(&m, EVENTS);
	flush(&m);
	check_all(&m);
	mock_close(&m);
}

/* Brokers away: a program waits as long as it takes. */
static void test_away(void **state)
{
	struct mock m;

	(void)state;
	mock_open(&m);
	publish(&m, 100);
	flush(&m);
	rd_kafka_mock_broker_set_down(m.cluster, -1);
	publish(&m, EVENTS);
	m.up_at = m.turns + 10;
	flush(&m);
	assert_true(m.turns >= m.up_at);
	assert_int_equal(check_all(&m), 0);
	mock_close(&m);
}

/* A stop meanwhile: ERR_TEMP soon, and what was not written stays queued. */
static void test_stop(void **state)
{
	int64_t begun;
	struct err e = {0};
	struct mock m;

	(void)state;
	mock_open(&m);
	publish(&m, 100);
	flush(&m);
	rd_kafka_mock_broker_set_down(m.cluster, -1);
	publish(&m, EVENTS);
	m.stop_at = 1;
	begun = clock_monotonic();
	assert_int_equal(bus_flush(m.bus, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	assert_non_null(strstr(e.text, "[kafka] brokers"));
	assert_true(clock_monotonic() - begun < CLOSE_MS);
	m.stop_at = 0;
	rd_kafka_mock_broker_set_up(m.cluster, -1);
	flush(&m);
	assert_int_equal(check_all(&m), 0);
	mock_close(&m);
}

/* Closed with unsent events, brokers away: without delay; they are not sent. */
static void test_close(void **state)
{
	static struct found f;
	int64_t begun;
	struct mock m;

	(void)state;
	mock_open(&m);
	publish(&m, 100);
	flush(&m);
	rd_kafka_mock_broker_set_down(m.cluster, -1);
	publish(&m, EVENTS);
	begun = clock_monotonic();
	bus_close(m.bus);
	m.bus = NULL;
	assert_true(clock_monotonic() - begun < CLOSE_MS);
	rd_kafka_mock_broker_set_up(m.cluster, -1);
	find(&m, &f);
	assert_int_equal(f.all, 100);
	mock_close(&m);
}

/* More than the queue holds, on a slow way: publishing waits, nothing is dropped. */
static void test_full(void **state)
{
	struct mock m;
	int before;

	(void)state;
	mock_open(&m);
	rd_kafka_mock_broker_set_rtt(m.cluster, -1, 150);
	before = m.turns;
	publish(&m, 90000); /* its place is for 60,000 */
	assert_true(m.turns > before);
	flush(&m);
	assert_int_equal(check_all(&m), 0);
	mock_close(&m);
}

/* What the brokers refuse for good ends the bus, in the operator's words, and nothing overtakes it. */
static void test_refused(void **state)
{
	static const struct {
		rd_kafka_resp_err_t err;
		const char *cure;
	} cases[] = {
		{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "max.message.bytes"},
		{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "ACL"},
		{RD_KAFKA_RESP_ERR_INVALID_RECORD, "do not take our events"},
		{RD_KAFKA_RESP_ERR_POLICY_VIOLATION, "do not take our events"},
		{RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, "too old"},
	};
	static struct found f;
	struct err e, again;
	struct mock m;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		mock_open(&m);
		publish(&m, KEYS);
		flush(&m);
		e = again = (struct err){0};
		/* The first request fails, whichever of the three brokers gets it. */
		fail_next(&m, PRODUCE, 1, cases[i].err);
		for (int n = 0; n < 10 * KEYS; n++)
			if (publish_one(&m, &e) < 0)
				break;
		if (e.class == ERR_NONE)
			assert_int_equal(bus_flush(m.bus, &e), -1);
		if (e.class != ERR_CONF || strstr(e.text, cases[i].cure) == NULL ||
		    strstr(e.text, "topic submissions") == NULL)
			fail_msg("%s: %d %s", rd_kafka_err2name(cases[i].err), e.class, e.text);
		assert_int_equal(bus_flush(m.bus, &again), -1);
		assert_string_equal(again.text, e.text);
		assert_int_equal(publish_one(&m, &again), -1);
		assert_int_equal(again.class, ERR_CONF);
		find(&m, &f); /* which looks at the order, too */
		assert_true(f.all < m.published);
		mock_close(&m);
	}
}

static void test_refused_producer(void **state)
{
	struct err e = {0};
	struct mock m;

	(void)state;
	mock_open(&m);
	fail_next(&m, INIT_PRODUCER, 1, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	for (int n = 0; n < KEYS; n++)
		if (publish_one(&m, &e) < 0)
			break;
	if (e.class == ERR_NONE)
		assert_int_equal(bus_flush(m.bus, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_non_null(strstr(e.text, "ACL"));
	mock_close(&m);
}

static void test_size(void **state)
{
	static char data[(4 << 20) + 1];
	struct bus_event ev = {
		.key = STR("key 0"), .type = STR("SubsidyDeclared"), .data = {data, sizeof data}};
	struct err e = {0};
	struct mock m;

	(void)state;
	mock_open(&m);
	assert_int_equal(bus_publish(m.bus, "rejects.village", &ev, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	ev.data.n = (4 << 20) - ev.key.n;
	e = (struct err){0};
	if (bus_publish(m.bus, "rejects.village", &ev, &e) < 0 ||
	    bus_publish(m.bus, "rejects.village", &ev, &e) < 0)
		fail_msg("%s", e.text);
	flush(&m);
	mock_close(&m);
}

/* As Kafka's Java client: the vectors of its own test. */
static void test_partition(void **state)
{
	static const struct {
		const char *key;
		int32_t hash;
	} vectors[] = {
		{"21", -973932308},
		{"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
	};
	struct mock m;

	(void)state;
	mock_open(&m);
	assert_int_equal(bus_partitions(m.bus, "submissions"), PARTITIONS);
	assert_int_equal(bus_partitions(m.bus, "rejects.village"), 1);
	for (size_t i = 0; i < COUNT(vectors); i++) {
		assert_int_equal(bus_partition_of(m.bus, "submissions", str_of(vectors[i].key)),
				 (vectors[i].hash & 0x7fffffff) % PARTITIONS);
		assert_int_equal(bus_partition_of(m.bus, "rejects.village", str_of(vectors[i].key)),
				 0);
	}
	mock_close(&m);
}

/* The caller's choice of a partition is kept. */
static void test_partition_of_choice(void **state)
{
	struct bus_event ev = {
		.key = STR("key 0"), .type = STR("SubsidyDeclared"), .data = STR("1")};
	int64_t low, high;
	struct err e = {0};
	struct mock m;

	(void)state;
	mock_open(&m);
	for (int p = 0; p < PARTITIONS; p++)
		for (int i = 0; i <= p; i++)
			assert_int_equal(bus_publish_to(m.bus, "submissions", p, &ev, &e), 0);
	flush(&m);
	for (int p = 0; p < PARTITIONS; p++) {
		rd_kafka_conf_t *conf = rd_kafka_conf_new();
		rd_kafka_t *rk;

		rd_kafka_conf_set(conf, "bootstrap.servers", m.conf.kafka.brokers, NULL, 0);
		rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
		assert_int_equal(rd_kafka_query_watermark_offsets(rk, "submissions", p, &low, &high,
								  PATIENCE_MS),
				 0);
		assert_int_equal(high, p + 1);
		rd_kafka_destroy(rk);
	}
	mock_close(&m);
}

static int quiet(void **state)
{
	struct err e;

	(void)state;
	return log_open("test", NULL, getenv("QIAO_TEST_LOG") ? LOG_DEBUG : LOG_ERROR, &e);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_passing),
		cmocka_unit_test(test_passing_at_start),
		cmocka_unit_test(test_dead_handle),
		cmocka_unit_test(test_dead_handles),
		cmocka_unit_test(test_stop_while_mending),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_producer),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_partition),
		cmocka_unit_test(test_partition_of_choice),
	};

	if (argc > 1) /* one of them, while working on it */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, quiet, NULL);
}
