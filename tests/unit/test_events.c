/* Encoding and decoding of good events, schemas of other versions, and what the encoder refuses. */
#include "tests/lib/event_gen.h"
#include "tests/lib/unit.h"
#include "crypto/digest.h"
#include <string.h>

static struct codec *codec;
static struct buf bytes = {.max = 4 << 20};

static int open_codec(void **state)
{
	struct err e = {0};

	(void)state;
	return codec_open(&codec, NULL, &e);
}

static int close_codec(void **state)
{
	(void)state;
	codec_close(codec);
	buf_fini(&bytes);
	return 0;
}

static struct str encoded(enum event_type t, const void *event)
{
	struct err e = {0};

	buf_reset(&bytes);
	if (codec_encode(codec, t, event, &bytes, &e))
		fail_msg("%s", e.text);
	return (struct str){(char *)bytes.data, bytes.len};
}

static void decoded(enum event_type t, struct str data, void *event)
{
	struct err e = {0};

	memset(event, 0x5a, shape_of(t)->size); /* every member must be written */
	if (codec_decode(codec, t, data, event, &e))
		fail_msg("%s", e.text);
}

static void round_trip_of_every_type(void **state)
{
	struct event_gen g;
	union any_event in, out;

	(void)state;
	event_gen_init(&g, 20261231);
	for (int i = 0; i < 300 * EVENT_TYPES; i++) {
		enum event_type t = (enum event_type)(i % EVENT_TYPES);
		const char *where;

		event_gen_make(&g, t, &in);
		decoded(t, encoded(t, &in), &out);
		where = event_differs(shape_of(t), &in, &out);
		if (where)
			fail_msg("%s: %s differs in event %d", event_name(t), where, i);
	}
	event_gen_fini(&g);
}

static void appends_and_heads_with_the_fingerprint(void **state)
{
	const struct payment_enquiry q = {.attempt = 1, .payment_attempt = -2};
	uint8_t want[3 + 10 + 16 + 3] = "abc";
	struct err e = {0};
	uint64_t fingerprint;

	(void)state;
	assert_int_equal(schema_fingerprint(pinned_schema(EV_PAYMENT_ENQUIRY), &fingerprint, &e),
			 0);
	want[3] = 0xc3;
	want[4] = 0x01;
	for (int i = 0; i < 8; i++)
		want[5 + i] = (uint8_t)(fingerprint >> 8 * i);
	want[29] = 2; /* 1 */
	want[30] = 3; /* -2 */
	want[31] = 0; /* no reversal */
	buf_reset(&bytes);
	assert_int_equal(buf_put(&bytes, "abc", 3), 0);
	assert_int_equal(codec_encode(codec, EV_PAYMENT_ENQUIRY, &q, &bytes, &e), 0);
	assert_int_equal(bytes.len, sizeof want);
	assert_memory_equal(bytes.data, want, sizeof want);
}

/* What was decoded stays until the next decode of the same type, whatever happens to the input
 * and other types. */
static void decoded_values_live_in_the_codec(void **state)
{
	struct ev_defect defects[20];
	struct subsidy_declared row = {.defects = defects,
				       .defect_count = 20,
				       .cert_kind = STR("01")},
				out;
	struct feed_position feed = {.feed = STR("tax"), .cursor = STR("17")}, feed_out;
	struct str data;
	char *copy;

	(void)state;
	for (int i = 0; i < 20; i++)
		defects[i] = (struct ev_defect){STR("id_check_digit"), STR("id_number")};
	data = encoded(EV_SUBSIDY_DECLARED, &row);
	copy = malloc(data.n);
	assert_non_null(copy);
	memcpy(copy, data.p, data.n);
	decoded(EV_SUBSIDY_DECLARED, (struct str){copy, data.n}, &out);
	memset(copy, 0, data.n);
	free(copy);
	decoded(EV_FEED_POSITION, encoded(EV_FEED_POSITION, &feed), &feed_out);
	assert_null(event_differs(shape_of(EV_SUBSIDY_DECLARED), &row, &out));
	assert_null(event_differs(shape_of(EV_FEED_POSITION), &feed, &feed_out));
}

static void large_events_pass_and_larger_ones_do_not(void **state)
{
	static char big[EVENT_BYTES_MAX + 1];
	struct rejected_event in = {.topic = STR("payments"), .reason = STR("undecodable")}, out;
	struct err e = {0};

	(void)state;
	memset(big, 0xee, sizeof big);
	in.bytes = (struct str){big, EVENT_BYTES_MAX};
	for (int i = 0; i < 3; i++) {
		decoded(EV_REJECTED_EVENT, encoded(EV_REJECTED_EVENT, &in), &out);
		assert_null(event_differs(shape_of(EV_REJECTED_EVENT), &in, &out));
	}
	in.bytes.n++;
	assert_int_equal(codec_encode(codec, EV_REJECTED_EVENT, &in, &bytes, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_string_equal(e.text, "RejectedEvent: bytes is too long");
}

/* ---- what the encoder refuses, leaving the buffer as it was ---- */

static void refused(enum event_type t, const void *event, const char *text)
{
	struct err e = {0};

	buf_reset(&bytes);
	assert_int_equal(buf_put(&bytes, "abc", 3), 0);
	assert_int_equal(codec_encode(codec, t, event, &bytes, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_string_equal(e.text, text);
	assert_int_equal(bytes.len, 3);
}

static void refuses_values_that_no_reader_takes(void **state)
{
	static char text[EVENT_TEXT_MAX + 1];
	struct feed_position f = {.feed = STR("tax"), .cursor = STR("")};
	struct subsidy_declared row = {0};
	struct contribution_status st = {.insured_state = STR("1")};
	struct ev_defect defect = {.code = {0}};

	(void)state;
	(void)encoded(EV_FEED_POSITION, &f);
	f.cursor = (struct str){0};
	refused(EV_FEED_POSITION, &f, "FeedPosition: cursor has no value");
	f.cursor = STR("\xc0\xaf");
	refused(EV_FEED_POSITION, &f, "FeedPosition: cursor is not UTF-8");
	f.cursor = STR("12345678\xed\xa0\x80");
	refused(EV_FEED_POSITION, &f, "FeedPosition: cursor is not UTF-8");
	f.cursor = STR("a\0b");
	refused(EV_FEED_POSITION, &f, "FeedPosition: cursor is not UTF-8");
	f.cursor = STR("村12345678\0");
	refused(EV_FEED_POSITION, &f, "FeedPosition: cursor is not UTF-8");
	memset(text, 'x', sizeof text);
	f.cursor = (struct str){text, sizeof text};
	refused(EV_FEED_POSITION, &f, "FeedPosition: cursor is too long");
	f.cursor.n--;
	(void)encoded(EV_FEED_POSITION, &f);
	row.member = (struct opt_long){true, 2};
	refused(EV_SUBSIDY_DECLARED, &row, "SubsidyDeclared: member is neither 0 nor 1");
	row.member.v = 1;
	row.defect_count = -1;
	refused(EV_SUBSIDY_DECLARED, &row, "SubsidyDeclared: defects has a wrong count");
	row.defect_count = 1;
	refused(EV_SUBSIDY_DECLARED, &row, "SubsidyDeclared: defects has a wrong count");
	row.defects = &defect;
	refused(EV_SUBSIDY_DECLARED, &row, "SubsidyDeclared: code has no value");
	st.attempt = (struct opt_long){true, 1LL << 31};
	refused(EV_CONTRIBUTION_STATUS, &st, "ContributionStatus: attempt is out of range");
	refused(EVENT_TYPES, &st, "event type 28: unknown");
}

static void refuses_when_the_buffer_is_full(void **state)
{
	const struct payment_enquiry q = {.attempt = 1};
	struct err e = {0};
	struct buf small;

	(void)state;
	buf_init(&small, 20);
	assert_int_equal(codec_encode(codec, EV_PAYMENT_ENQUIRY, &q, &small, &e), -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_int_equal(small.len, 0);
	buf_fini(&small);
}

/* ---- other versions of the schemas ---- */

/* The text of a record's schema from "name type;name type;...": quotes as ', ID for our fixed of
 * 16. */
static const char *record(const char *name, const char *fields)
{
	static char text[4096];
	bool id_known = false;
	size_t n = (size_t)snprintf(
		text, sizeof text,
		"{'type':'record','name':'%s','namespace':'cn.keqiao.qiao','fields':[", name);

	while (*fields) {
		int field = (int)strcspn(fields, " "), type = (int)strcspn(fields, ";") - field - 1;
		const char *at = fields + field + 1;
		bool id = type == 2 && !strncmp(at, "ID", 2);

		n += (size_t)snprintf(text + n, sizeof text - n, "{'name':'%.*s','type':%.*s},",
				      field, fields, id ? 100 : type,
				      !id	 ? at
				      : id_known ? "'Id'"
						 : "{'type':'fixed','name':'Id','size':16}");
		id_known |= id;
		fields = at + type + (at[type] == ';');
	}
	snprintf(text + n - 1, sizeof text - n + 1, "]}");
	for (char *q = text; (q = strchr(q, '\'')) != NULL;)
		*q = '"';
	return text;
}

static void put_long(int64_t v)
{
	assert_int_equal(buf_put_varint(&bytes, (uint64_t)v << 1 ^ (uint64_t)(v >> 63)), 0);
}

static void put_text(const char *s)
{
	put_long((int64_t)strlen(s));
	assert_int_equal(buf_put_str(&bytes, s), 0);
}

static void put_id(uint8_t fill)
{
	for (int i = 0; i < ID_LEN; i++)
		assert_int_equal(buf_put_u8(&bytes, fill), 0);
}

/* Makes the schema known and begins an event of it. */
static void begin(const char *schema)
{
	struct err e = {0};
	uint64_t fingerprint;

	if (codec_add_schema(codec, str_of(schema), &e))
		fail_msg("%s", e.text);
	assert_int_equal(schema_fingerprint(str_of(schema), &fingerprint, &e), 0);
	buf_reset(&bytes);
	buf_put_u8(&bytes, 0xc3);
	buf_put_u8(&bytes, 0x01);
	buf_put_u64(&bytes, fingerprint);
}

static struct str written(void)
{
	return (struct str){(char *)bytes.data, bytes.len};
}

/* A writer that came later: fields that we do not know, of every type, before, between and
 * behind; others reordered. */
static void reads_a_newer_schema(void **state)
{
	static const char fields[] = "new_map {'type':'map','values':['null','string']};"
				     "amount_fen 'int';reason 'string';"
				     "new_enum {'type':'enum','name':'E','symbols':['A','B']};"
				     "new_double 'double';new_float 'float';payment_id ID;"
				     "new_record {'type':'record','name':'Inner','fields':["
				     "{'name':'x','type':'string'},"
				     "{'name':'y','type':['null','E','long']}]};"
				     "new_array {'type':'array','items':'Inner'};"
				     "receipt 'string';new_bytes 'bytes';new_null 'null';"
				     "new_boolean 'boolean';reversal_id ID;new_id ID";
	struct payment_reversal r;

	(void)state;
	begin(record("PaymentReversal", fields));
	put_long(-1), put_long(7), put_text("key"), put_long(1), put_text("v"),
		put_long(0); /* a sized block */
	put_long(50000);
	put_text("04");
	put_long(1);
	put_id(9), bytes.len -= 8;  /* the double */
	put_id(9), bytes.len -= 12; /* the float */
	put_id(1);
	put_text("in"), put_long(2), put_long(-5);
	put_long(2), put_text("a"), put_long(1), put_long(0), put_text("b"), put_long(0);
	put_long(1), put_text("c"), put_long(0), put_long(0);
	put_text("receipt");
	put_long(3), buf_put(&bytes, "\0\1\2", 3);
	buf_put_u8(&bytes, 1);
	put_id(2);
	put_id(3);
	decoded(EV_PAYMENT_REVERSAL, written(), &r);
	assert_int_equal(r.amount_fen, 50000);
	assert_true(str_is(r.reason, "04"));
	assert_true(str_is(r.receipt, "receipt"));
	assert_int_equal(r.payment_id.b[15], 1);
	assert_int_equal(r.reversal_id.b[0], 2);
}

/* The same inside the records of an array, and optional fields that the writer always fills. */
static void reads_a_newer_schema_inside_arrays(void **state)
{
	static const char fields[] =
		"defects {'type':'array','items':{'type':'record','name':'Defect','fields':["
		"{'name':'severity','type':'int'},{'name':'column','type':'string'},"
		"{'name':'code','type':'string'}]}};"
		"token ID;member 'boolean';amount_fen ['long','int','null'];tier_fen 'int';"
		"row_no 'int';submission_id ID;attempt_id ID";
	struct subsidy_declared row;

	(void)state;
	begin(record("SubsidyDeclared", fields));
	put_long(-2), put_long(10), put_long(1), put_text("c1"), put_text("x"), put_long(2),
		put_text("c"), put_text("");
	put_long(1), put_long(3), put_text("c3"), put_text("z"), put_long(0);
	put_id(4);
	buf_put_u8(&bytes, 1);
	put_long(1), put_long(60000);
	put_long(7);
	put_long(12);
	put_id(5);
	put_id(6);
	decoded(EV_SUBSIDY_DECLARED, written(), &row);
	assert_int_equal(row.defect_count, 3);
	assert_true(str_is(row.defects[0].code, "x") && str_is(row.defects[0].column, "c1"));
	assert_true(str_is(row.defects[1].code, "") && str_is(row.defects[1].column, "c"));
	assert_true(str_is(row.defects[2].code, "z") && str_is(row.defects[2].column, "c3"));
	assert_true(row.token.set && row.token.v.b[3] == 4);
	assert_true(row.member.set && row.member.v == 1);
	assert_true(row.amount_fen.set && row.amount_fen.v == 60000);
	assert_true(row.tier_fen.set && row.tier_fen.v == 7);
	assert_true(!row.other_amount_fen.set && row.cert_kind.p == NULL && row.identity.p == NULL);
	assert_true(row.submission_id.b[0] == 5 && row.attempt_id.b[0] == 6);
}

/* A writer that came earlier: members with defaults are missing. */
static void reads_an_older_schema(void **state)
{
	static const char opened[] =
		"submission_id ID;attempt_id ID;sender 'string';receipt 'string';"
		"roster_sha256 'string';year 'int';village 'string';"
		"received_at 'long'";
	struct collection_result r;
	struct submission_opened o;

	(void)state;
	begin(record("CollectionResult", "payment_id ID;state 'string';at 'long'"));
	put_id(1), put_text("paid"), put_long(1764000000000);
	decoded(EV_COLLECTION_RESULT, written(), &r);
	assert_true(str_is(r.state, "paid") && r.at == 1764000000000);
	assert_true(r.reason.p == NULL && r.receipt.p == NULL && r.batch.p == NULL &&
		    !r.amount_fen.set);
	assert_true(r.sequence == 0 && r.attempt == 0);
	begin(record("SubmissionOpened", opened));
	put_id(1), put_id(2), put_text("keyan"), put_text("1234567890"), put_text("ab"),
		put_long(2026);
	put_text("330603001001"), put_long(5);
	decoded(EV_SUBMISSION_OPENED, written(), &o);
	assert_true(o.reader.p != NULL && o.reader.n == 0); /* "", not null */
	assert_true(str_is(o.village, "330603001001") && o.received_at == 5);
}

static void reads_an_older_schema_inside_arrays(void **state)
{
	static const char fields[] =
		"submission_id ID;cover_id ID;received_at 'long';year 'int';village 'string';"
		"sponsor_type 'string';sponsor_id ID;"
		"gates {'type':'array','items':{'type':'record','name':'Gate','fields':["
		"{'name':'date','type':'int'},{'name':'gate','type':'string'}]}}";
	struct gate_documents g;

	(void)state;
	begin(record("GateDocuments", fields));
	put_id(1), put_id(2), put_long(3), put_long(2026), put_text("v"), put_text("charity"),
		put_id(4);
	put_long(3);
	put_long(20000), put_text("vote"), put_long(20001), put_text("posting"), put_long(20002),
		put_text("filed");
	put_long(0);
	decoded(EV_GATE_DOCUMENTS, written(), &g);
	assert_true(g.standards_fen == NULL && g.standard_count == 0 && g.sponsor_code.p == NULL);
	assert_int_equal(g.gate_count, 3);
	assert_true(str_is(g.gates[2].gate, "filed") && g.gates[2].date == 20002);
	for (int i = 0; i < 3; i++) {
		assert_true(!g.gates[i].until.set && !g.gates[i].cites_roster);
		assert_true(g.gates[i].document.p == NULL && g.gates[i].passed_by.p == NULL);
	}
}

/* An item's text that is missing is empty, not null, also where the array had to grow. */
static void empty_texts_inside_arrays(void **state)
{
	static const char fields[] =
		"token ID;as_of 'long';sequence 'long';insured 'boolean';insured_state 'string';"
		"entries {'type':'array','items':{'type':'record','name':'Contribution','fields':["
		"{'name':'for_year','type':'int'},{'name':'kind','type':'string'},"
		"{'name':'tier_fen','type':'long'},{'name':'paid_on','type':'int'}]}}";
	struct contribution_status st;

	(void)state;
	begin(record("ContributionStatus", fields));
	put_id(1), put_long(2), put_long(3), buf_put_u8(&bytes, 1), put_text("1");
	put_long(5);
	for (int i = 0; i < 5; i++)
		put_long(2020 + i), put_text("10"), put_long(1000 * i), put_long(20000 + i);
	put_long(0);
	decoded(EV_CONTRIBUTION_STATUS, written(), &st);
	assert_int_equal(st.entry_count, 5);
	for (int i = 0; i < 5; i++) {
		assert_true(st.entries[i].paid_by.p != NULL && st.entries[i].paid_by.n == 0);
		assert_true(st.entries[i].for_year == 2020 + i && str_is(st.entries[i].kind, "10"));
		assert_true(!st.entries[i].arrived_on.set && st.entries[i].paid_on == 20000 + i);
	}
}

static void refuses_schemas_that_do_not_fit(void **state)
{
	static const struct {
		const char *name, *fields, *says;
	} bad[] = {
		{"BookClosed", "run_id ID;count 'long'", "amount_fen is missing"},
		{"BookClosed", "run_id ID;count 'string';amount_fen 'long'", "count has a type"},
		{"BookClosed", "run_id ID;count ['null','long'];amount_fen 'long'",
		 "count has a type"},
		{"BookClosed", "run_id ID;count {'type':'array','items':'long'};amount_fen 'long'",
		 "count has a type"},
		{"BookClosed",
		 "run_id {'type':'fixed','name':'Id','size':8};count 'long';amount_fen 'long'",
		 "run_id has a type"},
		{"PaymentEnquiry", "payment_id ID;attempt 'long';payment_attempt 'int'",
		 "attempt has a type"},
		{"CollectionStatistics", "columns 'string'", "missing"},
		{"SubsidyDeclared",
		 "submission_id ID;attempt_id ID;row_no 'int';"
		 "defects {'type':'array','items':'string'}",
		 "defects has items"},
		{"SubsidyDeclared", "submission_id ID;attempt_id ID;row_no 'int';defects 'string'",
		 "defects is no array"},
		{"SubsidyDeclared",
		 "submission_id ID;attempt_id ID;row_no 'int';next ['null','SubsidyDeclared']",
		 "itself"},
		{"Unheard", "a 'int'", "no record of ours"},
		{"BookClosed2", "run_id ID", "no record of ours"},
	};
	static const char *const others[] = {
		"{\"type\":\"record\",\"name\":\"BookClosed\",\"fields\":[]}", "\"string\"", "{"};
	struct err other = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {0};

		assert_int_equal(
			codec_add_schema(codec, str_of(record(bad[i].name, bad[i].fields)), &e),
			-1);
		assert_int_equal(e.class, ERR_CONF);
		if (strstr(e.text, bad[i].says) == NULL)
			fail_msg("%zu: %s", i, e.text);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(codec_add_schema(codec, str_of(others[i]), &other), -1);
		assert_int_equal(other.class, ERR_CONF);
	}
}

static void takes_the_schemas_of_a_folder(void **state)
{
	const char *schema = record("BookClosed", "amount_fen 'long';count 'int';run_id ID");
	struct codec *mine = NULL;
	struct tmpdir dir;
	struct err e = {0};
	char path[320];
	struct book_closed b;
	uint64_t fingerprint;

	(void)state;
	tmpdir_make(&dir);
	assert_int_equal(fs_write_atomic(tmpdir_file(&dir, path, "older.avsc"), schema,
					 strlen(schema), 0600, &e),
			 0);
	assert_int_equal(fs_write_atomic(tmpdir_file(&dir, path, "notes.txt"), "{", 1, 0600, &e),
			 0);
	assert_int_equal(codec_open(&mine, dir.path, &e), 0);
	assert_int_equal(schema_fingerprint(str_of(schema), &fingerprint, &e), 0);
	buf_reset(&bytes);
	buf_put_u8(&bytes, 0xc3), buf_put_u8(&bytes, 0x01), buf_put_u64(&bytes, fingerprint);
	put_long(77), put_long(8), put_id(9);
	assert_int_equal(codec_decode(mine, EV_BOOK_CLOSED, written(), &b, &e), 0);
	assert_true(b.amount_fen == 77 && b.count == 8 && b.run_id.b[0] == 9);
	assert_int_equal(codec_decode(codec, EV_BOOK_CLOSED, written(), &b, &e), -1);
	assert_memory_equal(e.text, "unknown_schema", 14);
	codec_close(mine);

	assert_int_equal(fs_write_atomic(tmpdir_file(&dir, path, "bad.avsc"), "{", 1, 0600, &e), 0);
	assert_int_equal(codec_open(&mine, dir.path, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
	assert_non_null(strstr(e.text, "bad.avsc"));
	tmpdir_remove(&dir);
	assert_int_equal(codec_open(&mine, dir.path, &e), -1);
	assert_int_equal(e.class, ERR_CONF);
}

/* ---- the digest of rows ---- */

static struct id digest_of(const struct subsidy_declared *row, int times)
{
	struct id d = {{0}};

	for (int i = 0; i < times; i++)
		row_digest(&d, row);
	return d;
}

static void digest_tells_rows_apart(void **state)
{
	struct ev_defect one = {STR("a"), STR("b")}, other = {STR("a"), {0}}, two[2] = {one, one};
	const struct subsidy_declared base = {
		.row_no = 3, .amount_fen = {true, 500}, .defects = &one, .defect_count = 1};
	struct subsidy_declared rows[14];
	struct id base_digest = digest_of(&base, 1), d;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = base;
	rows[0].row_no = 4;
	rows[1].amount_fen.v = 501;
	rows[2].amount_fen.set = false;
	rows[3].tier_fen = (struct opt_long){true, 0};
	rows[4].other_amount_fen = (struct opt_long){true, 0};
	rows[5].member = (struct opt_long){true, 0};
	rows[6].cert_kind = STR("");
	rows[7].cert_kind = STR("01");
	rows[8].token.set = true;
	rows[9].defect_count = 0;
	rows[10].defects = &other;
	rows[11].defects = two, rows[11].defect_count = 2;
	rows[12].submission_id.b[7] = 1;
	rows[13].defects = &(struct ev_defect){STR("a"), STR("")};
	for (size_t i = 0; i < COUNT(rows); i++) {
		d = digest_of(&rows[i], 1);
		assert_false(id_eq(&d, &base_digest));
		for (size_t k = 0; k < i; k++) {
			struct id dk = digest_of(&rows[k], 1);

			assert_false(id_eq(&d, &dk));
		}
	}
	d = digest_of(&base, 2);
	assert_false(id_eq(&d, &base_digest));
}

/* Sealing again gives other bytes, reading again another attempt; both are the same row. */
static void digest_leaves_out_what_differs_in_a_repeat(void **state)
{
	struct subsidy_declared a = {.row_no = 1,
				     .token = {.set = true},
				     .identity = STR("abc"),
				     .cells = STR("x")},
				b = a, c;
	struct id da = digest_of(&a, 1), db;

	(void)state;
	b.identity = STR("defgh");
	b.cells = (struct str){0};
	b.attempt_id.b[0] = 1;
	b.amount_fen.v = 77; /* not set */
	db = digest_of(&b, 1);
	assert_true(id_eq(&da, &db));
	decoded(EV_SUBSIDY_DECLARED, encoded(EV_SUBSIDY_DECLARED, &a), &c);
	db = digest_of(&c, 1);
	assert_true(id_eq(&da, &db));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_of_every_type),
		cmocka_unit_test(appends_and_heads_with_the_fingerprint),
		cmocka_unit_test(decoded_values_live_in_the_codec),
		cmocka_unit_test(large_events_pass_and_larger_ones_do_not),
		cmocka_unit_test(refuses_values_that_no_reader_takes),
		cmocka_unit_test(refuses_when_the_buffer_is_full),
		cmocka_unit_test(reads_a_newer_schema),
		cmocka_unit_test(reads_a_newer_schema_inside_arrays),
		cmocka_unit_test(reads_an_older_schema),
		cmocka_unit_test(reads_an_older_schema_inside_arrays),
		cmocka_unit_test(empty_texts_inside_arrays),
		cmocka_unit_test(refuses_schemas_that_do_not_fit),
		cmocka_unit_test(takes_the_schemas_of_a_folder),
		cmocka_unit_test(digest_tells_rows_apart),
		cmocka_unit_test(digest_leaves_out_what_differs_in_a_repeat),
	};

	return cmocka_run_group_tests(tests, open_codec, close_codec);
}
