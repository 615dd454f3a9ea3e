#include "cli/health.h"
#include "ledger/read.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "flow/reference.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum {
	STATUS_FILE_MAX = 1 << 17,
	SILENT_MS = 120000,  /* a program that turns its loop, or stands by, reports each second */
	LAG_MS = 15 * 60000, /* an event unread for so long although the reader runs */
	SEASON_MONTH = 10,   /* from then on the year's policy is missed */
	DISK_FREE_MIN = 1 << 30,
};

static bool next_line(struct str *text, struct str *line);
static void look_at_programs(struct health *h, const struct cli *c);
static void look_at_program(struct program_health *p, const struct cli *c, struct str supervisor);
static int read_status(const struct cli *c, const char *role, struct buf *text);
static bool is_alive(int64_t pid, const char *name);
static void look_at_bus(struct health *h, const struct cli *c);
static int64_t count_refused(const struct cli *c);
static void look_at_ledger(struct health *h, const char *ledger);
static void look_at_disk(struct health *h, const struct cli *c);
static int look_at_year(struct health *h, const struct cli *c, struct err *e);
static void judge_program(struct health *h, const struct program_health *p);
static void judge_lags(struct health *h);
static bool should_read(const struct health *h, const char *group);
static bool is_stopped(const struct health *h, const struct bus_lag *lag);
static bool is_reader(const char *role, const char *group);
static void judge_place(struct health *h);
static void must(struct health *h, const char *code, const char *arg, const char *more);

int health_gather(struct health *h, const struct cli *c, struct err *e)
{
	char ledger[CONF_PATH];

	*h = (struct health){.last_filing_day = DATE_NONE};
	if (cli_path(c, ledger, CLI_LEDGER, e) < 0)
		return -1;
	h->initialised = fs_exists(ledger);
	if (look_at_year(h, c, e) < 0)
		return -1;
	look_at_programs(h, c);
	if (h->initialised) {
		look_at_bus(h, c);
		look_at_ledger(h, ledger);
	}
	h->refused_files = count_refused(c);
	look_at_disk(h, c);
	health_judge(h);
	return 0;
}

void health_judge(struct health *h)
{
	h->todo_count = 0;
	if (!h->initialised)
		must(h, "todo_init", "", "");
	for (int i = 0; h->initialised && i < h->program_count; i++)
		judge_program(h, &h->programs[i]);
	judge_lags(h);
	judge_place(h);
}

void role_status_parse(struct role_status *out, struct str text)
{
	struct str line;

	*out = (struct role_status){.there = true};
	while (next_line(&text, &line)) {
		const char *blank = line.n ? memchr(line.p, ' ', line.n) : NULL;
		struct str key, value;

		if (blank == NULL)
			continue;
		key = (struct str){line.p, (size_t)(blank - line.p)};
		value = (struct str){blank + 1, line.n - key.n - 1};
		if (str_is(key, "pid"))
			str_int(value, 1, INT32_MAX, &out->pid);
		else if (str_is(key, "since_ms"))
			str_int(value, 0, INT64_MAX, &out->since_ms);
		else if (str_is(key, "at_ms"))
			str_int(value, 0, INT64_MAX, &out->at_ms);
		else if (str_is(key, "state"))
			str_copy(out->state, sizeof out->state, value);
		else if (str_is(key, "note"))
			str_copy(out->note, sizeof out->note, value);
		else if (str_is(key, "peer"))
			str_copy(out->peer, sizeof out->peer, value);
		else if (str_is(key, "counters"))
			str_copy(out->counters, sizeof out->counters, value);
	}
}

bool supervised_held(struct str status, const char *name)
{
	struct str line;

	while (next_line(&status, &line)) {
		size_t n = strlen("program "), m = strlen(name);

		if (line.n > n + m + 6 && memcmp(line.p, "program ", n) == 0 &&
		    memcmp(line.p + n, name, m) == 0 && memcmp(line.p + n + m, " held ", 6) == 0)
			return true;
	}
	return false;
}

const char *peer_word(char out[16], const char *peer, int64_t *since_ms)
{
	size_t n = strcspn(peer, " ");

	*since_ms = 0;
	if (str_copy(out, 16, (struct str){peer, n}) < 0)
		snprintf(out, 16, "unknown");
	/* The number is the last word, whatever stands between. */
	if (strrchr(peer, ' '))
		str_int(str_of(strrchr(peer, ' ') + 1), 0, INT64_MAX, since_ms);
	return out;
}

static bool next_line(struct str *text, struct str *line)
{
	const char *end = text->n ? memchr(text->p, '\n', text->n) : NULL;

	if (text->n == 0)
		return false;
	*line = (struct str){text->p, end ? (size_t)(end - text->p) : text->n};
	text->p += line->n + (end ? 1 : 0);
	text->n -= line->n + (end ? 1 : 0);
	return true;
}

static void look_at_programs(struct health *h, const struct cli *c)
{
	struct str list = str_of(c->conf.run.programs), supervisor = {NULL, 0};
	char name[CLI_PROGRAM];
	struct buf text;

	buf_init(&text, STATUS_FILE_MAX);
	if (read_status(c, "qiao", &text) == 0)
		supervisor = (struct str){(const char *)text.data, text.len};
	while (h->program_count < HEALTH_PROGRAMS && cli_next_program(&list, name) > 0) {
		struct program_health *p = &h->programs[h->program_count++];

		str_copy(p->name, sizeof p->name, str_of(name));
		p->role = strncmp(p->name, "qiao-", 5) == 0 ? p->name + 5 : p->name;
		look_at_program(p, c, supervisor);
	}
	buf_fini(&text);
}

static void look_at_program(struct program_health *p, const struct cli *c, struct str supervisor)
{
	struct buf text;

	buf_init(&text, STATUS_FILE_MAX);
	if (read_status(c, p->role, &text) == 0)
		role_status_parse(&p->status, (struct str){(const char *)text.data, text.len});
	buf_fini(&text);
	p->alive = p->status.there && is_alive(p->status.pid, p->name);
	p->state = p->status.state;
	if (!p->status.there)
		p->state = "unknown";
	else if (!p->alive && strcmp(p->state, "stopped") != 0 && strcmp(p->state, "failed") != 0)
		p->state = "killed"; /* it had no time to say that it ends */
	if (!p->alive && supervised_held(supervisor, p->name))
		p->state = "held";
}

static int read_status(const struct cli *c, const char *role, struct buf *text)
{
	char name[CLI_PROGRAM + 16], path[CONF_PATH];

	snprintf(name, sizeof name, "run/%s.status", role);
	return cli_path(c, path, name, NULL) < 0 ? -1 : fs_read(path, text, NULL);
}

/* A number alone may belong to another process by now; its name is asked for where it can be read.
 * */
static bool is_alive(int64_t pid, const char *name)
{
	char path[64], comm[64] = "";
	FILE *f;

	if (pid <= 0 || (kill((pid_t)pid, 0) < 0 && errno != EPERM))
		return false;
	snprintf(path, sizeof path, "/proc/%" PRId64 "/comm", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return true;
	if (fgets(comm, sizeof comm, f) == NULL)
		comm[0] = '\0';
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	return strncmp(comm, name, 15) == 0; /* the kernel keeps so many characters */
}

static void look_at_bus(struct health *h, const struct cli *c)
{
	char dir[CONF_PATH];
	struct err e = {0};

	if (cli_path(c, dir, "bus", &e) < 0 ||
	    bus_lags(&(struct bus_options){.dir = dir, .role = "qiao", .conf = &c->conf}, h->lags, HEALTH_LAGS, &h->lag_count, &e) < 0) {
		str_copy(h->lag_error, sizeof h->lag_error, str_of(e.text));
		h->lag_count = 0;
	}
	for (int i = 0; i < h->lag_count; i++) {
		if (strncmp(h->lags[i].topic, "rejects.", 8) == 0)
			h->rejects += h->lags[i].end;
	}
}

static int keep_stop(void *arg, const struct flow_stop *s)
{
	struct health *h = arg;

	if (h->stop_count == HEALTH_STOPS)
		return 1;
	h->stops[h->stop_count++] = *s;
	return 0;
}

/* A ledger that cannot be read is told by the gateway that cannot start. */
static void look_at_ledger(struct health *h, const char *ledger)
{
	struct ledger_view *v;
	struct view_adopted adopted;
	int64_t n;

	if (view_open(&v, ledger, NULL) != 0)
		return;
	n = view_differences(v) + view_strangers(v);
	h->differences = n > 0 ? n : 0;
	if (view_adopted_sum(v, 0, (struct str){0}, &adopted, NULL) == 0 && !adopted.going)
		h->adopted = adopted.count;
	n = view_rejects_settled(v);
	h->rejects = n < 0 ? h->rejects : h->rejects > n ? h->rejects - n : 0;
	(void)view_stops(v, keep_stop, h, NULL);
	view_close(v);
}

static int64_t count_refused(const struct cli *c)
{
	char dir[CONF_PATH];
	struct dirent *it;
	int64_t count = 0;
	DIR *d = cli_path(c, dir, "refused", NULL) == 0 ? opendir(dir) : NULL;

	while (d && (it = readdir(d))) {
		size_t n = strlen(it->d_name);

		count += n > 7 && strcmp(it->d_name + n - 7, ".reason") == 0;
	}
	if (d)
		closedir(d);
	return count;
}

static void look_at_disk(struct health *h, const struct cli *c)
{
	struct statvfs fs;

	if (statvfs(c->conf.data.dir, &fs) < 0)
		return; /* not made yet */
	h->disk_free = (int64_t)(fs.f_bavail * fs.f_frsize);
	h->disk_total = (int64_t)(fs.f_blocks * fs.f_frsize);
}

static int look_at_year(struct health *h, const struct cli *c, struct err *e)
{
	struct complaints *why = calloc(1, sizeof *why);
	const struct policy *policy;
	struct reference *r = NULL;
	struct clock clock;
	int rc = -1, month, day;

	if (why == NULL) {
		err_set(e, ERR_TEMP, "out of memory");
		goto out;
	}
	if (clock_init(&clock, c->conf.clock.file, e) < 0)
		goto out;
	h->now_ms = clock_now(&clock);
	date_split(date_of_time(h->now_ms), &h->year, &month, &day);
	rc = 0;
	if (reference_load(&r, &c->conf, why) < 0) {
		rc = err_set(e, ERR_CONF, "%s (all errors: qiao check)", why->at[0].text);
		goto out;
	}
	policy = reference_policy(r, h->year);
	if (policy == NULL)
		goto out;
	h->last_filing_day = policy->last_filing_day;
	h->days_left = policy->last_filing_day - date_of_time(h->now_ms);
out:
	reference_free(r);
	free(why);
	return rc;
}

static void judge_program(struct health *h, const struct program_health *p)
{
	int64_t since, now = clock_wall();
	char word[16], text[40];

	if (!p->alive)
		must(h,
		     strcmp(p->state, "failed") == 0 ? "todo_failed"
		     : strcmp(p->state, "held") == 0 ? "todo_held"
						     : "todo_start",
		     p->name, p->status.note);
	else if ((strcmp(p->state, "running") == 0 || strcmp(p->state, "standby") == 0) &&
		 now - p->status.at_ms > SILENT_MS)
		must(h, "todo_silent", p->name, "");
	if (!p->alive || p->status.peer[0] == '\0')
		return;
	if (strcmp(peer_word(word, p->status.peer, &since), "open") == 0) {
		snprintf(text, sizeof text, "?");
		if (since > 0)
			time_text(text, since);
		text[strcspn(text, ".")] = '\0';
		must(h, "todo_peer", p->role, text);
	}
}

static void judge_lags(struct health *h)
{
	for (int i = 0; i < h->lag_count; i++) {
		const struct bus_lag *lag = &h->lags[i];
		int64_t age = h->now_ms - lag->oldest_unread_ms;

		if (lag->oldest_unread_ms > 0 && age > LAG_MS && should_read(h, lag->group) && !is_stopped(h, lag))
			must(h, "todo_lag", lag->group, lag->topic);
	}
}

/* It has a line of its own. */
static bool is_stopped(const struct health *h, const struct bus_lag *lag)
{
	for (int i = 0; i < h->stop_count; i++)
		if (strcmp(h->stops[i].topic, lag->topic) == 0 && strcmp(lag->group, "gateway") == 0)
			return true;
	return false;
}

/* A reader that does not run has its own line already, unless its stand-by reads in its place. Where both wait, none does, and no
 * line tells of it but this. */
static bool should_read(const struct health *h, const char *group)
{
	int at_work = 0, wait = 0, down = 0;

	for (int i = 0; i < h->program_count; i++) {
		const struct program_health *p = &h->programs[i];

		if (!is_reader(p->role, group))
			continue;
		if (!p->alive)
			down++;
		else if (strcmp(p->state, "standby") == 0)
			wait++;
		else
			at_work++;
	}
	return at_work > 0 || (wait > 0 && down == 0);
}

/* "tax" for the group tax; "gateway" and "gateway-standby" for the gateway's. */
static bool is_reader(const char *role, const char *group)
{
	size_t n = strlen(group);

	return strncmp(role, group, n) == 0 &&
	       (role[n] == '\0' || strcmp(role + n, "-standby") == 0);
}

static void judge_place(struct health *h)
{
	char number[48];
	int year, month, day;

	if (h->lag_error[0])
		must(h, "todo_bus", h->lag_error, "");
	for (int i = 0; i < h->stop_count; i++) {
		snprintf(number, sizeof number, "%" PRId64 "/%" PRId64, h->stops[i].rejected, h->stops[i].seen);
		must(h, "todo_stopped", h->stops[i].topic, number);
	}
	if (h->rejects > 0) {
		snprintf(number, sizeof number, "%" PRId64, h->rejects);
		must(h, "todo_rejects", number, "");
	}
	if (h->adopted > 0) {
		snprintf(number, sizeof number, "%" PRId64, h->adopted);
		must(h, "todo_adopted", number, "");
	}
	if (h->differences > h->adopted) {
		snprintf(number, sizeof number, "%" PRId64, h->differences - h->adopted);
		must(h, "todo_differences", number, "");
	}
	if (h->disk_total > 0 && h->disk_free < DISK_FREE_MIN) {
		snprintf(number, sizeof number, "%" PRId64, h->disk_free >> 20);
		must(h, "todo_disk", number, "");
	}
	date_split(date_of_time(h->now_ms), &year, &month, &day);
	if (h->last_filing_day == DATE_NONE && month >= SEASON_MONTH) {
		snprintf(number, sizeof number, "%d", year);
		must(h, "todo_policy", number, "");
	}
}

static void must(struct health *h, const char *code, const char *arg, const char *more)
{
	struct todo *t = &h->todos[h->todo_count];

	if (h->todo_count == HEALTH_TODOS)
		return;
	h->todo_count++;
	str_copy(t->code, sizeof t->code, str_of(code));
	str_copy(t->args[0], sizeof t->args[0], str_of(arg));
	str_copy(t->args[1], sizeof t->args[1], str_of(more));
}
