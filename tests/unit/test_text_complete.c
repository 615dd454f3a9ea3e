/* Every code that the domain can utter has a text in both languages, and every reason of a row
 * also its cure. */
#include "base/text.h"
#include "domain/gates.h"
#include "domain/payment.h"
#include "domain/row.h"
#include "tests/lib/unit.h"
#include <string.h>

static void assert_text(const char *code)
{
	const char *zh = text_get(code, LANG_ZH), *en = text_get(code, LANG_EN);

	if (zh == NULL || en == NULL || zh[0] == '\0' || en[0] == '\0')
		fail_msg("no text for %s", code);
	assert_true(utf8_valid(str_of(zh)));
	for (const char *p = en; *p != '\0';
	     p++) /* English is plain; a Chinese text there is a slip of columns */
		if (*p < ' ' || *p > '~')
			fail_msg("the English of %s is not plain", code);
	if (strspn(zh, " !\"#$%&'()*+,-./"
		       "0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz{}") ==
	    strlen(zh))
		fail_msg("the Chinese of %s is not Chinese", code);
}

static void assert_reason(const char *code)
{
	char cure[80];

	assert_text(code);
	assert_true(snprintf(cure, sizeof cure, "%s.cure", code) < (int)sizeof cure);
	assert_text(cure);
}

static void reasons_have_texts_and_cures(void **state)
{
	int rows, gates;
	const char *const *row = row_reason_codes(&rows), *const *gate = gate_reason_codes(&gates);

	(void)state;
	assert_true(rows > 40 && gates > 5);
	for (int i = 0; i < rows; i++) {
		assert_reason(row[i]);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(row[i], row[k]);
	}
	for (int i = 0; i < gates; i++)
		assert_reason(gate[i]);
	assert_non_null(strstr(text_get("cap_b_exceeded", LANG_ZH), "{0}"));
	assert_non_null(strstr(text_get("cap_b_exceeded", LANG_EN), "{0}"));
}

static void columns_gates_and_types_have_texts(void **state)
{
	(void)state;
	for (int i = 0; i < COLUMNS; i++)
		assert_text(column_code((enum column)i));
	for (int i = 0; i < SPONSOR_TYPES; i++)
		assert_text(sponsor_type_code((enum sponsor_type)i));
	for (int i = 0; i < GATES; i++)
		assert_text(gate_code((enum gate)i));
	assert_string_equal(text_get(column_code(COL_ID), LANG_ZH), "公民身份号码");
}

static void states_facts_and_statement_columns_have_texts(void **state)
{
	(void)state;
	for (int i = 0; i < STATES; i++)
		assert_text(state_code((enum state)i));
	for (int i = 0; i < STAT_COLUMNS; i++)
		assert_text(stat_column_code((enum stat_column)i));
	for (uint32_t f = 1; f < F_ALL; f <<= 1)
		assert_text(fact_code((enum fact)f));
}

static void file_reasons_of_the_domain_have_texts(void **state)
{
	static const char *const codes[] = {"village_unknown",	  "village_ambiguous",
					    "town_unknown",	  "credit_code_missing",
					    "credit_code_length", "credit_code_characters",
					    "credit_code_check"};

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++)
		assert_reason(codes[i]);
}

/* Placeholders are the same in both languages: nothing that a clerk needs is left out of one of
 * them. */
static void placeholders_agree(void **state)
{
	const char *code;

	(void)state;
	for (int i = 0; (code = text_code_at(i)) != NULL; i++)
		for (char n = '0'; n <= '9'; n++) {
			const char place[] = {'{', n, '}', '\0'};

			if ((strstr(text_get(code, LANG_ZH), place) == NULL) !=
			    (strstr(text_get(code, LANG_EN), place) == NULL))
				fail_msg("%s: %s is in one language only", code, place);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_have_texts_and_cures),
		cmocka_unit_test(columns_gates_and_types_have_texts),
		cmocka_unit_test(states_facts_and_statement_columns_have_texts),
		cmocka_unit_test(file_reasons_of_the_domain_have_texts),
		cmocka_unit_test(placeholders_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
