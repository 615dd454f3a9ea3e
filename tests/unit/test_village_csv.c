/* Records and cells, whatever the delimiter, the line ends and the pieces in which the bytes
 * come. */
/* LINK: adapters/village/decode.o adapters/village/csv.o adapters/village/roster.o adapters/village/head.o */
#include "tests/lib/roster_text.h"

/* The records as "cell|cell;cell|cell;". */
static const char *shown(struct csv_reader *r, struct buf *out)
{
	struct err e = {0};
	int got;

	buf_reset(out);
	while ((got = csv_next(r, &e)) == 1) {
		for (int i = 0; i < r->count; i++) {
			if (i > 0)
				buf_put_u8(out, '|');
			buf_put(out, r->cells[i].p, r->cells[i].n);
		}
		buf_put_u8(out, ';');
	}
	if (got < 0)
		buf_printf(out, "!%s@%d", r->refused, (int)r->record);
	return buf_text(out);
}

static const char *read_text(const char *text, char delimiter, size_t piece, struct buf *out)
{
	struct memory m = {str_of(text), piece};
	struct decoder *d;
	struct csv_reader r;
	struct err e = {0};

	assert_int_equal(decoder_open(&d, ENC_UTF8, (struct source){memory_read, &m}, &e), 0);
	assert_int_equal(csv_init(&r, d, delimiter, &e), 0);
	shown(&r, out);
	csv_fini(&r);
	decoder_close(d);
	return buf_text(out);
}

static const struct {
	const char *text;
	char delimiter;
	const char *want;
} cases[] = {
	{"", ',', ""},
	{"a", ',', "a;"},
	{"a,b\n", ',', "a|b;"},
	{"a,b\r\nc,d\r\n", ',', "a|b;c|d;"},
	{"a,b\rc,d\r", ',', "a|b;c|d;"},
	{"a,b\nc,d", ',', "a|b;c|d;"},
	{"a,b\n\r\nc", ',', "a|b;;c;"}, /* an empty line is a record: spreadsheets number it too */
	{"\n\n", ',', ";;"},
	{",\n", ',', "|;"},
	{"a,", ',', "a|;"},
	{"a;b,c\n", ';', "a|b,c;"},
	{"a\tb\n", '\t', "a|b;"},
	{"\"a,b\",c\n", ',', "a,b|c;"},
	{"\"a\"\"b\",c\n", ',', "a\"b|c;"},
	{"\"\",x\n", ',', "|x;"},
	{"\"\"\"\",x\n", ',', "\"|x;"},
	{"\"a\r\nb\",c\nd\n", ',', "a\r\nb|c;d;"}, /* a line end inside quotes */
	{"\"a\"tail,c\n", ',', "atail|c;"},
	{"a\"b\",c\n", ',', "a\"b\"|c;"},
	{"=\"330603\",c\n", ',', "=\"330603\"|c;"},
	{"\"=\"\"330603\"\"\",c\n", ',', "=\"330603\"|c;"},
	{"a,\"open\nb\n", ',', "a|open\nb\n;"}, /* never closed: ends with the file */
	{"\"", ',', ";"},
	{"\"a\"", ',', "a;"},
};

static void records_are_read(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t piece = 0; piece < 6; piece++) {
			read_text(cases[i].text, cases[i].delimiter, piece, &out);
			if (strcmp(buf_text(&out), cases[i].want) != 0)
				fail_msg("case %zu, pieces of %zu: %s", i, piece, buf_text(&out));
		}
	}
	buf_fini(&out);
}

static void memory_gives_the_same(void **state)
{
	struct buf out;
	char copy[64];
	struct csv_reader r;

	(void)state;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < COUNT(cases); i++) {
		str_copy(copy, sizeof copy, str_of(cases[i].text));
		csv_memory(&r, copy, strlen(copy), cases[i].delimiter);
		assert_string_equal(shown(&r, &out), cases[i].want);
	}
	buf_fini(&out);
}

/* More than the buffer holds, so that it moves on; record numbers stay right. */
static void long_files_stream(void **state)
{
	struct buf text, want, out;

	(void)state;
	buf_init(&text, 4 << 20);
	buf_init(&want, 4 << 20);
	buf_init(&out, 4 << 20);
	for (int i = 0; i < 20000; i++) {
		buf_printf(&text, "%d,\"q,%d\"\"%.*s\",x%s", i, i, i % 97,
			   "……………………………………………………………………………………………………………………………………………………………………………………………"
			   "……………………………",
			   i % 3 ? "\r\n" : "\n");
		buf_printf(&want, "%d|q,%d\"%.*s|x;", i, i, i % 97,
			   "……………………………………………………………………………………………………………………………………………………………………………………………"
			   "……………………………");
	}
	read_text(buf_text(&text), ',', 0, &out);
	assert_int_equal(out.len, want.len);
	assert_memory_equal(out.data, want.data, want.len);
	read_text(buf_text(&text), ',', 4099, &out);
	assert_memory_equal(out.data, want.data, want.len);
	buf_fini(&text);
	buf_fini(&want);
	buf_fini(&out);
}

static void a_record_has_its_limit(void **state)
{
	struct buf text, out;

	(void)state;
	buf_init(&text, 4 << 20);
	buf_init(&out, 1 << 20);
	buf_put_str(&text, "a,b\nc,\"");
	for (int i = 0; i < CSV_RECORD_MAX; i++)
		buf_put_u8(&text, i % 50 ? 'x' : '\n');
	buf_put_str(&text, "\nz\n");
	for (size_t piece = 0; piece < 9000; piece = piece * 5 + 7)
		assert_string_equal(read_text(buf_text(&text), ',', piece, &out),
				    "a|b;!roster_record_too_long@2");
	buf_fini(&text);
	buf_fini(&out);
}

static void further_cells_are_left_out(void **state)
{
	struct buf text;
	struct csv_reader r;

	(void)state;
	buf_init(&text, 1 << 16);
	for (int i = 0; i < 3 * CSV_CELLS_MAX; i++)
		buf_printf(&text, "%s%d", i ? "," : "", i);
	buf_put_str(&text, "\nnext\n");
	csv_memory(&r, (char *)(uintptr_t)buf_text(&text), text.len, ',');
	assert_int_equal(csv_next(&r, NULL), 1);
	assert_int_equal(r.count, CSV_CELLS_MAX);
	assert_true(str_is(r.cells[CSV_CELLS_MAX - 1], "127"));
	assert_int_equal(csv_next(&r, NULL), 1);
	assert_int_equal(r.record, 2);
	assert_true(str_is(r.cells[0], "next"));
	buf_fini(&text);
}

static void bad_bytes_name_their_record(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 10);
	for (size_t piece = 0; piece < 5; piece++) {
		struct memory m = {STR("a\nb\n\x80\n"), piece};
		struct decoder *d;
		struct csv_reader r;
		struct err e = {0};

		assert_int_equal(
			decoder_open(&d, ENC_GB18030, (struct source){memory_read, &m}, &e), 0);
		assert_int_equal(csv_init(&r, d, ',', &e), 0);
		assert_string_equal(shown(&r, &out), "a;b;!file_undecodable@3");
		csv_fini(&r);
		decoder_close(d);
	}
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(memory_gives_the_same),
		cmocka_unit_test(long_files_stream),
		cmocka_unit_test(a_record_has_its_limit),
		cmocka_unit_test(further_cells_are_left_out),
		cmocka_unit_test(bad_bytes_name_their_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
