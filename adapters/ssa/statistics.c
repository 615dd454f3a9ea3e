/* Statistics: state, not facts. Of several versions of one key in a window only the newest goes
 * out. */
#include "adapters/ssa/ssa.h"
#include "crypto/digest.h"

static int take(struct work *w, const struct bus_record *r, enum event_type t, const void *event,
		struct err *e);
static void write_columns(struct jsonout *j, const struct collection_statistics *s);
static void head(struct work *w, const int *rows, int count);
static int answered(struct work *w, const int *rows, int count, const json_t *root, bool *seen,
		    const char **why, struct err *e);

const struct work_kind statistics_kind = {
	.topic = "statistics",
	.path = "/v1/statistics",
	.first = EV_COLLECTION_STATISTICS,
	.last = EV_COLLECTION_STATISTICS,
	.take = take,
	.head = head,
	.foot = "]}",
	.answered = answered,
};

/* */
static int take(struct work *w, const struct bus_record *r, enum event_type t, const void *event,
		struct err *e)
{
	const struct collection_statistics *s = event;
	const struct {
		struct str name;
		int64_t value;
	} sums[] = {
		{STR(",\"declared_count\":"), s->declared_count},
		{STR(",\"declared_fen\":"), s->declared_fen},
		{STR(",\"collected_count\":"), s->collected_count},
		{STR(",\"collected_fen\":"), s->collected_fen},
		{STR(",\"kept_count\":"), s->kept_count},
		{STR(",\"kept_fen\":"), s->kept_fen},
	};
	struct str parts[] = {STR("statistics"), r->event.key};
	struct jsonout *j = &w->json;
	struct work_row *row;
	struct id key;

	(void)t;
	TALLY(C_STATISTICS);
	id_make(&key, parts, 2);
	row = work_add(w, r, &key, s->version);
	if (!row)
		return 0;
	JSONOUT(j, "{\"year\":");
	jsonout_int(j, s->year);
	JSONOUT(j, ",\"village\":");
	jsonout_str(j, s->village);
	JSONOUT(j, ",\"sponsor_type\":");
	jsonout_str(j, s->sponsor_type);
	JSONOUT(j, ",\"version\":");
	jsonout_int(j, s->version);
	JSONOUT(j, ",\"as_of\":");
	jsonout_time(j, s->as_of);
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
		jsonout_raw(j, sums[i].name);
		jsonout_int(j, sums[i].value);
	}
	write_columns(j, s);
	return work_added(w, row, e);
}

static void write_columns(struct jsonout *j, const struct collection_statistics *s)
{
	JSONOUT(j, ",\"columns\":[");
	for (int i = 0; i < s->column_count; i++) {
		jsonout_raw(j, i ? STR(",{\"column\":") : STR("{\"column\":"));
		jsonout_str(j, s->columns[i].column);
		JSONOUT(j, ",\"count\":");
		jsonout_int(j, s->columns[i].count);
		JSONOUT(j, ",\"amount_fen\":");
		jsonout_int(j, s->columns[i].amount_fen);
		JSONOUT(j, "}");
	}
	JSONOUT(j, "]}");
}

static void head(struct work *w, const int *rows, int count)
{
	(void)rows, (void)count;
	JSONOUT(&w->ssa->body, "{\"items\":[");
}

/* How many it took does not matter: what it leaves, it has in a higher version already. */
static int answered(struct work *w, const int *rows, int count, const json_t *root, bool *seen,
		    const char **why, struct err *e)
{
	int64_t taken;

	(void)w, (void)rows, (void)e;
	if (jsonin_int(root, "taken", 0, count, &taken) != 0) {
		*why = "answer does not say how many were taken";
		return 0;
	}
	for (int i = 0; i < count; i++) {
		TALLY(C_STATISTICS_SENT);
		seen[i] = true;
	}
	return 0;
}
