/* The bureau's change feed: accepted, paid, in the treasury, refused, refunded, in the bureau's own
 * order. */
#include "adapters/tax/answer.h"
#include "adapters/tax/tax.h"

static int reject(struct tax *t, const json_t *entry, struct err *e);

int tax_follow(void *arg, int64_t *wait_ms, struct err *e)
{
	struct tax *t = arg;
	struct page page;

	if (!t->leads) {
		*wait_ms = FEED_IDLE_MS;
		return 0;
	}
	if (!feed_fetch(&t->changes, &page, wait_ms))
		return 0;
	for (size_t i = 0; i < page.count; i++) {
		const json_t *entry = json_array_get(page.entries, i);
		struct collection_result r;
		struct err why = {0};

		TALLY(C_CHANGES);
		if (answer_change(entry, &r) == TOLD_STATE &&
		    publish_fact(t, &r, &r.payment_id, &why) == 0)
			continue;
		if (why.class != ERR_NONE && why.class != ERR_PERM) {
			*e = why;
			page_free(&page);
			return -1;
		}
		if (reject(t, entry, e) != 0) {
			page_free(&page);
			return -1;
		}
	}
	return feed_done(&t->changes, &page, wait_ms, e);
}

static int reject(struct tax *t, const json_t *entry, struct err *e)
{
	static const char *const shown[] = {"sequence", "payment_id", "status",
					    "reason",	"amount_fen", "at"};
	struct jsonout text;
	int64_t sequence = -1;
	int rc;

	TALLY(C_CHANGES_REJECTED);
	jsonin_int(entry, "sequence", 0, INT64_MAX, &sequence);
	jsonout_init(&text, 4096);
	jsonin_show(entry, shown, sizeof shown / sizeof shown[0], &text);
	rc = adapter_reject_entry(&t->adapter, "tax/changes", sequence, "unreadable_entry",
				  jsonout_text(&text), e);
	jsonout_fini(&text);
	return rc;
}
