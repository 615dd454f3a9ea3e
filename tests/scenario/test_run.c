/* qiao run with programs of this test's own: it copies qiao, and itself under the names of
 * programs, into a folder; a copy then does what a file beside it says, and notes in a journal what
 * happens to it. */
#include "base/str.h"
#include "tests/lib/command.h"
#include "tests/lib/which_bus.h"

/* ---- a program under supervision ---- */

static char act_dir[512], act_name[64];

static void note(const char *what)
{
	char line[256], path[600];
	int fd, n = snprintf(line, sizeof line, "%s %s %d\n", what, act_name, (int)getpid());

	snprintf(path, sizeof path, "%s/journal", act_dir);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		_exit(90);
	close(fd);
}

static void say_ready(void)
{
	const char *number = getenv("QIAO_READY_FD");
	int64_t fd;

	if (number == NULL || str_int(str_of(number), 3, 1000, &fd) < 0 ||
	    write((int)fd, "ready\n", 6) != 6)
		_exit(91);
	close((int)fd);
}

/* Until SIGTERM; a SIGHUP is noted. */
static void wait_for_end(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	note("waiting");
	while (sigwait(&set, &number) == 0 && number == SIGHUP)
		note("hup");
}

/* One line of the file is one life: the words of the line are done in order, the last line stands
 * for all further lives. */
static int act(void)
{
	char path[600], text[4096], *line, *end, *word, *left;
	int lives, fd;

	snprintf(path, sizeof path, "%s/%s.lives", act_dir, act_name);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, ".", 1) != 1)
		return 92;
	lives = (int)lseek(fd, 0, SEEK_CUR);
	close(fd);
	snprintf(path, sizeof path, "%s/%s.act", act_dir, act_name);
	text_of(path, text, sizeof text);
	for (line = text; --lives > 0 && (end = strchr(line, '\n')) && end[1]; line = end + 1)
		;
	line[strcspn(line, "\n")] = '\0';
	note("start");
	for (word = strtok_r(line, " ", &left); word; word = strtok_r(NULL, " ", &left)) {
		if (strcmp(word, "ready") == 0)
			say_ready();
		else if (strcmp(word, "wait") == 0)
			wait_for_end();
		else if (strcmp(word, "deaf") == 0)
			signal(SIGTERM, SIG_IGN), note("waiting"), pause();
		else if (strcmp(word, "crash") == 0)
			raise(SIGKILL);
		else if (strncmp(word, "exit", 4) == 0)
			return word[4] - '0';
	}
	note("end");
	return 0;
}

/* ---- the test's side ---- */

struct world {
	struct tmpdir dir;
	char bin[320], ini[320], out[320], err[320], journal[320];
	pid_t pid;
	struct which_bus bus;
};
static const char *const all[] = {"qiao-aa", "qiao-bb", "qiao-cc"};

static void copy(const char *from, const char *to)
{
	struct buf b;
	struct err e = {0};

	buf_init(&b, 256 << 20);
	if (fs_read(from, &b, &e) < 0 || fs_write_atomic(to, b.data, b.len, 0700, &e) < 0)
		fail_msg("%s", e.text);
	buf_fini(&b);
}

static void make_world(struct world *w, const char *const acts[3])
{
	char path[512], to[400], here[400];
	struct err e = {0};
	struct buf text;

	*w = (struct world){0};
	tmpdir_make(&w->dir);
	if (which_bus_open(&w->bus, tmpdir_file(&w->dir, to, "data"), &e) < 0)
		fail_msg("%s", e.text);
	tmpdir_file(&w->dir, w->bin, "qiao");
	tmpdir_file(&w->dir, w->ini, "qiao.ini");
	tmpdir_file(&w->dir, w->out, "out");
	tmpdir_file(&w->dir, w->err, "err");
	tmpdir_file(&w->dir, w->journal, "journal");
	copy(built_program(path, "qiao"), w->bin);
	for (int i = 0; i < 3; i++) {
		snprintf(to, sizeof to, "%s/%s", w->dir.path, all[i]);
		copy("/proc/self/exe", to);
		snprintf(to, sizeof to, "%s/%s.act", w->dir.path, all[i]);
		write_text(to, acts[i]);
	}
	assert_non_null(getcwd(here, sizeof here));
	buf_init(&text, 1 << 16);
	buf_printf(&text,
		   "[reference]\npolicy = %s/config/policy\ncalendar = "
		   "%s/config/calendar.csv\nvillages = %s/config/villages.csv\n"
		   "[run]\nprograms = qiao-aa qiao-bb qiao-cc\nbackoff_min = 10ms\nbackoff_max = "
		   "60ms\nstop_timeout = 300ms\n",
		   here, here, here);
	which_bus_put(&w->bus, &text);
	write_text(w->ini, buf_text(&text));
	buf_fini(&text);
}

static void start(struct world *w)
{
	char *argv[] = {w->bin, (char[]){"-c"}, w->ini, (char[]){"run"}, NULL};

	w->pid = command_start(argv, w->out, w->err);
}

/* How often the part is in the file. */
static int times(const char *path, const char *part)
{
	static char text[COMMAND_OUT];
	int count = 0;

	text_of(path, text, sizeof text);
	for (const char *at = text; (at = strstr(at, part)); at++)
		count++;
	return count;
}

static void await(const struct world *w, const char *path, const char *part, int count)
{
	int64_t until = clock_monotonic() + PATIENCE_MS;
	char text[COMMAND_OUT], complaints[COMMAND_OUT];

	while (times(path, part) < count) {
		if (clock_monotonic() > until)
			fail_msg("waited for %d x \"%s\":\n%s\n%s", count, part,
				 text_of(path, text, sizeof text),
				 text_of(w->err, complaints, sizeof complaints));
		poll(NULL, 0, LOOK_MS);
	}
}

static pid_t pid_in_journal(const struct world *w, const char *name)
{
	char text[COMMAND_OUT], part[100], *at;
	int64_t pid = 0;

	text_of(w->journal, text, sizeof text);
	snprintf(part, sizeof part, "start %s ", name);
	at = strstr(text, part);
	assert_non_null(at);
	at += strlen(part);
	assert_int_equal(str_int((struct str){at, strcspn(at, "\n")}, 2, INT32_MAX, &pid), 0);
	return (pid_t)pid;
}

static void assert_order(const struct world *w, const char *const *parts, int count)
{
	char text[COMMAND_OUT];
	const char *at = text_of(w->journal, text, sizeof text);

	for (int i = 0; i < count; i++) {
		at = strstr(at, parts[i]);
		if (at == NULL)
			fail_msg("\"%s\" is not there, or not in its place:\n%s", parts[i], text);
	}
}

static const char *const good[] = {"ready wait", "ready wait", "ready wait"};

static void says_ready_and_stops_in_the_opposite_order(void **state)
{
	static const char *const order[] = {"end qiao-cc", "end qiao-bb", "end qiao-aa"};
	char status[320], text[COMMAND_OUT];
	struct world w;

	(void)state;
	make_world(&w, good);
	start(&w);
	await(&w, w.out, " ready after ", 3);
	await(&w, w.journal, "waiting ", 3);
	tmpdir_file(&w.dir, status, "data/run/qiao.status");
	await(&w, status, " running ", 3);
	kill(w.pid, SIGTERM);
	assert_int_equal(command_wait(w.pid), EXIT_YES);
	assert_order(&w, order, 3);
	assert_has(text_of(w.out, text, sizeof text), "all stopped");
	assert_has(text_of(status, text, sizeof text), "state stopped\n");
	tmpdir_remove(&w.dir);
}

static void starts_again_after_pauses_that_grow(void **state)
{
	static const char *const acts[] = {
		"ready wait", "exit3\nexit1\ncrash\nready exit0\nready wait", "ready wait"};
	struct world w;

	(void)state;
	make_world(&w, acts);
	start(&w);
	await(&w, w.journal, "start qiao-bb", 5);
	await(&w, w.out, "qiao-bb ready", 2);
	assert_int_equal(times(w.out, "qiao-bb ended (exit 3), restarting in 10 ms"), 1);
	assert_int_equal(times(w.out, "qiao-bb ended (exit 1), restarting in 20 ms"), 1);
	assert_int_equal(times(w.out, "qiao-bb ended (signal 9), restarting in 40 ms"), 1);
	assert_int_equal(times(w.out, "qiao-bb ended (exit 0), restarting in 60 ms"), 1);
	assert_int_equal(times(w.journal, "start qiao-aa"), 1);
	assert_int_equal(times(w.journal, "start qiao-cc"), 1);
	await(&w, w.journal, "waiting ", 3);
	kill(w.pid, SIGINT);
	assert_int_equal(command_wait(w.pid), EXIT_YES);
	tmpdir_remove(&w.dir);
}

static void keeps_down_what_asked_for_a_person(void **state)
{
	static const char *const acts[] = {"exit4", "exit2", "ready wait"};
	struct command_said said;
	char status[320];
	struct world w;

	(void)state;
	make_world(&w, acts);
	start(&w);
	await(&w, w.out, "!!! qiao-aa stopped to stay safe", 1);
	await(&w, w.out, "!!! qiao-bb ended because of its configuration", 1);
	await(&w, w.journal, "waiting qiao-cc", 1);
	/* The reason is shown by status too, though these programs wrote no status of their own. */
	tmpdir_file(&w.dir, status, "data/run/qiao.status");
	await(&w, status, " held ", 2);
	command_run(&said, &w.dir, "qiao", "-c", w.ini, "status", NULL);
	assert_int_equal(said.status, EXIT_NO);
	assert_has(said.out, "qiao-aa  held");
	assert_has(said.out, "what a person must do:");
	kill(pid_in_journal(&w, "qiao-cc"), SIGKILL);
	await(&w, w.journal, "start qiao-cc", 2); /* the others are looked after as before */
	await(&w, w.journal, "waiting qiao-cc", 2);
	kill(w.pid, SIGTERM);
	assert_int_equal(command_wait(w.pid), EXIT_SAFE);
	assert_int_equal(times(w.journal, "start qiao-aa"), 1);
	assert_int_equal(times(w.journal, "start qiao-bb"), 1);
	tmpdir_remove(&w.dir);
}

static void ends_when_nothing_may_run(void **state)
{
	static const char *const acts[] = {"exit4", "exit2", "exit4"};
	struct world w;

	(void)state;
	make_world(&w, acts);
	start(&w);
	assert_int_equal(command_wait(w.pid), EXIT_SAFE);
	assert_int_equal(times(w.out, "nothing is left that may run"), 1);
	tmpdir_remove(&w.dir);
}

static void kills_what_does_not_stop(void **state)
{
	static const char *const acts[] = {"ready wait", "ready deaf", "ready wait"};
	static const char *const order[] = {"end qiao-cc", "end qiao-aa"};
	struct world w;

	(void)state;
	make_world(&w, acts);
	start(&w);
	await(&w, w.journal, "waiting ", 3);
	kill(w.pid, SIGTERM);
	assert_int_equal(command_wait(w.pid), EXIT_YES);
	assert_int_equal(times(w.out, "qiao-bb had not stopped after 300 ms and was killed"), 1);
	assert_int_equal(times(w.out, "qiao-bb ended (signal 9)"), 1);
	assert_order(&w, order, 2);
	tmpdir_remove(&w.dir);
}

static void passes_on_sighup(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, good);
	start(&w);
	await(&w, w.journal, "waiting ", 3);
	kill(w.pid, SIGHUP);
	await(&w, w.journal, "hup ", 3);
	kill(w.pid, SIGTERM);
	assert_int_equal(command_wait(w.pid), EXIT_YES);
	assert_int_equal(times(w.journal, "start "), 3);
	tmpdir_remove(&w.dir);
}

/* Killed, it can do nothing any more: the kernel tells its children. They then become children of
 * this test, which asked for that, and end properly. */
static void takes_its_programs_along_when_killed(void **state)
{
	struct world w;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	make_world(&w, good);
	start(&w);
	await(&w, w.journal, "waiting ", 3);
	kill(w.pid, SIGKILL);
	assert_int_equal(command_wait(w.pid), -SIGKILL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(command_wait(pid_in_journal(&w, all[i])), 0);
	await(&w, w.journal, "end ", 3);
	tmpdir_remove(&w.dir);
}

static void runs_once_a_data_folder(void **state)
{
	struct command_said said;
	struct world w;

	(void)state;
	make_world(&w, good);
	start(&w);
	await(&w, w.journal, "waiting ", 3);
	char *argv[] = {w.bin, (char[]){"-c"}, w.ini, (char[]){"run"}, NULL};
	char out[320], err[320];
	assert_int_equal(command_wait(command_start(argv, tmpdir_file(&w.dir, out, "out2"),
						    tmpdir_file(&w.dir, err, "err2"))),
			 EXIT_LATER);
	assert_has(text_of(err, said.err, sizeof said.err), "held by process");
	assert_int_equal(times(w.journal, "start "), 3);
	kill(w.pid, SIGTERM);
	assert_int_equal(command_wait(w.pid), EXIT_YES);
	tmpdir_remove(&w.dir);
}

static void starts_nothing_when_a_program_is_missing(void **state)
{
	char path[400], text[COMMAND_OUT];
	struct world w;

	(void)state;
	make_world(&w, good);
	for (int i = 1; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", w.dir.path, all[i]);
		assert_int_equal(unlink(path), 0);
	}
	start(&w);
	assert_int_equal(command_wait(w.pid), EXIT_USAGE);
	text_of(w.err, text, sizeof text);
	assert_has(text, "/qiao-bb: [run] programs: no such program");
	assert_has(text, "/qiao-cc: [run] programs: no such program");
	assert_int_equal(times(w.journal, "start "), 0);
	tmpdir_remove(&w.dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_ready_and_stops_in_the_opposite_order),
		cmocka_unit_test(starts_again_after_pauses_that_grow),
		cmocka_unit_test(keeps_down_what_asked_for_a_person),
		cmocka_unit_test(ends_when_nothing_may_run),
		cmocka_unit_test(kills_what_does_not_stop),
		cmocka_unit_test(passes_on_sighup),
		cmocka_unit_test(takes_its_programs_along_when_killed),
		cmocka_unit_test(runs_once_a_data_folder),
		cmocka_unit_test(starts_nothing_when_a_program_is_missing),
	};
	const char *name = strrchr(argv[0], '/');

	if (argc == 3 && name && strncmp(name, "/qiao-", 6) == 0) {
		snprintf(act_name, sizeof act_name, "%s", name + 1);
		snprintf(act_dir, sizeof act_dir, "%.*s", (int)(name - argv[0]), argv[0]);
		return act();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
