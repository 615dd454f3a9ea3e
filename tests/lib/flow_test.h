/* What the tests of the flow share: a world of their own each, and the few steps that most of them begin with. */
#ifndef QIAO_TESTS_FLOW_TEST_H
#define QIAO_TESTS_FLOW_TEST_H
#include "base/date.h"
#include "tests/lib/flow_world.h"
#include "tests/lib/unit.h"
#include <string.h>

struct flow_test {
	struct tmpdir dir;
	struct flow_world w;
};

static inline int setup(void **state)
{
	struct flow_test *t = calloc(1, sizeof *t);
	fw_open(&t->w, tmpdir_make(&t->dir));
	*state = t;
	return 0;
}

static inline int teardown(void **state)
{
	struct flow_test *t = *state;
	fw_close(&t->w);
	tmpdir_remove(&t->dir);
	free(t);
	return 0;
}

#define WORLD(state) (&((struct flow_test *)*(state))->w)
#define ANSWERED(w, sub, row, c, f) \
	do { \
		struct fw_answer a_ = fw_answer_of(w, sub, row); \
		assert_string_equal(a_.code, c); \
		assert_int_equal(a_.final, f); \
	} while (0)

static inline int64_t at(const char *text)
{
	int64_t t;
	assert_int_equal(time_parse(str_of(text), &t), 0);
	return t;
}

static inline void start(struct flow_world *w)
{
	struct err e = {0};
	if (fw_start(w, &e) != 0)
		fail_msg("%s", e.text);
}

static inline void restart(struct flow_world *w)
{
	fw_stop(w);
	start(w);
}

static inline void one_turn(struct flow_world *w)
{
	struct err e = {0};
	bool worked;
	if (flow_turn(w->flow, &worked, &e) != 0)
		fail_msg("%s", e.text);
}

static inline int differences(struct flow_world *w)
{
	struct ledger_view *v;
	struct err e = {0};
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	int n = (int)view_differences(v);
	view_close(v);
	return n;
}

static inline struct id filed_by(struct flow_world *w, const char *name, enum sponsor_type t, const char *sponsor,
			  const struct fw_row *rows, int n)
{
	struct id sub = fw_roster(w, "v1", name, FW_VILLAGE, rows, n, true);
	fw_cover(w, sub, FW_VILLAGE, t, sponsor, FW_NOW);
	fw_turns(w);
	return sub;
}

/* One row of person 1 over 500 yuan, filed and, if so told, instructed. */
static inline struct id one_payment(struct flow_world *w, bool instructed, struct id *pid)
{
	struct id sub = filed_by(w, "roster", SPONSOR_COLLECTIVE, "S1", (struct fw_row[]){{1, 50000, NULL}}, 1);
	*pid = fw_payment(SPONSOR_COLLECTIVE, "S1", 1, 0);
	if (instructed)
		fw_status(w, 1, true, FW_NOW);
	fw_turns(w);
	assert_int_equal(fw_count(w, EV_SUBSIDY_PAYMENT, NULL), instructed);
	return sub;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
