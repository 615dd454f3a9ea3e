/* qiao backup: a copy of everything that cannot be made anew, while the programs run; laid out as
 * the data folder is, so that a restore is: copy it to an empty data folder.
 *
 * The parts are copied one after the other, so what is copied later knows more. The order keeps
 * what counts:
 *   1. the ledger, the authority; it is marked as a copy and names its last outgoing event;
 *   2. the spool without answers: what a submission's meta calls published is on the bus by then,
 *      so the bus copied next has it. (The other way round, a submission published in between would
 *      be taken for published and be on no bus: lost.)
 *   3. the bus, cut to what the ledger decided;
 *   4. what came into the spool since step 2, set back to "not published": a restored village
 *      program publishes it again, which does no harm where the bus copied has it already;
 *   5. the answers in the spool: they hold all that the position copied with the bus says was read;
 *      and where they were written;
 *   6. what the schema registry's ids mean: all that the events copied before are written under;
 *   7. the audit of identities: of all that was copied before it knows who opened it.
 * Last the manifest, with the digest of every file: a backup without one did not end. */
#include "base/fs.h"
#include "bus/bus.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/files.h"
#include "crypto/audit.h"
#include "http/registry_cache.h"
#include "ledger/ledger.h"
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANIFEST_MAX = 256 << 20, META_MAX = 1 << 16 };
#define MANIFEST "manifest.sha256"

enum which { ALL, ALL_BUT_ANSWERS, LATE, ONLY_ANSWERS };
struct backup {
	const struct cli *cli;
	char dst[CONF_PATH]; /* without a slash at its end */
	struct cli_progress progress;
	int64_t files;
};

static int copy_all(struct backup *b, struct err *e);
static int fresh_folder(const struct backup *b, struct err *e);
static int outside(const struct backup *b, struct err *e);
static int copy_ledger(struct backup *b, int64_t *seq, struct err *e);
static int copy_bus(struct backup *b, int64_t seq, struct err *e);
static int copy_tree(struct backup *b, const char *name, enum which which, struct err *e);
static int copy_entry(FTSENT *at, const char *to, enum which which, struct err *e);
static int copy_file(const char *from, const char *to, bool late, struct err *e);
static int copy_meta(const char *from, const char *to, bool late, struct err *e);
static int set_back(const char *from, const char *to, struct err *e);
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

	if (fresh_folder(b, e) < 0 || data_make_folders(b->dst, e) < 0)
		return -1;
	if (copy_ledger(b, &seq, e) < 0 || copy_tree(b, "spool", ALL_BUT_ANSWERS, e) < 0)
		return -1;
	if (copy_bus(b, seq, e) < 0 || copy_tree(b, "spool", LATE, e) < 0 ||
	    copy_tree(b, "spool", ONLY_ANSWERS, e) < 0)
		return -1;
	if (copy_tree(b, "refused", ALL, e) < 0 || copy_tree(b, "answers", ALL, e) < 0 ||
	    copy_tree(b, REGISTRY_FOLDER, ALL, e) < 0 || copy_tree(b, AUDIT_FOLDER, ALL, e) < 0)
		return -1;
	return write_manifest(b, e);
}

static int fresh_folder(const struct backup *b, struct err *e)
{
	const char *path = b->dst;
	DIR *d;
	struct dirent *it;
	bool made = !fs_exists(path);
	int names = 0;

	if (fs_mkdirs(path, e) < 0)
		return -1;
	if (outside(b, e) < 0) {
		if (made)
			rmdir(path);
		return -1;
	}
	d = opendir(path);
	if (d == NULL)
		return err_sys(e, fs_class(errno), errno, "%s", path);
	while (names <= 2 && (it = readdir(d)))
		names++;
	closedir(d);
	return names <= 2
		       ? 0
		       : err_set(e, ERR_CONF, "%s: not empty; a backup needs a fresh folder", path);
}

/* A copy inside of what is copied would grow into itself, and would be lost with it. */
static int outside(const struct backup *b, struct err *e)
{
	char dst[PATH_MAX], data[PATH_MAX];
	size_t n;

	if (realpath(b->dst, dst) == NULL || realpath(b->cli->conf.data.dir, data) == NULL)
		return err_sys(e, fs_class(errno), errno, "%s", b->dst);
	n = strlen(data);
	if (strncmp(dst, data, n) == 0 && (dst[n] == '/' || dst[n] == '\0'))
		return err_set(e, ERR_CONF,
			       "%s: lies in the data folder; a backup belongs elsewhere", b->dst);
	return 0;
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
	return bus_backup(&(struct bus_options){.dir = from, .conf = &b->cli->conf}, to, seq, e);
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
		if ((size_t)snprintf(to, sizeof to, "%s%s", base, at->fts_path + skip) >=
		    sizeof to) {
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

static int copy_entry(FTSENT *at, const char *to, enum which which, struct err *e)
{
	bool answers = strcmp(at->fts_name, "answers.bin") == 0 ||
		       strcmp(at->fts_name, "names.sealed") == 0;
	char folder[CONF_PATH];

	if (at->fts_info == FTS_D)
		return which == ONLY_ANSWERS ? 0 : fs_mkdirs(to, e);
	if (at->fts_info == FTS_DP)
		return fs_exists(to) ? fs_sync_dir(to, e) : 0;
	if (at->fts_info != FTS_F || (which != ALL && answers != (which == ONLY_ANSWERS)))
		return 0;
	str_copy(folder, sizeof folder, (struct str){to, (size_t)(strrchr(to, '/') - to)});
	if (which == LATE && fs_exists(to))
		return 0;
	if (!fs_exists(folder))
		return 0; /* answers to a submission that came later still */
	return copy_file(at->fts_accpath, to, which == LATE, e);
}

/* What vanishes while it is looked at was meant to: a state that a newer one replaced. */
static int copy_file(const char *from, const char *to, bool late, struct err *e)
{
	const char *name = strrchr(from, '/') + 1;
	size_t n = strlen(name);
	struct err why = {0};
	int rc;

	if (strcmp(name, "meta") == 0 || (n > 5 && strcmp(name + n - 5, ".meta") == 0))
		rc = copy_meta(from, to, late, &why);
	else
		rc = file_copy(from, to, &why);
	if (rc < 0 && why.sys != ENOENT)
		*e = why;
	return rc < 0 && why.sys != ENOENT ? -1 : 0;
}

/* Of a cover the content is written before its meta, which makes it count; the copy must not have
 * the meta alone. */
static int copy_meta(const char *from, const char *to, bool late, struct err *e)
{
	size_t n = strlen(to) - strlen("meta");
	char sealed[CONF_PATH], copied[CONF_PATH];

	if (to[n - 1] == '.') {
		snprintf(sealed, sizeof sealed, "%.*ssealed", (int)(strlen(from) - strlen("meta")),
			 from);
		snprintf(copied, sizeof copied, "%.*ssealed", (int)n, to);
		if (!fs_exists(copied) && file_copy(sealed, copied, e) < 0)
			return -1;
	}
	return late ? set_back(from, to, e) : file_copy(from, to, e);
}

static int set_back(const char *from, const char *to, struct err *e)
{
	static const char published[] = "\nstate published\n", spooled[] = "\nstate spooled\n";
	struct buf text, out;
	const char *at;
	int rc = -1;

	buf_init(&text, META_MAX);
	buf_init(&out, META_MAX);
	if (fs_read(from, &text, e) < 0)
		goto out;
	at = buf_text(&text) ? strstr((const char *)text.data, published) : NULL;
	if (at) {
		rc = buf_put(&out, text.data, (size_t)(at - (const char *)text.data));
		rc |= buf_put_str(&out, spooled);
		rc |= buf_put_str(&out, at + strlen(published));
	} else {
		rc = buf_put(&out, text.data, text.len);
	}
	rc = rc < 0 ? err_set(e, ERR_TEMP, "%s: too large", from)
		    : fs_write_durable(to, out.data, out.len, 0600, e);
out:
	buf_fini(&text);
	buf_fini(&out);
	return rc;
}

/* In the form of sha256sum, so that `sha256sum -c manifest.sha256` checks a backup wherever it
 * lies. */
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
	return fs_join(out, CONF_PATH, b->dst, name) == 0
		       ? 0
		       : err_set(e, ERR_CONF, "%.100s: path too long", b->dst);
}

static void progress(struct backup *b)
{
	char files[24];

	snprintf(files, sizeof files, "%" PRId64, b->files);
	cli_progress(&b->progress, b->cli, "backup_working", files, NULL);
}
