/* The tables of what a restored ledger adopted, and the phases of the adoption. */
#include "ledger/adopted.h"
#include "ledger/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int adopted_load(struct ledger *l, struct err *e)
{
	int64_t phase, answers, events, open;
	struct adopting *a = &l->adopting;
	if (one_int(l->st, "SELECT value FROM meta WHERE key = 'adopt'", &phase, e) != 0 ||
	    one_int(l->st, "SELECT value FROM meta WHERE key = 'adopt_from'", &a->from, e) != 0 ||
	    one_int(l->st, "SELECT value FROM meta WHERE key = 'adopt_cursor'", &a->cursor, e) !=
		    0 ||
	    one_int(l->st, "SELECT value FROM meta WHERE key = 'adopt_last_sub'", &a->last_sub,
		    e) != 0 ||
	    one_int(l->st, "SELECT EXISTS (SELECT 1 FROM adopted_answer)", &answers, e) != 0 ||
	    one_int(l->st, "SELECT EXISTS (SELECT 1 FROM adopted_event)", &events, e) != 0 ||
	    one_int(l->st, "SELECT EXISTS (SELECT 1 FROM adopted_payment WHERE decl = 0)", &open,
		    e) != 0)
		return -1;
	a->phase = (enum adoption)phase;
	a->answers = answers;
	a->events = events;
	a->open = open;
	return 0;
}

const struct adopting *ledger_adopting(const struct ledger *l)
{
	return &l->adopting;
}

int adopting_put(struct ledger *l, enum adoption phase, int64_t cursor, struct err *e)
{
	struct adopting *a = &l->adopting;
	if (phase == ADOPT_ASKING && a->phase == ADOPT_READING) {
		a->last_sub = l->last_sub;
		if (meta_put(l, "adopt_last_sub", a->last_sub, e) != 0)
			return -1;
	}
	a->phase = phase;
	a->cursor = cursor;
	return meta_put(l, "adopt", phase, e) != 0 || meta_put(l, "adopt_cursor", cursor, e) != 0
		       ? -1
		       : 0;
}

bool ledger_woken(const struct ledger *l)
{
	return l->woken;
}

int ledger_settle(struct ledger *l, struct err *e)
{
	if (ledger_begin(l, e) != 0)
		return -1;
	if (meta_put(l, "copy", 0, e) != 0 || ledger_commit(l, e) != 0) {
		ledger_rollback(l);
		return -1;
	}
	l->woken = false;
	return 0;
}

int adopted_all(struct ledger *l, int64_t last_seq, int64_t last_epoch,
		const struct outbox_marks *on_bus, struct err *e)
{
	struct stmt *q = l->q[Q_DELIVERED_PUT];
	l->adopting.from = l->outbox_last;
	if (meta_put(l, "adopt_from", l->outbox_last, e) != 0)
		return -1;
	l->outbox_last = last_seq > l->outbox_last ? last_seq : l->outbox_last;
	l->epoch = last_epoch >= l->epoch ? last_epoch + 1 : l->epoch;
	l->woken = false;
	snprintf(l->mark + strcspn(l->mark, "/"), sizeof(l->mark) - strcspn(l->mark, "/"),
		 "/%" PRId64, l->epoch);
	if (meta_put(l, "outbox_last", l->outbox_last, e) != 0 ||
	    meta_put(l, "epoch", l->epoch, e) != 0 || meta_put(l, "copy", 0, e) != 0)
		return -1;
	for (int t = 0; t < topic_count; t++)
		for (int p = 0; p < BUS_PARTITIONS_MAX; p++) {
			if (on_bus->seq[t][p] <= l->delivered->seq[t][p])
				continue;
			l->delivered->seq[t][p] = on_bus->seq[t][p];
			stmt_text(q, 1, str_of(topics[t].name));
			stmt_int(q, 2, p);
			stmt_int(q, 3, on_bus->seq[t][p]);
			if (stmt_run(q, e) != 0)
				return -1;
		}
	return adopting_put(l, ADOPT_READING, 0, e);
}

int adopted_end_put(struct ledger *l, const char *topic, int partition, int64_t next, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_END_PUT];
	stmt_text(q, 1, str_of(topic));
	stmt_int(q, 2, partition);
	stmt_int(q, 3, next);
	return stmt_run(q, e);
}

int adopted_end(struct ledger *l, const char *topic, int partition, int64_t *next, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_END_GET];
	stmt_text(q, 1, str_of(topic));
	stmt_int(q, 2, partition);
	int got = stmt_step(q, e);
	*next = got == 1 ? stmt_get_int(q, 0) : 0;
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

/* ---- payments ---- */

static void get_id(struct id *out, struct str s)
{
	memset(out, 0, sizeof(*out));
	if (s.p && s.n == ID_LEN)
		memcpy(out->b, s.p, ID_LEN);
}

void adopted_payment_read(struct adopted_payment *p, struct stmt *q)
{
	struct str village = stmt_get_text(q, 5);
	memset(p, 0, sizeof(*p));
	get_id(&p->pid, stmt_get_blob(q, 0));
	get_id(&p->token, stmt_get_blob(q, 1));
	get_id(&p->sponsor, stmt_get_blob(q, 2));
	get_id(&p->event, stmt_get_blob(q, 3));
	p->year = (int32_t)stmt_get_int(q, 4);
	if (village.p)
		(void)str_copy(p->village, sizeof(p->village), village);
	p->sponsor_type = (int32_t)stmt_get_int(q, 6);
	p->amount_fen = stmt_get_int(q, 7);
	p->attempt = (int32_t)stmt_get_int(q, 8);
	p->enquiry = (int32_t)stmt_get_int(q, 9);
	p->enquiry_of = (int32_t)stmt_get_int(q, 10);
	p->instructed_at = stmt_get_int(q, 11);
	p->not_after = stmt_get_int(q, 12);
	p->decl = stmt_get_int(q, 13);
}

static int payment_row(struct stmt *q, struct adopted_payment *out, struct err *e)
{
	int got = stmt_step(q, e);
	if (got == 1)
		adopted_payment_read(out, q);
	stmt_reset(q);
	return got;
}

int adopted_payment_get(struct ledger *l, const struct id *pid, struct adopted_payment *out,
			struct err *e)
{
	stmt_blob(l->q[Q_ADOPTED_PAYMENT_GET], 1, pid->b, ID_LEN);
	return payment_row(l->q[Q_ADOPTED_PAYMENT_GET], out, e);
}

int adopted_payment_of(struct ledger *l, const struct id *token, int year, const struct id *sponsor,
		       struct adopted_payment *out, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_PAYMENT_OF];
	stmt_blob(q, 1, token->b, ID_LEN);
	stmt_int(q, 2, year);
	stmt_blob(q, 3, sponsor->b, ID_LEN);
	return payment_row(q, out, e);
}

static int payment_write(struct ledger *l, const struct adopted_payment *p, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_PAYMENT_PUT];
	stmt_blob(q, 1, p->pid.b, ID_LEN);
	stmt_blob(q, 2, p->token.b, ID_LEN);
	stmt_blob(q, 3, p->sponsor.b, ID_LEN);
	stmt_blob(q, 4, p->event.b, ID_LEN);
	stmt_int(q, 5, p->year);
	stmt_text(q, 6, str_of(p->village));
	stmt_int(q, 7, p->sponsor_type);
	stmt_int(q, 8, p->amount_fen);
	stmt_int(q, 9, p->attempt);
	stmt_int(q, 10, p->enquiry);
	stmt_int(q, 11, p->enquiry_of);
	stmt_int(q, 12, p->instructed_at);
	stmt_int(q, 13, p->not_after);
	stmt_int(q, 14, p->decl);
	return stmt_run(q, e);
}

int adopted_payment_put(struct ledger *l, const struct adopted_payment *p, bool *fresh,
			struct err *e)
{
	struct adopted_payment was, now = *p;
	struct decl *d;
	int got = adopted_payment_get(l, &p->pid, &was, e);
	*fresh = false;
	if (got < 0)
		return -1;
	if (got == 1) {
		bool newer = p->attempt > was.attempt;
		now = newer ? *p : was;
		now.enquiry = p->enquiry > was.enquiry ? p->enquiry : was.enquiry;
		now.enquiry_of = p->enquiry > was.enquiry ? p->enquiry_of : was.enquiry_of;
		now.decl = was.decl;
		return payment_write(l, &now, e);
	}
	if (decl_find_payment(l, &p->pid, &d, e) != 0)
		return -1;
	now.decl = d ? d->no : 0;
	*fresh = !d && p->attempt > 0;
	l->adopting.open |= *fresh;
	return payment_write(l, &now, e);
}

int adopted_payment_claim(struct ledger *l, const struct id *pid, int64_t decl, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_PAYMENT_CLAIM];
	stmt_blob(q, 1, pid->b, ID_LEN);
	stmt_int(q, 2, decl);
	return stmt_run(q, e);
}

/* ---- answers ---- */

int adopted_answer_put(struct ledger *l, const struct adopted_answer *a, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_ANSWER_PUT];
	stmt_blob(q, 1, a->submission.b, ID_LEN);
	stmt_int(q, 2, a->row_no);
	stmt_int(q, 3, a->version);
	stmt_int(q, 4, a->result);
	stmt_text(q, 5, str_of(a->code));
	stmt_text(q, 6, str_of(a->column[0] ? a->column : NULL));
	stmt_text(q, 7, str_of(a->detail[0] ? a->detail : NULL));
	stmt_int(q, 8, a->final);
	column_put_id(q, 9, a->has_pid ? &a->pid : NULL);
	l->adopting.answers = true;
	return stmt_run(q, e);
}

int adopted_answer_get(struct ledger *l, const struct id *submission, int row_no,
		       struct adopted_answer *out, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_ANSWER_GET];
	if (!l->adopting.answers)
		return 0;
	stmt_blob(q, 1, submission->b, ID_LEN);
	stmt_int(q, 2, row_no);
	int got = stmt_step(q, e);
	if (got != 1)
		return got;
	*out = (struct adopted_answer){.submission = *submission,
				       .row_no = row_no,
				       .version = (int32_t)stmt_get_int(q, 0),
				       .result = (enum row_result)stmt_get_int(q, 1),
				       .final = stmt_get_int(q, 5),
				       .has_pid = !stmt_is_null(q, 6),
				       .standing = (enum adopted_standing)stmt_get_int(q, 7)};
	column_text(out->code, sizeof(out->code), stmt_get_text(q, 2));
	column_text(out->column, sizeof(out->column), stmt_get_text(q, 3));
	column_text(out->detail, sizeof(out->detail), stmt_get_text(q, 4));
	get_id(&out->pid, stmt_get_blob(q, 6));
	stmt_reset(q);
	return 1;
}

int adopted_answer_stands(struct ledger *l, const struct adopted_answer *a,
			  enum adopted_standing standing, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_ANSWER_STANDS];
	if (a->standing >= standing)
		return 0;
	stmt_blob(q, 1, a->submission.b, ID_LEN);
	stmt_int(q, 2, a->row_no);
	stmt_int(q, 3, standing);
	return stmt_run(q, e);
}

int adopted_answer_of(struct ledger *l, const struct id *pid, struct id *submission, int *row_no,
		      struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_ANSWER_OF];
	stmt_blob(q, 1, pid->b, ID_LEN);
	int got = stmt_step(q, e);
	if (got == 1) {
		get_id(submission, stmt_get_blob(q, 0));
		*row_no = (int)stmt_get_int(q, 1);
	}
	stmt_reset(q);
	return got;
}

/* ---- events, declarations, statistics ---- */

int adopted_event_put(struct ledger *l, const struct id *id, struct err *e)
{
	stmt_blob(l->q[Q_ADOPTED_EVENT_PUT], 1, id->b, ID_LEN);
	l->adopting.events = true;
	return stmt_run(l->q[Q_ADOPTED_EVENT_PUT], e);
}

int adopted_event_there(struct ledger *l, const struct id *id, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_EVENT_GET];
	if (!l->adopting.events)
		return 0;
	stmt_blob(q, 1, id->b, ID_LEN);
	int got = stmt_step(q, e);
	stmt_reset(q);
	return got;
}

int adopted_decls(struct ledger *l, int64_t after, int64_t *nos, int max, int *count, struct err *e)
{
	struct stmt *q = l->q[Q_ADOPTED_DECLS];
	int got;
	*count = 0;
	if (decls_write(l, e) != 0)
		return -1;
	stmt_int(q, 1, after);
	stmt_int(q, 2, max);
	while ((got = stmt_step(q, e)) == 1)
		nos[(*count)++] = stmt_get_int(q, 0);
	return got;
}

void adopted_statistics(struct ledger *l)
{
	for (int i = 0; i < l->stat_count; i++)
		l->stats[i].dirty = true;
}

int difference_about(struct ledger *l, const char *kind, const char *detail, const struct id *cause,
		     struct err *e)
{
	struct decl nobody = {0};
	return difference_add(l, &nobody, kind, detail, cause, e);
}

static int changes(struct ledger *l, const char *sql, int64_t *count, struct err *e)
{
	if (sql[0] == 'S')
		return one_int(l->st, sql, count, e);
	struct stmt *q;
	if (store_prepare(l->st, &q, sql, e) != 0)
		return -1;
	stmt_int(q, 1, l->now);
	if (stmt_run(q, e) != 0)
		return -1;
	*count = store_changes(l->st);
	return 0;
}

int adopted_leftovers(struct ledger *l, int64_t *payments, int64_t *answers, struct err *e)
{
	if (changes(l,
		    "INSERT INTO difference(decl, kind, detail, cause, recorded_at) SELECT 0, "
		    "'" UNCLAIMED "', lower(hex(pid)), event, ?1"
		    " FROM adopted_payment WHERE decl = 0 AND attempt > 0",
		    payments, e) != 0 ||
	    changes(l, "SELECT count(*) FROM adopted_answer WHERE standing = 0 AND row_no > 0",
		    answers, e) != 0)
		return -1;
	return 0;
}

/* ---- qiao adopt ---- */

static int look(struct store *st, struct adopt_info *out, struct err *e)
{
	struct stmt *q;
	int64_t copy, phase;
	if (one_int(st, "SELECT value FROM meta WHERE key = 'copy'", &copy, e) != 0 ||
	    one_int(st, "SELECT value FROM meta WHERE key = 'adopt'", &phase, e) != 0 ||
	    one_int(st, "SELECT value FROM meta WHERE key = 'outbox_last'", &out->outbox_seq, e) !=
		    0 ||
	    store_prepare(st, &q, "SELECT value FROM meta WHERE key = 'ledger_id'", e) != 0)
		return -1;
	int got = stmt_step(q, e);
	if (got == 1)
		(void)str_copy(out->id, sizeof(out->id), stmt_get_text(q, 0));
	stmt_reset(q);
	out->copy = copy != 0;
	out->phase = (enum adoption)phase;
	return got == 1 ? 0
			: err_set(e, ERR_SAFE,
				  "ledger: has no id: not a ledger that qiao init made");
}

/* For writing, because a copy may be of an older version: it is migrated here. */
static int with_store(const char *path, struct adopt_info *out, bool order, struct err *e)
{
	struct store_options o = {.busy_ms = 10000};
	struct store *st;
	int rc;
	if (store_open(&st, path, &ledger_kind, &o, e) != 0)
		return -1;
	rc = order ? store_exec(st, "INSERT OR REPLACE INTO meta(key, value) VALUES('adopt', 1)", e)
		   : look(st, out, e);
	store_close(st);
	return rc;
}

int adopt_look(const char *path, struct adopt_info *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return with_store(path, out, false, e);
}

int adopt_order(const char *path, struct err *e)
{
	return with_store(path, NULL, true, e);
}
