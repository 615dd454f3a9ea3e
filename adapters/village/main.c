/* qiao-village: rosters out of the drop folder onto the bus, answers beside them. One loop in
 * one thread; whatever it does can be interrupted at any place and is done again from the spool. */
#include "adapters/village/answer_file.h"
#include "adapters/village/inbox.h"
#include "adapters/village/listen.h"
#include "adapters/village/publish.h"
#include "adapters/village/take.h"
#include <stdlib.h>
#include <string.h>

static struct counter counters[C_COUNT] = {
	[C_LOOKS] = {"looks", "looks at the drop folder", 0},
	[C_FILES_TAKEN] = {"rosters_taken", "rosters accepted into the spool", 0},
	[C_FILES_AGAIN] = {"rosters_again", "known content under a further name", 0},
	[C_FILES_REFUSED] = {"rosters_refused", "files that are no roster for us, kept aside", 0},
	[C_FILES_OURS] = {"files_ours", "unchanged answers of ours, passed over", 0},
	[C_FILES_UNREADABLE] = {"files_unreadable", "files that could not be opened", 0},
	[C_FILES_RETRIED] = {"files_retried",
			     "files put off: full disk, changed while read, not readable", 0},
	[C_COVERS_TAKEN] = {"covers_taken", "covers accepted into the spool", 0},
	[C_COVERS_AGAIN] = {"covers_again", "covers that were there already", 0},
	[C_COVERS_REFUSED] = {"covers_refused", "covers with mistakes, kept aside", 0},
	[C_ROSTERS_PUBLISHED] = {"rosters_published", "rosters put on the bus", 0},
	[C_ROWS_PUBLISHED] = {"rows_published", "rows put on the bus", 0},
	[C_ROWS_WITH_DEFECTS] = {"rows_with_defects", "of these with a defect of form", 0},
	[C_COVERS_PUBLISHED] = {"covers_published", "covers put on the bus", 0},
	[C_ANSWERS_KEPT] = {"answers_kept", "answers that said something new", 0},
	[C_ANSWERS_OLD] = {"answers_old", "answers repeated or older than what is there", 0},
	[C_ANSWERS_NOT_OURS] = {"answers_not_ours", "answers about rosters of another spool", 0},
	[C_ANSWERS_REJECTED] = {"answers_rejected", "answers that make no sense", 0},
	[C_FILES_WRITTEN] = {"answer_files_written", "answer files put beside a roster", 0},
	[C_FILES_UNCHANGED] = {"answer_files_unchanged", "answer files that said so already", 0},
	[C_FILES_MOVED_ON] = {"answer_files_moved_on",
			      "answers that went on under the next free name", 0},
	[C_FILES_WRITE_FAILED] = {"answer_files_failed",
				  "answer files that could not be written yet", 0},
};

static const char summary[] = "Takes rosters (集体补助人员名册, CSV) and their covers (JSON) from "
			      "the drop folder [village] inbox, one folder a sender,\n"
			      "keeps them sealed in the spool, publishes their rows, and writes "
			      "the answers beside them as NAME.回执.csv. A file is taken\n"
			      "when it did not change between two looks. What is accepted is on "
			      "disk before it is answered. Refused files are answered too\n"
			      "(NAME.回执.txt) and kept aside. See adapters/village/README.md.";

enum { ANSWERS_AT_A_TIME_MS = 200, RETRY_MS = 1000 };

struct loop {
	struct village_role *v;
	int64_t look_at, listen_at, listen_pause, publish_at, answer_at; /* monotonic ms */
};

static int open_all(struct village_role *v, struct err *e);
static void close_all(struct village_role *v);
static int run(struct village_role *v, struct err *e);
static int publish_waiting(struct loop *l, struct err *e);
static int load_cover(void *arg, const struct id *id, struct err *e);
static int hear(struct loop *l, struct err *e);
static int later(struct loop *l, int64_t *at, const char *what, struct err *e);

int main(int argc, char **argv)
{
	static struct role role = {
		.name = "village", .summary = summary, .counters = {counters, C_COUNT}};
	static struct village_role v = {.role = &role};
	struct err e = {0};
	int rc = role_start(&role, argc, argv);

	if (rc != 0)
		return rc - 1000;
	if (open_all(&v, &e) == 0) {
		role_ready(&role);
		run(&v, &e);
	}
	close_all(&v);
	return role_end(&role, &e);
}

/* In the order in which things can be wrong: set-up first, then what needs the disk. */
static int open_all(struct village_role *v, struct err *e)
{
	const struct conf *c = &v->role->conf;
	struct complaints why = {0};

	if (reference_load(&v->reference, c, &why) < 0) {
		for (int i = 0; i < why.count && i < COMPLAINTS_MAX; i++)
			log_error("REFERENCE", "line=%d text=\"%s\"", why.at[i].line,
				  why.at[i].text);
		return err_set(e, ERR_CONF, "reference data: %d errors, see the log", why.count);
	}
	if (keyring_open(&v->keys, c->keys.dir, "village", c->keys.separate_users, e) < 0)
		return -1;
	if (adapter_open(&v->adapter, v->role, e) < 0 ||
	    spool_attach(&v->spool, c->data.dir, v->keys, e) < 0)
		return -1;
	if (bus_reader_open_alone(v->adapter.bus, &v->answers, "answers", c->village.group, e) < 0)
		return -1;
	v->inbox = inbox_new();
	if (v->inbox == NULL)
		return err_set(e, ERR_TEMP, "inbox: out of memory");
	if (inbox_start(v, e) < 0 || take_load(v, e) < 0)
		return -1;
	return spool_each_cover(&v->spool, load_cover, v, e);
}

static void close_all(struct village_role *v)
{
	inbox_free(v->inbox);
	submissions_fini(&v->submissions);
	free(v->covers);
	if (v->answers)
		bus_reader_close(v->answers);
	adapter_close(&v->adapter);
	keyring_free(v->keys);
	reference_free(v->reference);
}

/* Each part says when it is due again; the loop sleeps until the first of them. */
static int run(struct village_role *v, struct err *e)
{
	struct loop l = {.v = v, .listen_pause = v->role->conf.bus.poll_min_ms};

	while (!role_stopping()) {
		int64_t now = clock_monotonic(), next;

		if (adapter_tick(&v->adapter, e) < 0)
			return -1;
		if (now >= l.look_at) {
			if (inbox_look(v, e) < 0)
				return -1;
			l.look_at = clock_monotonic() + v->role->conf.village.poll_ms;
		}
		if (now >= l.publish_at && publish_waiting(&l, e) < 0)
			return -1;
		if (now >= l.listen_at && hear(&l, e) < 0)
			return -1;
		if (answer_files(v, clock_monotonic() + ANSWERS_AT_A_TIME_MS, &l.answer_at, e) < 0)
			return -1;
		next = l.look_at < l.listen_at ? l.look_at : l.listen_at;
		next = l.answer_at < next ? l.answer_at : next;
		role_wait(next - clock_monotonic());
	}
	return 0;
}

/* Rosters before covers; a cover may still be first on the bus when its roster came later. */
static int publish_waiting(struct loop *l, struct err *e)
{
	struct village_role *v = l->v;
	int done = 0, rc = 0;

	for (int i = 0; i < v->submissions.count && !role_stopping(); i++) {
		struct submission *s = v->submissions.at[i];

		if (s->meta.state == SPOOL_SPOOLED && publish_roster(v, s, e) < 0)
			return later(l, &l->publish_at, "publish", e);
	}
	for (; done < v->cover_count && !role_stopping(); done++) {
		if (publish_cover(v, &v->covers[done], e) < 0) {
			rc = later(l, &l->publish_at, "publish", e);
			break;
		}
	}
	v->cover_count -= done;
	if (done > 0)
		memmove(v->covers, v->covers + done, sizeof *v->covers * (size_t)v->cover_count);
	return rc;
}

static int load_cover(void *arg, const struct id *id, struct err *e)
{
	struct village_role *v = arg;
	struct spool_cover c;

	if (spool_get_cover(&v->spool, id, &c, e) < 0 || village_reserve_cover(v, e) < 0)
		return -1;
	if (c.state == SPOOL_SPOOLED)
		v->covers[v->cover_count++] = *id;
	return 0;
}

/* The pause between two looks at the topic doubles while nothing comes. A batch that failed
 * comes again from its stored position: the reader is opened anew. */
static int hear(struct loop *l, struct err *e)
{
	struct village_role *v = l->v;
	const struct conf *c = &v->role->conf;
	int count = 0;

	if (listen_take(v, &count, e) < 0) {
		if (e->class != ERR_TEMP)
			return -1;
		bus_reader_close(v->answers);
		v->answers = NULL;
		later(l, &l->listen_at, "answers", e);
		return bus_reader_open_alone(v->adapter.bus, &v->answers, "answers", c->village.group, e);
	}
	if (count > 0)
		l->listen_pause = c->bus.poll_min_ms;
	l->listen_at = count > 0 ? 0 : clock_monotonic() + l->listen_pause;
	if (count == 0)
		l->listen_pause = 2 * l->listen_pause < c->bus.poll_max_ms ? 2 * l->listen_pause
									   : c->bus.poll_max_ms;
	return 0;
}

/* A full disk is waited for: everything that was accepted is still there. */
static int later(struct loop *l, int64_t *at, const char *what, struct err *e)
{
	char why[LOG_VALUE];

	if (e->class != ERR_TEMP)
		return -1;
	if (!role_stopping())
		log_warn("LATER", "what=%s again_ms=%d why=%s", what, RETRY_MS,
			 log_value(why, e->text));
	*e = (struct err){0};
	*at = clock_monotonic() + RETRY_MS;
	if (l->look_at > *at)
		l->look_at = *at;
	return 0;
}
