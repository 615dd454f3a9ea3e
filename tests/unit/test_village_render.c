/* The answer file: what it says, that a spreadsheet cannot spoil it, and that it is the same
 * roster again. */
/* LINK: adapters/village/render.o adapters/village/posting.o adapters/village/answers.o adapters/village/decode.o adapters/village/csv.o adapters/village/roster.o adapters/village/head.o adapters/village/meta.o */
#include "adapters/village/posting.h"
#include "base/text.h"
#include "crypto/ids.h"
#include "tests/lib/roster_text.h"

struct desk {
	struct tmpdir dir;
	struct answers *answers;
	struct spool_meta meta;
	struct buf out;
};

static int put(void *arg, const void *p, size_t n, struct err *e)
{
	(void)e;
	return buf_put(arg, p, n);
}

static void make_desk(struct desk *d)
{
	char path[320];
	struct err e = {0};

	memset(d, 0, sizeof *d);
	tmpdir_make(&d->dir);
	d->meta = (struct spool_meta){.year = 2026, .rows = 3, .village = "330603001008"};
	memset(d->meta.submission.b, 7, ID_LEN);
	memset(d->meta.sha256, 'a', 64);
	if (answers_open(&d->answers, tmpdir_file(&d->dir, path, "answers.bin"), 100000, &e) < 0)
		fail_msg("%s", e.text);
	buf_init(&d->out, 32 << 20);
}

static void drop_desk(struct desk *d)
{
	answers_close(d->answers);
	buf_fini(&d->out);
	tmpdir_remove(&d->dir);
}

static const char *answer_to(struct desk *d, struct str roster, enum encoding enc)
{
	struct rendering r = {&d->meta, "柯桥街道", "管墅社区居委会", NULL, d->answers};
	struct err e = {0};
	struct opened o;

	if (open_text(&o, roster, enc, 0) < 0)
		fail_msg("%s", o.e.text);
	r.roster = &o.roster;
	buf_reset(&d->out);
	if (render(&r, (struct sink){put, &d->out}, &e) < 0)
		fail_msg("%s", e.text);
	close_text(&o);
	return buf_text(&d->out);
}

static void say(struct desk *d, int row, const char *result, const char *code, const char *column,
		const char *detail, const char *warning)
{
	struct row_answer ra = {.row_no = row,
				.version = 1,
				.result = str_of(result),
				.code = str_of(code),
				.column = str_of(column),
				.detail = str_of(detail),
				.warning = str_of(warning)};
	struct err e = {0};

	assert_int_equal(answers_row(d->answers, &ra, &e), 1);
}

/* ---- cells ---- */

static const struct {
	const char *raw;
	bool id;
	const char *want;
} cells[] = {
	{"", false, ""},
	{"张三", false, "张三"},
	{"a,b", false, "\"a,b\""},
	{"a\"b", false, "\"a\"\"b\""},
	{"a\nb", false, "\"a\nb\""},
	{"=1+1", false, "'=1+1"},
	{"=cmd|' /C calc'!A0", false, "'=cmd|' /C calc'!A0"},
	{"+86", false, "'+86"},
	{"-500", false, "'-500"},
	{"@SUM(A1)", false, "'@SUM(A1)"},
	{"\tx", false, "'\tx"},
	{"\rx", false, "\"'\rx\""},
	{"\nx", false, "\"'\nx\""},
	{"＝1", false, "'＝1"},
	{"－", false, "'－"},
	{"=HYPERLINK(\"http://x\",\"y\")", false, "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""},
	{"'=1+1", false, "'=1+1"}, /* guarded already: not twice */
	{"500", false, "500"},
	{"11010519491231002X", false, "11010519491231002X\t"}, /* a long number in any column */
	{"621700123456789012", false, "621700123456789012\t"},
	{"13800000000", false, "13800000000"},
	{"13800000000", true, "13800000000\t"},
	{"11010519491231002X\t", true, "11010519491231002X\t"},
	{"'11010519491231002X", true, "11010519491231002X\t"},
	{"=\"11010519491231002X\"", true, "11010519491231002X\t"},
	{"3.30603E+17", true, "3.30603E+17\t"},
	{"=A1", true, "'=A1\t"},
	{"", true, ""},
	{" ", true, ""},
};

static void cells_are_safe(void **state)
{
	struct buf once, twice;

	(void)state;
	buf_init(&once, 1 << 12);
	buf_init(&twice, 1 << 12);
	for (size_t i = 0; i < COUNT(cells); i++) {
		struct csv_reader r;

		buf_reset(&once);
		buf_reset(&twice);
		assert_int_equal(render_cell(&once, str_of(cells[i].raw), cells[i].id), 0);
		if (strcmp(buf_text(&once), cells[i].want) != 0)
			fail_msg("cell %zu: [%s]", i, buf_text(&once));
		/* Read and written again it stays as it is: no guard upon guard. */
		csv_memory(&r, (char *)once.data, once.len, ',');
		if (csv_next(&r, NULL) == 1)
			assert_int_equal(render_cell(&twice, r.cells[0], cells[i].id), 0);
		assert_string_equal(buf_text(&twice), cells[i].want);
	}
	buf_fini(&once);
	buf_fini(&twice);
}

/* ---- the whole ---- */

static const char roster[] =
	"集体补助人员名册\r\n补助年度：2026年,乡镇（街道）：柯桥街道,村（居）：管墅社区居委会\r\n"
	"序号,姓名,公民身份号码,补助金额,联系电话,备注\r\n"
	"1,张三,11010519491231002X,500,13800000000,=1+1\r\n"
	"\r\n"
	"2,\"李\n四\",3.30603E+17,-600,,\"a,\"\"b\"\"\"\r\n"
	"3,王五,'330603197501011232,400\r\n"
	"合计,,,300,,\r\n"
	"经办人：赵六,,联系电话：0575-84120000\r\n";

static void the_answer_says_what_to_do(void **state)
{
	struct submission_answer sa = {.version = 1,
				       .state = STR("waiting"),
				       .code = STR("waiting_cover"),
				       .rows = 3,
				       .accepted = 1,
				       .mend = 1,
				       .waiting = 1,
				       .amount_fen = 90000,
				       .accepted_fen = 50000,
				       .deadline = {true, 20818}};
	char ten[11], receipt[12], line[64];
	struct desk d;
	struct err e = {0};
	const char *text;

	(void)state;
	make_desk(&d);
	say(&d, 4, "accepted", "pending", NULL, NULL, "amount_not_advised");
	say(&d, 6, "mend", "id_scientific", "id_number", NULL, NULL);
	say(&d, 7, "waiting", "cap_b_exceeded", "amount", "4500.00", NULL);
	assert_int_equal(answers_roster(d.answers, &sa, &e), 1);
	text = answer_to(&d, str_of(roster), ENC_UTF8);
	receipt_number(ten, &d.meta.submission);
	snprintf(line, sizeof line, "收件号：%s\r\n", receipt_text(receipt, ten));
	assert_memory_equal(text, "\xEF\xBB\xBF集体补助人员名册回执\r\n", 35);
	assert_non_null(strstr(text, line));
	assert_non_null(strstr(
		text, "\r\n补助年度：2026年,乡镇（街道）：柯桥街道,村（居）：管墅社区居委会\r\n"));
	assert_non_null(strstr(text, "aaaaaaaa\r\n"));
	assert_non_null(strstr(text, "名册共3行，900.00元；已受理1行，500."
				     "00元；需修改1行；等待1行；已到账0行，0.00元\r\n"));
	assert_non_null(strstr(text, "还没有收到封面材料"));
	assert_non_null(strstr(text, "截止日期：2026-12-31\r\n\r\n"));
	assert_non_null(strstr(text, "\r\n序号,姓名,公民身份号码,补助金额,联系电话,备注,结果,原因,"
				     "处理办法,名册行号\r\n"));
	assert_non_null(strstr(
		text, "\r\n1,张三,11010519491231002X\t,500,13800000000\t,'=1+1,已受理,"
		      "等待缴费到账；提示：补助金额不在建"
		      "议的五个档次内（照常办理）,无需处理；如系填错请改正后重新提交,4\r\n"));
	assert_non_null(strstr(text, "\r\n2,\"李\n四\",3.30603E+17\t,'-600,,\"a,\"\"b\"\"\",需修改,"
				     "公民身份号码：身份号码被表格软件"));
	/* A short row is padded, so that our columns stay columns. */
	assert_non_null(strstr(text, "\r\n3,王五,330603197501011232\t,400,,,等待,"));
	assert_non_null(strstr(text, "还可补助4500.00元"));
	assert_non_null(
		strstr(text, "\r\n合计,,,300,,\r\n经办人：赵六,,联系电话：0575-84120000\r\n"));
	assert_null(strstr(text, "{0}"));
	drop_desk(&d);
}

/* Those that nothing is wrong with, masked; no telephone, no note, nothing else of hers. R-31 */
static void the_list_for_posting_is_masked(void **state)
{
	static const char want[] =
		"\xEF\xBB\xBF城乡居民基本养老保险集体补助人员公示名单\r\n"
		"补助年度：2026年,乡镇（街道）：柯桥街道,村（居）：管墅社区居委会\r\n"
		"名册摘要（SHA-256）：aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
		"序号,姓名,公民身份号码,补助金额（元）\r\n"
		"1,张*,110************02X,500.00\r\n"
		"合计,1人,,500.00\r\n"
		"公示期限不少于5个工作日；姓名和号码已隐去部分内容，需改正和已终止的人员未列入\r\n";
	struct desk d;
	struct opened o;
	struct err e = {0};

	(void)state;
	make_desk(&d);
	say(&d, 4, "waiting", "waiting_filing", NULL, NULL, NULL);
	say(&d, 6, "mend", "id_scientific", "id_number", NULL, NULL);
	say(&d, 7, "stopped", "withdrawn", NULL, NULL, NULL);
	struct rendering r = {&d.meta, "柯桥街道", "管墅社区居委会", NULL, d.answers};
	if (open_text(&o, str_of(roster), ENC_UTF8, 0) < 0)
		fail_msg("%s", o.e.text);
	r.roster = &o.roster;
	assert_int_equal(posting_render(&r, (struct sink){put, &d.out}, &e), 0);
	close_text(&o);
	assert_string_equal(buf_text(&d.out), want);
	drop_desk(&d);
}

static void a_list_is_posted_when_the_roster_is_complete(void **state)
{
	struct roster_state st = {.known = true};
	char name[64];
	(void)state;
	static const struct {
		const char *state;
		bool due;
	} cases[] = {{"incomplete", false}, {"checked", false}, {"refused", false}, {"waiting", true}, {"held", true}, {"filed", true}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(st.state, sizeof st.state, "%s", cases[i].state);
		assert_int_equal(posting_is_due(&st), cases[i].due);
	}
	assert_int_equal(posting_name(name, sizeof name, "名册.csv"), 0);
	assert_string_equal(name, "名册.公示名单.csv");
	assert_int_equal(posting_name(name, 8, "名册.csv"), -1);
}

static void without_answers_it_is_a_receipt(void **state)
{
	struct desk d;
	const char *text;

	(void)state;
	make_desk(&d);
	text = answer_to(&d, str_of(roster), ENC_UTF8);
	assert_non_null(strstr(text, "名册共3行\r\n"));
	assert_non_null(strstr(text, ",=1+1,已收到,,,4\r\n")
				? NULL
				: strstr(text, ",'=1+1,已收到,,,4\r\n"));
	drop_desk(&d);
}

/* Only digits, lower-case words: no code may reach a clerk. */
static void codes_never_show(void **state)
{
	int count;
	const char *const *codes = row_reason_codes(&count);
	struct desk d;

	(void)state;
	for (int i = 0; i < count; i++) {
		make_desk(&d);
		say(&d, 4, "mend", codes[i], "amount", "1", codes[i]);
		answer_to(&d, str_of(roster), ENC_UTF8);
		if (strstr(buf_text(&d.out), codes[i]))
			fail_msg("%s shows", codes[i]);
		drop_desk(&d);
	}
}

/* ---- dropped again ---- */

#define ROWS_MAX 32
struct read_row {
	char name[64], number[24];
	int64_t amount_fen, other_fen, tier_fen;
	int defects, arrived_on;
	const char *first;
};
struct read_roster {
	int year, count, records;
	char village[192];
	bool total_known;
	int64_t total_fen;
	struct read_row rows[ROWS_MAX];
};

static void read_roster(struct read_roster *out, struct str bytes, enum encoding enc)
{
	enum roster_line line = ROSTER_ROW;
	struct opened o;
	char name[CSV_RECORD_MAX];

	memset(out, 0, sizeof *out);
	if (open_text(&o, bytes, enc, 0) < 0)
		fail_msg("%s: %s", o.e.text, o.roster.refused_what);
	out->year = o.roster.year;
	str_copy(out->village, sizeof out->village, str_of(o.roster.village));
	while (line != ROSTER_END) {
		struct row_form form;
		struct read_row *row = &out->rows[out->count];

		if (roster_next(&o.roster, &line, &o.e) < 0)
			fail_msg("%s", o.e.text);
		if (line != ROSTER_ROW)
			continue;
		row_read(&form, o.roster.cells, 20810, name, sizeof name);
		str_copy(row->name, sizeof row->name, form.name);
		str_copy(row->number, sizeof row->number, str_of(form.number));
		row->amount_fen = form.amount_known ? form.amount_fen : -1;
		row->other_fen = form.other_known ? form.other_fen : -1;
		row->tier_fen = form.tier_known ? form.tier_fen : -1;
		row->arrived_on = form.arrived_on;
		row->defects = form.defect_count;
		row->first = form.defect_count ? form.defects[0].code : NULL;
		assert_true(++out->count < ROWS_MAX);
	}
	out->total_known = o.roster.total_known;
	out->total_fen = o.roster.total_fen;
	close_text(&o);
}

static const char *const tables[] = {
	roster,
	/* moved columns, one of her own, two header rows, tabs */
	"补助年度：2026年 "
	"村（居）：管墅社区居委会\n备用\t补助金额\t公民身份号码\t姓名\n="
	"x\t500\t11010519491231002X\t张三\n"
	"\t600\t=\"330603197501011232\"\t古丽米热·艾比布力\t多出的一格\t'=2\n合计\t1100\n",
	"补助年度：2026年 "
	"村（居）：管墅社区居委会\n序号,姓名,公民身份号码,个人缴费,,补助金额,\n,,,档次,到账日期,"
	"集体补助,其他资助\n"
	"1,䮌𠮷㛃,11010519491231002X,1000,2026-10-01,500,100\n2,,12345,x,2026/13/"
	"1,abc,y\n小计,,,,,500\n"
	"3,李四,330603197501011232,500元档,,￥600元,\n",
	"补助年度：2026年 "
	"村（居）：管墅社区居委会\n姓名,公民身份号码,补助金额,原因\n张三,"
	"１１０１０５１９４９１２３１００２ｘ,0,低保\n@x,+1,"
	"-5,=1\n",
};

/* The answer, and the answer to the answer, hold the same rows; and nothing piles up. */
static void an_answer_is_the_same_roster(void **state)
{
	struct desk d;

	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++) {
		struct read_roster first, second;
		char *copy;
		size_t n;

		make_desk(&d);
		read_roster(&first, str_of(tables[i]), ENC_UTF8);
		assert_true(first.count >= 2);
		say(&d, 4, "mend", "name_missing", "name", NULL, NULL);
		answer_to(&d, str_of(tables[i]), ENC_UTF8);
		copy = strdup(buf_text(&d.out));
		n = d.out.len;
		read_roster(&second, (struct str){copy, n}, ENC_UTF8);
		assert_memory_equal(&first, &second, sizeof first);
		answer_to(&d, (struct str){copy, n}, ENC_UTF8);
		read_roster(&second, (struct str){(char *)d.out.data, d.out.len}, ENC_UTF8);
		assert_memory_equal(&first, &second, sizeof first);
		assert_true(d.out.len < n + 200 && d.out.len + 200 > n);
		assert_null(strstr(strstr(buf_text(&d.out), "名册行号") + 3, "名册行号"));
		free(copy);
		drop_desk(&d);
	}
}

/* As Excel saves an answer that was opened and mended: GB18030, no BOM, some cells without their
 * tabs. */
static void a_mended_answer_is_a_roster(void **state)
{
	struct read_roster got;
	struct buf gbk;
	struct desk d;
	char *at;

	(void)state;
	make_desk(&d);
	buf_init(&gbk, 1 << 20);
	answer_to(&d, str_of(roster), ENC_UTF8);
	buf_text(&d.out);
	at = strstr((char *)d.out.data, "3.30603E+17\t");
	memcpy(at, "110105194912", 12); /* still wrong, but mended by hand */
	encode(&gbk, (char *)d.out.data + 3, "GB18030");
	read_roster(&got, (struct str){(char *)gbk.data, gbk.len}, ENC_GB18030);
	assert_int_equal(got.count, 3);
	assert_string_equal(got.rows[1].first, "id_length");
	assert_string_equal(got.rows[0].number, "11010519491231002X");
	assert_int_equal(got.year, 2026);
	assert_string_equal(got.village, "管墅社区居委会");
	buf_fini(&gbk);
	drop_desk(&d);
}

static void large_answers_stream(void **state)
{
	struct buf text;
	struct desk d;
	const char *out;

	(void)state;
	make_desk(&d);
	buf_init(&text, 16 << 20);
	buf_put_str(&text, "姓名,公民身份号码,补助金额\n");
	for (int i = 0; i < 30000; i++)
		buf_printf(&text, "张三,11010519491231002X,%d\n", i);
	for (int i = 2; i < 30002; i += 97)
		say(&d, i, "done", "credited", NULL, NULL, NULL);
	out = answer_to(&d, (struct str){(char *)text.data, text.len}, ENC_UTF8);
	for (int i = 0; i < 30000; i += 1009) {
		char line[200];

		snprintf(line, sizeof line, "\r\n张三,11010519491231002X\t,%d,%s,%s,,%d\r\n", i,
			 i % 97 ? "已收到" : "已到账", i % 97 ? "" : "已记入个人账户", i + 2);
		if (!strstr(out, line))
			fail_msg("row %d", i);
	}
	buf_fini(&text);
	drop_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_safe),
		cmocka_unit_test(the_answer_says_what_to_do),
		cmocka_unit_test(the_list_for_posting_is_masked),
		cmocka_unit_test(a_list_is_posted_when_the_roster_is_complete),
		cmocka_unit_test(without_answers_it_is_a_receipt),
		cmocka_unit_test(codes_never_show),
		cmocka_unit_test(an_answer_is_the_same_roster),
		cmocka_unit_test(a_mended_answer_is_a_roster),
		cmocka_unit_test(large_answers_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
