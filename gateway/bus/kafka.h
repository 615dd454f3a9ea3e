/* What the files of the Kafka bus share, and bus.c sees of it; nobody else includes it.
 *
 *   kafka.c         handles opened and closed, metadata, waiting for brokers
 *   kafka_conf.c    our settings and theirs as properties of librdkafka; which are refused, and why
 *   kafka_event.c   an event as a message: key, headers, value; and back
 *   kafka_write.c   publish and flush: delivery reports, a dead handle replaced
 *   kafka_read.c    readers that keep their own positions, and looks at single events
 *   kafka_group.c   readers of consumer groups
 *   kafka_plan.c    what is wanted of topics and brokers, and who may do what; pure
 *   kafka_admin.c   requests to brokers that carry no events
 *   kafka_topics.c  topics and first positions made; lags
 *   kafka_check.c   whether the cluster keeps the promises
 *
 * Only these files include librdkafka's header. */
#ifndef QIAO_BUS_KAFKA_H
#define QIAO_BUS_KAFKA_H
#include "bus/bus.h"

struct kafka;
struct kafka_reader;

/* ---- what bus.c hands on; see bus.h ---- */
/* The properties of the [kafka] section as a whole: -1 with the first one that is refused, and why. */
int kafka_properties_check(const struct conf *c, struct err *e);
int kafka_open(struct kafka **out, const struct bus_options *o, struct err *e);
void kafka_close(struct kafka *k);
void kafka_set_ledger(struct kafka *k, const char *ledger);
int kafka_init(const struct bus_options *o, struct err *e);
int kafka_layout(const struct bus_options *o, int *partitions, struct err *e);
int kafka_partitions(struct kafka *k, const char *topic);
int kafka_partition_of(struct kafka *k, const char *topic, struct str key);
int kafka_publish(struct kafka *k, const char *topic, int partition, const struct bus_event *ev,
		  struct err *e);
int kafka_flush(struct kafka *k, struct err *e);
int kafka_reader_open(struct kafka *k, struct kafka_reader **out, const char *topic,
		      const char *group, bool alone, struct err *e);
void kafka_reader_close(struct kafka_reader *r);
int kafka_seek(struct kafka_reader *r, const struct bus_position *at, int count, struct err *e);
int kafka_read(struct kafka_reader *r, int max, const struct bus_record **records, struct err *e);
int kafka_tell(const struct kafka_reader *r, struct bus_position *out);
unsigned kafka_shares(const struct kafka_reader *r, struct bus_share *out, int *count);
int kafka_store_position(struct kafka_reader *r, struct err *e);
void kafka_note_position(struct kafka_reader *r, const char *group);
int kafka_last(struct kafka *k, const char *topic, int partition, bool marked,
	       struct bus_record *out, struct err *e);
int kafka_last_of(struct kafka *k, const char *topic, struct str key, struct bus_record *out,
		  struct err *e);
int kafka_lags(const struct bus_options *o, struct bus_lag *out, int max, int *count,
	       struct err *e);

#endif
