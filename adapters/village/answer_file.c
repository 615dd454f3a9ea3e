/* Order of a replacement: the new content under a temporary name, synced; its digest into the
 * spool beside the old one's; rename. So whatever a crash leaves there is known as ours, and a
 * file that is not known is somebody's: then we go on under the next free name. */
#include "adapters/village/answer_file.h"
#include "adapters/village/claim.h"
#include "adapters/village/inbox.h"
#include "adapters/village/own.h"
#include "adapters/village/posting.h"
#include "adapters/village/render.h"
#include "adapters/village/take.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_MIN_MS = 5000, RETRY_MAX_MS = 600000, CHUNK = 64 << 10, MOVES_MAX = 3 };
static const char temp[] = ANSWER_TEMP;

struct file_out {
	int fd;
	struct own_check own;
};
/* A file as it was when its digest was taken: so what is put in its place afterwards is not taken
 * for it. */
struct seen {
	bool there, ours; /* ours: an answer that nobody changed, whoever wrote it */
	uint8_t digest[SHA256_LEN];
	struct stat st;
};

static int write_submission(struct village_role *v, struct submission *s, struct err *e);
static int write_name(struct village_role *v, struct submission *s, struct file_name *n, int folder,
		      struct err *e);
static int write_temp(struct village_role *v, const struct submission *s, int folder,
		      struct seen *written, struct err *e);
typedef int render_fn(const struct rendering *r, struct sink to, struct err *e);
static int render_submission(struct village_role *v, const struct submission *s, render_fn *as,
			     struct file_out *out, struct err *e);
static int write_postings(struct village_role *v, struct submission *s, int folder, struct err *e);
static int put(void *arg, const void *p, size_t n, struct err *e);
static int what_is_there(int folder, const char *name, struct seen *there, struct err *e);
static int digest_of(int fd, struct seen *file, struct err *e);
static int put_in_place(struct village_role *v, struct submission *s, struct file_name *n,
			int folder, const struct seen *written, const struct seen *there,
			struct err *e);
static void put_off(struct village_role *v, struct submission *s, const struct err *why);

/* One submission after the other, with a look at the clock in between: a long list of due answers
 * must not keep new rosters waiting. */
int answer_files(struct village_role *v, int64_t until, int64_t *next, struct err *e)
{
	*next = INT64_MAX;
	for (int i = 0; i < v->submissions.count; i++) {
		struct submission *s = v->submissions.at[i];
		int64_t start = clock_monotonic();
		struct err own = {0};

		if (s->answer_due == 0)
			continue;
		if (s->answer_due > start || start > until || role_stopping()) {
			*next = s->answer_due < *next ? s->answer_due : *next;
			continue;
		}
		s->answer_due = 0;
		if (write_submission(v, s, &own) < 0) {
			if (own.class == ERR_SAFE || own.class == ERR_CONF) {
				*e = own;
				return -1;
			}
			put_off(v, s, &own);
			*next = s->answer_due < *next ? s->answer_due : *next;
			continue;
		}
		s->answer_retry = 0;
		submission_wrote(s, start, clock_monotonic(),
				 v->role->conf.village.answer_interval_ms);
		role_tick(v->role);
	}
	return 0;
}

/* Less and less often: a folder without room or a damaged spool needs a person. */
static void put_off(struct village_role *v, struct submission *s, const struct err *why)
{
	char hex[ID_HEX], text[LOG_VALUE];

	if (role_stopping())
		return;
	s->answer_retry = s->answer_retry ? 2 * s->answer_retry : RETRY_MIN_MS;
	if (s->answer_retry > RETRY_MAX_MS)
		s->answer_retry = RETRY_MAX_MS;
	s->answer_due = clock_monotonic() + s->answer_retry;
	village_count(v, C_FILES_WRITE_FAILED, 1);
	log_warn("ANSWER-LATER", "submission=%s again_ms=%lld why=%s",
		 id_hex(&s->meta.submission, hex), (long long)s->answer_retry,
		 log_value(text, why->text));
}

/* One for each name; a folder that is gone has nobody who reads. */
static int write_submission(struct village_role *v, struct submission *s, struct err *e)
{
	char hex[ID_HEX];
	int folder = inbox_folder(v, s->meta.sender), rc = 0;

	if (folder < 0) {
		log_warn("ANSWER-NO-FOLDER", "submission=%s errno=%d",
			 id_hex(&s->meta.submission, hex), errno);
		return 0;
	}
	for (int i = 0; i < s->name_count && rc == 0; i++)
		rc = write_name(v, s, &s->names[i], folder, e);
	if (rc == 0)
		rc = write_postings(v, s, folder, e);
	close(folder);
	return rc;
}

static int write_name(struct village_role *v, struct submission *s, struct file_name *n, int folder,
		      struct err *e)
{
	struct seen written, there;
	int rc = -1;

	if (write_temp(v, s, folder, &written, e) < 0)
		goto out;
	for (int i = 0; i < MOVES_MAX; i++) {
		if (what_is_there(folder, n->answer, &there, e) < 0)
			goto out;
		if (!there.there || there.ours || file_name_wrote(n, there.digest)) {
			rc = 0;
			break;
		}
		/* Mended by somebody, and soon a roster of its own. */
		village_count(v, C_FILES_MOVED_ON, 1);
		if (claim_next(v, s, n, folder, e) < 0)
			goto out;
	}
	if (rc < 0) {
		err_set(e, ERR_TEMP, "answer: its names are taken as fast as they are found");
		goto out;
	}
	if (there.there && memcmp(there.digest, written.digest, SHA256_LEN) == 0) {
		village_count(v, C_FILES_UNCHANGED, 1);
		inbox_ours(v, s->meta.sender, n->answer, &there.st);
	} else {
		rc = put_in_place(v, s, n, folder, &written, &there, e);
	}
out:
	unlinkat(folder, temp, 0);
	return rc;
}

/* What is about to lie there is known before it lies there. */
static int put_in_place(struct village_role *v, struct submission *s, struct file_name *n,
			int folder, const struct seen *written, const struct seen *there,
			struct err *e)
{
	char hex[ID_HEX];

	file_name_will_write(n, written->digest, there->there ? there->digest : NULL);
	if (claim_store(v, s, e) < 0)
		return -1;
	if (renameat(folder, temp, folder, n->answer) < 0)
		return err_sys(e, ERR_TEMP, errno, "answer: rename");
	inbox_ours(v, s->meta.sender, n->answer, &written->st);
	village_count(v, C_FILES_WRITTEN, 1);
	log_debug("ANSWER-WRITTEN", "submission=%s", id_hex(&s->meta.submission, hex));
	return 0;
}

static int write_temp(struct village_role *v, const struct submission *s, int folder,
		      struct seen *written, struct err *e)
{
	struct file_out out = {.fd = -1};
	char code[OWN_DIGITS];
	int rc = -1;

	*written = (struct seen){.there = true};
	unlinkat(folder, temp, 0);
	out.fd = openat(folder, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out.fd < 0 || own_begin(&out.own) < 0) {
		err_sys(e, ERR_TEMP, out.fd < 0 ? errno : ENOMEM, "answer: create");
		goto out;
	}
	if (render_submission(v, s, render, &out, e) < 0)
		goto out;
	own_code(&out.own, code);
	if (out.own.marked && pwrite(out.fd, code, sizeof code, out.own.at) != (ssize_t)sizeof code) {
		err_sys(e, ERR_TEMP, errno ? errno : ENOSPC, "answer: write");
		goto out;
	}
	/* An answer cut short by a power cut would pass for one that somebody edited. */
	if (fdatasync(out.fd) < 0 || fstat(out.fd, &written->st) < 0 || lseek(out.fd, 0, SEEK_SET) < 0) {
		err_sys(e, ERR_TEMP, errno, "answer: sync");
		goto out;
	}
	if (digest_of(out.fd, written, e) < 0)
		goto out;
	rc = close(out.fd) < 0 ? err_sys(e, ERR_TEMP, errno, "answer: close") : 0;
	out.fd = -1;
out:
	if (out.fd >= 0)
		close(out.fd);
	own_end(&out.own);
	return rc;
}

/* From the spool, not from the drop folder: the clerk may have changed or moved her file. */
static int render_submission(struct village_role *v, const struct submission *s, render_fn *as,
			     struct file_out *out, struct err *e)
{
	const struct village *at =
		village_by_code(&v->reference->villages, str_of(s->meta.village));
	struct rendering r = {&s->meta, at ? at->town : "", at ? at->name : s->meta.village, NULL,
			      NULL};
	struct spool_reader *spool = NULL;
	struct decoder *decoder = NULL;
	struct source src = {spool_read, NULL};
	struct sink to = {put, out};
	char path[640], hex[ID_HEX];
	int rc = -1;

	/* Who is put off here is asked again by put_off. */
	if (audit_write(v->adapter.audit, "answer_to_village", id_hex(&s->meta.submission, hex), s->meta.rows, e) < 0)
		return -1;
	r.roster = calloc(1, sizeof *r.roster);
	if (r.roster == NULL ||
	    spool_path(&v->spool, &s->meta.submission, "answers.bin", path, sizeof path) < 0) {
		err_sys(e, ERR_TEMP, ENOMEM, "answer");
		goto out;
	}
	if (answers_open(&r.answers, path, s->meta.records, e) < 0 ||
	    spool_read_open(&v->spool, &s->meta.submission, &spool, e) < 0)
		goto out;
	src.arg = spool;
	if (decoder_open(&decoder, s->meta.encoding, src, e) < 0 ||
	    roster_open(r.roster, decoder, e) < 0)
		goto out;
	rc = as(&r, to, e);
out:
	if (r.roster)
		roster_close(r.roster);
	free(r.roster);
	decoder_close(decoder);
	spool_read_close(spool);
	answers_close(r.answers);
	return rc;
}

/* ---- the list for posting ---- */

static int how_far(struct village_role *v, const struct submission *s, struct roster_state *st, struct err *e)
{
	struct answers *a = NULL;
	char path[640];

	if (spool_path(&v->spool, &s->meta.submission, "answers.bin", path, sizeof path) < 0)
		return err_sys(e, ERR_TEMP, ENOMEM, "posting");
	if (answers_open(&a, path, s->meta.records, e) < 0)
		return -1;
	answers_get_roster(a, st);
	answers_close(a);
	return 0;
}

static int write_posting(struct village_role *v, const struct submission *s, int folder, const char *name, struct err *e)
{
	struct file_out out = {.fd = -1};
	int rc = -1;

	unlinkat(folder, temp, 0);
	out.fd = openat(folder, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out.fd < 0 || own_begin(&out.own) < 0)
		err_sys(e, ERR_TEMP, out.fd < 0 ? errno : ENOMEM, "posting: create");
	else if (render_submission(v, s, posting_render, &out, e) == 0)
		rc = fdatasync(out.fd) < 0 || renameat(folder, temp, folder, name) < 0
			     ? err_sys(e, ERR_TEMP, errno, "posting: write")
			     : 0;
	if (out.fd >= 0)
		close(out.fd);
	own_end(&out.own);
	unlinkat(folder, temp, 0);
	return rc;
}

/* Made anew when it was not made in this life, or when other rows are left out than then: it changes by nothing else. */
static int write_postings(struct village_role *v, struct submission *s, int folder, struct err *e)
{
	struct roster_state st;
	char name[512];
	int sub, rc = 0;

	if (how_far(v, s, &st, e) < 0)
		return -1;
	if (!posting_is_due(&st) || s->posted == st.mend + 1)
		return 0;
	if (mkdirat(folder, POSTING_FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, ERR_TEMP, errno, "posting: folder");
	sub = openat(folder, POSTING_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_sys(e, ERR_TEMP, errno, "posting: folder");
	for (int i = 0; i < s->name_count && rc == 0; i++)
		if (posting_name(name, sizeof name, s->names[i].name) == 0)
			rc = write_posting(v, s, sub, name, e);
	close(sub);
	if (rc == 0)
		s->posted = st.mend + 1;
	return rc;
}

static int put(void *arg, const void *p, size_t n, struct err *e)
{
	struct file_out *out = arg;
	size_t done = 0;

	if (role_stopping())
		return err_set(e, ERR_TEMP, "answer: stopping");
	own_add(&out->own, p, n);
	while (done < n) {
		ssize_t wrote = write(out->fd, (const char *)p + done, n - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_sys(e, ERR_TEMP, wrote < 0 ? errno : ENOSPC, "answer: write");
		done += (size_t)wrote;
	}
	return 0;
}

/* Anything that is no plain file, or not ours to read, counts as somebody's, with a digest that
 * nothing has. */
static int what_is_there(int folder, const char *name, struct seen *there, struct err *e)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	*there = (struct seen){.there = fd >= 0 || errno != ENOENT};
	if (!there->there ||
	    (fd < 0 && (errno == ELOOP || errno == EACCES || errno == EPERM || errno == ENXIO)))
		return 0;
	if (fd < 0)
		return err_sys(e, ERR_TEMP, errno, "answer: open");
	rc = fstat(fd, &there->st) == 0 && S_ISREG(there->st.st_mode)
		     ? digest_of(fd, there, e)
		     : 0;
	close(fd);
	return rc;
}

static int digest_of(int fd, struct seen *file, struct err *e)
{
	struct digest *d = digest_new();
	struct own_check own = {0};
	uint8_t *chunk = malloc(CHUNK);
	ssize_t n = -1;

	if (d == NULL || chunk == NULL || own_begin(&own) < 0) {
		err_sys(e, ERR_TEMP, ENOMEM, "answer");
		goto out;
	}
	digest_start(d);
	while ((n = read(fd, chunk, CHUNK)) > 0) {
		digest_add(d, chunk, (size_t)n);
		own_add(&own, chunk, (size_t)n);
	}
	digest_end(d, file->digest);
	file->ours = own_is_true(&own);
	if (n < 0)
		err_sys(e, ERR_TEMP, errno, "answer: read");
out:
	digest_free(d);
	own_end(&own);
	free(chunk);
	return n < 0 ? -1 : 0;
}
