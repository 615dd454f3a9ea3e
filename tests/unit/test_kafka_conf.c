/* The handles of the Kafka bus: which properties go through, which are refused and why, that none of them can change what our promises
 * rest on, and which files may hold secrets. No broker is needed. */
#include "base/log.h"
#include "bus/kafka_inside.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conf conf;
static struct kafka kafka;
static struct tmpdir dir;

/* property=value lines: "" when they are taken, else why not */
static const char *judged(const char *properties)
{
	static struct err e;

	e = (struct err){0};
	snprintf(conf.kafka.properties, sizeof conf.kafka.properties, "%s", properties);
	if (kafka_properties_check(&conf, &e) == 0)
		return "";
	assert_int_equal(e.class, ERR_CONF);
	return e.text;
}

static void test_taken(void **state)
{
	static const char *const lines[] = {
		"",
		"socket.nagle.disable=true\n",
		"fetch.wait.max.ms=50\nlinger.ms=20\n",
		"compression.type=zstd\n",
		"retry.backoff.ms=50\n",
		"reconnect.backoff.max.ms=500\n",
		"session.timeout.ms=20000\n",
		"statistics.interval.ms=0\n",
		"queued.max.messages.kbytes=128\n",
		"broker.address.family=v4\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_string_equal(judged(lines[i]), "");
}

static void test_refused(void **state)
{
	static const char *const names[] = {
		"acks=1",
		"request.required.acks=1",
		"enable.idempotence=false",
		"enable.gapless.guarantee=false",
		"max.in.flight=1000000",
		"max.in.flight.requests.per.connection=10",
		"retries=0",
		"message.send.max.retries=0",
		"message.timeout.ms=1000",
		"delivery.timeout.ms=1000",
		"message.max.bytes=1000",
		"transactional.id=x",
		"partitioner=random",
		"enable.auto.commit=true",
		"enable.auto.offset.store=true",
		"auto.commit.interval.ms=1",
		"auto.offset.reset=earliest",
		"isolation.level=read_uncommitted",
		"group.id=mine",
		"group.instance.id=mine",
		"partition.assignment.strategy=cooperative-sticky",
		"max.poll.interval.ms=1000",
		"check.crcs=false",
		"allow.auto.create.topics=true",
		"bootstrap.servers=elsewhere:1",
		"metadata.broker.list=elsewhere:1",
		"client.id=x",
		"security.protocol=plaintext",
		"ssl.ca.location=/x",
		"ssl.key.password=x",
		"ssl.endpoint.identification.algorithm=none",
		"enable.ssl.certificate.verification=false",
		"sasl.password=secret",
		"sasl.username=x",
		"sasl.mechanisms=PLAIN",
		"plugin.library.paths=/x.so",
		"test.mock.num.brokers=3",
		"enable.partition.eof=true",
		"delivery.report.only.error=true",
		"client.rack=a",
		"api.version.request=false",
		"receive.message.max.bytes=1000",
		"log.queue=true",
		"log_level=7",
		"queuing.strategy=lifo",
		"enable.sasl.oauthbearer.unsecure.jwt=true",
		/* and what is no property, or has no such value */
		"no.such.property=1",
		"linger.ms=soon",
		"socket.timeout.ms=-5",
		"fetch.wait.max.ms=",
	};
	char line[200], name[100];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *why;

		/* Behind one that is fine. */
		snprintf(line, sizeof line, "linger.ms=20\n%s\n", names[i]);
		snprintf(name, sizeof name, "[kafka] %.*s: ", (int)strcspn(names[i], "="),
			 names[i]);
		why = judged(line);
		if (strncmp(why, name, strlen(name)) != 0 || strlen(why) < strlen(name) + 10)
			fail_msg("%s: said \"%s\"", names[i], why);
		assert_null(strstr(why, "secret"));
	}
}

static void property(rd_kafka_t *rk, const char *name, const char *wanted)
{
	char value[200];
	size_t n = sizeof value;

	assert_int_equal(rd_kafka_conf_get(rd_kafka_conf(rk), name, value, &n), RD_KAFKA_CONF_OK);
	if (strcmp(value, wanted) != 0)
		fail_msg("%s is %s, wanted %s", name, value, wanted);
}

static rd_kafka_t *handle(enum kafka_use use, const char *group)
{
	struct err e = {0};
	rd_kafka_t *rk = NULL;

	if (kafka_handle(&kafka, use, group, NULL, NULL, &rk, &e) < 0)
		fail_msg("%s", e.text);
	return rk;
}

static void test_handles(void **state)
{
	rd_kafka_t *rk;

	(void)state;
	snprintf(conf.kafka.properties, sizeof conf.kafka.properties,
		 "linger.ms=33\nsession.timeout.ms=20000\n");
	rk = handle(KAFKA_OUT, NULL);
	property(rk, "enable.idempotence", "true");
	property(rk, "enable.gapless.guarantee", "true");
	property(rk, "acks", "-1");
	property(rk, "message.timeout.ms", "0");
	property(rk, "delivery.report.only.error", "false");
	property(rk, "allow.auto.create.topics", "false");
	property(rk, "linger.ms", "33");
	property(rk, "client.id", "qiao-tax");
	rd_kafka_destroy(rk);
	rk = handle(KAFKA_GROUP, "some-group");
	property(rk, "group.id", "some-group");
	property(rk, "check.crcs", "true");
	property(rk, "enable.auto.commit", "false");
	property(rk, "enable.auto.offset.store", "false");
	property(rk, "auto.offset.reset", "error");
	property(rk, "partition.assignment.strategy", "range");
	property(rk, "max.poll.interval.ms", "86400000");
	property(rk, "session.timeout.ms", "20000");
	rd_kafka_destroy(rk);
	rk = handle(KAFKA_IN, NULL);
	property(rk, "check.crcs", "true");
	property(rk, "auto.offset.reset", "error");
	property(rk, "enable.partition.eof", "false");
	rd_kafka_destroy(rk);
	rd_kafka_destroy(handle(KAFKA_ADMIN, NULL));
}

static void refused_with(const char *part)
{
	struct err e = {0};
	rd_kafka_t *rk = NULL;

	if (kafka_handle(&kafka, KAFKA_OUT, NULL, NULL, NULL, &rk, &e) == 0)
		fail_msg("taken; wanted: %s", part);
	assert_int_equal(e.class, ERR_CONF);
	if (strstr(e.text, part) == NULL)
		fail_msg("\"%s\": wanted: %s", e.text, part);
	assert_null(strstr(e.text, "s3cret"));
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	struct err e = {0};

	if (fs_write_atomic(path, text, strlen(text), 0600, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(chmod(path, mode), 0);
}

static void test_password(void **state)
{
	char path[320];
	rd_kafka_t *rk;

	(void)state;
	conf.kafka.sasl = SASL_SCRAM_SHA_512;
	snprintf(conf.kafka.user, sizeof conf.kafka.user, "gate");
	snprintf(conf.kafka.password_file, sizeof conf.kafka.password_file, "%s",
		 tmpdir_file(&dir, path, "password"));
	refused_with("[kafka] password_file");
	write_file(path, "s3cret\n", 0640);
	refused_with("[kafka] password_file");
	write_file(path, "s3cret\n", 0604);
	refused_with("mode 0600");
	write_file(path, "", 0600);
	refused_with("one line");
	write_file(path, "\n", 0600);
	refused_with("one line");
	write_file(path, "s3cret\nmore\n", 0600);
	refused_with("one line");
	write_file(path, "s3cret with blank \n", 0600);
	rk = handle(KAFKA_OUT, NULL);
	property(rk, "sasl.mechanism", "SCRAM-SHA-512");
	property(rk, "sasl.username", "gate");
	property(rk, "sasl.password", "s3cret with blank ");
	property(rk, "security.protocol", "sasl_plaintext");
	rd_kafka_destroy(rk);
	write_file(path, "s3cret", 0600); /* without a newline: as it is */
	rk = handle(KAFKA_OUT, NULL);
	property(rk, "sasl.password", "s3cret");
	rd_kafka_destroy(rk);
}

static void test_tls(void **state)
{
	char ca[320], cert[320], key[320];
	rd_kafka_t *rk;

	(void)state;
	conf.kafka.security = SECURITY_TLS;
	rk = handle(KAFKA_OUT, NULL);
	property(rk, "security.protocol", "ssl");
	property(rk, "ssl.endpoint.identification.algorithm", "https");
	property(rk, "enable.ssl.certificate.verification", "true");
	rd_kafka_destroy(rk);
	snprintf(conf.kafka.ca, sizeof conf.kafka.ca, "%s", tmpdir_file(&dir, ca, "ca.pem"));
	refused_with("[kafka] ca");
	write_file(ca, "no certificate\n", 0644);
	refused_with("[kafka] ca");
	conf.kafka.ca[0] = '\0';
	snprintf(conf.kafka.cert, sizeof conf.kafka.cert, "%s", tmpdir_file(&dir, cert, "c.pem"));
	snprintf(conf.kafka.key, sizeof conf.kafka.key, "%s", tmpdir_file(&dir, key, "c.key"));
	refused_with("[kafka] cert");
	write_file(cert, "no certificate\n", 0644);
	refused_with("[kafka] key");
	write_file(key, "no key\n", 0644);
	refused_with("mode 0600");
	write_file(key, "no key\n", 0600);
	refused_with("[kafka] ca, cert, key");
}

static void test_trouble(void **state)
{
	static const struct {
		rd_kafka_resp_err_t err;
		const char *reason;
		enum kafka_trouble kind;
	} cases[] = {
		{RD_KAFKA_RESP_ERR__TRANSPORT, "Connection refused", TROUBLE_AWAY},
		{RD_KAFKA_RESP_ERR__RESOLVE, "Failed to resolve", TROUBLE_AWAY},
		{RD_KAFKA_RESP_ERR__SSL, "SSL handshake failed: Disconnected", TROUBLE_AWAY},
		{RD_KAFKA_RESP_ERR__SSL,
		 "certificate verify failed: broker certificate could not be", TROUBLE_CA},
		{RD_KAFKA_RESP_ERR__SSL, "certificate verify failed: hostname mismatch",
		 TROUBLE_NAME},
		{RD_KAFKA_RESP_ERR__SSL, "tlsv13 alert certificate required", TROUBLE_CERT},
		{RD_KAFKA_RESP_ERR__TRANSPORT,
		 "Receive failed: error:0A000416:SSL routines::sslv3 alert certificate unknown: "
		 "SSL alert",
		 TROUBLE_CERT},
		{RD_KAFKA_RESP_ERR__SSL, "wrong version number", TROUBLE_NO_TLS},
		{RD_KAFKA_RESP_ERR__AUTHENTICATION,
		 "SASL authentication error: Authentication failed during authentication",
		 TROUBLE_PASSWORD},
		{RD_KAFKA_RESP_ERR__AUTHENTICATION,
		 "SaslAuthenticateRequest failed: Local: Broker transport failure", TROUBLE_AWAY},
		{RD_KAFKA_RESP_ERR__BAD_MSG, "Receive failed: Invalid response size",
		 TROUBLE_NO_KAFKA},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (kafka_trouble_kind(cases[i].err, cases[i].reason) != cases[i].kind)
			fail_msg("%s", cases[i].reason);
}

static int fresh(void **state)
{
	struct err e;

	(void)state;
	log_open("test", NULL, LOG_ERROR, &e);
	conf = (struct conf){.kafka.security = SECURITY_PLAINTEXT};
	snprintf(conf.kafka.brokers, sizeof conf.kafka.brokers, "127.0.0.1:1");
	snprintf(conf.file, sizeof conf.file, "qiao.ini");
	kafka = (struct kafka){.conf = &conf, .role = "tax"};
	tmpdir_make(&dir);
	return 0;
}

static int tidy(void **state)
{
	(void)state;
	tmpdir_remove(&dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_taken, fresh, tidy),
		cmocka_unit_test_setup_teardown(test_refused, fresh, tidy),
		cmocka_unit_test_setup_teardown(test_handles, fresh, tidy),
		cmocka_unit_test_setup_teardown(test_password, fresh, tidy),
		cmocka_unit_test_setup_teardown(test_tls, fresh, tidy),
		cmocka_unit_test_setup_teardown(test_trouble, fresh, tidy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
