#include "crypto/identity.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <unistd.h>

static struct tmpdir tmp;
static char keys[320];
static struct keyring *ring, *other; /* of two key sets */
static struct buf sealed, scratch;

static const struct str NUMBER = {"11010519491231002X", 18};
static const struct str NAME = {"古丽米热·艾比布力", 25};

static struct keyring *make_ring(const char *name, const char *role)
{
	struct keyring *k = NULL;
	struct err e = {0};

	tmpdir_file(&tmp, keys, name);
	assert_int_equal(keygen(keys, 2025, 2026, &e), 0);
	if (keyring_open(&k, keys, role, false, &e) != 0)
		fail_msg("%s", e.text);
	return k;
}

static int set_up(void **state)
{
	(void)state;
	tmpdir_make(&tmp);
	ring = make_ring("keys", "village");
	other = make_ring("others", "village");
	buf_init(&sealed, 1 << 20);
	buf_init(&scratch, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keyring_free(ring);
	keyring_free(other);
	keyring_free(NULL);
	buf_fini(&sealed);
	buf_fini(&scratch);
	tmpdir_remove(&tmp);
	return 0;
}

static struct str content(const struct buf *b)
{
	return (struct str){(char *)b->data, b->len};
}

static struct id seal(int year)
{
	struct err e = {0};
	struct id token;

	token_of(ring, NUMBER, &token);
	buf_reset(&sealed);
	assert_int_equal(identity_seal(ring, year, &token, NUMBER, NAME, &sealed, &e), 0);
	return token;
}

/* RFC 4231 has no 16-byte output; the value is Python's hmac for the key 00 01 .. 1f. */
static void token_is_hmac_of_the_number(void **state)
{
	static const char key[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
	char dir[320], path[340], hex[ID_HEX];
	struct keyring *k = NULL;
	struct err e = {0};
	struct id token, again;

	(void)state;
	tmpdir_file(&tmp, dir, "fixed/trace");
	assert_int_equal(fs_mkdirs(dir, &e), 0);
	snprintf(path, sizeof path, "%s/token.key", dir);
	assert_int_equal(fs_write_durable(path, key, sizeof key - 1, 0600, &e), 0);
	tmpdir_file(&tmp, dir, "fixed");
	assert_int_equal(keyring_open(&k, dir, "trace", false, &e), 0);
	token_of(k, NUMBER, &token);
	assert_string_equal(id_hex(&token, hex), "a66755453b106dcea0cfa264214ae59f");
	token_of(k, STR("other"), &again);
	assert_false(id_eq(&token, &again));
	token_of(k, NUMBER, &again);
	assert_true(id_eq(&token, &again));
	keyring_free(k);
	token_of(ring, NUMBER, &again);
	assert_false(id_eq(&token, &again));
}

static void sealed_identity_opens_to_what_was_sealed(void **state)
{
	struct id token = seal(2026);
	struct str number, name;
	struct err e = {0};

	(void)state;
	assert_int_equal(sealed.len, SEAL_OVERHEAD + NUMBER.n + 1 + NAME.n);
	assert_int_equal(sealed.data[0], 1);
	assert_int_equal(sealed.data[1], 1);
	assert_int_equal(sealed.data[2] | sealed.data[3] << 8, 2026);
	assert_null(memmem(sealed.data, sealed.len, NUMBER.p, 6));
	assert_null(memmem(sealed.data, sealed.len, NAME.p, 6));
	assert_int_equal(
		identity_open(ring, &token, content(&sealed), &scratch, &number, &name, &e), 0);
	assert_true(str_eq(number, NUMBER));
	assert_true(str_eq(name, NAME));
}

static void sealing_appends_and_no_nonce_comes_twice(void **state)
{
	struct err e = {0};
	struct id token;
	size_t one;

	(void)state;
	token = seal(2026);
	one = sealed.len;
	assert_int_equal(identity_seal(ring, 2026, &token, NUMBER, NAME, &sealed, &e), 0);
	assert_int_equal(sealed.len, 2 * one);
	assert_memory_equal(sealed.data, sealed.data + one, 4);
	assert_memory_not_equal(sealed.data + 4, sealed.data + one + 4, 12);
	assert_memory_not_equal(sealed.data + 16, sealed.data + one + 16, one - 16);
}

static void any_changed_byte_does_not_open(void **state)
{
	struct id token = seal(2026);
	struct str number, name;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sealed.len; i++) {
		enum err_class want = i == 2 || i == 3
					      ? ERR_CONF
					      : ERR_PERM; /* another year: its key is not there */

		memset(&e, 0, sizeof e);
		sealed.data[i] ^= 0x40;
		assert_int_equal(
			identity_open(ring, &token, content(&sealed), &scratch, &number, &name, &e),
			-1);
		assert_int_equal(e.class, want);
		assert_int_equal(scratch.len, 0);
		sealed.data[i] ^= 0x40;
	}
	for (size_t n = 0; n < sealed.len; n++)
		assert_int_equal(identity_open(ring, &token, (struct str){(char *)sealed.data, n},
					       &scratch, &number, &name, &e),
				 -1);
	assert_int_equal(
		identity_open(ring, &token, content(&sealed), &scratch, &number, &name, &e), 0);
}

static void another_person_or_key_does_not_open(void **state)
{
	struct id token = seal(2026), wrong = token;
	struct str number, name;
	struct err e = {0};

	(void)state;
	wrong.b[15] ^= 1;
	assert_int_equal(
		identity_open(ring, &wrong, content(&sealed), &scratch, &number, &name, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(
		identity_open(other, &token, content(&sealed), &scratch, &number, &name, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_null(memmem(e.text, sizeof e.text, NUMBER.p, 6));
}

/* Sealed with a token as associated data that is not the number's: opens as a cipher text, and
 * must still be refused. */
static void a_token_that_is_not_the_numbers_is_refused(void **state)
{
	struct id wrong = {{7}};
	struct str number = STR("x"), name = STR("x");
	struct err e = {0};

	(void)state;
	assert_int_equal(identity_seal(ring, 2026, &wrong, NUMBER, NAME, &sealed, &e), 0);
	assert_int_equal(
		identity_open(ring, &wrong, content(&sealed), &scratch, &number, &name, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(scratch.len, 0);
	assert_null(number.p);
	assert_null(memmem(scratch.data, scratch.cap, NUMBER.p, NUMBER.n)); /* wiped */
}

static void years_are_apart_and_a_destroyed_year_is_gone(void **state)
{
	struct id token = seal(2025);
	struct keyring *k = NULL;
	struct str number, name;
	struct err e = {0};
	char path[400];

	(void)state;
	assert_int_equal(
		identity_open(ring, &token, content(&sealed), &scratch, &number, &name, &e), 0);
	tmpdir_file(&tmp, keys, "keys");
	snprintf(path, sizeof path, "%s/village/seal-2025.key", keys);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keyring_open(&k, keys, "village", false, &e), 0);
	assert_int_equal(identity_open(k, &token, content(&sealed), &scratch, &number, &name, &e),
			 -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(identity_seal(k, 2025, &token, NUMBER, NAME, &sealed, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	seal(2026);
	assert_int_equal(identity_open(k, &token, content(&sealed), &scratch, &number, &name, &e),
			 0);
	keyring_free(k);
}

static void odd_identities(void **state)
{
	struct str number, name,
		odd = STR("1\x1F"
			  "2");
	struct err e = {0};
	struct id token;

	(void)state;
	token_of(ring, STR("1"), &token);
	assert_int_equal(identity_seal(ring, 2026, &token, odd, NAME, &sealed, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(identity_seal(ring, 2026, &token, STR(""), NAME, &sealed, &e), -1);
	assert_int_equal(sealed.len, 0);
	assert_int_equal(
		identity_seal(ring, 2026, &token, STR("1"), (struct str){NULL, 0}, &sealed, &e), 0);
	assert_int_equal(
		identity_open(ring, &token, content(&sealed), &scratch, &number, &name, &e), 0);
	assert_int_equal(name.n, 0);
	buf_reset(&sealed);
	assert_int_equal(identity_seal(ring, 2026, &token, STR("1"), odd, &sealed, &e), 0);
	assert_int_equal(
		identity_open(ring, &token, content(&sealed), &scratch, &number, &name, &e), 0);
	assert_true(str_eq(name, odd)); /* only the first separator parts */
}

static void a_full_buffer_is_refused_and_keeps_what_it_held(void **state)
{
	struct err e = {0};
	struct id token = seal(2026);
	struct buf small;

	(void)state;
	buf_init(&small, SEAL_OVERHEAD + 20);
	assert_int_equal(buf_put_str(&small, "abc"), 0);
	assert_int_equal(identity_seal(ring, 2026, &token, NUMBER, NAME, &small, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(bytes_open(ring, (struct str){(char *)token.b, ID_LEN}, content(&sealed),
				    &small, &e),
			 -1);
	assert_int_equal(small.len, 3);
	buf_fini(&small);
}

static void raw_bytes_and_spool_are_worlds_of_their_own(void **state)
{
	struct buf spooled, out;
	struct err e = {0};

	(void)state;
	buf_init(&spooled, 1 << 16);
	buf_init(&out, 1 << 16);
	assert_int_equal(bytes_seal(ring, 2026, STR("row 7"), STR("=SUM(A1)"), &sealed, &e), 0);
	assert_int_equal(spool_seal(ring, STR("chunk 1"), STR("=SUM(A1)"), &spooled, &e), 0);
	assert_int_equal(sealed.len, SEAL_OVERHEAD + 8);
	assert_int_equal(buf_put_str(&out, "before "), 0);
	assert_int_equal(bytes_open(ring, STR("row 7"), content(&sealed), &out, &e), 0);
	assert_true(str_is(content(&out), "before =SUM(A1)"));
	buf_reset(&out);
	assert_int_equal(spool_open(ring, STR("chunk 1"), content(&spooled), &out, &e), 0);
	assert_true(str_is(content(&out), "=SUM(A1)"));
	assert_int_equal(bytes_open(ring, STR("row 8"), content(&sealed), &out, &e), -1);
	assert_int_equal(spool_open(ring, STR("chunk 2"), content(&spooled), &out, &e), -1);
	assert_int_equal(bytes_open(ring, STR("chunk 1"), content(&spooled), &out, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(spool_open(ring, STR("row 7"), content(&sealed), &out, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_true(str_is(content(&out), "=SUM(A1)"));
	assert_int_equal(bytes_seal(ring, 0, STR("a"), STR("b"), &sealed, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	buf_fini(&spooled);
	buf_fini(&out);
}

static void nothing_at_all_can_be_sealed(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(spool_seal(ring, STR("a"), (struct str){NULL, 0}, &sealed, &e), 0);
	assert_int_equal(sealed.len, SEAL_OVERHEAD);
	assert_int_equal(spool_open(ring, STR("a"), content(&sealed), &scratch, &e), 0);
	assert_int_equal(scratch.len, 0);
	assert_int_equal(spool_open(ring, STR("b"), content(&sealed), &scratch, &e), -1);
	for (size_t n = 0; n < SEAL_OVERHEAD;
	     n++) { /* on the heap, of that size: nothing behind it is read */
		char *cut = malloc(n + 1);

		memcpy(cut, sealed.data, n);
		memset(&e, 0, sizeof e);
		assert_int_equal(spool_open(ring, STR("a"), (struct str){cut, n}, &scratch, &e),
				 -1);
		assert_int_equal(e.class, ERR_PERM);
		assert_non_null(strstr(e.text, "not sealed under the spool key"));
		free(cut);
	}
}

static void a_role_without_the_key_is_told_so(void **state)
{
	struct keyring *tax = NULL;
	struct err e = {0};

	(void)state;
	tmpdir_file(&tmp, keys, "keys");
	assert_int_equal(keyring_open(&tax, keys, "tax", false, &e), 0);
	assert_int_equal(spool_seal(tax, STR("a"), STR("b"), &sealed, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_int_equal(spool_seal(ring, STR("a"), STR("b"), &sealed, &e), 0);
	assert_int_equal(spool_open(tax, STR("a"), content(&sealed), &scratch, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	keyring_free(tax);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(token_is_hmac_of_the_number),
		TEST(sealed_identity_opens_to_what_was_sealed),
		TEST(sealing_appends_and_no_nonce_comes_twice),
		TEST(any_changed_byte_does_not_open),
		TEST(another_person_or_key_does_not_open),
		TEST(a_token_that_is_not_the_numbers_is_refused),
		TEST(years_are_apart_and_a_destroyed_year_is_gone),
		TEST(odd_identities),
		TEST(a_full_buffer_is_refused_and_keeps_what_it_held),
		TEST(raw_bytes_and_spool_are_worlds_of_their_own),
		TEST(nothing_at_all_can_be_sealed),
		TEST(a_role_without_the_key_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
