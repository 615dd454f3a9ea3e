#include "tests/lib/district.h"
#include "base/buf.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include "domain/village.h"
#include "tests/lib/people.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YEAR = 2026, PARTS = 10000, LISTS_MAX = 64 << 20, VILLAGES_BYTES = 1 << 20, EACH_AT_LEAST = 20, ROSTER_ROWS = 4000 };

/* Of ten thousand people. What is left over simply goes through. */
static const struct {
	enum kind kind;
	int parts;
} shares[] = {
	{K_TAX_REFUND, 200}, {K_LATE, 400},	   {K_NEVER, 50},      {K_NOT_ARRIVED, 30},  {K_JANUARY, 30},	 {K_PAST, 30},
	{K_BACK, 20},	     {K_BOTH, 60},	   {K_REFUNDED, 20},   {K_GOVERNMENT, 20},   {K_DRAWING, 30},	 {K_INSURED_NOT, 30},
	{K_TAX_ACCOUNT, 30}, {K_TAX_NAME, 20},	   {K_TAX_PAYER, 10},  {K_TAX_NO, 10},	     {K_TAX_BAD_ROW, 3}, {K_SSA_CLOSED, 30},
	{K_SSA_FROZEN, 20},  {K_FOREIGN, 40},	   {K_MEMBER_NOT, 30}, {K_MEMBER_NONE, 20},  {K_CAP_A, 10},	 {K_NOT_IN_PLAN, 20},
	{K_ID_CHECK, 20},    {K_ID_SCIENTIFIC, 10}, {K_ID_BIRTH, 10},   {K_NAME_NONE, 10},    {K_AMOUNT_TEXT, 10}, {K_AMOUNT_NONE, 10},
	{K_DUPLICATE, 20},   {K_CONFLICT, 10},
};
/* Further lines of population.csv, the first known always. */
static const char *const fate_lines[FATES][2] = {
	[QUESTIONED] = {"1,1,,2026,10,1,100000,2026-05-12,2026-05-14,,",
			"1,1,,2026,10,1,100000,2026-05-12,2026-05-14,2027-01-10,2027-01-11"},
	[OUTSIDE] = {"1,1,,2026,10,1,100000,2026-05-12,2026-05-14,,", "1,1,,2026,outside,1,490000,2026-05-12,2026-05-14,,"},
};
/* Of a collective's rosters, a hundred parts: when it comes, and when its papers do. */
static const struct {
	enum season comes, papers;
	int parts;
} ways[] = {
	{IN_NOVEMBER, AT_FILING, 20}, {IN_ADVENT, AT_FILING, 25}, {AT_FILING, AT_FILING, 27}, {AFTER_CHRISTMAS, AFTER_CHRISTMAS, 25},
	{IN_ADVENT, NEVER, 2},	      {PAST_THE_END, NEVER, 1},
};
static const struct {
	enum sponsor_type type;
	const char *prefix;
} others[] = {{SPONSOR_COMMITTEE, "54330603"}, {SPONSOR_ORGANIZATION, "91330603"}, {SPONSOR_CHARITY, "53330603"},
	      {SPONSOR_INDIVIDUAL, NULL}};

struct maker {
	struct district *d;
	struct villages villages;
	struct buf population, tax, ssa;
	struct form_row *cells;
	uint64_t chance;
	struct err *e;
};

static uint64_t chance_of(const struct district *d, uint32_t person, int salt)
{
	uint64_t s = d->seed * UINT64_C(0x9E3779B97F4A7C15) + person * UINT64_C(16) + (uint64_t)salt;

	return chance_next(&s);
}

static enum kind kind_of(const struct district *d, uint32_t person)
{
	int dice = (int)(chance_of(d, person, 1) % PARTS);

	for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
		if ((dice -= shares[i].parts) < 0)
			return shares[i].kind;
	return GOOD;
}

/* Each fate for one in some thousand people, in a small district for one in some hundred. */
static enum fate fate_at(const struct district *d, uint32_t person)
{
	int parts = d->people >= 50000 ? 5 : d->people >= 5000 ? 20 : 60, fate;

	if (kind_of(d, person) != GOOD)
		return FATE_NONE;
	fate = 1 + (int)(chance_of(d, person, 5) % PARTS) / parts;
	return fate < FATES ? (enum fate)fate : FATE_NONE;
}

/* Kinds that are about the person: every row of any roster comes to the same. */
static bool of_the_person(enum kind k)
{
	return !kinds[k].form && !kinds[k].cell;
}

static void person_at(const struct district *d, uint32_t i, struct invented *who)
{
	enum kind k = kind_of(d, i);

	invented_at(who, d->seed, i);
	/* Of each ten million different ones: 12 * 28 birthdays, 98 orders, and years. */
	if (kinds[k].id == ID_OLD)
		citizen_number(who->number, "330621", 1940 + (int)(i / 32928 % 25), 1 + (int)(i % 12), 1 + (int)(i / 12 % 28),
			       101 + (int)(i / 336 % 98));
	if (kinds[k].id == ID_FOREIGN) {
		citizen_number(who->number, "933060", 1970 + (int)(i / 32928 % 25), 1 + (int)(i % 12), 1 + (int)(i / 12 % 28),
			       101 + (int)(i / 336 % 98));
		snprintf(who->name, sizeof who->name, "MARIA TERESA LOPEZ");
	}
}

static void tell_agencies(struct maker *m)
{
	for (uint32_t i = 0; i < m->d->people; i++) {
		const struct kind_line *k = &kinds[kind_of(m->d, i)];
		enum fate fate = fate_at(m->d, i);
		struct invented who;

		if (k->known == PAID && !k->tax && !k->ssa && !fate)
			continue;
		person_at(m->d, i, &who);
		for (int l = 0; l < 2 && fate_lines[fate][l]; l++)
			buf_printf(&m->population, "%s,%s,%s\n", who.number, who.name, fate_lines[fate][l]);
		if (fate == NOT_GIVEN_BACK)
			buf_printf(&m->tax, "%s,no_refund\n", who.number);
		for (int l = 0; k->known != PAID && l < 2 && known_lines[k->known][l]; l++)
			buf_printf(&m->population, "%s,%s,%s\n", who.number, who.name, known_lines[k->known][l]);
		if (k->tax)
			buf_printf(&m->tax, "%s,%s\n", who.number, k->tax);
		if (k->ssa)
			buf_printf(&m->ssa, "%s,%s\n", who.number, k->ssa);
	}
}

/* ---- a roster ---- */

static int roster_begin(struct maker *m, const struct village *v, enum sponsor_type type, enum season comes, enum season papers)
{
	struct district *d = m->d;
	struct district_roster *r;

	if (d->roster_count == d->roster_cap) {
		int cap = d->roster_cap ? 2 * d->roster_cap : 512;
		struct district_roster *more = realloc(d->rosters, sizeof *more * (size_t)cap);

		if (!more)
			return err_set(m->e, ERR_TEMP, "district: no memory");
		d->rosters = more;
		d->roster_cap = cap;
	}
	r = &d->rosters[d->roster_count];
	*r = (struct district_roster){.type = type, .comes = comes, .papers = papers, .first = d->row_count};
	snprintf(r->sender, sizeof r->sender, "%s", v->code);
	return 0;
}

static void spoil(char *number, enum id_flaw flaw)
{
	if (flaw == ID_CHECK)
		number[17] = number[17] == '5' ? '6' : '5';
	else if (flaw == ID_SCIENTIFIC)
		memcpy(number, "3.30603E+17", sizeof "3.30603E+17");
	else if (flaw == ID_BIRTH)
		citizen_number(number, "330603", 1988, 2, 30, 123);
}

/* A row of the roster that was begun. code NULL: what its kind comes to. */
static int add(struct maker *m, uint32_t person, enum kind kind, int yuan, const char *code)
{
	const size_t cap = sizeof m->cells[0].cells[0];
	struct district *d = m->d;
	struct district_roster *r = &d->rosters[d->roster_count];
	struct form_row *f = &m->cells[r->count];
	struct invented who;

	if (r->count == ROSTER_ROWS)
		return err_set(m->e, ERR_CONF, "district: more than %d rows in a roster", ROSTER_ROWS);
	if (d->row_count == d->row_cap) {
		int more_cap = d->row_cap ? 2 * d->row_cap : 4096;
		struct district_row *more = realloc(d->rows, sizeof *more * (size_t)more_cap);

		if (!more)
			return err_set(m->e, ERR_TEMP, "district: no memory");
		d->rows = more;
		d->row_cap = more_cap;
	}
	if (!code && fate_at(d, person) == OUTSIDE)
		code = "cap_b_exceeded";
	d->rows[d->row_count++] = (struct district_row){.roster = d->roster_count, .kind = kind, .person = person, .code = code ? code : kinds[kind].code,
							.fate = code ? FATE_NONE : fate_at(d, person)};
	person_at(d, person, &who);
	spoil(who.number, kinds[kind].id);
	*f = (struct form_row){.blank_before = r->count > 0 && r->count % 23 == 0};
	snprintf(f->cells[COL_SERIAL], cap, "%d", ++r->count);
	snprintf(f->cells[COL_NAME], cap, "%s", who.name);
	snprintf(f->cells[COL_CERT_KIND], cap, "%s", who.number[0] == '9' ? "外国人永久居留身份证" : who.number[0] == '8' ? "港澳台居民居住证" : "居民身份证");
	snprintf(f->cells[COL_ID], cap, "%s%s", who.number, r->count % 3 ? "" : "\t");
	snprintf(f->cells[COL_TIER], cap, "1000");
	snprintf(f->cells[COL_AMOUNT], cap, "%d", yuan);
	snprintf(f->cells[COL_MEMBER], cap, "是");
	snprintf(f->cells[COL_PHONE], cap, "%s", r->count % 4 ? who.phone : "");
	if (kinds[kind].cell)
		snprintf(f->cells[kinds[kind].column], cap, "%s", kinds[kind].cell);
	return 0;
}

static int64_t total_fen(const struct maker *m, int count)
{
	int64_t sum = 0, yuan;

	for (int i = 0; i < count; i++)
		if (str_int(str_of(m->cells[i].cells[COL_AMOUNT]), 1, 99999, &yuan) == 0)
			sum += yuan * 100;
	return sum;
}

static int cover(struct maker *m, const struct village *v, const char *hex, const int *standards)
{
	struct district *d = m->d;
	struct district_roster *r = &d->rosters[d->roster_count];
	char path[400], code[19];
	struct cover_form c = {.sha256 = hex, .village = v->code, .type = sponsor_type_code(r->type), .code = code, .name = v->name,
			       .year = YEAR, .standards_yuan = standards, .flaw = COVER_GOOD, .chance = chance_next(&m->chance)};
	struct invented who;

	credit_code(code, r->type == SPONSOR_COLLECTIVE ? "N2330603" : "91330603", &m->chance);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (others[i].type == r->type && others[i].prefix)
			credit_code(code, others[i].prefix, &m->chance);
	if (r->type == SPONSOR_INDIVIDUAL) {
		invented_at(&who, d->seed, d->people + (uint32_t)d->roster_count);
		memcpy(code, who.number, sizeof code);
		c.name = who.name;
	}
	snprintf(path, sizeof path, "%s/next/%d.cover.json", d->dir, d->roster_count);
	return cover_write(&c, path, m->e);
}

static int roster_end(struct maker *m, const struct village *v, const int *standards)
{
	static const enum form_encoding encodings[] = {FORM_GB18030, FORM_UTF8_BOM, FORM_GB18030, FORM_UTF8, FORM_UTF16};
	static const enum form_layout layouts[] = {LAYOUT_PLAIN, LAYOUT_TWO_ROWS, LAYOUT_PLAIN, LAYOUT_MOVED};
	struct district *d = m->d;
	struct district_roster *r = &d->rosters[d->roster_count];
	bool members = r->type == SPONSOR_COLLECTIVE;
	struct form f = {.title = "城乡居民基本养老保险集体补助人员名册", .year = "2026年", .town = v->town, .village = v->name,
			 .layout = members ? layouts[chance_below(&m->chance, 4)] : LAYOUT_NO_MEMBER,
			 .encoding = encodings[chance_below(&m->chance, 5)], .clerk = "沈水根", .phone = "13900001111",
			 .filled_on = "2026年11月25日", .total_fen = total_fen(m, r->count), .rows = m->cells, .count = r->count};
	char path[400], hex[65];

	snprintf(path, sizeof path, "%s/next/%d.csv", d->dir, d->roster_count);
	if (form_write(&f, path, hex, m->e) < 0)
		return -1;
	submission_id(&r->submission, str_of(r->sender), str_of(hex));
	for (int i = 0; i < r->count; i++) {
		d->rows[r->first + i].submission = r->submission;
		d->rows[r->first + i].row = m->cells[i].row_no;
	}
	if (r->papers < NEVER && cover(m, v, hex, standards) < 0)
		return -1;
	d->roster_count++;
	return 0;
}

/* ---- what a village hands in ---- */

/* When what a row comes to is not decided by its kind: the roster never got its papers, or came too late. */
static const char *fate_of(enum season comes, enum season papers, enum kind k)
{
	if (papers != NEVER || kinds[k].form)
		return NULL;
	return comes == PAST_THE_END ? "filed_too_late" : "not_filed_in_time";
}

static void first_and_end(const struct district *d, int village, uint32_t *first, uint32_t *end)
{
	*first = (uint32_t)((uint64_t)d->people * (uint64_t)village / (uint64_t)d->villages);
	*end = (uint32_t)((uint64_t)d->people * (uint64_t)(village + 1) / (uint64_t)d->villages);
}

/* Second rows of a person, behind all others. */
static int seconds(struct maker *m, uint32_t first, uint32_t end, const int *standards)
{
	for (uint32_t i = first; i < end; i++) {
		enum kind k = kind_of(m->d, i);

		if ((k == K_DUPLICATE || k == K_CONFLICT) &&
		    add(m, i, k, standards[0] + (k == K_CONFLICT ? 100 : 0), kinds[k].code) < 0)
			return -1;
	}
	return 0;
}

/* The collective's own people, and a few whom the next village's collective subsidises too. */
static int collective(struct maker *m, int village, enum season comes, enum season papers)
{
	static const int sets[][5] = {{500, 600, 0}, {200, 400, 0}, {300, 0}, {600, 800, 1200, 0}, {200, 300, 500, 600, 0}};
	const struct village *v = &m->villages.at[village];
	const int *standards = sets[chance_below(&m->chance, 5)];
	uint32_t first, end, next, next_end;
	int n = 0;

	while (standards[n])
		n++;
	first_and_end(m->d, village, &first, &end);
	if (roster_begin(m, v, SPONSOR_COLLECTIVE, comes, papers) < 0)
		return -1;
	for (uint32_t i = first; i < end; i++) {
		enum kind k = kind_of(m->d, i);
		const char *fate = fate_of(comes, papers, k == K_DUPLICATE ? GOOD : k);
		int yuan = k == K_DUPLICATE || k == K_CONFLICT ? standards[0] : standards[chance_below(&m->chance, (uint32_t)n)];

		if (add(m, i, k == K_DUPLICATE ? GOOD : k, yuan, fate) < 0)
			return -1;
	}
	first_and_end(m->d, (village + 1) % m->d->villages, &next, &next_end);
	for (uint32_t i = next; i < next_end; i++)
		if (kind_of(m->d, i) == GOOD && chance_of(m->d, i, 2) % 100 == 0 &&
		    add(m, i, GOOD, standards[0], fate_of(comes, papers, GOOD)) < 0)
			return -1;
	return seconds(m, first, end, standards) < 0 ? -1 : roster_end(m, v, standards);
}

/* Another sponsor for some of the village's people; with what the collective gives, some come above the highest tier. Whose collective
 * does not get through has all the room. */
static int other(struct maker *m, int village, bool filed_before)
{
	static const int standards[] = {1000, 0};
	const struct village *v = &m->villages.at[village];
	uint32_t first, end;

	if (roster_begin(m, v, others[chance_below(&m->chance, 4)].type, OTHER_SPONSORS, OTHER_SPONSORS) < 0)
		return -1;
	first_and_end(m->d, village, &first, &end);
	for (uint32_t i = first; i < end; i++) {
		enum kind k = kind_of(m->d, i);
		bool whole = k == GOOD && filed_before && !fate_at(m->d, i) && chance_of(m->d, i, 4) % 5 == 0;

		if (of_the_person(k) && chance_of(m->d, i, 3) % 12 == 0 &&
		    add(m, i, k, whole ? 5000 : 1000, whole ? "cap_b_exceeded" : NULL) < 0)
			return -1;
	}
	return m->d->rosters[m->d->roster_count].count > 0 ? roster_end(m, v, standards) : 0;
}

static int village_year(struct maker *m, int village)
{
	int dice = (int)chance_below(&m->chance, 100), w = 0;

	/* Of each way at least one, however few villages there are. */
	if (village < (int)(sizeof ways / sizeof ways[0]))
		w = village;
	else
		while ((dice -= ways[w].parts) >= 0)
			w++;
	if (collective(m, village, ways[w].comes, ways[w].papers) < 0)
		return -1;
	return chance_below(&m->chance, 10) < 6 ? other(m, village, ways[w].papers != NEVER) : 0;
}

static int store_lists(struct maker *m)
{
	const struct {
		const char *name;
		const struct buf *text;
	} lists[] = {{"population.csv", &m->population}, {"tax-refusals.csv", &m->tax}, {"ssa-refusals.csv", &m->ssa}};

	for (int i = 0; i < 3; i++) {
		char path[320];

		snprintf(path, sizeof path, "%s/%s", m->d->dir, lists[i].name);
		if (fs_write_atomic(path, lists[i].text->data, lists[i].text->len, 0600, m->e) < 0)
			return -1;
	}
	return 0;
}

static int read_villages(struct maker *m, const char *path)
{
	struct complaints why = {0};
	struct buf csv;
	int rc;

	buf_init(&csv, VILLAGES_BYTES);
	rc = fs_read(path, &csv, m->e);
	if (rc == 0 && (villages_parse(&m->villages, (struct str){(char *)csv.data, csv.len}, &why) < 0 || m->villages.count == 0))
		rc = err_set(m->e, ERR_CONF, "%s: no list of villages", path);
	buf_fini(&csv);
	return rc;
}

int district_make(struct district *d, const char *dir, uint64_t seed, uint32_t people, const char *villages_csv, struct err *e)
{
	struct maker m = {.d = d, .chance = seed, .e = e};
	struct buf *lists[] = {&m.population, &m.tax, &m.ssa};
	char next[300];
	int rc = -1;

	*d = (struct district){.seed = seed, .people = people};
	snprintf(d->dir, sizeof d->dir, "%s", dir);
	snprintf(next, sizeof next, "%s/next", d->dir);
	for (int i = 0; i < 3; i++)
		buf_init(lists[i], LISTS_MAX);
	buf_put_str(&m.population, "number,name,insured,insured_state,pension_start,for_year,kind,paid_by,tier_fen,paid_on,"
				   "arrived_on,refunded_on,known_from\n");
	m.cells = calloc(ROSTER_ROWS, sizeof *m.cells);
	if (!m.cells) {
		err_set(e, ERR_TEMP, "district: no memory");
		goto out;
	}
	if (fs_mkdirs(next, e) < 0 || read_villages(&m, villages_csv) < 0)
		goto out;
	d->villages = (int)(people / EACH_AT_LEAST);
	d->villages = d->villages > m.villages.count ? m.villages.count : d->villages < 6 ? 6 : d->villages;
	tell_agencies(&m);
	for (int i = 0; i < d->villages; i++)
		if (village_year(&m, i) < 0)
			goto out;
	rc = store_lists(&m);
out:
	for (int i = 0; i < 3; i++)
		buf_fini(lists[i]);
	villages_fini(&m.villages);
	free(m.cells);
	return rc;
}

void district_free(struct district *d)
{
	free(d->rows);
	free(d->rosters);
	*d = (struct district){.people = 0};
}

/* ---- handing in ---- */

static int drop_one(const struct district *d, int i, const char *ending, const char *inbox, struct err *e)
{
	char from[400], to[700];

	snprintf(from, sizeof from, "%s/next/%d.%s", d->dir, i, ending);
	snprintf(to, sizeof to, "%s/%s/%d.%s", inbox, d->rosters[i].sender, i, ending);
	return rename(from, to) == 0 ? 0 : err_sys(e, ERR_TEMP, errno, "%s", to);
}

int district_drop(const struct district *d, enum season now, const char *inbox, struct err *e)
{
	char folder[600];

	for (int i = 0; i < d->roster_count; i++) {
		const struct district_roster *r = &d->rosters[i];

		snprintf(folder, sizeof folder, "%s/%s", inbox, r->sender);
		if ((r->comes == now || r->papers == now) && fs_mkdirs(folder, e) < 0)
			return -1;
		if (r->comes == now && drop_one(d, i, "csv", inbox, e) < 0)
			return -1;
		if (r->papers == now && (drop_one(d, i, "cover.json", inbox, e) < 0 ||
					 (r->type == SPONSOR_COLLECTIVE && drop_one(d, i, "plan.json", inbox, e) < 0)))
			return -1;
	}
	return 0;
}

/* ---- what must be by then ---- */

int district_come(const struct district *d, enum season now)
{
	int n = 0;

	for (int i = 0; i < d->roster_count; i++)
		n += d->rosters[i].comes <= now;
	return n;
}

int district_settled(const struct district *d, enum season now)
{
	int n = 0;

	for (int i = 0; i < d->roster_count; i++)
		n += d->rosters[i].comes <= now && (d->rosters[i].papers <= now || now >= PAST_THE_END);
	return n;
}

static bool waits(enum kind k, enum season now)
{
	return k == K_NEVER || k == K_NOT_ARRIVED || k == K_JANUARY || k == K_PAST || (k == K_LATE && now < AFTER_CHRISTMAS);
}

int district_pending(const struct district *d, enum season now)
{
	int n = 0;

	for (int i = 0; now < PAST_THE_END && i < d->row_count; i++) {
		const struct district_row *r = &d->rows[i];
		const struct district_roster *of = &d->rosters[r->roster];

		n += of->comes <= now && of->papers <= now && !r->withdrawn && waits(r->kind, now) &&
		     strcmp(r->code, kinds[r->kind].code) == 0;
	}
	return n;
}

static int by_row(const void *a, const void *b)
{
	const struct district_row *x = a, *y = b;
	int rc = memcmp(x->submission.b, y->submission.b, ID_LEN);

	return rc ? rc : (x->row > y->row) - (x->row < y->row);
}

void district_sort(struct district *d)
{
	qsort(d->rows, (size_t)d->row_count, sizeof *d->rows, by_row);
}
