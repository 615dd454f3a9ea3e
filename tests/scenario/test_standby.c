/* Two gateways on one ledger: whatever becomes of the one at work, only one writes, and the story comes to the same end.
 *
 * Under a supervisor gateways are killed and stopped, and the hot stand-by takes over. Then the lock itself is lost while its holder
 * sleeps, between two transactions and inside one: the one that slept through the take-over ends with 4 and has written nothing. */
#include "base/clock.h"
#include "ledger/internal.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 60000, LOOK_MS = 5, FIRST = 0, SECOND = 1 };

static const char *const names[] = {"gateway", "gateway-standby"};

/* "" where there is none. */
static void read_text(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(out, 1, cap - 1, f) : 0;

	out[n] = '\0';
	if (f)
		fclose(f);
}

static void file_text(const struct tale *t, const char *name, char *out, size_t cap)
{
	char path[512];

	read_text(world_path(&t->world, path, name), out, cap);
}

/* The process behind a status file, if the file says that state; else 0. */
static pid_t in_state(const struct tale *t, int which, const char *state)
{
	char name[64], text[4096], line[40];
	int pid = 0;

	snprintf(name, sizeof name, "data/run/%s.status", names[which]);
	file_text(t, name, text, sizeof text);
	snprintf(line, sizeof line, "\nstate %s\n", state);
	return strstr(text, line) && sscanf(text, "pid %d", &pid) == 1 ? pid : 0;
}

static pid_t await_state(struct tale *t, int which, const char *state)
{
	int64_t until = clock_monotonic() + LIMIT_MS;
	pid_t pid;

	while ((pid = in_state(t, which, state)) == 0) {
		if (clock_monotonic() > until)
			fail_msg("%s did not come into the state %s (%s)", names[which], state, t->world.dir);
		poll(NULL, 0, LOOK_MS);
	}
	return pid;
}

/* The letter of /proc/<pid>/stat, 0 where the process is gone. */
static char process_state(pid_t pid)
{
	char path[64], text[512], *at;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	read_text(path, text, sizeof text);
	at = strrchr(text, ')');
	return at && at[1] ? at[2] : 0;
}

static void stop_process(pid_t pid)
{
	int64_t until = clock_monotonic() + LIMIT_MS;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	while (process_state(pid) != 'T') {
		assert_true(clock_monotonic() < until);
		poll(NULL, 0, 1);
	}
}

static bool log_has(const struct tale *t, const char *name, const char *part)
{
	static char text[1 << 22];

	file_text(t, name, text, sizeof text);
	return strstr(text, part) != NULL;
}

static void drop_wave(struct tale *t, int wave)
{
	struct err e = {0};

	for (int i = 0; i < t->rosters.step_count; i++)
		if (t->rosters.steps[i].wave == wave && tale_drop(t, i, &e) < 0)
			fail_msg("%s", e.text);
	t->wave = wave;
}

static void await_filed(struct tale *t)
{
	struct err e = {0};

	if (tale_await(t, outcomes_filed, "the answers of a wave", &e) < 0)
		fail_msg("%s (%s)", e.text, t->world.dir);
}

static void open_tale(struct tale *t, const struct setting *settings)
{
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings, .tax_args = tax};
	struct err e = {0};

	if (tale_open(t, &o, 11, &e) < 0)
		fail_msg("%s", e.text);
	t->world.keep = getenv("QIAO_KEEP") != NULL;
}

static void end_tale(struct tale *t)
{
	struct err e = {0};

	if (tale_end_year(t, &e) < 0)
		fail_msg("%s (%s)", e.text, t->world.dir);
	if (tale_check(t, stdout) != 0)
		fail_msg("what was told and what happened differ (%s)", t->world.dir);
}

/* ---- under a supervisor ---- */

/* Answers of the wave are on their way: the gateway at work is in the middle of it. */
static void await_answers(struct tale *t, int64_t more)
{
	int64_t until = clock_monotonic() + LIMIT_MS, before = t->outcomes.answers;
	struct err e = {0};

	while (t->outcomes.answers < before + more) {
		if (outcomes_read(&t->outcomes, &e) < 0 || clock_monotonic() > until)
			fail_msg("no answers: %s", e.text);
		poll(NULL, 0, 1);
	}
}

/* Takes the one at work out in the middle of a wave; gives which one follows. */
static int lose_one(struct tale *t, int at_work, int number)
{
	pid_t pid = await_state(t, at_work, "running");
	int other = !at_work;

	await_state(t, other, "standby");
	await_answers(t, 5);
	if (number == SIGSTOP)
		stop_process(pid);
	else
		assert_int_equal(kill(pid, number), 0);
	/* While it lives, stopped as it is, the other one waits. */
	for (int64_t until = clock_monotonic() + LIMIT_MS; in_state(t, other, "standby");) {
		assert_true(clock_monotonic() < until);
		poll(NULL, 0, LOOK_MS);
	}
	assert_int_not_equal(process_state(pid), 'T');
	await_state(t, other, "running");
	await_state(t, at_work, "standby"); /* was started again */
	return other;
}

static void a_gateway_that_dies_or_hangs_is_replaced(void **state)
{
	static const int ends[] = {SIGKILL, SIGSTOP, SIGTERM};
	static const struct setting settings[] = {
		{"run", "programs", "qiao-gateway qiao-gateway-standby qiao-ssa qiao-tax qiao-village"},
		{"run", "hang_timeout", "3s"},
		/* Longer than a stand-by takes to see that the lock is free: else who died may be back first. */
		{"run", "backoff_min", "1s"},
		{"run", "backoff_max", "1s"},
		{"gateway", "batch_events", "20"},
		{NULL, NULL, NULL}};
	static struct tale t;
	struct err e = {0};
	struct buf out;
	int at_work;

	(void)state;
	open_tale(&t, settings);
	if (world_start(&t.world, SUPERVISOR, &e) < 0)
		fail_msg("%s", e.text);
	for (at_work = FIRST; !in_state(&t, at_work, "running") || !in_state(&t, !at_work, "standby"); at_work = !at_work)
		poll(NULL, 0, LOOK_MS);
	for (int wave = 1; wave < STORY_WAVES; wave++) {
		drop_wave(&t, wave);
		at_work = lose_one(&t, at_work, ends[wave - 1]);
		await_filed(&t);
	}
	assert_true(log_has(&t, "log/qiao.log", "error PROGRAM-HUNG program=qiao-gateway"));
	buf_init(&out, 1 << 20);
	world_qiao(&t.world, &out, "status", NULL);
	assert_non_null(strstr(buf_text(&out), "qiao-gateway-standby"));
	world_qiao(&t.world, &out, "status", "--format", "json", NULL);
	assert_non_null(strstr(buf_text(&out), "\"state\": \"standby\",\n   \"alive\": true"));
	assert_int_equal(world_qiao(&t.world, NULL, "check", NULL), EXIT_YES);
	buf_fini(&out);
	end_tale(&t);
	assert_int_equal(world_stop(&t.world, SUPERVISOR), EXIT_YES);
	assert_int_equal(tale_check(&t, stdout), 0);
	tale_close(&t);
}

/* ---- a lost lock ---- */

static const struct setting lone[] = {{"gateway", "batch_events", "20"}, {NULL, NULL, NULL}};

static pid_t start_second(struct tale *t)
{
	char program[512], ini[512], errors[512];
	pid_t pid;

	snprintf(program, sizeof program, "%s/qiao-gateway", t->world.bin);
	world_path(&t->world, ini, "qiao.ini");
	world_path(&t->world, errors, "log/second.stderr");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen(errors, "a", stdout) || !freopen(errors, "a", stderr))
			_exit(96);
		for (int i = 3; i < 64; i++)
			close(i);
		execl(program, "qiao-gateway", "-c", ini, "--stand-by", NULL);
		_exit(97);
	}
	assert_true(pid > 0);
	return pid;
}

static struct store *open_store(const struct tale *t)
{
	struct store_options o = {.busy_ms = 1};
	struct store *st;
	struct err e = {0};
	char path[512];

	if (store_open(&st, world_path(&t->world, path, "data/gateway/ledger.db"), &ledger_kind, &o, &e) != 0)
		fail_msg("%s", e.text);
	return st;
}

static bool is_writing(struct store *st)
{
	struct err e = {0};

	if (store_begin(st, &e) == 0) {
		store_rollback(st);
		return false;
	}
	assert_int_equal(e.class, ERR_TEMP);
	return true;
}

/* SQLite's locks for writing and for checkpoints, of the ledger or of any topic of the local bus: bytes 120 and 121. */
static bool holds_a_database(pid_t pid)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256];
	bool holds = false;
	int owner, first;

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "%*d: POSIX ADVISORY WRITE %d %*s %d", &owner, &first) == 2 && owner == (int)pid)
			holds = holds || first == 120 || first == 121;
	fclose(f);
	return holds;
}

/* Stops it where it is inside a transaction of the ledger, or where it holds nothing that another one needs. */
static void stop_where(struct store *st, pid_t pid, bool writing)
{
	int64_t until = clock_monotonic() + LIMIT_MS;

	for (stop_process(pid); is_writing(st) != writing || (!writing && holds_a_database(pid)); stop_process(pid)) {
		assert_true(clock_monotonic() < until);
		kill(pid, SIGCONT);
		poll(NULL, 0, 1);
	}
}

static void lose_lock(const struct tale *t)
{
	char path[512];

	assert_int_equal(unlink(world_path(&t->world, path, "data/run/gateway.lock")), 0);
}

static pid_t begin(struct tale *t)
{
	struct err e = {0};
	pid_t second;

	open_tale(t, lone);
	if (world_start_four(&t->world, &e) < 0)
		fail_msg("%s", e.text);
	second = start_second(t);
	assert_int_equal(await_state(t, SECOND, "standby"), second);
	drop_wave(t, 1);
	await_filed(t);
	assert_int_equal(in_state(t, SECOND, "standby"), second);
	return second;
}

static void end(struct tale *t, pid_t second)
{
	static const enum part others[] = {VILLAGE, TAX, SSA};
	int status;

	drop_wave(t, 3);
	await_filed(t);
	end_tale(t);
	for (int i = 0; i < 3; i++)
		assert_int_equal(world_stop(&t->world, others[i]), EXIT_YES);
	kill(second, SIGTERM);
	assert_int_equal(waitpid(second, &status, 0), second);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_YES);
	assert_int_equal(tale_check(t, stdout), 0);
	assert_true(log_has(t, "log/qiao-gateway.log", "exit=4 why=\"ledger: another gateway took over this ledger"));
	assert_true(log_has(t, "log/qiao-gateway-standby.log", "warn ROLE-TAKE-OVER role=gateway-standby"));
	tale_close(t);
}

/* Between two transactions, with nothing to publish (who sleeps while it writes a topic of the local bus keeps the other from that).
 * At the end the new one is asleep too: whatever is written then is written by the old one, which finds a whole wave unread. */
static void who_slept_through_a_take_over_writes_nothing(void **state)
{
	static struct tale t;
	struct err e = {0};
	struct store *st;
	pid_t second = begin(&t);
	int64_t version, answers;

	(void)state;
	if (tale_await(&t, outcomes_quiet, "nothing on its way", &e) < 0)
		fail_msg("%s (%s)", e.text, t.world.dir);
	st = open_store(&t);
	stop_where(st, t.world.parts[GATEWAY].pid, false);
	lose_lock(&t);
	assert_int_equal(await_state(&t, SECOND, "running"), second);
	drop_wave(&t, 2);
	await_filed(&t);
	if (tale_await(&t, outcomes_quiet, "nothing on its way", &e) < 0)
		fail_msg("%s (%s)", e.text, t.world.dir);
	stop_where(st, second, false);
	assert_int_equal(outcomes_read(&t.outcomes, &e), 0);
	version = store_data_version(st);
	answers = t.outcomes.answers;
	kill(t.world.parts[GATEWAY].pid, SIGCONT);
	assert_int_equal(world_end(&t.world, GATEWAY, LIMIT_MS), EXIT_SAFE);
	assert_int_equal(store_data_version(st), version);
	assert_int_equal(outcomes_read(&t.outcomes, &e), 0);
	assert_int_equal(t.outcomes.answers, answers);
	kill(second, SIGCONT);
	store_close(st);
	end(&t, second);
}

/* Inside a transaction: the new one has the lock file, and comes no further than to the door. */
static void who_sleeps_inside_a_transaction_keeps_the_other_out(void **state)
{
	static struct tale t;
	struct store *st;
	pid_t second = begin(&t);

	(void)state;
	st = open_store(&t);
	drop_wave(&t, 2);
	await_answers(&t, 1);
	stop_where(st, t.world.parts[GATEWAY].pid, true);
	lose_lock(&t);
	assert_int_equal(await_state(&t, SECOND, "starting"), second);
	assert_true(is_writing(st));
	assert_int_equal(in_state(&t, SECOND, "running"), 0);
	kill(t.world.parts[GATEWAY].pid, SIGCONT);
	assert_int_equal(await_state(&t, SECOND, "running"), second);
	assert_int_equal(world_end(&t.world, GATEWAY, LIMIT_MS), EXIT_SAFE);
	store_close(st);
	await_filed(&t);
	end(&t, second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gateway_that_dies_or_hangs_is_replaced),
		cmocka_unit_test(who_slept_through_a_take_over_writes_nothing),
		cmocka_unit_test(who_sleeps_inside_a_transaction_keeps_the_other_out),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
