/* The SSA's feed of persons whose record changed, and how far it was followed. The gateway waits
 * for nothing before the feed's as-of has passed a day, so the as-of is published too: after the
 * page's persons, and without any when time alone has moved on. */
#include "adapters/ssa/ssa.h"
#include "base/date.h"
#include "crypto/ids.h"
#include "domain/citizen_id.h"
#include <stdio.h>
#include <string.h>

/* As-of is published at most each 200 ms, unless a new day begins; and for an empty page when it
 * moved by a second. */
enum { REACHED_EVERY_MS = 200, REACHED_STEP_MS = 1000, NUMBER_MAX = 32 };

static int publish(struct ssa *s, const json_t *person, struct err *e);
static int reject(struct ssa *s, const json_t *person, struct err *e);
static int publish_reached(struct ssa *s, const struct page *p, struct err *e);

int changes_turn(void *arg, int64_t *wait_ms, struct err *e)
{
	struct ssa *s = arg;
	struct page page;

	if (!s->leads) {
		*wait_ms = FEED_IDLE_MS;
		return 0;
	}
	if (!feed_fetch(&s->changes, &page, wait_ms))
		return 0;
	for (size_t i = 0; i < page.count; i++) {
		const json_t *person = json_array_get(page.entries, i);
		int rc;

		TALLY(C_CHANGES);
		rc = publish(s, person, e);
		if (rc == 0)
			rc = reject(s, person, e);
		if (rc < 0) {
			page_free(&page);
			return -1;
		}
	}
	if (publish_reached(s, &page, e) != 0) {
		page_free(&page);
		return -1;
	}
	return feed_done(&s->changes, &page, wait_ms, e);
}

/* 1 published, 0 not readable, -1 error. */
static int publish(struct ssa *s, const json_t *person, struct err *e)
{
	static struct ev_contribution entries[STATUS_ENTRIES_MAX];
	static struct ev_outside outside[STATUS_OUTSIDE_MAX];
	struct contribution_status status;
	char number[NUMBER_MAX], hex[ID_HEX];
	struct err why = {0};
	struct str raw;
	struct id id;
	int64_t as_of;

	if (jsonin_str(person, "number", NUMBER_MAX, &raw) != 0 ||
	    citizen_id_normalise(raw, number, sizeof number) != 0 || number[0] == '\0' ||
	    jsonin_time(person, "as_of", &as_of) != 0 || status_read(person, &status, outside, entries) != 0)
		return 0;
	status.as_of = as_of;
	token_of(s->keys, str_of(number), &status.token);
	explicit_bzero(number, sizeof number);
	outside_id(&id, STR("ContributionStatus"), STR("ssa"), str_of(id_hex(&status.token, hex)),
		   status.sequence);
	if (adapter_publish(&s->adapter, EV_CONTRIBUTION_STATUS, &status,
			    (struct str){(const char *)status.token.b, ID_LEN}, &id, NULL,
			    &why) == 0)
		return 1;
	if (why.class == ERR_PERM)
		return 0;
	*e = why;
	return -1;
}

static int reject(struct ssa *s, const json_t *person, struct err *e)
{
	static const char *const shown[] = {"sequence", "as_of"}; /* all else is the person's */
	struct jsonout text;
	int64_t sequence = -1;
	int rc;

	TALLY(C_CHANGES_REJECTED);
	jsonin_int(person, "sequence", 0, INT64_MAX, &sequence);
	jsonout_init(&text, 4096);
	jsonin_show(person, shown, 2, &text);
	rc = adapter_reject_entry(&s->adapter, "ssa/changes", sequence, "unreadable_entry",
				  jsonout_text(&text), e);
	jsonout_fini(&text);
	return rc;
}

static int publish_reached(struct ssa *s, const struct page *p, struct err *e)
{
	struct contribution_feed_reached r = {p->as_of, str_of(p->next)};
	int partitions = bus_partitions(s->adapter.bus, "contributions");
	char cursor[FEED_CURSOR_MAX + 12];
	int64_t now = clock_monotonic();
	bool new_day = date_of_time(p->as_of) != date_of_time(s->reached_as_of);
	struct id id;

	if (p->as_of <= s->reached_as_of)
		return 0;
	if (!new_day && (now - s->reached_ms < REACHED_EVERY_MS ||
			 (p->count == 0 && p->as_of - s->reached_as_of < REACHED_STEP_MS)))
		return 0;
	TALLY(C_FEED_REACHED);
	s->reached_as_of = p->as_of;
	s->reached_ms = now;
	/* Into every partition, behind the statuses there: a reader that is slow with one of them
	 * must not take the feed for further than it has read. */
	for (int i = 0; i < partitions; i++) {
		snprintf(cursor, sizeof cursor, i ? "%s/%d" : "%s", p->next, i);
		outside_id(&id, STR("ContributionFeedReached"), STR("ssa"), str_of(cursor),
			   r.as_of);
		if (adapter_publish_to(&s->adapter, EV_CONTRIBUTION_FEED_REACHED, i, &r,
				       str_of(s->changes.name), &id, e) != 0)
			return -1;
	}
	return 0;
}
