/* Civil time at UTC+08:00, fixed: no dependence on TZ, locale or the system's zone files. Pure.
 *
 * A date is days since 1970-01-01 (Avro int/date); a time is milliseconds since the epoch (Avro
 * long/timestamp-millis). */
#ifndef QIAO_BASE_DATE_H
#define QIAO_BASE_DATE_H
#include "base/str.h"

#define DAY_MS INT64_C(86400000)
int date_of(int year, int month, int day); /* days; -1e9 when there is no such day */
#define DATE_NONE (-1000000000)
void date_split(int days, int *year, int *month, int *day);
int date_year(int days);
int date_of_time(int64_t time_ms);		      /* the civil day in UTC+08:00 */
int64_t time_of_date(int days);			      /* that day's 00:00 in UTC+08:00 */
int date_parse(struct str s, int *days);	      /* 2026-12-31 only; -1 otherwise */
const char *date_text(char out[16], int days);	      /* 2026-12-31 */
const char *time_text(char out[40], int64_t time_ms); /* 2026-12-31T09:30:00.123+08:00 */
int time_parse(struct str s, int64_t *time_ms);	      /* that form, seconds fraction optional */

#endif
