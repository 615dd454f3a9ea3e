/* Buffers and cursors. All growth goes through buf_reserve and all reading through cursor_bytes:
 * the two places where a limit is kept. */
#include "base/buf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One byte more than cap is always allocated, so that the NUL of buf_text never counts against
 * max. */
enum { FIRST_CAP = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4};
}

void buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

/* Doubles, so that many small puts cost no more than one large one; the last step goes to max. */
uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;
	uint8_t *data;

	if (b->len > b->max || n > b->max - b->len)
		return NULL;
	if (b->data && n <= b->cap - b->len)
		return b->data + b->len;
	while (cap < b->len + n)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	data = realloc(b->data, cap + 1);
	if (data == NULL)
		return NULL;
	b->data = data;
	b->cap = cap;
	return b->data + b->len;
}

int buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (to == NULL)
		return -1;
	if (n > 0)
		memcpy(to, p, n);
	b->len += n;
	return 0;
}

int buf_put_str(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

int buf_put_u8(struct buf *b, uint8_t v)
{
	return buf_put(b, &v, 1);
}

int buf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(v >> 8 * i);
	return buf_put(b, bytes, sizeof bytes);
}

int buf_put_u64(struct buf *b, uint64_t v)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(v >> 8 * i);
	return buf_put(b, bytes, sizeof bytes);
}

int buf_put_varint(struct buf *b, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	while (v >= 0x80) {
		bytes[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	bytes[n++] = (uint8_t)v;
	return buf_put(b, bytes, n);
}

/* First into the room there is; most texts fit. */
int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	size_t room;
	int n, rc = -1;

	if (buf_reserve(b, 0) == NULL)
		return -1;
	va_start(ap, fmt);
	va_copy(again, ap);
	room = b->cap - b->len;
	n = vsnprintf((char *)b->data + b->len, room + 1, fmt, ap);
	if (n < 0)
		goto out;
	if ((size_t)n > room) {
		if (buf_reserve(b, (size_t)n) == NULL)
			goto out;
		vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
	}
	b->len += (size_t)n;
	rc = 0;
out:
	va_end(again);
	va_end(ap);
	return rc;
}

const char *buf_text(struct buf *b)
{
	if (buf_reserve(b, 0) == NULL)
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (c->bad || n > (size_t)(c->end - c->p)) {
		c->bad = 1;
		return NULL;
	}
	c->p += n;
	return p;
}

uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 1);

	return p ? *p : 0;
}

uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 4);
	uint32_t v = 0;

	for (int i = 0; p && i < 4; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

uint64_t cursor_u64(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 8);
	uint64_t v = 0;

	for (int i = 0; p && i < 8; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/* Longer forms than needed are taken, as other writers of LEB128 make them; more than 64 bits are
 * not. */
uint64_t cursor_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);

		/* The tenth byte has room for one bit only. */
		if (c->bad || (shift == 63 && byte > 1))
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	c->bad = 1;
	return 0;
}
