/* Which answer file belongs to whom. A name in a sender's folder has one answer beside it, and
 * that is the answer of the content that came last under this name; an older content keeps its
 * answers under the next free name (NAME.回执-2.csv). */
#ifndef QIAO_VILLAGE_CLAIM_H
#define QIAO_VILLAGE_CLAIM_H
#include "adapters/village/village.h"

/* The submission of this sender (other than `but`) whose answer file has that name, or NULL. */
struct submission *claim_holder(const struct village_role *v, const struct submission *but,
				const char *sender, const char *answer, struct file_name **name);
/* Adds the name to a submission that is not in the spool yet or lies there under other names:
 * with its answer's name, and with what is known of the file that lies there. *loser is who had
 * that answer so far, or NULL. -1 without memory or with too many names (the content then has
 * its answer elsewhere). */
int claim_name(const struct village_role *v, struct submission *s, const char *name, int folder,
	       struct submission **loser);
/* Gives one name of s the next free answer name; folder is the sender's. Nothing is stored. */
int claim_next(const struct village_role *v, struct submission *s, struct file_name *n, int folder,
	       struct err *e);
/* Stores s's names in the spool. */
int claim_store(const struct village_role *v, const struct submission *s, struct err *e);

#endif
