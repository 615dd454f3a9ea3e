/* The one place where facts, statistics, reservations and answers of a declaration change, so that they change together. */
#include "flow/internal.h"
#include "crypto/ids.h"
#include <stdio.h>
#include <string.h>

/* Versions an epoch has: of a row's or roster's answer, of a key of the statistics (one a transaction). */
enum { ANSWER_VERSIONS = 100000 };
#define STATISTICS_VERSIONS INT64_C(1000000000)

/* What of a declaration the statistics hold. */
struct standing {
	bool counted, collected, kept, live;
	int column, type;
};

static struct standing standing_of(const struct decl *d)
{
	bool counted = !d->voided && !d->repeat;
	return (struct standing){counted, counted && stats_collected(d->facts), counted && stats_kept(d->facts),
				 d->has_pid && state_live(state_of(d->facts)), stats_column(d), d->sponsor_type};
}

/* */
static int count_in(struct flow *f, const struct submission *s, const struct decl *d, const struct standing *st, int sign,
		    struct err *e)
{
	struct stat_key k = {.year = s->year, .sponsor_type = st->type};
	struct ledger *l = f->p.ledger;
	if (!st->counted)
		return 0;
	memcpy(k.village, s->village, sizeof(k.village));
	int64_t fen = sign * d->amount_fen;
	if (stats_add(l, &k, st->column, sign, fen, e) != 0 || stats_add(l, &k, ST_DECLARED_TOTAL, sign, fen, e) != 0 ||
	    (st->collected && stats_add(l, &k, ST_COLLECTED_TOTAL, sign, fen, e) != 0) ||
	    (st->kept && stats_add(l, &k, ST_KEPT_TOTAL, sign, fen, e) != 0))
		return -1;
	return 0;
}

/* Moves statistics and the reservation of cap B from how the declaration stood to how it stands. */
static int restate(struct flow *f, struct decl *d, const struct standing *was, struct err *e)
{
	struct standing now = standing_of(d);
	struct submission *s;
	d->dirty = true;
	f->touched = true;
	if (memcmp(was, &now, sizeof(now)) == 0)
		return 0;
	if (submission_get(f->p.ledger, d->sub, &s, e) != 0)
		return -1;
	if (count_in(f, s, d, was, -1, e) != 0 || count_in(f, s, d, &now, 1, e) != 0)
		return -1;
	if (was->live && !now.live) {
		struct person *p;
		if (person_get(f->p.ledger, &d->token, d->year, &p, e) != 0)
			return -1;
		p->reserved_fen -= d->amount_fen;
		p->dirty = true;
		return plan_use_add(f->p.ledger, s->village, &d->sponsor, s->year, -1, -d->amount_fen, e);
	}
	return 0;
}

/* */
int flow_fact(struct flow *f, struct decl *d, enum fact fact, const struct id *cause, int64_t effective_at, const char *note,
	      enum absorb *how, struct err *e)
{
	struct standing was = standing_of(d);
	uint32_t implied;
	*how = fact_absorb(&d->facts, fact, &implied);
	if (*how == ABSORB_CONTRADICTION) {
		COUNT(C_DIFFERENCES);
		f->touched = true;
		char hex[ID_HEX];
		log_warn("DIFFERENCE", "payment=%s state=%s fact=%s", d->has_pid ? id_hex(&d->pid, hex) : "-",
			 state_code(state_of(d->facts)), fact_code(fact));
		return difference_add(f->p.ledger, d, fact_code(fact), note, cause, e);
	}
	if (*how == ABSORB_OLD)
		return 0;
	for (uint32_t bit = 1; bit & F_ALL; bit <<= 1)
		if ((implied & bit) && history_add(f->p.ledger, d, (enum fact)bit, true, cause, effective_at, NULL, e) != 0)
			return -1;
	if (history_add(f->p.ledger, d, fact, false, cause, effective_at, note, e) != 0)
		return -1;
	return restate(f, d, &was, e);
}

int flow_declared(struct flow *f, struct decl *d, struct err *e)
{
	struct standing was = {0};
	return restate(f, d, &was, e);
}

int flow_forget(struct flow *f, struct decl *d, struct err *e)
{
	struct standing was = standing_of(d);
	d->repeat = true;
	return restate(f, d, &was, e);
}

/* All of them stand staged and without a sponsor, so that their sum is what leaves: a roster of any size in one step. */
int flow_void(struct flow *f, struct submission *s, struct err *e)
{
	struct stat_key k = {.year = s->year, .sponsor_type = -1};
	memcpy(k.village, s->village, sizeof(k.village));
	if (stats_add(f->p.ledger, &k, SC_STAGED, -s->rows, -s->amount_fen, e) != 0 ||
	    stats_add(f->p.ledger, &k, ST_DECLARED_TOTAL, -s->rows, -s->amount_fen, e) != 0)
		return -1;
	f->touched = true;
	return decl_void(f->p.ledger, s, e);
}

int flow_cleared(struct flow *f, struct decl *d, enum fact fact, const struct id *cause, const char *note, struct err *e)
{
	struct standing was = standing_of(d);
	d->facts &= ~(uint32_t)fact;
	if (history_add(f->p.ledger, d, fact, false, cause, f->now, note, e) != 0)
		return -1;
	return restate(f, d, &was, e);
}

int flow_typed(struct flow *f, struct decl *d, int sponsor_type, struct err *e)
{
	struct standing was = standing_of(d);
	d->sponsor_type = sponsor_type;
	return restate(f, d, &was, e);
}

static const char *const results[RESULTS] = {
	[RES_NONE] = "received", [RES_ACCEPTED] = "accepted", [RES_MEND] = "mend",
	[RES_WAITING] = "waiting", [RES_DONE] = "done", [RES_STOPPED] = "stopped",
};

enum row_result flow_result_of(struct str word)
{
	for (int i = 0; i < RESULTS; i++)
		if (str_is(word, results[i]))
			return (enum row_result)i;
	return RES_NONE;
}

/* Who has the final answer hears only final ones after it: of a reversal, and of what became of that. */
static bool said_final(const struct decl *d)
{
	return d->repeat || d->final || state_final(state_of(d->facts));
}

int flow_answer(struct flow *f, struct decl *d, const struct said *say, struct err *e)
{
	struct submission *s;
	bool final = said_final(d), silent;
	if (submission_get(f->p.ledger, d->sub, &s, e) != 0 || adopt_silences(f, s, d->row_no, say, final, &silent, e) != 0)
		return -1;
	if (d->answer_version > 0) {
		s->count[d->result]--;
		s->fen[d->result] -= d->amount_fen;
		s->open_finals -= !d->final;
	}
	s->count[say->result]++;
	s->fen[say->result] += d->amount_fen;
	s->open_finals += !final;
	s->dirty = s->answer_due = true;
	d->result = say->result;
	d->final = final;
	d->answer_version = (int32_t)ledger_next_version(f->p.ledger, d->answer_version, ANSWER_VERSIONS);
	d->dirty = true;
	snprintf(d->code, sizeof(d->code), "%s", say->code);
	snprintf(d->column, sizeof(d->column), "%s", say->column ? say->column : "");
	if (silent)
		return 0;
	struct row_answer a = {
		.submission_id = s->id, .row_no = d->row_no, .version = d->answer_version,
		.result = str_of(results[say->result]), .code = str_of(say->code), .column = str_of(say->column),
		.detail = say->detail, .warning = str_of(say->warning), .final = final,
		.amount_fen = {d->amount_known, d->amount_fen}, .payment_id = {d->has_pid, d->pid},
	};
	struct id id;
	decision_id(&id, STR("RowAnswer"), &d->trace, d->answer_version);
	return flow_emit(f, EV_ROW_ANSWER, &a, id_str(&s->id), &id, &d->trace, e);
}

static const char *submission_state(const struct submission *s)
{
	switch (s->state) {
	case SUB_OPEN:
	case SUB_INCOMPLETE:
		return "incomplete";
	case SUB_CHECKING:
		return "checked";
	case SUB_WAITING:
	case SUB_EXPIRING:
		return s->code[0] && strcmp(s->code, "waiting_cover") != 0 ? "held" : "waiting";
	case SUB_REFUSING:
		return "refused";
	default:
		return s->open_finals ? "filed" : "final";
	}
}

static int answer_submission(void *arg, struct submission *s, struct err *e)
{
	struct flow *f = arg;
	const struct policy *p = reference_policy(f->p.reference, s->year);
	struct id id, trace = s->id;
	s->answer_version = (int32_t)ledger_next_version(f->p.ledger, s->answer_version, ANSWER_VERSIONS);
	s->dirty = true;
	bool waits = s->state == SUB_WAITING || s->state == SUB_CHECKING || s->state == SUB_INCOMPLETE; /* somebody must act */
	struct submission_answer a = {
		.submission_id = s->id, .receipt = str_of(s->receipt), .version = s->answer_version,
		.state = str_of(submission_state(s)), .code = str_of(s->code[0] ? s->code : NULL),
		.detail = str_of(s->detail[0] ? s->detail : NULL), .rows = (int32_t)s->rows,
		.accepted = (int32_t)(s->count[RES_ACCEPTED] + s->count[RES_DONE]),
		.mend = (int32_t)(s->count[RES_MEND] + s->count[RES_STOPPED]), .waiting = (int32_t)s->count[RES_WAITING],
		.done = (int32_t)s->count[RES_DONE], .amount_fen = s->amount_fen,
		.accepted_fen = s->fen[RES_ACCEPTED] + s->fen[RES_DONE], .done_fen = s->fen[RES_DONE],
		.deadline = {waits && p, p ? p->last_filing_day : 0},
		.final = s->state == SUB_FILED && s->open_finals == 0,
	};
	bool silent;
	if (adopt_silences(f, s, 0, NULL, a.final, &silent, e) != 0)
		return -1;
	if (silent)
		return 0;
	decision_id(&id, STR("SubmissionAnswer"), &s->id, s->answer_version);
	return flow_emit(f, EV_SUBMISSION_ANSWER, &a, id_str(&s->id), &id, &trace, e);
}

int flow_answer_submissions(struct flow *f, struct err *e)
{
	return submission_each_due(f->p.ledger, answer_submission, f, e);
}

/* */
static int publish_stat(void *arg, struct stat *s, struct err *e)
{
	struct flow *f = arg;
	struct ev_stat columns[STAT_COLUMNS];
	char key[64];
	int n = snprintf(key, sizeof(key), "%d/%s/%s", s->key.year, s->key.village, stats_type_code(s->key.sponsor_type));
	struct str k = {key, (size_t)n};
	struct id id, subject;
	struct str part[] = {STR("statistics"), k};
	s->version = ledger_next_version(f->p.ledger, s->version, STATISTICS_VERSIONS);
	for (int c = 0; c < STAT_COLUMNS; c++)
		columns[c] = (struct ev_stat){str_of(stat_column_code((enum stat_column)c)), s->count[c], s->fen[c]};
	struct collection_statistics ev = {
		.year = s->key.year, .village = str_of(s->key.village), .sponsor_type = str_of(stats_type_code(s->key.sponsor_type)),
		.version = s->version, .as_of = f->now, .declared_count = s->count[ST_DECLARED_TOTAL],
		.declared_fen = s->fen[ST_DECLARED_TOTAL], .collected_count = s->count[ST_COLLECTED_TOTAL],
		.collected_fen = s->fen[ST_COLLECTED_TOTAL], .kept_count = s->count[ST_KEPT_TOTAL],
		.kept_fen = s->fen[ST_KEPT_TOTAL], .columns = columns, .column_count = STAT_COLUMNS,
	};
	id_make(&subject, part, 2);
	decision_id(&id, STR("CollectionStatistics"), &subject, s->version);
	return flow_emit(f, EV_COLLECTION_STATISTICS, &ev, k, &id, &subject, e);
}

int flow_publish_statistics(struct flow *f, struct err *e)
{
	return stats_each_dirty(f->p.ledger, publish_stat, f, e);
}
