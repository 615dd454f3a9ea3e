#include "tests/lib/event_gen.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 512 * 1024 };

void event_gen_init(struct event_gen *g, uint64_t seed)
{
	*g = (struct event_gen){.state = seed, .pool = malloc(POOL)};
	assert(g->pool);
}

void event_gen_fini(struct event_gen *g)
{
	free(g->pool);
}

uint64_t event_gen_next(struct event_gen *g) /* splitmix64 */
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool one_in(struct event_gen *g, unsigned n)
{
	return event_gen_next(g) % n == 0;
}

static void *pool_take(struct event_gen *g, size_t n)
{
	void *p = g->pool + g->used;

	g->used += (n + 15) & ~(size_t)15;
	assert(g->used <= POOL);
	return p;
}

/* All lengths of a varint, both signs, both ends. */
static int64_t number(struct event_gen *g)
{
	uint64_t v = event_gen_next(g) >> event_gen_next(g) % 64;

	if (one_in(g, 20))
		return one_in(g, 2) ? INT64_MAX : INT64_MIN;
	return (int64_t)(one_in(g, 2) ? v : 0 - v);
}

static int32_t small(struct event_gen *g)
{
	if (one_in(g, 20))
		return one_in(g, 2) ? INT32_MAX : INT32_MIN;
	return (int32_t)number(g);
}

static int32_t date(struct event_gen *g)
{
	return (int32_t)(event_gen_next(g) % 47000);
}

static int64_t time_ms(struct event_gen *g)
{
	return (int64_t)(event_gen_next(g) % 4000000000000);
}

static struct str text(struct event_gen *g)
{
	static const char *const words[] = {
		"a", "id_check_digit", "330603001001", "村", "古丽米热·艾比布力", "𠮷", " \x01",
	};
	size_t n = one_in(g, 60) ? EVENT_TEXT_MAX : event_gen_next(g) % 48;
	char *p = pool_take(g, n + 1);
	struct str s = {p, 0};

	for (;;) {
		const char *w = words[event_gen_next(g) % (sizeof words / sizeof words[0])];

		if (s.n + strlen(w) > n)
			return s;
		memcpy(p + s.n, w, strlen(w));
		s.n += strlen(w);
	}
}

static struct str bytes(struct event_gen *g)
{
	size_t n = one_in(g, 60) ? 20000 : event_gen_next(g) % 200;
	char *p = pool_take(g, n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)event_gen_next(g);
	return (struct str){p, n};
}

static struct id id(struct event_gen *g)
{
	struct id v;

	for (int i = 0; i < ID_LEN; i++)
		v.b[i] = (uint8_t)event_gen_next(g);
	return v;
}

static void fill(struct event_gen *g, const struct shape *s, void *out);

static void fill_list(struct event_gen *g, const struct member *m, void *out)
{
	int32_t count = (int32_t)(one_in(g, 3) ? 0 : event_gen_next(g) % 9);
	size_t size = m->items ? m->items->size : sizeof(int64_t);
	char *items = count ? pool_take(g, (size_t)count * size) : NULL;

	for (int32_t i = 0; i < count; i++) {
		if (m->items)
			fill(g, m->items, items + (size_t)i * size);
		else
			((int64_t *)(void *)items)[i] = number(g);
	}
	*(void **)((char *)out + m->offset) = items;
	*(int32_t *)((char *)out + m->count_offset) = count;
}

static void fill_opt(struct event_gen *g, const struct member *m, struct opt_long *at)
{
	*at = (struct opt_long){.set = one_in(g, 2)};
	if (!at->set)
		return;
	at->v = m->kind == M_OPT_INT	? small(g)
		: m->kind == M_OPT_DATE ? date(g)
		: m->kind == M_OPT_BOOL ? (int64_t)one_in(g, 2)
					: number(g);
}

static void fill_member(struct event_gen *g, const struct member *m, void *out)
{
	void *at = (char *)out + m->offset;
	bool null = one_in(g, 2);

	switch (m->kind) {
	case M_ID:
		*(struct id *)at = id(g);
		break;
	case M_OPT_ID:
		*(struct opt_id *)at = null ? (struct opt_id){0} : (struct opt_id){true, id(g)};
		break;
	case M_INT:
		*(int32_t *)at = small(g);
		break;
	case M_DATE:
		*(int32_t *)at = date(g);
		break;
	case M_LONG:
		*(int64_t *)at = number(g);
		break;
	case M_TIME:
		*(int64_t *)at = time_ms(g);
		break;
	case M_BOOL:
		*(bool *)at = null;
		break;
	case M_TEXT:
	case M_OPT_TEXT:
		*(struct str *)at = null && m->kind == M_OPT_TEXT ? (struct str){0} : text(g);
		break;
	case M_BYTES:
	case M_OPT_BYTES:
		*(struct str *)at = null && m->kind == M_OPT_BYTES ? (struct str){0} : bytes(g);
		break;
	case M_LONGS:
	case M_RECORDS:
		fill_list(g, m, out);
		break;
	default:
		fill_opt(g, m, at);
	}
}

static void fill(struct event_gen *g, const struct shape *s, void *out)
{
	for (int i = 0; i < s->count; i++)
		fill_member(g, &s->members[i], out);
}

void event_gen_make(struct event_gen *g, enum event_type t, union any_event *out)
{
	assert(shape_of(t)->size <= sizeof *out);
	memset(out, 0, sizeof *out);
	g->used = 0;
	fill(g, shape_of(t), out);
}

size_t member_size(enum member_kind k)
{
	static const size_t sizes[MEMBER_KINDS] = {
		[M_ID] = sizeof(struct id),
		[M_OPT_ID] = sizeof(struct opt_id),
		[M_INT] = 4,
		[M_DATE] = 4,
		[M_LONG] = 8,
		[M_TIME] = 8,
		[M_BOOL] = sizeof(bool),
		[M_OPT_INT] = sizeof(struct opt_long),
		[M_OPT_DATE] = sizeof(struct opt_long),
		[M_OPT_LONG] = sizeof(struct opt_long),
		[M_OPT_BOOL] = sizeof(struct opt_long),
		[M_TEXT] = sizeof(struct str),
		[M_OPT_TEXT] = sizeof(struct str),
		[M_BYTES] = sizeof(struct str),
		[M_OPT_BYTES] = sizeof(struct str),
		[M_LONGS] = sizeof(void *),
		[M_RECORDS] = sizeof(void *),
	};

	return sizes[k];
}

static bool opt_equal(const struct opt_long *a, const struct opt_long *b)
{
	return a->set == b->set && (!a->set || a->v == b->v);
}

static bool opt_id_equal(const struct opt_id *a, const struct opt_id *b)
{
	return a->set == b->set && (!a->set || id_eq(&a->v, &b->v));
}

static const char *list_differs(const struct member *m, const void *a, const void *b)
{
	int32_t na = *(const int32_t *)((const char *)a + m->count_offset);
	int32_t nb = *(const int32_t *)((const char *)b + m->count_offset);
	const char *pa = *(const char *const *)((const char *)a + m->offset);
	const char *pb = *(const char *const *)((const char *)b + m->offset);
	size_t size = m->items ? m->items->size : sizeof(int64_t);
	const char *where = NULL;

	if (na != nb)
		return m->name;
	if (m->items == NULL)
		return na == 0 || memcmp(pa, pb, (size_t)na * size) == 0 ? NULL : m->name;
	for (int32_t i = 0; i < na && where == NULL; i++)
		where = event_differs(m->items, pa + (size_t)i * size, pb + (size_t)i * size);
	return where;
}

static bool member_equal(const struct member *m, const void *a, const void *b)
{
	switch (m->kind) {
	case M_OPT_ID:
		return opt_id_equal(a, b);
	case M_TEXT:
	case M_OPT_TEXT:
	case M_BYTES:
	case M_OPT_BYTES:
		return str_eq(*(const struct str *)a, *(const struct str *)b);
	case M_OPT_INT:
	case M_OPT_DATE:
	case M_OPT_LONG:
	case M_OPT_BOOL:
		return opt_equal(a, b);
	default:
		return memcmp(a, b, member_size(m->kind)) == 0;
	}
}

const char *event_differs(const struct shape *s, const void *a, const void *b)
{
	for (int i = 0; i < s->count; i++) {
		const struct member *m = &s->members[i];
		const char *where;

		if (m->kind == M_LONGS || m->kind == M_RECORDS) {
			where = list_differs(m, a, b);
			if (where)
				return where;
		} else if (!member_equal(m, (const char *)a + m->offset,
					 (const char *)b + m->offset)) {
			return m->name;
		}
	}
	return NULL;
}
