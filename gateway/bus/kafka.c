/* The handle: which topics there are, waiting for brokers, and what their errors mean for us. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAY_AFTER_MS = 2000, SAY_EVERY_MS = 30000, HOPELESS_MS = 6000 };

static bool concerns(const struct kafka *k, const struct topic *t);
static int ask_once(struct kafka *k, struct kafka_topic *t, struct err *e);
static bool hopeless(const struct kafka *k, int64_t waited_ms);

int kafka_open(struct kafka **out, const struct bus_options *o, struct err *e)
{
	struct kafka *k = calloc(1, sizeof *k);

	*out = NULL;
	if (k == NULL)
		return err_set(e, ERR_TEMP, "kafka: out of memory");
	k->conf = o->conf;
	k->waiting = o->waiting;
	k->arg = o->arg;
	str_copy(k->role, sizeof k->role, str_of(o->role));
	kafka_set_ledger(k, o->ledger);
	assert(topic_count <= KAFKA_TOPICS_MAX);
	for (int i = 0; i < topic_count; i++) {
		k->topics[i].topic = &topics[i];
		snprintf(k->topics[i].name, sizeof k->topics[i].name, "%s%s", o->conf->kafka.topic_prefix, topics[i].name);
	}
	for (int i = 0; i < topic_count; i++)
		if (concerns(k, &topics[i]) && kafka_know(k, &k->topics[i], e) < 0) {
			kafka_close(k);
			return -1;
		}
	*out = k;
	return 0;
}

void kafka_close(struct kafka *k)
{
	if (k == NULL)
		return;
	assert(k->readers == 0);
	kafka_out_close(k);
	look_close(k);
	if (k->in)
		rd_kafka_destroy(k->in);
	if (k->asker)
		rd_kafka_destroy(k->asker);
	free(k);
}

void kafka_set_ledger(struct kafka *k, const char *ledger)
{
	str_copy(k->ledger, sizeof k->ledger, str_of(ledger ? ledger : ""));
}

int kafka_partitions(struct kafka *k, const char *topic)
{
	struct kafka_topic *t = kafka_named(k, topic);

	assert(t->partitions > 0);
	return t->partitions;
}

/* As Kafka's Java client does it (murmur2). */
int kafka_partition_of(struct kafka *k, const char *topic, struct str key)
{
	return rd_kafka_msg_partitioner_murmur2(NULL, key.p, key.n, kafka_partitions(k, topic), NULL, NULL);
}

struct kafka_topic *kafka_named(struct kafka *k, const char *topic)
{
	const struct topic *t = topic_find(str_of(topic));

	assert(t != NULL);
	return &k->topics[t - topics];
}

int kafka_asker(struct kafka *k, struct err *e)
{
	return k->asker ? 0 : kafka_handle(k, KAFKA_ADMIN, NULL, NULL, NULL, &k->asker, e);
}

int kafka_know(struct kafka *k, struct kafka_topic *t, struct err *e)
{
	int64_t since = 0;

	if (t->partitions > 0)
		return 0;
	if (kafka_asker(k, e) < 0)
		return -1;
	while (ask_once(k, t, e) < 0) {
		if (e->class != ERR_TEMP)
			return -1;
		rd_kafka_poll(k->asker, 0);
		if (kafka_wait(k, &since, "topics", e) < 0)
			return -1;
	}
	kafka_waited(k, &since, "topics");
	return 0;
}

int kafka_wait(struct kafka *k, int64_t *since_ms, const char *what, struct err *e)
{
	int64_t now = clock_monotonic(), waited;
	char text[LOG_VALUE];

	if (*since_ms == 0) {
		*since_ms = now;
		k->said_ms = 0;
	}
	waited = now - *since_ms;
	if (hopeless(k, waited))
		return err_set(e, ERR_CONF,
			       "kafka: the brokers at %.200s refuse us (%.150s): see [kafka] security, ca, cert, key, sasl, user, password_file",
			       k->conf->kafka.brokers, k->trouble);
	if (waited > SAY_AFTER_MS && (k->said_ms == 0 || now - k->said_ms > SAY_EVERY_MS)) {
		k->said_ms = now;
		log_warn("BUS-WAIT", "what=%s seconds=%d why=%s", what, (int)(waited / 1000), log_value(text, k->trouble));
	}
	if (k->waiting ? k->waiting(k->arg) : waited < KAFKA_CALM_MS)
		return 0;
	return err_set(e, ERR_TEMP, "kafka: %s: no answer from %.200s for %d s (%.120s): see [kafka] brokers, and whether they run", what,
		       k->conf->kafka.brokers, (int)(waited / 1000), k->trouble);
}

void kafka_waited(struct kafka *k, int64_t *since_ms, const char *what)
{
	if (*since_ms && k->said_ms)
		log_info("BUS-BACK", "what=%s seconds=%d", what, (int)((clock_monotonic() - *since_ms) / 1000));
	*since_ms = 0;
	k->said_ms = 0;
	k->trouble[0] = '\0';
	k->trouble_err = RD_KAFKA_RESP_ERR_NO_ERROR;
}

int kafka_err(const struct kafka *k, rd_kafka_resp_err_t err, const char *what, const char *why, struct err *e)
{
	const char *name = rd_kafka_err2name(err);

	switch (err) {
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
		return err_set(e, ERR_CONF, "kafka: %s: %s: this program lacks an ACL; qiao topics plan --acls prints what it needs", what, name);
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		return err_set(e, ERR_CONF, "kafka: %s: missing on the brokers at %.150s: run qiao topics create (or see [kafka] topic_prefix)",
			       what, k->conf->kafka.brokers);
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
		return err_set(e, ERR_CONF, "kafka: %s: %s (%s): see [kafka] sasl, user, password_file, cert", what, name, why ? why : "");
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return err_set(e, ERR_CONF, "kafka: %s: %s: raise max.message.bytes of the topic to 5 MiB (qiao topics check)", what, name);
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
	case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
		return err_set(e, ERR_CONF, "kafka: %s: %s: the brokers are too old; Kafka 2.8 or newer is needed", what, name);
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
		return err_set(e, ERR_CONF, "kafka: %s: %s: the brokers do not take our events (%s)", what, name, why ? why : "");
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		return err_set(e, ERR_SAFE,
			       "kafka: %s: the event to be read next is not there (%s): it was removed before it was read, or the topic was made "
			       "anew; restore ledger and topics as they were together, never start over",
			       what, name);
	case RD_KAFKA_RESP_ERR__BAD_MSG:
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
		return err_set(e, ERR_SAFE, "kafka: %s: an event is damaged on the brokers' disk (%s); repair it from a replica", what, name);
	default:
		return err_set(e, ERR_TEMP, "kafka: %s: %s (%s)", what, name, why ? why : "");
	}
}

int kafka_fail(struct kafka *k, const struct err *e)
{
	if (e->class == ERR_SAFE || e->class == ERR_CONF)
		k->fatal = *e;
	return -1;
}

int kafka_refused(const struct kafka *k, struct err *e)
{
	if (e)
		*e = k->fatal;
	return -1;
}

int kafka_group_name(const struct kafka *k, const char *group, const char *topic, char out[KAFKA_NAME], struct err *e)
{
	int n = snprintf(out, KAFKA_NAME, "%s%s.%s", k->conf->kafka.group_prefix, group, topic);

	return n > 0 && n < KAFKA_NAME ? 0 : err_set(e, ERR_CONF, "[kafka] group_prefix: too long");
}

/* What this program writes, reads or looks at. Commands look at any topic, when they come to it. */
static bool concerns(const struct kafka *k, const struct topic *t)
{
	if (strcmp(t->producer, k->role) == 0)
		return true;
	for (int i = 0; i < 4 && t->readers[i]; i++)
		if (strcmp(t->readers[i], k->role) == 0)
			return true;
	return false;
}

static int ask_once(struct kafka *k, struct kafka_topic *t, struct err *e)
{
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(k->asker, t->name, NULL);
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t err;
	char what[KAFKA_NAME + 16];
	int rc = 0;

	if (rkt == NULL)
		return err_set(e, ERR_CONF, "kafka: topic %s: no name for a topic: see [kafka] topic_prefix", t->name);
	snprintf(what, sizeof what, "topic %s", t->name);
	err = rd_kafka_metadata(k->asker, 0, rkt, &md, KAFKA_TURN_MS * 5);
	if (err)
		rc = kafka_err(k, err, what, k->trouble, e);
	else if (md->topic_cnt != 1)
		rc = err_set(e, ERR_TEMP, "kafka: %s: not told yet", what);
	else if (md->topics[0].err && md->topics[0].err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
		rc = kafka_err(k, md->topics[0].err, what, "", e);
	else if (md->topics[0].partition_cnt < 1 || md->topics[0].partition_cnt > BUS_PARTITIONS_MAX)
		rc = err_set(e, md->topics[0].partition_cnt < 1 ? ERR_TEMP : ERR_CONF, "kafka: %s: %d partitions; at most %d can be used", what,
			     md->topics[0].partition_cnt, BUS_PARTITIONS_MAX);
	else
		t->partitions = md->topics[0].partition_cnt;
	if (md)
		rd_kafka_metadata_destroy(md);
	rd_kafka_topic_destroy(rkt);
	return rc;
}

/* Refused by name or certificate, again and again: waiting does not help. Not at once, for a broker that is being stopped or started may
 * say so too. */
static bool hopeless(const struct kafka *k, int64_t waited_ms)
{
	return waited_ms > HOPELESS_MS &&
	       (k->trouble_err == RD_KAFKA_RESP_ERR__SSL || k->trouble_err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
		k->trouble_err == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
}
