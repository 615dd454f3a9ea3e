/* JSON written straight into a buffer: the caller writes brackets, keys and commas as literals,
 * values through here.
 *
 * When the buffer's maximum is reached `bad` stays set: check it once at the end. */
#ifndef QIAO_AGENCIES_JSON_OUT_H
#define QIAO_AGENCIES_JSON_OUT_H
#include "base/buf.h"
#include "base/str.h"

struct out {
	struct buf b;
	bool bad;
	int64_t time_ms; /* of the text kept below: thousands of rows share one time */
	char time[40];
};
void out_init(struct out *o, size_t max);
void out_fini(struct out *o);
void out_reset(struct out *o);

#define out_lit(o, literal) out_put((o), "" literal, sizeof(literal) - 1)
void out_put(struct out *o, const char *p, size_t n);
void out_int(struct out *o, int64_t v);
void out_text(struct out *o, struct str s);	      /* quoted and escaped; no value gives null */
void out_hex(struct out *o, const void *p, size_t n); /* quoted */
void out_time(struct out *o, int64_t ms);	      /* quoted */
void out_date(struct out *o, int days);		      /* quoted; DATE_NONE gives null */

#endif
