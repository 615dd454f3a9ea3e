/* Text slices, UTF-8, hexadecimal and ids: the small change of every other module. */
#ifndef QIAO_BASE_STR_H
#define QIAO_BASE_STR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed slice; p == NULL means "no value", n is bytes, no NUL promised. */
struct str {
	const char *p;
	size_t n;
};
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
struct str str_of(const char *z); /* NULL gives no value */
/* "No value" equals "no value" only, never the empty text. */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *z);
/* NUL-terminated; -1 and "" when it does not fit or holds a NUL. No value gives "". */
int str_copy(char *dst, size_t cap, struct str s);
struct str str_trim(struct str s); /* without blanks and tabs at both ends */

/* 16-byte ids: payment, submission, event, person token. Printed one way: lower hex. */
#define ID_LEN 16
#define ID_HEX (2 * ID_LEN + 1)
struct id {
	uint8_t b[ID_LEN];
};
bool id_eq(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *a);
const char *id_hex(const struct id *a, char out[ID_HEX]);
/* Exactly 32 hex digits of either case; -1 otherwise. */
int id_parse(struct id *out, struct str hex);

void hex_put(char *out, const void *p, size_t n);    /* 2n characters and a NUL, lower case */
int hex_get(uint8_t *out, size_t n, struct str hex); /* exactly 2n digits */

/* Decimal integer with optional minus, whole slice, range checked; -1 otherwise. */
int str_int(struct str s, int64_t min, int64_t max, int64_t *out);

/* UTF-8. Strict: overlong forms, surrogates and values past U+10FFFF are errors. */
int utf8_next(struct str *s, uint32_t *cp); /* 1 a character, 0 the end, -1 not UTF-8; advances s */
int utf8_put(char out[4], uint32_t cp);	    /* bytes written, 0 for an invalid code point */
bool utf8_valid(struct str s);
int utf8_width(struct str s); /* terminal columns: CJK and full-width forms 2, combining 0 */
/* n or a little less: p cut there does not end in half a character. */
size_t utf8_cut(const char *p, size_t n);

/* Yuan with two decimals from fen, no separators: "1234.50". */
const char *yuan(char out[24], int64_t fen);

#endif
