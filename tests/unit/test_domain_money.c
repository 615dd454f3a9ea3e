#include "domain/money.h"
#include "tests/lib/unit.h"
#include <string.h>

static void amounts_as_people_type_them(void **state)
{
	static const struct {
		const char *raw;
		int64_t fen;
	} table[] = {
		{"500", 50000},
		{"500.00", 50000},
		{"500.5", 50050},
		{"500.05", 50005},
		{"0.01", 1},
		{"00500", 50000},
		{"500.", 50000},
		{"500.0000", 50000},
		{"￥500", 50000},
		{"¥500", 50000},
		{"500元", 50000},
		{"500圆整", 50000},
		{"500元整", 50000},
		{"RMB500", 50000},
		{"人民币500元", 50000},
		{"1,200", 120000},
		{"1，200.50", 120050},
		{"12,345,678.90", 1234567890},
		{"５００", 50000},
		{"５００．５０", 50050},
		{" 5 0 0 ", 50000},
		{"'500", 50000},
		{"=\"500\"", 50000},
		{"500\t", 50000},
		{"+500", 50000},
		{"　500　", 50000},
		{"9999999", 999999900},
		{"10000000", 1000000000},
		{"1000000000", MONEY_MAX_FEN},
		{"1000000000.00", MONEY_MAX_FEN},
		{"￥+500", 50000},
		{"1", 100},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int64_t fen = -1;
		const char *why = money_parse(str_of(table[i].raw), &fen);

		if (why != NULL)
			fail_msg("%s: %s", table[i].raw, why);
		assert_int_equal(fen, table[i].fen);
	}
}

static void what_is_no_amount_says_why(void **state)
{
	static const struct {
		const char *raw, *why;
	} table[] = {
		{"", "amount_missing"},
		{"   ", "amount_missing"},
		{"　", "amount_missing"},
		{"=\"\"", "amount_missing"},
		{"-", "amount_missing"},
		{"——", "amount_missing"},
		{"/", "amount_missing"},
		{"无", "amount_missing"},
		{"五百", "amount_not_a_number"},
		{"500元/年", "amount_not_a_number"},
		{"abc", "amount_not_a_number"},
		{"5e2", "amount_not_a_number"},
		{"1E+3", "amount_not_a_number"},
		{"0x10", "amount_not_a_number"},
		{"5.0.0", "amount_not_a_number"},
		{".5", "amount_not_a_number"},
		{".", "amount_not_a_number"},
		{"元", "amount_not_a_number"},
		{"￥", "amount_not_a_number"},
		{"12,00", "amount_not_a_number"},
		{"1,2000", "amount_not_a_number"},
		{"1234,567", "amount_not_a_number"},
		{",500", "amount_not_a_number"},
		{"500,", "amount_not_a_number"},
		{"1,,000", "amount_not_a_number"},
		{"500-600", "amount_not_a_number"},
		{"--5", "amount_not_a_number"},
		{"()", "amount_not_a_number"},
		{"(500", "amount_not_a_number"},
		{"500 \xFF", "amount_not_a_number"},
		{"=500", "amount_not_a_number"},
		{"5百", "amount_not_a_number"},
		{"11111111111111111111111111111111111111111111111111111111111111111111",
		 "amount_not_a_number"},
		{"-500", "amount_negative"},
		{"－500", "amount_negative"},
		{"−500", "amount_negative"},
		{"(500)", "amount_negative"},
		{"（500.00）", "amount_negative"},
		{"￥-500", "amount_negative"},
		{"-￥500", "amount_negative"},
		{"-0.001", "amount_negative"},
		{"0", "amount_zero"},
		{"0.00", "amount_zero"},
		{"-0", "amount_zero"},
		{"0元", "amount_zero"},
		{"0000000", "amount_zero"},
		{"500.001", "amount_fraction"},
		{"0.001", "amount_fraction"},
		{"499.99999999999994", "amount_fraction"},
		{"1000000000.01", "amount_too_large"},
		{"10000000000", "amount_too_large"},
		{"92233720368547758", "amount_too_large"},
		{"9223372036854775808", "amount_too_large"},
		{"99999999999999999999999999999999999999", "amount_too_large"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int64_t fen = -1;
		const char *why = money_parse(str_of(table[i].raw), &fen);

		if (why == NULL || strcmp(why, table[i].why) != 0)
			fail_msg("%s: %s instead of %s", table[i].raw, why ? why : "good",
				 table[i].why);
		assert_int_equal(fen, 0);
	}
}

/* Each amount written in every common way reads back as itself. */
static void what_is_written_reads_back(void **state)
{
	static const char *const forms[] = {"%lld.%02lld", "￥%lld.%02lld", "%lld.%02lld元",
					    "'%lld.%02lld", "%lld.%02lld000"};
	uint64_t seed = 20261123;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t fen, got;
		char text[64];

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		fen = (int64_t)(seed >> 33) % (i % 2 ? 1000000 : MONEY_MAX_FEN) + 1;
		snprintf(text, sizeof text, forms[(size_t)i % COUNT(forms)], (long long)(fen / 100),
			 (long long)(fen % 100));
		assert_null(money_parse(str_of(text), &got));
		assert_int_equal(got, fen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_as_people_type_them),
		cmocka_unit_test(what_is_no_amount_says_why),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
