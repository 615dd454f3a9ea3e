/* HTTP client for outside peers; the only file that includes libcurl is client.c.
 *
 * One request at a time, blocking, bounded: connect and total time-out, response size, no
 * redirects, no proxy, HTTPS with peer and host verified and TLS >= 1.2, client certificate by
 * path; plain HTTP only where conf says loopback. A request that must not happen
 * twice never goes out on a kept connection (libcurl repeats such a one by itself): see client.c.
 *
 * What a caller must know of a failure is whether the peer can have seen the request. */
#ifndef QIAO_HTTP_CLIENT_H
#define QIAO_HTTP_CLIENT_H
#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"

enum http_outcome {
	HTTP_ANSWERED, /* a complete response came: status and body are valid */
	HTTP_NOT_SENT, /* no byte left: refused, no route, no name, no TLS; retry is safe */
	HTTP_UNKNOWN,  /* something left, no complete answer came: time-out, reset, truncated */
};
struct http_response {
	int status;
	struct str body;	/* valid until the next request */
	int64_t retry_after_ms; /* from Retry-After, -1 none */
	int64_t took_ms;
	/* When not ANSWERED, one stable word: timeout, truncated, too_large, stopped,
	 * not_connected, connection_lost. */
	const char *why;
};
struct http_client;
/* ERR_CONF: url is neither https nor http to loopback, or a certificate file cannot be read.
 * Touches no network. */
int http_open(struct http_client **out, const struct conf_peer *peer, size_t response_max,
	      struct err *e);
void http_close(struct http_client *h);
/* Requests without an idempotency key are given up (HTTP_UNKNOWN, "stopped") soon after `asked`
 * says true; those with a key run to their end, because giving them up makes doubt. */
void http_stop_when(struct http_client *h, bool (*asked)(void));
/* What bodies are, theirs and ours, instead of application/json. Borrows type. */
void http_speak(struct http_client *h, const char *type);
/* Says with every request who we are: user and password (basic), or with user NULL a bearer token.
 * Copies. ERR_TEMP out of memory. */
int http_authorize(struct http_client *h, const char *user, const char *secret, struct err *e);
/* path begins with "/". body no value = GET, else POST application/json. idempotency_key may be
 * NULL; with one the request has an effect that must not happen twice: it gets a connection of its
 * own and is never begun a second time. Without one libcurl may send it again by itself, so its
 * effect must bear repeating. Fills e (ERR_TEMP) when not ANSWERED. Borrows body until it returns.
 */
enum http_outcome http_request(struct http_client *h, const char *path, struct str body,
			       const char *idempotency_key, struct http_response *r, struct err *e);

#endif
