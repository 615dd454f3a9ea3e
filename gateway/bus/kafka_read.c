/* Readers, and looks at what lies on a topic.
 *
 * A reader with positions of its own takes each partition by the simple consumer: no group, no
 * rebalance, an offset that the caller names. Messages are held, not copied, until the next read.
 * Looks have a handle of their own, since a handle follows a partition once.
 *
 * Offsets: Kafka promises that they rise, not that none is missing (a topic that is compacted, or
 * that somebody else wrote to in a transaction, has gaps). So a gap is said, and no reason to stop;
 * what was removed before it was read the broker tells itself, and that is one. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	READ_BYTES = 512 << 10,
	MESSAGE_BYTES = 100,  /* of a message beside key and value, about */
	LATE_MARK_MS = 20000, /* after a restart of all brokers the end of a partition shows late */
	NOTE_EVERY_MS = 2000,
	WAKE_MS = 50,
	STEP_LAST = 1, /* events looked through first, from the end back; then always more */
	STEP_KEY = 256,
	STEP_MORE = 8,
	STEP_MAX = 1 << 20,
	OUT_OF_RANGE = -2, /* of scan_once */
};
#define CURE_LEDGER "restore the ledger and adopt (qiao adopt), never start over"
#define CURE_GROUP "bring the topic back as it was, never start over: gateway/bus/README.md"

struct kafka_look {
	rd_kafka_t *rk;
	rd_kafka_topic_t *rkt[KAFKA_TOPICS_MAX];
	rd_kafka_message_t *held;
};
struct stretch {
	struct kafka_topic *t;
	int partition;
	int64_t from, to;
	struct str key; /* no value: any */
	bool first;	/* the first one; otherwise the last one */
	bool marked;	/* only what carries a ledger's mark: strangers' records do not */
};

static void fetch_on(struct kafka_reader *r);
static int fill(struct kafka_reader *r, int max, struct err *e);
static rd_kafka_message_t *next_message(struct kafka_reader *r, bool wait);
static int room(struct kafka_reader *r, int max, struct err *e);
static int failure(struct kafka_reader *r, const struct err *why, struct err *e);
static int start(struct kafka_reader *r, int partition, int64_t offset, struct err *e);
static bool behind(const struct kafka_reader *r);
static int start_at_oldest(struct kafka_reader *r, struct err *e);
static int take(struct kafka_reader *r, rd_kafka_message_t *m, struct err *e);
static int trouble_of(struct kafka_reader *r, const rd_kafka_message_t *m, struct err *e);
static int still_there(struct kafka_reader *r, struct err *e);
static void let_go(struct kafka_reader *r);
static int look_open(struct kafka *k, struct kafka_topic *t, struct err *e);
static int again(struct kafka *k, rd_kafka_resp_err_t err, const char *what, int64_t *since,
		 struct err *e);
static int scan(struct kafka *k, struct stretch *s, struct bus_record *out, struct err *e);
static int newest(struct kafka *k, struct stretch *s, int64_t step, struct bus_record *out,
		  struct err *e);

/* ---- readers ---- */

int kafka_reader_open(struct kafka *k, struct kafka_reader **out, const char *topic,
		      const char *group, bool alone, struct err *e)
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
	    (group &&
	     (kafka_group_name(k, group, topic, r->group, e) < 0 || member_open(r, e) < 0))) {
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
		r->t->followed = r->t->followed && r->rk != NULL;
	}
	if (r->rk)
		rd_kafka_destroy(r->rk);
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
		if (at[i].partition < 0 || at[i].partition >= r->t->partitions ||
		    given[at[i].partition])
			break;
		given[at[i].partition] = true;
	}
	for (int i = 0; i < r->t->partitions; i++)
		if (!given[i] || count != r->t->partitions)
			return err_set(e, ERR_SAFE,
				       "topic %s: there are %d positions for %d partitions: the "
				       "number of partitions is fixed for a topic's life; "
				       "make the topic as it was, or " CURE_LEDGER,
				       r->t->name, count, r->t->partitions);
	for (int i = 0; i < count; i++)
		if (look_check(r->k, r->t, &at[i], e) < 0)
			return -1;
	for (int i = 0; i < count; i++) {
		if (start(r, at[i].partition, at[i].next, e) < 0)
			return -1;
		r->part[at[i].partition].at = at[i];
	}
	r->started = true;
	r->failed = false;
	return 0;
}

int kafka_read(struct kafka_reader *r, int max, const struct bus_record **records, struct err *e)
{
	struct err why = {0};

	*records = NULL;
	let_go(r);
	if (r->failed)
		return err_set(e, ERR_SAFE,
			       "topic %s: refused after an earlier failure; end this program and "
			       "start it anew",
			       r->t->name);
	if (r->broken.class != ERR_NONE) {
		why = r->broken;
		r->broken = (struct err){0};
		return failure(r, &why, e);
	}
	if (room(r, max, &why) < 0 ||
	    (r->group[0] ? member_mend(r, &why) < 0 || member_turn(r, &why) < 0 : !r->started && start_at_oldest(r, &why) < 0))
		return failure(r, &why, e);
	if (r->drained >= KAFKA_AHEAD_BYTES / 2 || r->drained_count >= KAFKA_AHEAD_EVENTS / 2)
		fetch_on(r);
	if (fill(r, max, &why) < 0) {
		if (r->held_count == 0)
			return failure(r, &why, e);
		r->broken = why; /* after what is given now */
	}
	/* Of a topic that was deleted the library may say nothing for long. */
	if (r->held_count == 0 && kafka_recount(r->k, &why) < 0)
		return failure(r, &why, e);
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

/* For operators' eyes: how far the gateway is, as a group of its own (start names it). Nobody waits
 * for the answer. */
void kafka_note_position(struct kafka_reader *r, const char *group)
{
	rd_kafka_topic_partition_list_t *list;
	int64_t now = clock_monotonic();

	assert(strcmp(group, r->k->role) == 0);
	if ((r->noted_ms && now - r->noted_ms < NOTE_EVERY_MS) || !r->started)
		return;
	r->noted_ms = now;
	list = rd_kafka_topic_partition_list_new(r->t->partitions);
	for (int i = 0; i < r->t->partitions; i++) {
		struct kafka_part *p = &r->part[i];

		if (!p->ours || p->committed == p->at.next)
			continue;
		rd_kafka_topic_partition_list_add(list, r->t->name, i)->offset = p->at.next;
		p->committed = p->at.next;
	}
	if (list->cnt > 0 && r->rk == NULL)
		rd_kafka_commit(r->k->in, list, 1);
	rd_kafka_topic_partition_list_destroy(list);
}

/* A thread of the library that found the queue full sleeps for a second, however soon it is empty again:
 * a thousand events a second. A question to the leaders wakes it. */
static void fetch_on(struct kafka_reader *r)
{
	rd_kafka_topic_partition_list_t *list;

	r->drained = 0;
	r->drained_count = 0;
	if (rd_kafka_version() >= KAFKA_REFETCHES)
		return;
	list = rd_kafka_topic_partition_list_new(r->t->partitions);
	for (int i = 0; i < r->t->partitions; i++)
		if (r->part[i].ours)
			rd_kafka_topic_partition_list_add(list, r->t->name, i)->offset =
				RD_KAFKA_OFFSET_END;
	if (list->cnt > 0)
		rd_kafka_offsets_for_times(r->rk ? r->rk : r->k->in, list, WAKE_MS);
	rd_kafka_topic_partition_list_destroy(list);
}

/* Stops at a failure; what was taken before it is held. */
static int fill(struct kafka_reader *r, int max, struct err *e)
{
	unsigned share = r->share;
	int64_t since = 0;
	size_t bytes = 0;

	while (r->held_count < max && bytes < READ_BYTES) {
		bool wait = r->held_count == 0 && behind(r);
		rd_kafka_message_t *m = next_message(r, wait);

		if (r->share !=
		    share) { /* the poll ended a share: what was taken of it is another's */
			let_go(r);
			share = r->share;
		}
		if (r->group[0] && member_turn(r, e) < 0) {
			if (m)
				rd_kafka_message_destroy(m);
			return -1;
		}
		share = r->share;
		if (m == NULL && !wait)
			return 0;
		if (m == NULL) {
			if (kafka_wait(r->k, &since, "events", e) < 0)
				return -1;
			continue;
		}
		kafka_waited(r->k, &since, "events");
		bytes += m->len + m->key_len + MESSAGE_BYTES;
		r->drained += m->len + m->key_len;
		r->drained_count++;
		if (take(r, m, e) < 0)
			return -1;
	}
	return 0;
}

static rd_kafka_message_t *next_message(struct kafka_reader *r, bool wait)
{
	if (r->group[0])
		return r->rk ? rd_kafka_consumer_poll(r->rk, 0) : NULL;
	if (r->held_count == 0)
		rd_kafka_poll(r->rk ? r->rk : r->k->in, 0);
	return rd_kafka_consume_queue(r->queue, wait ? KAFKA_TURN_MS : 0);
}

static int room(struct kafka_reader *r, int max, struct err *e)
{
	if (max <= r->held_cap)
		return 0;
	free(r->held);
	free(r->records);
	r->held = calloc((size_t)max, sizeof(rd_kafka_message_t *));
	r->records = calloc((size_t)max, sizeof *r->records);
	r->held_cap = r->held && r->records ? max : 0;
	return r->held_cap ? 0 : err_set(e, ERR_TEMP, "topic %s: out of memory", r->t->name);
}

static int failure(struct kafka_reader *r, const struct err *why, struct err *e)
{
	r->failed = r->failed || why->class == ERR_SAFE;
	if (e)
		*e = *why;
	return -1;
}

static void tell_ends(rd_kafka_conf_t *conf, void *arg)
{
	(void)arg;
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
}

/* The handle of all readers; a second one of the same topic needs its own. */
static int follow(struct kafka_reader *r, struct err *e)
{
	struct kafka *k = r->k;
	bool notes = strcmp(k->role, "gateway") == 0;
	char group[KAFKA_NAME];
	rd_kafka_t **rk = &k->in;

	if (r->queue)
		return 0;
	if (r->t->followed) {
		rk = &r->rk;
		notes = false;
	}
	snprintf(group, sizeof group, "%s%s", k->conf->kafka.group_prefix, k->role);
	if (*rk == NULL &&
	    kafka_handle(k, KAFKA_IN, notes ? group : NULL, tell_ends, NULL, rk, e) < 0)
		return -1;
	r->rkt = rd_kafka_topic_new(*rk, r->t->name, NULL);
	if (r->rkt == NULL)
		return kafka_err(k, rd_kafka_last_error(), r->t->name, "", e);
	r->queue = rd_kafka_queue_new(*rk);
	r->t->followed = r->t->followed || r->rk == NULL;
	return 0;
}

static int start(struct kafka_reader *r, int partition, int64_t offset, struct err *e)
{
	if (follow(r, e) < 0)
		return -1;
	if (rd_kafka_consume_start_queue(r->rkt, partition, offset, r->queue) < 0)
		return kafka_err(r->k, rd_kafka_last_error(), r->t->name, "", e);
	r->part[partition].ours = true;
	r->part[partition].at.next = offset;
	r->share = 1;
	return 0;
}

static int start_at_oldest(struct kafka_reader *r, struct err *e)
{
	for (int i = 0; i < r->t->partitions; i++) {
		int64_t low, high;

		if (r->part[i].ours) /* of a try that was broken off */
			continue;
		if (look_ends(r->k, r->t, i, &low, &high, e) < 0 || start(r, i, low, e) < 0)
			return -1;
		r->part[i].share.end = high;
	}
	r->started = true;
	return 0;
}

/* Who looks around and reads until there is no more must get all that was there: nothing new does not
 * mean nothing fetched yet. The last offsets may be of events that are gone (compacted). */
static bool behind(const struct kafka_reader *r)
{
	for (int i = 0; r->group[0] == '\0' && i < r->t->partitions; i++)
		if (r->part[i].at.next < r->part[i].share.end && !r->part[i].ended)
			return true;
	return false;
}

/* Holds the message, or lets it go at once. */
static int take(struct kafka_reader *r, rd_kafka_message_t *m, struct err *e)
{
	struct bus_record *record = &r->records[r->held_count];
	bool ours =
		m->partition >= 0 && m->partition < r->t->partitions && r->part[m->partition].ours;
	struct kafka_part *p = ours ? &r->part[m->partition] : NULL;
	int rc = 0;

	if (m->err)
		rc = trouble_of(r, m, e);
	if (m->err || !ours || m->offset < p->at.next) { /* of a share that was lost */
		rd_kafka_message_destroy(m);
		return rc;
	}
	if (m->offset > p->at.next && !p->gap && !r->t->topic->compact) {
		p->gap = true;
		log_warn("BUS-GAP", "topic=%s partition=%d from=%lld to=%lld", r->t->topic->name,
			 (int)m->partition, (long long)p->at.next, (long long)m->offset - 1);
	}
	p->at.next = m->offset + 1;
	event_of(r->t, m, record);
	p->at.last_id = record->event.id;
	if (m->payload == NULL && r->t->topic->compact)
		rd_kafka_message_destroy(m); /* a mark of deletion, not ours */
	else
		r->held[r->held_count++] = m;
	return 0;
}

static int trouble_of(struct kafka_reader *r, const rd_kafka_message_t *m, struct err *e)
{
	char what[KAFKA_NAME + 40], fatal[200] = "";
	struct err why = {0};

	switch (m->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		if (m->partition >= 0 && m->partition < r->t->partitions)
			r->part[m->partition].ended = m->offset >= r->part[m->partition].share.end;
		return 0;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		return still_there(r, e);
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
		if (r->group[0] == '\0')
			break;
		rd_kafka_fatal_error(r->rk, fatal, sizeof fatal);
		return member_fenced(r, fatal, e);
	default:
		break;
	}
	snprintf(what, sizeof what, "topic %s partition %d", r->t->name, (int)m->partition);
	if (r->group[0] && (m->partition < 0 || m->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED))
		member_err(r, m->err, rd_kafka_message_errstr(m), &why);
	else
		kafka_err(r->k, m->err, m->partition < 0 ? r->t->name : what, rd_kafka_message_errstr(m), &why);
	if (why.class == ERR_TEMP)
		return 0; /* the library goes on trying */
	*e = why;
	return -1;
}

/* It may have been deleted and made anew in the meantime: then other events lie there, or none. */
static int still_there(struct kafka_reader *r, struct err *e)
{
	struct err why = {0};

	if (kafka_still_there(r->k, r->t, &why) < 0) {
		*e = why;
		return -1;
	}
	for (int i = 0; i < r->t->partitions; i++)
		if (r->part[i].ours && look_check(r->k, r->t, &r->part[i].at, e) < 0)
			return -1;
	return 0;
}

static void let_go(struct kafka_reader *r)
{
	for (int i = 0; i < r->held_count; i++)
		rd_kafka_message_destroy(r->held[i]);
	r->held_count = 0;
}

/* ---- looks ---- */

/* By time, of which the two ends are special ones: rd_kafka_query_watermark_offsets does not keep its
 * time limit while the leader is dead. */
static rd_kafka_resp_err_t ask_end(rd_kafka_t *rk, const char *topic, int partition, int64_t end,
				   int64_t *out)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(list, topic, partition)->offset = end;
	err = rd_kafka_offsets_for_times(rk, list, 5 * KAFKA_TURN_MS);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = list->elems[0].err;
	*out = list->elems[0].offset;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && *out < 0)
		err = RD_KAFKA_RESP_ERR__TIMED_OUT;
	rd_kafka_topic_partition_list_destroy(list);
	return err;
}

int look_ends(struct kafka *k, struct kafka_topic *t, int partition, int64_t *low, int64_t *high,
	      struct err *e)
{
	int64_t since = 0;
	char what[KAFKA_NAME + 40];
	rd_kafka_resp_err_t err;

	if (look_open(k, t, e) < 0)
		return -1;
	snprintf(what, sizeof what, "topic %s partition %d", t->name, partition);
	while ((err = ask_end(k->look->rk, t->name, partition, RD_KAFKA_OFFSET_BEGINNING, low)) != 0 ||
	       (err = ask_end(k->look->rk, t->name, partition, RD_KAFKA_OFFSET_END, high)) != 0) {
		if (again(k, err, what, &since, e) < 0)
			return -1;
		rd_kafka_poll(k->look->rk, KAFKA_TURN_MS);
	}
	kafka_waited(k, &since, what);
	return 0;
}

int look_at(struct kafka *k, struct kafka_topic *t, int partition, int64_t offset,
	    struct bus_record *out, struct err *e)
{
	struct stretch s = {.t = t, .partition = partition, .first = true};
	int64_t low;

	if (look_ends(k, t, partition, &low, &s.to, e) < 0)
		return -1;
	s.from = offset < low ? low : offset;
	return scan(k, &s, out, e);
}

int kafka_last(struct kafka *k, const char *topic, int partition, bool marked,
	       struct bus_record *out, struct err *e)
{
	struct stretch s = {
		.t = kafka_named(k, topic), .partition = partition, .marked = marked};

	if (kafka_know(k, s.t, e) < 0)
		return -1;
	return newest(k, &s, STEP_LAST, out, e);
}

int kafka_last_of(struct kafka *k, const char *topic, struct str key, struct bus_record *out,
		  struct err *e)
{
	struct stretch s = {.t = kafka_named(k, topic), .key = key};

	if (kafka_know(k, s.t, e) < 0)
		return -1;
	s.partition = kafka_partition_of(k, topic, key);
	return newest(k, &s, STEP_KEY, out, e);
}

int look_check(struct kafka *k, struct kafka_topic *t, const struct bus_position *at, struct err *e)
{
	const char *cure = strcmp(k->role, "gateway") == 0 ? CURE_LEDGER : CURE_GROUP;
	struct stretch s = {t, at->partition, at->next - 1, at->next, {0}, true, false};
	int64_t until = clock_monotonic() + LATE_MARK_MS, since = 0, low, high;
	struct bus_record there;

	if (at->next < 0)
		return err_set(e, ERR_SAFE, "topic %s partition %d: position %lld cannot be; %s",
			       t->name, at->partition, (long long)at->next, cure);
	for (;;) {
		if (look_ends(k, t, at->partition, &low, &high, e) < 0)
			return -1;
		if (at->next <= high)
			break;
		if (clock_monotonic() > until)
			return err_set(e, ERR_SAFE,
				       "topic %s partition %d: position %lld is past the end %lld: "
				       "the topic was made anew or cut; %s",
				       t->name, at->partition, (long long)at->next, (long long)high,
				       cure);
		rd_kafka_poll(k->look->rk, KAFKA_TURN_MS);
		if (kafka_wait(k, &since, "end of a partition", e) < 0)
			return -1;
	}
	kafka_waited(k, &since, "end of a partition");
	if (at->next > low && at->next > 0) {
		int rc = scan(k, &s, &there, e);

		if (rc < 0 || (rc == 1 && id_eq(&there.event.id, &at->last_id)))
			return rc < 0 ? -1 : 0;
		if (rc == 1)
			return err_set(e, ERR_SAFE,
				       "topic %s partition %d: event %lld is another than the one "
				       "that was read: the topic was made anew; %s",
				       t->name, at->partition, (long long)at->next - 1, cure);
		/* Retention may have taken it just now. */
		if (!t->topic->compact && look_ends(k, t, at->partition, &low, &high, e) < 0)
			return -1;
	}
	if (t->topic->compact || at->next == low)
		return 0;
	if (at->next < low)
		return err_set(e, ERR_SAFE,
			       "topic %s partition %d: events from %lld to %lld were removed "
			       "before they were read (retention, or the topic was made anew); %s",
			       t->name, at->partition, (long long)at->next, (long long)low - 1,
			       cure);
	return err_set(e, ERR_SAFE,
		       "topic %s partition %d: event %lld, which was read, is not there: the topic "
		       "was made anew or cut; %s",
		       t->name, at->partition, (long long)at->next - 1, cure);
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

static int look_open(struct kafka *k, struct kafka_topic *t, struct err *e)
{
	rd_kafka_topic_t **rkt;

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
	rkt = &k->look->rkt[t - k->topics];
	if (*rkt == NULL)
		*rkt = rd_kafka_topic_new(k->look->rk, t->name, NULL);
	return *rkt ? 0 : kafka_err(k, rd_kafka_last_error(), t->name, "", e);
}

/* Whether to ask again after an error: 0, or -1 where that is no use. */
static int again(struct kafka *k, rd_kafka_resp_err_t err, const char *what, int64_t *since,
		 struct err *e)
{
	bool unknown = err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
		       err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
		       err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
	struct err why = {0};

	kafka_err(k, err, what, rd_kafka_err2str(err), &why);
	if (why.class != ERR_TEMP &&
	    !(unknown && (*since == 0 || clock_monotonic() - *since < KAFKA_GONE_MS))) {
		*e = why;
		return -1;
	}
	if (!k->trouble[0])
		snprintf(k->trouble, sizeof k->trouble, "%s", rd_kafka_err2name(err));
	return kafka_wait(k, since, what, e);
}

static bool marked(const struct kafka_topic *t, const rd_kafka_message_t *m)
{
	struct bus_record r;

	event_of(t, m, &r);
	return r.ledger.p && r.ledger.n > 0;
}

static bool wanted(const struct stretch *s, const rd_kafka_message_t *m)
{
	return !m->err && m->offset < s->to && (m->payload || !s->t->topic->compact) &&
	       (s->key.p == NULL || str_eq(s->key, (struct str){m->key, m->key_len})) &&
	       (!s->marked || marked(s->t, m));
}

/* What is looked for in the stretch, or NULL, as *found. */
static int scan_once(struct kafka *k, const struct stretch *s, rd_kafka_message_t **found,
		     struct err *e)
{
	rd_kafka_topic_t *rkt = k->look->rkt[s->t - k->topics];
	int64_t since = 0, late_ms = 0;
	char what[KAFKA_NAME + 80];
	bool over = false;
	int rc = 0;

	snprintf(what, sizeof what, "topic %s partition %d offset %lld", s->t->name, s->partition,
		 (long long)s->from);
	if (rd_kafka_consume_start(rkt, s->partition, s->from) < 0)
		return kafka_err(k, rd_kafka_last_error(), what, "", e);
	while (rc == 0 && !over) {
		rd_kafka_message_t *m = rd_kafka_consume(rkt, s->partition, KAFKA_TURN_MS);

		rd_kafka_poll(k->look->rk, 0);
		if (m == NULL) {
			/* What its leader said was there a new one may show late. */
			over = late_ms && clock_monotonic() - late_ms > LATE_MARK_MS;
			rc = over ? 0 : kafka_wait(k, &since, what, e);
		} else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
			over = m->offset >= s->to;
			late_ms = clock_monotonic();
		} else if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
			   m->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
			rc = OUT_OF_RANGE;
		} else if (m->err) {
			rc = again(k, m->err, what, &since, e);
		} else {
			over = m->offset >= s->to - 1 || (s->first && wanted(s, m));
		}
		if (m && wanted(s, m)) {
			if (*found)
				rd_kafka_message_destroy(*found);
			*found = m;
		} else if (m) {
			rd_kafka_message_destroy(m);
		}
	}
	rd_kafka_consume_stop(rkt, s->partition);
	kafka_waited(k, &since, what);
	return rc;
}

/* 1 found, and held until the next look; 0 none. Moves the beginning where retention did. */
static int scan(struct kafka *k, struct stretch *s, struct bus_record *out, struct err *e)
{
	rd_kafka_message_t *found = NULL;
	int rc = OUT_OF_RANGE;

	while (rc == OUT_OF_RANGE && s->from < s->to) {
		int64_t low, high;

		rc = scan_once(k, s, &found, e);
		if (rc != OUT_OF_RANGE)
			break;
		if (look_ends(k, s->t, s->partition, &low, &high, e) < 0)
			rc = -1;
		else if (low <= s->from)
			rc = err_set(
				e, ERR_SAFE,
				"topic %s partition %d: event %lld cannot be read, and %lld to "
				"%lld are said to be there: the topic was made anew or cut",
				s->t->name, s->partition, (long long)s->from, (long long)low,
				(long long)high - 1);
		else
			s->from = low;
	}
	if (rc < 0 && rc != OUT_OF_RANGE) {
		if (found)
			rd_kafka_message_destroy(found);
		return -1;
	}
	if (found == NULL)
		return 0;
	if (k->look->held)
		rd_kafka_message_destroy(k->look->held);
	k->look->held = found;
	event_of(s->t, found, out);
	return 1;
}

/* Walks back in stretches, which grow: what is far back is not near the end. */
static int newest(struct kafka *k, struct stretch *s, int64_t step, struct bus_record *out,
		  struct err *e)
{
	int64_t low, high, from;
	int rc = 0;

	if (look_ends(k, s->t, s->partition, &low, &high, e) < 0)
		return -1;
	*out = (struct bus_record){.partition = s->partition, .offset = high};
	for (s->to = high; rc == 0 && s->to > low; s->to = from) {
		from = s->from = s->to - step > low ? s->to - step : low;
		rc = scan(k, s, out, e);
		if (s->from != from) /* retention took what is before */
			break;
		step = step * STEP_MORE < STEP_MAX ? step * STEP_MORE : STEP_MAX;
	}
	return rc;
}
