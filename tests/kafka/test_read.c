/* Readers with positions of their own, and looks, on a real broker: nothing is passed over, and a
 * position that does not fit its topic stops the program. */
#include "tests/kafka/reading.h"
#include "base/buf.h"
#include <sys/stat.h>

enum { EVENTS = 300, CLOSE_MS = 15000, LATE_MS = 20000 };

static struct desk desk;

/* Opens a reader at these positions of PARTITIONS partitions. */
static int reader_at(struct bus_reader **r, const char *topic, const struct bus_position *at,
		     int count, struct err *e)
{
	struct err open = {0};

	if (bus_reader_open(desk.bus, r, topic, NULL, &open) < 0)
		fail_msg("%s", open.text);
	return bus_seek(*r, at, count, e);
}

static void refuse_at(const char *topic, const struct bus_position *at, int count, const char *part)
{
	const struct bus_record *records;
	struct bus_reader *r;
	struct err e = {0};

	if (reader_at(&r, topic, at, count, &e) == 0)
		fail_msg("%s: taken; wanted: %s", topic, part);
	expect_safe(&e, part);
	assert_non_null(strstr(e.text, "never start over"));
	assert_int_equal(bus_read(r, 10, &records, &e), -1); /* from where it happens to be: no */
	assert_int_equal(e.class, ERR_SAFE);
	bus_reader_close(r);
}

/* Reads `count` events of put_range's; each partition goes up by PARTITIONS, beginning at next[]. */
static void read_range(struct bus_reader *r, int next[PARTITIONS], int count)
{
	const struct bus_record *records;
	int64_t until = after(PATIENCE_MS);
	struct err e = {0};
	int n;

	while (count > 0) {
		DONE(n = bus_read(r, 70, &records, &e));
		assert_true(n <= 70);
		for (int i = 0; i < n; i++) {
			char value[24];
			int p = records[i].partition;

			assert_int_equal(number_of(&records[i]), next[p]);
			assert_int_equal(records[i].offset, next[p] / PARTITIONS);
			snprintf(value, sizeof value, "value %d", next[p]);
			assert_string_equal(records[i].event.data.p, value);
			assert_true(str_is(records[i].event.type, "SubsidyPayment"));
			next[p] += PARTITIONS;
		}
		count -= n;
		pause_until(until);
	}
	assert_int_equal(count, 0);
	assert_int_equal(bus_read(r, 70, &records, &e), 0);
}

static int must_read(struct bus_reader *r, const struct bus_record **records)
{
	struct err e = {0};
	int n;

	DONE(n = bus_read(r, 10, records, &e));
	return n;
}

static void test_positions(void **state)
{
	struct bus_position at[PARTITIONS], told[BUS_PARTITIONS_MAX], wrong[PARTITIONS];
	const struct bus_record *records;
	int next[PARTITIONS] = {0, 1, 2}, half[PARTITIONS];
	struct bus_reader *r;
	struct err e = {0};

	(void)state;
	make_topic("payments", PARTITIONS, NULL);
	put_range("payments", 0, EVENTS);
	desk_open(&desk, "a");
	/* From the oldest, by one who never sought; one answer of nothing is the end. */
	DONE(bus_reader_open(desk.bus, &r, "payments", NULL, &e));
	for (int i = 0, n; i < EVENTS; i += n) {
		DONE(n = bus_read(r, 70, &records, &e));
		assert_true(n > 0);
	}
	assert_int_equal(bus_read(r, 70, &records, &e), 0);
	assert_int_equal(bus_tell(r, told), PARTITIONS);
	for (int p = 0; p < PARTITIONS; p++) {
		struct id last = id_of(EVENTS - PARTITIONS + p);

		assert_int_equal(told[p].next, EVENTS / PARTITIONS);
		assert_true(id_eq(&told[p].last_id, &last));
	}
	bus_reader_close(r);
	/* From zero; from the middle, positions in any order; from the end. */
	for (int p = 0; p < PARTITIONS; p++)
		at[p] = (struct bus_position){.partition = p};
	DONE(reader_at(&r, "payments", at, PARTITIONS, &e));
	read_range(r, next, EVENTS);
	bus_reader_close(r);
	for (int i = 0; i < PARTITIONS; i++) {
		int p = PARTITIONS - 1 - i, n = 10 * (p + 1);

		at[i] = (struct bus_position){p, n, id_of((n - 1) * PARTITIONS + p)};
		half[p] = n * PARTITIONS + p;
	}
	DONE(reader_at(&r, "payments", at, PARTITIONS, &e));
	assert_int_equal(bus_tell(r, wrong), PARTITIONS);
	assert_int_equal(wrong[0].next, 10);
	read_range(r, half, EVENTS - 60);
	bus_reader_close(r);
	DONE(reader_at(&r, "payments", told, PARTITIONS, &e));
	assert_int_equal(bus_read(r, 70, &records, &e), 0);
	put_range("payments", EVENTS, 30);
	read_range(r, next, 30);
	bus_reader_close(r);
	/* What does not fit. */
	memcpy(wrong, told, sizeof wrong);
	refuse_at("payments", wrong, PARTITIONS - 1, "2 positions for 3 partitions");
	wrong[2].partition = 0;
	refuse_at("payments", wrong, PARTITIONS, "3 positions for 3 partitions");
	wrong[2].partition = PARTITIONS;
	refuse_at("payments", wrong, PARTITIONS, "3 positions for 3 partitions");
	memcpy(wrong, told, sizeof wrong);
	wrong[1].last_id = id_of(4711);
	refuse_at("payments", wrong, PARTITIONS, "partition 1: event 99 is another");
	wrong[1] = (struct bus_position){1, -1, {{0}}};
	refuse_at("payments", wrong, PARTITIONS, "cannot be");
	bus_close(desk.bus);
}

/* Waits for an end that may show late, then stops. */
static void test_past_end(void **state)
{
	struct bus_position at = {0, 4, id_of(3)};
	int64_t begun;

	(void)state;
	make_topic("operations", 1, NULL);
	for (int n = 0; n < 3; n++)
		put("operations", 0, n);
	put_flush();
	desk_open(&desk, "a");
	begun = clock_monotonic();
	refuse_at("operations", &at, 1, "position 4 is past the end 3");
	assert_true(clock_monotonic() - begun >= LATE_MS);
	bus_close(desk.bus);
}

static void delete_before(const char *topic, int partition, int64_t offset)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_queue_t *q = rd_kafka_queue_new(producer);
	rd_kafka_DeleteRecords_t *request;
	rd_kafka_event_t *event;
	char full[100];

	rd_kafka_topic_partition_list_add(list, prefixed(topic, full), partition)->offset = offset;
	request = rd_kafka_DeleteRecords_new(list);
	rd_kafka_DeleteRecords(producer, &request, 1, NULL, q);
	event = rd_kafka_queue_poll(q, PATIENCE_MS);
	assert_non_null(event);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteRecords_destroy(request);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_queue_destroy(q);
}

/* Events that retention removed: before the position no harm, at it the end. */
static void test_expired(void **state)
{
	struct bus_position at = {0};
	struct bus_record last;
	const struct bus_record *records;
	struct bus_reader *r;
	struct err e = {0};
	int taken = 0;

	(void)state;
	make_topic("operations", 1, NULL);
	for (int n = 0; n < 10; n++)
		put("operations", 0, n);
	put_flush();
	delete_before("operations", 0, 5);
	desk_open(&desk, "a");
	refuse_at("operations", &at, 1, "events from 0 to 4 were removed");
	at = (struct bus_position){0, 4, id_of(3)};
	refuse_at("operations", &at, 1, "events from 4 to 4 were removed");
	at = (struct bus_position){0, 5, id_of(4711)}; /* nothing to compare with, nothing lost */
	DONE(reader_at(&r, "operations", &at, 1, &e));
	for (int64_t until = after(PATIENCE_MS); taken < 5; pause_until(until)) {
		int n;

		DONE(n = bus_read(r, 10, &records, &e));
		for (int i = 0; i < n; i++)
			assert_int_equal(number_of(&records[i]), 5 + taken++);
	}
	bus_reader_close(r);
	/* One that never sought begins with the oldest kept. */
	DONE(bus_reader_open(desk.bus, &r, "operations", NULL, &e));
	DONE(bus_read(r, 1, &records, &e));
	assert_int_equal(number_of(&records[0]), 5);
	bus_reader_close(r);
	/* Removed while a reader is slower: what was fetched before is given first, then it stops. */
	at = (struct bus_position){0, 10, id_of(9)};
	DONE(reader_at(&r, "operations", &at, 1, &e));
	for (int n = 10; n < 4000; n++)
		put_sized("operations", 0, n, 1500);
	put_flush();
	delete_before("operations", 0, 4000);
	taken = 0;
	read_to_failure(r, &taken, &e);
	expect_safe(&e, "was removed before it was read");
	assert_true(taken < 3990);
	assert_int_equal(bus_read(r, 10, &records, &e), -1);
	bus_reader_close(r);
	/* All removed: none, and where it ends. */
	assert_int_equal(bus_last(desk.bus, "operations", 0, &last, &e), 0);
	assert_int_equal(last.offset, 4000);
	bus_close(desk.bus);
}

static void delete_topic(const char *name)
{
	char full[100];
	rd_kafka_DeleteTopic_t *t = rd_kafka_DeleteTopic_new(prefixed(name, full));
	rd_kafka_queue_t *q = rd_kafka_queue_new(producer);
	rd_kafka_event_t *event;

	rd_kafka_DeleteTopics(producer, &t, 1, NULL, q);
	event = rd_kafka_queue_poll(q, PATIENCE_MS);
	assert_non_null(event);
	assert_int_equal(rd_kafka_event_error(event), 0);
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy(t);
	rd_kafka_queue_destroy(q);
}

/* Made anew under a reader: with fewer events, and with more than it had read. */
static void test_made_anew(void **state)
{
	const char *const names[] = {"operations", "requests", "rejects.tax"};
	struct bus_position zero = {0};
	struct bus_reader *r[3];
	struct err e = {0};

	(void)state;
	desk_open(&desk, "a");
	for (int t = 0; t < 3; t++) {
		const struct bus_record *records;
		int64_t until = after(PATIENCE_MS);

		make_topic(names[t], 1, NULL);
		for (int n = 0; n < 5; n++)
			put(names[t], 0, n);
		put_flush();
		DONE(reader_at(&r[t], names[t], &zero, 1, &e));
		for (int taken = 0, n; taken < 5; taken += n, pause_until(until))
			DONE(n = bus_read(r[t], 10, &records, &e));
	}
	for (int t = 0; t < 3; t++)
		delete_topic(names[t]);
	/* Its client may still know the topic of before. */
	rd_kafka_destroy(producer);
	producer = client(RD_KAFKA_PRODUCER, NULL);
	make_topic("requests", 1, NULL);
	make_topic("rejects.tax", 1, NULL);
	for (int n = 100; n < 120; n++)
		put("rejects.tax", 0, n);
	put("requests", 0, 100);
	put_flush();
	for (int t = 2; t >= 0; t--) {
		const char *const parts[] = {"no longer on the brokers", "anew", "anew"};
		int taken = 0;

		read_to_failure(r[t], &taken, &e);
		expect_safe(&e, parts[t]);
		assert_int_equal(taken, 0);
		bus_reader_close(r[t]);
	}
	bus_close(desk.bus);
}

/* Records of strangers are given, with a type that is none and an id of their place. */
static void test_foreign(void **state)
{
	struct bus_position at[BUS_PARTITIONS_MAX];
	const struct bus_record *records;
	rd_kafka_headers_t *headers = headers_of(1);
	struct bus_record last;
	struct bus_reader *r;
	struct err e = {0};
	struct id ids[5];
	int taken = 0;

	(void)state;
	make_topic("operations", 1, NULL);
	rd_kafka_header_remove(headers, "ce_id");
	rd_kafka_header_add(headers, "ce_id", -1, "no id", -1);
	put_raw(producer, "operations", 0, "k", "{\"json\":1}", 10, NULL);
	put_raw(producer, "operations", 0, NULL, "", 0, NULL);
	put_raw(producer, "operations", 0, NULL, NULL, 0, NULL);
	put_raw(producer, "operations", 0, "k", "value", 5, headers);
	put("operations", 0, 7);
	put_flush();
	desk_open(&desk, "a");
	DONE(bus_reader_open(desk.bus, &r, "operations", NULL, &e));
	for (int n; taken < 5; taken += n) {
		DONE(n = bus_read(r, 1, &records, &e));
		assert_int_equal(n, 1);
		assert_int_equal(records->event.type.n == 0, taken < 4);
		assert_false(id_is_zero(&records->event.id));
		ids[taken] = records->event.id;
		for (int i = 0; i < taken; i++)
			assert_false(id_eq(&ids[i], &ids[taken]));
		/* A position after it fits; the id is the same each time. */
		assert_int_equal(bus_tell(r, at), 1);
		assert_int_equal(at[0].next, taken + 1);
		struct bus_reader *again;
		DONE(reader_at(&again, "operations", at, 1, &e));
		bus_reader_close(again);
	}
	at[0].next = 3;
	refuse_at("operations", at, 1, "event 2 is another");
	bus_reader_close(r);
	/* The last one is found, whoever wrote it. */
	assert_int_equal(bus_last(desk.bus, "operations", 0, &last, &e), 1);
	assert_int_equal(number_of(&last), 7);
	put_raw(producer, "operations", 0, NULL, NULL, 0, NULL);
	put_flush();
	assert_int_equal(bus_last(desk.bus, "operations", 0, &last, &e), 1);
	assert_int_equal(last.offset, 5);
	bus_close(desk.bus);
}

/* Somebody writes in transactions: their marks take offsets, what was aborted is not given. */
static void test_gaps(void **state)
{
	const char *const settings[] = {"transactional.id", "stranger", NULL};
	rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, settings);
	struct bus_position at[BUS_PARTITIONS_MAX] = {0};
	const struct bus_record *records;
	struct bus_record last;
	struct bus_reader *r;
	struct err e = {0};
	int n, taken = 0;

	(void)state;
	make_topic("operations", 1, NULL);
	put("operations", 0, 0);
	put_flush();
	assert_null(rd_kafka_init_transactions(rk, PATIENCE_MS));
	for (int round = 0; round < 2; round++) {
		assert_null(rd_kafka_begin_transaction(rk));
		put_raw(rk, "operations", 0, "k", "v", 1, headers_of(1 + round));
		assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
		assert_null(round == 0 ? rd_kafka_abort_transaction(rk, PATIENCE_MS)
				       : rd_kafka_commit_transaction(rk, PATIENCE_MS));
	}
	rd_kafka_destroy(rk);
	desk_open(&desk, "a");
	/* Offsets 0, then 3; 4 is a mark and the last: who looks around still finds the end. */
	DONE(bus_reader_open(desk.bus, &r, "operations", NULL, &e));
	while ((n = must_read(r, &records)) > 0)
		for (int i = 0; i < n; i++, taken++) {
			assert_int_equal(number_of(&records[i]), taken == 0 ? 0 : 2);
			assert_int_equal(records[i].offset, taken == 0 ? 0 : 3);
		}
	assert_int_equal(taken, 2);
	assert_int_equal(bus_tell(r, at), 1);
	assert_int_equal(at[0].next, 4);
	bus_reader_close(r);
	DONE(reader_at(&r, "operations", at, 1, &e));
	bus_reader_close(r);
	assert_int_equal(bus_last(desk.bus, "operations", 0, &last, &e), 1);
	assert_int_equal(number_of(&last), 2);
	bus_close(desk.bus);
}

/* A compacted topic: what was superseded is gone, positions there fit, marks of deletion are passed
 * over. */
static void test_compacted(void **state)
{
	const char *const configs[] = {"cleanup.policy",
				       "compact",
				       "segment.bytes",
				       "1048576",
				       "segment.ms",
				       "500",
				       "min.cleanable.dirty.ratio",
				       "0.001",
				       "max.compaction.lag.ms",
				       "500",
				       NULL};
	struct bus_position at[BUS_PARTITIONS_MAX];
	const struct bus_record *records;
	int64_t until = after(PATIENCE_MS);
	struct bus_reader *r;
	struct err e = {0};
	int n, taken, extra = 0;

	(void)state;
	make_topic("statistics", 1, configs);
	for (n = 0; n < 50; n++)
		put_raw(producer, "statistics", 0, n % 2 ? "odd" : "even", "v", 1, headers_of(n));
	put_raw(producer, "statistics", 0, "odd", NULL, 0, NULL);
	put_flush();
	desk_open(&desk, "a");
	/* Until the broker has compacted; each try writes something, for the newest segment is left
	 * alone. */
	do {
		put_raw(producer, "statistics", 0, "more", "v", 1, headers_of(1000 + extra++));
		put_flush();
		DONE(bus_reader_open(desk.bus, &r, "statistics", NULL, &e));
		taken = 0;
		while ((n = must_read(r, &records)) > 0) {
			for (int i = 0; i < n; i++)
				assert_true(str_is(records[i].event.type, "SubsidyPayment"));
			taken += n;
		}
		assert_int_equal(bus_tell(r, at), 1);
		assert_int_equal(at[0].next, 51 + extra);
		bus_reader_close(r);
		pause_until(until);
	} while (taken >= 50);
	for (int next = 1; next < 51 + extra; next += 7) { /* positions of events that are gone */
		at[0] = (struct bus_position){0, next,
					      id_of(next <= 51 ? next - 1 : 1000 + next - 52)};
		if (next == 50)
			continue;
		DONE(reader_at(&r, "statistics", at, 1, &e));
		bus_reader_close(r);
	}
	/* The last even one is there still, and compared. */
	at[0] = (struct bus_position){0, 49, id_of(48)};
	DONE(reader_at(&r, "statistics", at, 1, &e));
	bus_reader_close(r);
	at[0].last_id = id_of(46);
	refuse_at("statistics", at, 1, "event 48 is another");
	bus_close(desk.bus);
}

static void test_last(void **state)
{
	struct bus_record last = {0};
	struct err e = {0};
	int partition;

	(void)state;
	make_topic("payments", PARTITIONS, NULL);
	desk_open(&desk, "a");
	assert_int_equal(bus_last(desk.bus, "payments", 1, &last, &e), 0);
	assert_int_equal(last.offset, 0);
	assert_int_equal(bus_last_of(desk.bus, "payments", STR("key 1"), &last, &e), 0);
	/* Key "key 1" twice, then thousands of others in its partition. */
	partition = bus_partition_of(desk.bus, "payments", STR("key 1"));
	put("payments", partition, 1);
	put_raw(producer, "payments", partition, "key 1", "newest", 6, headers_of(2));
	for (int n = 10; n < 6000; n++)
		put("payments", partition, n);
	put_flush();
	assert_int_equal(bus_last_of(desk.bus, "payments", STR("key 1"), &last, &e), 1);
	assert_int_equal(number_of(&last), 2);
	assert_int_equal(last.offset, 1);
	assert_int_equal(last.partition, partition);
	assert_true(str_is(last.event.data, "newest"));
	assert_int_equal(bus_last_of(desk.bus, "payments", STR("key"), &last, &e), 0);
	assert_int_equal(bus_last(desk.bus, "payments", partition, &last, &e), 1);
	assert_int_equal(number_of(&last), 5999);
	assert_int_equal(bus_last(desk.bus, "payments", (partition + 1) % PARTITIONS, &last, &e),
			 0);
	/* Retention between two looks. */
	delete_before("payments", partition, 5990);
	assert_int_equal(bus_last_of(desk.bus, "payments", STR("key 1"), &last, &e), 0);
	assert_int_equal(bus_last(desk.bus, "payments", partition, &last, &e), 1);
	assert_int_equal(number_of(&last), 5999);
	bus_close(desk.bus);
}

/* Much at once: bounded pieces, all of it, the records whole until the next read. */
static void test_much(void **state)
{
	enum { MANY = 9000 };
	struct bus_position at[PARTITIONS];
	const struct bus_record *records;
	struct bus_reader *r;
	struct err e = {0};
	int n, next[PARTITIONS] = {0, 1, 2}, taken = 0;
	size_t bytes;

	(void)state;
	make_topic("payments", PARTITIONS, NULL);
	for (n = 0; n < MANY; n++)
		put_sized("payments", n % PARTITIONS, n, 1900);
	put_flush();
	desk_open(&desk, "a");
	for (int p = 0; p < PARTITIONS; p++)
		at[p] = (struct bus_position){.partition = p};
	DONE(reader_at(&r, "payments", at, PARTITIONS, &e));
	for (int64_t until = after(PATIENCE_MS); taken < MANY; pause_until(until)) {
		DONE(n = bus_read(r, MANY, &records, &e));
		bytes = 0;
		for (int i = 0; i < n; i++) {
			assert_int_equal(number_of(&records[i]), next[records[i].partition]);
			next[records[i].partition] += PARTITIONS;
			bytes += records[i].event.data.n;
			assert_int_equal(records[i].event.data.n, 1900);
		}
		assert_true(bytes <= 2 << 20);
		taken += n;
	}
	bus_reader_close(r);
	bus_close(desk.bus);
}

/* How far the gateway is, for operators: by and by, and never an error. */
static void test_note(void **state)
{
	const char *settings[] = {"group.id", NULL, NULL};
	struct bus_position at[PARTITIONS];
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	int next[PARTITIONS] = {0, 1, 2};
	int64_t until = after(PATIENCE_MS);
	char full[100], group[100];
	struct bus_reader *r;
	struct err e = {0};
	rd_kafka_t *rk;

	(void)state;
	desk_conf(&desk, "a");
	desk.conf.kafka.partitions = PARTITIONS;
	desk.conf.kafka.replication = desk.conf.kafka.min_insync = 1;
	desk.conf.bus.retention_days = 1;
	snprintf(desk.conf.village.group, sizeof desk.conf.village.group, "village");
	desk.options.role = "gateway";
	DONE(bus_init(&desk.options, &e));
	DONE(bus_open(&desk.bus, &desk.options, &e));
	put_range("submissions", 0, 9);
	for (int p = 0; p < PARTITIONS; p++)
		at[p] = (struct bus_position){.partition = p};
	DONE(reader_at(&r, "submissions", at, PARTITIONS, &e));
	read_range(r, next, 9);
	settings[1] = prefixed("gateway", group);
	rk = client(RD_KAFKA_CONSUMER, settings);
	rd_kafka_topic_partition_list_add(list, prefixed("submissions", full), 1);
	do {
		bus_note_position(r, "gateway");
		assert_int_equal(rd_kafka_committed(rk, list, PATIENCE_MS), 0);
		pause_until(until);
	} while (list->elems[0].offset != 3);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	bus_reader_close(r);
	bus_close(desk.bus);
}

/* Flips one byte behind `mark` in the only segment of partition 0. */
static void damage(const char *topic, const char *mark)
{
	struct err e = {0};
	struct buf b;
	char path[400], full[100];
	uint8_t *at;

	buf_init(&b, 1 << 24);
	snprintf(path, sizeof path, "%s/broker-1/data/%s-0/00000000000000000000.log", cluster.dir,
		 prefixed(topic, full));
	DONE(fs_read(path, &b, &e));
	at = memmem(b.data, b.len, mark, strlen(mark));
	assert_non_null(at);
	at[strlen(mark) - 1] ^= 1;
	DONE(fs_write_atomic(path, b.data, b.len, 0600, &e));
	buf_fini(&b);
}

/* The broker goes away: reading says nothing new, closing is quick, and the same reader goes on when
 * it is back. What is damaged on its disk is not passed over. */
static void test_broker_away(void **state)
{
	struct bus_position at = {0};
	const struct bus_record *records;
	struct bus_reader *r, *second;
	struct err e = {0};
	int64_t begun, until;
	int n, taken = 0;

	(void)state;
	make_topic("operations", 1, NULL);
	make_topic("requests", 1, NULL);
	for (n = 0; n < 3; n++) {
		put("operations", 0, n);
		put("requests", 0, n);
		put_flush();
	}
	desk_open(&desk, "a");
	DONE(reader_at(&r, "operations", &at, 1, &e));
	for (until = after(PATIENCE_MS); taken < 3; taken += n, pause_until(until))
		DONE(n = bus_read(r, 10, &records, &e));
	assert_true(cluster_stop(&cluster, 0) != 0);
	damage("requests", "value 1");
	begun = clock_monotonic();
	for (int i = 0; i < 200; i++)
		assert_int_equal(bus_read(r, 10, &records, &e), 0);
	assert_true(clock_monotonic() - begun < 1000);
	DONE(cluster_start(&cluster, 0, &e));
	DONE(cluster_ready(&cluster, &e));
	put("operations", 0, 3);
	put_flush();
	for (until = after(PATIENCE_MS); taken < 4; taken += n, pause_until(until))
		DONE(n = bus_read(r, 10, &records, &e));
	assert_int_equal(number_of(records), 3);
	/* The damaged one. */
	taken = 0;
	DONE(reader_at(&second, "requests", &at, 1, &e));
	read_to_failure(second, &taken, &e);
	expect_safe(&e, "damaged");
	assert_int_equal(taken, 1);
	bus_reader_close(second);
	at = (struct bus_position){0, 2, id_of(1)};
	assert_int_equal(reader_at(&second, "requests", &at, 1, &e), -1);
	expect_safe(&e, "damaged");
	bus_reader_close(second);
	/* Dead for good. */
	cluster_kill(&cluster, 0);
	assert_int_equal(bus_read(r, 10, &records, &e), 0);
	begun = clock_monotonic();
	bus_reader_close(r);
	bus_close(desk.bus);
	assert_true(clock_monotonic() - begun < CLOSE_MS);
	DONE(cluster_start(&cluster, 0, &e));
	DONE(cluster_ready(&cluster, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_positions, new_prefix),
		cmocka_unit_test_setup(test_past_end, new_prefix),
		cmocka_unit_test_setup(test_expired, new_prefix),
		cmocka_unit_test_setup(test_made_anew, new_prefix),
		cmocka_unit_test_setup(test_foreign, new_prefix),
		cmocka_unit_test_setup(test_gaps, new_prefix),
		cmocka_unit_test_setup(test_compacted, new_prefix),
		cmocka_unit_test_setup(test_last, new_prefix),
		cmocka_unit_test_setup(test_much, new_prefix),
		cmocka_unit_test_setup(test_note, new_prefix),
		cmocka_unit_test_setup(test_broker_away, new_prefix),
	};

	cmocka_set_test_filter(getenv("QIAO_TEST")); /* one of them, while working on it */
	return cmocka_run_group_tests(tests, broker_up, broker_down);
}
