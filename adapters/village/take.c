/* A roster is read twice. The first reading tells what it is (digest, so submission; encoding), and
 * for whatever is known already that is the end. The second one decodes it, finds head and header,
 * counts rows, and seals the bytes piece by piece as they pass; its digest must be the first one's,
 * or somebody was still writing. */
#include "adapters/village/take.h"
#include "adapters/village/claim.h"
#include "adapters/village/own.h"
#include "adapters/village/place.h"
#include "adapters/village/tell.h"
#include "base/date.h"
#include "crypto/ids.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, TEXT_MAX = 16 << 10 };

/* One roster on its way in. */
struct intake {
	struct village_role *v;
	const struct drop *f;
	int fd;
	struct sniff sniff;
	struct digest *digest;
	struct own_check own;
	bool untouched; /* an answer of ours, by its own check code */
	uint8_t first[SHA256_LEN], second[SHA256_LEN]; /* of the first and the second reading */
	struct spool_meta meta;
	struct spool_writer *writer;
	struct decoder *decoder;
	struct refusal why;
	uint8_t chunk[CHUNK];
};

static int take(struct intake *in, struct err *e);
static int open_drop(struct intake *in, struct err *e);
static ssize_t read_chunk(struct intake *in, void *to, size_t n, struct err *e);
static int first_reading(struct intake *in, struct err *e);
static bool is_ours(const struct intake *in);
static int take_again(struct intake *in, struct submission *s, struct err *e);
static int second_reading(struct intake *in, struct err *e);
static ssize_t read_and_seal(void *arg, void *to, size_t n, struct err *e);
static int scan(struct intake *in, struct err *e);
static int scan_rows(struct intake *in, struct roster *r, struct err *e);
static void refuse_reading(struct intake *in, const struct roster *r);
static int accept_roster(struct intake *in, struct err *e);
static int lose_answer(struct village_role *v, struct submission *s, const struct drop *f,
		       struct err *e);
static int refuse_roster(struct intake *in, struct err *e);
static int load_each(void *arg, const struct id *id, struct err *e);

enum file_kind file_kind(const char *name)
{
	size_t n = strlen(name);

	if (name[0] == '.' || strncmp(name, "~$", 2) == 0)
		return KIND_NONE;
	if (n > 4 && strcasecmp(name + n - 4, ".csv") == 0)
		return KIND_ROSTER;
	return n > 5 && strcasecmp(name + n - 5, ".json") == 0 ? KIND_COVER : KIND_NONE;
}

int take_roster(struct village_role *v, const struct drop *f, struct err *e)
{
	struct intake *in = calloc(1, sizeof *in);
	int rc = -1;

	if (in == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "intake");
	in->v = v;
	in->f = f;
	in->fd = -1;
	in->digest = digest_new();
	if (in->digest == NULL)
		err_sys(e, ERR_TEMP, ENOMEM, "intake");
	else
		rc = take(in, e);
	decoder_close(in->decoder);
	spool_drop(&in->writer);
	digest_free(in->digest);
	if (in->fd >= 0)
		close(in->fd);
	explicit_bzero(in, sizeof *in);
	free(in);
	return rc;
}

/* Order matters: an answer of ours is passed over whatever its size, and a known roster is known
 * even when the limits were lowered since. */
static int take(struct intake *in, struct err *e)
{
	struct submission *s;

	if (open_drop(in, e) < 0 || first_reading(in, e) < 0)
		return -1;
	if (is_ours(in)) {
		village_count(in->v, C_FILES_OURS, 1);
		return 0;
	}
	s = submissions_find(&in->v->submissions, &in->meta.submission);
	if (s)
		return take_again(in, s, e);
	if (in->meta.bytes > in->v->role->conf.village.file_bytes_max)
		refusal_set(&in->why, "file_too_large", "%" PRId64,
			    in->v->role->conf.village.file_bytes_max >> 10);
	else if (second_reading(in, e) < 0)
		return -1;
	return in->why.code ? refuse_roster(in, e) : accept_roster(in, e);
}

/* What cannot be opened is not ours to judge: it stays, counted, and is tried again. */
static int open_drop(struct intake *in, struct err *e)
{
	struct stat st;

	in->fd = openat(in->f->folder, in->f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in->fd >= 0 && fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	village_count(in->v, C_FILES_UNREADABLE, 1);
	return err_sys(e, ERR_TEMP, errno, "a file of %s: open", in->f->sender);
}

/* A stop must not wait for a file of a gigabyte; nothing is lost, the file stays. */
static ssize_t read_chunk(struct intake *in, void *to, size_t n, struct err *e)
{
	ssize_t got;

	if (role_stopping())
		return err_set(e, ERR_TEMP, "a file of %s: stopping", in->f->sender);
	do {
		got = read(in->fd, to, n);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? err_sys(e, ERR_TEMP, errno, "a file of %s: read", in->f->sender) : got;
}

/* All bytes, for their digest and their encoding: nothing is known about a file before. */
static int first_reading(struct intake *in, struct err *e)
{
	char hex[2 * SHA256_LEN + 1];
	ssize_t n;

	sniff_init(&in->sniff);
	digest_start(in->digest);
	if (own_begin(&in->own) < 0)
		return err_sys(e, ERR_TEMP, ENOMEM, "a file of %s", in->f->sender);
	while ((n = read_chunk(in, in->chunk, sizeof in->chunk, e)) > 0) {
		sniff_add(&in->sniff, in->chunk, (size_t)n);
		digest_add(in->digest, in->chunk, (size_t)n);
		own_add(&in->own, in->chunk, (size_t)n);
	}
	in->untouched = n == 0 && own_is_true(&in->own);
	own_end(&in->own);
	if (n < 0)
		return -1;
	digest_end(in->digest, in->first);
	hex_put(hex, in->first, SHA256_LEN);
	submission_id(&in->meta.submission, str_of(in->f->sender), str_of(hex));
	str_copy(in->meta.sha256, sizeof in->meta.sha256, str_of(hex));
	str_copy(in->meta.sender, sizeof in->meta.sender, str_of(in->f->sender));
	str_copy(in->meta.reader, sizeof in->meta.reader, STR(ROSTER_READER));
	in->meta.bytes = in->sniff.bytes;
	return 0;
}

/* An answer of ours that nobody changed. */
static bool is_ours(const struct intake *in)
{
	struct file_name *n;

	if (in->untouched && own_name(in->f->name))
		return true;
	return claim_holder(in->v, NULL, in->f->sender, in->f->name, &n) &&
	       file_name_wrote(n, in->first);
}

/* The same content, under a name that is known or a further one: the same submission, the same
 * answer. */
static int take_again(struct intake *in, struct submission *s, struct err *e)
{
	struct village_role *v = in->v;
	struct submission *loser = NULL;
	char hex[ID_HEX];

	if (submission_name(s, in->f->name) == NULL) {
		village_count(v, C_FILES_AGAIN, 1);
		if (claim_name(v, s, in->f->name, in->f->folder, &loser) < 0)
			log_warn("ROSTER-NAMES", "submission=%s names=%d",
				 id_hex(&s->meta.submission, hex), NAMES_MAX);
		else if (claim_store(v, s, e) < 0)
			return -1;
		log_info("ROSTER-AGAIN", "submission=%s", id_hex(&s->meta.submission, hex));
	}
	if (loser && lose_answer(v, s, in->f, e) < 0)
		return -1;
	tell_no_more(in->f->folder, in->f->name, ".csv");
	submission_touch(s, clock_monotonic(), v->role->conf.village.answer_interval_ms);
	return 0;
}

/* The bytes again, through the decoder and the roster reader, and beside that sealed piece by
 * piece. */
static int second_reading(struct intake *in, struct err *e)
{
	const char *code = sniff_end(&in->sniff, &in->meta.encoding);
	ssize_t n;

	if (lseek(in->fd, 0, SEEK_SET) < 0)
		return err_sys(e, ERR_TEMP, errno, "a file of %s: read again", in->f->sender);
	if (spool_begin(&in->v->spool, &in->meta.submission, &in->writer, e) < 0)
		return -1;
	digest_start(in->digest);
	if (code)
		refusal_set(&in->why, code, "%s", strcmp(code, "file_undecodable") == 0 ? "1" : "");
	else if (scan(in, e) < 0)
		return -1;
	/* A refused file is kept whole as well. */
	while ((n = read_and_seal(in, in->chunk, sizeof in->chunk, e)) > 0)
		;
	if (n < 0)
		return -1;
	digest_end(in->digest, in->second);
	if (memcmp(in->first, in->second, SHA256_LEN) != 0)
		return err_set(e, ERR_TEMP, "a file of %s: changed while it was read",
			       in->f->sender);
	return 0;
}

/* The decoder's source: what it reads is what is kept, so nothing can be published that the spool
 * does not hold. */
static ssize_t read_and_seal(void *arg, void *to, size_t n, struct err *e)
{
	struct intake *in = arg;
	ssize_t got = read_chunk(in, to, n, e);

	if (got <= 0)
		return got;
	digest_add(in->digest, to, (size_t)got);
	return spool_add(in->writer, to, (size_t)got, e) < 0 ? -1 : got;
}

/* Reads the roster as far as needed to judge the file as a whole; rows are judged when they are
 * published. */
static int scan(struct intake *in, struct err *e)
{
	struct source src = {read_and_seal, in};
	const struct village *at;
	struct roster *r;
	struct err own = {0};
	int rc;

	if (decoder_open(&in->decoder, in->meta.encoding, src, e) < 0)
		return -1;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "intake");
	rc = roster_open(r, in->decoder, &own);
	if (rc == 0) {
		in->meta.year = r->year;
		at = place_of(r, in->v->reference, &in->why);
		if (at && seal_year_destroyed(in->v->keys, r->year)) {
			refusal_set(&in->why, "year_closed", "%d", r->year);
			at = NULL;
		}
		if (at)
			str_copy(in->meta.village, sizeof in->meta.village, str_of(at->code));
		rc = at ? scan_rows(in, r, &own) : 0;
	}
	if (rc < 0 && own.class == ERR_PERM && r->refused) {
		refuse_reading(in, r);
		rc = 0;
	} else if (rc < 0 && e) {
		*e = own;
	}
	roster_close(r);
	free(r);
	return rc;
}

/* To the end, although the answer could be had earlier: the last line may be the undecodable
 * one. */
static int scan_rows(struct intake *in, struct roster *r, struct err *e)
{
	int64_t rows_max = in->v->role->conf.village.rows_max;
	enum roster_line line;

	do {
		if (roster_next(r, &line, e) < 0)
			return -1;
		in->meta.rows += line == ROSTER_ROW;
	} while (line != ROSTER_END && in->meta.rows <= rows_max && r->csv.record < INT32_MAX);
	in->meta.records = r->csv.record;
	if (line != ROSTER_END)
		refusal_set(&in->why, "roster_too_many_rows", "%" PRId64, rows_max);
	else if (in->meta.rows == 0)
		refusal_set(&in->why, "roster_no_rows", "%s", "");
	return 0;
}

/* {0} of these texts is the record, but for a header that lacks columns: then it is their names. */
static void refuse_reading(struct intake *in, const struct roster *r)
{
	if (r->refused_what[0])
		refusal_set(&in->why, r->refused, "%s", r->refused_what);
	else
		refusal_set(&in->why, r->refused, "%" PRId64, r->refused_at);
}

/* Spooled first; then it is known, and its answer due. */
static int accept_roster(struct intake *in, struct err *e)
{
	struct village_role *v = in->v;
	struct submission fresh = {.meta = in->meta}, *s, *loser = NULL;
	char hex[ID_HEX], receipt[11];
	struct buf names;
	int rc = -1;

	buf_init(&names, 1 << 16);
	fresh.meta.received_at = clock_now(&v->role->clock);
	claim_name(v, &fresh, in->f->name, in->f->folder, &loser);
	if (submission_names_put(&fresh, &names) < 0) {
		err_sys(e, ERR_TEMP, ENOMEM, "intake");
		goto out;
	}
	if (spool_commit(&in->writer, &fresh.meta, (struct str){(char *)names.data, names.len}, e) <
	    0)
		goto out;
	/* From the spool and not from here: an earlier try may have got that far, and its stamp
	 * counts. */
	s = take_load_one(v, &in->meta.submission, e);
	if (s == NULL)
		goto out;
	village_count(v, C_FILES_TAKEN, 1);
	receipt_number(receipt, &s->meta.submission);
	log_info("ROSTER-TAKEN",
		 "submission=%s receipt=%s sender=%s year=%d village=%s rows=%" PRId64
		 " bytes=%" PRId64 " encoding=%s",
		 id_hex(&s->meta.submission, hex), receipt, s->meta.sender, (int)s->meta.year,
		 s->meta.village, s->meta.rows, s->meta.bytes, encoding_code(s->meta.encoding));
	spool_unrefuse(&v->spool, &s->meta.submission);
	tell_no_more(in->f->folder, in->f->name, ".csv");
	rc = loser ? lose_answer(v, s, in->f, e) : 0;
out:
	for (int i = 0; i < fresh.name_count; i++) {
		free(fresh.names[i].name);
		free(fresh.names[i].answer);
	}
	buf_fini(&names);
	return rc;
}

/* Whoever else had the answer beside this name goes on under the next free one. */
static int lose_answer(struct village_role *v, struct submission *s, const struct drop *f,
		       struct err *e)
{
	char answer[FILE_NAME_MAX + 1];
	struct submission *other;
	struct file_name *n;

	answer_name(answer, f->name, ".csv", 1, ".csv");
	while ((other = claim_holder(v, s, f->sender, answer, &n)) != NULL) {
		if (claim_next(v, other, n, f->folder, e) < 0 || claim_store(v, other, e) < 0)
			return -1;
		village_count(v, C_FILES_MOVED_ON, 1);
		submission_touch(other, clock_monotonic(),
				 v->role->conf.village.answer_interval_ms);
	}
	return 0;
}

/* Kept aside first, told second: when the telling fails the file is looked at again and told
 * then. */
static int refuse_roster(struct intake *in, struct err *e)
{
	struct village_role *v = in->v;
	struct buf text, reason;
	char hex[ID_HEX], why[LOG_VALUE];
	int rc = -1;

	buf_init(&text, TEXT_MAX);
	buf_init(&reason, TEXT_MAX);
	if (refusal_reason(&in->why, &reason) < 0 || buf_put_str(&text, "名册没有收下：") < 0 ||
	    refusal_text(&in->why, &text) < 0) {
		err_sys(e, ERR_TEMP, ENOMEM, "intake");
		goto out;
	}
	if (in->writer == NULL
		    ? spool_refuse_unread(&v->spool, &in->meta.submission,
					  (struct str){(char *)reason.data, reason.len}, e) < 0
		    : spool_refuse(&in->writer, (struct str){(char *)reason.data, reason.len}, e) <
			      0)
		goto out;
	village_count(v, C_FILES_REFUSED, 1);
	log_warn("ROSTER-REFUSED", "submission=%s sender=%s code=%s what=%s",
		 id_hex(&in->meta.submission, hex), in->f->sender, in->why.code,
		 log_value(why, in->why.what));
	rc = tell(in->f->folder, in->f->name, ".csv", (struct str){(char *)text.data, text.len}, e);
out:
	buf_fini(&text);
	buf_fini(&reason);
	return rc;
}

/* ---- what is there at start ---- */

int take_load(struct village_role *v, struct err *e)
{
	struct submissions *all = &v->submissions;

	if (spool_each(&v->spool, load_each, v, e) < 0)
		return -1;
	/* A crash between the two writes of a change of hands leaves an answer name with two
	 * owners: the content that came later keeps it. */
	for (int i = 0; i < all->count; i++) {
		for (int k = 0; k < all->at[i]->name_count; k++) {
			struct submission *s = all->at[i];
			struct file_name *n;
			struct submission *other =
				claim_holder(v, s, s->meta.sender, s->names[k].answer, &n);

			if (other == NULL || other->meta.received_at < s->meta.received_at)
				continue;
			if (claim_next(v, s, &s->names[k], -1, e) < 0 || claim_store(v, s, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* Nobody else writes into the spool, so what a killed writer left there can go. */
static int load_each(void *arg, const struct id *id, struct err *e)
{
	struct village_role *v = arg;

	if (spool_sweep(&v->spool, id, e) < 0)
		return -1;
	return take_load_one(v, id, e) ? 0 : -1;
}

struct submission *take_load_one(struct village_role *v, const struct id *id, struct err *e)
{
	struct spool_meta meta;
	struct submission *s;
	char hex[ID_HEX];
	struct buf names;

	if (spool_get_meta(&v->spool, id, &meta, e) < 0)
		return NULL;
	s = submissions_find(&v->submissions, id);
	if (s == NULL)
		s = submissions_add(&v->submissions, &meta);
	if (s == NULL) {
		err_sys(e, ERR_TEMP, ENOMEM, "submissions");
		return NULL;
	}
	buf_init(&names, 1 << 16);
	if (s->name_count == 0 &&
	    (spool_get_names(&v->spool, id, &names, e) < 0 ||
	     submission_names_get(s, (struct str){(char *)names.data, names.len}) < 0)) {
		/* Without names there is only no answer file: the rows are safe, and the next
		 * look finds the file again. */
		log_error("NAMES-UNREADABLE", "submission=%s", id_hex(id, hex));
		s->name_count = 0;
	}
	buf_fini(&names);
	submission_touch(s, clock_monotonic(), v->role->conf.village.answer_interval_ms);
	return s;
}
