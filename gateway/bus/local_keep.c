#include "base/date.h"
#include "bus/local.h"
#include <string.h>

/* Retention: from the front of a topic, batches are dropped whose every event is older than the
 * configured days and was read by every group. Age counts from the newest event of the topic, not
 * from a clock: a clock that runs away drops nothing. The batch that holds the last event read by a
 * group stays, because the group compares that event when it starts; so does the last batch, which
 * says where offsets go on. */
enum {
	DROP_MAX = 64, /* batches a transaction: other writers and the WAL wait for it */
	/* Keys of a topic that keeps the newest of each; with more, nothing is dropped from it. */
	MEMORY_KEYS = 64,
};
struct newest { /* of each key met, in a topic that keeps the last */
	int count;
	struct {
		char key[64];
		int64_t offset;
	} at[MEMORY_KEYS];
};
struct keep {
	struct local *bus;
	struct outbound *out;
	int64_t horizon; /* what is older may go */
	int64_t last;	 /* the last batch begins here and stays */
	int64_t below;	 /* events below that were read by all and are compared by none */
	struct newest memory;
};

static int find_limits(struct keep *k, struct err *e);
static int find_floor(struct keep *k, struct err *e);
static int find_bound(struct keep *k, int64_t *bound, struct err *e);
static int needed(struct keep *k, int64_t first, int64_t after, struct err *e);
static int newest_of(struct keep *k, struct str key, int64_t *offset, struct err *e);

int keep_topic(struct local *b, struct outbound *o, struct err *e)
{
	struct keep k = {.bus = b, .out = o};
	int64_t bound;
	int rc, dropped;

	rc = find_limits(&k, e);
	if (rc != 1)
		return rc;
	do {
		dropped = find_bound(&k, &bound, e);
		if (dropped <= 0)
			return dropped;
		stmt_int(o->drop, 1, bound);
		if (stmt_run(o->drop, e) < 0)
			return -1;
	} while (dropped == DROP_MAX);
	return 0;
}

/* 1, or 0 for an empty topic. */
static int find_limits(struct keep *k, struct err *e)
{
	struct stmt *newest = k->out->newest;
	int rc = stmt_step(newest, e);

	if (rc != 1)
		return rc;
	k->horizon = stmt_get_int(newest, 0) - k->bus->retention_days * DAY_MS;
	k->last = stmt_get_int(newest, 1);
	stmt_reset(newest);
	return find_floor(k, e) < 0 ? -1 : 1;
}

static int find_floor(struct keep *k, struct err *e)
{
	struct store_options o = {.flags = STORE_READONLY, .vfs = k->bus->vfs};
	static struct group_position at[POSITIONS_MAX];
	const struct topic *t = k->out->topic;
	int count;

	k->below = k->last;
	if (t->readers[0] == NULL)
		return 0;
	if (group_positions(k->bus->dir, &o, at, POSITIONS_MAX, &count, e) < 0)
		return -1;
	for (int i = 0; i < 4 && t->readers[i]; i++) {
		bool known = false;

		for (int g = 0; g < count; g++)
			known |= strcmp(at[g].group, t->readers[i]) == 0 &&
				 strcmp(at[g].topic, t->name) == 0;
		if (!known)
			k->below = 0;
	}
	for (int g = 0; g < count; g++)
		if (strcmp(at[g].topic, t->name) == 0 && at[g].at.next - 1 < k->below)
			k->below = at[g].at.next - 1;
	return 0;
}

/* Where dropping ends: the first batch that must stay, looking at DROP_MAX batches only. Gives how
 * many may go, or -1. */
static int find_bound(struct keep *k, int64_t *bound, struct err *e)
{
	struct stmt *oldest = k->out->oldest;
	int rc, dropped = 0;

	stmt_int(oldest, 1, k->last);
	stmt_int(oldest, 2, DROP_MAX);
	while ((rc = stmt_step(oldest, e)) == 1) {
		int64_t first = stmt_get_int(oldest, 0), after = first + stmt_get_int(oldest, 1);

		if (after > k->below || stmt_get_int(oldest, 2) >= k->horizon)
			break;
		if (k->out->topic->keep_last && (rc = needed(k, first, after, e)) != 0)
			break;
		*bound = after;
		dropped++;
	}
	stmt_reset(oldest);
	return rc < 0 ? -1 : dropped;
}

/* 1 where one of the events is the newest of its key, or might be. */
static int needed(struct keep *k, int64_t first, int64_t after, struct err *e)
{
	struct topic_file *f = local_look(k->bus, k->out->topic, e);
	struct buf hold;
	int rc = f ? 0 : -1;

	buf_init(&hold, SEGMENT_BYTES_MAX + EVENT_BYTES_MAX);
	for (int64_t at = first; rc == 0 && at < after; at++) {
		struct bus_record old;
		int64_t newest = 0;

		rc = topic_file_event(f, at, &hold, &old, e);
		if (rc == 1)
			rc = newest_of(k, old.event.key, &newest, e);
		if (rc == 0)
			rc = newest <= at;
	}
	buf_fini(&hold);
	return rc;
}

static int newest_of(struct keep *k, struct str key, int64_t *offset, struct err *e)
{
	struct newest *memory = &k->memory;
	struct bus_record last = {0};
	int i = 0;

	while (i < memory->count && !str_is(key, memory->at[i].key))
		i++;
	if (i == memory->count) {
		if (i == MEMORY_KEYS ||
		    str_copy(memory->at[i].key, sizeof memory->at[i].key, key) < 0)
			return 0; /* offset stays: seems to be needed */
		if (local_last(k->bus, k->out->topic->name, key, &last, e) < 0)
			return -1;
		memory->at[i].offset = last.offset;
		memory->count++;
	}
	*offset = memory->at[i].offset;
	return 0;
}
