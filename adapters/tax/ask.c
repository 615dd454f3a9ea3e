/* Queries by id: before sending what may have been sent, and for the gateway's enquiries. A query
 * has no effect, so whatever fails is simply asked again. An id that the answer leaves out comes
 * again alone; left out PASS_ROUNDS times, the payment is in doubt. */
#include "adapters/tax/answer.h"
#include "adapters/tax/tax.h"
#include <string.h>

static void write_body(struct tax *t, enum trade trade, const int *rows, int count);
static int read_answer(struct tax *t, enum trade trade, struct pass *p, const int *rows, int count,
		       const json_t *results, struct err *e);
static int settle_row(struct tax *t, struct tax_row *row, enum told told,
		      const struct collection_result *r, struct err *e);
static int settle_unknown(struct tax *t, struct tax_row *row, struct err *e);
static int query_refused(struct tax *t, const struct tax_row *row, const char *why, struct err *e);

int tax_ask(struct tax *t, enum trade trade, struct pass *p, int64_t *wait_ms, struct err *e)
{
	struct answer answer;
	enum exchange x;
	const int *rows;
	json_t *root, *results;
	int count, rc;

	*wait_ms = peer_wait(&t->peer, &t->queries);
	if (*wait_ms > 0 || !pass_head(p, (int)t->peer.conf->batch_rows, &rows, &count))
		return 0;
	write_body(t, trade, rows, count);
	if (t->body.full)
		return err_set(e, ERR_TEMP, "query: no room for its body");
	TALLY(C_QUERIES);
	t->asked_at = clock_now(&t->adapter.role->clock);
	x = peer_exchange(&t->peer, &t->queries, trade_forms[trade].query, jsonout_text(&t->body), NULL,
			  &answer);
	if (x == EX_SPLIT) {
		backoff_worked(&t->peer, &t->queries, answer.http.took_ms);
		if (pass_split(p))
			return 0;
		rc = query_refused(t, &t->window.rows[rows[0]], answer.why, e);
		pass_drop(p);
		return rc;
	}
	root = x == EX_DONE ? jsonin_parse(answer.http.body) : NULL;
	results = jsonin_list(root, "results");
	if (x == EX_DONE && !results)
		backoff_failed(&t->peer, &t->queries, -1, "answer is no list of results");
	if (!results) {
		jsonin_free(root);
		TALLY(C_RETRIED);
		*wait_ms = peer_wait(&t->peer, &t->queries);
		return 0;
	}
	backoff_worked(&t->peer, &t->queries, answer.http.took_ms);
	rc = read_answer(t, trade, p, rows, count, results, e);
	jsonin_free(root);
	pass_drop(p);
	return rc;
}

static void write_body(struct tax *t, enum trade trade, const int *rows, int count)
{
	struct jsonout *j = &t->body;

	jsonout_reset(j);
	JSONOUT(j, "{");
	jsonout_str(j, str_of(trade_forms[trade].ids));
	JSONOUT(j, ":[");
	for (int i = 0; i < count; i++) {
		jsonout_raw(j, i ? STR(",") : STR(""));
		jsonout_id(j, &t->window.rows[rows[i]].subject);
	}
	JSONOUT(j, "]}");
}

static int read_answer(struct tax *t, enum trade trade, struct pass *p, const int *rows, int count,
		       const json_t *results, struct err *e)
{
	bool seen[TAX_WINDOW] = {false};

	idmap_reset(&t->scratch);
	for (int i = 0; i < count; i++)
		idmap_add(&t->scratch, &t->window.rows[rows[i]].subject, i);
	for (size_t i = 0; i < json_array_size(results); i++) {
		struct collection_result r = {0};
		const json_t *o = json_array_get(results, i);
		bool reversal = trade == TRADE_REVERSALS;
		enum told told = reversal ? answer_reversal_row(o, &r) : answer_query_row(o, &r);
		const struct id *subject = reversal ? &r.reversal_id.v : &r.payment_id;
		int at = told == TOLD_UNREADABLE ? -1 : idmap_find(&t->scratch, subject);

		/* Of another payment than it was asked for: no answer. */
		if (at >= 0 && told == TOLD_STATE &&
		    !id_eq(&r.payment_id, &t->window.rows[rows[at]].payment_id))
			at = -1;
		if (at < 0 || seen[at]) {
			TALLY(C_STRANGERS);
			continue;
		}
		seen[at] = true;
		if (settle_row(t, &t->window.rows[rows[at]], told, &r, e) != 0)
			return -1;
	}
	for (int i = 0; i < count; i++) {
		if (seen[i] || pass_aside(p, rows[i]))
			continue;
		if (publish_doubt(t, &t->window.rows[rows[i]], "no_answer", e) != 0)
			return -1;
	}
	return 0;
}

static int settle_row(struct tax *t, struct tax_row *row, enum told told,
		      const struct collection_result *r, struct err *e)
{
	TALLY(row->enquiry ? C_ANSWERED : C_ASKED);
	if (told == TOLD_UNKNOWN)
		return settle_unknown(t, row, e);
	if (!row->enquiry)
		TALLY(C_ASKED_KNOWN);
	return publish_fact(t, r, &row->rec->event.trace, e);
}

static int settle_unknown(struct tax *t, struct tax_row *row, struct err *e)
{
	if (row->enquiry)
		return publish_unknown(t, row, e);
	TALLY(C_ASKED_UNKNOWN);
	if (row->plan.unknown == ACT_SEND) {
		/* An enquiry that waits for this answer would be told "unknown" of what is being
		 * sent: left to the result. */
		pass_add(&t->window.stages[row->trade].send, (int)(row - t->window.rows));
		return 0;
	}
	if (row->same >= 0 && publish_unknown(t, &t->window.rows[row->same], e) != 0)
		return -1;
	if (row->plan.unknown == ACT_TOO_LATE)
		return publish_too_late(t, row, e);
	TALLY(C_HELD_BACK);
	return publish_doubt(t, row, "asked_before_send", e);
}

/* The bureau takes no question about this id: a person must look. */
static int query_refused(struct tax *t, const struct tax_row *row, const char *why, struct err *e)
{
	TALLY(C_REJECTED);
	if (adapter_reject(&t->adapter, "payments", row->rec, "query_refused", why, e) != 0)
		return -1;
	return publish_doubt(t, row, "query_refused", e);
}
