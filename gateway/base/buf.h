/* A growing byte buffer with a maximum: what an outsider sends can never make it grow past that.
 *
 * Caller's storage; init with the most it may hold. Every put returns 0, or -1 when the maximum or
 * memory is reached, and then holds what it held before. Integers are little endian; varints are
 * unsigned LEB128. */
#ifndef QIAO_BASE_BUF_H
#define QIAO_BASE_BUF_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t len, cap, max;
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b); /* frees; usable again as after init with the same max */
static inline void buf_reset(struct buf *b)
{
	b->len = 0;
}

/* Makes room for n more bytes and gives where they go (len unchanged), or NULL. */
uint8_t *buf_reserve(struct buf *b, size_t n);
int buf_put(struct buf *b, const void *p, size_t n);
int buf_put_str(struct buf *b, const char *s);
int buf_put_u8(struct buf *b, uint8_t v);
int buf_put_u32(struct buf *b, uint32_t v);
int buf_put_u64(struct buf *b, uint64_t v);
int buf_put_varint(struct buf *b, uint64_t v);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Keeps a NUL behind the content (not counted in len) and gives it as text, or NULL. */
const char *buf_text(struct buf *b);

/* A reader over borrowed bytes; every get is bounded. After a failed get `bad` stays set and gets
 * give 0. */
struct cursor {
	const uint8_t *p, *end;
	int bad;
};
static inline struct cursor cursor_of(const void *p, size_t n)
{
	return (struct cursor){p, (const uint8_t *)p + n, 0};
}
uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c);
const uint8_t *cursor_bytes(struct cursor *c, size_t n); /* NULL when short */

#endif
