/* The qiao command: one table of commands (main.c), one file a command, and the small change that
 * they share (common.c).
 *
 * Global options (-c FILE, --lang, --format, --help) may stand anywhere on the line; main takes
 * them out before a command sees its arguments. A command gives its exit status (base/err.h).
 * Results go to standard output, complaints and progress to standard error; no command writes a log
 * line, so a file name given on the command line never ends up in a log. */
#ifndef QIAO_CLI_CLI_H
#define QIAO_CLI_CLI_H
#include "base/conf.h"
#include "base/err.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

struct json_t; /* jansson's */

enum cli_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_XLSX, FORMATS };
struct cli {
	const char *file; /* the configuration: -c, else ./qiao.ini, else config/qiao.ini */
	enum lang lang;
	bool json;	  /* --format json */
	enum cli_format format;
	const char *output; /* of a command that writes a file */
	struct conf conf; /* loaded before a command is called whose row in the table asks for it */
};

/* argv[0] is the command's name; what is left of the line follows. */
typedef int cli_fn(struct cli *c, int argc, char **argv);
cli_fn cmd_run, cmd_check, cmd_config, cmd_keygen, cmd_init;
cli_fn cmd_submit, cmd_status, cmd_trace, cmd_statement, cmd_cut, cmd_rejects, cmd_audit, cmd_backup, cmd_adopt;
cli_fn cmd_schemas, cmd_topics, cmd_case;
cli_fn cmd_reconcile, cmd_differences;
cli_fn cmd_operations, cmd_approve, cmd_decline, cmd_withdraw, cmd_reverse, cmd_link, cmd_unlink, cmd_keys;

/* An option of a command: with a value, or a flag. */
struct cli_option {
	const char *name;   /* "--year"; NULL ends the list */
	const char **value; /* or NULL */
	bool *flag;	    /* or NULL */
};
/* Takes "--name value", "--name=value", "--flag" and at most max operands in any order ("--" ends
 * the options). Gives the number of operands, or -1 when it has told what is wrong: return
 * EXIT_USAGE then. */
int cli_options(const struct cli *c, int argc, char **argv, const struct cli_option *options,
		const char **operands, int max);
/* Tells how the command is used and why this line is not, by a text code ("submit_usage"); gives
 * EXIT_USAGE. */
int cli_usage(const struct cli *c, const char *command, const char *code);

/* One line to standard output (say) or error (warn): the text of a code, {0} {1} ... filled with
 * the arguments up to NULL. */
void cli_say(const struct cli *c, const char *code, ...) __attribute__((sentinel));
void cli_warn(const struct cli *c, const char *code, ...) __attribute__((sentinel));
/* "qiao: text" to standard error; gives the exit status of its class. */
int cli_fail(const struct err *e);
/* All complaints with file and line. */
void cli_complain(const struct cli *c, const char *file, const struct complaints *why);
/* Loads c->conf: 0, or EXIT_USAGE when it has told every error. */
int cli_load(struct cli *c);

void cli_print(const struct buf *text);	  /* to standard output */
void cli_print_json(struct json_t *root); /* takes root */
/* out = <data dir>/name. */
int cli_path(const struct cli *c, char out[CONF_PATH], const char *name, struct err *e);
#define CLI_LEDGER "gateway/ledger.db" /* under the data folder */

/* The path of a program beside this one: those that belong together are of one build. */
int cli_program(char out[CONF_PATH], const char *name, struct err *e);
#define CLI_PROGRAM 64
/* Takes the next name off [run] programs: 1, or 0 at the end. A name that is too long comes out
 * empty. */
int cli_next_program(struct str *list, char name[CLI_PROGRAM]);

/* A line on standard error that says what is going on, from the third second on, once a second: on
 * a terminal in place. */
struct cli_progress {
	int64_t started_ms, shown_ms;
	bool terminal, shown;
};
void cli_progress_start(struct cli_progress *p);
void cli_progress(struct cli_progress *p, const struct cli *c, const char *code, ...)
	__attribute__((sentinel));
void cli_progress_end(struct cli_progress *p);

#endif
