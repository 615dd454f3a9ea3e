/* qiao init: the explicit initialisation. Only here do a ledger, topics and positions begin at the
 * beginning; a program that finds none of them stops instead, because an empty start in the wrong
 * place would pay twice. */
#include "base/fs.h"
#include "bus/bus.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "ledger/ledger.h"
#include <dirent.h>

static int refuse_existing(struct cli *c, struct err *e);
static bool is_empty(const char *path);
static int make(struct cli *c, struct err *e);

int cmd_init(struct cli *c, int argc, char **argv)
{
	struct err e = {0};

	if (cli_options(c, argc, argv, NULL, NULL, 0) < 0)
		return EXIT_USAGE;
	if (refuse_existing(c, &e) < 0) {
		cli_fail(&e);
		cli_warn(c, "init_exists", NULL);
		return (int)err_exit(&e);
	}
	if (make(c, &e) < 0)
		return cli_fail(&e);
	cli_say(c, "init_done", c->conf.data.dir, c->conf.village.inbox, NULL);
	return EXIT_YES;
}

/* The drop folder may be in use already: it is the villages' own. */
static int refuse_existing(struct cli *c, struct err *e)
{
	char path[CONF_PATH];

	for (int i = 0; data_folders[i].name; i++) {
		if (!data_folders[i].kept)
			continue;
		if (cli_path(c, path, data_folders[i].name, e) < 0)
			return -1;
		if (fs_exists(path) && !is_empty(path))
			return err_set(e, ERR_CONF, "%s: not empty", path);
	}
	return 0;
}

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *it;
	int names = 0;

	if (d == NULL)
		return false;
	while (names <= 2 && (it = readdir(d)))
		names++; /* . and .. are two */
	closedir(d);
	return names <= 2;
}

/* The ledger last: a gateway refuses to start without it, so an initialisation cut short starts
 * nothing. */
static int make(struct cli *c, struct err *e)
{
	char bus[CONF_PATH], ledger[CONF_PATH];
	struct bus_options o = {.dir = bus, .role = "qiao", .conf = &c->conf};
	int partitions[OUTBOX_TOPICS];

	if (data_make_folders(c->conf.data.dir, e) < 0 || fs_mkdirs(c->conf.village.inbox, e) < 0)
		return -1;
	if (cli_path(c, bus, "bus", e) < 0 || cli_path(c, ledger, CLI_LEDGER, e) < 0)
		return -1;
	if (bus_init(&o, e) < 0 || bus_layout(&o, partitions, e) < 0)
		return -1;
	return ledger_init(ledger, partitions, e);
}
