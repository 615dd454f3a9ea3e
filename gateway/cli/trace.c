/* qiao trace: one row's way, from the roster to the personal account, out of the ledger's history.
 *
 * Takes an id or a unique prefix of at least 8 digits (payment, submission, person token, event), a receipt number with or without
 * a row, a roster file with a row, or "-": an ID number on standard input, never on the command line, where others could see it. */
#include "base/date.h"
#include "base/fs.h"
#include "cli/person.h"
#include "crypto/digest.h"
#include "crypto/ids.h"
#include "ledger/links.h"
#include "ledger/read.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_MAX = 200, SHOWN_MAX = 50, ROSTER_MAX = 256 << 20 };

struct tracing {
	struct cli *c;
	struct ledger_view *v;
	json_t *found; /* --format json */
	int count;
	struct err *e;
	bool failed;
};

static void show_head(const struct cli *c, const struct view_decl *r)
{
	char receipt[12], row[16], hex[ID_HEX], money[24], at[40];
	snprintf(row, sizeof row, "%d", r->d.row_no);
	cli_say(c, "trace_row", receipt_text(receipt, r->s.receipt), row, r->s.sender, time_text(at, r->s.received_at), NULL);
	cli_say(c, "trace_amount", r->d.amount_known ? yuan(money, r->d.amount_fen) : "-", r->s.village,
		text_or_code(r->d.sponsor_type < 0 ? "statement_no_cover" : stats_type_code(r->d.sponsor_type), c->lang), NULL);
	if (r->d.has_pid)
		cli_say(c, "trace_payment", id_hex(&r->d.pid, hex), NULL);
	if (r->d.receipt[0])
		cli_say(c, "trace_tax_receipt", r->d.receipt, NULL);
}

/* What is counted with this payment: the person's other numbers, and others' subsidies. */
static int show_person(const struct tracing *t, const struct view_decl *r)
{
	struct id of[LINK_MAX];
	char hex[ID_HEX], money[24];
	int n = r->d.has_token ? view_links(t->v, &r->d.token, of, t->e) : 0;
	int64_t outside = n > 0 ? view_outside(t->v, &r->d.token, r->s.year, t->e) : 0;
	for (int i = 1; i < n; i++)
		cli_say(t->c, "trace_linked", id_hex(&of[i], hex), NULL);
	if (outside > 0)
		cli_say(t->c, "trace_outside", yuan(money, outside), NULL);
	return n < 0 || outside < 0 ? -1 : 0;
}

static void show_history(const struct cli *c, const struct view_history *h, int n)
{
	char at[40], hex[ID_HEX];
	for (int i = 0; i < n; i++)
		printf("  %.19s  %s%s%s%s  [%.8s]\n", time_text(at, h[i].effective_at),
		       text_or_code(fact_code(h[i].fact), c->lang), h[i].implied ? text_or_code("trace_implied", c->lang) : "",
		       h[i].note[0] ? ": " : "", h[i].note[0] ? text_or_code(h[i].note, c->lang) : "",
		       id_hex(&h[i].cause, hex));
}

static json_t *links_json(const struct tracing *t, const struct view_decl *r)
{
	struct id of[LINK_MAX];
	char hex[ID_HEX];
	json_t *list = json_array();
	int n = r->d.has_token ? view_links(t->v, &r->d.token, of, t->e) : 0;
	for (int i = 1; i < n; i++)
		json_array_append_new(list, json_string(id_hex(&of[i], hex)));
	return list;
}

static json_t *json_of(const struct tracing *t, const struct view_decl *r, const struct view_history *h, int n)
{
	char hex[ID_HEX], sub[ID_HEX], at[40];
	json_t *events = json_array();
	for (int i = 0; i < n; i++) {
		json_t *ev = json_pack("{s:s,s:s,s:b,s:s}", "fact", fact_code(h[i].fact), "effective_at",
				       time_text(at, h[i].effective_at), "implied", h[i].implied, "cause",
				       id_hex(&h[i].cause, hex));
		json_object_set_new(ev, "recorded_at", json_string(time_text(at, h[i].recorded_at)));
		json_object_set_new(ev, "sequence", json_integer(h[i].seq));
		if (h[i].note[0])
			json_object_set_new(ev, "note", json_string(h[i].note));
		json_array_append_new(events, ev);
	}
	json_t *o = json_pack("{s:s,s:s,s:i,s:s,s:i,s:s,s:s,s:s,s:b}", "submission_id", id_hex(&r->s.id, sub), "receipt",
			      r->s.receipt, "row", r->d.row_no, "village", r->s.village, "year", r->s.year, "sponsor_type",
			      stats_type_code(r->d.sponsor_type), "state", state_code(state_of(r->d.facts)), "code", r->d.code,
			      "final", r->d.final);
	json_object_set_new(o, "amount_fen", r->d.amount_known ? json_integer(r->d.amount_fen) : json_null());
	json_object_set_new(o, "payment_id", r->d.has_pid ? json_string(id_hex(&r->d.pid, hex)) : json_null());
	json_object_set_new(o, "token", r->d.has_token ? json_string(id_hex(&r->d.token, hex)) : json_null());
	json_object_set_new(o, "linked_tokens", links_json(t, r));
	json_object_set_new(o, "outside_fen", json_integer(r->d.has_token ? view_outside(t->v, &r->d.token, r->s.year, t->e) : 0));
	json_object_set_new(o, "tax_receipt", r->d.receipt[0] ? json_string(r->d.receipt) : json_null());
	json_object_set_new(o, "answer_version", json_integer(r->d.answer_version));
	json_object_set_new(o, "history", events);
	return o;
}

static int show(void *arg, const struct view_decl *r)
{
	struct tracing *t = arg;
	static struct view_history h[HISTORY_MAX];
	int n;
	if (view_history(t->v, &r->d, h, HISTORY_MAX, &n, t->e) != 0) {
		t->failed = true;
		return -1;
	}
	t->count++;
	if (t->found) {
		json_array_append_new(t->found, json_of(t, r, h, n));
		return 0;
	}
	if (t->count > SHOWN_MAX) {
		cli_say(t->c, "trace_more", NULL);
		return -1;
	}
	if (t->count > 1)
		printf("\n");
	show_head(t->c, r);
	if (show_person(t, r) != 0) {
		t->failed = true;
		return -1;
	}
	show_history(t->c, h, n);
	cli_say(t->c, "trace_state", text_or_code(state_code(state_of(r->d.facts)), t->c->lang),
		text_or_code(r->d.code[0] ? r->d.code : "trace_no_answer", t->c->lang),
		text_or_code(r->d.final ? "trace_final" : "trace_not_final", t->c->lang), NULL);
	return 0;
}

/* ---- ways to name it ---- */

/* Under this number and those linked with it. */
static int by_person(struct tracing *t, const struct id *token)
{
	struct id of[LINK_MAX];
	int n = view_links(t->v, token, of, t->e);
	for (int i = 0; i < n; i++)
		if (view_by_token(t->v, &of[i], show, t, t->e) != 0)
			return -1;
	return n < 0 ? -1 : 0;
}

/* Asking where a person is by their number is no opening, but as telling: it is recorded. */
static int by_number_on_stdin(struct tracing *t)
{
	struct id token;
	int line, rc = person_tokens(t->c, "number_looked_up", &token, 1, &line, t->e);
	return rc != 0 ? (rc < 0 ? -1 : 0) : by_person(t, &token);
}

static int by_file(struct tracing *t, const char *file, int row)
{
	struct buf content;
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	buf_init(&content, ROSTER_MAX);
	int rc = fs_read(file, &content, t->e);
	if (rc == 0) {
		sha256(content.data, content.len, digest);
		hex_put(hex, digest, sizeof digest);
		rc = view_by_roster(t->v, str_of(hex), row, show, t, t->e);
	}
	buf_fini(&content);
	return rc;
}

static bool all_hex(const char *z)
{
	return strlen(z) >= 8 && strlen(z) <= 2 * ID_LEN && strspn(z, "0123456789abcdefABCDEF") == strlen(z);
}

static int look(struct tracing *t, const char *what, int row)
{
	char receipt[11];
	if (strcmp(what, "-") == 0)
		return by_number_on_stdin(t);
	if (receipt_parse(receipt, str_of(what)) == 0 && view_by_receipt(t->v, receipt, row, show, t, t->e) != 0)
		return -1;
	if (t->count == 0 && all_hex(what))
		return view_by_prefix(t->v, str_of(what), show, t, t->e);
	if (t->count == 0 && fs_exists(what))
		return by_file(t, what, row);
	return 0;
}

int cmd_trace(struct cli *c, int argc, char **argv)
{
	const struct cli_option options[] = {{0}};
	const char *operands[2];
	struct err e = {0};
	struct tracing t = {.c = c, .e = &e};
	char path[CONF_PATH];
	int64_t row = 0;
	int n = cli_options(c, argc, argv, options, operands, 2), rc;
	if (n < 0)
		return EXIT_USAGE;
	if (n == 0 || (n == 2 && str_int(str_of(operands[1]), 1, INT32_MAX, &row) != 0))
		return cli_usage(c, "trace", "usage_head");
	if (c->json)
		t.found = json_array();
	if (cli_path(c, path, CLI_LEDGER, &e) != 0 || view_open(&t.v, path, &e) != 0) {
		json_decref(t.found);
		return cli_fail(&e);
	}
	rc = look(&t, operands[0], (int)row);
	view_close(t.v);
	if (t.found)
		cli_print_json(t.found);
	if ((rc != 0 || t.failed) && e.class != ERR_NONE)
		return cli_fail(&e);
	if (t.count == 0 && !c->json)
		cli_say(c, "trace_nothing", NULL);
	return t.count ? EXIT_YES : EXIT_NO;
}
