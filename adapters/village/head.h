/* The head of a roster: 补助年度 / 乡镇（街道） / 村（居）, wherever and however people wrote it above the
 * header row. Pure. */
#ifndef QIAO_VILLAGE_HEAD_H
#define QIAO_VILLAGE_HEAD_H
#include "base/buf.h"
#include "base/str.h"

/* Appends a record folded: full-width ASCII narrow, each run of blanks one space, 0x1F between
 * cells, a line end behind. */
int head_fold(struct buf *out, const struct str *cells, int count);
/* From folded text: the year (of its label, else of the title when it names just one; 0 = none),
 * town and village ("" = none). */
void head_read(struct str folded, int *year, char *town, size_t town_cap, char *village,
	       size_t village_cap);

#endif
