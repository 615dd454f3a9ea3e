/* A batch: some events as the bytes of one row of a topic file (FORMAT.md). Pure; everything it
 * reads is bounded.
 *
 * The type of an event is in its kind, which the topic file holds; here it is only a number. */
#ifndef QIAO_BUS_BATCH_H
#define QIAO_BUS_BATCH_H
#include "base/buf.h"
#include "bus/bus.h"

enum {
	BATCH_EVENTS_MAX = 4096,
	BATCH_CRC_BYTES = 4,
	EVENT_BYTES_MAX = 4 << 20, /* one event as written; a larger one is refused */
};

/* How many bytes batch_put will append. */
size_t batch_event_bytes(uint32_t kind, const struct bus_event *ev);
int batch_put(struct buf *out, uint32_t kind, const struct bus_event *ev); /* -1: no room */
/* Appends the CRC of all from start on; -1: no room. */
int batch_seal(struct buf *out, size_t start);

/* Checks the CRC and gives the events' bytes; -1 where the blob is damaged. Borrows. */
int batch_open(struct str blob, struct cursor *events);
/* The next event, type left empty; -1 where there is none or it is damaged. The slices point into
 * the blob. */
int batch_get(struct cursor *events, uint32_t *kind, struct bus_event *ev);

#endif
