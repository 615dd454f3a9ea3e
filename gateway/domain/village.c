/* The list of villages and the look-up of what people write for them. */
#include "domain/village.h"
#include "domain/cell.h"
#include "domain/csv.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))
#define CANDIDATES_MAX 12

static bool digits(struct str s, size_t n)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == n;
}

static int compare_codes(const void *a, const void *b)
{
	const struct village *x = a, *y = b;

	return strcmp(x->code, y->code);
}

static void parse_line(struct village *v, int line, const struct str cells[5], int n,
		       struct complaints *why)
{
	if (n != 5)
		complain(why, line, "five cells expected: town_code9,town_name,code12,name,kind");
	else if (!digits(cells[0], 9) || !digits(cells[2], 12))
		complain(why, line, "a town code has 9 digits, a village code 12");
	else if (memcmp(cells[0].p, cells[2].p, 9) != 0)
		complain(why, line, "the village code does not start with its town's");
	else if (cells[1].n == 0 || cells[3].n == 0)
		complain(why, line, "a name is empty");
	else if (str_copy(v->town_code, sizeof(v->town_code), cells[0]) != 0 ||
		 str_copy(v->town, sizeof(v->town), cells[1]) != 0 ||
		 str_copy(v->code, sizeof(v->code), cells[2]) != 0 ||
		 str_copy(v->name, sizeof(v->name), cells[3]) != 0 ||
		 str_copy(v->kind, sizeof(v->kind), cells[4]) != 0)
		complain(why, line, "a name is too long");
}

static int count_lines(struct str csv)
{
	struct str line;
	int n = 0;

	while (csv_line(&csv, &line))
		n++;
	return n;
}

int villages_parse(struct villages *v, struct str csv, struct complaints *why)
{
	struct str line, cells[5];
	int at = 0, before = why->count;

	v->count = 0;
	v->at = calloc((size_t)count_lines(csv) + 1, sizeof(*v->at));
	if (v->at == NULL) {
		complain(why, 0, "out of memory");
		return -1;
	}
	while (csv_line(&csv, &line)) {
		int n = csv_cells(line, cells, 5);

		if (++at == 1) {
			if (n < 5 || !str_is(cells[0], "town_code9") || !str_is(cells[2], "code12"))
				complain(why, at,
					 "the head must be town_code9,town_name,code12,name,kind");
		} else if (line.n > 0) {
			parse_line(&v->at[v->count++], at, cells, n, why);
		}
	}
	qsort(v->at, (size_t)v->count, sizeof(*v->at), compare_codes);
	for (int i = 1; i < v->count; i++)
		if (v->at[i].code[0] != '\0' && strcmp(v->at[i].code, v->at[i - 1].code) == 0)
			complain(why, 0, "the village code %s is there twice", v->at[i].code);
	if (v->count == 0)
		complain(why, 0, "no villages");
	if (why->count == before)
		return 0;
	villages_fini(v);
	return -1;
}

void villages_fini(struct villages *v)
{
	free(v->at);
	v->at = NULL;
	v->count = 0;
}

const struct village *village_by_code(const struct villages *v, struct str code12)
{
	struct village key;

	if (v->count == 0 || str_copy(key.code, sizeof(key.code), code12) != 0)
		return NULL;
	return bsearch(&key, v->at, (size_t)v->count, sizeof(*v->at), compare_codes);
}

/* Endings of names. A short form matches a village when both stems are the same and the ending,
 * if it was written, says the same kind of unit. Longer endings stand before those that they end
 * with. */
enum unit { ANY = 0, VILLAGE = 1, COMMUNITY = 2 };
static const struct ending {
	struct str text;
	enum unit unit;
} endings[] = {
	{STR("社区居民委员会"), COMMUNITY},
	{STR("社区居委会"), COMMUNITY},
	{STR("居民委员会"), COMMUNITY},
	{STR("村村民委员会"), VILLAGE},
	{STR("村民委员会"), VILLAGE},
	{STR("居民社区"), COMMUNITY},
	{STR("村村委会"), VILLAGE},
	{STR("居委会"), COMMUNITY},
	{STR("村委会"), VILLAGE},
	{STR("社区"), COMMUNITY},
	{STR("居"), COMMUNITY},
	{STR("村"), VILLAGE},
};

static bool ends_with(struct str s, struct str end)
{
	return s.n > end.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

/* The official name's stem: its first ending that is one of officialdom's (陈村村委会 -> 陈村,
 * never 陈). */
static struct str stem_of(const struct village *v, enum unit *unit)
{
	static const struct ending official[] = {
		{STR("社区居委会"), COMMUNITY},
		{STR("居委会"), COMMUNITY},
		{STR("村委会"), VILLAGE},
		{STR("居民社区"), COMMUNITY},
	};
	struct str name = str_of(v->name);

	for (int i = 0; i < COUNT(official); i++) {
		if (!ends_with(name, official[i].text))
			continue;
		*unit = official[i].unit;
		name.n -= official[i].text.n;
		return name;
	}
	*unit = ANY;
	return name;
}

static bool short_form(const struct village *v, struct str written)
{
	enum unit unit;
	struct str stem = stem_of(v, &unit);

	if (str_eq(stem, written))
		return true;
	for (int i = 0; i < COUNT(endings); i++) {
		struct str cut = written;

		if (!ends_with(written, endings[i].text))
			continue;
		cut.n -= endings[i].text.n;
		if (str_eq(stem, cut) && (unit == ANY || unit == endings[i].unit))
			return true;
	}
	return false;
}

static struct str town_stem(struct str town)
{
	/* In this order: 柯桥街道办事处 loses 办事处, then 街道. */
	static const struct str ends[] = {STR("办事处"), STR("人民政府"), STR("街道"), STR("镇")};

	for (int i = 0; i < COUNT(ends); i++)
		if (ends_with(town, ends[i]))
			town.n -= ends[i].n;
	return town;
}

/* 柯桥, 柯桥街道 and 柯桥街道办事处 are the same town, and 钱清镇 is 钱清街道 (towns became
 * streets); an empty one stands for the whole district. */
static bool in_town(const struct village *v, struct str town)
{
	return town.n == 0 || str_is(town, v->town) || str_is(town, v->town_code) ||
	       str_eq(town_stem(str_of(v->town)), town_stem(town));
}

enum how { FULL, SHORT, CONTAINS };

static bool matches(const struct village *v, struct str written, enum how how)
{
	if (how == FULL)
		return str_is(written, v->name);
	if (how == SHORT)
		return short_form(v, written);
	return written.n > 0 && memmem(v->name, strlen(v->name), written.p, written.n) != NULL;
}

/* How many match in the town; the first of them in *one. */
static int search(const struct villages *v, struct str town, struct str written, enum how how,
		  const struct village **one)
{
	int n = 0;

	for (int i = 0; i < v->count; i++) {
		if (!matches(&v->at[i], written, how) || !in_town(&v->at[i], town))
			continue;
		if (n++ == 0)
			*one = &v->at[i];
	}
	return n;
}

static int list(const struct villages *v, struct str town, struct str written, enum how how,
		struct buf *out)
{
	int n = 0;

	for (int i = 0; i < v->count && n < CANDIDATES_MAX; i++) {
		if (!matches(&v->at[i], written, how) || !in_town(&v->at[i], town))
			continue;
		buf_printf(out, "%s%s（%s）", n > 0 ? "、" : "", v->at[i].name, v->at[i].town);
		n++;
	}
	return n;
}

static const struct village *unknown(const struct villages *v, struct str town, struct str written,
				     struct buf *candidates)
{
	static const struct str anywhere = {"", 0};

	/* The same name in another town, else whatever contains it here, else anywhere. */
	if (list(v, anywhere, written, FULL, candidates) == 0 &&
	    list(v, anywhere, written, SHORT, candidates) == 0 &&
	    list(v, town, written, CONTAINS, candidates) == 0)
		list(v, anywhere, written, CONTAINS, candidates);
	return NULL;
}

static bool town_known(const struct villages *v, struct str town)
{
	for (int i = 0; i < v->count; i++)
		if (in_town(&v->at[i], town))
			return true;
	return false;
}

/* 湖塘街道兴华村: people write the town before the village. Gives the rest, or the whole. */
static struct str without_town(const struct villages *v, struct str town, struct str written)
{
	for (int i = 0; i < v->count; i++) {
		struct str t = str_of(v->at[i].town);

		if (in_town(&v->at[i], town) && written.n > t.n && memcmp(written.p, t.p, t.n) == 0)
			return (struct str){written.p + t.n, written.n - t.n};
	}
	return written;
}

const struct village *village_find(const struct villages *v, struct str town, struct str name,
				   const char **why, struct buf *candidates)
{
	char town_room[sizeof(((struct village *)0)->town) * 2],
		name_room[sizeof(((struct village *)0)->name) * 3];
	int town_len = cell_narrow(town, town_room, sizeof(town_room));
	int name_len = cell_narrow(name, name_room, sizeof(name_room));
	struct str t = {town_room, (size_t)town_len}, n = {name_room, (size_t)name_len};
	const struct village *one = NULL;
	int found;

	*why = "village_unknown";
	if (town_len < 0) {
		*why = "town_unknown";
		return NULL;
	}
	if (name_len <= 0)
		return NULL;
	if (digits(n, 12) && (one = village_by_code(v, n)) != NULL) {
		*why = NULL;
		return one;
	}
	if (!town_known(v, t)) {
		*why = "town_unknown";
		return unknown(v, (struct str){"", 0}, n, candidates);
	}
	n = without_town(v, t, n);
	for (enum how how = FULL; how <= SHORT; how++) {
		found = search(v, t, n, how, &one);
		if (found == 1) {
			*why = NULL;
			return one;
		}
		if (found > 1) {
			*why = "village_ambiguous";
			list(v, t, n, how, candidates);
			return NULL;
		}
	}
	return unknown(v, t, n, candidates);
}
