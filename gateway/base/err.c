/* Filling a struct err. Every text is formatted aside first and then copied: so a caller may use
 * the text that is in there already as an argument. */
#include "base/err.h"
#include "base/str.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(struct err *e, const char *before, const char *text, const char *after);

int err_set(struct err *e, enum err_class class, const char *fmt, ...)
{
	char text[sizeof e->text];
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	e->class = class;
	e->sys = 0;
	put(e, "", text, "");
	return -1;
}

int err_sys(struct err *e, enum err_class class, int sys, const char *fmt, ...)
{
	char text[sizeof e->text];
	const char *why = strerrordesc_np(sys);
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	e->class = class;
	e->sys = sys;
	put(e, text, ": ", why ? why : "unknown system error");
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char prefix[sizeof e->text], text[sizeof e->text];
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof prefix, fmt, ap);
	va_end(ap);
	memcpy(text, e->text, sizeof text);
	put(e, prefix, ": ", text);
	return -1;
}

enum exit_status err_exit(const struct err *e)
{
	switch (e->class) {
	case ERR_NONE:
		return EXIT_YES;
	case ERR_TEMP:
		return EXIT_LATER;
	case ERR_PERM:
		return EXIT_NO;
	case ERR_CONF:
		return EXIT_USAGE;
	case ERR_SAFE:
		return EXIT_SAFE;
	}
	return EXIT_SAFE;
}

/* The parts may be longer than the place; what is cut is cut between two characters, so that a log
 * line or a terminal never gets half of one. None of the parts may be e->text itself. */
static void put(struct err *e, const char *before, const char *text, const char *after)
{
	const char *parts[] = {before, text, after};
	size_t len = 0;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t n = strlen(parts[i]), room = sizeof e->text - 1 - len;

		if (n > room)
			n = room;
		memcpy(e->text + len, parts[i], n);
		len += n;
	}
	e->text[utf8_cut(e->text, len)] = '\0';
}
