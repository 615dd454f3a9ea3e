/* The plan of a sponsor (补助实施方案), as JSON by schemas/plan.schema.json. It is checked like a cover
 * and shares village, sponsor, standards and gates with it; those are taken over at the end. */
#include "adapters/village/check.h"
#include "crypto/ids.h"
#include <stdio.h>
#include <string.h>

enum { PLAN_VERSION = 1, YEARS_MAX = 30, HEADS_MAX = 10000000 };

static void check_years(struct check *c, const json_t *years)
{
	static const char *const keys[] = {"first", "last", NULL};
	const json_t *first = json_object_get(years, "first"), *last = json_object_get(years, "last");
	json_int_t from = json_integer_value(first), to = last ? json_integer_value(last) : from;

	if (json_is_object(years))
		check_keys(c, "years.", years, keys);
	if (!json_is_integer(first) || (last && !json_is_integer(last)) || from < 1900 ||
	    from > 2200 || to < from || to - from >= YEARS_MAX) {
		check_complain(c, "plan_years", "", "years");
		return;
	}
	c->cover->plan.first_year = (int32_t)from;
	c->cover->plan.last_year = (int32_t)to;
}

/* */
static void check_source(struct check *c, const char *path, const json_t *o, struct ev_source *out)
{
	static const char *const keys[] = {"kind", "name", "yuan", NULL};
	static const char *const kinds[] = {"collective_income", "donation", "government", "other"};
	const char *kind = json_string_value(json_object_get(o, "kind"));
	const json_t *fen = json_object_get(o, "yuan");
	char at[60];

	out->kind = STR("");
	for (size_t i = 0; kind && i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kind, kinds[i]) == 0)
			out->kind = str_of(kinds[i]);
	if (!json_is_object(o) || out->kind.n == 0) {
		check_complain(c, "plan_source_kind", path, "kind");
		return;
	}
	check_keys(c, path, o, keys);
	check_short(c, path, "name", json_object_get(o, "name"), &out->name);
	if (strcmp(kind, "donation") == 0 && out->name.n == 0)
		check_complain(c, "plan_source_name", path, "name");
	snprintf(at, sizeof at, "%syuan", path);
	if (fen && !json_is_null(fen))
		out->amount_fen.set = check_money(c, at, fen, &out->amount_fen.v);
}

static void check_sources(struct check *c, const json_t *list)
{
	size_t count = json_array_size(list);
	struct cover *cover = c->cover;

	if (!json_is_array(list) || count == 0 || count > PLAN_SOURCES_MAX) {
		check_complain(c, "plan_sources", "", "sources");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		char path[40];

		snprintf(path, sizeof path, "sources[%zu].", i);
		check_source(c, path, json_array_get(list, i), &cover->sources[i]);
	}
	cover->plan.sources = cover->sources;
	cover->plan.source_count = (int32_t)count;
}

static void check_words(struct check *c, const json_t *root, const char *key, struct str *out)
{
	if (check_short(c, "", key, json_object_get(root, key), out) && out->n == 0)
		check_complain(c, "plan_words", "", key);
}

static void check_limits(struct check *c, const json_t *root)
{
	const json_t *heads = json_object_get(root, "heads");
	const json_t *total = json_object_get(root, "total_yuan");
	struct subsidy_plan *p = &c->cover->plan;

	if (heads && !json_is_null(heads)) {
		p->heads = (struct opt_long){true, json_integer_value(heads)};
		if (!json_is_integer(heads) || p->heads.v < 1 || p->heads.v > HEADS_MAX)
			check_complain(c, "plan_heads", "", "heads");
	}
	if (total && !json_is_null(total))
		p->total_fen.set = check_money(c, "total_yuan", total, &p->total_fen.v);
}

static bool may_stand_in_a_plan(struct str code)
{
	enum gate g;

	return gate_of(code, &g) != 0 || g <= GATE_PLAN_FILED_SSA || g == GATE_SUPERVISION;
}

static void take_over(struct check *c)
{
	struct subsidy_plan *p = &c->cover->plan;
	const struct gate_documents *from = &c->cover->event;
	char year[4] = {(char)p->first_year, (char)(p->first_year >> 8), 0, 0};

	p->village = from->village;
	p->sponsor_type = from->sponsor_type;
	p->sponsor_code = from->sponsor_code;
	p->standards_fen = from->standards_fen;
	p->standard_count = from->standard_count;
	p->gates = from->gates;
	p->gate_count = from->gate_count;
	sponsor_id(&p->sponsor_id, p->sponsor_type, p->sponsor_code);
	struct str part[] = {STR("plan"), p->village, {(char *)p->sponsor_id.b, ID_LEN}, {year, 4}};
	id_make(&p->plan_id, part, 4);
}

void check_plan(struct check *c, const json_t *root)
{
	static const char *const keys[] = {"plan",   "village", "sponsor",	  "years", "sources",
					   "persons", "timing", "standards_yuan", "heads", "total_yuan",
					   "gates",  NULL};
	struct cover *cover = c->cover;

	cover->is_plan = true;
	check_keys(c, "", root, keys);
	if (json_integer_value(json_object_get(root, "plan")) != PLAN_VERSION)
		check_complain(c, "cover_version", "", "plan");
	check_village(c, root);
	check_sponsor(c, json_object_get(root, "sponsor"));
	if (cover->individual)
		check_complain(c, "plan_sponsor", "sponsor.", "type");
	check_years(c, json_object_get(root, "years"));
	check_sources(c, json_object_get(root, "sources"));
	check_words(c, root, "persons", &cover->plan.persons);
	check_words(c, root, "timing", &cover->plan.timing);
	check_standards(c, json_object_get(root, "standards_yuan"));
	if (json_array_size(json_object_get(root, "standards_yuan")) == 0)
		check_complain(c, "cover_standards", "", "standards_yuan");
	check_limits(c, root);
	check_gates(c, json_object_get(root, "gates"));
	for (int i = 0; i < cover->event.gate_count; i++) {
		char path[40];

		snprintf(path, sizeof path, "gates[%d].", i);
		if (!may_stand_in_a_plan(cover->gates[i].gate))
			check_complain(c, "plan_gate", path, "gate");
	}
	if (c->first == NULL)
		take_over(c);
}
