/* A cluster of three, every event in three copies of which two must be there, while brokers are killed: the leaders of partitions in
 * turn, with SIGKILL, then all three at once. Programs are killed meanwhile, too. Once with the story of every kind of row, once with
 * a district's worth of good ones. At the end every row has its one final answer, the agencies' own books say what the ledger and the
 * topics say, and nothing was paid twice.
 *
 * The seed is printed; QIAO_SEED repeats its choices. QIAO_ROWS is how many good rows: 100,000, under sanitizers 5,000. */
#include "base/clock.h"
#include "tests/lib/kafka.h"
#include "tests/lib/load.h"
#include "tests/lib/people.h"
#include "tests/lib/recount.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BROKER_KILLS = 6, PROGRAM_KILLS = 6, DOWN_MS = 1500, PAUSE_MS = 1500, PATIENCE_MS = 240000, PACKAGE = 2000 };
#ifdef __SANITIZE_ADDRESS__
enum { ROWS = 5000 };
#else
enum { ROWS = 100000 };
#endif

struct deaths {
	struct cluster cluster;
	char prefix[40];
	uint64_t chance;
	int64_t next_ms, up_ms; /* monotonic; up: when the dead broker is started again, 0 = none is dead */
	int node, brokers, programs, full_stops;
};

static const enum part victims[] = {TAX, GATEWAY, SSA, VILLAGE};

static int64_t in_a_while(struct deaths *d, uint32_t ms)
{
	return clock_monotonic() + 200 + chance_below(&d->chance, ms);
}

/* Whoever leads a partition of the topic that moves money, or its answers. */
static int leader(struct deaths *d)
{
	static const char *const topics_of_money[] = {"payments", "collections", "answers", "submissions"};
	char name[120];
	struct err e = {0};
	int node;

	snprintf(name, sizeof name, "%s%s", d->prefix, topics_of_money[chance_below(&d->chance, 4)]);
	node = cluster_leader(&d->cluster, name, (int)chance_below(&d->chance, 3), &e);
	return node >= 0 ? node : (int)chance_below(&d->chance, 3);
}

static int all_at_once(struct deaths *d, struct err *e)
{
	for (int i = 0; i < 3; i++)
		cluster_kill(&d->cluster, i);
	for (int i = 0; i < 3; i++)
		if (cluster_start(&d->cluster, i, e) < 0)
			return -1;
	d->full_stops++;
	return cluster_ready(&d->cluster, e);
}

static int kill_a_program(struct world *w, struct deaths *d, struct err *e)
{
	enum part p = victims[chance_below(&d->chance, 4)];

	if (d->programs++ >= PROGRAM_KILLS)
		return 0;
	world_kill(w, p);
	return world_spawn(w, p, e);
}

/* A program may give up for a while (3), as its supervisor would see it. */
static int look_after(struct world *w, struct err *e)
{
	for (int i = 0; i < 4; i++) {
		if (w->parts[victims[i]].pid == 0 || world_alive(w, victims[i]))
			continue;
		if (w->parts[victims[i]].status != EXIT_LATER)
			return err_set(e, ERR_PERM, "%s ended by itself with %d", part_name(victims[i]), w->parts[victims[i]].status);
		if (world_spawn(w, victims[i], e) < 0)
			return -1;
	}
	return 0;
}

static int go_on_dying(struct world *w, struct deaths *d, struct err *e)
{
	int64_t now = clock_monotonic();

	if (look_after(w, e) < 0)
		return -1;
	if (d->up_ms && now >= d->up_ms) {
		d->up_ms = 0;
		d->next_ms = in_a_while(d, PAUSE_MS);
		return cluster_start(&d->cluster, d->node, e) < 0 || cluster_ready(&d->cluster, e) < 0 ? -1 : 0;
	}
	if (d->up_ms || now < d->next_ms)
		return 0;
	if (d->brokers < BROKER_KILLS) {
		d->node = leader(d);
		cluster_kill(&d->cluster, d->node);
		d->brokers++;
		d->up_ms = in_a_while(d, DOWN_MS);
		return kill_a_program(w, d, e);
	}
	if (d->full_stops == 0)
		return all_at_once(d, e);
	return 0;
}

static int meanwhile(struct tale *t, struct err *e)
{
	return go_on_dying(&t->world, t->arg, e);
}

static int all_died(void *arg, struct err *e)
{
	struct tale *t = arg;
	struct deaths *d = t->arg;

	return meanwhile(t, e) < 0 ? -1 : d->full_stops > 0;
}

static int live(struct tale *t, struct err *e)
{
	if (world_start_four(&t->world, e) < 0)
		return -1;
	for (int wave = 1; wave < STORY_WAVES; wave++)
		if (tale_hand_in(t, wave, e) < 0)
			return -1;
	if (world_wait(PATIENCE_MS, all_died, t, e) < 0)
		return -1;
	return tale_await(t, outcomes_quiet, "nothing on its way", e) < 0 ? -1 : tale_end_year(t, e);
}

static const char *const tax_args[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};

static int begin(struct deaths *d, struct err *e)
{
	static const struct cluster_options options = {.nodes = 3};
	const char *seed = getenv("QIAO_SEED");
	char servers[CLUSTER_SERVERS];

	memset(d, 0, sizeof *d);
	d->chance = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) & 0xFFFFFF;
	printf("QIAO_SEED=%" PRIu64 "\n", d->chance);
	if (cluster_open(&d->cluster, &options, e) < 0)
		return -1;
	setenv("BUS", "kafka", 1);
	setenv("QIAO_KAFKA", cluster_servers(&d->cluster, CLUSTER_PLAIN, servers), 1);
	setenv("QIAO_KAFKA_BROKERS", "3", 1);
	return 0;
}

static int died_enough(const struct deaths *d, struct err *e)
{
	return d->brokers >= BROKER_KILLS && d->full_stops > 0
		       ? 0
		       : err_set(e, ERR_PERM, "only %d brokers died, %d times all", d->brokers, d->full_stops);
}

static void tell(const struct deaths *d, int64_t began)
{
	printf("killed: brokers %d, all at once %d, programs %d, in %" PRId64 " s\n", d->brokers, d->full_stops, d->programs,
	       (clock_monotonic() - began) / 1000);
}

static void nothing_of_the_story_is_lost(void **state)
{
	const struct setting settings[] = {{"tax", "batch_rows", "20"}, {"ssa", "batch_rows", "20"}, {"gateway", "batch_events", "60"}, {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings, .tax_args = tax_args};
	static struct deaths d;
	static struct tale t;
	struct err e = {0};
	int64_t began = clock_monotonic();
	int rc = begin(&d, &e);

	(void)state;
	if (rc == 0)
		rc = tale_open(&t, &o, 7, &e);
	t.meanwhile = meanwhile;
	t.arg = &d;
	t.limit_ms = PATIENCE_MS;
	t.world.keep = getenv("QIAO_KEEP") != NULL;
	snprintf(d.prefix, sizeof d.prefix, "%s", t.world.bus.prefix);
	d.next_ms = clock_monotonic() + 500;
	if (rc == 0)
		rc = live(&t, &e);
	tell(&d, began);
	if (rc == 0 && tale_check(&t, stdout) != 0)
		rc = err_set(&e, ERR_PERM, "what was told and what happened differ");
	if (rc == 0)
		rc = died_enough(&d, &e);
	tale_close(&t);
	cluster_close(&d.cluster);
	if (rc != 0)
		fail_msg("%s (%s)", e.text, t.world.dir);
}

/* ---- a district's worth ---- */

struct district {
	struct world world;
	struct load load;
	struct deaths deaths;
};

static int all_credited(void *arg, struct err *e)
{
	struct district *it = arg;
	int64_t credited;

	if (go_on_dying(&it->world, &it->deaths, e) < 0)
		return -1;
	credited = load_credited(&it->world, e);
	return credited < 0 ? -1 : credited == it->load.rows;
}

/* In the agency's own book each payment once. */
static int compare_book(struct world *w, enum part sim, int64_t rows, struct err *e)
{
	struct agency_book book;
	int rc = agency_book_read(&book, w, sim, e);

	if (rc == 0 && book.count != rows)
		rc = err_set(e, ERR_PERM, "%s has %d payments", part_name(sim), book.count);
	for (int i = 0; rc == 0 && i < book.count; i++)
		if (book.entries[i].copies != 1)
			rc = err_set(e, ERR_PERM, "%s has a payment %d times", part_name(sim), book.entries[i].copies);
	agency_book_free(&book);
	return rc;
}

static int live_district(struct district *it, struct err *e)
{
	struct world *w = &it->world;

	if (load_write(&it->load, w, NULL, NULL, e) < 0 || world_start_four(w, e) < 0 || load_drop(&it->load, w, e) < 0)
		return -1;
	it->deaths.next_ms = clock_monotonic() + 500;
	if (world_wait(PATIENCE_MS, all_credited, it, e) < 0)
		return err_wrap(e, "%" PRId64 " of %" PRId64 " rows are credited", load_credited(w, &(struct err){0}), it->load.rows);
	/* Later: it was asked to end while brokers that had just come up did not answer it. */
	for (int i = 0; i < 4; i++) {
		int status = world_stop(w, victims[i]);

		if (status != EXIT_YES && status != EXIT_LATER)
			return err_set(e, ERR_PERM, "%s ended with %d", part_name(victims[i]), status);
	}
	if (compare_book(w, SIM_TAX, it->load.rows, e) < 0 || compare_book(w, SIM_SSA, it->load.rows, e) < 0)
		return -1;
	return recount_world(w, true, e);
}

static void nothing_of_a_district_is_lost(void **state)
{
	static const char *const ssa[] = {"--everyone-paid", "2026", NULL};
	static const struct setting settings[] = {{"village", "answer_interval", "2s"}, {"gateway", "enquiry_timeout", "5s"}, {"gateway", "answer_timeout", "30s"}, {NULL, NULL, NULL}};
	struct world_options o = {.day = "2026-12-24", .settings = settings, .ssa_args = ssa, .tax_args = tax_args};
	static struct district it;
	const char *rows = getenv("QIAO_ROWS");
	struct err e = {0};
	int64_t began = clock_monotonic();
	int rc;

	(void)state;
	it.load = (struct load){2026, rows ? strtoll(rows, NULL, 10) : ROWS, PACKAGE, true};
	rc = begin(&it.deaths, &e);
	if (rc == 0)
		rc = world_open(&it.world, &o, &e) < 0 ? -1 : world_found(&it.world, &e);
	it.world.keep = getenv("QIAO_KEEP") != NULL;
	snprintf(it.deaths.prefix, sizeof it.deaths.prefix, "%s", it.world.bus.prefix);
	if (rc == 0)
		rc = live_district(&it, &e);
	tell(&it.deaths, began);
	if (rc == 0)
		rc = died_enough(&it.deaths, &e);
	else
		recount_show(&it.world);
	world_close(&it.world);
	cluster_close(&it.deaths.cluster);
	if (rc != 0)
		fail_msg("%s (%s)", e.text, it.world.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_the_story_is_lost),
		cmocka_unit_test(nothing_of_a_district_is_lost),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_test_filter(getenv("QIAO_TEST")); /* one of them, while working on it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
