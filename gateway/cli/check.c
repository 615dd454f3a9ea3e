/* qiao check: everything that can be known to be wrong before anything is started, all of it at
 * once. */
#include "base/fs.h"
#include "bus/bus.h"
#include "cli/cli.h"
#include "crypto/audit.h"
#include "crypto/identity.h"
#include "crypto/operator.h"
#include "flow/reference.h"
#include "http/registry_cache.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_reference(struct cli *c);
static int check_keys(struct cli *c);
static int check_operators(const struct cli *c);
static int check_data(struct cli *c);
static int check_audit(const struct cli *c);
static int check_registry(const struct cli *c);
static int check_writable(char path[CONF_PATH], const char *setting);
static int check_programs(struct cli *c);
static int check_bus(const struct cli *c);
static int wrong(const struct err *e);

int cmd_check(struct cli *c, int argc, char **argv)
{
	int errors = 0;

	if (cli_options(c, argc, argv, NULL, NULL, 0) < 0)
		return EXIT_USAGE;
	/* Reference data, keys and folders are named by the configuration: without it there is
	 * nothing to look for. */
	if (cli_load(c) != 0)
		return EXIT_USAGE;
	errors += check_reference(c);
	errors += check_keys(c);
	errors += check_operators(c);
	errors += check_data(c);
	errors += check_audit(c);
	errors += check_registry(c);
	errors += check_programs(c);
	errors += check_bus(c);
	if (errors > 0)
		return EXIT_USAGE;
	cli_say(c, "check_ok", NULL);
	return EXIT_YES;
}

static int check_reference(struct cli *c)
{
	struct complaints *why = calloc(1, sizeof *why);
	struct reference *r = NULL;
	int count;

	if (why == NULL)
		return 1;
	reference_load(&r, &c->conf, why);
	reference_free(r);
	/* The texts begin with the file's name; the line belongs behind it. */
	for (int i = 0; i < why->count && i < COMPLAINTS_MAX; i++) {
		const char *text = why->at[i].text, *colon = strstr(text, ": ");

		if (why->at[i].line > 0 && colon)
			fprintf(stderr, "%.*s:%d%s\n", (int)(colon - text), text, why->at[i].line,
				colon);
		else
			fprintf(stderr, "%s\n", text);
	}
	count = why->count;
	free(why);
	return count;
}

/* With a user a role, only that user can tell whether its keys are right; the program does so at
 * its start. */
static int check_keys(struct cli *c)
{
	static const char *const roles[] = {"village", "tax", "ssa", "trace", "gateway"};
	int errors = 0;

	if (!fs_exists(c->conf.keys.dir)) {
		cli_say(c, "check_no_keys", NULL);
		return 0;
	}
	if (c->conf.keys.separate_users) {
		cli_say(c, "check_users", NULL);
		return 0;
	}
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
		struct err e = {0};

		if (keyring_check(c->conf.keys.dir, roles[i], false, &e) < 0)
			errors += wrong(&e);
	}
	return errors;
}

static int check_operators(const struct cli *c)
{
	struct operators *o = NULL;
	struct err e = {0};

	if (operators_load(&o, c->conf.operators.dir, &e) < 0)
		return wrong(&e);
	operators_free(o);
	return 0;
}

static int check_data(struct cli *c)
{
	char path[CONF_PATH], ledger[CONF_PATH];
	struct err e = {0};

	if (cli_path(c, ledger, CLI_LEDGER, &e) < 0 ||
	    str_copy(path, sizeof path, str_of(c->conf.data.dir)) < 0)
		return wrong(&e);
	if (!fs_exists(ledger))
		cli_say(c, "check_no_data", NULL);
	return check_writable(path, "[data] dir");
}

/* Nothing is opened or handed over that cannot be recorded. */
static int check_audit(const struct cli *c)
{
	char path[CONF_PATH];
	struct err e = {0};

	if (cli_path(c, path, AUDIT_FOLDER, &e) < 0)
		return wrong(&e);
	return fs_exists(path) ? check_writable(path, "the audit of identities is kept there") : 0;
}

/* Where the folder is not there yet, check_data has looked at the one that it will be made in. The registry itself is asked by qiao
 * schemas check. */
static int check_registry(const struct cli *c)
{
	char path[CONF_PATH];
	struct err e = {0};

	if (c->conf.registry.peer.url[0] == '\0')
		return 0;
	if (cli_path(c, path, REGISTRY_FOLDER, &e) < 0)
		return wrong(&e);
	if (!fs_exists(path))
		return 0;
	return check_writable(path, "[registry] url: the meaning of its ids is kept there");
}

/* What is not there yet will be made: then its nearest folder above has to allow that. */
static int check_writable(char path[CONF_PATH], const char *setting)
{
	struct stat st;
	struct err e = {0};

	while (!fs_exists(path)) {
		char *slash = strrchr(path, '/');

		if (slash == NULL)
			str_copy(path, CONF_PATH, STR("."));
		else
			slash[slash == path] = '\0';
	}
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		err_set(&e, ERR_CONF, "%s: %s: is no folder", path, setting);
	else if (access(path, W_OK | X_OK) < 0)
		err_set(&e, ERR_CONF, "%s: %s: no permission to write there", path, setting);
	else
		return 0;
	return wrong(&e);
}

static int check_programs(struct cli *c)
{
	struct str list = str_of(c->conf.run.programs);
	char name[CLI_PROGRAM], path[CONF_PATH];
	int errors = 0;

	while (cli_next_program(&list, name) > 0) {
		struct err e = {0};

		if (cli_program(path, name, &e) == 0 && access(path, X_OK) < 0)
			err_set(&e, ERR_CONF, "%s: [run] programs: no such program", path);
		if (e.class != ERR_NONE)
			errors += wrong(&e);
	}
	return errors;
}

/* No broker is asked: that is qiao topics check. */
static int check_bus(const struct cli *c)
{
	struct err e = {0};

	return bus_check(&c->conf, &e) < 0 ? wrong(&e) : 0;
}

static int wrong(const struct err *e)
{
	cli_fail(e);
	return 1;
}
