/* What came due: enquiries, payments in doubt, submissions that were never closed, the cut-off of a year. */
#include "flow/internal.h"
#include "ledger/cuts.h"
#include "base/date.h"
#include "crypto/ids.h"
#include <stdio.h>
#include <string.h>

#define DUE_MAX (2 * WAITING_MAX)
#define CUTOFF_EVERY_MS 200

/* No payment of that year is instructed any more, by our clock and by the SSA's: what it never answered about ends. */
static bool too_late(struct flow *f, int year)
{
	const struct policy *p = reference_policy(f->p.reference, year);
	return p && date_of_time(f->now) > p->last_instruct_day &&
	       date_of_time(ledger_feed_as_of(f->p.ledger)) > p->last_instruct_day;
}

static int enquiry_due(struct flow *f, const struct due *due, struct err *e)
{
	struct decl *d, *asked;
	struct person *p;
	if (decl_get(f->p.ledger, due->ref, &d, e) != 0 || person_get(f->p.ledger, &d->token, d->year, &p, e) != 0)
		return -1;
	if (p->enquiry_due != due->at)
		return 0;
	p->enquiry_due = 0;
	p->dirty = true;
	asked = d;
	bool over = too_late(f, p->year);
	for (int64_t no = p->head, next; no; no = next) {
		if (decl_get(f->p.ledger, no, &d, e) != 0)
			return -1;
		next = d->next_of_person;
		if (state_of(d->facts) != ST_PENDING)
			continue;
		if (!over)
			return enquire(f, d, p, e); /* any that still waits will do: the answer judges all */
		if (give_up(f, d, e) != 0)
			return -1;
	}
	return over ? 0 : check_again(f, asked, p, e);
}

static int payment_due(struct flow *f, const struct due *due, struct err *e)
{
	struct decl *d;
	if (decl_get(f->p.ledger, due->ref, &d, e) != 0)
		return -1;
	enum state st = state_of(d->facts);
	if (d->due != due->at || (st != ST_IN_DOUBT && st != ST_INSTRUCTED))
		return 0;
	return payment_enquire(f, d, e);
}

static int submission_due(struct flow *f, const struct due *due, struct err *e)
{
	struct submission *s;
	if (submission_get(f->p.ledger, due->ref, &s, e) != 0)
		return -1;
	if (!s || s->state != SUB_OPEN || s->cursor != due->at)
		return 0;
	s->state = SUB_INCOMPLETE;
	s->dirty = s->answer_due = true;
	snprintf(s->code, sizeof(s->code), "submission_incomplete");
	log_warn("SUBMISSION-INCOMPLETE", "receipt=%s rows=%lld", s->receipt, (long long)s->rows);
	return history_about(f->p.ledger, s, "incomplete", NULL, f->now, e);
}

int waiting_step(struct flow *f, struct err *e)
{
	static int (*const came_due[])(struct flow *f, const struct due *due, struct err *e) = {
		[WAIT_ENQUIRY] = enquiry_due, [WAIT_PAYMENT] = payment_due, [WAIT_SUBMISSION] = submission_due,
		[WAIT_REVERSAL] = reversal_due,
	};
	static struct due due[DUE_MAX];
	int n;
	if (f->now < f->due_at)
		return 0;
	if (waiting_take(f->p.ledger, f->now, due, DUE_MAX, &n, e) != 0)
		return -1;
	f->touched = true;
	for (int i = 0; i < n; i++)
		if (came_due[due[i].kind](f, &due[i], e) != 0)
			return -1;
	f->due_at = waiting_next(f->p.ledger);
	return 0;
}

/* ---- the cut-off ---- */

/* Pending payments are asked for once more: only the SSA's word from after the cut-off lets one expire. */
static int cutoff_payments(struct flow *f, struct cutoff *c, struct err *e)
{
	int64_t nos[DUE_MAX], looked;
	int n;
	if (decl_pending(f->p.ledger, c->cursor, c->year, nos, DUE_MAX, &n, &looked, e) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		struct decl *d;
		struct person *p;
		if (decl_get(f->p.ledger, nos[i], &d, e) != 0 ||
		    person_get(f->p.ledger, &d->token, d->year, &p, e) != 0)
			return -1;
		p->enquiry_due = 0;
		if (enquire(f, d, p, e) != 0)
			return -1;
	}
	c->cursor = looked;
	f->cutoff_going = looked >= 0;
	f->touched = true;
	return cutoff_put(f->p.ledger, c, e);
}

/* */
static int cutoff_rosters(struct flow *f, int year, struct err *e)
{
	struct submission *s;
	for (int64_t after = 0;;) {
		if (submission_next(f->p.ledger, after, SUB_WAITING, year, &s, e) != 0)
			return -1;
		if (!s)
			return 0;
		after = s->no;
		if (filing_expire(f, s, e) != 0)
			return -1;
	}
}

int cutoff_step(struct flow *f, struct err *e)
{
	int years[64], n;
	if (f->rosters_unread && !f->cutoff_going)
		return 0;
	if (!f->cutoff_going && f->now >= f->cutoff_looked && f->now - f->cutoff_looked < CUTOFF_EVERY_MS)
		return 0;
	f->cutoff_looked = f->now;
	if (ledger_years(f->p.ledger, years, 64, &n, e) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		const struct policy *p = reference_policy(f->p.reference, years[i]);
		struct cutoff c;
		if (!p || date_of_time(f->now) <= p->last_filing_day ||
		    date_of_time(ledger_feed_as_of(f->p.ledger)) <= p->last_filing_day)
			continue;
		int got = cutoff_get(f->p.ledger, years[i], &c, e);
		if (got < 0)
			return -1;
		if (got == 0 && f->rosters_unread)
			continue; /* a cover that came in time may lie on the bus still */
		if (got == 0) {
			c = (struct cutoff){years[i], f->now, 0};
			log_info("CUT-OFF", "year=%d", years[i]);
			if (history_about(f->p.ledger, NULL, "cut-off", NULL, f->now, e) != 0 ||
			    cutoff_rosters(f, years[i], e) != 0 || cutoff_put(f->p.ledger, &c, e) != 0)
				return -1;
			f->touched = true;
		}
		if (c.cursor >= 0 && cutoff_payments(f, &c, e) != 0)
			return -1;
	}
	return 0;
}

/* The digests of more than that many missed days are not made in one turn. */
enum { CUTS_A_TURN = 31 };

/* Before anything else of the turn: what is committed is what the ended days brought. */
int day_cut_step(struct flow *f, bool *behind, struct err *e)
{
	int ended = date_of_time(f->now - f->p.conf->gateway.cut_at_ms), made = 0;
	char day[16];
	for (; cut_last_day(f->p.ledger) < ended && made < CUTS_A_TURN; made++) {
		int next = cut_last_day(f->p.ledger) + 1;
		if (cut_make(f->p.ledger, next, e) != 0)
			return -1;
		log_info("DAY-CUT", "day=%s", date_text(day, next));
	}
	f->touched |= made > 0;
	*behind = cut_last_day(f->p.ledger) < ended;
	return 0;
}
