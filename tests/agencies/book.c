/* Keeping an agency's book. What is durable when: a request's rows, runs and counters are one
 * transaction, committed (fsynced) before the answer's first byte, so that a killed agency has
 * done all of what it answered, and of what it did not answer all or nothing. The index of ids
 * and the runs in memory are read back from the book at start. */
#include "tests/agencies/book.h"
#include "tests/agencies/faults.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_KIB = 16384, BUSY_MS = 10000 };

int book_open(struct book *b, const char *file, const char *clock, const struct store_kind *kind,
	      struct err *e)
{
	struct store_options o = {
		.flags = STORE_CREATE, .cache_kib = CACHE_KIB, .busy_ms = BUSY_MS};

	memset(b, 0, sizeof *b);
	if (clock_init(&b->clock, clock ? clock : "", e) < 0 ||
	    store_open(&b->store, file, kind, &o, e) < 0 || feed_open(&b->feed, b->store, e) < 0 ||
	    store_prepare(b->store, &b->count,
			  "INSERT INTO counter VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value = "
			  "value + excluded.value",
			  e) < 0) {
		book_close(b);
		return -1;
	}
	/* After a restart of the machine its monotonic clock begins anew: go on from the last
	 * that was noted. */
	if (clock_monotonic() < b->feed.last_noted_ms)
		b->real_offset = b->feed.last_noted_ms - clock_monotonic();
	book_count(b, "starts", 1);
	book_commit(b);
	return 0;
}

int book_open_readonly(struct book *b, const char *file, const struct store_kind *kind,
		       struct err *e)
{
	struct store_options o = {
		.flags = STORE_READONLY, .cache_kib = CACHE_KIB, .busy_ms = BUSY_MS};

	memset(b, 0, sizeof *b);
	if (store_open(&b->store, file, kind, &o, e) == 0 && store_exec(b->store, "BEGIN", e) == 0)
		return 0;
	book_close(b);
	return -1;
}

void book_close(struct book *b)
{
	store_close(b->store);
	feed_fini(&b->feed);
	memset(b, 0, sizeof *b);
}

void book_write(struct book *b)
{
	struct err e = {0};

	if (b->writing)
		return;
	if (store_begin(b->store, &e) < 0)
		book_fatal(&e);
	b->writing = true;
}

void book_commit(struct book *b)
{
	struct err e = {0};

	if (b->writing && store_commit(b->store, &e) < 0)
		book_fatal(&e);
	b->writing = false;
}

void book_undo(struct book *b)
{
	if (b->writing)
		store_rollback(b->store);
	b->writing = false;
}

void book_count(struct book *b, const char *name, int64_t n)
{
	if (n == 0)
		return;
	book_write(b);
	stmt_text(b->count, 1, str_of(name));
	stmt_int(b->count, 2, n);
	book_run(b->count);
}

int64_t book_counter(struct book *b, const char *name)
{
	struct stmt *get =
		book_prepare(b, "SELECT coalesce((SELECT value FROM counter WHERE name = ?), 0)");
	int64_t value;

	stmt_text(get, 1, str_of(name));
	book_step(get);
	value = stmt_get_int(get, 0);
	stmt_reset(get);
	return value;
}

void book_put_counters(struct book *b, struct out *o)
{
	struct stmt *faults = book_prepare(
		b, "SELECT name, value FROM counter WHERE instr(name, '/') ORDER BY name");
	static const char *const names[] = {"repeats", "conflicts", "starts"};
	const char *comma = "";

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		out_lit(o, ",");
		out_text(o, str_of(names[i]));
		out_lit(o, ":");
		out_int(o, book_counter(b, names[i]));
	}
	out_lit(o, ",\"faults\":{");
	while (book_step(faults)) {
		out_put(o, comma, strlen(comma));
		out_text(o, stmt_get_text(faults, 0));
		out_lit(o, ":");
		out_int(o, stmt_get_int(faults, 1));
		comma = ",";
	}
	out_lit(o, "}");
}

void book_mature(struct book *b, int from, int to, int64_t delay_ms)
{
	struct run r = {.kind = to, .first_row = b->feed.of[to].upto + 1};

	r.noted_ms = book_real(b);
	r.last_row = feed_due(&b->feed, from, to, delay_ms, r.noted_ms, &r.ready_ms);
	if (r.last_row == 0)
		return;
	r.at = book_now(b);
	book_write(b);
	feed_add(&b->feed, r, NULL);
}

int64_t book_now(struct book *b)
{
	return clock_now(&b->clock);
}

/* Not the agency's clock: a test may set that to any date, while delays are to be waited for. */
int64_t book_real(struct book *b)
{
	return clock_monotonic() + b->real_offset;
}

void book_fatal(const struct err *e)
{
	fprintf(stderr, "book: %s\n", e->text);
	exit(err_exit(e));
}

struct stmt *book_prepare(struct book *b, const char *sql)
{
	struct err e = {0};
	struct stmt *st;

	if (store_prepare(b->store, &st, sql, &e) < 0)
		book_fatal(&e);
	return st;
}

bool book_step(struct stmt *st)
{
	struct err e = {0};
	int rc = stmt_step(st, &e);

	if (rc < 0)
		book_fatal(&e);
	return rc == 1;
}

void book_run(struct stmt *st)
{
	struct err e = {0};

	if (stmt_run(st, &e) < 0)
		book_fatal(&e);
}

int book_chance(const struct id *id, int64_t seed, int salt)
{
	uint64_t h;

	memcpy(&h, id->b, sizeof h);
	h ^= (uint64_t)seed * UINT64_C(0xD1342543DE82EF95) + (uint64_t)salt;
	return (int)(random_next(&h) % 1000);
}
