/* The local bus over a disk that fails at its n-th operation, for every n: a flush fails with the
 * right class, a reader sees whole transactions only, and after opening anew and publishing again
 * everything is there. Where the failure leaves it open whether the flush took place (ERR_SAFE), it
 * may be there twice, whole: delivery is at least once. */
#include "bus/local.h"
#include "tests/lib/bus_events.h"
#include "tests/lib/fault_vfs.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 10 }; /* events a topic a turn */
static const char *const written[] = {"payments", "answers"};
static struct tmpdir tmp;
static char dir[320];

static int set_up(void **state)
{
	struct err e = {0};

	(void)state;
	fault_vfs_install(false);
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, dir, "bus");
	assert_int_equal(bus_init(&(struct bus_options){.dir = dir}, &e), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_vfs_disarm();
	tmpdir_remove(&tmp);
	return 0;
}

/* The turns that a topic holds, in order; each EACH events starting with turn * EACH. */
struct model {
	int count;
	int turn[4000];
};
static struct model models[COUNT(written)];

static int publish_turn(struct bus *b, int topic, int turn, struct err *e)
{
	struct event_room room;

	for (int i = 0; i < EACH; i++) {
		struct bus_event ev = make_event(&room, (int64_t)turn * EACH + i);

		if (bus_publish(b, written[topic], &ev, e) < 0)
			return -1;
	}
	return 0;
}

/* One turn to both topics. */
static int publish_both(struct bus *b, int turn, struct err *e)
{
	for (size_t t = 0; t < COUNT(written); t++)
		if (publish_turn(b, (int)t, turn, e) < 0)
			return -1;
	return bus_flush(b, e);
}

/* What came since the last look must be whole turns, and those only this one, at most `most` times;
 * the model follows. */
static int follow(struct bus *looker, int topic, int turn, int most)
{
	struct model *m = &models[topic];
	struct bus_reader *r = open_reader(looker, written[topic], NULL);
	struct bus_position at = {.next = (int64_t)m->count * EACH};
	const struct bus_record *records;
	struct event_room room;
	struct err e = {0};
	int64_t got = 0;
	int n;

	if (m->count > 0)
		at.last_id = make_event(&room, (int64_t)m->turn[m->count - 1] * EACH + EACH - 1).id;
	if (bus_seek(r, &at, 1, &e) < 0)
		fail_msg("%s", e.text);
	while ((n = read_some(r, 1000, &records)) > 0)
		for (int i = 0; i < n; i++, got++)
			check_event(&records[i], at.next + got, (int64_t)turn * EACH + got % EACH);
	bus_reader_close(r);
	assert_int_equal(got % EACH, 0);
	assert_true(got / EACH <= most);
	for (int i = 0; i < got / EACH; i++)
		m->turn[m->count++] = turn;
	assert_true(m->count < (int)COUNT(m->turn) - 3);
	return (int)(got / EACH);
}

/* A try with a fault at the n-th operation from the opening on; -1 as soon as something failed. The
 * bus is given even so. */
static int faulty_turn(int turn, struct bus **b, struct err *e)
{
	struct bus_options o = {
		.dir = dir, .role = "gateway", .ledger = "00112233/1", .vfs = FAULT_VFS};

	*b = NULL;
	if (bus_open(b, &o, e) < 0)
		return -1;
	return publish_both(*b, turn, e);
}

static void every_operation_fails_once(unsigned ops, enum fault_kind kind, enum err_class class)
{
	int fired = 0, failures = 0;

	memset(models, 0, sizeof models);
	for (int n = 1;; n++) {
		/* Opened before and open all the time, as the readers' programs are: the shared
		 * index of the WAL lives on. Every other turn nobody else is there, and the next
		 * opening recovers. */
		struct bus *looker = n % 2 ? open_bus(dir, "tax", NULL, NULL) : NULL, *b;
		struct bus_reader *idle = looker ? open_reader(looker, "payments", NULL) : NULL;
		struct err e = {0};
		int rc;

		fault_vfs_arm(ops, n, kind);
		rc = faulty_turn(n, &b, &e);
		fault_vfs_disarm();
		fired += fault_vfs_fired();
		failures += rc < 0;
		if (rc < 0)
			assert_int_equal(e.class, class);
		if (rc < 0 && class == ERR_TEMP && b) {
			flush(b); /* what was queued still is: the rest goes in, nothing twice */
		} else if (rc < 0 && b && local_of(b)->failed) {
			assert_int_equal(bus_flush(b, &e), -1);
			assert_int_equal(e.class, ERR_SAFE);
		}
		bus_reader_close(idle);
		for (size_t t = 0; looker && t < COUNT(written); t++)
			follow(looker, (int)t, n, 1);
		bus_close(looker);
		bus_close(b);

		looker = open_bus(dir, "gateway", NULL, NULL);
		for (size_t t = 0; t < COUNT(written); t++)
			follow(looker, (int)t, n, 1);
		if (rc == 0)
			for (size_t t = 0; t < COUNT(written); t++)
				assert_int_equal(models[t].turn[models[t].count - 1], n);
		/* The program starts again and sends again what it does not know to be sent. */
		if (publish_both(looker, n, &e) < 0)
			fail_msg("%s", e.text);
		for (size_t t = 0; t < COUNT(written); t++)
			assert_int_equal(follow(looker, (int)t, n, 1), 1);
		bus_close(looker);
		if (fault_vfs_fired() == 0)
			break;
	}
	assert_true(fired > 0);
	assert_true(failures > 0);
}

static void a_full_disk_may_pass(void **state)
{
	(void)state;
	every_operation_fails_once(FAULT_WRITE, FAULT_DISK_FULL, ERR_TEMP);
}

static void a_failed_write_stops(void **state)
{
	(void)state;
	every_operation_fails_once(FAULT_WRITE, FAULT_IO, ERR_SAFE);
}

static void a_failed_sync_stops(void **state)
{
	(void)state;
	every_operation_fails_once(FAULT_SYNC, FAULT_IO, ERR_SAFE);
}

static void a_failed_open_stops(void **state)
{
	(void)state;
	every_operation_fails_once(FAULT_OPEN, FAULT_IO, ERR_SAFE);
}

static void a_failed_read_stops(void **state)
{
	(void)state;
	every_operation_fails_once(FAULT_READ, FAULT_IO, ERR_SAFE);
}

/* The disk stays full for a while: no flush goes through, nothing is lost, and all arrives once
 * when there is room. */
static void a_disk_that_stays_full_is_waited_for(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, FAULT_VFS);
	struct bus_reader *r;
	struct err e = {0};

	(void)state;
	publish(b, "payments", 0, 3);
	flush(b);
	fault_vfs_arm(FAULT_WRITE, 1, FAULT_DISK_FULL);
	fault_vfs_stay();
	publish(b, "payments", 3, 1000);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(bus_flush(b, &e), -1);
		assert_int_equal(e.class, ERR_TEMP);
		publish(b, "payments", 1000 + i, 1001 + i);
	}
	assert_true(fault_vfs_fired() >= 5);
	fault_vfs_disarm();
	r = open_reader(b, "payments", NULL);
	expect_events(r, 500, 0, 0, 3);
	flush(b);
	expect_events(r, 500, 3, 3, 1002);
	bus_reader_close(r);
	bus_close(b);
}

/* A full queue that cannot be written through refuses the event and keeps the rest. */
static void a_full_queue_on_a_full_disk_takes_no_more(void **state)
{
	static char data[1 << 20];
	struct bus *b = open_bus(dir, "gateway", NULL, FAULT_VFS);
	struct bus_event ev = {
		.key = STR("k"), .type = STR("SubsidyPayment"), .data = {data, sizeof data}};
	struct bus_reader *r;
	const struct bus_record *records;
	struct err e = {0};
	int taken = 0, got = 0, n;

	(void)state;
	assert_int_equal(bus_publish(b, "payments", &ev, &e), 0);
	fault_vfs_arm(FAULT_WRITE, 1, FAULT_DISK_FULL);
	fault_vfs_stay();
	for (taken = 1; taken < 100; taken++)
		if (bus_publish(b, "payments", &ev, &e) < 0)
			break;
	assert_int_equal(e.class, ERR_TEMP);
	assert_true(taken < 9);
	assert_true(fault_vfs_fired() > 0);
	fault_vfs_disarm();
	assert_int_equal(bus_publish(b, "payments", &ev, &e), 0);
	flush(b);
	r = open_reader(b, "payments", NULL);
	while ((n = read_some(r, 100, &records)) > 0)
		got += n;
	assert_int_equal(got, taken + 1);
	bus_reader_close(r);
	bus_close(b);
}

/* A position is the old one or the new one, and after a failed write the program reads again what
 * it read. */
static void a_position_is_old_or_new(void **state)
{
	static const struct {
		unsigned ops;
		enum fault_kind kind;
		enum err_class class;
	} rows[] = {
		{FAULT_WRITE, FAULT_DISK_FULL, ERR_TEMP},
		{FAULT_WRITE, FAULT_IO, ERR_SAFE},
		{FAULT_SYNC, FAULT_IO, ERR_SAFE},
	};
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	int64_t at = 0;

	(void)state;
	publish(b, "payments", 0, 1000);
	flush(b);
	bus_close(b);
	for (size_t k = 0; k < COUNT(rows); k++)
		for (int n = 1, fired = 0;; n++) {
			struct bus *tax = open_bus(dir, "tax", NULL, FAULT_VFS);
			struct bus_reader *r = open_reader(tax, "payments", "tax");
			const struct bus_record *records;
			struct err e = {0};
			int rc;

			assert_int_equal(told(r), at);
			read_some(r, 5, &records);
			check_event(&records[0], at, at);
			fault_vfs_arm(rows[k].ops, n, rows[k].kind);
			rc = bus_store_position(r, &e);
			fault_vfs_disarm();
			fired += fault_vfs_fired();
			assert_int_equal(rc, fault_vfs_fired() ? -1 : 0);
			if (rc < 0)
				assert_int_equal(e.class, rows[k].class);
			if (rc < 0 && rows[k].class == ERR_TEMP)
				assert_int_equal(bus_store_position(r, &e), 0);
			bus_reader_close(r);
			bus_close(tax);

			tax = open_bus(dir, "tax", NULL, NULL);
			r = open_reader(tax, "payments", "tax");
			assert_true(told(r) == at + 5 ||
				    (rc < 0 && e.class == ERR_SAFE && told(r) == at));
			at = told(r);
			bus_reader_close(r);
			bus_close(tax);
			if (fault_vfs_fired() == 0) {
				assert_true(fired > 0);
				break;
			}
		}
}

/* init and backup are there whole or not at all. After the first operations only every few are
 * tried: they are of a kind. */
static void init_and_backup_are_whole_or_nothing(void **state)
{
	struct bus *b = open_bus(dir, "gateway", NULL, NULL);
	char fresh[320], stage[330];
	int fired = 0, n, rc;

	(void)state;
	publish(b, "payments", 0, 100);
	flush(b);
	bus_close(b);
	tmpdir_file(&tmp, fresh, "fresh");
	snprintf(stage, sizeof stage, "%s.part", fresh);
	fault_vfs_install(true);
	for (int backup = 0; backup < 2; backup++) {
		for (n = 1;; n += n < 20 ? 1 : 23) {
			struct err e = {0};

			fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, n,
				      n % 2 ? FAULT_IO : FAULT_DISK_FULL);
			rc = backup ? bus_backup(&(struct bus_options){.dir = dir}, fresh, 50, &e) : bus_init(&(struct bus_options){.dir = fresh}, &e);
			fault_vfs_disarm();
			fired += fault_vfs_fired();
			assert_false(fs_exists(stage));
			assert_int_equal(fs_exists(fresh), rc == 0);
			if (fault_vfs_fired() == 0) {
				assert_int_equal(rc, 0);
				break;
			}
			if (rc < 0)
				assert_true(e.class == ERR_TEMP || e.class == ERR_SAFE);
			else /* it struck the closing of a file: its WAL stays and is good */
				bus_close(open_bus(fresh, "gateway", NULL, NULL));
			assert_int_equal(fs_remove_tree(fresh, &e), 0);
		}
		assert_true(n > 40);
		b = open_bus(fresh, "gateway", NULL, NULL);
		bus_close(b);
		assert_int_equal(fs_remove_tree(fresh, NULL), 0);
	}
	assert_true(fired > 0);
}

/* At the n-th write or sync the power goes. What a flush acknowledged is there, in whole turns and
 * in order. */
static void a_power_cut_loses_nothing_acknowledged(void **state)
{
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int *lost = &shared[0], *acknowledged = &shared[1], base = 0, cuts = 0, status;

	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	for (int n = 1;; n++) {
		pid_t pid = fork();
		struct bus_reader *r;
		struct bus *b;
		int turns[COUNT(written)] = {0};

		assert_true(pid >= 0);
		if (pid == 0) {
			struct err e = {0};

			begin_child();
			fault_vfs_remember(lost);
			fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, n, FAULT_POWER_CUT);
			b = open_bus(dir, "gateway", NULL, FAULT_VFS);
			for (*acknowledged = base; *acknowledged < base + 3; ++*acknowledged)
				if (publish_both(b, *acknowledged, &e) < 0)
					_exit(1);
			_exit(7);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		b = open_bus(dir, "gateway", NULL, NULL);
		for (size_t t = 0; t < COUNT(written); t++) {
			struct bus_record last;
			struct err e = {0};

			if (bus_last(b, written[t], 0, &last, &e) == 1)
				turns[t] = (int)(last.offset + 1) / EACH;
			r = open_reader(b, written[t], NULL);
			expect_events(r, 1000, 0, 0, (int64_t)turns[t] * EACH);
			bus_reader_close(r);
			assert_true(turns[t] >= *acknowledged);
			assert_true(turns[t] <= *acknowledged + 1);
		}
		/* The second topic is written after the first: it may lack the last turn, which is
		 * then sent again. */
		assert_true(turns[1] <= turns[0] && turns[1] >= turns[0] - 1);
		base = turns[0];
		if (turns[1] < turns[0]) {
			publish(b, written[1], (int64_t)turns[1] * EACH, (int64_t)turns[0] * EACH);
			flush(b);
		}
		*acknowledged = base;
		bus_close(b);
		if (WEXITSTATUS(status) == 7)
			break;
		assert_int_equal(WEXITSTATUS(status), 0);
		cuts++;
	}
	assert_true(cuts > 10);
	assert_true(*lost > cuts / 2);
	munmap(shared, 4096);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_full_disk_may_pass),
		T(a_failed_write_stops),
		T(a_failed_sync_stops),
		T(a_failed_open_stops),
		T(a_failed_read_stops),
		T(a_disk_that_stays_full_is_waited_for),
		T(a_full_queue_on_a_full_disk_takes_no_more),
		T(a_position_is_old_or_new),
		T(init_and_backup_are_whole_or_nothing),
		T(a_power_cut_loses_nothing_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
