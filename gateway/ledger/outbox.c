/* The outbox: what was decided and must reach the bus, in the order of deciding.
 *
 * Events of one transaction are packed into blobs of consecutive seqs, since a row each would cost as much as the decision
 * itself. In a blob, an event is: topic index (1), type length (1), type, id (16), trace (16), time (8), key length (varint), key,
 * data length (varint), data. */
#include "ledger/internal.h"
#include <stdlib.h>
#include <string.h>

#define BLOB_MAX ((size_t)1 << 20)

int outbox_add(struct ledger *l, int topic_index, const struct bus_event *ev, struct err *e)
{
	struct buf *b = &l->outbox;
	size_t before = b->len;
	if (l->outbox_count == 0)
		l->outbox_first = l->outbox_last + 1;
	if (buf_put_u8(b, (uint8_t)topic_index) != 0 || buf_put_u8(b, (uint8_t)ev->type.n) != 0 ||
	    buf_put(b, ev->type.p, ev->type.n) != 0 || buf_put(b, ev->id.b, ID_LEN) != 0 ||
	    buf_put(b, ev->trace.b, ID_LEN) != 0 || buf_put_u64(b, (uint64_t)ev->time_ms) != 0 ||
	    buf_put_varint(b, ev->key.n) != 0 || buf_put(b, ev->key.p, ev->key.n) != 0 ||
	    buf_put_varint(b, ev->data.n) != 0 || buf_put(b, ev->data.p, ev->data.n) != 0) {
		b->len = before;
		return err_set(e, ERR_TEMP, "outbox: transaction too large");
	}
	l->outbox_last++;
	l->outbox_count++;
	if (b->len >= BLOB_MAX)
		return outbox_write(l, e);
	return 0;
}

int outbox_write(struct ledger *l, struct err *e)
{
	if (l->outbox.len == 0)
		return 0;
	struct stmt *q = l->q[Q_OUTBOX_PUT];
	stmt_int(q, 1, l->outbox_first);
	stmt_int(q, 2, l->outbox_last - l->outbox_first + 1);
	stmt_blob(q, 3, l->outbox.data, l->outbox.len);
	if (stmt_run(q, e) != 0)
		return -1;
	buf_reset(&l->outbox);
	l->outbox_first = l->outbox_last + 1;
	return 0;
}

int outbox_load(struct ledger *l, struct err *e)
{
	struct stmt *q;
	int got;
	l->delivered = calloc(1, sizeof(*l->delivered));
	if (!l->delivered)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	if (store_prepare(l->st, &q, "SELECT topic, partition, seq FROM delivered", e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		const struct topic *t = topic_find(stmt_get_text(q, 0));
		int64_t partition = stmt_get_int(q, 1);
		if (t && partition >= 0 && partition < BUS_PARTITIONS_MAX)
			l->delivered->seq[t - topics][partition] = stmt_get_int(q, 2);
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int outbox_forget(struct ledger *l, struct err *e)
{
	struct stmt *q = l->q[Q_DELIVERED_PUT];
	stmt_int(l->q[Q_OUTBOX_FORGET], 1, l->outbox_sent);
	if (stmt_run(l->q[Q_OUTBOX_FORGET], e) != 0)
		return -1;
	for (int t = 0; t < topic_count; t++)
		for (int p = 0; p < BUS_PARTITIONS_MAX; p++) {
			if (!l->delivered_dirty[t][p])
				continue;
			stmt_text(q, 1, str_of(topics[t].name));
			stmt_int(q, 2, p);
			stmt_int(q, 3, l->delivered->seq[t][p]);
			if (stmt_run(q, e) != 0)
				return -1;
			l->delivered_dirty[t][p] = false;
		}
	return 0;
}

const struct outbox_marks *outbox_delivered(const struct ledger *l)
{
	return l->delivered;
}

static int publish_blob(struct ledger *l, struct bus *b, int64_t first, int64_t count, struct str blob,
			const struct outbox_marks *skip, struct err *e)
{
	struct cursor c = cursor_of(blob.p, blob.n);
	for (int64_t seq = first; seq < first + count; seq++) {
		struct bus_event ev = {.seq = seq};
		int topic = cursor_u8(&c);
		ev.type.n = cursor_u8(&c);
		ev.type.p = (const char *)cursor_bytes(&c, ev.type.n);
		const uint8_t *ids = cursor_bytes(&c, ID_LEN + ID_LEN);
		ev.time_ms = (int64_t)cursor_u64(&c);
		ev.key.n = cursor_varint(&c);
		ev.key.p = (const char *)cursor_bytes(&c, ev.key.n);
		ev.data.n = cursor_varint(&c);
		ev.data.p = (const char *)cursor_bytes(&c, ev.data.n);
		if (c.bad || topic >= topic_count)
			return err_set(e, ERR_SAFE, "ledger: outbox damaged; restore the last backup");
		memcpy(ev.id.b, ids, ID_LEN);
		memcpy(ev.trace.b, ids + ID_LEN, ID_LEN);
		int partition = bus_partition_of(b, topics[topic].name, ev.key);
		/* Taken for delivered by a commit only, and that comes after the flush. */
		if (seq > l->delivered->seq[topic][partition]) { /* an adopted one may be newer */
			l->delivered->seq[topic][partition] = seq;
			l->delivered_dirty[topic][partition] = true;
		}
		if (skip && seq <= skip->seq[topic][partition])
			continue;
		if (bus_publish_to(b, topics[topic].name, partition, &ev, e) != 0)
			return -1;
	}
	return 0;
}

int outbox_publish(struct ledger *l, struct bus *b, const struct outbox_marks *skip, struct err *e)
{
	struct stmt *q = l->q[Q_OUTBOX_NEXT];
	int64_t at = l->outbox_sent;
	/* A blob is wholly after the mark or wholly before it: the mark only ever stands at a blob's end. Who was taken over from says no
	 * more, after the last one as well: much of it may wait for the flush. */
	for (;;) {
		if (still_ours(l, "what it had decided is published by that one", e) != 0)
			return -1;
		stmt_int(q, 1, at);
		int got = stmt_step(q, e);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		int64_t first = stmt_get_int(q, 0), count = stmt_get_int(q, 1);
		int rc = publish_blob(l, b, first, count, stmt_get_blob(q, 2), skip, e);
		stmt_reset(q);
		if (rc != 0)
			return -1;
		at = first + count - 1;
	}
	if (bus_flush(b, e) != 0)
		return -1;
	l->outbox_sent = at;
	return 0;
}

bool outbox_dirty(const struct ledger *l)
{
	return l->outbox_sent > l->outbox_forgotten;
}
