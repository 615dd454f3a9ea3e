/* The crash scenario: the whole story is lived through while the four programs and both agencies are killed with SIGKILL at random
 * moments, the agencies misbehave, and nobody tidies up. At the end every row has its one final answer, the agencies' own books say
 * what the ledger says, and nothing was paid twice. Once with a bureau that honours idempotency keys, once with one that has none.
 *
 * The seed is printed; QIAO_SEED repeats its choices (not the machine's timing). QIAO_KILLS changes how many are killed. */
#include "base/clock.h"
#include "tests/lib/people.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum {
	KILLS = 120,          /* in a run */
	KILLS_LATE = 8,       /* of them after each move of the clock */
	PAUSE_MS = 160,       /* between two kills at most */
	DOWN_MS = 250,        /* how long a killed one stays down at most */
};

struct chaos {
	uint64_t chance;
	int left;             /* kills that this phase still has */
	int64_t next_ms;      /* the next kill, monotonic */
	int64_t up_ms[PARTS]; /* when a killed part is started again; 0 = it runs */
	int kills[PARTS];
};

/* Who is killed how often: those who move money more than the others. */
static enum part choose(struct chaos *c)
{
	static const enum part parts[] = {TAX, TAX, TAX, TAX, GATEWAY, GATEWAY, GATEWAY, SIM_TAX, SIM_TAX, SSA, SSA, SIM_SSA, VILLAGE,
					  VILLAGE};

	return parts[chance_below(&c->chance, COUNT(parts))];
}

static int64_t soon(struct chaos *c, int64_t now, uint32_t ms)
{
	return now + 1 + chance_below(&c->chance, ms);
}

/* A program may give up for a while (3), as its supervisor would see it; anything else that it does by itself is a failure. */
static int look_after(struct tale *t, struct chaos *c, enum part p, int64_t now, struct err *e)
{
	struct world_part *part = &t->world.parts[p];

	if (part->pid > 0 && !world_alive(&t->world, p)) {
		if (part->status != EXIT_LATER)
			return err_set(e, ERR_PERM, "%s ended by itself with %d", part_name(p), part->status);
		c->up_ms[p] = now;
	}
	if (c->up_ms[p] == 0 || now < c->up_ms[p])
		return 0;
	c->up_ms[p] = 0;
	if (world_spawn(&t->world, p, e) < 0)
		return -1;
	/* An agency must have its port before it may be killed again. */
	return p == SIM_TAX || p == SIM_SSA ? world_ready(&t->world, p, e) : 0;
}

static int kill_some(struct tale *t, struct err *e)
{
	struct chaos *c = t->arg;
	int64_t now = clock_monotonic();
	enum part p;

	for (int i = 0; i < SUPERVISOR; i++)
		if (look_after(t, c, (enum part)i, now, e) < 0)
			return -1;
	if (c->left == 0 || now < c->next_ms)
		return 0;
	c->next_ms = soon(c, now, PAUSE_MS);
	p = choose(c);
	if (c->up_ms[p] != 0)
		return 0; /* is down already */
	world_kill(&t->world, p);
	c->up_ms[p] = soon(c, now, chance_below(&c->chance, 3) ? 5 : DOWN_MS);
	c->kills[p]++;
	c->left--;
	return 0;
}

static int spent(void *arg, struct err *e)
{
	struct tale *t = arg;
	struct chaos *c = t->arg;

	if (kill_some(t, e) < 0)
		return -1;
	for (int p = 0; p < SUPERVISOR; p++)
		if (c->up_ms[p] != 0)
			return 0;
	return c->left == 0;
}

/* So many more kills, from now on. */
static void allow(struct tale *t, int kills)
{
	struct chaos *c = t->arg;

	c->left += kills;
	c->next_ms = clock_monotonic();
}

static const char tax_faults[] = "batches/slow:300,batches/cut_after:30,batches/e500_after:30,batches/truncated:20,"
				 "batches/missing_row:30,batches/cut_before:20,batches/e429:20,batches/e500:20,queries/e500:30,"
				 "queries/truncated:20,queries/missing_row:20,changes/truncated:20,changes/duplicate:50,changes/cut_after:20";
static const char ssa_faults[] = "slow:100,cut_after:20,e500_after:20,truncated:20,missing_row:20,e429:20,e500:20,duplicate:30";

static int live(struct tale *t, int kills, struct err *e)
{
	int early = kills - 2 * KILLS_LATE;

	if (world_faults(&t->world, SIM_TAX, tax_faults, e) < 0 || world_faults(&t->world, SIM_SSA, ssa_faults, e) < 0 ||
	    world_start_four(&t->world, e) < 0)
		return -1;
	for (int wave = 1; wave < STORY_WAVES; wave++) {
		allow(t, early / 3 + (wave == 1) * (early % 3));
		if (tale_hand_in(t, wave, e) < 0)
			return -1;
	}
	if (world_wait(60000, spent, t, e) < 0 || world_faults(&t->world, SIM_TAX, "", e) < 0 ||
	    world_faults(&t->world, SIM_SSA, "", e) < 0 || tale_await(t, outcomes_quiet, "nothing on its way", e) < 0)
		return -1;
	allow(t, KILLS_LATE);
	if (world_set_day(&t->world, STORY_LATE_MONEY, e) < 0 ||
	    tale_await(t, outcomes_final_but_for_the_end, "the late contributions", e) < 0 || world_wait(60000, spent, t, e) < 0)
		return -1;
	allow(t, KILLS_LATE);
	if (world_set_day(&t->world, STORY_ENDS, e) < 0 || tale_hand_in(t, STORY_WAVES, e) < 0 ||
	    world_wait(60000, spent, t, e) < 0)
		return -1;
	return tale_await(t, outcomes_final, "the last answers", e);
}

static int number_of(const char *name, int fallback)
{
	const char *text = getenv(name);
	int64_t n;

	return text && str_int(str_of(text), 0, INT32_MAX, &n) == 0 ? (int)n : fallback;
}

static void crash(const char *keys, const char *const *tax_args)
{
	static const char *const ssa_args[] = {"--slow-ms", "30", "--credit-ms", "50", NULL};
	static const enum part four[] = {GATEWAY, VILLAGE, TAX, SSA};
	const struct setting settings[] = {{"tax", "keys", keys},
					   {"tax", "batch_rows", "10"},
					   {"tax", "settlement_delay", "2500ms"},
					   {"ssa", "batch_rows", "10"},
					   {"gateway", "batch_events", "40"},
					   {"tax", "timeout", "2s"},
					   {"ssa", "timeout", "2s"},
					   {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings, .tax_args = tax_args, .ssa_args = ssa_args};
	int seed = number_of("QIAO_SEED", (int)(time(NULL) & 0xFFFFFF)), kills = number_of("QIAO_KILLS", KILLS);
	struct chaos c = {.chance = (uint64_t)seed};
	static struct tale t;
	struct err e = {0};
	int64_t began = clock_monotonic();
	int rc;

	printf("keys=%s QIAO_SEED=%d\n", keys, seed);
	rc = tale_open(&t, &o, (uint64_t)seed, &e);
	t.meanwhile = kill_some;
	t.arg = &c;
	t.world.keep = getenv("QIAO_KEEP") != NULL;
	if (rc == 0)
		rc = live(&t, kills, &e);
	printf("killed:");
	for (int p = 0; p < SUPERVISOR; p++)
		printf(" %s %d", part_name((enum part)p), c.kills[p]);
	printf(", %" PRId64 " answers, %" PRId64 " s\n", t.outcomes.answers, (clock_monotonic() - began) / 1000);
	if (rc == 0 && tale_check(&t, stdout) != 0)
		rc = err_set(&e, ERR_PERM, "what was told and what happened differ");
	for (int i = 0; i < 4 && rc == 0; i++)
		rc = world_ready(&t.world, four[i], &e);
	for (int i = 0; i < 4 && rc == 0; i++)
		if (world_stop(&t.world, four[i]) != 0)
			rc = err_set(&e, ERR_PERM, "%s stopped with %d", part_name(four[i]), t.world.parts[four[i]].status);
	if (rc == 0 && tale_check(&t, stdout) != 0)
		rc = err_set(&e, ERR_PERM, "differences after the stop");
	tale_close(&t);
	if (rc != 0)
		fail_msg("keys=%s seed %d: %s (%s)", keys, seed, e.text, t.world.dir);
}

static void crash_with_keys(void **state)
{
	static const char *const tax[] = {"--keys", "honoured", "--slow-ms", "60", "--settle-ms", "100", "--refund-ms", "100", NULL};

	(void)state;
	crash("honoured", tax);
}

static void crash_without_keys(void **state)
{
	static const char *const tax[] = {"--keys", "none", "--effect-delay-ms", "800", "--query-delay-ms", "1000", "--slow-ms",
					  "60", "--settle-ms", "100", "--refund-ms", "100", NULL};

	(void)state;
	crash("none", tax);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crash_with_keys),
		cmocka_unit_test(crash_without_keys),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
