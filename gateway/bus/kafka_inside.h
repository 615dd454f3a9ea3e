/* Inside the Kafka bus: handles of librdkafka and what they have in common. Included by kafka*.c
 * only.
 *
 * Threads: librdkafka has its own; ours is one, and all callbacks run in it, from poll. */
#ifndef QIAO_BUS_KAFKA_INSIDE_H
#define QIAO_BUS_KAFKA_INSIDE_H
#include "bus/kafka.h"
#include <librdkafka/rdkafka.h>

enum {
	KAFKA_TOPICS_MAX = 32,
	KAFKA_NAME = 250,	     /* of a topic or group with its prefix, and the NUL */
	KAFKA_EVENT_BYTES = 4 << 20, /* one event; a larger one is refused */
	KAFKA_CALM_MS = 20000,	     /* how long a command waits for brokers */
	KAFKA_TURN_MS = 100,	     /* between two calls of bus_options.waiting */
	KAFKA_AHEAD_BYTES = 1 << 20, /* queued.max.messages.kbytes */
	KAFKA_AHEAD_EVENTS = 10000,     /* queued.min.messages */
	KAFKA_REFETCHES = 0x020200ff, /* librdkafka that looks again by itself how much lies in the queue */
	KAFKA_GONE_MS = 15000,	     /* a topic may be unknown for a moment while brokers start */
};

struct kafka_topic {
	const struct topic *topic;
	char name[KAFKA_NAME]; /* with the prefix */
	int partitions;	       /* as the brokers say; 0 = not asked yet */
	bool followed;	       /* by a reader on struct kafka's handle in */
};

/* A consumer without group that fetches single stretches: last events, events at a position. */
struct kafka_look;
/* The producer handle and what has no delivery report yet. */
struct kafka_out;

/* Why the brokers are not with us, as far as they say. All but the first are settings. */
enum kafka_trouble {
	TROUBLE_AWAY,
	TROUBLE_CA,
	TROUBLE_NAME,
	TROUBLE_CERT,
	TROUBLE_NO_TLS,
	TROUBLE_PASSWORD,
	TROUBLE_NO_KAFKA,
	TROUBLE_OLD,
};

struct kafka {
	const struct conf *conf; /* the caller's; lives longer */
	char role[40], ledger[96];
	bool (*waiting)(void *arg);
	void *arg;
	struct kafka_topic topics[KAFKA_TOPICS_MAX]; /* in the order of the table */
	struct kafka_out *out;			     /* made by the first publish */
	struct kafka_look *look;		     /* made by the first look */
	rd_kafka_t *in;		 /* of all readers that keep their own positions */
	int readers;
	struct kafka_reader *groups; /* those of groups that are open */
	/* What a handle said when it lost or found its brokers, for waits and the log. */
	char trouble[300];
	enum kafka_trouble trouble_kind;
	int64_t trouble_ms;
	int64_t said_ms; /* when a wait was last logged */
	bool opened;
	rd_kafka_resp_err_t asked; /* what the brokers said of the topic last asked for */
	int64_t recounted_ms;
	int recount; /* index of the topic whose partitions were counted last */
	rd_kafka_t *asker; /* for metadata and committed positions */
	struct err fatal; /* class != NONE: the bus refuses all further work, for this reason */
};

/* ---- kafka.c ---- */
struct kafka_topic *kafka_named(struct kafka *k, const char *topic); /* asserts that it is ours */
/* Asks the brokers for the topic's partitions, once; waits for brokers as the options say.
 * ERR_CONF where it is missing (cure: qiao topics create) or hidden by an ACL. */
int kafka_know(struct kafka *k, struct kafka_topic *t, struct err *e);
/* Is a topic that was known still there, with as many partitions? Waits for it some time; ERR_SAFE if not. */
int kafka_still_there(struct kafka *k, struct kafka_topic *t, struct err *e);
/* Counts the partitions of one known topic again, another one each time, every few seconds: ERR_SAFE where they
 * are not as many as before, or none. */
int kafka_recount(struct kafka *k, struct err *e);
/* One wait of about KAFKA_TURN_MS spent in the caller's own poll: to be called between two polls.
 * *since_ms is 0 before the first call. 0: go on; -1 with ERR_TEMP "kafka: no answer from
 * <brokers> for 20 s (<trouble>): ...": a stop was asked for, or a command's patience is over. Logs
 * BUS-WAIT now and then (first after 2 s), BUS-BACK by kafka_waited. */
int kafka_wait(struct kafka *k, int64_t *since_ms, const char *what, struct err *e);
void kafka_waited(struct kafka *k, int64_t *since_ms, const char *what);
/* An error of librdkafka or of a broker in our words: class (TEMP where waiting can help, CONF for
 * settings, ACLs, missing topics, versions; SAFE for lost or other events) and text with the cure.
 * what: "topic payments: publish". Gives -1. */
int kafka_err(const struct kafka *k, rd_kafka_resp_err_t err, const char *what, const char *why,
	      struct err *e);
int kafka_fail(struct kafka *k, const struct err *e); /* -1; remembers SAFE and CONF in k->fatal */
int kafka_refused(const struct kafka *k, struct err *e);

/* Name of a reader's group with the prefix: "qiao-tax.payments". */
int kafka_group_name(const struct kafka *k, const char *group, const char *topic, char out[KAFKA_NAME], struct err *e);
int kafka_asker(struct kafka *k, struct err *e); /* makes k->asker */

/* ---- kafka_conf.c ---- */
enum kafka_use {
	KAFKA_OUT,   /* the idempotent producer */
	KAFKA_IN,    /* readers that keep their own positions */
	KAFKA_GROUP, /* readers of a group: group = its name */
	KAFKA_ADMIN,
};
/* A handle. Log and error callbacks are set (opaque: k), certificates, SASL, our fixed properties,
 * then those of the [kafka] section that are allowed. set: further callbacks, may be NULL.
 * ERR_CONF names the setting. */
int kafka_handle(struct kafka *k, enum kafka_use use, const char *group,
		 void (*set)(rd_kafka_conf_t *conf, void *arg), void *arg, rd_kafka_t **out,
		 struct err *e);

/* What an error callback's words mean. */
enum kafka_trouble kafka_trouble_kind(rd_kafka_resp_err_t err, const char *reason);

/* ---- kafka_event.c ---- */
/* Headers of one event: the constant ones prebuilt for (topic, type), then id, time, trace, seq. */
struct kafka_kinds; /* prebuilt headers, a few dozen */
rd_kafka_headers_t *event_headers(struct kafka *k, struct kafka_kinds **kinds,
				  const struct topic *t, const struct bus_event *ev);
void kafka_kinds_free(struct kafka_kinds *kinds);
/* A message as a record; slices live as long as the message. What is none of ours (no CloudEvents
 * headers, an id that is none, no key) gets an empty type and an id made of topic, partition and
 * offset. */
void event_of(const struct kafka_topic *t, const rd_kafka_message_t *m, struct bus_record *out);

/* ---- kafka_write.c ---- */
void kafka_out_close(struct kafka *k);

/* ---- kafka_read.c ---- */
/* The event at an offset (the first one not before it: a compacted topic has gaps), kept until the
 * next look. 1 found, 0 none there (at or past the end); -1. Ends of a partition: high is the
 * offset after the last committed event. */
int look_at(struct kafka *k, struct kafka_topic *t, int partition, int64_t offset,
	    struct bus_record *out, struct err *e);
int look_ends(struct kafka *k, struct kafka_topic *t, int partition, int64_t *low, int64_t *high,
	      struct err *e);
void look_close(struct kafka *k);
/* Compares a stored position with what lies on the topic (contract in bus.h): 0 fits; ERR_SAFE
 * with the cure. Waits for a high mark that a restarted cluster has not moved yet. */
int look_check(struct kafka *k, struct kafka_topic *t, const struct bus_position *at,
	       struct err *e);

/* ---- kafka_read.c (own positions) and kafka_group.c (groups) share the reader ---- */
struct kafka_part {
	bool ours;		/* of the present share */
	struct bus_position at; /* after what was given */
	struct bus_share share;
	int64_t committed; /* group: next as last stored */
	bool ended;	   /* own positions: everything that lay there was fetched */
	bool gap;	   /* offsets are missing in a topic that keeps all: said once */
};
struct kafka_reader {
	struct kafka *k;
	struct kafka_topic *t;
	rd_kafka_t *rk; /* group: its own; own positions: NULL, the bus's, but for a second reader of
			 * a topic */
	rd_kafka_topic_t *rkt; /* own positions */
	rd_kafka_queue_t *queue;
	char group[KAFKA_NAME]; /* "" = own positions */
	bool alone, started, failed;
	struct kafka_part part[BUS_PARTITIONS_MAX];
	unsigned share;		   /* number of the share */
	size_t drained;		   /* bytes taken since the library was last woken, */
	int drained_count;	   /* and events */
	int64_t noted_ms;
	struct kafka_reader *next; /* of k->groups */
	struct err broken;	   /* found after events that were given: for the next bus_read */
	struct kafka_member *member; /* of a group: kafka_group.c */
	rd_kafka_message_t **held; /* given by the last bus_read; destroyed by the next */
	struct bus_record *records;
	int held_count, held_cap;
};
struct kafka_member;
int member_open(struct kafka_reader *r, struct err *e);
void member_close(struct kafka_reader *r);
/* Before and after each poll: joins the group, begins a share that the poll brought. */
int member_turn(struct kafka_reader *r, struct err *e);
int member_store(struct kafka_reader *r, struct err *e);
/* The brokers say that another has our name: 0 joins anew, ERR_SAFE when it was said too often. */
int member_fenced(struct kafka_reader *r, const char *why, struct err *e);
int member_mend(struct kafka_reader *r, struct err *e); /* does it, when it is time and nothing is held */
/* kafka_err about the group, or about its topic where that is what was refused. */
int member_err(const struct kafka_reader *r, rd_kafka_resp_err_t err, const char *why, struct err *e);

/* ---- kafka_plan.c, kafka_topics.c, kafka_check.c: `qiao topics` (bus/kafka_topics.h) ---- */

#endif
