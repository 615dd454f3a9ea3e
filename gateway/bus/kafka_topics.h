/* Topics and groups: planned, made and checked, for `qiao topics` and `qiao init`. What is pure
 * stands in kafka_plan.c. */
#ifndef QIAO_BUS_KAFKA_TOPICS_H
#define QIAO_BUS_KAFKA_TOPICS_H
#include "bus/bus.h"

enum { PLAN_SETTINGS = 12, TOPICS_SKEW_MS = 60000 };
struct topic_plan {
	const struct topic *topic; /* NULL: the clock, see below */
	char name[250];		   /* with the prefix */
	int partitions, replication;
	struct {
		const char *key;
		char value[24];
	} settings[PLAN_SETTINGS]; /* of the topic; key NULL ends */
};
/* What is wanted of the i-th topic of the table; false past the end. The last one, "clock", is in no
 * table: no program reads or writes it. The brokers stamp what comes there with their own time, and
 * the check writes to it to see how far their clocks are from ours: there is no other way to ask. */
bool topics_plan(const struct conf *c, int i, struct topic_plan *out);

/* What a program may do: operation "Write", "Read", "Describe", ... on a "topic", "group" or
 * "cluster". Read and Write imply Describe. */
struct topic_acl {
	const char *program;
	char kind[8], name[250], operation[20];
};
int topics_acls(const struct conf *c, struct topic_acl *out, int max); /* how many */

struct topic_finding {
	char what[280], found[160], wanted[160], cure[400];
};
/* A setting of the i-th topic as the brokers tell it, or of a broker itself; the clock of a broker
 * that stamped a record between two looks at ours. True: it keeps a promise from being kept, and why
 * is in *out. */
bool topics_judge_topic(const struct conf *c, int i, const char *key, const char *value,
			struct topic_finding *out);
bool topics_judge_broker(const struct conf *c, int broker, const char *key, const char *value,
			 struct topic_finding *out);
bool topics_judge_clock(int broker, int64_t before_ms, int64_t stamped_ms, int64_t after_ms,
			struct topic_finding *out);

struct topics_made {
	int topics, positions;
};
/* Makes the topics that are missing, waits until their leaders know them, and gives each group of
 * readers its first position. What is there is left alone. ERR_SAFE where events lie on a topic and
 * its group has no position: that would be starting over; only for the group named from_beginning
 * (NULL: none) it is done all the same. ERR_SAFE too where a group has positions for another number
 * of partitions. */
int topics_create(const struct bus_options *o, const char *from_beginning, struct topics_made *made,
		  struct err *e);

/* Compares the cluster with the plan and the promises; *count findings. -1: could not be looked
 * at. */
int topics_check(const struct bus_options *o, struct topic_finding *out, int max, int *count,
		 struct err *e);

#endif
