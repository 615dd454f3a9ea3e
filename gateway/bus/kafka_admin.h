/* What kafka_topics.c and kafka_check.c share: requests to the brokers that carry no events. */
#ifndef QIAO_BUS_KAFKA_ADMIN_H
#define QIAO_BUS_KAFKA_ADMIN_H
#include "bus/kafka_inside.h"

enum { ADMIN_GROUPS = 16 };

struct admin {
	struct kafka *k; /* of a role that concerns no topic: none need be there */
	rd_kafka_queue_t *queue;
	bool denied; /* we may not see a group */
	/* A handle for each group: the requests that need none crash the library where a broker answers
	 * that it is not the one to ask (librdkafka issue 5040). */
	struct {
		char name[KAFKA_NAME];
		rd_kafka_t *rk;
	} groups[ADMIN_GROUPS];
	int group_count;
};
/* To be closed also when it fails. */
int admin_open(struct admin *a, const struct bus_options *o, struct err *e);
void admin_close(struct admin *a);

/* Sends a request; gives the answer, to be destroyed by the caller, or NULL. ADMIN_AGAIN: as often as
 * waiting can help. After a failure to wait (the caller's patience is over) no more must be asked. */
enum admin_tries { ADMIN_ONCE, ADMIN_AGAIN };
typedef void admin_send(struct admin *a, const void *arg);
rd_kafka_event_t *admin_ask(struct admin *a, enum admin_tries tries, admin_send *send,
			    const void *arg, const char *what, struct err *e);

/* All topics and brokers. Gives *out to the caller. */
int admin_metadata(struct admin *a, const struct rd_kafka_metadata **out, struct err *e);
/* NULL: not there. */
const struct rd_kafka_metadata_topic *admin_topic(const struct rd_kafka_metadata *md,
						  const char *name);
/* Of each partition of a topic the position that a group has, by the number of the partition: also of
 * those that the topic does not have (now). Offset < 0: none. Gives *out to the caller. */
int admin_positions(struct admin *a, const char *group, const struct kafka_topic *t,
		    rd_kafka_topic_partition_list_t **out, struct err *e);
/* Stores positions; of a group that nobody reads with. */
int admin_store(struct admin *a, const char *group, rd_kafka_topic_partition_list_t *list,
		struct err *e);
/* How many positions there are for partitions of the topic, and how many for others. */
int admin_count(const rd_kafka_topic_partition_list_t *list, const struct kafka_topic *t,
		int *beyond);

/* The name of the group with which a role reads a topic: also that of the gateway, which notes there
 * how far it is. */
int admin_group(const struct kafka *k, const char *role, const struct topic *t,
		char out[KAFKA_NAME], struct err *e);
#endif
