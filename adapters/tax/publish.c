/* CollectionResult events and their ids. What the bureau says carries its sequence and an id made
 * of it, so that the same fact, told by a query and by the feed, is one event; the verdict of a
 * batch is an event of its own, since it names batch and attempt. What we say ourselves (in doubt,
 * too late, unknown) has sequence 0, our clock's time, and an id made of payment, attempt and
 * reason. */
#include "adapters/tax/answer.h"
#include "adapters/tax/tax.h"
#include "crypto/ids.h"
#include <stdio.h>
#include <string.h>

/* Room for reasons, or for enquiry attempts, below each payment attempt in the version that makes
 * the id. */
#define ATTEMPT_STEP INT64_C(1000000)

static int publish(struct tax *t, const struct collection_result *r, const struct id *id,
		   const struct id *trace, struct err *e);
static int publish_own(struct tax *t, const struct tax_row *row, const char *state,
		       const char *reason, int64_t n, struct err *e);
static int64_t reason_number(const char *reason);
static const char *state_of_row(const struct tax_row *row, const char *state);
static struct opt_id reversal_of(const struct tax_row *row);

int publish_fact(struct tax *t, const struct collection_result *r, const struct id *trace,
		 struct err *e)
{
	char hex[ID_HEX];
	struct id id;

	outside_id(&id, STR("CollectionResult"), STR("tax"), str_of(id_hex(&r->payment_id, hex)),
		   r->sequence);
	return publish(t, r, &id, trace, e);
}

int publish_verdict(struct tax *t, const struct tax_row *row, const struct verdict *v,
		    const char *batch, struct err *e)
{
	bool accepted = v->kind == V_ACCEPTED;
	struct collection_result r = {
		.payment_id = row->payment_id,
		.reversal_id = reversal_of(row),
		.state = str_of(state_of_row(row, accepted ? "accepted" : "failed")),
		.reason = accepted ? (struct str){NULL, 0} : str_of(v->reason),
		.amount_fen = {true, row->amount_fen},
		.at = v->at,
		.sequence = v->sequence,
		.attempt = row->attempt,
		.batch = str_of(batch),
	};
	char key[2 * ID_HEX + 16], hex[ID_HEX];
	struct id id;

	TALLY(accepted ? C_ACCEPTED : C_REFUSED);
	snprintf(key, sizeof key, "%s/%s", id_hex(&row->subject, hex), batch);
	outside_id(&id, STR("CollectionResult"), STR("tax"), str_of(key), v->sequence);
	return publish(t, &r, &id, &row->rec->event.trace, e);
}

int publish_doubt(struct tax *t, const struct tax_row *row, const char *reason, struct err *e)
{
	TALLY(C_DOUBT);
	return publish_own(t, row, "in_doubt", reason, reason_number(reason), e);
}

int publish_too_late(struct tax *t, const struct tax_row *row, struct err *e)
{
	TALLY(C_TOO_LATE);
	return publish_own(t, row, "too_late", NULL, 0, e);
}

int publish_unknown(struct tax *t, const struct tax_row *enquiry, struct err *e)
{
	TALLY(C_UNKNOWN);
	return publish_own(t, enquiry, "unknown", NULL, enquiry->enquiry_attempt, e);
}

int publish_refused(struct tax *t, const struct tax_row *row, struct err *e)
{
	TALLY(C_REFUSED);
	return publish_own(t, row, "failed",
			   row->trade == TRADE_REVERSALS ? "refund_refused" : "tax_refused", 0, e);
}

static int publish(struct tax *t, const struct collection_result *r, const struct id *id,
		   const struct id *trace, struct err *e)
{
	struct str key = {(const char *)r->payment_id.b, ID_LEN};

	return adapter_publish(&t->adapter, EV_COLLECTION_RESULT, r, key, id, trace, e);
}

/* Our clock's time goes with it: of a doubt the time after the exchange, of "unknown" the time
 * before it, so that the settlement delay between the two is never counted short. A repeat after a
 * crash has the same id and a later time. */
static int publish_own(struct tax *t, const struct tax_row *row, const char *state,
		       const char *reason, int64_t n, struct err *e)
{
	bool unknown = strcmp(state, "unknown") == 0;
	struct collection_result r = {
		.payment_id = row->payment_id,
		.reversal_id = reversal_of(row),
		.state = str_of(state_of_row(row, state)),
		.reason = str_of(reason),
		.at = unknown ? t->asked_at : clock_now(&t->adapter.role->clock),
		.attempt = unknown ? row->enquiry_attempt : row->attempt,
	};
	char kind[48];
	struct id id;

	snprintf(kind, sizeof kind, "CollectionResult.%s", state);
	decision_id(&id, str_of(kind), &row->subject, row->attempt * ATTEMPT_STEP + n);
	return publish(t, &r, &id, &row->rec->event.trace, e);
}

/* A small number that differs from reason to reason (FNV-1a, cut): two doubts about one attempt for
 * two reasons are two events. */
static int64_t reason_number(const char *reason)
{
	uint32_t h = 2166136261u;

	for (; *reason; reason++)
		h = (h ^ (unsigned char)*reason) * 16777619u;
	return 1 + h % (ATTEMPT_STEP - 1);
}

/* What is said of a payment, said of a reversal. */
static const char *state_of_row(const struct tax_row *row, const char *state)
{
	static const char *const words[][2] = {
		{"accepted", "refund_requested"},
		{"failed", "refund_refused"},
		{"in_doubt", "refund_in_doubt"},
		{"unknown", "refund_unknown"},
	};

	for (size_t i = 0; row->trade == TRADE_REVERSALS && i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(state, words[i][0]) == 0)
			return words[i][1];
	}
	return state;
}

static struct opt_id reversal_of(const struct tax_row *row)
{
	bool reversal = row->trade == TRADE_REVERSALS;

	return reversal ? (struct opt_id){true, row->subject} : (struct opt_id){0};
}
