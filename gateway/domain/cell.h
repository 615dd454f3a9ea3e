/* What spreadsheets and input methods do to any cell, undone (domain.md 6). Pure. */
#ifndef QIAO_DOMAIN_CELL_H
#define QIAO_DOMAIN_CELL_H
#include "base/str.h"

/* Bytes of the blank or invisible mark at the start of s: ASCII blanks, U+00A0, U+3000,
 * U+2000..U+200F, U+202A..U+202F, U+2060, U+FEFF. 0 when there is none. */
size_t cell_blank(struct str s);
/* The cell without blanks around it and without guards (a leading ' or ’, ="..."). A part of
 * raw; n == 0 for an empty one. */
struct str cell_bare(struct str raw);
/* cell_bare with every blank taken out and full-width ASCII made narrow, NUL-terminated. Gives
 * its length; -1, and an empty out, when it needs more than cap - 1 bytes. */
int cell_narrow(struct str raw, char *out, size_t cap);

#endif
