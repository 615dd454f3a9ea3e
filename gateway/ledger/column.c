/* Values of columns: how a text or an id of ours is read from one, and put into one. */
#include "ledger/internal.h"
#include <string.h>

void column_text(char *dst, size_t cap, struct str s)
{
	if (!s.p || str_copy(dst, cap, s) != 0)
		dst[0] = '\0';
}

bool column_id(struct id *dst, struct str s)
{
	memset(dst, 0, sizeof(*dst));
	if (!s.p || s.n != ID_LEN)
		return false;
	memcpy(dst->b, s.p, ID_LEN);
	return true;
}

void column_put_text(struct stmt *q, int i, const char *z)
{
	stmt_text(q, i, str_of(z && z[0] ? z : NULL));
}

void column_put_id(struct stmt *q, int i, const struct id *id)
{
	stmt_blob(q, i, id ? id->b : NULL, id ? ID_LEN : 0);
}

int column_event(struct stmt *q, const struct id *key, struct buf *event, const char *what, struct err *e)
{
	stmt_blob(q, 1, key->b, ID_LEN);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	struct str s = stmt_get_blob(q, 0);
	buf_reset(event);
	int rc = buf_put(event, s.p, s.n);
	stmt_reset(q);
	return rc != 0 ? err_set(e, ERR_PERM, "ledger: %s too large", what) : 1;
}
