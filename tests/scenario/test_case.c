/* qiao case: how far the papers of each roster are. The ledger is that of a gateway in this process. */
#include "tests/lib/command.h"
/* The ledger's struct of that name and the system's do not meet elsewhere. */
#define stat ledger_stat
#include "tests/lib/flow_test.h"
#undef stat

static struct command_said said;
static char ini[340];

static void write_ini(struct flow_test *t)
{
	char here[300], data[700], text[2000];

	assert_non_null(getcwd(here, sizeof here));
	snprintf(data, sizeof data, "%s", t->w.dir);
	tmpdir_file(&t->dir, ini, "qiao.ini");
	snprintf(text, sizeof text,
		 "[data]\ndir = %s\n[reference]\npolicy = %s/config/policy\ncalendar = %s/config/calendar.csv\nvillages = %s/config/villages.csv\n",
		 data, here, here, here);
	write_text(ini, text);
}

#define qiao_case(...) command_run(&said, &((struct flow_test *)*state)->dir, "qiao", "-c", ini, "case", __VA_ARGS__, NULL)


static void papers_are_shown(void **state)
{
	struct flow_world *w = WORLD(state);
	struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}};
	write_ini(*state);
	assert_int_equal(qiao_case("--lang", "en"), EXIT_YES);
	assert_has(said.out, "no such roster");
	/* waits for its plan */
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, 2, true);
	fw_cover_put(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w);
	assert_int_equal(qiao_case("--lang", "en"), EXIT_NO);
	assert_has(said.out, "plan: none");
	assert_has(said.out, "plan agreed: missing");
	assert_has(said.out, "the village's plan for this year has not come yet");
	assert_has(said.out, "posted until 2026-12-15");
	assert_has(said.out, "next deadline: 2026-12-31 (filing)");
	/* filed */
	struct fw_plan p = fw_plan_of(FW_VILLAGE, SPONSOR_COLLECTIVE, "S1");
	p.event.heads = (struct opt_long){true, 3};
	p.event.total_fen = (struct opt_long){true, 120000};
	p.gates[p.event.gate_count++] =
		(struct ev_gate){.gate = STR("supervision"), .date = p.gates[0].date, .result = STR("objected"), .note = STR("too high")};
	fw_plan_put(w, &p);
	fw_turns(w);
	assert_int_equal(qiao_case("2026", FW_VILLAGE, "collective", "--lang", "en"), EXIT_YES);
	assert_has(said.out, "plan 2026-2026: 2 persons / 1000.00 yuan used, limits 3 / 1200.00");
	assert_has(said.out, "plan agreed: 2026-11-02");
	assert_has(said.out, "supervision: 2026-11-02 objected  too high");
	assert_has(said.out, "next deadline: 2027-01-20 (instructing)");
	assert_int_equal(qiao_case("2026", FW_VILLAGE, "--format", "json"), EXIT_YES);
	assert_has(said.out, "\"used_heads\": 2");
	/* others are not these */
	assert_int_equal(qiao_case("2026", FW_VILLAGE, "charity", "--lang", "en"), EXIT_YES);
	assert_has(said.out, "no such roster");
	assert_int_equal(qiao_case("2025", "--lang", "en"), EXIT_YES);
	assert_has(said.out, "no such roster");
	assert_int_equal(qiao_case("next year"), EXIT_USAGE);
	assert_int_equal(qiao_case("2026", "nowhere"), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(papers_are_shown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
