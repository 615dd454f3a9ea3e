/* Rosters in bulk: any number of good rows of invented people, from a seed, written piece by piece
 * so that a file of a million rows needs no memory. As Excel in China saves them: GB18030, a title,
 * a head line, a total, a foot line. */
#ifndef QIAO_TESTS_LIB_BULK_H
#define QIAO_TESTS_LIB_BULK_H
#include "base/err.h"
#include <stdint.h>

#define BULK_YEAR 2026
struct bulk {
	uint64_t seed;
	const char *town, *village; /* as the head line says them */
	const char *code;	    /* of the village, 12 digits */
	uint32_t sponsor;	    /* another number, another collective */
	uint32_t first, count;	    /* people first .. first + count - 1 of the seed, a row each */
};
/* Writes the roster, and a cover for it that passes every gate on and after 2026-12-22: the
 * village's own collective is the sponsor. cover NULL: none. */
int bulk_write(const struct bulk *b, const char *roster, const char *cover, struct err *e);

#endif
