/* Sorted once, searched by halves. A reason's meaning is the agency's own affair. */
#include "tests/agencies/refusals.h"
#include "base/fs.h"
#include "tests/agencies/cut.h"
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 64 << 20 };

static int by_number(const void *a, const void *b);
static int compare(struct str a, struct str b);

int refusals_load(struct refusals *r, const char *file, struct err *e)
{
	struct str text;
	size_t lines = 1;

	memset(r, 0, sizeof *r);
	buf_init(&r->text, FILE_MAX);
	if (!file)
		return 0;
	if (fs_read(file, &r->text, e) < 0)
		return -1;
	text = (struct str){(const char *)r->text.data, r->text.len};
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	r->at = calloc(lines, sizeof *r->at);
	if (!r->at)
		return err_set(e, ERR_TEMP, "%s: no memory", file);
	for (int line = 1; text.n > 0; line++) {
		struct str reason = str_trim(str_cut(&text, '\n')), number = str_cut(&reason, ',');

		if (number.n == 0)
			continue;
		if (reason.n == 0)
			return err_set(e, ERR_CONF, "%s line %d: expected number,reason", file,
				       line);
		r->at[r->count++] = (struct refusal){number, reason};
	}
	qsort(r->at, r->count, sizeof *r->at, by_number);
	return 0;
}

void refusals_fini(struct refusals *r)
{
	free(r->at);
	buf_fini(&r->text);
	memset(r, 0, sizeof *r);
}

struct str refusals_find(const struct refusals *r, struct str number)
{
	size_t from = 0, to = r->count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = compare(number, r->at[mid].number);

		if (c == 0)
			return r->at[mid].reason;
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return (struct str){NULL, 0};
}

static int by_number(const void *a, const void *b)
{
	return compare(((const struct refusal *)a)->number, ((const struct refusal *)b)->number);
}

static int compare(struct str a, struct str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}
