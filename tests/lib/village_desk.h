/* qiao-village without its bus, for tests in one process: drop folder, spool, reference data,
 * keys. What the program does in its loop is called step by step. A "start" forgets everything
 * that is only in memory. */
#ifndef QIAO_TESTS_LIB_VILLAGE_DESK_H
#define QIAO_TESTS_LIB_VILLAGE_DESK_H
#include "adapters/village/answer_file.h"
#include "adapters/village/inbox.h"
#include "adapters/village/take.h"
#include "tests/lib/roster_text.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESK_NOW INT64_C(1798077600000) /* 2026-12-24T10:00+08:00 */

struct desk {
	struct tmpdir dir;
	char clock[320];
	struct role role;
	struct counter counters[C_COUNT];
	struct village_role v;
};

static inline void desk_start(struct desk *d)
{
	struct complaints why = {0};
	struct err e = {0};
	char keys[320];

	d->v = (struct village_role){.role = &d->role};
	for (int i = 0; i < C_COUNT; i++)
		d->counters[i] = (struct counter){"x", "x", 0};
	if (reference_load(&d->v.reference, &d->role.conf, &why) < 0)
		fail_msg("%s", why.at[0].text);
	tmpdir_file(&d->dir, keys, "keys");
	d->v.inbox = inbox_new();
	if (clock_init(&d->role.clock, d->clock, &e) < 0 ||
	    keyring_open(&d->v.keys, keys, "village", false, &e) < 0 ||
	    audit_open(&d->v.adapter.audit, d->role.conf.data.dir, "village", &d->role.clock, &e) < 0 ||
	    spool_attach(&d->v.spool, d->role.conf.data.dir, d->v.keys, &e) < 0 ||
	    inbox_start(&d->v, &e) < 0 || take_load(&d->v, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void desk_stop(struct desk *d)
{
	inbox_free(d->v.inbox);
	submissions_fini(&d->v.submissions);
	free(d->v.covers);
	audit_close(d->v.adapter.audit);
	keyring_free(d->v.keys);
	reference_free(d->v.reference);
}

static inline void desk_open(struct desk *d)
{
	struct conf *c = &d->role.conf;
	struct err e = {0};
	char keys[320];

	memset(d, 0, sizeof *d);
	tmpdir_make(&d->dir);
	tmpdir_file(&d->dir, keys, "keys");
	tmpdir_file(&d->dir, d->clock, "clock");
	d->role.name = "village";
	d->role.counters = (struct counters){d->counters, C_COUNT};
	d->role.lock_fd = -1;
	d->role.status_ms = d->role.counters_ms = INT64_MAX / 2; /* no status file */
	fs_join(c->data.dir, sizeof c->data.dir, d->dir.path, "data");
	fs_join(c->village.inbox, sizeof c->village.inbox, d->dir.path, "data/inbox");
	str_copy(c->reference.policy, sizeof c->reference.policy, STR("config/policy"));
	str_copy(c->reference.calendar, sizeof c->reference.calendar, STR("config/calendar.csv"));
	str_copy(c->reference.villages, sizeof c->reference.villages, STR("config/villages.csv"));
	c->village.poll_ms = 10;
	c->village.file_bytes_max = 1 << 20;
	c->village.rows_max = 1000;
	if (clock_file_write(d->clock, DESK_NOW, &e) < 0 || keygen(keys, 2024, 2030, &e) < 0)
		fail_msg("%s", e.text);
	desk_start(d);
}

static inline void desk_close(struct desk *d)
{
	desk_stop(d);
	tmpdir_remove(&d->dir);
}

static inline void desk_restart(struct desk *d)
{
	desk_stop(d);
	desk_start(d);
}

static inline const char *desk_path(struct desk *d, char out[640], const char *sender,
				    const char *name)
{
	snprintf(out, 640, "%s/%s/%s", d->role.conf.village.inbox, sender, name);
	return out;
}

/* Beside, then renamed into place. */
static inline void desk_drop(struct desk *d, const char *sender, const char *name, const char *text)
{
	char path[640];
	struct err e = {0};

	snprintf(path, sizeof path, "%s/%s", d->role.conf.village.inbox, sender);
	if (fs_mkdirs(path, &e) < 0 ||
	    fs_write_atomic(desk_path(d, path, sender, name), text, strlen(text), 0600, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void desk_look(struct desk *d)
{
	struct err e = {0};

	if (inbox_look(&d->v, &e) < 0)
		fail_msg("%s", e.text);
}

/* Two looks, so that what rests is taken; then all answers that are due. */
static inline void desk_turn(struct desk *d)
{
	int64_t next;
	struct err e = {0};

	desk_look(d);
	desk_look(d);
	for (int i = 0; i < d->v.submissions.count; i++) {
		if (d->v.submissions.at[i]->answer_due > 0)
			d->v.submissions.at[i]->answer_due =
				1; /* without the pause between two writings */
	}
	if (answer_files(&d->v, INT64_MAX, &next, &e) < 0)
		fail_msg("%s", e.text);
}

/* Content of a file in the inbox, or NULL; valid until the next call. */
static inline const char *desk_read(struct desk *d, const char *sender, const char *name)
{
	static struct buf text;
	char path[640];
	struct err e = {0};

	if (text.max == 0)
		buf_init(&text, 8 << 20);
	buf_reset(&text);
	if (fs_read(desk_path(d, path, sender, name), &text, &e) < 0)
		return NULL;
	return buf_text(&text);
}

static inline int64_t desk_count(const struct desk *d, enum village_counter c)
{
	return d->counters[c].value;
}

/* A good roster of that many persons. */
static inline const char *desk_roster(char out[4096], const char *village, int persons)
{
	int n = snprintf(out, 4096,
			 "名册\r\n补助年度：2026年,乡镇（街道）：柯桥街道,村（居）：%s\r\n序号,"
			 "姓名,公民身份号码,补助金额\r\n",
			 village);

	for (int i = 0; i < persons; i++)
		n += snprintf(out + n, 4096 - (size_t)n, "%d,张三,11010519491231002X,%d\r\n", i + 1,
			      200 + i);
	return out;
}

#endif
