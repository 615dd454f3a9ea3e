/* The ledger's handle: opening, what it is (id, epoch), transactions, positions, backup. */
#include "ledger/ledger.h"
#include "base/date.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "ledger/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The fence. A lock file keeps a second gateway away, but a lock can be lost while its holder sleeps: removed by a person, on a file
 * system that forgets it. So who opens the ledger for writing counts `writer` up in a transaction of its own, before it reads
 * anything else, and each transaction looks at that number first: BEGIN IMMEDIATE holds SQLite's write lock, so between this look
 * and the commit nobody can raise it. A gateway that slept through a take-over finds another number than its own and stops, with
 * nothing of its transaction in the file. One that sleeps inside a transaction keeps the new one out (ERR_TEMP, tried again) until it
 * goes on or is killed: there is no moment at which both write. The epoch is another number and stays: nothing was lost, versions go
 * on.
 *
 * The bus cannot look at this number. A supervisor therefore kills what hangs before another can have its lock, and the dead publish
 * nothing. Where the lock itself was lost, who wakes up looks before each blob of the outbox that it publishes, and before the flush
 * (outbox_publish): it stops there. What is left is one that slept between such a look and the sending that follows it. It says what it
 * committed before it was fenced off: events that the new one found in the same outbox and published too, with the same ids, seqs and
 * versions, byte for byte. Readers drop repeats by id and keep the highest version, so no payment and no answer changes by it. What it
 * can leave behind is an older event as the last one of a partition: of a statistic, until that key's next version; and should the
 * gateway start anew before the next event there, it takes the bus for older than the ledger and refuses, which loses nothing. */
struct fenced {
	struct ledger ledger; /* first: a ledger's address is that of its handle */
	struct stmt *look;
	int64_t writer;
};

static int first_positions(struct store *st, const int *partitions, struct err *e)
{
	struct stmt *p;
	if (store_prepare(st, &p, ledger_sql[Q_POSITION_PUT], e) != 0)
		return -1;
	for (int i = 0; i < topic_count; i++)
		for (int r = 0; r < 4 && topics[i].readers[r]; r++) {
			if (strcmp(topics[i].readers[r], "gateway") != 0)
				continue;
			for (int n = 0; n < (partitions ? partitions[i] : 1); n++) {
				stmt_text(p, 1, str_of(topics[i].name));
				stmt_int(p, 2, n);
				stmt_int(p, 3, 0);
				stmt_blob(p, 4, (struct id){{0}}.b, ID_LEN);
				if (stmt_run(p, e) != 0)
					return -1;
			}
		}
	return 0;
}

int ledger_init(const char *path, const int *partitions, struct err *e)
{
	struct store *st = NULL;
	struct stmt *q;
	struct id id;
	char hex[ID_HEX];
	int rc = -1;
	if (fs_exists(path))
		return err_set(e, ERR_CONF, "ledger: exists already; nothing was changed");
	struct store_options o = {.flags = STORE_CREATE, .busy_ms = 1000};
	if (store_open(&st, path, &ledger_kind, &o, e) != 0)
		return -1;
	random_bytes(id.b, sizeof(id.b));
	if (store_begin(st, e) != 0 || store_prepare(st, &q, ledger_sql[Q_META_PUT], e) != 0)
		goto out;
	stmt_text(q, 1, STR("ledger_id"));
	stmt_text(q, 2, str_of(id_hex(&id, hex)));
	if (stmt_run(q, e) != 0)
		goto out;
	stmt_text(q, 1, STR("epoch"));
	stmt_int(q, 2, 1);
	if (stmt_run(q, e) != 0)
		goto out;
	stmt_reset(q);
	if (first_positions(st, partitions, e) == 0)
		rc = store_commit(st, e);
out:
	store_close(st);
	return rc;
}

static int meta_int(struct store *st, const char *key, int64_t fallback, int64_t *out, struct err *e)
{
	struct stmt *q;
	if (store_prepare(st, &q, "SELECT value FROM meta WHERE key = ?1", e) != 0)
		return -1;
	stmt_text(q, 1, str_of(key));
	int got = stmt_step(q, e);
	*out = got == 1 ? stmt_get_int(q, 0) : fallback;
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int meta_put(struct ledger *l, const char *key, int64_t v, struct err *e)
{
	stmt_text(l->q[Q_META_PUT], 1, str_of(key));
	stmt_int(l->q[Q_META_PUT], 2, v);
	return stmt_run(l->q[Q_META_PUT], e);
}

int one_int(struct store *st, const char *sql, int64_t *out, struct err *e)
{
	struct stmt *q;
	if (store_prepare(st, &q, sql, e) != 0)
		return -1;
	int got = stmt_step(q, e);
	*out = got == 1 ? stmt_get_int(q, 0) : 0;
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

/* The first day that will be cut is that on which the ledger was first opened. */
static int begin_days(struct ledger *l, struct err *e)
{
	int64_t from;
	if (meta_int(l->st, "cut_from", INT64_MIN, &from, e) != 0)
		return -1;
	return from == INT64_MIN ? meta_put(l, "cut_from", date_of_time(l->now), e) : 0;
}

/* Whoever wrote before writes no more when this returns. What the counters say is read after it: until then they may change. */
static int fence_off(struct ledger *l, struct err *e)
{
	struct fenced *f = (struct fenced *)l;
	int64_t before;
	if (store_prepare(l->st, &f->look, "SELECT value FROM meta WHERE key = 'writer'", e) != 0 || store_begin(l->st, e) != 0)
		return -1;
	if (meta_int(l->st, "writer", 0, &before, e) != 0 || meta_put(l, "writer", before + 1, e) != 0 || begin_days(l, e) != 0) {
		store_rollback(l->st);
		return -1;
	}
	f->writer = before + 1;
	return store_commit(l->st, e);
}

int still_ours(struct ledger *l, const char *unsaid, struct err *e)
{
	struct fenced *f = (struct fenced *)l;
	int got = stmt_step(f->look, e);
	int64_t now = got == 1 ? stmt_get_int(f->look, 0) : 0;
	stmt_reset(f->look);
	if (got < 0)
		return -1;
	if (now == f->writer)
		return 0;
	return err_set(e, ERR_SAFE,
		       "ledger: another gateway took over this ledger (writer %" PRId64 ", this one is %" PRId64
		       "); %s. Go on with that one, and find out how this one lost its lock",
		       now, f->writer, unsaid);
}

static int feed_load(struct ledger *l, struct err *e)
{
	struct stmt *q;
	int got;
	if (store_prepare(l->st, &q, "SELECT as_of FROM position WHERE topic = 'contributions' ORDER BY partition", e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1 && l->feed_partitions < BUS_PARTITIONS_MAX)
		l->feed_as_of[l->feed_partitions++] = stmt_get_int(q, 0);
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

/* Id, epoch and where the counters stand; a restored copy becomes the living ledger. */
static int who_am_i(struct ledger *l, int64_t now, struct err *e)
{
	struct stmt *q;
	int64_t epoch, copy;
	char id[ID_HEX] = "";
	if (store_prepare(l->st, &q, "SELECT value FROM meta WHERE key = 'ledger_id'", e) != 0)
		return -1;
	int got = stmt_step(q, e);
	if (got == 1)
		str_copy(id, sizeof(id), stmt_get_text(q, 0));
	stmt_reset(q);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(e, ERR_SAFE, "ledger: has no id: not a ledger that qiao init made");
	if (meta_int(l->st, "epoch", 1, &epoch, e) != 0 || meta_int(l->st, "copy", 0, &copy, e) != 0 ||
	    meta_int(l->st, "restored_at", 0, &l->restored_at, e) != 0 ||
	    feed_load(l, e) != 0 || outbox_load(l, e) != 0 ||
	    meta_int(l->st, "outbox_last", 0, &l->outbox_last, e) != 0 ||
	    meta_int(l->st, "outbox_sent", 0, &l->outbox_sent, e) != 0 ||
	    one_int(l->st, "SELECT max(no) FROM decl", &l->last_decl, e) != 0 ||
	    one_int(l->st, "SELECT max(no) FROM submission", &l->last_sub, e) != 0 ||
	    one_int(l->st, "SELECT max(seq) FROM history", &l->last_history, e) != 0 ||
	    one_int(l->st, "SELECT max(first) FROM waiting", &l->last_waiting, e) != 0 ||
	    one_int(l->st, "SELECT count(*) FROM early", &l->early_count, e) != 0)
		return -1;
	l->outbox_forgotten = l->outbox_sent;
	l->kept_decl = l->last_decl;
	/* 2: opened once. It stays a copy until the flow has seen that it fits the bus (or has adopted), so that a person who is told
	 * that it does not can still order the adoption. */
	l->woken = copy != 0;
	if (copy == 1) {
		epoch++;
		l->restored_at = now;
		if (ledger_begin(l, e) != 0 || meta_put(l, "epoch", epoch, e) != 0 ||
		    meta_put(l, "restored_at", now, e) != 0 || meta_put(l, "copy", 2, e) != 0 ||
		    store_commit(l->st, e) != 0)
			return -1;
	}
	l->epoch = epoch;
	snprintf(l->mark, sizeof(l->mark), "%s/%" PRId64, id, epoch);
	return 0;
}

int ledger_open(struct ledger **out, const char *path, int64_t cache_kib, int64_t now, const char *vfs, struct err *e)
{
	struct fenced *f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	struct ledger *l = &f->ledger;
	l->decls.size = sizeof(struct decl);
	l->persons.size = sizeof(struct person);
	l->subs.size = sizeof(struct submission);
	l->uses.size = sizeof(struct plan_use);
	buf_init(&l->outbox, (size_t)64 << 20);
	l->now = now;
	if (!fs_exists(path)) {
		err_set(e, ERR_CONF, "ledger: not there; a new installation is made with: qiao init");
		goto fail;
	}
	struct store_options o = {.flags = 0, .cache_kib = (int)cache_kib, .busy_ms = 10000, .wal_kib = 32 << 10, .vfs = vfs};
	if (store_open(&l->st, path, &ledger_kind, &o, e) != 0)
		goto fail;
	for (int i = 0; i < SQLS; i++)
		if (store_prepare(l->st, &l->q[i], ledger_sql[i], e) != 0)
			goto fail;
	if (fence_off(l, e) != 0 || who_am_i(l, now, e) != 0 || stats_load(l, e) != 0 || cut_load(l, e) != 0 || adopted_load(l, e) != 0 ||
	    links_load(l, e) != 0)
		goto fail;
	*out = l;
	return 0;
fail:
	ledger_close(l);
	return -1;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	store_close(l->st);
	pool_fini(&l->decls);
	pool_fini(&l->persons);
	pool_fini(&l->subs);
	pool_fini(&l->uses);
	pool_fini(&l->links);
	map_fini(&l->link_by_token);
	map_fini(&l->decl_by_no);
	map_fini(&l->decl_by_pid);
	map_fini(&l->person_by_key);
	map_fini(&l->sub_by_no);
	map_fini(&l->sub_by_id);
	map_fini(&l->use_by_key);
	hold_fini(&l->held);
	free(l->waits);
	stats_fini(l);
	buf_fini(&l->outbox);
	free(l->delivered);
	free(l);
}

int ledger_backup(const char *path, const char *dst, int64_t *outbox_seq, struct err *e)
{
	struct store *st = NULL;
	struct stmt *q;
	int rc = -1;
	struct store_options o = {.flags = STORE_READONLY, .busy_ms = 10000};
	if (store_open(&st, path, &ledger_kind, &o, e) != 0)
		return -1;
	if (store_backup(st, dst, e) != 0)
		goto out;
	store_close(st);
	st = NULL;
	o.flags = 0;
	if (store_open(&st, dst, &ledger_kind, &o, e) != 0 ||
	    meta_int(st, "outbox_last", 0, outbox_seq, e) != 0 ||
	    store_prepare(st, &q, "INSERT OR REPLACE INTO meta(key, value) VALUES('copy', 1)", e) != 0 ||
	    stmt_run(q, e) != 0)
		goto out;
	rc = 0;
out:
	store_close(st);
	return rc;
}

const char *ledger_mark(const struct ledger *l)
{
	return l->mark;
}

int64_t ledger_restored_at(const struct ledger *l)
{
	return l->restored_at;
}

int64_t ledger_next_version(const struct ledger *l, int64_t version, int64_t room)
{
	int64_t base = (l->epoch - 1) * room;
	return (version < base ? base : version) + 1;
}

int64_t ledger_outbox_seq(const struct ledger *l)
{
	return l->outbox_last;
}

int64_t ledger_outbox_sent(const struct ledger *l)
{
	return l->outbox_sent;
}

int64_t ledger_feed_as_of(const struct ledger *l)
{
	int64_t least = l->feed_partitions ? INT64_MAX : 0;
	for (int i = 0; i < l->feed_partitions; i++)
		least = l->feed_as_of[i] < least ? l->feed_as_of[i] : least;
	return least;
}

void ledger_set_feed_as_of(struct ledger *l, int partition, int64_t as_of)
{
	if (partition < l->feed_partitions && as_of > l->feed_as_of[partition]) {
		l->feed_as_of[partition] = as_of;
		l->meta_dirty = true;
	}
}

static int feed_put(struct ledger *l, struct err *e)
{
	for (int i = 0; i < l->feed_partitions; i++) {
		stmt_int(l->q[Q_FEED_PUT], 1, i);
		stmt_int(l->q[Q_FEED_PUT], 2, l->feed_as_of[i]);
		if (stmt_run(l->q[Q_FEED_PUT], e) != 0)
			return -1;
	}
	return 0;
}

void ledger_set_now(struct ledger *l, int64_t now)
{
	l->now = now;
}

int64_t decl_last(const struct ledger *l)
{
	return l->last_decl;
}

int ledger_begin(struct ledger *l, struct err *e)
{
	if (store_begin(l->st, e) != 0)
		return -1;
	if (still_ours(l, "nothing of this transaction was written", e) == 0)
		return 0;
	store_rollback(l->st);
	return -1;
}

int ledger_commit(struct ledger *l, struct err *e)
{
	if (records_write(l, e) != 0 || waiting_write(l, e) != 0 || stats_write(l, e) != 0 || outbox_write(l, e) != 0)
		return -1;
	if (l->meta_dirty && feed_put(l, e) != 0)
		return -1;
	if (l->outbox_count && meta_put(l, "outbox_last", l->outbox_last, e) != 0)
		return -1;
	if (l->outbox_sent > l->outbox_forgotten &&
	    (outbox_forget(l, e) != 0 || meta_put(l, "outbox_sent", l->outbox_sent, e) != 0))
		return -1;
	if (store_commit(l->st, e) != 0)
		return -1;
	l->meta_dirty = false;
	l->outbox_forgotten = l->outbox_sent;
	l->outbox_count = 0;
	buf_reset(&l->outbox);
	records_clear(l);
	return 0;
}

void ledger_rollback(struct ledger *l)
{
	store_rollback(l->st);
	records_clear(l);
}

int ledger_positions(struct ledger *l, const char *topic, struct bus_position *out, int *count, struct err *e)
{
	struct stmt *q = l->q[Q_POSITION_GET];
	int got;
	*count = 0;
	stmt_text(q, 1, str_of(topic));
	while ((got = stmt_step(q, e)) == 1 && *count < BUS_PARTITIONS_MAX) {
		struct bus_position *at = &out[(*count)++];
		struct str id = stmt_get_blob(q, 2);
		*at = (struct bus_position){.partition = (int)stmt_get_int(q, 0), .next = stmt_get_int(q, 1)};
		if (id.n == ID_LEN)
			memcpy(at->last_id.b, id.p, ID_LEN);
	}
	stmt_reset(q);
	if (got < 0)
		return -1;
	if (*count == 0)
		return err_set(e, ERR_SAFE,
			       "ledger: no position for topic %s: it was not made by qiao init for this bus; restore the "
			       "backup that belongs to it",
			       topic);
	return 0;
}

int ledger_position_put(struct ledger *l, const char *topic, const struct bus_position *p, struct err *e)
{
	struct stmt *q = l->q[Q_POSITION_PUT];
	stmt_text(q, 1, str_of(topic));
	stmt_int(q, 2, p->partition);
	stmt_int(q, 3, p->next);
	stmt_blob(q, 4, p->last_id.b, ID_LEN);
	return stmt_run(q, e);
}
