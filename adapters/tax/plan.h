/* What to do with one SubsidyPayment before any money request: send it, ask the bureau by id first,
 * or neither. Pure; the whole of "nothing is paid twice" on the tax side can be read here.
 *
 * An event may have been sent before by this adapter's earlier life (it lies in the window that was
 * open when that life ended), or because the gateway published it a second time after a crash; both
 * are `maybe_sent`. The gateway itself says so with ask_first (a history was lost), and with
 * attempt >= 2: sent before, and the bureau said that it never came. While the bureau honours the
 * key the gateway takes that word at once; otherwise only after the settlement delay, and then it
 * is final. */
#ifndef QIAO_ADAPTERS_TAX_PLAN_H
#define QIAO_ADAPTERS_TAX_PLAN_H
#include "base/conf.h"

enum act {
	ACT_SEND,
	ACT_ASK,      /* by id; what is known is published as it stands, else `unknown` below */
	ACT_DOUBT,    /* published in_doubt: the gateway asks, and instructs again once settled */
	ACT_TOO_LATE, /* published too_late: surely nothing of it is with the bureau */
};
struct plan {
	enum act first, unknown;
};
struct plan_terms { /* of the peer */
	enum conf_keys_mode keys;
	int64_t key_window_ms, now;
};
struct plan_payment {
	int32_t attempt;
	bool ask_first, maybe_sent;
	int64_t instructed_at, not_after; /* the first instruction, whatever the attempt */
	int64_t decided_at;		  /* when the gateway decided on this attempt */
};
struct plan plan_of(const struct plan_terms *t, const struct plan_payment *p);

/* Which events of the topic may have been sent by an earlier life: those from the stored position
 * on, a window at most, that were on the bus when this life began. On a bus restored from a backup
 * all that the copy held (restored_end, 0 = not restored): life went on after the copy was made. */
struct suspects {
	int64_t from, below; /* offsets */
};
struct suspects suspects_of(int64_t position, int64_t end, int64_t restored_end);
bool suspect(const struct suspects *s, int64_t offset);

/* Repeats of the gateway's outbox: it publishes in the order of its sequence, and after a crash
 * again from its last known mark, so a sequence that is not above all before it was here already.
 * `mark` is what positions.tax keeps: "<ledger> <sequence>". */
#define MARK_MAX 160
struct repeats {
	char ledger[MARK_MAX - 24];
	int64_t highest;
};
void repeats_load(struct repeats *r, const char *mark);
bool repeats_see(struct repeats *r, struct str ledger, int64_t seq); /* true: it is a repeat */
void repeats_mark(const struct repeats *r, char out[MARK_MAX]);

#endif
