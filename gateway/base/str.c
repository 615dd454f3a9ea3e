/* Slices, ids, numbers and UTF-8: pure functions, no allocation, nothing that depends on a
 * locale. */
#include "base/str.h"
#include <stdio.h>
#include <string.h>

struct span {
	uint32_t from, to;
};

/* East Asian Wide and Fullwidth of UAX #11, neighbouring blocks joined. Ambiguous ones (· … “ ”)
 * are narrow. */
static const struct span wide[] = {
	{0x1100, 0x115f},   {0x2329, 0x232a},	{0x2e80, 0x303e},   {0x3041, 0x33ff},
	{0x3400, 0x4dbf},   {0x4e00, 0xa4cf},	{0xa960, 0xa97f},   {0xac00, 0xd7a3},
	{0xf900, 0xfaff},   {0xfe10, 0xfe19},	{0xfe30, 0xfe6f},   {0xff00, 0xff60},
	{0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f},
	{0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

/* Marks that stand on the character before them, joiners, direction marks, variation selectors. */
static const struct span zero[] = {
	{0x0000, 0x001f}, {0x007f, 0x009f}, {0x0300, 0x036f},	{0x0483, 0x0489}, {0x0591, 0x05bd},
	{0x064b, 0x065f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},	{0x200b, 0x200f}, {0x202a, 0x202e},
	{0x2060, 0x2064}, {0x20d0, 0x20ff}, {0x302a, 0x302d},	{0x3099, 0x309a}, {0xfe00, 0xfe0f},
	{0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

/* Hex digits and their values plus one, 0 for anything else; a table, because ids are read by the
 * million. */
static const uint8_t hex_digits[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static bool in(const struct span *spans, size_t count, uint32_t cp);

struct str str_of(const char *z)
{
	return (struct str){z, z ? strlen(z) : 0};
}

bool str_eq(struct str a, struct str b)
{
	if (a.p == NULL || b.p == NULL)
		return a.p == b.p;
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

bool str_is(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

int str_copy(char *dst, size_t cap, struct str s)
{
	dst[0] = '\0';
	if (s.p == NULL)
		return 0;
	if (s.n >= cap || memchr(s.p, '\0', s.n))
		return -1;
	memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return 0;
}

struct str str_trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool id_eq(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, ID_LEN) == 0;
}

bool id_is_zero(const struct id *a)
{
	static const struct id none;

	return id_eq(a, &none);
}

const char *id_hex(const struct id *a, char out[ID_HEX])
{
	hex_put(out, a->b, ID_LEN);
	return out;
}

int id_parse(struct id *out, struct str hex)
{
	return hex_get(out->b, ID_LEN, hex);
}

void hex_put(char *out, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

int hex_get(uint8_t *out, size_t n, struct str hex)
{
	unsigned bad = 0;

	if (hex.p == NULL || hex.n != 2 * n)
		return -1;
	for (size_t i = 0; i < hex.n; i++)
		bad |= hex_digits[(uint8_t)hex.p[i]] == 0;
	if (bad)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *two = (const uint8_t *)hex.p + 2 * i;

		out[i] = (uint8_t)((hex_digits[two[0]] - 1) << 4 | (hex_digits[two[1]] - 1));
	}
	return 0;
}

/* Counts downwards, because INT64_MIN has no positive twin. */
int str_int(struct str s, int64_t min, int64_t max, int64_t *out)
{
	int64_t v = 0;
	size_t i = 0;
	bool negative = s.p && s.n > 0 && s.p[0] == '-';

	if (negative)
		i = 1;
	if (s.p == NULL || i == s.n)
		return -1;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, s.p[i] - '0', &v))
			return -1;
	}
	if (!negative && __builtin_sub_overflow(0, v, &v))
		return -1;
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

/* least: the smallest code point that needs so many bytes; anything below is an overlong form, with
 * which one could smuggle a quote or a line end past a check. */
int utf8_next(struct str *s, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *p = (const uint8_t *)s->p;
	size_t n;
	uint32_t v;

	if (s->n == 0)
		return 0;
	if (p[0] < 0x80)
		n = 1, v = p[0];
	else if (p[0] >= 0xc0 && p[0] < 0xe0)
		n = 2, v = p[0] & 0x1f;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		n = 3, v = p[0] & 0x0f;
	else if (p[0] >= 0xf0 && p[0] < 0xf8)
		n = 4, v = p[0] & 0x07;
	else
		return -1;
	if (n > s->n)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return -1;
	s->p += n;
	s->n -= n;
	*cp = v;
	return 1;
}

int utf8_put(char out[4], uint32_t cp)
{
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	int n;

	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (int i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (char)(lead[n] | cp);
	return n;
}

bool utf8_valid(struct str s)
{
	uint32_t cp;
	int rc;

	while ((rc = utf8_next(&s, &cp)) == 1)
		;
	return rc == 0;
}

int utf8_width(struct str s)
{
	uint32_t cp;
	int width = 0, rc;

	while ((rc = utf8_next(&s, &cp)) != 0) {
		if (rc < 0) { /* shown as one replacement mark a byte */
			s.p++;
			s.n--;
			width++;
		} else if (in(wide, sizeof wide / sizeof wide[0], cp)) {
			width += 2;
		} else if (!in(zero, sizeof zero / sizeof zero[0], cp)) {
			width++;
		}
	}
	return width;
}

size_t utf8_cut(const char *p, size_t n)
{
	size_t start = n;
	struct str last;
	uint32_t cp;

	while (start > 0 && n - start < 4 && ((uint8_t)p[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return n; /* nothing but continuation bytes: not UTF-8 anyway */
	last = (struct str){p + start - 1, n - (start - 1)};
	/* Whole, or not the beginning of anything: keep. Else the lead byte goes with its
	 * followers. */
	if (utf8_next(&last, &cp) == 1 || (uint8_t)p[start - 1] < 0xc0)
		return n;
	return start - 1;
}

const char *yuan(char out[24], int64_t fen)
{
	uint64_t abs = fen < 0 ? 0 - (uint64_t)fen : (uint64_t)fen;

	snprintf(out, 24, "%s%llu.%02u", fen < 0 ? "-" : "", (unsigned long long)(abs / 100),
		 (unsigned)(abs % 100));
	return out;
}

/* Binary search: spans are in order and do not overlap. */
static bool in(const struct span *spans, size_t count, uint32_t cp)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (cp < spans[mid].from)
			high = mid;
		else if (cp > spans[mid].to)
			low = mid + 1;
		else
			return true;
	}
	return false;
}
