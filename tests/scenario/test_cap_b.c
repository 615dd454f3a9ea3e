/* Two villages file for the same people at the same moment: whatever comes first on the bus, nobody is given more than the highest
 * tier, and what does not fit is refused whole. The highest tier is lowered for it, so that two subsidies of 400 yuan do not fit. */
#include "ledger/internal.h"
#include "ledger/read.h"
#undef COUNT
#include "base/fs.h"
#include "tests/lib/books.h"
#include "tests/lib/bulk.h"
#include "tests/lib/load.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <unistd.h>

enum { PEOPLE = 400, PATIENCE_MS = 120000 };
#define TIER_FEN 60000

static const struct {
	const char *town, *name, *code;
} villages[] = {{"柯桥街道", "管墅社区居委会", "330603001008"}, {"柯桥街道", "港越社区居委会", "330603001030"}};

/* The first line of text that begins with name becomes "name = value". */
static void set_line(struct buf *text, const char *name, const char *value)
{
	char *at = strstr((char *)text->data, name), *end = at ? strchr(at + 1, '\n') : NULL;
	struct buf out;
	assert_non_null(end);
	buf_init(&out, 1 << 20);
	assert_int_equal(buf_put(&out, text->data, (size_t)(at - (char *)text->data)), 0);
	assert_int_equal(buf_printf(&out, "%s%s%s", name, value, end), 0);
	buf_reset(text);
	assert_int_equal(buf_put(text, out.data, out.len), 0);
	assert_non_null(buf_text(text));
	buf_fini(&out);
}

static void lower_the_tier(const char *folder)
{
	char path[600];
	struct buf text;
	struct err e = {0};
	buf_init(&text, 1 << 20);
	assert_int_equal(fs_read("config/policy/2026.ini", &text, &e), 0);
	assert_non_null(buf_text(&text));
	set_line(&text, "\ntiers = ", "100 300 600");
	set_line(&text, "\nhighest_tier = ", "600");
	snprintf(path, sizeof path, "%.500s/2026.ini", folder);
	assert_int_equal(fs_write_atomic(path, text.data, text.len, 0600, &e), 0);
	buf_fini(&text);
}

/* The programs shall read that policy. */
static int point_to_it(struct world *w, void *folder, struct err *e)
{
	char path[512];
	struct buf text;
	int rc;
	buf_init(&text, 1 << 20);
	assert_int_equal(fs_read(world_path(w, path, "qiao.ini"), &text, e), 0);
	assert_non_null(buf_text(&text));
	set_line(&text, "\npolicy = ", folder);
	rc = fs_write_atomic(path, text.data, text.len, 0600, e);
	buf_fini(&text);
	return rc;
}

static void drop_both(struct world *w)
{
	static const char *const kinds[] = {"csv", "plan.json", "cover.json"};
	char from[700], to[700], next[512];
	struct err e = {0};
	assert_int_equal(fs_mkdirs(world_path(w, next, "next"), &e), 0);
	for (int i = 0; i < 2; i++) {
		struct bulk b = {.seed = 7, .town = villages[i].town, .village = villages[i].name, .code = villages[i].code, .sponsor = (uint32_t)i, .count = PEOPLE};
		snprintf(from, sizeof from, "%s/%d.csv", next, i);
		snprintf(to, sizeof to, "%s/%d.cover.json", next, i);
		if (bulk_write(&b, from, to, &e) < 0)
			fail_msg("%s", e.text);
		snprintf(to, sizeof to, "%s/data/inbox/%s", w->dir, villages[i].code);
		assert_int_equal(fs_mkdirs(to, &e), 0);
	}
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 2; i++) {
			snprintf(from, sizeof from, "%s/%d.%s", next, i, kinds[k]);
			snprintf(to, sizeof to, "%s/data/inbox/%s/%d.%s", w->dir, villages[i].code, i, kinds[k]);
			assert_int_equal(rename(from, to), 0);
		}
}

static int64_t ask(const struct world *w, const char *sql)
{
	struct ledger_view *v;
	struct err e = {0};
	char path[512];
	int64_t n = -1;
	if (view_open(&v, world_path(w, path, "data/gateway/ledger.db"), &e) != 0 || one_int(view_store(v), sql, &n, &e) != 0)
		fail_msg("%s", e.text);
	view_close(v);
	return n;
}

static int all_final(void *arg, struct err *e)
{
	(void)e;
	return ask(arg, "SELECT count(*) FROM decl WHERE final") == 2 * PEOPLE;
}

static void nobody_gets_more_than_the_tier(void **state)
{
	static const char *const ssa[] = {"--everyone-paid", "2026", NULL};
	struct tmpdir dir;
	char folder[300];
	struct world w;
	struct err e = {0};
	(void)state;
	snprintf(folder, sizeof folder, "%s", tmpdir_make(&dir));
	lower_the_tier(folder);
	const struct world_options o = {.day = "2026-12-24", .ssa_args = ssa, .before_init = point_to_it, .arg = folder};
	int opened = world_open(&w, &o, &e);
	w.keep = getenv("QIAO_KEEP") != NULL;
	if (opened < 0 || world_found(&w, &e) < 0)
		fail_msg("%s", e.text);
	drop_both(&w);
	if (world_start_four(&w, &e) < 0 || world_wait(PATIENCE_MS, all_final, &w, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(ask(&w, "SELECT count(DISTINCT token) FROM decl WHERE amount_fen * 2 > 60000") > PEOPLE / 4);
	/* Of two that do not fit together one is credited, and the other is told that there is no room. */
	assert_int_equal(ask(&w, "SELECT count(*) FROM (SELECT sum(pid IS NOT NULL) paid, sum(coalesce(code, '') = 'cap_b_exceeded') refused,"
				 " max(amount_fen) fen FROM decl WHERE voided = 0 GROUP BY token HAVING NOT"
				 " ((fen > 30000 AND paid = 1 AND refused = 1) OR (fen <= 30000 AND paid = 2 AND refused = 0)))"), 0);
	assert_true(ask(&w, "SELECT max(fen) FROM (SELECT sum(amount_fen) fen FROM decl WHERE pid IS NOT NULL GROUP BY token)") <= TIER_FEN);
	assert_int_equal(ask(&w, "SELECT count(*) FROM decl WHERE pid IS NOT NULL"), load_credited(&w, &e));
	world_close(&w);
	tmpdir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_gets_more_than_the_tier)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
