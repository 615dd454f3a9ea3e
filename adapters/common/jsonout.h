/* JSON written by appending to a buffer: no tree, no allocation a value.
 *
 * The caller writes the punctuation between values as raw text, so that a row is a few calls. What
 * does not fit sets `full`, and what follows is left out: check once at the end. */
#ifndef QIAO_ADAPTERS_JSONOUT_H
#define QIAO_ADAPTERS_JSONOUT_H
#include "base/buf.h"
#include "base/str.h"
#include <stdbool.h>

struct jsonout {
	struct buf buf;
	bool full;
};
void jsonout_init(struct jsonout *j, size_t max);
void jsonout_fini(struct jsonout *j);
void jsonout_reset(struct jsonout *j);
struct str jsonout_text(const struct jsonout *j); /* what was written */

void jsonout_raw(struct jsonout *j, struct str text); /* as it is */
#define JSONOUT(j, literal) jsonout_raw(j, STR(literal))
void jsonout_str(struct jsonout *j, struct str s); /* quoted and escaped; no value gives null */
void jsonout_int(struct jsonout *j, int64_t v);
void jsonout_bool(struct jsonout *j, bool v);
void jsonout_id(struct jsonout *j, const struct id *id); /* quoted lower hex */
void jsonout_time(struct jsonout *j, int64_t time_ms);	 /* quoted, 2026-12-31T09:30:00.123+08:00 */

#endif
