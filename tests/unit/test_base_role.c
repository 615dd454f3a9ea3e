#include "base/role.h"
#include "tests/lib/unit.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONG_MS = 600000, PATIENCE_S = 60, FINISHED = 1000 };

static struct counter at[] = {{"rows_read", "rows read", 0}, {"rows_sent", "rows sent", 0}};
static struct tmpdir tmp;
static char ini[320], status_file[320], log_file[320];

static void configure(const char *more)
{
	char text[500];
	int n = snprintf(text, sizeof text, "[log]\ndir = log\n%s", more);

	assert_int_equal(fs_write_atomic(ini, text, (size_t)n, 0600, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, ini, "qiao.ini");
	tmpdir_file(&tmp, status_file, "data/run/test.status");
	tmpdir_file(&tmp, log_file, "log/qiao-test.log");
	configure("");
	at[0].value = at[1].value = 0;
	unsetenv("QIAO_READY_FD");
	alarm(PATIENCE_S); /* a wait that is not ended would last for ten minutes */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	log_open("", "", LOG_INFO, NULL);
	tmpdir_remove(&tmp);
	return 0;
}

static int start(struct role *r)
{
	char *argv[] = {(char[]){"qiao-test"}, (char[]){"-c"}, ini, NULL};

	*r = (struct role){.name = "test", .summary = "Tests.", .counters = {at, COUNT(at)}};
	return role_start(r, 3, argv);
}

/* Does the file hold that text? */
static bool has(const char *path, const char *text)
{
	struct buf b;
	struct err e = {0};
	bool found;

	buf_init(&b, 1 << 20);
	if (fs_read(path, &b, &e) < 0)
		fail_msg("%s", e.text);
	found = strstr(buf_text(&b), text) != NULL;
	buf_fini(&b);
	return found;
}

/* Runs in a child with its words into out; gives the exit status. */
static int run(int argc, char **argv, char *out, size_t cap)
{
	struct role r = {.name = "test", .summary = "Tests things."};
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		status = role_start(&r, argc, argv);
		fflush(NULL);
		_exit(status >= FINISHED ? status - FINISHED : 99);
	}
	close(ends[1]);
	while (len < cap - 1 && (n = read(ends[0], out + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void help_is_shown_and_usage_checked(void **state)
{
	static const struct {
		const char *argument;
		int status;
		const char *says;
	} table[] = {
		{"--help", EXIT_YES, "usage: qiao-test [-c FILE]"},
		{"-h", EXIT_YES, "Tests things."},
		{"-x", EXIT_USAGE, "-- 'x'"},
		{"-c", EXIT_USAGE, "requires an argument"},
		{"more", EXIT_USAGE, "unexpected: more"},
	};
	char out[2000];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char argument[16];
		char *argv[] = {(char[]){"qiao-test"}, argument, NULL};

		snprintf(argument, sizeof argument, "%s", table[i].argument);
		assert_int_equal(run(2, argv, out, sizeof out), table[i].status);
		assert_non_null(strstr(out, table[i].says));
	}
}

static void a_wrong_configuration_is_told_whole(void **state)
{
	char out[4000];
	char *argv[] = {(char[]){"qiao-test"}, (char[]){"-c"}, ini, NULL};

	(void)state;
	configure("[bus]\nkind = carrier\n[x]\ny = z\n");
	assert_int_equal(run(3, argv, out, sizeof out), EXIT_USAGE);
	assert_non_null(strstr(out, "qiao.ini:4: kind: expected"));
	assert_non_null(strstr(out, "qiao.ini:6: unknown section"));
	assert_int_equal(unlink(ini), 0);
	assert_int_equal(run(3, argv, out, sizeof out), EXIT_USAGE);
	assert_non_null(strstr(out, "No such file"));
}

static void status_follows_the_life_of_the_program(void **state)
{
	char pid[40];
	struct role r;

	(void)state;
	assert_int_equal(start(&r), 0);
	snprintf(pid, sizeof pid, "pid %d\n", (int)getpid());
	assert_true(has(status_file, pid));
	assert_true(has(status_file, "state starting\n"));
	role_ready(&r);
	assert_true(has(status_file, "state running\n"));
	assert_true(has(status_file, "counters rows_read=0 rows_sent=0\n"));
	assert_false(has(status_file, "peer"));
	assert_false(has(status_file, "note"));
	at[0].value = 7;
	snprintf(r.peer, sizeof r.peer, "open 1234");
	role_tick(&r); /* not due */
	assert_false(has(status_file, "rows_read=7"));
	r.status_ms -= 1000;
	role_tick(&r);
	assert_true(has(status_file, "rows_read=7 rows_sent=0\n"));
	assert_true(has(status_file, "peer open 1234\n"));
	assert_int_equal(role_end(&r, NULL), EXIT_YES);
	assert_true(has(status_file, "state stopped\n"));
}

static void a_failure_is_noted_and_has_its_exit_status(void **state)
{
	struct err e = {0};
	struct role r;

	(void)state;
	assert_int_equal(start(&r), 0);
	err_set(&e, ERR_SAFE, "ledger:\nolder than the bus");
	assert_int_equal(role_end(&r, &e), EXIT_SAFE);
	assert_true(has(status_file, "state failed\n"));
	assert_true(has(status_file, "note ledger: older than the bus\n"));
	assert_true(has(log_file, "error ROLE-FAILED role=test exit=4 why=\"ledger:\\nolder"));
}

static void the_supervisor_is_told_once(void **state)
{
	char number[16], text[16] = "";
	int ends[2];
	struct role r;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(number, sizeof number, "%d", ends[1]);
	setenv("QIAO_READY_FD", number, 1);
	assert_int_equal(start(&r), 0);
	role_ready(&r);
	assert_int_equal(read(ends[0], text, sizeof text), 6);
	assert_string_equal(text, "ready\n");
	assert_int_equal(read(ends[0], text, sizeof text), 0); /* closed */
	assert_null(getenv("QIAO_READY_FD"));
	close(ends[0]);
	role_end(&r, NULL);
}

static void a_ready_descriptor_that_is_none_harms_nothing(void **state)
{
	static const char *const table[] = {"", "x", "-1", "1", "99999"};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct role r;

		setenv("QIAO_READY_FD", table[i], 1);
		assert_int_equal(start(&r), 0);
		role_ready(&r);
		assert_true(has(log_file, "ROLE-READY-FD"));
		role_end(&r, NULL);
	}
	assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

static void a_second_one_may_not_start(void **state)
{
	struct role first, second;

	(void)state;
	assert_int_equal(start(&first), 0);
	role_ready(&first);
	assert_int_equal(start(&second), FINISHED + EXIT_LATER);
	assert_true(has(log_file, "held by process"));
	assert_true(has(status_file, "state running\n")); /* the first one's */
	role_end(&first, NULL);
	assert_int_equal(start(&second), 0);
	role_end(&second, NULL);
}

static void a_clock_that_cannot_be_read_stops_the_start(void **state)
{
	struct role r;

	(void)state;
	configure("[clock]\nfile = nothing\n");
	assert_int_equal(start(&r), FINISHED + EXIT_USAGE);
	assert_true(has(status_file, "state failed\n"));
	assert_true(has(status_file, "nothing: open: No such file"));
	configure("");
	assert_int_equal(start(&r), 0); /* the lock is free */
	role_end(&r, NULL);
}

static void the_clock_follows_the_file(void **state)
{
	char path[320];
	struct role r;

	(void)state;
	assert_int_equal(clock_file_write(tmpdir_file(&tmp, path, "clock"), 1000000, NULL), 0);
	configure("[clock]\nfile = clock\n");
	assert_int_equal(start(&r), 0);
	assert_in_range(clock_now(&r.clock), 1000000, 1000000 + LONG_MS);
	role_end(&r, NULL);
}

/* A full disk must not stop a program: the age of its status tells. */
static void a_status_that_cannot_be_written_is_no_failure(void **state)
{
	struct role r;

	(void)state;
	assert_int_equal(start(&r), 0);
	assert_int_equal(unlink(status_file), 0);
	assert_int_equal(fs_mkdirs(status_file, NULL), 0); /* a folder stands in the way */
	r.status_ms -= 1000;
	role_tick(&r);
	assert_true(has(log_file, "warn STATUS-WRITE role=test errno="));
	assert_int_equal(role_end(&r, NULL), EXIT_YES);
}

/* A signal that arrives before the wait is not lost: the wait ends at once, and all later ones
 * too. */
static void a_stop_before_the_wait_ends_it(void **state)
{
	static const int numbers[] = {SIGTERM, SIGINT, 0};

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct role r;

		assert_int_equal(start(&r), 0);
		assert_false(role_stopping());
		if (numbers[i])
			raise(numbers[i]);
		else
			role_stop();
		assert_true(role_stopping());
		role_wait(LONG_MS);
		role_wait(LONG_MS);
		role_end(&r, NULL);
	}
}

static void a_hangup_ends_one_wait_and_reopens_the_log(void **state)
{
	char old[320];
	struct role r;
	int64_t before;

	(void)state;
	assert_int_equal(start(&r), 0);
	assert_int_equal(rename(log_file, tmpdir_file(&tmp, old, "log/old")), 0);
	raise(SIGHUP);
	role_wait(LONG_MS);
	assert_false(role_stopping());
	assert_false(fs_exists(log_file));
	role_tick(&r);
	assert_true(fs_exists(log_file));
	before = clock_monotonic();
	role_wait(20); /* sleeps again */
	assert_true(clock_monotonic() - before >= 19);
	role_wait(0);
	role_wait(-5);
	role_end(&r, NULL);
	assert_true(has(log_file, "ROLE-STOP"));
}

/* From outside, as the supervisor does it: the child waits for ten minutes, and ends at once. */
static void a_signal_ends_a_waiting_program(void **state)
{
	char text[8];
	int ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		char number[16];
		struct role r;

		alarm(PATIENCE_S);
		snprintf(number, sizeof number, "%d", ends[1]);
		setenv("QIAO_READY_FD", number, 1);
		if (start(&r) != 0)
			_exit(98);
		role_ready(&r);
		while (!role_stopping()) {
			role_wait(LONG_MS);
			role_tick(&r);
		}
		_exit(role_end(&r, NULL));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof text), 6);
	close(ends[0]);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_YES);
	assert_true(has(status_file, "state stopped\n"));
}

static void counters_are_logged_each_minute_and_at_stop(void **state)
{
	struct role r;

	(void)state;
	assert_int_equal(start(&r), 0);
	at[0].value = 5;
	role_tick(&r);
	assert_false(has(log_file, "COUNTERS"));
	r.counters_ms -= 60000;
	role_tick(&r);
	assert_true(has(log_file, "info COUNTERS rows_read=5 rows_sent=0\n"));
	at[1].value = 9;
	role_end(&r, NULL);
	assert_true(has(log_file, "info COUNTERS rows_read=5 rows_sent=9\n"));
}

static void many_counters_are_logged_to_the_last(void **state)
{
	enum { MANY = 100 };
	static struct counter many[MANY];
	static char names[MANY][40];
	struct role r;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "a_counter_with_quite_a_long_name_%d", i);
		many[i] = (struct counter){names[i], "help", INT32_MAX};
	}
	assert_int_equal(start(&r), 0);
	r.counters = (struct counters){many, MANY};
	role_end(&r, NULL);
	for (int i = 0; i < MANY; i++) {
		char pair[60];

		snprintf(pair, sizeof pair, "%.39s=2147483647", names[i]);
		assert_true(has(log_file, pair));
		assert_true(has(status_file, pair));
	}
}

/* ---- hot stand-by ---- */

static int start_one(struct role *r, const char *option)
{
	char *argv[] = {(char[]){"qiao-test"}, (char[]){"-c"}, ini, (char *)(uintptr_t)option,
			NULL};

	*r = (struct role){.name = "test", .summary = "Tests.", .can_stand_by = true};
	return role_start(r, option ? 4 : 3, argv);
}

/* The whole life of one, as a program has it: without the locks of the first one, which a fork alone
 * would hand on. */
static pid_t start_second(const struct role *first)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		struct err e = {0};
		struct role r;
		int rc;

		alarm(PATIENCE_S);
		if (first) {
			close(first->lock_fd);
			close(first->work_fd);
		}
		if (start_one(&r, "--stand-by") != 0)
			_exit(98);
		rc = role_lock(&r, &e);
		if (rc == 0) {
			role_ready(&r);
			while (!role_stopping()) {
				role_wait(LONG_MS);
				role_tick(&r);
			}
		}
		_exit(role_end(&r, rc < 0 ? &e : NULL));
	}
	assert_true(child > 0);
	return child;
}

static void await(const char *path, const char *text)
{
	while (!fs_exists(path) || !has(path, text)) /* alarm ends what takes too long */
		poll(NULL, 0, 5);
}

static void stop_second(pid_t child)
{
	int status;

	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_YES);
}

static void a_stand_by_takes_over_when_the_first_one_ends(void **state)
{
	char second_status[320], second_log[320];
	struct role first;
	struct err e = {0};
	pid_t second;

	(void)state;
	tmpdir_file(&tmp, second_status, "data/run/test-standby.status");
	tmpdir_file(&tmp, second_log, "log/qiao-test-standby.log");
	assert_int_equal(start_one(&first, NULL), 0);
	assert_int_equal(role_lock(&first, &e), 0);
	role_ready(&first);
	second = start_second(&first);
	await(second_status, "state standby\n");
	assert_true(has(status_file, "state running\n"));
	role_end(&first, NULL);
	await(second_status, "state running\n");
	assert_true(has(second_log, "ROLE-TAKE-OVER role=test-standby"));
	assert_true(has(status_file, "state stopped\n")); /* that of the first one is its own */
	stop_second(second);
	assert_true(has(second_status, "state stopped\n"));
}

static void a_stand_by_that_waits_can_be_stopped(void **state)
{
	char path[320], number[16], text[8];
	struct role first, again;
	struct err e = {0};
	int ends[2];
	pid_t second;

	(void)state;
	tmpdir_file(&tmp, path, "data/run/test-standby.status");
	assert_int_equal(start_one(&first, NULL), 0);
	assert_int_equal(role_lock(&first, &e), 0);
	assert_int_equal(pipe(ends), 0);
	snprintf(number, sizeof number, "%d", ends[1]);
	setenv("QIAO_READY_FD", number, 1);
	second = start_second(&first);
	unsetenv("QIAO_READY_FD");
	close(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof text), 6); /* it waits, and that is its work */
	close(ends[0]);
	await(path, "state standby\n");
	/* Two under one name would write one status. */
	assert_int_equal(start_one(&again, "--stand-by"), FINISHED + EXIT_LATER);
	stop_second(second);
	assert_true(has(path, "state stopped\n"));
	role_end(&first, NULL);
}

/* The first one, started again after the second took over. */
static void the_first_one_waits_only_where_that_is_wished_for(void **state)
{
	static const struct {
		const char *settings;
		bool waits;
	} table[] = {
		{"", false},
		{"[gateway]\nstand_by = yes\n", true},
		{"[run]\nprograms = qiao-x qiao-test-standby\n", true},
		{"[run]\nprograms = qiao-test-standby-x qiao-test\n", false},
	};
	char path[320];

	(void)state;
	tmpdir_file(&tmp, path, "data/run/test-standby.status");
	for (size_t i = 0; i < COUNT(table); i++) {
		pid_t second = start_second(NULL);
		struct err e = {0};
		struct role first;

		await(path, "state running\n");
		configure(table[i].settings);
		assert_int_equal(start_one(&first, NULL), 0);
		if (table[i].waits)
			role_stop(); /* else it would wait for ever */
		assert_int_equal(role_lock(&first, &e), table[i].waits ? 1 : -1);
		assert_int_equal(e.class, table[i].waits ? ERR_NONE : ERR_TEMP);
		role_end(&first, table[i].waits ? NULL : &e);
		stop_second(second);
	}
}

static void only_who_can_stand_by_knows_the_option(void **state)
{
	char *argv[] = {(char[]){"qiao-test"}, (char[]){"--stand-by"}, NULL};
	char *named[] = {(char[]){"/bin/qiao-test-standby"}, (char[]){"-c"}, ini, NULL};
	char out[2000];
	struct role r = {.name = "test", .summary = "Tests.", .can_stand_by = true};
	struct err e = {0};

	(void)state;
	assert_int_equal(run(2, argv, out, sizeof out), EXIT_USAGE);
	/* The name of the program says the same. */
	assert_int_equal(role_start(&r, 3, named), 0);
	assert_int_equal(role_lock(&r, &e), 0);
	assert_false(fs_exists(status_file));
	role_end(&r, NULL);
}

/* The supervisor takes for dead who writes no status. */
static void waits_and_questions_are_signs_of_life(void **state)
{
	struct role r;

	(void)state;
	assert_int_equal(start(&r), 0);
	role_ready(&r);
	at[0].value = 1;
	r.status_ms -= 1000;
	assert_false(role_stopping());
	assert_true(has(status_file, "rows_read=1"));
	at[0].value = 2;
	r.status_ms -= 1000;
	role_wait(1);
	assert_true(has(status_file, "rows_read=2"));
	at[0].value = 3;
	role_wait(1200); /* longer than a sign may be away */
	assert_true(has(status_file, "rows_read=3"));
	role_end(&r, NULL);
	at[0].value = 4;
	r.status_ms -= 1000;
	role_stopping();
	assert_false(has(status_file, "rows_read=4")); /* the dead give none */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(help_is_shown_and_usage_checked),
		TEST(a_wrong_configuration_is_told_whole),
		TEST(status_follows_the_life_of_the_program),
		TEST(a_failure_is_noted_and_has_its_exit_status),
		TEST(the_supervisor_is_told_once),
		TEST(a_ready_descriptor_that_is_none_harms_nothing),
		TEST(a_second_one_may_not_start),
		TEST(a_clock_that_cannot_be_read_stops_the_start),
		TEST(the_clock_follows_the_file),
		TEST(a_status_that_cannot_be_written_is_no_failure),
		TEST(a_stop_before_the_wait_ends_it),
		TEST(a_hangup_ends_one_wait_and_reopens_the_log),
		TEST(a_signal_ends_a_waiting_program),
		TEST(counters_are_logged_each_minute_and_at_stop),
		TEST(many_counters_are_logged_to_the_last),
		TEST(a_stand_by_takes_over_when_the_first_one_ends),
		TEST(a_stand_by_that_waits_can_be_stopped),
		TEST(the_first_one_waits_only_where_that_is_wished_for),
		TEST(only_who_can_stand_by_knows_the_option),
		TEST(waits_and_questions_are_signs_of_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
