/* Chunks from malloc, given out from front to back and never given back one by one. avro-c frees
 * what it took for a text only when the value is freed, and ours never is: so nothing is lost. */
#include "events/arena.h"
#include <avro.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHUNK = 4096, KEEP_MAX = 256 * 1024 };

struct chunk {
	struct chunk *next;
	size_t used, cap;
	alignas(max_align_t) char data[];
};

static _Thread_local struct arena *in_use;

static void free_chunks(struct arena *a)
{
	while (a->chunks) {
		struct chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	a->total = 0;
}

static struct chunk *add_chunk(struct arena *a, size_t cap)
{
	struct chunk *c;

	if (a->total + cap > a->max)
		return NULL;
	c = malloc(sizeof *c + cap);
	if (c == NULL) {
		a->no_memory = true;
		return NULL;
	}
	*c = (struct chunk){.next = a->chunks, .cap = cap};
	a->chunks = c;
	a->total += cap;
	return c;
}

/* One chunk is kept as it is; several become one of their common size, so that a type settles at
 * one. */
void arena_begin(struct arena *a, size_t max)
{
	size_t want = a->total < KEEP_MAX ? a->total : KEEP_MAX;

	a->no_memory = false;
	a->max = max > KEEP_MAX ? 2 * max : 2 * (size_t)KEEP_MAX;
	if (a->chunks && a->chunks->next == NULL && a->total <= KEEP_MAX) {
		a->chunks->used = 0;
		return;
	}
	free_chunks(a);
	add_chunk(a, want > FIRST_CHUNK ? want : FIRST_CHUNK);
}

void arena_fini(struct arena *a)
{
	free_chunks(a);
}

void arena_use(struct arena *a)
{
	in_use = a;
}

void *arena_alloc(size_t n)
{
	struct arena *a = in_use;
	struct chunk *c = a->chunks;
	void *p;

	n = (n + 15) & ~(size_t)15;
	if (c == NULL || n > c->cap - c->used)
		c = add_chunk(a, n > a->total + FIRST_CHUNK ? n : a->total + FIRST_CHUNK);
	if (c == NULL)
		return NULL;
	p = c->data + c->used;
	c->used += n;
	return p;
}

static void *avro_allocate(void *unused, void *p, size_t old, size_t n)
{
	void *to;

	(void)unused;
	if (in_use == NULL) {
		if (n)
			return realloc(p, n);
		free(p);
		return NULL;
	}
	if (n == 0)
		return NULL;
	to = arena_alloc(n);
	if (to && p)
		memcpy(to, p, old < n ? old : n);
	return to;
}

void arena_adopt_avro(void)
{
	avro_set_allocator(avro_allocate, NULL);
}
