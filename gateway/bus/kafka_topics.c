/* Topics and the first positions of groups made; how far readers are. */
#include "bus/kafka_topics.h"
#include "base/clock.h"
#include "bus/kafka_admin.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAKE_MS = 15000, LAGS_MS = 6000 };
#define NO_EVENT "00000000000000000000000000000000"

struct making {
	struct admin admin;
	const char *from_beginning; /* the group that may begin although events lie there */
	bool missing[KAFKA_TOPICS_MAX];
	bool clock_missing;
	struct topics_made *made;
};
static int create(const struct bus_options *o, const char *from_beginning, bool init,
		  struct topics_made *made, struct err *e);
static int knows_group(const struct kafka *k, const char *group, struct err *e);
static int find_missing(struct making *m, struct err *e);
static int refuse_history(struct making *m, struct err *e);
static int make_missing(struct making *m, struct err *e);
static void send_topics(struct admin *a, const void *arg);
static int judge_topics(struct making *m, rd_kafka_event_t *event, struct err *e);
static int see_topics(struct making *m, struct err *e);
static int first_positions(struct making *m, struct kafka_topic *t, const char *role,
			   struct err *e);
static int beginnings(struct making *m, struct kafka_topic *t, const char *group,
		      rd_kafka_topic_partition_list_t *out, struct err *e);
static int lags_of_topic(struct admin *a, struct kafka_topic *t, struct bus_lag *out, int max,
			 struct err *e);
static int lag_of(struct admin *a, struct kafka_topic *t, const rd_kafka_topic_partition_list_t *at,
		  struct bus_lag *out, struct err *e);
static bool until(void *arg);

/* ---- making ---- */

int topics_create(const struct bus_options *o, const char *from_beginning, struct topics_made *made,
		  struct err *e)
{
	return create(o, from_beginning, false, made, e);
}

int kafka_init(const struct bus_options *o, struct err *e)
{
	struct topics_made made;

	return create(o, NULL, true, &made, e);
}

/* init: on the gateway's host, perhaps with the gateway's rights only. Where the topics are there
 * already, whoever made them gave the positions, too; what may not be seen then is not asked for
 * (whether the gateway's own are there, bus_layout finds). */
static int create(const struct bus_options *o, const char *from_beginning, bool init,
		  struct topics_made *made, struct err *e)
{
	struct making m = {.from_beginning = from_beginning, .made = made};
	int rc = admin_open(&m.admin, o, e);

	*made = (struct topics_made){0};
	if (rc == 0 && from_beginning)
		rc = knows_group(m.admin.k, from_beginning, e);
	if (rc == 0)
		rc = find_missing(&m, e);
	if (rc == 0 && init)
		rc = refuse_history(&m, e);
	if (rc == 0)
		rc = make_missing(&m, e);
	if (rc == 0)
		rc = see_topics(&m, e);
	for (int i = 0; i < topic_count && rc == 0; i++)
		for (int r = 0; r < 4 && topics[i].readers[r] && rc == 0; r++)
			if (strcmp(topics[i].readers[r], "gateway") != 0)
				rc = first_positions(&m, &m.admin.k->topics[i],
						     topics[i].readers[r], e);
	if (rc < 0 && init && made->topics == 0 && m.admin.denied)
		rc = 0;
	admin_close(&m.admin);
	return rc;
}

static int knows_group(const struct kafka *k, const char *group, struct err *e)
{
	char name[KAFKA_NAME];

	for (int i = 0; i < topic_count; i++)
		for (int r = 0; r < 4 && topics[i].readers[r]; r++)
			if (strcmp(topics[i].readers[r], "gateway") != 0 &&
			    admin_group(k, topics[i].readers[r], &topics[i], name, e) == 0 &&
			    strcmp(name, group) == 0)
				return 0;
	return err_set(
		e, ERR_CONF,
		"--group-from-beginning %.200s: no group of ours reads by that name here (see "
		"[village] group, [kafka] group_prefix; qiao topics plan --acls lists them)",
		group);
}

static int find_missing(struct making *m, struct err *e)
{
	const struct rd_kafka_metadata *md;
	struct topic_plan p;

	if (admin_metadata(&m->admin, &md, e) < 0)
		return -1;
	for (int i = 0; topics_plan(m->admin.k->conf, i, &p); i++) {
		bool missing = admin_topic(md, p.name) == NULL;

		if (p.topic)
			m->missing[i] = missing;
		else
			m->clock_missing = missing;
	}
	rd_kafka_metadata_destroy(md);
	return 0;
}

/* A ledger that is made now cannot have decided what lies there. */
static int refuse_history(struct making *m, struct err *e)
{
	struct kafka *k = m->admin.k;

	for (int i = 0; i < topic_count; i++) {
		struct kafka_topic *t = &k->topics[i];
		int64_t low, high;

		if (m->missing[i] || strcmp(topics[i].producer, "gateway") != 0)
			continue;
		if (kafka_know(k, t, e) < 0)
			return -1;
		for (int p = 0; p < t->partitions; p++) {
			if (look_ends(k, t, p, &low, &high, e) < 0)
				return -1;
			if (high > 0)
				return err_set(
					e, ERR_SAFE,
					"kafka: topic %s: holds events of an earlier ledger: if "
					"that was lost, restore its backup and adopt (qiao "
					"adopt); a fresh start needs another [kafka] "
					"topic_prefix and group_prefix",
					t->name);
		}
	}
	return 0;
}

static bool is_missing(const struct making *m, int i)
{
	return i < topic_count ? m->missing[i] : m->clock_missing;
}

static int make_missing(struct making *m, struct err *e)
{
	rd_kafka_event_t *event;
	bool any = false;
	int rc;

	for (int i = 0; i <= topic_count; i++)
		any = any || is_missing(m, i);
	if (!any)
		return 0;
	event = admin_ask(&m->admin, ADMIN_AGAIN, send_topics, m, "create topics", e);
	if (event == NULL)
		return -1;
	rc = judge_topics(m, event, e);
	rd_kafka_event_destroy(event);
	return rc;
}

static void send_topics(struct admin *a, const void *arg)
{
	const struct making *m = arg;
	rd_kafka_NewTopic_t *list[KAFKA_TOPICS_MAX];
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(a->k->asker, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	struct topic_plan p;
	size_t n = 0;

	for (int i = 0; topics_plan(a->k->conf, i, &p); i++) {
		if (!is_missing(m, i))
			continue;
		list[n] = rd_kafka_NewTopic_new(p.name, p.partitions, p.replication, NULL, 0);
		for (int s = 0; s < PLAN_SETTINGS && p.settings[s].key; s++)
			rd_kafka_NewTopic_set_config(list[n], p.settings[s].key,
						     p.settings[s].value);
		n++;
	}
	rd_kafka_AdminOptions_set_operation_timeout(options, MAKE_MS, NULL, 0);
	rd_kafka_CreateTopics(a->k->asker, list, n, options, a->queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_NewTopic_destroy_array(list, n);
}

/* Somebody else may make them at the same time. */
static int judge_topics(struct making *m, rd_kafka_event_t *event, struct err *e)
{
	const struct kafka *k = m->admin.k;
	const rd_kafka_topic_result_t **results;
	char what[KAFKA_NAME + 16];
	size_t count;
	int rc = 0;

	results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event),
						      &count);
	for (size_t i = 0; i < count; i++) {
		rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
		const char *why = rd_kafka_topic_result_error_string(results[i]);

		snprintf(what, sizeof what, "topic %.240s", rd_kafka_topic_result_name(results[i]));
		/* What we may not see looks as if it were missing. */
		if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
			m->admin.denied = true;
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
			m->made->topics++;
		else if (err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS || rc < 0)
			continue;
		else if (err == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR)
			rc = err_set(e, ERR_CONF,
				     "kafka: %s: [kafka] replication is %" PRId64
				     ", and so many brokers there are not",
				     what, k->conf->kafka.replication);
		else if (err == RD_KAFKA_RESP_ERR_INVALID_CONFIG ||
			 err == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS ||
			 err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION ||
			 err == RD_KAFKA_RESP_ERR_POLICY_VIOLATION)
			rc = err_set(e, ERR_CONF,
				     "kafka: %s: the brokers refuse to make it (%.150s): qiao "
				     "topics plan prints what was asked for",
				     what, why ? why : rd_kafka_err2name(err));
		else
			rc = kafka_err(k, err, what, why, e);
	}
	return rc;
}

/* A new topic shows on every broker a moment later. Each of them leads some partition: who leads one
 * and tells its end knows the topic. */
static int see_topics(struct making *m, struct err *e)
{
	struct kafka *k = m->admin.k;
	int64_t end = clock_monotonic() + MAKE_MS, since = 0, low, high;

	for (int i = 0; i < topic_count; i++) {
		while (kafka_know(k, &k->topics[i], e) < 0) {
			if (e->class != ERR_CONF || !m->missing[i] || clock_monotonic() > end)
				return -1;
			rd_kafka_poll(k->asker, KAFKA_TURN_MS);
			if (kafka_wait(k, &since, "new topics", e) < 0)
				return -1;
		}
		kafka_waited(k, &since, "new topics");
		for (int p = 0; m->missing[i] && p < k->topics[i].partitions; p++)
			if (look_ends(k, &k->topics[i], p, &low, &high, e) < 0)
				return -1;
	}
	return 0;
}

static int first_positions(struct making *m, struct kafka_topic *t, const char *role, struct err *e)
{
	rd_kafka_topic_partition_list_t *there, *first;
	char group[KAFKA_NAME];
	int count, beyond, rc;

	if (admin_group(m->admin.k, role, t->topic, group, e) < 0 ||
	    admin_positions(&m->admin, group, t, &there, e) < 0)
		return -1;
	count = admin_count(there, t, &beyond);
	rd_kafka_topic_partition_list_destroy(there);
	if (count == t->partitions && beyond == 0)
		return 0;
	if (count > 0 || beyond > 0)
		return err_set(
			e, ERR_SAFE,
			"kafka: group %s has positions for %d partitions and topic %s has "
			"%d: the number is fixed for a topic's life; make the topic as it was",
			group, count + beyond, t->name, t->partitions);
	first = rd_kafka_topic_partition_list_new(t->partitions);
	rc = beginnings(m, t, group, first, e);
	if (rc == 0)
		rc = admin_store(&m->admin, group, first, e);
	if (rc == 0)
		m->made->positions += first->cnt;
	rd_kafka_topic_partition_list_destroy(first);
	return rc;
}

/* The oldest event kept of each partition; refuses where there is, or was, one. */
static int beginnings(struct making *m, struct kafka_topic *t, const char *group,
		      rd_kafka_topic_partition_list_t *out, struct err *e)
{
	bool may = m->from_beginning && strcmp(m->from_beginning, group) == 0;

	for (int i = 0; i < t->partitions; i++) {
		rd_kafka_topic_partition_t *at;
		int64_t low, high;

		if (look_ends(m->admin.k, t, i, &low, &high, e) < 0)
			return -1;
		if (high > 0 && !may)
			return err_set(
				e, ERR_SAFE,
				"kafka: group %s has no position on topic %s, where events lie: a "
				"first one would be starting over. A new spool may read old "
				"answers; and where the brokers forgot a position, all that is "
				"kept can be done again, payments being asked for before they are "
				"sent: qiao topics create --group-from-beginning %s",
				group, t->name, group);
		at = rd_kafka_topic_partition_list_add(out, t->name, i);
		at->offset = low;
		at->metadata = strdup(NO_EVENT);
		at->metadata_size = sizeof NO_EVENT - 1;
	}
	return 0;
}

/* 0 where the gateway has nothing to do: it may not see those. */
int kafka_layout(const struct bus_options *o, int *partitions, struct err *e)
{
	struct admin a;
	int rc = admin_open(&a, o, e);

	for (int i = 0; i < topic_count && rc == 0; i++) {
		partitions[i] = 0;
		if (!topic_concerns(&topics[i], "gateway"))
			continue;
		rc = kafka_know(a.k, &a.k->topics[i], e);
		partitions[i] = a.k->topics[i].partitions;
	}
	admin_close(&a);
	return rc;
}

/* ---- lags ---- */

int kafka_lags(const struct bus_options *o, struct bus_lag *out, int max, int *count, struct err *e)
{
	int64_t end = clock_monotonic() + LAGS_MS;
	struct bus_options patient = *o;
	struct admin a;
	int rc;

	*count = 0;
	if (o->waiting == NULL) { /* a look at how it goes must not hang where it does not */
		patient.waiting = until;
		patient.arg = &end;
	}
	rc = admin_open(&a, &patient, e);
	for (int i = 0; i < topic_count && rc >= 0; i++) {
		rc = lags_of_topic(&a, &a.k->topics[i], out + *count, max - *count, e);
		*count += rc > 0 ? rc : 0;
	}
	admin_close(&a);
	return rc < 0 ? -1 : 0;
}

static bool until(void *arg)
{
	return clock_monotonic() < *(const int64_t *)arg;
}

/* How many, or -1. */
static int lags_of_topic(struct admin *a, struct kafka_topic *t, struct bus_lag *out, int max,
			 struct err *e)
{
	int n = 0, rc = kafka_know(a->k, t, e);

	for (int r = 0; rc == 0 && r < 4 && t->topic->readers[r] && n < max; r++) {
		const char *role = t->topic->readers[r];
		rd_kafka_topic_partition_list_t *at = NULL;
		char group[KAFKA_NAME];

		out[n] = (struct bus_lag){0};
		snprintf(out[n].group, sizeof out[n].group, "%s", role);
		rc = admin_group(a->k, role, t->topic, group, e);
		if (rc == 0)
			rc = admin_positions(a, group, t, &at, e);
		if (rc == 0)
			rc = lag_of(a, t, at, &out[n++], e);
		if (at)
			rd_kafka_topic_partition_list_destroy(at);
	}
	if (rc == 0 && n == 0 && max > 0) {
		out[n] = (struct bus_lag){0};
		rc = lag_of(a, t, NULL, &out[n++], e);
	}
	return rc < 0 ? -1 : n;
}

/* Without positions: a topic that nobody follows. The age takes the right to read, which a look at
 * how it goes need not have: then there is none. */
static int lag_of(struct admin *a, struct kafka_topic *t, const rd_kafka_topic_partition_list_t *at,
		  struct bus_lag *out, struct err *e)
{
	bool aged = true;

	snprintf(out->topic, sizeof out->topic, "%s", t->topic->name);
	for (int i = 0; i < t->partitions; i++) {
		struct bus_record oldest;
		int64_t low, high, next;
		int rc = 0;

		if (look_ends(a->k, t, i, &low, &high, e) < 0)
			return -1;
		next = at == NULL ? high : at->elems[i].offset < 0 ? 0 : at->elems[i].offset;
		out->end += high;
		out->next += next;
		if (next < high && aged)
			rc = look_at(a->k, t, i, next, &oldest, e);
		if (rc < 0 && e->class != ERR_CONF)
			return -1;
		aged = aged && rc >= 0;
		if (rc == 1 &&
		    (out->oldest_unread_ms == 0 || oldest.event.time_ms < out->oldest_unread_ms))
			out->oldest_unread_ms = oldest.event.time_ms;
	}
	return 0;
}
