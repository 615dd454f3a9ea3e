/* Two layers: senders (folders) and their files, each a plain array. What is remembered of a
 * file is only how it looked; what was in it is the spool's business. Forgetting everything is
 * therefore harmless: after a restart each file is read once more and found to be known. */
#include "adapters/village/inbox.h"
#include "adapters/village/take.h"
#include "base/fs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Limits: beyond them files are left alone, which is logged. */
enum { FILES_MAX = 20000, SENDERS_MAX = 5000, RETRY_MIN_MS = 1000, RETRY_MAX_MS = 60000 };

struct file {
	char *name;
	ino_t inode;
	off_t size;
	struct timespec changed;
	bool known; /* taken, or found to be nothing for us, as it is */
	bool ready; /* a cover at rest: taken after the rosters of the same look */
	unsigned look;
	int64_t retry_at, retry_ms;
};
struct sender {
	char *name;
	struct file *files;
	int count, cap;
	unsigned look;
	bool full;
};
struct inbox {
	struct sender *senders;
	int count, cap;
	unsigned look;
	bool missing; /* the inbox cannot be opened; said once */
};

static int each_folder(struct village_role *v, DIR *list, struct err *e);
static int look_at_sender(struct village_role *v, struct sender *s, int folder, struct err *e);
static int look_at_file(struct village_role *v, struct sender *s, int folder, const char *name,
			int *hint, struct err *e);
static int take(struct village_role *v, const struct drop *drop, enum file_kind kind,
		struct file *f, struct err *e);
static struct sender *find_sender(struct inbox *in, const char *name);
static struct file *find_file(struct sender *s, const char *name, int *hint);
/* The change time is left out: a backup or a chmod is no new content. */
static bool same(const struct file *f, const struct stat *st);
static void note(struct file *f, const struct stat *st);
static void forget_gone(struct sender *s, unsigned look);
static bool good_sender(const char *name);
static void sweep(int inbox, const char *sender);

struct inbox *inbox_new(void)
{
	return calloc(1, sizeof(struct inbox));
}

void inbox_free(struct inbox *in)
{
	if (in == NULL)
		return;
	for (int i = 0; i < in->count; i++) {
		for (int k = 0; k < in->senders[i].count; k++)
			free(in->senders[i].files[k].name);
		free(in->senders[i].files);
		free(in->senders[i].name);
	}
	free(in->senders);
	free(in);
}

int inbox_start(struct village_role *v, struct err *e)
{
	const char *dir = v->role->conf.village.inbox;
	struct dirent *at;
	DIR *list;

	if (fs_mkdirs(dir, e) < 0)
		return -1;
	list = opendir(dir);
	if (list == NULL)
		return err_sys(e, fs_class(errno), errno, "%s: open folder", dir);
	while ((at = readdir(list)) != NULL) {
		if (good_sender(at->d_name))
			sweep(dirfd(list), at->d_name);
	}
	closedir(list);
	return 0;
}

/* Only our own: others write here too. */
static void sweep(int inbox, const char *sender)
{
	int folder = openat(inbox, sender, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0)
		return;
	unlinkat(folder, ANSWER_TEMP, 0);
	close(folder);
}

int inbox_look(struct village_role *v, struct err *e)
{
	struct inbox *in = v->inbox;
	DIR *list = opendir(v->role->conf.village.inbox);
	int rc;

	village_count(v, C_LOOKS, 1);
	if (list == NULL) {
		if (!in->missing)
			log_error("INBOX-MISSING", "errno=%d", errno);
		in->missing = true;
		return 0; /* a network share that comes back */
	}
	in->missing = false;
	in->look++;
	rc = each_folder(v, list, e);
	closedir(list);
	return rc;
}

/* Folders that are links, too long or not text are no senders: their names could not go into
 * ids. */
static int each_folder(struct village_role *v, DIR *list, struct err *e)
{
	struct inbox *in = v->inbox;
	struct dirent *at;

	while ((at = readdir(list)) != NULL && !role_stopping()) {
		struct sender *s;
		int folder, rc;

		if (!good_sender(at->d_name))
			continue;
		folder = openat(dirfd(list), at->d_name,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder < 0)
			continue;
		s = find_sender(in, at->d_name);
		if (s == NULL) {
			close(folder);
			continue;
		}
		rc = look_at_sender(v, s, folder, e);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Takes folder. Gone files are forgotten only after a look that saw the whole folder. */
static int look_at_sender(struct village_role *v, struct sender *s, int folder, struct err *e)
{
	DIR *list = fdopendir(folder);
	struct dirent *at;
	int hint = 0, rc = 0;

	if (list == NULL) {
		close(folder);
		return 0;
	}
	s->look = v->inbox->look;
	errno = 0;
	while (rc == 0 && !role_stopping() && (at = readdir(list)) != NULL) {
		if (file_kind(at->d_name) != KIND_NONE)
			rc = look_at_file(v, s, dirfd(list), at->d_name, &hint, e);
		errno = 0;
	}
	if (rc == 0 && errno == 0 && !role_stopping())
		forget_gone(s, v->inbox->look);
	for (int i = 0; rc == 0 && i < s->count && !role_stopping(); i++) {
		struct drop drop = {s->name, s->files[i].name, dirfd(list)};

		if (s->files[i].ready)
			rc = take(v, &drop, KIND_COVER, &s->files[i], e);
	}
	closedir(list);
	return rc;
}

/* New or changed: noted, and judged at the next look. The same as last time: at rest, and taken
 * unless it was taken as it is. */
static int look_at_file(struct village_role *v, struct sender *s, int folder, const char *name,
			int *hint, struct err *e)
{
	struct drop drop = {s->name, name, folder};
	struct stat st;
	struct file *f;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	f = find_file(s, name, hint);
	if (f == NULL) {
		if (!s->full)
			log_error("INBOX-FULL", "sender=%s files=%d", s->name, s->count);
		s->full = true;
		return 0;
	}
	if (f->look == 0 || !same(f, &st)) {
		note(f, &st);
		f->known = false;
		f->retry_at = 0;
		f->look = v->inbox->look;
		return 0;
	}
	f->look = v->inbox->look;
	if (f->known || f->retry_at > clock_monotonic())
		return 0;
	f->ready = file_kind(name) == KIND_COVER;
	return f->ready ? 0 : take(v, &drop, KIND_ROSTER, f, e);
}

/* A full disk or a file that cannot be read is tried again, less and less often. */
static int take(struct village_role *v, const struct drop *drop, enum file_kind kind,
		struct file *f, struct err *e)
{
	struct err own = {0};
	char why[LOG_VALUE];

	f->ready = false;
	if ((kind == KIND_ROSTER ? take_roster(v, drop, &own) : take_cover(v, drop, &own)) == 0) {
		f->known = true;
		f->retry_ms = 0;
		return 0;
	}
	if (role_stopping())
		return 0;
	if (own.class != ERR_TEMP) {
		*e = own;
		return -1;
	}
	f->retry_ms = f->retry_ms ? 2 * f->retry_ms : RETRY_MIN_MS;
	if (f->retry_ms > RETRY_MAX_MS)
		f->retry_ms = RETRY_MAX_MS;
	f->retry_at = clock_monotonic() + f->retry_ms;
	village_count(v, C_FILES_RETRIED, 1);
	log_warn("FILE-LATER", "sender=%s again_ms=%lld why=%s", drop->sender,
		 (long long)f->retry_ms, log_value(why, own.text));
	return 0;
}

int inbox_folder(const struct village_role *v, const char *sender)
{
	char path[CONF_PATH + SENDER_MAX + 2];

	if (fs_join(path, sizeof path, v->role->conf.village.inbox, sender) < 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void inbox_ours(struct village_role *v, const char *sender, const char *name, const struct stat *st)
{
	struct sender *s = find_sender(v->inbox, sender);
	int hint = 0;
	struct file *f = s ? find_file(s, name, &hint) : NULL;

	if (f == NULL)
		return;
	note(f, st);
	f->look = v->inbox->look;
	f->known = true;
}

static bool same(const struct file *f, const struct stat *st)
{
	return f->inode == st->st_ino && f->size == st->st_size &&
	       f->changed.tv_sec == st->st_mtim.tv_sec && f->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static void note(struct file *f, const struct stat *st)
{
	f->inode = st->st_ino;
	f->size = st->st_size;
	f->changed = st->st_mtim;
}

/* Linear: a few hundred at most, and only once a look each. */
static struct sender *find_sender(struct inbox *in, const char *name)
{
	struct sender *more;

	for (int i = 0; i < in->count; i++) {
		if (strcmp(in->senders[i].name, name) == 0)
			return &in->senders[i];
	}
	if (in->count == SENDERS_MAX)
		return NULL;
	if (in->count == in->cap) {
		int cap = in->cap ? in->cap * 2 : 16;

		more = realloc(in->senders, sizeof *more * (size_t)cap);
		if (more == NULL)
			return NULL;
		in->senders = more;
		in->cap = cap;
	}
	in->senders[in->count] = (struct sender){.name = strdup(name)};
	return in->senders[in->count].name ? &in->senders[in->count++] : NULL;
}

/* A folder lists its files in the same order each time, so the one behind the last hit is nearly
 * always the one. */
static struct file *find_file(struct sender *s, const char *name, int *hint)
{
	for (int i = 0; i < s->count; i++) {
		int at = (*hint + i) % s->count;

		if (strcmp(s->files[at].name, name) != 0)
			continue;
		*hint = at + 1;
		return &s->files[at];
	}
	if (s->count == FILES_MAX)
		return NULL;
	if (s->count == s->cap) {
		int cap = s->cap ? s->cap * 2 : 16;
		struct file *more = realloc(s->files, sizeof *more * (size_t)cap);

		if (more == NULL)
			return NULL;
		s->files = more;
		s->cap = cap;
	}
	s->files[s->count] = (struct file){.name = strdup(name)};
	if (s->files[s->count].name == NULL)
		return NULL;
	*hint = ++s->count;
	return &s->files[s->count - 1];
}

static void forget_gone(struct sender *s, unsigned look)
{
	int kept = 0;

	for (int i = 0; i < s->count; i++) {
		if (s->files[i].look == look)
			s->files[kept++] = s->files[i];
		else
			free(s->files[i].name);
	}
	if (kept < s->count)
		s->full = false;
	s->count = kept;
}

/* The sender's name is part of ids and goes into logs and events: short and clean. */
static bool good_sender(const char *name)
{
	size_t n = strlen(name);

	if (name[0] == '.' || n > SENDER_MAX || !utf8_valid((struct str){name, n}))
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	}
	return true;
}
