/* What an operator signs. */
#include "events/events.h"
#include <inttypes.h>
#include <stdio.h>

/* No value is told from an empty text by its length: "-". */
static int put(struct buf *out, struct str s)
{
	if (!s.p)
		return buf_put_str(out, "-:\n");
	return buf_printf(out, "%zu:", s.n) | buf_put(out, s.p, s.n) | buf_put_str(out, "\n");
}

int operation_text(struct buf *out, const struct operation *o, struct err *e)
{
	char id[ID_HEX], at[24];
	int n = snprintf(at, sizeof at, "%" PRId64, o->decided_at);
	int rc = buf_put_str(out, "qiao operation 1\n") | put(out, str_of(id_hex(&o->operation_id, id))) | put(out, o->kind) |
		 put(out, o->subject) | put(out, o->operator) | put(out, o->reason) | put(out, o->approval) |
		 put(out, (struct str){at, (size_t)n}) | put(out, o->argument);

	return rc ? err_set(e, ERR_TEMP, "operation: too long to sign") : 0;
}
