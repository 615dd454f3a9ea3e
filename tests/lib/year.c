#include "tests/lib/year.h"
#include "base/clock.h"
#include "base/fs.h"
#include "tests/lib/books.h"
#include "tests/lib/people.h"
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>

enum { TELL_MS = 2000, PATIENCE_MS = 120000, PATIENCE_MS_A_THOUSAND = 10000, WITHDRAWALS = 3, MANY = 20000, CLOCK_SEEN_MS = 120 };

static const enum part product[] = {GATEWAY, VILLAGE, TAX, SSA};
static const enum part victims[] = {GATEWAY, GATEWAY, VILLAGE, TAX, TAX, SSA, SSA, SIM_TAX, SIM_SSA};

/* On top of what is wrong in what they say (tests/agencies/odd.h): how the line and the machines fail. */
static const char tax_faults[] = "batches/cut_after:50,batches/e500_after:50,batches/missing_row:50,batches/e500:30,batches/e429:20,"
				 "queries/e500:50,changes/truncated:50,changes/duplicate:50,changes/cut_after:50";
static const char ssa_faults[] = "cut_after:50,e500_after:50,truncated:30,missing_row:50,e500:30,duplicate:50";

/* Patience in proportion to how much is on its way at a time. */
static const struct setting settings_few[] = {{"gateway", "contribution_retry", "1s"}, {"operators", "dir", "operators"}, {NULL, NULL, NULL}};
static const struct setting settings_many[] = {{"gateway", "contribution_retry", "30s"}, {"gateway", "enquiry_timeout", "15s"},
					       {"gateway", "doubt_enquiry", "2s"}, {"gateway", "answer_timeout", "1m"},
					       {"gateway", "incomplete_after", "5m"}, {"village", "answer_interval", "2s"},
					       {"village", "poll", "100ms"}, {"tax", "timeout", "15s"}, {"ssa", "timeout", "15s"},
					       {"operators", "dir", "operators"}, {NULL, NULL, NULL}};

void year_say(struct year *y, const char *format, ...)
{
	va_list ap;

	if (!y->options.progress)
		return;
	fprintf(y->options.progress, "year: %3" PRId64 " s: ", (clock_monotonic() - y->began_ms) / 1000);
	va_start(ap, format);
	vfprintf(y->options.progress, format, ap);
	va_end(ap);
	fprintf(y->options.progress, "\n");
}

/* ---- dying ---- */

static void next_kill(struct year *y)
{
	y->next_kill_ms = clock_monotonic() + y->options.kill_ms / 2 + chance_below(&y->chance, (uint32_t)y->options.kill_ms);
}

/* A program may give up for a while (3), as its supervisor would see it. */
static int look_after(struct world *w, struct err *e)
{
	for (int p = 0; p < SUPERVISOR; p++) {
		struct world_part *part = &w->parts[p];

		if (part->pid > 0 && world_alive(w, (enum part)p))
			continue;
		if (part->status != EXIT_LATER)
			return err_set(e, ERR_PERM, "%s ended by itself with %d", part_name((enum part)p), part->status);
		if (world_spawn(w, (enum part)p, e) < 0)
			return -1;
	}
	return 0;
}

int year_go_on(struct year *y, struct err *e)
{
	struct world *w = &y->world;
	enum part p;

	if (look_after(w, e) < 0)
		return -1;
	if (clock_monotonic() < y->next_kill_ms)
		return 0;
	next_kill(y);
	p = victims[chance_below(&y->chance, sizeof victims / sizeof victims[0])];
	world_kill(w, p);
	y->figures.kills++;
	return p == SIM_TAX || p == SIM_SSA ? world_start(w, p, e) : world_spawn(w, p, e);
}

/* ---- waiting ---- */

typedef int year_condition(struct year *y, const struct year_tally *t, struct err *e); /* 1 yes, 0 not yet */

static void note(struct year *y, const struct year_tally *t)
{
	const int64_t *c = t->column;

	snprintf(y->state, sizeof y->state,
		 "rosters %" PRId64 ", settled %" PRId64 "; staged %" PRId64 ", rejected %" PRId64 ", pending %" PRId64 ", in flight %" PRId64
		 "+%" PRId64 ", failed %" PRId64 ", awaiting credit %" PRId64 ", credited %" PRId64 ", refused %" PRId64 ", refunded %" PRId64
		 ", expired %" PRId64,
		 t->rosters, t->settled, c[SC_STAGED], c[SC_REJECTED] + c[SC_UNREADABLE], c[SC_PENDING], c[SC_IN_FLIGHT], c[SC_IN_DOUBT],
		 c[SC_FAILED], c[SC_AWAITING_CREDIT], c[SC_CREDITED], c[SC_CREDIT_REFUSED], c[SC_REFUNDED], c[SC_EXPIRED]);
}

static int await(struct year *y, year_condition *reached, const char *what, struct err *e)
{
	int64_t until = clock_monotonic() + PATIENCE_MS + (int64_t)y->options.people * PATIENCE_MS_A_THOUSAND / 1000;
	int look_ms = y->options.people > MANY ? 200 : 20;

	for (;;) {
		struct year_tally t;
		int rc;

		if (year_go_on(y, e) < 0 || year_tally(&y->world, &t, e) < 0)
			return -1;
		note(y, &t);
		rc = reached(y, &t, e);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (clock_monotonic() > until)
			return err_set(e, ERR_TEMP, "waiting for %s: %s", what, y->state);
		if (clock_monotonic() - y->told_ms > TELL_MS) {
			y->told_ms = clock_monotonic();
			year_say(y, "%s: %s", what, y->state);
		}
		poll(NULL, 0, look_ms);
	}
}

/* Who is still in flight never heard that it was paid; others may have been told when they were asked for. */
static int only_unheard(struct year *y, int64_t in_flight, struct err *e)
{
	struct planted_list planted;
	int rc = 0;

	if (planted_read(&planted, &y->world, e) < 0)
		return -1;
	if (in_flight <= planted_unheard(&planted))
		rc = year_in_flight_are(&y->world, &planted, e);
	planted_free(&planted);
	return rc;
}

/* All that was handed in has an answer, and nothing is on its way but what waits for somebody outside. */
static int quiet(struct year *y, const struct year_tally *t, struct err *e)
{
	const int64_t *c = t->column;

	if (t->rosters != district_come(&y->district, y->now) || t->settled != district_settled(&y->district, y->now) ||
	    c[SC_PENDING] != district_pending(&y->district, y->now) || c[SC_REFUND_REQUESTED] + c[SC_REFUND_IN_DOUBT] > 0)
		return 0;
	if (y->treasury_open || c[SC_IN_FLIGHT] + c[SC_IN_DOUBT] == 0)
		return c[SC_IN_FLIGHT] + c[SC_IN_DOUBT] == 0 && (!y->treasury_open || c[SC_AWAITING_CREDIT] == 0);
	return only_unheard(y, c[SC_IN_FLIGHT] + c[SC_IN_DOUBT], e);
}

/* ---- the parts of the year ---- */

static int hand_in(struct year *y, enum season now, struct err *e)
{
	char inbox[512];

	y->now = now;
	return district_drop(&y->district, now, world_path(&y->world, inbox, "data/inbox"), e);
}

static int in_november(struct year *y, struct err *e)
{
	return hand_in(y, IN_NOVEMBER, e);
}

static int in_advent(struct year *y, struct err *e)
{
	return hand_in(y, IN_ADVENT, e);
}

static int at_filing(struct year *y, struct err *e)
{
	return hand_in(y, AT_FILING, e);
}

static int after_christmas(struct year *y, struct err *e)
{
	return hand_in(y, AFTER_CHRISTMAS, e);
}

static int other_sponsors(struct year *y, struct err *e)
{
	return hand_in(y, OTHER_SPONSORS, e);
}

static int past_the_end(struct year *y, struct err *e)
{
	return hand_in(y, PAST_THE_END, e);
}

static int treasury_opens(struct year *y, struct err *e)
{
	(void)e;
	y->treasury_open = true;
	return 0;
}

/* Some whose contribution does not come are taken out by a person. */
static int withdraw(struct year *y, struct err *e)
{
	char key[512], hex[ID_HEX];
	int done = 0;

	world_path(&y->world, key, "annie.key");
	for (int i = 0; i < y->district.row_count && done < WITHDRAWALS; i++) {
		struct district_row *r = &y->district.rows[i];
		struct id payment;

		if (r->kind != K_NEVER || !year_payment_of(&y->world, r, &payment, e))
			continue;
		if (world_qiao(&y->world, NULL, "withdraw", id_hex(&payment, hex), "--reason", "搬走了", "--operator", "annie", "--key", key,
			       "--wait", "60", NULL) != 0)
			return err_set(e, ERR_PERM, "payment %s cannot be withdrawn", hex);
		r->withdrawn = true;
		done++;
	}
	return 0;
}

/* One person decides that a payment is to be refunded, another one agrees. */
static int reverse(struct year *y, const struct id *payment, struct err *e)
{
	char keys[2][512], hex[ID_HEX], operation[ID_HEX];
	struct buf out;
	json_t *said;
	int status;

	world_path(&y->world, keys[0], "annie.key");
	world_path(&y->world, keys[1], "ben.key");
	buf_init(&out, 1 << 16);
	status = world_qiao(&y->world, &out, "--format", "json", "reverse", id_hex(payment, hex), "--refund", "04", "--reason", "多收了",
			    "--operator", "annie", "--key", keys[0], "--wait", "60", NULL);
	said = json_loadb((const char *)out.data, out.len, 0, NULL);
	snprintf(operation, sizeof operation, "%s", said ? json_string_value(json_object_get(said, "operation")) : "");
	json_decref(said);
	buf_fini(&out);
	if (status == 0)
		status = world_qiao(&y->world, NULL, "approve", operation, "--reason", "核对无误", "--operator", "ben", "--key", keys[1], "--wait",
				    "60", NULL);
	return status == 0 ? year_go_on(y, e) : err_set(e, ERR_PERM, "payment %s cannot be reversed: exit %d", hex, status);
}

static int ask_back(struct year *y, struct err *e)
{
	for (int i = 0; i < y->district.row_count; i++) {
		struct district_row *r = &y->district.rows[i];
		struct id payment;

		if (r->fate != ASKED_BACK && r->fate != NOT_GIVEN_BACK)
			continue;
		if (!year_payment_of(&y->world, r, &payment, e))
			return err_set(e, ERR_PERM, "a row that was credited has no payment");
		if (reverse(y, &payment, e) < 0)
			return -1;
		r->code = r->fate == ASKED_BACK ? "refunded" : "refund_refused";
	}
	return 0;
}

static const struct {
	const char *day, *what;
	int (*act)(struct year *y, struct err *e);
} parts[] = {
	{"2026-11-26", "rosters ahead of their papers", in_november},
	{"2026-12-08", "more rosters", in_advent},
	{"2026-12-22", "papers, and rosters with papers", at_filing},
	{"2026-12-28", "late contributions, more rosters", after_christmas},
	{"2026-12-30", "other sponsors", other_sponsors},
	{"2026-12-31", "rows withdrawn", withdraw},
	{"2027-01-03", "the cut-off, and what comes too late", past_the_end},
	{"2027-01-05", "the money reaches the treasury", treasury_opens},
	{"2027-01-12", "refunds asked for; contributions refunded", ask_back},
	{"2027-01-22", "the end", NULL},
};
#define TREASURY_OPENS "2027-01-05"

/* Who looked at the clock just before a jump goes by the old day for a tenth of a second (base/clock.h): what came then would bear it. */
static int a_tenth_of_a_second_later(void *arg, struct err *e)
{
	(void)e;
	return clock_monotonic() > *(int64_t *)arg + CLOCK_SEEN_MS;
}

static int begin_day(struct year *y, const char *day, struct err *e)
{
	int64_t set = 0;

	if (world_set_day(&y->world, day, e) < 0)
		return -1;
	set = clock_monotonic();
	return world_wait(PATIENCE_MS, a_tenth_of_a_second_later, &set, e);
}

static int live_parts(struct year *y, struct err *e)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		year_say(y, "%s: %s", parts[i].day, parts[i].what);
		if (begin_day(y, parts[i].day, e) < 0 || (parts[i].act && parts[i].act(y, e) < 0) ||
		    await(y, quiet, parts[i].what, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the whole ---- */

static int make_operators(struct world *w, void *arg, struct err *e)
{
	char key[512];

	(void)arg;
	if (world_qiao(w, NULL, "keygen", "--operator", "annie", "--key", world_path(w, key, "annie.key"), NULL) != 0 ||
	    world_qiao(w, NULL, "keygen", "--operator", "ben", "--key", world_path(w, key, "ben.key"), NULL) != 0)
		return err_set(e, ERR_CONF, "qiao keygen --operator: see log/commands.stderr");
	return 0;
}

/* Each kind gets an equal share of what an agency says wrongly. */
static void odd_spec(char *out, size_t cap, const char *const *kinds_of, int count, int permille)
{
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < count && len < cap; i++) {
		int share = permille / count + (i < permille % count);

		len += (size_t)snprintf(out + len, cap - len, "%s%s:%d", i ? "," : "", kinds_of[i], share);
	}
}

static int begin(struct year *y, struct err *e)
{
	static const char *const tax_odd[] = {"no_paid",       "reordered",  "older",	"two_receipts", "other_amount",
					      "refused_after", "other_year", "stranger", "garbage"};
	static const char *const ssa_odd[] = {"other_amount", "refused_after", "other_year", "stranger", "garbage", "debited"};
	static char seed[24], odd[2][300], plants[2][512];
	static const char *const tax[] = {"--settle-ms", "50", "--refund-ms", "50", "--treasury-from", TREASURY_OPENS, "--seed", seed, "--odd",
					  odd[0], "--book-plants", plants[0], NULL};
	static const char *const ssa[] = {"--everyone-paid", "2026", "--credit-ms", "20", "--seed", seed, "--odd", odd[1], "--book-plants", plants[1], NULL};
	const struct world_options o = {.day = parts[0].day, .lists = "district", .tax_args = tax, .ssa_args = ssa, .before_init = make_operators,
					.settings = y->options.people > MANY ? settings_many : settings_few};
	char path[512], villages[400];

	snprintf(seed, sizeof seed, "%" PRIu64, y->options.seed);
	odd_spec(odd[0], sizeof odd[0], tax_odd, 9, y->options.wrong_permille);
	odd_spec(odd[1], sizeof odd[1], ssa_odd, 6, y->options.wrong_permille);
	if (world_open(&y->world, &o, e) < 0)
		return -1;
	world_path(&y->world, plants[0], YEAR_TAX_PLANTS);
	world_path(&y->world, plants[1], YEAR_SSA_PLANTS);
	snprintf(villages, sizeof villages, "%s/config/villages.csv", y->world.root);
	if (fs_mkdirs(world_path(&y->world, path, "district"), e) < 0 ||
	    district_make(&y->district, path, y->options.seed, y->options.people, villages, e) < 0)
		return -1;
	year_say(y, "%d rosters of %d villages written, %d rows", y->district.roster_count, y->district.villages, y->district.row_count);
	if (world_found(&y->world, e) < 0 || world_faults(&y->world, SIM_TAX, tax_faults, e) < 0 ||
	    world_faults(&y->world, SIM_SSA, ssa_faults, e) < 0)
		return -1;
	return world_start_four(&y->world, e);
}

/* What the district itself brings about for a person to look at. */
static int add_questioned(struct year *y, struct planted_list *l, struct err *e)
{
	for (int i = 0; i < y->district.row_count; i++) {
		const struct district_row *r = &y->district.rows[i];
		struct id payment;

		if (r->fate == QUESTIONED && year_payment_of(&y->world, r, &payment, e) &&
		    planted_add(l, &payment, "refunded contribution", "contribution_refunded_later", e) < 0)
			return -1;
	}
	return 0;
}

/* A debit before its time is none once the refund is known: the ledger has then heard nothing that contradicts. */
static int excuse_debits(struct year *y, struct planted_list *l, struct err *e)
{
	struct agency_book tax;

	if (agency_book_read(&tax, &y->world, SIM_TAX, e) < 0)
		return -1;
	for (int i = 0; i < l->count; i++) {
		const struct agency_entry *x = agency_book_find(&tax, &l->at[i].payment);

		if (strcmp(l->at[i].kind, "debited") == 0 && x && strcmp(x->status, "refunded") == 0)
			l->at[i].found = true;
	}
	agency_book_free(&tax);
	return 0;
}

struct proof {
	struct year *y;
	FILE *out;
	int unexplained;
};

/* Everything with everything; the last events may still be on their way. */
static int proven(void *arg, struct err *e)
{
	struct proof *p = arg;
	struct planted_list l;
	struct year_figures *f = &p->y->figures;
	int rows, strange;

	if (look_after(&p->y->world, e) < 0)
		return -1;
	rows = year_compare(p->y, p->out, e);
	if (rows < 0 || planted_read(&l, &p->y->world, e) < 0)
		return -1;
	strange = add_questioned(p->y, &l, e) < 0 ? -1 : planted_find(&l, &p->y->world, p->out, e);
	if (strange >= 0 && excuse_debits(p->y, &l, e) < 0)
		strange = -1;
	f->planted = l.count;
	f->found = 0;
	for (int i = 0; i < l.count; i++) {
		f->found += l.at[i].found;
		if (!l.at[i].found)
			fprintf(p->out, "payment %s: %s said %s, and nothing came of it\n", id_hex(&l.at[i].payment, (char[ID_HEX]){0}),
				l.at[i].tax ? "the bureau" : "the SSA", l.at[i].kind);
	}
	planted_free(&l);
	p->unexplained = rows + strange;
	return strange < 0 ? -1 : p->unexplained == 0 && f->found == f->planted;
}

static int prove(struct year *y, FILE *out, struct err *e)
{
	FILE *none = fopen("/dev/null", "w");
	struct proof p = {y, none, 0};
	struct err late = {0};
	int rc;

	if (!none)
		return err_set(e, ERR_TEMP, "/dev/null cannot be opened");
	rc = world_wait(PATIENCE_MS / 4, proven, &p, &late);
	p.out = out;
	if (rc < 0)
		rc = proven(&p, e) < 0 ? -1 : 0;
	fclose(none);
	y->figures.unexplained = p.unexplained;
	return rc;
}

int year_live(struct year *y, const struct year_options *o, FILE *out, struct err *e)
{
	int64_t took, ready_us[4];

	*y = (struct year){.options = *o, .chance = o->seed, .began_ms = clock_monotonic()};
	if (begin(y, e) < 0)
		return -1;
	for (int i = 0; i < 4; i++)
		ready_us[i] = world_cpu_us(&y->world, product[i]);
	took = clock_monotonic();
	next_kill(y);
	if (live_parts(y, e) < 0)
		return -1;
	took = clock_monotonic() - took;
	if (prove(y, out, e) < 0 || year_books(y, out, e) < 0)
		return -1;
	for (int i = 0; i < 4; i++) {
		int status = world_stop(&y->world, product[i]);

		if (status != EXIT_YES)
			return err_set(e, ERR_PERM, "%s ended with %d", part_name(product[i]), status);
		y->figures.cpu_us[i] = (double)(y->world.parts[product[i]].cpu_us - ready_us[i]) / (double)(y->figures.payments + !y->figures.payments);
	}
	y->figures.payments_per_s = (double)y->figures.payments * 1000 / (double)(took > 0 ? took : 1);
	return 0;
}

void year_close(struct year *y)
{
	world_close(&y->world);
	district_free(&y->district);
}
