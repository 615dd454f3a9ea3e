/* The transaction's cache of records: blocks with stable addresses, found by a 64-bit key. */
#include "ledger/internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void *pool_take(struct pool *p)
{
	int b = p->count / POOL_BLOCK;
	if (b == p->block_count) {
		char **more = realloc(p->blocks, sizeof(char *) * (size_t)(b + 1));
		if (!more)
			return NULL;
		p->blocks = more;
		p->blocks[b] = malloc(p->size * POOL_BLOCK);
		if (!p->blocks[b])
			return NULL;
		p->block_count++;
	}
	void *r = p->blocks[b] + p->size * (size_t)(p->count % POOL_BLOCK);
	memset(r, 0, p->size);
	p->count++;
	return r;
}

void *pool_at(const struct pool *p, int i)
{
	assert(i >= 0 && i < p->count);
	return p->blocks[i / POOL_BLOCK] + p->size * (size_t)(i % POOL_BLOCK);
}

void pool_fini(struct pool *p)
{
	for (int i = 0; i < p->block_count; i++)
		free(p->blocks[i]);
	free(p->blocks);
	p->blocks = NULL;
	p->count = p->block_count = 0;
}

static size_t slot_of(const struct map *m, uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (m->cap - 1);
}

static void map_place(struct map *m, uint64_t key, void *value)
{
	size_t i = slot_of(m, key);
	while (m->slots[i].value)
		i = (i + 1) & (m->cap - 1);
	m->slots[i].key = key;
	m->slots[i].value = value;
}

int map_put(struct map *m, uint64_t key, void *value)
{
	if (m->count * 2 >= m->cap) {
		struct map old = *m;
		m->cap = old.cap ? old.cap * 2 : 1024;
		m->slots = calloc(m->cap, sizeof(*m->slots));
		if (!m->slots) {
			*m = old;
			return -1;
		}
		for (size_t i = 0; i < old.cap; i++)
			if (old.slots[i].value)
				map_place(m, old.slots[i].key, old.slots[i].value);
		free(old.slots);
	}
	map_place(m, key, value);
	m->count++;
	return 0;
}

void *map_next(const struct map *m, uint64_t key, size_t *at)
{
	if (m->cap == 0)
		return NULL;
	size_t i = *at == SIZE_MAX ? slot_of(m, key) : (*at + 1) & (m->cap - 1);
	for (; m->slots[i].value; i = (i + 1) & (m->cap - 1))
		if (m->slots[i].key == key) {
			*at = i;
			return m->slots[i].value;
		}
	return NULL;
}

void map_clear(struct map *m)
{
	if (m->count)
		memset(m->slots, 0, m->cap * sizeof(*m->slots));
	m->count = 0;
}

void map_fini(struct map *m)
{
	free(m->slots);
	m->slots = NULL;
	m->cap = m->count = 0;
}

uint64_t id_key(const struct id *id)
{
	uint64_t k;
	memcpy(&k, id->b, sizeof(k));
	return k;
}

uint8_t *hold_copy(struct hold_block **a, const void *p, size_t n)
{
	if (!*a || (*a)->size - (*a)->used < n) {
		size_t size = n > (256 << 10) ? n : 256 << 10;
		struct hold_block *b = malloc(sizeof(*b) + size);
		if (!b)
			return NULL;
		*b = (struct hold_block){.next = *a, .size = size};
		*a = b;
	}
	uint8_t *at = (*a)->data + (*a)->used;
	memcpy(at, p, n);
	(*a)->used += n;
	return at;
}

void hold_clear(struct hold_block **a)
{
	while (*a && (*a)->next) {
		struct hold_block *next = (*a)->next;
		free(*a);
		*a = next;
	}
	if (*a)
		(*a)->used = 0;
}

void hold_fini(struct hold_block **a)
{
	hold_clear(a);
	free(*a);
	*a = NULL;
}
