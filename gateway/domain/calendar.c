/* Working days. Only exceptions are listed (days off, and weekend days that are worked); every
 * other day goes by its weekday. */
#include "domain/calendar.h"
#include "base/date.h"
#include "domain/csv.h"
#include <stdlib.h>
#include <string.h>

static int compare_days(const void *a, const void *b)
{
	const int *x = a, *y = b; /* the day is the first member */

	return (*x > *y) - (*x < *y);
}

/* Years without a single notice inside the range would silently count as years without holidays. */
static void check_years(struct calendar *c, struct complaints *why)
{
	int year;

	if (c->count == 0) {
		complain(why, 0, "no days");
		return;
	}
	c->first_year = year = date_year(c->days[0].day);
	c->last_year = date_year(c->days[c->count - 1].day);
	for (int i = 1; i < c->count; i++) {
		if (c->days[i].day == c->days[i - 1].day) {
			char text[16];

			complain(why, 0, "%s is there twice", date_text(text, c->days[i].day));
		}
		if (date_year(c->days[i].day) > year + 1)
			complain(why, 0, "the year %d is missing", year + 1);
		year = date_year(c->days[i].day);
	}
}

int calendar_parse(struct calendar *c, struct str csv, bool no_change_known, struct complaints *why)
{
	struct str line, cells[4];
	int at = 0, before = why->count;

	memset(c, 0, sizeof(*c));
	c->no_change_known = no_change_known;
	while (csv_line(&csv, &line)) {
		int n = csv_cells(line, cells, 4), day;

		if (++at == 1) {
			if (n < 2 || !str_is(cells[0], "date") || !str_is(cells[1], "off"))
				complain(why, at, "the head must be date,off,name,paper");
			continue;
		}
		if (line.n == 0)
			continue;
		if (n < 2 || date_parse(cells[0], &day) != 0 ||
		    (!str_is(cells[1], "0") && !str_is(cells[1], "1"))) {
			complain(why, at,
				 "must be a date like 2026-12-31, then 1 (day off) or 0 (working "
				 "day)");
		} else if (c->count == CALENDAR_DAYS_MAX) {
			complain(why, at, "more than %d days", CALENDAR_DAYS_MAX);
			break;
		} else {
			c->days[c->count].day = day;
			c->days[c->count].off = str_is(cells[1], "1");
			c->count++;
		}
	}
	qsort(c->days, (size_t)c->count, sizeof(c->days[0]), compare_days);
	check_years(c, why);
	return why->count == before ? 0 : -1;
}

int calendar_is_working(const struct calendar *c, int day)
{
	int year = date_year(day), lo = 0, hi = c->count, weekday;

	if (c->count == 0 || year < c->first_year || year > c->last_year)
		return -1;
	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;

		if (c->days[mid].day < day)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < c->count && c->days[lo].day == day)
		return !c->days[lo].off;
	weekday = ((day % 7) + 7 + 3) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */
	return weekday < 5;
}

/* The State Council's notice of a year has moved days of the December before it (make-up working
 * days, bridge days): days after this one are certain only when the next year's notice is known. */
static bool december_uncertain(const struct calendar *c, int day)
{
	int year = date_year(day);

	return day > date_of(year, 12, 15) && year == c->last_year && !c->no_change_known;
}

/* */
int calendar_posting_end(const struct calendar *c, int first, int days, int *end)
{
	int day = first;

	if (calendar_is_working(c, first) < 0)
		return -1;
	while (days > 0) {
		int working = calendar_is_working(c, ++day);

		if (working < 0)
			return -1;
		days -= working;
	}
	if (december_uncertain(c, day))
		return -2;
	*end = day;
	return 0;
}
