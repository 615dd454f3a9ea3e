/* The simulated tax bureau: its book of payments and what its endpoints do with it. Files:
 * tax_main.c options and routes, tax_batch.c what comes in, tax_reversals.c what is
 * to be refunded, tax_tell.c what is told (queries,
 * change feed), tax_odd.c what is told wrongly, tax_account.c the book of a period, tax_book.c the
 * book, its report and dump. */
#ifndef QIAO_AGENCIES_TAX_H
#define QIAO_AGENCIES_TAX_H
#include "tests/agencies/book.h"
#include "tests/agencies/idindex.h"
#include "tests/agencies/plants.h"
#include "tests/agencies/odd.h"
#include "tests/agencies/refusals.h"
#include "tests/agencies/server.h"

/* What an entry comes to, settled when it is made. */
enum fate {
	FATE_PAID,
	FATE_REFUNDED, /* paid, in the treasury, refunded */
	FATE_REFUSED,  /* + reason */
};
enum tax_kind { /* of the feed's runs */
	KIND_DECLARED, KIND_PAID, KIND_TREASURY, KIND_REFUNDED,
	KIND_REVERSED,	    /* rows: reversals that came; never shown */
	KIND_REVERSAL_DONE, /* rows: reversals; shown as the refund of their payment */
};
enum tax_state { TAX_ACCEPTED, TAX_PAID, TAX_IN_TREASURY, TAX_REFUNDED, TAX_REFUSED, TAX_STATES };
const char *tax_state_word(enum tax_state s);
const char *tax_reason(int64_t fate);		   /* NULL when it is none */
int tax_reason_of(struct str word, int64_t *fate); /* -1: no such reason */

struct tax_options {
	int64_t keys_none, key_window_ms, effect_delay_ms, query_delay_ms, settle_ms, refund_ms;
	int64_t refuse_permille, refund_permille, refuse_reversals_permille, feed_settled, seed;
	const char *plants_file;
	const char *treasury_from; /* a day, or NULL */
};
struct payment { /* a row of a batch, borrowing from it; or of the book, from the statement */
	struct id id;
	struct str cert_kind, number, name, payer_type, payer_code, village;
	int64_t year, amount_fen;
	int64_t entry;	 /* in the book; 0 = none */
	int64_t receipt; /* the first entry under the same receipt */
	int64_t fate;
};
struct reversal { /* a row of a batch of reversals, or of the book of them */
	struct id id, payment;
	struct str receipt, reason;
	int64_t amount_fen;
	int64_t no;    /* in the book; 0 = none */
	int64_t entry; /* of the payment; 0 = unknown */
	int64_t fate;  /* 0: refunded in time; else why refused */
};
struct tax {
	struct tax_options options;
	struct refusals refusals;
	struct plants plants;
	struct odd odd;
	int treasury_day; /* none comes to the treasury before */
	bool refunds; /* some payments will be refunded */
	struct book book;
	struct idindex index; /* payment id -> entries */
	struct idindex reversals; /* reversal id -> reversals */
	struct stmt *insert, *get, *range;
	struct stmt *reversal_insert, *reversal_get, *reversal_range, *reversal_of;
	struct payment *rows; /* ROWS_MAX: the batch at hand */
	struct reversal *undo; /* the same of reversals */
};
int tax_open(struct tax *t, const char *file, const char *clock, const char *refuse_file,
	     struct err *e);
void tax_close(struct tax *t);
int64_t tax_entries(const struct tax *t); /* so many were made: the number of the last */
void tax_insert(struct tax *t, const struct payment *p);
bool tax_get(struct tax *t, int64_t entry, struct payment *p); /* texts until stmt_reset(t->get) */
/* The newest entry of a payment whose effect lies at least delay_ms back, at most window_ms (0 =
 * without limit); 0 = none. */
int64_t tax_find(struct tax *t, const struct id *id, int64_t delay_ms, int64_t window_ms);
/* *run is the newest fact about it, *row its row there; *by the reversal that refunded it, or
 * zeros. */
enum tax_state tax_state_of(struct tax *t, int64_t entry, int64_t fate, const struct run **run,
			    int64_t *row, struct id *by);
int tax_read_ids(struct request *q, const char *name, struct id *ids); /* how many, -1 */
/* tax_tell.c: answers each id of that list by put, in order; one may be left out by a fault. Gives the status. */
int tax_answer_each(struct tax *t, struct request *q, struct out *o, const char *name,
		    void (*put)(struct tax *t, const struct id *id, struct out *o));
/* tax_reversals.c */
void tax_reversals_open(struct tax *t);
int64_t tax_reversal_of(struct tax *t, int64_t entry, bool done, struct id *id); /* 0 = none that was taken */
int64_t tax_put_reversals(struct page *p, const struct run *r, int64_t from_row); /* in the feed */
void tax_mature(struct tax *t);			      /* lets happen what is due */
void tax_put_receipt(struct out *o, int64_t receipt); /* quoted, 18 to 20 digits */

int tax_planted(const char *file, struct err *e); /* CSV on stdout */
int tax_report(const char *file, struct err *e); /* JSON on stdout */
int tax_dump(const char *file, struct err *e);	 /* CSV on stdout */

struct change { /* an entry of the feed, as it is told */
	struct id id;
	int64_t sequence, receipt, amount_fen, at; /* receipt 0: none */
	const char *status, *reason;
};
void tax_put_change(struct page *p, const struct change *c);
/* The entry of that kind about a payment, and what is odd about it. */
void tax_put_odd(struct page *p, enum tax_kind kind, const struct change *c, const struct change *paid);

route_fn tax_batches, tax_queries, tax_changes, tax_account, tax_reversals, tax_reversal_queries;

#endif
