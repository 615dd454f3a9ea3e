/* libcurl behind client.h. What it must never do is send money twice.
 *
 * libcurl repeats a request by itself, POST included, when a connection that it had kept closes
 * without one answer byte; the peer may have processed the first. So a request with an idempotency
 * key opens a connection of its own and closes it afterwards: on a fresh connection libcurl 7.88
 * has no such repeat, and no false doubt comes from a peer that dropped an idle connection. Should
 * any other path of libcurl begin the same request again, the pre-request callback stops it.
 * Requests without a key bear repeating and use a kept connection. The price, measured on loopback:
 * 55 us of CPU and 0.6 ms of time a request, 1.7 ms of CPU with TLS and a client certificate; with
 * 1000 payments a request less than 2 us a payment. Proving a kept connection alive by a GET would
 * leave a race.
 *
 * Sent or not: libcurl calls the pre-request callback after the connection and its TLS handshake
 * stand and before the first byte of the request. Never called means nothing left. Called means
 * that something may have, whatever the error says. */
#include "http/client.h"
#include "base/clock.h"
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_AFTER_MAX_S = 3600, URL_MAX = 4096, RECEIVE_BYTES = 128 << 10 };

struct http_client {
	CURL *curl;
	struct buf url, body;
	size_t base_len;     /* of url: scheme, host, port, prefix */
	bool (*asked)(void); /* a stop was asked for */
	const char *type;    /* of bodies */
	/* of the running request */
	bool begun, once, too_large, stopped;
};

static int set_up(struct http_client *h, const struct conf_peer *peer, struct err *e);
static int check_file(const char *path, const char *what, struct err *e);
static CURLcode prepare(struct http_client *h, struct str body, struct curl_slist *headers);
static struct curl_slist *headers_of(const char *type, struct str body, const char *key);
static int add_header(struct curl_slist **list, const char *name, const char *value);
static enum http_outcome outcome_of(struct http_client *h, CURLcode rc, struct http_response *r);
static const char *why_of(const struct http_client *h, CURLcode rc);
static int on_begin(void *arg, char *to, char *from, int to_port, int from_port);
static size_t on_body(char *p, size_t size, size_t n, void *arg);
static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d);

int http_open(struct http_client **out, const struct conf_peer *peer, size_t response_max,
	      struct err *e)
{
	static bool started;
	struct http_client *h = calloc(1, sizeof(*h));

	if (!h)
		return err_set(e, ERR_TEMP, "http client: out of memory");
	buf_init(&h->url, URL_MAX);
	buf_init(&h->body, response_max);
	h->type = "application/json";
	if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(e, ERR_TEMP, "libcurl: cannot start");
		goto fail;
	}
	started = true;
	h->curl = curl_easy_init();
	if (!h->curl) {
		err_set(e, ERR_TEMP, "http client: out of memory");
		goto fail;
	}
	if (set_up(h, peer, e) != 0)
		goto fail;
	*out = h;
	return 0;
fail:
	http_close(h);
	return -1;
}

void http_close(struct http_client *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	buf_fini(&h->url);
	buf_fini(&h->body);
	free(h);
}

void http_stop_when(struct http_client *h, bool (*asked)(void))
{
	h->asked = asked;
}

void http_speak(struct http_client *h, const char *type)
{
	h->type = type;
}

/* libcurl keeps copies, and gives them to no other host: there are no redirects. */
int http_authorize(struct http_client *h, const char *user, const char *secret, struct err *e)
{
	CURLcode rc;

	if (user) {
		rc = curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		rc = rc ? rc : curl_easy_setopt(h->curl, CURLOPT_USERNAME, user);
		rc = rc ? rc : curl_easy_setopt(h->curl, CURLOPT_PASSWORD, secret);
	} else {
		rc = curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		rc = rc ? rc : curl_easy_setopt(h->curl, CURLOPT_XOAUTH2_BEARER, secret);
	}
	if (rc != CURLE_OK)
		return err_set(e, ERR_TEMP, "http client: %s", curl_easy_strerror(rc));
	return 0;
}

enum http_outcome http_request(struct http_client *h, const char *path, struct str body,
			       const char *idempotency_key, struct http_response *r, struct err *e)
{
	struct curl_slist *headers = headers_of(h->type, body, idempotency_key);
	int64_t start = clock_monotonic();
	enum http_outcome outcome;
	CURLcode rc = CURLE_OUT_OF_MEMORY;

	*r = (struct http_response){.retry_after_ms = -1};
	h->begun = h->too_large = h->stopped = false;
	h->once = idempotency_key != NULL;
	buf_reset(&h->body);
	h->url.len = h->base_len;
	if (headers && buf_put_str(&h->url, path) == 0 && buf_text(&h->url))
		rc = prepare(h, body, headers);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(h->curl);
	r->took_ms = clock_monotonic() - start;
	outcome = outcome_of(h, rc, r);
	if (outcome != HTTP_ANSWERED)
		err_set(e, ERR_TEMP, "%s %.*s: %s after %" PRId64 " ms (%s)",
			body.p ? "POST" : "GET", (int)strcspn(path, "?"), path, r->why, r->took_ms,
			curl_easy_strerror(rc));
	curl_slist_free_all(headers);
	return outcome;
}

/* What stays the same for every request. */
static int set_up(struct http_client *h, const struct conf_peer *peer, struct err *e)
{
	bool plain = strncmp(peer->url, "http://", 7) == 0;
	size_t n = strlen(peer->url);
	CURL *c = h->curl;
	CURLcode rc = CURLE_OK;

	if (strncmp(peer->url, "https://", 8) != 0 && !(plain && conf_is_loopback(peer->url)))
		return err_set(e, ERR_CONF,
			       "peer url \"%s\": https:// is asked for, or http:// to loopback",
			       peer->url);
	if (check_file(peer->ca, "ca", e) != 0 || check_file(peer->cert, "cert", e) != 0 ||
	    check_file(peer->key, "key", e) != 0)
		return -1;
	while (n > 0 && peer->url[n - 1] == '/')
		n--;
	if (buf_put(&h->url, peer->url, n) != 0)
		return err_set(e, ERR_CONF, "peer url: too long");
	h->base_len = n;
#define SET(option, value) (rc = rc != CURLE_OK ? rc : curl_easy_setopt(c, option, value))
	SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	SET(CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1); /* 2 has repeats of its own (refused streams) */
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, ""); /* nothing from the environment */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)peer->connect_timeout_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)peer->timeout_ms);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)(peer->timeout_ms / 1000 + 1));
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (peer->ca[0])
		SET(CURLOPT_CAINFO, peer->ca);
	if (peer->cert[0])
		SET(CURLOPT_SSLCERT, peer->cert);
	if (peer->key[0])
		SET(CURLOPT_SSLKEY, peer->key);
	SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	SET(CURLOPT_MAXCONNECTS, 2L);
	SET(CURLOPT_PREREQFUNCTION, on_begin);
	SET(CURLOPT_PREREQDATA, h);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, h);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, h);
	SET(CURLOPT_NOPROGRESS, 0L);
#undef SET
	if (rc != CURLE_OK)
		return err_set(e, ERR_CONF, "http client: %s", curl_easy_strerror(rc));
	return 0;
}

static int check_file(const char *path, const char *what, struct err *e)
{
	if (path[0] && access(path, R_OK) != 0)
		return err_set(e, ERR_CONF, "peer %s %s: cannot be read", what, path);
	return 0;
}

static CURLcode prepare(struct http_client *h, struct str body, struct curl_slist *headers)
{
	CURL *c = h->curl;
	CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, (const char *)h->url.data);

#define SET(option, value) (rc = rc != CURLE_OK ? rc : curl_easy_setopt(c, option, value))
	if (body.p) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
		SET(CURLOPT_POSTFIELDS, body.p);
	} else {
		SET(CURLOPT_HTTPGET, 1L);
	}
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_FRESH_CONNECT, (long)h->once);
	SET(CURLOPT_FORBID_REUSE, (long)h->once);
#undef SET
	return rc;
}

/* No "Expect: 100-continue": it costs a second with peers that do not know it, and a 417 makes
 * libcurl send again. */
static struct curl_slist *headers_of(const char *type, struct str body, const char *key)
{
	struct curl_slist *list = NULL;

	if (add_header(&list, "Accept: ", type) || add_header(&list, "Expect:", "") ||
	    add_header(&list, "User-Agent: ", "qiao") ||
	    (body.p && add_header(&list, "Content-Type: ", type)) ||
	    (key && add_header(&list, "Idempotency-Key: ", key))) {
		curl_slist_free_all(list);
		return NULL;
	}
	return list;
}

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	struct curl_slist *longer;
	char line[160];
	int n = snprintf(line, sizeof line, "%s%s", name, value);

	longer = n > 0 && (size_t)n < sizeof line ? curl_slist_append(*list, line) : NULL;
	if (!longer)
		return -1;
	*list = longer;
	return 0;
}

static enum http_outcome outcome_of(struct http_client *h, CURLcode rc, struct http_response *r)
{
	long status = 0;
	curl_off_t after_s = 0;

	if (rc == CURLE_OK &&
	    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	    status >= 200) {
		r->status = (int)status;
		r->body = (struct str){h->body.data ? (const char *)h->body.data : "", h->body.len};
		if (curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &after_s) == CURLE_OK &&
		    after_s > 0)
			r->retry_after_ms =
				(after_s < RETRY_AFTER_MAX_S ? after_s : RETRY_AFTER_MAX_S) * 1000;
		return HTTP_ANSWERED;
	}
	r->why = why_of(h, rc);
	return h->begun ? HTTP_UNKNOWN : HTTP_NOT_SENT;
}

static const char *why_of(const struct http_client *h, CURLcode rc)
{
	if (h->stopped)
		return "stopped";
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return "timeout";
	if (!h->begun)
		return "not_connected";
	if (h->too_large)
		return "too_large";
	if (rc == CURLE_PARTIAL_FILE || h->body.len > 0)
		return "truncated";
	return "connection_lost";
}

/* Called before the first byte of the request; a second time when libcurl is about to send it
 * again. */
static int on_begin(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct http_client *h = arg;

	(void)to, (void)from, (void)to_port, (void)from_port;
	if (h->once && h->begun)
		return CURL_PREREQFUNC_ABORT;
	h->begun = true;
	/* What came of an answer before a repeat is not part of this one. */
	buf_reset(&h->body);
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_client *h = arg;

	if (buf_put(&h->body, p, size * n) == 0)
		return size * n;
	h->too_large = true;
	return 0;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct http_client *h = arg;

	(void)a, (void)b, (void)c, (void)d;
	if (!h->once && h->asked && h->asked())
		h->stopped = true;
	return h->stopped;
}
