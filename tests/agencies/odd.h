/* Odd answers on request: of a share of the payments (or persons) an agency's feeds say what is late, out of order, wrong or
 * nobody's, beside or instead of what is in its book. Who is befallen by what follows from id and seed, one kind each at most; the
 * book notes what was planted, in the transaction of the answer, so that a test can look whether all of it was found.
 *
 * SPEC is a comma list of kind:permille. What is wrong has a number far above all true ones, so nobody may believe a number alone.
 *
 *     no_paid        bureau: in the treasury, and 03 never told
 *     reordered      bureau: 03 behind 04
 *     older          bureau: 03 once more behind 04; SSA: a person's record as it was, behind the newer one
 *     two_receipts   bureau: 04 once more, under another receipt
 *     other_amount   bureau: 03 of another amount; SSA: a credit of another amount, before the true one
 *     refused_after  bureau: refused after 03; SSA: credit refused after it was given
 *     other_year     bureau: 03 two years before; SSA: the first answer about a person has the year before only
 *     stranger       both: about a payment that nobody handed in
 *     garbage        both: an entry that cannot be read
 *     debited        SSA: a debit that nothing asked for */
#ifndef QIAO_AGENCIES_ODD_H
#define QIAO_AGENCIES_ODD_H
#include "tests/agencies/book.h"

enum odd_kind {
	ODD_NO_PAID,
	ODD_REORDERED,
	ODD_OLDER,
	ODD_TWO_RECEIPTS,
	ODD_OTHER_AMOUNT,
	ODD_REFUSED_AFTER,
	ODD_OTHER_YEAR,
	ODD_STRANGER,
	ODD_GARBAGE,
	ODD_DEBITED,
	ODD_KINDS,
	ODD_NONE = ODD_KINDS,
};
struct odd {
	int64_t permille[ODD_KINDS], seed;
	bool any;
	struct book *book;
	struct stmt *plant, *planted;
};
/* spec NULL: nothing odd. ERR_CONF for a wrong one. */
int odd_open(struct odd *o, struct book *b, const char *spec, int64_t seed, struct err *e);
enum odd_kind odd_of(const struct odd *o, const struct id *subject);
/* Notes it; fine when it is there. subject: a payment's id in hex, or a person's number. */
void odd_plant(struct odd *o, enum odd_kind kind, struct str subject, const char *what);
void odd_plant_payment(struct odd *o, enum odd_kind kind, const struct id *payment, const char *what);
bool odd_planted(struct odd *o, enum odd_kind kind, struct str subject);
struct id odd_person(struct str number);	     /* an id by which chance may choose */
struct id odd_stranger(const struct id *payment);    /* an id that is nobody's */
int64_t odd_sequence(enum odd_kind kind, int64_t true_one);

/* Prints kind,subject,what on stdout. */
int odd_dump(const char *file, const struct store_kind *kind, struct err *e);

#endif
