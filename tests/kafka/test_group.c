/* Readers of consumer groups on a real broker: who has which share, where it goes on, and who is refused. Two desks are two programs. */
#include "tests/kafka/reading.h"

enum { EVENTS = 300 };
#define TOPIC "payments"
#define GROUP "g"

static struct desk one, two;

/* The first positions, as qiao topics create stores them; metadata NULL: as a foreign tool does. */
static void begin_group(const char *metadata)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
	char name[200], why[200];
	rd_kafka_t *rk;

	snprintf(name, sizeof name, "%s" GROUP "." TOPIC, prefix);
	rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	rd_kafka_conf_set(conf, "group.id", name, NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	assert_non_null(rk);
	snprintf(name, sizeof name, "%s" TOPIC, prefix);
	for (int i = 0; i < PARTITIONS; i++) {
		rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, name, i);

		at->offset = 0;
		at->metadata = metadata ? strdup(metadata) : NULL;
		at->metadata_size = metadata ? strlen(metadata) : 0;
	}
	assert_int_equal(rd_kafka_commit(rk, list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
}

static void begin(void)
{
	make_topic(TOPIC, PARTITIONS, NULL);
	begin_group("00000000000000000000000000000000");
}

static int parts_of(const struct bus_reader *r)
{
	struct bus_share share[BUS_PARTITIONS_MAX];
	int count;

	bus_shares(r, share, &count);
	return count;
}

/* One look of a reader: gives what it got, or -1 with *e; times[] counts each event. */
static int look(struct bus_reader *r, int *times, struct err *e)
{
	const struct bus_record *records;
	int n = bus_read(r, 50, &records, e);

	for (int i = 0; i < n; i++)
		times[records[i].offset * PARTITIONS + records[i].partition]++;
	return n;
}

static void read_all(struct bus_reader *r, int *times, int count)
{
	int64_t until = after(PATIENCE_MS);
	struct err e = {0};

	/* What is not stored is given again when shares change. */
	for (int n; count > 0; count -= n, pause_until(until)) {
		DONE(n = look(r, times, &e));
		DONE(bus_store_position(r, &e));
	}
}

/* Each program has a part of the partitions, and each event goes to one of them; what was stored is not given again. */
static void members_share_the_partitions(void **state)
{
	static int times[2 * EVENTS];
	int64_t until = after(PATIENCE_MS);
	struct bus_reader *a, *b;
	struct err e = {0};

	(void)state;
	memset(times, 0, sizeof times);
	begin();
	desk_open(&one, "a");
	desk_open(&two, "b");
	DONE(bus_reader_open(one.bus, &a, TOPIC, GROUP, &e));
	DONE(bus_reader_open(two.bus, &b, TOPIC, GROUP, &e));
	while (parts_of(a) + parts_of(b) != PARTITIONS || parts_of(a) == 0 || parts_of(b) == 0) {
		DONE(look(a, times, &e));
		DONE(look(b, times, &e));
		pause_until(until);
	}
	put_range(TOPIC, 0, EVENTS);
	for (int n = 0, got; n < EVENTS; n += got, pause_until(until)) {
		DONE(got = look(a, times, &e));
		DONE(n += look(b, times, &e));
	}
	for (int i = 0; i < EVENTS; i++)
		assert_int_equal(times[i], 1);
	DONE(bus_store_position(a, &e));
	DONE(bus_store_position(b, &e));
	bus_reader_close(a);
	bus_reader_close(b);
	bus_close(one.bus);
	bus_close(two.bus);

	/* The one that is left has all of it when the other's session is over. */
	put_range(TOPIC, EVENTS, EVENTS);
	desk_open(&one, "a");
	DONE(bus_reader_open(one.bus, &a, TOPIC, GROUP, &e));
	read_all(a, times, EVENTS);
	for (int i = 0; i < 2 * EVENTS; i++)
		assert_int_equal(times[i], 1);
	bus_reader_close(a);
	bus_close(one.bus);
}

/* Reads both until one of them is refused; gives the other. */
static struct bus_reader *refused(struct bus_reader *a, struct bus_reader *b, int *times, const char *part)
{
	int64_t until = after(PATIENCE_MS);
	struct err e = {0};

	for (;; pause_until(until)) {
		if (look(a, times, &e) < 0) {
			expect_safe(&e, part);
			return b;
		}
		if (look(b, times, &e) < 0) {
			expect_safe(&e, part);
			return a;
		}
	}
}

static void a_reader_that_must_be_alone_is(void **state)
{
	static int times[EVENTS];
	int64_t until = after(PATIENCE_MS);
	struct bus_reader *a, *b;
	struct err e = {0};

	(void)state;
	memset(times, 0, sizeof times);
	begin();
	desk_open(&one, "a");
	desk_open(&two, "b");
	DONE(bus_reader_open_alone(one.bus, &a, TOPIC, GROUP, &e));
	for (; parts_of(a) < PARTITIONS; pause_until(until))
		DONE(look(a, times, &e));
	DONE(bus_reader_open_alone(two.bus, &b, TOPIC, GROUP, &e));
	assert_ptr_equal(refused(a, b, times, "another program reads as this group"), a);
	put_range(TOPIC, 0, EVENTS);
	read_all(a, times, EVENTS);
	bus_reader_close(b);
	bus_reader_close(a);
	bus_close(two.bus);
	bus_close(one.bus);
}

/* Each calls the other fenced, a few times; one gives up, and the other reads on. */
static void of_two_with_one_name_one_gives_up(void **state)
{
	static int times[EVENTS];
	struct bus_reader *a, *b, *left;
	struct err e = {0};

	(void)state;
	memset(times, 0, sizeof times);
	begin();
	desk_open(&one, "same");
	desk_open(&two, "same");
	DONE(bus_reader_open(one.bus, &a, TOPIC, GROUP, &e));
	DONE(bus_reader_open(two.bus, &b, TOPIC, GROUP, &e));
	left = refused(a, b, times, "another program runs in our place");
	put_range(TOPIC, 0, EVENTS);
	read_all(left, times, EVENTS);
	bus_reader_close(a);
	bus_reader_close(b);
	bus_close(one.bus);
	bus_close(two.bus);
}

static void refuses_to_begin(const char *part)
{
	struct bus_reader *r;
	struct err e = {0};
	int taken = 0;

	desk_open(&one, "a");
	DONE(bus_reader_open(one.bus, &r, TOPIC, GROUP, &e));
	read_to_failure(r, &taken, &e);
	expect_safe(&e, part);
	assert_int_equal(taken, 0);
	bus_reader_close(r);
	bus_close(one.bus);
}

static void without_a_position_nothing_begins(void **state)
{
	(void)state;
	make_topic(TOPIC, PARTITIONS, NULL);
	put_range(TOPIC, 0, 10);
	refuses_to_begin("has no position");
}

static void a_position_that_is_not_ours_is_refused(void **state)
{
	(void)state;
	make_topic(TOPIC, PARTITIONS, NULL);
	put_range(TOPIC, 0, 10);
	begin_group(NULL);
	refuses_to_begin("was not stored by Qiao");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(members_share_the_partitions, new_prefix),
		cmocka_unit_test_setup(a_reader_that_must_be_alone_is, new_prefix),
		cmocka_unit_test_setup(of_two_with_one_name_one_gives_up, new_prefix),
		cmocka_unit_test_setup(without_a_position_nothing_begins, new_prefix),
		cmocka_unit_test_setup(a_position_that_is_not_ours_is_refused, new_prefix),
	};

	cmocka_set_test_filter(getenv("QIAO_TEST")); /* one of them, while working on it */
	return cmocka_run_group_tests(tests, broker_up, broker_down);
}
