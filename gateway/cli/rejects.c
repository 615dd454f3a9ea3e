/* qiao rejects: what the programs could not process, where it came from and why; the bytes on
 * request. */
#include "base/date.h"
#include "base/table.h"
#include "bus/bus.h"
#include "cli/cli.h"
#include "events/events.h"
#include "http/registry.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { READ_MAX = 256, OUT_MAX = 64 << 20, HEX_LINE = 16 };
static const char prefix[] = "rejects.";

struct listing {
	const struct cli *cli;
	struct bus *bus;
	struct codec *codec;
	struct registry *registry;
	const char *topic;     /* only those of this topic, NULL = all */
	const char *show_role; /* --show: only this one */
	int64_t show_offset;
	struct table table;
	json_t *json;
	struct buf bytes; /* of the one shown */
	int64_t count;
};

static int parse_show(const char *show, char role[32], int64_t *offset);
static int open_all(struct listing *l, struct err *e);
static int read_topic(struct listing *l, const struct topic *t, struct err *e);
static int take(struct listing *l, const char *role, const struct bus_record *r, struct err *e);
static int put_row(struct listing *l, const char *role, const struct bus_record *r,
		   const struct rejected_event *ev);
static int put_hex(struct str bytes, struct buf *out);
static void print(struct listing *l);

int cmd_rejects(struct cli *c, int argc, char **argv)
{
	struct listing l = {.cli = c, .show_offset = -1};
	const char *show = NULL;
	const struct cli_option options[] = {
		{"--topic", &l.topic, NULL}, {"--show", &show, NULL}, {0}};
	char role[32];
	struct err e = {0};
	int rc = -1;

	if (cli_options(c, argc, argv, options, NULL, 0) < 0)
		return EXIT_USAGE;
	if (show && parse_show(show, role, &l.show_offset) < 0)
		return cli_usage(c, "rejects", "rejects_show");
	l.show_role = show ? role : NULL;
	table_init(&l.table, 8);
	buf_init(&l.bytes, OUT_MAX);
	l.json = json_array();
	if (open_all(&l, &e) < 0)
		goto out;
	for (int i = 0; i < topic_count; i++) {
		if (strncmp(topics[i].name, prefix, strlen(prefix)) == 0 &&
		    read_topic(&l, &topics[i], &e) < 0)
			goto out;
	}
	print(&l);
	rc = 0;
out:
	registry_codec_close(l.codec, l.registry);
	bus_close(l.bus);
	table_fini(&l.table);
	buf_fini(&l.bytes);
	json_decref(l.json);
	if (rc < 0)
		return cli_fail(&e);
	return l.count > 0 ? EXIT_NO : EXIT_YES;
}

static int parse_show(const char *show, char role[32], int64_t *offset)
{
	const char *colon = strchr(show, ':');

	if (colon == NULL || str_copy(role, 32, (struct str){show, (size_t)(colon - show)}) < 0)
		return -1;
	return str_int(str_of(colon + 1), 0, INT64_MAX, offset);
}

static int open_all(struct listing *l, struct err *e)
{
	static const char *const head[] = {"rejects_place",	"rejects_time",	  "status_topic",
					   "rejects_partition", "rejects_offset", "rejects_type",
					   "rejects_reason",	"rejects_detail"};
	char dir[CONF_PATH];
	struct bus_options o = {.dir = dir, .role = "qiao", .conf = &l->cli->conf};

	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		table_cell(&l->table, text_or_code(head[i], l->cli->lang));
	l->table.right[3] = l->table.right[4] = true;
	if (cli_path(l->cli, dir, "bus", e) < 0 || bus_open(&l->bus, &o, e) < 0)
		return -1;
	return registry_codec_open(&l->codec, &l->registry, &l->cli->conf, NULL, e);
}

/* From the oldest that is kept. */
static int read_topic(struct listing *l, const struct topic *t, struct err *e)
{
	const char *role = t->name + strlen(prefix);
	const struct bus_record *records;
	struct bus_reader *reader;
	int n, rc = -1;

	if (l->show_role && strcmp(l->show_role, role) != 0)
		return 0;
	if (bus_reader_open(l->bus, &reader, t->name, NULL, e) < 0)
		return -1;
	while ((n = bus_read(reader, READ_MAX, &records, e)) > 0) {
		for (int i = 0; i < n; i++) {
			if (take(l, role, &records[i], e) < 0)
				goto out;
		}
	}
	rc = n;
out:
	bus_reader_close(reader);
	return rc;
}

static int take(struct listing *l, const char *role, const struct bus_record *r, struct err *e)
{
	struct rejected_event ev = {0};
	struct err why = {0};

	if (l->show_role && r->offset != l->show_offset)
		return 0;
	if (codec_decode(l->codec, EV_REJECTED_EVENT, r->event.data, &ev, &why) < 0) {
		/* A reject of another version of the program is still one: shown with what the bus
		 * tells of it. */
		ev = (struct rejected_event){.topic = STR("?"),
					     .reason = STR("undecodable"),
					     .detail = str_of(why.text),
					     .bytes = r->event.data,
					     .at = r->event.time_ms};
	}
	if (l->topic && !str_is(ev.topic, l->topic))
		return 0;
	l->count++;
	if (put_row(l, role, r, &ev) < 0 || (l->show_role && put_hex(ev.bytes, &l->bytes) < 0))
		return err_set(e, ERR_TEMP, "rejects: too many to show");
	return 0;
}

static int put_row(struct listing *l, const char *role, const struct bus_record *r,
		   const struct rejected_event *ev)
{
	char time[40], id[ID_HEX];
	int rc = 0;

	time_text(time, ev->at);
	if (l->cli->json) {
		json_t *one =
			json_pack("{s:s, s:I, s:s, s:s%, s:i, s:I, s:s, s:s%, s:s%, s:s%}", "role",
				  role, "offset", (json_int_t)r->offset, "at", time, "topic",
				  ev->topic.p ? ev->topic.p : "", ev->topic.n, "partition",
				  (int)ev->partition, "event_offset", (json_int_t)ev->offset,
				  "event_id", id_hex(&ev->event_id, id), "event_type",
				  ev->event_type.p ? ev->event_type.p : "", ev->event_type.n,
				  "reason", ev->reason.p ? ev->reason.p : "", ev->reason.n,
				  "detail", ev->detail.p ? ev->detail.p : "", ev->detail.n);

		return one ? json_array_append_new(l->json, one) : -1;
	}
	rc |= table_cellf(&l->table, "%s:%" PRId64, role, r->offset);
	rc |= table_cellf(&l->table, "%.19s", time);
	rc |= table_cellf(&l->table, "%.*s", (int)ev->topic.n, ev->topic.p ? ev->topic.p : "");
	rc |= table_cellf(&l->table, "%d", (int)ev->partition);
	rc |= table_cellf(&l->table, "%" PRId64, ev->offset);
	rc |= table_cellf(&l->table, "%.*s", (int)ev->event_type.n,
			  ev->event_type.p ? ev->event_type.p : "");
	rc |= table_cellf(&l->table, "%.*s", (int)ev->reason.n, ev->reason.p ? ev->reason.p : "");
	rc |= table_cellf(&l->table, "%.*s", ev->detail.n < 200 ? (int)ev->detail.n : 200,
			  ev->detail.p ? ev->detail.p : "");
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

static void print(struct listing *l)
{
	struct buf out;

	if (l->cli->json) {
		if (l->show_role && l->count == 1)
			json_object_set_new(
				json_array_get(l->json, 0), "bytes",
				json_stringn(l->bytes.data ? (const char *)l->bytes.data : "",
					     l->bytes.len));
		cli_print_json(json_incref(l->json));
		return;
	}
	if (l->count == 0) {
		cli_say(l->cli, l->show_role ? "rejects_not_there" : "rejects_none", NULL);
		return;
	}
	buf_init(&out, OUT_MAX);
	if (table_print(&l->table, &out) == 0)
		cli_print(&out);
	if (l->show_role)
		cli_print(&l->bytes);
	buf_fini(&out);
}
