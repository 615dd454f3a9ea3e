/* qiao rejects release, discard, resume: what a person decides about rejects. The gateway does it, once (flow/rejects.c). */
#include "cli/operate.h"
#include "cli/rejects.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct target {
	struct ledger_view *v; /* of a dry run, else NULL */
	struct reject_effect effect;
	const char *prefix;    /* of an id, NULL: the place */
	int64_t offset;
	int count;
	struct id id;
	enum reject_state state;
	bool gateway;
	char argument[200];
};

/* "<role>/<topic>/<partition>/<offset>": the key of the reject on its topic is the rest of it. */
static void put_argument(struct target *t, const struct reject_seen *s)
{
	struct str key = s->r->event.key;
	bool plain = key.n < 120;

	for (size_t i = 0; i < key.n && plain; i++)
		plain = key.p[i] > ' ' && key.p[i] <= '~';
	snprintf(t->argument, sizeof t->argument, "%s%s%.*s", s->role, plain ? "/" : "", plain ? (int)key.n : 0, key.p ? key.p : "");
}

static int match(void *arg, const struct reject_seen *s, struct err *e)
{
	struct target *t = arg;
	char hex[ID_HEX];

	if (t->prefix ? strncmp(id_hex(&s->r->event.id, hex), t->prefix, strlen(t->prefix)) != 0 : s->r->offset != t->offset)
		return 0;
	if (t->count > 0 && id_eq(&t->id, &s->r->event.id))
		return 0; /* a program that died published it twice */
	if (t->count++ > 0)
		return 1;
	t->id = s->r->event.id;
	t->state = s->state;
	t->gateway = strcmp(s->role, "gateway") == 0;
	put_argument(t, s);
	return t->v && s->state == REJECT_OPEN ? reject_predict(&t->effect, t->v, s, e) : 0;
}

static void print_effect(const struct cli *c, const struct target *t)
{
	const struct reject_effect *f = &t->effect;
	char hex[ID_HEX];

	if (c->json)
		cli_print_json(json_pack("{s:s, s:s, s:[s, s, s]}", "reject", id_hex(&t->id, hex), "effect", f->code, "about",
					 f->args[0], f->args[1], f->args[2]));
	else
		cli_say(c, f->code, f->args[0], f->args[1], f->args[2], NULL);
}

static bool is_prefix(const char *text)
{
	size_t n = strlen(text);

	return n >= 8 && n < ID_HEX && strspn(text, "0123456789abcdef") == n;
}

/* Why it comes to nothing before anybody is asked; NULL: it does not. */
static const char *pointless(const struct target *t, bool release)
{
	if (t->count != 1)
		return t->count ? "operate_several" : "rejects_not_there";
	if (t->state != REJECT_OPEN)
		return t->state == REJECT_RELEASED ? "already_released" : "already_discarded";
	return release && !t->gateway ? "release_not_here" : NULL;
}

static int look(struct cli *c, struct target *t, const char *role, bool dry, struct err *e)
{
	char path[CONF_PATH];
	int rc;

	if (dry && (cli_path(c, path, CLI_LEDGER, e) < 0 || view_open(&t->v, path, e) < 0))
		return -1;
	rc = rejects_each(c, role[0] ? role : NULL, match, t, e);
	view_close(t->v);
	return rc;
}

int rejects_settle(struct cli *c, int argc, char **argv)
{
	bool release = strcmp(argv[0], "release") == 0, dry = false;
	const char *what = NULL, *why;
	struct operate o = {0};
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {"--dry-run", NULL, &dry}, {0}};
	struct target t = {.effect.lang = c->lang};
	char role[32] = "", hex[ID_HEX];
	struct err e = {0};
	int n = cli_options(c, argc, argv, options, &what, 1);

	if (n < 0)
		return EXIT_USAGE;
	if (n == 0 || (dry && !release))
		return cli_usage(c, "rejects", "rejects_which");
	if (is_prefix(what))
		t.prefix = what;
	else if (reject_place(what, role, &t.offset) < 0)
		return cli_usage(c, "rejects", "rejects_which");
	if (!dry && (!o.reason || !o.reason[0]))
		return cli_usage(c, "rejects", "operate_reason");
	if (look(c, &t, role, dry, &e) < 0)
		return cli_fail(&e);
	why = pointless(&t, release);
	if (why) {
		cli_warn(c, why, what, NULL);
		return EXIT_NO;
	}
	if (dry)
		print_effect(c, &t);
	return dry ? EXIT_YES : operate(c, &o, release ? "reject_release" : "reject_discard", id_hex(&t.id, hex), t.argument);
}

int rejects_resume(struct cli *c, int argc, char **argv)
{
	const char *topic = NULL;
	struct operate o = {0};
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {0}};
	int n = cli_options(c, argc, argv, options, &topic, 1);

	if (n < 0)
		return EXIT_USAGE;
	if (n == 0 || topic_find(str_of(topic)) == NULL)
		return cli_usage(c, "rejects", "rejects_topic");
	if (!o.reason || !o.reason[0])
		return cli_usage(c, "rejects", "operate_reason");
	return operate(c, &o, "flow_resume", topic, NULL);
}
