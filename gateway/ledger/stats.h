/* Statistics by year, village and sponsor type: kept in the ledger in the same transaction as the facts, in memory between.
 *
 * Cells: one for each column of promise 3 and three running totals kept on their own (declared, collected, kept), so that "it adds
 * up" can fail. A touched key gets the next version and one CollectionStatistics event a transaction.
 *
 * Each transaction that touches keys also appends how these stand now to stat_log, under the ledger sequence: the last seq of the
 * history in that transaction. So every moment can be shown again (read.h, view_stats_at). Times there never go back, whatever the
 * clock does. */
#ifndef QIAO_LEDGER_STATS_H
#define QIAO_LEDGER_STATS_H
#include "domain/payment.h"
#include "ledger/ledger.h"
#include "domain/policy.h"

enum { ST_DECLARED_TOTAL = STAT_COLUMNS, ST_COLLECTED_TOTAL, ST_KEPT_TOTAL, STAT_CELLS };
struct stat_key {
	int32_t year;
	char village[13];
	int32_t sponsor_type; /* -1: no cover yet */
};
struct stat {
	struct stat_key key;
	int64_t version;
	int64_t count[STAT_CELLS], fen[STAT_CELLS];
	bool dirty;
	uint32_t changed; /* cells not written yet */
};
/* Adds declarations to a cell: how many, with how much; negative ones are taken from it. */
int stats_add(struct ledger *l, const struct stat_key *k, int cell, int64_t count, int64_t fen, struct err *e);
/* The column of a declaration as it stands. */
int stats_column(const struct decl *d);
bool stats_collected(uint32_t facts); /* paid at some time: counts in "collected" */
bool stats_kept(uint32_t facts);      /* collected and not on its way back */
int stats_each_dirty(struct ledger *l, int (*fn)(void *arg, struct stat *s, struct err *e), void *arg, struct err *e);
const char *stats_cell_code(int cell);         /* "declared", "collected", "kept", a column's */
const char *stats_type_code(int sponsor_type); /* "unknown" for -1 */

#endif
