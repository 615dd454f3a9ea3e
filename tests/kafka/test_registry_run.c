/* The story on a broker with events framed by a schema registry, which goes bad half-way. A real one is killed: nothing stops, and
 * programs that are killed, too, come up from the ids that they keep on disk. A scripted one gives two ids each other's schema:
 * no program starts, each says which id and why, and when the registry is mended the story goes on as if nothing had been. What was
 * written is read back by a consumer of its own, which asks the registry what each id means. */
#include "base/clock.h"
#include "base/fs.h"
#include "events/framing.h"
#include "tests/lib/kafka.h"
#include "tests/lib/recount.h"
#include "tests/lib/registry_sim.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { END_MS = 60000, LOG_MAX = 64 << 20 };
/* A registry gives out its ids in the order in which qiao schemas register asks. */
enum { ONE = EV_SUBMISSION_OPENED + 1, OTHER = EV_SUBSIDY_DECLARED + 1 };

static const enum part four[] = {GATEWAY, VILLAGE, TAX, SSA};

static int open_tale(struct tale *t, const char *url, struct err *e)
{
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};
	struct world_options o = {.day = STORY_BEGINS, .tax_args = tax};

	setenv("BUS", "kafka", 1);
	setenv("QIAO_REGISTRY", url, 1);
	if (tale_open(t, &o, 7, e) < 0)
		return -1;
	t->world.keep = getenv("QIAO_KEEP") != NULL;
	return 0;
}

/* How often the log of a program has the text; -1: it cannot be read. */
static int times_logged(const struct world *w, enum part p, const char *text, struct err *e)
{
	char name[60], path[512];
	struct buf log;
	int n = 0, rc;

	snprintf(name, sizeof name, "log/%s.log", part_name(p));
	buf_init(&log, LOG_MAX);
	rc = fs_read(world_path(w, path, name), &log, e);
	for (const char *at = rc == 0 ? buf_text(&log) : NULL; at && (at = strstr(at, text)) != NULL; at += strlen(text))
		n++;
	buf_fini(&log);
	return rc < 0 ? -1 : n;
}

static int must_log(const struct world *w, enum part p, const char *text, struct err *e)
{
	int n = times_logged(w, p, text, e);

	return n < 0 ? -1 : n > 0 ? 0 : err_set(e, ERR_PERM, "%s does not log: %s", part_name(p), text);
}

/* The rest of the story, with the registry as it is. */
static int live_on(struct tale *t, struct err *e)
{
	for (int wave = 2; wave < STORY_WAVES; wave++)
		if (tale_hand_in(t, wave, e) < 0)
			return -1;
	return tale_end_year(t, e);
}

static int check_answers(struct tale *t, struct err *e)
{
	if (tale_check(t, stdout) != 0)
		return err_set(e, ERR_PERM, "what was told and what happened differ");
	for (size_t i = 0; i < COUNT(four); i++)
		if (world_stop(&t->world, four[i]) != EXIT_YES)
			return err_set(e, ERR_PERM, "%s stopped with %d", part_name(four[i]), t->world.parts[four[i]].status);
	return 0;
}

static int check_topics(struct tale *t, struct err *e)
{
	if (recount_world(&t->world, true, e) == 0)
		return 0;
	recount_show(&t->world);
	return -1;
}

static void end(struct tale *t, int rc, const struct err *e)
{
	char dir[256];

	snprintf(dir, sizeof dir, "%s", t->world.dir);
	tale_close(t);
	if (rc != 0)
		fail_msg("%s (%s)", e->text, dir);
}

/* ---- the registry dies ---- */

static int live_without(struct tale *t, struct apicurio *a, struct err *e)
{
	struct world *w = &t->world;

	/* The test reads answers and payments, too: it takes the ids that the programs keep. */
	outcomes_close(&t->outcomes);
	if (world_start_four(w, e) < 0 || outcomes_open(&t->outcomes, w, e) < 0 || tale_hand_in(t, 1, e) < 0)
		return -1;
	apicurio_kill(a);
	if (tale_hand_in(t, 2, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(four); i++) {
		if (times_logged(w, four[i], "REGISTRY-DOWN", e) != 0)
			return err_set(e, ERR_PERM, "%s missed the registry in its first life", part_name(four[i]));
		world_kill(w, four[i]);
		if (world_start(w, four[i], e) < 0 || must_log(w, four[i], "REGISTRY-DOWN", e) < 0)
			return -1;
	}
	return live_on(t, e) < 0 ? -1 : check_answers(t, e);
}

static void nothing_stops_when_the_registry_dies(void **state)
{
	static struct apicurio a;
	static struct tale t;
	struct err e = {0};
	int rc = apicurio_open(&a, NULL, &e);

	(void)state;
	if (rc == 0)
		rc = open_tale(&t, a.url, &e);
	if (rc == 0)
		rc = live_without(&t, &a, &e);
	if (rc == 0) /* who reads the topics needs it, and finds the same ids */
		rc = apicurio_start(&a, &e);
	if (rc == 0)
		rc = check_topics(&t, &e);
	apicurio_close(&a);
	end(&t, rc, &e);
}

/* ---- two of its ids are swapped ---- */

/* Killed and started again, the program ends by itself and names the id, what it meant, and what it means now. */
static int must_refuse(struct world *w, enum part p, struct err *e)
{
	char text[200];
	int status;

	snprintf(text, sizeof text, "schema registry: id %d meant " EVENT_NAMESPACE "%s and now means " EVENT_NAMESPACE "%s: events would be misread",
		 ONE, event_name(EV_SUBMISSION_OPENED), event_name(EV_SUBSIDY_DECLARED));
	world_kill(w, p);
	if (world_spawn(w, p, e) < 0)
		return -1;
	status = world_end(w, p, END_MS);
	if (status != EXIT_SAFE)
		return err_set(e, ERR_PERM, "%s: exit %d with swapped ids", part_name(p), status);
	return must_log(w, p, text, e);
}

static int live_through_swap(struct tale *t, struct registry_sim *sim, struct err *e)
{
	struct world *w = &t->world;

	if (world_start_four(w, e) < 0 || tale_hand_in(t, 1, e) < 0)
		return -1;
	registry_sim_swap(sim, ONE, OTHER);
	for (size_t i = 0; i < COUNT(four); i++)
		if (must_refuse(w, four[i], e) < 0)
			return -1;
	registry_sim_swap(sim, ONE, OTHER);
	if (world_start_four(w, e) < 0 || live_on(t, e) < 0)
		return -1;
	return check_answers(t, e) < 0 ? -1 : check_topics(t, e);
}

static void swapped_ids_stop_each_program(void **state)
{
	static struct tale t;
	struct err e = {0};
	char url[100];
	struct registry_sim *sim = registry_sim_start(url, sizeof url);
	int rc = open_tale(&t, url, &e);

	(void)state;
	if (rc == 0)
		rc = live_through_swap(&t, sim, &e);
	registry_sim_stop(sim);
	end(&t, rc, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stops_when_the_registry_dies),
		cmocka_unit_test(swapped_ids_stop_each_program),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_test_filter(getenv("QIAO_TEST")); /* one of them, while working on it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
