/* Inside the flow only. One file for each subject: intake (rosters come in), filing (rows become payments), contributions
 * (who is eligible), collections (what the bureau did), credits, waiting (what came due), answers (what people are told). */
#ifndef QIAO_FLOW_INTERNAL_H
#define QIAO_FLOW_INTERNAL_H
#include "base/log.h"
#include "flow/flow.h"
#include "ledger/adopted.h"
#include "ledger/stats.h"

enum {
	C_ROWS, C_SUBMISSIONS, C_REPEATED_SUBMISSIONS, C_VOIDED_ATTEMPTS, C_COVERS, C_OLD_COVERS, C_PLANS, C_OLD_PLANS, C_FILED, C_REJECTED, C_REPEATS,
	C_ENQUIRIES, C_KNOWN, C_STATUSES, C_OLD_STATUSES, C_INSTRUCTED, C_INSTRUCTED_AGAIN, C_RESULTS, C_OLD_RESULTS, C_EARLY, C_DOUBTS,
	C_PAYMENT_ENQUIRIES, C_FAILED, C_PAID, C_IN_TREASURY, C_REFUNDED, C_CREDITED, C_CREDIT_REFUSED, C_DEBIT_REFUSED, C_EXPIRED, C_WITHDRAWN,
	C_DIFFERENCES, C_REVERSALS, C_REVERSALS_REFUSED,
	C_ADOPTED, C_OPERATIONS, C_OPERATIONS_REFUSED, C_REJECTS, C_REJECTS_RELEASED, C_REJECTS_DISCARDED, C_FLOWS_STOPPED, C_TRANSACTIONS,
	C_EVENTS_OUT, FLOW_COUNTERS
};
extern struct counter flow_counter[FLOW_COUNTERS];
#define COUNT(which) (flow_counter[which].value++)

enum { IN_SUBMISSIONS, IN_OPERATIONS, IN_CONTRIBUTIONS, IN_COLLECTIONS, IN_CREDITS, IN_BOOKS_TAX, IN_BOOKS_SSA, INPUTS };

/* The last events of an input: which of them were rejected. Where too many were, the input is not read until a person says so. */
enum { BREAKER_WINDOW = 1000, BREAKER_LEAST = 50 };
struct breaker {
	bool was_rejected[BREAKER_WINDOW]; /* a ring */
	int next, seen, rejected;
	bool stopped;
};
struct input {
	struct bus_reader *reader;
	struct breaker breaker;
	struct bus_position at[BUS_PARTITIONS_MAX]; /* as the ledger has them */
	int64_t adopted[BUS_PARTITIONS_MAX];        /* where it ended when a restored ledger adopted */
	int partitions;
};
struct flow {
	struct flow_parts p;
	struct input in[INPUTS];
	int out_topic[EVENT_TYPES];  /* index into topics[], -1 where the gateway does not produce it */
	int64_t now;                 /* of this turn */
	struct buf body, cover, plan, early[3], signed_text, released;
	int64_t *active;             /* submissions with a pass going on; negative: held until the adoption has read all */
	int active_count, active_cap;
	int64_t due_at;              /* when the next waiting entry is due */
	int64_t cutoff_looked;       /* when, by the clock */
	bool cutoff_going;
	bool rosters_unread;         /* this turn read some; there may be more */
	bool operations_held;        /* some wait for the end of the adoption, or of the release that brought them */
	struct reconcile *reconcile; /* the run that is going on */
	const struct id *releasing;  /* the operation that has a reject taken again just now, or NULL */
	bool rejected;               /* the event at hand */
	bool touched;                /* this turn wrote something */
};

/* emit.c */
int flow_emit(struct flow *f, enum event_type t, const void *event, struct str key, const struct id *id, const struct id *trace,
	      struct err *e);
int flow_reject(struct flow *f, const char *topic, const struct bus_record *r, const char *reason, const char *detail,
		struct err *e);
#define REJECT_BYTES_MAX ((size_t)256 << 10) /* of an event that are kept with its reject */
struct str id_str(const struct id *id);
/* Puts a submission's pass on the list of this process. */
int flow_activate(struct flow *f, int64_t sub, struct err *e);
int flow_wait(struct flow *f, int64_t at, enum waiting kind, int64_t ref, struct err *e);
/* How long to wait for the answer to the attempt-th enquiry: the first ones in even steps, then twice as long each time up to 64
 * times, so that an agency that is away for days finds no pile of them. */
int64_t flow_patience(int64_t first_ms, int32_t attempt);

/* answers.c: the only place that changes facts, statistics and answers of a declaration. */
struct said {
	enum row_result result;
	const char *code;
	const char *column;  /* or NULL */
	struct str detail;   /* or no value */
	const char *warning; /* or NULL */
};
/* Absorbs a fact: history (implied ones marked), statistics, reservation. Gives what became of it. */
int flow_fact(struct flow *f, struct decl *d, enum fact fact, const struct id *cause, int64_t effective_at, const char *note,
	      enum absorb *how, struct err *e);
int flow_declared(struct flow *f, struct decl *d, struct err *e);      /* a new row enters the statistics */
int flow_forget(struct flow *f, struct decl *d, struct err *e);        /* a repeating row leaves them */
int flow_void(struct flow *f, struct submission *s, struct err *e);    /* all rows of an unclosed attempt leave them */
/* A fact is taken away by an answer; the history says so. */
int flow_cleared(struct flow *f, struct decl *d, enum fact fact, const struct id *cause, const char *note, struct err *e);
int flow_typed(struct flow *f, struct decl *d, int sponsor_type, struct err *e); /* moves to its sponsor type's key */
int flow_answer(struct flow *f, struct decl *d, const struct said *s, struct err *e);
int flow_answer_submissions(struct flow *f, struct err *e);
enum row_result flow_result_of(struct str word);
int flow_publish_statistics(struct flow *f, struct err *e);

/* one function an event type; r->event.data is decoded inside. -1 only when the process must end. */
typedef int event_fn(struct flow *f, const struct bus_record *r, struct err *e);
event_fn on_tax_book, on_ssa_book;
event_fn on_submission_opened, on_subsidy_declared, on_submission_closed, on_gate_documents, on_subsidy_plan;
event_fn on_operation, on_contribution_status, on_feed_reached, on_collection_result, on_credit_result;
/* Decodes or, when it cannot be, rejects: 1 decoded, 0 rejected, -1 error. */
int flow_decode(struct flow *f, const char *topic, const struct bus_record *r, enum event_type t, void *event, struct err *e);

/* plans.c */
/* Keeps what the supervision committee says of a roster or plan, whenever it comes; it blocks nothing. */
int supervision_of(struct flow *f, const struct id *subject, const struct id *source, const struct ev_gate *gates, int count,
		   struct err *e);
/* The plan under which a roster of the sponsor is filed, or would be: 1 found, valid until the next plan is decoded; 0 none. */
int plan_of_case(struct flow *f, const struct submission *s, const struct id *sponsor, struct subsidy_plan *out, struct err *e);
/* *why NULL: one more payment of the amount stays within the plan; else the reason, and in room what is left. */
int plan_fits(struct flow *f, const struct submission *s, const struct subsidy_plan *plan, int64_t amount_fen, const char **why,
	      char *room, size_t cap, struct err *e);
/* filing.c */
int filing_start(struct flow *f, struct submission *s, const struct id *cause, struct err *e); /* closed, or a cover came */
int filing_step(struct flow *f, struct submission *s, int64_t *rows, struct err *e); /* adds what it did to *rows */
int filing_expire(struct flow *f, struct submission *s, struct err *e); /* cut-off: waits no longer */
bool filing_going(enum sub_state s);                                    /* a pass goes through its rows */
/* corrections.c */
/* An annex: the filed roster that its cover names; NULL and the reason why not yet or not at all. */
int annex_first(struct flow *f, const struct submission *s, const struct gate_documents *cover, struct submission **first,
		const char **why, struct err *e);
/* A row of an annex and the live payment of its tuple, or NULL. *why NULL: it may stand; a lower one was withdrawn for it. */
int annex_row(struct flow *f, struct submission *s, const struct submission *first, struct decl *d, struct decl *live,
	      const struct id *cause, const char **why, struct err *e);
/* A step through what the annex does not name; *more: there is more of it. */
int annex_take_out(struct flow *f, struct submission *s, int64_t *rows, bool *more, struct err *e);
/* A roster was filed: annexes to it may wait. */
int annex_wake(struct flow *f, const struct submission *first, struct err *e);
/* Takes a declaration out that is staged or pending: fact, statistics, reservation, final answer `withdrawn`. why: the history's note,
 * nothing personal. 1 taken out, 0 it has ended or was instructed already and nothing changed. */
int withdraw_row(struct flow *f, struct decl *d, const char *why, const struct id *cause, struct err *e);
/* persons.c */
/* What is reserved of cap B for the person and those linked, of that year. */
int cap_b_used(struct flow *f, const struct person *who, int64_t *fen, struct err *e);
/* The same without this payment and what comes behind it: pending ones of linked tokens that were filed later. */
int cap_b_before(struct flow *f, const struct decl *d, int64_t *fen, struct err *e);
/* Keeps what the SSA tells of others' subsidies for the person's year, the reservation `outside`; true: it has grown. */
bool outside_learnt(struct person *who, const struct contribution_status *ev);
/* It has: where what was instructed is above the tier with it, that is a difference `cap_b_outside`. */
int outside_judged(struct flow *f, const struct person *who, const struct id *cause, struct err *e);
/* A live payment of the same sponsor and year under another token of the person, or NULL. */
int linked_payment(struct flow *f, const struct submission *s, const struct decl *d, struct decl **live, struct err *e);
/* filing.c: the first id of the tuple whose payment has not ended; *live is that payment when there is one. */
int find_tuple(struct flow *f, const struct submission *s, const struct id *token, const struct person *who, struct id *pid,
	       struct decl **live, struct err *e);
/* contributions.c */
int enquire(struct flow *f, struct decl *d, struct person *p, struct err *e);
/* A good row of a complete roster that waits for its papers: the SSA is asked at once; again when it did not answer. */
int check_before_vote(struct flow *f, struct decl *d, struct err *e);
int check_again(struct flow *f, struct decl *d, struct person *who, struct err *e);
/* A payment just filed: instructed where the SSA's last word makes it eligible and still stands, else the SSA is asked. */
int ask_or_know(struct flow *f, struct decl *d, const struct submission *s, struct person *who, const struct id *cause, struct err *e);
int give_up(struct flow *f, struct decl *d, struct err *e); /* pending, and the last day for instructing is over */
/* collections.c */
int instruct(struct flow *f, struct decl *d, const struct submission *s, const struct id *cause, struct err *e);
int instruct_again(struct flow *f, struct decl *d, const struct id *cause, struct err *e);
int absorb_early(struct flow *f, struct decl *d, struct err *e);
int payment_enquire(struct flow *f, struct decl *d, struct err *e);
/* The bureau says, as of told_at, that it knows nothing of what is in doubt since doubt_at: may it be sent again? While idempotency keys
 * protect (keyed_from: the first sending; 0 = they do not), or past the settlement delay. Else *look_at: when to ask once more. */
bool never_came(const struct flow *f, int64_t keyed_from, int64_t doubt_at, int64_t told_at, int64_t *look_at);
/* Something that the two sides tell differently, for a person; the payment stays as it is. */
int payment_differs(struct flow *f, struct decl *d, const char *kind, const char *detail, const struct id *cause, struct err *e);
/* reversals.c */
int reversal_due(struct flow *f, const struct due *due, struct err *e);
int reversal_result(struct flow *f, struct decl *d, const struct collection_result *ev, const struct id *cause, struct err *e);
/* The bureau refunded the payment, asked by us or by itself. */
int reversal_refunded(struct flow *f, struct decl *d, const struct collection_result *ev, const struct id *cause, struct err *e);
/* operations.c: what people decide. A kind's function does it, or names in *refused why not (a code of the operators' texts). cause: the
 * operation's id. */
typedef int operation_fn(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e);
int operations_step(struct flow *f, struct err *e); /* those held during an adoption, after it */
operation_fn withdraw_operation, link_operation, unlink_operation;
operation_fn reconcile_operation, difference_assign_operation, difference_resolve_operation;
/* rejects.c: rejects taken again or discarded, inputs that stopped */
operation_fn release_operation, discard_operation, resume_operation;
/* Does a kind's operation need a second person? Or names in *refused why it comes to nothing. */
typedef int operation_two_fn(struct flow *f, const struct operation *op, bool *two, const char **refused, struct err *e);
operation_two_fn reject_needs_two;
int breakers_load(struct flow *f, struct err *e);
/* After each event of an input: stop reading it? */
bool breaker_trips(struct flow *f, int input);
/* Puts the stop down; the caller puts down where reading goes on. */
int breaker_stop(struct flow *f, int input, struct err *e);
operation_fn reversal_start; /* subject: the payment; argument: the reason, 03 or 04 */
/* adopt.c: what a restored ledger takes over from the bus */
enum adopt_claim { CLAIM_NONE, CLAIM_TAKEN, CLAIM_OTHER_AMOUNT };
int adopt_take(struct flow *f, struct err *e);  /* all decisions, before the bus is written or an input read */
int adopt_known(struct flow *f, struct err *e); /* what they mean for declarations of the copy */
int adopt_ends(struct flow *f, struct err *e);
bool adopt_reading(const struct flow *f);
int adopt_step(struct flow *f, struct err *e);  /* at the end of a turn */
/* A row of a pass: *done when it was decided by the life that was lost, and stands so now. */
int adopt_row(struct flow *f, struct submission *s, struct decl *d, bool *done, struct err *e);
/* A row that the lost life told nothing: claims a payment of its tuple that no row has. Other amount: detail names the first. */
int adopt_tuple(struct flow *f, struct submission *s, struct decl *d, enum adopt_claim *claim, char *detail, size_t cap, struct err *e);
/* An answer that must not go out, because of one that did. row_no 0: of the submission, say NULL. */
int adopt_silences(struct flow *f, const struct submission *s, int row_no, const struct said *say, bool final, bool *silent,
		   struct err *e);
/* flow.c */
int flow_handle(struct flow *f, int input, const struct bus_record *r, struct err *e);
const char *flow_input(int input); /* its topic */
int64_t flow_epoch_of(struct str mark);
/* waiting.c */
int waiting_step(struct flow *f, struct err *e);
int cutoff_step(struct flow *f, struct err *e);
/* Cuts the days that have ended; behind: more are left, and nothing else may happen before they are cut. */
int day_cut_step(struct flow *f, bool *behind, struct err *e);

/* reconcile.c */
int reconcile_open(struct flow *f, struct err *e); /* a run that an earlier life left unfinished goes on */
void reconcile_close(struct flow *f);
int reconcile_step(struct flow *f, struct err *e);

#endif
