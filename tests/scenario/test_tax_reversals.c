/* qiao-tax asks the simulated bureau to refund what it collected: with every fault, and killed between sending and publishing. The test
 * is the gateway, which asks by id what is in doubt and sends again what never came; the bureau's book of reversals is the referee. */
#include "base/clock.h"
#include "crypto/ids.h"
#include "tests/lib/adapter_rig.h"
#include <string.h>

enum { PAYMENTS_MAX = 2000, DAY_MS = 86400000 };

enum state { NONE, ASKED, DOUBT, TAKEN, REFUSED, REFUNDED, STATES };
struct pay {
	struct id id, token, reversal;
	int64_t amount_fen, requested_at, doubt_at, due;
	int attempt, enquiry, doubts;
	enum state state;
	bool treasury;
	char receipt[40], reason[40];
};
static struct {
	struct rig rig;
	bool keyed;
	int64_t settlement_ms;
	struct pay pays[PAYMENTS_MAX];
	int count, rejects;
} g;

static void publish(enum event_type t, const void *ev, const struct pay *p, const struct id *subject, int version)
{
	struct id id;

	decision_id(&id, str_of(event_name(t)), subject, version);
	rig_publish(&g.rig, t, ev, (struct str){(const char *)p->token.b, ID_LEN}, &id, 0);
}

static void pay_many(int count)
{
	while (count-- > 0) {
		struct pay *p = &g.pays[g.count];
		struct subsidy_payment ev = {.attempt = 1, .year = 2026, .village = STR("330603001001"),
					     .sponsor_type = STR("collective"), .sponsor_code = STR("N2330603MA00000018"),
					     .amount_fen = 20000 + 10000 * (g.count % 5), .instructed_at = clock_wall(),
					     .not_after = clock_wall() + DAY_MS};

		assert_true(g.count < PAYMENTS_MAX);
		rig_person(&g.rig, (uint32_t)g.count++, &ev.token, &ev.identity);
		memset(ev.sponsor_id.b, 5, ID_LEN);
		payment_id(&ev.payment_id, 2026, &ev.sponsor_id, &ev.token, 0);
		*p = (struct pay){.id = ev.payment_id, .token = ev.token, .amount_fen = ev.amount_fen};
		publish(EV_SUBSIDY_PAYMENT, &ev, p, &p->id, 1);
	}
	rig_flush(&g.rig);
}

static void reverse(struct pay *p, const char *receipt)
{
	struct payment_reversal ev = {.payment_id = p->id, .receipt = str_of(receipt), .reason = STR("04"), .amount_fen = p->amount_fen};

	if (p->attempt++ == 0) {
		decision_id(&p->reversal, STR("test reversal"), &p->id, 1);
		p->requested_at = clock_wall();
	}
	ev.reversal_id = p->reversal;
	ev.attempt = p->attempt;
	ev.requested_at = p->requested_at;
	publish(EV_PAYMENT_REVERSAL, &ev, p, &p->reversal, p->attempt);
	p->state = ASKED;
}

static void reverse_from(int first)
{
	for (int i = first; i < g.count; i++)
		reverse(&g.pays[i], g.pays[i].receipt);
	rig_flush(&g.rig);
}

static void enquire(struct pay *p)
{
	struct payment_enquiry ev = {.payment_id = p->id, .attempt = ++p->enquiry, .payment_attempt = p->attempt,
				     .reversal_id = {true, p->reversal}};

	publish(EV_PAYMENT_ENQUIRY, &ev, p, &p->reversal, p->enquiry);
	p->due = clock_wall() + 1000;
}

static void on_unknown(struct pay *p, const struct collection_result *r)
{
	if (p->state != DOUBT || r->attempt != p->enquiry)
		return;
	p->due = clock_wall() + 50;
	if (!g.keyed && r->at <= p->doubt_at + g.settlement_ms)
		return;
	p->due = clock_wall() + 2000;
	p->enquiry++;
	reverse(p, p->receipt);
}

static void on_result(const struct bus_record *record)
{
	static const char *const words[STATES] = {
		[TAKEN] = "refund_requested", [REFUSED] = "refund_refused", [REFUNDED] = "refunded"};
	struct collection_result r;
	struct err e = {0};
	struct pay *p = g.pays;

	if (codec_decode(g.rig.codec, EV_COLLECTION_RESULT, record->event.data, &r, &e) != 0)
		fail_msg("%s", e.text);
	while (p < g.pays + g.count && !id_eq(&p->id, &r.payment_id))
		p++;
	assert_true(p < g.pays + g.count);
	p->treasury |= str_is(r.state, "in_treasury");
	if (r.receipt.p)
		assert_int_equal(str_copy(p->receipt, sizeof p->receipt, r.receipt), 0);
	if (!r.reversal_id.set)
		return;
	assert_true(id_eq(&r.reversal_id.v, &p->reversal));
	if (str_is(r.state, "refund_unknown"))
		on_unknown(p, &r);
	if (str_is(r.state, "refund_in_doubt") && r.attempt == p->attempt && p->state == ASKED) {
		p->state = DOUBT;
		p->doubts++;
		p->doubt_at = r.at;
		p->due = clock_wall() + 30;
	}
	for (enum state s = TAKEN; s < STATES; s++) {
		if (!str_is(r.state, words[s]) || s < p->state)
			continue;
		assert_true(s == p->state || p->state != REFUSED);
		p->state = s;
		if (r.reason.p)
			assert_int_equal(str_copy(p->reason, sizeof p->reason, r.reason), 0);
		assert_int_equal(r.amount_fen.set ? r.amount_fen.v : p->amount_fen, p->amount_fen);
	}
}

static void turn(void)
{
	const struct bus_record *record;

	while ((record = rig_read(&g.rig, "collections")))
		on_result(record);
	while (rig_read(&g.rig, "rejects.tax"))
		g.rejects++;
	for (int i = 0; i < g.count; i++)
		if (g.pays[i].due && g.pays[i].due <= clock_wall() && (g.pays[i].state == DOUBT || g.pays[i].state == ASKED))
			enquire(&g.pays[i]);
	rig_flush(&g.rig);
}

static int in_state(enum state s)
{
	int n = 0;

	for (int i = 0; i < g.count; i++)
		n += g.pays[i].state == s;
	return n;
}

static int doubts(void)
{
	int n = 0;

	for (int i = 0; i < g.count; i++)
		n += g.pays[i].doubts;
	return n;
}

static bool all_in_treasury(void)
{
	for (int i = 0; i < g.count; i++)
		if (!g.pays[i].treasury)
			return false;
	return true;
}

static void collect(int count)
{
	pay_many(count);
	for (int64_t start = clock_monotonic(); turn(), !all_in_treasury();)
		rig_look_again(start);
}

static void until_over(void)
{
	for (int64_t start = clock_monotonic(); turn(), in_state(REFUNDED) + in_state(REFUSED) < g.count;)
		rig_look_again(start);
	assert_int_equal(rig_book(&g.rig, "refunded_twice", NULL), 0);
	assert_int_equal(rig_book(&g.rig, "counts", "refunded"), in_state(REFUNDED));
	assert_int_equal(rig_book(&g.rig, "counts", "in_treasury"), in_state(REFUSED));
	assert_int_equal(rig_book(&g.rig, "reversals_taken", NULL), in_state(REFUNDED));
}

static void open_world(bool keyed, const char *more, const char *value)
{
	const char *const args[] = {"--keys", keyed ? "honoured" : "none", "--effect-delay-ms", keyed ? "0" : "20", "--query-delay-ms",
				    keyed ? "0" : "60", "--settle-ms", "10", "--slow-ms", "500", "--retry-after-s", "0", "--refund-ms",
				    "10", more, value, NULL};
	char text[300];

	memset(&g, 0, sizeof g);
	g.keyed = keyed;
	g.settlement_ms = 1000;
	snprintf(text, sizeof text, "batch_rows = 40\ntimeout = 250ms\nconnect_timeout = 250ms\nbreaker_failures = 2\nkeys = %s\n",
		 keyed ? "honoured" : "none");
	rig_open(&g.rig, "tax", text, args);
	rig_adapter_start(&g.rig);
}

static void each_fault(bool keyed)
{
	static const struct {
		const char *spec, *name;
		bool doubt;
	} faults[] = {
		{"reversals/e429:1000:2", "reversals/e429", false},
		{"reversals/e500:1000:2", "reversals/e500", true},
		{"reversals/e500_after:1000:2", "reversals/e500_after", true},
		{"reversals/cut_before:1000:2", "reversals/cut_before", true},
		{"reversals/cut_after:1000:2", "reversals/cut_after", true},
		{"reversals/truncated:1000:2", "reversals/truncated", true},
		{"reversals/missing_row:1000:2", "reversals/missing_row", true},
		{"reversals/cut_before:1000:2,queries/missing_row:1000:3,queries/e500:1000:2", "queries/missing_row", true},
		{"changes/duplicate:1000:3", "changes/duplicate", false},
	};

	open_world(keyed, "--refuse-reversals-permille", "100");
	for (size_t i = 0; i < COUNT(faults); i++) {
		int before = doubts(), first = g.count;

		rig_faults(&g.rig, "");
		collect(60);
		rig_faults(&g.rig, faults[i].spec);
		reverse_from(first);
		until_over();
		if (rig_book(&g.rig, "faults", faults[i].name) <= 0)
			fail_msg("%s: the fault did not fire", faults[i].name);
		if (faults[i].doubt && doubts() == before)
			fail_msg("%s: no doubt", faults[i].name);
	}
	assert_true(in_state(REFUSED) > 5 && in_state(REFUNDED) > 5 * in_state(REFUSED));
	for (int i = 0; i < g.count; i++)
		if (g.pays[i].state == REFUSED)
			assert_string_equal(g.pays[i].reason, "refund_refused");
	assert_int_equal(g.rejects, 0);
	rig_close(&g.rig);
}

static void each_fault_with_keys(void **state)
{
	(void)state;
	each_fault(true);
}

static void each_fault_without_keys(void **state)
{
	(void)state;
	each_fault(false);
}

/* The bureau has taken them, the answer has not come, and the adapter dies. */
static void killed_between_sending_and_publishing(bool keyed)
{
	int between = 0;

	open_world(keyed, NULL, NULL);
	for (int life = 0; between < 3; life++) {
		int64_t taken = rig_book(&g.rig, "reversals", NULL);
		int first = g.count;

		assert_in_range(life, 0, 15);
		collect(60);
		rig_faults(&g.rig, "reversals/slow:1000:1");
		reverse_from(first);
		for (int64_t start = clock_monotonic(); rig_book(&g.rig, "reversals", NULL) == taken;)
			rig_look_again(start);
		rig_adapter_kill(&g.rig);
		turn();
		between += in_state(ASKED) == 60; /* nothing was published */
		rig_adapter_start(&g.rig);
		until_over();
	}
	/* Without keys all that the earlier life may have sent was asked for first. */
	assert_true(keyed ? doubts() == 0 : doubts() > 0);
	assert_int_equal(in_state(REFUNDED), g.count);
	assert_int_equal(rig_book(&g.rig, "reversals", NULL), g.count);
	rig_close(&g.rig);
}

static void killed_with_keys(void **state)
{
	(void)state;
	killed_between_sending_and_publishing(true);
}

static void killed_without_keys(void **state)
{
	(void)state;
	killed_between_sending_and_publishing(false);
}

/* A receipt that is not the payment's is refused alone; what the bureau cannot read at all fails alone too, and is rejected. */
static void bad_reversals_fail_alone(void **state)
{
	(void)state;
	open_world(true, NULL, NULL);
	collect(50);
	g.pays[7].amount_fen++; /* other than collected */
	for (int i = 0; i < g.count; i++)
		reverse(&g.pays[i], i == 3 ? "433000000000000999" : i == 5 ? "" : g.pays[i].receipt);
	rig_flush(&g.rig);
	until_over();
	assert_string_equal(g.pays[3].reason, "refund_receipt_mismatch");
	assert_string_equal(g.pays[5].reason, "refund_receipt_mismatch");
	assert_string_equal(g.pays[7].reason, "refund_refused");
	assert_int_equal(in_state(REFUNDED), 47);
	rig_close(&g.rig);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_with_keys),	 cmocka_unit_test(each_fault_without_keys),
		cmocka_unit_test(killed_with_keys),	 cmocka_unit_test(killed_without_keys),
		cmocka_unit_test(bad_reversals_fail_alone),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
