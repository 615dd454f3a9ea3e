/* What people decided with a command (topic operations), and what became of it. Each is kept for good. */
#ifndef QIAO_LEDGER_OPERATIONS_H
#define QIAO_LEDGER_OPERATIONS_H
#include "ledger/read.h"

enum op_state {
	OP_HELD,       /* while a restored ledger adopts: judged after it */
	OP_UNAPPROVED, /* waits for a second person */
	OP_DONE,
	OP_REFUSED, /* code says why */
	OP_STATES
};
const char *op_state_code(enum op_state s);
struct op_record {
	struct id id;
	char kind[24], subject[72], argument[200], operator[33], approver[33], reason[200], document[100];
	char code[40]; /* why it was refused */
	enum op_state state;
	int64_t decided_at, recorded_at; /* recorded_at: of its present state */
};
/* 1 found, 0 none. event: as it came (Avro); may be NULL. */
int operation_get(struct ledger *l, const struct id *id, struct op_record *out, struct buf *event, struct err *e);
int operation_put(struct ledger *l, const struct op_record *o, struct str event, struct err *e); /* a new one */
int operation_update(struct ledger *l, const struct op_record *o, struct err *e); /* state, code, approver */
int operation_next_held(struct ledger *l, struct id *out, struct err *e);         /* in the order taken; 1 found, 0 none */
/* The row of a submission that is not voided; *out is NULL when there is none. */
int decl_of_row(struct ledger *l, const struct submission *s, int row_no, struct decl **out, struct err *e);

/* Newest first; prefix: hex digits of its id, or no value for all. fn gives non-zero to stop. */
int view_operations(struct ledger_view *v, struct str prefix, int (*fn)(void *arg, const struct op_record *o), void *arg,
		    struct err *e);
int64_t view_operations_waiting(struct ledger_view *v); /* for a second person; -1 on error */

#endif
