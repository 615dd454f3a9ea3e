/* Taking one file out of the drop folder: look at all of it, judge it, keep it, tell the sender. */
#ifndef QIAO_VILLAGE_TAKE_H
#define QIAO_VILLAGE_TAKE_H
#include "adapters/village/village.h"

enum file_kind { KIND_NONE, KIND_ROSTER, KIND_COVER };
/* By its name alone; temporary files of editors and of ours are none. */
enum file_kind file_kind(const char *name);

struct drop { /* a file that was looked at twice and did not change */
	const char *sender, *name;
	int folder; /* descriptor of the sender's folder */
};
/* Spools it and answers, or keeps it aside and answers, or finds that it is known or an answer
 * of ours. 0 when there is nothing more to do about this content; -1: ERR_TEMP to be tried
 * again, others end the program. Blocks on disk; a stop that is asked for meanwhile is ERR_TEMP. */
int take_roster(struct village_role *v, const struct drop *f, struct err *e);
int take_cover(struct village_role *v, const struct drop *f, struct err *e);

/* All that the spool holds, into memory, at start. */
int take_load(struct village_role *v, struct err *e);
/* One of them; gives it. */
struct submission *take_load_one(struct village_role *v, const struct id *id, struct err *e);

#endif
