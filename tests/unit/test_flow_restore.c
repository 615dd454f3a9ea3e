/* The flow and its ledger after a restart and after a restore: what goes on, what is asked first, and what is refused. */
#include "ledger/internal.h"
#include "tests/lib/flow_test.h"

/* ---- restored ledgers ---- */

static void copy_becomes_the_ledger(struct flow_world *w)
{
	struct err e = {0};
	char copy[360];
	int64_t seq;
	snprintf(copy, sizeof copy, "%s.copy", w->ledger_path);
	assert_int_equal(ledger_backup(w->ledger_path, copy, &seq, &e), 0);
	fw_stop(w);
	snprintf(w->ledger_path, sizeof w->ledger_path, "%s/gateway/ledger.db.copy", w->dir);
	start(w);
}

static void after_a_restore_all_is_asked_first(void **state)
{
	struct flow_world *w = WORLD(state);
	struct subsidy_payment p;
	copy_becomes_the_ledger(w);
	/* What the lost history had paid is dropped again by the clerk, long after the restore. */
	fw_time(w, "2026-12-26T09:00:00+08:00");
	filed_by(w, "again", SPONSOR_CHARITY, "S1", (struct fw_row[]){{1, 50000, NULL}}, 1);
	fw_status(w, 1, true, "2026-12-26T09:00:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 1);
	assert_true(p.ask_first);
}

/* The lost history may have sent once more just before it ended: "unknown" is final only a settlement delay after the restore. */
static void after_a_restore_nothing_is_settled_at_once(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_enquiry q;
	struct id pid;
	w->conf.tax_terms.keys = KEYS_NONE;
	one_payment(w, true, &pid);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	fw_turns(w);
	fw_time(w, "2026-12-24T09:20:00+08:00");
	copy_becomes_the_ledger(w);
	static const char *const asked[] = {"2026-12-24T09:20:30+08:00", "2026-12-24T09:31:00+08:00"};
	for (int i = 0; i < 2; i++) {
		fw_time(w, asked[i]);
		fw_turns(w);
		assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, &q), i + 1);
		fw_result(w, pid, "unknown", q.attempt, asked[i]);
		fw_turns(w);
		assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), i + 1);
	}
}

static void two_lives_of_one_ledger_are_refused(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	struct err e = {0};
	char bus[340], older[340], newer[340], first[340];
	int64_t seq;
	one_payment(w, false, &pid);
	restart(w);
	snprintf(first, sizeof first, "%s", w->ledger_path);
	snprintf(bus, sizeof bus, "%s/bus", w->dir);
	snprintf(older, sizeof older, "%s/older", w->dir);
	snprintf(newer, sizeof newer, "%s/newer", w->dir);
	char copy[360];
	snprintf(copy, sizeof copy, "%s.copy", w->ledger_path);
	assert_int_equal(ledger_backup(w->ledger_path, copy, &seq, &e), 0);
	assert_int_equal(bus_backup(&(struct bus_options){.dir = bus}, older, seq, &e), 0);
	for (int life = 0; life < 2; life++) { /* both decide the same number of events */
		fw_time(w, "2026-12-24T09:10:10+08:00");
		fw_turns(w);
		fw_stop(w);
		if (life == 1)
			break;
		assert_int_equal(rename(bus, newer), 0);
		assert_int_equal(rename(older, bus), 0);
		snprintf(w->ledger_path, sizeof w->ledger_path, "%s/gateway/ledger.db.copy", w->dir);
		start(w);
	}
	snprintf(w->ledger_path, sizeof w->ledger_path, "%s", first);
	assert_int_equal(fw_start(w, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_non_null(strstr(e.text, "a later life"));
}

/* How far the SSA's feed was followed is part of the ledger: the cut-off needs no new word of it. */
static void the_day_of_the_feed_outlives_a_restart(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, (struct fw_row[]){{1, 50000, NULL}}, 1, true);
	fw_feed_reached(w, "2027-01-02T08:00:00+08:00");
	fw_turns(w);
	restart(w);
	fw_time(w, "2027-01-02T09:00:00+08:00");
	fw_turns(w);
	ANSWERED(w, sub, 5, "not_filed_in_time", true);
}

static void early_results_find_their_order(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0), refused = fw_payment(SPONSOR_COLLECTIVE, "S1", 2, 0);
	/* the SSA's feed was followed again before the bureau's */
	fw_credit(w, EV_ACCOUNT_CREDITED, pid, 50000);
	fw_credit(w, EV_CREDIT_REFUSED, refused, 50000);
	fw_credit(w, EV_ACCOUNT_DEBITED, pid, 50000);
	fw_turns(w);
	fw_result_seq(w, pid, "in_treasury", 10, 50000);
	fw_result_seq(w, pid, "refunded", 11, 50000);
	fw_result_seq(w, refused, "paid", 12, 50000);
	fw_result_seq(w, refused, "in_treasury", 13, 50000);
	fw_turns(w);
	restart(w);
	struct id sub = filed_by(w, "r", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 50000, NULL}, {2, 50000, NULL}}, 2);
	ANSWERED(w, sub, 5, "refunded", true);
	ANSWERED(w, sub, 6, "credit_refused", true);
	assert_int_equal(differences(w), 0);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 0);
	assert_int_equal(fw_rebuild(w, sub), 2);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_REFUNDED], 1);
	assert_int_equal(st.count[SC_CREDIT_REFUSED], 1);
}

static void results_of_nobodys_payment_are_counted(void **state)
{
	struct flow_world *w = WORLD(state);
	struct ledger_view *v;
	struct err e = {0};
	struct id pid;
	one_payment(w, true, &pid);
	fw_result_seq(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 7, 0), "paid", 10, 50000);
	fw_result_seq(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 7, 0), "in_treasury", 11, 50000);
	fw_result_seq(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 8, 0), "paid", 12, 50000);
	fw_turns(w);
	filed_by(w, "second", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{8, 50000, NULL}}, 1);
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_strangers(v), 1);
	view_close(v);
}

static void an_older_bus_is_refused(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	struct err e = {0};
	char bus[340], older[340], newer[340];
	one_payment(w, false, &pid);
	snprintf(bus, sizeof bus, "%s/bus", w->dir);
	snprintf(older, sizeof older, "%s/older", w->dir);
	snprintf(newer, sizeof newer, "%s/newer", w->dir);
	assert_int_equal(bus_backup(&(struct bus_options){.dir = bus}, older, INT64_MAX, &e), 0);
	/* something is decided without anything coming in: positions do not tell that the bus is old */
	fw_time(w, "2026-12-24T09:10:10+08:00");
	fw_turns(w);
	fw_time(w, "2026-12-24T09:30:10+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 3);
	fw_stop(w);
	assert_int_equal(rename(bus, newer), 0);
	assert_int_equal(rename(older, bus), 0);
	assert_int_equal(fw_start(w, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	assert_non_null(strstr(e.text, "bus is older"));
}

static void a_year_of_the_ledger_without_policy_is_refused(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	struct err e = {0};
	one_payment(w, true, &pid);
	fw_stop(w);
	for (int i = 0; i < w->reference->policy_count; i++)
		if (w->reference->policies[i].year == 2026)
			w->reference->policies[i].year = 2099;
	assert_int_equal(fw_start(w, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_non_null(strstr(e.text, "2026"));
}

/* ---- restarts ---- */

static void a_restart_goes_on_where_it_was(void **state)
{
	struct flow_world *w = WORLD(state);
	struct bus_position p[BUS_PARTITIONS_MAX];
	struct err e = {0};
	struct id pid;
	int count;
	one_payment(w, false, &pid);
	restart(w);
	assert_int_equal(ledger_positions(w->ledger, "submissions", p, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_int_equal(p[0].next, 5); /* opened, a row, closed, plan, cover */
	fw_time(w, "2026-12-24T09:10:10+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
}

/* The gateway ends between its commit and the bus, with more decided than one blob of the outbox holds. */
static void what_was_decided_is_published_in_order(void **state)
{
	enum { EVENTS = 3000 };
	struct flow_world *w = WORLD(state);
	static char body[1000];
	struct err e = {0};
	int topic = 0;
	while (strcmp(topics[topic].name, "answers") != 0)
		topic++;
	assert_int_equal(ledger_begin(w->ledger, &e), 0);
	for (int i = 0; i < EVENTS; i++) {
		struct bus_event ev = {.key = STR("k"), .type = STR("RowAnswer"), .data = {body, sizeof body}};
		memcpy(body, &i, sizeof i);
		assert_int_equal(outbox_add(w->ledger, topic, &ev, &e), 0);
	}
	assert_int_equal(ledger_commit(w->ledger, &e), 0);
	for (int i = 0; i < 2; i++) { /* the second time it lies there already */
		restart(w);
		struct bus_position from = {0};
		struct bus_reader *r;
		const struct bus_record *records;
		int n, seen = 0, wrong = 0;
		assert_int_equal(bus_reader_open(w->tax_bus, &r, "answers", NULL, &e), 0);
		assert_int_equal(bus_seek(r, &from, 1, &e), 0);
		while ((n = bus_read(r, 1000, &records, &e)) > 0)
			for (int k = 0; k < n; k++, seen++)
				wrong += records[k].event.seq != seen + 1 ||
					 memcmp(records[k].event.data.p, &seen, sizeof seen) != 0;
		bus_reader_close(r);
		assert_int_equal(n, 0);
		assert_int_equal(seen, EVENTS);
		assert_int_equal(wrong, 0);
	}
}

/* ---- the ledger ---- */

static void the_newest_years_of_a_person_count(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id token = fw_token(1);
	struct person *p, *all[8];
	struct err e = {0};
	int n;
	assert_int_equal(ledger_begin(w->ledger, &e), 0);
	for (int year = 2020; year < 2030; year++) {
		assert_int_equal(person_get(w->ledger, &token, year, &p, &e), 0);
		p->dirty = true;
	}
	assert_int_equal(persons_of(w->ledger, &token, all, 8, &n, &e), 0);
	assert_int_equal(n, 8);
	bool newest = false;
	for (int i = 0; i < n; i++)
		newest |= all[i]->year == 2029;
	assert_true(newest);
	ledger_rollback(w->ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(after_a_restore_all_is_asked_first),
		T(after_a_restore_nothing_is_settled_at_once),
		T(two_lives_of_one_ledger_are_refused),
		T(the_day_of_the_feed_outlives_a_restart),
		T(early_results_find_their_order),
		T(results_of_nobodys_payment_are_counted),
		T(an_older_bus_is_refused),
		T(a_year_of_the_ledger_without_policy_is_refused),
		T(a_restart_goes_on_where_it_was),
		T(what_was_decided_is_published_in_order),
		T(the_newest_years_of_a_person_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
