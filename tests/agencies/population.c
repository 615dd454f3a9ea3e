/* The population is a file, not a book: what is known of a person on a day is computed from the
 * lines. Between two starts it may only gain lines that become known later. */
#include "tests/agencies/population.h"
#include "base/date.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "tests/agencies/cut.h"
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 30, COLUMNS = 13 };

static int make_room(struct population *p, struct err *e);
static int read_line(struct population *p, struct str text);
static int date_or_none(struct str s, int *day);
static void add_to_person(struct population *p, struct str number, int64_t line);
static void sort_dated(struct population *p);
static int by_day(const void *a, const void *b, void *lines);
static bool holds(const struct line *l, int day);
static bool replaced(const struct population *p, const struct line *l, int day);
static void put_contribution(const struct line *l, struct out *o);
static void put_outside(const struct population *p, const struct person *who, int day, struct out *o);
static bool is_outside(const struct line *l);
static struct id key_of(struct str number);

int population_load(struct population *p, const char *file, struct err *e)
{
	struct str text, line;

	memset(p, 0, sizeof *p);
	buf_init(&p->text, FILE_MAX);
	if (file && fs_read(file, &p->text, e) < 0)
		return -1;
	if (make_room(p, e) < 0)
		return -1;
	text = (struct str){(const char *)p->text.data, p->text.len};
	for (int no = 1; text.n > 0; no++) {
		line = str_cut(&text, '\n');
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0 || (no == 1 && line.n > 7 && memcmp(line.p, "number,", 7) == 0))
			continue;
		/* The number of the line is all that may be said: the rest is somebody's. */
		if (read_line(p, line) < 0)
			return err_set(e, ERR_CONF, "%s line %d: not a line of a population", file,
				       no);
	}
	sort_dated(p);
	return 0;
}

void population_fini(struct population *p)
{
	free(p->lines);
	free(p->persons);
	free(p->dated);
	idindex_fini(&p->index);
	buf_fini(&p->text);
	memset(p, 0, sizeof *p);
}

struct person *population_find(const struct population *p, struct str number)
{
	struct id key;
	size_t probe = 0;
	int64_t i;

	if (p->person_count == 0)
		return NULL;
	key = key_of(number);
	while ((i = idindex_next(&p->index, &key, &probe)) != 0)
		if (str_eq(p->persons[i].number, number))
			return &p->persons[i];
	return NULL;
}

void population_put(const struct population *p, const struct person *who, int day, struct out *o)
{
	const struct line *about = &p->lines[who->first];
	const char *comma = "";

	for (int64_t i = who->first; i != 0; i = p->lines[i].next)
		if (holds(&p->lines[i], day))
			about = &p->lines[i];
	out_put(o, about->insured ? "\"insured\":true" : "\"insured\":false",
		about->insured ? 14 : 15);
	out_lit(o, ",\"insured_state\":");
	out_text(o, about->insured_state);
	out_lit(o, ",\"pension_start\":");
	out_date(o, about->pension_start);
	out_lit(o, ",\"contributions\":[");
	for (int64_t i = who->first; i != 0; i = p->lines[i].next) {
		const struct line *l = &p->lines[i];

		if (l->for_year == 0 || is_outside(l) || !holds(l, day) || replaced(p, l, day))
			continue;
		out_put(o, comma, strlen(comma));
		put_contribution(l, o);
		comma = ",";
	}
	out_lit(o, "]");
	put_outside(p, who, day, o);
}

static void put_outside(const struct population *p, const struct person *who, int day, struct out *o)
{
	int written = 0;

	for (int64_t i = who->first; i != 0; i = p->lines[i].next) {
		const struct line *l = &p->lines[i];

		if (!is_outside(l) || !holds(l, day) || replaced(p, l, day))
			continue;
		if (written++)
			out_lit(o, ",");
		else
			out_lit(o, ",\"outside\":[");
		out_lit(o, "{\"for_year\":");
		out_int(o, l->for_year);
		out_lit(o, ",\"amount_fen\":");
		out_int(o, l->tier_fen);
		out_lit(o, "}");
	}
	if (written)
		out_lit(o, "]");
}

static bool is_outside(const struct line *l)
{
	return str_is(l->kind, "outside");
}

static int make_room(struct population *p, struct err *e)
{
	size_t lines = 2;

	for (size_t i = 0; i < p->text.len; i++)
		lines += p->text.data[i] == '\n';
	p->lines = calloc(lines, sizeof *p->lines);
	p->persons = calloc(lines, sizeof *p->persons);
	p->dated = calloc(lines, sizeof *p->dated);
	return p->lines && p->persons && p->dated ? 0
						  : err_set(e, ERR_TEMP, "population: no memory");
}

/* Strict: a line that is nearly right would make a person who is nearly right. */
static int read_line(struct population *p, struct str text)
{
	struct str c[COLUMNS];
	struct line *l = &p->lines[p->line_count + 1];

	for (int i = 0; i < COLUMNS; i++)
		c[i] = str_cut(&text, ',');
	*l = (struct line){.name = c[1], .insured_state = c[3], .kind = c[6], .paid_by = c[7]};
	if (c[0].n == 0 || text.n > 0 || str_int(c[2], 0, 1, &l->insured) < 0 ||
	    (c[5].n > 0 && str_int(c[5], 1990, 2099, &l->for_year) < 0) ||
	    (c[5].n > 0 && str_int(c[8], 0, INT32_MAX, &l->tier_fen) < 0) ||
	    date_or_none(c[4], &l->pension_start) < 0 || date_or_none(c[9], &l->paid_on) < 0 ||
	    date_or_none(c[10], &l->arrived_on) < 0 || date_or_none(c[11], &l->refunded_on) < 0 ||
	    date_or_none(c[12], &l->known_from) < 0 || (l->for_year > 0 && l->paid_on == DATE_NONE && !is_outside(l)))
		return -1;
	p->line_count++;
	add_to_person(p, c[0], p->line_count);
	if (l->known_from != DATE_NONE)
		p->dated[p->dated_count++] = p->line_count;
	return 0;
}

static int date_or_none(struct str s, int *day)
{
	*day = DATE_NONE;
	return s.n == 0 ? 0 : date_parse(s, day);
}

static void add_to_person(struct population *p, struct str number, int64_t line)
{
	struct person *who = population_find(p, number);
	struct id key;

	if (who) {
		p->lines[who->last].next = line;
	} else {
		who = &p->persons[++p->person_count];
		*who = (struct person){.number = number, .first = line, .sequence = 1};
		key = key_of(number);
		idindex_add(&p->index, &key, p->person_count);
	}
	who->last = line;
	p->lines[line].person = who - p->persons;
}

static void sort_dated(struct population *p)
{
	qsort_r(p->dated, (size_t)p->dated_count, sizeof *p->dated, by_day, p->lines);
}

static int by_day(const void *a, const void *b, void *lines)
{
	int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
	int day_i = ((const struct line *)lines)[i].known_from,
	    day_j = ((const struct line *)lines)[j].known_from;

	return day_i != day_j ? (day_i > day_j) - (day_i < day_j) : (i > j) - (i < j);
}

static bool holds(const struct line *l, int day)
{
	return l->known_from == DATE_NONE || l->known_from <= day;
}

/* Does a later line of the person that holds speak of the same contribution. */
static bool replaced(const struct population *p, const struct line *l, int day)
{
	for (int64_t i = l->next; i != 0; i = p->lines[i].next) {
		const struct line *by = &p->lines[i];

		if (holds(by, day) && by->for_year == l->for_year && str_eq(by->kind, l->kind) &&
		    str_eq(by->paid_by, l->paid_by))
			return true;
	}
	return false;
}

static void put_contribution(const struct line *l, struct out *o)
{
	out_lit(o, "{\"for_year\":");
	out_int(o, l->for_year);
	out_lit(o, ",\"kind\":");
	out_text(o, l->kind);
	out_lit(o, ",\"paid_by\":");
	out_text(o, l->paid_by);
	out_lit(o, ",\"tier_fen\":");
	out_int(o, l->tier_fen);
	out_lit(o, ",\"paid_on\":");
	out_date(o, l->paid_on);
	out_lit(o, ",\"arrived_on\":");
	out_date(o, l->arrived_on);
	out_lit(o, ",\"refunded_on\":");
	out_date(o, l->refunded_on);
	out_lit(o, "}");
}

static struct id key_of(struct str number)
{
	struct str parts[] = {STR("person"), number};
	struct id id;

	id_make(&id, parts, 2);
	return id;
}
