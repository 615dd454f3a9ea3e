/* The configuration. All there is to know about a key stands in its row of the table: reading,
 * checking and the printed reference walk the same rows, so that they cannot disagree. What
 * concerns several keys at once is checked at the end, in check(). */
#include "base/conf.h"
#include "base/fs.h"
#include "base/log.h"
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum type { TEXT, PATH, WORD, CHOICE, BOOL, NUMBER, DURATION, SIZE };

/* range: "1s..1d" for what is counted; the words "a|b" for WORD (kept as text) and CHOICE (kept as
 * its index); REQUIRED for texts that must not be empty. */
struct row {
	const char *section, *key;
	enum type type;
	size_t at, size;
	const char *def, *range, *help;
};
#define REQUIRED "required"
#define AT(member) offsetof(struct conf, member), sizeof(((struct conf *)0)->member)

/* clang-format off: a row reads as two lines, the help on the second */

/* The same for both outside systems. */
#define PEER_ROWS(s)                                                                          \
	{#s,                                                                                  \
	 "url",                                                                               \
	 TEXT,                                                                                \
	 AT(s.url),                                                                           \
	 "",                                                                                  \
	 "",                                                                                  \
	 "Address of the outside system: https://host:port, or http:// on loopback; empty: "  \
	 "none."},                                                                            \
		{#s,                                                                          \
		 "ca",                                                                        \
		 PATH,                                                                        \
		 AT(s.ca),                                                                    \
		 "",                                                                          \
		 "",                                                                          \
		 "File of the certificates that vouch for its server; empty: those of the "   \
		 "machine."},                                                                 \
		{#s,                                                                          \
		 "cert",                                                                      \
		 PATH,                                                                        \
		 AT(s.cert),                                                                  \
		 "",                                                                          \
		 "",                                                                          \
		 "Our client certificate (PEM); only together with key."},                    \
		{#s,                                                                          \
		 "key",                                                                       \
		 PATH,                                                                        \
		 AT(s.key),                                                                   \
		 "",                                                                          \
		 "",                                                                          \
		 "Its private key (PEM), readable by this program alone."},                   \
		{#s,                                                                          \
		 "connect_timeout",                                                           \
		 DURATION,                                                                    \
		 AT(s.connect_timeout_ms),                                                    \
		 "5s",                                                                        \
		 "100ms..1m",                                                                 \
		 "How long making a connection may take."},                                   \
		{#s,                                                                          \
		 "timeout",                                                                   \
		 DURATION,                                                                    \
		 AT(s.timeout_ms),                                                            \
		 "30s",                                                                       \
		 "100ms..10m",                                                                \
		 "How long a whole request may take."},                                       \
		{#s,                                                                          \
		 "batch_rows",                                                                \
		 NUMBER,                                                                      \
		 AT(s.batch_rows),                                                            \
		 "1000",                                                                      \
		 "1..1000",                                                                   \
		 "Most rows in one request."},                                                \
		{#s,                                                                          \
		 "feed_interval",                                                             \
		 DURATION,                                                                    \
		 AT(s.feed_interval_ms),                                                      \
		 "2s",                                                                        \
		 "10ms..1h",                                                                  \
		 "Pause between two looks at its change feed when there was nothing new."},   \
		{#s,                                                                          \
		 "backoff_min",                                                               \
		 DURATION,                                                                    \
		 AT(s.backoff_min_ms),                                                        \
		 "200ms",                                                                     \
		 "10ms..1m",                                                                  \
		 "First pause after a failed request; doubles with each further one, with "   \
		 "jitter."},                                                                  \
		{#s,	     "backoff_max",	   DURATION, AT(s.backoff_max_ms), "30s",     \
		 "10ms..1h", "Longest such pause."},                                          \
		{#s,                                                                          \
		 "breaker_failures",                                                          \
		 NUMBER,                                                                      \
		 AT(s.breaker_failures),                                                      \
		 "5",                                                                         \
		 "1..1000",                                                                   \
		 "That many failures in a row open the breaker: the system counts as down."}, \
	{                                                                                     \
#s, "requests_per_s", NUMBER, AT(s.requests_per_s), "0", "0..10000",          \
			"Most requests a second; 0: no limit."                                \
	}

static const struct row rows[] = {
	{"data", "dir", PATH, AT(data.dir), "data", REQUIRED,
	 "Folder of everything that Qiao keeps."},
	{"log", "dir", PATH, AT(log.dir), "", "",
	 "Folder of the log files, one a program; empty: standard error."},
	{"log", "level", CHOICE, AT(log.level), "info", "debug|info|warn|error",
	 "Least level that is written."},
	{"clock", "file", PATH, AT(clock.file), "", "",
	 "File that says the time, for demo and tests on one machine; empty: the machine's clock."},
	{"bus", "kind", WORD, AT(bus.kind), "local", "local|kafka",
	 "What carries the events: local, the embedded log, or kafka, a broker cluster."},
	{"bus", "retention_days", NUMBER, AT(bus.retention_days), "400", "1..4000",
	 "Events are kept that long at least, and always until every reader has them."},
	{"bus", "segment_bytes", SIZE, AT(bus.segment_bytes), "1MiB", "64KiB..1GiB",
	 "Size of the pieces in which events are stored and removed."},
	{"bus", "poll_min", DURATION, AT(bus.poll_min_ms), "2ms", "1ms..1s",
	 "First pause of a reader that found nothing."},
	{"bus", "poll_max", DURATION, AT(bus.poll_max_ms), "50ms", "1ms..10s",
	 "Longest pause of such a reader."},
	{"kafka", "brokers", TEXT, AT(kafka.brokers), "", "",
	 "Addresses of some brokers: host:port,host:port."},
	{"kafka", "security", CHOICE, AT(kafka.security), "tls", "tls|plaintext",
	 "How the connection is protected; plaintext only to brokers on loopback."},
	{"kafka", "ca", PATH, AT(kafka.ca), "", "",
	 "File of the certificates that vouch for the brokers; empty: those of the machine."},
	{"kafka", "cert", PATH, AT(kafka.cert), "", "",
	 "Our client certificate (PEM); only together with key."},
	{"kafka", "key", PATH, AT(kafka.key), "", "",
	 "Its private key (PEM), readable by this program alone."},
	{"kafka", "sasl", CHOICE, AT(kafka.sasl), "none", "none|PLAIN|SCRAM-SHA-256|SCRAM-SHA-512",
	 "How we prove who we are, beside a client certificate."},
	{"kafka", "user", TEXT, AT(kafka.user), "", "", "Name for sasl."},
	{"kafka", "password_file", PATH, AT(kafka.password_file), "", "",
	 "File with the password for sasl, readable by this program alone."},
	{"kafka", "topic_prefix", TEXT, AT(kafka.topic_prefix), "", "",
	 "Goes before the name of each topic, on a cluster that others use too."},
	{"kafka", "group_prefix", TEXT, AT(kafka.group_prefix), "qiao-", "",
	 "Goes before the name of each consumer group."},
	{"kafka", "partitions", NUMBER, AT(kafka.partitions), "6", "1..64",
	 "Partitions of a topic, when it is created; fixed for its life."},
	{"kafka", "replication", NUMBER, AT(kafka.replication), "3", "1..7",
	 "Copies of each partition."},
	{"kafka", "min_insync", NUMBER, AT(kafka.min_insync), "2", "1..7",
	 "Copies that must have an event before it counts as there."},
	{"registry", "url", TEXT, AT(registry.peer.url), "", "",
	 "Schema registry, Confluent's interface, with its path; empty: none, events name their "
	 "schema "
	 "by fingerprint."},
	{"registry", "ca", PATH, AT(registry.peer.ca), "", "",
	 "File of the certificates that vouch for it; empty: those of the machine."},
	{"registry", "cert", PATH, AT(registry.peer.cert), "", "",
	 "Our client certificate (PEM); only together with key."},
	{"registry", "key", PATH, AT(registry.peer.key), "", "",
	 "Its private key (PEM), readable by this program alone."},
	{"registry", "user", TEXT, AT(registry.user), "", "",
	 "Name for basic authentication, with password_file."},
	{"registry", "password_file", PATH, AT(registry.password_file), "", "",
	 "File with the password, readable by this program alone."},
	{"registry", "token_file", PATH, AT(registry.token_file), "", "",
	 "File with a bearer token, instead of user and password."},
	{"registry", "connect_timeout", DURATION, AT(registry.peer.connect_timeout_ms), "2s",
	 "100ms..1m", "How long making a connection may take."},
	{"registry", "timeout", DURATION, AT(registry.peer.timeout_ms), "5s", "100ms..1m",
	 "How long a whole request may take."},
	{"reference", "policy", PATH, AT(reference.policy), "policy", REQUIRED,
	 "Folder of the rules, one file <year>.ini a year; a year without a file is refused."},
	{"reference", "calendar", PATH, AT(reference.calendar), "calendar.csv", REQUIRED,
	 "Days off and make-up working days; an unknown year is refused."},
	{"reference", "villages", PATH, AT(reference.villages), "villages.csv", REQUIRED,
	 "Towns and villages with their codes."},
	{"reference", "no_change_known", BOOL, AT(reference.no_change_known), "no", "",
	 "Yes: late December counts as settled although next year's calendar is not there yet."},
	{"keys", "dir", PATH, AT(keys.dir), "keys", REQUIRED,
	 "Folder of the keys, one folder <role> a program."},
	{"keys", "separate_users", BOOL, AT(keys.separate_users), "no", "",
	 "Yes: each program has a user of its own and must not be able to read another's keys."},
	{"operators", "dir", PATH, AT(operators.dir), "operators", REQUIRED,
	 "Folder of the public keys <name>.pub of the people who may decide; only an administrator "
	 "writes it."},
	{"gateway", "batch_events", NUMBER, AT(gateway.batch_events), "4000", "1..100000",
	 "Most events of a topic in one transaction."},
	{"gateway", "enquiry_timeout", DURATION, AT(gateway.enquiry_timeout_ms), "10m", "1s..30d",
	 "An enquiry unanswered for that long is asked again."},
	{"gateway", "contribution_retry", DURATION, AT(gateway.contribution_retry_ms), "1d",
	 "1s..60d", "A person's contribution that had not arrived is asked for again after that."},
	{"gateway", "doubt_enquiry", DURATION, AT(gateway.doubt_enquiry_ms), "1m", "100ms..30d",
	 "A payment in doubt is asked for by its id after that."},
	{"gateway", "answer_timeout", DURATION, AT(gateway.answer_timeout_ms), "1h", "1s..30d",
	 "An instructed payment without any answer is asked for after that."},
	{"gateway", "incomplete_after", DURATION, AT(gateway.incomplete_after_ms), "1h", "1s..30d",
	 "A submission that did not arrive whole in that time is answered as incomplete."},
	{"gateway", "reject_share", NUMBER, AT(gateway.reject_share), "20", "1..100",
	 "Where more percent of the last 1000 events of a topic are rejected, and 50 at least, it is read no further."},
	{"gateway", "cache_kib", NUMBER, AT(gateway.cache_kib), "16384", "1024..1048576",
	 "Page cache of the ledger in KiB."},
	{"gateway", "crediting", CHOICE, AT(gateway.crediting), "adapter", "adapter|consumer",
	 "Who has accounts credited: our adapter, or the agency's own consumer of the feedback."},
	{"gateway", "stand_by", BOOL, AT(gateway.stand_by), "no", "",
	 "Yes: a gateway that finds another one at work waits as its hot stand-by, else it ends."},
	{"gateway", "cut_at", DURATION, AT(gateway.cut_at_ms), "24h", "1m..1d",
	 "So long after its midnight (UTC+08:00) a civil day is cut, at the gateway's first turn."},
	{"village", "inbox", PATH, AT(village.inbox), "", "",
	 "Drop folder, one folder <sender> a sender; empty: inbox in the data folder."},
	{"village", "poll", DURATION, AT(village.poll_ms), "500ms", "10ms..1h",
	 "Pause between two looks at the drop folder."},
	{"village", "file_bytes_max", SIZE, AT(village.file_bytes_max), "64MiB", "1KiB..1GiB",
	 "Largest roster file."},
	{"village", "rows_max", NUMBER, AT(village.rows_max), "2000000", "1..10000000",
	 "Most rows of a roster."},
	{"village", "answer_interval", DURATION, AT(village.answer_interval_ms), "2s", "0ms..1h",
	 "An answer file is rewritten at most that often."},
	{"village", "group", TEXT, AT(village.group), "village", REQUIRED,
	 "Name under which this spool reads the answers; each spool on one Kafka has its own."},
	PEER_ROWS(tax),
	{"tax", "keys", CHOICE, AT(tax_terms.keys), "honoured", "honoured|none",
	 "Whether the bureau honours idempotency keys; none: what may be out is asked before "
	 "sent."},
	{"tax", "key_window", DURATION, AT(tax_terms.key_window_ms), "1d", "1s..400d",
	 "For how long it honours a key."},
	{"tax", "settlement_delay", DURATION, AT(tax_terms.settlement_delay_ms), "10m", "0ms..30d",
	 "After that time its \"unknown\" means that a payment never happened."},
	PEER_ROWS(ssa),
	{"run", "programs", TEXT, AT(run.programs), "qiao-gateway qiao-ssa qiao-tax qiao-village",
	 REQUIRED, "Programs that qiao run starts, in this order; they stop in the opposite one."},
	{"run", "backoff_min", DURATION, AT(run.backoff_min_ms), "200ms", "10ms..1m",
	 "First pause before a program that ended is started again; doubles."},
	{"run", "backoff_max", DURATION, AT(run.backoff_max_ms), "10s", "10ms..1h",
	 "Longest such pause."},
	{"run", "stop_timeout", DURATION, AT(run.stop_timeout_ms), "20s", "100ms..10m",
	 "A program that has not stopped by then is killed."},
	{"run", "hang_timeout", DURATION, AT(run.hang_timeout_ms), "30s", "3s..1d",
	 "A running program that gives no sign of life for so long is killed and started again."},
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof rows[0], TEXT_MAX = 1 << 20 };

static const struct {
	const char *section, *help;
} sections[] = {
	{"data", "What Qiao keeps"},
	{"log", "What the programs say"},
	{"clock", "Time"},
	{"bus", "The way of the events"},
	{"kafka", "The brokers, for kind = kafka. A key with a dot is a property of librdkafka"},
	{"registry", "The registry of schemas"},
	{"reference", "The rules and what they refer to"},
	{"keys", "Secrets"},
	{"operators", "Who may withdraw, reverse, release, approve"},
	{"gateway", "Rules, ledger, waiting"},
	{"village", "Rosters and answers"},
	{"tax", "The tax bureau's collection system"},
	{"ssa", "The social-security agency's system"},
	{"run", "The supervisor"},
};

static const char reference_head[] =
	"# The settings of Qiao with their defaults, as printed by: qiao config --reference\n"
	"#\n"
	"# A key that is left out has its default. A change takes effect at the next start.\n"
	"# Relative paths start at the folder of this file. Comments stand on lines of their "
	"own.\n";

struct unit {
	const char *name;
	int64_t scale;
};
static const struct unit number_units[] = {{"", 1}, {NULL, 0}};
static const struct unit duration_units[] = {{"ms", 1},	     {"s", 1000},     {"m", 60000},
					     {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit size_units[] = {
	{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};

/* One reading of one file. */
struct reading {
	struct conf *conf;
	struct complaints *why;
	int lines[ROWS]; /* where each key was given, 0 = default */
};

static void take(void *arg, int line, struct str section, struct str key, struct str value);
static int set(struct conf *c, const struct row *r, struct str value);
static int set_path(struct conf *c, char *to, size_t size, struct str value);
static int set_counted(const struct row *r, struct str value, int64_t *to);
static int set_word(const char *words, struct str value, struct str *word, int64_t *index);
static int scaled(struct str s, const struct unit *units, int64_t *out);
static const struct unit *units_of(enum type type);
static const char *expected(char out[200], const struct row *r);
static void check(struct reading *r);
static void check_peer(struct reading *r, const char *section, const struct conf_peer *p);
static void check_order(struct reading *r, const char *section, const char *low, int64_t low_ms,
			const char *high, int64_t high_ms);
static void check_programs(struct reading *r);
static void check_kafka(struct reading *r);
static void check_registry(struct reading *r);
static void check_name(struct reading *r, const char *section, const char *key, const char *value);
static bool brokers_on_loopback(const char *brokers);
static void take_property(struct reading *r, int line, struct str key, struct str value);
static int line_of(const struct reading *r, const char *section, const char *key);
static int url_split(const char *url, bool *tls, char host[CONF_PATH]);

int conf_load(struct conf *c, const char *file, struct complaints *why)
{
	struct buf text;
	struct err e = {0};
	int rc = -1;

	buf_init(&text, TEXT_MAX);
	if (fs_read(file, &text, &e) < 0)
		complain(why, 0, "%s", e.text);
	else
		rc = conf_parse(c, file, (struct str){(const char *)text.data, text.len}, why);
	buf_fini(&text);
	return rc;
}

int conf_parse(struct conf *c, const char *file, struct str text, struct complaints *why)
{
	struct reading r = {.conf = c, .why = why};
	const char *slash = strrchr(file, '/');
	struct str dir = slash ? (struct str){file, (size_t)(slash - file)} : STR(".");
	int before = why->count;

	memset(c, 0, sizeof *c);
	if (slash == file)
		dir = STR("/");
	if (str_copy(c->file, sizeof c->file, str_of(file)) < 0 ||
	    str_copy(c->dir, sizeof c->dir, dir) < 0) {
		complain(why, 0, "path too long");
		return -1;
	}
	for (size_t i = 0; i < ROWS; i++) {
		if (set(c, &rows[i], str_of(rows[i].def)) < 0)
			complain(why, 0, "[%s] %s: default does not fit", rows[i].section,
				 rows[i].key);
	}
	ini_parse(text, take, &r, why);
	if (c->village.inbox[0] == '\0' &&
	    fs_join(c->village.inbox, CONF_PATH, c->data.dir, "inbox") < 0)
		complain(why, line_of(&r, "data", "dir"), "[data] dir: path too long");
	check(&r);
	return why->count == before ? 0 : -1;
}

int conf_reference(struct buf *out)
{
	const char *section = "";
	char text[200];
	int rc = 0;

	rc |= buf_put_str(out, reference_head);
	for (size_t i = 0, s = 0; i < ROWS; i++) {
		if (strcmp(section, rows[i].section) != 0) {
			section = rows[i].section;
			rc |= buf_printf(out, "\n# %s.\n[%s]\n", sections[s++].help, section);
		}
		rc |= buf_printf(out, "\n# %s\n# %s; default: %s\n%s =%s%s\n", rows[i].help,
				 expected(text, &rows[i]), rows[i].def[0] ? rows[i].def : "empty",
				 rows[i].key, rows[i].def[0] ? " " : "", rows[i].def);
	}
	return rc;
}

bool conf_is_loopback(const char *url)
{
	char host[CONF_PATH];
	uint8_t address[4];
	bool tls;

	if (url_split(url, &tls, host) < 0)
		return false;
	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, address) == 1 && address[0] == 127;
}

/* One key of the file. The first value counts, a second is a mistake: which one was meant? */
static void take(void *arg, int line, struct str section, struct str key, struct str value)
{
	struct reading *r = arg;
	char text[200];
	bool known = false;

	for (size_t i = 0; i < ROWS; i++) {
		if (!str_is(section, rows[i].section))
			continue;
		known = true;
		if (!str_is(key, rows[i].key))
			continue;
		if (r->lines[i])
			complain(r->why, line, "%s: given already in line %d", rows[i].key,
				 r->lines[i]);
		else if (set(r->conf, &rows[i], value) < 0)
			complain(r->why, line, "%s: expected %s", rows[i].key,
				 expected(text, &rows[i]));
		r->lines[i] = line;
		return;
	}
	if (str_is(section, "kafka") && memchr(key.p, '.', key.n))
		take_property(r, line, key, value);
	else if (known)
		complain(r->why, line, "unknown key %.*s in [%.*s]", (int)key.n, key.p,
			 (int)section.n, section.p);
	else if (section.n == 0)
		complain(r->why, line, "key %.*s before the first [section]", (int)key.n, key.p);
	else
		complain(r->why, line, "unknown section [%.*s]", (int)section.n, section.p);
}

/* Leaves the member alone when the value is not good. */
static int set(struct conf *c, const struct row *r, struct str value)
{
	char *to = (char *)c + r->at;
	struct str word;
	int64_t number = 0;
	bool flag;

	switch (r->type) {
	case TEXT:
	case PATH:
		if (value.n == 0 && strcmp(r->range, REQUIRED) == 0)
			return -1;
		if (r->type == PATH)
			return set_path(c, to, r->size, value);
		return value.n < r->size ? str_copy(to, r->size, value) : -1;
	case WORD:
		if (set_word(r->range, value, &word, &number) < 0)
			return -1;
		return str_copy(to, r->size, word);
	case BOOL:
		if (set_word("no|yes", value, &word, &number) < 0)
			return -1;
		flag = number == 1;
		memcpy(to, &flag, sizeof flag);
		return 0;
	case CHOICE:
		if (set_word(r->range, value, &word, &number) < 0)
			return -1;
		break;
	default:
		if (set_counted(r, value, &number) < 0)
			return -1;
		break;
	}
	memcpy(to, &number, sizeof number);
	return 0;
}

/* Relative to the folder of the file; where that is the current one, as it was written. */
static int set_path(struct conf *c, char *to, size_t size, struct str value)
{
	char path[CONF_PATH], whole[CONF_PATH];

	if (str_copy(path, sizeof path, value) < 0)
		return -1;
	if (path[0] == '\0' || path[0] == '/' || strcmp(c->dir, ".") == 0)
		return str_copy(to, size, value);
	if (fs_join(whole, sizeof whole, c->dir, path) < 0)
		return -1;
	return str_copy(to, size, str_of(whole));
}

/* The ends of the range are written like the value itself, units and all. */
static int set_counted(const struct row *r, struct str value, int64_t *to)
{
	const struct unit *units = units_of(r->type);
	const char *dots = strstr(r->range, "..");
	int64_t min, max, v;

	if (scaled((struct str){r->range, (size_t)(dots - r->range)}, units, &min) < 0)
		return -1;
	if (scaled(str_of(dots + 2), units, &max) < 0 || scaled(value, units, &v) < 0)
		return -1;
	if (v < min || v > max)
		return -1;
	*to = v;
	return 0;
}

/* One of "a|b|c", exactly: no other case, no abbreviation. */
static int set_word(const char *words, struct str value, struct str *word, int64_t *index)
{
	for (int64_t i = 0;; i++) {
		size_t n = strcspn(words, "|");

		if (str_eq(value, (struct str){words, n})) {
			*word = value;
			*index = i;
			return 0;
		}
		if (words[n] == '\0')
			return -1;
		words += n + 1;
	}
}

/* Digits and a unit, without a blank: "15m". A unit is never assumed. */
static int scaled(struct str s, const struct unit *units, int64_t *out)
{
	size_t digits = 0;
	int64_t v;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (str_int((struct str){s.p, digits}, 0, INT64_MAX, &v) < 0)
		return -1;
	for (; units->name; units++) {
		if (str_is((struct str){s.p + digits, s.n - digits}, units->name))
			return __builtin_mul_overflow(v, units->scale, out) ? -1 : 0;
	}
	return -1;
}

static const struct unit *units_of(enum type type)
{
	return type == DURATION ? duration_units : type == SIZE ? size_units : number_units;
}

/* For complaints and the reference alike. Never shows the value: it may be one that was put into
 * the wrong line, and a secret. */
static const char *expected(char out[200], const struct row *r)
{
	static const char *const kinds[] = {
		[TEXT] = "text",
		[PATH] = "path",
		[NUMBER] = "number",
		[DURATION] = "duration (ms s m h d)",
		[SIZE] = "size (B KiB MiB GiB)",
		[WORD] = "word",
		[CHOICE] = "word",
		[BOOL] = "word",
	};
	const char *range = r->type == BOOL ? "yes|no" : r->range;

	snprintf(out, 200, "%s%s%s", kinds[r->type], range[0] ? ", " : "", range);
	return out;
}

/* What concerns several keys. A value that was refused has left its default in place: so it is not
 * complained about twice. */
static void check(struct reading *r)
{
	const struct conf *c = r->conf;

	check_order(r, "bus", "poll_min", c->bus.poll_min_ms, "poll_max", c->bus.poll_max_ms);
	check_order(r, "run", "backoff_min", c->run.backoff_min_ms, "backoff_max",
		    c->run.backoff_max_ms);
	check_peer(r, "tax", &c->tax);
	check_peer(r, "ssa", &c->ssa);
	check_programs(r);
	check_kafka(r);
	check_registry(r);
	check_name(r, "village", "group", c->village.group);
	if (strcmp(c->bus.kind, "local") == 0 && strcmp(c->village.group, "village") != 0)
		complain(r->why, line_of(r, "village", "group"),
			 "[village] group: on the local bus it is village");
}

static void check_peer(struct reading *r, const char *section, const struct conf_peer *p)
{
	char host[CONF_PATH];
	bool tls = false;
	int line = line_of(r, section, "url");

	if (p->url[0] && url_split(p->url, &tls, host) < 0)
		complain(r->why, line, "[%s] url: expected https://host:port, no more", section);
	else if (p->url[0] && !tls && !conf_is_loopback(p->url))
		complain(r->why, line, "[%s] url: http:// only to loopback, else https://",
			 section);
	if (p->url[0] && r->conf->clock.file[0] && !conf_is_loopback(p->url))
		complain(r->why, line_of(r, "clock", "file"),
			 "[clock] file: refused, because [%s] url is not loopback", section);
	if (!p->cert[0] != !p->key[0])
		complain(r->why, line_of(r, section, p->cert[0] ? "cert" : "key"),
			 "[%s] cert and key: only together", section);
	check_order(r, section, "connect_timeout", p->connect_timeout_ms, "timeout", p->timeout_ms);
	check_order(r, section, "backoff_min", p->backoff_min_ms, "backoff_max", p->backoff_max_ms);
}

static void check_order(struct reading *r, const char *section, const char *low, int64_t low_ms,
			const char *high, int64_t high_ms)
{
	int at_low = line_of(r, section, low), at_high = line_of(r, section, high);

	if (low_ms > high_ms)
		complain(r->why, at_low > at_high ? at_low : at_high, "[%s] %s: more than %s",
			 section, low, high);
}

/* Names of programs beside qiao itself, never paths. */
static void check_programs(struct reading *r)
{
	const char *p = r->conf->run.programs;

	if (p[strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789- ")] != '\0')
		complain(r->why, line_of(r, "run", "programs"),
			 "[run] programs: expected names with blanks between");
}

static void check_kafka(struct reading *r)
{
	const struct conf_kafka *k = &r->conf->kafka;
	bool used = strcmp(r->conf->bus.kind, "kafka") == 0;
	bool password = k->user[0] && k->password_file[0];

	if (used && !k->brokers[0])
		complain(r->why, line_of(r, "bus", "kind"),
			 "[kafka] brokers: missing, and [bus] kind is kafka");
	if (k->brokers[strcspn(k->brokers, " \t/@")] != '\0')
		complain(r->why, line_of(r, "kafka", "brokers"),
			 "[kafka] brokers: expected host:port,host:port");
	else if (k->brokers[0] && k->security == SECURITY_PLAINTEXT &&
		 !brokers_on_loopback(k->brokers))
		complain(r->why, line_of(r, "kafka", "security"),
			 "[kafka] security: plaintext only to brokers on loopback, else tls");
	if (used && r->conf->clock.file[0] && !brokers_on_loopback(k->brokers))
		complain(r->why, line_of(r, "clock", "file"),
			 "[clock] file: refused, because [kafka] brokers are not loopback");
	if (!k->cert[0] != !k->key[0])
		complain(r->why, line_of(r, "kafka", k->cert[0] ? "cert" : "key"),
			 "[kafka] cert and key: only together");
	if (k->sasl != SASL_NONE && !password)
		complain(r->why, line_of(r, "kafka", "sasl"),
			 "[kafka] sasl: needs user and password_file");
	if (k->sasl == SASL_NONE && (k->user[0] || k->password_file[0]))
		complain(r->why, line_of(r, "kafka", k->user[0] ? "user" : "password_file"),
			 "[kafka] user and password_file: only with sasl");
	check_name(r, "kafka", "topic_prefix", k->topic_prefix);
	check_name(r, "kafka", "group_prefix", k->group_prefix);
	if (k->min_insync > k->replication)
		complain(r->why, line_of(r, "kafka", "min_insync"),
			 "[kafka] min_insync: more than replication");
}

static void check_registry(struct reading *r)
{
	struct conf_peer *p = &r->conf->registry.peer;
	char *path = strstr(p->url, "://");
	size_t n;

	path = path ? strchr(path + 3, '/') : NULL;
	if (path) {
		n = strspn(path,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/");
		if (path[n] != '\0')
			complain(r->why, line_of(r, "registry", "url"),
				 "[registry] url: expected https://host:port/path, no more");
		str_copy(r->conf->registry.path, CONF_PATH, str_of(path));
		n = strlen(r->conf->registry.path);
		while (n > 0 && r->conf->registry.path[n - 1] == '/')
			r->conf->registry.path[--n] = '\0';
		*path = '\0';
	}
	check_peer(r, "registry", p);
	if (!r->conf->registry.user[0] != !r->conf->registry.password_file[0])
		complain(r->why,
			 line_of(r, "registry",
				 r->conf->registry.user[0] ? "user" : "password_file"),
			 "[registry] user and password_file: only together");
	if (r->conf->registry.user[0] && r->conf->registry.token_file[0])
		complain(r->why, line_of(r, "registry", "token_file"),
			 "[registry] token_file: not together with user");
}

/* What Kafka takes as part of a topic's or group's name. */
static void check_name(struct reading *r, const char *section, const char *key, const char *value)
{
	if (value[strspn(value,
			 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
		complain(r->why, line_of(r, section, key),
			 "[%s] %s: expected letters, digits, dots, dashes and underscores", section,
			 key);
}

static bool brokers_on_loopback(const char *brokers)
{
	struct str rest = str_of(brokers);
	char url[CONF_PATH + 8];

	while (rest.n > 0) {
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma ? (size_t)(comma - rest.p) : rest.n;

		snprintf(url, sizeof url, "http://%.*s", (int)n, rest.p);
		if (!conf_is_loopback(url))
			return false;
		n += comma ? 1 : 0;
		rest = (struct str){rest.p + n, rest.n - n};
	}
	return true;
}

static void take_property(struct reading *r, int line, struct str key, struct str value)
{
	char *all = r->conf->kafka.properties;
	size_t n = strlen(all), room = sizeof r->conf->kafka.properties - n;
	int put = snprintf(all + n, room, "%.*s=%.*s\n", (int)key.n, key.p, (int)value.n, value.p);

	if (put >= 0 && (size_t)put < room)
		return;
	all[n] = '\0';
	complain(r->why, line, "[kafka] %.*s: too many properties", (int)key.n, key.p);
}

/* 0 for a key that has its default. */
static int line_of(const struct reading *r, const char *section, const char *key)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
			return r->lines[i];
	}
	return 0;
}

/* Scheme, host and perhaps a port, and nothing that could make another reader of the URL see
 * another host: no user part, no path, no escapes. */
static int url_split(const char *url, bool *tls, char host[CONF_PATH])
{
	const char *at = url, *colon;
	size_t n;
	int64_t port;

	*tls = strncmp(url, "https://", 8) == 0;
	if (!*tls && strncmp(url, "http://", 7) != 0)
		return -1;
	at += *tls ? 8 : 7;
	if (at[0] == '[')
		n = 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
	else
		n = strspn(at, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.");
	if (at[0] == '[' && at[n++] != ']')
		return -1;
	colon = at + n;
	if (n == 0 || str_copy(host, CONF_PATH, (struct str){at, n}) < 0)
		return -1;
	if (*colon == '\0')
		return 0;
	return *colon == ':' ? str_int(str_of(colon + 1), 1, 65535, &port) : -1;
}
