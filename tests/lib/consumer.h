/* The SSA's own side of a world on Kafka with a registry: tests/data/consumer.py, which shares nothing with the product but the published
 * schemas. Run by $QIAO_PYTHON, else by the build's own virtual environment (tests/lib/venv.sh). */
#ifndef QIAO_TESTS_LIB_CONSUMER_H
#define QIAO_TESTS_LIB_CONSUMER_H
#include "tests/lib/world.h"
#include <stdio.h>

/* What it prints, with further options, ending with NULL. 0 when it could read and believes all; else -1, and *out has what it printed
 * before. */
int consumer_run(struct world *w, struct buf *out, const char *const *options, struct err *e);
/* Its output with --format json against `qiao statement`: the statistics key by key and state by state, the feedback against the columns
 * collected and refunded. Names on out what differs; gives how many, -1 when one of the two cannot be had. */
int consumer_compare(struct world *w, const struct buf *said, FILE *out, struct err *e);

#endif
