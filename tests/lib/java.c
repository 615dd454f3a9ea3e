/* Processes, folders and ports below a test's Kafka and registry. */
#include "tests/lib/java.h"
#include "base/clock.h"
#include "base/fs.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TERM_MS = 60000, LOOK_MS = 5, FD_MAX = 256 };

static int spawn(pid_t *pid, const char *work, const char *out, const char *const *argv,
		 struct err *e);
static void reap(struct java *c, int wait_status, const struct rusage *usage);
static ssize_t read_small(const char *path, char *text, size_t cap);

/* The build folder is above the program: build/<variant>/bin/x, build/<variant>/test/<kind>/x. */
int java_home(char home[256], struct err *e)
{
	char at[256], stamp[300];
	ssize_t n = readlink("/proc/self/exe", at, sizeof at - 1);
	char *slash;

	at[n > 0 ? n : 0] = '\0';
	while ((slash = strrchr(at, '/')) != NULL && slash != at) {
		*slash = '\0';
		snprintf(stamp, sizeof stamp, "%s/kafka/stamp", at);
		if (access(stamp, R_OK) != 0)
			continue;
		if (snprintf(home, 256, "%s/kafka", at) < 256)
			return 0;
	}
	return err_set(e, ERR_CONF,
		       "kafka: build/kafka is missing or not whole: run tests/kafka/fetch.sh (it "
		       "needs the Debian packages openjdk-17-jre-headless and maven)");
}

int java_dir(char dir[256], const char *wanted, struct err *e)
{
	const char *parent = getenv("TMPDIR");
	char cwd[256] = "";

	if (!wanted) {
		snprintf(dir, 256, "%.200s/qiao-kafka-XXXXXX",
			 parent && parent[0] ? parent : "/tmp");
		return mkdtemp(dir) ? 0 : err_sys(e, ERR_TEMP, errno, "%s", dir);
	}
	if (wanted[0] != '/' && !getcwd(cwd, sizeof cwd))
		return err_sys(e, ERR_TEMP, errno, "getcwd");
	/* Java gets properties with paths in them, and messages quote them: keep some room. */
	if (snprintf(dir, 256, "%s%s%s", cwd, cwd[0] ? "/" : "", wanted) >= 200) {
		dir[0] = '\0';
		return err_set(e, ERR_CONF, "%s: path too long", wanted);
	}
	return fs_remove_tree(dir, e) < 0 ? -1 : fs_mkdirs(dir, e);
}

/* Bound but not listening, and sharable only from now on: Java, which sets SO_REUSEADDR, can listen
 * there; nobody gets the port by asking for any, nor as the near end of a connection. */
int java_port(int *port, int *held, struct err *e)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) {
		err_sys(e, ERR_TEMP, errno, "a free port");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(a.sin_port);
	*held = fd;
	return 0;
}

int java_start(struct java *c, const char *home, const char *dir, const char *const *argv,
	       struct err *e)
{
	char out[300];

	snprintf(out, sizeof out, "%s/out", dir);
	if (spawn(&c->pid, home, out, argv, e) < 0)
		return -1;
	c->starts++;
	return 0;
}

int java_run(const char *dir, const char *const *argv, struct err *e)
{
	char out[300];
	pid_t pid;
	int status;

	snprintf(out, sizeof out, "%s/out", dir);
	if (spawn(&pid, dir, out, argv, e) < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, ERR_TEMP, errno, "%s", argv[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	err_set(e, ERR_CONF, "%s %s: failed", argv[0], argv[1]);
	java_said(dir, e);
	return -1;
}

static int spawn(pid_t *pid, const char *work, const char *out, const char *const *argv,
		 struct err *e)
{
	pid_t parent = getpid();
	sigset_t none;
	int fd;

	*pid = fork();
	if (*pid < 0) {
		*pid = 0;
		return err_sys(e, ERR_TEMP, errno, "fork");
	}
	if (*pid > 0)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(99);
	setpgid(0, 0); /* Ctrl-C is for the test: it ends its brokers by dying */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fd = open(out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 || chdir(work) < 0)
		_exit(98);
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	for (int i = 3; i < FD_MAX; i++)
		close(i);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	perror(argv[0]);
	_exit(97);
}

bool java_alive(struct java *c)
{
	struct rusage usage;
	int status;

	if (c->pid <= 0)
		return false;
	if (wait4(c->pid, &status, WNOHANG, &usage) != c->pid)
		return true;
	reap(c, status, &usage);
	return false;
}

int java_end(struct java *c, int signal)
{
	int64_t until = clock_monotonic() + TERM_MS;
	int64_t peak = java_peak_kib(c);

	if (!java_alive(c))
		return c->status;
	c->peak_kib = peak;
	kill(c->pid, signal);
	c->kills += signal == SIGKILL;
	while (java_alive(c)) {
		if (clock_monotonic() > until)
			kill(c->pid, SIGKILL);
		poll(NULL, 0, LOOK_MS);
	}
	return c->status;
}

static void reap(struct java *c, int wait_status, const struct rusage *usage)
{
	c->pid = 0;
	c->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
	c->cpu_us += (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * INT64_C(1000000) +
		     usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

static ssize_t read_small(const char *path, char *text, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, cap - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

int64_t java_cpu_us(const struct java *c)
{
	unsigned long user, kernel;
	char path[64], text[1024];
	const char *at;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)c->pid);
	if (c->pid <= 0 || read_small(path, text, sizeof text) <= 0 ||
	    (at = strrchr(text, ')')) == NULL ||
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &kernel) != 2)
		return c->cpu_us;
	return c->cpu_us + (int64_t)(user + kernel) * 1000000 / sysconf(_SC_CLK_TCK);
}

int64_t java_peak_kib(const struct java *c)
{
	char path[64], text[4096], *at;
	int64_t kib;

	snprintf(path, sizeof path, "/proc/%d/status", (int)c->pid);
	if (c->pid <= 0 || read_small(path, text, sizeof text) <= 0 ||
	    (at = strstr(text, "VmHWM:")) == NULL || sscanf(at + 6, " %" SCNd64, &kib) != 1)
		return c->peak_kib;
	return kib > c->peak_kib ? kib : c->peak_kib;
}

void java_said(const char *dir, struct err *e)
{
	char path[300], text[201];
	struct err before = *e;
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "%s/out", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	lseek(fd, -(off_t)(sizeof text - 1), SEEK_END); /* fails on a short file: from its start */
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *at = text; *at; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
	err_set(e, before.class, "%.190s: %s", before.text, text);
}
