/* Past moments of a ledger that is older than their log, and days that nobody was there to cut. */
#include "ledger/cuts.h"
#include "ledger/internal.h"
#include "tests/lib/flow_test.h"
#include "tests/lib/printed.h"

/* Each name that follows `after` in a step of the format, put into an SQL: %.*s. */
static void undo(struct store *st, const char *step, const char *after, const char *sql_of)
{
	struct err e = {0};
	char sql[200];
	for (const char *at = step; (at = strstr(at, after)); at++) {
		const char *name = at + strlen(after);
		const char *column = strstr(name, " ADD COLUMN ");
		if (strstr(sql_of, "COLUMN"))
			snprintf(sql, sizeof sql, "ALTER TABLE %.*s DROP COLUMN %.*s", (int)strcspn(name, " "), name,
				 (int)strcspn(column + 12, " ;"), column + 12);
		else
			snprintf(sql, sizeof sql, "%s %.*s", sql_of, (int)strcspn(name, "( "), name);
		if (store_exec(st, sql, &e) != 0)
			fail_msg("%s", e.text);
	}
}

/* Takes back what a step brings: indexes, tables, columns. */
static void undo_step(struct store *st, const char *step)
{
	undo(st, step, "CREATE INDEX ", "DROP INDEX");
	undo(st, step, "CREATE UNIQUE INDEX ", "DROP INDEX");
	undo(st, step, "CREATE TABLE ", "DROP TABLE");
	undo(st, step, "ALTER TABLE ", "DROP COLUMN");
}

/* As a ledger of the version before is: without what its last step brought. */
static void make_older(struct flow_world *w)
{
	struct store_options o = {0};
	struct store *st;
	struct err e = {0};
	char sql[400];
	int before = ledger_kind.step_count - 1;
	fw_stop(w);
	assert_int_equal(store_open(&st, w->ledger_path, &ledger_kind, &o, &e), 0);
	undo_step(st, ledger_kind.steps[before]);
	snprintf(sql, sizeof sql,
		 "DELETE FROM meta WHERE key IN ('stat_base', 'cut_from'); DELETE FROM history WHERE note LIKE 'typed %%';"
		 "PRAGMA user_version = %d",
		 before);
	if (store_exec(st, sql, &e) != 0)
		fail_msg("%s", e.text);
	store_close(st);
}

static void an_older_ledger_begins_with_what_it_has(void **state)
{
	static struct printed first, second;
	struct flow_world *w = WORLD(state);
	struct ledger_view *v;
	struct moment m;
	struct err e = {0};
	struct id pid;
	one_payment(w, true, &pid);
	filed_by(w, "form", SPONSOR_CHARITY, "S2", (struct fw_row[]){{2, 20000, "name_missing"}, {3, 30000, NULL}}, 2);
	make_older(w);
	start(w);
	print_now(w, &first);
	assert_true(first.when.seq > 0);
	printed_again(w, &first, NULL);

	fw_time(w, "2026-12-25T09:00:00+08:00");
	fw_result(w, pid, "paid", 1, "2026-12-25T08:00:00+08:00");
	fw_turns(w);
	filed_by(w, "later", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{4, 20000, NULL}}, 1);
	print_now(w, &second);
	assert_true(second.when.seq > first.when.seq);
	printed_again(w, &first, &second);
	printed_again(w, &second, NULL);

	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_moment_of(v, first.when.seq - 1, &m, &e), MOMENT_LOST);
	assert_int_equal(view_moment_at(v, first.when.at - 1, &m, &e), MOMENT_LOST);
	assert_int_equal(view_moment_at(v, at("2026-12-25T08:00:00+08:00"), &m, &e), MOMENT_KNOWN);
	assert_int_equal(m.seq, first.when.seq);
	view_close(v);
}

struct seen_cuts {
	int count, first, last;
	int64_t seq;
};

static int see(void *arg, const struct cut *c)
{
	struct seen_cuts *s = arg;
	assert_int_equal(c->no, ++s->count);
	s->first = s->count == 1 ? c->day : s->first;
	assert_int_equal(c->day, s->first + s->count - 1);
	assert_true(s->count == 1 || c->seq == s->seq);
	s->seq = c->seq;
	s->last = c->day;
	return 0;
}

static void all_missed_days_are_cut_before_anything_is_read(void **state)
{
	struct flow_world *w = WORLD(state);
	struct seen_cuts s = {0};
	struct ledger_view *v;
	struct err e = {0};
	struct moment now;
	struct id pid;
	int day;
	one_payment(w, true, &pid);
	fw_stop(w);
	fw_result(w, pid, "paid", 1, "2026-12-25T08:00:00+08:00");
	fw_time(w, "2027-04-01T00:00:01+08:00");
	start(w);
	fw_turns(w);
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_cuts(v, see, &s, &e), 0);
	assert_int_equal(date_parse(STR("2026-12-24"), &day), 0);
	assert_int_equal(s.first, day);
	assert_int_equal(date_parse(STR("2027-03-31"), &day), 0);
	assert_int_equal(s.last, day);
	assert_int_equal(view_now(v, &now, &e), 0);
	assert_true(now.seq > s.seq); /* what came after the first missed day is in none of them */
	view_close(v);

	/* A clock that goes back cuts nothing again. */
	fw_time(w, "2027-03-30T12:00:00+08:00");
	restart(w);
	fw_turns(w);
	fw_time(w, "2027-04-01T12:00:00+08:00");
	fw_turns(w);
	struct seen_cuts again = {0};
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_cuts(v, see, &again, &e), 0);
	assert_int_equal(again.count, s.count);
	view_close(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(an_older_ledger_begins_with_what_it_has), T(all_missed_days_are_cut_before_anything_is_read)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
