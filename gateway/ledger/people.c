/* Persons, waiting, early results and cut-offs in the ledger. */
#include "ledger/internal.h"
#include <stdlib.h>
#include <string.h>

static uint64_t person_key(const struct id *token, int year)
{
	return id_key(token) + (uint64_t)year;
}

static struct person *cached(struct ledger *l, const struct id *token, int year)
{
	size_t at = SIZE_MAX;
	for (struct person *p; (p = map_next(&l->person_by_key, person_key(token, year), &at));)
		if (p->year == year && id_eq(&p->token, token))
			return p;
	return NULL;
}

/* A record of the cache for the person that q stands on, or with q NULL for a new one. */
static struct person *keep(struct ledger *l, const struct id *token, int year, struct stmt *q)
{
	struct person *p = pool_take(&l->persons);
	if (!p || map_put(&l->person_by_key, person_key(token, year), p) != 0)
		return NULL;
	p->token = *token;
	p->year = year;
	p->fresh = q == NULL;
	l->fresh_persons += p->fresh;
	if (!q)
		return p;
	p->reserved_fen = stmt_get_int(q, 0);
	p->head = stmt_get_int(q, 1);
	p->mark_sub = stmt_get_int(q, 2);
	p->mark_no = stmt_get_int(q, 3);
	p->sequence = stmt_get_int(q, 4);
	p->enquiry_attempt = (int32_t)stmt_get_int(q, 5);
	p->enquiry_due = stmt_get_int(q, 6);
	p->checked_at = stmt_get_int(q, 7);
	p->eligible_until = (int32_t)stmt_get_int(q, 8);
	p->outside_fen = stmt_get_int(q, 9);
	return p;
}

int person_get(struct ledger *l, const struct id *token, int year, struct person **out, struct err *e)
{
	*out = cached(l, token, year);
	if (*out)
		return 0;
	struct stmt *q = l->q[Q_PERSON_GET];
	stmt_blob(q, 1, token->b, ID_LEN);
	stmt_int(q, 2, year);
	int got = stmt_step(q, e);
	if (got < 0)
		return -1;
	*out = keep(l, token, year, got == 1 ? q : NULL);
	stmt_reset(q);
	return *out ? 0 : err_set(e, ERR_TEMP, "ledger: out of memory");
}

int persons_of(struct ledger *l, const struct id *token, struct person **out, int max, int *count, struct err *e)
{
	struct stmt *q = l->q[Q_PERSON_YEARS];
	int got;
	*count = 0;
	if (l->fresh_persons && persons_write(l, e) != 0)
		return -1;
	stmt_blob(q, 1, token->b, ID_LEN);
	while ((got = stmt_step(q, e)) == 1 && *count < max) {
		int year = (int)stmt_get_int(q, 10);
		struct person *p = cached(l, token, year);
		if (!p && !(p = keep(l, token, year, q))) {
			stmt_reset(q);
			return err_set(e, ERR_TEMP, "ledger: out of memory");
		}
		out[(*count)++] = p;
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

int persons_write(struct ledger *l, struct err *e)
{
	for (int i = 0; i < l->persons.count; i++) {
		struct person *p = pool_at(&l->persons, i);
		if (!p->dirty)
			continue;
		struct stmt *q = l->q[p->fresh ? Q_PERSON_INSERT : Q_PERSON_UPDATE];
		stmt_blob(q, 1, p->token.b, ID_LEN);
		stmt_int(q, 2, p->year);
		stmt_int(q, 3, p->reserved_fen);
		stmt_int(q, 4, p->head);
		stmt_int(q, 5, p->mark_sub);
		stmt_int(q, 6, p->mark_no);
		stmt_int(q, 7, p->sequence);
		stmt_int(q, 8, p->enquiry_attempt);
		stmt_int(q, 9, p->enquiry_due);
		stmt_int(q, 10, p->checked_at);
		stmt_int(q, 11, p->eligible_until);
		stmt_int(q, 12, p->outside_fen);
		if (stmt_run(q, e) != 0)
			return -1;
		p->dirty = p->fresh = false;
	}
	l->fresh_persons = 0;
	return 0;
}

int waiting_put(struct ledger *l, int64_t at, enum waiting kind, int64_t ref, struct err *e)
{
	if (l->wait_count == l->wait_cap) {
		int cap = l->wait_cap ? l->wait_cap * 2 : 4096;
		struct due *more = realloc(l->waits, sizeof(*more) * (size_t)cap);
		if (!more)
			return err_set(e, ERR_TEMP, "ledger: out of memory");
		l->waits = more;
		l->wait_cap = cap;
	}
	l->waits[l->wait_count++] = (struct due){at, ref, kind};
	return 0;
}

static int by_moment(const void *a, const void *b)
{
	const struct due *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->ref > y->ref) - (x->ref < y->ref);
}

/* One row for the subjects of a kind that wait for the same moment. */
int waiting_write(struct ledger *l, struct err *e)
{
	struct stmt *q = l->q[Q_WAITING_PUT];
	struct buf refs;
	int rc = 0;
	buf_init(&refs, WAITING_MAX * 10);
	if (l->wait_count > 1)
		qsort(l->waits, (size_t)l->wait_count, sizeof(*l->waits), by_moment);
	for (int i = 0, n; i < l->wait_count && rc == 0; i += n) {
		const struct due *first = &l->waits[i];
		buf_reset(&refs);
		for (n = 0; n < WAITING_MAX && i + n < l->wait_count && first[n].at == first->at && first[n].kind == first->kind; n++)
			rc |= buf_put_varint(&refs, (uint64_t)first[n].ref);
		stmt_int(q, 1, first->at);
		stmt_int(q, 2, first->kind);
		stmt_int(q, 3, ++l->last_waiting);
		stmt_blob(q, 4, refs.data, refs.len);
		rc = rc != 0 ? err_set(e, ERR_TEMP, "ledger: out of memory") : stmt_run(q, e);
	}
	buf_fini(&refs);
	l->wait_count = 0;
	return rc;
}

int waiting_take(struct ledger *l, int64_t now, struct due *out, int max, int *count, struct err *e)
{
	struct stmt *q = l->q[Q_WAITING_TAKE];
	*count = 0;
	while (*count + WAITING_MAX <= max) {
		stmt_int(q, 1, now);
		int got = stmt_step(q, e);
		if (got <= 0)
			return got;
		int64_t at = stmt_get_int(q, 0), kind = stmt_get_int(q, 1), first = stmt_get_int(q, 2);
		struct str refs = stmt_get_blob(q, 3);
		struct cursor c = cursor_of(refs.p, refs.n);
		for (int n = 0; c.p < c.end && !c.bad && n < WAITING_MAX; n++)
			out[(*count)++] = (struct due){at, (int64_t)cursor_varint(&c), (enum waiting)kind};
		stmt_reset(q);
		if (c.bad)
			return err_set(e, ERR_SAFE, "ledger: waiting is damaged; restore the last backup");
		q = l->q[Q_WAITING_FORGET];
		stmt_int(q, 1, at);
		stmt_int(q, 2, kind);
		stmt_int(q, 3, first);
		if (stmt_run(q, e) != 0)
			return -1;
		q = l->q[Q_WAITING_TAKE];
	}
	return 0;
}

int64_t waiting_next(struct ledger *l)
{
	struct stmt *q = l->q[Q_WAITING_NEXT];
	struct err e;
	int got = stmt_step(q, &e);
	int64_t at = got == 1 ? stmt_get_int(q, 0) : got == 0 ? INT64_MAX : 0;
	stmt_reset(q);
	for (int i = 0; i < l->wait_count; i++)
		if (l->waits[i].at < at)
			at = l->waits[i].at;
	return at;
}

int early_put(struct ledger *l, const struct id *pid, struct str topic, const struct bus_event *ev, struct err *e)
{
	struct stmt *q = l->q[Q_EARLY_PUT];
	stmt_blob(q, 1, pid->b, ID_LEN);
	stmt_text(q, 2, topic);
	stmt_text(q, 3, ev->type);
	stmt_blob(q, 4, ev->id.b, ID_LEN);
	stmt_blob(q, 5, ev->data.p, ev->data.n);
	l->early_count++;
	return stmt_run(q, e);
}

int early_take(struct ledger *l, const struct id *pid, int64_t after, int64_t *at, struct buf *topic, struct buf *type,
	       struct buf *data, struct id *event_id, struct err *e)
{
	struct stmt *q = l->q[Q_EARLY_TAKE];
	if (l->early_count == 0)
		return 0;
	stmt_blob(q, 1, pid->b, ID_LEN);
	stmt_int(q, 2, after);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	struct str t = stmt_get_text(q, 1), y = stmt_get_text(q, 2), i = stmt_get_blob(q, 3), d = stmt_get_blob(q, 4);
	buf_reset(topic);
	buf_reset(type);
	buf_reset(data);
	*at = stmt_get_int(q, 0);
	memset(event_id, 0, sizeof(*event_id));
	if (i.n == ID_LEN)
		memcpy(event_id->b, i.p, ID_LEN);
	int rc = buf_put(topic, t.p, t.n) || buf_put(type, y.p, y.n) || buf_put(data, d.p, d.n);
	stmt_reset(q);
	return rc ? err_set(e, ERR_TEMP, "ledger: out of memory") : 1;
}

int cutoff_get(struct ledger *l, int year, struct cutoff *out, struct err *e)
{
	struct stmt *q = l->q[Q_CUTOFF_GET];
	stmt_int(q, 1, year);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	*out = (struct cutoff){year, stmt_get_int(q, 0), stmt_get_int(q, 1)};
	stmt_reset(q);
	return 1;
}

int cutoff_put(struct ledger *l, const struct cutoff *c, struct err *e)
{
	struct stmt *q = l->q[Q_CUTOFF_PUT];
	stmt_int(q, 1, c->year);
	stmt_int(q, 2, c->at);
	stmt_int(q, 3, c->cursor);
	return stmt_run(q, e);
}

int ledger_years(struct ledger *l, int *years, int max, int *count, struct err *e)
{
	struct stmt *q = l->q[Q_YEARS];
	int got;
	*count = 0;
	stmt_int(q, 1, max);
	while ((got = stmt_step(q, e)) == 1)
		years[(*count)++] = (int)stmt_get_int(q, 0);
	return got;
}
