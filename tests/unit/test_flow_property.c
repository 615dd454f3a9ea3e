/* Whatever village, bureau and SSA do, in whatever order, with restarts and a clock that jumps: a seeded random life of one gateway,
 * and what must hold after each step of it.
 *
 * The test is the outside: rosters that overlap, covers, an SSA that answers late or twice, a bureau with a book of its own that
 * takes, refuses, loses or delays payments and tells so in any order. The book is the referee: no payment twice, no tuple alive
 * twice, nobody above the highest tier, and in the end the ledger says what the book says. After each batch of a few steps what the
 * gateway wrote is compared with a count of its own (watch.h); now and then all is counted anew.
 *
 * QIAO_SEED=n gives another life. QIAO_STEPS=n lives n steps, in many small worlds with seeds of their own (make soak). */
#include "base/date.h"
#include "ledger/internal.h"
#include "tests/lib/flow_world.h"
#include "tests/lib/printed.h"
#include "tests/lib/unit.h"
#include "tests/lib/watch.h"
#include "base/log.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
	STEPS = 6000, LEAST = 1500, BUDGET_MS = 3000, /* of each test; who is slow takes fewer steps, but never too few to see anything */
	WORLD_STEPS = 5000,             /* of a world in a long life: what it keeps stays small */
	BATCH_MAX = 12, ALL_EVERY = 50, /* steps between two looks; looks between two recounts */
	PERSONS = 150, EARLY = 20, ALL_PERSONS = 1 + PERSONS + EARLY,
	SUBS_MAX = 2000, BOOK_MAX = 8192, UNDO_MAX = 2048, QUEUE_MAX = 16384, ROWS_MAX = 14,
	MINUTE = 60000, PRINTED_MAX = 1000,
};
#define HIGHEST_TIER 500000

static const struct sponsor {
	enum sponsor_type type;
	const char *name, *village;
} sponsors[] = {
	{SPONSOR_COLLECTIVE, "S1", FW_VILLAGE},   {SPONSOR_COLLECTIVE, "S9", FW_VILLAGE_2}, {SPONSOR_CHARITY, "S2", FW_VILLAGE},
	{SPONSOR_ORGANIZATION, "S3", FW_VILLAGE}, {SPONSOR_COMMITTEE, "S5", FW_VILLAGE_2},
};
enum { SPONSORS = COUNT(sponsors), FOR_EARLY = 2 };

enum fate { NONE, ACCEPTED, PAID, IN_TREASURY, REFUNDED, FAILED };
static const char *const words[] = {"", "accepted", "paid", "in_treasury", "refunded", "failed"};

struct entry { /* of the bureau's book */
	struct id pid, token;
	int64_t amount_fen, effect_at; /* in the book from then on */
	int64_t sequence;
	enum fate fate;
	bool fed, credit_told, debit_told; /* what the SSA did */
	int64_t credit_sequence;
};
struct undo { /* a reversal in the bureau's book */
	struct id id, pid;
	int64_t effect_at, sequence;
	bool refused, done;
	const char *reason;
};
struct sub {
	struct fw_draft draft;
	char sender[8], name[16];
	int sponsor, rows;
	struct fw_row row[ROWS_MAX];
	bool closed, covered;
};
struct told { /* a result on its way, and any that was told once */
	struct collection_result r;
	char state[20];
};
struct credit {
	enum event_type t;
	struct credit_result c;
};
struct seen { /* answers of one row */
	struct id sub;
	int row, version;
	bool used, final;
};

struct life {
	struct flow_world w;
	struct watch *watch;
	uint64_t rng;
	int64_t sequence;
	bool faults, keyed;
	int each_rebuilt, moments_looked_at, restart_percent; /* fewer in each of the many worlds of a long life */
	struct sub subs[SUBS_MAX];
	int sub_count;
	struct entry book[BOOK_MAX];
	int book_count;
	struct undo undo[UNDO_MAX];
	int undo_count;
	struct told queue[QUEUE_MAX], past[QUEUE_MAX];
	int queued, past_count;
	struct credit credits[QUEUE_MAX];
	int credit_count;
	bool arrived[ALL_PERSONS], declared[ALL_PERSONS], early[ALL_PERSONS];
	int64_t person_sequence[ALL_PERSONS];
	int asked[QUEUE_MAX];
	int asked_count;
	struct bus_reader *payments, *enquiries, *feedback, *answers;
	struct seen seen[1 << 15];
	int restarts, sends, refunds, reversals, reversals_refused, reversal_doubts, doubts, withdrawals, looks, checks;
	struct printed printed[PRINTED_MAX];
	int printed_count;
};

/* ---- chance ---- */

static uint64_t chance(struct life *l, uint64_t n)
{
	l->rng ^= l->rng << 13;
	l->rng ^= l->rng >> 7;
	l->rng ^= l->rng << 17;
	return (l->rng >> 16) % n;
}

static bool percent(struct life *l, int p)
{
	return chance(l, 100) < (uint64_t)p;
}

static int64_t now(struct life *l)
{
	return clock_now(&l->w.clock);
}

static void set_clock(struct life *l, int64_t t)
{
	char text[40];
	fw_time(&l->w, time_text(text, t));
}

/* ---- the village ---- */

static int64_t amount_of(int person, int sponsor)
{
	static const int64_t standards[] = {20000, 50000, 60000, 300000}, others[] = {30000, 100000, 250000, 450000};
	unsigned h = (unsigned)person * 2654435761u ^ (unsigned)sponsor * 40503u;
	return sponsors[sponsor].type == SPONSOR_COLLECTIVE ? standards[h >> 8 & 3] : others[h >> 8 & 3];
}

static void write_rows(struct life *l, struct sub *s)
{
	static const char *const defects[] = {"id_check_digit", "amount_not_a_number", "name_missing"};
	s->rows = 1 + (int)chance(l, ROWS_MAX);
	for (int i = 0; i < s->rows; i++) {
		struct fw_row *r = &s->row[i];
		int person = 1 + (int)chance(l, PERSONS);
		if (s->sponsor == FOR_EARLY && percent(l, 15))
			person = PERSONS + 1 + (int)chance(l, EARLY);
		bool plain = person > PERSONS;
		*r = (struct fw_row){person, amount_of(person, s->sponsor), NULL};
		l->declared[person] = true;
		if (!plain && percent(l, 5))
			r->amount_fen = 50000;
		if (!plain && percent(l, 8)) {
			r->defect = defects[chance(l, 3)];
			r->person = r->defect[0] == 'i' ? 0 : person;
			r->amount_fen = r->defect[0] == 'a' ? -1 : r->amount_fen;
		}
		if (i > 0 && !plain && percent(l, 4))
			*r = s->row[i - 1];
	}
}

static void open_roster(struct life *l, struct sub *s)
{
	s->draft = fw_draft_open(&l->w, s->sender, s->name, sponsors[s->sponsor].village);
}

static void new_roster(struct life *l)
{
	if (l->sub_count == SUBS_MAX)
		return;
	struct sub *s = &l->subs[l->sub_count++];
	s->sponsor = (int)chance(l, SPONSORS);
	snprintf(s->sender, sizeof s->sender, "v%d", (int)chance(l, 3));
	snprintf(s->name, sizeof s->name, "r%d", l->sub_count);
	write_rows(l, s);
	open_roster(l, s);
	s->closed = percent(l, 92);
	fw_draft_rows(&l->w, &s->draft, s->row, s->closed ? s->rows : (int)chance(l, (uint64_t)s->rows + 1));
	if (s->closed)
		fw_draft_close(&l->w, &s->draft);
}

/* Published again: an unclosed one goes through, a closed one is a repeat. */
static void roster_again(struct life *l, struct sub *s)
{
	open_roster(l, s);
	fw_draft_rows(&l->w, &s->draft, s->row, s->rows);
	fw_draft_close(&l->w, &s->draft);
	s->closed = true;
}

static void cover(struct life *l, struct sub *s)
{
	char text[40];
	fw_cover(&l->w, s->draft.sub, sponsors[s->sponsor].village, sponsors[s->sponsor].type, sponsors[s->sponsor].name,
		 time_text(text, now(l)));
	s->covered = true;
}

/* ---- the SSA ---- */

static void status(struct life *l, int person, bool older)
{
	struct ev_contribution entry = {2026, STR("10"), STR("1"), 100000, 20700, {l->arrived[person], 20701}, {0}};
	struct contribution_status s = {.token = fw_token(person), .as_of = now(l), .insured = person % 17 != 0,
					.sequence = l->person_sequence[person] - older, .insured_state = STR("1"),
					.entries = &entry, .entry_count = 1};
	if (older && l->arrived[person])
		entry.arrived_on.set = false;
	fw_publish(&l->w, EV_CONTRIBUTION_STATUS, &s, s.token);
}

static void contribution_arrives(struct life *l, int person)
{
	if (l->arrived[person] || person % 11 == 0)
		return;
	l->arrived[person] = true;
	l->person_sequence[person]++;
	status(l, person, false);
}

static int next(struct bus_reader *r, const struct bus_record **records)
{
	struct err e = {0};
	int n = bus_read(r, 1, records, &e);
	assert_true(n >= 0);
	return n;
}

static int person_of(const struct id *token)
{
	static struct id tokens[ALL_PERSONS];
	for (int i = 1; i < ALL_PERSONS; i++) {
		if (tokens[i].b[0] == 0 && tokens[i].b[1] == 0)
			tokens[i] = fw_token(i);
		if (id_eq(&tokens[i], token))
			return i;
	}
	fail_msg("an unknown person");
	return 0;
}

static void take_enquiries(struct life *l)
{
	const struct bus_record *r;
	struct contribution_enquiry q;
	struct err e = {0};
	while (l->asked_count < QUEUE_MAX && next(l->enquiries, &r) == 1) {
		assert_int_equal(codec_decode(l->w.codec, EV_CONTRIBUTION_ENQUIRY, r->event.data, &q, &e), 0);
		l->asked[l->asked_count++] = person_of(&q.token);
	}
}

static void answer_enquiries(struct life *l, int percentage)
{
	int kept = 0;
	for (int i = 0; i < l->asked_count; i++)
		if (percent(l, percentage))
			status(l, l->asked[i], l->faults && percent(l, 5));
		else
			l->asked[kept++] = l->asked[i];
	l->asked_count = kept;
}

static struct entry *find(struct life *l, const struct id *pid)
{
	for (int i = 0; i < l->book_count; i++)
		if (id_eq(&l->book[i].pid, pid))
			return &l->book[i];
	return NULL;
}

static void put_credit(struct life *l, enum event_type t, const struct entry *b, int64_t sequence)
{
	assert_true(l->credit_count < QUEUE_MAX);
	l->credits[l->credit_count++] = (struct credit){t, {b->pid, b->amount_fen, now(l), sequence, {0}}};
}

static void take_feedback(struct life *l)
{
	const struct bus_record *r;
	struct collected_subsidy c;
	struct subsidy_refunded f;
	struct err e = {0};
	while (next(l->feedback, &r) == 1) {
		bool refund = str_is(r->event.type, "SubsidyRefunded");
		assert_int_equal(refund ? codec_decode(l->w.codec, EV_SUBSIDY_REFUNDED, r->event.data, &f, &e)
					: codec_decode(l->w.codec, EV_COLLECTED_SUBSIDY, r->event.data, &c, &e), 0);
		struct entry *b = find(l, refund ? &f.payment_id : &c.payment_id);
		assert_non_null(b);
		assert_int_equal(refund ? f.amount_fen : c.amount_fen, b->amount_fen);
		assert_true(b->fate >= IN_TREASURY && b->fate != FAILED);
		if (!refund) {
			assert_false(b->fed); /* once each */
			b->fed = true;
			put_credit(l, percent(l, 4) ? EV_CREDIT_REFUSED : EV_ACCOUNT_CREDITED, b, ++b->credit_sequence);
		} else {
			assert_true(b->fed && b->fate == REFUNDED && !b->debit_told);
			b->debit_told = true;
			put_credit(l, percent(l, 10) ? EV_DEBIT_REFUSED : EV_ACCOUNT_DEBITED, b, ++b->credit_sequence);
		}
	}
}

static void tell_credits(struct life *l, int percentage)
{
	int kept = 0;
	for (int i = 0; i < l->credit_count; i++) {
		struct credit *c = &l->credits[i];
		if (!percent(l, percentage)) {
			l->credits[kept++] = *c;
			continue;
		}
		for (int times = l->faults && percent(l, 10) ? 2 : 1; times > 0; times--)
			fw_publish(&l->w, c->t, &c->c, c->c.payment_id);
	}
	l->credit_count = kept;
}

/* ---- the bureau ---- */

static void put_told(struct life *l, const struct entry *b, enum fate fate, int64_t sequence, int attempt)
{
	assert_true(l->queued < QUEUE_MAX);
	struct told *t = &l->queue[l->queued++];
	*t = (struct told){.r = {.payment_id = b->pid, .at = now(l), .sequence = sequence, .attempt = attempt,
				 .amount_fen = {true, b->amount_fen}}};
	snprintf(t->state, sizeof t->state, "%s", words[fate]);
}

static void publish_told(struct life *l, const struct told *t)
{
	struct collection_result r = t->r;
	r.state = str_of(t->state);
	if (r.sequence > 0 && strcmp(t->state, "accepted") != 0 && strcmp(t->state, "failed") != 0)
		r.receipt = STR("333000000000000001");
	fw_publish(&l->w, EV_COLLECTION_RESULT, &r, r.payment_id);
	if (l->past_count < QUEUE_MAX)
		l->past[l->past_count++] = *t;
}

static void publish_own(struct life *l, const struct id *pid, const char *state, int attempt)
{
	struct told t = {.r = {.payment_id = *pid, .at = now(l), .attempt = attempt}};
	snprintf(t.state, sizeof t.state, "%s", state);
	publish_told(l, &t);
}

/* Takes a payment into the book, if it is not there: the bureau's own word is the only one about money. */
static struct entry *enter(struct life *l, const struct id *pid, const struct id *token, int64_t amount_fen, int64_t effect_at)
{
	struct entry *b = find(l, pid);
	if (b) {
		assert_true(l->keyed); /* else it is money twice */
		assert_int_equal(b->amount_fen, amount_fen);
		return b;
	}
	assert_true(l->book_count < BOOK_MAX);
	b = &l->book[l->book_count++];
	*b = (struct entry){.pid = *pid, .token = *token, .amount_fen = amount_fen, .effect_at = effect_at,
			    .sequence = ++l->sequence, .fate = ACCEPTED};
	int64_t sum = 0;
	for (int i = 0; i < l->book_count; i++)
		if (id_eq(&l->book[i].token, token) && l->book[i].fate != REFUNDED && l->book[i].fate != FAILED)
			sum += l->book[i].amount_fen;
	assert_true(sum <= HIGHEST_TIER);
	return b;
}

static void on_payment(struct life *l, const struct subsidy_payment *p)
{
	struct entry *b = find(l, &p->payment_id);
	assert_true(p->amount_fen > 0);
	/* What a restored ledger may have forgotten is asked for first, as what is instructed again is. */
	bool ask = p->attempt > 1 || l->early[person_of(&p->token)];
	if (ask && b && b->effect_at <= now(l)) {
		put_told(l, b, b->fate, b->sequence, 0);
		return;
	}
	l->sends++;
	int dice = l->faults ? (int)chance(l, 100) : 0;
	if (dice < 60 || b) {
		b = enter(l, &p->payment_id, &p->token, p->amount_fen, now(l));
		b->effect_at = now(l);
		put_told(l, b, b->fate, b->sequence, p->attempt);
	} else if (dice < 68) {
		b = enter(l, &p->payment_id, &p->token, p->amount_fen, now(l));
		b->fate = FAILED;
		put_told(l, b, FAILED, b->sequence, p->attempt);
	} else if (dice < 95) { /* sent, and no answer came: never arrived, arrived, or arrives within the settlement delay */
		l->doubts++;
		publish_own(l, &p->payment_id, "in_doubt", p->attempt);
		if (dice >= 77)
			enter(l, &p->payment_id, &p->token, p->amount_fen, dice < 86 ? now(l) : now(l) + (int64_t)chance(l, 9 * MINUTE));
	} /* else it went to rejects: no result at all */
}

/* ---- the bureau's reversals ---- */

static struct undo *find_undo(struct life *l, const struct id *id)
{
	for (int i = 0; i < l->undo_count; i++)
		if (id_eq(&l->undo[i].id, id))
			return &l->undo[i];
	return NULL;
}

static void tell_undo(struct life *l, const struct undo *u, int attempt)
{
	const struct entry *b = find(l, &u->pid);
	put_told(l, b, REFUNDED, u->sequence, attempt);
	struct told *t = &l->queue[l->queued - 1];
	t->r.reversal_id = (struct opt_id){true, u->id};
	if (!u->done)
		snprintf(t->state, sizeof t->state, "%s", u->refused ? "refund_refused" : "refund_requested");
	t->r.reason = str_of(u->refused ? u->reason : NULL);
}

static void undo_own(struct life *l, const struct id *id, const struct id *pid, const char *state, int attempt)
{
	struct told t = {.r = {.payment_id = *pid, .at = now(l), .attempt = attempt, .reversal_id = {true, *id}}};
	snprintf(t.state, sizeof t.state, "%s", state);
	publish_told(l, &t);
}

static struct undo *enter_undo(struct life *l, const struct payment_reversal *p, bool refused, int64_t effect_at)
{
	struct undo *u = find_undo(l, &p->reversal_id);
	const struct entry *b = find(l, &p->payment_id);
	if (u) {
		assert_true(l->keyed); /* else it is refunded twice */
		return u;
	}
	assert_true(l->undo_count < UNDO_MAX);
	u = &l->undo[l->undo_count++];
	*u = (struct undo){.id = p->reversal_id, .pid = p->payment_id, .effect_at = effect_at, .sequence = ++l->sequence,
			   .refused = refused, .reason = "refund_refused"};
	if (b->fate == REFUNDED) {
		u->refused = true;
		u->reason = "refund_already_refunded";
	}
	l->reversals_refused += u->refused;
	return u;
}

static void on_reversal(struct life *l, const struct payment_reversal *p)
{
	const struct entry *b = find(l, &p->payment_id);
	struct undo *u = find_undo(l, &p->reversal_id);
	assert_true(b && b->fate >= PAID && b->fate <= REFUNDED && p->amount_fen == b->amount_fen);
	if (u && p->attempt > 1 && u->effect_at <= now(l)) {
		tell_undo(l, u, 0);
		return;
	}
	int dice = l->faults ? (int)chance(l, 100) : 0;
	if (dice < 50 || u) {
		u = enter_undo(l, p, dice >= 35, now(l));
		u->effect_at = now(l);
		tell_undo(l, u, p->attempt);
	} else if (dice < 95) {
		l->reversal_doubts++;
		undo_own(l, &p->reversal_id, &p->payment_id, "refund_in_doubt", p->attempt);
		if (dice >= 65)
			enter_undo(l, p, dice >= 90, dice < 75 ? now(l) : now(l) + (int64_t)chance(l, 9 * MINUTE));
	} /* else it went to rejects */
}

/* What was taken is refunded, if the bureau has not done so by itself. */
static void carry_out(struct life *l, int percentage)
{
	for (int i = 0; i < l->undo_count; i++) {
		struct undo *u = &l->undo[i];
		struct entry *b = find(l, &u->pid);
		if (u->refused || u->done || u->effect_at > now(l) || b->fate == REFUNDED || !percent(l, percentage))
			continue;
		u->done = true;
		b->fate = REFUNDED;
		u->sequence = b->sequence = ++l->sequence;
		l->reversals++;
		tell_undo(l, u, 0);
	}
}

/* Somebody decides to have a payment refunded; mostly one that can be. */
static void reverse(struct life *l)
{
	for (int i = 0; i < 8 && l->book_count; i++) {
		const struct entry *b = &l->book[chance(l, (uint64_t)l->book_count)];
		if ((b->fate != PAID && b->fate != IN_TREASURY) || l->undo_count > UNDO_MAX / 2)
			continue;
		fw_reverse(&l->w, b->pid, percent(l, 50) ? "03" : "04");
		return;
	}
}

static void take_payments(struct life *l, int most)
{
	const struct bus_record *r;
	struct subsidy_payment p;
	struct payment_enquiry q;
	struct err e = {0};
	for (int i = 0; i < most && next(l->payments, &r) == 1; i++) {
		if (str_is(r->event.type, "SubsidyPayment")) {
			assert_int_equal(codec_decode(l->w.codec, EV_SUBSIDY_PAYMENT, r->event.data, &p, &e), 0);
			on_payment(l, &p);
			continue;
		}
		if (str_is(r->event.type, "PaymentReversal")) {
			struct payment_reversal undo;
			assert_int_equal(codec_decode(l->w.codec, EV_PAYMENT_REVERSAL, r->event.data, &undo, &e), 0);
			on_reversal(l, &undo);
			continue;
		}
		assert_int_equal(codec_decode(l->w.codec, EV_PAYMENT_ENQUIRY, r->event.data, &q, &e), 0);
		if (q.reversal_id.set) {
			struct undo *u = find_undo(l, &q.reversal_id.v);
			if (u && u->effect_at <= now(l))
				tell_undo(l, u, 0);
			else
				undo_own(l, &q.reversal_id.v, &q.payment_id, "refund_unknown", q.attempt);
			continue;
		}
		struct entry *b = find(l, &q.payment_id);
		if (b && b->effect_at <= now(l))
			put_told(l, b, b->fate, b->sequence, 0);
		else
			publish_own(l, &q.payment_id, "unknown", q.attempt);
	}
}

/* Results leave in no order: any of the next few first. */
static void tell_results(struct life *l, int most)
{
	for (int i = 0; i < most && l->queued > 0; i++) {
		int k = l->faults ? (int)chance(l, l->queued < 6 ? (uint64_t)l->queued : 6) : 0;
		struct told t = l->queue[k];
		memmove(&l->queue[k], &l->queue[k + 1], sizeof l->queue[0] * (size_t)(l->queued - k - 1));
		l->queued--;
		publish_told(l, &t);
	}
}

static void progress(struct life *l, struct entry *b, bool refund)
{
	if (b->effect_at > now(l) || b->fate >= (refund ? REFUNDED : IN_TREASURY))
		return;
	b->fate = (enum fate)(b->fate + 1);
	l->refunds += b->fate == REFUNDED;
	b->sequence = ++l->sequence;
	put_told(l, b, b->fate, b->sequence, 0);
}

/* Known to the bureau from a history that the ledger lost: told before any roster names it. */
static void early(struct life *l)
{
	int person = PERSONS + 1 + (int)chance(l, EARLY);
	struct id token = fw_token(person), pid = fw_payment(sponsors[FOR_EARLY].type, sponsors[FOR_EARLY].name, person, 0);
	if (l->declared[person] || l->early[person])
		return;
	l->early[person] = true;
	struct entry *b = enter(l, &pid, &token, amount_of(person, FOR_EARLY), now(l));
	progress(l, b, false);
}

/* ---- what must hold ---- */

struct row_view {
	struct id pid, sponsor, token;
	int64_t amount_fen;
	uint32_t facts;
};

static void read_id(struct id *out, struct str s)
{
	assert_int_equal(s.n, ID_LEN);
	memcpy(out->b, s.p, ID_LEN);
}

static int by_tuple(const void *a, const void *b)
{
	const struct row_view *x = a, *y = b;
	int c = memcmp(&x->token, &y->token, ID_LEN);
	return c ? c : memcmp(&x->sponsor, &y->sponsor, ID_LEN);
}

/* Cap B's running sums are the sums of what lives, nobody is above the tier, no tuple lives twice. */
static void check_reservations(struct life *l)
{
	struct store_options o = {.flags = STORE_READONLY, .busy_ms = 1000};
	static struct row_view live[BOOK_MAX];
	struct store *st;
	struct stmt *q;
	struct err e = {0};
	int n = 0, got;
	int64_t total = 0;
	if (store_open(&st, l->w.ledger_path, &ledger_kind, &o, &e) != 0 ||
	    store_prepare(st, &q, "SELECT pid, sponsor, token, amount_fen, facts FROM decl WHERE pid IS NOT NULL", &e) != 0)
		fail_msg("%s", e.text);
	while ((got = stmt_step(q, &e)) == 1) {
		struct row_view *r = &live[n];
		r->facts = (uint32_t)stmt_get_int(q, 4);
		if (!state_live(state_of(r->facts)))
			continue;
		read_id(&r->pid, stmt_get_blob(q, 0));
		read_id(&r->sponsor, stmt_get_blob(q, 1));
		read_id(&r->token, stmt_get_blob(q, 2));
		total += r->amount_fen = stmt_get_int(q, 3);
		assert_true(++n < BOOK_MAX);
	}
	assert_int_equal(got, 0);
	qsort(live, (size_t)n, sizeof live[0], by_tuple);
	assert_int_equal(store_prepare(st, &q, "SELECT token, reserved_fen FROM person ORDER BY token", &e), 0);
	int at = 0;
	while ((got = stmt_step(q, &e)) == 1) {
		struct id token;
		int64_t reserved = stmt_get_int(q, 1), sum = 0;
		read_id(&token, stmt_get_blob(q, 0));
		for (; at < n && id_eq(&live[at].token, &token); at++) {
			sum += live[at].amount_fen;
			assert_true(at == 0 || by_tuple(&live[at - 1], &live[at]) != 0);
		}
		assert_int_equal(reserved, sum);
		assert_in_range(reserved, 0, HIGHEST_TIER);
		total -= reserved;
	}
	assert_int_equal(got, 0);
	assert_int_equal(total, 0);
	assert_int_equal(at, n);
	store_close(st);
}

static struct seen *seen_of(struct life *l, const struct id *sub, int row)
{
	uint64_t h = id_key(sub) * 31 + (uint64_t)row;
	for (size_t i = h % COUNT(l->seen);; i = (i + 1) % COUNT(l->seen)) {
		struct seen *s = &l->seen[i];
		if (!s->used) {
			*s = (struct seen){.sub = *sub, .row = row, .used = true};
			return s;
		}
		if (s->row == row && id_eq(&s->sub, sub))
			return s;
	}
}

/* Versions are dense; after a final answer only final ones (a refund, a credit after its refusal). */
static void check_answers(struct life *l)
{
	const struct bus_record *r;
	struct row_answer a;
	struct submission_answer s;
	struct err e = {0};
	while (next(l->answers, &r) == 1) {
		bool row = str_is(r->event.type, "RowAnswer");
		assert_int_equal(row ? codec_decode(l->w.codec, EV_ROW_ANSWER, r->event.data, &a, &e)
				     : codec_decode(l->w.codec, EV_SUBMISSION_ANSWER, r->event.data, &s, &e), 0);
		struct seen *k = row ? seen_of(l, &a.submission_id, a.row_no) : seen_of(l, &s.submission_id, 0);
		assert_int_equal(row ? a.version : s.version, k->version + 1);
		k->version++;
		assert_true(!k->final || (row ? a.final : s.final));
		k->final = row ? a.final : s.final;
		if (!row && s.final)
			assert_int_equal(s.accepted + s.mend + s.waiting, s.rows);
	}
}

/* Some moments by chance: what is said of them is what was printed then. */
static void check_past(struct life *l)
{
	static struct printed now;
	struct ledger_view *v;
	struct moment m;
	struct err e = {0};
	print_now(&l->w, &now);
	printed_again(&l->w, &now, NULL);
	for (int i = 0; i < l->moments_looked_at; i++) {
		int k = (int)chance(l, (uint64_t)l->printed_count);
		printed_again(&l->w, &l->printed[k], k + 1 < l->printed_count ? &l->printed[k + 1] : &now);
	}
	assert_int_equal(view_open(&v, l->w.ledger_path, &e), 0);
	assert_int_equal(view_moment_of(v, now.when.seq + 1000000, &m, &e), MOMENT_TO_COME);
	view_close(v);
}

static void check(struct life *l)
{
	fw_statement(&l->w);
	if (l->printed_count < PRINTED_MAX)
		print_now(&l->w, &l->printed[l->printed_count++]);
	check_reservations(l);
	l->checks++;
}

static void look(struct life *l)
{
	watch_look(l->watch);
	check_answers(l);
	if (l->looks++ % ALL_EVERY == 0)
		check(l);
}

struct ending {
	struct life *l;
	int rows;
};

static int row_ended(void *arg, const struct view_decl *v)
{
	struct ending *end = arg;
	struct seen *k = seen_of(end->l, &v->s.id, v->d.row_no);
	if (!v->d.final || !k->final || k->version != v->d.answer_version)
		fail_msg("row %d of %s is %s (%s), answer %d of %d", v->d.row_no, v->s.receipt, state_code(state_of(v->d.facts)),
			 v->d.code, k->version, v->d.answer_version);
	end->rows++;
	if (!v->d.has_pid)
		return 0;
	struct entry *b = find(end->l, &v->d.pid);
	bool collected = v->d.facts & F_PAID, failed = v->d.facts & F_FAILED;
	bool refunded = v->d.facts & F_REFUNDED;
	assert_int_equal(collected, b && b->fate >= PAID && b->fate <= REFUNDED);
	assert_int_equal(refunded, b && b->fate == REFUNDED);
	assert_int_equal(failed, b && b->fate == FAILED);
	assert_true(!b || b->amount_fen == v->d.amount_fen);
	return 0;
}

static void check_end(struct life *l)
{
	struct stat st = fw_statement(&l->w);
	struct ending end = {l, 0};
	struct ledger_view *v;
	struct err e = {0};
	char hex[ID_HEX];
	int64_t collected = 0, fen = 0, refunded = 0, failed = 0;
	assert_int_equal(view_open(&v, l->w.ledger_path, &e), 0);
	for (int i = 0; i < l->sub_count; i++) {
		assert_int_equal(view_by_prefix(v, str_of(id_hex(&l->subs[i].draft.sub, hex)), row_ended, &end, &e), 0);
		assert_true(seen_of(l, &l->subs[i].draft.sub, 0)->final);
		if (i % l->each_rebuilt == 0)
			assert_int_equal(fw_rebuild(&l->w, l->subs[i].draft.sub), l->subs[i].rows);
	}
	assert_int_equal(view_strangers(v), 0);
	view_close(v);
	for (int i = 0; i < l->book_count; i++) {
		struct entry *b = &l->book[i];
		bool money = b->fate >= PAID && b->fate <= REFUNDED;
		collected += money;
		fen += money ? b->amount_fen : 0;
		refunded += b->fate == REFUNDED;
		failed += b->fate == FAILED;
		/* What the SSA has: all that is in the treasury, and nothing that went back. */
		assert_int_equal(b->fed && !b->debit_told, b->fate == IN_TREASURY);
	}
	assert_int_equal(st.count[ST_COLLECTED_TOTAL], collected);
	assert_int_equal(st.fen[ST_COLLECTED_TOTAL], fen);
	assert_int_equal(st.count[SC_REFUNDED], refunded);
	assert_int_equal(st.count[SC_FAILED], failed);
	for (int c = 0; c < STAT_COLUMNS; c++)
		if (c == SC_REFUND_REQUESTED || c == SC_REFUND_IN_DOUBT || c == SC_STAGED || c == SC_PENDING || c == SC_IN_FLIGHT || c == SC_IN_DOUBT || c == SC_AWAITING_CREDIT)
			assert_int_equal(st.count[c], 0);
	print_message("%d sequences, rows %d, collected %d, refunded %d, failed %d, expired %d, doubts %d, sends %d, restarts %d,"
		      " checks %d\n", (int)l->sequence, end.rows, (int)collected, (int)refunded, (int)failed,
		      (int)st.count[SC_EXPIRED], l->doubts, l->sends, l->restarts, l->checks);
	assert_true(l->restarts > 2 && l->doubts > 5 && refunded > 2 && failed > 2 && st.count[SC_EXPIRED] > 2);
	print_message("reversals %d, refused %d, doubts %d\n", l->reversals, l->reversals_refused, l->reversal_doubts);
	assert_true(l->reversals > 5 && l->reversals_refused > 2 && l->reversal_doubts > 2);
}

/* ---- the operator ---- */

/* Any row of any roster; but not one that the bureau knows from a life that was lost: what it told already cannot be taken back. */
static void withdraw(struct life *l, const struct sub *s)
{
	char hex[ID_HEX], subject[48];
	int row = (int)chance(l, (uint64_t)s->rows);
	if (s->row[row].person > PERSONS)
		return;
	snprintf(subject, sizeof subject, "%s:%d", id_hex(&s->draft.sub, hex), row + 5);
	fw_operation(&l->w, "withdraw", subject, NULL, percent(l, 50) ? "anna" : "berta");
}

/* ---- the life ---- */

static void turns(struct life *l)
{
	fw_flush(&l->w);
	fw_turns(&l->w);
	take_enquiries(l);
	take_feedback(l);
}

static void restart(struct life *l)
{
	struct err e = {0};
	bool worked;
	fw_flush(&l->w);
	for (int i = (int)chance(l, 3); i > 0; i--) /* in the middle of what it has to do */
		if (flow_turn(l->w.flow, &worked, &e) != 0)
			fail_msg("%s", e.text);
	fw_stop(&l->w);
	if (fw_start(&l->w, &e) != 0)
		fail_msg("%s", e.text);
	l->restarts++;
}

static void step(struct life *l)
{
	struct sub *s = l->sub_count ? &l->subs[chance(l, (uint64_t)l->sub_count)] : NULL;
	switch ("rrccoeeeappuuuggkwmxvd"[chance(l, 22)]) {
	case 'r':
		new_roster(l);
		break;
	case 'c':
		for (int i = 0; s && s->covered && i < 8; i++)
			s = &l->subs[chance(l, (uint64_t)l->sub_count)];
		if (s)
			cover(l, s);
		break;
	case 'o':
		if (s && percent(l, 30))
			roster_again(l, s);
		break;
	case 'e':
		answer_enquiries(l, 60);
		break;
	case 'a':
		contribution_arrives(l, 1 + (int)chance(l, ALL_PERSONS - 1));
		break;
	case 'p':
		take_payments(l, 1 + (int)chance(l, 20));
		break;
	case 'u':
		tell_results(l, 1 + (int)chance(l, 12));
		break;
	case 'g':
		for (int i = 0; i < 8 && l->book_count; i++)
			progress(l, &l->book[chance(l, (uint64_t)l->book_count)], percent(l, 15));
		carry_out(l, 30);
		break;
	case 'v':
		reverse(l);
		break;
	case 'd':
		if (s)
			withdraw(l, s);
		break;
	case 'k':
		tell_credits(l, 50);
		break;
	case 'w': /* something told once, told again */
		if (l->past_count)
			publish_told(l, &l->past[chance(l, (uint64_t)l->past_count)]);
		break;
	case 'm': /* sometimes back */
		set_clock(l, now(l) + (percent(l, 10) ? -1 : 1) * (int64_t)chance(l, 12 * MINUTE));
		break;
	default:
		if (percent(l, 20))
			early(l);
		else if (percent(l, l->restart_percent))
			restart(l);
	}
}

/* What the bureau knows and no roster named, is dropped in again, so that the ledger finds it. */
static void declare_early(struct life *l)
{
	for (int person = PERSONS + 1; person < ALL_PERSONS; person++) {
		struct id pid = fw_payment(sponsors[FOR_EARLY].type, sponsors[FOR_EARLY].name, person, 0);
		if (!find(l, &pid))
			continue;
		struct sub *s = &l->subs[l->sub_count++];
		assert_true(l->sub_count < SUBS_MAX);
		s->sponsor = FOR_EARLY;
		snprintf(s->sender, sizeof s->sender, "e");
		snprintf(s->name, sizeof s->name, "e%d", person);
		s->rows = 1;
		s->row[0] = (struct fw_row){person, amount_of(person, FOR_EARLY), NULL};
		roster_again(l, s);
		cover(l, s);
	}
}

/* The outside behaves: everything comes to its end. */
static void settle(struct life *l)
{
	l->faults = false;
	declare_early(l);
	turns(l);
	int64_t t;
	assert_int_equal(time_parse(STR("2027-01-02T09:00:00+08:00"), &t), 0);
	set_clock(l, t);
	for (int i = 0; i < l->sub_count; i++)
		if (!l->subs[i].closed)
			roster_again(l, &l->subs[i]);
	fw_feed_reached(&l->w, "2027-01-02T08:59:00+08:00");
	for (int i = 0; i < 60; i++) {
		turns(l);
		answer_enquiries(l, 100);
		take_payments(l, QUEUE_MAX);
		for (int k = 0; k < l->book_count; k++)
			while (l->book[k].effect_at <= now(l) && l->book[k].fate < IN_TREASURY)
				progress(l, &l->book[k], false);
		carry_out(l, 100);
		tell_results(l, QUEUE_MAX);
		tell_credits(l, 100);
		set_clock(l, now(l) + 31 * MINUTE);
	}
	turns(l);
}

/* One world, from its seed to its end. */
static struct life *live(bool keyed, int64_t seed, int64_t most, int64_t budget_ms, int64_t *steps)
{
	struct life *l = calloc(1, sizeof *l);
	struct tmpdir dir;
	struct err e = {0};
	l->rng = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) + keyed;
	fw_open(&l->w, tmpdir_make(&dir));
	l->watch = watch_open(l->w.ledger_path, HIGHEST_TIER);
	l->w.lazy = true;
	l->w.conf.tax_terms.keys = keyed ? KEYS_HONOURED : KEYS_NONE;
	l->w.conf.gateway.batch_events = 50;
	l->faults = true;
	l->keyed = keyed;
	bool brief = budget_ms == BUDGET_MS;
	l->each_rebuilt = brief ? 1 : 8;
	l->moments_looked_at = brief ? 20 : 3;
	l->restart_percent = brief ? 25 : 10;
	for (int i = 1; i < ALL_PERSONS; i++) {
		l->arrived[i] = chance(l, 10) < 7 && i % 11 != 0;
		l->person_sequence[i] = 10;
	}
	struct bus_position start = {0};
	struct {
		struct bus_reader **r;
		const char *topic;
	} readers[] = {{&l->payments, "payments"}, {&l->enquiries, "enquiries"}, {&l->feedback, "feedback"}, {&l->answers, "answers"}};
	for (size_t i = 0; i < COUNT(readers); i++)
		if (bus_reader_open(l->w.tax_bus, readers[i].r, readers[i].topic, NULL, &e) != 0 ||
		    bus_seek(*readers[i].r, &start, 1, &e) != 0)
			fail_msg("%s", e.text);
	int64_t until = clock_monotonic() + budget_ms, done = 0;
	while (done < most && (done < LEAST || clock_monotonic() < until)) {
		for (int64_t i = 1 + (int64_t)chance(l, BATCH_MAX); i > 0; i--, done++)
			step(l);
		turns(l);
		look(l);
	}
	*steps += done;
	settle(l);
	look(l);
	check(l);
	check_end(l);
	check_past(l);
	for (size_t i = 0; i < COUNT(readers); i++)
		bus_reader_close(*readers[i].r);
	watch_close(l->watch);
	fw_close(&l->w);
	tmpdir_remove(&dir);
	return l;
}

static int64_t number_from(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);
	int64_t n = otherwise;
	if (text)
		assert_int_equal(str_int(str_of(text), 1, INT64_MAX, &n), 0);
	return n;
}

static void lives(bool keyed)
{
	bool soak = getenv("QIAO_STEPS") != NULL;
	int64_t all = soak ? number_from("QIAO_STEPS", 1) / 2 : STEPS, seed = number_from("QIAO_SEED", 20261224);
	int64_t worlds = soak ? (all + WORLD_STEPS - 1) / WORLD_STEPS : 1, steps = 0, rows = 0, looks = 0, recounts = 0, restarts = 0;
	int64_t began = clock_monotonic();
	for (int64_t i = 0; i < worlds; i++) {
		/* Each by itself: QIAO_SEED of one that fails repeats it. */
		print_message("QIAO_SEED=%" PRId64 " keys=%s\n", seed + i, keyed ? "honoured" : "none");
		struct life *l = live(keyed, seed + i, (all - steps) / (worlds - i), soak ? INT32_MAX : BUDGET_MS, &steps);
		rows += l->sub_count;
		looks += l->looks;
		recounts += l->checks;
		restarts += l->restarts;
		free(l);
	}
	print_message("keys=%s: %" PRId64 " steps in %" PRId64 " worlds from seed %" PRId64 ": %" PRId64 " rosters, %" PRId64
		      " looks, %" PRId64 " recounts, %" PRId64 " restarts; %" PRId64 " s\n",
		      keyed ? "honoured" : "none", steps, worlds, seed, rows, looks, recounts, restarts,
		      (clock_monotonic() - began) / 1000);
}

static void with_keys(void **state)
{
	(void)state;
	lives(true);
}

static void without_keys(void **state)
{
	(void)state;
	lives(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(with_keys), cmocka_unit_test(without_keys)};
	struct err e = {0};
	/* Nothing here is about what survives a power cut, and memory is faster than a disk. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	if (getenv("QIAO_STEPS") && log_open("test", NULL, LOG_ERROR, &e) != 0)
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
