/* A SQLite VFS that fails on purpose: over the system's own, it lets the n-th write, sync,
 * truncation, open, read or delete fail, or takes back in one stroke everything that was not synced
 * (a power cut). For fault tests of all that stands on the store.
 *
 *     fault_vfs_install(false);               once; then FAULT_VFS is the vfs of store_options
 *                                             or bus_options
 *     fault_vfs_arm(FAULT_WRITE, 3, FAULT_DISK_FULL);
 *     ... the code under test: the third write from here on fails ...
 *     assert_int_equal(fault_vfs_fired(), 1); a test whose fault did not fire has shown nothing
 *     fault_vfs_disarm();
 *
 * For "every n": count up n until a run ends without the fault fired; that run must succeed.
 * Counted are the files of databases and their WALs and journals, of all connections of this
 * process that use the VFS; shared memory and locks are not. A write that fails has written its
 * first half, as on a disk that fills up. One state a process; a forked child has its own. */
#ifndef QIAO_TESTS_LIB_FAULT_VFS_H
#define QIAO_TESTS_LIB_FAULT_VFS_H
#include <stdbool.h>
#include <stdint.h>

#define FAULT_VFS "fault"

enum fault_op {
	FAULT_OPEN = 1,
	FAULT_READ = 2,
	FAULT_WRITE = 4,
	FAULT_SYNC = 8,
	FAULT_TRUNCATE = 16,
	FAULT_DELETE = 32,
};
enum fault_kind {
	FAULT_DISK_FULL, /* SQLITE_FULL: the store says ERR_TEMP */
	FAULT_IO,	 /* SQLITE_IOERR_FSYNC, _WRITE, ... by operation: the store says ERR_SAFE */
	FAULT_POWER_CUT, /* does not return: see fault_vfs_remember */
};

/* Registers the VFS. as_default: also for connections that name none (bus_init, bus_backup open
 * such). */
void fault_vfs_install(bool as_default);

/* From now on the nth operation (from 1) among ops (FAULT_WRITE | FAULT_SYNC ...) fails, once. */
void fault_vfs_arm(unsigned ops, int64_t nth, enum fault_kind kind);
/* After fault_vfs_arm: all later ones among ops fail too, as on a disk that stays full. */
void fault_vfs_stay(void);
void fault_vfs_disarm(void);  /* fired and seen keep their values until the next arm */
int fault_vfs_fired(void);    /* how many operations were made to fail since the last arm */
int64_t fault_vfs_seen(void); /* how many operations among ops there were since the last arm */

/* For FAULT_POWER_CUT, in a forked child: from now on remembers, for each file, what every write
 * and truncation replaced since that file's last sync. When the fault strikes, all that is put back
 * and the process ends at once (exit status 0) without closing anything; the parent then opens the
 * files as after a power cut. Directory entries are not taken back. The number of writes that were
 * lost is added to *lost (shared memory), where it is not NULL. */
void fault_vfs_remember(int *lost);

#endif
