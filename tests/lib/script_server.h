/* A TCP server in a thread that answers requests by a script, for what a well-behaved HTTP server
 * would never do: closing before, during and after an answer, holding it back, answering garbage.
 * It counts what it saw. */
#ifndef QIAO_TESTS_SCRIPT_SERVER_H
#define QIAO_TESTS_SCRIPT_SERVER_H
#include <stdbool.h>
#include <stddef.h>

struct script_step {	    /* what becomes of the next request, in the order in which they come */
	const char *answer; /* raw bytes, NULL = none */
	bool close;	    /* close the connection afterwards */
	/* close as soon as the connection stands, without reading (counts as no request) */
	bool deaf;
	int hold_ms; /* before the answer; a stop ends it */
};
#define SCRIPT_STEPS 32
struct script_server;
/* Listens on a free port of 127.0.0.1; url is filled with scheme://127.0.0.1:port. Past the last
 * step: 500. */
struct script_server *script_start(const char *scheme, const struct script_step *steps, int count,
				   char *url, size_t cap);
int script_requests(struct script_server *s); /* whole requests read so far */
int script_connections(struct script_server *s);
const char *
script_request(struct script_server *s,
	       int i); /* text of the i-th, head and body (first 64 KiB); after the fact */
void script_stop(struct script_server *s);

#endif
