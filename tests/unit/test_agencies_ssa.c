/* The simulated social-security agency as its own program: whom it knows when, and what its
 * accounts hold after everything that can befall a request. */
#include "tests/lib/agency_test.h"
#include "base/date.h"

enum { AMOUNT_FEN = 50000 };
#define ONE "330603199001010001"
#define TWO "330603199001010002"
#define HEAD                                                                                      \
	"number,name,insured,insured_state,pension_start,for_year,kind,paid_by,tier_fen,paid_on," \
	"arrived_on,refunded_on,known_from\n"

static const char population[] = HEAD ONE
	",张三,1,1,,2026,10,1,300000,2026-06-01,2026-06-03,,\r\n" ONE
	",张三,1,1,,2026,outside,,12300,,,,\r\n" ONE
	",张三,1,1,,2025,32,11,100000,2025-06-01,,2025-07-01,\r\n" TWO
	",李四,1,1,,2026,10,1,500000,2026-12-01,,,2026-12-08\n" /* paid, known a week later */
	TWO ",李四,1,1,,2026,10,1,500000,2026-12-01,2026-12-09,,2026-12-10\n" /* arrived */
	ONE ",张三,1,drawing,2026-12-10,,,,,,,,2026-12-10\n"; /* draws a pension */

static void set_day(struct agency *a, int month, int day, int hour)
{
	struct err e = {0};
	int64_t ms = time_of_date(date_of(month < 6 ? 2027 : 2026, month, day)) +
		     hour * INT64_C(3600000);

	if (clock_file_write(a->clock, ms, &e) < 0)
		fail_msg("%s", e.text);
}

static void open_with_population(struct agency *a)
{
	agency_prepare(a, "sim-ssa");
	agency_write(a->extra, population);
	set_day(a, 12, 5, 10);
	AGENCY_OPEN(a, "sim-ssa", "--population", a->extra, "--clock", a->clock);
}

/* The clock file is read again within a tenth of a second. */
static void wait_day(struct agency *a, const char *day)
{
	int64_t since = clock_monotonic();
	bool there = false;

	while (!there) {
		json_t *json = agency_get(a, "/v1/health", NULL);

		there = strncmp(word(json, "now"), day, 10) == 0;
		json_decref(json);
		if (!there)
			look_again(since);
	}
}

/* What it says of one person, to be freed. */
static json_t *person(struct agency *a, const char *id)
{
	char body[200];
	json_t *json, *who;

	snprintf(body, sizeof body,
		 "{\"year\":2026,\"persons\":[{\"ref\":\"ab\",\"number\":\"%s\",\"name\":\"王五\"}]"
		 "}",
		 id);
	json = agency_get(a, "/v1/enquiries", body);
	assert_int_equal(json_array_size(json_object_get(json, "persons")), 1);
	who = json_incref(json_array_get(json_object_get(json, "persons"), 0));
	assert_string_equal(word(who, "ref"), "ab");
	json_decref(json);
	return who;
}

static const json_t *contribution(const json_t *who, size_t i)
{
	return json_array_get(json_object_get(who, "contributions"), i);
}

static void tells_who_paid(void **state)
{
	struct agency a = {.program = NULL};
	json_t *who;

	(void)state;
	open_with_population(&a);
	who = person(&a, ONE);
	assert_true(json_is_true(json_object_get(who, "insured")));
	assert_string_equal(word(who, "insured_state"), "1");
	assert_string_equal(word(who, "pension_start"), "null");
	assert_int_equal(number(who, "sequence", NULL), 1);
	assert_int_equal(json_array_size(json_object_get(who, "contributions")), 2);
	assert_int_equal(number(contribution(who, 0), "for_year", NULL), 2026);
	assert_int_equal(number(contribution(who, 0), "tier_fen", NULL), 300000);
	assert_string_equal(word(contribution(who, 0), "arrived_on"), "2026-06-03");
	assert_string_equal(word(contribution(who, 0), "refunded_on"), "null");
	assert_string_equal(word(contribution(who, 1), "kind"), "32");
	assert_string_equal(word(contribution(who, 1), "paid_by"), "11");
	assert_string_equal(word(contribution(who, 1), "refunded_on"), "2025-07-01");
	assert_int_equal(json_array_size(json_object_get(who, "outside")), 1);
	assert_int_equal(number(json_array_get(json_object_get(who, "outside"), 0), "for_year", NULL), 2026);
	assert_int_equal(number(json_array_get(json_object_get(who, "outside"), 0), "amount_fen", NULL), 12300);
	json_decref(who);
	who = person(&a, "330603199001019999");
	assert_true(json_is_false(json_object_get(who, "insured")));
	assert_int_equal(json_array_size(json_object_get(who, "contributions")), 0);
	json_decref(who);
	agency_refuses(&a, "/v1/enquiries", "{\"year\":2026,\"persons\":[]}", 400, "malformed");
	agency_refuses(&a, "/v1/enquiries",
		       "{\"persons\":[{\"ref\":\"a\",\"number\":\"1\",\"name\":\"b\"}]}", 400,
		       "malformed");
	agency_close(&a);
}

static void everyone_paid(void **state)
{
	struct agency a = {.program = NULL};
	json_t *who;

	(void)state;
	AGENCY_OPEN(&a, "sim-ssa", "--everyone-paid", "2026", "--tier-fen", "70000");
	who = person(&a, ONE);
	assert_int_equal(number(contribution(who, 0), "for_year", NULL), 2026);
	assert_int_equal(number(contribution(who, 0), "tier_fen", NULL), 70000);
	assert_string_equal(word(contribution(who, 0), "kind"), "10");
	json_decref(who);
	agency_close(&a);
}

/* A contribution that becomes known later: first not there, then a change in the feed, with the
 * day on which it became known. */
static void learns_as_time_passes(void **state)
{
	struct agency a = {.program = NULL};
	json_t *json, *who, *changes;

	(void)state;
	open_with_population(&a);
	who = person(&a, TWO);
	assert_true(json_is_true(json_object_get(who, "insured")));
	assert_int_equal(json_array_size(json_object_get(who, "contributions")), 0);
	json_decref(who);
	json = agency_get(&a, "/v1/changes", NULL);
	assert_int_equal(json_array_size(json_object_get(json, "persons")), 0);
	assert_memory_equal(word(json, "as_of"), "2026-12-05T10:0", 15);
	json_decref(json);

	set_day(&a, 1, 3, 9); /* over all the dates at once */
	wait_day(&a, "2027-01-03");
	json = agency_get(&a, "/v1/changes?limit=1", NULL);
	changes = json_object_get(json, "persons");
	assert_int_equal(json_array_size(changes), 1);
	who = json_array_get(changes, 0);
	assert_string_equal(word(who, "number"), TWO);
	assert_string_equal(word(who, "as_of"), "2026-12-08T00:00:00.000+08:00");
	assert_int_equal(number(who, "sequence", NULL), 2);
	assert_string_equal(word(contribution(who, 0), "arrived_on"), "null");
	/* The page ends before December 10: it is as of the moment before. */
	assert_string_equal(word(json, "as_of"), "2026-12-09T23:59:59.999+08:00");
	assert_string_equal(word(json, "next"), "2");
	json_decref(json);

	json = agency_get(&a, "/v1/changes?after=2", NULL);
	changes = json_object_get(json, "persons");
	assert_int_equal(json_array_size(changes), 2);
	assert_int_equal(
		json_array_size(json_object_get(json_array_get(changes, 0), "contributions")), 1);
	assert_string_equal(word(contribution(json_array_get(changes, 0), 0), "arrived_on"),
			    "2026-12-09");
	assert_string_equal(word(json_array_get(changes, 1), "insured_state"), "drawing");
	assert_string_equal(word(json_array_get(changes, 1), "pension_start"), "2026-12-10");
	assert_int_equal(
		json_array_size(json_object_get(json_array_get(changes, 1), "contributions")), 2);
	assert_memory_equal(word(json, "as_of"), "2027-01-03T09:0", 15);
	json_decref(json);
	agency_close(&a);
}

/* Killed and started again, it knows what it has told: the same sequences, no change twice, none
 * lost. */
static void remembers_what_it_told(void **state)
{
	struct agency a = {.program = NULL};
	json_t *before, *after, *who;

	(void)state;
	open_with_population(&a);
	set_day(&a, 12, 8, 1);
	wait_day(&a, "2026-12-08");
	before = agency_get(&a, "/v1/changes", NULL);
	assert_int_equal(json_array_size(json_object_get(before, "persons")), 1);
	agency_restart(&a);
	after = agency_get(&a, "/v1/changes", NULL);
	assert_true(
		json_equal(json_object_get(before, "persons"), json_object_get(after, "persons")));
	json_decref(after);
	who = person(&a, TWO);
	assert_int_equal(number(who, "sequence", NULL), 2);
	json_decref(who);
	sim_stop(&a.sim, SIGKILL, NULL);
	set_day(&a, 12, 20, 1); /* passes the other date while it is down */
	agency_start(&a, 0);
	after = agency_get(&a, "/v1/changes?after=2", NULL);
	assert_int_equal(json_array_size(json_object_get(after, "persons")), 2);
	who = person(&a, ONE);
	assert_int_equal(number(who, "sequence", NULL), 4);
	json_decref(who);
	json_decref(before);
	json_decref(after);
	agency_close(&a);
}

/* Feedback on the payments first, first + 1, ... */
static const char *feedback(struct buf *b, const char *kind, int first, int count, int version,
			    int amount_fen)
{
	buf_reset(b);
	buf_printf(b, "{\"batch\":\"%032x\",\"count\":%d,\"amount_fen\":%d,\"items\":[", first,
		   count, count * amount_fen);
	for (int i = first; i < first + count; i++)
		buf_printf(b,
			   "%s{\"kind\":\"%s\",\"payment_id\":\"%08x%024x\",\"version\":%d,"
			   "\"person\":{\"number\":"
			   "\"33060319900101%04d\",\"name\":\"张三\"},\"year\":2026,\"village\":"
			   "\"330603001008\","
			   "\"sponsor_type\":\"collective\",\"amount_fen\":%d,\"receipt\":"
			   "\"433000000000000001\","
			   "\"paid_at\":\"2026-12-05T10:00:00.000+08:00\",\"%s\":\"2026-12-06T10:"
			   "00:00.000+08:00\"}",
			   i > first ? "," : "", kind, i, i, version, i, amount_fen,
			   strcmp(kind, "refunded") == 0 ? "refunded_at" : "in_treasury_at");
	buf_put_str(b, "]}");
	return buf_text(b);
}

static void give(struct agency *a, const char *kind, int first, int count, int version,
		 int amount_fen)
{
	struct buf body;
	json_t *json, *row;
	size_t i;

	buf_init(&body, 1 << 20);
	json = agency_get(a, "/v1/feedback",
			  feedback(&body, kind, first, count, version, amount_fen));
	assert_int_equal(number(json, "count", NULL), count);
	assert_int_equal(number(json, "amount_fen", NULL), count * amount_fen);
	assert_int_equal(json_array_size(json_object_get(json, "results")), count);
	json_array_foreach(json_object_get(json, "results"), i, row)
	{
		assert_string_equal(word(row, "result"), "taken");
		assert_string_equal(word(row, "kind"), kind);
	}
	json_decref(json);
	buf_fini(&body);
}

/* The feed of credits by pages of two, once it has `count`: each as "payment result reason;". */
static void credits_are(struct agency *a, size_t count, const char *expected)
{
	int64_t since = clock_monotonic(), last;
	struct buf seen;
	size_t got, all;

	buf_init(&seen, 1 << 16);
	do {
		char path[100], next[32] = "";

		look_again(since);
		buf_reset(&seen);
		all = 0;
		last = 0;
		do {
			json_t *json, *row;
			size_t i;

			snprintf(path, sizeof path, "/v1/credits?after=%s&limit=2", next);
			json = agency_get(a, path, NULL);
			got = json_array_size(json_object_get(json, "credits"));
			json_array_foreach(json_object_get(json, "credits"), i, row)
			{
				assert_true(number(row, "sequence", NULL) > last);
				last = number(row, "sequence", NULL);
				assert_int_equal(number(row, "amount_fen", NULL), AMOUNT_FEN);
				buf_printf(&seen, "%d %s %s;",
					   (int)strtol(word(row, "payment_id") + 24, NULL, 16),
					   word(row, "result"), word(row, "reason"));
			}
			all += got;
			snprintf(next, sizeof next, "%s", word(json, "next"));
			json_decref(json);
		} while (got > 0);
	} while (all < count);
	assert_string_equal(buf_text(&seen), expected);
	buf_fini(&seen);
}

static void credits_once(void **state)
{
	struct agency a = {.program = NULL};

	(void)state;
	AGENCY_OPEN(&a, "sim-ssa", "--credit-ms", "1");
	give(&a, "collected", 1, 3, 1, AMOUNT_FEN);
	give(&a, "collected", 1, 4, 1, AMOUNT_FEN); /* three of them repeated */
	give(&a, "collected", 1, 1, 1,
	     AMOUNT_FEN + 1); /* a repeat that says something else: dropped, but noted */
	credits_are(&a, 4, "1 credited null;2 credited null;3 credited null;4 credited null;");
	assert_int_equal(book_says(&a, "postings", NULL), 4);
	assert_int_equal(book_says(&a, "repeats", NULL), 4);
	assert_int_equal(book_says(&a, "differing_repeats", NULL), 1);
	assert_int_equal(book_says(&a, "credited_twice", NULL), 0);
	assert_int_equal(book_says(&a, "net_fen", NULL), 4 * AMOUNT_FEN);
	give(&a, "collected", 2, 1, 2,
	     AMOUNT_FEN); /* another version is another credit, and the book says so */
	assert_int_equal(book_says(&a, "credited_twice", NULL), 1);
	agency_close(&a);
}

static void debits_what_was_credited(void **state)
{
	const char *args[5];
	struct agency a = {.program = NULL};
	struct err e = {0};
	struct buf csv;

	(void)state;
	buf_init(&csv, 1 << 16);
	agency_prepare(&a, "sim-ssa");
	agency_write(a.extra, TWO ",account_closed\n");
	AGENCY_OPEN(&a, "sim-ssa", "--credit-ms", "0", "--refuse-file", a.extra);
	give(&a, "collected", 1, 3, 1, AMOUNT_FEN);
	give(&a, "refunded", 1, 2, 2, AMOUNT_FEN); /* 2 was never credited */
	give(&a, "refunded", 1, 1, 3, AMOUNT_FEN); /* 1 has been taken back already */
	credits_are(&a, 6,
		    "1 credited null;2 credit_refused account_closed;3 credited null;"
		    "1 debited null;2 debit_refused not_credited;1 debit_refused not_credited;");
	assert_int_equal(book_says(&a, "net_fen", NULL), AMOUNT_FEN);
	assert_int_equal(book_says(&a, "counts", "debited"), 1);
	assert_int_equal(book_says(&a, "amount_fen", "debit_refused"), 2 * AMOUNT_FEN);
	memcpy(args, (const char *[]){"--book", a.book, "--dump", "csv", NULL}, sizeof args);
	assert_int_equal(sim_run("sim-ssa", args, &csv, &e), 0);
	assert_non_null(
		strstr(buf_text(&csv), "," TWO ",2026,50000,debit_refused,433000000000000001,0\n"));
	assert_non_null(strstr(buf_text(&csv),
			       ",330603199001010003,2026,50000,credited,433000000000000001,1\n"));
	agency_close(&a);
	buf_fini(&csv);
}

static void refuses_credits_by_chance(void **state)
{
	struct agency a = {.program = NULL};

	(void)state;
	AGENCY_OPEN(&a, "sim-ssa", "--credit-ms", "0", "--credit-refuse-permille", "300");
	give(&a, "collected", 1, 500, 1, 1);
	json_decref(agency_get(&a, "/v1/credits", NULL));
	assert_in_range(book_says(&a, "counts", "credit_refused"), 90, 210);
	agency_close(&a);
}

/* What makes no sense in an item refuses the item; what makes no batch refuses the whole. */
static void refuses_wrong_feedback(void **state)
{
	static const struct {
		const char *from, *to, *code; /* code NULL: the item alone */
	} rows[] = {
		{"\"count\":2", "\"count\":1", "totals"},
		{"\"amount_fen\":100000", "\"amount_fen\":99999", "totals"},
		{"\"version\":1", "\"version\":\"1\"", "malformed"},
		{"\"payment_id\"", "\"id\"", "malformed"},
		{"]}", "]", "malformed"},
		{"\"collected\"", "\"guessed\"", NULL},
		{"\"version\":1", "\"version\":0", NULL},
		{"\"receipt\":\"4330", "\"receipt\":\"", NULL},
		{"2026-12-06T", "2026-13-06T", NULL},
		{"\"in_treasury_at\"", "\"refunded_at\"", NULL},
	};
	struct agency a = {.program = NULL};
	struct buf body, wrong;
	json_t *json, *row;
	size_t k;

	(void)state;
	buf_init(&body, 1 << 20);
	buf_init(&wrong, 1 << 20);
	AGENCY_OPEN(&a, "sim-ssa", "--credit-ms", "0");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *good = feedback(&body, "collected", 2 * (int)i + 2, 2, 1, AMOUNT_FEN);
		const char *at = strstr(good, rows[i].from);
		int refused = 0;

		assert_non_null(at);
		buf_reset(&wrong);
		buf_printf(&wrong, "%.*s%s%s", (int)(at - good), good, rows[i].to,
			   at + strlen(rows[i].from));
		if (rows[i].code) {
			agency_refuses(&a, "/v1/feedback", buf_text(&wrong), 400, rows[i].code);
			continue;
		}
		json = agency_get(&a, "/v1/feedback", buf_text(&wrong));
		json_array_foreach(json_object_get(json, "results"), k, row) refused +=
			strcmp(word(row, "result"), "refused") == 0;
		assert_int_equal(refused, 1);
		json_decref(json);
	}
	assert_int_equal(book_says(&a, "postings", NULL), 5);
	agency_close(&a);
	buf_fini(&body);
	buf_fini(&wrong);
}

static const char *statistics(char out[600], int version, int declared_fen, const char *last)
{
	snprintf(out, 600,
		 "{\"items\":[{\"year\":2026,\"village\":\"330603001008\",\"sponsor_type\":"
		 "\"collective\",\"version\":%d,"
		 "\"as_of\":\"2026-12-05T10:00:00.000+08:00\",\"declared_count\":1,\"declared_"
		 "fen\":%d,"
		 "\"collected_count\":1,\"collected_fen\":1,\"kept_count\":1,\"kept_fen\":1,"
		 "\"columns\":"
		 "[{\"column\":\"kept\",\"count\":1,\"amount_fen\":1}]}%s]}",
		 version, declared_fen, last);
	return out;
}

static void keeps_newest_statistics(void **state)
{
	struct agency a = {.program = NULL};
	char body[600];
	json_t *json;

	(void)state;
	agency_open(&a, "sim-ssa", NULL);
	for (int i = 0; i < 3; i++) {
		static const int versions[] = {3, 5, 4};

		json = agency_get(&a, "/v1/statistics",
				  statistics(body, versions[i], versions[i] * 100, ""));
		assert_int_equal(number(json, "taken", NULL), 1);
		json_decref(json);
	}
	/* Refused whole: the good item before the bad one is not kept. */
	agency_refuses(&a, "/v1/statistics", statistics(body, 9, 900, ",{\"year\":2026}"), 400,
		       "malformed");
	assert_int_equal(book_says(&a, "statistics", "keys"), 1);
	assert_int_equal(book_says(&a, "statistics", "declared_fen"), 500);
	agency_close(&a);
}

/* Each kind of fault on feedback: what the line shows, what the book holds, that it fired, and
 * that the next try works. */
static void faults_on_feedback(void **state)
{
	static const struct {
		const char *fault;
		int status, postings, results;
	} rows[] = {
		{"e429", 429, 0, 0},	 {"e500", 500, 0, 0},	     {"e500_after", 500, 3, 0},
		{"cut_before", 0, 0, 0}, {"cut_after", 0, 3, 0},     {"truncated", -1, 3, 0},
		{"slow", 200, 3, 3},	 {"slow_before", 200, 3, 3}, {"missing_row", 200, 3, 2},
	};
	struct agency a = {.program = NULL};
	struct buf body;

	(void)state;
	buf_init(&body, 1 << 20);
	AGENCY_OPEN(&a, "sim-ssa", "--slow-ms", "50");
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t before = book_says(&a, "postings", NULL);
		int first = 10 * (int)i + 1;
		char spec[64];
		json_t *json;

		snprintf(spec, sizeof spec, "feedback/%s:1000:1", rows[i].fault);
		agency_write(a.faults, spec);
		assert_int_equal(agency_ask(&a, "/v1/feedback",
					    feedback(&body, "collected", first, 3, 1, AMOUNT_FEN),
					    &json),
				 rows[i].status);
		if (rows[i].results)
			assert_int_equal(json_array_size(json_object_get(json, "results")),
					 rows[i].results);
		json_decref(json);
		assert_int_equal(book_says(&a, "postings", NULL) - before, rows[i].postings);
		*strchr(spec, ':') = '\0';
		assert_int_equal(fired(&a, spec), 1);
		give(&a, "collected", first, 3, 1, AMOUNT_FEN);
		assert_int_equal(book_says(&a, "postings", NULL) - before, 3);
	}
	agency_close(&a);
	buf_fini(&body);
}

static void faults_elsewhere(void **state)
{
	static const char *const specs[] = {"enquiries/missing_row", "changes/cut_after",
					    "credits/truncated", "statistics/e500"};
	static const char enquiry[] = "{\"year\":2026,\"persons\":[{\"ref\":\"a\",\"number\":\"" ONE
				      "\",\"name\":\"b\"}]}";
	struct agency a = {.program = NULL};
	char body[600];
	json_t *json;

	(void)state;
	AGENCY_OPEN(&a, "sim-ssa", "--credit-ms", "0", "--faults",
		    "enquiries/missing_row:1000,changes/cut_after:1000,credits/"
		    "truncated:1000:1,statistics/e500:1000,"
		    "credits/duplicate:1000:1");
	give(&a, "collected", 1, 1, 1, AMOUNT_FEN);
	json = agency_get(&a, "/v1/enquiries", enquiry);
	assert_int_equal(json_array_size(json_object_get(json, "persons")), 0);
	json_decref(json);
	assert_int_equal(agency_ask(&a, "/v1/changes", NULL, NULL), 0);
	assert_int_equal(agency_ask(&a, "/v1/credits", NULL, NULL), -1);
	json = agency_get(&a, "/v1/credits", NULL);
	assert_int_equal(json_array_size(json_object_get(json, "credits")), 2);
	json_decref(json);
	assert_int_equal(agency_ask(&a, "/v1/statistics", statistics(body, 1, 1, ""), NULL), 500);
	assert_int_equal(book_says(&a, "statistics", "keys"), 0);
	for (size_t i = 0; i < COUNT(specs); i++)
		assert_int_equal(fired(&a, specs[i]), 1);
	agency_close(&a);
}

static void survives_kill(void **state)
{
	struct agency a = {.program = NULL};

	(void)state;
	AGENCY_OPEN(&a, "sim-ssa", "--credit-ms", "1");
	give(&a, "collected", 1, 2, 1, AMOUNT_FEN);
	agency_restart(&a);
	credits_are(&a, 2, "1 credited null;2 credited null;");
	agency_restart(&a);
	give(&a, "collected", 1, 3, 1, AMOUNT_FEN);
	give(&a, "refunded", 1, 1, 2, AMOUNT_FEN);
	credits_are(&a, 4, "1 credited null;2 credited null;3 credited null;1 debited null;");
	assert_int_equal(book_says(&a, "starts", NULL), 3);
	agency_close(&a);
}

static void refuses_wrong_population(void **state)
{
	static const char *const rows[] = {
		ONE ",张三\n",
		ONE ",张三,2,1,,,,,,,,,\n",
		ONE ",张三,1,1,2026-02-30,,,,,,,,\n",
		ONE ",张三,1,1,,2026,10,1,x,2026-06-01,,,\n",
		ONE ",张三,1,1,,2026,10,1,5,,,,\n",
		ONE ",张三,1,1,,,,,,,,,,x\n",
		",张三,1,1,,,,,,,,,\n",
	};
	struct agency a = {.program = NULL};
	struct err e = {0};

	(void)state;
	agency_prepare(&a, "sim-ssa");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *args[] = {"--book", a.book, "--population", a.extra, NULL};

		agency_write(a.extra, rows[i]);
		assert_int_equal(sim_run("sim-ssa", args, &a.answer, &e), EXIT_USAGE);
	}
	agency_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_who_paid),
		cmocka_unit_test(everyone_paid),
		cmocka_unit_test(learns_as_time_passes),
		cmocka_unit_test(remembers_what_it_told),
		cmocka_unit_test(credits_once),
		cmocka_unit_test(debits_what_was_credited),
		cmocka_unit_test(refuses_credits_by_chance),
		cmocka_unit_test(refuses_wrong_feedback),
		cmocka_unit_test(keeps_newest_statistics),
		cmocka_unit_test(faults_on_feedback),
		cmocka_unit_test(faults_elsewhere),
		cmocka_unit_test(survives_kill),
		cmocka_unit_test(refuses_wrong_population),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
