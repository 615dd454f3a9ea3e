/* What the social-security agency tells of people's contributions: when asked, and when something
 * became known. */
#include "base/date.h"
#include "tests/agencies/json_in.h"
#include "tests/agencies/ssa.h"
#include <string.h>

struct asked {
	struct str ref, number, name;
};

static int read_enquiry(struct request *q, struct asked *persons);
static bool read_asked(struct json *j, struct asked *a);
static void put_known(struct ssa *s, struct str number, struct out *o);
static void put_everyone(int year, int64_t tier_fen, struct out *o);
static void put_change(struct ssa *s, struct stmt *row, bool older, struct out *o);
static bool odd_older(struct ssa *s, struct str number);

int ssa_enquiries(void *agency, struct request *q, struct out *o)
{
	static struct asked persons[ROWS_MAX];
	struct ssa *s = agency;
	int count = read_enquiry(q, persons), missing;
	const char *comma = "";

	if (count < 0)
		return answer_error(o, 400, "malformed", "expected a year and 1 to 1000 persons");
	ssa_learn(s);
	missing = q->missing < 0 ? -1 : q->missing % count;
	out_lit(o, "{\"as_of\":");
	out_time(o, s->now);
	out_lit(o, ",\"persons\":[");
	for (int i = 0; i < count; i++) {
		if (i == missing) {
			q->took = true;
			continue;
		}
		out_put(o, comma, strlen(comma));
		out_lit(o, "{\"ref\":");
		out_text(o, persons[i].ref);
		put_known(s, persons[i].number, o);
		out_lit(o, "}");
		comma = ",";
	}
	out_lit(o, "]}");
	return 200;
}

int ssa_changes(void *agency, struct request *q, struct out *o)
{
	struct ssa *s = agency;
	int64_t after, limit, as_of, written = 0;

	ssa_learn(s);
	if (request_page(q, s->last_change, &after, &limit) < 0)
		return answer_error(o, 400, "cursor",
				    "not a cursor of this feed, or a wrong limit");
	as_of = s->now;
	out_lit(o, "{\"persons\":[");
	stmt_int(s->changes, 1, after);
	while (book_step(s->changes)) {
		if (limit-- == 0) {
			/* The next one has not been delivered: as of just before it. */
			as_of = stmt_get_int(s->changes, 2) - 1;
			stmt_reset(s->changes);
			break;
		}
		after = stmt_get_int(s->changes, 0);
		for (int i = 0; i <= q->twice; i++) {
			out_put(o, ",", written++ > 0);
			put_change(s, s->changes, false, o);
		}
		if (odd_older(s, stmt_get_text(s->changes, 1))) {
			out_lit(o, ",");
			put_change(s, s->changes, true, o);
		}
	}
	out_lit(o, "],\"next\":\"");
	out_int(o, after);
	out_lit(o, "\",\"as_of\":");
	out_time(o, as_of);
	out_lit(o, "}");
	q->took = q->twice && written > 0;
	return 200;
}

static int read_enquiry(struct request *q, struct asked *persons)
{
	static const char *const fields[] = {"year", "persons", NULL};
	struct json j;
	int64_t year = 0;
	int hint = 0, count = 0, f;

	json_init(&j, (char *)q->body.p, q->body.n);
	json_object(&j);
	while ((f = json_field(&j, fields, &hint)) >= 0) {
		if (f == 0) {
			year = json_int(&j);
			continue;
		}
		json_array(&j);
		for (count = 0; json_item(&j); count++)
			if (count == ROWS_MAX || !read_asked(&j, &persons[count]))
				return -1;
	}
	return json_end(&j) && count > 0 && year >= 2009 && year <= 2099 ? count : -1;
}

static bool read_asked(struct json *j, struct asked *a)
{
	static const char *const fields[] = {"ref", "number", "name", NULL};
	int hint = 0, f;

	*a = (struct asked){.ref = {NULL, 0}};
	json_object(j);
	while ((f = json_field(j, fields, &hint)) >= 0)
		*(f == 0 ? &a->ref : f == 1 ? &a->number : &a->name) = json_text(j);
	return !j->bad && a->ref.p && a->number.n > 0 && a->name.n > 0;
}

static void put_known(struct ssa *s, struct str number, struct out *o)
{
	const struct person *who = population_find(&s->population, number);
	struct id id = s->odd.any ? odd_person(number) : (struct id){{0}};

	out_lit(o, ",\"sequence\":");
	out_int(o, who ? who->sequence : 1);
	out_lit(o, ",");
	if (s->options.everyone_paid && odd_of(&s->odd, &id) == ODD_OTHER_YEAR &&
	    !odd_planted(&s->odd, ODD_OTHER_YEAR, number)) {
		odd_plant(&s->odd, ODD_OTHER_YEAR, number, "at first the year before only");
		put_everyone((int)s->options.everyone_paid - 1, s->options.tier_fen, o);
	} else if (who)
		population_put(&s->population, who, s->known_day, o);
	else if (s->options.everyone_paid)
		put_everyone((int)s->options.everyone_paid, s->options.tier_fen, o);
	else
		out_lit(o, "\"insured\":false,\"insured_state\":\"0\",\"pension_start\":null,"
			   "\"contributions\":[]");
}

static void put_everyone(int year, int64_t tier_fen, struct out *o)
{
	out_lit(o, "\"insured\":true,\"insured_state\":\"1\",\"pension_start\":null,"
		   "\"contributions\":[{\"for_year\":");
	out_int(o, year);
	out_lit(o, ",\"kind\":\"10\",\"paid_by\":\"1\",\"tier_fen\":");
	out_int(o, tier_fen);
	out_lit(o, ",\"paid_on\":");
	out_date(o, date_of(year, 3, 2));
	out_lit(o, ",\"arrived_on\":");
	out_date(o, date_of(year, 3, 4));
	out_lit(o, ",\"refunded_on\":null}]");
}

/* A change shows what was known on its own day, so that it reads the same whenever it is read. */
static bool odd_older(struct ssa *s, struct str number)
{
	struct id id;

	if (!s->odd.any)
		return false;
	id = odd_person(number);
	if (odd_of(&s->odd, &id) != ODD_OLDER)
		return false;
	odd_plant(&s->odd, ODD_OLDER, number, "as it was before, behind the newer record");
	return true;
}

static void put_change(struct ssa *s, struct stmt *row, bool older, struct out *o)
{
	struct str number = stmt_get_text(row, 1);
	const struct person *who = population_find(&s->population, number);
	int64_t at = stmt_get_int(row, 2);

	out_lit(o, "{\"number\":");
	out_text(o, number);
	out_lit(o, ",\"sequence\":");
	out_int(o, stmt_get_int(row, 0) - older);
	out_lit(o, ",\"as_of\":");
	out_time(o, at);
	out_lit(o, ",");
	if (who)
		population_put(&s->population, who, date_of_time(at) - older, o);
	else
		out_lit(o, "\"insured\":false,\"insured_state\":\"0\",\"pension_start\":null,"
			   "\"contributions\":[]");
	out_lit(o, "}");
}
