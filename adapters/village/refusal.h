/* Why a file is refused, and how that is told. */
#ifndef QIAO_VILLAGE_REFUSAL_H
#define QIAO_VILLAGE_REFUSAL_H
#include "base/buf.h"
#include "base/str.h"

/* A code with text and cure in base/texts_clerk.c, and what fills their {0}. `what` goes to the log and
 * the .reason file, so nothing personal is in it; `shown` is a further line for the sender's own
 * answer file only. */
struct refusal {
	const char *code; /* NULL: not refused */
	char what[400];
	char shown[900];
};
int refusal_set(struct refusal *r, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends message, `shown` and cure in Chinese, a line each. */
int refusal_text(const struct refusal *r, struct buf *out);
/* Appends what the .reason file holds: "code" or "code what", a line. */
int refusal_reason(const struct refusal *r, struct buf *out);

#endif
