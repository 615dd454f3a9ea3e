/* qiao audit: who opened or handed over identities, and whether the records are whole. All of the chain is checked, whatever is
 * shown of it. */
#include "crypto/audit.h"
#include "base/date.h"
#include "base/table.h"
#include "cli/cli.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

enum { OUT_MAX = 256 << 20 };

struct listing {
	const struct cli *cli;
	int from, to; /* days, both included */
	struct table table;
	json_t *records, *faults, *chains;
	int shown, broken;
};

static int days_of(struct listing *l, const char *from, const char *to);
static int known_role(const struct cli *c, const char *role);
static int take_record(void *arg, const struct audit_record *r);
static void take_fault(void *arg, const char *file, int line, enum audit_fault fault);
static void take_chain(void *arg, const struct audit_chain *chain);
static int put_json(struct listing *l, const struct audit_record *r, const char *time);
static int put_row(struct listing *l, const struct audit_record *r, const char *time);
static void print_table(struct listing *l);
static void tell_chains(const struct listing *l);

int cmd_audit(struct cli *c, int argc, char **argv)
{
	static const char *const head[] = {"rejects_time",  "audit_role",  "audit_user",
					   "audit_purpose", "audit_batch", "audit_count"};
	struct listing l = {.cli = c, .from = INT32_MIN, .to = INT32_MAX};
	const char *from = NULL, *to = NULL, *role = NULL;
	const struct cli_option options[] = {{"--from", &from, NULL}, {"--to", &to, NULL}, {"--role", &role, NULL}, {0}};
	const struct audit_visitor visitor = {take_record, take_fault, take_chain, &l};
	struct err e = {0};
	int rc;

	if (cli_options(c, argc, argv, options, NULL, 0) < 0 || days_of(&l, from, to) < 0 ||
	    known_role(c, role) < 0)
		return EXIT_USAGE;
	table_init(&l.table, 6);
	l.table.right[5] = true;
	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		table_cell(&l.table, text_or_code(head[i], c->lang));
	l.records = json_array();
	l.faults = json_array();
	l.chains = json_array();
	rc = audit_read(c->conf.data.dir, role, &visitor, &e);
	if (rc == 0 && c->json)
		cli_print_json(json_pack("{s:b,s:O,s:O,s:O}", "whole", l.broken == 0, "records", l.records, "chains", l.chains,
					 "broken", l.faults));
	else if (rc == 0)
		print_table(&l);
	table_fini(&l.table);
	json_decref(l.records);
	json_decref(l.faults);
	json_decref(l.chains);
	if (rc < 0)
		return cli_fail(&e);
	return l.broken > 0 ? EXIT_NO : EXIT_YES;
}

static int days_of(struct listing *l, const char *from, const char *to)
{
	const char *wrong = NULL;

	if (from && date_parse(str_of(from), &l->from) < 0)
		wrong = "--from";
	else if (to && date_parse(str_of(to), &l->to) < 0)
		wrong = "--to";
	if (wrong == NULL)
		return 0;
	cli_warn(l->cli, "audit_date", wrong, NULL);
	return -1;
}

/* A misspelt one would be answered by "no records". */
static int known_role(const struct cli *c, const char *role)
{
	static const char *const roles[] = {"village", "tax", "ssa", "trace", "keys"};

	for (size_t i = 0; role && i < sizeof roles / sizeof roles[0]; i++) {
		if (str_is(str_of(role), roles[i]))
			return 0;
	}
	if (role)
		cli_warn(c, "audit_no_role", role, NULL);
	return role ? -1 : 0;
}

static int take_record(void *arg, const struct audit_record *r)
{
	struct listing *l = arg;
	int day = date_of_time(r->time_ms);
	char time[40];

	if (day < l->from || day > l->to)
		return 0;
	l->shown++;
	time_text(time, r->time_ms);
	return l->cli->json ? put_json(l, r, time) : put_row(l, r, time);
}

static int put_json(struct listing *l, const struct audit_record *r, const char *time)
{
	json_t *one = json_pack("{s:s,s:s%,s:s%,s:s%,s:s%,s:I}", "at", time, "role", r->role.p, r->role.n, "user", r->user.p,
				r->user.n, "purpose", r->purpose.p, r->purpose.n, "batch", r->batch.p, r->batch.n, "count",
				(json_int_t)r->count);

	return one ? json_array_append_new(l->records, one) : -1;
}

static int put_row(struct listing *l, const struct audit_record *r, const char *time)
{
	char purpose[AUDIT_WORD + 1];
	int rc = 0;

	str_copy(purpose, sizeof purpose, r->purpose);
	rc |= table_cellf(&l->table, "%.19s", time);
	rc |= table_cellf(&l->table, "%.*s", (int)r->role.n, r->role.p);
	rc |= table_cellf(&l->table, "%.*s", (int)r->user.n, r->user.p);
	rc |= table_cell(&l->table, text_or_code(purpose, l->cli->lang));
	rc |= table_cellf(&l->table, "%.*s", (int)r->batch.n, r->batch.p);
	rc |= table_cellf(&l->table, "%" PRId64, r->count);
	return rc;
}

static void take_fault(void *arg, const char *file, int line, enum audit_fault fault)
{
	const char *code = fault == AUDIT_CHANGED ? "audit_changed" : "audit_unreadable";
	struct listing *l = arg;

	l->broken++;
	json_array_append_new(l->faults, json_pack("{s:s,s:i,s:s}", "file", file, "line", line, "why", code));
}

static void take_chain(void *arg, const struct audit_chain *chain)
{
	struct listing *l = arg;
	char hex[2 * SHA256_LEN + 1];

	hex_put(hex, chain->head, SHA256_LEN);
	json_array_append_new(l->chains, json_pack("{s:s,s:I,s:s,s:b,s:b}", "role", chain->role, "records",
						   (json_int_t)chain->records, "head", hex, "from_beginning",
						   chain->from_beginning, "torn", chain->torn));
}

static void print_table(struct listing *l)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	if (l->shown == 0)
		cli_say(l->cli, "audit_none", NULL);
	else if (table_print(&l->table, &out) == 0)
		cli_print(&out);
	buf_fini(&out);
	tell_chains(l);
}

static void tell_chains(const struct listing *l)
{
	char number[24];
	json_t *one;
	size_t i;

	json_array_foreach(l->chains, i, one) {
		const char *role = json_string_value(json_object_get(one, "role"));

		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(one, "records")));
		cli_say(l->cli, "audit_whole", role, number, json_string_value(json_object_get(one, "head")), NULL);
		if (json_is_false(json_object_get(one, "from_beginning")))
			cli_say(l->cli, "audit_begins", role, NULL);
		if (json_is_true(json_object_get(one, "torn")))
			cli_say(l->cli, "audit_torn", role, NULL);
	}
	json_array_foreach(l->faults, i, one) {
		snprintf(number, sizeof number, "%d", (int)json_integer_value(json_object_get(one, "line")));
		cli_warn(l->cli, json_string_value(json_object_get(one, "why")),
			 json_string_value(json_object_get(one, "file")), number, NULL);
	}
	if (l->broken > 0) {
		snprintf(number, sizeof number, "%d", l->broken);
		cli_warn(l->cli, "audit_broken", number, NULL);
	}
}
