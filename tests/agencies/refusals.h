/* People whom the agency refuses whatever comes: a file of lines "number,reason". */
#ifndef QIAO_AGENCIES_REFUSALS_H
#define QIAO_AGENCIES_REFUSALS_H
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct refusal {
	struct str number, reason;
};
struct refusals {
	struct buf text;
	struct refusal *at; /* by number */
	size_t count;
};
int refusals_load(struct refusals *r, const char *file, struct err *e); /* file NULL = none */
void refusals_fini(struct refusals *r);
struct str refusals_find(const struct refusals *r, struct str number); /* the reason, or no value */

#endif
