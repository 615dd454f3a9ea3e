/* An Avro schema as a small tree, read from its JSON text: what the bounded check, the mapping
 * and the canonical form are made from. Private to gateway/events. */
#ifndef QIAO_EVENTS_SCHEMA_H
#define QIAO_EVENTS_SCHEMA_H
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

#define SCHEMA_TEXT_MAX (256 * 1024)
#define SCHEMA_NAME_MAX 128
#define SCHEMA_DEPTH_MAX 32
#define SCHEMA_NODES_MAX 1024

enum schema_type {
	SCH_NULL, /* primitive up to SCH_STRING */
	SCH_BOOLEAN,
	SCH_INT,
	SCH_LONG,
	SCH_FLOAT,
	SCH_DOUBLE,
	SCH_BYTES,
	SCH_STRING,
	SCH_RECORD, /* named up to SCH_FIXED */
	SCH_ENUM,
	SCH_FIXED,
	SCH_ARRAY,
	SCH_MAP,
	SCH_UNION,
	SCH_TYPES
};

enum schema_default {
	DEFAULT_NONE,
	DEFAULT_EMPTY, /* null, false, 0, "", []: the only ones that our own schemas use */
	DEFAULT_OTHER,
};

struct json_t;
struct schema_node {
	enum schema_type type;
	bool again;	/* a type named before, by its name: children are those of the definition */
	bool recursive; /* again, and inside its own definition: no children */
	bool open;	/* its definition is being read */
	char name[SCHEMA_NAME_MAX]; /* full name of a named type, else "" */
	const char *logical;	    /* logicalType or NULL */
	uint32_t size;		    /* fixed: bytes; enum: symbols */
	uint32_t count;		    /* children: fields, branches, 1 for array and map */
	const struct schema_node *child, *next;
	const char *field; /* a record's field: its name */
	enum schema_default dflt;
	const struct json_t *symbols;
};

struct schema {
	struct schema_node *nodes; /* nodes[0] is the root */
	int used;
	struct json_t *json;
};

/* ERR_CONF when it is no schema, too large or nested too deep. Names are borrowed from the tree:
 * free it last. */
int schema_parse(struct schema *s, struct str avsc, struct err *e);
void schema_fini(struct schema *s); /* a zeroed one is fine */
int schema_write_canonical(const struct schema *s, struct buf *out, struct err *e);
uint64_t schema_crc64(const void *p, size_t n);

#endif
