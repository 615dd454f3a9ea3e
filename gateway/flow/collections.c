/* What the tax bureau is told and what it answers. A doubt is never retried, only asked by id; it is instructed again only after
 * the bureau said that the payment never came, and past the delay after which that word is final (config: [tax]). */
#include "flow/internal.h"
#include "base/date.h"
#include "crypto/ids.h"
#include <stdio.h>
#include <string.h>

static const char TOPIC[] = "collections";

/* After a restore the ledger has forgotten what was decided since its copy: every payment of a year that had begun by then may have
 * been sent in that lost time, also one whose roster is dropped again much later. */
static bool maybe_forgotten(const struct flow *f, const struct decl *d)
{
	int64_t restored_at = ledger_restored_at(f->p.ledger);
	return restored_at > 0 && date_year(date_of_time(restored_at)) >= d->year;
}

static int send_payment(struct flow *f, struct decl *d, const struct submission *s, const struct policy *p, struct err *e)
{
	struct id id;
	struct subsidy_payment ev = {
		.payment_id = d->pid, .attempt = d->attempt, .year = d->year, .village = str_of(s->village),
		.sponsor_type = str_of(stats_type_code(d->sponsor_type)), .sponsor_id = d->sponsor,
		.sponsor_code = str_of(s->sponsor_code[0] ? s->sponsor_code : NULL), .token = d->token,
		.identity = d->identity, .amount_fen = d->amount_fen,
		.instructed_at = d->instructed_at, .not_after = time_of_date(p->last_instruct_day + 1) - 1,
		.ask_first = maybe_forgotten(f, d),
	};
	d->due = f->now + f->p.conf->gateway.answer_timeout_ms;
	d->dirty = true;
	decision_id(&id, STR("SubsidyPayment"), &d->pid, d->attempt);
	if (flow_wait(f, d->due, WAIT_PAYMENT, d->no, e) != 0)
		return -1;
	return flow_emit(f, EV_SUBSIDY_PAYMENT, &ev, id_str(&d->token), &id, &d->trace, e);
}

/* */
int instruct(struct flow *f, struct decl *d, const struct submission *s, const struct id *cause, struct err *e)
{
	enum absorb how;
	COUNT(C_INSTRUCTED);
	if (flow_fact(f, d, F_INSTRUCTED, cause, f->now, NULL, &how, e) != 0)
		return -1;
	d->attempt = 1;
	d->instructed_at = f->now;
	if (strcmp(d->code, "pending") != 0) { /* it was told that the contribution is missing */
		struct said say = {RES_ACCEPTED, "instructed", NULL, {0}, NULL};
		if (flow_answer(f, d, &say, e) != 0)
			return -1;
	}
	return send_payment(f, d, s, reference_policy(f->p.reference, d->year), e);
}

static int fail(struct flow *f, struct decl *d, const char *code, const struct id *cause, int64_t at, struct err *e)
{
	enum absorb how;
	struct said say = {RES_STOPPED, code, NULL, {0}, NULL};
	if (flow_fact(f, d, F_FAILED, cause, at, code, &how, e) != 0)
		return -1;
	if (how != ABSORB_NEW)
		return 0;
	COUNT(C_FAILED);
	return flow_answer(f, d, &say, e);
}

int instruct_again(struct flow *f, struct decl *d, const struct id *cause, struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, d->year);
	struct submission *s;
	if (date_of_time(f->now) > p->last_instruct_day)
		return fail(f, d, "too_late", cause, f->now, e);
	if (flow_cleared(f, d, F_DOUBT, cause, "cleared: never happened", e) != 0 || submission_get(f->p.ledger, d->sub, &s, e) != 0)
		return -1;
	COUNT(C_INSTRUCTED_AGAIN);
	d->attempt++;
	d->enquiry_attempt++; /* no enquiry has that number: an answer to an older one says nothing about this attempt */
	d->doubt_at = 0;
	return send_payment(f, d, s, p, e);
}

int payment_enquire(struct flow *f, struct decl *d, struct err *e)
{
	struct id id;
	d->enquiry_attempt++;
	d->due = f->now + flow_patience(f->p.conf->gateway.doubt_enquiry_ms, d->enquiry_attempt);
	d->dirty = true;
	struct payment_enquiry ev = {.payment_id = d->pid, .attempt = d->enquiry_attempt, .payment_attempt = d->attempt};
	decision_id(&id, STR("PaymentEnquiry"), &d->pid, d->enquiry_attempt);
	COUNT(C_PAYMENT_ENQUIRIES);
	if (flow_wait(f, d->due, WAIT_PAYMENT, d->no, e) != 0)
		return -1;
	return flow_emit(f, EV_PAYMENT_ENQUIRY, &ev, id_str(&d->token), &id, &d->trace, e);
}

/* ---- results ---- */

static int into_doubt(struct flow *f, struct decl *d, const char *note, int64_t at, const struct id *cause, struct err *e)
{
	enum absorb how;
	if (flow_fact(f, d, F_DOUBT, cause, at, note, &how, e) != 0)
		return -1;
	if (how != ABSORB_NEW)
		return 0;
	COUNT(C_DOUBTS);
	d->doubt_at = at;
	d->due = f->now + f->p.conf->gateway.doubt_enquiry_ms;
	return flow_wait(f, d->due, WAIT_PAYMENT, d->no, e);
}

static int on_doubt(struct flow *f, struct decl *d, const struct collection_result *ev, const struct id *cause, struct err *e)
{
	char note[40] = "";
	if (ev->attempt != d->attempt || (d->facts & F_DOUBT)) {
		/* A repeat may tell of a sending under the same key that came later: the settlement delay counts from the last. */
		if (ev->attempt == d->attempt && ev->at > d->doubt_at) {
			d->doubt_at = ev->at;
			d->dirty = true;
		}
		COUNT(C_OLD_RESULTS);
		return 0;
	}
	(void)str_copy(note, sizeof(note), ev->reason);
	return into_doubt(f, d, note, ev->at, cause, e);
}

bool never_came(const struct flow *f, int64_t keyed_from, int64_t doubt_at, int64_t told_at, int64_t *look_at)
{
	const struct conf *c = f->p.conf;
	bool keyed = keyed_from > 0 && c->tax_terms.keys == KEYS_HONOURED && f->now - keyed_from < c->tax_terms.key_window_ms;
	/* What a restored ledger has forgotten may have sent it once more, until then. */
	int64_t restored_at = ledger_restored_at(f->p.ledger);
	int64_t settled = (doubt_at > restored_at ? doubt_at : restored_at) + c->tax_terms.settlement_delay_ms;
	int64_t next = f->now + c->gateway.doubt_enquiry_ms;
	*look_at = next > settled ? next : settled + 1;
	return keyed || told_at > settled;
}

/* The bureau knows nothing of it. While idempotency keys protect, or past the settlement delay, that is permission to send again. */
static int on_unknown(struct flow *f, struct decl *d, const struct collection_result *ev, const struct id *cause, struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, d->year);
	enum state st = state_of(d->facts);
	int64_t look_at;
	if ((st != ST_IN_DOUBT && st != ST_INSTRUCTED) || ev->attempt != d->enquiry_attempt) {
		COUNT(C_OLD_RESULTS);
		return 0;
	}
	/* The enquiry came after the payment in its topic, and no result did: it was never sent, or its result was lost. */
	if (st == ST_INSTRUCTED)
		return into_doubt(f, d, "unknown", ev->at, cause, e);
	/* Past the last day nothing is sent under the key's protection: "unknown" must be final to end the payment. */
	int64_t keyed_from = date_of_time(f->now) <= p->last_instruct_day ? d->instructed_at : 0;
	if (never_came(f, keyed_from, d->doubt_at, ev->at, &look_at))
		return instruct_again(f, d, cause, e);
	d->due = look_at;
	d->dirty = true;
	return flow_wait(f, d->due, WAIT_PAYMENT, d->no, e);
}

/* R-13 R-30 */
static int feed_back(struct flow *f, struct decl *d, const struct id *cause, struct err *e)
{
	struct submission *s;
	enum absorb how;
	struct id id;
	if (submission_get(f->p.ledger, d->sub, &s, e) != 0 ||
	    flow_fact(f, d, F_FED_BACK, cause, f->now, NULL, &how, e) != 0)
		return -1;
	struct collected_subsidy ev = {
		.payment_id = d->pid, .token = d->token, .identity = d->identity,
		.year = d->year, .version = 1, .village = str_of(s->village),
		.sponsor_type = str_of(stats_type_code(d->sponsor_type)), .amount_fen = d->amount_fen,
		.receipt = str_of(d->receipt), .paid_at = d->paid_at, .in_treasury_at = d->treasury_at,
	};
	decision_id(&id, STR("CollectedSubsidy"), &d->pid, ev.version);
	return flow_emit(f, EV_COLLECTED_SUBSIDY, &ev, id_str(&d->token), &id, &d->trace, e);
}

/* */
static int feed_refund(struct flow *f, struct decl *d, int64_t at, struct err *e)
{
	struct submission *s;
	struct id id;
	if (!(d->facts & F_FED_BACK))
		return 0; /* the SSA never heard of it */
	if (submission_get(f->p.ledger, d->sub, &s, e) != 0)
		return -1;
	struct subsidy_refunded ev = {
		.payment_id = d->pid, .token = d->token, .identity = d->identity,
		.year = d->year, .version = 2, .village = str_of(s->village),
		.sponsor_type = str_of(stats_type_code(d->sponsor_type)), .amount_fen = d->amount_fen,
		.receipt = str_of(d->receipt), .refunded_at = at,
	};
	decision_id(&id, STR("SubsidyRefunded"), &d->pid, ev.version);
	return flow_emit(f, EV_SUBSIDY_REFUNDED, &ev, id_str(&d->token), &id, &d->trace, e);
}

static int say_code(struct flow *f, struct decl *d, enum row_result result, const char *code, struct err *e)
{
	struct said say = {result, code, NULL, {0}, NULL};
	return flow_answer(f, d, &say, e);
}

/* Something that the two sides tell differently, for a person; the payment stays as it is. */
int payment_differs(struct flow *f, struct decl *d, const char *kind, const char *detail, const struct id *cause, struct err *e)
{
	char hex[ID_HEX];
	COUNT(C_DIFFERENCES);
	log_warn("DIFFERENCE", "payment=%s state=%s kind=%s", id_hex(&d->pid, hex), state_code(state_of(d->facts)), kind);
	return difference_add(f->p.ledger, d, kind, detail, cause, e);
}

/* The late-arrival window of the policy: nothing is instructed past it, and no money expected. */
static bool past_window(const struct flow *f, const struct decl *d, int64_t at)
{
	const struct policy *p = reference_policy(f->p.reference, d->year);
	return p && date_of_time(at) > p->last_instruct_day;
}

static int on_money(struct flow *f, struct decl *d, enum fact fact, const struct collection_result *ev, const struct id *cause,
		    struct err *e)
{
	enum absorb how;
	bool ended = d->facts & (F_REFUNDED | F_FAILED);
	if (flow_fact(f, d, fact, cause, ev->at, NULL, &how, e) != 0)
		return -1;
	if (how != ABSORB_NEW) {
		COUNT(C_OLD_RESULTS);
		if (how != ABSORB_OLD || !ended || fact == F_REFUNDED)
			return 0;
		/* By the bureau's own order it came after the end: no repeat, but money once more. */
		return payment_differs(f, d, fact_code(fact), "after its end", cause, e);
	}
	if (fact == F_ACCEPTED)
		return 0;
	if (!d->paid_at)
		d->paid_at = ev->at;
	if (fact == F_PAID) {
		COUNT(C_PAID);
		return say_code(f, d, RES_ACCEPTED, "paid", e);
	}
	if (fact == F_REFUNDED) {
		COUNT(C_REFUNDED);
		if (reversal_refunded(f, d, ev, cause, e) != 0 || feed_refund(f, d, ev->at, e) != 0)
			return -1;
		return say_code(f, d, RES_STOPPED, "refunded", e);
	}
	COUNT(C_IN_TREASURY);
	d->treasury_at = ev->at;
	if (ended) /* what went back is not fed back as collected */
		return payment_differs(f, d, fact_code(fact), "after its end", cause, e);
	/* Money is money: it goes on, and a person is told that it came after everything was closed. */
	if (past_window(f, d, ev->at) && payment_differs(f, d, "late_arrival", NULL, cause, e) != 0)
		return -1;
	if (!(d->facts & F_FED_BACK) && feed_back(f, d, cause, e) != 0)
		return -1;
	/* One answer is enough for "the money is there"; who was told "paid" hears next of the credit. Who has the final answer
	 * already (after a restore the credit's refusal may come first) hears nothing older. */
	return d->final || strcmp(d->code, "paid") == 0 || (d->facts & F_REFUND_REQUESTED) ? 0 : say_code(f, d, RES_ACCEPTED, "in_treasury", e);
}

/* Collected in the year it is for, or in the January after; what ends it may come years later. */
static bool of_its_year(const struct decl *d, const struct collection_result *ev)
{
	int year = date_year(date_of_time(ev->at));
	bool end = str_is(ev->state, "failed") || str_is(ev->state, "refunded") || ev->reversal_id.set;
	return year >= d->year && (end || year <= d->year + 1);
}

/* What the bureau says must be about the payment as we know it. */
static const char *disagrees(const struct decl *d, const struct collection_result *ev)
{
	if (ev->amount_fen.set && ev->amount_fen.v != d->amount_fen)
		return "other_amount";
	if (ev->sequence > 0 && !of_its_year(d, ev))
		return "other_year";
	if (ev->receipt.p && d->receipt[0] && !str_is(ev->receipt, d->receipt))
		return "other_receipt";
	if (ev->receipt.p && ev->receipt.n >= sizeof(d->receipt))
		return "receipt_too_long";
	return NULL;
}

/* Whether a fact cannot be believed. Its number and its receipt are not taken then: a true word under a lower number would pass for
 * an old one. */
static bool contradicts(const struct decl *d, enum fact fact)
{
	uint32_t facts = d->facts, implied;
	return fact_absorb(&facts, fact, &implied) == ABSORB_CONTRADICTION;
}

/* What the bureau tells with a sequence of its own. The highest wins; one sequence says one thing. */
static int absorb_told(struct flow *f, struct decl *d, const struct collection_result *ev, enum fact fact, const struct id *cause,
		       struct err *e)
{
	char code[40] = "tax_refused";
	if (ev->sequence < d->tax_seq) {
		COUNT(C_OLD_RESULTS);
		return 0;
	}
	if (ev->sequence == d->tax_seq && ev->sequence > 0 && !(d->facts & fact))
		return payment_differs(f, d, fact_code(fact), "same sequence", cause, e);
	if (!contradicts(d, fact)) {
		d->tax_seq = ev->sequence;
		d->dirty = true;
		if (ev->receipt.p && !d->receipt[0])
			(void)str_copy(d->receipt, sizeof(d->receipt), ev->receipt);
	}
	if (fact != F_FAILED)
		return on_money(f, d, fact, ev, cause, e);
	if (ev->reason.p && str_copy(code, sizeof(code), ev->reason) != 0)
		(void)str_copy(code, sizeof(code), STR("tax_refused"));
	return fail(f, d, code, cause, ev->at, e);
}

static int absorb_result(struct flow *f, struct decl *d, const struct collection_result *ev, const struct id *cause,
			 struct err *e)
{
	static const struct {
		const char *state;
		enum fact fact;
	} told[] = {{"accepted", F_ACCEPTED}, {"paid", F_PAID}, {"in_treasury", F_IN_TREASURY}, {"refunded", F_REFUNDED},
		    {"failed", F_FAILED}};
	const char *other = disagrees(d, ev);
	if (other)
		return payment_differs(f, d, other, NULL, cause, e);
	if (ev->reversal_id.set && !str_is(ev->state, "refunded"))
		return reversal_result(f, d, ev, cause, e);
	if (str_is(ev->state, "in_doubt"))
		return on_doubt(f, d, ev, cause, e);
	if (str_is(ev->state, "unknown"))
		return on_unknown(f, d, ev, cause, e);
	/* Without a sequence it is the adapter's own word about one attempt. */
	if (ev->sequence == 0 && ev->attempt != d->attempt) {
		COUNT(C_OLD_RESULTS);
		return 0;
	}
	if (str_is(ev->state, "too_late"))
		return fail(f, d, "too_late", cause, ev->at, e);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (str_is(ev->state, told[i].state))
			return absorb_told(f, d, ev, told[i].fact, cause, e);
	return payment_differs(f, d, "unknown_state", NULL, cause, e);
}

int on_collection_result(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct collection_result ev;
	struct decl *d;
	int rc = flow_decode(f, TOPIC, r, EV_COLLECTION_RESULT, &ev, e);
	if (rc <= 0)
		return rc;
	COUNT(C_RESULTS);
	f->touched = true;
	if (decl_find_payment(f->p.ledger, &ev.payment_id, &d, e) != 0)
		return -1;
	if (!d) {
		COUNT(C_EARLY);
		return early_put(f->p.ledger, &ev.payment_id, str_of(TOPIC), &r->event, e);
	}
	return absorb_result(f, d, &ev, &r->event.id, e);
}

/* ---- credits ---- */

/* */
static int absorb_credit(struct flow *f, struct decl *d, struct str type, const struct credit_result *ev, const struct id *cause,
			 struct err *e)
{
	static const struct {
		const char *type;
		enum fact fact;
		enum row_result result;
		const char *code; /* of the answer; NULL: none follows */
		int counter;
	} kinds[] = {
		{"AccountCredited", F_CREDITED, RES_DONE, "credited", C_CREDITED},
		{"CreditRefused", F_CREDIT_REFUSED, RES_STOPPED, "credit_refused", C_CREDIT_REFUSED},
		{"AccountDebited", F_DEBITED, RES_STOPPED, NULL, C_REFUNDED},
		{"DebitRefused", F_DEBIT_REFUSED, RES_STOPPED, NULL, C_DEBIT_REFUSED},
	};
	enum absorb how;
	/* The adapter's own word (the SSA calls it malformed) has no sequence. */
	if (ev->sequence > 0 && ev->sequence < d->credit_seq) {
		COUNT(C_OLD_RESULTS);
		return 0;
	}
	if (ev->amount_fen != d->amount_fen)
		return payment_differs(f, d, "other_amount", NULL, cause, e);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!str_is(type, kinds[i].type))
			continue;
		if (ev->sequence > 0 && !contradicts(d, kinds[i].fact)) {
			d->credit_seq = ev->sequence;
			d->dirty = true;
		}
		if (flow_fact(f, d, kinds[i].fact, cause, ev->at, NULL, &how, e) != 0)
			return -1;
		if (how != ABSORB_NEW)
			return 0;
		COUNT(kinds[i].counter);
		if (kinds[i].fact == F_DEBIT_REFUSED) /* paid back by the bureau, and still on the account */
			return payment_differs(f, d, "debit_refused", NULL, cause, e);
		if (!kinds[i].code || (d->facts & (F_REFUNDED | F_REFUND_REQUESTED)))
			return 0; /* what is going on, or has ended, was told */
		return say_code(f, d, kinds[i].result, kinds[i].code, e);
	}
	return 0;
}

int on_credit_result(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct credit_result ev;
	enum event_type t = EV_ACCOUNT_CREDITED;
	struct decl *d;
	(void)event_type_of(r->event.type, &t);
	int rc = flow_decode(f, "credits", r, t, &ev, e);
	if (rc <= 0)
		return rc;
	f->touched = true;
	if (decl_find_payment(f->p.ledger, &ev.payment_id, &d, e) != 0)
		return -1;
	if (!d) {
		COUNT(C_EARLY);
		return early_put(f->p.ledger, &ev.payment_id, STR("credits"), &r->event, e);
	}
	return absorb_credit(f, d, r->event.type, &ev, &r->event.id, e);
}

static int absorb_one_early(struct flow *f, struct decl *d, bool collections, struct str type, const struct id *cause,
			    struct err *e)
{
	struct str data = {(char *)f->early[2].data, f->early[2].len};
	struct collection_result result;
	struct credit_result credit;
	enum event_type t;
	if (event_type_of(type, &t) != 0)
		return 0;
	if (collections)
		return codec_decode(f->p.codec, t, data, &result, e) || absorb_result(f, d, &result, cause, e) ? -1 : 0;
	return codec_decode(f->p.codec, t, data, &credit, e) || absorb_credit(f, d, type, &credit, cause, e) ? -1 : 0;
}

/* The bureau's first, then the SSA's: the order between the two feeds says nothing. */
int absorb_early(struct flow *f, struct decl *d, struct err *e)
{
	for (int credits = 0; credits < 2; credits++) {
		struct id cause;
		int64_t at = 0;
		int got;
		while ((got = early_take(f->p.ledger, &d->pid, at, &at, &f->early[0], &f->early[1], &f->early[2], &cause, e)) == 1) {
			struct str topic = {(char *)f->early[0].data, f->early[0].len};
			struct str type = {(char *)f->early[1].data, f->early[1].len};
			if (str_is(topic, TOPIC) != credits && absorb_one_early(f, d, !credits, type, &cause, e) != 0)
				return -1;
		}
		if (got != 0)
			return -1;
	}
	return 0;
}
