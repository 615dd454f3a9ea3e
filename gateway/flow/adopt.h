/* The gateway's own events on the bus that a restored ledger knows nothing of: for the flow, which adopts them, and for `qiao adopt`,
 * which counts them. */
#ifndef QIAO_FLOW_ADOPT_H
#define QIAO_FLOW_ADOPT_H
#include "bus/bus.h"

struct adopt_source {
	struct bus *bus;
	char ledger_id[ID_HEX];
	int64_t seq; /* the last event that the ledger knows */
};
typedef int adopt_fn(void *arg, const char *topic, const struct bus_record *r, struct err *e);
/* Gives each newer event of this ledger, topic by topic, partitions in their order. ERR_TEMP where the end cannot be reached. */
int adopt_each(const struct adopt_source *from, adopt_fn *fn, void *arg, struct err *e);

#endif
