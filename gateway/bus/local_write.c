#include "base/clock.h"
#include "base/log.h"
#include "bus/local.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Publishing: events are written into the queue in the form in which they will be stored, cut into
 * batches on the way; a flush only hands the batches to SQLite. One transaction a topic. */
enum {
	CACHE_KIB = 512,
	QUEUE_KEEP = 2 << 20, /* a queue that grew beyond that is given back after the flush */
	KEEP_EVERY_MS = 3600 * 1000,
	BUSY_MS = 30000, /* `operations` has many writers; each holds the file for a moment only */
};

static struct outbound *outbound_of(struct local *b, const char *topic);
static int outbound_open(struct local *b, struct outbound *o, struct err *e);
static int kind_of(struct local *b, struct outbound *o, struct str type, uint32_t *kind,
		   struct err *e);
static int kind_number(struct outbound *o, struct str headers, int64_t *kind, struct err *e);
static int kind_look(struct outbound *o, struct str headers, int64_t *kind, struct err *e);
static int queue_event(struct local *b, struct outbound *o, uint32_t kind,
		       const struct bus_event *ev, struct err *e);
static int cut_new(struct outbound *o);
static void cut_seal(struct outbound *o);
static int write_topic(struct outbound *o, struct err *e);
static int write_batches(struct outbound *o, struct err *e);
static void queue_clear(struct local *b, struct outbound *o);
static int keep_due(struct local *b, struct err *e);

int local_publish(struct local *b, const char *topic, const struct bus_event *ev, struct err *e)
{
	struct outbound *o = outbound_of(b, topic);
	struct err mine;
	uint32_t kind;
	size_t n;

	e = e ? e : &mine;
	assert(o != NULL && strcmp(o->topic->producer, b->role) == 0);
	if (b->failed)
		return local_refused(b, e);
	if (o->store == NULL && outbound_open(b, o, e) < 0)
		return local_fail(b, e);
	if (kind_of(b, o, ev->type, &kind, e) < 0)
		return local_fail(b, e);
	n = batch_event_bytes(kind, ev);
	if (n > EVENT_BYTES_MAX)
		return err_set(e, ERR_PERM,
			       "topic %s: an event of %zu bytes is over the limit of %d", topic, n,
			       EVENT_BYTES_MAX);
	if (b->queued + n > QUEUE_BYTES_MAX && local_flush(b, e) < 0)
		return -1;
	return queue_event(b, o, kind, ev, e);
}

int local_flush(struct local *b, struct err *e)
{
	struct err mine;

	e = e ? e : &mine;
	if (b->failed)
		return local_refused(b, e);
	while (b->dirty_count > 0) {
		struct outbound *o = &b->out[b->dirty[0]];

		if (write_topic(o, e) < 0)
			return local_fail(b, e);
		queue_clear(b, o);
		b->dirty_count--;
		memmove(b->dirty, b->dirty + 1, (size_t)b->dirty_count * sizeof b->dirty[0]);
	}
	return keep_due(b, e);
}

static struct outbound *outbound_of(struct local *b, const char *topic)
{
	if (b->latest && strcmp(b->latest->topic->name, topic) == 0)
		return b->latest;
	for (int i = 0; i < topic_count; i++)
		if (strcmp(topics[i].name, topic) == 0)
			return b->latest = &b->out[i];
	return NULL;
}

static int outbound_open(struct local *b, struct outbound *o, struct err *e)
{
	struct store_options so = {.cache_kib = CACHE_KIB, .busy_ms = BUSY_MS, .vfs = b->vfs};
	char path[CONF_PATH + NAME_BYTES];
	struct store *s;

	if (topic_path(path, sizeof path, b->dir, o->topic->name, e) < 0 ||
	    store_open(&s, path, &topic_kind, &so, e) < 0)
		return -1;
	if (store_prepare(s, &o->end, "SELECT first + count FROM batch ORDER BY first DESC LIMIT 1",
			  e) < 0 ||
	    store_prepare(s, &o->add, "INSERT INTO batch VALUES(?1, ?2, ?3, ?4)", e) < 0 ||
	    store_prepare(s, &o->kind_find, "SELECT id FROM kind WHERE headers = ?1", e) < 0 ||
	    store_prepare(s, &o->kind_add, "INSERT INTO kind(headers) VALUES(?1)", e) < 0 ||
	    store_prepare(s, &o->newest, "SELECT at, first FROM batch ORDER BY first DESC LIMIT 1",
			  e) < 0 ||
	    store_prepare(
		    s, &o->oldest,
		    "SELECT first, count, at FROM batch WHERE first < ?1 ORDER BY first LIMIT ?2",
		    e) < 0 ||
	    store_prepare(s, &o->drop, "DELETE FROM batch WHERE first < ?1", e) < 0) {
		store_close(s);
		return -1;
	}
	o->store = s;
	return 0;
}

static int kind_of(struct local *b, struct outbound *o, struct str type, uint32_t *kind,
		   struct err *e)
{
	char headers[512];
	int64_t number;
	int n;

	for (int i = o->type_count - 1; i >= 0; i--) {
		if (!str_is(type, o->types[i].type))
			continue;
		*kind = o->types[i].kind;
		return 0;
	}
	n = snprintf(headers, sizeof headers,
		     "specversion: 1.0\nsource: /qiao/%s\ntype: cn.keqiao.qiao.%.*s.v1\n"
		     "datacontenttype: application/avro\n%s%s%s",
		     b->role, (int)type.n, type.p, b->ledger[0] ? "qiao_ledger: " : "", b->ledger,
		     b->ledger[0] ? "\n" : "");
	assert(type.n > 0 && type.n < sizeof o->types[0].type && (size_t)n < sizeof headers);
	if (kind_number(o, (struct str){headers, (size_t)n}, &number, e) < 0)
		return -1;
	assert(o->type_count < TYPES_MAX);
	str_copy(o->types[o->type_count].type, sizeof o->types[0].type, type);
	o->types[o->type_count++].kind = *kind = (uint32_t)number;
	return 0;
}

/* A kind is written at once, before any event that needs it: a queue holds numbers that are good
 * whatever comes. */
static int kind_number(struct outbound *o, struct str headers, int64_t *kind, struct err *e)
{
	int rc;

	*kind = 0;
	rc = kind_look(o, headers, kind, e);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (store_begin(o->store, e) < 0)
		return -1;
	rc = kind_look(o, headers, kind, e); /* another process may have been first */
	if (rc == 0) {
		stmt_text(o->kind_add, 1, headers);
		rc = stmt_run(o->kind_add, e);
		*kind = store_last_rowid(o->store);
	}
	if (rc >= 0 && *kind >= KINDS_MAX)
		rc = err_set(e, ERR_SAFE, "topic %s: too many kinds of events", o->topic->name);
	if (rc < 0) {
		store_rollback(o->store);
		return -1;
	}
	return store_commit(o->store, e);
}

static int kind_look(struct outbound *o, struct str headers, int64_t *kind, struct err *e)
{
	int rc;

	stmt_text(o->kind_find, 1, headers);
	rc = stmt_step(o->kind_find, e);
	if (rc == 1) {
		*kind = stmt_get_int(o->kind_find, 0);
		stmt_reset(o->kind_find);
	}
	return rc;
}

static int queue_event(struct local *b, struct outbound *o, uint32_t kind,
		       const struct bus_event *ev, struct err *e)
{
	size_t n = batch_event_bytes(kind, ev);
	struct cut *cut = o->open ? &o->cuts[o->cut_count - 1] : NULL;

	if (cut && (cut->count == BATCH_EVENTS_MAX ||
		    cut->len + n + BATCH_CRC_BYTES > (size_t)b->segment_bytes)) {
		cut_seal(o);
		cut = NULL;
	}
	/* Room for this event and, later, the CRC: so neither putting nor sealing can fail
	 * below. */
	if (buf_reserve(&o->queue, n + BATCH_CRC_BYTES) == NULL || (cut == NULL && cut_new(o) < 0))
		return err_set(e, ERR_TEMP, "topic %s: out of memory", o->topic->name);
	cut = &o->cuts[o->cut_count - 1];
	batch_put(&o->queue, kind, ev);
	cut->len += n;
	if (cut->count++ == 0 || ev->time_ms > cut->newest_ms)
		cut->newest_ms = ev->time_ms;
	b->queued += n;
	if (!o->dirty)
		b->dirty[b->dirty_count++] = (int)(o - b->out);
	o->dirty = true;
	return 0;
}

static int cut_new(struct outbound *o)
{
	if (o->cut_count == o->cut_cap) {
		int cap = o->cut_cap ? 2 * o->cut_cap : 8;
		struct cut *more = realloc(o->cuts, (size_t)cap * sizeof *more);

		if (more == NULL)
			return -1;
		o->cuts = more;
		o->cut_cap = cap;
	}
	o->cuts[o->cut_count++] = (struct cut){.start = o->queue.len};
	o->open = true;
	return 0;
}

static void cut_seal(struct outbound *o)
{
	struct cut *cut = &o->cuts[o->cut_count - 1];
	int rc = batch_seal(&o->queue, cut->start);

	assert(rc == 0);
	cut->len += BATCH_CRC_BYTES;
	o->open = false;
}

/* Offsets are given inside the transaction, so that writers of several processes get different
 * ones. */
static int write_topic(struct outbound *o, struct err *e)
{
	if (o->open)
		cut_seal(o);
	if (store_begin(o->store, e) < 0)
		return -1;
	if (write_batches(o, e) < 0) {
		store_rollback(o->store);
		return -1;
	}
	return store_commit(o->store, e);
}

static int write_batches(struct outbound *o, struct err *e)
{
	int64_t next = 0;
	int rc = stmt_step(o->end, e);

	if (rc < 0)
		return -1;
	if (rc == 1) {
		next = stmt_get_int(o->end, 0);
		stmt_reset(o->end);
	}
	for (int i = 0; i < o->cut_count; i++) {
		const struct cut *cut = &o->cuts[i];

		stmt_int(o->add, 1, next);
		stmt_int(o->add, 2, cut->count);
		stmt_int(o->add, 3, cut->newest_ms);
		stmt_blob(o->add, 4, o->queue.data + cut->start, cut->len);
		if (stmt_run(o->add, e) < 0)
			return -1;
		next += cut->count;
	}
	return 0;
}

static void queue_clear(struct local *b, struct outbound *o)
{
	for (int i = 0; i < o->cut_count; i++)
		b->queued -= o->cuts[i].len - BATCH_CRC_BYTES;
	o->cut_count = 0;
	o->dirty = false;
	if (o->queue.cap > QUEUE_KEEP)
		buf_fini(&o->queue);
	buf_reset(&o->queue);
}

/* Retention is housekeeping: what may pass is only told; the events themselves are safe already. */
static int keep_due(struct local *b, struct err *e)
{
	int64_t now = clock_monotonic();

	for (int i = 0; i < topic_count; i++) {
		struct outbound *o = &b->out[i];
		char text[LOG_VALUE];
		struct err why;

		if (o->store == NULL || (o->kept_ms != 0 && now - o->kept_ms < KEEP_EVERY_MS))
			continue;
		o->kept_ms = now ? now : 1;
		if (keep_topic(b, o, &why) == 0)
			continue;
		if (why.class == ERR_SAFE) {
			*e = why;
			return local_fail(b, e);
		}
		log_warn("BUS-RETENTION", "topic=%s why=%s", o->topic->name,
			 log_value(text, why.text));
	}
	return 0;
}
