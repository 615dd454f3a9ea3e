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

/* ---- annexes ---- */

static void annex_cover(struct flow_world *w, struct id sub, const char *to, const char *sponsor, int64_t later)
{
	struct gate_documents g = {.submission_id = sub, .received_at = at(FW_NOW) + later, .year = 2026, .village = STR(FW_VILLAGE),
				   .sponsor_type = STR("collective"), .annex_to = str_of(to), .reason = STR("moved away"),
				   .approver = STR("town")};
	sponsor_id(&g.sponsor_id, g.sponsor_type, str_of(sponsor));
	decision_id(&g.cover_id, STR("cover"), &sub, g.received_at);
	fw_publish(w, EV_GATE_DOCUMENTS, &g, sub);
	fw_turns(w);
}

static struct id annex(struct flow_world *w, const char *name, const char *to, const struct fw_row *rows, int n)
{
	struct id sub = fw_roster(w, "v1", name, FW_VILLAGE, rows, n, true);
	annex_cover(w, sub, to, "S1", 0);
	return sub;
}

static struct submission_answer last_told(struct flow_world *w)
{
	struct submission_answer s;
	assert_true(fw_count(w, EV_SUBMISSION_ANSWER, &s) > 0);
	return s;
}

/* */
static void an_annex_takes_out_and_lowers(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 60000, NULL}, {2, 60000, NULL}, {3, 60000, NULL}};
	struct id sub = filed_by(w, "first", SPONSOR_COLLECTIVE, "S1", rows, 3);
	/* before it another sponsor's roster names one of them: that is another matter */
	struct id other = filed_by(w, "other", SPONSOR_CHARITY, "S2", (struct fw_row[]){{3, 10000, NULL}}, 1);
	struct id a = annex(w, "annex", "first", (struct fw_row[]){{1, 60000, NULL}, {2, 50000, NULL}}, 2);
	ANSWERED(w, sub, 5, "pending", false);
	ANSWERED(w, sub, 6, "withdrawn", true);
	ANSWERED(w, sub, 7, "withdrawn", true);
	ANSWERED(w, a, 5, "already_accepted", true);
	ANSWERED(w, a, 6, "pending", false);
	ANSWERED(w, other, 5, "pending", false);
	assert_int_equal(fw_statement(w).count[SC_WITHDRAWN], 2);
	/* a second one, to the same roster: what the first annex lowered can be taken out as well */
	struct id b = annex(w, "annex 2", "first", (struct fw_row[]){{1, 20000, NULL}}, 1);
	ANSWERED(w, a, 6, "withdrawn", true);
	ANSWERED(w, b, 5, "pending", false);
	ANSWERED(w, sub, 5, "withdrawn", true);
	for (int i = 1; i <= 3; i++)
		fw_status(w, i, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 2); /* person 1 over 200 yuan, and the charity's */
	fw_statement(w);
	assert_int_equal(fw_rebuild(w, sub), 3);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 0);
	assert_int_equal(differences(w), 0);
}

/* */
static void an_annex_adds_and_raises_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct id sub = filed_by(w, "first", SPONSOR_COLLECTIVE, "S1", rows, 2);
	struct fw_row more[] = {{1, 60000, NULL}, {2, 50000, NULL}, {3, 50000, NULL}};
	struct id a = annex(w, "annex", "first", more, 3);
	ANSWERED(w, a, 5, "annex_raises_row", true);
	ANSWERED(w, a, 6, "already_accepted", true);
	ANSWERED(w, a, 7, "annex_adds_row", true);
	ANSWERED(w, sub, 5, "pending", false);
	/* what is added goes its own way, as a supplement */
	struct id s = filed_by(w, "supplement", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 50000, NULL}, {3, 50000, NULL}}, 2);
	ANSWERED(w, s, 5, "already_accepted", true);
	ANSWERED(w, s, 6, "pending", false);
	/* and an annex to the first takes nothing out of the supplement */
	a = annex(w, "annex 3", "first", (struct fw_row[]){{1, 50000, NULL}, {3, 20000, NULL}}, 2);
	ANSWERED(w, a, 6, "annex_adds_row", true);
	ANSWERED(w, s, 6, "pending", false);
	annex(w, "annex 2", "first", (struct fw_row[]){{1, 50000, NULL}}, 1);
	ANSWERED(w, sub, 6, "withdrawn", true);
	ANSWERED(w, s, 6, "pending", false);
}

/* */
static void what_was_instructed_stays_in(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}, {3, 50000, NULL}};
	struct id sub = filed_by(w, "first", SPONSOR_COLLECTIVE, "S1", rows, 3);
	fw_status(w, 1, true, FW_NOW);
	fw_status(w, 2, true, FW_NOW);
	fw_turns(w);
	struct id a = annex(w, "annex", "first", (struct fw_row[]){{2, 20000, NULL}}, 1);
	ANSWERED(w, a, 5, "already_instructed", true); /* so nobody is taken out */
	ANSWERED(w, sub, 7, "pending", false);
	a = annex(w, "annex 2", "first", (struct fw_row[]){{2, 50000, NULL}}, 1);
	ANSWERED(w, sub, 7, "withdrawn", true);
	struct submission *kept;
	struct err e = {0};
	assert_int_equal(submission_find(w->ledger, &a, &kept, &e), 0);
	assert_string_equal(kept->code, "annex_partly");
	assert_string_equal(kept->detail, "1");
	ledger_rollback(w->ledger);
	assert_int_equal(fw_statement(w).count[SC_IN_FLIGHT], 2);
	assert_int_equal(differences(w), 0);
}

/* */
static void a_slip_in_an_annex_takes_nobody_out(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct id sub = filed_by(w, "first", SPONSOR_COLLECTIVE, "S1", rows, 2);
	annex(w, "annex", "first", (struct fw_row[]){{1, 50000, NULL}, {0, 50000, "id_check_digit"}}, 2);
	ANSWERED(w, sub, 6, "pending", false);
	assert_true(str_is(last_told(w).code, "annex_not_clean"));
}

static void an_annex_waits_for_its_roster(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id a = fw_roster(w, "v1", "annex", FW_VILLAGE, (struct fw_row[]){{1, 50000, NULL}}, 1, true);
	annex_cover(w, a, "first", "S1", 0);
	assert_true(str_is(last_told(w).code, "annex_roster_missing"));
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct id sub = filed_by(w, "first", SPONSOR_COLLECTIVE, "S1", rows, 2);
	ANSWERED(w, sub, 5, "pending", false);
	ANSWERED(w, sub, 6, "withdrawn", true);
	ANSWERED(w, a, 5, "already_accepted", true);
	/* of another sponsor, of an annex, of itself */
	struct id x = fw_roster(w, "v1", "x", FW_VILLAGE, (struct fw_row[]){{1, 50000, NULL}}, 1, true);
	annex_cover(w, x, "first", "S9", 0);
	assert_true(str_is(last_told(w).code, "annex_of_other_case"));
	annex_cover(w, x, "annex", "S1", 1);
	assert_true(str_is(last_told(w).code, "annex_of_other_case"));
	annex_cover(w, x, "x", "S1", 2);
	assert_true(str_is(last_told(w).code, "annex_of_other_case"));
	ANSWERED(w, sub, 5, "pending", false);
}

/* Killed in each of its steps, it takes out the same. */
static void a_large_annex_goes_on_after_each_stop(void **state)
{
	enum { ROWS = 5000 };
	struct flow_world *w = WORLD(state);
	struct fw_row *rows = calloc(ROWS, sizeof *rows);
	for (int i = 0; i < ROWS; i++)
		rows[i] = (struct fw_row){i + 1, 50000, NULL};
	w->lazy = true;
	struct id sub = fw_roster(w, "v1", "first", FW_VILLAGE, rows, ROWS, true);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_flush(w);
	fw_turns(w);
	w->lazy = false;
	struct id a = fw_roster(w, "v1", "annex", FW_VILLAGE, rows, 1, true);
	struct gate_documents g = {.submission_id = a, .received_at = at(FW_NOW), .year = 2026, .village = STR(FW_VILLAGE),
				   .sponsor_type = STR("collective"), .annex_to = STR("first"), .reason = STR("r"), .approver = STR("a")};
	sponsor_id(&g.sponsor_id, g.sponsor_type, STR("S1"));
	fw_publish(w, EV_GATE_DOCUMENTS, &g, a);
	for (int i = 0; i < 8; i++) {
		one_turn(w);
		restart(w);
	}
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_WITHDRAWN], ROWS - 1);
	ANSWERED(w, sub, 5, "pending", false);
	ANSWERED(w, sub, 5 + ROWS - 1, "withdrawn", true);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_pending_row_is_taken_out_and_its_room_is_free),
		T(what_has_ended_or_was_instructed_stays),
		T(a_staged_row_is_taken_out_and_no_cover_brings_it_back),
		T(an_annex_takes_out_and_lowers),
		T(an_annex_adds_and_raises_nothing),
		T(what_was_instructed_stays_in),
		T(a_slip_in_an_annex_takes_nobody_out),
		T(an_annex_waits_for_its_roster),
		T(a_large_annex_goes_on_after_each_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
