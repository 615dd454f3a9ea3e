#include "bus/batch.h"
#include "bus/crc32.h"
#include <string.h>

enum { FIXED = 2 * ID_LEN + 2 * 8 }; /* id, time, trace, seq */

static size_t body_bytes(uint32_t kind, const struct bus_event *ev);
static size_t varint_bytes(uint64_t v);
static uint8_t *put_varint(uint8_t *p, uint64_t v);
static uint8_t *put_u64(uint8_t *p, uint64_t v);
static uint8_t *put_bytes(uint8_t *p, const void *from, size_t n);

size_t batch_event_bytes(uint32_t kind, const struct bus_event *ev)
{
	size_t body = body_bytes(kind, ev);

	return varint_bytes(body) + body;
}

int batch_put(struct buf *out, uint32_t kind, const struct bus_event *ev)
{
	size_t body = body_bytes(kind, ev), n = varint_bytes(body) + body;
	uint8_t *p = buf_reserve(out, n);

	if (p == NULL)
		return -1;
	p = put_varint(p, body);
	p = put_varint(p, kind);
	p = put_bytes(p, ev->id.b, ID_LEN);
	p = put_u64(p, (uint64_t)ev->time_ms);
	p = put_bytes(p, ev->trace.b, ID_LEN);
	p = put_u64(p, (uint64_t)ev->seq);
	p = put_varint(p, ev->key.n);
	p = put_bytes(p, ev->key.p, ev->key.n);
	p = put_varint(p, ev->data.n);
	put_bytes(p, ev->data.p, ev->data.n);
	out->len += n;
	return 0;
}

int batch_seal(struct buf *out, size_t start)
{
	return buf_put_u32(out, crc32_of(out->data + start, out->len - start));
}

int batch_open(struct str blob, struct cursor *events)
{
	struct cursor crc;

	if (blob.n < BATCH_CRC_BYTES)
		return -1;
	blob.n -= BATCH_CRC_BYTES;
	*events = cursor_of(blob.p, blob.n);
	crc = cursor_of(blob.p + blob.n, BATCH_CRC_BYTES);
	return cursor_u32(&crc) == crc32_of(blob.p, blob.n) ? 0 : -1;
}

int batch_get(struct cursor *events, uint32_t *kind, struct bus_event *ev)
{
	uint64_t n = cursor_varint(events), number;
	const uint8_t *body = n <= EVENT_BYTES_MAX ? cursor_bytes(events, n) : NULL, *fixed;
	struct cursor c, f;

	if (body == NULL)
		return -1;
	c = cursor_of(body, n);
	number = cursor_varint(&c);
	fixed = cursor_bytes(&c, FIXED);
	if (fixed == NULL || number > UINT32_MAX)
		return -1;
	*kind = (uint32_t)number;
	f = cursor_of(fixed + ID_LEN, 8);
	memcpy(ev->id.b, fixed, ID_LEN);
	ev->time_ms = (int64_t)cursor_u64(&f);
	memcpy(ev->trace.b, fixed + ID_LEN + 8, ID_LEN);
	f = cursor_of(fixed + 2 * ID_LEN + 8, 8);
	ev->seq = (int64_t)cursor_u64(&f);
	ev->key.n = cursor_varint(&c);
	ev->key.p = (const char *)cursor_bytes(&c, ev->key.n);
	ev->data.n = cursor_varint(&c);
	ev->data.p = (const char *)cursor_bytes(&c, ev->data.n);
	ev->type = (struct str){0};
	return c.bad || c.p != c.end ? -1 : 0;
}

static size_t body_bytes(uint32_t kind, const struct bus_event *ev)
{
	return varint_bytes(kind) + FIXED + varint_bytes(ev->key.n) + ev->key.n +
	       varint_bytes(ev->data.n) + ev->data.n;
}

static size_t varint_bytes(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		*p++ = (uint8_t)(v >> 8 * i);
	return p;
}

static uint8_t *put_bytes(uint8_t *p, const void *from, size_t n)
{
	if (n > 0)
		memcpy(p, from, n);
	return p + n;
}
