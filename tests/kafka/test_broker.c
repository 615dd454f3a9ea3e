/* What the other tests here stand on: brokers and registry start, serve, die and come again. */
#include "base/clock.h"
#include "tests/lib/kafka.h"
#include "tests/lib/unit.h"
#include <librdkafka/rdkafka.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

enum { MESSAGES = 1000, PARTITIONS = 3, PATIENCE_MS = 60000, KILLED_AT = 300, BACK_AT = 700 };

/* Older librdkafka sends its nonce twice, which Kafka 4 refuses as invalid credentials. */
#define SCRAM_SINCE 0x020601ff

#define DONE(call)                              \
	do {                                    \
		if ((call) < 0)                 \
			fail_msg("%s", e.text); \
	} while (0)

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[300];

	if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK)
		fail_msg("%s", text);
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *servers, const char *const *settings)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[300];
	rd_kafka_t *rk;

	set(conf, "bootstrap.servers", servers);
	set(conf, "log_level", "0");
	for (; settings && settings[0]; settings += 2)
		set(conf, settings[0], settings[1]);
	rk = rd_kafka_new(type, conf, text, sizeof text);
	if (!rk)
		fail_msg("%s", text);
	return rk;
}

static void report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	(void)rk;
	*(int *)opaque += m->err == 0;
}

static rd_kafka_t *producer(const char *servers, int *delivered)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[300];
	rd_kafka_t *rk;

	set(conf, "bootstrap.servers", servers);
	set(conf, "enable.idempotence", "true");
	set(conf, "log_level", "0");
	rd_kafka_conf_set_dr_msg_cb(conf, report);
	rd_kafka_conf_set_opaque(conf, delivered);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
	if (!rk)
		fail_msg("%s", text);
	return rk;
}

static void produce(rd_kafka_t *rk, const char *topic, int from, int to)
{
	for (int i = from; i < to; i++)
		assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
						   RD_KAFKA_V_PARTITION(i % PARTITIONS),
						   RD_KAFKA_V_VALUE(&i, sizeof i),
						   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
						   RD_KAFKA_V_END),
				 0);
}

/* Every message once, and in the order of its partition. */
static void check_all(const char *servers, const char *topic)
{
	static const char *const settings[] = {
		"group.id", "test", "enable.partition.eof", "true", "enable.auto.commit",
		"false",    NULL};
	rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, servers, settings);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
	int last[PARTITIONS] = {-1, -1, -1}, seen = 0, ends = 0;
	int64_t until = clock_monotonic() + PATIENCE_MS;

	for (int i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(rk, list), 0);
	while (ends < PARTITIONS && clock_monotonic() < until) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
		int i;

		ends += m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		if (m && !m->err) {
			memcpy(&i, m->payload, sizeof i);
			assert_int_equal(i % PARTITIONS, m->partition);
			assert_true(i > last[m->partition]);
			last[m->partition] = i;
			seen++;
		}
		if (m)
			rd_kafka_message_destroy(m);
	}
	assert_int_equal(seen, MESSAGES);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
}

static void test_one(void **state)
{
	const char *configs[] = {"cleanup.policy", "compact", NULL};
	struct err e = {0};
	struct cluster c;
	char servers[CLUSTER_SERVERS];
	int delivered = 0;
	rd_kafka_t *rk;

	(void)state;
	DONE(cluster_open(&c, &(struct cluster_options){.nodes = 1}, &e));
	print_message("ready, peak %lld MB\n", (long long)cluster_peak_kib(&c, 0) / 1024);
	cluster_servers(&c, CLUSTER_PLAIN, servers);
	DONE(kafka_topic(servers, "t", PARTITIONS, 1, NULL, &e));
	DONE(kafka_topic(servers, "compacted", 1, 1, configs, &e));
	assert_int_equal(kafka_topic(servers, "t", PARTITIONS, 1, NULL, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	rk = producer(servers, &delivered);
	produce(rk, "t", 0, MESSAGES);
	assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
	rd_kafka_destroy(rk);
	assert_int_equal(delivered, MESSAGES);
	check_all(servers, "t");
	/* Orderly end: exit status as Java's after SIGTERM; what was written is there afterwards. */
	assert_int_equal(cluster_stop(&c, 0), 128 + SIGTERM);
	assert_false(cluster_alive(&c, 0));
	DONE(cluster_start(&c, 0, &e));
	DONE(cluster_in_sync(&c, &e));
	check_all(servers, "t");
	assert_int_equal(c.node[0].java.starts, 2);
	assert_true(cluster_cpu_us(&c, 0) > 500000);
	print_message("peak %lld MB, %lld ms of CPU\n", (long long)cluster_peak_kib(&c, 0) / 1024,
		      (long long)cluster_cpu_us(&c, 0) / 1000);
	cluster_close(&c);
}

static void test_three(void **state)
{
	struct err e = {0};
	struct cluster c;
	char servers[CLUSTER_SERVERS];
	int delivered = 0, leader, next;
	int64_t cpu;
	rd_kafka_t *rk;

	(void)state;
	DONE(cluster_open(&c, &(struct cluster_options){.nodes = 3}, &e));
	cluster_servers(&c, CLUSTER_PLAIN, servers);
	DONE(kafka_topic(servers, "t", PARTITIONS, 3, NULL, &e));
	DONE(leader = cluster_leader(&c, "t", 0, &e));
	rk = producer(servers, &delivered);
	produce(rk, "t", 0, KILLED_AT);
	rd_kafka_poll(rk, 10);
	cluster_kill(&c, leader);
	cpu = cluster_cpu_us(&c, leader);
	assert_false(cluster_alive(&c, leader));
	assert_int_equal(c.node[leader].java.status, -SIGKILL);
	produce(rk, "t", KILLED_AT, BACK_AT);
	assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
	DONE(next = cluster_leader(&c, "t", 0, &e));
	assert_int_not_equal(next, leader);
	DONE(cluster_start(&c, leader, &e));
	DONE(cluster_in_sync(&c, &e));
	produce(rk, "t", BACK_AT, MESSAGES);
	assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
	rd_kafka_destroy(rk);
	assert_int_equal(delivered, MESSAGES);
	check_all(servers, "t");
	assert_true(cpu > 0 && cluster_cpu_us(&c, leader) > cpu);
	for (int i = 0; i < 3; i++)
		print_message("broker %d: peak %lld MB\n", i + 1,
			      (long long)cluster_peak_kib(&c, i) / 1024);
	cluster_close(&c);
}

/* Whether the brokers' answer to a client with these settings shows that topic. */
static bool sees_topic(const char *servers, const char *const *settings)
{
	rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, servers, settings);
	const struct rd_kafka_metadata *m;
	bool seen = false;

	if (rd_kafka_metadata(rk, 1, NULL, &m, 3000) == 0) {
		for (int i = 0; i < m->topic_cnt; i++)
			seen |= strcmp(m->topics[i].topic, "t") == 0;
		rd_kafka_metadata_destroy(m);
	}
	rd_kafka_destroy(rk);
	return seen;
}

/* The brokers' SCRAM users are right: a newer librdkafka, that of the Python client, gets in. */
static void scram_by_python(const struct cluster *c, const char *servers)
{
	static const char program[] =
		"import sys\n"
		"from confluent_kafka.admin import AdminClient\n"
		"for bits in ('256', '512'):\n"
		"    a = AdminClient({'bootstrap.servers': sys.argv[1], 'security.protocol':\n"
		"        'sasl_plaintext', 'sasl.mechanisms': 'SCRAM-SHA-' + bits,\n"
		"        'sasl.username': 'alice', 'sasl.password': 'a-pass'})\n"
		"    assert 't' in a.list_topics(timeout=30).topics\n";
	const char *python = getenv("QIAO_PYTHON");
	const char *const args[] = {python, "-c", program, servers, NULL};
	struct err e = {0};

	if (!python)
		fail_msg("QIAO_PYTHON is not set: run by tests/lib/run-tests.sh");
	DONE(java_run(c->dir, args, &e));
}

static void test_secure(void **state)
{
	struct cluster_options o = {.secure = true,
				    .authorizer = true,
				    .users = {{"alice", "a-pass"}, {"bob", "b-pass"}}};
	char plain[CLUSTER_SERVERS], tls[CLUSTER_SERVERS], sasl[CLUSTER_SERVERS],
		sasl_tls[CLUSTER_SERVERS], dir[300], ca[320], pem[320], key[320];
	struct err e = {0};
	struct cluster c;
	rd_kafka_t *rk;

	(void)state;
	/* Alice may see all topics; bob and strangers nothing. */
	DONE(cluster_open(&c, &o, &e));
	snprintf(dir, sizeof dir, "%s/tls", c.dir);
	DONE(certs_client(dir, "alice", &e));
	snprintf(ca, sizeof ca, "%s/ca.pem", dir);
	snprintf(pem, sizeof pem, "%s/alice.pem", dir);
	snprintf(key, sizeof key, "%s/alice.key", dir);
	cluster_servers(&c, CLUSTER_PLAIN, plain);
	cluster_servers(&c, CLUSTER_TLS, tls);
	cluster_servers(&c, CLUSTER_SASL, sasl);
	cluster_servers(&c, CLUSTER_SASL_TLS, sasl_tls);
	DONE(kafka_topic(plain, "t", 1, 1, NULL, &e));

	const char *const certificate[] = {"security.protocol",
					   "ssl",
					   "ssl.ca.location",
					   ca,
					   "ssl.certificate.location",
					   pem,
					   "ssl.key.location",
					   key,
					   NULL};
	const char *const no_certificate[] = {"security.protocol", "ssl", "ssl.ca.location", ca,
					      NULL};
	const char *const alice[] = {"security.protocol", "sasl_plaintext", "sasl.mechanisms",
				     "SCRAM-SHA-256",	  "sasl.username",  "alice",
				     "sasl.password",	  "a-pass",	    NULL};
	const char *const alice_tls[] = {"security.protocol",
					 "sasl_ssl",
					 "ssl.ca.location",
					 ca,
					 "sasl.mechanisms",
					 "PLAIN",
					 "sasl.username",
					 "alice",
					 "sasl.password",
					 "a-pass",
					 NULL};
	const char *const wrong[] = {"security.protocol",
				     "sasl_plaintext",
				     "sasl.mechanisms",
				     "PLAIN",
				     "sasl.username",
				     "alice",
				     "sasl.password",
				     "b-pass",
				     NULL};
	const char *const bob[] = {"security.protocol",
				   "sasl_plaintext",
				   "sasl.mechanisms",
				   "PLAIN",
				   "sasl.username",
				   "bob",
				   "sasl.password",
				   "b-pass",
				   NULL};
	rd_kafka_AclBinding_t *acl;
	rd_kafka_queue_t *q;
	rd_kafka_event_t *event;
	char text[200];

	assert_true(sees_topic(plain, NULL));
	assert_false(sees_topic(tls, certificate));
	rk = client(RD_KAFKA_PRODUCER, plain, NULL);
	q = rd_kafka_queue_new(rk);
	acl = rd_kafka_AclBinding_new(RD_KAFKA_RESOURCE_TOPIC, "t",
				      RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:alice", "*",
				      RD_KAFKA_ACL_OPERATION_DESCRIBE,
				      RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, text, sizeof text);
	assert_non_null(acl);
	rd_kafka_CreateAcls(rk, &acl, 1, NULL, q);
	event = rd_kafka_queue_poll(q, PATIENCE_MS);
	assert_non_null(event);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_AclBinding_destroy(acl);
	rd_kafka_queue_destroy(q);
	rd_kafka_destroy(rk);
	for (int64_t until = clock_monotonic() + PATIENCE_MS; !sees_topic(tls, certificate);)
		assert_true(clock_monotonic() < until);
	assert_true(sees_topic(sasl_tls, alice_tls));
	assert_int_equal(sees_topic(sasl, alice), rd_kafka_version() >= SCRAM_SINCE);
	scram_by_python(&c, sasl);
	assert_false(sees_topic(sasl, bob));
	assert_false(sees_topic(sasl, wrong));
	assert_false(sees_topic(tls, no_certificate));
	cluster_close(&c);
}

static void test_registry(void **state)
{
	struct err e = {0};
	struct apicurio a;
	struct buf answer;

	(void)state;
	buf_init(&answer, 1 << 20);
	DONE(apicurio_open(&a, NULL, &e));
	assert_int_equal(apicurio_ask(&a, "GET", "/config", NULL, &answer), 200);
	assert_non_null(strstr(buf_text(&answer), "BACKWARD"));
	assert_int_equal(apicurio_ask(&a, "POST", "/subjects/a/versions",
				      "{\"schema\":\"\\\"string\\\"\"}", &answer),
			 200);
	assert_string_equal(buf_text(&answer), "{\"id\":1}");
	assert_int_equal(apicurio_ask(&a, "POST", "/subjects/a/versions",
				      "{\"schema\":\"\\\"int\\\"\"}", &answer),
			 409);
	apicurio_kill(&a);
	assert_int_equal(apicurio_ask(&a, "GET", "/subjects", NULL, &answer), -1);
	DONE(apicurio_start(&a, &e));
	assert_int_equal(apicurio_ask(&a, "GET", "/schemas/ids/1", NULL, &answer), 200);
	DONE(apicurio_forget(&a, &e));
	assert_int_equal(apicurio_ask(&a, "GET", "/schemas/ids/1", NULL, &answer), 404);
	print_message("registry: peak %lld MB\n", (long long)java_peak_kib(&a.java) / 1024);
	apicurio_close(&a);
	buf_fini(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_three),
		cmocka_unit_test(test_secure),
		cmocka_unit_test(test_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
