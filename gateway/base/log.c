/* The log. A line is put together in a place of its own and goes out in one write; what does not
 * fit is cut. No state but where the lines go. */
#include "base/log.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line goes out in one write: lines of several programs on one terminal do not mix, and a killed
 * program leaves no half line. 2000 bytes are below PIPE_BUF. */
enum { LINE_BYTES = 2000, ESCAPED_BYTES = 4 };

struct line {
	char text[LINE_BYTES];
	size_t len;
	bool full;
};

static struct {
	int fd;
	enum log_level min;
	char program[64], path[600];
} sink = {.fd = STDERR_FILENO, .min = LOG_INFO};

static int open_file(const char *path, struct err *e);
static void put_escaped(struct line *l, const char *text);
static void put(struct line *l, const char *bytes, size_t n);

int log_open(const char *program, const char *dir, enum log_level min, struct err *e)
{
	char name[80], path[sizeof sink.path] = "";
	int fd = STDERR_FILENO;

	if (dir && dir[0]) {
		snprintf(name, sizeof name, "%.64s.log", program);
		if (fs_join(path, sizeof path, dir, name) < 0)
			return err_set(e, ERR_CONF, "log folder: path too long");
		if (fs_mkdirs(dir, e) < 0 || (fd = open_file(path, e)) < 0)
			return -1;
	}
	if (sink.fd != STDERR_FILENO)
		close(sink.fd);
	sink.fd = fd;
	sink.min = min;
	snprintf(sink.program, sizeof sink.program, "%s", program);
	snprintf(sink.path, sizeof sink.path, "%s", path);
	return 0;
}

/* Into the same descriptor: another thread (a library's) may be about to write to it. */
int log_reopen(struct err *e)
{
	int fd, rc;

	if (sink.fd == STDERR_FILENO)
		return 0;
	fd = open_file(sink.path, e);
	if (fd < 0)
		return -1; /* goes on in the old file: better there than nowhere */
	rc = dup3(fd, sink.fd, O_CLOEXEC) < 0
		     ? err_sys(e, ERR_TEMP, errno, "%s: reopen log", sink.path)
		     : 0;
	close(fd);
	return rc;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	static const char *const levels[] = {"debug", "info", "warn", "error"};
	struct line line = {.len = 0};
	char text[LINE_BYTES + 1], head[160], time[40];
	int saved = errno, n;
	va_list ap;

	if (level < sink.min)
		return;
	snprintf(head, sizeof head, "%s %s %s ", time_text(time, clock_wall()), levels[level],
		 event);
	put_escaped(&line, head);
	if (sink.fd == STDERR_FILENO && sink.program[0]) { /* a file tells by its name */
		snprintf(head, sizeof head, "program=%s ", sink.program);
		put_escaped(&line, head);
	}
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof text)
		text[utf8_cut(text, sizeof text - 1)] = '\0';
	put_escaped(&line, text);
	while (line.len > 0 && line.text[line.len - 1] == ' ')
		line.len--;
	line.text[line.len++] = '\n';
	/* Nobody is left to be told when the log cannot be written. */
	while (write(sink.fd, line.text, line.len) < 0 && errno == EINTR)
		;
	errno = saved;
}

const char *log_value(char out[LOG_VALUE], const char *text)
{
	size_t n = 0, length = strlen(text), end = LOG_VALUE - 5; /* leaves room for ..." and NUL */

	if (length > 0 && length < LOG_VALUE && strpbrk(text, " \t\r\n\"\\=") == NULL)
		return memcpy(out, text, length + 1);
	out[n++] = '"';
	while (*text && n + 2 <= end) {
		if (*text == '"' || *text == '\\')
			out[n++] = '\\';
		out[n++] = *text++;
	}
	if (*text) {
		n = utf8_cut(out, n);
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

/* Appending, so that two openings of one file (an old process that is still stopping) do not write
 * over each other. */
static int open_file(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		err_sys(e, fs_class(errno), errno, "%s: open log", path);
	return fd;
}

/* What could end the line early or move a terminal's cursor is shown as \n, \t or \xHH, and so are
 * bytes that are not UTF-8. */
static void put_escaped(struct line *l, const char *text)
{
	struct str left = str_of(text);

	while (left.n > 0) {
		struct str at = left;
		char escaped[ESCAPED_BYTES + 1];
		uint32_t cp;
		bool good = utf8_next(&left, &cp) == 1;

		if (!good) {
			cp = (uint8_t)left.p[0];
			left.p++;
			left.n--;
		}
		if (good && cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0)) {
			put(l, at.p, at.n - left.n);
			continue;
		}
		if (cp == '\n' || cp == '\t')
			snprintf(escaped, sizeof escaped, "\\%c", cp == '\n' ? 'n' : 't');
		else
			snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned)cp & 0xff);
		put(l, escaped, strlen(escaped));
	}
}

/* Whole pieces only; the first that does not fit ends the line with "...". */
static void put(struct line *l, const char *bytes, size_t n)
{
	if (l->full)
		return;
	if (n > sizeof l->text - l->len - 4) {
		bytes = "...";
		n = 3;
		l->full = true;
	}
	memcpy(l->text + l->len, bytes, n);
	l->len += n;
}
