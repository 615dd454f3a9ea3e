/* Every word that qiao-village says has its text in both languages, and every refusal its cure. */
#include "base/text.h"
#include "tests/lib/unit.h"
#include <string.h>

static const char *const refusals[] = {
	"file_empty",
	"file_is_workbook",
	"file_not_text",
	"file_undecodable",
	"file_too_large",
	"roster_no_header",
	"roster_no_rows",
	"roster_too_many_rows",
	"roster_record_too_long",
	"roster_rows_after_total",
	"year_missing",
	"year_unknown",
	"year_closed",
	"village_missing",
	"village_unknown",
	"village_ambiguous",
	"town_unknown",
	"cover_not_json",
	"cover_too_large",
	"cover_key_unknown",
	"cover_digest",
	"cover_year_unknown",
	"cover_sponsor",
	"cover_sponsor_unknown",
	"cover_standards",
	"cover_gates",
	"cover_gate",
	"cover_gate_unknown",
	"cover_gate_twice",
	"cover_until",
	"submission_received",
	"submission_incomplete",
	"submission_checked",
	"submission_waiting",
	"submission_held",
	"submission_refused",
	"submission_filed",
	"submission_final",
};
static const char *const words[] = {
	"cover_version",   "cover_year",      "cover_date",
	"cover_boolean",   "cover_text",      "answer_title",
	"answer_receipt",  "answer_digest",   "answer_counts_received",
	"answer_counts",   "answer_state",    "answer_next",
	"answer_mend",	   "answer_deadline", "result_received",
	"result_accepted", "result_mend",     "result_waiting",
	"result_done",	   "result_stopped",
};

static void assert_text(const char *code)
{
	const char *zh = text_get(code, LANG_ZH), *en = text_get(code, LANG_EN);

	if (zh == NULL || en == NULL || zh[0] == '\0' || en[0] == '\0' || !utf8_valid(str_of(zh)))
		fail_msg("no text for %s", code);
	for (const char *p = en; *p; p++) {
		if (*p < ' ' || *p > '~')
			fail_msg("the English of %s is not plain", code);
	}
	/* What is filled in one language is filled in the other. */
	for (char hole[] = "{0}"; hole[1] <= '9'; hole[1]++) {
		if ((strstr(zh, hole) == NULL) != (strstr(en, hole) == NULL))
			fail_msg("%s: %s", code, hole);
	}
}

static void refusals_have_texts_and_cures(void **state)
{
	char cure[80];

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		assert_text(refusals[i]);
		snprintf(cure, sizeof cure, "%s.cure", refusals[i]);
		assert_text(cure);
	}
}

static void words_have_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		assert_text(words[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_have_texts_and_cures),
		cmocka_unit_test(words_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
