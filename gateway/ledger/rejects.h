/* Rejects that a person settled, and inputs that are not read because too much of them was rejected. A reject is known by the id of its
 * RejectedEvent; the bytes stay where they are, on the topic rejects.<role>. */
#ifndef QIAO_LEDGER_REJECTS_H
#define QIAO_LEDGER_REJECTS_H
#include "ledger/ledger.h"

struct ledger_view;
enum reject_state {
	REJECT_OPEN,     /* nobody settled it: it has no line in the table */
	REJECT_RELEASED, /* taken again; where that failed, another reject says so */
	REJECT_DISCARDED,
	REJECT_STATES
};
const char *reject_state_code(enum reject_state s);
int reject_get(struct ledger *l, const struct id *id, enum reject_state *out, struct err *e);
/* One that is open. operation: the decision. */
int reject_put(struct ledger *l, const struct id *id, enum reject_state s, const struct id *operation, struct err *e);

struct flow_stop {
	char topic[40];
	int64_t at;
	int64_t rejected, seen; /* of the last `seen` events so many were rejected */
};
int flow_stop_get(struct ledger *l, const char *topic, struct flow_stop *out, struct err *e); /* 1 stopped, 0 not */
int flow_stop_put(struct ledger *l, const struct flow_stop *s, struct err *e);
int flow_stop_forget(struct ledger *l, const char *topic, struct err *e);

/* ---- for commands ---- */
/* Those that a person settled, by id; fn gives non-zero to stop. */
int view_rejects(struct ledger_view *v, int (*fn)(void *arg, const struct id *id, enum reject_state s), void *arg, struct err *e);
int64_t view_rejects_settled(struct ledger_view *v); /* -1 on error */
int view_stops(struct ledger_view *v, int (*fn)(void *arg, const struct flow_stop *s), void *arg, struct err *e);

#endif
