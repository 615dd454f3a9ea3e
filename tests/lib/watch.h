/* Looks at a ledger while a test lives in it: what each transaction wrote is compared with a count of its own, kept beside, so that
 * nothing need be counted anew. Triggers in the ledger's file name the rows that were touched.
 *
 * Holds at every look, or the test fails:
 *   - no row loses a fact but a doubt or what is said of a refund that did not come, and no end is left but by a refund
 *   - who was instructed is never rejected, withdrawn or expired
 *   - each cell of the statistics is the sum of the rows in it; the columns add up to declared, collected and kept
 *   - a person's reservation is the sum of what lives, never above the highest tier; no tuple lives twice */
#ifndef QIAO_TESTS_LIB_WATCH_H
#define QIAO_TESTS_LIB_WATCH_H
#include <stdint.h>

struct watch;
struct watch *watch_open(const char *ledger, int64_t highest_tier_fen);
void watch_look(struct watch *w);
int64_t watch_rows(const struct watch *w); /* looked at so far */
void watch_close(struct watch *w);

#endif
