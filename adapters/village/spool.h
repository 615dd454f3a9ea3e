/* The spool: what was accepted and survives a power cut, sealed at rest (design, sections 1 and
 * 8).
 *
 *   <data>/spool/<submission hex>/   a roster; comes into being by one rename of a whole folder
 *       roster.sealed  the village's own bytes: pieces of {length u32, sealed 64 KiB}, each
 *                      bound to the submission, its place, and whether it is the last
 *       meta           "key value" lines; nothing personal
 *       names.sealed   under which names the file lies in the inbox, and our answers beside them
 *       answers.bin    answers.h
 *   <data>/spool/covers/<cover hex>.sealed and .meta   a cover; accepted once its meta is there
 *   <data>/refused/<id hex>.sealed and .reason         what was refused, kept aside
 *
 * Order of acceptance: pieces, names and meta written and synced in .new-<hex>, that folder
 * synced, renamed, spool/ synced; only then a receipt. Whatever a crash leaves half-done has a
 * name that nothing reads; spool_attach removes it. Errors: ERR_TEMP for a full or failing disk,
 * ERR_PERM for sealed bytes that do not open. Everything here blocks on disk. */
#ifndef QIAO_VILLAGE_SPOOL_H
#define QIAO_VILLAGE_SPOOL_H
#include "adapters/village/decode.h"
#include "crypto/identity.h"

#define SPOOL_PIECE (64 << 10)
#define SENDER_MAX 60

enum spool_state { SPOOL_SPOOLED, SPOOL_PUBLISHED };

struct spool {
	char dir[512], covers[512], refused[512];
	struct keyring *keys; /* borrowed */
};
int spool_attach(struct spool *sp, const char *data_dir, struct keyring *keys, struct err *e);

struct spool_meta {
	struct id submission;
	char sender[SENDER_MAX + 1];
	char sha256[65]; /* of the content: what covers cite */
	int32_t year;
	char village[13];
	int64_t received_at; /* stamped once, at acceptance */
	enum spool_state state;
	enum encoding encoding;
	int64_t bytes, records, rows;
	char reader[16]; /* roster reader that counted them */
};
/* A roster on its way in, or aside: begin, add..., then commit or refuse (both take the writer,
 * also when they fail; then nothing is left that counts) or drop. */
struct spool_writer;
int spool_begin(struct spool *sp, const struct id *submission, struct spool_writer **out,
		struct err *e);
int spool_add(struct spool_writer *w, const void *p, size_t n, struct err *e);
/* Durable when it returns 0. When this submission is there already (an earlier try whose last
 * sync failed), that one is made durable and stays: read its meta. names is sealed here. */
int spool_commit(struct spool_writer **w, const struct spool_meta *meta, struct str names,
		 struct err *e);
/* reason: the text of the .reason file. */
int spool_refuse(struct spool_writer **w, struct str reason, struct err *e);
void spool_drop(struct spool_writer **w);
/* The same for content that is not kept (too large): the reason alone. */
int spool_refuse_unread(struct spool *sp, const struct id *id, struct str reason, struct err *e);
/* Forgets a refusal whose content was accepted after all. */
void spool_unrefuse(struct spool *sp, const struct id *id);

bool spool_has(const struct spool *sp, const struct id *submission);
int spool_get_meta(const struct spool *sp, const struct id *submission, struct spool_meta *meta,
		   struct err *e);
int spool_put_meta(const struct spool *sp, const struct spool_meta *meta, struct err *e);
int spool_get_names(const struct spool *sp, const struct id *submission, struct buf *out,
		    struct err *e);
int spool_put_names(const struct spool *sp, const struct id *submission, struct str names,
		    struct err *e);
int spool_path(const struct spool *sp, const struct id *submission, const char *file, char *out,
	       size_t cap);

/* The village's bytes again, as a source for a decoder. A piece that is missing, moved or
 * changed is ERR_PERM; the last piece says that it is the last. */
struct spool_reader;
int spool_read_open(const struct spool *sp, const struct id *submission, struct spool_reader **out,
		    struct err *e);
ssize_t spool_read(void *reader, void *to, size_t n, struct err *e); /* fits struct source */
void spool_read_close(struct spool_reader *r);

struct spool_cover {
	struct id cover, submission;
	char sender[SENDER_MAX + 1];
	int64_t received_at;
	enum spool_state state;
};
/* json is sealed here. Durable when it returns 0. */
int spool_put_cover(struct spool *sp, const struct spool_cover *c, struct str json, struct err *e);
int spool_put_cover_meta(const struct spool *sp, const struct spool_cover *c, struct err *e);
bool spool_has_cover(const struct spool *sp, const struct id *cover);
int spool_get_cover(const struct spool *sp, const struct id *cover, struct spool_cover *c,
		    struct err *e);
int spool_get_cover_json(const struct spool *sp, const struct id *cover, struct buf *out,
			 struct err *e);

/* Removes what killed writers of its small files left. */
int spool_sweep(const struct spool *sp, const struct id *submission, struct err *e);
/* Each submission, each cover; fn returns -1 to stop. */
int spool_each(const struct spool *sp, int (*fn)(void *arg, const struct id *id, struct err *e),
	       void *arg, struct err *e);
int spool_each_cover(const struct spool *sp,
		     int (*fn)(void *arg, const struct id *id, struct err *e), void *arg,
		     struct err *e);

#endif
