/* A broker behind a network that fails: every connection of the programs goes through a proxy that delays, cuts, resets, and leaves
 * connections half open, both ways or one way, each several times in an order of chance, while the story is lived to its end. Some
 * faults outlast the brokers' patience with a member and the programs' patience with an answer. At the end every row has its one
 * final answer, the agencies' own books say what the ledger and the topics say, and nothing was paid twice.
 *
 * The test itself reads by a listener that the proxy does not stand before. The seed is printed; QIAO_SEED repeats the order. */
#include "base/clock.h"
#include "tests/lib/kafka.h"
#include "tests/lib/people.h"
#include "tests/lib/proxy.h"
#include "tests/lib/recount.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* LONG_MS: longer than session.timeout.ms, which is 10 s, and than SOCKET_TIMEOUT. */
enum { DELAY_MS = 200, LONG_MS = 12000, PASS_MS = 600, PATIENCE_MS = 120000, FAULTS = 11, LATE = 2 };
#define SOCKET_TIMEOUT "6000"

struct fault {
	const char *name;
	enum proxy_mode mode; /* PROXY_PASS: the connections are reset, once */
	int ms;
};
static const struct fault kinds_of_fault[FAULTS] = {
	{"delay", PROXY_DELAY, 4000},	  {"delay", PROXY_DELAY, 2500},	      {"cut", PROXY_CUT, 800},	     {"cut", PROXY_CUT, 3000},
	{"half open", PROXY_SWALLOW, 1500}, {"half open", PROXY_SWALLOW, LONG_MS}, {"deaf", PROXY_DEAF, 1500}, {"deaf", PROXY_DEAF, LONG_MS},
	{"reset", PROXY_PASS, 0},	  {"reset", PROXY_PASS, 0},	      {"reset", PROXY_PASS, 0},
};

struct network {
	struct proxy proxy;
	struct cluster cluster;
	uint64_t chance;
	int order[FAULTS];
	int done, allowed;	   /* faults */
	int64_t began_ms, next_ms; /* monotonic; next: a fault ends, or begins */
	bool faulty;
	char said[400]; /* the faults in their order */
};
static const enum part four[] = {TAX, GATEWAY, SSA, VILLAGE};

/* ---- the network ---- */

static void shuffle(struct network *n)
{
	for (int i = 0; i < FAULTS; i++) {
		int j = (int)chance_below(&n->chance, (uint32_t)i + 1);

		n->order[i] = n->order[j];
		n->order[j] = i;
	}
}

static void begin_fault(struct network *n, int64_t now)
{
	const struct fault *f = &kinds_of_fault[n->order[n->done]];
	size_t at = strlen(n->said);

	snprintf(n->said + at, sizeof n->said - at, " %s %d ms,", f->name, f->ms);
	if (f->mode == PROXY_PASS)
		proxy_reset(&n->proxy);
	else
		proxy_set(&n->proxy, f->mode, DELAY_MS);
	n->faulty = true;
	n->next_ms = now + f->ms;
}

static void misbehave(struct network *n)
{
	int64_t now = clock_monotonic();

	if (now < n->next_ms)
		return;
	if (n->faulty) {
		proxy_set(&n->proxy, PROXY_PASS, 0);
		n->faulty = false;
		n->done++;
		n->next_ms = now + 100 + chance_below(&n->chance, PASS_MS);
	} else if (n->done < n->allowed) {
		begin_fault(n, now);
	}
}

static int network_open(struct network *n, struct err *e)
{
	const char *seed = getenv("QIAO_SEED");
	struct cluster_options options = {.nodes = 1};
	char servers[CLUSTER_SERVERS];

	memset(n, 0, sizeof *n);
	n->began_ms = clock_monotonic();
	n->chance = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) & 0xFFFFFF;
	printf("QIAO_SEED=%" PRIu64 "\n", n->chance);
	shuffle(n);
	if (proxy_start(&n->proxy, 0, e) < 0)
		return -1;
	options.proxy_port = n->proxy.port;
	if (cluster_open(&n->cluster, &options, e) < 0)
		return -1;
	proxy_target(&n->proxy, n->cluster.node[0].port[CLUSTER_PLAIN]);
	setenv("BUS", "kafka", 1);
	unsetenv("QIAO_KAFKA_BROKERS");
	setenv("QIAO_KAFKA", cluster_servers(&n->cluster, CLUSTER_ASIDE, servers), 1);
	snprintf(servers, sizeof servers, "127.0.0.1:%d", n->proxy.port);
	setenv("QIAO_KAFKA_PROGRAMS", servers, 1);
	return 0;
}

static void tell(const struct network *n)
{
	if (n->proxy.pid > 0)
		printf("%d faults:%s %ld connections, %" PRId64 " s\n", n->done, n->said, proxy_connections(&n->proxy),
		       (clock_monotonic() - n->began_ms) / 1000);
}

static void network_close(struct network *n)
{
	proxy_stop(&n->proxy);
	cluster_close(&n->cluster);
}

/* ---- the story ---- */

/* A program may give up for a while (3), as its supervisor would see it. */
static int look_after(struct world *w, struct err *e)
{
	for (size_t i = 0; i < COUNT(four); i++) {
		if (w->parts[four[i]].pid == 0 || world_alive(w, four[i]))
			continue;
		if (w->parts[four[i]].status != EXIT_LATER)
			return err_set(e, ERR_PERM, "%s ended by itself with %d", part_name(four[i]), w->parts[four[i]].status);
		if (world_spawn(w, four[i], e) < 0)
			return -1;
	}
	return 0;
}

static int meanwhile(struct tale *t, struct err *e)
{
	misbehave(t->arg);
	return look_after(&t->world, e);
}

static int all_passed(void *arg, struct err *e)
{
	struct tale *t = arg;
	const struct network *n = t->arg;

	return meanwhile(t, e) < 0 ? -1 : n->done == n->allowed;
}

static int live(struct tale *t, struct network *n, struct err *e)
{
	if (world_start_four(&t->world, e) < 0)
		return -1;
	for (int wave = 1; wave < STORY_WAVES; wave++) {
		n->allowed = wave * (FAULTS - LATE) / (STORY_WAVES - 1);
		if (tale_hand_in(t, wave, e) < 0)
			return -1;
	}
	if (world_wait(PATIENCE_MS, all_passed, t, e) < 0 || tale_await(t, outcomes_quiet, "nothing on its way", e) < 0)
		return -1;
	n->allowed = FAULTS;
	return tale_end_year(t, e) < 0 ? -1 : world_wait(PATIENCE_MS, all_passed, t, e);
}

static int stop_and_check(struct tale *t, struct err *e)
{
	if (tale_check(t, stdout) != 0)
		return err_set(e, ERR_PERM, "what was told and what happened differ");
	for (size_t i = 0; i < COUNT(four); i++)
		if (world_ready(&t->world, four[i], e) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(four); i++)
		if (world_stop(&t->world, four[i]) != EXIT_YES)
			return err_set(e, ERR_PERM, "%s stopped with %d", part_name(four[i]), t->world.parts[four[i]].status);
	if (recount_world(&t->world, true, e) == 0)
		return 0;
	recount_show(&t->world);
	return -1;
}

static void nothing_is_lost_in_a_bad_network(void **state)
{
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};
	static const struct setting settings[] = {{"kafka", "socket.timeout.ms", SOCKET_TIMEOUT},
						  {"tax", "batch_rows", "20"},
						  {"ssa", "batch_rows", "20"},
						  {"gateway", "batch_events", "60"},
						  {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings, .tax_args = tax};
	static struct network n;
	static struct tale t;
	struct err e = {0};
	int rc = network_open(&n, &e);

	(void)state;
	if (rc == 0)
		rc = tale_open(&t, &o, 7, &e);
	t.meanwhile = meanwhile;
	t.arg = &n;
	t.limit_ms = PATIENCE_MS;
	t.world.keep = getenv("QIAO_KEEP") != NULL;
	if (rc == 0)
		rc = live(&t, &n, &e);
	tell(&n);
	if (rc == 0)
		rc = stop_and_check(&t, &e);
	tale_close(&t);
	network_close(&n);
	if (rc != 0)
		fail_msg("%s (%s)", e.text, t.world.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_in_a_bad_network),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
