/* One page of rows is in memory at a time; callers go through a roster in row order, so a page is
 * read and written once a batch. */
#include "adapters/village/answers.h"
#include "base/fs.h"
#include "domain/row.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "the file is written as it lies in memory");

enum { HEAD = 1024, TEXTS = 240, TEXT = ANSWER_CODE_MAX + 1, ROW = 80, PAGE_ROWS = 512 };
#define ROWS_AT (HEAD + TEXTS * TEXT)
static const char magic[8] = {'Q', 'I', 'A', 'O', 'A', 'N', 'S', '1'};

struct disk_row {
	int32_t version;
	uint16_t code, warning; /* place of the text, from 1 */
	uint8_t result, column /* from 1 */, final, detail_len;
	char detail[ANSWER_DETAIL_MAX];
	uint8_t unused[4];
};
struct disk_head {
	char magic[8];
	uint32_t texts;
	uint8_t known, final, deadline_set, unused;
	int32_t version, rows, accepted, mend, waiting, done;
	int64_t amount_fen, accepted_fen, done_fen, deadline;
	char state[TEXT], code[TEXT], detail[ANSWER_NOTE_MAX];
};
static_assert(sizeof(struct disk_row) == ROW, "layout");
static_assert(sizeof(struct disk_head) <= HEAD, "layout");

struct answers {
	int fd;
	int64_t records;
	struct disk_head head;
	char texts[TEXTS][TEXT];
	bool head_changed, texts_changed, page_changed, unsynced;
	int64_t page; /* number of the page in memory, -1 = none */
	struct disk_row rows[PAGE_ROWS];
};

static int load_head(struct answers *a, const char *path, struct err *e);
static int go_to(struct answers *a, int64_t row_no, struct disk_row **row, struct err *e);
static int write_page(struct answers *a, struct err *e);
static int text_place(struct answers *a, struct str text, uint16_t *place);
static int write_at(struct answers *a, const void *p, size_t n, int64_t at, struct err *e);
static ssize_t read_at(struct answers *a, void *p, size_t n, int64_t at);
static void put_text(char *to, size_t cap, struct str s);

static const char *const results[RESULTS] = {
	[RESULT_NONE] = "received",   [RESULT_ACCEPTED] = "accepted", [RESULT_MEND] = "mend",
	[RESULT_WAITING] = "waiting", [RESULT_DONE] = "done",	      [RESULT_STOPPED] = "stopped",
};

const char *row_result_code(enum row_result r)
{
	return results[r];
}

int answers_open(struct answers **out, const char *path, int64_t records, struct err *e)
{
	struct answers *a = calloc(1, sizeof *a);
	char folder[1024];
	const char *slash = strrchr(path, '/');
	bool fresh = false;

	if (a == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "answers");
	a->records = records;
	a->page = -1;
	a->fd = open(path, O_RDWR | O_CLOEXEC);
	if (a->fd < 0 && errno == ENOENT) {
		a->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		fresh = a->fd >= 0;
	}
	if (a->fd < 0) {
		err_sys(e, fs_class(errno), errno, "%s: open", path);
		goto fail;
	}
	if (load_head(a, path, e) < 0)
		goto fail;
	/* Its own content is synced with the first answers; that it exists, here. */
	if (fresh &&
	    str_copy(folder, sizeof folder,
		     (struct str){path, (size_t)(slash ? slash - path : 0)}) == 0 &&
	    folder[0] && fs_sync_dir(folder, e) < 0)
		goto fail;
	*out = a;
	return 0;
fail:
	answers_close(a);
	return -1;
}

void answers_close(struct answers *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

/* An empty file, or one whose first write was cut off, begins anew: nothing in it was ever
 * promised. */
static int load_head(struct answers *a, const char *path, struct err *e)
{
	ssize_t n = read_at(a, &a->head, sizeof a->head, 0);
	static const char zero[sizeof magic];

	if (n < 0)
		return err_sys(e, fs_class(errno), errno, "%s: read", path);
	if ((size_t)n < sizeof a->head || memcmp(a->head.magic, zero, sizeof magic) == 0) {
		a->head = (struct disk_head){0};
		memcpy(a->head.magic, magic, sizeof magic);
		a->head_changed = true;
		return 0;
	}
	if (memcmp(a->head.magic, magic, sizeof magic) != 0 || a->head.texts > TEXTS)
		return err_set(e, ERR_SAFE,
			       "%s: not a file of answers: move it away, and its answers will be "
			       "asked for anew",
			       path);
	if (read_at(a, a->texts, sizeof a->texts, HEAD) < 0)
		return err_sys(e, fs_class(errno), errno, "%s: read", path);
	for (int i = 0; i < TEXTS; i++)
		a->texts[i][TEXT - 1] = '\0';
	return 0;
}

/* An answer of the same version is written again: after a power cut a row may be half of one. */
int answers_row(struct answers *a, const struct row_answer *ra, struct err *e)
{
	struct disk_row *row, fresh = {.version = ra->version, .final = ra->final};

	for (int i = RESULT_ACCEPTED; i < RESULTS; i++) {
		if (str_is(ra->result, results[i]))
			fresh.result = (uint8_t)i;
	}
	for (int i = 0; ra->column.p && i < COLUMNS; i++) {
		if (str_is(ra->column, column_code((enum column)i)))
			fresh.column = (uint8_t)(i + 1);
	}
	if (fresh.result == RESULT_NONE || ra->row_no < 1 || ra->row_no > a->records ||
	    ra->code.n > ANSWER_CODE_MAX || ra->warning.n > ANSWER_CODE_MAX)
		return err_set(e, ERR_PERM, "answer about row %d: result, row or code cannot be",
			       (int)ra->row_no);
	if (go_to(a, ra->row_no, &row, e) < 0)
		return -1;
	if (row->result != RESULT_NONE && row->version > ra->version)
		return 0;
	if (text_place(a, ra->code, &fresh.code) < 0 ||
	    text_place(a, ra->warning, &fresh.warning) < 0)
		return err_set(e, ERR_PERM, "answer about row %d: no room for another code",
			       (int)ra->row_no);
	fresh.detail_len = (uint8_t)(ra->detail.n <= ANSWER_DETAIL_MAX
					     ? ra->detail.n
					     : utf8_cut(ra->detail.p, ANSWER_DETAIL_MAX));
	if (fresh.detail_len > 0)
		memcpy(fresh.detail, ra->detail.p, fresh.detail_len);
	if (memcmp(row, &fresh, sizeof fresh) == 0)
		return 0;
	*row = fresh;
	a->page_changed = true;
	return 1;
}

int answers_roster(struct answers *a, const struct submission_answer *sa, struct err *e)
{
	struct disk_head fresh = a->head;

	if (sa->state.n > ANSWER_CODE_MAX || sa->code.n > ANSWER_CODE_MAX)
		return err_set(e, ERR_PERM, "answer about a roster: state or code cannot be");
	if (a->head.known && a->head.version > sa->version)
		return 0;
	fresh.known = 1;
	fresh.final = sa->final;
	fresh.version = sa->version;
	fresh.rows = sa->rows;
	fresh.accepted = sa->accepted;
	fresh.mend = sa->mend;
	fresh.waiting = sa->waiting;
	fresh.done = sa->done;
	fresh.amount_fen = sa->amount_fen;
	fresh.accepted_fen = sa->accepted_fen;
	fresh.done_fen = sa->done_fen;
	fresh.deadline_set = sa->deadline.set;
	fresh.deadline = sa->deadline.set ? sa->deadline.v : 0;
	put_text(fresh.state, sizeof fresh.state, sa->state);
	put_text(fresh.code, sizeof fresh.code, sa->code);
	put_text(fresh.detail, sizeof fresh.detail, sa->detail);
	if (memcmp(&a->head, &fresh, sizeof fresh) == 0)
		return 0;
	a->head = fresh;
	a->head_changed = true;
	return 1;
}

/* Rows, then texts, then the head that says how many texts there are; one sync for all. When power
 * fails in between, the position of the topic was not stored, and all of it comes again. */
int answers_sync(struct answers *a, struct err *e)
{
	if (write_page(a, e) < 0)
		return -1;
	if (a->texts_changed && write_at(a, a->texts, sizeof a->texts, HEAD, e) < 0)
		return -1;
	if ((a->head_changed || a->texts_changed) &&
	    write_at(a, &a->head, sizeof a->head, 0, e) < 0)
		return -1;
	a->head_changed = a->texts_changed = false;
	if (a->unsynced && fdatasync(a->fd) < 0)
		return err_sys(e, fs_class(errno), errno, "answers: sync");
	a->unsynced = false;
	return 0;
}

int answers_get_row(struct answers *a, int64_t row_no, struct row_state *out, struct err *e)
{
	struct disk_row *row;

	*out = (struct row_state){.code = "", .warning = "", .column = -1};
	if (row_no < 1 || row_no > a->records)
		return 0;
	if (go_to(a, row_no, &row, e) < 0)
		return -1;
	if (row->result == RESULT_NONE || row->result >= RESULTS)
		return 0;
	out->result = (enum row_result)row->result;
	out->version = row->version;
	out->final = row->final != 0;
	out->column = row->column >= 1 && row->column <= COLUMNS ? row->column - 1 : -1;
	if (row->code >= 1 && row->code <= TEXTS)
		out->code = a->texts[row->code - 1];
	if (row->warning >= 1 && row->warning <= TEXTS)
		out->warning = a->texts[row->warning - 1];
	if (row->detail_len <= ANSWER_DETAIL_MAX)
		memcpy(out->detail, row->detail, row->detail_len);
	return 0;
}

int answers_get_roster(struct answers *a, struct roster_state *out)
{
	const struct disk_head *h = &a->head;

	*out = (struct roster_state){
		.known = h->known != 0,
		.version = h->version,
		.rows = h->rows,
		.accepted = h->accepted,
		.mend = h->mend,
		.waiting = h->waiting,
		.done = h->done,
		.amount_fen = h->amount_fen,
		.accepted_fen = h->accepted_fen,
		.done_fen = h->done_fen,
		.deadline = {h->deadline_set != 0, h->deadline},
		.final = h->final != 0,
	};
	memcpy(out->state, h->state, sizeof h->state - 1);
	memcpy(out->code, h->code, sizeof h->code - 1);
	memcpy(out->detail, h->detail, sizeof h->detail - 1);
	return 0;
}

/* Brings the page of that row into memory. */
static int go_to(struct answers *a, int64_t row_no, struct disk_row **row, struct err *e)
{
	int64_t page = (row_no - 1) / PAGE_ROWS;
	ssize_t n;

	if (page != a->page) {
		if (write_page(a, e) < 0)
			return -1;
		a->page = -1;
		memset(a->rows, 0, sizeof a->rows);
		n = read_at(a, a->rows, sizeof a->rows, ROWS_AT + page * (int64_t)sizeof a->rows);
		if (n < 0)
			return err_sys(e, fs_class(errno), errno, "answers: read");
		a->page = page;
	}
	*row = &a->rows[(row_no - 1) % PAGE_ROWS];
	return 0;
}

static int write_page(struct answers *a, struct err *e)
{
	if (!a->page_changed)
		return 0;
	if (write_at(a, a->rows, sizeof a->rows, ROWS_AT + a->page * (int64_t)sizeof a->rows, e) <
	    0)
		return -1;
	a->page_changed = false;
	return 0;
}

/* Codes are few and come in runs, so they are looked for one after the other. */
static int text_place(struct answers *a, struct str text, uint16_t *place)
{
	*place = 0;
	if (text.p == NULL || text.n == 0)
		return 0;
	for (uint32_t i = 0; i < a->head.texts; i++) {
		if (str_is(text, a->texts[i])) {
			*place = (uint16_t)(i + 1);
			return 0;
		}
	}
	if (a->head.texts == TEXTS || str_copy(a->texts[a->head.texts], TEXT, text) < 0)
		return -1;
	*place = (uint16_t)++a->head.texts;
	a->texts_changed = true;
	return 0;
}

static int write_at(struct answers *a, const void *p, size_t n, int64_t at, struct err *e)
{
	size_t done = 0;

	a->unsynced = true;
	while (done < n) {
		ssize_t put = pwrite(a->fd, (const char *)p + done, n - done, at + (int64_t)done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return err_sys(e, put < 0 ? fs_class(errno) : ERR_TEMP,
				       put < 0 ? errno : ENOSPC, "answers: write");
		done += (size_t)put;
	}
	return 0;
}

/* Up to n bytes; fewer at the end of the file. */
static ssize_t read_at(struct answers *a, void *p, size_t n, int64_t at)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(a->fd, (char *)p + done, n - done, at + (int64_t)done);

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

static void put_text(char *to, size_t cap, struct str s)
{
	size_t n = s.p == NULL ? 0 : s.n < cap ? s.n : utf8_cut(s.p, cap - 1);

	memset(to, 0, cap);
	if (n > 0)
		memcpy(to, s.p, n);
}
