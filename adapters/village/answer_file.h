/* Putting the answer beside the roster: atomically, always the newest state, never over a file
 * that is not ours. */
#ifndef QIAO_VILLAGE_ANSWER_FILE_H
#define QIAO_VILLAGE_ANSWER_FILE_H
#include "adapters/village/village.h"

/* Writes the answer files of those submissions whose time has come, one submission at a time
 * until `until` (monotonic ms) has passed. Gives in *next when the next one is due (INT64_MAX:
 * none). A file that cannot be written is logged and tried later; -1 only for what must end the
 * program. */
int answer_files(struct village_role *v, int64_t until, int64_t *next, struct err *e);

#endif
