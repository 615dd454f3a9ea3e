/* The flow where things go wrong in ways that nobody plans: late, early, twice, contradictory, at the year's end. Each test was
 * written for a defect that was there. */
#include "domain/money.h"
#include "tests/lib/flow_test.h"

/* ---- waiting ---- */

static void what_is_put_while_something_comes_due_comes_due(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	filed_by(w, "second", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{2, 50000, NULL}}, 1);
	/* the enquiry about person 2 comes due in the very turn in which payment 1 goes into doubt */
	fw_time(w, "2026-12-24T09:10:10+08:00");
	fw_result(w, pid, "in_doubt", 1, "2026-12-24T09:10:10+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 3);
	fw_time(w, "2026-12-24T09:11:30+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 1);
}

static void enquiries_that_nobody_answers_become_rare(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	filed_by(w, "second", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{2, 50000, NULL}}, 1);
	int64_t now = at(FW_NOW);
	char text[40];
	for (int i = 0; i < 24 * 6; i++) { /* a day */
		now += 10 * 60 * 1000 + 1000;
		fw_time(w, time_text(text, now));
		fw_turns(w);
	}
	assert_in_range(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 6, 40);       /* not 144 */
	assert_in_range(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 4, 20); /* not 144 */
}

static void a_payment_that_never_came_to_the_bureau_is_sent_again(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	fw_time(w, "2026-12-24T10:00:10+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 1);
	fw_result(w, pid, "unknown", 1, "2026-12-24T10:00:11+08:00");
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_IN_DOUBT], 1);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	fw_time(w, "2026-12-24T10:20:00+08:00");
	fw_turns(w);
	fw_result(w, pid, "unknown", 2, "2026-12-24T10:20:01+08:00");
	fw_turns(w);
	struct subsidy_payment p;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 2);
	assert_int_equal(p.attempt, 2);
	/* that answer told again says nothing about the second attempt */
	fw_result(w, pid, "unknown", 2, "2026-12-24T10:20:02+08:00");
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_IN_FLIGHT], 1);
}

static void without_a_word_of_the_ssa_a_payment_ends_with_the_year(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	fw_time(w, "2027-01-19T09:00:00+08:00");
	fw_feed_reached(w, "2027-01-19T09:00:00+08:00");
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
	fw_time(w, "2027-01-22T09:00:00+08:00"); /* our clock alone is not enough */
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
	fw_feed_reached(w, "2027-01-22T09:00:00+08:00");
	fw_turns(w);
	fw_time(w, "2027-01-24T09:00:00+08:00");
	fw_turns(w);
	ANSWERED(w, sub, 5, "too_late", true);
	assert_int_equal(fw_statement(w).count[SC_EXPIRED], 1);
}

static void too_late_is_said_only_when_it_is_settled(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, true, &pid);
	w->conf.tax_terms.key_window_ms = INT64_C(86400000) * 60;
	fw_result(w, pid, "in_doubt", 1, "2027-01-21T00:00:00+08:00");
	fw_time(w, "2027-01-21T00:01:30+08:00");
	fw_turns(w);
	fw_time(w, "2027-01-21T00:03:00+08:00");
	fw_turns(w);
	/* the key would protect another sending, but that is over: "unknown" may still become "paid" */
	struct payment_enquiry q;
	assert_true(fw_count(w, EV_PAYMENT_ENQUIRY, &q) > 0);
	fw_result(w, pid, "unknown", q.attempt, "2027-01-21T00:03:01+08:00");
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_IN_DOUBT], 1);
	fw_time(w, "2027-01-21T00:15:00+08:00");
	fw_turns(w);
	fw_count(w, EV_PAYMENT_ENQUIRY, &q);
	fw_result(w, pid, "unknown", q.attempt, "2027-01-21T00:15:01+08:00");
	fw_turns(w);
	ANSWERED(w, sub, 5, "too_late", true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
}

/* ---- rosters ---- */

static void late_is_not_never(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct fw_draft d = fw_draft_open(w, "v1", "r", FW_VILLAGE);
	struct submission_answer s;
	fw_draft_rows(w, &d, rows, 1);
	fw_cover(w, d.sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	fw_time(w, "2026-12-24T10:00:10+08:00");
	fw_turns(w);
	assert_true(fw_count(w, EV_SUBMISSION_ANSWER, &s) > 0);
	assert_true(str_is(s.state, "incomplete"));
	restart(w);
	fw_draft_rows(w, &d, rows + 1, 1);
	fw_draft_close(w, &d);
	fw_turns(w);
	ANSWERED(w, d.sub, 5, "pending", false);
	ANSWERED(w, d.sub, 6, "pending", false);
	assert_int_equal(fw_statement(w).count[SC_PENDING], 2);
}

static void the_clock_of_an_attempt_is_its_own(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}};
	fw_draft_open(w, "v1", "r", FW_VILLAGE);
	fw_turns(w);
	fw_time(w, "2026-12-24T09:50:00+08:00");
	fw_draft_open(w, "v1", "r", FW_VILLAGE);
	fw_turns(w);
	fw_time(w, "2026-12-24T10:05:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBMISSION_ANSWER, NULL), 0);
	fw_time(w, "2026-12-24T10:51:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBMISSION_ANSWER, NULL), 1);
	fw_roster(w, "v1", "r", FW_VILLAGE, rows, 1, true);
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[ST_DECLARED_TOTAL], 1);
}

/* What does not match is given up: rows of it that come later do not mend it. */
static void a_closed_that_does_not_match_needs_a_new_attempt(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct fw_draft d = fw_draft_open(w, "v1", "r", FW_VILLAGE), wrong;
	fw_draft_rows(w, &d, rows, 1);
	wrong = d;
	wrong.rows = 2;
	fw_draft_close(w, &wrong);
	fw_draft_rows(w, &d, rows + 1, 1);
	fw_draft_close(w, &d);
	fw_turns(w);
	struct submission_answer s;
	assert_int_equal(fw_count(w, EV_SUBMISSION_ANSWER, &s), 1);
	assert_true(str_is(s.state, "incomplete"));
	assert_int_equal(fw_statement(w).count[SC_STAGED], 1);
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2, true);
	fw_turns(w);
	ANSWERED(w, sub, 6, "waiting_filing", false);
	assert_int_equal(fw_statement(w).count[SC_STAGED], 2);
	assert_int_equal(fw_rebuild(w, sub), 2);
}

static void closed_again_with_other_content_is_rejected(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}};
	struct fw_draft d = fw_draft_open(w, "v1", "r", FW_VILLAGE);
	struct rejected_event r;
	fw_draft_rows(w, &d, rows, 1);
	fw_draft_close(w, &d);
	fw_draft_close(w, &d);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 0);
	d.amount_fen++;
	fw_draft_close(w, &d);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, &r), 1);
	assert_true(str_is(r.reason, "same_id_other_content"));
}

static void amounts_that_cannot_be_are_not_taken(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_draft d = fw_draft_open(w, "v1", "r", FW_VILLAGE);
	struct subsidy_declared row = {.submission_id = d.sub, .attempt_id = d.attempt, .row_no = 5,
				       .token = {true, fw_token(1)}, .identity = STR("sealed")};
	static const int64_t wrong[] = {-50000, MONEY_MAX_FEN + 1, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		row.amount_fen = (struct opt_long){true, wrong[i]};
		fw_publish(w, EV_SUBSIDY_DECLARED, &row, d.sub);
	}
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), COUNT(wrong));
	assert_int_equal(fw_statement(w).count[ST_DECLARED_TOTAL], 0);
	/* nothing is no subsidy */
	struct id zero = filed_by(w, "zero", SPONSOR_CHARITY, "S2", (struct fw_row[]){{1, 0, NULL}}, 1);
	ANSWERED(w, zero, 5, "amount_zero", true);
}

static void a_cover_that_comes_while_filing_changes_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	static struct fw_row rows[2100];
	int64_t standards[] = {20000};
	for (int i = 0; i < 2100; i++)
		rows[i] = (struct fw_row){i + 1, 50000, NULL};
	w->lazy = true;
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2100, true);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_flush(w);
	one_turn(w); /* the first 2000 rows */
	ANSWERED(w, sub, 5 + 2000, "", false);
	struct gate_documents other = {.submission_id = sub, .received_at = at("2026-12-24T09:30:00+08:00"), .year = 2026,
				       .village = STR(FW_VILLAGE), .sponsor_type = STR("collective"),
				       .standards_fen = standards, .standard_count = 1};
	fw_publish(w, EV_GATE_DOCUMENTS, &other, sub);
	fw_flush(w);
	fw_turns(w);
	ANSWERED(w, sub, 5 + 2000, "pending", false);
	assert_int_equal(fw_statement(w).count[SC_PENDING], 2100);
}

static void a_cover_without_end_is_refused(void **state)
{
	struct flow_world *w = WORLD(state);
	static struct ev_gate gates[300];
	static char office[4000];
	memset(office, 'o', sizeof office);
	for (size_t i = 0; i < COUNT(gates); i++)
		gates[i] = (struct ev_gate){.gate = STR("vote"), .passed_by = {office, sizeof office}};
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, (struct fw_row[]){{1, 50000, NULL}}, 1, true);
	struct gate_documents g = {.submission_id = sub, .received_at = at(FW_NOW), .year = 2026, .village = STR(FW_VILLAGE),
				   .sponsor_type = STR("collective"), .gates = gates, .gate_count = COUNT(gates)};
	struct buf body;
	struct err e = {0};
	buf_init(&body, 4 << 20);
	assert_int_equal(codec_encode(w->codec, EV_GATE_DOCUMENTS, &g, &body, &e), 0);
	struct bus_event ev = {.key = {(char *)sub.b, ID_LEN}, .id = sub, .type = STR("GateDocuments"),
			       .data = {(char *)body.data, body.len}};
	assert_int_equal(bus_publish(w->village_bus, "submissions", &ev, &e), 0);
	fw_flush(w);
	fw_turns(w);
	ANSWERED(w, sub, 5, "waiting_filing", false);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 1);
	buf_fini(&body);
}

static void the_cut_off_waits_for_what_is_unread(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}, {3, 50000, NULL}};
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 1, true);
	fw_turns(w);
	ANSWERED(w, sub, 5, "waiting_filing", false);
	/* the gateway is down over the year's end; the cover came in time and waits on the bus behind other events */
	fw_stop(w);
	w->conf.gateway.batch_events = 4;
	for (int i = 0; i < 5; i++) {
		char name[10];
		snprintf(name, sizeof name, "r%d", i);
		fw_roster(w, "v1", name, FW_VILLAGE, rows + 1, 2, true);
	}
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", "2026-12-31T17:00:00+08:00");
	fw_feed_reached(w, "2027-01-02T08:00:00+08:00");
	fw_time(w, "2027-01-02T09:00:00+08:00");
	start(w);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
	assert_int_equal(fw_statement(w).count[SC_EXPIRED], 10);
}

static void a_large_roster_expires_in_steps(void **state)
{
	struct flow_world *w = WORLD(state);
	static struct fw_row rows[4500];
	for (int i = 0; i < 4500; i++)
		rows[i] = (struct fw_row){i + 1, i % 7 ? 50000 : -1, i % 7 ? NULL : "amount_not_a_number"};
	w->lazy = true;
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 4500, true);
	fw_flush(w);
	fw_turns(w);
	int before = fw_count(w, EV_ROW_ANSWER, NULL), most = 0;
	fw_feed_reached(w, "2027-01-02T08:00:00+08:00");
	fw_flush(w);
	fw_time(w, "2027-01-02T09:01:00+08:00");
	for (int i = 0; i < 10; i++) {
		one_turn(w);
		int now = fw_count(w, EV_ROW_ANSWER, NULL);
		most = now - before > most ? now - before : most;
		before = now;
		if (i == 1)
			restart(w); /* in the middle of it */
	}
	assert_in_range(most, 1, 2000);
	struct submission_answer s;
	fw_count(w, EV_SUBMISSION_ANSWER, &s);
	assert_true(s.final && s.mend == 4500);
	ANSWERED(w, sub, 5 + 4499, "not_filed_in_time", true);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_EXPIRED], 4500 - 643);
	assert_int_equal(st.count[SC_UNREADABLE], 643);
}

/* ---- the bureau ---- */

static void paid_again_after_a_refund_is_for_a_person(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	fw_result_seq(w, pid, "in_treasury", 10, 50000);
	fw_result_seq(w, pid, "refunded", 11, 50000);
	fw_turns(w);
	fw_result_seq(w, pid, "refunded", 11, 50000);
	fw_result_seq(w, pid, "in_treasury", 10, 50000); /* an old one told again */
	fw_turns(w);
	assert_int_equal(differences(w), 0);
	fw_result_seq(w, pid, "paid", 12, 50000);
	fw_turns(w);
	assert_int_equal(differences(w), 1);
	assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
}

static void one_sequence_says_one_thing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	fw_result_seq(w, pid, "accepted", 10, 50000);
	fw_result_seq(w, pid, "accepted", 10, 50000);
	fw_turns(w);
	assert_int_equal(differences(w), 0);
	fw_result_seq(w, pid, "paid", 10, 50000);
	fw_turns(w);
	assert_int_equal(differences(w), 1);
	assert_int_equal(fw_statement(w).count[SC_IN_FLIGHT], 1);
}

/* The adapter died after sending and sent again under the same key: the delay counts from what it tells last. */
static void a_doubt_told_again_is_as_late_as_that(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_enquiry q;
	struct id pid;
	w->conf.tax_terms.keys = KEYS_NONE;
	one_payment(w, true, &pid);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	fw_turns(w);
	fw_result(w, pid, "in_doubt", 1, "2026-12-24T09:05:00+08:00");
	fw_turns(w);
	static const char *const asked[] = {"2026-12-24T09:12:00+08:00", "2026-12-24T09:16:00+08:00"};
	for (int i = 0; i < 2; i++) {
		fw_time(w, asked[i]);
		fw_turns(w);
		assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, &q), i + 1);
		fw_result(w, pid, "unknown", q.attempt, asked[i]);
		fw_turns(w);
		assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), i + 1);
	}
}

/* Refused by a 4xx is the adapter's word (no sequence) about one attempt, not about a later one. */
static void a_refusal_of_an_older_attempt_is_old(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	fw_turns(w);
	fw_time(w, "2026-12-24T09:01:30+08:00");
	fw_turns(w);
	fw_result(w, pid, "unknown", 1, "2026-12-24T09:01:31+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 2);
	struct collection_result r = {.payment_id = pid, .state = STR("failed"), .reason = STR("tax_refused"), .at = at(FW_NOW),
				      .attempt = 1};
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_IN_FLIGHT], 1);
	r.attempt = 2;
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_FAILED], 1);
}

static void a_difference_is_told_once(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	struct err e = {0};
	struct buf body;
	one_payment(w, true, &pid);
	struct collection_result r = {.payment_id = pid, .state = STR("paid"), .at = at(FW_NOW), .sequence = 7,
				      .amount_fen = {true, 40000}};
	buf_init(&body, 1000);
	assert_int_equal(codec_encode(w->codec, EV_COLLECTION_RESULT, &r, &body, &e), 0);
	struct bus_event ev = {.key = {(char *)pid.b, ID_LEN}, .id = pid, .type = STR("CollectionResult"), .time_ms = at(FW_NOW),
			       .data = {(char *)body.data, body.len}};
	for (int i = 0; i < 3; i++)
		assert_int_equal(bus_publish(w->tax_bus, "collections", &ev, &e), 0);
	fw_flush(w);
	fw_turns(w);
	assert_int_equal(differences(w), 1);
	buf_fini(&body);
}

static void a_long_receipt_is_kept(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	struct collected_subsidy c;
	one_payment(w, true, &pid);
	struct collection_result r = {.payment_id = pid, .state = STR("in_treasury"), .at = at(FW_NOW), .sequence = 7,
				      .receipt = STR("3330000000000000010123456789012345678901")};
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, &c), 1);
	assert_int_equal(c.receipt.n, 40);
	/* one that no column can hold is no receipt: a person must look, and nothing is fed back without one */
	struct id other = fw_payment(SPONSOR_CHARITY, "S2", 2, 0);
	char digits[200];
	memset(digits, '7', sizeof digits);
	filed_by(w, "second", SPONSOR_CHARITY, "S2", (struct fw_row[]){{2, 50000, NULL}}, 1);
	r.payment_id = other;
	r.receipt = (struct str){digits, sizeof digits};
	fw_publish(w, EV_COLLECTION_RESULT, &r, other);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, NULL), 1);
	assert_int_equal(differences(w), 1);
}

static void what_cannot_be_decoded_may_be_of_any_size(void **state)
{
	struct flow_world *w = WORLD(state);
	size_t size = (size_t)3 << 20;
	char *bytes = calloc(1, size);
	struct err e = {0};
	struct bus_event ev = {.key = STR("k"), .type = STR("CollectionResult"), .data = {bytes, size}};
	assert_int_equal(bus_publish(w->tax_bus, "collections", &ev, &e), 0);
	ev.type = STR("Coll\xff\xfe");
	assert_int_equal(bus_publish(w->tax_bus, "collections", &ev, &e), 0);
	fw_flush(w);
	free(bytes);
	struct id pid;
	one_payment(w, true, &pid);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 2);
}

/* ---- credits ---- */

static void a_debit_that_is_refused_is_for_a_person(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	fw_result_seq(w, pid, "in_treasury", 10, 50000);
	fw_turns(w);
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000);
	fw_result_seq(w, pid, "refunded", 11, 50000);
	fw_turns(w);
	/* the adapter's own word has no sequence */
	struct credit_result c = {.payment_id = pid, .amount_fen = 50000, .at = at(FW_NOW), .reason = STR("ssa_malformed")};
	fw_publish(w, EV_DEBIT_REFUSED, &c, pid);
	fw_turns(w);
	assert_int_equal(differences(w), 1);
	assert_int_equal(fw_statement(w).count[SC_REFUNDED], 1);
}

/* After a restore the SSA's feed may be followed before the bureau's. */
static void a_final_answer_is_not_followed_by_an_older_one(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, true, &pid);
	fw_credit(w, EV_CREDIT_REFUSED, pid, 50000);
	fw_turns(w);
	fw_result_seq(w, pid, "paid", 10, 50000);
	fw_result_seq(w, pid, "in_treasury", 11, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "credit_refused", true);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, NULL), 0); /* the SSA has it: it refused it */
	/* a person settles it with the SSA */
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "credited", true);
	assert_int_equal(fw_rebuild(w, sub), 1);
}

/* */
static void a_credit_of_another_amount_is_for_a_person(void **state)
{
	struct flow_world *w = WORLD(state);
	struct collected_subsidy c;
	struct id pid, sub = one_payment(w, true, &pid);
	fw_result_seq(w, pid, "in_treasury", 10, 50000);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, &c), 1);
	assert_int_equal(c.amount_fen, 50000);
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 40000);
	fw_turns(w);
	assert_int_equal(differences(w), 1);
	assert_int_equal(fw_statement(w).count[SC_AWAITING_CREDIT], 1);
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "credited", true);
}

/* ---- the SSA's word ---- */

static void an_older_status_says_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	struct contribution_status s = {.token = fw_token(1), .as_of = at(FW_NOW), .sequence = 10, .insured = true,
					.insured_state = STR("1")};
	fw_publish(w, EV_CONTRIBUTION_STATUS, &s, s.token);
	fw_turns(w);
	ANSWERED(w, sub, 5, "contribution_missing", false);
	s.sequence = 9;
	s.insured = false;
	fw_publish(w, EV_CONTRIBUTION_STATUS, &s, s.token);
	fw_turns(w);
	ANSWERED(w, sub, 5, "contribution_missing", false);
}

/* The contribution was in time, but the SSA's word of it comes too late. R-28 */
static void a_payment_is_not_instructed_after_the_last_day(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	filed_by(w, "second", SPONSOR_CHARITY, "S2", (struct fw_row[]){{2, 50000, NULL}}, 1);
	fw_time(w, "2027-01-20T09:00:00+08:00");
	fw_status(w, 2, true, "2026-12-31T09:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1); /* on the last day */
	fw_time(w, "2027-01-21T09:00:00+08:00");
	fw_status(w, 1, true, "2026-12-31T09:00:00+08:00");
	fw_turns(w);
	ANSWERED(w, sub, 5, "too_late", true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
}

static void the_cut_off_asks_once_more(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	w->conf.gateway.contribution_retry_ms = INT64_C(86400000) * 30;
	one_payment(w, false, &pid);
	fw_status(w, 1, false, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 1);
	fw_feed_reached(w, "2027-01-02T08:00:00+08:00");
	fw_time(w, "2027-01-02T09:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
}

/* ---- cap B ---- */

/* */
static void cap_b_is_looked_at_again_when_instructing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 300000, NULL}}, less[] = {{1, 200000, NULL}};
	struct id a = filed_by(w, "a", SPONSOR_COLLECTIVE, "S1", rows, 1);
	struct id b = filed_by(w, "b", SPONSOR_CHARITY, "S2", less, 1);
	ANSWERED(w, b, 5, "pending", false);
	/* the province lowers the highest tier after both were filed */
	for (int i = 0; i < w->reference->policy_count; i++)
		if (w->reference->policies[i].year == 2026)
			w->reference->policies[i].highest_tier_fen = 400000;
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	ANSWERED(w, b, 5, "cap_b_exceeded", true); /* the one that came later */
	assert_string_equal(fw_answer_of(w, b, 5).detail, "1000.00");
	assert_int_equal(fw_answer_of(w, a, 5).final, false);
	struct subsidy_payment p;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 1);
	assert_int_equal(p.amount_fen, 300000);
}

/* A token whose identity was left out: nobody could be asked about it, and the gateway could not even ask. */
static void a_row_without_identity_stops_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_draft d = fw_draft_open(w, "v1", "r", FW_VILLAGE);
	struct subsidy_declared row = {.submission_id = d.sub, .attempt_id = d.attempt, .row_no = d.rows++ + 5, .member = {true, 1},
				       .token = {true, fw_token(1)}, .amount_fen = {true, 50000}};
	d.amount_fen = 50000;
	row_digest(&d.digest, &row);
	fw_publish(w, EV_SUBSIDY_DECLARED, &row, d.sub);
	fw_draft_rows(w, &d, (struct fw_row[]){{2, 50000, NULL}}, 1);
	fw_draft_close(w, &d);
	fw_cover(w, d.sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	ANSWERED(w, d.sub, 5, "id_missing", true);
	ANSWERED(w, d.sub, 6, "pending", false);
	(void)fw_statement(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_put_while_something_comes_due_comes_due),
		T(a_row_without_identity_stops_nothing),
		T(enquiries_that_nobody_answers_become_rare),
		T(a_payment_that_never_came_to_the_bureau_is_sent_again),
		T(without_a_word_of_the_ssa_a_payment_ends_with_the_year),
		T(too_late_is_said_only_when_it_is_settled),
		T(late_is_not_never),
		T(the_clock_of_an_attempt_is_its_own),
		T(a_closed_that_does_not_match_needs_a_new_attempt),
		T(closed_again_with_other_content_is_rejected),
		T(amounts_that_cannot_be_are_not_taken),
		T(a_cover_that_comes_while_filing_changes_nothing),
		T(a_cover_without_end_is_refused),
		T(the_cut_off_waits_for_what_is_unread),
		T(a_large_roster_expires_in_steps),
		T(paid_again_after_a_refund_is_for_a_person),
		T(one_sequence_says_one_thing),
		T(a_doubt_told_again_is_as_late_as_that),
		T(a_refusal_of_an_older_attempt_is_old),
		T(a_difference_is_told_once),
		T(a_long_receipt_is_kept),
		T(what_cannot_be_decoded_may_be_of_any_size),
		T(a_debit_that_is_refused_is_for_a_person),
		T(a_final_answer_is_not_followed_by_an_older_one),
		T(a_credit_of_another_amount_is_for_a_person),
		T(an_older_status_says_nothing),
		T(a_payment_is_not_instructed_after_the_last_day),
		T(the_cut_off_asks_once_more),
		T(cap_b_is_looked_at_again_when_instructing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
