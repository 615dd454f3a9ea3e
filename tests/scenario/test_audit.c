/* The audit of identities after the whole story: every opening and every hand-over is there with its count, as the programs' own
 * counters and the agencies' books have it; the chain is whole, a change is named, and `qiao backup` has the same. That nothing
 * personal lies there is test_privacy's to find. */
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <fts.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

enum { OUT_MAX = 16 << 20 };

struct sum {
	int64_t records, persons;
};
static struct tale t;
static json_t *audit;

static int ask(const char *role)
{
	struct buf out;
	int rc;

	buf_init(&out, OUT_MAX);
	rc = role ? world_qiao(&t.world, &out, "audit", "--format", "json", "--role", role, NULL)
		  : world_qiao(&t.world, &out, "audit", "--format", "json", NULL);
	json_decref(audit);
	audit = json_loadb((const char *)out.data, out.len, 0, NULL);
	assert_non_null(audit);
	buf_fini(&out);
	return rc;
}

static struct sum sum_of(const char *purpose)
{
	struct sum s = {0, 0};
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(audit, "records"), i, one) {
		if (strcmp(json_string_value(json_object_get(one, "purpose")), purpose) != 0)
			continue;
		s.records++;
		s.persons += json_integer_value(json_object_get(one, "count"));
	}
	return s;
}

/* A counter of a program's last status. */
static int64_t counter(const char *role, const char *name)
{
	char path[512], file[40], wanted[60];
	struct err e = {0};
	const char *at;
	struct buf b;
	int64_t n;

	buf_init(&b, 1 << 16);
	snprintf(file, sizeof file, "data/run/%s.status", role);
	if (fs_read(world_path(&t.world, path, file), &b, &e) < 0)
		fail_msg("%s", e.text);
	snprintf(wanted, sizeof wanted, " %s=", name);
	at = strstr(buf_text(&b), wanted);
	if (at == NULL)
		fail_msg("%s has no counter %s", role, name);
	n = strtoll(at + strlen(wanted), NULL, 10);
	buf_fini(&b);
	return n;
}

static json_t *book_of(enum part sim, const char *file)
{
	char path[512];
	const char *args[] = {"--book", world_path(&t.world, path, file), "--report", "json", NULL};
	struct buf out;
	json_t *report;

	buf_init(&out, OUT_MAX);
	assert_int_equal(world_run(&t.world, &out, part_name(sim), args), 0);
	report = json_loadb((const char *)out.data, out.len, 0, NULL);
	assert_non_null(report);
	buf_fini(&out);
	return report;
}

static int64_t figure(const json_t *book, const char *name)
{
	json_t *v = json_object_get(book, name);

	if (!json_is_integer(v))
		fail_msg("the book does not tell %s", name);
	return json_integer_value(v);
}

static void live(void)
{
	static const enum part four[] = {VILLAGE, TAX, SSA, GATEWAY};
	static const struct setting settings[] = {{"tax", "batch_rows", "20"}, {"ssa", "batch_rows", "20"}, {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings};
	struct err e = {0};

	if (tale_open(&t, &o, 12, &e) < 0 || world_start_four(&t.world, &e) < 0)
		fail_msg("%s", e.text);
	for (int wave = 1; wave < STORY_WAVES; wave++)
		if (tale_hand_in(&t, wave, &e) < 0)
			fail_msg("%s", e.text);
	if (tale_end_year(&t, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(tale_check(&t, stdout), 0);
	for (size_t i = 0; i < COUNT(four); i++)
		assert_int_equal(world_stop(&t.world, four[i]), 0);
}

static void villages_are_recorded(void)
{
	struct sum opened = sum_of("roster_opened"), answers = sum_of("answer_to_village"), covers = sum_of("cover_opened");

	assert_int_equal(opened.records, counter("village", "rosters_published"));
	assert_int_equal(opened.persons, counter("village", "rows_published"));
	assert_true(answers.records >= counter("village", "answer_files_written"));
	assert_true(covers.records >= 1 && covers.records == covers.persons);
	assert_true(covers.records < counter("village", "covers_published"));
}

/* A batch that was refused whole went out, and its halves again: more was handed over than the book took. */
static void the_bureau_is_recorded(void)
{
	struct sum opened = sum_of("payments_opened"), batches = sum_of("batch_to_tax");
	json_t *book = book_of(SIM_TAX, "agencies/tax.db");
	int64_t taken = figure(book, "entries") + figure(book, "repeats"), halved = counter("tax", "halved");

	assert_int_equal(opened.persons, counter("tax", "payments"));
	assert_int_equal(batches.records, counter("tax", "batches"));
	assert_true(taken > 100);
	if (batches.persons < taken || (halved == 0 && batches.persons != taken) || batches.persons > taken + 20 * halved)
		fail_msg("%lld recorded, %lld taken, %lld halved", (long long)batches.persons, (long long)taken,
			 (long long)halved);
	json_decref(book);
}

static void the_agency_is_recorded(void)
{
	struct sum asked = sum_of("enquiry_to_ssa"), told = sum_of("feedback_to_ssa");
	int64_t rows = counter("ssa", "enquiries") + counter("ssa", "feedback"), absorbed = counter("ssa", "absorbed");

	assert_int_equal(sum_of("enquiries_opened").persons, counter("ssa", "enquiries"));
	assert_int_equal(sum_of("feedback_opened").persons, counter("ssa", "feedback"));
	assert_true(asked.persons > 100 && told.persons > 50);
	assert_true(asked.records + told.records < counter("ssa", "requests")); /* statistics name nobody */
	assert_true(asked.persons + told.persons >= rows - absorbed);
	if (counter("ssa", "halved") == 0 && counter("ssa", "put_off") == 0)
		assert_true(asked.persons + told.persons <= rows);
}

static void add_size(int64_t *bytes, const char *dir)
{
	char path[512], *paths[] = {path, NULL};
	FTS *fts;

	world_path(&t.world, path, dir);
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	assert_non_null(fts);
	for (FTSENT *at; (at = fts_read(fts));)
		*bytes += at->fts_info == FTS_F ? (int64_t)at->fts_statp->st_size : 0;
	fts_close(fts);
}

static void a_backup_has_it(void)
{
	int64_t here = 0, there = 0;
	char backup[512];

	assert_int_equal(world_qiao(&t.world, NULL, "backup", world_path(&t.world, backup, "backup"), NULL), EXIT_YES);
	add_size(&here, "data/audit");
	add_size(&there, "backup/audit");
	assert_true(here > 10000);
	assert_int_equal(here, there);
}

/* One digit of the third record of the bureau's December. */
static void a_change_is_named(void)
{
	char path[512];
	struct err e = {0};
	struct buf b;
	char *line;
	json_t *fault;

	buf_init(&b, OUT_MAX);
	if (fs_read(world_path(&t.world, path, "data/audit/tax-2026-12.log"), &b, &e) < 0)
		fail_msg("%s", e.text);
	line = strchr(strchr(strchr((char *)b.data, '\n') + 1, '\n') + 1, '\n');
	assert_non_null(line);
	line[-1] = line[-1] == '1' ? '2' : '1';
	assert_int_equal(fs_write_atomic(path, b.data, b.len, 0600, &e), 0);
	assert_int_equal(ask("tax"), EXIT_NO);
	assert_int_equal(json_array_size(json_object_get(audit, "broken")), 1);
	fault = json_array_get(json_object_get(audit, "broken"), 0);
	assert_string_equal(json_string_value(json_object_get(fault, "file")), "tax-2026-12.log");
	assert_int_equal(json_integer_value(json_object_get(fault, "line")), 4);
	assert_int_equal(ask("ssa"), EXIT_YES);
	assert_int_equal(world_qiao(&t.world, NULL, "audit", NULL), EXIT_NO);
	line[-1] = line[-1] == '1' ? '2' : '1';
	buf_fini(&b);
}

static void options_are_understood(void)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	assert_int_equal(world_qiao(&t.world, &out, "audit", "--from", "2026-12-24", "--to", "2026-12-31", NULL), EXIT_YES);
	assert_non_null(strstr(buf_text(&out), "batch to the tax bureau"));
	buf_reset(&out);
	assert_int_equal(world_qiao(&t.world, &out, "audit", "--from", "2030-01-01", "--lang", "zh", NULL), EXIT_YES);
	assert_non_null(strstr(buf_text(&out), "没有记录"));
	assert_int_equal(world_qiao(&t.world, NULL, "audit", "--from", "24.12.2026", NULL), EXIT_USAGE);
	assert_int_equal(world_qiao(&t.world, NULL, "audit", "--role", "tx", NULL), EXIT_USAGE);
	/* An empty number on standard input finds nobody, and is a look all the same. */
	assert_int_equal(world_qiao(&t.world, NULL, "trace", "-", NULL), EXIT_NO);
	assert_int_equal(ask("trace"), EXIT_YES);
	assert_int_equal(sum_of("number_looked_up").records, 1);
	buf_fini(&out);
}

/* Nobody can write where a file lies in place of the folder. */
static void check_wants_to_write_there(void)
{
	char audit_folder[512], away[512];
	struct err e = {0};

	assert_int_equal(world_qiao(&t.world, NULL, "check", NULL), EXIT_YES);
	world_path(&t.world, audit_folder, "data/audit");
	assert_int_equal(rename(audit_folder, world_path(&t.world, away, "audit-away")), 0);
	assert_int_equal(fs_write_atomic(audit_folder, "", 0, 0600, &e), 0);
	assert_int_equal(world_qiao(&t.world, NULL, "check", NULL), EXIT_USAGE);
}

static void every_hand_over_is_recorded(void **state)
{
	(void)state;
	live();
	assert_int_equal(ask(NULL), EXIT_YES);
	assert_true(json_is_true(json_object_get(audit, "whole")));
	assert_int_equal(json_array_size(json_object_get(audit, "chains")), 3);
	villages_are_recorded();
	the_bureau_is_recorded();
	the_agency_is_recorded();
	options_are_understood();
	a_backup_has_it();
	a_change_is_named();
	check_wants_to_write_there();
	json_decref(audit);
	tale_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_hand_over_is_recorded)};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
