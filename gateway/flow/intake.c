/* Rosters come in: rows are staged, and nothing acts before SubmissionClosed matches count, amount and digest.
 *
 * A submission that is published again (the village's process died before it knew that all was on the bus) opens the same or a new
 * attempt: rows of an unclosed attempt are voided, a closed submission ignores the repeat. */
#include "flow/internal.h"
#include "crypto/ids.h"
#include "domain/money.h"
#include <stdio.h>
#include <string.h>

static const char TOPIC[] = "submissions";

static int void_attempt(struct flow *f, struct submission *s, const struct id *cause, struct err *e)
{
	COUNT(C_VOIDED_ATTEMPTS);
	log_info("ATTEMPT-VOIDED", "receipt=%s rows=%lld", s->receipt, (long long)s->rows);
	if (flow_void(f, s, e) != 0)
		return -1;
	return history_about(f->p.ledger, s, "attempt voided", cause, f->now, e);
}

/* Not closed yet. One that was not closed in time is only told so: its rows and its Closed may still come. */
static bool staging(const struct submission *s)
{
	return s->state == SUB_OPEN || s->state == SUB_INCOMPLETE;
}

static bool same_submission(const struct submission *s, const struct submission_opened *ev)
{
	return str_is(ev->sender, s->sender) && str_is(ev->village, s->village) && ev->year == s->year &&
	       str_is(ev->receipt, s->receipt) && str_is(ev->roster_sha256, s->roster_sha256);
}

static int fill(struct submission *s, const struct submission_opened *ev)
{
	s->year = ev->year;
	s->received_at = ev->received_at;
	return str_copy(s->sender, sizeof(s->sender), ev->sender) | str_copy(s->receipt, sizeof(s->receipt), ev->receipt) |
	       str_copy(s->village, sizeof(s->village), ev->village) |
	       str_copy(s->roster_sha256, sizeof(s->roster_sha256), ev->roster_sha256);
}

int on_submission_opened(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct submission_opened ev;
	struct submission *s, probe;
	int rc = flow_decode(f, TOPIC, r, EV_SUBMISSION_OPENED, &ev, e);
	if (rc <= 0)
		return rc;
	if (!reference_policy(f->p.reference, ev.year) || !village_by_code(&f->p.reference->villages, ev.village) ||
	    fill(&probe, &ev) != 0)
		return flow_reject(f, TOPIC, r, "refused", "unknown year or village, or a name too long", e);
	if (submission_find(f->p.ledger, &ev.submission_id, &s, e) != 0)
		return -1;
	if (s && !same_submission(s, &ev))
		return flow_reject(f, TOPIC, r, "same_id_other_content", NULL, e);
	if (s && !staging(s)) {
		COUNT(C_REPEATED_SUBMISSIONS);
		return 0;
	}
	if (!s && submission_add(f->p.ledger, &ev.submission_id, &s, e) != 0)
		return -1;
	if (s->rows && void_attempt(f, s, &r->event.id, e) != 0)
		return -1;
	(void)fill(s, &ev);
	s->attempt = ev.attempt_id;
	s->state = SUB_OPEN;
	s->first_no = decl_last(f->p.ledger) + 1;
	s->last_no = s->first_no - 1;
	s->rows = s->amount_fen = 0;
	s->cursor = f->now + f->p.conf->gateway.incomplete_after_ms;
	memset(&s->digest, 0, sizeof(s->digest));
	s->dirty = true;
	f->touched = true;
	COUNT(C_SUBMISSIONS);
	return flow_wait(f, s->cursor, WAIT_SUBMISSION, s->no, e);
}

/* Twice in one roster: same amount, the second is a duplicate; other amounts, both conflict. */
static int mark_duplicates(struct flow *f, struct submission *s, struct decl *d, struct err *e)
{
	struct person *p;
	struct decl *first;
	if (person_get(f->p.ledger, &d->token, s->year, &p, e) != 0)
		return -1;
	if (p->mark_sub != s->no || p->mark_no < s->first_no) {
		p->mark_sub = s->no;
		p->mark_no = d->no;
		p->dirty = true;
		return 0;
	}
	if (decl_get(f->p.ledger, p->mark_no, &first, e) != 0)
		return -1;
	bool same = first->amount_known == d->amount_known && first->amount_fen == d->amount_fen;
	const char *code = same && strcmp(first->code, "conflicting_rows") != 0 ? "duplicate_row" : "conflicting_rows";
	snprintf(d->code, sizeof(d->code), "%s", code);
	snprintf(d->column, sizeof(d->column), "id_number");
	if (!same && !first->code[0]) {
		snprintf(first->code, sizeof(first->code), "conflicting_rows");
		snprintf(first->column, sizeof(first->column), "id_number");
		first->dirty = true;
	}
	return 0;
}

int on_subsidy_declared(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct subsidy_declared ev;
	struct submission *s;
	struct decl *d;
	enum absorb how;
	int rc = flow_decode(f, TOPIC, r, EV_SUBSIDY_DECLARED, &ev, e);
	if (rc <= 0)
		return rc;
	if (submission_find(f->p.ledger, &ev.submission_id, &s, e) != 0)
		return -1;
	if (!s)
		return flow_reject(f, TOPIC, r, "refused", "row of a submission that was not opened", e);
	if (!staging(s) || !id_eq(&s->attempt, &ev.attempt_id))
		return 0; /* a repeat of what is closed */
	if (ev.amount_fen.set && (ev.amount_fen.v < 0 || ev.amount_fen.v > MONEY_MAX_FEN))
		return flow_reject(f, TOPIC, r, "refused", "an amount that no roster reader gives", e);
	if (decl_add(f->p.ledger, &d, e) != 0)
		return -1;
	d->sub = s->no;
	d->row_no = ev.row_no;
	d->year = s->year;
	d->trace = r->event.id;
	d->has_token = ev.token.set && ev.identity.n > 0; /* whom nobody can ask about is nobody */
	d->token = ev.token.v;
	d->amount_known = ev.amount_fen.set;
	d->amount_fen = ev.amount_fen.set ? ev.amount_fen.v : 0;
	d->member = ev.member.set ? (int32_t)ev.member.v : -1;
	s->last_no = d->no;
	s->rows++;
	s->amount_fen += d->amount_fen;
	s->dirty = true;
	row_digest(&s->digest, &ev);
	COUNT(C_ROWS);
	if (ev.defect_count > 0) {
		(void)str_copy(d->code, sizeof(d->code), ev.defects[0].code);
		(void)str_copy(d->column, sizeof(d->column), ev.defects[0].column);
	} else if (!d->has_token || d->amount_fen == 0) {
		snprintf(d->code, sizeof(d->code), "%s",
			 !d->has_token ? "id_missing" : d->amount_known ? "amount_zero" : "amount_missing");
	}
	if (d->has_token && (mark_duplicates(f, s, d, e) != 0 ||
			     (ev.identity.p && decl_set_identity(f->p.ledger, d, ev.identity, e) != 0)))
		return -1;
	d->facts = 0;
	if (flow_declared(f, d, e) != 0)
		return -1;
	return flow_fact(f, d, F_DECLARED, &r->event.id, s->received_at, NULL, &how, e);
}

int on_submission_closed(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct submission_closed ev;
	struct submission *s;
	int rc = flow_decode(f, TOPIC, r, EV_SUBMISSION_CLOSED, &ev, e);
	if (rc <= 0)
		return rc;
	if (submission_find(f->p.ledger, &ev.submission_id, &s, e) != 0)
		return -1;
	if (!s)
		return flow_reject(f, TOPIC, r, "refused", "closes a submission that was not opened", e);
	if (!id_eq(&s->attempt, &ev.attempt_id))
		return 0;
	bool same = ev.count == s->rows && ev.amount_fen == s->amount_fen && id_eq(&ev.digest, &s->digest);
	if (!staging(s))
		return same ? 0 : flow_reject(f, TOPIC, r, "same_id_other_content", NULL, e);
	s->dirty = s->answer_due = true;
	f->touched = true;
	if (!same) {
		s->state = SUB_INCOMPLETE;
		memset(&s->attempt, 0, sizeof(s->attempt)); /* nothing more of this one is taken */
		snprintf(s->code, sizeof(s->code), "submission_incomplete");
		log_warn("SUBMISSION-INCOMPLETE", "receipt=%s rows=%lld stated=%d", s->receipt, (long long)s->rows, ev.count);
		return history_about(f->p.ledger, s, "closed does not match", &r->event.id, f->now, e);
	}
	s->state = SUB_OPEN;
	s->code[0] = '\0';
	s->stated = ev.stated_total_fen.set;
	s->stated_total_fen = ev.stated_total_fen.v;
	log_info("SUBMISSION-COMPLETE", "receipt=%s rows=%lld fen=%lld", s->receipt, (long long)s->rows,
		 (long long)s->amount_fen);
	if (history_about(f->p.ledger, s, "closed", &r->event.id, f->now, e) != 0)
		return -1;
	return filing_start(f, s, &r->event.id, e);
}

int on_gate_documents(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct gate_documents ev;
	struct submission *s;
	int rc = flow_decode(f, TOPIC, r, EV_GATE_DOCUMENTS, &ev, e);
	if (rc <= 0)
		return rc;
	if (r->event.data.n > f->cover.max)
		return flow_reject(f, TOPIC, r, "refused", "a cover of more than a MiB", e);
	if (ev.annex_to.n > 0 && (ev.reason.n == 0 || ev.approver.n == 0))
		return flow_reject(f, TOPIC, r, "refused", "an annex without reason or approver", e);
	if (supervision_of(f, &ev.submission_id, &ev.cover_id, ev.gates, ev.gate_count, e) != 0 ||
	    submission_find(f->p.ledger, &ev.submission_id, &s, e) != 0)
		return -1;
	/* Rows are filed, refused or expired under one cover: one that comes later changes nothing, not even half of them. */
	bool open = !s || staging(s) || s->state == SUB_CHECKING || s->state == SUB_WAITING;
	rc = open ? cover_put(f->p.ledger, &ev.submission_id, &ev.cover_id, ev.received_at, r->event.data, e) : 0;
	if (rc < 0)
		return -1;
	f->touched = true;
	COUNT(rc ? C_COVERS : C_OLD_COVERS);
	if (!rc || !s || staging(s))
		return 0; /* nothing new, or comes with the roster */
	if (history_about(f->p.ledger, s, "cover", &r->event.id, ev.received_at, e) != 0)
		return -1;
	return filing_start(f, s, &r->event.id, e);
}
