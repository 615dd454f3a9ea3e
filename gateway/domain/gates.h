/* The gates of a case, judged by their own dates (domain.md 2.5; design, section 7). Pure. */
#ifndef QIAO_DOMAIN_GATES_H
#define QIAO_DOMAIN_GATES_H
#include "domain/calendar.h"
#include "domain/policy.h"

struct gate_fact {
	bool there;
	int date;	   /* the day it was passed; posting: its first day */
	int until;	   /* posting only: last day; DATE_NONE otherwise */
	bool cites_roster; /* its document cites this roster's digest */
	bool shown;	   /* the paper is shown: its digest; filed: the acceptance number */
};
enum gates_answer { GATES_PASSED, GATES_HELD, GATES_REFUSED };
/* received_on: the civil day on which the later of roster and cover was received, the filing day
 * when no filed gate is required or dated. HELD (waits, judged again with the next cover):
 * gate_missing, document_missing, gate_in_future, gate_roster_not_cited. REFUSED (by date only):
 * gate_out_of_order, posting_too_short, filed_too_late, calendar_unknown, filed_in_other_year.
 * *which is the gate. *why NULL when PASSED. Gates that the sponsor type does not need are
 * ignored.
 *
 * The gates are judged in their order and the first that does not hold decides; a filing day
 * outside of the year is refused as soon as it is reached. Order is by day, the same day is in
 * order; but what follows a posting comes after its last full working day. A posting without its
 * last day is missing. A filing gate that is there without a date counts for received_on. */
enum gates_answer gates_judge(const struct policy *p, const struct calendar *cal,
			      enum sponsor_type t, const struct gate_fact facts[GATES],
			      int received_on, enum gate *which, const char **why);
const char *const *gate_reason_codes(int *count);

#endif
