#include "base/secret.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_private(const char *path, const char *setting, struct err *e);
static int read_up_to(int fd, char *out, size_t cap, size_t *n);

int secret_read(const char *path, const char *setting, char out[SECRET_MAX], struct err *e)
{
	int fd = open_private(path, setting, e), rc = -1;
	size_t n;

	out[0] = '\0';
	if (fd < 0)
		return -1;
	if (read_up_to(fd, out, SECRET_MAX, &n) < 0) {
		err_sys(e, ERR_CONF, errno, "%s %.200s", setting, path);
		goto out;
	}
	if (n < SECRET_MAX) {
		while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == '\r'))
			n--;
		out[n] = '\0';
	}
	if (n == 0 || n == SECRET_MAX || strcspn(out, "\r\n") != n)
		err_set(e, ERR_CONF, "%s %.200s: must hold one line", setting, path);
	else
		rc = 0;
out:
	if (rc < 0)
		explicit_bzero(out, SECRET_MAX);
	close(fd);
	return rc;
}

int secret_check(const char *path, const char *setting, struct err *e)
{
	int fd = open_private(path, setting, e);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* What counts is the file that was opened, by whatever links: tools that renew keys put links there. NONBLOCK, so that a pipe under
 * this name is refused and not waited for. */
static int open_private(const char *path, const char *setting, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_sys(e, ERR_CONF, errno, "%s %.200s", setting, path);
	if (fstat(fd, &st) < 0)
		err_sys(e, ERR_CONF, errno, "%s %.200s", setting, path);
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		err_set(e, ERR_CONF, "%s %.200s: must be a file of this user with mode 0600",
			setting, path);
	else
		return fd;
	close(fd);
	return -1;
}

/* *n == cap: there is as much, or more. */
static int read_up_to(int fd, char *out, size_t cap, size_t *n)
{
	ssize_t got;

	for (*n = 0; *n < cap; *n += (size_t)got) {
		do
			got = read(fd, out + *n, cap - *n);
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return (int)got;
	}
	return 0;
}
