/* These texts are small and never rosters, so their own first line is enough to know them by;
 * answers to rosters need the digests of submissions.h. */
#include "adapters/village/tell.h"
#include "adapters/village/submissions.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 64 << 10, TRIES = 9 };

/* The first line says whose it is: nobody else begins a file so. */
static const char head[] = "\xEF\xBB\xBF回执（柯桥区城乡居保集体补助）\r\n";
static const char temp[] = ANSWER_TEMP;

enum there { NOTHING, OURS, SOMEBODYS };
static enum there look(int folder, const char *name, struct buf *text);
static int put(int folder, const char *name, const struct buf *text, struct err *e);

int tell(int folder, const char *name, const char *suffix, struct str body, struct err *e)
{
	char answer[FILE_NAME_MAX + 1];
	struct buf text, old;
	int rc = -1;

	buf_init(&text, TEXT_MAX);
	buf_init(&old, TEXT_MAX);
	buf_put_str(&text, head);
	for (size_t i = 0; i < body.n; i++) {
		/* A full buffer ends the text: what matters stands first. */
		if ((body.p[i] == '\n' && buf_put_u8(&text, '\r') < 0) ||
		    buf_put_u8(&text, (uint8_t)body.p[i]) < 0)
			break;
	}
	for (int k = 1; k <= TRIES; k++) {
		enum there what;

		answer_name(answer, name, suffix, k, ".txt");
		what = look(folder, answer, &old);
		if (what == SOMEBODYS)
			continue;
		if (what == OURS && old.len == text.len &&
		    memcmp(old.data, text.data, text.len) == 0)
			rc = 0;
		else
			rc = put(folder, answer, &text, e);
		goto out;
	}
	err_set(e, ERR_TEMP, "answer: no free name");
out:
	buf_fini(&text);
	buf_fini(&old);
	return rc;
}

void tell_no_more(int folder, const char *name, const char *suffix)
{
	char answer[FILE_NAME_MAX + 1];
	struct buf old;

	buf_init(&old, TEXT_MAX);
	answer_name(answer, name, suffix, 1, ".txt");
	if (look(folder, answer, &old) == OURS)
		unlinkat(folder, answer, 0);
	buf_fini(&old);
}

static enum there look(int folder, const char *name, struct buf *text)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum there what = SOMEBODYS;
	ssize_t n = -1;
	uint8_t *to;

	buf_reset(text);
	if (fd < 0)
		return errno == ENOENT ? NOTHING : SOMEBODYS;
	to = buf_reserve(text, TEXT_MAX);
	if (to)
		n = read(fd, to, TEXT_MAX);
	if (n >= (ssize_t)sizeof head - 1 && memcmp(to, head, sizeof head - 1) == 0) {
		text->len = (size_t)n;
		what = OURS;
	}
	close(fd);
	return what;
}

static int put(int folder, const char *name, const struct buf *text, struct err *e)
{
	int fd = openat(folder, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return err_sys(e, ERR_TEMP, errno, "answer: create");
	n = write(fd, text->data, text->len);
	if (n != (ssize_t)text->len) {
		err_sys(e, ERR_TEMP, n < 0 ? errno : ENOSPC, "answer: write");
		close(fd);
	} else if (close(fd) < 0) {
		err_sys(e, ERR_TEMP, errno, "answer: close");
	} else if (renameat(folder, temp, folder, name) < 0) {
		err_sys(e, ERR_TEMP, errno, "answer: rename");
	} else {
		return 0;
	}
	unlinkat(folder, temp, 0);
	return -1;
}
