#include "tests/lib/script_server.h"
#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 16, REQUEST_MAX = 64 << 10 };

struct connection {
	int fd;
	char *text;
	size_t len;
};
struct script_server {
	struct script_step steps[SCRIPT_STEPS];
	int count, step, fd, stop[2];
	struct connection at[CONNECTIONS];
	char *seen[SCRIPT_STEPS + 1];
	int requests, connections;
	pthread_t thread;
	pthread_mutex_t lock;
};

static void *run(void *arg);
static void take_connection(struct script_server *s);
static void read_some(struct script_server *s, struct connection *c);
static void answer(struct script_server *s, struct connection *c);
static bool whole(const struct connection *c);
static void drop(struct connection *c);

struct script_server *script_start(const char *scheme, const struct script_step *steps, int count,
				   char *url, size_t cap)
{
	struct script_server *s = calloc(1, sizeof *s);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;

	assert(s && count <= SCRIPT_STEPS);
	for (int i = 0; i < CONNECTIONS; i++)
		s->at[i].fd = -1;
	for (int i = 0; i < count; i++)
		s->steps[i] = steps[i];
	s->count = count;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, n) != 0 || listen(s->fd, 16) != 0 ||
	    getsockname(s->fd, (struct sockaddr *)&at, &n) != 0 || pipe(s->stop) != 0)
		abort();
	snprintf(url, cap, "%s://127.0.0.1:%d", scheme, ntohs(at.sin_port));
	pthread_mutex_init(&s->lock, NULL);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		abort();
	return s;
}

int script_requests(struct script_server *s)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = s->requests;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int script_connections(struct script_server *s)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = s->connections;
	pthread_mutex_unlock(&s->lock);
	return n;
}

const char *script_request(struct script_server *s, int i)
{
	const char *text;

	pthread_mutex_lock(&s->lock);
	text = i < s->requests && i <= SCRIPT_STEPS ? s->seen[i] : "";
	pthread_mutex_unlock(&s->lock);
	return text;
}

void script_stop(struct script_server *s)
{
	if (write(s->stop[1], "x", 1) != 1)
		abort();
	pthread_join(s->thread, NULL);
	for (int i = 0; i < CONNECTIONS; i++)
		drop(&s->at[i]);
	for (int i = 0; i <= SCRIPT_STEPS; i++)
		free(s->seen[i]);
	close(s->fd);
	close(s->stop[0]);
	close(s->stop[1]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void *run(void *arg)
{
	struct script_server *s = arg;

	for (;;) {
		struct pollfd p[CONNECTIONS + 2] = {{.fd = s->stop[0], .events = POLLIN},
						    {.fd = s->fd, .events = POLLIN}};

		for (int i = 0; i < CONNECTIONS; i++)
			p[i + 2] = (struct pollfd){.fd = s->at[i].fd, .events = POLLIN};
		if (poll(p, CONNECTIONS + 2, -1) < 0 || p[0].revents)
			return NULL;
		for (int i = 0; i < CONNECTIONS; i++) {
			if (s->at[i].fd >= 0 && p[i + 2].revents)
				read_some(s, &s->at[i]);
		}
		if (p[1].revents)
			take_connection(s);
	}
}

static void take_connection(struct script_server *s)
{
	int fd = accept(s->fd, NULL, NULL);

	pthread_mutex_lock(&s->lock);
	s->connections++;
	pthread_mutex_unlock(&s->lock);
	if (s->step < s->count && s->steps[s->step].deaf) {
		s->step++;
		close(fd);
		return;
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		if (s->at[i].fd < 0) {
			s->at[i] = (struct connection){fd, calloc(1, REQUEST_MAX + 1), 0};
			return;
		}
	}
	abort();
}

static void read_some(struct script_server *s, struct connection *c)
{
	char spill[4096];
	size_t room = REQUEST_MAX - c->len;
	ssize_t n = recv(c->fd, room ? c->text + c->len : spill, room ? room : sizeof spill, 0);

	if (n <= 0) {
		drop(c);
		return;
	}
	if (room)
		c->len += (size_t)n;
	if (whole(c))
		answer(s, c);
}

static void answer(struct script_server *s, struct connection *c)
{
	static const struct script_step last = {
		.answer = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"};
	const struct script_step *step = s->step < s->count ? &s->steps[s->step++] : &last;
	struct pollfd stop = {.fd = s->stop[0], .events = POLLIN};

	pthread_mutex_lock(&s->lock);
	if (s->requests <= SCRIPT_STEPS)
		s->seen[s->requests] = strdup(c->text);
	s->requests++;
	pthread_mutex_unlock(&s->lock);
	memset(c->text, 0, c->len);
	c->len = 0;
	if (step->hold_ms)
		poll(&stop, 1, step->hold_ms);
	if (step->answer && send(c->fd, step->answer, strlen(step->answer), MSG_NOSIGNAL) < 0)
		drop(c);
	else if (step->close)
		drop(c);
}

static bool whole(const struct connection *c)
{
	const char *end = strstr(c->text, "\r\n\r\n"),
		   *length = strcasestr(c->text, "\r\ncontent-length:");
	size_t body = length && end && length < end ? strtoul(length + 17, NULL, 10) : 0;

	return end && (c->len == REQUEST_MAX || c->len >= (size_t)(end + 4 - c->text) + body);
}

static void drop(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->text);
	*c = (struct connection){.fd = -1};
}
