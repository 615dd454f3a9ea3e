/* Late and odd answers of the bureau and the SSA: each has a rule or becomes a difference, and what is true is never lost behind
 * what is not. */
#include "tests/lib/findings.h"
#include "tests/lib/flow_test.h"
#include <unistd.h>

#define R1 "433000000000000001"
#define R2 "433000000000000002"
#define IN_DECEMBER "2026-12-24T10:00:00+08:00"
#define IN_JANUARY "2027-01-12T10:00:00+08:00"

enum { WORDS = 6 };
struct word {
	const char *state; /* of the bureau; or an event type of the SSA */
	int64_t sequence;
	const char *receipt, *at; /* at NULL: IN_DECEMBER */
	int64_t amount_fen;       /* 0: as asked */
};

static void tell(struct flow_world *w, struct id pid, const struct word *x)
{
	int64_t amount_fen = x->amount_fen ? x->amount_fen : 50000, when = at(x->at ? x->at : IN_DECEMBER);
	enum event_type t;
	if (event_type_of(str_of(x->state), &t) == 0) {
		struct credit_result c = {pid, amount_fen, when, x->sequence, {0}};
		fw_publish(w, t, &c, pid);
		return;
	}
	struct collection_result r = {.payment_id = pid, .state = str_of(x->state), .at = when, .sequence = x->sequence,
				      .amount_fen = {true, amount_fen}, .receipt = str_of(x->receipt)};
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
}

/* Differences of the ledger, as "kind kind": in the order of their payments. */
static const char *found(struct flow_world *w)
{
	static char text[400];
	struct finding f[20];
	struct err e = {0};
	int n = findings_read(w->ledger_path, f, 20, &e);
	assert_true(n >= 0);
	text[0] = '\0';
	for (int i = 0; i < n; i++) {
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", f[i].kind);
		assert_true(f[i].count == 1 || strcmp(f[i].kind, "stranger") == 0); /* however often it is read */
	}
	return text;
}

/* One payment, what is said of it in this order, and what becomes of it. */
static const struct odd {
	const char *name;
	struct word words[WORDS];
	enum stat_column column;
	const char *code, *found;
} odds[] = {
	{"in order",
	 {{"accepted", 1, NULL, NULL, 0}, {"paid", 2, R1, NULL, 0}, {"in_treasury", 3, R1, NULL, 0}, {"AccountCredited", 1, NULL, NULL, 0}},
	 SC_CREDITED, "credited", ""},
	{"in the treasury without paid",
	 {{"accepted", 1, NULL, NULL, 0}, {"in_treasury", 3, R1, NULL, 0}, {"AccountCredited", 1, NULL, NULL, 0}},
	 SC_CREDITED, "credited", ""},
	{"in the treasury, and paid told behind it",
	 {{"accepted", 1, NULL, NULL, 0}, {"in_treasury", 3, R1, NULL, 0}, {"paid", 2, R1, NULL, 0}},
	 SC_AWAITING_CREDIT, "in_treasury", ""},
	{"an older snapshot after a newer fact",
	 {{"paid", 2, R1, NULL, 0}, {"accepted", 1, NULL, NULL, 0}, {"in_treasury", 3, R1, NULL, 0}, {"paid", 2, R1, NULL, 0}},
	 SC_AWAITING_CREDIT, "paid", ""},
	{"paid in December, in the treasury in January",
	 {{"paid", 2, R1, NULL, 0}, {"in_treasury", 3, R1, IN_JANUARY, 0}}, SC_AWAITING_CREDIT, "paid", ""},
	{"in the treasury after the window: money all the same",
	 {{"paid", 2, R1, NULL, 0}, {"in_treasury", 3, R1, "2027-01-21T00:00:00+08:00", 0}, {"AccountCredited", 1, NULL, NULL, 0}},
	 SC_CREDITED, "credited", "late_arrival"},
	{"another year before", {{"paid", 2, R1, "2025-12-31T23:59:59+08:00", 0}}, SC_IN_FLIGHT, "pending", "other_year"},
	{"another year behind", {{"paid", 2, R1, "2028-01-01T00:00:00+08:00", 0}}, SC_IN_FLIGHT, "pending", "other_year"},
	{"another year, then the true word under a lower number",
	 {{"in_treasury", 900, R2, "2025-01-01T00:00:00+08:00", 0}, {"paid", 2, R1, NULL, 0}, {"in_treasury", 3, R1, NULL, 0}},
	 SC_AWAITING_CREDIT, "paid", "other_year"},
	{"a refund may come years later",
	 {{"in_treasury", 3, R1, NULL, 0}, {"AccountCredited", 1, NULL, NULL, 0}, {"refunded", 4, R1, "2029-05-05T00:00:00+08:00", 0}},
	 SC_REFUNDED, "refunded", ""},
	{"two receipts",
	 {{"paid", 2, R1, NULL, 0}, {"in_treasury", 3, R2, NULL, 0}}, SC_AWAITING_CREDIT, "paid", "other_receipt"},
	{"two receipts, then the first again",
	 {{"paid", 2, R1, NULL, 0}, {"in_treasury", 30, R2, NULL, 0}, {"in_treasury", 3, R1, NULL, 0}, {"AccountCredited", 1, NULL, NULL, 0}},
	 SC_CREDITED, "credited", "other_receipt"},
	{"another amount, then as asked",
	 {{"paid", 2, R1, NULL, 49900}, {"in_treasury", 3, R1, NULL, 0}}, SC_AWAITING_CREDIT, "in_treasury", "other_amount"},
	{"another amount only", {{"in_treasury", 3, R1, NULL, 50001}}, SC_IN_FLIGHT, "pending", "other_amount"},
	{"refused after paid", {{"paid", 2, R1, NULL, 0}, {"failed", 3, NULL, NULL, 0}}, SC_AWAITING_CREDIT, "paid", "failed"},
	{"refused after paid under a number out of the way: what follows is heard",
	 {{"paid", 2, R1, NULL, 0}, {"failed", 9000000, NULL, NULL, 0}, {"in_treasury", 3, R1, NULL, 0},
	  {"AccountCredited", 1, NULL, NULL, 0}},
	 SC_CREDITED, "credited", "failed"},
	{"refused, told behind paid, but older", {{"paid", 2, R1, NULL, 0}, {"failed", 1, NULL, NULL, 0}}, SC_AWAITING_CREDIT, "paid", ""},
	{"paid after refused", {{"failed", 2, NULL, NULL, 0}, {"paid", 3, R1, NULL, 0}}, SC_FAILED, "tax_refused", "paid"},
	{"paid once more after the refund",
	 {{"in_treasury", 3, R1, NULL, 0}, {"refunded", 4, R1, NULL, 0}, {"paid", 5, R1, NULL, 0}}, SC_REFUNDED, "refunded", "paid"},
	{"one number, two words",
	 {{"paid", 2, R1, NULL, 0}, {"in_treasury", 2, R1, NULL, 0}}, SC_AWAITING_CREDIT, "paid", "in_treasury"},
	{"a word that nobody knows", {{"confiscated", 2, R1, NULL, 0}}, SC_IN_FLIGHT, "pending", "unknown_state"},
	{"a credit of another amount, then the true one",
	 {{"in_treasury", 3, R1, NULL, 0}, {"AccountCredited", 8, NULL, NULL, 1}, {"AccountCredited", 1, NULL, NULL, 0}},
	 SC_CREDITED, "credited", "other_amount"},
	{"a debit that nothing asked for, and a refund whose own is heard",
	 {{"in_treasury", 3, R1, NULL, 0}, {"AccountCredited", 1, NULL, NULL, 0}, {"AccountDebited", 99, NULL, NULL, 0},
	  {"refunded", 4, R1, NULL, 0}, {"DebitRefused", 2, NULL, NULL, 0}},
	 SC_REFUNDED, "refunded", "debit_refused debited"},
	{"a credit refused after it was given",
	 {{"in_treasury", 3, R1, NULL, 0}, {"AccountCredited", 1, NULL, NULL, 0}, {"CreditRefused", 2, NULL, NULL, 0}},
	 SC_CREDITED, "credited", "credit_refused"},
};

static void each_has_a_rule_or_becomes_a_difference(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(odds); i++) {
		const struct odd *o = &odds[i];
		struct flow_test *t = NULL;
		struct id pid;
		setup((void **)&t);
		struct id sub = one_payment(&t->w, true, &pid);
		int64_t events = t->w.events;
		for (int again = 0; again < 2; again++) { /* the feed is read once more: the same events */
			t->w.events = events;
			for (int k = 0; k < WORDS && o->words[k].state; k++) {
				tell(&t->w, pid, &o->words[k]);
				fw_turns(&t->w);
			}
		}
		struct fw_answer a = fw_answer_of(&t->w, sub, 5);
		struct stat s = fw_statement(&t->w);
		if (strcmp(a.code, o->code) != 0 || s.count[o->column] != 1 || s.count[ST_DECLARED_TOTAL] != 1 ||
		    strcmp(found(&t->w), o->found) != 0)
			fail_msg("%s: %s, differences: %s", o->name, a.code, found(&t->w));
		if (o->column == SC_CREDITED) /* because the SSA was told of it, not because it says so by itself */
			assert_int_equal(fw_count(&t->w, EV_COLLECTED_SUBSIDY, NULL), 1);
		assert_int_equal(fw_rebuild(&t->w, sub), 1);
		teardown((void **)&t);
	}
}

/* Paid in December, nothing of it in the treasury when the year is cut off. */
static void paid_over_new_year_does_not_expire(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, true, &pid);
	filed_by(w, "waits", SPONSOR_CHARITY, "S2", (struct fw_row[]){{2, 30000, NULL}}, 1);
	tell(w, pid, &(struct word){"paid", 2, R1, NULL, 0});
	fw_time(w, "2027-01-05T09:00:00+08:00");
	fw_feed_reached(w, "2027-01-05T08:59:00+08:00");
	fw_turns(w);
	fw_status(w, 2, false, "2027-01-05T09:00:00+08:00");
	fw_turns(w);
	struct stat s = fw_statement(w);
	assert_int_equal(s.count[SC_EXPIRED], 1); /* the other one: the cut-off was there */
	assert_int_equal(s.count[SC_AWAITING_CREDIT], 1);
	tell(w, pid, &(struct word){"in_treasury", 3, R1, IN_JANUARY, 0});
	fw_turns(w);
	struct collected_subsidy c;
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, &c), 1);
	assert_int_equal(c.year, 2026);
	assert_int_equal(c.in_treasury_at, at(IN_JANUARY));
	assert_int_equal(c.paid_at, at(IN_DECEMBER));
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "credited", true);
	assert_string_equal(found(w), "");
}

static void one_receipt_covers_many_payments(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}, {3, 20000, NULL}};
	struct id sub = filed_by(w, "roster", SPONSOR_COLLECTIVE, "S1", rows, 3);
	for (int i = 1; i <= 3; i++)
		fw_status(w, i, true, FW_NOW);
	fw_turns(w);
	for (int i = 0; i < 3; i++)
		tell(w, fw_payment(SPONSOR_COLLECTIVE, "S1", i + 1, 0),
		     &(struct word){"in_treasury", 3 + i, R1, NULL, rows[i].amount_fen});
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, NULL), 3);
	assert_int_equal(fw_statement(w).count[SC_AWAITING_CREDIT], 3);
	assert_int_equal(fw_rebuild(w, sub), 3);
	assert_string_equal(found(w), "");
}

/* Nobody's payment, and one of another year that was never declared: kept, counted, shown; and taken when the roster comes. */
static void answers_about_nobodys_payment_are_shown(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, nobody = fw_token(77), s, token = fw_token(1), last_year, later = fw_payment(SPONSOR_CHARITY, "S2", 9, 0);
	one_payment(w, true, &pid);
	sponsor_id(&s, str_of(sponsor_type_code(SPONSOR_COLLECTIVE)), STR("S1"));
	payment_id(&last_year, 2025, &s, &token, 0);
	tell(w, nobody, &(struct word){"paid", 7, R1, NULL, 0});
	tell(w, nobody, &(struct word){"in_treasury", 8, R1, NULL, 0});
	tell(w, last_year, &(struct word){"in_treasury", 9, R1, "2025-12-30T00:00:00+08:00", 0});
	tell(w, fw_token(78), &(struct word){"AccountCredited", 1, NULL, NULL, 0});
	tell(w, later, &(struct word){"paid", 10, R1, NULL, 30000});
	fw_turns(w);
	assert_string_equal(found(w), "stranger stranger stranger stranger");
	struct ledger_view *v;
	struct err e = {0};
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_strangers(v), 4);
	view_close(v);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_IN_FLIGHT], 1);
	assert_int_equal(st.count[ST_COLLECTED_TOTAL], 0);
	struct id sub = filed_by(w, "later", SPONSOR_CHARITY, "S2", (struct fw_row[]){{9, 30000, NULL}}, 1);
	ANSWERED(w, sub, 5, "paid", false);
	assert_string_equal(found(w), "stranger stranger stranger");
}

/* ---- the SSA about people ---- */

static void status(struct flow_world *w, int64_t sequence, int for_year, bool arrived)
{
	struct ev_contribution entry = {for_year, STR("10"), STR("1"), 100000, 20700, {arrived, 20701}, {0}};
	struct contribution_status s = {.token = fw_token(1), .as_of = clock_now(&w->clock), .sequence = sequence, .insured = true,
					.insured_state = STR("1"), .entries = &entry, .entry_count = 1};
	fw_publish(w, EV_CONTRIBUTION_STATUS, &s, s.token);
	fw_turns(w);
}

static void a_contribution_for_another_year_instructs_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	status(w, 5, 2025, true);
	ANSWERED(w, sub, 5, "contribution_missing", false);
	status(w, 5, 2027, true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	status(w, 5, 2026, true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	ANSWERED(w, sub, 5, "instructed", false);
}

static void an_older_word_about_a_person_is_passed_over(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	status(w, 5, 2026, false);
	ANSWERED(w, sub, 5, "contribution_not_arrived", false);
	status(w, 4, 2026, true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	status(w, 6, 2026, true);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	status(w, 5, 2026, false); /* told once more: it is what was, and the money is on its way */
	ANSWERED(w, sub, 5, "instructed", false);
	assert_string_equal(found(w), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_a_rule_or_becomes_a_difference),
		T(paid_over_new_year_does_not_expire), T(one_receipt_covers_many_payments), T(answers_about_nobodys_payment_are_shown),
		T(a_contribution_for_another_year_instructs_nothing), T(an_older_word_about_a_person_is_passed_over),
	};
	/* Nothing here is about what survives a power cut. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
