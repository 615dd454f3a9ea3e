/* The cover of a roster, and the plan of a sponsor (plan.c), which come the same way.
 *
 * The cover: sponsor, standards and the gates' dates, as JSON by
 * schemas/cover.schema.json. */
#ifndef QIAO_VILLAGE_COVER_H
#define QIAO_VILLAGE_COVER_H
#include "crypto/identity.h"
#include "events/events.h"
#include "flow/reference.h"

#define COVER_BYTES_MAX (256 << 10)
#define COVER_GATES_MAX (2 * GATES)
#define PLAN_SOURCES_MAX 8

struct cover {
	void *json; /* owns the texts that the event borrows */
	char roster_sha256[65];
	char number[24]; /* of an individual sponsor; never published */
	int64_t standards_fen[POLICY_AMOUNTS_MAX];
	struct ev_gate gates[COVER_GATES_MAX];
	/* All but submission_id, cover_id, received_at, and for an individual sponsor_id. */
	struct gate_documents event;
	bool individual;
	bool is_plan; /* by its key `plan`: then `plan` is filled, all but document_id and received_at */
	struct subsidy_plan plan;
	struct ev_source sources[PLAN_SOURCES_MAX];
};
/* Checks everything and says all that is wrong, in Chinese, a line each with its JSON path and
 * cure, in `wrong`; *code is the first reason. 0 good, -1 wrong (nothing to close), both with
 * nothing personal in code. today: date, the latest of dates. */
int cover_parse(struct cover *c, struct str json, const struct reference *ref, int today,
		struct buf *wrong, const char **code);
/* The sponsor's id; an individual is known by token only. */
void cover_sponsor(struct cover *c, struct keyring *keys);
bool cover_is_plan(struct str json); /* of a text that was taken before */
void cover_close(struct cover *c);

#endif
