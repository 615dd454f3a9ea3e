/* Lines and cells of our own reference files (calendar.csv, villages.csv): comma separated, no
 * quotes, BOM and CRLF accepted. Not for what people send: that is the village adapter's. Pure. */
#ifndef QIAO_DOMAIN_CSV_H
#define QIAO_DOMAIN_CSV_H
#include "base/str.h"

/* Takes the next line off the text, without its line end; false at the end. Skips a BOM at the
 * start of a text. */
bool csv_line(struct str *text, struct str *line);
/* Splits a line; gives the number of cells, which may exceed max (the rest is not stored). */
int csv_cells(struct str line, struct str *cells, int max);

#endif
