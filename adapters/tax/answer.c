#include "adapters/tax/answer.h"
#include <string.h>

enum { WORD_MAX = 40, RECEIPT_MAX = 40 };
#define AMOUNT_MAX INT64_C(1000000000000000)

static void read_result(const json_t *o, const struct totals *sent, const struct idmap *rows,
			struct verdict *out, int *strangers);
static int reversal_or_null(const json_t *o, struct opt_id *out);
static enum told read_state(const json_t *o, struct str word, bool reversal,
			    struct collection_result *out);
static bool receipt_good(struct str s);

const char *answer_batch(struct str body, const struct totals *sent, const struct idmap *rows,
			 struct verdict *out, int *strangers)
{
	json_t *root = jsonin_parse(body), *results = jsonin_list(root, "results");
	const char *why = "unparsable";
	int64_t count, heads = sent->heads, amount_fen;
	struct str batch;

	*strangers = 0;
	if (!results || jsonin_str(root, "batch", WORD_MAX, &batch) != 0 ||
	    jsonin_int(root, "count", 0, INT64_MAX, &count) != 0 ||
	    (sent->heads >= 0 && jsonin_int(root, "heads", 0, INT64_MAX, &heads) != 0) ||
	    jsonin_int(root, "amount_fen", 0, INT64_MAX, &amount_fen) != 0)
		goto out;
	why = "totals_differ";
	if (!str_is(batch, sent->batch) || count != sent->count || heads != sent->heads ||
	    amount_fen != sent->amount_fen)
		goto out;
	for (size_t i = 0; i < json_array_size(results); i++)
		read_result(json_array_get(results, i), sent, rows, out, strangers);
	why = NULL;
out:
	jsonin_free(root);
	return why;
}

enum told answer_query_row(const json_t *o, struct collection_result *out)
{
	struct str word;

	if (jsonin_id(o, "payment_id", &out->payment_id) != 0 ||
	    jsonin_str(o, "result", WORD_MAX, &word) != 0 ||
	    reversal_or_null(o, &out->reversal_id) != 0)
		return TOLD_UNREADABLE;
	return str_is(word, "unknown") ? TOLD_UNKNOWN : read_state(o, word, false, out);
}

enum told answer_reversal_row(const json_t *o, struct collection_result *out)
{
	struct str word;

	if (jsonin_id(o, "reversal_id", &out->reversal_id.v) != 0 ||
	    jsonin_str(o, "result", WORD_MAX, &word) != 0)
		return TOLD_UNREADABLE;
	out->reversal_id.set = true;
	if (str_is(word, "unknown"))
		return TOLD_UNKNOWN;
	if (jsonin_id(o, "payment_id", &out->payment_id) != 0)
		return TOLD_UNREADABLE;
	return read_state(o, word, true, out);
}

enum told answer_change(const json_t *o, struct collection_result *out)
{
	struct str word;

	if (jsonin_id(o, "payment_id", &out->payment_id) != 0 ||
	    jsonin_str(o, "status", WORD_MAX, &word) != 0 ||
	    reversal_or_null(o, &out->reversal_id) != 0)
		return TOLD_UNREADABLE;
	return read_state(o, word, false, out);
}

const char *refusal_reason(struct str word)
{
	static const struct {
		const char *word, *code;
	} known[] = {
		{"unknown_account", "tax_unknown_account"},
		{"name_mismatch", "tax_name_mismatch"},
		{"payer_unknown", "tax_payer_unknown"},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (word.p && str_is(word, known[i].word))
			return known[i].code;
	}
	return "tax_refused";
}

const char *reversal_reason(struct str word)
{
	static const struct {
		const char *word, *code;
	} known[] = {
		{"unknown_payment", "refund_unknown_payment"},
		{"receipt_mismatch", "refund_receipt_mismatch"},
		{"already_refunded", "refund_already_refunded"},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (word.p && str_is(word, known[i].word))
			return known[i].code;
	}
	return "refund_refused";
}

/* Of an entry of the feed; a bureau that takes no reversals leaves it out. */
static int reversal_or_null(const json_t *o, struct opt_id *out)
{
	const json_t *v = json_object_get(o, "reversal_id");

	*out = (struct opt_id){0};
	if (!v || json_is_null(v))
		return 0;
	out->set = true;
	return jsonin_id(o, "reversal_id", &out->v);
}

static void read_result(const json_t *o, const struct totals *sent, const struct idmap *rows,
			struct verdict *out, int *strangers)
{
	struct verdict v = {.kind = V_UNREADABLE};
	struct str word, reason = {NULL, 0};
	struct id id;
	int row = jsonin_id(o, sent->id_name, &id) == 0 ? idmap_find(rows, &id) : -1;

	if (row < 0) {
		++*strangers;
		return;
	}
	if (jsonin_str(o, "result", WORD_MAX, &word) == 0 &&
	    jsonin_int(o, "sequence", 1, INT64_MAX, &v.sequence) == 0 &&
	    jsonin_time(o, "at", &v.at) == 0 &&
	    jsonin_str_or_null(o, "reason", WORD_MAX, &reason) == 0) {
		if (str_is(word, "accepted"))
			v.kind = V_ACCEPTED;
		else if (str_is(word, "refused"))
			v = (struct verdict){V_REFUSED,
					     str_is(str_of(sent->id_name), "reversal_id")
						     ? reversal_reason(reason)
						     : refusal_reason(reason),
					     v.sequence, v.at};
	}
	/* Two results for one row count only when they say the same. */
	if (out[row].kind != V_MISSING &&
	    (out[row].kind != v.kind || out[row].sequence != v.sequence))
		v.kind = V_UNREADABLE;
	out[row] = v;
}

/* The bureau's word for a state in a query (words) or in the feed (codes of domain.md, section 3).
 */
static enum told read_state(const json_t *o, struct str word, bool reversal,
			    struct collection_result *out)
{
	static const struct {
		const char *word, *state, *of_reversal; /* NULL: not said of one */
	} states[] = {
		{"accepted", "accepted", "refund_requested"},
		{"02", "accepted", NULL},
		{"paid", "paid", NULL},
		{"03", "paid", NULL},
		{"04", "in_treasury", NULL},
		{"in_treasury", "in_treasury", NULL},
		{"refused", "failed", "refund_refused"},
		{"refunded", "refunded", "refunded"},
	};
	struct str reason;

	*out = (struct collection_result){.payment_id = out->payment_id,
					  .reversal_id = out->reversal_id};
	for (size_t i = 0; i < sizeof states / sizeof states[0] && !out->state.p; i++) {
		if (str_is(word, states[i].word))
			out->state = str_of(reversal ? states[i].of_reversal : states[i].state);
	}
	if (!out->state.p || jsonin_int(o, "sequence", 1, INT64_MAX, &out->sequence) != 0 ||
	    jsonin_time(o, "at", &out->at) != 0 ||
	    jsonin_int(o, "amount_fen", 0, AMOUNT_MAX, &out->amount_fen.v) != 0 ||
	    jsonin_str_or_null(o, "reason", WORD_MAX, &reason) != 0 ||
	    jsonin_str_or_null(o, "receipt", RECEIPT_MAX, &out->receipt) != 0 ||
	    !receipt_good(out->receipt))
		return TOLD_UNREADABLE;
	out->amount_fen.set = true;
	if (str_is(out->state, "failed"))
		out->reason = str_of(refusal_reason(reason));
	if (str_is(out->state, "refund_refused"))
		out->reason = str_of(reversal_reason(reason));
	return TOLD_STATE;
}

static bool receipt_good(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'A' && s.p[i] <= 'Z'))
			return false;
	}
	return !s.p || s.n > 0;
}
