/* For tests: a simulated agency as a child process, and plain HTTP/1.1 to it over a socket of its
 * own for each request, so that a test sees exactly what came over the line. */
#ifndef QIAO_TESTS_SIM_H
#define QIAO_TESTS_SIM_H
#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

struct sim {
	pid_t pid; /* 0: not running */
	int port;
	int output; /* the rest of its stdout */
};
/* Starts bin/<program> of the test's own build (or of $QIAO_BUILD) with args (NULL-terminated,
 * without the name) and waits until it listens. port 0 = any; a restart passes the old one. The
 * child dies with the test. */
int sim_start(struct sim *s, const char *program, const char *const *args, int port, struct err *e);
/* Ends it with that signal and waits. Appends what it still said on stdout to said (may be NULL).
 * Fine when not running. */
void sim_stop(struct sim *s, int signal, struct buf *said);
/* Runs a program to its end, with its stdout in out (up to its maximum); gives the exit status,
 * -1 when it was killed. */
int sim_run(const char *program, const char *const *args, struct buf *out, struct err *e);

/* One request; body NULL = GET. The status of a whole answer, body in *answer (NUL behind it) and
 * head in *head (may be NULL); 0: the connection was closed without a byte; -1: it broke off in
 * the middle. Waits at most 20 s. */
int sim_ask(const struct sim *s, const char *path, const char *body, struct buf *answer,
	    struct buf *head);
int sim_send(const struct sim *s, const char *path,
	     const char *body); /* the first half of sim_ask: the socket, or -1 */

#endif
