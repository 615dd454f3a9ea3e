/* The bus: durable, ordered topics of events between the programs. One interface; "local" is a log
 * in SQLite.
 *
 * Contract (design, section 3): publish is asynchronous; bus_flush returns only when everything
 * before it is durable; order is kept for a key; a reader gets batches with positions. Each topic
 * has one producing role. Delivery is at least once for adapters (position stored after the effect)
 * and exactly once in effect for the gateway (position in the ledger).
 *
 * A position carries the id of the last event read; on start that event is compared. No position, a
 * position past the end, or another event there is ERR_SAFE with the cure in the text: never skip,
 * never start over. */
#ifndef QIAO_BUS_BUS_H
#define QIAO_BUS_BUS_H
#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

/* One event as it travels. CloudEvents attributes are headers: specversion "1.0", id, source
 * "/qiao/<role>", type "cn.keqiao.qiao.<Record>.v1", time, datacontenttype "application/avro";
 * traceparent "00-<trace>-<first 8 bytes of id>-01"; for the gateway's events also qiao_ledger
 * "<ledger id hex>/<epoch>" and qiao_seq (its place in the outbox). Those that are constant for a
 * topic and type are stored once. */
struct bus_event {
	struct str key;
	struct id id;
	struct str type; /* record name, "SubsidyPayment" */
	int64_t time_ms;
	struct id trace;
	int64_t seq;	 /* outbox sequence; 0 for adapters */
	struct str data; /* Avro, framed */
};
struct bus_record {
	struct bus_event event; /* slices are valid until the next bus_read on that reader */
	int64_t offset;
	int partition;
	struct str ledger; /* qiao_ledger header or no value */
};
struct bus_position {
	int partition;
	int64_t next;	   /* offset of the next event to read; 0 = the beginning */
	struct id last_id; /* id of the event at next - 1; zero at the beginning */
};

struct bus;
struct bus_reader;

struct bus_options {
	const char *dir;	 /* data/bus */
	const char *role;	 /* who opens it: source and group name */
	const char *ledger;	 /* "<id>/<epoch>" for the gateway, NULL otherwise */
	const struct conf *conf; /* retention, segment size */
	const char *vfs;	 /* test VFS, NULL = default */
};
/* Opens what bus_init made; ERR_CONF "not initialised: run qiao init" otherwise. */
int bus_open(struct bus **out, const struct bus_options *o, struct err *e);
void bus_close(struct bus *b); /* what is not flushed is not sent; readers are closed before it */
/* The ledger mark of outgoing events, once the ledger is open (before the first publish). */
void bus_set_ledger(struct bus *b, const char *ledger);

/* Explicit initialisation: makes every topic of the table and gives each adapter group a position
 * at the beginning. Refuses (ERR_CONF) where a topic exists already. */
int bus_init(const char *dir, struct err *e);

/* Queues one event; copies it. Writes through by itself when the queue is full (8 MiB for all
 * topics), so it may block on disk. ERR_PERM for an event over 4 MiB. Only the topic's producer
 * publishes (asserted); role "qiao" has `operations`. */
int bus_publish(struct bus *b, const char *topic, const struct bus_event *ev, struct err *e);
/* 0: all that was published is durable. Each topic is a transaction of its own, in the order in
 * which they were first published to. ERR_TEMP (disk full, busy): what was not written stays
 * queued, flush again. ERR_SAFE: the bus refuses all further work; whether the events are there
 * shows only to the next process, which sends them again. */
int bus_flush(struct bus *b, struct err *e);

/* Reads a topic as `group` (an adapter's own positions, kept in the bus) or with group NULL (the
 * caller keeps them: bus_seek. A reader that never seeks begins with the oldest event kept, for
 * commands that look around). */
int bus_reader_open(struct bus *b, struct bus_reader **out, const char *topic, const char *group,
		    struct err *e);
void bus_reader_close(struct bus_reader *r);
/* For group NULL: where to start; compares the id. After a failure the reader reads no more. */
int bus_seek(struct bus_reader *r, const struct bus_position *at, struct err *e);
/* Up to max events, in order; gives how many (0: nothing new now, never blocks). The records belong
 * to the reader. May give fewer than max although more are there (2 MiB at a time). ERR_SAFE where
 * the topic is damaged; it is never passed over. */
int bus_read(struct bus_reader *r, int max, const struct bus_record **records, struct err *e);
/* Position after everything that bus_read gave so far. */
struct bus_position bus_tell(const struct bus_reader *r);
/* For groups, on a bus that was restored from a backup: events before this offset lay on the bus
 * when it was copied, and what this group did with them after its copied position is forgotten. 0
 * on a bus that never was a copy. */
int64_t bus_restored_end(struct bus_reader *r);
/* For groups: stores bus_tell durably. Call after the effect. */
int bus_store_position(struct bus_reader *r, struct err *e);
/* The gateway tells the bus how far it read (retention never passes the slowest reader); not the
 * truth, not durable at once. */
void bus_note_position(struct bus_reader *r, const char *group);

/* The last event of a topic (after key, when key has a value: the newest of that key, found by
 * walking back). 1 found, 0 none. Slices are valid until the next call on b. */
int bus_last(struct bus *b, const char *topic, struct str key, struct bus_record *out,
	     struct err *e);

/* For status: how many events a topic holds, and for each group its lag and the age of its oldest
 * unread event. */
struct bus_lag {
	char topic[40], group[40];
	int64_t end, next, oldest_unread_ms; /* time of the oldest unread event, 0 = none waiting */
};
int bus_lags(const char *dir, struct bus_lag *out, int max, int *count, struct err *e);

/* Online copy of all topics and positions into dst (a fresh folder), for `qiao backup`. Events of
 * the gateway's topics with seq above ledger_seq are left out of the copy and positions beyond a
 * copied end are set back to it, so that the copy is what a ledger at ledger_seq expects. Call
 * after the ledger was copied. */
int bus_backup(const char *dir, const char *dst, int64_t ledger_seq, struct err *e);

/* The table of topics: who produces, who reads. */
struct topic {
	const char *name;
	const char *producer;	/* role */
	const char *readers[4]; /* roles; "gateway" keeps its positions in the ledger */
	bool keep_last; /* retention keeps the newest event of each key: the topic is a memory */
};
extern const struct topic topics[];
extern const int topic_count;
const struct topic *topic_find(struct str name);

#endif
