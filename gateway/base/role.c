/* What the four long-running programs have in common. The order at the start matters: nothing is
 * written before the configuration is whole, the lock is held before the status file is touched
 * (it may belong to the process that holds the lock), and signals are taken last. */
#include "base/role.h"
#include "base/date.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* The descriptor makes waiting free of races: a signal that arrives between looking at the flag and
 * poll leaves it readable, and poll returns at once. */
static volatile sig_atomic_t stop_asked, reopen_asked;
static int wake_fd = -1;

enum { STATUS_MS = 1000, COUNTERS_MS = 60000, COUNTERS_A_LINE = 30, FINISHED = 1000 };

static int parse(struct role *r, int argc, char **argv, const char **file);
static int load(struct role *r, const char *file);
static int open_world(struct role *r, struct err *e);
static int install_signals(struct err *e);
static void on_signal(int number);
static void write_status(struct role *r, const char *note);
static void log_counters(const struct role *r);
static int role_path(const struct role *r, char path[CONF_PATH], const char *suffix);

int role_start(struct role *r, int argc, char **argv)
{
	const char *file = "qiao.ini";
	struct err e = {0};
	int rc;

	r->lock_fd = -1;
	r->state = "starting";
	stop_asked = reopen_asked = 0;
	rc = parse(r, argc, argv, &file);
	if (rc == 0)
		rc = load(r, file);
	if (rc != 0)
		return rc;
	if (open_world(r, &e) < 0)
		return FINISHED + role_end(r, &e);
	log_info("ROLE-START", "role=%s pid=%d", r->name, (int)getpid());
	write_status(r, "");
	return 0;
}

void role_ready(struct role *r)
{
	const char *number = getenv("QIAO_READY_FD");
	int64_t fd;

	r->state = "running";
	write_status(r, "");
	log_info("ROLE-READY", "role=%s", r->name);
	if (number == NULL)
		return;
	if (str_int(str_of(number), 3, INT32_MAX, &fd) < 0) {
		log_warn("ROLE-READY-FD", "role=%s", r->name);
		return;
	}
	if (write((int)fd, "ready\n", 6) != 6)
		log_warn("ROLE-READY-FD", "role=%s errno=%d", r->name, errno);
	close((int)fd);
	unsetenv("QIAO_READY_FD");
}

bool role_stopping(void)
{
	return stop_asked != 0;
}

void role_stop(void)
{
	on_signal(SIGTERM);
}

void role_tick(struct role *r)
{
	int64_t now = clock_monotonic();
	struct err e = {0};
	char text[LOG_VALUE];

	if (reopen_asked) {
		reopen_asked = 0;
		if (log_reopen(&e) < 0)
			log_error("LOG-REOPEN", "why=%s", log_value(text, e.text));
	}
	if (now - r->status_ms >= STATUS_MS)
		write_status(r, "");
	if (now - r->counters_ms >= COUNTERS_MS) {
		r->counters_ms = now;
		log_counters(r);
	}
}

bool role_going(void *role)
{
	role_tick(role);
	return !role_stopping();
}

void role_wait(int64_t ms)
{
	struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
	uint64_t count;

	if (stop_asked || ms <= 0)
		return;
	if (poll(&wake, 1, ms > INT32_MAX ? INT32_MAX : (int)ms) > 0 &&
	    read(wake_fd, &count, sizeof count) < 0)
		log_warn("ROLE-WAKE", "errno=%d", errno);
}

int role_end(struct role *r, const struct err *e)
{
	bool failed = e && e->class != ERR_NONE;
	char text[LOG_VALUE];

	if (failed)
		log_error("ROLE-FAILED", "role=%s exit=%d why=%s", r->name, (int)err_exit(e),
			  log_value(text, e->text));
	r->state = failed ? "failed" : "stopped";
	if (r->lock_fd >= 0) { /* else the status file is that of another process, which holds it */
		log_counters(r);
		if (!failed)
			log_info("ROLE-STOP", "role=%s", r->name);
		write_status(r, failed ? e->text : "");
	}
	fs_unlock(r->lock_fd);
	r->lock_fd = -1;
	return failed ? (int)err_exit(e) : EXIT_YES;
}

/* 0 to go on, else what role_start gives back. */
static int parse(struct role *r, int argc, char **argv, const char **file)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option;

	optind = 0; /* starts anew, for tests that parse more than once */
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'c') {
			*file = optarg;
		} else if (option == 'h') {
			printf("usage: qiao-%s [-c FILE]\n\n%s\n\n  -c FILE  the configuration "
			       "(default: %s)\n",
			       r->name, r->summary, *file);
			return FINISHED + EXIT_YES;
		} else {
			return FINISHED + EXIT_USAGE; /* getopt has told why */
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "qiao-%s: unexpected: %s (try --help)\n", r->name, argv[optind]);
	return FINISHED + EXIT_USAGE;
}

/* The log is not open yet, and who starts a program by hand looks at the terminal. */
static int load(struct role *r, const char *file)
{
	struct complaints why = {0};

	if (conf_load(&r->conf, file, &why) == 0)
		return 0;
	for (int i = 0; i < why.count && i < COMPLAINTS_MAX; i++)
		fprintf(stderr, "%s:%d: %s\n", file, why.at[i].line, why.at[i].text);
	if (why.count > COMPLAINTS_MAX)
		fprintf(stderr, "%s: and %d more\n", file, why.count - COMPLAINTS_MAX);
	return FINISHED + EXIT_USAGE;
}

/* Everything that touches the world, in the order told at the head. What is open when a step fails
 * is closed by role_end. */
static int open_world(struct role *r, struct err *e)
{
	char program[64], run[CONF_PATH], lock[CONF_PATH];

	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	snprintf(program, sizeof program, "qiao-%s", r->name);
	r->started_ms = clock_wall();
	r->counters_ms = clock_monotonic();
	if (log_open(program, r->conf.log.dir, (enum log_level)r->conf.log.level, e) < 0)
		return -1;
	if (fs_join(run, sizeof run, r->conf.data.dir, "run") < 0 || role_path(r, lock, "lock") < 0)
		return err_set(e, ERR_CONF, "[data] dir: path too long");
	if (fs_mkdirs(run, e) < 0 || fs_lock(lock, &r->lock_fd, e) < 0)
		return -1;
	if (clock_init(&r->clock, r->conf.clock.file, e) < 0)
		return -1;
	return install_signals(e);
}

static int install_signals(struct err *e)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (wake_fd < 0)
		wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return err_sys(e, ERR_TEMP, errno, "eventfd");
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (sigaction(numbers[i], &action, NULL) < 0)
			return err_sys(e, ERR_TEMP, errno, "sigaction");
	}
	return 0;
}

/* Only what is safe in a handler: flags and write(2). */
static void on_signal(int number)
{
	uint64_t one = 1;
	int saved = errno;

	if (number == SIGHUP)
		reopen_asked = 1;
	else
		stop_asked = 1;
	/* Fails only when the count is full, and then poll wakes up anyway. */
	if (wake_fd >= 0 && write(wake_fd, &one, sizeof one) < 0)
		errno = 0;
	errno = saved;
}

/* A status that cannot be written is no reason to stop; its age tells. */
static void write_status(struct role *r, const char *note)
{
	char path[CONF_PATH], clean[sizeof((struct err *)0)->text];
	struct buf text;
	struct err e = {0};
	int rc = 0;

	r->status_ms = clock_monotonic();
	str_copy(clean, sizeof clean, str_of(note));
	for (char *p = clean; *p; p++) {
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	}
	buf_init(&text, 1 << 16);
	rc |= buf_printf(&text, "pid %d\nstate %s\nsince_ms %" PRId64 "\nat_ms %" PRId64 "\n",
			 (int)getpid(), r->state, r->started_ms, clock_wall());
	if (clean[0])
		rc |= buf_printf(&text, "note %s\n", clean);
	if (r->peer[0])
		rc |= buf_printf(&text, "peer %s\n", r->peer);
	rc |= buf_put_str(&text, "counters ");
	rc |= counters_put(&r->counters, &text);
	rc |= buf_put_str(&text, "\n");
	if (rc < 0 || role_path(r, path, "status") < 0)
		log_warn("STATUS-WRITE", "role=%s", r->name);
	else if (fs_write_atomic(path, text.data, text.len, 0600, &e) < 0)
		log_warn("STATUS-WRITE", "role=%s errno=%d", r->name, e.sys);
	buf_fini(&text);
}

/* In parts, because a log line has its limit. */
static void log_counters(const struct role *r)
{
	struct buf text;

	buf_init(&text, 1 << 16);
	for (int i = 0; i < r->counters.count; i += COUNTERS_A_LINE) {
		int left = r->counters.count - i;
		struct counters part = {r->counters.at + i,
					left < COUNTERS_A_LINE ? left : COUNTERS_A_LINE};

		buf_reset(&text);
		if (counters_put(&part, &text) == 0 && buf_text(&text))
			log_info("COUNTERS", "%s", buf_text(&text));
	}
	buf_fini(&text);
}

static int role_path(const struct role *r, char path[CONF_PATH], const char *suffix)
{
	char name[64];

	snprintf(name, sizeof name, "run/%s.%s", r->name, suffix);
	return fs_join(path, CONF_PATH, r->conf.data.dir, name);
}
