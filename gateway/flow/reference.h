/* The reference data of a running program, read from the files that conf names: policies (one a year), calendar, villages.
 * An unknown year has no policy: NULL, and the caller refuses. */
#ifndef QIAO_FLOW_REFERENCE_H
#define QIAO_FLOW_REFERENCE_H
#include "base/conf.h"
#include "domain/calendar.h"
#include "domain/policy.h"
#include "domain/village.h"

#define POLICY_YEARS_MAX 40
struct reference {
	struct policy policies[POLICY_YEARS_MAX];
	int policy_count;
	struct calendar calendar;
	struct villages villages;
};
/* All complaints of all files, each text beginning with the file's name. -1 when there is any. */
int reference_load(struct reference **out, const struct conf *c, struct complaints *why);
void reference_free(struct reference *r);
const struct policy *reference_policy(const struct reference *r, int year);

#endif
