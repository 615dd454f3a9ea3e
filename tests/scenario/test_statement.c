/* What qiao statement printed of a moment is what it prints when asked for that moment later: byte for byte, in the figures. */
#include "tests/lib/command.h"
#define stat ledger_stat /* the system's is there already, by command.h */
#include "tests/lib/flow_test.h"
#include "crypto/digest.h"
#include "ledger/internal.h"

static struct command_said said;
static char ini[700];

/* The command on the ledger and the clock of the test's world. */
static void write_ini(struct flow_world *w)
{
	char here[400];
	struct buf text;

	assert_non_null(getcwd(here, sizeof here));
	snprintf(ini, sizeof ini, "%s/qiao.ini", w->dir);
	buf_init(&text, 1 << 16);
	buf_printf(&text,
		   "[data]\ndir = %s\n[clock]\nfile = %s\n[reference]\npolicy = %s/config/policy\ncalendar = %s/config/calendar.csv\n"
		   "villages = %s/config/villages.csv\n",
		   w->dir, w->clock_file, here, here, here);
	write_text(ini, buf_text(&text));
	buf_fini(&text);
}

#define qiao(state, ...) command_run(&said, &((struct flow_test *)*(state))->dir, "qiao", "-c", ini, __VA_ARGS__, NULL)

/* The figures of a statement: what stands above the proofs. */
static const char *figures(void)
{
	char *end = strstr(said.out, "\nit adds up");

	assert_non_null(end);
	*end = '\0';
	return said.out;
}

static void a_past_moment_is_printed_again(void **state)
{
	struct flow_world *w = WORLD(state);
	char *first, *second, *json, sequence[24];
	long long number;
	struct id pid;

	write_ini(w);
	one_payment(w, true, &pid);
	assert_int_equal(qiao(state, "statement"), EXIT_YES);
	assert_int_equal(sscanf(said.out, "intraday, as of ledger sequence %lld (2026-12-24 09:00:00)", &number), 1);
	snprintf(sequence, sizeof sequence, "%lld", number);
	first = strdup(figures());
	assert_int_equal(qiao(state, "statement", "--format", "json"), EXIT_YES);
	json = strdup(strstr(said.out, "\"totals\""));

	fw_time(w, "2026-12-25T09:00:00+08:00");
	fw_result(w, pid, "paid", 1, "2026-12-25T08:00:00+08:00");
	fw_turns(w);
	assert_int_equal(qiao(state, "statement"), EXIT_YES);
	second = strdup(figures());
	assert_string_not_equal(second, first);

	static const char *const times[] = {"2026-12-24", "2026-12-24T09:01", "2026-12-25T08:59:59", "2026-12-25 08:00"};
	for (size_t i = 0; i < COUNT(times); i++) {
		assert_int_equal(qiao(state, "statement", "--as-of", times[i]), EXIT_YES);
		assert_string_equal(figures(), first);
	}
	assert_int_equal(qiao(state, "statement", "--as-of", sequence), EXIT_YES);
	assert_string_equal(figures(), first);
	assert_int_equal(qiao(state, "statement", "--format", "json", "--as-of", sequence), EXIT_YES);
	assert_string_equal(strstr(said.out, "\"totals\""), json);

	fw_time(w, "2026-12-25T09:10:00+08:00");
	assert_int_equal(qiao(state, "statement", "--as-of", "2026-12-25T09:05"), EXIT_YES);
	assert_string_equal(figures(), second);
	assert_int_equal(qiao(state, "statement", "--as-of", "2026-12-23"), EXIT_YES);
	assert_non_null(strstr(said.out, "intraday, as of ledger sequence 0: "));
	free(json);
	free(first);
	free(second);
}

static void what_cannot_be_known_is_refused(void **state)
{
	static const char *const wrong[] = {"2026-12-24", "2027-01-01", "2026-12-24T09:30", "1000000", "-1", "2026-13-01", "yesterday", ""};
	struct flow_world *w = WORLD(state);
	struct id pid;

	write_ini(w);
	one_payment(w, false, &pid);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(qiao(state, "statement", "--as-of", wrong[i]), EXIT_USAGE);
		assert_non_null(strstr(said.err, "--as-of"));
		assert_string_equal(said.out, "");
	}
}

static void days_are_cut(void **state)
{
	struct flow_world *w = WORLD(state);
	struct id pid;
	char *form, number[4], path[400], sum[300];

	write_ini(w);
	one_payment(w, true, &pid);
	assert_int_equal(qiao(state, "cut"), EXIT_YES);
	assert_string_equal(said.out, "no day was cut yet\n");
	assert_int_equal(qiao(state, "statement"), EXIT_YES);
	char *first = strdup(figures());

	/* Two days without a gateway: both are cut when it comes, before what waits for it. */
	fw_stop(w);
	fw_result(w, pid, "paid", 1, "2026-12-25T08:00:00+08:00");
	fw_time(w, "2026-12-26T00:00:01+08:00");
	start(w);
	fw_turns(w);
	restart(w);
	fw_turns(w);
	assert_int_equal(qiao(state, "cut", "--format", "json"), EXIT_YES);
	assert_non_null(strstr(said.out, "\"day\": \"2026-12-24\""));
	assert_non_null(strstr(said.out, "\"day\": \"2026-12-25\""));
	assert_null(strstr(said.out, "\"number\": 3"));
	assert_int_equal(qiao(state, "cut", "check"), EXIT_YES);
	assert_non_null(strstr(said.out, "2 cuts"));
	assert_int_equal(qiao(state, "cut", "show", "3"), EXIT_USAGE);

	assert_int_equal(qiao(state, "statement", "--cut", "1"), EXIT_YES);
	assert_non_null(strstr(said.out, "day cut 1 of 2026-12-24, as of ledger sequence"));
	assert_string_equal(strchr(figures(), '\n'), strchr(first, '\n'));
	assert_int_equal(qiao(state, "statement", "--cut", "7"), EXIT_USAGE);
	free(first);

	/* The form is what its digest says, and names the digest before. */
	for (int i = 1; i <= 2; i++) {
		uint8_t digest[SHA256_LEN];
		snprintf(number, sizeof number, "%d", i);
		assert_int_equal(qiao(state, "cut", "show", number), EXIT_YES);
		form = strdup(said.out);
		if (i == 2)
			assert_memory_equal(strchr(form, '\n') - 64, sum, 64);
		sha256(form, strlen(form), digest);
		hex_put(sum, digest, SHA256_LEN);
		assert_int_equal(qiao(state, "cut"), EXIT_YES);
		assert_non_null(strstr(said.out, sum));
		if (i == 1)
			assert_non_null(strstr(form, "\n2026|330603001008|collective|in_flight|1|50000\n"));
		free(form);
	}

	/* Whoever changes a past figure is found out. */
	fw_stop(w);
	struct store *st;
	struct err e = {0};
	snprintf(path, sizeof path, "%s", w->ledger_path);
	struct store_options o = {0};
	if (store_open(&st, path, &ledger_kind, &o, &e) != 0 ||
	    store_exec(st, "UPDATE stat_log SET cells = x'0200' WHERE seq = (SELECT seq FROM cut WHERE no = 1)", &e) != 0)
		fail_msg("%s", e.text);
	store_close(st);
	assert_int_equal(qiao(state, "cut", "check"), EXIT_NO);
	assert_non_null(strstr(said.err, "cut 1 (2026-12-24): its digest differs"));
	assert_int_equal(qiao(state, "cut", "show", "1"), EXIT_NO);
	start(w);
}

/* Rows of two villages and sponsors that come to all kinds of ends. */
static void many_ends(struct flow_world *w)
{
	struct id sub = fw_roster(w, "v2", "other", FW_VILLAGE_2,
				  (struct fw_row[]){{5, 20000, NULL}, {6, 30000, "name_missing"}, {0, -1, "id_check_digit"}, {7, 70000055, NULL}}, 4,
				  true);
	fw_cover(w, sub, FW_VILLAGE_2, SPONSOR_CHARITY, "S2", FW_NOW);
	filed_by(w, "more", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{2, 20000, NULL}, {3, 30000, NULL}, {4, 50000, NULL}}, 3);
	for (int person = 2; person <= 5; person++)
		fw_status(w, person, true, FW_NOW);
	fw_turns(w);
	fw_result(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 2, 0), "in_treasury", 1, "2026-12-24T09:10:00+08:00");
	fw_result(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 3, 0), "failed", 1, "2026-12-24T09:10:00+08:00");
	fw_result(w, fw_payment(SPONSOR_CHARITY, "S2", 5, 0), "in_treasury", 1, "2027-01-03T09:10:00+08:00");
	fw_turns(w);
	fw_result_seq(w, fw_payment(SPONSOR_CHARITY, "S2", 5, 0), "refunded", 100, 20000);
	fw_turns(w);
}

static void tables_say_what_json_says(void **state)
{
	static const char *const levels[] = {"village", "town", "district"};
	struct flow_world *w = WORLD(state);
	char json[400], xlsx[400], csv[3][400], arg[3][1300], python[500], script[500], here[400], command[600];
	const char *own = getenv("QIAO_PYTHON");
	struct id pid;

	write_ini(w);
	one_payment(w, true, &pid);
	many_ends(w);
	assert_int_equal(qiao(state, "--lang", "en", "statement", "--format", "json"), EXIT_YES);
	assert_non_null(strstr(said.out, "\"levels_agree\": true"));
	snprintf(json, sizeof json, "%s/s.json", w->dir);
	write_text(json, said.out);
	snprintf(xlsx, sizeof xlsx, "%s/s.xlsx", w->dir);
	assert_int_equal(qiao(state, "--lang", "en", "statement", "--format", "xlsx", "--output", xlsx), EXIT_YES);
	for (int i = 0; i < 3; i++) {
		snprintf(csv[i], sizeof csv[i], "%s/%s.csv", w->dir, levels[i]);
		assert_int_equal(qiao(state, "--lang", "en", "statement", "--format", "csv", "--by", levels[i], "--output", csv[i]), EXIT_YES);
		snprintf(arg[i], sizeof arg[i], "%s=%s", levels[i], csv[i]);
		assert_int_equal(qiao(state, "statement", "--by", levels[i]), EXIT_YES);
	}
	assert_non_null(getcwd(here, sizeof here));
	snprintf(python, sizeof python, "%s/build/venv/bin/python", here);
	snprintf(script, sizeof script, "%s/tests/scenario/check_statement.py", here);
	const char *used = own && own[0] ? own : python;
	snprintf(command, sizeof command, "%s", used);
	char *argv[] = {command, script, json, xlsx, arg[0], arg[1], arg[2], NULL};
	char out[400], err[400], text[4000];
	snprintf(out, sizeof out, "%s/check.out", w->dir);
	snprintf(err, sizeof err, "%s/check.err", w->dir);
	int status;
	pid_t pid_of = command_start(argv, out, err);
	assert_int_equal(waitpid(pid_of, &status, 0), pid_of);
	if (status != 0)
		fail_msg("%s%s", text_of(out, text, sizeof text / 2), text_of(err, text + sizeof text / 2, sizeof text / 2));

	/* Only where there are tables, and only with a place for them. */
	assert_int_equal(qiao(state, "statement", "--format", "xlsx"), EXIT_USAGE);
	assert_int_equal(qiao(state, "statement", "--output", xlsx), EXIT_USAGE);
	assert_int_equal(qiao(state, "statement", "--by", "street"), EXIT_USAGE);
	assert_int_equal(qiao(state, "status", "--format", "csv"), EXIT_USAGE);
	assert_int_equal(qiao(state, "statement", "--format", "xlsx", "--output", "/nowhere/s.xlsx"), EXIT_LATER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(a_past_moment_is_printed_again), T(what_cannot_be_known_is_refused), T(days_are_cut), T(tables_say_what_json_says)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
