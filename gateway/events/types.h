/* What the structs of events.h look like, as tables: name, kind and place of every member.
 * Private to gateway/events. */
#ifndef QIAO_EVENTS_TYPES_H
#define QIAO_EVENTS_TYPES_H
#include "events/events.h"
#include "events/schema.h"

/* How a member travels. Its storage in C follows from it, see types.c. */
enum member_kind {
	M_ID,
	M_OPT_ID,
	M_INT,
	M_DATE,
	M_LONG,
	M_TIME,
	M_BOOL,
	M_OPT_INT, /* struct opt_long up to M_OPT_BOOL */
	M_OPT_DATE,
	M_OPT_LONG,
	M_OPT_BOOL,
	M_TEXT, /* struct str up to M_OPT_BYTES */
	M_OPT_TEXT,
	M_BYTES,
	M_OPT_BYTES,
	M_LONGS, /* pointer and count */
	M_RECORDS,
	MEMBER_KINDS
};

struct shape;
struct member {
	const char *name;
	enum member_kind kind;
	bool dflt; /* the schema has a default for it: an older writer may not know it */
	uint16_t offset, count_offset;
	const struct shape *items; /* M_RECORDS */
};
struct shape {		  /* of an event, or of the items of one of its arrays */
	const char *name; /* record name */
	size_t size;	  /* of the struct */
	const struct member *members;
	int count;
};
const struct shape *shape_of(enum event_type t);
const struct member *shape_find(const struct shape *s, const char *name);
/* Table and schema say the same: fields, order, types, logical types, null, defaults. ERR_CONF
 * where not. */
int shape_agree(const struct shape *s, const struct schema_node *record, struct err *e);

/* The texts of schemas/ *.avsc as they were when the program was built. */
struct str pinned_schema(enum event_type t);

#endif
