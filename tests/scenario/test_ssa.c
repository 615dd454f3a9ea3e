/* qiao-ssa against the simulated agency, with every fault, killed in the middle of everything. The
 * test is the gateway. The agency's own book is the referee: every subsidy credited once, every
 * refund taken off once. */
#include "base/clock.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "tests/lib/adapter_rig.h"
#include <inttypes.h>
#include <signal.h>
#include <string.h>

enum { PEOPLE_MAX = 3000 };
#define START (time_of_date(date_of(2026, 12, 1)) + 8 * 3600000)

struct someone {
	struct id token, payment;
	int64_t amount_fen;
	int attempt;	  /* of the enquiry */
	int answered;	  /* highest attempt that was answered */
	int64_t sequence; /* highest seen */
	bool paid;	  /* has an arrived contribution for 2026 */
	bool late;	  /* seen from the feed */
	int credited, debited, refused;
};
struct gateway {
	struct rig rig;
	struct someone people[PEOPLE_MAX];
	int count, rejects, statuses;
	int64_t reached; /* the feed's as-of, as published: known of all partitions */
	int64_t reached_in[BUS_PARTITIONS_MAX];
	int64_t late_by; /* the day by which the first person's late contribution is known */
	int reached_events;
	char cursor[64];
};
static struct gateway g;

static struct str key_of(const struct id *id)
{
	return (struct str){(const char *)id->b, ID_LEN};
}

static void add_people(int count)
{
	struct str identity;

	for (; count > 0; count--, g.count++) {
		struct someone *s = &g.people[g.count];

		assert_true(g.count < PEOPLE_MAX);
		*s = (struct someone){.amount_fen = 20000 + 100 * g.count};
		rig_person(&g.rig, (uint32_t)g.count, &s->token, &identity);
		payment_id(&s->payment, 2026, &s->token, &s->token, 0);
	}
}

static void enquire(int i, int year)
{
	struct contribution_enquiry ev = {.year = year, .attempt = ++g.people[i].attempt};
	struct id id;

	rig_person(&g.rig, (uint32_t)i, &ev.token, &ev.identity);
	decision_id(&id, STR("ContributionEnquiry"), &ev.token, ev.attempt);
	rig_publish(&g.rig, EV_CONTRIBUTION_ENQUIRY, &ev, key_of(&ev.token), &id, 0);
}

static void collected(int i)
{
	struct collected_subsidy ev = {
		.payment_id = g.people[i].payment,
		.year = 2026,
		.version = 1,
		.village = STR("330603001001"),
		.sponsor_type = STR("collective"),
		.amount_fen = g.people[i].amount_fen,
		.receipt = STR("433000000000000001"),
		.paid_at = START,
		.in_treasury_at = START + 1000,
	};
	struct id id;

	rig_person(&g.rig, (uint32_t)i, &ev.token, &ev.identity);
	decision_id(&id, STR("CollectedSubsidy"), &ev.payment_id, 1);
	rig_publish(&g.rig, EV_COLLECTED_SUBSIDY, &ev, key_of(&ev.token), &id, 0);
}

static void refunded(int i)
{
	struct subsidy_refunded ev = {
		.payment_id = g.people[i].payment,
		.year = 2026,
		.version = 2,
		.village = STR("330603001001"),
		.sponsor_type = STR("collective"),
		.amount_fen = g.people[i].amount_fen,
		.receipt = STR("433000000000000001"),
		.refunded_at = START + 2000,
	};
	struct id id;

	rig_person(&g.rig, (uint32_t)i, &ev.token, &ev.identity);
	decision_id(&id, STR("SubsidyRefunded"), &ev.payment_id, 2);
	rig_publish(&g.rig, EV_SUBSIDY_REFUNDED, &ev, key_of(&ev.token), &id, 0);
}

static void statistics(const char *village, int64_t version, int64_t count)
{
	struct ev_stat columns[] = {{STR("staged"), 1, 100}, {STR("credited"), count, 200}};
	struct collection_statistics ev = {
		.year = 2026,
		.village = str_of(village),
		.sponsor_type = STR("collective"),
		.version = version,
		.as_of = START,
		.declared_count = count,
		.declared_fen = 300,
		.columns = columns,
		.column_count = 2,
	};
	char key[60];
	struct id id = {{1}};

	snprintf(key, sizeof key, "2026/%s/collective", village);
	memcpy(id.b + 1, &version, sizeof version);
	rig_publish(&g.rig, EV_COLLECTION_STATISTICS, &ev, str_of(key), &id, 0);
}

/* ---- what comes back ---- */

static void on_contribution(const struct bus_record *record)
{
	struct contribution_status s;
	struct contribution_feed_reached reached;
	struct err e = {0};

	if (str_is(record->event.type, "ContributionFeedReached")) {
		if (codec_decode(g.rig.codec, EV_CONTRIBUTION_FEED_REACHED, record->event.data,
				 &reached, &e) != 0)
			fail_msg("%s", e.text);
		assert_true(reached.as_of > g.reached_in[record->partition] || g.rig.starts > 1);
		g.reached_in[record->partition] = reached.as_of;
		g.reached = reached.as_of;
		for (int i = bus_partitions(g.rig.bus, "contributions"); i-- > 0;)
			g.reached = g.reached_in[i] < g.reached ? g.reached_in[i] : g.reached;
		/* What the feed had to say comes before its as-of does. */
		if (g.late_by && g.reached >= g.late_by)
			assert_true(g.people[0].late && g.people[0].paid);
		g.reached_events++;
		return;
	}
	if (codec_decode(g.rig.codec, EV_CONTRIBUTION_STATUS, record->event.data, &s, &e) != 0)
		fail_msg("%s", e.text);
	assert_true(record->event.key.n == ID_LEN &&
		    memcmp(record->event.key.p, s.token.b, ID_LEN) == 0);
	g.statuses++;
	for (int i = 0; i < g.count; i++) {
		struct someone *p = &g.people[i];

		if (!id_eq(&p->token, &s.token))
			continue;
		if (s.attempt.set && s.attempt.v > p->answered)
			p->answered = (int)s.attempt.v;
		if (s.sequence < p->sequence)
			continue;
		p->sequence = s.sequence;
		p->paid = false;
		for (int j = 0; j < s.entry_count; j++)
			p->paid = p->paid ||
				  (s.entries[j].for_year == 2026 && s.entries[j].arrived_on.set);
		p->late = p->late || !s.attempt.set;
	}
}

static void on_credit(const struct bus_record *record)
{
	struct credit_result r;
	enum event_type t;
	struct err e = {0};

	assert_int_equal(event_type_of(record->event.type, &t), 0);
	if (codec_decode(g.rig.codec, t, record->event.data, &r, &e) != 0)
		fail_msg("%s", e.text);
	assert_true(record->event.key.n == ID_LEN &&
		    memcmp(record->event.key.p, r.payment_id.b, ID_LEN) == 0);
	for (int i = 0; i < g.count; i++) {
		struct someone *p = &g.people[i];

		if (!id_eq(&p->payment, &r.payment_id))
			continue;
		assert_int_equal(r.amount_fen, p->amount_fen);
		if (t == EV_ACCOUNT_CREDITED)
			p->credited = 1;
		else if (t == EV_ACCOUNT_DEBITED)
			p->debited = 1;
		else
			p->refused = 1;
	}
}

static void turn(void)
{
	const struct bus_record *record;

	while ((record = rig_read(&g.rig, "contributions")))
		on_contribution(record);
	while ((record = rig_read(&g.rig, "credits")))
		on_credit(record);
	while (rig_read(&g.rig, "rejects.ssa"))
		g.rejects++;
}

static int sum_answered(void)
{
	int n = 0;

	for (int i = 0; i < g.count; i++)
		n += g.people[i].answered >= g.people[i].attempt && g.people[i].attempt > 0;
	return n;
}

static int sum_credited(void)
{
	int n = 0;

	for (int i = 0; i < g.count; i++)
		n += g.people[i].credited;
	return n;
}

static int sum_debited(void)
{
	int n = 0;

	for (int i = 0; i < g.count; i++)
		n += g.people[i].debited;
	return n;
}

#define UNTIL(condition)                                                \
	for (int64_t start_ = clock_monotonic(); turn(), !(condition);) \
	rig_look_again(start_)

static void open_world(const char *settings, const char *const *more)
{
	const char *args[24] = {"--credit-ms", "20", "--slow-ms", "400", "--retry-after-s", "0"};
	char text[1000];
	int n = 6;

	memset(&g, 0, sizeof g);
	for (; more && *more; more++)
		args[n++] = *more;
	snprintf(text, sizeof text, "batch_rows = 40\ntimeout = 250ms\nconnect_timeout = 250ms\n%s",
		 settings);
	rig_open(&g.rig, "ssa", text, args);
}
#define OPEN(settings, ...) open_world(settings, (const char *const[]){__VA_ARGS__, NULL})

/* ---- scenarios ---- */

static void questions_are_answered(void **state)
{
	(void)state;
	OPEN("", "--everyone-paid", "2026");
	add_people(500);
	rig_adapter_start(&g.rig);
	for (int i = 0; i < 500; i++)
		enquire(i, i % 7 == 0 ? 2025 : 2026);
	enquire(3, 2026); /* asked again before the answer: the newest counts */
	rig_flush(&g.rig);
	UNTIL(sum_answered() == 500 && g.reached_events > 0);
	assert_true(g.people[1].paid);
	assert_int_equal(g.people[3].answered, 2);
	assert_int_equal(g.rejects, 0);
	enquire(5, 2026); /* and one alone */
	rig_flush(&g.rig);
	UNTIL(g.people[5].answered == 2);
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	assert_int_equal(rig_audited(&g.rig, "enquiries_opened"), 502);
	assert_int_equal(rig_audited(&g.rig, "enquiry_to_ssa"), 502 - rig_counter(&g.rig, "absorbed"));
	rig_close(&g.rig);
}

static void each_fault(void **state)
{
	static const char *const kinds[] = {"e429",	   "e500",	"e500_after",
					    "cut_before",  "cut_after", "truncated",
					    "missing_row", "slow",	"slow_before"};
	char spec[400], name[64];

	(void)state;
	OPEN("[gateway]\ncrediting = adapter\n", "--everyone-paid", "2026");
	rig_adapter_start(&g.rig);
	for (size_t k = 0; k < COUNT(kinds); k++) {
		int from = g.count;

		snprintf(spec, sizeof spec, "enquiries/%s:1000:2,feedback/%s:1000:2", kinds[k],
			 kinds[k]);
		rig_faults(&g.rig, spec);
		add_people(100);
		for (int i = from; i < g.count; i++) {
			enquire(i, 2026);
			collected(i);
		}
		rig_flush(&g.rig);
		UNTIL(sum_answered() == g.count && sum_credited() == g.count);
		for (int f = 0; f < 2; f++) {
			snprintf(name, sizeof name, "%s/%s", f ? "feedback" : "enquiries",
				 kinds[k]);
			if (rig_book(&g.rig, "faults", name) <= 0)
				fail_msg("%s: the fault did not fire", name);
		}
		assert_int_equal(rig_book(&g.rig, "postings", NULL), g.count);
		assert_int_equal(rig_book(&g.rig, "credited_twice", NULL), 0);
	}
	rig_faults(&g.rig, "credits/e500:1000:2,credits/truncated:1000:2,credits/"
			   "duplicate:1000:3,changes/cut_after:1000:2,"
			   "statistics/e500:1000:2");
	for (int i = 0; i < 50; i++)
		refunded(i);
	statistics("330603001001", 1, 5);
	rig_flush(&g.rig);
	UNTIL(sum_debited() == 50 && rig_book(&g.rig, "statistics", "keys") == 1);
	assert_true(rig_book(&g.rig, "faults", "credits/duplicate") > 0);
	assert_true(rig_book(&g.rig, "faults", "changes/cut_after") > 0);
	assert_true(rig_book(&g.rig, "faults", "statistics/e500") > 0);
	assert_int_equal(rig_book(&g.rig, "differing_repeats", NULL), 0);
	assert_int_equal(g.rejects, 0);
	/* Each repeat handed them over again. */
	assert_true(rig_audited(&g.rig, "feedback_to_ssa") > g.count + 50);
	rig_close(&g.rig);
}

static void killed_at_random(void **state)
{
	uint64_t seed = (uint64_t)clock_wall(), chance = seed;
	int64_t fen = 0;

	(void)state;
	print_message("seed %" PRIu64 "\n", seed);
	OPEN("[gateway]\ncrediting = adapter\n", "--everyone-paid", "2026",
	     "--credit-refuse-permille", "30");
	rig_faults(&g.rig, "e500_after:50,cut_after:50,truncated:50,missing_row:50,e429:20,slow:10,"
			   "credits/duplicate:100");
	rig_adapter_start(&g.rig);
	for (int kill = 0; kill < 30; kill++) {
		int64_t until = clock_monotonic() + 5 + chance_below(&chance, 100);
		int from = g.count;

		add_people((int)chance_below(&chance, 60));
		for (int i = from; i < g.count; i++) {
			enquire(i, 2026);
			collected(i);
			if (i % 5 == 0)
				refunded(i);
		}
		statistics("330603001001", kill + 1, kill + 1);
		rig_flush(&g.rig);
		UNTIL(clock_monotonic() >= until);
		rig_adapter_kill(&g.rig);
		if (kill % 5 == 4)
			rig_sim_restart(&g.rig);
		rig_adapter_start(&g.rig);
	}
	rig_faults(&g.rig, "");
	for (int i = 0; i < g.count; i++)
		UNTIL((g.people[i].credited || g.people[i].refused) && g.people[i].answered &&
		      (i % 5 || g.people[i].debited || g.people[i].refused));
	for (int i = 0; i < g.count; i++)
		fen += g.people[i].credited && !g.people[i].debited ? g.people[i].amount_fen : 0;
	assert_int_equal(rig_book(&g.rig, "credited_twice", NULL), 0);
	assert_int_equal(rig_book(&g.rig, "net_fen", NULL), fen);
	assert_int_equal(rig_book(&g.rig, "differing_repeats", NULL), 0);
	UNTIL(rig_book(&g.rig, "statistics", "declared_count") == 30);
	assert_int_equal(g.rejects, 0);
	rig_close(&g.rig);
}

/* A contribution that arrives late comes by the feed, and the feed's as-of follows the day. */
static void late_contributions_come_by_the_feed(void **state)
{
	char settings[600], text[600];
	struct invented who;
	struct tmpdir dir;
	char clock[320], file[320];
	struct err e = {0};

	(void)state;
	tmpdir_make(&dir);
	tmpdir_file(&dir, clock, "clock");
	tmpdir_file(&dir, file, "population.csv");
	invented_at(&who, 7, 0);
	snprintf(text, sizeof text,
		 "%s,%s,1,1,,2026,10,1,50000,2026-12-03,2026-12-05,,2026-12-05\n", who.number,
		 who.name);
	if (fs_write_atomic(file, text, strlen(text), 0600, &e) != 0 ||
	    clock_file_write(clock, START, &e) != 0)
		fail_msg("%s", e.text);
	snprintf(settings, sizeof settings, "[clock]\nfile = %s\n", clock);
	OPEN(settings, "--clock", clock, "--population", file);
	add_people(2);
	enquire(0, 2026);
	enquire(1, 2026);
	rig_flush(&g.rig);
	rig_adapter_start(&g.rig);
	UNTIL(sum_answered() == 2 && g.reached >= START);
	assert_false(g.people[0].paid);
	assert_int_equal(clock_file_write(clock, START + 3 * DAY_MS, &e), 0);
	UNTIL(g.reached >= START + 3 * DAY_MS);
	assert_false(g.people[0].late);
	g.late_by = START + 4 * DAY_MS;
	assert_int_equal(clock_file_write(clock, START + 4 * DAY_MS, &e), 0);
	UNTIL(g.reached >= START + 4 * DAY_MS);
	assert_true(g.people[0].late && g.people[0].paid);
	assert_false(g.people[1].late);
	/* The position is kept: what was told is not told again. */
	int statuses = g.statuses;
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	rig_adapter_start(&g.rig);
	assert_int_equal(clock_file_write(clock, START + 6 * DAY_MS, &e), 0);
	UNTIL(g.reached >= START + 6 * DAY_MS);
	assert_int_equal(g.statuses, statuses);
	rig_close(&g.rig);
	tmpdir_remove(&dir);
}

static void a_failing_endpoint_stalls_alone(void **state)
{
	char text[100];

	(void)state;
	OPEN("breaker_failures = 3\n[gateway]\ncrediting = adapter\n", "--everyone-paid", "2026");
	rig_faults(&g.rig, "enquiries/e500:1000,statistics/cut_before:1000");
	rig_adapter_start(&g.rig);
	add_people(100);
	for (int i = 0; i < 100; i++) {
		enquire(i, 2026);
		collected(i);
	}
	statistics("330603001001", 1, 1);
	rig_flush(&g.rig);
	UNTIL(sum_credited() == 100);
	UNTIL((rig_status(&g.rig, "peer", text, sizeof text), strncmp(text, "open ", 5) == 0));
	assert_int_equal(sum_answered(), 0);
	rig_faults(&g.rig, "");
	UNTIL(sum_answered() == 100 && rig_book(&g.rig, "statistics", "keys") == 1);
	UNTIL((rig_status(&g.rig, "peer", text, sizeof text), strcmp(text, "up") == 0));
	rig_close(&g.rig);
}

/* */
static void only_the_newest_statistics_go_out(void **state)
{
	(void)state;
	OPEN("", "--everyone-paid", "2026");
	for (int v = 1; v <= 50; v++) {
		statistics("330603001001", v, v);
		statistics("330603001002", 51 - v, 51 - v);
	}
	rig_flush(&g.rig);
	rig_adapter_start(&g.rig);
	UNTIL(rig_book(&g.rig, "statistics", "keys") == 2);
	assert_int_equal(rig_book(&g.rig, "statistics", "declared_count"), 100);
	for (int64_t start = clock_monotonic(); rig_counter(&g.rig, "statistics_sent") < 2;)
		rig_look_again(start);
	assert_int_equal(rig_counter(&g.rig, "statistics_sent"), 2);
	rig_close(&g.rig);
}

static void what_cannot_be_processed_is_rejected(void **state)
{
	struct contribution_enquiry wrong = {.year = 2026, .attempt = 1};
	struct collected_subsidy bad;
	struct id id = {{9}};

	(void)state;
	OPEN("[gateway]\ncrediting = adapter\n", "--everyone-paid", "2026");
	add_people(20);
	for (int i = 0; i < 10; i++)
		enquire(i, 2026);
	rig_publish_raw(&g.rig, "enquiries", "ContributionEnquiry", STR("no Avro"));
	rig_publish_raw(&g.rig, "feedback", "SomethingNew", STR("x"));
	rig_person(&g.rig, 1, &wrong.token, &wrong.identity);
	rig_person(&g.rig, 2, &id, &wrong.identity);
	rig_publish(&g.rig, EV_CONTRIBUTION_ENQUIRY, &wrong, STR("k"), &id, 0);
	/* One that the agency calls malformed: no village has that code. */
	for (int i = 10; i < 20; i++)
		if (i != 15)
			collected(i);
	bad = (struct collected_subsidy){.payment_id = g.people[15].payment,
					 .year = 2026,
					 .version = 1,
					 .village = STR("nowhere"),
					 .sponsor_type = STR("collective"),
					 .amount_fen = g.people[15].amount_fen,
					 .receipt = STR("433000000000000001"),
					 .paid_at = START,
					 .in_treasury_at = START};
	rig_person(&g.rig, 15, &bad.token, &bad.identity);
	rig_publish(&g.rig, EV_COLLECTED_SUBSIDY, &bad, STR("k"), &id, 0);
	rig_flush(&g.rig);
	rig_adapter_start(&g.rig);
	UNTIL(sum_answered() == 10 && sum_credited() == 9 && g.people[15].refused &&
	      g.rejects == 4);
	rig_close(&g.rig);
}

/* Identities of a year whose key was destroyed: each is rejected for that reason, the adapter starts and goes on. */
static void a_destroyed_year_is_rejected_and_no_crash(void **state)
{
	const struct bus_record *record;
	char keys[320];
	struct err e = {0};
	int count, destroyed = 0;

	(void)state;
	OPEN("[gateway]\ncrediting = adapter\n", "--everyone-paid", "2026");
	if (seal_key_destroy(tmpdir_file(&g.rig.dir, keys, "keys"), 2026, NULL, NULL, &count, &e) != 0)
		fail_msg("%s", e.text);
	add_people(4);
	for (int i = 0; i < 2; i++)
		enquire(i, 2026);
	for (int i = 2; i < 4; i++)
		collected(i);
	statistics("330603001001", 1, 10);
	rig_flush(&g.rig);
	rig_adapter_start(&g.rig);
	for (int64_t start = clock_monotonic(); destroyed < 4; rig_look_again(start))
		while ((record = rig_read(&g.rig, "rejects.ssa"))) {
			struct rejected_event r;

			if (codec_decode(g.rig.codec, EV_REJECTED_EVENT, record->event.data, &r, &e) != 0)
				fail_msg("%s", e.text);
			assert_true(str_is(r.reason, "identity_destroyed"));
			destroyed++;
		}
	UNTIL(rig_counter(&g.rig, "statistics_sent") == 1);
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	assert_int_equal(rig_audited(&g.rig, "enquiries_opened"), 0);
	rig_close(&g.rig);
}

/* The rest goes on; and nothing is said in the agency's place of what it never answered. */
static void what_is_never_answered_is_given_up(void **state)
{
	(void)state;
	OPEN("[gateway]\ncrediting = adapter\n", "--everyone-paid", "2026");
	rig_faults(&g.rig, "feedback/missing_row:1000,enquiries/missing_row:1000");
	add_people(2);
	for (int i = 0; i < 2; i++) {
		enquire(i, 2026);
		collected(i);
	}
	rig_flush(&g.rig);
	rig_adapter_start(&g.rig);
	UNTIL(g.rejects == 3); /* of two enquiries one was answered in the first batch */
	rig_faults(&g.rig, "");
	UNTIL(sum_credited() == 2); /* it had taken them */
	assert_int_equal(g.people[0].refused + g.people[1].refused, 0);
	add_people(1);
	enquire(2, 2026);
	rig_flush(&g.rig);
	UNTIL(g.people[2].answered == 1);
	rig_close(&g.rig);
}

static void another_crediting_route_is_left_alone(void **state)
{
	(void)state;
	OPEN("[gateway]\ncrediting = consumer\n", "--everyone-paid", "2026");
	add_people(10);
	for (int i = 0; i < 10; i++) {
		enquire(i, 2026);
		collected(i);
	}
	rig_flush(&g.rig);
	rig_adapter_start(&g.rig);
	UNTIL(sum_answered() == 10);
	assert_int_equal(rig_adapter_stop(&g.rig), 0);
	assert_int_equal(rig_book(&g.rig, "postings", NULL), 0);
	assert_int_equal(rig_counter(&g.rig, "feedback"), 0);
	rig_close(&g.rig);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_answered),
		cmocka_unit_test(each_fault),
		cmocka_unit_test(killed_at_random),
		cmocka_unit_test(late_contributions_come_by_the_feed),
		cmocka_unit_test(a_failing_endpoint_stalls_alone),
		cmocka_unit_test(only_the_newest_statistics_go_out),
		cmocka_unit_test(what_cannot_be_processed_is_rejected),
		cmocka_unit_test(a_destroyed_year_is_rejected_and_no_crash),
		cmocka_unit_test(what_is_never_answered_is_given_up),
		cmocka_unit_test(another_crediting_route_is_left_alone),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
