/* Who is eligible: enquiries to the SSA and what its answers and its feed of changes mean for pending payments. */
#include "flow/internal.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "domain/eligibility.h"
#include "domain/row.h"
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
	struct person *who;
	char room[24];
	if (person_get(f->p.ledger, &d->token, d->year, &who, e) != 0)
		return -1;
	if (who->reserved_fen <= p->highest_tier_fen)
		return 1;
	struct said say = {RES_MEND, "cap_b_exceeded", column_code(COL_AMOUNT),
			   str_of(yuan(room, cap_b_room(p, who->reserved_fen - d->amount_fen))), NULL};
	return stop(f, d, F_REJECTED, &say, cause, f->now, e);
}

struct verdict {
	enum eligible answer;
	const char *why;
	bool past_cut_off; /* the SSA's word is from after the cut-off: what is missing now stays missing */
};

static void judge(const struct policy *p, const struct contribution_status *ev, struct verdict *v)
{
	struct contribution list[ENTRIES_MAX];
	int n = ev->entry_count < ENTRIES_MAX ? ev->entry_count : ENTRIES_MAX;
	for (int i = 0; i < n; i++) {
		const struct ev_contribution *in = &ev->entries[i];
		list[i] = (struct contribution){in->for_year, in->kind, in->paid_by, in->tier_fen, in->paid_on,
						in->arrived_on.set ? (int)in->arrived_on.v : DATE_NONE,
						in->refunded_on.set ? (int)in->refunded_on.v : DATE_NONE};
	}
	int today = date_of_time(ev->as_of);
	v->answer = eligibility(p, ev->insured, ev->insured_state, ev->pension_start.set ? (int)ev->pension_start.v : DATE_NONE,
				list, n, today, p->last_filing_day, &v->why);
	v->past_cut_off = today > p->last_filing_day;
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

static int judge_person(struct flow *f, struct person *who, const struct contribution_status *ev, const struct id *cause,
			struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, who->year);
	struct verdict v;
	int64_t waiting = 0, next;
	if (!p)
		return 0;
	judge(p, ev, &v);
	for (int64_t no = who->head; no; no = next) {
		struct decl *d;
		if (decl_get(f->p.ledger, no, &d, e) != 0)
			return -1;
		next = d->next_of_person;
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
		if (adopt_reading(f))
			continue; /* said to the life that was lost, in another order perhaps: asked for anew after it */
		if (judge_person(f, who[i], &ev, &r->event.id, e) != 0)
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
