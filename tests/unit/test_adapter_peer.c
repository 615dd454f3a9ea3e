/* Back-off, breaker, what a status means; and the loop that lets a stream stall alone. */
#include "adapters/common/adapter.h"
#include "adapters/common/peer.h"
#include "tests/lib/script_server.h"
#include "tests/lib/unit.h"
#include <string.h>

static void pauses_grow_to_their_bound(void **state)
{
	static const struct {
		int64_t failures, retry_after, low, high;
	} cases[] = {
		{1, -1, 50, 100},      {2, -1, 100, 200},
		{3, -1, 200, 400},     {4, -1, 400, 800},
		{5, -1, 500, 1000},    {500, -1, 500, 1000},
		{1, 7000, 7000, 7000}, {5, 10, 500, 1000},
		{1, 0, 50, 100},       {1, 86400000, 600000, 600000},
	};
	struct conf_peer conf = {.backoff_min_ms = 100, .backoff_max_ms = 1000};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(backoff_delay(&conf, cases[i].failures, cases[i].retry_after, 0),
				 cases[i].low);
		assert_int_equal(
			backoff_delay(&conf, cases[i].failures, cases[i].retry_after, UINT32_MAX),
			cases[i].high);
		for (uint32_t r = 1; r < 4000000000; r += 400000000) {
			int64_t ms =
				backoff_delay(&conf, cases[i].failures, cases[i].retry_after, r);

			assert_true(ms >= cases[i].low && ms <= cases[i].high);
		}
	}
}

static void what_a_status_means(void **state)
{
	static const struct {
		enum http_outcome outcome;
		int status;
		enum exchange means;
	} cases[] = {
		{HTTP_NOT_SENT, 0, EX_RETRY},	{HTTP_UNKNOWN, 0, EX_DOUBT},
		{HTTP_ANSWERED, 200, EX_DONE},	{HTTP_ANSWERED, 400, EX_SPLIT},
		{HTTP_ANSWERED, 409, EX_SPLIT}, {HTTP_ANSWERED, 413, EX_SPLIT},
		{HTTP_ANSWERED, 422, EX_SPLIT}, {HTTP_ANSWERED, 429, EX_RETRY},
		{HTTP_ANSWERED, 401, EX_RETRY}, {HTTP_ANSWERED, 403, EX_RETRY},
		{HTTP_ANSWERED, 404, EX_RETRY}, {HTTP_ANSWERED, 408, EX_DOUBT},
		{HTTP_ANSWERED, 500, EX_DOUBT}, {HTTP_ANSWERED, 503, EX_DOUBT},
		{HTTP_ANSWERED, 502, EX_DOUBT}, {HTTP_ANSWERED, 202, EX_DOUBT},
		{HTTP_ANSWERED, 204, EX_DOUBT}, {HTTP_ANSWERED, 302, EX_DOUBT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(exchange_of(cases[i].outcome, cases[i].status), cases[i].means);
}

static void the_worst_stream_is_shown(void **state)
{
	struct role role = {.name = "tax"};
	struct conf_peer conf = {.backoff_min_ms = 10,
				 .backoff_max_ms = 100,
				 .breaker_failures = 3,
				 .timeout_ms = 1000};
	struct peer p = {.conf = &conf, .role = &role};
	struct backoff a, b;

	(void)state;
	peer_add(&p, &a, "a");
	peer_add(&p, &b, "b");
	assert_string_equal(role.peer, "");
	backoff_worked(&p, &a, 5);
	assert_string_equal(role.peer, "up");
	backoff_worked(&p, &b, 600);
	assert_string_equal(role.peer, "slow");
	for (int i = 0; i < 3; i++) {
		assert_false(backoff_open(&p, &a));
		backoff_failed(&p, &a, -1, "test");
	}
	assert_true(backoff_open(&p, &a));
	assert_int_equal(strncmp(role.peer, "open ", 5), 0);
	assert_true(peer_wait(&p, &a) > 0);
	assert_int_equal(peer_wait(&p, &b), 0); /* the other goes on */
	backoff_worked(&p, &b, 5);
	assert_int_equal(strncmp(role.peer, "open ", 5), 0);
	backoff_worked(&p, &a, 5);
	assert_string_equal(role.peer, "up");
	assert_int_equal(peer_wait(&p, &a), 0);
}

static void the_rate_is_kept(void **state)
{
	static const struct script_step steps[] = {
		{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"},
		{.answer = "HTTP/1.1 429 X\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"},
	};
	struct role role = {.name = "tax"};
	struct conf_peer conf = {.timeout_ms = 1000,
				 .connect_timeout_ms = 1000,
				 .requests_per_s = 2,
				 .backoff_max_ms = 10};
	struct peer p;
	struct backoff b;
	struct answer answer;
	struct err e;
	struct script_server *server = script_start("http", steps, 2, conf.url, sizeof conf.url);

	(void)state;
	assert_int_equal(peer_open(&p, &conf, &role, &e), 0);
	peer_add(&p, &b, "b");
	assert_int_equal(peer_wait(&p, &b), 0);
	assert_int_equal(peer_exchange(&p, &b, "/x", (struct str){NULL, 0}, NULL, &answer),
			 EX_DONE);
	assert_true(peer_wait(&p, &b) > 300 && peer_wait(&p, &b) <= 500);
	assert_int_equal(peer_exchange(&p, &b, "/x", (struct str){NULL, 0}, NULL, &answer),
			 EX_RETRY);
	assert_string_equal(answer.why, "status_429");
	assert_true(peer_wait(&p, &b) > 1500 && peer_wait(&p, &b) <= 2000);
	script_stop(server);
	b.until_ms = p.next_ms = 0;
	assert_int_equal(peer_exchange(&p, &b, "/x", STR("{}"), "key", &answer), EX_RETRY);
	assert_string_equal(answer.why, "not_connected");
	assert_int_equal(b.failures, 2);
	peer_close(&p);
}

static void no_url_is_no_configuration(void **state)
{
	struct role role = {.name = "tax"};
	struct conf_peer conf = {.timeout_ms = 1};
	struct peer p;
	struct err e;

	(void)state;
	assert_int_equal(peer_open(&p, &conf, &role, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
}

static void polling_slows_down_and_wakes_up(void **state)
{
	struct conf conf = {.bus = {.poll_min_ms = 2, .poll_max_ms = 9}};
	struct idle idle;

	(void)state;
	idle_init(&idle, &conf);
	assert_int_equal(idle_next(&idle), 2);
	assert_int_equal(idle_next(&idle), 4);
	assert_int_equal(idle_next(&idle), 8);
	assert_int_equal(idle_next(&idle), 9);
	assert_int_equal(idle_next(&idle), 9);
	idle_reset(&idle);
	assert_int_equal(idle_next(&idle), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_to_their_bound),
		cmocka_unit_test(what_a_status_means),
		cmocka_unit_test(the_worst_stream_is_shown),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(no_url_is_no_configuration),
		cmocka_unit_test(polling_slows_down_and_wakes_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
