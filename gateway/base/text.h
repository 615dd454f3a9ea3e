/* Everything a person reads, by code: the one table code -> Chinese, English.
 *
 * Codes are the stable lower_snake words that also travel in events ("id_check_digit",
 * "waiting_cover"). Texts may hold {0} {1}, replaced by text_fill. A test proves that each code
 * that the domain can utter has both texts. */
#ifndef QIAO_BASE_TEXT_H
#define QIAO_BASE_TEXT_H
#include "base/buf.h"
#include "base/str.h"

enum lang { LANG_ZH, LANG_EN };

/* The text, or NULL for an unknown code. What a code needs: the message itself under `code`; for
 * row reasons also the cure (what the clerk does now) under `code` + ".cure". */
const char *text_get(const char *code, enum lang lang);
/* Never NULL: an unknown code is given back itself. */
const char *text_or_code(const char *code, enum lang lang);
int text_fill(struct buf *out, const char *text, const struct str *args, int count);
/* For the completeness test: i-th row, or NULL past the end. */
const char *text_code_at(int i);

#endif
