/* Makes the files of the story (story.h) and writes down what each row must come to. */
#include "tests/lib/rosters.h"
#include "base/buf.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include "tests/lib/people.h"
#include "tests/lib/story.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YEAR = 2026, ROWS_MAX = 120, TEXT_MAX = 8 << 20 };

/* Names as the registers have them and as clerks write them: rare characters, dots of all sorts, blanks. */
static const char *const special_names[][2] = {
	{"沈䮌明", "沈䮌明"},
	{"古丽米热·艾比布力", "古丽米热·艾比布力"},
	{"张三", "张　三"},
	{"𠮷田春兰", "𠮷田春兰"},
	{"古丽米热·艾比布力", "古丽米热・艾比布力"},
	{"章㛃芳", "章㛃芳"},
	{"阿依古丽·买买提", "阿依古丽•买买提"},
	{"仲小妮", "仲 小妮"},
	{"古丽巴哈尔·吐尔逊", "古丽巴哈尔‧吐尔逊"},
	{"诸葛阿毛", "诸葛阿毛"},
	{"热孜万古丽·艾合买提", "热孜万古丽．艾合买提"},
	{"麦麦提江·吾布力", "麦麦提江.吾布力"},
};
enum { SPECIAL_NAMES = sizeof special_names / sizeof special_names[0] };

struct made_row {
	struct invented who;
	enum kind kind;
	int yuan;
	const char *code;
};
struct made { /* a roster on its way */
	const struct story_line *line;
	struct invented clerk;
	char sponsor[19], sponsor_name[96], file[160];
	struct made_row rows[ROWS_MAX];
	struct form_row cells[ROWS_MAX];
	int count;
	char sha256[65];
	struct id submission;
};
struct maker {
	struct rosters *r;
	uint64_t seed, chance;
	uint32_t people, special;
	struct buf population, tax, ssa, expected, personal;
	struct err *e;
};

static int begin_folders(struct maker *m);
static void begin(struct maker *m, struct made *d, enum story story);
static void make_rows(struct maker *m, struct made *d);
static int add(struct maker *m, struct made *d, const struct invented *who, enum kind kind, int yuan, const char *code);
static void person(struct maker *m, struct invented *who, enum kind kind);
static void write_cells(struct maker *m, struct made *d, int i);
static int file(struct maker *m, struct made *d, enum story_step step);
static int cover(struct maker *m, struct made *d, enum story_step step);
static int tell_whole(struct maker *m);
static int tell_refused(struct maker *m);
static int tell_shared(struct maker *m);
static int tell_again(struct maker *m, struct made *first);
static int store_lists(struct maker *m);

int rosters_make(struct rosters *r, const char *dir, uint64_t seed, struct err *e)
{
	struct maker m = {.r = r, .seed = seed, .chance = seed, .e = e};
	struct buf *lists[] = {&m.population, &m.tax, &m.ssa, &m.expected, &m.personal};
	int rc = -1;

	memset(r, 0, sizeof *r);
	for (int i = 0; i < 5; i++)
		buf_init(lists[i], TEXT_MAX);
	if (str_copy(r->dir, sizeof r->dir, str_of(dir)) < 0) {
		err_set(e, ERR_CONF, "rosters: path too long");
		goto out;
	}
	buf_put_str(&m.population, "number,name,insured,insured_state,pension_start,for_year,kind,paid_by,tier_fen,paid_on,"
				   "arrived_on,refunded_on,known_from\n");
	buf_put_str(&m.expected, "step,file,row,code\n");
	if (begin_folders(&m) < 0 || tell_whole(&m) < 0 || tell_shared(&m) < 0 || tell_refused(&m) < 0 || store_lists(&m) < 0)
		goto out;
	r->people = (int)m.people;
	rc = 0;
out:
	for (int i = 0; i < 5; i++)
		buf_fini(lists[i]);
	return rc;
}

void rosters_free(struct rosters *r)
{
	free(r->rows);
	memset(r, 0, sizeof *r);
}

int rosters_submissions(const struct rosters *r, int wave)
{
	int n = 0;

	for (int i = 0; i < r->row_count; i++) {
		const struct expected_row *x = &r->rows[i];

		n += r->steps[x->step].wave <= wave && x->row > 0 &&
		     (i == 0 || !id_eq(&x->submission, &r->rows[i - 1].submission));
	}
	return n;
}

/* ---- the story ---- */

static int begin_folders(struct maker *m)
{
	for (int i = 0; i < STORY_STEPS; i++) {
		struct roster_step *s = &m->r->steps[i];

		*s = (struct roster_step){story_steps[i].wave, story_steps[i].sender, story_steps[i].what, ""};
		snprintf(s->folder, sizeof s->folder, "%s/inbox-plan/%02d-%s", m->r->dir, i + 1, s->sender);
		if (fs_mkdirs(s->folder, m->e) < 0)
			return -1;
	}
	m->r->step_count = STORY_STEPS;
	return 0;
}

/* Rosters that stand alone. */
static int tell_whole(struct maker *m)
{
	static const struct {
		enum story story;
		int roster, cover; /* steps; cover < 0: never comes */
	} alone[] = {
		{MEISHU, STEP_MEISHU, STEP_MEISHU},	{ANCHANG, STEP_ANCHANG, STEP_ANCHANG},
		{SONGJIADIAN, STEP_PERSON, STEP_PERSON}, {JIANGSHU, STEP_JIANGSHU, STEP_JIANGSHU_COVER},
		{WANGTAN, STEP_WANGTAN, STEP_WANGTAN_COVER}, {KUAIJI, STEP_KUAIJI, STEP_KUAIJI},
		{SHADI, STEP_SHADI, STEP_SHADI},	{PINGJIANG, STEP_PINGJIANG, STEP_PINGJIANG},
		{DONGTAO, STEP_DONGTAO, STEP_DONGTAO},	{ZHANWANG, STEP_ZHANWANG, STEP_ZHANWANG},
		{KANSHANG, STEP_LATE, -1},
	};
	struct made *d = calloc(1, sizeof *d);
	int rc = d ? 0 : err_set(m->e, ERR_TEMP, "no memory");

	for (size_t i = 0; rc == 0 && i < sizeof alone / sizeof alone[0]; i++) {
		begin(m, d, alone[i].story);
		make_rows(m, d);
		rc = file(m, d, (enum story_step)alone[i].roster);
		if (rc == 0 && alone[i].cover >= 0)
			rc = cover(m, d, (enum story_step)alone[i].cover);
	}
	free(d);
	return rc;
}

static int both(struct maker *m, struct made *d, enum story_step step)
{
	return file(m, d, step) < 0 ? -1 : cover(m, d, step);
}

/* People of one roster who stand in another: up to n of those who simply go through. */
static int go_through(const struct made *d, const struct made_row **out, int n)
{
	int count = 0;

	for (int i = 0; i < d->count && count < n; i++)
		if (d->rows[i].kind == GOOD && strcmp(d->rows[i].code, "credited") == 0)
			out[count++] = &d->rows[i];
	return count;
}

/* The highest tier is 5000 yuan: 3000 and 2000 fit, 3000 and 2500 do not, nor do 4500 and 600. */
static int tell_caps(struct maker *m, struct made *charity, struct made *d)
{
	const struct made_row *same[14];

	begin(m, charity, SHENGLING);
	make_rows(m, charity);
	go_through(charity, same, 14);
	for (int i = 12; i < 14; i++) {
		int at = (int)(same[i] - charity->rows);

		charity->rows[at].yuan = 4500;
		write_cells(m, charity, at);
	}
	begin(m, d, SHENGLING_FIRM);
	make_rows(m, d);
	for (int i = 0; i < 12; i++)
		add(m, d, &same[i]->who, GOOD, i % 2 ? 2000 : 2500, i % 2 ? "credited" : "cap_b_exceeded");
	if (both(m, charity, STEP_CHARITY) < 0 || both(m, d, STEP_FIRM) < 0)
		return -1;
	begin(m, d, RENLIWANG);
	make_rows(m, d);
	for (int i = 12; i < 14; i++)
		add(m, d, &same[i]->who, GOOD, 600, "cap_b_exceeded");
	return both(m, d, STEP_RENLIWANG);
}

/* Two villages' collectives for three people; and the town files for a village what the village filed itself. */
static int tell_doubles(struct maker *m, struct made *first, struct made *d)
{
	const struct made_row *same[7];
	struct invented who;

	begin(m, first, CHANGLE);
	make_rows(m, first);
	go_through(first, same, 3);
	begin(m, d, JIUDING);
	make_rows(m, d);
	for (int i = 0; i < 3; i++)
		add(m, d, &same[i]->who, GOOD, 500, "credited");
	if (both(m, first, STEP_CHANGLE) < 0 || both(m, d, STEP_JIUDING) < 0)
		return -1;
	begin(m, first, XINGHUA);
	make_rows(m, first);
	if (both(m, first, STEP_XINGHUA) < 0)
		return -1;
	go_through(first, same, 7);
	begin(m, d, XINGHUA);
	memcpy(d->sponsor, first->sponsor, sizeof d->sponsor);
	snprintf(d->file, sizeof d->file, "街道代报");
	for (int i = 0; i < 6; i++)
		add(m, d, &same[i]->who, GOOD, same[i]->yuan, "already_filed");
	add(m, d, &same[6]->who, GOOD, same[6]->yuan == 300 ? 500 : 300, "already_filed_other_amount");
	for (int i = 0; i < 2; i++) {
		person(m, &who, GOOD);
		add(m, d, &who, GOOD, 500, "credited");
	}
	return both(m, d, STEP_TOWN);
}

static int tell_shared(struct maker *m)
{
	struct made *two = calloc(2, sizeof *two);
	int rc = -1;

	if (!two)
		return err_set(m->e, ERR_TEMP, "no memory");
	if (tell_caps(m, &two[0], &two[1]) < 0 || tell_doubles(m, &two[0], &two[1]) < 0)
		goto out;
	begin(m, &two[0], GUANSHU);
	make_rows(m, &two[0]);
	if (both(m, &two[0], STEP_GUANSHU) < 0 || tell_again(m, two) < 0)
		goto out;
	rc = 0;
out:
	free(two);
	return rc;
}

/* The same file again, the same content under another name, and the mended roster with its rows in another order. */
static int tell_again(struct maker *m, struct made *first)
{
	struct made *d = first + 1;
	int order[ROWS_MAX];

	if (file(m, first, STEP_SAME_AGAIN) < 0)
		return -1;
	snprintf(first->file, sizeof first->file, "管墅（最终版）");
	if (file(m, first, STEP_OTHER_NAME) < 0)
		return -1;
	begin(m, d, GUANSHU);
	d->clerk = first->clerk;
	memcpy(d->sponsor, first->sponsor, sizeof d->sponsor);
	snprintf(d->file, sizeof d->file, "管墅社区集体补助名册（改）");
	for (int i = 0; i < first->count; i++)
		order[i] = i;
	for (int i = first->count - 1; i > 0; i--) {
		int other = (int)chance_below(&m->chance, (uint32_t)i + 1), keep = order[i];

		order[i] = order[other];
		order[other] = keep;
	}
	for (int i = 0; i < first->count; i++) {
		const struct made_row *was = &first->rows[order[i]];

		/* Second rows of a person and who is no member are left out. */
		if (strcmp(was->code, "duplicate_row") == 0 || was->kind == K_MEMBER_NOT ||
		    (was->kind == K_CONFLICT && was->yuan != d->line->standards[0]))
			continue;
		add(m, d, &was->who, GOOD, was->yuan, was->kind == GOOD ? "already_accepted" : "credited");
	}
	return both(m, d, STEP_MENDED);
}

/* What is refused as a whole. */
static int refuse(struct maker *m, enum story_step step, const char *name, const char *sha256, const char *code)
{
	struct expected_row *x = &m->r->rows[m->r->row_count];

	if (m->r->row_count == m->r->row_cap)
		return err_set(m->e, ERR_TEMP, "rosters: too many rows");
	*x = (struct expected_row){.step = (int)step, .row = 0, .code = code};
	snprintf(x->file, sizeof x->file, "%s.csv", name);
	submission_id(&x->submission, str_of(story_steps[step].sender), str_of(sha256));
	m->r->row_count++;
	buf_printf(&m->expected, "%d,%s,0,%s\n", (int)step + 1, x->file, code);
	return 0;
}

static int refuse_text(struct maker *m, enum story_step step, const char *name, const char *text, enum form_encoding encoding,
		       const char *code)
{
	char path[512], sha256[65];

	snprintf(path, sizeof path, "%s/%s.csv", m->r->steps[step].folder, name);
	return text_write(text, encoding, path, sha256, m->e) < 0 ? -1 : refuse(m, step, name, sha256, code);
}

static int refuse_form(struct maker *m, enum story_step step, const char *name, const char *year, const char *town,
		       const char *village, const char *code)
{
	struct form_row rows[2] = {{.blank_before = false}};
	struct form f = {.title = "集体补助人员名册", .year = year, .town = town, .village = village, .layout = LAYOUT_PLAIN,
			 .encoding = FORM_GB18030, .clerk = "韩永祥", .phone = "13900002222", .filled_on = "2026年12月9日",
			 .total_fen = -1, .rows = rows, .count = 2};
	char path[512], sha256[65];

	for (int i = 0; i < 2; i++) {
		struct invented who;

		person(m, &who, GOOD);
		snprintf(rows[i].cells[COL_NAME], sizeof rows[i].cells[0], "%s", who.name);
		snprintf(rows[i].cells[COL_ID], sizeof rows[i].cells[0], "%s", who.number);
		snprintf(rows[i].cells[COL_AMOUNT], sizeof rows[i].cells[0], "500");
	}
	buf_printf(&m->personal, "%s\n%s\n", f.clerk, f.phone);
	snprintf(path, sizeof path, "%s/%s.csv", m->r->steps[step].folder, name);
	return form_write(&f, path, sha256, m->e) < 0 ? -1 : refuse(m, step, name, sha256, code);
}

static int tell_refused(struct maker *m)
{
	static const char letter[] = "各位组长：\r\n本周五下午两点在村委会开会，讨论集体补助方案，请准时参加。\r\n梅墅居委会\r\n";

	if (refuse_text(m, STEP_LETTER, "通知", letter, FORM_GB18030, "roster_no_header") < 0 ||
	    refuse_text(m, STEP_WORKBOOK, "九鼎村", "PK\003\004\024 [Content_Types].xml", FORM_UTF8, "file_is_workbook") < 0 ||
	    refuse_form(m, STEP_2019, "2019年名册", "2019年", "杨汛桥街道", "展望村", "year_unknown") < 0 ||
	    refuse_form(m, STEP_NO_VILLAGE, "桃花源", "2026年", "王坛镇", "桃花源村", "village_unknown") < 0)
		return -1;
	return refuse_form(m, STEP_TWO_VILLAGES, "型塘", "2026年", "湖塘街道", "型塘", "village_ambiguous");
}

/* ---- a roster ---- */

static void begin(struct maker *m, struct made *d, enum story story)
{
	const struct story_line *s = &stories[story];
	const char *at = strchr(s->name, '@');

	memset(d, 0, sizeof *d);
	d->line = s;
	invented_at(&d->clerk, m->seed, m->people++);
	buf_printf(&m->personal, "%s\n%s\n", d->clerk.name, d->clerk.phone);
	snprintf(d->file, sizeof d->file, "%s%s", at ? d->clerk.name : "", at ? at + 1 : s->name);
	snprintf(d->sponsor_name, sizeof d->sponsor_name, "%s%s", s->village, strcmp(s->type, "collective") == 0 ? "股份经济合作社" : "");
	if (strcmp(s->type, "individual") != 0) {
		credit_code(d->sponsor, s->prefix, &m->chance);
		return;
	}
	memcpy(d->sponsor, d->clerk.number, sizeof d->sponsor);
	snprintf(d->sponsor_name, sizeof d->sponsor_name, "%s", d->clerk.name);
	buf_printf(&m->personal, "%s\n", d->clerk.number);
}

static int standard(struct maker *m, const struct made *d)
{
	int n = 0;

	while (n < 4 && d->line->standards[n])
		n++;
	return d->line->standards[chance_below(&m->chance, (uint32_t)n)];
}

/* Plain rows and the others in chance order; second rows of a person come last. */
static void make_rows(struct maker *m, struct made *d)
{
	enum kind order[ROWS_MAX];
	struct made_row second[8];
	int count = d->line->plain, seconds = 0;

	for (int i = 0; i < count; i++)
		order[i] = GOOD;
	for (int i = 0; d->line->kinds[i] != GOOD; i++, count++) {
		int other = (int)chance_below(&m->chance, (uint32_t)count + 1);

		order[count] = order[other];
		order[other] = (enum kind)d->line->kinds[i];
	}
	for (int i = 0; i < count; i++) {
		struct invented who;
		int yuan = standard(m, d);

		person(m, &who, order[i]);
		if (order[i] == K_CONFLICT)
			yuan = d->line->standards[0];
		if (order[i] == K_DUPLICATE || order[i] == K_CONFLICT)
			second[seconds++] = (struct made_row){who, order[i], order[i] == K_CONFLICT ? yuan + 100 : yuan,
							      kinds[order[i]].code};
		/* The first of two same rows is good. */
		add(m, d, &who, order[i] == K_DUPLICATE ? GOOD : order[i], yuan, NULL);
	}
	for (int i = 0; i < seconds; i++)
		add(m, d, &second[i].who, second[i].kind, second[i].yuan, second[i].code);
}

/* code NULL: what kind and roster come to. */
static int add(struct maker *m, struct made *d, const struct invented *who, enum kind kind, int yuan, const char *code)
{
	const struct kind_line *k = &kinds[kind];
	struct made_row *row = &d->rows[d->count];

	row->who = *who;
	row->kind = kind;
	row->yuan = yuan;
	row->code = code ? code : !k->form && d->line->fate ? d->line->fate : k->code;
	write_cells(m, d, d->count);
	return d->count++;
}

/* A new person, on the lists of who knows people. */
static void person(struct maker *m, struct invented *who, enum kind kind)
{
	const struct kind_line *k = &kinds[kind];
	int birth = 1 + (int)chance_below(&m->chance, 12), order = 101 + (int)(m->people % 799);

	invented_at(who, m->seed, m->people++);
	if (kind == GOOD && m->people % 7 == 0)
		snprintf(who->name, sizeof who->name, "%s", special_names[m->special++ % SPECIAL_NAMES][0]);
	if (k->id == ID_OLD)
		citizen_number(who->number, "330621", 1955 + birth % 6, birth, 3 + birth, order % 100 ? order : order + 1);
	if (k->id == ID_FOREIGN) {
		citizen_number(who->number, "933060", 1975 + birth, birth, 3 + birth, order % 100 ? order : order + 1);
		snprintf(who->name, sizeof who->name, "MARIA TERESA LOPEZ");
	}
	for (int i = 0; i < 2 && known_lines[k->known][i]; i++)
		buf_printf(&m->population, "%s,%s,%s\n", who->number, who->name, known_lines[k->known][i]);
	if (k->tax)
		buf_printf(&m->tax, "%s,%s\n", who->number, k->tax);
	if (k->ssa)
		buf_printf(&m->ssa, "%s,%s\n", who->number, k->ssa);
	buf_printf(&m->personal, "%s\n%s\n%s\n%s\n", who->number, who->name, who->phone, who->ssa_no);
}

/* ---- cells ---- */

static void wide_digits(char *out, size_t cap, const char *s)
{
	struct buf b;

	buf_init(&b, cap - 1);
	for (; *s; s++) {
		char wide[4];

		buf_put(&b, wide, (size_t)utf8_put(wide, 0xFF01 + (uint32_t)(*s - '!')));
	}
	snprintf(out, cap, "%.*s", (int)b.len, (char *)b.data);
	buf_fini(&b);
}

/* How numbers look in real files. */
static void write_number(struct maker *m, char *out, size_t cap, const char *number)
{
	char lower[19];

	snprintf(lower, sizeof lower, "%s", number);
	if (lower[17] == 'X' && chance_below(&m->chance, 2))
		lower[17] = 'x';
	switch (chance_below(&m->chance, 12)) {
	case 0:
		snprintf(out, cap, "'%s", lower);
		break;
	case 1:
		snprintf(out, cap, "=\"%s\"", lower);
		break;
	case 2:
		wide_digits(out, cap, number);
		break;
	case 3:
		snprintf(out, cap, "%.6s %.8s %s", lower, lower + 6, lower + 14);
		break;
	case 4:
	case 5:
		snprintf(out, cap, "%s\t", lower);
		break;
	default:
		snprintf(out, cap, "%s", lower);
	}
}

static void spoil_number(char *number, enum id_flaw flaw)
{
	switch (flaw) {
	case ID_CHECK:
		number[17] = number[17] == '5' ? '6' : '5';
		break;
	case ID_SHORT:
		number[17] = '\0';
		break;
	case ID_SCIENTIFIC:
		memmove(number + 2, number + 1, 5);
		number[1] = '.';
		snprintf(number + 7, 5, "E+17");
		break;
	case ID_ZEROS:
		memcpy(number + 15, "000", 3);
		break;
	case ID_BIRTH:
		citizen_number(number, "330603", 1988, 2, 30, 123);
		break;
	case ID_LETTER:
		number[9] = 'O';
		break;
	case ID_GOOD:
	case ID_FOREIGN:
	case ID_OLD:
		break;
	}
}

static void write_amount(struct maker *m, char *out, size_t cap, int yuan)
{
	switch (chance_below(&m->chance, 16)) {
	case 0:
		snprintf(out, cap, "%d.00", yuan);
		break;
	case 1:
		snprintf(out, cap, "￥%d", yuan);
		break;
	case 2:
		snprintf(out, cap, "%d元", yuan);
		break;
	case 3:
		snprintf(out, cap, yuan < 1000 ? "%d" : "%d,%03d", yuan < 1000 ? yuan : yuan / 1000, yuan % 1000);
		break;
	case 4: {
		char plain[16];

		snprintf(plain, sizeof plain, "%d", yuan);
		wide_digits(out, cap, plain);
		break;
	}
	default:
		snprintf(out, cap, "%d", yuan);
	}
}

static const char *certificate(const char *number)
{
	return number[0] == '9' ? "外国人永久居留身份证" : number[0] == '8' ? "港澳台居民居住证" : "居民身份证";
}

static const char *written_name(const char *name)
{
	for (int i = SPECIAL_NAMES - 1; i >= 0; i--)
		if (strcmp(special_names[i][0], name) == 0)
			return special_names[i][1];
	return name;
}

static void write_cells(struct maker *m, struct made *d, int i)
{
	static const char *const notes[] = {"", "", "", "", "低保户", "外出务工,已电话确认", "户口在\n第三组", "原“社员”"};
	const struct made_row *row = &d->rows[i];
	const struct kind_line *k = &kinds[row->kind];
	struct form_row *f = &d->cells[i];
	const size_t cap = sizeof f->cells[0];
	char number[19];

	memcpy(number, row->who.number, sizeof number);
	spoil_number(number, k->id);
	f->blank_before = i > 0 && i % 23 == 0;
	snprintf(f->cells[COL_SERIAL], cap, "%d", i + 1);
	snprintf(f->cells[COL_NAME], cap, "%s", written_name(row->who.name));
	snprintf(f->cells[COL_CERT_KIND], cap, "%s", i % 5 == 4 ? "" : certificate(number));
	if (k->id == ID_SCIENTIFIC || k->id == ID_SHORT)
		snprintf(f->cells[COL_ID], cap, "%s", number);
	else
		write_number(m, f->cells[COL_ID], cap, number);
	snprintf(f->cells[COL_SSA_NO], cap, "%s", i % 3 ? row->who.ssa_no : "");
	snprintf(f->cells[COL_TIER], cap, "%s", i % 4 ? "1000" : "500元档");
	snprintf(f->cells[COL_ARRIVED], cap, "%s", i % 6 == 1 ? "2026-05-14" : i % 6 == 2 ? "2026/5/14" : "");
	write_amount(m, f->cells[COL_AMOUNT], cap, row->yuan);
	snprintf(f->cells[COL_OTHER_AMOUNT], cap, "%s", i % 9 == 3 ? "0" : "");
	snprintf(f->cells[COL_MEMBER], cap, "是");
	snprintf(f->cells[COL_PHONE], cap, "%s", i % 4 ? row->who.phone : "");
	snprintf(f->cells[COL_NOTE], cap, "%s", notes[chance_below(&m->chance, 8)]);
	if (k->cell)
		snprintf(f->cells[k->column], cap, "%s", k->cell);
	/* What is shorter says nothing about anybody and turns up by itself. */
	if (strlen(f->cells[COL_ID]) >= 15)
		buf_printf(&m->personal, "%s\n%s\n", number, f->cells[COL_ID]);
	if (!k->cell || k->column != COL_NAME)
		buf_printf(&m->personal, "%s\n", f->cells[COL_NAME]);
}

/* ---- files ---- */

static int64_t total_of(const struct made *d)
{
	int64_t fen = 0;

	for (int i = 0; i < d->count; i++) {
		const struct kind_line *k = &kinds[d->rows[i].kind];
		int64_t yuan = d->rows[i].yuan;

		if (k->cell && k->column == COL_AMOUNT && (strlen(k->cell) > 6 || str_int(str_of(k->cell), 1, 99999, &yuan) < 0))
			yuan = 0; /* not readable: counts nothing */
		fen += yuan * 100;
	}
	return d->line == &stories[MEISHU] ? fen - 60000 : fen; /* its clerk lost a row */
}

static int expect(struct maker *m, struct made *d, enum story_step step)
{
	struct rosters *r = m->r;

	submission_id(&d->submission, str_of(story_steps[step].sender), str_of(d->sha256));
	for (int i = r->row_count; i-- > 0;)
		if (id_eq(&r->rows[i].submission, &d->submission))
			return 0; /* the same again: nothing new follows */
	if (r->row_count + d->count + 16 > r->row_cap) {
		int cap = 2 * r->row_cap + 512;
		struct expected_row *more = realloc(r->rows, sizeof *more * (size_t)cap);

		if (!more)
			return err_set(m->e, ERR_TEMP, "no memory");
		r->rows = more;
		r->row_cap = cap;
	}
	for (int i = 0; i < d->count; i++) {
		struct expected_row *x = &r->rows[r->row_count++];

		*x = (struct expected_row){.submission = d->submission, .step = (int)step, .row = d->cells[i].row_no,
					   .code = d->rows[i].code};
		snprintf(x->file, sizeof x->file, "%s.csv", d->file);
		buf_printf(&m->expected, "%d,%s,%d,%s\n", (int)step + 1, x->file, x->row, x->code);
	}
	return 0;
}

static int file(struct maker *m, struct made *d, enum story_step step)
{
	struct form f = {.title = "城乡居民基本养老保险集体补助人员名册", .year = "2026年", .town = d->line->town,
			 .village = d->line->village, .layout = d->line->layout, .encoding = d->line->encoding,
			 .clerk = d->clerk.name, .phone = d->clerk.phone, .filled_on = "2026年12月10日",
			 .total_fen = total_of(d), .rows = d->cells, .count = d->count};
	char path[600];

	snprintf(path, sizeof path, "%s/%s.csv", m->r->steps[step].folder, d->file);
	return form_write(&f, path, d->sha256, m->e) < 0 ? -1 : expect(m, d, step);
}

static int cover(struct maker *m, struct made *d, enum story_step step)
{
	struct cover_form c = {.sha256 = d->sha256, .village = d->line->code, .type = d->line->type, .code = d->sponsor,
			       .name = d->sponsor_name, .year = YEAR, .flaw = d->line->flaw, .chance = chance_next(&m->chance)};
	int standards[5] = {0};
	char path[600];

	for (int i = m->r->row_count; i-- > 0 && !d->line->fate && id_eq(&m->r->rows[i].submission, &d->submission);) {
		int own = story_steps[m->r->rows[i].step].wave, with = story_steps[step].wave;

		m->r->rows[i].filed = own > with ? own : with;
	}
	memcpy(standards, d->line->standards, sizeof d->line->standards);
	c.standards_yuan = standards;
	snprintf(path, sizeof path, "%s/%s.cover.json", m->r->steps[step].folder, d->file);
	return cover_write(&c, path, m->e);
}

static int store_lists(struct maker *m)
{
	const struct {
		const char *name;
		struct buf *text;
	} lists[] = {{"population.csv", &m->population}, {"tax-refusals.csv", &m->tax}, {"ssa-refusals.csv", &m->ssa},
		     {"expected.csv", &m->expected}, {"personal.txt", &m->personal}};

	for (int i = 0; i < 5; i++) {
		char path[320];

		snprintf(path, sizeof path, "%s/%s", m->r->dir, lists[i].name);
		if (fs_write_atomic(path, lists[i].text->data, lists[i].text->len, 0600, m->e) < 0)
			return -1;
	}
	return 0;
}

/* ---- dropping ---- */

/* As clerks' programs do: written under a name that nobody takes for a roster, then renamed. */
static int drop_file(const char *from, const char *folder, const char *name, struct err *e)
{
	char part[700], to[700];
	struct buf b;
	FILE *f;
	int rc;

	snprintf(part, sizeof part, "%s/%s.part", folder, name);
	snprintf(to, sizeof to, "%s/%s", folder, name);
	buf_init(&b, 64 << 20);
	rc = fs_read(from, &b, e);
	f = rc == 0 ? fopen(part, "w") : NULL;
	if (rc == 0 && (!f || fwrite(b.data, 1, b.len, f) != b.len || fclose(f) != 0 || rename(part, to) != 0))
		rc = err_sys(e, ERR_TEMP, errno, "%s", to);
	buf_fini(&b);
	return rc;
}

int rosters_drop(const struct rosters *r, int step, const char *inbox, struct err *e)
{
	const struct roster_step *s = &r->steps[step];
	char folder[400], from[700];
	DIR *d = opendir(s->folder);
	int rc = 0;

	if (!d)
		return err_set(e, ERR_CONF, "step %d: no folder", step + 1);
	snprintf(folder, sizeof folder, "%s/%s", inbox, s->sender);
	rc = fs_mkdirs(folder, e);
	for (struct dirent *it; rc == 0 && (it = readdir(d));) {
		if (it->d_name[0] == '.')
			continue;
		snprintf(from, sizeof from, "%s/%s", s->folder, it->d_name);
		rc = drop_file(from, folder, it->d_name, e);
	}
	closedir(d);
	return rc;
}
