/* A real Kafka and a real schema registry for tests, demo and bench (tests/kafka/fetch.sh gets them).
 *
 * A cluster is one broker or three, each its own controller, too, on ports that nobody else has: the
 * process that starts it keeps a socket bound to each port for the cluster's life, so that a port
 * stays free while its broker is dead (and no client can connect to itself there). Brokers and
 * registry are processes started by the caller; they are ended by their ids and die with the thread
 * that started them. Waiting is polling with a limit.
 *
 * Every broker has the listener CLUSTER_PLAIN; with options.secure also three more. There a TLS
 * client needs a certificate of the cluster's own authority (its CN is the principal), a SASL client
 * one of options.users (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512). With options.authorizer nobody may do
 * anything without an ACL, but who comes by CLUSTER_PLAIN (User:ANONYMOUS) may do all. */
#ifndef QIAO_TESTS_LIB_KAFKA_H
#define QIAO_TESTS_LIB_KAFKA_H
#include "base/buf.h"
#include "base/err.h"
#include "tests/lib/java.h"

enum { CLUSTER_NODES = 3, CLUSTER_SERVERS = 128, CLUSTER_USERS = 8 };
enum cluster_listener {
	CLUSTER_PLAIN,
	CLUSTER_SASL,
	CLUSTER_TLS,
	CLUSTER_SASL_TLS,
	CLUSTER_ASIDE, /* only with options.proxy_port: plain, and not by the proxy */
	CLUSTER_LISTENERS
};

struct cluster_user {
	const char *name, *password; /* letters, digits, dashes */
};
struct cluster_options {
	int nodes;		/* 1 or 3; 0 is 1 */
	const char *dir;	/* made, and removed at the end; NULL: a new one in TMPDIR */
	const char *properties; /* further lines of each server.properties; they win over ours */
	bool secure;		/* all four listeners; certificates in <dir>/tls */
	bool authorizer;	/* StandardAuthorizer */
	struct cluster_user users[CLUSTER_USERS];
	int proxy_port; /* one broker: clients of CLUSTER_PLAIN are told this port, not the broker's own */
	bool steady; /* for figures: both compilers and 512 MB, slower to start */
};
struct cluster_node {
	struct java java;
	int port[CLUSTER_LISTENERS], controller_port;
};
struct cluster {
	char dir[256], home[256]; /* home: build/kafka */
	char id[24];
	struct cluster_options options;
	int nodes;
	struct cluster_node node[CLUSTER_NODES];		  /* broker i has the id i + 1 */
	int held[CLUSTER_NODES * (CLUSTER_LISTENERS + 1)], helds; /* sockets that keep the ports */
};

/* Folders, ports, certificates; starts all and waits until they are ready. ERR_CONF when Kafka is not
 * there (the text says what to do) or a broker ends at its start (the text has the end of its log).
 * On failure nothing is left but what cluster_close removes. Borrows what o points to. */
int cluster_open(struct cluster *c, const struct cluster_options *o, struct err *e);
void cluster_close(
	struct cluster *c); /* SIGKILL to what runs; removes the folder; fine when not open */
/* "127.0.0.1:1234,127.0.0.1:1235", of all nodes, also those that do not run. Gives out. */
const char *cluster_servers(const struct cluster *c, enum cluster_listener l,
			    char out[CLUSTER_SERVERS]);

int cluster_start(struct cluster *c, int node, struct err *e); /* does not wait */
/* Until each running broker answers and sees all running brokers, and no other, at most 60 s. */
int cluster_ready(struct cluster *c, struct err *e);
/* Until every partition has a leader and all its replicas in sync, at most 120 s. */
int cluster_in_sync(struct cluster *c, struct err *e);
void cluster_kill(struct cluster *c, int node); /* SIGKILL; fine when not running */
int cluster_stop(struct cluster *c,
		 int node); /* SIGTERM, SIGKILL after 60 s; status as in struct java */
bool cluster_alive(struct cluster *c, int node);
/* The broker that leads the partition now: its index; -1 when there is none. */
int cluster_leader(struct cluster *c, const char *topic, int partition, struct err *e);
int64_t cluster_cpu_us(struct cluster *c, int node); /* of all its lives */
int64_t cluster_peak_kib(struct cluster *c, int node);

/* Makes a topic by CLUSTER_PLAIN and waits until it is there. configs: name, value, ..., NULL. */
int kafka_topic(const char *servers, const char *name, int partitions, int replication,
		const char *const *configs, struct err *e);
/* $QIAO_KAFKA; without it a single broker that this process starts, once, and ends at its exit.
 * NULL: it could not be started. */
const char *kafka_shared(struct err *e);

/* Certificates in dir (made): ca.pem; broker.p12 for 127.0.0.1 and localhost, password CERT_PASSWORD.
 * By the openssl command. */
#define CERT_PASSWORD "broker-secret"
int certs_make(const char *dir, struct err *e);
/* <dir>/<name>.pem and <name>.key, mode 0600, signed by the authority in dir; CN is the name. */
int certs_client(const char *dir, const char *name, struct err *e);

struct apicurio {
	char dir[256], home[256];
	char url[64]; /* Confluent-compatible: http://127.0.0.1:1234/apis/ccompat/v7 */
	int port, held;
	struct java java;
};
/* Starts it with an empty book in dir (made, and removed at the end; NULL: a new one in TMPDIR), waits
 * until it answers, and sets the compatibility level BACKWARD. */
int apicurio_open(struct apicurio *a, const char *dir, struct err *e);
void apicurio_close(struct apicurio *a);
void apicurio_kill(struct apicurio *a);
int apicurio_stop(struct apicurio *a);
/* The same port, the same schemas and ids; waits until it answers. */
int apicurio_start(struct apicurio *a, struct err *e);
/* Stops it and starts it empty: ids begin at 1 again. */
int apicurio_forget(struct apicurio *a, struct err *e);
/* One request below the url ("/subjects"); body NULL: none. The HTTP status, body in *answer (with a
 * NUL behind it); -1: no whole answer. */
int apicurio_ask(const struct apicurio *a, const char *method, const char *path, const char *body,
		 struct buf *answer);

#endif
