/* A window: at most TAX_WINDOW events, taken together, settled together.
 *
 *     read -> decode, open, plan -> ask by id -> send -> enquire about what was sent
 *          -> flush -> mark -> store the position
 *
 * Until the position is stored all of it may be done again by a later life of this program; plan.c
 * makes that harmless. Between two exchanges the other streams have their turn. Several events
 * about one payment: the newest attempt counts, the others are absorbed. */
#include "adapters/tax/tax.h"
#include <string.h>

#define TOPIC "payments"

const struct trade_form trade_forms[TRADES] = {
	[TRADE_PAYMENTS] = {"/v1/batches", "payments", "/v1/queries", "payment_ids", "payment_id", true},
	[TRADE_REVERSALS] = {"/v1/reversals", "reversals", "/v1/reversals/query", "reversal_ids",
			     "reversal_id", false},
};

static int take(struct tax *t, const struct bus_record *records, int count, struct err *e);
static int take_all(struct tax *t, const struct bus_record *records, int count, struct err *e);
static int take_payment(struct tax *t, const struct bus_record *r, const struct subsidy_payment *p,
			bool repeat, struct err *e);
static int open_identity(struct tax *t, const struct bus_record *r, const struct subsidy_payment *p,
			 struct str *number, struct str *name, struct err *e);
static int write_row(struct tax *t, struct tax_row *row, const struct subsidy_payment *p,
		     struct str number, struct str name, struct err *e);
static void take_enquiry(struct tax *t, const struct bus_record *r,
			 const struct payment_enquiry *q);
static int take_reversal(struct tax *t, const struct bus_record *r,
			 const struct payment_reversal *p, bool repeat, struct err *e);
static struct tax_row *row_to_send(struct tax *t, const struct bus_record *r, const struct id *subject,
				   const struct plan_payment *facts);
static struct tax_row *new_row(struct window *w, const struct bus_record *r,
			       const struct id *subject);
static int sort_out(struct tax *t, struct err *e);
static int settle(struct tax *t, int64_t *wait_ms, bool *over, struct err *e);
static int finish(struct tax *t, struct err *e);

int tax_window_turn(void *arg, int64_t *wait_ms, struct err *e)
{
	struct tax *t = arg;
	const struct bus_record *records;
	bool over = false;
	int count;

	if (!t->window.open) {
		count = bus_read(t->reader, TAX_WINDOW, &records, e);
		if (count < 0 || tax_share(t, e) != 0)
			return -1;
		if (count == 0) {
			*wait_ms = idle_next(&t->idle);
			return 0;
		}
		idle_reset(&t->idle);
		if (take(t, records, count, e) != 0)
			return -1;
	}
	if (settle(t, wait_ms, &over, e) != 0)
		return -1;
	/* While the peer is away, what was settled so far must be known to the others. */
	return over ? finish(t, e) : *wait_ms > 0 ? adapter_flush(&t->adapter, e) : 0;
}

bool tax_window_sending(const struct tax *t)
{
	const struct window *w = &t->window;

	for (int i = 0; i < TRADES; i++) {
		if (!pass_over(&w->stages[i].ask) || !pass_over(&w->stages[i].after))
			return false;
	}
	return w->open;
}

struct plan tax_plan(struct tax *t, const struct plan_payment *facts)
{
	struct plan_terms terms = {
		.keys = (enum conf_keys_mode)t->adapter.role->conf.tax_terms.keys,
		.key_window_ms = t->adapter.role->conf.tax_terms.key_window_ms,
		.now = clock_now(&t->adapter.role->clock),
	};

	return plan_of(&terms, facts);
}

/* What was opened is recorded even when the window comes to nothing. */
static int take(struct tax *t, const struct bus_record *records, int count, struct err *e)
{
	struct window *w = &t->window;
	char place[AUDIT_PLACE];
	struct err why = {0};
	int rc;

	w->opened = 0;
	rc = take_all(t, records, count, e);
	if (adapter_note(&t->adapter, "payments_opened", audit_place(place, TOPIC, records), w->opened, &why) != 0 && rc == 0) {
		*e = why;
		rc = -1;
	}
	return rc == 0 ? sort_out(t, e) : -1;
}

static int take_all(struct tax *t, const struct bus_record *records, int count, struct err *e)
{
	struct window *w = &t->window;
	union {
		struct subsidy_payment payment;
		struct payment_reversal reversal;
		struct payment_enquiry enquiry;
	} ev;

	w->open = true;
	w->count = 0;
	jsonout_reset(&w->json);
	idmap_reset(&w->sent);
	idmap_reset(&w->enquiries);
	for (int i = 0; i < count; i++) {
		const struct bus_record *r = &records[i];
		struct lane *lane = &t->lanes[r->partition];
		bool repeat = repeats_see(&lane->repeats, r->ledger, r->event.seq);
		enum event_type type;
		int rc = adapter_decode(&t->adapter, TOPIC, r, EV_SUBSIDY_PAYMENT,
					EV_PAYMENT_ENQUIRY, &type, &ev, e);

		if (rc < 0)
			return -1;
		lane->seen = lane->seen || lane->repeats.highest > 0;
		if (repeat)
			TALLY(C_REPEATS);
		if (rc == 0) {
			TALLY(C_REJECTED);
		} else if (type == EV_PAYMENT_ENQUIRY) {
			take_enquiry(t, r, &ev.enquiry);
		} else if (type == EV_PAYMENT_REVERSAL) {
			if (take_reversal(t, r, &ev.reversal, repeat, e) != 0)
				return -1;
		} else if (take_payment(t, r, &ev.payment, repeat, e) != 0) {
			return -1;
		}
	}
	return 0;
}

static int take_payment(struct tax *t, const struct bus_record *r, const struct subsidy_payment *p,
			bool repeat, struct err *e)
{
	struct plan_payment facts = {
		.attempt = p->attempt,
		.ask_first = p->ask_first,
		.maybe_sent = repeat || suspect(&t->lanes[r->partition].suspects, r->offset),
		.instructed_at = p->instructed_at,
		.not_after = p->not_after,
		.decided_at = r->event.time_ms,
	};
	struct str number, name;
	struct tax_row *row;
	int rc;

	TALLY(C_PAYMENTS);
	rc = open_identity(t, r, p, &number, &name, e);
	if (rc <= 0)
		return rc;
	row = row_to_send(t, r, &p->payment_id, &facts);
	if (!row)
		return 0;
	row->payment_id = p->payment_id;
	row->token = p->token;
	row->amount_fen = p->amount_fen;
	return write_row(t, row, p, number, name, e);
}

static int take_reversal(struct tax *t, const struct bus_record *r,
			 const struct payment_reversal *p, bool repeat, struct err *e)
{
	struct plan_payment facts = {
		.attempt = p->attempt > 0 ? p->attempt : 1,
		.ask_first = p->ask_first,
		.maybe_sent = repeat || suspect(&t->lanes[r->partition].suspects, r->offset),
		.instructed_at = p->requested_at,
		.not_after = INT64_MAX,
		.decided_at = r->event.time_ms,
	};
	struct jsonout *j = &t->window.json;
	struct tax_row *row;

	TALLY(C_REVERSALS);
	row = row_to_send(t, r, &p->reversal_id, &facts);
	if (!row)
		return 0;
	row->trade = TRADE_REVERSALS;
	row->payment_id = p->payment_id;
	row->amount_fen = p->amount_fen;
	row->at = j->buf.len;
	JSONOUT(j, "{\"reversal_id\":");
	jsonout_id(j, &p->reversal_id);
	JSONOUT(j, ",\"payment_id\":");
	jsonout_id(j, &p->payment_id);
	JSONOUT(j, ",\"receipt\":");
	jsonout_str(j, p->receipt);
	JSONOUT(j, ",\"reason\":");
	jsonout_str(j, p->reason);
	JSONOUT(j, ",\"amount_fen\":");
	jsonout_int(j, p->amount_fen);
	JSONOUT(j, "}");
	row->len = j->buf.len - row->at;
	return j->full ? err_set(e, ERR_TEMP, "window: no room for its rows") : 0;
}

/* The newest attempt counts; NULL: this one is absorbed by another. */
static struct tax_row *row_to_send(struct tax *t, const struct bus_record *r, const struct id *subject,
				   const struct plan_payment *facts)
{
	struct window *w = &t->window;
	int old = idmap_find(&w->sent, subject);
	struct tax_row *row;

	if (old >= 0) {
		TALLY(C_ABSORBED);
		if (facts->attempt <= w->rows[old].attempt)
			return NULL;
		w->rows[old].dead = true;
	}
	row = new_row(w, r, subject);
	row->attempt = facts->attempt;
	row->facts = *facts;
	row->plan = tax_plan(t, facts);
	if (old >= 0)
		idmap_set(&w->sent, subject, (int)(row - w->rows));
	else
		idmap_add(&w->sent, subject, (int)(row - w->rows));
	return row;
}

/* 1 open, 0 rejected, -1 error. */
static int open_identity(struct tax *t, const struct bus_record *r, const struct subsidy_payment *p,
			 struct str *number, struct str *name, struct err *e)
{
	struct err why = {0};

	if (identity_open(t->keys, &p->token, p->identity, &t->identity, number, name, &why) == 0) {
		t->window.opened++;
		return 1;
	}
	if (why.class != ERR_PERM) {
		*e = why;
		return -1;
	}
	TALLY(C_REJECTED);
	return adapter_reject(&t->adapter, TOPIC, r, seal_destroyed(t->keys, p->identity) ? "identity_destroyed" : "identity", why.text, e);
}

/* Certificate kind as the bureau counts it (domain.md, section 3), by the number's form. */
static struct str certificate_of(struct str number)
{
	if (number.n > 0 && number.p[0] == '9')
		return STR("233");
	if (number.n > 1 && number.p[0] == '8' && number.p[1] >= '1' && number.p[1] <= '3')
		return number.p[1] == '3' ? STR("238") : STR("237");
	return STR("201");
}

static int write_row(struct tax *t, struct tax_row *row, const struct subsidy_payment *p,
		     struct str number, struct str name, struct err *e)
{
	const struct policy *policy = reference_policy(t->reference, p->year);
	struct jsonout *j = &t->window.json;

	if (!policy)
		return err_set(e, ERR_CONF, "year %d: no policy file; add it and start again",
			       (int)p->year);
	row->at = j->buf.len;
	JSONOUT(j, "{\"payment_id\":");
	jsonout_id(j, &p->payment_id);
	JSONOUT(j, ",\"person\":{\"kind\":");
	jsonout_str(j, certificate_of(number));
	JSONOUT(j, ",\"number\":");
	jsonout_str(j, number);
	JSONOUT(j, ",\"name\":");
	jsonout_str(j, name);
	JSONOUT(j, "},\"payer\":{\"type\":");
	jsonout_str(j, p->sponsor_type);
	JSONOUT(j, ",\"code\":");
	jsonout_str(j, p->sponsor_code);
	JSONOUT(j, ",\"village\":");
	jsonout_str(j, p->village);
	JSONOUT(j, "},\"year\":");
	jsonout_int(j, p->year);
	JSONOUT(j, ",\"insurance_kind\":");
	jsonout_str(j, str_of(policy->insurance_kind));
	JSONOUT(j, ",\"amount_fen\":");
	jsonout_int(j, p->amount_fen);
	JSONOUT(j, "}");
	row->len = j->buf.len - row->at;
	return j->full ? err_set(e, ERR_TEMP, "window: no room for its rows") : 0;
}

static void take_enquiry(struct tax *t, const struct bus_record *r, const struct payment_enquiry *q)
{
	struct window *w = &t->window;
	const struct id *subject = q->reversal_id.set ? &q->reversal_id.v : &q->payment_id;
	int old = idmap_find(&w->enquiries, subject);
	struct tax_row *row;

	TALLY(C_ENQUIRIES);
	if (old >= 0) {
		TALLY(C_ABSORBED);
		if (q->attempt <= w->rows[old].enquiry_attempt)
			return;
		w->rows[old].dead = true;
	}
	row = new_row(w, r, subject);
	row->trade = q->reversal_id.set ? TRADE_REVERSALS : TRADE_PAYMENTS;
	row->payment_id = q->payment_id;
	row->enquiry = true;
	row->attempt = q->payment_attempt;
	row->enquiry_attempt = q->attempt;
	if (old >= 0)
		idmap_set(&w->enquiries, subject, (int)(row - w->rows));
	else
		idmap_add(&w->enquiries, subject, (int)(row - w->rows));
}

static struct tax_row *new_row(struct window *w, const struct bus_record *r,
			       const struct id *subject)
{
	struct tax_row *row = &w->rows[w->count++];

	*row = (struct tax_row){.rec = r, .subject = *subject, .same = -1};
	return row;
}

/* Which row goes into which pass. An enquiry about a payment that comes before it in this window is
 * asked after the sending; one about a payment that is asked for anyway is answered by the same
 * query. */
static int sort_out(struct tax *t, struct err *e)
{
	struct window *w = &t->window;

	for (int i = 0; i < TRADES; i++) {
		pass_init(&w->stages[i].ask);
		pass_init(&w->stages[i].send);
		pass_init(&w->stages[i].after);
	}
	for (int i = 0; i < w->count; i++) {
		struct tax_row *row = &w->rows[i];
		struct stage *stage = &w->stages[row->trade];
		int sent = idmap_find(&w->sent, &row->subject);

		if (row->dead)
			continue;
		if (row->enquiry && sent >= 0 && sent < i)
			pass_add(&stage->after, i);
		else if (row->enquiry && sent >= 0 && w->rows[sent].plan.first == ACT_ASK)
			w->rows[sent].same = i;
		else if (row->enquiry || row->plan.first == ACT_ASK)
			pass_add(&stage->ask, i);
		else if (row->plan.first == ACT_SEND)
			pass_add(&stage->send, i);
		else if (publish_too_late(t, row, e) != 0)
			return -1;
	}
	return 0;
}

static bool stage_over(const struct stage *s)
{
	return pass_over(&s->ask) && pass_over(&s->send) && pass_over(&s->after);
}

/* One exchange. *over when nothing is left to exchange. */
static int settle(struct tax *t, int64_t *wait_ms, bool *over, struct err *e)
{
	struct window *w = &t->window;
	enum trade i = stage_over(&w->stages[TRADE_PAYMENTS]) ? TRADE_REVERSALS : TRADE_PAYMENTS;
	struct stage *s = &w->stages[i];
	int rc = 0;

	*wait_ms = 0;
	if (!pass_over(&s->ask))
		rc = tax_ask(t, i, &s->ask, wait_ms, e);
	else if (!pass_over(&s->send))
		rc = tax_send(t, i, wait_ms, e);
	else if (!pass_over(&s->after))
		rc = tax_ask(t, i, &s->after, wait_ms, e);
	*over = stage_over(&w->stages[TRADE_PAYMENTS]) && stage_over(&w->stages[TRADE_REVERSALS]);
	return rc;
}

/* Results durable, then the mark of how far the gateway's sequence was seen, then the position. */
static int finish(struct tax *t, struct err *e)
{
	bool saved;

	if (adapter_flush(&t->adapter, e) != 0 || tax_share_save(t, &saved, e) != 0)
		return -1;
	if (saved && adapter_flush(&t->adapter, e) != 0)
		return -1;
	if (adapter_store_position(t->reader, e) != 0)
		return -1;
	TALLY(C_WINDOWS);
	/* The rows name people: not kept longer than needed. */
	if (t->window.json.buf.data)
		explicit_bzero(t->window.json.buf.data, t->window.json.buf.len);
	t->window.open = false;
	return 0;
}
