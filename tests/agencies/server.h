/* The HTTP side of a simulated agency: one thread, one request at a time, and the faults around
 * each.
 *
 * A route's function has the whole request in hand, does its work in the book's open transaction
 * and writes the answer; the server commits before anything of the answer goes out. Only this
 * file knows libmicrohttpd. */
#ifndef QIAO_AGENCIES_SERVER_H
#define QIAO_AGENCIES_SERVER_H
#include "tests/agencies/book.h"
#include "tests/agencies/faults.h"
#include "tests/agencies/json_out.h"
#include "tests/agencies/options.h"

enum {
	BODY_MAX = 4 << 20,
	ROWS_MAX = 1000,  /* a request */
	LIMIT_MAX = 5000, /* entries a feed's page */
	LIMIT_DEFAULT = 1000,
};
struct request {
	struct str body;   /* may be changed by who reads it */
	const char *after; /* cursor or "" */
	const char *limit; /* or NULL */
	const char *year, *from, *to, *cursor; /* of a book; or NULL */
	int missing;	   /* leave out the result of this row, counted modulo the rows; -1 none */
	bool twice;	   /* deliver each entry of the page twice */
	bool took;	   /* set by the route where it did one of these two */
};
/* The HTTP status; *o holds the body. */
typedef int route_fn(void *agency, struct request *q, struct out *o);
struct route {
	const char *method, *path;
	enum family family;
	route_fn *fn;
};
/* {"error":code,"message":text}; gives the status. */
int answer_error(struct out *o, int status, const char *code, const char *message);
/* The period and place that a request for a book asks for; -1 when it makes no sense. The cursor is the last row that was told. */
struct book_period {
	int64_t year, from, to, after, limit;
};
int request_book(const struct request *q, int64_t last, struct book_period *p);
/* The numbers of ?after=&limit=; -1 when they are none, or after is past the feed's last. */
int request_page(const struct request *q, int64_t last, int64_t *after, int64_t *limit);

struct server {
	const struct agency_options *options;
	const struct route *routes;
	int route_count;
	struct book *book;
	void *agency;
};
/* Listens on 127.0.0.1, tells where on stdout and in the port file, serves until SIGTERM or
 * SIGINT. */
int server_run(const struct server *s, struct err *e);

#endif
