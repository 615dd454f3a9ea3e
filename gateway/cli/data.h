/* What lies under the data folder, for the commands that make it (init) and copy it (backup). */
#ifndef QIAO_CLI_DATA_H
#define QIAO_CLI_DATA_H
#include "base/err.h"
#include <stdbool.h>

struct data_folder {
	const char *name; /* NULL ends the table */
	bool kept;	  /* what lies there cannot be made anew: init refuses to begin over it */
};
extern const struct data_folder data_folders[];

int data_make_folders(const char *dir, struct err *e);

#endif
