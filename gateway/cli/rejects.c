/* qiao rejects: what the programs could not process, where it came from and why, the bytes on request, and what a person made of it
 * (release.c has the deciding). */
#include "cli/rejects.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/table.h"
#include "http/registry.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MAX = 256, OUT_MAX = 64 << 20, HEX_LINE = 16, COLUMNS_SHOWN = 9 };
static const char prefix[] = "rejects.";

/* ---- reading ---- */

struct settled {
	struct id id;
	enum reject_state state;
};
struct reading {
	struct bus *bus;
	struct codec *codec;
	struct registry *registry;
	struct settled *settled; /* by id */
	size_t count, cap;
	reject_fn *fn;
	void *arg;
	bool failed, done;
};

static int keep(void *arg, const struct id *id, enum reject_state s)
{
	struct reading *r = arg;

	if (r->count == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 64;
		struct settled *more = realloc(r->settled, cap * sizeof *more);

		r->failed = more == NULL;
		if (r->failed)
			return 1;
		r->settled = more;
		r->cap = cap;
	}
	r->settled[r->count++] = (struct settled){*id, s};
	return 0;
}

/* Where there is no ledger (yet) nobody settled any. */
static int load_settled(struct reading *r, const struct cli *c, struct err *e)
{
	struct ledger_view *v;
	char path[CONF_PATH];
	int rc;

	if (cli_path(c, path, CLI_LEDGER, e) < 0)
		return -1;
	if (!fs_exists(path))
		return 0;
	if (view_open(&v, path, e) < 0)
		return -1;
	rc = view_rejects(v, keep, r, e);
	view_close(v);
	return r->failed ? err_set(e, ERR_TEMP, "rejects: out of memory") : rc;
}

static int by_id(const void *key, const void *one)
{
	return memcmp(key, &((const struct settled *)one)->id, sizeof(struct id));
}

static int see(struct reading *in, const char *role, const struct bus_record *r, struct err *e)
{
	struct rejected_event ev = {0};
	struct err why = {0};
	const struct settled *s = in->count ? bsearch(&r->event.id, in->settled, in->count, sizeof *s, by_id) : NULL;
	struct reject_seen seen = {role, r, &ev, s ? s->state : REJECT_OPEN, in->codec};

	if (codec_decode(in->codec, EV_REJECTED_EVENT, r->event.data, &ev, &why) < 0) {
		/* A reject of another version of the program is still one: shown with what the bus
		 * tells of it. */
		ev = (struct rejected_event){.topic = STR("?"),
					     .reason = STR("undecodable"),
					     .detail = str_of(why.text),
					     .bytes = r->event.data,
					     .at = r->event.time_ms};
	}
	return in->fn(in->arg, &seen, e);
}

static int read_topic(struct reading *in, const struct topic *t, struct err *e)
{
	const struct bus_record *records;
	struct bus_reader *reader;
	int n, rc = 0;

	if (bus_reader_open(in->bus, &reader, t->name, NULL, e) < 0)
		return -1;
	while (rc == 0 && (n = bus_read(reader, READ_MAX, &records, e)) != 0) {
		rc = n < 0 ? -1 : 0;
		for (int i = 0; i < n && rc == 0; i++)
			rc = see(in, t->name + strlen(prefix), &records[i], e);
	}
	bus_reader_close(reader);
	return rc;
}

int rejects_each(const struct cli *c, const char *role, reject_fn *fn, void *arg, struct err *e)
{
	struct reading in = {.fn = fn, .arg = arg};
	char dir[CONF_PATH];
	struct bus_options o = {.dir = dir, .role = "qiao", .conf = &c->conf};
	int rc = -1;

	if (load_settled(&in, c, e) < 0 || cli_path(c, dir, "bus", e) < 0 || bus_open(&in.bus, &o, e) < 0 ||
	    registry_codec_open(&in.codec, &in.registry, &c->conf, NULL, e) < 0)
		goto out;
	rc = 0;
	for (int i = 0; i < topic_count && rc == 0; i++)
		if (strncmp(topics[i].name, prefix, strlen(prefix)) == 0 &&
		    (role == NULL || strcmp(role, topics[i].name + strlen(prefix)) == 0))
			rc = read_topic(&in, &topics[i], e);
out:
	registry_codec_close(in.codec, in.registry);
	bus_close(in.bus);
	free(in.settled);
	return rc < 0 ? -1 : 0;
}

int reject_place(const char *text, char role[32], int64_t *offset)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL || str_copy(role, 32, (struct str){text, (size_t)(colon - text)}) < 0)
		return -1;
	return str_int(str_of(colon + 1), 0, INT64_MAX, offset);
}

/* ---- showing ---- */

struct listing {
	const struct cli *cli;
	const char *topic; /* only those of this topic, NULL = all */
	bool all;	   /* those that a person settled, too */
	bool one;	   /* only the one at this offset, with its bytes */
	int64_t offset;
	struct table table;
	json_t *json;
	struct buf bytes; /* of the one shown */
	char id[ID_HEX];
	int64_t count, open;
};

static int put_json(struct listing *l, const struct reject_seen *s)
{
	const struct rejected_event *ev = s->ev;
	char time[40], id[ID_HEX], of[ID_HEX];
	json_t *one;

	time_text(time, ev->at);
	one = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s%, s:i, s:I, s:s, s:s%, s:s%, s:s%}", "role", s->role, "offset",
			(json_int_t)s->r->offset, "id", id_hex(&s->r->event.id, id), "state", reject_state_code(s->state), "at",
			time, "topic", ev->topic.p ? ev->topic.p : "", ev->topic.n, "partition", (int)ev->partition,
			"event_offset", (json_int_t)ev->offset, "event_id", id_hex(&ev->event_id, of), "event_type",
			ev->event_type.p ? ev->event_type.p : "", ev->event_type.n, "reason", ev->reason.p ? ev->reason.p : "",
			ev->reason.n, "detail", ev->detail.p ? ev->detail.p : "", ev->detail.n);
	return one ? json_array_append_new(l->json, one) : -1;
}

static int put_text(struct table *t, struct str s, int max)
{
	return table_cellf(t, "%.*s", s.n < (size_t)max ? (int)s.n : max, s.p ? s.p : "");
}

static int put_row(struct listing *l, const struct reject_seen *s)
{
	const struct rejected_event *ev = s->ev;
	char time[40], code[40];
	int rc = 0;

	if (l->cli->json)
		return put_json(l, s);
	time_text(time, ev->at);
	snprintf(code, sizeof code, "reject_%s", reject_state_code(s->state));
	rc |= table_cellf(&l->table, "%s:%" PRId64, s->role, s->r->offset);
	rc |= table_cellf(&l->table, "%.19s", time);
	rc |= table_cell(&l->table, text_or_code(code, l->cli->lang));
	rc |= put_text(&l->table, ev->topic, 40);
	rc |= table_cellf(&l->table, "%d", (int)ev->partition);
	rc |= table_cellf(&l->table, "%" PRId64, ev->offset);
	rc |= put_text(&l->table, ev->event_type, 100);
	rc |= put_text(&l->table, ev->reason, 100);
	rc |= put_text(&l->table, ev->detail, 200);
	return rc;
}

static int put_hex(struct str bytes, struct buf *out)
{
	for (size_t at = 0; at < bytes.n; at += HEX_LINE) {
		int rc = buf_printf(out, "%08zx ", at);

		for (size_t i = at; i < bytes.n && i < at + HEX_LINE; i++)
			rc |= buf_printf(out, " %02x", (unsigned char)bytes.p[i]);
		rc |= buf_put_str(out, "\n");
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int take(void *arg, const struct reject_seen *s, struct err *e)
{
	struct listing *l = arg;

	if (l->one ? s->r->offset != l->offset : !l->all && s->state != REJECT_OPEN)
		return 0;
	if (l->topic && !str_is(s->ev->topic, l->topic))
		return 0;
	l->count++;
	l->open += s->state == REJECT_OPEN;
	id_hex(&s->r->event.id, l->id);
	if (put_row(l, s) < 0 || (l->one && put_hex(s->ev->bytes, &l->bytes) < 0))
		return err_set(e, ERR_TEMP, "rejects: too many to show");
	return 0;
}

static void print(struct listing *l)
{
	struct buf out;

	if (l->cli->json) {
		if (l->one && l->count == 1)
			json_object_set_new(
				json_array_get(l->json, 0), "bytes",
				json_stringn(l->bytes.data ? (const char *)l->bytes.data : "",
					     l->bytes.len));
		cli_print_json(json_incref(l->json));
		return;
	}
	if (l->count == 0) {
		cli_say(l->cli, l->one ? "rejects_not_there" : "rejects_none", NULL);
		return;
	}
	buf_init(&out, OUT_MAX);
	if (table_print(&l->table, &out) == 0)
		cli_print(&out);
	if (l->one) {
		cli_say(l->cli, "rejects_id", l->id, NULL);
		cli_print(&l->bytes);
	}
	buf_fini(&out);
}

static int list(struct cli *c, int argc, char **argv, bool show)
{
	static const char *const head[COLUMNS_SHOWN] = {
		"rejects_place",  "rejects_time", "status_state",   "status_topic",  "rejects_partition",
		"rejects_offset", "rejects_type", "rejects_reason", "rejects_detail"};
	struct listing l = {.cli = c};
	const char *place = NULL, *operand = NULL;
	const struct cli_option options[] = {
		{"--topic", &l.topic, NULL}, {"--show", &place, NULL}, {"--all", NULL, &l.all}, {0}};
	char role[32];
	struct err e = {0};
	int rc;

	if (cli_options(c, argc, argv, options, &operand, show) < 0)
		return EXIT_USAGE;
	place = operand ? operand : place;
	l.one = place != NULL;
	if ((show && !place) || (place && reject_place(place, role, &l.offset) < 0))
		return cli_usage(c, "rejects", "rejects_show");
	table_init(&l.table, COLUMNS_SHOWN);
	for (int i = 0; i < COLUMNS_SHOWN; i++)
		table_cell(&l.table, text_or_code(head[i], c->lang));
	l.table.right[4] = l.table.right[5] = true;
	buf_init(&l.bytes, OUT_MAX);
	l.json = json_array();
	rc = rejects_each(c, l.one ? role : NULL, take, &l, &e);
	if (rc == 0)
		print(&l);
	table_fini(&l.table);
	buf_fini(&l.bytes);
	json_decref(l.json);
	if (rc < 0)
		return cli_fail(&e);
	return (l.one ? l.count : l.open) > 0 ? EXIT_NO : EXIT_YES;
}

int cmd_rejects(struct cli *c, int argc, char **argv)
{
	const char *word = argc > 1 && argv[1][0] != '-' ? argv[1] : "";

	if (word[0] == '\0')
		return list(c, argc, argv, false);
	if (strcmp(word, "list") == 0)
		return list(c, argc - 1, argv + 1, false);
	if (strcmp(word, "show") == 0)
		return list(c, argc - 1, argv + 1, true);
	if (strcmp(word, "release") == 0 || strcmp(word, "discard") == 0)
		return rejects_settle(c, argc - 1, argv + 1);
	if (strcmp(word, "resume") == 0)
		return rejects_resume(c, argc - 1, argv + 1);
	return cli_usage(c, "rejects", "rejects_word");
}
