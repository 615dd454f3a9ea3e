#include "cli/data.h"
#include "base/conf.h"
#include "base/fs.h"

const struct data_folder data_folders[] = {
	{"gateway", true}, {"bus", true},    {"spool", true}, {"answers", true},
	{"refused", true}, {"audit", true}, {"inbox", false}, {"run", false},  {0},
};

int data_make_folders(const char *dir, struct err *e)
{
	char path[CONF_PATH];

	for (int i = 0; data_folders[i].name; i++) {
		if (fs_join(path, sizeof path, dir, data_folders[i].name) < 0)
			return err_set(e, ERR_CONF, "%.100s: path too long", dir);
		if (fs_mkdirs(path, e) < 0)
			return -1;
	}
	return 0;
}
