/* The agencies' own books against what the clerks were told and against the ledger's statement: the proof that nothing was paid
 * twice, lost, or told otherwise than it happened. */
#ifndef QIAO_TESTS_LIB_BOOKS_H
#define QIAO_TESTS_LIB_BOOKS_H
#include "tests/lib/outcomes.h"

struct agency_entry {
	struct id payment;
	int64_t amount_fen;
	int copies;
	char status[24];
};
struct agency_book {
	struct agency_entry *entries; /* by payment id */
	int count;
};
int agency_book_read(struct agency_book *b, struct world *w, enum part sim, struct err *e);
void agency_book_free(struct agency_book *b);
const struct agency_entry *agency_book_find(const struct agency_book *b, const struct id *payment);

/* A figure of `qiao statement --format json`: totals of a column. */
struct figure {
	int64_t count, fen;
};
struct statement_read {
	void *json;
	int status; /* exit status of the command */
	bool adds_up;
};
int statement_read(struct statement_read *s, struct world *w, struct err *e);
void statement_free(struct statement_read *s);
struct figure statement_total(const struct statement_read *s, const char *column);

/* Names on out whatever does not fit together; gives how many. All must be final. */
int books_compare(struct world *w, const struct outcomes *o, FILE *out);

/* What the gateway published, topic by topic: in the order of its outbox, where a repeat may only be what was there before, byte for
 * byte. Names differences on out; gives how many. */
int outbox_compare(const struct outcomes *o, FILE *out);

#endif
