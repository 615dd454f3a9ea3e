#include "base/fs.h"
#include "bus/local.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int prepare(struct group *g, struct err *e);
static int read_group(const char *dir, const char *group, const struct store_options *o,
		      struct group_position *out, int max, int *count, struct err *e);
static int lag_of(struct topic_file *f, const char *group, int64_t next, struct buf *hold,
		  struct bus_lag *out, struct err *e);
static int lags_of_topic(struct topic_file *f, const struct group_position *at, int at_count,
			 struct bus_lag *out, int max, int *count, struct err *e);
static bool reads(const struct topic *t, const char *group);

int group_open(struct local *b, const char *name, bool relaxed, struct group **out, struct err *e)
{
	struct store_options o = {.flags = relaxed ? STORE_CREATE : 0, .vfs = b->vfs};
	struct group *g;

	for (int i = 0; i < b->group_count; i++) {
		*out = &b->groups[i];
		if (strcmp((*out)->name, name) == 0 && (*out)->relaxed == relaxed)
			return 0;
	}
	*out = NULL;
	if (b->group_count == GROUPS_OPEN_MAX)
		return err_set(e, ERR_PERM, "bus %s: more than %d groups", b->dir, GROUPS_OPEN_MAX);
	g = &b->groups[b->group_count];
	g->relaxed = relaxed;
	if (group_file_open(g, b->dir, name, &o, e) < 0)
		return -1;
	b->group_count++;
	*out = g;
	return 0;
}

int group_file_open(struct group *g, const char *dir, const char *name,
		    const struct store_options *o, struct err *e)
{
	char path[CONF_PATH + 2 * NAME_BYTES];

	if (group_path(path, sizeof path, dir, name, e) < 0)
		return -1;
	if (!(o->flags & STORE_CREATE) && !fs_exists(path))
		return err_set(e, ERR_SAFE,
			       "group %s: no positions; restore the bus from the last backup, "
			       "never start over",
			       name);
	if (store_open(&g->store, path, &group_kind, o, e) < 0)
		return -1;
	if (prepare(g, e) < 0) {
		store_close(g->store);
		return -1;
	}
	str_copy(g->name, sizeof g->name, str_of(name));
	return 0;
}

int group_get(struct group *g, const char *topic, struct bus_position *out, struct err *e)
{
	struct str id;
	int rc;

	stmt_text(g->get, 1, str_of(topic));
	rc = stmt_step(g->get, e);
	if (rc != 1)
		return rc;
	*out = (struct bus_position){.next = stmt_get_int(g->get, 0)};
	id = stmt_get_blob(g->get, 1);
	if (id.n == ID_LEN)
		memcpy(out->last_id.b, id.p, ID_LEN);
	else
		rc = err_set(e, ERR_SAFE,
			     "the position is damaged; restore the bus from the last backup");
	stmt_reset(g->get);
	return rc;
}

int group_put(struct group *g, const char *topic, const struct bus_position *at, struct err *e)
{
	stmt_text(g->put, 1, str_of(topic));
	stmt_int(g->put, 2, at->next);
	stmt_blob(g->put, 3, at->last_id.b, ID_LEN);
	return stmt_run(g->put, e); /* a transaction of its own */
}

int group_names(const char *dir, char names[][NAME_BYTES], int max, int *count, struct err *e)
{
	char groups[CONF_PATH + NAME_BYTES];
	struct dirent *at;
	DIR *list;
	int rc = 0;

	*count = 0;
	if (fs_join(groups, sizeof groups, dir, "groups") < 0)
		return err_set(e, ERR_CONF, "bus %.200s: name too long", dir);
	list = opendir(groups);
	if (list == NULL)
		return err_sys(e, fs_class(errno), errno, "%s: open folder", groups);
	while (rc == 0 && (at = readdir(list)) != NULL) {
		size_t n = strlen(at->d_name);

		if (n <= 3 || n >= NAME_BYTES + 3 || strcmp(at->d_name + n - 3, ".db") != 0)
			continue;
		if (*count == max)
			rc = err_set(e, ERR_PERM, "%s: more than %d groups", groups, max);
		else
			str_copy(names[(*count)++], NAME_BYTES, (struct str){at->d_name, n - 3});
	}
	closedir(list);
	return rc;
}

int group_positions(const char *dir, const struct store_options *o, struct group_position *out,
		    int max, int *count, struct err *e)
{
	char names[GROUPS_MAX][NAME_BYTES];
	int name_count;

	*count = 0;
	if (group_names(dir, names, GROUPS_MAX, &name_count, e) < 0)
		return -1;
	for (int i = 0; i < name_count; i++)
		if (read_group(dir, names[i], o, out, max, count, e) < 0)
			return -1;
	return 0;
}

int group_path(char *path, size_t cap, const char *dir, const char *group, struct err *e)
{
	int n;

	for (const char *c = group; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return err_set(e, ERR_CONF,
				       "group %.40s: a name of letters, digits, - and _ is needed",
				       group);
	if (group[0] == '\0' || strlen(group) >= NAME_BYTES)
		return err_set(e, ERR_CONF, "group %.40s: a name of 1 to %d letters is needed",
			       group, NAME_BYTES - 1);
	n = snprintf(path, cap, "%s/groups/%s.db", dir, group);
	return n > 0 && (size_t)n < cap ? 0
					: err_set(e, ERR_CONF, "bus %.200s: name too long", dir);
}

int local_lags(const char *dir, struct bus_lag *out, int max, int *count, struct err *e)
{
	struct store_options o = {.flags = STORE_READONLY};
	static struct group_position at[POSITIONS_MAX];
	int at_count, rc = 0;

	*count = 0;
	if (group_positions(dir, &o, at, POSITIONS_MAX, &at_count, e) < 0)
		return -1;
	for (int i = 0; rc == 0 && i < topic_count; i++) {
		struct topic_file f;

		if (topic_file_open(&f, dir, &topics[i], STORE_READONLY, NULL, e) < 0)
			return -1;
		rc = lags_of_topic(&f, at, at_count, out, max, count, e);
		topic_file_close(&f);
	}
	return rc;
}

static int prepare(struct group *g, struct err *e)
{
	/* Without the fsync at each commit; a note that a power cut takes back only makes retention
	 * keep more. */
	if (g->relaxed && store_exec(g->store, "PRAGMA synchronous=NORMAL", e) < 0)
		return -1;
	if (store_prepare(g->store, &g->get,
			  "SELECT next, last_id FROM position WHERE topic = ?1 AND partition = 0",
			  e) < 0)
		return -1;
	return store_prepare(g->store, &g->put, "REPLACE INTO position VALUES(?1, 0, ?2, ?3)", e);
}

static int read_group(const char *dir, const char *group, const struct store_options *o,
		      struct group_position *out, int max, int *count, struct err *e)
{
	char path[CONF_PATH + 2 * NAME_BYTES];
	struct store *s;
	struct stmt *all;
	int rc;

	if (group_path(path, sizeof path, dir, group, e) < 0 ||
	    store_open(&s, path, &group_kind, o, e) < 0)
		return -1;
	rc = store_prepare(s, &all, "SELECT topic, next, last_id FROM position WHERE partition = 0",
			   e);
	while (rc == 0 && (rc = stmt_step(all, e)) == 1) {
		struct group_position *at = &out[*count];
		struct str id = stmt_get_blob(all, 2);

		rc = 0;
		if (*count == max) {
			rc = err_set(e, ERR_PERM, "%s: more than %d positions", path, max);
			break;
		}
		*at = (struct group_position){.at = {.next = stmt_get_int(all, 1)}};
		if (str_copy(at->group, sizeof at->group, str_of(group)) < 0 || id.n != ID_LEN ||
		    str_copy(at->topic, sizeof at->topic, stmt_get_text(all, 0)) < 0) {
			rc = err_set(e, ERR_SAFE, "%s: a position is damaged", path);
			break;
		}
		memcpy(at->at.last_id.b, id.p, ID_LEN);
		++*count;
	}
	store_close(s);
	return rc < 0 ? -1 : 0;
}

/* The readers of the table, also one that has no position yet (the gateway before its first note),
 * then any other group. */
static int lags_of_topic(struct topic_file *f, const struct group_position *at, int at_count,
			 struct bus_lag *out, int max, int *count, struct err *e)
{
	const struct topic *t = f->topic;
	int before = *count, rc = 0;
	struct buf hold;

	buf_init(&hold, SEGMENT_BYTES_MAX + EVENT_BYTES_MAX);
	for (int k = 0; rc == 0 && k < 4 && t->readers[k] && *count < max; k++) {
		int64_t next = 0;

		for (int i = 0; i < at_count; i++)
			if (strcmp(at[i].topic, t->name) == 0 &&
			    strcmp(at[i].group, t->readers[k]) == 0)
				next = at[i].at.next;
		rc = lag_of(f, t->readers[k], next, &hold, &out[(*count)++], e);
	}
	for (int i = 0; rc == 0 && i < at_count && *count < max; i++)
		if (strcmp(at[i].topic, t->name) == 0 && !reads(t, at[i].group))
			rc = lag_of(f, at[i].group, at[i].at.next, &hold, &out[(*count)++], e);
	if (rc == 0 && *count == before && *count < max)
		rc = lag_of(f, "", INT64_MAX, &hold, &out[(*count)++], e);
	buf_fini(&hold);
	return rc;
}

static int lag_of(struct topic_file *f, const char *group, int64_t next, struct buf *hold,
		  struct bus_lag *out, struct err *e)
{
	struct bus_record oldest;
	int64_t first;
	int rc = 0;

	*out = (struct bus_lag){0};
	str_copy(out->topic, sizeof out->topic, str_of(f->topic->name));
	str_copy(out->group, sizeof out->group, str_of(group));
	if (topic_file_ends(f, &first, &out->end, e) < 0)
		return -1;
	out->next = next == INT64_MAX ? out->end : next;
	if (out->next < out->end)
		rc = topic_file_event(f, out->next < first ? first : out->next, hold, &oldest, e);
	if (rc == 1)
		out->oldest_unread_ms = oldest.event.time_ms;
	return rc < 0 ? -1 : 0;
}

static bool reads(const struct topic *t, const char *group)
{
	for (int k = 0; k < 4 && t->readers[k]; k++)
		if (strcmp(t->readers[k], group) == 0)
			return true;
	return false;
}
