/* Readers, and looks at what lies on a topic.
 *
 * A reader with positions of its own takes each partition by the simple consumer: no group, no rebalance, an offset that the caller names.
 * Messages are held, not copied, until the next read. Looks have a handle of their own, since a handle follows a partition once. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	READ_BYTES = 2 << 20,
	LATE_MARK_MS = 20000, /* after a restart of the whole cluster the end of a partition shows late */
	GONE_MS = 30000,      /* a topic may be unknown for a moment while brokers start */
	NOTE_EVERY_MS = 2000,
};
#define CURE_RESTORE "restore ledger and topics as they were together, never start over"

struct kafka_look {
	rd_kafka_t *rk;
	rd_kafka_topic_t *rkt[KAFKA_TOPICS_MAX];
	rd_kafka_message_t *held;
};

static int start(struct kafka_reader *r, int partition, int64_t offset, struct err *e);
static bool behind(const struct kafka_reader *r);
static int start_at_oldest(struct kafka_reader *r, struct err *e);
static int take(struct kafka_reader *r, rd_kafka_message_t *m, struct err *e);
static int trouble_of(struct kafka_reader *r, const rd_kafka_message_t *m, struct err *e);
static int still_there(struct kafka_reader *r, struct err *e);
static void let_go(struct kafka_reader *r);
static int look_open(struct kafka *k, struct kafka_topic *t, struct err *e);

/* ---- readers ---- */

int kafka_reader_open(struct kafka *k, struct kafka_reader **out, const char *topic, const char *group, bool alone, struct err *e)
{
	struct kafka_reader *r = calloc(1, sizeof *r);

	*out = NULL;
	if (r == NULL)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", topic);
	r->k = k;
	r->t = kafka_named(k, topic);
	r->alone = alone;
	k->readers++;
	for (int i = 0; i < BUS_PARTITIONS_MAX; i++)
		r->part[i].at.partition = r->part[i].share.partition = i;
	if (kafka_know(k, r->t, e) < 0 ||
	    (group && (kafka_group_name(k, group, topic, r->group, e) < 0 || member_open(r, e) < 0))) {
		kafka_reader_close(r);
		return -1;
	}
	*out = r;
	return 0;
}

void kafka_reader_close(struct kafka_reader *r)
{
	if (r == NULL)
		return;
	let_go(r);
	if (r->group[0]) {
		member_close(r);
	} else if (r->rkt) {
		for (int i = 0; i < r->t->partitions; i++)
			if (r->part[i].ours)
				rd_kafka_consume_stop(r->rkt, i);
		rd_kafka_topic_destroy(r->rkt);
		rd_kafka_queue_destroy(r->queue);
	}
	free(r->held);
	free(r->records);
	r->k->readers--;
	free(r);
}

int kafka_seek(struct kafka_reader *r, const struct bus_position *at, int count, struct err *e)
{
	bool given[BUS_PARTITIONS_MAX] = {false};

	assert(r->group[0] == '\0' && !r->started);
	r->failed = true;
	for (int i = 0; i < count; i++) {
		if (at[i].partition < 0 || at[i].partition >= r->t->partitions || given[at[i].partition])
			break;
		given[at[i].partition] = true;
		if (look_check(r->k, r->t, &at[i], e) < 0)
			return -1;
	}
	for (int i = 0; i < r->t->partitions; i++)
		if (!given[i] || count != r->t->partitions)
			return err_set(e, ERR_SAFE,
				       "topic %s: there are %d positions for %d partitions: the number of partitions is fixed for a topic's life; "
				       "make the topic as it was, or " CURE_RESTORE,
				       r->t->name, count, r->t->partitions);
	for (int i = 0; i < count; i++) {
		r->part[at[i].partition].at = at[i];
		if (start(r, at[i].partition, at[i].next, e) < 0)
			return -1;
	}
	r->started = true;
	r->failed = false;
	return 0;
}

int kafka_read(struct kafka_reader *r, int max, const struct bus_record **records, struct err *e)
{
	int64_t since = 0;
	size_t bytes = 0;
	struct err mine;

	e = e ? e : &mine;
	*records = NULL;
	let_go(r);
	if (r->failed)
		return err_set(e, ERR_SAFE, "topic %s: refused after an earlier failure; end this program and start it anew", r->t->name);
	if (r->group[0] == '\0' && !r->started && start_at_oldest(r, e) < 0)
		return -1;
	if (max > r->held_cap) {
		free(r->held);
		free(r->records);
		r->held = calloc((size_t)max, sizeof *r->held);
		r->records = calloc((size_t)max, sizeof *r->records);
		r->held_cap = r->held && r->records ? max : 0;
		if (r->held_cap == 0)
			return err_set(e, ERR_TEMP, "topic %s: out of memory", r->t->name);
	}
	if (r->group[0] == '\0')
		rd_kafka_poll(r->k->in, 0);
	while (r->held_count < max && bytes < READ_BYTES) {
		int wait = r->held_count == 0 && behind(r) ? KAFKA_TURN_MS : 0;
		rd_kafka_message_t *m = r->group[0] ? rd_kafka_consumer_poll(r->rk, 0) : rd_kafka_consume_queue(r->queue, wait);

		if (r->broken.class != ERR_NONE) {
			if (m)
				rd_kafka_message_destroy(m);
			*e = r->broken;
			r->failed = true;
			return -1;
		}
		if (m == NULL && wait) {
			rd_kafka_poll(r->k->in, 0);
			if (kafka_wait(r->k, &since, "events", e) < 0)
				return -1;
			continue;
		}
		if (m == NULL)
			break;
		kafka_waited(r->k, &since, "events");
		bytes += m->len + m->key_len;
		if (take(r, m, e) < 0) {
			r->failed = e->class == ERR_SAFE;
			return -1;
		}
	}
	*records = r->records;
	return r->held_count;
}

int kafka_tell(const struct kafka_reader *r, struct bus_position *out)
{
	int count = 0;

	for (int i = 0; i < r->t->partitions; i++)
		if (r->part[i].ours)
			out[count++] = r->part[i].at;
	return count;
}

unsigned kafka_shares(const struct kafka_reader *r, struct bus_share *out, int *count)
{
	*count = 0;
	for (int i = 0; i < r->t->partitions; i++)
		if (r->part[i].ours)
			out[(*count)++] = r->part[i].share;
	return r->share;
}

int kafka_store_position(struct kafka_reader *r, struct err *e)
{
	assert(r->group[0]);
	return member_store(r, e);
}

/* For operators' eyes: how far the gateway is, as a group of its own. */
void kafka_note_position(struct kafka_reader *r, const char *group)
{
	rd_kafka_topic_partition_list_t *list;
	int64_t now = clock_monotonic();

	(void)group;
	if (now - r->noted_ms < NOTE_EVERY_MS || r->k->in == NULL || r->group[0])
		return;
	r->noted_ms = now;
	list = rd_kafka_topic_partition_list_new(r->t->partitions);
	for (int i = 0; i < r->t->partitions; i++)
		if (r->part[i].ours)
			rd_kafka_topic_partition_list_add(list, r->t->name, i)->offset = r->part[i].at.next;
	rd_kafka_commit(r->k->in, list, 1);
	rd_kafka_topic_partition_list_destroy(list);
}

static int start(struct kafka_reader *r, int partition, int64_t offset, struct err *e)
{
	struct kafka *k = r->k;
	char group[KAFKA_NAME];
	bool notes = strcmp(k->role, "gateway") == 0;

	snprintf(group, sizeof group, "%s%s", k->conf->kafka.group_prefix, k->role);
	if (k->in == NULL && kafka_handle(k, KAFKA_IN, notes ? group : NULL, NULL, NULL, &k->in, e) < 0)
		return -1;
	if (r->rkt == NULL) {
		r->rkt = rd_kafka_topic_new(k->in, r->t->name, NULL);
		r->queue = rd_kafka_queue_new(k->in);
	}
	if (rd_kafka_consume_start_queue(r->rkt, partition, offset, r->queue) < 0)
		return kafka_err(k, rd_kafka_last_error(), r->t->name, "", e);
	r->part[partition].ours = true;
	r->part[partition].at.next = offset;
	r->share = 1;
	return 0;
}

static int start_at_oldest(struct kafka_reader *r, struct err *e)
{
	for (int i = 0; i < r->t->partitions; i++) {
		int64_t low, high;

		if (look_ends(r->k, r->t, i, &low, &high, e) < 0 || start(r, i, low, e) < 0)
			return -1;
		r->part[i].share.end = high;
	}
	r->started = true;
	return 0;
}

/* Who looks around and reads until there is no more must get all that was there: nothing new does not mean nothing fetched yet. */
static bool behind(const struct kafka_reader *r)
{
	for (int i = 0; r->group[0] == '\0' && i < r->t->partitions; i++)
		if (r->part[i].at.next < r->part[i].share.end)
			return true;
	return false;
}

/* Holds the message, or lets it go at once. */
static int take(struct kafka_reader *r, rd_kafka_message_t *m, struct err *e)
{
	struct kafka_part *p;
	int rc = 0;

	if (m->err) {
		rc = trouble_of(r, m, e);
		rd_kafka_message_destroy(m);
		return rc;
	}
	p = &r->part[m->partition];
	if (m->partition >= r->t->partitions || !p->ours || m->offset < p->at.next) {
		rd_kafka_message_destroy(m); /* of a share that was lost */
		return 0;
	}
	p->at.next = m->offset + 1;
	if (m->payload == NULL && r->t->topic->compact) {
		rd_kafka_message_destroy(m); /* a mark of deletion, not ours */
		return 0;
	}
	event_of(r->t, m, &r->records[r->held_count]);
	p->at.last_id = r->records[r->held_count].event.id;
	r->held[r->held_count++] = m;
	return 0;
}

static int trouble_of(struct kafka_reader *r, const rd_kafka_message_t *m, struct err *e)
{
	char what[KAFKA_NAME + 40];
	struct err why = {0};

	if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		return 0;
	if (m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
	    m->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
		return still_there(r, e);
	snprintf(what, sizeof what, "topic %s partition %d", r->t->name, (int)m->partition);
	kafka_err(r->k, m->err, what, rd_kafka_message_errstr(m), &why);
	if (why.class == ERR_TEMP) {
		snprintf(r->k->trouble, sizeof r->k->trouble, "%s", rd_kafka_err2name(m->err));
		return 0; /* the library goes on trying */
	}
	*e = why;
	return -1;
}

static int still_there(struct kafka_reader *r, struct err *e)
{
	int64_t until = clock_monotonic() + GONE_MS, since = 0;
	int partitions = r->t->partitions, rc;

	for (;;) {
		r->t->partitions = 0;
		rc = kafka_know(r->k, r->t, e);
		if (rc == 0 && r->t->partitions == partitions)
			return 0;
		r->t->partitions = partitions;
		if (rc < 0 && e->class == ERR_TEMP)
			return -1;
		if (clock_monotonic() > until)
			return err_set(e, ERR_SAFE, "topic %s: deleted, or made anew with other partitions; " CURE_RESTORE, r->t->name);
		rd_kafka_poll(r->k->asker, KAFKA_TURN_MS);
		if (kafka_wait(r->k, &since, "topic", e) < 0)
			return -1;
	}
}

static void let_go(struct kafka_reader *r)
{
	for (int i = 0; i < r->held_count; i++)
		rd_kafka_message_destroy(r->held[i]);
	r->held_count = 0;
}

/* ---- looks ---- */

int look_ends(struct kafka *k, struct kafka_topic *t, int partition, int64_t *low, int64_t *high, struct err *e)
{
	int64_t since = 0;
	char what[KAFKA_NAME + 40];
	rd_kafka_resp_err_t err;

	if (look_open(k, t, e) < 0)
		return -1;
	snprintf(what, sizeof what, "topic %s partition %d", t->name, partition);
	while ((err = rd_kafka_query_watermark_offsets(k->look->rk, t->name, partition, low, high, 5 * KAFKA_TURN_MS)) != 0) {
		if (kafka_err(k, err, what, "", e) < 0 && e->class != ERR_TEMP && err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
		    err != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
			return -1;
		if (!k->trouble[0])
			snprintf(k->trouble, sizeof k->trouble, "%s", rd_kafka_err2name(err));
		rd_kafka_poll(k->look->rk, KAFKA_TURN_MS);
		if (kafka_wait(k, &since, what, e) < 0)
			return -1;
	}
	kafka_waited(k, &since, what);
	return 0;
}

/* The last event from `from` on and before `to` (with that key, when it has a value) is held: 1, or 0 none. first: the first one is. */
static int scan(struct kafka *k, struct kafka_topic *t, int partition, int64_t from, int64_t to, struct str key, bool first,
		struct bus_record *out, struct err *e)
{
	struct kafka_look *l = k->look;
	rd_kafka_topic_t *rkt = l->rkt[t - k->topics];
	rd_kafka_message_t *found = NULL;
	int64_t since = 0;
	int rc = 0;

	if (rd_kafka_consume_start(rkt, partition, from) < 0)
		return kafka_err(k, rd_kafka_last_error(), t->name, "", e);
	for (bool over = from >= to; !over && rc == 0;) {
		rd_kafka_message_t *m = rd_kafka_consume(rkt, partition, KAFKA_TURN_MS);

		if (m == NULL || (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)) {
			char what[KAFKA_NAME + 80];

			snprintf(what, sizeof what, "topic %s partition %d offset %lld", t->name, partition, (long long)from);
			if (m && kafka_err(k, m->err, what, rd_kafka_message_errstr(m), e) < 0 && e->class != ERR_TEMP)
				rc = -1;
			if (m)
				rd_kafka_message_destroy(m);
			rd_kafka_poll(l->rk, 0);
			if (rc == 0)
				rc = kafka_wait(k, &since, what, e);
			continue;
		}
		over = m->err || m->offset >= to - 1;
		if (!m->err && m->offset < to && m->payload && (key.p == NULL || str_eq(key, (struct str){m->key, m->key_len}))) {
			if (found)
				rd_kafka_message_destroy(found);
			found = m;
			over = over || first;
		} else {
			rd_kafka_message_destroy(m);
		}
	}
	rd_kafka_consume_stop(rkt, partition);
	kafka_waited(k, &since, "look");
	if (rc < 0 || found == NULL) {
		if (found)
			rd_kafka_message_destroy(found);
		return rc;
	}
	if (l->held)
		rd_kafka_message_destroy(l->held);
	l->held = found;
	event_of(t, found, out);
	return 1;
}

int look_at(struct kafka *k, struct kafka_topic *t, int partition, int64_t offset, struct bus_record *out, struct err *e)
{
	int64_t low, high;

	if (look_ends(k, t, partition, &low, &high, e) < 0)
		return -1;
	return offset >= high ? 0 : scan(k, t, partition, offset < low ? low : offset, high, (struct str){0}, true, out, e);
}

static int newest(struct kafka *k, const char *topic, int partition, struct str key, int64_t step, struct bus_record *out, struct err *e)
{
	struct kafka_topic *t = kafka_named(k, topic);
	int64_t low, high, to;
	int rc = 0;

	if (kafka_know(k, t, e) < 0 || look_ends(k, t, partition, &low, &high, e) < 0)
		return -1;
	out->offset = high;
	for (to = high; rc == 0 && to > low; step *= 8) {
		int64_t from = to - step > low ? to - step : low;

		rc = scan(k, t, partition, from, to, key, false, out, e);
		to = from;
	}
	return rc;
}

int kafka_last(struct kafka *k, const char *topic, int partition, struct bus_record *out, struct err *e)
{
	return newest(k, topic, partition, (struct str){0}, 1, out, e);
}

int kafka_last_of(struct kafka *k, const char *topic, struct str key, struct bus_record *out, struct err *e)
{
	if (kafka_know(k, kafka_named(k, topic), e) < 0)
		return -1;
	return newest(k, topic, kafka_partition_of(k, topic, key), key, 256, out, e);
}

int look_check(struct kafka *k, struct kafka_topic *t, const struct bus_position *at, struct err *e)
{
	int64_t until = clock_monotonic() + LATE_MARK_MS, since = 0, low, high;
	struct bus_record there;
	int rc;

	for (;;) {
		if (look_ends(k, t, at->partition, &low, &high, e) < 0)
			return -1;
		if (at->next <= high)
			break;
		if (clock_monotonic() > until)
			return err_set(e, ERR_SAFE, "topic %s partition %d: position %lld is past the end %lld: the topic was made anew; " CURE_RESTORE,
				       t->name, at->partition, (long long)at->next, (long long)high);
		rd_kafka_poll(k->look->rk, KAFKA_TURN_MS);
		if (kafka_wait(k, &since, "end of a partition", e) < 0)
			return -1;
	}
	kafka_waited(k, &since, "end of a partition");
	if (at->next < low && !t->topic->compact)
		return err_set(e, ERR_SAFE,
			       "topic %s partition %d: events from %lld to %lld were removed before they were read: retention is too short; " CURE_RESTORE,
			       t->name, at->partition, (long long)at->next, (long long)low - 1);
	if (at->next == 0 || at->next - 1 < low)
		return 0; /* nothing was read, or what was read last has been kept long enough */
	rc = scan(k, t, at->partition, at->next - 1, high, (struct str){0}, true, &there, e);
	if (rc < 0)
		return -1;
	if (rc == 1 && there.offset == at->next - 1 && !id_eq(&there.event.id, &at->last_id))
		return err_set(e, ERR_SAFE, "topic %s partition %d: event %lld is another than the one that was read: the topic was made anew; " CURE_RESTORE,
			       t->name, at->partition, (long long)at->next - 1);
	return 0;
}

void look_close(struct kafka *k)
{
	struct kafka_look *l = k->look;

	if (l == NULL)
		return;
	if (l->held)
		rd_kafka_message_destroy(l->held);
	for (int i = 0; i < KAFKA_TOPICS_MAX; i++)
		if (l->rkt[i])
			rd_kafka_topic_destroy(l->rkt[i]);
	rd_kafka_destroy(l->rk);
	free(l);
	k->look = NULL;
}

static void tell_ends(rd_kafka_conf_t *conf, void *arg)
{
	(void)arg;
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
}

static int look_open(struct kafka *k, struct kafka_topic *t, struct err *e)
{
	if (k->look == NULL) {
		k->look = calloc(1, sizeof *k->look);
		if (k->look == NULL)
			return err_set(e, ERR_TEMP, "kafka: out of memory");
		if (kafka_handle(k, KAFKA_IN, NULL, tell_ends, NULL, &k->look->rk, e) < 0) {
			free(k->look);
			k->look = NULL;
			return -1;
		}
	}
	if (k->look->rkt[t - k->topics] == NULL)
		k->look->rkt[t - k->topics] = rd_kafka_topic_new(k->look->rk, t->name, NULL);
	return 0;
}
