/* The plan of a sponsor: rosters wait for it, its standards and gates count, heads and money stay within it. */
#include "ledger/internal.h"
#include "tests/lib/flow_test.h"

static struct submission_answer told(struct flow_world *w)
{
	struct submission_answer s;
	assert_true(fw_count(w, EV_SUBMISSION_ANSWER, &s) > 0);
	return s;
}

static struct id roster(struct flow_world *w, const char *name, const struct fw_row *rows, int n)
{
	struct id sub = fw_roster(w, "v1", name, FW_VILLAGE, rows, n, true);
	fw_cover_put(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	return sub;
}

static struct fw_plan plan(void)
{
	return fw_plan_of(FW_VILLAGE, SPONSOR_COLLECTIVE, "S1");
}

/* The running sums are what the live rows add up to. */
static void assert_use(struct flow_world *w, int64_t heads, int64_t fen)
{
	struct plan_use *use;
	struct err e = {0};
	struct id sponsor;
	sponsor_id(&sponsor, STR("collective"), STR("S1"));
	assert_int_equal(plan_use_get(w->ledger, FW_VILLAGE, &sponsor, 2026, &use, &e), 0);
	assert_int_equal(use->heads, heads);
	assert_int_equal(use->fen, fen);
	ledger_rollback(w->ledger);
}

/* */
static void a_roster_waits_for_the_plan(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = roster(w, "r", (struct fw_row[]){{1, 50000, NULL}}, 1);
	ANSWERED(w, sub, 5, "waiting_filing", false);
	assert_true(str_is(told(w).state, "held") && str_is(told(w).code, "plan_missing"));
	/* of another sponsor, of another village, of other years: not this one */
	struct fw_plan other = fw_plan_of(FW_VILLAGE, SPONSOR_COLLECTIVE, "S2");
	fw_plan_put(w, &other);
	other = fw_plan_of(FW_VILLAGE_2, SPONSOR_COLLECTIVE, "S1");
	fw_plan_put(w, &other);
	other = plan();
	other.event.first_year = other.event.last_year = 2025;
	fw_plan_put(w, &other);
	fw_turns(w);
	ANSWERED(w, sub, 5, "waiting_filing", false);
	other = plan();
	fw_plan_put(w, &other);
	restart(w);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
	assert_use(w, 1, 50000);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 0);
}

/* */
static void a_plan_of_several_years_serves_each_of_them(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_plan p = plan();
	p.event.first_year = 2024;
	p.event.last_year = 2028;
	fw_plan_put(w, &p);
	struct id sub = roster(w, "r", (struct fw_row[]){{1, 50000, NULL}}, 1);
	ANSWERED(w, sub, 5, "pending", false);
	/* cut short: its newest version no longer covers the year */
	p.event.last_year = 2025;
	p.event.received_at = at(FW_NOW);
	fw_plan_put(w, &p);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
	roster(w, "s", (struct fw_row[]){{2, 50000, NULL}}, 1);
	assert_true(str_is(told(w).code, "plan_missing"));
}

/* */
static void heads_and_money_stay_within_the_plan(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_plan p = plan();
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 60000, NULL}, {3, 50000, NULL}, {4, 20000, NULL}};
	p.event.heads = (struct opt_long){true, 3};
	p.event.total_fen = (struct opt_long){true, 140000};
	fw_plan_put(w, &p);
	struct id sub = roster(w, "r", rows, 4);
	ANSWERED(w, sub, 6, "pending", false);
	ANSWERED(w, sub, 7, "plan_total_exceeded", true);
	assert_string_equal(fw_answer_of(w, sub, 7).detail, "300.00");
	ANSWERED(w, sub, 8, "pending", false);
	assert_use(w, 3, 130000);
	struct id more = roster(w, "s", (struct fw_row[]){{5, 20000, NULL}}, 1);
	ANSWERED(w, more, 5, "plan_heads_exceeded", true);
	assert_string_equal(fw_answer_of(w, more, 5).detail, "0");
	/* who turns out not to be eligible makes room */
	struct contribution_status s = {.token = fw_token(1), .as_of = at(FW_NOW), .sequence = 1, .insured_state = STR("0")};
	fw_publish(w, EV_CONTRIBUTION_STATUS, &s, s.token);
	fw_turns(w);
	ANSWERED(w, sub, 5, "not_insured", true);
	assert_use(w, 2, 80000);
	more = roster(w, "t", (struct fw_row[]){{5, 20000, NULL}}, 1);
	ANSWERED(w, more, 5, "pending", false);
	fw_statement(w);
}

/* */
static void the_newest_version_counts_for_what_is_filed_later(void **state)
{
	struct flow_world *w = WORLD(state);
	int64_t standards[] = {30000};
	struct fw_plan p = plan(), old = p;
	fw_plan_put(w, &p);
	struct id sub = roster(w, "r", (struct fw_row[]){{1, 50000, NULL}}, 1);
	p.event.standards_fen = standards;
	p.event.standard_count = 1;
	p.event.received_at = at(FW_NOW);
	fw_plan_put(w, &p);
	fw_plan_put(w, &old); /* a repeat of the older one changes nothing */
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
	sub = roster(w, "s", (struct fw_row[]){{2, 50000, NULL}, {3, 30000, NULL}}, 2);
	ANSWERED(w, sub, 5, "amount_not_in_plan", true);
	ANSWERED(w, sub, 6, "pending", false);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 0);
}

static void a_roster_half_filed_keeps_its_version(void **state)
{
	struct flow_world *w = WORLD(state);
	enum { ROWS = 5000 };
	struct fw_row *rows = calloc(ROWS, sizeof *rows);
	struct fw_plan p = plan();
	int64_t standards[] = {30000};
	for (int i = 0; i < ROWS; i++)
		rows[i] = (struct fw_row){i + 1, 50000, NULL};
	fw_plan_put(w, &p);
	w->lazy = true;
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, ROWS, true);
	fw_cover_put(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_flush(w);
	w->lazy = false;
	for (int i = 0; i < 1000 && fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL) == 0; i++)
		one_turn(w);
	assert_in_range(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 1, ROWS - 1);
	p.event.standards_fen = standards;
	p.event.standard_count = 1;
	p.event.received_at = at(FW_NOW);
	fw_plan_put(w, &p);
	restart(w);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), ROWS);
	ANSWERED(w, sub, 5 + ROWS - 1, "pending", false);
	assert_use(w, ROWS, (int64_t)ROWS * 50000);
	free(rows);
}

/* */
static void the_gates_of_the_plan_are_its_own(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_plan p = plan();
	p.event.gate_count = 3; /* not filed with the SSA yet */
	fw_plan_put(w, &p);
	struct id sub = roster(w, "r", (struct fw_row[]){{1, 50000, NULL}}, 1);
	ANSWERED(w, sub, 5, "waiting_filing", false);
	assert_true(str_is(told(w).code, "gate_missing") && str_is(told(w).detail, "plan_filed_ssa"));
	p = plan();
	p.event.received_at = at(FW_NOW);
	fw_plan_put(w, &p);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
}

/* */
static void filing_shows_its_papers(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_plan p = plan();
	p.gates[0].document = (struct str){NULL, 0};
	fw_plan_put(w, &p);
	struct id sub = roster(w, "r", (struct fw_row[]){{1, 50000, NULL}}, 1);
	assert_true(str_is(told(w).code, "document_missing") && str_is(told(w).detail, "plan_agreed"));
	p = plan();
	p.event.received_at = at(FW_NOW);
	fw_plan_put(w, &p);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
}

static int words(struct flow_world *w, const char *result)
{
	struct store_options o = {.flags = STORE_READONLY, .busy_ms = 1000};
	struct store *st;
	struct stmt *q;
	struct err e = {0};
	assert_int_equal(store_open(&st, w->ledger_path, &ledger_kind, &o, &e), 0);
	assert_int_equal(store_prepare(st, &q, "SELECT count(*) FROM supervision WHERE result = ?1", &e), 0);
	stmt_text(q, 1, str_of(result));
	assert_int_equal(stmt_step(q, &e), 1);
	int n = (int)stmt_get_int(q, 0);
	stmt_reset(q);
	store_close(st);
	return n;
}

/* */
static void the_supervision_is_recorded_and_blocks_nothing(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_plan p = plan();
	p.gates[p.event.gate_count++] = (struct ev_gate){.gate = STR("supervision"), .date = p.gates[3].date,
							  .result = STR("objected"), .note = STR("standards too high")};
	fw_plan_put(w, &p);
	fw_plan_put(w, &p);
	struct id sub = roster(w, "r", (struct fw_row[]){{1, 50000, NULL}}, 1);
	ANSWERED(w, sub, 5, "pending", false);
	assert_int_equal(words(w, "objected"), 1); /* the repeat adds none */
	/* a cover that comes after the filing changes nothing else, and its word is kept */
	struct ev_gate word = {.gate = STR("supervision"), .date = p.gates[3].date, .result = STR("signed")};
	struct gate_documents g = {.submission_id = sub, .cover_id = fw_token(7), .received_at = at(FW_NOW) + 1, .year = 2026,
				   .village = STR(FW_VILLAGE), .sponsor_type = STR("collective"), .gates = &word, .gate_count = 1};
	fw_publish(w, EV_GATE_DOCUMENTS, &g, sub);
	fw_turns(w);
	assert_int_equal(words(w, "signed"), 1);
	ANSWERED(w, sub, 5, "pending", false);
}

static void a_plan_that_cannot_be_is_refused(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_plan p = plan();
	p.event.last_year = 2025;
	fw_plan_put(w, &p);
	p = plan();
	p.event.last_year = 3000;
	fw_plan_put(w, &p);
	p = plan();
	p.event.village = STR("330603999999");
	fw_plan_put(w, &p);
	p = plan();
	p.event.heads = (struct opt_long){true, -1};
	fw_plan_put(w, &p);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_REJECTED_EVENT, NULL), 4);
}


static void others_need_no_plan(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, (struct fw_row[]){{1, 50000, NULL}}, 1, true);
	fw_cover_put(w, sub, FW_VILLAGE, SPONSOR_CHARITY, "S3", FW_NOW);
	fw_turns(w);
	ANSWERED(w, sub, 5, "pending", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_roster_waits_for_the_plan),
		T(a_plan_of_several_years_serves_each_of_them),
		T(heads_and_money_stay_within_the_plan),
		T(the_newest_version_counts_for_what_is_filed_later),
		T(a_roster_half_filed_keeps_its_version),
		T(the_gates_of_the_plan_are_its_own),
		T(filing_shows_its_papers),
		T(the_supervision_is_recorded_and_blocks_nothing),
		T(a_plan_that_cannot_be_is_refused),
		T(others_need_no_plan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
