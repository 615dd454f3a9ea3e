/* LINK: adapters/village/inbox.o adapters/village/take.o adapters/village/take_cover.o adapters/village/claim.o adapters/village/place.o adapters/village/refusal.o adapters/village/tell.o adapters/village/cover.o adapters/village/plan.o adapters/village/spool.o adapters/village/meta.o adapters/village/submissions.o adapters/village/decode.o adapters/village/csv.o adapters/village/head.o adapters/village/roster.o adapters/village/answers.o adapters/village/render.o adapters/village/answer_file.o adapters/village/posting.o adapters/village/own.o */
/* WRAP: write fsync rename open openat renameat fdatasync pwrite */
/* Answers on a failing disk: whatever the n-th call does, the answer that lies there is whole,
 * the old one or the new one; nothing is taken for somebody's roster; the next try works. And
 * the store of answers: what it could not sync it does not claim. */
#include "adapters/village/answers.h"
#include "tests/lib/village_desk.h"
#include <errno.h>

enum call { WRITE, FSYNC, RENAME, OPEN, OPENAT, RENAMEAT, FDATASYNC, PWRITE, CALLS };
static const char *const call_names[CALLS] = {"write",	"fsync",    "rename",	 "open",
					      "openat", "renameat", "fdatasync", "pwrite"};

static struct {
	enum call call;
	int at, sys, fired;
} fault;

ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_fdatasync(int fd);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_fdatasync(int fd);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);

static bool now(enum call call)
{
	if (fault.at == 0 || call != fault.call || --fault.at > 0)
		return false;
	fault.fired++;
	errno = fault.sys;
	return true;
}

static mode_t mode_of(int flags, va_list ap)
{
	return flags & O_CREAT ? va_arg(ap, mode_t) : 0;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	return fd > 2 && now(WRITE) ? -1 : __real_write(fd, p, n);
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
	mode_t mode;
	va_list ap;

	if (now(OPEN))
		return -1;
	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return __real_open(path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	if (now(OPENAT))
		return -1;
	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return __real_openat(dir, path, flags, mode);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return now(RENAMEAT) ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_fdatasync(int fd)
{
	return now(FDATASYNC) ? -1 : __real_fdatasync(fd);
}

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	return now(PWRITE) ? -1 : __real_pwrite(fd, p, n, at);
}

/* ---- answer files ---- */

static struct desk d;

static void answer(int version, const char *code)
{
	struct row_answer ra = {
		.row_no = 4, .version = version, .result = STR("waiting"), .code = str_of(code)};
	struct submission *s = d.v.submissions.at[0];
	struct answers *a;
	struct err e = {0};
	char path[700];

	assert_int_equal(
		spool_path(&d.v.spool, &s->meta.submission, "answers.bin", path, sizeof path), 0);
	assert_int_equal(answers_open(&a, path, s->meta.records, &e), 0);
	assert_int_equal(answers_row(a, &ra, &e), 1);
	assert_int_equal(answers_sync(a, &e), 0);
	answers_close(a);
	s->answer_due = 1;
}

static bool says(const char *part)
{
	const char *text = desk_read(&d, "dong", "a.回执.csv");

	return text && strstr(text, part) && strstr(text, "经办人：王五\r\n");
}

/* false when there is no such call any more. */
static bool fails_at(enum call call, int sys, int n)
{
	static char roster[4096];
	int64_t next;
	struct err e = {0};
	bool fired;

	desk_open(&d);
	desk_roster(roster, "管墅社区居委会", 20);
	snprintf(roster + strlen(roster), sizeof roster - strlen(roster),
		 "合计,,,5000\r\n经办人：王五\r\n");
	desk_drop(&d, "dong", "a.csv", roster);
	desk_turn(&d);
	answer(1, "contribution_missing");
	desk_turn(&d);
	assert_true(says("还没有查到此人"));
	answer(2, "contribution_not_arrived");

	fault.call = call;
	fault.sys = sys;
	fault.at = n;
	fault.fired = 0;
	if (answer_files(&d.v, INT64_MAX, &next, &e) < 0)
		assert_int_equal(e.class,
				 ERR_CONF); /* the spool's own folder is not to be opened */
	fired = fault.fired > 0;
	fault.at = 0;
	if (!says("还没有查到此人") && !says("尚未到账"))
		fail_msg("%s %d: the answer is broken", call_names[call], n);
	if (!fired)
		assert_true(says("尚未到账"));

	desk_restart(&d);
	desk_turn(&d);
	desk_turn(&d);
	assert_true(says("尚未到账"));
	assert_int_equal(d.v.submissions.count, 1);
	assert_null(desk_read(&d, "dong", "a.回执-2.csv"));
	assert_null(desk_read(&d, "dong", ANSWER_TEMP));
	desk_close(&d);
	return fired;
}

static void the_old_answer_or_the_new_one(void **state)
{
	static const struct {
		enum call call;
		int sys;
	} kinds[] = {{WRITE, ENOSPC},  {FSYNC, EIO},	{RENAME, ENOSPC}, {OPEN, EMFILE},
		     {OPENAT, EMFILE}, {RENAMEAT, EIO}, {FDATASYNC, EIO}};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		int n = 1;

		while (fails_at(kinds[i].call, kinds[i].sys, n))
			n++;
		if (n == 1)
			fail_msg("%s never fired", call_names[kinds[i].call]);
	}
}

/* ---- the store of answers ---- */

static void what_is_not_synced_is_not_claimed(void **state)
{
	struct tmpdir dir;
	char path[320];

	(void)state;
	tmpdir_make(&dir);
	tmpdir_file(&dir, path, "answers.bin");
	for (enum call call = FDATASYNC; call <= PWRITE; call++) {
		int n = 1;

		for (bool fired = true; fired; n++) {
			struct answers *a;
			struct row_state st;
			struct err e = {0};
			int rc = 0;

			unlink(path);
			assert_int_equal(answers_open(&a, path, 5000, &e), 0);
			fault.call = call;
			fault.sys = ENOSPC;
			fault.at = n;
			fault.fired = 0;
			for (int row = 1; row <= 5000 && rc >= 0; row += 700) { /* a page each */
				struct row_answer ra = {.row_no = row,
							.version = 1,
							.result = STR("done"),
							.code = STR("credited")};

				rc = answers_row(a, &ra, &e);
			}
			if (rc >= 0)
				rc = answers_sync(a, &e);
			fired = fault.fired > 0;
			fault.at = 0;
			assert_int_equal(rc < 0, fired);
			if (fired)
				assert_int_equal(e.class, ERR_TEMP);
			answers_close(a);
			/* The batch comes again and is taken. */
			assert_int_equal(answers_open(&a, path, 5000, &e), 0);
			for (int row = 1; row <= 5000; row += 700) {
				struct row_answer ra = {.row_no = row,
							.version = 1,
							.result = STR("done"),
							.code = STR("credited")};

				assert_true(answers_row(a, &ra, &e) >= 0);
			}
			assert_int_equal(answers_sync(a, &e), 0);
			answers_close(a);
			assert_int_equal(answers_open(&a, path, 5000, &e), 0);
			for (int row = 1; row <= 5000; row += 700) {
				assert_int_equal(answers_get_row(a, row, &st, &e), 0);
				assert_string_equal(st.code, "credited");
			}
			answers_close(a);
		}
		assert_true(n > 2);
	}
	tmpdir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_old_answer_or_the_new_one),
		cmocka_unit_test(what_is_not_synced_is_not_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
