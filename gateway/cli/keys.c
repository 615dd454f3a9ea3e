/* qiao keys destroy: a year's seal key is destroyed, and the identities that were sealed under it with it. For good, so two people
 * sign it, and it is recorded before it happens: their words in data/audit/destroyed-YEAR-ID.json, two records in the audit of the
 * role `keys`. The books are of tokens and stay as they are. */
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "cli/operate.h"
#include "crypto/audit.h"
#include "crypto/digest.h"
#include "crypto/identity.h"
#include "crypto/ids.h"
#include "crypto/operator.h"
#include "flow/reference.h"
#include "ledger/read.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word { /* of one person */
	struct operation op;
	char operator[OPERATOR_NAME], subject[ID_HEX];
	uint8_t signature[SIGNATURE_LEN];
};
struct destruction {
	struct cli *c;
	int year;
	char text[8];
	struct operate first, second;
	bool force;
	struct clock clock;
	struct word decided, approved;
	int keys;
};

static int not_yet(const struct cli *c, const char *code, const char *a)
{
	cli_warn(c, code, a, NULL);
	return EXIT_NO;
}

/* The first day on which nobody can need the identities any more: late arrivals are over, and what the bus kept of them is gone. 0: no
 * policy says. */
static int over_on(struct destruction *d, int *day, struct err *e)
{
	struct complaints *why = calloc(1, sizeof *why);
	struct reference *r = NULL;
	const struct policy *p = NULL;

	*day = 0;
	if (!why)
		return err_set(e, ERR_TEMP, "out of memory");
	if (reference_load(&r, &d->c->conf, why) == 0 && (p = reference_policy(r, d->year)) != NULL)
		*day = p->last_instruct_day + (int)d->c->conf.bus.retention_days + 1;
	else if (!r)
		err_set(e, ERR_CONF, "the reference data has errors; see qiao check");
	reference_free(r);
	free(why);
	return e->class ? -1 : 0;
}

/* 0 it may, an exit status when it may not yet and has told why. */
static int may_be(struct destruction *d, struct err *e)
{
	char path[CONF_PATH], number[24];
	struct ledger_view *v = NULL;
	int day;

	if (over_on(d, &day, e) != 0 || cli_path(d->c, path, CLI_LEDGER, e) != 0 || view_open(&v, path, e) != 0)
		return -1;
	int64_t open = view_unfinished(v, d->year, e);
	view_close(v);
	if (open < 0)
		return -1;
	snprintf(number, sizeof number, "%" PRId64, open);
	if (open > 0)
		return not_yet(d->c, "keys_unfinished", number);
	if (day == 0)
		return not_yet(d->c, "keys_no_policy", d->text);
	return date_of_time(clock_now(&d->clock)) < day ? not_yet(d->c, "keys_window", date_text(number, day)) : 0;
}

/* ---- two people's words ---- */

static int sign(struct destruction *d, struct err *e)
{
	struct operation *a = &d->decided.op, *b = &d->approved.op;

	random_bytes(a->operation_id.b, ID_LEN);
	random_bytes(b->operation_id.b, ID_LEN);
	a->decided_at = b->decided_at = clock_now(&d->clock);
	a->kind = STR("keys_destroy");
	a->subject = str_of(d->text);
	a->argument = str_of(d->force ? "force" : NULL);
	b->kind = STR("approve");
	b->subject = str_of(id_hex(&a->operation_id, d->approved.subject));
	a->reason = b->reason = str_of(d->first.reason);
	a->approval = b->approval = str_of(d->first.document);
	if (operate_sign(d->c, &d->first, a, d->decided.operator, d->decided.signature, e) != 0 ||
	    operate_sign(d->c, &d->second, b, d->approved.operator, d->approved.signature, e) != 0)
		return -1;
	return strcmp(d->decided.operator, d->approved.operator) != 0
		       ? 0
		       : err_set(e, ERR_CONF, "one person signed twice; another one must approve");
}

static json_t *said(const struct word *w, struct err *e)
{
	char id[ID_HEX], at[40], signature[2 * SIGNATURE_LEN + 1];
	struct buf text;

	buf_init(&text, 1 << 16);
	json_t *o = operation_text(&text, &w->op, e) != 0
			    ? NULL
			    : json_pack("{s:s, s:s, s:s, s:s%, s:s}", "operation", id_hex(&w->op.operation_id, id), "operator", w->operator,
					"at", time_text(at, w->op.decided_at), "text", (const char *)text.data, text.len, "signature",
					(hex_put(signature, w->signature, SIGNATURE_LEN), signature));
	buf_fini(&text);
	return o;
}

static int keep_words(const struct destruction *d, struct err *e)
{
	char path[CONF_PATH], name[80], id[ID_HEX];
	json_t *a = said(&d->decided, e), *b = said(&d->approved, e);
	json_t *both = json_pack("{s:i, s:b, s:s, s:o, s:o}", "year", d->year, "force", d->force, "reason", d->first.reason, "decided", a,
				 "approved", b);
	char *text = both ? json_dumps(both, JSON_INDENT(1)) : NULL;
	int rc = -1;

	snprintf(name, sizeof name, AUDIT_FOLDER "/destroyed-%s-%.12s.json", d->text, id_hex(&d->decided.op.operation_id, id));
	if (!text)
		err_set(e, ERR_TEMP, "keys: the decision cannot be written down");
	else if (cli_path(d->c, path, name, e) == 0)
		rc = fs_write_durable(path, text, strlen(text), 0600, e);
	free(text);
	json_decref(both);
	return rc;
}

static int record_one(struct audit *audit, const struct destruction *d, const struct word *w, const char *purpose, struct err *e)
{
	char batch[AUDIT_BATCH + 1], id[ID_HEX];

	snprintf(batch, sizeof batch, "%s/%s/%s", d->text, w->operator, id_hex(&w->op.operation_id, id));
	return audit_write(audit, purpose, batch, 1, e);
}

static int record(struct destruction *d, struct err *e)
{
	struct audit *audit;

	if (audit_open(&audit, d->c->conf.data.dir, "keys", &d->clock, e) != 0)
		return -1;
	int rc = keep_words(d, e);
	if (rc == 0)
		rc = record_one(audit, d, &d->decided, d->force ? "seal_key_destroyed_by_force" : "seal_key_destroyed", e);
	if (rc == 0)
		rc = record_one(audit, d, &d->approved, "seal_key_destruction_approved", e);
	audit_close(audit);
	return rc;
}

/* ---- the command ---- */

static void tell_gone(void *arg, const char *path)
{
	const struct destruction *d = arg;

	cli_say(d->c, "keys_gone", path, NULL);
}

static int destroy(struct destruction *d)
{
	struct err e = {0};
	int rc = clock_init(&d->clock, d->c->conf.clock.file, &e) != 0 || sign(d, &e) != 0 ? -1 : d->force ? 0 : may_be(d, &e);

	if (rc > 0)
		return rc;
	if (rc < 0 || seal_key_there(d->c->conf.keys.dir, d->year, &e) != 0 || record(d, &e) != 0 ||
	    seal_key_destroy(d->c->conf.keys.dir, d->year, tell_gone, d, &d->keys, &e) != 0)
		return cli_fail(&e);
	cli_say(d->c, "keys_restart", d->text, NULL);
	return EXIT_YES;
}

int cmd_keys(struct cli *c, int argc, char **argv)
{
	struct destruction d = {.c = c};
	const struct cli_option options[] = {OPERATE_OPTIONS(d.first),
					     {"--approve-operator", &d.second.operator, NULL},
					     {"--approve-key", &d.second.key, NULL},
					     {"--force", NULL, &d.force},
					     {0}};
	const char *what[2];
	int64_t year;
	int n = cli_options(c, argc, argv, options, what, 2);

	if (n < 0)
		return EXIT_USAGE;
	if (n != 2 || strcmp(what[0], "destroy") != 0 || strlen(what[1]) != 4 || str_int(str_of(what[1]), 2009, 2099, &year) != 0)
		return cli_usage(c, "keys", "keys_what");
	if (!d.second.operator || !d.second.key)
		return cli_usage(c, "keys", "keys_two");
	if (!d.first.reason || !d.first.reason[0])
		return cli_usage(c, "keys", "operate_reason");
	d.year = (int)year;
	snprintf(d.text, sizeof d.text, "%d", d.year);
	return destroy(&d);
}
