/* Cutting text at a separator. */
#ifndef QIAO_AGENCIES_CUT_H
#define QIAO_AGENCIES_CUT_H
#include "base/str.h"
#include <string.h>

/* Takes what stands before `at` (or all of it) off the front of *s, and the separator with it. */
static inline struct str str_cut(struct str *s, char at)
{
	const char *found = s->n ? (const char *)memchr(s->p, at, s->n) : NULL;
	struct str front = {s->p, found ? (size_t)(found - s->p) : s->n};

	s->p += front.n + (found ? 1 : 0);
	s->n -= front.n + (found ? 1 : 0);
	return front;
}

#endif
