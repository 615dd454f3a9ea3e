/* A backup taken while the programs run in the middle of the story. Restored into an empty data folder, bus and ledger as they were
 * then, the story goes on to its end and doubles nothing, although the agencies know more by then than the restored ledger. A ledger
 * that is older than its bus, and a bus that is older than its ledger, are refused with the reason. With topics on brokers only the
 * ledger is restored, and adopts. */
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const enum part four[] = {GATEWAY, VILLAGE, TAX, SSA};

/* cp -a: a backup is a folder, and so is restored. */
static void copy_tree(const char *from, const char *to)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execlp("cp", "cp", "-a", "--", from, to, NULL);
		_exit(97);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

static void in_world(const struct tale *t, char out[512], const char *name)
{
	world_path(&t->world, out, name);
}

static void move(const struct tale *t, const char *from, const char *to)
{
	char a[512], b[512];

	in_world(t, a, from);
	in_world(t, b, to);
	assert_int_equal(rename(a, b), 0);
}

static void copy(const struct tale *t, const char *from, const char *to)
{
	char a[512], b[512];

	in_world(t, a, from);
	in_world(t, b, to);
	copy_tree(a, b);
}

static void stop_all(struct tale *t)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(world_stop(&t->world, four[i]), 0);
}

static bool always(const struct outcomes *o, const struct rosters *r, int wave)
{
	(void)r, (void)wave;
	return o->answers > 0;
}

/* The gateway must end by itself with 4, and say why in its log. */
static void must_refuse(struct tale *t, const char *reason)
{
	char path[512];
	struct err e = {0};
	struct buf log;

	assert_int_equal(world_spawn(&t->world, GATEWAY, &e), 0);
	assert_int_equal(world_end(&t->world, GATEWAY, 20000), EXIT_SAFE);
	buf_init(&log, 64 << 20);
	in_world(t, path, "log/qiao-gateway.log");
	if (fs_read(path, &log, &e) < 0)
		fail_msg("%s", e.text);
	if (!memmem(log.data, log.len, reason, strlen(reason)))
		fail_msg("the log does not say \"%s\"", reason);
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
	in_world(t, backup, "backup");
	assert_int_equal(world_qiao(&t->world, NULL, "backup", backup, NULL), EXIT_YES);
	/* What follows is lost with the disk, but not to the agencies: money goes out that the backup knows nothing of. */
	if (tale_hand_in(t, 2, e) < 0 || tale_await(t, outcomes_quiet, "nothing on its way", e) < 0)
		fail_msg("%s", e->text);
	stop_all(t);
}

/* Topics on brokers are not lost with our disk, and are never older than the ledger: it adopts (test_adopt has more of that). */
static void go_on_with_the_brokers(struct tale *t)
{
	assert_int_equal(world_qiao(&t->world, NULL, "adopt", NULL), EXIT_YES);
}

static void restore_files(struct tale *t)
{
	/* The ledger of today with the older bus. */
	move(t, "data", "mixed");
	copy(t, "lost", "data");
	move(t, "data/bus", "newer-bus");
	copy(t, "backup/bus", "data/bus");
	must_refuse(t, "bus is older than the ledger");

	/* Both as they were; the village's own files are on another disk. */
	move(t, "data", "mixed-2");
	copy(t, "backup", "data");
	assert_int_equal(rmdir(t->inbox), 0);
	copy(t, "lost/inbox", "data/inbox");
}

static void restore(struct tale *t, struct err *e)
{
	outcomes_close(&t->outcomes);
	move(t, "data", "lost");

	/* The older ledger with the bus of today. */
	copy(t, "lost", "data");
	move(t, "data/gateway", "now");
	copy(t, "backup/gateway", "data/gateway");
	must_refuse(t, "ledger is older than the bus");

	if (on_kafka())
		go_on_with_the_brokers(t);
	else
		restore_files(t);
	if (outcomes_open(&t->outcomes, &t->world, e) < 0 || world_start_four(&t->world, e) < 0)
		fail_msg("%s", e->text);
	t->wave = 2;
	if (tale_await(t, always, "an answer", e) < 0 || tale_await(t, outcomes_filed, "the answers of two waves", e) < 0 ||
	    tale_hand_in(t, 3, e) < 0 || tale_end_year(t, e) < 0)
		fail_msg("%s", e->text);
}

static void live(const char *keys, const char *const *tax_args)
{
	const struct setting settings[] = {{"tax", "keys", keys},	{"tax", "batch_rows", "20"},
					   {"ssa", "batch_rows", "20"}, {"gateway", "batch_events", "60"},
					   {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings, .tax_args = tax_args};
	static struct tale t;
	struct err e = {0};
	int differences;

	if (tale_open(&t, &o, 7, &e) < 0)
		fail_msg("%s", e.text);
	t.world.keep = getenv("QIAO_KEEP") != NULL;
	live_half(&t, &e);
	restore(&t, &e);
	differences = tale_check(&t, stdout);
	stop_all(&t);
	tale_close(&t);
	if (differences)
		fail_msg("keys=%s: %d differences (%s)", keys, differences, t.world.dir);
}

static void restore_with_keys(void **state)
{
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};

	(void)state;
	live("honoured", tax);
}

static void restore_without_keys(void **state)
{
	static const char *const tax[] = {"--keys", "none", "--effect-delay-ms", "100", "--query-delay-ms", "300", "--settle-ms", "100",
					  "--refund-ms", "100", NULL};

	(void)state;
	live("none", tax);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restore_with_keys),
		cmocka_unit_test(restore_without_keys),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
