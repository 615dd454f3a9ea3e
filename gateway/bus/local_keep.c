#include "base/date.h"
#include "bus/local.h"
#include <string.h>

/* Retention: from the front of a topic, batches are dropped whose every event is older than the configured days and was read by
 * every group. Age counts from the newest event of the topic, not from a clock: a clock that runs away drops nothing. The batch
 * that holds the last event read by a group stays, because the group compares that event when it starts; so does the last batch,
 * which says where offsets go on. */
enum {
	DROP_MAX = 64,    /* batches a transaction: other writers and the WAL wait for it */
	MEMORY_KEYS = 64, /* keys of a topic that keeps the newest of each; with more, nothing is dropped from it */
};
struct newest { /* of each key met, in a topic that keeps the last */
	int count;
	struct {
		char key[64];
		int64_t offset;
	} at[MEMORY_KEYS];
};

static int floor_of(struct bus *b, const struct topic *t, int64_t end, int64_t *below, struct err *e);
static int find_bound(struct bus *b, struct outbound *o, int64_t last, int64_t below, int64_t horizon,
		      struct newest *memory, int64_t *bound, int *dropped, struct err *e);
static int needed(struct bus *b, const struct topic *t, int64_t offset, int count, struct newest *memory,
		  struct err *e);
static int newest_of(struct bus *b, const struct topic *t, struct str key, struct newest *memory,
		     int64_t *offset, struct err *e);

int keep_topic(struct bus *b, struct outbound *o, struct err *e)
{
	struct newest memory = {0};
	int64_t horizon, last, below, bound;
	int rc = stmt_step(o->newest, e), dropped;

	if (rc != 1)
		return rc;
	horizon = stmt_get_int(o->newest, 0) - b->retention_days * DAY_MS;
	last = stmt_get_int(o->newest, 1);
	stmt_reset(o->newest);
	if (floor_of(b, o->topic, last, &below, e) < 0)
		return -1;
	do {
		if (find_bound(b, o, last, below, horizon, &memory, &bound, &dropped, e) < 0)
			return -1;
		if (dropped == 0)
			return 0;
		stmt_int(o->drop, 1, bound);
		if (stmt_run(o->drop, e) < 0)
			return -1;
	} while (dropped == DROP_MAX);
	return 0;
}

/* Events below that were read by all and are compared by none. */
static int floor_of(struct bus *b, const struct topic *t, int64_t end, int64_t *below, struct err *e)
{
	struct store_options o = {.flags = STORE_READONLY, .vfs = b->vfs};
	static struct group_position at[POSITIONS_MAX];
	int count;

	*below = end;
	if (t->readers[0] == NULL)
		return 0;
	if (group_positions(b->dir, &o, at, POSITIONS_MAX, &count, e) < 0)
		return -1;
	for (int k = 0; k < 4 && t->readers[k]; k++) {
		bool known = false;

		for (int i = 0; i < count; i++)
			known |= strcmp(at[i].group, t->readers[k]) == 0 && strcmp(at[i].topic, t->name) == 0;
		if (!known)
			*below = 0;
	}
	for (int i = 0; i < count; i++)
		if (strcmp(at[i].topic, t->name) == 0 && at[i].at.next - 1 < *below)
			*below = at[i].at.next - 1;
	return 0;
}

/* Where dropping ends: the first batch that must stay, looking at DROP_MAX batches only. */
static int find_bound(struct bus *b, struct outbound *o, int64_t last, int64_t below, int64_t horizon,
		      struct newest *memory, int64_t *bound, int *dropped, struct err *e)
{
	int rc;

	*bound = 0;
	*dropped = 0;
	stmt_int(o->oldest, 1, last);
	stmt_int(o->oldest, 2, DROP_MAX);
	while ((rc = stmt_step(o->oldest, e)) == 1) {
		int64_t first = stmt_get_int(o->oldest, 0), after = first + stmt_get_int(o->oldest, 1);

		if (after > below || stmt_get_int(o->oldest, 2) >= horizon)
			break;
		if (o->topic->keep_last && (rc = needed(b, o->topic, first, (int)(after - first), memory, e)) != 0)
			break;
		*bound = after;
		++*dropped;
	}
	stmt_reset(o->oldest);
	return rc < 0 ? -1 : 0;
}

/* 1 where one of the events is the newest of its key, or might be. */
static int needed(struct bus *b, const struct topic *t, int64_t offset, int count, struct newest *memory,
		  struct err *e)
{
	struct topic_file *f = bus_look(b, t, e);
	struct buf hold;
	int rc = f ? 0 : -1;

	buf_init(&hold, SEGMENT_BYTES_MAX + EVENT_BYTES_MAX);
	for (int64_t at = offset; rc == 0 && at < offset + count; at++) {
		struct bus_record old;
		int64_t newest = 0;

		rc = topic_file_event(f, at, &hold, &old, e);
		if (rc == 1)
			rc = newest_of(b, t, old.event.key, memory, &newest, e);
		if (rc == 0)
			rc = newest <= at;
	}
	buf_fini(&hold);
	return rc;
}

static int newest_of(struct bus *b, const struct topic *t, struct str key, struct newest *memory,
		     int64_t *offset, struct err *e)
{
	struct bus_record last = {0};
	int i = 0;

	while (i < memory->count && !str_is(key, memory->at[i].key))
		i++;
	if (i == memory->count) {
		if (i == MEMORY_KEYS || str_copy(memory->at[i].key, sizeof memory->at[i].key, key) < 0)
			return 0; /* offset stays: seems to be needed */
		if (bus_last(b, t->name, key, &last, e) < 0)
			return -1;
		memory->at[i].offset = last.offset;
		memory->count++;
	}
	*offset = memory->at[i].offset;
	return 0;
}
