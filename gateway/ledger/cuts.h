/* Day cuts: what the statistics were when a civil day ended, numbered, each with the digest of a canonical form that names the digest
 * of the one before it: a chain. Whoever keeps one digest, or a signature over it, can tell that nothing before it was changed.
 *
 * The canonical form, UTF-8 text, lines end with LF:
 *
 *   qiao-cut-1|<ledger id>/<epoch>|<number>|<day>|<ledger sequence>|<digest of the cut before, or 64 zeros>
 *   <year>|<village code>|<sponsor type>|<column>|<count>|<fen>
 *   ...
 *
 * one line for each column and total that is not empty (promise 3), lines in the order of their bytes. The digest is SHA-256 over all
 * of it, in lower-case hex. */
#ifndef QIAO_LEDGER_CUTS_H
#define QIAO_LEDGER_CUTS_H
#include "base/buf.h"
#include "ledger/read.h"

#define CUT_DIGEST 65 /* hex and NUL */
struct cut {
	int64_t no, seq, made_at;
	int day;
	char ledger[ID_HEX + 24]; /* ledger_mark */
	char digest[CUT_DIGEST], before[CUT_DIGEST];
};
/* ---- the gateway ---- */
int cut_last_day(const struct ledger *l); /* the last day that was cut; of a new ledger the day before its first */
/* Cuts that day: in a transaction that has changed no statistics yet. */
int cut_make(struct ledger *l, int day, struct err *e);

/* ---- commands ---- */
/* In order of number; `before` is what the cut before says. fn gives non-zero to stop. */
int view_cuts(struct ledger_view *v, int (*fn)(void *arg, const struct cut *c), void *arg, struct err *e);
int view_cut(struct ledger_view *v, int64_t no, struct cut *out, struct err *e);      /* 1 there, 0 not */
int view_cut_of_day(struct ledger_view *v, int day, struct cut *out, struct err *e);  /* the same */
/* The canonical form, made anew from the log of the statistics; digest (CUT_DIGEST bytes) of it. */
int view_cut_form(struct ledger_view *v, const struct cut *c, struct buf *out, char *digest, struct err *e);

#endif
