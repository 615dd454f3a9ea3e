#include "cli/files.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

static int open_regular(const char *path, struct err *e);
static int copy_bytes(int in, int out, const char *from, const char *to, struct err *e);

int file_digest(const char *path, char hex[FILE_DIGEST], struct err *e)
{
	int fd = open_regular(path, e), rc = -1;
	uint8_t chunk[CHUNK], sum[SHA256_LEN];
	struct digest *d;
	ssize_t n;

	if (fd < 0)
		return -1;
	d = digest_new();
	if (d == NULL) {
		err_set(e, ERR_TEMP, "out of memory");
		goto out;
	}
	digest_start(d);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		digest_add(d, chunk, (size_t)n);
	if (n < 0) {
		err_sys(e, fs_class(errno), errno, "%s: read", path);
		goto out;
	}
	digest_end(d, sum);
	hex_put(hex, sum, sizeof sum);
	rc = 0;
out:
	digest_free(d);
	close(fd);
	return rc;
}

int file_copy(const char *from, const char *to, struct err *e)
{
	int in = open_regular(from, e), out, rc = -1;

	if (in < 0)
		return -1;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0) {
		err_sys(e, fs_class(errno), errno, "%s: open", to);
		goto out;
	}
	rc = copy_bytes(in, out, from, to, e);
	if (close(out) < 0 && rc == 0)
		rc = err_sys(e, fs_class(errno), errno, "%s: close", to);
	if (rc < 0)
		unlink(to);
out:
	close(in);
	return rc;
}

/* NONBLOCK, so that a pipe under this name is refused and not waited for. */
static int open_regular(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_sys(e, fs_class(errno), errno, "%s: open", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(e, ERR_CONF, "%s: not a file", path);
}

static int copy_bytes(int in, int out, const char *from, const char *to, struct err *e)
{
	char chunk[CHUNK];
	ssize_t n;

	while ((n = read(in, chunk, sizeof chunk)) > 0) {
		for (ssize_t done = 0, wrote; done < n; done += wrote) {
			wrote = write(out, chunk + done, (size_t)(n - done));
			if (wrote <= 0)
				return err_sys(e, fs_class(errno), errno, "%s: write", to);
		}
	}
	if (n < 0)
		return err_sys(e, fs_class(errno), errno, "%s: read", from);
	return fsync(out) < 0 ? err_sys(e, fs_class(errno), errno, "%s: sync", to) : 0;
}
