/* The topic `answers` into the answer stores. */
#ifndef QIAO_VILLAGE_LISTEN_H
#define QIAO_VILLAGE_LISTEN_H
#include "adapters/village/village.h"

/* Takes one batch: the newest answer of each row and roster to disk, synced once a roster, then
 * the position. *count is how many events there were (0: nothing new). ERR_TEMP: nothing is
 * lost, the batch comes again. */
int listen_take(struct village_role *v, int *count, struct err *e);

#endif
