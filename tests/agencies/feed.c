/* The feed: runs in memory, each also a row of the book. A cursor is the last sequence looked at,
 * so that a page is one search among the runs and one range of rows. */
#include "tests/agencies/feed.h"
#include "tests/agencies/book.h"
#include <stdlib.h>
#include <string.h>

static size_t after(const struct feed *f, int64_t sequence);
static void append(struct feed *f, struct run r);
static void *grown(void *p, size_t *cap, size_t count, size_t size);

int feed_open(struct feed *f, struct store *s, struct err *e)
{
	struct stmt *all;
	int rc;

	memset(f, 0, sizeof *f);
	if (store_prepare(s, &f->add, "INSERT INTO run VALUES(?,?,?,?,?,?,?,?)", e) < 0 ||
	    store_prepare(
		    s, &all,
		    "SELECT sequence, kind, first_row, last_row, at, ready_ms, noted_ms FROM run"
		    " ORDER BY sequence",
		    e) < 0)
		return -1;
	while ((rc = stmt_step(all, e)) == 1)
		append(f, (struct run){.sequence = stmt_get_int(all, 0),
				       .kind = (int)stmt_get_int(all, 1),
				       .first_row = stmt_get_int(all, 2),
				       .last_row = stmt_get_int(all, 3),
				       .at = stmt_get_int(all, 4),
				       .ready_ms = stmt_get_int(all, 5),
				       .noted_ms = stmt_get_int(all, 6)});
	return rc;
}

void feed_fini(struct feed *f)
{
	free(f->runs);
	for (int k = 0; k < FEED_KINDS; k++)
		free(f->of[k].at);
	memset(f, 0, sizeof *f);
}

const struct run *feed_add(struct feed *f, struct run r, const struct id *batch)
{
	struct err e = {0};

	r.sequence = f->last_sequence + 1;
	if (r.at < f->last_at)
		r.at = f->last_at;
	stmt_int(f->add, 1, r.sequence);
	stmt_int(f->add, 2, r.kind);
	stmt_int(f->add, 3, r.first_row);
	stmt_int(f->add, 4, r.last_row);
	stmt_int(f->add, 5, r.at);
	stmt_int(f->add, 6, r.ready_ms);
	stmt_int(f->add, 7, r.noted_ms);
	stmt_blob(f->add, 8, batch ? batch->b : NULL, ID_LEN);
	if (stmt_run(f->add, &e) < 0)
		book_fatal(&e);
	append(f, r);
	return &f->runs[f->count - 1];
}

/* Runs of a kind come due in their order, so each is looked at once: `passed` remembers how far. */
int64_t feed_due(struct feed *f, int from, int to, int64_t delay_ms, int64_t real_ms,
		 int64_t *ready_ms)
{
	int64_t last = f->of[to].upto;
	size_t i;

	for (i = f->of[to].passed; i < f->of[from].count; i++) {
		const struct run *r = &f->runs[f->of[from].at[i]];

		if (r->ready_ms + delay_ms > real_ms)
			break;
		if (r->last_row > last)
			last = r->last_row;
		*ready_ms = r->ready_ms + delay_ms;
	}
	f->of[to].passed = i;
	return last > f->of[to].upto ? last : 0;
}

const struct run *feed_find(const struct feed *f, int kind, int64_t row)
{
	size_t from = 0, to = f->of[kind].count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct run *r = &f->runs[f->of[kind].at[mid]];

		if (row < r->first_row)
			to = mid;
		else if (row > r->last_row)
			from = mid + 1;
		else
			return r;
	}
	return NULL;
}

void feed_page(const struct feed *f, struct page *p, int64_t real_ms, page_fn *fn)
{
	for (size_t i = after(f, p->next); i < f->count; i++) {
		const struct run *r = &f->runs[i];
		int64_t from = r->first_row, last = r->last_row;

		if (p->next >= r->sequence)
			from += p->next + 1 - r->sequence;
		if (p->limit > 0 && r->ready_ms <= real_ms) {
			last = fn(p, r, from);
			p->next = run_sequence(r, last);
		} else {
			last = from - 1;
		}
		if (last < r->last_row) {
			p->as_of = r->at - 1 < p->as_of ? r->at - 1 : p->as_of;
			return;
		}
	}
}

/* Index of the first run with something after sequence. */
static size_t after(const struct feed *f, int64_t sequence)
{
	size_t from = 0, to = f->count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct run *r = &f->runs[mid];

		if (run_sequence(r, r->last_row) > sequence)
			to = mid;
		else
			from = mid + 1;
	}
	return from;
}

static void append(struct feed *f, struct run r)
{
	f->runs = grown(f->runs, &f->cap, f->count, sizeof *f->runs);
	f->of[r.kind].at = grown(f->of[r.kind].at, &f->of[r.kind].cap, f->of[r.kind].count,
				 sizeof *f->of[r.kind].at);
	f->of[r.kind].at[f->of[r.kind].count++] = (uint32_t)f->count;
	f->of[r.kind].upto = r.last_row;
	f->runs[f->count++] = r;
	f->last_sequence = run_sequence(&r, r.last_row);
	f->last_at = r.at;
	f->last_noted_ms = r.noted_ms;
}

static void *grown(void *p, size_t *cap, size_t count, size_t size)
{
	struct err e = {0};
	void *more;

	if (count < *cap)
		return p;
	more = realloc(p, (*cap ? 2 * *cap : 256) * size);
	if (!more) {
		err_set(&e, ERR_TEMP, "feed: no memory");
		book_fatal(&e);
	}
	*cap = *cap ? 2 * *cap : 256;
	return more;
}
