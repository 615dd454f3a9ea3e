/* The pure parts of qiao-tax: may a payment be sent, and what do the bureau's answers say. */
/* LINK: adapters/tax/plan.o adapters/tax/answer.o */
#include "adapters/common/pass.h"
#include "adapters/tax/answer.h"
#include "adapters/tax/plan.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

enum { HOUR = 3600000, DAY = 24 * HOUR };
#define NOW (INT64_C(1795000000000))

struct plan_case {
	const char *what;
	enum conf_keys_mode keys;
	struct plan_payment p;
	struct plan want;
};
#define FRESH .instructed_at = NOW - HOUR, .not_after = NOW + DAY, .decided_at = NOW - HOUR
#define OLD .instructed_at = NOW - 2 * DAY, .not_after = NOW + DAY, .decided_at = NOW - HOUR
#define SEND                       \
	{                          \
		ACT_SEND, ACT_SEND \
	}
#define ASK_DOUBT                  \
	{                          \
		ACT_ASK, ACT_DOUBT \
	}
#define ASK_SEND                  \
	{                         \
		ACT_ASK, ACT_SEND \
	}
#define ASK_LATE                      \
	{                             \
		ACT_ASK, ACT_TOO_LATE \
	}
#define LATE                               \
	{                                  \
		ACT_TOO_LATE, ACT_TOO_LATE \
	}

static const struct plan_case plans[] = {
	{"first time", KEYS_NONE, {.attempt = 1, FRESH}, SEND},
	{"first time", KEYS_HONOURED, {.attempt = 1, FRESH}, SEND},
	{"window of the earlier life",
	 KEYS_NONE,
	 {.attempt = 1, .maybe_sent = true, FRESH},
	 ASK_DOUBT},
	{"window of the earlier life, key covers",
	 KEYS_HONOURED,
	 {.attempt = 1, .maybe_sent = true, FRESH},
	 SEND},
	{"window of the earlier life, key is over",
	 KEYS_HONOURED,
	 {.attempt = 1, .maybe_sent = true, OLD},
	 ASK_DOUBT},
	{"waited long", KEYS_NONE, {.attempt = 1, OLD}, SEND},
	{"waited long", KEYS_HONOURED, {.attempt = 1, OLD}, ASK_SEND},
	{"lost history", KEYS_NONE, {.attempt = 1, .ask_first = true, FRESH}, ASK_DOUBT},
	{"lost history", KEYS_HONOURED, {.attempt = 1, .ask_first = true, FRESH}, ASK_DOUBT},
	{"again, settled", KEYS_NONE, {.attempt = 2, FRESH}, ASK_SEND},
	{"again, settled, lost history",
	 KEYS_NONE,
	 {.attempt = 3, .ask_first = true, FRESH},
	 ASK_SEND},
	{"again, and perhaps just sent",
	 KEYS_NONE,
	 {.attempt = 2, .maybe_sent = true, FRESH},
	 ASK_DOUBT},
	{"again, key covers", KEYS_HONOURED, {.attempt = 2, FRESH}, ASK_SEND},
	{"again, perhaps just sent, key covers",
	 KEYS_HONOURED,
	 {.attempt = 2, .maybe_sent = true, FRESH},
	 ASK_SEND},
	{"again, decided past the key's window", KEYS_HONOURED, {.attempt = 2, OLD}, ASK_SEND},
	{"again, the key ran out after the decision",
	 KEYS_HONOURED,
	 {.attempt = 2,
	  .instructed_at = NOW - DAY - HOUR,
	  .not_after = NOW + DAY,
	  .decided_at = NOW - 2 * HOUR},
	 ASK_DOUBT},
};
static const struct plan_case late_plans[] = {
	{"never sent", KEYS_NONE, {.attempt = 1}, LATE},
	{"never sent", KEYS_HONOURED, {.attempt = 1}, LATE},
	{"perhaps sent", KEYS_NONE, {.attempt = 1, .maybe_sent = true}, ASK_DOUBT},
	{"perhaps sent, key covers", KEYS_HONOURED, {.attempt = 1, .maybe_sent = true}, ASK_DOUBT},
	{"lost history", KEYS_NONE, {.attempt = 1, .ask_first = true}, ASK_DOUBT},
	{"again, settled", KEYS_NONE, {.attempt = 2}, ASK_LATE},
	{"again, perhaps sent", KEYS_NONE, {.attempt = 2, .maybe_sent = true}, ASK_DOUBT},
	{"again, but only the key protects", KEYS_HONOURED, {.attempt = 2}, ASK_DOUBT},
};

static void plans_are_those_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plans) + COUNT(late_plans); i++) {
		bool late = i >= COUNT(plans);
		struct plan_case c = late ? late_plans[i - COUNT(plans)] : plans[i];
		struct plan_terms t = {c.keys, DAY, NOW};
		struct plan got;

		if (late) {
			c.p.instructed_at = c.p.decided_at = NOW - HOUR;
			c.p.not_after = NOW - 1;
		}
		got = plan_of(&t, &c.p);
		if (got.first != c.want.first ||
		    (got.first == ACT_ASK && got.unknown != c.want.unknown))
			fail_msg("%s%s (keys %s): %d/%d", c.what, late ? ", too late" : "",
				 c.keys == KEYS_NONE ? "none" : "honoured", got.first, got.unknown);
	}
}

/* Whatever else: what may be with the bureau is never sent unasked where a repeat would be a second
 * payment. */
static void nothing_is_sent_blindly_twice(void **state)
{
	(void)state;
	for (int bits = 0; bits < 1 << 6; bits++) {
		struct plan_terms t = {bits & 1 ? KEYS_NONE : KEYS_HONOURED, DAY, NOW};
		struct plan_payment p = {
			.attempt = bits & 2 ? 2 : 1,
			.ask_first = bits & 4,
			.maybe_sent = bits & 8,
			.instructed_at = bits & 16 ? NOW - 2 * DAY : NOW - HOUR,
			.not_after = bits & 32 ? NOW - 1 : NOW,
			.decided_at = NOW - HOUR,
		};
		struct plan plan = plan_of(&t, &p);
		bool covered = t.keys == KEYS_HONOURED && !(bits & 16);

		if ((p.maybe_sent || p.ask_first || p.attempt > 1) && !covered)
			assert_int_equal(plan.first, ACT_ASK);
		if (p.maybe_sent && !covered)
			assert_int_equal(plan.unknown, ACT_DOUBT);
		if (p.not_after < NOW) {
			assert_int_not_equal(plan.first, ACT_SEND);
			assert_int_not_equal(plan.unknown, ACT_SEND);
		}
		if (plan.first == ACT_TOO_LATE)
			assert_false(p.maybe_sent || p.ask_first || p.attempt > 1);
	}
}

static void suspects_end_with_a_window_and_with_what_was_there(void **state)
{
	struct suspects s = suspects_of(500, 10000, 0);

	(void)state;
	assert_false(suspect(&s, 499));
	assert_true(suspect(&s, 500));
	assert_true(suspect(&s, 500 + WINDOW_MAX - 1));
	assert_false(suspect(&s, 500 + WINDOW_MAX));
	s = suspects_of(500, 510, 0);
	assert_true(suspect(&s, 509));
	assert_false(suspect(&s, 510));	  /* came after our start */
	s = suspects_of(500, 9000, 8000); /* restored from a backup that held 8000 */
	assert_true(suspect(&s, 7999));
	assert_false(suspect(&s, 8000));
	s = suspects_of(500, 9000, 400);
	assert_false(suspect(&s, 500 + WINDOW_MAX));
	s = suspects_of(0, 0, 0);
	assert_false(suspect(&s, 0));
}

static void repeats_are_seen_by_sequence(void **state)
{
	static const struct {
		const char *ledger;
		int64_t seq;
		bool repeat;
	} steps[] = {
		{"aa/1", 5, false}, {"aa/1", 7, false}, {"aa/1", 7, true},  {"aa/1", 5, true},
		{"aa/1", 6, true},  {"aa/1", 8, false}, {"aa/2", 3, false}, {"aa/2", 3, true},
		{"aa/2", 0, false}, {"aa/2", 4, false}, {NULL, 1, false},   {NULL, 1, true},
		{"bb/1", 1, false}, {"bb/1", 9, false},
	};
	struct repeats r;
	char mark[MARK_MAX];

	(void)state;
	for (int reload = 0; reload < 2; reload++) {
		repeats_load(&r, "");
		for (size_t i = 0; i < COUNT(steps); i++) {
			assert_int_equal(repeats_see(&r, str_of(steps[i].ledger), steps[i].seq),
					 steps[i].repeat);
			if (reload) { /* each step in a new life */
				repeats_mark(&r, mark);
				repeats_load(&r, mark);
			}
		}
	}
	repeats_mark(&r, mark);
	assert_string_equal(mark, "bb/1 9");
	repeats_load(&r, "bb/1 x");
	assert_false(repeats_see(&r, STR("bb/1"), 9));
}

/* ---- answers ---- */

#define ID1 "00000000000000000000000000000001"
#define ID2 "00000000000000000000000000000002"
#define ID3 "00000000000000000000000000000003"
#define HEAD "{\"batch\":\"b\",\"count\":2,\"heads\":2,\"amount_fen\":100,\"results\":["
#define ROW(id, rest) "{\"payment_id\":\"" id "\"," rest "}"
#define GOOD                                                                                       \
	"\"result\":\"accepted\",\"reason\":null,\"sequence\":4,\"at\":\"2026-12-31T09:30:00.123+" \
	"08:00\""
#define BAD                                                                                    \
	"\"result\":\"refused\",\"reason\":\"name_mismatch\",\"sequence\":5,\"at\":\"2026-12-" \
	"31T09:30:00.123+08:00\""

static const struct {
	const char *body, *why;
	int kinds[2], strangers;
} batches[] = {
	{HEAD ROW(ID2, GOOD) "," ROW(ID1, BAD) "]}", NULL, {V_REFUSED, V_ACCEPTED}, 0},
	{HEAD ROW(ID1, GOOD) "]}", NULL, {V_ACCEPTED, V_MISSING}, 0},
	{HEAD ROW(ID1, GOOD) "," ROW(ID1, GOOD) "]}", NULL, {V_ACCEPTED, V_MISSING}, 0},
	{HEAD ROW(ID1, GOOD) "," ROW(ID1, BAD) "]}", NULL, {V_UNREADABLE, V_MISSING}, 0},
	{HEAD ROW(ID3, GOOD) ",7,{}]}", NULL, {V_MISSING, V_MISSING}, 3},
	{HEAD ROW(ID1, "\"result\":\"perhaps\",\"sequence\":4,\"at\":\"2026-12-31T09:30:00."
		       "123+08:00\"") "]}",
	 NULL,
	 {V_UNREADABLE, V_MISSING},
	 0},
	{HEAD ROW(ID1, "\"result\":\"accepted\",\"sequence\":0,\"at\":\"2026-12-31T09:30:"
		       "00.123+08:00\"") "]}",
	 NULL,
	 {V_UNREADABLE, V_MISSING},
	 0},
	{HEAD ROW(ID1, "\"result\":\"accepted\",\"sequence\":4,\"at\":\"yesterday\"") "]}",
	 NULL,
	 {V_UNREADABLE, V_MISSING},
	 0},
	{HEAD "]}", NULL, {V_MISSING, V_MISSING}, 0},
	{HEAD ROW(ID2, GOOD), "unparsable", {V_MISSING, V_MISSING}, 0},
	{"{\"batch\":\"b\",\"count\":2,\"heads\":2,\"amount_fen\":100}",
	 "unparsable",
	 {V_MISSING, V_MISSING},
	 0},
	{"{\"count\":2,\"heads\":2,\"amount_fen\":100,\"results\":[]}",
	 "unparsable",
	 {V_MISSING, V_MISSING},
	 0},
	{"{\"batch\":\"c\",\"count\":2,\"heads\":2,\"amount_fen\":100,\"results\":[" ROW(ID1,
											 GOOD) "]}",
	 "totals_differ",
	 {V_MISSING, V_MISSING},
	 0},
	{"{\"batch\":\"b\",\"count\":1,\"heads\":2,\"amount_fen\":100,\"results\":[" ROW(ID1,
											 GOOD) "]}",
	 "totals_differ",
	 {V_MISSING, V_MISSING},
	 0},
	{"{\"batch\":\"b\",\"count\":2,\"heads\":1,\"amount_fen\":100,\"results\":[" ROW(ID1,
											 GOOD) "]}",
	 "totals_differ",
	 {V_MISSING, V_MISSING},
	 0},
	{"{\"batch\":\"b\",\"count\":2,\"heads\":2,\"amount_fen\":101,\"results\":[" ROW(ID1,
											 GOOD) "]}",
	 "totals_differ",
	 {V_MISSING, V_MISSING},
	 0},
};

static void verdicts_of_a_batch(void **state)
{
	static struct idmap map;
	struct totals sent = {"b", "payment_id", 2, 2, 100};
	struct id ids[2];

	(void)state;
	assert_int_equal(id_parse(&ids[0], STR(ID1)), 0);
	assert_int_equal(id_parse(&ids[1], STR(ID2)), 0);
	for (size_t i = 0; i < COUNT(batches); i++) {
		struct verdict out[2] = {{0}};
		int strangers;
		const char *why;

		idmap_reset(&map);
		idmap_add(&map, &ids[0], 0);
		idmap_add(&map, &ids[1], 1);
		why = answer_batch(str_of(batches[i].body), &sent, &map, out, &strangers);
		if (batches[i].why)
			assert_string_equal(why, batches[i].why);
		else
			assert_null(why);
		assert_int_equal(out[0].kind, batches[i].kinds[0]);
		assert_int_equal(out[1].kind, batches[i].kinds[1]);
		assert_int_equal(strangers, batches[i].strangers);
		if (out[0].kind == V_REFUSED) {
			assert_string_equal(out[0].reason, "tax_name_mismatch");
			assert_int_equal(out[0].sequence, 5);
			assert_int_equal(out[0].at, time_of_date(date_of(2026, 12, 31)) + 34200123);
		}
	}
}

static void states_of_queries_and_changes(void **state)
{
#define REST ",\"sequence\":9,\"amount_fen\":50000,\"at\":\"2026-12-31T09:30:00.123+08:00\""
	static const struct {
		bool query;
		const char *body;
		enum told told;
		const char *state, *reason, *receipt;
	} cases[] = {
		{true, ROW(ID1, "\"result\":\"unknown\""), TOLD_UNKNOWN, NULL, NULL, NULL},
		{false, ROW(ID1, "\"status\":\"unknown\"" REST), TOLD_UNREADABLE, NULL, NULL, NULL},
		{true, ROW(ID1, "\"result\":\"accepted\"" REST), TOLD_STATE, "accepted", NULL,
		 NULL},
		{true, ROW(ID1, "\"result\":\"paid\",\"receipt\":\"3330\"" REST), TOLD_STATE,
		 "paid", NULL, "3330"},
		{true, ROW(ID1, "\"result\":\"in_treasury\"" REST), TOLD_STATE, "in_treasury", NULL,
		 NULL},
		{true, ROW(ID1, "\"result\":\"refused\",\"reason\":\"payer_unknown\"" REST),
		 TOLD_STATE, "failed", "tax_payer_unknown", NULL},
		{true, ROW(ID1, "\"result\":\"refused\",\"reason\":\"the moon\"" REST), TOLD_STATE,
		 "failed", "tax_refused", NULL},
		{true, ROW(ID1, "\"result\":\"refunded\"" REST), TOLD_STATE, "refunded", NULL,
		 NULL},
		{false, ROW(ID1, "\"status\":\"02\"" REST), TOLD_STATE, "accepted", NULL, NULL},
		{false, ROW(ID1, "\"status\":\"03\"" REST), TOLD_STATE, "paid", NULL, NULL},
		{false, ROW(ID1, "\"status\":\"04\"" REST), TOLD_STATE, "in_treasury", NULL, NULL},
		{false, ROW(ID1, "\"status\":\"refused\"" REST), TOLD_STATE, "failed",
		 "tax_refused", NULL},
		{false, ROW(ID1, "\"status\":\"refunded\",\"receipt\":null" REST), TOLD_STATE,
		 "refunded", NULL, NULL},
		{false, ROW(ID1, "\"status\":\"09\"" REST), TOLD_UNREADABLE, NULL, NULL, NULL},
		{false, ROW(ID1, "\"status\":\"03\",\"receipt\":\"no receipt\"" REST),
		 TOLD_UNREADABLE, NULL, NULL, NULL},
		{false, ROW(ID1, "\"status\":\"03\",\"receipt\":\"\"" REST), TOLD_UNREADABLE, NULL,
		 NULL, NULL},
		{false,
		 ROW(ID1, "\"status\":\"03\",\"sequence\":0,\"amount_fen\":1,\"at\":\"2026-12-"
			  "31T09:30:00.123+08:00\""),
		 TOLD_UNREADABLE, NULL, NULL, NULL},
		{false,
		 ROW(ID1, "\"status\":\"03\",\"sequence\":1,\"amount_fen\":-1,\"at\":\"2026-12-"
			  "31T09:30:00.123+08:00\""),
		 TOLD_UNREADABLE, NULL, NULL, NULL},
		{false, ROW("33", "\"status\":\"03\"" REST), TOLD_UNREADABLE, NULL, NULL, NULL},
		{false, "{\"status\":\"03\"" REST "}", TOLD_UNREADABLE, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *o = jsonin_parse(str_of(cases[i].body));
		struct collection_result r;
		enum told told;

		assert_non_null(o);
		told = cases[i].query ? answer_query_row(o, &r) : answer_change(o, &r);
		assert_int_equal(told, cases[i].told);
		if (told == TOLD_STATE) {
			assert_true(str_is(r.state, cases[i].state));
			assert_true(str_eq(r.reason, str_of(cases[i].reason)));
			assert_true(str_eq(r.receipt, str_of(cases[i].receipt)));
			assert_true(r.amount_fen.set && r.amount_fen.v == 50000);
			assert_int_equal(r.sequence, 9);
			assert_int_equal(r.payment_id.b[15], 1);
			assert_int_equal(r.attempt, 0);
			assert_null(r.batch.p);
		}
		jsonin_free(o);
	}
}

static void answers_about_reversals(void **state)
{
#define OTHER "00000000000000000000000000000009"
#define REV(rest) "{\"reversal_id\":\"" OTHER "\"" rest "}"
#define OF ",\"payment_id\":\"" ID1 "\""
	static const struct {
		const char *body;
		enum told told;
		const char *state, *reason;
	} cases[] = {
		{REV(",\"result\":\"unknown\""), TOLD_UNKNOWN, NULL, NULL},
		{REV(OF ",\"result\":\"accepted\"" REST), TOLD_STATE, "refund_requested", NULL},
		{REV(OF ",\"result\":\"refused\",\"reason\":\"receipt_mismatch\"" REST), TOLD_STATE,
		 "refund_refused", "refund_receipt_mismatch"},
		{REV(OF ",\"result\":\"refused\",\"reason\":\"the moon\"" REST), TOLD_STATE,
		 "refund_refused", "refund_refused"},
		{REV(OF ",\"result\":\"refunded\"" REST), TOLD_STATE, "refunded", NULL},
		{REV(OF ",\"result\":\"paid\"" REST), TOLD_UNREADABLE, NULL, NULL}, /* said of payments */
		{REV(",\"result\":\"accepted\"" REST), TOLD_UNREADABLE, NULL, NULL},
		{"{" "\"result\":\"unknown\"}", TOLD_UNREADABLE, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *o = jsonin_parse(str_of(cases[i].body));
		struct collection_result r = {0};

		assert_non_null(o);
		assert_int_equal(answer_reversal_row(o, &r), cases[i].told);
		if (cases[i].told == TOLD_STATE) {
			assert_true(str_is(r.state, cases[i].state) && str_eq(r.reason, str_of(cases[i].reason)));
			assert_true(r.reversal_id.set && r.reversal_id.v.b[15] == 9 && r.payment_id.b[15] == 1);
			assert_true(r.sequence == 9 && r.amount_fen.v == 50000);
		}
		jsonin_free(o);
	}
	/* The feed and the query of a payment name the reversal that refunded it. */
	static const struct {
		const char *id;
		enum told told;
		bool set;
	} named[] = {{",\"reversal_id\":\"" OTHER "\"", TOLD_STATE, true}, {",\"reversal_id\":null", TOLD_STATE, false},
		     {"", TOLD_STATE, false}, {",\"reversal_id\":7", TOLD_UNREADABLE, false},
		     {",\"reversal_id\":\"9\"", TOLD_UNREADABLE, false}};
	for (size_t i = 0; i < 2 * COUNT(named); i++) {
		struct collection_result r = {0};
		char body[400];
		json_t *o;

		snprintf(body, sizeof body, "{\"payment_id\":\"" ID1 "\",\"%s\":\"refunded\"%s" REST "}", i % 2 ? "result" : "status",
			 named[i / 2].id);
		o = jsonin_parse(str_of(body));
		assert_non_null(o);
		assert_int_equal(i % 2 ? answer_query_row(o, &r) : answer_change(o, &r), named[i / 2].told);
		if (named[i / 2].told == TOLD_STATE)
			assert_int_equal(r.reversal_id.set, named[i / 2].set);
		jsonin_free(o);
	}
}

/* No persons are counted in a batch of reversals, and a row is known by its reversal. */
static void verdicts_of_reversals(void **state)
{
	static struct idmap map;
	struct totals sent = {"b", "reversal_id", 2, -1, 100};
	struct verdict out[2] = {{0}};
	struct id ids[2];
	int strangers;

	(void)state;
	assert_int_equal(id_parse(&ids[0], STR(OTHER)), 0);
	assert_int_equal(id_parse(&ids[1], STR(ID2)), 0);
	idmap_reset(&map);
	idmap_add(&map, &ids[0], 0);
	idmap_add(&map, &ids[1], 1);
	assert_null(answer_batch(STR("{\"batch\":\"b\",\"count\":2,\"amount_fen\":100,\"results\":["
				     REV(",\"result\":\"refused\",\"reason\":\"already_refunded\",\"sequence\":5,"
					 "\"at\":\"2026-12-31T09:30:00.123+08:00\"") ","
				     "{\"payment_id\":\"" ID2 "\",\"result\":\"accepted\",\"reason\":null,\"sequence\":5,"
				     "\"at\":\"2026-12-31T09:30:00.123+08:00\"}]}"),
				 &sent, &map, out, &strangers));
	assert_int_equal(out[0].kind, V_REFUSED);
	assert_string_equal(out[0].reason, "refund_already_refunded");
	assert_int_equal(out[1].kind, V_MISSING);
	assert_int_equal(strangers, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_those_of_the_table),
		cmocka_unit_test(nothing_is_sent_blindly_twice),
		cmocka_unit_test(suspects_end_with_a_window_and_with_what_was_there),
		cmocka_unit_test(repeats_are_seen_by_sequence),
		cmocka_unit_test(verdicts_of_a_batch),
		cmocka_unit_test(states_of_queries_and_changes),
		cmocka_unit_test(answers_about_reversals),
		cmocka_unit_test(verdicts_of_reversals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
