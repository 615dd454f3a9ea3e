/* The texts by code: what a person reads stands in texts_clerk.c and texts_operator.c and nowhere else. */
#include "base/text.h"
#include "base/texts.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_MAX = 2000 };

static const struct text *find(const char *code);
static int by_code(const void *a, const void *b);

const char *text_get(const char *code, enum lang lang)
{
	const struct text *t = find(code);

	if (t == NULL)
		return NULL;
	return lang == LANG_ZH ? t->zh : t->en;
}

const char *text_or_code(const char *code, enum lang lang)
{
	const char *text = text_get(code, lang);

	return text ? text : code;
}

int text_fill(struct buf *out, const char *text, const struct str *args, int count)
{
	size_t len = out->len;
	int rc = 0;

	while (*text && rc == 0) {
		size_t n = strcspn(text, "{");
		int i = text[n] == '{' ? text[n + 1] - '0' : -1;

		rc |= buf_put(out, text, n);
		text += n;
		if (i >= 0 && i <= 9 && i < count && text[2] == '}') {
			rc |= buf_put(out, args[i].p, args[i].n);
			text += 3;
		} else if (*text) {
			rc |= buf_put_u8(out, '{');
			text++;
		}
	}
	if (rc < 0)
		out->len = len;
	return rc;
}

/* The i-th row of both tables, or NULL past the end. */
static const struct text *row(int i)
{
	if (i < 0 || i >= texts_for_clerks_count + texts_for_operators_count)
		return NULL;
	return i < texts_for_clerks_count ? &texts_for_clerks[i] : &texts_for_operators[i - texts_for_clerks_count];
}

const char *text_code_at(int i)
{
	const struct text *t = row(i);

	return t ? t->code : NULL;
}

/* Answers ask several texts a row: hence an index, made at the first question. */
static const struct text *find(const char *code)
{
	static const struct text *index[TEXTS_MAX];
	static size_t count;
	struct text wanted = {.code = code};
	const struct text *key = &wanted, *const * at;

	if (count == 0) {
		for (const struct text *t; (t = row((int)count)); count++) {
			assert(count < TEXTS_MAX);
			index[count] = t;
		}
		qsort(index, count, sizeof index[0], by_code);
		for (size_t i = 1; i < count; i++)
			assert(strcmp(index[i - 1]->code, index[i]->code) != 0);
	}
	at = bsearch(&key, index, count, sizeof index[0], by_code);
	return at ? *at : NULL;
}

static int by_code(const void *a, const void *b)
{
	const struct text *const *x = a, *const *y = b;

	return strcmp((*x)->code, (*y)->code);
}
