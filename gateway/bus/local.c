#include "bus/local.h"
#include "base/fs.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Format 1 of FORMAT.md. Numbers are never used again for another meaning; a new format is a new
 * step. */
static const char *const topic_steps[] = {
	"CREATE TABLE batch(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, at INTEGER NOT NULL,"
	" data BLOB NOT NULL);"
	"CREATE TABLE kind(id INTEGER PRIMARY KEY, headers TEXT NOT NULL UNIQUE)",
};
static const char *const group_steps[] = {
	"CREATE TABLE position(topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT "
	"NULL,"
	" last_id BLOB NOT NULL, PRIMARY KEY(topic, partition)) WITHOUT ROWID",
};
const struct store_kind topic_kind = {"topic", 0x51427573, topic_steps, 1}; /* "QBus" */
const struct store_kind group_kind = {"group", 0x51477270, group_steps, 1}; /* "QGrp" */

/* Large pages: a batch is one large blob, and each page costs two writes and a look into the WAL's
 * index. */
enum { PAGE_BYTES = 16384, CACHE_KIB = 512 };

static int check_topics(const char *dir, struct err *e);
static int make_topic(const char *dir, const struct topic *t, struct err *e);
static int make_groups(const char *dir, struct err *e);
static int give_position(const char *dir, const char *group, const char *topic, struct err *e);
static int parent_of(char *parent, size_t cap, const char *dir, struct err *e);

int local_open(struct local **out, const struct bus_options *o, struct err *e)
{
	const struct conf *conf = o->conf;
	struct local *b;

	*out = NULL;
	if (check_topics(o->dir, e) < 0)
		return -1;
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return err_set(e, ERR_TEMP, "bus %s: out of memory", o->dir);
	if (str_copy(b->dir, sizeof b->dir, str_of(o->dir)) < 0 ||
	    str_copy(b->role, sizeof b->role, str_of(o->role)) < 0 ||
	    str_copy(b->vfs_name, sizeof b->vfs_name, str_of(o->vfs ? o->vfs : "")) < 0) {
		free(b);
		return err_set(e, ERR_CONF, "bus %.200s: name too long", o->dir);
	}
	b->vfs = o->vfs ? b->vfs_name : NULL;
	b->retention_days = conf ? conf->bus.retention_days : 400;
	b->segment_bytes = conf && conf->bus.segment_bytes ? conf->bus.segment_bytes : 1 << 20;
	if (b->segment_bytes < SEGMENT_BYTES_MIN)
		b->segment_bytes = SEGMENT_BYTES_MIN;
	if (b->segment_bytes > SEGMENT_BYTES_MAX)
		b->segment_bytes = SEGMENT_BYTES_MAX;
	for (int i = 0; i < topic_count; i++) {
		b->out[i].topic = &topics[i];
		buf_init(&b->out[i].queue, QUEUE_BYTES_MAX + EVENT_BYTES_MAX);
	}
	buf_init(&b->last, SEGMENT_BYTES_MAX + EVENT_BYTES_MAX);
	local_set_ledger(b, o->ledger);
	*out = b;
	return 0;
}

void local_close(struct local *b)
{
	if (b == NULL)
		return;
	assert(b->reader_count == 0);
	for (int i = 0; i < topic_count; i++) {
		store_close(b->out[i].store);
		buf_fini(&b->out[i].queue);
		free(b->out[i].cuts);
		topic_file_close(&b->look[i]);
	}
	for (int i = 0; i < b->group_count; i++)
		store_close(b->groups[i].store);
	buf_fini(&b->last);
	free(b);
}

void local_set_ledger(struct local *b, const char *ledger)
{
	int rc = str_copy(b->ledger, sizeof b->ledger, str_of(ledger ? ledger : ""));

	assert(rc == 0 && strchr(b->ledger, '\n') == NULL);
	/* The mark is part of each kind. */
	for (int i = 0; i < topic_count; i++)
		b->out[i].type_count = 0;
}

int local_init(const char *dir, struct err *e)
{
	char stage[CONF_PATH + 16], path[CONF_PATH + NAME_BYTES];

	for (int i = 0; i < topic_count; i++) {
		if (topic_path(path, sizeof path, dir, topics[i].name, e) < 0)
			return -1;
		if (fs_exists(path))
			return err_set(e, ERR_CONF, "%s: exists already; the bus is initialised",
				       path);
	}
	if (stage_begin(stage, sizeof stage, dir, e) < 0)
		return -1;
	for (int i = 0; i < topic_count; i++)
		if (make_topic(stage, &topics[i], e) < 0)
			goto fail;
	if (make_groups(stage, e) < 0 || stage_end(stage, dir, e) < 0)
		goto fail;
	return 0;
fail:
	fs_remove_tree(stage, NULL);
	return -1;
}

int topic_path(char *path, size_t cap, const char *dir, const char *topic, struct err *e)
{
	int n = snprintf(path, cap, "%s/%s.db", dir, topic);

	return n > 0 && (size_t)n < cap ? 0
					: err_set(e, ERR_CONF, "bus %.200s: name too long", dir);
}

int local_fail(struct local *b, const struct err *e)
{
	if (e->class == ERR_SAFE)
		b->failed = true;
	return -1;
}

int local_refused(const struct local *b, struct err *e)
{
	return err_set(
		e, ERR_SAFE,
		"bus %s: refused after an earlier failure; end this program and start it anew",
		b->dir);
}

int stage_begin(char *stage, size_t cap, const char *dir, struct err *e)
{
	size_t n = strlen(dir);
	int len;

	while (n > 1 && dir[n - 1] == '/')
		n--;
	len = snprintf(stage, cap, "%.*s.part", (int)n, dir);
	if (len < 0 || (size_t)len >= cap)
		return err_set(e, ERR_CONF, "bus %.200s: name too long", dir);
	/* What is there was left by a run that did not end. */
	if (fs_remove_tree(stage, e) < 0 || fs_mkdirs(stage, e) < 0)
		return -1;
	return 0;
}

int stage_end(const char *stage, const char *dir, struct err *e)
{
	char parent[CONF_PATH + 16];

	if (parent_of(parent, sizeof parent, stage, e) < 0 || fs_sync_dir(stage, e) < 0)
		return -1;
	if (rename(stage, dir) < 0) /* an empty folder is replaced, a full one is not */
		return err_sys(e, fs_class(errno), errno, "bus %s: rename into place", dir);
	return fs_sync_dir(parent, e);
}

/* Some topics and not others means that files were lost, which is worse than never made. */
static int check_topics(const char *dir, struct err *e)
{
	char path[CONF_PATH + NAME_BYTES];
	const char *missing = NULL;
	int there = 0;

	for (int i = 0; i < topic_count; i++) {
		if (topic_path(path, sizeof path, dir, topics[i].name, e) < 0)
			return -1;
		if (fs_exists(path))
			there++;
		else
			missing = topics[i].name;
	}
	if (there == 0)
		return err_set(e, ERR_CONF, "bus %s: not initialised: run qiao init", dir);
	if (missing)
		return err_set(e, ERR_SAFE,
			       "bus %s: topic %s is missing; restore the bus from the last backup",
			       dir, missing);
	return 0;
}

static int make_topic(const char *dir, const struct topic *t, struct err *e)
{
	struct store_options o = {
		.flags = STORE_CREATE, .page_bytes = PAGE_BYTES, .cache_kib = CACHE_KIB};
	char path[CONF_PATH + NAME_BYTES];
	struct store *s;

	if (topic_path(path, sizeof path, dir, t->name, e) < 0 ||
	    store_open(&s, path, &topic_kind, &o, e) < 0)
		return -1;
	store_close(s);
	return 0;
}

static int make_groups(const char *dir, struct err *e)
{
	char groups[CONF_PATH + NAME_BYTES];

	if (fs_join(groups, sizeof groups, dir, "groups") < 0)
		return err_set(e, ERR_CONF, "bus %.200s: name too long", dir);
	if (fs_mkdirs(groups, e) < 0)
		return -1;
	for (int i = 0; i < topic_count; i++)
		for (int k = 0; k < 4 && topics[i].readers[k]; k++)
			if (give_position(dir, topics[i].readers[k], topics[i].name, e) < 0)
				return -1;
	return fs_sync_dir(groups, e);
}

/* The gateway gets only the file: its positions are in the ledger, and come here as notes. */
static int give_position(const char *dir, const char *group, const char *topic, struct err *e)
{
	struct store_options o = {.flags = STORE_CREATE};
	char path[CONF_PATH + 2 * NAME_BYTES];
	struct store *s = NULL;
	struct stmt *put;
	int rc = -1;

	if (group_path(path, sizeof path, dir, group, e) < 0 ||
	    store_open(&s, path, &group_kind, &o, e) < 0)
		return -1;
	if (strcmp(group, "gateway") != 0) {
		if (store_prepare(s, &put, "INSERT INTO position VALUES(?1, 0, 0, zeroblob(16))",
				  e) < 0)
			goto out;
		stmt_text(put, 1, str_of(topic));
		if (stmt_run(put, e) < 0)
			goto out;
	}
	rc = 0;
out:
	store_close(s);
	return rc;
}

static int parent_of(char *parent, size_t cap, const char *dir, struct err *e)
{
	const char *slash = strrchr(dir, '/');
	struct str s = slash == dir ? STR("/")
		       : slash	    ? (struct str){dir, (size_t)(slash - dir)}
				    : STR(".");

	return str_copy(parent, cap, s) == 0
		       ? 0
		       : err_set(e, ERR_CONF, "bus %.200s: name too long", dir);
}
