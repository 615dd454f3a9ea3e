/* Plans in the ledger, every version of each, and how much of them is used. */
#include "ledger/internal.h"
#include <assert.h>
#include <string.h>

/* The newest version of a plan is the one received last; at the same moment the greater id. */
static int newest(struct ledger *l, struct str village, const struct id *sponsor, int first_year, struct id *document, struct err *e)
{
	struct stmt *q = l->q[Q_PLAN_NEWEST];
	stmt_text(q, 1, village);
	stmt_blob(q, 2, sponsor->b, ID_LEN);
	stmt_int(q, 3, first_year);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	column_id(document, stmt_get_blob(q, 0));
	stmt_reset(q);
	return 1;
}

int plan_put(struct ledger *l, const struct plan *p, struct str event, struct err *e)
{
	struct stmt *q = l->q[Q_PLAN_PUT];
	struct id before, after;
	int had = newest(l, str_of(p->village), &p->sponsor, p->first_year, &before, e);
	if (had < 0)
		return -1;
	stmt_text(q, 1, str_of(p->village));
	stmt_blob(q, 2, p->sponsor.b, ID_LEN);
	stmt_int(q, 3, p->first_year);
	stmt_int(q, 4, p->last_year);
	stmt_int(q, 5, p->received_at);
	stmt_blob(q, 6, p->document.b, ID_LEN);
	stmt_blob(q, 7, event.p, event.n);
	if (stmt_run(q, e) != 0 || newest(l, str_of(p->village), &p->sponsor, p->first_year, &after, e) < 0)
		return -1;
	return had == 0 || !id_eq(&before, &after);
}

int plan_find(struct ledger *l, struct str village, const struct id *sponsor, int year, struct id *document, struct err *e)
{
	struct stmt *q = l->q[Q_PLAN_FIND];
	stmt_text(q, 1, village);
	stmt_blob(q, 2, sponsor->b, ID_LEN);
	stmt_int(q, 3, year);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	int first_year = (int)stmt_get_int(q, 0);
	stmt_reset(q);
	return newest(l, village, sponsor, first_year, document, e);
}

int plan_get(struct ledger *l, const struct id *document, struct buf *event, struct err *e)
{
	return column_event(l->q[Q_PLAN_GET], document, event, "plan", e);
}

int plan_waiting_next(struct ledger *l, int64_t after, struct str village, struct submission **out, struct err *e)
{
	struct stmt *q = l->q[Q_SUB_OF_VILLAGE];
	*out = NULL;
	if (subs_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, after);
	static_assert(SUB_WAITING == 3, "the partial index and its query say so");
	stmt_text(q, 2, village);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	int64_t no = stmt_get_int(q, 0);
	stmt_reset(q);
	return submission_get(l, no, out, e);
}

int filed_under_put(struct ledger *l, const struct submission *s, const struct id *document, struct err *e)
{
	struct stmt *q = l->q[Q_FILED_UNDER_PUT];
	stmt_int(q, 1, s->no);
	stmt_blob(q, 2, document->b, ID_LEN);
	return stmt_run(q, e);
}

int filed_under(struct ledger *l, const struct submission *s, struct id *document, struct err *e)
{
	struct stmt *q = l->q[Q_FILED_UNDER_GET];
	stmt_int(q, 1, s->no);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	column_id(document, stmt_get_blob(q, 0));
	stmt_reset(q);
	return 1;
}

int annex_put(struct ledger *l, const struct submission *s, const struct submission *first, struct err *e)
{
	struct stmt *q = l->q[Q_ANNEX_PUT];
	stmt_int(q, 1, s->no);
	stmt_int(q, 2, first->no);
	return stmt_run(q, e);
}

int annex_of(struct ledger *l, const struct submission *s, struct submission **first, struct err *e)
{
	struct stmt *q = l->q[Q_ANNEX_GET];
	*first = NULL;
	stmt_int(q, 1, s->no);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	int64_t no = stmt_get_int(q, 0);
	stmt_reset(q);
	return submission_get(l, no, first, e);
}

int annex_keep(struct ledger *l, const struct submission *s, int64_t decl, struct err *e)
{
	struct stmt *q = l->q[Q_ANNEX_KEEP];
	stmt_int(q, 1, s->no);
	stmt_int(q, 2, decl);
	return stmt_run(q, e);
}

int annex_missing(struct ledger *l, const struct submission *s, const struct submission *first, int64_t after, int64_t *nos, int max,
		  int *count, struct err *e)
{
	struct stmt *q = l->q[Q_ANNEX_MISSING];
	int got;
	*count = 0;
	if (records_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, first->no);
	stmt_int(q, 2, s->no);
	stmt_int(q, 3, after);
	stmt_int(q, 4, max);
	while ((got = stmt_step(q, e)) == 1)
		nos[(*count)++] = stmt_get_int(q, 0);
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int supervision_put(struct ledger *l, const struct supervision *s, struct err *e)
{
	struct stmt *q = l->q[Q_SUPERVISION_PUT];
	stmt_blob(q, 1, s->subject.b, ID_LEN);
	stmt_blob(q, 2, s->source.b, ID_LEN);
	stmt_int(q, 3, s->date);
	stmt_text(q, 4, s->result);
	stmt_text(q, 5, s->passed_by);
	stmt_text(q, 6, s->document);
	stmt_text(q, 7, s->note);
	stmt_int(q, 8, l->now);
	return stmt_run(q, e);
}

/* ---- use ---- */

static uint64_t use_key(const struct id *sponsor, int year)
{
	return id_key(sponsor) + (uint64_t)year;
}

int plan_use_get(struct ledger *l, const char *village, const struct id *sponsor, int year, struct plan_use **out, struct err *e)
{
	struct stmt *q = l->q[Q_PLAN_USE_GET];
	size_t at = SIZE_MAX;
	while ((*out = map_next(&l->use_by_key, use_key(sponsor, year), &at)))
		if ((*out)->year == year && id_eq(&(*out)->sponsor, sponsor) && strcmp((*out)->village, village) == 0)
			return 0;
	stmt_int(q, 1, year);
	stmt_blob(q, 2, sponsor->b, ID_LEN);
	stmt_text(q, 3, str_of(village));
	int got = stmt_step(q, e);
	if (got < 0)
		return -1;
	struct plan_use *u = pool_take(&l->uses);
	if (u) {
		u->year = year;
		u->sponsor = *sponsor;
		(void)str_copy(u->village, sizeof(u->village), str_of(village));
		u->heads = got == 1 ? stmt_get_int(q, 0) : 0;
		u->fen = got == 1 ? stmt_get_int(q, 1) : 0;
	}
	stmt_reset(q);
	if (!u || map_put(&l->use_by_key, use_key(sponsor, year), u) != 0)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	*out = u;
	return 0;
}

int plan_use_add(struct ledger *l, const char *village, const struct id *sponsor, int year, int heads, int64_t fen, struct err *e)
{
	struct plan_use *u;
	if (plan_use_get(l, village, sponsor, year, &u, e) != 0)
		return -1;
	u->heads += heads;
	u->fen += fen;
	u->dirty = true;
	return 0;
}

int plan_uses_write(struct ledger *l, struct err *e)
{
	struct stmt *q = l->q[Q_PLAN_USE_PUT];
	for (int i = 0; i < l->uses.count; i++) {
		struct plan_use *u = pool_at(&l->uses, i);
		if (!u->dirty)
			continue;
		stmt_int(q, 1, u->year);
		stmt_blob(q, 2, u->sponsor.b, ID_LEN);
		stmt_text(q, 3, str_of(u->village));
		stmt_int(q, 4, u->heads);
		stmt_int(q, 5, u->fen);
		if (stmt_run(q, e) != 0)
			return -1;
		u->dirty = false;
	}
	return 0;
}
