#include "adapters/tax/plan.h"
#include "adapters/common/pass.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Sending twice is harmless at that time: the bureau gives the first result again. The window
 * counts from the first instruction, which is never later than any sending. */
static bool covered_at(const struct plan_terms *t, const struct plan_payment *p, int64_t at)
{
	return t->keys == KEYS_HONOURED && at - p->instructed_at <= t->key_window_ms;
}

struct plan plan_of(const struct plan_terms *t, const struct plan_payment *p)
{
	bool again = p->attempt >= 2;
	bool covered = covered_at(t, p, t->now);
	/* The gateway waited for the settlement delay, so "unknown" means never. */
	bool settled = again && !covered_at(t, p, p->decided_at);

	if (t->now > p->not_after) {
		if (!again && !p->ask_first && !p->maybe_sent)
			return (struct plan){ACT_TOO_LATE, ACT_TOO_LATE};
		return (struct plan){ACT_ASK, settled && !p->maybe_sent ? ACT_TOO_LATE : ACT_DOUBT};
	}
	if (p->maybe_sent && !covered)
		return (struct plan){ACT_ASK, ACT_DOUBT};
	if (again)
		return (struct plan){ACT_ASK, settled || covered ? ACT_SEND : ACT_DOUBT};
	if (p->ask_first)
		return (struct plan){ACT_ASK, ACT_DOUBT};
	/* Past the key's window, never sent as far as we know: asking costs little. */
	if (t->keys == KEYS_HONOURED && !covered)
		return (struct plan){ACT_ASK, ACT_SEND};
	return (struct plan){ACT_SEND, ACT_SEND};
}

struct suspects suspects_of(int64_t position, int64_t end, int64_t restored_end)
{
	int64_t below = position + WINDOW_MAX < end ? position + WINDOW_MAX : end;

	return (struct suspects){position, below > restored_end ? below : restored_end};
}

bool suspect(const struct suspects *s, int64_t offset)
{
	return offset >= s->from && offset < s->below;
}

void repeats_load(struct repeats *r, const char *mark)
{
	const char *blank = strrchr(mark, ' ');

	*r = (struct repeats){0};
	if (blank && (str_int(str_of(blank + 1), 0, INT64_MAX, &r->highest) != 0 ||
		      str_copy(r->ledger, sizeof(r->ledger),
			       (struct str){mark, (size_t)(blank - mark)}) != 0))
		*r = (struct repeats){0};
}

bool repeats_see(struct repeats *r, struct str ledger, int64_t seq)
{
	if (seq <= 0 || ledger.n >= sizeof(r->ledger))
		return false;
	if (!str_eq(ledger.p ? ledger : STR(""), str_of(r->ledger))) {
		/* Another ledger or another epoch of it counts anew. */
		if (str_copy(r->ledger, sizeof(r->ledger), ledger) != 0)
			return false;
		r->highest = 0;
	}
	if (seq <= r->highest)
		return true;
	r->highest = seq;
	return false;
}

void repeats_mark(const struct repeats *r, char out[MARK_MAX])
{
	snprintf(out, MARK_MAX, "%s %" PRId64, r->ledger, r->highest);
}
