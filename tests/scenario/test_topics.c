/* The independent check: the story is lived through while both agencies misbehave, and then a program in Python that shares nothing
 * with the product (run by QIAO_PYTHON) reads all topics with the published schemas and recounts the money: in the middle of the
 * story, when rosters wait and payments are pending, and at its end, together with the agencies' own books. Then, on the local bus,
 * copies of the ended world are falsified, one thing at a time, and the check must see each. */
#include "tests/lib/recount.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <signal.h>

enum { SEED = 7, REST_MS = 30000 };

static const char tax_faults[] = "batches/cut_after:150,batches/e500_after:100,batches/missing_row:150,batches/e429:50,"
				 "queries/e500:50,changes/duplicate:200";
static const char ssa_faults[] = "cut_after:50,missing_row:100,e500:50,duplicate:200";

/* Nobody is asked to hurry: what the statement says may be a moment ahead of what is on the bus, or behind. */
static int agrees(void *arg, struct err *e)
{
	struct tale *t = arg;

	(void)e;
	return recount_world(&t->world, false, &(struct err){0}) == 0;
}

static int live(struct tale *t, struct err *e)
{
	if (world_faults(&t->world, SIM_TAX, tax_faults, e) < 0 || world_faults(&t->world, SIM_SSA, ssa_faults, e) < 0 ||
	    world_start_four(&t->world, e) < 0)
		return -1;
	for (int wave = 1; wave < STORY_WAVES; wave++)
		if (tale_hand_in(t, wave, e) < 0)
			return -1;
	if (tale_await(t, outcomes_quiet, "nothing on its way", e) < 0)
		return -1;
	if (world_wait(REST_MS, agrees, t, e) < 0)
		return err_wrap(e, "in the middle of the story");
	if (tale_end_year(t, e) < 0)
		return -1;
	return tale_check(t, stdout) == 0 ? 0 : err_set(e, ERR_PERM, "what was told and what happened differ");
}

static void every_fen_is_found_again(void **state)
{
	static const enum part four[] = {VILLAGE, TAX, SSA, GATEWAY};
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};
	static const char *const ssa[] = {"--credit-ms", "50", NULL};
	static const struct setting settings[] = {{"tax", "batch_rows", "20"}, {"ssa", "batch_rows", "20"}, {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings, .tax_args = tax, .ssa_args = ssa};
	static struct tale t;
	struct err e = {0};
	int rc = tale_open(&t, &o, SEED, &e);

	(void)state;
	if (rc == 0)
		rc = live(&t, &e);
	for (int i = 0; i < 4 && rc == 0; i++)
		if (world_stop(&t.world, four[i]) != 0)
			rc = err_set(&e, ERR_PERM, "%s stopped with %d", part_name(four[i]), t.world.parts[four[i]].status);
	if (rc == 0)
		rc = recount_world(&t.world, true, &e);
	recount_show(&t.world);
	/* A topic of Kafka takes no change: what the check must see it sees in files, and reads both buses alike. */
	if (on_kafka())
		printf("falsified copies: on the local bus only\n");
	else if (rc == 0 && (rc = recount_tampered(&t.world, &e)) != 0)
		recount_show(&t.world);
	tale_close(&t);
	if (rc != 0)
		fail_msg("%s", e.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fen_is_found_again),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
