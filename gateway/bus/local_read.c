#include "base/clock.h"
#include "base/log.h"
#include "bus/local.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reader holds a window: the bytes of some batches, copied out of the database, so that no read
 * transaction stays open between two calls (it would keep the WAL from being reused). Records are
 * slices of the window. */
struct local_reader {
	struct local *bus;
	struct topic_file file;
	struct group *group; /* NULL: the caller keeps positions */
	struct buf window;
	size_t at;	/* what is before was given */
	int waiting;	/* events in the window not given yet */
	int64_t loaded; /* offset after the window; -1: begin with the oldest event kept */
	int64_t next;	/* offset of the next event to give */
	struct id last_id;
	struct bus_record *records;
	int record_cap;
	int64_t stored;		/* the position last stored for the group */
	struct bus_share share; /* of a group: as it was when the reader was opened */
	struct group *note;	/* where positions are noted, NULL = nowhere */
	struct bus_position noted;
	int64_t noted_ms; /* when that was last written, monotonic */
	bool note_due, failed;
};
enum { NOTE_EVERY_MS = 200 };
#define CURE_ONE_BACKUP "restore bus and ledger from one backup, never start over"

static int start_group(struct local_reader *r, const char *group, struct err *e);
static int start_at(struct local_reader *r, const struct bus_position *at, struct err *e);
static int begin_share(struct local_reader *r, const struct bus_position *at, struct err *e);
static int start_after(struct local_reader *r, const struct bus_position *at, struct err *e);
static int not_there(struct local_reader *r, int64_t next, struct err *e);
static void make_room(struct local_reader *r);
static int fill(struct local_reader *r, int max, struct err *e);
static int add_row(struct local_reader *r, const struct row *row, struct err *e);
static int give(struct local_reader *r, int count, struct err *e);
static int failed(struct local_reader *r, const struct err *e);
static void note_write(struct local_reader *r);
static int find_last(struct topic_file *f, const struct row *row, struct str key, struct buf *hold,
		     struct bus_record *out, struct err *e);

int local_reader_open(struct local *b, struct local_reader **out, const char *topic,
		      const char *group, struct err *e)
{
	const struct topic *t = topic_find(str_of(topic));
	struct local_reader *r;

	*out = NULL;
	assert(t != NULL);
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", topic);
	r->bus = b;
	r->loaded = -1;
	b->reader_count++;
	buf_init(&r->window, WINDOW_BYTES + EVENT_BYTES_MAX + SEGMENT_BYTES_MAX);
	if (topic_file_open(&r->file, b->dir, t, STORE_READONLY, b->vfs, e) < 0 ||
	    (group && start_group(r, group, e) < 0)) {
		local_reader_close(r);
		return -1;
	}
	*out = r;
	return 0;
}

void local_reader_close(struct local_reader *r)
{
	if (r == NULL)
		return;
	note_write(r);
	topic_file_close(&r->file);
	buf_fini(&r->window);
	free(r->records);
	r->bus->reader_count--;
	free(r);
}

int local_seek(struct local_reader *r, const struct bus_position *at, struct err *e)
{
	assert(r->group == NULL);
	if (start_at(r, at, e) == 0)
		return 0;
	r->failed = true; /* nothing may be read from where the reader happens to be */
	return err_wrap(e, "topic %s", r->file.topic->name);
}

int local_read(struct local_reader *r, int max, const struct bus_record **records, struct err *e)
{
	struct err mine;
	int count;

	e = e ? e : &mine;
	*records = NULL;
	if (r->failed)
		return local_refused(r->bus, e);
	if (r->waiting < max && fill(r, max, e) < 0)
		return failed(r, e);
	count = r->waiting < max ? r->waiting : max;
	if (give(r, count, e) < 0)
		return failed(r, e);
	if (count == 0 && r->note_due && clock_monotonic() - r->noted_ms >= NOTE_EVERY_MS)
		note_write(r);
	*records = r->records;
	return count;
}

struct bus_position local_tell(const struct local_reader *r)
{
	return (struct bus_position){.next = r->next, .last_id = r->last_id};
}

struct bus_share local_share(const struct local_reader *r)
{
	return r->share;
}

int local_store_position(struct local_reader *r, struct err *e)
{
	struct bus_position at = local_tell(r);

	assert(r->group != NULL);
	if (r->failed)
		return local_refused(r->bus, e);
	if (at.next == r->stored)
		return 0;
	if (group_put(r->group, r->file.topic->name, &at, e) < 0)
		return -1;
	r->stored = at.next;
	return 0;
}

void local_note_position(struct local_reader *r, const char *group)
{
	struct err why;

	if (r->note == NULL && group_open(r->bus, group, true, &r->note, &why) < 0) {
		log_warn("BUS-NOTE", "topic=%s class=%d", r->file.topic->name, (int)why.class);
		return;
	}
	r->noted = local_tell(r);
	r->note_due = true;
	/* Only a note: while events keep coming it is written now and then, at the latest when none
	 * come or at the end. */
	if (clock_monotonic() - r->noted_ms >= NOTE_EVERY_MS)
		note_write(r);
}

int local_last(struct local *b, const char *topic, struct str key, struct bus_record *out,
	       struct err *e)
{
	const struct topic *t = topic_find(str_of(topic));
	struct topic_file *f;
	int64_t before = INT64_MAX, first;
	struct row row;
	int rc;

	assert(t != NULL);
	f = local_look(b, t, e);
	if (f == NULL)
		return -1;
	do {
		stmt_int(f->before, 1, before);
		rc = topic_file_step(f->before, &row, e);
		if (rc == 0)
			return topic_file_ends(f, &first, &out->offset, e);
		if (rc < 0)
			return -1;
		before = row.first;
		rc = find_last(f, &row, key, &b->last, out, e);
	} while (rc == 0);
	return rc;
}

struct topic_file *local_look(struct local *b, const struct topic *t, struct err *e)
{
	struct topic_file *f = &b->look[t - topics];

	if (f->store == NULL && topic_file_open(f, b->dir, t, STORE_READONLY, b->vfs, e) < 0)
		return NULL;
	return f;
}

static int start_group(struct local_reader *r, const char *group, struct err *e)
{
	const char *topic = r->file.topic->name;
	struct bus_position at;
	int rc;

	if (group_open(r->bus, group, false, &r->group, e) < 0)
		return -1;
	rc = group_get(r->group, topic, &at, e);
	if (rc == 0)
		rc = err_set(e, ERR_SAFE,
			     "no position; restore the bus from the last backup, never start over");
	else if (rc == 1)
		rc = start_at(r, &at, e);
	if (rc < 0)
		return err_wrap(e, "topic %s: group %s", topic, group);
	r->stored = at.next;
	return begin_share(r, &at, e);
}

static int begin_share(struct local_reader *r, const struct bus_position *at, struct err *e)
{
	char name[sizeof RESTORED_PREFIX + NAME_BYTES];
	struct bus_position end = {0};
	int64_t first;

	snprintf(name, sizeof name, RESTORED_PREFIX "%s", r->file.topic->name);
	r->share.next = at->next;
	r->share.restored_end = group_get(r->group, name, &end, NULL) == 1 ? end.next : 0;
	return topic_file_ends(&r->file, &first, &r->share.end, e);
}

static int start_at(struct local_reader *r, const struct bus_position *at, struct err *e)
{
	int64_t first, end;

	r->waiting = 0;
	buf_reset(&r->window);
	r->at = 0;
	if (at->next < 0 || at->partition != 0)
		return err_set(e, ERR_SAFE,
			       "position %lld of partition %d cannot be; " CURE_ONE_BACKUP,
			       (long long)at->next, at->partition);
	if (at->next > 0)
		return start_after(r, at, e);
	if (topic_file_ends(&r->file, &first, &end, e) < 0)
		return -1;
	if (first > 0)
		return not_there(r, 0, e);
	r->loaded = r->next = 0;
	r->last_id = (struct id){{0}};
	return 0;
}

/* Reads the batch that holds the last event read and passes over what is before and that event
 * itself. */
static int start_after(struct local_reader *r, const struct bus_position *at, struct err *e)
{
	struct bus_event ev = {0};
	struct cursor c;
	struct row row;
	uint32_t kind;
	int rc;

	stmt_int(r->file.holding, 1, at->next - 1);
	rc = topic_file_step(r->file.holding, &row, e);
	if (rc < 0)
		return -1;
	if (rc == 1) {
		rc = row.first + row.count < at->next ? 0 : add_row(r, &row, e) < 0 ? -1 : 1;
		stmt_reset(r->file.holding);
	}
	if (rc != 1)
		return rc < 0 ? -1 : not_there(r, at->next, e);
	c = cursor_of(r->window.data, r->window.len);
	for (r->next = row.first; r->next < at->next; r->next++, r->waiting--)
		if (batch_get(&c, &kind, &ev) < 0)
			return topic_file_damaged(&r->file, row.first, e);
	r->at = (size_t)(c.p - r->window.data);
	r->last_id = ev.id;
	if (!id_eq(&ev.id, &at->last_id))
		return err_set(e, ERR_SAFE,
			       "event %lld is another than the one that was read; " CURE_ONE_BACKUP,
			       (long long)at->next - 1);
	return 0;
}

static int not_there(struct local_reader *r, int64_t next, struct err *e)
{
	int64_t first, end;

	if (topic_file_ends(&r->file, &first, &end, e) < 0)
		return -1;
	if (next > end)
		return err_set(e, ERR_SAFE, "position %lld is past the end %lld; " CURE_ONE_BACKUP,
			       (long long)next, (long long)end);
	return err_set(e, ERR_SAFE,
		       "position %lld is before the oldest event kept, %lld; " CURE_ONE_BACKUP,
		       (long long)next, (long long)first);
}

static int fill(struct local_reader *r, int max, struct err *e)
{
	struct stmt *from = r->file.from;
	struct row row;
	int rc;

	make_room(r);
	stmt_int(from, 1, r->loaded < 0 ? 0 : r->loaded);
	while ((rc = topic_file_step(from, &row, e)) == 1) {
		if (r->loaded < 0)
			r->loaded = r->next = row.first;
		if (row.first != r->loaded) {
			rc = err_set(
				e, ERR_SAFE,
				"topic %s: events from %lld to %lld are missing; " CURE_ONE_BACKUP,
				r->file.topic->name, (long long)r->loaded,
				(long long)row.first - 1);
			break;
		}
		if (r->window.len > 0 && r->window.len + row.blob.n > WINDOW_BYTES)
			break;
		if (add_row(r, &row, e) < 0) {
			rc = -1;
			break;
		}
		if (r->waiting >= max)
			break;
	}
	stmt_reset(from);
	return rc < 0 ? -1 : 0;
}

/* Moves what is left to the front. The records given before end here. */
static void make_room(struct local_reader *r)
{
	size_t left = r->window.len - r->at;

	if (left == 0 && r->window.cap > 2 * WINDOW_BYTES)
		buf_fini(&r->window); /* one huge event must not cost memory for ever */
	else if (r->at > 0)
		memmove(r->window.data, r->window.data + r->at, left);
	r->window.len = left;
	r->at = 0;
}

static int add_row(struct local_reader *r, const struct row *row, struct err *e)
{
	struct cursor c;

	if (row->count == 0 || batch_open(row->blob, &c) < 0)
		return topic_file_damaged(&r->file, row->first, e);
	if (buf_put(&r->window, c.p, (size_t)(c.end - c.p)) < 0)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", r->file.topic->name);
	r->waiting += row->count;
	r->loaded = row->first + row->count;
	return 0;
}

static int give(struct local_reader *r, int count, struct err *e)
{
	struct cursor c = cursor_of(r->window.data + r->at, r->window.len - r->at);
	uint32_t kind;

	if (count == 0)
		return 0;
	if (count > r->record_cap) {
		free(r->records);
		r->record_cap = 0;
		r->records = malloc((size_t)count * sizeof *r->records);
		if (r->records == NULL)
			return err_set(e, ERR_TEMP, "topic %s: out of memory", r->file.topic->name);
		r->record_cap = count;
	}
	for (int i = 0; i < count; i++) {
		struct bus_record *out = &r->records[i];

		if (batch_get(&c, &kind, &out->event) < 0)
			return topic_file_damaged(&r->file, r->next + i, e);
		if (topic_file_kind(&r->file, kind, out, e) < 0)
			return -1;
		out->offset = r->next + i;
		out->partition = 0;
	}
	r->at = (size_t)(c.p - r->window.data);
	r->waiting -= count;
	r->next += count;
	r->last_id = r->records[count - 1].event.id;
	return 0;
}

static int failed(struct local_reader *r, const struct err *e)
{
	r->failed = e->class == ERR_SAFE;
	return -1;
}

static void note_write(struct local_reader *r)
{
	char text[LOG_VALUE];
	struct err why;

	if (!r->note_due)
		return;
	r->note_due = false;
	r->noted_ms = clock_monotonic();
	if (group_put(r->note, r->file.topic->name, &r->noted, &why) < 0)
		log_warn("BUS-NOTE", "topic=%s why=%s", r->file.topic->name,
			 log_value(text, why.text));
}

/* The last event with the key in one batch: 1 found, 0 none. */
static int find_last(struct topic_file *f, const struct row *row, struct str key, struct buf *hold,
		     struct bus_record *out, struct err *e)
{
	int64_t first = row->first, found = -1;
	struct bus_event ev;
	struct cursor c;
	uint32_t kind, found_kind = 0;
	int rc;

	buf_reset(hold);
	rc = buf_put(hold, row->blob.p, row->blob.n);
	stmt_reset(f->before);
	if (rc < 0)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", f->topic->name);
	if (batch_open((struct str){(const char *)hold->data, hold->len}, &c) < 0)
		return topic_file_damaged(f, first, e);
	for (int64_t at = first; c.p < c.end; at++) {
		if (batch_get(&c, &kind, &ev) < 0)
			return topic_file_damaged(f, first, e);
		if (key.p && !str_eq(ev.key, key))
			continue;
		found = at;
		found_kind = kind;
		out->event = ev;
	}
	if (found < 0)
		return 0;
	out->offset = found;
	out->partition = 0;
	return topic_file_kind(f, found_kind, out, e) < 0 ? -1 : 1;
}
