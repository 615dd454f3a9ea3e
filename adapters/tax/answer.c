#include "adapters/tax/answer.h"
#include <string.h>

enum { WORD_MAX = 40, RECEIPT_MAX = 40 };
#define AMOUNT_MAX INT64_C(1000000000000000)

static void read_result(const json_t *o, const struct idmap *rows, struct verdict *out,
			int *strangers);
static enum told read_state(const json_t *o, struct str word, struct collection_result *out);
static bool receipt_good(struct str s);

const char *answer_batch(struct str body, const struct totals *sent, const struct idmap *rows,
			 struct verdict *out, int *strangers)
{
	json_t *root = jsonin_parse(body), *results = jsonin_list(root, "results");
	const char *why = "unparsable";
	int64_t count, heads, amount_fen;
	struct str batch;

	*strangers = 0;
	if (!results || jsonin_str(root, "batch", WORD_MAX, &batch) != 0 ||
	    jsonin_int(root, "count", 0, INT64_MAX, &count) != 0 ||
	    jsonin_int(root, "heads", 0, INT64_MAX, &heads) != 0 ||
	    jsonin_int(root, "amount_fen", 0, INT64_MAX, &amount_fen) != 0)
		goto out;
	why = "totals_differ";
	if (!str_is(batch, sent->batch) || count != sent->count || heads != sent->heads ||
	    amount_fen != sent->amount_fen)
		goto out;
	for (size_t i = 0; i < json_array_size(results); i++)
		read_result(json_array_get(results, i), rows, out, strangers);
	why = NULL;
out:
	jsonin_free(root);
	return why;
}

enum told answer_query_row(const json_t *o, struct collection_result *out)
{
	struct str word;

	if (jsonin_id(o, "payment_id", &out->payment_id) != 0 ||
	    jsonin_str(o, "result", WORD_MAX, &word) != 0)
		return TOLD_UNREADABLE;
	return str_is(word, "unknown") ? TOLD_UNKNOWN : read_state(o, word, out);
}

enum told answer_change(const json_t *o, struct collection_result *out)
{
	struct str word;

	if (jsonin_id(o, "payment_id", &out->payment_id) != 0 ||
	    jsonin_str(o, "status", WORD_MAX, &word) != 0)
		return TOLD_UNREADABLE;
	return read_state(o, word, out);
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

static void read_result(const json_t *o, const struct idmap *rows, struct verdict *out,
			int *strangers)
{
	struct verdict v = {.kind = V_UNREADABLE};
	struct str word, reason = {NULL, 0};
	struct id id;
	int row = jsonin_id(o, "payment_id", &id) == 0 ? idmap_find(rows, &id) : -1;

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
			v = (struct verdict){V_REFUSED, refusal_reason(reason), v.sequence, v.at};
	}
	/* Two results for one row count only when they say the same. */
	if (out[row].kind != V_MISSING &&
	    (out[row].kind != v.kind || out[row].sequence != v.sequence))
		v.kind = V_UNREADABLE;
	out[row] = v;
}

/* The bureau's word for a state in a query (words) or in the feed (codes of domain.md, section 3).
 */
static enum told read_state(const json_t *o, struct str word, struct collection_result *out)
{
	static const struct {
		const char *word, *state;
	} states[] = {
		{"accepted", "accepted"}, {"02", "accepted"},	    {"paid", "paid"},
		{"03", "paid"},		  {"04", "in_treasury"},    {"in_treasury", "in_treasury"},
		{"refused", "failed"},	  {"refunded", "refunded"},
	};
	struct str reason;

	*out = (struct collection_result){.payment_id = out->payment_id};
	for (size_t i = 0; i < sizeof states / sizeof states[0] && !out->state.p; i++) {
		if (str_is(word, states[i].word))
			out->state = str_of(states[i].state);
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
