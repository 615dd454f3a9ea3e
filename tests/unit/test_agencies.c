/* The simulated tax bureau as its own program: what its book holds after everything that can
 * befall a request. */
#include "store/store.h"
#include "tests/lib/agency_test.h"

enum { AMOUNT_FEN = 50000 };

/* A batch of the payments first, first + 1, ..., each for a person of its own. */
static const char *batch(struct buf *b, int first, int count, int amount_fen)
{
	buf_reset(b);
	buf_printf(
		b,
		"{\"batch\":\"%032x\",\"count\":%d,\"heads\":%d,\"amount_fen\":%d,\"payments\":[",
		first, count, count, count * amount_fen);
	for (int i = first; i < first + count; i++)
		buf_printf(b,
			   "%s{\"payment_id\":\"%08x%024x\",\"person\":{\"kind\":\"201\","
			   "\"number\":\"33060319900101%04d\","
			   "\"name\":\"张三\"},\"payer\":{\"type\":\"collective\",\"code\":null,"
			   "\"village\":"
			   "\"330603001008\"},\"year\":2026,\"insurance_kind\":\"170\",\"amount_"
			   "fen\":%d}",
			   i > first ? "," : "", i, i, i, amount_fen);
	buf_put_str(b, "]}");
	return buf_text(b);
}

static const char *query(struct buf *b, int first, int count)
{
	buf_reset(b);
	buf_put_str(b, "{\"payment_ids\":[");
	for (int i = first; i < first + count; i++)
		buf_printf(b, "%s\"%08x%024x\"", i > first ? "," : "", i, i);
	buf_put_str(b, "]}");
	return buf_text(b);
}

/* The result of one payment, to be freed. */
static json_t *state_of(struct agency *a, int payment)
{
	struct buf body;
	json_t *json, *result;

	buf_init(&body, 1 << 16);
	json = agency_get(a, "/v1/queries", query(&body, payment, 1));
	result = json_incref(json_array_get(json_object_get(json, "results"), 0));
	json_decref(json);
	buf_fini(&body);
	assert_non_null(result);
	return result;
}

static void assert_state(struct agency *a, int payment, const char *state)
{
	json_t *result = state_of(a, payment);

	assert_string_equal(word(result, "result"), state);
	json_decref(result);
}

static void wait_state(struct agency *a, int payment, const char *state)
{
	int64_t since = clock_monotonic();
	bool there = false;

	while (!there) {
		json_t *result = state_of(a, payment);

		there = strcmp(word(result, "result"), state) == 0;
		json_decref(result);
		if (!there)
			look_again(since);
	}
}

static void answers_each_row(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	json_t *json, *results, *row;
	unsigned seen = 0;
	size_t i;

	(void)state;
	buf_init(&body, 1 << 20);
	agency_open(&a, "sim-tax", NULL);
	json = agency_get(&a, "/v1/batches", batch(&body, 1, 5, AMOUNT_FEN));
	assert_int_equal(number(json, "count", NULL), 5);
	assert_int_equal(number(json, "heads", NULL), 5);
	assert_int_equal(number(json, "amount_fen", NULL), 5 * AMOUNT_FEN);
	assert_string_equal(word(json, "batch"), "00000000000000000000000000000001");
	results = json_object_get(json, "results");
	json_array_foreach(results, i, row)
	{
		assert_string_equal(word(row, "result"), "accepted");
		assert_string_equal(word(row, "reason"), "null");
		seen |= 1u << strtoul(word(row, "payment_id") + 24, NULL, 16);
	}
	assert_int_equal(seen, 0x3E);
	json_decref(json);
	json = agency_get(&a, "/v1/health", NULL);
	assert_string_equal(word(json, "status"), "up");
	json_decref(json);
	assert_int_equal(agency_ask(&a, "/v1/nothing", NULL, NULL), 404);
	agency_close(&a);
	buf_fini(&body);
}

static void honours_keys(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	json_t *first, *again;

	(void)state;
	buf_init(&body, 1 << 20);
	agency_open(&a, "sim-tax", NULL);
	first = agency_get(&a, "/v1/batches", batch(&body, 1, 3, AMOUNT_FEN));
	wait_state(&a, 1, "in_treasury");
	again = agency_get(&a, "/v1/batches", batch(&body, 1, 3, AMOUNT_FEN));
	assert_true(json_equal(first, again)); /* the first result, whatever has happened since */
	assert_int_equal(book_says(&a, "entries", NULL), 3);
	assert_int_equal(book_says(&a, "repeats", NULL), 3);
	agency_refuses(&a, "/v1/batches", batch(&body, 3, 2, AMOUNT_FEN + 1), 409, "conflict");
	assert_state(&a, 4, "unknown");
	assert_int_equal(book_says(&a, "entries", NULL), 3);
	assert_int_equal(book_says(&a, "conflicts", NULL), 1);
	json_decref(first);
	json_decref(again);
	agency_close(&a);
	buf_fini(&body);
}

/* Twice in one batch: one payment, two results. */
static void honours_keys_within_a_batch(void **state)
{
	struct agency a = {.program = NULL};
	struct buf one, two;
	json_t *json;
	char *row;

	(void)state;
	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	agency_open(&a, "sim-tax", NULL);
	batch(&one, 1, 1, AMOUNT_FEN);
	row = strstr((char *)one.data, "[") + 1;
	buf_printf(&two,
		   "{\"batch\":\"%032x\",\"count\":2,\"heads\":1,\"amount_fen\":%d,\"payments\":[%."
		   "*s,%s",
		   1, 2 * AMOUNT_FEN, (int)strlen(row) - 2, row, row);
	json = agency_get(&a, "/v1/batches", buf_text(&two));
	assert_int_equal(json_array_size(json_object_get(json, "results")), 2);
	json_decref(json);
	assert_int_equal(book_says(&a, "entries", NULL), 1);
	agency_close(&a);
	buf_fini(&one);
	buf_fini(&two);
}

static void forgets_keys_after_the_window(void **state)
{
	struct agency a = {.program = NULL};
	int64_t since = clock_monotonic();
	struct buf body;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--key-window-ms", "1");
	do {
		json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 1, AMOUNT_FEN)));
		look_again(since);
	} while (book_says(&a, "entries", NULL) < 2);
	assert_int_equal(book_says(&a, "paid_twice", NULL), 1);
	agency_close(&a);
	buf_fini(&body);
}

/* Without keys a repeat is a second payment, and the book says so. */
static void pays_twice_without_keys(void **state)
{
	struct agency a = {.program = NULL};
	const char *args[] = {"--book", a.book, "--dump", "csv", NULL};
	struct err e = {0};
	struct buf body;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--keys", "none", "--settle-ms", "0");
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 2, AMOUNT_FEN)));
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 2, 1, AMOUNT_FEN)));
	wait_state(&a, 2, "in_treasury");
	assert_int_equal(book_says(&a, "entries", NULL), 3);
	assert_int_equal(book_says(&a, "distinct_payment_ids", NULL), 2);
	assert_int_equal(book_says(&a, "paid_twice", NULL), 1);
	assert_int_equal(book_says(&a, "amount_fen", "in_treasury"), 3 * AMOUNT_FEN);
	buf_reset(&body);
	assert_int_equal(sim_run("sim-tax", args, &body, &e), 0);
	assert_string_equal(buf_text(&body),
			    "payment_id,number,year,amount_fen,status,receipt,copies\n"
			    "00000001000000000000000000000001,330603199001010001,2026,50000,in_"
			    "treasury,4330000000000000011,1\n"
			    "00000002000000000000000000000002,330603199001010002,2026,50000,in_"
			    "treasury,43300000000000000222,2\n");
	agency_close(&a);
	buf_fini(&body);
}

/* Accepted at once, done later, known to queries later still. */
static void delays_effect_and_query(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	int64_t sent;
	json_t *json;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--keys", "none", "--effect-delay-ms", "300", "--query-delay-ms",
		    "600", "--settle-ms", "1000000");
	sent = clock_monotonic();
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 1, AMOUNT_FEN)));
	for (size_t changes = 0; changes == 0; look_again(sent)) {
		json = agency_get(&a, "/v1/changes", NULL);
		changes = json_array_size(json_object_get(json, "changes"));
		assert_string_equal(word(json, "next"), changes ? "1" : "0");
		json_decref(json);
	}
	assert_true(clock_monotonic() - sent >= 300);
	wait_state(&a, 1, "accepted");
	assert_true(clock_monotonic() - sent >= 600);
	assert_int_equal(book_says(&a, "entries", NULL), 1);
	agency_close(&a);
	buf_fini(&body);
}

/* Refused whole, nothing of it done: control totals that are not those of the rows, and what is
 * no batch. */
static void refuses_wrong_batches(void **state)
{
	static const struct {
		const char *from, *to, *code;
	} rows[] = {
		{"\"count\":2", "\"count\":3", "totals"},
		{"\"heads\":2", "\"heads\":1", "totals"},
		{"\"amount_fen\":100000", "\"amount_fen\":100001", "totals"},
		{"\"heads\":2,", "", "malformed"},
		{"\"count\":2", "\"count\":2.0", "malformed"},
		{"\"year\":2026,", "", "malformed"},
		{"\"170\"", "\"110\"", "malformed"},
		{"\"payment_id\":\"0", "\"payment_id\":\"", "malformed"},
		{"\"name\":\"张三\"", "\"name\":null", "malformed"},
		{"}]}", "}]", "malformed"},
		{"\"name\":\"张三\"", "\"name\":\"\"", "bad_row"},
		{"\"collective\"", "\"nobody\"", "bad_row"},
		{"\"330603001008\"", "\"33060300100\"", "bad_row"},
		{"\"amount_fen\":50000}", "\"amount_fen\":-50000}", "bad_row"},
		{"\"year\":2026", "\"year\":26", "bad_row"},
	};
	struct agency a = {.program = NULL};
	struct buf body, wrong;

	(void)state;
	buf_init(&body, 1 << 20);
	buf_init(&wrong, 1 << 20);
	agency_open(&a, "sim-tax", NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *good = batch(&body, 1, 2, AMOUNT_FEN), *at = strstr(good, rows[i].from);

		assert_non_null(at);
		buf_reset(&wrong);
		buf_printf(&wrong, "%.*s%s%s", (int)(at - good), good, rows[i].to,
			   at + strlen(rows[i].from));
		agency_refuses(&a, "/v1/batches", buf_text(&wrong), 400, rows[i].code);
	}
	agency_refuses(&a, "/v1/batches", "", 400, "malformed");
	agency_refuses(&a, "/v1/batches", batch(&body, 1, 1001, 1), 400, "malformed");
	agency_refuses(&a, "/v1/queries", "{\"payment_ids\":[]}", 400, "malformed");
	agency_refuses(&a, "/v1/queries", query(&body, 1, 1001), 400, "malformed");
	assert_int_equal(book_says(&a, "entries", NULL), 0);
	agency_close(&a);
	buf_fini(&body);
	buf_fini(&wrong);
}

static void refuses_people(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	json_t *json, *row;
	size_t i;

	(void)state;
	buf_init(&body, 1 << 20);
	agency_prepare(&a, "sim-tax");
	agency_write(a.extra, "330603199001010003,refunded\n330603199001010002,name_mismatch\n"
			      "330603199001010009,bad_row\n");
	AGENCY_OPEN(&a, "sim-tax", "--refuse-file", a.extra, "--settle-ms", "0",
		    "--refund-ms", "0");
	json = agency_get(&a, "/v1/batches", batch(&body, 1, 3, AMOUNT_FEN));
	json_array_foreach(json_object_get(json, "results"), i, row)
	{
		bool two = word(row, "payment_id")[31] == '2';

		assert_string_equal(word(row, "result"), two ? "refused" : "accepted");
		assert_string_equal(word(row, "reason"), two ? "name_mismatch" : "null");
	}
	json_decref(json);
	wait_state(&a, 1, "in_treasury");
	assert_state(&a, 2, "refused");
	wait_state(&a, 3, "refunded");
	agency_refuses(&a, "/v1/batches", batch(&body, 8, 3, AMOUNT_FEN), 400, "bad_row");
	assert_int_equal(book_says(&a, "counts", "refused"), 1);
	assert_int_equal(book_says(&a, "counts", "in_treasury"), 1);
	assert_int_equal(book_says(&a, "counts", "refunded"), 1);
	json = agency_get(&a, "/v1/changes", NULL);
	assert_int_equal(json_array_size(json_object_get(json, "changes")), 3 + 2 + 2 + 1);
	json_decref(json);
	agency_close(&a);
	buf_fini(&body);
}

static void refuses_by_chance(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	int64_t refused;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--refuse-permille", "300", "--seed", "7");
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 1000, AMOUNT_FEN)));
	refused = book_says(&a, "counts", "refused");
	assert_in_range(refused, 200, 400);
	agency_close(&a);
	buf_fini(&body);
}

/* Follows the feed by small pages to its end; counts the statuses. */
static void follow(struct agency *a, int limit, int seen[5], int64_t *last)
{
	static const char *const statuses[] = {"02", "03", "04", "refunded", "refused"};
	char path[100], next[32] = "";
	size_t got, i;
	json_t *row;

	memset(seen, 0, 5 * sizeof *seen);
	*last = 0;
	do {
		json_t *json;

		snprintf(path, sizeof path, "/v1/changes?after=%s&limit=%d", next, limit);
		json = agency_get(a, path, NULL);
		json_array_foreach(json_object_get(json, "changes"), i, row)
		{
			assert_true(number(row, "sequence", NULL) > *last);
			*last = number(row, "sequence", NULL);
			for (int s = 0; s < 5; s++)
				seen[s] += strcmp(word(row, "status"), statuses[s]) == 0;
		}
		got = json_array_size(json_object_get(json, "changes"));
		assert_true(got <= (size_t)limit);
		snprintf(next, sizeof next, "%s", word(json, "next"));
		json_decref(json);
	} while (got > 0);
}

static void feeds_changes_by_cursor(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	int64_t since = clock_monotonic(), last;
	int seen[5];

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--settle-ms", "10", "--refund-ms", "10", "--refund-permille",
		    "500");
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 20, AMOUNT_FEN)));
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 21, 20, AMOUNT_FEN)));
	for (seen[2] = 0; seen[2] < 40 || seen[3] == 0; look_again(since))
		follow(&a, 7, seen, &last);
	assert_int_equal(seen[0], 40);
	assert_int_equal(seen[1], 40);
	assert_in_range(seen[3], 8, 32);
	assert_int_equal(book_says(&a, "counts", "refunded"), seen[3]);
	assert_int_equal(book_says(&a, "counts", "in_treasury"), 40 - seen[3]);
	agency_refuses(&a, "/v1/changes?after=999999", NULL, 400, "cursor");
	agency_refuses(&a, "/v1/changes?after=x", NULL, 400, "cursor");
	agency_refuses(&a, "/v1/changes?limit=0", NULL, 400, "cursor");
	agency_close(&a);
	buf_fini(&body);
}

static void feeds_settled_only(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	int64_t last;
	int seen[5];

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--settle-ms", "0", "--feed", "settled");
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 4, AMOUNT_FEN)));
	wait_state(&a, 1, "in_treasury");
	follow(&a, 3, seen, &last);
	assert_int_equal(seen[0], 0);
	assert_int_equal(seen[1], 4);
	assert_int_equal(seen[2], 4);
	agency_close(&a);
	buf_fini(&body);
}

/* Each kind of fault on a batch: what the line shows, what the book holds, that it fired, and
 * that the next try works. */
static void faults_on_batches(void **state)
{
	static const struct {
		const char *fault;
		int status, entries, results;
	} rows[] = {
		{"e429", 429, 0, 0},	 {"e500", 500, 0, 0},	     {"e500_after", 500, 3, 0},
		{"cut_before", 0, 0, 0}, {"cut_after", 0, 3, 0},     {"truncated", -1, 3, 0},
		{"slow", 200, 3, 3},	 {"slow_before", 200, 3, 3}, {"missing_row", 200, 3, 2},
	};
	struct buf body;

	(void)state;
	buf_init(&body, 1 << 20);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct agency a = {.program = NULL};
		char spec[64], name[64];
		int64_t sent;
		json_t *json;

		AGENCY_OPEN(&a, "sim-tax", "--slow-ms", "150", "--retry-after-s", "3");
		snprintf(spec, sizeof spec, "batches/%s:1000:1\n", rows[i].fault);
		snprintf(name, sizeof name, "batches/%s", rows[i].fault);
		agency_write(a.faults, spec);
		json_decref(agency_get(&a, "/v1/changes", NULL)); /* another endpoint is spared */
		assert_int_equal(fired(&a, name), 0);
		sent = clock_monotonic();
		assert_int_equal(
			agency_ask(&a, "/v1/batches", batch(&body, 1, 3, AMOUNT_FEN), &json),
			rows[i].status);
		if (strncmp(rows[i].fault, "slow", 4) == 0)
			assert_true(clock_monotonic() - sent >= 150);
		if (rows[i].status == 429)
			assert_non_null(strstr(buf_text(&a.head), "Retry-After: 3\r\n"));
		if (rows[i].results)
			assert_int_equal(json_array_size(json_object_get(json, "results")),
					 rows[i].results);
		json_decref(json);
		assert_int_equal(book_says(&a, "entries", NULL), rows[i].entries);
		assert_int_equal(fired(&a, name), 1);
		json = agency_get(&a, "/v1/batches", batch(&body, 1, 3, AMOUNT_FEN));
		assert_int_equal(json_array_size(json_object_get(json, "results")), 3);
		json_decref(json);
		assert_int_equal(book_says(&a, "entries", NULL), 3);
		agency_close(&a);
	}
	buf_fini(&body);
}

/* The client is gone before the late effect: it happens all the same. */
static void late_effect_without_a_client(void **state)
{
	struct agency a = {.program = NULL};
	int64_t sent = clock_monotonic();
	struct buf body;
	int fd;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--slow-ms", "200", "--faults", "batches/slow_before:1000:1");
	fd = sim_send(&a.sim, "/v1/batches", batch(&body, 1, 1, AMOUNT_FEN));
	assert_true(fd >= 0);
	close(fd);
	wait_state(&a, 1, "accepted");
	assert_true(clock_monotonic() - sent >= 200);
	assert_int_equal(fired(&a, "batches/slow_before"), 1);
	agency_close(&a);
	buf_fini(&body);
}

static void faults_elsewhere(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	json_t *json, *changes;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--settle-ms", "1000000");
	agency_write(a.faults, "changes/duplicate:1000:1, queries/missing_row:1000:1");
	json_decref(
		agency_get(&a, "/v1/changes", NULL)); /* nothing to deliver twice: not counted */
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 2, AMOUNT_FEN)));
	json = agency_get(&a, "/v1/changes", NULL);
	changes = json_object_get(json, "changes");
	assert_int_equal(json_array_size(changes), 4);
	assert_true(json_equal(json_array_get(changes, 0), json_array_get(changes, 1)));
	json_decref(json);
	json = agency_get(&a, "/v1/queries", query(&body, 1, 2));
	assert_int_equal(json_array_size(json_object_get(json, "results")), 1);
	json_decref(json);
	assert_int_equal(fired(&a, "changes/duplicate"), 1);
	assert_int_equal(fired(&a, "queries/missing_row"), 1);
	agency_write(a.faults, "e500:1000");
	assert_int_equal(agency_ask(&a, "/v1/changes", NULL, NULL), 500);
	assert_int_equal(agency_ask(&a, "/v1/queries", query(&body, 1, 2), NULL), 500);
	assert_int_equal(agency_ask(&a, "/v1/health", NULL, NULL), 200);
	agency_write(a.faults, "nonsense"); /* told on stderr; the rules stay */
	assert_int_equal(agency_ask(&a, "/v1/changes", NULL, NULL), 500);
	agency_write(a.faults, "");
	assert_int_equal(agency_ask(&a, "/v1/changes", NULL, NULL), 200);
	agency_close(&a);
	buf_fini(&body);
}

/* Killed between the effect and the answer, and again at rest: the book goes on where it was,
 * keys, feed and all. */
static void survives_kill(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	json_t *before, *after;
	int64_t since = clock_monotonic(), last;
	int fd, seen[5];

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--settle-ms", "20", "--slow-ms", "1000000", "--faults",
		    "batches/slow:1000:1");
	fd = sim_send(&a.sim, "/v1/batches", batch(&body, 1, 5, AMOUNT_FEN));
	while (fired(&a, "batches/slow") == 0)
		look_again(since);
	agency_write(a.faults, "slow:0");
	agency_restart(&a);
	close(fd);
	before = agency_get(&a, "/v1/batches", batch(&body, 1, 5, AMOUNT_FEN));
	wait_state(&a, 5, "in_treasury");
	agency_restart(&a);
	after = agency_get(&a, "/v1/batches", batch(&body, 1, 5, AMOUNT_FEN));
	assert_true(json_equal(before, after));
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 6, 5, AMOUNT_FEN)));
	for (seen[2] = 0; seen[2] < 10; look_again(since))
		follow(&a, 3, seen, &last);
	assert_int_equal(seen[0], 10);
	assert_int_equal(seen[1], 10);
	assert_int_equal(book_says(&a, "entries", NULL), 10);
	assert_int_equal(book_says(&a, "repeats", NULL), 10);
	assert_int_equal(book_says(&a, "starts", NULL), 3);
	json_decref(before);
	json_decref(after);
	agency_close(&a);
	buf_fini(&body);
}

/* A delay that was running when it was killed goes on from where it was. */
static void delays_outlive_kill(void **state)
{
	struct agency a = {.program = NULL};
	struct buf body;
	int64_t sent;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--keys", "none", "--effect-delay-ms", "500");
	sent = clock_monotonic();
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 1, AMOUNT_FEN)));
	agency_restart(&a);
	wait_state(&a, 1, "accepted");
	assert_in_range(clock_monotonic() - sent, 500, PATIENCE_MS);
	agency_close(&a);
	buf_fini(&body);
}

/* Started again on a machine whose monotonic clock begins anew, far below what the book has
 * noted. */
static void delays_outlive_reboot(void **state)
{
	static const char *const steps[] = {"", ""};
	const struct store_kind kind = {"book", 0x51425458, steps, 2};
	const struct store_options o = {.flags = 0};
	struct agency a = {.program = NULL};
	struct err e = {0};
	struct store *store;
	struct buf body;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-tax", "--settle-ms", "50");
	json_decref(agency_get(&a, "/v1/batches", batch(&body, 1, 1, AMOUNT_FEN)));
	agency_end(&a);
	assert_int_equal(store_open(&store, a.book, &kind, &o, &e), 0);
	assert_int_equal(store_exec(store,
				    "UPDATE run SET noted_ms = noted_ms + 1000000000,"
				    " ready_ms = ready_ms + 1000000000",
				    &e),
			 0);
	store_close(store);
	agency_start(&a, 0);
	wait_state(&a, 1, "in_treasury");
	agency_close(&a);
	buf_fini(&body);
}

static void tells_its_port_and_its_time(void **state)
{
	struct agency a = {.program = NULL};
	struct err e = {0};
	struct buf text;
	char port[16];
	json_t *json;

	(void)state;
	buf_init(&text, 64);
	agency_prepare(&a, "sim-tax");
	assert_int_equal(clock_file_write(a.clock, INT64_C(1796428800000), &e),
			 0); /* 2026-12-05 08:00 */
	AGENCY_OPEN(&a, "sim-tax", "--port-file", a.extra, "--clock", a.clock);
	assert_int_equal(fs_read(a.extra, &text, &e), 0);
	snprintf(port, sizeof port, "%d\n", a.sim.port);
	assert_string_equal(buf_text(&text), port);
	json = agency_get(&a, "/v1/health", NULL);
	assert_memory_equal(word(json, "now"), "2026-12-05T08:0", 15);
	json_decref(json);
	agency_close(&a);
	buf_fini(&text);
}

static void refuses_wrong_options(void **state)
{
	static const char *const rows[][4] = {
		{"--book", "/nowhere/at/all/x.db"},
		{"--settle-ms", "5"},
		{"--book", "x", "--settle-ms", "-1"},
		{"--book", "x", "--keys", "some"},
		{"--book", "x", "--faults"},
		{"--nonsense", "1"},
		{"--book", "", "--faults", "slow:1001"},
		{"--book", "", "--faults", "queries/duplicate:5"},
		{"--book", "", "--refuse-file", "/nowhere"},
		{"--book", "", "--clock", "/nowhere"},
	};
	static const char *const helped[] = {"--help", NULL};
	struct tmpdir dir;
	struct err e = {0};
	struct buf out;
	char book[320];

	(void)state;
	buf_init(&out, 1 << 16);
	tmpdir_make(&dir);
	tmpdir_file(&dir, book, "book.db");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *args[5] = {rows[i][0], rows[i][1], rows[i][2], rows[i][3], NULL};

		if (args[1][0] == '\0')
			args[1] = book;
		assert_int_equal(sim_run("sim-tax", args, &out, &e), EXIT_USAGE);
	}
	assert_int_equal(out.len, 0);
	assert_int_equal(sim_run("sim-tax", helped, &out, &e), EXIT_YES);
	assert_non_null(strstr(buf_text(&out), "--effect-delay-ms"));
	tmpdir_remove(&dir);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_row),
		cmocka_unit_test(honours_keys),
		cmocka_unit_test(honours_keys_within_a_batch),
		cmocka_unit_test(forgets_keys_after_the_window),
		cmocka_unit_test(pays_twice_without_keys),
		cmocka_unit_test(delays_effect_and_query),
		cmocka_unit_test(refuses_wrong_batches),
		cmocka_unit_test(refuses_people),
		cmocka_unit_test(refuses_by_chance),
		cmocka_unit_test(feeds_changes_by_cursor),
		cmocka_unit_test(feeds_settled_only),
		cmocka_unit_test(faults_on_batches),
		cmocka_unit_test(late_effect_without_a_client),
		cmocka_unit_test(faults_elsewhere),
		cmocka_unit_test(survives_kill),
		cmocka_unit_test(delays_outlive_kill),
		cmocka_unit_test(delays_outlive_reboot),
		cmocka_unit_test(tells_its_port_and_its_time),
		cmocka_unit_test(refuses_wrong_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
