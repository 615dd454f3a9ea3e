/* A pull reader: containers are entered and left by the caller's own loops, so that it needs no
 * stack; a bracket that does not match shows as a missing comma or colon. */
#include "tests/agencies/json_in.h"
#include <string.h>

enum { DEPTH_MAX = 60 };

static bool key(struct json *j, struct str *name);
static void skip(struct json *j);
static void scalar(struct json *j);
static void number(struct json *j);
static bool word(struct json *j, const char *w);
static bool unescape(struct json *j, char **to);
static int hex4(struct json *j);
static bool peek(struct json *j, char c);
static bool take(struct json *j, char c);
static bool fail(struct json *j);

void json_init(struct json *j, void *text, size_t n)
{
	*j = (struct json){text, (char *)text + n, false, false};
}

bool json_object(struct json *j)
{
	return j->fresh = take(j, '{');
}

/* Senders keep an order, so that the hint makes the usual look-up one comparison. */
int json_field(struct json *j, const char *const *names, int *hint)
{
	struct str name;
	int i;

	while (key(j, &name)) {
		if (names[*hint] && str_is(name, names[*hint]))
			return (*hint)++;
		for (i = 0; names[i] && !str_is(name, names[i]); i++)
			;
		if (names[i]) {
			*hint = i + 1;
			return i;
		}
		skip(j);
	}
	return -1;
}

bool json_array(struct json *j)
{
	return j->fresh = take(j, '[');
}

bool json_item(struct json *j)
{
	if (peek(j, ']')) {
		j->p++;
		j->fresh = false;
		return false;
	}
	if (!j->fresh && !take(j, ','))
		return false;
	j->fresh = false;
	return !j->bad;
}

struct str json_text(struct json *j)
{
	struct str none = {NULL, 0}, s;
	char *to;
	bool plain = true;

	if (!take(j, '"'))
		return none;
	s.p = to = j->p;
	for (;; j->p++) {
		if (j->p == j->end || (unsigned char)*j->p < 0x20)
			return fail(j), none;
		if (*j->p == '"')
			break;
		if ((unsigned char)*j->p >= 0x80)
			plain = false;
		if (*j->p == '\\') {
			plain = false;
			if (!unescape(j, &to))
				return none;
		} else if (to == j->p) {
			to++;
		} else {
			*to++ = *j->p;
		}
	}
	s.n = (size_t)(to - s.p);
	j->p++;
	j->fresh = false;
	if (!plain && (!utf8_valid(s) || memchr(s.p, 0, s.n)))
		return fail(j), none;
	return s;
}

struct str json_text_or_null(struct json *j)
{
	if (!peek(j, 'n'))
		return json_text(j);
	word(j, "null");
	return (struct str){NULL, 0};
}

int64_t json_int(struct json *j)
{
	const char *from;
	int64_t v = 0;

	peek(j, '-');
	from = j->p;
	number(j);
	if (j->bad ||
	    str_int((struct str){from, (size_t)(j->p - from)}, INT64_MIN, INT64_MAX, &v) < 0)
		fail(j);
	return v;
}

bool json_bool(struct json *j)
{
	if (peek(j, 't'))
		return word(j, "true");
	word(j, "false");
	return false;
}

bool json_end(struct json *j)
{
	peek(j, ' ');
	return !j->bad && j->p == j->end;
}

/* The next key of an object with its colon; false consumes the closing bracket. */
static bool key(struct json *j, struct str *name)
{
	if (peek(j, '}')) {
		j->p++;
		j->fresh = false;
		return false;
	}
	if (!j->fresh && !take(j, ','))
		return false;
	*name = json_text(j);
	return take(j, ':');
}

/* Passes over a value of any kind. A loop with a bit a level, not recursion: the depth is the
 * sender's choice. */
static void skip(struct json *j)
{
	uint64_t objects = 0, level = 1;
	int depth = 0;
	struct str name;

	do {
		if (depth > 0 && !(objects & level ? key(j, &name) : json_item(j))) {
			level >>= 1;
			depth--;
		} else if (peek(j, '{') || peek(j, '[')) {
			if (++depth > DEPTH_MAX) {
				fail(j);
				return;
			}
			level <<= 1;
			objects = *j->p == '{' ? objects | level : objects & ~level;
			j->p++;
			j->fresh = true;
		} else {
			scalar(j);
		}
	} while (depth > 0 && !j->bad);
}

static void scalar(struct json *j)
{
	if (peek(j, '"'))
		json_text(j);
	else if (peek(j, 't'))
		word(j, "true");
	else if (peek(j, 'f'))
		word(j, "false");
	else if (peek(j, 'n'))
		word(j, "null");
	else
		number(j);
}

/* Passes over a number; loose behind its first digits, since only whole ones are ever read. */
static void number(struct json *j)
{
	char *from;

	if (peek(j, '-'))
		j->p++;
	from = j->p;
	while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
		j->p++;
	if (j->p == from || (*from == '0' && j->p - from > 1))
		fail(j);
	while (j->p < j->end && *j->p && strchr(".eE+-0123456789", *j->p))
		j->p++;
	j->fresh = false;
}

static bool word(struct json *j, const char *w)
{
	size_t n = strlen(w);

	if (j->bad || (size_t)(j->end - j->p) < n || memcmp(j->p, w, n) != 0)
		return fail(j);
	j->p += n;
	j->fresh = false;
	return true;
}

/* At a backslash: puts what it stands for to *to and leaves p at its last character. */
static bool unescape(struct json *j, char **to)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t cp, low;
	int n;

	if (++j->p == j->end || *j->p == '\0')
		return fail(j);
	at = strchr(from, *j->p);
	if (at) {
		*(*to)++ = is[at - from];
		return true;
	}
	if (*j->p != 'u')
		return fail(j);
	cp = (uint32_t)hex4(j);
	if (cp >= 0xD800 && cp < 0xDC00) {
		if (j->end - j->p < 3 || j->p[1] != '\\' || j->p[2] != 'u')
			return fail(j);
		j->p += 2;
		low = (uint32_t)hex4(j);
		if (low < 0xDC00 || low > 0xDFFF)
			return fail(j);
		cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
	}
	/* At most four bytes for the six or twelve that were read; a lone surrogate is none. */
	n = utf8_put(*to, cp);
	*to += n;
	return n > 0 && !j->bad ? true : fail(j);
}

/* At the u of \uXXXX: the value; leaves p at the last digit. */
static int hex4(struct json *j)
{
	uint8_t two[2];

	if (j->end - j->p < 5 || hex_get(two, 2, (struct str){j->p + 1, 4}) < 0)
		return fail(j);
	j->p += 4;
	return two[0] << 8 | two[1];
}

static bool peek(struct json *j, char c)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\t' || *j->p == '\r'))
		j->p++;
	return !j->bad && j->p < j->end && *j->p == c;
}

static bool take(struct json *j, char c)
{
	if (!peek(j, c))
		return fail(j);
	j->p++;
	return true;
}

static bool fail(struct json *j)
{
	j->bad = true;
	return false;
}
