/* qiao-tax: parse, load, call. */
#include "adapters/tax/tax.h"
#include <stdio.h>
#include <stdlib.h>

struct counter tax_counters[TAX_COUNTERS] = {
	[C_PAYMENTS] = {"payments", "SubsidyPayment events taken", 0},
	[C_REVERSALS] = {"reversals", "PaymentReversal events taken", 0},
	[C_ENQUIRIES] = {"enquiries", "PaymentEnquiry events taken", 0},
	[C_ABSORBED] = {"absorbed", "events about a payment that the same window asked for again",
			0},
	[C_REPEATS] = {"repeats", "events that the gateway published a second time", 0},
	[C_REJECTED] = {"rejected", "events sent to rejects.tax", 0},
	[C_WINDOWS] = {"windows", "windows settled, position stored", 0},
	[C_BATCHES] = {"batches", "batch requests, repeats after a refusal or put-off included", 0},
	[C_SENT] = {"sent", "payments in batches that the bureau may have processed", 0},
	[C_ACCEPTED] = {"accepted", "payments that the bureau accepted at sending", 0},
	[C_REFUSED] = {"refused", "payments that the bureau refused at sending", 0},
	[C_DOUBT] = {"in_doubt", "payments published in doubt", 0},
	[C_RETRIED] =
		{"put_off",
		 "exchanges that will be tried again: never sent, put off, or a query that failed",
		 0},
	[C_HALVED] = {"halved", "batches refused as a whole", 0},
	[C_STRANGERS] = {"strangers", "results about payments that were not asked for, or twice",
			 0},
	[C_QUERIES] = {"queries", "query requests", 0},
	[C_ASKED] = {"asked_before_send", "payments asked for by id before sending", 0},
	[C_ASKED_KNOWN] = {"asked_known", "of those, known to the bureau: not sent", 0},
	[C_ASKED_UNKNOWN] = {"asked_unknown", "of those, unknown to the bureau", 0},
	[C_HELD_BACK] =
		{"held_back",
		 "of those, not sent but put in doubt until the settlement delay has passed", 0},
	[C_TOO_LATE] = {"too_late", "payments whose last day had passed before sending", 0},
	[C_ANSWERED] = {"enquiries_answered", "enquiries that the bureau answered", 0},
	[C_UNKNOWN] = {"enquiries_unknown", "of those, unknown to the bureau", 0},
	[C_CHANGES] = {"changes", "entries of the bureau's change feed", 0},
	[C_CHANGES_REJECTED] = {"changes_rejected", "of those, not readable: sent to rejects.tax",
				0},
};

/* How long a stop may be put off to finish the open window; SIGKILL in the midst of it is harmless,
 * but costs questions. */
enum { DRAIN_MS = 5000, BODY_MAX = 4 << 20 };

static int open_all(struct tax *t, struct role *role, struct err *e);
static int open_payments(struct tax *t, struct err *e);
static int load_reference(struct tax *t, const struct conf *c, struct err *e);
static int drain(struct tax *t, struct err *e);
static void close_all(struct tax *t);

int main(int argc, char **argv)
{
	static struct role role = {
		.name = "tax",
		.summary = "Carries payments to the tax bureau and brings back what became of "
			   "them. Reads the topic payments, sends\n"
			   "batches with control totals, asks by id where a payment may have been "
			   "sent before, follows the bureau's\n"
			   "change feed, publishes the topic collections; fetches the bureau's book when asked (requests, books.tax).\nWhat it cannot process "
			   "goes to rejects.tax.\n"
			   "Settings: section [tax] of the configuration. Exit: 0 stopped, 2 "
			   "configuration, 3 try later,\n"
			   "4 stopped to stay safe (the log names the cure).",
		.counters = {tax_counters, TAX_COUNTERS},
	};
	struct tax *t;
	struct err e = {0};
	int rc = role_start(&role, argc, argv);

	if (rc != 0)
		return rc - 1000;
	t = calloc(1, sizeof *t);
	if (!t)
		err_set(&e, ERR_TEMP, "out of memory");
	if (t && open_all(t, &role, &e) == 0) {
		struct stream streams[] = {{"payments", tax_window_turn, t, 0},
					   {"changes", tax_follow, t, 0},
					   {"book", books_turn, &t->books, 0}};

		role_ready(&role);
		if (adapter_run(&t->adapter, streams, 3, &e) == 0)
			drain(t, &e);
	}
	if (t)
		close_all(t);
	free(t);
	return role_end(&role, e.class ? &e : NULL);
}

static int open_all(struct tax *t, struct role *role, struct err *e)
{
	jsonout_init(&t->body, BODY_MAX);
	jsonout_init(&t->window.json, BODY_MAX);
	buf_init(&t->identity, 4096);
	idle_init(&t->idle, &role->conf);
	if (load_reference(t, &role->conf, e) != 0 ||
	    keyring_open(&t->keys, role->conf.keys.dir, role->name, role->conf.keys.separate_users,
			 e) != 0 ||
	    adapter_open(&t->adapter, role, e) != 0 ||
	    peer_open(&t->peer, &role->conf.tax, role, e) != 0)
		return -1;
	peer_add(&t->peer, &t->batches, "batches");
	peer_add(&t->peer, &t->queries, "queries");
	t->changes = (struct feed){.name = "changes", .path = "/v1/changes", .list = "changes"};
	if (feed_open(&t->changes, &t->adapter, &t->peer, e) != 0 || open_payments(t, e) != 0 ||
	    books_open(&t->books, &t->adapter, &t->peer, t->keys, e) != 0)
		return -1;
	return tax_share(t, e);
}

/* Without keys the bureau may take a payment twice, so nobody else may send beside this program. */
static int open_payments(struct tax *t, struct err *e)
{
	struct role *role = t->adapter.role;

	return role->conf.tax_terms.keys == KEYS_NONE
		       ? bus_reader_open_alone(t->adapter.bus, &t->reader, "payments", role->name, e)
		       : bus_reader_open(t->adapter.bus, &t->reader, "payments", role->name, e);
}

static int load_reference(struct tax *t, const struct conf *c, struct err *e)
{
	struct complaints *why = calloc(1, sizeof *why);
	int rc = -1;

	if (!why)
		return err_set(e, ERR_TEMP, "out of memory");
	rc = reference_load(&t->reference, c, why);
	if (rc != 0)
		err_set(e, ERR_CONF, "reference: %s (run qiao check for all)", why->at[0].text);
	free(why);
	return rc;
}

/* Sees an open window through when nothing but sending is left and the bureau takes it. */
static int drain(struct tax *t, struct err *e)
{
	int64_t until = clock_monotonic() + DRAIN_MS, wait_ms = 0;

	/* Without proof that it does, what would be asked is given up at once in a stop. */
	while (tax_window_sending(t) && t->proven && !backoff_open(&t->peer, &t->batches) &&
	       wait_ms == 0 && clock_monotonic() < until) {
		if (tax_window_turn(t, &wait_ms, e) != 0)
			return -1;
	}
	return adapter_flush(&t->adapter, e);
}

static void close_all(struct tax *t)
{
	bus_reader_close(t->reader);
	books_close(&t->books);
	adapter_close(&t->adapter);
	peer_close(&t->peer);
	reference_free(t->reference);
	keyring_free(t->keys);
	jsonout_fini(&t->body);
	jsonout_fini(&t->window.json);
	buf_fini(&t->identity);
}
