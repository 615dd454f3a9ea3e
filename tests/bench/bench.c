/* bench ROWS [TIMES [intake|cycle]]: the whole way, measured with ROWS rows and with TIMES (10)
 * times as many. Real programs in a world of their own (tests/lib/world.h), durability on, simulated
 * agencies; settings as shipped, but for shorter pauses. With BUS=kafka the cycle only, on the broker
 * that QIAO_KAFKA names; intake there is bench_kafka.c's.
 *
 *   intake  qiao-village alone. One roster with all rows is put into place; the clock runs until
 *           its SubmissionClosed can be read from the bus, that is until every row is checked,
 *           sealed, encoded and durable. Beside it a bare loop that appends as many bytes a row to
 *           one SQLite file with the same durability.
 *   cycle   all programs. Rosters of 5,000 rows with their covers are put into place at once; the
 *           clock runs until the ledger's statistics say that every payment is credited. CPU is
 *           taken when nothing moves any more (the last answer files are written), and only counts
 *           if the statement adds up then.
 *
 * The bureau's feed shows the most that its interface allows (02, 03 and 04 of every payment); with
 * FEED=settled in the environment the least (no 02, which the batch's answer told already).
 *
 * A line a figure on stdout, "FIGURE name value unit"; names of the larger size end in _10x.
 * Progress on stderr. */
#include "base/clock.h"
#include "base/fs.h"
#include "store/store.h"
#include "tests/lib/books.h"
#include "tests/lib/load.h"
#include "tests/lib/world.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	PACKAGE = 5000,
	SEED = 2026,
	BARE_BATCH = 4096,
	LOOK_MS = 20,
	TELL_MS = 2000
};
/* Patience: far below any speed that is worth measuring. */
/* Between two looks the feeds bring a few events without news. */
enum { PATIENCE_MS = 60000, ROWS_A_SECOND = 200, QUIET_LOOKS = 25, QUIET_LOOK_MS = 40, FEED_EVENTS = 12 };

struct bench {
	int64_t rows;
	const char *suffix; /* of the figures' names */
	int64_t began_ms, told_ms;
	int64_t peak_kib[PARTS]; /* the larger one of intake and cycle */
	int64_t ready_us[PARTS]; /* CPU before the first row */
};

/* Pauses of an operator who is in a hurry; what is waited for and asked again is as shipped. */
static const struct setting settings[] = {
	{"bus", "poll_max", "20ms"},
	{"gateway", "enquiry_timeout", "10m"},
	{"gateway", "doubt_enquiry", "1m"},
	{"gateway", "answer_timeout", "1h"},
	{"gateway", "incomplete_after", "1h"},
	{"village", "poll", "250ms"},
	{"village", "answer_interval", "2s"},
	{"tax", "feed_interval", "50ms"},
	{"tax", "timeout", "30s"},
	{"tax", "settlement_delay", "10m"},
	{"ssa", "feed_interval", "50ms"},
	{"ssa", "timeout", "30s"},
	{NULL, NULL, NULL},
};
static const struct setting intake_settings[] = {
	{"village", "poll", "20ms"},
	{"village", "file_bytes_max", "1GiB"},
	{"village", "rows_max", "10000000"},
	{NULL, NULL, NULL},
};
static const enum part product[] = {GATEWAY, VILLAGE, TAX, SSA};
static const char *const product_names[] = {"gateway", "village", "tax", "ssa"};

static int measure(int64_t rows, const char *suffix, const char *only, double *sum_us,
		   struct err *e);
static int intake(struct bench *b, struct err *e);
static int cycle(struct bench *b, double *sum_us, struct err *e);

int main(int argc, char **argv)
{
	double first = 0, second = 0;
	int64_t rows, times = 10;
	const char *only = argc > 3 ? argv[3] : "";
	struct err e = {0};

	if (argc < 2 || argc > 4 || str_int(str_of(argv[1]), 1, 10000000, &rows) < 0 ||
	    (argc > 2 && str_int(str_of(argv[2]), 1, 100, &times) < 0) ||
	    (only[0] && strcmp(only, "intake") != 0 && strcmp(only, "cycle") != 0)) {
		fprintf(stderr, "usage: bench ROWS [TIMES [intake|cycle]]\n");
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (measure(rows, "", only, &first, &e) < 0 ||
	    (times > 1 && measure(rows * times, "_10x", only, &second, &e) < 0)) {
		fprintf(stderr, "bench: %s\n", e.text);
		return err_exit(&e);
	}
	if (first > 0 && second > 0)
		printf("FIGURE cost_growth_10x %.2f ratio\n", second / first);
	return EXIT_YES;
}

static void figure(const struct bench *b, const char *name, const char *of, double value,
		   const char *unit)
{
	printf("FIGURE %s%s%s %.2f %s\n", name, of, b->suffix, value, unit);
}

static int measure(int64_t rows, const char *suffix, const char *only, double *sum_us,
		   struct err *e)
{
	struct bench b = {.rows = rows, .suffix = suffix};

	if (strcmp(only, "cycle") != 0 && !on_kafka() && intake(&b, e) < 0)
		return err_wrap(e, "intake");
	if (strcmp(only, "intake") != 0 && cycle(&b, sum_us, e) < 0)
		return err_wrap(e, "cycle");
	for (int i = 0; i < 4; i++)
		if (b.peak_kib[product[i]])
			figure(&b, "peak_mib_", product_names[i],
			       (double)b.peak_kib[product[i]] / 1024, "MiB");
	return 0;
}

/* ---- waiting ---- */

static void tell(struct bench *b, const char *what, int64_t done)
{
	int64_t now = clock_monotonic();

	if (now - b->told_ms < TELL_MS)
		return;
	b->told_ms = now;
	fprintf(stderr, "bench: %" PRId64 " s: %s: %" PRId64 " of %" PRId64 "\n",
		(now - b->began_ms) / 1000, what, done, b->rows);
}

static void tell_written(void *arg, int64_t rows)
{
	tell(arg, "rosters written", rows);
}

static void begin(struct bench *b)
{
	b->began_ms = b->told_ms = clock_monotonic();
}

/* Calls look until it gives the number of rows, at most for a time that fits the rows. */
typedef int64_t look_fn(void *arg, struct err *e); /* -1 failed */
static int await(struct bench *b, struct world *w, const char *what, look_fn *look, void *arg,
		 struct err *e)
{
	int64_t until = clock_monotonic() + PATIENCE_MS + b->rows * 1000 / ROWS_A_SECOND, done;

	while ((done = look(arg, e)) != b->rows) {
		if (done < 0)
			return -1;
		if (clock_monotonic() > until)
			return err_set(e, ERR_TEMP, "%s: only %" PRId64 " rows of %" PRId64, what,
				       done, b->rows);
		for (int p = 0; p < PARTS; p++)
			if (w->parts[p].pid > 0 && !world_alive(w, (enum part)p))
				return err_set(e, ERR_TEMP, "%s ended by itself with %d",
					       part_name((enum part)p), w->parts[p].status);
		tell(b, what, done);
		poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

static int stop(struct bench *b, struct world *w, struct err *e)
{
	static const enum part order[] = {VILLAGE, TAX, SSA, GATEWAY, SIM_TAX, SIM_SSA};
	int rc = 0;

	for (int i = 0; i < 6; i++) {
		struct world_part *part = &w->parts[order[i]];
		bool ran = part->pid > 0;
		int status = world_stop(w, order[i]);

		if (ran && status != 0)
			rc = err_set(e, ERR_TEMP, "%s ended with %d", part_name(order[i]), status);
		if (part->peak_kib > b->peak_kib[order[i]])
			b->peak_kib[order[i]] = part->peak_kib;
	}
	return rc;
}

/* ---- intake ---- */

struct topic_end {
	struct bus *bus;
	int64_t rows;
};
/* All rows once the roster's end is there: the events are opened, rows, closed. */
static int64_t closed(void *arg, struct err *e)
{
	struct topic_end *t = arg;
	struct bus_record r;
	int rc = bus_last(t->bus, "submissions", 0, &r, e);

	if (rc <= 0)
		return rc;
	return str_is(r.event.type, "SubmissionClosed") ? r.offset - 1
	       : r.offset < t->rows			? r.offset
							: t->rows - 1;
}

/* What a row's event carries, its key, ids and time included. */
static int event_bytes(struct bus *bus, int64_t *bytes, struct err *e)
{
	struct bus_position start = {0};
	const struct bus_record *at;
	struct bus_reader *r = NULL;
	int64_t sum = 0, count = 0;
	int n;

	if (bus_reader_open(bus, &r, "submissions", NULL, e) < 0)
		return -1;
	if ((n = bus_seek(r, &start, 1, e)) == 0)
		while ((n = bus_read(r, BARE_BATCH, &at, e)) > 0)
			for (int i = 0; i < n; i++, count++)
				sum += (int64_t)(at[i].event.key.n + at[i].event.data.n) +
				       2 * ID_LEN + 8;
	bus_reader_close(r);
	*bytes = count ? sum / count : 0;
	return n;
}

static double own_cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return ((double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec) * 1e6 +
	       (double)u.ru_utime.tv_usec + (double)u.ru_stime.tv_usec;
}

/* The bare client: a row an event, durable every 4096. Gives rows a second, and CPU a row. */
static int bare(const struct bench *b, const struct world *w, int64_t bytes, double *rate,
		double *cpu_us, struct err *e)
{
	static const char *const steps[] = {
		"CREATE TABLE event(place INTEGER PRIMARY KEY, body BLOB NOT NULL)"};
	static const struct store_kind kind = {"bare", 0x62617265, steps, 1};
	static const struct store_options options = {.flags = STORE_CREATE};
	struct store *s = NULL;
	struct stmt *add;
	char path[512], *body = calloc(1, (size_t)bytes + 1);
	int64_t began = clock_monotonic(), took;
	double cpu = own_cpu_us();
	int rc = -1;

	if (!body || store_open(&s, world_path(w, path, "bare.db"), &kind, &options, e) < 0 ||
	    store_prepare(s, &add, "INSERT INTO event(body) VALUES(?1)", e) < 0)
		goto out;
	for (int64_t i = 0; i < b->rows; i++) {
		if (i % BARE_BATCH == 0 && store_begin(s, e) < 0)
			goto out;
		stmt_blob(add, 1, body, (size_t)bytes);
		if (stmt_run(add, e) < 0 ||
		    ((i % BARE_BATCH == BARE_BATCH - 1 || i == b->rows - 1) &&
		     store_commit(s, e) < 0))
			goto out;
	}
	took = clock_monotonic() - began;
	*rate = (double)b->rows * 1000 / (double)(took > 0 ? took : 1);
	*cpu_us = (own_cpu_us() - cpu) / (double)b->rows;
	rc = 0;
out:
	store_close(s);
	free(body);
	return rc;
}

static int intake_in(struct bench *b, struct world *w, struct topic_end *t, struct err *e)
{
	const struct load load = {SEED, b->rows, b->rows, false};
	struct bus_options options = {.role = "bench"};
	char dir[512];
	int64_t began, took, cpu, bytes;
	double rate, bare_rate, bare_cpu;

	options.dir = world_path(w, dir, "data/bus");
	if (world_found(w, e) < 0 || stop(b, w, e) < 0 ||
	    load_write(&load, w, tell_written, b, e) < 0 || bus_open(&t->bus, &options, e) < 0 ||
	    world_start(w, VILLAGE, e) < 0)
		return -1;
	cpu = world_cpu_us(w, VILLAGE);
	began = clock_monotonic();
	if (load_drop(&load, w, e) < 0 || await(b, w, "rows on the bus", closed, t, e) < 0)
		return -1;
	took = clock_monotonic() - began;
	cpu = world_cpu_us(w, VILLAGE) - cpu;
	if (stop(b, w, e) < 0 || event_bytes(t->bus, &bytes, e) < 0 ||
	    bare(b, w, bytes, &bare_rate, &bare_cpu, e) < 0)
		return -1;
	rate = (double)b->rows * 1000 / (double)(took > 0 ? took : 1);
	figure(b, "intake_rows_per_s", "", rate, "rows/s");
	figure(b, "intake_cpu_us_per_row", "", (double)cpu / (double)b->rows, "us");
	figure(b, "intake_bytes_per_row", "", (double)bytes, "B");
	figure(b, "bare_sqlite_rows_per_s", "", bare_rate, "rows/s");
	figure(b, "bare_sqlite_cpu_us_per_row", "", bare_cpu, "us");
	figure(b, "intake_ratio_to_bare_sqlite", "", rate / bare_rate, "ratio");
	return 0;
}

static int intake(struct bench *b, struct err *e)
{
	struct world_options o = {.day = "2026-12-24", .settings = intake_settings};
	struct topic_end t = {NULL, b->rows};
	struct world w;
	int rc;

	begin(b);
	rc = world_open(&w, &o, e) < 0 ? -1 : intake_in(b, &w, &t, e);
	if (t.bus)
		bus_close(t.bus);
	world_close(&w);
	return rc;
}

/* ---- cycle ---- */

static int64_t credited(void *arg, struct err *e)
{
	return load_credited(arg, e);
}

static int waiting_events(const struct world *w, int64_t *events, struct err *e)
{
	static struct bus_lag lags[256];
	struct bus_options options = which_bus_options(&w->bus, "qiao");
	int count;

	*events = 0;
	if (bus_lags(&options, lags, 256, &count, e) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		*events += lags[i].end - lags[i].next;
	return 0;
}

/* Until every event is read, and then nobody uses more CPU than looking around takes: the last
 * answer files are written. */
static int settle(struct bench *b, struct world *w, struct err *e)
{
	int64_t until = clock_monotonic() + PATIENCE_MS + b->rows * 1000 / ROWS_A_SECOND,
		events = 0, last = 0, last_ms = clock_monotonic();
	int quiet = 0;

	while (quiet < QUIET_LOOKS) {
		int64_t cpu = 0, now, looks;

		if (waiting_events(w, &events, e) < 0)
			return -1;
		for (int i = 0; i < 4; i++)
			cpu += world_cpu_us(w, product[i]);
		now = clock_monotonic();
		looks = 1 + (now - last_ms) / (2 * QUIET_LOOK_MS);
		/* A tick of 10 ms in two looks: a program that writes an answer file takes all of it. */
		quiet = events <= FEED_EVENTS && cpu - last <= looks * 10000 ? quiet + 1 : 0;
		last = cpu;
		last_ms = now;
		if (clock_monotonic() > until)
			return err_set(e, ERR_TEMP, "no rest: %" PRId64 " events unread", events);
		tell(b, "settling, events unread", events);
		poll(NULL, 0, QUIET_LOOK_MS);
	}
	return 0;
}

static int check_statement(struct bench *b, struct world *w, struct err *e)
{
	struct statement_read s;
	bool good;

	if (statement_read(&s, w, e) < 0)
		return -1;
	good = s.status == 0 && s.adds_up && statement_total(&s, "credited").count == b->rows &&
	       statement_total(&s, "declared").count == b->rows;
	statement_free(&s);
	return good ? 0
		    : err_set(e, ERR_PERM,
			      "the statement does not add up, or not to %" PRId64 " payments",
			      b->rows);
}

/* Of the files in a folder and in the folders in it. No stat(): the ledger has a struct stat. */
static int64_t folder_bytes(const char *path, int depth)
{
	DIR *list = opendir(path);
	int64_t sum = 0;
	struct dirent *at;

	while (list && (at = readdir(list)) != NULL) {
		char name[900];
		FILE *f;

		if (at->d_name[0] == '.' || fs_join(name, sizeof name, path, at->d_name) < 0)
			continue;
		if (at->d_type == DT_DIR && depth > 0)
			sum += folder_bytes(name, depth - 1);
		if (at->d_type != DT_REG || (f = fopen(name, "re")) == NULL)
			continue;
		if (fseek(f, 0, SEEK_END) == 0)
			sum += ftell(f);
		fclose(f);
	}
	if (list)
		closedir(list);
	return sum;
}

static double folder_mib(const struct world *w, const char *name)
{
	char path[512];

	return (double)folder_bytes(world_path(w, path, name), 1) / (1 << 20);
}

static double tell_cpu(const struct bench *b, const struct world *w)
{
	const struct world_part *parts = w->parts;
	double sum = 0, rows = (double)b->rows;

	for (int i = 0; i < 4; i++) {
		double us = (double)(parts[product[i]].cpu_us - b->ready_us[product[i]]) / rows;

		figure(b, "cpu_us_per_payment_", product_names[i], us, "us");
		sum += us;
	}
	figure(b, "cpu_us_per_payment_sum", "", sum, "us");
	figure(b, "cpu_us_per_payment_agencies", "",
	       (double)(parts[SIM_TAX].cpu_us + parts[SIM_SSA].cpu_us - b->ready_us[SIM_TAX] -
			b->ready_us[SIM_SSA]) /
		       rows,
	       "us");
	return sum;
}

static int64_t broker_cpu_us(void)
{
	const char *pid = getenv("QIAO_KAFKA_PID");

	return on_kafka() && pid ? process_cpu_us((pid_t)strtol(pid, NULL, 10)) : 0;
}

static int cycle_in(struct bench *b, struct world *w, double *sum_us, struct err *e)
{
	const struct load load = {SEED, b->rows, PACKAGE, true};
	int64_t began, took, answered, broker;

	if (world_found(w, e) < 0 || load_write(&load, w, tell_written, b, e) < 0 ||
	    world_start_four(w, e) < 0)
		return -1;
	for (int p = 0; p < PARTS; p++)
		b->ready_us[p] = world_cpu_us(w, (enum part)p);
	broker = broker_cpu_us();
	began = clock_monotonic();
	if (load_drop(&load, w, e) < 0 || await(b, w, "credited", credited, w, e) < 0)
		return -1;
	took = clock_monotonic() - began;
	if (settle(b, w, e) < 0)
		return -1;
	answered = clock_monotonic() - began;
	if (check_statement(b, w, e) < 0 || stop(b, w, e) < 0)
		return -1;
	figure(b, "cycle_payments_per_s", "",
	       (double)b->rows * 1000 / (double)(took > 0 ? took : 1), "payments/s");
	figure(b, "cycle_s", "", (double)took / 1000, "s");
	figure(b, "cycle_answered_s", "", (double)answered / 1000, "s");
	*sum_us = tell_cpu(b, w);
	if (on_kafka())
		figure(b, "cpu_us_per_payment_broker", "", (double)(broker_cpu_us() - broker) / (double)b->rows, "us");
	else
		figure(b, "disk_mib_bus", "", folder_mib(w, "data/bus"), "MiB");
	figure(b, "disk_mib_ledger", "", folder_mib(w, "data/gateway"), "MiB");
	return 0;
}

static int cycle(struct bench *b, double *sum_us, struct err *e)
{
	static const char *const ssa[] = {"--everyone-paid", "2026", NULL};
	static const char *const tax[] = {"--feed", "settled", NULL};
	const char *feed = getenv("FEED");
	struct world_options o = {.day = "2026-12-24", .settings = settings, .ssa_args = ssa};
	struct world w;
	int rc;

	if (feed && strcmp(feed, "settled") == 0)
		o.tax_args = tax;
	begin(b);
	rc = world_open(&w, &o, e) < 0 ? -1 : cycle_in(b, &w, sum_us, e);
	world_close(&w);
	return rc;
}
