/* The ledger: the authority on every declaration and payment (design, section 5). One SQLite file, one writer: the gateway.
 *
 * One transaction holds facts, history, positions, waiting, statistics and outbox together. Declarations, persons and submissions
 * are read through a cache that lives as long as the transaction and are written back once, at its end (ledger_commit): a record
 * touched by ten events costs one update. Nothing is deleted but outbox rows already on the bus and waiting entries that came due.
 *
 * A failed write leaves the transaction unusable: roll back and end the process; the supervisor starts it again from the last
 * commit. Only this directory and store/ know SQL. */
#ifndef QIAO_LEDGER_LEDGER_H
#define QIAO_LEDGER_LEDGER_H
#include "base/err.h"
#include "base/str.h"
#include "bus/bus.h"
#include "domain/payment.h"

enum { OUTBOX_TOPICS = 32 };
struct ledger;

/* Makes a new, empty ledger with an id of its own at epoch 1, its positions at the beginning. partitions: of each topic of the bus's
 * table, NULL = one each. ERR_CONF where one exists. */
int ledger_init(const char *path, const int *partitions, struct err *e);
/* For writing (the gateway). A restored copy (ledger_backup) becomes the living ledger here: epoch + 1, restored_at = now. */
int ledger_open(struct ledger **out, const char *path, int64_t cache_kib, int64_t now, const char *vfs, struct err *e);
void ledger_close(struct ledger *l);
/* Online copy, marked as a copy; *outbox_seq = the last outgoing event it knows. */
int ledger_backup(const char *path, const char *dst, int64_t *outbox_seq, struct err *e);

const char *ledger_mark(const struct ledger *l);  /* "<id hex>/<epoch>" for outgoing events */
int64_t ledger_restored_at(const struct ledger *l); /* 0 = never restored */
/* The version after `version` of something that readers keep by its highest one. Each epoch begins above whatever the one before may
 * have said after the backup was taken: room is more than that can ever be. */
int64_t ledger_next_version(const struct ledger *l, int64_t version, int64_t room);
int64_t ledger_outbox_seq(const struct ledger *l);  /* the last outgoing event decided */
int64_t ledger_outbox_sent(const struct ledger *l); /* the last of them known to lie on the bus */
/* How far the SSA's feed was followed: every partition of contributions is told, the slowest one counts. */
int64_t ledger_feed_as_of(const struct ledger *l);
void ledger_set_feed_as_of(struct ledger *l, int partition, int64_t as_of);

int ledger_begin(struct ledger *l, struct err *e);
/* Writes back what is dirty, then commits; durable when it returns 0. now: recorded_at of this transaction's history. */
int ledger_commit(struct ledger *l, struct err *e);
void ledger_rollback(struct ledger *l);
void ledger_set_now(struct ledger *l, int64_t now);

/* One for each partition; out holds BUS_PARTITIONS_MAX. ERR_SAFE: none. */
int ledger_positions(struct ledger *l, const char *topic, struct bus_position *out, int *count, struct err *e);
int ledger_position_put(struct ledger *l, const char *topic, const struct bus_position *p, struct err *e);

/* ---- submissions: one roster of one sender ---- */
enum sub_state {
	SUB_OPEN,       /* rows are being staged */
	SUB_INCOMPLETE, /* no Closed in time, or one that does not match */
	SUB_CHECKING,   /* complete; its rows are going through the form checks */
	SUB_WAITING,    /* checked; waits for a cover that passes the gates */
	SUB_FILING,     /* gates passed; its rows become payments */
	SUB_REFUSING,   /* refused as a whole by date: its rows are being answered so */
	SUB_FILED,      /* all rows answered; payments live on */
	SUB_EXPIRING,   /* the cut-off found it waiting: its rows are being answered so */
	SUB_ANNEXING,   /* an annex whose rows are answered: what it does not name is being taken out of the first roster */
	SUB_STATES
};
enum row_result { RES_NONE, RES_ACCEPTED, RES_MEND, RES_WAITING, RES_DONE, RES_STOPPED, RESULTS };

struct submission {
	int64_t no;
	struct id id, attempt;
	char receipt[11], sender[64], village[13], roster_sha256[65];
	int32_t year;
	int64_t received_at;
	enum sub_state state;
	int64_t first_no, last_no; /* declarations of the current attempt lie in this range */
	int64_t cursor;            /* the pass has done everything up to here; OPEN: when it must be closed */
	int64_t rows, amount_fen;  /* staged so far */
	struct id digest;
	bool stated;               /* the roster states a total */
	int64_t stated_total_fen;
	int sponsor_type;          /* enum sponsor_type, -1 until a cover passed */
	struct id sponsor;
	char sponsor_code[20];
	int64_t count[RESULTS], fen[RESULTS]; /* rows by current result */
	int64_t open_finals;       /* rows without a final answer */
	int32_t answer_version;
	char code[40], detail[48]; /* why it waits or was refused */
	bool dirty, answer_due;    /* in this transaction */
	bool held;                 /* the same: its pass came to the end and waits for the adoption (flow/adopt.c) */
};
/* Pointers stay valid until commit or rollback. *out is NULL when there is none. */
int submission_find(struct ledger *l, const struct id *id, struct submission **out, struct err *e);
int submission_get(struct ledger *l, int64_t no, struct submission **out, struct err *e);
int submission_add(struct ledger *l, const struct id *id, struct submission **out, struct err *e);
/* Those in a state, for passes and cut-off; first after `after`, of a year or any (0). */
int submission_next(struct ledger *l, int64_t after, enum sub_state state, int year, struct submission **out, struct err *e);
/* Calls fn for each submission touched in this transaction whose answer is due. */
int submission_each_due(struct ledger *l, int (*fn)(void *arg, struct submission *s, struct err *e), void *arg, struct err *e);

/* The newest cover of a submission (which may not be there yet), kept as it came (Avro). */
int cover_put(struct ledger *l, const struct id *submission, const struct id *cover, int64_t received_at, struct str event,
	      struct err *e); /* 1 taken, 0 an older one or a repeat */
int cover_get(struct ledger *l, const struct id *submission, struct buf *event, struct err *e); /* 1 found, 0 none */

/* ---- plans: of a sponsor, for a village, from its first year to its last; every version is kept ---- */
struct plan {
	char village[13];
	struct id sponsor, document; /* document: the version */
	int32_t first_year, last_year;
	int64_t received_at;
};
/* Keeps the version with its event as it came (Avro). 1 it is the newest of its plan now, 0 an older one or a repeat. */
int plan_put(struct ledger *l, const struct plan *p, struct str event, struct err *e);
/* The newest version of the plan that covers the year; of several the one that began last. 1 found, 0 none. */
int plan_find(struct ledger *l, struct str village, const struct id *sponsor, int year, struct id *document, struct err *e);
int plan_get(struct ledger *l, const struct id *document, struct buf *event, struct err *e); /* 1 found, 0 none */
/* Rosters of a village that wait for their papers, first after `after`. */
int plan_waiting_next(struct ledger *l, int64_t after, struct str village, struct submission **out, struct err *e);
/* The version under which a roster is filed: put down when its filing begins, so that a later one changes nothing. */
int filed_under_put(struct ledger *l, const struct submission *s, const struct id *document, struct err *e);
int filed_under(struct ledger *l, const struct submission *s, struct id *document, struct err *e); /* 1 found, 0 none */
/* An annex and the filed roster that it is to. */
int annex_put(struct ledger *l, const struct submission *s, const struct submission *first, struct err *e);
int annex_of(struct ledger *l, const struct submission *s, struct submission **first, struct err *e); /* NULL none */
int annex_keep(struct ledger *l, const struct submission *s, int64_t decl, struct err *e); /* names this row of the first */
/* Payments of the first roster, or of its other annexes, after `after` that the annex does not name. */
int annex_missing(struct ledger *l, const struct submission *s, const struct submission *first, int64_t after, int64_t *nos, int max,
		  int *count, struct err *e);
/* What the supervision committee says of a roster or a plan (by its id), as the cover or version `source` brought it: once, kept for good. */
struct supervision {
	struct id subject, source;
	int32_t date;
	struct str result, passed_by, document, note; /* all but result may have no value */
};
int supervision_put(struct ledger *l, const struct supervision *s, struct err *e);
/* What a sponsor has in a village and year: its live payments. Changes where cap B's reservation does. */
struct plan_use {
	char village[13];
	struct id sponsor;
	int32_t year;
	int64_t heads, fen;
	bool dirty;
};
int plan_use_get(struct ledger *l, const char *village, const struct id *sponsor, int year, struct plan_use **out, struct err *e);
int plan_use_add(struct ledger *l, const char *village, const struct id *sponsor, int year, int heads, int64_t fen, struct err *e);

/* ---- declarations: one roster row and, once filed, its payment ---- */
struct decl {
	int64_t no, sub;
	int32_t row_no;
	bool has_token, amount_known, voided, repeat; /* repeat: refers to a live payment, is no declaration of its own */
	struct id token, trace;
	int64_t amount_fen;
	int32_t member;            /* -1 unknown */
	uint32_t facts;
	char code[40], column[24]; /* current reason */
	/* payment; has_pid once filed */
	bool has_pid;
	struct id pid;
	int32_t year, sponsor_type;
	struct id sponsor;
	int32_t attempt, enquiry_attempt;
	int64_t instructed_at, doubt_at, due;
	int64_t tax_seq, credit_seq;
	int64_t paid_at, treasury_at;
	char receipt[48];
	int64_t next_of_person;    /* older payment of the same person and year, 0 = none */
	struct str identity;       /* sealed; lives until the transaction ends */
	/* answer */
	int32_t answer_version;
	enum row_result result;
	bool final;
	int64_t last_history;
	bool dirty, fresh, pid_fresh;
};
int decl_add(struct ledger *l, struct decl **out, struct err *e); /* next number */
int decl_get(struct ledger *l, int64_t no, struct decl **out, struct err *e);
int decl_set_pid(struct ledger *l, struct decl *d, const struct id *pid, struct err *e);
int decl_find_payment(struct ledger *l, const struct id *pid, struct decl **out, struct err *e); /* NULL none */
/* Declarations of a submission after `after`, up to max numbers into nos; not voided. */
int decl_numbers(struct ledger *l, const struct submission *s, int64_t after, int64_t *nos, int max, int *count, struct err *e);
int decl_void(struct ledger *l, struct submission *s, struct err *e); /* all of the current attempt */
/* Pending declarations after `after` (for the cut-off), of a year or any (0). */
int decl_pending(struct ledger *l, int64_t after, int year, int64_t *nos, int max, int *count, int64_t *looked, struct err *e);
int64_t decl_last(const struct ledger *l);
int decl_set_identity(struct ledger *l, struct decl *d, struct str sealed, struct err *e); /* of a new one */

/* Appends to the history of a declaration; chains it. note may be NULL. */
int history_add(struct ledger *l, struct decl *d, enum fact f, bool implied, const struct id *cause, int64_t effective_at,
		const char *note, struct err *e);
/* About a submission (attempt voided, closed, gates ...), or a year (cut-off: s NULL). */
int history_about(struct ledger *l, const struct submission *s, const char *what, const struct id *cause, int64_t effective_at,
		  struct err *e);
/* Rows first..last of a submission have its sponsor type from here on: one line for all of them. */
int history_typed(struct ledger *l, const struct submission *s, int64_t first, int64_t last, struct err *e);
/* Something two sides tell differently, for a person. One event tells it once, however often it is read. */
int difference_add(struct ledger *l, const struct decl *d, const char *kind, const char *detail, const struct id *cause,
		   struct err *e);

/* The same, where a kind and a detail are told about a declaration only once, whatever event tells it: 1 now, 0 before. */
int difference_once(struct ledger *l, const struct decl *d, const char *kind, const char *detail, const struct id *cause,
		    struct err *e);

/* ---- reversals: a payment that the bureau is asked to refund; the n-th of its payment ---- */
enum reversal_state { REV_REQUESTED, REV_ACCEPTED, REV_IN_DOUBT, REV_REFUSED, REV_REFUNDED, REV_STATES };
const char *reversal_state_code(enum reversal_state s);
struct reversal {
	struct id id;
	int64_t decl;
	int32_t n;                     /* 1, 2, ... */
	char reason[8], operator[100]; /* who decided */
	int64_t requested_at;
	enum reversal_state state;
	int32_t attempt, enquiry_attempt;
	int64_t doubt_at, due, sequence; /* the bureau's, of what it said last of the reversal */
};
/* The newest one of a declaration: 1 found, 0 none, -1. */
int reversal_last(struct ledger *l, int64_t decl, struct reversal *out, struct err *e);
int reversal_put(struct ledger *l, const struct reversal *r, struct err *e);

/* ---- persons: running sums for a token and year ---- */
struct person {
	struct id token;
	int32_t year;
	int64_t reserved_fen;      /* cap B */
	int64_t outside_fen;       /* cap B: what others subsidised that year, as the SSA knows it; reserved as well */
	int64_t head;              /* newest payment, chained by next_of_person; 0 none */
	int64_t mark_sub, mark_no; /* first row of this person in that submission */
	int64_t sequence;          /* the SSA's, highest seen */
	int32_t enquiry_attempt;
	int64_t enquiry_due;       /* 0 = nothing asked */
	int64_t checked_at;        /* as of when the SSA last told of the person, 0 never */
	int32_t eligible_until;    /* last day on which that word makes eligible (a date), 0 it does not */
	bool dirty, fresh;
};
int person_get(struct ledger *l, const struct id *token, int year, struct person **out, struct err *e); /* made when new */
/* The years of a token, newest first, up to max pointers. */
int persons_of(struct ledger *l, const struct id *token, struct person **out, int max, int *count, struct err *e);

/* ---- waiting: everything that must happen by a time ---- */
enum waiting { WAIT_ENQUIRY, WAIT_PAYMENT, WAIT_SUBMISSION, WAIT_REVERSAL /* ref: its declaration */ };
struct due {
	int64_t at, ref;
	enum waiting kind;
};
#define WAITING_MAX 1000 /* subjects kept together */
int waiting_put(struct ledger *l, int64_t at, enum waiting kind, int64_t ref, struct err *e);
/* Takes out up to max entries due by now (max at least WAITING_MAX). The caller checks that each is still wanted (its subject's own due time equals at). */
int waiting_take(struct ledger *l, int64_t now, struct due *out, int max, int *count, struct err *e);
/* When the next is due, those of this transaction among them; INT64_MAX none, 0 when the ledger cannot be read. */
int64_t waiting_next(struct ledger *l);

/* Results that came before their payment (a restored ledger behind its bus): kept, absorbed when the payment is filed. */
int early_put(struct ledger *l, const struct id *pid, struct str topic, const struct bus_event *ev, struct err *e);
int early_take(struct ledger *l, const struct id *pid, int64_t after, int64_t *at, struct buf *topic, struct buf *type,
	       struct buf *data, struct id *event_id, struct err *e); /* 1 one, 0 none */

/* ---- cut-off of a year: written once ---- */
struct cutoff {
	int year;
	int64_t at, cursor; /* the pass over pending declarations; -1 = done */
};
int cutoff_get(struct ledger *l, int year, struct cutoff *out, struct err *e); /* 1 there, 0 not yet */
int cutoff_put(struct ledger *l, const struct cutoff *c, struct err *e);
int ledger_years(struct ledger *l, int *years, int max, int *count, struct err *e); /* with declarations, newest first */

/* ---- outbox ---- */
/* Takes the event as decided; assigns the next seq. topic_index: place in the bus's table of topics. */
int outbox_add(struct ledger *l, int topic_index, const struct bus_event *ev, struct err *e);
/* For each topic and partition the last event, by its seq. */
struct outbox_marks {
	int64_t seq[OUTBOX_TOPICS][BUS_PARTITIONS_MAX];
};
/* The last events known to lie on the bus. */
const struct outbox_marks *outbox_delivered(const struct ledger *l);
/* Publishes everything committed and not known as delivered, in order, and flushes. Delivered ones are forgotten with the next
 * transaction. skip: seqs up to that are on the bus already (start only; NULL otherwise). ERR_SAFE once another gateway took over. */
int outbox_publish(struct ledger *l, struct bus *b, const struct outbox_marks *skip, struct err *e);
bool outbox_dirty(const struct ledger *l); /* delivered ones not yet forgotten on disk */

#endif
