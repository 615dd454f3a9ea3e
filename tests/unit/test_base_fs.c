#include "base/fs.h"
#include "tests/lib/unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tmpdir tmp;

static int set_up(void **state)
{
	(void)state;
	tmpdir_make(&tmp);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&tmp);
	return 0;
}

static int entries(const char *dir)
{
	DIR *list = opendir(dir);
	int count = -2; /* . and .. */

	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

static void put(const char *path, const char *text)
{
	struct err e = {0};

	if (fs_write_atomic(path, text, strlen(text), 0600, &e) < 0)
		fail_msg("%s", e.text);
}

static void makes_folders_at_any_depth(void **state)
{
	static const char *const names[] = {"a", "a/b/c", "a//d/", "a/b/c/../e"};
	char path[320];
	struct stat st;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		tmpdir_file(&tmp, path, names[i]);
		for (int again = 0; again < 2; again++) {
			if (fs_mkdirs(path, &e) < 0)
				fail_msg("%s", e.text);
		}
		assert_int_equal(stat(path, &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 0777, 0700);
	}
	assert_int_equal(fs_mkdirs("/", &e), 0);
}

static void does_not_make_folders_out_of_files(void **state)
{
	char path[320];
	struct err e = {0};

	(void)state;
	put(tmpdir_file(&tmp, path, "file"), "x");
	assert_int_equal(fs_mkdirs(path, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(e.sys, ENOTDIR);
	assert_int_equal(fs_mkdirs(tmpdir_file(&tmp, path, "file/below"), &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(fs_mkdirs("", &e), -1);
}

static void reads_whole_files_behind_what_is_there(void **state)
{
	char path[320];
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	put(tmpdir_file(&tmp, path, "seven"), "1234567");
	buf_put_str(&b, "abc");
	assert_int_equal(fs_read(path, &b, &e), 0); /* to the last byte of its maximum */
	assert_string_equal(buf_text(&b), "abc1234567");
	buf_reset(&b);
	put(tmpdir_file(&tmp, path, "empty"), "");
	assert_int_equal(fs_read(path, &b, &e), 0);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void reads_files_of_many_pieces(void **state)
{
	enum { SIZE = 300001 };
	char path[320], *bytes = malloc(SIZE);
	struct err e = {0};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 31 >> 3);
	buf_init(&b, 1 << 20);
	assert_int_equal(fs_write_durable(tmpdir_file(&tmp, path, "large"), bytes, SIZE, 0600, &e),
			 0);
	assert_int_equal(fs_read(path, &b, &e), 0);
	assert_int_equal(b.len, SIZE);
	assert_memory_equal(b.data, bytes, SIZE);
	buf_fini(&b);
	free(bytes);
}

static void refuses_files_over_the_limit(void **state)
{
	char path[320];
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 6);
	put(tmpdir_file(&tmp, path, "seven"), "1234567");
	assert_int_equal(fs_read(path, &b, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(b.len, 0);
	buf_put_str(&b, "abcdef");
	assert_int_equal(fs_read(path, &b, &e), -1);
	assert_string_equal(buf_text(&b), "abcdef");
	buf_fini(&b);
}

static void refuses_to_read_what_is_not_a_file(void **state)
{
	char path[320];
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(fs_read(tmp.path, &b, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(mkfifo(tmpdir_file(&tmp, path, "pipe"), 0600), 0);
	assert_int_equal(fs_read(path, &b, &e), -1); /* and does not wait for a writer */
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(fs_read(tmpdir_file(&tmp, path, "nothing"), &b, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(e.sys, ENOENT);
	buf_fini(&b);
}

static void writes_and_replaces_whole_files(void **state)
{
	static int (*const writers[])(const char *, const void *, size_t, unsigned,
				      struct err *) = {fs_write_durable, fs_write_atomic};
	char path[320];
	struct stat st;
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	tmpdir_file(&tmp, path, "status");
	for (size_t i = 0; i < COUNT(writers); i++) {
		assert_int_equal(writers[i](path, "long content", 12, 0600, &e), 0);
		assert_int_equal(writers[i](path, "short", 5, 0640, &e), 0);
		buf_reset(&b);
		assert_int_equal(fs_read(path, &b, &e), 0);
		assert_string_equal(buf_text(&b), "short");
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0640);
		assert_int_equal(entries(tmp.path), 1);
	}
	assert_int_equal(fs_write_durable(path, NULL, 0, 0600, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	buf_fini(&b);
}

static void writes_files_with_the_longest_name(void **state)
{
	char path[600], name[256];
	struct err e = {0};

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(fs_join(path, sizeof path, tmp.path, name), 0);
	if (fs_write_durable(path, "x", 1, 0600, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(fs_exists(path));
}

static void a_name_alone_is_in_the_current_folder(void **state)
{
	char path[320], before[512];
	struct err e = {0};

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(tmp.path), 0);
	assert_int_equal(fs_write_durable("file", "x", 1, 0600, &e), 0);
	assert_int_equal(fs_mkdirs("dir/below", &e), 0);
	assert_int_equal(chdir(before), 0);
	assert_true(fs_exists(tmpdir_file(&tmp, path, "file")));
	assert_true(fs_exists(tmpdir_file(&tmp, path, "dir/below")));
	assert_int_equal(entries(tmp.path), 2);
}

static void says_conf_where_it_cannot_write_at_all(void **state)
{
	char path[320];
	struct err e = {0};

	(void)state;
	assert_int_equal(fs_write_durable(tmpdir_file(&tmp, path, "no/file"), "x", 1, 0600, &e),
			 -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(e.sys, ENOENT);
	/* A folder stands where the file should. */
	assert_int_equal(fs_mkdirs(tmpdir_file(&tmp, path, "dir"), &e), 0);
	assert_int_equal(fs_write_atomic(path, "x", 1, 0600, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(entries(tmp.path), 1);
}

static void removes_trees_but_follows_no_link(void **state)
{
	char path[320], kept[320], link[320];
	struct err e = {0};

	(void)state;
	assert_int_equal(fs_mkdirs(tmpdir_file(&tmp, path, "kept"), &e), 0);
	put(tmpdir_file(&tmp, kept, "kept/file"), "x");
	assert_int_equal(fs_mkdirs(tmpdir_file(&tmp, path, "tree/a/b"), &e), 0);
	put(tmpdir_file(&tmp, path, "tree/a/b/.hidden"), "x");
	put(tmpdir_file(&tmp, path, "tree/a/file"), "x");
	assert_int_equal(
		symlink(tmpdir_file(&tmp, path, "kept"), tmpdir_file(&tmp, link, "tree/a/link")),
		0);
	assert_int_equal(fs_remove_tree(tmpdir_file(&tmp, path, "tree"), &e), 0);
	assert_false(fs_exists(path));
	assert_true(fs_exists(kept));
	assert_int_equal(fs_remove_tree(path, &e), 0); /* nothing there */
	assert_int_equal(symlink(tmpdir_file(&tmp, path, "kept"), tmpdir_file(&tmp, link, "l")), 0);
	assert_int_equal(fs_remove_tree(link, &e), 0);
	assert_true(fs_exists(kept));
	assert_int_equal(fs_remove_tree(kept, &e), 0); /* a file alone */
	assert_false(fs_exists(kept));
}

static void sweeps_only_temporary_files(void **state)
{
	char path[320];
	struct err e = {0};

	(void)state;
	put(tmpdir_file(&tmp, path, ".qiao-tmp-77-0"), "half");
	put(tmpdir_file(&tmp, path, ".hidden"), "x");
	put(tmpdir_file(&tmp, path, "file"), "x");
	assert_int_equal(fs_sweep(tmp.path, &e), 0);
	assert_int_equal(entries(tmp.path), 2);
	assert_int_equal(fs_sweep(tmpdir_file(&tmp, path, "nothing"), &e), -1);
	assert_int_equal(e.class, ERR_CONF);
}

/* A killed process with our number has left a temporary file: the next name is taken. */
static void goes_around_temporary_names_in_use(void **state)
{
	char path[320], name[64];
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 50; i++) {
		int fd;

		snprintf(name, sizeof name, ".qiao-tmp-%d-%d", (int)getpid(), i);
		fd = open(tmpdir_file(&tmp, path, name), O_WRONLY | O_CREAT, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(fs_write_durable(tmpdir_file(&tmp, path, "f"), "x", 1, 0600, &e), 0);
	assert_true(fs_exists(path));
}

static void a_lock_is_held_by_one_and_names_it(void **state)
{
	char path[320], pid[32];
	struct err e = {0};
	int fd = -1, other = -1;

	(void)state;
	assert_int_equal(fs_lock(tmpdir_file(&tmp, path, "tax.lock"), &fd, &e), 0);
	assert_int_equal(fs_lock(path, &other, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	assert_int_equal(e.sys, EWOULDBLOCK);
	assert_int_equal(other, -1);
	snprintf(pid, sizeof pid, "process %d", (int)getpid());
	assert_non_null(strstr(e.text, pid));
	fs_unlock(fd);
	assert_true(fs_exists(path));
	assert_int_equal(fs_lock(path, &fd, &e), 0);
	fs_unlock(fd);
	fs_unlock(-1);
}

static void a_killed_process_frees_its_lock(void **state)
{
	char path[320], byte = 0;
	struct err e = {0};
	int ready[2], fd = -1, status;
	pid_t child;

	(void)state;
	tmpdir_file(&tmp, path, "tax.lock");
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		alarm(60); /* should the test fail before it kills */
		if (fs_lock(path, &fd, NULL) < 0 || write(ready[1], "l", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(fs_lock(path, &fd, &e), -1);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	if (fs_lock(path, &fd, &e) < 0)
		fail_msg("%s", e.text);
	fs_unlock(fd);
}

static void joins_paths_that_fit(void **state)
{
	static const struct {
		const char *dir, *name, *path;
	} table[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"},	   {"/", "b", "/b"},
		     {"", "b", "b"},	{"abc", "def", "abc/def"}, {"abc", "defg", NULL}};
	char out[8];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int rc = fs_join(out, sizeof out, table[i].dir, table[i].name);

		assert_int_equal(rc, table[i].path ? 0 : -1);
		assert_string_equal(out, table[i].path ? table[i].path : "");
	}
}

static void every_errno_has_the_class_of_its_cure(void **state)
{
	static const struct {
		int sys;
		enum err_class class;
	} table[] = {{ENOSPC, ERR_TEMP}, {EDQUOT, ERR_TEMP}, {EIO, ERR_TEMP},	 {EMFILE, ERR_TEMP},
		     {ENOMEM, ERR_TEMP}, {12345, ERR_TEMP},  {EACCES, ERR_CONF}, {EPERM, ERR_CONF},
		     {ENOENT, ERR_CONF}, {EISDIR, ERR_CONF}, {EROFS, ERR_CONF},	 {EFBIG, ERR_PERM}};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(fs_class(table[i].sys), table[i].class);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_folders_at_any_depth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(does_not_make_folders_out_of_files, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(reads_whole_files_behind_what_is_there, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(reads_files_of_many_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_files_over_the_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_to_read_what_is_not_a_file, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(writes_and_replaces_whole_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writes_files_with_the_longest_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_name_alone_is_in_the_current_folder, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(says_conf_where_it_cannot_write_at_all, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(removes_trees_but_follows_no_link, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sweeps_only_temporary_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(goes_around_temporary_names_in_use, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_lock_is_held_by_one_and_names_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_killed_process_frees_its_lock, set_up, tear_down),
		cmocka_unit_test(joins_paths_that_fit),
		cmocka_unit_test(every_errno_has_the_class_of_its_cure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
