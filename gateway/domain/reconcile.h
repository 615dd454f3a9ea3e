/* Reconciliation: what two books say about the same payment, told apart into classes. Pure.
 *
 * Book A is ours, book B an agency's. Each side's word is brought down to a stand: the money is there (OK), it is not (FAILED), it is
 * under way (OPEN), nothing is said (NONE). Pairs are found in two merges over sorted entries, first by payment id, then, for entries
 * of B without one, by person, amount and date. Nothing is held but what the caller gives: a book of any size goes through in slices. */
#ifndef QIAO_DOMAIN_RECONCILE_H
#define QIAO_DOMAIN_RECONCILE_H
#include "domain/payment.h"
#include <stddef.h>

enum book { BOOK_TAX, BOOK_SSA, BOOKS };
const char *book_code(enum book b); /* "tax" "ssa" */
int book_of(struct str code);       /* -1: none of them */

enum stand { STAND_NONE, STAND_OPEN, STAND_OK, STAND_FAILED, STANDS };
/* How we stand towards that book: the bureau's has what was instructed, the SSA's what was fed back. NONE: it need not know. */
enum stand stand_of_facts(enum book b, uint32_t facts);
/* How it stands by the word of an entry of its own. book_word_of: a number for it, -1: no such word. */
int book_word_of(enum book b, struct str word);
const char *book_word(int number);
enum stand stand_of_word(int number);

/* domain: 1 both, same amount; 2 both, amounts differ; 3 A ok, B failed; 4 A ok, B none; 5 A failed, B ok; 6 A none, B ok; 7 both
 * failed. LATER: what one side has, the other may by right have later. NONE: neither side knows of money. */
enum book_class {
	BC_NONE,
	BC_SAME = 1,
	BC_AMOUNT,
	BC_FAILED_THERE,
	BC_MISSING_THERE,
	BC_OK_THERE,
	BC_UNKNOWN_HERE,
	BC_BOTH_FAILED,
	BC_LATER,
	BOOK_CLASSES
};
const char *book_class_code(enum book_class c);
bool book_class_differs(enum book_class c); /* a case for a person */

#define BOOK_RECEIPT 24
struct book_line { /* of either side */
	struct id pid, token;
	bool has_pid, has_token;
	uint8_t stand;      /* enum stand */
	uint8_t state;      /* ours: enum state; theirs: number of the word */
	int64_t amount_fen;
	int64_t entered;    /* ours: when it should have come into the book; theirs: unused */
	int64_t at;         /* ours: since when it stands so; theirs: their newest fact */
	int64_t ref;        /* ours: declaration; theirs: place in the book */
	char receipt[BOOK_RECEIPT];
};
struct reconcile_terms {
	int64_t from, as_of;  /* the book holds what was entered from `from` to `as_of` */
	int64_t grace_ms;     /* news younger than that at as_of may still be on the way to the other side */
	int64_t patience_ms;  /* what is expected for longer than that is missing */
	int64_t window_ms;    /* entries without id: dates may be so far apart */
};
/* Ten minutes, thirty days, thirty-one days. as_of 0: of the end of the period. */
struct reconcile_terms reconcile_terms_of(int64_t from, int64_t to, int64_t as_of);
/* a or b may be NULL (nothing there), not both. */
enum book_class reconcile_judge(const struct reconcile_terms *t, const struct book_line *a, const struct book_line *b);
/* Days that a pair of class LATER has been expected for at as_of. */
int64_t reconcile_age(const struct reconcile_terms *t, const struct book_line *a, const struct book_line *b);

/* Orders for qsort: by payment id and place; by person, amount, time and place. */
int book_line_by_pid(const void *a, const void *b);
int book_line_by_person(const void *a, const void *b);

/* Gets each pair; one of the two may be NULL. Non-zero stops the merge, which gives it back. */
typedef int reconcile_fn(void *arg, const struct book_line *a, const struct book_line *b);
/* Both sorted by pid, all with one; ours has each id once, a second entry of theirs with the same id comes alone. */
int reconcile_by_pid(const struct book_line *a, size_t a_count, const struct book_line *b, size_t b_count, reconcile_fn *fn, void *arg);
/* Both sorted by person; dates within the window meet, in the order of time. */
int reconcile_by_person(const struct reconcile_terms *t, const struct book_line *a, size_t a_count, const struct book_line *b,
			size_t b_count, reconcile_fn *fn, void *arg);

#endif
