/* POST /v1/statistics: the newest figures for each year, village and sponsor type. */
#include "base/date.h"
#include "tests/agencies/json_in.h"
#include "tests/agencies/ssa.h"

enum { FIGURES = 6 };

struct figures {
	int64_t year, version, as_of;
	struct str village, sponsor_type;
	int64_t at[FIGURES]; /* declared, collected, kept: count and fen of each */
	struct out columns;  /* as JSON again */
};

static bool take_items(struct ssa *s, struct request *q, int *taken);
static bool read_figures(struct json *j, struct figures *v);
static bool read_columns(struct json *j, struct out *o);
static void keep(struct ssa *s, const struct figures *v);

int ssa_statistics(void *agency, struct request *q, struct out *o)
{
	struct ssa *s = agency;
	int taken = 0;

	if (!take_items(s, q, &taken)) {
		book_undo(&s->book);
		return answer_error(o, 400, "malformed", "not statistics");
	}
	out_lit(o, "{\"taken\":");
	out_int(o, taken);
	out_lit(o, "}");
	return 200;
}

static bool take_items(struct ssa *s, struct request *q, int *taken)
{
	static const char *const fields[] = {"items", NULL};
	struct figures v;
	struct json j;
	int hint = 0;
	bool good = true;

	out_init(&v.columns, BODY_MAX);
	json_init(&j, (char *)q->body.p, q->body.n);
	json_object(&j);
	while (good && json_field(&j, fields, &hint) >= 0) {
		json_array(&j);
		while (good && json_item(&j)) {
			good = read_figures(&j, &v) && *taken < ROWS_MAX;
			if (good)
				keep(s, &v);
			*taken += good;
		}
	}
	out_fini(&v.columns);
	return good && json_end(&j);
}

static bool read_figures(struct json *j, struct figures *v)
{
	static const char *const fields[] = {"declared_count",
					     "declared_fen",
					     "collected_count",
					     "collected_fen",
					     "kept_count",
					     "kept_fen",
					     "year",
					     "version",
					     "village",
					     "sponsor_type",
					     "as_of",
					     "columns",
					     NULL};
	unsigned seen = 0;
	int hint = 0, f;

	out_reset(&v->columns);
	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0) {
		seen |= 1u << f;
		if (f < FIGURES)
			v->at[f] = json_int(j);
		else if (f < 8)
			*(f == 6 ? &v->year : &v->version) = json_int(j);
		else if (f < 10)
			*(f == 8 ? &v->village : &v->sponsor_type) = json_text(j);
		else if (f == 10)
			j->bad |= time_parse(json_text(j), &v->as_of) < 0;
		else if (!read_columns(j, &v->columns))
			return false;
	}
	return !j->bad && seen == 0xFFF && v->village.n == 12 && v->version >= 0;
}

static bool read_columns(struct json *j, struct out *o)
{
	static const char *const fields[] = {"column", "count", "amount_fen", NULL};

	json_array(j);
	out_lit(o, "[");
	while (json_item(j)) {
		struct str column = {NULL, 0};
		int64_t count = -1, amount_fen = -1;
		int hint = 0, f;

		json_object(j);
		while ((f = json_field(j, fields, &hint)) >= 0) {
			if (f == 0)
				column = json_text(j);
			else
				*(f == 1 ? &count : &amount_fen) = json_int(j);
		}
		if (j->bad || !column.p || count < 0 || amount_fen < 0)
			return false;
		out_put(o, ",", o->b.len > 1);
		out_lit(o, "{\"column\":");
		out_text(o, column);
		out_lit(o, ",\"count\":");
		out_int(o, count);
		out_lit(o, ",\"amount_fen\":");
		out_int(o, amount_fen);
		out_lit(o, "}");
	}
	out_lit(o, "]");
	return !j->bad && !o->bad;
}

static void keep(struct ssa *s, const struct figures *v)
{
	struct stmt *st = s->statistic;

	book_write(&s->book);
	stmt_int(st, 1, v->year);
	stmt_text(st, 2, v->village);
	stmt_text(st, 3, v->sponsor_type);
	stmt_int(st, 4, v->version);
	stmt_int(st, 5, v->as_of);
	for (int i = 0; i < FIGURES; i++)
		stmt_int(st, 6 + i, v->at[i]);
	stmt_text(st, 12, (struct str){(const char *)v->columns.b.data, v->columns.b.len});
	book_run(st);
}
