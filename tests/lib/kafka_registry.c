/* A real schema registry: Apicurio, its book a file of H2 in its folder, so that it keeps ids. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "tests/lib/kafka.h"
#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { READY_MS = 60000, ASK_S = 20, LOOK_MS = 20, ANSWER_MAX = 16 << 20, PATH = 340 };

#define BASE "/apis/ccompat/v7"

static int ask(int port, const char *method, const char *path, const char *body,
	       struct buf *answer);
static int spawn(struct apicurio *a, struct err *e);

int apicurio_open(struct apicurio *a, const char *dir, struct err *e)
{
	memset(a, 0, sizeof *a);
	a->held = -1;
	if (java_home(a->home, e) < 0 || java_dir(a->dir, dir, e) < 0 ||
	    java_port(&a->port, &a->held, e) < 0)
		return -1;
	snprintf(a->url, sizeof a->url, "http://127.0.0.1:%d" BASE, a->port);
	return apicurio_start(a, e);
}

void apicurio_close(struct apicurio *a)
{
	java_end(&a->java, SIGKILL);
	if (a->port)
		close(a->held);
	if (a->dir[0])
		fs_remove_tree(a->dir, NULL);
	memset(a, 0, sizeof *a);
}

void apicurio_kill(struct apicurio *a)
{
	java_end(&a->java, SIGKILL);
}

int apicurio_stop(struct apicurio *a)
{
	return java_end(&a->java, SIGTERM);
}

int apicurio_start(struct apicurio *a, struct err *e)
{
	int64_t until = clock_monotonic() + READY_MS;
	struct buf answer;
	int status = 0;

	if (spawn(a, e) < 0)
		return -1;
	buf_init(&answer, ANSWER_MAX);
	while (java_alive(&a->java) && clock_monotonic() < until &&
	       (status = ask(a->port, "GET", "/health/ready", NULL, &answer)) != 200)
		poll(NULL, 0, LOOK_MS);
	if (status == 200)
		status = apicurio_ask(a, "PUT", "/config", "{\"compatibility\":\"BACKWARD\"}",
				      &answer);
	buf_fini(&answer);
	if (status == 200)
		return 0;
	err_set(e, ERR_CONF, "the registry did not start (%s)",
		java_alive(&a->java) ? "no answer" : "it ended");
	java_said(a->dir, e);
	return -1;
}

int apicurio_forget(struct apicurio *a, struct err *e)
{
	char book[PATH];

	apicurio_stop(a);
	snprintf(book, sizeof book, "%s/book", a->dir);
	return fs_remove_tree(book, e) < 0 ? -1 : apicurio_start(a, e);
}

static int spawn(struct apicurio *a, struct err *e)
{
	char archive[PATH], error[PATH], tmp[PATH], book[PATH], http[PATH], pattern[PATH];
	glob_t found;
	int rc = -1;

	if (java_alive(&a->java))
		return err_set(e, ERR_CONF, "the registry runs already");
	snprintf(tmp, sizeof tmp, "%s/tmp", a->dir);
	if (fs_mkdirs(tmp, e) < 0)
		return -1;
	snprintf(archive, sizeof archive, "-XX:SharedArchiveFile=%s/registry.jsa", a->home);
	snprintf(error, sizeof error, "-XX:ErrorFile=%s/crash", a->dir);
	snprintf(tmp, sizeof tmp, "-Djava.io.tmpdir=%s/tmp", a->dir);
	snprintf(book, sizeof book,
		 "-Dapicurio.datasource.url=jdbc:h2:file:%s/book/registry;WRITE_DELAY=0", a->dir);
	snprintf(http, sizeof http, "-Dquarkus.http.port=%d", a->port);
	snprintf(pattern, sizeof pattern, "%s/registry/apicurio-registry-app-*-runner.jar",
		 a->home);
	if (glob(pattern, 0, NULL, &found) != 0)
		return err_set(e, ERR_CONF, "%s: not there: run tests/kafka/fetch.sh", pattern);
	/* The archive of classes holds the name of the jar as it was given: relative. */
	const char *const args[] = {"java",
				    "-Xmx256m",
				    "-XX:+UseSerialGC",
				    "-XX:TieredStopAtLevel=1",
				    "-XX:-UsePerfData",
				    "-Xlog:disable",
				    archive,
				    error,
				    tmp,
				    "-Dquarkus.http.host=127.0.0.1",
				    http,
				    "-Dquarkus.profile=prod",
				    "-Dquarkus.log.level=WARN",
				    "-Dquarkus.http.access-log.enabled=false",
				    "-Dapicurio.storage.kind=sql",
				    "-Dapicurio.storage.sql.kind=h2",
				    book,
				    "-Dapicurio.ccompat.use-canonical-hash=true",
				    "-jar",
				    found.gl_pathv[0] + strlen(a->home) + 1,
				    NULL};

	rc = java_start(&a->java, a->home, a->dir, args, e);
	globfree(&found);
	return rc;
}

int apicurio_ask(const struct apicurio *a, const char *method, const char *path, const char *body,
		 struct buf *answer)
{
	char whole[600];

	if (snprintf(whole, sizeof whole, BASE "%s", path) >= (int)sizeof whole)
		return -1;
	return ask(a->port, method, whole, body, answer);
}

/* HTTP/1.0: the answer ends with the connection, never in chunks. */
static int ask(int port, const char *method, const char *path, const char *body, struct buf *answer)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval limit = {.tv_sec = ASK_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = -1;
	struct buf request;
	const char *text, *end;
	int64_t status;
	uint8_t *room;
	ssize_t n;

	buf_init(&request, ANSWER_MAX);
	buf_printf(&request,
		   "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		   "Content-Length: %zu\r\n\r\n%s",
		   method, path, body ? strlen(body) : 0, body ? body : "");
	buf_reset(answer);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
	    send(fd, request.data, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
		goto out;
	while ((room = buf_reserve(answer, 16384)) != NULL && (n = read(fd, room, 16384)) > 0)
		answer->len += (size_t)n;
	text = room && n == 0 ? buf_text(answer) : NULL;
	end = text ? strstr(text, "\r\n\r\n") : NULL;
	if (!end || answer->len < 12 || str_int((struct str){text + 9, 3}, 100, 599, &status) < 0)
		goto out;
	answer->len -= (size_t)(end + 4 - text);
	memmove(answer->data, end + 4, answer->len);
	buf_text(answer);
	rc = (int)status;
out:
	buf_fini(&request);
	if (fd >= 0)
		close(fd);
	return rc;
}
