/* WRAP: rd_kafka_produceva rd_kafka_message_status */
/* Two versions of a key of the statistics are on their way when the gateway dies, the broker, or the producer's handle: the topic,
 * compacted by the broker, ends at the newer one.
 *
 * The gateway is this program once more (live), with ledger, flow and bus as they are. It stops where it is told to: after so many
 * events were handed to librdkafka, of which it has seen so many reports; there it is killed or goes on. Reports can be taken for lost,
 * although the event is there, as when a connection ends between the two. */
#include "base/log.h"
#include "crypto/ids.h"
#include "flow/flow.h"
#include "tests/lib/kafka.h"
#include "tests/lib/kafka_client.h"
#include "tests/lib/unit.h"
#include <librdkafka/rdkafka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PARTITIONS = 2, /* of which each has a key of its own */
	EVENTS = 4,	/* of a story: A 1, B 1, commit, A 2, B 2, commit */
	NEWEST = 2,
	KEYS_MAX = 512,
	SAID_MAX = 16, /* records of a key */
	PATIENCE_MS = 120000,
	LOOK_MS = 5,
};

#define DONE(call)                              \
	do {                                    \
		if ((call) < 0)                 \
			fail_msg("%s", e.text); \
	} while (0)

/* What a life is to do, and how far. */
struct orders {
	int story; /* decides and publishes it; 0: publishes what an earlier life left, only */
	int stop;  /* when it has handed over so many events; 0: never */
	int seen;  /* the reports of so many, from the first, are there before the next is handed over */
	int lost;  /* the reports of so many, from the first, are taken for lost */
};

/* ---- the gateway, in a process of its own ---- */

static struct orders orders;
static int told_fd, go_fd, handed_over;

rd_kafka_error_t *__real_rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *vus, size_t count);
rd_kafka_error_t *__wrap_rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *vus, size_t count);
rd_kafka_msg_status_t __real_rd_kafka_message_status(const rd_kafka_message_t *m);
rd_kafka_msg_status_t __wrap_rd_kafka_message_status(const rd_kafka_message_t *m);

rd_kafka_error_t *__wrap_rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *vus, size_t count)
{
	rd_kafka_error_t *error = __real_rd_kafka_produceva(rk, vus, count);
	char word = '.';

	if (error)
		return error;
	handed_over++;
	if (handed_over <= orders.seen)
		rd_kafka_flush(rk, PATIENCE_MS);
	if (handed_over == orders.stop && (write(told_fd, &word, 1) != 1 || read(go_fd, &word, 1) != 1))
		_exit(EXIT_SAFE);
	return NULL;
}

/* By the number that kafka_write.c gives each message; once. */
rd_kafka_msg_status_t __wrap_rd_kafka_message_status(const rd_kafka_message_t *m)
{
	static bool lost[EVENTS + 1];
	intptr_t number = (intptr_t)m->_private;

	if (number < 1 || number > orders.lost || lost[number])
		return __real_rd_kafka_message_status(m);
	lost[number] = true;
	return RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
}

static void set_conf(struct conf *c, const char *dir, const char *servers)
{
	struct complaints why = {0};
	char ini[1200], cwd[300], file[400];

	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(file, sizeof file, "%s/qiao.ini", cwd);
	snprintf(ini, sizeof ini,
		 "[data]\ndir = %s\n[bus]\nkind = kafka\n[kafka]\nbrokers = %s\nsecurity = plaintext\n"
		 "partitions = %d\nreplication = 1\nmin_insync = 1\n"
		 "[reference]\npolicy = config/policy\ncalendar = config/calendar.csv\nvillages = config/villages.csv\n",
		 dir, servers, PARTITIONS);
	if (conf_parse(c, file, str_of(ini), &why) < 0)
		fail_msg("%s", why.at[0].text);
}

/* The key of a story in that partition. */
static void find_key(struct bus *b, int story, int partition, char village[13], char key[64])
{
	int n = story * 50;

	do {
		snprintf(village, 13, "33060300%04d", n++);
		snprintf(key, 64, "2026/%s/collective", village);
	} while (bus_partition_of(b, "statistics", str_of(key)) != partition);
}

static int decide(const struct flow_parts *p, int story, int partition, int version, struct err *e)
{
	char village[13], key[64];
	struct bus_event ev = {.type = STR("CollectionStatistics"), .time_ms = 1};
	struct buf body;
	int rc;

	find_key(p->bus, story, partition, village, key);
	struct collection_statistics s = {
		.year = 2026, .village = str_of(village), .sponsor_type = STR("collective"), .version = version, .as_of = 1};
	decision_id(&ev.id, str_of(key), &ev.trace, version);
	buf_init(&body, 1 << 16);
	rc = codec_encode(p->codec, EV_COLLECTION_STATISTICS, &s, &body, e);
	ev.key = str_of(key);
	ev.data = (struct str){(const char *)body.data, body.len};
	rc = rc ? rc : outbox_add(p->ledger, (int)(topic_find(STR("statistics")) - topics), &ev, e);
	buf_fini(&body);
	return rc;
}

static int tell_story(const struct flow_parts *p, int story, struct err *e)
{
	for (int version = 1; version <= NEWEST; version++) {
		if (ledger_begin(p->ledger, e) < 0)
			return -1;
		for (int partition = 0; partition < PARTITIONS; partition++)
			if (decide(p, story, partition, version, e) < 0)
				return -1;
		if (ledger_commit(p->ledger, e) < 0)
			return -1;
	}
	return outbox_publish(p->ledger, p->bus, NULL, e);
}

static bool go_on_waiting(void *arg)
{
	(void)arg;
	return true;
}

/* As gateway/main.c: what the outbox holds goes out in flow_open, as far as the topics do not have it. */
static int live(const char *dir, const char *servers)
{
	static struct complaints why;
	static struct conf conf;
	struct bus_options o = {.role = "gateway", .conf = &conf, .waiting = go_on_waiting};
	struct reference *reference = NULL;
	struct ledger *l = NULL;
	struct codec *codec = NULL;
	struct flow *flow = NULL;
	struct bus *b = NULL;
	struct clock clock;
	struct err e = {0};
	char path[400];
	int rc = -1;

	set_conf(&conf, dir, servers);
	snprintf(path, sizeof path, "%s/ledger.db", dir);
	log_open("life", NULL, getenv("QIAO_TEST_LOG") ? LOG_DEBUG : LOG_ERROR, &e);
	if (clock_init(&clock, "", &e) < 0 || reference_load(&reference, &conf, &why) < 0 || codec_open(&codec, NULL, &e) < 0 ||
	    bus_open(&b, &o, &e) < 0 || ledger_open(&l, path, 1024, 1, NULL, &e) < 0)
		goto out;
	bus_set_ledger(b, ledger_mark(l));
	struct flow_parts parts = {&conf, &clock, reference, b, l, codec, NULL};
	if (flow_open(&flow, &parts, &e) < 0)
		goto out;
	rc = orders.story ? tell_story(&parts, orders.story, &e) : 0;
out:
	if (rc < 0)
		fprintf(stderr, "life: %s %s\n", e.text, why.count ? why.at[0].text : "");
	flow_close(flow);
	bus_close(b);
	ledger_close(l);
	codec_close(codec);
	reference_free(reference);
	return rc < 0 ? err_exit(&e) : EXIT_YES;
}

/* ---- who starts, stops and kills it ---- */

static struct cluster cluster;
static struct tmpdir dir;
static char servers[CLUSTER_SERVERS], self[300];
static struct codec *codec;
static int stories; /* told so far */

struct life {
	pid_t pid;
	int told_fd, go_fd;
};

static void life_begin(struct life *l, struct orders o)
{
	int told[2], go[2];
	char text[100];
	pid_t parent = getpid();

	assert_int_equal(pipe(told) | pipe(go), 0);
	snprintf(text, sizeof text, "%d %d %d %d %d %d", o.story, o.stop, o.seen, o.lost, told[1], go[0]);
	l->pid = fork();
	if (l->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(told[0]);
		close(go[1]);
		if (getppid() == parent)
			execl(self, self, "live", dir.path, servers, text, NULL);
		_exit(97);
	}
	assert_true(l->pid > 0);
	close(told[1]);
	close(go[0]);
	l->told_fd = told[0];
	l->go_fd = go[1];
}

/* Its exit status, or -signal. */
static int life_end(struct life *l)
{
	int status;

	assert_int_equal(waitpid(l->pid, &status, 0), l->pid);
	close(l->told_fd);
	close(l->go_fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void life_kill(struct life *l)
{
	assert_int_equal(kill(l->pid, SIGKILL), 0);
	assert_int_equal(life_end(l), -SIGKILL);
}

static void life_go_on(struct life *l)
{
	assert_int_equal(write(l->go_fd, ".", 1), 1);
}

static int64_t on_topic(void)
{
	int64_t ends[PARTITIONS], sum = 0;
	struct err e = {0};

	assert_int_equal(kafka_ends(servers, "statistics", ends, PARTITIONS, &e), PARTITIONS);
	for (int i = 0; i < PARTITIONS; i++)
		sum += ends[i];
	return sum;
}

/* Until it stops as it was told to, and the broker has what it handed over. */
static void life_stops(struct life *l, int64_t events)
{
	struct pollfd p = {.fd = l->told_fd, .events = POLLIN};
	int64_t until = clock_monotonic() + PATIENCE_MS;
	char word;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	if (read(l->told_fd, &word, 1) != 1)
		fail_msg("ended with %d before it stopped", life_end(l));
	while (on_topic() < events) {
		assert_true(clock_monotonic() < until);
		poll(NULL, 0, LOOK_MS);
	}
}

static void live_to_the_end(int story)
{
	struct life l;

	life_begin(&l, (struct orders){.story = story});
	assert_int_equal(life_end(&l), EXIT_YES);
}

/* ---- what a consumer finds ---- */

struct said {
	char key[64];
	int count, version[SAID_MAX];
};
static struct said said[KEYS_MAX];
static int keys, records;

static void take(const rd_kafka_message_t *m)
{
	struct collection_statistics ev;
	struct said *s = said;
	struct err e = {0};

	records++;
	while (s < said + keys && (strlen(s->key) != m->key_len || memcmp(s->key, m->key, m->key_len) != 0))
		s++;
	if (s == said + keys) {
		assert_true(keys++ < KEYS_MAX && m->key_len < sizeof s->key);
		*s = (struct said){.count = 0};
		memcpy(s->key, m->key, m->key_len);
	}
	DONE(codec_decode(codec, EV_COLLECTION_STATISTICS, (struct str){m->payload, m->len}, &ev, &e));
	assert_true(s->count < SAID_MAX);
	s->version[s->count++] = (int)ev.version;
}

/* From the beginning, as any client does it. */
static void consume(void)
{
	static const char *const settings[][2] = {{"group.id", "anybody"}, {"enable.auto.commit", "false"},
						  {"enable.partition.eof", "true"}, {"log_level", "0"}, {"fetch.wait.max.ms", "20"}};
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int64_t until = clock_monotonic() + PATIENCE_MS;
	char why[200];
	rd_kafka_t *rk;
	int ends = 0;

	keys = records = 0;
	rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
	for (size_t i = 0; i < COUNT(settings); i++)
		rd_kafka_conf_set(conf, settings[i][0], settings[i][1], NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	assert_non_null(rk);
	for (int i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(list, "statistics", i)->offset = RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(rk, list), 0);
	while (ends < PARTITIONS && clock_monotonic() < until) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);

		ends += m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		if (m && !m->err)
			take(m);
		if (m)
			rd_kafka_message_destroy(m);
	}
	assert_int_equal(ends, PARTITIONS);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
}

/* Each key that was told of is there and ends at the newer version. */
static void expect_newest(const char *when)
{
	consume();
	if (keys != stories * PARTITIONS)
		fail_msg("%s: %d keys of %d", when, keys, stories * PARTITIONS);
	for (int i = 0; i < keys; i++)
		if (said[i].version[said[i].count - 1] != NEWEST)
			fail_msg("%s: %s ends at version %d after %d records", when, said[i].key,
				 said[i].version[said[i].count - 1], said[i].count);
}

static const char *case_of(char out[80], const struct orders *o)
{
	snprintf(out, 80, "story %d: %d events handed over, %d reports seen, %d lost", o->story, o->stop, o->seen, o->lost);
	return out;
}

static void told_so_far(int64_t *records_before, struct orders *o)
{
	o->story = ++stories;
	*records_before = on_topic();
}

/* ---- tests ---- */

/* At every place: nothing of it is sent twice, since the topic says what is there. */
static void the_program_dies(void **state)
{
	char what[80];
	int64_t before;

	(void)state;
	for (int stop = 1; stop <= EVENTS; stop++)
		for (int seen = 0; seen <= stop; seen++) {
			struct orders o = {.stop = stop, .seen = seen};
			struct life l;

			told_so_far(&before, &o);
			life_begin(&l, o);
			life_stops(&l, before + stop);
			life_kill(&l);
			live_to_the_end(0);
			expect_newest(case_of(what, &o));
			assert_int_equal(on_topic(), before + EVENTS);
		}
}

/* Those that come after it die, too, each one event further on. */
static void every_restart_dies(void **state)
{
	struct orders o = {.stop = 1, .seen = 1};
	char what[80];
	int64_t before;
	struct life l;

	(void)state;
	told_so_far(&before, &o);
	for (int i = 1; i <= EVENTS; i++) {
		life_begin(&l, o);
		life_stops(&l, before + i);
		life_kill(&l);
		o.story = 0;
		o.seen = !o.seen;
	}
	live_to_the_end(0);
	expect_newest(case_of(what, &o));
	assert_int_equal(on_topic(), before + EVENTS);
}

/* Suspended between two pieces of the outbox, it lost its lock: the other one says what is missing, and it says no more itself. */
static void the_program_wakes_up_too_late(void **state)
{
	struct orders o = {.stop = EVENTS / NEWEST, .seen = EVENTS / NEWEST};
	char what[80];
	int64_t before;
	struct life l;

	(void)state;
	told_so_far(&before, &o);
	life_begin(&l, o);
	life_stops(&l, before + o.stop);
	live_to_the_end(0);
	assert_int_equal(on_topic(), before + EVENTS);
	life_go_on(&l);
	assert_int_equal(life_end(&l), EXIT_SAFE);
	expect_newest(case_of(what, &o));
	assert_int_equal(on_topic(), before + EVENTS);
}

/* A new handle sends again what has no report, in order, and the older version never comes to lie behind the newer one for good: not
 * where the program dies while it sends again, and not where only the report of the older one was lost. */
static void the_handle_dies(void **state)
{
	char what[80];
	int64_t before;

	(void)state;
	for (int lost = 1; lost <= EVENTS; lost++)
		for (int stop = EVENTS; stop < EVENTS + lost; stop++) {
			struct orders o = {.lost = lost, .stop = stop == EVENTS ? 0 : stop};
			struct life l;

			/* Who lost but some of the reports need not send all of them again. */
			if (o.stop && lost < EVENTS)
				continue;
			told_so_far(&before, &o);
			life_begin(&l, o);
			if (o.stop) {
				life_stops(&l, before + stop);
				life_kill(&l);
				live_to_the_end(0);
			} else {
				assert_int_equal(life_end(&l), EXIT_YES);
			}
			expect_newest(case_of(what, &o));
			assert_true(lost < EVENTS || on_topic() > before + EVENTS); /* it did send again */
		}
}

/* The program goes on when the broker is back, or dies as well; with the handle that it had, or a new one. */
static void the_broker_dies(void **state)
{
	static const struct {
		struct orders orders;
		bool program_too;
	} cases[] = {
		{{.stop = 2, .seen = 2}, false},
		{{.stop = 3, .seen = 2}, false},
		{{.stop = 4, .lost = 4}, false},
		{{.stop = 3, .seen = 2}, true},
	};
	char what[80];
	int64_t before;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct orders o = cases[i].orders;
		struct life l;

		told_so_far(&before, &o);
		life_begin(&l, o);
		life_stops(&l, before + o.stop);
		cluster_kill(&cluster, 0);
		if (cases[i].program_too)
			life_kill(&l);
		else
			life_go_on(&l);
		DONE(cluster_start(&cluster, 0, &e));
		DONE(cluster_ready(&cluster, &e));
		if (!cases[i].program_too)
			assert_int_equal(life_end(&l), EXIT_YES);
		live_to_the_end(0);
		expect_newest(case_of(what, &o));
	}
}

/* Of all the stories before nothing is left but the newer versions. Each look tells one more, for the newest segment is left alone. */
static void the_broker_compacts(void **state)
{
	int64_t until = clock_monotonic() + PATIENCE_MS;
	struct bus_options o = {.role = "ssa"};
	struct bus_record last;
	struct err e = {0};
	static struct conf conf;
	struct bus *b;
	int before = stories, left = INT32_MAX;

	(void)state;
	for (; left > 0; poll(NULL, 0, LOOK_MS)) {
		assert_true(clock_monotonic() < until);
		live_to_the_end(++stories);
		expect_newest("while the broker compacts");
		left = 0;
		for (int i = 0; i < keys; i++)
			left += strtol(said[i].key + strlen("2026/33060300"), NULL, 10) < (before + 1) * 50 && said[i].count > 1;
	}
	live_to_the_end(0); /* its marks fit what is left */
	set_conf(&conf, dir.path, servers);
	o.conf = &conf;
	DONE(bus_open(&b, &o, &e));
	for (int i = 0; i < keys; i++) {
		struct collection_statistics ev;

		assert_int_equal(bus_last_of(b, "statistics", str_of(said[i].key), &last, &e), 1);
		DONE(codec_decode(codec, EV_COLLECTION_STATISTICS, last.event.data, &ev, &e));
		assert_int_equal(ev.version, NEWEST);
	}
	bus_close(b);
}

static int start(void **state)
{
	static const char *const compacted[] = {"cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio", "0.001",
						"max.compaction.lag.ms", "100", NULL};
	static struct conf conf;
	int partitions[OUTBOX_TOPICS];
	struct bus_options o = {.role = "gateway", .conf = &conf};
	struct err e = {0};
	char path[320];

	(void)state;
	tmpdir_make(&dir);
	DONE(codec_open(&codec, NULL, &e));
	DONE(cluster_open(&cluster, &(struct cluster_options){.nodes = 1}, &e));
	cluster_servers(&cluster, CLUSTER_PLAIN, servers);
	DONE(kafka_topic(servers, "statistics", PARTITIONS, 1, compacted, &e));
	set_conf(&conf, dir.path, servers);
	DONE(bus_init(&o, &e));
	DONE(bus_layout(&o, partitions, &e));
	DONE(ledger_init(tmpdir_file(&dir, path, "ledger.db"), partitions, &e));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	cluster_close(&cluster);
	codec_close(codec);
	tmpdir_remove(&dir);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_program_dies),
		cmocka_unit_test(every_restart_dies),
		cmocka_unit_test(the_program_wakes_up_too_late),
		cmocka_unit_test(the_handle_dies),
		cmocka_unit_test(the_broker_dies),
		cmocka_unit_test(the_broker_compacts),
	};
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	signal(SIGPIPE, SIG_IGN);
	if (n < 0)
		return EXIT_SAFE;
	if (argc == 5 && strcmp(argv[1], "live") == 0 &&
	    sscanf(argv[4], "%d %d %d %d %d %d", &orders.story, &orders.stop, &orders.seen, &orders.lost, &told_fd, &go_fd) == 6)
		return live(argv[2], argv[3]);
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, start, stop);
}
