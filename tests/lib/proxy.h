/* A TCP proxy between a program and its peer that can be told to misbehave: a process of its own, which dies with the test.
 *
 * Connections go through as they come. Faults hold from the moment they are set, also for connections that are open. */
#ifndef QIAO_TESTS_LIB_PROXY_H
#define QIAO_TESTS_LIB_PROXY_H
#include "base/err.h"
#include <sys/types.h>

enum proxy_mode {
	PROXY_PASS,
	PROXY_DELAY,   /* each piece is passed on that much later, both ways */
	PROXY_CUT,     /* open connections are reset, new ones refused */
	PROXY_SWALLOW, /* half open: connections stand and are accepted, nothing gets through any more */
	PROXY_DEAF,    /* half open: what the program says gets through, the answers do not */
};
struct proxy_orders; /* shared with the process */
struct proxy {
	pid_t pid;
	int port;
	struct proxy_orders *orders;
};
/* Listens on a free port of 127.0.0.1; connects to target_port for each connection, which need not answer yet. */
int proxy_start(struct proxy *p, int target_port, struct err *e);
/* The same for a target that is known only later (a broker that must know the proxy's port first). */
void proxy_target(struct proxy *p, int target_port);
void proxy_set(struct proxy *p, enum proxy_mode mode, int delay_ms);
/* Resets the connections that are open now; new ones go by the mode. */
void proxy_reset(struct proxy *p);
long proxy_connections(const struct proxy *p); /* accepted so far */
void proxy_stop(struct proxy *p);

#endif
