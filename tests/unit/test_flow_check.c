/* The SSA's check before the vote: asked when the roster is complete, answered row by row, and not asked again when it is filed. */
#include "tests/lib/flow_test.h"

static struct id roster(struct flow_world *w, const char *name, int people)
{
	struct fw_row rows[10] = {{0}};
	for (int i = 0; i < people; i++)
		rows[i] = (struct fw_row){i + 1, 50000, NULL};
	struct id sub = fw_roster(w, "v1", name, FW_VILLAGE, rows, people, true);
	fw_turns(w);
	return sub;
}

static void tell(struct flow_world *w, int person, bool insured, const char *kind, int64_t pension_start)
{
	struct ev_contribution entry = {2026, str_of(kind), STR("1"), 100000, 20700, {true, 20701}, {0}};
	struct contribution_status s = {.token = fw_token(person), .as_of = at(FW_NOW), .sequence = ++w->sequence, .insured = insured,
					.insured_state = STR("1"), .pension_start = {pension_start != 0, pension_start},
					.entries = kind ? &entry : NULL, .entry_count = kind ? 1 : 0};
	fw_publish(w, EV_CONTRIBUTION_STATUS, &s, s.token);
	fw_turns(w);
}

/* */
static void each_row_is_told_before_the_vote(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = roster(w, "r", 6);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 6);
	fw_status(w, 1, true, FW_NOW);
	fw_status(w, 2, false, FW_NOW);
	tell(w, 3, true, NULL, 0);
	tell(w, 4, true, "32", 0);
	tell(w, 5, true, "10", 10000);
	tell(w, 6, false, NULL, 0);
	ANSWERED(w, sub, 5, "check_paid", false);
	assert_string_equal(fw_answer_of(w, sub, 5).detail, "1000.00元，2026-09-05到账");
	assert_string_equal(fw_answer_of(w, sub, 5).result, "waiting");
	ANSWERED(w, sub, 6, "contribution_not_arrived", false);
	ANSWERED(w, sub, 7, "contribution_missing", false);
	ANSWERED(w, sub, 8, "back_payment_only", false);
	assert_string_equal(fw_answer_of(w, sub, 8).result, "mend");
	ANSWERED(w, sub, 9, "drawing_pension", false);
	ANSWERED(w, sub, 10, "not_insured", false);
	assert_int_equal(fw_statement(w).count[SC_STAGED], 6);
	/* the same word again is no news; another one is */
	int version = fw_answer_of(w, sub, 5).version;
	fw_status(w, 1, true, FW_NOW);
	fw_status(w, 2, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_answer_of(w, sub, 5).version, version);
	ANSWERED(w, sub, 6, "check_paid", false);
	/* filed: who is not eligible is refused then, the others go on */
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	ANSWERED(w, sub, 7, "pending", false);
	tell(w, 6, false, NULL, 0);
	ANSWERED(w, sub, 10, "not_insured", true);
	fw_statement(w);
}

static void what_is_known_is_not_asked_again(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = roster(w, "r", 3);
	fw_status(w, 1, true, FW_NOW);
	fw_status(w, 2, false, FW_NOW);
	tell(w, 3, true, "10", date_of(2026, 12, 25)); /* the pension begins tomorrow */
	fw_feed_reached(w, "2026-12-24T12:00:00+08:00");
	fw_time(w, "2026-12-25T09:00:00+08:00");
	fw_turns(w);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", "2026-12-25T09:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 5);
	fw_statement(w);
	assert_int_equal(fw_rebuild(w, sub), 3);
}

static void an_old_word_is_asked_for_again(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = roster(w, "r", 1);
	fw_status(w, 1, true, FW_NOW);
	fw_feed_reached(w, FW_NOW);
	fw_turns(w);
	fw_time(w, "2026-12-26T09:00:00+08:00"); /* the feed was not followed for two days */
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", "2026-12-26T09:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
}

/* */
static void an_ssa_that_is_silent_is_asked_again(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = roster(w, "r", 1);
	fw_time(w, "2026-12-24T09:10:10+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
	restart(w);
	fw_time(w, "2026-12-24T09:20:30+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 3);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	ANSWERED(w, sub, 5, "check_paid", false);
	fw_time(w, "2026-12-24T12:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 3);
}

/* The same person waits in one roster and is filed in another: a silent SSA is asked for the filed one. */
static void a_waiting_row_hides_no_pending_one(void **state)
{
	struct flow_world *w = WORLD(state);
	roster(w, "r", 1);
	struct id sub = filed_by(w, "s", SPONSOR_CHARITY, "S2", (struct fw_row[]){{1, 50000, NULL}}, 1);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 1);
	fw_time(w, "2026-12-24T09:10:10+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
	fw_time(w, "2026-12-24T09:20:30+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 3);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	ANSWERED(w, sub, 5, "pending", false);
}

/* With its papers there nothing is asked or answered that was not before. */
static void the_fast_way_has_no_check_of_its_own(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = filed_by(w, "r", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 50000, NULL}}, 1);
	(void)sub;
	fw_draft_open(w, "v2", "other", FW_VILLAGE);
	struct fw_row rows[] = {{2, 50000, NULL}};
	struct fw_draft d = fw_draft_open(w, "v3", "third", FW_VILLAGE);
	fw_cover(w, d.sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_draft_rows(w, &d, rows, 1);
	fw_draft_close(w, &d);
	fw_turns(w);
	assert_int_equal(fw_answer_of(w, d.sub, 5).version, 1);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_row_is_told_before_the_vote),
		T(what_is_known_is_not_asked_again),
		T(an_old_word_is_asked_for_again),
		T(an_ssa_that_is_silent_is_asked_again),
		T(a_waiting_row_hides_no_pending_one),
		T(the_fast_way_has_no_check_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
