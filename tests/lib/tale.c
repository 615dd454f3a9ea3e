#include "tests/lib/tale.h"
#include "base/clock.h"
#include "base/fs.h"
#include <stdlib.h>
#include <string.h>

enum { LIMIT_MS = 90000, SETTLE_MS = 20000, FILE_MAX = 16 << 20, CELLS_MAX = 64 };

static int look(void *arg, struct err *e);
static int compare_all(struct tale *t, FILE *out);
static int fits(void *arg, struct err *e);

int tale_open(struct tale *t, const struct world_options *o, uint64_t seed, struct err *e)
{
	struct world_options options = *o;
	char path[512];

	memset(t, 0, sizeof *t);
	options.lists = "rosters";
	if (world_open(&t->world, &options, e) < 0 || fs_mkdirs(world_path(&t->world, path, "rosters"), e) < 0 ||
	    rosters_make(&t->rosters, path, seed, e) < 0 || world_found(&t->world, e) < 0)
		return -1;
	snprintf(t->inbox, sizeof t->inbox, "%s/data/inbox", t->world.dir);
	return outcomes_open(&t->outcomes, &t->world, e);
}

void tale_close(struct tale *t)
{
	outcomes_close(&t->outcomes);
	world_close(&t->world);
	rosters_free(&t->rosters);
}

int tale_drop(struct tale *t, int step, struct err *e)
{
	return rosters_drop(&t->rosters, step, t->inbox, e);
}

/* What was started must run: a process that ends by itself is no story to go on with. */
static int must_run(struct tale *t, struct err *e)
{
	for (int p = 0; p < PARTS; p++) {
		struct world_part *part = &t->world.parts[p];

		if (part->pid > 0 && !world_alive(&t->world, (enum part)p))
			return err_set(e, ERR_TEMP, "%s ended by itself with %d", part_name((enum part)p), part->status);
	}
	return 0;
}

static int look(void *arg, struct err *e)
{
	struct tale *t = arg;

	if ((t->meanwhile ? t->meanwhile(t, e) : must_run(t, e)) < 0 || outcomes_read(&t->outcomes, e) < 0)
		return -1;
	return t->reached(&t->outcomes, &t->rosters, t->wave);
}

int tale_await(struct tale *t, tale_reached *reached, const char *what, struct err *e)
{
	t->reached = reached;
	if (world_wait(t->limit_ms ? t->limit_ms : LIMIT_MS, look, t, e) == 0)
		return 0;
	outcomes_compare(&t->outcomes, &t->rosters, &t->world, stderr);
	return err_wrap(e, "waiting for %s", what);
}

int tale_hand_in(struct tale *t, int wave, struct err *e)
{
	for (int i = 0; i < t->rosters.step_count; i++)
		if (t->rosters.steps[i].wave == wave && tale_drop(t, i, e) < 0)
			return -1;
	t->wave = wave;
	return tale_await(t, outcomes_filed, "the answers of a wave", e);
}

int tale_end_year(struct tale *t, struct err *e)
{
	if (tale_await(t, outcomes_quiet, "nothing on its way", e) < 0 || world_set_day(&t->world, STORY_LATE_MONEY, e) < 0 ||
	    tale_await(t, outcomes_final_but_for_the_end, "the late contributions", e) < 0 ||
	    world_set_day(&t->world, STORY_ENDS, e) < 0 || tale_hand_in(t, STORY_WAVES, e) < 0)
		return -1;
	return tale_await(t, outcomes_final, "the last answers", e);
}

static int compare_all(struct tale *t, FILE *out)
{
	return outcomes_compare(&t->outcomes, &t->rosters, &t->world, out) + books_compare(&t->world, &t->outcomes, out) +
	       answer_files_compare(t, out) + outbox_compare(&t->outcomes, out);
}

static int fits(void *arg, struct err *e)
{
	struct tale *t = arg;
	FILE *none = fopen("/dev/null", "w");
	int differences = 1;

	if (none && (!t->meanwhile || t->meanwhile(t, e) == 0) && outcomes_read(&t->outcomes, e) == 0)
		differences = compare_all(t, none);
	if (none)
		fclose(none);
	return differences == 0;
}

int tale_check(struct tale *t, FILE *out)
{
	struct err e = {0};

	/* The last answer files and credits may lag a moment behind. */
	return world_wait(SETTLE_MS, fits, t, &e) == 0 ? 0 : compare_all(t, out);
}

/* ---- answer files ---- */

/* Cuts the next record of a CSV text at *at, in place; gives the number of cells, 0 at the end. */
static int next_record(char **at, char *cells[CELLS_MAX])
{
	char *p = *at;
	int count = 0;

	if (*p == '\0')
		return 0;
	for (bool more = true; more;) {
		char *to = p, *cell = p;

		if (*p == '"') {
			for (p++; *p && !(p[0] == '"' && p[1] != '"'); p++) {
				p += *p == '"';
				*to++ = *p;
			}
			p += *p == '"';
		} else {
			to = p += strcspn(p, ",\r\n");
		}
		more = *p == ',';
		if (!more)
			p += strspn(p, "\r") > 0;
		p += *p != '\0';
		*to = '\0';
		if (count < CELLS_MAX)
			cells[count++] = cell;
	}
	*at = p;
	return count;
}

static const char *result_text(const char *result)
{
	static const char *const texts[][2] = {{"accepted", "已受理"}, {"mend", "需修改"}, {"waiting", "等待"}, {"done", "已到账"},
					       {"stopped", "已终止"}};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(texts[i][0], result) == 0)
			return texts[i][1];
	return "";
}

/* Rows of the answer file whose last cell is the row's number and whose fourth last is what the answer says. */
static int rows_told(const struct tale *t, char *text, const struct id *submission)
{
	char *cells[CELLS_MAX];
	int64_t row;
	int n, told = 0;

	while ((n = next_record(&text, cells)) > 0) {
		const struct outcome *a;

		if (n < 5 || str_int(str_of(cells[n - 1]), 1, 1000000, &row) < 0)
			continue;
		a = outcome_of(&t->outcomes, submission, (int)row);
		told += a && strcmp(cells[n - 4], result_text(a->result)) == 0;
	}
	return told;
}

int answer_files_compare(const struct tale *t, FILE *out)
{
	int differences = 0, rows;

	for (int i = 0; i < t->rosters.row_count; i += rows) {
		const struct expected_row *x = &t->rosters.rows[i];
		char path[700];
		struct buf b;
		int told = 0;

		for (rows = 1; i + rows < t->rosters.row_count && id_eq(&t->rosters.rows[i + rows].submission, &x->submission);)
			rows++;
		snprintf(path, sizeof path, "%s/%s/%.*s.回执.%s", t->inbox, t->rosters.steps[x->step].sender,
			 (int)strcspn(x->file, "."), x->file, x->row == 0 ? "txt" : "csv");
		buf_init(&b, FILE_MAX);
		if (fs_read(path, &b, NULL) == 0 && buf_text(&b))
			told = x->row == 0 ? 1 : rows_told(t, (char *)b.data, &x->submission);
		buf_fini(&b);
		if (told == rows)
			continue;
		fprintf(out, "step %d: the answer file tells the current state of %d of %d rows\n", x->step + 1, told, rows);
		differences++;
	}
	return differences;
}
