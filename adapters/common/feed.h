/* Following an outside feed by its cursor: GET <path>?limit=N&after=<cursor> gives {"next",
 * "as_of", <list>: [...]}.
 *
 * The position is on positions.<role>, published after the flush of what the page brought; so a
 * page may come twice after a crash, and its events then have the ids that they had before. */
#ifndef QIAO_ADAPTERS_FEED_H
#define QIAO_ADAPTERS_FEED_H
#include "adapters/common/adapter.h"
#include "adapters/common/jsonin.h"
#include "adapters/common/peer.h"

#define FEED_PAGE 1000
#define FEED_IDLE_MS 200 /* where another program follows it: between two looks at who does */
struct feed {
	const char *name; /* key of the position: "changes" */
	const char *path; /* "/v1/changes" */
	const char *list; /* member of the answer that holds the entries */
	struct adapter *a;
	struct peer *peer;
	struct backoff backoff;
	char cursor[FEED_CURSOR_MAX];
	int64_t as_of; /* of the last page */
};
struct page {
	json_t *root;
	const json_t *entries; /* within root */
	size_t count;
	char next[FEED_CURSOR_MAX];
	int64_t as_of;
};
/* name, path and list are set by the caller (static text). Loads the position. */
int feed_open(struct feed *f, struct adapter *a, struct peer *peer, struct err *e);
/* Goes on where the position says: another program may have followed it meanwhile. */
int feed_resume(struct feed *f, struct err *e);
/* One page. false: not now, *wait_ms says when (no answer, or one that is no page: backed off). */
bool feed_fetch(struct feed *f, struct page *p, int64_t *wait_ms);
/* The page's events were published: makes them durable, then the position. Frees the page. *wait_ms
 * as feed_fetch: 0 after a full page, else the peer's feed interval. */
int feed_done(struct feed *f, struct page *p, int64_t *wait_ms, struct err *e);
void page_free(struct page *p);

#endif
