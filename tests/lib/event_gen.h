/* Random events of every type from a seed, made from the descriptor tables; and their
 * comparison, member by member. */
#ifndef QIAO_TESTS_EVENT_GEN_H
#define QIAO_TESTS_EVENT_GEN_H
#include "events/types.h"

/* Any event struct fits in it, suitably aligned. */
union any_event {
	struct submission_opened submission_opened;
	struct subsidy_declared subsidy_declared;
	struct gate_documents gate_documents;
	struct subsidy_plan subsidy_plan;
	struct contribution_status contribution_status;
	struct collection_result collection_result;
	struct collection_statistics collection_statistics;
	struct subsidy_payment subsidy_payment;
	struct row_answer row_answer;
	struct rejected_event rejected_event;
	char bytes[512];
};

struct event_gen {
	uint64_t state; /* the seed; every value is a good one */
	char *pool;	/* texts and arrays of the last event */
	size_t used;
};
void event_gen_init(struct event_gen *g, uint64_t seed);
void event_gen_fini(struct event_gen *g);
uint64_t event_gen_next(struct event_gen *g);
/* Fills *out; what it points to is good until the next call. Dates and times lie within the
 * years 1970 to 2100. */
void event_gen_make(struct event_gen *g, enum event_type t, union any_event *out);

/* NULL when equal, else the name of the first member that differs. */
const char *event_differs(const struct shape *s, const void *a, const void *b);
/* Bytes that a member takes in its struct (of an array: the pointer). */
size_t member_size(enum member_kind k);

#endif
