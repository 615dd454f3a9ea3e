/* Statistics: all keys in memory (a few thousand at most), dirty ones written with the transaction. */
#include "ledger/stats.h"
#include "ledger/internal.h"
#include <stdlib.h>
#include <string.h>

static uint64_t hash_key(const struct stat_key *k)
{
	uint64_t h = 14695981039346656037ULL;
	for (const char *p = k->village; *p; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211ULL;
	return (h ^ (uint64_t)k->year) * 1099511628211ULL ^ (uint64_t)(uint32_t)k->sponsor_type;
}

/* Keys are found by index + 1 kept as the map's value, since the array moves when it grows. */
static struct stat *find(struct ledger *l, const struct stat_key *k)
{
	size_t at = SIZE_MAX;
	for (void *v; (v = map_next(&l->stat_by_key, hash_key(k), &at));) {
		struct stat *s = &l->stats[(uintptr_t)v - 1];
		if (s->key.year == k->year && s->key.sponsor_type == k->sponsor_type &&
		    strcmp(s->key.village, k->village) == 0)
			return s;
	}
	if (l->stat_count == l->stat_cap) {
		int cap = l->stat_cap ? l->stat_cap * 2 : 256;
		struct stat *more = realloc(l->stats, sizeof(*more) * (size_t)cap);
		if (!more)
			return NULL;
		l->stats = more;
		l->stat_cap = cap;
	}
	struct stat *s = &l->stats[l->stat_count++];
	memset(s, 0, sizeof(*s));
	s->key = *k;
	return map_put(&l->stat_by_key, hash_key(k), (void *)(uintptr_t)l->stat_count) == 0 ? s : NULL;
}

int stats_add(struct ledger *l, const struct stat_key *k, int cell, int64_t count, int64_t fen, struct err *e)
{
	struct stat *s = find(l, k);
	if (!s)
		return err_set(e, ERR_TEMP, "ledger: out of memory");
	s->count[cell] += count;
	s->fen[cell] += fen;
	s->changed |= UINT32_C(1) << cell;
	s->dirty = true;
	return 0;
}

int stats_column(const struct decl *d)
{
	enum state st = state_of(d->facts);
	if (st == ST_REJECTED && !d->amount_known)
		return SC_UNREADABLE;
	return stat_column_of(st);
}

bool stats_collected(uint32_t facts)
{
	return facts & F_PAID;
}

bool stats_kept(uint32_t facts)
{
	return (facts & F_PAID) && !(facts & (F_REFUND_REQUESTED | F_REFUND_DOUBT | F_REFUNDED));
}

int stats_each_dirty(struct ledger *l, int (*fn)(void *arg, struct stat *s, struct err *e), void *arg, struct err *e)
{
	for (int i = 0; i < l->stat_count; i++)
		if (l->stats[i].dirty && fn(arg, &l->stats[i], e) != 0)
			return -1;
	return 0;
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

int stat_pack(struct buf *out, const struct stat *s)
{
	uint32_t mask = 0;
	for (int c = 0; c < STAT_CELLS; c++)
		if (s->count[c] || s->fen[c])
			mask |= UINT32_C(1) << c;
	int rc = buf_put_varint(out, zigzag(s->version)) | buf_put_varint(out, mask);
	for (int c = 0; c < STAT_CELLS; c++)
		if (mask >> c & 1)
			rc |= buf_put_varint(out, zigzag(s->count[c])) | buf_put_varint(out, zigzag(s->fen[c]));
	return rc;
}

int stat_unpack(struct str blob, struct stat *s)
{
	struct cursor c = cursor_of(blob.p, blob.n);
	s->version = unzigzag(cursor_varint(&c));
	uint64_t mask = cursor_varint(&c);
	for (int i = 0; i < STAT_CELLS; i++) {
		bool there = mask >> i & 1;
		s->count[i] = there ? unzigzag(cursor_varint(&c)) : 0;
		s->fen[i] = there ? unzigzag(cursor_varint(&c)) : 0;
	}
	return c.bad || c.p != c.end || mask >> STAT_CELLS ? -1 : 0;
}

static void bind_key(struct stmt *q, int i, const struct stat_key *k)
{
	stmt_int(q, i, k->year);
	stmt_text(q, i + 1, str_of(k->village));
	stmt_int(q, i + 2, k->sponsor_type);
}

static int log_put(struct ledger *l, const struct stat *s, struct err *e)
{
	struct stmt *q = l->q[Q_STAT_LOG_PUT];
	struct buf cells;
	int rc = -1;
	buf_init(&cells, 1 << 10);
	if (stat_pack(&cells, s) != 0) {
		err_set(e, ERR_TEMP, "ledger: out of memory");
	} else {
		stmt_int(q, 1, l->last_history);
		bind_key(q, 2, &s->key);
		stmt_int(q, 5, l->stat_at);
		stmt_blob(q, 6, cells.data, cells.len);
		rc = stmt_run(q, e);
	}
	buf_fini(&cells);
	return rc;
}

static int stat_write(struct ledger *l, const struct stat *s, struct err *e)
{
	struct stmt *q = l->q[Q_STAT_PUT];
	for (int c = 0; c < STAT_CELLS; c++) {
		if (!(s->changed >> c & 1))
			continue;
		bind_key(q, 1, &s->key);
		stmt_int(q, 4, c);
		stmt_int(q, 5, s->count[c]);
		stmt_int(q, 6, s->fen[c]);
		if (stmt_run(q, e) != 0)
			return -1;
	}
	q = l->q[Q_STAT_VERSION_PUT];
	bind_key(q, 1, &s->key);
	stmt_int(q, 4, s->version);
	return stmt_run(q, e) != 0 ? -1 : log_put(l, s, e);
}

/* One sequence names one state: a transaction that changed statistics and nothing in the history gets a line there. */
static int next_moment(struct ledger *l, struct err *e)
{
	if (l->last_history <= l->stat_seq && history_mark(l, "statistics", e) != 0)
		return -1;
	l->stat_seq = l->last_history;
	l->stat_at = l->now > l->stat_at ? l->now : l->stat_at;
	return 0;
}

int stats_write(struct ledger *l, struct err *e)
{
	bool first = true;
	for (int i = 0; i < l->stat_count; i++) {
		struct stat *s = &l->stats[i];
		if (!s->dirty)
			continue;
		if ((first && next_moment(l, e) != 0) || stat_write(l, s, e) != 0)
			return -1;
		first = s->dirty = false;
		s->changed = 0;
	}
	return 0;
}

static void key_read(struct stat_key *k, struct stmt *q)
{
	memset(k, 0, sizeof(*k));
	k->year = (int32_t)stmt_get_int(q, 0);
	str_copy(k->village, sizeof(k->village), stmt_get_text(q, 1));
	k->sponsor_type = (int32_t)stmt_get_int(q, 2);
}

int stats_load(struct ledger *l, struct err *e)
{
	struct stmt *q;
	struct stat_key k;
	int got;
	if (store_prepare(l->st, &q, "SELECT year, village, sponsor_type, cell, count, fen FROM stat", e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		key_read(&k, q);
		struct stat *s = find(l, &k);
		int64_t cell = stmt_get_int(q, 3);
		if (!s || cell < 0 || cell >= STAT_CELLS)
			return err_set(e, ERR_SAFE, "ledger: statistics damaged; restore the last backup");
		s->count[cell] = stmt_get_int(q, 4);
		s->fen[cell] = stmt_get_int(q, 5);
	}
	if (got < 0 ||
	    store_prepare(l->st, &q, "SELECT year, village, sponsor_type, version FROM stat_version", e) != 0)
		return -1;
	while ((got = stmt_step(q, e)) == 1) {
		key_read(&k, q);
		struct stat *s = find(l, &k);
		if (s)
			s->version = stmt_get_int(q, 3);
	}
	if (got < 0 || one_int(l->st, "SELECT value FROM meta WHERE key = 'stat_base'", &l->stat_seq, e) != 0 ||
	    store_prepare(l->st, &q, "SELECT seq, at FROM stat_log ORDER BY seq DESC LIMIT 1", e) != 0)
		return -1;
	got = stmt_step(q, e);
	if (got == 1) {
		l->stat_seq = stmt_get_int(q, 0);
		l->stat_at = stmt_get_int(q, 1);
	}
	stmt_reset(q);
	return got < 0 ? -1 : 0;
}

void stats_fini(struct ledger *l)
{
	free(l->stats);
	map_fini(&l->stat_by_key);
}

const char *stats_type_code(int sponsor_type)
{
	return sponsor_type < 0 ? "unknown" : sponsor_type_code((enum sponsor_type)sponsor_type);
}

const char *stats_cell_code(int cell)
{
	static const char *const totals[] = {"declared", "collected", "kept"};
	return cell >= STAT_COLUMNS ? totals[cell - STAT_COLUMNS] : stat_column_code((enum stat_column)cell);
}
