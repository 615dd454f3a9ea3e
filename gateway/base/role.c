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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The descriptor makes waiting free of races: a signal that arrives between looking at the flag and
 * poll leaves it readable, and poll returns at once. */
static volatile sig_atomic_t stop_asked, reopen_asked;
static int wake_fd = -1;
/* Who gives signs of life from waits that know no role. */
static struct role *living;

enum {
	STATUS_MS = 1000,
	COUNTERS_MS = 60000,
	COUNTERS_A_LINE = 30,
	LOCK_LOOK_MS = 100, /* a stand-by looks for the lock that often */
	FINISHED = 1000
};
static const char standby_suffix[] = "-standby";

static int parse(struct role *r, int argc, char **argv, const char **file);
static void print_help(const struct role *r, const char *file);
static int load(struct role *r, const char *file);
static void name_instance(struct role *r, const char *program);
static int open_world(struct role *r, struct err *e);
static bool waits_for_lock(const struct role *r);
static void stand_by(struct role *r, const struct err *held);
static void tell_supervisor(const struct role *r);
static void give_sign(struct role *r);
static int install_signals(struct err *e);
static void on_signal(int number);
static void write_status(struct role *r, const char *note);
static void log_counters(const struct role *r);
static int role_path(const struct role *r, char path[CONF_PATH], const char *name,
		     const char *suffix);

int role_start(struct role *r, int argc, char **argv)
{
	const char *file = "qiao.ini";
	struct err e = {0};
	int rc;

	r->lock_fd = r->work_fd = -1;
	r->state = "starting";
	stop_asked = reopen_asked = 0;
	rc = parse(r, argc, argv, &file);
	if (rc == 0)
		rc = load(r, file);
	if (rc != 0)
		return rc;
	if (open_world(r, &e) < 0)
		return FINISHED + role_end(r, &e);
	log_info("ROLE-START", "role=%s pid=%d", r->instance, (int)getpid());
	write_status(r, "");
	living = r;
	return 0;
}

int role_lock(struct role *r, struct err *e)
{
	char path[CONF_PATH];
	struct err held;
	bool waited = false;

	if (role_path(r, path, r->name, "lock") < 0)
		return err_set(e, ERR_CONF, "[data] dir: path too long");
	/* The path is opened anew each time: what counts is the file that is there. */
	while (fs_lock(path, &r->work_fd, &held) < 0) {
		if (held.sys != EWOULDBLOCK || !waits_for_lock(r)) {
			*e = held;
			return -1;
		}
		if (!waited)
			stand_by(r, &held);
		waited = true;
		role_wait(LOCK_LOOK_MS);
		role_tick(r);
		if (role_stopping())
			return 1;
	}
	if (waited) {
		r->state = "starting";
		write_status(r, "");
		log_warn("ROLE-TAKE-OVER", "role=%s pid=%d", r->instance, (int)getpid());
	}
	return 0;
}

void role_ready(struct role *r)
{
	r->state = "running";
	write_status(r, "");
	log_info("ROLE-READY", "role=%s", r->instance);
	tell_supervisor(r);
}

static void tell_supervisor(const struct role *r)
{
	const char *number = getenv("QIAO_READY_FD");
	int64_t fd;

	if (number == NULL)
		return;
	if (str_int(str_of(number), 3, INT32_MAX, &fd) < 0) {
		log_warn("ROLE-READY-FD", "role=%s", r->instance);
		return;
	}
	if (write((int)fd, "ready\n", 6) != 6)
		log_warn("ROLE-READY-FD", "role=%s errno=%d", r->instance, errno);
	close((int)fd);
	unsetenv("QIAO_READY_FD");
}

bool role_stopping(void)
{
	if (living)
		give_sign(living);
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
	give_sign(r);
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
	int64_t until = clock_monotonic() + ms;
	uint64_t count;

	while (!role_stopping() && ms > 0) {
		int rc = poll(&wake, 1, ms > STATUS_MS ? STATUS_MS : (int)ms);

		if (rc > 0 && read(wake_fd, &count, sizeof count) < 0)
			log_warn("ROLE-WAKE", "errno=%d", errno);
		if (rc != 0)
			return;
		ms = until - clock_monotonic();
	}
}

int role_end(struct role *r, const struct err *e)
{
	bool failed = e && e->class != ERR_NONE;
	char text[LOG_VALUE];

	if (living == r)
		living = NULL;
	if (failed)
		log_error("ROLE-FAILED", "role=%s exit=%d why=%s", r->instance, (int)err_exit(e),
			  log_value(text, e->text));
	r->state = failed ? "failed" : "stopped";
	if (r->lock_fd >= 0) { /* else the status file is that of another process, which holds it */
		log_counters(r);
		if (!failed)
			log_info("ROLE-STOP", "role=%s", r->instance);
		write_status(r, failed ? e->text : "");
	}
	if (r->can_stand_by)
		fs_unlock(r->work_fd);
	fs_unlock(r->lock_fd);
	r->lock_fd = r->work_fd = -1;
	return failed ? (int)err_exit(e) : EXIT_YES;
}

static void print_help(const struct role *r, const char *file)
{
	printf("usage: qiao-%s [-c FILE]%s\n\n%s\n\n  -c FILE     the configuration (default: "
	       "%s)\n",
	       r->name, r->can_stand_by ? " [--stand-by]" : "", r->summary, file);
	if (r->can_stand_by)
		printf("  --stand-by  the second one on this host (as the name qiao-%s%s says "
		       "too): "
		       "waits\n              while another one is at work, takes over when that "
		       "one "
		       "ends or dies;\n              status, log and process are called "
		       "qiao-%s%s\n\n"
		       "One of the two works at a time, whichever was there first. So that the "
		       "first "
		       "one\nwaits as well when it comes back: [%s] stand_by = yes, or name "
		       "qiao-%s%s\nin [run] programs.\n",
		       r->name, standby_suffix, r->name, standby_suffix, r->name, r->name,
		       standby_suffix);
}

/* The second one is known by the end of its program's name. */
static void name_instance(struct role *r, const char *program)
{
	size_t n = strlen(program), m = sizeof standby_suffix - 1;

	r->standby = r->can_stand_by && n >= m && strcmp(program + n - m, standby_suffix) == 0;
	snprintf(r->instance, sizeof r->instance, "%s%s", r->name,
		 r->standby ? standby_suffix : "");
}

/* 0 to go on, else what role_start gives back. */
static int parse(struct role *r, int argc, char **argv, const char **file)
{
	const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{r->can_stand_by ? "stand-by" : NULL, no_argument, NULL, 's'},
		{0}};
	int option;

	optind = 0; /* starts anew, for tests that parse more than once */
	name_instance(r, argv[0]);
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'c') {
			*file = optarg;
		} else if (option == 'h') {
			print_help(r, *file);
			return FINISHED + EXIT_YES;
		} else if (option == 's') {
			name_instance(r, standby_suffix);
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
	snprintf(program, sizeof program, "qiao-%s", r->instance);
	if (r->standby)
		prctl(PR_SET_NAME, program); /* cut to 15 characters, as for any program */
	r->started_ms = clock_wall();
	r->counters_ms = clock_monotonic();
	if (log_open(program, r->conf.log.dir, (enum log_level)r->conf.log.level, e) < 0)
		return -1;
	if (fs_join(run, sizeof run, r->conf.data.dir, "run") < 0 ||
	    role_path(r, lock, r->instance, r->can_stand_by ? "process.lock" : "lock") < 0)
		return err_set(e, ERR_CONF, "[data] dir: path too long");
	if (fs_mkdirs(run, e) < 0 || fs_lock(lock, &r->lock_fd, e) < 0)
		return -1;
	if (clock_init(&r->clock, r->conf.clock.file, e) < 0)
		return -1;
	return install_signals(e);
}

/* Who lists the second one means it: the first one waits as well when it is started again. */
static bool waits_for_lock(const struct role *r)
{
	char second[64], name[64];
	struct str list = str_of(r->conf.run.programs);

	snprintf(second, sizeof second, "qiao-%s%s", r->name, standby_suffix);
	for (size_t n; list.n > 0; list.p += n, list.n -= n) {
		list = str_trim(list);
		n = strcspn(list.p, " ");
		if (str_copy(name, sizeof name, (struct str){list.p, n}) == 0 &&
		    strcmp(name, second) == 0)
			return true;
	}
	return r->standby || r->conf.gateway.stand_by;
}

/* Waiting is its work: a supervisor has nothing more to wait for. */
static void stand_by(struct role *r, const struct err *held)
{
	char text[LOG_VALUE];

	r->state = "standby";
	write_status(r, "");
	log_info("ROLE-STANDBY", "role=%s why=%s", r->instance, log_value(text, held->text));
	tell_supervisor(r);
}

static void give_sign(struct role *r)
{
	if (clock_monotonic() - r->status_ms >= STATUS_MS)
		write_status(r, "");
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

/* A status that cannot be written is no reason to stop; its at_ms tells. */
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
	if (rc < 0 || role_path(r, path, r->instance, "status") < 0) {
		log_warn("STATUS-WRITE", "role=%s", r->instance);
	} else if (fs_write_atomic(path, text.data, text.len, 0600, &e) < 0) {
		log_warn("STATUS-WRITE", "role=%s errno=%d", r->instance, e.sys);
		/* Nobody may be killed for a full disk: the file's time is a sign of life, too. */
		utimensat(AT_FDCWD, path, NULL, 0);
	}
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

static int role_path(const struct role *r, char path[CONF_PATH], const char *name,
		     const char *suffix)
{
	char file[64];

	snprintf(file, sizeof file, "run/%s.%s", name, suffix);
	return fs_join(path, CONF_PATH, r->conf.data.dir, file);
}
