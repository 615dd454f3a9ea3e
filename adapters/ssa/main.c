/* qiao-ssa: parse, load, call. */
#include "adapters/ssa/ssa.h"
#include <stdlib.h>

struct counter ssa_counters[SSA_COUNTERS] = {
	[C_ENQUIRIES] = {"enquiries", "ContributionEnquiry events taken", 0},
	[C_ANSWERED] = {"enquiries_answered", "of those, answered by the SSA", 0},
	[C_FEEDBACK] = {"feedback", "CollectedSubsidy and SubsidyRefunded events taken", 0},
	[C_TAKEN] = {"feedback_taken", "of those, taken by the SSA", 0},
	[C_REFUSED] = {"feedback_refused", "of those, refused by the SSA as malformed", 0},
	[C_STATISTICS] = {"statistics", "CollectionStatistics events taken", 0},
	[C_STATISTICS_SENT] = {"statistics_sent",
			       "of those, delivered (older versions in a window are left out)", 0},
	[C_ABSORBED] = {"absorbed", "events of which the window held a newer one", 0},
	[C_REJECTED] = {"rejected", "events sent to rejects.ssa", 0},
	[C_REQUESTS] = {"requests", "requests, repeats included", 0},
	[C_RETRIED] = {"put_off", "requests that failed and are sent again", 0},
	[C_HALVED] = {"halved", "requests refused as a whole", 0},
	[C_STRANGERS] = {"strangers",
			 "rows of answers that were not asked for, twice, or not readable", 0},
	[C_CHANGES] = {"changes", "persons in the SSA's change feed", 0},
	[C_CHANGES_REJECTED] = {"changes_rejected", "of those, not readable: sent to rejects.ssa",
				0},
	[C_FEED_REACHED] = {"feed_reached", "ContributionFeedReached events published", 0},
	[C_CREDITS] = {"credits", "entries of the SSA's feed of credits", 0},
	[C_CREDITS_REJECTED] = {"credits_rejected", "of those, not readable: sent to rejects.ssa",
				0},
};

enum { BODY_MAX = 8 << 20, STREAMS = 6 };

static int open_all(struct ssa *s, struct role *role, struct err *e);
static int run(struct ssa *s, struct err *e);
static void close_all(struct ssa *s);

int main(int argc, char **argv)
{
	static struct role role = {
		.name = "ssa",
		.summary = "Carries questions, feedback and statistics to the social-security "
			   "agency and brings back what it knows.\n"
			   "Reads the topics enquiries, feedback (with [gateway] crediting = "
			   "adapter) and statistics, follows the\n"
			   "agency's feeds of changes and credits, publishes the topics "
			   "contributions and credits. What it cannot\n"
			   "process goes to rejects.ssa.\n"
			   "Settings: section [ssa] of the configuration. Exit: 0 stopped, 2 "
			   "configuration, 3 try later,\n"
			   "4 stopped to stay safe (the log names the cure).",
		.counters = {ssa_counters, SSA_COUNTERS},
	};
	struct ssa *s;
	struct err e = {0};
	int rc = role_start(&role, argc, argv);

	if (rc != 0)
		return rc - 1000;
	s = calloc(1, sizeof *s);
	if (!s)
		err_set(&e, ERR_TEMP, "out of memory");
	if (s && open_all(s, &role, &e) == 0)
		run(s, &e);
	if (s)
		close_all(s);
	free(s);
	return role_end(&role, e.class ? &e : NULL);
}

static int open_all(struct ssa *s, struct role *role, struct err *e)
{
	jsonout_init(&s->body, BODY_MAX);
	buf_init(&s->identity, 4096);
	if (keyring_open(&s->keys, role->conf.keys.dir, role->name, role->conf.keys.separate_users,
			 e) != 0 ||
	    adapter_open(&s->adapter, role, e) != 0 ||
	    peer_open(&s->peer, &role->conf.ssa, role, e) != 0)
		return -1;
	s->changes = (struct feed){.name = "changes", .path = "/v1/changes", .list = "persons"};
	s->credits = (struct feed){.name = "credits", .path = "/v1/credits", .list = "credits"};
	if (feed_open(&s->changes, &s->adapter, &s->peer, e) != 0 ||
	    feed_open(&s->credits, &s->adapter, &s->peer, e) != 0 ||
	    work_open(&s->enquiries, s, &enquiries_kind, e) != 0 ||
	    work_open(&s->statistics, s, &statistics_kind, e) != 0 ||
	    books_open(&s->books, &s->adapter, &s->peer, s->keys, e) != 0)
		return -1;
	s->reached_as_of = s->changes.as_of;
	/* With the other crediting route the topic is for a consumer of the SSA's own. */
	return role->conf.gateway.crediting == CREDITING_ADAPTER
		       ? work_open(&s->feedback, s, &feedback_kind, e)
		       : 0;
}

/* Enquiries, and with partition 0 of them the feeds. */
static int enquiries_turn(void *arg, int64_t *wait_ms, struct err *e)
{
	struct ssa *s = arg;
	struct bus_share shares[BUS_PARTITIONS_MAX];
	bool led = s->leads;
	unsigned number;
	int count;

	if (work_turn(&s->enquiries, wait_ms, e) != 0)
		return -1;
	number = bus_shares(s->enquiries.reader, shares, &count);
	if (number == s->share)
		return 0;
	s->share = number;
	s->leads = false;
	for (int i = 0; i < count; i++)
		s->leads = s->leads || shares[i].partition == 0;
	if (!s->leads || led)
		return 0;
	/* Another owner may have followed them further. */
	if (feed_resume(&s->changes, e) != 0 || feed_resume(&s->credits, e) != 0)
		return -1;
	s->reached_as_of = s->changes.as_of;
	return 0;
}

static int run(struct ssa *s, struct err *e)
{
	struct stream streams[STREAMS] = {
		{"enquiries", enquiries_turn, s, 0},
		{"changes", changes_turn, s, 0},
		{"credits", credits_turn, s, 0},
		{"statistics", work_turn, &s->statistics, 0},
		{"book", books_turn, &s->books, 0},
		{"feedback", work_turn, &s->feedback, 0},
	};

	role_ready(s->adapter.role);
	if (adapter_run(&s->adapter, streams, s->feedback.kind ? STREAMS : STREAMS - 1, e) != 0)
		return -1;
	return adapter_flush(&s->adapter, e);
}

static void close_all(struct ssa *s)
{
	work_close(&s->enquiries);
	work_close(&s->feedback);
	work_close(&s->statistics);
	books_close(&s->books);
	adapter_close(&s->adapter);
	peer_close(&s->peer);
	keyring_free(s->keys);
	jsonout_fini(&s->body);
	buf_fini(&s->identity);
}
