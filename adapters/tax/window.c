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
static struct tax_row *new_row(struct window *w, const struct bus_record *r,
			       const struct id *payment_id);
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

	return w->open && pass_over(&w->ask) && pass_over(&w->after);
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
	idmap_reset(&w->payments);
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
			TALLY(C_REJECTED);
			if (adapter_reject(&t->adapter, TOPIC, r, "not_supported",
					   "the bureau takes no reversals", e) != 0)
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
	struct window *w = &t->window;
	struct str number, name;
	struct tax_row *row;
	int rc, old;

	TALLY(C_PAYMENTS);
	rc = open_identity(t, r, p, &number, &name, e);
	if (rc <= 0)
		return rc;
	old = idmap_find(&w->payments, &p->payment_id);
	if (old >= 0) {
		TALLY(C_ABSORBED);
		if (p->attempt <= w->rows[old].attempt)
			return 0;
		w->rows[old].dead = true;
	}
	row = new_row(w, r, &p->payment_id);
	row->token = p->token;
	row->attempt = p->attempt;
	row->amount_fen = p->amount_fen;
	row->facts = facts;
	row->plan = tax_plan(t, &facts);
	if (old >= 0)
		idmap_set(&w->payments, &p->payment_id, (int)(row - w->rows));
	else
		idmap_add(&w->payments, &p->payment_id, (int)(row - w->rows));
	return write_row(t, row, p, number, name, e);
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
	return adapter_reject(&t->adapter, TOPIC, r, "identity", why.text, e);
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
	int old = idmap_find(&w->enquiries, &q->payment_id);
	struct tax_row *row;

	TALLY(C_ENQUIRIES);
	if (old >= 0) {
		TALLY(C_ABSORBED);
		if (q->attempt <= w->rows[old].enquiry_attempt)
			return;
		w->rows[old].dead = true;
	}
	row = new_row(w, r, &q->payment_id);
	row->enquiry = true;
	row->attempt = q->payment_attempt;
	row->enquiry_attempt = q->attempt;
	if (old >= 0)
		idmap_set(&w->enquiries, &q->payment_id, (int)(row - w->rows));
	else
		idmap_add(&w->enquiries, &q->payment_id, (int)(row - w->rows));
}

static struct tax_row *new_row(struct window *w, const struct bus_record *r,
			       const struct id *payment_id)
{
	struct tax_row *row = &w->rows[w->count++];

	*row = (struct tax_row){.rec = r, .payment_id = *payment_id, .same = -1};
	return row;
}

/* Which row goes into which pass. An enquiry about a payment that comes before it in this window is
 * asked after the sending; one about a payment that is asked for anyway is answered by the same
 * query. */
static int sort_out(struct tax *t, struct err *e)
{
	struct window *w = &t->window;

	pass_init(&w->ask);
	pass_init(&w->send);
	pass_init(&w->after);
	for (int i = 0; i < w->count; i++) {
		struct tax_row *row = &w->rows[i];
		int payment = idmap_find(&w->payments, &row->payment_id);

		if (row->dead)
			continue;
		if (row->enquiry && payment >= 0 && payment < i)
			pass_add(&w->after, i);
		else if (row->enquiry && payment >= 0 && w->rows[payment].plan.first == ACT_ASK)
			w->rows[payment].same = i;
		else if (row->enquiry || row->plan.first == ACT_ASK)
			pass_add(&w->ask, i);
		else if (row->plan.first == ACT_SEND)
			pass_add(&w->send, i);
		else if (publish_too_late(t, row, e) != 0)
			return -1;
	}
	return 0;
}

/* One exchange. *over when nothing is left to exchange. */
static int settle(struct tax *t, int64_t *wait_ms, bool *over, struct err *e)
{
	struct window *w = &t->window;
	int rc = 0;

	*wait_ms = 0;
	if (!pass_over(&w->ask))
		rc = tax_ask(t, &w->ask, wait_ms, e);
	else if (!pass_over(&w->send))
		rc = tax_send(t, wait_ms, e);
	else if (!pass_over(&w->after))
		rc = tax_ask(t, &w->after, wait_ms, e);
	*over = pass_over(&w->ask) && pass_over(&w->send) && pass_over(&w->after);
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
