#include "bus/batch.h"
#include "bus/crc32.h"
#include "tests/lib/bus_events.h"

static void crc_is_that_of_zlib(void **state)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog";
	uint8_t zeros[32] = {0};

	(void)state;
	assert_int_equal(crc32_of("", 0), 0);
	assert_int_equal(crc32_of("123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_of(text, sizeof text - 1), 0x414fa339);
	assert_int_equal(crc32_of(zeros, sizeof zeros), 0x190a55ad);
	/* Not a matter of where it begins. */
	for (size_t i = 0; i < 8; i++) {
		char at[64];

		memcpy(at + i, text, sizeof text);
		assert_int_equal(crc32_of(at + i, sizeof text - 1), 0x414fa339);
	}
}

static void put(struct buf *b, int64_t count)
{
	struct event_room room;

	for (int64_t i = 0; i < count; i++) {
		struct bus_event ev = make_event(&room, i);
		size_t before = b->len;

		assert_int_equal(batch_put(b, (uint32_t)i * 1000, &ev), 0);
		assert_int_equal(b->len - before, batch_event_bytes((uint32_t)i * 1000, &ev));
	}
	assert_int_equal(batch_seal(b, 0), 0);
}

static void gives_back_what_was_put(void **state)
{
	struct bus_record r = {0};
	struct cursor c;
	struct buf b;
	uint32_t kind;

	(void)state;
	buf_init(&b, 1 << 20);
	put(&b, 100);
	assert_int_equal(batch_open((struct str){(char *)b.data, b.len}, &c), 0);
	for (int64_t i = 0; i < 100; i++) {
		struct event_room room;

		assert_int_equal(batch_get(&c, &kind, &r.event), 0);
		assert_int_equal(kind, i * 1000);
		assert_null(r.event.type.p);
		r.event.type = make_event(&room, i).type;
		check_event(&r, 0, i);
	}
	assert_int_equal(batch_get(&c, &kind, &r.event), -1);
	buf_fini(&b);
}

/* One event, written out by hand as FORMAT.md tells it. */
static void is_what_the_format_says(void **state)
{
	static const uint8_t want[] = {
		61,   0x85, 0x01, /* length, kind 133 */
		1,    2,    3,	  4,	5,    6,    7,	 8,  9,	  10,  11,
		12,   13,   14,	  15,	16,		    /* id */
		0x00, 0xe8, 0x97, 0xb6, 0x9a, 0x01, 0,	 0, /* 1764000000000 */
		21,   22,   23,	  24,	25,   26,   27,	 28, 29,  30,  31,
		32,   33,   34,	  35,	36,		    /* trace */
		0x02, 0x01, 0,	  0,	0,    0,    0,	 0, /* seq 258 */
		3,    'k',  'e',  'y',	6,    'd',  'a', 0,  't', 'a', '!',
	};
	struct bus_event ev = {
		.key = STR("key"), .data = {"da\0ta!", 6}, .time_ms = EVENT_TIME, .seq = 258};
	struct buf b;

	(void)state;
	for (int i = 0; i < ID_LEN; i++) {
		ev.id.b[i] = (uint8_t)(i + 1);
		ev.trace.b[i] = (uint8_t)(i + 21);
	}
	buf_init(&b, 1000);
	assert_int_equal(batch_put(&b, 133, &ev), 0);
	assert_int_equal(b.len, sizeof want);
	assert_memory_equal(b.data, want, sizeof want);
	buf_fini(&b);
}

static void each_damaged_bit_is_seen(void **state)
{
	struct cursor c;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	put(&b, 5);
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(batch_open((struct str){(char *)b.data, b.len}, &c), -1);
		b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(batch_open((struct str){(char *)b.data, n}, &c), -1);
	buf_fini(&b);
}

/* Even with the CRC right no read goes past the end: what is cut short or changed is refused or
 * some other event. */
static void no_read_leaves_the_bytes(void **state)
{
	struct bus_event ev;
	struct cursor c;
	uint32_t kind;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	put(&b, 1);
	for (size_t n = 0; n < b.len - BATCH_CRC_BYTES; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, b.data, n);
		c = cursor_of(exact, n);
		assert_int_equal(batch_get(&c, &kind, &ev), -1);
		free(exact);
	}
	for (size_t at = 0; at < b.len - BATCH_CRC_BYTES; at++) {
		size_t n = b.len - BATCH_CRC_BYTES;
		uint8_t *exact = malloc(n);

		memcpy(exact, b.data, n);
		exact[at] ^= 0xff;
		c = cursor_of(exact, n);
		if (batch_get(&c, &kind, &ev) == 0) {
			assert_true((uint8_t *)ev.data.p + ev.data.n <= exact + n);
			assert_true((uint8_t *)ev.key.p + ev.key.n <= exact + n);
		}
		free(exact);
	}
	buf_fini(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_is_that_of_zlib),
		cmocka_unit_test(gives_back_what_was_put),
		cmocka_unit_test(is_what_the_format_says),
		cmocka_unit_test(each_damaged_bit_is_seen),
		cmocka_unit_test(no_read_leaves_the_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
