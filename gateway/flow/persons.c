/* What is counted for a person: cap B, and one live payment of a sponsor a year. It is counted over all tokens that were linked
 * (ledger/links.h): a new number gives nobody a second payment. The SSA's word is judged for each token on its own, as the SSA keeps its
 * records by number. */
#include "flow/internal.h"
#include "crypto/ids.h"
#include "domain/row.h"
#include "ledger/links.h"
#include <stdio.h>
#include <string.h>

enum { YEARS_MAX = 8, LIVE_MAX = 256 };
#define OUTSIDE_MAX INT64_C(100000000000)

/* */
int cap_b_used(struct flow *f, const struct person *who, int64_t *fen, struct err *e)
{
	struct id token[LINK_MAX];
	int n = links_of(f->p.ledger, &who->token, token);
	*fen = who->reserved_fen + who->outside_fen;
	for (int i = 1; i < n; i++) {
		struct person *other;
		if (person_get(f->p.ledger, &token[i], who->year, &other, e) != 0)
			return -1;
		*fen += other->reserved_fen + other->outside_fen;
	}
	return 0;
}

/* Those filed after a declaration; 0: all. */
static int pending_of(struct flow *f, const struct person *who, int64_t after, int64_t *fen, struct err *e)
{
	struct decl *o;
	for (int64_t no = who->head; no; no = o->next_of_person) {
		if (decl_get(f->p.ledger, no, &o, e) != 0)
			return -1;
		if (o->no > after && state_of(o->facts) == ST_PENDING)
			*fen += o->amount_fen;
	}
	return 0;
}

int cap_b_before(struct flow *f, const struct decl *d, int64_t *fen, struct err *e)
{
	struct id token[LINK_MAX];
	struct person *who;
	int64_t newer = 0;
	int n = links_of(f->p.ledger, &d->token, token);
	if (person_get(f->p.ledger, &d->token, d->year, &who, e) != 0 || cap_b_used(f, who, fen, e) != 0)
		return -1;
	*fen -= d->amount_fen;
	for (int i = 0; n > 1 && i < n; i++)
		if (person_get(f->p.ledger, &token[i], d->year, &who, e) != 0 || pending_of(f, who, d->no, &newer, e) != 0)
			return -1;
	*fen -= newer;
	return 0;
}

int linked_payment(struct flow *f, const struct submission *s, const struct decl *d, struct decl **live, struct err *e)
{
	struct id token[LINK_MAX], pid;
	int n = links_of(f->p.ledger, &d->token, token);
	*live = NULL;
	for (int i = 1; i < n && !*live; i++) {
		struct person *who;
		if (person_get(f->p.ledger, &token[i], s->year, &who, e) != 0 || find_tuple(f, s, &token[i], who, &pid, live, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- money that did not come through Qiao ---- */

static int64_t outside_of(const struct contribution_status *ev, int year)
{
	int64_t fen = 0;
	for (int i = 0; i < ev->outside_count; i++)
		if (ev->outside[i].for_year == year && ev->outside[i].amount_fen > 0)
			fen += ev->outside[i].amount_fen < OUTSIDE_MAX ? ev->outside[i].amount_fen : OUTSIDE_MAX;
	return fen < OUTSIDE_MAX ? fen : OUTSIDE_MAX;
}

bool outside_learnt(struct person *who, const struct contribution_status *ev)
{
	int64_t before = who->outside_fen;
	who->outside_fen = outside_of(ev, who->year);
	return who->outside_fen > before;
}

/* The newest live payment that was instructed, or NULL. */
static int newest_instructed(struct flow *f, const struct person *who, struct decl **newest, struct err *e)
{
	struct decl *d;
	for (int64_t no = who->head; no; no = d->next_of_person) {
		if (decl_get(f->p.ledger, no, &d, e) != 0)
			return -1;
		if (d->facts & F_INSTRUCTED && state_live(state_of(d->facts)) && (!*newest || d->no > (*newest)->no))
			*newest = d;
	}
	return 0;
}

/* */
int outside_judged(struct flow *f, const struct person *who, const struct id *cause, struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, who->year);
	struct id token[LINK_MAX];
	struct decl *newest = NULL;
	int64_t used, pending = 0;
	char detail[80], sum[24], tier[24];
	int n = links_of(f->p.ledger, &who->token, token);
	if (!p || cap_b_used(f, who, &used, e) != 0)
		return p ? -1 : 0;
	if (used <= p->highest_tier_fen)
		return 0;
	for (int i = 0; i < n; i++) {
		struct person *one;
		if (person_get(f->p.ledger, &token[i], who->year, &one, e) != 0 || pending_of(f, one, 0, &pending, e) != 0 ||
		    newest_instructed(f, one, &newest, e) != 0)
			return -1;
	}
	if (!newest || used - pending <= p->highest_tier_fen)
		return 0;
	snprintf(detail, sizeof(detail), "%d: %s > %s", (int)who->year, yuan(sum, used - pending), yuan(tier, p->highest_tier_fen));
	return payment_differs(f, newest, "cap_b_outside", detail, cause, e);
}

/* ---- links ---- */

static int live_of(struct flow *f, const struct person *who, struct decl **out, int *count, struct err *e)
{
	struct decl *d;
	for (int64_t no = who->head; no && *count < LIVE_MAX; no = d->next_of_person) {
		if (decl_get(f->p.ledger, no, &d, e) != 0)
			return -1;
		if (state_live(state_of(d->facts)))
			out[(*count)++] = d;
	}
	return 0;
}

/* A link undoes nothing: what it finds is for a person. */
static int look_at_year(struct flow *f, const struct id *token, int n, int year, const struct id *cause, struct err *e)
{
	const struct policy *p = reference_policy(f->p.reference, year);
	struct decl *live[LIVE_MAX], *newest = NULL;
	struct person *who;
	int64_t used;
	char detail[80], hex[ID_HEX], sum[24], tier[24];
	int count = 0;
	for (int i = 0; i < n; i++)
		if (person_get(f->p.ledger, &token[i], year, &who, e) != 0 || live_of(f, who, live, &count, e) != 0)
			return -1;
	if (cap_b_used(f, who, &used, e) != 0)
		return -1;
	for (int i = 0; i < count; i++) {
		newest = !newest || live[i]->no > newest->no ? live[i] : newest;
		for (int j = 0; j < i; j++) {
			struct decl *a = live[i], *b = live[j];
			if (!id_eq(&a->sponsor, &b->sponsor))
				continue;
			id_hex(a->no > b->no ? &b->pid : &a->pid, hex);
			if (payment_differs(f, a->no > b->no ? a : b, "link_double", hex, cause, e) != 0)
				return -1;
		}
	}
	if (!p || !newest || used <= p->highest_tier_fen)
		return 0;
	snprintf(detail, sizeof(detail), "%d: %s > %s", year, yuan(sum, used), yuan(tier, p->highest_tier_fen));
	return payment_differs(f, newest, "link_over_cap", detail, cause, e);
}

static int look_at_group(struct flow *f, const struct id *one, const struct id *cause, struct err *e)
{
	struct id token[LINK_MAX];
	int years[LINK_MAX * YEARS_MAX], count = 0, n = links_of(f->p.ledger, one, token);
	for (int i = 0; i < n; i++) {
		struct person *who[YEARS_MAX];
		int got;
		if (persons_of(f->p.ledger, &token[i], who, YEARS_MAX, &got, e) != 0)
			return -1;
		for (int j = 0; j < got; j++) {
			int k = 0;
			while (k < count && years[k] != who[j]->year)
				k++;
			if (k == count)
				years[count++] = who[j]->year;
		}
	}
	for (int k = 0; k < count; k++)
		if (look_at_year(f, token, n, years[k], cause, e) != 0)
			return -1;
	return 0;
}

static bool two_tokens(const struct operation *op, struct id *older, struct id *newer)
{
	return id_parse(older, op->subject) == 0 && op->argument.p && id_parse(newer, op->argument) == 0 && !id_eq(older, newer);
}

static bool in_group(const struct flow *f, const struct id *token, const struct id *other)
{
	struct id of[LINK_MAX];
	int n = links_of(f->p.ledger, token, of);
	for (int i = 1; i < n; i++)
		if (id_eq(&of[i], other))
			return true;
	return false;
}

int link_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	struct id older, newer, of[LINK_MAX];
	if (!two_tokens(op, &older, &newer))
		*refused = "link_what";
	else if (in_group(f, &older, &newer))
		*refused = "link_already";
	else if (links_of(f->p.ledger, &older, of) + links_of(f->p.ledger, &newer, of) > LINK_MAX)
		*refused = "link_too_many";
	if (*refused)
		return 0;
	if (link_put(f->p.ledger, &older, &newer, cause, e) != 0)
		return -1;
	return look_at_group(f, &older, cause, e);
}

int unlink_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	struct id older, newer;
	(void)cause;
	if (!two_tokens(op, &older, &newer))
		*refused = "link_what";
	else if (!in_group(f, &older, &newer))
		*refused = "link_not_there";
	return *refused ? 0 : link_drop(f->p.ledger, &newer, e);
}
