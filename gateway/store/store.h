/* SQLite, behind a narrow door: the only directory that includes <sqlite3.h>. The local bus, the
 * ledger and the simulated agencies' books stand on it.
 *
 * Every file carries application_id and user_version: an older one is migrated by numbered steps, a
 * newer one or a stranger's is refused (ERR_CONF). WAL, synchronous=FULL, foreign_keys off,
 * temp_store memory. Errors: SQLITE_BUSY/FULL are ERR_TEMP; IOERR (fsync among them) and CORRUPT
 * are ERR_SAFE: the process must end and recover, never retry. */
#ifndef QIAO_STORE_STORE_H
#define QIAO_STORE_STORE_H
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

struct store;
struct stmt;

struct store_kind {
	const char *name; /* for messages: "ledger" */
	uint32_t application_id;
	/* steps[i] brings user_version i to i+1; may hold several statements. */
	const char *const *steps;
	int step_count;
};
enum { STORE_CREATE = 1, STORE_READONLY = 2 };
struct store_options {
	int flags;
	int cache_kib;	/* page cache; 0 = 2 MiB */
	int busy_ms;	/* wait that long for another writer before ERR_TEMP; 0 = 5 s */
	int page_bytes; /* of a file made now; 0 = 4096. Large pages suit large blobs. */
	int wal_kib;	/* the WAL is copied back when longer, held below 4 times that; 0 = 8 MiB */
	const char *vfs; /* test VFS by name, NULL = default */
};
/* Opens and migrates (each step in a transaction of its own; a step may not write PRAGMA
 * user_version itself). READONLY never creates or migrates; it reads while others write. A store is
 * used by one thread at a time. New files have mode 0600.
 *
 * After an ERR_SAFE every further call on the store is refused with ERR_SAFE, and closing it writes
 * nothing: whether the last transaction is there shows only after recovery, that is when the next
 * process opens the file. */
int store_open(struct store **out, const char *path, const struct store_kind *kind,
	       const struct store_options *o, struct err *e);
void store_close(struct store *s);				 /* finalizes its statements too */
int store_exec(struct store *s, const char *sql, struct err *e); /* no results */
int store_begin(struct store *s, struct err *e);		 /* BEGIN IMMEDIATE */
/* Durable when it returns 0. On -1 the transaction is rolled back; but after ERR_SAFE it may turn
 * out to be there. */
int store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s); /* fine without a transaction */
int64_t store_last_rowid(struct store *s);
int64_t store_changes(struct store *s);
/* Counts up whenever another connection has changed the file: a cheap look for readers that
 * poll. */
int64_t store_data_version(struct store *s);
/* Online copy of the whole file as of one moment, while others write; dst is a fresh file, durable
 * when 0 is returned. */
int store_backup(struct store *s, const char *dst, struct err *e);

/* Prepared statements: made once, kept for the life of the store. The store frees them. A reset (by
 * stmt_step, stmt_run or stmt_reset) also clears the parameters. An open statement that gave a row
 * holds a read transaction: reset it before waiting. */
int store_prepare(struct store *s, struct stmt **out, const char *sql, struct err *e);
void stmt_int(struct stmt *st, int i, int64_t v); /* parameters from 1 */
void stmt_null(struct stmt *st, int i);
/* Borrowed until reset; p NULL -> NULL. */
void stmt_blob(struct stmt *st, int i, const void *p, size_t n);
void stmt_text(struct stmt *st, int i, struct str s); /* no value -> NULL */
/* 1 a row, 0 done (and reset), -1 error (and reset). */
int stmt_step(struct stmt *st, struct err *e);
void stmt_reset(struct stmt *st);
/* Steps once, expects no row; resets. */
int stmt_run(struct stmt *st, struct err *e);
int64_t stmt_get_int(struct stmt *st, int col);	    /* columns from 0 */
struct str stmt_get_text(struct stmt *st, int col); /* valid until the next step or reset */
struct str stmt_get_blob(struct stmt *st, int col);
bool stmt_is_null(struct stmt *st, int col);

#endif
