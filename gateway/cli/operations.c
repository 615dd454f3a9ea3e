/* qiao operations: what people decided, and what became of it. qiao approve, decline: the second person's word. qiao withdraw: a row is
 * taken out before it is instructed. qiao reverse: what was collected is asked back, whole. Other commands that decide stand in files of their own. */
#include "base/date.h"
#include "base/table.h"
#include "cli/operate.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { OUT_MAX = 64 << 20 };

struct listing {
	const struct cli *cli;
	struct table table;
	json_t *json;
	int count, waiting;
};

static int put_one(void *arg, const struct op_record *o)
{
	struct listing *l = arg;
	char hex[ID_HEX], at[40], state[40];

	l->count++;
	snprintf(state, sizeof state, "operation_%s", op_state_code(o->state));
	l->waiting += o->state == OP_UNAPPROVED;
	id_hex(&o->id, hex);
	time_text(at, o->decided_at);
	if (l->json)
		return json_array_append_new(
			l->json, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "operation", hex, "at", at, "kind",
					   o->kind, "subject", o->subject, "argument", o->argument, "operator", o->operator, "approver",
					   o->approver, "state", op_state_code(o->state), "code", o->code, "reason", o->reason,
					   "document", o->document));
	return table_cellf(&l->table, "%.12s", hex) | table_cellf(&l->table, "%.19s", at) | table_cell(&l->table, o->kind) |
	       table_cellf(&l->table, "%.20s", o->subject) | table_cell(&l->table, o->argument) | table_cell(&l->table, o->operator) |
	       table_cell(&l->table, o->approver) | table_cell(&l->table, text_or_code(state, l->cli->lang)) |
	       table_cell(&l->table, o->code[0] ? text_or_code(o->code, l->cli->lang) : "") | table_cell(&l->table, o->reason);
}

static void print(struct listing *l)
{
	struct buf out;

	if (l->json) {
		cli_print_json(l->json);
		l->json = NULL;
		return;
	}
	if (l->count == 0) {
		cli_say(l->cli, "operations_none", NULL);
		return;
	}
	buf_init(&out, OUT_MAX);
	if (table_print(&l->table, &out) == 0)
		cli_print(&out);
	buf_fini(&out);
}

int cmd_operations(struct cli *c, int argc, char **argv)
{
	static const char *const head[] = {"operations_id",	  "rejects_time",     "operations_kind",  "operations_subject",
					   "operations_argument", "operations_who",   "operations_second", "operations_state",
					   "rejects_reason",	  "operations_reason"};
	struct listing l = {.cli = c};
	struct ledger_view *v = NULL;
	const char *id = NULL;
	char path[CONF_PATH];
	struct err e = {0};
	int n = cli_options(c, argc, argv, NULL, &id, 1), rc = -1;

	if (n < 0)
		return EXIT_USAGE;
	l.json = c->json ? json_array() : NULL;
	table_init(&l.table, 10);
	for (int i = 0; i < 10; i++)
		table_cell(&l.table, text_or_code(head[i], c->lang));
	if (cli_path(c, path, CLI_LEDGER, &e) == 0 && view_open(&v, path, &e) == 0)
		rc = view_operations(v, n ? str_of(id) : (struct str){0}, put_one, &l, &e);
	if (rc == 0)
		print(&l);
	view_close(v);
	table_fini(&l.table);
	json_decref(l.json);
	return rc < 0 ? cli_fail(&e) : l.waiting ? EXIT_NO : EXIT_YES;
}

/* ---- the second person ---- */

struct one {
	int count;
	char id[ID_HEX];
};

static int the_one(void *arg, const struct op_record *o)
{
	struct one *one = arg;

	one->count++;
	id_hex(&o->id, one->id);
	return one->count > 1;
}

static int second(struct cli *c, int argc, char **argv)
{
	const char *kind = argv[0], *given = NULL;
	struct operate o = {0};
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {0}};
	struct ledger_view *v = NULL;
	struct one one = {0};
	char path[CONF_PATH];
	struct err e = {0};
	int n = cli_options(c, argc, argv, options, &given, 1);

	if (n < 0)
		return EXIT_USAGE;
	if (n == 0 || strlen(given) < 8 || strspn(given, "0123456789abcdef") != strlen(given))
		return cli_usage(c, kind, "operate_which");
	if (cli_path(c, path, CLI_LEDGER, &e) < 0 || view_open(&v, path, &e) < 0)
		return cli_fail(&e);
	n = view_operations(v, str_of(given), the_one, &one, &e);
	view_close(v);
	if (n < 0)
		return cli_fail(&e);
	if (one.count != 1) {
		cli_warn(c, one.count ? "operate_several" : "operate_nothing", given, NULL);
		return EXIT_NO;
	}
	return operate(c, &o, kind, one.id, NULL);
}

int cmd_approve(struct cli *c, int argc, char **argv)
{
	return second(c, argc, argv);
}

int cmd_decline(struct cli *c, int argc, char **argv)
{
	return second(c, argc, argv);
}

/* ---- withdraw, reverse ---- */

int cmd_withdraw(struct cli *c, int argc, char **argv)
{
	struct operate o = {0};
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {0}};
	const char *what[2] = {NULL, NULL};
	char subject[OPERATE_SUBJECT];
	int n = cli_options(c, argc, argv, options, what, 2);

	if (n < 0)
		return EXIT_USAGE;
	if (n == 0)
		return cli_usage(c, argv[0], "operate_row");
	int rc = operate_subject(c, what[0], what[1], subject);
	return rc != 0 ? rc : operate(c, &o, "withdraw", subject, NULL);
}

int cmd_reverse(struct cli *c, int argc, char **argv)
{
	struct operate o = {0};
	const char *why = NULL, *what[2] = {NULL, NULL};
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {"--refund", &why, NULL}, {0}};
	char subject[OPERATE_SUBJECT];
	int n = cli_options(c, argc, argv, options, what, 2);

	if (n < 0)
		return EXIT_USAGE;
	if (n == 0)
		return cli_usage(c, argv[0], "operate_row");
	if (!why || (strcmp(why, "03") != 0 && strcmp(why, "04") != 0))
		return cli_usage(c, argv[0], "reverse_refund");
	int rc = operate_subject(c, what[0], what[1], subject);
	return rc != 0 ? rc : operate(c, &o, "reverse", subject, why);
}
