/* Both agencies answer a share of what they are asked wrongly, late, out of order or about nobody, with the ordinary faults of the
 * line on top, over the New Year. All that they planted is found in the ledger's differences, among the strangers or in the rejects,
 * nothing else is, and all payments come to the end that the agencies' books know.
 *
 * QIAO_SEED chooses whom what befalls. */
#include "tests/lib/books.h"
#include "tests/lib/findings.h"
#include "tests/lib/load.h"
#include "tests/lib/unit.h"
#include "ledger/read.h"
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

enum { ROWS = 300, EACH = 100, PATIENCE_MS = 60000, PLANTED_MAX = 1000, OUT_MAX = 4 << 20 };

static const char tax_faults[] = "batches/cut_after:100,batches/e500_after:100,batches/missing_row:100,batches/e500:50,"
				 "queries/e500:100,changes/truncated:100,changes/duplicate:200,changes/cut_after:100";
static const char ssa_faults[] = "cut_after:100,e500_after:100,truncated:50,missing_row:50,e500:50,duplicate:200";
#define TAX_ODD \
	"no_paid:50,reordered:50,older:50,two_receipts:50,other_amount:50,refused_after:50,other_year:50,stranger:50,garbage:50"
#define SSA_ODD "other_amount:50,refused_after:50,other_year:100,stranger:50,garbage:50,debited:50"

/* What an agency's wrong word becomes: a difference of that kind, "stranger", "rejects", or NULL: there is a rule for it. */
static const struct {
	const char *kind, *of_tax, *of_ssa;
	bool unheard; /* the bureau's true "paid" is not told before the treasury's */
} fates[] = {
	{"no_paid", NULL, NULL, true},
	{"reordered", NULL, NULL, true},
	{"older", NULL, NULL, false},
	{"two_receipts", "other_receipt", NULL, false},
	{"other_amount", "other_amount", "other_amount", true},
	{"refused_after", "failed", "credit_refused", false},
	{"other_year", "other_year", NULL, true},
	{"stranger", "stranger", "stranger", false},
	{"garbage", "rejects", "rejects", false},
	{"debited", NULL, "debited", false},
};
enum { KINDS = COUNT(fates) };

struct planted {
	struct finding at[PLANTED_MAX]; /* as the ledger should have them */
	int count, rejects, unheard, of[2][KINDS];
};
struct scene {
	struct world world;
	struct load load;
	struct planted planted;
	struct agency_book bureau; /* as it was at the last look */
	char said[400]; /* what does not fit */
};

static void expect(struct planted *p, struct str subject, const char *kind)
{
	struct id id;

	if (strcmp(kind, "rejects") == 0) {
		p->rejects++;
		return;
	}
	assert_int_equal(id_parse(&id, subject), 0);
	for (int i = 0; i < p->count; i++)
		if (id_eq(&p->at[i].payment, &id) && strcmp(p->at[i].kind, kind) == 0) {
			p->at[i].count++;
			return;
		}
	assert_true(p->count < PLANTED_MAX);
	p->at[p->count] = (struct finding){.payment = id, .count = 1};
	snprintf(p->at[p->count++].kind, sizeof p->at[0].kind, "%s", kind);
}

static void read_line(struct planted *p, bool tax, char *line)
{
	char *subject = strchr(line, ','), *what = subject ? strchr(subject + 1, ',') : NULL;
	const char *kind;
	int k = 0;

	assert_non_null(what);
	*subject++ = *what++ = '\0';
	while (k < KINDS && strcmp(fates[k].kind, line) != 0)
		k++;
	assert_true(k < KINDS);
	p->of[tax][k]++;
	p->unheard += tax && fates[k].unheard;
	kind = tax ? fates[k].of_tax : fates[k].of_ssa;
	if (kind)
		expect(p, str_of(subject), kind);
}

/* As the agencies' own lists have it. */
static void read_planted(struct scene *s)
{
	s->planted = (struct planted){.count = 0};
	for (int tax = 0; tax < 2; tax++) {
		char book[512], *save = NULL, *line;
		const char *args[] = {"--book", world_path(&s->world, book, tax ? "agencies/tax.db" : "agencies/ssa.db"), "--planted",
				      "csv", NULL};
		struct buf out;

		buf_init(&out, OUT_MAX);
		assert_int_equal(world_run(&s->world, &out, part_name(tax ? SIM_TAX : SIM_SSA), args), 0);
		assert_non_null(buf_text(&out));
		line = strtok_r((char *)out.data, "\n", &save);
		assert_string_equal(line, "kind,subject,what");
		while ((line = strtok_r(NULL, "\n", &save)) != NULL)
			read_line(&s->planted, tax, line);
		buf_fini(&out);
	}
}

static int add_cells(void *arg, const struct stat *s)
{
	struct stat *total = arg;

	for (int c = 0; c < STAT_CELLS; c++)
		total->count[c] += s->count[c];
	return 0;
}

static int statistics(struct scene *s, struct stat *total, struct err *e)
{
	char path[512];
	struct ledger_view *v;
	int rc;

	*total = (struct stat){.count = {0}};
	if (view_open(&v, world_path(&s->world, path, "data/gateway/ledger.db"), e) < 0)
		return -1;
	rc = view_stats(v, 0, (struct str){NULL, 0}, add_cells, total, e);
	view_close(v);
	return rc;
}

static int all_run(struct scene *s, struct err *e)
{
	for (int p = 0; p < SUPERVISOR; p++)
		if (!world_alive(&s->world, (enum part)p))
			return err_set(e, ERR_PERM, "%s ended by itself with %d", part_name((enum part)p), s->world.parts[p].status);
	return 0;
}

/* All of December is done: paid, refused, or paid and not told so. */
static int december_is_over(void *arg, struct err *e)
{
	struct scene *s = arg;
	struct stat st;

	if (all_run(s, e) < 0 || statistics(s, &st, e) < 0)
		return -1;
	read_planted(s);
	snprintf(s->said, sizeof s->said, "December: %" PRId64 " in flight, %d unheard, %" PRId64 " collected, %" PRId64 " failed",
		 st.count[SC_IN_FLIGHT], s->planted.unheard, st.count[ST_COLLECTED_TOTAL], st.count[SC_FAILED]);
	/* Fewer: who was in doubt and asked for may have heard it all the same. */
	return st.count[ST_DECLARED_TOTAL] == ROWS && st.count[SC_IN_FLIGHT] <= s->planted.unheard &&
	       st.count[SC_IN_FLIGHT] + st.count[ST_COLLECTED_TOTAL] + st.count[SC_FAILED] == ROWS;
}

static bool same(const struct finding *a, const struct finding *b)
{
	bool stranger = strcmp(a->kind, "stranger") == 0;

	return id_eq(&a->payment, &b->payment) && strcmp(a->kind, b->kind) == 0 && (stranger || a->count == b->count);
}

static bool among(const struct finding *f, const struct finding *list, int count)
{
	while (count > 0 && !same(f, &list[count - 1]))
		count--;
	return count > 0;
}

/* A debit that nothing asked for, told when the bureau's refund was known already, is that refund's. */
static bool came_true(struct scene *s, const struct finding *f)
{
	const struct agency_entry *b = agency_book_find(&s->bureau, &f->payment);

	return strcmp(f->kind, "debited") == 0 && b && strcmp(b->status, "refunded") == 0;
}

/* Each planted one is found, and nothing else. */
static int compare_findings(struct scene *s, struct err *e)
{
	static struct finding found[PLANTED_MAX];
	const struct planted *p = &s->planted;
	char path[512], hex[ID_HEX];
	int n = findings_read(world_path(&s->world, path, "data/gateway/ledger.db"), found, PLANTED_MAX, e), wrong = 0;

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (!among(&found[i], p->at, p->count)) {
			wrong++;
			snprintf(s->said, sizeof s->said, "%s %s: found %d times, otherwise planted",
				 id_hex(&found[i].payment, hex), found[i].kind, found[i].count);
		}
	for (int i = 0; i < p->count; i++)
		if (!among(&p->at[i], found, n) && !came_true(s, &p->at[i])) {
			wrong++;
			snprintf(s->said, sizeof s->said, "%s %s: planted, and not found", id_hex(&p->at[i].payment, hex),
				 p->at[i].kind);
		}
	return wrong == 0;
}

static int compare_rejects(struct scene *s)
{
	struct buf out;
	json_t *list, *seen = json_object();
	int n;

	buf_init(&out, OUT_MAX);
	world_qiao(&s->world, &out, "--format", "json", "rejects", NULL);
	list = json_loads(buf_text(&out) ? (const char *)out.data : "", 0, NULL);
	buf_fini(&out);
	for (size_t i = 0; i < json_array_size(list); i++) { /* a page that is read again brings them again */
		const json_t *r = json_array_get(list, i);
		const char *topic = json_string_value(json_object_get(r, "topic"));
		char key[100];

		snprintf(key, sizeof key, "%s %lld", topic ? topic : "?", (long long)json_integer_value(json_object_get(r, "event_offset")));
		json_object_set_new(seen, key, json_true());
	}
	n = (int)json_object_size(seen);
	json_decref(seen);
	json_decref(list);
	if (n != s->planted.rejects)
		snprintf(s->said, sizeof s->said, "%d rejects, %d planted", n, s->planted.rejects);
	return n == s->planted.rejects;
}

static int64_t of_status(const struct agency_book *b, const char *status)
{
	int64_t n = 0;

	for (int i = 0; i < b->count; i++) {
		assert_int_equal(b->entries[i].copies, 1);
		n += strcmp(b->entries[i].status, status) == 0;
	}
	return n;
}

static int compare_books(struct scene *s, const struct stat *st, struct err *e)
{
	const struct agency_book *b = &s->bureau;
	int64_t refused, refunded, kept;

	agency_book_free(&s->bureau);
	if (agency_book_read(&s->bureau, &s->world, SIM_TAX, e) < 0)
		return -1;
	refused = of_status(b, "refused");
	refunded = of_status(b, "refunded");
	kept = of_status(b, "in_treasury");
	snprintf(s->said, sizeof s->said,
		 "bureau: %" PRId64 " in the treasury, %" PRId64 " refunded, %" PRId64 " refused; ledger: %" PRId64 ", %" PRId64 ", %" PRId64
		 "; expired %" PRId64,
		 kept, refunded, refused, st->count[SC_CREDITED] + st->count[SC_CREDIT_REFUSED], st->count[SC_REFUNDED],
		 st->count[SC_FAILED], st->count[SC_EXPIRED]);
	return kept + refunded + refused == ROWS && st->count[SC_FAILED] == refused && st->count[SC_REFUNDED] == refunded &&
	       st->count[SC_CREDITED] + st->count[SC_CREDIT_REFUSED] == kept && refunded > 0 && refused > 0;
}

static int all_is_found(void *arg, struct err *e)
{
	struct scene *s = arg;
	struct stat st;
	int rc;

	if (all_run(s, e) < 0 || statistics(s, &st, e) < 0)
		return -1;
	read_planted(s);
	rc = compare_books(s, &st, e);
	if (rc == 1)
		rc = compare_findings(s, e);
	return rc == 1 ? compare_rejects(s) : rc;
}

static int live(struct scene *s, struct err *e)
{
	static const enum part killed[] = {GATEWAY, TAX, SSA, SIM_TAX, SIM_SSA};
	struct world *w = &s->world;

	if (world_found(w, e) < 0 || world_faults(w, SIM_TAX, tax_faults, e) < 0 || world_faults(w, SIM_SSA, ssa_faults, e) < 0 ||
	    load_write(&s->load, w, NULL, NULL, e) < 0 || world_start_four(w, e) < 0 || load_drop(&s->load, w, e) < 0 ||
	    world_wait(PATIENCE_MS, december_is_over, s, e) < 0 || world_set_day(w, "2027-01-05", e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(killed); i++) { /* while the money comes */
		world_kill(w, killed[i]);
		if (world_start(w, killed[i], e) < 0)
			return -1;
	}
	return world_wait(PATIENCE_MS, all_is_found, s, e);
}

static void all_that_was_planted_is_found(void **state)
{
	const char *seed = getenv("QIAO_SEED") ? getenv("QIAO_SEED") : "26";
	const char *const ssa[] = {"--everyone-paid", "2026", "--credit-ms", "20", "--seed", seed, "--odd", SSA_ODD, NULL};
	const char *const tax[] = {"--settle-ms", "50", "--refund-ms", "50", "--refuse-permille", "30", "--refund-permille", "60",
				   "--treasury-from", "2027-01-01", "--seed", seed, "--odd", TAX_ODD, NULL};
	static const struct setting settings[] = {{"gateway", "contribution_retry", "1s"}, {NULL, NULL, NULL}};
	const struct world_options o = {.day = "2026-12-24", .ssa_args = ssa, .tax_args = tax, .settings = settings};
	static struct scene s = {.load = {2026, ROWS, EACH, true}};
	struct statement_read st = {0};
	struct err e = {0};
	int rc;

	(void)state;
	rc = world_open(&s.world, &o, &e) < 0 ? -1 : live(&s, &e);
	s.world.keep = getenv("QIAO_KEEP") != NULL;
	print_message("QIAO_SEED=%s: %d planted become findings, %d rejects\n", seed, s.planted.count, s.planted.rejects);
	for (int k = 0; rc == 0 && k < KINDS; k++) {
		print_message("%-14s bureau %3d, SSA %3d\n", fates[k].kind, s.planted.of[1][k], s.planted.of[0][k]);
		assert_true(strstr(TAX_ODD, fates[k].kind) == NULL || s.planted.of[1][k] > 0);
		assert_true(strstr(SSA_ODD, fates[k].kind) == NULL || s.planted.of[0][k] > 0);
	}
	if (rc == 0)
		rc = statement_read(&st, &s.world, &e);
	if (rc == 0)
		assert_true(st.adds_up);
	statement_free(&st);
	agency_book_free(&s.bureau);
	world_close(&s.world);
	if (rc != 0)
		fail_msg("%s; %s (%s)", e.text, s.said, s.world.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_was_planted_is_found),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
