/* The keys of people who decide: made once, theirs alone, and a signature that fits nobody else's text. */
#include "crypto/operator.h"
#include "base/fs.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct tmpdir dir;
	char anna[300], folder[300], anna_pub[340];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *dir = tmpdir_make(&f->dir);
	struct err e = {0};
	snprintf(f->anna, sizeof f->anna, "%.200s/anna.key", dir);
	snprintf(f->folder, sizeof f->folder, "%.200s/operators", dir);
	snprintf(f->anna_pub, sizeof f->anna_pub, "%s/anna.pub", f->folder);
	assert_int_equal(fs_mkdirs(f->folder, &e), 0);
	assert_int_equal(operator_keygen(f->anna, f->anna_pub, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	tmpdir_remove(&f->dir);
	free(f);
	return 0;
}

static void a_signature_fits_one_text_and_one_name(void **state)
{
	struct fixture *f = *state;
	uint8_t s[SIGNATURE_LEN];
	struct operators *o;
	struct err e = {0};
	struct str signature = {(char *)s, sizeof s};
	assert_int_equal(operator_sign(f->anna, STR("pay"), s, &e), 0);
	assert_int_equal(operators_load(&o, f->folder, &e), 0);
	assert_int_equal(operators_count(o), 1);
	assert_true(operators_signed(o, STR("anna"), STR("pay"), signature));
	assert_false(operators_signed(o, STR("anna"), STR("paz"), signature));
	assert_false(operators_signed(o, STR("berta"), STR("pay"), signature));
	assert_false(operators_signed(o, STR("anna"), STR("pay"), (struct str){(char *)s, 63}));
	assert_false(operators_signed(o, STR("anna"), STR("pay"), (struct str){0}));
	s[5] ^= 1;
	assert_false(operators_signed(o, STR("anna"), STR("pay"), signature));
	assert_false(operators_signed(NULL, STR("anna"), STR("pay"), signature));
	operators_free(o);
}

static void keys_are_private_and_never_replaced(void **state)
{
	struct fixture *f = *state;
	uint8_t s[SIGNATURE_LEN];
	struct err e = {0};
	struct stat st;
	assert_int_equal(stat(f->anna, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(operator_keygen(f->anna, f->anna_pub, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(chmod(f->anna, 0640), 0);
	assert_int_equal(operator_sign(f->anna, STR("x"), s, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(operator_sign(f->anna_pub, STR("x"), s, &e), -1);
}

static void two_names_need_two_keys(void **state)
{
	struct fixture *f = *state;
	char twin[340];
	struct operators *o = NULL;
	struct err e = {0};
	snprintf(twin, sizeof twin, "%s/berta.pub", f->folder);
	assert_int_equal(link(f->anna_pub, twin), 0);
	assert_int_equal(operators_load(&o, f->folder, &e), -1);
	assert_non_null(strstr(e.text, "one key"));
	assert_int_equal(unlink(twin), 0);
	assert_int_equal(fs_write_atomic(twin, "no key", 6, 0600, &e), 0);
	assert_int_equal(operators_load(&o, f->folder, &e), -1);
	assert_int_equal(operators_load(&o, "/nowhere/at/all", &e), 0);
	assert_int_equal(operators_count(o), 0);
	operators_free(o);
}

static void names_are_plain(void **state)
{
	(void)state;
	assert_true(operator_name_good(STR("anna.m-2_x")));
	assert_false(operator_name_good(STR("")));
	assert_false(operator_name_good(STR("2anna")));
	assert_false(operator_name_good(STR("Anna")));
	assert_false(operator_name_good(STR("../anna")));
	assert_false(operator_name_good((struct str){"an\0a", 4}));
	assert_false(operator_name_good(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(a_signature_fits_one_text_and_one_name), T(keys_are_private_and_never_replaced),
					   T(two_names_need_two_keys), cmocka_unit_test(names_are_plain)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
