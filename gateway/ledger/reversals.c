/* Reversals are few: read and written where they are needed, without a cache. */
#include "ledger/internal.h"
#include <string.h>

const char *reversal_state_code(enum reversal_state s)
{
	static const char *const codes[REV_STATES] = {
		[REV_REQUESTED] = "requested", [REV_ACCEPTED] = "accepted", [REV_IN_DOUBT] = "in_doubt",
		[REV_REFUSED] = "refused",     [REV_REFUNDED] = "refunded",
	};

	return codes[s];
}

int reversal_last(struct ledger *l, int64_t decl, struct reversal *out, struct err *e)
{
	struct stmt *q = l->q[Q_REVERSAL_LAST];
	stmt_int(q, 1, decl);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	struct str id = stmt_get_blob(q, 1), reason = stmt_get_text(q, 2), operator = stmt_get_text(q, 3);
	int64_t state = stmt_get_int(q, 5);
	memset(out, 0, sizeof(*out));
	bool good = id.n == ID_LEN && state >= 0 && state < REV_STATES && str_copy(out->reason, sizeof(out->reason), reason) == 0 &&
		    str_copy(out->operator, sizeof(out->operator), operator) == 0;
	if (good)
		memcpy(out->id.b, id.p, ID_LEN);
	out->decl = decl;
	out->n = (int32_t)stmt_get_int(q, 0);
	out->requested_at = stmt_get_int(q, 4);
	out->state = (enum reversal_state)state;
	out->attempt = (int32_t)stmt_get_int(q, 6);
	out->enquiry_attempt = (int32_t)stmt_get_int(q, 7);
	out->doubt_at = stmt_get_int(q, 8);
	out->due = stmt_get_int(q, 9);
	out->sequence = stmt_get_int(q, 10);
	stmt_reset(q);
	return good ? 1 : err_set(e, ERR_SAFE, "ledger: reversal is damaged; restore the last backup");
}

int reversal_put(struct ledger *l, const struct reversal *r, struct err *e)
{
	struct stmt *q = l->q[Q_REVERSAL_PUT];
	stmt_int(q, 1, r->decl);
	stmt_int(q, 2, r->n);
	stmt_blob(q, 3, r->id.b, ID_LEN);
	stmt_text(q, 4, str_of(r->reason));
	stmt_text(q, 5, str_of(r->operator));
	stmt_int(q, 6, r->requested_at);
	stmt_int(q, 7, r->state);
	stmt_int(q, 8, r->attempt);
	stmt_int(q, 9, r->enquiry_attempt);
	stmt_int(q, 10, r->doubt_at);
	stmt_int(q, 11, r->due);
	stmt_int(q, 12, r->sequence);
	return stmt_run(q, e);
}
