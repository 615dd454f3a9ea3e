/* Reading the audit and proving its chain, role after role. After a fault the chain goes on from what is there, so that one change
 * is told at its own line, the next one, or both, and nowhere else. */
#include "base/fs.h"
#include "crypto/audit.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 1 << 14, FILE_MAX = 512 << 20, NAME = AUDIT_WORD + 16, PATH = 512, HEX = 2 * SHA256_LEN };

struct names {
	char (*at)[NAME];
	int count;
};
struct walk {
	const struct audit_visitor *v;
	struct audit_chain chain;
	char role[AUDIT_WORD + 1];
	bool begun, resync;	       /* a line was read; the next may name whatever it likes as before it */
	bool pending;		       /* the last line was cut short: torn_line must follow */
	char pending_file[NAME];       /* where */
	int pending_line;
};

static int list(const char *dir, const char *role, struct names *out, struct err *e);
static int compare(const void *a, const void *b);
static int read_one(struct walk *w, const char *dir, const char *name, struct err *e);
static int take_line(struct walk *w, const char *name, int number, struct str line);
static void take_fragment(struct walk *w, const char *name, int number, struct str line);
static void check_record(struct walk *w, const char *name, int number, const struct audit_record *r);
static bool begins_right(const struct walk *w, struct str fragment);
static void fault(struct walk *w, const char *file, int line, enum audit_fault f);
static void begin_role(struct walk *w, const char *name);
static void end_role(struct walk *w);

int audit_read(const char *data_dir, const char *role, const struct audit_visitor *v, struct err *e)
{
	struct names names = {NULL, 0};
	struct walk w = {.v = v};
	char dir[PATH];
	int rc = -1;

	if (fs_join(dir, sizeof dir, data_dir, AUDIT_FOLDER) < 0)
		return err_set(e, ERR_CONF, "%.100s: path too long", data_dir);
	if (!fs_exists(dir))
		return 0;
	if (list(dir, role, &names, e) < 0)
		goto out;
	for (int i = 0; i < names.count; i++) {
		if (audit_month(names.at[i], w.role) < 0) {
			end_role(&w);
			begin_role(&w, names.at[i]);
		}
		if (read_one(&w, dir, names.at[i], e) < 0)
			goto out;
	}
	end_role(&w);
	rc = 0;
out:
	free(names.at);
	return rc;
}

static int list(const char *dir, const char *role, struct names *out, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *at;
	int rc = 0;

	if (d == NULL)
		return err_sys(e, fs_class(errno), errno, "%s", dir);
	out->at = calloc(FILES_MAX, sizeof *out->at);
	while (out->at && (at = readdir(d)) != NULL) {
		if (audit_month(at->d_name, role) < 0)
			continue;
		if (out->count == FILES_MAX) {
			rc = err_set(e, ERR_CONF, "%s: too many files", dir);
			break;
		}
		str_copy(out->at[out->count++], NAME, str_of(at->d_name));
	}
	closedir(d);
	if (out->at == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "audit");
	qsort(out->at, (size_t)out->count, sizeof *out->at, compare);
	return rc;
}

/* Role after role, month after month: a role may begin with another's name. */
static int compare(const void *a, const void *b)
{
	const char *x = a, *y = b;
	size_t n = strlen(x) - strlen("-2026-01.log"), m = strlen(y) - strlen("-2026-01.log");
	int by_role = strncmp(x, y, n < m ? n : m);

	if (by_role == 0 && n != m)
		by_role = n < m ? -1 : 1;
	return by_role ? by_role : strcmp(x, y);
}

static int read_one(struct walk *w, const char *dir, const char *name, struct err *e)
{
	char path[PATH];
	struct buf text;
	int number = 0, rc = 0;

	buf_init(&text, FILE_MAX);
	if (fs_join(path, sizeof path, dir, name) < 0)
		rc = err_set(e, ERR_CONF, "%.100s: path too long", dir);
	else
		rc = fs_read(path, &text, e);
	for (size_t at = 0; rc == 0 && at < text.len;) {
		const char *p = (const char *)text.data + at, *end = memchr(p, '\n', text.len - at);
		size_t n = end ? (size_t)(end - p) : text.len - at;

		if (take_line(w, name, ++number, (struct str){p, n}) < 0)
			rc = err_set(e, ERR_TEMP, "audit: too many records to show");
		at += n + 1;
	}
	buf_fini(&text);
	return rc;
}

static int take_line(struct walk *w, const char *name, int number, struct str line)
{
	struct audit_record r;
	bool is_record = audit_parse(line, &r) == 0;
	int rc = 0;

	if (is_record) {
		check_record(w, name, number, &r);
		w->chain.records++;
		rc = w->v->record ? w->v->record(w->v->arg, &r) : 0;
	} else {
		take_fragment(w, name, number, line);
	}
	sha256(line.p, line.n, w->chain.head);
	w->begun = true;
	return rc;
}

/* What a writer left that was stopped in the middle begins as its line would have. */
static void take_fragment(struct walk *w, const char *name, int number, struct str line)
{
	if (!begins_right(w, line)) {
		if (!w->resync)
			fault(w, name, number, AUDIT_UNREADABLE);
		w->pending = false;
		w->resync = true;
		return;
	}
	w->pending = true;
	str_copy(w->pending_file, sizeof w->pending_file, str_of(name));
	w->pending_line = number;
}

static bool begins_right(const struct walk *w, struct str fragment)
{
	char hex[HEX + 1];
	struct str rest = fragment;
	const char *blank;
	int blanks = 0;

	/* A count is the last that could have been cut: what has more behind it is two lines, or none. */
	for (; blanks < 6 && (blank = memchr(rest.p, ' ', rest.n)) != NULL; blanks++)
		rest = (struct str){blank + 1, rest.n - (size_t)(blank + 1 - rest.p)};
	for (size_t i = 0; blanks == 6 && i < rest.n; i++) {
		if (rest.p[i] < '0' || rest.p[i] > '9')
			return false;
	}
	if (!w->begun || w->resync)
		return true;
	hex_put(hex, w->chain.head, SHA256_LEN);
	return memcmp(fragment.p, hex, fragment.n < HEX ? fragment.n : HEX) == 0;
}

static void check_record(struct walk *w, const char *name, int number, const struct audit_record *r)
{
	static const uint8_t nothing[SHA256_LEN];
	bool fits = memcmp(r->before, w->chain.head, SHA256_LEN) == 0;

	if (w->pending && (!str_is(r->purpose, AUDIT_TORN) || !fits))
		fault(w, w->pending_file, w->pending_line, AUDIT_UNREADABLE);
	else if (w->begun && !w->resync && !fits)
		fault(w, name, number, AUDIT_CHANGED);
	else if (!w->begun)
		w->chain.from_beginning = memcmp(r->before, nothing, SHA256_LEN) == 0;
	w->pending = w->resync = false;
}

static void fault(struct walk *w, const char *file, int line, enum audit_fault f)
{
	if (w->v->fault)
		w->v->fault(w->v->arg, file, line, f);
}

static void begin_role(struct walk *w, const char *name)
{
	str_copy(w->role, sizeof w->role, (struct str){name, strlen(name) - strlen("-2026-01.log")});
	w->begun = w->resync = w->pending = false;
	w->chain = (struct audit_chain){.role = w->role, .from_beginning = true};
}

static void end_role(struct walk *w)
{
	w->chain.torn = w->pending;
	if (w->begun && w->v->chain)
		w->v->chain(w->v->arg, &w->chain);
}
