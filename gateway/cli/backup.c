/* qiao backup: a copy of everything that cannot be made anew, while the programs run; laid out as the data folder is, so that a
 * restore is: copy it to an empty data folder.
 *
 * The parts are copied one after the other, so what is copied later knows more. The order keeps what counts:
 *   1. the ledger, the authority; it is marked as a copy and names its last outgoing event;
 *   2. the spool without answers: what a submission's meta calls published is on the bus by then, so the bus copied next has it.
 *      (The other way round, a submission published in between would be taken for published and be on no bus: lost.)
 *   3. the bus, cut to what the ledger decided;
 *   4. the answers in the spool: they hold all that the position copied with the bus says was read. Submissions that came since
 *      step 2 only where the bus copied has them whole; else they are later than this backup, as if handed in after it.
 * Last the manifest, with the digest of every file: a backup without one did not end. */
#include "base/fs.h"
#include "bus/bus.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/files.h"
#include "ledger/ledger.h"
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MANIFEST_MAX = 256 << 20 };
#define MANIFEST "manifest.sha256"
#define ANSWERS "answers.bin"

enum which { ALL, ALL_BUT_ANSWERS, ONLY_ANSWERS };
struct backup {
	const struct cli *cli;
	char dst[CONF_PATH]; /* without a slash at its end */
	struct cli_progress progress;
	int64_t files;
};

static int copy_all(struct backup *b, struct err *e);
static int fresh_folder(const char *path, struct err *e);
static int copy_ledger(struct backup *b, int64_t *seq, struct err *e);
static int copy_bus(struct backup *b, int64_t seq, struct err *e);
static int copy_tree(struct backup *b, const char *name, enum which which, struct err *e);
static int copy_entry(FTSENT *at, const char *to, enum which which, struct err *e);
static int copy_late(struct backup *b, struct err *e);
static int copy_late_one(struct backup *b, struct bus *copied, const char *name, struct err *e);
static int write_manifest(struct backup *b, struct err *e);
static int by_name(const FTSENT **a, const FTSENT **b);
static int dst_path(const struct backup *b, char out[CONF_PATH], const char *name, struct err *e);
static void progress(struct backup *b);

int cmd_backup(struct cli *c, int argc, char **argv)
{
	struct backup b = {.cli = c};
	const char *dst = NULL;
	char files[24];
	struct err e = {0};
	int operands = cli_options(c, argc, argv, NULL, &dst, 1);
	size_t n;

	if (operands < 0)
		return EXIT_USAGE;
	if (operands == 0)
		return cli_usage(c, "backup", "backup_usage");
	for (n = strlen(dst); n > 1 && dst[n - 1] == '/'; n--)
		;
	if (str_copy(b.dst, sizeof b.dst, (struct str){dst, n}) < 0)
		return cli_usage(c, "backup", "backup_usage");
	cli_progress_start(&b.progress);
	if (copy_all(&b, &e) < 0) {
		cli_progress_end(&b.progress);
		return cli_fail(&e);
	}
	cli_progress_end(&b.progress);
	snprintf(files, sizeof files, "%" PRId64, b.files);
	cli_say(c, "backup_done", b.dst, files, c->conf.keys.dir, NULL);
	return EXIT_YES;
}

static int copy_all(struct backup *b, struct err *e)
{
	int64_t seq = 0;

	if (fresh_folder(b->dst, e) < 0 || data_make_folders(b->dst, e) < 0)
		return -1;
	if (copy_ledger(b, &seq, e) < 0 || copy_tree(b, "spool", ALL_BUT_ANSWERS, e) < 0)
		return -1;
	if (copy_bus(b, seq, e) < 0 || copy_late(b, e) < 0 || copy_tree(b, "spool", ONLY_ANSWERS, e) < 0)
		return -1;
	if (copy_tree(b, "refused", ALL, e) < 0 || copy_tree(b, "answers", ALL, e) < 0)
		return -1;
	return write_manifest(b, e);
}

static int fresh_folder(const char *path, struct err *e)
{
	DIR *d;
	struct dirent *it;
	int names = 0;

	if (fs_mkdirs(path, e) < 0)
		return -1;
	d = opendir(path);
	if (d == NULL)
		return err_sys(e, fs_class(errno), errno, "%s", path);
	while (names <= 2 && (it = readdir(d)))
		names++;
	closedir(d);
	return names <= 2 ? 0 : err_set(e, ERR_CONF, "%s: not empty; a backup needs a fresh folder", path);
}

static int copy_ledger(struct backup *b, int64_t *seq, struct err *e)
{
	char from[CONF_PATH], to[CONF_PATH];

	progress(b);
	if (cli_path(b->cli, from, CLI_LEDGER, e) < 0 || dst_path(b, to, CLI_LEDGER, e) < 0)
		return -1;
	return ledger_backup(from, to, seq, e);
}

static int copy_bus(struct backup *b, int64_t seq, struct err *e)
{
	char from[CONF_PATH], to[CONF_PATH];

	progress(b);
	if (cli_path(b->cli, from, "bus", e) < 0 || dst_path(b, to, "bus", e) < 0)
		return -1;
	return bus_backup(from, to, seq, e);
}

/* Files that are being written have names with a leading dot and are not there yet. */
static int copy_tree(struct backup *b, const char *name, enum which which, struct err *e)
{
	char from[CONF_PATH], base[CONF_PATH], to[CONF_PATH];
	char *paths[] = {from, NULL};
	size_t skip;
	FTSENT *at;
	FTS *tree;
	int rc = -1;

	if (cli_path(b->cli, from, name, e) < 0 || dst_path(b, base, name, e) < 0)
		return -1;
	if (!fs_exists(from))
		return 0;
	skip = strlen(from);
	tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (tree == NULL)
		return err_sys(e, fs_class(errno), errno, "%s", from);
	while (errno = 0, (at = fts_read(tree)) != NULL) {
		if (at->fts_level > 0 && at->fts_name[0] == '.') {
			fts_set(tree, at, FTS_SKIP);
			continue;
		}
		if ((size_t)snprintf(to, sizeof to, "%s%s", base, at->fts_path + skip) >= sizeof to) {
			err_set(e, ERR_CONF, "%s: path too long", base);
			goto out;
		}
		if (copy_entry(at, to, which, e) < 0)
			goto out;
		progress(b);
	}
	if (errno != 0) {
		err_sys(e, fs_class(errno), errno, "%s", from);
		goto out;
	}
	rc = 0;
out:
	fts_close(tree);
	return rc;
}

/* What vanishes while it is looked at was meant to: a state that a newer one replaced. */
static int copy_entry(FTSENT *at, const char *to, enum which which, struct err *e)
{
	struct err why = {0};
	bool answers = strcmp(at->fts_name, ANSWERS) == 0;
	char folder[CONF_PATH];

	if (at->fts_info == FTS_D)
		return which == ONLY_ANSWERS ? 0 : fs_mkdirs(to, e);
	if (at->fts_info == FTS_DP)
		return fs_exists(to) ? fs_sync_dir(to, e) : 0;
	if (at->fts_info != FTS_F || (which == ALL_BUT_ANSWERS && answers) || (which == ONLY_ANSWERS && !answers))
		return 0;
	str_copy(folder, sizeof folder, (struct str){to, (size_t)(strrchr(to, '/') - to)});
	if (!fs_exists(folder))
		return 0; /* a submission that is later than this backup */
	if (file_copy(at->fts_accpath, to, &why) == 0 || why.sys == ENOENT)
		return 0;
	*e = why;
	return -1;
}

/* Submissions that came between the copies of the spool and of the bus. */
static int copy_late(struct backup *b, struct err *e)
{
	char from[CONF_PATH], to[CONF_PATH], dir[CONF_PATH];
	struct bus_options o = {.dir = dir, .role = "qiao", .conf = &b->cli->conf};
	struct bus *copied = NULL;
	struct dirent *it;
	DIR *d;
	int rc = -1;

	if (cli_path(b->cli, from, "spool", e) < 0 || dst_path(b, dir, "bus", e) < 0)
		return -1;
	d = opendir(from);
	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(e, fs_class(errno), errno, "%s", from);
	while ((it = readdir(d))) {
		char name[ID_HEX + 8];
		struct id id;

		if (id_parse(&id, str_of(it->d_name)) < 0)
			continue;
		snprintf(name, sizeof name, "spool/%.32s", it->d_name);
		if (dst_path(b, to, name, e) < 0)
			goto out;
		if (fs_exists(to))
			continue;
		if (copied == NULL && bus_open(&copied, &o, e) < 0)
			goto out;
		if (copy_late_one(b, copied, name, e) < 0)
			goto out;
	}
	rc = 0;
out:
	bus_close(copied);
	closedir(d);
	return rc;
}

static int copy_late_one(struct backup *b, struct bus *copied, const char *name, struct err *e)
{
	struct bus_record last;
	struct id id;
	int found;

	id_parse(&id, str_of(name + strlen("spool/")));
	found = bus_last(copied, "submissions", (struct str){(const char *)id.b, ID_LEN}, &last, e);
	if (found < 0)
		return -1;
	if (found == 1 && (str_is(last.event.type, "SubmissionClosed") || str_is(last.event.type, "GateDocuments")))
		return copy_tree(b, name, ALL_BUT_ANSWERS, e);
	return 0;
}

/* In the form of sha256sum, so that `sha256sum -c manifest.sha256` checks a backup wherever it lies. */
static int write_manifest(struct backup *b, struct err *e)
{
	char *paths[] = {b->dst, NULL};
	size_t skip = strlen(b->dst) + 1;
	char path[CONF_PATH], hex[FILE_DIGEST];
	struct buf text;
	FTSENT *at;
	FTS *tree;
	int rc = -1;

	buf_init(&text, MANIFEST_MAX);
	tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	if (tree == NULL)
		return err_sys(e, fs_class(errno), errno, "%s", b->dst);
	while (errno = 0, (at = fts_read(tree)) != NULL) {
		if (at->fts_info == FTS_DP && fs_sync_dir(at->fts_accpath, e) < 0)
			goto out;
		if (at->fts_info != FTS_F)
			continue;
		if (file_digest(at->fts_accpath, hex, e) < 0)
			goto out;
		if (buf_printf(&text, "%s  %s\n", hex, at->fts_path + skip) < 0) {
			err_set(e, ERR_TEMP, "%s: too many files", b->dst);
			goto out;
		}
		b->files++;
		progress(b);
	}
	if (errno != 0)
		err_sys(e, fs_class(errno), errno, "%s", b->dst);
	else if (dst_path(b, path, MANIFEST, e) == 0)
		rc = fs_write_durable(path, text.data, text.len, 0600, e);
out:
	fts_close(tree);
	buf_fini(&text);
	return rc;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int dst_path(const struct backup *b, char out[CONF_PATH], const char *name, struct err *e)
{
	return fs_join(out, CONF_PATH, b->dst, name) == 0 ? 0 : err_set(e, ERR_CONF, "%.100s: path too long", b->dst);
}

static void progress(struct backup *b)
{
	char files[24];

	snprintf(files, sizeof files, "%" PRId64, b->files);
	cli_progress(&b->progress, b->cli, "backup_working", files, NULL);
}
