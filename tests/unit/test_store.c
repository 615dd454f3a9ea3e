#include "store/store.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const steps[] = {
	"CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, body BLOB); CREATE INDEX by_name ON "
	"item(name)",
	"ALTER TABLE item ADD COLUMN price INTEGER; CREATE TABLE more(x INTEGER UNIQUE)",
};
static const struct store_kind first_kind = {"shop", 0x1234, steps, 1};
static const struct store_kind kind = {"shop", 0x1234, steps, 2};
static const struct store_kind stranger = {"barn", 0x4321, steps, 2};

static struct tmpdir tmp;
static char path[320];

static int set_up(void **state)
{
	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, path, "shop.db");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&tmp);
	return 0;
}

/* First in a forked child: a failed check ends it, and so does waiting for what does not come. */
static void begin_child(void)
{
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	alarm(60);
}

static struct store *open_as(const struct store_kind *k, int flags)
{
	struct store_options o = {.flags = flags, .busy_ms = 50};
	struct err e = {0};
	struct store *s;

	if (store_open(&s, path, k, &o, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static void refuse(const struct store_kind *k, int flags, enum err_class class, const char *why)
{
	struct store_options o = {.flags = flags, .busy_ms = 50};
	struct err e = {0};
	struct store *s;

	assert_int_equal(store_open(&s, path, k, &o, &e), -1);
	assert_null(s);
	assert_int_equal(e.class, class);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, e.text);
}

static void exec(struct store *s, const char *sql)
{
	struct err e = {0};

	if (store_exec(s, sql, &e) < 0)
		fail_msg("%s", e.text);
}

static struct stmt *prepare(struct store *s, const char *sql)
{
	struct err e = {0};
	struct stmt *st;

	if (store_prepare(s, &st, sql, &e) < 0)
		fail_msg("%s", e.text);
	return st;
}

static int64_t number(struct store *s, const char *sql)
{
	struct stmt *st = prepare(s, sql);
	struct err e = {0};
	int64_t v;

	assert_int_equal(stmt_step(st, &e), 1);
	v = stmt_get_int(st, 0);
	stmt_reset(st);
	return v;
}

static void makes_a_file_for_its_owner_only(void **state)
{
	mode_t before = umask(0);
	struct store *s = open_as(&kind, STORE_CREATE);
	char wal[330];
	struct stat st;

	(void)state;
	umask(before);
	exec(s, "INSERT INTO item(name, price) VALUES('tea', 5)");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(wal, sizeof wal, "%s-wal", path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(number(s, "PRAGMA application_id"), 0x1234);
	assert_int_equal(number(s, "PRAGMA user_version"), 2);
	assert_int_equal(number(s, "PRAGMA synchronous"), 2);
	store_close(s);
}

static void migrates_an_older_file_and_keeps_what_is_in_it(void **state)
{
	struct store *s = open_as(&first_kind, STORE_CREATE);

	(void)state;
	exec(s, "INSERT INTO item(name) VALUES('tea')");
	store_close(s);
	refuse(&kind, STORE_READONLY, ERR_CONF, "version 1 is old");
	s = open_as(&kind, 0);
	assert_int_equal(
		number(s, "SELECT count(*) FROM item WHERE name = 'tea' AND price IS NULL"), 1);
	assert_int_equal(number(s, "PRAGMA user_version"), 2);
	store_close(s);
	refuse(&first_kind, 0, ERR_CONF, "newer");
	refuse(&first_kind, STORE_READONLY, ERR_CONF, "newer");
}

static void a_step_that_fails_leaves_the_version_before_it(void **state)
{
	static const char *const bad_steps[] = {
		"CREATE TABLE item(id INTEGER PRIMARY KEY)",
		"CREATE TABLE half(x); INSERT INTO nowhere VALUES(1)",
	};
	static const struct store_kind bad = {"shop", 0x1234, bad_steps, 2};
	static const struct store_kind good = {"shop", 0x1234, bad_steps, 1};
	struct store *s;

	(void)state;
	refuse(&bad, STORE_CREATE, ERR_SAFE, "nowhere");
	s = open_as(&good, 0);
	assert_int_equal(number(s, "SELECT count(*) FROM sqlite_master WHERE name = 'half'"), 0);
	store_close(s);
}

static void refuses_what_is_not_there_or_not_its_own(void **state)
{
	static const char junk[] =
		"this is a letter and not a database, however long one looks at it";
	struct err e = {0};
	struct store *s;

	(void)state;
	refuse(&kind, 0, ERR_CONF, "No such file");
	refuse(&kind, STORE_READONLY, ERR_CONF, "No such file");
	assert_false(fs_exists(path));
	s = open_as(&kind, STORE_CREATE);
	store_close(s);
	refuse(&stranger, STORE_CREATE, ERR_CONF, "another kind of file");
	refuse(&stranger, STORE_READONLY, ERR_CONF, "another kind of file");
	assert_int_equal(fs_write_atomic(path, junk, sizeof junk, 0600, &e), 0);
	refuse(&kind, STORE_CREATE, ERR_CONF, "not a database");
	assert_int_equal(fs_write_atomic(path, "", 0, 0600, &e), 0);
	refuse(&kind, 0, ERR_CONF, "another kind of file");
}

static void gives_back_what_was_bound(void **state)
{
	struct store *s = open_as(&kind, STORE_CREATE);
	struct stmt *put = prepare(s, "INSERT INTO item VALUES(?1, ?2, ?3, ?4)");
	struct stmt *get = prepare(s, "SELECT id, name, body, price FROM item ORDER BY id");
	struct err e = {0};
	struct str got;

	(void)state;
	stmt_int(put, 1, INT64_MAX);
	stmt_text(put, 2, (struct str){"a\0b", 3});
	stmt_blob(put, 3, "\xff\0", 2);
	stmt_null(put, 4);
	assert_int_equal(stmt_run(put, &e), 0);
	assert_int_equal(store_last_rowid(s), INT64_MAX);
	assert_int_equal(store_changes(s), 1);
	stmt_int(put, 1, -1);
	stmt_text(put, 2, (struct str){0});
	stmt_blob(put, 3, "", 0);
	assert_int_equal(stmt_run(put, &e), 0); /* what is not bound anew is NULL */

	assert_int_equal(stmt_step(get, &e), 1);
	assert_int_equal(stmt_get_int(get, 0), -1);
	assert_true(stmt_is_null(get, 1));
	assert_null(stmt_get_text(get, 1).p);
	got = stmt_get_blob(get, 2);
	assert_non_null(got.p);
	assert_int_equal(got.n, 0);
	assert_int_equal(stmt_step(get, &e), 1);
	assert_int_equal(stmt_get_int(get, 0), INT64_MAX);
	got = stmt_get_text(get, 1);
	assert_int_equal(got.n, 3);
	assert_memory_equal(got.p, "a\0b", 3);
	got = stmt_get_blob(get, 2);
	assert_int_equal(got.n, 2);
	assert_memory_equal(got.p, "\xff\0", 2);
	assert_true(stmt_is_null(get, 3));
	assert_int_equal(stmt_step(get, &e), 0);
	assert_int_equal(stmt_step(get, &e), 1); /* done means reset */
	store_close(s);
}

static void tells_what_may_pass_from_what_never_will(void **state)
{
	struct store *s = open_as(&kind, STORE_CREATE), *other = open_as(&kind, 0);
	struct stmt *put = prepare(s, "INSERT INTO more VALUES(?1)");
	struct err e = {0};

	(void)state;
	stmt_int(put, 1, 7);
	assert_int_equal(stmt_run(put, &e), 0);
	stmt_int(put, 1, 7);
	assert_int_equal(stmt_run(put, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_non_null(strstr(e.text, "UNIQUE"));

	assert_int_equal(store_begin(other, &e), 0);
	assert_int_equal(store_begin(s, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	store_rollback(other);
	assert_int_equal(store_begin(s, &e), 0);
	store_rollback(s);
	store_rollback(s);
	store_close(s);
	store_close(other);
	store_close(NULL);
}

static void refuses_all_after_a_failure_that_is_not_understood(void **state)
{
	struct store *s = open_as(&kind, STORE_CREATE);
	struct stmt *put = prepare(s, "INSERT INTO more VALUES(?1)");
	struct err e = {0};

	(void)state;
	stmt_int(put, 9, 1); /* there is no parameter 9 */
	assert_int_equal(stmt_run(put, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	e.class = ERR_NONE;
	assert_int_equal(store_begin(s, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_int_equal(store_exec(s, "INSERT INTO more VALUES(1)", &e), -1);
	assert_int_equal(store_prepare(s, &put, "SELECT 1", &e), -1);
	store_close(s);
}

static void a_reader_sees_commits_and_nothing_else(void **state)
{
	struct store *s = open_as(&kind, STORE_CREATE), *reader = open_as(&kind, STORE_READONLY);
	int64_t version = store_data_version(reader);
	struct err e = {0};

	(void)state;
	assert_int_equal(store_begin(s, &e), 0);
	exec(s, "INSERT INTO more VALUES(1)");
	assert_int_equal(number(reader, "SELECT count(*) FROM more"), 0);
	assert_int_equal(store_data_version(reader), version);
	assert_int_equal(store_commit(s, &e), 0);
	assert_int_not_equal(store_data_version(reader), version);
	assert_int_equal(number(reader, "SELECT count(*) FROM more"), 1);
	assert_int_equal(store_exec(reader, "INSERT INTO more VALUES(2)", &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	store_close(reader);
	store_close(s);
}

/* The other program writes without pause while the copy is made; in each commit two rows, so that a
 * copy of half a commit would show. */
static void copies_one_moment_while_another_writes(void **state)
{
	struct store *s = open_as(&kind, STORE_CREATE);
	char copy[320], go[320];
	struct err e = {0};
	int status;
	pid_t pid;

	(void)state;
	tmpdir_file(&tmp, copy, "copy.db");
	tmpdir_file(&tmp, go, "go");
	store_close(s);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		begin_child();
		s = open_as(&kind, 0);
		for (int i = 0; !fs_exists(go); i++)
			if (store_begin(s, &e) < 0 ||
			    store_exec(s,
				       "INSERT INTO item(name) VALUES('a'); INSERT INTO item(name) "
				       "VALUES('b')",
				       &e) < 0 ||
			    store_commit(s, &e) < 0)
				_exit(1);
		_exit(0);
	}
	s = open_as(&kind, STORE_READONLY);
	while (number(s, "SELECT count(*) FROM item") < 20)
		;
	if (store_backup(s, copy, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(store_backup(s, copy, &e), -1); /* never over another file */
	assert_int_equal(fs_write_atomic(go, "", 0, 0600, &e), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
	snprintf(path, sizeof path, "%s", copy);
	s = open_as(&kind, 0);
	assert_true(number(s, "SELECT count(*) FROM item") >= 20);
	assert_int_equal(number(s, "SELECT count(*) % 2 FROM item"), 0);
	assert_int_equal(
		number(s,
		       "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
		1);
	store_close(s);
}

/* A reader that looks all the time must not keep the WAL from starting over. */
static void the_wal_stays_bounded_while_a_reader_reads(void **state)
{
	struct store_options o = {.flags = STORE_CREATE, .wal_kib = 256, .busy_ms = 10000};
	char wal[330], stop[320];
	struct err e = {0};
	struct store *s;
	off_t most = 0;
	int status;
	pid_t pid;

	(void)state;
	tmpdir_file(&tmp, stop, "stop");
	assert_int_equal(store_open(&s, path, &kind, &o, &e), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *reader;
		struct stmt *sum;

		begin_child();
		reader = open_as(&kind, STORE_READONLY);
		sum = prepare(reader, "SELECT sum(length(body)) FROM item");
		while (!fs_exists(stop)) {
			if (stmt_step(sum, &e) != 1)
				_exit(1);
			stmt_reset(sum);
		}
		_exit(0);
	}
	snprintf(wal, sizeof wal, "%s-wal", path);
	for (int i = 0; i < 400; i++) {
		struct stat st;

		exec(s, "INSERT INTO item(body) VALUES(zeroblob(60000))");
		if (stat(wal, &st) == 0 && st.st_size > most)
			most = st.st_size;
	}
	assert_int_equal(fs_write_atomic(stop, "", 0, 0600, &e), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
	assert_true(most > 0);
	/* Of 24 MiB written. How far below depends on how long the reader holds on, and that on the machine. */
	assert_true(most < 12 << 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_a_file_for_its_owner_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(migrates_an_older_file_and_keeps_what_is_in_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_step_that_fails_leaves_the_version_before_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_is_not_there_or_not_its_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(gives_back_what_was_bound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_what_may_pass_from_what_never_will, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(refuses_all_after_a_failure_that_is_not_understood,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_reader_sees_commits_and_nothing_else, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copies_one_moment_while_another_writes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_wal_stays_bounded_while_a_reader_reads, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
