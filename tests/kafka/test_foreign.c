/* Somebody else writes to our topics: bytes that are no event, events cut short, records without key, headers or value. Each goes to the
 * rejects of the program that reads it, with topic, partition, offset and bytes, and every roster before and after it goes its way. */
#include "base/clock.h"
#include "tests/lib/kafka.h"
#include "tests/lib/load.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 60, EACH = 20, PATIENCE_MS = 60000, OUT_MAX = 4 << 20, STRANGERS = 4 };

/* Read by qiao-gateway, qiao-tax, qiao-ssa and qiao-village. */
static const char *const read_topics[] = {"submissions", "contributions", "payments", "enquiries", "answers"};
enum { TOPICS = sizeof read_topics / sizeof read_topics[0] };

static const enum part four[] = {GATEWAY, VILLAGE, TAX, SSA};
static const char torn[] = "\xc3\x01\x01\x02\x03\x04\x05\x06\x07\x08";

struct scene {
	struct world world;
	struct load load;
};

static void put(rd_kafka_t *rk, const char *topic, const char *key, const void *value, size_t n, bool ours)
{
	rd_kafka_resp_err_t err;

	if (ours) /* it says that it is one of ours, and is none */
		err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, n),
					RD_KAFKA_V_HEADER("ce_id", "00112233445566778899aabbccddeeff", -1),
					RD_KAFKA_V_HEADER("ce_type", "cn.keqiao.qiao.SubsidyPayment", -1), RD_KAFKA_V_END);
	else
		err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(1), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, n), RD_KAFKA_V_END);
	assert_int_equal(err, RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void put_strangers(const struct world *w)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200], topic[120];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", getenv("QIAO_KAFKA"), NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	assert_non_null(rk);
	for (int i = 0; i < TOPICS; i++) {
		snprintf(topic, sizeof topic, "%s%s", w->bus.prefix, read_topics[i]);
		put(rk, topic, "k", "{\"json\": 1}", 11, false);
		put(rk, topic, NULL, NULL, 0, false);
		put(rk, topic, "k", torn, sizeof torn - 1, false);
		put(rk, topic, "k", torn, sizeof torn - 1, true);
	}
	assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
	rd_kafka_destroy(rk);
}

static int all_credited(void *arg, struct err *e)
{
	struct scene *s = arg;
	int64_t credited = load_credited(&s->world, e);

	for (int i = 0; i < 4; i++)
		if (!world_alive(&s->world, four[i]))
			return err_set(e, ERR_PERM, "%s ended by itself with %d", part_name(four[i]), s->world.parts[four[i]].status);
	return credited < 0 ? -1 : credited == s->load.rows;
}

static json_t *rejects(struct world *w)
{
	struct buf out;
	json_t *list;

	buf_init(&out, OUT_MAX);
	world_qiao(w, &out, "--format", "json", "rejects", NULL);
	list = json_loads(buf_text(&out) ? (const char *)out.data : "", 0, NULL);
	buf_fini(&out);
	return list;
}

static int all_rejected(void *arg, struct err *e)
{
	struct scene *s = arg;
	json_t *list = rejects(&s->world);
	size_t n = json_array_size(list);

	json_decref(list);
	return n > TOPICS * STRANGERS ? err_set(e, ERR_PERM, "%zu rejects", n) : n == TOPICS * STRANGERS;
}

static const char *text(const json_t *one, const char *name)
{
	const char *s = json_string_value(json_object_get(one, name));

	return s ? s : "";
}

/* The bytes of one that can be looked at. */
static void must_show(struct world *w, const json_t *one)
{
	char place[40];
	struct buf out;

	snprintf(place, sizeof place, "%s:%lld", text(one, "role"), (long long)json_integer_value(json_object_get(one, "offset")));
	buf_init(&out, OUT_MAX);
	world_qiao(w, &out, "rejects", "--show", place, NULL);
	assert_non_null(buf_text(&out));
	if (!strstr((const char *)out.data, "7b 22 6a 73 6f 6e 22"))
		fail_msg("%s: %s", place, (const char *)out.data);
	buf_fini(&out);
}

/* Each stranger once, where it lies. */
static void compare(struct world *w)
{
	json_t *list = rejects(w), *one;
	size_t i;

	for (int t = 0; t < TOPICS; t++) {
		int found = 0;

		json_array_foreach(list, i, one) {
			if (strcmp(text(one, "topic"), read_topics[t]) != 0)
				continue;
			assert_int_equal(json_integer_value(json_object_get(one, "partition")), 1);
			if (json_integer_value(json_object_get(one, "event_offset")) == 0)
				must_show(w, one);
			found++;
		}
		if (found != STRANGERS)
			fail_msg("%s: %d rejects", read_topics[t], found);
	}
	json_decref(list);
}

static void strangers_stop_nothing(void **state)
{
	static const char *const ssa[] = {"--everyone-paid", "2026", NULL};
	static const char *const tax[] = {"--settle-ms", "50", NULL};
	const struct world_options o = {.day = "2026-12-24", .ssa_args = ssa, .tax_args = tax};
	static struct scene s = {.load = {2026, ROWS, EACH, true}};
	struct world *w = &s.world;
	struct err e = {0};
	int rc;

	(void)state;
	setenv("BUS", "kafka", 1);
	rc = world_open(w, &o, &e) < 0 ? -1 : world_found(w, &e);
	w->keep = getenv("QIAO_KEEP") != NULL;
	if (rc == 0) {
		struct err none;

		setenv("QIAO_KAFKA", kafka_shared(&none), 1);
		put_strangers(w);
		rc = load_write(&s.load, w, NULL, NULL, &e) < 0 || world_start_four(w, &e) < 0 || load_drop(&s.load, w, &e) < 0 ||
				     world_wait(PATIENCE_MS, all_credited, &s, &e) < 0 || world_wait(PATIENCE_MS, all_rejected, &s, &e) < 0
			     ? -1
			     : 0;
	}
	if (rc == 0)
		compare(w);
	world_close(w);
	if (rc != 0)
		fail_msg("%s (%s)", e.text, w->dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_stop_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
