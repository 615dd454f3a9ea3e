/* The command line: which command, with which configuration, in which language. Everything else is
 * in the commands. */
#include "base/log.h"
#include "cli/cli.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum group { SET_UP, EVERY_DAY, CARE, GROUPS };

/* Summary and manual of a command are the texts cmd_<name> and cmd_<name>.help. */
static const struct command {
	const char *name, *arguments;
	cli_fn *run;
	enum group group;
	bool conf; /* needs a configuration without errors */
} commands[] = {
	{"check", "", cmd_check, SET_UP, false},
	{"config", "[--reference]", cmd_config, SET_UP, false},
	{"keygen", "[--years FIRST-LAST] | --operator NAME [--key FILE]", cmd_keygen, SET_UP, true},
	{"init", "", cmd_init, SET_UP, true},
	{"topics", "plan [--acls] | create [--group-from-beginning GROUP] | check", cmd_topics, SET_UP, true},
	{"schemas", "register | check", cmd_schemas, SET_UP, true},
	{"run", "", cmd_run, SET_UP, true},
	{"submit", "FILE --sender SENDER [--wait SECONDS] [--replace]", cmd_submit, EVERY_DAY,
	 true},
	{"status", "[--counters]", cmd_status, EVERY_DAY, true},
	{"trace", "ID | RECEIPT [ROW] | FILE ROW | -", cmd_trace, EVERY_DAY, true},
	{"withdraw", "PAYMENT | RECEIPT ROW --reason TEXT [--document NO] [signing options]", cmd_withdraw, EVERY_DAY, true},
	{"reverse", "PAYMENT | RECEIPT ROW --refund 03|04 --reason TEXT [--document NO] [signing options]", cmd_reverse, EVERY_DAY, true},
	{"link", "--reason TEXT [--document NO] [signing options]", cmd_link, EVERY_DAY, true},
	{"unlink", "--reason TEXT [--document NO] [signing options]", cmd_unlink, EVERY_DAY, true},
	{"reconcile", "[--year Y] [--with tax,ssa] [--from DATE] [--to DATE] [--tax-file FILE] [--output FILE] [signing options]", cmd_reconcile, EVERY_DAY, true},
	{"differences", "[list [--all] | show N | assign N OWNER --reason TEXT | resolve N --note TEXT] [signing options]", cmd_differences,
	 EVERY_DAY, true},
	{"approve", "OPERATION --reason TEXT [signing options]", cmd_approve, EVERY_DAY, true},
	{"decline", "OPERATION --reason TEXT [signing options]", cmd_decline, EVERY_DAY, true},
	{"operations", "[OPERATION]", cmd_operations, EVERY_DAY, true},
	{"statement", "[--year YEAR] [--village CODE] [--by village|town|district] [--as-of TIME|SEQUENCE | --cut NUMBER] [--output FILE]",
	 cmd_statement, EVERY_DAY, true},
	{"case", "[YEAR] [VILLAGE] [SPONSOR]", cmd_case, EVERY_DAY, true},
	{"cut", "[list] | show NUMBER | check", cmd_cut, EVERY_DAY, true},
	{"rejects", "[list] [--topic TOPIC] [--all] | show ROLE:OFFSET | release [--dry-run] REJECT | discard REJECT | resume TOPIC", cmd_rejects, CARE, true},
	{"audit", "[--from DATE] [--to DATE] [--role ROLE]", cmd_audit, CARE, true},
	{"keys", "destroy YEAR --reason TEXT --approve-operator NAME --approve-key FILE [--force] [--document NO] [signing options]", cmd_keys,
	 CARE, true},
	{"backup", "DIR", cmd_backup, CARE, true},
	{"adopt", "[--dry-run | --list]", cmd_adopt, CARE, true},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static enum lang default_lang(void);
static int take_globals(struct cli *c, int *argc, char **argv, bool *help);
static int set_global(struct cli *c, const char *name, const char *value);
static const char *default_file(void);
static const struct command *find(const char *name);
static int call(struct cli *c, const struct command *command, int argc, char **argv);
static void help_all(const struct cli *c);
static void help_one(const struct cli *c, const struct command *command);

int main(int argc, char **argv)
{
	static struct cli c; /* a configuration is too large for a stack frame */
	const struct command *command;
	bool help = false;
	int rc;

	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	/* What the bus has to say meanwhile comes back in errors; qiao run opens a log of its own. */
	log_open("qiao", "", LOG_ERROR, NULL);
	c.lang = default_lang();
	if (take_globals(&c, &argc, argv, &help) < 0)
		return EXIT_USAGE;
	command = argc > 1 ? find(argv[1]) : NULL;
	if (argc > 1 && command == NULL) {
		cli_warn(&c, "usage_command", argv[1], NULL);
		return EXIT_USAGE;
	}
	if (command == NULL || help) {
		if (command)
			help_one(&c, command);
		else
			help_all(&c);
		rc = help ? EXIT_YES : EXIT_USAGE;
	} else {
		rc = call(&c, command, argc - 1, argv + 1);
	}
	/* An answer that did not get out is no answer. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		cli_warn(&c, "usage_output", NULL);
		return EXIT_LATER;
	}
	return rc;
}

int cli_usage(const struct cli *c, const char *name, const char *code)
{
	const struct command *command = find(name);

	cli_warn(c, code, name, NULL);
	if (command)
		fprintf(stderr, "qiao %s %s\n", name, command->arguments);
	return EXIT_USAGE;
}

static enum lang default_lang(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = getenv(names[i]);

		if (value && value[0])
			return strncmp(value, "zh", 2) == 0 ? LANG_ZH : LANG_EN;
	}
	return LANG_EN;
}

/* Takes the global options out of argv; what is left keeps its order. */
static int take_globals(struct cli *c, int *argc, char **argv, bool *help)
{
	static const char *const names[] = {"-c", "--config", "--lang", "--format"};
	int kept = 1, i;

	for (i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		const char *name = NULL, *value = NULL;

		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			*help = true;
			continue;
		}
		for (size_t k = 0; k < sizeof names / sizeof names[0] && name == NULL; k++) {
			size_t n = strlen(names[k]);

			if (strncmp(argv[i], names[k], n) != 0)
				continue;
			if (argv[i][n] == '=' && n > 2)
				value = argv[i] + n + 1;
			else if (argv[i][n] == '\0')
				value = i + 1 < *argc ? argv[++i] : "";
			else
				continue;
			name = names[k];
		}
		if (name == NULL)
			argv[kept++] = argv[i];
		else if (set_global(c, name, value) < 0)
			return -1;
	}
	while (i < *argc)
		argv[kept++] = argv[i++];
	*argc = kept;
	return 0;
}

static const char *const formats[FORMATS] = {"text", "json", "csv", "xlsx"};

static enum cli_format format_of(const char *word)
{
	int f = 0;

	while (f < FORMATS && strcmp(formats[f], word) != 0)
		f++;
	return (enum cli_format)f;
}

static int set_global(struct cli *c, const char *name, const char *value)
{
	if (strcmp(name, "--lang") == 0 && (strcmp(value, "zh") == 0 || strcmp(value, "en") == 0)) {
		c->lang = value[0] == 'z' ? LANG_ZH : LANG_EN;
	} else if (strcmp(name, "--format") == 0 && format_of(value) < FORMATS) {
		c->format = format_of(value);
		c->json = c->format == FORMAT_JSON;
	} else if ((strcmp(name, "-c") == 0 || strcmp(name, "--config") == 0) && value[0]) {
		c->file = value;
	} else {
		cli_warn(c, "usage_global", name, value, NULL);
		return -1;
	}
	return 0;
}

static const char *default_file(void)
{
	static const char *const files[] = {"qiao.ini", "config/qiao.ini"};
	struct stat st;

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (stat(files[i], &st) == 0)
			return files[i];
	}
	return NULL;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int call(struct cli *c, const struct command *command, int argc, char **argv)
{
	if (c->format > FORMAT_JSON && command->run != cmd_statement && command->run != cmd_reconcile) { /* the one that has tables */
		cli_warn(c, "usage_global", "--format", formats[c->format], NULL);
		return EXIT_USAGE;
	}
	if (c->file == NULL)
		c->file = default_file();
	if (command->conf && cli_load(c) != 0)
		return EXIT_USAGE;
	return command->run(c, argc, argv);
}

static void help_all(const struct cli *c)
{
	static const char *const heads[GROUPS] = {"help_set_up", "help_every_day", "help_care"};

	cli_say(c, "help_usage", NULL);
	for (int g = 0; g < GROUPS; g++) {
		printf("\n%s\n", text_or_code(heads[g], c->lang));
		for (size_t i = 0; i < COMMANDS; i++) {
			char code[32];

			if ((int)commands[i].group != g)
				continue;
			snprintf(code, sizeof code, "cmd_%s", commands[i].name);
			printf("  %-10s %s\n", commands[i].name, text_or_code(code, c->lang));
		}
	}
	printf("\n");
	cli_say(c, "help_foot", NULL);
}

static void help_one(const struct cli *c, const struct command *command)
{
	char code[32], manual[32];

	snprintf(code, sizeof code, "cmd_%s", command->name);
	snprintf(manual, sizeof manual, "cmd_%s.help", command->name);
	printf("qiao [-c FILE] %s%s%s\n\n", command->name, command->arguments[0] ? " " : "",
	       command->arguments);
	printf("%s\n\n%s\n", text_or_code(code, c->lang), text_or_code(manual, c->lang));
}
