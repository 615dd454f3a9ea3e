#include "ledger/rejects.h"
#include "ledger/internal.h"

#include <string.h>

const char *reject_state_code(enum reject_state s)
{
	static const char *const codes[REJECT_STATES] = {
		[REJECT_OPEN] = "open", [REJECT_RELEASED] = "released", [REJECT_DISCARDED] = "discarded"};
	return codes[s];
}

static enum reject_state state_read(struct stmt *q, int column)
{
	int64_t state = stmt_get_int(q, column);
	return state >= 0 && state < REJECT_STATES ? (enum reject_state)state : REJECT_DISCARDED;
}

int reject_get(struct ledger *l, const struct id *id, enum reject_state *out, struct err *e)
{
	struct stmt *q = l->q[Q_REJECT_GET];
	stmt_blob(q, 1, id->b, ID_LEN);
	int got = stmt_step(q, e);
	*out = got == 1 ? state_read(q, 0) : REJECT_OPEN;
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int reject_put(struct ledger *l, const struct id *id, enum reject_state s, const struct id *operation, struct err *e)
{
	struct stmt *q = l->q[Q_REJECT_PUT];
	stmt_blob(q, 1, id->b, ID_LEN);
	stmt_int(q, 2, s);
	stmt_blob(q, 3, operation->b, ID_LEN);
	stmt_int(q, 4, l->now);
	return stmt_run(q, e);
}

static void stop_read(struct flow_stop *s, struct stmt *q)
{
	if (str_copy(s->topic, sizeof(s->topic), stmt_get_text(q, 0)) != 0)
		s->topic[0] = '\0';
	s->at = stmt_get_int(q, 1);
	s->rejected = stmt_get_int(q, 2);
	s->seen = stmt_get_int(q, 3);
}

int flow_stop_get(struct ledger *l, const char *topic, struct flow_stop *out, struct err *e)
{
	struct stmt *q = l->q[Q_FLOW_STOP_GET];
	stmt_text(q, 1, str_of(topic));
	int got = stmt_step(q, e);
	if (got == 1)
		stop_read(out, q);
	stmt_reset(q);
	return got;
}

int flow_stop_put(struct ledger *l, const struct flow_stop *s, struct err *e)
{
	struct stmt *q = l->q[Q_FLOW_STOP_PUT];
	stmt_text(q, 1, str_of(s->topic));
	stmt_int(q, 2, s->at);
	stmt_int(q, 3, s->rejected);
	stmt_int(q, 4, s->seen);
	return stmt_run(q, e);
}

int flow_stop_forget(struct ledger *l, const char *topic, struct err *e)
{
	struct stmt *q = l->q[Q_FLOW_STOP_FORGET];
	stmt_text(q, 1, str_of(topic));
	return stmt_run(q, e);
}

/* ---- for commands ---- */

int view_rejects(struct ledger_view *v, int (*fn)(void *arg, const struct id *id, enum reject_state s), void *arg, struct err *e)
{
	struct stmt *q;
	struct id id;
	int got;
	if (store_prepare(view_store(v), &q, "SELECT id, state FROM reject ORDER BY id", e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		struct str b = stmt_get_blob(q, 0);
		if (b.n != ID_LEN)
			continue;
		memcpy(id.b, b.p, ID_LEN);
		if (fn(arg, &id, state_read(q, 1)) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int64_t view_rejects_settled(struct ledger_view *v)
{
	int64_t n;
	return one_int(view_store(v), "SELECT count(*) FROM reject", &n, NULL) == 0 ? n : -1;
}

int view_stops(struct ledger_view *v, int (*fn)(void *arg, const struct flow_stop *s), void *arg, struct err *e)
{
	struct flow_stop s;
	struct stmt *q;
	int got;
	if (store_prepare(view_store(v), &q, "SELECT topic, at, rejected, seen FROM flow_stop ORDER BY at", e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		stop_read(&s, q);
		if (fn(arg, &s) != 0)
			break;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}
