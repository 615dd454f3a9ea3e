/* Declarations, their sealed identities and the history. */
#include "ledger/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void decl_read(struct decl *d, struct stmt *q)
{
	d->no = stmt_get_int(q, 0);
	d->sub = stmt_get_int(q, 1);
	d->row_no = (int32_t)stmt_get_int(q, 2);
	d->has_token = column_id(&d->token, stmt_get_blob(q, 3));
	column_id(&d->trace, stmt_get_blob(q, 4));
	d->amount_known = !stmt_is_null(q, 5);
	d->amount_fen = stmt_get_int(q, 5);
	d->member = (int32_t)stmt_get_int(q, 6);
	d->facts = (uint32_t)stmt_get_int(q, 7);
	column_text(d->code, sizeof(d->code), stmt_get_text(q, 8));
	column_text(d->column, sizeof(d->column), stmt_get_text(q, 9));
	d->voided = stmt_get_int(q, 10);
	d->repeat = stmt_get_int(q, 11);
	d->has_pid = column_id(&d->pid, stmt_get_blob(q, 12));
	d->year = (int32_t)stmt_get_int(q, 13);
	d->sponsor_type = (int32_t)stmt_get_int(q, 14);
	column_id(&d->sponsor, stmt_get_blob(q, 15));
	d->attempt = (int32_t)stmt_get_int(q, 16);
	d->enquiry_attempt = (int32_t)stmt_get_int(q, 17);
	d->instructed_at = stmt_get_int(q, 18);
	d->doubt_at = stmt_get_int(q, 19);
	d->due = stmt_get_int(q, 20);
	d->tax_seq = stmt_get_int(q, 21);
	d->credit_seq = stmt_get_int(q, 22);
	d->paid_at = stmt_get_int(q, 23);
	d->treasury_at = stmt_get_int(q, 24);
	column_text(d->receipt, sizeof(d->receipt), stmt_get_text(q, 25));
	d->next_of_person = stmt_get_int(q, 26);
	d->answer_version = (int32_t)stmt_get_int(q, 27);
	d->result = (enum row_result)stmt_get_int(q, 28);
	d->final = stmt_get_int(q, 29);
	d->last_history = stmt_get_int(q, 30);
}

static int decl_bind(struct ledger *l, const struct decl *d, struct err *e)
{
	struct stmt *q = l->q[d->fresh ? Q_DECL_INSERT : d->pid_fresh ? Q_DECL_UPDATE_PID : Q_DECL_UPDATE];
	stmt_int(q, 1, d->no);
	if (d->fresh) {
		stmt_int(q, 2, d->sub);
		stmt_int(q, 3, d->row_no);
		if (d->has_token)
			stmt_blob(q, 4, d->token.b, ID_LEN);
		else
			stmt_null(q, 4);
		stmt_blob(q, 5, d->trace.b, ID_LEN);
		if (d->amount_known)
			stmt_int(q, 6, d->amount_fen);
		else
			stmt_null(q, 6);
		stmt_int(q, 7, d->member);
	}
	stmt_int(q, 8, d->facts);
	column_put_text(q, 9, d->code);
	column_put_text(q, 10, d->column);
	stmt_int(q, 11, d->voided);
	stmt_int(q, 12, d->repeat);
	if (d->fresh && !d->has_pid) {
		stmt_null(q, 13);
		stmt_null(q, 16);
	} else if (d->fresh || d->pid_fresh) {
		stmt_blob(q, 13, d->pid.b, ID_LEN);
		stmt_blob(q, 16, d->sponsor.b, ID_LEN);
	}
	stmt_int(q, 14, d->year);
	stmt_int(q, 15, d->sponsor_type);
	stmt_int(q, 17, d->attempt);
	stmt_int(q, 18, d->enquiry_attempt);
	stmt_int(q, 19, d->instructed_at);
	stmt_int(q, 20, d->doubt_at);
	stmt_int(q, 21, d->due);
	stmt_int(q, 22, d->tax_seq);
	stmt_int(q, 23, d->credit_seq);
	stmt_int(q, 24, d->paid_at);
	stmt_int(q, 25, d->treasury_at);
	column_put_text(q, 26, d->receipt);
	stmt_int(q, 27, d->next_of_person);
	stmt_int(q, 28, d->answer_version);
	stmt_int(q, 29, d->result);
	stmt_int(q, 30, d->final);
	stmt_int(q, 31, d->last_history);
	if (d->fresh && d->identity.p)
		stmt_blob(q, 32, d->identity.p, d->identity.n);
	else if (d->fresh)
		stmt_null(q, 32);
	return stmt_run(q, e);
}

int decls_write(struct ledger *l, struct err *e)
{
	for (int i = 0; i < l->decls.count; i++) {
		struct decl *d = pool_at(&l->decls, i);
		if (!d->dirty)
			continue;
		if (decl_bind(l, d, e) != 0)
			return -1;
		d->dirty = d->fresh = d->pid_fresh = false;
	}
	return 0;
}

static int cache(struct ledger *l, struct decl *d, struct err *e)
{
	if (map_put(&l->decl_by_no, (uint64_t)d->no, d) != 0 ||
	    (d->has_pid && map_put(&l->decl_by_pid, id_key(&d->pid), d) != 0))
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	return 0;
}

int decl_add(struct ledger *l, struct decl **out, struct err *e)
{
	struct decl *d = pool_take(&l->decls);
	if (!d)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	d->no = ++l->last_decl;
	d->sponsor_type = -1;
	d->dirty = d->fresh = true;
	*out = d;
	return cache(l, d, e);
}

/* A record of the cache for the row that q stands on; resets q. */
static int keep(struct ledger *l, struct stmt *q, struct decl **out, struct err *e)
{
	struct decl *d = pool_take(&l->decls);
	int rc = -1;
	if (d) {
		struct str sealed = stmt_get_blob(q, 31);
		decl_read(d, q);
		rc = sealed.p ? decl_set_identity(l, d, sealed, e) : 0;
		*out = d;
	}
	stmt_reset(q);
	if (rc != 0)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	return cache(l, d, e);
}

static struct decl *cached(struct ledger *l, int64_t no)
{
	size_t at = SIZE_MAX;
	for (struct decl *d; (d = map_next(&l->decl_by_no, (uint64_t)no, &at));)
		if (d->no == no)
			return d;
	return NULL;
}

int decl_set_identity(struct ledger *l, struct decl *d, struct str sealed, struct err *e)
{
	d->identity = (struct str){(const char *)hold_copy(&l->held, sealed.p, sealed.n), sealed.n};
	return d->identity.p ? 0 : err_set(e, ERR_TEMP, "ledger: out of memory");
}

int decl_get(struct ledger *l, int64_t no, struct decl **out, struct err *e)
{
	*out = cached(l, no);
	if (*out)
		return 0;
	struct stmt *q = l->q[Q_DECL_BY_NO];
	stmt_int(q, 1, no);
	int got = stmt_step(q, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(e, ERR_SAFE, "ledger: declaration %lld is not there; restore the last backup", (long long)no);
	return keep(l, q, out, e);
}

int decl_set_pid(struct ledger *l, struct decl *d, const struct id *pid, struct err *e)
{
	d->pid = *pid;
	d->has_pid = d->pid_fresh = true;
	d->dirty = true;
	if (map_put(&l->decl_by_pid, id_key(pid), d) != 0)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	return 0;
}

int decl_find_payment(struct ledger *l, const struct id *pid, struct decl **out, struct err *e)
{
	size_t at = SIZE_MAX;
	while ((*out = map_next(&l->decl_by_pid, id_key(pid), &at)))
		if (id_eq(&(*out)->pid, pid))
			return 0;
	struct stmt *q = l->q[Q_DECL_BY_PID];
	stmt_blob(q, 1, pid->b, ID_LEN);
	int got = stmt_step(q, e);
	if (got <= 0)
		return got;
	*out = cached(l, stmt_get_int(q, 0));
	if (!*out)
		return keep(l, q, out, e);
	stmt_reset(q);
	return 0;
}

int decl_numbers(struct ledger *l, const struct submission *s, int64_t after, int64_t *nos, int max, int *count, struct err *e)
{
	struct stmt *q = l->q[Q_DECL_NUMBERS];
	int got;
	*count = 0;
	if (after < s->first_no - 1)
		after = s->first_no - 1;
	if (after >= l->kept_decl) { /* all made in this transaction: they need no writing to be found */
		for (int64_t no = after + 1; no <= s->last_no && *count < max; no++) {
			const struct decl *d = cached(l, no);
			if (d && d->sub == s->no && !d->voided)
				nos[(*count)++] = no;
		}
		return 0;
	}
	if (decls_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, after);
	stmt_int(q, 2, s->last_no);
	stmt_int(q, 3, s->no);
	stmt_int(q, 4, max);
	while ((got = stmt_step(q, e)) == 1)
		nos[(*count)++] = stmt_get_int(q, 0);
	return got;
}

int decl_void(struct ledger *l, struct submission *s, struct err *e)
{
	struct stmt *q = l->q[Q_DECL_VOID];
	if (decls_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, s->first_no);
	stmt_int(q, 2, s->last_no);
	stmt_int(q, 3, s->no);
	if (stmt_run(q, e) != 0)
		return -1;
	for (int i = 0; i < l->decls.count; i++) {
		struct decl *d = pool_at(&l->decls, i);
		if (d->sub == s->no && d->no >= s->first_no && d->no <= s->last_no)
			d->voided = true;
	}
	return 0;
}

int decl_pending(struct ledger *l, int64_t after, int year, int64_t *nos, int max, int *count, int64_t *looked, struct err *e)
{
	struct stmt *q = l->q[Q_DECL_PENDING];
	int got;
	*count = 0;
	*looked = -1;
	if (decls_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, after);
	stmt_int(q, 2, max);
	while ((got = stmt_step(q, e)) == 1) {
		*looked = stmt_get_int(q, 0);
		if (!stmt_get_int(q, 3) && (year == 0 || stmt_get_int(q, 2) == year) && state_of((uint32_t)stmt_get_int(q, 1)) == ST_PENDING)
			nos[(*count)++] = *looked;
	}
	return got;
}

static int history_put(struct ledger *l, int64_t decl, int64_t sub, int64_t fact, bool implied, const struct id *cause,
		       int64_t effective_at, const char *note, int64_t prev, struct err *e)
{
	struct stmt *q = l->q[Q_HISTORY_PUT];
	stmt_int(q, 1, ++l->last_history);
	if (decl)
		stmt_int(q, 2, decl);
	else
		stmt_null(q, 2);
	if (sub)
		stmt_int(q, 3, sub);
	else
		stmt_null(q, 3);
	stmt_int(q, 4, fact);
	stmt_int(q, 5, implied);
	if (cause)
		stmt_blob(q, 6, cause->b, ID_LEN);
	else
		stmt_null(q, 6);
	stmt_int(q, 7, effective_at);
	stmt_int(q, 8, l->now);
	stmt_text(q, 9, str_of(note));
	stmt_int(q, 10, prev);
	return stmt_run(q, e);
}

/* */
int history_add(struct ledger *l, struct decl *d, enum fact f, bool implied, const struct id *cause, int64_t effective_at,
		const char *note, struct err *e)
{
	if (history_put(l, d->no, 0, f, implied, cause, effective_at, note, d->last_history, e) != 0)
		return -1;
	d->last_history = l->last_history;
	d->dirty = true;
	return 0;
}

int history_about(struct ledger *l, const struct submission *s, const char *what, const struct id *cause, int64_t effective_at,
		  struct err *e)
{
	return history_put(l, 0, s ? s->no : 0, 0, false, cause, effective_at, what, 0, e);
}

int history_typed(struct ledger *l, const struct submission *s, int64_t first, int64_t last, struct err *e)
{
	char note[64];
	snprintf(note, sizeof(note), HISTORY_TYPED " %" PRId64 " %" PRId64, first, last);
	return history_put(l, 0, s->no, 0, false, NULL, l->now, note, 0, e);
}

int history_mark(struct ledger *l, const char *what, struct err *e)
{
	return history_put(l, 0, 0, 0, false, NULL, l->now, what, 0, e);
}

static int difference_put(struct ledger *l, enum sql sql, const struct decl *d, const char *kind, const char *detail,
			  const struct id *cause, struct err *e)
{
	struct stmt *q = l->q[sql];
	stmt_int(q, 1, d->no);
	stmt_text(q, 2, str_of(kind));
	stmt_text(q, 3, str_of(detail));
	stmt_blob(q, 4, cause->b, ID_LEN);
	stmt_int(q, 5, l->now);
	return stmt_run(q, e);
}

int difference_add(struct ledger *l, const struct decl *d, const char *kind, const char *detail, const struct id *cause,
		   struct err *e)
{
	return difference_put(l, Q_DIFFERENCE_PUT, d, kind, detail, cause, e);
}

int difference_once(struct ledger *l, const struct decl *d, const char *kind, const char *detail, const struct id *cause,
		    struct err *e)
{
	return difference_put(l, Q_DIFFERENCE_ONCE, d, kind, detail, cause, e) != 0 ? -1 : store_changes(l->st) > 0;
}
