/* Two handles on one ledger, as after a lost lock: only the one opened last writes. */
#include "ledger/internal.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct tmpdir tmp;
static char path[320];

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

	if (ledger_begin(l, e) != 0)
		return -1;
	ledger_set_feed_as_of(l, 0, mark);
	if (ledger_position_put(l, "submissions", &at, e) != 0 || outbox_add(l, 0, &ev, e) != 0 || ledger_commit(l, e) != 0) {
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_older_writer_writes_nothing),
		TEST(a_take_over_is_no_new_epoch),
		TEST(a_copy_is_woken_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
