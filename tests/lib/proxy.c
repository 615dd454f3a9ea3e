#include "tests/lib/proxy.h"
#include "base/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIRS_MAX = 256, PIECE = 64 << 10, PIECES_MAX = 64, LOOK_MS = 5 };

struct proxy_orders {
	atomic_int mode, delay_ms, target, resets;
	atomic_long accepted;
};
struct piece {
	int64_t due_ms;
	size_t len, at;
	struct piece *next;
	char data[];
};
struct side { /* one way of a connection */
	int from, to;
	struct piece *first, *last;
	int pieces;
	bool ended; /* from has said its last */
};
struct pair {
	bool used;
	struct side way[2]; /* 0: from the program, 1: from the peer */
};

static void serve(int listener, struct proxy_orders *o);

int proxy_start(struct proxy *p, int target_port, struct err *e)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	pid_t parent = getpid();
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memset(p, 0, sizeof *p);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 64) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &n) < 0) {
		if (listener >= 0)
			close(listener);
		return err_sys(e, ERR_TEMP, errno, "proxy");
	}
	p->orders = mmap(NULL, sizeof *p->orders, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->orders == MAP_FAILED) {
		close(listener);
		return err_sys(e, ERR_TEMP, errno, "proxy");
	}
	p->port = ntohs(at.sin_port);
	proxy_target(p, target_port);
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			serve(listener, p->orders);
		_exit(0);
	}
	close(listener);
	return p->pid > 0 ? 0 : err_sys(e, ERR_TEMP, errno, "proxy");
}

void proxy_target(struct proxy *p, int target_port)
{
	atomic_store(&p->orders->target, target_port);
}

void proxy_set(struct proxy *p, enum proxy_mode mode, int delay_ms)
{
	atomic_store(&p->orders->delay_ms, delay_ms);
	atomic_store(&p->orders->mode, (int)mode);
}

void proxy_reset(struct proxy *p)
{
	atomic_fetch_add(&p->orders->resets, 1);
}

long proxy_connections(const struct proxy *p)
{
	return atomic_load(&p->orders->accepted);
}

void proxy_stop(struct proxy *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	if (p->orders)
		munmap(p->orders, sizeof *p->orders);
	memset(p, 0, sizeof *p);
}

/* ---- in the process ---- */

/* With a reset, not an orderly end: what a cable that is cut and plugged in again looks like. */
static void close_hard(int fd)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static void drop_pair(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		struct side *s = &p->way[i];

		while (s->first) {
			struct piece *next = s->first->next;

			free(s->first);
			s->first = next;
		}
		close_hard(s->from);
	}
	memset(p, 0, sizeof *p);
}

static int reach(int port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void accept_one(int listener, struct pair *pairs, struct proxy_orders *o)
{
	int in = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), out;

	if (in < 0)
		return;
	atomic_fetch_add(&o->accepted, 1);
	out = atomic_load(&o->mode) == PROXY_CUT ? -1 : reach(atomic_load(&o->target));
	for (int i = 0; out >= 0 && i < PAIRS_MAX; i++)
		if (!pairs[i].used) {
			pairs[i] = (struct pair){.used = true, .way = {{.from = in, .to = out}, {.from = out, .to = in}}};
			return;
		}
	close_hard(in);
	if (out >= 0)
		close_hard(out);
}

/* false: the connection is over. */
static bool take_in(struct side *s, struct proxy_orders *o)
{
	static char data[PIECE];
	int mode = atomic_load(&o->mode);
	ssize_t n = recv(s->from, data, sizeof data, 0);
	struct piece *p;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		s->ended = true;
		return true;
	}
	p = malloc(sizeof *p + (size_t)n);
	if (!p)
		return false;
	*p = (struct piece){.len = (size_t)n, .due_ms = clock_monotonic() + (mode == PROXY_DELAY ? atomic_load(&o->delay_ms) : 0)};
	memcpy(p->data, data, (size_t)n);
	*(s->last && s->first ? &s->last->next : &s->first) = p;
	s->last = p;
	s->pieces++;
	return true;
}

static bool pass_on(struct side *s, int64_t now)
{
	while (s->first && s->first->due_ms <= now) {
		struct piece *p = s->first;
		ssize_t n = send(s->to, p->data + p->at, p->len - p->at, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		p->at += (size_t)n;
		if (p->at < p->len)
			return true;
		s->first = p->next;
		s->pieces--;
		free(p);
	}
	if (s->ended && !s->first) {
		shutdown(s->to, SHUT_WR);
		s->ended = false;
		s->pieces = PIECES_MAX; /* nothing more is read from it */
	}
	return true;
}

/* Which way is held up. */
static bool stuck(int mode, int way)
{
	return mode == PROXY_SWALLOW || (mode == PROXY_DEAF && way == 1);
}

static void turn(int listener, struct pair *pairs, struct proxy_orders *o)
{
	struct pollfd fds[1 + 2 * PAIRS_MAX];
	struct side *sides[1 + 2 * PAIRS_MAX];
	struct pair *owners[1 + 2 * PAIRS_MAX];
	int mode = atomic_load(&o->mode), n = 1, wait = 100;

	fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
	for (int i = 0; i < PAIRS_MAX; i++)
		for (int way = 0; pairs[i].used && way < 2; way++) {
			struct side *s = &pairs[i].way[way];

			if (s->first)
				wait = LOOK_MS;
			if (stuck(mode, way) || s->ended || s->pieces >= PIECES_MAX)
				continue;
			sides[n] = s;
			owners[n] = &pairs[i];
			fds[n++] = (struct pollfd){.fd = s->from, .events = POLLIN};
		}
	if (poll(fds, (nfds_t)n, wait < LOOK_MS * 4 ? wait : LOOK_MS * 4) > 0) {
		for (int i = 1; i < n; i++)
			if (fds[i].revents && owners[i]->used && !take_in(sides[i], o))
				drop_pair(owners[i]);
		if (fds[0].revents)
			accept_one(listener, pairs, o);
	}
	for (int i = 0; i < PAIRS_MAX; i++)
		for (int way = 0; pairs[i].used && way < 2; way++)
			if (!stuck(mode, way) && !pass_on(&pairs[i].way[way], clock_monotonic()))
				drop_pair(&pairs[i]);
	for (int i = 0; i < PAIRS_MAX; i++)
		if (pairs[i].used && pairs[i].way[0].pieces == PIECES_MAX && pairs[i].way[1].pieces == PIECES_MAX &&
		    !pairs[i].way[0].first && !pairs[i].way[1].first)
			drop_pair(&pairs[i]);
}

static void serve(int listener, struct proxy_orders *o)
{
	static struct pair pairs[PAIRS_MAX];
	int resets = 0;

	for (;;) {
		int asked = atomic_load(&o->resets);

		if (asked != resets || atomic_load(&o->mode) == PROXY_CUT)
			for (int i = 0; i < PAIRS_MAX; i++)
				if (pairs[i].used)
					drop_pair(&pairs[i]);
		resets = asked;
		turn(listener, pairs, o);
	}
}
