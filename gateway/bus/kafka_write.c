/* Publish and flush. An event is sent when its delivery report says so, and nothing else counts.
 *
 * A handle that the library declares dead, or one of whose messages came back for a passing reason, is
 * replaced: what has no good report comes back with its bytes in bad ones, waits in the list of the unsent,
 * and is sent again by the new handle, in the order in which it was published, with the same ids. Nothing
 * published later goes to a handle before the list is empty. What the brokers refuse for good ends the bus:
 * nothing may overtake it. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PURGE_MS = 30000, /* the library's threads answer a purge between two of their own waits */
	POLL_EVERY = 512,
	FULL_MS = 20,
	PAUSE_MIN_MS = 100, /* between two handles that brought nothing through */
	PAUSE_MAX_MS = 5000,
};

struct unsent { /* came back in a bad report */
	int64_t number;
	int topic, partition;
	void *key, *value;
	size_t key_len, value_len;
	rd_kafka_headers_t *headers;
	bool maybe; /* it may be there all the same */
};
struct kafka_out {
	rd_kafka_t *rk; /* NULL: a new one is due */
	rd_kafka_topic_t *rkt[KAFKA_TOPICS_MAX];
	struct kafka_kinds *kinds;
	int64_t number, unreported; /* of messages: the last one's; how many have no report */
	int64_t good;		    /* reports */
	/* By the present handle: the number of the last message that is there. */
	int64_t there[KAFKA_TOPICS_MAX][BUS_PARTITIONS_MAX];
	struct unsent *unsent;
	int unsent_count, unsent_cap;
	int again;	    /* so many of them, from the first, went to the present handle */
	bool broken;	    /* the present handle: nothing more goes to it */
	bool lost;	    /* a bad report could not be kept: out of memory */
	struct err refusal; /* in a report: for good */
	int gone;	    /* index of a topic that the library no longer sees, or -1 */
	int failures;	    /* handles in a row that brought nothing through */
};
enum pushed { PUSHED, PUSH_FULL, PUSH_BROKEN, PUSH_REFUSED };

static int out_open(struct kafka *k, struct err *e);
static int handle_open(struct kafka *k, struct err *e);
static void handle_close(struct kafka *k);
static void set_callbacks(rd_kafka_conf_t *conf, void *arg);
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);
static void judge(struct kafka *k, int topic, const rd_kafka_message_t *m);
static void keep(struct kafka_out *o, int topic, const rd_kafka_message_t *m);
static void drop_there(struct kafka_out *o);
static rd_kafka_topic_t *open_topic(struct kafka *k, int topic);
static enum pushed push(struct kafka *k, const struct unsent *u, struct err *e);
static int wait_room(struct kafka *k, int64_t *since, int64_t *good, struct err *e);
static int mend(struct kafka *k, struct err *e);
static int anew(struct kafka *k, struct err *e);
static int pause_before(struct kafka *k, struct err *e);
static int send_again(struct kafka *k, struct err *e);
static int refuse(struct kafka *k, struct err *e);
static void unsent_free(struct unsent *u);
static int by_number(const void *a, const void *b);

int kafka_publish(struct kafka *k, const char *topic, int partition, const struct bus_event *ev,
		  struct err *e)
{
	struct kafka_topic *t = kafka_named(k, topic);
	struct unsent u = {.topic = (int)(t - k->topics), .partition = partition};
	int64_t since = 0, good = -1;
	enum pushed rc = PUSH_FULL;
	struct err mine;

	e = e ? e : &mine;
	assert(strcmp(t->topic->producer, k->role) == 0);
	if (k->fatal.class != ERR_NONE)
		return kafka_refused(k, e);
	if (ev->data.n + ev->key.n > KAFKA_EVENT_BYTES)
		return err_set(e, ERR_PERM,
			       "topic %s: an event of %zu bytes is over the limit of %d", topic,
			       ev->data.n + ev->key.n, KAFKA_EVENT_BYTES);
	if (kafka_know(k, t, e) < 0 || out_open(k, e) < 0)
		return kafka_fail(k, e);
	assert(partition >= 0 && partition < t->partitions);
	u.key = (void *)(uintptr_t)(ev->key.p ? ev->key.p : "");
	u.key_len = ev->key.n;
	u.value = (void *)(uintptr_t)(ev->data.p ? ev->data.p : "");
	u.value_len = ev->data.n;
	u.headers = event_headers(k, &k->out->kinds, t->topic, ev);
	if (u.headers == NULL)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", topic);
	u.number = ++k->out->number;
	while (rc != PUSHED) {
		if (mend(k, e) < 0)
			break;
		rc = push(k, &u, e);
		if (rc == PUSH_REFUSED || (rc == PUSH_FULL && wait_room(k, &since, &good, e) < 0))
			break;
	}
	if (rc != PUSHED) {
		rd_kafka_headers_destroy(u.headers);
		return kafka_fail(k, e);
	}
	kafka_waited(k, &since, "delivery");
	if (u.number % POLL_EVERY == 0)
		rd_kafka_poll(k->out->rk, 0);
	return 0;
}

int kafka_flush(struct kafka *k, struct err *e)
{
	struct kafka_out *o = k->out;
	int64_t since = 0, good = -1;
	struct err mine;
	int rc = 0;

	e = e ? e : &mine;
	if (k->fatal.class != ERR_NONE)
		return kafka_refused(k, e);
	if (o == NULL)
		return 0;
	while ((rc = mend(k, e)) == 0 && o->unreported > 0) {
		rd_kafka_flush(o->rk, KAFKA_TURN_MS);
		if (rd_kafka_fatal_error(o->rk, NULL, 0))
			o->broken = true;
		else if (o->unreported > 0 && (rc = wait_room(k, &since, &good, e)) < 0)
			break;
	}
	if (rc < 0)
		return kafka_fail(k, e);
	kafka_waited(k, &since, "delivery");
	return kafka_recount(k, e);
}

void kafka_out_close(struct kafka *k)
{
	struct kafka_out *o = k->out;

	if (o == NULL)
		return;
	handle_close(k);
	for (int i = 0; i < o->unsent_count; i++)
		unsent_free(&o->unsent[i]);
	free(o->unsent);
	kafka_kinds_free(o->kinds);
	free(o);
	k->out = NULL;
}

static int out_open(struct kafka *k, struct err *e)
{
	if (k->out)
		return 0;
	k->out = calloc(1, sizeof *k->out);
	if (k->out == NULL)
		return err_set(e, ERR_TEMP, "kafka: out of memory");
	k->out->gone = -1;
	if (handle_open(k, e) == 0)
		return 0;
	free(k->out);
	k->out = NULL;
	return -1;
}

static int handle_open(struct kafka *k, struct err *e)
{
	return kafka_handle(k, KAFKA_OUT, NULL, set_callbacks, k, &k->out->rk, e);
}

/* What is unsent stays so: the reports of a purge go into the list, which a new handle sends or nobody. */
static void handle_close(struct kafka *k)
{
	struct kafka_out *o = k->out;

	if (o->rk == NULL)
		return;
	rd_kafka_purge(o->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_flush(o->rk, PURGE_MS);
	for (int i = 0; i < KAFKA_TOPICS_MAX; i++) {
		if (o->rkt[i])
			rd_kafka_topic_destroy(o->rkt[i]);
		o->rkt[i] = NULL;
	}
	rd_kafka_destroy(o->rk);
	o->rk = NULL;
}

static void set_callbacks(rd_kafka_conf_t *conf, void *arg)
{
	(void)arg;
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
}

/* ---- reports ---- */

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct kafka *k = opaque;
	struct kafka_out *o = k->out;
	int topic = (int)(intptr_t)rd_kafka_topic_opaque(m->rkt);
	int64_t number = (int64_t)(intptr_t)m->_private;

	(void)rk;
	o->unreported--;
	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
	    rd_kafka_message_status(m) == RD_KAFKA_MSG_STATUS_PERSISTED) {
		o->good++;
		o->failures = 0;
		if (number > o->there[topic][m->partition])
			o->there[topic][m->partition] = number;
		return;
	}
	o->broken = true;
	judge(k, topic, m);
	keep(o, topic, m);
}

/* For good, or passing? Only what a new handle would meet again is for good. */
static void judge(struct kafka *k, int topic, const rd_kafka_message_t *m)
{
	struct kafka_out *o = k->out;
	char what[KAFKA_NAME + 16];

	switch (m->err) {
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		o->gone = topic;
		break;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
	case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
		if (o->refusal.class != ERR_NONE)
			break;
		snprintf(what, sizeof what, "topic %s", k->topics[topic].name);
		kafka_err(k, m->err, what, rd_kafka_err2str(m->err), &o->refusal);
		break;
	default:
		break;
	}
}

static void *copy_of(const void *p, size_t n)
{
	void *c = malloc(n ? n : 1);

	return c && n ? memcpy(c, p, n) : c;
}

static void keep(struct kafka_out *o, int topic, const rd_kafka_message_t *m)
{
	struct unsent *u;

	if (o->unsent_count == o->unsent_cap) {
		int cap = o->unsent_cap ? 2 * o->unsent_cap : 1024;
		struct unsent *more = realloc(o->unsent, (size_t)cap * sizeof *more);

		if (more == NULL) {
			o->lost = true;
			return;
		}
		o->unsent = more;
		o->unsent_cap = cap;
	}
	u = &o->unsent[o->unsent_count++];
	*u = (struct unsent){.number = (int64_t)(intptr_t)m->_private,
			     .topic = topic,
			     .partition = m->partition,
			     .key = copy_of(m->key, m->key_len),
			     .value = copy_of(m->payload, m->len),
			     .key_len = m->key_len,
			     .value_len = m->len,
			     .maybe = rd_kafka_message_status(m) !=
				      RD_KAFKA_MSG_STATUS_NOT_PERSISTED};
	/* The message is the library's; its headers may be taken. */
	if (rd_kafka_message_detach_headers((rd_kafka_message_t *)(uintptr_t)m, &u->headers) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR ||
	    u->key == NULL || u->value == NULL)
		o->lost = true;
}

/* Once all reports of a handle are in: takes out of the list what is there by a later one's report. */
static void drop_there(struct kafka_out *o)
{
	int kept = 0;

	for (int i = 0; i < o->unsent_count; i++) {
		struct unsent *u = &o->unsent[i];

		if (u->maybe && u->number < o->there[u->topic][u->partition])
			unsent_free(u);
		else
			o->unsent[kept++] = *u;
	}
	o->unsent_count = kept;
	memset(o->there, 0, sizeof o->there);
}

/* ---- sending ---- */

/* With its place in the table as opaque, for reports; else as the handle has all topics. */
static rd_kafka_topic_t *open_topic(struct kafka *k, int topic)
{
	rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(k->out->rk);

	rd_kafka_topic_conf_set_opaque(conf, (void *)(intptr_t)topic);
	return rd_kafka_topic_new(k->out->rk, k->topics[topic].name, conf);
}

/* Copies; on PUSHED the headers are the library's. */
static enum pushed push(struct kafka *k, const struct unsent *u, struct err *e)
{
	struct kafka_out *o = k->out;
	rd_kafka_topic_t **rkt = &o->rkt[u->topic];
	char what[KAFKA_NAME + 16];
	rd_kafka_resp_err_t err;
	rd_kafka_error_t *error;

	if (*rkt == NULL)
		*rkt = open_topic(k, u->topic);
	rd_kafka_vu_t vus[] = {
		{.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = *rkt},
		{.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = u->partition},
		{.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
		{.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {u->key, u->key_len}},
		{.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {u->value, u->value_len}},
		{.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = u->headers},
		{.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(intptr_t)u->number},
	};

	error = rd_kafka_produceva(o->rk, vus, sizeof vus / sizeof vus[0]);
	if (error == NULL) {
		o->unreported++;
		return PUSHED;
	}
	err = rd_kafka_error_code(error);
	rd_kafka_error_destroy(error);
	if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return PUSH_FULL;
	/* The code is the one that was fatal, whenever that was. */
	if (err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_fatal_error(o->rk, NULL, 0)) {
		o->broken = true;
		return PUSH_BROKEN;
	}
	if (err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
	    err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
		o->broken = true;
		o->gone = u->topic;
		return PUSH_BROKEN;
	}
	snprintf(what, sizeof what, "topic %s", k->topics[u->topic].name);
	kafka_err(k, err, what, rd_kafka_err2str(err), e);
	return PUSH_REFUSED;
}

/* A turn of waiting for reports. Patience begins anew whenever one came. */
static int wait_room(struct kafka *k, int64_t *since, int64_t *good, struct err *e)
{
	struct kafka_out *o = k->out;

	rd_kafka_poll(o->rk, o->broken ? 0 : FULL_MS);
	if (*good != o->good)
		kafka_waited(k, since, "delivery");
	*good = o->good;
	return kafka_wait(k, since, "delivery", e);
}

/* Makes good what bad reports brought; afterwards the handle takes new messages. */
static int mend(struct kafka *k, struct err *e)
{
	struct kafka_out *o = k->out;

	while (o->broken || o->rk == NULL || o->again < o->unsent_count)
		if (((o->broken || o->rk == NULL) && anew(k, e) < 0) || send_again(k, e) < 0)
			return -1;
	return 0;
}

/* On ERR_TEMP there is no handle, and the list is whole: the next call tries again. */
static int anew(struct kafka *k, struct err *e)
{
	struct kafka_out *o = k->out;
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	char why[256] = "", text[LOG_VALUE];

	if (o->rk) {
		err = rd_kafka_fatal_error(o->rk, why, sizeof why);
		handle_close(k);
		if (err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
		    err == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE ||
		    err == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
			kafka_err(k, err, "publish", why, &o->refusal);
		if (o->refusal.class != ERR_NONE)
			return refuse(k, e);
		if (o->lost || o->unreported > 0) {
			err_set(&o->refusal, ERR_SAFE,
				"kafka: a dead handle did not give back what it held; end this "
				"program and start it anew: it sends again "
				"what is missing");
			return refuse(k, e);
		}
		for (int i = 0; i < o->again; i++)
			unsent_free(&o->unsent[i]);
		o->unsent_count -= o->again;
		memmove(o->unsent, o->unsent + o->again,
			(size_t)o->unsent_count * sizeof *o->unsent);
		o->again = 0;
		drop_there(o);
		if (o->unsent_count > 0)
			qsort(o->unsent, (size_t)o->unsent_count, sizeof *o->unsent, by_number);
		log_warn("KAFKA-ANEW", "unsent=%d error=%s why=%s", o->unsent_count,
			 rd_kafka_err2name(err), log_value(text, why));
		o->failures++;
	}
	if (o->gone >= 0) {
		if (kafka_still_there(k, &k->topics[o->gone], e) < 0)
			return kafka_fail(k, e);
		o->gone = -1;
	}
	if (pause_before(k, e) < 0 || handle_open(k, e) < 0)
		return kafka_fail(k, e);
	o->broken = false;
	return 0;
}

/* The first handle that fails is replaced at once; then it takes longer and longer, so that a cluster in trouble is not made more
 * so. */
static int pause_before(struct kafka *k, struct err *e)
{
	int64_t until = clock_monotonic(), since = 0, left;

	if (k->out->failures > 1)
		until += k->out->failures < 7 ? PAUSE_MIN_MS << (k->out->failures - 2)
					      : PAUSE_MAX_MS;
	while ((left = until - clock_monotonic()) > 0) {
		rd_kafka_poll(k->asker, left < KAFKA_TURN_MS ? (int)left : KAFKA_TURN_MS);
		if (kafka_wait(k, &since, "delivery", e) < 0)
			return -1;
	}
	return 0;
}

/* On ERR_TEMP the rest of the list is still to be sent. */
static int send_again(struct kafka *k, struct err *e)
{
	struct kafka_out *o = k->out;
	int64_t since = 0, good = -1;

	while (!o->broken && o->again < o->unsent_count) {
		enum pushed rc = push(k, &o->unsent[o->again], e);

		if (rc == PUSHED) {
			o->unsent[o->again].headers = NULL; /* the handle's now */
			unsent_free(&o->unsent[o->again++]);
		} else if (rc == PUSH_REFUSED) {
			if (e->class == ERR_TEMP)
				return -1;
			o->refusal = *e;
			return refuse(k, e);
		} else if (rc == PUSH_FULL && wait_room(k, &since, &good, e) < 0) {
			return -1;
		}
	}
	kafka_waited(k, &since, "delivery");
	if (!o->broken)
		o->unsent_count = o->again = 0;
	return 0;
}

/* The end of this bus. Nothing that was published later may still go out. */
static int refuse(struct kafka *k, struct err *e)
{
	handle_close(k);
	*e = k->out->refusal;
	return kafka_fail(k, e);
}

static void unsent_free(struct unsent *u)
{
	free(u->key);
	free(u->value);
	if (u->headers)
		rd_kafka_headers_destroy(u->headers);
	u->key = u->value = NULL;
	u->headers = NULL;
}

static int by_number(const void *a, const void *b)
{
	const struct unsent *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}
