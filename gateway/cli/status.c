/* qiao status: how it goes, for a person in front of a terminal or a monitor that reads JSON. */
#include "base/date.h"
#include "base/table.h"
#include "cli/health.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 1 << 20 };

static int put_text(const struct health *h, const struct cli *c, bool counters, struct buf *out);
static int put_head(struct table *t, const struct cli *c, const char *const *codes, int count);
static int put_programs(const struct health *h, const struct cli *c, struct buf *out);
static int put_topics(const struct health *h, const struct cli *c, struct buf *out);
static int put_peers(const struct health *h, const struct cli *c, struct buf *out);
static int put_place(const struct health *h, const struct cli *c, struct buf *out);
static int put_counters(const struct health *h, struct buf *out);
static int put_todos(const struct health *h, const struct cli *c, struct buf *out);
static int put_line(struct buf *out, const struct cli *c, const char *code, const char *a,
		    const char *b);
static json_t *put_json(const struct health *h, bool counters);
static json_t *json_counters(const char *text);
static json_t *json_stops(const struct health *h);
static json_t *json_todos(const struct health *h);
static const char *state_text(const struct cli *c, const char *prefix, const char *state);
static const char *age_text(char out[32], int64_t ms);

int cmd_status(struct cli *c, int argc, char **argv)
{
	bool counters = false;
	const struct cli_option options[] = {{"--counters", NULL, &counters}, {0}};
	struct health *h;
	struct buf out;
	struct err e = {0};
	int rc = EXIT_LATER;

	if (cli_options(c, argc, argv, options, NULL, 0) < 0)
		return EXIT_USAGE;
	buf_init(&out, OUT_MAX);
	h = calloc(1, sizeof *h);
	if (h == NULL)
		goto out;
	if (health_gather(h, c, &e) < 0) {
		rc = cli_fail(&e);
		goto out;
	}
	if (c->json)
		cli_print_json(put_json(h, counters));
	else if (put_text(h, c, counters, &out) == 0)
		cli_print(&out);
	rc = h->todo_count > 0 ? EXIT_NO : EXIT_YES;
out:
	free(h);
	buf_fini(&out);
	return rc;
}

static int put_text(const struct health *h, const struct cli *c, bool counters, struct buf *out)
{
	int rc = put_programs(h, c, out);

	rc |= put_topics(h, c, out);
	rc |= put_peers(h, c, out);
	rc |= put_place(h, c, out);
	if (counters)
		rc |= put_counters(h, out);
	rc |= put_todos(h, c, out);
	return rc;
}

static int put_head(struct table *t, const struct cli *c, const char *const *codes, int count)
{
	int rc = 0;

	table_init(t, count);
	for (int i = 0; i < count; i++)
		rc |= table_cell(t, text_or_code(codes[i], c->lang));
	return rc;
}

static int put_programs(const struct health *h, const struct cli *c, struct buf *out)
{
	static const char *const head[] = {"status_program", "status_state", "status_since",
					   "status_pid", "status_note"};
	struct table t;
	int rc = put_head(&t, c, head, 5);

	t.right[3] = true;
	for (int i = 0; i < h->program_count; i++) {
		const struct program_health *p = &h->programs[i];
		char since[40] = "";

		if (p->alive && p->status.since_ms > 0)
			time_text(since, p->status.since_ms);
		rc |= table_cell(&t, p->name);
		rc |= table_cell(&t, state_text(c, "role", p->state));
		rc |= table_cellf(&t, "%.19s", since);
		rc |= p->alive ? table_cellf(&t, "%" PRId64, p->status.pid) : table_cell(&t, "");
		rc |= table_cell(&t, p->status.note);
	}
	rc |= table_print(&t, out);
	table_fini(&t);
	return rc;
}

static int put_topics(const struct health *h, const struct cli *c, struct buf *out)
{
	static const char *const head[] = {"status_topic", "status_reader", "status_events",
					   "status_waiting", "status_oldest"};
	struct table t;
	int rc;

	if (h->lag_count == 0)
		return 0;
	rc = put_head(&t, c, head, 5);
	t.right[2] = t.right[3] = t.right[4] = true;
	for (int i = 0; i < h->lag_count; i++) {
		const struct bus_lag *lag = &h->lags[i];
		char age[32] = "";

		if (lag->group[0] == '\0')
			continue; /* a topic that nobody follows */
		if (lag->oldest_unread_ms > 0)
			age_text(age, h->now_ms - lag->oldest_unread_ms);
		rc |= table_cell(&t, lag->topic);
		rc |= table_cell(&t, lag->group);
		rc |= table_cellf(&t, "%" PRId64, lag->end);
		rc |= table_cellf(&t, "%" PRId64, lag->end - lag->next);
		rc |= table_cell(&t, age);
	}
	rc |= buf_put_str(out, "\n");
	rc |= table_print(&t, out);
	table_fini(&t);
	return rc;
}

static int put_peers(const struct health *h, const struct cli *c, struct buf *out)
{
	static const char *const head[] = {"status_peer", "status_state", "status_since"};
	struct table t;
	int rc = put_head(&t, c, head, 3), rows = 0;

	for (int i = 0; i < h->program_count; i++) {
		const struct program_health *p = &h->programs[i];
		char word[16], since[40] = "";
		int64_t since_ms;

		if (p->status.peer[0] == '\0')
			continue;
		peer_word(word, p->status.peer, &since_ms);
		if (since_ms > 0)
			time_text(since, since_ms);
		rc |= table_cell(&t, p->role);
		rc |= table_cell(&t, state_text(c, "peer", p->alive ? word : "unknown"));
		rc |= table_cellf(&t, "%.19s", since);
		rows++;
	}
	if (rows > 0) {
		rc |= buf_put_str(out, "\n");
		rc |= table_print(&t, out);
	}
	table_fini(&t);
	return rc;
}

static int put_place(const struct health *h, const struct cli *c, struct buf *out)
{
	char a[32], b[32], year[16];
	int rc = buf_put_str(out, "\n");

	snprintf(a, sizeof a, "%" PRId64, h->disk_free >> 20);
	snprintf(b, sizeof b, "%" PRId64, h->disk_total >> 20);
	if (h->disk_total > 0)
		rc |= put_line(out, c, "status_disk", a, b);
	snprintf(year, sizeof year, "%d", h->year);
	if (h->last_filing_day == DATE_NONE) {
		rc |= put_line(out, c, "status_no_policy", year, "");
	} else {
		date_text(a, h->last_filing_day);
		snprintf(b, sizeof b, "%d", h->days_left < 0 ? -h->days_left : h->days_left);
		rc |= put_line(out, c, h->days_left < 0 ? "status_filing_over" : "status_filing", a,
			       b);
	}
	snprintf(a, sizeof a, "%" PRId64, h->rejects);
	snprintf(b, sizeof b, "%" PRId64, h->refused_files);
	rc |= put_line(out, c, "status_rejects", a, b);
	return rc;
}

static int put_counters(const struct health *h, struct buf *out)
{
	int rc = 0;

	for (int i = 0; i < h->program_count; i++) {
		const struct program_health *p = &h->programs[i];
		struct str left = str_of(p->status.counters);

		if (left.n == 0)
			continue;
		rc |= buf_printf(out, "\n%s\n", p->name);
		while (left.n > 0) {
			size_t n = strcspn(left.p, " ");

			rc |= buf_printf(out, "  %.*s\n", (int)n, left.p);
			left.p += n < left.n ? n + 1 : n;
			left.n -= n < left.n ? n + 1 : n;
		}
	}
	return rc;
}

static int put_todos(const struct health *h, const struct cli *c, struct buf *out)
{
	int rc = buf_put_str(out, "\n");

	rc |= put_line(out, c, h->todo_count ? "status_todo" : "status_nothing", "", "");
	for (int i = 0; i < h->todo_count; i++) {
		rc |= buf_printf(out, "  %d. ", i + 1);
		rc |= put_line(out, c, h->todos[i].code, h->todos[i].args[0], h->todos[i].args[1]);
	}
	return rc;
}

static int put_line(struct buf *out, const struct cli *c, const char *code, const char *a,
		    const char *b)
{
	const struct str args[] = {str_of(a), str_of(b)};
	int rc = text_fill(out, text_or_code(code, c->lang), args, 2);

	while (rc == 0 && out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--; /* after an argument that is empty */
	return rc | buf_put_str(out, "\n");
}

static json_t *put_json(const struct health *h, bool counters)
{
	json_t *programs = json_array(), *topics_ = json_array(), *root;

	for (int i = 0; i < h->program_count; i++) {
		const struct program_health *p = &h->programs[i];
		char word[16];
		int64_t since;
		json_t *one = json_pack("{s:s, s:s, s:b, s:I, s:I, s:s}", "program", p->name,
					"state", p->state, "alive", (int)p->alive, "pid",
					(json_int_t)p->status.pid, "since_ms",
					(json_int_t)p->status.since_ms, "note", p->status.note);

		if (p->status.peer[0]) {
			peer_word(word, p->status.peer, &since);
			json_object_set_new(one, "peer",
					    json_pack("{s:s, s:I}", "state", word, "since_ms",
						      (json_int_t)since));
		}
		if (counters)
			json_object_set_new(one, "counters", json_counters(p->status.counters));
		json_array_append_new(programs, one);
	}
	for (int i = 0; i < h->lag_count; i++) {
		const struct bus_lag *lag = &h->lags[i];
		int64_t age = lag->oldest_unread_ms ? h->now_ms - lag->oldest_unread_ms : 0;

		json_array_append_new(topics_, json_pack("{s:s, s:s, s:I, s:I, s:I}", "topic",
							 lag->topic, "reader", lag->group, "events",
							 (json_int_t)lag->end, "waiting",
							 (json_int_t)(lag->end - lag->next),
							 "oldest_age_ms", (json_int_t)age));
	}
	root = json_pack("{s:b, s:I, s:o, s:o, s:{s:I, s:I}, s:I, s:I, s:I, s:I}", "initialised",
			 (int)h->initialised, "now_ms", (json_int_t)h->now_ms, "programs", programs,
			 "topics", topics_, "disk", "free_bytes", (json_int_t)h->disk_free,
			 "total_bytes", (json_int_t)h->disk_total, "rejects",
			 (json_int_t)h->rejects, "refused_files", (json_int_t)h->refused_files,
			 "differences", (json_int_t)h->differences, "adopted_without_declaration",
			 (json_int_t)h->adopted);
	if (h->last_filing_day != DATE_NONE) {
		char day[16];

		json_object_set_new(root, "filing",
				    json_pack("{s:i, s:s, s:i}", "year", h->year, "last_day",
					      date_text(day, h->last_filing_day), "days_left",
					      h->days_left));
	}
	json_object_set_new(root, "stopped", json_stops(h));
	json_object_set_new(root, "todo", json_todos(h));
	return root;
}

/* "name=value name=value" */
static json_t *json_counters(const char *text)
{
	json_t *root = json_object();

	while (*text) {
		size_t n = strcspn(text, " "), name = strcspn(text, "=");
		char key[64];
		int64_t value;

		if (name < n && str_copy(key, sizeof key, (struct str){text, name}) == 0 &&
		    str_int((struct str){text + name + 1, n - name - 1}, INT64_MIN, INT64_MAX,
			    &value) == 0)
			json_object_set_new(root, key, json_integer(value));
		text += n + strspn(text + n, " ");
	}
	return root;
}

static json_t *json_stops(const struct health *h)
{
	json_t *stops = json_array();

	for (int i = 0; i < h->stop_count; i++)
		json_array_append_new(stops, json_pack("{s:s, s:I, s:I, s:I}", "topic", h->stops[i].topic, "since_ms",
						       (json_int_t)h->stops[i].at, "rejected", (json_int_t)h->stops[i].rejected,
						       "of", (json_int_t)h->stops[i].seen));
	return stops;
}

static json_t *json_todos(const struct health *h)
{
	json_t *todos = json_array();

	for (int i = 0; i < h->todo_count; i++)
		json_array_append_new(todos,
				      json_pack("{s:s, s:[s, s]}", "code", h->todos[i].code, "args",
						h->todos[i].args[0], h->todos[i].args[1]));
	return todos;
}

static const char *state_text(const struct cli *c, const char *prefix, const char *state)
{
	char code[48];
	const char *text;

	snprintf(code, sizeof code, "%s_%s", prefix, state);
	text = text_get(code, c->lang);
	return text ? text : state;
}

static const char *age_text(char out[32], int64_t ms)
{
	int64_t s = ms / 1000;

	if (s < 0)
		s = 0;
	if (s < 120)
		snprintf(out, 32, "%" PRId64 " s", s);
	else if (s < 7200)
		snprintf(out, 32, "%" PRId64 " min", s / 60);
	else if (s < 172800)
		snprintf(out, 32, "%" PRId64 " h", s / 3600);
	else
		snprintf(out, 32, "%" PRId64 " d", s / 86400);
	return out;
}
