/* The ledger's commit and the way to the bus, with a disk that fails at the n-th write or sync, for every n: the flow ends with the
 * right class, and started again it comes to the same end with nothing lost or doubled. */
#include "tests/lib/fault_vfs.h"
#include "tests/lib/flow_world.h"
#include "tests/lib/unit.h"
#include <string.h>

static const struct fw_row rows[] = {{1, 50000, NULL}, {2, 50000, NULL}, {0, 50000, "id_length"}, {1, 50000, NULL}};

/* Everything that the outside does, up front: the flow has it all to decide. */
static struct id play(struct flow_world *w)
{
	struct id sub = fw_roster(w, "v1", "r", FW_VILLAGE, rows, COUNT(rows), true);
	fw_cover(w, sub, FW_VILLAGE, SPONSOR_COLLECTIVE, "S1", FW_NOW);
	fw_turns(w); /* files; from here on faults strike */
	fw_status(w, 1, true, FW_NOW);
	fw_status(w, 2, true, FW_NOW);
	fw_result(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0), "in_treasury", 0, FW_NOW);
	fw_result(w, fw_payment(SPONSOR_COLLECTIVE, "S1", 2, 0), "failed", 1, FW_NOW);
	return sub;
}

static void check_end(struct flow_world *w, struct id sub)
{
	struct subsidy_payment p;
	struct collected_subsidy c;
	struct submission_answer s;
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 2);
	assert_int_equal(fw_count(w, EV_COLLECTED_SUBSIDY, &c), 1);
	assert_int_equal(fw_count(w, EV_CONTRIBUTION_ENQUIRY, NULL), 2);
	assert_string_equal(fw_answer_of(w, sub, 5).code, "in_treasury"); /* versions dense: none twice, none missing */
	assert_string_equal(fw_answer_of(w, sub, 6).code, "tax_refused");
	assert_string_equal(fw_answer_of(w, sub, 7).code, "id_length");
	assert_string_equal(fw_answer_of(w, sub, 8).code, "duplicate_row");
	assert_true(fw_count(w, EV_SUBMISSION_ANSWER, &s) > 0);
	assert_int_equal(s.rows, 4);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_AWAITING_CREDIT], 1);
	assert_int_equal(st.count[SC_FAILED], 1);
	assert_int_equal(st.count[SC_REJECTED], 2);
}

/* One run with the n-th operation failing; gives whether the fault fired. */
static bool run(unsigned ops, int64_t n, enum fault_kind kind, bool on_bus)
{
	struct tmpdir dir;
	struct flow_world w;
	struct err e = {0};
	fw_open(&w, tmpdir_make(&dir));
	fw_stop(&w);
	*(on_bus ? &w.bus_vfs : &w.vfs) = FAULT_VFS;
	assert_int_equal(fw_start(&w, &e), 0);
	struct id sub = play(&w);
	fault_vfs_arm(ops, n, kind);
	int rc = fw_try_turns(&w, &e);
	bool fired = fault_vfs_fired() > 0;
	fault_vfs_disarm();
	if (rc != 0) {
		assert_true(fired);
		assert_int_equal(e.class, kind == FAULT_IO ? ERR_SAFE : ERR_TEMP);
		fw_stop(&w);
		memset(&e, 0, sizeof e);
		if (fw_start(&w, &e) != 0)
			fail_msg("second start: %s", e.text);
		fw_turns(&w);
	}
	check_end(&w, sub);
	fw_close(&w);
	tmpdir_remove(&dir);
	return fired;
}

static void every_n(unsigned ops, enum fault_kind kind, bool on_bus)
{
	int64_t n = 1;
	while (run(ops, n, kind, on_bus))
		n++;
	assert_true(n > 2); /* it fired at least for the first two */
}

static void ledger_write_full(void **state)
{
	(void)state;
	every_n(FAULT_WRITE, FAULT_DISK_FULL, false);
}

static void ledger_sync_fails(void **state)
{
	(void)state;
	every_n(FAULT_SYNC, FAULT_IO, false);
}

static void outbox_write_full(void **state)
{
	(void)state;
	every_n(FAULT_WRITE, FAULT_DISK_FULL, true);
}

static void outbox_sync_fails(void **state)
{
	(void)state;
	every_n(FAULT_SYNC, FAULT_IO, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ledger_write_full), cmocka_unit_test(ledger_sync_fails),
		cmocka_unit_test(outbox_write_full), cmocka_unit_test(outbox_sync_fails),
	};
	fault_vfs_install(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
