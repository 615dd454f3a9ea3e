#include "adapters/common/pass.h"
#include <assert.h>
#include <string.h>

static void push(struct pass *p, int from, int count);
static uint32_t slot_of(const struct idmap *m, const struct id *id);

void pass_init(struct pass *p)
{
	p->count = p->span_count = p->again_count = 0;
	p->round = 0;
}

bool pass_over(const struct pass *p)
{
	return p->span_count == 0 && p->again_count == 0;
}

void pass_add(struct pass *p, int row)
{
	assert(p->count < WINDOW_MAX && p->round == 0);
	p->rows[p->count++] = row;
	/* All rows are one span until the first cut. */
	p->span_count = 0;
	push(p, 0, p->count);
}

bool pass_head(struct pass *p, int rows_max, const int **rows, int *count)
{
	struct span *head;

	if (p->span_count == 0 && p->again_count > 0) {
		memcpy(p->rows, p->again, (size_t)p->again_count * sizeof(p->rows[0]));
		p->count = p->again_count;
		p->again_count = 0;
		p->round++;
		push(p, 0, p->count);
	}
	if (p->span_count == 0)
		return false;
	if (p->round > 0 || rows_max < 1)
		rows_max = 1;
	head = &p->spans[p->span_count - 1];
	if (head->count > rows_max) {
		struct span rest = {head->from + rows_max, head->count - rows_max};
		int from = head->from;

		*head = rest;
		push(p, from, rows_max);
		head = &p->spans[p->span_count - 1];
	}
	*rows = p->rows + head->from;
	*count = head->count;
	return true;
}

void pass_drop(struct pass *p)
{
	assert(p->span_count > 0);
	p->span_count--;
}

bool pass_split(struct pass *p)
{
	struct span head;
	int half;

	assert(p->span_count > 0);
	head = p->spans[p->span_count - 1];
	half = head.count / 2;
	if (half == 0)
		return false;
	p->spans[p->span_count - 1] = (struct span){head.from + half, head.count - half};
	push(p, head.from, half);
	return true;
}

void pass_remove(struct pass *p, int row)
{
	struct span *head;
	int at;

	assert(p->span_count > 0);
	head = &p->spans[p->span_count - 1];
	for (at = head->from; at < head->from + head->count && p->rows[at] != row; at++)
		;
	assert(at < head->from + head->count);
	head->count--;
	memmove(&p->rows[at], &p->rows[at + 1],
		(size_t)(head->from + head->count - at) * sizeof(p->rows[0]));
	if (head->count == 0)
		p->span_count--;
}

bool pass_aside(struct pass *p, int row)
{
	if (p->round == PASS_ROUNDS || p->again_count == WINDOW_MAX)
		return false;
	p->again[p->again_count++] = row;
	return true;
}

void idmap_reset(struct idmap *m)
{
	if (++m->turn == 0) {
		memset(m->used, 0, sizeof(m->used));
		m->turn = 1;
	}
	m->count = 0;
}

int idmap_find(const struct idmap *m, const struct id *id)
{
	uint32_t slot = slot_of(m, id);

	return m->used[slot] == m->turn ? m->rows[slot] : -1;
}

int idmap_add(struct idmap *m, const struct id *id, int row)
{
	uint32_t slot = slot_of(m, id);

	if (m->used[slot] == m->turn)
		return m->rows[slot];
	assert(m->count < IDMAP_SLOTS / 2);
	m->count++;
	m->used[slot] = m->turn;
	m->ids[slot] = *id;
	m->rows[slot] = row;
	return -1;
}

void idmap_set(struct idmap *m, const struct id *id, int row)
{
	uint32_t slot = slot_of(m, id);

	assert(m->used[slot] == m->turn);
	m->rows[slot] = row;
}

static void push(struct pass *p, int from, int count)
{
	assert(p->span_count < WINDOW_MAX + 1 && count > 0);
	p->spans[p->span_count++] = (struct span){from, count};
}

/* Where the id is, or the free slot where it would go. Never full: see idmap_add. */
static uint32_t slot_of(const struct idmap *m, const struct id *id)
{
	uint32_t slot;

	memcpy(&slot, id->b, sizeof slot);
	for (slot %= IDMAP_SLOTS; m->used[slot] == m->turn && !id_eq(&m->ids[slot], id);
	     slot = (slot + 1) % IDMAP_SLOTS)
		;
	return slot;
}
