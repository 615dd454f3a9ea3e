/* bench_year: a seeded year of the whole district (tests/lib/year.h). QIAO_PEOPLE (100000) people in 341 villages; QIAO_SEED repeats its
 * choices; QIAO_KEEP keeps the folder. Names what does not fit on stderr; ends with 1 when anything does not. */
#include "tests/lib/year.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { WRONG_PERMILLE = 10, SMALL = 20000 };

static int64_t number_of(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);

	return text && text[0] ? strtoll(text, NULL, 10) : otherwise;
}

static void tell(const struct year_figures *f)
{
	static const char *const names[] = {"gateway", "village", "tax", "ssa"};
	double sum = 0;

	printf("FIGURE unexplained_differences %" PRId64 " differences\n", f->unexplained);
	printf("FIGURE planted_faults %" PRId64 " faults\n", f->planted);
	printf("FIGURE planted_faults_found %" PRId64 " faults\n", f->found);
	printf("FIGURE year_payments %" PRId64 " payments\n", f->payments);
	printf("FIGURE year_kills %d kills\n", f->kills);
	printf("FIGURE cycle_payments_per_s %.2f payments/s\n", f->payments_per_s);
	for (int i = 0; i < 4; i++) {
		printf("FIGURE year_cpu_us_per_payment_%s %.2f us\n", names[i], f->cpu_us[i]);
		sum += f->cpu_us[i];
	}
	printf("FIGURE year_cpu_us_per_payment_sum %.2f us\n", sum);
}

int main(void)
{
	int64_t people = number_of("QIAO_PEOPLE", 100000), seed = number_of("QIAO_SEED", (int64_t)time(NULL) & 0xFFFFFF);
	struct year_options o = {.seed = (uint64_t)seed, .people = (uint32_t)people, .wrong_permille = WRONG_PERMILLE,
				 .kill_ms = people > SMALL ? 4000 : 700, .progress = stderr};
	static struct year y;
	struct err e = {0};
	int rc;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (people < 200 || people > 1000000) {
		fprintf(stderr, "bench_year: QIAO_PEOPLE is 200 to 1000000\n");
		return EXIT_USAGE;
	}
	printf("QIAO_SEED=%" PRId64 " QIAO_PEOPLE=%" PRId64 "\n", seed, people);
	rc = year_live(&y, &o, stderr, &e);
	y.world.keep = y.world.keep || getenv("QIAO_KEEP") != NULL;
	if (rc < 0)
		fprintf(stderr, "bench_year: %s (%s)\n", e.text, y.world.dir);
	else
		tell(&y.figures);
	year_close(&y);
	return rc == 0 && y.figures.unexplained == 0 && y.figures.found == y.figures.planted ? EXIT_YES : EXIT_NO;
}
