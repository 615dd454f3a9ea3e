/* The end of the year, at the counter: the agencies' books of the whole year are reconciled with the ledger by `qiao reconcile`, while programs go on
 * dying. First as they are; then with entries planted in them (tests/agencies/plants.h), each of which must be found in its class; then as they are
 * again, when all those cases must be gone. What the feeds brought before is resolved by a person. */
#include "base/clock.h"
#include "base/fs.h"
#include "tests/lib/books.h"
#include "tests/lib/people.h"
#include "tests/lib/year.h"
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 256 << 20, PATIENCE_MS = 240000, LOOK_MS = 100, EACH_MAX = 35, PEOPLE_EACH = 1500, NAMED_MAX = 10 };

static const struct shape { /* of a line of plants; %s is an id or a number */
	enum part book;
	const char *status;  /* of the entry as it is; NULL: none, for a person who is nobody's */
	const char *line, *kind;
} shapes[] = {
	{SIM_TAX, "in_treasury", "amount,%s,12345\n", "tax_amount_differs"},
	{SIM_TAX, "in_treasury", "state,%s,refused,2026-12-30T10:00:00+08:00\n", "tax_failed_there"},
	{SIM_TAX, "in_treasury", "hide,%s\n", "tax_missing_there"},
	{SIM_TAX, "refused", "state,%s,paid,2026-12-30T10:00:00+08:00\n", "tax_ok_there"},
	{SIM_TAX, NULL, "add,%s,60000,paid,2026-12-30T11:00:00+08:00\n", "tax_unknown_here"},
	{SIM_SSA, "credited", "amount,%s,12345\n", "ssa_amount_differs"},
	{SIM_SSA, "credited", "state,%s,credit_refused,2026-12-30T10:00:00+08:00\n", "ssa_failed_there"},
	{SIM_SSA, "credited", "hide,%s\n", "ssa_missing_there"},
	{SIM_SSA, "credit_refused", "state,%s,credited,2026-12-30T10:00:00+08:00\n", "ssa_ok_there"},
	{SIM_SSA, NULL, "add,%s,60000,credited,2026-12-30T11:00:00+08:00\n", "ssa_unknown_here"},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };
struct mark { /* planted in a book */
	const struct shape *shape;
	struct id payment; /* zeros: a person's */
	bool found;
};
struct marks {
	struct mark at[SHAPES * EACH_MAX];
	int count;
};

/* ---- commands ---- */

static const char *key_of(const struct year *y, char out[512])
{
	return world_path(&y->world, out, "annie.key");
}

/* NULL: no JSON came. */
static json_t *qiao_json(struct year *y, const char *command, const char *a, const char *b)
{
	struct buf out;
	json_t *json;

	buf_init(&out, OUT_MAX);
	world_qiao(&y->world, &out, "--format", "json", command, a, b, NULL);
	json = json_loadb((const char *)out.data, out.len, 0, NULL);
	buf_fini(&out);
	return json;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* Starts a run and waits for its end. *report: what it found. */
static int reconcile(struct year *y, json_t **report, struct err *e)
{
	int64_t until = clock_monotonic() + PATIENCE_MS, before;
	char key[512];
	json_t *r = qiao_json(y, "reconcile", NULL, NULL);
	int rc;

	before = json_integer_value(json_object_get(r, "run"));
	json_decref(r);
	rc = world_qiao(&y->world, NULL, "reconcile", "--year", "2026", "--operator", "annie", "--key", key_of(y, key), "--wait", "0", NULL);
	if (rc != EXIT_LATER && rc != EXIT_YES && rc != EXIT_NO)
		return err_set(e, ERR_PERM, "qiao reconcile: exit %d", rc);
	for (;;) {
		if (year_go_on(y, e) < 0)
			return -1;
		*report = qiao_json(y, "reconcile", NULL, NULL);
		if (json_integer_value(json_object_get(*report, "run")) > before && strcmp(text_of(*report, "state"), "done") == 0)
			return 0;
		if (strcmp(text_of(*report, "state"), "incomplete") == 0 && json_integer_value(json_object_get(*report, "run")) > before)
			rc = err_set(e, ERR_PERM, "a reconciliation is incomplete: %s", text_of(*report, "reason"));
		else if (clock_monotonic() > until)
			rc = err_set(e, ERR_TEMP, "no end of a reconciliation: %s", text_of(*report, "state"));
		else
			rc = 0;
		json_decref(*report);
		*report = NULL;
		if (rc < 0)
			return -1;
		poll(NULL, 0, LOOK_MS);
	}
}

/* ---- planting ---- */

static bool taken(const struct marks *m, const struct id *payment)
{
	for (int i = 0; i < m->count; i++)
		if (id_eq(&m->at[i].payment, payment))
			return true;
	return false;
}

/* The next entry of that status from a chance place on; NULL: no more. */
static const struct agency_entry *pick(struct year *y, const struct marks *m, const struct agency_book *b, const char *status)
{
	int from = b->count ? (int)chance_below(&y->chance, (uint32_t)b->count) : 0;

	for (int i = 0; i < b->count; i++) {
		const struct agency_entry *x = &b->entries[(from + i) % b->count];

		if (strcmp(x->status, status) == 0 && !taken(m, &x->payment))
			return x;
	}
	return NULL;
}

static void plant(struct year *y, struct marks *m, const struct shape *s, const struct agency_book *b, struct buf *text)
{
	const struct agency_entry *x = s->status ? pick(y, m, b, s->status) : NULL;
	struct invented nobody;
	char hex[ID_HEX];

	if (s->status && !x)
		return;
	m->at[m->count] = (struct mark){.shape = s};
	if (x)
		m->at[m->count].payment = x->payment;
	m->count++;
	invented_at(&nobody, y->options.seed, y->options.people + 100000 + (uint32_t)m->count);
	buf_printf(text, s->line, x ? id_hex(&x->payment, hex) : nobody.number);
}

static int plant_all(struct year *y, struct marks *m, struct err *e)
{
	int each = (int)(y->options.people / PEOPLE_EACH), rc = 0;

	each = each < 2 ? 2 : each > EACH_MAX ? EACH_MAX : each;
	for (int b = 0; rc == 0 && b < 2; b++) {
		enum part sim = b == 0 ? SIM_TAX : SIM_SSA;
		struct agency_book book;
		struct buf text;
		char path[512];

		if (agency_book_read(&book, &y->world, sim, e) < 0)
			return -1;
		buf_init(&text, 1 << 20);
		for (int i = 0; i < SHAPES * each; i++)
			if (shapes[i % SHAPES].book == sim)
				plant(y, m, &shapes[i % SHAPES], &book, &text);
		rc = fs_write_atomic(world_path(&y->world, path, b == 0 ? YEAR_TAX_PLANTS : YEAR_SSA_PLANTS), text.data, text.len, 0600, e);
		buf_fini(&text);
		agency_book_free(&book);
	}
	return rc;
}

static int mend_all(struct year *y, struct err *e)
{
	char path[512];

	return fs_write_atomic(world_path(&y->world, path, YEAR_TAX_PLANTS), "", 0, 0600, e) < 0 ||
			       fs_write_atomic(world_path(&y->world, path, YEAR_SSA_PLANTS), "", 0, 0600, e) < 0
		       ? -1
		       : 0;
}

/* ---- finding ---- */

static bool accounts_for(const struct mark *m, const json_t *c)
{
	char hex[ID_HEX];
	bool person = !m->shape->status;

	return !m->found && strcmp(m->shape->kind, text_of(c, "kind")) == 0 &&
	       strcmp(person ? "" : id_hex(&m->payment, hex), text_of(c, "payment")) == 0;
}

/* Gives how many cases of the report nobody planted. */
static int compare(struct marks *m, const json_t *report, FILE *out)
{
	const json_t *all = json_object_get(report, "differences");
	int strange = 0;

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *c = json_array_get(all, i);
		int k = 0;

		if (strcmp(text_of(c, "state"), "gone") == 0 || strcmp(text_of(c, "state"), "resolved") == 0)
			continue;
		while (k < m->count && !accounts_for(&m->at[k], c))
			k++;
		if (k < m->count)
			m->at[k].found = true;
		else if (strange++ < NAMED_MAX)
			fprintf(out, "payment %s: the books differ (%s: ours %s, theirs %s), and nobody planted it\n", text_of(c, "payment"),
				text_of(c, "kind"), text_of(json_object_get(c, "ours"), "state"), text_of(json_object_get(c, "theirs"), "state"));
	}
	return strange;
}

static int run(struct year *y, struct marks *m, FILE *out, struct err *e)
{
	json_t *report = NULL;
	int strange;

	if (reconcile(y, &report, e) < 0)
		return -1;
	strange = compare(m, report, out);
	y->figures.unexplained += strange;
	json_decref(report);
	return 0;
}

static int run_planted(struct year *y, FILE *out, struct err *e)
{
	struct marks *m = calloc(1, sizeof *m);
	char hex[ID_HEX];
	int rc;

	if (!m)
		return err_set(e, ERR_TEMP, "no memory");
	rc = plant_all(y, m, e) < 0 ? -1 : run(y, m, out, e);
	for (int i = 0; rc == 0 && i < m->count; i++) {
		y->figures.planted++;
		y->figures.found += m->at[i].found;
		if (!m->at[i].found)
			fprintf(out, "payment %s: planted as %s, not found\n", id_hex(&m->at[i].payment, hex), m->at[i].shape->kind);
	}
	free(m);
	return rc == 0 ? mend_all(y, e) : -1;
}

/* ---- resolving ---- */

/* Sends a decision about each open case; gives how many there were. */
static int resolve_open(struct year *y, struct err *e)
{
	char key[512], no[24];
	json_t *list = qiao_json(y, "differences", "list", NULL), *all = json_object_get(list, "differences");
	int count = (int)json_array_size(all), status, rc = list ? 0 : err_set(e, ERR_TEMP, "qiao differences: no list");

	for (int i = 0; rc == 0 && i < count; i++) {
		snprintf(no, sizeof no, "%" PRId64, (int64_t)json_integer_value(json_object_get(json_array_get(all, (size_t)i), "number")));
		status = world_qiao(&y->world, NULL, "differences", "resolve", no, "--note", "与对方核对，对方已更正", "--operator", "annie", "--key",
				    key_of(y, key), "--wait", "0", NULL);
		rc = status == EXIT_LATER || status == EXIT_YES ? year_go_on(y, e)
								: err_set(e, ERR_PERM, "qiao differences resolve %s: exit %d", no, status);
	}
	json_decref(list);
	return rc < 0 ? -1 : count;
}

static int open_cases(struct year *y)
{
	json_t *list = qiao_json(y, "differences", "list", NULL);
	int n = list ? (int)json_array_size(json_object_get(list, "differences")) : -1;

	json_decref(list);
	return n;
}

static int resolve_all(struct year *y, FILE *out, struct err *e)
{
	int64_t until = clock_monotonic() + PATIENCE_MS;
	int count = resolve_open(y, e), open = 0;

	if (count < 0)
		return -1;
	while ((open = open_cases(y)) != 0 && clock_monotonic() < until) {
		if (year_go_on(y, e) < 0)
			return -1;
		poll(NULL, 0, LOOK_MS);
	}
	if (open != 0)
		fprintf(out, "%d cases are open still, %d were resolved\n", open, count - open);
	y->figures.unexplained += open;
	return 0;
}

int year_books(struct year *y, FILE *out, struct err *e)
{
	struct marks *none = calloc(1, sizeof *none);
	int rc = -1;

	if (!none)
		return err_set(e, ERR_TEMP, "no memory");
	year_say(y, "the books are reconciled");
	if (run(y, none, out, e) < 0)
		goto out;
	year_say(y, "the books are reconciled, with entries planted");
	if (run_planted(y, out, e) < 0)
		goto out;
	year_say(y, "the books are reconciled, mended");
	if (run(y, none, out, e) < 0)
		goto out;
	year_say(y, "open cases are resolved");
	rc = resolve_all(y, out, e);
out:
	free(none);
	return rc;
}
