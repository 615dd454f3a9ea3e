/* WRAP: write fsync rename open close read */
/* fs_write_durable, whose n-th call of the system fails, for every n: the class is right, nothing
 * is left behind, what was there before is whole, and a second try works. One row a kind of fault;
 * the loop finds out how many calls there are by going on until the fault no longer fires. */
#include "base/fs.h"
#include "tests/lib/unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum call { WRITE, FSYNC, RENAME, OPEN, CLOSE, READ };
/* HALF: half of it is written; THEN_FULL: the same, and the next one fails. */
enum how { FAIL, HALF, THEN_FULL };

/* The fault that is set, and whether it fired. at: the n-th call from now on, 0 = none. */
static struct {
	enum call call;
	enum how how;
	int at, sys;
	int fired;
} fault;

ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_read(int fd, void *p, size_t n);

static int now(enum call call)
{
	if (fault.at == 0 || call != fault.call || --fault.at > 0)
		return 0;
	fault.fired++;
	errno = fault.sys;
	return 1;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (!now(WRITE))
		return __real_write(fd, p, n);
	if (fault.how == FAIL)
		return -1;
	if (fault.how == THEN_FULL)
		fault.at = 1;
	fault.how = FAIL;
	return __real_write(fd, p, n / 2);
}

int __wrap_fsync(int fd)
{
	return now(FSYNC) ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
	return now(RENAME) ? -1 : __real_rename(from, to);
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (now(OPEN))
		return -1;
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return __real_open(path, flags, mode);
}

/* As close(2): the descriptor is gone even when it fails. */
int __wrap_close(int fd)
{
	int fails = now(CLOSE), rc;

	rc = __real_close(fd);
	if (!fails)
		return rc;
	errno = fault.sys;
	return -1;
}

ssize_t __wrap_read(int fd, void *p, size_t n)
{
	return now(READ) ? -1 : __real_read(fd, p, n);
}

static const struct row {
	const char *name;
	enum call call;
	enum how how;
	int sys;
	enum err_class class;
	int calls; /* how many such calls a durable write makes: each of them fails once */
} rows[] = {
	{"write, disk full", WRITE, FAIL, ENOSPC, ERR_TEMP, 1},
	{"write, quota", WRITE, FAIL, EDQUOT, ERR_TEMP, 1},
	{"write, bad disk", WRITE, FAIL, EIO, ERR_TEMP, 1},
	{"write, too large", WRITE, FAIL, EFBIG, ERR_PERM, 1},
	{"fsync, bad disk", FSYNC, FAIL, EIO, ERR_TEMP, 2},
	{"rename, disk full", RENAME, FAIL, ENOSPC, ERR_TEMP, 1},
	{"rename, not allowed", RENAME, FAIL, EACCES, ERR_CONF, 1},
	{"open, not allowed", OPEN, FAIL, EACCES, ERR_CONF, 2},
	{"open, no descriptors", OPEN, FAIL, EMFILE, ERR_TEMP, 2},
	{"open, read-only", OPEN, FAIL, EROFS, ERR_CONF, 2},
};
enum { BEFORE, AFTER };
static const char *const contents[] = {"what was there before",
				       "what is written now, and is longer"};
static struct tmpdir tmp;

static int write_now(struct err *e)
{
	char path[320];

	return fs_write_durable(tmpdir_file(&tmp, path, "file"), contents[AFTER],
				strlen(contents[AFTER]), 0600, e);
}

/* Lets the n-th call fail during one write. */
static int write_with(const struct row *row, int n, struct err *e)
{
	int rc;

	fault.call = row->call;
	fault.how = row->how;
	fault.sys = row->sys;
	fault.at = n;
	fault.fired = 0;
	rc = write_now(e);
	fault.at = 0;
	return rc;
}

/* The one file is there whole (which: its content; -1: it is not there), and nothing else. */
static void assert_left(int which)
{
	char path[320];
	struct dirent *at;
	DIR *list = opendir(tmp.path);
	struct buf b;
	int count = 0;

	assert_non_null(list);
	while ((at = readdir(list)) != NULL) {
		if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
			continue;
		assert_string_equal(at->d_name, "file");
		count++;
	}
	closedir(list);
	assert_int_equal(count, which >= 0);
	if (which < 0)
		return;
	buf_init(&b, 1000);
	assert_int_equal(fs_read(tmpdir_file(&tmp, path, "file"), &b, NULL), 0);
	assert_string_equal(buf_text(&b), contents[which]);
	buf_fini(&b);
}

static int descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

/* existed: with an older file in place, or without. */
static void try_row(const struct row *row, int existed)
{
	int n, before = existed ? BEFORE : -1, open_before = descriptors();

	for (n = 1;; n++) {
		struct err e = {0};
		char path[320];
		int rc;

		tmpdir_make(&tmp);
		tmpdir_file(&tmp, path, "file");
		if (existed)
			assert_int_equal(fs_write_atomic(path, contents[BEFORE],
							 strlen(contents[BEFORE]), 0600, NULL),
					 0);
		rc = write_with(row, n, &e);
		if (!fault.fired) {
			assert_int_equal(rc, 0);
			tmpdir_remove(&tmp);
			break;
		}
		assert_int_equal(rc, -1);
		assert_int_equal(e.class, row->class);
		assert_int_equal(e.sys, row->sys);
		/* The second fsync is the folder's: the file stands there already, whole. */
		assert_left(row->call == FSYNC && n == 2 ? AFTER : before);
		assert_int_equal(write_now(&e), 0);
		assert_left(AFTER);
		tmpdir_remove(&tmp);
	}
	if (n - 1 != row->calls)
		fail_msg("%s: fired for %d calls, not %d", row->name, n - 1, row->calls);
	assert_int_equal(descriptors(), open_before);
}

static void every_call_fails_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		try_row(&rows[i], 0);
		try_row(&rows[i], 1);
	}
}

static void half_a_write_is_gone_on_with(void **state)
{
	static const struct row row = {"half", WRITE, HALF, 0, ERR_NONE, 1};
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	assert_int_equal(write_with(&row, 1, &e), 0);
	assert_int_equal(fault.fired, 1);
	assert_left(AFTER);
	tmpdir_remove(&tmp);
}

static void half_a_write_on_a_full_disk_leaves_nothing(void **state)
{
	static const struct row row = {"half, then full", WRITE, THEN_FULL, ENOSPC, ERR_TEMP, 1};
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	assert_int_equal(write_with(&row, 1, &e), -1);
	assert_int_equal(fault.fired, 2);
	assert_int_equal(e.class, ERR_TEMP);
	assert_left(-1);
	assert_int_equal(write_now(&e), 0);
	assert_left(AFTER);
	tmpdir_remove(&tmp);
}

static void interrupted_writes_go_on(void **state)
{
	static const struct row row = {"interrupted", WRITE, FAIL, EINTR, ERR_NONE, 1};
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	assert_int_equal(write_with(&row, 1, &e), 0);
	assert_int_equal(fault.fired, 1);
	assert_left(AFTER);
	tmpdir_remove(&tmp);
}

/* Some file systems tell of a failed write only here. */
static void a_failed_close_is_a_failed_write(void **state)
{
	static const struct row row = {"close", CLOSE, FAIL, EDQUOT, ERR_TEMP, 1};
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	assert_int_equal(write_with(&row, 1, &e), -1);
	assert_int_equal(fault.fired, 1);
	assert_int_equal(e.class, ERR_TEMP);
	assert_int_equal(e.sys, EDQUOT);
	assert_left(-1);
	assert_int_equal(write_now(&e), 0);
	assert_left(AFTER);
	tmpdir_remove(&tmp);
}

/* A folder whose entry is not durable would take all that is put into it along in a power cut. */
static void a_new_folder_that_cannot_be_synced_is_not_promised(void **state)
{
	char path[320];
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, path, "a/b");
	for (int n = 1; n <= 2; n++) {
		fault.call = FSYNC;
		fault.how = FAIL;
		fault.sys = EIO;
		fault.at = n;
		fault.fired = 0;
		assert_int_equal(fs_remove_tree(tmpdir_file(&tmp, path, "a"), &e), 0);
		assert_int_equal(fs_mkdirs(tmpdir_file(&tmp, path, "a/b"), &e), -1);
		fault.at = 0;
		assert_int_equal(fault.fired, 1);
		assert_int_equal(e.class, ERR_TEMP);
		assert_false(fs_exists(path));
		assert_int_equal(fs_mkdirs(path, &e), 0);
	}
	tmpdir_remove(&tmp);
}

/* A disk that fails while it is read: TEMP, and the buffer as it was. An interrupt is no
 * failure. */
static void failed_reads_leave_the_buffer_alone(void **state)
{
	static const struct {
		enum call call;
		int at, sys, rc;
	} table[] = {{READ, 1, EIO, -1},
		     {READ, 2, EIO, -1},
		     {OPEN, 1, EMFILE, -1},
		     {READ, 1, EINTR, 0},
		     {READ, 2, EINTR, 0}};
	char path[320];

	(void)state;
	tmpdir_make(&tmp);
	assert_int_equal(write_now(NULL), 0);
	for (size_t i = 0; i < COUNT(table); i++) {
		struct err e = {0};
		struct buf b;

		buf_init(&b, 1000);
		buf_put_str(&b, "kept");
		fault.call = table[i].call;
		fault.how = FAIL;
		fault.sys = table[i].sys;
		fault.at = table[i].at;
		fault.fired = 0;
		assert_int_equal(fs_read(tmpdir_file(&tmp, path, "file"), &b, &e), table[i].rc);
		fault.at = 0;
		assert_int_equal(fault.fired, 1);
		if (table[i].rc < 0) {
			assert_int_equal(e.class, ERR_TEMP);
			assert_string_equal(buf_text(&b), "kept");
			assert_int_equal(fs_read(path, &b, &e), 0);
		}
		assert_int_equal(b.len, 4 + strlen(contents[AFTER]));
		buf_fini(&b);
	}
	tmpdir_remove(&tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_fails_once),
		cmocka_unit_test(half_a_write_is_gone_on_with),
		cmocka_unit_test(half_a_write_on_a_full_disk_leaves_nothing),
		cmocka_unit_test(interrupted_writes_go_on),
		cmocka_unit_test(a_failed_close_is_a_failed_write),
		cmocka_unit_test(failed_reads_leave_the_buffer_alone),
		cmocka_unit_test(a_new_folder_that_cannot_be_synced_is_not_promised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
