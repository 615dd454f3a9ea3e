#include "base/log.h"
#include "base/str.h"
#include "tests/lib/unit.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct tmpdir tmp;
static char file[320], old_file[320];

static int set_up(void **state)
{
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, file, "qiao-test.log");
	tmpdir_file(&tmp, old_file, "old.log");
	return log_open("qiao-test", tmp.path, LOG_DEBUG, &e);
}

static int tear_down(void **state)
{
	(void)state;
	log_open("", "", LOG_INFO, NULL);
	tmpdir_remove(&tmp);
	return 0;
}

/* The whole log; the caller's buffer. */
static const char *content(const char *path, struct buf *b)
{
	struct err e = {0};

	buf_init(b, 1 << 20);
	if (fs_read(path, b, &e) < 0)
		fail_msg("%s", e.text);
	return buf_text(b);
}

/* What stands behind the time, "2026-12-31T09:30:00.123+08:00 ". */
static const char *behind_time(const char *line)
{
	assert_int_equal(strspn(line, "0123456789-T:.+"), 29);
	assert_memory_equal(line + 23, "+08:00 ", 7);
	return line + 30;
}

static void a_line_has_time_level_event_and_pairs(void **state)
{
	struct buf b;

	(void)state;
	log_warn("FILE-REFUSED", "submission=%s rows=%d", "ab12", 3);
	assert_string_equal(behind_time(content(file, &b)),
			    "warn FILE-REFUSED submission=ab12 rows=3\n");
	buf_fini(&b);
}

static void an_event_alone_ends_without_a_blank(void **state)
{
	struct buf b;

	(void)state;
	log_info("STOP", "%s", "");
	assert_string_equal(behind_time(content(file, &b)), "info STOP\n");
	buf_fini(&b);
}

static void levels_below_the_least_are_left_out(void **state)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	(void)state;
	for (int min = LOG_DEBUG; min <= LOG_ERROR; min++) {
		struct buf b;
		const char *text;

		unlink(file);
		assert_int_equal(log_open("qiao-test", tmp.path, (enum log_level)min, NULL), 0);
		log_debug("E", "x=1");
		log_info("E", "x=1");
		log_warn("E", "x=1");
		log_error("E", "x=1");
		text = content(file, &b);
		for (int level = LOG_DEBUG; level <= LOG_ERROR; level++)
			assert_int_equal(strstr(text, names[level]) != NULL, level >= min);
		buf_fini(&b);
	}
}

static void nothing_in_a_value_can_end_the_line_or_move_the_cursor(void **state)
{
	struct buf b;

	(void)state;
	log_info("E", "v=%s", "a\nb\tc\rd\x1b[2J\x7f 村 \xc2\x85 \xff\xe6\x9d");
	assert_string_equal(behind_time(content(file, &b)),
			    "info E v=a\\nb\\tc\\x0dd\\x1b[2J\\x7f 村 \\x85 \\xff\\xe6\\x9d\n");
	buf_fini(&b);
}

/* Whatever the shift, a long line is at most 2000 bytes, whole UTF-8, and says that it was cut. */
static void long_lines_are_cut_between_characters(void **state)
{
	char text[4000];

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		struct buf b;
		const char *line;

		unlink(file);
		assert_int_equal(log_reopen(NULL), 0);
		memset(text, 'a', shift);
		for (size_t n = shift; n + 4 < sizeof text; n += 3)
			memcpy(text + n, "村", 4);
		log_info("E", "v=%s", text);
		line = content(file, &b);
		assert_in_range(b.len, 1990, 2000);
		assert_true(utf8_valid(str_of(line)));
		assert_string_equal(line + b.len - 4, "...\n");
		buf_fini(&b);
	}
}

static void escapes_do_not_make_a_line_longer_than_its_limit(void **state)
{
	char text[1500];
	struct buf b;

	(void)state;
	memset(text, '\x01', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_info("E", "v=%s", text);
	content(file, &b);
	assert_in_range(b.len, 1990, 2000);
	buf_fini(&b);
}

static void errno_is_left_alone(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_info("E", "x=1");
	assert_int_equal(errno, ENOSPC);
}

static void reopening_goes_on_in_a_new_file(void **state)
{
	struct buf b;
	struct err e = {0};

	(void)state;
	log_info("BEFORE", "x=1");
	assert_int_equal(rename(file, old_file), 0);
	log_info("STILL", "x=1");
	assert_int_equal(log_reopen(&e), 0);
	log_info("AFTER", "x=1");
	assert_non_null(strstr(content(old_file, &b), "STILL"));
	assert_null(strstr(buf_text(&b), "AFTER"));
	buf_fini(&b);
	assert_non_null(strstr(content(file, &b), "AFTER"));
	buf_fini(&b);
}

static void opening_again_goes_on_behind_what_is_there(void **state)
{
	struct buf b;

	(void)state;
	log_info("BEFORE", "x=1");
	assert_int_equal(log_open("qiao-test", tmp.path, LOG_INFO, NULL), 0);
	log_info("AFTER", "x=1");
	assert_non_null(strstr(content(file, &b), "BEFORE"));
	assert_non_null(strstr(buf_text(&b), "AFTER"));
	buf_fini(&b);
}

static void a_log_that_cannot_be_reopened_goes_on_in_the_old_file(void **state)
{
	char path[320];
	struct buf b;
	struct err e = {0};

	(void)state;
	log_info("BEFORE", "x=1");
	assert_int_equal(rename(file, old_file), 0);
	assert_int_equal(fs_mkdirs(file, &e), 0); /* a folder stands in the way */
	assert_int_equal(log_reopen(&e), -1);
	assert_int_equal(e.class, ERR_CONF);
	log_info("AFTER", "x=1");
	assert_non_null(strstr(content(old_file, &b), "AFTER"));
	buf_fini(&b);
	assert_int_equal(log_open("qiao-test", tmpdir_file(&tmp, path, "old.log"), LOG_INFO, &e),
			 -1);
	assert_int_equal(e.class, ERR_CONF);
}

static void stderr_lines_name_the_program(void **state)
{
	char line[300];
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	assert_int_equal(log_open("qiao-tax", "", LOG_INFO, NULL), 0);
	assert_int_equal(log_reopen(NULL), 0);
	log_info("E", "x=1");
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(ends[0], line, sizeof line - 1);
	assert_true(n > 0);
	line[n] = '\0';
	assert_string_equal(behind_time(line), "info E program=qiao-tax x=1\n");
	close(ends[0]);
	close(ends[1]);
}

static void values_are_quoted_where_needed(void **state)
{
	static const struct {
		const char *text, *value;
	} table[] = {
		{"ab12", "ab12"},	  {"村", "村"},		{"", "\"\""},
		{"a b", "\"a b\""},	  {"a=b", "\"a=b\""},	{"say \"x\"", "\"say \\\"x\\\"\""},
		{"c:\\d", "\"c:\\\\d\""}, {"a\nb", "\"a\nb\""}, /* the line itself escapes it */
	};
	char out[LOG_VALUE], text[LOG_VALUE * 2];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_string_equal(log_value(out, table[i].text), table[i].value);
	for (size_t n = 1; n < sizeof text; n++) { /* every length, with the worst content */
		memset(text, n % 2 ? '"' : 'x', n - 1);
		text[n - 1] = '\0';
		log_value(out, text);
		assert_true(strlen(out) < LOG_VALUE);
	}
	assert_string_equal(out + strlen(out) - 4, "...\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_has_time_level_event_and_pairs, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_event_alone_ends_without_a_blank, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(levels_below_the_least_are_left_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			nothing_in_a_value_can_end_the_line_or_move_the_cursor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_lines_are_cut_between_characters, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(escapes_do_not_make_a_line_longer_than_its_limit,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(errno_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opening_again_goes_on_behind_what_is_there, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(reopening_goes_on_in_a_new_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_log_that_cannot_be_reopened_goes_on_in_the_old_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stderr_lines_name_the_program, set_up, tear_down),
		cmocka_unit_test(values_are_quoted_where_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
