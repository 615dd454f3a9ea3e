#include "crypto/digest.h"
#include "tests/lib/unit.h"
#include <pthread.h>
#include <string.h>

static void hashes_the_vectors_of_fips_180(void **state)
{
	static const struct {
		const char *text, *hex;
	} table[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		uint8_t out[SHA256_LEN];
		char hex[2 * SHA256_LEN + 1];

		sha256(table[i].text, strlen(table[i].text), out);
		hex_put(hex, out, sizeof out);
		assert_string_equal(hex, table[i].hex);
	}
}

static void running_digest_is_the_one_shot_digest_in_any_pieces(void **state)
{
	struct digest *d = digest_new();
	uint8_t data[300], whole[SHA256_LEN], pieces[SHA256_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	sha256(data, sizeof data, whole);
	for (size_t cut = 0; cut <= sizeof data; cut += 13) {
		digest_start(d);
		digest_add(d, data, cut);
		digest_add(d, NULL, 0);
		digest_add(d, data + cut, sizeof data - cut);
		digest_end(d, pieces);
		assert_memory_equal(pieces, whole, SHA256_LEN);
	}
	digest_start(d); /* one that is given up half-way leaves nothing behind */
	digest_add(d, "x", 1);
	digest_start(d);
	digest_add(d, data, sizeof data);
	digest_end(d, pieces);
	assert_memory_equal(pieces, whole, SHA256_LEN);
	digest_free(d);
	digest_free(NULL);
}

/* Expected values by Python's hashlib over the bytes that the header describes. */
static void id_is_over_parts_with_their_lengths(void **state)
{
	static char x[300], y[200], z[100];
	const struct {
		struct str parts[3];
		int count;
		const char *hex;
	} table[] = {
		{{STR("ab"), STR("c")}, 2, "60014a36d7b05b0730e42a8b96faa1ff"},
		{{STR("a"), STR("bc")}, 2, "47ea6f805c5b663e33012cd34184e139"},
		{{{NULL, 0}}, 0, "e3b0c44298fc1c149afbf4c8996fb924"},
		{{{NULL, 0}}, 1, "df3f619804a92fdb4057192dc43dd748"},
		{{STR("")}, 1, "df3f619804a92fdb4057192dc43dd748"},
		{{{x, sizeof x}, {y, sizeof y}, {z, sizeof z}},
		 3,
		 "067aa2f5f038a52f4414a78146c3b937"},
	};
	char hex[ID_HEX];
	struct id id;

	(void)state;
	memset(x, 'x', sizeof x);
	memset(y, 'y', sizeof y);
	memset(z, 'z', sizeof z);
	for (size_t i = 0; i < COUNT(table); i++) {
		id_make(&id, table[i].parts, table[i].count);
		assert_string_equal(id_hex(&id, hex), table[i].hex);
	}
}

/* Ids are gathered on the stack up to a limit: around it no length may fall out of step with the
 * plain concatenation. */
static void id_of_every_length_is_the_digest_of_the_concatenation(void **state)
{
	static uint8_t bytes[600], flat[640];
	uint8_t want[SHA256_LEN];
	struct id id;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i ^ (i >> 3));
	for (size_t n = 0; n <= 560; n++) {
		size_t a = n / 3, b = n - a;
		const struct str parts[] = {{(char *)bytes, a}, {(char *)bytes + a, b}};
		const uint8_t heads[2][4] = {{(uint8_t)a, (uint8_t)(a >> 8)},
					     {(uint8_t)b, (uint8_t)(b >> 8)}};

		memcpy(flat, heads[0], 4);
		memcpy(flat + 4, bytes, a);
		memcpy(flat + 4 + a, heads[1], 4);
		memcpy(flat + 8 + a, bytes + a, b);
		sha256(flat, n + 8, want);
		id_make(&id, parts, 2);
		assert_memory_equal(id.b, want, ID_LEN);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 12);
}

static void random_bytes_do_not_come_twice(void **state)
{
	static uint8_t drawn[3000][12];
	static uint8_t large[2][5000];
	static const uint8_t nothing[12];

	(void)state;
	for (size_t i = 0; i < COUNT(drawn); i++) { /* several fillings of the pool */
		random_bytes(drawn[i], sizeof drawn[i]);
		assert_memory_not_equal(drawn[i], nothing, sizeof nothing);
	}
	qsort(drawn, COUNT(drawn), sizeof drawn[0], by_bytes);
	for (size_t i = 1; i < COUNT(drawn); i++)
		assert_memory_not_equal(drawn[i - 1], drawn[i], sizeof drawn[0]);
	random_bytes(large[0], sizeof large[0]);
	random_bytes(large[1], sizeof large[1]);
	assert_memory_not_equal(large[0], large[1], sizeof large[0]);
	assert_memory_not_equal(large[0] + sizeof large[0] - 12, nothing, sizeof nothing);
}

static void *hash_in_thread(void *out)
{
	sha256("abc", 3, out);
	return NULL;
}

static void each_thread_has_its_own(void **state)
{
	uint8_t here[SHA256_LEN], there[4][SHA256_LEN];
	pthread_t threads[4];

	(void)state;
	sha256("abc", 3, here);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, there[i]), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_memory_equal(there[i], here, SHA256_LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_the_vectors_of_fips_180),
		cmocka_unit_test(running_digest_is_the_one_shot_digest_in_any_pieces),
		cmocka_unit_test(id_is_over_parts_with_their_lengths),
		cmocka_unit_test(id_of_every_length_is_the_digest_of_the_concatenation),
		cmocka_unit_test(random_bytes_do_not_come_twice),
		cmocka_unit_test(each_thread_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
