/* sim-ssa: a social-security agency for tests. Its interface is schemas/openapi/ssa.yaml; it
 * misbehaves on request and keeps a durable book of its own, which a test compares with the
 * ledger. It shares no rule with the product. */
#include "tests/agencies/ssa.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SSA_ROWS = 8 };

struct files {
	const char *population, *refuse;
};

static int parse(int argc, char **argv, struct ssa_options *s, struct agency_options *a,
		 struct files *f);
static int serve(const struct ssa_options *s, const struct agency_options *a, const struct files *f,
		 struct err *e);
static int health(void *agency, struct request *q, struct out *o);

int main(int argc, char **argv)
{
	struct ssa_options s = {.tier_fen = 100000, .credit_ms = 100};
	struct agency_options a = {.slow_ms = 1000, .retry_after_s = 1};
	struct files files = {NULL, NULL};
	struct err e = {0};
	int rc = parse(argc, argv, &s, &a, &files);

	if (rc != 0)
		return rc - 1000;
	umask(0077);
	s.seed = a.seed;
	if (a.report)
		rc = ssa_report(a.book, &e);
	else if (a.dump)
		rc = ssa_dump(a.book, &e);
	else if (a.planted)
		rc = ssa_planted(a.book, &e);
	else
		rc = serve(&s, &a, &files, &e);
	if (rc == 0)
		return EXIT_YES;
	fprintf(stderr, "%s: %s\n", argv[0], e.text);
	return err_exit(&e);
}

static int parse(int argc, char **argv, struct ssa_options *s, struct agency_options *a,
		 struct files *f)
{
	struct option_row rows[AGENCY_ROWS + SSA_ROWS];
	const struct option_row own[SSA_ROWS] = {
		{"population", &f->population, NULL, 0, 0, NULL,
		 "CSV of whom the agency knows; columns in tests/agencies/population.h"},
		{"everyone-paid", NULL, &s->everyone_paid, 0, 2099, NULL,
		 "year for which everybody else is insured and has paid; 0 = everybody else is not "
		 "insured"},
		{"tier-fen", NULL, &s->tier_fen, 1, INT32_MAX, NULL,
		 "what everybody else has paid"},
		{"credit-ms", NULL, &s->credit_ms, 0, INT32_MAX, NULL,
		 "real time from feedback to its result"},
		{"credit-refuse-permille", NULL, &s->credit_refuse_permille, 0, 1000, NULL,
		 "credits refused by chance"},
		{"debit-refuse-permille", NULL, &s->debit_refuse_permille, 0, 1000, NULL,
		 "debits refused by chance"},
		{"book-plants", &s->plants_file, NULL, 0, 0, NULL,
		 "what the book says wrongly: tests/agencies/plants.h"},
		{"refuse-file", &f->refuse, NULL, 0, 0, NULL,
		 "lines number,reason: account_closed account_frozen unknown_person (credits)"},
	};
	int rc;

	agency_option_rows(a, rows);
	memcpy(rows + AGENCY_ROWS, own, sizeof own);
	rc = options_parse(argc, argv,
			   "A simulated social-security agency (schemas/openapi/ssa.yaml) with a "
			   "durable book.",
			   rows, AGENCY_ROWS + SSA_ROWS);
	if (rc == 0 && !a->book) {
		fprintf(stderr, "%s: --book is missing (see --help)\n", argv[0]);
		return 1000 + EXIT_USAGE;
	}
	return rc;
}

static int serve(const struct ssa_options *options, const struct agency_options *a,
		 const struct files *f, struct err *e)
{
	static const struct route routes[] = {
		{"GET", "/v1/health", FAMILY_NONE, health},
		{"POST", "/v1/enquiries", FAMILY_ENQUIRIES, ssa_enquiries},
		{"GET", "/v1/changes", FAMILY_CHANGES, ssa_changes},
		{"POST", "/v1/feedback", FAMILY_FEEDBACK, ssa_feedback},
		{"GET", "/v1/credits", FAMILY_CREDITS, ssa_credits},
		{"POST", "/v1/statistics", FAMILY_STATISTICS, ssa_statistics},
		{"GET", "/v1/book", FAMILY_BOOK, ssa_account},
	};
	struct ssa s = {.options = *options, .plants.file = options->plants_file};
	const struct server server = {.options = a,
				      .routes = routes,
				      .route_count = sizeof routes / sizeof routes[0],
				      .book = &s.book,
				      .agency = &s};
	int rc = ssa_open(&s, a->book, a->clock, f->population, f->refuse, e);

	if (rc == 0)
		rc = odd_open(&s.odd, &s.book, a->odd, a->seed, e);
	if (rc == 0)
		rc = server_run(&server, e);
	ssa_close(&s);
	return rc;
}

static int health(void *agency, struct request *q, struct out *o)
{
	struct ssa *s = agency;

	(void)q;
	out_lit(o, "{\"status\":\"up\",\"now\":");
	out_time(o, book_now(&s->book));
	out_lit(o, "}");
	return 200;
}
