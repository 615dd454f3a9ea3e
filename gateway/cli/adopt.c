/* qiao adopt: a person's order that a restored ledger takes over what today's bus says of the life that was lost. The gateway does it
 * at its next start (flow/adopt.c); here the order is given, under the gateway's lock, and only where it makes sense: for a copy of
 * qiao backup that is older than the bus. --dry-run counts; --list shows what nobody has claimed after it. */
#include "base/date.h"
#include "base/fs.h"
#include "base/table.h"
#include "cli/cli.h"
#include "domain/money.h"
#include "events/events.h"
#include "flow/adopt.h"
#include "ledger/read.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 64 << 20 };

struct newer {
	int64_t count[EVENT_TYPES], all, last_seq;
};

static const struct {
	enum event_type type;
	const char *key;
} shown[] = {
	{EV_SUBSIDY_PAYMENT, "payments"},
	{EV_PAYMENT_ENQUIRY, "payment_enquiries"},
	{EV_CONTRIBUTION_ENQUIRY, "enquiries"},
	{EV_ROW_ANSWER, "row_answers"},
	{EV_SUBMISSION_ANSWER, "submission_answers"},
	{EV_COLLECTED_SUBSIDY, "feedback"},
	{EV_SUBSIDY_REFUNDED, "refunds"},
	{EV_COLLECTION_STATISTICS, "statistics"},
	{EV_REJECTED_EVENT, "rejects"},
};
enum { SHOWN = sizeof shown / sizeof shown[0] };

static int count_one(void *arg, const char *topic, const struct bus_record *r, struct err *e)
{
	struct newer *n = arg;
	enum event_type t;

	(void)topic, (void)e;
	n->all++;
	if (r->event.seq > n->last_seq)
		n->last_seq = r->event.seq;
	if (event_type_of(r->event.type, &t) == 0)
		n->count[t]++;
	return 0;
}

static int count_newer(const struct cli *c, const struct adopt_info *info, struct newer *n,
		       struct err *e)
{
	struct adopt_source from = {.seq = info->outbox_seq};
	char dir[CONF_PATH];
	int rc;

	if (cli_path(c, dir, "bus", e) < 0 ||
	    bus_open(&from.bus, &(struct bus_options){.dir = dir, .role = "qiao", .conf = &c->conf},
		     e) < 0)
		return -1;
	(void)str_copy(from.ledger_id, sizeof from.ledger_id, str_of(info->id));
	rc = adopt_each(&from, count_one, n, e);
	bus_close(from.bus);
	return rc;
}

static void tell(struct cli *c, const struct adopt_info *info, const struct newer *n, bool ordered)
{
	char number[24], seq[24], last[24];

	snprintf(seq, sizeof seq, "%" PRId64, info->outbox_seq);
	snprintf(last, sizeof last, "%" PRId64, n->last_seq);
	if (c->json) {
		json_t *root =
			json_pack("{s:b, s:I, s:I, s:I}", "ordered", (int)ordered, "ledger_seq",
				  (json_int_t)info->outbox_seq, "last_seq", (json_int_t)n->last_seq,
				  "newer_events", (json_int_t)n->all);

		for (int i = 0; i < SHOWN; i++)
			json_object_set_new(root, shown[i].key,
					    json_integer((json_int_t)n->count[shown[i].type]));
		cli_print_json(root);
		return;
	}
	cli_say(c, "adopt_newer", seq, last, NULL);
	for (int i = 0; i < SHOWN; i++) {
		if (n->count[shown[i].type] == 0)
			continue;
		snprintf(number, sizeof number, "%" PRId64, n->count[shown[i].type]);
		printf("  %10s  %s\n", number, event_name(shown[i].type));
	}
	cli_say(c, ordered ? "adopt_ordered" : "adopt_would", NULL);
}

/* Nothing is written before everything was looked at. */
static int order(struct cli *c, bool dry, struct err *e)
{
	struct newer n = {0};
	struct adopt_info info;
	char path[CONF_PATH];

	if (cli_path(c, path, CLI_LEDGER, e) < 0)
		return -1;
	if (!fs_exists(path))
		return err_set(e, ERR_CONF, "ledger: not there; restore the last backup's first");
	if (adopt_look(path, &info, e) < 0)
		return -1;
	if (info.phase > ADOPT_ORDERED)
		return err_set(
			e, ERR_PERM,
			"ledger: it has adopted already and goes on by itself: start the gateway");
	if (!info.copy)
		return err_set(e, ERR_PERM,
			       "ledger: is no copy made by qiao backup, or a gateway has gone on "
			       "with it since; only a restored copy can "
			       "adopt: restore gateway/ledger.db from the last backup");
	if (count_newer(c, &info, &n, e) < 0)
		return -1;
	if (n.all == 0)
		return err_set(e, ERR_PERM,
			       "ledger: is not older than the bus: there is nothing to adopt; "
			       "start the gateway");
	if (!dry && adopt_order(path, e) < 0)
		return -1;
	tell(c, &info, &n, !dry);
	return EXIT_YES;
}

static int under_lock(struct cli *c, bool dry, struct err *e)
{
	char folder[CONF_PATH], path[CONF_PATH];
	int lock, rc;

	if (cli_path(c, folder, "run", e) < 0 || cli_path(c, path, "run/gateway.lock", e) < 0 ||
	    fs_mkdirs(folder, e) < 0)
		return -1;
	if (fs_lock(path, &lock, e) < 0)
		return err_wrap(e, "stop the gateway first");
	rc = order(c, dry, e);
	fs_unlock(lock);
	return rc;
}

/* ---- --list ---- */

struct listing {
	struct cli *cli;
	struct table table;
	json_t *json;
	int64_t count;
};

static int list_one(void *arg, const struct adopted_payment *p)
{
	struct listing *l = arg;
	char hex[ID_HEX], money[24], time[40];
	const char *type = stats_type_code(p->sponsor_type);

	l->count++;
	id_hex(&p->pid, hex);
	time_text(time, p->instructed_at);
	if (l->json)
		return json_array_append_new(
			l->json,
			json_pack("{s:s, s:i, s:s, s:s, s:I, s:i, s:s}", "payment", hex, "year",
				  p->year, "village_code", p->village, "sponsor_type", type,
				  "amount_fen", (json_int_t)p->amount_fen, "attempt", p->attempt,
				  "instructed_at", time));
	return table_cell(&l->table, hex) | table_cellf(&l->table, "%d", p->year) |
	       table_cell(&l->table, p->village) |
	       table_cell(&l->table, text_or_code(type, l->cli->lang)) |
	       table_cell(&l->table, yuan(money, p->amount_fen)) |
	       table_cellf(&l->table, "%.19s", time);
}

static int list(struct cli *c, struct err *e)
{
	static const char *const head[] = {"adopt_payment",	"statement_year",
					   "statement_village", "statement_sponsor",
					   "statement_yuan",	"adopt_instructed"};
	struct listing l = {.cli = c, .json = c->json ? json_array() : NULL};
	struct ledger_view *v = NULL;
	char path[CONF_PATH];
	struct buf out;
	int rc = -1;

	buf_init(&out, LIST_MAX);
	table_init(&l.table, 6);
	l.table.right[4] = true;
	for (int i = 0; i < 6; i++)
		table_cell(&l.table, text_or_code(head[i], c->lang));
	if (cli_path(c, path, CLI_LEDGER, e) < 0 || view_open(&v, path, e) < 0 ||
	    view_adopted(v, list_one, &l, e) < 0)
		goto out;
	if (l.json) {
		cli_print_json(l.json);
		l.json = NULL;
	} else if (l.count == 0) {
		cli_say(c, "adopt_none", NULL);
	} else if (table_print(&l.table, &out) == 0) {
		cli_print(&out);
	}
	rc = l.count > 0 ? EXIT_NO : EXIT_YES;
out:
	json_decref(l.json);
	table_fini(&l.table);
	buf_fini(&out);
	view_close(v);
	return rc;
}

int cmd_adopt(struct cli *c, int argc, char **argv)
{
	bool dry = false, listed = false;
	const struct cli_option options[] = {
		{"--dry-run", NULL, &dry}, {"--list", NULL, &listed}, {0}};
	struct err e = {0};
	int rc;

	if (cli_options(c, argc, argv, options, NULL, 0) < 0)
		return EXIT_USAGE;
	rc = listed ? list(c, &e) : under_lock(c, dry, &e);
	return rc < 0 ? cli_fail(&e) : rc;
}
