#include "cli/supervisor.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/log.h"
#include "cli/health.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_EACH_MS = 5000, LOOK_EACH_MS = 1000, STATUS_FILE_MAX = 1 << 17 };

static int add_programs(struct supervisor *s, struct err *e);
static int take_signals(struct supervisor *s, struct err *e);
static void start(struct supervisor *s, struct child *ch);
static void become(const struct child *ch, const char *file, int ready_fd, pid_t parent)
	__attribute__((noreturn));
static void start_due(struct supervisor *s);
static void wait_events(struct supervisor *s);
static int64_t next_due(const struct supervisor *s);
static void look_for_hung(struct supervisor *s);
static bool gave_sign(const struct supervisor *s, struct child *ch);
static void kill_hung(struct supervisor *s, struct child *ch);
static void on_signal(struct supervisor *s);
static void on_ready(struct supervisor *s, struct child *ch);
static void reap(struct supervisor *s);
static void ended(struct supervisor *s, struct child *ch, int wait_status);
static void stop_next(struct supervisor *s);
static bool all_over(const struct supervisor *s);
static bool any_held(const struct supervisor *s);
static void enter(struct supervisor *s, struct child *ch, enum child_state state);
static void tell(struct supervisor *s, const struct child *ch, const char *code, int64_t number);
static void write_status(struct supervisor *s);

bool child_held_by(int wait_status)
{
	int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;

	return status == EXIT_USAGE || status == EXIT_SAFE;
}

int64_t child_backoff(int64_t last_ms, int64_t lived_ms, int64_t min_ms, int64_t max_ms)
{
	if (last_ms == 0 || lived_ms >= SUPERVISOR_FRESH_MS)
		return min_ms;
	return last_ms > max_ms / 2 ? max_ms : last_ms * 2;
}

const char *child_state_code(enum child_state s)
{
	static const char *const codes[CHILD_STATES] = {"waiting", "starting", "running", "held",
							"stopped"};

	return codes[s];
}

const char *child_end_text(char out[24], int wait_status)
{
	if (wait_status == -1)
		snprintf(out, 24, "-");
	else if (WIFSIGNALED(wait_status))
		snprintf(out, 24, "signal %d", WTERMSIG(wait_status));
	else
		snprintf(out, 24, "exit %d", WEXITSTATUS(wait_status));
	return out;
}

bool child_must_give_signs(struct str status, pid_t pid)
{
	struct role_status said;

	role_status_parse(&said, status);
	return said.pid == pid &&
	       (strcmp(said.state, "running") == 0 || strcmp(said.state, "standby") == 0);
}

int supervisor_open(struct supervisor *s, const struct cli *c, struct err *e)
{
	char run[CONF_PATH], lock[CONF_PATH];

	*s = (struct supervisor){
		.cli = c, .signal_fd = -1, .lock_fd = -1, .started_ms = clock_wall()};
	if (add_programs(s, e) < 0)
		return -1;
	if (c->conf.log.dir[0] &&
	    log_open("qiao", c->conf.log.dir, (enum log_level)c->conf.log.level, e) < 0)
		return -1;
	if (cli_path(c, run, "run", e) < 0 || cli_path(c, lock, "run/qiao.lock", e) < 0)
		return -1;
	if (fs_mkdirs(run, e) < 0 || fs_lock(lock, &s->lock_fd, e) < 0)
		return -1;
	return take_signals(s, e);
}

int supervisor_run(struct supervisor *s)
{
	while (!all_over(s)) {
		if (s->stopping)
			stop_next(s);
		else
			start_due(s);
		look_for_hung(s);
		if (clock_monotonic() - s->status_ms >= STATUS_EACH_MS)
			write_status(s);
		wait_events(s);
		reap(s);
	}
	if (!s->stopping)
		tell(s, NULL, "run_nothing_left", 0);
	s->stopping = true;
	tell(s, NULL, any_held(s) ? "run_ended_held" : "run_ended", 0);
	write_status(s);
	return any_held(s) ? EXIT_SAFE : EXIT_YES;
}

void supervisor_close(struct supervisor *s)
{
	for (int i = 0; i < s->count; i++) {
		if (s->children[i].ready_fd >= 0)
			close(s->children[i].ready_fd);
	}
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	fs_unlock(s->lock_fd);
	s->signal_fd = s->lock_fd = -1;
	s->count = 0;
}

/* Every missing program is told, not only the first. */
static int add_programs(struct supervisor *s, struct err *e)
{
	struct str list = str_of(s->cli->conf.run.programs);
	char name[CLI_PROGRAM];
	int rc = 0;

	while (cli_next_program(&list, name) > 0) {
		struct child *ch = &s->children[s->count];
		struct err one = {0};

		if (s->count == SUPERVISOR_CHILDREN_MAX)
			return err_set(e, ERR_CONF, "[run] programs: more than %d",
				       SUPERVISOR_CHILDREN_MAX);
		*ch = (struct child){.ready_fd = -1, .last = -1, .since_ms = clock_wall()};
		str_copy(ch->name, sizeof ch->name, str_of(name));
		if (cli_program(ch->path, name, &one) == 0 && access(ch->path, X_OK) == 0) {
			s->count++;
			continue;
		}
		if (rc < 0)
			cli_fail(e);
		rc = err_set(e, ERR_CONF, "%.300s: [run] programs: no such program", ch->path);
	}
	return rc;
}

/* Signals are read from a descriptor: no handler, so no race between looking and waiting. */
static int take_signals(struct supervisor *s, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, ERR_TEMP, errno, "sigprocmask");
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signal_fd < 0 ? err_sys(e, ERR_TEMP, errno, "signalfd") : 0;
}

static void start(struct supervisor *s, struct child *ch)
{
	int pair[2];
	pid_t parent = getpid(), pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		pair[0] = pair[1] = -1;
	pid = pair[0] < 0 ? -1 : fork();
	if (pid == 0)
		become(ch, s->cli->conf.file, pair[1], parent);
	if (pair[1] >= 0)
		close(pair[1]);
	ch->started_ms = clock_monotonic();
	if (pid < 0) { /* no process or descriptor left: as if it had ended at once */
		if (pair[0] >= 0)
			close(pair[0]);
		ch->backoff_ms = child_backoff(ch->backoff_ms, 0, s->cli->conf.run.backoff_min_ms,
					       s->cli->conf.run.backoff_max_ms);
		ch->restart_at_ms = ch->started_ms + ch->backoff_ms;
		tell(s, ch, "run_no_process", ch->backoff_ms);
		return;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	ch->pid = pid;
	ch->ready_fd = pair[0];
	ch->kill_at_ms = ch->silent_ms = 0;
	enter(s, ch, CHILD_STARTING);
	tell(s, ch, "run_started", pid);
}

/* In the child: leaves nothing of the supervisor behind but the descriptor. */
static void become(const struct child *ch, const char *file, int ready_fd, pid_t parent)
{
	char number[16];
	char *argv[] = {(char *)(uintptr_t)ch->path, (char[]){"-c"}, (char *)(uintptr_t)file, NULL};
	sigset_t none;

	/* The signal follows the parent's end; should that have come before, it is seen here. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_LATER);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	ready_fd = fcntl(ready_fd, F_DUPFD, STDERR_FILENO + 1); /* without close-on-exec */
	snprintf(number, sizeof number, "%d", ready_fd);
	setenv("QIAO_READY_FD", number, 1);
	execv(ch->path, argv);
	dprintf(STDERR_FILENO, "qiao: %s: %s\n", ch->path, strerrordesc_np(errno));
	_exit(EXIT_USAGE);
}

static void start_due(struct supervisor *s)
{
	int64_t now = clock_monotonic();

	for (int i = 0; i < s->count; i++) {
		if (s->children[i].state == CHILD_WAITING && s->children[i].restart_at_ms <= now)
			start(s, &s->children[i]);
	}
}

static void wait_events(struct supervisor *s)
{
	struct pollfd fds[SUPERVISOR_CHILDREN_MAX + 1] = {{.fd = s->signal_fd, .events = POLLIN}};
	int64_t wait = next_due(s) - clock_monotonic();

	for (int i = 0; i < s->count; i++)
		fds[i + 1] = (struct pollfd){.fd = s->children[i].ready_fd, .events = POLLIN};
	if (poll(fds, (nfds_t)s->count + 1, wait < 0 ? 0 : (int)wait) <= 0)
		return;
	if (fds[0].revents)
		on_signal(s);
	for (int i = 0; i < s->count; i++) {
		if (fds[i + 1].revents)
			on_ready(s, &s->children[i]);
	}
}

static int64_t next_due(const struct supervisor *s)
{
	int64_t due = s->status_ms + STATUS_EACH_MS;

	if (s->looked_ms + LOOK_EACH_MS < due)
		due = s->looked_ms + LOOK_EACH_MS;
	for (int i = 0; i < s->count; i++) {
		const struct child *ch = &s->children[i];

		if (!s->stopping && ch->state == CHILD_WAITING && ch->restart_at_ms < due)
			due = ch->restart_at_ms;
		if (ch->pid && ch->kill_at_ms && ch->kill_at_ms < due)
			due = ch->kill_at_ms;
	}
	return due;
}

/* Silence is counted in looks, not read off two clocks: a wall clock that was set, or a machine that slept,
 * makes nobody look dead. A stop has a time limit of its own. */
static void look_for_hung(struct supervisor *s)
{
	int64_t now = clock_monotonic(), passed = now - s->looked_ms;

	if (passed < LOOK_EACH_MS)
		return;
	s->looked_ms = now;
	for (int i = 0; i < s->count && !s->stopping; i++) {
		struct child *ch = &s->children[i];

		if (ch->state != CHILD_RUNNING || gave_sign(s, ch))
			ch->silent_ms = 0;
		else
			ch->silent_ms += passed < 2 * LOOK_EACH_MS ? passed : LOOK_EACH_MS;
		if (ch->silent_ms >= s->cli->conf.run.hang_timeout_ms)
			kill_hung(s, ch);
	}
}

/* Programs that keep no status file are not watched. */
static bool gave_sign(const struct supervisor *s, struct child *ch)
{
	const char *role = strncmp(ch->name, "qiao-", 5) == 0 ? ch->name + 5 : ch->name;
	char name[CLI_PROGRAM + 16], path[CONF_PATH];
	struct stat st;
	struct buf text;
	int64_t before = ch->sign_ns;
	bool signs = true;

	snprintf(name, sizeof name, "run/%s.status", role);
	if (cli_path(s->cli, path, name, NULL) < 0 || stat(path, &st) < 0)
		return true;
	ch->sign_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	if (ch->sign_ns != before)
		return true;
	buf_init(&text, STATUS_FILE_MAX);
	if (fs_read(path, &text, NULL) == 0)
		signs = !child_must_give_signs((struct str){(const char *)text.data, text.len},
					       ch->pid);
	buf_fini(&text);
	return signs;
}

/* Its end is seen by reap, and it is started again like one that crashed. */
static void kill_hung(struct supervisor *s, struct child *ch)
{
	kill(ch->pid, SIGKILL);
	if (s->cli->conf.log.dir[0])
		log_error("PROGRAM-HUNG", "program=%s pid=%d silent_ms=%" PRId64, ch->name,
			  (int)ch->pid, ch->silent_ms);
	tell(s, ch, "run_hung", ch->silent_ms);
	ch->silent_ms = 0;
}

static void on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	struct err e = {0};

	while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP) {
			log_reopen(&e);
			for (int i = 0; i < s->count; i++) {
				if (s->children[i].pid)
					kill(s->children[i].pid, SIGHUP);
			}
			tell(s, NULL, "run_reopened", 0);
		} else if (info.ssi_signo != SIGCHLD && !s->stopping) {
			s->stopping = true;
			tell(s, NULL, "run_stopping", 0);
		}
	}
}

static void on_ready(struct supervisor *s, struct child *ch)
{
	char word[16];
	ssize_t n = read(ch->ready_fd, word, sizeof word);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(ch->ready_fd);
	ch->ready_fd = -1;
	if (n < 6 || memcmp(word, "ready\n", 6) != 0 || ch->state != CHILD_STARTING)
		return; /* ended before it was ready: reap tells how */
	enter(s, ch, CHILD_RUNNING);
	tell(s, ch, "run_ready", clock_monotonic() - ch->started_ms);
}

/* Asks for each child by its id, never for any: what else this process may have as children is not
 * ours to take. */
static void reap(struct supervisor *s)
{
	for (int i = 0; i < s->count; i++) {
		struct child *ch = &s->children[i];
		int wait_status;

		if (ch->pid == 0 || waitpid(ch->pid, &wait_status, WNOHANG) != ch->pid)
			continue;
		if (ch->ready_fd >= 0)
			on_ready(s, ch); /* it may have said ready and ended in one turn */
		if (ch->ready_fd >= 0)
			close(ch->ready_fd);
		ch->ready_fd = -1;
		ended(s, ch, wait_status);
	}
}

static void ended(struct supervisor *s, struct child *ch, int wait_status)
{
	const struct conf *conf = &s->cli->conf;
	int64_t lived = clock_monotonic() - ch->started_ms;

	ch->pid = 0;
	ch->last = wait_status;
	if (child_held_by(wait_status)) {
		enter(s, ch, CHILD_HELD);
		tell(s, ch,
		     WEXITSTATUS(wait_status) == EXIT_SAFE ? "run_held_safe" : "run_held_conf", 0);
	} else if (s->stopping) {
		enter(s, ch, CHILD_STOPPED);
		tell(s, ch, "run_child_ended", 0);
	} else {
		ch->backoff_ms = child_backoff(ch->backoff_ms, lived, conf->run.backoff_min_ms,
					       conf->run.backoff_max_ms);
		ch->restart_at_ms = clock_monotonic() + ch->backoff_ms;
		ch->restarts++;
		enter(s, ch, CHILD_WAITING);
		tell(s, ch, "run_restarting", ch->backoff_ms);
	}
}

/* One after the other, the last started first: who takes in new work ends before who must take it
 * over. */
static void stop_next(struct supervisor *s)
{
	int64_t now = clock_monotonic();
	struct child *ch = NULL;

	for (int i = 0; i < s->count; i++) {
		if (s->children[i].state == CHILD_WAITING)
			enter(s, &s->children[i], CHILD_STOPPED);
		if (s->children[i].pid)
			ch = &s->children[i];
	}
	if (ch == NULL)
		return;
	if (ch->kill_at_ms == 0) {
		ch->kill_at_ms = now + s->cli->conf.run.stop_timeout_ms;
		kill(ch->pid, SIGTERM);
	} else if (ch->kill_at_ms <= now) {
		ch->kill_at_ms = now + s->cli->conf.run.stop_timeout_ms;
		kill(ch->pid, SIGKILL);
		tell(s, ch, "run_killed", s->cli->conf.run.stop_timeout_ms);
	}
}

static bool all_over(const struct supervisor *s)
{
	for (int i = 0; i < s->count; i++) {
		if (s->children[i].pid || (!s->stopping && s->children[i].state != CHILD_HELD))
			return false;
	}
	return true;
}

static bool any_held(const struct supervisor *s)
{
	for (int i = 0; i < s->count; i++) {
		if (s->children[i].state == CHILD_HELD)
			return true;
	}
	return false;
}

static void enter(struct supervisor *s, struct child *ch, enum child_state state)
{
	ch->state = state;
	ch->since_ms = clock_wall();
	s->status_ms = clock_monotonic() - STATUS_EACH_MS; /* to be written in this turn */
}

/* A line for the person at the terminal, and the same as a line of the log where there is one. {0}
 * program, {1} number, {2} how it ended. */
static void tell(struct supervisor *s, const struct child *ch, const char *code, int64_t number)
{
	const struct cli *c = s->cli;
	char time[40], digits[24], end[24];
	const char *name = ch ? ch->name : "qiao";

	snprintf(digits, sizeof digits, "%" PRId64, number);
	child_end_text(end, ch ? ch->last : -1);
	printf("%.19s ", time_text(time, clock_wall()));
	cli_say(c, code, name, digits, end, NULL);
	fflush(stdout);
	if (c->conf.log.dir[0])
		log_info("RUN", "what=%s program=%s number=%s end=\"%s\"", code, name, digits, end);
}

/* The same form as the other programs' (base/role.h), with a line a program. Its loss is no reason
 * to stop. */
static void write_status(struct supervisor *s)
{
	char path[CONF_PATH], end[24];
	struct buf text;
	int rc = 0;

	s->status_ms = clock_monotonic();
	buf_init(&text, 1 << 16);
	rc |= buf_printf(&text, "pid %d\nstate %s\nsince_ms %" PRId64 "\nat_ms %" PRId64 "\n",
			 (int)getpid(), all_over(s) ? "stopped" : "running", s->started_ms,
			 clock_wall());
	for (int i = 0; i < s->count; i++) {
		const struct child *ch = &s->children[i];

		rc |= buf_printf(&text, "program %s %s %d %" PRId64 " %" PRId64 " %s\n", ch->name,
				 child_state_code(ch->state), (int)ch->pid, ch->since_ms,
				 ch->restarts, child_end_text(end, ch->last));
	}
	if (rc == 0 && cli_path(s->cli, path, "run/qiao.status", NULL) == 0)
		rc = fs_write_atomic(path, text.data, text.len, 0600, NULL);
	if (rc < 0 && s->cli->conf.log.dir[0])
		log_warn("STATUS-WRITE", "role=qiao");
	buf_fini(&text);
}
