/* One row a member. The tables are the only place that knows where a field lies in its struct;
 * codec_open compares them with the schemas, so that a member that is added to one of struct,
 * table and schema only is found at once. */
#include "events/types.h"
#include <stddef.h>
#include <string.h>

#define F(type, name, kind)                                              \
	{                                                                \
#name, kind, false, offsetof(struct type, name), 0, NULL \
	}
#define DEFAULTED(type, name, kind)                                     \
	{                                                               \
#name, kind, true, offsetof(struct type, name), 0, NULL \
	}
#define LIST(type, name, kind, count, items)                                                  \
	{                                                                                     \
#name, kind, true, offsetof(struct type, name), offsetof(struct type, count), \
			items                                                                 \
	}
#define SHAPE(record, type, table)                                                 \
	{                                                                          \
		record, sizeof(struct type), table, sizeof table / sizeof table[0] \
	}

static const struct member submission_opened[] = {
	F(submission_opened, submission_id, M_ID),    F(submission_opened, attempt_id, M_ID),
	F(submission_opened, sender, M_TEXT),	      F(submission_opened, receipt, M_TEXT),
	F(submission_opened, roster_sha256, M_TEXT),  F(submission_opened, year, M_INT),
	F(submission_opened, village, M_TEXT),	      F(submission_opened, received_at, M_TIME),
	DEFAULTED(submission_opened, reader, M_TEXT),
};

static const struct member defect[] = {
	F(ev_defect, code, M_TEXT),
	F(ev_defect, column, M_OPT_TEXT),
};
static const struct shape defect_shape = SHAPE("Defect", ev_defect, defect);

static const struct member subsidy_declared[] = {
	F(subsidy_declared, submission_id, M_ID),
	F(subsidy_declared, attempt_id, M_ID),
	F(subsidy_declared, row_no, M_INT),
	F(subsidy_declared, token, M_OPT_ID),
	F(subsidy_declared, amount_fen, M_OPT_LONG),
	F(subsidy_declared, cert_kind, M_OPT_TEXT),
	F(subsidy_declared, tier_fen, M_OPT_LONG),
	F(subsidy_declared, other_amount_fen, M_OPT_LONG),
	F(subsidy_declared, member, M_OPT_BOOL),
	F(subsidy_declared, identity, M_OPT_BYTES),
	F(subsidy_declared, cells, M_OPT_BYTES),
	LIST(subsidy_declared, defects, M_RECORDS, defect_count, &defect_shape),
};

static const struct member submission_closed[] = {
	F(submission_closed, submission_id, M_ID),
	F(submission_closed, attempt_id, M_ID),
	F(submission_closed, count, M_INT),
	F(submission_closed, amount_fen, M_LONG),
	F(submission_closed, digest, M_ID),
	F(submission_closed, stated_total_fen, M_OPT_LONG),
};

static const struct member gate[] = {
	F(ev_gate, gate, M_TEXT),	   F(ev_gate, date, M_DATE),
	F(ev_gate, until, M_OPT_DATE),	   F(ev_gate, document, M_OPT_TEXT),
	F(ev_gate, passed_by, M_OPT_TEXT), DEFAULTED(ev_gate, cites_roster, M_BOOL),
	F(ev_gate, result, M_OPT_TEXT),	   F(ev_gate, note, M_OPT_TEXT),
};
static const struct shape gate_shape = SHAPE("Gate", ev_gate, gate);

static const struct member gate_documents[] = {
	F(gate_documents, submission_id, M_ID),
	F(gate_documents, cover_id, M_ID),
	F(gate_documents, received_at, M_TIME),
	F(gate_documents, year, M_INT),
	F(gate_documents, village, M_TEXT),
	F(gate_documents, sponsor_type, M_TEXT),
	F(gate_documents, sponsor_id, M_ID),
	F(gate_documents, sponsor_code, M_OPT_TEXT),
	F(gate_documents, acceptance_no, M_OPT_TEXT),
	LIST(gate_documents, standards_fen, M_LONGS, standard_count, NULL),
	LIST(gate_documents, gates, M_RECORDS, gate_count, &gate_shape),
	F(gate_documents, annex_to, M_OPT_TEXT),
	F(gate_documents, reason, M_OPT_TEXT),
	F(gate_documents, approver, M_OPT_TEXT),
};

static const struct member source[] = {
	F(ev_source, kind, M_TEXT),
	F(ev_source, name, M_OPT_TEXT),
	F(ev_source, amount_fen, M_OPT_LONG),
};
static const struct shape source_shape = SHAPE("Source", ev_source, source);

static const struct member subsidy_plan[] = {
	F(subsidy_plan, plan_id, M_ID),
	F(subsidy_plan, document_id, M_ID),
	F(subsidy_plan, received_at, M_TIME),
	F(subsidy_plan, village, M_TEXT),
	F(subsidy_plan, sponsor_type, M_TEXT),
	F(subsidy_plan, sponsor_id, M_ID),
	F(subsidy_plan, sponsor_code, M_OPT_TEXT),
	F(subsidy_plan, first_year, M_INT),
	F(subsidy_plan, last_year, M_INT),
	LIST(subsidy_plan, sources, M_RECORDS, source_count, &source_shape),
	F(subsidy_plan, persons, M_TEXT),
	F(subsidy_plan, timing, M_TEXT),
	LIST(subsidy_plan, standards_fen, M_LONGS, standard_count, NULL),
	F(subsidy_plan, heads, M_OPT_INT),
	F(subsidy_plan, total_fen, M_OPT_LONG),
	LIST(subsidy_plan, gates, M_RECORDS, gate_count, &gate_shape),
};

static const struct member operation[] = {
	F(operation, operation_id, M_ID), F(operation, kind, M_TEXT),
	F(operation, subject, M_TEXT),	  F(operation, operator, M_TEXT),
	F(operation, reason, M_TEXT),	  F(operation, approval, M_OPT_TEXT),
	F(operation, decided_at, M_TIME), F(operation, argument, M_OPT_TEXT),
	F(operation, signature, M_OPT_BYTES),
};

static const struct member contribution_enquiry[] = {
	F(contribution_enquiry, token, M_ID),
	F(contribution_enquiry, year, M_INT),
	F(contribution_enquiry, attempt, M_INT),
	F(contribution_enquiry, identity, M_BYTES),
};

static const struct member contribution[] = {
	F(ev_contribution, for_year, M_INT),	     F(ev_contribution, kind, M_TEXT),
	DEFAULTED(ev_contribution, paid_by, M_TEXT), F(ev_contribution, tier_fen, M_LONG),
	F(ev_contribution, paid_on, M_DATE),	     F(ev_contribution, arrived_on, M_OPT_DATE),
	F(ev_contribution, refunded_on, M_OPT_DATE),
};
static const struct shape contribution_shape = SHAPE("Contribution", ev_contribution, contribution);

static const struct member outside[] = {
	F(ev_outside, for_year, M_INT),
	F(ev_outside, amount_fen, M_LONG),
};
static const struct shape outside_shape = SHAPE("Outside", ev_outside, outside);

static const struct member contribution_status[] = {
	F(contribution_status, token, M_ID),
	F(contribution_status, as_of, M_TIME),
	F(contribution_status, sequence, M_LONG),
	F(contribution_status, attempt, M_OPT_INT),
	F(contribution_status, insured, M_BOOL),
	F(contribution_status, insured_state, M_TEXT),
	F(contribution_status, pension_start, M_OPT_DATE),
	LIST(contribution_status, entries, M_RECORDS, entry_count, &contribution_shape),
	LIST(contribution_status, outside, M_RECORDS, outside_count, &outside_shape),
};

static const struct member contribution_feed_reached[] = {
	F(contribution_feed_reached, as_of, M_TIME),
	F(contribution_feed_reached, cursor, M_TEXT),
};

static const struct member subsidy_payment[] = {
	F(subsidy_payment, payment_id, M_ID),
	F(subsidy_payment, attempt, M_INT),
	F(subsidy_payment, year, M_INT),
	F(subsidy_payment, village, M_TEXT),
	F(subsidy_payment, sponsor_type, M_TEXT),
	F(subsidy_payment, sponsor_id, M_ID),
	F(subsidy_payment, sponsor_code, M_OPT_TEXT),
	F(subsidy_payment, token, M_ID),
	F(subsidy_payment, identity, M_BYTES),
	F(subsidy_payment, amount_fen, M_LONG),
	F(subsidy_payment, instructed_at, M_TIME),
	F(subsidy_payment, not_after, M_TIME),
	F(subsidy_payment, ask_first, M_BOOL),
};

static const struct member payment_reversal[] = {
	F(payment_reversal, reversal_id, M_ID),	 F(payment_reversal, payment_id, M_ID),
	F(payment_reversal, receipt, M_TEXT),	 F(payment_reversal, reason, M_TEXT),
	F(payment_reversal, amount_fen, M_LONG), DEFAULTED(payment_reversal, attempt, M_INT),
	DEFAULTED(payment_reversal, requested_at, M_TIME), DEFAULTED(payment_reversal, ask_first, M_BOOL),
};

static const struct member payment_enquiry[] = {
	F(payment_enquiry, payment_id, M_ID),
	F(payment_enquiry, attempt, M_INT),
	F(payment_enquiry, payment_attempt, M_INT),
	F(payment_enquiry, reversal_id, M_OPT_ID),
};

static const struct member collection_result[] = {
	F(collection_result, payment_id, M_ID),
	F(collection_result, state, M_TEXT),
	F(collection_result, reason, M_OPT_TEXT),
	F(collection_result, receipt, M_OPT_TEXT),
	F(collection_result, amount_fen, M_OPT_LONG),
	F(collection_result, at, M_TIME),
	DEFAULTED(collection_result, sequence, M_LONG),
	DEFAULTED(collection_result, attempt, M_INT),
	F(collection_result, batch, M_OPT_TEXT),
	F(collection_result, reversal_id, M_OPT_ID),
};

static const struct member collected_subsidy[] = {
	F(collected_subsidy, payment_id, M_ID),	      F(collected_subsidy, token, M_ID),
	F(collected_subsidy, identity, M_BYTES),      F(collected_subsidy, year, M_INT),
	F(collected_subsidy, version, M_INT),	      F(collected_subsidy, village, M_TEXT),
	F(collected_subsidy, sponsor_type, M_TEXT),   F(collected_subsidy, amount_fen, M_LONG),
	F(collected_subsidy, receipt, M_TEXT),	      F(collected_subsidy, paid_at, M_TIME),
	F(collected_subsidy, in_treasury_at, M_TIME),
};

static const struct member subsidy_refunded[] = {
	F(subsidy_refunded, payment_id, M_ID),	   F(subsidy_refunded, token, M_ID),
	F(subsidy_refunded, identity, M_BYTES),	   F(subsidy_refunded, year, M_INT),
	F(subsidy_refunded, version, M_INT),	   F(subsidy_refunded, village, M_TEXT),
	F(subsidy_refunded, sponsor_type, M_TEXT), F(subsidy_refunded, amount_fen, M_LONG),
	F(subsidy_refunded, receipt, M_TEXT),	   F(subsidy_refunded, refunded_at, M_TIME),
};

static const struct member credit_result[] = {
	F(credit_result, payment_id, M_ID),   F(credit_result, amount_fen, M_LONG),
	F(credit_result, at, M_TIME),	      F(credit_result, sequence, M_LONG),
	F(credit_result, reason, M_OPT_TEXT),
};

static const struct member stat[] = {
	F(ev_stat, column, M_TEXT),
	F(ev_stat, count, M_LONG),
	F(ev_stat, amount_fen, M_LONG),
};
static const struct shape stat_shape = SHAPE("Stat", ev_stat, stat);

static const struct member collection_statistics[] = {
	F(collection_statistics, year, M_INT),
	F(collection_statistics, village, M_TEXT),
	F(collection_statistics, sponsor_type, M_TEXT),
	F(collection_statistics, version, M_LONG),
	F(collection_statistics, as_of, M_TIME),
	F(collection_statistics, declared_count, M_LONG),
	F(collection_statistics, declared_fen, M_LONG),
	F(collection_statistics, collected_count, M_LONG),
	F(collection_statistics, collected_fen, M_LONG),
	F(collection_statistics, kept_count, M_LONG),
	F(collection_statistics, kept_fen, M_LONG),
	LIST(collection_statistics, columns, M_RECORDS, column_count, &stat_shape),
};

static const struct member row_answer[] = {
	F(row_answer, submission_id, M_ID),  F(row_answer, row_no, M_INT),
	F(row_answer, version, M_INT),	     F(row_answer, result, M_TEXT),
	F(row_answer, code, M_OPT_TEXT),     F(row_answer, column, M_OPT_TEXT),
	F(row_answer, detail, M_OPT_TEXT),   F(row_answer, warning, M_OPT_TEXT),
	F(row_answer, final, M_BOOL),	     F(row_answer, amount_fen, M_OPT_LONG),
	F(row_answer, payment_id, M_OPT_ID),
};

static const struct member submission_answer[] = {
	F(submission_answer, submission_id, M_ID),  F(submission_answer, receipt, M_TEXT),
	F(submission_answer, version, M_INT),	    F(submission_answer, state, M_TEXT),
	F(submission_answer, code, M_OPT_TEXT),	    F(submission_answer, detail, M_OPT_TEXT),
	F(submission_answer, rows, M_INT),	    F(submission_answer, accepted, M_INT),
	F(submission_answer, mend, M_INT),	    F(submission_answer, waiting, M_INT),
	F(submission_answer, done, M_INT),	    F(submission_answer, amount_fen, M_LONG),
	F(submission_answer, accepted_fen, M_LONG), F(submission_answer, done_fen, M_LONG),
	F(submission_answer, deadline, M_OPT_DATE), F(submission_answer, final, M_BOOL),
};

static const struct member book_request[] = {
	F(book_request, run_id, M_ID), F(book_request, system, M_TEXT),
	F(book_request, kind, M_TEXT), F(book_request, year, M_INT),
	F(book_request, from, M_TIME), F(book_request, to, M_TIME),
};

static const struct member book_opened[] = {
	F(book_opened, run_id, M_ID),
	F(book_opened, from, M_TIME),
	F(book_opened, to, M_TIME),
	DEFAULTED(book_opened, attempt, M_LONG),
};

static const struct member book_entry[] = {
	F(book_entry, run_id, M_ID),	    F(book_entry, payment_id, M_OPT_ID),
	F(book_entry, token, M_OPT_ID),	    F(book_entry, amount_fen, M_LONG),
	F(book_entry, at, M_TIME),	    F(book_entry, state, M_TEXT),
	F(book_entry, receipt, M_OPT_TEXT), DEFAULTED(book_entry, attempt, M_LONG),
	DEFAULTED(book_entry, seq, M_LONG),
};

static const struct member book_closed[] = {
	F(book_closed, run_id, M_ID),
	F(book_closed, count, M_LONG),
	F(book_closed, amount_fen, M_LONG),
	DEFAULTED(book_closed, attempt, M_LONG),
	DEFAULTED(book_closed, as_of, M_TIME),
};

static const struct member feed_position[] = {
	F(feed_position, feed, M_TEXT),
	F(feed_position, cursor, M_TEXT),
	F(feed_position, as_of, M_TIME),
};

static const struct member rejected_event[] = {
	F(rejected_event, topic, M_TEXT),
	F(rejected_event, partition, M_INT),
	F(rejected_event, offset, M_LONG),
	F(rejected_event, event_id, M_ID),
	F(rejected_event, event_type, M_OPT_TEXT),
	F(rejected_event, reason, M_TEXT),
	F(rejected_event, detail, M_OPT_TEXT),
	F(rejected_event, bytes, M_BYTES),
	F(rejected_event, at, M_TIME),
};

static const struct shape shapes[EVENT_TYPES] = {
	[EV_SUBMISSION_OPENED] = SHAPE("SubmissionOpened", submission_opened, submission_opened),
	[EV_SUBSIDY_DECLARED] = SHAPE("SubsidyDeclared", subsidy_declared, subsidy_declared),
	[EV_SUBMISSION_CLOSED] = SHAPE("SubmissionClosed", submission_closed, submission_closed),
	[EV_GATE_DOCUMENTS] = SHAPE("GateDocuments", gate_documents, gate_documents),
	[EV_SUBSIDY_PLAN] = SHAPE("SubsidyPlan", subsidy_plan, subsidy_plan),
	[EV_OPERATION] = SHAPE("Operation", operation, operation),
	[EV_CONTRIBUTION_ENQUIRY] =
		SHAPE("ContributionEnquiry", contribution_enquiry, contribution_enquiry),
	[EV_CONTRIBUTION_STATUS] =
		SHAPE("ContributionStatus", contribution_status, contribution_status),
	[EV_CONTRIBUTION_FEED_REACHED] = SHAPE("ContributionFeedReached", contribution_feed_reached,
					       contribution_feed_reached),
	[EV_SUBSIDY_PAYMENT] = SHAPE("SubsidyPayment", subsidy_payment, subsidy_payment),
	[EV_PAYMENT_REVERSAL] = SHAPE("PaymentReversal", payment_reversal, payment_reversal),
	[EV_PAYMENT_ENQUIRY] = SHAPE("PaymentEnquiry", payment_enquiry, payment_enquiry),
	[EV_COLLECTION_RESULT] = SHAPE("CollectionResult", collection_result, collection_result),
	[EV_COLLECTED_SUBSIDY] = SHAPE("CollectedSubsidy", collected_subsidy, collected_subsidy),
	[EV_SUBSIDY_REFUNDED] = SHAPE("SubsidyRefunded", subsidy_refunded, subsidy_refunded),
	[EV_ACCOUNT_CREDITED] = SHAPE("AccountCredited", credit_result, credit_result),
	[EV_CREDIT_REFUSED] = SHAPE("CreditRefused", credit_result, credit_result),
	[EV_ACCOUNT_DEBITED] = SHAPE("AccountDebited", credit_result, credit_result),
	[EV_DEBIT_REFUSED] = SHAPE("DebitRefused", credit_result, credit_result),
	[EV_COLLECTION_STATISTICS] =
		SHAPE("CollectionStatistics", collection_statistics, collection_statistics),
	[EV_ROW_ANSWER] = SHAPE("RowAnswer", row_answer, row_answer),
	[EV_SUBMISSION_ANSWER] = SHAPE("SubmissionAnswer", submission_answer, submission_answer),
	[EV_BOOK_REQUEST] = SHAPE("BookRequest", book_request, book_request),
	[EV_BOOK_OPENED] = SHAPE("BookOpened", book_opened, book_opened),
	[EV_BOOK_ENTRY] = SHAPE("BookEntry", book_entry, book_entry),
	[EV_BOOK_CLOSED] = SHAPE("BookClosed", book_closed, book_closed),
	[EV_FEED_POSITION] = SHAPE("FeedPosition", feed_position, feed_position),
	[EV_REJECTED_EVENT] = SHAPE("RejectedEvent", rejected_event, rejected_event),
};

/* How each kind is written in a schema of ours. */
static const struct {
	enum schema_type type;
	const char *logical;
	bool null; /* ["null", type] */
} kinds[MEMBER_KINDS] = {
	[M_ID] = {SCH_FIXED, NULL, false},	  [M_OPT_ID] = {SCH_FIXED, NULL, true},
	[M_INT] = {SCH_INT, NULL, false},	  [M_DATE] = {SCH_INT, "date", false},
	[M_LONG] = {SCH_LONG, NULL, false},	  [M_TIME] = {SCH_LONG, "timestamp-millis", false},
	[M_BOOL] = {SCH_BOOLEAN, NULL, false},	  [M_OPT_INT] = {SCH_INT, NULL, true},
	[M_OPT_DATE] = {SCH_INT, "date", true},	  [M_OPT_LONG] = {SCH_LONG, NULL, true},
	[M_OPT_BOOL] = {SCH_BOOLEAN, NULL, true}, [M_TEXT] = {SCH_STRING, NULL, false},
	[M_OPT_TEXT] = {SCH_STRING, NULL, true},  [M_BYTES] = {SCH_BYTES, NULL, false},
	[M_OPT_BYTES] = {SCH_BYTES, NULL, true},  [M_LONGS] = {SCH_ARRAY, NULL, false},
	[M_RECORDS] = {SCH_ARRAY, NULL, false},
};

const struct shape *shape_of(enum event_type t)
{
	return (unsigned)t < EVENT_TYPES ? &shapes[t] : NULL;
}

const struct member *shape_find(const struct shape *s, const char *name)
{
	for (int i = 0; i < s->count; i++) {
		if (!strcmp(s->members[i].name, name))
			return &s->members[i];
	}
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool member_agrees(const struct member *m, const struct schema_node *f)
{
	bool null = kinds[m->kind].null;
	const struct schema_node *n = f;

	if (strcmp(f->field, m->name) ||
	    f->dflt != (m->dflt || null ? DEFAULT_EMPTY : DEFAULT_NONE))
		return false;
	if (null && (n->type != SCH_UNION || n->count != 2 || n->child->type != SCH_NULL))
		return false;
	if (null)
		n = n->child->next;
	if (n->type != kinds[m->kind].type || !same_text(n->logical, kinds[m->kind].logical))
		return false;
	if (n->type == SCH_FIXED)
		return n->size == ID_LEN;
	if (n->type == SCH_ARRAY)
		return n->child->type == (m->kind == M_LONGS ? SCH_LONG : SCH_RECORD);
	return true;
}

int shape_agree(const struct shape *s, const struct schema_node *record, struct err *e)
{
	const struct schema_node *f = record->child;
	const char *dot = strrchr(record->name, '.');

	if (record->type != SCH_RECORD || dot == NULL || strcmp(dot + 1, s->name) || f == NULL)
		return err_set(e, ERR_CONF, "schema %s: is not that record", s->name);
	for (int i = 0; i < s->count; i++, f = f->next) {
		const struct member *m = &s->members[i];

		if (f == NULL || !member_agrees(m, f))
			return err_set(e, ERR_CONF, "schema %s: differs from the program at %s",
				       s->name, m->name);
		if (m->items && shape_agree(m->items, f->child, e))
			return -1;
	}
	if (f)
		return err_set(e, ERR_CONF, "schema %s: the program does not know %s", s->name,
			       f->field);
	return 0;
}
