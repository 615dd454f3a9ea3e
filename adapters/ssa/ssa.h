/* qiao-ssa: the state of the program and what its files share. Nothing that is exchanged with the
 * SSA moves money, so whatever fails is tried again: the SSA drops repeats of a feedback item, and
 * a question or a statistic has no effect.
 *
 *     main.c       start, streams, stop
 *     work.c       one topic carried to one endpoint: window, batches, halving, position
 *     enquiries.c  enquiries -> who has paid what
 *     feedback.c   collected and refunded subsidies -> to be credited and debited
 *     statistics.c the newest statistics
 *     status.c     (pure) a person's record as the SSA tells it
 *     changes.c    the SSA's feed of persons whose record changed
 *     credits.c    the SSA's feed of credits and debits */
#ifndef QIAO_ADAPTERS_SSA_SSA_H
#define QIAO_ADAPTERS_SSA_SSA_H
#include "adapters/common/adapter.h"
#include "adapters/common/books.h"
#include "adapters/common/feed.h"
#include "adapters/common/jsonout.h"
#include "adapters/common/pass.h"
#include "adapters/common/peer.h"
#include "crypto/identity.h"

enum ssa_counter {
	C_ENQUIRIES, C_ANSWERED, C_FEEDBACK, C_TAKEN, C_REFUSED, C_STATISTICS, C_STATISTICS_SENT,
	C_ABSORBED, C_REJECTED, C_REQUESTS, C_RETRIED, C_HALVED, C_STRANGERS,
	C_CHANGES, C_CHANGES_REJECTED, C_FEED_REACHED, C_CREDITS, C_CREDITS_REJECTED, SSA_COUNTERS
};
extern struct counter ssa_counters[SSA_COUNTERS];
#define TALLY(c) (ssa_counters[c].value++)

struct work_row {
	const struct bus_record *rec; /* lives as long as the window */
	struct id key;		      /* rows with the same key are about the same thing */
	struct id subject;	      /* person token or payment id */
	bool dead;		      /* a newer one of the same key is in the window */
	bool refund;		      /* feedback: SubsidyRefunded */
	int32_t group;		      /* the year of an enquiry: goes out with its like only */
	int64_t version;	      /* of several with one key the highest counts */
	int64_t amount_fen;
	size_t at, len; /* its JSON in work.json */
};
struct ssa;
struct work;
struct work_kind {
	const char *topic, *path;
	const char *opened, *handed_over; /* in the audit; NULL: its events hold no identities */
	bool ordered; /* no row may overtake another: a refund must not come before its credit */
	enum event_type first, last; /* what the topic carries */
	/* One decoded event: work_add and JSON, or a reject. */
	int (*take)(struct work *w, const struct bus_record *r, enum event_type t,
		    const void *event, struct err *e);
	/* Head and foot of the request's body around the rows. */
	void (*head)(struct work *w, const int *rows, int count); /* sets work.batch where the request has an id */
	const char *foot;
	/* Publishes what the answer says; seen[i] is to be set for rows[i] that it is clear about.
	 * NULL in *why, or why the answer says nothing and all of it is asked again. */
	int (*answered)(struct work *w, const int *rows, int count, const json_t *root, bool *seen,
			const char **why, struct err *e);
	/* The SSA does not take this row: what to publish beyond the reject. May be NULL. */
	int (*refused)(struct work *w, const struct work_row *row, struct err *e);
};
struct work {
	const struct work_kind *kind;
	struct ssa *ssa;
	struct bus_reader *reader;
	struct backoff backoff;
	struct idle idle;
	bool open;
	int left_out; /* ordered: how often the answers left out the one row of the head */
	struct work_row rows[WINDOW_MAX];
	int count, identities; /* opened ones */
	struct id batch;       /* of the request at hand; zero: it has none */
	struct idmap keys;   /* rows by key */
	struct jsonout json; /* rows as the SSA wants them */
	struct pass pass;
};
struct ssa {
	struct adapter adapter;
	struct peer peer;
	struct keyring *keys;
	struct work enquiries, feedback, statistics;
	struct feed changes, credits;
	struct books books;
	unsigned share; /* of enquiries */
	bool leads;	/* has partition 0 of enquiries: follows the SSA's feeds */
	int64_t reached_as_of, reached_ms; /* of the last FeedReached; monotonic */
	struct idmap scratch;
	struct jsonout body;
	struct buf identity;
};

int work_open(struct work *w, struct ssa *s, const struct work_kind *kind, struct err *e);
void work_close(struct work *w);
int work_turn(void *work, int64_t *wait_ms, struct err *e); /* a stream's turn */
/* A new row for that key, or NULL when a row of at least that version is in the window already. Its
 * JSON follows: write it to w->json, then work_added. */
struct work_row *work_add(struct work *w, const struct bus_record *r, const struct id *key,
			  int64_t version);
int work_added(struct work *w, struct work_row *row, struct err *e);
/* 1 open (number and name in ssa->identity), 0 rejected, -1 error */
int work_identity(struct work *w, const struct bus_record *r, const struct id *token,
		  struct str sealed, struct str *number, struct str *name, struct err *e);

extern const struct work_kind enquiries_kind, feedback_kind, statistics_kind;
int changes_turn(void *ssa, int64_t *wait_ms, struct err *e);
int credits_turn(void *ssa, int64_t *wait_ms, struct err *e);

/* status.c: fills everything but token and attempt. entries holds at least STATUS_ENTRIES_MAX, outside
 * STATUS_OUTSIDE_MAX.
 * Slices live as long as the tree. */
#define STATUS_ENTRIES_MAX 400
#define STATUS_OUTSIDE_MAX 100
int status_read(const json_t *person, struct contribution_status *out, struct ev_outside *outside,
		struct ev_contribution *entries);

#endif
