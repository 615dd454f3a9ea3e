/* What an agency's book says wrongly on purpose, so that a reconciliation has something to find: a file of lines
 *
 *     add,NUMBER,FEN,STATE,TIME      an entry without an id of the sender's, keyed in at the counter
 *     amount,PAYMENT_ID,FEN          another amount
 *     state,PAYMENT_ID,STATE,TIME    another state
 *     hide,PAYMENT_ID                not in the book
 *
 * It is read again with the first page of each book, and by an agency that was started in the middle of one. The rest of the agency knows
 * nothing of it. */
#ifndef QIAO_AGENCIES_PLANTS_H
#define QIAO_AGENCIES_PLANTS_H
#include "tests/agencies/json_out.h"
#include "tests/agencies/server.h"

enum { PLANTS_MAX = 200 };
enum plant_kind { PLANT_ADD, PLANT_AMOUNT, PLANT_STATE, PLANT_HIDE };
struct plant {
	enum plant_kind kind;
	struct id id;
	char number[32], state[24];
	int64_t amount_fen, at;
};
struct plants {
	const char *file; /* or NULL */
	struct plant at[PLANTS_MAX];
	int count;
	bool loaded;
};
struct told { /* an entry as the book tells it */
	const struct id *id; /* or NULL */
	struct str number;
	int64_t amount_fen, at, receipt; /* receipt 0: none */
	const char *state;
	struct str receipt_text;         /* instead */
};
/* A book being told: entries of a page, and on the last one those that were added and the totals. */
struct telling {
	struct plants *plants;
	struct out *out;
	bool silent; /* count only */
	int64_t written, count, amount_fen;
};
void plants_load(struct plants *p);
/* With what was planted; gives whether it is in the book at all. */
bool telling_put(struct telling *t, const struct told *entry);

/* Puts entry number i, if it is of the period. */
typedef void tell_fn(void *agency, struct telling *to, const struct book_period *p, int64_t i);
/* Answers GET /v1/book of an agency with entries 1 to last: a page, on the last one with the totals of all. Gives the status. */
int book_tell(struct plants *plants, struct request *q, struct out *o, int64_t last, int64_t now, tell_fn *tell, void *agency);

#endif
