/* Counters as text. They are plain numbers of the program; nothing here counts. */
#include "base/counters.h"
#include <inttypes.h>

int counters_put(const struct counters *c, struct buf *out)
{
	size_t len = out->len;

	for (int i = 0; i < c->count; i++) {
		if (buf_printf(out, "%s%s=%" PRId64, i ? " " : "", c->at[i].name, c->at[i].value) <
		    0) {
			out->len = len;
			return -1;
		}
	}
	return 0;
}
