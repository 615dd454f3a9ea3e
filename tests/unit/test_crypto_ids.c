#include "crypto/ids.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct id counting(uint8_t from)
{
	struct id id;

	for (int i = 0; i < ID_LEN; i++)
		id.b[i] = (uint8_t)(from + i);
	return id;
}

/* Expected values by Python's hashlib: an id that changes its bytes would orphan every payment
 * ever made. */
static void ids_keep_their_bytes(void **state)
{
	const struct id a = counting(0), b = counting(16);
	const uint8_t zeros[SHA256_LEN] = {0};
	char hex[ID_HEX];
	struct id id;

	(void)state;
	payment_id(&id, 2026, &a, &b, 3);
	assert_string_equal(id_hex(&id, hex), "a4b2976b53985314e5f07e004e5a8777");
	submission_id(&id, STR("sender"), STR("ref"));
	assert_string_equal(id_hex(&id, hex), "586f5d7021a01ce805c2673f90e2f31b");
	sponsor_id(&id, STR("collective"), STR("N2330603MF12345678"));
	assert_string_equal(id_hex(&id, hex), "01a2c5253cfdb114a2eb87dada86eb31");
	attempt_id(&id, zeros, STR("reader-1"));
	assert_string_equal(id_hex(&id, hex), "205f528533d6a2d198a4ac9fa1369a22");
	decision_id(&id, STR("SubsidyPayment"), &a, 7);
	assert_string_equal(id_hex(&id, hex), "9859e7513a90e35c947f65a8b1241967");
	outside_id(&id, STR("CollectionResult"), STR("tax"), STR("K1"), -1);
	assert_string_equal(id_hex(&id, hex), "3a681ca3f9b78727e1e060e5a0344cec");
}

static void payment_id_depends_on_each_of_its_parts(void **state)
{
	const struct id a = counting(0), b = counting(16);
	struct id ids[5];

	(void)state;
	payment_id(&ids[0], 2026, &a, &b, 0);
	payment_id(&ids[1], 2025, &a, &b, 0);
	payment_id(&ids[2], 2026, &b, &b, 0);
	payment_id(&ids[3], 2026, &a, &a, 0);
	payment_id(&ids[4], 2026, &a, &b, 1);
	for (size_t i = 0; i < COUNT(ids); i++)
		for (size_t k = 0; k < i; k++)
			assert_false(id_eq(&ids[i], &ids[k]));
	payment_id(&ids[1], 2026, &a, &b, 0);
	assert_true(id_eq(&ids[0], &ids[1]));
}

static void parts_do_not_run_into_each_other(void **state)
{
	struct id one, two;

	(void)state;
	submission_id(&one, STR("ab"), STR("c"));
	submission_id(&two, STR("a"), STR("bc"));
	assert_false(id_eq(&one, &two));
	sponsor_id(&two, STR("ab"), STR("c")); /* another kind of id over the same parts */
	assert_false(id_eq(&one, &two));
}

static void receipt_number_is_ten_digits_shown_in_fives(void **state)
{
	const struct id a = counting(0), zero = {{0}};
	char ten[11], text[12];

	(void)state;
	receipt_number(ten, &a);
	assert_string_equal(ten, "2914230528");
	assert_string_equal(receipt_text(text, ten), "29142-30528");
	receipt_number(ten, &zero);
	assert_string_equal(ten, "0000000000");
}

static void receipt_is_read_as_people_type_it(void **state)
{
	static const struct {
		const char *typed, *ten; /* NULL: refused */
	} table[] = {
		{"2914230528", "2914230528"},
		{"29142-30528", "2914230528"},
		{" 29142 30528 ", "2914230528"},
		{"0000000000", "0000000000"},
		{"291423052", NULL},
		{"29142305281", NULL},
		{"29142_30528", NULL},
		{"", NULL},
		{"2914230 52x", NULL},
	};
	char ten[11];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		int rc = receipt_parse(ten, str_of(table[i].typed));

		assert_int_equal(rc, table[i].ten == NULL ? -1 : 0);
		assert_string_equal(ten, table[i].ten == NULL ? "" : table[i].ten);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_keep_their_bytes),
		cmocka_unit_test(payment_id_depends_on_each_of_its_parts),
		cmocka_unit_test(parts_do_not_run_into_each_other),
		cmocka_unit_test(receipt_number_is_ten_digits_shown_in_fives),
		cmocka_unit_test(receipt_is_read_as_people_type_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
