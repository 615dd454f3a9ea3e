#include "base/fs.h"
#include "bus/local.h"
#include <stdio.h>
#include <string.h>

/* The copy fits a ledger that was copied before it. What follows from other events is copied before
 * them, so that nothing in the copy knows of an event that the copy lacks: first the groups'
 * positions, then the topics in the order of the table, where the adapters' memories of outside
 * feeds come before what those feeds brought. What the gateway sent after the ledger's copy is cut
 * off: from the first such event on, for what comes after it in a topic is later still or a
 * repeat. */
struct cut_at { /* the batch in which the cut falls */
	int64_t first;
	int count;	   /* events of it that stay */
	int64_t newest_ms; /* of those */
	struct buf keep;   /* their bytes */
};

static int copy_groups(const char *dir, const char *stage, struct err *e);
static int copy_topics(const char *dir, const char *stage, int64_t ledger_seq, struct err *e);
static int copy_file(const char *from, const char *to, const struct store_kind *kind,
		     struct err *e);
static int cut_topic(const char *stage, const struct topic *t, int64_t ledger_seq, struct err *e);
static int find_cut(struct topic_file *f, int64_t ledger_seq, struct cut_at *cut, struct err *e);
static int look_in(struct topic_file *f, const struct row *row, int64_t ledger_seq,
		   struct cut_at *cut, struct err *e);
static int cut_file(struct topic_file *f, struct cut_at *cut, struct err *e);
static int cut_rows(struct topic_file *f, struct cut_at *cut, struct err *e);
static int set_back(const char *stage, const struct group_position *at, struct err *e);
static int copied_end(const char *stage, const char *topic, struct bus_position *out,
		      struct err *e);

int local_backup(const char *dir, const char *dst, int64_t ledger_seq, struct err *e)
{
	/* Opened for writing, so that the last close leaves no -wal and -shm in the copy. */
	static struct group_position at[POSITIONS_MAX];
	struct store_options o = {0};
	char stage[CONF_PATH + 16], path[CONF_PATH + NAME_BYTES];
	int count;

	if (topic_path(path, sizeof path, dst, topics[0].name, e) < 0)
		return -1;
	if (fs_exists(path))
		return err_set(e, ERR_CONF, "%s: exists already; a backup needs a fresh folder",
			       path);
	if (stage_begin(stage, sizeof stage, dst, e) < 0)
		return -1;
	if (copy_groups(dir, stage, e) < 0 || copy_topics(dir, stage, ledger_seq, e) < 0 ||
	    group_positions(stage, &o, at, POSITIONS_MAX, &count, e) < 0)
		goto fail;
	for (int i = 0; i < count; i++)
		if (set_back(stage, &at[i], e) < 0)
			goto fail;
	if (stage_end(stage, dst, e) < 0)
		goto fail;
	return 0;
fail:
	fs_remove_tree(stage, NULL);
	return -1;
}

static int copy_groups(const char *dir, const char *stage, struct err *e)
{
	char from[CONF_PATH + 2 * NAME_BYTES], to[CONF_PATH + 2 * NAME_BYTES];
	char names[GROUPS_MAX][NAME_BYTES];
	int count;

	if (fs_join(to, sizeof to, stage, "groups") < 0)
		return err_set(e, ERR_CONF, "bus %.200s: name too long", stage);
	if (fs_mkdirs(to, e) < 0 || group_names(dir, names, GROUPS_MAX, &count, e) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		if (group_path(from, sizeof from, dir, names[i], e) < 0 ||
		    group_path(to, sizeof to, stage, names[i], e) < 0 ||
		    copy_file(from, to, &group_kind, e) < 0)
			return -1;
	return 0;
}

static int copy_topics(const char *dir, const char *stage, int64_t ledger_seq, struct err *e)
{
	char from[CONF_PATH + NAME_BYTES], to[CONF_PATH + NAME_BYTES];

	for (int i = 0; i < topic_count; i++) {
		if (topic_path(from, sizeof from, dir, topics[i].name, e) < 0 ||
		    topic_path(to, sizeof to, stage, topics[i].name, e) < 0 ||
		    copy_file(from, to, &topic_kind, e) < 0)
			return -1;
		if (strcmp(topics[i].producer, "gateway") == 0 &&
		    cut_topic(stage, &topics[i], ledger_seq, e) < 0)
			return -1;
	}
	return 0;
}

static int copy_file(const char *from, const char *to, const struct store_kind *kind, struct err *e)
{
	struct store_options o = {.flags = STORE_READONLY};
	struct store *s;
	int rc;

	if (store_open(&s, from, kind, &o, e) < 0)
		return -1;
	rc = store_backup(s, to, e);
	store_close(s);
	return rc;
}

static int cut_topic(const char *stage, const struct topic *t, int64_t ledger_seq, struct err *e)
{
	struct topic_file f;
	struct cut_at cut;
	int rc;

	if (topic_file_open(&f, stage, t, 0, NULL, e) < 0)
		return -1;
	buf_init(&cut.keep, SEGMENT_BYTES_MAX + EVENT_BYTES_MAX);
	rc = find_cut(&f, ledger_seq, &cut, e);
	if (rc == 1)
		rc = cut_file(&f, &cut, e);
	buf_fini(&cut.keep);
	topic_file_close(&f);
	return rc;
}

/* Reads the whole topic: that also proves each batch of the copy. 1 found, 0 nothing to cut. */
static int find_cut(struct topic_file *f, int64_t ledger_seq, struct cut_at *cut, struct err *e)
{
	struct row row;
	int rc;

	stmt_int(f->from, 1, 0);
	while ((rc = topic_file_step(f->from, &row, e)) == 1) {
		rc = look_in(f, &row, ledger_seq, cut, e);
		if (rc != 0)
			break;
	}
	stmt_reset(f->from);
	return rc;
}

static int look_in(struct topic_file *f, const struct row *row, int64_t ledger_seq,
		   struct cut_at *cut, struct err *e)
{
	struct bus_event ev;
	struct cursor c;
	uint32_t kind;

	*cut = (struct cut_at){.first = row->first, .keep = cut->keep};
	if (batch_open(row->blob, &c) < 0)
		return topic_file_damaged(f, row->first, e);
	while (c.p < c.end) {
		size_t before = (size_t)(c.p - (const uint8_t *)row->blob.p);

		if (batch_get(&c, &kind, &ev) < 0)
			return topic_file_damaged(f, row->first, e);
		if (ev.seq > ledger_seq) {
			if (buf_put(&cut->keep, row->blob.p, before) < 0)
				return err_set(e, ERR_TEMP, "topic %s: out of memory",
					       f->topic->name);
			return 1;
		}
		if (cut->count++ == 0 || ev.time_ms > cut->newest_ms)
			cut->newest_ms = ev.time_ms;
	}
	return 0;
}

static int cut_file(struct topic_file *f, struct cut_at *cut, struct err *e)
{
	if (cut->count == 0 && cut->first > 0) {
		/* An empty file would begin again at offset 0. The oldest batch kept is from long
		 * before any backup. */
		int64_t first, end;

		if (topic_file_ends(f, &first, &end, e) < 0)
			return -1;
		if (first == cut->first)
			return err_set(e, ERR_SAFE,
				       "topic %s: all that is kept is newer than the ledger",
				       f->topic->name);
	}
	if (store_begin(f->store, e) < 0)
		return -1;
	if (cut_rows(f, cut, e) < 0) {
		store_rollback(f->store);
		return -1;
	}
	return store_commit(f->store, e);
}

static int cut_rows(struct topic_file *f, struct cut_at *cut, struct err *e)
{
	struct stmt *drop, *put;

	if (store_prepare(f->store, &drop, "DELETE FROM batch WHERE first >= ?1", e) < 0 ||
	    store_prepare(f->store, &put, "INSERT INTO batch VALUES(?1, ?2, ?3, ?4)", e) < 0)
		return -1;
	stmt_int(drop, 1, cut->first);
	if (stmt_run(drop, e) < 0)
		return -1;
	if (cut->count == 0)
		return 0;
	if (batch_seal(&cut->keep, 0) < 0)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", f->topic->name);
	stmt_int(put, 1, cut->first);
	stmt_int(put, 2, cut->count);
	stmt_int(put, 3, cut->newest_ms);
	stmt_blob(put, 4, cut->keep.data, cut->keep.len);
	return stmt_run(put, e);
}

static int set_back(const char *stage, const struct group_position *at, struct err *e)
{
	char restored[sizeof RESTORED_PREFIX + NAME_BYTES];
	struct store_options o = {0};
	struct bus_position end;
	struct group g = {0};
	int rc;

	if (copied_end(stage, at->topic, &end, e) < 0)
		return -1;
	if (end.next == INT64_MAX)
		return 0;
	if (group_file_open(&g, stage, at->group, &o, e) < 0)
		return -1;
	snprintf(restored, sizeof restored, RESTORED_PREFIX "%s", at->topic);
	rc = group_put(&g, restored, &end, e);
	if (rc == 0 && at->at.next > end.next)
		rc = group_put(&g, at->topic, &end, e);
	store_close(g.store);
	return rc;
}

static int copied_end(const char *stage, const char *topic, struct bus_position *out, struct err *e)
{
	const struct topic *t = topic_find(str_of(topic));
	struct bus_record last;
	struct topic_file f;
	struct buf hold;
	int64_t first;
	int rc;

	*out = (struct bus_position){.next = INT64_MAX};
	if (t == NULL) /* a position of a later program's topic */
		return 0;
	if (topic_file_open(&f, stage, t, 0, NULL, e) < 0)
		return -1;
	buf_init(&hold, SEGMENT_BYTES_MAX + EVENT_BYTES_MAX);
	rc = topic_file_ends(&f, &first, &out->next, e);
	if (rc == 0 && out->next > 0) {
		rc = topic_file_event(&f, out->next - 1, &hold, &last, e);
		if (rc == 0)
			rc = topic_file_damaged(&f, out->next - 1, e);
		out->last_id = last.event.id;
	}
	buf_fini(&hold);
	topic_file_close(&f);
	return rc < 0 ? -1 : 0;
}
