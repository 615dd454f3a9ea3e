#include "cli/operate.h"
#include "base/clock.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include "crypto/operator.h"
#include "events/events.h"
#include "http/registry.h"
#include <jansson.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_WAIT_S = 10, POLL_MS = 50, TEXT_BYTES = 1 << 16 };

static int account(char name[OPERATOR_NAME], struct err *e)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw && str_copy(name, OPERATOR_NAME, str_of(pw->pw_name)) == 0)
		return 0;
	return err_set(e, ERR_CONF, "this account has no name; give --operator NAME");
}

int operate_who(const struct cli *c, const struct operate *o, char name[33], char key[CONF_PATH], struct err *e)
{
	char pub[CONF_PATH], file[OPERATOR_NAME + 8];
	const char *home = getenv("HOME");

	if (o->operator ? str_copy(name, OPERATOR_NAME, str_of(o->operator)) != 0 : account(name, e) != 0)
		return e->class ? -1 : err_set(e, ERR_PERM, "--operator: at most %d characters", OPERATOR_NAME - 1);
	if (!operator_name_good(str_of(name)))
		return err_set(e, ERR_PERM, "operator %s: a name is a-z 0-9 . _ -, a letter first", name);
	if (o->key ? str_copy(key, CONF_PATH, str_of(o->key)) != 0
		   : snprintf(key, CONF_PATH, "%s/.qiao/%s.key", home ? home : "", name) >= CONF_PATH)
		return err_set(e, ERR_PERM, "--key: path too long");
	snprintf(file, sizeof file, "%s.pub", name);
	if (fs_join(pub, sizeof pub, c->conf.operators.dir, file) != 0)
		return err_set(e, ERR_CONF, "[operators] dir: path too long");
	if (!fs_exists(pub))
		return err_set(e, ERR_CONF, "operator %s is not known: %s is not there; keys are made with: qiao keygen --operator %s", name,
			       pub, name);
	return 0;
}

int operate_sign(const struct cli *c, const struct operate *o, struct operation *op, char name[33], uint8_t signature[64], struct err *e)
{
	char key[CONF_PATH];
	struct operators *known = NULL;
	struct buf text;
	int rc = -1;

	buf_init(&text, TEXT_BYTES);
	if (operate_who(c, o, name, key, e) != 0)
		goto out;
	op->operator = str_of(name);
	if (operation_text(&text, op, e) != 0)
		goto out;
	struct str t = {(const char *)text.data, text.len};
	op->signature = (struct str){(const char *)signature, SIGNATURE_LEN};
	if (operator_sign(key, t, signature, e) != 0 || operators_load(&known, c->conf.operators.dir, e) != 0)
		goto out;
	rc = operators_signed(known, op->operator, t, op->signature)
		     ? 0
		     : err_set(e, ERR_CONF, "key %s is not the one of %s's public key in [operators] dir", key, name);
out:
	operators_free(known);
	buf_fini(&text);
	return rc;
}

static int publish(const struct cli *c, const struct operation *op, struct err *e)
{
	char dir[CONF_PATH];
	struct bus_options bo = {.dir = dir, .role = "qiao", .conf = &c->conf};
	struct codec *codec = NULL;
	struct registry *registry = NULL;
	struct bus *bus = NULL;
	struct buf body;
	int rc = -1;

	buf_init(&body, TEXT_BYTES);
	if (cli_path(c, dir, "bus", e) < 0 || registry_codec_open(&codec, &registry, &c->conf, NULL, e) < 0 ||
	    codec_encode(codec, EV_OPERATION, op, &body, e) < 0 || bus_open(&bus, &bo, e) < 0)
		goto out;
	struct bus_event ev = {.key = op->subject, .id = op->operation_id, .type = str_of(event_name(EV_OPERATION)),
			       .time_ms = op->decided_at, .trace = op->operation_id,
			       .data = {(const char *)body.data, body.len}};
	rc = bus_publish(bus, "operations", &ev, e) < 0 || bus_flush(bus, e) < 0 ? -1 : 0;
out:
	bus_close(bus);
	registry_codec_close(codec, registry);
	buf_fini(&body);
	return rc;
}

static int keep(void *arg, const struct op_record *o)
{
	*(struct op_record *)arg = *o;
	return 1;
}

/* 1 the gateway has judged it, 0 not yet. */
static int look(const struct cli *c, const char *id, struct op_record *out, struct err *e)
{
	struct ledger_view *v = NULL;
	char path[CONF_PATH];
	int rc;

	memset(out, 0, sizeof *out);
	if (cli_path(c, path, CLI_LEDGER, e) < 0 || view_open(&v, path, e) < 0)
		return -1;
	rc = view_operations(v, str_of(id), keep, out, e);
	view_close(v);
	return rc < 0 ? -1 : out->kind[0] && out->state != OP_HELD;
}

static int tell(const struct cli *c, const char *id, const struct op_record *r, int seen)
{
	enum op_state state = r->state;

	if (c->json) {
		cli_print_json(json_pack("{s:s, s:s, s:s?}", "operation", id, "state", seen ? op_state_code(state) : "sent", "reason",
					 r->code[0] ? r->code : NULL));
	} else if (!seen) {
		cli_say(c, "operate_sent", id, NULL);
	} else if (state == OP_REFUSED) {
		cli_warn(c, "operate_refused", id, text_or_code(r->code, c->lang), NULL);
	} else {
		cli_say(c, state == OP_UNAPPROVED ? "operate_unapproved" : "operate_done", id, NULL);
	}
	return !seen ? EXIT_LATER : state == OP_REFUSED ? EXIT_NO : EXIT_YES;
}

static int await(struct cli *c, const char *id, int64_t wait_s, bool quiet, struct err *e)
{
	int64_t until = clock_monotonic() + wait_s * 1000;
	struct cli_progress progress;
	struct op_record r;
	int seen;

	cli_progress_start(&progress);
	for (;;) {
		seen = look(c, id, &r, e);
		if (seen != 0 || clock_monotonic() >= until)
			break;
		cli_progress(&progress, c, "operate_waiting", id, NULL);
		poll(NULL, 0, POLL_MS);
	}
	cli_progress_end(&progress);
	if (seen == 1 && quiet && r.state == OP_DONE)
		return EXIT_YES;
	return seen < 0 ? -1 : tell(c, id, &r, seen);
}

static int decide(struct cli *c, const struct operate *o, const char *kind, const char *subject, const char *argument, char *out)
{
	uint8_t signature[SIGNATURE_LEN];
	char name[OPERATOR_NAME], own[ID_HEX], *id = out ? out : own;
	struct operation op = {.kind = str_of(kind), .subject = str_of(subject), .reason = str_of(o->reason ? o->reason : ""),
			       .approval = str_of(o->document), .argument = str_of(argument)};
	int64_t wait_s = DEFAULT_WAIT_S;
	struct clock clock;
	struct err e = {0};

	if (o->wait && str_int(str_of(o->wait), 0, 3600, &wait_s) != 0)
		return cli_usage(c, kind, "operate_wait");
	if (!o->reason || !o->reason[0])
		return cli_usage(c, kind, "operate_reason");
	if (strlen(o->reason) >= sizeof((struct op_record *)0)->reason ||
	    (o->document && strlen(o->document) >= sizeof((struct op_record *)0)->document))
		return cli_usage(c, kind, "operate_long");
	random_bytes(op.operation_id.b, ID_LEN);
	if (clock_init(&clock, c->conf.clock.file, &e) != 0)
		return cli_fail(&e);
	op.decided_at = clock_now(&clock);
	id_hex(&op.operation_id, id);
	if (operate_sign(c, o, &op, name, signature, &e) != 0 || publish(c, &op, &e) != 0)
		return cli_fail(&e);
	int rc = await(c, id, wait_s, out != NULL, &e);
	return rc < 0 ? cli_fail(&e) : rc;
}

int operate(struct cli *c, const struct operate *o, const char *kind, const char *subject, const char *argument)
{
	return decide(c, o, kind, subject, argument, NULL);
}

int operate_send(struct cli *c, const struct operate *o, const char *kind, const char *subject, const char *argument, char id[ID_HEX])
{
	return decide(c, o, kind, subject, argument, id);
}

/* ---- subjects ---- */

struct found {
	int count;
	char subject[OPERATE_SUBJECT];
};

static int take(void *arg, const struct view_decl *d)
{
	struct found *f = arg;
	char hex[ID_HEX];

	f->count++;
	if (d->d.has_pid)
		snprintf(f->subject, sizeof f->subject, "%s", id_hex(&d->d.pid, hex));
	else
		snprintf(f->subject, sizeof f->subject, "%s:%d", id_hex(&d->s.id, hex), d->d.row_no);
	return f->count > 1;
}

int operate_subject(struct cli *c, const char *what, const char *row, char out[OPERATE_SUBJECT])
{
	struct ledger_view *v = NULL;
	struct found f = {0};
	struct err e = {0};
	char path[CONF_PATH], receipt[11];
	int64_t row_no = 0;
	int rc;

	if (row && (str_int(str_of(row), 1, INT32_MAX, &row_no) != 0 || receipt_parse(receipt, str_of(what)) != 0)) {
		cli_warn(c, "operate_subject", NULL);
		return EXIT_USAGE;
	}
	if (cli_path(c, path, CLI_LEDGER, &e) < 0 || view_open(&v, path, &e) < 0)
		return cli_fail(&e);
	rc = row ? view_by_receipt(v, receipt, (int)row_no, take, &f, &e) : view_by_prefix(v, str_of(what), take, &f, &e);
	view_close(v);
	if (rc < 0)
		return cli_fail(&e);
	if (f.count != 1) {
		cli_warn(c, f.count ? "operate_several" : "operate_nothing", what, NULL);
		return EXIT_NO;
	}
	snprintf(out, OPERATE_SUBJECT, "%s", f.subject);
	return 0;
}
