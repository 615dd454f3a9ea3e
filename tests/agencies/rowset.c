/* FNV-1a with linear probing over a table that a request cannot fill. */
#include "tests/agencies/rowset.h"
#include <string.h>

void rowset_reset(struct rowset *s)
{
	memset(s->keys, 0, sizeof s->keys);
}

int rowset_add(struct rowset *s, struct str key, int row)
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT32_C(16777619);
	for (h ^= h >> 15;; h++) {
		struct str *at = &s->keys[h % ROWSET_SLOTS];

		if (at->p && !str_eq(*at, key))
			continue;
		if (at->p)
			return s->rows[h % ROWSET_SLOTS];
		*at = key;
		s->rows[h % ROWSET_SLOTS] = row;
		return -1;
	}
}
