/* qiao-tax against the simulated bureau, with every fault, killed in the middle of everything. The
 * test is the gateway: it instructs, asks again what is in doubt, instructs again what never came.
 * The bureau's own book is the referee: a payment that is there twice is the one thing that must
 * not be. */
#include "base/clock.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "tests/lib/adapter_rig.h"
#include "tests/lib/kafka.h"
#include "tests/lib/kafka_client.h"
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAYMENTS_MAX = 4000, SLOW_MS = 500 };

enum state { NEW, INSTRUCTED, DOUBT, ACCEPTED, PAID, TREASURY, REFUNDED, FAILED, LATE };
struct pay {
	struct id id, token;
	uint32_t person;
	int64_t amount_fen, instructed_at, not_after, doubt_at, due;
	int attempt, enquiry, doubts;
	bool ask_first;
	enum state state;
	char reason[40], receipt[40];
};
struct gateway {
	struct rig rig;
	bool keyed; /* the bureau honours keys */
	int64_t settlement_ms;
	struct pay pays[PAYMENTS_MAX];
	int count;
	int rejects, unknown_payments;
};
static struct gateway g;

/* ---- the gateway's part ---- */

static void instruct(struct pay *p)
{
	struct subsidy_payment ev = {
		.payment_id = p->id,
		.attempt = p->attempt,
		.year = 2026,
		.village = STR("330603001001"),
		.sponsor_type = STR("collective"),
		.sponsor_code = STR("N2330603MA00000018"),
		.amount_fen = p->amount_fen,
		.instructed_at = p->instructed_at,
		.not_after = p->not_after,
		.ask_first = p->ask_first,
	};
	struct id id;

	rig_person(&g.rig, p->person, &ev.token, &ev.identity);
	memset(ev.sponsor_id.b, 5, ID_LEN);
	decision_id(&id, STR("SubsidyPayment"), &p->id, p->attempt);
	rig_publish(&g.rig, EV_SUBSIDY_PAYMENT, &ev, (struct str){(const char *)ev.token.b, ID_LEN},
		    &id, 0);
	p->state = INSTRUCTED;
}

static struct pay *add(void)
{
	struct pay *p = &g.pays[g.count];
	struct id sponsor;
	struct str identity;

	assert_true(g.count < PAYMENTS_MAX);
	memset(&sponsor, 5, sizeof sponsor);
	*p = (struct pay){.person = (uint32_t)g.count,
			  .amount_fen = 20000 + 10000 * (g.count % 5),
			  .attempt = 1};
	rig_person(&g.rig, p->person, &p->token, &identity);
	payment_id(&p->id, 2026, &sponsor, &p->token, 0);
	p->instructed_at = clock_wall();
	p->not_after = p->instructed_at + DAY_MS;
	g.count++;
	return p;
}

static void add_many(int count)
{
	while (count-- > 0)
		instruct(add());
	rig_flush(&g.rig);
}

static struct pay *find(const struct id *id)
{
	for (int i = 0; i < g.count; i++) {
		if (id_eq(&g.pays[i].id, id))
			return &g.pays[i];
	}
	return NULL;
}

static void enquire(struct pay *p)
{
	struct payment_enquiry ev = {.payment_id = p->id, .attempt = ++p->enquiry, .payment_attempt = p->attempt};
	struct id id;

	decision_id(&id, STR("PaymentEnquiry"), &p->id, p->enquiry);
	rig_publish(&g.rig, EV_PAYMENT_ENQUIRY, &ev, (struct str){(const char *)p->token.b, ID_LEN},
		    &id, 0);
	p->due = clock_wall() + 1000; /* an answer that does not come was lost with the adapter */
}

static void on_unknown(struct pay *p, const struct collection_result *r)
{
	if (p->state != DOUBT || r->attempt != p->enquiry)
		return;
	if (!g.keyed && r->at <= p->doubt_at + g.settlement_ms) {
		p->due = clock_wall() + 50; /* asked again then */
		return;
	}
	p->attempt++;
	p->due = clock_wall() + 2000;
	instruct(p);
}

static void on_result(const struct bus_record *record)
{
	static const char *const words[] = {
		[ACCEPTED] = "accepted", [PAID] = "paid",     [TREASURY] = "in_treasury",
		[REFUNDED] = "refunded", [FAILED] = "failed", [LATE] = "too_late"};
	struct collection_result r;
	struct err e = {0};
	struct pay *p;

	if (codec_decode(g.rig.codec, EV_COLLECTION_RESULT, record->event.data, &r, &e) != 0)
		fail_msg("%s", e.text);
	assert_true(record->event.key.n == ID_LEN &&
		    memcmp(record->event.key.p, r.payment_id.b, ID_LEN) == 0);
	p = find(&r.payment_id);
	if (!p) {
		g.unknown_payments++;
		return;
	}
	if (r.amount_fen.set)
		assert_int_equal(r.amount_fen.v, p->amount_fen);
	if (str_is(r.state, "unknown")) {
		on_unknown(p, &r);
		return;
	}
	if (str_is(r.state, "in_doubt")) {
		if (r.attempt == p->attempt && p->state <= INSTRUCTED) {
			p->state = DOUBT;
			p->doubts++;
			p->doubt_at = r.at;
			p->due = clock_wall() + 30;
			assert_int_equal(str_copy(p->reason, sizeof p->reason, r.reason), 0);
		}
		return;
	}
	for (enum state s = ACCEPTED; s <= LATE; s++) {
		if (!str_is(r.state, words[s]) || s < p->state)
			continue;
		/* Nothing follows a failure, and a failure follows nothing that was taken. */
		if (s >= FAILED && p->state >= ACCEPTED && p->state != s)
			fail_msg("payment %d: %s after state %d", (int)(p - g.pays), words[s],
				 p->state);
		p->state = s;
		if (r.reason.p)
			assert_int_equal(str_copy(p->reason, sizeof p->reason, r.reason), 0);
		if (r.receipt.p)
			assert_int_equal(str_copy(p->receipt, sizeof p->receipt, r.receipt), 0);
	}
}

static void turn(void)
{
	const struct bus_record *record;

	while ((record = rig_read(&g.rig, "collections")))
		on_result(record);
	while (rig_read(&g.rig, "rejects.tax"))
		g.rejects++;
	for (int i = 0; i < g.count; i++) {
		struct pay *p = &g.pays[i];

		if ((p->state == DOUBT || (p->state == INSTRUCTED && p->due)) &&
		    p->due <= clock_wall())
			enquire(p);
	}
	rig_flush(&g.rig);
}

static bool settled(void)
{
	for (int i = 0; i < g.count; i++) {
		if (g.pays[i].state < TREASURY)
			return false;
	}
	return true;
}

static void until_settled(void)
{
	for (int64_t start = clock_monotonic(); turn(), !settled();)
		rig_look_again(start);
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

/* Every payment is there once, with its amount, and in the state that we know. */
static void books_agree(void)
{
	int64_t fen = 0;

	for (int i = 0; i < g.count; i++)
		fen += g.pays[i].state == TREASURY ? g.pays[i].amount_fen : 0;
	assert_int_equal(rig_book(&g.rig, "paid_twice", NULL), 0);
	assert_int_equal(rig_book(&g.rig, "counts", "in_treasury"), in_state(TREASURY));
	assert_int_equal(rig_book(&g.rig, "amount_fen", "in_treasury"), fen);
	assert_int_equal(
		rig_book(&g.rig, "counts", "accepted") + rig_book(&g.rig, "counts", "paid"), 0);
	assert_int_equal(g.unknown_payments, 0);
}

/* keys none: what is accepted is effective and visible later, and a repeat is a second payment. */
static void open_world(bool keyed, const char *settings, const char *more, const char *value)
{
	const char *const args[] = {"--keys",
				    keyed ? "honoured" : "none",
				    "--effect-delay-ms",
				    keyed ? "0" : "20",
				    "--query-delay-ms",
				    keyed ? "0" : "60",
				    "--settle-ms",
				    "20",
				    "--slow-ms",
				    "500",
				    "--retry-after-s",
				    "0",
				    "--refund-ms",
				    "0",
				    more,
				    value,
				    NULL};
	char text[1000];

	memset(&g, 0, sizeof g);
	g.keyed = keyed;
	g.settlement_ms = 1000;
	snprintf(text, sizeof text, "%stimeout = 250ms\nconnect_timeout = 250ms\nkeys = %s\n%s",
		 strstr(settings, "batch_rows") ? "" : "batch_rows = 40\n",
		 keyed ? "honoured" : "none", settings);
	rig_open(&g.rig, "tax", text, args);
}

static void close_world(void)
{
	rig_close(&g.rig);
}

/* ---- scenarios ---- */

static void every_payment_arrives(void **state)
{
	char text[100];

	(void)state;
	open_world(true, "", NULL, NULL);
	add_many(2500);
	rig_adapter_start(&g.rig);
	until_settled();
	books_agree();
	assert_int_equal(in_state(TREASURY), 2500);
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 2500);
	assert_int_equal(rig_audited(&g.rig, "payments_opened"), 2500);
	assert_int_equal(rig_audited(&g.rig, "batch_to_tax"), 2500);
	assert_int_equal(doubts(), 0);
	assert_true(strlen(g.pays[7].receipt) >= 18);
	for (int64_t start = clock_monotonic(); rig_counter(&g.rig, "accepted") != 2500;)
		rig_look_again(start);
	rig_status(&g.rig, "peer", text, sizeof text);
	assert_string_equal(text, "up");
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	rig_status(&g.rig, "state", text, sizeof text);
	assert_string_equal(text, "stopped");
	assert_int_equal(g.rejects, 0);
	close_world();
}

static void each_fault(bool keyed)
{
	static const struct {
		const char *spec, *family, *fault;
		bool doubt;
	} faults[] = {
		{"batches/e429:1000:3", "batches", "e429", false},
		{"batches/e500:1000:3", "batches", "e500", true},
		{"batches/e500_after:1000:3", "batches", "e500_after", true},
		{"batches/cut_before:1000:3", "batches", "cut_before", true},
		{"batches/cut_after:1000:3", "batches", "cut_after", true},
		{"batches/truncated:1000:3", "batches", "truncated", true},
		{"batches/missing_row:1000:3", "batches", "missing_row", true},
		{"batches/slow:1000:2", "batches", "slow", true},
		{"batches/slow_before:1000:2", "batches", "slow_before", true},
		{"batches/e500:1000:2,queries/e500:1000:2,queries/cut_after:1000:2", "queries",
		 "e500", false},
		{"batches/cut_before:1000:2,queries/missing_row:1000:5,queries/truncated:1000:2",
		 "queries", "missing_row", true},
		{"changes/e500:1000:2,changes/truncated:1000:2,changes/cut_before:1000:2,changes/"
		 "duplicate:1000:3",
		 "changes", "duplicate", false},
	};

	open_world(keyed, "breaker_failures = 2\n", NULL, NULL);
	rig_adapter_start(&g.rig);
	for (size_t i = 0; i < COUNT(faults); i++) {
		char name[64];
		int before = doubts();

		snprintf(name, sizeof name, "%s/%s", faults[i].family, faults[i].fault);
		rig_faults(&g.rig, faults[i].spec);
		add_many(150);
		until_settled();
		if (rig_book(&g.rig, "faults", name) <= 0)
			fail_msg("%s: the fault did not fire", name);
		if (faults[i].doubt && doubts() == before)
			fail_msg("%s: no doubt", name);
		books_agree();
		assert_int_equal(rig_book(&g.rig, "entries", NULL), g.count);
		assert_int_equal(in_state(TREASURY), g.count);
	}
	assert_int_equal(g.rejects, 0);
	close_world();
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

/* The bureau has done it, the answer has not come, and the adapter dies: what it sent is nowhere
 * but in the bureau's book. */
static void killed_between_sending_and_publishing(bool keyed)
{
	int between = 0;

	open_world(keyed, "", NULL, NULL);
	/* On a busy machine the answer may come before the kill does: that life does not count. */
	for (int life = 0; between < 4; life++) {
		int64_t entries = rig_book(&g.rig, "entries", NULL);

		assert_in_range(life, 0, 15);
		rig_faults(&g.rig, "batches/slow:1000:1");
		rig_adapter_start(&g.rig);
		add_many(100);
		for (int64_t start = clock_monotonic();
		     rig_book(&g.rig, "entries", NULL) == entries;)
			rig_look_again(start);
		rig_adapter_kill(&g.rig);
		turn();
		between += in_state(NEW) + in_state(INSTRUCTED) == 100; /* nothing was published */
		rig_adapter_start(&g.rig);
		until_settled();
		books_agree();
		assert_int_equal(rig_book(&g.rig, "entries", NULL), g.count);
		rig_adapter_kill(&g.rig);
	}
	/* Without keys all that the earlier life may have sent was asked for first; with keys it
	 * was simply sent again. */
	assert_true(keyed ? doubts() == 0 : doubts() >= 4 * 60);
	close_world();
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

static void killed_at_random(bool keyed, uint64_t seed)
{
	uint64_t chance = seed;

	print_message("seed %" PRIu64 "\n", seed);
	open_world(keyed, "", "--refund-permille", "50");
	rig_faults(&g.rig, "batches/e500_after:60,batches/cut_after:60,batches/slow:20,batches/"
			   "slow_before:20,batches/truncated:40,"
			   "batches/missing_row:60,queries/e500:60,queries/missing_row:60,changes/"
			   "duplicate:100,changes/cut_after:60");
	rig_adapter_start(&g.rig);
	for (int kill = 0; kill < 30; kill++) {
		int64_t until = clock_monotonic() + 5 + chance_below(&chance, 120);

		add_many((int)chance_below(&chance, 60));
		for (int64_t start = clock_monotonic(); turn(), clock_monotonic() < until;)
			rig_look_again(start);
		rig_adapter_kill(&g.rig);
		if (kill % 5 == 4)
			rig_sim_restart(&g.rig);
		turn();
		rig_adapter_start(&g.rig);
	}
	rig_faults(&g.rig, "");
	until_settled();
	/* Refunds come with the treasury or a little after it. */
	for (int64_t start = clock_monotonic();
	     turn(), rig_book(&g.rig, "counts", "refunded") != in_state(REFUNDED) ||
			     rig_book(&g.rig, "counts", "in_treasury") != in_state(TREASURY);)
		rig_look_again(start);
	books_agree();
	assert_int_equal(rig_book(&g.rig, "entries", NULL), g.count);
	assert_true(in_state(REFUNDED) > 0);
	assert_int_equal(in_state(TREASURY) + in_state(REFUNDED), g.count);
	assert_int_equal(g.rejects, 0);
	close_world();
}

static void killed_at_random_with_keys(void **state)
{
	(void)state;
	killed_at_random(true, (uint64_t)clock_wall());
}

static void killed_at_random_without_keys(void **state)
{
	(void)state;
	killed_at_random(false, (uint64_t)clock_wall());
}

static void bad_rows_fail_alone(void **state)
{
	static const char *const reasons[] = {"bad_row", "unknown_account", "name_mismatch",
					      "payer_unknown", "refused"};
	static const char *const codes[] = {"tax_refused", "tax_unknown_account",
					    "tax_name_mismatch", "tax_payer_unknown",
					    "tax_refused"};
	char text[2000] = "";
	struct err e = {0};
	struct tmpdir dir;
	char file[320];

	(void)state;
	tmpdir_make(&dir);
	tmpdir_file(&dir, file, "refuse.csv");
	for (int i = 0; i < 10; i++) {
		struct invented who;

		invented_at(&who, 7, (uint32_t)(17 * i + 3));
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s,%s\n", who.number,
			 reasons[i % 5]);
	}
	if (fs_write_atomic(file, text, strlen(text), 0600, &e) != 0)
		fail_msg("%s", e.text);
	open_world(false, "batch_rows = 1000\n", "--refuse-file", file);
	add_many(200);
	rig_adapter_start(&g.rig);
	until_settled();
	for (int64_t start = clock_monotonic(); turn(), g.rejects < 2;)
		rig_look_again(start);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(g.pays[17 * i + 3].state, FAILED);
		assert_string_equal(g.pays[17 * i + 3].reason, codes[i % 5]);
	}
	assert_int_equal(in_state(FAILED), 10);
	assert_int_equal(in_state(TREASURY), 190);
	assert_int_equal(g.rejects, 2); /* the bad rows */
	books_agree();
	close_world();
	tmpdir_remove(&dir);
}

/* The gateway published again what it had published: with the sequence it had then. */
static void repeats_of_the_outbox_are_asked_for(void **state)
{
	(void)state;
	open_world(false, "", NULL, NULL);
	rig_adapter_start(&g.rig);
	for (int round = 0; round < 2; round++) {
		add_many(60);
		until_settled();
		if (round == 1) { /* across a restart: the mark is on the bus */
			assert_int_equal(rig_adapter_stop(&g.rig), 0);
			rig_adapter_start(&g.rig);
		}
		g.rig.seq -= 60;
		for (int i = g.count - 60; i < g.count; i++) {
			enum state was = g.pays[i].state;

			instruct(&g.pays[i]);
			g.pays[i].state = was;
		}
		add_many(10);
		until_settled();
	}
	books_agree();
	assert_int_equal(rig_book(&g.rig, "entries", NULL), g.count);
	close_world();
}

/* Nobody moves a position by hand, not to what was sent before and not past what was not. */
static void a_position_moved_by_hand_is_refused(void)
{
	struct err e = {0};
	char group[80], topic[80];

	open_world(false, "", NULL, NULL);
	add_many(50);
	snprintf(group, sizeof group, "%stax.payments", g.rig.which.prefix);
	snprintf(topic, sizeof topic, "%spayments", g.rig.which.prefix);
	if (kafka_move(kafka_shared(&e), group, topic, 1, 5, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(rig_adapter_ends(&g.rig), EXIT_SAFE);
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 0);
	close_world();
}

/* The bus is that of a backup: what was sent since is nowhere but in the bureau's book, and it is
 * more than a window. */
static void a_restored_bus_doubles_nothing(void **state)
{
	(void)state;
	if (on_kafka()) { /* has no copy: its brokers keep what they had */
		a_position_moved_by_hand_is_refused();
		return;
	}
	open_world(false, "batch_rows = 1000\n", NULL, NULL);
	rig_adapter_start(&g.rig);
	add_many(50);
	until_settled();
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	add_many(2300);
	rig_backup(&g.rig, "backup");
	rig_adapter_start(&g.rig);
	until_settled();
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	rig_restore(&g.rig, "backup");
	for (int i = 50; i < g.count; i++)
		g.pays[i].state = INSTRUCTED;
	rig_adapter_start(&g.rig);
	add_many(20); /* by the restored gateway */
	until_settled();
	books_agree();
	assert_int_equal(rig_book(&g.rig, "entries", NULL), g.count);
	close_world();
}

static void what_is_lost_or_late(void **state)
{
	struct pay *p;

	(void)state;
	open_world(true, "", NULL, NULL);
	rig_adapter_start(
		&g.rig); /* before anything is there: nothing was sent by an earlier life */
	for (int i = 0; i < 20; i++) {
		p = add();
		p->ask_first = i % 2;
		p->not_after = i < 10 ? p->instructed_at - 1 : p->not_after;
		instruct(p);
	}
	rig_flush(&g.rig);
	for (int64_t start = clock_monotonic();
	     turn(), in_state(LATE) < 5 || in_state(TREASURY) < 10;)
		rig_look_again(start);
	for (int i = 0; i < 20; i++) {
		p = &g.pays[i];
		/* Late and perhaps sent: never sent now, but what became of it must first be clear.
		 */
		if (i < 10)
			assert_true(i % 2 ? p->state == DOUBT || p->state == INSTRUCTED
					  : p->state == LATE);
		else
			assert_true(p->state == TREASURY && p->doubts == i % 2);
	}
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 10);
	close_world();
}

/* Payments of a year whose key was destroyed: rejected for that reason, nothing is sent, the adapter goes on. */
static void a_destroyed_year_is_rejected_and_no_crash(void **state)
{
	const struct bus_record *record;
	char keys[320];
	struct err e = {0};
	int count, destroyed = 0;

	(void)state;
	open_world(true, "", NULL, NULL);
	if (seal_key_destroy(tmpdir_file(&g.rig.dir, keys, "keys"), 2026, NULL, NULL, &count, &e) != 0)
		fail_msg("%s", e.text);
	add_many(3);
	rig_adapter_start(&g.rig);
	for (int64_t start = clock_monotonic(); destroyed < 3; rig_look_again(start))
		while ((record = rig_read(&g.rig, "rejects.tax"))) {
			struct rejected_event r;

			if (codec_decode(g.rig.codec, EV_REJECTED_EVENT, record->event.data, &r, &e) != 0)
				fail_msg("%s", e.text);
			assert_true(str_is(r.reason, "identity_destroyed"));
			destroyed++;
		}
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 0);
	close_world();
}

static void what_cannot_be_processed_is_rejected(void **state)
{
	struct subsidy_payment wrong = {.attempt = 1,
					.year = 2026,
					.village = STR("330603001001"),
					.sponsor_type = STR("collective"),
					.amount_fen = 100,
					.not_after = INT64_MAX};
	struct id id = {{9}};

	(void)state;
	open_world(true, "", NULL, NULL);
	add_many(5);
	rig_publish_raw(&g.rig, "payments", "SubsidyPayment", STR("no Avro at all"));
	rig_publish_raw(&g.rig, "payments", "SomethingNew", STR("x"));
	rig_person(&g.rig, 1, &wrong.token, &wrong.identity);
	rig_person(&g.rig, 2, &id, &wrong.identity); /* of somebody else than the token */
	rig_publish(&g.rig, EV_SUBSIDY_PAYMENT, &wrong, STR("k"), &id, 0);
	add_many(5);
	rig_adapter_start(&g.rig);
	until_settled();
	assert_int_equal(g.rejects, 3);
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 10);
	close_world();
}

static void a_bureau_that_is_away_is_waited_for(void **state)
{
	char text[100];

	(void)state;
	open_world(false, "breaker_failures = 3\n", NULL, NULL);
	sim_stop(&g.rig.sim, SIGKILL, NULL);
	rig_adapter_start(&g.rig);
	add_many(100);
	for (int64_t start = clock_monotonic();
	     rig_status(&g.rig, "peer", text, sizeof text), strncmp(text, "open ", 5) != 0;)
		rig_look_again(start);
	turn();
	assert_int_equal(in_state(INSTRUCTED), 100);
	rig_sim_restart(&g.rig);
	until_settled();
	assert_int_equal(doubts(), 0); /* never sent is no doubt */
	books_agree();
	for (int64_t start = clock_monotonic();
	     rig_status(&g.rig, "peer", text, sizeof text), strcmp(text, "up") != 0;)
		rig_look_again(start);
	/* A stop does not wait for a bureau that does not answer questions. */
	rig_faults(&g.rig, "changes/slow:1000");
	int64_t start = clock_monotonic();
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	assert_true(clock_monotonic() - start < 3000);
	close_world();
}

static void a_bureau_that_is_away_too_long(void **state)
{
	/* From Kafka a window takes what has come by then, and waits with that. */
	int taken = on_kafka() ? 1 : 20;

	(void)state;
	open_world(true, "", NULL, NULL);
	sim_stop(&g.rig.sim, SIGKILL, NULL);
	rig_adapter_start(&g.rig);
	for (int i = 0; i < 20; i++) {
		struct pay *p = add();

		p->not_after = i < 10 ? p->instructed_at + 700 : p->not_after;
		instruct(p);
	}
	rig_flush(&g.rig);
	for (int64_t start = clock_monotonic();
	     rig_counter(&g.rig, "payments") < taken || clock_wall() <= g.pays[9].not_after;)
		rig_look_again(start);
	rig_sim_restart(&g.rig);
	until_settled();
	for (int i = 0; i < 20; i++)
		assert_int_equal(g.pays[i].state, i < 10 ? LATE : TREASURY);
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 10);
	assert_int_equal(doubts(), 0);
	close_world();
}

/* Where the audit of this month and the next would be written, there is something else. */
static void nothing_is_handed_over_unrecorded(void **state)
{
	char path[2][320], name[40];
	int year, month, day;

	(void)state;
	open_world(true, "", NULL, NULL);
	rig_adapter_start(&g.rig);
	date_split(date_of_time(clock_wall()), &year, &month, &day);
	for (int i = 0; i < 2; i++, month = month % 12 + 1, year += month == 1) {
		snprintf(name, sizeof name, "data/audit/tax-%04d-%02d.log", year, month);
		assert_int_equal(mkdir(tmpdir_file(&g.rig.dir, path[i], name), 0700), 0);
	}
	add_many(5);
	for (int64_t start = clock_monotonic(); rig_counter(&g.rig, "payments") == 0;) {
		turn();
		rig_look_again(start);
	}
	assert_int_equal(rig_counter(&g.rig, "batches"), 0);
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(rmdir(path[i]), 0);
	until_settled();
	books_agree();
	assert_int_equal(rig_book(&g.rig, "entries", NULL), 5);
	assert_int_equal(rig_audited(&g.rig, "batch_to_tax"), 5);
	close_world();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_payment_arrives),
		cmocka_unit_test(each_fault_with_keys),
		cmocka_unit_test(each_fault_without_keys),
		cmocka_unit_test(killed_with_keys),
		cmocka_unit_test(killed_without_keys),
		cmocka_unit_test(killed_at_random_with_keys),
		cmocka_unit_test(killed_at_random_without_keys),
		cmocka_unit_test(bad_rows_fail_alone),
		cmocka_unit_test(repeats_of_the_outbox_are_asked_for),
		cmocka_unit_test(a_restored_bus_doubles_nothing),
		cmocka_unit_test(what_is_lost_or_late),
		cmocka_unit_test(what_cannot_be_processed_is_rejected),
		cmocka_unit_test(a_destroyed_year_is_rejected_and_no_crash),
		cmocka_unit_test(a_bureau_that_is_away_is_waited_for),
		cmocka_unit_test(a_bureau_that_is_away_too_long),
		cmocka_unit_test(nothing_is_handed_over_unrecorded),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
