#include "tests/lib/adapter_rig.h"
#include "crypto/audit.h"
#include "base/clock.h"
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

static void write_conf(struct rig *r, const char *settings);
static void open_bus(struct rig *r);
static void close_bus(struct rig *r);
static void program(char out[600], const char *name);
static void root_of(char out[600]);
static void become_adapter(struct rig *r, int ready_fd);
static int spawn(struct rig *r);
static int await_end(struct rig *r);
static int shares_given(const struct rig *r, const char *topic);

void rig_open(struct rig *r, const char *role, const char *settings, const char *const *sim_args)
{
	struct err e = {0};
	char data[320], keys[320];
	struct bus_options o;
	int n = 0;

	*r = (struct rig){.role = role};
	tmpdir_make(&r->dir);
	tmpdir_file(&r->dir, data, "data");
	tmpdir_file(&r->dir, r->conf, "qiao.ini");
	tmpdir_file(&r->dir, r->book, "book.db");
	tmpdir_file(&r->dir, r->faults, "faults");
	tmpdir_file(&r->dir, r->extra, "extra.csv");
	tmpdir_file(&r->dir, keys, "keys");
	r->sim_program = strcmp(role, "tax") == 0 ? "sim-tax" : "sim-ssa";
	r->adapter_program = strcmp(role, "tax") == 0 ? "qiao-tax" : "qiao-ssa";
	rig_faults(r, "");
	r->sim_args[n++] = "--book";
	r->sim_args[n++] = r->book;
	r->sim_args[n++] = "--faults-file";
	r->sim_args[n++] = r->faults;
	for (int i = 0; sim_args && sim_args[i] && i < RIG_ARGS; i++)
		r->sim_args[n++] = sim_args[i];
	if (sim_start(&r->sim, r->sim_program, r->sim_args, 0, &e) != 0 ||
	    which_bus_open(&r->which, data, &e) != 0)
		fail_msg("%s", e.text);
	write_conf(r, settings);
	if (fs_mkdirs(data, &e) != 0 || keygen(keys, 2024, 2030, &e) != 0 ||
	    keyring_open(&r->keys, keys, "village", false, &e) != 0)
		fail_msg("%s", e.text);
	o = which_bus_options(&r->which, "qiao");
	if (bus_init(&o, &e) != 0 || codec_open(&r->codec, NULL, &e) != 0)
		fail_msg("%s", e.text);
	open_bus(r);
	buf_init(&r->body, 1 << 20);
	buf_init(&r->sealed, 1 << 12);
}

void rig_backup(struct rig *r, const char *name)
{
	char from[320], to[320];
	struct err e = {0};

	tmpdir_file(&r->dir, from, "data/bus");
	tmpdir_file(&r->dir, to, name);
	if (bus_backup(&(struct bus_options){.dir = from}, to, r->seq, &e) != 0)
		fail_msg("%s", e.text);
}

void rig_restore(struct rig *r, const char *name)
{
	char from[320], to[320];
	struct err e = {0};

	assert_int_equal(r->adapter, 0);
	close_bus(r);
	tmpdir_file(&r->dir, from, name);
	tmpdir_file(&r->dir, to, "data/bus");
	if (fs_remove_tree(to, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(rename(from, to), 0);
	open_bus(r);
}

void rig_close(struct rig *r)
{
	if (r->adapter > 0)
		rig_adapter_kill(r);
	sim_stop(&r->sim, SIGTERM, NULL);
	close_bus(r);
	which_bus_close(&r->which);
	codec_close(r->codec);
	keyring_free(r->keys);
	buf_fini(&r->body);
	buf_fini(&r->sealed);
	tmpdir_remove(&r->dir);
}

void rig_adapter_start(struct rig *r)
{
	const char *topic = strcmp(r->role, "tax") == 0 ? "payments" : "enquiries";
	char said[6] = "";
	int shares = shares_given(r, topic);
	struct pollfd p = {.fd = spawn(r), .events = POLLIN};

	if (poll(&p, 1, PATIENCE_MS) != 1 || read(p.fd, said, sizeof said) != 6)
		fail_msg("%s did not become ready", r->adapter_program);
	close(p.fd);
	/* What lies on the topic before it has its share was perhaps sent by an earlier life. */
	for (int64_t start = clock_monotonic(); on_kafka() && shares_given(r, topic) == shares;)
		rig_look_again(start);
}

/* Gives the descriptor on which it says that it is ready. */
static int spawn(struct rig *r)
{
	pid_t parent = getpid();
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	r->adapter = fork();
	assert_true(r->adapter >= 0);
	if (r->adapter == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			become_adapter(r, fd[1]);
		_exit(99);
	}
	r->starts++;
	close(fd[1]);
	return fd[0];
}

/* How often a reader's group was given partitions, by the log; 0 on the local bus, where they are
 * its own. */
static int shares_given(const struct rig *r, const char *topic)
{
	char path[400], wanted[200];
	struct buf log;
	int n = 0;

	if (!on_kafka())
		return 0;
	snprintf(path, sizeof path, "%s/logs/%s.log", r->dir.path, r->adapter_program);
	snprintf(wanted, sizeof wanted, " BUS-SHARE group=%s%s.%s ", r->which.prefix, r->role,
		 topic);
	buf_init(&log, 256 << 20);
	if (fs_read(path, &log, NULL) == 0)
		for (const char *at = buf_text(&log); (at = strstr(at, wanted)); at++)
			n++;
	buf_fini(&log);
	return n;
}

void rig_adapter_kill(struct rig *r)
{
	int status;

	/* One that ended before, by a bug or a sanitizer, must not pass for one that we killed. */
	if (waitpid(r->adapter, &status, WNOHANG) != 0)
		fail_msg("%s ended by itself: status %x, see %s/stderr and logs",
			 r->adapter_program, status, r->dir.path);
	kill(r->adapter, SIGKILL);
	waitpid(r->adapter, NULL, 0);
	r->adapter = 0;
}

int rig_adapter_stop(struct rig *r)
{
	kill(r->adapter, SIGTERM);
	return await_end(r);
}

int rig_adapter_ends(struct rig *r)
{
	int fd = spawn(r), status = await_end(r);

	close(fd);
	return status;
}

static int await_end(struct rig *r)
{
	int status;

	for (int64_t start = clock_monotonic();
	     waitpid(r->adapter, &status, WNOHANG) != r->adapter;)
		rig_look_again(start);
	r->adapter = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void rig_sim_restart(struct rig *r)
{
	struct err e = {0};
	int port = r->sim.port;

	sim_stop(&r->sim, SIGKILL, NULL);
	if (sim_start(&r->sim, r->sim_program, r->sim_args, port, &e) != 0)
		fail_msg("%s", e.text);
}

void rig_faults(struct rig *r, const char *spec)
{
	struct err e = {0};

	if (fs_write_atomic(r->faults, spec, strlen(spec), 0600, &e) != 0)
		fail_msg("%s", e.text);
}

int64_t rig_book(struct rig *r, const char *key, const char *inner)
{
	const char *args[] = {"--book", r->book, "--report", "json", NULL};
	struct err e = {0};
	struct buf text;
	json_t *report, *v;
	int64_t n;

	buf_init(&text, 1 << 20);
	if (sim_run(r->sim_program, args, &text, &e) != 0)
		fail_msg("no report: %s", e.text);
	report = json_loads(buf_text(&text), 0, NULL);
	assert_non_null(report);
	v = json_object_get(report, key);
	n = json_integer_value(inner ? json_object_get(v, inner) : v);
	json_decref(report);
	buf_fini(&text);
	return n;
}

void rig_status(struct rig *r, const char *key, char *out, size_t cap)
{
	char path[400], line[4096];
	FILE *f;

	out[0] = '\0';
	snprintf(path, sizeof path, "%s/data/run/%s.status", r->dir.path, r->role);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f)) {
		size_t n = strlen(key);

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			snprintf(out, cap, "%s", line + n + 1);
	}
	if (f)
		fclose(f);
}

struct audited {
	const char *purpose;
	int64_t count;
};

static int audited_record(void *arg, const struct audit_record *r)
{
	struct audited *a = arg;

	a->count += str_is(r->purpose, a->purpose) ? r->count : 0;
	return 0;
}

static void audited_fault(void *arg, const char *file, int line, enum audit_fault fault)
{
	(void)arg;
	(void)fault;
	fail_msg("%s:%d: the chain is broken", file, line);
}

int64_t rig_audited(struct rig *r, const char *purpose)
{
	struct audited a = {purpose, 0};
	const struct audit_visitor v = {audited_record, audited_fault, NULL, &a};
	struct err e = {0};
	char data[320];

	if (audit_read(tmpdir_file(&r->dir, data, "data"), r->role, &v, &e) != 0)
		fail_msg("%s", e.text);
	return a.count;
}

int64_t rig_counter(struct rig *r, const char *name)
{
	char all[4000], wanted[80];
	const char *at;

	rig_status(r, "counters", all, sizeof all);
	snprintf(wanted, sizeof wanted, " %s=", name);
	at = strstr(all, wanted);
	if (!at && strncmp(all, wanted + 1, strlen(wanted) - 1) == 0)
		at = all - 1;
	return at ? strtoll(at + strlen(wanted), NULL, 10) : -1;
}

void rig_person(struct rig *r, uint32_t i, struct id *token, struct str *identity)
{
	struct invented p;
	struct err e = {0};

	invented_at(&p, RIG_SEED, i);
	token_of(r->keys, str_of(p.number), token);
	buf_reset(&r->sealed);
	if (identity_seal(r->keys, 2026, token, str_of(p.number), str_of(p.name), &r->sealed, &e) !=
	    0)
		fail_msg("%s", e.text);
	*identity = (struct str){(const char *)r->sealed.data, r->sealed.len};
}

void rig_publish(struct rig *r, enum event_type t, const void *event, struct str key,
		 const struct id *id, int64_t seq)
{
	struct bus_event ev = {.key = key,
			       .id = *id,
			       .trace = *id,
			       .type = str_of(event_name(t)),
			       .time_ms = clock_wall()};
	struct err e = {0};

	buf_reset(&r->body);
	ev.seq = seq ? seq : ++r->seq;
	if (codec_encode(r->codec, t, event, &r->body, &e) != 0)
		fail_msg("%s", e.text);
	ev.data = (struct str){(const char *)r->body.data, r->body.len};
	if (bus_publish(r->bus, event_topic(t), &ev, &e) != 0)
		fail_msg("%s", e.text);
}

void rig_publish_raw(struct rig *r, const char *topic, const char *type, struct str data)
{
	struct bus_event ev = {
		.key = STR("k"), .type = str_of(type), .time_ms = clock_wall(), .data = data};
	struct err e = {0};

	ev.seq = ++r->seq;
	memcpy(ev.id.b, &ev.seq, sizeof ev.seq);
	if (bus_publish(r->bus, topic, &ev, &e) != 0)
		fail_msg("%s", e.text);
}

void rig_flush(struct rig *r)
{
	struct err e = {0};

	if (bus_flush(r->bus, &e) != 0)
		fail_msg("%s", e.text);
}

const struct bus_record *rig_read(struct rig *r, const char *topic)
{
	const struct bus_record *record;
	struct err e = {0};
	int i = 0, n;

	while (r->readers[i].topic && strcmp(r->readers[i].topic, topic) != 0)
		assert_true(++i < RIG_TOPICS);
	if (!r->readers[i].topic) {
		r->readers[i].topic = topic;
		if (bus_reader_open(r->bus, &r->readers[i].reader, topic, NULL, &e) != 0)
			fail_msg("%s", e.text);
	}
	n = bus_read(r->readers[i].reader, 1, &record, &e);
	if (n < 0)
		fail_msg("%s", e.text);
	return n ? record : NULL;
}

void rig_look_again(int64_t started_ms)
{
	if (clock_monotonic() - started_ms > PATIENCE_MS)
		fail_msg("it did not come");
	poll(NULL, 0, 2);
}

static void write_conf(struct rig *r, const char *settings)
{
	char root[600];
	struct err e = {0};
	struct buf text;

	root_of(root);
	buf_init(&text, 1 << 16);
	buf_printf(
		&text,
		"[data]\ndir = data\n[log]\ndir = logs\n[bus]\npoll_min = 1ms\npoll_max = 5ms\n"
		"[reference]\npolicy = %s/config/policy\ncalendar = "
		"%s/config/calendar.csv\nvillages = %s/config/villages.csv\n"
		"[keys]\ndir = keys\n"
		"[%s]\nurl = http://127.0.0.1:%d\nfeed_interval = 20ms\nbackoff_min = "
		"10ms\nbackoff_max = 100ms\n%s",
		root, root, root, r->role, r->sim.port, settings);
	which_bus_put(&r->which, &text);
	if (fs_write_atomic(r->conf, text.data, text.len, 0600, &e) != 0 ||
	    which_bus_load(&r->which, r->conf, &e) != 0)
		fail_msg("%s", e.text);
	buf_fini(&text);
}

static void open_bus(struct rig *r)
{
	struct bus_options o = which_bus_options(&r->which, "gateway");
	struct err e = {0};

	o.ledger = "00112233445566778899aabbccddeeff/1";
	if (bus_open(&r->bus, &o, &e) != 0)
		fail_msg("%s", e.text);
}

static void close_bus(struct rig *r)
{
	for (int i = 0; i < RIG_TOPICS; i++) {
		bus_reader_close(r->readers[i].reader);
		r->readers[i] = (struct rig_reader){0};
	}
	bus_close(r->bus);
	r->bus = NULL;
}

/* Programs are found from the test's own place: build/<variant>/test/scenario/<test>. */
static void program(char out[600], const char *name)
{
	char build[600];
	ssize_t n = readlink("/proc/self/exe", build, sizeof build - 100);

	assert_true(n > 0);
	build[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(build, '/') = '\0';
	n = snprintf(out, 600, "%.500s/bin/%s", build, name);
	assert_true(n > 0 && n < 600);
}

static void root_of(char out[600])
{
	program(out, "x");
	for (int i = 0; i < 4; i++)
		*strrchr(out, '/') = '\0';
}

static void become_adapter(struct rig *r, int ready_fd)
{
	char path[600], number[16], err[400];
	int fd = fcntl(ready_fd, F_DUPFD, 10), log;

	program(path, r->adapter_program);
	snprintf(number, sizeof number, "%d", fd);
	setenv("QIAO_READY_FD", number, 1);
	snprintf(err, sizeof err, "%s/stderr", r->dir.path);
	log = open(err, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (log >= 0)
		dup2(log, STDERR_FILENO);
	execl(path, path, "-c", r->conf, (char *)NULL);
}
