/* The n-th allocation of ours fails, for every n: opening, encoding and decoding say so, leak nothing, and a second try
 * works. avro-c's own allocations while it parses a schema (at start only) are spared: it does not survive their failure. */
/* WRAP: malloc calloc */
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
		first = codec_decode(c, EV_REJECTED_EVENT, (struct str){(char *)small.data, small.len}, &out, &e);
		second = codec_decode(c, EV_REJECTED_EVENT, (struct str){(char *)large.data, large.len}, &out, &e);
		fail_at = -1;
		if (first || second)
			assert_int_equal(e.class, ERR_TEMP);
		if (second) {
			assert_null(out.topic.p);
			assert_int_equal(codec_decode(c, EV_REJECTED_EVENT,
						      (struct str){(char *)large.data, large.len}, &out, &e), 0);
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
		cmocka_unit_test(opening),
		cmocka_unit_test(decoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
