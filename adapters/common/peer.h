/* The outside peer of an adapter: one exchange and what its failure means, back-off with jitter,
 * rate limit, and the state for status.
 *
 * Each stream of work (batches, queries, feed ...) has a back-off of its own, so that one failing
 * endpoint stalls nobody else. The peer's state is that of the worst stream. */
#ifndef QIAO_ADAPTERS_PEER_H
#define QIAO_ADAPTERS_PEER_H
#include "base/role.h"
#include "http/client.h"

#define PEER_STREAMS_MAX 8
#define PEER_RESPONSE_MAX (8 << 20)

struct backoff {
	const char *name; /* of the stream, for log lines */
	int64_t until_ms; /* monotonic: no request before */
	int64_t failures; /* in a row */
	int64_t open_since_ms; /* of the first of them, by the wall clock; 0 = up */
	bool slow; /* the last answer took long */
};
struct peer {
	const struct conf_peer *conf;
	struct role *role;
	struct http_client *http;
	struct backoff *streams[PEER_STREAMS_MAX];
	int stream_count;
	int64_t next_ms; /* rate limit, monotonic: no request before */
};
int peer_open(struct peer *p, const struct conf_peer *conf, struct role *role, struct err *e);
void peer_close(struct peer *p);
void peer_add(struct peer *p, struct backoff *b, const char *name); /* borrows b */
/* Milliseconds until a request of that stream may go out; 0 = now. */
int64_t peer_wait(const struct peer *p, const struct backoff *b);

/* What the outcome of an exchange means for the rows in it. */
enum exchange {
	EX_DONE,  /* 200 with a body */
	EX_RETRY, /* nothing was processed, not because of a row: never sent, 429, 401, 404 ... */
	EX_SPLIT, /* nothing was processed because of something in it: 400, 409, 413, 422 */
	EX_DOUBT, /* some of it may have been: 5xx, 408, time-out, cut, anything unforeseen */
};
enum exchange exchange_of(enum http_outcome outcome, int status);
/* One request, classified. Backs the stream off after RETRY and DOUBT; EX_DONE is not yet success:
 * the caller says so with backoff_worked when the body proved good, or backoff_failed. why: one
 * stable word on what happened when not DONE ("timeout", "status_500"). */
struct answer {
	struct http_response http;
	char why[24];
};
enum exchange peer_exchange(struct peer *p, struct backoff *b, const char *path, struct str body,
			    const char *idempotency_key, struct answer *out);

void backoff_failed(struct peer *p, struct backoff *b, int64_t retry_after_ms, const char *why);
void backoff_worked(struct peer *p, struct backoff *b, int64_t took_ms);
/* Pure: the pause after so many failures in a row; random spreads it over its upper half. */
int64_t backoff_delay(const struct conf_peer *conf, int64_t failures, int64_t retry_after_ms,
		      uint32_t random);
/* The breaker: breaker_failures failures in a row. */
bool backoff_open(const struct peer *p, const struct backoff *b);

#endif
