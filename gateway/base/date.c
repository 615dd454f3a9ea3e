/* The calendar, computed. The zone is a constant: nothing here asks the system what time it is or
 * where it stands. Years 1 to 9999 are read and written in the usual form. */
#include "base/date.h"
#include <stdio.h>
#include <string.h>

#define ZONE_MS (INT64_C(8) * 3600 * 1000)
enum { YEAR_MIN = 1, YEAR_MAX = 9999, ERA_DAYS = 146097, EPOCH_SHIFT = 719468 };

static int64_t floor_div(int64_t a, int64_t b);
static int64_t rest(int64_t a, int64_t b);
static int digits(struct str s, size_t at, size_t n);

/* Years begin in March here, so that the leap day is the last one; an era is 400 years (Howard
 * Hinnant's method). */
int date_of(int year, int month, int day)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	int era, of_era, of_year;

	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1)
		return DATE_NONE;
	if (day > month_days[month - 1] + (leap && month == 2))
		return DATE_NONE;
	year -= month <= 2;
	era = year / 400;
	of_era = year % 400;
	of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_SHIFT;
}

void date_split(int days, int *year, int *month, int *day)
{
	int64_t shifted = (int64_t)days + EPOCH_SHIFT, era = floor_div(shifted, ERA_DAYS);
	int of_era = (int)(shifted - era * ERA_DAYS);
	int years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * years + years / 4 - years / 100);
	int from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = (int)(era * 400 + years + (*month <= 2));
}

int date_year(int days)
{
	int year, month, day;

	date_split(days, &year, &month, &day);
	return year;
}

int date_of_time(int64_t time_ms)
{
	int64_t days = floor_div(time_ms, DAY_MS);

	/* The zone is added to the rest of the day, not to the time: no overflow at the edges. */
	days += (rest(time_ms, DAY_MS) + ZONE_MS) / DAY_MS;
	return days < INT32_MIN ? INT32_MIN : days > INT32_MAX ? INT32_MAX : (int)days;
}

int64_t time_of_date(int days)
{
	return days * DAY_MS - ZONE_MS;
}

int date_parse(struct str s, int *days)
{
	int date;

	if (s.p == NULL || s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
		return -1;
	date = date_of(digits(s, 0, 4), digits(s, 5, 2), digits(s, 8, 2));
	if (date == DATE_NONE)
		return -1;
	*days = date;
	return 0;
}

/* Times go out by the million: no printf. */
static void put_number(char *out, int places, unsigned v, char after)
{
	out[places] = after;
	while (places-- > 0) {
		out[places] = (char)('0' + v % 10);
		v /= 10;
	}
}

const char *date_text(char out[16], int days)
{
	int year, month, day;

	date_split(days, &year, &month, &day);
	if (year < 0 || year > YEAR_MAX) {
		snprintf(out, 16, "%04d-%02u-%02u", year, (unsigned)month % 100,
			 (unsigned)day % 100);
		return out;
	}
	put_number(out, 4, (unsigned)year, '-');
	put_number(out + 5, 2, (unsigned)month, '-');
	put_number(out + 8, 2, (unsigned)day, '\0');
	return out;
}

const char *time_text(char out[40], int64_t time_ms)
{
	unsigned ms = (unsigned)((rest(time_ms, DAY_MS) + ZONE_MS) % DAY_MS);
	char *at = out + strlen(date_text(out, date_of_time(time_ms)));

	*at = 'T';
	put_number(at + 1, 2, ms / 3600000, ':');
	put_number(at + 4, 2, ms / 60000 % 60, ':');
	put_number(at + 7, 2, ms / 1000 % 60, '.');
	put_number(at + 10, 3, ms % 1000, '+');
	memcpy(at + 14, "08:00", sizeof "08:00");
	return out;
}

int time_parse(struct str s, int64_t *time_ms)
{
	static const int scale[] = {0, 100, 10, 1};
	int date, hour, minute, second, ms = 0;
	size_t fraction;

	if (s.p == NULL || s.n < 25 || date_parse((struct str){s.p, 10}, &date) < 0)
		return -1;
	fraction = s.n -
		   /* what 2026-12-31T09:30:00+08:00 leaves: a point and one to three digits, or
		 * nothing */
		   25;
	if (!str_is((struct str){s.p + s.n - 6, 6}, "+08:00") || fraction == 1 || fraction > 4)
		return -1;
	if (s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' || (fraction && s.p[19] != '.'))
		return -1;
	hour = digits(s, 11, 2);
	minute = digits(s, 14, 2);
	second = digits(s, 17, 2);
	if (fraction)
		ms = digits(s, 20, fraction - 1);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
	    ms < 0)
		return -1;
	if (fraction)
		ms *= scale[fraction - 1];
	*time_ms = time_of_date(date) + ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + ms;
	return 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t rest(int64_t a, int64_t b)
{
	return a % b < 0 ? a % b + b : a % b;
}

/* The n digits at that place as a number, or -1. */
static int digits(struct str s, size_t at, size_t n)
{
	int64_t v;

	if (s.p[at] == '-' || str_int((struct str){s.p + at, n}, 0, 9999, &v) < 0)
		return -1;
	return (int)v;
}
