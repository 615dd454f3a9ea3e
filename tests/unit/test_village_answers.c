/* answers.bin: the newest answer of each row and roster, whatever comes again or late. */
/* LINK: adapters/village/answers.o */
#include "adapters/village/answers.h"
#include "tests/lib/unit.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS = 2000 };

struct desk {
	struct tmpdir dir;
	char path[320];
	struct answers *a;
};

static void open_desk(struct desk *d)
{
	struct err e = {0};

	if (answers_open(&d->a, d->path, RECORDS, &e) < 0)
		fail_msg("%s", e.text);
}

static void make_desk(struct desk *d)
{
	tmpdir_make(&d->dir);
	tmpdir_file(&d->dir, d->path, "answers.bin");
	open_desk(d);
}

static void again(struct desk *d)
{
	struct err e = {0};

	assert_int_equal(answers_sync(d->a, &e), 0);
	answers_close(d->a);
	open_desk(d);
}

static void drop_desk(struct desk *d)
{
	answers_close(d->a);
	tmpdir_remove(&d->dir);
}

static int say(struct desk *d, int row, int version, const char *result, const char *code,
	       const char *detail)
{
	struct row_answer ra = {.row_no = row,
				.version = version,
				.result = str_of(result),
				.code = str_of(code),
				.detail = str_of(detail),
				.column = STR("amount"),
				.final = version > 2};
	struct err e = {0};
	int rc = answers_row(d->a, &ra, &e);

	if (rc < 0)
		assert_int_equal(e.class, ERR_PERM);
	return rc;
}

static struct row_state state_of_row(struct desk *d, int row)
{
	struct row_state st;
	struct err e = {0};

	assert_int_equal(answers_get_row(d->a, row, &st, &e), 0);
	return st;
}

static void the_highest_version_stays(void **state)
{
	struct desk d;

	(void)state;
	make_desk(&d);
	assert_int_equal(state_of_row(&d, 7).result, RESULT_NONE);
	assert_int_equal(say(&d, 7, 2, "waiting", "contribution_missing", NULL), 1);
	assert_int_equal(say(&d, 7, 1, "accepted", "staged", NULL), 0);		     /* older */
	assert_int_equal(say(&d, 7, 2, "waiting", "contribution_missing", NULL), 0); /* again */
	assert_string_equal(state_of_row(&d, 7).code, "contribution_missing");
	assert_int_equal(say(&d, 7, 3, "done", "credited", "x"), 1);
	again(&d);
	assert_int_equal(state_of_row(&d, 7).result, RESULT_DONE);
	assert_string_equal(state_of_row(&d, 7).code, "credited");
	assert_string_equal(state_of_row(&d, 7).detail, "x");
	assert_int_equal(state_of_row(&d, 7).version, 3);
	assert_true(state_of_row(&d, 7).final);
	assert_string_equal(state_of_row(&d, 7).warning, "");
	assert_int_equal(say(&d, 7, 2, "mend", "id_length", NULL), 0);
	assert_int_equal(state_of_row(&d, 6).result, RESULT_NONE);
	assert_int_equal(state_of_row(&d, 8).result, RESULT_NONE);
	drop_desk(&d);
}

/* Across pages, in no order, synced now and then. */
static void rows_keep_apart(void **state)
{
	static const char *const codes[] = {"name_missing", "id_length", "credited",
					    "cap_b_exceeded"};
	static const char *const results[] = {"mend", "mend", "done", "mend"};
	char detail[16];
	struct desk d;

	(void)state;
	make_desk(&d);
	for (int i = 0; i < RECORDS; i++) {
		int row = 1 + i * 733 % RECORDS;

		snprintf(detail, sizeof detail, "d%d", row);
		assert_int_equal(
			say(&d, row, 1 + row % 3, results[row % 4], codes[row % 4], detail), 1);
		if (i % 300 == 0)
			again(&d);
	}
	again(&d);
	for (int row = 1; row <= RECORDS; row++) {
		struct row_state st = state_of_row(&d, row);

		snprintf(detail, sizeof detail, "d%d", row);
		assert_string_equal(st.code, codes[row % 4]);
		assert_string_equal(st.detail, detail);
		assert_int_equal(st.version, 1 + row % 3);
	}
	drop_desk(&d);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct desk d;

	(void)state;
	make_desk(&d);
	assert_int_equal(say(&d, 0, 1, "done", "credited", NULL), -1);
	assert_int_equal(say(&d, -1, 1, "done", "credited", NULL), -1);
	assert_int_equal(say(&d, RECORDS + 1, 1, "done", "credited", NULL), -1);
	assert_int_equal(say(&d, 1, 1, "perhaps", "credited", NULL), -1);
	assert_int_equal(say(&d, 1, 1, "received", "credited", NULL), -1);
	assert_int_equal(say(&d, 1, 1, "done",
			     "a_code_that_is_much_longer_than_any_code_that_there_is", NULL),
			 -1);
	assert_int_equal(state_of_row(&d, 1).result, RESULT_NONE);
	drop_desk(&d);
}

static void details_are_cut_between_characters(void **state)
{
	struct desk d;
	char detail[200] = "";

	(void)state;
	make_desk(&d);
	for (int i = 0; i < 40; i++)
		memcpy(detail + 3 * i, "村", 4);
	assert_int_equal(say(&d, 1, 1, "mend", "already_filed", detail), 1);
	assert_int_equal(strlen(state_of_row(&d, 1).detail), 63);
	assert_true(utf8_valid(str_of(state_of_row(&d, 1).detail)));
	drop_desk(&d);
}

/* Room for 240 codes, far more than there are; one more is refused and spoils nothing. */
static void codes_have_their_limit(void **state)
{
	struct desk d;
	char code[32];

	(void)state;
	make_desk(&d);
	for (int i = 0; i < 240; i++) {
		snprintf(code, sizeof code, "code_%d", i);
		assert_int_equal(say(&d, 1 + i, 1, "mend", code, NULL), 1);
	}
	assert_int_equal(say(&d, 500, 1, "mend", "one_more", NULL), -1);
	assert_int_equal(say(&d, 501, 1, "mend", "code_17", NULL), 1);
	again(&d);
	assert_string_equal(state_of_row(&d, 240).code, "code_239");
	assert_int_equal(state_of_row(&d, 500).result, RESULT_NONE);
	drop_desk(&d);
}

static void rosters_are_kept(void **state)
{
	struct submission_answer sa = {.version = 4,
				       .state = STR("held"),
				       .code = STR("gate_missing"),
				       .detail = STR("posting"),
				       .rows = 12,
				       .accepted = 8,
				       .mend = 3,
				       .waiting = 1,
				       .done = 2,
				       .amount_fen = 600000,
				       .accepted_fen = 400000,
				       .done_fen = 100000,
				       .deadline = {true, 20818}};
	struct roster_state st;
	struct err e = {0};
	struct desk d;

	(void)state;
	make_desk(&d);
	answers_get_roster(d.a, &st);
	assert_false(st.known);
	assert_int_equal(answers_roster(d.a, &sa, &e), 1);
	again(&d);
	assert_int_equal(answers_roster(d.a, &sa, &e), 0);
	sa.version = 3;
	sa.state = STR("waiting");
	assert_int_equal(answers_roster(d.a, &sa, &e), 0);
	answers_get_roster(d.a, &st);
	assert_true(st.known && st.deadline.set && !st.final);
	assert_string_equal(st.state, "held");
	assert_string_equal(st.code, "gate_missing");
	assert_string_equal(st.detail, "posting");
	assert_int_equal(st.rows, 12);
	assert_int_equal(st.accepted_fen, 400000);
	assert_int_equal(st.deadline.v, 20818);
	sa.version = 5;
	sa.deadline.set = false;
	sa.final = true;
	assert_int_equal(answers_roster(d.a, &sa, &e), 1);
	answers_get_roster(d.a, &st);
	assert_true(st.final && !st.deadline.set);
	drop_desk(&d);
}

/* What was not synced may be lost; then it comes again, and is taken. */
static void a_repeat_after_a_crash_is_taken(void **state)
{
	struct desk d;

	(void)state;
	make_desk(&d);
	assert_int_equal(say(&d, 3, 1, "waiting", "staged", NULL), 1);
	answers_close(d.a); /* without a sync */
	open_desk(&d);
	assert_int_equal(say(&d, 3, 1, "waiting", "staged", NULL), 1);
	again(&d);
	assert_int_equal(state_of_row(&d, 3).result, RESULT_WAITING);
	drop_desk(&d);
}

static void strange_files_are_not_touched(void **state)
{
	struct desk d;
	struct err e = {0};
	int fd;

	(void)state;
	make_desk(&d);
	answers_close(d.a);
	fd = open(d.path, O_RDWR | O_TRUNC);
	assert_int_equal(write(fd,
			       "something else that is long enough to have a head of its own: "
			       "..................................................................."
			       "............."
			       "..................................................................."
			       "............."
			       "..................................................................."
			       "............."
			       "..................................................................."
			       ".............",
			       382),
			 382);
	close(fd);
	assert_int_equal(answers_open(&d.a, d.path, RECORDS, &e), -1);
	assert_int_equal(e.class, ERR_SAFE);
	d.a = NULL;
	drop_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_version_stays),
		cmocka_unit_test(rows_keep_apart),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(details_are_cut_between_characters),
		cmocka_unit_test(codes_have_their_limit),
		cmocka_unit_test(rosters_are_kept),
		cmocka_unit_test(a_repeat_after_a_crash_is_taken),
		cmocka_unit_test(strange_files_are_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
