#include "domain/mask.h"
#include <string.h>

enum { SHOWN = 3 };

/* */
void mask_name(char out[MASKED_NAME], struct str name)
{
	struct str rest = name, each = name;
	uint32_t cp;
	size_t n = 0;
	int count = 0, i = 0, got;

	memcpy(out, "*", 2);
	while ((got = utf8_next(&rest, &cp)) == 1)
		count++;
	if (got < 0 || count < 2 || name.n >= MASKED_NAME)
		return;
	while (utf8_next(&each, &cp) == 1) {
		if (i == 0 || (i == count - 1 && count > 2))
			n += (size_t)utf8_put(out + n, cp);
		else
			out[n++] = '*';
		i++;
	}
	out[n] = '\0';
}

/* */
void mask_id(char out[MASKED_ID], struct str number)
{
	size_t n = number.n < MASKED_ID - 1 ? number.n : MASKED_ID - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = n >= 10 && n == number.n && (i < SHOWN || i >= n - SHOWN) ? number.p[i] : '*';
	out[n] = '\0';
}
