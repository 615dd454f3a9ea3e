/* qiao cut: the ends of the days (日切), their canonical form, and the proof that none of them was changed. */
#include "ledger/cuts.h"
#include "base/date.h"
#include "base/table.h"
#include "cli/cli.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { OUT_MAX = 256 << 20 };

struct listing {
	const struct cli *cli;
	struct ledger_view *view;
	struct table table;
	json_t *cuts, *broken;
	struct cut last; /* the one before, while checking */
	int count;
	struct err *e;
};

static void time_short(char out[20], int64_t at)
{
	char text[40];
	time_text(text, at);
	text[10] = ' ';
	snprintf(out, 20, "%.19s", text);
}

static int take(void *arg, const struct cut *c)
{
	struct listing *l = arg;
	char day[16], made[20];
	date_text(day, c->day);
	time_short(made, c->made_at);
	l->count++;
	json_array_append_new(l->cuts, json_pack("{s:I,s:s,s:I,s:s,s:s}", "number", (json_int_t)c->no, "day", day, "sequence",
						 (json_int_t)c->seq, "made_at", made, "digest", c->digest));
	return table_cellf(&l->table, "%" PRId64, c->no) | table_cell(&l->table, day) | table_cellf(&l->table, "%" PRId64, c->seq) |
	       table_cell(&l->table, made) | table_cell(&l->table, c->digest);
}

static int list(struct listing *l, struct err *e)
{
	static const char *const head[] = {"cut_number", "cut_day", "cut_sequence", "cut_made", "cut_digest"};
	struct buf out;
	buf_init(&out, OUT_MAX);
	table_init(&l->table, 5);
	l->table.right[0] = l->table.right[2] = true;
	for (int i = 0; i < 5; i++)
		table_cell(&l->table, text_or_code(head[i], l->cli->lang));
	int rc = view_cuts(l->view, take, l, e);
	if (rc == 0 && l->cli->json)
		cli_print_json(json_pack("{s:O}", "cuts", l->cuts));
	else if (rc == 0 && l->count == 0)
		cli_say(l->cli, "cut_none", NULL);
	else if (rc == 0 && table_print(&l->table, &out) == 0)
		cli_print(&out);
	table_fini(&l->table);
	buf_fini(&out);
	return rc < 0 ? -1 : EXIT_YES;
}

static int show(struct listing *l, const char *number, struct err *e)
{
	struct cut c;
	struct buf form;
	char digest[CUT_DIGEST];
	int64_t no;
	int got = str_int(str_of(number), 1, INT64_MAX, &no) == 0 ? view_cut(l->view, no, &c, e) : 0;
	if (got < 0)
		return -1;
	if (got == 0) {
		cli_warn(l->cli, "cut_unknown", number, NULL);
		return EXIT_USAGE;
	}
	buf_init(&form, OUT_MAX);
	if (view_cut_form(l->view, &c, &form, digest, e) != 0) {
		buf_fini(&form);
		return -1;
	}
	cli_print(&form);
	buf_fini(&form);
	if (strcmp(digest, c.digest) == 0)
		return EXIT_YES;
	cli_warn(l->cli, "cut_changed", number, "", NULL);
	return EXIT_NO;
}

/* What is wrong with a cut, as a text code; NULL: nothing. */
static const char *fault_of(struct listing *l, const struct cut *c)
{
	struct buf form;
	char digest[CUT_DIGEST];
	if (c->no != l->last.no + 1 || (l->last.no && (c->day != l->last.day + 1 || c->seq < l->last.seq)))
		return "cut_missing";
	buf_init(&form, OUT_MAX);
	int rc = view_cut_form(l->view, c, &form, digest, l->e);
	buf_fini(&form);
	if (rc != 0)
		return "cut_unreadable";
	return strcmp(digest, c->digest) == 0 ? NULL : "cut_changed";
}

static int check_one(void *arg, const struct cut *c)
{
	struct listing *l = arg;
	char day[16];
	const char *fault = fault_of(l, c);
	l->count++;
	if (fault)
		json_array_append_new(l->broken, json_pack("{s:I,s:s,s:s}", "number", (json_int_t)c->no, "day", date_text(day, c->day),
							   "why", fault));
	l->last = *c;
	return l->e->class != ERR_NONE;
}

static int check(struct listing *l, struct err *e)
{
	char number[24];
	json_t *one;
	size_t i;
	l->e = e;
	if (view_cuts(l->view, check_one, l, e) != 0 || e->class != ERR_NONE)
		return -1;
	bool whole = json_array_size(l->broken) == 0;
	if (l->cli->json) {
		cli_print_json(json_pack("{s:b,s:i,s:s?,s:O}", "whole", whole, "cuts", l->count, "digest",
					 l->count ? l->last.digest : NULL, "broken", l->broken));
		return whole ? EXIT_YES : EXIT_NO;
	}
	json_array_foreach(l->broken, i, one) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(one, "number")));
		cli_warn(l->cli, json_string_value(json_object_get(one, "why")), number,
			 json_string_value(json_object_get(one, "day")), NULL);
	}
	snprintf(number, sizeof number, "%d", l->count);
	if (l->count == 0)
		cli_say(l->cli, "cut_none", NULL);
	else if (whole)
		cli_say(l->cli, "cut_whole", number, l->last.digest, NULL);
	return whole ? EXIT_YES : EXIT_NO;
}

int cmd_cut(struct cli *c, int argc, char **argv)
{
	struct listing l = {.cli = c};
	const char *operands[2] = {"list", NULL};
	char path[CONF_PATH];
	struct err e = {0};
	int rc = -1, count = cli_options(c, argc, argv, NULL, operands, 2);
	if (count < 0)
		return EXIT_USAGE;
	bool shows = strcmp(operands[0], "show") == 0, checks = strcmp(operands[0], "check") == 0;
	if (count > 1 + shows || (shows && count < 2) || (!shows && !checks && strcmp(operands[0], "list") != 0))
		return cli_usage(c, "cut", "usage_head");
	l.cuts = json_array();
	l.broken = json_array();
	if (cli_path(c, path, CLI_LEDGER, &e) == 0 && view_open(&l.view, path, &e) == 0)
		rc = shows ? show(&l, operands[1], &e) : checks ? check(&l, &e) : list(&l, &e);
	view_close(l.view);
	json_decref(l.cuts);
	json_decref(l.broken);
	return rc < 0 ? cli_fail(&e) : rc;
}
