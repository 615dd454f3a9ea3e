/* The pure part of qiao-ssa: a person's record as the SSA tells it. */
/* LINK: adapters/ssa/status.o */
#include "adapters/ssa/ssa.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

#define PERSON(rest) "{\"sequence\":3,\"insured\":true,\"insured_state\":\"1\"," rest "}"
#define ENTRY                                                                                  \
	"{\"for_year\":2026,\"kind\":\"10\",\"paid_by\":\"1\",\"tier_fen\":50000,\"paid_on\":" \
	"\"2026-03-01\","                                                                      \
	"\"arrived_on\":\"2026-03-05\",\"refunded_on\":null}"
#define LATE_ENTRY                                                                                 \
	"{\"for_year\":2019,\"kind\":\"31\",\"paid_by\":\"11\",\"tier_fen\":0,\"paid_on\":\"2026-" \
	"11-30\"}"

static struct ev_contribution entries[STATUS_ENTRIES_MAX];
static struct ev_outside outside[STATUS_OUTSIDE_MAX];

static void a_record_is_read(void **state)
{
	json_t *o = jsonin_parse(STR(PERSON(
		"\"pension_start\":\"2031-05-01\",\"contributions\":[" ENTRY "," LATE_ENTRY "]")));
	struct contribution_status s;

	(void)state;
	assert_int_equal(status_read(o, &s, outside, entries), 0);
	assert_int_equal(s.sequence, 3);
	assert_true(s.insured);
	assert_true(str_is(s.insured_state, "1"));
	assert_true(s.pension_start.set && s.pension_start.v == date_of(2031, 5, 1));
	assert_false(s.attempt.set);
	assert_int_equal(s.entry_count, 2);
	assert_int_equal(s.entries[0].for_year, 2026);
	assert_true(str_is(s.entries[0].kind, "10"));
	assert_true(str_is(s.entries[1].paid_by, "11"));
	assert_int_equal(s.entries[0].tier_fen, 50000);
	assert_int_equal(s.entries[0].paid_on, date_of(2026, 3, 1));
	assert_true(s.entries[0].arrived_on.set &&
		    s.entries[0].arrived_on.v == date_of(2026, 3, 5));
	assert_false(s.entries[0].refunded_on.set || s.entries[1].arrived_on.set);
	jsonin_free(o);
}

static void money_of_others_is_read(void **state)
{
	static const struct {
		const char *text;
		int rc, count;
	} cases[] = {
		{PERSON("\"contributions\":[]"), 0, 0},
		{PERSON("\"contributions\":[],\"outside\":null"), 0, 0},
		{PERSON("\"contributions\":[],\"outside\":[]"), 0, 0},
		{PERSON("\"contributions\":[],\"outside\":[{\"for_year\":2026,\"amount_fen\":12300},"
			"{\"for_year\":2025,\"amount_fen\":0}]"), 0, 2},
		{PERSON("\"contributions\":[],\"outside\":{}"), -1, 0},
		{PERSON("\"contributions\":[],\"outside\":[7]"), -1, 0},
		{PERSON("\"contributions\":[],\"outside\":[{\"for_year\":2026}]"), -1, 0},
		{PERSON("\"contributions\":[],\"outside\":[{\"for_year\":2026,\"amount_fen\":-1}]"), -1, 0},
		{PERSON("\"contributions\":[],\"outside\":[{\"for_year\":1066,\"amount_fen\":1}]"), -1, 0},
	};
	struct contribution_status s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *o = jsonin_parse(str_of(cases[i].text));
		assert_non_null(o);
		assert_int_equal(status_read(o, &s, outside, entries), cases[i].rc);
		if (cases[i].rc == 0)
			assert_int_equal(s.outside_count, cases[i].count);
		jsonin_free(o);
	}
	assert_int_equal(outside[0].for_year, 2026);
	assert_int_equal(outside[0].amount_fen, 12300);
}

static void broken_records_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"sequence\":3,\"insured\":true,\"insured_state\":\"1\"}",
		"{\"sequence\":-1,\"insured\":true,\"insured_state\":\"1\",\"contributions\":[]}",
		"{\"sequence\":3,\"insured\":1,\"insured_state\":\"1\",\"contributions\":[]}",
		"{\"sequence\":3,\"insured\":true,\"insured_state\":1,\"contributions\":[]}",
		"{\"sequence\":3,\"insured\":true,\"insured_state\":\"a word that is too "
		"long\",\"contributions\":[]}",
		PERSON("\"pension_start\":\"soon\",\"contributions\":[]"),
		PERSON("\"contributions\":{}"),
		PERSON("\"contributions\":[7]"),
		PERSON("\"contributions\":[{\"for_year\":2026}]"),
		PERSON("\"contributions\":[" ENTRY
		       ",{\"for_year\":1066,\"kind\":\"10\",\"paid_by\":\"1\",\"tier_fen\":1,"
		       "\"paid_on\":\"2026-03-01\"}]"),
	};
	struct contribution_status s;
	struct jsonout j;
	json_t *o;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		o = jsonin_parse(str_of(bad[i]));
		assert_non_null(o);
		assert_int_equal(status_read(o, &s, outside, entries), -1);
		jsonin_free(o);
	}
	/* More entries than there is room for. */
	jsonout_init(&j, 1 << 20);
	JSONOUT(&j, "{\"sequence\":3,\"insured\":true,\"insured_state\":\"1\",\"contributions\":"
		    "[" ENTRY);
	for (int i = 1; i < STATUS_ENTRIES_MAX; i++)
		JSONOUT(&j, "," ENTRY);
	size_t fits = j.buf.len;
	JSONOUT(&j, "]}");
	o = jsonin_parse(jsonout_text(&j));
	assert_int_equal(status_read(o, &s, outside, entries), 0);
	jsonin_free(o);
	j.buf.len = fits;
	JSONOUT(&j, "," ENTRY "]}");
	o = jsonin_parse(jsonout_text(&j));
	assert_int_equal(status_read(o, &s, outside, entries), -1);
	jsonin_free(o);
	jsonout_fini(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_record_is_read),
					   cmocka_unit_test(money_of_others_is_read),
					   cmocka_unit_test(broken_records_are_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
