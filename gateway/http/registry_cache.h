/* What the numbers of the schema registry mean, as a program remembers it across its starts:
 * <data>/registry/<role>.ids, a line a number: id, full name of the record, SHA-256 of the schema's
 * canonical form.
 *
 * It serves twice: a program whose numbers are all here needs no registry, and a number that now
 * means something else is noticed. That is why a damaged file is an error and never passed over. */
#ifndef QIAO_HTTP_REGISTRY_CACHE_H
#define QIAO_HTTP_REGISTRY_CACHE_H
#include "base/err.h"
#include "events/framing.h"

#define REGISTRY_IDS_MAX 512
struct registry_id {
	int32_t id;
	struct schema_mark mark;
};
struct registry_cache {
	int count;
	struct registry_id at[REGISTRY_IDS_MAX];
};
/* Adds what the file holds; no file is an empty one. ERR_SAFE when it is damaged or contradicts
 * what c holds. */
int registry_cache_load(struct registry_cache *c, const char *file, struct err *e);
/* The same with the files of all roles. */
#define REGISTRY_FOLDER "registry" /* in the data folder */
int registry_cache_load_all(struct registry_cache *c, const char *data_dir, struct err *e);
/* Durable; makes the folder. */
int registry_cache_save(const struct registry_cache *c, const char *file, struct err *e);
/* What is there already is fine. ERR_SAFE when the id is there with another meaning, ERR_CONF when
 * there are too many. */
int registry_cache_add(struct registry_cache *c, int32_t id, const struct schema_mark *mark,
		       struct err *e);
const struct registry_id *registry_cache_id(const struct registry_cache *c, int32_t id);
const struct registry_id *registry_cache_mark(const struct registry_cache *c,
					      const struct schema_mark *mark);
/* The error of an id that changed its meaning; always -1. */
int registry_changed(int32_t id, const struct schema_mark *meant, const struct schema_mark *means,
		     struct err *e);

#endif
