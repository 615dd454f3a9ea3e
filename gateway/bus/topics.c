#include "bus/bus.h"
#include "bus/local.h"
#include <assert.h>
#include <string.h>

/* Order matters to bus_backup: what is a consequence of another topic's events is copied before it
 * (see local_backup.c). */
/* name, producer, readers, keep_last, compact, single */
const struct topic topics[] = {
	{"positions.tax", "tax", {NULL}, true, true, true},
	{"positions.ssa", "ssa", {NULL}, true, true, true},
	{"submissions", "village", {"gateway"}, false, false, false},
	{"operations", "qiao", {"gateway"}, false, false, true},
	{"enquiries", "gateway", {"ssa"}, false, false, false},
	{"contributions", "ssa", {"gateway"}, false, false, false},
	{"payments", "gateway", {"tax"}, false, false, false},
	{"collections", "tax", {"gateway"}, false, false, false},
	{"feedback", "gateway", {"ssa"}, false, false, false},
	{"credits", "ssa", {"gateway"}, false, false, false},
	{"statistics", "gateway", {"ssa"}, false, true, false},
	{"answers", "gateway", {"village"}, false, false, false},
	{"requests", "gateway", {"tax", "ssa"}, false, false, true},
	{"books.tax", "tax", {"gateway"}, false, false, false},
	{"books.ssa", "ssa", {"gateway"}, false, false, false},
	{"rejects.gateway", "gateway", {NULL}, false, false, true},
	{"rejects.village", "village", {NULL}, false, false, true},
	{"rejects.tax", "tax", {NULL}, false, false, true},
	{"rejects.ssa", "ssa", {NULL}, false, false, true},
};
const int topic_count = sizeof topics / sizeof topics[0];
static_assert(sizeof topics / sizeof topics[0] <= TOPICS_MAX, "struct bus holds one place a topic");

const struct topic *topic_find(struct str name)
{
	for (int i = 0; i < topic_count; i++)
		if (str_is(name, topics[i].name))
			return &topics[i];
	return NULL;
}

bool topic_concerns(const struct topic *t, const char *role)
{
	bool does = strcmp(t->producer, role) == 0;

	for (int i = 0; i < 4 && t->readers[i]; i++)
		does = does || strcmp(t->readers[i], role) == 0;
	return does;
}
