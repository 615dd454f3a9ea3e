/* The bus: durable, ordered topics of events between the programs. One interface; "local" is a log
 * in SQLite (local_*.c, FORMAT.md), "kafka" a broker cluster (kafka_*.c, README.md).
 *
 * Contract (design, section 3): publish is asynchronous; bus_flush returns only when everything
 * before it is durable; order is kept for a key; a reader gets batches with positions. Each topic
 * has one producing role. Delivery is at least once for adapters (position stored after the effect)
 * and exactly once in effect for the gateway (position in the ledger).
 *
 * A topic has partitions, as many as when it was made; the local bus has one. All events of a key
 * are in one partition; order holds within a partition only.
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

enum { BUS_PARTITIONS_MAX = 64 };

/* One event as it travels. CloudEvents attributes are headers: specversion "1.0", id, source
 * "/qiao/<role>", type "cn.keqiao.qiao.<Record>.v1", time, datacontenttype "application/avro";
 * traceparent "00-<trace>-<first 8 bytes of id>-01"; for the gateway's events also qiao_ledger
 * "<ledger id hex>/<epoch>" and qiao_seq (its place in the outbox). Those that are constant for a
 * topic and type are stored once (local) or prebuilt (kafka). */
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
	struct bus_event event; /* slices are valid until the next bus_read on that reader. A record
				 * that is none of ours has an empty type and an id made of its
				 * place: it goes to rejects */
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
	const char *dir;	 /* data/bus; kafka keeps nothing there */
	const char *role;	 /* who opens it: source and group name */
	const char *ledger;	 /* "<id>/<epoch>" for the gateway, NULL otherwise */
	const struct conf *conf; /* kind; retention, segment size; brokers. NULL: local, defaults */
	const char *vfs;	 /* local: test VFS, NULL = default */
	/* Called about ten times a second while the bus waits for brokers; false: wait no longer
	 * (ERR_TEMP). NULL: waits CALM_MS, for commands. */
	bool (*waiting)(void *arg);
	void *arg;
};
/* The settings of the bus, as far as they can be judged without it; for `qiao check`. ERR_CONF names the setting. */
int bus_check(const struct conf *c, struct err *e);
/* Opens what bus_init made; ERR_CONF "not initialised: run qiao init" otherwise. */
int bus_open(struct bus **out, const struct bus_options *o, struct err *e);
void bus_close(struct bus *b); /* what is not flushed is not sent; readers are closed before it */
/* The ledger mark of outgoing events, once the ledger is open (before the first publish). */
void bus_set_ledger(struct bus *b, const char *ledger);

/* Explicit initialisation: makes every topic of the table and gives each adapter group a position
 * at the beginning. local: refuses (ERR_CONF) where a topic exists already. kafka: makes what is
 * missing (as `qiao topics create`). */
int bus_init(const struct bus_options *o, struct err *e);

/* Partitions of every topic of the table, as they were made; partitions holds topic_count. For the ledger's first positions. */
int bus_layout(const struct bus_options *o, int *partitions, struct err *e);
/* Partitions of a topic, >= 1; for the readers' counts see bus_seek. */
int bus_partitions(struct bus *b, const char *topic);
int bus_partition_of(struct bus *b, const char *topic, struct str key);

/* Queues one event; copies it. Writes through by itself when the queue is full (8 MiB for all
 * topics), so it may block on disk or brokers. ERR_PERM for an event over 4 MiB. Only the topic's
 * producer publishes (asserted); role "qiao" has `operations`. */
int bus_publish(struct bus *b, const char *topic, const struct bus_event *ev, struct err *e);
/* The same, into a partition of the caller's choice: for what the reader of each partition must
 * know. */
int bus_publish_to(struct bus *b, const char *topic, int partition, const struct bus_event *ev,
		   struct err *e);
/* 0: all that was published is durable. local: each topic is a transaction of its own, in the order
 * in which they were first published to. ERR_TEMP (disk full, busy; a stop was asked for while the
 * brokers are away): what was not written stays queued, flush again. ERR_SAFE: the bus refuses all
 * further work; whether the events are there shows only to the next process, which sends them
 * again. ERR_CONF: the brokers refuse for good (the text names setting or ACL). */
int bus_flush(struct bus *b, struct err *e);

/* Reads a topic as `group` (an adapter's own positions, kept in the bus) or with group NULL (the
 * caller keeps them: bus_seek. A reader that never seeks begins with the oldest event kept, for
 * commands that look around). */
int bus_reader_open(struct bus *b, struct bus_reader **out, const char *topic, const char *group,
		    struct err *e);
/* The same for a group that must be one program at a time: it gets all partitions or none. Where
 * another one has some, the one that came later is refused (ERR_SAFE by bus_read). */
int bus_reader_open_alone(struct bus *b, struct bus_reader **out, const char *topic,
			  const char *group, struct err *e);
void bus_reader_close(struct bus_reader *r);
/* For group NULL: where to start, one position for each partition of the topic, in any order;
 * compares the ids. After a failure the reader reads no more. */
int bus_seek(struct bus_reader *r, const struct bus_position *at, int count, struct err *e);
/* Up to max events, in order; gives how many (0: nothing new now, never blocks). The records belong
 * to the reader. May give fewer than max although more are there (2 MiB at a time). ERR_SAFE where
 * the topic is damaged; it is never passed over. */
int bus_read(struct bus_reader *r, int max, const struct bus_record **records, struct err *e);
/* Positions after everything that bus_read gave so far: of every partition that this reader has,
 * out holds BUS_PARTITIONS_MAX. Gives how many. */
int bus_tell(const struct bus_reader *r, struct bus_position *out);

/* What a reader of a group has. On kafka the partitions are shared among the programs of a group:
 * bus_read may change the share, before it gives events. */
struct bus_share {
	int partition;
	int64_t next; /* the stored position with which the share began */
	int64_t end;  /* where the partition ended then */
	/* On a bus that was restored from a backup: events before this offset lay on the bus when
	 * it was copied, and what this group did with them after its copied position is forgotten.
	 * 0 on a bus that never was a copy. */
	int64_t restored_end;
};
/* The number of the share: another one after each change, 0 before the first; always 1 on the local
 * bus. out holds BUS_PARTITIONS_MAX. */
unsigned bus_shares(const struct bus_reader *r, struct bus_share *out, int *count);
/* For groups: stores bus_tell durably. Call after the effect. 0 too where the share was lost
 * meanwhile: whoever has it now does the same again. */
int bus_store_position(struct bus_reader *r, struct err *e);
/* The gateway tells the bus how far it read (retention never passes the slowest reader; operators
 * see the lag); not the truth, not durable at once. */
void bus_note_position(struct bus_reader *r, const char *group);

/* The last event of a partition. 1 found, 0 none (out->offset: where the partition ends). Slices are valid until the next call on b. */
int bus_last(struct bus *b, const char *topic, int partition, struct bus_record *out,
	     struct err *e);
/* The same of events that carry a ledger's mark: on Kafka strangers may have written behind them. */
int bus_last_marked(struct bus *b, const char *topic, int partition, struct bus_record *out,
		    struct err *e);
/* The newest event of a key, found by walking back from the end of its partition. */
int bus_last_of(struct bus *b, const char *topic, struct str key, struct bus_record *out,
		struct err *e);

/* For status: how many events a topic holds, and for each group its lag and the age of its oldest
 * unread event; all partitions together. */
struct bus_lag {
	char topic[40], group[40];
	int64_t end, next, oldest_unread_ms; /* time of the oldest unread event, 0 = none waiting */
};
int bus_lags(const struct bus_options *o, struct bus_lag *out, int max, int *count, struct err *e);

/* Online copy of all topics and positions into dst (a fresh folder), for `qiao backup`. Events of
 * the gateway's topics with seq above ledger_seq are left out of the copy and positions beyond a
 * copied end are set back to it, so that the copy is what a ledger at ledger_seq expects. Call
 * after the ledger was copied. kafka: copies nothing; the brokers keep their topics. */
int bus_backup(const struct bus_options *o, const char *dst, int64_t ledger_seq, struct err *e);

/* The table of topics: who produces, who reads. */
struct topic {
	const char *name;
	const char *producer;	/* role */
	const char *readers[4]; /* roles; "gateway" keeps its positions in the ledger */
	bool keep_last; /* retention keeps the newest event of each key: the topic is a memory */
	bool compact;	/* kafka: only the newest event of each key matters (cleanup.policy) */
	bool single;	/* kafka: one partition: few events, or one order for all */
};
extern const struct topic topics[];
extern const int topic_count;
const struct topic *topic_find(struct str name);
bool topic_concerns(const struct topic *t, const char *role); /* writes or reads it */

#endif
