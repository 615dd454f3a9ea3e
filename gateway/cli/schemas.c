/* qiao schemas: the only place where schemas are registered, and where a person sees whether
 * registry, programs and what they remember agree.
 *
 * register is all or nothing as far as it can be: what may not follow its predecessor is found for
 * every subject before the first is registered. And it does not paper over a registry that was
 * replaced: an id that programs remember must mean what it meant; one that is gone may come back
 * for the same schema only. */
#include "base/table.h"
#include "cli/cli.h"
#include "events/events.h"
#include "http/registry_cache.h"
#include "http/registry_client.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 1 << 20, COLUMNS_SHOWN = 4 };

enum outcome { MISSING, THERE, REGISTERED, INCOMPATIBLE, OUTCOMES };
static const char *const outcome_words[OUTCOMES] = {"missing", "there", "registered",
						    "incompatible"};

/* One subject, one row of the table. */
struct subject {
	char name[REGISTRY_SUBJECT];
	enum outcome outcome;
	struct registry_place place;
	char why[400]; /* incompatible: in the registry's words */
};
struct schemas {
	const struct cli *cli;
	struct registry_client *registry;
	struct registry_cache known; /* what the programs remember */
	bool gone[REGISTRY_IDS_MAX]; /* of these: the registry has no such id */
	struct subject subjects[EVENT_TYPES];
	json_t *findings;
	int count; /* of incompatible subjects, or of findings */
};

static int open_all(struct schemas *s, struct err *e);
static int look_at_known(struct schemas *s, struct err *e);
static int register_all(struct schemas *s, struct err *e);
static int find(struct schemas *s, enum event_type t, struct err *e);
static int note(struct schemas *s, enum event_type t, struct err *e);
static void print_subjects(const struct schemas *s);
static void print_subjects_json(const struct schemas *s);
static int check_all(struct schemas *s, struct err *e);
static int check_subject(struct schemas *s, enum event_type t, struct err *e);
static int check_known(struct schemas *s, const struct registry_id *known, struct err *e);
static void finding(struct schemas *s, const char *code, const char *subject, const char *more);

int cmd_schemas(struct cli *c, int argc, char **argv)
{
	const char *what = NULL;
	struct schemas *s;
	struct err e = {0};
	int rc = -1, count = cli_options(c, argc, argv, NULL, &what, 1);

	if (count < 0)
		return EXIT_USAGE;
	if (count == 0 || (strcmp(what, "register") != 0 && strcmp(what, "check") != 0))
		return cli_usage(c, "schemas", "schemas_usage");
	s = calloc(1, sizeof *s);
	if (s == NULL) {
		err_set(&e, ERR_TEMP, "out of memory");
		return cli_fail(&e);
	}
	s->cli = c;
	s->findings = json_array();
	if (open_all(s, &e) == 0)
		rc = what[0] == 'r' ? register_all(s, &e) : check_all(s, &e);
	if (rc == 0)
		rc = s->count > 0 ? EXIT_NO : EXIT_YES;
	else
		rc = cli_fail(&e);
	registry_client_close(s->registry);
	json_decref(s->findings);
	free(s);
	return rc;
}

static int open_all(struct schemas *s, struct err *e)
{
	const struct conf *c = &s->cli->conf;

	if (c->registry.peer.url[0] == '\0')
		return err_set(e, ERR_CONF,
			       "[registry] url: empty; events name their schema by fingerprint and "
			       "there is nothing to register");
	for (enum event_type t = 0; t < EVENT_TYPES; t++)
		registry_subject(s->subjects[t].name, t);
	if (registry_cache_load_all(&s->known, c->data.dir, e) != 0)
		return -1;
	return registry_client_open(&s->registry, c, false, e);
}

/* ---- register ---- */

static int register_all(struct schemas *s, struct err *e)
{
	int rc = 0;

	if (look_at_known(s, e) != 0)
		return -1;
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		struct subject *sub = &s->subjects[t];
		char why[REGISTRY_WHY];
		int fits;

		if (find(s, t, e) != 0)
			return -1;
		if (sub->outcome == THERE)
			continue;
		fits = registry_fits(s->registry, t, why, e);
		if (fits < 0)
			return -1;
		if (fits == 0) {
			sub->outcome = INCOMPATIBLE;
			str_copy(sub->why, sizeof sub->why, str_of(why));
			s->count++;
		}
	}
	for (enum event_type t = 0; t < EVENT_TYPES && s->count == 0 && rc == 0; t++) {
		struct subject *sub = &s->subjects[t];

		if (sub->outcome != MISSING)
			continue;
		rc = registry_register(s->registry, t, &sub->place, e);
		if (rc == 0) {
			sub->outcome = REGISTERED;
			rc = note(s, t, e);
		} else if (e->class == ERR_PERM) { /* somebody else was faster */
			sub->outcome = INCOMPATIBLE;
			str_copy(sub->why, sizeof sub->why, str_of(e->text));
			s->count++;
		}
	}
	/* Also after a failure: what was done must be seen. */
	if (s->cli->json)
		print_subjects_json(s);
	else
		print_subjects(s);
	return s->count > 0 ? 0 : rc;
}

static int look_at_known(struct schemas *s, struct err *e)
{
	for (int i = 0; i < s->known.count; i++) {
		const struct registry_id *known = &s->known.at[i];
		struct schema_mark means;
		int found = registry_meaning(s->registry, known->id, &means, e);

		if (found < 0)
			return -1;
		if (found == 1 && !schema_mark_eq(&means, &known->mark))
			return registry_changed(known->id, &known->mark, &means, e);
		s->gone[i] = found == 0;
	}
	return 0;
}

static int find(struct schemas *s, enum event_type t, struct err *e)
{
	struct subject *sub = &s->subjects[t];
	int found = registry_find(s->registry, t, &sub->place, e);

	if (found <= 0)
		return found;
	sub->outcome = THERE;
	return note(s, t, e);
}

/* ERR_SAFE: to a program the number means something else, or its number of the schema is gone. */
static int note(struct schemas *s, enum event_type t, struct err *e)
{
	struct schema_mark own;

	if (schema_mark_of(&own, event_schema(t), e) != 0)
		return -1;
	for (int i = 0; i < s->known.count; i++) {
		const struct registry_id *known = &s->known.at[i];

		if (s->gone[i] && known->id != s->subjects[t].place.id &&
		    schema_mark_eq(&known->mark, &own))
			return err_set(
				e, ERR_SAFE,
				"schema registry: %s was id %" PRId32 " and is now id %" PRId32
				": the registry was emptied or replaced, and events that are "
				"there cannot be read by others. Restore the registry from its "
				"backup",
				own.name, known->id, s->subjects[t].place.id);
	}
	return registry_cache_add(&s->known, s->subjects[t].place.id, &own, e);
}

static void print_subjects(const struct schemas *s)
{
	static const char *const head[COLUMNS_SHOWN] = {"schemas_subject", "schemas_id",
							"schemas_version", "schemas_done"};
	enum lang lang = s->cli->lang;
	struct table table;
	struct buf out;

	table_init(&table, COLUMNS_SHOWN);
	buf_init(&out, OUT_MAX);
	table.right[1] = table.right[2] = true;
	for (int i = 0; i < COLUMNS_SHOWN; i++)
		table_cell(&table, text_or_code(head[i], lang));
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		const struct subject *sub = &s->subjects[t];
		bool there = sub->outcome == THERE || sub->outcome == REGISTERED;
		char code[40];

		snprintf(code, sizeof code, "schemas_%s", outcome_words[sub->outcome]);
		table_cell(&table, sub->name);
		table_cellf(&table, there ? "%" PRId32 : "-", sub->place.id);
		table_cellf(&table, there ? "%" PRId32 : "-", sub->place.version);
		table_cellf(&table, "%s%s%s", text_or_code(code, lang), sub->why[0] ? ": " : "",
			    sub->why);
	}
	if (table_print(&table, &out) == 0)
		cli_print(&out);
	if (s->count > 0)
		cli_warn(s->cli, "schemas_not_registered", NULL);
	table_fini(&table);
	buf_fini(&out);
}

static void print_subjects_json(const struct schemas *s)
{
	json_t *root = json_array();

	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		const struct subject *sub = &s->subjects[t];
		json_t *one = json_pack("{s:s, s:s}", "subject", sub->name, "outcome",
					outcome_words[sub->outcome]);

		if (sub->outcome == THERE || sub->outcome == REGISTERED) {
			json_object_set_new(one, "id", json_integer(sub->place.id));
			json_object_set_new(one, "version", json_integer(sub->place.version));
		}
		if (sub->why[0])
			json_object_set_new(one, "why", json_string(sub->why));
		json_array_append_new(root, one);
	}
	cli_print_json(root);
}

/* ---- check ---- */

static int check_all(struct schemas *s, struct err *e)
{
	char number[16];

	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		if (check_subject(s, t, e) != 0)
			return -1;
	}
	for (int i = 0; i < s->known.count; i++) {
		if (check_known(s, &s->known.at[i], e) != 0)
			return -1;
	}
	if (s->cli->json) {
		cli_print_json(json_incref(s->findings));
	} else if (s->count == 0) {
		snprintf(number, sizeof number, "%d", EVENT_TYPES);
		cli_say(s->cli, "schemas_ok", number, NULL);
	}
	return 0;
}

static int check_subject(struct schemas *s, enum event_type t, struct err *e)
{
	struct registry_place place;
	char level[REGISTRY_LEVEL];
	const char *name = s->subjects[t].name;
	int found = registry_find(s->registry, t, &place, e);

	if (found < 0)
		return -1;
	if (found == 0)
		finding(s, "schemas_find_missing", name, "");
	if (registry_level(s->registry, t, level, e) != 0)
		return -1;
	if (strcmp(level, "NONE") == 0)
		finding(s, "schemas_find_level", name, "");
	return 0;
}

/* A remembered number stands at the head of events that are there already. */
static int check_known(struct schemas *s, const struct registry_id *known, struct err *e)
{
	struct schema_mark means;
	char number[16];
	int found = registry_meaning(s->registry, known->id, &means, e);

	if (found < 0)
		return -1;
	snprintf(number, sizeof number, "%" PRId32, known->id);
	if (found == 0)
		finding(s, "schemas_find_gone", known->mark.name, number);
	else if (!schema_mark_eq(&means, &known->mark))
		finding(s, "schemas_find_changed", known->mark.name, number);
	return 0;
}

/* code: the text with the finding and its cure; {0} the subject, {1} more. */
static void finding(struct schemas *s, const char *code, const char *subject, const char *more)
{
	const char *word = code + strlen("schemas_find_");

	s->count++;
	if (s->cli->json)
		json_array_append_new(s->findings, json_pack("{s:s, s:s, s:s}", "subject", subject,
							     "finding", word, "id", more));
	else
		cli_say(s->cli, code, subject, more, NULL);
}
