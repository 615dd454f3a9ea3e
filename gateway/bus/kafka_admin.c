/* Requests to the brokers that carry no events: sent again while waiting can help. */
#include "bus/kafka_admin.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { METADATA_MS = 1000, POSITIONS_MS = 1000 };

static int fail(struct admin *a, rd_kafka_resp_err_t err, const char *what, const char *why,
		struct err *e);
static rd_kafka_t *member(struct admin *a, const char *group, struct err *e);
static rd_kafka_resp_err_t first_error(rd_kafka_resp_err_t err,
				       const rd_kafka_topic_partition_list_t *list);
static int again(struct admin *a, rd_kafka_t *rk, rd_kafka_resp_err_t err, const char *group,
		 int64_t *since, struct err *e);

int admin_open(struct admin *a, const struct bus_options *o, struct err *e)
{
	struct bus_options plain = *o;

	*a = (struct admin){0};
	plain.role = "admin";
	if (kafka_open(&a->k, &plain, e) < 0 || kafka_asker(a->k, e) < 0)
		return -1;
	a->queue = rd_kafka_queue_new(a->k->asker);
	return 0;
}

void admin_close(struct admin *a)
{
	for (int i = 0; i < a->group_count; i++)
		rd_kafka_destroy(a->groups[i].rk);
	if (a->queue)
		rd_kafka_queue_destroy(a->queue);
	kafka_close(a->k);
	*a = (struct admin){0};
}

rd_kafka_event_t *admin_ask(struct admin *a, enum admin_tries tries, admin_send *send,
			    const void *arg, const char *what, struct err *e)
{
	int64_t since = 0;

	send(a, arg);
	for (;;) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(a->queue, KAFKA_TURN_MS);
		rd_kafka_resp_err_t err = event ? rd_kafka_event_error(event) : 0;

		rd_kafka_poll(a->k->asker, 0);
		if (event && err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			kafka_waited(a->k, &since, what);
			return event;
		}
		if (event) {
			fail(a, err, what, rd_kafka_event_error_string(event), e);
			rd_kafka_event_destroy(event);
			if (e->class != ERR_TEMP || tries == ADMIN_ONCE)
				return NULL;
			rd_kafka_poll(a->k->asker, KAFKA_TURN_MS);
			send(a, arg);
		}
		if (kafka_wait(a->k, &since, what, e) < 0)
			return NULL;
	}
}

int admin_metadata(struct admin *a, const struct rd_kafka_metadata **out, struct err *e)
{
	int64_t since = 0;
	rd_kafka_resp_err_t err;

	*out = NULL;
	while ((err = rd_kafka_metadata(a->k->asker, 1, NULL, out, METADATA_MS)) != 0) {
		if (kafka_err(a->k, err, "topics", a->k->trouble, e) < 0 && e->class != ERR_TEMP)
			return -1;
		rd_kafka_poll(a->k->asker, KAFKA_TURN_MS);
		if (kafka_wait(a->k, &since, "topics", e) < 0)
			return -1;
	}
	kafka_waited(a->k, &since, "topics");
	return 0;
}

const struct rd_kafka_metadata_topic *admin_topic(const struct rd_kafka_metadata *md,
						  const char *name)
{
	for (int i = 0; i < md->topic_cnt; i++)
		if (strcmp(md->topics[i].topic, name) == 0 &&
		    md->topics[i].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
			return &md->topics[i];
	return NULL;
}

int admin_positions(struct admin *a, const char *group, const struct kafka_topic *t,
		    rd_kafka_topic_partition_list_t **out, struct err *e)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	rd_kafka_t *rk = member(a, group, e);
	rd_kafka_resp_err_t err;
	int64_t since = 0;

	*out = NULL;
	while (rk) {
		list = rd_kafka_topic_partition_list_new(BUS_PARTITIONS_MAX);
		for (int i = 0; i < BUS_PARTITIONS_MAX; i++)
			rd_kafka_topic_partition_list_add(list, t->name, i);
		err = first_error(rd_kafka_committed(rk, list, POSITIONS_MS), list);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			kafka_waited(a->k, &since, "positions");
			*out = list;
			return 0;
		}
		rd_kafka_topic_partition_list_destroy(list);
		if (again(a, rk, err, group, &since, e) < 0)
			break;
	}
	return -1;
}

int admin_store(struct admin *a, const char *group, rd_kafka_topic_partition_list_t *list,
		struct err *e)
{
	rd_kafka_t *rk = member(a, group, e);
	rd_kafka_resp_err_t err;
	int64_t since = 0;

	while (rk) {
		err = first_error(rd_kafka_commit(rk, list, 0), list);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			kafka_waited(a->k, &since, "positions");
			return 0;
		}
		if (again(a, rk, err, group, &since, e) < 0)
			break;
	}
	return -1;
}

static rd_kafka_t *member(struct admin *a, const char *group, struct err *e)
{
	for (int i = 0; i < a->group_count; i++)
		if (strcmp(a->groups[i].name, group) == 0)
			return a->groups[i].rk;
	assert(a->group_count < ADMIN_GROUPS);
	if (kafka_handle(a->k, KAFKA_IN, group, NULL, NULL, &a->groups[a->group_count].rk, e) < 0)
		return NULL;
	snprintf(a->groups[a->group_count].name, KAFKA_NAME, "%s", group);
	return a->groups[a->group_count++].rk;
}

static rd_kafka_resp_err_t first_error(rd_kafka_resp_err_t err,
				       const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt && err == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		err = list->elems[i].err;
	return err;
}

/* 0: try once more. */
static int again(struct admin *a, rd_kafka_t *rk, rd_kafka_resp_err_t err, const char *group,
		 int64_t *since, struct err *e)
{
	char what[KAFKA_NAME + 24];

	snprintf(what, sizeof what, "group %s", group);
	if (fail(a, err, what, rd_kafka_err2str(err), e) < 0 && e->class != ERR_TEMP)
		return -1;
	rd_kafka_poll(rk, KAFKA_TURN_MS);
	return kafka_wait(a->k, since, what, e);
}

static int fail(struct admin *a, rd_kafka_resp_err_t err, const char *what, const char *why,
		struct err *e)
{
	a->denied = a->denied || err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
	return kafka_err(a->k, err, what, why, e);
}

int admin_group(const struct kafka *k, const char *role, const struct topic *t,
		char out[KAFKA_NAME], struct err *e)
{
	const char *group = strcmp(role, "village") == 0 ? k->conf->village.group : role;

	if (strcmp(role, "gateway") != 0)
		return kafka_group_name(k, group, t->name, out, e);
	snprintf(out, KAFKA_NAME, "%sgateway", k->conf->kafka.group_prefix);
	return 0;
}

int admin_count(const rd_kafka_topic_partition_list_t *list, const struct kafka_topic *t,
		int *beyond)
{
	int count = 0;

	*beyond = 0;
	for (int i = 0; i < list->cnt; i++) {
		if (list->elems[i].offset < 0)
			continue;
		if (list->elems[i].partition < t->partitions)
			count++;
		else
			(*beyond)++;
	}
	return count;
}
