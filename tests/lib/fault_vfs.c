#include "tests/lib/fault_vfs.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file {
	sqlite3_file base;
	const char *path;   /* SQLite's, valid while open; NULL for a temporary file */
	sqlite3_file *real; /* behind this struct */
};
/* What a write or truncation replaced; a list with the newest first, which is the order of putting
 * back. */
struct undo {
	struct undo *next;
	char *path;
	sqlite3_int64 at, size; /* size of the file before */
	int len;
	unsigned char old[];
};

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;
static struct {
	unsigned ops;
	int64_t nth, seen;
	enum fault_kind kind;
	bool stay;
	int fired;
} fault;
static bool remembering;
static int *lost_count;
static struct undo *undo;

static void power_cut(void) __attribute__((noreturn));

/* ---- the fault ---- */
void fault_vfs_arm(unsigned ops, int64_t nth, enum fault_kind kind)
{
	memset(&fault, 0, sizeof fault);
	fault.ops = ops;
	fault.nth = nth;
	fault.kind = kind;
}

void fault_vfs_stay(void)
{
	fault.stay = true;
}

void fault_vfs_disarm(void)
{
	fault.ops = 0;
}

int fault_vfs_fired(void)
{
	return fault.fired;
}

int64_t fault_vfs_seen(void)
{
	return fault.seen;
}

static int strike(enum fault_op op, int io_code)
{
	if (!(fault.ops & op))
		return SQLITE_OK;
	fault.seen++;
	if (fault.seen != fault.nth && !(fault.stay && fault.seen > fault.nth))
		return SQLITE_OK;
	fault.fired++;
	if (fault.kind == FAULT_POWER_CUT)
		power_cut();
	return fault.kind == FAULT_DISK_FULL ? SQLITE_FULL : io_code;
}

/* ---- the power cut ---- */
void fault_vfs_remember(int *lost)
{
	remembering = true;
	lost_count = lost;
}

static int remember(struct file *f, sqlite3_int64 at, sqlite3_int64 len)
{
	sqlite3_int64 size = 0;
	struct undo *u;
	int rc;

	if (!remembering || f->path == NULL)
		return SQLITE_OK;
	rc = f->real->pMethods->xFileSize(f->real, &size);
	if (rc != SQLITE_OK)
		return rc;
	if (len < 0) /* a truncation: all behind it */
		len = size > at ? size - at : 0;
	if (at + len > size)
		len = size > at ? size - at : 0;
	u = malloc(sizeof *u + (size_t)len);
	if (u == NULL || (u->path = strdup(f->path)) == NULL)
		abort();
	u->at = at;
	u->size = size;
	u->len = (int)len;
	u->next = undo;
	undo = u;
	return len ? f->real->pMethods->xRead(f->real, u->old, (int)len, at) : SQLITE_OK;
}

static void forget(const char *path)
{
	struct undo **at = &undo;

	while (*at) {
		struct undo *u = *at;

		if (path == NULL || strcmp(u->path, path) != 0) {
			at = &u->next;
			continue;
		}
		*at = u->next;
		free(u->path);
		free(u);
	}
}

static void power_cut(void)
{
	for (struct undo *u = undo; u; u = u->next) {
		int fd = open(u->path, O_WRONLY | O_CLOEXEC);

		if (fd < 0) /* deleted since */
			continue;
		if (pwrite(fd, u->old, (size_t)u->len, u->at) != u->len ||
		    ftruncate(fd, u->size) < 0)
			_exit(1);
		close(fd);
		if (lost_count)
			++*lost_count;
	}
	_exit(0);
}

/* ---- files ---- */
#define REAL(f) (((struct file *)(f))->real)
#define CALL(f, method, ...) REAL(f)->pMethods->method(REAL(f), __VA_ARGS__)

static int file_close(sqlite3_file *f)
{
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int file_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	int rc = strike(FAULT_READ, SQLITE_IOERR_READ);

	return rc ? rc : CALL(f, xRead, to, len, at);
}

static int file_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
	int rc = strike(FAULT_WRITE, SQLITE_IOERR_WRITE);

	if (remember((struct file *)f, at, len) != SQLITE_OK)
		abort();
	if (rc == SQLITE_OK)
		return CALL(f, xWrite, from, len, at);
	if (len > 1)
		CALL(f, xWrite, from, len / 2, at);
	return rc;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = strike(FAULT_TRUNCATE, SQLITE_IOERR_TRUNCATE);

	if (rc == SQLITE_OK && remember((struct file *)f, size, -1) != SQLITE_OK)
		abort();
	return rc ? rc : CALL(f, xTruncate, size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	int rc = strike(FAULT_SYNC, SQLITE_IOERR_FSYNC);

	if (rc == SQLITE_OK)
		rc = CALL(f, xSync, flags);
	if (rc == SQLITE_OK)
		forget(((struct file *)f)->path);
	return rc;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return CALL(f, xFileSize, size);
}

static int file_lock(sqlite3_file *f, int level)
{
	return CALL(f, xLock, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
	return CALL(f, xUnlock, level);
}

static int file_reserved(sqlite3_file *f, int *out)
{
	return CALL(f, xCheckReservedLock, out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	return CALL(f, xFileControl, op, arg);
}

static int file_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int file_traits(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return CALL(f, xShmMap, page, size, extend, out);
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return CALL(f, xShmLock, offset, n, flags);
}

static void shm_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int shm_unmap(sqlite3_file *f, int delete)
{
	return CALL(f, xShmUnmap, delete);
}

/* Version 2: without memory mapping of the file itself, which would pass by file_read. */
static const sqlite3_io_methods methods = {
	2,	   file_close,	file_read,     file_write,   file_truncate, file_sync,	 file_size,
	file_lock, file_unlock, file_reserved, file_control, file_sector,   file_traits, shm_map,
	shm_lock,  shm_barrier, shm_unmap,     NULL,	     NULL,
};

static int vfs_open(sqlite3_vfs *v, const char *path, sqlite3_file *out, int flags, int *out_flags)
{
	struct file *f = (struct file *)out;
	int rc = strike(FAULT_OPEN, SQLITE_IOERR);

	(void)v;
	f->base.pMethods = NULL;
	if (rc != SQLITE_OK)
		return rc;
	f->path = path;
	f->real = (sqlite3_file *)(f + 1);
	rc = real_vfs->xOpen(real_vfs, path, f->real, flags, out_flags);
	if (f->real->pMethods)
		f->base.pMethods = &methods;
	return rc;
}

static int vfs_delete(sqlite3_vfs *v, const char *path, int sync_dir)
{
	int rc = strike(FAULT_DELETE, SQLITE_IOERR_DELETE);

	(void)v;
	if (rc != SQLITE_OK)
		return rc;
	forget(path);
	return real_vfs->xDelete(real_vfs, path, sync_dir);
}

/* All else is the system's: its functions are given our struct, of which they use nothing but what
 * was copied. */
void fault_vfs_install(bool as_default)
{
	if (real_vfs == NULL) {
		real_vfs = sqlite3_vfs_find(NULL);
		vfs = *real_vfs;
		vfs.zName = FAULT_VFS;
		vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
		vfs.xOpen = vfs_open;
		vfs.xDelete = vfs_delete;
	}
	sqlite3_vfs_register(&vfs, as_default);
}
