/* Every class of a pair, every stand of a state, and the two merges. */
#include "domain/reconcile.h"
#include "tests/lib/unit.h"
#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400000)
#define HOUR INT64_C(3600000)
static const struct reconcile_terms terms = {
	.from = 10 * DAY, .as_of = 100 * DAY, .grace_ms = HOUR, .patience_ms = 30 * DAY, .window_ms = 7 * DAY};

static struct book_line line(enum stand stand, int64_t amount_fen, int64_t at)
{
	return (struct book_line){.stand = (uint8_t)stand, .amount_fen = amount_fen, .at = at, .entered = at};
}

static enum book_class judged(int ours, int64_t our_fen, int theirs, int64_t their_fen)
{
	struct book_line a = line((enum stand)ours, our_fen, 90 * DAY), b = line((enum stand)theirs, their_fen, 90 * DAY);
	return reconcile_judge(&terms, ours < 0 ? NULL : &a, theirs < 0 ? NULL : &b);
}

static void the_seven_classes(void **state)
{
	(void)state;
	assert_int_equal(judged(STAND_OK, 500, STAND_OK, 500), 1);
	assert_int_equal(judged(STAND_OK, 500, STAND_OK, 501), 2);
	assert_int_equal(judged(STAND_OK, 500, STAND_FAILED, 500), 3);
	assert_int_equal(judged(STAND_OK, 500, -1, 0), 4);
	assert_int_equal(judged(STAND_FAILED, 500, STAND_OK, 500), 5);
	assert_int_equal(judged(-1, 0, STAND_OK, 500), 6);
	assert_int_equal(judged(STAND_FAILED, 500, STAND_FAILED, 500), 7);
}

static void what_stands_beside_the_seven(void **state)
{
	(void)state;
	assert_int_equal(judged(STAND_FAILED, 500, -1, 0), BC_BOTH_FAILED);
	assert_int_equal(judged(-1, 0, STAND_FAILED, 500), BC_NONE);
	assert_int_equal(judged(STAND_NONE, 500, -1, 0), BC_NONE);
	assert_int_equal(judged(STAND_NONE, 500, STAND_OK, 500), BC_UNKNOWN_HERE);
	assert_int_equal(judged(STAND_FAILED, 500, STAND_OPEN, 500), BC_OK_THERE);
	assert_int_equal(judged(-1, 0, STAND_OPEN, 500), BC_UNKNOWN_HERE);
	/* Amounts differ as soon as both have one under way; of what failed they do not matter. */
	assert_int_equal(judged(STAND_OPEN, 500, STAND_OPEN, 501), BC_AMOUNT);
	assert_int_equal(judged(STAND_OK, 500, STAND_FAILED, 501), BC_FAILED_THERE);
}

static void expected_later_has_an_age(void **state)
{
	struct book_line a = line(STAND_OPEN, 500, 90 * DAY), b = line(STAND_OPEN, 500, 95 * DAY);
	(void)state;
	for (int theirs = -1; theirs < STANDS; theirs++)
		if (theirs != STAND_NONE)
			assert_int_equal(judged(STAND_OPEN, 500, theirs, 500), BC_LATER);
	assert_int_equal(judged(STAND_OK, 500, STAND_OPEN, 500), BC_LATER);
	assert_int_equal(reconcile_age(&terms, &a, NULL), 10);
	assert_int_equal(reconcile_age(&terms, &a, &b), 5);
	b.at = 101 * DAY;
	assert_int_equal(reconcile_age(&terms, &a, &b), 0);
}

/* After patience_ms what was expected is missing. */
static void patience_ends(void **state)
{
	struct book_line a = line(STAND_OPEN, 500, 70 * DAY - 1), ok = line(STAND_OK, 500, 50 * DAY),
			 failed = line(STAND_FAILED, 500, 50 * DAY);
	(void)state;
	assert_int_equal(reconcile_judge(&terms, &a, NULL), BC_MISSING_THERE);
	assert_int_equal(reconcile_judge(&terms, &a, &ok), BC_OK_THERE);
	assert_int_equal(reconcile_judge(&terms, &a, &failed), BC_FAILED_THERE);
	a.at++;
	assert_int_equal(reconcile_judge(&terms, &a, NULL), BC_LATER);
}

/* News on its way at the moment of the book is no difference, another amount is one at once. */
static void fresh_news_is_waited_for(void **state)
{
	struct book_line ok = line(STAND_OK, 500, 90 * DAY), failed = line(STAND_FAILED, 500, 100 * DAY - HOUR + 1);
	(void)state;
	assert_int_equal(reconcile_judge(&terms, &ok, &failed), BC_LATER);
	assert_int_equal(reconcile_judge(&terms, &failed, &ok), BC_LATER);
	failed.at--;
	assert_int_equal(reconcile_judge(&terms, &ok, &failed), BC_FAILED_THERE);
	assert_int_equal(reconcile_judge(&terms, &failed, &ok), BC_OK_THERE);
	/* ours moved on after the book was drawn up */
	ok.at = 101 * DAY;
	assert_int_equal(reconcile_judge(&terms, &ok, NULL), BC_LATER);
	struct book_line dearer = line(STAND_OK, 501, 100 * DAY);
	assert_int_equal(reconcile_judge(&terms, &ok, &dearer), BC_AMOUNT);
}

static void before_the_period_a_book_says_nothing(void **state)
{
	struct book_line a = line(STAND_OK, 500, 80 * DAY);
	a.entered = 10 * DAY - 1;
	(void)state;
	assert_int_equal(reconcile_judge(&terms, &a, NULL), BC_NONE);
	a.stand = STAND_OPEN;
	assert_int_equal(reconcile_judge(&terms, &a, NULL), BC_NONE);
	a = line(STAND_OK, 500, 10 * DAY);
	assert_int_equal(reconcile_judge(&terms, &a, NULL), BC_MISSING_THERE);
}

static void facts_and_words_become_stands(void **state)
{
	static const struct {
		uint32_t facts;
		enum stand tax, ssa;
	} ours[] = {
		{F_DECLARED, STAND_NONE, STAND_NONE},
		{F_FILED, STAND_NONE, STAND_NONE},
		{F_FILED | F_EXPIRED, STAND_NONE, STAND_NONE},
		{F_INSTRUCTED, STAND_OPEN, STAND_NONE},
		{F_INSTRUCTED | F_DOUBT, STAND_OPEN, STAND_NONE},
		{F_ACCEPTED, STAND_OPEN, STAND_NONE},
		{F_ACCEPTED | F_PAID, STAND_OK, STAND_OPEN},
		{F_PAID | F_IN_TREASURY | F_FED_BACK, STAND_OK, STAND_OPEN},
		{F_PAID | F_FED_BACK | F_CREDITED, STAND_OK, STAND_OK},
		{F_PAID | F_FED_BACK | F_CREDIT_REFUSED, STAND_OK, STAND_FAILED},
		{F_INSTRUCTED | F_FAILED, STAND_FAILED, STAND_NONE},
		{F_PAID | F_REFUNDED, STAND_FAILED, STAND_NONE},
		{F_PAID | F_FED_BACK | F_CREDITED | F_REFUNDED, STAND_FAILED, STAND_OPEN},
		{F_PAID | F_FED_BACK | F_CREDITED | F_REFUNDED | F_DEBITED, STAND_FAILED, STAND_FAILED},
		{F_PAID | F_FED_BACK | F_CREDITED | F_REFUNDED | F_DEBIT_REFUSED, STAND_FAILED, STAND_OK},
	};
	(void)state;
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
		assert_int_equal(stand_of_facts(BOOK_TAX, ours[i].facts), ours[i].tax);
		assert_int_equal(stand_of_facts(BOOK_SSA, ours[i].facts), ours[i].ssa);
	}
	assert_int_equal(stand_of_word(book_word_of(BOOK_TAX, STR("in_treasury"))), STAND_OK);
	assert_int_equal(stand_of_word(book_word_of(BOOK_TAX, STR("refunded"))), STAND_FAILED);
	assert_int_equal(stand_of_word(book_word_of(BOOK_SSA, STR("debit_refused"))), STAND_OK);
	assert_string_equal(book_word(book_word_of(BOOK_SSA, STR("debited"))), "debited");
	assert_string_equal(book_word(-1), "");
	assert_int_equal(book_word_of(BOOK_SSA, STR("paid")), -1);
	assert_int_equal(book_of(STR("ssa")), BOOK_SSA);
	assert_int_equal(book_of(STR("bank")), -1);
}

struct seen {
	char text[400];
};

static int note(void *arg, const struct book_line *a, const struct book_line *b)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);
	snprintf(s->text + at, sizeof s->text - at, "%d-%d ", a ? (int)a->ref : 0, b ? (int)b->ref : 0);
	return 0;
}

static int stop(void *arg, const struct book_line *a, const struct book_line *b)
{
	note(arg, a, b);
	return 7;
}

static void ids_meet_and_doubles_stay_alone(void **state)
{
	struct book_line a[3] = {{.ref = 1}, {.ref = 2}, {.ref = 3}}, b[4] = {{.ref = 11}, {.ref = 12}, {.ref = 13}, {.ref = 14}};
	struct seen s = {""};
	(void)state;
	a[0].pid.b[0] = 1;
	a[1].pid.b[0] = 3;
	a[2].pid.b[0] = 5;
	b[0].pid.b[0] = 3;
	b[1].pid.b[0] = 9;
	b[2].pid.b[0] = 3;
	b[3].pid.b[0] = 4;
	qsort(b, 4, sizeof b[0], book_line_by_pid);
	assert_int_equal(reconcile_by_pid(a, 3, b, 4, note, &s), 0);
	assert_string_equal(s.text, "1-0 2-11 0-13 0-14 3-0 0-12 ");
	s.text[0] = '\0';
	assert_int_equal(reconcile_by_pid(a, 3, b, 4, stop, &s), 7);
	assert_string_equal(s.text, "1-0 ");
}

static struct book_line of(int person, int64_t amount_fen, int day, int ref)
{
	struct book_line l = {.amount_fen = amount_fen, .at = day * DAY, .ref = ref, .has_token = true};
	l.token.b[3] = (uint8_t)person;
	return l;
}

static void persons_meet_by_amount_and_date(void **state)
{
	struct book_line a[] = {of(1, 500, 20, 1), of(1, 500, 40, 2), of(2, 500, 20, 3), of(3, 600, 20, 4), of(4, 500, 20, 5),
				of(4, 500, 21, 6)};
	struct book_line b[] = {of(1, 500, 45, 11), of(2, 600, 20, 12), of(3, 600, 28, 13), of(4, 500, 22, 14), of(5, 500, 20, 15)};
	struct seen s = {""};
	(void)state;
	qsort(a, 6, sizeof a[0], book_line_by_person);
	qsort(b, 5, sizeof b[0], book_line_by_person);
	assert_int_equal(reconcile_by_person(&terms, a, 6, b, 5, note, &s), 0);
	/* 1 is too early for 11, 2 fits; other amount; one day past the window; one of two takes it; unknown person */
	assert_string_equal(s.text, "1-0 2-11 3-0 0-12 4-0 0-13 5-14 6-0 0-15 ");
}

struct tally {
	int *a, *b, pairs;
};

static int count(void *arg, const struct book_line *x, const struct book_line *y)
{
	struct tally *got = arg;
	if (x)
		got->a[x->ref]++;
	if (y)
		got->b[y->ref]++;
	if (x && y) {
		got->pairs++;
		assert_true(id_eq(&x->token, &y->token) && x->amount_fen == y->amount_fen);
		assert_true(llabs(x->at - y->at) <= terms.window_ms);
	}
	return 0;
}

/* Any two shuffled books: each line comes exactly once. */
static void no_line_is_lost_or_doubled(void **state)
{
	enum { N = 400 };
	static struct book_line a[N], b[N];
	static int seen_a[N], seen_b[N];
	(void)state;
	srand(7);
	for (int i = 0; i < N; i++) {
		a[i] = of(rand() % 40, 100 * (rand() % 3), rand() % 60, i);
		b[i] = of(rand() % 40, 100 * (rand() % 3), rand() % 60, i);
	}
	qsort(a, N, sizeof a[0], book_line_by_person);
	qsort(b, N, sizeof b[0], book_line_by_person);
	struct tally got = {seen_a, seen_b, 0};
	assert_int_equal(reconcile_by_person(&terms, a, N, b, N, count, &got), 0);
	assert_true(got.pairs > N / 4);
	for (int i = 0; i < N; i++) {
		assert_int_equal(seen_a[i], 1);
		assert_int_equal(seen_b[i], 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seven_classes),
		cmocka_unit_test(what_stands_beside_the_seven),
		cmocka_unit_test(expected_later_has_an_age),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(fresh_news_is_waited_for),
		cmocka_unit_test(before_the_period_a_book_says_nothing),
		cmocka_unit_test(facts_and_words_become_stands),
		cmocka_unit_test(ids_meet_and_doubles_stay_alone),
		cmocka_unit_test(persons_meet_by_amount_and_date),
		cmocka_unit_test(no_line_is_lost_or_doubled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
