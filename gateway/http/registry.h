/* The codec of a program, with the schema registry behind it where [registry] url is set.
 *
 * Programs never register a schema; `qiao schemas register` does. A program needs the registry only
 * for a number that it has not met before: everything it has met is remembered
 * (registry_cache.h). So a registry that is down stops nothing that is known; for what is not
 * known a program waits, says so in its log, and goes on when the registry is back.
 *
 * A number that changes its meaning would make every event read wrongly. Each known number is
 * asked for at start and again every few minutes; one that means another schema is ERR_SAFE.
 *
 * Without url nothing is asked and events are written in the single-object encoding; what an earlier
 * configuration had written with numbers stays readable from memory. */
#ifndef QIAO_HTTP_REGISTRY_H
#define QIAO_HTTP_REGISTRY_H
#include "base/role.h"
#include "events/events.h"

struct registry;
/* role: a program; knows the numbers of all its schemas when it returns 0, waiting for the registry
 * if it must, until a stop is asked for (ERR_TEMP then). NULL: a command; it asks when it must,
 * never waits (ERR_TEMP), looks at what all programs remember and remembers nothing itself.
 * *registry may come out NULL. ERR_CONF: settings; a schema that is not registered. ERR_SAFE: as
 * above. Borrows c and role until registry_codec_close. */
int registry_codec_open(struct codec **codec, struct registry **registry, const struct conf *c,
			struct role *role, struct err *e);
void registry_codec_close(struct codec *codec, struct registry *registry); /* NULLs are fine */

/* To be called in each turn of a program's loop: asks again for one number when its time has come.
 * Takes two seconds at most, and that seldom: a registry that does not answer is left alone for
 * minutes and is no error. ERR_SAFE: a number changed its meaning. r NULL is fine. */
#define REGISTRY_EACH_MS (3 * 60 * 1000) /* every number is asked for about that often */
int registry_tick(struct registry *r, int64_t now_ms, struct err *e);

#endif
