/* On which bus a test runs: BUS=local, the default, or BUS=kafka in the environment.
 *
 * On Kafka each world has topics and groups of its own on a broker that all share (QIAO_KAFKA, else one that this process starts), by
 * a prefix that no other world has; they are deleted when it ends. QIAO_KAFKA_PROGRAMS: where programs find the broker when that is
 * not where the test itself does, by a proxy. */
#ifndef QIAO_TESTS_LIB_WHICH_BUS_H
#define QIAO_TESTS_LIB_WHICH_BUS_H
#include "base/buf.h"
#include "bus/bus.h"

bool on_kafka(void);

struct which_bus {
	char prefix[40];  /* of topics and groups; "" on the local bus */
	char dir[512];	  /* of the local bus; nothing is there on Kafka */
	struct conf conf; /* as the programs have it, once which_bus_load was called */
};
/* data: the folder of qiao.ini's [data] dir. Starts the broker where there is none. */
int which_bus_open(struct which_bus *b, const char *data, struct err *e);
/* Fine when not open. What is left behind by a member that was killed goes with its session. */
void which_bus_close(struct which_bus *b);
/* Lines of qiao.ini, sections with their heads: on the local bus none. */
int which_bus_put(const struct which_bus *b, struct buf *ini);
int which_bus_load(struct which_bus *b, const char *ini, struct err *e);
/* What bus_open and the others want of a test that speaks in a role's place. */
struct bus_options which_bus_options(const struct which_bus *b, const char *role);

/* Reads to the end that the topic has now; take gets each event, and may end it with -1. Unlike bus_read alone it does not take "not
 * fetched yet" for the end. */
typedef int which_bus_take(void *arg, const struct bus_record *r, struct err *e);
int which_bus_drain(const struct which_bus *b, struct bus_reader *r, const char *topic,
		    which_bus_take *take, void *arg, struct err *e);
/* Keys, headers and values of all topics, one behind the other, and the names of topics, groups: what Kafka's consumers see. Nothing on
 * the local bus, whose files are there to be read. */
int which_bus_dump(const struct which_bus *b, struct buf *out, struct err *e);

#endif
