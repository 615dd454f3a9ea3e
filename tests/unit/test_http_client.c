/* The HTTP client against a server that misbehaves: what was sent, what was not, and that money
 * goes out once. */
#include "base/clock.h"
#include "http/client.h"
#include "tests/lib/script_server.h"
#include "tests/lib/unit.h"
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define BODY STR("{\"a\":1}")

static bool stop_now;

struct rig {
	struct script_server *server;
	struct conf_peer peer;
	struct http_client *http;
	struct http_response r;
	struct err e;
};

static bool stopped(void)
{
	return stop_now;
}

static void open_peer(struct rig *rig, size_t response_max)
{
	rig->peer.connect_timeout_ms = 2000;
	rig->peer.timeout_ms = 1000;
	assert_int_equal(http_open(&rig->http, &rig->peer, response_max, &rig->e), 0);
	http_stop_when(rig->http, stopped);
	stop_now = false;
}

static void set_up(struct rig *rig, const struct script_step *steps, int count)
{
	*rig = (struct rig){0};
	rig->server = script_start("http", steps, count, rig->peer.url, sizeof rig->peer.url);
	open_peer(rig, 1000);
}

static void tear_down(struct rig *rig)
{
	http_close(rig->http);
	if (rig->server)
		script_stop(rig->server);
}

static enum http_outcome get(struct rig *rig, const char *path)
{
	return http_request(rig->http, path, (struct str){NULL, 0}, NULL, &rig->r, &rig->e);
}

static enum http_outcome pay(struct rig *rig)
{
	return http_request(rig->http, "/v1/batches", BODY, "0123", &rig->r, &rig->e);
}

static void answers_are_given_whole(void **state)
{
	static const struct script_step steps[] = {
		{.answer = OK},
		{.answer = "HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nlater"},
		{.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
			   "chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"},
		{.answer = "HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"},
		{.answer = "HTTP/1.1 503 X\r\nRetry-After: 999999999\r\nContent-Length: 0\r\n\r\n"},
	};
	struct rig rig;

	(void)state;
	set_up(&rig, steps, COUNT(steps));
	assert_int_equal(get(&rig, "/v1/changes?after=x"), HTTP_ANSWERED);
	assert_int_equal(rig.r.status, 200);
	assert_true(str_is(rig.r.body, "{}"));
	assert_int_equal(rig.r.retry_after_ms, -1);
	assert_int_equal(http_request(rig.http, "/v1/queries", BODY, NULL, &rig.r, &rig.e),
			 HTTP_ANSWERED);
	assert_int_equal(rig.r.status, 429);
	assert_int_equal(rig.r.retry_after_ms, 7000);
	assert_int_equal(get(&rig, "/x"), HTTP_ANSWERED);
	assert_true(str_is(rig.r.body, "[]"));
	assert_int_equal(get(&rig, "/x"), HTTP_ANSWERED); /* not followed */
	assert_int_equal(rig.r.status, 302);
	assert_int_equal(get(&rig, "/x"), HTTP_ANSWERED);
	assert_int_equal(rig.r.retry_after_ms, 3600000);
	assert_int_equal(script_requests(rig.server), 5);
	assert_int_equal(script_connections(rig.server), 1); /* kept */
	assert_non_null(strstr(script_request(rig.server, 0), "GET /v1/changes?after=x HTTP/1.1"));
	assert_non_null(strstr(script_request(rig.server, 1), "POST /v1/queries HTTP/1.1"));
	assert_non_null(strstr(script_request(rig.server, 1), "Content-Type: application/json"));
	assert_non_null(strstr(script_request(rig.server, 1), "{\"a\":1}"));
	assert_null(strstr(script_request(rig.server, 1), "Idempotency-Key"));
	assert_null(strstr(script_request(rig.server, 1), "Expect"));
	tear_down(&rig);
}

/* What a money request (with key) and another come to. */
static void failures_are_told_apart(void **state)
{
	static const struct {
		struct script_step step;
		enum http_outcome outcome;
		const char *why;
	} cases[] = {
		{{.close = true}, HTTP_UNKNOWN, "connection_lost"},
		{{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\"",
		  .close = true},
		 HTTP_UNKNOWN,
		 "truncated"},
		{{.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		  .close = true},
		 HTTP_UNKNOWN,
		 "truncated"},
		{{.answer = "HTTP/1.1 20", .close = true}, HTTP_UNKNOWN, "connection_lost"},
		{{.answer = "no HTTP at all\r\n\r\n", .close = true},
		 HTTP_UNKNOWN,
		 "connection_lost"},
		{{.hold_ms = 5000}, HTTP_UNKNOWN, "timeout"},
		{{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\""},
		 HTTP_UNKNOWN,
		 "timeout"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rig rig;

		set_up(&rig, &cases[i].step, 1);
		assert_int_equal(pay(&rig), cases[i].outcome);
		assert_string_equal(rig.r.why, cases[i].why);
		assert_int_equal(rig.e.class, ERR_TEMP);
		assert_null(strstr(rig.e.text, "half")); /* nothing of the body */
		assert_int_equal(script_requests(rig.server), 1);
		tear_down(&rig);
	}
}

static void too_large_is_unknown(void **state)
{
	static char big[1600];
	struct script_step step = {.answer = big};
	struct rig rig;

	(void)state;
	snprintf(big, sizeof big, "HTTP/1.1 200 OK\r\nContent-Length: 1400\r\n\r\n%01400d", 0);
	set_up(&rig, &step, 1);
	assert_int_equal(pay(&rig), HTTP_UNKNOWN);
	assert_string_equal(rig.r.why, "too_large");
	tear_down(&rig);
}

static void what_was_never_sent(void **state)
{
	static const struct script_step deaf[] = {{.deaf = true}};
	struct rig rig = {0};
	char url[64];

	(void)state;
	/* A port on which nobody listens any more. */
	script_stop(script_start("http", deaf, 1, url, sizeof url));
	assert_int_equal(str_copy(rig.peer.url, sizeof rig.peer.url, str_of(url)), 0);
	open_peer(&rig, 1000);
	assert_int_equal(pay(&rig), HTTP_NOT_SENT);
	assert_string_equal(rig.r.why, "not_connected");
	tear_down(&rig);

	/* TLS spoken to somebody who closes, and to somebody who answers something else. */
	for (int i = 0; i < 2; i++) {
		static const struct script_step steps[] = {
			{.deaf = true}, {.answer = "HTTP/1.1 400 X\r\n\r\n", .close = true}};

		rig = (struct rig){0};
		rig.server = script_start("https", &steps[i], 1, rig.peer.url, sizeof rig.peer.url);
		open_peer(&rig, 1000);
		assert_int_equal(pay(&rig), HTTP_NOT_SENT);
		tear_down(&rig);
	}
}

/* libcurl sends a request again by itself when a kept connection closes without an answer. Money
 * never. */
static void money_goes_out_once(void **state)
{
	static const struct script_step steps[] = {
		{.answer = OK}, {.close = true}, {.answer = OK},
		{.answer = OK}, {.close = true}, {.answer = OK},
	};
	struct rig rig;

	(void)state;
	set_up(&rig, steps, COUNT(steps));
	/* Without a key: the second request dies on the kept connection and libcurl repeats it, as
	 * told in libraries.md. */
	assert_int_equal(get(&rig, "/1"), HTTP_ANSWERED);
	assert_int_equal(get(&rig, "/2"), HTTP_ANSWERED);
	assert_int_equal(script_requests(rig.server), 3);
	/* With one: the same happens to it, and it stays the only one. */
	assert_int_equal(get(&rig, "/3"), HTTP_ANSWERED);
	assert_int_equal(pay(&rig), HTTP_UNKNOWN);
	assert_int_equal(script_requests(rig.server), 5);
	assert_non_null(strstr(script_request(rig.server, 4), "Idempotency-Key: 0123"));
	assert_int_equal(pay(&rig), HTTP_ANSWERED);
	assert_int_equal(script_requests(rig.server), 6);
	tear_down(&rig);
}

static void money_has_a_connection_of_its_own(void **state)
{
	static const struct script_step steps[] = {
		{.answer = OK}, {.answer = OK}, {.answer = OK}, {.answer = OK}};
	struct rig rig;

	(void)state;
	set_up(&rig, steps, COUNT(steps));
	assert_int_equal(get(&rig, "/"), HTTP_ANSWERED);
	assert_int_equal(pay(&rig), HTTP_ANSWERED);
	assert_int_equal(pay(&rig), HTTP_ANSWERED);
	assert_int_equal(script_connections(rig.server), 3);
	assert_int_equal(get(&rig, "/"), HTTP_ANSWERED); /* the kept one is still good */
	assert_int_equal(script_connections(rig.server), 3);
	tear_down(&rig);
}

static void a_stop_ends_what_has_no_effect(void **state)
{
	static const struct script_step steps[] = {{.answer = OK}, {.hold_ms = 5000}};
	struct rig rig;

	(void)state;
	set_up(&rig, steps, COUNT(steps));
	stop_now = true;
	assert_int_equal(pay(&rig), HTTP_ANSWERED); /* money is seen through */
	rig.peer.timeout_ms = 20000;
	int64_t start = clock_monotonic();
	assert_int_not_equal(get(&rig, "/"), HTTP_ANSWERED);
	assert_string_equal(rig.r.why, "stopped");
	assert_true(clock_monotonic() - start < 4000);
	tear_down(&rig);
}

static void only_loopback_without_tls(void **state)
{
	static const char *const bad[] = {"http://192.0.2.1:80", "ftp://127.0.0.1", "",
					  "127.0.0.1:80"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct rig rig = {0};

		assert_int_equal(str_copy(rig.peer.url, sizeof rig.peer.url, str_of(bad[i])), 0);
		assert_int_equal(http_open(&rig.http, &rig.peer, 10, &rig.e), -1);
		assert_int_equal(rig.e.class, ERR_CONF);
	}
	struct rig rig = {.peer = {.url = "https://192.0.2.1", .ca = "/nowhere/ca.pem"}};
	assert_int_equal(http_open(&rig.http, &rig.peer, 10, &rig.e), -1);
	assert_int_equal(rig.e.class, ERR_CONF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_given_whole),
		cmocka_unit_test(failures_are_told_apart),
		cmocka_unit_test(too_large_is_unknown),
		cmocka_unit_test(what_was_never_sent),
		cmocka_unit_test(money_goes_out_once),
		cmocka_unit_test(money_has_a_connection_of_its_own),
		cmocka_unit_test(a_stop_ends_what_has_no_effect),
		cmocka_unit_test(only_loopback_without_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
