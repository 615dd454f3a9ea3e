/* qiao config: the settings as they are in force, or the commented reference of all of them.
 *
 * What is in force is the reference with the values of the file laid over it: so no second list of
 * settings exists. */
#include "base/fs.h"
#include "cli/cli.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MAX = 400, FILE_MAX = 1 << 20 };

struct setting {
	struct str section, key, value;
	int line; /* in the file; 0: the default */
};
struct settings {
	struct setting at[SETTINGS_MAX];
	int count;
	bool overlay; /* values of the file come over those of the reference */
};

static int print_effective(struct cli *c);
static void take(void *arg, int line, struct str section, struct str key, struct str value);
static void put_text(const struct settings *s, const struct cli *c, struct buf *out);
static json_t *put_json(const struct settings *s);

int cmd_config(struct cli *c, int argc, char **argv)
{
	bool reference = false;
	const struct cli_option options[] = {{"--reference", NULL, &reference}, {0}};
	struct buf text;
	int rc = EXIT_LATER;

	if (cli_options(c, argc, argv, options, NULL, 0) < 0)
		return EXIT_USAGE;
	if (!reference)
		return print_effective(c);
	buf_init(&text, FILE_MAX);
	if (conf_reference(&text) == 0) {
		cli_print(&text);
		rc = EXIT_YES;
	}
	buf_fini(&text);
	return rc;
}

static int print_effective(struct cli *c)
{
	struct settings *s = calloc(1, sizeof *s);
	struct complaints *why = calloc(1, sizeof *why);
	struct buf reference, file, out;
	struct err e = {0};
	int rc = EXIT_LATER;

	buf_init(&reference, FILE_MAX);
	buf_init(&file, FILE_MAX);
	buf_init(&out, FILE_MAX);
	if (s == NULL || why == NULL)
		goto out;
	if (cli_load(c) != 0) {
		rc = EXIT_USAGE;
		goto out;
	}
	if (conf_reference(&reference) < 0)
		goto out;
	if (fs_read(c->file, &file, &e) < 0) {
		rc = cli_fail(&e);
		goto out;
	}
	ini_parse((struct str){(const char *)reference.data, reference.len}, take, s, why);
	s->overlay = true;
	ini_parse((struct str){(const char *)file.data, file.len}, take, s, why);
	if (c->json) {
		cli_print_json(put_json(s));
	} else {
		put_text(s, c, &out);
		cli_print(&out);
	}
	rc = EXIT_YES;
out:
	buf_fini(&reference);
	buf_fini(&file);
	buf_fini(&out);
	free(why);
	free(s);
	return rc;
}

static void take(void *arg, int line, struct str section, struct str key, struct str value)
{
	struct settings *s = arg;

	for (int i = 0; s->overlay && i < s->count; i++) {
		if (!str_eq(s->at[i].section, section) || !str_eq(s->at[i].key, key))
			continue;
		s->at[i].value = value;
		s->at[i].line = line;
	}
	if (!s->overlay && s->count < SETTINGS_MAX)
		s->at[s->count++] = (struct setting){section, key, value, 0};
}

/* A configuration file again, so that it can be kept and compared. */
static void put_text(const struct settings *s, const struct cli *c, struct buf *out)
{
	struct str section = STR("");

	for (int i = 0; i < s->count; i++) {
		const struct setting *at = &s->at[i];

		if (!str_eq(section, at->section)) {
			buf_printf(out, "%s[%.*s]\n", i ? "\n" : "", (int)at->section.n,
				   at->section.p);
			section = at->section;
		}
		if (at->line > 0)
			buf_printf(out, "# %s:%d\n", c->file, at->line);
		buf_printf(out, "%.*s =%s%.*s\n", (int)at->key.n, at->key.p, at->value.n ? " " : "",
			   (int)at->value.n, at->value.p);
	}
}

static json_t *put_json(const struct settings *s)
{
	json_t *root = json_object();

	for (int i = 0; i < s->count; i++) {
		const struct setting *at = &s->at[i];
		char section[64], key[64];
		json_t *inner;

		if (str_copy(section, sizeof section, at->section) < 0 ||
		    str_copy(key, sizeof key, at->key) < 0)
			continue;
		inner = json_object_get(root, section);
		if (inner == NULL) {
			inner = json_object();
			json_object_set_new(root, section, inner);
		}
		json_object_set_new(inner, key,
				    json_pack("{s:s%, s:i}", "value",
					      at->value.n ? at->value.p : "", at->value.n, "line",
					      at->line));
	}
	return root;
}
