#include "ledger/operations.h"
#include "ledger/internal.h"
#include <string.h>

const char *op_state_code(enum op_state s)
{
	static const char *const codes[OP_STATES] = {
		[OP_HELD] = "held", [OP_UNAPPROVED] = "waiting_approval", [OP_DONE] = "done", [OP_REFUSED] = "refused"};
	return codes[s];
}

static void op_read(struct op_record *o, struct stmt *q)
{
	memset(o, 0, sizeof(*o));
	column_id(&o->id, stmt_get_blob(q, 0));
	column_text(o->kind, sizeof(o->kind), stmt_get_text(q, 1));
	column_text(o->subject, sizeof(o->subject), stmt_get_text(q, 2));
	column_text(o->argument, sizeof(o->argument), stmt_get_text(q, 3));
	column_text(o->operator, sizeof(o->operator), stmt_get_text(q, 4));
	column_text(o->approver, sizeof(o->approver), stmt_get_text(q, 5));
	column_text(o->reason, sizeof(o->reason), stmt_get_text(q, 6));
	column_text(o->document, sizeof(o->document), stmt_get_text(q, 7));
	int64_t state = stmt_get_int(q, 8);
	o->state = state >= 0 && state < OP_STATES ? (enum op_state)state : OP_REFUSED;
	column_text(o->code, sizeof(o->code), stmt_get_text(q, 9));
	o->decided_at = stmt_get_int(q, 10);
	o->recorded_at = stmt_get_int(q, 11);
}

int operation_get(struct ledger *l, const struct id *id, struct op_record *out, struct buf *event, struct err *e)
{
	struct stmt *q = l->q[Q_OPERATION_GET];
	stmt_blob(q, 1, id->b, ID_LEN);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	struct str bytes = stmt_get_blob(q, 12);
	op_read(out, q);
	if (event) {
		buf_reset(event);
		got = buf_put(event, bytes.p, bytes.n) == 0 ? 1 : err_set(e, ERR_TEMP, "ledger: out of memory");
	}
	stmt_reset(q);
	return got;
}

int operation_put(struct ledger *l, const struct op_record *o, struct str event, struct err *e)
{
	struct stmt *q = l->q[Q_OPERATION_PUT];
	const char *texts[] = {o->kind, o->subject, o->argument, o->operator, o->approver, o->reason, o->document};
	stmt_blob(q, 1, o->id.b, ID_LEN);
	for (int i = 0; i < 7; i++)
		stmt_text(q, 2 + i, str_of(texts[i]));
	stmt_int(q, 9, o->state);
	stmt_text(q, 10, str_of(o->code));
	stmt_int(q, 11, o->decided_at);
	stmt_int(q, 12, o->recorded_at);
	stmt_blob(q, 13, event.p, event.n);
	return stmt_run(q, e);
}

int operation_update(struct ledger *l, const struct op_record *o, struct err *e)
{
	struct stmt *q = l->q[Q_OPERATION_UPDATE];
	stmt_blob(q, 1, o->id.b, ID_LEN);
	stmt_text(q, 2, str_of(o->approver));
	stmt_int(q, 3, o->state);
	stmt_text(q, 4, str_of(o->code));
	stmt_int(q, 5, o->recorded_at);
	return stmt_run(q, e);
}

int operation_next_held(struct ledger *l, struct id *out, struct err *e)
{
	struct stmt *q = l->q[Q_OPERATION_HELD];
	stmt_int(q, 1, OP_HELD);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	column_id(out, stmt_get_blob(q, 0));
	stmt_reset(q);
	return 1;
}

int decl_of_row(struct ledger *l, const struct submission *s, int row_no, struct decl **out, struct err *e)
{
	struct stmt *q = l->q[Q_DECL_OF_ROW];
	*out = NULL;
	if (decls_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, s->first_no);
	stmt_int(q, 2, s->last_no);
	stmt_int(q, 3, s->no);
	stmt_int(q, 4, row_no);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	int64_t no = stmt_get_int(q, 0);
	stmt_reset(q);
	return decl_get(l, no, out, e);
}

/* ---- for commands ---- */

int view_operations(struct ledger_view *v, struct str prefix, int (*fn)(void *arg, const struct op_record *o), void *arg,
		    struct err *e)
{
	struct op_record o;
	struct stmt *q;
	int got;
	if (store_prepare(view_store(v), &q,
			  "SELECT " OP_COLS " FROM operation WHERE ?1 IS NULL OR lower(hex(id)) LIKE ?1 || '%' ORDER BY no DESC", e) != 0)
		return -1;
	stmt_text(q, 1, prefix);
	while ((got = stmt_step(q, e)) == 1) {
		op_read(&o, q);
		if (fn(arg, &o) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int64_t view_operations_waiting(struct ledger_view *v)
{
	int64_t n;
	return one_int(view_store(v), "SELECT count(*) FROM operation WHERE state = 1", &n, NULL) == 0 ? n : -1;
}
