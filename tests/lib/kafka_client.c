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
struct repeats {
	rd_kafka_t *to;
	int sent, there;
};
typedef int take_message(void *arg, const rd_kafka_message_t *m);

static rd_kafka_t *client(const char *servers, const char *group, struct err *e);
static int topics_of(rd_kafka_t *rk, const char *prefix, struct names *out, struct err *e);
static int groups_of(rd_kafka_t *rk, const char *prefix, struct names *out, struct err *e);
static void names_add(struct names *n, const char *prefix, const char *name);
static void names_free(struct names *n);
static void wait_answer(rd_kafka_queue_t *q, const char *what, int *rc, struct err *e);
static int read_topic(rd_kafka_t *rk, const char *topic, int64_t from, take_message *take, void *arg, struct err *e);
static int dump_message(void *arg, const rd_kafka_message_t *m);
static int repeat_message(void *arg, const rd_kafka_message_t *m);
static void told(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg);

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

int kafka_configure(const char *servers, const char *topic, const char *const *configs, struct err *e)
{
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_t *rk = client(servers, NULL, e);
	const rd_kafka_ConfigResource_t **changed;
	rd_kafka_event_t *event = NULL;
	rd_kafka_queue_t *q;
	size_t n = 0;

	for (; configs[0]; configs += 2)
		rd_kafka_ConfigResource_set_config(resource, configs[0], configs[1]);
	if (rk) {
		q = rd_kafka_queue_new(rk);
		rd_kafka_AlterConfigs(rk, &resource, 1, NULL, q);
		event = rd_kafka_queue_poll(q, ANSWER_MS);
		rd_kafka_queue_destroy(q);
		changed = event ? rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &n) : NULL;
		if (n == 0 || rd_kafka_ConfigResource_error(changed[0]))
			err_set(e, ERR_TEMP, "topic %s: %s", topic,
				n ? rd_kafka_ConfigResource_error_string(changed[0]) : "no answer");
		n = n > 0 && !rd_kafka_ConfigResource_error(changed[0]);
	}
	rd_kafka_ConfigResource_destroy(resource);
	if (event)
		rd_kafka_event_destroy(event);
	if (rk)
		rd_kafka_destroy(rk);
	return n ? 0 : -1;
}

int kafka_repeat_last(const char *servers, const char *topic, struct err *e)
{
	rd_kafka_t *from = client(servers, "onlooker", e);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	struct repeats r = {0};
	int rc = -1;

	rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, told);
	rd_kafka_conf_set_opaque(conf, &r);
	r.to = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	if (from && r.to)
		rc = read_topic(from, topic, RD_KAFKA_OFFSET_TAIL(1), repeat_message, &r, e);
	if (r.to) {
		rd_kafka_flush(r.to, ANSWER_MS);
		rd_kafka_destroy(r.to);
	}
	if (from) {
		rd_kafka_consumer_close(from);
		rd_kafka_destroy(from);
	}
	if (rc == 0 && r.there < r.sent)
		rc = err_set(e, ERR_TEMP, "%s: %d of %d repeats arrived", topic, r.there, r.sent);
	return rc < 0 ? -1 : r.there;
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
		rc = read_topic(rk, t.at[i], RD_KAFKA_OFFSET_BEGINNING, dump_message, out, e);
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

/* From an offset in each partition, which may be a logical one, to the present end. take: -1 ends it. */
static int read_topic(rd_kafka_t *rk, const char *topic, int64_t from, take_message *take, void *arg, struct err *e)
{
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
	int64_t until = clock_monotonic() + ANSWER_MS;
	int ended = 0, rc = 0;

	if (rd_kafka_metadata(rk, 0, t, &m, ANSWER_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = err_set(e, ERR_TEMP, "%s: no metadata", topic);
	for (int i = 0; rc == 0 && i < m->topics[0].partition_cnt; i++)
		rd_kafka_topic_partition_list_add(all, topic, i)->offset = from;
	if (m)
		rd_kafka_metadata_destroy(m);
	rd_kafka_topic_destroy(t);
	rd_kafka_assign(rk, all);
	while (rc == 0 && ended < all->cnt) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);

		if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			rc = take(arg, message);
		if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			ended++;
		if (message)
			rd_kafka_message_destroy(message);
		if (rc < 0 || clock_monotonic() > until)
			rc = err_set(e, ERR_TEMP, "%s: %s", topic,
				     rc < 0 ? "a record could not be taken" : "its end does not come");
	}
	rd_kafka_assign(rk, NULL);
	rd_kafka_topic_partition_list_destroy(all);
	return rc;
}

static int repeat_message(void *arg, const rd_kafka_message_t *m)
{
	rd_kafka_headers_t *headers = NULL, *copy;
	struct repeats *r = arg;
	rd_kafka_resp_err_t why;

	if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return -1;
	copy = rd_kafka_headers_copy(headers);
	why = rd_kafka_producev(r->to, RD_KAFKA_V_TOPIC(rd_kafka_topic_name(m->rkt)), RD_KAFKA_V_PARTITION(m->partition),
				RD_KAFKA_V_KEY(m->key, m->key_len), RD_KAFKA_V_VALUE(m->payload, m->len),
				RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(copy), RD_KAFKA_V_END);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		r->sent++;
	else
		rd_kafka_headers_destroy(copy);
	return why == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

static void told(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct repeats *r = arg;

	(void)rk;
	r->there += m->err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int dump_message(void *arg, const rd_kafka_message_t *m)
{
	struct buf *out = arg;
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
