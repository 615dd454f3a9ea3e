/* Which rows go out together, which are halved, which come again alone; and the map of ids. */
#include "adapters/common/pass.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct pass pass;
static struct idmap map;

static void fill(int count)
{
	pass_init(&pass);
	for (int i = 0; i < count; i++)
		pass_add(&pass, i * 10);
}

static void batches_are_cut_to_size(void **state)
{
	const int *rows;
	int count, next = 0;

	(void)state;
	fill(0);
	assert_true(pass_over(&pass));
	assert_false(pass_head(&pass, 10, &rows, &count));
	fill(25);
	while (pass_head(&pass, 10, &rows, &count)) {
		assert_int_equal(count, next < 20 ? 10 : 5);
		for (int i = 0; i < count; i++)
			assert_int_equal(rows[i], 10 * next++);
		/* A head that is not settled comes again; and smaller when less is allowed. */
		assert_true(pass_head(&pass, 10, &rows, &count));
		assert_int_equal(rows[0], 10 * (next - count));
		pass_drop(&pass);
	}
	assert_int_equal(next, 25);
	assert_true(pass_over(&pass));
}

static void the_size_may_shrink_and_grow(void **state)
{
	static const int sizes[] = {1000, 250, 62, 15, 3, 1, 1000, 7, 1000};
	const int *rows;
	int count, seen = 0;

	(void)state;
	fill(WINDOW_MAX);
	for (int turn = 0; pass_head(&pass, sizes[turn % 9], &rows, &count); turn++) {
		assert_true(count <= sizes[turn % 9]);
		if (turn % 3 == 2) { /* two of three fail */
			assert_int_equal(rows[0], seen * 10);
			seen += count;
			pass_drop(&pass);
		}
	}
	assert_int_equal(seen, WINDOW_MAX);
}

/* A peer that refuses any batch with a bad row in it: every bad row ends alone, every good one goes
 * through, each once. */
static int bisect(int count, const bool *bad, bool *refused, bool *taken)
{
	const int *rows;
	int n, requests = 0;

	fill(count);
	while (pass_head(&pass, 1000, &rows, &n)) {
		bool any = false;

		requests++;
		for (int i = 0; i < n; i++)
			any = any || bad[rows[i] / 10];
		if (any && pass_split(&pass))
			continue;
		for (int i = 0; i < n; i++) {
			assert_false(taken[rows[i] / 10] || refused[rows[i] / 10]);
			(any ? refused : taken)[rows[i] / 10] = true;
		}
		assert_true(!any || n == 1);
		pass_drop(&pass);
	}
	return requests;
}

static void a_bad_row_fails_alone(void **state)
{
	static const struct {
		int count, every, requests_max;
	} cases[] = {{1, 1, 1},	      {2, 2, 3},  {1000, 1000, 21}, {1000, 500, 40},
		     {1000, 1, 1999}, {7, 3, 13}, {1000, 2000, 1}};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		bool bad[WINDOW_MAX] = {false}, refused[WINDOW_MAX] = {false},
		     taken[WINDOW_MAX] = {false};

		for (int i = cases[c].every - 1; i < cases[c].count; i += cases[c].every)
			bad[i] = true;
		assert_true(bisect(cases[c].count, bad, refused, taken) <= cases[c].requests_max);
		for (int i = 0; i < cases[c].count; i++) {
			assert_int_equal(refused[i], bad[i]);
			assert_int_equal(taken[i], !bad[i]);
		}
	}
}

static void left_out_rows_come_again_alone(void **state)
{
	const int *rows;
	int count;

	(void)state;
	fill(5);
	assert_true(pass_head(&pass, 10, &rows, &count));
	assert_true(pass_aside(&pass, 10));
	assert_true(pass_aside(&pass, 30));
	pass_drop(&pass);
	assert_false(pass_over(&pass));
	assert_true(pass_head(&pass, 10, &rows, &count));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0], 10);
	assert_false(pass_split(&pass));
	pass_drop(&pass);
	assert_true(pass_head(&pass, 10, &rows, &count));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0], 30);
	for (int round = 2; round <= PASS_ROUNDS; round++) { /* the one again and again */
		assert_true(pass_aside(&pass, 30));
		pass_drop(&pass);
		assert_true(pass_head(&pass, 10, &rows, &count));
		assert_int_equal(rows[0], 30);
	}
	assert_false(pass_aside(&pass, 30));
	pass_drop(&pass);
	assert_true(pass_over(&pass));
	assert_false(pass_head(&pass, 10, &rows, &count));
}

static void rows_can_be_taken_out(void **state)
{
	static const int left[] = {0, 20, 40};
	const int *rows;
	int count;

	(void)state;
	fill(6);
	assert_true(pass_head(&pass, 5, &rows, &count));
	pass_remove(&pass, 30);
	pass_remove(&pass, 10);
	assert_true(pass_head(&pass, 5, &rows, &count));
	assert_int_equal(count, 3);
	assert_memory_equal(rows, left, sizeof left);
	for (int i = 0; i < 3; i++)
		pass_remove(&pass, left[i]);
	assert_true(pass_head(&pass, 5, &rows, &count));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0], 50);
	pass_remove(&pass, 50);
	assert_true(pass_over(&pass));
}

static struct id id_of(int i)
{
	struct id id = {{0}};

	/* All in four slots: the worst case. */
	id.b[0] = (uint8_t)(i % 4);
	memcpy(id.b + 8, &i, sizeof i);
	return id;
}

static void ids_are_found_again(void **state)
{
	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		idmap_reset(&map);
		for (int i = 0; i < WINDOW_MAX; i++) {
			struct id id = id_of(i + turn);

			assert_int_equal(idmap_find(&map, &id), -1);
			assert_int_equal(idmap_add(&map, &id, i), -1);
			assert_int_equal(idmap_add(&map, &id, 5000), i);
		}
		assert_int_equal(map.count, WINDOW_MAX);
		for (int i = 0; i < WINDOW_MAX; i++) {
			struct id id = id_of(i + turn);

			assert_int_equal(idmap_find(&map, &id), i);
			idmap_set(&map, &id, -i - 2);
			assert_int_equal(idmap_find(&map, &id), -i - 2);
		}
		struct id other = id_of(WINDOW_MAX + turn);
		assert_int_equal(idmap_find(&map, &other), -1);
	}
	map.turn = UINT32_MAX; /* the counter of turns wraps */
	idmap_reset(&map);
	struct id id = id_of(1);
	assert_int_equal(idmap_find(&map, &id), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_are_cut_to_size),
		cmocka_unit_test(the_size_may_shrink_and_grow),
		cmocka_unit_test(a_bad_row_fails_alone),
		cmocka_unit_test(left_out_rows_come_again_alone),
		cmocka_unit_test(rows_can_be_taken_out),
		cmocka_unit_test(ids_are_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
