/* One person with two numbers: what is counted for a person is counted over both, from the link on. */
#include "ledger/books.h"
#include "ledger/links.h"
#include "tests/lib/flow_test.h"

static const char *hex(struct id id)
{
	static char text[4][ID_HEX];
	static int at;
	return id_hex(&id, text[at++ % 4]);
}

static const char *outcome(struct flow_world *w, struct id op)
{
	static char code[40];
	const char *state = fw_outcome(w, op, code);
	return code[0] ? code : state;
}

/* Decided by Anna, agreed to by Berta: what became of it. */
static const char *decide(struct flow_world *w, const char *kind, int older, int newer)
{
	struct id op = fw_operation(w, kind, hex(fw_token(older)), hex(fw_token(newer)), "anna");
	fw_turns(w);
	const char *first = outcome(w, op);
	if (strcmp(first, "waiting_approval") != 0)
		return first;
	(void)fw_operation(w, "approve", hex(op), NULL, "berta");
	fw_turns(w);
	return outcome(w, op);
}

struct kinds {
	char kind[4][32], detail[4][160];
	int count;
};

static int keep_kind(void *arg, const struct case_row *c)
{
	struct kinds *k = arg;
	snprintf(k->kind[k->count], sizeof k->kind[0], "%s", c->kind);
	snprintf(k->detail[k->count], sizeof k->detail[0], "%s", c->detail);
	return ++k->count == 4;
}

static struct kinds cases(struct flow_world *w)
{
	struct kinds k = {0};
	struct ledger_view *v;
	struct err e = {0};
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_difference_cases(v, 0, true, 0, keep_kind, &k, &e), 0);
	view_close(v);
	return k;
}

static struct id charity(struct flow_world *w, const char *name, const char *sponsor, int person, int64_t fen)
{
	return filed_by(w, name, SPONSOR_CHARITY, sponsor, (struct fw_row[]){{person, fen, NULL}}, 1);
}

static struct id collective(struct flow_world *w, const char *name, int person, int64_t fen)
{
	return filed_by(w, name, SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{person, fen, NULL}}, 1);
}

/* */
static void cap_b_runs_over_both_numbers(void **state)
{
	struct flow_world *w = WORLD(state);
	(void)collective(w, "a", 1, 300000);
	assert_string_equal(decide(w, "link", 1, 2), "done");
	struct id b = charity(w, "b", "S2", 2, 250000), c = charity(w, "c", "S2", 2, 200000), d = charity(w, "d", "S3", 3, 250000);
	ANSWERED(w, b, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, b, 5).detail, "2000.00");
	ANSWERED(w, c, 5, "pending", false);
	ANSWERED(w, d, 5, "pending", false); /* who has no link is not touched */
	/* The other way round, and over a restart: the first number has no room left either. */
	restart(w);
	struct id e = charity(w, "e", "S4", 1, 10000);
	ANSWERED(w, e, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, e, 5).detail, "0.00");
	/* What ends under one number is free under the other. */
	fw_status(w, 1, true, FW_NOW);
	fw_result(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0), "failed", 1, FW_NOW);
	fw_turns(w);
	struct id f = charity(w, "f", "S4", 2, 290000);
	ANSWERED(w, f, 5, "pending", false);
	(void)fw_statement(w);
}

static void no_second_payment_under_the_new_number(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id a = collective(w, "a", 1, 50000);
	assert_string_equal(decide(w, "link", 1, 2), "done");
	struct id b = collective(w, "b", 2, 50000), c = collective(w, "c", 2, 60000);
	ANSWERED(w, a, 5, "pending", false);
	ANSWERED(w, b, 5, "already_filed", true);
	ANSWERED(w, c, 5, "already_filed_other_amount", true);
	fw_status(w, 1, true, FW_NOW);
	fw_status(w, 2, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	/* Once the first has ended, the person may have one under the new number. */
	fw_result(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0), "failed", 1, FW_NOW);
	fw_turns(w);
	struct id d = collective(w, "d", 2, 50000);
	ANSWERED(w, d, 5, "pending", false);
	(void)fw_statement(w);
}

static void a_link_undoes_nothing_and_tells(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id a = collective(w, "a", 1, 300000), b = collective(w, "b", 2, 300000);
	assert_string_equal(decide(w, "link", 1, 2), "done");
	ANSWERED(w, a, 5, "pending", false);
	ANSWERED(w, b, 5, "pending", false);
	struct kinds k = cases(w);
	assert_int_equal(k.count, 2);
	assert_string_equal(k.kind[0], "link_double");
	assert_string_equal(k.detail[0], hex(fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0)));
	assert_string_equal(k.kind[1], "link_over_cap");
	assert_string_equal(k.detail[1], "2026: 6000.00 > 5000.00");
	/* Not instructed yet: the later one does not fit, whichever number is answered for first. */
	fw_status(w, 1, true, FW_NOW);
	fw_status(w, 2, true, FW_NOW);
	fw_turns(w);
	ANSWERED(w, b, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, b, 5).detail, "2000.00");
	struct subsidy_payment p;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 1);
	struct id first = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0);
	assert_memory_equal(&p.payment_id, &first, sizeof first);
	assert_int_equal(cases(w).count, 2);
	(void)fw_statement(w);
}

static void groups_merge_and_are_taken_apart(void **state)
{
	struct flow_world *w = WORLD(state);
	assert_string_equal(decide(w, "link", 1, 2), "done");
	assert_string_equal(decide(w, "link", 3, 4), "done");
	assert_string_equal(decide(w, "link", 2, 1), "link_already");
	assert_string_equal(decide(w, "unlink", 1, 3), "link_not_there");
	assert_string_equal(decide(w, "link", 2, 3), "done");
	restart(w);
	(void)charity(w, "a", "S1", 1, 450000);
	struct id b = charity(w, "b", "S2", 4, 100000);
	ANSWERED(w, b, 5, "cap_b_exceeded", true);
	/* The one that leaves is a person of its own, and may be linked anew. */
	assert_string_equal(decide(w, "unlink", 1, 4), "done");
	struct id c = charity(w, "c", "S3", 4, 100000), d = charity(w, "d", "S4", 3, 100000);
	ANSWERED(w, c, 5, "pending", false);
	ANSWERED(w, d, 5, "cap_b_exceeded", true);
	assert_string_equal(decide(w, "link", 4, 5), "done");
	assert_string_equal(decide(w, "unlink", 5, 4), "done");
	assert_string_equal(decide(w, "unlink", 5, 4), "link_not_there");
	restart(w);
	assert_int_equal(links_of(w->ledger, &(struct id){{0}}, (struct id[LINK_MAX]){0}), 1);
	struct id group[LINK_MAX], one = fw_token(1), five = fw_token(5);
	assert_int_equal(links_of(w->ledger, &one, group), 3);
	assert_int_equal(links_of(w->ledger, &five, group), 1);
}

static void a_group_is_bounded_and_words_are_read(void **state)
{
	struct flow_world *w = WORLD(state);
	for (int i = 2; i <= LINK_MAX; i++)
		assert_string_equal(decide(w, "link", 1, i), "done");
	assert_string_equal(decide(w, "link", 1, LINK_MAX + 1), "link_too_many");
	assert_string_equal(decide(w, "link", 20, 20), "link_what");
	struct id op = fw_operation(w, "link", "nonsense", NULL, "anna");
	fw_turns(w);
	(void)fw_operation(w, "approve", hex(op), NULL, "berta");
	fw_turns(w);
	assert_string_equal(outcome(w, op), "link_what");
	/* One person alone links nobody. */
	op = fw_operation(w, "link", hex(fw_token(30)), hex(fw_token(31)), "anna");
	fw_turns(w);
	assert_string_equal(outcome(w, op), "waiting_approval");
	struct id group[LINK_MAX], token = fw_token(30);
	assert_int_equal(links_of(w->ledger, &token, group), 1);
}

/* ---- money that did not come through Qiao ---- */

/* */
static void what_others_gave_takes_room_when_filing(void **state)
{
	struct flow_world *w = WORLD(state);
	(void)charity(w, "a", "S1", 1, 100000);
	fw_outside(w, 1, false, 2026, 300000);
	struct id b = charity(w, "b", "S2", 1, 150000);
	ANSWERED(w, b, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, b, 5).detail, "1000.00");
	struct id c = charity(w, "c", "S2", 1, 100000);
	ANSWERED(w, c, 5, "pending", false);
	/* Another year's money takes none, and what is no longer told of is gone. */
	fw_outside(w, 1, false, 2025, 300000);
	restart(w);
	struct id d = charity(w, "d", "S3", 1, 300000);
	ANSWERED(w, d, 5, "pending", false);
	assert_int_equal(cases(w).count, 0);
}

static void what_is_not_instructed_gives_way_newest_first(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id a = charity(w, "a", "S1", 1, 200000), b = charity(w, "b", "S2", 1, 200000), c = charity(w, "c", "S3", 1, 100000);
	fw_outside(w, 1, true, 2026, 150000);
	fw_turns(w);
	ANSWERED(w, c, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, c, 5).detail, "0.00");
	ANSWERED(w, b, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, b, 5).detail, "1500.00");
	ANSWERED(w, a, 5, "pending", false);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	assert_int_equal(cases(w).count, 0);
	(void)fw_statement(w);
}

static void what_is_instructed_becomes_a_difference_once(void **state)
{
	struct flow_world *w = WORLD(state);
	(void)charity(w, "a", "S1", 1, 300000);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_outside(w, 1, true, 2026, 200000); /* fits */
	fw_turns(w);
	assert_int_equal(cases(w).count, 0);
	fw_outside(w, 1, true, 2026, 250000);
	fw_outside(w, 1, true, 2026, 250000); /* the feed says it again */
	fw_turns(w);
	restart(w);
	fw_outside(w, 1, true, 2026, 250000);
	fw_turns(w);
	struct kinds k = cases(w);
	assert_int_equal(k.count, 1);
	assert_string_equal(k.kind[0], "cap_b_outside");
	assert_string_equal(k.detail[0], "2026: 5500.00 > 5000.00");
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
}

/* What gives way by itself later is no difference. */
static void what_waits_beside_it_is_not_counted_in_the_difference(void **state)
{
	struct flow_world *w = WORLD(state);
	(void)charity(w, "a", "S1", 1, 300000);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	struct id b = charity(w, "b", "S2", 1, 150000);
	fw_outside(w, 1, false, 2026, 100000);
	fw_turns(w);
	ANSWERED(w, b, 5, "contribution_not_arrived", false);
	assert_int_equal(cases(w).count, 0);
	fw_outside(w, 1, true, 2026, 100000);
	fw_turns(w);
	ANSWERED(w, b, 5, "cap_b_exceeded", true);
	assert_int_equal(cases(w).count, 0);
}

/* What qiao trace shows of a person. */
static void a_person_is_shown_with_what_is_counted(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id of[LINK_MAX], one = fw_token(1), two = fw_token(2), other = fw_token(3);
	struct ledger_view *v;
	struct err e = {0};
	(void)charity(w, "a", "S1", 1, 10000);
	fw_outside(w, 1, false, 2026, 12300);
	fw_turns(w);
	assert_string_equal(decide(w, "link", 1, 2), "done");
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_links(v, &one, of, &e), 2);
	assert_true(id_eq(&of[0], &one) && id_eq(&of[1], &two));
	assert_int_equal(view_links(v, &other, of, &e), 1);
	assert_int_equal(view_outside(v, &one, 2026, &e), 12300);
	assert_int_equal(view_outside(v, &one, 2025, &e), 0);
	assert_int_equal(view_outside(v, &other, 2026, &e), 0);
	view_close(v);
}

/* The agency keeps its books by number: what it knows under the old one counts under the new one. */
static void money_under_the_old_number_counts_too(void **state)
{
	struct flow_world *w = WORLD(state);
	(void)charity(w, "a", "S1", 1, 10000);
	(void)charity(w, "b", "S1", 2, 100000);
	fw_outside(w, 1, false, 2026, 300000);
	fw_turns(w);
	assert_string_equal(decide(w, "link", 1, 2), "done");
	struct id c = charity(w, "c", "S2", 2, 100000);
	ANSWERED(w, c, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, c, 5).detail, "900.00");
}

/* What no agency would say. */
static void nonsense_takes_all_room_at_most(void **state)
{
	struct flow_world *w = WORLD(state);
	(void)charity(w, "a", "S1", 1, 10000);
	fw_outside(w, 1, false, 2026, INT64_MAX);
	fw_turns(w);
	struct id b = charity(w, "b", "S2", 1, 10000);
	assert_string_equal(fw_answer_of(w, b, 5).detail, "0.00");
	fw_outside(w, 1, true, 2026, -500000);
	fw_turns(w);
	struct id c = charity(w, "c", "S3", 1, 499000);
	ANSWERED(w, c, 5, "cap_b_exceeded", true);
	assert_string_equal(fw_answer_of(w, c, 5).detail, "4900.00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(cap_b_runs_over_both_numbers), T(no_second_payment_under_the_new_number), T(a_link_undoes_nothing_and_tells),
		T(groups_merge_and_are_taken_apart), T(a_group_is_bounded_and_words_are_read),
		T(what_others_gave_takes_room_when_filing), T(what_is_not_instructed_gives_way_newest_first),
		T(what_is_instructed_becomes_a_difference_once), T(money_under_the_old_number_counts_too),
		T(what_waits_beside_it_is_not_counted_in_the_difference),
		T(a_person_is_shown_with_what_is_counted), T(nonsense_takes_all_room_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
