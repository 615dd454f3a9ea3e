/* A label counts where a colon, a blank or the next cell follows it; its value runs to the next
 * label, to the next word with a colon, or to the end of the record. */
#include "adapters/village/head.h"
#include "domain/cell.h"
#include <string.h>

#define CELL_END '\x1F'

enum label { YEAR, TOWN, VILLAGE, OTHER };

/* Longer ones stand before those that they begin with or end in. */
static const struct {
	const char *text;
	enum label label;
	bool colon; /* too common a word to be a label without one */
} labels[] = {
	{"补助年度", YEAR, false},
	{"补助年份", YEAR, false},
	{"所属年度", YEAR, false},
	{"缴费年度", YEAR, false},
	{"年度", YEAR, true},
	{"年份", YEAR, true},
	{"乡镇(街道)", TOWN, false},
	{"镇(街道)", TOWN, false},
	{"镇街(乡)", TOWN, false},
	{"乡(镇、街道)", TOWN, false},
	{"乡镇/街道", TOWN, false},
	{"乡镇街道", TOWN, false},
	{"所属镇街", TOWN, false},
	{"镇街道", TOWN, false},
	{"镇街", TOWN, true},
	{"乡镇", TOWN, true},
	{"街道", TOWN, true},
	{"村(居)委会", VILLAGE, false},
	{"村(居)", VILLAGE, false},
	{"村(社区)", VILLAGE, false},
	{"村(居、社区)", VILLAGE, false},
	{"村/居", VILLAGE, false},
	{"村居", VILLAGE, true},
	{"村社", VILLAGE, true},
	{"行政村", VILLAGE, true},
	{"村名", VILLAGE, true},
	{"单位", OTHER, true},
};
enum { LABELS = sizeof labels / sizeof labels[0] };

static size_t label_at(struct str s, enum label *label);
static struct str value_of(struct str text, enum label wanted);
static struct str value_after(struct str s);
static bool word_with_colon(struct str s);
static int year_of(struct str s);
static int year_at(struct str s);
static int title_year(struct str text);
static int chinese_digit(struct str s);
static void copy_value(char *dst, size_t cap, struct str s);

/* Folding once makes all labels and digits plain, so that the search below needs one form each. */
int head_fold(struct buf *out, const struct str *cells, int count)
{
	char narrow[4];

	for (int i = 0; i < count; i++) {
		struct str s = cell_bare(cells[i]);
		bool blank = false;

		while (s.n > 0) {
			size_t n = cell_blank(s);
			struct str rest = s;
			uint32_t cp;

			if (n > 0) {
				blank = true;
				s = (struct str){s.p + n, s.n - n};
				continue;
			}
			if (blank && buf_put_u8(out, ' ') < 0)
				return -1;
			blank = false;
			if (utf8_next(&rest, &cp) != 1)
				return -1;
			if (cp >= 0xff01 && cp <= 0xff5e)
				cp -= 0xff01 - 0x21;
			if (cp == CELL_END || cp == '\n')
				cp = ' ';
			if (buf_put(out, narrow, (size_t)utf8_put(narrow, cp)) < 0)
				return -1;
			s = rest;
		}
		if (buf_put_u8(out, CELL_END) < 0)
			return -1;
	}
	return buf_put_u8(out, '\n');
}

/* */
void head_read(struct str folded, int *year, char *town, size_t town_cap, char *village,
	       size_t village_cap)
{
	*year = year_of(value_of(folded, YEAR));
	if (*year == 0)
		*year = title_year(folded);
	copy_value(town, town_cap, value_of(folded, TOWN));
	copy_value(village, village_cap, value_of(folded, VILLAGE));
}

/* The first value of that label that is not empty. */
static struct str value_of(struct str text, enum label wanted)
{
	while (text.n > 0) {
		enum label label;
		size_t n = label_at(text, &label);

		if (n > 0 && label == wanted) {
			struct str v = value_after((struct str){text.p + n, text.n - n});

			if (v.n > 0)
				return v;
		}
		if (n == 0) {
			uint32_t cp;
			struct str rest = text;

			n = utf8_next(&rest, &cp) == 1 ? text.n - rest.n : 1;
		}
		text = (struct str){text.p + n, text.n - n};
	}
	return (struct str){"", 0};
}

/* Bytes of a label at the start of s and of what parts it from its value; 0 = none. Where no colon
 * follows, a blank or the end of the cell must: 村居 in 村居委会 is no label. */
static size_t label_at(struct str s, enum label *label)
{
	for (int i = 0; i < LABELS; i++) {
		size_t n = strlen(labels[i].text), end = n;
		bool colon = false;

		if (s.n < n || memcmp(s.p, labels[i].text, n) != 0)
			continue;
		while (end < s.n && strchr(" :\x1F", s.p[end]) != NULL && s.p[end] != '\0')
			colon |= s.p[end++] == ':';
		if (end == n || (labels[i].colon && !colon))
			continue;
		*label = labels[i].label;
		return end;
	}
	return 0;
}

static struct str value_after(struct str s)
{
	struct str v = {s.p, 0};

	while (v.n < s.n && s.p[v.n] != '\n') {
		struct str rest = {s.p + v.n, s.n - v.n};
		bool word = v.n == 0 || strchr(" \x1F_", s.p[v.n - 1]) != NULL;
		enum label label;
		uint32_t cp;

		if (label_at(rest, &label) > 0)
			break;
		if (word && word_with_colon(rest))
			break;
		if (utf8_next(&rest, &cp) != 1)
			break;
		v.n = (size_t)(rest.p - s.p);
	}
	return v;
}

/* "填表日期:..." begins something else; a word that a label of ours follows does not. */
static bool word_with_colon(struct str s)
{
	while (s.n > 0 && memchr(" \x1F\n,;", *s.p, 5) == NULL) {
		struct str rest = s;
		enum label label;
		uint32_t cp;

		if (*s.p == ':')
			return true;
		if (label_at(s, &label) > 0 || utf8_next(&rest, &cp) != 1)
			return false;
		s = rest;
	}
	return false;
}

/* Without blanks, cell ends, the line that a form prints under a gap, and marks at the end. */
static void copy_value(char *dst, size_t cap, struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n + 1 < cap; i++) {
		if (strchr(" \x1F_\n", s.p[i]) == NULL)
			dst[n++] = s.p[i];
	}
	while (n > 0 && strchr(",;.)", dst[n - 1]) != NULL)
		n--;
	if (n >= 3 && memcmp(dst + n - 3, "。", 3) == 0)
		n -= 3;
	dst[utf8_cut(dst, n)] = '\0';
}

/* The year that a value begins with: 2026, 2026年, 二〇二六年. 0 = none. */
static int year_of(struct str s)
{
	while (s.n > 0 && strchr(" \x1F_", *s.p) != NULL)
		s = (struct str){s.p + 1, s.n - 1};
	return year_at(s);
}

static int year_at(struct str s)
{
	int year = 0;

	for (int i = 0; i < 4; i++) {
		int digit = s.n > 0 && *s.p >= '0' && *s.p <= '9' ? *s.p - '0' : -1;
		size_t n = 1;

		if (digit < 0) {
			digit = chinese_digit(s);
			n = 3;
		}
		if (digit < 0)
			return 0;
		year = year * 10 + digit;
		s = (struct str){s.p + n, s.n - n};
	}
	if (s.n > 0 && *s.p >= '0' && *s.p <= '9')
		return 0; /* a longer number */
	return year >= 1900 && year <= 2200 ? year : 0;
}

static int chinese_digit(struct str s)
{
	static const char digits[] = "〇一二三四五六七八九";

	if (s.n < 3)
		return -1;
	if (memcmp(s.p, "零", 3) == 0 || memcmp(s.p, "○", 3) == 0)
		return 0;
	for (int i = 0; i < 10; i++) {
		if (memcmp(s.p, digits + 3 * i, 3) == 0)
			return i;
	}
	return -1;
}

/* The year of "2026年" in the title; 0 when there is none or more than one. */
static int title_year(struct str text)
{
	int found = 0;
	bool digit_before = false;

	while (text.n > 0) {
		int year = digit_before ? 0 : year_at(text);
		size_t n = *text.p >= '0' && *text.p <= '9' ? 4 : 12;

		if (year > 0 && text.n >= n + 3 && memcmp(text.p + n, "年", 3) == 0) {
			if (found != 0 && found != year)
				return 0;
			found = year;
		}
		digit_before = *text.p >= '0' && *text.p <= '9';
		text = (struct str){text.p + 1, text.n - 1};
	}
	return found;
}
