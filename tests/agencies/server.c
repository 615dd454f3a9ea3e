/* One thread on libmicrohttpd with its own poll loop. The stages of a request: received whole;
 * (held, when the fault is slow_before;) work: effect, commit; (held, when it is slow;) deliver.
 * While one request is held others are served; a killed process delivers nothing of the held. */
#include "tests/agencies/server.h"
#include "base/date.h"
#include "base/fs.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128, CONNECTION_BYTES = 512 << 10, IDLE_MS = 1000 };

enum phase { PHASE_RECEIVING, PHASE_EFFECT_HELD, PHASE_ANSWER_HELD, PHASE_ANSWER };

/* One request on its way; kept and used again, with its buffers. */
struct exchange {
	struct exchange *next; /* of the idle ones, or of the held ones */
	struct live *live;
	struct MHD_Connection *connection;
	const struct route *route; /* NULL: no such path */
	enum phase phase;
	enum fault fault;
	struct buf body;
	struct out answer;
	bool too_large;
	int status;
	int64_t due_ms; /* when held: monotonic */
};
/* A server while it runs. */
struct live {
	const struct server *s;
	struct faults faults;
	struct MHD_Daemon *daemon;
	struct exchange *idle, *held;
	int port, signals;
};

static int listen_on(int port, int *bound, struct err *e);
static int signals_of_end(void);
static int tell_port(const struct live *l, struct err *e);
static void serve(struct live *l);
static bool ended(struct live *l, int timeout_ms);
static int next_timeout(const struct live *l);
static void wake_due(struct live *l, int64_t now_ms);
static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **con);
static void on_completed(void *cls, struct MHD_Connection *c, void **con,
			 enum MHD_RequestTerminationCode why);
static struct exchange *exchange_begin(struct live *l, struct MHD_Connection *c, const char *url,
				       const char *method);
static enum MHD_Result received(struct exchange *x);
static void work(struct exchange *x);
static bool fired(const struct exchange *x, bool took);
static void hold(struct exchange *x, enum phase phase);
static enum MHD_Result deliver(struct exchange *x);
static ssize_t half_reader(void *cls, uint64_t at, char *to, size_t max);

int server_run(const struct server *s, struct err *e)
{
	struct live l = {.s = s, .signals = -1};
	uint64_t seed =
		(uint64_t)s->options->seed + (uint64_t)book_counter(s->book, "starts") * 1000003;
	int fd, rc = -1;

	if (faults_open(&l.faults, s->options->faults, s->options->faults_file, seed, e) < 0)
		return -1;
	fd = listen_on((int)s->options->port, &l.port, e);
	if (fd < 0)
		return -1;
	l.signals = signals_of_end();
	l.daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, &l,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, &l,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
	if (!l.daemon || l.signals < 0) {
		err_set(e, ERR_CONF, "port %d: the HTTP server does not start", l.port);
		close(fd);
		goto out;
	}
	if (tell_port(&l, e) < 0)
		goto out;
	serve(&l);
	rc = 0;
out:
	wake_due(&l, INT64_MAX);
	if (l.daemon)
		MHD_stop_daemon(l.daemon);
	for (struct exchange *x; (x = l.idle) != NULL;) {
		l.idle = x->next;
		buf_fini(&x->body);
		out_fini(&x->answer);
		free(x);
	}
	if (l.signals >= 0)
		close(l.signals);
	return rc;
}

int answer_error(struct out *o, int status, const char *code, const char *message)
{
	out_reset(o);
	out_lit(o, "{\"error\":");
	out_text(o, str_of(code));
	out_lit(o, ",\"message\":");
	out_text(o, str_of(message));
	out_lit(o, "}");
	return status;
}

int request_page(const struct request *q, int64_t last, int64_t *after, int64_t *limit)
{
	*after = 0;
	*limit = LIMIT_DEFAULT;
	if (q->after[0] && str_int(str_of(q->after), 0, last, after) < 0)
		return -1;
	return q->limit ? str_int(str_of(q->limit), 1, LIMIT_MAX, limit) : 0;
}

int request_book(const struct request *q, int64_t last, struct book_period *p)
{
	const char *limit = q->limit ? q->limit : "1000";

	p->after = 0;
	if (!q->year || !q->from || !q->to || str_int(str_of(q->year), 2009, 2099, &p->year) < 0 ||
	    time_parse(str_of(q->from), &p->from) < 0 || time_parse(str_of(q->to), &p->to) < 0 ||
	    str_int(str_of(limit), 1, LIMIT_MAX, &p->limit) < 0)
		return -1;
	return q->cursor && q->cursor[0] ? str_int(str_of(q->cursor), 1, last, &p->after) : 0;
}

/* Loopback only. SO_REUSEADDR, because a restart on its old port must not wait until the
 * connections of the killed one are forgotten. */
static int listen_on(int port, int *bound, struct err *e)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0) {
		err_sys(e, ERR_CONF, errno, "port %d: listen", port);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*bound = ntohs(a.sin_port);
	return fd;
}

/* A descriptor that becomes readable when the process is asked to end: no race with the wait for
 * requests. */
static int signals_of_end(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int tell_port(const struct live *l, struct err *e)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%d\n", l->port);

	if (l->s->options->port_file &&
	    fs_write_atomic(l->s->options->port_file, text, (size_t)n, 0600, e) < 0)
		return -1;
	printf("listening 127.0.0.1:%d\n", l->port);
	fflush(stdout);
	return 0;
}

static void serve(struct live *l)
{
	while (!ended(l, next_timeout(l))) {
		MHD_run(l->daemon);
		wake_due(l, clock_monotonic());
	}
}

/* Waits for something to do; true when it is time to end. */
static bool ended(struct live *l, int timeout_ms)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[2] = {{.fd = info->epoll_fd, .events = POLLIN},
				{.fd = l->signals, .events = POLLIN}};

	poll(fds, 2, timeout_ms);
	return fds[1].revents != 0;
}

static int next_timeout(const struct live *l)
{
	MHD_UNSIGNED_LONG_LONG of_daemon;
	int64_t timeout = IDLE_MS, now = clock_monotonic();

	if (MHD_get_timeout(l->daemon, &of_daemon) == MHD_YES && (int64_t)of_daemon < timeout)
		timeout = (int64_t)of_daemon;
	for (const struct exchange *x = l->held; x; x = x->next)
		if (x->due_ms - now < timeout)
			timeout = x->due_ms > now ? x->due_ms - now : 0;
	return (int)timeout;
}

/* Lets go on what was held long enough. At the end (INT64_MAX) that is everything: the server
 * cannot stop while a connection is suspended. */
static void wake_due(struct live *l, int64_t now_ms)
{
	struct exchange **at = &l->held, *x;

	while ((x = *at) != NULL) {
		if (x->due_ms > now_ms) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		/* The late effect happens here, whether the client is still there or not. */
		if (x->phase == PHASE_EFFECT_HELD)
			work(x);
		x->phase = PHASE_ANSWER;
		MHD_resume_connection(x->connection);
	}
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **con)
{
	struct exchange *x = *con;

	(void)version;
	if (!x) {
		*con = x = exchange_begin(cls, c, url, method);
		return x ? MHD_YES : MHD_NO;
	}
	if (*size > 0) {
		if (buf_put(&x->body, data, *size) < 0)
			x->too_large = true;
		*size = 0;
		return MHD_YES;
	}
	return x->phase == PHASE_RECEIVING ? received(x) : deliver(x);
}

/* Also when the client went away. The buffers are kept for the next request: a batch is a quarter
 * of a megabyte, and fresh memory of that size costs more than reading it. */
static void on_completed(void *cls, struct MHD_Connection *c, void **con,
			 enum MHD_RequestTerminationCode why)
{
	struct live *l = cls;
	struct exchange *x = *con;

	(void)c;
	(void)why;
	if (!x)
		return;
	x->next = l->idle;
	l->idle = x;
	*con = NULL;
}

static struct exchange *exchange_begin(struct live *l, struct MHD_Connection *c, const char *url,
				       const char *method)
{
	struct exchange *x = l->idle;

	if (x) {
		l->idle = x->next;
	} else {
		x = calloc(1, sizeof *x);
		if (!x)
			return NULL;
		buf_init(&x->body, BODY_MAX);
		out_init(&x->answer, 4 * BODY_MAX);
	}
	buf_reset(&x->body);
	out_reset(&x->answer);
	x->live = l;
	x->connection = c;
	x->phase = PHASE_RECEIVING;
	x->fault = FAULT_NONE;
	x->too_large = false;
	x->route = NULL;
	for (int i = 0; i < l->s->route_count; i++)
		if (strcmp(url, l->s->routes[i].path) == 0 &&
		    strcmp(method, l->s->routes[i].method) == 0)
			x->route = &l->s->routes[i];
	return x;
}

/* The request is complete. */
static enum MHD_Result received(struct exchange *x)
{
	if (x->route && x->route->family != FAMILY_NONE)
		x->fault = faults_pick(&x->live->faults, x->route->family);
	if (x->fault == FAULT_SLOW_BEFORE) {
		hold(x, PHASE_EFFECT_HELD);
		return MHD_YES;
	}
	work(x);
	if (x->fault == FAULT_SLOW) {
		hold(x, PHASE_ANSWER_HELD);
		return MHD_YES;
	}
	return deliver(x);
}

/* The effect, the answer and the note of the fault, on disk when it returns. */
static void work(struct exchange *x)
{
	struct live *l = x->live;
	struct request q = {.body = {(const char *)x->body.data, x->body.len}, .missing = -1};
	const char *after =
		MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "after");
	char name[64];

	q.after = after ? after : "";
	q.limit = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "limit");
	q.year = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "year");
	q.from = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "from");
	q.to = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "to");
	q.cursor = MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, "cursor");
	if (x->fault == FAULT_MISSING_ROW)
		q.missing = (int)(random_next(&l->faults.random) % 65536);
	q.twice = x->fault == FAULT_DUPLICATE;

	if (!x->route)
		x->status = answer_error(&x->answer, MHD_HTTP_NOT_FOUND, "not_found",
					 "no such path or method");
	else if (x->fault == FAULT_E429)
		x->status = answer_error(&x->answer, MHD_HTTP_TOO_MANY_REQUESTS, "busy",
					 "come back later");
	else if (x->fault == FAULT_E500 || x->fault == FAULT_CUT_BEFORE)
		x->status = answer_error(&x->answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal",
					 "not done");
	else if (x->too_large)
		x->status = answer_error(&x->answer, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
					 "body too large");
	else
		x->status = x->route->fn(l->s->agency, &q, &x->answer);
	if (x->answer.bad)
		x->status = answer_error(&x->answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal",
					 "answer too large");
	if (x->fault != FAULT_NONE && !fired(x, q.took)) {
		faults_put_back(&l->faults, x->route->family, x->fault);
		x->fault = FAULT_NONE;
	}
	if (x->fault != FAULT_NONE) {
		snprintf(name, sizeof name, "%s/%s", family_name(x->route->family),
			 fault_name(x->fault));
		book_count(l->s->book, name, 1);
	}
	book_commit(l->s->book);
	if (x->fault == FAULT_E500_AFTER)
		x->status = answer_error(&x->answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal",
					 "perhaps done");
}

/* A fault counts where it did what its name says: nothing that comes after an effect befalls a
 * request without one. */
static bool fired(const struct exchange *x, bool took)
{
	switch (x->fault) {
	case FAULT_MISSING_ROW:
	case FAULT_DUPLICATE:
		return took;
	case FAULT_E500_AFTER:
	case FAULT_CUT_AFTER:
	case FAULT_TRUNCATED:
		return x->status == MHD_HTTP_OK;
	default:
		return true;
	}
}

static void hold(struct exchange *x, enum phase phase)
{
	x->phase = phase;
	x->due_ms = clock_monotonic() + x->live->s->options->slow_ms;
	x->next = x->live->held;
	x->live->held = x;
	MHD_suspend_connection(x->connection);
}

static enum MHD_Result deliver(struct exchange *x)
{
	struct MHD_Response *r;
	enum MHD_Result rc;
	char seconds[24];

	if (x->fault == FAULT_CUT_BEFORE || x->fault == FAULT_CUT_AFTER)
		return MHD_NO; /* closes the connection without a byte */
	if (x->fault == FAULT_TRUNCATED)
		r = MHD_create_response_from_callback(x->answer.b.len, 65536, half_reader, x, NULL);
	else
		/* Not copied: the exchange outlives the response (on_completed comes after it). */
		r = MHD_create_response_from_buffer(x->answer.b.len, x->answer.b.data,
						    MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	if (x->fault == FAULT_E429) {
		snprintf(seconds, sizeof seconds, "%d", (int)x->live->s->options->retry_after_s);
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	}
	rc = MHD_queue_response(x->connection, (unsigned)x->status, r);
	MHD_destroy_response(r);
	return rc;
}

/* Gives the first half of the answer, then breaks the connection off. */
static ssize_t half_reader(void *cls, uint64_t at, char *to, size_t max)
{
	const struct exchange *x = cls;
	size_t half = x->answer.b.len / 2, n;

	if (at >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = half - (size_t)at < max ? half - (size_t)at : max;
	memcpy(to, x->answer.b.data + at, n);
	return (ssize_t)n;
}
