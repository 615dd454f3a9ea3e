/* The outside peer of an adapter: one exchange and what its failure means, back-off with jitter, rate limit, and the state for
 * status.
 *
 * Each stream of work (batches, queries, feed ...) has a back-off of its own, so that one failing endpoint stalls nobody else. The
 * peer's state is that of the worst stream. */
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
	int64_t open_since_ms; /* wall clock, like all of the status file: time of the first of them, 0 = up */
	bool slow;	       /* the last answer took long */
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
	EX_DONE, /* 200 with a body */
	EX_RETRY, /* nothing of it was processed, and not because of the rows: never sent, 429, 401, 403, 404 ... */
	EX_SPLIT, /* nothing of it was processed because of something in it: 400, 409, 413, 422; halve it */
	EX_DOUBT, /* it may have been processed, wholly or in part: 5xx, 408, time-out, cut, anything unforeseen */
};
enum exchange exchange_of(enum http_outcome outcome, int status);
/* One request, classified. Backs the stream off after RETRY and DOUBT; EX_DONE is not yet success: the caller says so with
 * backoff_worked when the body proved good, or backoff_failed. why: one stable word on what happened when not DONE
 * ("timeout", "status_500"). */
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
bool backoff_open(const struct peer *p,
		  const struct backoff *b); /* the breaker: that many failures in a row */

#endif
