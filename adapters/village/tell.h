/* Short answers in Chinese beside a file, NAME.回执.txt: a file that was refused, a cover. UTF-8
 * with BOM, CRLF. */
#ifndef QIAO_VILLAGE_TELL_H
#define QIAO_VILLAGE_TELL_H
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Writes it (body: lines parted by \n), or leaves it alone when it says so already. A file of
 * that name that is not an answer of ours is never touched: the next free name is taken. folder:
 * descriptor of the sender's folder. suffix: what of `name` the answer leaves out (".csv").
 * ERR_TEMP when it cannot be written now. */
int tell(int folder, const char *name, const char *suffix, struct str body, struct err *e);
/* Takes back what was told about a file that was accepted after all. Best effort. */
void tell_no_more(int folder, const char *name, const char *suffix);

#endif
