/* Who is eligible: enquiries to the SSA and what its answers and its feed of changes mean for pending payments. */
#include "flow/internal.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "domain/eligibility.h"
#include "domain/row.h"
#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX 64
static const char TOPIC[] = "contributions";

int enquire(struct flow *f, struct decl *d, struct person *p, struct err *e)
{
	if (p->enquiry_due > f->now)
		return 0; /* asked already; the answer judges all of the person's payments */
	p->enquiry_attempt++;
	p->enquiry_due = f->now + flow_patience(f->p.conf->gateway.enquiry_timeout_ms, p->enquiry_attempt);
	p->dirty = true;
	struct contribution_enquiry ev = {.token = d->token, .year = d->year, .attempt = p->enquiry_attempt,
					  .identity = d->identity};
	char year[8] = {(char)d->year, (char)(d->year >> 8)};
	struct str part[] = {STR("enquiry"), id_str(&d->token), {year, 2}};
	struct id subject, id;
	id_make(&subject, part, 3);
	decision_id(&id, STR("ContributionEnquiry"), &subject, p->enquiry_attempt);
	COUNT(C_ENQUIRIES);
	if (flow_wait(f, p->enquiry_due, WAIT_ENQUIRY, d->no, e) != 0)
		return -1;
	return flow_emit(f, EV_CONTRIBUTION_ENQUIRY, &ev, id_str(&d->token), &id, &d->trace, e);
}

static int stop(struct flow *f, struct decl *d, enum fact fact, const struct said *say, const struct id *cause, int64_t at,
		struct err *e)
{
	enum absorb how;
	COUNT(fact == F_REJECTED ? C_REJECTED : C_EXPIRED);
	if (flow_fact(f, d, fact, cause, at, say->code, &how, e) != 0)
		return -1;
	return flow_answer(f, d, say, e);
}

static int expire(struct flow *f, struct decl *d, const char *code, const struct id *cause, int64_t at, struct err *e)
{
	struct said say = {RES_STOPPED, code, NULL, {0}, NULL};
	return stop(f, d, F_EXPIRED, &say, cause, at, e);
}

int give_up(struct flow *f, struct decl *d, struct err *e)
{
	return expire(f, d, "too_late", &d->trace, f->now, e);
}

/* Cap B is looked at once more before money goes out: the highest tier may have been lowered since the payment was filed. R-12 */
static int judge_cap(struct flow *f, struct decl *d, const struct policy *p, const struct id *cause, struct err *e)
{
	char room[24];
	int64_t before;
	if (cap_b_before(f, d, &before, e) != 0)
		return -1;
	if (d->amount_fen <= cap_b_room(p, before))
		return 1;
	struct said say = {RES_MEND, "cap_b_exceeded", column_code(COL_AMOUNT), str_of(yuan(room, cap_b_room(p, before))), NULL};
	return stop(f, d, F_REJECTED, &say, cause, f->now, e);
}

struct verdict {
	enum eligible answer;
	const char *why;
	bool past_cut_off; /* the SSA's word is from after the cut-off: what is missing now stays missing */
};

static void judge(const struct policy *p, const struct contribution_status *ev, int today, struct verdict *v)
{
	struct contribution list[ENTRIES_MAX];
	int n = ev->entry_count < ENTRIES_MAX ? ev->entry_count : ENTRIES_MAX;
	for (int i = 0; i < n; i++) {
		const struct ev_contribution *in = &ev->entries[i];
		list[i] = (struct contribution){in->for_year, in->kind, in->paid_by, in->tier_fen, in->paid_on,
						in->arrived_on.set ? (int)in->arrived_on.v : DATE_NONE,
						in->refunded_on.set ? (int)in->refunded_on.v : DATE_NONE};
	}
	v->answer = eligibility(p, ev->insured, ev->insured_state, ev->pension_start.set ? (int)ev->pension_start.v : DATE_NONE,
				list, n, today, p->last_filing_day, &v->why);
	v->past_cut_off = today > p->last_filing_day;
}

/* By what the SSA says now, a payment that was instructed should not have been: the contribution was refunded since, say. Nothing follows
 * by itself; a person decides, once for each reason, whether it is reversed. Judged as of the day of instructing, for who draws a pension
 * since then was still entitled. R-34 */
static int question(struct flow *f, struct decl *d, const struct policy *p, const struct contribution_status *ev,
		    const struct id *cause, struct err *e)
{
	enum state st = state_of(d->facts);
	struct verdict then;
	if (!(d->facts & F_INSTRUCTED) || !state_live(st) || st == ST_REFUND_REQUESTED || st == ST_REFUND_IN_DOUBT)
		return 0;
	judge(p, ev, date_of_time(d->instructed_at), &then);
	if (then.answer != ELIGIBLE_NO)
		return 0;
	int fresh = difference_once(f->p.ledger, d, "contribution_refunded_later", then.why, cause, e);
	if (fresh <= 0)
		return fresh;
	char hex[ID_HEX];
	COUNT(C_DIFFERENCES);
	log_warn("DIFFERENCE", "payment=%s state=%s kind=contribution_refunded_later why=%s", id_hex(&d->pid, hex), state_code(st), then.why);
	return 0;
}

/* What was waited for did not come: "goes on by itself" must not be the last word. */
static const char *in_the_end(const char *why)
{
	bool awaited = strcmp(why, "contribution_missing") == 0 || strcmp(why, "contribution_not_arrived") == 0;
	return awaited ? "contribution_not_in_time" : why;
}

/* R-04 R-28 */
static int judge_payment(struct flow *f, struct decl *d, const struct policy *p, const struct verdict *v,
			 const struct contribution_status *ev, const struct id *cause, struct err *e)
{
	struct said no = {RES_MEND, v->why, NULL, {0}, NULL};
	struct submission *s;
	if (v->answer == ELIGIBLE_NO)
		return stop(f, d, F_REJECTED, &no, cause, ev->as_of, e);
	if (v->answer == ELIGIBLE_NOT_YET && v->past_cut_off)
		return expire(f, d, in_the_end(v->why), cause, ev->as_of, e);
	if (v->answer == ELIGIBLE_YES) {
		if (date_of_time(f->now) > p->last_instruct_day)
			return expire(f, d, "too_late", cause, f->now, e);
		int fits = judge_cap(f, d, p, cause, e);
		if (fits != 1)
			return fits;
		if (submission_get(f->p.ledger, d->sub, &s, e) != 0)
			return -1;
		return instruct(f, d, s, cause, e);
	}
	if (strcmp(d->code, v->why) == 0)
		return 0;
	struct said say = {RES_WAITING, v->why, NULL, {0}, NULL};
	return flow_answer(f, d, &say, e);
}

/* The entry that makes eligible, as the clerk wants to see it: "1000.00元，2026-12-05到账". */
static struct str what_was_paid(const struct policy *p, const struct contribution_status *ev, char *out, size_t cap)
{
	char fen[24], day[16];
	for (int i = 0; i < ev->entry_count; i++) {
		const struct ev_contribution *in = &ev->entries[i];
		bool kind = false;
		for (int k = 0; k < p->payment_kind_count; k++)
			kind |= str_is(in->kind, p->payment_kinds[k]);
		if (in->for_year != p->year || !kind || !in->arrived_on.set || in->refunded_on.set)
			continue;
		int n = snprintf(out, cap, "%s元，%s到账", yuan(fen, in->tier_fen), date_text(day, (int)in->arrived_on.v));
		return (struct str){out, (size_t)n};
	}
	return (struct str){0};
}

/* Waits for its papers and was told so: the check is answered to it. */
static bool to_be_checked(const struct decl *d, const struct submission *s)
{
	return state_of(d->facts) == ST_STAGED && !d->voided && !d->final && d->answer_version > 0 &&
	       (s->state == SUB_CHECKING || s->state == SUB_WAITING);
}

/* The row of the person in the roster that came last: told before the vote what the SSA says, which decides nothing yet. R-22 */
static int answer_check(struct flow *f, const struct person *who, const struct policy *p, const struct verdict *v,
			const struct contribution_status *ev, struct err *e)
{
	struct decl *d;
	struct submission *s;
	char paid[80];
	struct said say = {v->answer == ELIGIBLE_NO ? RES_MEND : RES_WAITING, v->why ? v->why : "check_paid", NULL, {0}, NULL};
	if (who->mark_no == 0)
		return 0;
	if (decl_get(f->p.ledger, who->mark_no, &d, e) != 0 || submission_get(f->p.ledger, d->sub, &s, e) != 0)
		return -1;
	if (!s || !to_be_checked(d, s) || strcmp(d->code, say.code) == 0)
		return 0;
	if (v->answer == ELIGIBLE_YES)
		say.detail = what_was_paid(p, ev, paid, sizeof(paid));
	return flow_answer(f, d, &say, e);
}

int check_before_vote(struct flow *f, struct decl *d, struct err *e)
{
	struct person *who;
	if (person_get(f->p.ledger, &d->token, d->year, &who, e) != 0)
		return -1;
	return who->mark_no == d->no ? enquire(f, d, who, e) : 0;
}

int check_again(struct flow *f, struct decl *d, struct person *who, struct err *e)
{
	struct submission *s;
	if (submission_get(f->p.ledger, d->sub, &s, e) != 0)
		return -1;
	bool unanswered = strcmp(d->code, "waiting_filing") == 0;
	return s && unanswered && who->mark_no == d->no && to_be_checked(d, s) ? enquire(f, d, who, e) : 0;
}

/* The SSA's word from the check, or from its feed since: it stands as long as the feed is followed, and is not asked for again. */
int ask_or_know(struct flow *f, struct decl *d, const struct submission *s, struct person *who, const struct id *cause, struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, who->year);
	int64_t followed = ledger_feed_as_of(f->p.ledger);
	int today = date_of_time(f->now);
	bool stands = who->checked_at > 0 && followed >= who->checked_at &&
		      f->now - followed <= f->p.conf->gateway.contribution_retry_ms && today <= who->eligible_until;
	if (!stands || !p || today > p->last_instruct_day)
		return enquire(f, d, who, e);
	int fits = judge_cap(f, d, p, cause, e);
	if (fits != 1)
		return fits;
	COUNT(C_KNOWN);
	return instruct(f, d, s, cause, e);
}

static int judge_person(struct flow *f, struct person *who, const struct contribution_status *ev, const struct id *cause,
			struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, who->year);
	struct verdict v;
	int64_t waiting = 0, next;
	if (!p)
		return 0;
	judge(p, ev, date_of_time(ev->as_of), &v);
	who->checked_at = ev->as_of;
	who->eligible_until = v.answer != ELIGIBLE_YES		    ? 0
			      : ev->pension_start.set ? (int32_t)ev->pension_start.v - 1
						      : INT32_MAX;
	if (answer_check(f, who, p, &v, ev, e) != 0)
		return -1;
	for (int64_t no = who->head; no; no = next) {
		struct decl *d;
		if (decl_get(f->p.ledger, no, &d, e) != 0)
			return -1;
		next = d->next_of_person;
		if (v.answer == ELIGIBLE_NO && question(f, d, p, ev, cause, e) != 0)
			return -1;
		if (state_of(d->facts) != ST_PENDING)
			continue;
		if (judge_payment(f, d, p, &v, ev, cause, e) != 0)
			return -1;
		if (state_of(d->facts) == ST_PENDING)
			waiting = d->no;
	}
	who->dirty = true;
	who->enquiry_due = 0;
	if (waiting == 0)
		return 0;
	who->enquiry_due = f->now + f->p.conf->gateway.contribution_retry_ms;
	return flow_wait(f, who->enquiry_due, WAIT_ENQUIRY, waiting, e);
}

int on_contribution_status(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct contribution_status ev;
	struct person *who[8];
	int n;
	int rc = flow_decode(f, TOPIC, r, EV_CONTRIBUTION_STATUS, &ev, e);
	if (rc <= 0)
		return rc;
	COUNT(C_STATUSES);
	f->touched = true;
	if (persons_of(f->p.ledger, &ev.token, who, 8, &n, e) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (ev.sequence < who[i]->sequence) {
			COUNT(C_OLD_STATUSES);
			continue;
		}
		who[i]->sequence = ev.sequence;
		who[i]->dirty = true;
		bool more = outside_learnt(who[i], &ev);
		if (adopt_reading(f))
			continue; /* said to the life that was lost, in another order perhaps: asked for anew after it */
		if (judge_person(f, who[i], &ev, &r->event.id, e) != 0)
			return -1;
		if (more && outside_judged(f, who[i], &r->event.id, e) != 0)
			return -1;
	}
	return 0;
}

int on_feed_reached(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct contribution_feed_reached ev;
	int rc = flow_decode(f, TOPIC, r, EV_CONTRIBUTION_FEED_REACHED, &ev, e);
	if (rc <= 0)
		return rc;
	ledger_set_feed_as_of(f->p.ledger, r->partition, ev.as_of);
	f->touched = true;
	return 0;
}
