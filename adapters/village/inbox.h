/* Looking at the drop folder, <inbox>/<sender>/: which files are there, and which of them have
 * come to rest.
 *
 * A file is taken when two looks in a row found it with the same size, time and inode: a rename
 * into place cannot be told from the end of a copy, and a copy that is still being written
 * changes. What was taken is not read again until it changes. Directories, symbolic links and
 * special files are passed over. */
#ifndef QIAO_VILLAGE_INBOX_H
#define QIAO_VILLAGE_INBOX_H
#include "adapters/village/village.h"
#include <sys/stat.h>

struct inbox;
struct inbox *inbox_new(void); /* NULL without memory */
void inbox_free(struct inbox *in);
/* Removes what a killed process left in the folders; makes the inbox when it is not there. */
int inbox_start(struct village_role *v, struct err *e);
/* One look at everything; takes what is due. -1 only for what must end the program: a single
 * file that fails is logged and tried again at a later look. */
int inbox_look(struct village_role *v, struct err *e);
/* Descriptor of a sender's folder, -1 and errno; symbolic links are not followed. */
int inbox_folder(const struct village_role *v, const char *sender);
/* This file, as long as it looks like st, is an answer of ours: no need to read it. */
void inbox_ours(struct village_role *v, const char *sender, const char *name,
		const struct stat *st);

#endif
