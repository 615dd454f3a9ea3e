/* Counters: one static table a program, one row for each branch that a person would ask about.
 *
 *     enum { C_ROWS_READ, C_FILES_REFUSED, C_COUNT };
 *     static struct counter counters[C_COUNT] = {
 *         [C_ROWS_READ] = {"rows_read", "rows read from rosters"}, ...};
 *
 * Logged each minute and at stop (event COUNTERS), and part of the program's status file (role.h)
 * for `qiao status`. */
#ifndef QIAO_BASE_COUNTERS_H
#define QIAO_BASE_COUNTERS_H
#include "base/buf.h"
#include <stdint.h>

struct counter {
	const char *name; /* lower_snake, stable */
	const char *help;
	int64_t value;
};
struct counters {
	struct counter *at;
	int count;
};
int counters_put(const struct counters *c, struct buf *out); /* "name=value name=value" */

#endif
