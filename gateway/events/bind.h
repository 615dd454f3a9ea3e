/* Our structs as values of avro-c: avro_value_read fills a struct, avro_value_write reads one,
 * nothing lies between.
 *
 * A binding is made once for a writer's schema and a shape: for each field of the writer the
 * member that it goes to. Fields that we do not know are skipped by avro-c itself; members that
 * the writer does not know get their default. Private to gateway/events; with codec.c and
 * arena.c the only includer of avro.h. */
#ifndef QIAO_EVENTS_BIND_H
#define QIAO_EVENTS_BIND_H
#include "events/types.h"
#include <avro.h>

struct bind;
/* writer and avro are the same schema. ERR_CONF when a field does not fit its member, or a
 * member without default is missing. Borrows avro, which must outlive the binding. */
int bind_new(struct bind **out, const struct shape *s, const struct schema_node *writer,
	     avro_schema_t avro, struct err *e);
void bind_free(struct bind *b);
/* The value that stands for *event, a struct of the shape. */
avro_value_t bind_value(struct bind *b, void *event);
/* Makes *event the event of defaults: what a writer without any of our optional fields would
 * have sent. */
void bind_clear(const struct bind *b, void *event);

#endif
