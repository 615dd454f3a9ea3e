/* The n-th allocation of ours fails, for every n: opening, encoding and decoding say so, leak
 * nothing, and a second try works; and a program built with a schema that its structs do not
 * match does not start. avro-c's own allocations while it parses a schema (at start only) are
 * spared: it does not survive their failure. */
/* WRAP: malloc calloc pinned_schema */
#include "tests/lib/event_gen.h"
#include "tests/lib/unit.h"
#include <string.h>

static int fail_at = -1; /* this many allocations pass before one fails; negative: all pass */
static int fired;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

static int now(void)
{
	if (fail_at < 0 || fail_at-- > 0)
		return 0;
	fired++;
	return 1;
}

void *__wrap_malloc(size_t n)
{
	return now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return now() ? NULL : __real_calloc(n, size);
}

static struct str other_schema; /* stands in for that of BookClosed */

struct str __real_pinned_schema(enum event_type t);
struct str __wrap_pinned_schema(enum event_type t);

struct str __wrap_pinned_schema(enum event_type t)
{
	return t == EV_BOOK_CLOSED && other_schema.p ? other_schema : __real_pinned_schema(t);
}

/* One field more, one less, another type, another record: all of them would do as a writer's
 * schema. */
static void opening_with_a_schema_that_differs(void **state)
{
#define HEAD "{\"type\":\"record\",\"namespace\":\"cn.keqiao.qiao\",\"name\":"
#define RUN_ID "{\"name\":\"run_id\",\"type\":{\"type\":\"fixed\",\"name\":\"Id\",\"size\":16}}"
#define LONG(name) ",{\"name\":\"" name "\",\"type\":\"long\"}"
#define REST \
	",{\"name\":\"attempt\",\"type\":\"long\",\"default\":0}" \
	",{\"name\":\"as_of\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},\"default\":0}"
	static const char *const bad[] = {
		HEAD "\"BookClosed\",\"fields\":[" RUN_ID LONG("count") LONG("amount_fen")
			REST LONG("more") "]}",
		HEAD "\"BookClosed\",\"fields\":[" RUN_ID LONG("amount_fen") LONG("count") REST "]}",
		HEAD "\"BookClosed\",\"fields\":[" RUN_ID LONG(
			"count") ",{\"name\":\"amount_fen\",\"type\":\"int\"}" REST "]}",
		HEAD "\"BookOpened\",\"fields\":[" RUN_ID LONG("from") LONG("to") "]}",
	};
	static const char good[] =
		HEAD "\"BookClosed\",\"fields\":[" RUN_ID LONG("count") LONG("amount_fen") REST "]}";
	struct codec *c = NULL;
	struct err e = {0};

	(void)state;
	other_schema = str_of(good);
	assert_int_equal(codec_open(&c, NULL, &e), 0);
	codec_close(c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		other_schema = str_of(bad[i]);
		assert_int_equal(codec_open(&c, NULL, &e), -1);
		assert_int_equal(e.class, ERR_CONF);
	}
	other_schema = __real_pinned_schema(EV_BOOK_OPENED);
	assert_int_equal(codec_open(&c, NULL, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	other_schema = (struct str){0};
}

static void opening(void **state)
{
	int n = 0;

	(void)state;
	for (;; n++) {
		struct codec *c = NULL;
		struct err e = {0};
		int rc;

		fail_at = n;
		fired = 0;
		rc = codec_open(&c, NULL, &e);
		fail_at = -1;
		if (fired == 0) {
			assert_int_equal(rc, 0);
			codec_close(c);
			break;
		}
		assert_int_equal(rc, -1);
		assert_null(c);
		assert_int_equal(e.class, ERR_TEMP);
	}
	assert_true(n > EVENT_TYPES * 20);
}

/* A type is decoded for the first time, and after a small event a large one. */
static void decoding(void **state)
{
	static char big[100000];
	struct rejected_event in = {.topic = STR("payments"), .reason = STR("undecodable")}, out;
	struct buf small, large;
	int fired_in_all = 0;

	(void)state;
	buf_init(&small, 1 << 20);
	buf_init(&large, 1 << 20);
	for (int n = 0;; n++) {
		struct codec *c = NULL;
		struct err e = {0};
		int first, second;

		in.bytes = (struct str){big, 10};
		assert_int_equal(codec_open(&c, NULL, &e), 0);
		buf_reset(&small);
		buf_reset(&large);
		assert_int_equal(codec_encode(c, EV_REJECTED_EVENT, &in, &small, &e), 0);
		in.bytes.n = sizeof big;
		assert_int_equal(codec_encode(c, EV_REJECTED_EVENT, &in, &large, &e), 0);
		fail_at = n;
		fired = 0;
		first = codec_decode(c, EV_REJECTED_EVENT,
				     (struct str){(char *)small.data, small.len}, &out, &e);
		second = codec_decode(c, EV_REJECTED_EVENT,
				      (struct str){(char *)large.data, large.len}, &out, &e);
		fail_at = -1;
		if (first || second)
			assert_int_equal(e.class, ERR_TEMP);
		if (second) {
			assert_null(out.topic.p);
			assert_int_equal(codec_decode(c, EV_REJECTED_EVENT,
						      (struct str){(char *)large.data, large.len},
						      &out, &e),
					 0);
		}
		assert_null(event_differs(shape_of(EV_REJECTED_EVENT), &in, &out));
		codec_close(c);
		fired_in_all += first || second;
		if (fired == 0)
			break;
	}
	assert_true(fired_in_all > 0);
	buf_fini(&small);
	buf_fini(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_with_a_schema_that_differs),
		cmocka_unit_test(opening),
		cmocka_unit_test(decoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
