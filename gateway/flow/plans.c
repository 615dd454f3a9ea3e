/* The plans of the sponsors: kept whole, every version, and looked up for each roster that needs one.
 *
 * A plan may come before or after the rosters that it covers: those of its village that wait are judged again. A roster is filed under the
 * version that was the newest when its filing began; a later version changes nothing of what is filed. */
#include "flow/internal.h"
#include "crypto/ids.h"
#include "domain/row.h"
#include <stdio.h>
#include <string.h>

#define PLAN_YEARS_MAX 30
static const char TOPIC[] = "submissions";

static const char *no_plan_of_ours(const struct flow *f, const struct subsidy_plan *ev, struct plan *p)
{
	enum sponsor_type t;
	if (!village_by_code(&f->p.reference->villages, ev->village) || str_copy(p->village, sizeof(p->village), ev->village) != 0)
		return "plan of an unknown village";
	if (sponsor_type_of(ev->sponsor_type, &t) != 0)
		return "plan of an unknown type of sponsor";
	if (ev->first_year < 1900 || ev->last_year < ev->first_year || ev->last_year - ev->first_year >= PLAN_YEARS_MAX)
		return "plan of years that cannot be";
	if ((ev->heads.set && ev->heads.v < 0) || (ev->total_fen.set && ev->total_fen.v < 0))
		return "plan with a negative figure";
	return NULL;
}

/* */
int supervision_of(struct flow *f, const struct id *subject, const struct id *source, const struct ev_gate *gates, int count,
		   struct err *e)
{
	for (int i = 0; i < count; i++) {
		const struct ev_gate *g = &gates[i];
		bool signs = str_is(g->result, "signed");
		if (!str_is(g->gate, gate_code(GATE_SUPERVISION)) || (!signs && !str_is(g->result, "objected")))
			continue;
		struct supervision s = {*subject, *source, g->date, g->result, g->passed_by, g->document, g->note};
		char hex[ID_HEX];
		f->touched = true;
		log_info("SUPERVISION", "subject=%s result=%s", id_hex(subject, hex), signs ? "signed" : "objected");
		if (supervision_put(f->p.ledger, &s, e) != 0)
			return -1;
	}
	return 0;
}

/* */
int on_subsidy_plan(struct flow *f, const struct bus_record *r, struct err *e)
{
	struct subsidy_plan ev;
	struct submission *s;
	struct plan p = {0};
	int rc = flow_decode(f, TOPIC, r, EV_SUBSIDY_PLAN, &ev, e);
	if (rc <= 0)
		return rc;
	const char *why = r->event.data.n > f->plan.max ? "a plan of more than a MiB" : no_plan_of_ours(f, &ev, &p);
	if (why)
		return flow_reject(f, TOPIC, r, "refused", why, e);
	p.sponsor = ev.sponsor_id;
	p.document = ev.document_id;
	p.first_year = ev.first_year;
	p.last_year = ev.last_year;
	p.received_at = ev.received_at;
	rc = plan_put(f->p.ledger, &p, r->event.data, e);
	if (rc < 0 || supervision_of(f, &ev.plan_id, &ev.document_id, ev.gates, ev.gate_count, e) != 0)
		return -1;
	f->touched = true;
	COUNT(rc ? C_PLANS : C_OLD_PLANS);
	if (!rc)
		return 0;
	if (history_about(f->p.ledger, NULL, "plan", &p.document, p.received_at, e) != 0)
		return -1;
	for (int64_t after = 0;; after = s->no) {
		if (plan_waiting_next(f->p.ledger, after, str_of(p.village), &s, e) != 0)
			return -1;
		if (!s)
			return 0;
		if (s->year >= p.first_year && s->year <= p.last_year && filing_start(f, s, &p.document, e) != 0)
			return -1;
	}
}

int plan_of_case(struct flow *f, const struct submission *s, const struct id *sponsor, struct subsidy_plan *out, struct err *e)
{
	struct id document;
	int got = s->state == SUB_FILING ? filed_under(f->p.ledger, s, &document, e) : 0;
	if (got == 0)
		got = plan_find(f->p.ledger, str_of(s->village), sponsor, s->year, &document, e);
	if (got == 1)
		got = plan_get(f->p.ledger, &document, &f->plan, e);
	if (got <= 0)
		return got;
	struct str bytes = {(const char *)f->plan.data, f->plan.len};
	return codec_decode(f->p.codec, EV_SUBSIDY_PLAN, bytes, out, e) != 0 ? -1 : 1;
}

/* */
int plan_fits(struct flow *f, const struct submission *s, const struct subsidy_plan *plan, int64_t amount_fen, const char **why,
	      char *room, size_t cap, struct err *e)
{
	struct plan_use *use;
	struct plan_limits limits = {plan->heads.set, plan->total_fen.set, plan->heads.v, plan->total_fen.v};
	int64_t left;
	if (plan_use_get(f->p.ledger, s->village, &s->sponsor, s->year, &use, e) != 0)
		return -1;
	*why = plan_limits_check(&limits, use->heads, use->fen, amount_fen, &left);
	if (!*why)
		return 0;
	if (strcmp(*why, "plan_total_exceeded") == 0)
		yuan(room, left);
	else
		snprintf(room, cap, "%lld", (long long)left);
	return 0;
}
