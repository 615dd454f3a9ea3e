#include "tests/lib/registry_sim.h"
#include <arpa/inet.h>
#include <assert.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENTRIES = 128, REQUEST_MAX = 64 << 10 };

struct entry {
	char subject[128];
	int id, version;
	char *text; /* NULL: forgotten */
};
struct registry_sim {
	struct entry at[ENTRIES];
	int count, requests, registered, down_for;
	enum registry_mood mood;
	bool refuse_question, refuse_registering;
	char level[16];
	int fd, stop[2];
	pthread_t thread;
	pthread_mutex_t lock;
};
/* One request and what is answered. */
struct exchange {
	char method[8], path[256];
	json_t *body; /* or NULL */
	int status;
	json_t *answer;
};

static void *run(void *arg);
static void serve(struct registry_sim *s, int fd);
static bool receive(struct registry_sim *s, int fd, char *text, struct exchange *x);
static void route(struct registry_sim *s, struct exchange *x);
static void subjects(struct registry_sim *s, struct exchange *x, char *rest);
static void refuse(struct exchange *x, int status, int code, const char *message);
static struct entry *by_id(struct registry_sim *s, int id);
static struct entry *newest(struct registry_sim *s, const char *subject);
static json_t *show(const struct entry *e);
static void put(struct registry_sim *s, const char *subject, int id, const char *text, size_t len);

struct registry_sim *registry_sim_start(char *url, size_t cap)
{
	struct registry_sim *s = calloc(1, sizeof *s);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;

	assert(s);
	snprintf(s->level, sizeof s->level, "BACKWARD");
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, n) != 0 || listen(s->fd, 64) != 0 ||
	    getsockname(s->fd, (struct sockaddr *)&at, &n) != 0 || pipe(s->stop) != 0)
		abort();
	snprintf(url, cap, "http://127.0.0.1:%d", ntohs(at.sin_port));
	pthread_mutex_init(&s->lock, NULL);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		abort();
	return s;
}

void registry_sim_stop(struct registry_sim *s)
{
	if (write(s->stop[1], "x", 1) != 1)
		abort();
	pthread_join(s->thread, NULL);
	for (int i = 0; i < s->count; i++)
		free(s->at[i].text);
	close(s->fd);
	close(s->stop[0]);
	close(s->stop[1]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

#define LOCKED(statement)                       \
	do {                                    \
		pthread_mutex_lock(&s->lock);   \
		statement;                      \
		pthread_mutex_unlock(&s->lock); \
	} while (0)

void registry_sim_mood(struct registry_sim *s, enum registry_mood mood)
{
	LOCKED(s->mood = mood);
}

void registry_sim_down_for(struct registry_sim *s, int requests)
{
	LOCKED(s->down_for = requests);
}

void registry_sim_put(struct registry_sim *s, const char *subject, int id, const char *text,
		      size_t len)
{
	LOCKED(put(s, subject, id, text, len));
}

void registry_sim_swap(struct registry_sim *s, int id, int other)
{
	pthread_mutex_lock(&s->lock);
	char *text = by_id(s, id)->text;

	by_id(s, id)->text = by_id(s, other)->text;
	by_id(s, other)->text = text;
	pthread_mutex_unlock(&s->lock);
}

void registry_sim_forget(struct registry_sim *s, int id)
{
	pthread_mutex_lock(&s->lock);
	struct entry *e = by_id(s, id);

	free(e->text);
	e->text = NULL;
	pthread_mutex_unlock(&s->lock);
}

void registry_sim_level(struct registry_sim *s, const char *level)
{
	LOCKED(snprintf(s->level, sizeof s->level, "%s", level));
}

void registry_sim_refuse(struct registry_sim *s, bool question, bool registering)
{
	LOCKED(s->refuse_question = question; s->refuse_registering = registering);
}

int registry_sim_requests(struct registry_sim *s)
{
	int n;

	LOCKED(n = s->requests);
	return n;
}

int registry_sim_registered(struct registry_sim *s)
{
	int n;

	LOCKED(n = s->registered);
	return n;
}

static void *run(void *arg)
{
	struct registry_sim *s = arg;

	for (;;) {
		struct pollfd p[] = {{.fd = s->stop[0], .events = POLLIN},
				     {.fd = s->fd, .events = POLLIN}};
		int fd;

		if (poll(p, 2, -1) < 0 || p[0].revents)
			return NULL;
		fd = accept(s->fd, NULL, NULL);
		if (fd < 0)
			continue;
		serve(s, fd);
		close(fd);
	}
}

/* One request a connection. */
static void serve(struct registry_sim *s, int fd)
{
	static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close"
				   "\r\n\r\n<html></html>";
	struct exchange x = {0};
	char *text = calloc(1, REQUEST_MAX + 1), head[160], *body;
	enum registry_mood mood;
	struct pollfd p[] = {{.fd = s->stop[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	char spill[64];

	pthread_mutex_lock(&s->lock);
	mood = s->down_for > 0 ? REGISTRY_DOWN : s->mood;
	s->down_for -= s->down_for > 0;
	pthread_mutex_unlock(&s->lock);
	if (!receive(s, fd, text, &x) || mood == REGISTRY_DOWN)
		goto out;
	if (mood == REGISTRY_HUNG) { /* until the other side gives up */
		while (poll(p, 2, -1) > 0 && !p[0].revents && recv(fd, spill, sizeof spill, 0) > 0)
			;
		goto out;
	}
	if (mood == REGISTRY_MAD) {
		send(fd, page, sizeof page - 1, MSG_NOSIGNAL);
		goto out;
	}
	LOCKED(route(s, &x));
	body = json_dumps(x.answer, JSON_COMPACT | JSON_ENCODE_ANY);
	snprintf(head, sizeof head,
		 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
		 "Connection: close\r\n\r\n",
		 x.status, strlen(body));
	send(fd, head, strlen(head), MSG_NOSIGNAL);
	send(fd, body, strlen(body), MSG_NOSIGNAL);
	free(body);
out:
	json_decref(x.body);
	json_decref(x.answer);
	free(text);
}

static bool receive(struct registry_sim *s, int fd, char *text, struct exchange *x)
{
	struct pollfd p[] = {{.fd = s->stop[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	size_t len = 0, body = 0;
	const char *end = NULL, *length;

	while (end == NULL || len < (size_t)(end + 4 - text) + body) {
		ssize_t n;

		if (poll(p, 2, -1) < 0 || p[0].revents || len == REQUEST_MAX)
			return false;
		n = recv(fd, text + len, REQUEST_MAX - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		end = strstr(text, "\r\n\r\n");
		length = strcasestr(text, "\r\ncontent-length:");
		body = end && length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	}
	LOCKED(s->requests++);
	if (sscanf(text, "%7s %255s", x->method, x->path) != 2)
		return false;
	x->body = body ? json_loads(end + 4, 0, NULL) : NULL;
	return true;
}

static void route(struct registry_sim *s, struct exchange *x)
{
	static const char ids[] = "/schemas/ids/", subject[] = "/subjects/",
			  fits[] = "/compatibility/subjects/", config[] = "/config";
	const struct entry *e;

	x->status = 200;
	if (strncmp(x->path, ids, strlen(ids)) == 0) {
		e = by_id(s, (int)strtol(x->path + strlen(ids), NULL, 10));
		if (e && e->text)
			x->answer = json_pack("{s:s}", "schema", e->text);
		else
			refuse(x, 404, 40403, "Schema not found");
	} else if (strncmp(x->path, subject, strlen(subject)) == 0) {
		subjects(s, x, x->path + strlen(subject));
	} else if (strncmp(x->path, fits, strlen(fits)) == 0) {
		char *name = x->path + strlen(fits);

		name[strcspn(name, "/")] = '\0';
		if (newest(s, name) == NULL)
			refuse(x, 404, 40401, "Subject not found");
		else
			x->answer = json_pack("{s:b, s:[s]}", "is_compatible", !s->refuse_question,
					      "messages",
					      s->refuse_question ? "a field has no default" : "");
	} else if (strcmp(x->path, config) == 0) {
		x->answer = json_pack("{s:s}", "compatibilityLevel", s->level);
	} else if (strstr(x->path, "defaultToGlobal=true")) {
		x->answer = json_pack("{s:s}", "compatibilityLevel", s->level);
	} else if (strncmp(x->path, config, strlen(config)) == 0) {
		refuse(x, 404, 40408, "Subject has no level of its own");
	} else {
		refuse(x, 404, 404, "HTTP 404 Not Found");
	}
}

/* NAME (look-up), NAME/versions (list or register), NAME/versions/N. */
static void subjects(struct registry_sim *s, struct exchange *x, char *rest)
{
	char *slash = strchr(rest, '/');
	const char *more = slash ? slash + 1 : "";
	const char *text = json_string_value(json_object_get(x->body, "schema"));
	const struct entry *found = NULL;
	bool post = strcmp(x->method, "POST") == 0;
	int max = 0;

	if (slash)
		*slash = '\0';
	if (newest(s, rest) == NULL && !(post && strcmp(more, "versions") == 0)) {
		refuse(x, 404, 40401, "Subject not found");
		return;
	}
	for (int i = 0; i < s->count; i++) {
		const struct entry *e = &s->at[i];

		max = e->id > max ? e->id : max;
		if (strcmp(e->subject, rest) != 0 || e->text == NULL)
			continue;
		if (text ? strcmp(e->text, text) == 0
			 : strncmp(more, "versions/", 9) == 0 &&
				    e->version == (int)strtol(more + 9, NULL, 10))
			found = e;
	}
	if (post && strcmp(more, "versions") == 0) {
		if (s->refuse_registering) {
			refuse(x, 409, 409, "Schema being registered is incompatible");
			return;
		}
		if (found == NULL) {
			put(s, rest, max + 1, text, strlen(text));
			s->registered++;
			found = newest(s, rest);
		}
		x->answer = json_pack("{s:i}", "id", found->id);
	} else if (!post && strcmp(more, "versions") == 0) {
		x->answer = json_array();
		for (int i = 0; i < s->count; i++) {
			if (strcmp(s->at[i].subject, rest) == 0)
				json_array_append_new(x->answer, json_integer(s->at[i].version));
		}
	} else if (found) {
		x->answer = show(found);
	} else {
		refuse(x, 404, 40403, "Schema not found");
	}
}

static void refuse(struct exchange *x, int status, int code, const char *message)
{
	x->status = status;
	x->answer = json_pack("{s:i, s:s}", "error_code", code, "message", message);
}

static struct entry *by_id(struct registry_sim *s, int id)
{
	for (int i = 0; i < s->count; i++) {
		if (s->at[i].id == id)
			return &s->at[i];
	}
	return NULL;
}

static struct entry *newest(struct registry_sim *s, const char *subject)
{
	for (int i = s->count; i-- > 0;) {
		if (strcmp(s->at[i].subject, subject) == 0)
			return &s->at[i];
	}
	return NULL;
}

static json_t *show(const struct entry *e)
{
	return json_pack("{s:s, s:i, s:i, s:s}", "subject", e->subject, "id", e->id, "version",
			 e->version, "schema", e->text);
}

static void put(struct registry_sim *s, const char *subject, int id, const char *text, size_t len)
{
	const struct entry *before = newest(s, subject);
	struct entry *e = &s->at[s->count];

	assert(s->count < ENTRIES);
	e->version = before ? before->version + 1 : 1;
	e->id = id;
	e->text = strndup(text, len);
	snprintf(e->subject, sizeof e->subject, "%s", subject);
	s->count++;
}
