/* The loop: one batch of each topic, one transaction, then the outbox. */
#include "flow/flow.h"
#include "flow/internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct counter flow_counter[FLOW_COUNTERS] = {
	[C_ROWS] = {"rows", "rows staged", 0},
	[C_SUBMISSIONS] = {"submissions", "attempts of submissions opened", 0},
	[C_REPEATED_SUBMISSIONS] = {"submissions_repeated", "closed submissions published again: ignored", 0},
	[C_VOIDED_ATTEMPTS] = {"attempts_voided", "unclosed attempts replaced", 0},
	[C_COVERS] = {"covers", "covers taken", 0},
	[C_OLD_COVERS] = {"covers_old", "covers older than the one at hand: ignored", 0},
	[C_PLANS] = {"plans", "versions of plans taken", 0},
	[C_OLD_PLANS] = {"plans_old", "versions of plans older than the one at hand, and repeats", 0},
	[C_FILED] = {"filed", "rows that became payments", 0},
	[C_REJECTED] = {"rejected", "rows rejected", 0},
	[C_REPEATS] = {"repeats", "rows that name a live payment", 0},
	[C_ENQUIRIES] = {"enquiries", "contributions asked for", 0},
	[C_KNOWN] = {"enquiries_spared", "payments instructed on the word of the check", 0},
	[C_STATUSES] = {"statuses", "contribution statuses read", 0},
	[C_OLD_STATUSES] = {"statuses_old", "older than known: ignored", 0},
	[C_INSTRUCTED] = {"instructed", "payments instructed", 0},
	[C_INSTRUCTED_AGAIN] = {"instructed_again", "after the bureau said it never came", 0},
	[C_RESULTS] = {"results", "collection results read", 0},
	[C_OLD_RESULTS] = {"results_old", "repeats and older: absorbed", 0},
	[C_EARLY] = {"results_early", "before their payment was filed: kept", 0},
	[C_DOUBTS] = {"doubts", "payments that went into doubt", 0},
	[C_PAYMENT_ENQUIRIES] = {"payment_enquiries", "payments asked for by id", 0},
	[C_FAILED] = {"failed", "refused by the bureau", 0},
	[C_PAID] = {"paid", "paid", 0},
	[C_IN_TREASURY] = {"in_treasury", "in the treasury", 0},
	[C_REFUNDED] = {"refunded", "refunded or debited", 0},
	[C_CREDITED] = {"credited", "credited to the account", 0},
	[C_CREDIT_REFUSED] = {"credit_refused", "refused by the SSA", 0},
	[C_DEBIT_REFUSED] = {"debit_refused", "refunded by the bureau, and the SSA could not take it off", 0},
	[C_EXPIRED] = {"expired", "rows and payments that expired", 0},
	[C_WITHDRAWN] = {"withdrawn", "rows taken out again", 0},
	[C_REVERSALS] = {"reversals", "the bureau was asked to refund", 0},
	[C_REVERSALS_REFUSED] = {"reversals_refused", "and does not", 0},
	[C_DIFFERENCES] = {"differences", "two sides tell differently: a person must look", 0},
	[C_ADOPTED] = {"adopted", "payments of a lost life that a row claimed", 0},
	[C_OPERATIONS] = {"operations", "decisions of people carried out", 0},
	[C_OPERATIONS_REFUSED] = {"operations_refused", "decisions of people that were refused", 0},
	[C_REJECTS] = {"rejects", "events that could not be processed", 0},
	[C_REJECTS_RELEASED] = {"rejects_released", "rejected events taken again", 0},
	[C_REJECTS_DISCARDED] = {"rejects_discarded", "rejected events that a person discarded", 0},
	[C_FLOWS_STOPPED] = {"flows_stopped", "inputs stopped because too much of them was rejected", 0},
	[C_TRANSACTIONS] = {"transactions", "ledger transactions", 0},
	[C_EVENTS_OUT] = {"events_out", "events decided", 0},
};

struct counters flow_counters(void)
{
	return (struct counters){flow_counter, FLOW_COUNTERS};
}

#define CURE_BOTH "Restore bus and ledger from the same backup"
#define CURE_ADOPT "let a restored ledger adopt what the bus says: qiao adopt"

static const char *const inputs[INPUTS] = {
	[IN_SUBMISSIONS] = "submissions", [IN_OPERATIONS] = "operations", [IN_CONTRIBUTIONS] = "contributions",
	[IN_COLLECTIONS] = "collections", [IN_CREDITS] = "credits",
	[IN_BOOKS_TAX] = "books.tax", [IN_BOOKS_SSA] = "books.ssa",
};

static const struct {
	int input;
	enum event_type type;
	event_fn *fn;
} handlers[] = {
	{IN_SUBMISSIONS, EV_SUBSIDY_DECLARED, on_subsidy_declared},
	{IN_SUBMISSIONS, EV_SUBMISSION_OPENED, on_submission_opened},
	{IN_SUBMISSIONS, EV_SUBMISSION_CLOSED, on_submission_closed},
	{IN_SUBMISSIONS, EV_GATE_DOCUMENTS, on_gate_documents},
	{IN_OPERATIONS, EV_OPERATION, on_operation},
	{IN_SUBMISSIONS, EV_SUBSIDY_PLAN, on_subsidy_plan},
	{IN_CONTRIBUTIONS, EV_CONTRIBUTION_STATUS, on_contribution_status},
	{IN_CONTRIBUTIONS, EV_CONTRIBUTION_FEED_REACHED, on_feed_reached},
	{IN_COLLECTIONS, EV_COLLECTION_RESULT, on_collection_result},
	{IN_CREDITS, EV_ACCOUNT_CREDITED, on_credit_result},
	{IN_CREDITS, EV_CREDIT_REFUSED, on_credit_result},
	{IN_CREDITS, EV_ACCOUNT_DEBITED, on_credit_result},
	{IN_CREDITS, EV_DEBIT_REFUSED, on_credit_result},
	{IN_BOOKS_TAX, EV_BOOK_ENTRY, on_tax_book},
	{IN_BOOKS_TAX, EV_BOOK_OPENED, on_tax_book},
	{IN_BOOKS_TAX, EV_BOOK_CLOSED, on_tax_book},
	{IN_BOOKS_SSA, EV_BOOK_ENTRY, on_ssa_book},
	{IN_BOOKS_SSA, EV_BOOK_OPENED, on_ssa_book},
	{IN_BOOKS_SSA, EV_BOOK_CLOSED, on_ssa_book},
};

const char *flow_input(int input)
{
	return inputs[input];
}

int flow_handle(struct flow *f, int input, const struct bus_record *r, struct err *e)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].input == input && str_is(r->event.type, event_name(handlers[i].type)))
			return handlers[i].fn(f, r, e);
	return flow_reject(f, inputs[input], r, "unknown_type", NULL, e);
}

static int topic_index(const char *base)
{
	char own[64];
	for (int i = 0; i < topic_count; i++) {
		if (strcmp(topics[i].producer, "gateway") != 0)
			continue;
		if (strcmp(topics[i].name, base) == 0)
			return i;
		if (str_copy(own, sizeof(own), str_of(base)) == 0 && strncmp(topics[i].name, own, strlen(own)) == 0 &&
		    strcmp(topics[i].name + strlen(own), ".gateway") == 0)
			return i;
	}
	return -1;
}

/* "<id>/<epoch>" */
int64_t flow_epoch_of(struct str mark)
{
	const char *slash = memchr(mark.p, '/', mark.n);
	int64_t epoch = 0;
	if (slash)
		(void)str_int((struct str){slash + 1, mark.n - (size_t)(slash + 1 - mark.p)}, 0, INT64_MAX, &epoch);
	return epoch;
}

/* One partition of what the gateway produced. Newer events of this ledger than the ledger remembers: it is an old copy, and deciding
 * again could double. Older than what it knows to be there: the bus is an old copy or was made anew, and what it lost nobody would say
 * again. */
static int check_partition(struct flow *f, int topic, int partition, int64_t *on_bus, struct err *e)
{
	const char *name = topics[topic].name, *mark = ledger_mark(f->p.ledger);
	int64_t delivered = outbox_delivered(f->p.ledger)->seq[topic][partition];
	size_t id_len = strcspn(mark, "/");
	struct bus_record last = {0};
	int got = bus_last_marked(f->p.bus, name, partition, &last, e);
	*on_bus = 0;
	if (got < 0)
		return -1;
	/* Empty, and not because the oldest events were kept long enough. */
	if (got == 0 && delivered > 0 && last.offset == 0)
		return err_set(e, ERR_SAFE,
			       "topic %s partition %d is empty, and event %" PRId64
			       " of this ledger was there: the topic was made anew or lost; " CURE_BOTH,
			       name, partition, delivered);
	if (got == 0)
		return 0;
	if (!last.ledger.p || last.ledger.n <= id_len || memcmp(last.ledger.p, mark, id_len) != 0)
		return err_set(e, ERR_SAFE,
			       "topic %s holds events of another ledger: bus and ledger do not belong together; restore "
			       "both from the same backup",
			       name);
	bool adopts = ledger_adopting(f->p.ledger)->phase == ADOPT_ORDERED;
	if (!adopts && flow_epoch_of(last.ledger) > flow_epoch_of(str_of(mark)))
		return err_set(e, ERR_SAFE,
			       "topic %s holds events of a later life of this ledger, one that was restored from its backup; go "
			       "on with that one, never with both. If it is lost: " CURE_ADOPT,
			       name);
	if (!adopts && last.event.seq > ledger_outbox_seq(f->p.ledger))
		return err_set(e, ERR_SAFE,
			       "ledger is older than the bus: topic %s holds event %" PRId64 ", the ledger knows up to %" PRId64
			       "; going on could pay twice. Restore the newest ledger, or bus and ledger from the same backup; where the "
			       "bus has none, " CURE_ADOPT,
			       name, last.event.seq, ledger_outbox_seq(f->p.ledger));
	if (last.event.seq < delivered)
		return err_set(e, ERR_SAFE,
			       "bus is older than the ledger: the newest event of topic %s partition %d is %" PRId64 ", and %" PRId64
			       " was there; payments would be lost. " CURE_BOTH,
			       name, partition, last.event.seq, delivered);
	*on_bus = last.event.seq;
	return 0;
}

static int check_bus(struct flow *f, struct outbox_marks *on_bus, struct err *e)
{
	for (int i = 0; i < topic_count; i++) {
		int count = strcmp(topics[i].producer, "gateway") == 0 ? bus_partitions(f->p.bus, topics[i].name) : 0;
		for (int n = 0; n < count; n++)
			if (check_partition(f, i, n, &on_bus->seq[i][n], e) != 0)
				return -1;
	}
	return 0;
}

/* Payments that live on need their year's policy. */
static int check_years(struct flow *f, struct err *e)
{
	int years[64], n;
	if (ledger_years(f->p.ledger, years, 64, &n, e) != 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (!reference_policy(f->p.reference, years[i]))
			return err_set(e, ERR_CONF, "the ledger has declarations of %d, and there is no policy file of that year",
				       years[i]);
	return 0;
}

static int open_inputs(struct flow *f, struct err *e)
{
	for (int i = 0; i < INPUTS; i++) {
		struct input *in = &f->in[i];
		if (bus_reader_open(f->p.bus, &in->reader, inputs[i], NULL, e) != 0 ||
		    ledger_positions(f->p.ledger, inputs[i], in->at, &in->partitions, e) != 0 ||
		    bus_seek(in->reader, in->at, in->partitions, e) != 0)
			return -1;
	}
	return breakers_load(f, e);
}

/* Puts down where reading goes on, of the partitions that brought something. */
static int put_positions(struct flow *f, int input, const struct bus_position *now, int count, struct err *e)
{
	struct input *in = &f->in[input];
	for (int i = 0; i < count; i++)
		for (int k = 0; k < in->partitions; k++) {
			if (in->at[k].partition != now[i].partition || in->at[k].next == now[i].next)
				continue;
			in->at[k] = now[i];
			if (ledger_position_put(f->p.ledger, inputs[input], &now[i], e) != 0)
				return -1;
		}
	return 0;
}

/* Passes that an earlier life left unfinished. */
static int find_active(struct flow *f, struct err *e)
{
	struct submission *s;
	for (int state = 0; state < SUB_STATES; state++)
		for (int64_t after = 0; filing_going((enum sub_state)state); after = s->no) {
			if (submission_next(f->p.ledger, after, (enum sub_state)state, 0, &s, e) != 0)
				return -1;
			if (!s)
				break;
			if (flow_activate(f, s->no, e) != 0)
				return -1;
		}
	ledger_rollback(f->p.ledger); /* nothing was written; drops the cache */
	return 0;
}

/* A copy that fits the bus, or adopts what is newer there, is the living ledger from here on. */
static int fit(struct flow *f, struct err *e)
{
	struct ledger *l = f->p.ledger;
	if (ledger_adopting(l)->phase == ADOPT_ORDERED ? adopt_take(f, e) != 0 : ledger_woken(l) && ledger_settle(l, e) != 0)
		return -1;
	bus_set_ledger(f->p.bus, ledger_mark(l));
	return 0;
}

static int go_on_adopting(struct flow *f, struct err *e)
{
	ledger_set_now(f->p.ledger, f->now);
	f->due_at = INT64_MAX;
	return adopt_reading(f) && (adopt_ends(f, e) != 0 || adopt_known(f, e) != 0) ? -1 : 0;
}

int flow_open(struct flow **out, const struct flow_parts *parts, struct err *e)
{
	struct flow *f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(e, ERR_TEMP, "flow: out of memory");
	f->p = *parts;
	buf_init(&f->body, 1 << 20);
	buf_init(&f->cover, 1 << 20);
	buf_init(&f->signed_text, 1 << 16);
	f->operations_held = true; /* until somebody has looked */
	buf_init(&f->plan, 1 << 20);
	buf_init(&f->released, REJECT_BYTES_MAX);
	for (int i = 0; i < 3; i++)
		buf_init(&f->early[i], 1 << 20);
	for (int t = 0; t < EVENT_TYPES; t++)
		f->out_topic[t] = topic_index(event_topic((enum event_type)t));
	struct outbox_marks *on_bus = calloc(1, sizeof(*on_bus));
	if (!on_bus)
		err_set(e, ERR_TEMP, "flow: out of memory");
	f->now = clock_now(parts->clock);
	if (!on_bus || check_years(f, e) != 0 || check_bus(f, on_bus, e) != 0 || fit(f, e) != 0 || open_inputs(f, e) != 0 ||
	    outbox_publish(parts->ledger, parts->bus, on_bus, e) != 0 || go_on_adopting(f, e) != 0 || find_active(f, e) != 0 ||
	    reconcile_open(f, e) != 0) {
		free(on_bus);
		flow_close(f);
		return -1;
	}
	free(on_bus);
	f->due_at = waiting_next(parts->ledger);
	*out = f;
	return 0;
}

void flow_close(struct flow *f)
{
	if (!f)
		return;
	reconcile_close(f);
	for (int i = 0; i < INPUTS; i++)
		bus_reader_close(f->in[i].reader);
	buf_fini(&f->body);
	buf_fini(&f->cover);
	buf_fini(&f->signed_text);
	buf_fini(&f->plan);
	buf_fini(&f->released);
	for (int i = 0; i < 3; i++)
		buf_fini(&f->early[i]);
	free(f->active);
	free(f);
}

/* Only the first `done` of a batch were handled: reading goes on behind them, when it goes on. */
static int stop_reading(struct flow *f, int input, const struct bus_record *records, int done, int n, struct err *e)
{
	struct bus_position now[BUS_PARTITIONS_MAX];
	struct input *in = &f->in[input];
	int count = bus_tell(in->reader, now);
	for (int k = 0; k < count; k++) {
		struct bus_position *p = &now[k];
		bool left = false;
		for (int i = done; i < n && !left; i++)
			left = records[i].partition == p->partition;
		for (int i = 0; left && i < in->partitions; i++)
			if (in->at[i].partition == p->partition)
				*p = in->at[i];
		for (int i = 0; left && i < done; i++)
			if (records[i].partition == p->partition)
				*p = (struct bus_position){p->partition, records[i].offset + 1, records[i].event.id};
	}
	if (put_positions(f, input, now, count, e) != 0 || breaker_stop(f, input, e) != 0)
		return -1;
	bus_reader_close(in->reader);
	in->reader = NULL;
	return bus_reader_open(f->p.bus, &in->reader, inputs[input], NULL, e) != 0 ||
			       bus_seek(in->reader, in->at, in->partitions, e) != 0
		       ? -1
		       : 0;
}

static int take_batch(struct flow *f, int input, struct err *e)
{
	const struct bus_record *records;
	struct bus_position now[BUS_PARTITIONS_MAX];
	struct input *in = &f->in[input];
	if (in->breaker.stopped && !adopt_reading(f)) { /* an adoption reads all there is: it ends no other way */
		f->rosters_unread = f->rosters_unread || input == IN_SUBMISSIONS;
		return 0;
	}
	int n = bus_read(in->reader, (int)f->p.conf->gateway.batch_events, &records, e);
	if (input == IN_SUBMISSIONS)
		f->rosters_unread = n > 0;
	if (n <= 0)
		return n;
	f->touched = true;
	for (int i = 0; i < n; i++) {
		f->rejected = false;
		if (flow_handle(f, input, &records[i], e) != 0)
			return err_wrap(e, "%s/%d at %" PRId64, inputs[input], records[i].partition, records[i].offset);
		if (breaker_trips(f, input))
			return stop_reading(f, input, records, i + 1, n, e);
	}
	return put_positions(f, input, now, bus_tell(in->reader, now), e);
}

static int step_passes(struct flow *f, struct err *e)
{
	int64_t rows = 0; /* of this turn: a transaction stays bounded whatever lies waiting */
	int kept = 0;
	for (int i = 0; i < f->active_count; i++) {
		struct submission *s;
		int64_t no = f->active[i];
		if (no > 0 && rows < f->p.conf->gateway.batch_events) {
			if (submission_get(f->p.ledger, no, &s, e) != 0 || (s && filing_step(f, s, &rows, e) != 0))
				return -1;
			if (!s || !filing_going(s->state))
				continue;
			if (s->held)
				no = -no;
		}
		f->active[kept++] = no;
	}
	f->active_count = kept;
	return 0;
}

static int turn(struct flow *f, struct err *e)
{
	bool behind;
	if (day_cut_step(f, &behind, e) != 0)
		return -1;
	if (behind)
		return 0;
	for (int i = 0; i < INPUTS; i++)
		if (take_batch(f, i, e) < 0)
			return -1;
	bool reading = adopt_reading(f); /* then nothing comes due: it may have been answered, a little further on */
	if ((!reading && operations_step(f, e) != 0) || step_passes(f, e) != 0 || (!reading && (waiting_step(f, e) != 0 || cutoff_step(f, e) != 0)) || adopt_step(f, e) != 0 ||
	    reconcile_step(f, e) != 0 || flow_answer_submissions(f, e) != 0)
		return -1;
	return flow_publish_statistics(f, e);
}

int flow_turn(struct flow *f, bool *worked, struct err *e)
{
	struct ledger *l = f->p.ledger;
	f->now = clock_now(f->p.clock);
	f->touched = false;
	ledger_set_now(l, f->now);
	if (ledger_begin(l, e) != 0)
		return -1;
	if (turn(f, e) != 0) {
		ledger_rollback(l);
		return -1;
	}
	*worked = f->touched;
	if (!f->touched && !outbox_dirty(l)) {
		ledger_rollback(l);
		return 0;
	}
	if (ledger_commit(l, e) != 0) {
		ledger_rollback(l);
		return -1;
	}
	COUNT(C_TRANSACTIONS);
	if (outbox_publish(l, f->p.bus, NULL, e) != 0)
		return -1;
	for (int i = 0; i < INPUTS && f->touched; i++)
		bus_note_position(f->in[i].reader, "gateway");
	return 0;
}
