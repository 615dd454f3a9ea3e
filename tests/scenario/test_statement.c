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
static char *figures(void)
{
	char *end = strstr(said.out, "\nit adds up");

	assert_non_null(end);
	*end = '\0';
	return strdup(said.out);
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
	first = figures();
	assert_int_equal(qiao(state, "statement", "--format", "json"), EXIT_YES);
	json = strdup(strstr(said.out, "\"totals\""));

	fw_time(w, "2026-12-25T09:00:00+08:00");
	fw_result(w, pid, "paid", 1, "2026-12-25T08:00:00+08:00");
	fw_turns(w);
	assert_int_equal(qiao(state, "statement"), EXIT_YES);
	second = figures();
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
	char *first = figures();

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

int main(void)
{
	const struct CMUnitTest tests[] = {T(a_past_moment_is_printed_again), T(what_cannot_be_known_is_refused), T(days_are_cut)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
