/* What people decide: who signed it, once each, two persons where money moves, and what a withdrawal does. */
#include "tests/lib/flow_test.h"

#define OUTCOME(w, op, state, why) \
	do { \
		char code_[40]; \
		assert_string_equal(fw_outcome(w, op, code_), state); \
		assert_string_equal(code_, why); \
	} while (0)

static const char *hex_of(struct id id)
{
	static char hex[ID_HEX];
	return id_hex(&id, hex);
}

static void a_pending_payment_is_withdrawn_once(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	struct id op = fw_operation(w, "withdraw", hex_of(pid), NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "done", "");
	ANSWERED(w, sub, 5, "withdrawn", true);
	struct stat s = fw_statement(w);
	assert_int_equal(s.count[SC_WITHDRAWN], 1);
	assert_int_equal(s.fen[SC_WITHDRAWN], 50000);
	assert_int_equal(fw_rebuild(w, sub), 1);
	op = fw_operation(w, "withdraw", hex_of(pid), NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "refused", "withdraw_ended");
	/* Neither the room nor the tuple is held any more, and the SSA's word changes nothing. */
	fw_status(w, 1, true, FW_NOW);
	filed_by(w, "again", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 60000, NULL}}, 1);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	struct subsidy_payment p;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 1);
	assert_int_equal(p.amount_fen, 60000);
}

static void a_row_that_waits_is_withdrawn_by_roster_and_row(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, (struct fw_row[]){{1, 50000, NULL}, {2, 50000, NULL}}, 2, true);
	char subject[48];
	fw_turns(w);
	snprintf(subject, sizeof subject, "%s:6", hex_of(sub));
	struct id op = fw_operation(w, "withdraw", subject, NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "done", "");
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
	ANSWERED(w, sub, 6, "withdrawn", true);
	(void)fw_statement(w);
}

static void what_is_instructed_stays(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, true, &pid);
	struct id op = fw_operation(w, "withdraw", hex_of(pid), NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "refused", "withdraw_instructed");
	ANSWERED(w, sub, 5, "pending", false);
	op = fw_operation(w, "withdraw", hex_of(sub), NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "refused", "subject_not_found");
	op = fw_operation(w, "conjure", hex_of(pid), NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "refused", "operation_unknown");
}

/* A roster that comes again from its beginning voids what came of it: nothing of that can have been decided. */
static void what_is_not_there_as_a_whole_is_not_withdrawn(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	struct fw_draft d = fw_draft_open(w, "v1", "r", FW_VILLAGE);
	char subject[48];
	fw_draft_rows(w, &d, rows, 2);
	fw_turns(w);
	snprintf(subject, sizeof subject, "%s:6", hex_of(d.sub));
	struct id op = fw_operation(w, "withdraw", subject, NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "refused", "withdraw_incomplete");
	fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2, true);
	fw_turns(w);
	struct stat s = fw_statement(w);
	assert_int_equal(s.count[SC_STAGED], 2);
	assert_int_equal(s.count[SC_WITHDRAWN], 0);
}

static void nobody_decides_in_anothers_name(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	struct operation op = {.kind = STR("withdraw"), .reason = STR("x"), .operator = STR("anna"), .decided_at = clock_now(&w->clock)};
	char hex[ID_HEX];
	op.subject = str_of(id_hex(&pid, hex));
	op.operation_id = sub;
	uint8_t other[SIGNATURE_LEN] = {1};
	struct str signatures[] = {{0}, {(char *)other, SIGNATURE_LEN}, {(char *)other, 3}};
	for (size_t i = 0; i < COUNT(signatures); i++) {
		op.signature = signatures[i];
		fw_publish_as(w, w->qiao_bus, EV_OPERATION, &op, op.operation_id);
	}
	fw_turns(w);
	struct rejected_event r;
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, &r), 3);
	assert_true(str_is(r.reason, "not_signed"));
	ANSWERED(w, sub, 5, "pending", false);
	char code[40];
	assert_string_equal(fw_outcome(w, op.operation_id, code), "");
	/* Berta's signature under Anna's name, over a text that Berta may sign. */
	snprintf(hex, sizeof hex, "%s", hex_of(pid));
	struct id good = fw_operation(w, "withdraw", hex, NULL, "berta");
	fw_turns(w);
	OUTCOME(w, good, "done", "");
}

/* The process dies anywhere, and the bus gives the operation again: it is done once. */
static void a_repeat_changes_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	struct id op = fw_operation(w, "withdraw", hex_of(pid), NULL, "anna");
	w->events--; /* the same id once more */
	struct id same = fw_operation(w, "withdraw", hex_of(pid), NULL, "anna");
	assert_memory_equal(&op, &same, sizeof op);
	fw_turns(w);
	restart(w);
	fw_turns(w);
	OUTCOME(w, op, "done", "");
	struct fw_answer a = fw_answer_of(w, sub, 5);
	assert_int_equal(a.version, 2);
}

/* What moves money waits for somebody else's word, whatever it is about; nobody's own word counts, and one word is enough. */
static void what_moves_money_takes_two(void **state)
{
	static const char *const kinds[] = {"reverse", "link", "unlink"};
	struct flow_world *w = WORLD(state);
	char hex[ID_HEX];
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct id op = fw_operation(w, kinds[i], "00000000000000000000000000000001", "03", "anna"), word;
		fw_turns(w);
		OUTCOME(w, op, "waiting_approval", "");
		restart(w);
		word = fw_operation(w, "approve", id_hex(&op, hex), NULL, "anna");
		fw_turns(w);
		OUTCOME(w, word, "refused", "operation_own");
		OUTCOME(w, op, "waiting_approval", "");
		word = fw_operation(w, i == 0 ? "decline" : "approve", hex, NULL, "berta");
		fw_turns(w);
		OUTCOME(w, word, "done", "");
		char code[40];
		assert_string_equal(fw_outcome(w, op, code), "refused"); /* declined, or judged: there is no such payment or person */
		assert_int_equal(strcmp(code, "operation_declined") == 0, i == 0);
		word = fw_operation(w, "approve", hex, NULL, "berta");
		fw_turns(w);
		OUTCOME(w, word, "refused", "operation_not_waiting");
	}
	struct id lost = fw_operation(w, "approve", "00000000000000000000000000000002", NULL, "berta");
	fw_turns(w);
	OUTCOME(w, lost, "refused", "operation_not_found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_pending_payment_is_withdrawn_once), T(a_row_that_waits_is_withdrawn_by_roster_and_row),
		T(what_is_instructed_stays), T(what_is_not_there_as_a_whole_is_not_withdrawn), T(nobody_decides_in_anothers_name), T(a_repeat_changes_nothing), T(what_moves_money_takes_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
