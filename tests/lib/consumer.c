#include "tests/lib/consumer.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 16 << 20 };

static int compare_rows(json_t *ours, json_t *theirs, FILE *out);
static int compare_columns(const char *what, json_t *ours, json_t *theirs, FILE *out);
static int compare_cell(const char *what, const char *column, json_t *ours, json_t *theirs, FILE *out);
static json_t *row_of(json_t *rows, const char *village, int64_t year, const char *sponsor_type);

int consumer_run(struct world *w, struct buf *out, const char *const *options, struct err *e)
{
	const char *python = getenv("QIAO_PYTHON"), *args[WORLD_ARGS] = {NULL};
	char own[512], script[512], villages[512], registry[1100];
	int n = 0, status;

	snprintf(own, sizeof own, "%s/build/venv/bin/python", w->root);
	snprintf(script, sizeof script, "%s/tests/data/consumer.py", w->root);
	snprintf(villages, sizeof villages, "%s/config/villages.csv", w->root);
	snprintf(registry, sizeof registry, "%s%s", w->bus.conf.registry.peer.url, w->bus.conf.registry.path);
	args[n++] = script;
	args[n++] = "--brokers";
	args[n++] = w->bus.conf.kafka.brokers;
	args[n++] = "--registry";
	args[n++] = registry;
	args[n++] = "--prefix";
	args[n++] = w->bus.prefix;
	args[n++] = "--villages";
	args[n++] = villages;
	while (*options && n < WORLD_ARGS - 1)
		args[n++] = *options++;
	status = world_run(w, out, python && python[0] ? python : own, args);
	return status == 0 ? 0 : err_set(e, ERR_PERM, "consumer.py: exit %d, see %s/log/commands.stderr", status, w->dir);
}

int consumer_compare(struct world *w, const struct buf *said, FILE *out, struct err *e)
{
	static const char *const kinds[][2] = {{"CollectedSubsidy", "collected"}, {"SubsidyRefunded", "refunded"}};
	json_t *theirs = json_loadb((const char *)said->data, said->len, 0, NULL), *ours = NULL, *totals;
	int differences = -1;
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (world_qiao(w, &text, "--format", "json", "statement", NULL) == 0)
		ours = json_loadb((const char *)text.data, text.len, 0, NULL);
	if (!ours || !theirs) {
		err_set(e, ERR_PERM, "%s", ours ? "consumer.py: no JSON" : "qiao statement: not well, or no JSON");
		goto out;
	}
	totals = json_object_get(ours, "totals");
	differences = compare_rows(json_object_get(ours, "rows"), json_object_get(json_object_get(theirs, "statistics"), "rows"), out);
	differences += compare_columns("totals", totals, json_object_get(json_object_get(theirs, "statistics"), "totals"), out);
	for (int i = 0; i < 2; i++)
		differences += compare_cell("feedback", kinds[i][0], json_object_get(totals, kinds[i][1]),
					    json_object_get(json_object_get(theirs, "feedback"), kinds[i][0]), out);
out:
	json_decref(ours);
	json_decref(theirs);
	buf_fini(&text);
	return differences;
}

/* Every row of the statement is a key of the topic. A key that has nothing in it any more is no row. */
static int compare_rows(json_t *ours, json_t *theirs, FILE *out)
{
	int differences = json_array_size(ours) == 0;
	json_t *row;
	size_t i;

	json_array_foreach(ours, i, row) {
		const char *village = json_string_value(json_object_get(row, "village_code"));
		const char *type = json_string_value(json_object_get(row, "sponsor_type"));
		int64_t year = json_integer_value(json_object_get(row, "year"));
		json_t *told = row_of(theirs, village, year, type);
		char what[120];

		snprintf(what, sizeof what, "%" PRId64 "/%s/%s", year, village, type);
		differences += compare_columns(what, json_object_get(row, "columns"), json_object_get(told, "columns"), out);
		if (told)
			json_object_set_new(told, "seen", json_true());
	}
	json_array_foreach(theirs, i, row)
		if (!json_object_get(row, "seen"))
			differences += compare_columns("a key that the statement has not", NULL, json_object_get(row, "columns"), out);
	return differences;
}

static json_t *row_of(json_t *rows, const char *village, int64_t year, const char *sponsor_type)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (json_integer_value(json_object_get(row, "year")) == year &&
		    strcmp(json_string_value(json_object_get(row, "village")), village) == 0 &&
		    strcmp(json_string_value(json_object_get(row, "sponsor_type")), sponsor_type) == 0)
			return row;
	return NULL;
}

static int compare_columns(const char *what, json_t *ours, json_t *theirs, FILE *out)
{
	const char *column;
	int differences = 0;
	json_t *cell;

	json_object_foreach(ours, column, cell)
		differences += compare_cell(what, column, cell, json_object_get(theirs, column), out);
	json_object_foreach(theirs, column, cell)
		if (!json_object_get(ours, column))
			differences += compare_cell(what, column, NULL, cell, out);
	return differences;
}

/* What is not there is 0. */
static int compare_cell(const char *what, const char *column, json_t *ours, json_t *theirs, FILE *out)
{
	static const char *const parts[] = {"count", "amount_fen"};
	int differences = 0;

	for (int i = 0; i < 2; i++) {
		int64_t a = json_integer_value(json_object_get(ours, parts[i])), b = json_integer_value(json_object_get(theirs, parts[i]));

		if (a == b)
			continue;
		fprintf(out, "%s: %s %s is %" PRId64 " in the statement, the consumer has %" PRId64 "\n", what, column, parts[i], a, b);
		differences++;
	}
	return differences;
}
