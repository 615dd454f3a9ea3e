/* qiao-village against a real bus, killed in the middle of everything. The test is the gateway:
 * it stages what comes on `submissions` as design section 4 says (an attempt counts when its
 * count, amount and digest match), answers every row, and at the end each roster must be there
 * exactly once and each answer file must say the last word. */
#include "base/clock.h"
#include "bus/bus.h"
#include "crypto/identity.h"
#include "crypto/ids.h"
#include "domain/citizen_id.h"
#include "events/events.h"
#include "tests/lib/people.h"
#include "tests/lib/roster_form.h"
#include "tests/lib/unit.h"
#include "tests/lib/world.h"
#include <dirent.h>
#include <ftw.h>
#include <unistd.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

enum { ROSTERS = 24, ROWS_MAX = 3000, KILLS = 30, PATIENCE_MS = 60000 };

struct dropped {
	char name[64], sender[16], sha256[65];
	struct id id;
	int rows;
	int64_t amount_fen;
	/* as the gateway sees it */
	struct id attempt, digest;
	bool open, closed;
	int staged, opened;
	int64_t staged_fen;
	struct id row_ids[ROWS_MAX]; /* event id of each row: the same whenever it comes again */
	int32_t row_no[ROWS_MAX];
	int covers;
};

static struct {
	struct world world;
	struct bus *bus;
	struct bus_reader *submissions, *rejects;
	struct codec *codec;
	struct buf body;
	int64_t seq;
	struct dropped *at;
	uint64_t chance;
	int kills, rejected;
} g;

static void check(int rc, const struct err *e)
{
	if (rc < 0)
		fail_msg("%s", e->text);
}

static int open_it(void **state)
{
	static const struct setting settings[] = {
		{"village", "poll", "10ms"}, {"village", "answer_interval", "20ms"}, {0}};
	const struct world_options o = {.day = "2026-12-24", .settings = settings};
	struct bus_options b;
	const char *seed = getenv("QIAO_SEED");
	struct err e = {0};

	(void)state;
	memset(&g, 0, sizeof g);
	g.chance = seed ? strtoull(seed, NULL, 10) : (uint64_t)clock_wall();
	print_message("QIAO_SEED=%" PRIu64 "\n", g.chance);
	check(world_open(&g.world, &o, &e), &e);
	check(world_found(&g.world, &e), &e);
	b = which_bus_options(&g.world.bus, "gateway");
	b.ledger = "00112233445566778899aabbccddeeff/1";
	check(bus_open(&g.bus, &b, &e), &e);
	check(codec_open(&g.codec, NULL, &e), &e);
	check(bus_reader_open(g.bus, &g.submissions, "submissions", NULL, &e), &e);
	check(bus_reader_open(g.bus, &g.rejects, "rejects.village", NULL, &e), &e);
	buf_init(&g.body, 1 << 20);
	g.at = calloc(ROSTERS, sizeof *g.at);
	return 0;
}

static int close_it(void **state)
{
	(void)state;
	bus_reader_close(g.submissions);
	bus_reader_close(g.rejects);
	bus_close(g.bus);
	codec_close(g.codec);
	buf_fini(&g.body);
	free(g.at);
	world_close(&g.world);
	return 0;
}

/* ---- the clerks ---- */

static void drop(int i)
{
	static struct form_row rows[ROWS_MAX];
	struct dropped *o = &g.at[i];
	struct form form = {.title = "集体补助人员名册",
			    .year = "2026年",
			    .town = "柯桥街道",
			    .village = "管墅社区居委会",
			    .layout = (enum form_layout)(i % 3),
			    .encoding = (enum form_encoding)(i % 4),
			    .clerk = "王五",
			    .phone = "13800000000",
			    .filled_on = "2026-12-01",
			    .rows = rows};
	char beside[700], path[700], folder[512];
	struct err e = {0};

	form.count = i % 6 == 0 ? ROWS_MAX : 20 + i;
	memset(rows, 0, sizeof rows);
	for (int k = 0; k < form.count; k++) {
		struct invented p;
		int yuan = 200 + 100 * (k % 5);

		invented_at(&p, 99, (uint32_t)(i * ROWS_MAX + k));
		snprintf(rows[k].cells[COL_SERIAL], 96, "%d", k + 1);
		snprintf(rows[k].cells[COL_NAME], 96, "%s", p.name);
		snprintf(rows[k].cells[COL_ID], 96, "%s%s", k % 3 ? "" : "'",
			 k % 50 == 7 ? "12345" : p.number);
		snprintf(rows[k].cells[COL_AMOUNT], 96, "%d", yuan);
		form.total_fen += 100 * yuan;
		rows[k].blank_before = k % 40 == 13;
	}
	o->rows = form.count;
	o->amount_fen = form.total_fen;
	snprintf(o->sender, sizeof o->sender, "s%d", i % 4);
	snprintf(o->name, sizeof o->name, "名册%d.csv", i);
	snprintf(folder, sizeof folder, "%s/data/inbox/%s", g.world.dir, o->sender);
	snprintf(beside, sizeof beside, "%s/.%s.part", folder, o->name);
	snprintf(path, sizeof path, "%s/%s", folder, o->name);
	check(fs_mkdirs(folder, &e), &e);
	check(form_write(&form, beside, o->sha256, &e), &e);
	submission_id(&o->id, str_of(o->sender), str_of(o->sha256));
	assert_int_equal(rename(beside, path), 0);
}

static void drop_cover(int i)
{
	static const int standards[] = {200, 300, 400, 500, 600, 0};
	const struct cover_form c = {.sha256 = g.at[i].sha256,
				     .village = "330603001008",
				     .type = "individual",
				     .code = "11010519491231002X",
				     .name = "张三",
				     .year = 2026,
				     .standards_yuan = standards,
				     .chance = (uint64_t)i};
	char path[512];
	struct err e = {0};

	snprintf(path, sizeof path, "%s/data/inbox/%s/名册%d.cover.json", g.world.dir,
		 g.at[i].sender, i);
	check(cover_write(&c, path, &e), &e);
}

/* ---- the gateway ---- */

static struct dropped *find(const struct id *id)
{
	for (int i = 0; i < ROSTERS; i++) {
		if (id_eq(&g.at[i].id, id))
			return &g.at[i];
	}
	fail_msg("a submission that nobody dropped");
	return NULL;
}

static void stage_row(const struct bus_record *r)
{
	struct subsidy_declared row;
	struct dropped *o;
	struct err e = {0};

	check(codec_decode(g.codec, EV_SUBSIDY_DECLARED, r->event.data, &row, &e), &e);
	o = find(&row.submission_id);
	assert_true(o->open && id_eq(&o->attempt, &row.attempt_id));
	assert_true(o->staged < o->rows);
	assert_true(row.token.set == (row.defect_count == 0));
	assert_true((row.identity.p != NULL) == row.token.set &&
		    (row.cells.p != NULL) == (row.defect_count > 0));
	if (o->opened > 1 && !id_is_zero(&o->row_ids[o->staged]))
		assert_memory_equal(&o->row_ids[o->staged], &r->event.id, sizeof(struct id));
	o->row_ids[o->staged] = r->event.id;
	o->row_no[o->staged] = row.row_no;
	assert_true(o->staged == 0 || row.row_no > o->row_no[o->staged - 1]);
	row_digest(&o->digest, &row);
	o->staged_fen += row.amount_fen.set ? row.amount_fen.v : 0;
	o->staged++;
}

static void stage(const struct bus_record *r)
{
	struct submission_opened opened;
	struct submission_closed closed;
	struct gate_documents cover;
	struct dropped *o;
	struct err e = {0};

	if (str_is(r->event.type, "SubsidyDeclared")) {
		stage_row(r);
	} else if (str_is(r->event.type, "SubmissionOpened")) {
		check(codec_decode(g.codec, EV_SUBMISSION_OPENED, r->event.data, &opened, &e), &e);
		o = find(&opened.submission_id);
		assert_true(str_is(opened.roster_sha256, o->sha256) &&
			    str_is(opened.village, "330603001008"));
		assert_true(o->opened == 0 ||
			    id_eq(&o->attempt, &opened.attempt_id)); /* the same attempt again */
		o->attempt = opened.attempt_id;
		o->open = true;
		o->opened++;
		o->staged = 0;
		o->staged_fen = 0;
		memset(&o->digest, 0, sizeof o->digest);
	} else if (str_is(r->event.type, "SubmissionClosed")) {
		check(codec_decode(g.codec, EV_SUBMISSION_CLOSED, r->event.data, &closed, &e), &e);
		o = find(&closed.submission_id);
		assert_true(o->open);
		assert_int_equal(closed.count, o->staged);
		assert_int_equal(closed.count, o->rows);
		assert_int_equal(closed.amount_fen, o->staged_fen);
		assert_int_equal(closed.amount_fen, o->amount_fen);
		assert_true(closed.stated_total_fen.set &&
			    closed.stated_total_fen.v == o->amount_fen);
		assert_memory_equal(&closed.digest, &o->digest, sizeof closed.digest);
		o->closed = true;
		o->open = false;
	} else {
		check(codec_decode(g.codec, EV_GATE_DOCUMENTS, r->event.data, &cover, &e), &e);
		o = find(&cover.submission_id);
		assert_true(str_is(cover.sponsor_type, "individual") &&
			    cover.sponsor_code.p == NULL);
		o->covers++;
	}
}

static int stage_one(void *arg, const struct bus_record *r, struct err *e)
{
	(void)arg, (void)e;
	stage(r);
	return 0;
}

/* All that is there by now. */
static void listen_to_the_end(void)
{
	struct err e = {0};

	check(which_bus_drain(&g.world.bus, g.submissions, "submissions", stage_one, NULL, &e), &e);
}

static void listen(void)
{
	const struct bus_record *records;
	struct err e = {0};
	int n;

	while ((n = bus_read(g.submissions, 500, &records, &e)) > 0) {
		for (int i = 0; i < n; i++)
			stage(&records[i]);
	}
	check(n, &e);
}

static void publish(enum event_type t, const void *event, const struct id *key)
{
	struct bus_event ev = {.key = {(const char *)key->b, ID_LEN},
			       .type = str_of(event_name(t)),
			       .time_ms = clock_wall(),
			       .seq = ++g.seq};
	struct err e = {0};

	memcpy(ev.id.b, &g.seq, sizeof g.seq);
	ev.trace = ev.id;
	buf_reset(&g.body);
	check(codec_encode(g.codec, t, event, &g.body, &e), &e);
	ev.data = (struct str){(char *)g.body.data, g.body.len};
	check(bus_publish(g.bus, "answers", &ev, &e), &e);
}

/* Every row of every roster, mixed, the newest version not always last. */
static void answer_all(int version, const char *result, const char *code, bool final)
{
	struct err e = {0};

	for (int k = 0; k < ROWS_MAX; k++) {
		for (int i = 0; i < ROSTERS; i++) {
			struct dropped *o = &g.at[i];
			struct row_answer ra = {.submission_id = o->id,
						.row_no = o->row_no[k],
						.version = version,
						.result = str_of(result),
						.code = str_of(code),
						.final = final};

			if (k >= o->rows)
				continue;
			publish(EV_ROW_ANSWER, &ra, &o->id);
			if (chance_below(&g.chance, 10) == 0 && version > 1) {
				ra.version = 1;
				ra.result = STR("mend");
				ra.code = STR("name_missing");
				publish(EV_ROW_ANSWER, &ra, &o->id);
			}
		}
	}
	for (int i = 0; i < ROSTERS; i++) {
		char ten[11];
		struct dropped *o = &g.at[i];
		struct submission_answer sa = {.submission_id = o->id,
					       .receipt = STR("0000000000"),
					       .version = version,
					       .state = final ? STR("final") : STR("filed"),
					       .rows = o->rows,
					       .accepted = o->rows,
					       .done = final ? o->rows : 0,
					       .amount_fen = o->amount_fen,
					       .final = final};

		receipt_number(ten, &o->id);
		sa.receipt = str_of(ten);
		publish(EV_SUBMISSION_ANSWER, &sa, &o->id);
	}
	check(bus_flush(g.bus, &e), &e);
}

/* ---- killing ---- */

static void live(int max_ms)
{
	poll(NULL, 0, (int)chance_below(&g.chance, (uint32_t)max_ms));
}

static void kill_and_start(void)
{
	struct err e = {0};

	world_kill(&g.world, VILLAGE);
	g.kills++;
	check(world_spawn(&g.world, VILLAGE, &e),
	      &e); /* not waited for: killed while it starts, too */
}

/* Where the group village stands in the topic of answers, and where that ends. */
static struct bus_lag answers_lag(void)
{
	static struct bus_lag lags[64];
	const struct bus_options o = which_bus_options(&g.world.bus, "qiao");
	struct err e = {0};
	int count = 0;

	check(bus_lags(&o, lags, 64, &count, &e), &e);
	for (int i = 0; i < count; i++) {
		if (strcmp(lags[i].topic, "answers") == 0 && strcmp(lags[i].group, "village") == 0)
			return lags[i];
	}
	fail_msg("no such group");
	return lags[0];
}

static int64_t answers_next(void)
{
	return answers_lag().next;
}

static int64_t answers_end(void)
{
	return answers_lag().end;
}

static int all_closed(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	listen();
	for (int i = 0; i < ROSTERS; i++) {
		if (!g.at[i].closed || (i % 3 == 0 && g.at[i].covers == 0))
			return 0;
	}
	return 1;
}

static int times(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		n++;
	return n;
}

static int all_done(void *arg, struct err *e)
{
	struct buf text;
	int done = 0;

	(void)arg;
	buf_init(&text, 8 << 20);
	for (int i = 0; i < ROSTERS; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/data/inbox/%s/名册%d.回执.csv", g.world.dir,
			 g.at[i].sender, i);
		buf_reset(&text);
		if (fs_read(path, &text, e) < 0)
			continue;
		done += times(buf_text(&text), ",已到账,已记入个人账户,,") == g.at[i].rows &&
			strstr(buf_text(&text), "全部办结") != NULL;
	}
	buf_fini(&text);
	return done == ROSTERS;
}

static void nothing_is_lost_or_doubled(void **state)
{
	struct err e = {0};
	char path[512];
	DIR *list;
	struct dirent *at;
	int answers = 0;

	(void)state;
	check(world_start(&g.world, VILLAGE, &e), &e);
	for (int i = 0; i < ROSTERS; i++) {
		drop(i);
		if (i % 3 == 0)
			drop_cover(i);
		live(60);
		kill_and_start();
		listen();
	}
	check(world_wait(PATIENCE_MS, all_closed, NULL, &e), &e);
	answer_all(1, "waiting", "contribution_missing", false);
	answer_all(2, "accepted", "in_treasury", false);
	while (g.kills < KILLS) {
		live(150);
		kill_and_start();
	}
	answer_all(3, "done", "credited", true);
	/* Each life is ended when it has just moved on: in the middle of the next batch. */
	for (int64_t from; (from = answers_next()) < answers_end();) {
		int64_t start = clock_monotonic();

		while (answers_next() <= from && clock_monotonic() - start < PATIENCE_MS)
			;
		live(1 + g.kills % 9);
		kill_and_start();
	}
	if (world_wait(PATIENCE_MS, all_done, NULL, &e) < 0)
		fail_msg("answers did not come: %s", e.text);
	assert_int_equal(world_stop(&g.world, VILLAGE), 0);
	listen_to_the_end();
	for (int i = 0; i < ROSTERS; i++)
		assert_true(g.at[i].closed && !g.at[i].open);
	/* One answer beside each roster, and nothing of a killed writer. */
	snprintf(path, sizeof path, "%s/data/inbox/s1", g.world.dir);
	list = opendir(path);
	while ((at = readdir(list)) != NULL) {
		answers += strstr(at->d_name, "回执") != NULL && strstr(at->d_name, ".csv") != NULL;
		assert_null(strstr(at->d_name, ".part"));
	}
	closedir(list);
	assert_int_equal(answers, ROSTERS / 4);
	/* And a list for posting of each. */
	snprintf(path, sizeof path, "%s/data/inbox/s1/公示", g.world.dir);
	list = opendir(path);
	assert_non_null(list);
	for (answers = 0; (at = readdir(list)) != NULL;)
		answers += at->d_name[0] != '.';
	closedir(list);
	assert_int_equal(answers, ROSTERS / 4);
}

/* ---- what comes wrong, and stopping ---- */

static int count_one(void *arg, const struct bus_record *r, struct err *e)
{
	(void)r, (void)e;
	++*(int *)arg;
	return 0;
}

static int three_rejects(void *arg, struct err *e)
{
	const struct bus_record *records;
	int n = bus_read(g.rejects, 100, &records, e);

	(void)arg;
	if (n < 0)
		return -1;
	g.rejected += n;
	return g.rejected >= 3;
}

static void what_makes_no_sense_is_put_aside(void **state)
{
	struct bus_event ev = {
		.key = STR("k"), .type = STR("RowAnswer"), .time_ms = 1, .data = STR("no avro")};
	struct row_answer ra = {
		.row_no = 1, .version = 1, .result = STR("done"), .code = STR("credited")};
	struct err e = {0};

	(void)state;
	check(world_start(&g.world, VILLAGE, &e), &e);
	drop(0);
	while (!g.at[0].closed)
		listen();
	ev.seq = ++g.seq;
	memset(ev.id.b, 0xaa, ID_LEN);
	check(bus_publish(g.bus, "answers", &ev, &e), &e);
	memset(ra.submission_id.b, 9, ID_LEN); /* of another spool: passed over */
	publish(EV_ROW_ANSWER, &ra, &ra.submission_id);
	ra.submission_id = g.at[0].id;
	ra.row_no = 1000000; /* no such row */
	publish(EV_ROW_ANSWER, &ra, &ra.submission_id);
	ra.row_no = g.at[0].row_no[0];
	ra.result = STR("perhaps");
	publish(EV_ROW_ANSWER, &ra, &ra.submission_id);
	check(bus_flush(g.bus, &e), &e);
	check(world_wait(PATIENCE_MS, three_rejects, NULL, &e), &e);
	assert_true(world_alive(&g.world, VILLAGE));
	assert_int_equal(world_stop(&g.world, VILLAGE), 0);
	check(which_bus_drain(&g.world.bus, g.rejects, "rejects.village", count_one, &g.rejected, &e), &e);
	assert_int_equal(g.rejected, 3);
}

/* As if it had died before it published. */
static void unpublish(int i)
{
	char path[512], hex[ID_HEX], name[64];
	struct err e = {0};
	struct buf meta;

	buf_init(&meta, 4096);
	snprintf(name, sizeof name, "data/spool/%s/meta", id_hex(&g.at[i].id, hex));
	check(fs_read(world_path(&g.world, path, name), &meta, &e), &e);
	char *at = strstr((char *)(uintptr_t)buf_text(&meta), "published");
	assert_non_null(at);
	memcpy(at, "spooled\n\n", 9);
	check(fs_write_atomic(path, meta.data, meta.len, 0600, &e), &e);
	buf_fini(&meta);
	g.at[i].closed = false;
}

/* The key of its year was destroyed between taking a roster and publishing it: it goes out with identities that nobody opens. */
static void a_destroyed_year_stops_nothing(void **state)
{
	struct err e = {0};
	char path[512];
	int count;

	(void)state;
	check(world_start(&g.world, VILLAGE, &e), &e);
	drop(0);
	while (!g.at[0].closed)
		listen();
	assert_int_equal(world_stop(&g.world, VILLAGE), 0);
	unpublish(0);
	check(seal_key_destroy(world_path(&g.world, path, "keys"), 2026, NULL, NULL, &count, &e), &e);
	check(world_start(&g.world, VILLAGE, &e), &e);
	while (!g.at[0].closed) {
		assert_true(world_alive(&g.world, VILLAGE));
		listen();
	}
	assert_int_equal(world_stop(&g.world, VILLAGE), 0);
}

static void it_stops_where_it_must(void **state)
{
	struct err e = {0};
	char path[512], moved[512];

	(void)state;
	/* a spooled roster whose bytes were changed: rather stop than publish something else */
	check(world_start(&g.world, VILLAGE, &e), &e);
	drop(0);
	while (!g.at[0].closed)
		listen();
	assert_int_equal(world_stop(&g.world, VILLAGE), 0);
	char hex[ID_HEX], name[64];
	unpublish(0);
	id_hex(&g.at[0].id, hex);
	snprintf(name, sizeof name, "data/spool/%s/roster.sealed", hex);
	world_path(&g.world, path, name);
	assert_int_equal(truncate(path, 200), 0);
	check(world_spawn(&g.world, VILLAGE, &e), &e);
	assert_int_equal(world_end(&g.world, VILLAGE, PATIENCE_MS), EXIT_SAFE);
	/* no keys: the set-up is wrong */
	snprintf(moved, sizeof moved, "%s/keys/village", g.world.dir);
	snprintf(path, sizeof path, "%s/keys/away", g.world.dir);
	assert_int_equal(rename(moved, path), 0);
	check(world_spawn(&g.world, VILLAGE, &e), &e);
	assert_int_equal(world_end(&g.world, VILLAGE, PATIENCE_MS), EXIT_USAGE);
}

/* ---- nothing personal outside the inbox ---- */

static struct buf leak;
static const char *needles[8];

static int look_into(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct err e = {0};

	(void)st;
	if (strstr(path, "/inbox")) /* the village's own */
		return 0;
	for (int i = 0; needles[i]; i++)
		assert_null(strstr(path + ftw->base, needles[i]));
	if (type != FTW_F)
		return 0;
	buf_reset(&leak);
	check(fs_read(path, &leak, &e), &e);
	for (int i = 0; needles[i]; i++) {
		if (leak.len && memmem(leak.data, leak.len, needles[i], strlen(needles[i])))
			fail_msg("%s holds %s", path, needles[i]);
	}
	return 0;
}

static void nothing_personal_leaks(void **state)
{
	struct invented p, q;
	struct err e = {0};
	char path[512];

	(void)state;
	check(world_start(&g.world, VILLAGE, &e), &e);
	for (int i = 0; i < 4; i++)
		drop(i);
	drop_cover(1);
	drop_cover(3);
	while (!g.at[0].closed || !g.at[1].closed || !g.at[2].closed || !g.at[3].closed ||
	       !g.at[1].covers || !g.at[3].covers)
		listen();
	assert_int_equal(world_stop(&g.world, VILLAGE), 0);
	invented_at(&p, 99, 1);
	invented_at(&q, 99, ROWS_MAX + 2);
	needles[0] = p.number;
	needles[1] = p.name;
	needles[2] = q.number;
	needles[3] = "名册1";
	needles[4] = "11010519491231002X";
	buf_init(&leak, 256 << 20);
	assert_int_equal(nftw(world_path(&g.world, path, "data"), look_into, 16, FTW_PHYS), 0);
	assert_int_equal(nftw(world_path(&g.world, path, "log"), look_into, 16, FTW_PHYS), 0);
	if (on_kafka()) {
		buf_reset(&leak);
		check(which_bus_dump(&g.world.bus, &leak, &e), &e);
		assert_non_null(memmem(leak.data, leak.len, "ce_type: ", 9));
		for (int i = 0; needles[i]; i++)
			assert_null(memmem(leak.data, leak.len, needles[i], strlen(needles[i])));
	}
	buf_fini(&leak);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_it, close_it)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_lost_or_doubled),
		TEST(what_makes_no_sense_is_put_aside),
		TEST(a_destroyed_year_stops_nothing),
		TEST(it_stops_where_it_must),
		TEST(nothing_personal_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
