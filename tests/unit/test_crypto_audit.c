/* WRAP: write fdatasync */
/* The audit of identities: what a record looks like, that no change goes unseen, and that what a kill or a full disk leaves is
 * mended by a line that says so. */
#include "base/date.h"
#include "crypto/audit.h"
#include "tests/lib/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 6, FILE_MAX = 1 << 20, TURNS = 60 };

static struct tmpdir dir;
static char clock_file[320], log_file[320];
static struct clock now;

/* The next write puts that much on the disk and then fails; -1 = as it should. */
static struct {
	ssize_t room;
	bool no_sync;
} fault = {-1, false};
static int syncs;
static int unlocked; /* writes and syncs while somebody else could have had the lock */
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static void look_at_lock(void)
{
	char path[320];
	int fd = open(tmpdir_file(&dir, path, "audit/.trace.lock"), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	unlocked += flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	ssize_t room = fault.room;

	look_at_lock();
	if (room < 0 || (size_t)room >= n)
		return __real_write(fd, p, n);
	fault.room = -1;
	if (room == 0) {
		errno = ENOSPC;
		return -1;
	}
	return __real_write(fd, p, (size_t)room);
}

int __wrap_fdatasync(int fd)
{
	look_at_lock();
	syncs++;
	if (!fault.no_sync)
		return __real_fdatasync(fd);
	fault.no_sync = false;
	errno = EIO;
	return -1;
}

static void set_day(const char *day)
{
	struct err e = {0};
	int days;

	assert_int_equal(date_parse(str_of(day), &days), 0);
	assert_int_equal(clock_file_write(clock_file, time_of_date(days) + 9 * 3600000, &e), 0);
	assert_int_equal(clock_init(&now, clock_file, &e), 0);
}

static struct audit *opened(const char *role)
{
	struct err e = {0};
	struct audit *a;

	if (audit_open(&a, dir.path, role, &now, &e) < 0)
		fail_msg("%s", e.text);
	return a;
}

static void write_one(const char *role, const char *batch, int64_t count)
{
	struct audit *a = opened(role);
	struct err e = {0};

	if (audit_write(a, "batch_to_tax", batch, count, &e) < 0)
		fail_msg("%s", e.text);
	audit_close(a);
}

/* ---- what a reader finds ---- */

static struct found {
	int records, torn_lines, faults, chains;
	int64_t persons;
	char file[80]; /* of the first fault */
	int line, last_line;
	enum audit_fault why;
	struct audit_chain chain; /* the last one */
	char role[40];		  /* its own */
} found;

static int find_record(void *arg, const struct audit_record *r)
{
	(void)arg;
	found.records++;
	found.torn_lines += str_is(r->purpose, AUDIT_TORN);
	found.persons += r->count;
	return 0;
}

static void find_fault(void *arg, const char *file, int line, enum audit_fault why)
{
	(void)arg;
	if (found.faults++ == 0) {
		str_copy(found.file, sizeof found.file, str_of(file));
		found.line = line;
		found.why = why;
	}
	found.last_line = line;
}

static void find_chain(void *arg, const struct audit_chain *c)
{
	(void)arg;
	found.chains++;
	found.chain = *c;
	str_copy(found.role, sizeof found.role, str_of(c->role));
}

static void look(const char *role)
{
	static const struct audit_visitor v = {find_record, find_fault, find_chain, NULL};
	struct err e = {0};

	memset(&found, 0, sizeof found);
	if (audit_read(dir.path, role, &v, &e) < 0)
		fail_msg("%s", e.text);
}

static void whole(int records, int torn_lines)
{
	look(NULL);
	if (found.faults)
		fail_msg("%s:%d", found.file, found.line);
	assert_int_equal(found.records, records);
	assert_int_equal(found.torn_lines, torn_lines);
	assert_false(found.chain.torn);
}

static void file_get(const char *path, struct buf *b)
{
	struct err e = {0};

	buf_init(b, FILE_MAX);
	if (fs_read(path, b, &e) < 0)
		fail_msg("%s", e.text);
}

static void file_put(const char *path, const void *p, size_t n)
{
	struct err e = {0};

	assert_int_equal(fs_write_atomic(path, p, n, 0600, &e), 0);
}

static void write_six(void)
{
	for (int i = 1; i <= RECORDS; i++)
		write_one("tax", i % 2 ? "a1" : "payments/0:12", i);
}

/* ---- */

static void one_line_a_record(void **state)
{
	struct audit_record r;
	struct stat st;
	struct buf b;

	(void)state;
	write_one("tax", "payments/0:12", 7);
	write_one("ssa", "b2", 2);
	write_one("tax", "c3", 1);
	assert_int_equal(stat(log_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	file_get(log_file, &b);
	assert_int_equal(b.data[b.len - 1], '\n');
	assert_int_equal(audit_parse((struct str){(char *)b.data, (size_t)((char *)memchr(b.data, '\n', b.len) - (char *)b.data)}, &r), 0);
	assert_true(str_is(r.role, "tax") && str_is(r.purpose, "batch_to_tax") && str_is(r.batch, "payments/0:12"));
	assert_int_equal(r.count, 7);
	assert_true(r.user.n > 0);
	assert_int_equal(date_of_time(r.time_ms), date_of_time(clock_now(&now)));
	buf_fini(&b);
	whole(3, 0);
	assert_int_equal(found.chains, 2);
	assert_int_equal(found.persons, 10);
	assert_true(found.chain.from_beginning);
	look("ssa");
	assert_int_equal(found.records, 1);
	assert_string_equal(found.role, "ssa");
}

static void a_month_continues_the_one_before(void **state)
{
	char path[320];

	(void)state;
	write_one("tax", "a1", 1);
	set_day("2027-01-04");
	write_one("tax", "a2", 2);
	assert_true(fs_exists(tmpdir_file(&dir, path, "audit/tax-2027-01.log")));
	set_day("2026-12-30"); /* a clock set back writes behind what is there */
	write_one("tax", "a3", 3);
	whole(3, 0);
	set_day("2027-02-01");
	write_one("tax", "a4", 4);
	whole(4, 0);
	/* The oldest put away is no break; one in the middle gone is. */
	assert_int_equal(rename(log_file, tmpdir_file(&dir, path, "away")), 0);
	whole(3, 0);
	assert_false(found.chain.from_beginning);
	assert_int_equal(rename(path, log_file), 0);
	assert_int_equal(unlink(tmpdir_file(&dir, path, "audit/tax-2027-01.log")), 0);
	look(NULL);
	assert_int_equal(found.faults, 1);
	assert_string_equal(found.file, "tax-2027-02.log");
	assert_int_equal(found.line, 1);
}

/* The last line is vouched for by no other: see the header. */
static void every_changed_byte_shows(void **state)
{
	struct buf b;
	int line = 1;

	(void)state;
	write_six();
	file_get(log_file, &b);
	for (size_t i = 0; line < RECORDS; i++) {
		int here = line;

		line += b.data[i] == '\n';
		b.data[i] ^= 1;
		file_put(log_file, b.data, b.len);
		look(NULL);
		if (found.faults < 1 || found.line < here || found.last_line > here + 1)
			fail_msg("byte %zu of line %d: %d faults, line %d to %d", i, here, found.faults, found.line,
				 found.last_line);
		assert_string_equal(found.file, "tax-2026-12.log");
		b.data[i] ^= 1;
	}
	file_put(log_file, b.data, b.len);
	whole(RECORDS, 0);
	buf_fini(&b);
}

static void lines_taken_out_put_in_or_moved_show(void **state)
{
	const char *at[RECORDS + 1];
	struct buf b, other;

	(void)state;
	write_six();
	file_get(log_file, &b);
	at[0] = (const char *)b.data;
	for (int i = 0; i < RECORDS; i++)
		at[i + 1] = strchr(at[i], '\n') + 1;
	buf_init(&other, FILE_MAX);
	for (int i = 1; i < RECORDS - 1; i++) { /* without line i + 1, then with it twice */
		buf_reset(&other);
		buf_put(&other, at[0], (size_t)(at[i] - at[0]));
		buf_put(&other, at[i + 1], (size_t)(at[RECORDS] - at[i + 1]));
		file_put(log_file, other.data, other.len);
		look(NULL);
		assert_int_equal(found.faults, 1);
		assert_int_equal(found.line, i + 1);
		assert_int_equal(found.why, AUDIT_CHANGED);
		buf_reset(&other);
		buf_put(&other, at[0], (size_t)(at[i + 1] - at[0]));
		buf_put(&other, at[i], (size_t)(at[RECORDS] - at[i]));
		file_put(log_file, other.data, other.len);
		look(NULL);
		assert_true(found.faults > 0 && found.line == i + 2);
	}
	/* A line nobody wrote, and one that says a torn line was there. */
	buf_reset(&other);
	buf_put(&other, at[0], (size_t)(at[2] - at[0]));
	buf_put_str(&other, "a note\n");
	buf_put(&other, at[2], (size_t)(at[RECORDS] - at[2]));
	file_put(log_file, other.data, other.len);
	look(NULL);
	assert_int_equal(found.why, AUDIT_UNREADABLE);
	assert_int_equal(found.line, 3);
	buf_fini(&b);
	buf_fini(&other);
}

static void a_torn_line_is_mended_by_the_next(void **state)
{
	struct buf b;
	size_t last;

	(void)state;
	write_six();
	file_get(log_file, &b);
	last = (size_t)((char *)memrchr(b.data, '\n', b.len - 1) - (char *)b.data) + 1;
	for (size_t n = last + 1; n < b.len; n++) {
		file_put(log_file, b.data, n);
		look(NULL);
		assert_int_equal(found.faults, 0);
		/* Cut between two digits of the count, or just before its end, it still looks like one. */
		assert_true(found.chain.torn || n >= b.len - 1);
		write_one("tax", "a7", 7);
		whole(n < b.len - 1 ? RECORDS + 1 : RECORDS + 2, 1);
		write_one("tax", "a8", 8);
		whole(n < b.len - 1 ? RECORDS + 2 : RECORDS + 3, 1);
	}
	/* Also over the end of a month, and as the very first line. */
	file_put(log_file, b.data, b.len - 20);
	set_day("2027-01-04");
	write_one("tax", "a7", 7);
	whole(RECORDS + 1, 1);
	assert_int_equal(unlink(log_file), 0);
	tmpdir_remove(&dir);
	assert_int_equal(mkdir(dir.path, 0700), 0);
	set_day("2026-12-24");
	write_one("tax", "a1", 1);
	file_put(log_file, b.data, 30);
	write_one("tax", "a2", 2);
	whole(2, 1);
	buf_fini(&b);
}

static void a_fragment_that_nobody_mended_shows(void **state)
{
	struct buf b, other;
	char *third, *fourth;

	(void)state;
	write_six();
	file_get(log_file, &b);
	third = strchr(strchr((char *)b.data, '\n') + 1, '\n') + 1;
	fourth = strchr(third, '\n') + 1;
	buf_init(&other, FILE_MAX);
	buf_put(&other, b.data, (size_t)(third + 80 - (char *)b.data));
	buf_put_str(&other, "\n");
	buf_put(&other, fourth, b.len - (size_t)(fourth - (char *)b.data));
	file_put(log_file, other.data, other.len);
	look(NULL);
	assert_int_equal(found.faults, 1);
	assert_int_equal(found.line, 3);
	assert_int_equal(found.why, AUDIT_UNREADABLE);
	buf_fini(&b);
	buf_fini(&other);
}

/* What cannot be recorded is an error, and later goes through; whatever was left of it. */
static void a_full_disk_is_told_and_mended(void **state)
{
	struct audit *a = opened("tax");
	struct err e = {0};
	int records = 0, torn;

	(void)state;
	for (ssize_t room = 0; room < 260; room += 3) { /* of the second try, which mends the first */
		torn = 0;
		fault.room = room % 120;
		assert_int_equal(audit_write(a, "batch_to_tax", "a1", 1, &e), -1);
		assert_int_equal(e.class, ERR_TEMP);
		torn += room % 120 > 0;
		fault.room = room;
		if (audit_write(a, "batch_to_tax", "a1", 1, &e) < 0)
			assert_int_equal(e.class, ERR_TEMP);
		fault.room = -1;
		assert_int_equal(audit_write(a, "batch_to_tax", "a1", 1, &e), 0);
		look(NULL);
		if (found.faults || found.chain.torn)
			fail_msg("room %zd: %d faults, line %d", room, found.faults, found.line);
		assert_true(found.records > records && found.torn_lines >= torn);
		records = found.records;
	}
	fault.no_sync = true;
	assert_int_equal(audit_write(a, "batch_to_tax", "a1", 1, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	assert_int_equal(audit_write(a, "batch_to_tax", "a1", 1, &e), 0);
	look(NULL);
	assert_int_equal(found.faults, 0);
	audit_close(a);
}

/* What stays in the process waits for the next hand-over's sync, over the end of a month too. */
static void a_note_is_synced_with_what_follows(void **state)
{
	struct audit *a = opened("tax");
	struct err e = {0};

	(void)state;
	fault.no_sync = true;
	assert_int_equal(audit_note(a, "payments_opened", "payments/0:1", 3, &e), 0);
	assert_int_equal(audit_write(a, "batch_to_tax", "a1", 3, &e), -1);
	syncs = 0;
	assert_int_equal(audit_note(a, "payments_opened", "payments/0:4", 3, &e), 0);
	assert_int_equal(syncs, 0);
	assert_int_equal(audit_write(a, "batch_to_tax", "a2", 3, &e), 0);
	assert_int_equal(syncs, 1);
	assert_int_equal(audit_note(a, "payments_opened", "payments/0:7", 3, &e), 0);
	set_day("2027-01-04");
	assert_int_equal(audit_write(a, "batch_to_tax", "a3", 3, &e), 0);
	assert_int_equal(syncs, 3);
	audit_close(a);
	whole(6, 0);
}

static void programs_of_one_role_take_turns(void **state)
{
	pid_t child[2];
	int status;

	(void)state;
	for (int i = 0; i < 2; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0) {
			struct audit *a = opened("trace");
			struct err e = {0};
			int rc = 0;

			for (int n = 0; n < TURNS; n++)
				rc |= audit_write(a, "number_looked_up", "stdin", 1, &e);
			_exit(rc || unlocked ? 1 : 0);
		}
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	whole(2 * TURNS, 0);
}

static void says_when_nothing_can_be_written(void **state)
{
	struct err e = {0};
	struct audit *a;
	char path[320];

	(void)state;
	look(NULL);
	assert_int_equal(found.chains, 0);
	file_put(tmpdir_file(&dir, path, "audit"), "x", 1);
	assert_int_equal(audit_open(&a, dir.path, "tax", &now, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(unlink(path), 0);
	a = opened("tax");
	/* A link under its name is not followed. */
	assert_int_equal(symlink("/dev/null", log_file), 0);
	assert_int_equal(audit_write(a, "batch_to_tax", "a1", 1, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	assert_int_equal(unlink(log_file), 0);
	assert_int_equal(audit_write(a, "batch_to_tax", "a1", 1, &e), 0);
	audit_close(a);
	whole(1, 0);
}

static void names_of_files(void **state)
{
	(void)state;
	assert_int_equal(audit_month("tax-2026-12.log", "tax"), 202612);
	assert_int_equal(audit_month("tax-2026-12.log", NULL), 202612);
	assert_int_equal(audit_month("tax-2026-12.log", "ta"), -1);
	assert_int_equal(audit_month("tax-2026-13.log", "tax"), -1);
	assert_int_equal(audit_month("tax-2026-1.log", "tax"), -1);
	assert_int_equal(audit_month("-2026-12.log", NULL), -1);
	assert_int_equal(audit_month(".tax.lock", NULL), -1);
	assert_int_equal(audit_month("tax-2026-12.log.gz", "tax"), -1);
}

static int start(void **state)
{
	(void)state;
	tmpdir_make(&dir);
	tmpdir_file(&dir, clock_file, "clock");
	tmpdir_file(&dir, log_file, "audit/tax-2026-12.log");
	set_day("2026-12-24");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	tmpdir_remove(&dir);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_line_a_record),
		TEST(a_month_continues_the_one_before),
		TEST(every_changed_byte_shows),
		TEST(lines_taken_out_put_in_or_moved_show),
		TEST(a_torn_line_is_mended_by_the_next),
		TEST(a_fragment_that_nobody_mended_shows),
		TEST(a_full_disk_is_told_and_mended),
		TEST(a_note_is_synced_with_what_follows),
		TEST(programs_of_one_role_take_turns),
		TEST(says_when_nothing_can_be_written),
		TEST(names_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
