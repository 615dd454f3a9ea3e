/* The handle: which topics there are, waiting for brokers, and what their errors mean for us. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SAY_AFTER_MS = 2000,
	SAY_EVERY_MS = 30000,
	/* How long we take no for an answer: short at the start, where a setting is likely to be wrong;
	 * longer at work, for a broker that comes up may not know its users yet. */
	HOPELESS_AT_START_MS = 3000,
	HOPELESS_MS = 60000,
	TROUBLE_MS = 40000, /* the library repeats itself after 30 s */
	STOP_MS = 2000,	    /* a stop waits that long for what is under way */
	RECOUNT_MS = 3000,
};

/* Before this version the library sends its nonce twice, which brokers since 3.7.2 look at. */
#define SCRAM_SINCE 0x020601ff

static int ask_once(struct kafka *k, struct kafka_topic *t, struct err *e);
static int same_count(struct kafka_topic *t, int partitions, struct err *e);
static bool missing(rd_kafka_resp_err_t err);
static bool hopeless(const struct kafka *k, int64_t waited_ms);
static int refused_us(const struct kafka *k, struct err *e);

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
		snprintf(k->topics[i].name, sizeof k->topics[i].name, "%s%s",
			 o->conf->kafka.topic_prefix, topics[i].name);
	}
	/* Commands look at any topic, when they come to it. */
	for (int i = 0; i < topic_count; i++)
		if (topic_concerns(&topics[i], k->role) && kafka_know(k, &k->topics[i], e) < 0) {
			kafka_close(k);
			return -1;
		}
	k->opened = true;
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
	return rd_kafka_msg_partitioner_murmur2(NULL, key.p, key.n, kafka_partitions(k, topic),
						NULL, NULL);
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
		if (k->trouble[0] == '\0')
			snprintf(k->trouble, sizeof k->trouble, "%.290s", e->text);
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
		*since_ms = now ? now : 1;
		k->said_ms = 0;
	}
	waited = now - *since_ms;
	if (hopeless(k, waited))
		return refused_us(k, e);
	if (waited > SAY_AFTER_MS && (k->said_ms == 0 || now - k->said_ms > SAY_EVERY_MS)) {
		k->said_ms = now;
		log_warn("BUS-WAIT", "what=%s seconds=%d why=%s", what, (int)(waited / 1000),
			 log_value(text, k->trouble));
	}
	if (k->waiting ? k->waiting(k->arg) || waited < STOP_MS : waited < KAFKA_CALM_MS)
		return 0;
	return err_set(e, ERR_TEMP,
		       "kafka: %s: no answer from %.200s for %d s (%.120s): see [kafka] brokers, "
		       "security, "
		       "and whether they run",
		       what, k->conf->kafka.brokers, (int)(waited / 1000), k->trouble);
}

void kafka_waited(struct kafka *k, int64_t *since_ms, const char *what)
{
	if (*since_ms == 0)
		return;
	if (k->said_ms)
		log_info("BUS-BACK", "what=%s seconds=%d", what,
			 (int)((clock_monotonic() - *since_ms) / 1000));
	*since_ms = 0;
	k->said_ms = 0;
	k->trouble[0] = '\0';
	k->trouble_kind = TROUBLE_AWAY;
}

int kafka_err(const struct kafka *k, rd_kafka_resp_err_t err, const char *what, const char *why,
	      struct err *e)
{
	const char *name = rd_kafka_err2name(err);

	switch (err) {
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
		return err_set(e, ERR_CONF,
			       "kafka: %s: %s: this program lacks an ACL; qiao topics plan --acls "
			       "prints what it needs",
			       what, name);
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		return err_set(e, ERR_CONF,
			       "kafka: %s: missing on the brokers at %.150s: run qiao topics "
			       "create (or see [kafka] topic_prefix)",
			       what, k->conf->kafka.brokers);
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
		return err_set(e, ERR_CONF,
			       "kafka: %s: %s (%s): see [kafka] sasl, user, password_file, cert",
			       what, name, why ? why : "");
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return err_set(e, ERR_CONF,
			       "kafka: %s: %s: raise max.message.bytes of the topic to 5 MiB (qiao "
			       "topics check)",
			       what, name);
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
	case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
		return err_set(
			e, ERR_CONF,
			"kafka: %s: %s: the brokers are too old; Kafka 2.8 or newer is needed",
			what, name);
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
		return err_set(e, ERR_CONF,
			       "kafka: %s: %s: the brokers do not take our events (%s)", what, name,
			       why ? why : "");
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		return err_set(e, ERR_SAFE,
			       "kafka: %s: the event to be read next is not there (%s): it was "
			       "removed before it was read, or the topic was made "
			       "anew; restore the ledger and adopt (qiao adopt), never start over",
			       what, name);
	case RD_KAFKA_RESP_ERR__BAD_MSG:
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
		return err_set(e, ERR_SAFE,
			       "kafka: %s: an event is damaged on the brokers' disk (%s); repair "
			       "it from a replica",
			       what, name);
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

int kafka_group_name(const struct kafka *k, const char *group, const char *topic,
		     char out[KAFKA_NAME], struct err *e)
{
	int n = snprintf(out, KAFKA_NAME, "%s%s.%s", k->conf->kafka.group_prefix, group, topic);

	return n > 0 && n < KAFKA_NAME ? 0 : err_set(e, ERR_CONF, "[kafka] group_prefix: too long");
}

int kafka_still_there(struct kafka *k, struct kafka_topic *t, struct err *e)
{
	int64_t since = 0, until = clock_monotonic() + KAFKA_GONE_MS;
	int partitions = t->partitions, rc;

	for (;;) {
		t->partitions = 0;
		rc = kafka_know(k, t, e);
		if (rc < 0)
			t->partitions = partitions;
		if (rc == 0 || !missing(k->asked) || clock_monotonic() > until)
			break;
		rd_kafka_poll(k->asker, KAFKA_TURN_MS);
		if (k->trouble[0] == '\0')
			snprintf(k->trouble, sizeof k->trouble, "%.290s", e->text);
		if (kafka_wait(k, &since, "topic", e) < 0)
			return -1;
	}
	if (rc == 0)
		kafka_waited(k, &since, "topic");
	if (rc < 0 && missing(k->asked))
		return err_set(
			e, ERR_SAFE,
			"topic %s: it is no longer on the brokers at %.120s, and was: find out who "
			"deleted it; restore the ledger and adopt (qiao adopt), never "
			"start over",
			t->name, k->conf->kafka.brokers);
	return rc < 0 ? -1 : same_count(t, partitions, e);
}

static bool missing(rd_kafka_resp_err_t err)
{
	return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	       err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

int kafka_recount(struct kafka *k, struct err *e)
{
	int64_t now = clock_monotonic();
	struct kafka_topic *t;
	struct err why;
	int partitions;

	if (now - k->recounted_ms < RECOUNT_MS)
		return 0;
	k->recounted_ms = now;
	for (int i = 0; i < topic_count; i++) {
		k->recount = (k->recount + 1) % topic_count;
		if (k->topics[k->recount].partitions > 0)
			break;
	}
	t = &k->topics[k->recount];
	partitions = t->partitions;
	if (partitions == 0)
		return 0;
	if (ask_once(k, t, &why) < 0) {
		if (!missing(k->asked))
			return 0; /* whoever needs it finds out what is the matter */
		return kafka_still_there(k, t, e) < 0 ? kafka_fail(k, e) : 0;
	}
	return same_count(t, partitions, e) < 0 ? kafka_fail(k, e) : 0;
}

/* Another number means another partition for a key. */
static int same_count(struct kafka_topic *t, int partitions, struct err *e)
{
	int now = t->partitions;

	t->partitions = partitions;
	return now == partitions
		       ? 0
		       : err_set(e, ERR_SAFE,
				 "topic %s: it had %d partitions and has %d now; their number is "
				 "fixed for a topic's life, "
				 "since events of one key would come out of order: make the topic "
				 "as it was, then restore the ledger and adopt (qiao adopt)",
				 t->name, partitions, now);
}

static int ask_once(struct kafka *k, struct kafka_topic *t, struct err *e)
{
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(k->asker, t->name, NULL);
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t err;
	char what[KAFKA_NAME + 16];
	int rc = 0;

	if (rkt == NULL)
		return err_set(e, ERR_CONF,
			       "kafka: topic %s: no name for a topic: see [kafka] topic_prefix",
			       t->name);
	snprintf(what, sizeof what, "topic %s", t->name);
	err = rd_kafka_metadata(k->asker, 0, rkt, &md, KAFKA_TURN_MS * 5);
	k->asked = err ? err : md->topic_cnt == 1 ? md->topics[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;
	if (err)
		rc = kafka_err(k, err, what, k->trouble, e);
	else if (md->topic_cnt != 1)
		rc = err_set(e, ERR_TEMP, "kafka: %s: not told yet", what);
	else if (md->topics[0].err && md->topics[0].err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
		rc = kafka_err(k, md->topics[0].err, what, "", e);
	else if (md->topics[0].partition_cnt < 1 ||
		 md->topics[0].partition_cnt > BUS_PARTITIONS_MAX)
		rc = err_set(e, md->topics[0].partition_cnt < 1 ? ERR_TEMP : ERR_CONF,
			     "kafka: %s: %d partitions; at most %d can be used", what,
			     md->topics[0].partition_cnt, BUS_PARTITIONS_MAX);
	else
		t->partitions = md->topics[0].partition_cnt;
	if (md)
		rd_kafka_metadata_destroy(md);
	rd_kafka_topic_destroy(rkt);
	return rc;
}

/* Waiting does not help against a setting. */
static bool hopeless(const struct kafka *k, int64_t waited_ms)
{
	return k->trouble_kind != TROUBLE_AWAY && clock_monotonic() - k->trouble_ms < TROUBLE_MS &&
	       waited_ms > (k->opened ? HOPELESS_MS : HOPELESS_AT_START_MS);
}

static int refused_us(const struct kafka *k, struct err *e)
{
	static const char *const cures[] = {
		[TROUBLE_CA] = "[kafka] ca: it does not vouch for the certificate of the brokers",
		[TROUBLE_NAME] = "[kafka] brokers: the certificate there is for another name",
		[TROUBLE_CERT] = "[kafka] cert, key: the brokers do not take our certificate",
		[TROUBLE_NO_TLS] = "[kafka] security: the brokers do not speak TLS at this port",
		[TROUBLE_PASSWORD] =
			"[kafka] sasl, user, password_file: the brokers do not take them",
		[TROUBLE_NO_KAFKA] = "[kafka] brokers: what answers there is no Kafka",
		[TROUBLE_OLD] = "[kafka] brokers: they are too old; Kafka 2.8 or newer is needed",
	};
	bool scram = k->conf->kafka.sasl == SASL_SCRAM_SHA_256 ||
		     k->conf->kafka.sasl == SASL_SCRAM_SHA_512;

	err_set(e, ERR_CONF, "%s, at %.100s (%.150s)", cures[k->trouble_kind],
		k->conf->kafka.brokers, k->trouble);
	if (k->trouble_kind == TROUBLE_PASSWORD && scram && rd_kafka_version() < SCRAM_SINCE)
		err_set(e, ERR_CONF,
			"[kafka] sasl: with librdkafka %s SCRAM works on brokers before 3.7.2 "
			"only: "
			"use a client certificate, PLAIN by tls, or librdkafka 2.6.1; else see "
			"user, password_file: the brokers at %.100s do not take them",
			rd_kafka_version_str(), k->conf->kafka.brokers);
	return -1;
}
