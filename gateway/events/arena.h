/* Where a decoded event's texts and arrays live: one arena a type, emptied by the next decode of
 * that type.
 *
 * avro-c allocates twice for each text; while an arena is current it is made to take that from
 * there, so that decoding costs no malloc. Private to gateway/events. */
#ifndef QIAO_EVENTS_ARENA_H
#define QIAO_EVENTS_ARENA_H
#include <stdbool.h>
#include <stddef.h>

struct chunk;
struct arena {
	struct chunk *chunks; /* newest first */
	size_t total, max;    /* bytes in chunks; what it may hold in this round */
	bool no_memory;	      /* in this round the system had none */
};

/* Empties it for an event that may need up to max bytes. Everything from the last round is gone. */
void arena_begin(struct arena *a, size_t max);
void arena_fini(struct arena *a);

/* The arena in use by this thread, NULL = none: avro-c then allocates as usual. */
void arena_use(struct arena *a);
void *arena_alloc(size_t n); /* from the arena in use, not zeroed. NULL past max or out of memory */

/* Makes avro-c allocate through us. Once a process, before its first use. */
void arena_adopt_avro(void);

#endif
