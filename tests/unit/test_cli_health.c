/* LINK: gateway/cli/health.o gateway/cli/common.o */
#include "base/clock.h"
#include "base/date.h"
#include "cli/health.h"
#include "tests/lib/unit.h"
#include <string.h>

int cli_usage(const struct cli *c, const char *command, const char *code)
{
	(void)c;
	(void)command;
	(void)code;
	return EXIT_USAGE;
}

static void reads_a_status_file(void **state)
{
	static const char text[] =
		"pid 4711\nstate running\nsince_ms 1000\nat_ms 2000\nnote all is well, is it\n"
		"peer open 1500\nunheard of\nalone\n\ncounters a=1 b=-2\nlast line without an end";
	struct role_status s;

	(void)state;
	role_status_parse(&s, STR(""));
	assert_true(s.there);
	assert_int_equal(s.pid, 0);
	role_status_parse(&s, str_of(text));
	assert_int_equal(s.pid, 4711);
	assert_string_equal(s.state, "running");
	assert_int_equal(s.since_ms, 1000);
	assert_int_equal(s.at_ms, 2000);
	assert_string_equal(s.note, "all is well, is it");
	assert_string_equal(s.peer, "open 1500");
	assert_string_equal(s.counters, "a=1 b=-2");
	role_status_parse(&s, STR("pid -1\nstate a-word-that-is-much-too-long\nsince_ms x\n"));
	assert_int_equal(s.pid, 0);
	assert_string_equal(s.state, "");
	assert_int_equal(s.since_ms, 0);
}

static void reads_what_the_supervisor_holds(void **state)
{
	static const char text[] =
		"pid 1\nprogram qiao-tax held 0 1 0 exit 4\nprogram qiao-ssa running 7 1 0 -\n"
		"program qiao-tax-held held 0 1 0 exit 2";

	(void)state;
	assert_true(supervised_held(str_of(text), "qiao-tax"));
	assert_true(supervised_held(str_of(text), "qiao-tax-held"));
	assert_false(supervised_held(str_of(text), "qiao-ssa"));
	assert_false(supervised_held(str_of(text), "qiao-ta"));
	assert_false(supervised_held(str_of(text), ""));
	assert_false(supervised_held((struct str){NULL, 0}, "qiao-tax"));
}

static void reads_the_state_of_a_peer(void **state)
{
	static const struct {
		const char *peer, *word;
		int64_t since;
	} table[] = {{"up", "up", 0},
		     {"slow", "slow", 0},
		     {"open 1500", "open", 1500},
		     {"open since 1500", "open", 1500},
		     {"open x", "open", 0},
		     {"", "", 0},
		     {"a-word-that-is-too-long 5", "unknown", 5}};
	char word[16];
	int64_t since;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_string_equal(peer_word(word, table[i].peer, &since), table[i].word);
		assert_int_equal(since, table[i].since);
	}
}

static struct program_health *program(struct health *h, const char *name, bool alive,
				      const char *state)
{
	struct program_health *p = &h->programs[h->program_count++];

	snprintf(p->name, sizeof p->name, "qiao-%s", name);
	p->role = p->name + 5;
	p->alive = alive;
	p->state = state;
	p->status.at_ms = clock_wall();
	return p;
}

static void healthy(struct health *h)
{
	*h = (struct health){.initialised = true,
			     .disk_free = INT64_C(1) << 40,
			     .disk_total = INT64_C(1) << 41,
			     .year = 2026,
			     .now_ms = time_of_date(date_of(2026, 12, 1)),
			     .last_filing_day = date_of(2026, 12, 31)};
	program(h, "gateway", true, "running");
	program(h, "tax", true, "running");
	h->lags[h->lag_count++] = (struct bus_lag){"payments", "tax", 10, 8, h->now_ms - 60000};
	h->lags[h->lag_count++] = (struct bus_lag){"answers", "village", 10, 8, h->now_ms - DAY_MS};
}

static void assert_todo(struct health *h, const char *code, const char *first, const char *second)
{
	health_judge(h);
	if (code == NULL) {
		assert_int_equal(h->todo_count, 0);
		return;
	}
	assert_int_equal(h->todo_count, 1);
	assert_string_equal(h->todos[0].code, code);
	assert_string_equal(h->todos[0].args[0], first);
	assert_string_equal(h->todos[0].args[1], second);
	/* Each has its text in both languages. */
	assert_non_null(text_get(code, LANG_ZH));
	assert_non_null(text_get(code, LANG_EN));
}

static void says_what_a_person_must_do(void **state)
{
	static struct health h;

	(void)state;
	healthy(&h);
	assert_todo(&h, NULL, "", "");
	h.initialised = false;
	assert_todo(&h, "todo_init", "", "");

	healthy(&h);
	h.programs[0].alive = false;
	h.programs[0].state = "stopped";
	assert_todo(&h, "todo_start", "qiao-gateway", "");
	h.programs[0].state = "failed";
	snprintf(h.programs[0].status.note, sizeof h.programs[0].status.note, "no keys");
	assert_todo(&h, "todo_failed", "qiao-gateway", "no keys");
	h.programs[0].state = "held";
	assert_todo(&h, "todo_held", "qiao-gateway", "no keys");

	healthy(&h);
	h.programs[1].status.at_ms -= 121000;
	assert_todo(&h, "todo_silent", "qiao-tax", "");

	healthy(&h);
	snprintf(h.programs[1].status.peer, sizeof h.programs[1].status.peer, "slow");
	assert_todo(&h, NULL, "", "");
	snprintf(h.programs[1].status.peer, sizeof h.programs[1].status.peer, "open %lld",
		 (long long)time_of_date(date_of(2026, 11, 30)));
	assert_todo(&h, "todo_peer", "tax", "2026-11-30T00:00:00");
	h.programs[1].alive = false;
	h.programs[1].state = "stopped";
	assert_todo(&h, "todo_start", "qiao-tax", "");
}

static void looks_at_bus_disk_and_year(void **state)
{
	static struct health h;

	(void)state;
	healthy(&h);
	h.lags[0].oldest_unread_ms = h.now_ms - 15 * 60000 - 1;
	assert_todo(&h, "todo_lag", "tax", "payments");

	healthy(&h);
	h.rejects = 3;
	assert_todo(&h, "todo_rejects", "3", "");

	healthy(&h);
	h.disk_free = INT64_C(5) << 20;
	assert_todo(&h, "todo_disk", "5", "");

	healthy(&h);
	snprintf(h.lag_error, sizeof h.lag_error, "gone");
	assert_todo(&h, "todo_bus", "gone", "");

	healthy(&h);
	h.last_filing_day = DATE_NONE;
	assert_todo(&h, "todo_policy", "2026", "");
	h.now_ms = time_of_date(date_of(2026, 9, 30)); /* not missed yet */
	h.lag_count = 0;
	assert_todo(&h, NULL, "", "");
}

/* Either of the two may be the one at work. */
static void knows_a_stand_by(void **state)
{
	static const struct {
		const char *first, *second; /* states; "killed": not alive */
		bool lag;		    /* unread events are told of */
		const char *start;	    /* who must be started */
	} table[] = {
		{"running", "standby", true, NULL},
		{"standby", "running", true, NULL},
		{"killed", "running", true, "qiao-gateway"},
		{"running", "killed", true, "qiao-gateway-standby"},
		{"killed", "standby", false, "qiao-gateway"}, /* about to take over */
		{"killed", "killed", false, "qiao-gateway"},
		{"standby", "standby", true, NULL},
	};
	static struct health h;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct todo *t = h.todos;

		healthy(&h);
		h.programs[0].state = table[i].first;
		h.programs[0].alive = strcmp(table[i].first, "killed") != 0;
		program(&h, "gateway-standby", strcmp(table[i].second, "killed") != 0, table[i].second);
		h.lags[h.lag_count++] = (struct bus_lag){"submissions", "gateway", 10, 8, h.now_ms - DAY_MS};
		health_judge(&h);
		if (table[i].start) {
			assert_string_equal(t->code, "todo_start");
			assert_string_equal(t++->args[0], table[i].start);
		}
		if (t < h.todos + h.todo_count && strcmp(t->code, "todo_start") == 0)
			assert_string_equal(t++->args[0], "qiao-gateway-standby");
		assert_int_equal(h.todos + h.todo_count - t, table[i].lag);
		if (table[i].lag)
			assert_string_equal(t->code, "todo_lag");
	}
	healthy(&h);
	program(&h, "gateway-standby", true, "standby");
	assert_todo(&h, NULL, "", "");
	h.programs[2].status.at_ms -= 121000;
	assert_todo(&h, "todo_silent", "qiao-gateway-standby", "");
	/* Another name that only begins alike. */
	healthy(&h);
	h.programs[0].alive = false;
	h.programs[0].state = "stopped";
	program(&h, "gateways", true, "running");
	h.lags[h.lag_count++] = (struct bus_lag){"submissions", "gateway", 10, 8, h.now_ms - DAY_MS};
	assert_todo(&h, "todo_start", "qiao-gateway", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_status_file),
		cmocka_unit_test(reads_what_the_supervisor_holds),
		cmocka_unit_test(reads_the_state_of_a_peer),
		cmocka_unit_test(says_what_a_person_must_do),
		cmocka_unit_test(looks_at_bus_disk_and_year),
		cmocka_unit_test(knows_a_stand_by),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
