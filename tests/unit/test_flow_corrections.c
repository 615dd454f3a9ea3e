/* Rows that are taken out again: when that is still possible, and what becomes of the money they reserved. */
#include "flow/internal.h"
#undef COUNT /* of counters there, of arrays in the tests */
#include "tests/lib/flow_test.h"

/* As an order of a person does: in a transaction of its own. */
static int take_out(struct flow_world *w, int64_t no)
{
	struct err e = {0};
	struct decl *d;
	struct id cause = fw_token(99);
	assert_int_equal(ledger_begin(w->ledger, &e), 0);
	assert_int_equal(decl_get(w->ledger, no, &d, &e), 0);
	int rc = withdraw_row(w->flow, d, "annex", &cause, &e);
	if (rc < 0 || flow_answer_submissions(w->flow, &e) != 0 || flow_publish_statistics(w->flow, &e) != 0 ||
	    ledger_commit(w->ledger, &e) != 0 || outbox_publish(w->ledger, w->gateway_bus, NULL, &e) != 0)
		fail_msg("%s", e.text);
	fw_turns(w);
	return rc;
}

static void a_pending_row_is_taken_out_and_its_room_is_free(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = filed_by(w, "first", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 300000, NULL}}, 1);
	struct id other = filed_by(w, "second", SPONSOR_CHARITY, "S2", (struct fw_row[]){{1, 300000, NULL}}, 1);
	ANSWERED(w, other, 5, "cap_b_exceeded", true);
	assert_int_equal(take_out(w, 1), 1);
	ANSWERED(w, sub, 5, "withdrawn", true);
	assert_int_equal(fw_statement(w).count[SC_WITHDRAWN], 1);
	assert_int_equal(fw_rebuild(w, sub), 1);
	/* the SSA's word instructs nothing any more, and the room is there for another */
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	other = filed_by(w, "third", SPONSOR_CHARITY, "S2", (struct fw_row[]){{1, 300000, NULL}}, 1);
	ANSWERED(w, other, 5, "pending", false);
}

static void what_has_ended_or_was_instructed_stays(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {0, 50000, "id_check_digit"}};
	struct id sub = filed_by(w, "first", SPONSOR_COLLECTIVE, "S1", rows, 2);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(take_out(w, 1), 0);
	assert_int_equal(take_out(w, 2), 0);
	assert_int_equal(fw_answer_of(w, sub, 5).final, false);
	assert_int_equal(fw_statement(w).count[SC_IN_FLIGHT], 1);
	ANSWERED(w, sub, 6, "id_check_digit", true);
	assert_int_equal(fw_statement(w).count[SC_WITHDRAWN], 0);
}

static void a_staged_row_is_taken_out_and_no_cover_brings_it_back(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2, true);
	fw_turns(w);
	assert_int_equal(take_out(w, 1), 1);
	assert_int_equal(take_out(w, 1), 0);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	ANSWERED(w, sub, 5, "withdrawn", true);
	ANSWERED(w, sub, 6, "pending", false);
	assert_int_equal(fw_rebuild(w, sub), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_pending_row_is_taken_out_and_its_room_is_free),
		T(what_has_ended_or_was_instructed_stays),
		T(a_staged_row_is_taken_out_and_no_cover_brings_it_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
