/* The ledger's commit and the way to the bus, with a disk that fails at the n-th write or sync, for every n: the flow ends with the
 * right class, and started again it comes to the same end with nothing lost or doubled. */
#include "tests/lib/fault_vfs.h"
#include "tests/lib/flow_world.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <unistd.h>

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

/* The year's end: a roster that never got its cover expires, a pending payment by the SSA's last word; and one in doubt is sent
 * again. */
static struct id play_end(struct flow_world *w)
{
	struct id sub = fw_roster(w, "v1", "waits", FW_VILLAGE, rows, COUNT(rows), true);
	struct id late = fw_roster(w, "v1", "late", FW_VILLAGE, (struct fw_row[]){{7, 50000, NULL}, {8, 50000, NULL}}, 2, true);
	struct id doubtful = fw_payment(SPONSOR_CHARITY, "S2", 8, 0);
	fw_cover(w, late, FW_VILLAGE, SPONSOR_CHARITY, "S2", FW_NOW);
	fw_status(w, 8, true, FW_NOW);
	fw_turns(w);
	fw_status(w, 8, true, FW_NOW);
	fw_turns(w);
	fw_result(w, doubtful, "in_doubt", 1, "2027-01-01T08:00:00+08:00");
	fw_turns(w);
	fw_time(w, "2027-01-02T09:00:00+08:00");
	fw_turns(w);
	fw_result(w, doubtful, "unknown", 1, "2027-01-02T09:00:01+08:00");
	fw_feed_reached(w, "2027-01-02T08:00:00+08:00");
	fw_status(w, 7, false, "2027-01-02T08:30:00+08:00");
	fw_time(w, "2027-01-02T09:01:00+08:00");
	return sub;
}

static void check_year_end(struct flow_world *w, struct id sub)
{
	struct subsidy_payment p;
	struct id late;
	submission_id(&late, STR("v1"), STR("late"));
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, &p), 2);
	assert_int_equal(p.attempt, 2);
	assert_int_equal(fw_count(w, EV_PAYMENT_ENQUIRY, NULL), 1);
	assert_string_equal(fw_answer_of(w, sub, 5).code, "not_filed_in_time");
	assert_string_equal(fw_answer_of(w, sub, 6).code, "not_filed_in_time");
	assert_string_equal(fw_answer_of(w, sub, 8).code, "duplicate_row");
	assert_string_equal(fw_answer_of(w, late, 5).code, "contribution_not_in_time");
	assert_true(fw_answer_of(w, late, 5).final);
	struct stat st = fw_statement(w);
	assert_int_equal(st.count[SC_EXPIRED], 3);
	assert_int_equal(st.count[SC_IN_FLIGHT], 1);
	assert_int_equal(fw_rebuild(w, sub) + fw_rebuild(w, late), 6);
}

static const struct story {
	struct id (*play)(struct flow_world *w);
	void (*check)(struct flow_world *w, struct id sub);
} stories[] = {{play, check_end}, {play_end, check_year_end}};

/* One run with the n-th operation failing; gives whether the fault fired. */
static bool run(const struct story *story, unsigned ops, int64_t n, enum fault_kind kind, bool on_bus)
{
	struct tmpdir dir;
	struct flow_world w;
	struct err e = {0};
	fw_open(&w, tmpdir_make(&dir));
	fw_stop(&w);
	*(on_bus ? &w.bus_vfs : &w.vfs) = FAULT_VFS;
	assert_int_equal(fw_start(&w, &e), 0);
	struct id sub = story->play(&w);
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
	story->check(&w, sub);
	fw_close(&w);
	tmpdir_remove(&dir);
	return fired;
}

static void every_n(unsigned ops, enum fault_kind kind, bool on_bus)
{
	for (size_t i = 0; i < COUNT(stories); i++) {
		int64_t n = 1;
		while (run(&stories[i], ops, n, kind, on_bus))
			n++;
		assert_true(n > 2); /* it fired at least for the first two */
	}
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
	/* The faults are ours; what lies below them may be memory. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	fault_vfs_install(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
