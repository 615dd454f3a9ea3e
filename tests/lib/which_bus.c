#include "tests/lib/which_bus.h"
#include "base/clock.h"
#include "base/fs.h"
#include "tests/lib/kafka.h"
#include "tests/lib/kafka_client.h"
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MS = 60000, READ_MAX = 1000 };

static int brokers(void);
static bool at_ends(struct bus_reader *r, const int64_t *ends, int count);

bool on_kafka(void)
{
	const char *kind = getenv("BUS");

	if (kind == NULL || kind[0] == '\0' || strcmp(kind, "local") == 0)
		return false;
	if (strcmp(kind, "kafka") == 0)
		return true;
	/* A slip must not pass for a run on the other bus. */
	fprintf(stderr, "BUS=%s: local or kafka\n", kind);
	exit(2);
}

int which_bus_open(struct which_bus *b, const char *data, struct err *e)
{
	static int count;

	memset(b, 0, sizeof *b);
	if (fs_join(b->dir, sizeof b->dir, data, "bus") < 0)
		return err_set(e, ERR_CONF, "%s: path too long", data);
	if (!on_kafka())
		return 0;
	if (kafka_shared(e) == NULL)
		return -1;
	snprintf(b->prefix, sizeof b->prefix, "w%d-%d.", (int)getpid(), ++count);
	return 0;
}

void which_bus_close(struct which_bus *b)
{
	struct err e = {0};

	if (b->prefix[0] && kafka_forget(kafka_shared(&e), b->prefix, &e) < 0)
		fprintf(stderr, "%s: left behind on the broker: %s\n", b->prefix, e.text);
	b->prefix[0] = '\0';
}

int which_bus_put(const struct which_bus *b, struct buf *ini)
{
	const char *programs = getenv("QIAO_KAFKA_PROGRAMS");
	struct err e = {0};
	int n = brokers();

	if (b->prefix[0] == '\0')
		return 0;
	return buf_printf(ini,
			  "[bus]\nkind = kafka\n[kafka]\nbrokers = %s\nsecurity = "
			  "plaintext\ntopic_prefix = %s\ngroup_prefix = %s\n"
			  "partitions = 3\nreplication = %d\nmin_insync = %d\n",
			  programs ? programs : kafka_shared(&e), b->prefix, b->prefix, n > 3 ? 3 : n, n > 1 ? 2 : 1);
}

int which_bus_load(struct which_bus *b, const char *ini, struct err *e)
{
	struct complaints *why = calloc(1, sizeof *why);
	int rc = 0;

	if (why == NULL || conf_load(&b->conf, ini, why) < 0)
		rc = err_set(e, ERR_CONF, "%s:%d: %s", ini, why ? why->at[0].line : 0,
			     why ? why->at[0].text : "no memory");
	free(why);
	if (rc == 0 && b->prefix[0])
		snprintf(b->conf.kafka.brokers, sizeof b->conf.kafka.brokers, "%s", kafka_shared(e));
	return rc;
}

struct bus_options which_bus_options(const struct which_bus *b, const char *role)
{
	return (struct bus_options){.dir = b->dir, .role = role, .conf = &b->conf};
}

int which_bus_drain(const struct which_bus *b, struct bus_reader *r, const char *topic,
		    which_bus_take *take, void *arg, struct err *e)
{
	int64_t ends[BUS_PARTITIONS_MAX], until = clock_monotonic() + DRAIN_MS;
	const struct bus_record *records;
	char name[300];
	int count = 0, n;

	snprintf(name, sizeof name, "%s%s", b->prefix, topic);
	if (b->prefix[0] &&
	    (count = kafka_ends(kafka_shared(e), name, ends, BUS_PARTITIONS_MAX, e)) < 0)
		return -1;
	while ((n = bus_read(r, READ_MAX, &records, e)) >= 0) {
		for (int i = 0; i < n; i++)
			if (take && take(arg, &records[i], e) < 0)
				return -1;
		if (n > 0)
			continue;
		if (at_ends(r, ends, count))
			return 0;
		if (clock_monotonic() > until)
			return err_set(e, ERR_TEMP, "topic %s: its end does not come", name);
		poll(NULL, 0, 1);
	}
	return -1;
}

int which_bus_dump(const struct which_bus *b, struct buf *out, struct err *e)
{
	return b->prefix[0] ? kafka_dump(kafka_shared(e), b->prefix, out, e) : 0;
}

static int brokers(void)
{
	const char *text = getenv("QIAO_KAFKA_BROKERS");
	int64_t n;

	return text && str_int(str_of(text), 1, 100, &n) == 0 ? (int)n : 1;
}

static bool at_ends(struct bus_reader *r, const int64_t *ends, int count)
{
	struct bus_position at[BUS_PARTITIONS_MAX];
	int known = bus_tell(r, at), there = 0;

	for (int i = 0; i < known && count > 0; i++)
		there += at[i].next >= ends[at[i].partition];
	return there >= count;
}
