/* A roster in memory for the tests of adapters/village: as a source of bytes (in pieces of any
 * size), in any encoding, opened. */
#ifndef QIAO_TESTS_LIB_ROSTER_TEXT_H
#define QIAO_TESTS_LIB_ROSTER_TEXT_H
#include "adapters/village/roster.h"
#include "tests/lib/unit.h"
#include <iconv.h>
#include <string.h>

struct memory {
	struct str left;
	size_t piece; /* most bytes a read, 0 = all */
};

static inline ssize_t memory_read(void *arg, void *to, size_t n, struct err *e)
{
	struct memory *m = arg;

	(void)e;
	if (m->piece && n > m->piece)
		n = m->piece;
	if (n > m->left.n)
		n = m->left.n;
	memcpy(to, m->left.p, n);
	m->left = (struct str){m->left.p + n, m->left.n - n};
	return (ssize_t)n;
}

/* Appends UTF-8 text in an encoding that iconv knows. */
static inline void encode(struct buf *out, const char *utf8, const char *encoding)
{
	iconv_t to = iconv_open(encoding, "UTF-8");
	char *in = (char *)(uintptr_t)utf8;
	size_t left = strlen(utf8), room = 4 * left + 16, had = room;
	uint8_t *at = buf_reserve(out, room);
	char *put = (char *)at;

	assert_true(to != (iconv_t)-1 && at != NULL);
	assert_int_not_equal((int)iconv(to, &in, &left, &put, &room), -1);
	iconv_close(to);
	out->len += had - room;
}

struct opened {
	struct memory memory;
	struct decoder *decoder;
	struct roster roster;
	struct err e;
};

/* What roster_open says. close_text after either. */
static inline int open_text(struct opened *o, struct str bytes, enum encoding enc, size_t piece)
{
	memset(o, 0, sizeof *o);
	o->memory = (struct memory){bytes, piece};
	if (decoder_open(&o->decoder, enc, (struct source){memory_read, &o->memory}, &o->e) < 0)
		fail_msg("%s", o->e.text);
	return roster_open(&o->roster, o->decoder, &o->e);
}

static inline void close_text(struct opened *o)
{
	roster_close(&o->roster);
	decoder_close(o->decoder);
}

#endif
