/* The INI reader. Knows no key: what is allowed is the caller's matter. A line that makes no sense
 * is complained about and skipped, so that one look at the file shows all mistakes. */
#include "base/ini.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct str next_line(struct str *text);
static bool good_name(struct str s);

void complain(struct complaints *c, int line, const char *fmt, ...)
{
	struct complaint *one;
	va_list ap;

	if (c->count++ >= COMPLAINTS_MAX)
		return;
	one = &c->at[c->count - 1];
	one->line = line;
	va_start(ap, fmt);
	vsnprintf(one->text, sizeof one->text, fmt, ap);
	va_end(ap);
	one->text[utf8_cut(one->text, strlen(one->text))] = '\0';
}

void ini_parse(struct str text, ini_fn *fn, void *arg, struct complaints *c)
{
	struct str section = STR("");

	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = (struct str){text.p + 3, text.n - 3};
	for (int number = 1; text.n > 0; number++) {
		struct str line = next_line(&text), key;
		const char *equals;

		if (!utf8_valid(line) || memchr(line.p, '\0', line.n)) {
			complain(c, number, "not a text in UTF-8");
			continue;
		}
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[') {
			struct str name = str_trim((struct str){line.p + 1, line.n - 1});

			if (name.n > 0 && name.p[name.n - 1] == ']')
				name = str_trim((struct str){name.p, name.n - 1});
			else
				name.n = 0;
			/* A malformed head still ends the section before it: its keys must not land
			 * there. */
			section = good_name(name) ? name : (struct str){NULL, 0};
			if (section.p == NULL)
				complain(c, number, "not a section head: expected [name]");
			continue;
		}
		equals = memchr(line.p, '=', line.n);
		key = str_trim((struct str){line.p, equals ? (size_t)(equals - line.p) : 0});
		if (!good_name(key)) {
			complain(c, number, "neither [section] nor key = value");
			continue;
		}
		if (section.p == NULL)
			continue;
		fn(arg, number, section, key,
		   str_trim((struct str){equals + 1, (size_t)(line.p + line.n - equals - 1)}));
	}
}

/* Takes one line off the front of text; gives it trimmed, without its end. */
static struct str next_line(struct str *text)
{
	const char *end = memchr(text->p, '\n', text->n);
	struct str line = {text->p, end ? (size_t)(end - text->p) : text->n};
	size_t used = line.n + (end ? 1 : 0);

	text->p += used;
	text->n -= used;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return str_trim(line);
}

/* For keys and sections. Chinese ones are fine; what looks like syntax is a slip. */
static bool good_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((uint8_t)s.p[i] < 0x20 || strchr("[]#;\"' \t", s.p[i]))
			return false;
	}
	return s.n > 0;
}
