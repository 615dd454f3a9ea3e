/* qiao keygen: makes the keys that are missing and tells which; never shows one, never changes one.
 * */
#include "base/fs.h"
#include "cli/cli.h"
#include "crypto/identity.h"
#include "crypto/operator.h"
#include "flow/reference.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 400, NAME_MAX_BYTES = 64 };

struct key_files { /* "village/token.key" ... */
	char at[FILES_MAX][NAME_MAX_BYTES];
	int count;
};

static int years_of(struct cli *c, const char *given, int64_t *first, int64_t *last);
static int years_of_policies(struct cli *c, int64_t *first, int64_t *last);
static void list(struct key_files *out, const char *dir);
static int compare(const void *a, const void *b);
static int report(const struct cli *c, struct key_files *before, struct key_files *after);

/* The keys of a person who decides. */
static int keygen_operator(const struct cli *c, const char *name, const char *key)
{
	char private_file[CONF_PATH], folder[CONF_PATH], public_file[CONF_PATH], file[OPERATOR_NAME + 8];
	const char *home = getenv("HOME");
	struct err e = {0};

	if (!operator_name_good(str_of(name))) {
		cli_warn(c, "keygen_operator_name", NULL);
		return EXIT_USAGE;
	}
	snprintf(file, sizeof file, "%s.pub", name);
	if (fs_join(public_file, sizeof public_file, c->conf.operators.dir, file) != 0 ||
	    snprintf(folder, sizeof folder, "%s/.qiao", home ? home : "") >= CONF_PATH ||
	    (key ? snprintf(private_file, sizeof private_file, "%s", key)
		 : snprintf(private_file, sizeof private_file, "%s/.qiao/%s.key", home ? home : "", name)) >= CONF_PATH)
		err_set(&e, ERR_CONF, "key: path too long");
	else if ((key || fs_mkdirs(folder, &e) == 0) && fs_mkdirs(c->conf.operators.dir, &e) == 0 &&
		 operator_keygen(private_file, public_file, &e) == 0) {
		cli_say(c, "keygen_operator", name, private_file, public_file, NULL);
		return EXIT_YES;
	}
	return cli_fail(&e);
}

int cmd_keygen(struct cli *c, int argc, char **argv)
{
	const char *years = NULL, *operator = NULL, *key = NULL;
	const struct cli_option options[] = {
		{"--years", &years, NULL}, {"--operator", &operator, NULL}, {"--key", &key, NULL}, {0}};
	struct key_files *files;
	int64_t first, last;
	struct err e = {0};
	int rc = EXIT_LATER;

	if (cli_options(c, argc, argv, options, NULL, 0) < 0)
		return EXIT_USAGE;
	if (operator)
		return keygen_operator(c, operator, key);
	if (years_of(c, years, &first, &last) < 0)
		return EXIT_USAGE;
	files = calloc(2, sizeof *files);
	if (files == NULL)
		return rc;
	list(&files[0], c->conf.keys.dir);
	if (keygen(c->conf.keys.dir, (int)first, (int)last, &e) < 0) {
		rc = cli_fail(&e);
	} else {
		list(&files[1], c->conf.keys.dir);
		rc = report(c, &files[0], &files[1]);
	}
	free(files);
	return rc;
}

/* 2024-2026, or one year. */
static int years_of(struct cli *c, const char *given, int64_t *first, int64_t *last)
{
	struct str text = str_of(given);

	if (given == NULL)
		return years_of_policies(c, first, last);
	if (text.n == 4 && str_int(text, 2000, 2200, first) == 0) {
		*last = *first;
		return 0;
	}
	if (text.n == 9 && given[4] == '-' &&
	    str_int((struct str){given, 4}, 2000, 2200, first) == 0 &&
	    str_int((struct str){given + 5, 4}, *first, 2200, last) == 0)
		return 0;
	cli_usage(c, "keygen", "keygen_years");
	return -1;
}

static int years_of_policies(struct cli *c, int64_t *first, int64_t *last)
{
	struct complaints *why = calloc(1, sizeof *why);
	struct reference *r = NULL;
	int rc = -1;

	if (why == NULL)
		return -1;
	if (reference_load(&r, &c->conf, why) < 0) {
		cli_complain(c, c->file, why);
		goto out;
	}
	*first = *last = r->policies[0].year;
	for (int i = 1; i < r->policy_count; i++) {
		if (r->policies[i].year < *first)
			*first = r->policies[i].year;
		if (r->policies[i].year > *last)
			*last = r->policies[i].year;
	}
	rc = 0;
out:
	reference_free(r);
	free(why);
	return rc;
}

static void list(struct key_files *out, const char *dir)
{
	static const char *const roles[] = {"village", "tax", "ssa", "trace"};

	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
		char path[CONF_PATH];
		DIR *d = fs_join(path, sizeof path, dir, roles[i]) == 0 ? opendir(path) : NULL;
		struct dirent *it;

		while (d && (it = readdir(d))) {
			if (it->d_name[0] == '.' || out->count == FILES_MAX)
				continue;
			if (snprintf(out->at[out->count], NAME_MAX_BYTES, "%s/%s", roles[i],
				     it->d_name) < NAME_MAX_BYTES)
				out->count++;
		}
		if (d)
			closedir(d);
	}
	qsort(out->at, (size_t)out->count, sizeof out->at[0], compare);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int report(const struct cli *c, struct key_files *before, struct key_files *after)
{
	int made = 0;

	for (int i = 0; i < after->count; i++) {
		char path[CONF_PATH];

		if (bsearch(after->at[i], before->at, (size_t)before->count, sizeof before->at[0],
			    compare))
			continue;
		if (fs_join(path, sizeof path, c->conf.keys.dir, after->at[i]) == 0)
			cli_say(c, "keygen_made", path, NULL);
		made++;
	}
	if (made == 0)
		cli_say(c, "keygen_nothing", c->conf.keys.dir, NULL);
	else
		cli_say(c, "keygen_keep", c->conf.keys.dir, NULL);
	return EXIT_YES;
}
