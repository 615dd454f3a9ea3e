/* Does the cluster keep what we promise? Everything that can be asked without writing an event; for
 * the clocks a record on a topic of its own. */
#include "base/clock.h"
#include "base/date.h"
#include "bus/kafka_admin.h"
#include "bus/kafka_topics.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKER_MS = 5000 }; /* for one broker to tell of itself, or of its time */
#define SAY(field, ...) snprintf(field, sizeof(field), __VA_ARGS__)

struct checking {
	struct admin admin;
	const struct conf *c;
	const struct rd_kafka_metadata *md;
	struct topic_finding *out, spare;
	int max, count;
	bool clock; /* its topic is there */
};
/* One record for each partition of the clock: our time before and after, and what was made of it. */
struct stamp {
	int64_t before_ms, after_ms, stamped_ms;
	int broker;
	bool reported, by_broker;
	rd_kafka_resp_err_t err;
};
struct described { /* what to ask for */
	const struct checking *c;
	int broker; /* -1: the topics */
};

static struct topic_finding *finding(struct checking *c);
static void check_topic(struct checking *c, int i);
static void check_copies(struct checking *c, const struct topic_plan *p,
			 const struct rd_kafka_metadata_topic *t);
static void check_cluster(struct checking *c);
static int check_settings(struct checking *c, int broker, struct err *e);
static int miss_broker(struct checking *c, int broker);
static void send_describe(struct admin *a, const void *arg);
static int judge_resource(struct checking *c, const rd_kafka_ConfigResource_t *r, struct err *e);
static int check_group(struct checking *c, struct kafka_topic *t, const char *role, struct err *e);
static int check_position(struct checking *c, struct kafka_topic *t, const char *group,
			  const rd_kafka_topic_partition_t *at, bool noted, struct err *e);
static int check_age(struct checking *c, struct kafka_topic *t, const char *group, int partition,
		     int64_t next, int64_t high, struct err *e);
static int check_clocks(struct checking *c, struct err *e);
static int stamp_all(struct checking *c, rd_kafka_t *rk, const struct topic_plan *p,
		     struct stamp *stamps, int count, struct err *e);
static int not_taken(struct checking *c, const char *topic, int partition);
static void set_report(rd_kafka_conf_t *conf, void *arg);
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);

int topics_check(const struct bus_options *o, struct topic_finding *out, int max, int *count,
		 struct err *e)
{
	struct checking c = {.c = o->conf, .out = out, .max = max};
	int rc = admin_open(&c.admin, o, e);

	if (rc == 0)
		rc = admin_metadata(&c.admin, &c.md, e);
	for (int i = 0; i <= topic_count && rc == 0; i++)
		check_topic(&c, i);
	if (rc == 0)
		check_cluster(&c);
	if (rc == 0)
		rc = check_settings(&c, -1, e);
	for (int i = 0; rc == 0 && i < c.md->broker_cnt; i++)
		rc = check_settings(&c, c.md->brokers[i].id, e);
	for (int i = 0; i < topic_count && rc == 0; i++)
		for (int r = 0; r < 4 && topics[i].readers[r] && rc == 0; r++)
			rc = check_group(&c, &c.admin.k->topics[i], topics[i].readers[r], e);
	if (rc == 0 && c.clock)
		rc = check_clocks(&c, e);
	if (c.md)
		rd_kafka_metadata_destroy(c.md);
	admin_close(&c.admin);
	*count = c.count;
	return rc;
}

static struct topic_finding *finding(struct checking *c)
{
	struct topic_finding *one = c->count < c->max ? &c->out[c->count++] : &c->spare;

	*one = (struct topic_finding){0};
	return one;
}

/* ---- what the metadata say ---- */

/* Of a topic that cannot be asked further the number of partitions stays 0. */
static void check_topic(struct checking *c, int i)
{
	const struct rd_kafka_metadata_topic *t;
	struct topic_finding *one;
	struct topic_plan p;
	int headless = 0;

	topics_plan(c->c, i, &p);
	t = admin_topic(c->md, p.name);
	if (t == NULL) {
		one = finding(c);
		SAY(one->what, "topic %s", p.name);
		SAY(one->found, "missing");
		SAY(one->wanted, "%d partitions", p.partitions);
		SAY(one->cure, "qiao topics create");
		return;
	}
	for (int n = 0; n < t->partition_cnt; n++)
		headless += t->partitions[n].leader < 0;
	if (headless > 0) {
		one = finding(c);
		SAY(one->what, "topic %s: leaders", p.name);
		SAY(one->found, "%d partitions have none", headless);
		SAY(one->wanted, "one each");
		SAY(one->cure, "bring the brokers back that have their copies: nothing can be "
			       "written or read there");
	}
	check_copies(c, &p, t);
	/* Of the clock any number will do: it should be led by every broker. */
	if (p.topic && t->partition_cnt != p.partitions) {
		one = finding(c);
		SAY(one->what, "topic %s: partitions", p.name);
		SAY(one->found, "%d", t->partition_cnt);
		SAY(one->wanted, "%d", p.partitions);
		SAY(one->cure,
		    "the number is fixed for a topic's life. Not used yet: delete it and "
		    "run qiao topics create; else make it as it was%s",
		    p.topic->single ? ""
				    : ", or set [kafka] partitions to what was there all along");
	}
	if (headless > 0 || t->partition_cnt > BUS_PARTITIONS_MAX)
		return;
	if (p.topic)
		c->admin.k->topics[i].partitions = t->partition_cnt;
	else
		c->clock = true;
}

static void check_copies(struct checking *c, const struct topic_plan *p,
			 const struct rd_kafka_metadata_topic *t)
{
	int copies = t->partition_cnt ? t->partitions[0].replica_cnt : 0, behind = 0, few = 0;
	struct topic_finding *one;

	for (int i = 0; i < t->partition_cnt; i++) {
		const struct rd_kafka_metadata_partition *at = &t->partitions[i];

		copies = at->replica_cnt < copies ? at->replica_cnt : copies;
		behind += at->isr_cnt < at->replica_cnt;
		few += at->isr_cnt < c->c->kafka.min_insync;
	}
	if (copies < p->replication) {
		one = finding(c);
		SAY(one->what, "topic %s: copies", p->name);
		SAY(one->found, "%d", copies);
		SAY(one->wanted, "%d", p->replication);
		SAY(one->cure,
		    "give each partition %d with kafka-reassign-partitions.sh, or set "
		    "[kafka] replication to what you mean to have",
		    p->replication);
	}
	if (behind > 0) {
		one = finding(c);
		SAY(one->what, "topic %s: copies in sync", p->name);
		SAY(one->found, "%d partitions lack some, %d of them have fewer than min_insync",
		    behind, few);
		SAY(one->wanted, "all");
		SAY(one->cure, "%s",
		    few ? "bring the brokers back: nothing can be written there"
			: "bring the brokers back: another one that fails may stop all writing");
	}
}

static void check_cluster(struct checking *c)
{
	const struct rd_kafka_metadata_topic *positions = admin_topic(c->md, "__consumer_offsets");
	int64_t copies = c->c->kafka.replication;
	struct topic_finding *one;

	if (copies - c->c->kafka.min_insync < 1) {
		one = finding(c);
		SAY(one->what, "[kafka] min_insync");
		SAY(one->found, "%" PRId64 " of %" PRId64, c->c->kafka.min_insync, copies);
		SAY(one->wanted, "fewer than replication");
		SAY(one->cure, "no broker may fail: replication = 3 and min_insync = 2 on three "
			       "brokers or more");
	}
	if (positions && positions->partition_cnt > 0 &&
	    positions->partitions[0].replica_cnt < copies) {
		one = finding(c);
		SAY(one->what, "topic __consumer_offsets: copies");
		SAY(one->found, "%d", positions->partitions[0].replica_cnt);
		SAY(one->wanted, "%" PRId64, copies);
		SAY(one->cure, "the positions of adapters die with a broker: "
			       "offsets.topic.replication.factor when the cluster is made, "
			       "kafka-reassign-partitions.sh now");
	}
}

/* ---- what topics and brokers say of themselves ---- */

static int check_settings(struct checking *c, int broker, struct err *e)
{
	const struct described wanted = {c, broker};
	const rd_kafka_ConfigResource_t **results;
	rd_kafka_event_t *event;
	bool any = broker >= 0 || c->clock;
	size_t count;
	int rc = 0;

	for (int i = 0; i < topic_count; i++)
		any = any || c->admin.k->topics[i].partitions > 0;
	if (!any)
		return 0;
	event = admin_ask(&c->admin, broker < 0 ? ADMIN_AGAIN : ADMIN_ONCE, send_describe, &wanted,
			  "settings", e);
	if (event == NULL && broker >= 0 && e->class == ERR_TEMP)
		return miss_broker(c, broker);
	if (event == NULL)
		return -1;
	results = rd_kafka_DescribeConfigs_result_resources(
		rd_kafka_event_DescribeConfigs_result(event), &count);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = judge_resource(c, results[i], e);
	rd_kafka_event_destroy(event);
	return rc;
}

/* The others may be well all the same. */
static int miss_broker(struct checking *c, int broker)
{
	struct topic_finding *one = finding(c);

	SAY(one->what, "broker %d", broker);
	SAY(one->found, "no answer for %d s", BROKER_MS / 1000);
	SAY(one->wanted, "an answer");
	SAY(one->cure, "bring it back, or let this machine reach the address that it advertises "
		       "(advertised.listeners)");
	return 0;
}

/* A broker tells of itself only. */
static void send_describe(struct admin *a, const void *arg)
{
	const struct described *d = arg;
	rd_kafka_ConfigResource_t *list[KAFKA_TOPICS_MAX + 1];
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(a->k->asker, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	struct topic_plan p;
	char id[16];
	size_t n = 0;

	SAY(id, "%d", d->broker);
	if (d->broker >= 0)
		list[n++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, id);
	for (int i = 0; d->broker < 0 && topics_plan(d->c->c, i, &p); i++)
		if (p.topic ? a->k->topics[i].partitions > 0 : d->c->clock)
			list[n++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, p.name);
	/* Who is asked may have died a moment ago. */
	rd_kafka_AdminOptions_set_request_timeout(options, BROKER_MS, NULL, 0);
	rd_kafka_DescribeConfigs(a->k->asker, list, n, options, a->queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_ConfigResource_destroy_array(list, n);
}

static int judge_resource(struct checking *c, const rd_kafka_ConfigResource_t *r, struct err *e)
{
	bool broker = rd_kafka_ConfigResource_type(r) == RD_KAFKA_RESOURCE_BROKER;
	const char *name = rd_kafka_ConfigResource_name(r);
	const rd_kafka_ConfigEntry_t **entries;
	struct topic_finding one = {0};
	struct topic_plan p;
	char what[KAFKA_NAME + 32];
	int64_t id = -1;
	size_t count;
	int i = 0;

	SAY(what, "%s %.240s: settings", broker ? "broker" : "topic", name);
	if (rd_kafka_ConfigResource_error(r))
		return kafka_err(c->admin.k, rd_kafka_ConfigResource_error(r), what,
				 rd_kafka_ConfigResource_error_string(r), e);
	if (broker)
		str_int(str_of(name), 0, INT32_MAX, &id);
	while (!broker && topics_plan(c->c, i, &p) && strcmp(p.name, name) != 0)
		i++;
	entries = rd_kafka_ConfigResource_configs(r, &count);
	for (size_t n = 0; n < count; n++) {
		const char *key = rd_kafka_ConfigEntry_name(entries[n]);
		const char *value = rd_kafka_ConfigEntry_value(entries[n]);

		if (value == NULL)
			continue;
		if (broker ? topics_judge_broker(c->c, (int)id, key, value, &one)
			   : topics_judge_topic(c->c, i, key, value, &one))
			*finding(c) = one;
	}
	return 0;
}

/* ---- positions ---- */

static int check_group(struct checking *c, struct kafka_topic *t, const char *role, struct err *e)
{
	/* What the gateway notes is for operators; the truth is in its ledger. */
	bool noted = strcmp(role, "gateway") == 0;
	rd_kafka_topic_partition_list_t *list;
	struct topic_finding *one;
	char group[KAFKA_NAME];
	int count, beyond, rc = 0;

	if (t->partitions == 0)
		return 0;
	if (admin_group(c->admin.k, role, t->topic, group, e) < 0 ||
	    admin_positions(&c->admin, group, t, &list, e) < 0)
		return -1;
	count = admin_count(list, t, &beyond);
	if (count == 0 && beyond == 0 && !noted) {
		one = finding(c);
		SAY(one->what, "group %s: positions", group);
		SAY(one->found, "none");
		SAY(one->wanted, "%d", t->partitions);
		SAY(one->cure, "qiao topics create, before the first start");
	} else if (count + beyond > 0 && (count != t->partitions || beyond > 0)) {
		one = finding(c);
		SAY(one->what, "group %s: positions", group);
		SAY(one->found, "%d", count + beyond);
		SAY(one->wanted, "%d", t->partitions);
		SAY(one->cure,
		    "the number of partitions of topic %.200s was changed: make it as it was",
		    t->name);
	}
	for (int i = 0; i < t->partitions && rc == 0; i++)
		if (list->elems[i].offset >= 0)
			rc = check_position(c, t, group, &list->elems[i], noted, e);
	rd_kafka_topic_partition_list_destroy(list);
	return rc;
}

static int check_position(struct checking *c, struct kafka_topic *t, const char *group,
			  const rd_kafka_topic_partition_t *at, bool noted, struct err *e)
{
	struct topic_finding *one;
	int64_t low, high;
	struct id id;

	if (look_ends(c->admin.k, t, at->partition, &low, &high, e) < 0)
		return -1;
	if (!noted && (at->metadata_size < ID_HEX - 1 ||
		       id_parse(&id, (struct str){at->metadata, ID_HEX - 1}) < 0)) {
		one = finding(c);
		SAY(one->what, "group %.200s: partition %d", group, (int)at->partition);
		SAY(one->found, "a position without the id of its event");
		SAY(one->wanted, "one that Qiao stored");
		SAY(one->cure, "somebody else moved it, and the reader will stop: set it back");
	} else if (at->offset > high) {
		one = finding(c);
		SAY(one->what, "group %.200s: partition %d", group, (int)at->partition);
		SAY(one->found, "position %" PRId64, at->offset);
		SAY(one->wanted, "at most %" PRId64 ", the end", high);
		SAY(one->cure,
		    "topic %.150s was made anew: its reader will stop; restore by adoption "
		    "(qiao adopt)",
		    t->name);
	} else if (at->offset < low && !t->topic->compact) {
		one = finding(c);
		SAY(one->what, "group %.200s: partition %d", group, (int)at->partition);
		SAY(one->found, "position %" PRId64, at->offset);
		SAY(one->wanted, "at least %" PRId64 ", the oldest event kept", low);
		SAY(one->cure,
		    "events were removed before they were read: retention of topic %.150s is "
		    "too short, or its reader was away too long; restore by adoption (qiao "
		    "adopt)",
		    t->name);
	} else if (at->offset < high && !t->topic->compact) {
		return check_age(c, t, group, at->partition, at->offset, high, e);
	}
	return 0;
}

/* Half the time that events are kept is the last moment for somebody to notice. Ages are those of
 * the brokers, by which they remove events. */
static int check_age(struct checking *c, struct kafka_topic *t, const char *group, int partition,
		     int64_t next, int64_t high, struct err *e)
{
	int64_t days = (c->c->bus.retention_days + 1) / 2, young;
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t err;
	struct topic_finding *one;
	char what[KAFKA_NAME + 24];
	int64_t since = 0;

	/* Nobody reads feedback here where the agency has a consumer of its own. */
	if (strcmp(t->topic->name, "feedback") == 0 &&
	    c->c->gateway.crediting == CREDITING_CONSUMER)
		return 0;
	list = rd_kafka_topic_partition_list_new(1);
	SAY(what, "topic %.200s: ages", t->name);
	for (;;) {
		rd_kafka_topic_partition_list_del(list, t->name, partition);
		rd_kafka_topic_partition_list_add(list, t->name, partition)->offset =
			clock_wall() - days * DAY_MS;
		err = rd_kafka_offsets_for_times(c->admin.k->asker, list, 10 * KAFKA_TURN_MS);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
			err = list->elems[0].err;
		young = list->elems[0].offset;
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
			break;
		if ((kafka_err(c->admin.k, err, what, "", e) < 0 && e->class != ERR_TEMP) ||
		    kafka_wait(c->admin.k, &since, what, e) < 0) {
			rd_kafka_topic_partition_list_destroy(list);
			return -1;
		}
		rd_kafka_poll(c->admin.k->asker, KAFKA_TURN_MS);
	}
	kafka_waited(c->admin.k, &since, what);
	rd_kafka_topic_partition_list_destroy(list);
	young = young < 0 ? high : young; /* all are older */
	if (next >= young)
		return 0;
	one = finding(c);
	SAY(one->what, "group %.200s: partition %d", group, partition);
	SAY(one->found, "%" PRId64 " events unread for more than %" PRId64 " days", young - next,
	    days);
	SAY(one->wanted, "none");
	SAY(one->cure, "start the reader, before retention removes them");
	return 0;
}

/* ---- clocks ---- */

/* Twice: the first round makes the connections, the second one is timed. */
static int check_clocks(struct checking *c, struct err *e)
{
	struct stamp stamps[BUS_PARTITIONS_MAX];
	bool told[BUS_PARTITIONS_MAX] = {false};
	const struct rd_kafka_metadata_topic *t;
	struct topic_finding one = {0};
	struct topic_plan p;
	rd_kafka_t *rk = NULL;
	int count, rc;

	topics_plan(c->c, topic_count, &p);
	t = admin_topic(c->md, p.name);
	count = t->partition_cnt;
	if (kafka_handle(c->admin.k, KAFKA_OUT, NULL, set_report, NULL, &rk, e) < 0)
		return -1;
	rc = stamp_all(c, rk, &p, stamps, count, e);
	if (rc == 1)
		rc = stamp_all(c, rk, &p, stamps, count, e);
	for (int i = 0; i < count && rc == 1; i++) {
		for (int n = 0; n < i; n++)
			told[i] = told[i] || stamps[n].broker == stamps[i].broker;
		if (!told[i] && stamps[i].by_broker &&
		    topics_judge_clock(stamps[i].broker, stamps[i].before_ms, stamps[i].stamped_ms,
				       stamps[i].after_ms, &one))
			*finding(c) = one;
	}
	rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_poll(rk, 0);
	rd_kafka_destroy(rk);
	return rc < 0 ? -1 : 0;
}

/* 1: all of them; 0: a broker took none in time, which is a finding of its own. */
static int stamp_all(struct checking *c, rd_kafka_t *rk, const struct topic_plan *p,
		     struct stamp *stamps, int count, struct err *e)
{
	int64_t end = clock_monotonic() + BROKER_MS, since = 0;
	char what[KAFKA_NAME + 16];

	SAY(what, "topic %.240s", p->name);
	memset(stamps, 0, (size_t)count * sizeof *stamps);
	for (int i = 0; i < count; i++) {
		rd_kafka_resp_err_t err;

		stamps[i].before_ms = clock_wall();
		err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(p->name), RD_KAFKA_V_PARTITION(i),
					RD_KAFKA_V_KEY("clock", 5), RD_KAFKA_V_OPAQUE(&stamps[i]),
					RD_KAFKA_V_END);
		while (err == RD_KAFKA_RESP_ERR_NO_ERROR && !stamps[i].reported) {
			if (rd_kafka_poll(rk, KAFKA_TURN_MS) > 0)
				continue;
			if (clock_monotonic() > end)
				return not_taken(c, what, i);
			if (kafka_wait(c->admin.k, &since, what, e) < 0)
				return -1;
		}
		kafka_waited(c->admin.k, &since, what);
		err = err ? err : stamps[i].err;
		if (err)
			return kafka_err(c->admin.k, err, what, rd_kafka_err2str(err), e);
	}
	return 1;
}

static int not_taken(struct checking *c, const char *topic, int partition)
{
	struct topic_finding *one = finding(c);

	SAY(one->what, "%s: writing", topic);
	SAY(one->found, "partition %d takes no record for %d s", partition, BROKER_MS / 1000);
	SAY(one->wanted, "it takes one at once");
	SAY(one->cure, "see what ails the broker that leads it, and whether enough copies are in "
		       "sync; clocks were not compared");
	return 0;
}

static void set_report(rd_kafka_conf_t *conf, void *arg)
{
	(void)arg;
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct stamp *s = m->_private;
	rd_kafka_timestamp_type_t type;

	(void)rk;
	(void)opaque;
	s->after_ms = clock_wall();
	s->stamped_ms = rd_kafka_message_timestamp(m, &type);
	s->by_broker = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
	s->broker = rd_kafka_message_broker_id(m);
	s->err = m->err;
	s->reported = true;
}
