/* qiao statement: where every fen is, by town, village, year and sponsor type; and the proof that it adds up.
 *
 * Two proofs: the columns add up to what was declared (promise 3), kept running totals against their parts; and the statistics, kept
 * with each fact, equal a recount of the declarations as of the same moment. For a past moment (--as-of) the recount is one of the
 * history up to there. What a person must look at, and payments adopted without a declaration, are kept without their time: they are
 * told of today only. */
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/table.h"
#include "cli/statement.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(c) (UINT32_C(1) << (c))
#define COLLECTED_PARTS \
	(BIT(SC_REFUND_REQUESTED) | BIT(SC_REFUND_IN_DOUBT) | BIT(SC_REFUNDED) | KEPT_PARTS)
#define KEPT_PARTS (BIT(SC_CREDITED) | BIT(SC_CREDIT_REFUSED) | BIT(SC_AWAITING_CREDIT))
#define DECLARED_PARTS \
	(BIT(SC_STAGED) | BIT(SC_REJECTED) | BIT(SC_UNREADABLE) | BIT(SC_WITHDRAWN) | BIT(SC_EXPIRED) | BIT(SC_PENDING) | \
	 BIT(SC_IN_FLIGHT) | BIT(SC_IN_DOUBT) | BIT(SC_FAILED) | COLLECTED_PARTS)
const struct line statement_lines[LINES] = {
	{ST_DECLARED_TOTAL, 0, DECLARED_PARTS},
	{SC_STAGED, 1, 0}, {SC_REJECTED, 1, 0}, {SC_UNREADABLE, 1, 0}, {SC_WITHDRAWN, 1, 0}, {SC_EXPIRED, 1, 0},
	{SC_PENDING, 1, 0}, {SC_IN_FLIGHT, 1, 0}, {SC_IN_DOUBT, 1, 0}, {SC_FAILED, 1, 0},
	{ST_COLLECTED_TOTAL, 1, COLLECTED_PARTS},
	{SC_REFUND_REQUESTED, 2, 0}, {SC_REFUND_IN_DOUBT, 2, 0}, {SC_REFUNDED, 2, 0},
	{ST_KEPT_TOTAL, 2, KEPT_PARTS},
	{SC_CREDITED, 3, 0}, {SC_CREDIT_REFUSED, 3, 0}, {SC_AWAITING_CREDIT, 3, 0},
};
#define lines statement_lines

static bool past(const struct statement *st)
{
	return st->as_of || st->cut_no;
}

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
	int last;          /* the one found last: most come in runs */
	bool unknown_key;
};

static int subtract(void *arg, const struct stat *s)
{
	struct differ *d = arg;
	for (int n = 0; n < d->st->count; n++) {
		int i = (d->last + n) % d->st->count;
		struct stat *r = &d->left[i];
		if (r->key.year != s->key.year || r->key.sponsor_type != s->key.sponsor_type ||
		    strcmp(r->key.village, s->key.village) != 0)
			continue;
		for (int c = 0; c < STAT_CELLS; c++) {
			r->count[c] -= s->count[c];
			r->fen[c] -= s->fen[c];
		}
		d->last = i;
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
		int rc = past(st) ? view_recount_at(v, st->when.seq, year, village, subtract, &d, e)
				   : view_recount(v, year, village, subtract, &d, e);
		if (rc == 0 && !d.unknown_key) {
			*recounted = true;
			for (int i = 0; i < st->count; i++)
				*recounted = *recounted && empty(&d.left[i]);
		}
	}
	free(d.left);
	return adds_up;
}

/* ---- levels, reasons ---- */

static struct level_row *row_of(struct level_rows *l, const struct stat_key *k, const char *town, const char *village)
{
	for (int i = l->count; i-- > 0;) {
		struct level_row *r = &l->rows[i];
		if (r->s.key.year == k->year && r->s.key.sponsor_type == k->sponsor_type &&
		    strcmp(r->s.key.village, k->village) == 0 && strcmp(r->town, town) == 0)
			return r;
	}
	if (l->count == l->cap) {
		int cap = l->cap ? l->cap * 2 : 64;
		struct level_row *more = realloc(l->rows, sizeof *more * (size_t)cap);
		if (!more)
			return NULL;
		l->rows = more;
		l->cap = cap;
	}
	l->rows[l->count] = (struct level_row){.s.key = *k, .town = town, .village = village};
	return &l->rows[l->count++];
}

static void names_of(const struct statement *st, const struct stat_key *k, const char **town, const char **village)
{
	const struct village *v = village_by_code(&st->reference->villages, str_of(k->village));
	*town = v ? v->town : "";
	*village = v ? v->name : k->village;
}

/* The rows of a key, at each level. */
static int rows_of(struct statement *st, const struct stat_key *k, struct level_row *out[LEVELS])
{
	struct stat_key above = *k;
	const char *town, *village;
	above.village[0] = '\0';
	names_of(st, k, &town, &village);
	out[BY_VILLAGE] = row_of(&st->levels[BY_VILLAGE], k, town, village);
	out[BY_TOWN] = row_of(&st->levels[BY_TOWN], &above, town, "");
	out[BY_DISTRICT] = row_of(&st->levels[BY_DISTRICT], &above, "", "");
	return out[BY_VILLAGE] && out[BY_TOWN] && out[BY_DISTRICT] ? 0 : -1;
}

static int take_dates(void *arg, const struct stat_key *k, int64_t first_at, int64_t last_at)
{
	struct statement *st = arg;
	struct level_row *rows[LEVELS];
	if (rows_of(st, k, rows) != 0)
		return st->failed = true;
	for (int i = 0; i < LEVELS; i++) {
		rows[i]->first_at = rows[i]->first_at && rows[i]->first_at < first_at ? rows[i]->first_at : first_at;
		rows[i]->last_at = rows[i]->last_at > last_at ? rows[i]->last_at : last_at;
	}
	return 0;
}

static int take_reason(void *arg, const struct reason *r)
{
	struct statement *st = arg;
	if (st->reason_count == st->reason_cap) {
		int cap = st->reason_cap ? st->reason_cap * 2 : 64;
		struct reason *more = realloc(st->reasons, sizeof *more * (size_t)cap);
		if (!more)
			return st->failed = true;
		st->reasons = more;
		st->reason_cap = cap;
	}
	st->reasons[st->reason_count++] = *r;
	return 0;
}

/* Villages = towns = district = total, and the reasons account for every row that ended without money. */
static bool levels_agree(const struct statement *st)
{
	int64_t count[STAT_CELLS] = {0}, fen[STAT_CELLS] = {0};
	for (int l = 0; l < LEVELS; l++) {
		struct stat sum = {0};
		for (int i = 0; i < st->levels[l].count; i++)
			add(&sum, &st->levels[l].rows[i].s);
		if (memcmp(sum.count, st->total.count, sizeof sum.count) != 0 || memcmp(sum.fen, st->total.fen, sizeof sum.fen) != 0)
			return false;
	}
	for (int i = 0; i < st->reason_count; i++) {
		count[st->reasons[i].column] += st->reasons[i].count;
		fen[st->reasons[i].column] += st->reasons[i].fen;
	}
	static const int ended[] = {SC_REJECTED, SC_UNREADABLE, SC_EXPIRED, SC_FAILED};
	for (int i = 0; i < 4; i++)
		if (count[ended[i]] != st->total.count[ended[i]] || fen[ended[i]] != st->total.fen[ended[i]])
			return false;
	return true;
}

static int by_names(const void *a, const void *b)
{
	const struct level_row *x = a, *y = b;
	int c = strcmp(x->town, y->town);
	c = c ? c : (x->s.key.year > y->s.key.year) - (x->s.key.year < y->s.key.year);
	return c ? c : (x->s.key.sponsor_type > y->s.key.sponsor_type) - (x->s.key.sponsor_type < y->s.key.sponsor_type);
}

static int build_levels(struct statement *st, struct ledger_view *v, int year, struct str village, struct err *e)
{
	for (int i = 0; i < st->count; i++) {
		struct level_row *rows[LEVELS];
		if (rows_of(st, &st->rows[i].key, rows) != 0)
			return err_set(e, ERR_TEMP, "statement: out of memory");
		for (int l = 0; l < LEVELS; l++)
			add(&rows[l]->s, &st->rows[i]);
	}
	if (view_treasury_at(v, st->when.seq, year, village, take_dates, st, e) != 0 ||
	    view_reasons_at(v, st->when.seq, year, village, take_reason, st, e) != 0)
		return -1;
	if (st->failed)
		return err_set(e, ERR_TEMP, "statement: out of memory");
	for (int l = BY_TOWN; l < LEVELS; l++)
		if (st->levels[l].count)
			qsort(st->levels[l].rows, (size_t)st->levels[l].count, sizeof(struct level_row), by_names);
	st->levels_agree = levels_agree(st);
	return 0;
}

/* ---- output ---- */

static json_t *json_cells(const struct stat *s)
{
	json_t *o = json_object();
	for (int i = 0; i < LINES; i++)
		json_object_set_new(o, stats_cell_code(lines[i].cell),
				    json_pack("{s:I,s:I}", "count", (json_int_t)s->count[lines[i].cell], "amount_fen",
					      (json_int_t)s->fen[lines[i].cell]));
	return o;
}

static json_t *json_day(int64_t at)
{
	char day[16];
	return at ? json_string(date_text(day, date_of_time(at))) : json_null();
}

static json_t *json_level(const struct level_rows *l)
{
	json_t *rows = json_array();
	for (int i = 0; i < l->count; i++) {
		const struct level_row *r = &l->rows[i];
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:i,s:s,s:o,s:{s:I,s:I},s:o,s:o}", "town", r->town, "village",
						      r->village, "village_code", r->s.key.village, "year", r->s.key.year,
						      "sponsor_type", stats_type_code(r->s.key.sponsor_type), "columns",
						      json_cells(&r->s), "net", "count", (json_int_t)statement_net(&r->s, true),
						      "amount_fen", (json_int_t)statement_net(&r->s, false), "in_treasury_first",
						      json_day(r->first_at), "in_treasury_last", json_day(r->last_at)));
	}
	return rows;
}

static json_t *json_reasons(const struct statement *st)
{
	json_t *all = json_array();
	for (int i = 0; i < st->reason_count; i++)
		json_array_append_new(all, json_pack("{s:s,s:s,s:I,s:I}", "column", stats_cell_code(st->reasons[i].column), "code",
						     st->reasons[i].code, "count", (json_int_t)st->reasons[i].count, "amount_fen",
						     (json_int_t)st->reasons[i].fen));
	return all;
}

static void print_json(const struct statement *st, const struct view_adopted *adopted)
{
	json_t *all;
	char time[40], day[16];
	all = json_pack("{s:s,s:I,s:s?,s:b,s:b}", "kind", st->cut.no ? "cut" : "intraday", "sequence", (json_int_t)st->when.seq, "as_of", st->when.at ? time_text(time, st->when.at) : NULL, "adds_up",
			st->adds_up && st->recounted && st->levels_agree, "recount_agrees", st->recounted);
	json_object_set_new(all, "levels_agree", json_boolean(st->levels_agree));
	if (st->cut.no)
		json_object_set_new(all, "cut", json_pack("{s:I,s:s,s:s}", "number", (json_int_t)st->cut.no, "day",
							  date_text(day, st->cut.day), "digest", st->cut.digest));
	if (!past(st))
		json_object_set_new(all, "adopted_without_declaration",
				    json_pack("{s:I,s:I}", "count", (json_int_t)adopted->count, "amount_fen", (json_int_t)adopted->fen));
	json_object_set_new(all, "totals", json_cells(&st->total));
	json_object_set_new(all, "net", json_pack("{s:I,s:I}", "count", (json_int_t)statement_net(&st->total, true), "amount_fen",
						   (json_int_t)statement_net(&st->total, false)));
	json_object_set_new(all, "reasons", json_reasons(st));
	json_object_set_new(all, "rows", json_level(&st->levels[BY_VILLAGE]));
	json_object_set_new(all, "towns", json_level(&st->levels[BY_TOWN]));
	json_object_set_new(all, "district", json_level(&st->levels[BY_DISTRICT]));
	cli_print_json(all);
}

/* "intraday run, as of ledger sequence 4711 (2026-12-05 10:00:00)": what to ask for to get the same again. */
int statement_head(const struct statement *st, const struct cli *c, struct buf *out)
{
	char seq[24], time[40], no[24], day[16];
	const char *code = st->cut.no ? "statement_cut" : st->when.at ? "statement_as_of" : "statement_as_of_nothing";
	snprintf(seq, sizeof seq, "%" PRId64, st->when.seq);
	snprintf(no, sizeof no, "%" PRId64, st->cut.no);
	time_text(time, st->when.at);
	time[10] = ' ';
	struct str args[] = {str_of(seq), {time, 19}, str_of(no), str_of(date_text(day, st->cut.day)), str_of(st->cut.digest)};
	return text_fill(out, text_or_code(code, c->lang), args, 5) | buf_put_str(out, "\n\n");
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
		snprintf(name, sizeof name, "%*s%s%s", 2 * lines[i].depth, "", text_or_code(stats_cell_code(cell), c->lang),
			 lines[i].parts ? " =" : "");
		rc |= table_cell(&t, name) | table_cellf(&t, "%" PRId64, st->total.count[cell]) |
		      table_cell(&t, yuan(money, st->total.fen[cell]));
	}
	rc |= table_print(&t, out);
	table_fini(&t);
	return rc;
}

/* By the level asked for and sponsor type; columns that are empty everywhere are left out. */
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
			rc |= table_cell(&t, text_or_code(stats_cell_code(lines[i].cell), c->lang));
		}
	for (int r = 0; r < st->levels[st->by].count; r++) {
		const struct level_row *row = &st->levels[st->by].rows[r];
		const struct stat *s = &row->s;
		rc |= table_cell(&t, row->town) | table_cell(&t, row->village) | table_cellf(&t, "%d", s->key.year) |
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

static int put_reasons(const struct statement *st, const struct cli *c, struct buf *out)
{
	static const char *const head[] = {"statement_column", "statement_reason", "statement_rows", "statement_yuan"};
	struct table t;
	char money[24];
	int rc = 0;
	if (st->reason_count == 0)
		return 0;
	table_init(&t, 4);
	t.right[2] = t.right[3] = true;
	for (int i = 0; i < 4; i++)
		rc |= table_cell(&t, text_or_code(head[i], c->lang));
	for (int i = 0; i < st->reason_count; i++) {
		const struct reason *r = &st->reasons[i];
		rc |= table_cell(&t, text_or_code(stats_cell_code(r->column), c->lang)) | table_cell(&t, text_or_code(r->code, c->lang)) |
		      table_cellf(&t, "%" PRId64, r->count) | table_cell(&t, yuan(money, r->fen));
	}
	rc |= table_print(&t, out) | buf_put_str(out, "\n");
	table_fini(&t);
	return rc;
}

static int print_text(const struct statement *st, const struct cli *c, int64_t differences, const struct view_adopted *adopted)
{
	struct buf out;
	char n[24], money[24];
	buf_init(&out, 64 << 20);
	int rc = statement_head(st, c, &out) | put_totals(st, c, &out) | buf_put_str(&out, "\n") | put_rows(st, c, &out) | buf_put_str(&out, "\n") |
		 put_reasons(st, c, &out);
	if (rc == 0)
		cli_print(&out);
	buf_fini(&out);
	cli_say(c, st->adds_up ? "statement_adds_up" : "statement_does_not", NULL);
	cli_say(c, st->recounted ? "statement_recount" : "statement_recount_differs", NULL);
	cli_say(c, st->levels_agree ? "statement_levels" : "statement_levels_differ", NULL);
	if (past(st)) {
		cli_say(c, "statement_past", NULL);
		return rc;
	}
	snprintf(n, sizeof n, "%" PRId64, adopted->count);
	if (adopted->count > 0)
		cli_say(c, "statement_adopted", n, yuan(money, adopted->fen), NULL);
	snprintf(n, sizeof n, "%" PRId64, differences);
	if (differences > 0)
		cli_say(c, "statement_differences", n, NULL);
	return rc;
}

/* "2026-12-05T10:00", with seconds, as statements print them, or a date: the end of that day. */
static int time_of_text(const char *text, int64_t *time)
{
	char whole[48];
	size_t n = strlen(text);
	int day;
	if (date_parse(str_of(text), &day) == 0) {
		*time = time_of_date(day + 1) - 1;
		return 0;
	}
	if (n < 16 || n > 30)
		return -1;
	snprintf(whole, sizeof whole, "%s%s%s", text, n == 16 ? ":00" : "", n <= 19 ? "+08:00" : "");
	whole[10] = whole[10] == ' ' ? 'T' : whole[10];
	return time_parse(str_of(whole), time);
}

static int find_cut(struct cli *c, struct statement *st, struct ledger_view *v, struct err *e)
{
	int64_t no;
	int got = str_int(str_of(st->cut_no), 1, INT64_MAX, &no) == 0 ? view_cut(v, no, &st->cut, e) : 0;
	if (got == 0)
		cli_warn(c, "cut_unknown", st->cut_no, NULL);
	return got == 1 && view_moment_of(v, st->cut.seq, &st->when, e) == MOMENT_KNOWN ? 0 : -1;
}

/* Finds st->when. 0, or -1 with a complaint (*e empty) or an error. */
static int find_moment(struct cli *c, struct statement *st, struct ledger_view *v, struct err *e)
{
	static const char *const why[] = {[MOMENT_LOST] = "statement_lost", [MOMENT_TO_COME] = "statement_to_come"};
	struct clock clock;
	int64_t seq, time;
	int rc;
	if (st->cut_no)
		return find_cut(c, st, v, e);
	if (!st->as_of)
		return view_now(v, &st->when, e);
	if (str_int(str_of(st->as_of), 0, INT64_MAX, &seq) == 0) {
		rc = view_moment_of(v, seq, &st->when, e);
	} else {
		if (time_of_text(st->as_of, &time) != 0) {
			cli_warn(c, "statement_as_of_wrong", st->as_of, NULL);
			return -1;
		}
		if (clock_init(&clock, c->conf.clock.file, e) != 0)
			return -1;
		rc = time >= clock_now(&clock) ? MOMENT_TO_COME : view_moment_at(v, time, &st->when, e);
	}
	if (rc > 0)
		cli_warn(c, why[rc], st->as_of, NULL);
	return rc == MOMENT_KNOWN ? 0 : -1;
}

static int read_figures(struct statement *st, struct ledger_view *v, int year, struct str village, struct err *e)
{
	return past(st) ? view_stats_at(v, st->when.seq, year, village, take, st, e) : view_stats(v, year, village, take, st, e);
}

static int give_csv(struct cli *c, const struct statement *st, struct err *e)
{
	struct buf out;
	buf_init(&out, 64 << 20);
	int rc = statement_csv(st, c, &out) != 0 ? err_set(e, ERR_TEMP, "statement: out of memory") : 0;
	if (rc == 0 && c->output)
		rc = fs_write_atomic(c->output, out.data, out.len, 0600, e);
	else if (rc == 0)
		cli_print(&out);
	buf_fini(&out);
	return rc;
}

static int give(struct cli *c, const struct statement *st, struct ledger_view *v, const struct view_adopted *adopted, struct err *e)
{
	if (c->format == FORMAT_XLSX)
		return statement_xlsx(st, c, c->output, e);
	if (c->format == FORMAT_CSV)
		return give_csv(c, st, e);
	if (c->json)
		print_json(st, adopted);
	else
		print_text(st, c, view_differences(v) + view_strangers(v), adopted);
	return 0;
}

static int show(struct cli *c, struct statement *st, int year, struct str village, struct err *e)
{
	struct ledger_view *v = NULL;
	char path[CONF_PATH];
	struct view_adopted adopted;
	int rc = -1;
	if (cli_path(c, path, CLI_LEDGER, e) != 0 || view_open(&v, path, e) != 0)
		goto out;
	if (find_moment(c, st, v, e) != 0) {
		rc = e->class == ERR_NONE ? EXIT_USAGE : -1;
		goto out;
	}
	if (read_figures(st, v, year, village, e) != 0 || view_adopted_sum(v, year, village, &adopted, e) != 0)
		goto out;
	e->class = ERR_NONE;
	st->adds_up = proves(st, v, year, village, &st->recounted, e);
	if (e->class != ERR_NONE || build_levels(st, v, year, village, e) != 0 || give(c, st, v, &adopted, e) != 0)
		goto out;
	rc = st->adds_up && st->recounted && st->levels_agree ? EXIT_YES : EXIT_NO;
out:
	view_close(v);
	return rc;
}

static int level_of(const char *word, enum level *level)
{
	static const char *const words[LEVELS] = {"village", "town", "district"};
	for (int i = 0; i < LEVELS; i++)
		if (!word || strcmp(word, words[i]) == 0) {
			*level = (enum level)i;
			return 0;
		}
	return -1;
}

int cmd_statement(struct cli *c, int argc, char **argv)
{
	const char *year_text = NULL, *village_text = NULL, *as_of = NULL, *cut_no = NULL, *by = NULL;
	const struct cli_option options[] = {{"--year", &year_text, NULL}, {"--village", &village_text, NULL},
					      {"--as-of", &as_of, NULL}, {"--cut", &cut_no, NULL},
					      {"--by", &by, NULL}, {"--output", &c->output, NULL}, {0}};
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
	bool sheet = c->format == FORMAT_XLSX || c->format == FORMAT_CSV;
	if ((c->format == FORMAT_XLSX && !c->output) || (c->output && !sheet)) {
		cli_usage(c, "statement", "statement_output");
		goto out;
	}
	if ((as_of && cut_no) || level_of(by, &st.by) != 0) {
		cli_usage(c, "statement", "usage_head");
		goto out;
	}
	if (reference_load(&reference, &c->conf, why) != 0) {
		cli_complain(c, c->file, why);
		goto out;
	}
	st.reference = reference;
	st.as_of = as_of;
	st.cut_no = cut_no;
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
	for (int i = 0; i < LEVELS; i++)
		free(st.levels[i].rows);
	free(st.reasons);
	reference_free(reference);
	free(why);
	buf_fini(&candidates);
	return rc;
}
