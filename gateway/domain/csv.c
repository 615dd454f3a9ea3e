#include "domain/csv.h"
#include <string.h>

bool csv_line(struct str *text, struct str *line)
{
	const char *end;

	if (text->n >= 3 && memcmp(text->p, "\xEF\xBB\xBF", 3) == 0)
		*text = (struct str){text->p + 3, text->n - 3};
	if (text->n == 0)
		return false;
	end = memchr(text->p, '\n', text->n);
	line->p = text->p;
	line->n = end == NULL ? text->n : (size_t)(end - text->p);
	*text = (struct str){text->p + line->n + (end != NULL), text->n - line->n - (end != NULL)};
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

int csv_cells(struct str line, struct str *cells, int max)
{
	int count = 0;

	for (;;) {
		const char *end = line.n == 0 ? NULL : memchr(line.p, ',', line.n);
		size_t n = end == NULL ? line.n : (size_t)(end - line.p);

		if (count < max)
			cells[count] = (struct str){line.p, n};
		count++;
		if (end == NULL)
			return count;
		line = (struct str){line.p + n + 1, line.n - n - 1};
	}
}
