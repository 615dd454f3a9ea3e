/* When an answer file is written: soon for the clerk, seldom for the machine. */
/* LINK: adapters/village/submissions.o */
#include "adapters/village/submissions.h"
#include "tests/lib/unit.h"

enum { INTERVAL = 2000 };

/* Answers come every step ms until end; gives how often the file was written, and when last. */
static int live(struct submission *s, int64_t from, int64_t end, int64_t step, int64_t took,
		int64_t *last)
{
	int writings = 0;

	for (int64_t now = from; now < end + 100 * INTERVAL; now++) {
		if (now < end && (now - from) % step == 0)
			submission_touch(s, now, INTERVAL);
		if (s->answer_due == 0 || s->answer_due > now)
			continue;
		s->answer_due = 0;
		submission_wrote(s, now - took, now, INTERVAL);
		*last = now;
		writings++;
	}
	return writings;
}

static void the_first_is_written_at_once(void **state)
{
	struct submission s = {.answer_due = 0};

	(void)state;
	submission_touch(&s, 5000, INTERVAL);
	assert_int_equal(s.answer_due, 5000);
}

static void a_single_one_is_written_when_they_rest(void **state)
{
	struct submission s = {.answer_due = 0};
	int64_t last;

	(void)state;
	submission_touch(&s, 1000, INTERVAL);
	s.answer_due = 0;
	submission_wrote(&s, 1000, 1000, INTERVAL);
	assert_int_equal(live(&s, 60000, 60001, 1, 0, &last), 1);
	assert_int_equal(last, 60000 + INTERVAL);
}

static void a_stream_is_written_ever_more_seldom(void **state)
{
	struct submission s = {.answer_due = 0};
	int64_t last;

	(void)state;
	/* At once, after 2, 4, 8, 16 intervals and then 16 each. */
	assert_in_range(live(&s, 1, 1 + 63 * INTERVAL, 10, 0, &last), 6, 8);
	assert_in_range(last, 63 * INTERVAL, (63 + 16) * INTERVAL);
	/* After a rest it begins anew. */
	assert_in_range(live(&s, 1000 * INTERVAL, 1001 * INTERVAL, 10, 0, &last), 1, 2);
	assert_true(last <= 1003 * INTERVAL);
}

/* What comes within a moment is one writing. */
static void a_burst_is_written_once(void **state)
{
	struct submission s = {.answer_written = 1};
	int64_t last;

	(void)state;
	assert_int_equal(live(&s, 60000, 60000 + INTERVAL / 2, 3, 0, &last), 1);
	assert_in_range(last, 60000 + INTERVAL, 60000 + 2 * INTERVAL);
}

static void a_long_one_takes_a_tenth_of_the_time(void **state)
{
	struct submission s = {.answer_due = 0};
	int64_t last;

	(void)state;
	assert_in_range(live(&s, 10000, 10000 + 60000, 50, 1000, &last), 2, 6);
	assert_true(last <= 10000 + 60000 + 16 * 10000);
}

static void a_failed_one_waits_for_its_own_pause(void **state)
{
	struct submission s = {.answer_due = 9000, .answer_retry = 4000, .answer_written = 1};

	(void)state;
	submission_touch(&s, 6000, INTERVAL);
	assert_int_equal(s.answer_due, 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_written_at_once),
		cmocka_unit_test(a_single_one_is_written_when_they_rest),
		cmocka_unit_test(a_stream_is_written_ever_more_seldom),
		cmocka_unit_test(a_burst_is_written_once),
		cmocka_unit_test(a_long_one_takes_a_tenth_of_the_time),
		cmocka_unit_test(a_failed_one_waits_for_its_own_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
