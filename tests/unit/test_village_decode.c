/* Which encoding a file is in, and its bytes as UTF-8, however they are cut into pieces. */
/* LINK: adapters/village/decode.o adapters/village/csv.o adapters/village/roster.o adapters/village/head.o */
#include "tests/lib/roster_text.h"

static const char *sniff_all(struct str s, enum encoding *enc, size_t piece)
{
	struct sniff sn;

	sniff_init(&sn);
	for (size_t at = 0; at < s.n; at += piece)
		sniff_add(&sn, s.p + at, s.n - at < piece ? s.n - at : piece);
	return sniff_end(&sn, enc);
}

#define BYTES(lit)                      \
	{                               \
		"" lit, sizeof(lit) - 1 \
	}

static const struct {
	const char *what;
	struct str bytes;
	const char *code;
	enum encoding enc;
} sniffs[] = {
	{"nothing", BYTES(""), "file_empty", 0},
	{"ASCII", BYTES("a,b\r\n1,2\r\n"), NULL, ENC_UTF8},
	{"UTF-8", BYTES("姓名,补助金额"), NULL, ENC_UTF8},
	{"UTF-8 with BOM", BYTES("\xEF\xBB\xBF姓名"), NULL, ENC_UTF8},
	{"UTF-8, four bytes", BYTES("𠮷田"), NULL, ENC_UTF8},
	{"UTF-8, the last and the first of all ranges",
	 BYTES("\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF"
	       "\xBF"),
	 NULL, ENC_UTF8},
	{"GB18030", BYTES("\xD0\xD5\xC3\xFB"), NULL, ENC_GB18030},
	{"overlong slash", BYTES("a\xC0\xAF"), NULL, ENC_GB18030},
	{"overlong, three bytes", BYTES("a\xE0\x9F\xBF"), NULL, ENC_GB18030},
	{"overlong, four bytes", BYTES("a\xF0\x8F\xBF\xBF"), NULL, ENC_GB18030},
	{"a surrogate", BYTES("a\xED\xA0\x80"), NULL, ENC_GB18030},
	{"past U+10FFFF", BYTES("a\xF4\x90\x80\x80"), NULL, ENC_GB18030},
	{"a lone continuation byte", BYTES("a\x80"), NULL, ENC_GB18030},
	{"cut at the end", BYTES("姓\xE5\x90"), NULL, ENC_GB18030},
	{"says UTF-8 and is not", BYTES("\xEF\xBB\xBF\xD0\xD5"), "file_undecodable", 0},
	{"UTF-16, little endian", BYTES("\xFF\xFE\x13\x59"), NULL, ENC_UTF16LE},
	{"UTF-16, big endian", BYTES("\xFE\xFF\x59\x13"), NULL, ENC_UTF16BE},
	{"UTF-16 of odd length", BYTES("\xFF\xFE\x13\x59\x00"), "file_undecodable", 0},
	{"a workbook", BYTES("PK\3\4\x14\0\x06\0"), "file_is_workbook", 0},
	{"an old workbook", BYTES("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), "file_is_workbook", 0},
	{"a picture", BYTES("\x89PNG\r\n\x1A\n\0\0\0\x0D"), "file_not_text", 0},
};

static void encodings_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sniffs); i++) {
		for (size_t piece = 1; piece < 12; piece++) {
			enum encoding enc = ENC_UTF8;
			const char *code = sniff_all(sniffs[i].bytes, &enc, piece);

			if ((code == NULL) != (sniffs[i].code == NULL) ||
			    (code && strcmp(code, sniffs[i].code) != 0))
				fail_msg("%s: %s", sniffs[i].what, code ? code : "good");
			if (code == NULL && enc != sniffs[i].enc)
				fail_msg("%s: %s", sniffs[i].what, encoding_code(enc));
		}
	}
}

/* Gives the bytes decoded; -1 where the decoder refuses. */
static int decode_all(struct str bytes, enum encoding enc, size_t piece, size_t room,
		      struct buf *out, struct err *e)
{
	struct memory m = {bytes, piece};
	struct decoder *d;
	char chunk[4096];
	ssize_t n;

	buf_reset(out);
	if (decoder_open(&d, enc, (struct source){memory_read, &m}, e) < 0)
		fail_msg("%s", e->text);
	while ((n = decoder_read(d, chunk, room, e)) > 0)
		assert_int_equal(buf_put(out, chunk, (size_t)n), 0);
	decoder_close(d);
	return (int)n;
}

static const char sample[] = "序号,姓名\r\n1,古丽米热·艾比布力\r\n2,䮌𠮷㛃\r\n3,张　三 ABC￥€\r\n";

static void every_encoding_gives_the_same_text(void **state)
{
	static const struct {
		enum encoding enc;
		const char *name, *bom;
		size_t bom_len;
	} all[] = {
		{ENC_UTF8, "UTF-8", "", 0},
		{ENC_UTF8, "UTF-8", "\xEF\xBB\xBF", 3},
		{ENC_UTF16LE, "UTF-16LE", "\xFF\xFE", 2},
		{ENC_UTF16BE, "UTF-16BE", "\xFE\xFF", 2},
		{ENC_GB18030, "GB18030", "", 0},
	};
	struct buf bytes, out;
	struct err e = {0};

	(void)state;
	buf_init(&bytes, 1 << 16);
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < COUNT(all); i++) {
		buf_reset(&bytes);
		buf_put(&bytes, all[i].bom, all[i].bom_len);
		encode(&bytes, sample, all[i].name);
		for (size_t piece = 0; piece < 9; piece++) {
			for (size_t room = DECODE_ROOM; room < 2000; room *= 3) {
				assert_int_equal(
					decode_all((struct str){(char *)bytes.data, bytes.len},
						   all[i].enc, piece, room, &out, &e),
					0);
				assert_int_equal(out.len, sizeof sample - 1);
				assert_memory_equal(out.data, sample, out.len);
			}
		}
	}
	buf_fini(&bytes);
	buf_fini(&out);
}

/* All characters of GB18030, of two and of four bytes, against iconv itself. */
static void gb18030_is_what_iconv_says(void **state)
{
	struct buf text, bytes, out;
	struct err e = {0};
	char one[4];

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&bytes, 1 << 20);
	buf_init(&out, 1 << 20);
	for (uint32_t cp = 1; cp < 0x30000; cp += cp < 0x10000 ? 1 : 37) {
		iconv_t to;
		char utf8[8] = "", gb[8], *in = utf8, *put = gb;
		size_t left, room = sizeof gb;

		if (utf8_put(one, cp) == 0)
			continue;
		memcpy(utf8, one, (size_t)utf8_put(one, cp));
		left = strlen(utf8);
		to = iconv_open("GB18030", "UTF-8");
		if (iconv(to, &in, &left, &put, &room) != (size_t)-1) {
			buf_put(&bytes, gb, sizeof gb - room);
			buf_put_str(&text, utf8);
		}
		iconv_close(to);
	}
	assert_true(text.len > 100000);
	assert_int_equal(decode_all((struct str){(char *)bytes.data, bytes.len}, ENC_GB18030, 0,
				    4096, &out, &e),
			 0);
	assert_int_equal(out.len, text.len);
	assert_memory_equal(out.data, text.data, text.len);
	buf_fini(&text);
	buf_fini(&bytes);
	buf_fini(&out);
}

static void nonsense_is_refused(void **state)
{
	static const struct {
		enum encoding enc;
		struct str bytes;
	} bad[] = {
		{ENC_GB18030, BYTES("a\xD0")},		      /* cut */
		{ENC_GB18030, BYTES("\xD0\xD5\x81\x30\x81")}, /* cut inside four bytes */
		{ENC_GB18030, BYTES("\x80")},
		{ENC_GB18030, BYTES("\xFF\x40")},
		{ENC_GB18030, BYTES("\xD0\x7F")},
		{ENC_GB18030, BYTES("\xD0\x20")},
		{ENC_GB18030, BYTES("\xFE\x39\xFE\x39")},	  /* past the end of Unicode */
		{ENC_UTF16LE, BYTES("\xFF\xFE\x00\xD8\x41\x00")}, /* half a pair */
		{ENC_UTF16LE, BYTES("\xFF\xFE\x00\xDC\x00\xD8")}, /* a pair the wrong way round */
		{ENC_UTF16BE, BYTES("\xFE\xFF\xD8\x00")},
		{ENC_UTF16LE, BYTES("\xFF\xFE\x41\x00\x00\x00")}, /* NUL */
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < COUNT(bad); i++) {
		for (size_t piece = 0; piece < 4; piece++) {
			struct err e = {0};

			if (decode_all(bad[i].bytes, bad[i].enc, piece, 64, &out, &e) != -1)
				fail_msg("case %zu passed", i);
			assert_int_equal(e.class, ERR_PERM);
		}
	}
	buf_fini(&out);
}

static ssize_t broken(void *arg, void *to, size_t n, struct err *e)
{
	(void)arg;
	(void)to;
	(void)n;
	return err_set(e, ERR_TEMP, "disk");
}

static void a_failing_source_keeps_its_class(void **state)
{
	struct decoder *d;
	struct err e = {0};
	char room[64];

	(void)state;
	assert_int_equal(decoder_open(&d, ENC_GB18030, (struct source){broken, NULL}, &e), 0);
	assert_int_equal(decoder_read(d, room, sizeof room, &e), -1);
	assert_int_equal(e.class, ERR_TEMP);
	decoder_close(d);
}

static void codes_go_both_ways(void **state)
{
	enum encoding enc;

	(void)state;
	for (int i = 0; i < ENCODINGS; i++) {
		assert_int_equal(encoding_of(str_of(encoding_code((enum encoding)i)), &enc), 0);
		assert_int_equal(enc, i);
	}
	assert_int_equal(encoding_of(STR("latin1"), &enc), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings_are_told_apart),
		cmocka_unit_test(every_encoding_gives_the_same_text),
		cmocka_unit_test(gb18030_is_what_iconv_says),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_failing_source_keeps_its_class),
		cmocka_unit_test(codes_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
