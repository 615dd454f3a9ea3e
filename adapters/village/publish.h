/* From the spool to the topic `submissions`. What is published is a function of the spool alone
 * (times included), so that a repeat after a crash says the same under the same ids; only seals
 * differ. */
#ifndef QIAO_VILLAGE_PUBLISH_H
#define QIAO_VILLAGE_PUBLISH_H
#include "adapters/village/village.h"

/* SubmissionOpened, a SubsidyDeclared for each data row, SubmissionClosed, flush; then the state
 * is `published`. Rows are streamed. A stop that is asked for in between is ERR_TEMP: nothing is
 * lost, the next start publishes the attempt anew. */
int publish_roster(struct village_role *v, struct submission *s, struct err *e);
/* GateDocuments, flush, state. */
int publish_cover(struct village_role *v, const struct id *cover, struct err *e);

#endif
