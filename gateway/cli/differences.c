/* qiao differences: what two sides tell differently, as cases: listed, shown with their history, given to somebody, resolved. */
#include "base/date.h"
#include "base/table.h"
#include "cli/operate.h"
#include "cli/reconcile.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 256 << 20, COLUMNS_OF_CASE = 11 };

int cases_take(void *list, const struct case_row *c)
{
	struct case_list *l = list;
	if (l->count == l->cap) {
		int cap = l->cap ? 2 * l->cap : 64;
		struct case_row *rows = realloc(l->rows, sizeof(*rows) * (size_t)cap);
		if (!rows)
			return -1;
		l->rows = rows;
		l->cap = cap;
	}
	l->rows[l->count++] = *c;
	return 0;
}

const char *case_cure(const struct case_row *c)
{
	static const char *const cures[BOOK_CLASSES] = {
		[BC_AMOUNT] = "cure_amount",	   [BC_FAILED_THERE] = "cure_failed_there", [BC_MISSING_THERE] = "cure_missing_there",
		[BC_OK_THERE] = "cure_ok_there", [BC_UNKNOWN_HERE] = "cure_unknown_here",
	};
	bool known = c->book >= 0 && c->class < BOOK_CLASSES && cures[c->class];
	return strstr(c->kind, "_twice") ? "cure_twice" : known ? cures[c->class] : "cure_look";
}

/* Who it is about: a payment's id, or a person's token; both for qiao trace. */
static const char *whom(const struct case_row *c, char hex[ID_HEX])
{
	return c->has_pid ? id_hex(&c->pid, hex) : c->has_token ? id_hex(&c->token, hex) : "";
}

static const char *day(char out[40], int64_t at)
{
	if (at <= 0)
		return "";
	time_text(out, at);
	out[10] = '\0';
	return out;
}

static const char *const head[COLUMNS_OF_CASE] = {"difference_no",    "difference_kind",  "difference_state",  "difference_owner_head",
						  "difference_whom",  "difference_ours",  "difference_our_fen", "difference_theirs",
						  "difference_their_fen", "difference_found", "difference_note_head"};

static const char *kind_text(const struct case_row *c, const struct cli *cli)
{
	char code[48];
	snprintf(code, sizeof code, "difference.%s", c->kind);
	const char *text = text_get(code, cli->lang);
	return text ? text : c->kind;
}

static const char *state_text(const struct case_row *c, const struct cli *cli)
{
	char code[48];
	snprintf(code, sizeof code, "difference_%s", case_state_code(c->state));
	return text_or_code(code, cli->lang);
}

int cases_grid(const struct grid *g, const void *list, const struct cli *c)
{
	const struct case_list *l = list;
	char hex[ID_HEX], at[40];
	int rc = 0;
	for (int i = 0; i < COLUMNS_OF_CASE; i++)
		rc |= g->text(g->arg, 0, i, text_or_code(head[i], c->lang));
	rc |= g->end(g->arg, 0);
	for (int i = 0; i < l->count && rc == 0; i++) {
		const struct case_row *r = &l->rows[i];
		rc |= g->count(g->arg, i + 1, 0, r->no) | g->text(g->arg, i + 1, 1, kind_text(r, c)) |
		      g->text(g->arg, i + 1, 2, state_text(r, c)) | g->text(g->arg, i + 1, 3, r->owner) |
		      g->text(g->arg, i + 1, 4, whom(r, hex)) | g->text(g->arg, i + 1, 5, r->our_state) |
		      g->yuan(g->arg, i + 1, 6, r->our_fen) | g->text(g->arg, i + 1, 7, r->their_state) |
		      g->yuan(g->arg, i + 1, 8, r->their_fen) | g->text(g->arg, i + 1, 9, day(at, r->recorded_at)) |
		      g->text(g->arg, i + 1, 10, r->note[0] ? r->note : r->detail) | g->end(g->arg, i + 1);
	}
	return rc;
}

int cases_print(const struct case_list *l, const struct cli *c)
{
	struct table t;
	struct buf out;
	char hex[ID_HEX], at[40], money[24];
	buf_init(&out, OUT_MAX);
	table_init(&t, COLUMNS_OF_CASE);
	t.right[0] = t.right[6] = t.right[8] = true;
	for (int i = 0; i < COLUMNS_OF_CASE; i++)
		table_cell(&t, text_or_code(head[i], c->lang));
	for (int i = 0; i < l->count; i++) {
		const struct case_row *r = &l->rows[i];
		table_cellf(&t, "%" PRId64, r->no);
		table_cell(&t, kind_text(r, c));
		table_cell(&t, state_text(r, c));
		table_cell(&t, r->owner);
		table_cellf(&t, "%.12s", whom(r, hex));
		table_cell(&t, r->our_state);
		table_cell(&t, r->our_state[0] ? yuan(money, r->our_fen) : "");
		table_cell(&t, r->their_state);
		table_cell(&t, r->their_state[0] ? yuan(money, r->their_fen) : "");
		table_cell(&t, day(at, r->recorded_at));
		table_cell(&t, r->note[0] ? r->note : r->detail);
	}
	int rc = table_print(&t, &out);
	if (rc == 0)
		cli_print(&out);
	table_fini(&t);
	buf_fini(&out);
	return rc;
}

json_t *case_json(const struct case_row *c)
{
	char hex[ID_HEX], at[40];
	json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "number", (json_int_t)c->no, "kind", c->kind, "state",
			      case_state_code(c->state), "owner", c->owner, "note", c->note, "detail", c->detail, "declaration",
			      (json_int_t)c->decl, "seen_in_run", (json_int_t)c->seen_run);
	json_object_set_new(o, "class", c->book >= 0 ? json_integer(c->class) : json_null());
	json_object_set_new(o, "book", c->book >= 0 ? json_string(book_code((enum book)c->book)) : json_null());
	json_object_set_new(o, "payment", c->has_pid ? json_string(id_hex(&c->pid, hex)) : json_null());
	json_object_set_new(o, "person", c->has_token ? json_string(id_hex(&c->token, hex)) : json_null());
	json_object_set_new(o, "receipt", c->receipt[0] ? json_string(c->receipt) : json_null());
	json_object_set_new(o, "recorded_at", json_string(time_text(at, c->recorded_at)));
	json_object_set_new(o, "cure", json_string(case_cure(c)));
	json_object_set_new(o, "ours", c->our_state[0] ? json_pack("{s:s, s:I}", "state", c->our_state, "fen", (json_int_t)c->our_fen)
						       : json_null());
	json_object_set_new(o, "theirs", c->their_state[0]
						 ? json_pack("{s:s, s:I, s:s}", "state", c->their_state, "fen", (json_int_t)c->their_fen,
							     "at", time_text(at, c->their_at))
						 : json_null());
	return o;
}

json_t *cases_json(const struct case_list *l)
{
	json_t *all = json_array();
	for (int i = 0; i < l->count; i++)
		json_array_append_new(all, case_json(&l->rows[i]));
	return all;
}

/* ---- the command ---- */

static int load(struct cli *c, int64_t no, bool all, struct case_list *l, struct ledger_view **v, struct err *e)
{
	char path[CONF_PATH];
	if (cli_path(c, path, CLI_LEDGER, e) != 0 || view_open(v, path, e) != 0)
		return -1;
	return view_difference_cases(*v, no, all, 0, cases_take, l, e);
}

static int list(struct cli *c, bool all)
{
	struct case_list l = {0};
	struct ledger_view *v = NULL;
	struct err e = {0};
	int rc = load(c, 0, all, &l, &v, &e), open = 0;
	view_close(v);
	for (int i = 0; i < l.count; i++)
		open += l.rows[i].state < CASE_RESOLVED;
	if (rc == 0 && c->json)
		cli_print_json(json_pack("{s:o}", "differences", cases_json(&l)));
	else if (rc == 0 && l.count == 0)
		cli_say(c, "differences_none", NULL);
	else if (rc == 0)
		cases_print(&l, c);
	free(l.rows);
	return rc != 0 ? cli_fail(&e) : open ? EXIT_NO : EXIT_YES;
}

struct history {
	const struct cli *c;
	json_t *json;
};

static int put_event(void *arg, const struct case_event *ev)
{
	struct history *h = arg;
	char at[40];
	time_text(at, ev->at);
	if (h->json)
		return json_array_append_new(h->json, json_pack("{s:s, s:s, s:s, s:s, s:I}", "at", at, "what", ev->what, "operator",
								ev->operator, "note", ev->note, "run", (json_int_t)ev->run));
	char code[40], line[600];
	struct buf out;
	snprintf(code, sizeof code, "difference_event.%s", ev->what);
	snprintf(line, sizeof line, "  %.19s  %s  %s  %s\n", at, text_or_code(code, h->c->lang), ev->operator, ev->note);
	buf_init(&out, 1 << 12);
	if (buf_put_str(&out, line) == 0)
		cli_print(&out);
	buf_fini(&out);
	return 0;
}

static int show(struct cli *c, int64_t no)
{
	struct case_list l = {0};
	struct ledger_view *v = NULL;
	struct err e = {0};
	struct history h = {.c = c, .json = c->json ? json_array() : NULL};
	int rc = load(c, no, true, &l, &v, &e);
	bool found = rc == 0 && l.count == 1;
	if (found && !c->json) {
		cases_print(&l, c);
		cli_say(c, "difference_cure", text_or_code(case_cure(&l.rows[0]), c->lang), NULL);
	}
	if (found)
		rc = view_case_events(v, no, put_event, &h, &e);
	view_close(v);
	if (found && rc == 0 && c->json) {
		json_t *o = case_json(&l.rows[0]);
		json_object_set(o, "history", h.json);
		cli_print_json(o);
	}
	json_decref(h.json);
	free(l.rows);
	if (rc == 0 && !found)
		cli_warn(c, "difference_not_found", NULL);
	return rc != 0 ? cli_fail(&e) : found ? EXIT_YES : EXIT_NO;
}

int cmd_differences(struct cli *c, int argc, char **argv)
{
	struct operate o = {0};
	const char *what[3] = {"list", NULL, NULL}, *note = NULL;
	bool all = false;
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {"--note", &note, NULL}, {"--all", NULL, &all}, {0}};
	int n = cli_options(c, argc, argv, options, what, 3);
	int64_t no = 0;
	if (n < 0)
		return EXIT_USAGE;
	if (strcmp(what[0], "list") == 0 && n <= 1)
		return list(c, all);
	if (n < 2 || str_int(str_of(what[1]), 1, INT64_MAX, &no) != 0)
		return cli_usage(c, argv[0], "usage_head");
	if (note)
		o.reason = note;
	if (strcmp(what[0], "show") == 0 && n == 2)
		return show(c, no);
	if (strcmp(what[0], "assign") == 0 && n == 3) {
		o.reason = o.reason ? o.reason : "assigned";
		return operate(c, &o, "difference_assign", what[1], what[2]);
	}
	if (strcmp(what[0], "resolve") == 0 && n == 2)
		return operate(c, &o, "difference_resolve", what[1], NULL);
	return cli_usage(c, argv[0], "usage_head");
}
