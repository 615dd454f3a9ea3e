/* Invented people, sponsors and their numbers: valid by the standards, made from a seed and an index alone, so that any number of
 * them can be made without remembering which there are already. */
#ifndef QIAO_TESTS_LIB_PEOPLE_H
#define QIAO_TESTS_LIB_PEOPLE_H
#include <stdint.h>

/* splitmix64: plain, seeded, the same everywhere. */
uint64_t chance_next(uint64_t *state);
uint32_t chance_below(uint64_t *state, uint32_t n); /* 0..n-1 */

struct invented {
	char number[19]; /* citizen ID (GB 11643) */
	char name[64];   /* as the registers have it */
	char phone[12];
	char ssa_no[15];
};
/* The i-th of a seed, born 1967..1999; of the first ten million of a seed no two have the same number, and none ends in 000. */
void invented_at(struct invented *p, uint64_t seed, uint32_t i);
/* A number with a right check digit; the date need not exist. */
void citizen_number(char out[19], const char prefix[6], int year, int month, int day, int order);
/* A unified social credit code (GB 32100) that begins with prefix (at most 8 characters). */
void credit_code(char out[19], const char *prefix, uint64_t *state);

#endif
