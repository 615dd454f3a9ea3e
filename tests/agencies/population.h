/* Whom the social-security agency knows: a CSV file, read at start and held in memory.
 *
 * Columns: number, name, insured (0|1), insured_state, pension_start, for_year, kind, paid_by,
 * tier_fen, paid_on, arrived_on, refunded_on, known_from; a head line beginning with "number" is
 * passed over; no quotes. A person may have several lines. A line holds from the day known_from
 * (empty: always); it replaces an earlier line of the person with the same for_year, kind and
 * paid_by; of what is about the person, the last line that holds counts (the first line when none
 * holds yet). An empty for_year is no contribution. The kind
 * `outside` is none either: tier_fen is then what others subsidised for that year, not through Qiao. So what is known of a person is a pure
 * function of the file and a day. */
#ifndef QIAO_AGENCIES_POPULATION_H
#define QIAO_AGENCIES_POPULATION_H
#include "base/buf.h"
#include "base/err.h"
#include "tests/agencies/idindex.h"
#include "tests/agencies/json_out.h"

struct line {
	struct str name, insured_state, kind, paid_by;
	int64_t insured, for_year, tier_fen; /* for_year 0: no contribution */
	int pension_start, paid_on, arrived_on, refunded_on, known_from; /* DATE_NONE: none */
	int64_t person, next; /* next line of the person, 0 none; both count from 1 */
};
struct person {
	struct str number;
	int64_t first, last; /* lines */
	int64_t sequence;    /* of the last change, 1 before any */
};
struct population {
	struct buf text;
	struct line *lines;	/* [1..line_count] */
	struct person *persons; /* [1..person_count] */
	int64_t line_count, person_count;
	int64_t *dated; /* the lines with known_from, by day, then in the order of the file */
	int64_t dated_count;
	struct idindex index;
};
int population_load(struct population *p, const char *file, struct err *e); /* file NULL = nobody */
void population_fini(struct population *p);
struct person *population_find(const struct population *p, struct str number); /* NULL: unknown */
/* "insured":...,"contributions":[...]  as known on that day. */
void population_put(const struct population *p, const struct person *who, int day, struct out *o);

#endif
