/* What a restored ledger adopts from the bus: decisions of the life that was lost, which lie on the gateway's own topics, newer than
 * the copy. They are facts: what was instructed is instructed, what was answered for good stays answered. flow/adopt.c reads them and
 * says what they mean; here is where they are kept.
 *
 * An adoption has phases, kept in the ledger: ORDERED by a person (qiao adopt); READING: all decisions are taken, and the inputs are
 * read once more up to where they ended then; ASKING: pending payments are asked for anew; then it is over. */
#ifndef QIAO_LEDGER_ADOPTED_H
#define QIAO_LEDGER_ADOPTED_H
#include "ledger/ledger.h"

enum adoption { ADOPT_NONE, ADOPT_ORDERED, ADOPT_READING, ADOPT_ASKING };
struct adopting {
	enum adoption phase;
	int64_t from;	/* the copy's last outgoing event */
	int64_t cursor; /* READING: declarations of the copy judged so far, ASKING: asked; -1 = all */
	int64_t last_sub; /* ASKING: submissions up to this one were known when the reading ended */
	bool answers, events; /* there are some */
	bool open;	      /* payments without a declaration may be there */
};
const struct adopting *ledger_adopting(const struct ledger *l);
/* Within a transaction, like everything below that writes. */
int adopting_put(struct ledger *l, enum adoption phase, int64_t cursor, struct err *e);
/* The ledger is a copy that was opened, and nothing was decided since. */
bool ledger_woken(const struct ledger *l);
/* It is the living one from now on: a transaction of its own. */
int ledger_settle(struct ledger *l, struct err *e);
/* All decisions are taken in: outgoing events go on after last_seq, the epoch lies above last_epoch, on_bus is what is there. */
int adopted_all(struct ledger *l, int64_t last_seq, int64_t last_epoch,
		const struct outbox_marks *on_bus, struct err *e);
/* Where an input ended when the ledger adopted. */
int adopted_end_put(struct ledger *l, const char *topic, int partition, int64_t next,
		    struct err *e);
int adopted_end(struct ledger *l, const char *topic, int partition, int64_t *next, struct err *e);

struct adopted_payment {
	struct id pid, token, sponsor, event; /* event: the SubsidyPayment */
	int32_t year, sponsor_type, attempt; /* attempt 0: only enquiries are newer than the copy */
	int32_t enquiry,
		enquiry_of; /* the last PaymentEnquiry, and the attempt that it was about */
	char village[13];
	int64_t amount_fen, instructed_at, not_after;
	int64_t decl; /* whose payment it is; 0: of none (yet), and its amount is reserved */
};
/* Takes a SubsidyPayment or an enquiry (attempt 0) in; the highest attempts stay. *fresh: it was not known, and no declaration has it. */
int adopted_payment_put(struct ledger *l, const struct adopted_payment *p, bool *fresh,
			struct err *e);
int adopted_payment_get(struct ledger *l, const struct id *pid, struct adopted_payment *out,
			struct err *e); /* 1 found, 0 none */
/* The newest one of a person, year and sponsor that has no declaration. */
int adopted_payment_of(struct ledger *l, const struct id *token, int year, const struct id *sponsor,
		       struct adopted_payment *out, struct err *e);
int adopted_payment_claim(struct ledger *l, const struct id *pid, int64_t decl, struct err *e);

enum adopted_standing {
	TOLD,
	TAKEN,
	SUPERSEDED
}; /* TAKEN: the row stands as it was told; SUPERSEDED: it was told something since */
struct adopted_answer {
	struct id submission;
	int32_t row_no; /* 0: the answer to the submission itself */
	int32_t version;
	enum row_result result;
	char code[40], column[24], detail[64];
	bool final;
	bool has_pid;
	struct id pid;
	enum adopted_standing standing;
};
int adopted_answer_put(struct ledger *l, const struct adopted_answer *a,
		       struct err *e); /* the highest version stays */
int adopted_answer_get(struct ledger *l, const struct id *submission, int row_no,
		       struct adopted_answer *out, struct err *e);
int adopted_answer_stands(struct ledger *l, const struct adopted_answer *a,
			  enum adopted_standing standing, struct err *e);
/* Which row was told of this payment: 1 found. Looks through all: for rare use. */
int adopted_answer_of(struct ledger *l, const struct id *pid, struct id *submission, int *row_no,
		      struct err *e);

/* Events that were said and must not be said again: their ids are those that a second decision would have. */
int adopted_event_put(struct ledger *l, const struct id *id, struct err *e);
int adopted_event_there(struct ledger *l, const struct id *id, struct err *e); /* 1 yes, 0 no */

/* Declarations after `after` that are neither voided nor at their end; *looked -1 at the end. */
int adopted_decls(struct ledger *l, int64_t after, int64_t *nos, int max, int *count,
		  struct err *e);
/* Makes every key of the statistics due, so that each is told anew. */
void adopted_statistics(struct ledger *l);
/* A difference that no declaration has. */
int difference_about(struct ledger *l, const char *kind, const char *detail, const struct id *cause,
		     struct err *e);
#define UNCLAIMED "adopted_without_declaration"
/* Lists payments that no row claimed as differences; gives payments and answers that were left over. */
int adopted_leftovers(struct ledger *l, int64_t *payments, int64_t *answers, struct err *e);

/* For `qiao adopt`, while no gateway runs. */
struct adopt_info {
	bool copy; /* of qiao backup, and no gateway has gone on with it */
	enum adoption phase;
	char id[ID_HEX];
	int64_t outbox_seq;
};
int adopt_look(const char *path, struct adopt_info *out, struct err *e);
int adopt_order(const char *path, struct err *e);

#endif
