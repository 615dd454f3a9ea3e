/* Money: int64_t fen, never floating point. Pure. */
#ifndef QIAO_DOMAIN_MONEY_H
#define QIAO_DOMAIN_MONEY_H
#include "base/str.h"

/* A billion yuan: anything above is a slip, and the sum of a roster of any size stays within int64_t. */
#define MONEY_MAX_FEN INT64_C(100000000000)
/* A cell as people type it: "500", "500.00", "￥500", "500元", "1,200", full-width digits,
 * blanks. Gives fen. NULL when good, else amount_missing, amount_not_a_number, amount_negative,
 * amount_zero, amount_fraction (below one fen), amount_too_large. */
const char *money_parse(struct str raw, int64_t *fen);

#endif
