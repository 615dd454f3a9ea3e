#include "tests/lib/sim.h"
#include "base/clock.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 64, WAIT_MS = 20000 };

static int spawn(const char *program, const char *const *args, const char *port, pid_t *pid,
		 struct err *e);
static void become(const char *program, const char *const *args, const char *port, int out);
static void program_path(char *path, size_t cap, const char *program);
static int read_port(struct sim *s, struct err *e);
static ssize_t read_some(int fd, struct buf *to, int64_t until_ms);
static int take_apart(struct buf *answer, struct buf *head);
static int64_t length_told(const char *head);

int sim_start(struct sim *s, const char *program, const char *const *args, int port, struct err *e)
{
	char text[16];

	memset(s, 0, sizeof *s);
	snprintf(text, sizeof text, "%d", port);
	s->output = spawn(program, args, text, &s->pid, e);
	if (s->output < 0)
		return -1;
	if (read_port(s, e) == 0)
		return 0;
	sim_stop(s, SIGKILL, NULL);
	return -1;
}

void sim_stop(struct sim *s, int signal, struct buf *said)
{
	struct buf scrap;

	if (s->pid <= 0)
		return;
	kill(s->pid, signal);
	waitpid(s->pid, NULL, 0);
	buf_init(&scrap, 1 << 20);
	while (read_some(s->output, said ? said : &scrap, clock_monotonic() + WAIT_MS) > 0)
		;
	buf_fini(&scrap);
	close(s->output);
	s->pid = 0;
}

int sim_run(const char *program, const char *const *args, struct buf *out, struct err *e)
{
	pid_t pid;
	int fd = spawn(program, args, NULL, &pid, e), status;

	if (fd < 0)
		return -1;
	while (read_some(fd, out, clock_monotonic() + WAIT_MS) > 0)
		;
	close(fd);
	waitpid(pid, &status, 0);
	buf_text(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int sim_ask(const struct sim *s, const char *path, const char *body, struct buf *answer,
	    struct buf *head)
{
	int64_t until = clock_monotonic() + WAIT_MS;
	int fd = sim_send(s, path, body);

	buf_reset(answer);
	if (fd < 0)
		return -1;
	while (read_some(fd, answer, until) > 0)
		;
	close(fd);
	return take_apart(answer, head);
}

int sim_send(const struct sim *s, const char *path, const char *body)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)s->port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct buf request;
	size_t sent = 0;

	buf_init(&request, 16 << 20);
	buf_printf(&request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n",
		   body ? "POST" : "GET", path);
	if (body)
		buf_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   strlen(body));
	buf_put_str(&request, "\r\n");
	if (body)
		buf_put_str(&request, body);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		goto out;
	while (sent < request.len) {
		ssize_t n = send(fd, request.data + sent, request.len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			goto out;
		sent += (size_t)n;
	}
	buf_fini(&request);
	return fd;
out:
	buf_fini(&request);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Gives the reading end of its stdout. */
static int spawn(const char *program, const char *const *args, const char *port, pid_t *pid,
		 struct err *e)
{
	int ends[2];

	if (pipe(ends) < 0)
		return err_sys(e, ERR_TEMP, errno, "pipe");
	*pid = fork();
	if (*pid == 0) {
		close(ends[0]);
		become(program, args, port, ends[1]);
	}
	close(ends[1]);
	if (*pid > 0)
		return ends[0];
	close(ends[0]);
	return err_sys(e, ERR_TEMP, errno, "fork");
}

/* In the child: never returns. */
static void become(const char *program, const char *const *args, const char *port, int out)
{
	char path[512], port_option[] = "--port", *argv[ARGS_MAX + 4] = {path};
	int n = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	program_path(path, sizeof path, program);
	while (args[n - 1] && n <= ARGS_MAX) {
		argv[n] = (char *)args[n - 1];
		n++;
	}
	if (port) {
		argv[n++] = port_option;
		argv[n++] = (char *)port;
	}
	argv[n] = NULL;
	dup2(out, STDOUT_FILENO);
	close(out);
	execv(path, argv);
	perror(path);
	_exit(127);
}

/* The programs of the test's own build: $QIAO_BUILD, else where the test itself lies,
 * build/<variant>/. */
static void program_path(char *path, size_t cap, const char *program)
{
	const char *build = getenv("QIAO_BUILD");
	char self[400] = "", *at;

	if (!build && readlink("/proc/self/exe", self, sizeof self - 1) > 0 &&
	    (at = strstr(self, "/build/")) != NULL) {
		at = strchr(at + 7, '/');
		if (at)
			*at = '\0';
		build = self;
	}
	snprintf(path, cap, "%s/bin/%s", build ? build : "build/release", program);
}

static int read_port(struct sim *s, struct err *e)
{
	static const char before[] = "listening 127.0.0.1:";
	int64_t until = clock_monotonic() + WAIT_MS, port;
	struct str line = {NULL, 0};
	struct buf text;
	int rc = -1;

	buf_init(&text, 256);
	while (read_some(s->output, &text, until) > 0 && !memchr(text.data, '\n', text.len))
		;
	if (text.len > sizeof before && memcmp(text.data, before, sizeof before - 1) == 0)
		line = (struct str){(char *)text.data + sizeof before - 1,
				    text.len - sizeof before};
	if (str_int(line, 1, 65535, &port) < 0) {
		err_set(e, ERR_CONF, "the simulated agency did not start");
		goto out;
	}
	s->port = (int)port;
	rc = 0;
out:
	buf_fini(&text);
	return rc;
}

/* Bytes read, 0 at the end, on an error or when the time is over. */
static ssize_t read_some(int fd, struct buf *to, int64_t until_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left = until_ms - clock_monotonic();
	char part[16384];
	ssize_t n;

	if (left <= 0 || poll(&p, 1, (int)left) != 1)
		return 0;
	n = read(fd, part, sizeof part);
	if (n <= 0 || buf_put(to, part, (size_t)n) < 0)
		return 0;
	return n;
}

/* Parts head from body; the status, 0 or -1 as sim_ask tells. */
static int take_apart(struct buf *answer, struct buf *head)
{
	const char *text = buf_text(answer), *end = text ? strstr(text, "\r\n\r\n") : NULL;
	int64_t status, told;
	size_t head_len;

	if (answer->len == 0)
		return 0;
	if (!end || str_int((struct str){text + 9, 3}, 100, 599, &status) < 0)
		return -1;
	head_len = (size_t)(end + 4 - text);
	if (head) {
		buf_reset(head);
		buf_put(head, text, head_len);
		buf_text(head);
	}
	told = length_told(text);
	answer->len -= head_len;
	memmove(answer->data, answer->data + head_len, answer->len);
	buf_text(answer);
	return told == (int64_t)answer->len ? (int)status : -1;
}

static int64_t length_told(const char *head)
{
	static const char name[] = "Content-Length: ";
	const char *at = strcasestr(head, name);
	int64_t n = -1;

	if (at) {
		at += sizeof name - 1;
		str_int((struct str){at, strspn(at, "0123456789")}, 0, INT64_MAX, &n);
	}
	return n;
}
