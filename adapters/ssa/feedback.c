/* Feedback: what was collected, to be credited to the person's account, and what was refunded, to
 * be taken off again. The SSA drops repeats of (payment id, kind, version), so an unknown outcome
 * is answered by sending the same again. */
#include "adapters/ssa/ssa.h"
#include "crypto/ids.h"

static int take(struct work *w, const struct bus_record *r, enum event_type t, const void *event,
		struct err *e);
static int add(struct work *w, const struct bus_record *r, bool refund,
	       const struct collected_subsidy *c, int64_t refunded_at, struct err *e);
static void head(struct work *w, const int *rows, int count);
static int answered(struct work *w, const int *rows, int count, const json_t *root, bool *seen,
		    const char **why, struct err *e);
static bool totals_good(const struct work *w, const int *rows, int count, const json_t *root);
static int refused(struct work *w, const struct work_row *row, struct err *e);
static void name_batch(const struct work *w, const int *rows, int count, struct id *id);
static struct id key_of(const struct id *payment, bool refund);

const struct work_kind feedback_kind = {
	.topic = "feedback",
	.path = "/v1/feedback",
	.opened = "feedback_opened",
	.handed_over = "feedback_to_ssa",
	.ordered = true,
	.first = EV_COLLECTED_SUBSIDY,
	.last = EV_SUBSIDY_REFUNDED,
	.take = take,
	.head = head,
	.foot = "]}",
	.answered = answered,
	.refused = refused,
};

static int take(struct work *w, const struct bus_record *r, enum event_type t, const void *event,
		struct err *e)
{
	const struct subsidy_refunded *f = event;
	struct collected_subsidy c;

	TALLY(C_FEEDBACK);
	if (t == EV_COLLECTED_SUBSIDY)
		return add(w, r, false, event, 0, e);
	c = (struct collected_subsidy){
		.payment_id = f->payment_id,
		.token = f->token,
		.identity = f->identity,
		.year = f->year,
		.version = f->version,
		.village = f->village,
		.sponsor_type = f->sponsor_type,
		.amount_fen = f->amount_fen,
		.receipt = f->receipt,
	};
	return add(w, r, true, &c, f->refunded_at, e);
}

static int add(struct work *w, const struct bus_record *r, bool refund,
	       const struct collected_subsidy *c, int64_t refunded_at, struct err *e)
{
	struct jsonout *j = &w->json;
	struct str number, name;
	struct work_row *row;
	struct id key = key_of(&c->payment_id, refund);
	int rc = work_identity(w, r, &c->token, c->identity, &number, &name, e);

	if (rc <= 0)
		return rc;
	row = work_add(w, r, &key, c->version);
	if (!row)
		return 0;
	row->subject = c->payment_id;
	row->refund = refund;
	row->amount_fen = c->amount_fen;
	jsonout_raw(j, refund ? STR("{\"kind\":\"refunded\"") : STR("{\"kind\":\"collected\""));
	JSONOUT(j, ",\"payment_id\":");
	jsonout_id(j, &c->payment_id);
	JSONOUT(j, ",\"version\":");
	jsonout_int(j, c->version);
	JSONOUT(j, ",\"person\":{\"number\":");
	jsonout_str(j, number);
	JSONOUT(j, ",\"name\":");
	jsonout_str(j, name);
	JSONOUT(j, "},\"year\":");
	jsonout_int(j, c->year);
	JSONOUT(j, ",\"village\":");
	jsonout_str(j, c->village);
	JSONOUT(j, ",\"sponsor_type\":");
	jsonout_str(j, c->sponsor_type);
	JSONOUT(j, ",\"amount_fen\":");
	jsonout_int(j, c->amount_fen);
	JSONOUT(j, ",\"receipt\":");
	jsonout_str(j, c->receipt);
	if (refund) {
		JSONOUT(j, ",\"refunded_at\":");
		jsonout_time(j, refunded_at);
	} else {
		JSONOUT(j, ",\"paid_at\":");
		jsonout_time(j, c->paid_at);
		JSONOUT(j, ",\"in_treasury_at\":");
		jsonout_time(j, c->in_treasury_at);
	}
	JSONOUT(j, "}");
	return work_added(w, row, e);
}

static void head(struct work *w, const int *rows, int count)
{
	struct jsonout *j = &w->ssa->body;
	int64_t amount_fen = 0;

	for (int i = 0; i < count; i++)
		amount_fen += w->rows[rows[i]].amount_fen;
	name_batch(w, rows, count, &w->batch);
	JSONOUT(j, "{\"batch\":");
	jsonout_id(j, &w->batch);
	JSONOUT(j, ",\"count\":");
	jsonout_int(j, count);
	JSONOUT(j, ",\"amount_fen\":");
	jsonout_int(j, amount_fen);
	JSONOUT(j, ",\"items\":[");
}

static int answered(struct work *w, const int *rows, int count, const json_t *root, bool *seen,
		    const char **why, struct err *e)
{
	const json_t *results = jsonin_list(root, "results");
	struct idmap *map = &w->ssa->scratch;

	if (!results || !totals_good(w, rows, count, root)) {
		*why = results ? "totals differ" : "answer is no list of results";
		return 0;
	}
	idmap_reset(map);
	for (int i = 0; i < count; i++)
		idmap_add(map, &w->rows[rows[i]].key, i);
	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *o = json_array_get(results, i);
		struct str kind = {NULL, 0}, word = {NULL, 0};
		struct id payment, key;
		int at = -1;

		if (jsonin_id(o, "payment_id", &payment) == 0 &&
		    jsonin_str(o, "kind", 16, &kind) == 0 &&
		    jsonin_str(o, "result", 16, &word) == 0) {
			key = key_of(&payment, str_is(kind, "refunded"));
			at = idmap_find(map, &key);
		}
		if (at < 0 || seen[at] || !(str_is(word, "taken") || str_is(word, "refused"))) {
			TALLY(C_STRANGERS);
			continue;
		}
		seen[at] = true;
		if (str_is(word, "taken")) {
			TALLY(C_TAKEN);
			continue;
		}
		TALLY(C_REJECTED);
		if (adapter_reject(&w->ssa->adapter, w->kind->topic, w->rows[rows[at]].rec,
				   "refused", "the SSA calls it malformed", e) != 0 ||
		    refused(w, &w->rows[rows[at]], e) != 0)
			return -1;
	}
	return 0;
}

static bool totals_good(const struct work *w, const int *rows, int count, const json_t *root)
{
	int64_t told_count = -1, told_fen = -1, amount_fen = 0;
	struct id told;

	for (int i = 0; i < count; i++)
		amount_fen += w->rows[rows[i]].amount_fen;
	return jsonin_id(root, "batch", &told) == 0 && id_eq(&told, &w->batch) &&
	       jsonin_int(root, "count", 0, INT64_MAX, &told_count) == 0 && told_count == count &&
	       jsonin_int(root, "amount_fen", INT64_MIN, INT64_MAX, &told_fen) == 0 &&
	       told_fen == amount_fen;
}

/* The gateway is told in the SSA's place, so that the payment does not wait for a credit for ever.
 */
static int refused(struct work *w, const struct work_row *row, struct err *e)
{
	enum event_type t = row->refund ? EV_DEBIT_REFUSED : EV_CREDIT_REFUSED;
	struct credit_result r = {
		.payment_id = row->subject,
		.amount_fen = row->amount_fen,
		.at = clock_now(&w->ssa->adapter.role->clock),
		.reason = STR("ssa_malformed"),
	};
	struct str key = {(const char *)row->subject.b, ID_LEN};
	struct id id;

	TALLY(C_REFUSED);
	decision_id(&id, str_of(event_name(t)), &row->subject, row->version);
	return adapter_publish(&w->ssa->adapter, t, &r, key, &id, &row->rec->event.trace, e);
}

/* The same rows and versions have the same batch id: a repeat is the same request. */
static void name_batch(const struct work *w, const int *rows, int count, struct id *id)
{
	struct str parts[4];

	*id = (struct id){{0}};
	for (int i = 0; i < count; i++) {
		const struct work_row *row = &w->rows[rows[i]];
		struct id before = *id;

		parts[0] = STR("feedback batch");
		parts[1] = (struct str){(const char *)before.b, ID_LEN};
		parts[2] = (struct str){(const char *)row->key.b, ID_LEN};
		parts[3] = (struct str){(const char *)&row->version, sizeof row->version};
		id_make(id, parts, 4);
	}
}

/* Collected and refunded are two things about one payment. */
static struct id key_of(const struct id *payment, bool refund)
{
	struct id key = *payment;

	key.b[0] ^= refund ? 0xff : 0;
	return key;
}
