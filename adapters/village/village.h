/* What the parts of qiao-village share: the program's state as one struct, its counters, and how
 * a refusal is told. */
#ifndef QIAO_VILLAGE_VILLAGE_H
#define QIAO_VILLAGE_VILLAGE_H
#include "adapters/common/adapter.h"
#include "adapters/village/spool.h"
#include "adapters/village/submissions.h"
#include "flow/reference.h"

enum village_counter {
	C_LOOKS,
	C_FILES_TAKEN,
	C_FILES_AGAIN,
	C_FILES_REFUSED,
	C_FILES_OURS,
	C_FILES_UNREADABLE,
	C_FILES_RETRIED,
	C_COVERS_TAKEN,
	C_COVERS_AGAIN,
	C_COVERS_REFUSED,
	C_ROSTERS_PUBLISHED,
	C_ROWS_PUBLISHED,
	C_ROWS_WITH_DEFECTS,
	C_COVERS_PUBLISHED,
	C_ANSWERS_KEPT,
	C_ANSWERS_OLD,
	C_ANSWERS_NOT_OURS,
	C_ANSWERS_REJECTED,
	C_FILES_WRITTEN,
	C_FILES_UNCHANGED,
	C_FILES_MOVED_ON,
	C_FILES_WRITE_FAILED,
	C_COUNT
};

struct village_role {
	struct role *role;
	struct adapter adapter;
	struct bus_reader *answers;
	struct keyring *keys;
	struct reference *reference;
	struct spool spool;
	struct submissions submissions;
	struct inbox *inbox;
	struct id *covers; /* accepted and not yet published, in the order in which they came */
	int cover_count, cover_cap;
};

static inline void village_count(struct village_role *v, enum village_counter c, int64_t n)
{
	v->role->counters.at[c].value += n;
}

/* Room for one more cover that waits: asked for before it is accepted. */
int village_reserve_cover(struct village_role *v, struct err *e);

#endif
