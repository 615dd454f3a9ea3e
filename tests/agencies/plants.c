#include "tests/agencies/plants.h"
#include "base/date.h"
#include "base/fs.h"
#include "tests/agencies/tax.h"
#include <string.h>

static struct str field(struct str *rest)
{
	const char *comma = memchr(rest->p, ',', rest->n);
	struct str f = {rest->p, comma ? (size_t)(comma - rest->p) : rest->n};

	*rest = comma ? (struct str){comma + 1, rest->n - f.n - 1} : (struct str){rest->p + rest->n, 0};
	return f;
}

static void fail(struct str line)
{
	struct err e = {0};

	err_set(&e, ERR_CONF, "plants: not a line: %.*s", (int)line.n, line.p);
	book_fatal(&e);
}

static void read_line(struct plants *p, struct str line)
{
	static const char *const kinds[] = {"add", "amount", "state", "hide"};
	struct str rest = line, kind = field(&rest);
	struct plant *x = &p->at[p->count];
	bool good = p->count < PLANTS_MAX - 1;
	int k = 0;

	while (k < 4 && !str_is(kind, kinds[k]))
		k++;
	*x = (struct plant){.kind = (enum plant_kind)k};
	if (good && k == PLANT_ADD)
		good = str_copy(x->number, sizeof x->number, field(&rest)) == 0;
	else if (good)
		good = k < 4 && id_parse(&x->id, field(&rest)) == 0;
	if (good && (k == PLANT_ADD || k == PLANT_AMOUNT))
		good = str_int(field(&rest), 1, INT32_MAX, &x->amount_fen) == 0;
	if (good && (k == PLANT_ADD || k == PLANT_STATE))
		good = str_copy(x->state, sizeof x->state, field(&rest)) == 0 && time_parse(field(&rest), &x->at) == 0;
	if (!good)
		fail(line);
	p->count++;
}

void plants_load(struct plants *p)
{
	struct err e = {0};
	struct buf text;
	struct str rest;

	p->count = 0;
	p->loaded = true;
	if (!p->file || !fs_exists(p->file))
		return;
	buf_init(&text, 1 << 20);
	if (fs_read(p->file, &text, &e) != 0)
		book_fatal(&e);
	rest = str_of(buf_text(&text));
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct str line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};

		if (line.n > 0)
			read_line(p, line);
		rest = end ? (struct str){end + 1, rest.n - line.n - 1} : (struct str){rest.p + rest.n, 0};
	}
	buf_fini(&text);
}

static void put(struct out *o, const struct told *t)
{
	out_lit(o, "{\"payment_id\":");
	if (t->id)
		out_hex(o, t->id->b, ID_LEN);
	else
		out_lit(o, "null");
	out_lit(o, ",\"number\":");
	out_text(o, t->number);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, t->amount_fen);
	out_lit(o, ",\"state\":");
	out_text(o, str_of(t->state));
	out_lit(o, ",\"at\":");
	out_time(o, t->at);
	out_lit(o, ",\"receipt\":");
	if (t->receipt > 0)
		tax_put_receipt(o, t->receipt);
	else
		out_text(o, t->receipt_text);
	out_lit(o, "}");
}

bool telling_put(struct telling *t, const struct told *entry)
{
	struct told e = *entry;

	for (int i = 0; e.id && i < t->plants->count; i++) {
		const struct plant *x = &t->plants->at[i];

		if (x->kind == PLANT_ADD || !id_eq(&x->id, e.id))
			continue;
		if (x->kind == PLANT_HIDE)
			return false;
		if (x->kind == PLANT_AMOUNT) {
			e.amount_fen = x->amount_fen;
		} else {
			e.state = x->state;
			e.at = x->at;
		}
	}
	t->count++;
	t->amount_fen += e.amount_fen;
	if (t->silent)
		return true;
	out_put(t->out, ",", t->written++ > 0);
	put(t->out, &e);
	return true;
}

static void telling_added(struct telling *t, const struct book_period *p)
{
	for (int i = 0; i < t->plants->count; i++) {
		const struct plant *x = &t->plants->at[i];

		if (x->kind == PLANT_ADD && x->at >= p->from && x->at < p->to)
			telling_put(t, &(struct told){.number = str_of(x->number), .amount_fen = x->amount_fen,
						      .state = x->state, .at = x->at});
	}
}

int book_tell(struct plants *plants, struct request *q, struct out *o, int64_t last, int64_t now, tell_fn *tell, void *agency)
{
	struct telling page = {.plants = plants, .out = o}, all = {.plants = plants, .silent = true};
	struct book_period p;
	int64_t at;

	if (request_book(q, last, &p) < 0)
		return answer_error(o, 400, "cursor", "not a cursor of this book, or no period");
	if (p.after == 0 || !plants->loaded)
		plants_load(plants);
	out_lit(o, "{\"entries\":[");
	for (at = p.after + 1; at <= last && page.written < p.limit; at++)
		tell(agency, &page, &p, at);
	if (at > last) {
		telling_added(&page, &p);
		for (int64_t i = 1; i <= last; i++)
			tell(agency, &all, &p, i);
		telling_added(&all, &p);
	}
	out_lit(o, "],\"as_of\":");
	out_time(o, now);
	out_lit(o, ",\"next\":");
	if (at <= last) {
		out_lit(o, "\"");
		out_int(o, at - 1);
		out_lit(o, "\"}");
		return 200;
	}
	out_lit(o, "null,\"count\":");
	out_int(o, all.count);
	out_lit(o, ",\"amount_fen\":");
	out_int(o, all.amount_fen);
	out_lit(o, "}");
	return 200;
}
