#include "base/secret.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tmpdir dir;

static const char *file_of(char path[320], const char *bytes, size_t n, mode_t mode)
{
	struct err e = {0};

	tmpdir_file(&dir, path, "secret");
	if (fs_write_atomic(path, bytes, n, 0600, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void refused(const char *path, bool checked_too, const char *part)
{
	char out[SECRET_MAX], wanted[400];
	struct err e = {0};

	assert_int_equal(secret_read(path, "[x] password_file", out, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	snprintf(wanted, sizeof wanted, "[x] password_file %s: %s", path, part);
	assert_non_null(strstr(e.text, wanted));
	assert_null(strstr(e.text, "geheim"));
	assert_string_equal(out, "");
	e = (struct err){0};
	assert_int_equal(secret_check(path, "[x] key", &e), checked_too ? -1 : 0);
	assert_true(!checked_too || strstr(e.text, "[x] key ") == e.text);
}

static void gives_the_one_line(void **state)
{
	static const struct {
		const char *text, *secret;
	} good[] = {{"geheim", "geheim"},
		    {"geheim\n", "geheim"},
		    {"geheim\r\n", "geheim"},
		    {" with blanks \n", " with blanks "}};
	char path[320], other[320], out[SECRET_MAX], longest[SECRET_MAX];
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		file_of(path, good[i].text, strlen(good[i].text), i ? 0600 : 0400);
		assert_int_equal(secret_read(path, "[x] password_file", out, &e), 0);
		assert_string_equal(out, good[i].secret);
		assert_int_equal(secret_check(path, "[x] key", &e), 0);
	}
	memset(longest, 'x', sizeof longest);
	file_of(path, longest, sizeof longest - 1, 0600);
	assert_int_equal(secret_read(path, "[x] password_file", out, &e), 0);
	assert_int_equal(strlen(out), SECRET_MAX - 1);
	assert_int_equal(symlink(path, tmpdir_file(&dir, other, "link")), 0);
	assert_int_equal(secret_read(other, "[x] password_file", out, &e), 0);
	assert_int_equal(unlink(other), 0);
}

static void refuses_what_is_no_line(void **state)
{
	char path[320], longer[SECRET_MAX];

	(void)state;
	refused(file_of(path, "", 0, 0600), false, "must hold one line");
	refused(file_of(path, "\n", 1, 0600), false, "must hold one line");
	refused(file_of(path, "geheim\nmore\n", 12, 0600), false, "must hold one line");
	refused(file_of(path, "geheim\0more", 11, 0600), false, "must hold one line");
	memset(longer, 'x', sizeof longer);
	refused(file_of(path, longer, sizeof longer, 0600), false, "must hold one line");
}

static void refuses_what_others_can_read(void **state)
{
	static const mode_t open_modes[] = {0640, 0604, 0660, 0610, 0601};
	char path[320];

	(void)state;
	for (size_t i = 0; i < COUNT(open_modes); i++)
		refused(file_of(path, "geheim\n", 7, open_modes[i]), true, "must be a file of this user with mode 0600");
	assert_int_equal(unlink(path), 0);
	refused(path, true, "");
	assert_int_equal(mkdir(path, 0700), 0);
	refused(path, true, "must be a file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(path, true, "must be a file");
	assert_int_equal(unlink(path), 0);
	/* Only root can give a file to another user; who is not finds those of root. */
	if (geteuid() == 0) {
		file_of(path, "geheim\n", 7, 0600);
		assert_int_equal(chown(path, 65534, 65534), 0);
		refused(path, true, "must be a file of this user");
	}
}

static int start(void **state)
{
	(void)state;
	tmpdir_make(&dir);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	tmpdir_remove(&dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_one_line),
		cmocka_unit_test(refuses_what_is_no_line),
		cmocka_unit_test(refuses_what_others_can_read),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
