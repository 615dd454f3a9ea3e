/* Reversals: the bureau is asked to refund what it collected, all of it, citing the receipt. A reversal has a life of its own beside the
 * payment's. As with payments a doubt is never sent again blindly, only asked by id; and the refund itself is a fact only when the bureau
 * tells it of the payment (collections.c), whoever asked for it. */
#include "flow/internal.h"
#include "crypto/ids.h"
#include <string.h>

/* What it is: the n-th reversal of that payment. */
static void reversal_id(struct id *out, const struct id *payment, int32_t n)
{
	char number[4] = {(char)n, (char)(n >> 8), (char)(n >> 16), (char)(n >> 24)};
	struct str part[] = {STR("reversal"), id_str(payment), {number, sizeof(number)}};
	id_make(out, part, 3);
}

static int wait_for_answer(struct flow *f, struct reversal *r, int64_t at, struct err *e)
{
	r->due = at;
	return flow_wait(f, at, WAIT_REVERSAL, r->decl, e) != 0 ? -1 : reversal_put(f->p.ledger, r, e);
}

static int send(struct flow *f, const struct decl *d, struct reversal *r, struct err *e)
{
	struct id id;
	struct payment_reversal ev = {
		.reversal_id = r->id, .payment_id = d->pid, .receipt = str_of(d->receipt), .reason = str_of(r->reason),
		.amount_fen = d->amount_fen, .attempt = r->attempt, .requested_at = r->requested_at,
		/* The life that was lost may have asked for the same one. */
		.ask_first = ledger_restored_at(f->p.ledger) > 0,
	};
	decision_id(&id, STR("PaymentReversal"), &r->id, r->attempt);
	if (wait_for_answer(f, r, f->now + f->p.conf->gateway.answer_timeout_ms, e) != 0)
		return -1;
	return flow_emit(f, EV_PAYMENT_REVERSAL, &ev, id_str(&d->token), &id, &d->trace, e);
}

static int enquire_about(struct flow *f, const struct decl *d, struct reversal *r, struct err *e)
{
	struct id id;
	r->enquiry_attempt++;
	struct payment_enquiry ev = {.payment_id = d->pid, .attempt = r->enquiry_attempt, .payment_attempt = r->attempt,
				     .reversal_id = {true, r->id}};
	decision_id(&id, STR("PaymentEnquiry"), &r->id, r->enquiry_attempt);
	COUNT(C_PAYMENT_ENQUIRIES);
	if (wait_for_answer(f, r, f->now + flow_patience(f->p.conf->gateway.doubt_enquiry_ms, r->enquiry_attempt), e) != 0)
		return -1;
	return flow_emit(f, EV_PAYMENT_ENQUIRY, &ev, id_str(&d->token), &id, &d->trace, e);
}

static const char *why_not(const struct decl *d, struct str reason)
{
	if (!reason.p || (!str_is(reason, "03") && !str_is(reason, "04")))
		return "reversal_reason_unknown";
	if (!d)
		return "subject_not_found";
	if (d->facts & F_REFUNDED)
		return "already_refunded";
	if (d->facts & F_REFUND_REQUESTED)
		return "already_being_reversed";
	if (!(d->facts & F_PAID))
		return "not_collected";
	return d->receipt[0] ? NULL : "no_receipt";
}

/* */
int reversal_start(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	struct said say = {RES_ACCEPTED, "refund_requested", NULL, {0}, NULL};
	struct reversal r;
	struct decl *d = NULL;
	struct id payment;
	enum absorb how;
	if (id_parse(&payment, op->subject) == 0 && decl_find_payment(f->p.ledger, &payment, &d, e) != 0)
		return -1;
	*refused = why_not(d, op->argument);
	if (*refused)
		return 0;
	int got = reversal_last(f->p.ledger, d->no, &r, e);
	if (got < 0)
		return -1;
	r = (struct reversal){.decl = d->no, .n = got ? r.n + 1 : 1, .requested_at = f->now, .attempt = 1};
	reversal_id(&r.id, &d->pid, r.n);
	(void)str_copy(r.reason, sizeof(r.reason), op->argument);
	(void)str_copy(r.operator, sizeof(r.operator), op->operator);
	COUNT(C_REVERSALS);
	if (flow_fact(f, d, F_REFUND_REQUESTED, cause, f->now, r.reason, &how, e) != 0 || flow_answer(f, d, &say, e) != 0)
		return -1;
	return send(f, d, &r, e);
}

static bool unanswered(const struct reversal *r)
{
	return r->state == REV_REQUESTED || r->state == REV_IN_DOUBT;
}

int reversal_due(struct flow *f, const struct due *due, struct err *e)
{
	struct reversal r;
	struct decl *d;
	int got = reversal_last(f->p.ledger, due->ref, &r, e);
	if (got < 0 || decl_get(f->p.ledger, due->ref, &d, e) != 0)
		return -1;
	return got == 0 || r.due != due->at || !unanswered(&r) ? 0 : enquire_about(f, d, &r, e);
}

/* ---- results ---- */

typedef int result_fn(struct flow *f, struct decl *d, struct reversal *r, const struct collection_result *ev, const struct id *cause,
		      struct err *e);

static int old(void)
{
	COUNT(C_OLD_RESULTS);
	return 0;
}

static int into_doubt(struct flow *f, struct decl *d, struct reversal *r, const char *note, int64_t at, const struct id *cause,
		      struct err *e)
{
	enum absorb how;
	if (flow_fact(f, d, F_REFUND_DOUBT, cause, at, note, &how, e) != 0)
		return -1;
	COUNT(C_DOUBTS);
	r->state = REV_IN_DOUBT;
	r->doubt_at = at;
	return wait_for_answer(f, r, f->now + f->p.conf->gateway.doubt_enquiry_ms, e);
}

static int on_doubt(struct flow *f, struct decl *d, struct reversal *r, const struct collection_result *ev, const struct id *cause,
		    struct err *e)
{
	char note[40] = "";
	if (ev->attempt != r->attempt || !unanswered(r))
		return old();
	if (r->state == REV_IN_DOUBT) { /* of a sending that came later: the settlement delay counts from the last */
		r->doubt_at = ev->at > r->doubt_at ? ev->at : r->doubt_at;
		return reversal_put(f->p.ledger, r, e) != 0 ? -1 : old();
	}
	(void)str_copy(note, sizeof(note), ev->reason);
	return into_doubt(f, d, r, note, ev->at, cause, e);
}

static int on_unknown(struct flow *f, struct decl *d, struct reversal *r, const struct collection_result *ev, const struct id *cause,
		      struct err *e)
{
	int64_t look_at;
	if (!unanswered(r) || ev->attempt != r->enquiry_attempt)
		return old();
	if (r->state == REV_REQUESTED)
		return into_doubt(f, d, r, "unknown", ev->at, cause, e);
	if (!never_came(f, r->requested_at, r->doubt_at, ev->at, &look_at))
		return wait_for_answer(f, r, look_at, e);
	if (flow_cleared(f, d, F_REFUND_DOUBT, cause, "cleared: never happened", e) != 0)
		return -1;
	COUNT(C_INSTRUCTED_AGAIN);
	r->state = REV_REQUESTED;
	r->attempt++;
	r->enquiry_attempt++; /* an answer to an older enquiry says nothing about this attempt */
	r->doubt_at = 0;
	return send(f, d, r, e);
}

/* Taken; the refund itself comes by the feed of changes. */
static int on_taken(struct flow *f, struct decl *d, struct reversal *r, const struct collection_result *ev, const struct id *cause,
		    struct err *e)
{
	if (!unanswered(r))
		return old();
	if ((d->facts & F_REFUND_DOUBT) && flow_cleared(f, d, F_REFUND_DOUBT, cause, "cleared: the bureau has it", e) != 0)
		return -1;
	r->state = REV_ACCEPTED;
	r->sequence = ev->sequence;
	return reversal_put(f->p.ledger, r, e);
}

/* The payment is again what it was. */
static int on_refusal(struct flow *f, struct decl *d, struct reversal *r, const struct collection_result *ev, const struct id *cause,
		      struct err *e)
{
	char note[40] = "refund_refused";
	enum absorb how;
	bool no_news = (d->facts & F_REFUNDED) && str_is(ev->reason, "refund_already_refunded");
	if (r->state == REV_REFUSED || no_news)
		return old();
	if (ev->reason.p)
		(void)str_copy(note, sizeof(note), ev->reason);
	if (flow_fact(f, d, F_REFUND_REFUSED, cause, ev->at, note, &how, e) != 0)
		return -1;
	if (how != ABSORB_NEW)
		return 0; /* refunded, and told to be refused: a difference by now */
	COUNT(C_REVERSALS_REFUSED);
	r->state = REV_REFUSED;
	r->sequence = ev->sequence;
	enum state st = state_of(d->facts);
	struct said say = {st == ST_CREDITED	     ? RES_DONE
			   : st == ST_CREDIT_REFUSED ? RES_STOPPED
						     : RES_ACCEPTED,
			   "refund_refused", NULL, {0}, NULL};
	return reversal_put(f->p.ledger, r, e) != 0 ? -1 : flow_answer(f, d, &say, e);
}

/* 1 it is the newest one of the payment, 0 an older one of it, -1 error, 2 none of it. */
static int find(struct flow *f, const struct decl *d, const struct id *named, struct reversal *r, struct err *e)
{
	int got = reversal_last(f->p.ledger, d->no, r, e);
	struct id id;
	if (got < 0 || (got && id_eq(&r->id, named)))
		return got;
	for (int32_t n = got ? r->n - 1 : 0; n > 0; n--) {
		reversal_id(&id, &d->pid, n);
		if (id_eq(&id, named))
			return 0;
	}
	return 2;
}

int reversal_result(struct flow *f, struct decl *d, const struct collection_result *ev, const struct id *cause, struct err *e)
{
	static const struct {
		const char *state;
		bool of_attempt; /* where it has no sequence, it is the adapter's word about one attempt */
		result_fn *fn;
	} told[] = {{"refund_in_doubt", false, on_doubt}, {"refund_unknown", false, on_unknown},
		    {"refund_requested", true, on_taken}, {"refund_refused", true, on_refusal}};
	struct reversal r;
	int found = find(f, d, &ev->reversal_id.v, &r, e);
	if (found < 0)
		return -1;
	if (found == 2)
		return payment_differs(f, d, "unknown_reversal", NULL, cause, e);
	if (found == 0)
		return old();
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		if (!str_is(ev->state, told[i].state))
			continue;
		if (told[i].of_attempt &&
		    (ev->sequence > 0 ? ev->sequence < r.sequence : ev->attempt != r.attempt))
			return old();
		return told[i].fn(f, d, &r, ev, cause, e);
	}
	return payment_differs(f, d, "unknown_state", NULL, cause, e);
}

int reversal_refunded(struct flow *f, struct decl *d, const struct collection_result *ev, const struct id *cause, struct err *e)
{
	struct reversal r;
	int got = reversal_last(f->p.ledger, d->no, &r, e);
	if (got < 0)
		return -1;
	if (ev->reversal_id.set && (!got || !id_eq(&r.id, &ev->reversal_id.v)) &&
	    payment_differs(f, d, "unknown_reversal", NULL, cause, e) != 0)
		return -1;
	if (!got || r.state == REV_REFUNDED)
		return 0;
	if (r.state == REV_REFUSED)
		return ev->reversal_id.set ? payment_differs(f, d, "refunded_after_refusal", NULL, cause, e) : 0;
	r.state = REV_REFUNDED;
	return reversal_put(f->p.ledger, &r, e);
}
