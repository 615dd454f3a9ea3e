/* Opening the bus on a real broker, and publishing through the death of brokers.
 *
 * Opening: what is wrong with a setting ends the program soon and names it; what may pass is waited for. Publishing: nothing is lost,
 * the order of a key holds. Errors of single requests are in tests/unit/test_kafka_write.c. */
#include "base/clock.h"
#include "base/log.h"
#include "bus/bus.h"
#include "tests/lib/kafka.h"
#include "tests/lib/unit.h"
#include <librdkafka/rdkafka.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PARTITIONS = 6,
	KEYS = 60,
	EVENTS = 60000,
	KILLS = 6,
	PATIENCE_MS = 60000,
	SOON_MS = 15000, /* a wrong setting shows within that */
	CLOSE_MS = 15000,
};

/* See kafka.c. */
#define SCRAM_SINCE 0x020601ff

#define DONE(call)                              \
	do {                                    \
		if ((call) < 0)                 \
			fail_msg("%s", e.text); \
	} while (0)

struct patience {
	int64_t until_ms;
	int turns;
};

static bool patient(void *arg)
{
	struct patience *p = arg;

	p->turns++;
	return clock_monotonic() < p->until_ms;
}

static void conf_for(struct conf *c, const char *servers)
{
	*c = (struct conf){.kafka.security = SECURITY_PLAINTEXT};
	snprintf(c->bus.kind, sizeof c->bus.kind, "kafka");
	snprintf(c->kafka.brokers, sizeof c->kafka.brokers, "%s", servers);
}

static int open_as(struct bus **b, const struct conf *c, struct patience *p, struct err *e)
{
	struct bus_options o = {.role = "village", .conf = c, .waiting = patient, .arg = p};

	*p = (struct patience){.until_ms = clock_monotonic() + PATIENCE_MS};
	return bus_open(b, &o, e);
}

static void make_topics(const char *servers, int replication)
{
	static const char *const strict[] = {"min.insync.replicas", "2", NULL};
	struct err e = {0};

	DONE(kafka_topic(servers, "submissions", PARTITIONS, replication,
			 replication > 1 ? strict : NULL, &e));
	DONE(kafka_topic(servers, "rejects.village", 1, replication,
			 replication > 1 ? strict : NULL, &e));
	DONE(kafka_topic(servers, "answers", PARTITIONS, replication,
			 replication > 1 ? strict : NULL, &e));
}

static int publish(struct bus *b, int n, struct err *e)
{
	char key[16], data[16];
	struct bus_event ev = {.type = STR("SubsidyDeclared"), .time_ms = 1};

	snprintf(key, sizeof key, "key %d", n % KEYS);
	snprintf(data, sizeof data, "%d", n);
	memcpy(ev.id.b, &n, sizeof n);
	ev.key = str_of(key);
	ev.data = str_of(data);
	return bus_publish(b, "submissions", &ev, e);
}

/* Opening fails as it should: soon, with the class and a text that names the setting. */
static void refused(const struct conf *c, enum err_class class, const char *part)
{
	int64_t begun = clock_monotonic();
	struct patience p;
	struct err e = {0};
	struct bus *b;

	if (open_as(&b, c, &p, &e) == 0) {
		bus_close(b);
		fail_msg("opened; wanted: %s", part);
	}
	if (getenv("QIAO_TEST_LOG"))
		print_message("%5lld ms: %s\n", (long long)(clock_monotonic() - begun), e.text);
	if (e.class != class || strstr(e.text, part) == NULL)
		fail_msg("class %d \"%s\": wanted: %s", e.class, e.text, part);
	assert_true(clock_monotonic() - begun < SOON_MS);
}

static void taken(const struct conf *c)
{
	struct patience p;
	struct err e = {0};
	struct bus *b;

	DONE(open_as(&b, c, &p, &e));
	DONE(publish(b, 1, &e));
	DONE(bus_flush(b, &e));
	bus_close(b);
}

/* ---- one secure broker ---- */

static struct cluster secure;
static struct tmpdir dir;
static char plain[CLUSTER_SERVERS], sasl[CLUSTER_SERVERS], tls[CLUSTER_SERVERS],
	both[CLUSTER_SERVERS];

static void allow(const char *who, rd_kafka_ResourceType_t type, const char *name,
		  rd_kafka_AclOperation_t operation)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_AclBinding_t *acl;
	rd_kafka_event_t *answer;
	char why[200], principal[100];
	rd_kafka_queue_t *q;
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", plain, why, sizeof why);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	assert_non_null(rk);
	q = rd_kafka_queue_new(rk);
	snprintf(principal, sizeof principal, "User:%s", who);
	acl = rd_kafka_AclBinding_new(type, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, principal, "*",
				      operation, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why,
				      sizeof why);
	assert_non_null(acl);
	rd_kafka_CreateAcls(rk, &acl, 1, NULL, q);
	answer = rd_kafka_queue_poll(q, PATIENCE_MS);
	assert_non_null(answer);
	assert_int_equal(rd_kafka_event_error(answer), 0);
	rd_kafka_event_destroy(answer);
	rd_kafka_AclBinding_destroy(acl);
	rd_kafka_queue_destroy(q);
	rd_kafka_destroy(rk);
}

static void password(struct conf *c, const char *user, const char *text)
{
	char path[320];
	struct err e = {0};

	snprintf(c->kafka.user, sizeof c->kafka.user, "%s", user);
	snprintf(c->kafka.password_file, sizeof c->kafka.password_file, "%s",
		 tmpdir_file(&dir, path, "password"));
	DONE(fs_write_atomic(path, text, strlen(text), 0600, &e));
}

static void certificate(struct conf *c, const char *folder, const char *name)
{
	c->kafka.security = SECURITY_TLS;
	snprintf(c->kafka.ca, sizeof c->kafka.ca, "%.400s/tls/ca.pem", secure.dir);
	snprintf(c->kafka.cert, sizeof c->kafka.cert, "%.400s/%s.pem", folder, name);
	snprintf(c->kafka.key, sizeof c->kafka.key, "%.400s/%s.key", folder, name);
}

static void test_missing_topic(void **state)
{
	struct conf c;

	(void)state;
	conf_for(&c, plain);
	snprintf(c.kafka.topic_prefix, sizeof c.kafka.topic_prefix, "nobody-made.");
	refused(&c, ERR_CONF, "topic nobody-made.submissions");
	refused(&c, ERR_CONF, "qiao topics create");
	refused(&c, ERR_CONF, plain);
}

static void test_password(void **state)
{
	struct conf c;

	(void)state;
	conf_for(&c, sasl);
	c.kafka.sasl = SASL_PLAIN;
	password(&c, "gate", "open-sesame\n");
	taken(&c);
	/* That of Debian 12 cannot do it with a Kafka of today, and says so. */
	c.kafka.sasl = SASL_SCRAM_SHA_512;
	if (rd_kafka_version() < SCRAM_SINCE)
		refused(&c, ERR_CONF, "librdkafka 2.6.1");
	else
		taken(&c);
	c.kafka.sasl = SASL_PLAIN;
	password(&c, "gate", "wrong\n");
	refused(&c, ERR_CONF, "[kafka] sasl, user, password_file");
	password(&c, "nobody", "open-sesame\n");
	refused(&c, ERR_CONF, "[kafka] sasl, user, password_file");
}

static void test_certificates(void **state)
{
	char ours[320], theirs[320];
	struct err e = {0};
	struct conf c;

	(void)state;
	snprintf(ours, sizeof ours, "%s/tls", secure.dir);
	DONE(certs_client(ours, "gate", &e));
	DONE(certs_make(tmpdir_file(&dir, theirs, "theirs"), &e)); /* another authority */
	DONE(certs_client(theirs, "gate", &e));
	conf_for(&c, tls);
	certificate(&c, ours, "gate");
	taken(&c);
	conf_for(&c, both);
	certificate(&c, ours, "gate");
	c.kafka.sasl = SASL_PLAIN;
	password(&c, "gate", "open-sesame\n");
	taken(&c);
	password(&c, "gate", "wrong\n");
	refused(&c, ERR_CONF, "[kafka] sasl, user, password_file");
	conf_for(&c, tls);
	certificate(&c, theirs, "gate");
	refused(&c, ERR_CONF, "[kafka] cert");
	c.kafka.cert[0] = c.kafka.key[0] = '\0';
	refused(&c, ERR_CONF, "[kafka] cert");
	certificate(&c, ours, "gate");
	snprintf(c.kafka.ca, sizeof c.kafka.ca, "%s/ca.pem", theirs);
	refused(&c, ERR_CONF, "[kafka] ca");
	c.kafka.ca[0] = '\0';
	refused(&c, ERR_CONF, "[kafka] ca");
}

static void test_acl(void **state)
{
	struct patience p;
	struct err e = {0};
	struct conf c;
	struct bus *b;

	(void)state;
	conf_for(&c, sasl);
	c.kafka.sasl = SASL_PLAIN;
	password(&c, "poor", "open-sesame\n");
	/* A topic that may not even be described looks like one that is missing: both cures are named. */
	refused(&c, ERR_CONF, "topic submissions");
	refused(&c, ERR_CONF, "qiao topics plan --acls");
	allow("poor", RD_KAFKA_RESOURCE_TOPIC, "submissions", RD_KAFKA_ACL_OPERATION_DESCRIBE);
	allow("poor", RD_KAFKA_RESOURCE_TOPIC, "rejects.village", RD_KAFKA_ACL_OPERATION_WRITE);
	allow("poor", RD_KAFKA_RESOURCE_TOPIC, "answers", RD_KAFKA_ACL_OPERATION_READ);
	/* May describe, may not write: shows with the first event. */
	DONE(open_as(&b, &c, &p, &e));
	DONE(publish(b, 1, &e));
	assert_int_equal(bus_flush(b, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_non_null(strstr(e.text, "topic submissions"));
	assert_non_null(strstr(e.text, "qiao topics plan --acls"));
	bus_close(b);
	allow("poor", RD_KAFKA_RESOURCE_TOPIC, "submissions", RD_KAFKA_ACL_OPERATION_WRITE);
	taken(&c);
}

/* More than the topic takes: the bus ends with the cure; nothing overtakes the event. */
static void test_too_large(void **state)
{
	static const char *const small[] = {"max.message.bytes", "100000", NULL};
	static char data[300000];
	struct bus_event ev = {
		.key = STR("key 0"), .type = STR("SubsidyDeclared"), .data = {data, sizeof data}};
	struct patience p;
	struct err e = {0};
	struct conf c;
	struct bus *b;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++) /* not to be compressed */
		data[i] = (char)random();
	DONE(kafka_topic(plain, "small.submissions", PARTITIONS, 1, small, &e));
	DONE(kafka_topic(plain, "small.rejects.village", 1, 1, NULL, &e));
	DONE(kafka_topic(plain, "small.answers", PARTITIONS, 1, NULL, &e));
	conf_for(&c, plain);
	snprintf(c.kafka.topic_prefix, sizeof c.kafka.topic_prefix, "small.");
	DONE(open_as(&b, &c, &p, &e));
	DONE(publish(b, 0, &e));
	DONE(bus_flush(b, &e));
	DONE(bus_publish(b, "submissions", &ev, &e));
	assert_int_equal(bus_flush(b, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_non_null(strstr(e.text, "max.message.bytes"));
	assert_int_equal(publish(b, 0, &e), -1);
	bus_close(b);
}

static void own_topics(struct conf *c, const char *prefix)
{
	static const char *const names[] = {"submissions", "rejects.village", "answers"};
	struct err e = {0};
	char name[100];

	conf_for(c, plain);
	snprintf(c->kafka.topic_prefix, sizeof c->kafka.topic_prefix, "%s", prefix);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(name, sizeof name, "%s%s", prefix, names[i]);
		DONE(kafka_topic(plain, name, PARTITIONS, 1, NULL, &e));
	}
}

/* Publishes until it is refused. */
static void publish_until(struct bus *b, enum err_class class, const char *part)
{
	int64_t begun = clock_monotonic();
	struct err e = {0};

	for (int n = 0; publish(b, n, &e) == 0 && bus_flush(b, &e) == 0; n++) {
		poll(NULL, 0, 20); /* a program does other things, too */
		assert_true(clock_monotonic() - begun < 2 * PATIENCE_MS);
	}
	if (getenv("QIAO_TEST_LOG"))
		print_message("%5lld ms: %s\n", (long long)(clock_monotonic() - begun), e.text);
	if (e.class != class || strstr(e.text, part) == NULL)
		fail_msg("class %d \"%s\": wanted: %s", e.class, e.text, part);
	assert_int_equal(publish(b, 0, &e), -1);
	assert_int_equal(e.class, class);
}

/* Deleted while we write to it. */
static void test_deleted(void **state)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new("short.submissions");
	rd_kafka_queue_t *q;
	struct patience p;
	struct err e = {0};
	struct conf c;
	struct bus *b;
	rd_kafka_t *rk;

	(void)state;
	own_topics(&c, "short.");
	DONE(open_as(&b, &c, &p, &e));
	p.until_ms = INT64_MAX;
	DONE(publish(b, 0, &e));
	DONE(bus_flush(b, &e));
	rd_kafka_conf_set(conf, "bootstrap.servers", plain, NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	q = rd_kafka_queue_new(rk);
	rd_kafka_DeleteTopics(rk, &gone, 1, NULL, q);
	publish_until(b, ERR_SAFE, "topic short.submissions");
	rd_kafka_DeleteTopic_destroy(gone);
	rd_kafka_queue_destroy(q);
	rd_kafka_destroy(rk);
	bus_close(b);
}

/* Given more partitions while we write to it: a key would change its place. */
static void test_partitions_changed(void **state)
{
	rd_kafka_NewPartitions_t *more =
		rd_kafka_NewPartitions_new("grown.answers", PARTITIONS + 1, NULL, 0);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_queue_t *q;
	rd_kafka_event_t *answer;
	struct patience p;
	struct err e = {0};
	struct conf c;
	struct bus *b;
	rd_kafka_t *rk;

	(void)state;
	own_topics(&c, "grown.");
	DONE(open_as(&b, &c, &p, &e));
	p.until_ms = INT64_MAX;
	rd_kafka_conf_set(conf, "bootstrap.servers", plain, NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	q = rd_kafka_queue_new(rk);
	rd_kafka_CreatePartitions(rk, &more, 1, NULL, q);
	answer = rd_kafka_queue_poll(q, PATIENCE_MS);
	assert_non_null(answer);
	rd_kafka_event_destroy(answer);
	publish_until(b, ERR_SAFE, "topic grown.answers: it had 6 partitions and has 7 now");
	rd_kafka_NewPartitions_destroy(more);
	rd_kafka_queue_destroy(q);
	rd_kafka_destroy(rk);
	bus_close(b);
}

/* ---- no broker at all ---- */

/* Accepts, says what no Kafka would, closes. */
static void *chatter(void *arg)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
	int listener = *(int *)arg, fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, 2000) == 1 && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
			break;
		shutdown(fd, SHUT_WR);
		poll(&p, 1, 200);
		close(fd);
	}
	return NULL;
}

static int listen_somewhere(char servers[CLUSTER_SERVERS])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	snprintf(servers, CLUSTER_SERVERS, "127.0.0.1:%d", ntohs(at.sin_port));
	return fd;
}

static void test_no_kafka(void **state)
{
	char servers[CLUSTER_SERVERS];
	int fd = listen_somewhere(servers);
	pthread_t thread;
	struct conf c;

	(void)state;
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(pthread_create(&thread, NULL, chatter, &fd), 0);
	conf_for(&c, servers);
	refused(&c, ERR_CONF, "no Kafka");
	shutdown(fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(fd);
}

/* A program waits until it is told to stop, and says what to look at. */
static void waits(struct conf *c)
{
	int64_t begun = clock_monotonic();
	struct patience p = {.until_ms = begun + 4000};
	struct bus_options o = {.role = "village", .conf = c, .waiting = patient, .arg = &p};
	struct err e = {0};
	struct bus *b;

	assert_int_equal(bus_open(&b, &o, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	assert_non_null(strstr(e.text, "[kafka] brokers, security"));
	assert_non_null(strstr(e.text, c->kafka.brokers));
	assert_true(clock_monotonic() - begun >= 3900 && clock_monotonic() - begun < CLOSE_MS);
	assert_true(p.turns > 5);
}

static void test_nobody(void **state)
{
	char servers[CLUSTER_SERVERS];
	int fd = listen_somewhere(servers); /* bound, and nobody listens */
	struct conf c;

	(void)state;
	conf_for(&c, servers);
	waits(&c);
	close(fd);
}

/* TLS where none is spoken looks like a broker that dies at once. */
static void test_no_tls(void **state)
{
	struct conf c;

	(void)state;
	conf_for(&c, plain);
	c.kafka.security = SECURITY_TLS;
	waits(&c);
}

/* ---- three brokers that die ---- */

static void check_all(const char *servers, int published)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
	int *count = calloc((size_t)published, sizeof *count), newest[KEYS], ends = 0, all = 0;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int64_t until = clock_monotonic() + PATIENCE_MS;
	char why[200];
	rd_kafka_t *rk;

	assert_non_null(count);
	for (int i = 0; i < KEYS; i++)
		newest[i] = -1;
	rd_kafka_conf_set(conf, "bootstrap.servers", servers, why, sizeof why);
	rd_kafka_conf_set(conf, "group.id", "finder", why, sizeof why);
	rd_kafka_conf_set(conf, "enable.auto.commit", "false", why, sizeof why);
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	for (int i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(list, "submissions", i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(rk, list), 0);
	while (ends < PARTITIONS && clock_monotonic() < until) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
		int64_t n;

		if (m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
			ends++;
		} else if (m && m->err == 0) {
			assert_int_equal(
				str_int((struct str){m->payload, m->len}, 0, published - 1, &n), 0);
			if (count[n]++ == 0 && n >= KEYS && count[n - KEYS] == 0)
				fail_msg("event %d came before %d of the same key", (int)n,
					 (int)n - KEYS);
			newest[n % KEYS] = (int)n;
			all++;
		}
		if (m)
			rd_kafka_message_destroy(m);
	}
	assert_int_equal(ends, PARTITIONS);
	for (int i = 0; i < published; i++)
		if (count[i] == 0)
			fail_msg("event %d of %d is lost", i, published);
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(newest[i], (published - 1 - i) / KEYS * KEYS + i);
	if (all != published)
		print_message("%d events lie there twice (a handle was replaced)\n",
			      all - published);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	free(count);
}

/* Leaders killed in turn while events go out, then all at once. */
/* New topics show on one broker a moment later than on another. */
static void open_when_seen(struct bus **b, struct conf *conf, struct patience *p)
{
	int64_t until = clock_monotonic() + PATIENCE_MS;
	struct err e = {0};

	while (open_as(b, conf, p, &e) < 0)
		if (e.class != ERR_CONF || clock_monotonic() > until)
			fail_msg("%s", e.text);
}

static void test_kills(void **state)
{
	struct cluster_options o = {.nodes = 3};
	char servers[CLUSTER_SERVERS];
	struct err e = {0};
	struct cluster c;
	struct patience p;
	struct conf conf;
	struct bus *b;
	int n = 0, dead = -1;

	(void)state;
	DONE(cluster_open(&c, &o, &e));
	make_topics(cluster_servers(&c, CLUSTER_PLAIN, servers), 3);
	conf_for(&conf, servers);
	open_when_seen(&b, &conf, &p);
	p.until_ms = INT64_MAX;
	for (int kill = 0; kill < KILLS; kill++) {
		for (int i = 0; i < EVENTS / KILLS; i++, n++) {
			if (i == EVENTS / KILLS / 3) { /* in the midst of it */
				dead = cluster_leader(&c, "submissions", kill % PARTITIONS, &e);
				assert_true(dead >= 0);
				cluster_kill(&c, dead);
			}
			DONE(publish(b, n, &e));
		}
		DONE(bus_flush(b, &e)); /* two of three are enough */
		DONE(cluster_start(&c, dead, &e));
		DONE(cluster_ready(&c, &e));
		DONE(cluster_in_sync(&c, &e));
	}
	for (int i = 0; i < EVENTS / KILLS; i++, n++)
		DONE(publish(b, n, &e));
	for (int i = 0; i < 3; i++)
		cluster_kill(&c, i);
	for (int i = 0; i < KEYS; i++, n++)
		DONE(publish(b, n, &e));
	p.until_ms = 0; /* all are away: a stop gets through */
	assert_int_equal(bus_flush(b, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	p.until_ms = INT64_MAX;
	for (int i = 0; i < 3; i++)
		DONE(cluster_start(&c, i, &e));
	DONE(bus_flush(b, &e)); /* waits until they are up */
	DONE(cluster_ready(&c, &e));
	check_all(servers, n);
	bus_close(b);
	cluster_close(&c);
}

static int start(void **state)
{
	struct cluster_options o = {
		.secure = true,
		.authorizer = true,
		.users = {{"gate", "open-sesame"}, {"poor", "open-sesame"}},
	};
	static const char *const gate[] = {"submissions", "rejects.village", "answers"};
	struct err e = {0};

	(void)state;
	log_open("test", NULL, getenv("QIAO_TEST_LOG") ? LOG_DEBUG : LOG_ERROR, &e);
	tmpdir_make(&dir);
	DONE(cluster_open(&secure, &o, &e));
	cluster_servers(&secure, CLUSTER_PLAIN, plain);
	cluster_servers(&secure, CLUSTER_SASL, sasl);
	cluster_servers(&secure, CLUSTER_TLS, tls);
	cluster_servers(&secure, CLUSTER_SASL_TLS, both);
	make_topics(plain, 1);
	for (size_t i = 0; i < COUNT(gate); i++) {
		allow("gate", RD_KAFKA_RESOURCE_TOPIC, gate[i], RD_KAFKA_ACL_OPERATION_ALL);
		allow("CN=gate", RD_KAFKA_RESOURCE_TOPIC, gate[i], RD_KAFKA_ACL_OPERATION_ALL);
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	cluster_close(&secure);
	tmpdir_remove(&dir);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_topic),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_acl),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_partitions_changed),
		cmocka_unit_test(test_no_kafka),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_kills),
	};

	if (argc > 1) /* one of them, while working on it */
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, start, stop);
}
