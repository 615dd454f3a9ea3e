#include "domain/citizen_id.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

static void numbers_are_normalised(void **state)
{
	static const struct {
		const char *raw, *number; /* NULL: does not fit into 24 */
	} table[] = {
		{"11010519491231002X", "11010519491231002X"},
		{"11010519491231002x", "11010519491231002X"},
		{"１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"},
		{"11010519491231002ｘ", "11010519491231002X"},
		{"'11010519491231002X", "11010519491231002X"},
		{"=\"11010519491231002X\"", "11010519491231002X"},
		{"11010519491231002X\t", "11010519491231002X"},
		{" 110105 19491231 002X ", "11010519491231002X"},
		{"110105\xC2\xA0"
		 "19491231　002X",
		 "11010519491231002X"},
		{"\xE2\x80\xAD"
		 "11010519491231002X\xE2\x80\xAC",
		 "11010519491231002X"}, /* direction marks of a copied web page */
		{"3.30603E+17", "3.30603E+17"},
		{"无", "无"},
		{"", ""},
		{"12345678901234567890123", "12345678901234567890123"},
		{"123456789012345678901234", NULL},
	};
	char out[24];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int rc = citizen_id_normalise(str_of(table[i].raw), out, sizeof out);

		assert_int_equal(rc, table[i].number == NULL ? -1 : 0);
		assert_string_equal(out, table[i].number == NULL ? "" : table[i].number);
	}
}

static void numbers_are_checked(void **state)
{
	static const struct {
		const char *number, *why;
	} table[] = {
		{"11010519491231002X", NULL}, /* the standard's own example */
		{"330621194801011236", NULL}, /* Shaoxing County, before it became the district */
		{"810000199001011230", NULL}, /* residence permit of Hong Kong */
		{"930621194801011238", NULL}, /* foreigner's permanent residence */
		{"33060320261201001X", NULL}, /* born today */
		{"", "id_missing"},
		{"3.30603E+17", "id_scientific"},
		{"3.30603e17", "id_scientific"},
		{"330603E+17", "id_scientific"},
		{"3.3E", "id_characters"},
		{"E17", "id_characters"},
		{"3.3E+", "id_characters"},
		{"3.3E+1a", "id_characters"},
		{"330603.195", "id_characters"},
		{"1101051949123100X2", "id_characters"},
		{"X1010519491231002X", "id_characters"},
		{"11010519491231002Y", "id_characters"},
		{"张三", "id_characters"},
		{"11010519491231002", "id_length"},
		{"1101051949123100200", "id_length"},
		{"110105491231002", "id_length"}, /* fifteen places: the first generation */
		{"1", "id_length"},
		{"110105194912310021", "id_check_digit"},
		{"21010519491231002X", "id_check_digit"},
		{"11010519491231020X", "id_check_digit"}, /* two digits swapped */
		{"330603195002300017", "id_birth_date"},
		{"330603195013010015", "id_birth_date"},
		{"330603185001010019", "id_birth_date"},
		{"330603202701010011", "id_birth_date"},       /* in the future */
		{"330603195002180000", "id_suspicious_zeros"}, /* though the check digit fits */
		{"330603194801011000",
		 "id_suspicious_zeros"}, /* rounded to 15 digits: it does not */
	};
	const int today = date_of(2026, 12, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *why = citizen_id_check(str_of(table[i].number), today);
		const char *want = table[i].why;

		if ((why == NULL) != (want == NULL) || (why != NULL && strcmp(why, want) != 0))
			fail_msg("%s: %s instead of %s", table[i].number, why ? why : "good",
				 want ? want : "good");
	}
}

/* MOD 11-2 finds every wrong digit and every swap of neighbours. */
static void every_single_slip_is_found(void **state)
{
	static const char good[] = "330621194801011236";
	const int today = date_of(2026, 12, 1);
	char slip[19];

	(void)state;
	for (int i = 0; i < 18; i++) {
		for (char c = '0'; c <= '9'; c++) {
			memcpy(slip, good, sizeof slip);
			slip[i] = c;
			assert_int_equal(citizen_id_check(str_of(slip), today) == NULL,
					 c == good[i]);
		}
		memcpy(slip, good, sizeof slip);
		if (i == 17 || slip[i] == slip[i + 1])
			continue;
		slip[i] = good[i + 1];
		slip[i + 1] = good[i];
		assert_non_null(citizen_id_check(str_of(slip), today));
	}
}

static void certificates_by_words_and_codes(void **state)
{
	static const struct {
		const char *raw, *kind;
	} table[] = {
		{"", "resident_id"},
		{" ", "resident_id"},
		{"居民身份证", "resident_id"},
		{"居民 身份证", "resident_id"},
		{"身份证", "resident_id"},
		{"01", "resident_id"},
		{"201", "resident_id"},
		{"０１", "resident_id"},
		{"16", "hmt_permit"},
		{"237", "hmt_permit"},
		{"238", "hmt_permit"},
		{"港澳台居民居住证", "hmt_permit"},
		{"07", "foreigner_permit"},
		{"233", "foreigner_permit"},
		{"外国人永久居留身份证", "foreigner_permit"},
		{"护照", NULL},
		{"02", NULL},
		{"驾驶证", NULL},
		{"一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *kind = certificate_kind(str_of(table[i].raw));

		if (table[i].kind == NULL)
			assert_null(kind);
		else
			assert_string_equal(kind, table[i].kind);
	}
	assert_string_equal(certificate_kind((struct str){NULL, 0}), "resident_id");
}

static void credit_codes_are_checked(void **state)
{
	static const struct {
		const char *code, *why;
	} table[] = {
		{"91350100M000100Y43", NULL}, /* the standard's example */
		{"N2330603MF12345673", NULL}, /* village collectives start N2 */
		{"52330603123456789R", NULL},
		{"54330603000000001C", NULL},
		{"", "credit_code_missing"},
		{"91350100M000100Y4", "credit_code_length"},
		{"91350100M000100Y433", "credit_code_length"},
		{"91350100M000100Y4I", "credit_code_characters"},
		{"O1350100M000100Y43", "credit_code_characters"},
		{"91350100m000100y43", "credit_code_characters"},
		{"91350100M000100Y44", "credit_code_check"},
		{"N2330603MF12345637", "credit_code_check"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *why = credit_code_check(str_of(table[i].code));

		if (table[i].why == NULL)
			assert_null(why);
		else
			assert_string_equal(why, table[i].why);
	}
	assert_string_equal(credit_code_check((struct str){"91350100M000100Y\0"
							   "3",
							   18}),
			    "credit_code_characters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_normalised),
		cmocka_unit_test(numbers_are_checked),
		cmocka_unit_test(every_single_slip_is_found),
		cmocka_unit_test(certificates_by_words_and_codes),
		cmocka_unit_test(credit_codes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
