/* Files. A written file goes through one function (replace), so that the order of its steps stands
 * in one place:
 *
 *     open the folder, make the temporary file, write, fsync, close, rename, fsync the folder
 *
 * Whoever is killed in between leaves the old file whole, and at worst a temporary one (fs_sweep).
 * System calls are made plainly, one name each, so that the fault tests can let the n-th fail. */
#include "base/fs.h"
#include "base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMP_NAMES = 100, READ_CHUNK = 1 << 16 };
static const char temp_prefix[] = ".qiao-tmp-";

static int make_dir(const char *path, struct err *e);
static int read_fd(int fd, const char *path, struct buf *out, struct err *e);
static int open_temp(const char *path, char *temp, size_t cap, unsigned mode, struct err *e);
static int write_file(const char *path, const char *temp, int fd, struct str data, bool sync,
		      struct err *e);
static int replace(const char *path, struct str data, unsigned mode, bool sync, struct err *e);
static int write_all(int fd, const char *p, size_t n);
static int folder_of(char *dir, size_t cap, const char *path);
static int failed(struct err *e, const char *path, const char *what);

enum err_class fs_class(int sys)
{
	/* CONF is what only a person can mend. All that is not known may pass by itself. */
	switch (sys) {
	case EACCES:
	case EPERM:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EROFS:
	case EEXIST:
	case EINVAL:
	case ENOTEMPTY:
	case EXDEV:
	case ENXIO:
		return ERR_CONF;
	case EFBIG:
		return ERR_PERM;
	default:
		return ERR_TEMP;
	}
}

int fs_mkdirs(const char *path, struct err *e)
{
	char part[4096];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof part)
		return err_sys(e, ERR_CONF, n ? ENAMETOOLONG : ENOENT, "%.100s: make folder", path);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && path[i] != '/')
			continue;
		if (path[i - 1] == '/') /* "a//b", or the root */
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (make_dir(part, e) < 0)
			return -1;
	}
	return 0;
}

int fs_read(const char *path, struct buf *out, struct err *e)
{
	size_t len = out->len;
	struct stat st;
	int fd, rc = -1;

	/* NONBLOCK, so that a pipe under this name is refused below and not waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return failed(e, path, "open");
	if (fstat(fd, &st) < 0) {
		failed(e, path, "stat");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_CONF, "%s: not a file", path);
		goto out;
	}
	rc = read_fd(fd, path, out, e);
out:
	if (rc < 0)
		out->len = len;
	close(fd);
	return rc;
}

int fs_write_durable(const char *path, const void *data, size_t len, unsigned mode, struct err *e)
{
	return replace(path, (struct str){data, len}, mode, true, e);
}

int fs_write_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *e)
{
	return replace(path, (struct str){data, len}, mode, false, e);
}

int fs_sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return failed(e, path, "open folder");
	if (fsync(fd) < 0)
		rc = failed(e, path, "sync folder");
	close(fd);
	return rc;
}

int fs_remove_tree(const char *path, struct err *e)
{
	char *paths[] = {(char *)(uintptr_t)path, NULL};
	FTSENT *at;
	FTS *tree;
	int rc = -1;

	tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	if (tree == NULL)
		return failed(e, path, "look through");
	while (errno = 0, (at = fts_read(tree)) != NULL) {
		if (at->fts_info == FTS_D)
			continue; /* again as FTS_DP, when it is empty */
		if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR)
			errno = at->fts_errno;
		else if ((at->fts_info == FTS_DP ? rmdir : unlink)(at->fts_accpath) == 0 ||
			 errno == ENOENT)
			continue;
		failed(e, at->fts_path, "remove");
		goto out;
	}
	if (errno != 0) {
		failed(e, path, "look through");
		goto out;
	}
	rc = 0;
out:
	fts_close(tree);
	return rc;
}

int fs_sweep(const char *dir, struct err *e)
{
	DIR *list = opendir(dir);
	struct dirent *at;
	int rc = 0;

	if (list == NULL)
		return failed(e, dir, "open folder");
	while ((at = readdir(list)) != NULL) {
		if (strncmp(at->d_name, temp_prefix, sizeof temp_prefix - 1) != 0)
			continue;
		if (unlinkat(dirfd(list), at->d_name, 0) < 0 && errno != ENOENT)
			rc = failed(e, dir, "remove temporary file");
	}
	closedir(list);
	return rc;
}

bool fs_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

int fs_lock(const char *path, int *fd, struct err *e)
{
	char pid[16] = "";
	ssize_t n;
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (lock < 0)
		return failed(e, path, "open lock");
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK) {
			failed(e, path, "lock");
		} else {
			n = pread(lock, pid, sizeof pid - 1, 0);
			pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
			err_set(e, ERR_TEMP, "%s: held by process %s", path,
				pid[0] ? pid : "unknown");
			e->sys = EWOULDBLOCK;
		}
		close(lock);
		return -1;
	}
	/* The number only helps a person; the lock itself is the kernel's and ends with the
	 * process. */
	snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(lock, 0) < 0 || pwrite(lock, pid, strlen(pid), 0) < 0) {
		failed(e, path, "write lock");
		close(lock);
		return -1;
	}
	*fd = lock;
	return 0;
}

void fs_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}

int fs_join(char *dst, size_t cap, const char *dir, const char *name)
{
	size_t n = strlen(dir);
	const char *slash = n == 0 || dir[n - 1] == '/' ? "" : "/";
	int len = snprintf(dst, cap, "%s%s%s", dir, slash, name);

	if (len >= 0 && (size_t)len < cap)
		return 0;
	dst[0] = '\0';
	return -1;
}

/* A folder that is only in memory takes everything in it along in a power cut: hence the sync of
 * its parent. */
static int make_dir(const char *path, struct err *e)
{
	char parent[4096];
	struct stat st;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		return err_sys(e, ERR_CONF, ENOTDIR, "%s: make folder", path);
	}
	if (mkdir(path, 0700) < 0) {
		/* Another program may have made it in between. */
		if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
		return failed(e, path, "make folder");
	}
	if (folder_of(parent, sizeof parent, path) < 0)
		return err_sys(e, ERR_CONF, ENAMETOOLONG, "%.100s: make folder", path);
	if (fs_sync_dir(parent, e) == 0)
		return 0;
	rmdir(path); /* else the next try would find it and promise it */
	return -1;
}

/* To the end of the file, whatever its size said: it may be growing. At the maximum one more byte
 * is asked for, to tell a full buffer from a file that is too large. */
static int read_fd(int fd, const char *path, struct buf *out, struct err *e)
{
	for (;;) {
		size_t room = out->max - out->len, want = room < READ_CHUNK ? room : READ_CHUNK;
		uint8_t beyond, *to = want ? buf_reserve(out, want) : &beyond;
		ssize_t n;

		if (to == NULL)
			return err_sys(e, ERR_TEMP, ENOMEM, "%s: read", path);
		n = read(fd, to, want ? want : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(e, path, "read");
		if (n == 0)
			return 0;
		if (want == 0)
			return err_set(e, ERR_PERM, "%s: larger than %zu bytes", path, out->max);
		out->len += (size_t)n;
	}
}

/* The temporary name does not hold the file's own: that may already have the longest length there
 * is. */
static int open_temp(const char *path, char *temp, size_t cap, unsigned mode, struct err *e)
{
	static _Atomic unsigned turn;
	char dir[4096], name[64];

	if (folder_of(dir, sizeof dir, path) < 0)
		return err_sys(e, ERR_CONF, ENAMETOOLONG, "%.100s: write", path);
	for (int i = 0; i < TEMP_NAMES; i++) {
		int fd;

		snprintf(name, sizeof name, "%s%d-%u", temp_prefix, (int)getpid(), turn++);
		if (fs_join(temp, cap, dir, name) < 0)
			return err_sys(e, ERR_CONF, ENAMETOOLONG, "%.100s: write", path);
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST) /* else: left by a killed process that had our number */
			return failed(e, path, "make temporary file");
	}
	return err_set(e, ERR_TEMP, "%s: no free temporary name", path);
}

/* From here on the descriptor and the temporary file are this function's: on failure both go. */
static int write_file(const char *path, const char *temp, int fd, struct str data, bool sync,
		      struct err *e)
{
	if (write_all(fd, data.p, data.n) < 0) {
		failed(e, path, "write");
	} else if (sync && fsync(fd) < 0) {
		failed(e, path, "sync");
	} else if (close(fd) < 0) {
		fd = -1;
		failed(e, path, "close");
	} else if (rename(temp, path) < 0) {
		fd = -1;
		failed(e, path, "rename");
	} else {
		return 0;
	}
	if (fd >= 0)
		close(fd);
	unlink(temp);
	return -1;
}

/* The folder is opened first: then only its fsync itself can still fail once the file is in
 * place. */
static int replace(const char *path, struct str data, unsigned mode, bool sync, struct err *e)
{
	char dir[4096], temp[4096];
	int dir_fd = -1, fd, rc = -1;

	if (folder_of(dir, sizeof dir, path) < 0)
		return err_sys(e, ERR_CONF, ENAMETOOLONG, "%.100s: write", path);
	if (sync && (dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return failed(e, dir, "open folder");
	fd = open_temp(path, temp, sizeof temp, mode, e);
	if (fd < 0)
		goto out;
	if (write_file(path, temp, fd, data, sync, e) < 0)
		goto out;
	if (sync && fsync(dir_fd) < 0) {
		failed(e, dir, "sync folder");
		goto out;
	}
	rc = 0;
out:
	if (dir_fd >= 0)
		close(dir_fd);
	return rc;
}

/* A write may take less than it was given; that is no failure, the rest is. */
static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* The folder that has to be synced for that path. */
static int folder_of(char *dir, size_t cap, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return str_copy(dir, cap, STR("."));
	if (slash == path)
		return str_copy(dir, cap, STR("/"));
	return str_copy(dir, cap, (struct str){path, (size_t)(slash - path)});
}

static int failed(struct err *e, const char *path, const char *what)
{
	return err_sys(e, fs_class(errno), errno, "%s: %s", path, what);
}
