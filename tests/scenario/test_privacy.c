/* Nobody's name, number or telephone is in anything that Qiao leaves behind: bus, ledger, spool, refused files, logs (at their most
 * talkative), status files, a backup, and the names of files. The villages' own files, our answers beside them, and the agencies'
 * books name people, as they must: there the same search finds them, or it would prove nothing. */
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <fts.h>
#include <iconv.h>
#include <signal.h>
#include <string.h>

enum { KEY = 6, FILE_MAX = 256 << 20, PATTERNS_MAX = 1 << 14, SLOTS = 1 << 16 };

struct pattern {
	const char *p;
	size_t n;
	int line; /* of personal.txt */
};
struct search {
	struct buf text, gb18030; /* what the patterns point into */
	struct pattern patterns[PATTERNS_MAX];
	int slots[SLOTS]; /* by the first KEY bytes: pattern + 1 */
	int count;
	int files, hits;
};

static size_t slot_of(const char *p)
{
	uint64_t key = 0;

	memcpy(&key, p, KEY);
	return (key * UINT64_C(0x9E3779B97F4A7C15)) >> 48;
}

static void add(struct search *s, const char *p, size_t n, int line)
{
	size_t at;

	/* Shorter ones turn up in random bytes by themselves: names of two characters in GB18030. */
	if (n < KEY)
		return;
	for (at = slot_of(p); s->slots[at]; at = (at + 1) % SLOTS) {
		const struct pattern *x = &s->patterns[s->slots[at] - 1];

		if (x->n == n && memcmp(x->p, p, n) == 0)
			return;
	}
	assert_true(s->count < PATTERNS_MAX);
	s->patterns[s->count] = (struct pattern){p, n, line};
	s->slots[at] = ++s->count;
}

/* Each line in UTF-8 and as GB18030 has it. */
static void add_line(struct search *s, iconv_t cd, char *line, size_t n, int number)
{
	size_t left = n, room = s->gb18030.max - s->gb18030.len, before = s->gb18030.len;
	char *to;

	add(s, line, n, number);
	to = (char *)buf_reserve(&s->gb18030, 4 * n);
	assert_non_null(to);
	room = 4 * n;
	assert_int_equal(iconv(cd, &line, &left, &to, &room), 0);
	s->gb18030.len += 4 * n - room;
	add(s, (char *)s->gb18030.data + before, s->gb18030.len - before, number);
}

static void load(struct search *s, const struct tale *t)
{
	iconv_t cd = iconv_open("GB18030", "UTF-8");
	struct err e = {0};
	char path[512];
	int number = 1;

	memset(s, 0, sizeof *s);
	buf_init(&s->text, FILE_MAX);
	buf_init(&s->gb18030, FILE_MAX);
	assert_non_null(buf_reserve(&s->gb18030, 8 << 20)); /* patterns point into it: it must not move */
	assert_true(cd != (iconv_t)-1);
	if (fs_read(world_path(&t->world, path, "rosters/personal.txt"), &s->text, &e) < 0)
		fail_msg("%s", e.text);
	for (char *p = (char *)s->text.data, *end = p + s->text.len; p < end; number++) {
		char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = newline ? (size_t)(newline - p) : (size_t)(end - p);

		add_line(s, cd, p, n, number);
		p += n + 1;
	}
	iconv_close(cd);
	assert_true(s->count > 1000);
}

/* Whose line it is, is told by its number alone. */
static void look_through(struct search *s, const char *p, size_t n, const char *where, bool tell)
{
	for (size_t i = 0; i + KEY <= n; i++)
		for (size_t at = slot_of(p + i); s->slots[at]; at = (at + 1) % SLOTS) {
			const struct pattern *x = &s->patterns[s->slots[at] - 1];

			if (x->n > n - i || memcmp(x->p, p + i, x->n) != 0)
				continue;
			if (tell && s->hits < 20)
				printf("%s at %zu: line %d of personal.txt\n", where, i, x->line);
			s->hits++;
		}
}

static void look_through_file(struct search *s, const char *path, bool tell)
{
	struct err e = {0};
	struct buf b;

	buf_init(&b, FILE_MAX);
	if (fs_read(path, &b, &e) < 0)
		fail_msg("%s", e.text);
	look_through(s, (const char *)b.data, b.len, path, tell);
	s->files++;
	buf_fini(&b);
}

/* All files under dir and their names; skip: folders of the world that are somebody's own. Gives the hits. */
static int look_under(struct search *s, const struct tale *t, const char *name, bool skip)
{
	static const char *const own[] = {"/data/inbox", "/rosters", "/agencies"};
	char dir[512], *paths[] = {dir, NULL};
	size_t root = strlen(t->world.dir);
	FTS *fts;

	world_path(&t->world, dir, name);
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	assert_non_null(fts);
	s->files = s->hits = 0;
	for (FTSENT *at; (at = fts_read(fts));) {
		bool others = false;

		for (size_t i = 0; i < COUNT(own); i++)
			others |= skip && strcmp(at->fts_path + root, own[i]) == 0;
		if (others)
			fts_set(fts, at, FTS_SKIP);
		if (others || at->fts_info == FTS_DP)
			continue;
		look_through(s, at->fts_path + root, strlen(at->fts_path + root), "a file's name", skip);
		if (at->fts_info == FTS_F)
			look_through_file(s, at->fts_path, skip);
	}
	fts_close(fts);
	return s->hits;
}

static void live(struct tale *t)
{
	static const struct setting settings[] = {{"log", "level", "debug"}, {NULL, NULL, NULL}};
	struct world_options o = {.day = STORY_BEGINS, .settings = settings};
	char backup[512];
	struct err e = {0};

	if (tale_open(t, &o, 11, &e) < 0 || world_start_four(&t->world, &e) < 0)
		fail_msg("%s", e.text);
	for (int wave = 1; wave < STORY_WAVES; wave++)
		if (tale_hand_in(t, wave, &e) < 0)
			fail_msg("%s", e.text);
	assert_int_equal(world_qiao(&t->world, NULL, "backup", world_path(&t->world, backup, "backup"), NULL), EXIT_YES);
	world_qiao(&t->world, NULL, "status", NULL);
	if (tale_end_year(t, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(tale_check(t, stdout), 0);
	/* Killed, so that what a stop would tidy away is there to be searched too. */
	for (int p = 0; p < PARTS; p++)
		world_kill(&t->world, (enum part)p);
}

static void nothing_names_anybody(void **state)
{
	static struct search s;
	static struct tale t;

	(void)state;
	live(&t);
	load(&s, &t);
	assert_true(look_under(&s, &t, "data/inbox", false) > 1000);
	assert_true(look_under(&s, &t, "agencies", false) > 500);
	assert_int_equal(look_under(&s, &t, "", true), 0);
	assert_true(s.files > 60);
	printf("%d patterns, %d files\n", s.count, s.files);
	buf_fini(&s.text);
	buf_fini(&s.gb18030);
	tale_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_names_anybody)};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
