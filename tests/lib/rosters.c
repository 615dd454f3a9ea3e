/* The story is four tables: what can be wrong with a row (kinds), the rosters, the steps in their order, and what is special. */
#include "tests/lib/rosters.h"
#include "base/buf.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include "tests/lib/people.h"
#include "tests/lib/roster_form.h"
#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YEAR = 2026, ROWS_MAX = 160, TEXT_MAX = 8 << 20 };

/* ---- what the social-security agency knows of a person: population lines behind number and name ---- */

enum known { PAID, PAID_LATE, PAID_IN_JANUARY, NOT_ARRIVED, NEVER_PAID, PAST_YEAR, BACK_PAYMENT, BOTH, REFUNDED, GOVERNMENT,
	     DRAWING, UNKNOWN, INSURED_NOT };
static const char *const known_lines[][2] = {
	[PAID] = {"1,1,,2026,10,1,100000,2026-05-12,2026-05-14,,", NULL},
	[PAID_LATE] = {"1,1,,,,,,,,,", "1,1,,2026,10,1,50000,2026-12-25,2026-12-26,,2026-12-27"},
	[PAID_IN_JANUARY] = {"1,1,,,,,,,,,", "1,1,,2026,10,1,50000,2027-01-02,2027-01-02,,2027-01-02"},
	[NOT_ARRIVED] = {"1,1,,2026,10,1,30000,2026-11-30,,,", NULL},
	[NEVER_PAID] = {"1,1,,,,,,,,,", NULL},
	[PAST_YEAR] = {"1,1,,2025,10,1,50000,2025-06-01,2025-06-02,,", NULL},
	[BACK_PAYMENT] = {"1,1,,2026,32,1,500000,2026-03-01,2026-03-03,,", NULL},
	[BOTH] = {"1,1,,2026,10,1,150000,2026-04-01,2026-04-03,,", "1,1,,2019,31,1,50000,2026-04-01,2026-04-03,,"},
	[REFUNDED] = {"1,1,,2026,10,1,100000,2026-02-01,2026-02-03,2026-08-01,", NULL},
	[GOVERNMENT] = {"1,1,,2026,10,11,10000,2026-02-01,2026-02-03,,", NULL},
	[DRAWING] = {"1,drawing,2021-09-01,2020,10,1,100000,2020-02-01,2020-02-03,,", NULL},
	[UNKNOWN] = {NULL, NULL},
	[INSURED_NOT] = {"0,0,,,,,,,,,", NULL},
};

/* ---- what can be wrong with a row, and what it comes to ---- */

enum id_flaw { ID_GOOD, ID_CHECK, ID_SHORT, ID_SCIENTIFIC, ID_ZEROS, ID_BIRTH, ID_LETTER, ID_FOREIGN, ID_OLD };
enum kind {
	GOOD, K_ID_CHECK, K_ID_SHORT, K_ID_SCIENTIFIC, K_ID_ZEROS, K_ID_BIRTH, K_ID_LETTER, K_ID_NONE, K_NAME_NONE, K_NAME_MARK,
	K_CERT, K_AMOUNT_NONE, K_AMOUNT_MINUS, K_AMOUNT_TEXT, K_AMOUNT_ZERO, K_AMOUNT_PART, K_AMOUNT_HUGE, K_TIER, K_DATE,
	K_MEMBER_WHAT, K_MEMBER_NONE, K_MEMBER_NOT, K_CAP_A, K_NOT_IN_PLAN, K_ADVISED_NOT, K_LATE, K_JANUARY, K_NOT_ARRIVED,
	K_NEVER, K_PAST, K_BACK, K_BOTH, K_REFUNDED, K_GOVERNMENT, K_DRAWING, K_UNKNOWN, K_INSURED_NOT, K_TAX_ACCOUNT, K_TAX_NAME,
	K_TAX_PAYER, K_TAX_NO, K_TAX_BAD_ROW, K_SSA_CLOSED, K_SSA_FROZEN, K_FOREIGN, K_DUPLICATE, K_CONFLICT, KINDS,
};
static const struct kind_line {
	const char *code;         /* the final answer */
	bool form;                /* seen in the form already, whatever becomes of the roster */
	enum id_flaw id;
	enum column column;       /* with cell: what stands there instead */
	const char *cell;
	enum known known;
	const char *tax, *ssa;    /* for what reason an agency refuses the person */
} kinds[KINDS] = {
	[GOOD] = {.code = "credited"},
	[K_ID_CHECK] = {.code = "id_check_digit", .form = true, .id = ID_CHECK},
	[K_ID_SHORT] = {.code = "id_length", .form = true, .id = ID_SHORT},
	[K_ID_SCIENTIFIC] = {.code = "id_scientific", .form = true, .id = ID_SCIENTIFIC},
	[K_ID_ZEROS] = {.code = "id_suspicious_zeros", .form = true, .id = ID_ZEROS},
	[K_ID_BIRTH] = {.code = "id_birth_date", .form = true, .id = ID_BIRTH},
	[K_ID_LETTER] = {.code = "id_characters", .form = true, .id = ID_LETTER},
	[K_ID_NONE] = {.code = "id_missing", .form = true, .column = COL_ID, .cell = ""},
	[K_NAME_NONE] = {.code = "name_missing", .form = true, .column = COL_NAME, .cell = ""},
	[K_NAME_MARK] = {.code = "name_unclear", .form = true, .column = COL_NAME, .cell = "俞?英"},
	[K_CERT] = {.code = "cert_kind_unknown", .form = true, .column = COL_CERT_KIND, .cell = "驾驶证"},
	[K_AMOUNT_NONE] = {.code = "amount_missing", .form = true, .column = COL_AMOUNT, .cell = ""},
	[K_AMOUNT_MINUS] = {.code = "amount_negative", .form = true, .column = COL_AMOUNT, .cell = "-500"},
	[K_AMOUNT_TEXT] = {.code = "amount_not_a_number", .form = true, .column = COL_AMOUNT, .cell = "五百元"},
	[K_AMOUNT_ZERO] = {.code = "amount_zero", .form = true, .column = COL_AMOUNT, .cell = "0"},
	[K_AMOUNT_PART] = {.code = "amount_fraction", .form = true, .column = COL_AMOUNT, .cell = "500.005"},
	[K_AMOUNT_HUGE] = {.code = "amount_too_large", .form = true, .column = COL_AMOUNT, .cell = "99999999999999999"},
	[K_TIER] = {.code = "tier_not_a_number", .form = true, .column = COL_TIER, .cell = "中等"},
	[K_DATE] = {.code = "date_unclear", .form = true, .column = COL_ARRIVED, .cell = "上月底"},
	[K_MEMBER_WHAT] = {.code = "member_unclear", .form = true, .column = COL_MEMBER, .cell = "待定"},
	[K_MEMBER_NONE] = {.code = "member_missing", .column = COL_MEMBER, .cell = ""},
	[K_MEMBER_NOT] = {.code = "not_a_member", .column = COL_MEMBER, .cell = "否"},
	[K_CAP_A] = {.code = "amount_above_cap_a", .column = COL_AMOUNT, .cell = "6000"},
	[K_NOT_IN_PLAN] = {.code = "amount_not_in_plan", .column = COL_AMOUNT, .cell = "450"},
	[K_ADVISED_NOT] = {.code = "credited", .column = COL_AMOUNT, .cell = "350"},
	[K_LATE] = {.code = "credited", .known = PAID_LATE},
	[K_JANUARY] = {.code = "contribution_not_arrived", .known = PAID_IN_JANUARY},
	[K_NOT_ARRIVED] = {.code = "contribution_not_arrived", .known = NOT_ARRIVED},
	[K_NEVER] = {.code = "contribution_missing", .known = NEVER_PAID},
	[K_PAST] = {.code = "past_year_only", .known = PAST_YEAR},
	[K_BACK] = {.code = "back_payment_only", .known = BACK_PAYMENT},
	[K_BOTH] = {.code = "credited", .known = BOTH},
	[K_REFUNDED] = {.code = "contribution_refunded", .known = REFUNDED},
	[K_GOVERNMENT] = {.code = "paid_by_government", .known = GOVERNMENT},
	[K_DRAWING] = {.code = "drawing_pension", .id = ID_OLD, .known = DRAWING},
	[K_UNKNOWN] = {.code = "not_insured", .known = UNKNOWN},
	[K_INSURED_NOT] = {.code = "not_insured", .known = INSURED_NOT},
	[K_TAX_ACCOUNT] = {.code = "tax_unknown_account", .tax = "unknown_account"},
	[K_TAX_NAME] = {.code = "tax_name_mismatch", .tax = "name_mismatch"},
	[K_TAX_PAYER] = {.code = "tax_payer_unknown", .tax = "payer_unknown"},
	[K_TAX_NO] = {.code = "tax_refused", .tax = "refused"},
	[K_TAX_BAD_ROW] = {.code = "tax_refused", .tax = "bad_row"},
	[K_SSA_CLOSED] = {.code = "credit_refused", .ssa = "account_closed"},
	[K_SSA_FROZEN] = {.code = "credit_refused", .ssa = "account_frozen"},
	[K_FOREIGN] = {.code = "credited", .id = ID_FOREIGN},
	[K_DUPLICATE] = {.code = "duplicate_row", .form = true}, /* a second row of the person before */
	[K_CONFLICT] = {.code = "conflicting_rows", .form = true}, /* the person before, twice, with other amounts */
};

/* ---- the rosters ---- */

enum story {
	GUANSHU, XINGHUA, MEISHU, ANCHANG, SHENGLING, CHANGLE, SONGJIADIAN, JIANGSHU, WANGTAN, SHENGLING_FIRM, RENLIWANG, JIUDING,
	KUAIJI, SHADI, PINGJIANG, DONGTAO, ZHANWANG, KANSHANG, STORIES,
};
/* Names for people's eyes; the reader of rosters gets them from the list of villages. */
static const struct roster_line {
	const char *code, *town, *village; /* as this clerk writes them */
	const char *name;                  /* of the file */
	const char *type;                  /* of sponsor */
	const char *prefix;                /* of its credit code */
	enum form_layout layout;
	enum form_encoding encoding;
	int plain;                         /* rows that simply go through */
	int standards[6];
	enum cover_flaw flaw;
	const char *fate;                  /* of rows whose form is good; NULL: as their kind says */
	const char *kinds;                 /* further rows: a character a kind, 'A' + kind */
} stories[STORIES] = {
	[GUANSHU] = {"330603001008", "柯桥街道", "管墅社区", "管墅社区集体补助名册", "collective", "N2330603", LAYOUT_PLAIN,
		     FORM_GB18030, 36, {500, 600}, COVER_GOOD, NULL, NULL},
	[XINGHUA] = {"330603004233", "湖塘街道", "兴华村", "2026兴华村补助", "collective", "N2330603", LAYOUT_TWO_ROWS,
		     FORM_GB18030, 30, {300, 500}, COVER_GOOD, NULL, NULL},
	[MEISHU] = {"330603002034", "柯岩街道", "梅墅居委会", "梅墅名单（定稿）", "collective", "N2330603", LAYOUT_MOVED,
		    FORM_UTF8_BOM, 32, {350, 600, 800}, COVER_GOOD, NULL, NULL},
	[ANCHANG] = {"330603007008", "安昌街道", "安昌社区居委会", "安昌社区资助", "committee", "55330603", LAYOUT_NO_MEMBER,
		     FORM_GB18030, 34, {0}, COVER_GOOD, NULL, NULL},
	[SHENGLING] = {"330603007226", "安昌街道", "盛陵村委会", "慈善资助名单", "charity", "53330603", LAYOUT_NO_MEMBER,
		       FORM_GB18030, 22, {0}, COVER_GOOD, NULL, NULL},
	[CHANGLE] = {"330603007236", "安昌街道", "长乐村", "长乐村补助名册", "collective", "N2330603", LAYOUT_PLAIN, FORM_GB18030,
		     40, {600}, COVER_GOOD, NULL, NULL},
	[SONGJIADIAN] = {"330603105215", "平水镇", "宋家店村委会", "乡贤资助", "individual", "", LAYOUT_NO_MEMBER, FORM_UTF8_BOM,
			 14, {0}, COVER_GOOD, NULL, NULL},
	[JIANGSHU] = {"330603009222", "钱清街道", "江墅村", "江墅村名册", "collective", "N2330603", LAYOUT_PLAIN, FORM_UTF8, 38,
		      {200, 400}, COVER_GOOD, NULL, NULL},
	[WANGTAN] = {"330603107200", "王坛镇", "王坛村", "王坛村", "collective", "N2330603", LAYOUT_PLAIN, FORM_GB18030, 48,
		     {200, 500}, COVER_GOOD, NULL, NULL},
	[SHENGLING_FIRM] = {"330603007226", "安昌街道", "盛陵村", "企业资助名单", "organization", "91330603", LAYOUT_NO_MEMBER,
			    FORM_GB18030, 16, {0}, COVER_GOOD, NULL, NULL},
	[RENLIWANG] = {"330603010241", "杨汛桥街道", "仁里王村", "仁里王村名册", "collective", "N2330603", LAYOUT_TWO_ROWS,
		       FORM_GB18030, 36, {600}, COVER_GOOD, NULL, NULL},
	[JIUDING] = {"330603007237", "安昌街道", "九鼎村委会", "九鼎村补助名册", "collective", "N2330603", LAYOUT_PLAIN,
		     FORM_UTF16, 36, {500}, COVER_GOOD, NULL, NULL},
	[KUAIJI] = {"330603105277", "平水镇", "会稽村", "会稽村", "collective", "N2330603", LAYOUT_PLAIN, FORM_GB18030, 28, {500},
		    COVER_POSTED_TOO_SHORT, "not_filed_in_time", NULL},
	[SHADI] = {"330603107204", "王坛镇", "沙地村", "沙地村名册", "collective", "N2330603", LAYOUT_PLAIN, FORM_GB18030, 24,
		   {400}, COVER_BAD_CODE, "not_filed_in_time", NULL},
	[PINGJIANG] = {"330603105241", "平水镇", "平江村", "平江村", "collective", "N2330603", LAYOUT_PLAIN, FORM_GB18030, 26,
		       {500}, COVER_GOOD, NULL, NULL},
	[DONGTAO] = {"330603105209", "平水镇", "东桃村", "东桃村名册", "collective", "N2330603", LAYOUT_MOVED, FORM_GB18030, 20,
		     {300}, COVER_NOT_CITED, "not_filed_in_time", NULL},
	[ZHANWANG] = {"330603010228", "杨汛桥街道", "展望村", "展望集团资助", "organization", "91330603", LAYOUT_NO_MEMBER,
		      FORM_GB18030, 40, {0}, COVER_GOOD, NULL, NULL},
	[KANSHANG] = {"330603107203", "王坛镇", "坎上村", "坎上村名册", "collective", "N2330603", LAYOUT_PLAIN, FORM_GB18030, 8,
		      {500}, COVER_GOOD, "filed_too_late", NULL},
};
