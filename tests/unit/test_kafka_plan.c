/* What is wanted of a cluster, who may do what there, and what of what it tells is wrong. */
#include "base/date.h"
#include "bus/kafka_topics.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct conf conf;

static int set_up(void **state)
{
	struct complaints *why = calloc(1, sizeof *why);

	(void)state;
	assert_int_equal(conf_parse(&conf, "qiao.ini",
				    STR("[bus]\nkind = kafka\n[kafka]\nbrokers = 127.0.0.1:1\n"
					"security = plaintext\ntopic_prefix = kq.\ngroup_prefix = "
					"kq-\n[village]\ngroup = north\n"),
				    why),
			 0);
	free(why);
	return 0;
}

static const char *setting(const struct topic_plan *p, const char *key)
{
	for (int i = 0; i < PLAN_SETTINGS && p->settings[i].key; i++)
		if (strcmp(p->settings[i].key, key) == 0)
			return p->settings[i].value;
	return "";
}

static int index_of(const char *name)
{
	return (int)(topic_find(str_of(name)) - topics);
}

static void every_topic_is_planned(void **state)
{
	struct topic_plan p;
	int i;

	(void)state;
	for (i = 0; i < topic_count; i++) {
		const struct topic *t = &topics[i];
		char name[64];

		assert_true(topics_plan(&conf, i, &p));
		assert_ptr_equal(p.topic, t);
		snprintf(name, sizeof name, "kq.%s", t->name);
		assert_string_equal(p.name, name);
		assert_int_equal(p.partitions, t->single ? 1 : 6);
		assert_int_equal(p.replication, 3);
		assert_string_equal(setting(&p, "cleanup.policy"),
				    t->compact ? "compact" : "delete");
		assert_string_equal(setting(&p, "retention.ms"), t->compact ? "-1" : "34560000000");
		assert_string_equal(setting(&p, "retention.bytes"), "-1");
		assert_string_equal(setting(&p, "min.insync.replicas"), "2");
		assert_string_equal(setting(&p, "unclean.leader.election.enable"), "false");
		assert_string_equal(setting(&p, "message.timestamp.type"), "CreateTime");
		assert_string_equal(setting(&p, "max.message.bytes"), "5242880");
	}
	assert_true(topics_plan(&conf, i, &p));
	assert_null(p.topic);
	assert_string_equal(p.name, "kq.clock");
	assert_string_equal(setting(&p, "message.timestamp.type"), "LogAppendTime");
	assert_false(topics_plan(&conf, i + 1, &p));
	assert_false(topics_plan(&conf, -1, &p));
}

/* ---- rights ---- */

static struct topic_acl acls[400];
static int acl_count;

static bool may(const char *program, const char *operation, const char *kind, const char *name)
{
	for (int i = 0; i < acl_count; i++)
		if (strcmp(acls[i].program, program) == 0 &&
		    strcmp(acls[i].operation, operation) == 0 && strcmp(acls[i].kind, kind) == 0 &&
		    strcmp(acls[i].name, name) == 0)
			return true;
	return false;
}

static void rights_are_no_more_than_the_table_of_topics(void **state)
{
	static const char *const roles[] = {"village", "gateway", "tax", "ssa"};

	(void)state;
	acl_count = topics_acls(&conf, acls, COUNT(acls));
	assert_in_range(acl_count, 50, COUNT(acls) - 1);
	for (size_t r = 0; r < COUNT(roles); r++)
		for (int i = 0; i < topic_count; i++) {
			const struct topic *t = &topics[i];
			bool writes = strcmp(t->producer, roles[r]) == 0, reads = false;
			char program[24], topic[64];

			snprintf(program, sizeof program, "qiao-%s", roles[r]);
			snprintf(topic, sizeof topic, "kq.%s", t->name);
			for (int k = 0; k < 4 && t->readers[k]; k++)
				reads = reads || strcmp(t->readers[k], roles[r]) == 0;
			assert_int_equal(may(program, "Write", "topic", topic), writes);
			if (reads)
				assert_true(may(program, "Read", "topic", topic));
			else if (!writes)
				assert_false(may(program, "Read", "topic", topic));
		}
	for (int i = 0; i < acl_count; i++) { /* each is told once */
		for (int k = 0; k < i; k++)
			assert_false(memcmp(&acls[i], &acls[k], sizeof acls[i]) == 0);
		if (strncmp(acls[i].program, "qiao-", 5) == 0)
			assert_true(strcmp(acls[i].operation, "Read") == 0 ||
				    strcmp(acls[i].operation, "Write") == 0);
	}
	assert_int_equal(topics_acls(&conf, acls, 7), 7);
}

static void rights_name_groups_and_memories(void **state)
{
	(void)state;
	acl_count = topics_acls(&conf, acls, COUNT(acls));
	assert_true(may("qiao-village", "Read", "group", "kq-north.answers"));
	assert_true(may("qiao-tax", "Read", "group", "kq-tax.payments"));
	assert_true(may("qiao-ssa", "Read", "group", "kq-ssa.enquiries"));
	assert_false(may("qiao-ssa", "Read", "group", "kq-tax.payments"));
	assert_true(may("qiao-gateway", "Read", "group", "kq-gateway"));
	assert_true(may("qiao-tax", "Read", "topic", "kq.positions.tax"));
	assert_false(may("qiao-tax", "Read", "topic", "kq.collections"));
	assert_true(may("qiao-gateway", "Read", "topic", "kq.payments"));
	assert_true(may("qiao", "Write", "topic", "kq.operations"));
	assert_true(may("qiao", "Read", "topic", "kq.rejects.tax"));
	assert_false(may("qiao", "Read", "topic", "kq.payments"));
	assert_true(may("qiao", "Describe", "topic", "kq.payments"));
	assert_true(may("qiao topics", "Create", "topic", "kq.payments"));
	assert_true(may("qiao topics", "Write", "topic", "kq.clock"));
	assert_false(may("qiao topics", "Write", "topic", "kq.payments"));
	assert_true(may("qiao topics", "DescribeConfigs", "cluster", "kafka-cluster"));
}

/* ---- judging ---- */

static void settings_of_topics_are_judged(void **state)
{
	static const struct {
		const char *topic, *key, *value;
		bool wrong;
	} table[] = {
		{"payments", "cleanup.policy", "delete", false},
		{"payments", "cleanup.policy", "compact", true},
		{"payments", "cleanup.policy", "compact,delete", true},
		{"statistics", "cleanup.policy", "compact", false},
		{"statistics", "cleanup.policy", "delete", true},
		{"statistics", "cleanup.policy", "compact,delete", true},
		{"payments", "retention.ms", "34560000000", false},
		{"payments", "retention.ms", "34560000001", false},
		{"payments", "retention.ms", "34559999999", true},
		{"payments", "retention.ms", "-1", false},
		{"payments", "retention.ms", "604800000", true},
		{"statistics", "retention.ms", "604800000", true},
		{"payments", "retention.bytes", "-1", false},
		{"payments", "retention.bytes", "1073741824", true},
		{"payments", "min.insync.replicas", "1", true},
		{"payments", "min.insync.replicas", "3", false},
		{"payments", "max.message.bytes", "1048588", true},
		{"payments", "max.message.bytes", "8388608", false},
		{"payments", "unclean.leader.election.enable", "true", true},
		{"payments", "message.timestamp.type", "LogAppendTime", true},
		{"payments", "compression.type", "producer", false},
		{"payments", "compression.type", "gzip", true},
		{"statistics", "segment.ms", "604800000", false},
		{"payments", "flush.ms", "1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct topic_finding f = {0};
		bool wrong = topics_judge_topic(&conf, index_of(table[i].topic), table[i].key,
						table[i].value, &f);

		if (wrong != table[i].wrong)
			fail_msg("%s %s=%s", table[i].topic, table[i].key, table[i].value);
		if (!wrong)
			continue;
		assert_non_null(strstr(f.what, table[i].topic));
		assert_non_null(strstr(f.what, table[i].key));
		assert_string_equal(f.found, table[i].value);
		assert_true(f.wanted[0]);
		assert_non_null(strstr(f.cure, "--add-config"));
		assert_non_null(strstr(f.cure, f.wanted));
	}
}

static void settings_of_brokers_are_judged(void **state)
{
	static const struct {
		const char *key, *value;
		bool wrong;
	} table[] = {
		{"offsets.retention.minutes", "10080", true},
		{"offsets.retention.minutes", "575999", true},
		{"offsets.retention.minutes", "576000", false},
		{"auto.create.topics.enable", "true", true},
		{"auto.create.topics.enable", "false", false},
		{"inter.broker.protocol.version", "2.7-IV2", true},
		{"inter.broker.protocol.version", "0.11.0-IV2", true},
		{"inter.broker.protocol.version", "2.8-IV1", false},
		{"inter.broker.protocol.version", "3.9-IV0", false},
		{"inter.broker.protocol.version", "10.0", false},
		{"inter.broker.protocol.version", "odd", false},
		{"num.io.threads", "1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct topic_finding f = {0};

		if (topics_judge_broker(&conf, 7, table[i].key, table[i].value, &f) !=
		    table[i].wrong)
			fail_msg("%s=%s", table[i].key, table[i].value);
		if (!table[i].wrong)
			continue;
		assert_non_null(strstr(f.what, "broker 7"));
		assert_string_equal(f.found, table[i].value);
		assert_true(f.wanted[0] && f.cure[0]);
	}
}

static void clocks_are_judged_by_what_the_way_cannot_explain(void **state)
{
	enum { BEFORE = 1000000, AFTER = 1005000 };
	static const struct {
		int64_t stamped;
		const char *found; /* NULL: nothing is wrong */
	} table[] = {
		{BEFORE, NULL},
		{AFTER, NULL},
		{BEFORE - TOPICS_SKEW_MS, NULL},
		{AFTER + TOPICS_SKEW_MS, NULL},
		{BEFORE - TOPICS_SKEW_MS - 1, "60 s behind"},
		{AFTER + TOPICS_SKEW_MS + 1, "60 s ahead"},
		{AFTER + DAY_MS, "86400 s ahead"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct topic_finding f = {0};
		bool wrong = topics_judge_clock(2, BEFORE, table[i].stamped, AFTER, &f);

		assert_int_equal(wrong, table[i].found != NULL);
		if (wrong && strstr(f.found, table[i].found) == NULL)
			fail_msg("%s", f.found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_topic_is_planned),
		cmocka_unit_test(rights_are_no_more_than_the_table_of_topics),
		cmocka_unit_test(rights_name_groups_and_memories),
		cmocka_unit_test(settings_of_topics_are_judged),
		cmocka_unit_test(settings_of_brokers_are_judged),
		cmocka_unit_test(clocks_are_judged_by_what_the_way_cannot_explain),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
