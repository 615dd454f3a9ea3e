/* Fetching an agency's book of a period, page by page, when the gateway asks for it (topic requests), and publishing it on
 * books.<role>: BookOpened, an entry each, BookClosed with the agency's own totals.
 *
 *     GET /v1/book?year=Y&from=TIME&to=TIME&limit=N&cursor=C
 *
 * The position on requests is stored after BookClosed is durable. A program that dies before begins the book again under a new
 * attempt, which voids what the first one brought; so does a cursor that the agency has forgotten. A person without a payment id of
 * ours is told by its token; the number goes no further than the page. */
#ifndef QIAO_ADAPTERS_BOOKS_H
#define QIAO_ADAPTERS_BOOKS_H
#include "adapters/common/adapter.h"
#include "adapters/common/jsonin.h"
#include "adapters/common/peer.h"
#include "crypto/identity.h"

#define BOOK_PAGE 1000
#define BOOK_CURSOR 128
struct books {
	struct adapter *a;
	struct peer *peer;
	struct keyring *keys;
	struct bus_reader *reader;
	struct backoff backoff;
	struct idle idle;
	bool open; /* a book is being read */
	struct id run_id;
	int32_t year;
	int64_t from, to, attempt, seq, as_of, entries, unreadable; /* the last two since the start of the program */
	char cursor[BOOK_CURSOR];
};
int books_open(struct books *b, struct adapter *a, struct peer *peer, struct keyring *keys, struct err *e);
void books_close(struct books *b);
int books_turn(void *books, int64_t *wait_ms, struct err *e); /* a stream's turn */

#endif
