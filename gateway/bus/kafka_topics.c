/* Topics and groups made and checked, and the lags of readers. */
#include "bus/kafka_topics.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 10000, WINDOW_MINUTES_A_DAY = 1440 };
#define DAY_AS_MS INT64_C(86400000)
#define NO_EVENT "00000000000000000000000000000000"

struct admin {
	struct kafka *k;
	rd_kafka_queue_t *queue;
};

static int admin_open(struct admin *a, const struct bus_options *o, struct err *e);
static void admin_close(struct admin *a);
static rd_kafka_event_t *admin_wait(struct admin *a, struct err *e);

/* ---- the plan ---- */

static void setting(struct topic_plan *p, int n, const char *key, int64_t value)
{
	p->settings[n].key = key;
	snprintf(p->settings[n].value, sizeof p->settings[n].value, "%" PRId64, value);
}

void topics_plan(const struct conf *c, int i, struct topic_plan *out)
{
	const struct topic *t = &topics[i];

	*out = (struct topic_plan){.topic = t, .partitions = t->single ? 1 : (int)c->kafka.partitions, .replication = (int)c->kafka.replication};
	snprintf(out->name, sizeof out->name, "%s%s", c->kafka.topic_prefix, t->name);
	out->settings[0].key = "cleanup.policy";
	snprintf(out->settings[0].value, sizeof out->settings[0].value, "%s", t->compact ? "compact" : "delete");
	setting(out, 1, "retention.ms", t->compact ? -1 : c->bus.retention_days * DAY_AS_MS);
	setting(out, 2, "min.insync.replicas", c->kafka.min_insync);
	setting(out, 3, "max.message.bytes", 5 << 20);
	out->settings[4].key = "unclean.leader.election.enable";
	snprintf(out->settings[4].value, sizeof out->settings[4].value, "false");
	out->settings[5].key = "message.timestamp.type";
	snprintf(out->settings[5].value, sizeof out->settings[5].value, "CreateTime");
}

static bool is_reader(const struct topic *t, const char *role)
{
	for (int i = 0; i < 4 && t->readers[i]; i++)
		if (strcmp(t->readers[i], role) == 0)
			return true;
	return false;
}

static const char *group_of(const struct conf *c, const char *role)
{
	return strcmp(role, "village") == 0 ? c->village.group : role;
}

int topics_acls(const struct conf *c, struct topic_acl *out, int max)
{
	static const char *const roles[] = {"village", "gateway", "tax", "ssa"};
	int n = 0;

	for (int r = 0; r < 4; r++) {
		bool gateway = strcmp(roles[r], "gateway") == 0;

		for (int i = 0; i < topic_count && n + 3 <= max; i++) {
			bool writes = strcmp(topics[i].producer, roles[r]) == 0;
			/* The gateway looks at what it sent, an adapter at its own memory of feeds. */
			bool reads = is_reader(&topics[i], roles[r]) || (writes && (gateway || topics[i].keep_last));

			if (writes || reads) {
				struct topic_acl *a = &out[n];

				snprintf(a->program, sizeof a->program, "%s", roles[r]);
				snprintf(a->kind, sizeof a->kind, "topic");
				snprintf(a->name, sizeof a->name, "%s%s", c->kafka.topic_prefix, topics[i].name);
				snprintf(a->operation, sizeof a->operation, "%s", writes ? "Write" : "Read");
				n++;
				if (writes && reads) {
					out[n] = *a;
					snprintf(out[n++].operation, sizeof a->operation, "Read");
				}
			}
			if (is_reader(&topics[i], roles[r]) && !gateway) {
				out[n] = (struct topic_acl){.kind = "group", .operation = "Read"};
				snprintf(out[n].program, sizeof out[n].program, "%s", roles[r]);
				snprintf(out[n].name, sizeof out[n].name, "%s%s.%s", c->kafka.group_prefix, group_of(c, roles[r]), topics[i].name);
				n++;
			}
		}
		if (gateway && n < max) {
			out[n] = (struct topic_acl){.program = "gateway", .kind = "group", .operation = "Read"};
			snprintf(out[n].name, sizeof out[n].name, "%sgateway", c->kafka.group_prefix);
			n++;
		}
	}
	return n;
}

/* ---- making ---- */

static int create_missing(struct admin *a, struct topics_made *made, struct err *e)
{
	rd_kafka_NewTopic_t *list[KAFKA_TOPICS_MAX];
	const rd_kafka_topic_result_t **results;
	rd_kafka_AdminOptions_t *options;
	rd_kafka_event_t *event;
	size_t count;
	char why[256];
	int n = 0, rc = 0;

	for (int i = 0; i < topic_count; i++) {
		struct topic_plan p;

		topics_plan(a->k->conf, i, &p);
		list[n] = rd_kafka_NewTopic_new(p.name, p.partitions, p.replication, why, sizeof why);
		if (list[n] == NULL) {
			rc = err_set(e, ERR_CONF, "kafka: topic %.200s: %s (see [kafka] topic_prefix, partitions, replication)", p.name, why);
			break;
		}
		for (int s = 0; p.settings[s].key; s++)
			rd_kafka_NewTopic_set_config(list[n], p.settings[s].key, p.settings[s].value);
		n++;
	}
	if (rc == 0) {
		options = rd_kafka_AdminOptions_new(a->k->asker, RD_KAFKA_ADMIN_OP_CREATETOPICS);
		rd_kafka_AdminOptions_set_operation_timeout(options, ASK_MS, why, sizeof why);
		rd_kafka_CreateTopics(a->k->asker, list, (size_t)n, options, a->queue);
		rd_kafka_AdminOptions_destroy(options);
		event = admin_wait(a, e);
		rc = event ? 0 : -1;
		if (event) {
			results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
			for (size_t i = 0; i < count && rc == 0; i++) {
				rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
				const char *name = rd_kafka_topic_result_name(results[i]);

				if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
					made->topics++;
				else if (err == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR)
					rc = err_set(e, ERR_CONF, "kafka: topic %.150s: fewer brokers than [kafka] replication = %" PRId64, name,
						     a->k->conf->kafka.replication);
				else if (err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
					rc = kafka_err(a->k, err, name, rd_kafka_topic_result_error_string(results[i]), e);
			}
			rd_kafka_event_destroy(event);
		}
	}
	rd_kafka_NewTopic_destroy_array(list, (size_t)n);
	return rc;
}

static int positions_of(struct kafka *k, const char *group, struct kafka_topic *t, rd_kafka_t **rk, rd_kafka_topic_partition_list_t **list,
			struct err *e)
{
	int64_t since = 0;
	rd_kafka_resp_err_t err;

	if (*rk == NULL && kafka_handle(k, KAFKA_IN, group, NULL, NULL, rk, e) < 0)
		return -1;
	*list = rd_kafka_topic_partition_list_new(t->partitions);
	for (int i = 0; i < t->partitions; i++)
		rd_kafka_topic_partition_list_add(*list, t->name, i);
	while ((err = rd_kafka_committed(*rk, *list, 10 * KAFKA_TURN_MS)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if ((kafka_err(k, err, group, "positions", e) < 0 && e->class != ERR_TEMP) || kafka_wait(k, &since, "positions", e) < 0)
			return -1;
	}
	kafka_waited(k, &since, "positions");
	for (int i = 0; i < t->partitions; i++)
		if ((*list)->elems[i].err)
			return kafka_err(k, (*list)->elems[i].err, group, "position", e);
	return 0;
}

static int first_positions(struct kafka *k, const char *role, struct kafka_topic *t, struct topics_made *made, struct err *e)
{
	rd_kafka_topic_partition_list_t *list = NULL, *first = NULL;
	rd_kafka_t *rk = NULL;
	char group[KAFKA_NAME];
	rd_kafka_resp_err_t err;
	int rc;

	if (kafka_know(k, t, e) < 0 || kafka_group_name(k, group_of(k->conf, role), t->topic->name, group, e) < 0)
		return -1;
	rc = positions_of(k, group, t, &rk, &list, e);
	first = rd_kafka_topic_partition_list_new(t->partitions);
	for (int i = 0; i < t->partitions && rc == 0; i++) {
		rd_kafka_topic_partition_t *at;
		int64_t low, high;

		if (list->elems[i].offset >= 0)
			continue;
		rc = look_ends(k, t, i, &low, &high, e);
		/* A new spool may read old answers: they are not its own. */
		if (rc == 0 && high > 0 && strcmp(role, "village") != 0)
			rc = err_set(e, ERR_SAFE,
				     "kafka: group %s has no position for partition %d of topic %s, and %" PRId64
				     " events lie there: giving it one would be starting over; if the brokers forgot it, set it with kafka-consumer-groups.sh "
				     "to where it was",
				     group, i, t->name, high - low);
		at = rd_kafka_topic_partition_list_add(first, t->name, i);
		at->offset = rc == 0 ? low : 0;
		at->metadata = strdup(NO_EVENT);
		at->metadata_size = sizeof NO_EVENT - 1;
	}
	for (int tries = 0; rc == 0 && first->cnt > 0; tries++) {
		err = rd_kafka_commit(rk, first, 0);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			made->positions += first->cnt;
			break;
		}
		if ((kafka_err(k, err, group, rd_kafka_err2str(err), e) < 0 && e->class != ERR_TEMP) || tries == 20)
			rc = -1;
	}
	rd_kafka_topic_partition_list_destroy(first);
	if (list)
		rd_kafka_topic_partition_list_destroy(list);
	if (rk)
		rd_kafka_destroy(rk);
	return rc;
}

int topics_create(const struct bus_options *o, struct topics_made *made, struct err *e)
{
	struct admin a;
	int rc = admin_open(&a, o, e);

	*made = (struct topics_made){0};
	if (rc == 0)
		rc = create_missing(&a, made, e);
	/* New topics show on every broker a moment later. */
	for (int i = 0; i < topic_count && rc == 0; i++) {
		int64_t until = clock_monotonic() + ASK_MS, since = 0;

		while ((rc = kafka_know(a.k, &a.k->topics[i], e)) < 0 && e->class == ERR_CONF && made->topics > 0 && clock_monotonic() < until) {
			rd_kafka_poll(a.k->asker, KAFKA_TURN_MS);
			if (kafka_wait(a.k, &since, "topics", e) < 0)
				break;
		}
	}
	for (int i = 0; i < topic_count && rc == 0; i++)
		for (int r = 0; r < 4 && topics[i].readers[r] && rc == 0; r++)
			if (strcmp(topics[i].readers[r], "gateway") != 0)
				rc = first_positions(a.k, topics[i].readers[r], &a.k->topics[i], made, e);
	admin_close(&a);
	return rc;
}

int kafka_init(const struct bus_options *o, struct err *e)
{
	struct topics_made made;

	return topics_create(o, &made, e);
}

int kafka_layout(const struct bus_options *o, int *partitions, struct err *e)
{
	struct admin a;
	int rc = admin_open(&a, o, e);

	for (int i = 0; i < topic_count && rc == 0; i++) {
		rc = kafka_know(a.k, &a.k->topics[i], e);
		partitions[i] = a.k->topics[i].partitions;
	}
	admin_close(&a);
	return rc;
}

/* ---- checking ---- */

struct findings {
	struct topic_finding *out;
	int max, count;
};

static struct topic_finding *finding(struct findings *f, const char *what, const char *cure, ...)
{
	static struct topic_finding spare;
	struct topic_finding *one = f->count < f->max ? &f->out[f->count++] : &spare;
	va_list ap;

	*one = (struct topic_finding){0};
	snprintf(one->what, sizeof one->what, "%s", what);
	va_start(ap, cure);
	vsnprintf(one->cure, sizeof one->cure, cure, ap);
	va_end(ap);
	return one;
}

/* 0 for what is no number. */
static int64_t number_of(const char *text)
{
	int64_t n = 0;

	str_int(str_of(text), INT64_MIN, INT64_MAX, &n);
	return n;
}

/* cleanup.policy and the like as they are on the brokers, against the plan. More retention is fine. */
static void check_setting(struct findings *f, const struct topic_plan *p, const char *key, const char *found)
{
	for (int i = 0; p->settings[i].key; i++) {
		const char *wanted = p->settings[i].value;
		bool enough = strcmp(found, wanted) == 0;
		char what[250];
		struct topic_finding *one;

		if (strcmp(key, p->settings[i].key) != 0)
			continue;
		if (strcmp(key, "retention.ms") == 0)
			enough = enough || number_of(found) == -1 || (number_of(wanted) != -1 && number_of(found) >= number_of(wanted));
		if (strcmp(key, "max.message.bytes") == 0 || strcmp(key, "min.insync.replicas") == 0)
			enough = enough || number_of(found) >= number_of(wanted);
		if (enough)
			return;
		snprintf(what, sizeof what, "topic %.150s: %s", p->name, key);
		one = finding(f, what, "kafka-configs.sh --alter --entity-type topics --entity-name %.100s --add-config %s=%s", p->name, key, wanted);
		snprintf(one->found, sizeof one->found, "%.90s", found);
		snprintf(one->wanted, sizeof one->wanted, "%.90s", wanted);
		return;
	}
	if (strcmp(key, "retention.bytes") == 0 && number_of(found) != -1 && !p->topic->compact) {
		char what[250];
		struct topic_finding *one;

		snprintf(what, sizeof what, "topic %.150s: retention.bytes", p->name);
		one = finding(f, what, "kafka-configs.sh --alter --entity-type topics --entity-name %.100s --add-config retention.bytes=-1", p->name);
		snprintf(one->found, sizeof one->found, "%.90s", found);
		snprintf(one->wanted, sizeof one->wanted, "-1");
	}
}

static void check_broker(struct findings *f, const struct conf *c, const char *broker, const char *key, const char *found)
{
	int64_t minutes = c->bus.retention_days * WINDOW_MINUTES_A_DAY;
	struct topic_finding *one = NULL;
	char what[250];

	snprintf(what, sizeof what, "broker %.50s: %.100s", broker, key);
	if (strcmp(key, "offsets.retention.minutes") == 0 && number_of(found) < minutes) {
		one = finding(f, what, "set offsets.retention.minutes=%" PRId64 " in server.properties and restart the broker: a group that is away for "
				       "longer loses its position", minutes);
		snprintf(one->wanted, sizeof one->wanted, "%" PRId64, minutes);
	} else if (strcmp(key, "auto.create.topics.enable") == 0 && strcmp(found, "false") != 0) {
		one = finding(f, what, "set auto.create.topics.enable=false: a slip of a name makes a topic that keeps no promise");
		snprintf(one->wanted, sizeof one->wanted, "false");
	}
	if (one)
		snprintf(one->found, sizeof one->found, "%.90s", found);
}

static int describe(struct admin *a, struct findings *f, const struct rd_kafka_metadata *md, struct err *e)
{
	rd_kafka_ConfigResource_t *list[KAFKA_TOPICS_MAX];
	const rd_kafka_ConfigResource_t **results;
	rd_kafka_event_t *event;
	size_t count;
	int n = 0, rc = 0;

	for (int i = 0; i < topic_count; i++)
		if (a->k->topics[i].partitions > 0)
			list[n++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, a->k->topics[i].name);
	/* A broker tells of itself only, and one is asked at a time; they are set up alike. */
	if (md->broker_cnt > 0 && n < KAFKA_TOPICS_MAX) {
		char id[16];

		snprintf(id, sizeof id, "%d", (int)md->brokers[0].id);
		list[n++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, id);
	}
	rd_kafka_DescribeConfigs(a->k->asker, list, (size_t)n, NULL, a->queue);
	event = admin_wait(a, e);
	rd_kafka_ConfigResource_destroy_array(list, (size_t)n);
	if (event == NULL)
		return -1;
	results = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const rd_kafka_ConfigEntry_t **entries;
		const char *name = rd_kafka_ConfigResource_name(results[i]);
		struct topic_plan p;
		size_t entry_count;

		if (rd_kafka_ConfigResource_error(results[i]))
			rc = kafka_err(a->k, rd_kafka_ConfigResource_error(results[i]), name, rd_kafka_ConfigResource_error_string(results[i]), e);
		entries = rd_kafka_ConfigResource_configs(results[i], &entry_count);
		for (size_t k = 0; k < entry_count && rc == 0; k++) {
			const char *key = rd_kafka_ConfigEntry_name(entries[k]), *value = rd_kafka_ConfigEntry_value(entries[k]);

			if (value && rd_kafka_ConfigResource_type(results[i]) == RD_KAFKA_RESOURCE_BROKER)
				check_broker(f, a->k->conf, name, key, value);
			for (int t = 0; value && t < topic_count; t++) {
				topics_plan(a->k->conf, t, &p);
				if (strcmp(p.name, name) == 0)
					check_setting(f, &p, key, value);
			}
		}
	}
	rd_kafka_event_destroy(event);
	return rc;
}

static void check_copies(struct findings *f, const struct conf *c, const struct topic_plan *p, const struct rd_kafka_metadata_topic *t)
{
	int behind = 0, few = 0, replicas = t->partition_cnt ? t->partitions[0].replica_cnt : 0;
	char what[250];
	struct topic_finding *one;

	for (int i = 0; i < t->partition_cnt; i++) {
		behind += t->partitions[i].isr_cnt < t->partitions[i].replica_cnt;
		few += t->partitions[i].isr_cnt < c->kafka.min_insync;
	}
	snprintf(what, sizeof what, "topic %.150s: partitions", p->name);
	if (t->partition_cnt != p->partitions) {
		one = finding(f, what, "the number is fixed for a topic's life: set [kafka] partitions to what is there, if nobody changed it; else make the "
				       "topic anew before it is used");
		snprintf(one->found, sizeof one->found, "%d", t->partition_cnt);
		snprintf(one->wanted, sizeof one->wanted, "%d", p->partitions);
	}
	snprintf(what, sizeof what, "topic %.150s: replication", p->name);
	if (replicas < p->replication) {
		one = finding(f, what, "kafka-reassign-partitions.sh: give each partition %d copies", p->replication);
		snprintf(one->found, sizeof one->found, "%d", replicas);
		snprintf(one->wanted, sizeof one->wanted, "%d", p->replication);
	}
	snprintf(what, sizeof what, "topic %.150s: copies in sync", p->name);
	if (behind > 0) {
		one = finding(f, what, few ? "bring the brokers back: nothing can be written" : "bring the brokers back: the next failure may stop writing");
		snprintf(one->found, sizeof one->found, "%d partitions behind, %d below min_insync", behind, few);
		snprintf(one->wanted, sizeof one->wanted, "all");
	}
}

static int check_groups(struct kafka *k, struct findings *f, struct err *e)
{
	for (int i = 0; i < topic_count; i++)
		for (int r = 0; r < 4 && topics[i].readers[r]; r++) {
			rd_kafka_topic_partition_list_t *list = NULL;
			rd_kafka_t *rk = NULL;
			char group[KAFKA_NAME], what[250];
			int rc, missing = 0;

			if (strcmp(topics[i].readers[r], "gateway") == 0 || k->topics[i].partitions == 0)
				continue;
			if (kafka_group_name(k, group_of(k->conf, topics[i].readers[r]), topics[i].name, group, e) < 0)
				return -1;
			rc = positions_of(k, group, &k->topics[i], &rk, &list, e);
			for (int p = 0; rc == 0 && p < list->cnt; p++)
				missing += list->elems[p].offset < 0;
			if (list)
				rd_kafka_topic_partition_list_destroy(list);
			if (rk)
				rd_kafka_destroy(rk);
			if (rc < 0)
				return -1;
			if (missing) {
				struct topic_finding *one;

				snprintf(what, sizeof what, "group %.200s: positions", group);
				one = finding(f, what, "qiao topics create, once, before the first start");
				snprintf(one->found, sizeof one->found, "%d missing", missing);
				snprintf(one->wanted, sizeof one->wanted, "%d", k->topics[i].partitions);
			}
		}
	return 0;
}

int topics_check(const struct bus_options *o, struct topic_finding *out, int max, int *count, struct err *e)
{
	struct findings f = {out, max, 0};
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t err;
	int64_t since = 0;
	struct admin a;
	int rc = admin_open(&a, o, e);

	while (rc == 0 && (err = rd_kafka_metadata(a.k->asker, 1, NULL, &md, 10 * KAFKA_TURN_MS)) != 0)
		if ((kafka_err(a.k, err, "topics", "", e) < 0 && e->class != ERR_TEMP) || kafka_wait(a.k, &since, "topics", e) < 0)
			rc = -1;
	for (int i = 0; i < topic_count && rc == 0; i++) {
		const struct rd_kafka_metadata_topic *t = NULL;
		struct topic_plan p;

		topics_plan(o->conf, i, &p);
		for (int n = 0; n < md->topic_cnt; n++)
			if (strcmp(md->topics[n].topic, p.name) == 0 && md->topics[n].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
				t = &md->topics[n];
		if (t == NULL) {
			char what[250];

			snprintf(what, sizeof what, "topic %.200s", p.name);
			snprintf(finding(&f, what, "qiao topics create")->found, 100, "missing");
			continue;
		}
		a.k->topics[i].partitions = t->partition_cnt;
		check_copies(&f, o->conf, &p, t);
	}
	if (rc == 0 && o->conf->kafka.replication - o->conf->kafka.min_insync < 1 && md->broker_cnt > 1) {
		struct topic_finding *one = finding(&f, "[kafka] min_insync", "one less than replication: otherwise no broker may fail");

		snprintf(one->found, sizeof one->found, "%" PRId64, o->conf->kafka.min_insync);
		snprintf(one->wanted, sizeof one->wanted, "%" PRId64, o->conf->kafka.replication - 1);
	}
	if (rc == 0)
		rc = describe(&a, &f, md, e);
	if (rc == 0)
		rc = check_groups(a.k, &f, e);
	if (md)
		rd_kafka_metadata_destroy(md);
	admin_close(&a);
	*count = f.count;
	return rc;
}

/* ---- lags ---- */

static int lag_of(struct kafka *k, struct kafka_topic *t, const char *group, const char *label, struct bus_lag *out, struct err *e)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	rd_kafka_t *rk = NULL;
	int rc = group[0] ? positions_of(k, group, t, &rk, &list, e) : 0;

	*out = (struct bus_lag){0};
	snprintf(out->topic, sizeof out->topic, "%s", t->topic->name);
	snprintf(out->group, sizeof out->group, "%s", label);
	for (int i = 0; i < t->partitions && rc == 0; i++) {
		int64_t low, high, next;
		struct bus_record oldest;

		rc = look_ends(k, t, i, &low, &high, e);
		if (rc < 0)
			break;
		next = !list ? high : list->elems[i].offset < 0 ? 0 : list->elems[i].offset;
		out->end += high;
		out->next += next;
		if (next < high && (rc = look_at(k, t, i, next, &oldest, e)) == 1 &&
		    (out->oldest_unread_ms == 0 || oldest.event.time_ms < out->oldest_unread_ms))
			out->oldest_unread_ms = oldest.event.time_ms;
		rc = rc < 0 ? -1 : 0;
	}
	if (list)
		rd_kafka_topic_partition_list_destroy(list);
	if (rk)
		rd_kafka_destroy(rk);
	return rc;
}

int kafka_lags(const struct bus_options *o, struct bus_lag *out, int max, int *count, struct err *e)
{
	struct kafka *k;
	int rc = kafka_open(&k, o, e);

	*count = 0;
	for (int i = 0; i < topic_count && rc == 0; i++) {
		int before = *count;

		rc = kafka_know(k, &k->topics[i], e);
		for (int r = 0; rc == 0 && r < 4 && topics[i].readers[r] && *count < max; r++) {
			const char *role = topics[i].readers[r];
			char group[KAFKA_NAME];

			if (strcmp(role, "gateway") == 0)
				snprintf(group, sizeof group, "%sgateway", o->conf->kafka.group_prefix);
			else
				rc = kafka_group_name(k, group_of(o->conf, role), topics[i].name, group, e);
			if (rc == 0)
				rc = lag_of(k, &k->topics[i], group, role, &out[(*count)++], e);
		}
		if (rc == 0 && *count == before && *count < max)
			rc = lag_of(k, &k->topics[i], "", "", &out[(*count)++], e);
	}
	kafka_close(k);
	return rc;
}

/* ---- the admin's side ---- */

static int admin_open(struct admin *a, const struct bus_options *o, struct err *e)
{
	struct bus_options plain = *o;

	*a = (struct admin){0};
	plain.role = "admin"; /* concerns no topic: none need be there */
	if (kafka_open(&a->k, &plain, e) < 0 || kafka_asker(a->k, e) < 0)
		return -1;
	a->queue = rd_kafka_queue_new(a->k->asker);
	return 0;
}

static void admin_close(struct admin *a)
{
	if (a->queue)
		rd_kafka_queue_destroy(a->queue);
	kafka_close(a->k);
}

static rd_kafka_event_t *admin_wait(struct admin *a, struct err *e)
{
	int64_t since = 0;

	for (;;) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(a->queue, KAFKA_TURN_MS);
		rd_kafka_resp_err_t err;

		rd_kafka_poll(a->k->asker, 0);
		if (event == NULL) {
			if (kafka_wait(a->k, &since, "answer", e) < 0)
				return NULL;
			continue;
		}
		kafka_waited(a->k, &since, "answer");
		err = rd_kafka_event_error(event);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
			return event;
		kafka_err(a->k, err, "request", rd_kafka_event_error_string(event), e);
		rd_kafka_event_destroy(event);
		return NULL;
	}
}
