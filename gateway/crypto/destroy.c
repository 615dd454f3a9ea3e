/* A year's seal key is destroyed: the deletion of its identities. Marks first, so that a kill in between leaves no key in use and the
 * next call ends what was begun. */
#include "base/fs.h"
#include "crypto/digest.h"
#include "crypto/keyring.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 1024, NAME = 32, OVERWRITE_MAX = 4096 };

static int path_of(char out[PATH], const char *dir, const char *role, const char *name, struct err *e)
{
	char folder[PATH];

	return fs_join(folder, PATH, dir, role) == 0 && fs_join(out, PATH, folder, name) == 0
		       ? 0
		       : err_set(e, ERR_CONF, "keys: path too long");
}

/* The bytes of the file where they lie; on a file system that copies on write, or a disk that moves blocks, older ones may stay. */
static int overwrite(const char *path, struct err *e)
{
	uint8_t noise[OVERWRITE_MAX];
	struct stat st;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), rc = -1;

	if (fd < 0)
		return err_sys(e, ERR_CONF, errno, "key %s", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > OVERWRITE_MAX) {
		err_set(e, ERR_CONF, "key %s: is no key file", path);
	} else {
		random_bytes(noise, (size_t)st.st_size);
		if (pwrite(fd, noise, (size_t)st.st_size, 0) != st.st_size || fsync(fd) != 0)
			err_sys(e, ERR_TEMP, errno, "key %s", path);
		else
			rc = 0;
	}
	if (close(fd) != 0 && rc == 0)
		rc = err_sys(e, ERR_TEMP, errno, "key %s", path);
	return rc;
}

static int mark(const char *dir, const char *role, int year, struct err *e)
{
	static const char text[] = "The key of this year was destroyed, and its identities with it.\n";
	char name[NAME], path[PATH];

	snprintf(name, sizeof name, "seal-%04d.destroyed", year);
	if (path_of(path, dir, role, name, e) != 0)
		return -1;
	return fs_exists(path) ? 0 : fs_write_durable(path, text, sizeof text - 1, 0600, e);
}

static int take_away(const char *dir, const char *role, const char *path, struct err *e)
{
	char folder[PATH];

	if (overwrite(path, e) != 0)
		return -1;
	if (unlink(path) != 0)
		return err_sys(e, ERR_CONF, errno, "key %s", path);
	return fs_join(folder, PATH, dir, role) == 0 ? fs_sync_dir(folder, e) : err_set(e, ERR_CONF, "keys: path too long");
}

/* Gives how many roles have it, -1. */
static int find(char path[ROLE_COUNT][PATH], const char *dir, int year, struct err *e)
{
	char name[NAME];
	const char *role;
	int there = 0;

	snprintf(name, sizeof name, "seal-%04d.key", year);
	for (int i = 0; i < ROLE_COUNT; i++) {
		path[i][0] = '\0';
		if (!role_seals(i, &role))
			continue;
		if (path_of(path[i], dir, role, name, e) != 0)
			return -1;
		if (fs_exists(path[i]))
			there++;
		else
			path[i][0] = '\0';
	}
	return there > 0 ? there : err_set(e, ERR_CONF, "keys %s: no role has a seal key of the year %d", dir, year);
}

int seal_key_there(const char *dir, int year, struct err *e)
{
	char path[ROLE_COUNT][PATH];

	return find(path, dir, year, e) > 0 ? 0 : -1;
}

int seal_key_destroy(const char *dir, int year, void (*gone)(void *arg, const char *path), void *arg, int *count, struct err *e)
{
	char path[ROLE_COUNT][PATH];
	const char *role;

	*count = 0;
	if (find(path, dir, year, e) < 0)
		return -1;
	for (int i = 0; i < ROLE_COUNT; i++)
		if (role_seals(i, &role) && path[i][0] && mark(dir, role, year, e) != 0)
			return -1;
	for (int i = 0; i < ROLE_COUNT; i++) {
		if (!role_seals(i, &role) || !path[i][0])
			continue;
		if (take_away(dir, role, path[i], e) != 0)
			return -1;
		(*count)++;
		if (gone)
			gone(arg, path[i]);
	}
	return 0;
}
