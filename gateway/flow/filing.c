/* From a complete roster to payments: the checks of each row, the gates of its cover, the tuple, cap B as a reservation.
 *
 * A roster goes through its rows in passes, a few thousand rows a turn, so that one of any size fits a transaction: CHECKING (form
 * only, no cover that passes yet), FILING (rows become payments), REFUSING (too late as a whole) or EXPIRING (the cut-off found it
 * waiting). The submission's cursor says how far a pass has come, in the ledger: a restart goes on there. Cap B is reserved in the order in which rows are filed. */
#include "flow/internal.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "domain/gates.h"
#include "domain/row.h"
#include <stdio.h>
#include <string.h>

#define STEP_ROWS 2000

static int reject_row(struct flow *f, struct decl *d, const struct id *cause, const char *code, const char *column,
		      struct str detail, struct err *e)
{
	enum absorb how;
	char why[sizeof(d->code)], where[sizeof(d->column)];
	snprintf(why, sizeof(why), "%s", code);
	snprintf(where, sizeof(where), "%s", column ? column : "");
	struct said say = {RES_MEND, why, where[0] ? where : NULL, detail, NULL};
	COUNT(C_REJECTED);
	if (flow_fact(f, d, F_REJECTED, cause, f->now, why, &how, e) != 0)
		return -1;
	return flow_answer(f, d, &say, e);
}

/* ---- gates ---- */

struct gates {
	bool there; /* a cover came */
	enum gates_answer answer;
	const char *why;
	enum gate which;
	struct gate_documents cover; /* valid until the next cover is decoded */
	bool planned;                /* the sponsor type needs a plan on file, and this is it, valid until the next is decoded */
	struct subsidy_plan plan;
	struct submission *first;    /* the filed roster to which this one is an annex, or NULL */
};

static bool of_the_plan(enum gate g)
{
	return g == GATE_PLAN_AGREED || g == GATE_PLAN_POSTED || g == GATE_PLAN_FILED_TOWN || g == GATE_PLAN_FILED_SSA;
}

/* of the filing the paper is the bureau's acceptance number. */
static void read_gates(const struct gates *g, struct gate_fact facts[GATES])
{
	for (int i = 0; i < GATES; i++)
		facts[i] = (struct gate_fact){false, DATE_NONE, DATE_NONE, false, false};
	for (int i = 0; i < g->cover.gate_count + (g->planned ? g->plan.gate_count : 0); i++) {
		bool of_plan = i >= g->cover.gate_count;
		const struct ev_gate *in = of_plan ? &g->plan.gates[i - g->cover.gate_count] : &g->cover.gates[i];
		enum gate which;
		if (gate_of(in->gate, &which) != 0 || (g->planned && of_the_plan(which) != of_plan))
			continue;
		bool shown = which == GATE_FILED ? g->cover.acceptance_no.n > 0 : in->document.n > 0;
		facts[which] = (struct gate_fact){true, in->date, in->until.set ? (int)in->until.v : DATE_NONE, in->cites_roster,
						  shown};
	}
}

static int gates_of(struct flow *f, const struct submission *s, struct gates *g, struct err *e)
{
	struct gate_fact facts[GATES];
	enum sponsor_type t;
	const struct policy *p = reference_policy(f->p.reference, s->year);
	memset(g, 0, sizeof(*g));
	g->answer = GATES_HELD;
	g->why = "waiting_cover";
	int got = cover_get(f->p.ledger, &s->id, &f->cover, e);
	if (got <= 0)
		return got;
	struct str bytes = {(const char *)f->cover.data, f->cover.len};
	if (codec_decode(f->p.codec, EV_GATE_DOCUMENTS, bytes, &g->cover, e) != 0)
		return -1;
	g->there = true;
	if (!p || g->cover.year != s->year || !str_is(g->cover.village, s->village) ||
	    sponsor_type_of(g->cover.sponsor_type, &t) != 0) {
		g->why = "cover_of_other_case";
		return 0;
	}
	if (g->cover.annex_to.n > 0) {
		if (annex_first(f, s, &g->cover, &g->first, &g->why, e) != 0)
			return -1;
		if (!g->first)
			return 0;
		g->answer = GATES_PASSED; /* the first one's */
	}
	if (p->rules[t].plan_on_file) {
		got = plan_of_case(f, s, &g->cover.sponsor_id, &g->plan, e);
		if (got < 0)
			return -1;
		g->planned = got == 1;
		if (!g->planned && !g->first) {
			g->why = "plan_missing";
			return 0;
		}
	}
	if (g->first)
		return 0;
	read_gates(g, facts);
	int64_t at = g->cover.received_at > s->received_at ? g->cover.received_at : s->received_at;
	if (g->planned && g->plan.received_at > at)
		at = g->plan.received_at;
	g->answer = gates_judge(p, &f->p.reference->calendar, t, facts, date_of_time(at), &g->which, &g->why);
	return 0;
}

static bool refused_for_good(const char *why)
{
	return strcmp(why, "filed_too_late") == 0 || strcmp(why, "filed_in_other_year") == 0;
}

static int begin_pass(struct flow *f, struct submission *s, enum sub_state state, struct err *e)
{
	s->state = state;
	s->cursor = s->first_no - 1;
	s->dirty = s->answer_due = true;
	f->touched = true;
	return flow_activate(f, s->no, e);
}

static void say_why(struct submission *s, const struct gates *g)
{
	bool of_a_gate = g->there && strcmp(g->why, "cover_of_other_case") != 0 && strcmp(g->why, "plan_missing") != 0 &&
			 strncmp(g->why, "annex_", 6) != 0;
	snprintf(s->code, sizeof(s->code), "%s", g->why);
	snprintf(s->detail, sizeof(s->detail), "%s", of_a_gate ? gate_code(g->which) : "");
	s->dirty = s->answer_due = true;
}

int filing_start(struct flow *f, struct submission *s, const struct id *cause, struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, s->year);
	struct gates g;
	struct cutoff cut;
	enum sponsor_type t;
	if (gates_of(f, s, &g, e) != 0)
		return -1;
	f->touched = true;
	if (!g.there && p && date_of_time(s->received_at) > p->last_filing_day) {
		g.answer = GATES_REFUSED;
		g.why = "filed_too_late";
	}
	if (g.answer == GATES_PASSED) {
		(void)sponsor_type_of(g.cover.sponsor_type, &t);
		s->sponsor_type = (int)t;
		s->sponsor = g.cover.sponsor_id;
		(void)str_copy(s->sponsor_code, sizeof(s->sponsor_code), g.cover.sponsor_code);
		s->code[0] = s->detail[0] = '\0';
		if ((g.planned && filed_under_put(f->p.ledger, s, &g.plan.document_id, e) != 0) ||
		    (g.first && annex_put(f->p.ledger, s, g.first, e) != 0) ||
		    history_about(f->p.ledger, s, g.first ? "filed as an annex" : "filed", cause, f->now, e) != 0)
			return -1;
		return begin_pass(f, s, SUB_FILING, e);
	}
	say_why(s, &g);
	log_info("SUBMISSION-HELD", "receipt=%s reason=%s gate=%s", s->receipt, s->code, s->detail[0] ? s->detail : "-");
	if (g.answer == GATES_REFUSED && refused_for_good(g.why))
		return begin_pass(f, s, SUB_REFUSING, e);
	if (s->state == SUB_OPEN)
		return begin_pass(f, s, SUB_CHECKING, e);
	if (s->state == SUB_WAITING && cutoff_get(f->p.ledger, s->year, &cut, e) == 1)
		return filing_expire(f, s, e);
	return 0;
}

/* ---- one row ---- */

static const char *column_of_rule(const char *code)
{
	return strstr(code, "member") ? column_code(COL_MEMBER) : column_code(COL_AMOUNT);
}

/* Names the declaration that was first: "12345-67890 第 7 行". */
static int name_first(struct flow *f, const struct decl *first, char *out, size_t cap, struct err *e)
{
	struct submission *s;
	char receipt[12];
	if (submission_get(f->p.ledger, first->sub, &s, e) != 0)
		return -1;
	snprintf(out, cap, "%s 第 %d 行", receipt_text(receipt, s->receipt), first->row_no);
	return 0;
}

/* The tuple has a live payment already: what this row is told. linked: under another number of the person. */
static int answer_repeat(struct flow *f, struct submission *s, struct decl *d, const struct decl *first, bool linked, const struct id *cause,
			 struct err *e)
{
	char detail[64];
	struct submission *other;
	enum absorb how;
	if (name_first(f, first, detail, sizeof(detail), e) != 0 || submission_get(f->p.ledger, first->sub, &other, e) != 0)
		return -1;
	if (first->amount_fen != d->amount_fen)
		return reject_row(f, d, cause, "already_filed_other_amount", column_code(COL_AMOUNT), str_of(detail), e);
	bool own = !linked && strcmp(other->sender, s->sender) == 0;
	struct said say = {own ? RES_ACCEPTED : RES_MEND, own ? "already_accepted" : "already_filed", NULL, str_of(detail), NULL};
	COUNT(C_REPEATS);
	if (flow_forget(f, d, e) != 0 || flow_fact(f, d, F_REJECTED, cause, f->now, say.code, &how, e) != 0)
		return -1;
	return flow_answer(f, d, &say, e);
}

int find_tuple(struct flow *f, const struct submission *s, const struct id *token, const struct person *who, struct id *pid,
	       struct decl **live, struct err *e)
{
	*live = NULL;
	if (who->head == 0) { /* the person's first payment of the year, as most are: nothing to look for */
		payment_id(pid, s->year, &s->sponsor, token, 0);
		return 0;
	}
	for (int n = 0;; n++) {
		payment_id(pid, s->year, &s->sponsor, token, n);
		if (decl_find_payment(f->p.ledger, pid, live, e) != 0)
			return -1;
		if (!*live || state_live(state_of((*live)->facts)))
			return 0;
	}
}

/* Two villages' collectives for one person: accepted within the cap, flagged to both. */
static int flag_other_collective(struct flow *f, const struct submission *s, const struct decl *d, const struct person *p,
				 const char **warning, struct err *e)
{
	struct decl *o;
	if (s->sponsor_type != SPONSOR_COLLECTIVE)
		return 0;
	for (int64_t no = p->head; no; no = o->next_of_person) {
		if (decl_get(f->p.ledger, no, &o, e) != 0)
			return -1;
		if (o->sponsor_type != SPONSOR_COLLECTIVE || id_eq(&o->sponsor, &d->sponsor) || !state_live(state_of(o->facts)))
			continue;
		*warning = "other_collective_too";
		if (o->final)
			continue;
		char code[sizeof(o->code)];
		snprintf(code, sizeof(code), "%s", o->code);
		struct said say = {o->result, code, NULL, {0}, "other_collective_too"};
		if (flow_answer(f, o, &say, e) != 0)
			return -1;
	}
	return 0;
}

/* The row becomes a payment. */
static int file_payment(struct flow *f, struct submission *s, struct decl *d, struct person *who, const struct id *pid,
			const struct id *cause, const char *warning, struct err *e)
{
	enum absorb how;
	d->sponsor = s->sponsor;
	if (flag_other_collective(f, s, d, who, &warning, e) != 0 || decl_set_pid(f->p.ledger, d, pid, e) != 0 ||
	    flow_fact(f, d, F_FILED, cause, f->now, NULL, &how, e) != 0)
		return -1;
	if (plan_use_add(f->p.ledger, s->village, &d->sponsor, s->year, 1, d->amount_fen, e) != 0)
		return -1;
	who->reserved_fen += d->amount_fen;
	d->next_of_person = who->head;
	who->head = d->no;
	who->dirty = true;
	COUNT(C_FILED);
	struct said say = {RES_ACCEPTED, "pending", NULL, {0}, warning};
	if (flow_answer(f, d, &say, e) != 0 || absorb_early(f, d, e) != 0)
		return -1;
	return state_of(d->facts) == ST_PENDING ? ask_or_know(f, d, s, who, cause, e) : 0;
}

/* */
static int file_row(struct flow *f, struct submission *s, struct decl *d, const struct gates *g, struct err *e)
{
	const struct gate_documents *cover = &g->cover;
	const struct policy *p = reference_policy(f->p.reference, s->year);
	const char *warning = NULL, *code;
	struct decl *live;
	struct person *who;
	struct id pid;
	int64_t used;
	char room[24], first[64];
	enum adopt_claim claim;
	if (adopt_tuple(f, s, d, &claim, first, sizeof(first), e) != 0)
		return -1;
	if (claim == CLAIM_TAKEN)
		return 0;
	code = row_rules(p, (enum sponsor_type)s->sponsor_type, d->amount_fen, d->member,
			 g->planned ? g->plan.standards_fen : cover->standards_fen,
			 g->planned ? g->plan.standard_count : cover->standard_count, &warning);
	if (code)
		return reject_row(f, d, &cover->cover_id, code, column_of_rule(code), (struct str){0}, e);
	if (claim == CLAIM_OTHER_AMOUNT)
		return reject_row(f, d, &cover->cover_id, "already_filed_other_amount", column_code(COL_AMOUNT), str_of(first), e);
	if (person_get(f->p.ledger, &d->token, s->year, &who, e) != 0 || find_tuple(f, s, &d->token, who, &pid, &live, e) != 0)
		return -1;
	if (g->first && annex_row(f, s, g->first, d, live, &cover->cover_id, &code, e) != 0)
		return -1;
	if (code)
		return reject_row(f, d, &cover->cover_id, code, column_code(COL_AMOUNT), (struct str){0}, e);
	if (g->first && find_tuple(f, s, &d->token, who, &pid, &live, e) != 0) /* a lower one takes the place of what was withdrawn */
		return -1;
	if (live)
		return answer_repeat(f, s, d, live, false, &cover->cover_id, e);
	if (linked_payment(f, s, d, &live, e) != 0 || cap_b_used(f, who, &used, e) != 0)
		return -1;
	if (live)
		return answer_repeat(f, s, d, live, true, &cover->cover_id, e);
	if (d->amount_fen > cap_b_room(p, used))
		return reject_row(f, d, &cover->cover_id, "cap_b_exceeded", column_code(COL_AMOUNT),
				  str_of(yuan(room, cap_b_room(p, used))), e);
	if (g->planned && !g->first && plan_fits(f, s, &g->plan, d->amount_fen, &code, room, sizeof(room), e) != 0)
		return -1;
	if (code)
		return reject_row(f, d, &cover->cover_id, code, column_code(COL_AMOUNT), str_of(room), e);
	return file_payment(f, s, d, who, &pid, &cover->cover_id, warning, e);
}

static int expire_row(struct flow *f, struct submission *s, struct decl *d, struct err *e)
{
	struct said say = {RES_STOPPED, "not_filed_in_time", NULL, {0}, NULL};
	enum absorb how;
	COUNT(C_EXPIRED);
	if (flow_fact(f, d, F_EXPIRED, &s->id, f->now, say.code, &how, e) != 0)
		return -1;
	return flow_answer(f, d, &say, e);
}

/* ---- passes ---- */

/* Its sponsor is known and the row does not stand with that sponsor type yet. */
static bool untyped(const struct submission *s, const struct decl *d)
{
	return s->sponsor_type >= 0 && d->sponsor_type != s->sponsor_type;
}

static int row_of_pass(struct flow *f, struct submission *s, struct decl *d, const struct gates *g, struct err *e)
{
	if (untyped(s, d) && flow_typed(f, d, s->sponsor_type, e) != 0)
		return -1;
	if (d->final || d->has_pid)
		return 0;
	bool adopted = false;
	if (s->state != SUB_CHECKING && adopt_row(f, s, d, &adopted, e) != 0)
		return -1;
	if (adopted)
		return 0;
	if (d->answer_version == 0 && d->code[0]) /* a defect of its form, found at staging */
		return reject_row(f, d, &d->trace, d->code, d->column, (struct str){0}, e);
	if (s->state == SUB_FILING && adopt_reading(f))
		return 0; /* not decided then: after those that were */
	if (s->state == SUB_FILING)
		return file_row(f, s, d, g, e);
	if (s->state == SUB_REFUSING)
		return reject_row(f, d, &d->trace, s->code, NULL, str_of(s->detail[0] ? s->detail : NULL), e);
	if (s->state == SUB_EXPIRING)
		return expire_row(f, s, d, e);
	struct said say = {RES_WAITING, "waiting_filing", NULL, {0}, NULL};
	return flow_answer(f, d, &say, e) != 0 ? -1 : check_before_vote(f, d, e);
}

static int end_pass(struct flow *f, struct submission *s, struct err *e)
{
	s->dirty = s->answer_due = true;
	if (s->state == SUB_CHECKING) {
		s->state = SUB_WAITING;
		return filing_start(f, s, &s->id, e); /* the cover may have come meanwhile */
	}
	bool filed = s->state == SUB_FILING;
	if (filed && adopt_reading(f)) { /* once more for the rest of its rows */
		s->cursor = s->first_no - 1;
		s->held = true;
		return 0;
	}
	struct submission *first = NULL;
	if (filed && annex_of(f->p.ledger, s, &first, e) != 0)
		return -1;
	if (first && s->count[RES_MEND] == 0) {
		s->state = SUB_ANNEXING;
		s->cursor = 0;
		return 0;
	}
	s->state = SUB_FILED;
	if (first)
		snprintf(s->code, sizeof(s->code), "annex_not_clean");
	if (filed && s->stated && s->stated_total_fen != s->amount_fen)
		snprintf(s->code, sizeof(s->code), "total_mismatch");
	log_info("SUBMISSION-FILED", "receipt=%s accepted=%lld mend=%lld", s->receipt,
		 (long long)(s->count[RES_ACCEPTED] + s->count[RES_DONE]), (long long)s->count[RES_MEND]);
	return filed && !first ? annex_wake(f, s, e) : 0;
}

static int annex_step(struct flow *f, struct submission *s, int64_t *rows, struct err *e)
{
	bool more;
	if (annex_take_out(f, s, rows, &more, e) != 0)
		return -1;
	if (!more)
		s->state = SUB_FILED;
	return 0;
}

int filing_step(struct flow *f, struct submission *s, int64_t *rows, struct err *e)
{
	static int64_t nos[STEP_ROWS];
	struct gates g;
	int n;
	enum sub_state state = s->state;
	memset(&g, 0, sizeof(g));
	if (state == SUB_ANNEXING)
		return annex_step(f, s, rows, e);
	if (state == SUB_FILING && gates_of(f, s, &g, e) != 0)
		return -1;
	if (decl_numbers(f->p.ledger, s, s->cursor, nos, STEP_ROWS, &n, e) != 0)
		return -1;
	int64_t first_typed = 0, last_typed = 0;
	for (int i = 0; i < n; i++) {
		struct decl *d;
		if (decl_get(f->p.ledger, nos[i], &d, e) != 0)
			return -1;
		if (untyped(s, d)) {
			first_typed = first_typed ? first_typed : d->no;
			last_typed = d->no;
		}
		if (row_of_pass(f, s, d, &g, e) != 0)
			return -1;
		s->cursor = d->no;
	}
	if (first_typed && history_typed(f->p.ledger, s, first_typed, last_typed, e) != 0)
		return -1;
	*rows += n + 1;
	s->dirty = true;
	f->touched = true;
	return n < STEP_ROWS ? end_pass(f, s, e) : 0;
}

/* The cut-off has passed: rows that never got through the gates expire. */
int filing_expire(struct flow *f, struct submission *s, struct err *e)
{
	snprintf(s->code, sizeof(s->code), "not_filed_in_time");
	s->detail[0] = '\0';
	return begin_pass(f, s, SUB_EXPIRING, e);
}

bool filing_going(enum sub_state s)
{
	return s == SUB_CHECKING || s == SUB_FILING || s == SUB_REFUSING || s == SUB_EXPIRING || s == SUB_ANNEXING;
}
