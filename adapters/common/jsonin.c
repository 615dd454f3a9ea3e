#include "adapters/common/jsonin.h"
#include "base/date.h"
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { WORD_MAX = 24, KEPT_BYTES = 4 << 20, ALIGN = 16 };

/* The tree's memory: allocating is a sum, freeing is nothing, and a hostile answer cannot take more
 * than is here. Measured with pages of 1000 entries, it takes a sixth off the whole cost of an
 * answer. Under AddressSanitizer it is malloc, so that the sanitizer sees the blocks. */
#ifdef __SANITIZE_ADDRESS__
#define HEAP_IS_MALLOC true
#else
#define HEAP_IS_MALLOC false
#endif
static struct {
	char *at; /* reserved address space; pages come with their first use */
	size_t used;
	bool open; /* a tree is being read or in use */
} heap;

static bool heap_make(void);
static void heap_empty(json_t *root);
static void *heap_take(size_t n);
static void heap_drop(void *p);
static struct str text_of(const json_t *v);
static bool showable(struct str s);

json_t *jsonin_parse(struct str text)
{
	json_t *root;

	assert(!heap.open);
	if (!heap_make())
		return NULL;
	heap.open = true;
	root = json_loadb(text.p ? text.p : "", text.n, 0, NULL);
	if (json_is_object(root))
		return root;
	heap_empty(root);
	return NULL;
}

void jsonin_free(json_t *root)
{
	if (root)
		heap_empty(root);
}

json_t *jsonin_list(const json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	return json_is_array(v) ? v : NULL;
}

int jsonin_int(const json_t *o, const char *name, int64_t min, int64_t max, int64_t *out)
{
	json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
		return -1;
	*out = json_integer_value(v);
	return 0;
}

int jsonin_bool(const json_t *o, const char *name, bool *out)
{
	json_t *v = json_object_get(o, name);

	if (!json_is_boolean(v))
		return -1;
	*out = json_is_true(v);
	return 0;
}

int jsonin_str(const json_t *o, const char *name, size_t len_max, struct str *out)
{
	struct str s = text_of(json_object_get(o, name));

	if (!s.p || s.n > len_max)
		return -1;
	*out = s;
	return 0;
}

int jsonin_str_or_null(const json_t *o, const char *name, size_t len_max, struct str *out)
{
	json_t *v = json_object_get(o, name);

	if (v && !json_is_null(v))
		return jsonin_str(o, name, len_max, out);
	*out = (struct str){NULL, 0};
	return 0;
}

int jsonin_id(const json_t *o, const char *name, struct id *out)
{
	return id_parse(out, text_of(json_object_get(o, name)));
}

int jsonin_time(const json_t *o, const char *name, int64_t *out)
{
	struct str s = text_of(json_object_get(o, name));

	return s.p ? time_parse(s, out) : -1;
}

int jsonin_date(const json_t *o, const char *name, int32_t *out)
{
	struct str s = text_of(json_object_get(o, name));
	int days;

	if (!s.p || date_parse(s, &days) != 0)
		return -1;
	*out = days;
	return 0;
}

int jsonin_date_or_null(const json_t *o, const char *name, struct opt_long *out)
{
	json_t *v = json_object_get(o, name);
	int32_t days;

	if (!v || json_is_null(v)) {
		*out = (struct opt_long){0};
		return 0;
	}
	if (jsonin_date(o, name, &days) != 0)
		return -1;
	*out = (struct opt_long){true, days};
	return 0;
}

void jsonin_show(const json_t *o, const char *const *names, int count, struct jsonout *out)
{
	bool first = true;

	JSONOUT(out, "{");
	for (int i = 0; i < count; i++) {
		json_t *v = json_object_get(o, names[i]);

		if (!v)
			continue;
		jsonout_raw(out, first ? STR("") : STR(","));
		first = false;
		jsonout_str(out, str_of(names[i]));
		JSONOUT(out, ":");
		if (json_is_integer(v) &&
		    llabs(json_integer_value(v)) < 100000000000000) /* shorter than an ID number */
			jsonout_int(out, json_integer_value(v));
		else if (json_is_boolean(v))
			jsonout_bool(out, json_is_true(v));
		else if (json_is_string(v) && showable(text_of(v)))
			jsonout_str(out, text_of(v));
		else
			jsonout_raw(out, json_is_null(v) ? STR("null") : STR("\"(left out)\""));
	}
	JSONOUT(out, "}");
}

static bool heap_make(void)
{
	if (heap.at)
		return true;
	heap.at = mmap(NULL, JSONIN_BYTES_MAX, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (heap.at == MAP_FAILED) {
		heap.at = NULL;
		return false;
	}
	json_set_alloc_funcs(heap_take, heap_drop);
	return true;
}

static void heap_empty(json_t *root)
{
	if (HEAP_IS_MALLOC)
		json_decref(root);
	if (heap.used > KEPT_BYTES) /* the pages beyond are the system's again */
		madvise(heap.at + KEPT_BYTES, JSONIN_BYTES_MAX - KEPT_BYTES, MADV_DONTNEED);
	heap.used = 0;
	heap.open = false;
}

/* jansson outside of a tree of ours (nobody does so today) gets memory of the common kind. */
static void *heap_take(size_t n)
{
	size_t rounded = (n + ALIGN - 1) / ALIGN * ALIGN;
	char *p = heap.at + heap.used;

	if (!heap.open || HEAP_IS_MALLOC)
		return malloc(n);
	if (n > JSONIN_BYTES_MAX || rounded > JSONIN_BYTES_MAX - heap.used)
		return NULL;
	heap.used += rounded;
	return p;
}

static void heap_drop(void *p)
{
	if ((uintptr_t)p - (uintptr_t)heap.at >= JSONIN_BYTES_MAX)
		free(p);
}

static struct str text_of(const json_t *v)
{
	return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)}
				 : (struct str){NULL, 0};
}

/* An id, a time, or a lower-case word with few digits. */
static bool showable(struct str s)
{
	struct id id;
	int64_t time_ms;
	int digits = 0;

	if (id_parse(&id, s) == 0 || time_parse(s, &time_ms) == 0)
		return true;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		digits += c >= '0' && c <= '9';
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return s.n <= WORD_MAX && digits <= 4;
}
