/* The partitions of payments that this program has. Each time they change, what an earlier owner may
 * have sent is asked for before it is sent; the owner of partition 0 follows the bureau's feed. */
#include "adapters/tax/tax.h"
#include <stdio.h>

enum { FEED_NAME = 32 };

static int begin(struct tax *t, const struct bus_share *share, struct err *e);
static const char *mark_name(char out[FEED_NAME], int partition);

int tax_share(struct tax *t, struct err *e)
{
	struct bus_share shares[BUS_PARTITIONS_MAX];
	int count;
	unsigned number = bus_shares(t->reader, shares, &count);
	bool led = t->leads;

	if (number == t->share)
		return 0;
	t->leads = false;
	for (int i = 0; i < BUS_PARTITIONS_MAX; i++)
		t->lanes[i].ours = false;
	for (int i = 0; i < count; i++) {
		if (begin(t, &shares[i], e) != 0)
			return -1;
		t->leads = t->leads || shares[i].partition == 0;
	}
	t->share = number;
	/* Another owner may have followed the feed further. */
	return t->leads && !led ? feed_resume(&t->changes, e) : 0;
}

int tax_share_save(struct tax *t, bool *saved, struct err *e)
{
	char mark[MARK_MAX], name[FEED_NAME];

	*saved = false;
	for (int i = 0; i < BUS_PARTITIONS_MAX; i++) {
		struct lane *l = &t->lanes[i];

		if (!l->ours || !l->seen)
			continue;
		repeats_mark(&l->repeats, mark);
		if (feed_position_save(&t->adapter, mark_name(name, i), mark, 0, e) != 0)
			return -1;
		l->seen = false;
		*saved = true;
	}
	return 0;
}

static int begin(struct tax *t, const struct bus_share *share, struct err *e)
{
	struct lane *l = &t->lanes[share->partition];
	char mark[MARK_MAX], name[FEED_NAME];
	int64_t at;

	if (feed_position_load(&t->adapter, mark_name(name, share->partition), mark, sizeof mark,
			       &at, e) != 0)
		return -1;
	*l = (struct lane){.ours = true};
	repeats_load(&l->repeats, mark);
	l->suspects = suspects_of(share->next, share->end, share->restored_end);
	return 0;
}

/* On positions.tax, beside those of the feeds. */
static const char *mark_name(char out[FEED_NAME], int partition)
{
	snprintf(out, FEED_NAME, partition ? "payments/%d" : "payments", partition);
	return out;
}
