/* Enquiries: who has paid what for the year. Of several about one person and year in a window the
 * newest attempt is asked and answered. */
#include "adapters/ssa/ssa.h"
#include "crypto/ids.h"
#include <inttypes.h>
#include <stdio.h>

static int take(struct work *w, const struct bus_record *r, enum event_type t, const void *event,
		struct err *e);
static void head(struct work *w, const int *rows, int count);
static int answered(struct work *w, const int *rows, int count, const json_t *root, bool *seen,
		    const char **why, struct err *e);
static int publish(struct work *w, const struct work_row *row, const struct contribution_status *s,
		   struct err *e);

const struct work_kind enquiries_kind = {
	.topic = "enquiries",
	.path = "/v1/enquiries",
	.opened = "enquiries_opened",
	.handed_over = "enquiry_to_ssa",
	.first = EV_CONTRIBUTION_ENQUIRY,
	.last = EV_CONTRIBUTION_ENQUIRY,
	.take = take,
	.head = head,
	.foot = "]}",
	.answered = answered,
};

static int take(struct work *w, const struct bus_record *r, enum event_type t, const void *event,
		struct err *e)
{
	const struct contribution_enquiry *q = event;
	struct str number, name;
	struct work_row *row;
	struct id key = q->token;
	int rc = work_identity(w, r, &q->token, q->identity, &number, &name, e);

	(void)t;
	TALLY(C_ENQUIRIES);
	if (rc <= 0)
		return rc;
	/* One row a person and year: the year is folded into the key. */
	key.b[ID_LEN - 1] ^= (uint8_t)q->year;
	key.b[ID_LEN - 2] ^= (uint8_t)(q->year >> 8);
	row = work_add(w, r, &key, q->attempt);
	if (!row)
		return 0;
	row->subject = q->token;
	row->group = q->year;
	JSONOUT(&w->json, "{\"ref\":");
	jsonout_id(&w->json, &q->token);
	JSONOUT(&w->json, ",\"number\":");
	jsonout_str(&w->json, number);
	JSONOUT(&w->json, ",\"name\":");
	jsonout_str(&w->json, name);
	JSONOUT(&w->json, "}");
	return work_added(w, row, e);
}

static void head(struct work *w, const int *rows, int count)
{
	struct jsonout *j = &w->ssa->body;

	(void)count;
	JSONOUT(j, "{\"year\":");
	jsonout_int(j, w->rows[rows[0]].group);
	JSONOUT(j, ",\"persons\":[");
}

static int answered(struct work *w, const int *rows, int count, const json_t *root, bool *seen,
		    const char **why, struct err *e)
{
	static struct ev_contribution entries[STATUS_ENTRIES_MAX];
	static struct ev_outside outside[STATUS_OUTSIDE_MAX];
	const json_t *persons = jsonin_list(root, "persons");
	struct idmap *map = &w->ssa->scratch;
	int64_t as_of;

	if (!persons || jsonin_time(root, "as_of", &as_of) != 0) {
		*why = "answer is no list of persons";
		return 0;
	}
	idmap_reset(map);
	for (int i = 0; i < count; i++)
		idmap_add(map, &w->rows[rows[i]].subject, i);
	for (size_t i = 0; i < json_array_size(persons); i++) {
		const json_t *person = json_array_get(persons, i);
		struct contribution_status s;
		struct id ref;
		int at = jsonin_id(person, "ref", &ref) == 0 ? idmap_find(map, &ref) : -1;

		if (at < 0 || seen[at] || status_read(person, &s, outside, entries) != 0) {
			/* one of ours that cannot be read is asked again alone */
			TALLY(C_STRANGERS);
			continue;
		}
		seen[at] = true;
		s.as_of = as_of;
		if (publish(w, &w->rows[rows[at]], &s, e) != 0)
			return -1;
	}
	return 0;
}

static int publish(struct work *w, const struct work_row *row,
		   const struct contribution_status *told, struct err *e)
{
	struct contribution_status s = *told;
	struct str key = {(const char *)row->subject.b, ID_LEN};
	char record[120], hex[ID_HEX];
	struct id id;

	TALLY(C_ANSWERED);
	s.token = row->subject;
	s.attempt = (struct opt_long){true, row->version};
	snprintf(record, sizeof record, "%s/%d/%" PRId64 "/%" PRId64, id_hex(&row->subject, hex),
		 (int)row->group, row->version, s.sequence);
	outside_id(&id, STR("ContributionStatus"), STR("ssa"), str_of(record), s.as_of);
	return adapter_publish(&w->ssa->adapter, EV_CONTRIBUTION_STATUS, &s, key, &id,
			       &row->rec->event.trace, e);
}
