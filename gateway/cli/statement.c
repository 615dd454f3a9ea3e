/* qiao statement: where every fen is, by town, village, year and sponsor type; and the proof that it adds up.
 *
 * Two proofs: the columns add up to what was declared (promise 3), kept running totals against their parts; and the statistics, kept
 * with each fact, equal a recount of the declarations as of the same moment. */
#include "base/fs.h"
#include "base/table.h"
#include "cli/cli.h"
#include "flow/reference.h"
#include "ledger/read.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines of the statement, in the order of promise 3. A sum's parts are the cells of its mask. */
#define BIT(c) (UINT32_C(1) << (c))
#define COLLECTED_PARTS \
	(BIT(SC_REFUND_REQUESTED) | BIT(SC_REFUND_IN_DOUBT) | BIT(SC_REFUNDED) | KEPT_PARTS)
#define KEPT_PARTS (BIT(SC_CREDITED) | BIT(SC_CREDIT_REFUSED) | BIT(SC_AWAITING_CREDIT))
#define DECLARED_PARTS \
	(BIT(SC_STAGED) | BIT(SC_REJECTED) | BIT(SC_UNREADABLE) | BIT(SC_WITHDRAWN) | BIT(SC_EXPIRED) | BIT(SC_PENDING) | \
	 BIT(SC_IN_FLIGHT) | BIT(SC_IN_DOUBT) | BIT(SC_FAILED) | COLLECTED_PARTS)
static const struct line {
	int cell;
	int depth;
	uint32_t parts; /* 0: a column itself */
} lines[] = {
	{ST_DECLARED_TOTAL, 0, DECLARED_PARTS},
	{SC_STAGED, 1, 0}, {SC_REJECTED, 1, 0}, {SC_UNREADABLE, 1, 0}, {SC_WITHDRAWN, 1, 0}, {SC_EXPIRED, 1, 0},
	{SC_PENDING, 1, 0}, {SC_IN_FLIGHT, 1, 0}, {SC_IN_DOUBT, 1, 0}, {SC_FAILED, 1, 0},
	{ST_COLLECTED_TOTAL, 1, COLLECTED_PARTS},
	{SC_REFUND_REQUESTED, 2, 0}, {SC_REFUND_IN_DOUBT, 2, 0}, {SC_REFUNDED, 2, 0},
	{ST_KEPT_TOTAL, 2, KEPT_PARTS},
	{SC_CREDITED, 3, 0}, {SC_CREDIT_REFUSED, 3, 0}, {SC_AWAITING_CREDIT, 3, 0},
};
enum { LINES = sizeof lines / sizeof lines[0] };

static const char *cell_code(int cell)
{
	switch (cell) {
	case ST_DECLARED_TOTAL:
		return "declared";
	case ST_COLLECTED_TOTAL:
		return "collected";
	case ST_KEPT_TOTAL:
		return "kept";
	default:
		return stat_column_code((enum stat_column)cell);
	}
}

struct statement {
	const struct reference *reference;
	struct stat *rows;   /* as kept */
	int count, cap;
	struct stat total, recount; /* sums over all rows */
	bool failed;
};

static void add(struct stat *to, const struct stat *s)
{
	for (int c = 0; c < STAT_CELLS; c++) {
		to->count[c] += s->count[c];
		to->fen[c] += s->fen[c];
	}
}

static bool empty(const struct stat *s)
{
	for (int c = 0; c < STAT_CELLS; c++)
		if (s->count[c] || s->fen[c])
			return false;
	return true;
}

static int take(void *arg, const struct stat *s)
{
	struct statement *st = arg;
	add(&st->total, s);
	if (empty(s))
		return 0;
	if (st->count == st->cap) {
		int cap = st->cap ? st->cap * 2 : 256;
		struct stat *more = realloc(st->rows, sizeof *more * (size_t)cap);
		if (!more) {
			st->failed = true;
			return -1;
		}
		st->rows = more;
		st->cap = cap;
	}
	st->rows[st->count++] = *s;
	return 0;
}

/* Takes the recount away from the rows' copy kept in `recount` of each key: only the total and the per-key difference matter. */
struct differ {
	struct statement *st;
	struct stat *left; /* rows minus recount */
	bool unknown_key;
};

static int subtract(void *arg, const struct stat *s)
{
	struct differ *d = arg;
	for (int i = 0; i < d->st->count; i++) {
		struct stat *r = &d->left[i];
		if (r->key.year != s->key.year || r->key.sponsor_type != s->key.sponsor_type ||
		    strcmp(r->key.village, s->key.village) != 0)
			continue;
		for (int c = 0; c < STAT_CELLS; c++) {
			r->count[c] -= s->count[c];
			r->fen[c] -= s->fen[c];
		}
		return 0;
	}
	d->unknown_key = true;
	return 0;
}

/* The sums of one set of cells hold. */
static bool sums_hold(const struct stat *s)
{
	for (int i = 0; i < LINES; i++) {
		int64_t count = 0, fen = 0;
		if (!lines[i].parts)
			continue;
		for (int c = 0; c < STAT_COLUMNS; c++)
			if (lines[i].parts & BIT(c)) {
				count += s->count[c];
				fen += s->fen[c];
			}
		if (count != s->count[lines[i].cell] || fen != s->fen[lines[i].cell])
			return false;
	}
	return true;
}

static bool proves(struct statement *st, struct ledger_view *v, int year, struct str village, bool *recounted, struct err *e)
{
	struct differ d = {.st = st};
	bool adds_up = sums_hold(&st->total);
	*recounted = false;
	for (int i = 0; i < st->count; i++)
		adds_up = adds_up && sums_hold(&st->rows[i]);
	d.left = malloc(sizeof *d.left * (size_t)(st->count + 1));
	if (d.left) {
		if (st->count)
			memcpy(d.left, st->rows, sizeof *d.left * (size_t)st->count);
		if (view_recount(v, year, village, subtract, &d, e) == 0 && !d.unknown_key) {
			*recounted = true;
			for (int i = 0; i < st->count; i++)
				*recounted = *recounted && empty(&d.left[i]);
		}
	}
	free(d.left);
	return adds_up;
}

/* ---- output ---- */

static json_t *json_cells(const struct stat *s)
{
	json_t *o = json_object();
	for (int i = 0; i < LINES; i++)
		json_object_set_new(o, cell_code(lines[i].cell),
				    json_pack("{s:I,s:I}", "count", (json_int_t)s->count[lines[i].cell], "amount_fen",
					      (json_int_t)s->fen[lines[i].cell]));
	return o;
}

static void names_of(const struct statement *st, const struct stat *s, const char **town, const char **village)
{
	const struct village *v = village_by_code(&st->reference->villages, str_of(s->key.village));
	*town = v ? v->town : "";
	*village = v ? v->name : s->key.village;
}

static void print_json(const struct statement *st, bool adds_up, bool recounted, const struct view_adopted *adopted)
{
	json_t *rows = json_array();
	for (int i = 0; i < st->count; i++) {
		const char *town, *village;
		names_of(st, &st->rows[i], &town, &village);
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:i,s:s,s:o}", "town", town, "village", village, "village_code",
						      st->rows[i].key.village, "year", st->rows[i].key.year, "sponsor_type",
						      stats_type_code(st->rows[i].key.sponsor_type), "columns",
						      json_cells(&st->rows[i])));
	}
	cli_print_json(json_pack("{s:b,s:b,s:{s:I,s:I},s:o,s:o}", "adds_up", adds_up && recounted, "recount_agrees", recounted, "adopted_without_declaration",
				 "count", (json_int_t)adopted->count, "amount_fen", (json_int_t)adopted->fen, "totals",
				 json_cells(&st->total), "rows", rows));
}

static int put_totals(const struct statement *st, const struct cli *c, struct buf *out)
{
	struct table t;
	char name[120], money[24];
	int rc = 0;
	table_init(&t, 3);
	t.right[1] = t.right[2] = true;
	rc |= table_cell(&t, text_or_code("statement_column", c->lang)) | table_cell(&t, text_or_code("statement_rows", c->lang)) |
	      table_cell(&t, text_or_code("statement_yuan", c->lang));
	for (int i = 0; i < LINES; i++) {
		int cell = lines[i].cell;
		snprintf(name, sizeof name, "%*s%s%s", 2 * lines[i].depth, "", text_or_code(cell_code(cell), c->lang),
			 lines[i].parts ? " =" : "");
		rc |= table_cell(&t, name) | table_cellf(&t, "%" PRId64, st->total.count[cell]) |
		      table_cell(&t, yuan(money, st->total.fen[cell]));
	}
	rc |= table_print(&t, out);
	table_fini(&t);
	return rc;
}

/* By town, village and sponsor type; columns that are empty everywhere are left out. */
static int put_rows(const struct statement *st, const struct cli *c, struct buf *out)
{
	bool used[STAT_CELLS] = {[ST_DECLARED_TOTAL] = true, [ST_COLLECTED_TOTAL] = true};
	struct table t;
	char money[24];
	int columns = 4, rc = 0;
	static const char *const head[] = {"statement_town", "statement_village", "statement_year", "statement_sponsor"};
	for (int i = 0; i < LINES; i++) {
		used[lines[i].cell] |= st->total.count[lines[i].cell] != 0;
		columns += used[lines[i].cell];
	}
	table_init(&t, columns);
	for (int i = 0; i < 4; i++)
		rc |= table_cell(&t, text_or_code(head[i], c->lang));
	for (int i = 0, k = 4; i < LINES; i++)
		if (used[lines[i].cell]) {
			t.right[k++] = true;
			rc |= table_cell(&t, text_or_code(cell_code(lines[i].cell), c->lang));
		}
	for (int r = 0; r < st->count; r++) {
		const struct stat *s = &st->rows[r];
		const char *town, *village;
		names_of(st, s, &town, &village);
		rc |= table_cell(&t, town) | table_cell(&t, village) | table_cellf(&t, "%d", s->key.year) |
		      table_cell(&t, text_or_code(s->key.sponsor_type < 0 ? "statement_no_cover" : stats_type_code(s->key.sponsor_type),
						  c->lang));
		for (int i = 0; i < LINES; i++)
			if (used[lines[i].cell] && s->count[lines[i].cell])
				rc |= table_cellf(&t, "%" PRId64 " / %s", s->count[lines[i].cell], yuan(money, s->fen[lines[i].cell]));
			else if (used[lines[i].cell])
				rc |= table_cell(&t, "-");
	}
	rc |= table_print(&t, out);
	table_fini(&t);
	return rc;
}

static int print_text(const struct statement *st, const struct cli *c, bool adds_up, bool recounted, int64_t differences,
		      const struct view_adopted *adopted)
{
	struct buf out;
	char n[24], money[24];
	buf_init(&out, 64 << 20);
	int rc = put_totals(st, c, &out) | buf_put_str(&out, "\n") | put_rows(st, c, &out) | buf_put_str(&out, "\n");
	if (rc == 0)
		cli_print(&out);
	buf_fini(&out);
	cli_say(c, adds_up ? "statement_adds_up" : "statement_does_not", NULL);
	cli_say(c, recounted ? "statement_recount" : "statement_recount_differs", NULL);
	snprintf(n, sizeof n, "%" PRId64, adopted->count);
	if (adopted->count > 0)
		cli_say(c, "statement_adopted", n, yuan(money, adopted->fen), NULL);
	snprintf(n, sizeof n, "%" PRId64, differences);
	if (differences > 0)
		cli_say(c, "statement_differences", n, NULL);
	return rc;
}

static int show(struct cli *c, struct statement *st, int year, struct str village, struct err *e)
{
	struct ledger_view *v = NULL;
	char path[CONF_PATH];
	bool adds_up, recounted;
	struct view_adopted adopted;
	int rc = -1;
	if (cli_path(c, path, CLI_LEDGER, e) != 0 || view_open(&v, path, e) != 0 ||
	    view_stats(v, year, village, take, st, e) != 0 || view_adopted_sum(v, year, village, &adopted, e) != 0)
		goto out;
	e->class = ERR_NONE;
	adds_up = proves(st, v, year, village, &recounted, e);
	if (e->class != ERR_NONE)
		goto out;
	if (c->json)
		print_json(st, adds_up, recounted, &adopted);
	else
		print_text(st, c, adds_up, recounted, view_differences(v) + view_strangers(v), &adopted);
	rc = adds_up && recounted ? EXIT_YES : EXIT_NO;
out:
	view_close(v);
	return rc;
}

int cmd_statement(struct cli *c, int argc, char **argv)
{
	const char *year_text = NULL, *village_text = NULL;
	const struct cli_option options[] = {{"--year", &year_text, NULL}, {"--village", &village_text, NULL}, {0}};
	struct statement st = {0};
	struct reference *reference = NULL;
	struct complaints *why = calloc(1, sizeof *why);
	struct buf candidates;
	struct str village = {0};
	struct err e = {0};
	int64_t year = 0;
	const char *code = "village_unknown";
	int rc = EXIT_USAGE;
	buf_init(&candidates, 1 << 16);
	if (!why || cli_options(c, argc, argv, options, NULL, 0) < 0)
		goto out;
	if (year_text && str_int(str_of(year_text), 2000, 2200, &year) != 0) {
		cli_usage(c, "statement", "statement_year_wrong");
		goto out;
	}
	if (reference_load(&reference, &c->conf, why) != 0) {
		cli_complain(c, c->file, why);
		goto out;
	}
	st.reference = reference;
	if (village_text) {
		const struct village *v = village_find(&reference->villages, (struct str){0}, str_of(village_text), &code, &candidates);
		if (!v) {
			cli_warn(c, code, buf_text(&candidates), NULL);
			goto out;
		}
		village = str_of(v->code);
	}
	rc = show(c, &st, (int)year, village, &e);
	if (rc < 0)
		rc = cli_fail(&e);
out:
	free(st.rows);
	reference_free(reference);
	free(why);
	buf_fini(&candidates);
	return rc;
}
