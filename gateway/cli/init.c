/* qiao init: the explicit initialisation. Only here do a ledger, topics and positions begin at the
 * beginning; a program that finds none of them stops instead, because an empty start in the wrong
 * place would pay twice. */
#include "base/buf.h"
#include "base/fs.h"
#include "bus/bus.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "ledger/ledger.h"
#include <dirent.h>
#include <string.h>

static int refuse_existing(struct cli *c, struct err *e);
static bool is_empty(const char *path);
static int make(struct cli *c, struct err *e);
static int note_brokers(struct cli *c, const char *bus, struct err *e);

enum { NOTE_BYTES = 4096 };

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
	if (bus_init(&o, e) < 0 || bus_layout(&o, partitions, e) < 0 ||
	    ledger_init(ledger, partitions, e) < 0)
		return -1;
	return strcmp(c->conf.bus.kind, "kafka") == 0 ? note_brokers(c, bus, e) : 0;
}

/* With the topics elsewhere this is what tells a lost ledger from one that never was. */
static int note_brokers(struct cli *c, const char *bus, struct err *e)
{
	char path[CONF_PATH];
	struct buf text;
	int rc;

	buf_init(&text, NOTE_BYTES);
	buf_printf(&text, "The ledger that was made here has its topics on Kafka: brokers %s, topic_prefix \"%s\".\n",
		   c->conf.kafka.brokers, c->conf.kafka.topic_prefix);
	rc = fs_join(path, sizeof path, bus, "kafka.txt") < 0
		     ? err_set(e, ERR_CONF, "%s: path too long", bus)
		     : fs_write_atomic(path, text.data, text.len, 0600, e);
	buf_fini(&text);
	return rc;
}
