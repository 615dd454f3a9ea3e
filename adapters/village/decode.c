/* The GB18030 table is iconv's own: the 23,940 characters of two bytes are asked for once a
 * process, because looking them up is several times as fast as calling iconv for each piece;
 * those of four bytes are rare and asked for one by one. */
#include "adapters/village/decode.h"
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

enum {
	INPUT = 64 << 10,
	LEADS = 0xfe - 0x81 + 1,
	TRAILS = 0xfe - 0x40 + 1,
};

struct decoder {
	enum encoding enc;
	struct source src;
	bool ended, begun;
	size_t at, len;
	iconv_t four; /* (iconv_t)-1: none */
	uint8_t in[INPUT];
};

/* UTF-8 of each two-byte character, its length in the last byte; 0 = there is none. Written
 * once, then constant. */
static uint8_t two_bytes[LEADS][TRAILS][4];
static bool two_bytes_there;

static int open_gb18030(struct decoder *d, struct err *e);
static void fill_table(iconv_t from);
static int fill(struct decoder *d, struct err *e);
static ssize_t plain(struct decoder *d, char *to, size_t cap);
/* Both give what is good before they refuse, so that the reader can tell where it was. */
static ssize_t from_utf16(struct decoder *d, char *to, size_t cap);
static ssize_t from_gb18030(struct decoder *d, char *to, size_t cap);
static int one_utf16(const struct decoder *d, uint32_t *cp);
static int one_gb18030(struct decoder *d, char out[4], size_t *n);
static void utf8_step(struct sniff *s, uint8_t c);

static const char *const codes[ENCODINGS] = {
	[ENC_UTF8] = "utf-8",
	[ENC_UTF16LE] = "utf-16le",
	[ENC_UTF16BE] = "utf-16be",
	[ENC_GB18030] = "gb18030",
};

const char *encoding_code(enum encoding enc)
{
	return codes[enc];
}

int encoding_of(struct str code, enum encoding *enc)
{
	for (int i = 0; i < ENCODINGS; i++) {
		if (str_is(code, codes[i])) {
			*enc = (enum encoding)i;
			return 0;
		}
	}
	return -1;
}

void sniff_init(struct sniff *s)
{
	*s = (struct sniff){0};
}

void sniff_add(struct sniff *s, const void *p, size_t n)
{
	const uint8_t *b = p, *end = b + n;

	for (size_t i = 0; i < n && s->head_len < (int)sizeof s->head; i++)
		s->head[s->head_len++] = b[i];
	s->bytes += (int64_t)n;
	s->nul = s->nul || memchr(b, 0, n) != NULL;
	while (b < end && !s->utf8_bad) {
		uint64_t eight;

		/* Most of a roster is digits: eight of them at a time. */
		if (s->more == 0 && end - b >= 8) {
			memcpy(&eight, b, 8);
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				b += 8;
				continue;
			}
		}
		utf8_step(s, *b++);
	}
}

/* A mark that is contradicted by the bytes is not overruled: whoever wrote it should look again. */
const char *sniff_end(const struct sniff *s, enum encoding *enc)
{
	const uint8_t *h = s->head;

	if (s->bytes == 0)
		return "file_empty";
	if (s->bytes >= 4 && (memcmp(h, "PK\3\4", 4) == 0 || memcmp(h, "\xD0\xCF\x11\xE0", 4) == 0))
		return "file_is_workbook";
	if (s->bytes >= 2 && h[0] == 0xff && h[1] == 0xfe) {
		*enc = ENC_UTF16LE;
		return s->bytes % 2 ? "file_undecodable" : NULL;
	}
	if (s->bytes >= 2 && h[0] == 0xfe && h[1] == 0xff) {
		*enc = ENC_UTF16BE;
		return s->bytes % 2 ? "file_undecodable" : NULL;
	}
	if (s->nul)
		return "file_not_text";
	*enc = s->utf8_bad || s->more > 0 ? ENC_GB18030 : ENC_UTF8;
	if (*enc != ENC_UTF8 && s->bytes >= 3 && memcmp(h, "\xEF\xBB\xBF", 3) == 0)
		return "file_undecodable"; /* says UTF-8 and is not */
	return NULL;
}

int decoder_open(struct decoder **out, enum encoding enc, struct source src, struct err *e)
{
	struct decoder *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "decoder");
	d->enc = enc;
	d->src = src;
	d->four = (iconv_t)-1;
	if (enc == ENC_GB18030 && open_gb18030(d, e) < 0) {
		decoder_close(d);
		return -1;
	}
	*out = d;
	return 0;
}

void decoder_close(struct decoder *d)
{
	if (d == NULL)
		return;
	if (d->four != (iconv_t)-1)
		iconv_close(d->four);
	explicit_bzero(d->in, sizeof d->in);
	free(d);
}

/* Four bytes are the longest character: with fewer in the buffer more is read, and at the end of
 * the file fewer are a character cut off. */
ssize_t decoder_read(struct decoder *d, char *to, size_t cap, struct err *e)
{
	for (;;) {
		ssize_t n;

		if (d->len - d->at < 4 && !d->ended && fill(d, e) < 0)
			return -1;
		if (d->at == d->len)
			return 0;
		if (d->enc == ENC_UTF8)
			n = plain(d, to, cap);
		else if (d->enc == ENC_GB18030)
			n = from_gb18030(d, to, cap);
		else
			n = from_utf16(d, to, cap);
		if (n < 0)
			return err_set(e, ERR_PERM, "not %s", codes[d->enc]);
		if (n > 0)
			return n;
		if (d->ended && d->at < d->len && d->len - d->at < 4)
			return err_set(e, ERR_PERM, "ends inside a character");
	}
}

/* Moves the rest to the front and reads on, until a whole character is there for certain. */
static int fill(struct decoder *d, struct err *e)
{
	memmove(d->in, d->in + d->at, d->len - d->at);
	d->len -= d->at;
	d->at = 0;
	while (d->len < 4 && !d->ended) {
		ssize_t n = d->src.read(d->src.arg, d->in + d->len, sizeof d->in - d->len, e);

		if (n < 0)
			return -1;
		d->ended = n == 0;
		d->len += (size_t)n;
	}
	if (!d->begun) {
		d->begun = true;
		if (d->enc == ENC_UTF8 && d->len >= 3 && memcmp(d->in, "\xEF\xBB\xBF", 3) == 0)
			d->at = 3;
		else if ((d->enc == ENC_UTF16LE || d->enc == ENC_UTF16BE) && d->len >= 2)
			d->at = 2;
	}
	return 0;
}

static ssize_t plain(struct decoder *d, char *to, size_t cap)
{
	size_t n = d->len - d->at;

	if (n > cap)
		n = cap;
	memcpy(to, d->in + d->at, n);
	d->at += n;
	return (ssize_t)n;
}

static ssize_t from_utf16(struct decoder *d, char *to, size_t cap)
{
	size_t n = 0;
	uint32_t cp;

	while (n + 4 <= cap) {
		int used = one_utf16(d, &cp), put;

		if (used == 0)
			break;
		put = used < 0 || cp == 0 ? 0 : utf8_put(to + n, cp);
		if (put == 0)
			return n > 0 ? (ssize_t)n : -1;
		n += (size_t)put;
		d->at += (size_t)used;
	}
	return (ssize_t)n;
}

/* Bytes of the next character, 0 when it is not all there, -1 when it is none. */
static int one_utf16(const struct decoder *d, uint32_t *cp)
{
	const uint8_t *p = d->in + d->at;
	size_t left = d->len - d->at;
	int high = d->enc == ENC_UTF16BE ? 0 : 1;
	uint32_t a, b;

	if (left < 2)
		return 0;
	a = (uint32_t)p[high] << 8 | p[1 - high];
	*cp = a;
	if (a < 0xd800 || a > 0xdfff)
		return 2;
	if (left < 4)
		return d->ended ? -1 : 0;
	b = (uint32_t)p[2 + high] << 8 | p[3 - high];
	if (a > 0xdbff || b < 0xdc00 || b > 0xdfff)
		return -1;
	*cp = 0x10000 + ((a - 0xd800) << 10) + (b - 0xdc00);
	return 4;
}

static ssize_t from_gb18030(struct decoder *d, char *to, size_t cap)
{
	size_t n = 0;

	while (n + 4 <= cap && d->at < d->len) {
		const uint8_t *p = d->in + d->at;
		const uint8_t *two;
		size_t got;
		int used;

		if (*p < 0x80) {
			to[n++] = (char)*p;
			d->at++;
			continue;
		}
		if (d->len - d->at >= 2 && *p >= 0x81 && *p <= 0xfe && p[1] >= 0x40 &&
		    p[1] <= 0xfe) {
			two = two_bytes[*p - 0x81][p[1] - 0x40];
			if (two[3] == 0)
				return n > 0 ? (ssize_t)n : -1;
			memcpy(to + n, two, 3);
			n += two[3];
			d->at += 2;
			continue;
		}
		used = one_gb18030(d, to + n, &got);
		if (used < 0)
			return n > 0 ? (ssize_t)n : -1;
		if (used == 0)
			break;
		n += got;
		d->at += (size_t)used;
	}
	return (ssize_t)n;
}

/* A character of four bytes through iconv. Bytes used, 0 when it is not all there, -1 when it is
 * none. */
static int one_gb18030(struct decoder *d, char out[4], size_t *n)
{
	char room[8], *in = (char *)d->in + d->at, *to = room;
	size_t left = d->len - d->at, in_left = 4, out_left = sizeof room;
	const uint8_t *p = d->in + d->at;

	if (*p == 0x80 || *p == 0xff)
		return -1;
	if (left < 4)
		return left < 2 || (p[1] >= '0' && p[1] <= '9') ? 0 : -1;
	iconv(d->four, NULL, NULL, NULL, NULL);
	if (iconv(d->four, &in, &in_left, &to, &out_left) == (size_t)-1 || in_left != 0 ||
	    to - room > 4)
		return -1;
	*n = (size_t)(to - room);
	memcpy(out, room, *n);
	return 4;
}

static int open_gb18030(struct decoder *d, struct err *e)
{
	d->four = iconv_open("UTF-8", "GB18030");
	if (d->four == (iconv_t)-1)
		return err_sys(e, ERR_CONF, errno, "iconv: GB18030 to UTF-8");
	if (!two_bytes_there)
		fill_table(d->four);
	two_bytes_there = true;
	return 0;
}

static void fill_table(iconv_t from)
{
	for (int lead = 0x81; lead <= 0xfe; lead++) {
		for (int trail = 0x40; trail <= 0xfe; trail++) {
			char two[2] = {(char)lead, (char)trail}, *in = two, room[8], *to = room;
			size_t in_left = 2, out_left = sizeof room, n;
			uint8_t *at = two_bytes[lead - 0x81][trail - 0x40];

			if (trail == 0x7f)
				continue;
			iconv(from, NULL, NULL, NULL, NULL);
			if (iconv(from, &in, &in_left, &to, &out_left) == (size_t)-1)
				continue;
			n = (size_t)(to - room);
			if (in_left != 0 || n == 0 || n > 3)
				continue;
			memcpy(at, room, n);
			at[3] = (uint8_t)n;
		}
	}
}

/* Strict UTF-8, a byte at a time (Unicode 15, table 3-7): no overlong forms, no surrogates,
 * nothing past U+10FFFF. */
static void utf8_step(struct sniff *s, uint8_t c)
{
	if (s->more > 0) {
		s->utf8_bad = c < s->low || c > s->high;
		s->more--;
		s->low = 0x80;
		s->high = 0xbf;
		return;
	}
	s->low = 0x80;
	s->high = 0xbf;
	if (c < 0x80)
		return;
	if (c >= 0xc2 && c <= 0xdf) {
		s->more = 1;
	} else if (c >= 0xe0 && c <= 0xef) {
		s->more = 2;
		if (c == 0xe0)
			s->low = 0xa0;
		if (c == 0xed)
			s->high = 0x9f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		s->more = 3;
		if (c == 0xf0)
			s->low = 0x90;
		if (c == 0xf4)
			s->high = 0x8f;
	} else {
		s->utf8_bad = true;
	}
}
