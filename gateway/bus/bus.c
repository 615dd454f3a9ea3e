/* The one interface over its two implementations. */
#include "bus/bus.h"
#include "bus/kafka.h"
#include "bus/local.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct bus { /* one of the two */
	struct local *local;
	struct kafka *kafka;
};
struct bus_reader {
	struct local_reader *local;
	struct kafka_reader *kafka;
};

struct local *local_of(struct bus *b)
{
	return b->local;
}

static bool on_kafka(const struct bus_options *o)
{
	return o->conf && strcmp(o->conf->bus.kind, "kafka") == 0;
}

int bus_check(const struct conf *c, struct err *e)
{
	return strcmp(c->bus.kind, "kafka") == 0 ? kafka_properties_check(c, e) : 0;
}

int bus_open(struct bus **out, const struct bus_options *o, struct err *e)
{
	struct bus *b = calloc(1, sizeof *b);
	int rc;

	*out = NULL;
	if (b == NULL)
		return err_set(e, ERR_TEMP, "bus: out of memory");
	rc = on_kafka(o) ? kafka_open(&b->kafka, o, e) : local_open(&b->local, o, e);
	if (rc < 0)
		free(b);
	else
		*out = b;
	return rc;
}

void bus_close(struct bus *b)
{
	if (b == NULL)
		return;
	if (b->kafka)
		kafka_close(b->kafka);
	else
		local_close(b->local);
	free(b);
}

void bus_set_ledger(struct bus *b, const char *ledger)
{
	if (b->kafka)
		kafka_set_ledger(b->kafka, ledger);
	else
		local_set_ledger(b->local, ledger);
}

int bus_init(const struct bus_options *o, struct err *e)
{
	return on_kafka(o) ? kafka_init(o, e) : local_init(o->dir, e);
}

int bus_layout(const struct bus_options *o, int *partitions, struct err *e)
{
	if (on_kafka(o))
		return kafka_layout(o, partitions, e);
	for (int i = 0; i < topic_count; i++)
		partitions[i] = 1;
	return 0;
}

int bus_partitions(struct bus *b, const char *topic)
{
	return b->kafka ? kafka_partitions(b->kafka, topic) : 1;
}

int bus_partition_of(struct bus *b, const char *topic, struct str key)
{
	return b->kafka ? kafka_partition_of(b->kafka, topic, key) : 0;
}

int bus_publish(struct bus *b, const char *topic, const struct bus_event *ev, struct err *e)
{
	if (b->local)
		return local_publish(b->local, topic, ev, e);
	return kafka_publish(b->kafka, topic, kafka_partition_of(b->kafka, topic, ev->key), ev, e);
}

int bus_publish_to(struct bus *b, const char *topic, int partition, const struct bus_event *ev,
		   struct err *e)
{
	if (b->kafka)
		return kafka_publish(b->kafka, topic, partition, ev, e);
	assert(partition == 0);
	return local_publish(b->local, topic, ev, e);
}

int bus_flush(struct bus *b, struct err *e)
{
	return b->kafka ? kafka_flush(b->kafka, e) : local_flush(b->local, e);
}

static int reader_open(struct bus *b, struct bus_reader **out, const char *topic, const char *group,
		       bool alone, struct err *e)
{
	struct bus_reader *r = calloc(1, sizeof *r);
	int rc;

	*out = NULL;
	if (r == NULL)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", topic);
	rc = b->kafka ? kafka_reader_open(b->kafka, &r->kafka, topic, group, alone, e)
		      : local_reader_open(b->local, &r->local, topic, group, e);
	if (rc < 0)
		free(r);
	else
		*out = r;
	return rc;
}

int bus_reader_open(struct bus *b, struct bus_reader **out, const char *topic, const char *group,
		    struct err *e)
{
	return reader_open(b, out, topic, group, false, e);
}

/* On the local bus a group is one program: the role's lock sees to it. */
int bus_reader_open_alone(struct bus *b, struct bus_reader **out, const char *topic,
			  const char *group, struct err *e)
{
	return reader_open(b, out, topic, group, true, e);
}

void bus_reader_close(struct bus_reader *r)
{
	if (r == NULL)
		return;
	if (r->kafka)
		kafka_reader_close(r->kafka);
	else
		local_reader_close(r->local);
	free(r);
}

int bus_seek(struct bus_reader *r, const struct bus_position *at, int count, struct err *e)
{
	if (r->kafka)
		return kafka_seek(r->kafka, at, count, e);
	assert(count == 1);
	return local_seek(r->local, at, e);
}

int bus_read(struct bus_reader *r, int max, const struct bus_record **records, struct err *e)
{
	return r->kafka ? kafka_read(r->kafka, max, records, e)
			: local_read(r->local, max, records, e);
}

int bus_tell(const struct bus_reader *r, struct bus_position *out)
{
	if (r->kafka)
		return kafka_tell(r->kafka, out);
	*out = local_tell(r->local);
	return 1;
}

unsigned bus_shares(const struct bus_reader *r, struct bus_share *out, int *count)
{
	if (r->kafka)
		return kafka_shares(r->kafka, out, count);
	*out = local_share(r->local);
	*count = 1;
	return 1;
}

int bus_store_position(struct bus_reader *r, struct err *e)
{
	return r->kafka ? kafka_store_position(r->kafka, e) : local_store_position(r->local, e);
}

void bus_note_position(struct bus_reader *r, const char *group)
{
	if (r->kafka)
		kafka_note_position(r->kafka, group);
	else
		local_note_position(r->local, group);
}

int bus_last(struct bus *b, const char *topic, int partition, struct bus_record *out, struct err *e)
{
	if (b->kafka)
		return kafka_last(b->kafka, topic, partition, false, out, e);
	assert(partition == 0);
	return local_last(b->local, topic, (struct str){0}, out, e);
}

int bus_last_marked(struct bus *b, const char *topic, int partition, struct bus_record *out,
		    struct err *e)
{
	return b->kafka ? kafka_last(b->kafka, topic, partition, true, out, e)
			: bus_last(b, topic, partition, out, e);
}

int bus_last_of(struct bus *b, const char *topic, struct str key, struct bus_record *out,
		struct err *e)
{
	return b->kafka ? kafka_last_of(b->kafka, topic, key, out, e)
			: local_last(b->local, topic, key, out, e);
}

int bus_lags(const struct bus_options *o, struct bus_lag *out, int max, int *count, struct err *e)
{
	return on_kafka(o) ? kafka_lags(o, out, max, count, e)
			   : local_lags(o->dir, out, max, count, e);
}

int bus_backup(const struct bus_options *o, const char *dst, int64_t ledger_seq, struct err *e)
{
	return on_kafka(o) ? 0 : local_backup(o->dir, dst, ledger_seq, e);
}
