/* WRAP: realloc */
/* Memory runs out while a buffer grows: it says so, keeps what it held, and works again
 * afterwards. */
#include "base/buf.h"
#include "tests/lib/unit.h"
#include <string.h>

static int fail_at, fired; /* the n-th call from now on fails, 0 = none */

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_realloc(void *p, size_t n)
{
	if (fail_at > 0 && --fail_at == 0) {
		fired++;
		return NULL;
	}
	return __real_realloc(p, n);
}

/* Puts a few KiB in small pieces; gives the number of pieces that went in before one did not. */
static size_t fill(struct buf *b, int (*put)(struct buf *))
{
	size_t count = 0;

	while (count < 1000 && put(b) == 0)
		count++;
	return count;
}

static int put_bytes(struct buf *b)
{
	return buf_put(b, "0123456789", 10);
}

static int put_format(struct buf *b)
{
	return buf_printf(b, "%s", "0123456789");
}

static void assert_whole(struct buf *b, size_t count)
{
	assert_int_equal(b->len, count * 10);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(b->data + i * 10, "0123456789", 10);
}

static void every_growth_fails_once(void **state)
{
	static int (*const puts[])(struct buf *) = {put_bytes, put_format};

	(void)state;
	for (size_t i = 0; i < COUNT(puts); i++) {
		int n;

		for (n = 1;; n++) {
			struct buf b;
			size_t count;

			buf_init(&b, 1 << 20);
			fired = 0;
			fail_at = n;
			count = fill(&b, puts[i]);
			fail_at = 0;
			assert_whole(&b, count);
			if (fired) {
				assert_true(count < 1000);
				count += fill(&b, puts[i]); /* memory is back */
				assert_whole(&b, count);
			}
			buf_fini(&b);
			if (!fired)
				break;
		}
		assert_true(n > 4); /* the first allocation and several growths */
	}
}

static void no_memory_is_no_text(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	fired = 0;
	fail_at = 1;
	assert_null(buf_text(&b));
	assert_int_equal(fired, 1);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_growth_fails_once),
		cmocka_unit_test(no_memory_is_no_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
