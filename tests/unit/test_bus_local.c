/* The local bus: order, positions, several processes, restart, damage. Retention and backup:
 * test_bus_keep.c. */
#include "bus/local.h"
#include "tests/lib/bus_events.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tmpdir tmp;
static char dir[320];

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

static void expect_err(const struct err *e, enum err_class class, const char *why)
{
	assert_int_equal(e->class, class);
	if (strstr(e->text, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, e->text);
}

/* ---- the folder ---- */
static void init_makes_what_only_the_owner_reads(void **state)
{
	static const char *const files[] = {"submissions.db", "rejects.ssa.db", "groups/tax.db",
					    "groups/gateway.db"};
	char path[700];
	struct stat st;

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	snprintf(path, sizeof path, "%s/groups", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void is_initialised_once_and_before_use(void **state)
{
	struct bus_options o = {.dir = dir, .role = "tax"};
	char other[320], path[700];
	struct err e = {0};
	struct bus *b;

	(void)state;
	assert_int_equal(bus_init(&(struct bus_options){.dir = dir}, &e), -1);
	expect_err(&e, ERR_CONF, "initialised");
	o.dir = tmpdir_file(&tmp, other, "other");
	assert_int_equal(bus_open(&b, &o, &e), -1);
	expect_err(&e, ERR_CONF, "run qiao init");
	assert_int_equal(bus_init(&(struct bus_options){.dir = other}, &e), 0);

	/* Part of it lost is not the same as never made. */
	snprintf(path, sizeof path, "%s/payments.db", other);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bus_open(&b, &o, &e), -1);
	expect_err(&e, ERR_SAFE, "payments");
	assert_int_equal(bus_init(&(struct bus_options){.dir = other}, &e), -1);
	expect_err(&e, ERR_CONF, "exists already");
}

static void the_table_is_that_of_the_design(void **state)
{
	(void)state;
	assert_string_equal(topic_find(STR("payments"))->producer, "gateway");
	assert_string_equal(topic_find(STR("operations"))->producer, "qiao");
	assert_string_equal(topic_find(STR("requests"))->readers[1], "ssa");
	assert_null(topic_find(STR("rejects.tax"))->readers[0]);
	assert_null(topic_find(STR("payment")));
	for (int i = 0; i < topic_count; i++) {
		assert_true(strlen(topics[i].name) < NAME_BYTES);
		assert_ptr_equal(topic_find(str_of(topics[i].name)), &topics[i]);
	}
}

/* ---- order and content ---- */
static void gives_what_was_published_in_order(void **state)
{
	static const int portions[] = {1, 7, 1000, 5000};
	struct bus *gateway = open_bus(dir, "gateway", NULL, NULL);
	struct bus *tax = open_bus(dir, "tax", NULL, NULL);

	(void)state;
	publish(gateway, "payments", 0, 10000);
	flush(gateway);
	publish(gateway, "payments", 10000, 10003);
	flush(gateway);
	for (size_t i = 0; i < COUNT(portions); i++) {
		struct bus_reader *r = open_reader(tax, "payments", NULL);

		expect_events(r, portions[i], 0, 0, 10003);
		assert_int_equal(told(r), 10003);
		bus_reader_close(r);
	}
	bus_close(tax);
	bus_close(gateway);
}

static void small_batches_are_read_as_one(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus_reader *r = open_reader(b, "payments", NULL);
	const struct bus_record *records;

	(void)state;
	for (int i = 0; i < 50; i++) {
		publish(b, "payments", i, i + 1);
		flush(b);
	}
	assert_int_equal(read_some(r, 30, &records), 30);
	assert_int_equal(read_some(r, 30, &records), 20);
	check_event(&records[19], 49, 49);
	assert_int_equal(read_some(r, 30, &records), 0);
	bus_reader_close(r);
	bus_close(b);
}

static void what_is_not_flushed_is_not_sent(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus_reader *r = open_reader(b, "payments", NULL);

	(void)state;
	publish(b, "payments", 0, 10);
	expect_events(r, 100, 0, 0, 0);
	flush(b);
	expect_events(r, 100, 0, 0, 10);
	flush(b); /* once only */
	expect_events(r, 100, 10, 10, 0);
	publish(b, "payments", 10, 20);
	bus_reader_close(r);
	bus_close(b);
	b = open_bus(dir, "gateway", NULL, NULL);
	r = open_reader(b, "payments", NULL);
	expect_events(r, 100, 0, 0, 10);
	bus_reader_close(r);
	bus_close(b);
}

static void a_restart_goes_on_where_it_was(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct bus *b = open_bus(dir, "gateway", NULL, NULL);
		struct bus_reader *r;

		publish(b, "payments", 100 * i, 100 * i + 100);
		flush(b);
		r = open_reader(b, "payments", NULL);
		expect_events(r, 64, 0, 0, 100 * i + 100);
		bus_reader_close(r);
		bus_close(b);
	}
}

static void the_queue_is_bounded(void **state)
{
	static char data[100000];
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus_event ev = {
		.key = STR("k"), .type = STR("SubsidyPayment"), .data = {data, sizeof data}};
	struct bus_reader *r = open_reader(b, "answers", NULL);
	struct bus_lag lags[64];
	struct err e = {0};
	int64_t written = 0;
	int count;

	(void)state;
	for (int i = 0; i < 400; i++) {
		assert_int_equal(bus_publish(b, i % 2 ? "answers" : "payments", &ev, &e), 0);
		assert_true(local_of(b)->queued <= QUEUE_BYTES_MAX);
	}
	assert_int_equal(bus_lags(&(struct bus_options){.dir = dir}, lags, 64, &count, &e), 0);
	for (int i = 0; i < count; i++)
		written += lags[i].end;
	assert_true(written > 200); /* 40 MB were published without a flush */
	flush(b);
	bus_reader_close(r);
	bus_close(b);
}

static void takes_events_of_any_size_up_to_the_limit(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 65536, 1 << 20, (1 << 20) + 1, 3 << 20};
	struct conf conf = {.bus = {.retention_days = 400, .segment_bytes = 65536}};
	char *data = malloc(EVENT_BYTES_MAX);
	struct bus *b = open_bus(dir, "gateway", &conf, NULL);
	struct bus_event ev = {.key = STR("k"), .type = STR("SubsidyPayment")};
	struct bus_reader *r = open_reader(b, "payments", NULL);
	const struct bus_record *records;
	struct err e = {0};
	size_t got = 0;
	int n;

	(void)state;
	for (size_t i = 0; i < EVENT_BYTES_MAX; i++)
		data[i] = (char)(i * 31 + i / 256);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		ev.data = (struct str){data, sizes[i]};
		ev.seq = (int64_t)i;
		assert_int_equal(bus_publish(b, "payments", &ev, &e), 0);
	}
	ev.data.n = EVENT_BYTES_MAX;
	assert_int_equal(bus_publish(b, "payments", &ev, &e), -1);
	expect_err(&e, ERR_PERM, "limit");
	flush(b);
	while ((n = read_some(r, 100, &records)) > 0)
		for (int i = 0; i < n; i++, got++) {
			assert_int_equal(records[i].event.seq, got);
			assert_int_equal(records[i].event.data.n, sizes[got]);
			assert_memory_equal(records[i].event.data.p, data, sizes[got]);
		}
	assert_int_equal(got, COUNT(sizes));
	bus_reader_close(r);
	bus_close(b);
	free(data);
}

static void the_ledger_mark_travels_with_each_event(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus_reader *r = open_reader(b, "payments", NULL), *other;
	const struct bus_record *records;
	struct bus *tax;

	(void)state;
	publish(b, "payments", 0, 3);
	bus_set_ledger(b, "00112233/2");
	publish(b, "payments", 3, 6);
	flush(b);
	assert_int_equal(read_some(r, 10, &records), 6);
	for (int i = 0; i < 6; i++)
		assert_true(str_is(records[i].ledger, i < 3 ? "00112233/1" : "00112233/2"));
	tax = open_bus(dir, "tax", NULL, NULL);
	publish(tax, "collections", 0, 1);
	flush(tax);
	other = open_reader(tax, "collections", NULL);
	assert_int_equal(read_some(other, 10, &records), 1);
	assert_null(records[0].ledger.p);
	bus_reader_close(other);
	bus_reader_close(r);
	bus_close(tax);
	bus_close(b);
}

/* Constant headers are stored once a type, in the words of FORMAT.md. */
static void headers_are_stored_once(void **state)
{
	struct store_options o = {.flags = STORE_READONLY};
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct err e = {0};
	struct store *s;
	struct stmt *st;
	char path[700];

	(void)state;
	publish(b, "payments", 0, 3000);
	flush(b);
	bus_close(b);
	b = open_bus(dir, "gateway", NULL, NULL);
	publish(b, "payments", 3000, 6000);
	flush(b);
	bus_close(b);
	snprintf(path, sizeof path, "%s/payments.db", dir);
	assert_int_equal(store_open(&s, path, &topic_kind, &o, &e), 0);
	assert_int_equal(
		store_prepare(s, &st,
			      "SELECT headers, (SELECT count(*) FROM kind) FROM kind ORDER BY id",
			      &e),
		0);
	assert_int_equal(stmt_step(st, &e), 1);
	assert_true(str_is(stmt_get_text(st, 0),
			   "specversion: 1.0\nsource: /qiao/gateway\n"
			   "type: cn.keqiao.qiao.SubsidyPayment.v1\n"
			   "datacontenttype: application/avro\nqiao_ledger: 00112233/1\n"));
	assert_int_equal(stmt_get_int(st, 1), 3);
	store_close(s);
}

/* ---- positions ---- */
static void a_group_goes_on_after_what_it_stored(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus *tax = open_bus(dir, "tax", NULL, NULL);
	struct bus_reader *r = open_reader(tax, "payments", "tax");
	const struct bus_record *records;
	struct err e = {0};

	(void)state;
	publish(b, "payments", 0, 100);
	flush(b);
	assert_int_equal(read_some(r, 40, &records), 40);
	assert_int_equal(bus_store_position(r, &e), 0);
	assert_int_equal(read_some(r, 20, &records), 20); /* read, and not stored */
	bus_reader_close(r);
	bus_close(tax);

	tax = open_bus(dir, "tax", NULL, NULL);
	r = open_reader(tax, "payments", "tax");
	assert_int_equal(told(r), 40);
	expect_events(r, 1000, 40, 40, 60);
	assert_int_equal(bus_store_position(r, &e), 0);
	assert_int_equal(bus_store_position(r, &e), 0);
	bus_reader_close(r);
	r = open_reader(tax, "payments", "tax");
	expect_events(r, 1000, 100, 100, 0);
	publish(b, "payments", 100, 101);
	flush(b);
	expect_events(r, 1000, 100, 100, 1);
	bus_reader_close(r);
	bus_close(tax);
	bus_close(b);
}

static void groups_do_not_touch_one_another(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus_reader *tax = open_reader(b, "requests", "tax"),
			  *ssa = open_reader(b, "requests", "ssa");
	struct err e = {0};

	(void)state;
	publish(b, "requests", 0, 10);
	flush(b);
	expect_events(tax, 10, 0, 0, 10);
	assert_int_equal(bus_store_position(tax, &e), 0);
	bus_reader_close(ssa);
	ssa = open_reader(b, "requests", "ssa");
	expect_events(ssa, 10, 0, 0, 10);
	bus_reader_close(ssa);
	bus_reader_close(tax);
	bus_close(b);
}

static void no_position_stops(void **state)
{
	static const struct {
		const char *topic, *group;
	} rows[] = {
		{"payments", "ssa"}, /* reads other topics, not this one */
		{"payments", "stranger"},
		{"submissions", "gateway"}, /* keeps its positions in the ledger */
	};
	struct bus *b = open_bus(dir, "tax", NULL, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bus_reader *r;
		struct err e = {0};

		assert_int_equal(bus_reader_open(b, &r, rows[i].topic, rows[i].group, &e), -1);
		assert_null(r);
		expect_err(&e, ERR_SAFE, "no position");
		expect_err(&e, ERR_SAFE, "restore");
	}
	bus_close(b);
}

/* One row a wrong position: for a caller's own and for a group's. */
static void a_position_that_does_not_fit_stops(void **state)
{
	static const struct {
		int64_t next, id_of;
		const char *why; /* NULL = it fits */
	} rows[] = {
		{0, -1, NULL},
		{1, 0, NULL},
		{50, 49, NULL},
		{100, 99, NULL},
		{101, 99, "past the end"},
		{1000000, 99, "past the end"},
		{50, 48, "another"},
		{50, 50, "another"},
		{50, -1, "another"},
		{-1, -1, "cannot be"},
	};
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus *tax = open_bus(dir, "tax", NULL, NULL);

	(void)state;
	publish(b, "payments", 0, 64);
	flush(b);
	publish(b, "payments", 64, 100);
	flush(b);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bus_position at = {.next = rows[i].next};
		struct event_room room;
		struct bus_reader *r;
		const struct bus_record *records;
		struct group *g;
		struct err e = {0};

		if (rows[i].id_of >= 0)
			at.last_id = make_event(&room, rows[i].id_of).id;
		r = open_reader(tax, "payments", NULL);
		assert_int_equal(bus_seek(r, &at, 1, &e), rows[i].why ? -1 : 0);
		if (rows[i].why) {
			expect_err(&e, ERR_SAFE, rows[i].why);
			assert_int_equal(bus_read(r, 1, &records, &e),
					 -1); /* and never reads on regardless */
		} else {
			expect_events(r, 1000, at.next, at.next, 100 - at.next);
		}
		bus_reader_close(r);

		assert_int_equal(group_open(local_of(tax), "tax", false, &g, &e), 0);
		assert_int_equal(group_put(g, "payments", &at, &e), 0);
		assert_int_equal(bus_reader_open(tax, &r, "payments", "tax", &e),
				 rows[i].why ? -1 : 0);
		if (rows[i].why)
			expect_err(&e, ERR_SAFE, rows[i].why);
		bus_reader_close(r);
	}
	bus_close(tax);
	bus_close(b);
}

static void a_position_in_an_empty_topic_is_past_the_end(void **state)
{
	struct bus *b = open_bus(dir, "tax", NULL, NULL);
	struct bus_reader *r = open_reader(b, "payments", NULL);
	struct bus_position at = {.next = 5};
	struct err e = {0};

	(void)state;
	assert_int_equal(bus_seek(r, &at, 1, &e), -1);
	expect_err(&e, ERR_SAFE, "past the end");
	bus_reader_close(r);
	bus_close(b);
}

/* ---- looking ---- */
static void finds_the_last_event_of_a_key(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus_event rare = {
		.key = STR("rare"), .type = STR("SubsidyPayment"), .data = STR("x"), .seq = 1};
	struct bus_record out;
	struct err e = {0};

	(void)state;
	assert_int_equal(bus_last(b, "payments", 0, &out, &e), 0);
	assert_int_equal(bus_publish(b, "payments", &rare, &e), 0);
	flush(b);
	for (int i = 0; i < 20; i++) {
		publish(b, "payments", 10 * i, 10 * i + 10);
		flush(b);
	}
	assert_int_equal(bus_last(b, "payments", 0, &out, &e), 1);
	check_event(&out, 200, 199);
	assert_int_equal(bus_last_of(b, "payments", STR("key-5"), &out, &e), 1);
	check_event(&out, 195, 194);
	assert_int_equal(bus_last_of(b, "payments", STR("rare"), &out, &e), 1);
	assert_int_equal(out.offset, 0);
	assert_true(str_is(out.ledger, "00112233/1"));
	assert_int_equal(bus_last_of(b, "payments", STR("key-9"), &out, &e), 0);
	assert_int_equal(bus_last_of(b, "collections", STR("key-5"), &out, &e), 0);
	bus_close(b);
}

static const struct bus_lag *lag_of(const struct bus_lag *lags, int count, const char *topic,
				    const char *group)
{
	for (int i = 0; i < count; i++)
		if (strcmp(lags[i].topic, topic) == 0 && strcmp(lags[i].group, group) == 0)
			return &lags[i];
	fail_msg("no lag of %s in %s", group, topic);
	return NULL;
}

static void tells_how_far_each_group_is(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL),
		   *tax = open_bus(dir, "tax", NULL, NULL);
	struct bus_reader *r = open_reader(tax, "payments", "tax"), *mine;
	const struct bus_record *records;
	const struct bus_lag *lag;
	struct bus_lag lags[64];
	struct err e = {0};
	int count;

	(void)state;
	publish(b, "payments", 0, 10);
	publish(b, "rejects.gateway", 0, 3);
	flush(b);
	publish(tax, "collections", 0, 5);
	flush(tax);
	read_some(r, 4, &records);
	assert_int_equal(bus_store_position(r, &e), 0);
	mine = open_reader(b, "collections", NULL);
	read_some(mine, 5, &records);
	bus_note_position(mine, "gateway");
	bus_reader_close(mine); /* writes the note */
	assert_int_equal(bus_lags(&(struct bus_options){.dir = dir}, lags, 64, &count, &e), 0);
	lag = lag_of(lags, count, "payments", "tax");
	assert_int_equal(lag->end, 10);
	assert_int_equal(lag->next, 4);
	assert_int_equal(lag->oldest_unread_ms, EVENT_TIME + 4);
	lag = lag_of(lags, count, "collections", "gateway");
	assert_int_equal(lag->end, 5);
	assert_int_equal(lag->next, 5);
	assert_int_equal(lag->oldest_unread_ms, 0);
	lag = lag_of(lags, count, "rejects.gateway", "");
	assert_int_equal(lag->end, 3);
	assert_int_equal(lag->next, 3);
	assert_int_equal(lag_of(lags, count, "requests", "ssa")->end, 0);
	assert_int_equal(lag_of(lags, count, "submissions", "gateway")->next, 0);
	assert_int_equal(bus_lags(&(struct bus_options){.dir = dir}, lags, 3, &count, &e), 0);
	assert_int_equal(count, 3);
	bus_reader_close(r);
	bus_close(tax);
	bus_close(b);
}

/* ---- several processes ---- */
static void write_operations(int writer, int count)
{
	struct bus *b = open_bus(dir, "qiao", NULL, NULL);
	struct event_room room;
	struct err e = {0};

	for (int i = 0; i < count; i++) {
		struct bus_event ev = make_event(&room, i);

		ev.seq = writer;
		if (bus_publish(b, "operations", &ev, &e) < 0 ||
		    (i % 5 == 0 && bus_flush(b, &e) < 0))
			_exit(1);
	}
	_exit(bus_flush(b, &e) < 0 ? 1 : 0);
}

/* Four commands write at once, two processes read meanwhile: offsets are dense, each writer's
 * events are in its order, and all readers see the same. */
static void many_write_and_read_at_once(void **state)
{
	enum { WRITERS = 4, READERS = 2, EACH = 400 };
	pid_t pids[WRITERS + READERS];

	(void)state;
	for (int p = 0; p < WRITERS + READERS; p++) {
		pids[p] = fork();
		assert_true(pids[p] >= 0);
		if (pids[p] == 0)
			begin_child();
		if (pids[p] == 0 && p < WRITERS)
			write_operations(p, EACH);
		if (pids[p] == 0) {
			struct bus *b = open_bus(dir, "gateway", NULL, NULL);
			struct bus_reader *r = open_reader(b, "operations", NULL);
			const struct bus_record *records;
			int next[WRITERS] = {0};
			int64_t got = 0;

			while (got < WRITERS * EACH) {
				int n = read_some(r, 100, &records);

				for (int i = 0; i < n; i++, got++) {
					struct bus_record one = records[i];
					int writer = (int)one.event.seq;

					if (one.offset != got || writer < 0 || writer >= WRITERS)
						_exit(1);
					one.event.seq = next[writer] + 1;
					check_event(&one, got, next[writer]++);
				}
			}
			_exit(0);
		}
	}
	for (int p = 0; p < WRITERS + READERS; p++) {
		int status;

		assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
		assert_int_equal(status, 0);
	}
}

/* Killed at any moment: what is there is whole flushes, and what was acknowledged is there. */
static void a_killed_writer_leaves_whole_flushes(void **state)
{
	enum { TURNS = 12, BATCH = 50 };
	int64_t sure = 0;

	(void)state;
	for (int turn = 0; turn < TURNS; turn++) {
		struct bus *b = NULL;
		struct bus_reader *r;
		struct bus_record last;
		struct err e = {0};
		int64_t flushed = 0;
		int pipes[2], found;
		pid_t pid;

		assert_int_equal(pipe(pipes), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			begin_child();
			b = open_bus(dir, "gateway", NULL, NULL);
			for (int64_t at = sure;; at += BATCH) {
				publish(b, "payments", at, at + BATCH);
				flush(b);
				if (write(pipes[1], &(int64_t){at + BATCH}, sizeof at) != sizeof at)
					_exit(1);
			}
		}
		close(pipes[1]);
		for (int i = 0; i <= turn; i++)
			assert_int_equal(read(pipes[0], &flushed, sizeof flushed), sizeof flushed);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while (read(pipes[0], &flushed, sizeof flushed) == sizeof flushed)
			;
		close(pipes[0]);
		b = open_bus(dir, "gateway", NULL, NULL);
		found = bus_last(b, "payments", 0, &last, &e);
		assert_int_equal(found, 1);
		assert_true(last.offset + 1 >= flushed);
		assert_int_equal((last.offset + 1) % BATCH, 0);
		r = open_reader(b, "payments", NULL);
		sure = last.offset + 1;
		expect_events(r, 1000, 0, 0, sure);
		bus_reader_close(r);
		bus_close(b);
	}
}

static void only_the_producer_publishes(void **state)
{
	static const char *const rows[][2] = {
		{"tax", "payments"}, {"gateway", "operations"}, {"gateway", "nowhere"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			struct bus *b = open_bus(dir, rows[i][0], NULL, NULL);
			struct rlimit none = {0, 0};
			struct event_room room;
			struct bus_event ev = make_event(&room, 0);

			setrlimit(RLIMIT_CORE, &none);
			signal(SIGABRT, SIG_DFL);
			if (freopen("/dev/null", "w", stderr) == NULL)
				_exit(1);
			bus_publish(b, rows[i][1], &ev, NULL);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

/* ---- damage ---- */
static void damage(const char *topic, const char *sql)
{
	struct store_options o = {0};
	struct err e = {0};
	struct store *s;
	char path[700];

	snprintf(path, sizeof path, "%s/%s.db", dir, topic);
	assert_int_equal(store_open(&s, path, &topic_kind, &o, &e), 0);
	if (store_exec(s, sql, &e) < 0)
		fail_msg("%s", e.text);
	store_close(s);
}

/* Each kind of damage to the second of three batches: the first is read as it was, then the reader
 * stops for good. */
static void damage_is_seen_and_never_passed_over(void **state)
{
	static const char *const rows[] = {
		"UPDATE batch SET data = substr(data, 1, 100) || x'a5' || substr(data, 102) WHERE "
		"first = 10",
		"UPDATE batch SET data = substr(data, 1, length(data) - 1) WHERE first = 10",
		"UPDATE batch SET data = x'' WHERE first = 10",
		"UPDATE batch SET count = 0 WHERE first = 10",
		"DELETE FROM batch WHERE first = 10",
		"DELETE FROM kind WHERE id = 2",
		"UPDATE kind SET headers = 'source: nowhere' WHERE id = 2",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct bus_record *records;
		struct bus_event ev;
		struct event_room room;
		struct bus_reader *r;
		struct err e = {0};
		struct bus *b;
		int n, got = 0;

		tear_down(NULL);
		set_up(NULL);
		b = open_bus(dir, "gateway", NULL, NULL);
		for (int k = 0; k < 30; k++) {
			ev = make_event(&room, k);
			ev.type = k < 10 || k >= 20 ? STR("SubsidyPayment") : STR("PaymentEnquiry");
			assert_int_equal(bus_publish(b, "payments", &ev, &e), 0);
			if (k % 10 == 9)
				flush(b);
		}
		bus_close(b);
		damage("payments", rows[i]);
		b = open_bus(dir, "gateway", NULL, NULL);
		r = open_reader(b, "payments", NULL);
		while ((n = bus_read(r, 10, &records, &e)) > 0)
			got += n;
		assert_int_equal(n, -1);
		assert_int_equal(e.class, ERR_SAFE);
		assert_int_equal(got, 10);
		assert_int_equal(bus_read(r, 10, &records, &e), -1);
		assert_int_equal(told(r), 10);
		bus_reader_close(r);
		bus_close(b);
	}
}

static void damage_is_seen_by_looking_back_too(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	struct bus_record out;
	struct err e = {0};

	(void)state;
	publish(b, "payments", 0, 10);
	flush(b);
	damage("payments",
	       "UPDATE batch SET data = substr(data, 1, 100) || x'a5' || substr(data, 102)");
	assert_int_equal(bus_last(b, "payments", 0, &out, &e), -1);
	expect_err(&e, ERR_SAFE, "damaged");
	bus_close(b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(init_makes_what_only_the_owner_reads),
		T(is_initialised_once_and_before_use),
		T(the_table_is_that_of_the_design),
		T(gives_what_was_published_in_order),
		T(small_batches_are_read_as_one),
		T(what_is_not_flushed_is_not_sent),
		T(a_restart_goes_on_where_it_was),
		T(the_queue_is_bounded),
		T(takes_events_of_any_size_up_to_the_limit),
		T(the_ledger_mark_travels_with_each_event),
		T(headers_are_stored_once),
		T(a_group_goes_on_after_what_it_stored),
		T(groups_do_not_touch_one_another),
		T(no_position_stops),
		T(a_position_that_does_not_fit_stops),
		T(a_position_in_an_empty_topic_is_past_the_end),
		T(finds_the_last_event_of_a_key),
		T(tells_how_far_each_group_is),
		T(many_write_and_read_at_once),
		T(a_killed_writer_leaves_whole_flushes),
		T(only_the_producer_publishes),
		T(damage_is_seen_and_never_passed_over),
		T(damage_is_seen_by_looking_back_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
