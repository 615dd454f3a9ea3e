/* A gateway in one process on a temporary bus: the test plays village, tax bureau and SSA by publishing their events, turns the
 * flow until it rests, and reads what came out. For unit and fault tests of flow and ledger. */
#ifndef QIAO_TESTS_FLOW_WORLD_H
#define QIAO_TESTS_FLOW_WORLD_H
#include "base/clock.h"
#include "crypto/ids.h"
#include "flow/flow.h"
#include "ledger/operations.h"
#include "ledger/read.h"

#define FW_NOW "2026-12-24T09:00:00+08:00"
#define FW_VILLAGE "330603001008"
#define FW_VILLAGE_2 "330603001030"

struct flow_world {
	char dir[300], clock_file[340], ledger_path[340];
	struct conf conf;
	struct clock clock;
	struct reference *reference;
	struct codec *codec;
	struct bus *gateway_bus, *village_bus, *tax_bus, *ssa_bus, *qiao_bus;
	struct operators *operators;
	struct ledger *ledger;
	struct flow *flow;
	const char *vfs, *bus_vfs; /* of the ledger, of the gateway's bus: from the next fw_start on */
	int64_t events;  /* published by the test: makes event ids differ */
	int64_t sequence;
	bool no_plans; /* fw_cover brings no plan */
	bool lazy; /* publish without flushing; fw_flush does (bench) */
};
void fw_open(struct flow_world *w, const char *dir);
void fw_close(struct flow_world *w);
int fw_start(struct flow_world *w, struct err *e);  /* opens ledger and flow */
void fw_stop(struct flow_world *w);                 /* as a crash does: nothing is finished */
int fw_try_turns(struct flow_world *w, struct err *e); /* until nothing is left to do */
void fw_turns(struct flow_world *w);
void fw_flush(struct flow_world *w);
void fw_time(struct flow_world *w, const char *time);

struct fw_row {
	int person;        /* token is made from it; 0 = unreadable */
	int64_t amount_fen; /* -1 = unreadable */
	const char *defect; /* or NULL */
};
/* Publishes one event as its producer does (village, tax or ssa, by its topic). */
void fw_publish(struct flow_world *w, enum event_type t, const void *event, struct id key);
void fw_publish_as(struct flow_world *w, struct bus *b, enum event_type t, const void *event, struct id key);
/* A roster piece by piece. */
struct fw_draft {
	struct id sub, attempt, digest;
	int32_t rows;
	int64_t amount_fen;
};
struct fw_draft fw_draft_open(struct flow_world *w, const char *sender, const char *name, const char *village);
void fw_draft_rows(struct flow_world *w, struct fw_draft *d, const struct fw_row *rows, int count);
void fw_draft_close(struct flow_world *w, const struct fw_draft *d);
/* A roster of a sender; its id is made from sender and name. close: with a Closed that matches. */
struct id fw_roster(struct flow_world *w, const char *sender, const char *name, const char *village, const struct fw_row *rows,
		    int count, bool close);
/* A cover that passes all gates of its type and, for a collective, the plan that it needs. sponsor: made from the word. */
void fw_cover(struct flow_world *w, struct id submission, const char *village, enum sponsor_type t, const char *sponsor,
	      const char *received_at);
/* The same, apart. */
void fw_cover_put(struct flow_world *w, struct id submission, const char *village, enum sponsor_type t, const char *sponsor,
		  const char *received_at);
struct fw_plan {
	struct subsidy_plan event;
	struct ev_gate gates[8];
};
struct fw_plan fw_plan_of(const char *village, enum sponsor_type t, const char *sponsor); /* to be changed before it is put */
void fw_plan_put(struct flow_world *w, struct fw_plan *p);
/* A reversal as two persons decided it (reason 03 or 04): NULL, or the code of its refusal. Published before it returns. */
const char *fw_reverse(struct flow_world *w, struct id payment, const char *reason);
struct id fw_token(int person);
struct id fw_payment(enum sponsor_type t, const char *sponsor, int person, int n);
void fw_status(struct flow_world *w, int person, bool arrived, const char *as_of);
/* The same, of somebody who has paid, with what others subsidised for the year. */
void fw_outside(struct flow_world *w, int person, bool arrived, int year, int64_t outside_fen);
void fw_feed_reached(struct flow_world *w, const char *as_of);
void fw_result(struct flow_world *w, struct id payment, const char *state, int attempt, const char *at);
void fw_result_seq(struct flow_world *w, struct id payment, const char *state, int64_t sequence, int64_t amount_fen);
void fw_credit(struct flow_world *w, enum event_type t, struct id payment, int64_t amount_fen);

/* An operation as the command publishes it, signed by "anna" or "berta"; argument may be NULL. Gives its id. */
struct id fw_operation(struct flow_world *w, const char *kind, const char *subject, const char *argument, const char *operator);
/* What became of it: "done", "refused", "waiting_approval", "held", or "" when the gateway does not know it. *code (of 40) says why. */
const char *fw_outcome(struct flow_world *w, struct id operation, char code[40]);

/* How many events of a type are on its topic; the last one decoded into out (its struct), when out is given. */
int fw_count(struct flow_world *w, enum event_type t, void *out);
/* The current answer of a row (highest version); code "" when there is none. Asserts that versions are dense from 1. */
struct fw_answer {
	char result[16], code[40], detail[64], warning[40];
	int version;
	bool final;
};
struct fw_answer fw_answer_of(struct flow_world *w, struct id submission, int row_no);
/* Totals of the statement; asserts that it adds up and equals a recount. */
struct stat fw_statement(struct flow_world *w);

/* Rebuilds each row of a submission from its history and asserts that the projection is the same. Gives how many. */
int fw_rebuild(struct flow_world *w, struct id submission);

#endif
