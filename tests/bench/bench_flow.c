/* The gateway alone: CPU per payment of each step of a payment's life, in one process, on the local bus with a durable ledger. The
 * agencies' and the village's side is not counted. Argument: rows (default 100000). */
#include "tests/lib/flow_world.h"
#include "tests/lib/unit.h"
#include <sys/resource.h>
#include <time.h>

enum { PACKAGE = 5000 };

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void step(struct flow_world *w, const char *name, int n, double *sum)
{
	fw_flush(w);
	double before = cpu_s();
	fw_turns(w);
	double us = (cpu_s() - before) * 1e6 / n;
	printf("FIGURE flow_us_%s %.2f us\n", name, us);
	*sum += us;
}

static void bench(void **state)
{
	int n = *(int *)*state;
	struct tmpdir dir;
	struct flow_world w;
	struct fw_row *rows = calloc(PACKAGE, sizeof *rows);
	struct rusage usage;
	double sum = 0;
	fw_open(&w, tmpdir_make(&dir));
	w.lazy = true;
	w.conf.gateway.cache_kib = 16384;
	fw_stop(&w);
	struct err e = {0};
	assert_int_equal(fw_start(&w, &e), 0);
	for (int i = 0; i < n; i += PACKAGE) {
		char name[20];
		snprintf(name, sizeof name, "r%d", i);
		for (int k = 0; k < PACKAGE; k++)
			rows[k] = (struct fw_row){i + k + 1, 50000, NULL};
		struct id sub = fw_roster(&w, "v", name, FW_VILLAGE, rows, PACKAGE, true);
		fw_cover(&w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	}
	step(&w, "file", n, &sum);
	for (int i = 1; i <= n; i++)
		fw_status(&w, i, true, FW_NOW);
	step(&w, "instruct", n, &sum);
	static const char *const states[] = {"accepted", "paid", "in_treasury"};
	for (int s = 0; s < 3; s++) {
		for (int i = 1; i <= n; i++)
			fw_result(&w, fw_payment(SPONSOR_COLLECTIVE, "S1", i, 0), states[s], s == 0, FW_NOW);
		step(&w, states[s], n, &sum);
	}
	for (int i = 1; i <= n; i++)
		fw_credit(&w, EV_ACCOUNT_CREDITED, fw_payment(SPONSOR_COLLECTIVE, "S1", i, 0), 50000);
	step(&w, "credit", n, &sum);
	assert_int_equal(fw_statement(&w).count[SC_CREDITED], n);
	getrusage(RUSAGE_SELF, &usage);
	printf("FIGURE flow_us_all %.2f us\nFIGURE flow_peak_mib %ld MiB\n", sum, usage.ru_maxrss / 1024);
	fw_close(&w);
	tmpdir_remove(&dir);
	free(rows);
}

int main(int argc, char **argv)
{
	int64_t n = 100000;
	if (argc > 1)
		(void)str_int(str_of(argv[1]), PACKAGE, 100000000, &n);
	int rows = (int)(n / PACKAGE * PACKAGE);
	const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(bench, &rows)};
	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
