/* Readers of consumer groups. The group shares the partitions out; where reading goes on is the committed position, whose metadata is the
 * id of the last event: it is compared with what lies there before anything is read.
 *
 * A rebalance waits for us: callbacks run in bus_read only, so never while a window of an adapter is open. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMIT_MS = 10000 };

static void set_rebalance(rd_kafka_conf_t *conf, void *arg);
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque);
static int begin_share(struct kafka_reader *r, rd_kafka_topic_partition_list_t *list, struct err *e);
static int begin_part(struct kafka_reader *r, rd_kafka_topic_partition_t *at, struct err *e);
static void end_share(struct kafka_reader *r);
static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque);

int member_open(struct kafka_reader *r, struct err *e)
{
	rd_kafka_topic_partition_list_t *wanted;
	rd_kafka_resp_err_t err;

	if (kafka_handle(r->k, KAFKA_GROUP, r->group, set_rebalance, NULL, &r->rk, e) < 0)
		return -1;
	r->next = r->k->groups;
	r->k->groups = r;
	rd_kafka_poll_set_consumer(r->rk);
	wanted = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(wanted, r->t->name, RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(r->rk, wanted);
	rd_kafka_topic_partition_list_destroy(wanted);
	return err ? kafka_err(r->k, err, r->t->name, "subscribe", e) : 0;
}

void member_close(struct kafka_reader *r)
{
	struct kafka_reader **at = &r->k->groups;

	if (r->rk == NULL)
		return;
	r->closing = true;
	rd_kafka_consumer_close(r->rk);
	rd_kafka_destroy(r->rk);
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
}

/* Waits for the coordinator's word. A share that was lost meanwhile is no failure: its next owner does the same again. */
int member_store(struct kafka_reader *r, struct err *e)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(r->t->partitions);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(r->rk);
	int64_t since = 0, sent_ms = 0;
	rd_kafka_resp_err_t said = RD_KAFKA_RESP_ERR__IN_PROGRESS;
	int rc = 0;

	for (int i = 0; i < r->t->partitions; i++) {
		rd_kafka_topic_partition_t *at;
		char hex[ID_HEX];

		if (!r->part[i].ours || r->part[i].at.next == r->part[i].committed)
			continue;
		at = rd_kafka_topic_partition_list_add(list, r->t->name, i);
		at->offset = r->part[i].at.next;
		at->metadata = strdup(id_hex(&r->part[i].at.last_id, hex));
		at->metadata_size = ID_HEX - 1;
	}
	while (list->cnt > 0 && rc == 0 && said != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (sent_ms == 0 || said != RD_KAFKA_RESP_ERR__IN_PROGRESS) {
			said = RD_KAFKA_RESP_ERR__IN_PROGRESS;
			sent_ms = clock_monotonic();
			rd_kafka_commit_queue(r->rk, list, queue, on_commit, &said);
		}
		rd_kafka_queue_poll_callback(queue, KAFKA_TURN_MS);
		if (said == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || said == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
		    said == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS || said == RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST) {
			log_warn("BUS-SHARE-LOST", "topic=%s why=%s", r->t->topic->name, rd_kafka_err2name(said));
			goto out;
		}
		if (said == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
			rc = err_set(e, ERR_SAFE, "kafka: group %s: another program runs in our place", r->group);
		else if (said != RD_KAFKA_RESP_ERR_NO_ERROR && said != RD_KAFKA_RESP_ERR__IN_PROGRESS &&
			 kafka_err(r->k, said, r->group, "commit", e) < 0 && e->class != ERR_TEMP)
			rc = -1;
		else if (said != RD_KAFKA_RESP_ERR_NO_ERROR)
			rc = kafka_wait(r->k, &since, "position", e);
	}
	kafka_waited(r->k, &since, "position");
	for (int i = 0; i < list->cnt && rc == 0; i++)
		r->part[list->elems[i].partition].committed = list->elems[i].offset;
out:
	/* A report that is still to come finds the variable alive. */
	while (said == RD_KAFKA_RESP_ERR__IN_PROGRESS && list->cnt > 0 && clock_monotonic() - sent_ms < COMMIT_MS)
		rd_kafka_queue_poll_callback(queue, KAFKA_TURN_MS);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_queue_destroy(queue);
	return rc;
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque)
{
	rd_kafka_resp_err_t *said = opaque;

	(void)rk;
	*said = err;
	for (int i = 0; list && err == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
		if (list->elems[i].err)
			*said = list->elems[i].err;
}

static void set_rebalance(rd_kafka_conf_t *conf, void *arg)
{
	(void)arg;
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

/* Gets the bus; which reader it is shows by the handle. */
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka *k = opaque;
	struct kafka_reader *r = k->groups;

	while (r && r->rk != rk)
		r = r->next;
	if (r)
		end_share(r);
	if (err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS || r == NULL || r->closing || r->broken.class != ERR_NONE) {
		rd_kafka_assign(rk, NULL);
		return;
	}
	if (r->alone && list->cnt < r->t->partitions) {
		if (!r->had_all && list->cnt > 0)
			err_set(&r->broken, ERR_SAFE,
				"kafka: group %s: another program reads in this group, and only one may ([tax] keys = none; a spool's answers): end one of them",
				r->group);
		log_warn("BUS-SHARE-WAIT", "group=%s partitions=%d of=%d", r->group, list->cnt, r->t->partitions);
		rd_kafka_assign(rk, NULL);
		return;
	}
	if (begin_share(r, list, &r->broken) < 0) {
		end_share(r);
		rd_kafka_assign(rk, NULL);
		return;
	}
	rd_kafka_assign(rk, list);
	r->had_all = r->had_all || list->cnt == r->t->partitions;
	log_info("BUS-SHARE", "group=%s partitions=%d of=%d", r->group, list->cnt, r->t->partitions);
}

static void end_share(struct kafka_reader *r)
{
	for (int i = 0; i < BUS_PARTITIONS_MAX; i++)
		r->part[i].ours = false;
	r->share++;
}

static int begin_share(struct kafka_reader *r, rd_kafka_topic_partition_list_t *list, struct err *e)
{
	int64_t since = 0;
	rd_kafka_resp_err_t err;

	if (list->cnt == 0)
		return 0;
	while ((err = rd_kafka_committed(r->rk, list, 5 * KAFKA_TURN_MS)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (kafka_err(r->k, err, r->group, "positions", e) < 0 && e->class != ERR_TEMP)
			return -1;
		if (kafka_wait(r->k, &since, "positions", e) < 0)
			return -1;
	}
	kafka_waited(r->k, &since, "positions");
	*e = (struct err){0};
	for (int i = 0; i < list->cnt; i++)
		if (begin_part(r, &list->elems[i], e) < 0)
			return -1;
	return 0;
}

static int begin_part(struct kafka_reader *r, rd_kafka_topic_partition_t *at, struct err *e)
{
	struct kafka_part *p = &r->part[at->partition];
	struct bus_position from = {.partition = at->partition, .next = at->offset};
	int64_t low;

	if (at->err)
		return kafka_err(r->k, at->err, r->group, "position", e);
	if (at->partition >= r->t->partitions)
		return err_set(e, ERR_SAFE, "topic %s: has more partitions than before; make it as it was", r->t->name);
	if (at->offset < 0)
		return err_set(e, ERR_SAFE,
			       "kafka: group %s has no position for partition %d of topic %s: a first one is made by qiao topics create, once; if it had "
			       "one, the brokers forgot it (offsets.retention.minutes); never start over",
			       r->group, (int)at->partition, r->t->name);
	if (at->metadata_size < ID_HEX - 1 || id_parse(&from.last_id, (struct str){at->metadata, ID_HEX - 1}) < 0)
		return err_set(e, ERR_SAFE,
			       "kafka: group %s: the position for partition %d was not stored by Qiao (its metadata is no event id): who moved it?",
			       r->group, (int)at->partition);
	if (look_check(r->k, r->t, &from, e) < 0 || look_ends(r->k, r->t, at->partition, &low, &p->share.end, e) < 0)
		return -1;
	p->ours = true;
	p->at = from;
	p->share.next = from.next;
	p->share.restored_end = 0;
	p->committed = from.next;
	return 0;
}
