/* What the tests of both simulated agencies share: an agency with its book in a temporary folder,
 * and its answers as JSON. */
#ifndef QIAO_TESTS_AGENCY_TEST_H
#define QIAO_TESTS_AGENCY_TEST_H
#include "base/clock.h"
#include "tests/lib/sim.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

enum { ASK_ARGS = 24, PATIENCE_MS = 20000 };

struct agency {
	struct tmpdir dir;
	char book[320], faults[320], clock[320], extra[320]; /* files */
	const char *program;
	const char *args[ASK_ARGS + 8];
	struct sim sim;
	struct buf answer, head;
};

/* args end with NULL; book and faults file come by themselves. */
static inline void agency_start(struct agency *a, int port)
{
	struct err e = {0};

	if (sim_start(&a->sim, a->program, a->args, port, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void agency_prepare(struct agency *a, const char *program)
{
	memset(a, 0, sizeof *a);
	tmpdir_make(&a->dir);
	tmpdir_file(&a->dir, a->book, "book.db");
	tmpdir_file(&a->dir, a->faults, "faults");
	tmpdir_file(&a->dir, a->clock, "clock");
	tmpdir_file(&a->dir, a->extra, "extra.csv");
	a->program = program;
	buf_init(&a->answer, 64 << 20);
	buf_init(&a->head, 1 << 16);
}

static inline void agency_open(struct agency *a, const char *program, const char *const *args)
{
	int n = 0;

	if (!a->program)
		agency_prepare(a, program);
	a->args[n++] = "--book";
	a->args[n++] = a->book;
	a->args[n++] = "--faults-file";
	a->args[n++] = a->faults;
	for (int i = 0; args && args[i] && i < ASK_ARGS; i++)
		a->args[n++] = args[i];
	a->args[n] = NULL;
	agency_start(a, 0);
}
#define AGENCY_OPEN(a, program, ...) \
	agency_open((a), (program), (const char *const[]){__VA_ARGS__, NULL})

/* Ends it; nothing but its port may ever stand on its stdout. */
static inline void agency_end(struct agency *a)
{
	struct buf said;

	buf_init(&said, 1 << 16);
	sim_stop(&a->sim, SIGTERM, &said);
	assert_int_equal(said.len, 0);
	buf_fini(&said);
}

static inline void agency_close(struct agency *a)
{
	agency_end(a);
	buf_fini(&a->answer);
	buf_fini(&a->head);
	tmpdir_remove(&a->dir);
}

/* Killed without warning and started again on its port, with its book. */
static inline void agency_restart(struct agency *a)
{
	int port = a->sim.port;

	sim_stop(&a->sim, SIGKILL, NULL);
	agency_start(a, port);
}

static inline void agency_write(const char *file, const char *text)
{
	struct err e = {0};

	if (fs_write_atomic(file, text, strlen(text), 0600, &e) < 0)
		fail_msg("%s", e.text);
}

/* The status as sim_ask tells; *json (may be NULL) gets the body, to be freed. */
static inline int agency_ask(struct agency *a, const char *path, const char *body, json_t **json)
{
	int status = sim_ask(&a->sim, path, body, &a->answer, &a->head);

	if (json)
		*json = status > 0 ? json_loads(buf_text(&a->answer), 0, NULL) : NULL;
	return status;
}

/* An answer that must come whole, be 200 and JSON. */
static inline json_t *agency_get(struct agency *a, const char *path, const char *body)
{
	json_t *json;
	int status = agency_ask(a, path, body, &json);

	if (status != 200)
		fail_msg("%s: %d %s", path, status, buf_text(&a->answer));
	assert_non_null(json);
	return json;
}

/* The error code of an answer that must be that status. */
static inline void agency_refuses(struct agency *a, const char *path, const char *body, int status,
				  const char *code)
{
	json_t *json;

	assert_int_equal(agency_ask(a, path, body, &json), status);
	assert_string_equal(json_string_value(json_object_get(json, "error")), code);
	assert_non_null(json_string_value(json_object_get(json, "message")));
	json_decref(json);
}

/* What its book says, while it runs. */
static inline json_t *agency_report(struct agency *a)
{
	const char *args[] = {"--book", a->book, "--report", "json", NULL};
	struct err e = {0};
	json_t *json;

	buf_reset(&a->answer);
	assert_int_equal(sim_run(a->program, args, &a->answer, &e), 0);
	json = json_loads(buf_text(&a->answer), 0, NULL);
	assert_non_null(json);
	return json;
}

/* A number of an object by a path of keys: number(report, "counts", "paid"). */
static inline int64_t number(const json_t *json, const char *key, const char *inner)
{
	const json_t *v = json_object_get(json, key);

	if (inner)
		v = json_object_get(v, inner);
	if (!json_is_integer(v))
		fail_msg("%s %s: not a number", key, inner ? inner : "");
	return json_integer_value(v);
}

static inline const char *word(const json_t *json, const char *key)
{
	const json_t *v = json_object_get(json, key);

	assert_non_null(v);
	return json_is_null(v) ? "null" : json_string_value(v);
}

/* A number of the book's report. */
static inline int64_t book_says(struct agency *a, const char *key, const char *inner)
{
	json_t *report = agency_report(a);
	int64_t n = number(report, key, inner);

	json_decref(report);
	return n;
}

/* How often a fault has fired; 0 where it never did. */
static inline int64_t fired(struct agency *a, const char *fault)
{
	json_t *report = agency_report(a);
	int64_t n = json_integer_value(json_object_get(json_object_get(report, "faults"), fault));

	json_decref(report);
	return n;
}

/* Between two looks at something that comes by itself; fails when the patience is over. */
static inline void look_again(int64_t started_ms)
{
	if (clock_monotonic() - started_ms > PATIENCE_MS)
		fail_msg("it did not come");
	poll(NULL, 0, 5);
}

#endif
