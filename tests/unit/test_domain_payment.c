#include "domain/payment.h"
#include "tests/lib/unit.h"
#include <string.h>

#define FACTS 20
#define BITS (1u << FACTS)

/* All sets of facts that any sequence of facts can lead to. */
static uint8_t reachable[BITS / 8];
static uint32_t *found;
static int found_count;

static bool mark(uint32_t facts)
{
	if (reachable[facts / 8] & 1u << facts % 8)
		return false;
	reachable[facts / 8] |= (uint8_t)(1u << facts % 8);
	found[found_count++] = facts;
	return true;
}

static int walk_all(void **state)
{
	(void)state;
	found = malloc(BITS * sizeof *found);
	assert_non_null(found);
	mark(0);
	for (int i = 0; i < found_count; i++)
		for (int f = 0; f < FACTS; f++) {
			uint32_t facts = found[i], implied;

			fact_absorb(&facts, (enum fact)(1 << f), &implied);
			mark(facts);
		}
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	free(found);
	return 0;
}

static void the_facts_are_twenty(void **state)
{
	(void)state;
	assert_int_equal(F_ALL, BITS - 1);
	for (int f = 0; f < FACTS; f++) {
		assert_string_not_equal(fact_code((enum fact)(1 << f)), "unknown");
		for (int g = 0; g < f; g++)
			assert_string_not_equal(fact_code((enum fact)(1 << f)),
						fact_code((enum fact)(1 << g)));
	}
	assert_string_equal(fact_code(F_DECLARED), "declared");
	assert_string_equal(fact_code(F_IN_TREASURY), "in_treasury");
	assert_string_equal(fact_code(F_DOUBT), "doubt");
	assert_string_equal(fact_code(F_REFUND_DOUBT), "refund_doubt");
	assert_string_equal(fact_code(F_DEBIT_REFUSED), "debit_refused");
	assert_string_equal(fact_code(F_WITHDRAWN), "withdrawn");
	assert_string_equal(fact_code(F_ALL), "unknown");
}

/* */
static void every_state_has_a_code_and_one_column(void **state)
{
	bool column_used[STAT_COLUMNS] = {false};

	(void)state;
	for (int s = 0; s < STATES; s++) {
		assert_true(stat_column_of((enum state)s) < STAT_COLUMNS);
		assert_int_not_equal(stat_column_of((enum state)s), SC_UNREADABLE);
		column_used[stat_column_of((enum state)s)] = true;
		assert_non_null(state_code((enum state)s));
		for (int t = 0; t < s; t++)
			assert_string_not_equal(state_code((enum state)s),
						state_code((enum state)t));
	}
	for (int c = 0; c < STAT_COLUMNS; c++) {
		assert_non_null(stat_column_code((enum stat_column)c));
		assert_int_equal(column_used[c], c != SC_UNREADABLE);
		for (int d = 0; d < c; d++)
			assert_string_not_equal(stat_column_code((enum stat_column)c),
						stat_column_code((enum stat_column)d));
	}
}

/* Which state a person would expect of a set of facts, told another way than the table: by the
 * money. */
static enum state expected(uint32_t f)
{
	if (f & (F_REJECTED | F_WITHDRAWN | F_EXPIRED | F_FAILED))
		return f & F_REJECTED	 ? ST_REJECTED
		       : f & F_WITHDRAWN ? ST_WITHDRAWN
		       : f & F_EXPIRED	 ? ST_EXPIRED
					 : ST_FAILED;
	if (f & F_PAID) { /* the bureau has, or had, the money */
		if (f & F_REFUNDED)
			return ST_REFUNDED;
		if (f & F_REFUND_REQUESTED)
			return f & F_REFUND_DOUBT ? ST_REFUND_IN_DOUBT : ST_REFUND_REQUESTED;
		if (f & F_CREDITED)
			return ST_CREDITED;
		if (f & F_CREDIT_REFUSED)
			return ST_CREDIT_REFUSED;
		return f & F_IN_TREASURY ? ST_IN_TREASURY : ST_PAID;
	}
	if (f & F_DOUBT)
		return ST_IN_DOUBT;
	if (f & F_ACCEPTED)
		return ST_ACCEPTED;
	return f & F_INSTRUCTED ? ST_INSTRUCTED : f & F_FILED ? ST_PENDING : ST_STAGED;
}

static void every_reachable_set_has_one_state_and_one_column(void **state)
{
	bool used[STATES] = {false};

	(void)state;
	assert_in_range(found_count, STATES,
			BITS / 4); /* most sets make no sense and cannot be reached */
	for (int i = 0; i < found_count; i++) {
		enum state s = state_of(found[i]);

		if (s != expected(found[i]))
			fail_msg("facts %05x: %s instead of %s", found[i], state_code(s),
				 state_code(expected(found[i])));
		assert_true(stat_column_of(s) < STAT_COLUMNS);
		used[s] = true;
	}
	for (int s = 0; s < STATES; s++)
		if (!used[s])
			fail_msg("no facts lead to %s", state_code((enum state)s));
}

static void sets_that_make_no_sense_cannot_be_reached(void **state)
{
	static const struct {
		uint32_t has, lacks;
	} table[] = {
		{F_REJECTED, 0},
		{F_WITHDRAWN, 0},
		{F_EXPIRED, 0},
		{F_FILED, F_DECLARED},
		{F_INSTRUCTED, F_FILED},
		{F_ACCEPTED, F_INSTRUCTED},
		{F_PAID, F_ACCEPTED},
		{F_IN_TREASURY, F_PAID},
		{F_FED_BACK, F_PAID},
		{F_CREDITED, F_IN_TREASURY},
		{F_CREDITED, F_FED_BACK},
		{F_CREDIT_REFUSED, F_FED_BACK},
		{F_FAILED, F_INSTRUCTED},
		{F_DOUBT, F_INSTRUCTED},
		{F_REFUND_REQUESTED, F_PAID},
		{F_REFUND_DOUBT, F_REFUND_REQUESTED},
		{F_REFUNDED, F_PAID},
		{F_DEBITED, F_REFUNDED},
		{F_DEBIT_REFUSED, F_REFUNDED},
		{F_REFUND_REFUSED, F_PAID},
	};
	static const uint32_t apart[][2] = {
		{F_REJECTED, F_INSTRUCTED}, {F_REJECTED, F_WITHDRAWN},	 {F_REJECTED, F_EXPIRED},
		{F_WITHDRAWN, F_EXPIRED},   {F_WITHDRAWN, F_INSTRUCTED}, {F_EXPIRED, F_INSTRUCTED},
		{F_FAILED, F_PAID},	    {F_DOUBT, F_ACCEPTED},	 {F_DOUBT, F_PAID},
		{F_DOUBT, F_FAILED},	 {F_REFUND_REFUSED, F_REFUND_REQUESTED}, {F_REFUND_REFUSED, F_REFUND_DOUBT},
		{F_REFUND_REFUSED, F_REFUNDED},
	};

	(void)state;
	for (int i = 1; i < found_count; i++) {
		uint32_t f = found[i];

		assert_true(f & F_DECLARED);
		for (size_t k = 0; k < COUNT(table); k++)
			assert_false((f & table[k].has) && (f & table[k].lacks) != table[k].lacks);
		for (size_t k = 0; k < COUNT(apart); k++)
			assert_false((f & apart[k][0]) && (f & apart[k][1]));
	}
}

/* One row: the facts in the order they come, and what becomes of the last. */
struct story {
	enum fact facts[8]; /* 0 ends */
	enum absorb last;
	enum state state;
	uint32_t implied; /* by the last */
};

static const struct story table_of_stories[] = {
	{{F_DECLARED}, ABSORB_NEW, ST_STAGED, 0},
	{{F_DECLARED, F_DECLARED}, ABSORB_OLD, ST_STAGED, 0},
	{{F_DECLARED, F_REJECTED}, ABSORB_NEW, ST_REJECTED, 0},
	{{F_DECLARED, F_FILED}, ABSORB_NEW, ST_PENDING, 0},
	{{F_DECLARED, F_FILED, F_EXPIRED}, ABSORB_NEW, ST_EXPIRED, 0},
	{{F_DECLARED, F_WITHDRAWN}, ABSORB_NEW, ST_WITHDRAWN, 0},
	{{F_DECLARED, F_FILED, F_INSTRUCTED}, ABSORB_NEW, ST_INSTRUCTED, 0},
	{{F_DECLARED, F_FILED, F_INSTRUCTED, F_ACCEPTED}, ABSORB_NEW, ST_ACCEPTED, 0},
	{{F_INSTRUCTED, F_PAID}, ABSORB_NEW, ST_PAID, F_ACCEPTED},
	{{F_INSTRUCTED, F_IN_TREASURY}, ABSORB_NEW, ST_IN_TREASURY, F_ACCEPTED | F_PAID},
	{{F_INSTRUCTED, F_IN_TREASURY, F_PAID}, ABSORB_OLD, ST_IN_TREASURY, 0},
	{{F_INSTRUCTED, F_PAID, F_ACCEPTED}, ABSORB_OLD, ST_PAID, 0},
	{{F_INSTRUCTED, F_PAID, F_FED_BACK, F_IN_TREASURY}, ABSORB_NEW, ST_IN_TREASURY, 0},
	{{F_INSTRUCTED, F_PAID, F_FED_BACK, F_CREDITED}, ABSORB_NEW, ST_CREDITED, F_IN_TREASURY},
	{{F_INSTRUCTED, F_PAID, F_FED_BACK, F_CREDITED, F_IN_TREASURY}, ABSORB_OLD, ST_CREDITED, 0},
	{{F_INSTRUCTED, F_PAID, F_CREDIT_REFUSED}, ABSORB_NEW, ST_CREDIT_REFUSED, F_FED_BACK},
	{{F_INSTRUCTED, F_PAID, F_CREDIT_REFUSED, F_CREDITED},
	 ABSORB_NEW,
	 ST_CREDITED,
	 F_IN_TREASURY},
	{{F_INSTRUCTED, F_CREDITED, F_CREDIT_REFUSED}, ABSORB_CONTRADICTION, ST_CREDITED, 0},
	/* doubt, and what answers it */
	{{F_INSTRUCTED, F_DOUBT}, ABSORB_NEW, ST_IN_DOUBT, 0},
	{{F_INSTRUCTED, F_DOUBT, F_DOUBT}, ABSORB_OLD, ST_IN_DOUBT, 0},
	{{F_INSTRUCTED, F_DOUBT, F_ACCEPTED}, ABSORB_NEW, ST_ACCEPTED, 0},
	{{F_INSTRUCTED, F_DOUBT, F_PAID}, ABSORB_NEW, ST_PAID, F_ACCEPTED},
	{{F_INSTRUCTED, F_DOUBT, F_FAILED}, ABSORB_NEW, ST_FAILED, 0},
	{{F_INSTRUCTED, F_ACCEPTED, F_DOUBT}, ABSORB_OLD, ST_ACCEPTED, 0},
	{{F_INSTRUCTED, F_PAID, F_DOUBT}, ABSORB_OLD, ST_PAID, 0},
	{{F_INSTRUCTED, F_FAILED, F_DOUBT}, ABSORB_OLD, ST_FAILED, 0},
	/* failed and paid contradict each other */
	{{F_INSTRUCTED, F_FAILED}, ABSORB_NEW, ST_FAILED, 0},
	{{F_INSTRUCTED, F_ACCEPTED, F_FAILED}, ABSORB_NEW, ST_FAILED, 0},
	{{F_INSTRUCTED, F_FAILED, F_ACCEPTED}, ABSORB_OLD, ST_FAILED, 0},
	{{F_INSTRUCTED, F_FAILED, F_PAID}, ABSORB_CONTRADICTION, ST_FAILED, 0},
	{{F_INSTRUCTED, F_FAILED, F_IN_TREASURY}, ABSORB_CONTRADICTION, ST_FAILED, 0},
	{{F_INSTRUCTED, F_FAILED, F_CREDITED}, ABSORB_CONTRADICTION, ST_FAILED, 0},
	{{F_INSTRUCTED, F_PAID, F_FAILED}, ABSORB_CONTRADICTION, ST_PAID, 0},
	{{F_INSTRUCTED, F_REFUNDED, F_FAILED}, ABSORB_CONTRADICTION, ST_REFUNDED, 0},
	/* refunds */
	{{F_INSTRUCTED, F_PAID, F_REFUND_REQUESTED}, ABSORB_NEW, ST_REFUND_REQUESTED, 0},
	{{F_INSTRUCTED, F_CREDITED, F_REFUND_REQUESTED}, ABSORB_NEW, ST_REFUND_REQUESTED, 0},
	{{F_INSTRUCTED, F_PAID, F_REFUND_REQUESTED, F_REFUND_DOUBT},
	 ABSORB_NEW,
	 ST_REFUND_IN_DOUBT,
	 0},
	{{F_INSTRUCTED, F_PAID, F_REFUND_DOUBT, F_REFUNDED}, ABSORB_NEW, ST_REFUNDED, 0},
	{{F_INSTRUCTED, F_PAID, F_REFUNDED, F_REFUND_DOUBT}, ABSORB_OLD, ST_REFUNDED, 0},
	{{F_INSTRUCTED, F_PAID, F_REFUNDED, F_REFUND_REQUESTED}, ABSORB_OLD, ST_REFUNDED, 0},
	/* the bureau refuses to refund: what the payment was, it is again; another reversal may follow */
	{{F_INSTRUCTED, F_CREDITED, F_REFUND_REQUESTED, F_REFUND_REFUSED}, ABSORB_NEW, ST_CREDITED, 0},
	{{F_INSTRUCTED, F_PAID, F_REFUND_REQUESTED, F_REFUND_DOUBT, F_REFUND_REFUSED},
	 ABSORB_NEW,
	 ST_PAID,
	 0},
	{{F_INSTRUCTED, F_PAID, F_REFUND_REQUESTED, F_IN_TREASURY, F_REFUND_REFUSED},
	 ABSORB_NEW,
	 ST_IN_TREASURY,
	 0},
	{{F_PAID, F_REFUND_REQUESTED, F_REFUND_REFUSED, F_REFUND_REFUSED}, ABSORB_OLD, ST_PAID, 0},
	{{F_PAID, F_REFUND_REQUESTED, F_REFUND_REFUSED, F_REFUND_REQUESTED},
	 ABSORB_NEW,
	 ST_REFUND_REQUESTED,
	 0},
	{{F_PAID, F_REFUND_REQUESTED, F_REFUND_REFUSED, F_REFUND_REQUESTED, F_REFUND_REFUSED},
	 ABSORB_NEW,
	 ST_PAID,
	 0},
	{{F_PAID, F_REFUND_REQUESTED, F_REFUND_REFUSED, F_REFUNDED}, ABSORB_NEW, ST_REFUNDED, 0},
	{{F_PAID, F_REFUND_REQUESTED, F_REFUNDED, F_REFUND_REFUSED},
	 ABSORB_CONTRADICTION,
	 ST_REFUNDED,
	 0},
	{{F_INSTRUCTED, F_PAID, F_REFUND_REFUSED}, ABSORB_CONTRADICTION, ST_PAID, 0}, /* of nothing */
	{{F_INSTRUCTED, F_REFUNDED},
	 ABSORB_NEW,
	 ST_REFUNDED,
	 F_ACCEPTED | F_PAID}, /* the bureau by itself */
	{{F_INSTRUCTED, F_DOUBT, F_REFUNDED}, ABSORB_NEW, ST_REFUNDED, F_ACCEPTED | F_PAID},
	{{F_INSTRUCTED, F_REFUND_REQUESTED}, ABSORB_CONTRADICTION, ST_INSTRUCTED, 0},
	{{F_INSTRUCTED, F_ACCEPTED, F_REFUND_DOUBT}, ABSORB_CONTRADICTION, ST_ACCEPTED, 0},
	{{F_INSTRUCTED, F_PAID, F_REFUNDED, F_DEBITED}, ABSORB_NEW, ST_REFUNDED, 0},
	{{F_INSTRUCTED, F_PAID, F_REFUNDED, F_DEBIT_REFUSED}, ABSORB_NEW, ST_REFUNDED, 0},
	{{F_INSTRUCTED, F_PAID, F_REFUNDED, F_DEBIT_REFUSED, F_DEBITED},
	 ABSORB_NEW,
	 ST_REFUNDED,
	 0},
	{{F_INSTRUCTED, F_PAID, F_REFUNDED, F_DEBITED, F_DEBIT_REFUSED},
	 ABSORB_CONTRADICTION,
	 ST_REFUNDED,
	 0},
	{{F_INSTRUCTED, F_PAID, F_DEBITED}, ABSORB_CONTRADICTION, ST_PAID, 0},
	{{F_INSTRUCTED, F_PAID, F_FED_BACK, F_REFUNDED, F_CREDITED},
	 ABSORB_NEW,
	 ST_REFUNDED,
	 F_IN_TREASURY}, /* crossed */
	/* ends of rows that were never instructed; afterwards no money moves */
	{{F_DECLARED, F_REJECTED, F_FILED}, ABSORB_CONTRADICTION, ST_REJECTED, 0},
	{{F_DECLARED, F_FILED, F_REJECTED},
	 ABSORB_NEW,
	 ST_REJECTED,
	 0}, /* turned out not to be eligible */
	{{F_FILED, F_INSTRUCTED, F_REJECTED}, ABSORB_CONTRADICTION, ST_INSTRUCTED, 0},
	{{F_FILED, F_WITHDRAWN, F_REJECTED}, ABSORB_CONTRADICTION, ST_WITHDRAWN, 0},
	{{F_FILED, F_EXPIRED, F_REJECTED}, ABSORB_CONTRADICTION, ST_EXPIRED, 0},
	{{F_DECLARED, F_REJECTED, F_WITHDRAWN}, ABSORB_CONTRADICTION, ST_REJECTED, 0},
	{{F_DECLARED, F_EXPIRED, F_WITHDRAWN}, ABSORB_CONTRADICTION, ST_EXPIRED, 0},
	{{F_DECLARED, F_WITHDRAWN, F_EXPIRED}, ABSORB_CONTRADICTION, ST_WITHDRAWN, 0},
	{{F_FILED, F_WITHDRAWN, F_INSTRUCTED}, ABSORB_CONTRADICTION, ST_WITHDRAWN, 0},
	{{F_FILED, F_EXPIRED, F_PAID}, ABSORB_CONTRADICTION, ST_EXPIRED, 0},
	{{F_FILED, F_EXPIRED, F_DOUBT}, ABSORB_CONTRADICTION, ST_EXPIRED, 0},
	{{F_FILED, F_EXPIRED, F_ACCEPTED}, ABSORB_CONTRADICTION, ST_EXPIRED, 0},
	{{F_FILED, F_INSTRUCTED, F_WITHDRAWN}, ABSORB_CONTRADICTION, ST_INSTRUCTED, 0},
	{{F_FILED, F_INSTRUCTED, F_EXPIRED}, ABSORB_CONTRADICTION, ST_INSTRUCTED, 0},
	{{F_INSTRUCTED, F_PAID, F_WITHDRAWN}, ABSORB_CONTRADICTION, ST_PAID, 0},
	{{F_INSTRUCTED, F_DECLARED}, ABSORB_OLD, ST_INSTRUCTED, 0},
	{{F_CREDITED},
	 ABSORB_NEW,
	 ST_CREDITED,
	 F_DECLARED | F_FILED | F_INSTRUCTED | F_ACCEPTED | F_PAID | F_IN_TREASURY | F_FED_BACK},
};

static void stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(table_of_stories); i++) {
		uint32_t facts = 0, implied = 0;
		enum absorb got = ABSORB_OLD;

		for (int k = 0; k < 8 && table_of_stories[i].facts[k] != 0; k++)
			got = fact_absorb(&facts, table_of_stories[i].facts[k], &implied);
		if (got != table_of_stories[i].last || state_of(facts) != table_of_stories[i].state)
			fail_msg("story %zu: %d, %s", i, got, state_code(state_of(facts)));
		assert_int_equal(implied, table_of_stories[i].implied);
	}
}

static void absorbing_changes_only_what_it_says(void **state)
{
	(void)state;
	for (int i = 0; i < found_count; i++)
		for (int b = 0; b < FACTS; b++) {
			enum fact f = (enum fact)(1 << b);
			uint32_t facts = found[i], implied = 0xDEAD, again;

			if (fact_absorb(&facts, f, &implied) != ABSORB_NEW) {
				assert_int_equal(facts, found[i]);
				assert_int_equal(implied, 0);
				continue;
			}
			assert_false(found[i] & f);
			assert_false(implied & (found[i] | f));
			assert_int_equal(facts & ~found[i], f | implied);
			/* only doubt goes, and what was said of a refund */
			assert_int_equal(found[i] & ~facts & ~(uint32_t)(F_DOUBT | F_REFUND_REQUESTED | F_REFUND_DOUBT |
									 F_REFUND_REFUSED), 0);
			again = facts;
			assert_int_equal(fact_absorb(&again, f, &implied),
					 ABSORB_OLD); /* a repeat does nothing */
			assert_int_equal(again, facts);
		}
}

/* Money that reached the bureau never falls out of collected again; an end that says "never
 * paid" never becomes paid. */
static void money_does_not_vanish(void **state)
{
	(void)state;
	for (int i = 0; i < found_count; i++)
		for (int b = 0; b < FACTS; b++) {
			uint32_t facts = found[i], implied;
			enum state before = state_of(facts), after;

			fact_absorb(&facts, (enum fact)(1 << b), &implied);
			after = state_of(facts);
			if (found[i] & F_PAID)
				assert_true(stat_column_of(after) >= SC_REFUND_REQUESTED &&
					    stat_column_of(after) <= SC_AWAITING_CREDIT);
			if (!state_live(before))
				assert_int_equal(after, before);
		}
}

static void live_and_final(void **state)
{
	static const struct {
		enum state state;
		bool live, final;
	} table[STATES] = {
		{ST_STAGED, true, false},	   {ST_REJECTED, false, true},
		{ST_PENDING, true, false},	   {ST_INSTRUCTED, true, false},
		{ST_ACCEPTED, true, false},	   {ST_PAID, true, false},
		{ST_IN_TREASURY, true, false},	   {ST_CREDITED, true, true},
		{ST_CREDIT_REFUSED, true, true},   {ST_FAILED, false, true},
		{ST_IN_DOUBT, true, false},	   {ST_REFUND_REQUESTED, true, false},
		{ST_REFUND_IN_DOUBT, true, false}, {ST_REFUNDED, false, true},
		{ST_EXPIRED, false, true},	   {ST_WITHDRAWN, false, true},
	};

	(void)state;
	for (int i = 0; i < STATES; i++) {
		assert_int_equal(table[i].state, i);
		assert_int_equal(state_live(table[i].state), table[i].live);
		assert_int_equal(state_final(table[i].state), table[i].final);
	}
}

/* Many payments, facts in any order: the columns kept by moving each payment from its old column
 * to its new one always add up to what was declared, and are what a recount gives. R-29 */
static void totals_are_conserved(void **state)
{
	enum { PAYMENTS = 500, STEPS = 400000 };
	static uint32_t facts[PAYMENTS];
	static int64_t amount[PAYMENTS];
	int64_t count[STAT_COLUMNS] = {0}, sum[STAT_COLUMNS] = {0}, declared = 0;
	uint64_t seed = 20261231;
	int outcomes[3] = {0};

	(void)state;
	for (int i = 0; i < PAYMENTS; i++) {
		uint32_t implied;

		fact_absorb(&facts[i], F_DECLARED, &implied);
		amount[i] = 100 * (i % 50 + 1);
		declared += amount[i];
		count[SC_STAGED]++;
		sum[SC_STAGED] += amount[i];
	}
	for (int step = 0; step < STEPS; step++) {
		int64_t all = 0, total = 0;
		enum stat_column from, to;
		uint32_t implied;
		int i;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		i = (int)((seed >> 40) % PAYMENTS);
		if (seed % 5000 ==
		    0) { /* a payment of the tuple that ended makes room for the next */
			from = stat_column_of(state_of(facts[i]));
			facts[i] = F_DECLARED;
		} else {
			from = stat_column_of(state_of(facts[i]));
			outcomes[fact_absorb(&facts[i], (enum fact)(1 << (seed >> 33) % FACTS),
					     &implied)]++;
		}
		to = stat_column_of(state_of(facts[i]));
		count[from]--;
		count[to]++;
		sum[from] -= amount[i];
		sum[to] += amount[i];
		for (int c = 0; c < STAT_COLUMNS; c++) {
			assert_true(count[c] >= 0 && sum[c] >= 0);
			all += count[c];
			total += sum[c];
		}
		assert_int_equal(all, PAYMENTS);
		assert_int_equal(total, declared);
	}
	for (int i = 0; i < PAYMENTS; i++) {
		count[stat_column_of(state_of(facts[i]))]--;
		sum[stat_column_of(state_of(facts[i]))] -= amount[i];
	}
	for (int c = 0; c < STAT_COLUMNS; c++)
		assert_true(count[c] == 0 && sum[c] == 0);
	assert_true(outcomes[ABSORB_NEW] > 100 && outcomes[ABSORB_OLD] > 100 &&
		    outcomes[ABSORB_CONTRADICTION] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_facts_are_twenty),
		cmocka_unit_test(every_state_has_a_code_and_one_column),
		cmocka_unit_test(every_reachable_set_has_one_state_and_one_column),
		cmocka_unit_test(sets_that_make_no_sense_cannot_be_reached),
		cmocka_unit_test(stories),
		cmocka_unit_test(absorbing_changes_only_what_it_says),
		cmocka_unit_test(money_does_not_vanish),
		cmocka_unit_test(live_and_final),
		cmocka_unit_test(totals_are_conserved),
	};

	return cmocka_run_group_tests(tests, walk_all, free_all);
}
