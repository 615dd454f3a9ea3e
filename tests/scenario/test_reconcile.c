/* The whole story is lived through by the real programs; then the books of both agencies are fetched and matched. All that the story can
 * bring about is no difference; what the agencies are told to say wrongly is found, each in its class, and nothing else. */
#include "base/date.h"
#include "base/fs.h"
#include "tests/lib/people.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <signal.h>
#include <string.h>

static struct tale t;
static struct tmpdir side;
static char tax_plants[320], ssa_plants[320], key[320];

static json_t *qiao_json(int status, const char *const *args)
{
	struct buf out;
	const char *all[20] = {"-c", NULL, "--format", "json", NULL};
	char ini[512];
	json_t *json;
	int n = 4, rc;

	all[1] = world_path(&t.world, ini, "qiao.ini");
	while (*args)
		all[n++] = *args++;
	all[n] = NULL;
	buf_init(&out, 64 << 20);
	rc = world_run(&t.world, &out, "qiao", all);
	json = json_loads(buf_text(&out), 0, NULL);
	if (rc != status || !json)
		fail_msg("qiao %s: status %d: %s", all[4], rc, buf_text(&out));
	buf_fini(&out);
	return json;
}
#define QIAO_JSON(status, ...) qiao_json(status, (const char *const[]){__VA_ARGS__, NULL})

static json_t *reconcile(int status)
{
	json_t *r = QIAO_JSON(status, "reconcile", "--year", "2026", "--operator", "anna", "--key", key, "--wait", "60");

	assert_string_equal(json_string_value(json_object_get(r, "state")), "done");
	return r;
}

static int64_t sum_of(const json_t *report, int book, int class, const char *figure)
{
	const json_t *classes = json_object_get(json_array_get(json_object_get(report, "books"), (size_t)book), "classes");

	return json_integer_value(json_object_get(json_array_get(classes, (size_t)class - 1), figure));
}

/* How many open differences of that kind the report has about that payment (NULL: about none). */
static int kinds_of(const json_t *report, const char *kind, const struct id *pid)
{
	const json_t *all = json_object_get(report, "differences");
	char hex[ID_HEX];
	int count = 0;

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *c = json_array_get(all, i), *payment = json_object_get(c, "payment");

		count += strcmp(json_string_value(json_object_get(c, "kind")), kind) == 0 &&
			 (pid ? json_is_string(payment) && strcmp(json_string_value(payment), id_hex(pid, hex)) == 0 : json_is_null(payment));
	}
	return count;
}

static void plant(const char *file, const char *text)
{
	struct err e = {0};

	assert_int_equal(fs_write_atomic(file, text, strlen(text), 0600, &e), 0);
}

static const struct agency_entry *take(const struct agency_book *b, const char *status, int *from)
{
	for (; *from < b->count; ++*from)
		if (strcmp(b->entries[*from].status, status) == 0)
			return &b->entries[(*from)++];
	fail_msg("no entry %s", status);
	return NULL;
}

/* ---- a file instead ---- */

/* The bureau's book as it gives it to people. skip: leave out the row with that number; stranger: one more, without an id. */
static void write_file(const char *path, int skip, const char *stranger, int64_t total_off)
{
	struct buf out, text;
	char book[512], *line, *rest;
	int64_t fen = total_off;
	int n = 0;
	char money[24];
	struct err e = {0};

	buf_init(&out, 16 << 20);
	buf_init(&text, 16 << 20);
	assert_int_equal(world_run(&t.world, &out, "sim-tax",
				   (const char *const[]){"--book", world_path(&t.world, book, "agencies/tax.db"), "--dump", "csv", NULL}), 0);
	rest = (char *)buf_text(&out);
	strsep(&rest, "\n");
	buf_printf(&text, "缴款编号,公民身份号码,金额,状态,日期,电子税票号\r\n");
	while ((line = strsep(&rest, "\n")) && line[0]) {
		char *id = strsep(&line, ","), *number = strsep(&line, ",");
		strsep(&line, ",");
		char *amount = strsep(&line, ","), *status = strsep(&line, ","), *receipt = strsep(&line, ",");
		int64_t one;
		assert_int_equal(str_int(str_of(amount), 1, INT32_MAX, &one), 0);
		if (n++ == skip)
			continue;
		fen += one;
		buf_printf(&text, "%s,%s,%s,%s,2026-12-24,%s\r\n", id, number, yuan(money, one), strcmp(status, "paid") ? status : "已缴费", receipt);
	}
	if (stranger)
		buf_printf(&text, ",%s,600.00,已入库,2026-12-24,433000000000000017\r\n", stranger);
	fen += stranger ? 60000 : 0;
	buf_reset(&out);
	buf_printf(&out, "\xEF\xBB\xBF对账文件,DZXX101\r\n起始日期,2026-01-01\r\n终止日期,2026-12-31\r\n统筹区,330603\r\n险种,170\r\n"
			 "单位数,12\r\n滞纳金,0.00\r\n其他补助缴费合计,%s\r\n%s", yuan(money, fen), buf_text(&text));
	assert_int_equal(fs_write_atomic(path, out.data, out.len, 0600, &e), 0);
	buf_fini(&out);
	buf_fini(&text);
}

static void a_file_does_as_well(void **state)
{
	struct invented who;
	char path[320];
	json_t *r;

	(void)state;
	tmpdir_file(&side, path, "book.csv");
	write_file(path, -1, NULL, 0);
	r = QIAO_JSON(EXIT_YES, "reconcile", "--year", "2026", "--tax-file", path);
	assert_true(sum_of(r, 0, 1, "count") > 100);
	assert_int_equal(sum_of(r, 0, 1, "our_fen"), sum_of(r, 0, 1, "their_fen"));
	json_decref(r);
	invented_at(&who, 4711, 2);
	write_file(path, 0, who.number, 0);
	r = QIAO_JSON(EXIT_NO, "reconcile", "--year", "2026", "--tax-file", path);
	assert_int_equal(json_array_size(json_object_get(r, "differences")), 2);
	assert_int_equal(kinds_of(r, "tax_unknown_here", NULL), 1);
	json_decref(r);
	write_file(path, -1, NULL, 1);
	assert_int_equal(world_qiao(&t.world, NULL, "reconcile", "--year", "2026", "--tax-file", path, NULL), EXIT_USAGE);
	plant(path, "险种,390\n");
	assert_int_equal(world_qiao(&t.world, NULL, "reconcile", "--year", "2026", "--tax-file", path, NULL), EXIT_USAGE);
}

static int day_is_cut(void *arg, struct err *e)
{
	struct buf out;
	bool seen;

	(void)arg;
	(void)e;
	buf_init(&out, 1 << 20);
	seen = world_qiao(&t.world, &out, "cut", NULL) == 0 && strstr(buf_text(&out), "2026-12-29");
	buf_fini(&out);
	return seen;
}

static int lived(struct err *e)
{
	/* Kept: who is started again gets them again. */
	static const char *const tax_args[] = {"--settle-ms", "20", "--refund-ms", "20", "--book-plants", tax_plants, NULL};
	static const char *const ssa_args[] = {"--credit-ms", "20", "--book-plants", ssa_plants, NULL};
	const struct world_options o = {.day = STORY_BEGINS, .tax_args = tax_args, .ssa_args = ssa_args};

	if (tale_open(&t, &o, 11, e) != 0)
		return -1;
	assert_int_equal(world_qiao(&t.world, NULL, "keygen", "--operator", "anna", "--key", key, NULL), 0);
	if (world_start_four(&t.world, e) != 0)
		return -1;
	for (int wave = 1; wave < STORY_WAVES; wave++)
		if (tale_hand_in(&t, wave, e) != 0)
			return -1;
	if (tale_await(&t, outcomes_quiet, "nothing on its way", e) != 0 || world_set_day(&t.world, STORY_LATE_MONEY, e) != 0 ||
	    tale_await(&t, outcomes_final_but_for_the_end, "the late contributions", e) != 0)
		return -1;
	/* A good while after the last news; the gateway must have seen the day, or a run that began before it has lasted for days. */
	return world_set_day(&t.world, "2026-12-30", e) != 0 ? -1 : world_wait(60000, day_is_cut, NULL, e);
}

static void the_story_has_no_difference(void **state)
{
	json_t *r = reconcile(EXIT_YES);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(r, "differences")), 0);
	for (int book = 0; book < 2; book++) {
		assert_true(sum_of(r, book, 1, "count") > 100);
		assert_int_equal(sum_of(r, book, 1, "our_fen"), sum_of(r, book, 1, "their_fen"));
		assert_true(sum_of(r, book, 7, "count") > 0);
		for (int class = 2; class < 7; class++)
			assert_int_equal(sum_of(r, book, class, "count"), 0);
	}
	json_decref(r);
}

static void what_is_planted_is_found(void **state)
{
	struct agency_book tax, ssa;
	const struct agency_entry *amount, *failed, *hidden, *alive, *refused, *gone;
	struct err e = {0};
	struct invented who;
	char text[1200], hex[4][ID_HEX], note[16];
	int at = 0, ssa_at = 0, refused_at = 0;
	json_t *r, *shown;

	(void)state;
	assert_int_equal(agency_book_read(&tax, &t.world, SIM_TAX, &e), 0);
	assert_int_equal(agency_book_read(&ssa, &t.world, SIM_SSA, &e), 0);
	amount = take(&tax, "in_treasury", &at);
	failed = take(&tax, "in_treasury", &at);
	hidden = take(&tax, "in_treasury", &at);
	alive = take(&tax, "refused", &refused_at);
	invented_at(&who, 4711, 1);
	snprintf(text, sizeof text,
		 "amount,%s,12345\nstate,%s,refused,2026-12-29T10:00:00+08:00\nhide,%s\nstate,%s,paid,2026-12-29T10:00:00+08:00\n"
		 "add,%s,60000,paid,2026-12-29T11:00:00+08:00\n",
		 id_hex(&amount->payment, hex[0]), id_hex(&failed->payment, hex[1]), id_hex(&hidden->payment, hex[2]),
		 id_hex(&alive->payment, hex[3]), who.number);
	plant(tax_plants, text);
	refused = take(&ssa, "credited", &ssa_at);
	gone = take(&ssa, "credited", &ssa_at);
	snprintf(text, sizeof text, "state,%s,credit_refused,2026-12-29T10:00:00+08:00\nhide,%s\n", id_hex(&refused->payment, hex[0]),
		 id_hex(&gone->payment, hex[1]));
	plant(ssa_plants, text);

	r = reconcile(EXIT_NO);
	assert_int_equal(json_array_size(json_object_get(r, "differences")), 7);
	assert_int_equal(kinds_of(r, "tax_amount_differs", &amount->payment), 1);
	assert_int_equal(kinds_of(r, "tax_failed_there", &failed->payment), 1);
	assert_int_equal(kinds_of(r, "tax_missing_there", &hidden->payment), 1);
	assert_int_equal(kinds_of(r, "tax_ok_there", &alive->payment), 1);
	assert_int_equal(kinds_of(r, "tax_unknown_here", NULL), 1);
	assert_int_equal(kinds_of(r, "ssa_failed_there", &refused->payment), 1);
	assert_int_equal(kinds_of(r, "ssa_missing_there", &gone->payment), 1);
	json_decref(r);

	/* Found again: the same cases. One is settled by a person; the others are gone when the books are right again. */
	r = reconcile(EXIT_NO);
	assert_int_equal(json_array_size(json_object_get(r, "differences")), 7);
	json_decref(r);
	json_decref(QIAO_JSON(EXIT_YES, "differences", "assign", "1", "ben", "--operator", "anna", "--key", key));
	json_decref(QIAO_JSON(EXIT_YES, "differences", "resolve", "2", "--note", "they mended it", "--operator", "anna", "--key", key));
	json_decref(QIAO_JSON(EXIT_NO, "differences", "resolve", "2", "--note", "again", "--operator", "anna", "--key", key));
	shown = QIAO_JSON(EXIT_YES, "differences", "show", "2");
	assert_string_equal(json_string_value(json_object_get(shown, "state")), "resolved");
	assert_int_equal(json_array_size(json_object_get(shown, "history")), 2);
	json_decref(shown);
	shown = QIAO_JSON(EXIT_NO, "differences", "list");
	assert_int_equal(json_array_size(json_object_get(shown, "differences")), 6);
	json_decref(shown);
	plant(tax_plants, "");
	plant(ssa_plants, "");
	r = reconcile(EXIT_YES);
	assert_int_equal(json_array_size(json_object_get(r, "differences")), 0);
	json_decref(r);
	shown = QIAO_JSON(EXIT_YES, "differences", "list", "--all");
	assert_int_equal(json_array_size(json_object_get(shown, "differences")), 7);
	json_decref(shown);
	shown = QIAO_JSON(EXIT_YES, "differences", "show", "1");
	snprintf(note, sizeof note, "%s", json_string_value(json_object_get(shown, "state")));
	assert_string_equal(note, "gone");
	assert_string_equal(json_string_value(json_object_get(shown, "owner")), "ben");
	json_decref(shown);
	agency_book_free(&tax);
	agency_book_free(&ssa);
}

/* Programs and agencies die while books are fetched and matched. */
static void whoever_dies_the_result_is_the_same(void **state)
{
	static const enum part victims[] = {TAX, GATEWAY, SSA, SIM_TAX, GATEWAY, SIM_SSA, TAX, GATEWAY};
	struct err e = {0};
	json_t *r;

	(void)state;
	for (size_t i = 0; i < COUNT(victims); i++) {
		int rc = world_qiao(&t.world, NULL, "reconcile", "--year", "2026", "--operator", "anna", "--key", key, "--wait", "0", NULL);

		assert_true(rc == EXIT_LATER || rc == EXIT_YES);
		world_kill(&t.world, victims[i]);
		if (world_start(&t.world, victims[i], &e) != 0)
			fail_msg("%s: %s", part_name(victims[i]), e.text);
	}
	r = reconcile(EXIT_YES);
	assert_true(sum_of(r, 0, 1, "count") > 100);
	assert_int_equal(json_array_size(json_object_get(r, "differences")), 0);
	json_decref(r);
}

static void a_report_is_a_workbook_too(void **state)
{
	char path[320];

	(void)state;
	tmpdir_file(&side, path, "report.xlsx");
	assert_int_equal(world_qiao(&t.world, NULL, "--format", "xlsx", "reconcile", "--output", path, NULL), EXIT_YES);
	assert_true(fs_exists(path));
	assert_int_equal(world_qiao(&t.world, NULL, "--format", "csv", "reconcile", NULL), EXIT_YES);
	assert_int_equal(world_qiao(&t.world, NULL, "reconcile", NULL), EXIT_YES);
}

static int setup(void **state)
{
	struct err e = {0};

	(void)state;
	tmpdir_make(&side);
	tmpdir_file(&side, tax_plants, "tax-plants");
	tmpdir_file(&side, ssa_plants, "ssa-plants");
	tmpdir_file(&side, key, "anna.key");
	if (lived(&e) != 0)
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	t.world.keep = getenv("QIAO_KEEP") != NULL;
	tale_close(&t);
	tmpdir_remove(&side);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_story_has_no_difference),
		cmocka_unit_test(what_is_planted_is_found),
		cmocka_unit_test(whoever_dies_the_result_is_the_same),
		cmocka_unit_test(a_report_is_a_workbook_too),
		cmocka_unit_test(a_file_does_as_well),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
