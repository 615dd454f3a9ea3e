#include "domain/row.h"
#include "base/date.h"
#include "tests/lib/unit.h"
#include <string.h>

#define TODAY date_of(2026, 12, 1)

static struct row_form form;
static char name_room[256];

/* A good row with some cells replaced. */
static void read_with(enum column c, const char *cell)
{
	struct str cells[COLUMNS] = {
		[COL_SERIAL] = STR("1"),
		[COL_NAME] = STR("张三"),
		[COL_CERT_KIND] = STR("居民身份证"),
		[COL_ID] = STR("330621194801011236"),
		[COL_SSA_NO] = STR(""),
		[COL_TIER] = STR("1000"),
		[COL_ARRIVED] = STR(""),
		[COL_AMOUNT] = STR("500"),
		[COL_OTHER_AMOUNT] = STR(""),
		[COL_MEMBER] = STR("是"),
		[COL_PHONE] = STR("13800000000"),
		[COL_NOTE] = STR(""),
	};

	cells[c] = str_of(cell);
	memset(&form, 0xA5, sizeof form);
	row_read(&form, cells, TODAY, name_room, sizeof name_room);
}

static void assert_defects(const char *cell, const char *code, enum column c)
{
	if (code == NULL) {
		if (form.defect_count != 0)
			fail_msg("%s: %s", cell, form.defects[0].code);
		return;
	}
	if (form.defect_count != 1 || strcmp(form.defects[0].code, code) != 0)
		fail_msg("%s: %s instead of %s", cell,
			 form.defect_count ? form.defects[0].code : "good", code);
	assert_string_equal(form.defects[0].column, column_code(c));
}

static void a_good_row_is_read_whole(void **state)
{
	(void)state;
	read_with(COL_SERIAL, "1");
	assert_defects("good", NULL, COL_SERIAL);
	assert_true(str_is(form.name, "张三"));
	assert_string_equal(form.number, "330621194801011236");
	assert_string_equal(form.cert_kind, "resident_id");
	assert_true(form.amount_known && form.tier_known && form.member_known && form.member);
	assert_false(form.other_known);
	assert_int_equal(form.amount_fen, 50000);
	assert_int_equal(form.tier_fen, 100000);
	assert_int_equal(form.other_fen, 0);
	assert_int_equal(form.arrived_on, DATE_NONE);
}

static void a_roster_may_lack_columns(void **state)
{
	struct str cells[COLUMNS] = {{NULL, 0}};
	static const struct defect want[] = {{"name_missing", "name"},
					     {"id_missing", "id_number"},
					     {"amount_missing", "amount"}};

	(void)state;
	memset(&form, 0xA5, sizeof form);
	row_read(&form, cells, TODAY, name_room, sizeof name_room);
	assert_int_equal(form.defect_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(form.defects[i].code, want[i].code);
		assert_string_equal(form.defects[i].column, want[i].column);
	}
	assert_int_equal(form.name.n, 0);
	assert_string_equal(form.number, "");
	assert_string_equal(form.cert_kind, "resident_id");
	assert_false(form.amount_known || form.other_known || form.tier_known ||
		     form.member_known || form.member);
	assert_int_equal(form.amount_fen, 0);
	assert_int_equal(form.arrived_on, DATE_NONE);
}

static void every_cell_wrong_gives_every_defect(void **state)
{
	static const char *const codes[] = {"name_unclear",
					    "cert_kind_unknown",
					    "id_scientific",
					    "tier_not_a_number",
					    "date_unclear",
					    "amount_negative",
					    "other_amount_not_a_number",
					    "member_unclear"};
	struct str cells[COLUMNS] = {
		[COL_NAME] = STR("张?"),       [COL_CERT_KIND] = STR("护照"),
		[COL_ID] = STR("3.30603E+17"), [COL_TIER] = STR("高档"),
		[COL_ARRIVED] = STR("去年"),   [COL_AMOUNT] = STR("-1"),
		[COL_OTHER_AMOUNT] = STR("x"), [COL_MEMBER] = STR("大概"),
	};

	(void)state;
	row_read(&form, cells, TODAY, name_room, sizeof name_room);
	assert_int_equal(form.defect_count, COUNT(codes));
	for (size_t i = 0; i < COUNT(codes); i++)
		assert_string_equal(form.defects[i].code, codes[i]);
	assert_string_equal(form.number, "");
	assert_null(form.cert_kind);
}

static void names(void **state)
{
	static const struct {
		const char *raw, *name, *code;
	} table[] = {
		{"张三", "张三", NULL},
		{"张　三", "张三", NULL},
		{"张 三", "张三", NULL},
		{"张\xC2\xA0三\t", "张三", NULL},
		{"'张三", "张三", NULL},
		{"=\"张三\"", "张三", NULL},
		{"古丽米热·艾比布力", "古丽米热·艾比布力", NULL},
		{"古丽米热・艾比布力", "古丽米热·艾比布力", NULL},
		{"古丽米热•艾比布力", "古丽米热·艾比布力", NULL},
		{"古丽米热‧艾比布力", "古丽米热·艾比布力", NULL},
		{"古丽米热．艾比布力", "古丽米热·艾比布力", NULL},
		{"古丽米热.艾比布力", "古丽米热·艾比布力", NULL},
		{"古丽米热 · 艾比布力", "古丽米热·艾比布力", NULL},
		{"·张三.", "张三", NULL},
		{"JEAN  PAUL", "JEAN PAUL", NULL},
		{"王 Anna", "王Anna", NULL},
		{"J. Smith", "J·Smith", NULL},
		{"䶮𠮷㛃", "䶮𠮷㛃", NULL}, /* U+4DAE, U+20BB7, U+36C3 */
		{"䶮", "䶮", NULL},
		{"", "", "name_missing"},
		{"　 ", "", "name_missing"},
		{"...", "", "name_missing"},
		{"张?", "张?", "name_unclear"},
		{"张？", "张？", "name_unclear"},
		{"张□三", "张□三", "name_unclear"},
		{"张*", "张*", "name_unclear"},
		{"张\xEF\xBF\xBD", "张\xEF\xBF\xBD", "name_unclear"},
		{"张\x01", "张\x01", "name_unclear"},
		{"张\xFF", "", "name_unclear"},
		{"\xC0\x80", "", "name_unclear"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		read_with(COL_NAME, table[i].raw);
		assert_defects(table[i].raw, table[i].code, COL_NAME);
		if (!str_is(form.name, table[i].name))
			fail_msg("%s: %.*s", table[i].raw, (int)form.name.n, form.name.p);
	}
}

static void a_name_never_passes_its_room(void **state)
{
	struct str cells[COLUMNS] = {[COL_NAME] = STR("A.B.C.D.E.F.G.H")};
	char room[64];

	(void)state;
	for (size_t cap = 0; cap <= sizeof room - 1; cap++) {
		memset(room, 0x5A, sizeof room);
		row_read(&form, cells, TODAY, room, cap);
		assert_true(form.name.n <= cap);
		for (size_t i = cap; i < sizeof room; i++)
			assert_int_equal(room[i], 0x5A);
		assert_int_equal(form.name.n, cap >= 3 * 15 + 16 ? 22 : form.name.n);
	}
}

static void members(void **state)
{
	static const struct {
		const char *raw;
		int member; /* -1 unknown, -2 unclear */
	} table[] = {
		{"是", 1},
		{" 是 ", 1},
		{"Y", 1},
		{"y", 1},
		{"1", 1},
		{"√", 1},
		{"✓", 1},
		{"Ｙ", 1},
		{"YES", 1},
		{"否", 0},
		{"N", 0},
		{"n", 0},
		{"0", 0},
		{"×", 0},
		{"X", 0},
		{"不是", 0},
		{"", -1},
		{"　", -1},
		{"2", -2},
		{"是否", -2},
		{"|", -2},
		{"是|Y", -2},
		{"本村户口在册人员", -2},
		{"?", -2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		read_with(COL_MEMBER, table[i].raw);
		assert_defects(table[i].raw, table[i].member == -2 ? "member_unclear" : NULL,
			       COL_MEMBER);
		assert_int_equal(form.member_known, table[i].member >= 0);
		assert_int_equal(form.member, table[i].member == 1);
	}
}

static void dates(void **state)
{
	static const struct {
		const char *raw;
		int year, month, day; /* year 0: unclear */
	} table[] = {
		{"2026-11-05", 2026, 11, 5},
		{"2026-11-5", 2026, 11, 5},
		{"2026/11/5", 2026, 11, 5},
		{"2026.1.5", 2026, 1, 5},
		{"2026年1月5日", 2026, 1, 5},
		{"2026年11月05号", 2026, 11, 5},
		{"20261105", 2026, 11, 5},
		{"２０２６－１１－０５", 2026, 11, 5},
		{"2026-11-05 09:30:00", 2026, 11, 5},
		{"2026/11/5 0:00", 2026, 11, 5},
		{"'2026-11-05", 2026, 11, 5},
		{" 2026 年 11 月 5 日 ", 2026, 11, 5},
		{"2026-12-01", 2026, 12, 1},
		{"2026-12-02", 0, 0, 0}, /* tomorrow */
		{"2026-02-29", 0, 0, 0},
		{"2026-13-01", 0, 0, 0},
		{"26-11-05", 0, 0, 0},
		{"5/11/2026", 0, 0, 0},
		{"2026-1105", 0, 0, 0},
		{"202611", 0, 0, 0},
		{"2026115", 0, 0, 0},
		{"46331", 0, 0, 0},
		{"已到账", 0, 0, 0},
		{"2026-11-05x", 0, 0, 0},
		{"2026-11-", 0, 0, 0},
		{"2026年11月5日2026年11月5日", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		read_with(COL_ARRIVED, table[i].raw);
		assert_defects(table[i].raw, table[i].year == 0 ? "date_unclear" : NULL,
			       COL_ARRIVED);
		assert_int_equal(form.arrived_on,
				 table[i].year == 0
					 ? DATE_NONE
					 : date_of(table[i].year, table[i].month, table[i].day));
	}
}

static void amounts_tiers_and_other_amounts(void **state)
{
	static const struct {
		enum column column;
		const char *raw, *code;
		bool known;
		int64_t fen;
	} table[] = {
		{COL_AMOUNT, "￥500.00元", NULL, true, 50000},
		{COL_AMOUNT, "", "amount_missing", false, 0},
		{COL_AMOUNT, "0", "amount_zero", false, 0},
		{COL_AMOUNT, "五百", "amount_not_a_number", false, 0},
		{COL_AMOUNT, "500.001", "amount_fraction", false, 0},
		{COL_AMOUNT, "99999999999999999", "amount_too_large", false, 0},
		{COL_TIER, "1000档", NULL, true, 100000},
		{COL_TIER, "1000元 档", NULL, true, 100000},
		{COL_TIER, "", NULL, false, 0},
		{COL_TIER, "0", NULL, false, 0},
		{COL_TIER, "无", NULL, false, 0},
		{COL_TIER, "高", "tier_not_a_number", false, 0},
		{COL_TIER, "-1", "tier_not_a_number", false, 0},
		{COL_OTHER_AMOUNT, "300", NULL, true, 30000},
		{COL_OTHER_AMOUNT, "0", NULL, true, 0},
		{COL_OTHER_AMOUNT, "", NULL, false, 0},
		{COL_OTHER_AMOUNT, "/", NULL, false, 0},
		{COL_OTHER_AMOUNT, "有", "other_amount_not_a_number", false, 0},
		{COL_OTHER_AMOUNT, "-300", "other_amount_not_a_number", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		bool known;
		int64_t fen;

		read_with(table[i].column, table[i].raw);
		assert_defects(table[i].raw, table[i].code, table[i].column);
		known = table[i].column == COL_AMOUNT ? form.amount_known
			: table[i].column == COL_TIER ? form.tier_known
						      : form.other_known;
		fen = table[i].column == COL_AMOUNT ? form.amount_fen
		      : table[i].column == COL_TIER ? form.tier_fen
						    : form.other_fen;
		assert_int_equal(known, table[i].known);
		assert_int_equal(fen, table[i].fen);
	}
}

static void an_unreadable_number_leaves_none(void **state)
{
	static const struct {
		const char *raw, *number, *code;
	} table[] = {
		{"330621194801011236\t", "330621194801011236", NULL},
		{"=\"11010519491231002x\"", "11010519491231002X", NULL},
		{"330621194801011237", "", "id_check_digit"},
		{"330621194801011000", "", "id_suspicious_zeros"},
		{"33062119480101123633062119480101123", "", "id_length"},
		{"无", "", "id_characters"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		read_with(COL_ID, table[i].raw);
		assert_defects(table[i].raw, table[i].code, COL_ID);
		assert_string_equal(form.number, table[i].number);
	}
}

static void headings(void **state)
{
	static const struct {
		const char *heading;
		int column; /* -1: none */
	} table[] = {
		{"序号", COL_SERIAL},
		{"姓名", COL_NAME},
		{"姓　名", COL_NAME},
		{"姓 名", COL_NAME},
		{"*姓名", COL_NAME},
		{"证件类型", COL_CERT_KIND},
		{"公民身份号码", COL_ID},
		{"身份证号", COL_ID},
		{"身份证\n号码", COL_ID},
		{"公民身份号码（18位）", COL_ID},
		{"社保编号", COL_SSA_NO},
		{"个人缴费档次(元)", COL_TIER},
		{"缴费档次", COL_TIER},
		{"个人缴费到账日期", COL_ARRIVED},
		{"补助金额（元）", COL_AMOUNT},
		{"补助金额(元)", COL_AMOUNT},
		{"补助金额/元", COL_AMOUNT},
		{"集体补助金额", COL_AMOUNT},
		{"其他资助金额（元）", COL_OTHER_AMOUNT},
		{"其它资助", COL_OTHER_AMOUNT},
		{"是否集体经济组织成员", COL_MEMBER},
		{"是否集体经济组织成员（是/否）", COL_MEMBER},
		{"联系电话", COL_PHONE},
		{"联系电话：", COL_PHONE},
		{"备注", COL_NOTE},
		{"\xEF\xBB\xBF序号", COL_SERIAL},
		{"", -1},
		{"（元）", -1},
		{"年龄", -1},
		{"姓", -1},
		{"|", -1},
		{"姓名|", -1},
		{"姓名|公民身份号码", -1},
		{"结果", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		enum column c = COLUMNS;
		int rc = column_of_heading(str_of(table[i].heading), &c);

		if (rc != (table[i].column < 0 ? -1 : 0) || (rc == 0 && (int)c != table[i].column))
			fail_msg("%s: %s", table[i].heading, rc == 0 ? column_code(c) : "none");
	}
	assert_int_equal(column_of_heading((struct str){NULL, 0}, &(enum column){0}), -1);
}

static struct policy example(void)
{
	struct policy p = {
		.year = 2026,
		.highest_tier_fen = 500000,
		.advised_fen = {20000, 30000, 40000, 50000, 60000},
		.advised_count = 5,
		.rules[SPONSOR_COLLECTIVE] = {.members_only = true,
					      .advised = true,
					      .cap_a = true,
					      .plan_standards = true},
	};

	return p;
}

/* R-03 R-08 R-09 R-16 */
static void rules_of_the_plan(void **state)
{
	static const int64_t standards[] = {50000, 80000, 25000, 700000};
	static const struct {
		enum sponsor_type type;
		int64_t fen;
		int member;
		const char *why, *warning;
	} table[] = {
		{SPONSOR_COLLECTIVE, 50000, 1, NULL, NULL},
		{SPONSOR_COLLECTIVE, 50000, 0, "not_a_member", NULL},
		{SPONSOR_COLLECTIVE, 50000, -1, "member_missing", NULL},
		{SPONSOR_COLLECTIVE, 80000, 1, NULL, NULL}, /* an own, higher standard */
		{SPONSOR_COLLECTIVE, 25000, 1, NULL,
		 "amount_not_advised"}, /* below 600 and not advised */
		{SPONSOR_COLLECTIVE, 60000, 1, "amount_not_in_plan", NULL},
		{SPONSOR_COLLECTIVE, 700000, 1, "amount_above_cap_a", NULL},
		{SPONSOR_COLLECTIVE, 500001, 1, "amount_above_cap_a", NULL},
		{SPONSOR_COLLECTIVE, 500000, 1, "amount_not_in_plan", NULL},
		{SPONSOR_CHARITY, 12345, -1, NULL, NULL},
		{SPONSOR_INDIVIDUAL, 700000, 0, NULL, NULL}, /* cap B takes care */
	};
	const struct policy p = example();

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const char *warning = "unset";
		const char *why = row_rules(&p, table[i].type, table[i].fen, table[i].member,
					    standards, COUNT(standards), &warning);

		if (table[i].why == NULL)
			assert_null(why);
		else
			assert_string_equal(why, table[i].why);
		if (table[i].warning == NULL)
			assert_null(warning);
		else
			assert_string_equal(warning, table[i].warning);
	}
}

/* */
static void a_plan_without_standards_allows_no_amount(void **state)
{
	const struct policy p = example();
	const char *warning;

	(void)state;
	assert_string_equal(row_rules(&p, SPONSOR_COLLECTIVE, 50000, 1, NULL, 0, &warning),
			    "amount_not_in_plan");
	assert_null(row_rules(&p, SPONSOR_COMMITTEE, 50000, 1, NULL, 0, &warning));
}

/* */
static void room_under_cap_b(void **state)
{
	const struct policy p = example();

	(void)state;
	assert_int_equal(cap_b_room(&p, 0), 500000);
	assert_int_equal(cap_b_room(&p, 499999), 1);
	assert_int_equal(cap_b_room(&p, 500000), 0);
	assert_int_equal(cap_b_room(&p, 500001), 0);
	assert_int_equal(cap_b_room(&p, INT64_MAX), 0);
}

/* */
static void a_plan_limits_what_it_states(void **state)
{
	struct plan_limits none = {0}, both = {true, true, 10, 100000};
	int64_t room = -1;

	(void)state;
	assert_null(plan_limits_check(&none, 1000000, INT64_MAX / 2, 50000, &room));
	assert_null(plan_limits_check(&both, 9, 50000, 50000, &room));
	assert_string_equal(plan_limits_check(&both, 10, 0, 50000, &room), "plan_heads_exceeded");
	assert_int_equal(room, 0);
	assert_string_equal(plan_limits_check(&both, 9, 50001, 50000, &room),
			    "plan_total_exceeded");
	assert_int_equal(room, 49999);
	/* lowered below what is used: nothing is left, and nothing negative */
	assert_string_equal(plan_limits_check(&both, 11, 200000, 1, &room), "plan_heads_exceeded");
	assert_int_equal(room, 0);
	both.heads_stated = false;
	assert_string_equal(plan_limits_check(&both, 11, 200000, 1, &room), "plan_total_exceeded");
	assert_int_equal(room, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_row_is_read_whole),
		cmocka_unit_test(a_roster_may_lack_columns),
		cmocka_unit_test(every_cell_wrong_gives_every_defect),
		cmocka_unit_test(names),
		cmocka_unit_test(a_name_never_passes_its_room),
		cmocka_unit_test(members),
		cmocka_unit_test(dates),
		cmocka_unit_test(amounts_tiers_and_other_amounts),
		cmocka_unit_test(an_unreadable_number_leaves_none),
		cmocka_unit_test(headings),
		cmocka_unit_test(rules_of_the_plan),
		cmocka_unit_test(a_plan_without_standards_allows_no_amount),
		cmocka_unit_test(room_under_cap_b),
		cmocka_unit_test(a_plan_limits_what_it_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
