/* bench_kafka ROWS [ROUNDS]: intake on a real broker, which QIAO_KAFKA names (kafka_run -s), beside two others that send the same rows
 * to the same topic in the same run.
 *
 *   intake   qiao-village alone: one roster with all rows is put into place; the clock runs until the partition ends behind its last
 *            event, that is until every row is checked, sealed, encoded and acknowledged by the broker.
 *   bare     a loop around rd_kafka_produceva, with the properties of the village's own producer, that sends what the village sent:
 *            the same keys, headers and bytes, from memory.
 *   python   what a user would write (peer.py): csv, the same checks, fastavro, confluent-kafka. It seals nothing.
 *
 * Each is measured ROUNDS (3) times in turn on a broker that is warm; figures are medians, a line a figure on stdout. The broker's CPU
 * is that of the process QIAO_KAFKA_PID. */
#include "base/clock.h"
#include "base/str.h"
#include "tests/lib/load.h"
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEED = 2026, ROUNDS_MAX = 9, WARM_EVENTS = 200000, WARM_BYTES = 300, LOOK_MS = 5, PATIENCE_MS = 120000, ASK_MS = 10000, PIECE = 4096 };
enum measured { INTAKE, BARE, PYTHON, MEASURED };

struct sent { /* what the village sent */
	rd_kafka_message_t **at;
	int64_t count, cap;
};
struct bench {
	int64_t rows;
	struct world world;
	char topic[80];
	int partition;
	rd_kafka_t *asker;
	struct sent sent;
	double rate[MEASURED][ROUNDS_MAX], cpu_us[MEASURED][ROUNDS_MAX], broker_us[MEASURED][ROUNDS_MAX];
};

static const struct setting settings[] = {
	{"village", "poll", "20ms"}, {"village", "file_bytes_max", "1GiB"}, {"village", "rows_max", "10000000"}, {NULL, NULL, NULL},
};
/* gateway/bus/kafka_conf.c: the village's producer. */
static const char *const producer[][2] = {
	{"enable.idempotence", "true"},	 {"acks", "all"},		     {"linger.ms", "5"},
	{"compression.type", "lz4"},	 {"batch.num.messages", "2000"},     {"queue.buffering.max.messages", "5000"},
	{"queue.buffering.max.kbytes", "8192"}, {"message.max.bytes", "5242880"}, {NULL, NULL},
};
static const char *const reader[][2] = {{"enable.partition.eof", "true"}, {"fetch.wait.max.ms", "20"}, {NULL, NULL}};

static rd_kafka_t *client(rd_kafka_type_t type, const char *const (*properties)[2], void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *),
			  void *arg, struct err *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", getenv("QIAO_KAFKA"), NULL, 0);
	for (int i = 0; properties && properties[i][0]; i++)
		if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], why, sizeof why) != RD_KAFKA_CONF_OK) {
			err_set(e, ERR_CONF, "%s", why);
			rd_kafka_conf_destroy(conf);
			return NULL;
		}
	rd_kafka_conf_set_opaque(conf, arg);
	if (report)
		rd_kafka_conf_set_dr_msg_cb(conf, report);
	rk = rd_kafka_new(type, conf, why, sizeof why);
	if (rk == NULL) {
		err_set(e, ERR_CONF, "%s", why);
		rd_kafka_conf_destroy(conf);
	}
	return rk;
}

/* ---- clocks ---- */

struct clocks {
	int64_t wall_ms, cpu_us, broker_us;
};

static struct clocks clocks_now(int64_t cpu_us)
{
	const char *broker = getenv("QIAO_KAFKA_PID");

	return (struct clocks){clock_monotonic(), cpu_us, broker ? process_cpu_us((pid_t)strtol(broker, NULL, 10)) : 0};
}

static void keep(struct bench *b, enum measured what, int round, struct clocks from, struct clocks to)
{
	double rows = (double)b->rows, ms = (double)(to.wall_ms - from.wall_ms);

	b->rate[what][round] = rows * 1000 / (ms > 0 ? ms : 1);
	b->cpu_us[what][round] = (double)(to.cpu_us - from.cpu_us) / rows;
	b->broker_us[what][round] = (double)(to.broker_us - from.broker_us) / rows;
	fprintf(stderr, "bench_kafka: round %d: %s %.0f rows/s\n", round + 1, (const char *[]){"intake", "bare", "python"}[what], b->rate[what][round]);
}

/* ---- intake ---- */

/* The partition that has anything: one roster is one key. -1 none. */
static int64_t end_of_topic(struct bench *b, struct err *e)
{
	int64_t low, high;

	for (int p = 0; p < 3; p++) {
		if (rd_kafka_query_watermark_offsets(b->asker, b->topic, p, &low, &high, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
			return err_set(e, ERR_TEMP, "topic %s: its end cannot be asked for", b->topic);
		if (high > 0) {
			b->partition = p;
			return high;
		}
	}
	return 0;
}

/* Opened, rows, closed. */
static int await_rows(struct bench *b, struct err *e)
{
	int64_t until = clock_monotonic() + PATIENCE_MS + b->rows, end;

	while ((end = end_of_topic(b, e)) < b->rows + 2) {
		if (end < 0)
			return -1;
		if (clock_monotonic() > until || !world_alive(&b->world, VILLAGE))
			return err_set(e, ERR_TEMP, "only %" PRId64 " events of %" PRId64, end, b->rows + 2);
		poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

static int intake(struct bench *b, int round, struct err *e)
{
	const struct load load = {SEED, b->rows, b->rows, false};
	struct world *w = &b->world;
	struct clocks began;

	if (world_found(w, e) < 0)
		return -1;
	snprintf(b->topic, sizeof b->topic, "%ssubmissions", w->bus.prefix);
	world_stop(w, SIM_TAX);
	world_stop(w, SIM_SSA);
	if (load_write(&load, w, NULL, NULL, e) < 0 || world_start(w, VILLAGE, e) < 0)
		return -1;
	began = clocks_now(world_cpu_us(w, VILLAGE));
	if (load_drop(&load, w, e) < 0 || await_rows(b, e) < 0)
		return -1;
	keep(b, INTAKE, round, began, clocks_now(world_cpu_us(w, VILLAGE)));
	return world_stop(w, VILLAGE) == 0 ? 0 : err_set(e, ERR_TEMP, "qiao-village does not end well");
}

/* ---- bare ---- */

static void forget(struct sent *s)
{
	for (int64_t i = 0; i < s->count; i++)
		rd_kafka_message_destroy(s->at[i]);
	free(s->at);
	*s = (struct sent){0};
}

/* Everything that lies in the partition. */
static int fetch(struct bench *b, rd_kafka_t *rk, struct err *e)
{
	rd_kafka_topic_t *t = rd_kafka_topic_new(rk, b->topic, NULL);
	struct sent *s = &b->sent;
	int rc = 0;

	s->cap = b->rows + 2;
	s->at = calloc((size_t)s->cap, sizeof(rd_kafka_message_t *));
	if (!s->at || rd_kafka_consume_start(t, b->partition, RD_KAFKA_OFFSET_BEGINNING) < 0)
		rc = err_set(e, ERR_TEMP, "topic %s: cannot be read", b->topic);
	while (rc == 0 && s->count < s->cap) {
		rd_kafka_message_t *m = rd_kafka_consume(t, b->partition, ASK_MS);

		if (m && !m->err) {
			s->at[s->count++] = m;
			continue;
		}
		rc = err_set(e, ERR_TEMP, "topic %s: %" PRId64 " events are there", b->topic, s->count);
		if (m)
			rd_kafka_message_destroy(m);
	}
	rd_kafka_consume_stop(t, b->partition);
	rd_kafka_topic_destroy(t);
	return rc;
}

struct reports {
	int64_t good, bad;
};
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct reports *r = arg;

	(void)rk;
	if (m->err)
		r->bad++;
	else
		r->good++;
}

static int64_t own_cpu_us(void)
{
	return process_cpu_us(getpid());
}

/* h: borrowed, or NULL. */
static int send_one(rd_kafka_t *rk, rd_kafka_topic_t *t, int partition, const rd_kafka_message_t *m, const rd_kafka_headers_t *h)
{
	rd_kafka_resp_err_t err;
	rd_kafka_error_t *error;

	for (;;) {
		rd_kafka_vu_t vus[] = {
			{.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = t},
			{.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
			{.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
			{.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {m->key, m->key_len}},
			{.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {m->payload, m->len}},
			{.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = h ? rd_kafka_headers_copy(h) : NULL},
		};

		error = rd_kafka_produceva(rk, vus, h ? 6 : 5);
		if (error == NULL)
			return 0;
		err = rd_kafka_error_code(error);
		rd_kafka_error_destroy(error);
		if (h)
			rd_kafka_headers_destroy(vus[5].u.headers);
		if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return -1;
		rd_kafka_poll(rk, LOOK_MS);
	}
}

static int bare(struct bench *b, int round, struct err *e)
{
	struct reports reports = {0};
	rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, producer, on_report, &reports, e), *in;
	struct clocks began;
	rd_kafka_topic_t *t;
	int rc;

	if (rk == NULL || (in = client(RD_KAFKA_CONSUMER, reader, NULL, NULL, e)) == NULL)
		return -1;
	rc = fetch(b, in, e);
	t = rd_kafka_topic_new(rk, b->topic, NULL);
	began = clocks_now(own_cpu_us());
	for (int64_t i = 0; rc == 0 && i < b->sent.count; i++) {
		rd_kafka_headers_t *h = NULL;

		rd_kafka_message_headers(b->sent.at[i], &h);
		if (send_one(rk, t, b->partition, b->sent.at[i], h) < 0)
			rc = err_set(e, ERR_TEMP, "topic %s: cannot be written", b->topic);
		if (i % PIECE == 0)
			rd_kafka_poll(rk, 0);
	}
	while (rc == 0 && reports.good + reports.bad < b->sent.count)
		rd_kafka_flush(rk, ASK_MS);
	if (rc == 0)
		keep(b, BARE, round, began, clocks_now(own_cpu_us()));
	if (rc == 0 && reports.bad)
		rc = err_set(e, ERR_TEMP, "topic %s: %" PRId64 " events did not arrive", b->topic, reports.bad);
	rd_kafka_topic_destroy(t);
	rd_kafka_destroy(rk);
	forget(&b->sent);
	rd_kafka_destroy(in);
	return rc;
}

/* Javas compile what runs often; the first figures would be those of the compiler. */
static int warm_up(struct bench *b, struct err *e)
{
	struct reports reports = {0};
	rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, producer, on_report, &reports, e);
	static char bytes[WARM_BYTES];
	rd_kafka_topic_t *t;
	rd_kafka_message_t m = {.payload = bytes, .len = sizeof bytes, .key = bytes, .key_len = 16};

	if (rk == NULL)
		return -1;
	t = rd_kafka_topic_new(rk, b->topic, NULL);
	for (int i = 0; i < WARM_EVENTS; i++) {
		memcpy(bytes, &i, sizeof i);
		if (send_one(rk, t, i % 3, &m, NULL) < 0)
			return err_set(e, ERR_TEMP, "topic %s: cannot be written", b->topic);
		if (i % PIECE == 0)
			rd_kafka_poll(rk, 0);
	}
	while (reports.good + reports.bad < WARM_EVENTS)
		rd_kafka_flush(rk, ASK_MS);
	rd_kafka_topic_destroy(t);
	rd_kafka_destroy(rk);
	return 0;
}

/* ---- python ---- */

static int python(struct bench *b, int round, struct err *e)
{
	const char *program = getenv("QIAO_PYTHON");
	char script[512], roster[512], schemas[512], partition[12], line[200] = "";
	struct clocks began = clocks_now(0), ended;
	int status, ends[2];
	double seconds, cpu;
	int64_t rows;
	pid_t pid;
	FILE *said;

	snprintf(script, sizeof script, "%s/tests/bench/peer.py", b->world.root);
	snprintf(schemas, sizeof schemas, "%s/schemas", b->world.root);
	snprintf(roster, sizeof roster, "%s/peer.csv", b->world.dir);
	snprintf(partition, sizeof partition, "%d", b->partition);
	if (pipe(ends) < 0 || (pid = fork()) < 0)
		return err_set(e, ERR_TEMP, "no pipe, or no process");
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execl(program ? program : "/usr/bin/python3", program ? program : "python3", script, getenv("QIAO_KAFKA"), b->topic, partition, roster, schemas, NULL);
		_exit(127);
	}
	close(ends[1]);
	said = fdopen(ends[0], "r");
	while (said && fgets(line, sizeof line, said))
		;
	fclose(said);
	ended = clocks_now(0);
	if (waitpid(pid, &status, 0) != pid || status != 0 || sscanf(line, "%" SCNd64 " %lf %lf", &rows, &seconds, &cpu) != 3 || rows != b->rows)
		return err_set(e, ERR_TEMP, "peer.py: status %d: %s", status, line);
	/* Its own clock: starting an interpreter is not what is compared. */
	ended.wall_ms = began.wall_ms + (int64_t)(seconds * 1000);
	ended.cpu_us = (int64_t)(cpu * 1e6);
	keep(b, PYTHON, round, began, ended);
	return 0;
}

/* ---- all ---- */

static int round_of(struct bench *b, int round, struct err *e)
{
	struct world_options o = {.day = "2026-12-24", .settings = settings};
	char from[512], to[512];
	int rc = world_open(&b->world, &o, e) < 0 ? -1 : intake(b, round, e);

	/* The roster once more, for the peer: what the village took it has moved away. */
	if (rc == 0) {
		const struct load load = {SEED, b->rows, b->rows, false};

		rc = load_write(&load, &b->world, NULL, NULL, e);
		world_path(&b->world, from, "next/0.csv");
		world_path(&b->world, to, "peer.csv");
		if (rc == 0 && rename(from, to) < 0)
			rc = err_set(e, ERR_TEMP, "%s", to);
	}
	if (rc == 0)
		rc = bare(b, round, e) < 0 || python(b, round, e) < 0 ? -1 : 0;
	world_close(&b->world);
	return rc;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *of, int count)
{
	qsort(of, (size_t)count, sizeof *of, by_size);
	return of[count / 2];
}

static void tell(struct bench *b, int rounds)
{
	static const char *const names[] = {"intake", "bare_client", "python"};
	double rate[MEASURED];

	for (int i = 0; i < MEASURED; i++) {
		rate[i] = median(b->rate[i], rounds);
		printf("FIGURE kafka_%s_rows_per_s %.2f rows/s\n", names[i], rate[i]);
		printf("FIGURE kafka_%s_cpu_us_per_row %.2f us\n", names[i], median(b->cpu_us[i], rounds));
		printf("FIGURE kafka_%s_broker_cpu_us_per_row %.2f us\n", names[i], median(b->broker_us[i], rounds));
	}
	printf("FIGURE kafka_intake_ratio_to_bare_client %.2f ratio\n", rate[INTAKE] / rate[BARE]);
	printf("FIGURE kafka_intake_ratio_to_python %.2f ratio\n", rate[INTAKE] / rate[PYTHON]);
}

int main(int argc, char **argv)
{
	static struct bench b;
	int64_t rounds = 3;
	struct err e = {0};
	int rc;

	if (argc < 2 || argc > 3 || str_int(str_of(argv[1]), 1, 10000000, &b.rows) < 0 ||
	    (argc > 2 && str_int(str_of(argv[2]), 1, ROUNDS_MAX, &rounds) < 0) || getenv("QIAO_KAFKA") == NULL) {
		fprintf(stderr, "usage: kafka_run -s -- bench_kafka ROWS [ROUNDS]\n");
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("BUS", "kafka", 1);
	b.asker = client(RD_KAFKA_PRODUCER, NULL, NULL, NULL, &e);
	rc = b.asker ? 0 : -1;
	for (int i = -1; rc == 0 && i < (int)rounds; i++) {
		if (i < 0) { /* a world whose topics are written to for nothing */
			rc = world_open(&b.world, &(struct world_options){.day = "2026-12-24", .settings = settings}, &e) < 0 ? -1 : world_found(&b.world, &e);
			snprintf(b.topic, sizeof b.topic, "%ssubmissions", b.world.bus.prefix);
			rc = rc == 0 ? warm_up(&b, &e) : rc;
			world_close(&b.world);
		} else {
			rc = round_of(&b, i, &e);
		}
	}
	if (b.asker)
		rd_kafka_destroy(b.asker);
	if (rc < 0) {
		fprintf(stderr, "bench_kafka: %s\n", e.text);
		return err_exit(&e);
	}
	tell(&b, (int)rounds);
	return EXIT_YES;
}
