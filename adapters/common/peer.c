#include "adapters/common/peer.h"
#include "crypto/digest.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A peer may ask for a pause longer than our longest, but not for a day. */
enum { RETRY_AFTER_MAX_MS = 600000, SLOW_PART = 4 };

static void show(struct peer *p);

int peer_open(struct peer *p, const struct conf_peer *conf, struct role *role, struct err *e)
{
	*p = (struct peer){.conf = conf, .role = role};
	if (!conf->url[0])
		return err_set(e, ERR_CONF, "[%s] url: not configured", role->name);
	if (http_open(&p->http, conf, PEER_RESPONSE_MAX, e) != 0)
		return -1;
	http_stop_when(p->http, role_stopping);
	return 0;
}

void peer_close(struct peer *p)
{
	http_close(p->http);
	p->http = NULL;
}

void peer_add(struct peer *p, struct backoff *b, const char *name)
{
	assert(p->stream_count < PEER_STREAMS_MAX);
	*b = (struct backoff){.name = name};
	p->streams[p->stream_count++] = b;
}

int64_t peer_wait(const struct peer *p, const struct backoff *b)
{
	int64_t at = b->until_ms > p->next_ms ? b->until_ms : p->next_ms;
	int64_t wait_ms = at - clock_monotonic();

	return wait_ms > 0 ? wait_ms : 0;
}

enum exchange exchange_of(enum http_outcome outcome, int status)
{
	if (outcome == HTTP_NOT_SENT)
		return EX_RETRY;
	if (outcome != HTTP_ANSWERED)
		return EX_DOUBT;
	switch (status) {
	case 200:
		return EX_DONE;
	case 400:
	case 409:
	case 413:
	case 422:
		return EX_SPLIT;
	case 408: /* some proxies say so after having passed the request on */
		return EX_DOUBT;
	default: /* 401, 403, 404, 429 ...: about the set-up or the hour, not about the rows */
		return status >= 400 && status < 500 ? EX_RETRY : EX_DOUBT;
	}
}

enum exchange peer_exchange(struct peer *p, struct backoff *b, const char *path, struct str body,
			    const char *idempotency_key, struct answer *out)
{
	struct err why = {0};
	enum http_outcome outcome;
	enum exchange x;

	if (p->conf->requests_per_s > 0)
		p->next_ms = clock_monotonic() +
			     (1000 + p->conf->requests_per_s - 1) / p->conf->requests_per_s;
	outcome = http_request(p->http, path, body, idempotency_key, &out->http, &why);
	x = exchange_of(outcome, out->http.status);
	if (outcome == HTTP_ANSWERED)
		snprintf(out->why, sizeof out->why, "status_%d", out->http.status);
	else
		snprintf(out->why, sizeof out->why, "%s", out->http.why);
	if ((x == EX_RETRY || x == EX_DOUBT) && strcmp(out->why, "stopped") != 0)
		backoff_failed(p, b, out->http.retry_after_ms, why.class ? why.text : out->why);
	return x;
}

void backoff_failed(struct peer *p, struct backoff *b, int64_t retry_after_ms, const char *why)
{
	char text[LOG_VALUE];
	uint32_t random;
	int64_t delay;

	random_bytes(&random, sizeof random);
	if (b->failures++ == 0)
		b->open_since_ms = clock_wall();
	delay = backoff_delay(p->conf, b->failures, retry_after_ms, random);
	b->until_ms = clock_monotonic() + delay;
	b->slow = false;
	log_warn("PEER-FAILED", "stream=%s failures=%" PRId64 " retry_in_ms=%" PRId64 " why=%s",
		 b->name, b->failures, delay, log_value(text, why));
	show(p);
}

void backoff_worked(struct peer *p, struct backoff *b, int64_t took_ms)
{
	bool slow = took_ms * SLOW_PART > p->conf->timeout_ms;

	if (b->failures > 0)
		log_info("PEER-WORKS", "stream=%s after_failures=%" PRId64, b->name, b->failures);
	if (b->failures == 0 && b->slow == slow && p->role->peer[0])
		return;
	b->failures = b->until_ms = b->open_since_ms = 0;
	b->slow = slow;
	show(p);
}

int64_t backoff_delay(const struct conf_peer *conf, int64_t failures, int64_t retry_after_ms,
		      uint32_t random)
{
	int64_t delay = conf->backoff_min_ms > 0 ? conf->backoff_min_ms : 1;

	for (int64_t i = 1; i < failures && delay < conf->backoff_max_ms; i++)
		delay *= 2;
	if (delay > conf->backoff_max_ms)
		delay = conf->backoff_max_ms;
	delay = delay / 2 + (delay - delay / 2) * (random >> 1) / INT32_MAX;
	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		retry_after_ms = RETRY_AFTER_MAX_MS;
	return delay > retry_after_ms ? delay : retry_after_ms;
}

bool backoff_open(const struct peer *p, const struct backoff *b)
{
	return b->failures >= p->conf->breaker_failures;
}

/* The state of the worst stream, for status. */
static void show(struct peer *p)
{
	int64_t since = 0;
	bool slow = false;

	for (int i = 0; i < p->stream_count; i++) {
		const struct backoff *b = p->streams[i];

		slow = slow || b->slow;
		if (backoff_open(p, b) && (since == 0 || b->open_since_ms < since))
			since = b->open_since_ms;
	}
	if (since)
		snprintf(p->role->peer, sizeof(p->role->peer), "open %" PRId64, since);
	else
		snprintf(p->role->peer, sizeof(p->role->peer), "%s", slow ? "slow" : "up");
}
