/* Rosters as people send them: head lines, header rows, what is a person, where the list ends. */
/* LINK: adapters/village/decode.o adapters/village/csv.o adapters/village/roster.o adapters/village/head.o */
#include "adapters/village/head.h"
#include "tests/lib/roster_text.h"

#define HEADINGS "序号,姓名,证件类型,公民身份号码,补助金额\n"
#define ID1 "11010519491231002X"
#define ID2 "330603197501011232"

/* ---- the head ---- */

static const struct {
	const char *text; /* records above the header row */
	int year;
	const char *town, *village;
} heads[] = {
	{"集体补助人员名册\n补助年度：2026年  乡镇（街道）：柯桥街道  村（居）：管墅社区居委会\n",
	 2026, "柯桥街道", "管墅社区居委会"},
	{"补助年度：2026年,,乡镇（街道）：柯桥街道,,村（居）：管墅社区居委会\n", 2026, "柯桥街道",
	 "管墅社区居委会"},
	{"补助年度：,2026,乡镇（街道）：,柯桥街道,村（居）：,管墅社区居委会\n", 2026, "柯桥街道",
	 "管墅社区居委会"},
	{"补助年度,2026,乡镇（街道）,柯桥街道,村（居）,管墅社区居委会\n", 2026, "柯桥街道",
	 "管墅社区居委会"},
	{"补助年度:2026 乡镇(街道):柯桥街道 村(居):管墅\n", 2026, "柯桥街道", "管墅"},
	{"补助年度：2026年\n乡镇（街道）：柯桥街道\n村（居）：管墅社区居委会\n", 2026, "柯桥街道",
	 "管墅社区居委会"},
	{"补助年度：２０２６年　乡镇（街道）：柯 桥 街 道　村（居）：管墅　社区\n", 2026,
	 "柯桥街道", "管墅社区"},
	{"补助年度：二〇二六年 乡镇（街道）：柯桥街道 村（居）：管墅社区\n", 2026, "柯桥街道",
	 "管墅社区"},
	{"补助年度：__2026__年 乡镇（街道）：__柯桥街道__ 村（居）：__管墅社区__\n", 2026,
	 "柯桥街道", "管墅社区"},
	{"村（居）：管墅社区,补助年度：2026年,镇街：柯桥街道\n", 2026, "柯桥街道", "管墅社区"},
	{"村（居）：330603001008 补助年度：2026\n", 2026, "", "330603001008"},
	{"补助年度：2026年 乡镇（街道）：柯桥街道 村（居）：管墅社区居委会 单位：元\n", 2026,
	 "柯桥街道", "管墅社区居委会"},
	{"补助年度：2026年 乡镇（街道）：柯桥街道 村（居）：管墅社区居委会 填表日期：2025-11-01\n",
	 2026, "柯桥街道", "管墅社区居委会"},
	{"管墅社区2026年集体补助名册\n村（居）：管墅社区\n", 2026, "",
	 "管墅社区"},			     /* the year of the title */
	{"2025年和2026年名册\n", 0, "", ""}, /* which of them? */
	{"补助年度：     年  乡镇（街道）：          村（居）：         \n", 0, "",
	 ""}, /* the empty form */
	{"电话12026年\n", 0, "", ""},
	{"2019年度回顾：见附件,补助年度：2026年\n", 2026, "", ""},
	{"补助年度：2026年，乡镇（街道）：柯桥街道，村（居）：管墅社区。\n", 2026, "柯桥街道",
	 "管墅社区"},
	{"补助年度：2026年乡镇（街道）：柯桥街道村（居）：管墅社区\n", 2026, "柯桥街道",
	 "管墅社区"},
	{"", 0, "", ""},
};

/* R-35 */
static void heads_are_read(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 14);
	for (size_t i = 0; i < COUNT(heads); i++) {
		struct opened o;

		buf_reset(&text);
		buf_put_str(&text, heads[i].text);
		buf_put_str(&text, HEADINGS);
		if (open_text(&o, (struct str){(char *)text.data, text.len}, ENC_UTF8, 0) < 0)
			fail_msg("head %zu: %s", i, o.e.text);
		if (o.roster.year != heads[i].year || strcmp(o.roster.town, heads[i].town) != 0 ||
		    strcmp(o.roster.village, heads[i].village) != 0)
			fail_msg("head %zu: %d [%s] [%s]", i, o.roster.year, o.roster.town,
				 o.roster.village);
		close_text(&o);
	}
	buf_fini(&text);
}

/* ---- the header row ---- */

static const struct {
	const char *what, *text;
	int records;
	int name, id, amount, other, tier; /* places */
} headers[] = {
	{"the form",
	 "序号,姓名,证件类型,公民身份号码,社保编号,个人缴费档次,个人缴费到账日期,补助金额,"
	 "其他资助金额\n",
	 1, 1, 3, 7, 8, 5},
	{"moved", "补助金额（元）,公民身份号码,姓 名\n", 1, 2, 1, 0, -1, -1},
	{"synonyms", "编号,参保人员姓名,身份证号码,补助标准\n", 1, 1, 2, 3, -1, -1},
	{"tabs", "序号\t姓名\t公民身份号码\t补助金额\n", 1, 1, 2, 3, -1, -1},
	{"semicolons", "序号;姓名;公民身份号码;补助金额\n", 1, 1, 2, 3, -1, -1},
	{"two rows, merged cells",
	 "序号,姓名,证件,,个人缴费,,补助金额,\n,,证件类型,公民身份号码,档次,到账日期,集体补助,"
	 "其他资助\n",
	 2, 1, 3, 6, 7, 4},
	{"two rows, the lower one with units only",
	 "序号,姓名,公民身份号码,补助金额,其他资助金额\n,,,（元）,（元）\n", 2, 1, 2, 3, 4, -1},
	{"two rows, upper one complete", "序号,姓名,公民身份号码,补助金额,\n,,,集体补助,其他资助\n",
	 2, 1, 2, 3, 4, -1},
	{"parent and child", "序号,姓名,公民身份号码,个人缴费,\n,,,档次,补助金额\n", 2, 1, 2, 4, -1,
	 3},
	{"behind a title, a head and an empty line",
	 "名册\n补助年度：2026年\n\n姓名,公民身份号码,补助金额\n", 1, 0, 1, 2, -1, -1},
	{"quoted, with a line end", "\"姓\n名\",\"公民身份\n号码\",\"补助金额\n（元）\"\n", 1, 0, 1,
	 2, -1, -1},
	{"two of the same: the first counts", "姓名,公民身份号码,补助金额,金额\n", 1, 0, 1, 2, -1,
	 -1},
};

static void headers_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		struct opened o;
		struct str cells[CSV_CELLS_MAX];
		const int *at = o.roster.column_at;

		if (open_text(&o, str_of(headers[i].text), ENC_UTF8, 0) < 0)
			fail_msg("%s: %s", headers[i].what, o.e.text);
		if (o.roster.header_records != headers[i].records)
			fail_msg("%s: %d records", headers[i].what, o.roster.header_records);
		if (at[COL_NAME] != headers[i].name || at[COL_ID] != headers[i].id ||
		    at[COL_AMOUNT] != headers[i].amount ||
		    at[COL_OTHER_AMOUNT] != headers[i].other || at[COL_TIER] != headers[i].tier)
			fail_msg("%s: %d %d %d %d %d", headers[i].what, at[COL_NAME], at[COL_ID],
				 at[COL_AMOUNT], at[COL_OTHER_AMOUNT], at[COL_TIER]);
		assert_true(roster_header(&o.roster, 0, cells) > 0);
		close_text(&o);
	}
}

static void what_is_no_roster_is_refused(void **state)
{
	static const struct {
		const char *text, *code, *what;
	} bad[] = {
		{"关于开展集体补助工作的通知\n各村（居）：\n请于月底前报送名册，联系电话 "
		 "13800000000。\n",
		 "roster_no_header", "姓名、公民身份号码、补助金额"},
		{"序号,姓名,公民身份号码,备注\n1,张三," ID1 ",\n", "roster_no_header", "补助金额"},
		{"姓名,金额\n张三,500\n", "roster_no_header", "公民身份号码"},
		/* A first person must not pass for the second row of a header. */
		{"姓名,证件类型,证号,补助金额\n张三,身份证," ID1 ",500\n", "roster_no_header",
		 "公民身份号码"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct opened o;

		assert_int_equal(open_text(&o, str_of(bad[i].text), ENC_UTF8, 0), -1);
		assert_int_equal(o.e.class, ERR_PERM);
		assert_string_equal(o.roster.refused, bad[i].code);
		assert_string_equal(o.roster.refused_what, bad[i].what);
		close_text(&o);
	}
}

/* ---- rows ---- */

/* One letter a record behind the header: R row, . blank, N note, T total, F foot; then
 * "!code@record". */
static const char *lines_of(const char *text, char out[64], struct opened *o)
{
	enum roster_line line;
	int n = 0;

	if (open_text(o, str_of(text), ENC_UTF8, 7) < 0)
		fail_msg("%s", o->e.text);
	for (;;) {
		if (roster_next(&o->roster, &line, &o->e) < 0) {
			snprintf(out + n, 64 - (size_t)n, "!%s@%d", o->roster.refused,
				 (int)o->roster.refused_at);
			break;
		}
		if (line == ROSTER_END)
			break;
		assert_true(n < 40);
		out[n++] = "?R.NTF"[line];
		out[n] = '\0';
	}
	return out;
}

static const struct {
	const char *rows, *want;
} lists[] = {
	{"1,张三,," ID1 ",500\n2,李四,," ID2 ",600\n", "RR"},
	{"1,张三,," ID1
	 ",500\n合计,,,,500\n经办人：王五,联系电话：13800000000,填表日期：2026-11-01\n",
	 "RTF"},
	{"1,张三,," ID1 ",500\n\n,,,,\n　, ,,,\n2,李四,," ID2 ",600\n", "R...R"},
	{"1,张三,," ID1 ",500\n2,,,,\n3,,,,\n合　计,,,,500\n", "R..T"},
	{",合 计,,,500\n", "T"},
	{"合计：2人,,,,1100\n", "T"},
	{"1,张三,," ID1 ",500\n小计,,,,500\n2,李四,," ID2 ",600\n总计,,,,1100\n", "RNRT"},
	{"1,张三,," ID1 ",500\n" HEADINGS "2,李四,," ID2 ",600\n", "RNR"},
	{"1,张三,," ID1 ",500\n经办人：王五\n联系电话：138\n", "RFF"},
	{"1,张三,," ID1 ",500\n经办人：,王五,联系电话：,13800000000,2026\n", "RF"},
	{"1,张三,," ID1 ",500\n备注：以上人员已公示\n", "RF"},
	{"1,张三,,,\n", "R"}, /* whatever is missing: a row, with defects */
	{"1,,," ID1 ",\n,,,,500\n", "RR"},
	{"1,合计生,," ID1 ",500\n", "R"}, /* somebody with a number is a person */
	{"1,张三,," ID1 ",500\n合计,,,,500\n2,李四,," ID2 ",600\n", "RT!roster_rows_after_total@4"},
	{"1,张三,," ID1 ",500\n合计,,,,500\n2,李四,,3.30603E+17,600\n",
	 "RT!roster_rows_after_total@4"},
	{"1,张三,," ID1 ",500\n合计,,,,500\n2,李四,,,600\n", "RT!roster_rows_after_total@4"},
	{"1,张三,," ID1 ",500\n合计,,,,500\n本页合计,,,,500\n大写：伍佰元整\n", "RTFF"},
	{"1,张三,," ID1 ",500\n合计,,,,500\n合计,,,,500\n", "RTF"},
};

/* R-36 */
static void lists_end_where_they_end(void **state)
{
	char got[64], text[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct opened o;

		got[0] = '\0';
		snprintf(text, sizeof text, "%s%s", HEADINGS, lists[i].rows);
		if (strcmp(lines_of(text, got, &o), lists[i].want) != 0)
			fail_msg("list %zu: %s", i, got);
		close_text(&o);
	}
}

static void totals_are_read(void **state)
{
	static const struct {
		const char *row;
		bool known;
		int64_t fen;
	} totals[] = {
		{"合计,,,,\"1,100.00\"\n", true, 110000},
		{"合计,,,,￥1100元\n", true, 110000},
		{"合计,,,,0\n", true, 0},
		{"合计,,,,\n", false, 0},
		{"合计,,,,见附表\n", false, 0},
	};
	char got[64], text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(totals); i++) {
		struct opened o;

		snprintf(text, sizeof text, "%s%s", HEADINGS, totals[i].row);
		assert_string_equal(lines_of(text, got, &o), "T");
		assert_int_equal(o.roster.total_known, totals[i].known);
		if (totals[i].known)
			assert_int_equal(o.roster.total_fen, totals[i].fen);
		close_text(&o);
	}
}

/* A row's number is the one that a spreadsheet shows, also with line ends inside cells above it. */
static void rows_are_numbered_as_spreadsheets_do(void **state)
{
	const char *text = "\"名册\n（副本）\"\r\n\r\n补助年度：2026年\r\n" HEADINGS
			   "1,\"张\n三\",," ID1 ",500\r\n\r\n2,李四,," ID2 ",600\r\n";
	static const int64_t want[] = {5, 7};
	enum roster_line line;
	struct opened o;
	int rows = 0;

	(void)state;
	for (size_t piece = 0; piece < 40; piece += 13) {
		assert_int_equal(open_text(&o, str_of(text), ENC_UTF8, piece), 0);
		assert_int_equal(o.roster.header_last, 4);
		for (rows = 0; roster_next(&o.roster, &line, &o.e) == 0 && line != ROSTER_END;) {
			if (line == ROSTER_ROW)
				assert_int_equal(o.roster.csv.record, want[rows++]);
		}
		assert_int_equal(rows, 2);
		close_text(&o);
	}
}

/* All guards and habits together give the plain values. */
static void cells_reach_the_rules(void **state)
{
	const char *rows[] = {
		"1,张三,居民身份证," ID1 ",500\n",
		"1,张　三,01,'" ID1 ",￥500元\n",
		"1, 张 三 ,201,\"=\"\"" ID1 "\"\"\",500.00\n",
		"1,张三,,11010519491231002x\t, 500 \n",
		"1,张三,,１１０１０５１９４９１２３１００２Ｘ,５００\n",
	};
	char name[256], text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum roster_line line;
		struct row_form form;
		struct opened o;

		snprintf(text, sizeof text, "%s%s", HEADINGS, rows[i]);
		assert_int_equal(open_text(&o, str_of(text), ENC_UTF8, 0), 0);
		assert_int_equal(roster_next(&o.roster, &line, &o.e), 0);
		assert_int_equal(line, ROSTER_ROW);
		row_read(&form, o.roster.cells, 20788, name, sizeof name);
		assert_int_equal(form.defect_count, 0);
		assert_string_equal(form.number, ID1);
		assert_true(str_is(form.name, "张三"));
		assert_int_equal(form.amount_fen, 50000);
		assert_null(o.roster.cells[COL_PHONE].p); /* no such column */
		close_text(&o);
	}
}

static void our_columns_are_hidden(void **state)
{
	struct opened o;
	char got[64];

	(void)state;
	lines_of("姓名,公民身份号码,补助金额,结果,原因,处理办法,名册行号\n张三," ID1
		 ",500,需修改,x,y,3\n,,,已受理,,,\n",
		 got, &o);
	assert_string_equal(got, "R.");
	for (int i = 0; i < 7; i++)
		assert_int_equal(roster_hidden(&o.roster, i), i >= 3);
	close_text(&o);
	/* Her own columns stay. */
	lines_of("姓名,公民身份号码,补助金额,原因\n,,,低保户\n", got, &o);
	assert_string_equal(got, "R");
	close_text(&o);
}

/* Random bytes, and rosters with random bytes in them, in every encoding: an answer or a
 * refusal, never a crash. */
static void random_bytes_are_survived(void **state)
{
	static const char *const words[] = {
		"姓名",	      "公民身份号码", "补助金额", ",",	    "\n", "\"",
		"合计",	      "补助年度：",   ID1,	  "经办人", "\t", "=",
		"村（居）：", "結果",	      "500",	  "\r",	    "　", "2026年"};
	uint64_t seed = 20261101;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 1 << 16);
	for (int round = 0; round < 4000; round++) {
		enum encoding enc = (enum encoding)(round % ENCODINGS);
		int pieces = 1 + round % 120;
		struct opened o;
		enum roster_line line = ROSTER_ROW;

		buf_reset(&bytes);
		while (pieces-- > 0) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			if (seed >> 60 < 12)
				buf_put_str(&bytes, words[(seed >> 33) % COUNT(words)]);
			else
				buf_put_u8(&bytes, (uint8_t)(seed >> 40));
		}
		if (open_text(&o, (struct str){(char *)bytes.data, bytes.len}, enc,
			      (size_t)(round % 11)) == 0) {
			while (line != ROSTER_END && roster_next(&o.roster, &line, &o.e) == 0)
				;
		}
		close_text(&o);
	}
	buf_fini(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_read),
		cmocka_unit_test(headers_are_found),
		cmocka_unit_test(what_is_no_roster_is_refused),
		cmocka_unit_test(lists_end_where_they_end),
		cmocka_unit_test(totals_are_read),
		cmocka_unit_test(rows_are_numbered_as_spreadsheets_do),
		cmocka_unit_test(cells_reach_the_rules),
		cmocka_unit_test(our_columns_are_hidden),
		cmocka_unit_test(random_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
