/* A roster row: reading its cells, and the plan's rules for one row. */
#include "domain/row.h"
#include "base/date.h"
#include "domain/cell.h"
#include "domain/citizen_id.h"
#include "domain/money.h"
#include <assert.h>
#include <string.h>

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

static const char *const column_codes[COLUMNS] = {
	[COL_SERIAL] = "serial",
	[COL_NAME] = "name",
	[COL_CERT_KIND] = "certificate_kind",
	[COL_ID] = "id_number",
	[COL_SSA_NO] = "ssa_number",
	[COL_TIER] = "tier",
	[COL_ARRIVED] = "arrived_on",
	[COL_AMOUNT] = "amount",
	[COL_OTHER_AMOUNT] = "other_amount",
	[COL_MEMBER] = "member",
	[COL_PHONE] = "phone",
	[COL_NOTE] = "note",
};

const char *column_code(enum column c)
{
	return column_codes[c];
}

/* ---- headings ---- */

/* Takes (...) and [...] with what is in them, 【】 and marks of must-fill columns out of a
 * heading. */
static size_t bare_heading(char *s)
{
	size_t to = 0;
	int depth = 0;

	for (size_t i = 0; s[i] != '\0'; i++) {
		if (s[i] == '(' || s[i] == '[')
			depth++;
		else if ((s[i] == ')' || s[i] == ']') && depth > 0)
			depth--;
		else if (depth == 0 && s[i] != '*' && s[i] != ':' && s[i] != '"')
			s[to++] = s[i];
	}
	if (to > 4 && memcmp(s + to - 4, "/元", 4) == 0)
		to -= 4;
	s[to] = '\0';
	return to;
}

int column_of_heading(struct str heading, enum column *c)
{
	static const struct {
		enum column column;
		const char *words; /* between bars */
	} known[] = {
		{COL_SERIAL, "|序号|序|编号|行号|顺序号|NO|No|NO.|No.|"},
		{COL_NAME, "|姓名|参保人姓名|参保人员姓名|人员姓名|补助对象|补助对象姓名|"
			   "补助人员姓名|资助对象姓名|"},
		{COL_CERT_KIND, "|证件类型|证件种类|证件类别|证件名称|身份证件类型|"},
		{COL_ID, "|公民身份号码|身份证号码|身份证号|公民身份证号码|公民身份证号|"
			 "居民身份证号码|居民身份证号|证件号码|证件号|"
			 "身份证件号码|身份号码|身份证|社会保障号码|社会保障号|"},
		{COL_SSA_NO, "|社保编号|个人编号|个人社保编号|社保号|社保个人编号|参保编号|"},
		{COL_TIER, "|个人缴费档次|缴费档次|档次|本年度缴费档次|当年缴费档次|"},
		{COL_ARRIVED,
		 "|个人缴费到账日期|个人缴费到账时间|缴费到账日期|缴费到账时间|到账日期|到账时间|"},
		{COL_AMOUNT,
		 "|补助金额|集体补助金额|补助标准|补助额|集体补助|本次补助金额|资助金额|金额|"},
		{COL_OTHER_AMOUNT,
		 "|其他资助金额|其它资助金额|其他资助|其它资助|其他补助金额|其他补助资助金额|"},
		{COL_MEMBER, "|是否集体经济组织成员|是否本集体经济组织成员|是否为集体经济组织成员|"
			     "集体经济组织成员|是否本集体成员|"
			     "是否成员|是否社员|"},
		{COL_PHONE, "|联系电话|电话|电话号码|手机|手机号|手机号码|联系方式|"},
		{COL_NOTE, "|备注|说明|附注|备注说明|"},
	};
	char word[160] = "|";
	int n = cell_narrow(heading, word + 1, sizeof(word) - 2);
	size_t len;

	if (n <= 0 || strchr(word + 1, '|') != NULL)
		return -1;
	len = bare_heading(word + 1);
	if (len == 0)
		return -1;
	word[1 + len] = '|';
	word[2 + len] = '\0';
	for (int i = 0; i < COUNT(known); i++) {
		if (strstr(known[i].words, word) == NULL)
			continue;
		*c = known[i].column;
		return 0;
	}
	return -1;
}

/* ---- cells ---- */

static void defect(struct row_form *r, const char *code, enum column c)
{
	static_assert(DEFECTS_MAX >= 8,
		      "each of the eight cells that are read gives one defect at most");

	r->defects[r->defect_count++] = (struct defect){code, column_codes[c]};
}

/* The dots that people type inside names of many parts (古丽米热·艾比布力). */
static bool middle_dot(uint32_t cp)
{
	return cp == 0xB7 || cp == '.' || cp == 0x30FB || cp == 0x2022 || cp == 0x2027 ||
	       cp == 0xFF0E || cp == 0xFF65 || cp == 0x2219 || cp == 0x22C5 || cp == 0x2024 ||
	       cp == 0x0387;
}

/* What stands in a name for a character that software could not write, or hides one on purpose. */
static bool unclear(uint32_t cp)
{
	return cp < 0x20 || cp == 0x7F || cp == '?' || cp == 0xFF1F || cp == 0xFFFD ||
	       cp == 0x25A1 || cp == '*' || cp == 0xFF0A;
}

static bool latin(uint32_t cp)
{
	return (cp >= 'A' && cp <= 'Z') || (cp >= 'a' && cp <= 'z') || (cp >= 0xC0 && cp <= 0x24F);
}

/* Writes the name; NULL when good, else why not. Blanks go, but for one between two Latin
 * letters (JEAN PAUL); a dot stays, as U+00B7, only between two letters. */
static const char *read_name(struct str raw, char *out, size_t cap, size_t *len)
{
	struct str s = cell_bare(raw);
	bool dot = false, blank = false, bad = false;
	uint32_t cp, last = 0;
	size_t n;
	int got;

	*len = 0;
	while (s.n > 0) {
		n = cell_blank(s);
		if (n > 0) {
			s = (struct str){s.p + n, s.n - n};
			blank = true;
			continue;
		}
		got = utf8_next(&s, &cp);
		if (got != 1 || *len + 8 > cap) {
			*len = 0;
			return "name_unclear";
		}
		if (middle_dot(cp)) {
			dot = true;
			continue;
		}
		bad = bad || unclear(cp);
		if (dot && last != 0)
			*len += (size_t)utf8_put(out + *len, 0xB7);
		else if (blank && latin(last) && latin(cp))
			out[(*len)++] = ' ';
		*len += (size_t)utf8_put(out + *len, cp);
		last = cp;
		dot = blank = false;
	}
	if (*len == 0)
		return "name_missing";
	return bad ? "name_unclear" : NULL;
}

/* 0 no, 1 yes, -1 nothing written, -2 unclear. */
static int read_member(struct str raw)
{
	static const char yes[] = "|是|Y|y|YES|Yes|yes|1|√|✓|✔|对|";
	static const char no[] = "|否|N|n|NO|No|no|0|×|x|X|✗|✘|不是|非|";
	char word[16] = "|";
	int n = cell_narrow(raw, word + 1, sizeof(word) - 2);

	if (n == 0)
		return -1;
	if (n < 0 || strchr(word + 1, '|') != NULL)
		return -2;
	word[n + 1] = '|';
	word[n + 2] = '\0';
	if (strstr(yes, word) != NULL)
		return 1;
	return strstr(no, word) != NULL ? 0 : -2;
}

/* A number of 1 or 2 digits, or 4 for a year, and the mark behind it. -1 when there is none. */
static int date_part(const char **p, int digits_max)
{
	int v = 0, n = 0;

	while (n < digits_max && **p >= '0' && **p <= '9') {
		v = v * 10 + (*(*p)++ - '0');
		n++;
	}
	return n == 0 || (digits_max == 4 && n != 4) ? -1 : v;
}

static bool skip_mark(const char **p)
{
	static const char *const marks[] = {"-", "/", ".", "年", "月"};

	for (int i = 0; i < COUNT(marks); i++) {
		size_t n = strlen(marks[i]);

		if (strncmp(*p, marks[i], n) == 0) {
			*p += n;
			return true;
		}
	}
	return false;
}

/* 2026-12-31, 2026/1/5, 2026.1.5, 2026年1月5日, 20260105, each also with a time of day behind
 * it. */
static int read_date(struct str raw, int today, int *day)
{
	struct str s = cell_bare(raw);
	const char *blank = s.n == 0 ? NULL : memchr(s.p, ' ', s.n);
	char text[32];
	const char *p = text;
	bool marks;
	int y, m, d;

	if (blank != NULL && memchr(blank, ':', (size_t)(s.p + s.n - blank)) != NULL)
		s.n = (size_t)(blank - s.p);
	if (cell_narrow(s, text, sizeof(text)) < 0)
		return -1;
	y = date_part(&p, 4);
	marks = skip_mark(&p);
	m = date_part(&p, 2);
	if (skip_mark(&p) != marks)
		return -1;
	d = date_part(&p, 2);
	if (strcmp(p, "日") == 0 || strcmp(p, "号") == 0)
		p += 3;
	if (y < 0 || m < 0 || d < 0 || *p != '\0' || (!marks && strlen(text) != 8))
		return -1;
	*day = date_of(y, m, d);
	if (*day == DATE_NONE || *day > today) {
		*day = DATE_NONE;
		return -1;
	}
	return 0;
}

/* The person's tier, "1000" or "1000元档"; nothing written and zero leave it unknown. */
static void read_tier(struct row_form *out, struct str raw)
{
	struct str s = cell_bare(raw);
	const char *why;

	if (s.n > 3 && memcmp(s.p + s.n - 3, "档", 3) == 0)
		s.n -= 3;
	why = money_parse(s, &out->tier_fen);
	out->tier_known = why == NULL;
	if (why != NULL && strcmp(why, "amount_missing") != 0 && strcmp(why, "amount_zero") != 0)
		defect(out, "tier_not_a_number", COL_TIER);
}

static void read_amounts(struct row_form *out, const struct str *cells)
{
	const char *why = money_parse(cells[COL_AMOUNT], &out->amount_fen);

	out->amount_known = why == NULL;
	if (why != NULL)
		defect(out, why, COL_AMOUNT);
	why = money_parse(cells[COL_OTHER_AMOUNT], &out->other_fen);
	out->other_known = why == NULL || strcmp(why, "amount_zero") == 0;
	if (!out->other_known && strcmp(why, "amount_missing") != 0)
		defect(out, "other_amount_not_a_number", COL_OTHER_AMOUNT);
}

static void read_number(struct row_form *out, struct str raw, int today)
{
	const char *why = "id_length";

	if (citizen_id_normalise(raw, out->number, sizeof(out->number)) == 0)
		why = citizen_id_check(str_of(out->number), today);
	if (why == NULL)
		return;
	out->number[0] = '\0';
	defect(out, why, COL_ID);
}

void row_read(struct row_form *out, const struct str cells[COLUMNS], int today, char *name_out,
	      size_t name_cap)
{
	const char *why;
	int member;

	out->defect_count = 0;
	why = read_name(cells[COL_NAME], name_out, name_cap, &out->name.n);
	out->name.p = name_out;
	if (why != NULL)
		defect(out, why, COL_NAME);
	out->cert_kind = cells[COL_CERT_KIND].n == 0 ? "resident_id"
						     : certificate_kind(cells[COL_CERT_KIND]);
	if (out->cert_kind == NULL)
		defect(out, "cert_kind_unknown", COL_CERT_KIND);
	read_number(out, cells[COL_ID], today);
	read_tier(out, cells[COL_TIER]);
	out->arrived_on = DATE_NONE;
	if (cell_bare(cells[COL_ARRIVED]).n > 0 &&
	    read_date(cells[COL_ARRIVED], today, &out->arrived_on) != 0)
		defect(out, "date_unclear", COL_ARRIVED);
	read_amounts(out, cells);
	member = read_member(cells[COL_MEMBER]);
	out->member_known = member >= 0;
	out->member = member == 1;
	if (member == -2)
		defect(out, "member_unclear", COL_MEMBER);
}

/* ---- rules ---- */

static bool among(const int64_t *amounts, int count, int64_t amount)
{
	for (int i = 0; i < count; i++)
		if (amounts[i] == amount)
			return true;
	return false;
}

/* R-03 R-08 R-09 R-16 */
const char *row_rules(const struct policy *p, enum sponsor_type t, int64_t amount_fen, int member,
		      const int64_t *standards_fen, int standard_count, const char **warning)
{
	const struct sponsor_rules *r = &p->rules[t];

	*warning = NULL;
	if (r->members_only && member != 1)
		return member < 0 ? "member_missing" : "not_a_member";
	if (r->cap_a && amount_fen > p->highest_tier_fen)
		return "amount_above_cap_a";
	if (r->plan_standards && !among(standards_fen, standard_count, amount_fen))
		return "amount_not_in_plan";
	if (r->advised && amount_fen < p->advised_fen[p->advised_count - 1] &&
	    !among(p->advised_fen, p->advised_count, amount_fen))
		*warning = "amount_not_advised";
	return NULL;
}

/* */
int64_t cap_b_room(const struct policy *p, int64_t reserved_fen)
{
	return reserved_fen < p->highest_tier_fen ? p->highest_tier_fen - reserved_fen : 0;
}

/* */
const char *plan_limits_check(const struct plan_limits *p, int64_t used_heads, int64_t used_fen,
			      int64_t amount_fen, int64_t *room)
{
	*room = p->heads > used_heads ? p->heads - used_heads : 0;
	if (p->heads_stated && *room == 0)
		return "plan_heads_exceeded";
	*room = p->total_fen > used_fen ? p->total_fen - used_fen : 0;
	return p->total_stated && amount_fen > *room ? "plan_total_exceeded" : NULL;
}

const char *const *row_reason_codes(int *count)
{
	static const char *const codes[] = {
		/* form */
		"name_missing",
		"name_unclear",
		"cert_kind_unknown",
		"id_missing",
		"id_scientific",
		"id_length",
		"id_characters",
		"id_check_digit",
		"id_birth_date",
		"id_suspicious_zeros",
		"amount_missing",
		"amount_not_a_number",
		"amount_negative",
		"amount_zero",
		"amount_fraction",
		"amount_too_large",
		"other_amount_not_a_number",
		"tier_not_a_number",
		"date_unclear",
		"member_unclear",
		/* the plan */
		"member_missing",
		"not_a_member",
		"amount_above_cap_a",
		"amount_not_in_plan",
		"amount_not_advised",
		"plan_heads_exceeded",
		"plan_total_exceeded",
		"annex_adds_row",
		"annex_raises_row",
		"already_instructed",
		"other_amount_differs",
		"other_collective_too",
		"cap_b_exceeded",
		/* the roster and what went before */
		"duplicate_row",
		"conflicting_rows",
		"already_filed",
		"already_filed_other_amount",
		"already_accepted",
		"total_mismatch",
		/* the person's own contribution */
		"contribution_missing",
		"contribution_not_arrived",
		"contribution_refunded",
		"contribution_not_in_time",
		"back_payment_only",
		"past_year_only",
		"drawing_pension",
		"not_insured",
		"paid_by_government",
		/* ends */
		"not_filed_in_time",
		"expired",
		"withdrawn",
		/* what the agencies said */
		"tax_unknown_account",
		"tax_name_mismatch",
		"tax_payer_unknown",
		"tax_refused",
		"credit_refused",
	};

	*count = COUNT(codes);
	return codes;
}
