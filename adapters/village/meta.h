/* The meta files of the spool: lines "key value", first line "qiao-spool 1". `qiao submit` and
 * `qiao status` read them too. */
#ifndef QIAO_VILLAGE_META_H
#define QIAO_VILLAGE_META_H
#include "adapters/village/spool.h"

int meta_put(struct buf *out, const struct spool_meta *m);
int meta_get(
	struct str text,
	struct spool_meta *m); /* submission is the caller's; -1 when a key is missing or wrong */
int meta_put_cover(struct buf *out, const struct spool_cover *c);
int meta_get_cover(struct str text, struct spool_cover *c);

#endif
