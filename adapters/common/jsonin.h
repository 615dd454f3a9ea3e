/* Typed looks into what a peer answered (jansson's tree), each with its bounds. A getter gives 0,
 * or -1 when the member is not there, of another type or out of bounds, and then leaves *out alone.
 * Slices live as long as the tree. */
#ifndef QIAO_ADAPTERS_JSONIN_H
#define QIAO_ADAPTERS_JSONIN_H
#include "adapters/common/jsonout.h"
#include "base/str.h"
#include "events/events.h"
#include <jansson.h>

/* An object, or NULL when the text is not one whole JSON object, or when its tree would take more
 * than JSONIN_BYTES_MAX of memory. One tree at a time: it lives in a memory of its own that
 * jsonin_free gives back as a whole (NULL is fine). */
#define JSONIN_BYTES_MAX ((size_t)40 << 20)
json_t *jsonin_parse(struct str text);
void jsonin_free(json_t *root);
json_t *jsonin_list(const json_t *o, const char *name); /* an array, or NULL; borrowed */

int jsonin_int(const json_t *o, const char *name, int64_t min, int64_t max, int64_t *out);
int jsonin_bool(const json_t *o, const char *name, bool *out);
int jsonin_str(const json_t *o, const char *name, size_t len_max, struct str *out);
/* The same where null or nothing at all is fine: gives no value. */
int jsonin_str_or_null(const json_t *o, const char *name, size_t len_max, struct str *out);
int jsonin_id(const json_t *o, const char *name, struct id *out);
int jsonin_time(const json_t *o, const char *name, int64_t *out);
int jsonin_date(const json_t *o, const char *name, int32_t *out);
int jsonin_date_or_null(const json_t *o, const char *name, struct opt_long *out);

/* What of an entry may be shown to an operator: of the named members only those whose value is a
 * number, an id of ours, a time or a short word, so that no personal data of a broken entry gets
 * into rejects. Appends an object. */
void jsonin_show(const json_t *o, const char *const *names, int count, struct jsonout *out);

#endif
