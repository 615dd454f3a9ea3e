/* The accepted rosters in memory: what the spool holds of each, under which names it lies in the
 * inbox, and when its answer file is due. One for each submission, found by id. About 1 KiB
 * each. */
#ifndef QIAO_VILLAGE_SUBMISSIONS_H
#define QIAO_VILLAGE_SUBMISSIONS_H
#include "adapters/village/spool.h"
#include "crypto/digest.h"

#define NAMES_MAX 32 /* names of one content; further ones get no answer of their own */

/* One name of the roster in its sender's folder, and the answer beside it. Before an answer file
 * is put in place, its digest is stored here as the newer one: so, after a crash between, both
 * what lies there and what was to lie there are known as ours, and anything else is somebody's. */
struct file_name {
	char *name, *answer;
	bool known[2];
	uint8_t written[2][SHA256_LEN]; /* what is to lie there, what lay there before */
};
struct submission {
	struct spool_meta meta;
	int name_count;
	struct file_name names[NAMES_MAX];
	int64_t answer_due;	/* monotonic ms; 0 = nothing to write */
	int64_t answer_written; /* when last, 0 = not since the start */
	int64_t answer_retry;	/* ms; pause after a failed writing, doubles */
	int64_t answer_took;	/* ms; large ones are written less often */
	int64_t answer_since;	/* monotonic ms: the first answer that is not written yet came */
	int64_t answer_pause;	/* ms from then to the writing when answers keep coming */
	int posted;		/* rows left out of the list for posting, + 1; 0 = not made in this life */
	bool answer_busy;	/* answer_due is the end of that pause */
};
struct submissions {
	struct submission **at;
	int count, cap;
	int *index; /* by id, open addressing, -1 = free */
	int index_cap;
};
void submissions_fini(struct submissions *s);
struct submission *submissions_find(const struct submissions *s, const struct id *id);
/* A new one with that meta (submission must not be there yet), or NULL without memory. */
struct submission *submissions_add(struct submissions *s, const struct spool_meta *meta);

struct file_name *submission_name(struct submission *s, const char *name);
/* Adds a name with its answer's; NULL when there are too many or no memory. */
struct file_name *submission_add_name(struct submission *s, const char *name, const char *answer);
bool file_name_wrote(const struct file_name *n, const uint8_t digest[SHA256_LEN]);
/* there: the digest of what lies there now (NULL: nothing); it stays known until the new content
 * is in place. */
void file_name_will_write(struct file_name *n, const uint8_t digest[SHA256_LEN],
			  const uint8_t *there);
int file_name_set_answer(struct file_name *n,
			 const char *answer); /* forgets the digests; -1 without memory */

/* The content of names.sealed. */
int submission_names_put(const struct submission *s, struct buf *out);
int submission_names_get(struct submission *s, struct str bytes);

/* The answer is to be written again: the first at once, later ones when no other answer came for an
 * interval. While they keep coming it is written after 2, 4, 8 and then every 16 intervals: a roster
 * of which each row changes five times is not written fifty times. A large file that takes long to
 * write is written so that it takes a tenth of the time at most. */
void submission_touch(struct submission *s, int64_t now, int64_t interval_ms);
/* It was written, from began to now. */
void submission_wrote(struct submission *s, int64_t began, int64_t now, int64_t interval_ms);

/* Names of answer files: NAME.回执.csv beside NAME.csv, with k > 1 NAME.回执-k.csv; kind e.g.
 * ".csv", ".txt". Cuts a name that would be too long for a file system. */
#define FILE_NAME_MAX 255
/* Of one that is being written: there is one writer only, who holds the role's lock. */
#define ANSWER_TEMP ".qiao-answer.part"
void answer_name(char out[FILE_NAME_MAX + 1], const char *name, const char *suffix, int k,
		 const char *kind);

#endif
