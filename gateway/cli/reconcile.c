/* qiao reconcile: has the books of the agencies fetched and matched with the ledger, and tells what was found. Without --year: what the
 * newest run found. */
#include "cli/reconcile.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/table.h"
#include "cli/operate.h"
#include "ledger/read.h"
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 256 << 20, POLL_MS = 100, DEFAULT_RUN_WAIT_S = 600, OPERATION_WAIT_S = 60 };

/* 1 there, 0 not. id NULL: the newest. */
static int look(const struct cli *c, const struct id *id, struct report *r, struct err *e)
{
	struct ledger_view *v = NULL;
	char path[CONF_PATH];
	r->cases.count = r->open = 0;
	if (cli_path(c, path, CLI_LEDGER, e) != 0 || view_open(&v, path, e) != 0)
		return -1;
	int got = view_run(v, id, &r->run, e);
	if (got == 1 && (view_run_sums(v, r->run.no, r->sums, e) != 0 ||
			 (r->run.state >= RUN_DONE && view_difference_cases(v, 0, true, r->run.no, cases_take, &r->cases, e) != 0)))
		got = -1;
	view_close(v);
	for (int i = 0; i < r->cases.count; i++)
		r->open += r->cases.rows[i].state < CASE_RESOLVED;
	return got;
}

static const char *class_text(enum book_class class, const struct cli *c)
{
	char code[40];
	snprintf(code, sizeof code, "class.%s", book_class_code(class));
	return text_or_code(code, c->lang);
}

/* ---- forms ---- */

static int grid_sums(const struct grid *g, const void *arg, const struct cli *c)
{
	static const char *const head[] = {"reconcile_book", "reconcile_class", "reconcile_count", "reconcile_our_fen", "reconcile_their_fen",
					   "reconcile_oldest"};
	const struct report *r = arg;
	int rc = 0, row = 0;
	for (int i = 0; i < 6; i++)
		rc |= g->text(g->arg, 0, i, text_or_code(head[i], c->lang));
	rc |= g->end(g->arg, row++);
	for (int b = 0; b < BOOKS; b++)
		for (int k = 1; k < BOOK_CLASSES && r->run.book[b].asked; k++, row++) {
			const struct run_sum *s = &r->sums[b][k];
			rc |= g->text(g->arg, row, 0, book_code((enum book)b)) | g->text(g->arg, row, 1, class_text((enum book_class)k, c)) |
			      g->count(g->arg, row, 2, s->count) | g->yuan(g->arg, row, 3, s->our_fen) |
			      g->yuan(g->arg, row, 4, s->their_fen) | g->count(g->arg, row, 5, s->oldest_days) | g->end(g->arg, row);
		}
	return rc;
}

static void print_json(const struct report *r)
{
	char hex[ID_HEX], from[40], to[40], as_of[40];
	const struct run *run = &r->run;
	json_t *books = json_array();
	for (int b = 0; b < BOOKS; b++) {
		json_t *classes = json_array();
		for (int k = 1; k < BOOK_CLASSES && run->book[b].asked; k++) {
			const struct run_sum *s = &r->sums[b][k];
			json_array_append_new(classes, json_pack("{s:i, s:s, s:I, s:I, s:I, s:I}", "class", k, "code",
								 book_class_code((enum book_class)k), "count", (json_int_t)s->count, "our_fen",
								 (json_int_t)s->our_fen, "their_fen", (json_int_t)s->their_fen, "oldest_days",
								 (json_int_t)s->oldest_days));
		}
		if (run->book[b].asked)
			json_array_append_new(books, json_pack("{s:s, s:s, s:I, s:I, s:b, s:O}", "book", book_code((enum book)b), "as_of",
							       time_text(as_of, run->book[b].as_of), "entries", (json_int_t)run->book[b].seq,
							       "fen", (json_int_t)run->book[b].fen, "whole", run->book[b].closed, "classes",
							       classes));
		json_decref(classes);
	}
	cli_print_json(json_pack("{s:I, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "run", (json_int_t)run->no, "id",
				 id_hex(&run->id, hex), "year", run->year, "from", time_text(from, run->from), "to", time_text(to, run->to),
				 "state", run_state_code(run->state), "reason", run->why, "operator", run->operator, "books", books,
				 "differences", cases_json(&r->cases)));
}

static int print_text(const struct report *r, const struct cli *c)
{
	struct table t;
	struct buf out;
	char money[24], no[24];
	buf_init(&out, OUT_MAX);
	table_init(&t, 6);
	t.right[2] = t.right[3] = t.right[4] = t.right[5] = true;
	static const char *const head[] = {"reconcile_book", "reconcile_class", "reconcile_count", "reconcile_our_fen", "reconcile_their_fen",
					   "reconcile_oldest"};
	for (int i = 0; i < 6; i++)
		table_cell(&t, text_or_code(head[i], c->lang));
	for (int b = 0; b < BOOKS; b++)
		for (int k = 1; k < BOOK_CLASSES && r->run.book[b].asked; k++) {
			const struct run_sum *s = &r->sums[b][k];
			table_cell(&t, book_code((enum book)b));
			table_cell(&t, class_text((enum book_class)k, c));
			table_cellf(&t, "%" PRId64, s->count);
			table_cell(&t, yuan(money, s->our_fen));
			table_cell(&t, yuan(money, s->their_fen));
			table_cellf(&t, "%" PRId64, s->oldest_days);
		}
	snprintf(no, sizeof no, "%" PRId64, r->run.no);
	cli_say(c, r->run.state == RUN_DONE ? "reconcile_done" : r->run.state == RUN_INCOMPLETE ? "reconcile_incomplete" : "reconcile_going",
		no, text_or_code(r->run.why[0] ? r->run.why : run_state_code(r->run.state), c->lang), NULL);
	int rc = table_print(&t, &out);
	if (rc == 0)
		cli_print(&out);
	if (rc == 0 && r->cases.count)
		rc = cases_print(&r->cases, c);
	table_fini(&t);
	buf_fini(&out);
	return rc;
}

static int print(const struct report *r, const struct cli *c, struct err *e)
{
	struct buf out;
	int rc = 0;
	if (c->format == FORMAT_XLSX) {
		const struct grid_sheet sheets[] = {{"sheet_reconcile", grid_sums, r}, {"sheet_differences", cases_grid, &r->cases}, {0}};
		return sheets_xlsx(sheets, r->run.started_at, c, c->output, e);
	}
	if (c->format == FORMAT_CSV) {
		buf_init(&out, OUT_MAX);
		rc = table_csv(cases_grid, &r->cases, c, &out);
		if (rc == 0)
			cli_print(&out);
		buf_fini(&out);
		return rc;
	}
	if (c->json)
		print_json(r);
	else
		rc = print_text(r, c);
	return rc;
}

/* ---- a run ---- */

static int start(struct cli *c, struct operate *o, const char *argument, const char *year, struct id *run)
{
	char id[ID_HEX], wait[16];
	snprintf(wait, sizeof wait, "%d", OPERATION_WAIT_S);
	o->wait = wait;
	o->reason = o->reason ? o->reason : "reconciliation";
	int rc = operate_send(c, o, "reconcile", year, argument, id);
	return rc != 0 ? rc : id_parse(run, str_of(id));
}

static int await(struct cli *c, const struct id *run, int64_t wait_s, struct report *r, struct err *e)
{
	int64_t until = clock_monotonic() + wait_s * 1000;
	struct cli_progress progress;
	int got;
	cli_progress_start(&progress);
	while ((got = look(c, run, r, e)) == 0 || (got == 1 && r->run.state < RUN_DONE)) {
		if (clock_monotonic() >= until)
			break;
		cli_progress(&progress, c, "reconcile_waiting", NULL);
		poll(NULL, 0, POLL_MS);
	}
	cli_progress_end(&progress);
	return got;
}

/* "tax,ssa FROM TO". Default: both, from the year's beginning until now. */
static int argument_of(struct cli *c, const char *with, const char *from, const char *to, int64_t year, char out[80], struct err *e)
{
	struct clock clock;
	int first = date_of((int)year, 1, 1), last = 0;
	if (clock_init(&clock, c->conf.clock.file, e) != 0)
		return -1;
	if ((from && date_parse(str_of(from), &first) != 0) || (to && date_parse(str_of(to), &last) != 0) ||
	    strlen(with) > 7 || (strcmp(with, "tax") != 0 && strcmp(with, "ssa") != 0 && strcmp(with, "tax,ssa") != 0 && strcmp(with, "ssa,tax") != 0))
		return 1;
	int64_t end = to ? time_of_date(last + 1) : clock_now(&clock);
	snprintf(out, 80, "%s %" PRId64 " %" PRId64, with, time_of_date(first), end);
	return time_of_date(first) < end ? 0 : 1;
}

int cmd_reconcile(struct cli *c, int argc, char **argv)
{
	struct operate o = {0};
	const char *year = NULL, *with = "tax,ssa", *from = NULL, *to = NULL, *file = NULL, *none[1];
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {"--year", &year, NULL}, {"--with", &with, NULL}, {"--from", &from, NULL},
					     {"--to", &to, NULL}, {"--tax-file", &file, NULL}, {"--output", &c->output, NULL}, {0}};
	int n = cli_options(c, argc, argv, options, none, 0);
	int64_t y = 0, wait_s = DEFAULT_RUN_WAIT_S;
	struct report r = {0};
	struct err e = {0};
	struct id run;
	char argument[80];
	if (n < 0)
		return EXIT_USAGE;
	if ((year && str_int(str_of(year), 2009, 2099, &y) != 0) || (o.wait && str_int(str_of(o.wait), 0, 86400, &wait_s) != 0) ||
	    (c->format == FORMAT_XLSX) != (c->output != NULL) || (file && (!year || from || to)))
		return cli_usage(c, argv[0], "usage_head");
	if (year && !file) {
		n = argument_of(c, with, from, to, y, argument, &e);
		if (n > 0)
			return cli_usage(c, argv[0], "reconcile_what");
		if (n < 0)
			return cli_fail(&e);
		n = start(c, &o, argument, year, &run);
		if (n != 0)
			return n;
	}
	n = file ? (reconcile_file(c, file, (int)y, &r, &e) == 0 ? 1 : -1) : year ? await(c, &run, wait_s, &r, &e) : look(c, NULL, &r, &e);
	if (n == 1 && print(&r, c, &e) != 0)
		n = -1;
	if (n == 0)
		cli_say(c, "reconcile_none", NULL);
	int state = n == 1 ? (int)r.run.state : -1, open = r.open;
	free(r.cases.rows);
	if (n < 0)
		return cli_fail(&e);
	return state == RUN_DONE ? (open ? EXIT_NO : EXIT_YES) : state == RUN_INCOMPLETE ? EXIT_NO : EXIT_LATER;
}
