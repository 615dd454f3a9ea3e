/* Bytes that nobody should send: every one is refused with the right words, nothing is read
 * outside them, nothing is allocated that they do not warrant. Run under sanitizers as well. */
/* WRAP: malloc calloc realloc */
#include "events/arena.h"
#include "events/check.h"
#include "tests/lib/event_gen.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct codec *codec;
static struct buf bytes = {.max = 4 << 20};
static size_t allocations, allocated;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	allocations++, allocated += n;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocations++, allocated += n * size;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	allocations++, allocated += n;
	return __real_realloc(p, n);
}

static int open_codec(void **state)
{
	struct err e = {0};

	(void)state;
	return codec_open(&codec, NULL, &e);
}

static int close_codec(void **state)
{
	(void)state;
	codec_close(codec);
	buf_fini(&bytes);
	return 0;
}

/* Decodes a copy of exactly the bytes, so that the address sanitizer sees one byte too far. */
static int decode_copy(enum event_type t, const void *p, size_t n, union any_event *out,
		       struct err *e)
{
	char *copy = __real_malloc(n ? n : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, p, n);
	rc = codec_decode(codec, t, (struct str){copy, n}, out, e);
	free(copy);
	return rc;
}

static void refused(enum event_type t, const char *text)
{
	union any_event ev;
	struct err e = {0};

	assert_int_equal(decode_copy(t, bytes.data, bytes.len, &ev, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_string_equal(e.text, text);
}

static void begin(const char *schema)
{
	struct err e = {0};
	uint64_t fingerprint;

	if (codec_add_schema(codec, str_of(schema), &e))
		fail_msg("%s", e.text);
	assert_int_equal(schema_fingerprint(str_of(schema), &fingerprint, &e), 0);
	buf_reset(&bytes);
	buf_put_u8(&bytes, 0xc3), buf_put_u8(&bytes, 0x01), buf_put_u64(&bytes, fingerprint);
}

static void put_long(int64_t v)
{
	assert_int_equal(buf_put_varint(&bytes, (uint64_t)v << 1 ^ (uint64_t)(v >> 63)), 0);
}

static void put_raw(const char *p, size_t n)
{
	assert_int_equal(buf_put(&bytes, p, n), 0);
}
#define RAW(lit) put_raw(lit, sizeof(lit) - 1)

/* FeedPosition: feed text, cursor text, as_of long. */
static void begin_feed(void)
{
	struct feed_position f = {.feed = STR(""), .cursor = STR("")};
	struct err e = {0};

	buf_reset(&bytes);
	assert_int_equal(codec_encode(codec, EV_FEED_POSITION, &f, &bytes, &e), 0);
	bytes.len = 10;
}

static void heads_that_are_none(void **state)
{
	struct err e = {0};
	union any_event ev;

	(void)state;
	assert_int_equal(codec_decode(codec, EV_FEED_POSITION, (struct str){0}, &ev, &e), -1);
	assert_string_equal(e.text, "undecodable: FeedPosition: no single-object encoding");
	begin_feed();
	RAW("\0\0\0");
	assert_int_equal(decode_copy(EV_FEED_POSITION, bytes.data, bytes.len, &ev, &e), 0);
	refused(EV_ROW_ANSWER, "undecodable: RowAnswer: holds FeedPosition");
	bytes.data[1] = 2;
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: no single-object encoding");
	memcpy(bytes.data, "\xc3\x01\x08\x07\x06\x05\x04\x03\x02\x01", 10);
	refused(EV_FEED_POSITION, "unknown_schema: FeedPosition: 0102030405060708");
	buf_reset(&bytes);
	for (size_t i = 0; i <= CHECK_EVENT_MAX; i++)
		buf_put_u8(&bytes, 0xc3);
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: no single-object encoding");
	assert_int_equal(codec_decode(codec, EVENT_TYPES, (struct str){0}, &ev, &e), -1);
}

static void lengths_that_lie(void **state)
{
	static const int64_t lengths[] = {1, 5, 1LL << 30, 1LL << 40, INT64_MAX, INT64_MIN, -1};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		begin_feed();
		put_long(lengths[i]);
		refused(EV_FEED_POSITION, "undecodable: FeedPosition: length beyond the end");
	}
	begin_feed();
	put_long(EVENT_TEXT_MAX + 1);
	for (int i = 0; i <= EVENT_TEXT_MAX; i++)
		RAW("x");
	RAW("\0\0");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: text or bytes too long");
}

static void texts_that_are_none(void **state)
{
	static const struct str texts[] = {
		{"\0", 1},	     {"a\0b", 3},
		{"12345678\0", 9},   {"1234567\0001234567", 15},
		{"\xff", 1},	     {"\xc0\x80", 2},
		{"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
		{"\xe6\x9d", 2},     {"12345678\x80", 9},
		{"村\0", 4},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		begin_feed();
		put_long((int64_t)texts[i].n);
		put_raw(texts[i].p, texts[i].n);
		RAW("\0\0");
		refused(EV_FEED_POSITION, "undecodable: FeedPosition: text not UTF-8 or with NUL");
	}
}

static void numbers_that_are_too_long(void **state)
{
	static const struct str numbers[] = {
		{"\x80\x00", 2},
		{"\xff\x00", 2},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", 11},
	};
	union any_event ev;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		begin_feed();
		RAW("\0\0");
		put_raw(numbers[i].p, numbers[i].n);
		refused(EV_FEED_POSITION,
			"undecodable: FeedPosition: number not in its shortest form");
	}
	begin_feed();
	RAW("\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	assert_int_equal(decode_copy(EV_FEED_POSITION, bytes.data, bytes.len, &ev, &e), 0);
	begin_feed();
	RAW("\0\0\xff\xff\xff");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: truncated");
}

#define SCHEMA(fields)                                                                       \
	"{\"type\":\"record\",\"name\":\"FeedPosition\",\"namespace\":\"cn.keqiao.qiao\","   \
	"\"fields\":["                                                                       \
	"{\"name\":\"feed\",\"type\":\"string\"},{\"name\":\"cursor\",\"type\":\"string\"}," \
	"{\"name\":\"as_of\",\"type\":\"long\"},{\"name\":\"more\",\"type\":" fields "}]}"

static void values_out_of_range(void **state)
{
	static const char *const enums =
		SCHEMA("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}");
	static const int64_t bad[] = {2, -1, 1000000, INT64_MAX, INT64_MIN};
	struct err e = {0};
	union any_event ev;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		begin(enums);
		RAW("\0\0\0"), put_long(bad[i]);
		refused(EV_FEED_POSITION, "undecodable: FeedPosition: enum out of range");
		begin(SCHEMA("[\"null\",\"long\"]"));
		RAW("\0\0\0"), put_long(bad[i]);
		refused(EV_FEED_POSITION, "undecodable: FeedPosition: union index out of range");
		begin(SCHEMA("[\"long\",\"null\"]"));
		RAW("\0\0\0"), put_long(bad[i]);
		refused(EV_FEED_POSITION, "undecodable: FeedPosition: union index out of range");
	}
	begin(SCHEMA("\"boolean\""));
	RAW("\0\0\0\2");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: boolean neither 0 nor 1");
	begin(SCHEMA("\"int\""));
	RAW("\0\0\0"), put_long(1LL << 31);
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: int out of range");
	begin(SCHEMA("\"double\""));
	RAW("\0\0\0"
	    "1234567");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: truncated");
	begin(SCHEMA("[\"long\",\"string\",\"null\"]"));
	RAW("\0\0\0\2\2x");
	assert_int_equal(decode_copy(EV_FEED_POSITION, bytes.data, bytes.len, &ev, &e), 0);
	RAW("\0");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: bytes behind the end");
}

static void arrays_that_grow_out_of_nothing(void **state)
{
	static const char *const nulls = SCHEMA("{\"type\":\"array\",\"items\":\"null\"}");
	static const char *const nested =
		SCHEMA("{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"null\"}}");
	static const int64_t counts[] = {CHECK_ITEMS_MAX + 1, 1LL << 33, INT64_MAX, INT64_MIN,
					 -CHECK_ITEMS_MAX - 1};
	union any_event ev;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		begin(nulls);
		RAW("\0\0\0"), put_long(counts[i]), RAW("\0\0");
		refused(EV_FEED_POSITION, "undecodable: FeedPosition: too many items");
	}
	begin(nulls);
	RAW("\0\0\0"), put_long(CHECK_ITEMS_MAX), RAW("\0");
	assert_int_equal(decode_copy(EV_FEED_POSITION, bytes.data, bytes.len, &ev, &e), 0);
	begin(nulls); /* in two blocks */
	RAW("\0\0\0"), put_long(CHECK_ITEMS_MAX), RAW("\2\0");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: too many items");
	begin(nested); /* 65 arrays of 64 */
	RAW("\0\0\0"), put_long(65);
	for (int i = 0; i < 65; i++)
		put_long(64), RAW("\0");
	RAW("\0");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: too many items");
}

static void blocks_that_lie_about_their_size(void **state)
{
	static const char *const longs = SCHEMA("{\"type\":\"array\",\"items\":\"long\"}");
	static const int64_t bad[] = {0, 1, 3};
	union any_event ev;
	struct err e = {0};

	(void)state;
	begin(longs);
	RAW("\0\0\0"), put_long(-2), put_long(2), RAW("\2\4\2\6\0"); /* and a block without size */
	assert_int_equal(decode_copy(EV_FEED_POSITION, bytes.data, bytes.len, &ev, &e), 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		begin(longs);
		RAW("\0\0\0"), put_long(-2), put_long(bad[i]), RAW("\2\4\0");
		refused(EV_FEED_POSITION,
			"undecodable: FeedPosition: block of another size than it says");
	}
	begin(longs);
	RAW("\0\0\0"), put_long(-2), put_long(4), RAW("\2\4\0");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: block beyond the end");
	begin(longs);
	RAW("\0\0\0"), put_long(-2), put_long(-2), RAW("\2\4\0");
	refused(EV_FEED_POSITION, "undecodable: FeedPosition: block beyond the end");
}

/* Items that take 0 bytes on the wire and many in memory: as many as the bytes warrant, then no
 * more. */
static void empty_records_do_not_fill_memory(void **state)
{
	static const char schema[] =
		"{\"type\":\"record\",\"name\":\"SubsidyDeclared\",\"namespace\":\"cn.keqiao."
		"qiao\",\"fields\":["
		"{\"name\":\"submission_id\",\"type\":{\"type\":\"fixed\",\"name\":\"Id\",\"size\":"
		"16}},"
		"{\"name\":\"attempt_id\",\"type\":\"Id\"},{\"name\":\"row_no\",\"type\":\"int\"},"
		"{\"name\":\"defects\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
		"\"name\":\"Defect\","
		"\"fields\":[{\"name\":\"code\",\"type\":\"string\"}]}}}]}";
	union any_event ev;
	struct err e = {0};

	(void)state;
	begin(schema);
	for (int i = 0; i < 33; i++)
		RAW("\0");
	put_long(CHECK_ITEMS_MAX);
	for (int i = 0; i < CHECK_ITEMS_MAX; i++)
		RAW("\0");
	RAW("\0");
	allocated = 0;
	assert_int_equal(decode_copy(EV_SUBSIDY_DECLARED, bytes.data, bytes.len, &ev, &e), 0);
	assert_int_equal(ev.subsidy_declared.defect_count, CHECK_ITEMS_MAX);
	assert_true(allocated < 2000000);
}

/* The second line behind the check: whatever avro-c asks for, the arena has an end. */
static void the_arena_has_an_end(void **state)
{
	struct arena a = {0};
	size_t taken = 0;

	(void)state;
	allocated = 0;
	for (int round = 0; round < 3; round++) {
		arena_begin(&a, 1 << 20);
		arena_use(&a);
		taken = 0;
		while (arena_alloc(1000))
			taken += 1000;
		assert_null(arena_alloc(1 << 30));
		arena_use(NULL);
		assert_false(a.no_memory);
		assert_true(taken >= 1 << 20 && taken <= 2 << 20);
	}
	assert_true(allocated < 3 * (3 << 20));
	arena_fini(&a);
}

static void make_small(struct event_gen *g, enum event_type t, union any_event *ev)
{
	struct err e = {0};

	do {
		event_gen_make(g, t, ev);
		buf_reset(&bytes);
		assert_int_equal(codec_encode(codec, t, ev, &bytes, &e), 0);
	} while (bytes.len > 1500);
}

static void every_truncation_and_every_extension(void **state)
{
	struct event_gen g;
	union any_event ev;

	(void)state;
	event_gen_init(&g, 7);
	for (int i = 0; i < 3 * EVENT_TYPES; i++) {
		enum event_type t = (enum event_type)(i % EVENT_TYPES);
		struct err e = {0};

		make_small(&g, t, &ev);
		for (size_t n = 0; n < bytes.len; n++) {
			if (decode_copy(t, bytes.data, n, &ev, &e) == 0)
				fail_msg("%s: %zu of %zu bytes decode", event_name(t), n,
					 bytes.len);
			assert_int_equal(e.class, ERR_PERM);
			assert_memory_equal(e.text, "undecodable", 11);
		}
		buf_put_u8(&bytes, 0);
		assert_int_equal(decode_copy(t, bytes.data, bytes.len, &ev, &e), -1);
		assert_non_null(strstr(e.text, "bytes behind the end"));
	}
	event_gen_fini(&g);
}

/* What still decodes after some bits were turned is an event like any other: it goes the round
 * trip. */
static void turned_bits(void **state)
{
	struct event_gen g;
	union any_event ev, again;
	struct buf out;
	int decoded = 0;

	(void)state;
	event_gen_init(&g, 200000);
	buf_init(&out, 4 << 20);
	for (int i = 0; i < 200000; i++) {
		enum event_type t = (enum event_type)(event_gen_next(&g) % EVENT_TYPES);
		int bits = 1 + (int)(event_gen_next(&g) % 3);
		struct err e = {0};

		make_small(&g, t, &ev);
		while (bits--) {
			uint64_t at = 80 + event_gen_next(&g) % (8 * (bytes.len - 10));

			bytes.data[at / 8] ^= (uint8_t)(1 << at % 8);
		}
		if (decode_copy(t, bytes.data, bytes.len, &ev, &e)) {
			assert_int_equal(e.class, ERR_PERM);
			continue;
		}
		decoded++;
		buf_reset(&out);
		if (codec_encode(codec, t, &ev, &out, &e))
			fail_msg("%s", e.text);
		/* ev still points into the codec: its copy is in out */
		assert_int_equal(decode_copy(t, out.data, out.len, &again, &e), 0);
		assert_true(out.len <= bytes.len);
	}
	assert_true(decoded > 20000 && decoded < 190000);
	buf_fini(&out);
	event_gen_fini(&g);
}

/* Once each type has been seen, decoding allocates nothing. */
static void decoding_settles_at_no_allocation(void **state)
{
	struct event_gen g;
	union any_event ev;
	struct str all[EVENT_TYPES];
	struct err e = {0};

	(void)state;
	event_gen_init(&g, 3);
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		make_small(&g, t, &ev);
		all[t].n = bytes.len;
		all[t].p = memcpy(__real_malloc(bytes.len), bytes.data, bytes.len);
	}
	for (int round = 0; round < 20; round++) {
		if (round == 3)
			allocations = 0;
		for (enum event_type t = 0; t < EVENT_TYPES; t++) {
			assert_int_equal(codec_decode(codec, t, all[t], &ev, &e), 0);
			buf_reset(&bytes);
			assert_int_equal(codec_encode(codec, t, &ev, &bytes, &e), 0);
			assert_int_equal(bytes.len, all[t].n);
			assert_memory_equal(bytes.data, all[t].p, all[t].n);
		}
	}
	assert_int_equal(allocations, 0);
	for (enum event_type t = 0; t < EVENT_TYPES; t++)
		free((char *)all[t].p);
	event_gen_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_that_are_none),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(texts_that_are_none),
		cmocka_unit_test(numbers_that_are_too_long),
		cmocka_unit_test(values_out_of_range),
		cmocka_unit_test(arrays_that_grow_out_of_nothing),
		cmocka_unit_test(blocks_that_lie_about_their_size),
		cmocka_unit_test(empty_records_do_not_fill_memory),
		cmocka_unit_test(the_arena_has_an_end),
		cmocka_unit_test(every_truncation_and_every_extension),
		cmocka_unit_test(turned_bits),
		cmocka_unit_test(decoding_settles_at_no_allocation),
	};

	return cmocka_run_group_tests(tests, open_codec, close_codec);
}
