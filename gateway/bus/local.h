/* What the files of the local bus share, and bus.c sees of it; nobody else includes it. FORMAT.md tells what lies on
 * disk.
 *
 *   local.c         the folder: made, opened, closed
 *   local_write.c   publish and flush
 *   local_file.c    a topic file opened for reading: rows, kinds, single events
 *   local_read.c    readers and local_last
 *   local_groups.c  positions of groups, lags
 *   local_keep.c    retention
 *   local_backup.c  the copy that fits a copied ledger */
#ifndef QIAO_BUS_LOCAL_H
#define QIAO_BUS_LOCAL_H
#include "base/buf.h"
#include "bus/batch.h"
#include "bus/bus.h"
#include "store/store.h"

struct local;
struct local_reader;

enum {
	TOPICS_MAX = 32,
	NAME_BYTES = 40,     /* of a topic or group, as in struct bus_lag */
	GROUPS_OPEN_MAX = 8, /* by one process */
	GROUPS_MAX = 64,     /* files in the folder */
	POSITIONS_MAX = 256, /* of all groups together */
	TYPES_MAX = 16,	     /* record types a producer sends to one topic */
	KINDS_MAX = 1 << 16,
	QUEUE_BYTES_MAX = 4 << 20, /* all topics together: a program's memory is bounded */
	SEGMENT_BYTES_MIN = 4096,
	SEGMENT_BYTES_MAX = EVENT_BYTES_MAX,
	WINDOW_BYTES = 2 << 20, /* a reader holds that much, or one batch where that is more */
};

extern const struct store_kind topic_kind, group_kind;

/* ---- local_file.c: a topic opened for reading ---- */
struct kind {
	char *headers;
	struct str type, ledger; /* into headers */
};
struct row {
	int64_t first;
	int count;
	struct str blob;
};
struct topic_file {
	const struct topic *topic;
	struct store *store;
	struct stmt *from, *holding, *before, *edges, *kind;
	struct kind *kinds; /* by number; headers NULL = not looked up yet */
	uint32_t kind_count;
};
/* flags as of store_open. */
int topic_file_open(struct topic_file *f, const char *dir, const struct topic *t, int flags,
		    const char *vfs, struct err *e);
void topic_file_close(struct topic_file *f);
/* Steps f->from (parameter 1: offset; that row and those after it), f->holding (the last row at or
 * before an offset) or f->before (the last row before it). 1 a row whose blob lives until the next
 * step or reset, 0 none, -1. */
int topic_file_step(struct stmt *st, struct row *out, struct err *e);
/* Offsets from first to end - 1 are kept. */
int topic_file_ends(struct topic_file *f, int64_t *first, int64_t *end, struct err *e);
int topic_file_kind(struct topic_file *f, uint32_t number, struct bus_record *out, struct err *e);
/* One event by offset; hold keeps its bytes. 1 found, 0 not kept or past the end. */
int topic_file_event(struct topic_file *f, int64_t offset, struct buf *hold, struct bus_record *out,
		     struct err *e);
int topic_file_damaged(const struct topic_file *f, int64_t first, struct err *e); /* -1, ERR_SAFE */

/* The topic for reading outside of any reader, opened once and kept; NULL on failure. */
struct topic_file *local_look(struct local *b, const struct topic *t, struct err *e);

/* ---- local_groups.c ---- */
struct group {
	char name[NAME_BYTES];
	bool relaxed; /* not durable at once: for noted positions */
	struct store *store;
	struct stmt *get, *put;
};
struct group_position {
	char group[NAME_BYTES], topic[NAME_BYTES];
	struct bus_position at;
};
int group_open(struct local *b, const char *name, bool relaxed, struct group **out, struct err *e);
/* In a copy, beside each position: where its topic ended then, under this name for the topic. */
#define RESTORED_PREFIX "restored/"
/* 1 found, 0 none, -1. */
int group_get(struct group *g, const char *topic, struct bus_position *out, struct err *e);
int group_put(struct group *g, const char *topic, const struct bus_position *at, struct err *e);
int group_file_open(struct group *g, const char *dir, const char *name,
		    const struct store_options *o, struct err *e);
int group_names(const char *dir, char names[][NAME_BYTES], int max, int *count, struct err *e);
/* Positions of all groups of a bus folder, as the files tell them now. */
int group_positions(const char *dir, const struct store_options *o, struct group_position *out,
		    int max, int *count, struct err *e);
int group_path(char *path, size_t cap, const char *dir, const char *group, struct err *e);

/* ---- local_write.c, local_keep.c ---- */
struct cut { /* one batch in a queue */
	size_t start, len;
	int count;
	int64_t newest_ms;
};
struct sent_type {
	char type[64];
	uint32_t kind;
};
struct outbound { /* a topic as its producer sees it */
	const struct topic *topic;
	struct store *store; /* opened by the first publish */
	struct stmt *end, *add, *kind_find, *kind_add, *newest, *oldest, *drop;
	struct buf queue; /* batches as they will be rows; all sealed but an open last one */
	struct cut *cuts;
	int cut_count, cut_cap;
	bool open; /* the last cut takes more events */
	bool dirty;
	struct sent_type types[TYPES_MAX];
	int type_count;
	int64_t kept_ms; /* when retention last looked, monotonic */
};
int keep_topic(struct local *b, struct outbound *o, struct err *e);

/* ---- local.c ---- */
struct local {
	char dir[CONF_PATH], role[NAME_BYTES], ledger[96], vfs_name[64];
	const char *vfs; /* NULL or vfs_name */
	int64_t retention_days, segment_bytes;
	struct outbound out[TOPICS_MAX];
	struct outbound *latest; /* the last one published to */
	int dirty[TOPICS_MAX];	 /* topics with a queue, in the order in which they got it */
	int dirty_count;
	size_t queued;
	bool failed;			    /* after ERR_SAFE: nothing is written any more */
	struct topic_file look[TOPICS_MAX]; /* for local_last */
	struct buf last;
	struct group groups[GROUPS_OPEN_MAX];
	int group_count, reader_count;
};
int topic_path(char *path, size_t cap, const char *dir, const char *topic, struct err *e);
int local_fail(struct local *b, const struct err *e); /* -1; remembers that e is ERR_SAFE */
int local_refused(const struct local *b, struct err *e);

struct local *local_of(struct bus *b); /* NULL on kafka; for tests of what is inside */

/* ---- what bus.c hands on; see bus.h ---- */
int local_open(struct local **out, const struct bus_options *o, struct err *e);
void local_close(struct local *b);
void local_set_ledger(struct local *b, const char *ledger);
int local_init(const char *dir, struct err *e);
int local_publish(struct local *b, const char *topic, const struct bus_event *ev, struct err *e);
int local_flush(struct local *b, struct err *e);
int local_reader_open(struct local *b, struct local_reader **out, const char *topic,
		      const char *group, struct err *e);
void local_reader_close(struct local_reader *r);
int local_seek(struct local_reader *r, const struct bus_position *at, struct err *e);
int local_read(struct local_reader *r, int max, const struct bus_record **records, struct err *e);
struct bus_position local_tell(const struct local_reader *r);
struct bus_share local_share(const struct local_reader *r);
int local_store_position(struct local_reader *r, struct err *e);
void local_note_position(struct local_reader *r, const char *group);
int local_last(struct local *b, const char *topic, struct str key, struct bus_record *out,
	       struct err *e);
int local_lags(const char *dir, struct bus_lag *out, int max, int *count, struct err *e);
int local_backup(const char *dir, const char *dst, int64_t ledger_seq, struct err *e);

/* A folder that appears whole or not at all: files are made in the first path, then it is renamed
 * to dir. */
int stage_begin(char *stage, size_t cap, const char *dir, struct err *e);
int stage_end(const char *stage, const char *dir, struct err *e);

#endif
