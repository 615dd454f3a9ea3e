/* Submissions and covers in the ledger. */
#include "ledger/internal.h"
#include <string.h>

void sub_read(struct submission *s, struct stmt *q)
{
	s->no = stmt_get_int(q, 0);
	column_id(&s->id, stmt_get_blob(q, 1));
	column_id(&s->attempt, stmt_get_blob(q, 2));
	column_text(s->receipt, sizeof(s->receipt), stmt_get_text(q, 3));
	column_text(s->sender, sizeof(s->sender), stmt_get_text(q, 4));
	column_text(s->village, sizeof(s->village), stmt_get_text(q, 5));
	column_text(s->roster_sha256, sizeof(s->roster_sha256), stmt_get_text(q, 6));
	s->year = (int32_t)stmt_get_int(q, 7);
	s->received_at = stmt_get_int(q, 8);
	s->state = (enum sub_state)stmt_get_int(q, 9);
	s->first_no = stmt_get_int(q, 10);
	s->last_no = stmt_get_int(q, 11);
	s->cursor = stmt_get_int(q, 12);
	s->rows = stmt_get_int(q, 13);
	s->amount_fen = stmt_get_int(q, 14);
	column_id(&s->digest, stmt_get_blob(q, 15));
	s->stated = !stmt_is_null(q, 16);
	s->stated_total_fen = stmt_get_int(q, 16);
	s->sponsor_type = (int)stmt_get_int(q, 17);
	column_id(&s->sponsor, stmt_get_blob(q, 18));
	column_text(s->sponsor_code, sizeof(s->sponsor_code), stmt_get_text(q, 19));
	for (int i = 1; i < RESULTS; i++) {
		s->count[i] = stmt_get_int(q, 19 + i);
		s->fen[i] = stmt_get_int(q, 24 + i);
	}
	s->open_finals = stmt_get_int(q, 30);
	s->answer_version = (int32_t)stmt_get_int(q, 31);
	column_text(s->code, sizeof(s->code), stmt_get_text(q, 32));
	column_text(s->detail, sizeof(s->detail), stmt_get_text(q, 33));
}

static int sub_bind(struct ledger *l, enum sql which, const struct submission *s, struct err *e)
{
	struct stmt *q = l->q[which];
	stmt_int(q, 1, s->no);
	if (which == Q_SUB_INSERT)
		stmt_blob(q, 2, s->id.b, ID_LEN);
	stmt_blob(q, 3, s->attempt.b, ID_LEN);
	stmt_text(q, 4, str_of(s->receipt));
	stmt_text(q, 5, str_of(s->sender));
	stmt_text(q, 6, str_of(s->village));
	stmt_text(q, 7, str_of(s->roster_sha256));
	stmt_int(q, 8, s->year);
	stmt_int(q, 9, s->received_at);
	stmt_int(q, 10, s->state);
	stmt_int(q, 11, s->first_no);
	stmt_int(q, 12, s->last_no);
	stmt_int(q, 13, s->cursor);
	stmt_int(q, 14, s->rows);
	stmt_int(q, 15, s->amount_fen);
	stmt_blob(q, 16, s->digest.b, ID_LEN);
	if (s->stated)
		stmt_int(q, 17, s->stated_total_fen);
	else
		stmt_null(q, 17);
	stmt_int(q, 18, s->sponsor_type);
	stmt_blob(q, 19, s->sponsor.b, ID_LEN);
	stmt_text(q, 20, str_of(s->sponsor_code));
	for (int i = 1; i < RESULTS; i++) {
		stmt_int(q, 20 + i, s->count[i]);
		stmt_int(q, 25 + i, s->fen[i]);
	}
	stmt_int(q, 31, s->open_finals);
	stmt_int(q, 32, s->answer_version);
	stmt_text(q, 33, str_of(s->code));
	stmt_text(q, 34, str_of(s->detail));
	return stmt_run(q, e);
}

static struct submission *cached(struct ledger *l, int64_t no)
{
	size_t at = SIZE_MAX;
	for (struct submission *s; (s = map_next(&l->sub_by_no, (uint64_t)no, &at));)
		if (s->no == no)
			return s;
	return NULL;
}

static int remember(struct ledger *l, struct submission *s)
{
	return map_put(&l->sub_by_no, (uint64_t)s->no, s) | map_put(&l->sub_by_id, id_key(&s->id), s);
}

int submission_get(struct ledger *l, int64_t no, struct submission **out, struct err *e)
{
	*out = cached(l, no);
	if (*out)
		return 0;
	struct stmt *q = l->q[Q_SUB_BY_NO];
	stmt_int(q, 1, no);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	struct submission *s = pool_take(&l->subs);
	if (s)
		sub_read(s, q);
	stmt_reset(q);
	if (!s || remember(l, s) != 0)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	*out = s;
	return 0;
}

int submission_find(struct ledger *l, const struct id *id, struct submission **out, struct err *e)
{
	struct stmt *q = l->q[Q_SUB_BY_ID];
	size_t at = SIZE_MAX;
	while ((*out = map_next(&l->sub_by_id, id_key(id), &at)))
		if (id_eq(&(*out)->id, id))
			return 0;
	stmt_blob(q, 1, id->b, ID_LEN);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	int64_t no = stmt_get_int(q, 0);
	stmt_reset(q);
	return submission_get(l, no, out, e);
}

/* Inserted at once, so that it is found by its id within the transaction. */
int submission_add(struct ledger *l, const struct id *id, struct submission **out, struct err *e)
{
	struct submission *s = pool_take(&l->subs);
	if (!s)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	s->no = ++l->last_sub;
	s->id = *id;
	s->sponsor_type = -1;
	s->dirty = true;
	if (remember(l, s) != 0)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	*out = s;
	return sub_bind(l, Q_SUB_INSERT, s, e);
}

int subs_write(struct ledger *l, struct err *e)
{
	for (int i = 0; i < l->subs.count; i++) {
		struct submission *s = pool_at(&l->subs, i);
		if (s->dirty && sub_bind(l, Q_SUB_UPDATE, s, e) != 0)
			return -1;
		s->dirty = false;
	}
	return 0;
}

int submission_next(struct ledger *l, int64_t after, enum sub_state state, int year, struct submission **out, struct err *e)
{
	struct stmt *q = l->q[Q_SUB_NEXT];
	*out = NULL;
	if (subs_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, after);
	stmt_int(q, 2, state);
	stmt_int(q, 3, year);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	int64_t no = stmt_get_int(q, 0);
	stmt_reset(q);
	return submission_get(l, no, out, e);
}

int submission_each_due(struct ledger *l, int (*fn)(void *arg, struct submission *s, struct err *e), void *arg, struct err *e)
{
	for (int i = 0; i < l->subs.count; i++) {
		struct submission *s = pool_at(&l->subs, i);
		if (!s->answer_due)
			continue;
		s->answer_due = false;
		if (fn(arg, s, e) != 0)
			return -1;
	}
	return 0;
}

int cover_put(struct ledger *l, const struct id *submission, const struct id *cover, int64_t received_at, struct str event,
	      struct err *e)
{
	struct stmt *q = l->q[Q_COVER_GET];
	stmt_blob(q, 1, submission->b, ID_LEN);
	int got = stmt_step(q, e);
	if (got < 0)
		return -1;
	if (got == 1) {
		struct str id = stmt_get_blob(q, 2);
		int64_t at = stmt_get_int(q, 1);
		int order = id.n == ID_LEN ? memcmp(cover->b, id.p, ID_LEN) : 1;
		stmt_reset(q);
		if (at > received_at || (at == received_at && order <= 0))
			return 0;
	}
	q = l->q[Q_COVER_PUT];
	stmt_blob(q, 1, submission->b, ID_LEN);
	stmt_blob(q, 2, cover->b, ID_LEN);
	stmt_int(q, 3, received_at);
	stmt_blob(q, 4, event.p, event.n);
	return stmt_run(q, e) != 0 ? -1 : 1;
}

int cover_get(struct ledger *l, const struct id *submission, struct buf *event, struct err *e)
{
	return column_event(l->q[Q_COVER_GET], submission, event, "cover", e);
}

/* Declarations and persons come first: writing them may touch no submission, the other way round neither. */

int records_write(struct ledger *l, struct err *e)
{
	return decls_write(l, e) != 0 || persons_write(l, e) != 0 || subs_write(l, e) != 0 || plan_uses_write(l, e) != 0
		       ? -1
		       : 0;
}

void records_clear(struct ledger *l)
{
	l->decls.count = l->persons.count = l->subs.count = l->uses.count = l->fresh_persons = 0;
	l->wait_count = 0;
	l->kept_decl = l->last_decl;
	hold_clear(&l->held);
	map_clear(&l->decl_by_no);
	map_clear(&l->decl_by_pid);
	map_clear(&l->person_by_key);
	map_clear(&l->sub_by_no);
	map_clear(&l->sub_by_id);
	map_clear(&l->use_by_key);
}
