/* Batches of payments, and of reversals: the only place from which money is moved.
 *
 * What the exchange says of a batch: never sent or put off (429 and the like): the same again after
 * the back-off · refused as a whole: halved, so that one bad row fails alone · anything else that
 * is no complete and valid answer for a row: that row is in doubt, published so, and never sent
 * again by us. After failures batches are small, and after a start or with the breaker open the
 * bureau must first answer a question about its health, so that a wrong certificate or a peer that
 * breaks in the middle puts no row or few in doubt. */
#include "adapters/tax/answer.h"
#include "adapters/tax/tax.h"
#include "crypto/digest.h"
#include <string.h>

#define TOPIC "payments"

static bool healthy(struct tax *t);
static int rows_allowed(const struct tax *t);
static int sort_out_stale(struct tax *t, struct pass *p, struct err *e);
static void write_batch(struct tax *t, enum trade trade, const int *rows, int count,
			struct totals *totals);
static void name_batch(struct tax *t, const int *rows, int count, char batch[ID_HEX]);
static int settle_refused(struct tax *t, const int *rows, const struct answer *answer,
			  struct err *e);
static int settle_doubt(struct tax *t, const int *rows, int count, const char *why, struct err *e);
static int settle_answer(struct tax *t, const int *rows, int count, const struct totals *sent,
			 const struct answer *answer, struct err *e);

int tax_send(struct tax *t, enum trade trade, int64_t *wait_ms, struct err *e)
{
	const struct trade_form *form = &trade_forms[trade];
	struct pass *p = &t->window.stages[trade].send;
	char batch[ID_HEX];
	struct totals totals = {.batch = batch, .id_name = form->id};
	struct answer answer;
	const int *rows;
	int count, rc = 0;

	*wait_ms = peer_wait(&t->peer, &t->batches);
	if (*wait_ms > 0)
		return 0;
	if ((!t->proven || backoff_open(&t->peer, &t->batches)) && !healthy(t)) {
		*wait_ms = peer_wait(&t->peer, &t->batches);
		return 0;
	}
	rc = sort_out_stale(t, p, e);
	if (rc != 0) /* the next turn takes what is left: it must have been looked at too */
		return rc < 0 ? -1 : 0;
	if (!pass_head(p, rows_allowed(t), &rows, &count))
		return 0;
	name_batch(t, rows, count, batch);
	write_batch(t, trade, rows, count, &totals);
	if (t->body.full)
		return err_set(e, ERR_TEMP, "batch: no room for its body");
	/* A reversal names nobody. */
	if (trade == TRADE_PAYMENTS &&
	    adapter_audit(&t->adapter, "batch_to_tax", batch, count, e) != 0)
		return -1;
	TALLY(C_BATCHES);
	switch (peer_exchange(&t->peer, &t->batches, form->send, jsonout_text(&t->body), batch,
			      &answer)) {
	case EX_RETRY:
		TALLY(C_RETRIED);
		*wait_ms = peer_wait(&t->peer, &t->batches);
		return 0;
	case EX_SPLIT:
		TALLY(C_HALVED);
		backoff_worked(&t->peer, &t->batches, answer.http.took_ms);
		if (pass_split(p))
			return 0;
		rc = settle_refused(t, rows, &answer, e);
		break;
	case EX_DOUBT:
		TALLY_ADD(C_SENT, count);
		rc = settle_doubt(t, rows, count, answer.why, e);
		break;
	case EX_DONE:
		TALLY_ADD(C_SENT, count);
		rc = settle_answer(t, rows, count, &totals, &answer, e);
		break;
	}
	pass_drop(p);
	return rc;
}

static bool healthy(struct tax *t)
{
	struct answer answer;
	enum exchange x = peer_exchange(&t->peer, &t->batches, "/v1/health", (struct str){NULL, 0},
					NULL, &answer);

	if (x == EX_SPLIT)
		backoff_failed(&t->peer, &t->batches, -1, answer.why);
	t->proven = t->proven || x == EX_DONE;
	return x == EX_DONE;
}

/* A quarter after each failure in a row, one row at least. */
static int rows_allowed(const struct tax *t)
{
	int64_t shift = t->batches.failures < 10 ? 2 * t->batches.failures : 20;
	int64_t rows = t->peer.conf->batch_rows >> shift;

	return rows < 1 ? 1 : rows > TAX_WINDOW ? TAX_WINDOW : (int)rows;
}

/* A bureau that was away for long: what was right to send then may be too late by now, or no longer
 * covered by its key. How many of the head that were; -1 error. */
static int sort_out_stale(struct tax *t, struct pass *p, struct err *e)
{
	const int *rows;
	int count, stale = 0;

	if (!pass_head(p, rows_allowed(t), &rows, &count))
		return 0;
	for (int i = count - 1; i >= 0; i--) {
		const struct tax_row *row = &t->window.rows[rows[i]];
		struct plan plan = tax_plan(t, &row->facts);
		enum act act = row->plan.first == ACT_ASK ? plan.unknown : plan.first;
		int rc;

		/* Asking is for what may have been sent: not for what was to be sent. */
		if (act == ACT_SEND || (act == ACT_ASK && plan.unknown == ACT_SEND))
			continue;
		rc = act == ACT_TOO_LATE ? publish_too_late(t, row, e)
					 : publish_doubt(t, row, "key_expired", e);
		if (rc != 0)
			return -1;
		pass_remove(p, rows[i]);
		stale++;
	}
	return stale;
}

static void write_batch(struct tax *t, enum trade trade, const int *rows, int count,
			struct totals *totals)
{
	const struct window *w = &t->window;
	struct jsonout *j = &t->body;

	idmap_reset(&t->scratch);
	for (int i = 0; i < count; i++) {
		totals->amount_fen += w->rows[rows[i]].amount_fen;
		idmap_add(&t->scratch, &w->rows[rows[i]].token, i);
	}
	totals->count = count;
	totals->heads = trade_forms[trade].heads ? t->scratch.count : -1;
	jsonout_reset(j);
	JSONOUT(j, "{\"batch\":");
	jsonout_str(j, str_of(totals->batch));
	JSONOUT(j, ",\"count\":");
	jsonout_int(j, totals->count);
	if (totals->heads >= 0) {
		JSONOUT(j, ",\"heads\":");
		jsonout_int(j, totals->heads);
	}
	JSONOUT(j, ",\"amount_fen\":");
	jsonout_int(j, totals->amount_fen);
	JSONOUT(j, ",");
	jsonout_str(j, str_of(trade_forms[trade].rows));
	JSONOUT(j, ":[");
	for (int i = 0; i < count; i++) {
		const struct tax_row *row = &w->rows[rows[i]];

		jsonout_raw(j, i ? STR(",") : STR(""));
		jsonout_raw(j, (struct str){(const char *)w->json.buf.data + row->at, row->len});
	}
	JSONOUT(j, "]}");
}

/* The same rows and attempts have the same batch id, so that the bureau's own log shows a repeat as
 * one. */
static void name_batch(struct tax *t, const int *rows, int count, char batch[ID_HEX])
{
	struct str parts[2] = {STR("batch")};
	struct id id;

	/* The body's buffer serves: it is written anew afterwards. */
	jsonout_reset(&t->body);
	for (int i = 0; i < count; i++) {
		const struct tax_row *row = &t->window.rows[rows[i]];

		jsonout_raw(&t->body, (struct str){(const char *)row->subject.b, ID_LEN});
		jsonout_raw(&t->body,
			    (struct str){(const char *)&row->attempt, sizeof row->attempt});
	}
	parts[1] = jsonout_text(&t->body);
	id_make(&id, parts, 2);
	id_hex(&id, batch);
}

/* One row that the bureau does not take. The same id with other content may well be paid: a person
 * must look. */
static int settle_refused(struct tax *t, const int *rows, const struct answer *answer,
			  struct err *e)
{
	const struct tax_row *row = &t->window.rows[rows[0]];

	if (answer->http.status == 409)
		return publish_doubt(t, row, "same_id_other_content", e);
	TALLY(C_REJECTED);
	if (adapter_reject(&t->adapter, TOPIC, row->rec, "refused", answer->why, e) != 0)
		return -1;
	return publish_refused(t, row, e);
}

static int settle_doubt(struct tax *t, const int *rows, int count, const char *why, struct err *e)
{
	for (int i = 0; i < count; i++) {
		if (publish_doubt(t, &t->window.rows[rows[i]], why, e) != 0)
			return -1;
	}
	return 0;
}

static int settle_answer(struct tax *t, const int *rows, int count, const struct totals *sent,
			 const struct answer *answer, struct err *e)
{
	static const struct verdict none;
	struct verdict verdicts[TAX_WINDOW];
	const char *why;
	int strangers, doubts = 0, rc = 0;

	idmap_reset(&t->scratch);
	for (int i = 0; i < count; i++) {
		idmap_add(&t->scratch, &t->window.rows[rows[i]].subject, i);
		verdicts[i] = none;
	}
	why = answer_batch(answer->http.body, sent, &t->scratch, verdicts, &strangers);
	TALLY_ADD(C_STRANGERS, strangers);
	if (why) {
		backoff_failed(&t->peer, &t->batches, -1, why);
		return settle_doubt(t, rows, count, why, e);
	}
	for (int i = 0; i < count && rc == 0; i++) {
		const struct tax_row *row = &t->window.rows[rows[i]];
		bool clear = verdicts[i].kind == V_ACCEPTED || verdicts[i].kind == V_REFUSED;

		doubts += !clear;
		if (clear)
			rc = publish_verdict(t, row, &verdicts[i], sent->batch, e);
		else
			rc = publish_doubt(t, row,
					   verdicts[i].kind == V_MISSING ? "row_missing"
									 : "row_unreadable",
					   e);
	}
	if (doubts == count)
		backoff_failed(&t->peer, &t->batches, -1, "no row of the answer is clear");
	else
		backoff_worked(&t->peer, &t->batches, answer->http.took_ms);
	return rc;
}
