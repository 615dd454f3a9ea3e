/* The SSA's side, as its own programmers would write it: tests/data/consumer.py on a real broker with a real registry. The story is lived
 * to its end; then every record of every topic must be decoded with what the registry says, kcat must show keys and headers, and the
 * statistics must be those of qiao statement, also when the broker has compacted their topic and only the newest of each key is left. */
#include "base/clock.h"
#include "tests/lib/consumer.h"
#include "tests/lib/kafka.h"
#include "tests/lib/kafka_client.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

enum { COMPACT_MS = 60000, OUT_MAX = 64 << 20, KEY = 16 };

static const char *const as_json[] = {"--format", "json", NULL};
static const char *const all_as_json[] = {"--format", "json", "--all", NULL};
static struct apicurio registry;
static struct tale tale;
static struct world *const world = &tale.world;

#define DONE(call)                                              \
	do {                                                    \
		if ((call) < 0)                                 \
			fail_msg("%s (%s)", e.text, world->dir); \
	} while (0)

static const char *servers(void)
{
	return world->bus.conf.kafka.brokers;
}

static const char *name_of(char out[120], const char *topic)
{
	snprintf(out, 120, "%s%s", world->bus.prefix, topic);
	return out;
}

static int live(struct err *e)
{
	static const enum part four[] = {GATEWAY, VILLAGE, TAX, SSA};

	if (world_start_four(world, e) < 0)
		return -1;
	for (int wave = 1; wave < STORY_WAVES; wave++)
		if (tale_hand_in(&tale, wave, e) < 0)
			return -1;
	if (tale_end_year(&tale, e) < 0)
		return -1;
	if (tale_check(&tale, stdout) != 0)
		return err_set(e, ERR_PERM, "what was told and what happened differ");
	for (int i = 0; i < 4; i++)
		if (world_stop(world, four[i]) != 0)
			return err_set(e, ERR_PERM, "%s stopped with %d", part_name(four[i]), world->parts[four[i]].status);
	return 0;
}

static int live_the_story(void **state)
{
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};
	struct world_options o = {.day = STORY_BEGINS, .tax_args = tax};
	struct err e = {0};

	(void)state;
	setenv("BUS", "kafka", 1);
	DONE(apicurio_open(&registry, NULL, &e));
	setenv("QIAO_REGISTRY", registry.url, 1);
	DONE(tale_open(&tale, &o, 11, &e));
	tale.world.keep = getenv("QIAO_KEEP") != NULL;
	DONE(live(&e));
	return 0;
}

static int end_the_story(void **state)
{
	(void)state;
	tale_close(&tale);
	apicurio_close(&registry);
	return 0;
}

/* ---- what the consumer says ---- */

/* Whether it believes all that it read is for the caller. */
static json_t *consumer_says(const char *const *options, int *rc)
{
	struct err e = {0};
	struct buf out;
	json_t *said;

	buf_init(&out, OUT_MAX);
	*rc = consumer_run(world, &out, options, &e);
	said = json_loadb((const char *)out.data, out.len, 0, NULL);
	if (!said)
		fail_msg("%s: no JSON", e.text);
	buf_fini(&out);
	return said;
}

static int64_t number(json_t *object, const char *key)
{
	json_t *n = json_object_get(object, key);

	if (!json_is_integer(n))
		fail_msg("%s: no number", key);
	return json_integer_value(n);
}

static int64_t end_of(const char *topic)
{
	int64_t ends[BUS_PARTITIONS_MAX], sum = 0;
	struct err e = {0};
	char name[120];
	int n;

	DONE(n = kafka_ends(servers(), name_of(name, topic), ends, BUS_PARTITIONS_MAX, &e));
	for (int i = 0; i < n; i++)
		sum += ends[i];
	return sum;
}

static void equals_the_statement(void)
{
	struct err e = {0};
	struct buf out;
	int differences;

	buf_init(&out, OUT_MAX);
	DONE(consumer_run(world, &out, as_json, &e));
	DONE(differences = consumer_compare(world, &out, stderr, &e));
	buf_fini(&out);
	assert_int_equal(differences, 0);
}

/* ---- */

static void every_record_of_every_topic_is_decoded(void **state)
{
	static const char *const used[] = {"submissions", "enquiries", "contributions", "payments", "collections", "feedback", "credits",
					   "statistics", "answers", "positions.tax", "positions.ssa"};
	int rc, events = 0;
	json_t *said = consumer_says(all_as_json, &rc), *counted = json_object_get(said, "topics");

	(void)state;
	assert_int_equal(json_array_size(json_object_get(said, "wrong")), 0);
	assert_int_equal(rc, 0);
	assert_int_equal(json_object_size(counted), topic_count);
	for (int i = 0; i < topic_count; i++) {
		int64_t records = number(json_object_get(counted, topics[i].name), "records");

		if (records != end_of(topics[i].name))
			fail_msg("%s: %" PRId64 " records decoded of %" PRId64, topics[i].name, records, end_of(topics[i].name));
		events += (int)records;
	}
	for (size_t i = 0; i < COUNT(used); i++)
		assert_true(number(json_object_get(counted, used[i]), "records") > 0);
	printf("%d events of %d topics decoded\n", events, topic_count);
	json_decref(said);
}

/* kcat, with arguments up to NULL. */
static void kcat(struct buf *out, const char *const *more)
{
	const char *args[WORLD_ARGS] = {"kcat", "-q", "-b", servers()};

	for (int n = 4; *more && n < WORLD_ARGS - 1;)
		args[n++] = *more++;
	assert_int_equal(world_run(world, out, "/usr/bin/env", args), 0);
}

static json_t *item_of(json_t *items, struct str id)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
		if (str_is(id, json_string_value(json_object_get(item, "ce_id"))))
			return item;
	fail_msg("kcat shows an id that the consumer did not read: %.*s", (int)id.n, id.p);
	return NULL;
}

/* "ce_specversion=1.0,ce_id=...": the value of a header. */
static struct str header(struct str headers, const char *name)
{
	char start[40];
	int n = snprintf(start, sizeof start, "%s=", name);

	for (size_t at = 0; at + (size_t)n <= headers.n; at++)
		if ((at == 0 || headers.p[at - 1] == ',') && memcmp(headers.p + at, start, (size_t)n) == 0)
			return (struct str){headers.p + at + n, strcspn(headers.p + at + n, ",|")};
	fail_msg("no header %s in %.*s", name, (int)headers.n, headers.p);
	return (struct str){0};
}

static void fits_item(struct str headers, const char *key, json_t *item)
{
	const char *type = json_string_value(json_object_get(item, "type"));
	char token[2 * KEY + 1], full[80];

	for (int i = 0; i < KEY; i++)
		snprintf(token + 2 * i, 3, "%02x", (unsigned char)key[i]);
	assert_string_equal(token, json_string_value(json_object_get(item, "token")));
	snprintf(full, sizeof full, "cn.keqiao.qiao.%s.v1", type);
	assert_true(str_is(header(headers, "ce_type"), full));
	assert_true(str_is(header(headers, "ce_source"), "/qiao/gateway"));
	assert_true(str_is(header(headers, "ce_specversion"), "1.0"));
	assert_true(str_is(header(headers, "content-type"), "application/avro"));
	assert_int_equal(header(headers, "ce_time").n, strlen("2026-12-24T01:00:00.000Z"));
	assert_int_equal(header(headers, "ce_traceparent").n, 55);
}

static void kcat_shows_keys_and_headers(void **state)
{
	char name[120];
	const char *const args[] = {"-C", "-t", name_of(name, "feedback"), "-o", "beginning", "-e", "-f", "%h|%K|%k\\n", NULL};
	json_t *said, *items;
	const char *at, *end, *bar;
	struct buf out;
	int rc, shown = 0;

	(void)state;
	said = consumer_says(as_json, &rc);
	items = json_object_get(json_object_get(said, "feedback"), "items");
	buf_init(&out, OUT_MAX);
	kcat(&out, args);
	at = (const char *)out.data;
	for (end = at + out.len; at < end; shown++) {
		struct str headers = {at, strcspn(at, "|")};

		bar = at + headers.n;
		assert_true(end - bar >= 4 + KEY + 1 && strncmp(bar, "|16|", 4) == 0 && bar[4 + KEY] == '\n');
		fits_item(headers, bar + 4, item_of(items, header(headers, "ce_id")));
		at = bar + 4 + KEY + 1;
	}
	assert_int_equal(shown, number(json_object_get(said, "feedback"), "records"));
	assert_true(shown > 0);
	buf_fini(&out);
	json_decref(said);
}

/* ---- compaction ---- */

static int is_compacted(void *arg, struct err *e)
{
	struct buf out;
	json_t *said, **last = arg;
	int rc;

	buf_init(&out, OUT_MAX);
	rc = consumer_run(world, &out, as_json, e);
	said = json_loadb((const char *)out.data, out.len, 0, NULL);
	buf_fini(&out);
	json_decref(*last);
	*last = said;
	return rc < 0 ? -1 : number(json_object_get(said, "statistics"), "superseded") == 0;
}

static void the_compacted_statistics_are_those_of_the_statement(void **state)
{
	static const char *const at_once[] = {"cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio", "0.001",
					      "max.compaction.lag.ms", "100", NULL};
	int64_t records, keys, produced;
	json_t *said, *statistics;
	struct err e = {0};
	int rc, repeated;
	char name[120];

	(void)state;
	said = consumer_says(as_json, &rc);
	statistics = json_object_get(said, "statistics");
	assert_true(number(statistics, "superseded") > 0);
	equals_the_statement();
	DONE(kafka_configure(servers(), name_of(name, "statistics"), at_once, &e));
	/* The open segment is never compacted: a repeat in each partition closes it. */
	DONE(repeated = kafka_repeat_last(servers(), name, &e));
	DONE(world_wait(COMPACT_MS, is_compacted, &said, &e));
	statistics = json_object_get(said, "statistics");
	records = number(statistics, "records");
	keys = (int64_t)json_array_size(json_object_get(statistics, "rows"));
	produced = end_of("statistics");
	printf("statistics: %" PRId64 " records produced, %" PRId64 " left of %" PRId64 " keys, %d repeats\n", produced, records, keys,
	       repeated);
	assert_true(keys > 0 && records < produced);
	assert_int_equal(records, keys + repeated);
	assert_int_equal(number(statistics, "repeats"), repeated);
	json_decref(said);
	equals_the_statement();
}

/* ---- what is none of ours ---- */

static void put_record(const char *file, const struct buf *value, const char *type)
{
	char name[120], path[512], header_type[100];
	const char *const args[] = {"-P", "-t", name_of(name, "feedback"), "-k", "0123456789abcdef", "-H", "ce_id=made-up", "-H",
				    header_type, path, NULL};
	struct err e = {0};

	snprintf(header_type, sizeof header_type, "ce_type=cn.keqiao.qiao.%s.v1", type);
	DONE(fs_write_atomic(world_path(world, path, file), value->data, value->len, 0600, &e));
	kcat(NULL, args);
}

static bool names(json_t *wrong, const char *what)
{
	json_t *text;
	size_t i;

	json_array_foreach(wrong, i, text)
		if (strstr(json_string_value(text), what))
			return true;
	return false;
}

/* Last, for it spoils the topic. */
static void what_is_wrong_with_a_record_is_seen(void **state)
{
	char name[120];
	const char *const first[] = {"-C", "-t", name_of(name, "feedback"), "-o", "beginning", "-c", "1", "-f", "%s", NULL};
	struct buf value;
	json_t *said;
	int rc;

	(void)state;
	buf_init(&value, OUT_MAX);
	kcat(&value, first);
	put_record("other-type", &value, "AccountCredited");
	buf_put_str(&value, "more");
	put_record("more-than-an-event", &value, "CollectedSubsidy");
	buf_reset(&value);
	buf_put_str(&value, "no event at all");
	put_record("no-event", &value, "CollectedSubsidy");
	buf_fini(&value);
	said = consumer_says(all_as_json, &rc);
	assert_int_equal(rc, -1);
	assert_true(names(json_object_get(said, "wrong"), "its ce_type says cn.keqiao.qiao.AccountCredited.v1"));
	assert_true(names(json_object_get(said, "wrong"), "is not all that is there"));
	assert_true(names(json_object_get(said, "wrong"), "does not decode"));
	json_decref(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_of_every_topic_is_decoded),
		cmocka_unit_test(kcat_shows_keys_and_headers),
		cmocka_unit_test(the_compacted_statistics_are_those_of_the_statement),
		cmocka_unit_test(what_is_wrong_with_a_record_is_seen),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, live_the_story, end_the_story);
}
