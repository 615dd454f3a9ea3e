#include "store/store.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CACHE_KIB = 2048,
	BUSY_MS = 5000,
	PAGE_BYTES = 4096,
	WAL_KIB = 8192,
	WAL_FAR = 4,	   /* times wal_kib: then the WAL is emptied, waiting for readers */
	FAR_WAIT_MS = 100, /* but not for long: a running backup is a reader too */
};

struct stmt {
	struct store *store;
	sqlite3_stmt *st;
	int bind_rc; /* the first binding that failed; told by the step */
	struct stmt *next;
};

struct store {
	sqlite3 *db;
	char *path;
	char *vfs; /* NULL = default */
	const char *name;
	struct stmt *stmts;
	struct stmt *begin, *commit, *rollback, *version;
	int busy_ms, page_bytes, wal_pages;
	int far_pages; /* WAL length at which it is next emptied with waiting */
	bool dead;     /* after ERR_SAFE */
};

static struct store *store_new(const char *path, const struct store_kind *kind,
			       const struct store_options *o);
static int open_file(struct store *s, const struct store_options *o, struct err *e);
static int set_up(struct store *s, const struct store_options *o, struct err *e);
static int migrate(struct store *s, const struct store_kind *kind, int flags, struct err *e);
static int migrate_step(struct store *s, const struct store_kind *kind, int64_t step,
			struct err *e);
static int prepare_own(struct store *s, bool readonly, struct err *e);
static int pragma_int(struct store *s, const char *name, int64_t *v, struct err *e);
static int wal_on(struct store *s, struct err *e);
static int create_empty(const char *path, struct err *e);
static int copy_all(struct store *s, sqlite3 *to, const char *dst, struct err *e);
static int on_commit(void *arg, sqlite3 *db, const char *name, int pages);
static int sync_folder_of(const char *path, struct err *e);
static enum err_class class_of(int rc);
static int failed(struct store *s, int rc, struct err *e);
static int refused(const struct store *s, struct err *e);

int store_open(struct store **out, const char *path, const struct store_kind *kind,
	       const struct store_options *o, struct err *e)
{
	struct store *s = store_new(path, kind, o);

	*out = NULL;
	if (s == NULL)
		return err_set(e, ERR_TEMP, "%s %s: out of memory", kind->name, path);
	if (open_file(s, o, e) < 0 || migrate(s, kind, o->flags, e) < 0 || set_up(s, o, e) < 0 ||
	    prepare_own(s, o->flags & STORE_READONLY, e) < 0) {
		store_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	while (s->stmts) {
		struct stmt *st = s->stmts;

		s->stmts = st->next;
		sqlite3_finalize(st->st);
		free(st);
	}
	/* Closing copies the WAL back; after a failed fsync nothing may be written any more. */
	if (s->dead)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	sqlite3_close(s->db);
	free(s->path);
	free(s->vfs);
	free(s);
}

int store_exec(struct store *s, const char *sql, struct err *e)
{
	int rc;

	if (s->dead)
		return refused(s, e);
	rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : failed(s, rc, e);
}

int store_begin(struct store *s, struct err *e)
{
	return stmt_run(s->begin, e);
}

int store_commit(struct store *s, struct err *e)
{
	if (stmt_run(s->commit, e) == 0)
		return 0;
	store_rollback(s);
	return -1;
}

void store_rollback(struct store *s)
{
	/* Some errors have rolled back already. Its own errors say nothing new: the handle is then
	 * of no use. */
	if (s->rollback && !sqlite3_get_autocommit(s->db)) {
		sqlite3_step(s->rollback->st);
		if (sqlite3_reset(s->rollback->st) != SQLITE_OK)
			s->dead = true;
	}
}

int64_t store_last_rowid(struct store *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

int64_t store_changes(struct store *s)
{
	return sqlite3_changes64(s->db);
}

int64_t store_data_version(struct store *s)
{
	int64_t v = -1;

	if (stmt_step(s->version, NULL) == 1) {
		v = stmt_get_int(s->version, 0);
		stmt_reset(s->version);
	}
	return v;
}

int store_backup(struct store *s, const char *dst, struct err *e)
{
	sqlite3 *to = NULL;
	int rc = -1, open_rc;

	if (s->dead)
		return refused(s, e);
	if (create_empty(dst, e) < 0)
		return -1;
	open_rc = sqlite3_open_v2(dst, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, s->vfs);
	if (open_rc != SQLITE_OK) {
		err_set(e, class_of(open_rc), "%s: %s", dst, sqlite3_errstr(open_rc));
		goto out;
	}
	rc = copy_all(s, to, dst, e);
out:
	open_rc = sqlite3_close(to);
	if (rc == 0 && open_rc != SQLITE_OK)
		rc = err_set(e, class_of(open_rc), "%s: close: %s", dst, sqlite3_errstr(open_rc));
	if (rc == 0)
		rc = sync_folder_of(dst, e);
	if (rc < 0)
		unlink(dst);
	return rc;
}

int store_prepare(struct store *s, struct stmt **out, const char *sql, struct err *e)
{
	struct stmt *st;
	int rc;

	*out = NULL;
	if (s->dead)
		return refused(s, e);
	st = calloc(1, sizeof *st);
	if (st == NULL)
		return err_set(e, ERR_TEMP, "%s %s: out of memory", s->name, s->path);
	st->store = s;
	rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->st, NULL);
	if (rc != SQLITE_OK) {
		free(st);
		return failed(s, rc, e);
	}
	st->next = s->stmts;
	s->stmts = st;
	*out = st;
	return 0;
}

static void bound(struct stmt *st, int rc)
{
	if (rc != SQLITE_OK && st->bind_rc == SQLITE_OK)
		st->bind_rc = rc;
}

void stmt_int(struct stmt *st, int i, int64_t v)
{
	bound(st, sqlite3_bind_int64(st->st, i, v));
}

void stmt_null(struct stmt *st, int i)
{
	bound(st, sqlite3_bind_null(st->st, i));
}

void stmt_blob(struct stmt *st, int i, const void *p, size_t n)
{
	bound(st, sqlite3_bind_blob64(st->st, i, p, n, SQLITE_STATIC));
}

void stmt_text(struct stmt *st, int i, struct str s)
{
	bound(st, sqlite3_bind_text64(st->st, i, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8));
}

int stmt_step(struct stmt *st, struct err *e)
{
	int rc = st->bind_rc;

	if (st->store->dead) {
		stmt_reset(st);
		return refused(st->store, e);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st->st);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		failed(st->store, rc, e);
	stmt_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

void stmt_reset(struct stmt *st)
{
	sqlite3_reset(st->st); /* repeats the error of the step, which was told */
	sqlite3_clear_bindings(st->st);
	st->bind_rc = SQLITE_OK;
}

int stmt_run(struct stmt *st, struct err *e)
{
	int rc = stmt_step(st, e);

	if (rc == 1) {
		stmt_reset(st);
		return err_set(e, ERR_SAFE, "%s %s: a row where none was expected", st->store->name,
			       st->store->path);
	}
	return rc;
}

int64_t stmt_get_int(struct stmt *st, int col)
{
	return sqlite3_column_int64(st->st, col);
}

struct str stmt_get_text(struct stmt *st, int col)
{
	const char *p = (const char *)sqlite3_column_text(st->st, col);

	return (struct str){p, p ? (size_t)sqlite3_column_bytes(st->st, col) : 0};
}

struct str stmt_get_blob(struct stmt *st, int col)
{
	const char *p = sqlite3_column_blob(st->st, col);

	/* SQLite gives NULL for an empty blob too; here only NULL has no value. */
	if (p == NULL && sqlite3_column_type(st->st, col) != SQLITE_NULL)
		p = "";
	return (struct str){p, p ? (size_t)sqlite3_column_bytes(st->st, col) : 0};
}

bool stmt_is_null(struct stmt *st, int col)
{
	return sqlite3_column_type(st->st, col) == SQLITE_NULL;
}

static struct store *store_new(const char *path, const struct store_kind *kind,
			       const struct store_options *o)
{
	struct store *s = calloc(1, sizeof *s);
	int wal_kib = o->wal_kib ? o->wal_kib : WAL_KIB;

	if (s == NULL)
		return NULL;
	s->name = kind->name;
	s->path = strdup(path);
	s->vfs = o->vfs ? strdup(o->vfs) : NULL;
	s->busy_ms = o->busy_ms ? o->busy_ms : BUSY_MS;
	s->page_bytes = o->page_bytes ? o->page_bytes : PAGE_BYTES;
	s->wal_pages = (int)((int64_t)wal_kib * 1024 / s->page_bytes);
	if (s->wal_pages < 1)
		s->wal_pages = 1;
	s->far_pages = WAL_FAR * s->wal_pages;
	if (s->path == NULL || (o->vfs && s->vfs == NULL)) {
		store_close(s);
		return NULL;
	}
	return s;
}

/* Before SQLite's first use in a process; too late it changes nothing. Its own count of memory takes a
 * lock at each allocation, and pages in bulk cost each open file a third of a MiB, read or not. */
static void tune(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

static int open_file(struct store *s, const struct store_options *o, struct err *e)
{
	int flags = SQLITE_OPEN_NOMUTEX, rc;
	char sql[64];

	flags |= o->flags & STORE_READONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	if ((o->flags & STORE_CREATE) && !fs_exists(s->path) && create_empty(s->path, e) < 0)
		return -1;
	tune();
	rc = sqlite3_open_v2(s->path, &s->db, flags, s->vfs);
	if (s->db)
		sqlite3_extended_result_codes(s->db, 1);
	if (rc != SQLITE_OK && !fs_exists(s->path))
		return err_sys(e, ERR_CONF, ENOENT, "%s %s: open", s->name, s->path);
	if (rc != SQLITE_OK)
		return failed(s, rc, e);
	sqlite3_busy_timeout(s->db, s->busy_ms);
	snprintf(sql, sizeof sql, "PRAGMA page_size=%d",
		 s->page_bytes); /* of use to a new file only */
	return store_exec(s, sql, e);
}

/* The kind is checked before anything is set: a stranger's file is not even turned into WAL
 * mode. */
static int migrate(struct store *s, const struct store_kind *kind, int flags, struct err *e)
{
	int64_t id, version, pages;

	if (pragma_int(s, "application_id", &id, e) < 0 ||
	    pragma_int(s, "user_version", &version, e) < 0 ||
	    pragma_int(s, "page_count", &pages, e) < 0)
		return -1;
	if (id == 0 && version == 0 && pages == 0 && (flags & STORE_CREATE))
		id = kind->application_id;
	if ((uint32_t)id != kind->application_id)
		return err_set(e, ERR_CONF, "%s %s: another kind of file", s->name, s->path);
	if (version > kind->step_count)
		return err_set(e, ERR_CONF, "%s %s: version %d is newer than this program's %d",
			       s->name, s->path, (int)version, kind->step_count);
	if (flags & STORE_READONLY) {
		if (version == kind->step_count)
			return 0;
		return err_set(e, ERR_CONF,
			       "%s %s: version %d is old; start the program that writes it once",
			       s->name, s->path, (int)version);
	}
	if (wal_on(s, e) < 0)
		return -1;
	for (; version < kind->step_count; version++)
		if (migrate_step(s, kind, version, e) < 0)
			return -1;
	return 0;
}

/* Another process may be doing the same: the version is looked at again when the file is ours. */
static int migrate_step(struct store *s, const struct store_kind *kind, int64_t step, struct err *e)
{
	int64_t version;
	char sql[96];

	if (store_exec(s, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	if (pragma_int(s, "user_version", &version, e) < 0)
		goto undo;
	if (version == step) {
		snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d",
			 (int)kind->application_id, (int)step + 1);
		if (store_exec(s, kind->steps[step], e) < 0 || store_exec(s, sql, e) < 0)
			goto undo;
	}
	if (store_exec(s, "COMMIT", e) < 0)
		goto undo;
	return 0;
undo:
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int set_up(struct store *s, const struct store_options *o, struct err *e)
{
	char sql[256];

	snprintf(sql, sizeof sql,
		 "PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;"
		 "PRAGMA trusted_schema=OFF; PRAGMA cache_size=-%d; PRAGMA journal_size_limit=%lld",
		 o->cache_kib ? o->cache_kib : CACHE_KIB,
		 (long long)WAL_FAR * s->wal_pages * s->page_bytes);
	if (store_exec(s, sql, e) < 0)
		return -1;
	/* Instead of SQLite's own, which keeps an error of the checkpoint to itself: a failed fsync
	 * must end us. */
	sqlite3_wal_hook(s->db, on_commit, s);
	return 0;
}

static int prepare_own(struct store *s, bool readonly, struct err *e)
{
	if (store_prepare(s, &s->version, "PRAGMA data_version", e) < 0)
		return -1;
	return store_prepare(s, &s->begin, readonly ? "BEGIN" : "BEGIN IMMEDIATE", e) < 0 ||
			       store_prepare(s, &s->commit, "COMMIT", e) < 0 ||
			       store_prepare(s, &s->rollback, "ROLLBACK", e) < 0
		       ? -1
		       : 0;
}

static int pragma_int(struct store *s, const char *name, int64_t *v, struct err *e)
{
	sqlite3_stmt *st = NULL;
	char sql[96];
	int rc;

	snprintf(sql, sizeof sql, "PRAGMA %s", name);
	rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*v = sqlite3_column_int64(st, 0);
	else
		failed(s, rc, e);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : -1;
}

/* Where WAL is not possible (a file system without shared memory) SQLite says so only in the
 * result. */
static int wal_on(struct store *s, struct err *e)
{
	sqlite3_stmt *st = NULL;
	bool wal = false;
	int rc;

	rc = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode=WAL", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		wal = strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
	else
		failed(s, rc, e);
	sqlite3_finalize(st);
	if (rc == SQLITE_ROW && !wal)
		err_set(e, ERR_CONF, "%s %s: no WAL on this file system", s->name, s->path);
	return wal ? 0 : -1;
}

/* So that the mode does not hang on the umask; -wal and -shm take it over. Only where nothing is:
 * to close a descriptor of a file that SQLite has open here would drop its locks. */
static int create_empty(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, fs_class(errno), errno, "%s: create", path);
	close(fd);
	return sync_folder_of(path, e);
}

static int copy_all(struct store *s, sqlite3 *to, const char *dst, struct err *e)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", s->db, "main");
	int rc;

	if (copy == NULL) {
		rc = sqlite3_errcode(to);
		return err_set(e, class_of(rc), "%s: %s", dst, sqlite3_errmsg(to));
	}
	/* All pages in one step: in parts it would start anew whenever somebody writes. */
	rc = sqlite3_backup_step(copy, -1);
	sqlite3_backup_finish(copy);
	if (rc != SQLITE_DONE)
		return err_set(e, class_of(rc), "%s %s: copy: %s", s->name, s->path,
			       sqlite3_errstr(rc));
	return 0;
}

/* Called by SQLite after each commit with the length of the WAL. A passive copy never waits; where
 * readers that come and go keep the WAL from starting over, it is emptied once with a short wait. A
 * full disk or a busy file is tried again later. */
static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;
	bool far = pages >= s->far_pages;
	int rc;

	if (pages < s->wal_pages)
		return SQLITE_OK;
	if (far)
		sqlite3_busy_timeout(db, FAR_WAIT_MS < s->busy_ms ? FAR_WAIT_MS : s->busy_ms);
	rc = sqlite3_wal_checkpoint_v2(
		db, name, far ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (far) {
		sqlite3_busy_timeout(db, s->busy_ms);
		s->far_pages = rc == SQLITE_OK ? WAL_FAR * s->wal_pages : pages + s->wal_pages;
	}
	return rc == SQLITE_OK || class_of(rc) == ERR_TEMP ? SQLITE_OK : rc;
}

static int sync_folder_of(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];

	if (slash == NULL)
		return fs_sync_dir(".", e);
	if (str_copy(dir, sizeof dir, (struct str){path, (size_t)(slash - path) + 1}) < 0)
		return err_set(e, ERR_CONF, "%.100s: name too long", path);
	return fs_sync_dir(dir, e);
}

/* What may pass is TEMP. What shows that the disk or the file is not to be trusted, or that this
 * program is wrong, is SAFE. */
static enum err_class class_of(int rc)
{
	if (rc == SQLITE_READONLY_DBMOVED)
		return ERR_SAFE;
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_INTERRUPT:
		return ERR_TEMP;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
	case SQLITE_NOTADB:
		return ERR_CONF;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return ERR_PERM;
	default:
		return ERR_SAFE;
	}
}

static int failed(struct store *s, int rc, struct err *e)
{
	enum err_class class = class_of(rc);

	if (class == ERR_SAFE)
		s->dead = true;
	/* Its message may be about an earlier call (a binding): take the code's own words then. */
	return err_set(e, class, "%s %s: %s (sqlite %d)", s->name, s->path,
		       sqlite3_extended_errcode(s->db) == rc ? sqlite3_errmsg(s->db)
							     : sqlite3_errstr(rc),
		       rc);
}

static int refused(const struct store *s, struct err *e)
{
	return err_set(
		e, ERR_SAFE,
		"%s %s: refused after an earlier failure; end this program and start it anew",
		s->name, s->path);
}
