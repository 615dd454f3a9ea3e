/* Open addressing with linear probing, at most two thirds full: 8 to 24 bytes an id. */
#include "tests/agencies/idindex.h"
#include "base/err.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t tag_of(const struct id *id);
static void place(struct idindex *x, uint64_t slot);
static void grow(struct idindex *x);

void idindex_fini(struct idindex *x)
{
	free(x->slots);
	*x = (struct idindex){0};
}

void idindex_add(struct idindex *x, const struct id *id, int64_t row)
{
	assert(row >= 1 && row <= UINT32_MAX);
	if (!x->slots || x->count * 3 > x->mask * 2)
		grow(x);
	place(x, (uint64_t)tag_of(id) << 32 | (uint64_t)row);
	x->count++;
}

int64_t idindex_next(const struct idindex *x, const struct id *id, size_t *probe)
{
	uint32_t tag = tag_of(id);
	uint64_t slot;

	if (!x->slots)
		return 0;
	while ((slot = x->slots[(tag + *probe) & x->mask]) != 0) {
		++*probe;
		if (slot >> 32 == tag)
			return (int64_t)(slot & UINT32_MAX);
	}
	return 0;
}

static uint32_t tag_of(const struct id *id)
{
	uint32_t tag;

	memcpy(&tag, id->b, sizeof tag);
	return tag;
}

/* Linear probing from the tag itself, so that growing needs no look at the book. */
static void place(struct idindex *x, uint64_t slot)
{
	size_t i = slot >> 32;

	while (x->slots[i & x->mask] != 0)
		i++;
	x->slots[i & x->mask] = slot;
}

static void grow(struct idindex *x)
{
	struct idindex old = *x;
	size_t size = old.slots ? 2 * (old.mask + 1) : 4096;

	x->slots = calloc(size, sizeof *x->slots);
	if (!x->slots) {
		fputs("index of ids: no memory\n", stderr);
		exit(EXIT_LATER);
	}
	x->mask = size - 1;
	for (size_t i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i])
			place(x, old.slots[i]);
	free(old.slots);
}
