/* Corrections of what was declared: rows are taken out again, with a reason, as long as nobody was instructed to collect them.
 * Afterwards only a reversal helps (reversals.c).
 *
 * An annex is a mended roster whose cover names the filed one. It keeps that one's gates, so it may only take out and lower: rows that it
 * leaves out are withdrawn, lowered ones are withdrawn and filed anew, an added or raised row needs a supplement with gates of its own. Only
 * when all of its rows were found is anything taken out that it leaves out: a number with a slip must not cost a person the subsidy. */
#include "flow/internal.h"
#include "crypto/ids.h"
#include <stdio.h>
#include <string.h>

#define STEP_ROWS 2000

/* */
int withdraw_row(struct flow *f, struct decl *d, const char *why, const struct id *cause, struct err *e)
{
	struct said say = {RES_STOPPED, "withdrawn", NULL, {0}, NULL};
	enum state st = state_of(d->facts);
	enum absorb how;
	if (d->voided || d->repeat || (st != ST_STAGED && st != ST_PENDING))
		return 0;
	COUNT(C_WITHDRAWN);
	if (flow_fact(f, d, F_WITHDRAWN, cause, f->now, why, &how, e) != 0 || flow_answer(f, d, &say, e) != 0)
		return -1;
	return 1;
}

/* */
int annex_first(struct flow *f, const struct submission *s, const struct gate_documents *cover, struct submission **first,
		const char **why, struct err *e)
{
	struct submission *to, *above;
	struct id id;
	*first = NULL;
	*why = "annex_roster_missing";
	submission_id(&id, str_of(s->sender), cover->annex_to);
	if (submission_find(f->p.ledger, &id, &to, e) != 0)
		return -1;
	if (!to || (to->state != SUB_FILED && to->no != s->no))
		return 0;
	*why = "annex_of_other_case";
	if (to->no == s->no || to->year != s->year || strcmp(to->village, s->village) != 0 || !id_eq(&to->sponsor, &cover->sponsor_id))
		return 0;
	if (annex_of(f->p.ledger, to, &above, e) != 0)
		return -1;
	if (above)
		return 0; /* an annex is to the roster that has the gates */
	*first = to;
	*why = NULL;
	return 0;
}

/* */
int annex_row(struct flow *f, struct submission *s, const struct submission *first, struct decl *d, struct decl *live,
	      const struct id *cause, const char **why, struct err *e)
{
	struct submission *of, *above;
	*why = "annex_adds_row";
	if (!live)
		return 0;
	if (submission_get(f->p.ledger, live->sub, &of, e) != 0 || annex_of(f->p.ledger, of, &above, e) != 0)
		return -1;
	if (of->no != first->no && (!above || above->no != first->no))
		return 0;
	if (annex_keep(f->p.ledger, s, live->no, e) != 0)
		return -1;
	*why = d->amount_fen > live->amount_fen ? "annex_raises_row" : NULL;
	if (*why || d->amount_fen == live->amount_fen)
		return 0;
	int out = withdraw_row(f, live, "annex: lowered", cause, e);
	if (out == 0)
		*why = "already_instructed";
	return out < 0 ? -1 : 0;
}

/* How many could not be taken out so far: it stands in the answer. */
static int rows_kept(const struct submission *s)
{
	int64_t n = 0;
	(void)str_int(str_of(s->detail), 0, INT32_MAX, &n);
	return (int)n;
}

/* */
int annex_take_out(struct flow *f, struct submission *s, int64_t *rows, bool *more, struct err *e)
{
	static int64_t nos[STEP_ROWS];
	struct submission *first;
	int n, kept = rows_kept(s);
	if (annex_of(f->p.ledger, s, &first, e) != 0 ||
	    annex_missing(f->p.ledger, s, first, s->cursor, nos, STEP_ROWS, &n, e) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		struct decl *d;
		if (decl_get(f->p.ledger, nos[i], &d, e) != 0)
			return -1;
		s->cursor = d->no;
		if (!state_live(state_of(d->facts)))
			continue;
		int out = withdraw_row(f, d, "annex: left out", &s->id, e);
		if (out < 0)
			return -1;
		kept += out == 0;
	}
	if (kept > 0) {
		snprintf(s->code, sizeof(s->code), "annex_partly");
		snprintf(s->detail, sizeof(s->detail), "%d", kept);
	}
	s->dirty = s->answer_due = f->touched = true;
	*rows += n + 1;
	*more = n == STEP_ROWS;
	return 0;
}

int annex_wake(struct flow *f, const struct submission *first, struct err *e)
{
	struct submission *s;
	for (int64_t after = 0;; after = s->no) {
		if (plan_waiting_next(f->p.ledger, after, str_of(first->village), &s, e) != 0)
			return -1;
		if (!s)
			return 0;
		if (strcmp(s->code, "annex_roster_missing") == 0 && filing_start(f, s, &first->id, e) != 0)
			return -1;
	}
}
