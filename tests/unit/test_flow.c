/* The flow from declared to credited, and what goes wrong on the way: one gateway in one process, the test plays the others. */
#include "base/date.h"
#include "tests/lib/flow_world.h"
#include "tests/lib/unit.h"
#include <string.h>

struct test {
	struct tmpdir dir;
	struct flow_world w;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof *t);
	fw_open(&t->w, tmpdir_make(&t->dir));
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	fw_close(&t->w);
	tmpdir_remove(&t->dir);
	free(t);
	return 0;
}

#define ANSWERED(w, sub, row, c, f) \
	do { \
		struct fw_answer a_ = fw_answer_of(w, sub, row); \
		assert_string_equal(a_.code, c); \
		assert_int_equal(a_.final, f); \
	} while (0)

static struct id filed(struct flow_world *w, const struct fw_row *rows, int n)
{
	struct id sub = fw_roster(w, "v1", "roster", FW_VILLAGE, rows, n, true);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	return sub;
}

/* R-13 R-28 R-30 */
static void one_row_to_credited(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}};
	struct id sub = filed(w, rows, 1), pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0);
	struct subsidy_payment p;
	struct collected_subsidy c;
	struct submission_answer s;
	ANSWERED(w, sub, 5, "pending", false);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 1);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 1);
	assert_true(id_eq(&p.payment_id, &pid));
	assert_int_equal(p.amount_fen, 50000);
	assert_int_equal(p.attempt, 1);
	assert_false(p.ask_first);
	assert_int_equal(date_of_time(p.not_after), date_of(2027, 1, 20));
	fw_result(w, pid, "accepted", 1, FW_NOW);
	fw_result(w, pid, "paid", 0, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, NULL), 0);
	fw_result(w, pid, "in_treasury", 0, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, &c), 1);
	assert_true(str_is(c.receipt, "333000000000000001"));
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "credited", true);
	assert_true(fw_count(w, EV_SUBMISSION_ANSWER, &s) > 0);
	assert_true(s.final && s.done == 1 && s.done_fen == 50000);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_CREDITED], 1);
	assert_int_equal(st.fen[ST_KEPT_TOTAL], 50000);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 0);
}

static void nothing_acts_before_closed(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2, false);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 0);
	assert_int_equal(fw_statement(w).count[SC_STAGED], 2);
	/* not closed in time: answered incomplete; published again it goes through, the first attempt's rows are void */
	fw_time(w, "2026-12-24T11:00:00+08:00");
	fw_turns(w);
	struct submission_answer s;
	assert_true(fw_count(w, EV_SUBMISSION_ANSWER, &s) > 0);
	assert_true(str_is(s.state, "incomplete"));
	fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2, true);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
	assert_int_equal(fw_statement(w).count[ST_DECLARED_TOTAL], 2);
	/* and once more, closed already: ignored */
	fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2, true);
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[ST_DECLARED_TOTAL], 2);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
}

static void rows_wait_for_their_cover(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}, {0, 50000, "id_check_digit"}, {3, -1, "amount_not_a_number"}};
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 3, true);
	fw_turns(w);
	ANSWERED(w, sub, 5, "waiting_filing", false);
	ANSWERED(w, sub, 6, "id_check_digit", true);
	ANSWERED(w, sub, 7, "amount_not_a_number", true);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_UNREADABLE], 1);
	assert_int_equal(st.fen[SC_REJECTED], 50000);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
}

static void twice_in_one_roster(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}, {1, 50000, NULL}, {2, 60000, NULL}};
	struct id sub = filed(w, rows, 4);
	ANSWERED(w, sub, 5, "pending", false);
	ANSWERED(w, sub, 7, "duplicate_row", true);
	ANSWERED(w, sub, 6, "conflicting_rows", true);
	ANSWERED(w, sub, 8, "conflicting_rows", true);
	fw_statement(w);
}

static void second_declarations(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}}, other[] = {{1, 60000, NULL}};
	filed(w, rows, 1);
	struct id mended = fw_roster(w, "v1", "mended", FW_VILLAGE, rows, 1, true);
	struct id stranger = fw_roster(w, "v2", "other", FW_VILLAGE_2, rows, 1, true);
	struct id amount = fw_roster(w, "v1", "third", FW_VILLAGE, other, 1, true);
	fw_cover(w, mended, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_cover(w, stranger, FW_VILLAGE_2, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_cover(w, amount, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	ANSWERED(w, mended, 5, "already_accepted", true);
	ANSWERED(w, stranger, 5, "already_filed", true);
	ANSWERED(w, amount, 5, "already_filed_other_amount", true);
	assert_non_null(strstr(fw_answer_of(w, mended, 5).detail, "第 5 行"));
	assert_int_equal(fw_statement(w).count[ST_DECLARED_TOTAL], 2); /* the repeats are no declarations of their own */
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 1);
}

/* */
static void cap_b_over_all_sponsors(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 300000, NULL}};
	struct id a = filed(w, rows, 1);
	struct id b = fw_roster(w, "c1", "charity", FW_VILLAGE, rows, 1, true);
	fw_cover(w, b, FW_VILLAGE, SPONSOR_CHARITY, "S2", FW_NOW);
	fw_turns(w);
	ANSWERED(w, a, 5, "pending", false);
	ANSWERED(w, b, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, b, 5).detail, "2000.00");
	/* the first is refused by the bureau: its reservation is free again */
	fw_status(w, 1, true, FW_NOW);
	fw_result(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0), "failed", 1, FW_NOW);
	struct id c = fw_roster(w, "c1", "charity again", FW_VILLAGE, rows, 1, true);
	fw_cover(w, c, FW_VILLAGE, SPONSOR_CHARITY, "S2", FW_NOW);
	fw_turns(w);
	ANSWERED(w, a, 5, "tax_refused", true);
	ANSWERED(w, c, 5, "pending", false);
	/* and the tuple may be declared again: n = 1 */
	struct id again = fw_roster(w, "v1", "again", FW_VILLAGE, (struct fw_row[]){{1, 20000, NULL}}, 1, true);
	fw_cover(w, again, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	ANSWERED(w, again, 5, "pending", false);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	/* the failed one, the charity's, and the second of the collective (chained newest first) */
	struct subsidy_payment p;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 3);
	struct id charity = fw_payment(SPONSOR_CHARITY, "S2", 1, 0), second = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 1);
	assert_true(id_eq(&p.payment_id, &charity));
	fw_result(w, second, "paid", 0, FW_NOW);
	fw_turns(w);
	ANSWERED(w, again, 5, "paid", false);
	fw_statement(w);
}

static void two_collectives_are_flagged(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}};
	struct id a = filed(w, rows, 1);
	struct id b = fw_roster(w, "v2", "r2", FW_VILLAGE_2, rows, 1, true);
	fw_cover(w, b, FW_VILLAGE_2, SPONSOR_COLLECTIVE, "S9", FW_NOW);
	fw_turns(w);
	assert_string_equal(fw_answer_of(w, a, 5).warning, "other_collective_too");
	assert_string_equal(fw_answer_of(w, b, 5).warning, "other_collective_too");
	ANSWERED(w, b, 5, "pending", false);
}

static void doubt_is_asked_never_repeated(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}};
	w->conf.tax_terms.keys = KEYS_NONE;
	struct id sub = filed(w, rows, 1);
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_IN_DOUBT], 1);
	fw_time(w, "2026-12-24T09:01:30+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 1);
	/* unknown before the settlement delay permits nothing */
	fw_result(w, pid, "unknown", 1, "2026-12-24T09:01:31+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	fw_time(w, "2026-12-24T09:12:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 2);
	/* an old enquiry's answer neither */
	fw_result(w, pid, "unknown", 1, "2026-12-24T09:12:01+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	fw_result(w, pid, "unknown", 2, "2026-12-24T09:12:01+08:00");
	fw_turns(w);
	struct subsidy_payment p;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 2);
	assert_int_equal(p.attempt, 2);
	assert_int_equal(fw_statement(w).count[SC_IN_FLIGHT], 1);
	/* a late doubt of the first attempt changes nothing */
	fw_result(w, pid, "in_doubt", 1, "2026-12-24T09:12:02+08:00");
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_IN_FLIGHT], 1);
	fw_result(w, pid, "paid", 0, "2026-12-24T09:12:03+08:00");
	fw_turns(w);
	assert_int_equal(fw_statement(w).count[SC_AWAITING_CREDIT], 1);
	assert_int_equal(fw_rebuild(w, sub), 1);
}

static void keys_permit_at_once(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}};
	filed(w, rows, 1);
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	fw_turns(w);
	fw_time(w, "2026-12-24T09:01:30+08:00");
	fw_turns(w);
	fw_result(w, pid, "unknown", 1, "2026-12-24T09:01:31+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 2);
}

static void contradictions_become_differences(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}};
	filed(w, rows, 1);
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0);
	struct ledger_view *v;
	struct err e = {0};
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_result_seq(w, pid, "paid", 100, 50000);
	fw_result_seq(w, pid, "failed", 101, 50000);
	fw_result_seq(w, pid, "in_treasury", 102, 40000);
	fw_result_seq(w, pid, "accepted", 99, 50000);
	fw_turns(w);
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_differences(v), 2);
	view_close(v);
	assert_int_equal(fw_statement(w).count[SC_AWAITING_CREDIT], 1);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, NULL), 0);
}

/* R-29 R-30 R-32 */
static void refund_after_credit(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}};
	struct id sub = filed(w, rows, 1), pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_result_seq(w, pid, "in_treasury", 10, 50000); /* without paid: a forward jump implies it */
	fw_turns(w);
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "credited", true);
	fw_result_seq(w, pid, "refunded", 11, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "refunded", true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_REFUNDED, NULL), 1);
	fw_credit(w, EV_ACCOUNT_DEBITED, pid, 50000);
	fw_turns(w);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_REFUNDED], 1);
	assert_int_equal(st.fen[ST_COLLECTED_TOTAL], 50000);
	assert_int_equal(st.fen[ST_KEPT_TOTAL], 0);
	assert_int_equal(fw_rebuild(w, sub), 1);
}

/* R-04 R-26 */
static void late_contribution_and_cut_off(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct id sub = filed(w, rows, 2);
	struct id waits = fw_roster(w, "v1", "no cover", FW_VILLAGE, (struct fw_row[]){{3, 50000, NULL}}, 1, true);
	fw_status(w, 1, false, FW_NOW);
	fw_status(w, 2, false, FW_NOW);
	fw_turns(w);
	ANSWERED(w, sub, 5, "contribution_not_arrived", false);
	fw_status(w, 1, true, "2026-12-30T10:00:00+08:00"); /* the feed tells */
	fw_turns(w);
	ANSWERED(w, sub, 5, "instructed", false);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	/* the clock alone is not enough: the SSA's feed must have passed the day too */
	fw_time(w, "2027-01-02T09:00:00+08:00");
	fw_turns(w);
	ANSWERED(w, waits, 5, "waiting_filing", false);
	fw_feed_reached(w, "2027-01-02T08:00:00+08:00");
	fw_time(w, "2027-01-02T09:01:00+08:00");
	fw_turns(w);
	ANSWERED(w, waits, 5, "not_filed_in_time", true);
	ANSWERED(w, sub, 6, "contribution_not_arrived", false); /* asked once more first */
	fw_status(w, 2, false, "2027-01-02T09:00:00+08:00");
	fw_turns(w);
	ANSWERED(w, sub, 6, "contribution_not_in_time", true);
	assert_int_equal(fw_statement(w).count[SC_EXPIRED], 2);
	assert_int_equal(fw_rebuild(w, sub) + fw_rebuild(w, waits), 3);
}

static void a_restart_loses_nothing(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct err e = {0};
	filed(w, rows, 2);
	int before = fw_count(w, EV_ROW_ANSWER, NULL);
	fw_stop(w);
	assert_int_equal(fw_start(w, &e), 0);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_ROW_ANSWER, NULL), before);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
}

static void garbage_goes_to_rejects(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct err e = {0};
	struct bus_event ev = {.key = STR("k"), .type = STR("CollectionResult"), .data = STR("not avro at all")};
	struct rejected_event r;
	assert_int_equal(bus_publish(w->tax_bus, "collections", &ev, &e), 0);
	ev.type = STR("NoSuchType");
	assert_int_equal(bus_publish(w->tax_bus, "collections", &ev, &e), 0);
	assert_int_equal(bus_flush(w->tax_bus, &e), 0);
	struct fw_row rows[] = {{1, 50000, NULL}};
	struct id sub = filed(w, rows, 1);
	ANSWERED(w, sub, 5, "pending", false);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, &r), 2);
	assert_true(str_is(r.reason, "unknown_type"));
	assert_int_equal(r.offset, 1);
	assert_int_equal(r.bytes.n, 15);
}

static void an_older_ledger_refuses(void **state)
{
	struct flow_world *w = &((struct test *)*state)->w;
	struct fw_row rows[] = {{1, 50000, NULL}};
	struct err e = {0};
	char copy[340];
	int64_t seq;
	filed(w, rows, 1);
	snprintf(copy, sizeof copy, "%s/copy.db", w->dir);
	assert_int_equal(ledger_backup(w->ledger_path, copy, &seq, &e), 0);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_stop(w);
	snprintf(w->ledger_path, sizeof w->ledger_path, "%s/copy.db", w->dir);
	assert_int_equal(fw_start(w, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_non_null(strstr(e.text, "older than the bus"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(one_row_to_credited), T(nothing_acts_before_closed), T(rows_wait_for_their_cover), T(twice_in_one_roster),
		T(second_declarations), T(cap_b_over_all_sponsors), T(two_collectives_are_flagged),
		T(doubt_is_asked_never_repeated), T(keys_permit_at_once), T(contradictions_become_differences),
		T(refund_after_credit), T(late_contribution_and_cut_off), T(a_restart_loses_nothing), T(garbage_goes_to_rejects),
		T(an_older_ledger_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
