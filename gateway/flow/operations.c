/* What people decide with a command: judged by who signed it, carried out by its kind's function, recorded with its outcome.
 *
 * What moves money needs two persons: the operation of the first one waits until a second one approves it (an operation of kind
 * approve, whose subject it is) or declines it. Nothing comes in here but by the bus, so a decision is an event like any other: taken
 * once, whatever dies. While a restored ledger adopts, decisions are held: what they are about may not be filed again yet. */
#include "flow/internal.h"
#include "ledger/operations.h"
#include <stdio.h>
#include <string.h>

static const char TOPIC[] = "operations";

static const struct {
	const char *kind;
	operation_fn *fn;
	bool two_persons; /* moves money */
	operation_two_fn *two; /* or it depends */
} kinds[] = {
	{"withdraw", withdraw_operation, false, NULL},
	{"reverse", reversal_start, true, NULL},
	{"link", link_operation, true, NULL},
	{"unlink", unlink_operation, true, NULL},
	{"reconcile", reconcile_operation, false, NULL},
	{"difference_assign", difference_assign_operation, false, NULL},
	{"difference_resolve", difference_resolve_operation, false, NULL},
	{"reject_release", release_operation, false, reject_needs_two},
	{"reject_discard", discard_operation, false, reject_needs_two},
	{"flow_resume", resume_operation, false, NULL},
};

static int kind_of(struct str kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_is(kind, kinds[i].kind))
			return (int)i;
	return -1;
}

/* Gives -1 where a text is longer than any that our command writes. */
static int record_of(struct op_record *o, const struct operation *op)
{
	const struct {
		char *dst;
		size_t cap;
		struct str s;
	} texts[] = {
		{o->kind, sizeof(o->kind), op->kind},		 {o->subject, sizeof(o->subject), op->subject},
		{o->argument, sizeof(o->argument), op->argument}, {o->operator, sizeof(o->operator), op->operator},
		{o->reason, sizeof(o->reason), op->reason},	 {o->document, sizeof(o->document), op->approval},
	};
	memset(o, 0, sizeof(*o));
	o->id = op->operation_id;
	o->decided_at = op->decided_at;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].s.p && str_copy(texts[i].dst, texts[i].cap, texts[i].s) != 0)
			return -1;
	return 0;
}

static void settle(struct flow *f, struct op_record *o, enum op_state state, const char *code)
{
	char hex[ID_HEX];
	o->state = state;
	o->recorded_at = f->now;
	snprintf(o->code, sizeof(o->code), "%s", code ? code : "");
	if (state == OP_DONE)
		COUNT(C_OPERATIONS);
	if (state == OP_REFUSED)
		COUNT(C_OPERATIONS_REFUSED);
	log_info("OPERATION", "operation=%s kind=%s operator=%s state=%s reason=%s", id_hex(&o->id, hex), o->kind, o->operator,
		 op_state_code(state), o->code[0] ? o->code : "-");
}

static int carry_out(struct flow *f, int kind, const struct operation *op, struct op_record *o, struct err *e)
{
	const char *refused = NULL;
	if (kinds[kind].fn(f, op, &op->operation_id, &refused, e) != 0)
		return -1;
	settle(f, o, refused ? OP_REFUSED : OP_DONE, refused);
	return 0;
}

/* ---- the second person ---- */

/* The one that waits, as a record and as the event that was signed. */
static int find_waiting(struct flow *f, const struct op_record *by, struct op_record *o, struct operation *op, const char **refused,
			struct err *e)
{
	struct id id;
	*refused = "operation_not_found";
	if (id_parse(&id, str_of(by->subject)) != 0)
		return 0;
	int got = operation_get(f->p.ledger, &id, o, &f->cover, e);
	if (got <= 0)
		return got;
	*refused = o->state != OP_UNAPPROVED ? "operation_not_waiting" : strcmp(o->operator, by->operator) == 0 ? "operation_own" : NULL;
	if (*refused)
		return 0;
	return codec_decode(f->p.codec, EV_OPERATION, (struct str){(const char *)f->cover.data, f->cover.len}, op, e);
}

static int second_person(struct flow *f, struct op_record *by, bool approves, struct err *e)
{
	struct op_record o;
	struct operation op;
	const char *refused;
	if (find_waiting(f, by, &o, &op, &refused, e) != 0)
		return -1;
	if (refused) {
		settle(f, by, OP_REFUSED, refused);
		return 0;
	}
	snprintf(o.approver, sizeof(o.approver), "%s", by->operator);
	int kind = kind_of(op.kind);
	if (!approves)
		settle(f, &o, OP_REFUSED, "operation_declined");
	else if (kind < 0)
		settle(f, &o, OP_REFUSED, "operation_unknown");
	else if (carry_out(f, kind, &op, &o, e) != 0)
		return -1;
	settle(f, by, OP_DONE, NULL);
	return operation_update(f->p.ledger, &o, e);
}

/* ---- one operation ---- */

static int judge(struct flow *f, const struct operation *op, struct op_record *o, struct err *e)
{
	bool approves = strcmp(o->kind, "approve") == 0;
	int kind = kind_of(op->kind);
	if (approves || strcmp(o->kind, "decline") == 0)
		return second_person(f, o, approves, e);
	const char *refused = kind < 0 ? "operation_unknown" : NULL;
	bool two = kind >= 0 && kinds[kind].two_persons;
	if (kind >= 0 && kinds[kind].two && kinds[kind].two(f, op, &two, &refused, e) != 0)
		return -1;
	if (refused)
		settle(f, o, OP_REFUSED, refused);
	else if (two)
		settle(f, o, OP_UNAPPROVED, NULL);
	else
		return carry_out(f, kind, op, o, e);
	return 0;
}

static int is_signed(struct flow *f, const struct operation *op, bool *good, struct err *e)
{
	buf_reset(&f->signed_text);
	if (operation_text(&f->signed_text, op, e) != 0)
		return -1;
	struct str text = {(const char *)f->signed_text.data, f->signed_text.len};
	*good = operators_signed(f->p.operators, op->operator, text, op->signature);
	return 0;
}

int on_operation(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct operation op;
	struct op_record o, before;
	bool good;
	int rc = flow_decode(f, TOPIC, r, EV_OPERATION, &op, e);
	if (rc <= 0)
		return rc;
	f->touched = true;
	if (record_of(&o, &op) != 0 || !operator_name_good(op.operator))
		return flow_reject(f, TOPIC, r, "refused", "an operation longer than ours are", e);
	if (is_signed(f, &op, &good, e) != 0)
		return -1;
	if (!good) /* not kept among the decisions: it is nobody's */
		return flow_reject(f, TOPIC, r, "not_signed", "no operator's key fits; see [operators] dir", e);
	rc = operation_get(f->p.ledger, &o.id, &before, NULL, e);
	if (rc != 0)
		return rc < 0 ? -1 : 0; /* a repeat */
	/* Kept first: what it does may look for it. */
	o.state = OP_HELD;
	o.recorded_at = f->now;
	if (operation_put(f->p.ledger, &o, r->event.data, e) != 0)
		return -1;
	if (adopt_reading(f) || f->releasing) {
		f->operations_held = true;
		return 0;
	}
	return judge(f, &op, &o, e) != 0 ? -1 : operation_update(f->p.ledger, &o, e);
}

int operations_step(struct flow *f, struct err *e)
{
	struct op_record o;
	struct operation op;
	struct id id;
	int got;
	if (!f->operations_held)
		return 0;
	while ((got = operation_next_held(f->p.ledger, &id, e)) == 1) {
		if (operation_get(f->p.ledger, &id, &o, &f->cover, e) != 1 ||
		    codec_decode(f->p.codec, EV_OPERATION, (struct str){(const char *)f->cover.data, f->cover.len}, &op, e) != 0 ||
		    judge(f, &op, &o, e) != 0 || operation_update(f->p.ledger, &o, e) != 0)
			return -1;
		f->touched = true;
	}
	f->operations_held = false;
	return got;
}

/* ---- kinds ---- */

/* "<payment id>", or "<submission id>:<row>" for a row that is no payment yet. */
static int find_subject(struct flow *f, struct str subject, struct decl **d, struct err *e)
{
	const char *colon = subject.p ? memchr(subject.p, ':', subject.n) : NULL;
	size_t n = colon ? (size_t)(colon - subject.p) : subject.n;
	struct submission *s;
	struct id id;
	int64_t row;
	*d = NULL;
	if (id_parse(&id, (struct str){subject.p, n}) != 0)
		return 0;
	if (!colon)
		return decl_find_payment(f->p.ledger, &id, d, e);
	if (str_int((struct str){colon + 1, subject.n - n - 1}, 1, INT32_MAX, &row) != 0)
		return 0;
	if (submission_find(f->p.ledger, &id, &s, e) != 0)
		return -1;
	return s ? decl_of_row(f->p.ledger, s, (int)row, d, e) : 0;
}

int withdraw_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	struct submission *s;
	struct decl *d;
	if (find_subject(f, op->subject, &d, e) != 0)
		return -1;
	if (!d) {
		*refused = "subject_not_found";
		return 0;
	}
	if (submission_get(f->p.ledger, d->sub, &s, e) != 0)
		return -1;
	/* What is not there as a whole may come again from its beginning, with rows of its own: the decision would be lost. */
	if (s->state == SUB_OPEN || s->state == SUB_INCOMPLETE) {
		*refused = "withdraw_incomplete";
		return 0;
	}
	int rc = withdraw_row(f, d, "withdrawn by an operator", cause, e);
	if (rc == 0)
		*refused = d->facts & F_INSTRUCTED && !state_final(state_of(d->facts)) ? "withdraw_instructed" : "withdraw_ended";
	return rc < 0 ? -1 : 0;
}
