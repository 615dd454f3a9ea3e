/* qiao-tax: the state of the program and what its files share.
 *
 *     main.c    start, streams, stop
 *     window.c  takes a window of events off the bus and sees it through to its stored position
 *     share.c   the partitions that this program has, and what of them was perhaps sent before
 *     plan.c    (pure) may this payment be sent, or must it be asked for first
 *     ask.c     queries by id
 *     send.c    batches of payments and of reversals: the only place from which money is moved
 *     answer.c  (pure) what the bureau's answers say
 *     follow.c  the bureau's change feed
 *     publish.c CollectionResult and its event ids */
#ifndef QIAO_ADAPTERS_TAX_TAX_H
#define QIAO_ADAPTERS_TAX_TAX_H
#include "adapters/common/adapter.h"
#include "adapters/common/books.h"
#include "adapters/common/feed.h"
#include "adapters/common/jsonout.h"
#include "adapters/common/pass.h"
#include "adapters/common/peer.h"
#include "adapters/tax/plan.h"
#include "crypto/identity.h"
#include "flow/reference.h"

/* Most events in a window; the position is stored when the results of all of them are durable. */
#define TAX_WINDOW WINDOW_MAX

enum tax_counter {
	C_PAYMENTS, C_REVERSALS, C_ENQUIRIES, C_ABSORBED, C_REPEATS, C_REJECTED, C_WINDOWS,
	C_BATCHES, C_SENT, C_ACCEPTED, C_REFUSED, C_DOUBT, C_RETRIED, C_HALVED, C_STRANGERS,
	C_QUERIES, C_ASKED, C_ASKED_KNOWN, C_ASKED_UNKNOWN, C_HELD_BACK, C_TOO_LATE,
	C_ANSWERED, C_UNKNOWN, C_CHANGES, C_CHANGES_REJECTED, TAX_COUNTERS
};
extern struct counter tax_counters[TAX_COUNTERS];
#define TALLY(c) (tax_counters[c].value++)
#define TALLY_ADD(c, n) (tax_counters[c].value += (n))

/* What goes to the bureau in batches and is asked for by id. */
enum trade { TRADE_PAYMENTS, TRADE_REVERSALS, TRADES };
struct trade_form {
	const char *send, *rows;	/* path, and the batch's list */
	const char *query, *ids, *id;	/* path, the question's list, and a row's own id */
	bool heads;			/* the control totals count persons */
};
extern const struct trade_form trade_forms[TRADES]; /* window.c */

/* one SubsidyPayment, PaymentReversal or PaymentEnquiry of the window; the last of several about one
 * subject */
struct tax_row {
	const struct bus_record *rec; /* lives as long as the window */
	enum trade trade;
	struct id subject; /* what the bureau knows it by: payment or reversal */
	struct id payment_id, token;
	bool enquiry, dead; /* dead: absorbed by a later one */
	int32_t attempt;    /* of the payment or reversal */
	int32_t enquiry_attempt;
	int64_t amount_fen;
	struct plan_payment facts;
	struct plan plan; /* when it was taken; at sending it is made anew */
	size_t at, len; /* its JSON in window.json */
	int same;	/* an enquiry that the query about this row answers too, or -1 */
};
struct window {
	bool open;
	struct tax_row rows[TAX_WINDOW];
	int count;
	struct idmap sent, enquiries; /* rows by subject */
	struct jsonout json;		  /* rows as the bureau wants them */
	int opened;			  /* identities */
	struct stage {
		struct pass ask, send, after; /* after: enquiries about what this window sends */
	} stages[TRADES];
};
struct tax {
	struct adapter adapter;
	struct peer peer;
	struct keyring *keys;
	struct reference *reference;
	struct bus_reader *reader;
	struct idle idle;
	struct backoff batches, queries;
	bool proven; /* the bureau answered a question about its health in this life */
	struct feed changes;
	struct books books;
	unsigned share;	/* the number of the reader's share that lanes describes */
	bool leads;	/* has partition 0: follows the bureau's feed */
	struct lane {	/* one partition of payments */
		bool ours, seen; /* seen: its mark moved in the open window */
		struct suspects suspects;
		struct repeats repeats;
	} lanes[BUS_PARTITIONS_MAX];
	struct window window;
	int64_t asked_at;     /* our clock before the query at hand: "unknown" holds as of then */
	struct idmap scratch; /* tokens or ids of one exchange */
	struct jsonout body;
	struct buf identity; /* an opened identity, for the moment of writing it */
};

/* window.c */
struct plan tax_plan(struct tax *t, const struct plan_payment *facts); /* as of now */
int tax_window_turn(void *tax, int64_t *wait_ms, struct err *e); /* a stream's turn */
bool tax_window_sending(const struct tax *t); /* only sending is left of the open window */

/* share.c: after each bus_read of payments, before what it gave is looked at */
int tax_share(struct tax *t, struct err *e);
/* How far the gateway's sequence was seen, for the next owner; durable with the next flush. */
int tax_share_save(struct tax *t, bool *saved, struct err *e);

/* ask.c: one exchange of that pass; *wait_ms > 0 when it failed and is to be tried again then */
int tax_ask(struct tax *t, enum trade trade, struct pass *p, int64_t *wait_ms, struct err *e);
/* send.c: the same for batches */
int tax_send(struct tax *t, enum trade trade, int64_t *wait_ms, struct err *e);
/* follow.c: a stream's turn */
int tax_follow(void *tax, int64_t *wait_ms, struct err *e);

/* publish.c. All publish a CollectionResult; durable with the next flush. */
int publish_fact(struct tax *t, const struct collection_result *r, const struct id *trace,
		 struct err *e); /* of the feed or a query */
struct verdict;
int publish_verdict(struct tax *t, const struct tax_row *row, const struct verdict *v,
		    const char *batch, struct err *e);
int publish_doubt(struct tax *t, const struct tax_row *row, const char *reason, struct err *e);
int publish_too_late(struct tax *t, const struct tax_row *row, struct err *e);
int publish_unknown(struct tax *t, const struct tax_row *enquiry, struct err *e);
/* Failed: tax_refused, by a 4xx. */
int publish_refused(struct tax *t, const struct tax_row *row, struct err *e);

#endif
