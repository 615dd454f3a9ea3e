/* The store over a disk that fails at its n-th operation, for every n: a transaction is there whole
 * or not at all, the class tells whether going on is allowed, and a second try works. With a small
 * WAL, so that copying it back fails too. */
#include "store/store.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 4, ROW_BYTES = 6000, COMMITS = 3 };

static const char *const steps[] = {
	"CREATE TABLE item(id INTEGER PRIMARY KEY, turn INTEGER, body BLOB)"};
static const struct store_kind kind = {"shop", 0x1234, steps, 1};
static struct tmpdir tmp;
static char path[320];

static int set_up(void **state)
{
	(void)state;
	fault_vfs_install(false);
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, path, "shop.db");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_vfs_disarm();
	tmpdir_remove(&tmp);
	return 0;
}

static int open_shop(struct store **s, int flags, const char *vfs, struct err *e)
{
	struct store_options o = {.flags = flags, .wal_kib = 64, .cache_kib = 16, .vfs = vfs};

	return store_open(s, path, &kind, &o, e);
}

/* One transaction of a few rows. The commit may say no although all is there (the copying back
 * failed). */
static int add_turn(struct store *s, int turn, struct err *e)
{
	static const char body[ROW_BYTES] = "body";
	struct stmt *put;

	if (store_prepare(s, &put, "INSERT INTO item(turn, body) VALUES(?1, ?2)", e) < 0 ||
	    store_begin(s, e) < 0)
		return -1;
	for (int i = 0; i < EACH; i++) {
		stmt_int(put, 1, turn);
		stmt_blob(put, 2, body, sizeof body);
		if (stmt_run(put, e) < 0) {
			store_rollback(s);
			return -1;
		}
	}
	return store_commit(s, e);
}

static int64_t count_of(int turn)
{
	struct err e = {0};
	struct store *s;
	struct stmt *st;
	int64_t n;

	if (open_shop(&s, STORE_READONLY, NULL, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(
		store_prepare(
			s, &st,
			"SELECT count(*), (SELECT integrity_check FROM pragma_integrity_check)"
			" FROM item WHERE turn = ?1",
			&e),
		0);
	stmt_int(st, 1, turn);
	assert_int_equal(stmt_step(st, &e), 1);
	n = stmt_get_int(st, 0);
	assert_true(str_is(stmt_get_text(st, 1), "ok"));
	store_close(s);
	return n;
}

static void new_shop(void)
{
	char wal[330];
	struct err e = {0};
	struct store *s;

	unlink(path);
	snprintf(wal, sizeof wal, "%s-wal", path);
	unlink(wal);
	if (open_shop(&s, STORE_CREATE, NULL, &e) < 0)
		fail_msg("%s", e.text);
	store_close(s);
}

/* A few transactions; gives in *done how many the store acknowledged. */
static int run(int turn, const char *vfs, int *done, struct err *e)
{
	struct store *s;
	int rc = 0;

	*done = 0;
	if (open_shop(&s, 0, vfs, e) < 0)
		return -1;
	for (int i = 0; rc == 0 && i < COMMITS; i++) {
		rc = add_turn(s, turn + i, e);
		*done += rc == 0;
	}
	if (rc < 0 && e->class == ERR_SAFE) {
		struct err again = {0};

		/* From now on it refuses, whatever is asked. */
		assert_int_equal(store_begin(s, &again), -1);
		assert_int_equal(again.class, ERR_SAFE);
	} else if (rc < 0) {
		/* What may pass, passes: the same handle goes on. */
		fault_vfs_disarm();
		for (; *done < COMMITS; ++*done)
			if (add_turn(s, turn + *done, e) < 0)
				fail_msg("%s", e->text);
		rc = 0;
	}
	store_close(s);
	return rc;
}

static void every_operation_fails_once(unsigned ops, enum fault_kind fault, enum err_class class)
{
	struct err e = {0};
	int fired = 0, stopped = 0;

	for (int n = 1;; n++) {
		int turn = COMMITS, done, rc;

		new_shop();
		fault_vfs_arm(ops, n, fault);
		e.class = ERR_NONE;
		rc = run(turn, FAULT_VFS, &done, &e);
		fault_vfs_disarm();
		fired += fault_vfs_fired();
		stopped += rc < 0;
		assert_true(e.class == ERR_NONE || e.class == class);
		assert_int_equal(rc < 0, rc < 0 && class == ERR_SAFE);
		for (int i = 0; i < COMMITS; i++) {
			int64_t there = count_of(turn + i);

			if (i < done)
				assert_int_equal(there, EACH);
			else if (i == done)
				assert_true(there == 0 || there == EACH);
			else
				assert_int_equal(there, 0);
		}
		if (fault_vfs_fired() == 0)
			break;
		assert_int_equal(run(-turn, NULL, &done, &e), 0);
	}
	assert_true(fired > 0);
	if (class == ERR_SAFE)
		assert_true(stopped > 0);
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

/* The sync of the database itself comes with the copying back: SQLite alone would keep that failure
 * to itself. */
static void a_failed_copying_back_stops(void **state)
{
	int syncs[2] = {0}, done;
	struct err e = {0};

	(void)state;
	new_shop();
	fault_vfs_arm(FAULT_SYNC, INT64_MAX, FAULT_IO);
	assert_int_equal(run(1, FAULT_VFS, &done, &e), 0);
	syncs[0] = (int)fault_vfs_seen();
	assert_true(syncs[0] > COMMITS); /* more than one each: some copied back */
	for (int n = 1; n <= syncs[0]; n++) {
		new_shop();
		fault_vfs_arm(FAULT_SYNC, n, FAULT_IO);
		syncs[1] += run(n * 100, FAULT_VFS, &done, &e) < 0;
		assert_int_equal(fault_vfs_fired(), 1);
		fault_vfs_disarm();
		assert_int_equal(run(-n * 100, NULL, &done, &e), 0);
	}
	/* All but those of the close, which nobody can be told of and after which the WAL stays. */
	assert_true(syncs[1] >= syncs[0] - 3);
}

static void a_failed_read_stops(void **state)
{
	(void)state;
	every_operation_fails_once(FAULT_READ, FAULT_IO, ERR_SAFE);
}

static void a_failed_open_stops(void **state)
{
	(void)state;
	every_operation_fails_once(FAULT_OPEN, FAULT_IO, ERR_SAFE);
}

static void a_failed_backup_leaves_nothing(void **state)
{
	char copy[320];
	struct err e = {0};
	struct store *s;
	int done, fired = 0;

	(void)state;
	new_shop();
	assert_int_equal(run(1, NULL, &done, &e), 0);
	tmpdir_file(&tmp, copy, "copy.db");
	for (int n = 1;; n++) {
		int rc;

		assert_int_equal(open_shop(&s, STORE_READONLY, FAULT_VFS, &e), 0);
		fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, n, n % 2 ? FAULT_DISK_FULL : FAULT_IO);
		rc = store_backup(s, copy, &e);
		fault_vfs_disarm();
		fired += fault_vfs_fired();
		if (fault_vfs_fired()) {
			assert_int_equal(rc, -1);
			assert_int_equal(e.class, n % 2 ? ERR_TEMP : ERR_SAFE);
			assert_false(fs_exists(copy));
		}
		store_close(s);
		if (fault_vfs_fired() == 0) {
			assert_int_equal(rc, 0);
			break;
		}
	}
	assert_true(fired > 10);
	assert_true(fs_exists(copy));
}

/* At the n-th write or sync the power goes: what was acknowledged is there, and nothing by
 * halves. */
static void a_power_cut_loses_nothing_acknowledged(void **state)
{
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int *lost = &shared[0], *acknowledged = &shared[1], cuts = 0, status;
	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	for (int n = 1;; n++) {
		int turn = n * COMMITS;
		pid_t pid;

		new_shop();
		*acknowledged = 0;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct err e = {0};
			struct store *s;

			fault_vfs_remember(lost);
			fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, n, FAULT_POWER_CUT);
			if (open_shop(&s, 0, FAULT_VFS, &e) < 0)
				_exit(1);
			for (int i = 0; i < COMMITS; i++, ++*acknowledged)
				if (add_turn(s, turn + i, &e) < 0)
					_exit(1);
			_exit(7);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		for (int i = 0; i < COMMITS; i++) {
			int64_t there = count_of(turn + i);

			assert_true(there == EACH || (there == 0 && i >= *acknowledged));
		}
		if (WEXITSTATUS(status) == 7)
			break;
		assert_int_equal(WEXITSTATUS(status), 0);
		cuts++;
	}
	assert_true(cuts > 20);
	assert_true(*lost > cuts);
	munmap(shared, 4096);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_full_disk_may_pass),
		T(a_failed_write_stops),
		T(a_failed_sync_stops),
		T(a_failed_copying_back_stops),
		T(a_failed_read_stops),
		T(a_failed_open_stops),
		T(a_failed_backup_leaves_nothing),
		T(a_power_cut_loses_nothing_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
