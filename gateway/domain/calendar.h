/* Working days from the State Council's notices (config/calendar.csv: date,off,name,paper).
 * Pure; an unknown year is refused. */
#ifndef QIAO_DOMAIN_CALENDAR_H
#define QIAO_DOMAIN_CALENDAR_H
#include "base/ini.h"
#include <stdbool.h>

#define CALENDAR_DAYS_MAX 4096
struct calendar {
	int count;
	struct {
		int day;
		bool off;
	} days[CALENDAR_DAYS_MAX]; /* sorted */
	int first_year, last_year;
	/* operator says: no notice moves days of the years not listed (late-December rule) */
	bool no_change_known;
};
int calendar_parse(struct calendar *c, struct str csv, bool no_change_known,
		   struct complaints *why);
/* 1 working day, 0 day off, -1 the year is not known. A day after December 15 of the last known
 * year counts as known only when next year's calendar is there or no_change_known is set for
 * posting judgements: see calendar_posting_end. */
int calendar_is_working(const struct calendar *c, int day);
/* The first day on which a posting that began on `first` (day 0, not counted: Civil Code art.
 * 201) has been up for `days` full working days, i.e. the date of the days-th working day after
 * `first`. -1: the year is unknown; -2: it ends after December 15 and the next year's calendar
 * is unknown and no_change_known is not set. */
int calendar_posting_end(const struct calendar *c, int first, int days, int *end);

#endif
