/* sim-tax: a tax bureau for tests. Its interface is schemas/openapi/tax.yaml; it misbehaves on
 * request and keeps a durable book of its own, which a test compares with the ledger. It shares
 * no rule with the product. */
#include "tests/agencies/tax.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TAX_ROWS = 13 };

static int parse(int argc, char **argv, struct tax_options *t, struct agency_options *a,
		 const char **refuse_file);
static int serve(const struct tax_options *t, const struct agency_options *a,
		 const char *refuse_file, struct err *e);
static int health(void *agency, struct request *q, struct out *o);

int main(int argc, char **argv)
{
	struct tax_options t = {.settle_ms = 200, .refund_ms = 200};
	struct agency_options a = {.slow_ms = 1000, .retry_after_s = 1};
	const char *refuse_file = NULL;
	struct err e = {0};
	int rc = parse(argc, argv, &t, &a, &refuse_file);

	if (rc != 0)
		return rc - 1000;
	umask(0077);
	t.seed = a.seed;
	if (a.report)
		rc = tax_report(a.book, &e);
	else if (a.dump)
		rc = tax_dump(a.book, &e);
	else if (a.planted)
		rc = tax_planted(a.book, &e);
	else
		rc = serve(&t, &a, refuse_file, &e);
	if (rc == 0)
		return EXIT_YES;
	fprintf(stderr, "%s: %s\n", argv[0], e.text);
	return err_exit(&e);
}

static int parse(int argc, char **argv, struct tax_options *t, struct agency_options *a,
		 const char **refuse_file)
{
	struct option_row rows[AGENCY_ROWS + TAX_ROWS];
	const struct option_row own[TAX_ROWS] = {
		{"keys", NULL, &t->keys_none, 0, 0, "honoured|none",
		 "none: a repeated payment is a second payment"},
		{"key-window-ms", NULL, &t->key_window_ms, 0, INT32_MAX, NULL,
		 "keys are honoured that long; 0 = for ever"},
		{"effect-delay-ms", NULL, &t->effect_delay_ms, 0, INT32_MAX, NULL,
		 "real time from accepting to the effect"},
		{"query-delay-ms", NULL, &t->query_delay_ms, 0, INT32_MAX, NULL,
		 "real time from accepting until a query knows of it; never before the effect"},
		{"settle-ms", NULL, &t->settle_ms, 0, INT32_MAX, NULL,
		 "real time from effect to paid, and from paid to in the treasury"},
		{"refund-ms", NULL, &t->refund_ms, 0, INT32_MAX, NULL,
		 "real time from in the treasury, or from a reversal, to refunded"},
		{"refuse-permille", NULL, &t->refuse_permille, 0, 1000, NULL,
		 "payments refused by chance"},
		{"refund-permille", NULL, &t->refund_permille, 0, 1000, NULL,
		 "payments refunded by chance"},
		{"refuse-reversals-permille", NULL, &t->refuse_reversals_permille, 0, 1000, NULL,
		 "reversals refused by chance"},
		{"refuse-file", refuse_file, NULL, 0, 0, NULL,
		 "lines number,reason: unknown_account name_mismatch payer_unknown refused; "
		 "bad_row refuses the batch; refunded: paid, and refunded later; "
		 "no_refund: paid, and a reversal is refused"},
		{"book-plants", &t->plants_file, NULL, 0, 0, NULL,
		 "what the book says wrongly: tests/agencies/plants.h"},
		{"treasury-from", &t->treasury_from, NULL, 0, 0, NULL,
		 "by the agency's clock: nothing comes to the treasury before that day"},
		{"feed", NULL, &t->feed_settled, 0, 0, "all|settled",
		 "settled: the feed shows neither 02 nor refused, which the batch's answer told"},
	};
	int rc;

	agency_option_rows(a, rows);
	memcpy(rows + AGENCY_ROWS, own, sizeof own);
	rc = options_parse(argc, argv,
			   "A simulated tax bureau (schemas/openapi/tax.yaml) with a durable book.",
			   rows, AGENCY_ROWS + TAX_ROWS);
	if (rc == 0 && !a->book) {
		fprintf(stderr, "%s: --book is missing (see --help)\n", argv[0]);
		return 1000 + EXIT_USAGE;
	}
	return rc;
}

static int serve(const struct tax_options *options, const struct agency_options *a,
		 const char *refuse_file, struct err *e)
{
	static const struct route routes[] = {
		{"GET", "/v1/health", FAMILY_NONE, health},
		{"POST", "/v1/batches", FAMILY_BATCHES, tax_batches},
		{"POST", "/v1/queries", FAMILY_QUERIES, tax_queries},
		{"GET", "/v1/changes", FAMILY_CHANGES, tax_changes},
		{"GET", "/v1/book", FAMILY_BOOK, tax_account},
		{"POST", "/v1/reversals", FAMILY_REVERSALS, tax_reversals},
		{"POST", "/v1/reversals/query", FAMILY_QUERIES, tax_reversal_queries},
	};
	struct tax t = {.options = *options, .plants.file = options->plants_file};
	const struct server s = {.options = a,
				 .routes = routes,
				 .route_count = sizeof routes / sizeof routes[0],
				 .book = &t.book,
				 .agency = &t};
	int rc = tax_open(&t, a->book, a->clock, refuse_file, e);

	if (rc == 0)
		rc = odd_open(&t.odd, &t.book, a->odd, a->seed, e);
	if (rc == 0)
		rc = server_run(&s, e);
	tax_close(&t);
	return rc;
}

static int health(void *agency, struct request *q, struct out *o)
{
	struct tax *t = agency;

	(void)q;
	out_lit(o, "{\"status\":\"up\",\"now\":");
	out_time(o, book_now(&t->book));
	out_lit(o, "}");
	return 200;
}
