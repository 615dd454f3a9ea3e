#include "tests/lib/world.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, LOOK_MS = 5, NINE_O_CLOCK_MS = 9 * 3600 * 1000 };
static pid_t tester; /* the process that opened the world */

static const char *const names[PARTS] = {"sim-tax", "sim-ssa", "qiao-gateway", "qiao-village", "qiao-tax", "qiao-ssa", "qiao", "qiao-gateway-standby"};

/* What a world's qiao.ini says unless told otherwise: short pauses, all else as an operator has it. */
static const struct setting defaults[] = {
	{"data", "dir", "data"},
	{"log", "dir", "log"},
	{"clock", "file", "clock"},
	{"bus", "poll_max", "20ms"},
	{"reference", "no_change_known", "yes"},
	{"keys", "dir", "keys"},
	{"gateway", "enquiry_timeout", "2s"},
	{"gateway", "doubt_enquiry", "200ms"},
	{"gateway", "answer_timeout", "5s"},
	{"gateway", "incomplete_after", "20s"},
	{"village", "poll", "20ms"},
	{"village", "answer_interval", "100ms"},
	{"tax", "feed_interval", "20ms"},
	{"tax", "backoff_min", "20ms"},
	{"tax", "backoff_max", "200ms"},
	{"tax", "connect_timeout", "1s"},
	{"tax", "timeout", "5s"},
	{"tax", "settlement_delay", "1500ms"},
	{"ssa", "feed_interval", "20ms"},
	{"ssa", "backoff_min", "20ms"},
	{"ssa", "backoff_max", "200ms"},
	{"ssa", "connect_timeout", "1s"},
	{"ssa", "timeout", "5s"},
	{"run", "backoff_min", "50ms"},
	{"run", "backoff_max", "500ms"},
};

static int find_programs(struct world *w, struct err *e);
static int make_folders(struct world *w, struct err *e);
static int write_config(struct world *w, struct err *e);
static const char *ini_of(const struct world *w, enum part p, char out[512]);
static const char *registry_url(void);
static int check_run(struct world *w, enum part as, const char *command, const char *what, struct err *e);
static void child(const struct world *w, const char *program, const char *const *args, int out, const char *errors, int ready);
static void agency_args(const struct world *w, enum part p, char text[8][512], const char **args);
static void reap(struct world *w, enum part p, int wait_status, const struct rusage *usage);
static int64_t peak_now(pid_t pid);

const char *part_name(enum part p)
{
	return names[p];
}

static bool is_agency(enum part p)
{
	return p == SIM_TAX || p == SIM_SSA;
}

/* ---- a world ---- */

int world_open(struct world *w, const struct world_options *o, struct err *e)
{
	const char *parent = getenv("TMPDIR");
	char path[512];

	tester = getpid();
	memset(w, 0, sizeof *w);
	w->options = *o;
	for (int i = 0; i < PARTS; i++)
		w->parts[i].ready_fd = -1;
	w->keep = o->dir != NULL;
	if (find_programs(w, e) < 0)
		return -1;
	if (o->dir) {
		if (o->dir[0] == '/')
			snprintf(w->dir, sizeof w->dir, "%s", o->dir);
		else if (getcwd(path, sizeof path))
			snprintf(w->dir, sizeof w->dir, "%.120s/%.120s", path, o->dir);
		if (fs_remove_tree(w->dir, e) < 0 || fs_mkdirs(w->dir, e) < 0)
			return -1;
	} else {
		snprintf(w->dir, sizeof w->dir, "%.200s/qiao-world-XXXXXX", parent && parent[0] ? parent : "/tmp");
		if (!mkdtemp(w->dir))
			return err_sys(e, ERR_TEMP, errno, "%s", w->dir);
	}
	if (make_folders(w, e) < 0 || world_set_day(w, o->day, e) < 0)
		return -1;
	return which_bus_open(&w->bus, world_path(w, path, "data"), e);
}

int world_found(struct world *w, struct err *e)
{
	char ini[512];

	if (world_start(w, SIM_TAX, e) < 0 || world_start(w, SIM_SSA, e) < 0 || write_config(w, e) < 0 ||
	    which_bus_load(&w->bus, world_path(w, ini, "qiao.ini"), e) < 0)
		return -1;
	if (check_run(w, SUPERVISOR, "keygen", NULL, e) < 0 || (w->options.before_init && w->options.before_init(w, w->options.arg, e) < 0) ||
	    check_run(w, GATEWAY, "init", NULL, e) < 0)
		return -1;
	return registry_url()[0] ? check_run(w, GATEWAY, "schemas", "register", e) : 0;
}

void world_close(struct world *w)
{
	world_kill(w, SUPERVISOR);
	for (int i = PARTS - 1; i >= 0; i--)
		world_kill(w, (enum part)i);
	if (!w->keep)
		which_bus_close(&w->bus);
	if (w->dir[0] && !w->keep)
		fs_remove_tree(w->dir, NULL);
}

const char *world_path(const struct world *w, char out[512], const char *name)
{
	snprintf(out, 512, "%s/%s", w->dir, name);
	return out;
}

/* From build/<variant>/bin/<program> or build/<variant>/test/<kind>/<test>: the folder above that has bin/qiao. */
static int find_programs(struct world *w, struct err *e)
{
	char at[300], qiao[320];
	ssize_t n = readlink("/proc/self/exe", at, sizeof at - 1);
	char *slash;

	if (n <= 0)
		return err_sys(e, ERR_CONF, errno, "/proc/self/exe");
	at[n] = '\0';
	while ((slash = strrchr(at, '/')) != NULL && slash != at) {
		*slash = '\0';
		snprintf(qiao, sizeof qiao, "%s/bin/qiao", at);
		if (access(qiao, X_OK) != 0)
			continue;
		snprintf(w->bin, sizeof w->bin, "%.290s/bin", at);
		for (int i = 0; i < 2 && (slash = strrchr(at, '/')); i++)
			*slash = '\0';
		snprintf(w->root, sizeof w->root, "%s", at);
		return 0;
	}
	return err_set(e, ERR_CONF, "no bin/qiao above this program");
}

static int make_folders(struct world *w, struct err *e)
{
	static const char *const folders[] = {"agencies", "log"};
	char path[512];

	for (int i = 0; i < 2; i++)
		if (fs_mkdirs(world_path(w, path, folders[i]), e) < 0)
			return -1;
	return 0;
}

static const char *value_of(const struct world *w, const struct setting *s)
{
	for (const struct setting *o = w->options.settings; o && o->section; o++)
		if (strcmp(o->section, s->section) == 0 && strcmp(o->key, s->key) == 0)
			return o->value;
	return s->value;
}

static bool is_default(const struct setting *s)
{
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		if (strcmp(defaults[i].section, s->section) == 0 && strcmp(defaults[i].key, s->key) == 0)
			return true;
	return false;
}

static int write_config(struct world *w, struct err *e)
{
	static const char *const sections[] = {"data", "log",	  "clock",   "bus", "kafka", "registry", "reference",
					       "keys", "gateway", "village", "tax", "ssa",   "run"};
	struct buf b;
	char path[512];
	int rc;

	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
		const char *section = sections[i];

		buf_printf(&b, "[%s]\n", section);
		if (strcmp(section, "reference") == 0)
			buf_printf(&b, "policy = %s/config/policy\ncalendar = %s/config/calendar.csv\nvillages = %s/config/villages.csv\n",
				   w->root, w->root, w->root);
		if (strcmp(section, "tax") == 0 || strcmp(section, "ssa") == 0)
			buf_printf(&b, "url = http://127.0.0.1:%d\n",
				   w->parts[strcmp(section, "tax") == 0 ? SIM_TAX : SIM_SSA].port);
		if (strcmp(section, "registry") == 0)
			buf_printf(&b, "url = %s\n", registry_url());
		for (size_t k = 0; k < sizeof defaults / sizeof defaults[0]; k++)
			if (strcmp(defaults[k].section, section) == 0)
				buf_printf(&b, "%s = %s\n", defaults[k].key, value_of(w, &defaults[k]));
		for (const struct setting *s = w->options.settings; s && s->section; s++)
			if (strcmp(s->section, section) == 0 && !is_default(s))
				buf_printf(&b, "%s = %s\n", s->key, s->value);
		buf_put_str(&b, "\n");
	}
	which_bus_put(&w->bus, &b);
	rc = fs_write_atomic(world_path(w, path, "qiao.ini"), b.data, b.len, 0600, e);
	buf_fini(&b);
	return rc;
}

static const char *ini_of(const struct world *w, enum part p, char out[512])
{
	char name[40];

	snprintf(name, sizeof name, "%s.ini", names[p]);
	return fs_exists(world_path(w, out, name)) ? out : world_path(w, out, "qiao.ini");
}

static const char *registry_url(void)
{
	const char *url = getenv("QIAO_REGISTRY");

	return url ? url : "";
}

static int check_run(struct world *w, enum part as, const char *command, const char *what, struct err *e)
{
	char ini[512];
	const char *args[] = {"-c", ini_of(w, as, ini), command, what, NULL};
	int status = world_run(w, NULL, "qiao", args);

	return status == 0 ? 0 : err_set(e, ERR_CONF, "qiao %s: exit %d, see %s/log/commands.stderr", command, status, w->dir);
}

int world_set_day(struct world *w, const char *day, struct err *e)
{
	char path[512];
	int days;

	if (date_parse(str_of(day), &days) < 0)
		return err_set(e, ERR_CONF, "%s: no day", day);
	return clock_file_write(world_path(w, path, "clock"), time_of_date(days) + NINE_O_CLOCK_MS, e);
}

int world_faults(struct world *w, enum part sim, const char *spec, struct err *e)
{
	char path[512];

	return fs_write_atomic(world_path(w, path, sim == SIM_TAX ? "agencies/tax.faults" : "agencies/ssa.faults"), spec,
			       strlen(spec), 0600, e);
}

/* ---- processes ---- */

int world_spawn(struct world *w, enum part p, struct err *e)
{
	struct world_part *part = &w->parts[p];
	char text[8][512], conf[512], errors[512], name[40], ready[16];
	const char *args[WORLD_ARGS] = {NULL};
	int ends[2];

	ini_of(w, p, conf);
	if (is_agency(p)) {
		agency_args(w, p, text, args);
	} else {
		args[0] = "-c";
		args[1] = conf;
		args[2] = p == SUPERVISOR ? "run" : NULL;
	}
	if (pipe(ends) < 0)
		return err_sys(e, ERR_TEMP, errno, "pipe");
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	snprintf(name, sizeof name, "log/%s.stderr", names[p]);
	world_path(w, errors, name);
	part->pid = fork();
	if (part->pid == 0) {
		snprintf(ready, sizeof ready, "%d", ends[1]);
		if (!is_agency(p) && p != SUPERVISOR)
			setenv("QIAO_READY_FD", ready, 1);
		child(w, names[p], args, is_agency(p) ? ends[1] : -1, errors, is_agency(p) || p == SUPERVISOR ? -1 : ends[1]);
	}
	close(ends[1]);
	if (part->ready_fd >= 0)
		close(part->ready_fd);
	part->ready_fd = ends[0];
	part->starts++;
	return part->pid > 0 ? 0 : err_sys(e, ERR_TEMP, errno, "fork");
}

/* In the child; never returns. out, ready: descriptors to keep, or -1. */
static void child(const struct world *w, const char *program, const char *const *args, int out, const char *errors, int ready)
{
	char path[512], *argv[WORLD_ARGS + 2];
	int fd = open(errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), n = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != tester) /* it ended before */
		_exit(97);
	snprintf(path, sizeof path, "%s%s%s", program[0] == '/' ? "" : w->bin, program[0] == '/' ? "" : "/", program);
	argv[0] = path;
	for (; args[n - 1] && n <= WORLD_ARGS; n++)
		argv[n] = (char *)(uintptr_t)args[n - 1];
	argv[n] = NULL;
	dup2(out >= 0 ? out : fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	for (int i = 3; i < 64; i++)
		if (i != ready)
			close(i);
	execv(path, argv);
	_exit(97);
}

static void agency_args(const struct world *w, enum part p, char text[8][512], const char **args)
{
	bool tax = p == SIM_TAX;
	const char *const *more = tax ? w->options.tax_args : w->options.ssa_args;
	const char *lists = w->options.lists;
	int n = 0, t = 0;

	args[n++] = "--book";
	args[n++] = world_path(w, text[t++], tax ? "agencies/tax.db" : "agencies/ssa.db");
	args[n++] = "--clock";
	args[n++] = world_path(w, text[t++], "clock");
	args[n++] = "--faults-file";
	args[n++] = world_path(w, text[t++], tax ? "agencies/tax.faults" : "agencies/ssa.faults");
	args[n++] = "--port";
	snprintf(text[t], sizeof text[t], "%d", w->parts[p].port);
	args[n++] = text[t++];
	if (lists) {
		snprintf(text[t], sizeof text[t], "%s/%s/%s-refusals.csv", w->dir, lists, tax ? "tax" : "ssa");
		args[n++] = "--refuse-file";
		args[n++] = text[t++];
	}
	if (lists && !tax) {
		snprintf(text[t], sizeof text[t], "%s/%s/population.csv", w->dir, lists);
		args[n++] = "--population";
		args[n++] = text[t++];
	}
	while (more && *more && n < WORLD_ARGS - 1)
		args[n++] = *more++;
	args[n] = NULL;
}

/* A line on the descriptor, or its end. */
static int hear(struct world_part *part, char *line, size_t cap)
{
	int64_t until = clock_monotonic() + PATIENCE_MS;
	size_t len = 0;

	while (len + 1 < cap && !memchr(line, '\n', len)) {
		struct pollfd p = {.fd = part->ready_fd, .events = POLLIN};
		int64_t left = until - clock_monotonic();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
		n = read(part->ready_fd, line + len, cap - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	line[len] = '\0';
	return memchr(line, '\n', len) ? 0 : -1;
}

int world_ready(struct world *w, enum part p, struct err *e)
{
	static const char listening[] = "listening 127.0.0.1:";
	struct world_part *part = &w->parts[p];
	char line[128] = "";
	int64_t port = 0;

	if (p == SUPERVISOR || (part->pid > 0 && part->ready_fd < 0))
		return 0;
	if (hear(part, line, sizeof line) < 0)
		goto fail;
	if (is_agency(p)) {
		if (strncmp(line, listening, strlen(listening)) != 0 ||
		    str_int((struct str){line + strlen(listening), strcspn(line + strlen(listening), "\n")}, 1, 65535, &port) < 0)
			goto fail;
		part->port = (int)port;
		return 0; /* its stdout stays open: a write to it must not kill it */
	}
	close(part->ready_fd);
	part->ready_fd = -1;
	return 0;
fail:
	world_alive(w, p);
	return err_set(e, ERR_CONF, "%s did not get ready (exit %d); see %s/log", names[p], part->status, w->dir);
}

int world_start(struct world *w, enum part p, struct err *e)
{
	return world_spawn(w, p, e) < 0 ? -1 : world_ready(w, p, e);
}

int world_start_four(struct world *w, struct err *e)
{
	static const enum part four[] = {GATEWAY, VILLAGE, TAX, SSA};

	for (int i = 0; i < 4; i++)
		if (world_spawn(w, four[i], e) < 0)
			return -1;
	for (int i = 0; i < 4; i++)
		if (world_ready(w, four[i], e) < 0)
			return -1;
	return 0;
}

void world_kill(struct world *w, enum part p)
{
	struct world_part *part = &w->parts[p];

	if (part->pid <= 0)
		return;
	kill(part->pid, SIGKILL);
	part->kills++;
	world_end(w, p, PATIENCE_MS);
}

int world_stop(struct world *w, enum part p)
{
	struct world_part *part = &w->parts[p];
	int64_t peak;

	if (part->pid <= 0)
		return part->status;
	peak = peak_now(part->pid);
	if (peak > part->peak_kib)
		part->peak_kib = peak;
	kill(part->pid, SIGTERM);
	return world_end(w, p, PATIENCE_MS);
}

bool world_alive(struct world *w, enum part p)
{
	struct world_part *part = &w->parts[p];
	struct rusage usage;
	int wait_status;

	if (part->pid <= 0)
		return false;
	if (wait4(part->pid, &wait_status, WNOHANG, &usage) != part->pid)
		return true;
	reap(w, p, wait_status, &usage);
	return false;
}

int world_end(struct world *w, enum part p, int64_t limit_ms)
{
	int64_t until = clock_monotonic() + limit_ms;

	while (world_alive(w, p)) {
		if (clock_monotonic() > until)
			return -1000;
		poll(NULL, 0, LOOK_MS);
	}
	return w->parts[p].status;
}

static void reap(struct world *w, enum part p, int wait_status, const struct rusage *usage)
{
	struct world_part *part = &w->parts[p];

	part->pid = 0;
	part->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
	part->cpu_us += (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * INT64_C(1000000) + usage->ru_utime.tv_usec +
			usage->ru_stime.tv_usec;
	if (part->ready_fd >= 0)
		close(part->ready_fd);
	part->ready_fd = -1;
}

/* utime and stime of /proc/<pid>/stat, in ticks of 10 ms. */
int64_t process_cpu_us(pid_t pid)
{
	char path[64], text[512];
	unsigned long user = 0, kernel = 0;
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
		return 0;
	return (int64_t)(user + kernel) * 1000000 / sysconf(_SC_CLK_TCK);
}

static int64_t peak_now(pid_t pid)
{
	char path[64], text[4096], *at;
	int64_t kib = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "VmHWM:");
	return at && sscanf(at + 6, " %" SCNd64, &kib) == 1 ? kib : 0;
}

int64_t world_cpu_us(struct world *w, enum part p)
{
	const struct world_part *part = &w->parts[p];

	return part->cpu_us + (part->pid > 0 ? process_cpu_us(part->pid) : 0);
}

int64_t world_peak_kib(struct world *w, enum part p)
{
	const struct world_part *part = &w->parts[p];
	int64_t now = part->pid > 0 ? peak_now(part->pid) : 0;

	return now > part->peak_kib ? now : part->peak_kib;
}

/* ---- commands ---- */

int world_run(struct world *w, struct buf *out, const char *program, const char *const *args)
{
	char errors[512], scrap[4096];
	int ends[2], wait_status;
	ssize_t n;
	pid_t pid;

	if (pipe(ends) < 0)
		return -1;
	world_path(w, errors, "log/commands.stderr");
	pid = fork();
	if (pid == 0)
		child(w, program, args, ends[1], errors, -1);
	close(ends[1]);
	if (out)
		buf_reset(out);
	while (pid > 0 && ((n = read(ends[0], scrap, sizeof scrap)) > 0 || (n < 0 && errno == EINTR)))
		if (out && n > 0)
			buf_put(out, scrap, (size_t)n);
	close(ends[0]);
	if (out)
		buf_text(out);
	if (pid <= 0 || waitpid(pid, &wait_status, 0) != pid)
		return -1;
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
}

int world_qiao(struct world *w, struct buf *out, ...)
{
	const char *args[WORLD_ARGS] = {"-c"};
	char conf[512];
	int n = 2;
	va_list ap;

	args[1] = world_path(w, conf, "qiao.ini");
	va_start(ap, out);
	while (n < WORLD_ARGS - 1 && (args[n] = va_arg(ap, const char *)) != NULL)
		n++;
	va_end(ap);
	args[n] = NULL;
	return world_run(w, out, "qiao", args);
}

int world_wait(int64_t limit_ms, world_condition *fn, void *arg, struct err *e)
{
	int64_t until = clock_monotonic() + limit_ms;

	for (;;) {
		int rc = fn(arg, e);

		if (rc != 0)
			return rc > 0 ? 0 : -1;
		if (clock_monotonic() > until)
			return err_set(e, ERR_TEMP, "nothing came of it in %" PRId64 " s", limit_ms / 1000);
		poll(NULL, 0, LOOK_MS);
	}
}
