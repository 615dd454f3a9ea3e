/* WRAP: bus_publish_to */
/* Two handles on one ledger, as after a lost lock: only the one opened last writes, and publishes. */
#include "ledger/internal.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct tmpdir tmp;
static char path[320];
static struct ledger **taken_over; /* where the one goes that takes over when the next event is published */

static int set_up(void **state)
{
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	if (ledger_init(tmpdir_file(&tmp, path, "ledger.db"), NULL, &e) != 0)
		fail_msg("%s", e.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&tmp);
	return 0;
}

static struct ledger *open_one(void)
{
	struct ledger *l;
	struct err e = {0};

	if (ledger_open(&l, path, 1024, 1000, NULL, &e) != 0)
		fail_msg("%s", e.text);
	return l;
}

/* Something of each kind: position, meta, outbox. */
static int write_some(struct ledger *l, int64_t mark, struct err *e)
{
	struct bus_position at = {.next = mark};
	struct bus_event ev = {.key = STR("k"), .type = STR("RowAnswer"), .data = STR("x")};
	int answers = (int)(topic_find(STR("answers")) - topics);

	if (ledger_begin(l, e) != 0)
		return -1;
	ledger_set_feed_as_of(l, 0, mark);
	if (ledger_position_put(l, "submissions", &at, e) != 0 || outbox_add(l, answers, &ev, e) != 0 || ledger_commit(l, e) != 0) {
		ledger_rollback(l);
		return -1;
	}
	return 0;
}

static int64_t position(struct ledger *l)
{
	struct bus_position at[BUS_PARTITIONS_MAX];
	int count;

	assert_int_equal(ledger_positions(l, "submissions", at, &count, NULL), 0);
	assert_int_equal(count, 1);
	return at[0].next;
}

static void assert_fenced_off(struct ledger *l)
{
	struct err e = {0};

	assert_int_equal(write_some(l, 99, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_non_null(strstr(e.text, "another gateway took over this ledger"));
	ledger_rollback(l);
}

static void the_older_writer_writes_nothing(void **state)
{
	struct ledger *old = open_one(), *new;
	struct err e = {0};

	(void)state;
	assert_int_equal(write_some(old, 1, &e), 0);
	new = open_one();
	int64_t version = store_data_version(new->st);
	assert_fenced_off(old);
	assert_fenced_off(old); /* and never again */
	assert_int_equal(store_data_version(new->st), version);
	assert_int_equal(position(new), 1);
	/* Its failure holds no lock. */
	assert_int_equal(write_some(new, 2, &e), 0);
	assert_int_equal(write_some(new, 3, &e), 0);
	assert_fenced_off(old);
	ledger_close(old);
	assert_int_equal(position(new), 3);
	assert_int_equal(ledger_outbox_seq(new), 3);
	ledger_close(new);
	new = open_one();
	assert_int_equal(position(new), 3);
	assert_int_equal(ledger_feed_as_of(new), 3);
	assert_int_equal(ledger_outbox_seq(new), 3);
	ledger_close(new);
}

/* The epoch is told to everybody and raises versions: a take-over is no restore. */
static void a_take_over_is_no_new_epoch(void **state)
{
	char mark[80];
	struct ledger *l = open_one();

	(void)state;
	snprintf(mark, sizeof mark, "%s", ledger_mark(l));
	for (int i = 0; i < 3; i++) {
		struct ledger *next = open_one();

		assert_fenced_off(l);
		ledger_close(l);
		l = next;
		assert_string_equal(ledger_mark(l), mark);
	}
	ledger_close(l);
}

/* A copy that is woken up becomes the living ledger once, whoever opens it next. */
static void a_copy_is_woken_once(void **state)
{
	char copy[320];
	int64_t seq;
	struct err e = {0};
	struct ledger *old, *new;

	(void)state;
	ledger_close(open_one());
	assert_int_equal(ledger_backup(path, tmpdir_file(&tmp, copy, "copy.db"), &seq, &e), 0);
	snprintf(path, sizeof path, "%s", copy);
	old = open_one();
	new = open_one();
	assert_string_equal(strchr(ledger_mark(old), '/'), "/2");
	assert_string_equal(ledger_mark(new), ledger_mark(old));
	assert_fenced_off(old);
	assert_int_equal(write_some(new, 5, &e), 0);
	ledger_close(old);
	ledger_close(new);
}

/* ---- publishing ---- */

int __real_bus_publish_to(struct bus *b, const char *topic, int partition, const struct bus_event *ev, struct err *e);
int __wrap_bus_publish_to(struct bus *b, const char *topic, int partition, const struct bus_event *ev, struct err *e);

int __wrap_bus_publish_to(struct bus *b, const char *topic, int partition, const struct bus_event *ev, struct err *e)
{
	if (taken_over)
		*taken_over = open_one();
	taken_over = NULL;
	return __real_bus_publish_to(b, topic, partition, ev, e);
}

static struct bus *open_bus(const char *dir)
{
	struct bus *b;
	struct err e = {0};

	if (bus_open(&b, &(struct bus_options){.dir = dir, .role = "gateway"}, &e) != 0)
		fail_msg("%s", e.text);
	return b;
}

static void assert_publishes_nothing(struct ledger *l, struct bus *b)
{
	struct err e = {0};

	assert_int_equal(outbox_publish(l, b, NULL, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_int_equal(err_exit(&e), 4);
	assert_non_null(strstr(e.text, "another gateway took over this ledger"));
	assert_int_equal(ledger_outbox_sent(l), 0);
}

static int64_t last_published(const char *dir)
{
	struct bus_record last = {0};
	struct bus *b = open_bus(dir);
	struct err e = {0};
	int64_t seq = bus_last(b, "answers", 0, &last, &e) == 1 ? last.event.seq : 0;

	assert_int_equal(e.class, ERR_NONE);
	bus_close(b);
	return seq;
}

/* It slept after its commits: before it began to publish, or in the middle of the first of two blobs. */
static void the_older_writer_publishes_nothing(void **state)
{
	char dir[320];
	struct err e = {0};

	(void)state;
	assert_int_equal(bus_init(&(struct bus_options){.dir = tmpdir_file(&tmp, dir, "bus")}, &e), 0);
	for (int middle = 0; middle < 2; middle++) {
		struct ledger *old = open_one(), *new = NULL;
		struct bus *b = open_bus(dir);

		for (int i = 0; !middle && i < 2; i++)
			assert_int_equal(write_some(old, i, &e), 0);
		if (middle)
			taken_over = &new;
		else
			new = open_one();
		assert_publishes_nothing(old, b);
		assert_non_null(new);
		assert_publishes_nothing(old, b);
		bus_close(b);
		assert_int_equal(last_published(dir), 0);
		ledger_close(old);
		if (middle) { /* nothing of it is lost */
			b = open_bus(dir);
			assert_int_equal(outbox_publish(new, b, NULL, &e), 0);
			bus_close(b);
			assert_int_equal(last_published(dir), 2);
		}
		ledger_close(new);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_older_writer_writes_nothing),
		TEST(a_take_over_is_no_new_epoch),
		TEST(a_copy_is_woken_once),
		TEST(the_older_writer_publishes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
