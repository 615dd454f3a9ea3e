/* LINK: adapters/village/spool.o adapters/village/meta.o adapters/village/decode.o */
/* WRAP: write fsync rename open close mkdir */
/* The spool, whose n-th call of the system fails or is the last of the process, for every n:
 * nothing is called accepted that is not whole and synced, nothing half-made is ever taken for
 * whole, and a second try works. The loops find out how many calls there are by going on until
 * the fault no longer fires. */
#include "adapters/village/spool.h"
#include "crypto/ids.h"
#include "tests/lib/unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum call { WRITE, FSYNC, RENAME, OPEN, CLOSE, MKDIR, CALLS, ANY = CALLS };
static const char *const call_names[] = {"write", "fsync", "rename",  "open",
					 "close", "mkdir", "any call"};
/* HALF: half of it is written, the next one fails. DIE: the process ends before the call. */
enum how { FAIL, HALF, DIE };

static struct {
	enum call call;
	enum how how;
	int at, sys; /* the at-th call from now on; 0 = none */
	int fired, syncs;
	char renamed[4096]; /* where something was renamed last, "" once synced */
} fault;

ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_mkdir(const char *path, mode_t mode);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_mkdir(const char *path, mode_t mode);

static bool now(enum call call)
{
	if (fault.at == 0 || (fault.call != ANY && call != fault.call) || --fault.at > 0)
		return false;
	if (fault.how == DIE)
		_exit(42);
	fault.fired++;
	errno = fault.sys;
	return true;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (!now(WRITE))
		return __real_write(fd, p, n);
	if (fault.how == FAIL || n < 2)
		return -1;
	fault.at = 1;
	fault.how = FAIL;
	return __real_write(fd, p, n / 2);
}

int __wrap_fsync(int fd)
{
	char link[64], path[4096];
	ssize_t n;

	fault.syncs++;
	if (now(FSYNC))
		return -1;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	if (strcmp(path, fault.renamed) == 0)
		fault.renamed[0] = '\0';
	return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
	char folder[700];

	if (now(RENAME))
		return -1;
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(to, '/') - to), to);
	assert_non_null(realpath(folder, fault.renamed));
	return __real_rename(from, to);
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
	bool fails = now(CLOSE);
	int rc = __real_close(fd);

	if (!fails)
		return rc;
	errno = fault.sys;
	return -1;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return now(MKDIR) ? -1 : __real_mkdir(path, mode);
}

/* ---- a spool and what is put into it ---- */

static struct {
	struct tmpdir dir;
	char data[320];
	struct keyring *keys;
	struct spool spool;
	struct spool_meta meta;
	struct spool_cover cover;
	char content[3 * SPOOL_PIECE / 2 + 11];
} w;

static int make_world(void **state)
{
	struct err e = {0};
	char keys[320];

	(void)state;
	tmpdir_make(&w.dir);
	tmpdir_file(&w.dir, keys, "keys");
	tmpdir_file(&w.dir, w.data, "data");
	if (keygen(keys, 2026, 2026, &e) < 0 ||
	    keyring_open(&w.keys, keys, "village", false, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < sizeof w.content; i++)
		w.content[i] = (char)(i * 7 + i / 251);
	w.meta = (struct spool_meta){.sender = "dong",
				     .year = 2026,
				     .village = "330603001008",
				     .received_at = 1798077600000,
				     .encoding = ENC_GB18030,
				     .bytes = sizeof w.content,
				     .records = 9,
				     .rows = 5,
				     .reader = "r"};
	memset(w.meta.sha256, '5', 64);
	submission_id(&w.meta.submission, STR("dong"), str_of(w.meta.sha256));
	w.cover = (struct spool_cover){
		.submission = w.meta.submission, .sender = "dong", .received_at = 1798077600001};
	memset(w.cover.cover.b, 3, ID_LEN);
	return 0;
}

static int drop_world(void **state)
{
	(void)state;
	keyring_free(w.keys);
	tmpdir_remove(&w.dir);
	return 0;
}

static void attach(void)
{
	struct err e = {0};

	if (spool_attach(&w.spool, w.data, w.keys, &e) < 0)
		fail_msg("%s", e.text);
}

static void fresh(void)
{
	struct err e = {0};

	memset(&fault, 0, sizeof fault);
	assert_int_equal(fs_remove_tree(w.data, &e), 0);
	attach();
}

static int put_roster(struct err *e)
{
	struct spool_writer *writer = NULL;
	struct str names = STR("names of the file");

	if (spool_begin(&w.spool, &w.meta.submission, &writer, e) < 0) {
		assert_null(writer);
		return -1;
	}
	for (size_t at = 0, n; at < sizeof w.content; at += n) {
		n = sizeof w.content - at < 10000 ? sizeof w.content - at : 10000;
		if (spool_add(writer, w.content + at, n, e) < 0) {
			spool_drop(&writer);
			return -1;
		}
	}
	return spool_commit(&writer, &w.meta, names, e);
}

/* There, whole, and as it was put; false when not there. */
static bool roster_there(void)
{
	struct spool_reader *r;
	struct spool_meta meta;
	struct err e = {0};
	struct buf names;
	char chunk[5000];
	size_t at = 0;
	ssize_t n;

	if (!spool_has(&w.spool, &w.meta.submission))
		return false;
	if (spool_get_meta(&w.spool, &w.meta.submission, &meta, &e) < 0 ||
	    spool_read_open(&w.spool, &w.meta.submission, &r, &e) < 0)
		fail_msg("%s", e.text);
	assert_memory_equal(&meta, &w.meta, sizeof meta);
	while ((n = spool_read(r, chunk, sizeof chunk, &e)) > 0) {
		assert_true(at + (size_t)n <= sizeof w.content);
		assert_memory_equal(chunk, w.content + at, (size_t)n);
		at += (size_t)n;
	}
	spool_read_close(r);
	if (n < 0)
		fail_msg("%s", e.text);
	assert_int_equal(at, sizeof w.content);
	buf_init(&names, 100);
	assert_int_equal(spool_get_names(&w.spool, &w.meta.submission, &names, &e), 0);
	assert_int_equal(names.len, 17);
	buf_fini(&names);
	return true;
}

static int put_cover(struct err *e)
{
	return spool_put_cover(&w.spool, &w.cover, STR("{\"cover\":1}"), e);
}

static bool cover_there(void)
{
	struct spool_cover c;
	struct err e = {0};
	struct buf json;

	if (!spool_has_cover(&w.spool, &w.cover.cover))
		return false;
	buf_init(&json, 1000);
	if (spool_get_cover(&w.spool, &w.cover.cover, &c, &e) < 0 ||
	    spool_get_cover_json(&w.spool, &w.cover.cover, &json, &e) < 0)
		fail_msg("%s", e.text);
	assert_memory_equal(&c, &w.cover, sizeof c);
	assert_int_equal(json.len, 11);
	buf_fini(&json);
	return true;
}

static int put_aside(struct err *e)
{
	struct spool_writer *writer = NULL;

	if (spool_begin(&w.spool, &w.meta.submission, &writer, e) < 0)
		return -1;
	if (spool_add(writer, w.content, sizeof w.content, e) < 0) {
		spool_drop(&writer);
		return -1;
	}
	return spool_refuse(&writer, STR("roster_no_header x\n"), e);
}

/* The reason is the last to appear: where it is, the content is too. */
static bool aside_there(void)
{
	char hex[ID_HEX], path[700];
	struct stat st;

	id_hex(&w.meta.submission, hex);
	snprintf(path, sizeof path, "%s/%s.reason", w.spool.refused, hex);
	if (stat(path, &st) < 0)
		return false;
	assert_int_equal(st.st_size, 19);
	snprintf(path, sizeof path, "%s/%s.sealed", w.spool.refused, hex);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > (off_t)sizeof w.content);
	return true;
}

/* A change of a submission that is there: old or new, never neither. */
static int publish_it(struct err *e)
{
	struct spool_meta meta = w.meta;

	if (!spool_has(&w.spool, &w.meta.submission) && put_roster(e) < 0)
		return -1;
	meta.state = SPOOL_PUBLISHED;
	return spool_put_meta(&w.spool, &meta, e);
}

static bool published(void)
{
	struct spool_meta meta;
	struct err e = {0};

	if (!spool_has(&w.spool, &w.meta.submission))
		return false;
	if (spool_get_meta(&w.spool, &w.meta.submission, &meta, &e) < 0)
		fail_msg("%s", e.text);
	return meta.state == SPOOL_PUBLISHED;
}

static const struct {
	const char *what;
	int (*put)(struct err *e);
	bool (*there)(void);
	int syncs; /* at least so many, or it cannot be durable */
} acts[] = {
	{"roster", put_roster, roster_there,
	 6}, /* roster, names, its folder, meta, its folder, spool */
	{"cover", put_cover, cover_there, 4},
	{"refusal", put_aside, aside_there, 3},
	{"published", publish_it, published, 8},
};

static int entries(const char *dir, const char *prefix)
{
	DIR *list = opendir(dir);
	struct dirent *at;
	int count = 0;

	assert_non_null(list);
	while ((at = readdir(list)) != NULL)
		count += strncmp(at->d_name, prefix, strlen(prefix)) == 0;
	closedir(list);
	return count;
}

/* After whatever happened: a new start finds nothing half-made, and the second try works. */
static void second_life(size_t i)
{
	struct err e = {0};

	memset(&fault, 0, sizeof fault);
	attach();
	assert_int_equal(entries(w.spool.dir, ".new-"), 0);
	assert_int_equal(entries(w.spool.covers, ".qiao-tmp"), 0);
	assert_int_equal(entries(w.spool.refused, ".qiao-tmp"), 0);
	acts[i].there(); /* whole, if at all */
	if (acts[i].put(&e) < 0)
		fail_msg("%s: second try: %s", acts[i].what, e.text);
	assert_true(acts[i].there());
}

static int total_fired;

/* One n of one kind of fault; false when there is no such call any more. */
static bool fails_at(size_t i, enum call call, enum how how, int sys, int n)
{
	struct err e = {0};
	int rc, fired;

	fresh();
	fault.call = call;
	fault.how = how;
	fault.sys = sys;
	fault.at = n;
	rc = acts[i].put(&e);
	fired = fault.fired;
	fault.at = 0;
	total_fired += fired > 0;
	if (fired == 0) {
		assert_int_equal(rc, 0);
		assert_true(acts[i].there());
		return false;
	}
	if (rc == 0) {
		/* Only the closing of something that was read or synced before may fail unheard. */
		if (call != CLOSE)
			fail_msg("%s: %s %d failed unheard", acts[i].what, call_names[call], n);
		assert_true(acts[i].there());
	} else if (e.class != (sys == EACCES ? ERR_CONF : ERR_TEMP)) {
		fail_msg("%s: %s %d: class %d: %s", acts[i].what, call_names[call], n, (int)e.class,
			 e.text);
	}
	acts[i].there();
	second_life(i);
	return true;
}

static void every_call_may_fail(void **state)
{
	static const struct {
		enum call call;
		enum how how;
		int sys;
	} kinds[] = {{WRITE, FAIL, ENOSPC}, {WRITE, HALF, ENOSPC}, {WRITE, FAIL, EIO},
		     {FSYNC, FAIL, EIO},    {FSYNC, FAIL, ENOSPC}, {RENAME, FAIL, EIO},
		     {OPEN, FAIL, EMFILE},  {OPEN, FAIL, ENOSPC},  {CLOSE, FAIL, EIO},
		     {MKDIR, FAIL, ENOSPC}};

	(void)state;
	for (size_t i = 0; i < COUNT(acts); i++) {
		for (size_t k = 0; k < COUNT(kinds); k++) {
			int n = 1;

			while (fails_at(i, kinds[k].call, kinds[k].how, kinds[k].sys, n))
				n++;
			/* A cover makes no folder; everything else happens at least once in each
			 * act. */
			if (n == 1 && kinds[k].call != MKDIR)
				fail_msg("%s: %s never fired", acts[i].what,
					 call_names[kinds[k].call]);
			assert_true(n < 100);
		}
	}
	assert_true(total_fired > 100);
}

/* The process ends at its n-th call, for every n. */
static void every_call_may_be_the_last(void **state)
{
	int deaths = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(acts); i++) {
		for (int n = 1;; n++) {
			struct err e = {0};
			int status;
			pid_t child;

			fresh();
			child = fork();
			assert_true(child >= 0);
			if (child == 0) {
				fault.call = ANY;
				fault.how = DIE;
				fault.at = n;
				_exit(acts[i].put(&e) == 0 ? 0 : 1);
			}
			assert_int_equal(waitpid(child, &status, 0), child);
			assert_true(WIFEXITED(status));
			if (WEXITSTATUS(status) == 0)
				break;
			assert_int_equal(WEXITSTATUS(status), 42);
			deaths++;
			acts[i].there();
			second_life(i);
		}
	}
	assert_true(deaths > 60);
}

static void nothing_is_accepted_without_its_syncs(void **state)
{
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(acts); i++) {
		fresh();
		fault.syncs = 0;
		assert_int_equal(acts[i].put(&e), 0);
		if (fault.syncs < acts[i].syncs || fault.renamed[0])
			fail_msg("%s: %d syncs, not of %s", acts[i].what, fault.syncs,
				 fault.renamed);
	}
}

/* When the last sync failed the folder is there already: the next try keeps its stamp and makes
 * it durable. */
static void the_first_stamp_stays(void **state)
{
	struct spool_meta meta;
	struct err e = {0};
	int64_t first = w.meta.received_at;
	int syncs;

	(void)state;
	fresh();
	fault.syncs = 0;
	assert_int_equal(put_roster(&e), 0);
	syncs = fault.syncs;
	fresh();
	fault.call = FSYNC;
	fault.sys = EIO;
	fault.at = syncs;
	assert_int_equal(put_roster(&e), -1);
	assert_int_equal(fault.fired, 1);
	assert_true(roster_there());
	fault.syncs = 0;
	w.meta.received_at = first + 5000;
	assert_int_equal(put_roster(&e), 0);
	w.meta.received_at = first;
	assert_true(fault.syncs >= syncs);
	assert_int_equal(spool_get_meta(&w.spool, &w.meta.submission, &meta, &e), 0);
	assert_int_equal(meta.received_at, first);
}

/* ---- what somebody did to the files ---- */

static int read_all(struct err *e)
{
	struct spool_reader *r;
	char chunk[3000];
	ssize_t n;

	if (spool_read_open(&w.spool, &w.meta.submission, &r, e) < 0)
		return -1;
	while ((n = spool_read(r, chunk, sizeof chunk, e)) > 0)
		;
	spool_read_close(r);
	return (int)n;
}

static void sealed_pieces_cannot_be_changed(void **state)
{
	const size_t full = 4 + SPOOL_PIECE + SEAL_OVERHEAD;
	char path[640], other[640];
	struct err e = {0};
	struct buf whole, copy;

	(void)state;
	fresh();
	assert_int_equal(put_roster(&e), 0);
	assert_int_equal(
		spool_path(&w.spool, &w.meta.submission, "roster.sealed", path, sizeof path), 0);
	buf_init(&whole, 1 << 20);
	buf_init(&copy, 1 << 20);
	assert_int_equal(fs_read(path, &whole, &e), 0);
	assert_true(whole.len > full);
	assert_null(memmem(whole.data, whole.len, w.content + 1000, 32)); /* sealed at rest */

	/* cut behind the first piece, which is a whole one but not the last */
	assert_int_equal(fs_write_atomic(path, whole.data, full, 0600, &e), 0);
	assert_int_equal(read_all(&e), -1);
	assert_int_equal(e.class, ERR_PERM);
	/* the last piece alone */
	assert_int_equal(fs_write_atomic(path, whole.data + full, whole.len - full, 0600, &e), 0);
	assert_int_equal(read_all(&e), -1);
	/* one bit */
	for (size_t at = 5; at < whole.len; at += whole.len / 13) {
		whole.data[at] ^= 4;
		assert_int_equal(fs_write_atomic(path, whole.data, whole.len, 0600, &e), 0);
		assert_int_equal(read_all(&e), -1);
		assert_int_equal(e.class, ERR_PERM);
		whole.data[at] ^= 4;
	}
	/* cut anywhere */
	for (size_t n = 0; n < whole.len; n += whole.len / 17) {
		assert_int_equal(fs_write_atomic(path, whole.data, n, 0600, &e), 0);
		assert_int_equal(read_all(&e), -1);
	}
	assert_int_equal(fs_write_atomic(path, whole.data, whole.len, 0600, &e), 0);
	assert_int_equal(read_all(&e), 0);

	/* another submission's bytes in this one's place */
	w.meta.submission.b[0] ^= 1;
	assert_int_equal(put_roster(&e), 0);
	assert_int_equal(
		spool_path(&w.spool, &w.meta.submission, "roster.sealed", other, sizeof other), 0);
	assert_int_equal(fs_write_atomic(other, whole.data, whole.len, 0600, &e), 0);
	assert_int_equal(read_all(&e), -1);
	w.meta.submission.b[0] ^= 1;
	buf_fini(&whole);
	buf_fini(&copy);
}

static int count(void *arg, const struct id *id, struct err *e)
{
	(void)id;
	(void)e;
	++*(int *)arg;
	return 0;
}

static void strangers_in_the_spool_are_passed_over(void **state)
{
	struct err e = {0};
	char path[640];
	int n = 0;

	(void)state;
	fresh();
	assert_int_equal(put_roster(&e), 0);
	assert_int_equal(put_cover(&e), 0);
	snprintf(path, sizeof path, "%s/lost+found", w.spool.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/abcd.meta", w.spool.covers);
	assert_int_equal(fs_write_atomic(path, "x", 1, 0600, &e), 0);
	attach();
	assert_int_equal(spool_each(&w.spool, count, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(spool_each_cover(&w.spool, count, &n, &e), 0);
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_may_fail),
		cmocka_unit_test(every_call_may_be_the_last),
		cmocka_unit_test(nothing_is_accepted_without_its_syncs),
		cmocka_unit_test(the_first_stamp_stays),
		cmocka_unit_test(sealed_pieces_cannot_be_changed),
		cmocka_unit_test(strangers_in_the_spool_are_passed_over),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
