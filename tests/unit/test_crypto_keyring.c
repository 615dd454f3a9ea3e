#include "crypto/identity.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tmpdir tmp;
static char keys[320];

static int set_up(void **state)
{
	struct err e = {0};

	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, keys, "keys");
	assert_int_equal(keygen(keys, 2025, 2026, &e), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&tmp);
	return 0;
}

static const char *path_of(const char *role, const char *file)
{
	static char path[700];

	snprintf(path, sizeof path, "%s/%s/%s", keys, role, file);
	return path;
}

static void read_text(const char *path, char out[128])
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, 127, f);
	out[n] = '\0';
	fclose(f);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static bool opens(const char *role, enum err_class *class)
{
	struct keyring *k = NULL;
	struct err e = {0};
	int rc = keyring_open(&k, keys, role, false, &e);

	if (rc == 0)
		assert_non_null(k);
	else
		assert_null(k);
	*class = e.class;
	keyring_free(k);
	return rc == 0;
}

static void assert_refused(const char *role)
{
	enum err_class class;

	assert_false(opens(role, &class));
	assert_int_equal(class, ERR_CONF);
}

static void assert_opens(const char *role)
{
	enum err_class class;

	assert_true(opens(role, &class));
}

static void each_role_gets_the_keys_it_needs_and_no_more(void **state)
{
	static const struct {
		const char *role;
		bool token, seal, spool;
	} table[] = {
		{"village", true, true, true},
		{"tax", true, true, false},
		{"ssa", true, true, false},
		{"trace", true, false, false},
	};
	struct stat st;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_int_equal(fs_exists(path_of(table[i].role, "token.key")), table[i].token);
		assert_int_equal(fs_exists(path_of(table[i].role, "seal-2025.key")), table[i].seal);
		assert_int_equal(fs_exists(path_of(table[i].role, "seal-2026.key")), table[i].seal);
		assert_int_equal(fs_exists(path_of(table[i].role, "spool.key")), table[i].spool);
		assert_int_equal(stat(path_of(table[i].role, "."), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		assert_int_equal(stat(path_of(table[i].role, "token.key"), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_opens(table[i].role);
	}
	assert_false(fs_exists(path_of("gateway", ".")));
	assert_opens("gateway");
}

static void roles_share_keys_and_years_do_not(void **state)
{
	char one[128], two[128];

	(void)state;
	read_text(path_of("village", "token.key"), one);
	assert_int_equal(strlen(one), 65);
	read_text(path_of("trace", "token.key"), two);
	assert_string_equal(one, two);
	read_text(path_of("village", "seal-2026.key"), one);
	read_text(path_of("ssa", "seal-2026.key"), two);
	assert_string_equal(one, two);
	read_text(path_of("village", "seal-2025.key"), two);
	assert_string_not_equal(one, two);
	read_text(path_of("village", "spool.key"), two);
	assert_string_not_equal(one, two);
}

static void keygen_again_adds_and_changes_nothing(void **state)
{
	char token[128], seal[128], again[128];
	struct err e = {0};
	struct stat before, after;

	(void)state;
	read_text(path_of("tax", "token.key"), token);
	read_text(path_of("tax", "seal-2026.key"), seal);
	assert_int_equal(unlink(path_of("ssa", "seal-2026.key")),
			 0); /* and mends what an interrupted run left out */
	assert_int_equal(stat(path_of("tax", "token.key"), &before), 0);
	assert_int_equal(keygen(keys, 2026, 2027, &e), 0);
	assert_int_equal(stat(path_of("tax", "token.key"), &after), 0);
	assert_true(before.st_ino == after.st_ino); /* not even written again */
	read_text(path_of("tax", "token.key"), again);
	assert_string_equal(token, again);
	read_text(path_of("tax", "seal-2026.key"), again);
	assert_string_equal(seal, again);
	read_text(path_of("ssa", "seal-2026.key"), again);
	assert_string_equal(seal, again);
	assert_true(fs_exists(path_of("tax", "seal-2027.key")));
	assert_opens("tax");
}

static void keygen_refuses_roles_that_differ(void **state)
{
	char other[66];
	struct err e = {0};

	(void)state;
	memset(other, 'a', 64);
	other[64] = '\n';
	other[65] = '\0';
	write_text(path_of("tax", "seal-2026.key"), other, 0600);
	assert_int_equal(keygen(keys, 2026, 2026, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_null(strstr(e.text, "aaaa"));
	assert_int_equal(keygen(keys, 2027, 2026, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
}

static void less_or_more_than_needed_is_refused(void **state)
{
	struct err e = {0};
	char text[128];

	(void)state;
	read_text(path_of("village", "spool.key"), text);
	write_text(path_of("tax", "spool.key"), text, 0600);
	assert_refused("tax");
	write_text(path_of("trace", "seal-2026.key"), text, 0600);
	assert_refused("trace");
	write_text(path_of("ssa", "notes.txt"), text, 0600);
	assert_refused("ssa");
	assert_int_equal(keyring_check(keys, "tax", false, &e),
			 -1); /* says which file is too much */
	assert_non_null(strstr(e.text, "spool.key does not belong"));
	assert_int_equal(unlink(path_of("village", "spool.key")), 0);
	assert_refused("village");
	assert_int_equal(mkdir(path_of("gateway", ""), 0700), 0);
	assert_opens("gateway");
	write_text(path_of("gateway", "token.key"), text, 0600);
	assert_refused("gateway");
	assert_refused("mayor");
}

static void missing_keys_are_refused(void **state)
{
	(void)state;
	assert_int_equal(unlink(path_of("ssa", "token.key")), 0);
	assert_refused("ssa");
	assert_int_equal(unlink(path_of("tax", "seal-2025.key")), 0);
	assert_opens("tax"); /* a destroyed year is no fault */
	assert_int_equal(unlink(path_of("tax", "seal-2026.key")), 0);
	assert_refused("tax");
	snprintf(keys, sizeof keys, "%.200s/nowhere", tmp.path);
	assert_refused("village");
	assert_opens("gateway");
}

static void wide_or_odd_files_are_refused(void **state)
{
	static const mode_t wide[] = {0640, 0604, 0660, 0666, 0601};

	(void)state;
	for (size_t i = 0; i < COUNT(wide); i++) {
		assert_int_equal(chmod(path_of("tax", "token.key"), wide[i]), 0);
		assert_refused("tax");
	}
	assert_int_equal(chmod(path_of("tax", "token.key"), 0400), 0);
	assert_opens("tax");
	assert_int_equal(chmod(path_of("tax", ""), 0750), 0);
	assert_refused("tax");
	assert_int_equal(unlink(path_of("ssa", "token.key")), 0);
	assert_int_equal(symlink("../trace/token.key", path_of("ssa", "token.key")), 0);
	assert_refused("ssa");
	assert_int_equal(unlink(path_of("trace", "token.key")), 0);
	assert_int_equal(mkdir(path_of("trace", "token.key"), 0700), 0);
	assert_refused("trace");
}

static void damaged_keys_are_refused_without_being_shown(void **state)
{
	static const char good[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct {
		const char *format;
		bool good;
	} table[] = {
		{"%s\n", true},	    {"%s", false},	 {"%s\n\n", false}, {"%s ", false},
		{"%.63s\n", false}, {"%.63sg\n", false}, {"%.0s", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct keyring *k = NULL;
		struct err e = {0};
		char text[128];

		snprintf(text, sizeof text, table[i].format, good);
		write_text(path_of("trace", "token.key"), text, 0600);
		assert_int_equal(keyring_open(&k, keys, "trace", false, &e),
				 table[i].good ? 0 : -1);
		if (!table[i].good)
			assert_int_equal(e.class, ERR_CONF);
		assert_null(strstr(e.text, "0123"));
		keyring_free(k);
	}
}

/* Runs as one user: every role's folder can be read, which is just what separate users forbid. */
static void separate_users_must_not_see_each_other(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(keyring_check(keys, "gateway", false, &e), 0);
	assert_int_equal(keyring_check(keys, "gateway", true, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(keyring_check(keys, "trace", true, &e), -1);
	assert_int_equal(fs_remove_tree(path_of("village", ""), &e), 0);
	assert_int_equal(fs_remove_tree(path_of("tax", ""), &e), 0);
	assert_int_equal(fs_remove_tree(path_of("ssa", ""), &e), 0);
	assert_int_equal(keyring_check(keys, "trace", true, &e), 0);
	assert_int_equal(keyring_check(keys, "gateway", true, &e), -1);
}

static void count_gone(void *arg, const char *path)
{
	(void)path;
	++*(int *)arg;
}

static bool there(const char *role, const char *file)
{
	return access(path_of(role, file), F_OK) == 0;
}

/* Opens or fails with that class. */
static void opens_as(struct keyring *k, const struct id *token, struct buf *sealed, enum err_class class)
{
	struct str number, name, text = {(char *)sealed->data, sealed->len};
	struct buf scratch;
	struct err e = {0};

	buf_init(&scratch, 1000);
	assert_int_equal(identity_open(k, token, text, &scratch, &number, &name, &e), class == ERR_NONE ? 0 : -1);
	assert_int_equal(e.class, class);
	buf_fini(&scratch);
}

/* The year's identities are gone, for every role and for good; all else stays. */
static void a_destroyed_year_opens_no_more(void **state)
{
	static const char *const roles[] = {"village", "tax", "ssa"};
	struct str number = STR("330621199001011233");
	struct buf old, new, more;
	struct keyring *k;
	struct id token;
	struct err e = {0};
	int count, told = 0;

	(void)state;
	buf_init(&old, 1000);
	buf_init(&new, 1000);
	buf_init(&more, 1000);
	assert_int_equal(keyring_open(&k, keys, "village", false, &e), 0);
	token_of(k, number, &token);
	assert_int_equal(identity_seal(k, 2025, &token, number, STR("x"), &old, &e), 0);
	assert_int_equal(identity_seal(k, 2026, &token, number, STR("x"), &new, &e), 0);
	keyring_free(k);
	assert_int_equal(seal_key_destroy(keys, 2025, count_gone, &told, &count, &e), 0);
	assert_int_equal(count, 3);
	assert_int_equal(told, 3);
	for (size_t i = 0; i < COUNT(roles); i++) {
		assert_false(there(roles[i], "seal-2025.key"));
		assert_true(there(roles[i], "seal-2025.destroyed"));
		assert_int_equal(keyring_check(keys, roles[i], false, &e), 0);
	}
	assert_int_equal(keyring_check(keys, "trace", false, &e), 0);
	assert_int_equal(keyring_open(&k, keys, "village", false, &e), 0);
	assert_true(seal_year_destroyed(k, 2025) && !seal_year_destroyed(k, 2026) && !seal_year_destroyed(k, 2024));
	assert_true(seal_destroyed(k, (struct str){(char *)old.data, old.len}));
	assert_false(seal_destroyed(k, (struct str){(char *)new.data, new.len}));
	opens_as(k, &token, &old, ERR_PERM);
	opens_as(k, &token, &new, ERR_NONE);
	assert_int_equal(identity_seal(k, 2025, &token, number, STR("x"), &more, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(identity_gone(2025, &more, &e), 0);
	assert_true(seal_destroyed(k, (struct str){(char *)more.data, more.len}));
	opens_as(k, &token, &more, ERR_PERM);
	/* A key that was never there may be somewhere: that is no answer about the identity. */
	old.data[2] = (uint8_t)2024;
	old.data[3] = 2024 >> 8;
	opens_as(k, &token, &old, ERR_CONF);
	keyring_free(k);
	buf_fini(&old);
	buf_fini(&new);
	buf_fini(&more);
}

static void nobody_makes_a_destroyed_key_anew(void **state)
{
	struct err e = {0};
	int count;

	(void)state;
	assert_int_equal(seal_key_destroy(keys, 2025, NULL, NULL, &count, &e), 0);
	assert_int_equal(keygen(keys, 2025, 2027, &e), 0);
	assert_false(there("ssa", "seal-2025.key"));
	assert_true(there("ssa", "seal-2026.key") && there("ssa", "seal-2027.key"));
	assert_int_equal(seal_key_destroy(keys, 2025, NULL, NULL, &count, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(seal_key_there(keys, 2025, &e), -1);
	assert_int_equal(seal_key_there(keys, 2026, &e), 0);
}

/* Killed between mark and removal: the key is not used, and the next call ends it. */
static void a_destruction_that_was_cut_short(void **state)
{
	struct keyring *k;
	struct buf out;
	struct err e = {0};
	int count;
	char text[128];

	(void)state;
	buf_init(&out, 1000);
	read_text(path_of("village", "seal-2025.key"), text);
	assert_int_equal(seal_key_destroy(keys, 2025, NULL, NULL, &count, &e), 0);
	write_text(path_of("village", "seal-2025.key"), text, 0600);
	assert_int_equal(keyring_open(&k, keys, "village", false, &e), 0);
	assert_true(seal_year_destroyed(k, 2025));
	assert_int_equal(bytes_seal(k, 2025, STR("a"), STR("b"), &out, &e), -1);
	assert_int_equal(bytes_seal(k, 2026, STR("a"), STR("b"), &out, &e), 0);
	keyring_free(k);
	buf_fini(&out);
	assert_int_equal(seal_key_destroy(keys, 2025, NULL, NULL, &count, &e), 0);
	assert_int_equal(count, 1);
	/* The last year of all: the programs still start. */
	assert_int_equal(seal_key_destroy(keys, 2026, NULL, NULL, &count, &e), 0);
	assert_int_equal(keyring_check(keys, "tax", false, &e), 0);
	/* What is no mark of a year is what it was before: refused. */
	write_text(path_of("tax", "seal-20.destroyed"), "", 0600);
	assert_int_equal(keyring_check(keys, "tax", false, &e), -1);
}

/* Where the key was stands noise: an older name of the same file shows it. */
static void the_bytes_are_overwritten(void **state)
{
	struct err e = {0};
	int count;
	char before[128], after[128], other[320];

	(void)state;
	read_text(path_of("ssa", "seal-2025.key"), before);
	assert_int_equal(link(path_of("ssa", "seal-2025.key"), tmpdir_file(&tmp, other, "other-name")), 0);
	assert_int_equal(seal_key_destroy(keys, 2025, NULL, NULL, &count, &e), 0);
	read_text(other, after);
	assert_true(memcmp(before, after, 64) != 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_role_gets_the_keys_it_needs_and_no_more),
		TEST(roles_share_keys_and_years_do_not),
		TEST(keygen_again_adds_and_changes_nothing),
		TEST(keygen_refuses_roles_that_differ),
		TEST(less_or_more_than_needed_is_refused),
		TEST(missing_keys_are_refused),
		TEST(wide_or_odd_files_are_refused),
		TEST(damaged_keys_are_refused_without_being_shown),
		TEST(separate_users_must_not_see_each_other),
		TEST(a_destroyed_year_opens_no_more),
		TEST(nobody_makes_a_destroyed_key_anew),
		TEST(a_destruction_that_was_cut_short),
		TEST(the_bytes_are_overwritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
