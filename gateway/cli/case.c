/* qiao case: how far the papers of each roster are: gates with date, office and document, what is missing or held and why, the use of the
 * plan's heads and money, the supervision's word, and the days that matter. */
#include "base/date.h"
#include "cli/cli.h"
#include "crypto/ids.h"
#include "events/events.h"
#include "flow/reference.h"
#include "http/registry.h"
#include "ledger/read.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listing {
	struct cli *c;
	const struct reference *reference;
	struct ledger_view *v;
	struct codec *codec;
	struct registry *registry;
	const char *sponsor; /* credit code or type, NULL all */
	struct view_plan plan;
	struct buf line;
	json_t *all, *one; /* --format json */
	int count, wanting;
	struct err *e;
	bool failed;
};

static json_t *text_of(struct str s)
{
	return s.p ? json_stringn(s.p, s.n) : json_null();
}

static const char *held_in(struct buf *b, struct str s)
{
	buf_reset(b);
	(void)buf_put(b, s.p ? s.p : "", s.n);
	return buf_text(b);
}

static const char *word(const struct listing *l, const char *code)
{
	return text_or_code(code, l->c->lang);
}

static void show_gate(struct listing *l, json_t *list, enum gate g, const struct ev_gate *in)
{
	char day[16] = "", paper[12] = "";
	if (in) {
		date_text(day, in->date);
		snprintf(paper, sizeof paper, "%.*s", in->document.n > 8 ? 8 : (int)in->document.n, in->document.p ? in->document.p : "");
	}
	if (list) {
		json_t *o = json_pack("{s:s,s:b}", "gate", gate_code(g), "there", in != NULL);
		json_object_set_new(o, "date", in ? json_string(day) : json_null());
		json_object_set_new(o, "by", in ? text_of(in->passed_by) : json_null());
		json_object_set_new(o, "document_sha256", in ? text_of(in->document) : json_null());
		if (in && in->until.set)
			json_object_set_new(o, "until", json_string(date_text(day, (int)in->until.v)));
		json_array_append_new(list, o);
		return;
	}
	cli_say(l->c, "case_gate", word(l, gate_code(g)), in ? day : word(l, "case_missing"), in ? held_in(&l->line, in->passed_by) : "",
		paper, NULL);
	if (in && g == GATE_POSTING && in->until.set)
		cli_say(l->c, "case_posting", date_text(day, (int)in->until.v), NULL);
}

static const struct ev_gate *find_gate(const struct ev_gate *gates, int count, enum gate g)
{
	for (int i = 0; i < count; i++)
		if (str_is(gates[i].gate, gate_code(g)))
			return &gates[i];
	return NULL;
}

static void show_gates(struct listing *l, const struct policy *p, enum sponsor_type t, const struct gate_documents *cover,
		       const struct subsidy_plan *plan)
{
	json_t *list = l->one ? json_array() : NULL;
	for (int g = 0; p && g < GATES; g++) {
		bool of_plan = p->rules[t].plan_on_file && g <= GATE_PLAN_FILED_SSA;
		if ((p->rules[t].gates & UINT32_C(1) << g) == 0)
			continue;
		show_gate(l, list, (enum gate)g,
			  !of_plan ? find_gate(cover->gates, cover->gate_count, (enum gate)g)
			  : plan   ? find_gate(plan->gates, plan->gate_count, (enum gate)g)
				   : NULL);
	}
	if (list)
		json_object_set_new(l->one, "gates", list);
}

static void show_plan(struct listing *l, const struct subsidy_plan *p)
{
	char first[12], last[12], heads[24], used[24], fen[24], total[24];
	json_t *sources = l->one ? json_array() : NULL;
	if (l->one) {
		json_t *o = json_pack("{s:i,s:i,s:I,s:I}", "first_year", p->first_year, "last_year", p->last_year, "used_heads",
				      (json_int_t)l->plan.heads, "used_fen", (json_int_t)l->plan.fen);
		json_object_set_new(o, "heads", p->heads.set ? json_integer(p->heads.v) : json_null());
		json_object_set_new(o, "total_fen", p->total_fen.set ? json_integer(p->total_fen.v) : json_null());
		json_object_set_new(o, "sources", sources);
		json_object_set_new(l->one, "plan", o);
	} else {
		snprintf(first, sizeof first, "%d", p->first_year);
		snprintf(last, sizeof last, "%d", p->last_year);
		snprintf(heads, sizeof heads, "%lld", (long long)p->heads.v);
		snprintf(used, sizeof used, "%lld", (long long)l->plan.heads);
		cli_say(l->c, "case_plan", first, last, used, yuan(fen, l->plan.fen), p->heads.set ? heads : "-",
			p->total_fen.set ? yuan(total, p->total_fen.v) : "-", NULL);
	}
	for (int i = 0; i < p->source_count; i++) {
		const struct ev_source *s = &p->sources[i];
		char code[40];
		snprintf(code, sizeof code, "case_%.*s", (int)s->kind.n, s->kind.p);
		if (sources) {
			json_t *o = json_pack("{s:o,s:o}", "kind", text_of(s->kind), "name", text_of(s->name));
			json_object_set_new(o, "amount_fen", s->amount_fen.set ? json_integer(s->amount_fen.v) : json_null());
			json_array_append_new(sources, o);
		} else {
			cli_say(l->c, "case_source", word(l, code), held_in(&l->line, s->name),
				s->amount_fen.set ? yuan(fen, s->amount_fen.v) : "", NULL);
		}
	}
}

static int show_word(void *arg, const struct supervision *s)
{
	struct listing *l = arg;
	struct buf note;
	char day[16], code[32];
	date_text(day, s->date);
	if (l->one) {
		json_t *o = json_pack("{s:s,s:o,s:o,s:o,s:o}", "date", day, "result", text_of(s->result), "by", text_of(s->passed_by),
				      "document_sha256", text_of(s->document), "note", text_of(s->note));
		json_array_append_new(json_object_get(l->one, "supervision"), o);
		return 0;
	}
	buf_init(&note, 1 << 14);
	snprintf(code, sizeof code, "case_%.*s", (int)s->result.n, s->result.p);
	cli_say(l->c, "case_supervision", day, word(l, code), held_in(&l->line, s->passed_by), held_in(&note, s->note), NULL);
	buf_fini(&note);
	return 0;
}

static void show_head(struct listing *l, const struct view_case *c, const struct gate_documents *cover)
{
	static const char *const states[SUB_STATES] = {
		[SUB_OPEN] = "submission_incomplete", [SUB_INCOMPLETE] = "submission_incomplete", [SUB_CHECKING] = "submission_checked",
		[SUB_WAITING] = "submission_waiting", [SUB_FILING] = "submission_filed", [SUB_REFUSING] = "submission_refused",
		[SUB_FILED] = "submission_filed", [SUB_EXPIRING] = "submission_held", [SUB_ANNEXING] = "submission_filed"};
	char receipt[12], year[12], rows[24], fen[24], number[11], place[16], who[64];
	str_copy(number, sizeof number, c->receipt);
	str_copy(place, sizeof place, c->village);
	snprintf(who, sizeof who, "%.*s %.*s", (int)cover->sponsor_type.n, cover->sponsor_type.p ? cover->sponsor_type.p : "",
		 (int)cover->sponsor_code.n, cover->sponsor_code.p ? cover->sponsor_code.p : "");
	if (l->one) {
		json_object_set_new(l->one, "receipt", json_string(number));
		json_object_set_new(l->one, "year", json_integer(c->year));
		json_object_set_new(l->one, "village", json_string(place));
		json_object_set_new(l->one, "sponsor_type", text_of(cover->sponsor_type));
		json_object_set_new(l->one, "sponsor_code", text_of(cover->sponsor_code));
		json_object_set_new(l->one, "acceptance_no", text_of(cover->acceptance_no));
		json_object_set_new(l->one, "state", json_string(states[c->state]));
		json_object_set_new(l->one, "code", c->code.n ? text_of(c->code) : json_null());
		json_object_set_new(l->one, "detail", c->detail.n ? text_of(c->detail) : json_null());
		json_object_set_new(l->one, "rows", json_integer(c->rows));
		json_object_set_new(l->one, "amount_fen", json_integer(c->fen));
		json_object_set_new(l->one, "annex_to", text_of(c->annex_to));
		json_object_set_new(l->one, "supervision", json_array());
		return;
	}
	snprintf(year, sizeof year, "%d", c->year);
	snprintf(rows, sizeof rows, "%lld", (long long)c->rows);
	cli_say(l->c, "case_head", receipt_text(receipt, number), year, place, who, rows, yuan(fen, c->fen), NULL);
	printf("    %s\n", word(l, states[c->state]));
	if (c->annex_to.n)
		cli_say(l->c, "case_annex", held_in(&l->line, c->annex_to), NULL);
}

static void show_why(struct listing *l, const struct view_case *c)
{
	char code[48] = "", gate[48] = "";
	if (l->one || c->code.n == 0 || str_copy(code, sizeof code, c->code) != 0)
		return;
	if (c->detail.n)
		str_copy(gate, sizeof gate, c->detail);
	buf_reset(&l->line);
	struct str args[] = {str_of(word(l, gate))};
	(void)text_fill(&l->line, word(l, code), args, 1);
	cli_say(l->c, "case_held", buf_text(&l->line), NULL);
}

static void show_deadline(struct listing *l, const struct view_case *c, const struct policy *p)
{
	bool filed = c->state == SUB_FILED || c->state == SUB_FILING || c->state == SUB_ANNEXING;
	char day[16];
	if (!p)
		return;
	date_text(day, filed ? p->last_instruct_day : p->last_filing_day);
	if (l->one)
		json_object_set_new(l->one, "deadline", json_string(day));
	else
		cli_say(l->c, "case_deadline", day, word(l, filed ? "case_to_instruct" : "case_to_file"), NULL);
}

static int show_case(void *arg, const struct view_case *c)
{
	struct listing *l = arg;
	struct gate_documents cover = {0};
	struct subsidy_plan plan;
	enum sponsor_type t;
	const struct policy *p = reference_policy(l->reference, c->year);
	bool there = c->cover.p && codec_decode(l->codec, EV_GATE_DOCUMENTS, c->cover, &cover, l->e) == 0;
	if (l->sponsor && !str_is(cover.sponsor_code, l->sponsor) && !str_is(cover.sponsor_type, l->sponsor))
		return 0;
	l->count++;
	l->wanting += c->state == SUB_WAITING || c->state == SUB_INCOMPLETE || c->state == SUB_REFUSING;
	l->one = l->all ? json_object() : NULL;
	show_head(l, c, &cover);
	show_why(l, c);
	if (there && sponsor_type_of(cover.sponsor_type, &t) == 0) {
		if (view_plan(l->v, c, &cover.sponsor_id, &l->plan, l->e) != 0)
			goto fail;
		struct str event = {(char *)l->plan.event.data, l->plan.event.len};
		bool planned = event.n > 0 && codec_decode(l->codec, EV_SUBSIDY_PLAN, event, &plan, l->e) == 0;
		if (planned)
			show_plan(l, &plan);
		else if (p && p->rules[t].plan_on_file && !l->one)
			cli_say(l->c, "case_no_plan", NULL);
		show_gates(l, p, t, &cover, planned ? &plan : NULL);
		if (planned && view_supervision(l->v, &plan.plan_id, show_word, l, l->e) != 0)
			goto fail;
	}
	if (view_supervision(l->v, &c->id, show_word, l, l->e) != 0)
		goto fail;
	show_deadline(l, c, p);
	if (l->all)
		json_array_append_new(l->all, l->one);
	return 0;
fail:
	json_decref(l->one);
	l->failed = true;
	return -1;
}

static int list(struct listing *l, int year, struct str village, struct err *e)
{
	char path[CONF_PATH];
	if (cli_path(l->c, path, CLI_LEDGER, e) != 0 || registry_codec_open(&l->codec, &l->registry, &l->c->conf, NULL, e) != 0 || view_open(&l->v, path, e) != 0 ||
	    view_cases(l->v, year, village, show_case, l, e) != 0 || l->failed)
		return -1;
	if (l->all)
		cli_print_json(json_pack("{s:O}", "cases", l->all));
	else if (l->count == 0)
		cli_say(l->c, "case_none", NULL);
	return l->wanting ? EXIT_NO : EXIT_YES;
}

int cmd_case(struct cli *c, int argc, char **argv)
{
	static const struct cli_option none[] = {{0}};
	const char *words[3] = {NULL}, *code = "village_unknown";
	struct complaints *why = calloc(1, sizeof *why);
	struct reference *reference = NULL;
	struct err e = {0};
	struct listing l = {.c = c, .e = &e};
	struct buf candidates;
	struct str village = {0};
	int64_t year = 0;
	int rc = EXIT_USAGE, n = cli_options(c, argc, argv, none, words, 3);
	buf_init(&candidates, 1 << 16);
	buf_init(&l.line, 1 << 16);
	buf_init(&l.plan.event, 1 << 20);
	if (!why || n < 0)
		goto out;
	if (n > 0 && str_int(str_of(words[0]), 2000, 2200, &year) != 0) {
		cli_usage(c, "case", "case_year");
		goto out;
	}
	if (reference_load(&reference, &c->conf, why) != 0) {
		cli_complain(c, c->file, why);
		goto out;
	}
	l.reference = reference;
	if (n > 1) {
		const struct village *at =
			village_find(&reference->villages, (struct str){0}, str_of(words[1]), &code, &candidates);
		if (!at) {
			cli_warn(c, code, buf_text(&candidates), NULL);
			goto out;
		}
		village = str_of(at->code);
	}
	l.sponsor = n > 2 ? words[2] : NULL;
	l.all = c->json ? json_array() : NULL;
	rc = list(&l, (int)year, village, &e);
	if (rc < 0)
		rc = cli_fail(&e);
out:
	view_close(l.v);
	registry_codec_close(l.codec, l.registry);
	json_decref(l.all);
	reference_free(reference);
	free(why);
	buf_fini(&candidates);
	buf_fini(&l.line);
	buf_fini(&l.plan.event);
	return rc;
}
