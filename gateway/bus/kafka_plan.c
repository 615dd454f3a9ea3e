/* What we want of a cluster, and whether what it says of itself is that. Pure: no broker is asked. */
#include "base/date.h"
#include "bus/kafka_topics.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MINUTES_A_DAY = 1440,
	TOPIC_BYTES = 5 << 20, /* an event of 4 MiB, and what travels around it */
	/* Idempotent writing without a right of its own; older ones forget positions sooner, too. */
	OLDEST_MAJOR = 2,
	OLDEST_MINOR = 8,
};
#define SAY(field, ...) snprintf(field, sizeof(field), __VA_ARGS__)

static void set(struct topic_plan *p, const char *key, const char *value);
static void set_number(struct topic_plan *p, const char *key, int64_t value);
static bool enough(const char *key, const char *found, const char *wanted);
static const char *reason(const char *key);
static int64_t number_of(const char *text);
static bool too_old(const char *version);

/* ---- the plan ---- */

bool topics_plan(const struct conf *c, int i, struct topic_plan *out)
{
	const struct topic *t = i >= 0 && i < topic_count ? &topics[i] : NULL;
	bool compact = t && t->compact;

	if (i < 0 || i > topic_count)
		return false;
	*out = (struct topic_plan){.topic = t,
				   .partitions = t && t->single ? 1 : (int)c->kafka.partitions,
				   .replication = (int)c->kafka.replication};
	SAY(out->name, "%s%s", c->kafka.topic_prefix, t ? t->name : "clock");
	set(out, "cleanup.policy", compact ? "compact" : "delete");
	if (t)
		set_number(out, "retention.ms", compact ? -1 : c->bus.retention_days * DAY_MS);
	else
		set_number(out, "retention.ms", DAY_MS);
	set_number(out, "retention.bytes", -1);
	set_number(out, "min.insync.replicas", c->kafka.min_insync);
	set_number(out, "max.message.bytes", TOPIC_BYTES);
	set(out, "unclean.leader.election.enable", "false");
	set(out, "message.timestamp.type", t ? "CreateTime" : "LogAppendTime");
	set(out, "compression.type", "producer");
	if (compact || t == NULL)
		set_number(out, "segment.ms", DAY_MS); /* the open segment is never compacted */
	if (compact)
		set(out, "min.cleanable.dirty.ratio", "0.1");
	return true;
}

static void set(struct topic_plan *p, const char *key, const char *value)
{
	int n = 0;

	while (p->settings[n].key)
		n++;
	p->settings[n].key = key;
	SAY(p->settings[n].value, "%s", value);
}

static void set_number(struct topic_plan *p, const char *key, int64_t value)
{
	char text[24];

	SAY(text, "%" PRId64, value);
	set(p, key, text);
}

/* ---- who may do what ---- */

struct acls {
	const struct conf *c;
	struct topic_acl *out;
	int count, max;
};

static void may(struct acls *a, const char *program, const char *operation, const char *kind,
		const char *prefix, const char *name)
{
	struct topic_acl *one = &a->out[a->count];

	if (a->count == a->max)
		return;
	*one = (struct topic_acl){.program = program};
	SAY(one->kind, "%s", kind);
	SAY(one->operation, "%s", operation);
	SAY(one->name, "%s%s", prefix, name);
	a->count++;
}

static void may_topic(struct acls *a, const char *program, const char *operation, const char *topic)
{
	may(a, program, operation, "topic", a->c->kafka.topic_prefix, topic);
}

static void may_group(struct acls *a, const char *program, const char *operation, const char *role,
		      const struct topic *t)
{
	char name[120];

	SAY(name, "%s.%s", strcmp(role, "village") == 0 ? a->c->village.group : role, t->name);
	may(a, program, operation, "group", a->c->kafka.group_prefix, name);
}

static bool reads(const struct topic *t, const char *role)
{
	for (int i = 0; i < 4 && t->readers[i]; i++)
		if (strcmp(t->readers[i], role) == 0)
			return true;
	return false;
}

static void put_program(struct acls *a, const char *role, const char *program)
{
	bool gateway = strcmp(role, "gateway") == 0;

	for (int i = 0; i < topic_count; i++) {
		const struct topic *t = &topics[i];
		bool writes = strcmp(t->producer, role) == 0, reader = reads(t, role);

		if (writes)
			may_topic(a, program, "Write", t->name);
		/* After a start the gateway looks at what it sent, an adapter at its own memory. */
		if (reader || (writes && (gateway || t->keep_last)))
			may_topic(a, program, "Read", t->name);
		if (reader && !gateway)
			may_group(a, program, "Read", role, t);
	}
	if (gateway)
		may(a, program, "Read", "group", a->c->kafka.group_prefix, "gateway");
}

/* status and rejects; what people decide. */
static void put_commands(struct acls *a, const char *program)
{
	for (int i = 0; i < topic_count; i++) {
		const struct topic *t = &topics[i];

		if (strcmp(t->producer, "qiao") == 0)
			may_topic(a, program, "Write", t->name);
		may_topic(a, program, strncmp(t->name, "rejects.", 8) == 0 ? "Read" : "Describe",
			  t->name);
		for (int r = 0; r < 4 && t->readers[r]; r++)
			if (strcmp(t->readers[r], "gateway") != 0)
				may_group(a, program, "Describe", t->readers[r], t);
	}
	may(a, program, "Describe", "group", a->c->kafka.group_prefix, "gateway");
}

/* A position is given by who may read the topic and the group. */
static void put_topics(struct acls *a, const char *program)
{
	static const char *const needed[] = {"Create", "Describe", "DescribeConfigs"};

	for (int i = 0; i <= topic_count; i++) {
		const struct topic *t = i < topic_count ? &topics[i] : NULL;
		bool gives = false;

		for (size_t n = 0; n < sizeof needed / sizeof needed[0]; n++)
			may_topic(a, program, needed[n], t ? t->name : "clock");
		for (int r = 0; t && r < 4 && t->readers[r]; r++) {
			if (strcmp(t->readers[r], "gateway") == 0)
				continue;
			may_group(a, program, "Read", t->readers[r], t);
			gives = true;
		}
		if (gives)
			may_topic(a, program, "Read", t->name);
	}
	may_topic(a, program, "Write", "clock");
	may(a, program, "Describe", "group", a->c->kafka.group_prefix, "gateway");
	may(a, program, "DescribeConfigs", "cluster", "", "kafka-cluster");
}

int topics_acls(const struct conf *c, struct topic_acl *out, int max)
{
	struct acls a = {.c = c, .out = out, .max = max};

	put_program(&a, "village", "qiao-village");
	put_program(&a, "gateway", "qiao-gateway");
	put_program(&a, "tax", "qiao-tax");
	put_program(&a, "ssa", "qiao-ssa");
	put_commands(&a, "qiao");
	put_topics(&a, "qiao topics");
	return a.count;
}

/* ---- judging ---- */

bool topics_judge_topic(const struct conf *c, int i, const char *key, const char *value,
			struct topic_finding *out)
{
	struct topic_plan p;
	const char *why = reason(key);

	if (why == NULL || !topics_plan(c, i, &p))
		return false;
	for (int s = 0; s < PLAN_SETTINGS && p.settings[s].key; s++) {
		const char *wanted = p.settings[s].value;

		if (strcmp(key, p.settings[s].key) != 0)
			continue;
		if (enough(key, value, wanted))
			return false;
		SAY(out->what, "topic %s: %s", p.name, key);
		SAY(out->found, "%s", value);
		SAY(out->wanted, "%s", wanted);
		SAY(out->cure,
		    "%s: kafka-configs.sh --bootstrap-server BROKER --alter --entity-type topics "
		    "--entity-name %.120s --add-config %s=%s",
		    why, p.name, key, wanted);
		return true;
	}
	return false;
}

/* More is fine where it keeps more. */
static bool enough(const char *key, const char *found, const char *wanted)
{
	int64_t is = number_of(found), should = number_of(wanted);

	if (strcmp(found, wanted) == 0)
		return true;
	if (strcmp(key, "retention.ms") == 0)
		return is == -1 || (should != -1 && is >= should);
	if (strcmp(key, "max.message.bytes") == 0 || strcmp(key, "min.insync.replicas") == 0)
		return is >= should;
	return false;
}

/* Why a setting of a topic must be as planned; NULL: it need not. */
static const char *reason(const char *key)
{
	static const struct {
		const char *key, *why;
	} list[] = {
		{"cleanup.policy", "deleting loses the newest of each key, compacting the history"},
		{"retention.ms", "a restored ledger and an agency that was away read again so far"},
		{"retention.bytes", "events are kept by age, whatever they weigh"},
		{"min.insync.replicas", "what is acknowledged must survive a broker"},
		{"max.message.bytes", "an event has up to 4 MiB"},
		{"unclean.leader.election.enable", "an acknowledged event must not be taken back"},
		{"message.timestamp.type", "ages and clocks are told by it"},
		{"compression.type", "otherwise brokers unpack and pack every event again"},
	};

	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		if (strcmp(key, list[i].key) == 0)
			return list[i].why;
	return NULL;
}

bool topics_judge_broker(const struct conf *c, int broker, const char *key, const char *value,
			 struct topic_finding *out)
{
	int64_t minutes = c->bus.retention_days * MINUTES_A_DAY;

	if (strcmp(key, "offsets.retention.minutes") == 0 && number_of(value) < minutes) {
		SAY(out->wanted, "%" PRId64, minutes);
		SAY(out->cure, "a reader that is away for longer loses its position: set it in "
			       "server.properties and restart the broker");
	} else if (strcmp(key, "auto.create.topics.enable") == 0 && strcmp(value, "false") != 0) {
		SAY(out->wanted, "false");
		SAY(out->cure, "a slip of a name makes a topic that keeps no promise: set it in "
			       "server.properties and restart the broker");
	} else if (strcmp(key, "inter.broker.protocol.version") == 0 && too_old(value)) {
		SAY(out->wanted, "%d.%d", OLDEST_MAJOR, OLDEST_MINOR);
		SAY(out->cure, "the broker is too old: Kafka %d.%d or newer", OLDEST_MAJOR,
		    OLDEST_MINOR);
	} else {
		return false;
	}
	SAY(out->what, "broker %d: %.200s", broker, key);
	SAY(out->found, "%s", value);
	return true;
}

/* What lies between the two looks at our clock tells nothing: it is the way there and back. */
bool topics_judge_clock(int broker, int64_t before_ms, int64_t stamped_ms, int64_t after_ms,
			struct topic_finding *out)
{
	int64_t skew = stamped_ms < before_ms  ? stamped_ms - before_ms
		       : stamped_ms > after_ms ? stamped_ms - after_ms
					       : 0;

	if (skew >= -TOPICS_SKEW_MS && skew <= TOPICS_SKEW_MS)
		return false;
	SAY(out->what, "broker %d: clock", broker);
	SAY(out->found, "%" PRId64 " s %s this machine's", (skew < 0 ? -skew : skew) / 1000,
	    skew < 0 ? "behind" : "ahead of");
	SAY(out->wanted, "within %d s", TOPICS_SKEW_MS / 1000);
	SAY(out->cure, "brokers keep events and positions by their clock, and refuse events of a "
		       "clock far ahead of it: set the clocks right on both machines (NTP)");
	return true;
}

static int64_t number_of(const char *text)
{
	int64_t n = 0;

	str_int(str_of(text), INT64_MIN, INT64_MAX, &n);
	return n;
}

/* "2.7-IV2"; what cannot be read is not judged. */
static bool too_old(const char *version)
{
	size_t n = strcspn(version, ".");
	int64_t major, minor;

	if (version[n] != '.' || str_int((struct str){version, n}, 0, 1000, &major) < 0 ||
	    str_int((struct str){version + n + 1, strspn(version + n + 1, "0123456789")}, 0, 1000,
		    &minor) < 0)
		return false;
	return major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR);
}
