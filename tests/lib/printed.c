#include "tests/lib/printed.h"
#include "tests/lib/unit.h"
#include <inttypes.h>
#include <string.h>

static int keep(void *arg, const struct stat *s)
{
	static const struct stat none;
	struct printed *p = arg;
	if (memcmp(s->count, none.count, sizeof none.count) == 0 && memcmp(s->fen, none.fen, sizeof none.fen) == 0)
		return 0;
	assert_true(p->count < (int)COUNT(p->keys));
	p->keys[p->count++] = *s;
	return 0;
}

static int add(void *arg, const struct stat *s)
{
	struct printed *p = arg;
	int i = 0;
	while (i < p->count && memcmp(&p->keys[i].key, &s->key, sizeof s->key) != 0)
		i++;
	assert_true(i < (int)COUNT(p->keys));
	if (i == p->count)
		p->keys[p->count++].key = s->key;
	for (int c = 0; c < STAT_CELLS; c++) {
		p->keys[i].count[c] += s->count[c];
		p->keys[i].fen[c] += s->fen[c];
	}
	return 0;
}

static void same(const struct printed *was, const struct printed *is, const char *what)
{
	if (was->count != is->count)
		fail_msg("%s of %" PRId64 ": %d keys, then there were %d", what, was->when.seq, is->count, was->count);
	for (int i = 0; i < was->count; i++) {
		const struct stat *a = &was->keys[i], *b = NULL;
		for (int k = 0; k < is->count; k++)
			if (memcmp(&is->keys[k].key, &a->key, sizeof a->key) == 0)
				b = &is->keys[k];
		if (!b || memcmp(a->count, b->count, sizeof a->count) != 0 || memcmp(a->fen, b->fen, sizeof a->fen) != 0)
			fail_msg("%s of %" PRId64 ": %d/%s/%d is other than it was then", what, was->when.seq, a->key.year,
				 a->key.village, a->key.sponsor_type);
	}
}

static struct ledger_view *look(struct flow_world *w)
{
	struct ledger_view *v;
	struct err e = {0};
	if (view_open(&v, w->ledger_path, &e) != 0)
		fail_msg("%s", e.text);
	return v;
}

void print_now(struct flow_world *w, struct printed *out)
{
	struct ledger_view *v = look(w);
	struct err e = {0};
	memset(out, 0, sizeof *out);
	if (view_now(v, &out->when, &e) != 0 || view_stats(v, 0, (struct str){0}, keep, out, &e) != 0)
		fail_msg("%s", e.text);
	view_close(v);
}

static void compare(struct ledger_view *v, const struct printed *then, int64_t seq)
{
	static struct printed is;
	struct err e = {0};
	memset(&is, 0, sizeof is);
	if (view_stats_at(v, seq, 0, (struct str){0}, keep, &is, &e) != 0)
		fail_msg("%s", e.text);
	same(then, &is, "statement");
	memset(&is, 0, sizeof is);
	if (view_recount_at(v, seq, 0, (struct str){0}, add, &is, &e) != 0)
		fail_msg("%s", e.text);
	same(then, &is, "recount");
}

void printed_again(struct flow_world *w, const struct printed *then, const struct printed *next)
{
	struct ledger_view *v = look(w);
	struct moment m;
	struct err e = {0};
	assert_int_equal(view_moment_of(v, then->when.seq, &m, &e), MOMENT_KNOWN);
	assert_int_equal(m.seq, then->when.seq);
	assert_int_equal(m.at, then->when.at);
	compare(v, then, m.seq);
	assert_int_equal(view_moment_at(v, then->when.at, &m, &e), MOMENT_KNOWN);
	assert_true(m.seq >= then->when.seq && m.at == then->when.at);
	if (next && next->when.at > then->when.at) { /* between the two, whoever asks by time gets what was the last before */
		assert_int_equal(view_moment_at(v, next->when.at - 1, &m, &e), MOMENT_KNOWN);
		assert_true(m.seq >= then->when.seq && m.seq < next->when.seq && m.at < next->when.at);
	}
	view_close(v);
}
