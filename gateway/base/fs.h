/* Files that survive a power cut, directories, locks.
 *
 * "Durable" here means: written, fsynced, renamed into place, directory fsynced. Errors: ERR_TEMP
 * for a full or failing disk, ERR_CONF for permissions, wrong kinds of file and files that are not
 * there (err.sys is ENOENT then), ERR_PERM for content over a limit. */
#ifndef QIAO_BASE_FS_H
#define QIAO_BASE_FS_H
#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>

/* Like mkdir -p, mode 0700; what it makes is durable. */
int fs_mkdirs(const char *path, struct err *e);
/* Whole file, appended; out holds at most out->max in all. On failure out is as before. Regular
 * files only. */
int fs_read(const char *path, struct buf *out, struct err *e);
/* Whole file at once or not at all: temporary name in the same directory (leading dot), fsync,
 * rename, fsync directory. mode e.g. 0600, less the umask. Leaves no temporary behind on failure
 * (only a killed process can: fs_sweep). When nothing but the last fsync failed, the new file is in
 * place already, whole but not promised. */
int fs_write_durable(const char *path, const void *data, size_t len, unsigned mode, struct err *e);
/* The same without the two fsyncs: for files that can be made anew (status, answers). Still
 * atomic. */
int fs_write_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *e);
int fs_sync_dir(const char *path, struct err *e);
/* Nothing there is fine; never follows symbolic links. */
int fs_remove_tree(const char *path, struct err *e);
/* Removes the temporary files that killed writers left in dir. Only for who holds the lock of all
 * that write there. */
int fs_sweep(const char *dir, struct err *e);
bool fs_exists(const char *path);
enum err_class fs_class(int sys); /* the class of an errno of a file operation, as told above */

/* Exclusive advisory lock held by the process until it ends, however it ends (or fs_unlock).
 * ERR_TEMP when another holds it (err.sys is EWOULDBLOCK), the text naming its pid. The file stays.
 * Children that exec do not hold it. */
int fs_lock(const char *path, int *fd, struct err *e);
void fs_unlock(int fd);

/* dst = dir/name, -1 when it does not fit. */
int fs_join(char *dst, size_t cap, const char *dir, const char *name);

#endif
