#include "tests/lib/kafka.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { READY_MS = 60000, SYNC_MS = 120000, ASK_MS = 2000, LEADER_MS = 10000, LOOK_MS = 20, ARGS = 24 };

/* name in server.properties, protocol, name as part of a property */
static const struct {
	const char *name, *protocol, *lower;
} listeners[CLUSTER_LISTENERS] = {
	{"PLAINTEXT", "PLAINTEXT", "plaintext"},
	{"SASL", "SASL_PLAINTEXT", "sasl"},
	{"TLS", "SSL", "tls"},
	{"SASLTLS", "SASL_SSL", "sasltls"},
	{"ASIDE", "PLAINTEXT", "aside"},
};

static int reserve_ports(struct cluster *c, struct err *e);
static int prepare(struct cluster *c, struct err *e);
static int write_properties(struct cluster *c, int node, struct err *e);
static void put_listeners(struct buf *b, const struct cluster *c, int node);
static void put_sizes(struct buf *b, int nodes);
static void put_security(struct buf *b, const struct cluster *c);
static int format_folder(struct cluster *c, int node, struct err *e);
static int format_with_users(struct cluster *c, struct err *e);
static void node_path(const struct cluster *c, int node, const char *name, char out[300]);
static void new_id(char out[24]);
static int sees_all(struct cluster *c, int node, int wanted, struct err *e);
static bool in_sync(const struct rd_kafka_metadata *m);
static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e);
static rd_kafka_t *ask_handle(const char *servers, struct err *e);

int cluster_open(struct cluster *c, const struct cluster_options *o, struct err *e)
{
	memset(c, 0, sizeof *c);
	c->options = *o;
	c->nodes = o->nodes ? o->nodes : 1;
	if (c->nodes != 1 && c->nodes != CLUSTER_NODES)
		return err_set(e, ERR_CONF, "%d brokers: one or three", c->nodes);
	if (c->options.proxy_port && (c->nodes != 1 || c->options.secure))
		return err_set(e, ERR_CONF, "behind a proxy: one broker, plain");
	if (java_home(c->home, e) < 0 || java_dir(c->dir, o->dir, e) < 0 ||
	    reserve_ports(c, e) < 0 || prepare(c, e) < 0)
		return -1;
	for (int i = 0; i < c->nodes; i++)
		if (cluster_start(c, i, e) < 0)
			return -1;
	return cluster_ready(c, e);
}

void cluster_close(struct cluster *c)
{
	for (int i = 0; i < c->nodes; i++)
		java_end(&c->node[i].java, SIGKILL);
	for (int i = 0; i < c->helds; i++)
		close(c->held[i]);
	if (c->dir[0])
		fs_remove_tree(c->dir, NULL);
	memset(c, 0, sizeof *c);
}

const char *cluster_servers(const struct cluster *c, enum cluster_listener l,
			    char out[CLUSTER_SERVERS])
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < c->nodes; i++)
		n += (size_t)snprintf(out + n, CLUSTER_SERVERS - n, "%s127.0.0.1:%d", i ? "," : "",
				      c->node[i].port[l]);
	return out;
}

static bool has_listener(const struct cluster *c, enum cluster_listener l)
{
	return l == CLUSTER_PLAIN || (l == CLUSTER_ASIDE ? c->options.proxy_port > 0 : c->options.secure);
}

static int reserve_ports(struct cluster *c, struct err *e)
{
	for (int i = 0; i < c->nodes; i++) {
		for (int l = 0; l < CLUSTER_LISTENERS; l++) {
			if (!has_listener(c, (enum cluster_listener)l))
				continue;
			if (java_port(&c->node[i].port[l], &c->held[c->helds], e) < 0)
				return -1;
			c->helds++;
		}
		if (java_port(&c->node[i].controller_port, &c->held[c->helds], e) < 0)
			return -1;
		c->helds++;
	}
	return 0;
}

/* ---- folders and properties ---- */

static int prepare(struct cluster *c, struct err *e)
{
	static const char log[] =
		"status = ERROR\nappender.file.type = File\nappender.file.name = file\n"
		"appender.file.fileName = ${sys:qiao.log}\n"
		"appender.file.layout.type = PatternLayout\n"
		"appender.file.layout.pattern = %d %p %c: %m%n\n"
		"rootLogger.level = WARN\nrootLogger.appenderRef.file.ref = file\n";
	char path[300];

	new_id(c->id);
	snprintf(path, sizeof path, "%s/log4j2.properties", c->dir);
	if (fs_write_atomic(path, log, sizeof log - 1, 0600, e) < 0)
		return -1;
	snprintf(path, sizeof path, "%s/tls", c->dir);
	if (c->options.secure && certs_make(path, e) < 0)
		return -1;
	for (int i = 0; i < c->nodes; i++) {
		node_path(c, i, "data", path);
		if (fs_mkdirs(path, e) < 0)
			return -1;
		node_path(c, i, "tmp", path);
		if (fs_mkdirs(path, e) < 0 || write_properties(c, i, e) < 0)
			return -1;
	}
	if (c->options.secure && format_with_users(c, e) < 0)
		return -1;
	for (int i = 0; i < c->nodes; i++)
		if (format_folder(c, i, e) < 0)
			return -1;
	return 0;
}

static int write_properties(struct cluster *c, int node, struct err *e)
{
	char path[300];
	struct buf b;
	int rc;

	buf_init(&b, 1 << 16);
	put_listeners(&b, c, node);
	put_sizes(&b, c->nodes);
	put_security(&b, c);
	if (c->options.properties)
		buf_printf(&b, "%s\n", c->options.properties);
	node_path(c, node, "server.properties", path);
	rc = fs_write_atomic(path, b.data, b.len, 0600, e);
	buf_fini(&b);
	return rc;
}

static void put_listeners(struct buf *b, const struct cluster *c, int node)
{
	const struct cluster_node *n = &c->node[node];

	buf_printf(b, "process.roles=broker,controller\nnode.id=%d\nlog.dirs=%s/broker-%d/data\n",
		   node + 1, c->dir, node + 1);
	buf_put_str(b, "controller.quorum.voters=");
	for (int i = 0; i < c->nodes; i++)
		buf_printf(b, "%s%d@127.0.0.1:%d", i ? "," : "", i + 1, c->node[i].controller_port);
	buf_printf(b, "\nlisteners=CONTROLLER://127.0.0.1:%d", n->controller_port);
	for (int l = 0; l < CLUSTER_LISTENERS; l++)
		if (n->port[l])
			buf_printf(b, ",%s://127.0.0.1:%d", listeners[l].name, n->port[l]);
	buf_put_str(b, "\nlistener.security.protocol.map=CONTROLLER:PLAINTEXT");
	for (int l = 0; l < CLUSTER_LISTENERS; l++)
		buf_printf(b, ",%s:%s", listeners[l].name, listeners[l].protocol);
	buf_printf(b, "\ncontroller.listener.names=CONTROLLER\ninter.broker.listener.name=%s\n",
		   listeners[c->options.proxy_port ? CLUSTER_ASIDE : CLUSTER_PLAIN].name);
	if (c->options.proxy_port)
		buf_printf(b, "advertised.listeners=PLAINTEXT://127.0.0.1:%d,ASIDE://127.0.0.1:%d\n",
			   c->options.proxy_port, n->port[CLUSTER_ASIDE]);
}

/* Small for a test's memory; quick to notice a dead broker and to compact; as safe as production. */
static void put_sizes(struct buf *b, int nodes)
{
	static const char *const replicated[] = {
		"offsets.topic.replication.factor", "transaction.state.log.replication.factor",
		"share.coordinator.state.topic.replication.factor", "default.replication.factor"};
	static const char *const in_sync_of[] = {"transaction.state.log.min.isr",
						 "share.coordinator.state.topic.min.isr",
						 "min.insync.replicas"};

	for (size_t i = 0; i < sizeof replicated / sizeof replicated[0]; i++)
		buf_printf(b, "%s=%d\n", replicated[i], nodes);
	for (size_t i = 0; i < sizeof in_sync_of / sizeof in_sync_of[0]; i++)
		buf_printf(b, "%s=%d\n", in_sync_of[i], nodes > 1 ? 2 : 1);
	buf_put_str(b, "offsets.topic.num.partitions=6\ntransaction.state.log.num.partitions=2\n"
		       "auto.create.topics.enable=false\ngroup.initial.rebalance.delay.ms=0\n"
		       "offsets.retention.minutes=600000\n"
		       "broker.heartbeat.interval.ms=500\nbroker.session.timeout.ms=3000\n"
		       "num.network.threads=2\nnum.io.threads=4\nbackground.threads=2\n"
		       "log.cleaner.backoff.ms=200\nlog.cleaner.dedupe.buffer.size=16777216\n"
		       "log.initial.task.delay.ms=1000\nfile.delete.delay.ms=1000\n");
}

static void put_security(struct buf *b, const struct cluster *c)
{
	if (c->options.authorizer)
		buf_put_str(b, "authorizer.class.name="
			       "org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
			       "super.users=User:ANONYMOUS\n");
	if (!c->options.secure)
		return;
	buf_printf(b,
		   "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n"
		   "ssl.keystore.type=PKCS12\nssl.keystore.location=%s/tls/broker.p12\n"
		   "ssl.keystore.password=" CERT_PASSWORD "\nssl.key.password=" CERT_PASSWORD "\n"
		   "ssl.truststore.type=PEM\nssl.truststore.location=%s/tls/ca.pem\n"
		   "ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT\n"
		   "listener.name.tls.ssl.client.auth=required\n"
		   "listener.name.sasltls.ssl.client.auth=none\n",
		   c->dir, c->dir);
	for (int l = CLUSTER_SASL; l <= CLUSTER_SASL_TLS; l += CLUSTER_SASL_TLS - CLUSTER_SASL) {
		buf_printf(b,
			   "listener.name.%s.plain.sasl.jaas.config="
			   "org.apache.kafka.common.security.plain.PlainLoginModule required",
			   listeners[l].lower);
		for (const struct cluster_user *u = c->options.users;
		     u < c->options.users + CLUSTER_USERS && u->name; u++)
			buf_printf(b, " user_%s=\"%s\"", u->name, u->password);
		buf_put_str(b, ";\n");
		for (int bits = 256; bits <= 512; bits += 256)
			buf_printf(
				b,
				"listener.name.%s.scram-sha-%d.sasl.jaas.config=org.apache.kafka."
				"common.security.scram.ScramLoginModule required;\n",
				listeners[l].lower, bits);
	}
}

/* What StorageTool writes, without its second of Java: the same features from a file that it made, and
 * the ids. */
static int format_folder(struct cluster *c, int node, struct err *e)
{
	char path[300], from[300], text[200], id[24];
	struct buf b;
	int rc = -1;

	buf_init(&b, 1 << 20);
	snprintf(from, sizeof from, "%s/bootstrap.checkpoint",
		 c->options.secure ? c->dir : c->home);
	node_path(c, node, "data/bootstrap.checkpoint", path);
	if (fs_read(from, &b, e) < 0 || fs_write_atomic(path, b.data, b.len, 0600, e) < 0)
		goto out;
	new_id(id);
	snprintf(text, sizeof text, "version=1\nnode.id=%d\ncluster.id=%s\ndirectory.id=%s\n",
		 node + 1, c->id, id);
	node_path(c, node, "data/meta.properties", path);
	rc = fs_write_atomic(path, text, strlen(text), 0600, e);
out:
	buf_fini(&b);
	return rc;
}

/* SCRAM users are records in that file, so the tool makes it anew. */
static int format_with_users(struct cluster *c, struct err *e)
{
	char conf[300], data[300], jars[300], scram[2 * CLUSTER_USERS][160], to[300];
	const char *args[2 * 2 * CLUSTER_USERS + 16] = {"java",
							"-Xmx128m",
							"-XX:+UseSerialGC",
							"-XX:TieredStopAtLevel=1",
							"-XX:-UsePerfData",
							"-cp",
							jars,
							"kafka.tools.StorageTool",
							"format",
							"-t",
							c->id,
							"-c",
							conf};
	int n = 13;

	node_path(c, 0, "server.properties", conf);
	node_path(c, 0, "data/bootstrap.checkpoint", data);
	snprintf(jars, sizeof jars, "%s/libs/*", c->home);
	for (int i = 0; i < 2 * CLUSTER_USERS; i++) {
		const struct cluster_user *u = &c->options.users[i / 2];

		if (!u->name)
			break;
		snprintf(scram[i], sizeof scram[i], "SCRAM-SHA-%d=[name=%.50s,password=%.50s]",
			 i % 2 ? 512 : 256, u->name, u->password);
		args[n++] = "--add-scram";
		args[n++] = scram[i];
	}
	args[n] = NULL;
	if (java_run(c->dir, args, e) < 0)
		return -1;
	snprintf(to, sizeof to, "%s/bootstrap.checkpoint", c->dir);
	return rename(data, to) == 0 ? 0 : err_sys(e, ERR_TEMP, errno, "%s", to);
}

static void node_path(const struct cluster *c, int node, const char *name, char out[300])
{
	snprintf(out, 300, "%s/broker-%d%s%s", c->dir, node + 1, name[0] ? "/" : "", name);
}

/* Sixteen bytes in Kafka's base64: 22 characters, the last with no bits to spare. */
static void new_id(char out[24])
{
	uint8_t random[11];

	while (getrandom(random, sizeof random, 0) != sizeof random)
		;
	hex_put(out, random, sizeof random);
	out[21] = 'A';
}

/* ---- brokers ---- */

int cluster_start(struct cluster *c, int node, struct err *e)
{
	char dir[300], conf[300], log[340], log4j[340], tmp[340], archive[340], error[340];
	const char *const args[ARGS] = {"java",
					c->options.steady ? "-Xmx512m" : "-Xmx256m",
					"-XX:+UseSerialGC",
					c->options.steady ? "-XX:+TieredCompilation"
							  : "-XX:TieredStopAtLevel=1",
					"-XX:-UsePerfData",
					"-Xlog:disable",
					archive,
					error,
					tmp,
					log,
					log4j,
					"-cp",
					"libs/*",
					"kafka.Kafka",
					conf,
					NULL};

	if (java_alive(&c->node[node].java))
		return err_set(e, ERR_CONF, "broker %d runs already", node + 1);
	node_path(c, node, "", dir);
	node_path(c, node, "server.properties", conf);
	snprintf(archive, sizeof archive, "-XX:SharedArchiveFile=%s/kafka.jsa", c->home);
	snprintf(error, sizeof error, "-XX:ErrorFile=%s/crash", dir);
	snprintf(tmp, sizeof tmp, "-Djava.io.tmpdir=%s/tmp", dir);
	snprintf(log, sizeof log, "-Dqiao.log=%s/log", dir);
	snprintf(log4j, sizeof log4j, "-Dlog4j2.configurationFile=%s/log4j2.properties", c->dir);
	return java_start(&c->node[node].java, c->home, dir, args, e);
}

int cluster_ready(struct cluster *c, struct err *e)
{
	int64_t until = clock_monotonic() + READY_MS;
	int running = 0, seen = 0;

	for (int i = 0; i < c->nodes; i++)
		running += c->node[i].java.pid > 0;
	for (int i = 0; i < c->nodes; i += seen) {
		seen = 1;
		if (c->node[i].java.pid <= 0)
			continue;
		seen = sees_all(c, i, running, e);
		if (seen < 0)
			return -1;
		if (!seen && clock_monotonic() > until)
			return err_set(e, ERR_TEMP, "broker %d is not ready in %d s; see %s", i + 1,
				       READY_MS / 1000, c->dir);
		if (!seen)
			poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

/* Asks one broker by a connection of its own. 1 or 0; -1: it has ended. */
static int sees_all(struct cluster *c, int node, int wanted, struct err *e)
{
	const struct rd_kafka_metadata *m;
	char server[40], dir[300];
	rd_kafka_t *rk;
	int seen = 0;

	if (!cluster_alive(c, node)) {
		err_set(e, ERR_CONF, "broker %d ended by itself (%d)", node + 1,
			c->node[node].java.status);
		node_path(c, node, "", dir);
		java_said(dir, e);
		return -1;
	}
	snprintf(server, sizeof server, "127.0.0.1:%d", c->node[node].port[CLUSTER_PLAIN]);
	rk = ask_handle(server, e);
	if (!rk)
		return -1;
	if (rd_kafka_metadata(rk, 1, NULL, &m, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
		seen = m->broker_cnt == wanted && rd_kafka_controllerid(rk, 0) > 0;
		rd_kafka_metadata_destroy(m);
	}
	rd_kafka_destroy(rk);
	return seen;
}

int cluster_in_sync(struct cluster *c, struct err *e)
{
	int64_t until = clock_monotonic() + SYNC_MS;
	char servers[CLUSTER_SERVERS];
	rd_kafka_t *rk;
	bool done = false;

	if (cluster_ready(c, e) < 0)
		return -1;
	rk = ask_handle(cluster_servers(c, CLUSTER_PLAIN, servers), e);
	while (rk && !done && clock_monotonic() < until) {
		const struct rd_kafka_metadata *m;

		if (rd_kafka_metadata(rk, 1, NULL, &m, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
			done = in_sync(m);
			rd_kafka_metadata_destroy(m);
		}
		if (!done)
			poll(NULL, 0, LOOK_MS);
	}
	if (!rk)
		return -1;
	rd_kafka_destroy(rk);
	return done ? 0 : err_set(e, ERR_TEMP, "replicas not in sync in %d s", SYNC_MS / 1000);
}

static bool in_sync(const struct rd_kafka_metadata *m)
{
	for (int t = 0; t < m->topic_cnt; t++)
		for (int p = 0; p < m->topics[t].partition_cnt; p++) {
			const struct rd_kafka_metadata_partition *one = &m->topics[t].partitions[p];

			if (one->leader < 0 || one->isr_cnt != one->replica_cnt)
				return false;
		}
	return true;
}

void cluster_kill(struct cluster *c, int node)
{
	java_end(&c->node[node].java, SIGKILL);
}

int cluster_stop(struct cluster *c, int node)
{
	return java_end(&c->node[node].java, SIGTERM);
}

bool cluster_alive(struct cluster *c, int node)
{
	return java_alive(&c->node[node].java);
}

int64_t cluster_cpu_us(struct cluster *c, int node)
{
	return java_cpu_us(&c->node[node].java);
}

int64_t cluster_peak_kib(struct cluster *c, int node)
{
	return java_peak_kib(&c->node[node].java);
}

int cluster_leader(struct cluster *c, const char *topic, int partition, struct err *e)
{
	char servers[CLUSTER_SERVERS];
	const struct rd_kafka_metadata *m;
	rd_kafka_t *rk = ask_handle(cluster_servers(c, CLUSTER_PLAIN, servers), e);
	rd_kafka_topic_t *t;
	int64_t until = clock_monotonic() + LEADER_MS;
	rd_kafka_resp_err_t why;
	int leader = -1;

	if (!rk)
		return -1;
	t = rd_kafka_topic_new(rk, topic, NULL);
	do {
		why = rd_kafka_metadata(rk, 0, t, &m, ASK_MS * 5);
		if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
			break;
		if (m->topic_cnt == 1 && partition < m->topics[0].partition_cnt)
			for (int p = 0; p < m->topics[0].partition_cnt; p++)
				if (m->topics[0].partitions[p].id == partition)
					leader = m->topics[0].partitions[p].leader;
		rd_kafka_metadata_destroy(m);
	} while (leader < 1 && clock_monotonic() < until && rd_kafka_poll(rk, LOOK_MS) >= 0);
	rd_kafka_topic_destroy(t);
	rd_kafka_destroy(rk);
	if (leader < 1)
		return err_set(e, ERR_TEMP, "%s/%d: no leader: %s", topic, partition,
			       rd_kafka_err2str(why));
	return leader - 1;
}

/* ---- as a client ---- */

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
	char text[200];

	if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
		return 0;
	return err_set(e, ERR_CONF, "%s", text);
}

/* Quick to connect, silent about brokers that are not there yet. */
static rd_kafka_t *ask_handle(const char *servers, struct err *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk = NULL;
	char text[200] = "";

	if (set(conf, "bootstrap.servers", servers, e) == 0 &&
	    set(conf, "log_level", "0", e) == 0 &&
	    set(conf, "reconnect.backoff.ms", "20", e) == 0 &&
	    set(conf, "reconnect.backoff.max.ms", "100", e) == 0) {
		rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
		if (!rk)
			err_set(e, ERR_CONF, "librdkafka: %s", text);
	}
	if (!rk)
		rd_kafka_conf_destroy(conf);
	return rk;
}

static int create(rd_kafka_t *rk, rd_kafka_NewTopic_t *topic, struct err *e)
{
	rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
	const rd_kafka_topic_result_t **results;
	rd_kafka_event_t *event;
	size_t n = 0;
	int rc = 0;

	rd_kafka_AdminOptions_set_request_timeout(o, READY_MS, NULL, 0);
	rd_kafka_AdminOptions_set_operation_timeout(o, READY_MS / 2, NULL, 0);
	rd_kafka_CreateTopics(rk, &topic, 1, o, q);
	event = rd_kafka_queue_poll(q, READY_MS);
	if (!event || rd_kafka_event_error(event))
		rc = err_set(e, ERR_TEMP, "create topic: %s",
			     event ? rd_kafka_event_error_string(event) : "no answer");
	results = rc == 0 ? rd_kafka_CreateTopics_result_topics(
				    rd_kafka_event_CreateTopics_result(event), &n)
			  : NULL;
	if (n == 1 && rd_kafka_topic_result_error(results[0]))
		rc = err_set(e, ERR_PERM, "create topic %s: %s",
			     rd_kafka_topic_result_name(results[0]),
			     rd_kafka_topic_result_error_string(results[0]));
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(q);
	rd_kafka_AdminOptions_destroy(o);
	return rc;
}

/* With three brokers the answer can be ahead of what another broker knows: ask until all partitions
 * have leaders. */
static int wait_for_topic(rd_kafka_t *rk, const char *name, int partitions, struct err *e)
{
	int64_t until = clock_monotonic() + READY_MS;
	rd_kafka_topic_t *t = rd_kafka_topic_new(rk, name, NULL);
	bool there = false;

	while (!there && clock_monotonic() < until) {
		const struct rd_kafka_metadata *m;

		if (rd_kafka_metadata(rk, 0, t, &m, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
			there = m->topic_cnt == 1 && m->topics[0].partition_cnt == partitions &&
				in_sync(m);
			rd_kafka_metadata_destroy(m);
		}
		if (!there)
			poll(NULL, 0, LOOK_MS);
	}
	rd_kafka_topic_destroy(t);
	return there ? 0 : err_set(e, ERR_TEMP, "topic %s did not appear", name);
}

int kafka_topic(const char *servers, const char *name, int partitions, int replication,
		const char *const *configs, struct err *e)
{
	rd_kafka_t *rk = ask_handle(servers, e);
	rd_kafka_NewTopic_t *topic;
	char text[200];
	int rc = -1;

	if (!rk)
		return -1;
	topic = rd_kafka_NewTopic_new(name, partitions, replication, text, sizeof text);
	if (!topic) {
		err_set(e, ERR_PERM, "topic %s: %s", name, text);
	} else {
		for (; configs && configs[0] && configs[1]; configs += 2)
			rd_kafka_NewTopic_set_config(topic, configs[0], configs[1]);
		rc = create(rk, topic, e);
		rd_kafka_NewTopic_destroy(topic);
	}
	if (rc == 0)
		rc = wait_for_topic(rk, name, partitions, e);
	rd_kafka_destroy(rk);
	return rc;
}

/* ---- one for a whole process ---- */

static struct cluster shared;
static pid_t shared_by;

static void close_shared(void)
{
	/* A forked child that calls exit is not the owner. */
	if (shared_by == getpid())
		cluster_close(&shared);
}

const char *kafka_shared(struct err *e)
{
	static char servers[CLUSTER_SERVERS];
	const char *given = getenv("QIAO_KAFKA");

	if (given && given[0])
		return given;
	if (servers[0])
		return servers;
	if (cluster_open(&shared, &(struct cluster_options){.nodes = 1}, e) < 0) {
		cluster_close(&shared);
		return NULL;
	}
	shared_by = getpid();
	atexit(close_shared);
	return cluster_servers(&shared, CLUSTER_PLAIN, servers);
}
