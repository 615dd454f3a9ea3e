/* Reconciliation in the gateway: books come in, in pieces and again; every class becomes a case of its own, once; a book that is not
 * whole concludes nothing; the process dies between any two turns. */
#include "crypto/digest.h"
#include "ledger/books.h"
#include "tests/lib/flow_test.h"

#define PERIOD "1767196800000 1830268800000" /* 2026-01-01 to 2028-01-01 */
enum { PAYMENTS = 12 };

struct cases {
	struct case_row at[40];
	int count;
};

static int take_case(void *arg, const struct case_row *c)
{
	struct cases *k = arg;
	assert_true(k->count < 40);
	k->at[k->count++] = *c;
	return 0;
}

static struct cases cases_of(struct flow_world *w, bool all)
{
	struct cases k = {.count = 0};
	struct ledger_view *v;
	struct err e = {0};
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_difference_cases(v, 0, all, 0, take_case, &k, &e), 0);
	view_close(v);
	return k;
}

static struct run newest_run(struct flow_world *w, struct run_sum sums[BOOKS][BOOK_CLASSES])
{
	struct ledger_view *v;
	struct run r;
	struct err e = {0};
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_run(v, NULL, &r, &e), 1);
	assert_int_equal(view_run_sums(v, r.no, sums, &e), 0);
	view_close(v);
	return r;
}

/* Persons 1..PAYMENTS, paid and credited, an hour and more ago. */
static void all_credited(struct flow_world *w)
{
	struct fw_row rows[PAYMENTS];
	for (int i = 0; i < PAYMENTS; i++)
		rows[i] = (struct fw_row){i + 1, 50000, NULL};
	filed_by(w, "roster", SPONSOR_COLLECTIVE, "S1", rows, PAYMENTS);
	for (int i = 1; i <= PAYMENTS; i++)
		fw_status(w, i, true, FW_NOW);
	fw_turns(w);
	for (int i = 1; i <= PAYMENTS; i++) {
		struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S1", i, 0);
		fw_result(w, pid, "accepted", 1, FW_NOW);
		fw_result(w, pid, "paid", 0, FW_NOW);
		fw_result(w, pid, "in_treasury", 0, FW_NOW);
	}
	fw_turns(w);
	for (int i = 1; i <= PAYMENTS; i++)
		fw_credit(w, EV_ACCOUNT_CREDITED, fw_payment(SPONSOR_COLLECTIVE, "S1", i, 0), 50000);
	fw_turns(w);
	fw_time(w, "2026-12-24T12:00:00+08:00");
}

struct sent_book {
	struct flow_world *w;
	struct bus *bus;
	struct id run;
	int64_t attempt, seq, fen, at;
	int lost; /* entries numbered but not sent */
};

static struct sent_book open_book(struct flow_world *w, bool ssa, struct id run, int64_t attempt)
{
	struct sent_book b = {.w = w, .bus = ssa ? w->ssa_bus : w->tax_bus, .run = run, .attempt = attempt, .at = at("2026-12-24T10:00:00+08:00")};
	struct book_opened o = {.run_id = run, .attempt = attempt};
	fw_publish_as(w, b.bus, EV_BOOK_OPENED, &o, run);
	return b;
}

static void put_entry(struct sent_book *b, const struct id *pid, int person, int64_t fen, const char *word)
{
	struct book_entry x = {.run_id = b->run, .attempt = b->attempt, .seq = ++b->seq, .amount_fen = fen, .at = b->at,
			       .state = str_of(word), .receipt = STR("433000000000000017")};
	if (pid)
		x.payment_id = (struct opt_id){true, *pid};
	if (person)
		x.token = (struct opt_id){true, fw_token(person)};
	b->fen += fen;
	fw_publish_as(b->w, b->bus, EV_BOOK_ENTRY, &x, b->run);
}

static void put_payment(struct sent_book *b, int person, int64_t fen, const char *word)
{
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S1", person, 0);
	put_entry(b, &pid, person, fen, word);
}

static void close_book(struct sent_book *b, int64_t more)
{
	struct book_closed c = {.run_id = b->run, .attempt = b->attempt, .count = b->seq + more, .amount_fen = b->fen,
				.as_of = at("2026-12-24T12:00:00+08:00")};
	fw_publish_as(b->w, b->bus, EV_BOOK_CLOSED, &c, b->run);
}

static void equal_book(struct flow_world *w, bool ssa, struct id run)
{
	struct sent_book b = open_book(w, ssa, run, 1);
	for (int i = 1; i <= PAYMENTS; i++)
		put_payment(&b, i, 50000, ssa ? "credited" : "in_treasury");
	close_book(&b, 0);
}

static void equal_books_have_no_difference(void **state)
{
	struct flow_world *w = WORLD(state);
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	struct book_request q;
	all_credited(w);
	struct id op = fw_operation(w, "reconcile", "2026", "tax,ssa " PERIOD, "anna");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_BOOK_REQUEST, &q), 2);
	assert_true(id_eq(&q.run_id, &op) && q.year == 2026);
	assert_int_equal(newest_run(w, sums).state, RUN_FETCHING);
	equal_book(w, false, op);
	fw_turns(w);
	assert_int_equal(newest_run(w, sums).state, RUN_FETCHING);
	equal_book(w, true, op);
	fw_turns(w);
	struct run r = newest_run(w, sums);
	assert_int_equal(r.state, RUN_DONE);
	assert_int_equal(r.found, 0);
	for (int b = 0; b < BOOKS; b++)
		for (int c = 0; c < BOOK_CLASSES; c++) {
			assert_int_equal(sums[b][c].count, c == BC_SAME ? PAYMENTS : 0);
			assert_int_equal(sums[b][c].our_fen, c == BC_SAME ? PAYMENTS * 50000 : 0);
			assert_int_equal(sums[b][c].their_fen, c == BC_SAME ? PAYMENTS * 50000 : 0);
		}
	assert_int_equal(cases_of(w, true).count, 0);
}

/* 1 other amount, 2 failed there, 3 not there, 4 and 5 as they should be, 6 without our id, a stranger, 7 twice. */
static void odd_book(struct flow_world *w, struct id run, int64_t attempt)
{
	struct sent_book b = open_book(w, false, run, attempt);
	put_payment(&b, 1, 50100, "paid");
	put_payment(&b, 2, 50000, "refused");
	for (int i = 4; i <= PAYMENTS; i++)
		if (i != 6)
			put_payment(&b, i, 50000, "in_treasury");
	put_entry(&b, NULL, 6, 50000, "in_treasury"); /* keyed in, and ours has no other: the same */
	put_entry(&b, NULL, 99, 70000, "paid");
	put_payment(&b, 7, 50000, "paid");
	close_book(&b, 0);
}

static const struct case_row *find(const struct cases *k, const char *kind)
{
	const struct case_row *found = NULL;
	for (int i = 0; i < k->count; i++)
		if (strcmp(k->at[i].kind, kind) == 0) {
			assert_null(found);
			found = &k->at[i];
		}
	if (!found)
		fail_msg("no case %s", kind);
	return found;
}

static void each_class_is_a_case(void **state)
{
	struct flow_world *w = WORLD(state);
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	all_credited(w);
	odd_book(w, fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna"), 1);
	fw_turns(w);
	struct run r = newest_run(w, sums);
	assert_int_equal(r.state, RUN_DONE);
	struct cases k = cases_of(w, false);
	assert_int_equal(k.count, 5);
	assert_int_equal(find(&k, "tax_amount_differs")->their_fen, 50100);
	assert_int_equal(find(&k, "tax_amount_differs")->our_fen, 50000);
	assert_string_equal(find(&k, "tax_failed_there")->their_state, "refused");
	assert_string_equal(find(&k, "tax_failed_there")->our_state, "credited");
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 3, 0), token = fw_token(99);
	assert_true(id_eq(&find(&k, "tax_missing_there")->pid, &pid));
	assert_true(find(&k, "tax_missing_there")->decl > 0);
	assert_false(find(&k, "tax_unknown_here")->has_pid);
	assert_true(id_eq(&find(&k, "tax_unknown_here")->token, &token));
	pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 7, 0);
	assert_true(id_eq(&find(&k, "tax_twice")->pid, &pid));
	assert_int_equal(sums[BOOK_TAX][BC_SAME].count, PAYMENTS - 3);
	assert_int_equal(sums[BOOK_TAX][BC_UNKNOWN_HERE].count, 2);
	assert_int_equal(differences(w), 5);
}

/* Found again: not doubled. Gone: said so. Back: the same case. Resolved by a person: stays so. */
static void cases_live_on_from_run_to_run(void **state)
{
	struct flow_world *w = WORLD(state);
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	char no[24], code[40];
	all_credited(w);
	odd_book(w, fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna"), 1);
	fw_turns(w);
	odd_book(w, fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna"), 2);
	fw_turns(w);
	struct cases k = cases_of(w, true);
	assert_int_equal(k.count, 5);
	snprintf(no, sizeof no, "%d", (int)find(&k, "tax_failed_there")->no);
	struct id assign = fw_operation(w, "difference_assign", no, "ben", "anna");
	struct id resolve = fw_operation(w, "difference_resolve", no, NULL, "berta");
	struct id again = fw_operation(w, "difference_resolve", no, NULL, "berta");
	struct id none = fw_operation(w, "difference_assign", "4711", "ben", "anna");
	struct id nobody = fw_operation(w, "difference_assign", no, NULL, "anna");
	fw_turns(w);
	assert_string_equal(fw_outcome(w, assign, code), "done");
	assert_string_equal(fw_outcome(w, resolve, code), "done");
	assert_string_equal(fw_outcome(w, again, code), "refused");
	assert_string_equal(code, "difference_closed");
	fw_outcome(w, none, code);
	assert_string_equal(code, "difference_not_found");
	fw_outcome(w, nobody, code);
	assert_string_equal(code, "difference_owner");
	k = cases_of(w, true);
	assert_int_equal(find(&k, "tax_failed_there")->state, CASE_RESOLVED);
	assert_string_equal(find(&k, "tax_failed_there")->owner, "ben");
	assert_int_equal(differences(w), 4);
	/* the other book tells nothing of these; nor does a shorter period */
	equal_book(w, true, fw_operation(w, "reconcile", "2026", "ssa " PERIOD, "anna"));
	fw_turns(w);
	equal_book(w, false, fw_operation(w, "reconcile", "2026", "tax 1782187200000 1830268800000", "anna"));
	fw_turns(w);
	assert_int_equal(differences(w), 4);
	equal_book(w, false, fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna"));
	fw_turns(w);
	assert_int_equal(newest_run(w, sums).state, RUN_DONE);
	assert_int_equal(differences(w), 0);
	k = cases_of(w, true);
	assert_int_equal(k.count, 5);
	assert_int_equal(find(&k, "tax_missing_there")->state, CASE_GONE);
	assert_int_equal(find(&k, "tax_failed_there")->state, CASE_RESOLVED);
	odd_book(w, fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna"), 1);
	fw_turns(w);
	k = cases_of(w, true);
	assert_int_equal(k.count, 5);
	assert_int_equal(differences(w), 4);
	assert_int_equal(find(&k, "tax_failed_there")->state, CASE_RESOLVED);
}

static void a_book_that_is_not_whole_concludes_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	all_credited(w);
	struct id op = fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna");
	struct sent_book b = open_book(w, false, op, 1);
	put_payment(&b, 1, 50100, "paid");
	close_book(&b, 1);
	fw_turns(w);
	assert_int_equal(newest_run(w, sums).state, RUN_INCOMPLETE);
	assert_string_equal(newest_run(w, sums).why, "totals_differ");
	op = fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna");
	b = open_book(w, false, op, 1);
	put_payment(&b, 1, 50100, "paid");
	b.seq++;
	put_payment(&b, 2, 50000, "paid");
	fw_turns(w);
	assert_string_equal(newest_run(w, sums).why, "entries_missing");
	op = fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna");
	b = open_book(w, false, op, 1);
	put_payment(&b, 1, 50100, "lost");
	fw_turns(w);
	assert_string_equal(newest_run(w, sums).why, "unknown_state");
	(void)fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna");
	fw_turns(w);
	fw_time(w, "2026-12-25T12:00:01+08:00");
	fw_turns(w);
	assert_string_equal(newest_run(w, sums).why, "book_missing");
	assert_int_equal(cases_of(w, true).count, 0);
}

/* A new attempt voids the first, whose late entries count no more; repeats of entries neither. */
static void attempts_do_not_add_up(void **state)
{
	struct flow_world *w = WORLD(state);
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	all_credited(w);
	struct id op = fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna");
	struct sent_book dead = open_book(w, false, op, 1);
	for (int i = 1; i < 5; i++)
		put_payment(&dead, i, 99900, "paid");
	fw_turns(w);
	put_payment(&dead, 5, 99900, "paid");
	struct sent_book b = open_book(w, false, op, 2);
	for (int i = 1; i <= PAYMENTS; i++) {
		put_payment(&b, i, 50000, "paid");
		b.seq--;
		b.fen -= 50000;
		put_payment(&b, i, 50000, "paid");
		put_payment(&dead, 6, 99900, "paid");
	}
	close_book(&dead, 0);
	close_book(&b, 0);
	close_book(&b, 0);
	equal_book(w, false, op); /* an adapter that did not know that it was done */
	fw_turns(w);
	assert_int_equal(newest_run(w, sums).state, RUN_DONE);
	assert_int_equal(newest_run(w, sums).found, 0);
	assert_int_equal(sums[BOOK_TAX][BC_SAME].count, PAYMENTS);
}

static void a_new_run_ends_the_old_one(void **state)
{
	struct flow_world *w = WORLD(state);
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	char code[40];
	all_credited(w);
	struct id old = fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna");
	struct sent_book b = open_book(w, false, old, 1);
	put_payment(&b, 1, 1, "paid");
	fw_turns(w);
	struct id op = fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna");
	put_payment(&b, 2, 1, "paid");
	fw_turns(w);
	equal_book(w, false, op);
	fw_turns(w);
	assert_int_equal(newest_run(w, sums).state, RUN_DONE);
	assert_int_equal(newest_run(w, sums).found, 0);
	struct id wrong = fw_operation(w, "reconcile", "2026", "bank " PERIOD, "anna");
	fw_turns(w);
	fw_outcome(w, wrong, code);
	assert_string_equal(code, "reconcile_what");
}

/* After each turn another life: the same cases at the end. */
static void any_crash_leaves_the_same(void **state)
{
	struct flow_world *w = WORLD(state);
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	all_credited(w);
	w->conf.gateway.batch_events = 1; /* a bucket a turn that holds anything */
	restart(w);
	odd_book(w, fw_operation(w, "reconcile", "2026", "tax " PERIOD, "anna"), 1);
	for (int i = 0; i < 100; i++) {
		one_turn(w);
		if (i % 2 == 0 || i < 12)
			restart(w);
	}
	assert_int_equal(newest_run(w, sums).state, RUN_DONE);
	assert_int_equal(cases_of(w, true).count, 5);
	assert_int_equal(sums[BOOK_TAX][BC_SAME].count, PAYMENTS - 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(equal_books_have_no_difference), T(each_class_is_a_case), T(cases_live_on_from_run_to_run),
		T(a_book_that_is_not_whole_concludes_nothing), T(attempts_do_not_add_up), T(a_new_run_ends_the_old_one),
		T(any_crash_leaves_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
