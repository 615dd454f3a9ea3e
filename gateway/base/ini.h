/* INI text into (section, key, value) calls: the one reader behind qiao.ini and
 * config/policy/<year>.ini.
 *
 * Lines: [section], key = value, # or ; comments at line start, blank. Values are trimmed, never
 * unquoted, comments do not follow values. UTF-8 BOM and CRLF are accepted. Pure: works on
 * memory. */
#ifndef QIAO_BASE_INI_H
#define QIAO_BASE_INI_H
#include "base/str.h"

/* A list of complaints about a text, so that a person sees all at once. */
struct complaint {
	int line; /* 1-based; 0 where it is about the whole */
	char text[200];
};
#define COMPLAINTS_MAX 64
struct complaints {
	int count; /* may exceed COMPLAINTS_MAX: the rest is counted only */
	struct complaint at[COMPLAINTS_MAX];
};
void complain(struct complaints *c, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

typedef void ini_fn(void *arg, int line, struct str section, struct str key, struct str value);
/* Calls fn for each key in order; malformed lines become complaints and reading goes on. */
void ini_parse(struct str text, ini_fn *fn, void *arg, struct complaints *c);

#endif
