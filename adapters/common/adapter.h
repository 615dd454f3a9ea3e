/* What the adapters share: the loop of "read a batch, one exchange, publish, flush, store the
 * position", rejects and feed positions. The peer's side is in peer.h. An adapter remembers nothing
 * between two turns that is not on the bus.
 *
 * Outcomes of an event are four (design, section 8): done, retry (the peer never saw it: wait and
 * try the same batch again), reject (never: to rejects.<role> with its bytes), doubt (published as
 * such; asked by id later, never sent again blindly).
 *
 * Errors: a disk that is full or busy is waited for, some seconds at most; what then still is
 * ERR_TEMP ends the process with exit 3 and the supervisor starts it again. */
#ifndef QIAO_ADAPTERS_ADAPTER_H
#define QIAO_ADAPTERS_ADAPTER_H
#include "base/role.h"
#include "bus/bus.h"
#include "crypto/audit.h"
#include "events/events.h"

struct adapter {
	struct role *role;
	struct bus *bus;
	struct codec *codec;
	struct registry *registry; /* behind the codec, http/registry.h */
	struct buf body; /* scratch for encoded events */
	struct audit *audit;
};
/* Opens bus, codec and audit for the role. */
int adapter_open(struct adapter *a, struct role *role, struct err *e);
void adapter_close(struct adapter *a); /* what was not flushed is not sent */
/* Encodes and queues one event on its topic ("positions", "rejects", "books" get ".<role>"). trace
 * NULL: the event's own id. ERR_PERM: the event cannot be encoded; nothing was queued. */
int adapter_publish(struct adapter *a, enum event_type t, const void *event, struct str key,
		    const struct id *id, const struct id *trace, struct err *e);
/* The same, into a partition of the caller's choice (bus_publish_to). */
int adapter_publish_to(struct adapter *a, enum event_type t, int partition, const void *event,
		       struct str key, const struct id *id, struct err *e);
/* What was published before is durable when it returns 0. */
int adapter_flush(struct adapter *a, struct err *e);
/* One record for identities that are about to be handed over (crypto/audit.h), durable when it returns 0; on failure the caller
 * goes no further with them. note: for identities that were opened and stay in the process, durable with the next audit. count 0:
 * nothing is written. */
int adapter_audit(struct adapter *a, const char *purpose, const char *batch, int64_t count, struct err *e);
int adapter_note(struct adapter *a, const char *purpose, const char *batch, int64_t count, struct err *e);
#define AUDIT_PLACE 80
/* The batch of a window: the place of its first event, "payments/0:1234". */
const char *audit_place(char out[AUDIT_PLACE], const char *topic, const struct bus_record *first);
/* bus_store_position that waits for a full disk. */
int adapter_store_position(struct bus_reader *r, struct err *e);

/* Decodes one record of a topic that carries the event types [first, last]; anything else goes to
 * rejects.<role>. 1 decoded (*t says what, *event is filled; it must hold any of them), 0 rejected,
 * -1 error. */
int adapter_decode(struct adapter *a, const char *topic, const struct bus_record *r,
		   enum event_type first, enum event_type last, enum event_type *t, void *event,
		   struct err *e);
/* To rejects.<role>, with place and bytes. The flow goes on. */
int adapter_reject(struct adapter *a, const char *topic, const struct bus_record *r,
		   const char *reason, const char *detail, struct err *e);
/* The same for an entry of an outside feed: place is its sequence, bytes what may be shown of it
 * (jsonin_show). */
int adapter_reject_entry(struct adapter *a, const char *feed, int64_t sequence, const char *reason,
			 struct str bytes, struct err *e);

/* Last published position of an outside feed on positions.<role>; "" = follow from the start of the
 * feed (nothing was published yet on an initialised topic). ERR_SAFE when the position is there but
 * cannot be read. */
#define FEED_CURSOR_MAX 256
int feed_position_load(struct adapter *a, const char *feed, char *cursor, size_t cap,
		       int64_t *as_of, struct err *e);
/* Publishes it; durable with the next flush. */
int feed_position_save(struct adapter *a, const char *feed, const char *cursor, int64_t as_of,
		       struct err *e);

/* role_tick, and the schema registry's (http/registry.h): once in each turn of a loop. */
int adapter_tick(struct adapter *a, struct err *e);

/* The main loop: streams that stall alone, in one thread. Each is called when it is due and says in
 * how many milliseconds it wants to be called again (0: at once, after the others had their turn).
 * A turn is one exchange with the peer at most. */
struct stream {
	const char *name;
	int (*turn)(void *arg, int64_t *wait_ms, struct err *e);
	void *arg;
	int64_t due_ms; /* monotonic */
};
/* Until a stop is asked for (0) or a turn fails (-1). */
int adapter_run(struct adapter *a, struct stream *streams, int count, struct err *e);

/* Polling of the bus: from poll_min while events come to poll_max when nothing does. */
struct idle {
	int64_t min_ms, max_ms, ms;
};
void idle_init(struct idle *i, const struct conf *c);
int64_t idle_next(struct idle *i); /* nothing came: wait that long */
void idle_reset(struct idle *i);   /* something came */

#endif
