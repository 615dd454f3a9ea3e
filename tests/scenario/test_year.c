/* The year of bench_year (tests/lib/year.h) with a few hundred people, so that neither the bench nor what it proves can rot: nothing is
 * unexplained, all that the agencies said wrongly is found, and some of it was there to be found. QIAO_SEED repeats its choices. */
#include "tests/lib/unit.h"
#include "tests/lib/year.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
enum { PEOPLE = 300 };
#else
enum { PEOPLE = 600 };
#endif
enum { WRONG_PERMILLE = 54, KILL_MS = 800, PLANTED_AT_LEAST = 8, KILLS_AT_LEAST = 2 };

static void a_year_ends_without_a_question(void **state)
{
	const char *seed = getenv("QIAO_SEED");
	const struct year_options o = {.seed = seed ? strtoull(seed, NULL, 10) : 26, .people = PEOPLE, .wrong_permille = WRONG_PERMILLE,
				       .kill_ms = KILL_MS, .progress = stdout};
	static struct year y;
	const struct year_figures *f = &y.figures;
	struct err e = {0};
	int rc = year_live(&y, &o, stdout, &e);

	(void)state;
	y.world.keep = getenv("QIAO_KEEP") != NULL;
	print_message("QIAO_SEED=%" PRIu64 ": %" PRId64 " payments, %d kills, %" PRId64 " planted, %" PRId64 " found, %" PRId64 " unexplained\n",
		      o.seed, f->payments, f->kills, f->planted, f->found, f->unexplained);
	year_close(&y);
	if (rc != 0)
		fail_msg("%s (%s)", e.text, y.world.dir);
	assert_int_equal(f->unexplained, 0);
	assert_int_equal(f->found, f->planted);
	assert_true(f->planted >= PLANTED_AT_LEAST && f->kills >= KILLS_AT_LEAST && f->payments > PEOPLE / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_year_ends_without_a_question),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
