/* Handles: our settings as properties of librdkafka, what we fix, and what of [kafka] may go through. */
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "bus/kafka_inside.h"
#include "crypto/ids.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_EVERY_MS = 10000 };

struct property {
	const char *name, *value;
};
/* Three layers, each over the one before: what we think is good, what the operator thinks is better, and what
 * our promises rest on. So a property that we do not know the name of still cannot break one of these. */
static const struct property all[] = {
	{"socket.keepalive.enable", "true"},
	{"reconnect.backoff.max.ms", "2000"},
	{"topic.metadata.refresh.interval.ms", "60000"},
	{"log.connection.close", "false"},
	{"socket.timeout.ms", "20000"},
};
static const struct property out[] = {
	{"linger.ms", "5"},
	{"compression.type", "lz4"},
	{"queue.buffering.max.messages", "5000"},
	{"queue.buffering.max.kbytes", "8192"},
	{"batch.num.messages", "2000"},
};
/* Fetched ahead, of each topic: the gateway reads seven of them in 64 MiB. */
static const struct property in[] = {
	{"queued.min.messages", "10000"},     {"queued.max.messages.kbytes", "1024"},
	{"fetch.message.max.bytes", "65536"}, {"fetch.max.bytes", "5242880"},
	{"fetch.wait.max.ms", "100"},	       {"fetch.error.backoff.ms", "200"},
};
/* Since 2.2; before, kafka_read.c wakes the library. */
static const struct property in_newer[] = {
	{"fetch.queue.backoff.ms", "10"},
};
static const struct property group[] = {
	{"session.timeout.ms", "10000"},
	{"heartbeat.interval.ms", "2000"},
};

static const struct property all_fixed[] = {
	{"allow.auto.create.topics", "false"},
	{"api.version.request", "true"},
};
/* The delivery report is the only truth, and waits as long as it takes. */
static const struct property out_fixed[] = {
	{"enable.idempotence", "true"},
	{"acks", "all"},
	{"message.timeout.ms", "0"},
	{"enable.gapless.guarantee", "true"},
	{"delivery.report.only.error", "false"},
	{"message.max.bytes", "5242880"},
};
static const struct property in_fixed[] = {
	{"check.crcs", "true"},
	{"enable.auto.commit", "false"},
	{"enable.auto.offset.store", "false"},
	{"auto.offset.reset", "error"},
	{"enable.partition.eof", "false"},
};
/* A window of an adapter may wait a day for its peer; that the program lives shows by its heart beat. */
static const struct property group_fixed[] = {
	{"max.poll.interval.ms", "86400000"},
	{"partition.assignment.strategy", "range"},
};

/* Refused, by name or by the head of a name, with the reason: an operator who sets one of them believes that it
 * does something. A list of what is refused, not of what is allowed, for most properties (of sockets, batches,
 * waits) are harmless, and the fixed layer above stands even where this list forgets a name. */
static const struct {
	const char *name, *why;
} refused[] = {
	{"acks", "an event counts as sent only when all in-sync copies have it"},
	{"request.required.acks", "an event counts as sent only when all in-sync copies have it"},
	{"enable.idempotence", "repeats within a connection must not become events"},
	{"enable.gapless.guarantee", "no event may overtake one that failed"},
	{"max.in.flight", "order is kept for a key"},
	{"retries", "an event is sent until it is there, however long that takes"},
	{"message.send.max.retries", "an event is sent until it is there, however long that takes"},
	{"message.timeout.ms", "an event is sent until it is there, however long that takes"},
	{"delivery.timeout.ms", "an event is sent until it is there, however long that takes"},
	{"message.max.bytes", "an event of 4 MiB must fit"},
	{"transactional.id", "transactions are not used"},
	{"transaction.timeout.ms", "transactions are not used"},
	{"partitioner", "readers rely on the partition of a key"},
	{"msg_order_cmp", "order is kept for a key"},
	{"queuing.strategy", "order is kept for a key"},
	{"enable.auto", "a position is stored after the effect"},
	{"auto.commit", "a position is stored after the effect"},
	{"auto.offset.reset", "a lost position stops the program; it never starts over"},
	{"offset.store", "a position is stored after the effect"},
	{"isolation.level", "positions count every event"},
	{"group.", "who owns what decides who sends money"},
	{"partition.assignment.strategy", "who owns what decides who sends money"},
	{"max.poll.interval.ms", "a window may wait a day for its agency"},
	{"enable.partition.eof", "ends are told by offsets"},
	{"check.crcs", "damage must not pass"},
	{"delivery.report", "an event counts as sent by its report"},
	{"dr_", "an event counts as sent by its report"},
	{"client.rack", "positions are compared with the leader, not with a copy that lags"},
	{"api.version", "it is asked of the brokers"},
	{"broker.version.fallback", "it is asked of the brokers"},
	{"receive.message.max.bytes", "an event of 4 MiB must fit"},
	{"log.queue", "the log is Qiao's own"},
	{"log_level", "the log is Qiao's own: see [log] level"},
	{"enable.random.seed", "it is no setting"},
	{"background_event", "events of the library are read by us"},
	{"allow.auto.create.topics", "a topic made by accident keeps no promise"},
	{"bootstrap.servers", "it is [kafka] brokers"},
	{"metadata.broker.list", "it is [kafka] brokers"},
	{"client.id", "it names the program"},
	{"security.protocol", "it is [kafka] security and sasl"},
	{"ssl.", "certificates have settings of their own: ca, cert, key"},
	{"enable.ssl", "certificates are always verified"},
	{"sasl.", "it is [kafka] sasl, user and password_file"},
	{"enable.sasl", "it is [kafka] sasl"},
	{"plugin.", "foreign code is not loaded"},
	{"interceptor", "foreign code is not loaded"},
	{"test.", "it takes the brokers away"},
	{"builtin.", "it is no setting"},
	{"event", "events of the library are read by us"},
	{"opaque", "it is no setting"},
};

static int set_layers(rd_kafka_conf_t *conf, enum kafka_use use, const struct conf_kafka *c,
		      struct err *e);
static int set_list(rd_kafka_conf_t *conf, const struct property *list, size_t n, struct err *e);
static int set_one(rd_kafka_conf_t *conf, const char *name, const char *value, const char *setting,
		   struct err *e);
static int set_instance(rd_kafka_conf_t *conf, const struct kafka *k, struct err *e);
static int set_security(rd_kafka_conf_t *conf, const struct conf_kafka *c, struct err *e);
static int set_properties(rd_kafka_conf_t *conf, const struct conf_kafka *c, struct err *e);
static int check_readable(const char *path, const char *key, struct err *e);
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);
static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque);

#define SET_LIST(c, l) set_list(c, l, sizeof(l) / sizeof((l)[0]), e)

int kafka_handle(struct kafka *k, enum kafka_use use, const char *name,
		 void (*set)(rd_kafka_conf_t *conf, void *arg), void *arg, rd_kafka_t **handle,
		 struct err *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char client[64], why[256];

	snprintf(client, sizeof client, "qiao-%s", k->role);
	if (set_one(conf, "bootstrap.servers", k->conf->kafka.brokers, "brokers", e) < 0 ||
	    set_one(conf, "client.id", client, "client.id", e) < 0 ||
	    (name && set_one(conf, "group.id", name, "group_prefix", e) < 0) ||
	    set_layers(conf, use, &k->conf->kafka, e) < 0 ||
	    (use == KAFKA_GROUP && set_instance(conf, k, e) < 0) ||
	    set_security(conf, &k->conf->kafka, e) < 0) {
		rd_kafka_conf_destroy(conf);
		return -1;
	}
	rd_kafka_conf_set_opaque(conf, k);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	if (set)
		set(conf, arg);
	*handle = rd_kafka_new(use == KAFKA_OUT || use == KAFKA_ADMIN ? RD_KAFKA_PRODUCER
								      : RD_KAFKA_CONSUMER,
			       conf, why, sizeof why);
	if (*handle)
		return 0;
	rd_kafka_conf_destroy(conf);
	return err_set(e, ERR_CONF,
		       "kafka: %s (see [kafka] ca, cert, key and the properties there)", why);
}

int kafka_properties_check(const struct conf *c, struct err *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int rc = set_properties(conf, &c->kafka, e);

	rd_kafka_conf_destroy(conf);
	return rc;
}

/* A program that was killed and started again is the same member and has its share back at once, instead of when its earlier life has
 * timed out. Its lock sees to it that there are no two. */
static int set_instance(rd_kafka_conf_t *conf, const struct kafka *k, struct err *e)
{
	char host[128] = "", hex[ID_HEX], name[80];
	struct str parts[] = {STR("member"),
			      str_of(k->role),
			      {0},
			      str_of(k->conf->data.dir),
			      str_of(k->conf->file)};
	struct id id;

	gethostname(host, sizeof host - 1);
	parts[2] = str_of(host);
	id_make(&id, parts, 5);
	snprintf(name, sizeof name, "%s-%.16s", k->role, id_hex(&id, hex));
	return set_one(conf, "group.instance.id", name, "group.instance.id", e);
}

static int set_layers(rd_kafka_conf_t *conf, enum kafka_use use, const struct conf_kafka *c,
		      struct err *e)
{
	bool reads = use == KAFKA_IN || use == KAFKA_GROUP;

	if (SET_LIST(conf, all) < 0 || (use == KAFKA_OUT && SET_LIST(conf, out) < 0) ||
	    (reads && SET_LIST(conf, in) < 0) ||
	    (reads && rd_kafka_version() >= KAFKA_REFETCHES && SET_LIST(conf, in_newer) < 0) ||
	    (use == KAFKA_GROUP && SET_LIST(conf, group) < 0) || set_properties(conf, c, e) < 0)
		return -1;
	if (SET_LIST(conf, all_fixed) < 0 || (use == KAFKA_OUT && SET_LIST(conf, out_fixed) < 0) ||
	    (reads && SET_LIST(conf, in_fixed) < 0) ||
	    (use == KAFKA_GROUP && SET_LIST(conf, group_fixed) < 0))
		return -1;
	return 0;
}

static int set_list(rd_kafka_conf_t *conf, const struct property *list, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (set_one(conf, list[i].name, list[i].value, list[i].name, e) < 0)
			return -1;
	return 0;
}

static int set_one(rd_kafka_conf_t *conf, const char *name, const char *value, const char *setting,
		   struct err *e)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
		return 0;
	return err_set(e, ERR_CONF, "[kafka] %s: %s", setting, why);
}

static int set_security(rd_kafka_conf_t *conf, const struct conf_kafka *c, struct err *e)
{
	static const char *const mechanisms[] = {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
	bool tls = c->security == SECURITY_TLS, sasl = c->sasl != SASL_NONE;
	char secret[SECRET_MAX];
	int rc = 0;

	if (set_one(conf, "security.protocol",
		    tls	   ? sasl ? "sasl_ssl" : "ssl"
		    : sasl ? "sasl_plaintext"
			   : "plaintext",
		    "security", e) < 0)
		return -1;
	if (tls &&
	    set_one(conf, "ssl.endpoint.identification.algorithm", "https", "security", e) < 0)
		return -1;
	if (tls && c->ca[0] &&
	    (check_readable(c->ca, "ca", e) < 0 ||
	     set_one(conf, "ssl.ca.location", c->ca, "ca", e) < 0))
		return -1;
	if (tls && c->cert[0] &&
	    (check_readable(c->cert, "cert", e) < 0 || secret_check(c->key, "[kafka] key", e) < 0 ||
	     set_one(conf, "ssl.certificate.location", c->cert, "cert", e) < 0 ||
	     set_one(conf, "ssl.key.location", c->key, "key", e) < 0))
		return -1;
	if (!sasl)
		return 0;
	if (secret_read(c->password_file, "[kafka] password_file", secret, e) < 0)
		return -1;
	if (set_one(conf, "sasl.mechanism", mechanisms[c->sasl], "sasl", e) < 0 ||
	    set_one(conf, "sasl.username", c->user, "user", e) < 0 ||
	    set_one(conf, "sasl.password", secret, "password_file", e) < 0)
		rc = -1;
	explicit_bzero(secret, sizeof secret);
	return rc;
}

static int set_properties(rd_kafka_conf_t *conf, const struct conf_kafka *c, struct err *e)
{
	char line[1200];

	for (const char *p = c->properties; *p;) {
		size_t n = strcspn(p, "\n");
		char *equals;

		snprintf(line, sizeof line, "%.*s", (int)n, p);
		p += n + (p[n] ? 1 : 0);
		equals = strchr(line, '=');
		if (equals == NULL)
			continue;
		*equals = '\0';
		for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
			if (strncmp(line, refused[i].name, strlen(refused[i].name)) == 0)
				return err_set(e, ERR_CONF, "[kafka] %s: refused: %s", line,
					       refused[i].why);
		if (set_one(conf, line, equals + 1, line, e) < 0)
			return -1;
	}
	return 0;
}

static int check_readable(const char *path, const char *key, struct err *e)
{
	return access(path, R_OK) == 0
		       ? 0
		       : err_sys(e, ERR_CONF, errno, "[kafka] %s %.200s", key, path);
}

/* A cluster that is away makes a line a second and more for each broker; one in ten seconds says as much. From threads of the
 * library. What it says of its own settings is nobody's concern: they are ours. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	static int64_t next_ms, unsaid;
	char value[LOG_VALUE];
	int64_t now = clock_monotonic(), next = __atomic_load_n(&next_ms, __ATOMIC_RELAXED);
	bool loud = level <= 4 && strcmp(facility, "CONFWARN") != 0;

	(void)rk;
	if (!loud || now < next ||
	    !__atomic_compare_exchange_n(&next_ms, &next, now + LOG_EVERY_MS, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		if (loud)
			__atomic_add_fetch(&unsaid, 1, __ATOMIC_RELAXED);
		log_debug("KAFKA-LOG", "level=%d facility=%s text=%s", level, facility,
			  log_value(value, text));
		return;
	}
	log_warn("KAFKA-LOG", "level=%d facility=%s unsaid=%lld text=%s", level, facility,
		 (long long)__atomic_exchange_n(&unsaid, 0, __ATOMIC_RELAXED),
		 log_value(value, text));
}

/* From poll, in our thread. */
static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
	struct kafka *k = opaque;

	(void)rk;
	if (err == RD_KAFKA_RESP_ERR__FATAL ||
	    (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && k->trouble[0]))
		return; /* told by who owns the handle; says less than what came before it */
	snprintf(k->trouble, sizeof k->trouble, "%s", reason);
	k->trouble_kind = kafka_trouble_kind((rd_kafka_resp_err_t)err, reason);
	k->trouble_ms = clock_monotonic();
}

enum kafka_trouble kafka_trouble_kind(rd_kafka_resp_err_t err, const char *reason)
{
	static const struct {
		rd_kafka_resp_err_t err;
		const char *part;
		enum kafka_trouble kind;
	} kinds[] = {
		{RD_KAFKA_RESP_ERR__SSL, "hostname mismatch", TROUBLE_NAME},
		{RD_KAFKA_RESP_ERR__SSL, "IP address mismatch", TROUBLE_NAME},
		{RD_KAFKA_RESP_ERR__SSL, "verify failed", TROUBLE_CA},
		{RD_KAFKA_RESP_ERR__SSL, "alert", TROUBLE_CERT},
		/* With TLS 1.3 their word on our certificate comes when we believe that we are connected. */
		{RD_KAFKA_RESP_ERR__TRANSPORT, "SSL alert", TROUBLE_CERT},
		{RD_KAFKA_RESP_ERR__TRANSPORT, "alert certificate", TROUBLE_CERT},
		{RD_KAFKA_RESP_ERR__SSL, "wrong version number", TROUBLE_NO_TLS},
		{RD_KAFKA_RESP_ERR__SSL, "packet length too long", TROUBLE_NO_TLS},
		/* The library's own trouble on the way there, as when a broker dies meanwhile. */
		{RD_KAFKA_RESP_ERR__AUTHENTICATION, "Local:", TROUBLE_AWAY},
		{RD_KAFKA_RESP_ERR__AUTHENTICATION, "Disconnected", TROUBLE_AWAY},
		{RD_KAFKA_RESP_ERR__AUTHENTICATION, "", TROUBLE_PASSWORD},
		{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "", TROUBLE_PASSWORD},
		{RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, "", TROUBLE_PASSWORD},
		{RD_KAFKA_RESP_ERR__BAD_MSG, "", TROUBLE_NO_KAFKA},
		{RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, "", TROUBLE_OLD},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].err == err && strstr(reason, kinds[i].part))
			return kinds[i].kind;
	return TROUBLE_AWAY;
}
