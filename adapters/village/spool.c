/* Every write goes one of two ways: a whole folder is made under a name that nothing reads and
 * renamed when it is durable, or a small file is replaced by fs_write_durable. There is no state
 * between "not there" and "whole". */
#include "adapters/village/spool.h"
#include "adapters/village/meta.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_PREFIX ".new-"
enum { SMALL_MAX = 1 << 20, AAD_MAX = ID_LEN + 5 };

struct spool_writer {
	struct spool *spool;
	struct id submission;
	char dir[600];
	int fd;
	uint32_t piece;
	size_t len;
	struct buf sealed;
	uint8_t plain[SPOOL_PIECE];
};
struct spool_reader {
	struct keyring *keys;
	struct id submission;
	int fd;
	uint32_t piece;
	bool last;
	size_t at;
	struct buf plain;
	uint8_t sealed[SPOOL_PIECE + SEAL_OVERHEAD];
};

static int put_piece(struct spool_writer *w, bool last, struct err *e);
static int finish_roster(struct spool_writer *w, struct err *e);
static int settle(struct spool_writer *w, struct err *e);
static int next_piece(struct spool_reader *r, struct err *e);
static struct str piece_aad(char room[AAD_MAX], const struct id *id, uint32_t piece, bool last);
static int put_sealed(const struct spool *sp, const char *path, const char *kind,
		      const struct id *id, struct str plain, struct err *e);
static int get_sealed(const struct spool *sp, const char *path, const char *kind,
		      const struct id *id, struct buf *out, struct err *e);
static int each(const char *dir, const char *suffix,
		int (*fn)(void *, const struct id *, struct err *), void *arg, struct err *e);
static int remove_half_made(const char *dir, struct err *e);
static int named(char *out, size_t cap, const char *dir, const char *prefix, const struct id *id,
		 const char *suffix, struct err *e);

int spool_attach(struct spool *sp, const char *data_dir, struct keyring *keys, struct err *e)
{
	sp->keys = keys;
	if (fs_join(sp->dir, sizeof sp->dir, data_dir, "spool") < 0 ||
	    fs_join(sp->covers, sizeof sp->covers, sp->dir, "covers") < 0 ||
	    fs_join(sp->refused, sizeof sp->refused, data_dir, "refused") < 0)
		return err_set(e, ERR_CONF, "[data] dir: path too long");
	if (fs_mkdirs(sp->covers, e) < 0 || fs_mkdirs(sp->refused, e) < 0)
		return -1;
	if (remove_half_made(sp->dir, e) < 0 || fs_sweep(sp->covers, e) < 0)
		return -1;
	return fs_sweep(sp->refused, e);
}

/* ---- rosters coming in ---- */

int spool_begin(struct spool *sp, const struct id *submission, struct spool_writer **out,
		struct err *e)
{
	struct spool_writer *w = calloc(1, sizeof *w);
	char path[640];

	if (w == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "spool");
	w->spool = sp;
	w->submission = *submission;
	w->fd = -1;
	buf_init(&w->sealed, SPOOL_PIECE + SEAL_OVERHEAD + 4);
	*out = w;
	if (named(w->dir, sizeof w->dir, sp->dir, NEW_PREFIX, submission, "", e) < 0)
		goto fail;
	if (fs_remove_tree(w->dir, e) < 0)
		goto fail;
	if (mkdir(w->dir, 0700) < 0) {
		err_sys(e, fs_class(errno), errno, "%s: make folder", w->dir);
		goto fail;
	}
	snprintf(path, sizeof path, "%s/roster.sealed", w->dir);
	w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd >= 0)
		return 0;
	err_sys(e, fs_class(errno), errno, "%s: create", path);
fail:
	spool_drop(out);
	return -1;
}

/* A full piece waits for the next byte, because the last one is sealed as the last. */
int spool_add(struct spool_writer *w, const void *p, size_t n, struct err *e)
{
	const uint8_t *from = p;

	while (n > 0) {
		size_t room = sizeof w->plain - w->len, take = n < room ? n : room;

		if (room == 0) {
			if (put_piece(w, false, e) < 0)
				return -1;
			continue;
		}
		memcpy(w->plain + w->len, from, take);
		w->len += take;
		from += take;
		n -= take;
	}
	return 0;
}

int spool_commit(struct spool_writer **wp, const struct spool_meta *meta, struct str names,
		 struct err *e)
{
	struct spool_writer *w = *wp;
	struct buf text;
	char path[640];
	int rc = -1;

	buf_init(&text, SMALL_MAX);
	if (finish_roster(w, e) < 0)
		goto out;
	snprintf(path, sizeof path, "%s/names.sealed", w->dir);
	if (put_sealed(w->spool, path, "names", &w->submission, names, e) < 0)
		goto out;
	if (meta_put(&text, meta) < 0) {
		err_sys(e, ERR_TEMP, ENOMEM, "spool");
		goto out;
	}
	/* Its write syncs the folder, and with it all three entries. */
	snprintf(path, sizeof path, "%s/meta", w->dir);
	if (fs_write_durable(path, text.data, text.len, 0600, e) < 0)
		goto out;
	rc = settle(w, e);
out:
	buf_fini(&text);
	spool_drop(wp);
	return rc;
}

/* The content goes first, the reason last: a .reason without its content would say more than is
 * kept. Both are overwritten when the same file is judged again. */
int spool_refuse(struct spool_writer **wp, struct str reason, struct err *e)
{
	struct spool_writer *w = *wp;
	char from[640], to[640];
	int rc = -1;

	snprintf(from, sizeof from, "%s/roster.sealed", w->dir);
	if (finish_roster(w, e) < 0 ||
	    named(to, sizeof to, w->spool->refused, "", &w->submission, ".sealed", e) < 0)
		goto out;
	if (rename(from, to) < 0) {
		err_sys(e, fs_class(errno), errno, "%s: rename", to);
		goto out;
	}
	rc = spool_refuse_unread(w->spool, &w->submission, reason, e); /* syncs that folder */
out:
	spool_drop(wp);
	return rc;
}

int spool_refuse_unread(struct spool *sp, const struct id *id, struct str reason, struct err *e)
{
	char path[640];

	if (named(path, sizeof path, sp->refused, "", id, ".reason", e) < 0)
		return -1;
	return fs_write_durable(path, reason.p, reason.n, 0600, e);
}

void spool_unrefuse(struct spool *sp, const struct id *id)
{
	char path[640];

	if (named(path, sizeof path, sp->refused, "", id, ".reason", NULL) == 0)
		unlink(path);
	if (named(path, sizeof path, sp->refused, "", id, ".sealed", NULL) == 0)
		unlink(path);
}

/* What is left of the folder goes; if even that fails, spool_attach removes it at the next
 * start. */
void spool_drop(struct spool_writer **wp)
{
	struct spool_writer *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	if (w->fd >= 0)
		close(w->fd);
	if (w->dir[0])
		fs_remove_tree(w->dir, NULL);
	explicit_bzero(w->plain, sizeof w->plain);
	buf_fini(&w->sealed);
	free(w);
}

static int finish_roster(struct spool_writer *w, struct err *e)
{
	int fd = w->fd;

	if (put_piece(w, true, e) < 0)
		return -1;
	if (fsync(fd) < 0)
		return err_sys(e, fs_class(errno), errno, "%s: sync roster", w->dir);
	w->fd = -1;
	if (close(fd) < 0)
		return err_sys(e, fs_class(errno), errno, "%s: close roster", w->dir);
	return 0;
}

/* The rename is the acceptance, the sync behind it the promise. A folder that is there already
 * came from a try that failed at that sync, or from an earlier start: whole in both cases. */
static int settle(struct spool_writer *w, struct err *e)
{
	char to[640];

	if (named(to, sizeof to, w->spool->dir, "", &w->submission, "", e) < 0)
		return -1;
	if (rename(w->dir, to) < 0 && errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(e, fs_class(errno), errno, "%s: rename", to);
	if (fs_sync_dir(to, e) < 0)
		return -1;
	return fs_sync_dir(w->spool->dir, e);
}

/* {length, sealed}: the associated data binds a piece to its submission, its place, and whether
 * another one follows, so that pieces cannot be moved, swapped or cut off unnoticed. */
static int put_piece(struct spool_writer *w, bool last, struct err *e)
{
	char room[AAD_MAX];
	struct str plain = {(char *)w->plain, w->len};
	size_t done = 0;

	buf_reset(&w->sealed);
	if (buf_put_u32(&w->sealed, (uint32_t)(w->len + SEAL_OVERHEAD)) < 0)
		return err_sys(e, ERR_TEMP, ENOMEM, "spool");
	if (spool_seal(w->spool->keys, piece_aad(room, &w->submission, w->piece, last), plain,
		       &w->sealed, e) < 0)
		return -1;
	while (done < w->sealed.len) {
		ssize_t n = write(w->fd, w->sealed.data + done, w->sealed.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, n < 0 ? fs_class(errno) : ERR_TEMP, n < 0 ? errno : EIO,
				       "%s: write roster", w->dir);
		done += (size_t)n;
	}
	w->piece++;
	w->len = 0;
	return 0;
}

static struct str piece_aad(char room[AAD_MAX], const struct id *id, uint32_t piece, bool last)
{
	memcpy(room, id->b, ID_LEN);
	for (int i = 0; i < 4; i++)
		room[ID_LEN + i] = (char)(piece >> 8 * i);
	room[ID_LEN + 4] = last;
	return (struct str){room, AAD_MAX};
}

/* ---- rosters that are there ---- */

bool spool_has(const struct spool *sp, const struct id *submission)
{
	char path[640];

	return spool_path(sp, submission, "meta", path, sizeof path) == 0 && fs_exists(path);
}

int spool_path(const struct spool *sp, const struct id *submission, const char *file, char *out,
	       size_t cap)
{
	char hex[ID_HEX];
	int n = snprintf(out, cap, "%s/%s/%s", sp->dir, id_hex(submission, hex), file);

	return n > 0 && (size_t)n < cap ? 0 : -1;
}

int spool_get_meta(const struct spool *sp, const struct id *submission, struct spool_meta *meta,
		   struct err *e)
{
	char path[640];
	struct buf text;
	int rc = -1;

	buf_init(&text, SMALL_MAX);
	if (spool_path(sp, submission, "meta", path, sizeof path) < 0 ||
	    fs_read(path, &text, e) < 0)
		goto out;
	*meta = (struct spool_meta){.submission = *submission};
	rc = meta_get((struct str){(char *)text.data, text.len}, meta);
	if (rc < 0) {
		char hex[ID_HEX];

		err_set(e, ERR_SAFE, "spool %s: meta cannot be read: restore it from a backup",
			id_hex(submission, hex));
	}
out:
	buf_fini(&text);
	return rc;
}

int spool_put_meta(const struct spool *sp, const struct spool_meta *meta, struct err *e)
{
	char path[640];
	struct buf text;
	int rc = -1;

	buf_init(&text, SMALL_MAX);
	if (spool_path(sp, &meta->submission, "meta", path, sizeof path) < 0 ||
	    meta_put(&text, meta) < 0)
		err_sys(e, ERR_TEMP, ENOMEM, "spool");
	else
		rc = fs_write_durable(path, text.data, text.len, 0600, e);
	buf_fini(&text);
	return rc;
}

int spool_get_names(const struct spool *sp, const struct id *submission, struct buf *out,
		    struct err *e)
{
	char path[640];

	if (spool_path(sp, submission, "names.sealed", path, sizeof path) < 0)
		return err_set(e, ERR_CONF, "spool: path too long");
	return get_sealed(sp, path, "names", submission, out, e);
}

int spool_put_names(const struct spool *sp, const struct id *submission, struct str names,
		    struct err *e)
{
	char path[640];

	if (spool_path(sp, submission, "names.sealed", path, sizeof path) < 0)
		return err_set(e, ERR_CONF, "spool: path too long");
	return put_sealed(sp, path, "names", submission, names, e);
}

int spool_read_open(const struct spool *sp, const struct id *submission, struct spool_reader **out,
		    struct err *e)
{
	struct spool_reader *r = calloc(1, sizeof *r);
	char path[640];

	if (r == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "spool");
	r->keys = sp->keys;
	r->submission = *submission;
	r->fd = -1;
	buf_init(&r->plain, SPOOL_PIECE + SEAL_OVERHEAD);
	if (spool_path(sp, submission, "roster.sealed", path, sizeof path) == 0)
		r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0) {
		err_sys(e, fs_class(errno), errno, "%s: open", path);
		spool_read_close(r);
		return -1;
	}
	*out = r;
	return 0;
}

ssize_t spool_read(void *reader, void *to, size_t n, struct err *e)
{
	struct spool_reader *r = reader;
	size_t left;

	while (r->at == r->plain.len) {
		if (r->last)
			return 0;
		if (next_piece(r, e) < 0)
			return -1;
	}
	left = r->plain.len - r->at;
	if (n > left)
		n = left;
	memcpy(to, r->plain.data + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

void spool_read_close(struct spool_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		close(r->fd);
	if (r->plain.data)
		explicit_bzero(r->plain.data, r->plain.cap);
	buf_fini(&r->plain);
	free(r);
}

/* Gives n, less at the end of the file, -1. */
static ssize_t read_full(int fd, void *to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = read(fd, (char *)to + done, n - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Reads one piece. Whether it is the last is not written anywhere in clear: it opens as one or as
 * the other, and a file that ends without its last piece does not open at all. */
static int next_piece(struct spool_reader *r, struct err *e)
{
	char hex[ID_HEX], room[AAD_MAX];
	uint8_t head[4];
	size_t len;
	ssize_t n = read_full(r->fd, head, sizeof head);
	struct cursor c = cursor_of(head, sizeof head);

	id_hex(&r->submission, hex);
	if (n < 0)
		return err_sys(e, fs_class(errno), errno, "spool %s: read", hex);
	len = cursor_u32(&c);
	if (n != sizeof head || len < SEAL_OVERHEAD || len > sizeof r->sealed)
		return err_set(e, ERR_PERM, "spool %s: piece %u is not whole", hex, r->piece);
	n = read_full(r->fd, r->sealed, len);
	if (n < 0)
		return err_sys(e, fs_class(errno), errno, "spool %s: read", hex);
	if ((size_t)n != len)
		return err_set(e, ERR_PERM, "spool %s: piece %u is not whole", hex, r->piece);
	/* Only the last piece may be shorter than a full one; a full one may be the last. */
	for (int last = len < sizeof r->sealed; last <= 1; last++) {
		r->at = 0;
		buf_reset(&r->plain);
		if (spool_open(r->keys, piece_aad(room, &r->submission, r->piece, last),
			       (struct str){(char *)r->sealed, len}, &r->plain, e) == 0) {
			r->last = last;
			r->piece++;
			return 0;
		}
	}
	return err_wrap(e, "spool %s: piece %u", hex, r->piece);
}

/* ---- covers ---- */

/* The meta makes it: content without meta was never accepted and is simply written again. */
int spool_put_cover(struct spool *sp, const struct spool_cover *c, struct str json, struct err *e)
{
	char path[640];

	if (named(path, sizeof path, sp->covers, "", &c->cover, ".sealed", e) < 0)
		return -1;
	if (put_sealed(sp, path, "cover", &c->cover, json, e) < 0)
		return -1;
	return spool_put_cover_meta(sp, c, e);
}

int spool_put_cover_meta(const struct spool *sp, const struct spool_cover *c, struct err *e)
{
	char path[640];
	struct buf text;
	int rc = -1;

	buf_init(&text, SMALL_MAX);
	if (named(path, sizeof path, sp->covers, "", &c->cover, ".meta", e) < 0)
		goto out;
	if (meta_put_cover(&text, c) < 0)
		err_sys(e, ERR_TEMP, ENOMEM, "spool");
	else
		rc = fs_write_durable(path, text.data, text.len, 0600, e);
out:
	buf_fini(&text);
	return rc;
}

bool spool_has_cover(const struct spool *sp, const struct id *cover)
{
	char path[640];

	return named(path, sizeof path, sp->covers, "", cover, ".meta", NULL) == 0 &&
	       fs_exists(path);
}

int spool_get_cover(const struct spool *sp, const struct id *cover, struct spool_cover *c,
		    struct err *e)
{
	char path[640], hex[ID_HEX];
	struct buf text;
	int rc = -1;

	buf_init(&text, SMALL_MAX);
	if (named(path, sizeof path, sp->covers, "", cover, ".meta", e) < 0 ||
	    fs_read(path, &text, e) < 0)
		goto out;
	*c = (struct spool_cover){.cover = *cover};
	rc = meta_get_cover((struct str){(char *)text.data, text.len}, c);
	if (rc < 0)
		err_set(e, ERR_SAFE, "cover %s: meta cannot be read: restore it from a backup",
			id_hex(cover, hex));
out:
	buf_fini(&text);
	return rc;
}

int spool_get_cover_json(const struct spool *sp, const struct id *cover, struct buf *out,
			 struct err *e)
{
	char path[640];

	if (named(path, sizeof path, sp->covers, "", cover, ".sealed", e) < 0)
		return -1;
	return get_sealed(sp, path, "cover", cover, out, e);
}

/* ---- walking, small files ---- */

int spool_sweep(const struct spool *sp, const struct id *submission, struct err *e)
{
	char path[640];

	if (named(path, sizeof path, sp->dir, "", submission, "", e) < 0)
		return -1;
	return fs_sweep(path, e);
}

int spool_each(const struct spool *sp, int (*fn)(void *, const struct id *, struct err *),
	       void *arg, struct err *e)
{
	return each(sp->dir, "", fn, arg, e);
}

int spool_each_cover(const struct spool *sp, int (*fn)(void *, const struct id *, struct err *),
		     void *arg, struct err *e)
{
	return each(sp->covers, ".meta", fn, arg, e);
}

/* Only names that are ids: lost+found, editors' leftovers and half-made folders are not. */
static int each(const char *dir, const char *suffix,
		int (*fn)(void *, const struct id *, struct err *), void *arg, struct err *e)
{
	DIR *list = opendir(dir);
	struct dirent *at;
	int rc = 0;

	if (list == NULL)
		return err_sys(e, fs_class(errno), errno, "%s: open folder", dir);
	while (rc == 0 && (at = readdir(list)) != NULL) {
		struct str name = str_of(at->d_name);
		struct id id;

		if (name.n != ID_HEX - 1 + strlen(suffix) ||
		    strcmp(name.p + ID_HEX - 1, suffix) != 0 ||
		    id_parse(&id, (struct str){name.p, ID_HEX - 1}) < 0)
			continue;
		rc = fn(arg, &id, e);
	}
	closedir(list);
	return rc;
}

/* At start, under the role's lock: no other writer can be at work. */
static int remove_half_made(const char *dir, struct err *e)
{
	DIR *list = opendir(dir);
	struct dirent *at;
	char path[1024];
	int rc = 0;

	if (list == NULL)
		return err_sys(e, fs_class(errno), errno, "%s: open folder", dir);
	while (rc == 0 && (at = readdir(list)) != NULL) {
		if (strncmp(at->d_name, NEW_PREFIX, strlen(NEW_PREFIX)) != 0)
			continue;
		if (fs_join(path, sizeof path, dir, at->d_name) == 0)
			rc = fs_remove_tree(path, e);
	}
	closedir(list);
	return rc;
}

static struct str small_aad(char *room, size_t cap, const char *kind, const struct id *id)
{
	char hex[ID_HEX];
	int n = snprintf(room, cap, "%s %s", kind, id_hex(id, hex));

	return (struct str){room, (size_t)n};
}

static int put_sealed(const struct spool *sp, const char *path, const char *kind,
		      const struct id *id, struct str plain, struct err *e)
{
	char room[64];
	struct buf sealed;
	int rc = -1;

	buf_init(&sealed, SMALL_MAX + SEAL_OVERHEAD);
	if (spool_seal(sp->keys, small_aad(room, sizeof room, kind, id), plain, &sealed, e) == 0)
		rc = fs_write_durable(path, sealed.data, sealed.len, 0600, e);
	buf_fini(&sealed);
	return rc;
}

static int get_sealed(const struct spool *sp, const char *path, const char *kind,
		      const struct id *id, struct buf *out, struct err *e)
{
	char room[64], hex[ID_HEX];
	struct buf sealed;
	int rc = -1;

	buf_init(&sealed, SMALL_MAX + SEAL_OVERHEAD);
	if (fs_read(path, &sealed, e) < 0)
		goto out;
	if (spool_open(sp->keys, small_aad(room, sizeof room, kind, id),
		       (struct str){(char *)sealed.data, sealed.len}, out, e) < 0) {
		err_wrap(e, "%s of %s", kind, id_hex(id, hex));
		goto out;
	}
	rc = 0;
out:
	buf_fini(&sealed);
	return rc;
}

static int named(char *out, size_t cap, const char *dir, const char *prefix, const struct id *id,
		 const char *suffix, struct err *e)
{
	char hex[ID_HEX];
	int n = snprintf(out, cap, "%s/%s%s%s", dir, prefix, id_hex(id, hex), suffix);

	return n > 0 && (size_t)n < cap ? 0 : err_set(e, ERR_CONF, "[data] dir: path too long");
}
