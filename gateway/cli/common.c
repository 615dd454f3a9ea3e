#include "base/clock.h"
#include "base/fs.h"
#include "cli/cli.h"
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ARGUMENTS_MAX = 8,
	LINE_MAX_BYTES = 1 << 20,
	PROGRESS_AFTER_MS = 2000,
	PROGRESS_EACH_MS = 1000
};

static int take_option(const struct cli *c, int argc, char **argv, int *i,
		       const struct cli_option *options);
static int fill(struct buf *out, const struct cli *c, const char *code, va_list ap);
static void put_line(FILE *to, const char *before, const struct cli *c, const char *code,
		     va_list ap);

int cli_options(const struct cli *c, int argc, char **argv, const struct cli_option *options,
		const char **operands, int max)
{
	int count = 0;
	bool only_operands = false;

	for (int i = 1; i < argc; i++) {
		if (!only_operands && strcmp(argv[i], "--") == 0) {
			only_operands = true;
		} else if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
			if (take_option(c, argc, argv, &i, options) < 0) {
				cli_usage(c, argv[0], "usage_head");
				return -1;
			}
		} else if (count == max) {
			cli_warn(c, "usage_unexpected", argv[i], NULL);
			cli_usage(c, argv[0], "usage_head");
			return -1;
		} else {
			operands[count++] = argv[i];
		}
	}
	return count;
}

void cli_say(const struct cli *c, const char *code, ...)
{
	va_list ap;

	va_start(ap, code);
	put_line(stdout, "", c, code, ap);
	va_end(ap);
}

void cli_warn(const struct cli *c, const char *code, ...)
{
	va_list ap;

	va_start(ap, code);
	put_line(stderr, "qiao: ", c, code, ap);
	va_end(ap);
}

int cli_fail(const struct err *e)
{
	fprintf(stderr, "qiao: %s\n", e->text);
	return (int)err_exit(e);
}

void cli_complain(const struct cli *c, const char *file, const struct complaints *why)
{
	char more[16];

	for (int i = 0; i < why->count && i < COMPLAINTS_MAX; i++) {
		if (why->at[i].line > 0)
			fprintf(stderr, "%s:%d: %s\n", file, why->at[i].line, why->at[i].text);
		else
			fprintf(stderr, "%s: %s\n", file, why->at[i].text);
	}
	if (why->count > COMPLAINTS_MAX) {
		snprintf(more, sizeof more, "%d", why->count - COMPLAINTS_MAX);
		cli_warn(c, "check_more", more, NULL);
	}
}

int cli_load(struct cli *c)
{
	struct complaints *why;
	int rc = EXIT_USAGE;

	if (c->file == NULL) {
		cli_warn(c, "usage_no_file", NULL);
		return EXIT_USAGE;
	}
	why = calloc(1, sizeof *why);
	if (why && conf_load(&c->conf, c->file, why) == 0)
		rc = EXIT_YES;
	else if (why)
		cli_complain(c, c->file, why);
	free(why);
	return rc;
}

void cli_print(const struct buf *text)
{
	fwrite(text->data, 1, text->len, stdout); /* main looks at ferror */
}

void cli_print_json(json_t *root)
{
	if (json_dumpf(root, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER) < 0)
		fprintf(stderr, "qiao: out of memory\n");
	putchar('\n');
	json_decref(root);
}

int cli_path(const struct cli *c, char out[CONF_PATH], const char *name, struct err *e)
{
	if (fs_join(out, CONF_PATH, c->conf.data.dir, name) == 0)
		return 0;
	return err_set(e, ERR_CONF, "[data] dir: path too long");
}

int cli_program(char out[CONF_PATH], const char *name, struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", out, CONF_PATH - 1);
	char *slash;

	if (n < 0)
		return err_sys(e, ERR_CONF, errno, "/proc/self/exe");
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL || (size_t)(slash + 1 - out) + strlen(name) >= CONF_PATH)
		return err_set(e, ERR_CONF, "%s: path too long", name);
	memcpy(slash + 1, name, strlen(name) + 1);
	return 0;
}

int cli_next_program(struct str *list, char name[CLI_PROGRAM])
{
	*list = str_trim(*list);
	for (size_t n = 0; n < list->n || n > 0; n++) {
		if (n < list->n && list->p[n] != ' ')
			continue;
		if (str_copy(name, CLI_PROGRAM, (struct str){list->p, n}) < 0)
			name[0] = '\0';
		list->p += n;
		list->n -= n;
		return 1;
	}
	return 0;
}

void cli_progress_start(struct cli_progress *p)
{
	*p = (struct cli_progress){.started_ms = clock_monotonic(),
				   .terminal = isatty(STDERR_FILENO) == 1};
}

void cli_progress(struct cli_progress *p, const struct cli *c, const char *code, ...)
{
	int64_t now = clock_monotonic();
	struct buf text;
	va_list ap;

	if (now - p->started_ms < PROGRESS_AFTER_MS ||
	    (p->shown && now - p->shown_ms < PROGRESS_EACH_MS))
		return;
	p->shown = true;
	p->shown_ms = now;
	buf_init(&text, LINE_MAX_BYTES);
	va_start(ap, code);
	if (fill(&text, c, code, ap) == 0)
		fprintf(stderr, p->terminal ? "\r\033[K%s" : "%s\n", buf_text(&text));
	va_end(ap);
	buf_fini(&text);
}

void cli_progress_end(struct cli_progress *p)
{
	if (p->shown && p->terminal)
		fprintf(stderr, "\r\033[K");
	p->shown = false;
}

/* 0 when argv[*i] (and its value) was one of the options. */
static int take_option(const struct cli *c, int argc, char **argv, int *i,
		       const struct cli_option *options)
{
	const char *given = argv[*i];

	for (const struct cli_option *o = options; o && o->name; o++) {
		size_t n = strlen(o->name);

		if (strncmp(given, o->name, n) != 0 || (given[n] != '\0' && given[n] != '='))
			continue;
		if (o->flag && given[n] == '\0') {
			*o->flag = true;
			return 0;
		}
		if (o->value && given[n] == '=') {
			*o->value = given + n + 1;
			return 0;
		}
		if (o->value && *i + 1 < argc) {
			*o->value = argv[++*i];
			return 0;
		}
		cli_warn(c, o->flag ? "usage_no_value" : "usage_value", o->name, NULL);
		return -1;
	}
	cli_warn(c, "usage_option", given, NULL);
	return -1;
}

static int fill(struct buf *out, const struct cli *c, const char *code, va_list ap)
{
	struct str args[ARGUMENTS_MAX];
	int count = 0;
	const char *arg;

	while (count < ARGUMENTS_MAX && (arg = va_arg(ap, const char *)))
		args[count++] = str_of(arg);
	return text_fill(out, text_or_code(code, c->lang), args, count) == 0 && buf_text(out) ? 0
											      : -1;
}

static void put_line(FILE *to, const char *before, const struct cli *c, const char *code,
		     va_list ap)
{
	struct buf text;

	buf_init(&text, LINE_MAX_BYTES);
	if (fill(&text, c, code, ap) == 0)
		fprintf(to, "%s%s\n", before, buf_text(&text));
	buf_fini(&text);
}
