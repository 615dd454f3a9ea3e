/* A schema registry with Confluent's interface, as far as Qiao speaks to it: [registry] of the
 * configuration. Subjects are the full names of records.
 *
 * Requests block, with the time-outs of the configuration, and bear repeating. Schemas are compared
 * by their marks (events/framing.h), never by their text.
 *
 * Errors name [registry] url. ERR_TEMP: it cannot be reached, or has trouble of its own (5xx, 429).
 * ERR_CONF: it refuses us, or what answers is no schema registry. ERR_PERM: it refuses the schema.
 */
#ifndef QIAO_HTTP_REGISTRY_CLIENT_H
#define QIAO_HTTP_REGISTRY_CLIENT_H
#include "base/conf.h"
#include "base/err.h"
#include "events/framing.h"

struct registry_client;
/* hurried: a second to connect, two for a request, whatever the configuration allows. ERR_CONF: a
 * file of the configuration that cannot be read, or a secret that others can read. Touches no
 * network. Borrows c. */
int registry_client_open(struct registry_client **out, const struct conf *c, bool hurried,
			 struct err *e);
void registry_client_close(struct registry_client *r);
/* Requests are given up soon after `asked` says true. */
void registry_client_stop_when(struct registry_client *r, bool (*asked)(void));

/* The subject of a type: its record's full name. */
#define REGISTRY_SUBJECT 128
const char *registry_subject(char out[REGISTRY_SUBJECT], enum event_type t);

/* What an id means: 1, or 0 when the registry has no such id. A schema that is none of a record, or
 * no Avro, comes out as a mark that is nobody's. */
int registry_meaning(struct registry_client *r, int32_t id, struct schema_mark *out, struct err *e);

/* Where our own schema of the type is registered: 1, or 0 when it is not. */
struct registry_place {
	int32_t id, version;
};
int registry_find(struct registry_client *r, enum event_type t, struct registry_place *out,
		  struct err *e);
/* May our schema follow the latest of its subject: 1 (also where there is none), 0 no; why says so
 * in the registry's words. */
#define REGISTRY_WHY 200
int registry_fits(struct registry_client *r, enum event_type t, char why[REGISTRY_WHY],
		  struct err *e);
/* Registers it and finds it again. */
int registry_register(struct registry_client *r, enum event_type t, struct registry_place *out,
		      struct err *e);
/* The compatibility that the registry keeps for the subject: "BACKWARD", "NONE" ... */
#define REGISTRY_LEVEL 32
int registry_level(struct registry_client *r, enum event_type t, char out[REGISTRY_LEVEL],
		   struct err *e);

#endif
