/* Publish and flush. An event is sent when its delivery report says so, and nothing else counts.
 *
 * A handle that the library declares dead, or one of whose messages failed for a passing reason, is replaced: what has no good report
 * comes back with its bytes in bad ones, and is sent again by the new handle, in the order in which it was published, with the same ids.
 * What the brokers refuse for good ends the bus: nothing may overtake it. */
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PURGE_MS = 5000, POLL_EVERY = 512, ANEW_MAX = 100 };

struct unsent { /* came back in a bad report */
	int64_t number;
	int topic, partition;
	void *key, *value;
	size_t key_len, value_len;
	rd_kafka_headers_t *headers;
};
struct kafka_out {
	rd_kafka_t *rk;
	rd_kafka_topic_t *rkt[KAFKA_TOPICS_MAX];
	struct kafka_kinds *kinds;
	int64_t number, unreported; /* of messages: the last one's; how many have no report */
	struct unsent *unsent;
	int unsent_count, unsent_cap;
	struct err refusal; /* in a report: for good */
	bool lost;	    /* a bad report could not be kept: out of memory */
	int anew;	    /* handles replaced since the last good flush */
};

static int out_open(struct kafka *k, struct err *e);
static int handle_open(struct kafka *k, struct err *e);
static void handle_close(struct kafka *k);
static void set_callbacks(rd_kafka_conf_t *conf, void *arg);
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);
static int push(struct kafka *k, const struct unsent *u, struct err *e);
static int settle(struct kafka *k, struct err *e);
static int anew(struct kafka *k, struct err *e);
static void unsent_free(struct unsent *u);
static int by_number(const void *a, const void *b);

int kafka_publish(struct kafka *k, const char *topic, int partition, const struct bus_event *ev, struct err *e)
{
	struct kafka_topic *t = kafka_named(k, topic);
	struct unsent u = {.topic = (int)(t - k->topics), .partition = partition};
	struct err mine;

	e = e ? e : &mine;
	assert(strcmp(t->topic->producer, k->role) == 0);
	if (k->fatal.class != ERR_NONE)
		return kafka_refused(k, e);
	if (ev->data.n + ev->key.n > KAFKA_EVENT_BYTES)
		return err_set(e, ERR_PERM, "topic %s: an event of %zu bytes is over the limit of %d", topic, ev->data.n, KAFKA_EVENT_BYTES);
	if (kafka_know(k, t, e) < 0 || out_open(k, e) < 0)
		return kafka_fail(k, e);
	assert(partition >= 0 && partition < t->partitions);
	u.key = (void *)(uintptr_t)ev->key.p;
	u.key_len = ev->key.n;
	u.value = (void *)(uintptr_t)ev->data.p;
	u.value_len = ev->data.n;
	u.headers = event_headers(k, &k->out->kinds, t->topic, ev);
	if (u.headers == NULL)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", topic);
	u.number = ++k->out->number;
	if (push(k, &u, e) < 0) {
		rd_kafka_headers_destroy(u.headers);
		return kafka_fail(k, e);
	}
	if (u.number % POLL_EVERY == 0)
		rd_kafka_poll(k->out->rk, 0);
	return settle(k, e);
}

int kafka_flush(struct kafka *k, struct err *e)
{
	int64_t since = 0;
	struct err mine;

	e = e ? e : &mine;
	if (k->fatal.class != ERR_NONE)
		return kafka_refused(k, e);
	while (k->out && k->out->unreported > 0) {
		rd_kafka_flush(k->out->rk, KAFKA_TURN_MS);
		if (settle(k, e) < 0)
			return -1;
		if (k->out->unreported > 0 && kafka_wait(k, &since, "delivery", e) < 0)
			return -1;
	}
	kafka_waited(k, &since, "delivery");
	if (k->out)
		k->out->anew = 0;
	return 0;
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

static bool for_good(rd_kafka_resp_err_t err)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
	case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
		return true;
	default:
		return false;
	}
}

static int topic_of(const struct kafka *k, const rd_kafka_topic_t *rkt)
{
	for (int i = 0; i < KAFKA_TOPICS_MAX; i++)
		if (k->out->rkt[i] == rkt)
			return i;
	return -1;
}

static void *copy_of(const void *p, size_t n)
{
	void *c = malloc(n ? n : 1);

	return c && n ? memcpy(c, p, n) : c;
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct kafka *k = opaque;
	struct kafka_out *o = k->out;
	struct unsent *u;
	char what[KAFKA_NAME + 32];

	(void)rk;
	o->unreported--;
	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR && rd_kafka_message_status(m) == RD_KAFKA_MSG_STATUS_PERSISTED)
		return;
	if (for_good(m->err) && o->refusal.class == ERR_NONE) {
		snprintf(what, sizeof what, "topic %s", rd_kafka_topic_name(m->rkt));
		kafka_err(k, m->err, what, rd_kafka_err2str(m->err), &o->refusal);
	}
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
	u = &o->unsent[o->unsent_count];
	*u = (struct unsent){.number = (int64_t)(intptr_t)m->_private,
			     .topic = topic_of(k, m->rkt),
			     .partition = m->partition,
			     .key = copy_of(m->key, m->key_len),
			     .value = copy_of(m->payload, m->len),
			     .key_len = m->key_len,
			     .value_len = m->len};
	o->unsent_count++;
	if (u->key == NULL || u->value == NULL || u->topic < 0 || rd_kafka_message_detach_headers((rd_kafka_message_t *)(uintptr_t)m, &u->headers))
		o->lost = true;
}

/* Takes the headers on success. Waits while the queue is full. */
static int push(struct kafka *k, const struct unsent *u, struct err *e)
{
	struct kafka_out *o = k->out;
	int64_t since = 0;

	for (;;) {
		rd_kafka_error_t *error;
		rd_kafka_resp_err_t err;
		char what[KAFKA_NAME + 16];

		if (o->rkt[u->topic] == NULL)
			o->rkt[u->topic] = rd_kafka_topic_new(o->rk, k->topics[u->topic].name, NULL);
		rd_kafka_vu_t vus[] = {
			{.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = o->rkt[u->topic]},
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
			kafka_waited(k, &since, "room");
			return 0;
		}
		err = rd_kafka_error_code(error);
		rd_kafka_error_destroy(error);
		if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			rd_kafka_poll(o->rk, KAFKA_TURN_MS / 4);
			if (settle(k, e) < 0 || kafka_wait(k, &since, "room", e) < 0)
				return -1;
		} else if (err == RD_KAFKA_RESP_ERR__FATAL) {
			if (anew(k, e) < 0)
				return -1;
		} else {
			snprintf(what, sizeof what, "topic %s", k->topics[u->topic].name);
			return kafka_err(k, err, what, rd_kafka_err2str(err), e);
		}
	}
}

/* Looks at what the reports brought. */
static int settle(struct kafka *k, struct err *e)
{
	struct kafka_out *o = k->out;

	if (o->refusal.class != ERR_NONE) {
		*e = o->refusal;
		return kafka_fail(k, e);
	}
	return o->unsent_count > 0 || o->lost ? anew(k, e) : 0;
}

static int anew(struct kafka *k, struct err *e)
{
	struct kafka_out *o = k->out;
	struct unsent *list;
	char why[256] = "";
	rd_kafka_resp_err_t err = rd_kafka_fatal_error(o->rk, why, sizeof why);
	char text[LOG_VALUE];
	int count, rc = 0;

	handle_close(k);
	if (o->refusal.class != ERR_NONE) {
		*e = o->refusal;
		return kafka_fail(k, e);
	}
	if (o->lost || o->unreported > 0 || ++o->anew > ANEW_MAX) {
		err_set(e, ERR_SAFE, "kafka: the handle failed %d times (%s); end this program and start it anew: it sends again what is missing",
			o->anew, rd_kafka_err2name(err));
		return kafka_fail(k, e);
	}
	log_warn("KAFKA-ANEW", "unsent=%d error=%s why=%s", o->unsent_count, rd_kafka_err2name(err), log_value(text, why));
	if (handle_open(k, e) < 0)
		return kafka_fail(k, e);
	list = o->unsent;
	count = o->unsent_count;
	o->unsent = NULL;
	o->unsent_count = o->unsent_cap = 0;
	if (count > 0)
		qsort(list, (size_t)count, sizeof *list, by_number);
	for (int i = 0; i < count; i++) {
		if (rc == 0 && (rc = push(k, &list[i], e)) == 0)
			list[i].headers = NULL; /* the handle's now */
		unsent_free(&list[i]);
	}
	free(list);
	if (rc < 0 && e->class == ERR_TEMP) { /* a stop was asked for */
		k->fatal = *e;
		return -1;
	}
	if (rc < 0) { /* part of them is gone from here: only a new process knows them */
		err_set(e, ERR_SAFE, "kafka: stopped while sending again; the next start sends what is missing");
		return kafka_fail(k, e);
	}
	return 0;
}

static void unsent_free(struct unsent *u)
{
	free(u->key);
	free(u->value);
	if (u->headers)
		rd_kafka_headers_destroy(u->headers);
}

static int by_number(const void *a, const void *b)
{
	const struct unsent *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}
