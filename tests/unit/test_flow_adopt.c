/* Restore by adoption: yesterday's ledger against today's topics. What the lost life decided and said stays, nothing is paid twice,
 * and what no row claims is listed. A twin that never failed is the referee. */
#include "tests/lib/adopt_test.h"
#include "tests/lib/fault_vfs.h"

/* ---- (e) without an order ---- */

static void without_an_order_it_is_refused(void **state)
{
	struct flow_world *w = WORLD(state);
	struct err e = {0};
	struct id pid;
	struct adopt_info info;
	backup(w);
	one_payment(w, true, &pid);
	lose(w);
	for (int i = 0; i < 2; i++) { /* as often as it is started */
		assert_int_equal(fw_start(w, &e), -1);
		assert_int_equal(e.class, ERR_SAFE);
		assert_non_null(strstr(e.text, "ledger is older than the bus"));
		assert_non_null(strstr(e.text, "qiao adopt"));
		fw_stop(w);
	}
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	order(w); /* the refusal has not used the copy up */
	start(w);
	fw_turns(w);
	assert_int_equal(phase(w), ADOPT_NONE);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	fw_stop(w);
	assert_int_equal(adopt_look(w->ledger_path, &info, &e), 0);
	assert_false(info.copy);
	start(w);
}

static void a_living_ledger_is_no_copy(void **state)
{
	struct flow_world *w = WORLD(state);
	struct adopt_info info;
	struct err e = {0};
	struct id pid;
	one_payment(w, true, &pid);
	assert_int_equal(adopt_look(w->ledger_path, &info, &e), 0);
	assert_false(info.copy);
	backup(w);
	lose(w);
	assert_int_equal(adopt_look(w->ledger_path, &info, &e), 0);
	assert_true(info.copy);
	start(w); /* it fits the bus: nothing to adopt */
	assert_int_equal(adopt_look(w->ledger_path, &info, &e), 0);
	assert_false(info.copy);
}

/* ---- (a) payments in all states ---- */

/* Persons 1 to 8 of one roster: filed before the backup where told so. What is in `after` happens in the time that is lost. */
static const struct fw_row eight[] = {{1, 50000, NULL}, {2, 50000, NULL}, {3, 50000, NULL},
				      {4, 50000, NULL}, {5, 50000, NULL}, {6, 50000, NULL},
				      {7, 50000, NULL}, {8, 50000, NULL}};

static struct id pid_of(int person)
{
	return fw_payment(SPONSOR_COLLECTIVE, "S1", person, 0);
}

static void lost_hours(struct flow_world *w)
{
	for (int person = 1; person <= 7; person++)
		fw_status(w, person, true, FW_NOW);
	fw_turns(w);
	fw_result(w, pid_of(1), "accepted", 1, FW_NOW);
	fw_result(w, pid_of(2), "failed", 1, FW_NOW);
	fw_result(w, pid_of(3), "paid", 0, FW_NOW);
	fw_result(w, pid_of(4), "in_treasury", 0, FW_NOW);
	fw_result(w, pid_of(5), "in_doubt", 1, FW_NOW);
	fw_result(w, pid_of(7), "in_treasury", 0, FW_NOW);
	fw_turns(w);
	fw_credit(w, EV_ACCOUNT_CREDITED, pid_of(4), 50000);
	fw_turns(w);
	fw_time(w, "2026-12-24T09:01:30+08:00");
	fw_turns(w);
	fw_result(w, pid_of(7), "refunded", 0, FW_NOW);
	fw_result(w, pid_of(5), "unknown", 1, "2026-12-24T09:01:00+08:00");
	fw_turns(w); /* instructs 5 again */
}

static void later(struct flow_world *w)
{
	fw_result(w, pid_of(1), "in_treasury", 0, FW_NOW);
	fw_result(w, pid_of(5), "accepted", 2, FW_NOW);
	fw_status(w, 8, false, FW_NOW);
	fw_turns(w);
	fw_credit(w, EV_ACCOUNT_CREDITED, pid_of(1), 50000);
	fw_turns(w);
}

static struct id roster_of_eight(struct flow_world *w, bool covered)
{
	struct id sub = fw_roster(w, "v1", "eight", FW_VILLAGE, eight, 8, true);
	if (covered)
		fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	return sub;
}

/* What is on the bus is known to be there, so that an older bus would be found out. */
static void marks_are_up_to_date(struct flow_world *w)
{
	struct err e = {0};
	for (int i = 0; i < topic_count; i++) {
		struct bus_record last = {0};
		if (strcmp(topics[i].producer, "gateway") == 0 &&
		    bus_last(w->gateway_bus, topics[i].name, 0, &last, &e) == 1)
			assert_int_equal(outbox_delivered(w->ledger)->seq[i][0], last.event.seq);
	}
}

/* before: 0 the roster came in the lost time, 1 it was waiting for its papers, 2 it was filed and pending. */
static void all_states(int before)
{
	struct flow_test t = {0}, u = {0};
	struct flow_world *w = &t.w, *twin = &u.w;
	struct id sub = {{0}};
	fw_open(w, tmpdir_make(&t.dir));
	fw_open(twin, tmpdir_make(&u.dir));
	if (before > 0)
		sub = roster_of_eight(w, before == 2);
	backup(w);
	if (before == 0)
		sub = roster_of_eight(w, true);
	else if (before == 1)
		fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	roster_of_eight(twin, true);
	lost_hours(w);
	lost_hours(twin);
	int said = fw_count(w, EV_SUBSIDY_PAYMENT, NULL);
	assert_int_equal(said, 8); /* seven, and one again */
	lose_and_adopt(w);
	marks_are_up_to_date(w);
	fw_turns(w);
	assert_int_equal(phase(w), ADOPT_NONE);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), said);
	assert_int_equal(unclaimed(w), 0);
	/* The old doubt is not that of the second attempt. */
	assert_int_equal(fw_statement(w).count[SC_IN_DOUBT], 0);
	assert_string_equal(code_of(w, sub, 8), "credited");
	assert_string_equal(code_of(w, sub, 6), "tax_refused");
	later(w);
	later(twin);
	assert_int_equal(fw_rebuild(w, sub), 8);
	same_end(w, twin);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_CREDITED], 2);
	assert_int_equal(st.count[SC_REFUNDED], 1);
	assert_int_equal(st.count[SC_FAILED], 1);
	assert_int_equal(st.count[SC_PENDING], 1);
	restart(w); /* what it adopted fits the bus ever after */
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), said);
	fw_close(w);
	fw_close(twin);
	tmpdir_remove(&t.dir);
	tmpdir_remove(&u.dir);
}

static void of_a_roster_that_came_in_the_lost_time(void **state)
{
	(void)state;
	all_states(0);
}

static void of_a_roster_that_was_waiting(void **state)
{
	(void)state;
	all_states(1);
}

static void of_a_roster_that_was_filed(void **state)
{
	(void)state;
	all_states(2);
}

/* A copy that was made between a decision and the word that it lies on the bus: it is there, and more came since. */
static void what_the_copy_had_to_say_was_said(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, false, &pid);
	fw_status(w, 1, true, FW_NOW);
	one_turn(w); /* instructs */
	backup(w);
	fw_result(w, pid, "paid", 0, FW_NOW);
	fw_turns(w);
	filed_by(w, "other", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{2, 50000, NULL}}, 1);
	fw_status(w, 2, true, FW_NOW);
	fw_turns(w);
	lose_and_adopt(w);
	marks_are_up_to_date(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 2);
	said_once(w);
	restart(w);
	marks_are_up_to_date(w);
}

/* Enquiries that were said have their numbers; the next ones go on above them, and an answer to an old one permits nothing. */
static void enquiries_go_on_above(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_enquiry q;
	struct contribution_enquiry c;
	struct id pid;
	w->conf.tax_terms.keys = KEYS_NONE;
	backup(w);
	one_payment(w, true, &pid);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	fw_turns(w);
	fw_time(w, "2026-12-24T09:01:30+08:00");
	fw_turns(w);
	fw_time(w, "2026-12-24T09:03:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, &q), 2);
	filed_by(w, "other", SPONSOR_CHARITY, "S2", (struct fw_row[]){{2, 50000, NULL}}, 1);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
	lose_and_adopt(w);
	fw_turns(w);
	fw_result(w, pid, "unknown", 1, "2026-12-24T09:40:00+08:00");
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
	fw_time(w, "2026-12-24T09:20:00+08:00");
	fw_turns(w);
	assert_true(fw_count(w, EV_PAYMENT_ENQUIRY, &q) > 2);
	assert_true(q.attempt > 2);
	assert_true(fw_count(w, EV_CONTRIBUTION_ENQUIRY, &c) > 2);
	assert_true(c.attempt > 1);
	said_once(w);
}

/* ---- (b) order ---- */

/* Two collectives for one person, room for one. The lost life took the second roster first, since its papers came first; on the
 * second reading both have theirs, and the first is read first. */
static void who_came_first_stays_first(void **state)
{
	struct flow_world *w = WORLD(state);
	const struct fw_row row[] = {{1, 300000, NULL}};
	struct id first = fw_roster(w, "v1", "first", FW_VILLAGE, row, 1, true);
	struct id second = fw_roster(w, "v2", "second", FW_VILLAGE_2, row, 1, true);
	fw_turns(w);
	backup(w);
	fw_cover(w, second, FW_VILLAGE_2, SPONSOR_COLLECTIVE, "S9", FW_NOW);
	fw_turns(w);
	fw_cover(w, first, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	assert_string_equal(code_of(w, first, 5), "cap_b_exceeded");
	lose_and_adopt(w);
	/* The order of the topic cannot be changed here; the order of filing can: the copy finds the first roster's papers at once. */
	fw_turns(w);
	assert_string_equal(code_of(w, first, 5), "cap_b_exceeded");
	assert_string_equal(code_of(w, second, 5), "pending");
	assert_int_equal(reserved(w, 1), 300000);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	struct subsidy_payment p;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 1);
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S9", 1, 0);
	assert_true(id_eq(&p.payment_id, &pid));
	said_once(w);
}

/* Puts a cover into the copy, as if it had been read in another order than by the lost life. */
static void cover_in_the_copy(struct flow_world *w, struct id sub)
{
	struct ledger *l;
	struct err e = {0};
	struct bus_reader *r;
	const struct bus_record *records;
	struct gate_documents g;
	int n;
	assert_int_equal(ledger_open(&l, w->ledger_path, 1024, clock_now(&w->clock), NULL, &e), 0);
	assert_int_equal(bus_reader_open(w->tax_bus, &r, "submissions", NULL, &e), 0);
	assert_int_equal(ledger_begin(l, &e), 0);
	while ((n = bus_read(r, 1000, &records, &e)) > 0)
		for (int i = 0; i < n; i++)
			if (str_is(records[i].event.type, "GateDocuments") &&
			    codec_decode(w->codec, EV_GATE_DOCUMENTS, records[i].event.data, &g,
					 &e) == 0 &&
			    id_eq(&g.submission_id, &sub))
				assert_int_equal(cover_put(l, &sub, &g.cover_id, g.received_at,
							   records[i].event.data, &e),
						 1);
	assert_int_equal(ledger_commit(l, &e), 0);
	bus_reader_close(r);
	ledger_close(l);
}

/* The same with the order of filing really turned round: neither roster was read when the copy was made, and the paper of the one
 * that lost lies there already. with: the winner was instructed; without: pending only, known by its answer alone. */
static void turned_round(struct flow_world *w, bool instructed)
{
	const struct fw_row row[] = {{1, 300000, NULL}, {2, 60000, NULL}};
	backup(w);
	struct id loser = fw_roster(w, "v1", "loser", FW_VILLAGE, row, 2, true);
	struct id winner = fw_roster(w, "v2", "winner", FW_VILLAGE_2, row, 2, true);
	fw_turns(w);
	fw_cover(w, winner, FW_VILLAGE_2, SPONSOR_COLLECTIVE, "S9", FW_NOW);
	fw_turns(w);
	fw_cover(w, loser, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	if (instructed) {
		fw_turns(w);
		fw_status(w, 1, true, FW_NOW);
	}
	fw_turns(w);
	assert_string_equal(code_of(w, loser, 5), "cap_b_exceeded");
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), instructed);
	lose(w);
	cover_in_the_copy(w, loser);
	order(w);
	start(w);
	fw_turns(w);
	assert_string_equal(code_of(w, loser, 5), "cap_b_exceeded");
	assert_int_equal(reserved(w, 1), 300000);
	assert_int_equal(reserved(w, 2), 120000);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	struct subsidy_payment p;
	struct id pid = fw_payment(SPONSOR_COLLECTIVE, "S9", 1, 0);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 1);
	assert_true(id_eq(&p.payment_id, &pid));
	assert_int_equal(fw_rebuild(w, loser) + fw_rebuild(w, winner), 4);
	fw_statement(w);
	said_once(w);
}

static void the_instructed_one_stays(void **state)
{
	turned_round(WORLD(state), true);
}

static void the_pending_one_stays(void **state)
{
	turned_round(WORLD(state), false);
}

/* One tuple twice: which row has which payment, and which is the repeat, is known by what they were told. */
static void ended_payments_keep_their_rows(void **state)
{
	struct flow_world *w = WORLD(state);
	const struct fw_row row[] = {{1, 50000, NULL}};
	struct id n0 = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0),
		  n1 = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 1);
	backup(w);
	struct id second = fw_roster(w, "v1", "second", FW_VILLAGE, row, 1, true);
	struct id first = fw_roster(w, "v1", "first", FW_VILLAGE, row, 1, true);
	fw_cover(w, first, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_result(w, n0, "failed", 1, FW_NOW);
	fw_turns(w);
	fw_cover(w, second, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	fw_result(w, n1, "in_treasury", 0, FW_NOW);
	fw_turns(w);
	struct id third = filed_by(w, "third", SPONSOR_COLLECTIVE, "S1", row, 1);
	assert_string_equal(code_of(w, third, 5), "already_accepted");
	lose(w);
	cover_in_the_copy(w, second);
	order(w);
	start(w);
	fw_turns(w);
	assert_string_equal(code_of(w, first, 5), "tax_refused");
	assert_string_equal(code_of(w, second, 5), "in_treasury");
	assert_string_equal(code_of(w, third, 5), "already_accepted");
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 2);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, NULL), 1);
	assert_int_equal(unclaimed(w), 0);
	assert_int_equal(reserved(w, 1), 50000);
	assert_int_equal(differences(w), 0);
	said_once(w);
}

/* Rejected by the SSA's word of then, and eligible by its word of now. */
static void a_final_rejection_stays(void **state)
{
	struct flow_world *w = WORLD(state);
	struct contribution_status s = {.token = fw_token(1),
					.as_of = at(FW_NOW),
					.insured = false,
					.insured_state = STR("0")};
	backup(w);
	struct id sub =
		filed_by(w, "r", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 50000, NULL}}, 1);
	s.sequence = ++w->sequence;
	fw_publish(w, EV_CONTRIBUTION_STATUS, &s, s.token);
	fw_turns(w);
	char code[40];
	snprintf(code, sizeof code, "%s", code_of(w, sub, 5));
	assert_string_equal(code, "not_insured");
	lose(w);
	fw_status(w, 1, true, FW_NOW);
	order(w);
	start(w);
	fw_turns(w);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_string_equal(code_of(w, sub, 5), code);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	assert_int_equal(reserved(w, 1), 0);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_REJECTED], 1);
}

/* The status that made it eligible was followed by one that took that back, before its roster was filed. On the second reading the
 * roster comes first. */
static void an_old_word_of_the_ssa_instructs_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	backup(w);
	for (int person = 20; person < 30; person++)
		fw_status(w, person, true, FW_NOW);
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	filed_by(w, "r", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 50000, NULL}}, 1);
	fw_status(w, 1, false, FW_NOW);
	fw_turns(w);
	int asked = fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL);
	w->conf.gateway.batch_events = 1;
	lose_and_adopt(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 0);
	assert_true(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL) >
		    asked); /* but is asked for what holds now */
	fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 1);
}

/* Who was told that the papers miss is filed after those that were filed then, though now it has its papers first. */
static void who_was_not_filed_waits_for_those_that_were(void **state)
{
	struct flow_world *w = WORLD(state);
	const struct fw_row row[] = {{1, 300000, NULL}};
	backup(w);
	struct id late = fw_roster(w, "v1", "late", FW_VILLAGE, row, 1, true);
	struct id filed = fw_roster(w, "v2", "filed", FW_VILLAGE_2, row, 1, true);
	fw_cover(w, filed, FW_VILLAGE_2, SPONSOR_COLLECTIVE, "S9", FW_NOW);
	fw_turns(w);
	fw_cover(w, late, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1",
		 FW_NOW); /* and nobody has read it when the disk goes */
	lose(w);
	cover_in_the_copy(w, late);
	order(w);
	w->conf.gateway.batch_events = 1;
	start(w);
	fw_turns(w);
	assert_string_equal(code_of(w, filed, 5), "pending");
	assert_string_equal(code_of(w, late, 5), "cap_b_exceeded");
	assert_int_equal(reserved(w, 1), 300000);
	fw_statement(w);
}

/* What comes due was answered, a little further on. */
static void nothing_comes_due_before_all_is_read(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	one_payment(w, true, &pid);
	backup(w);
	for (int person = 20; person < 30; person++)
		fw_result_seq(w, pid_of(person), "paid", person, 50000);
	fw_result(w, pid, "accepted", 1, FW_NOW);
	fw_turns(w);
	struct id waits = fw_roster(w, "v1", "waits", FW_VILLAGE,
				    (struct fw_row[]){{2, 50000, NULL}}, 1, true);
	fw_turns(w);
	fw_time(w, "2026-12-24T12:00:00+08:00");
	w->conf.gateway.batch_events = 1;
	lose_and_adopt(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 0);
	assert_string_equal(code_of(w, waits, 5), "waiting_filing");
	assert_int_equal(fw_rebuild(w, waits), 1);
}

/* ---- (d) what no row claims ---- */

/* Something that the lost life said, and whose cause is on no topic: as if the village had lost its roster. */
static void say(struct flow_world *w, enum event_type t, const void *event, struct str key,
		const struct id *id)
{
	struct buf body;
	struct err e = {0};
	int topic = 0;
	while (strcmp(topics[topic].name, event_topic(t)) != 0)
		topic++;
	buf_init(&body, 1 << 16);
	if (event)
		assert_int_equal(codec_encode(w->codec, t, event, &body, &e), 0);
	else
		assert_int_equal(buf_put_str(&body, "no avro"), 0);
	struct bus_event ev = {.key = key,
			       .id = *id,
			       .type = str_of(event_name(t)),
			       .time_ms = at(FW_NOW),
			       .data = {(char *)body.data, body.len}};
	assert_int_equal(ledger_begin(w->ledger, &e), 0);
	assert_int_equal(outbox_add(w->ledger, topic, &ev, &e), 0);
	assert_int_equal(ledger_commit(w->ledger, &e), 0);
	assert_int_equal(outbox_publish(w->ledger, w->gateway_bus, NULL, &e), 0);
	buf_fini(&body);
}

static void say_payment(struct flow_world *w, int person, int64_t fen)
{
	struct id id, sponsor, token = fw_token(person);
	sponsor_id(&sponsor, STR("collective"), STR("S1"));
	struct subsidy_payment p = {.payment_id = pid_of(person),
				    .attempt = 1,
				    .year = 2026,
				    .village = STR(FW_VILLAGE),
				    .sponsor_type = STR("collective"),
				    .sponsor_id = sponsor,
				    .token = token,
				    .identity = STR("sealed"),
				    .amount_fen = fen,
				    .instructed_at = at(FW_NOW),
				    .not_after = at("2026-12-31T23:59:59+08:00")};
	decision_id(&id, STR("SubsidyPayment"), &p.payment_id, 1);
	say(w, EV_SUBSIDY_PAYMENT, &p, (struct str){(char *)token.b, ID_LEN}, &id);
}

static void what_no_row_claims_is_listed(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	backup(w);
	one_payment(w, true, &pid);
	say_payment(w, 2, 300000);
	say_payment(w, 3, 50000);
	fw_result_seq(w, pid_of(2), "paid", 7, 300000);
	lose_and_adopt(w);
	assert_int_equal(reserved(w, 2), 300000); /* at once */
	fw_turns(w);
	assert_int_equal(unclaimed(w), 2);
	assert_int_equal(differences(w), 2);
	assert_int_equal(reserved(w, 2), 300000);
	fw_statement(w);
	/* Another sponsor has only the rest of the room. */
	struct id other = filed_by(w, "other", SPONSOR_CHARITY, "S2",
				   (struct fw_row[]){{2, 250000, NULL}}, 1);
	assert_string_equal(code_of(w, other, 5), "cap_b_exceeded");
	/* The same with another amount is no declaration of it; with the same it is. */
	struct id wrong = filed_by(w, "wrong", SPONSOR_COLLECTIVE, "S1",
				   (struct fw_row[]){{2, 60000, NULL}}, 1);
	assert_string_equal(code_of(w, wrong, 5), "already_filed_other_amount");
	struct id right = filed_by(w, "right", SPONSOR_COLLECTIVE, "S1",
				   (struct fw_row[]){{2, 300000, NULL}}, 1);
	assert_string_equal(code_of(w, right, 5), "paid");
	assert_int_equal(unclaimed(w), 1);
	assert_int_equal(differences(w), 1);
	assert_int_equal(reserved(w, 2), 300000);
	assert_int_equal(fw_rebuild(w, right), 1);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 3);
	restart(w);
	fw_turns(w);
	assert_int_equal(unclaimed(w), 1);
	said_once(w);
}

/* An event of ours that nobody can read any more is shown, and does not stop the rest. */
static void what_cannot_be_read_is_shown(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	backup(w);
	one_payment(w, true, &pid);
	say(w, EV_SUBSIDY_PAYMENT, NULL, STR("k"), &pid);
	lose_and_adopt(w);
	fw_turns(w);
	assert_int_equal(differences(w), 1);
	assert_int_equal(unclaimed(w), 0);
}

/* A figure that nothing supports any more is taken back: the newest version is what the ledger says. */
static void figures_of_the_lost_life_are_told_anew(void **state)
{
	struct flow_world *w = WORLD(state);
	struct collection_statistics told = {.year = 2026,
					     .village = STR(FW_VILLAGE_2),
					     .sponsor_type = STR("charity"),
					     .version = 7,
					     .declared_count = 5,
					     .declared_fen = 250000},
				     now;
	struct id id = fw_token(77);
	backup(w);
	say(w, EV_COLLECTION_STATISTICS, &told, STR("2026/" FW_VILLAGE_2 "/charity"), &id);
	lose_and_adopt(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_COLLECTION_STATISTICS, &now), 2);
	assert_true(str_is(now.village, FW_VILLAGE_2));
	assert_true(now.version > 7);
	assert_int_equal(now.declared_count, 0);
	fw_statement(w);
}

/* Ended by the gateway's own word after the last day. */
static void too_late_stays_too_late(void **state)
{
	struct flow_world *w = WORLD(state);
	struct payment_enquiry q;
	struct id pid;
	w->conf.tax_terms.keys = KEYS_NONE;
	backup(w);
	struct id sub = one_payment(w, true, &pid);
	fw_result(w, pid, "in_doubt", 1, FW_NOW);
	fw_turns(w);
	fw_time(w, "2027-01-22T09:00:00+08:00");
	fw_turns(w);
	fw_count(w, EV_PAYMENT_ENQUIRY, &q);
	fw_result(w, pid, "unknown", q.attempt, "2027-01-22T09:00:01+08:00");
	fw_turns(w);
	assert_string_equal(code_of(w, sub, 5), "too_late");
	lose_and_adopt(w);
	fw_turns(w);
	assert_string_equal(code_of(w, sub, 5), "too_late");
	assert_int_equal(fw_statement(w).count[SC_FAILED], 1);
	assert_int_equal(differences(w), 0);
	assert_int_equal(reserved(w, 1), 0);
	assert_int_equal(fw_rebuild(w, sub), 1);
}

/* What could not be processed is read again, and is told once. */
static void rejects_are_told_once(void **state)
{
	struct flow_world *w = WORLD(state);
	struct subsidy_declared stray = {
		.submission_id = fw_token(99), .attempt_id = fw_token(98), .row_no = 5};
	backup(w);
	fw_publish(w, EV_SUBSIDY_DECLARED, &stray, stray.submission_id);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 1);
	fw_time(w, "2026-12-24T10:00:00+08:00");
	lose_and_adopt(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 1);
}

/* ---- (c) crashes ---- */

static bool adopt_with_a_fault(unsigned ops, int64_t n, enum fault_kind kind, bool on_bus)
{
	struct flow_test t = {0}, u = {0};
	struct flow_world *w = &t.w, *twin = &u.w;
	struct err e = {0};
	fw_open(w, tmpdir_make(&t.dir));
	fw_open(twin, tmpdir_make(&u.dir));
	struct id sub = fw_roster(w, "v1", "eight", FW_VILLAGE, eight, 8, true);
	fw_turns(w);
	backup(w);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	roster_of_eight(twin, true);
	lost_hours(w);
	lost_hours(twin);
	lose(w);
	order(w);
	*(on_bus ? &w->bus_vfs : &w->vfs) = FAULT_VFS;
	fault_vfs_arm(ops, n, kind);
	int rc = fw_start(w, &e);
	if (rc == 0)
		rc = fw_try_turns(w, &e);
	bool fired = fault_vfs_fired() > 0;
	fault_vfs_disarm();
	w->vfs = w->bus_vfs = NULL;
	if (rc != 0) {
		assert_true(fired);
		restart(w);
	}
	fw_turns(w);
	later(w);
	later(twin);
	same_end(w, twin);
	assert_int_equal(unclaimed(w), 0);
	for (int person = 1; person <= 8; person++)
		assert_int_equal(reserved(w, person), reserved(twin, person));
	fw_close(w);
	fw_close(twin);
	tmpdir_remove(&t.dir);
	tmpdir_remove(&u.dir);
	return fired;
}

static void every_n(unsigned ops, enum fault_kind kind, bool on_bus)
{
	int64_t n = 1;
	while (adopt_with_a_fault(ops, n, kind, on_bus))
		n += n < 20 ? 1 : 3;
	assert_true(n > 2);
}

static void a_crash_at_any_sync_of_the_ledger(void **state)
{
	(void)state;
	every_n(FAULT_SYNC, FAULT_IO, false);
}

static void a_full_disk_at_any_write_of_the_ledger(void **state)
{
	(void)state;
	every_n(FAULT_WRITE, FAULT_DISK_FULL, false);
}

static void a_crash_at_any_sync_of_the_bus(void **state)
{
	(void)state;
	every_n(FAULT_SYNC, FAULT_IO, true);
}

/* Restored twice from one backup: the second time the events of two lives are adopted. */
static void a_second_loss(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	backup(w);
	struct id sub = one_payment(w, true, &pid);
	lose_and_adopt(w);
	fw_turns(w);
	struct id other = filed_by(w, "other", SPONSOR_COLLECTIVE, "S1",
				   (struct fw_row[]){{2, 50000, NULL}}, 1);
	fw_status(w, 2, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 2);
	char mark[80];
	snprintf(mark, sizeof mark, "%s", ledger_mark(w->ledger));
	lose_and_adopt(w);
	assert_string_not_equal(ledger_mark(w->ledger), mark);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), 2);
	assert_int_equal(unclaimed(w), 0);
	fw_result(w, pid_of(2), "in_treasury", 0, FW_NOW);
	fw_turns(w);
	assert_string_equal(code_of(w, other, 5), "in_treasury");
	assert_int_equal(fw_rebuild(w, sub) + fw_rebuild(w, other), 2);
	said_once(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_an_order_it_is_refused),
		T(a_living_ledger_is_no_copy),
		cmocka_unit_test(of_a_roster_that_came_in_the_lost_time),
		cmocka_unit_test(of_a_roster_that_was_waiting),
		cmocka_unit_test(of_a_roster_that_was_filed),
		T(what_the_copy_had_to_say_was_said),
		T(enquiries_go_on_above),
		T(who_came_first_stays_first),
		T(the_instructed_one_stays),
		T(the_pending_one_stays),
		T(ended_payments_keep_their_rows),
		T(a_final_rejection_stays),
		T(an_old_word_of_the_ssa_instructs_nothing),
		T(who_was_not_filed_waits_for_those_that_were),
		T(nothing_comes_due_before_all_is_read),
		T(what_no_row_claims_is_listed),
		T(what_cannot_be_read_is_shown),
		T(figures_of_the_lost_life_are_told_anew),
		T(too_late_stays_too_late),
		T(rejects_are_told_once),
		cmocka_unit_test(a_crash_at_any_sync_of_the_ledger),
		cmocka_unit_test(a_full_disk_at_any_write_of_the_ledger),
		cmocka_unit_test(a_crash_at_any_sync_of_the_bus),
		T(a_second_loss),
	};
	/* Nothing here is about what survives a power cut, and memory is faster than a disk. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	fault_vfs_install(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
