/* The gateway's disk is lost in the middle of the story, and with it its ledger. The bus was elsewhere (as Kafka is): it knows
 * everything. Yesterday's ledger is refused in front of it, until a person orders it to adopt; then the story goes on to its end as if
 * nothing had happened: no payment twice, every answer, statement and book as they should be. */
#include "base/clock.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const enum part four[] = {GATEWAY, VILLAGE, TAX, SSA};

static void path_of(const struct tale *t, char out[512], const char *name)
{
	world_path(&t->world, out, name);
}

static void copy(const struct tale *t, const char *from, const char *to)
{
	char a[512], b[512];
	pid_t pid;
	int status = -1;

	path_of(t, a, from);
	path_of(t, b, to);
	pid = fork();
	if (pid == 0) {
		execlp("cp", "cp", "-a", "--", a, b, NULL);
		_exit(97);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

static void stop_all(struct tale *t)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(world_stop(&t->world, four[i]), 0);
}

static void must_say(struct tale *t, const char *file, const char *text)
{
	char path[512];
	struct err e = {0};
	struct buf log;

	buf_init(&log, 64 << 20);
	path_of(t, path, file);
	if (fs_read(path, &log, &e) < 0)
		fail_msg("%s", e.text);
	if (!memmem(log.data, log.len, text, strlen(text)))
		fail_msg("%s does not say \"%s\"", file, text);
	buf_fini(&log);
}

/* Half of the story, with a backup in the middle of a wave's work. */
static void live_half(struct tale *t, struct err *e)
{
	char backup[512];

	if (world_start_four(&t->world, e) < 0 || tale_hand_in(t, 1, e) < 0)
		fail_msg("%s", e->text);
	for (int i = 0; i < t->rosters.step_count; i++)
		if (t->rosters.steps[i].wave == 2 && i % 2 == 0 && tale_drop(t, i, e) < 0)
			fail_msg("%s", e->text);
	path_of(t, backup, "backup");
	assert_int_equal(world_qiao(&t->world, NULL, "backup", backup, NULL), EXIT_YES);
	if (tale_hand_in(t, 2, e) < 0 || tale_await(t, outcomes_quiet, "nothing on its way", e) < 0)
		fail_msg("%s", e->text);
	/* The last hour: what is handed in is on its way when the disk goes. */
	for (int i = 0; i < t->rosters.step_count; i++)
		if (t->rosters.steps[i].wave == 3 && i % 2 == 0 && tale_drop(t, i, e) < 0)
			fail_msg("%s", e->text);
}

static void lose_and_adopt(struct tale *t, struct err *e)
{
	char lost[512], ledger[512];
	struct buf said;

	stop_all(t);
	buf_init(&said, 1 << 20);
	assert_int_equal(world_qiao(&t->world, NULL, "adopt", NULL), EXIT_NO); /* a living ledger */
	path_of(t, ledger, "data/gateway");
	path_of(t, lost, "lost");
	assert_int_equal(rename(ledger, lost), 0);
	copy(t, "backup/gateway", "data/gateway");

	assert_int_equal(world_spawn(&t->world, GATEWAY, e), 0);
	assert_int_equal(world_end(&t->world, GATEWAY, 20000), EXIT_SAFE);
	must_say(t, "log/qiao-gateway.log", "ledger is older than the bus");
	must_say(t, "log/qiao-gateway.log", "qiao adopt");

	assert_int_equal(
		world_qiao(&t->world, &said, "--format", "json", "adopt", "--dry-run", NULL),
		EXIT_YES);
	assert_non_null(strstr(buf_text(&said), "\"ordered\": false"));
	assert_int_equal(world_spawn(&t->world, GATEWAY, e), 0); /* a count is no order */
	assert_int_equal(world_end(&t->world, GATEWAY, 20000), EXIT_SAFE);
	buf_reset(&said);
	assert_int_equal(world_qiao(&t->world, &said, "--format", "json", "adopt", NULL), EXIT_YES);
	assert_non_null(strstr(buf_text(&said), "\"ordered\": true"));
	assert_null(strstr(buf_text(&said), "\"payments\": 0"));
	buf_fini(&said);
}

/* It is killed in the middle of the adoption, several times. */
static void start_and_kill(struct tale *t, struct err *e)
{
	for (int i = 0; i < 4; i++) {
		assert_int_equal(world_spawn(&t->world, GATEWAY, e), 0);
		for (int64_t until = clock_monotonic() + 3 + 12 * i; clock_monotonic() < until;)
			;
		world_kill(&t->world, GATEWAY);
	}
	if (world_start_four(&t->world, e) < 0)
		fail_msg("%s", e->text);
}

static void live(const char *keys, const char *const *tax_args)
{
	const struct setting settings[] = {{"tax", "keys", keys},
					   {"tax", "batch_rows", "20"},
					   {"ssa", "batch_rows", "20"},
					   {"gateway", "batch_events", "60"},
					   {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings, .tax_args = tax_args};
	static struct tale t;
	struct err e = {0};
	int differences;

	if (tale_open(&t, &o, 11, &e) < 0)
		fail_msg("%s", e.text);
	t.world.keep = getenv("QIAO_KEEP") != NULL;
	live_half(&t, &e);
	lose_and_adopt(&t, &e);
	start_and_kill(&t, &e);
	if (tale_hand_in(&t, 3, &e) < 0 || tale_end_year(&t, &e) < 0)
		fail_msg("%s", e.text);
	differences = tale_check(&t, stdout);
	assert_int_equal(world_qiao(&t.world, NULL, "adopt", "--list", NULL), EXIT_YES);
	must_say(&t, "log/qiao-gateway.log", "ADOPTION-ENDS payments_unclaimed=0");
	stop_all(&t);
	tale_close(&t);
	if (differences)
		fail_msg("keys=%s: %d differences (%s)", keys, differences, t.world.dir);
}

static void adopt_with_keys(void **state)
{
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};

	(void)state;
	live("honoured", tax);
}

static void adopt_without_keys(void **state)
{
	static const char *const tax[] = {"--keys",
					  "none",
					  "--effect-delay-ms",
					  "100",
					  "--query-delay-ms",
					  "300",
					  "--settle-ms",
					  "100",
					  "--refund-ms",
					  "100",
					  NULL};

	(void)state;
	live("none", tax);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adopt_with_keys),
		cmocka_unit_test(adopt_without_keys),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
