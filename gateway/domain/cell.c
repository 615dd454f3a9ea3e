/* Bytes, not characters: nearly every cell is ASCII or Chinese, and the blanks that we look for
 * start with one of four bytes. What is not UTF-8 passes through untouched; who reads the cell
 * says what is wrong with it. */
#include "domain/cell.h"
#include <string.h>

/* Blanks of two and three bytes; nearly every byte that gets here begins a Chinese character and
 * is none of them. */
static size_t wide_blank(const uint8_t *p, size_t n)
{
	if (p[0] == 0xC2)
		return n >= 2 && p[1] == 0xA0 ? 2 : 0;
	if (n < 3)
		return 0;
	if (p[0] == 0xE3)
		return p[1] == 0x80 && p[2] == 0x80 ? 3 : 0; /* U+3000 */
	if (p[0] == 0xEF)
		return p[1] == 0xBB && p[2] == 0xBF ? 3 : 0; /* U+FEFF */
	if (p[0] != 0xE2)
		return 0;
	if (p[1] == 0x80 && (p[2] <= 0x8F || (p[2] >= 0xAA && p[2] <= 0xAF)))
		return 3;
	return p[1] == 0x81 && p[2] == 0xA0 ? 3 : 0;
}

size_t cell_blank(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return p[0] == ' ' || (p[0] >= '\t' && p[0] <= '\r');
	return wide_blank(p, s.n);
}

/* Blanks off both ends. From behind, a blank's length is known by its last bytes only, hence the
 * three looks. */
static struct str trim(struct str s)
{
	size_t n;

	while ((n = cell_blank(s)) > 0)
		s = (struct str){s.p + n, s.n - n};
	for (;;) {
		n = 0;
		if (s.n > 0 && (uint8_t)s.p[s.n - 1] < 0x80)
			n = cell_blank((struct str){s.p + s.n - 1, 1});
		else if (s.n >= 2 && (uint8_t)s.p[s.n - 2] == 0xC2)
			n = cell_blank((struct str){s.p + s.n - 2, 2});
		else if (s.n >= 3)
			n = cell_blank((struct str){s.p + s.n - 3, 3});
		if (n == 0)
			return s;
		s.n -= n;
	}
}

/* What makes a spreadsheet take a number for text, typed in front of it: ' and its typographic
 * twins. */
static size_t guard(struct str s)
{
	if (s.n >= 1 && (s.p[0] == '\'' || s.p[0] == '`'))
		return 1;
	/* U+2018, U+2019 */
	if (s.n >= 3 && memcmp(s.p, "\xE2\x80", 2) == 0 &&
	    ((uint8_t)s.p[2] == 0x98 || (uint8_t)s.p[2] == 0x99))
		return 3;
	return 0;
}

struct str cell_bare(struct str raw)
{
	struct str s = raw.p == NULL ? (struct str){"", 0} : trim(raw);
	size_t n = guard(s);

	if (n > 0)
		s = trim((struct str){s.p + n, s.n - n});
	if (s.n >= 3 && s.p[0] == '=' && s.p[1] == '"' && s.p[s.n - 1] == '"')
		s = trim((struct str){s.p + 2, s.n - 3});
	return s;
}

/* The ASCII character that the full-width form U+FF01..U+FF5E at the start of s stands for, or
 * 0. */
static char narrow_of(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n < 3 || p[0] != 0xEF)
		return 0;
	if (p[1] == 0xBC && p[2] >= 0x81 && p[2] <= 0xBF)
		return (char)(p[2] - 0x81 + 0x21);
	if (p[1] == 0xBD && p[2] >= 0x80 && p[2] <= 0x9E)
		return (char)(p[2] - 0x80 + 0x60);
	return 0;
}

int cell_narrow(struct str raw, char *out, size_t cap)
{
	struct str s = cell_bare(raw);
	size_t len = 0;

	while (s.n > 0) {
		size_t n = cell_blank(s);
		char c = *s.p;

		if (n > 0) {
			s = (struct str){s.p + n, s.n - n};
			continue;
		}
		n = 1;
		if ((uint8_t)c == 0xEF && narrow_of(s) != 0) {
			c = narrow_of(s);
			n = 3;
		}
		if (len + 1 >= cap) {
			if (cap > 0)
				out[0] = '\0';
			return -1;
		}
		out[len++] = c;
		s = (struct str){s.p + n, s.n - n};
	}
	if (cap == 0)
		return -1;
	out[len] = '\0';
	return (int)len;
}
