/* LINK: gateway/cli/effect.o */
/* What a release would do is said before it is done, and comes true. */
#include "cli/rejects.h"
#include "tests/lib/flow_test.h"

static struct reject_effect predicted(struct flow_world *w, const char *role, const char *topic, const char *type, struct str bytes)
{
	struct rejected_event ev = {.topic = str_of(topic), .event_type = str_of(type), .bytes = bytes};
	struct bus_record r = {0};
	struct reject_seen s = {role, &r, &ev, REJECT_OPEN, w->codec};
	struct reject_effect f = {.lang = LANG_EN};
	struct ledger_view *v;
	struct err e = {0};
	if (view_open(&v, w->ledger_path, &e) != 0 || reject_predict(&f, v, &s, &e) < 0)
		fail_msg("%s", e.text);
	view_close(v);
	assert_non_null(text_get(f.code, LANG_EN));
	return f;
}

static struct reject_effect of_event(struct flow_world *w, enum event_type t, const void *event)
{
	struct buf body;
	struct err e = {0};
	buf_init(&body, 1 << 16);
	assert_int_equal(codec_encode(w->codec, t, event, &body, &e), 0);
	struct reject_effect f = predicted(w, "gateway", event_topic(t), event_name(t), (struct str){(char *)body.data, body.len});
	buf_fini(&body);
	return f;
}

static void what_the_bureau_says_of_a_payment(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, true, &pid);
	char hex[ID_HEX];
	struct collection_result r = {.payment_id = pid, .state = STR("paid"), .at = clock_now(&w->clock), .sequence = 7,
				      .amount_fen = {true, 50000}, .receipt = STR("333000000000000001")};
	struct reject_effect f = of_event(w, EV_COLLECTION_RESULT, &r);
	assert_string_equal(f.code, "effect_new");
	assert_string_equal(f.args[0], id_hex(&pid, hex));
	assert_string_equal(f.args[1], text_get("instructed", LANG_EN));
	assert_string_equal(f.args[2], text_get("paid", LANG_EN));
	/* Looking changed nothing; then it happens. */
	ANSWERED(w, sub, 5, "pending", false);
	fw_publish(w, EV_COLLECTION_RESULT, &r, pid);
	fw_turns(w);
	ANSWERED(w, sub, 5, "paid", false);
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_old");
	r.sequence = 6;
	r.state = STR("in_treasury");
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_old");
	r.sequence = 7;
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_difference");
	r.sequence = 8;
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_new");
	r.state = STR("failed");
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_difference");
	r.amount_fen.v = 1;
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_other");
	r = (struct collection_result){.payment_id = pid, .state = STR("unknown"), .attempt = 3};
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_judged");
	r.payment_id = sub;
	assert_string_equal(of_event(w, EV_COLLECTION_RESULT, &r).code, "effect_stranger");
	struct credit_result c = {.payment_id = pid, .amount_fen = 50000, .at = 1, .sequence = 1};
	assert_string_equal(of_event(w, EV_ACCOUNT_CREDITED, &c).code, "effect_new");
	c.amount_fen = 2;
	assert_string_equal(of_event(w, EV_ACCOUNT_CREDITED, &c).code, "effect_other");
}

static void what_others_say(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid, sub = one_payment(w, false, &pid);
	struct contribution_status s = {.token = fw_token(1), .insured_state = STR("1"), .sequence = 1};
	struct reject_effect f = of_event(w, EV_CONTRIBUTION_STATUS, &s);
	assert_string_equal(f.code, "effect_person");
	assert_string_equal(f.args[0], "1");
	struct submission_closed closed = {.submission_id = sub};
	f = of_event(w, EV_SUBMISSION_CLOSED, &closed);
	assert_string_equal(f.code, "effect_roster");
	assert_string_equal(f.args[1], "1");
	struct operation op = {.kind = STR("withdraw"), .subject = STR("x"), .operator = STR("anna"), .reason = STR("y")};
	f = of_event(w, EV_OPERATION, &op);
	assert_string_equal(f.code, "effect_decision");
	struct contribution_feed_reached reached = {.cursor = STR("1")};
	assert_string_equal(of_event(w, EV_CONTRIBUTION_FEED_REACHED, &reached).code, "effect_taken");
}

static void what_comes_to_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct str bytes = STR("\x01\xab");
	assert_string_equal(predicted(w, "gateway", "collections", "CollectionResult", bytes).code, "effect_again");
	assert_string_equal(predicted(w, "gateway", "credits", "CollectionResult", bytes).code, "effect_again");
	assert_string_equal(predicted(w, "gateway", "collections", "?", bytes).code, "effect_again");
	assert_string_equal(predicted(w, "gateway", "book", "BookClosed", bytes).args[0], "unknown_type");
	assert_string_not_equal(predicted(w, "gateway", "books.tax", "BookClosed", bytes).args[0], "unknown_type");
	assert_string_equal(predicted(w, "gateway", "payments", "SubsidyPayment", bytes).code, "release_no_input");
	assert_string_equal(predicted(w, "tax", "payments", "SubsidyPayment", bytes).code, "release_not_here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(what_the_bureau_says_of_a_payment), T(what_others_say), T(what_comes_to_nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
