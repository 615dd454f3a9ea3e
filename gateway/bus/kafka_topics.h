/* Topics and groups: planned, made and checked, for `qiao topics` and `qiao init`. */
#ifndef QIAO_BUS_KAFKA_TOPICS_H
#define QIAO_BUS_KAFKA_TOPICS_H
#include "bus/bus.h"

enum { PLAN_SETTINGS = 8 };
struct topic_plan {
	const struct topic *topic;
	char name[250]; /* with the prefix */
	int partitions, replication;
	struct {
		const char *key;
		char value[24];
	} settings[PLAN_SETTINGS]; /* of the topic; key NULL ends */
};
/* What is wanted of the i-th topic of the table. Pure. */
void topics_plan(const struct conf *c, int i, struct topic_plan *out);

/* What a program may do, for `qiao topics plan --acls`: operation "Write", "Read" or "Describe" on "topic" or "group". */
struct topic_acl {
	char program[16], kind[8], name[250], operation[12];
};
int topics_acls(const struct conf *c, struct topic_acl *out, int max); /* how many */

struct topics_made {
	int topics, positions;
};
/* Makes what is missing, then gives each group its first position on topics where it has none; refuses (ERR_SAFE) where events lie on a
 * topic already and its group has no position: that would be starting over. ERR_TEMP: brokers away. */
int topics_create(const struct bus_options *o, struct topics_made *made, struct err *e);

struct topic_finding {
	char what[250], found[100], wanted[100], cure[300];
};
/* Compares the cluster with the plan; *count findings. -1: could not be looked at. */
int topics_check(const struct bus_options *o, struct topic_finding *out, int max, int *count, struct err *e);

#endif
