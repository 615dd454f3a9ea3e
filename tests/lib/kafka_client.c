#include "tests/lib/kafka_client.h"
#include "base/clock.h"
#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 30000, NAMES_MAX = 256 };

struct names {
	char *at[NAMES_MAX];
	int count;
};

static rd_kafka_t *client(const char *servers, const char *group, struct err *e);
static int topics_of(rd_kafka_t *rk, const char *prefix, struct names *out, struct err *e);
static int groups_of(rd_kafka_t *rk, const char *prefix, struct names *out, struct err *e);
static void names_add(struct names *n, const char *prefix, const char *name);
static void names_free(struct names *n);
static void wait_answer(rd_kafka_queue_t *q, const char *what, int *rc, struct err *e);
static int dump_topic(rd_kafka_t *rk, const char *topic, struct buf *out, struct err *e);
static int dump_message(const rd_kafka_message_t *m, struct buf *out);

int kafka_forget(const char *servers, const char *prefix, struct err *e)
{
	rd_kafka_t *rk = client(servers, NULL, e);
	rd_kafka_DeleteTopic_t *topics[NAMES_MAX];
	rd_kafka_DeleteGroup_t *groups[NAMES_MAX];
	struct names t = {0}, g = {0};
	rd_kafka_queue_t *q;
	int rc;

	assert(prefix[0]);
	if (rk == NULL)
		return -1;
	q = rd_kafka_queue_new(rk);
	rc = topics_of(rk, prefix, &t, e) < 0 || groups_of(rk, prefix, &g, e) < 0 ? -1 : 0;
	for (int i = 0; i < t.count; i++)
		topics[i] = rd_kafka_DeleteTopic_new(t.at[i]);
	for (int i = 0; i < g.count; i++)
		groups[i] = rd_kafka_DeleteGroup_new(g.at[i]);
	if (rc == 0 && g.count > 0) {
		rd_kafka_DeleteGroups(rk, groups, (size_t)g.count, NULL, q);
		wait_answer(q, "delete groups", &rc, e);
	}
	if (rc == 0 && t.count > 0) {
		rd_kafka_DeleteTopics(rk, topics, (size_t)t.count, NULL, q);
		wait_answer(q, "delete topics", &rc, e);
	}
	rd_kafka_DeleteTopic_destroy_array(topics, (size_t)t.count);
	rd_kafka_DeleteGroup_destroy_array(groups, (size_t)g.count);
	names_free(&t);
	names_free(&g);
	rd_kafka_queue_destroy(q);
	rd_kafka_destroy(rk);
	return rc;
}

int kafka_ends(const char *servers, const char *topic, int64_t *ends, int max, struct err *e)
{
	rd_kafka_t *rk = client(servers, NULL, e);
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_resp_err_t why;
	rd_kafka_topic_t *t;
	int64_t low;
	int n = 0;

	if (rk == NULL)
		return -1;
	t = rd_kafka_topic_new(rk, topic, NULL);
	why = rd_kafka_metadata(rk, 0, t, &m, ANSWER_MS);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR) {
		why = m->topics[0].err;
		n = m->topics[0].partition_cnt < max ? m->topics[0].partition_cnt : max;
		rd_kafka_metadata_destroy(m);
	}
	for (int i = 0; i < n && why == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		why = rd_kafka_query_watermark_offsets(rk, topic, i, &low, &ends[i], ANSWER_MS);
	rd_kafka_topic_destroy(t);
	rd_kafka_destroy(rk);
	return why == RD_KAFKA_RESP_ERR_NO_ERROR
		       ? n
		       : err_set(e, ERR_TEMP, "topic %s: %s", topic, rd_kafka_err2str(why));
}

int kafka_move(const char *servers, const char *group, const char *topic, int partition,
	       int64_t offset, struct err *e)
{
	rd_kafka_topic_partition_list_t *at = rd_kafka_topic_partition_list_new(1);
	int64_t until = clock_monotonic() + ANSWER_MS;
	rd_kafka_t *rk = client(servers, group, e);
	rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR__FAIL;

	rd_kafka_topic_partition_list_add(at, topic, partition)->offset = offset;
	while (rk && (why = rd_kafka_commit(rk, at, 0)) != RD_KAFKA_RESP_ERR_NO_ERROR &&
	       clock_monotonic() < until)
		poll(NULL, 0, 20);
	rd_kafka_topic_partition_list_destroy(at);
	if (rk == NULL)
		return -1;
	rd_kafka_destroy(rk);
	return why ? err_set(e, ERR_TEMP, "group %s: %s", group, rd_kafka_err2str(why)) : 0;
}

int kafka_dump(const char *servers, const char *prefix, struct buf *out, struct err *e)
{
	rd_kafka_t *rk = client(servers, "onlooker", e);
	struct names t = {0}, g = {0};
	int rc;

	if (rk == NULL)
		return -1;
	rc = topics_of(rk, prefix, &t, e) < 0 || groups_of(rk, prefix, &g, e) < 0 ? -1 : 0;
	for (int i = 0; rc == 0 && i < t.count + g.count; i++)
		rc = buf_printf(out, "%s\n", i < t.count ? t.at[i] : g.at[i - t.count]);
	for (int i = 0; rc == 0 && i < t.count; i++)
		rc = dump_topic(rk, t.at[i], out, e);
	names_free(&t);
	names_free(&g);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return rc;
}

/* Without a group it only asks. */
static rd_kafka_t *client(const char *servers, const char *group, struct err *e)
{
	static const char *const settings[][2] = {{"log_level", "0"},
						  {"reconnect.backoff.ms", "20"},
						  {"reconnect.backoff.max.ms", "100"},
						  {"enable.auto.commit", "false"},
						  {"enable.partition.eof", "true"},
						  {"fetch.wait.max.ms", "20"}};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk;
	char text[200];

	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (i < 3 || group)
			rd_kafka_conf_set(conf, settings[i][0], settings[i][1], NULL, 0);
	if (group)
		rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
	rk = rd_kafka_new(group ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, text, sizeof text);
	if (rk)
		return rk;
	rd_kafka_conf_destroy(conf);
	err_set(e, ERR_CONF, "librdkafka: %s", text);
	return NULL;
}

static int topics_of(rd_kafka_t *rk, const char *prefix, struct names *out, struct err *e)
{
	const struct rd_kafka_metadata *m;
	rd_kafka_resp_err_t why = rd_kafka_metadata(rk, 1, NULL, &m, ANSWER_MS);

	if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(e, ERR_TEMP, "topics: %s", rd_kafka_err2str(why));
	for (int i = 0; i < m->topic_cnt; i++)
		names_add(out, prefix, m->topics[i].topic);
	rd_kafka_metadata_destroy(m);
	return 0;
}

static int groups_of(rd_kafka_t *rk, const char *prefix, struct names *out, struct err *e)
{
	const struct rd_kafka_group_list *list;
	rd_kafka_resp_err_t why = rd_kafka_list_groups(rk, NULL, &list, ANSWER_MS);

	if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(e, ERR_TEMP, "groups: %s", rd_kafka_err2str(why));
	for (int i = 0; i < list->group_cnt; i++)
		names_add(out, prefix, list->groups[i].group);
	rd_kafka_group_list_destroy(list);
	return 0;
}

static void names_add(struct names *n, const char *prefix, const char *name)
{
	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return;
	assert(n->count < NAMES_MAX);
	n->at[n->count++] = strdup(name);
}

static void names_free(struct names *n)
{
	for (int i = 0; i < n->count; i++)
		free(n->at[i]);
}

/* What is said of single topics and groups does not matter: they are gone, or are let be. */
static void wait_answer(rd_kafka_queue_t *q, const char *what, int *rc, struct err *e)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(q, ANSWER_MS);

	if (event == NULL || rd_kafka_event_error(event))
		*rc = err_set(e, ERR_TEMP, "%s: %s", what,
			      event ? rd_kafka_event_error_string(event) : "no answer");
	if (event)
		rd_kafka_event_destroy(event);
}

static int dump_topic(rd_kafka_t *rk, const char *topic, struct buf *out, struct err *e)
{
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
	int64_t until = clock_monotonic() + ANSWER_MS;
	int ended = 0, rc = 0;

	if (rd_kafka_metadata(rk, 0, t, &m, ANSWER_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = err_set(e, ERR_TEMP, "%s: no metadata", topic);
	for (int i = 0; rc == 0 && i < m->topics[0].partition_cnt; i++)
		rd_kafka_topic_partition_list_add(all, topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	if (m)
		rd_kafka_metadata_destroy(m);
	rd_kafka_topic_destroy(t);
	rd_kafka_assign(rk, all);
	while (rc == 0 && ended < all->cnt) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);

		if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			rc = dump_message(message, out);
		if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			ended++;
		if (message)
			rd_kafka_message_destroy(message);
		if (rc < 0 || clock_monotonic() > until)
			rc = err_set(e, ERR_TEMP, "%s: %s", topic,
				     rc < 0 ? "too much to hold" : "its end does not come");
	}
	rd_kafka_assign(rk, NULL);
	rd_kafka_topic_partition_list_destroy(all);
	return rc;
}

static int dump_message(const rd_kafka_message_t *m, struct buf *out)
{
	rd_kafka_headers_t *headers = NULL;
	const char *name;
	const void *value;
	size_t n;
	int rc = buf_put(out, m->key, m->key_len) | buf_put_str(out, "\n");

	if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
		for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &n) ==
				   RD_KAFKA_RESP_ERR_NO_ERROR;
		     i++)
			rc |= buf_printf(out, "%s: ", name) | buf_put(out, value, n) |
			      buf_put_str(out, "\n");
	return rc | buf_put(out, m->payload, m->len) | buf_put_str(out, "\n");
}
