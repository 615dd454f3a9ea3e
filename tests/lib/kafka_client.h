/* What tests want of a broker beside the bus: ends, all that lies there, other properties, repeats, and tidying up. */
#ifndef QIAO_TESTS_LIB_KAFKA_CLIENT_H
#define QIAO_TESTS_LIB_KAFKA_CLIENT_H
#include "base/buf.h"
#include "base/err.h"
#include <stdint.h>

/* Deletes the topics and groups whose names begin with prefix, which is not empty. A group whose member was killed a moment ago still
 * counts as being read by it and stays: the broker forgets it by itself. */
int kafka_forget(const char *servers, const char *prefix, struct err *e);
/* The offset after the last event of each partition; gives how many partitions there are, at most max. */
int kafka_ends(const char *servers, const char *topic, int64_t *ends, int max, struct err *e);
/* Moves the position of a group that nobody reads in, as an operator's tool does it. */
int kafka_move(const char *servers, const char *group, const char *topic, int partition,
	       int64_t offset, struct err *e);
/* Sets properties of a topic; all others of it go back to the broker's defaults. configs: name, value, ..., NULL. */
int kafka_configure(const char *servers, const char *topic, const char *const *configs, struct err *e);
/* Writes the last record of each partition once more as it stands, headers and all, as a producer does that was cut off; gives how many. */
int kafka_repeat_last(const char *servers, const char *topic, struct err *e);
/* Adds every record of every topic with that prefix: key, names and values of the headers, value; each ends with a newline. Names of
 * topics and groups come first. */
int kafka_dump(const char *servers, const char *prefix, struct buf *out, struct err *e);

#endif
