/* qiao-gateway: rules, ledger and statistics. Holds no key and speaks to no outside system; everything comes and goes on the bus. */
#include "base/fs.h"
#include "base/role.h"
#include "crypto/identity.h"
#include "flow/flow.h"
#include "http/registry.h"
#include <stdio.h>
#include <stdlib.h>

static int loop(struct role *role, struct flow *flow, struct registry *registry, struct err *e)
{
	int64_t pause = role->conf.bus.poll_min_ms;
	while (!role_stopping()) {
		bool worked;
		if (flow_turn(flow, &worked, e) != 0 || registry_tick(registry, clock_monotonic(), e) != 0)
			return -1;
		role_tick(role);
		pause = worked ? role->conf.bus.poll_min_ms : pause * 2;
		if (pause > role->conf.bus.poll_max_ms)
			pause = role->conf.bus.poll_max_ms;
		if (!worked)
			role_wait(pause);
	}
	return 0;
}

static int load_reference(struct reference **out, const struct conf *c, struct err *e)
{
	struct complaints *why = calloc(1, sizeof(*why));
	int rc = 0;
	if (!why || reference_load(out, c, why) != 0)
		rc = err_set(e, ERR_CONF, "reference data: %s (qiao check lists all)", why ? why->at[0].text : "out of memory");
	free(why);
	return rc;
}

/* What can be wrong with a stand-by shows when it is started, not in the night in which it is needed: hence keys and reference before
 * the lock. The reference is loaded once more after it, since a stand-by may have waited for months. Nothing is written before.
 * 1: a stop was asked for meanwhile. */
static int get_ready(struct role *role, struct reference **reference, struct err *e)
{
	const struct conf *c = &role->conf;
	if (keyring_check(c->keys.dir, "gateway", c->keys.separate_users, e) != 0 || load_reference(reference, c, e) != 0)
		return -1;
	int rc = role_lock(role, e);
	if (rc != 0)
		return rc;
	reference_free(*reference);
	*reference = NULL;
	return load_reference(reference, c, e);
}

static int run(struct role *role, struct err *e)
{
	const struct conf *c = &role->conf;
	struct flow_parts parts = {.conf = c, .clock = &role->clock};
	struct reference *reference = NULL;
	struct operators *operators = NULL;
	struct flow *flow = NULL;
	struct registry *registry = NULL;
	char ledger[CONF_PATH + 32], bus[CONF_PATH + 32];
	snprintf(ledger, sizeof(ledger), "%s/gateway/ledger.db", c->data.dir);
	snprintf(bus, sizeof(bus), "%s/bus", c->data.dir);
	struct bus_options o = {.dir = bus, .role = "gateway", .conf = c, .waiting = role_going, .arg = role};
	int rc = get_ready(role, &reference, e);
	if (rc != 0)
		goto out;
	rc = operators_load(&operators, c->operators.dir, e);
	if (rc != 0)
		goto out;
	rc = -1;
	parts.reference = reference;
	parts.operators = operators;
	if (registry_codec_open(&parts.codec, &registry, c, role, e) != 0 || bus_open(&parts.bus, &o, e) != 0 ||
	    ledger_open(&parts.ledger, ledger, c->gateway.cache_kib, clock_now(&role->clock), NULL, e) != 0 ||
	    flow_open(&flow, &parts, e) != 0)
		goto out;
	log_info("LEDGER-OPEN", "ledger=%s", ledger_mark(parts.ledger));
	role_ready(role);
	rc = loop(role, flow, registry, e);
out:
	flow_close(flow);
	ledger_close(parts.ledger);
	bus_close(parts.bus);
	registry_codec_close(parts.codec, registry);
	reference_free(reference);
	operators_free(operators);
	return rc;
}

int main(int argc, char **argv)
{
	static struct role role = {
		.name = "gateway",
		.summary = "Takes rosters from the bus, applies the rules of the plan, keeps the ledger, instructs payments, follows what "
			   "the agencies answer and publishes statistics and answers.",
		.can_stand_by = true,
	};
	struct err e = {0};
	role.counters = flow_counters();
	int rc = role_start(&role, argc, argv);
	if (rc != 0)
		return rc - 1000;
	return role_end(&role, run(&role, &e) >= 0 ? NULL : &e);
}
