/* Events that the bus tests can tell apart: event i is made from i alone, and check_event proves
 * every field of it. */
#ifndef QIAO_TESTS_LIB_BUS_EVENTS_H
#define QIAO_TESTS_LIB_BUS_EVENTS_H
#include "bus/bus.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <unistd.h>

#define EVENT_TIME INT64_C(1764000000000)

/* The slices point into room, which is overwritten by the next. */
struct event_room {
	char key[32], data[64];
};

static inline struct bus_event make_event(struct event_room *room, int64_t i)
{
	static const char *const types[] = {"SubsidyPayment", "PaymentReversal", "PaymentEnquiry"};
	struct bus_event ev = {.time_ms = EVENT_TIME + i, .seq = i + 1};
	int n;

	memset(ev.id.b, 0xe0, ID_LEN);
	memcpy(ev.id.b + 1, &i, sizeof i);
	memset(ev.trace.b, 0x70, ID_LEN);
	memcpy(ev.trace.b + 1, &i, sizeof i);
	ev.type = str_of(types[i % 3]);
	n = snprintf(room->key, sizeof room->key, "key-%d", (int)(i % 7));
	ev.key = (struct str){room->key, (size_t)n};
	n = snprintf(room->data, sizeof room->data, "event %lld%.*s", (long long)i, (int)(i % 40),
		     "........................................");
	ev.data = (struct str){room->data, (size_t)n};
	return ev;
}

static inline void check_event(const struct bus_record *r, int64_t offset, int64_t i)
{
	struct event_room room;
	struct bus_event want = make_event(&room, i);

	assert_int_equal(r->offset, offset);
	assert_int_equal(r->partition, 0);
	assert_memory_equal(&r->event.id, &want.id, ID_LEN);
	assert_memory_equal(&r->event.trace, &want.trace, ID_LEN);
	assert_int_equal(r->event.time_ms, want.time_ms);
	assert_int_equal(r->event.seq, want.seq);
	assert_true(str_eq(r->event.type, want.type));
	assert_true(str_eq(r->event.key, want.key));
	assert_true(str_eq(r->event.data, want.data));
}

/* First in a forked child: a failed check ends it (and not only the test, which would go on in two
 * processes), and so does waiting for what does not come. */
static inline void begin_child(void)
{
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	alarm(60);
}

static inline struct bus *open_bus(const char *dir, const char *role, const struct conf *conf,
				   const char *vfs)
{
	struct bus_options o = {.dir = dir,
				.role = role,
				.conf = conf,
				.vfs = vfs,
				.ledger = strcmp(role, "gateway") == 0 ? "00112233/1" : NULL};
	struct err e = {0};
	struct bus *b;

	if (bus_open(&b, &o, &e) < 0)
		fail_msg("%s", e.text);
	return b;
}

/* Events from..to-1, not flushed. */
static inline void publish(struct bus *b, const char *topic, int64_t from, int64_t to)
{
	struct event_room room;
	struct err e = {0};

	for (int64_t i = from; i < to; i++) {
		struct bus_event ev = make_event(&room, i);

		if (bus_publish(b, topic, &ev, &e) < 0)
			fail_msg("%s", e.text);
	}
}

static inline void flush(struct bus *b)
{
	struct err e = {0};

	if (bus_flush(b, &e) < 0)
		fail_msg("%s", e.text);
}

static inline struct bus_reader *open_reader(struct bus *b, const char *topic, const char *group)
{
	struct bus_reader *r;
	struct err e = {0};

	if (bus_reader_open(b, &r, topic, group, &e) < 0)
		fail_msg("%s", e.text);
	return r;
}

/* One bus_read, which must not fail; the count. */
static inline int read_some(struct bus_reader *r, int max, const struct bus_record **records)
{
	struct err e = {0};
	int n = bus_read(r, max, records, &e);

	if (n < 0)
		fail_msg("%s", e.text);
	assert_true(n <= max);
	return n;
}

/* Reads to the end in portions of max: at offset..offset+count-1 are the events from first on, and
 * no more. */
static inline void expect_events(struct bus_reader *r, int max, int64_t offset, int64_t first,
				 int64_t count)
{
	const struct bus_record *records;
	int64_t got = 0;
	int n;

	while ((n = read_some(r, max, &records)) > 0)
		for (int i = 0; i < n; i++, got++)
			check_event(&records[i], offset + got, first + got);
	assert_int_equal(got, count);
}

/* On the local bus, which has one partition. */
static inline int64_t told(const struct bus_reader *r)
{
	struct bus_position at[BUS_PARTITIONS_MAX];

	return bus_tell(r, at) == 1 ? at[0].next : -1;
}

static inline int64_t restored_end(const struct bus_reader *r)
{
	struct bus_share share[BUS_PARTITIONS_MAX];
	int count;

	bus_shares(r, share, &count);
	return count == 1 ? share[0].restored_end : -1;
}

#endif
