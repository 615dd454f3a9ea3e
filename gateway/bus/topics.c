#include "bus/bus.h"
#include "bus/local.h"
#include <assert.h>

/* Order matters to bus_backup: what is a consequence of another topic's events is copied before it
 * (see local_backup.c). */
const struct topic topics[] = {
	{"positions.tax", "tax", {NULL}, true},
	{"positions.ssa", "ssa", {NULL}, true},
	{"submissions", "village", {"gateway"}, false},
	{"operations", "qiao", {"gateway"}, false},
	{"enquiries", "gateway", {"ssa"}, false},
	{"contributions", "ssa", {"gateway"}, false},
	{"payments", "gateway", {"tax"}, false},
	{"collections", "tax", {"gateway"}, false},
	{"feedback", "gateway", {"ssa"}, false},
	{"credits", "ssa", {"gateway"}, false},
	{"statistics", "gateway", {"ssa"}, false},
	{"answers", "gateway", {"village"}, false},
	{"requests", "gateway", {"tax", "ssa"}, false},
	{"books.tax", "tax", {"gateway"}, false},
	{"books.ssa", "ssa", {"gateway"}, false},
	{"rejects.gateway", "gateway", {NULL}, false},
	{"rejects.village", "village", {NULL}, false},
	{"rejects.tax", "tax", {NULL}, false},
	{"rejects.ssa", "ssa", {NULL}, false},
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
