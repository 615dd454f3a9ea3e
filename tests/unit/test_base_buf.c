#include "base/buf.h"
#include "tests/lib/unit.h"
#include <string.h>

static void grows_to_its_maximum_and_no_further(void **state)
{
	struct buf b;
	char byte = 'x';

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_put(&b, &byte, 1), 0);
	assert_int_equal(b.len, 1000);
	assert_true(b.cap <= 1000);
	assert_int_equal(buf_put(&b, &byte, 1), -1);
	assert_int_equal(b.len, 1000);
	assert_int_equal(strlen(buf_text(&b)), 1000); /* the NUL has a place of its own */
	buf_fini(&b);
	assert_int_equal(b.max, 1000);
	assert_int_equal(buf_put(&b, &byte, 1), 0);
	buf_fini(&b);
}

static void refuses_whole_and_keeps_what_it_had(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_put_str(&b, "abcdef"), 0);
	assert_int_equal(buf_put_str(&b, "ghi"), -1);
	assert_int_equal(buf_put_u32(&b, 1), -1);
	assert_int_equal(buf_put_u64(&b, 1), -1);
	assert_int_equal(buf_put_varint(&b, UINT64_MAX), -1);
	assert_int_equal(buf_printf(&b, "%d", 123), -1);
	assert_null(buf_reserve(&b, 3));
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_string_equal(buf_text(&b), "abcdef");
	assert_int_equal(buf_printf(&b, "%d", 12), 0);
	assert_string_equal(buf_text(&b), "abcdef12");
	buf_fini(&b);
}

static void takes_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_put(&b, NULL, 0), 0);
	assert_non_null(buf_reserve(&b, 0));
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_put_u8(&b, 0), -1);
	buf_fini(&b);
	buf_fini(&b);
}

static void prints_more_than_there_was_room_for(void **state)
{
	struct buf b;
	char long_text[3000];

	(void)state;
	memset(long_text, 'y', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(buf_printf(&b, "%s", long_text), 0);
	assert_int_equal(b.len, 20 * (sizeof long_text - 1));
	assert_int_equal(strspn(buf_text(&b), "y"), b.len);
	buf_fini(&b);
}

static void integers_are_little_endian(void **state)
{
	static const uint8_t expected[] = {0xab, 0x78, 0x56, 0x34, 0x12, 8, 7, 6, 5, 4, 3, 2, 1};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put_u8(&b, 0xab);
	buf_put_u32(&b, 0x12345678);
	buf_put_u64(&b, UINT64_C(0x0102030405060708));
	assert_int_equal(b.len, sizeof expected);
	assert_memory_equal(b.data, expected, sizeof expected);
	buf_fini(&b);
}

static const struct varint {
	uint64_t value;
	size_t n;
	uint8_t bytes[10];
} varints[] = {
	{0, 1, {0}},
	{1, 1, {1}},
	{127, 1, {0x7f}},
	{128, 2, {0x80, 1}},
	{300, 2, {0xac, 2}},
	{16383, 2, {0xff, 0x7f}},
	{16384, 3, {0x80, 0x80, 1}},
	{UINT32_MAX, 5, {0xff, 0xff, 0xff, 0xff, 0x0f}},
	{UINT64_MAX, 10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
};

static void varints_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(varints); i++) {
		const struct varint *v = &varints[i];
		struct cursor c;
		struct buf b;

		buf_init(&b, 10);
		assert_int_equal(buf_put_varint(&b, v->value), 0);
		assert_int_equal(b.len, v->n);
		assert_memory_equal(b.data, v->bytes, v->n);
		c = cursor_of(b.data, b.len);
		assert_true(cursor_varint(&c) == v->value);
		assert_int_equal(c.bad, 0);
		assert_ptr_equal(c.p, c.end);
		buf_fini(&b);
	}
}

static void refuses_varints_that_do_not_end_or_are_too_large(void **state)
{
	static const struct {
		size_t n;
		uint8_t bytes[11];
	} table[] = {
		{0, {0}},
		{1, {0x80}},
		{9, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}},
		{11, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct cursor c = cursor_of(table[i].bytes, table[i].n);

		assert_true(cursor_varint(&c) == 0);
		assert_int_equal(c.bad, 1);
	}
}

static void reads_back_what_was_put(void **state)
{
	struct cursor c;
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put_u8(&b, 200);
	buf_put_u32(&b, UINT32_C(0xfedcba98));
	buf_put_u64(&b, UINT64_C(0xfedcba9876543210));
	buf_put(&b, "xyz", 3);
	c = cursor_of(b.data, b.len);
	assert_int_equal(cursor_u8(&c), 200);
	assert_true(cursor_u32(&c) == UINT32_C(0xfedcba98));
	assert_true(cursor_u64(&c) == UINT64_C(0xfedcba9876543210));
	assert_memory_equal(cursor_bytes(&c, 3), "xyz", 3);
	assert_non_null(cursor_bytes(&c, 0));
	assert_int_equal(c.bad, 0);
	buf_fini(&b);
}

/* At every length that is too short: 0, bad, and bad for ever. */
static void short_reads_are_bad_and_stay_bad(void **state)
{
	static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	for (size_t n = 0; n < sizeof bytes; n++) {
		struct cursor c = cursor_of(bytes, n);

		assert_true(cursor_u64(&c) == 0);
		assert_int_equal(c.bad, 1);
		assert_int_equal(cursor_u8(&c), 0);
		assert_null(cursor_bytes(&c, 0));
		c = cursor_of(bytes, n < 4 ? n : 3);
		assert_int_equal(cursor_u32(&c), 0);
		assert_int_equal(c.bad, 1);
		c = cursor_of(bytes, n);
		assert_null(cursor_bytes(&c, n + 1));
		assert_null(cursor_bytes(&c, SIZE_MAX));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_to_its_maximum_and_no_further),
		cmocka_unit_test(refuses_whole_and_keeps_what_it_had),
		cmocka_unit_test(takes_nothing),
		cmocka_unit_test(prints_more_than_there_was_room_for),
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(varints_go_both_ways),
		cmocka_unit_test(refuses_varints_that_do_not_end_or_are_too_large),
		cmocka_unit_test(reads_back_what_was_put),
		cmocka_unit_test(short_reads_are_bad_and_stay_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
