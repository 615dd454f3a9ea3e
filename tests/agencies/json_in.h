/* A strict reader for the JSON that the agencies are sent: pulls one value after the other,
 * builds no tree.
 *
 * Works in place on bytes that it may change (escapes are resolved where they stand, so that a
 * text is a slice). After the first thing that is not as asked for, `bad` stays set and every
 * call gives nothing: check it once at the end. */
#ifndef QIAO_AGENCIES_JSON_IN_H
#define QIAO_AGENCIES_JSON_IN_H
#include "base/str.h"

struct json {
	char *p, *end;
	bool fresh; /* just behind an opening bracket: no comma before the next */
	bool bad;
};
void json_init(struct json *j, void *text, size_t n);

/* The fields of an object, in whatever order they come. names ends with NULL, at most 32. *hint
 * is where to look first: start with 0; senders keep an order. Unknown fields are passed over.
 * Gives the index, or -1 at the end of the object. */
bool json_object(struct json *j);
int json_field(struct json *j, const char *const *names, int *hint);

bool json_array(struct json *j);
bool json_item(struct json *j); /* is there another; false consumes the closing bracket */

struct str json_text(struct json *j);	      /* a string of valid UTF-8 without NUL */
struct str json_text_or_null(struct json *j); /* null gives no value */
int64_t json_int(struct json *j);	      /* a whole number of 64 bits; 1.0 and 1e3 are not */
bool json_bool(struct json *j);
bool json_end(struct json *j); /* nothing but blanks is left, and all was well */

#endif
