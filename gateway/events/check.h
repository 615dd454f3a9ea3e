/* The bounded check of Avro bytes from outside, before avro-c sees them. Private to
 * gateway/events.
 *
 * A schema is compiled once into a flat program; running it walks the bytes once, with a stack
 * of fixed size and nothing allocated. What it lets through has every length inside the bytes
 * and its bound, every index inside its range, nothing behind the end: avro-c can then neither
 * leave the bytes nor allocate more than they warrant. */
#ifndef QIAO_EVENTS_CHECK_H
#define QIAO_EVENTS_CHECK_H
#include "events/schema.h"

#define CHECK_EVENT_MAX (2 * 1024 * 1024) /* a whole event */
#define CHECK_ITEMS_MAX 4096		  /* items of all arrays and maps of one event together */
#define CHECK_OPS_MAX 4096

struct check {
	struct check_op *ops;
	int count;
};
/* ERR_CONF when the schema refers to itself, nests too deep or unfolds too large. */
int check_compile(struct check *c, const struct schema *s, struct err *e);
void check_fini(struct check *c);
/* NULL when good, else what is wrong, a few fixed words. */
const char *check_run(const struct check *c, struct str body);

/* UTF-8 and no NUL. */
bool check_text(const char *p, size_t n);

#endif
