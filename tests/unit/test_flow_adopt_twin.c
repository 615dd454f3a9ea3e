/* Two gateways live the same random story. One loses its ledger on the way, and goes on with an older copy that adopts what the bus
 * says; the other never fails. Both must come to the same end: the same payments, each said once, the same final answers, the same
 * statement. Village, bureau and SSA behave by what they are asked about, never by when, so that only the gateway can differ.
 * QIAO_SEED=n tells one story, n. */
#include "tests/lib/adopt_test.h"
#include <inttypes.h>

enum {
	STORIES = 40,
	BUDGET_MS = 20000,
	STEPS = 14,
	PERSONS = 30,
	SUBS_MAX = 64,
	ROWS_MAX = 9,
	BOOK_MAX = 2000,
	MINUTE = 60000
};

static const struct sponsor {
	enum sponsor_type type;
	const char *name, *village;
} sponsors[] = {
	{SPONSOR_COLLECTIVE, "S1", FW_VILLAGE},
	{SPONSOR_COLLECTIVE, "S9", FW_VILLAGE_2},
	{SPONSOR_CHARITY, "S2", FW_VILLAGE},
	{SPONSOR_ORGANIZATION, "S3", FW_VILLAGE},
};

struct sub {
	char name[16];
	int sponsor, rows;
	struct fw_row row[ROWS_MAX];
	struct id id;
};
struct entry {
	struct id pid;
	int stage; /* told so far */
	int64_t sequence;
};
struct life {
	struct flow_test t;
	uint64_t rng;
	struct sub subs[SUBS_MAX];
	int sub_count, covered;
	struct entry book[BOOK_MAX];
	int book_count;
	struct bus_reader *payments, *enquiries, *feedback;
	int64_t sequence, ssa_sequence;
	struct id fed[BOOK_MAX];
	int fed_count;
	bool fails;
	int losses;
};

static uint64_t chance(struct life *l, uint64_t n)
{
	l->rng ^= l->rng << 13;
	l->rng ^= l->rng >> 7;
	l->rng ^= l->rng << 17;
	return (l->rng >> 16) % n;
}

static unsigned fate_of(const struct id *id)
{
	return (unsigned)(id->b[3] ^ id->b[7] << 3) % 100;
}

static void open_readers(struct life *l)
{
	struct err e = {0};
	assert_int_equal(bus_reader_open(l->t.w.tax_bus, &l->payments, "payments", NULL, &e), 0);
	assert_int_equal(bus_reader_open(l->t.w.tax_bus, &l->enquiries, "enquiries", NULL, &e), 0);
	assert_int_equal(bus_reader_open(l->t.w.tax_bus, &l->feedback, "feedback", NULL, &e), 0);
}

/* ---- the village ---- */

static void roster(struct life *l)
{
	static const int64_t standards[] = {20000, 50000, 60000, 300000};
	static const char *const defects[] = {"id_check_digit", "name_missing"};
	struct sub *s = &l->subs[l->sub_count++];
	s->sponsor = (int)chance(l, COUNT(sponsors));
	s->rows = 1 + (int)chance(l, ROWS_MAX);
	snprintf(s->name, sizeof s->name, "r%d", l->sub_count);
	for (int i = 0; i < s->rows; i++) {
		int person = 1 + (int)chance(l, PERSONS);
		s->row[i] = (struct fw_row){person, standards[chance(l, 4)], NULL};
		if (chance(l, 3)) /* mostly the same for a person, so that repeats are found */
			s->row[i].amount_fen = standards[(person + s->sponsor) % 4];
		if (chance(l, 12) == 0)
			s->row[i].defect = defects[chance(l, 2)];
	}
	s->id = fw_roster(&l->t.w, chance(l, 2) ? "v1" : "v2", s->name,
			  sponsors[s->sponsor].village, s->row, s->rows, true);
}

/* Some papers never come. */
static void cover(struct life *l, struct sub *s)
{
	char now[40];
	time_text(now, clock_now(&l->t.w.clock));
	if (fate_of(&s->id) >= 8)
		fw_cover(&l->t.w, s->id, sponsors[s->sponsor].village, sponsors[s->sponsor].type,
			 sponsors[s->sponsor].name, now);
}

/* ---- SSA and bureau ---- */

static void publish_result(struct life *l, const struct id *pid, const char *state, int attempt,
			   int64_t sequence)
{
	struct collection_result r = {.payment_id = *pid,
				      .state = str_of(state),
				      .at = clock_now(&l->t.w.clock),
				      .sequence = sequence,
				      .attempt = attempt};
	if (strcmp(state, "paid") == 0 || strcmp(state, "in_treasury") == 0)
		r.receipt = STR("333000000000000001");
	fw_publish(&l->t.w, EV_COLLECTION_RESULT, &r, *pid);
}

static struct entry *find(struct life *l, const struct id *pid)
{
	for (int i = 0; i < l->book_count; i++)
		if (id_eq(&l->book[i].pid, pid))
			return &l->book[i];
	return NULL;
}

enum { NOT_THERE, THERE, PAID, TREASURY, ENDED };

static void take(struct life *l, const struct id *pid, int attempt)
{
	unsigned fate = fate_of(pid);
	struct entry *b = find(l, pid);
	if (!b) {
		b = &l->book[l->book_count++];
		*b = (struct entry){.pid = *pid};
		assert_true(l->book_count < BOOK_MAX);
	}
	if (fate < 10 && attempt == 1) { /* lost on the way, and nobody knows */
		publish_result(l, pid, "in_doubt", attempt, 0);
		return;
	}
	assert_int_equal(b->stage, NOT_THERE); /* else it was paid twice */
	b->stage = THERE;
	b->sequence = ++l->sequence;
	if (fate < 20) { /* it arrived, and the answer did not */
		publish_result(l, pid, "in_doubt", attempt, 0);
		return;
	}
	b->stage = fate < 32 ? ENDED : THERE;
	publish_result(l, pid, fate < 32 ? "failed" : "accepted", attempt, b->sequence);
}

static void asked(struct life *l, const struct id *pid, int attempt)
{
	static const char *const states[] = {"", "accepted", "paid", "in_treasury", "refunded"};
	struct entry *b = find(l, pid);
	if (!b || b->stage == NOT_THERE)
		publish_result(l, pid, "unknown", attempt, 0);
	else
		publish_result(l, pid,
			       b->stage == ENDED && fate_of(pid) < 32 ? "failed" : states[b->stage],
			       0, b->sequence);
}

static int next(struct bus_reader *r, const struct bus_record **record)
{
	struct err e = {0};
	int n = bus_read(r, 1, record, &e);
	assert_true(n >= 0);
	return n;
}

static void bureau(struct life *l)
{
	const struct bus_record *r;
	struct subsidy_payment p;
	struct payment_enquiry q;
	struct err e = {0};
	while (next(l->payments, &r) == 1)
		if (codec_decode(l->t.w.codec, EV_SUBSIDY_PAYMENT, r->event.data, &p, &e) == 0 &&
		    str_is(r->event.type, "SubsidyPayment"))
			take(l, &p.payment_id, p.attempt);
		else if (codec_decode(l->t.w.codec, EV_PAYMENT_ENQUIRY, r->event.data, &q, &e) == 0)
			asked(l, &q.payment_id, q.attempt);
}

/* The money moves on by itself. */
static void progress(struct life *l)
{
	static const char *const states[] = {"", "", "paid", "in_treasury", "refunded"};
	for (int i = 0; i < l->book_count; i++) {
		struct entry *b = &l->book[i];
		bool refund = b->stage == TREASURY && fate_of(&b->pid) > 90;
		if (b->stage == NOT_THERE || b->stage == ENDED || (b->stage == TREASURY && !refund))
			continue;
		b->stage++;
		b->sequence = ++l->sequence;
		publish_result(l, &b->pid, states[b->stage], 0, b->sequence);
	}
}

/* Insured or not and contribution there or not: by person alone. */
static void agency(struct life *l)
{
	const struct bus_record *r;
	struct contribution_enquiry q;
	struct collected_subsidy c;
	struct err e = {0};
	while (next(l->enquiries, &r) == 1) {
		assert_int_equal(
			codec_decode(l->t.w.codec, EV_CONTRIBUTION_ENQUIRY, r->event.data, &q, &e),
			0);
		unsigned fate = fate_of(&q.token);
		struct ev_contribution entry = {2026,  STR("10"),	   STR("1"), 100000,
						20700, {fate < 80, 20701}, {0}};
		struct contribution_status s = {.token = q.token,
						.as_of = clock_now(&l->t.w.clock),
						.sequence = ++l->ssa_sequence,
						.insured = fate < 92,
						.insured_state = STR("1"),
						.entries = &entry,
						.entry_count = 1};
		fw_publish(&l->t.w, EV_CONTRIBUTION_STATUS, &s, s.token);
	}
	while (next(l->feedback, &r) == 1) {
		if (!str_is(r->event.type, "CollectedSubsidy"))
			continue;
		assert_int_equal(
			codec_decode(l->t.w.codec, EV_COLLECTED_SUBSIDY, r->event.data, &c, &e), 0);
		struct credit_result credit = {c.payment_id,
					       c.amount_fen,
					       clock_now(&l->t.w.clock),
					       ++l->ssa_sequence,
					       {0}};
		fw_publish(&l->t.w,
			   fate_of(&c.payment_id) % 13 == 0 ? EV_CREDIT_REFUSED
							    : EV_ACCOUNT_CREDITED,
			   &credit, c.payment_id);
	}
}

static void pass(struct life *l, int64_t ms)
{
	char text[40];
	fw_time(&l->t.w, time_text(text, clock_now(&l->t.w.clock) + ms));
}

/* ---- the story ---- */

static void lose_it(struct life *l, int into)
{
	struct err e = {0};
	bool worked = true;
	for (int i = 0; i < into && worked; i++) /* in the middle of what it has to do */
		assert_int_equal(flow_turn(l->t.w.flow, &worked, &e), 0);
	if (!l->fails)
		return;
	lose_and_adopt(&l->t.w);
	for (int again = into; again > 0 && l->losses++ < 3;
	     again--) { /* and once more, while it adopts */
		one_turn(&l->t.w);
		if (again % 2)
			lose_and_adopt(&l->t.w);
		else
			restart(&l->t.w);
	}
}

static void settle(struct life *l)
{
	struct flow_world *w = &l->t.w;
	for (int i = 0; i < 16; i++) {
		fw_turns(w);
		agency(l);
		bureau(l);
		progress(l);
		pass(l, 20 * MINUTE);
	}
	fw_turns(w);
	fw_time(w, "2027-01-02T09:00:00+08:00");
	fw_feed_reached(w, "2027-01-02T08:59:00+08:00");
	for (int i = 0; i < 12; i++) {
		fw_turns(w);
		agency(l);
		bureau(l);
		progress(l);
		pass(l, 31 * MINUTE);
	}
	fw_turns(w);
}

static void live(struct life *l, uint64_t seed, bool fails)
{
	struct flow_world *w = &l->t.w;
	int copied = (int)(seed * 7 % STEPS),
	    lost = copied + 1 + (int)(seed * 13 % (uint64_t)(STEPS - copied));
	l->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	l->fails = fails;
	fw_open(w, tmpdir_make(&l->t.dir));
	w->conf.tax_terms.keys = seed % 2 ? KEYS_HONOURED : KEYS_NONE;
	w->conf.gateway.batch_events = seed % 3 ? 20 : 1000;
	open_readers(l);
	for (int i = 0; i <= STEPS; i++) {
		if (i == copied)
			backup(w);
		if (i ==
		    lost) { /* what the SSA said and nobody has judged is asked for anew: rows that come meanwhile see another order */
			fw_turns(w);
			bureau(l);
			progress(l);
		}
		for (int n = (int)chance(l, 4); n > 0 && i < STEPS; n--)
			roster(l);
		while (l->covered < l->sub_count && chance(l, 3))
			cover(l, &l->subs[l->covered++]);
		if (i == lost)
			lose_it(l, (int)(seed % 4));
		fw_turns(w);
		agency(l);
		bureau(l);
		if (chance(l, 2))
			fw_turns(w);
		if (chance(l, 2))
			progress(l);
		pass(l, (int64_t)chance(l, 5) * MINUTE);
	}
	while (l->covered < l->sub_count)
		cover(l, &l->subs[l->covered++]);
	settle(l);
}

static void close_life(struct life *l)
{
	bus_reader_close(l->payments);
	bus_reader_close(l->enquiries);
	bus_reader_close(l->feedback);
	fw_close(&l->t.w);
	tmpdir_remove(&l->t.dir);
	free(l);
}

static void tell(uint64_t seed)
{
	struct life *l = calloc(1, sizeof *l), *twin = calloc(1, sizeof *twin);
	live(l, seed, true);
	live(twin, seed, false);
	print_message("QIAO_SEED=%" PRIu64 ": %d rosters, %d payments\n", seed, l->sub_count,
		      twin->book_count);
	assert_int_equal(unclaimed(&l->t.w), 0);
	same_end(&l->t.w, &twin->t.w);
	for (int i = 0; i < l->sub_count; i++)
		assert_int_equal(fw_rebuild(&l->t.w, l->subs[i].id), l->subs[i].rows);
	for (int person = 1; person <= PERSONS; person++)
		assert_int_equal(reserved(&l->t.w, person), reserved(&twin->t.w, person));
	close_life(l);
	close_life(twin);
}

static void stories_end_alike(void **state)
{
	const char *seed = getenv("QIAO_SEED");
	int64_t n, until = clock_monotonic() + BUDGET_MS;
	int told = 0;
	(void)state;
	if (seed) {
		assert_int_equal(str_int(str_of(seed), 1, INT64_MAX, &n), 0);
		tell((uint64_t)n);
		return;
	}
	for (n = 1; n <= STORIES && (told < 8 || clock_monotonic() < until); n++, told++)
		tell((uint64_t)n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stories_end_alike)};
	/* Nothing here is about what survives a power cut, and memory is faster than a disk. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
