/* How an event says which schema it was written with.
 *
 * Without a schema registry: Avro's single-object encoding (C3 01, fingerprint). With one: the
 * framing of Confluent's serialisers (a zero byte, the registry's number of the schema in 4 bytes,
 * big endian). Both are read at any time, so that what was written before a change stays readable.
 *
 * Numbers come from outside, and who gives them is not known here. What a number means is compared
 * as a mark, never as text: a registry may give back another text for the same schema. */
#ifndef QIAO_EVENTS_FRAMING_H
#define QIAO_EVENTS_FRAMING_H
#include "events/events.h"

#define EVENT_NAMESPACE "cn.keqiao.qiao."

/* A schema by its name and the SHA-256 of its parsing canonical form. */
struct schema_mark {
	char name[128]; /* full name of the record, which is its subject too */
	uint8_t sha256[32];
};
/* ERR_CONF: no schema of a record, or one that is too large or refers to itself. */
int schema_mark_of(struct schema_mark *out, struct str avsc, struct err *e);
bool schema_mark_eq(const struct schema_mark *a, const struct schema_mark *b);

/* The schema that this program writes events of the type with, byte for byte as in schemas/. */
struct str event_schema(enum event_type t);

/* Who knows the numbers. Numbers are above 0. */
struct codec_ids {
	void *arg;
	/* The number of our own schema of the type. NULL: events are written in the single-object
	 * encoding. -1 with any class: the event is not encoded. */
	int (*id_of)(void *arg, enum event_type t, const struct schema_mark *own, int32_t *id,
		     struct err *e);
	/* What a number means: 1, 0 nobody knows (*e says who was asked), -1 it cannot be found out
	 * now; codec_decode then fails with that error. */
	int (*mark_of)(void *arg, int32_t id, struct schema_mark *out, struct err *e);
};
/* Copies ids; ids->arg must outlive the codec. A number once learned is not asked for again. */
void codec_use_ids(struct codec *c, const struct codec_ids *ids);

#endif
