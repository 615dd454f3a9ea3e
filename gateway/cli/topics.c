/* qiao topics: what the bus wants of a Kafka cluster, made and checked. */
#include "base/clock.h"
#include "base/table.h"
#include "bus/kafka_topics.h"
#include "cli/cli.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUT_MAX = 1 << 20,
	FINDINGS_MAX = 800,
	ACLS_MAX = 400,
	PATIENCE_MS = 20000, /* with brokers that do not answer */
	PAUSE_MS = 3000,     /* whoever waits asks more often than that */
};

/* How long to wait for one answer, and that a person sees it. */
struct patience {
	const struct cli *cli;
	struct cli_progress progress;
	int64_t began_ms, asked_ms;
};

static int plan(const struct cli *c);
static int acls(const struct cli *c);
static int create(const struct cli *c, const char *from_beginning);
static int check(const struct cli *c);
static struct bus_options patiently(struct patience *p, const struct cli *c);

int cmd_topics(struct cli *c, int argc, char **argv)
{
	const char *what = NULL, *group = NULL;
	bool list_acls = false;
	const struct cli_option options[] = {
		{"--acls", NULL, &list_acls}, {"--group-from-beginning", &group, NULL}, {0}};
	struct err e = {0};
	int count = cli_options(c, argc, argv, options, &what, 1);

	if (count < 0)
		return EXIT_USAGE;
	if (count == 0 || (list_acls && strcmp(what, "plan") != 0) ||
	    (group && strcmp(what, "create") != 0))
		return cli_usage(c, "topics", "topics_usage");
	if (strcmp(c->conf.bus.kind, "kafka") != 0) {
		err_set(&e, ERR_CONF, "[bus] kind is %s: its topics are made by qiao init",
			c->conf.bus.kind);
		return cli_fail(&e);
	}
	if (strcmp(what, "plan") == 0)
		return list_acls ? acls(c) : plan(c);
	if (strcmp(what, "create") == 0)
		return create(c, group);
	if (strcmp(what, "check") == 0)
		return check(c);
	return cli_usage(c, "topics", "topics_usage");
}

static void print_table(struct table *t)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	table_print(t, &out);
	cli_print(&out);
	buf_fini(&out);
	table_fini(t);
}

static int plan(const struct cli *c)
{
	json_t *list = json_array();
	struct topic_plan p;
	struct table t;

	table_init(&t, 5);
	t.right[1] = t.right[2] = true;
	table_cell(&t, text_get("topics_topic", c->lang));
	table_cell(&t, text_get("topics_partitions", c->lang));
	table_cell(&t, text_get("topics_copies", c->lang));
	table_cell(&t, "cleanup.policy");
	table_cell(&t, "retention.ms");
	for (int i = 0; topics_plan(&c->conf, i, &p); i++) {
		json_t *settings = json_object();

		for (int s = 0; s < PLAN_SETTINGS && p.settings[s].key; s++)
			json_object_set_new(settings, p.settings[s].key,
					    json_string(p.settings[s].value));
		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:o}", "topic", p.name,
						      "partitions", p.partitions, "replication",
						      p.replication, "config", settings));
		table_cell(&t, p.name);
		table_cellf(&t, "%d", p.partitions);
		table_cellf(&t, "%d", p.replication);
		table_cell(&t, p.settings[0].value);
		table_cell(&t, p.settings[1].value);
	}
	if (c->json) {
		cli_print_json(json_pack("{s:o}", "topics", list));
		table_fini(&t);
	} else {
		print_table(&t);
		json_decref(list);
	}
	return EXIT_YES;
}

/* The principal of a program is the operator's to name. */
static int acls(const struct cli *c)
{
	struct topic_acl *list = calloc(ACLS_MAX, sizeof *list);
	int count = list ? topics_acls(&c->conf, list, ACLS_MAX) : 0;
	json_t *json = json_array();
	struct table t;

	table_init(&t, 4);
	table_cell(&t, text_get("topics_program", c->lang));
	table_cell(&t, text_get("topics_operation", c->lang));
	table_cell(&t, text_get("topics_kind", c->lang));
	table_cell(&t, text_get("topics_name", c->lang));
	for (int i = 0; i < count; i++) {
		json_array_append_new(json,
				      json_pack("{s:s, s:s, s:s, s:s}", "program", list[i].program,
						"operation", list[i].operation, "kind",
						list[i].kind, "name", list[i].name));
		table_cell(&t, list[i].program);
		table_cell(&t, list[i].operation);
		table_cell(&t, list[i].kind);
		table_cell(&t, list[i].name);
	}
	if (c->json) {
		cli_print_json(json_pack("{s:o}", "acls", json));
		table_fini(&t);
	} else {
		print_table(&t);
		json_decref(json);
	}
	free(list);
	return EXIT_YES;
}

static int create(const struct cli *c, const char *from_beginning)
{
	struct patience p;
	const struct bus_options o = patiently(&p, c);
	struct topics_made made;
	struct err e = {0};
	char topics_text[16], positions_text[16];
	int rc = topics_create(&o, from_beginning, &made, &e);

	cli_progress_end(&p.progress);
	if (rc < 0)
		return cli_fail(&e);
	snprintf(topics_text, sizeof topics_text, "%d", made.topics);
	snprintf(positions_text, sizeof positions_text, "%d", made.positions);
	if (c->json)
		cli_print_json(json_pack("{s:i, s:i}", "topics_created", made.topics,
					 "positions_created", made.positions));
	else
		cli_say(c, "topics_created", topics_text, positions_text, NULL);
	return EXIT_YES;
}

static int check(const struct cli *c)
{
	struct patience p;
	const struct bus_options o = patiently(&p, c);
	struct topic_finding *list = calloc(FINDINGS_MAX, sizeof *list);
	struct err e = {0};
	json_t *json = json_array();
	int count = 0, rc;

	rc = list ? topics_check(&o, list, FINDINGS_MAX, &count, &e)
		  : err_set(&e, ERR_TEMP, "out of memory");
	cli_progress_end(&p.progress);
	for (int i = 0; rc == 0 && i < count; i++) {
		json_array_append_new(json, json_pack("{s:s, s:s, s:s, s:s}", "what", list[i].what,
						      "found", list[i].found, "wanted",
						      list[i].wanted, "cure", list[i].cure));
		if (!c->json)
			cli_say(c, "topics_finding", list[i].what, list[i].found, list[i].wanted,
				list[i].cure, NULL);
	}
	free(list);
	if (rc == 0 && c->json)
		cli_print_json(json_pack("{s:O}", "findings", json));
	json_decref(json);
	if (rc < 0)
		return cli_fail(&e);
	if (count == 0 && !c->json)
		cli_say(c, "topics_ok", NULL);
	return count ? EXIT_NO : EXIT_YES;
}

static bool waiting(void *arg)
{
	struct patience *p = arg;
	int64_t now = clock_monotonic();

	if (now - p->asked_ms > PAUSE_MS)
		p->began_ms = now;
	p->asked_ms = now;
	cli_progress(&p->progress, p->cli, "topics_working", p->cli->conf.kafka.brokers, NULL);
	return now - p->began_ms < PATIENCE_MS;
}

static struct bus_options patiently(struct patience *p, const struct cli *c)
{
	*p = (struct patience){.cli = c, .asked_ms = -PAUSE_MS};
	cli_progress_start(&p->progress);
	return (struct bus_options){.role = "qiao", .conf = &c->conf, .waiting = waiting, .arg = p};
}
