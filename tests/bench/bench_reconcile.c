/* Reconciliation with both books: the gateway alone, in one process, on the local bus with a durable ledger. Counted is all from the first
 * entry read to the end of the run; the payments are put into the ledger, and the books onto the bus, before. Argument: rows a side
 * (default 1000000). One entry in a thousand differs, one has no id of ours. */
#include "base/date.h"
#include "crypto/digest.h"
#include "ledger/books.h"
#include "ledger/internal.h"
#include "tests/lib/flow_world.h"
#include "tests/lib/unit.h"
#include <sys/resource.h>
#include <time.h>

enum { FACTS = F_DECLARED | F_FILED | F_INSTRUCTED | F_ACCEPTED | F_PAID | F_IN_TREASURY | F_FED_BACK | F_CREDITED };

static struct id id_of(const char *what, int64_t i)
{
	struct str parts[] = {str_of(what), {(const char *)&i, sizeof i}};
	struct id id;
	id_make(&id, parts, 2);
	return id;
}

static void fill(struct flow_world *w, int64_t n, int64_t now)
{
	struct store *st;
	struct stmt *q;
	struct err e = {0};
	struct store_options o = {.cache_kib = 65536};
	int rc = store_open(&st, w->ledger_path, &ledger_kind, &o, &e);
	rc = rc || store_begin(st, &e) ||
	     store_prepare(st, &q,
			   "INSERT INTO decl(no, sub, row_no, token, amount_fen, facts, voided, repeat, pid, year, sponsor_type, sponsor,"
			   " instructed_at, paid_at, treasury_at, receipt, answer_version, result, final, last_history)"
			   " VALUES(?1, 1, ?1, ?2, 50000, ?3, 0, 0, ?4, 2026, 0, ?2, ?5, ?5, ?5, '433000000000000017', 1, 4, 1, 0)",
			   &e);
	for (int64_t i = 1; i <= n && rc == 0; i++) {
		struct id pid = id_of("payment", i), token = id_of("person", i);
		stmt_int(q, 1, i);
		stmt_blob(q, 2, token.b, ID_LEN);
		stmt_int(q, 3, FACTS);
		stmt_blob(q, 4, pid.b, ID_LEN);
		stmt_int(q, 5, now);
		rc = stmt_run(q, &e);
	}
	if (rc != 0 || store_commit(st, &e) != 0)
		fail_msg("%s", e.text);
	store_close(st);
}

static void send_book(struct flow_world *w, struct bus *bus, struct id run, int64_t n, int64_t now)
{
	struct book_opened o = {.run_id = run, .attempt = 1};
	struct book_closed c = {.run_id = run, .attempt = 1, .as_of = now + 7200000};
	fw_publish_as(w, bus, EV_BOOK_OPENED, &o, run);
	for (int64_t i = 1; i <= n; i++) {
		struct book_entry x = {.run_id = run, .attempt = 1, .seq = i, .at = now, .amount_fen = i % 1000 ? 50000 : 50100,
				       .token = {true, id_of("person", i)}, .payment_id = {i % 1000 != 1, id_of("payment", i)},
				       .state = bus == w->tax_bus ? STR("in_treasury") : STR("credited"),
				       .receipt = STR("433000000000000017")};
		c.count++;
		c.amount_fen += x.amount_fen;
		fw_publish_as(w, bus, EV_BOOK_ENTRY, &x, run);
	}
	fw_publish_as(w, bus, EV_BOOK_CLOSED, &c, run);
}

static void bench(void **state)
{
	int64_t n = *(int64_t *)*state, now = 0;
	struct tmpdir dir;
	struct flow_world w;
	struct timespec t[2];
	struct rusage usage[2];
	struct ledger_view *v;
	struct run run;
	struct run_sum sums[BOOKS][BOOK_CLASSES];
	struct err e = {0};
	fw_open(&w, tmpdir_make(&dir));
	w.conf.gateway.cache_kib = 16384;
	fw_stop(&w);
	assert_int_equal(time_parse(STR(FW_NOW), &now), 0);
	fill(&w, n, now);
	fw_time(&w, "2026-12-24T12:00:00+08:00");
	assert_int_equal(fw_start(&w, &e), 0);
	struct id op = fw_operation(&w, "reconcile", "2026", "tax,ssa 1767196800000 1830268800000", "anna");
	fw_turns(&w);
	w.lazy = true;
	send_book(&w, w.tax_bus, op, n, now);
	send_book(&w, w.ssa_bus, op, n, now);
	fw_flush(&w);
	getrusage(RUSAGE_SELF, &usage[0]);
	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	fw_turns(&w);
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	getrusage(RUSAGE_SELF, &usage[1]);
	assert_int_equal(view_open(&v, w.ledger_path, &e), 0);
	assert_int_equal(view_run(v, NULL, &run, &e), 1);
	assert_int_equal(view_run_sums(v, run.no, sums, &e), 0);
	view_close(v);
	assert_int_equal(run.state, RUN_DONE);
	for (int b = 0; b < BOOKS; b++) {
		assert_int_equal(sums[b][BC_AMOUNT].count, n / 1000);
		assert_int_equal(sums[b][BC_SAME].count, n - n / 1000);
	}
	printf("FIGURE reconcile_rows_a_side %lld rows\nFIGURE reconcile_s %.2f s\n", (long long)n,
	       (double)(t[1].tv_sec - t[0].tv_sec) + (double)(t[1].tv_nsec - t[0].tv_nsec) / 1e9);
	double cpu = 0;
	for (int i = 0; i < 2; i++)
		cpu += (i ? 1 : -1) * ((double)usage[i].ru_utime.tv_sec + (double)usage[i].ru_stime.tv_sec +
				       (double)(usage[i].ru_utime.tv_usec + usage[i].ru_stime.tv_usec) / 1e6);
	printf("FIGURE reconcile_us %.2f us\nFIGURE reconcile_peak_mib %ld MiB\n", cpu * 1e6 / (double)n, usage[1].ru_maxrss / 1024);
	fw_close(&w);
	tmpdir_remove(&dir);
}

int main(int argc, char **argv)
{
	int64_t n = 1000000;
	if (argc > 1)
		(void)str_int(str_of(argv[1]), 1000, 100000000, &n);
	const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(bench, &n)};
	return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
