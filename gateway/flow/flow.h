/* The flow: what the gateway does with events. One loop (design, section 5):
 *
 *     take a batch from the bus -> decide (pure domain code) -> one transaction: {facts, history, positions, waiting, outbox}
 *     -> commit -> publish the outbox in order -> on delivery, move the high-water mark
 *
 * Bus, ledger, clock and reference data come in as parameters, so that a test can run the whole of it in one process. */
#ifndef QIAO_FLOW_FLOW_H
#define QIAO_FLOW_FLOW_H
#include "base/clock.h"
#include "base/conf.h"
#include "base/counters.h"
#include "bus/bus.h"
#include "crypto/operator.h"
#include "events/events.h"
#include "flow/reference.h"
#include "ledger/ledger.h"

struct flow;
struct flow_parts { /* all borrowed for the life of the flow */
	const struct conf *conf;
	struct clock *clock;
	const struct reference *reference;
	struct bus *bus;
	struct ledger *ledger;
	struct codec *codec;
	const struct operators *operators; /* who may decide; NULL: nobody */
};
/* Checks that ledger and bus belong together (ERR_SAFE: the bus has newer events of this ledger, or another ledger's; positions
 * that do not fit), publishes what the outbox still holds. */
int flow_open(struct flow **out, const struct flow_parts *parts, struct err *e);
void flow_close(struct flow *f);
/* One turn: at most a batch of each topic, a step of what is going on inside, what came due. *worked = something was done.
 * After -1 the transaction is gone and the flow must not be used again: end the process. */
int flow_turn(struct flow *f, bool *worked, struct err *e);
struct counters flow_counters(void);

#endif
