/* Writing the audit. Nothing is remembered between two records: the end of the newest file is read anew under the lock, so that
 * whatever another program, a crash or a full disk left there is what the next line continues. Against the fsync that cost is
 * small. */
#include "crypto/audit.h"
#include "base/date.h"
#include "base/fs.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 512, PATH = 512, HEX = 2 * SHA256_LEN };
static const char word_bytes[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";
static const char batch_bytes[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-/:";

struct audit {
	char dir[PATH], role[AUDIT_WORD + 1], user[AUDIT_WORD + 1];
	struct clock *clock;
	int lock;
};
struct months { /* of one role: the newest file, and the newest that holds anything; 0 = none */
	int newest, written;
};
struct end { /* of what was written last */
	uint8_t digest[SHA256_LEN];
	bool torn, open; /* no record; without its newline, in the file that is written next */
};

static void name_user(char out[AUDIT_WORD + 1]);
static int file_path(const struct audit *a, int month, char out[PATH], struct err *e);
static int find_months(const struct audit *a, struct months *m, struct err *e);
static int find_end(const struct audit *a, const struct months *m, int month, struct end *end, struct err *e);
static int read_end(int fd, const char *path, struct end *end, struct err *e);
static int append(const struct audit *a, const char *path, const char *text, size_t n, bool sync, struct err *e);
static int sync_file(const char *path, struct err *e);
static int add(struct audit *a, const char *purpose, const char *batch, int64_t count, bool sync, struct err *e);
static int add_locked(struct audit *a, const char *purpose, const char *batch, int64_t count, bool sync, struct err *e);
static int put_line(char *out, const struct audit *a, const uint8_t before[SHA256_LEN], const char *purpose, const char *batch,
		    int64_t count);
static bool made_of(struct str s, const char *bytes, size_t max);
static bool take_word(struct str *line, struct str *word);

int audit_open(struct audit **out, const char *data_dir, const char *role, struct clock *clock, struct err *e)
{
	struct audit *a = calloc(1, sizeof *a);
	char name[AUDIT_WORD + 8], path[PATH];

	assert(made_of(str_of(role), word_bytes, AUDIT_WORD));
	if (a == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "audit");
	a->lock = -1;
	a->clock = clock;
	str_copy(a->role, sizeof a->role, str_of(role));
	name_user(a->user);
	snprintf(name, sizeof name, ".%s.lock", a->role);
	if (fs_join(a->dir, sizeof a->dir, data_dir, AUDIT_FOLDER) < 0 || fs_join(path, sizeof path, a->dir, name) < 0) {
		err_set(e, ERR_CONF, "%.100s: path too long", data_dir);
		goto fail;
	}
	if (fs_mkdirs(a->dir, e) < 0)
		goto fail;
	a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock < 0) {
		err_sys(e, fs_class(errno), errno, "%s: open", path);
		goto fail;
	}
	*out = a;
	return 0;
fail:
	audit_close(a);
	return -1;
}

void audit_close(struct audit *a)
{
	if (a == NULL)
		return;
	if (a->lock >= 0)
		close(a->lock);
	free(a);
}

int audit_write(struct audit *a, const char *purpose, const char *batch, int64_t count, struct err *e)
{
	return add(a, purpose, batch, count, true, e);
}

int audit_note(struct audit *a, const char *purpose, const char *batch, int64_t count, struct err *e)
{
	return add(a, purpose, batch, count, false, e);
}

static int add(struct audit *a, const char *purpose, const char *batch, int64_t count, bool sync, struct err *e)
{
	int rc;

	assert(made_of(str_of(purpose), word_bytes, AUDIT_WORD) && made_of(str_of(batch), batch_bytes, AUDIT_BATCH));
	while (flock(a->lock, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_sys(e, ERR_TEMP, errno, "audit: lock");
	}
	rc = add_locked(a, purpose, batch, count, sync, e);
	flock(a->lock, LOCK_UN);
	/* A disk, a permission or a limit: somebody can mend it while the identities wait. */
	if (rc < 0 && e)
		e->class = ERR_TEMP;
	return rc;
}

static int add_locked(struct audit *a, const char *purpose, const char *batch, int64_t count, bool sync, struct err *e)
{
	char path[PATH], text[2 * LINE + 2];
	struct months m;
	struct end end;
	int day = date_of_time(clock_now(a->clock)), year, month, mday;
	size_t n = 0;

	date_split(day, &year, &month, &mday);
	month += 100 * year;
	if (find_months(a, &m, e) < 0)
		return -1;
	/* A clock that was set back does not write before what is there. */
	month = m.newest > month ? m.newest : month;
	if (find_end(a, &m, month, &end, e) < 0)
		return -1;
	/* Notes at the end of a month: what continues them must not outlive them. */
	if (m.written > 0 && m.written != month && (file_path(a, m.written, path, e) < 0 || sync_file(path, e) < 0))
		return -1;
	if (file_path(a, month, path, e) < 0)
		return -1;
	if (end.torn) {
		size_t at;

		if (end.open)
			text[n++] = '\n';
		at = n;
		n += (size_t)put_line(text + n, a, end.digest, AUDIT_TORN, "-", 0);
		sha256(text + at, n - at - 1, end.digest);
	}
	n += (size_t)put_line(text + n, a, end.digest, purpose, batch, count);
	return append(a, path, text, n, sync, e);
}

static int sync_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;

	if (fd < 0)
		return err_sys(e, ERR_TEMP, errno, "%s: open", path);
	if (fdatasync(fd) < 0)
		rc = err_sys(e, ERR_TEMP, errno, "%s: sync", path);
	close(fd);
	return rc;
}

/* One write: whatever a kill leaves of it is the beginning of it. */
static int append(const struct audit *a, const char *path, const char *text, size_t n, bool sync, struct err *e)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), rc = -1;
	struct stat st;
	ssize_t done;

	if (fd < 0)
		return err_sys(e, ERR_TEMP, errno, "%s: open", path);
	if (fstat(fd, &st) < 0) {
		err_sys(e, ERR_TEMP, errno, "%s: stat", path);
		goto out;
	}
	if (st.st_size == 0 && fs_sync_dir(a->dir, e) < 0)
		goto out;
	while ((done = write(fd, text, n)) < 0 && errno == EINTR)
		;
	if (done != (ssize_t)n)
		err_sys(e, ERR_TEMP, done < 0 ? errno : ENOSPC, "%s: write", path);
	else if (sync && fdatasync(fd) < 0)
		err_sys(e, ERR_TEMP, errno, "%s: sync", path);
	else
		rc = 0;
out:
	close(fd);
	return rc;
}

/* With its newline; gives its length. */
static int put_line(char *out, const struct audit *a, const uint8_t before[SHA256_LEN], const char *purpose, const char *batch,
		    int64_t count)
{
	char hex[HEX + 1], time[40];

	hex_put(hex, before, SHA256_LEN);
	return snprintf(out, LINE, "%s %s %s %s %s %s %" PRId64 "\n", hex, time_text(time, clock_now(a->clock)), a->role, a->user,
			purpose, batch, count);
}

static int find_months(const struct audit *a, struct months *m, struct err *e)
{
	DIR *list = opendir(a->dir);
	struct dirent *at;
	struct stat st;

	*m = (struct months){0, 0};
	if (list == NULL)
		return err_sys(e, ERR_TEMP, errno, "%s", a->dir);
	while ((at = readdir(list)) != NULL) {
		int month = audit_month(at->d_name, a->role);

		if (month > m->newest)
			m->newest = month;
		if (month > m->written && fstatat(dirfd(list), at->d_name, &st, 0) == 0 && st.st_size > 0)
			m->written = month;
	}
	closedir(list);
	return 0;
}

static int find_end(const struct audit *a, const struct months *m, int month, struct end *end, struct err *e)
{
	char path[PATH];
	int fd, rc;

	*end = (struct end){.torn = false};
	if (m->written == 0)
		return 0;
	if (file_path(a, m->written, path, e) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, ERR_TEMP, errno, "%s: open", path);
	rc = read_end(fd, path, end, e);
	close(fd);
	end->open = end->open && month == m->written;
	return rc;
}

static int read_end(int fd, const char *path, struct end *end, struct err *e)
{
	char tail[2 * LINE];
	off_t size = lseek(fd, 0, SEEK_END), from = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
	ssize_t n = size < 0 ? -1 : pread(fd, tail, sizeof tail, from);
	struct audit_record r;
	struct str line;
	const char *before;

	if (n <= 0)
		return err_sys(e, ERR_TEMP, n < 0 ? errno : EIO, "%s: read", path);
	end->open = tail[n - 1] != '\n';
	line = (struct str){tail, (size_t)n - !end->open};
	before = memrchr(tail, '\n', line.n);
	if (before)
		line = (struct str){before + 1, line.n - (size_t)(before + 1 - tail)};
	else if (from > 0)
		return err_set(e, ERR_TEMP, "%s: its end is no line of an audit; put the file away", path);
	sha256(line.p, line.n, end->digest);
	end->torn = end->open || audit_parse(line, &r) < 0;
	return 0;
}

static int file_path(const struct audit *a, int month, char out[PATH], struct err *e)
{
	char name[AUDIT_WORD + 32];

	snprintf(name, sizeof name, "%s-%04d-%02d.log", a->role, month / 100, month % 100);
	return fs_join(out, PATH, a->dir, name) == 0 ? 0 : err_set(e, ERR_TEMP, "%.100s: path too long", a->dir);
}

int audit_month(const char *name, const char *role)
{
	size_t n = strlen(name), tail = strlen("-2026-01.log");
	int64_t year, month;

	if (n <= tail || n - tail > AUDIT_WORD || strcmp(name + n - 4, ".log") != 0 || name[n - 12] != '-' || name[n - 7] != '-' ||
	    !made_of((struct str){name, n - tail}, word_bytes, AUDIT_WORD) || name[0] == '.')
		return -1;
	if (role && (strlen(role) != n - tail || strncmp(name, role, n - tail) != 0))
		return -1;
	if (str_int((struct str){name + n - 11, 4}, 1, 9999, &year) < 0 || str_int((struct str){name + n - 6, 2}, 1, 12, &month) < 0)
		return -1;
	return (int)(100 * year + month);
}

int audit_parse(struct str line, struct audit_record *r)
{
	struct str before, time, count;

	if (!take_word(&line, &before) || !take_word(&line, &time) || !take_word(&line, &r->role) || !take_word(&line, &r->user) ||
	    !take_word(&line, &r->purpose) || !take_word(&line, &r->batch))
		return -1;
	count = line;
	if (hex_get(r->before, SHA256_LEN, before) < 0 || time_parse(time, &r->time_ms) < 0 ||
	    !made_of(r->role, word_bytes, AUDIT_WORD) || !made_of(r->user, word_bytes, AUDIT_WORD) ||
	    !made_of(r->purpose, word_bytes, AUDIT_WORD) || !made_of(r->batch, batch_bytes, AUDIT_BATCH))
		return -1;
	return str_int(count, 0, INT64_MAX, &r->count);
}

static bool take_word(struct str *line, struct str *word)
{
	const char *blank = memchr(line->p, ' ', line->n);

	if (blank == NULL)
		return false;
	*word = (struct str){line->p, (size_t)(blank - line->p)};
	line->n -= word->n + 1;
	line->p = blank + 1;
	return true;
}

static bool made_of(struct str s, const char *bytes, size_t max)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || strchr(bytes, s.p[i]) == NULL)
			return false;
	}
	return s.n > 0 && s.n <= max;
}

/* By the effective user; a number where it has no name. */
static void name_user(char out[AUDIT_WORD + 1])
{
	const struct passwd *who = getpwuid(geteuid());

	snprintf(out, AUDIT_WORD + 1, "%u", (unsigned)geteuid());
	if (who && who->pw_name[0])
		snprintf(out, AUDIT_WORD + 1, "%s", who->pw_name);
	for (char *p = out; *p; p++) {
		if (strchr(word_bytes, *p) == NULL)
			*p = '_';
	}
}
