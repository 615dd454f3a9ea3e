/* Rejects taken again and discarded: by whom, once each, under the event's own id. And the breaker of an input that is rejected. */
#include "ledger/rejects.h"
#include "tests/lib/adopt_test.h"
#include <inttypes.h>

#define OUTCOME(w, op, state, why) \
	do { \
		char code_[40]; \
		assert_string_equal(fw_outcome(w, op, code_), state); \
		assert_string_equal(code_, why); \
	} while (0)

static void put(struct flow_world *w, struct bus *b, const char *topic, const char *type, const char *key, struct id id, struct str data)
{
	struct err e = {0};
	struct bus_event ev = {.key = str_of(key), .id = id, .type = str_of(type), .time_ms = clock_now(&w->clock), .trace = id,
			       .data = data};
	if (bus_publish(b, topic, &ev, &e) != 0 || (!w->lazy && bus_flush(b, &e) != 0))
		fail_msg("%s", e.text);
}

static struct id garbage(struct flow_world *w, struct bus *b, const char *topic, const char *type)
{
	struct id id;
	struct str part[] = {STR("garbage"), {(char *)&w->events, sizeof w->events}};
	w->events++;
	id_make(&id, part, 2);
	put(w, b, topic, type, "k", id, STR("\x01\xab"));
	return id;
}

struct set_aside {
	struct id id;
	char subject[ID_HEX], argument[100];
};

static struct set_aside named(struct id id, const char *role, const char *topic, int64_t offset)
{
	struct set_aside s = {.id = id};
	id_hex(&id, s.subject);
	snprintf(s.argument, sizeof s.argument, "%s/%s/0/%" PRId64, role, topic, offset);
	return s;
}

/* The reject of an event that an older program could not read, and this one can. */
static struct set_aside once_rejected(struct flow_world *w, const char *topic, int64_t offset, enum event_type t, const void *event,
				      struct id event_id)
{
	struct rejected_event r = {.topic = str_of(topic), .offset = offset, .event_id = event_id, .event_type = str_of(event_name(t)),
				   .reason = STR("unknown_schema"), .at = clock_now(&w->clock)};
	struct buf inner, body;
	struct err e = {0};
	struct id id;
	buf_init(&inner, 1 << 16);
	buf_init(&body, 1 << 16);
	assert_int_equal(codec_encode(w->codec, t, event, &inner, &e), 0);
	r.bytes = (struct str){(char *)inner.data, inner.len};
	assert_int_equal(codec_encode(w->codec, EV_REJECTED_EVENT, &r, &body, &e), 0);
	decision_id(&id, STR("RejectedEvent"), &event_id, offset);
	struct set_aside s = named(id, "gateway", topic, offset);
	put(w, w->gateway_bus, "rejects.gateway", "RejectedEvent", s.argument + strlen("gateway/"), id,
	    (struct str){(char *)body.data, body.len});
	buf_fini(&inner);
	buf_fini(&body);
	return s;
}

static struct set_aside paid_but_rejected(struct flow_world *w, struct id pid, struct id event_id)
{
	struct collection_result r = {.payment_id = pid, .state = STR("paid"), .at = clock_now(&w->clock), .sequence = 7, .attempt = 1,
				      .amount_fen = {true, 50000}, .receipt = STR("333000000000000001")};
	return once_rejected(w, "collections", 900, EV_COLLECTION_RESULT, &r, event_id);
}

static struct id decide(struct flow_world *w, const char *kind, const struct set_aside *s, const char *who)
{
	struct id op = fw_operation(w, kind, s->subject, s->argument, who);
	fw_turns(w);
	return op;
}

static void second(struct flow_world *w, const char *kind, struct id op, const char *who)
{
	char hex[ID_HEX];
	(void)fw_operation(w, kind, id_hex(&op, hex), NULL, who);
	fw_turns(w);
}

static enum reject_state settled_as(struct flow_world *w, struct id id)
{
	enum reject_state s;
	struct err e = {0};
	assert_int_equal(ledger_begin(w->ledger, &e), 0);
	assert_int_equal(reject_get(w->ledger, &id, &s, &e), 0);
	ledger_rollback(w->ledger);
	return s;
}

static int history_of(void *arg, const struct view_decl *d)
{
	*(struct decl *)arg = d->d;
	return 0;
}

static int paid_because_of(struct flow_world *w, struct id pid, struct id event)
{
	struct view_history h[32];
	struct ledger_view *v;
	struct decl d = {0};
	struct err e = {0};
	char hex[ID_HEX];
	int n, count = 0;
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_by_prefix(v, str_of(id_hex(&pid, hex)), history_of, &d, &e), 0);
	assert_int_equal(view_history(v, &d, h, 32, &n, &e), 0);
	view_close(v);
	for (int i = 0; i < n; i++)
		count += h[i].fact == F_PAID && id_eq(&h[i].cause, &event);
	return count;
}

static void money_is_taken_again_by_two_persons_and_once(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, event = {{7}}, sub = one_payment(w, true, &pid);
	struct set_aside s = paid_but_rejected(w, pid, event);
	struct id op = decide(w, "reject_release", &s, "anna");
	OUTCOME(w, op, "waiting_approval", "");
	ANSWERED(w, sub, 5, "pending", false);
	second(w, "approve", op, "anna");
	OUTCOME(w, op, "waiting_approval", "");
	struct id other = decide(w, "reject_release", &s, "berta"); /* waits too; only one of them will be carried out */
	OUTCOME(w, other, "waiting_approval", "");
	second(w, "approve", op, "berta");
	OUTCOME(w, op, "done", "");
	ANSWERED(w, sub, 5, "paid", false);
	assert_int_equal(settled_as(w, s.id), REJECT_RELEASED);
	second(w, "approve", other, "anna");
	OUTCOME(w, other, "refused", "already_released");
	other = decide(w, "reject_release", &s, "anna");
	OUTCOME(w, other, "refused", "already_released");
	other = decide(w, "reject_discard", &s, "anna");
	OUTCOME(w, other, "refused", "already_released");
	/* It went in under its own id, and what the bureau says once more is a repeat. */
	assert_int_equal(paid_because_of(w, pid, event), 1);
	fw_result_seq(w, pid, "paid", 7, 50000);
	fw_turns(w);
	ANSWERED(w, sub, 5, "paid", false);
	assert_int_equal(fw_rebuild(w, sub), 1);
	assert_int_equal(differences(w), 0);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
}

static void what_is_rejected_again_names_its_release(void **state)
{
	struct flow_world *w = WORLD(state);
	struct rejected_event r;
	struct id event = garbage(w, w->tax_bus, "collections", "CollectionResult"), first, op;
	char hex[ID_HEX];
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, &r), 1);
	decision_id(&first, STR("RejectedEvent"), &event, 0);
	struct set_aside s = named(first, "gateway", "collections", 0);
	op = decide(w, "reject_release", &s, "anna");
	second(w, "approve", op, "berta");
	OUTCOME(w, op, "refused", "rejected_again");
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, &r), 2);
	assert_true(id_eq(&r.event_id, &event));
	assert_true(str_is(r.topic, "collections") && r.offset == 0);
	char detail[400];
	assert_int_equal(str_copy(detail, sizeof detail, r.detail), 0);
	assert_non_null(strstr(detail, id_hex(&op, hex)));
	assert_int_equal(settled_as(w, first), REJECT_RELEASED);
	/* The new one stands for it from now on. */
	struct id again = decide(w, "reject_release", &s, "anna");
	OUTCOME(w, again, "refused", "already_released");
	struct id next;
	decision_id(&next, STR("RejectedEvent"), &op, 0);
	struct set_aside n = named(next, "gateway", "collections", 0);
	again = decide(w, "reject_discard", &n, "anna");
	OUTCOME(w, again, "waiting_approval", "");
	second(w, "approve", again, "berta");
	OUTCOME(w, again, "done", "");
	assert_int_equal(settled_as(w, next), REJECT_DISCARDED);
	again = decide(w, "reject_release", &n, "anna");
	OUTCOME(w, again, "refused", "already_discarded");
	/* A restart reads nothing of it again. */
	restart(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 2);
}

static void one_person_is_enough_where_no_money_moves(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id event = garbage(w, w->qiao_bus, "operations", "Operation"), id, op;
	fw_turns(w);
	decision_id(&id, STR("RejectedEvent"), &event, 0);
	struct set_aside s = named(id, "gateway", "operations", 0);
	op = decide(w, "reject_discard", &s, "anna");
	OUTCOME(w, op, "done", "");
	/* Naming a harmless place does not make a reject one. */
	event = garbage(w, w->tax_bus, "collections", "CollectionResult");
	fw_turns(w);
	decision_id(&id, STR("RejectedEvent"), &event, 0);
	struct set_aside lie = named(id, "gateway", "operations", 0), none = named(id, "gateway", "collections", 1),
			 odd = named(id, "mayor", "collections", 0);
	op = decide(w, "reject_discard", &lie, "anna");
	OUTCOME(w, op, "refused", "reject_not_found");
	op = decide(w, "reject_release", &none, "anna");
	OUTCOME(w, op, "refused", "reject_not_found");
	op = decide(w, "reject_release", &odd, "anna");
	OUTCOME(w, op, "refused", "reject_not_found");
	assert_int_equal(settled_as(w, id), REJECT_OPEN);
}

static void of_an_adapter_they_are_discarded_by_two(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id id = {{9}};
	struct set_aside s = named(id, "tax", "payments", 3), bare = s;
	struct id op = decide(w, "reject_release", &s, "anna");
	OUTCOME(w, op, "refused", "release_not_here");
	snprintf(bare.argument, sizeof bare.argument, "tax");
	op = decide(w, "reject_discard", &bare, "anna");
	OUTCOME(w, op, "waiting_approval", "");
	second(w, "decline", op, "berta");
	OUTCOME(w, op, "refused", "operation_declined");
	op = decide(w, "reject_discard", &s, "anna");
	second(w, "approve", op, "berta");
	OUTCOME(w, op, "done", "");
	assert_int_equal(settled_as(w, id), REJECT_DISCARDED);
}

/* An operation that could not be read is judged as any other when it is released: by its own signature and its own rules. */
static void a_decision_is_taken_again(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	char hex[ID_HEX];
	struct id held = fw_operation(w, "withdraw", id_hex(&pid, hex), NULL, "berta");
	/* Taken off the bus as it was signed, and put among the rejects as if it had not been read. */
	const struct bus_record *r;
	struct bus_reader *reader;
	struct operation op;
	struct err e = {0};
	assert_int_equal(bus_reader_open(w->village_bus, &reader, "operations", NULL, &e), 0);
	assert_int_equal(bus_read(reader, 10, &r, &e), 1);
	assert_int_equal(codec_decode(w->codec, EV_OPERATION, r[0].event.data, &op, &e), 0);
	op.operation_id.b[0] ^= 1; /* another one, whose signature is not right */
	struct set_aside bad = once_rejected(w, "operations", 800, EV_OPERATION, &op, op.operation_id);
	op.operation_id.b[0] ^= 1;
	struct set_aside good = once_rejected(w, "operations", 801, EV_OPERATION, &op, op.operation_id);
	bus_reader_close(reader);
	struct id release = decide(w, "reject_release", &bad, "anna");
	OUTCOME(w, release, "refused", "rejected_again");
	OUTCOME(w, held, "done", ""); /* it came by itself, first */
	release = decide(w, "reject_release", &good, "anna");
	OUTCOME(w, release, "done", ""); /* a repeat, which changes nothing */
	ANSWERED(w, sub, 5, "withdrawn", true);
	assert_int_equal(fw_answer_of(w, sub, 5).version, 2);
}

static void a_released_decision_waits_for_no_other_turn(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	uint8_t signature[SIGNATURE_LEN];
	char hex[ID_HEX], path[340];
	struct buf text;
	struct err e = {0};
	struct operation op = {.operation_id = {{5}}, .kind = STR("withdraw"), .subject = str_of(id_hex(&pid, hex)),
			       .operator = STR("berta"), .reason = STR("x"), .decided_at = clock_now(&w->clock)};
	buf_init(&text, 1 << 16);
	snprintf(path, sizeof path, "%.300s/berta.key", w->dir);
	assert_int_equal(operation_text(&text, &op, &e), 0);
	assert_int_equal(operator_sign(path, (struct str){(char *)text.data, text.len}, signature, &e), 0);
	op.signature = (struct str){(char *)signature, SIGNATURE_LEN};
	buf_fini(&text);
	struct set_aside s = once_rejected(w, "operations", 800, EV_OPERATION, &op, op.operation_id);
	(void)fw_operation(w, "reject_release", s.subject, s.argument, "anna");
	one_turn(w);
	OUTCOME(w, op.operation_id, "done", "");
	fw_turns(w);
	ANSWERED(w, sub, 5, "withdrawn", true);
}

/* ---- the breaker ---- */

enum { BREAKER_EVENTS = 1000 };

static bool stopped(struct flow_world *w, const char *topic)
{
	struct flow_stop s;
	struct err e = {0};
	assert_int_equal(ledger_begin(w->ledger, &e), 0);
	int got = flow_stop_get(w->ledger, topic, &s, &e);
	ledger_rollback(w->ledger);
	assert_true(got >= 0);
	return got;
}

static void many(struct flow_world *w, int count)
{
	w->lazy = true;
	for (int i = 0; i < count; i++)
		garbage(w, w->ssa_bus, "contributions", "ContributionStatus");
	w->lazy = false;
	fw_flush(w);
}

static void an_input_of_garbage_stops_and_goes_on_when_told(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	many(w, 49);
	fw_turns(w);
	assert_false(stopped(w, "contributions"));
	many(w, 13);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_true(stopped(w, "contributions"));
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 50); /* the other 12 stay where they are */
	/* The others go on, and so does this one, from where it stood. */
	garbage(w, w->tax_bus, "collections", "CollectionResult");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 51);
	restart(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 51);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	struct id op = fw_operation(w, "flow_resume", "collections", NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "refused", "flow_not_stopped");
	op = fw_operation(w, "flow_resume", "contributions", NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "done", "");
	assert_false(stopped(w, "contributions"));
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 63);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	ANSWERED(w, sub, 5, "pending", false);
	restart(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 63);
}

static void some_garbage_among_much_else_stops_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < 5; k++)
			fw_feed_reached(w, FW_NOW);
		many(w, 1);
	}
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 60);
	assert_false(stopped(w, "contributions"));
	/* What was good a long time ago does not count. */
	many(w, 300);
	fw_turns(w);
	assert_true(stopped(w, "contributions"));
	assert_in_range(fw_count(w, EV_REJECTED_EVENT, NULL), 61, 100);
}

static void what_left_the_window_counts_no_more(void **state)
{
	struct flow_world *w = WORLD(state);
	w->conf.gateway.reject_share = 1;
	many(w, 45);
	w->lazy = true;
	for (int i = 0; i < BREAKER_EVENTS; i++)
		fw_feed_reached(w, FW_NOW);
	w->lazy = false;
	many(w, 49);
	fw_turns(w);
	assert_false(stopped(w, "contributions"));
	many(w, 1);
	fw_turns(w);
	assert_true(stopped(w, "contributions"));
}

static void operations_are_always_read(void **state)
{
	struct flow_world *w = WORLD(state);
	for (int i = 0; i < 60; i++)
		garbage(w, w->qiao_bus, "operations", "Operation");
	struct id op = fw_operation(w, "flow_resume", "operations", NULL, "anna");
	fw_turns(w);
	OUTCOME(w, op, "refused", "flow_not_stopped");
}

/* An input that stopped before the copy was taken: the adoption reads it all the same, for the word to go on is held until it ends. */
static void a_stopped_input_holds_no_adoption(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	many(w, 60);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 50);
	backup(w);
	fw_roster(w, "v2", "later", FW_VILLAGE_2, (struct fw_row[]){{2, 50000, NULL}}, 1, true);
	fw_turns(w);
	fw_time(w, "2026-12-24T10:00:00+08:00");
	struct id op = fw_operation(w, "flow_resume", "contributions", NULL, "anna");
	lose_and_adopt(w);
	fw_turns(w);
	assert_int_equal(phase(w), ADOPT_NONE);
	OUTCOME(w, op, "done", "");
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 60);
	fw_status(w, 1, true, "2026-12-24T10:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	ANSWERED(w, sub, 5, "pending", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(money_is_taken_again_by_two_persons_and_once), T(what_is_rejected_again_names_its_release),
		T(one_person_is_enough_where_no_money_moves), T(of_an_adapter_they_are_discarded_by_two),
		T(a_decision_is_taken_again), T(a_released_decision_waits_for_no_other_turn),
		T(an_input_of_garbage_stops_and_goes_on_when_told), T(some_garbage_among_much_else_stops_nothing),
		T(what_left_the_window_counts_no_more), T(operations_are_always_read),
		T(a_stopped_input_holds_no_adoption),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
