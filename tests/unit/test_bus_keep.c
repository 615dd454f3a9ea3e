/* What stays of the bus: retention, and the copy that fits a copied ledger. */
#include "base/date.h"
#include "bus/local.h"
#include "tests/lib/bus_events.h"
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tmpdir tmp;
static char dir[320];
static const struct conf conf = {.bus = {.retention_days = 10, .segment_bytes = 65536}};

static int set_up(void **state)
{
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, dir, "bus");
	assert_int_equal(bus_init(&(struct bus_options){.dir = dir}, &e), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&tmp);
	return 0;
}

/* A batch of ten events of one day. */
static void publish_day(struct bus *b, const char *topic, int64_t from, int day)
{
	struct event_room room;
	struct err e = {0};

	for (int64_t i = from; i < from + 10; i++) {
		struct bus_event ev = make_event(&room, i);

		ev.time_ms = EVENT_TIME + day * DAY_MS;
		assert_int_equal(bus_publish(b, topic, &ev, &e), 0);
	}
	flush(b);
}

static int64_t oldest_of(struct bus *b, const char *topic, int64_t *end)
{
	struct topic_file *f = local_look(local_of(b), topic_find(str_of(topic)), NULL);
	struct err e = {0};
	int64_t first;

	assert_non_null(f);
	assert_int_equal(topic_file_ends(f, &first, end, &e), 0);
	return first;
}

static void read_as(struct bus *b, const char *topic, const char *group, int count)
{
	struct bus_reader *r = open_reader(b, topic, group);
	const struct bus_record *records;
	struct err e = {0};

	if (count > 0)
		assert_int_equal(read_some(r, count, &records), count);
	assert_int_equal(bus_store_position(r, &e), 0);
	bus_reader_close(r);
}

/* Retention runs with the first flush after the opening. */
static int64_t oldest_after_restart(struct bus **b, const char *role, const char *topic,
				    int64_t from, int day)
{
	int64_t end, first;

	bus_close(*b);
	*b = open_bus(dir, role, &conf, NULL);
	publish_day(*b, topic, from, day);
	first = oldest_of(*b, topic, &end);
	assert_int_equal(end, from + 10);
	return first;
}

/* Ten events a day in topic `requests`, read by tax and ssa; keeps ten days. */
static void drops_what_is_old_and_read_by_all(void **state)
{
	struct bus *b = open_bus(dir, "gateway", &conf, NULL);
	struct bus_position start = {0};
	const struct bus_record *records;
	struct bus_reader *r;
	struct err e = {0};
	int64_t from = 0;

	(void)state;
	for (int day = 0; day < 15; day++, from += 10)
		publish_day(b, "requests", from, day);
	/* Nobody has read: all stays. */
	assert_int_equal(oldest_after_restart(&b, "gateway", "requests", from, 15), 0);
	from += 10;
	/* One has read: all stays. */
	read_as(b, "requests", "tax", 160);
	assert_int_equal(oldest_after_restart(&b, "gateway", "requests", from, 16), 0);
	from += 10;
	/* The other has read 25: two whole batches are below its last event; the third holds it. */
	read_as(b, "requests", "ssa", 25);
	assert_int_equal(oldest_after_restart(&b, "gateway", "requests", from, 17), 20);
	from += 10;
	/* Both have read it all: what is younger than ten days stays, counted from the newest
	 * event. */
	read_as(b, "requests", "tax", 20);
	read_as(b, "requests", "ssa", 155);
	assert_int_equal(oldest_after_restart(&b, "gateway", "requests", from, 18), 80);
	from += 10;
	/* Who is after what was dropped goes on; who wants the beginning is told. */
	r = open_reader(b, "requests", "tax");
	assert_int_equal(read_some(r, 100, &records), 10);
	assert_int_equal(records[0].offset, 180);
	bus_reader_close(r);
	r = open_reader(b, "requests", NULL);
	assert_int_equal(bus_seek(r, &start, 1, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_non_null(strstr(e.text, "oldest"));
	bus_reader_close(r);
	bus_close(b);
}

static void a_reader_at_the_end_survives_that_all_is_old(void **state)
{
	struct bus *b = open_bus(dir, "gateway", &conf, NULL);
	const struct bus_record *records;
	struct bus_reader *r;

	(void)state;
	for (int day = 0; day < 5; day++)
		publish_day(b, "payments", 10 * day, day);
	read_as(b, "payments", "tax", 50);
	assert_int_equal(oldest_after_restart(&b, "gateway", "payments", 50, 500), 40);
	r = open_reader(b, "payments", "tax"); /* compares event 49 */
	assert_int_equal(read_some(r, 100, &records), 10);
	assert_int_equal(records[0].offset, 50);
	bus_reader_close(r);
	bus_close(b);
}

/* The gateway's positions are in its ledger; what it noted here counts, and before its first note
 * nothing is dropped. */
static void waits_for_the_notes_of_the_gateway(void **state)
{
	struct bus *b = open_bus(dir, "tax", &conf, NULL), *gateway;
	const struct bus_record *records;
	struct bus_reader *r;

	(void)state;
	for (int day = 0; day < 5; day++)
		publish_day(b, "collections", 10 * day, day);
	assert_int_equal(oldest_after_restart(&b, "tax", "collections", 50, 50), 0);
	gateway = open_bus(dir, "gateway", &conf, NULL);
	r = open_reader(gateway, "collections", NULL);
	assert_int_equal(read_some(r, 35, &records), 35);
	bus_note_position(r, "gateway");
	bus_reader_close(r);
	bus_close(gateway);
	assert_int_equal(oldest_after_restart(&b, "tax", "collections", 60, 60), 30);
	bus_close(b);
}

/* positions.tax is the adapter's memory of where each feed is: the newest of each key stays,
 * however old. */
static void a_memory_keeps_the_newest_of_each_key(void **state)
{
	struct bus *b = open_bus(dir, "tax", &conf, NULL);
	struct bus_event ev = {.type = STR("FeedPosition"), .data = STR("cursor")};
	struct bus_record out;
	struct err e = {0};
	int64_t end;

	(void)state;
	for (int day = 0; day < 8; day++) {
		ev.key = day == 3 ? STR("refunds") : STR("states");
		ev.seq = day;
		ev.time_ms = EVENT_TIME + day * DAY_MS;
		assert_int_equal(bus_publish(b, "positions.tax", &ev, &e), 0);
		flush(b);
	}
	bus_close(b);
	b = open_bus(dir, "tax", &conf, NULL);
	ev.key = STR("states");
	ev.time_ms = EVENT_TIME + 1000 * DAY_MS;
	ev.seq = 8;
	assert_int_equal(bus_publish(b, "positions.tax", &ev, &e), 0);
	flush(b);
	assert_int_equal(oldest_of(b, "positions.tax", &end), 3);
	assert_int_equal(end, 9);
	assert_int_equal(bus_last_of(b, "positions.tax", STR("refunds"), &out, &e), 1);
	assert_int_equal(out.event.seq, 3);
	assert_int_equal(bus_last_of(b, "positions.tax", STR("states"), &out, &e), 1);
	assert_int_equal(out.event.seq, 8);
	bus_close(b);
}

/* ---- backup ---- */
static void backup(const char *to, int64_t ledger_seq)
{
	struct err e = {0};

	if (bus_backup(&(struct bus_options){.dir = dir}, to, ledger_seq, &e) < 0)
		fail_msg("%s", e.text);
}

/* Seq of event i is i + 1: a ledger at seq 25 has sent events 0..24. One row a place where the cut
 * can fall. */
static void the_copy_ends_where_the_ledger_does(void **state)
{
	static const int64_t seqs[] = {0, 1, 5, 9, 10, 11, 15, 19, 20, 25, 30, 31, 1000};
	struct bus *b = open_bus(dir, "gateway", &conf, NULL),
		   *tax = open_bus(dir, "tax", &conf, NULL);
	struct bus_reader *r = open_reader(tax, "payments", "tax");
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		publish(b, "payments", 10 * i, 10 * i + 10);
		flush(b);
	}
	publish(b, "answers", 5, 8);
	flush(b);
	publish(tax, "collections", 100, 130); /* an adapter's: all of it */
	flush(tax);
	expect_events(r, 12, 0, 0, 30);
	assert_int_equal(bus_store_position(r, &e), 0);
	for (size_t i = 0; i < COUNT(seqs); i++) {
		int64_t kept = seqs[i] < 30 ? seqs[i] : 30, answers = seqs[i] < 6   ? 0
								      : seqs[i] < 8 ? seqs[i] - 5
										    : 3;
		char to[320], name[32];
		struct bus *copy;
		struct bus_reader *cr;

		snprintf(name, sizeof name, "copy%d", (int)i);
		backup(tmpdir_file(&tmp, to, name), seqs[i]);
		copy = open_bus(to, "gateway", &conf, NULL);
		cr = open_reader(copy, "payments", NULL);
		expect_events(cr, 1000, 0, 0, kept);
		bus_reader_close(cr);
		cr = open_reader(copy, "answers", NULL);
		expect_events(cr, 1000, 0, 5, answers);
		bus_reader_close(cr);
		cr = open_reader(copy, "collections", NULL);
		expect_events(cr, 1000, 0, 100, 30);
		bus_reader_close(cr);
		/* The reader was past the cut: it is set back to the end, which fits, and goes on
		 * from there. */
		cr = open_reader(copy, "payments", "tax");
		assert_int_equal(told(cr), kept);
		publish(copy, "payments", kept, kept + 5);
		flush(copy);
		expect_events(cr, 1000, kept, kept, 5);
		bus_reader_close(cr);
		bus_close(copy);
	}
	/* The original is as it was. */
	bus_reader_close(r);
	r = open_reader(tax, "payments", NULL);
	expect_events(r, 1000, 0, 0, 30);
	bus_reader_close(r);
	bus_close(tax);
	bus_close(b);
}

/* After a restart the gateway sends again what it does not know to be delivered: 0..9, 5..12. With
 * the ledger at 10 the copy ends at the first event past it, and holds no repeat that would come
 * after a gap. */
static void repeats_do_not_hide_the_cut(void **state)
{
	struct bus *b = open_bus(dir, "gateway", &conf, NULL);
	struct bus_reader *r;
	char to[320];

	(void)state;
	publish(b, "payments", 0, 10);
	publish(b, "payments", 5, 13);
	flush(b);
	publish(b, "payments", 11, 15);
	flush(b);
	bus_close(b);
	backup(tmpdir_file(&tmp, to, "copy"), 8);
	b = open_bus(to, "gateway", &conf, NULL);
	r = open_reader(b, "payments", NULL);
	expect_events(r, 100, 0, 0, 8);
	bus_reader_close(r);
	bus_close(b);
}

/* What a group did after the copy is forgotten: the copy tells up to where that may be. */
static void a_copy_tells_where_it_ended(void **state)
{
	struct bus *b = open_bus(dir, "gateway", &conf, NULL), *tax;
	struct bus_reader *r;
	char to[320];

	(void)state;
	publish(b, "payments", 0, 10);
	flush(b);
	bus_close(b);
	tax = open_bus(dir, "tax", &conf, NULL);
	r = open_reader(tax, "payments", "tax");
	assert_int_equal(restored_end(r), 0);
	bus_reader_close(r);
	bus_close(tax);
	backup(tmpdir_file(&tmp, to, "copy"), 7);
	tax = open_bus(to, "tax", &conf, NULL);
	r = open_reader(tax, "payments", "tax");
	assert_in_range(restored_end(r), 7, 8);
	bus_reader_close(r);
	bus_close(tax);
}

static void a_backup_needs_a_fresh_folder_and_leaves_none_when_it_fails(void **state)
{
	struct store_options o = {0};
	char to[320], path[700];
	struct err e = {0};
	struct store *s;
	struct bus *b = open_bus(dir, "gateway", &conf, NULL);

	(void)state;
	publish(b, "payments", 0, 100);
	flush(b);
	bus_close(b);
	backup(tmpdir_file(&tmp, to, "copy"), 50);
	assert_int_equal(bus_backup(&(struct bus_options){.dir = dir}, to, 50, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(bus_backup(&(struct bus_options){.dir = dir}, dir, 50, &e), -1);
	assert_int_equal(e.class, ERR_CONF);

	/* Damage is found by the copy, which is then none. */
	snprintf(path, sizeof path, "%s/payments.db", dir);
	assert_int_equal(store_open(&s, path, &topic_kind, &o, &e), 0);
	assert_int_equal(store_exec(s,
				    "UPDATE batch SET data = substr(data, 1, 100) || x'a5' || "
				    "substr(data, 102)",
				    &e),
			 0);
	store_close(s);
	tmpdir_file(&tmp, to, "second");
	assert_int_equal(bus_backup(&(struct bus_options){.dir = dir}, to, 50, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_false(fs_exists(to));
	snprintf(path, sizeof path, "%s.part", to);
	assert_false(fs_exists(path));
}

/* A copy is a folder that lacks nothing and holds nothing else: no -wal, no -shm. */
static void a_copy_holds_only_databases(void **state)
{
	char to[320];
	struct dirent *at;
	int count = 0;
	DIR *list;
	struct bus *b = open_bus(dir, "gateway", &conf, NULL);

	(void)state;
	publish(b, "payments", 0, 100);
	flush(b);
	backup(tmpdir_file(&tmp, to, "copy"), 50);
	list = opendir(to);
	assert_non_null(list);
	while ((at = readdir(list)) != NULL) {
		size_t n = strlen(at->d_name);

		if (at->d_name[0] == '.' || strcmp(at->d_name, "groups") == 0)
			continue;
		assert_string_equal(at->d_name + n - 3, ".db");
		count++;
	}
	closedir(list);
	assert_int_equal(count, topic_count);
	bus_close(b);
}

/* While the adapter reads, publishes what follows and stores its position: the copy never holds a
 * position whose events or whose consequences it lacks. */
static void a_copy_made_meanwhile_is_of_one_piece(void **state)
{
	struct bus *b = open_bus(dir, "gateway", &conf, NULL);
	struct err e = {0};
	char go[320];
	pid_t pid;
	int status;

	(void)state;
	tmpdir_file(&tmp, go, "go");
	publish(b, "payments", 0, 2000);
	flush(b);
	bus_close(b);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct bus_record *records;
		struct bus_reader *r;
		struct bus *tax;
		int n;

		begin_child();
		tax = open_bus(dir, "tax", &conf, NULL);
		r = open_reader(tax, "payments", "tax");
		while ((n = read_some(r, 3, &records)) > 0) {
			publish(tax, "collections", told(r) - n, told(r));
			if (bus_flush(tax, &e) < 0 || bus_store_position(r, &e) < 0)
				_exit(1);
			if (fs_exists(go))
				break;
		}
		_exit(0);
	}
	for (int i = 0; i < 5; i++) {
		char to[320], name[32];
		struct bus *copy;
		struct bus_reader *r;
		struct bus_record last;
		int found;

		snprintf(name, sizeof name, "copy%d", i);
		backup(tmpdir_file(&tmp, to, name), 1000);
		copy = open_bus(to, "tax", &conf, NULL);
		r = open_reader(copy, "payments", "tax");
		assert_true(told(r) <= 1000);
		found = bus_last(copy, "collections", 0, &last, &e);
		assert_true(found >= 0);
		if (told(r) < 1000)
			assert_true(told(r) <= (found ? last.offset + 1 : 0));
		bus_reader_close(r);
		bus_close(copy);
	}
	assert_int_equal(fs_write_atomic(go, "", 0, 0600, &e), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(drops_what_is_old_and_read_by_all),
		T(a_reader_at_the_end_survives_that_all_is_old),
		T(waits_for_the_notes_of_the_gateway),
		T(a_memory_keeps_the_newest_of_each_key),
		T(the_copy_ends_where_the_ledger_does),
		T(repeats_do_not_hide_the_cut),
		T(a_copy_tells_where_it_ended),
		T(a_backup_needs_a_fresh_folder_and_leaves_none_when_it_fails),
		T(a_copy_holds_only_databases),
		T(a_copy_made_meanwhile_is_of_one_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
