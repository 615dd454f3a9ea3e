/* Reversals: asked for by a person, answered by the bureau in any order, and what the SSA's later word means for a payment. */
#include "tests/lib/flow_test.h"

static const char *reverse(struct flow_world *w, struct id pid, const char *reason)
{
	const char *refused = fw_reverse(w, pid, reason);
	fw_turns(w);
	return refused;
}

/* What the bureau, or the adapter, says of a reversal. */
static struct collection_result word(struct id pid, struct id reversal, const char *state, int attempt, int64_t sequence)
{
	return (struct collection_result){.payment_id = pid, .state = str_of(state), .at = at(FW_NOW), .sequence = sequence,
					  .attempt = attempt, .reversal_id = {true, reversal}};
}

static void tell(struct flow_world *w, struct id pid, const char *state, int attempt, int64_t sequence)
{
	struct payment_reversal r;
	assert_true(fw_count(w, EV_PAYMENT_REVERSAL, &r) > 0);
	struct collection_result ev = word(pid, r.reversal_id, state, attempt, sequence);
	ev.at = clock_now(&w->clock);
	fw_publish(w, EV_COLLECTION_RESULT, &ev, pid);
	fw_turns(w);
}

static struct id collected(struct flow_world *w, bool credited, struct id *pid)
{
	struct id sub = one_payment(w, true, pid);
	struct collection_result r = {.payment_id = *pid, .state = STR("in_treasury"), .at = at(FW_NOW), .sequence = 10,
				      .receipt = STR("333000000000000001"), .amount_fen = {true, 50000}};
	fw_publish(w, EV_COLLECTION_RESULT, &r, *pid);
	fw_turns(w);
	if (credited)
		fw_credit(w, EV_ACCOUNT_CREDITED, *pid, 50000);
	fw_turns(w);
	return sub;
}

/* */
static void a_reversal_ends_in_the_refund(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_reversal r;
	struct id pid, sub = collected(w, true, &pid);
	assert_null(reverse(w, pid, "04"));
	assert_int_equal(fw_count(w, EV_PAYMENT_REVERSAL, &r), 1);
	assert_true(str_is(r.receipt, "333000000000000001") && str_is(r.reason, "04") && id_eq(&r.payment_id, &pid));
	assert_true(r.amount_fen == 50000 && r.attempt == 1 && !r.ask_first);
	assert_in_range(r.requested_at, at(FW_NOW), at(FW_NOW) + 60000);
	ANSWERED(w, sub, 5, "refund_requested", true); /* after the final answer only final ones */
	assert_int_equal(fw_statement(w).count[SC_REFUND_REQUESTED], 1);
	tell(w, pid, "refund_requested", 1, 11);
	fw_time(w, "2026-12-26T09:00:00+08:00"); /* taken: the bureau is not asked any more */
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 0);
	tell(w, pid, "refunded", 0, 12);
	ANSWERED(w, sub, 5, "refunded", true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_REFUNDED, NULL), 1);
	fw_credit(w, EV_ACCOUNT_DEBITED, pid, 50000);
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
	assert_int_equal(differences(w), 0);
	assert_int_equal(fw_rebuild(w, sub), 1);
	/* tuple and cap are free: a corrected declaration is another payment */
	filed_by(w, "mended", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 60000, NULL}}, 1);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	struct subsidy_payment p;
	struct id next = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 1);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 2);
	assert_true(id_eq(&p.payment_id, &next));
}

static void what_cannot_be_reversed_is_refused(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, none = fw_token(77);
	one_payment(w, true, &pid);
	assert_string_equal(reverse(w, none, "04"), "subject_not_found");
	assert_string_equal(reverse(w, pid, "04"), "not_collected");
	assert_string_equal(reverse(w, pid, "05"), "reversal_reason_unknown");
	struct collection_result r = {.payment_id = pid, .state = STR("paid"), .at = at(FW_NOW), .sequence = 9};
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_string_equal(reverse(w, pid, "04"), "no_receipt");
	r.sequence = 10;
	r.receipt = STR("333000000000000001");
	r.state = STR("in_treasury");
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_null(reverse(w, pid, "03"));
	assert_string_equal(reverse(w, pid, "03"), "already_being_reversed");
	tell(w, pid, "refunded", 0, 11);
	assert_string_equal(reverse(w, pid, "03"), "already_refunded");
	assert_int_equal(fw_count(w, EV_PAYMENT_REVERSAL, NULL), 1);
}

static void a_refusal_leaves_the_payment_what_it_was(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_reversal first, second;
	struct id pid, sub = collected(w, false, &pid);
	assert_null(reverse(w, pid, "04"));
	fw_count(w, EV_PAYMENT_REVERSAL, &first);
	ANSWERED(w, sub, 5, "refund_requested", false);
	tell(w, pid, "refund_in_doubt", 1, 0);
	assert_int_equal(fw_statement(w).count[SC_REFUND_IN_DOUBT], 1);
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000); /* meanwhile: told only when the reversal is over */
	fw_turns(w);
	ANSWERED(w, sub, 5, "refund_requested", false);
	tell(w, pid, "refund_refused", 1, 11);
	ANSWERED(w, sub, 5, "refund_refused", true);
	assert_int_equal(fw_statement(w).count[SC_CREDITED], 1);
	tell(w, pid, "refund_refused", 1, 11); /* a repeat */
	/* it may be asked for again, as another one */
	assert_null(reverse(w, pid, "04"));
	assert_int_equal(fw_count(w, EV_PAYMENT_REVERSAL, &second), 2);
	assert_false(id_eq(&first.reversal_id, &second.reversal_id));
	struct collection_result late = word(pid, first.reversal_id, "refund_refused", 1, 12); /* of the first: old */
	fw_publish(w, EV_COLLECTION_RESULT, &late, pid);
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_REFUND_REQUESTED], 1);
	tell(w, pid, "refund_refused", 1, 13);
	assert_int_equal(fw_statement(w).count[SC_CREDITED], 1);
	assert_int_equal(differences(w), 0);
	assert_int_equal(fw_rebuild(w, sub), 1);
}

/* Asked by id; sent again only when the bureau never had it, past the settlement delay or under the key. */
static void a_doubt_about_a_reversal_is_asked_for(void **state)
{
	for (int keyed = 0; keyed < 2; keyed++) {
		struct flow_world *w = WORLD(state);
		struct payment_enquiry q;
		struct payment_reversal r;
		struct id pid, sub = collected(w, true, &pid);
		w->conf.tax_terms.keys = keyed ? KEYS_HONOURED : KEYS_NONE;
		w->conf.tax_terms.key_window_ms = 86400000;
		assert_null(reverse(w, pid, "04"));
		tell(w, pid, "refund_in_doubt", 1, 0);
		fw_time(w, "2026-12-24T09:01:30+08:00");
		fw_turns(w);
		assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, &q), 1);
		fw_count(w, EV_PAYMENT_REVERSAL, &r);
		assert_true(q.reversal_id.set && id_eq(&q.reversal_id.v, &r.reversal_id) && q.payment_attempt == 1);
		tell(w, pid, "refund_unknown", q.attempt, 0);
		assert_int_equal(fw_count(w, EV_PAYMENT_REVERSAL, &r), keyed ? 2 : 1);
		fw_time(w, "2026-12-24T09:12:00+08:00");
		fw_turns(w);
		fw_count(w, EV_PAYMENT_ENQUIRY, &q);
		if (!keyed)
			tell(w, pid, "refund_unknown", q.attempt, 0);
		assert_int_equal(fw_count(w, EV_PAYMENT_REVERSAL, &r), 2);
		assert_int_equal(r.attempt, 2);
		tell(w, pid, "refund_unknown", q.attempt, 0); /* told again: nothing about the second attempt */
		tell(w, pid, "refund_refused", 1, 0);	      /* the adapter's word about the first */
		assert_int_equal(fw_statement(w).count[SC_REFUND_REQUESTED], 1);
		tell(w, pid, "refund_in_doubt", 2, 0);
		tell(w, pid, "refund_requested", 0, 12); /* what the query says */
		assert_int_equal(fw_statement(w).count[SC_REFUND_REQUESTED], 1);
		tell(w, pid, "refunded", 0, 13);
		assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
		assert_int_equal(fw_rebuild(w, sub), 1);
		assert_int_equal(differences(w), 0);
		if (!keyed) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
	}
}

/* A reversal whose result never came is asked for when it is due. */
static void silence_is_asked_about(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_enquiry q;
	struct id pid;
	collected(w, true, &pid);
	assert_null(reverse(w, pid, "04"));
	restart(w);
	fw_time(w, "2026-12-24T10:30:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, &q), 1);
	tell(w, pid, "refund_unknown", q.attempt, 0); /* was it sent at all? in doubt first */
	assert_int_equal(fw_statement(w).count[SC_REFUND_IN_DOUBT], 1);
	assert_int_equal(fw_count(w, EV_PAYMENT_REVERSAL, NULL), 1);
}

static void odd_answers_are_for_a_person(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	collected(w, true, &pid);
	struct collection_result r = word(pid, fw_token(55), "refund_refused", 1, 11);
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid); /* a reversal that nobody asked for */
	fw_turns(w);
	assert_int_equal(differences(w), 1);
	assert_null(reverse(w, pid, "04"));
	struct payment_reversal own;
	fw_count(w, EV_PAYMENT_REVERSAL, &own);
	r = word(pid, own.reversal_id, "refunded", 0, 12);
	r.amount_fen = (struct opt_long){true, 40000}; /* other than asked */
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_int_equal(differences(w), 2);
	assert_int_equal(fw_statement(w).count[SC_REFUND_REQUESTED], 1);
	r = word(pid, own.reversal_id, "refund_lost", 0, 13);
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_int_equal(differences(w), 3);
	/* the money is refunded, whatever reversal the bureau names */
	r = word(pid, fw_token(56), "refunded", 0, 14);
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_int_equal(differences(w), 4);
	assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
	tell(w, pid, "refund_refused", 1, 15);
	assert_int_equal(differences(w), 5);
	assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
}

/* Asked for when the bureau was refunding by itself. */
static void a_refusal_because_it_is_refunded_is_no_contradiction(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_reversal own;
	struct id pid;
	collected(w, true, &pid);
	assert_null(reverse(w, pid, "04"));
	fw_result_seq(w, pid, "refunded", 11, 50000);
	fw_turns(w);
	fw_count(w, EV_PAYMENT_REVERSAL, &own);
	struct collection_result r = word(pid, own.reversal_id, "refund_refused", 1, 12);
	r.reason = STR("refund_already_refunded");
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_int_equal(differences(w), 0);
	assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
}

static void refunded_after_all_is_told(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	collected(w, true, &pid);
	assert_null(reverse(w, pid, "04"));
	tell(w, pid, "refund_refused", 1, 11);
	tell(w, pid, "refunded", 0, 12);
	assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
	assert_int_equal(differences(w), 1);
	assert_int_equal(fw_count(w, EV_SUBSIDY_REFUNDED, NULL), 1);
}

/* The bureau refunds by itself while it is asked to: one refund. */
static void a_refund_without_a_name_ends_the_reversal(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	collected(w, true, &pid);
	assert_null(reverse(w, pid, "04"));
	fw_result_seq(w, pid, "refunded", 11, 50000);
	fw_turns(w);
	tell(w, pid, "refunded", 0, 11);
	assert_int_equal(fw_count(w, EV_SUBSIDY_REFUNDED, NULL), 1);
	fw_time(w, "2026-12-26T09:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 0);
	assert_int_equal(differences(w), 0);
}

/* Refunded when it was paid, and in the treasury afterwards, by the bureau's own order: the SSA must not credit it. */
static void what_was_refunded_is_not_fed_back(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, true, &pid);
	fw_result_seq(w, pid, "paid", 10, 50000);
	fw_turns(w);
	assert_null(reverse(w, pid, "04"));
	tell(w, pid, "refunded", 0, 11);
	fw_result_seq(w, pid, "in_treasury", 12, 50000);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, NULL), 0);
	assert_int_equal(fw_count(w, EV_SUBSIDY_REFUNDED, NULL), 0);
	assert_int_equal(differences(w), 1);
	ANSWERED(w, sub, 5, "refunded", true);
}

/* A reversal may be asked for, and answered, years after the payment. */
static void a_reversal_belongs_to_no_year(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	collected(w, true, &pid);
	fw_time(w, "2029-03-01T09:00:00+08:00");
	assert_null(reverse(w, pid, "03"));
	tell(w, pid, "refund_requested", 1, 11);
	tell(w, pid, "refund_refused", 1, 12);
	assert_int_equal(differences(w), 0);
	assert_int_equal(fw_statement(w).count[SC_CREDITED], 1);
}

/* ---- the contribution is refunded later ---- */

static void status(struct flow_world *w, bool refunded, int pension_start)
{
	struct ev_contribution entry = {2026, STR("10"), STR("1"), 100000, 20700, {true, 20701}, {refunded, 20815}};
	struct contribution_status s = {.token = fw_token(1), .as_of = clock_now(&w->clock), .sequence = ++w->sequence, .insured = true,
					.insured_state = STR("1"), .pension_start = {pension_start > 0, pension_start},
					.entries = &entry, .entry_count = 1};
	fw_publish(w, EV_CONTRIBUTION_STATUS, &s, s.token);
	fw_turns(w);
}

/* */
static void a_contribution_refunded_later_is_a_question(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = collected(w, true, &pid);
	int events = fw_count(w, EV_ROW_ANSWER, NULL);
	status(w, false, 0);
	assert_int_equal(differences(w), 0);
	fw_time(w, "2027-03-01T09:00:00+08:00");
	status(w, false, 20819); /* 2027-01-01: draws a pension since then, and was entitled */
	assert_int_equal(differences(w), 0);
	status(w, true, 0);
	status(w, true, 0); /* the same word once more */
	assert_int_equal(differences(w), 1);
	status(w, true, 20700); /* another word: drew a pension before */
	assert_int_equal(differences(w), 2);
	ANSWERED(w, sub, 5, "credited", true);
	assert_int_equal(fw_statement(w).count[SC_CREDITED], 1);
	assert_int_equal(fw_count(w, EV_ROW_ANSWER, NULL), events);
	assert_int_equal(fw_count(w, EV_PAYMENT_REVERSAL, NULL), 0);
	/* a person decides; while it is being reversed nobody is asked again */
	assert_null(reverse(w, pid, "04"));
	tell(w, pid, "refunded", 0, 12);
	status(w, true, 20600);
	assert_int_equal(differences(w), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reversal_ends_in_the_refund),
		T(what_cannot_be_reversed_is_refused),
		T(a_refusal_leaves_the_payment_what_it_was),
		T(a_doubt_about_a_reversal_is_asked_for),
		T(silence_is_asked_about),
		T(odd_answers_are_for_a_person),
		T(a_refusal_because_it_is_refunded_is_no_contradiction),
		T(refunded_after_all_is_told),
		T(a_refund_without_a_name_ends_the_reversal),
		T(what_was_refunded_is_not_fed_back),
		T(a_reversal_belongs_to_no_year),
		T(a_contribution_refunded_later_is_a_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
