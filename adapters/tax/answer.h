/* What the tax bureau's answers say: pure reading of JSON, no decision. */
#ifndef QIAO_ADAPTERS_TAX_ANSWER_H
#define QIAO_ADAPTERS_TAX_ANSWER_H
#include "adapters/common/jsonin.h"
#include "adapters/common/pass.h"

/* Control totals of a batch, sent and to be echoed. */
struct totals {
	const char *batch;   /* 32 hex */
	const char *id_name; /* of a result: payment_id or reversal_id */
	int64_t count, heads, amount_fen; /* heads < 0: states none */
};
struct verdict { /* on one row of a batch */
	enum { V_MISSING, V_ACCEPTED, V_REFUSED, V_UNREADABLE } kind;
	const char *reason; /* of a refusal: code of the text table */
	int64_t sequence, at;
};
/* rows maps ids to places in out, which the caller cleared (V_MISSING). NULL, or why the
 * answer as a whole says nothing: "unparsable", "totals_differ". Gives in *strangers how many
 * results were about something that is not in the batch. */
const char *answer_batch(struct str body, const struct totals *sent, const struct idmap *rows,
			 struct verdict *out, int *strangers);

/* One payment as a query or the change feed tells it. Slices live as long as the tree; batch and
 * attempt are none. */
enum told { TOLD_STATE, TOLD_UNKNOWN, TOLD_UNREADABLE };
enum told answer_query_row(const json_t *o, struct collection_result *out);
enum told answer_reversal_row(const json_t *o, struct collection_result *out);
enum told answer_change(const json_t *o, struct collection_result *out); /* never TOLD_UNKNOWN */

/* The bureau's word -> "tax_<word>"; words that we do not know: "tax_refused". */
const char *refusal_reason(struct str word);
/* The same of a reversal: "refund_<word>"; words that we do not know: "refund_refused". */
const char *reversal_reason(struct str word);

#endif
