/* What the tests of readers share: one broker, topics with a prefix of their own, and a client that
 * puts records there which no program of ours would, in places of its choice. */
#ifndef QIAO_TESTS_KAFKA_READING_H
#define QIAO_TESTS_KAFKA_READING_H
#include "base/clock.h"
#include "bus/bus.h"
#include "tests/lib/kafka.h"
#include "tests/lib/unit.h"
#include <librdkafka/rdkafka.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

enum { PARTITIONS = 3, PATIENCE_MS = 160000, TURN_MS = 5 };

#define DONE(call)                              \
	do {                                    \
		if ((call) < 0)                 \
			fail_msg("%s", e.text); \
	} while (0)

/* One broker for all tests of the program. */
static struct cluster cluster;
static char servers[CLUSTER_SERVERS];
static rd_kafka_t *producer;
static char prefix[40]; /* of the present test */

static inline rd_kafka_t *client(rd_kafka_type_t type, const char *const *settings)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[300] = "";
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	for (; settings && settings[0]; settings += 2)
		if (rd_kafka_conf_set(conf, settings[0], settings[1], why, sizeof why) !=
		    RD_KAFKA_CONF_OK)
			fail_msg("%s", why);
	rk = rd_kafka_new(type, conf, why, sizeof why);
	if (!rk)
		fail_msg("%s", why);
	return rk;
}

static inline int broker_up(void **state)
{
	static const char *const safe[] = {"enable.idempotence", "true", "linger.ms", "5", NULL};
	struct err e = {0};

	(void)state;
	if (cluster_open(&cluster, &(struct cluster_options){.nodes = 1}, &e) < 0) {
		cluster_close(&cluster);
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	cluster_servers(&cluster, CLUSTER_PLAIN, servers);
	producer = client(RD_KAFKA_PRODUCER, safe);
	return 0;
}

static inline int broker_down(void **state)
{
	(void)state;
	rd_kafka_destroy(producer);
	cluster_close(&cluster);
	return 0;
}

static inline int new_prefix(void **state)
{
	static int count;

	(void)state;
	snprintf(prefix, sizeof prefix, "t%d.", ++count);
	return 0;
}

static inline const char *prefixed(const char *name, char out[100])
{
	snprintf(out, 100, "%s%s", prefix, name);
	return out;
}

static inline void make_topic(const char *name, int partitions, const char *const *configs)
{
	struct err e = {0};
	char full[100];

	DONE(kafka_topic(servers, prefixed(name, full), partitions, 1, configs, &e));
}

/* ---- records ---- */

static inline struct id id_of(int n)
{
	struct id id = {{0}};

	memcpy(id.b, &n, sizeof n);
	id.b[15] = 1;
	return id;
}

static inline int number_of(const struct bus_record *r)
{
	int n;

	memcpy(&n, r->event.id.b, sizeof n);
	return n;
}

static inline void put_raw(rd_kafka_t *rk, const char *topic, int partition, const char *key,
			   const void *value, size_t n, rd_kafka_headers_t *headers)
{
	char full[100];
	rd_kafka_headers_t *own = headers ? headers : rd_kafka_headers_new(1);

	assert_int_equal(
		rd_kafka_producev(
			rk, RD_KAFKA_V_TOPIC(prefixed(topic, full)),
			RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
			RD_KAFKA_V_VALUE((void *)(uintptr_t)value, n), RD_KAFKA_V_HEADERS(own),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK),
			RD_KAFKA_V_END),
		0);
}

static inline rd_kafka_headers_t *headers_of(int n)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(4);
	struct id id = id_of(n);
	char hex[ID_HEX];

	rd_kafka_header_add(h, "ce_specversion", -1, "1.0", -1);
	rd_kafka_header_add(h, "ce_type", -1, "cn.keqiao.qiao.SubsidyPayment.v1", -1);
	rd_kafka_header_add(h, "ce_time", -1, "2026-11-25T06:40:00.123Z", -1);
	rd_kafka_header_add(h, "ce_id", -1, id_hex(&id, hex), -1);
	return h;
}

/* Event n: its number is its id, its key "key <n>", its value n padded to `bytes`. */
static inline void put_sized(const char *topic, int partition, int n, size_t bytes)
{
	char key[24], value[2000] = "";

	assert_true(bytes < sizeof value);
	snprintf(key, sizeof key, "key %d", n);
	snprintf(value, sizeof value, "value %d", n);
	put_raw(producer, topic, partition, key, value, bytes, headers_of(n));
}

static inline void put(const char *topic, int partition, int n)
{
	put_sized(topic, partition, n, 24);
}

static inline void put_flush(void)
{
	assert_int_equal(rd_kafka_flush(producer, PATIENCE_MS), 0);
}

/* Events first, first + 1, ... in turn on the partitions: event n lies on partition n % PARTITIONS. */
static inline void put_range(const char *topic, int first, int count)
{
	for (int n = first; n < first + count; n++)
		put(topic, n % PARTITIONS, n);
	put_flush();
}

/* ---- the bus ---- */

struct desk {
	struct conf conf;
	struct bus *bus;
	struct bus_options options;
};

/* A program: what it reads it says itself, for it has a role that no topic names. Each name is another
 * member of a group. */
static inline void desk_conf(struct desk *d, const char *name)
{
	memset(d, 0, sizeof *d);
	d->conf.kafka.security = SECURITY_PLAINTEXT;
	snprintf(d->conf.bus.kind, sizeof d->conf.bus.kind, "kafka");
	snprintf(d->conf.kafka.brokers, sizeof d->conf.kafka.brokers, "%s", servers);
	snprintf(d->conf.kafka.topic_prefix, sizeof d->conf.kafka.topic_prefix, "%s", prefix);
	snprintf(d->conf.kafka.group_prefix, sizeof d->conf.kafka.group_prefix, "%s", prefix);
	snprintf(d->conf.data.dir, sizeof d->conf.data.dir, "/%s", name);
	d->options = (struct bus_options){.role = "desk", .conf = &d->conf};
}

static inline void desk_open(struct desk *d, const char *name)
{
	struct err e = {0};

	desk_conf(d, name);
	DONE(bus_open(&d->bus, &d->options, &e));
}

static inline int64_t after(int64_t ms)
{
	return clock_monotonic() + ms;
}

static inline void pause_until(int64_t until)
{
	assert_true(clock_monotonic() < until);
	poll(NULL, 0, TURN_MS);
}

/* Reads until a failure, which it gives. */
static inline void read_to_failure(struct bus_reader *r, int *taken, struct err *e)
{
	const struct bus_record *records;
	int64_t until = after(PATIENCE_MS);
	int n;

	while ((n = bus_read(r, 1000, &records, e)) >= 0) {
		*taken += n;
		pause_until(until);
	}
}

static inline void expect_safe(const struct err *e, const char *part)
{
	if (getenv("QIAO_TEST_LOG"))
		print_message("%s\n", e->text);
	if (e->class != ERR_SAFE || strstr(e->text, part) == NULL)
		fail_msg("class %d \"%s\": wanted: %s", e->class, e->text, part);
	assert_true(strlen(e->text) < sizeof e->text - 1); /* not cut */
}

#endif
