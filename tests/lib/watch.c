#include "tests/lib/watch.h"
#include "ledger/internal.h"
#include "ledger/stats.h"
#include "tests/lib/unit.h"
#include <string.h>

static const char marks[] =
	"CREATE TABLE watched(seq INTEGER PRIMARY KEY, no INTEGER, token BLOB);"
	"CREATE TRIGGER watch_new AFTER INSERT ON decl BEGIN INSERT INTO watched(no) VALUES(new.no); END;"
	"CREATE TRIGGER watch_row AFTER UPDATE ON decl BEGIN INSERT INTO watched(no) VALUES(new.no); END;"
	"CREATE TRIGGER watch_comer AFTER INSERT ON person BEGIN INSERT INTO watched(token) VALUES(new.token); END;"
	"CREATE TRIGGER watch_person AFTER UPDATE ON person BEGIN INSERT INTO watched(token) VALUES(new.token); END;";
static const char rows_sql[] =
	"SELECT d.no, s.village, d.sponsor_type, d.facts, d.amount_fen, d.voided, d.repeat, d.pid IS NOT NULL, d.sponsor, d.token"
	" FROM decl d JOIN submission s ON s.no = d.sub"
	" WHERE d.no IN (SELECT no FROM watched WHERE seq > ?1 AND seq <= ?2 AND no IS NOT NULL)";
static const char persons_sql[] = "SELECT token, reserved_fen FROM person"
				  " WHERE token IN (SELECT token FROM watched WHERE seq > ?1 AND seq <= ?2 AND token IS NOT NULL"
				  " UNION SELECT d.token FROM watched x JOIN decl d ON d.no = x.no WHERE x.seq > ?1 AND x.seq <= ?2)";
static const char cells_sql[] = "SELECT village, sponsor_type, cell, count, fen FROM stat";

enum { KEYS_MAX = 32, SLOTS = 1 << 12, TOUCHED_MAX = 1 << 12 };

struct row { /* as it was at the last look */
	bool known, counted, live;
	uint32_t facts;
	int key, column;
	int64_t fen;
	struct id token, sponsor;
};
struct slot {
	bool used;
	struct id id;
	int64_t value;
};
struct key {
	char village[13];
	int type;
	int64_t count[STAT_CELLS], fen[STAT_CELLS];
};
struct watch {
	struct store *st;
	struct stmt *last, *changed, *persons, *cells;
	int64_t seen, tier, looked;
	struct row *rows; /* by number */
	int64_t cap;
	struct key keys[KEYS_MAX];
	int key_count;
	struct slot reserved[SLOTS], alive[SLOTS]; /* by token; by token and sponsor */
	struct slot *touched[TOUCHED_MAX];
	int touched_count;
};

static void prepare(struct watch *w, struct stmt **q, const char *sql)
{
	struct err e = {0};
	if (store_prepare(w->st, q, sql, &e) != 0)
		fail_msg("%s", e.text);
}

static bool step(struct stmt *q)
{
	struct err e = {0};
	int got = stmt_step(q, &e);
	if (got < 0)
		fail_msg("%s", e.text);
	return got == 1;
}

struct watch *watch_open(const char *ledger, int64_t highest_tier_fen)
{
	struct watch *w = calloc(1, sizeof *w);
	struct store_options o = {.busy_ms = 10000};
	struct err e = {0};
	assert_non_null(w);
	w->tier = highest_tier_fen;
	if (store_open(&w->st, ledger, &ledger_kind, &o, &e) != 0 || store_exec(w->st, marks, &e) != 0)
		fail_msg("%s", e.text);
	prepare(w, &w->last, "SELECT coalesce(max(seq), 0) FROM watched");
	prepare(w, &w->changed, rows_sql);
	prepare(w, &w->persons, persons_sql);
	prepare(w, &w->cells, cells_sql);
	return w;
}

void watch_close(struct watch *w)
{
	store_close(w->st);
	free(w->rows);
	free(w);
}

int64_t watch_rows(const struct watch *w)
{
	return w->looked;
}

static struct slot *slot_of(struct slot *slots, const struct id *id)
{
	for (size_t i = id_key(id) % SLOTS;; i = (i + 1) % SLOTS) {
		if (!slots[i].used)
			slots[i] = (struct slot){.used = true, .id = *id};
		if (id_eq(&slots[i].id, id))
			return &slots[i];
	}
}

static struct id tuple_of(const struct row *r)
{
	struct id both;
	for (int i = 0; i < ID_LEN; i++)
		both.b[i] = r->token.b[i] ^ r->sponsor.b[ID_LEN - 1 - i];
	return both;
}

static int key_of(struct watch *w, struct str village, int type)
{
	int i = 0;
	while (i < w->key_count && (w->keys[i].type != type || !str_is(village, w->keys[i].village)))
		i++;
	if (i == w->key_count) {
		assert_true(++w->key_count < KEYS_MAX);
		w->keys[i].type = type;
		assert_int_equal(str_copy(w->keys[i].village, sizeof w->keys[i].village, village), 0);
	}
	return i;
}

static void add(struct watch *w, const struct row *r, int sign)
{
	struct key *k = &w->keys[r->key];
	int cells[] = {r->column, ST_DECLARED_TOTAL, r->facts & F_PAID ? ST_COLLECTED_TOTAL : -1,
		       stats_kept(r->facts) ? ST_KEPT_TOTAL : -1};
	for (size_t i = 0; r->counted && i < COUNT(cells); i++)
		if (cells[i] >= 0) {
			k->count[cells[i]] += sign;
			k->fen[cells[i]] += sign * r->fen;
		}
	if (!r->live)
		return;
	struct id tuple = tuple_of(r);
	struct slot *person = slot_of(w->reserved, &r->token), *alive = slot_of(w->alive, &tuple);
	person->value += sign * r->fen;
	alive->value += sign;
	assert_true(w->touched_count < TOUCHED_MAX);
	w->touched[w->touched_count++] = alive;
}

static bool may_become(enum state was, enum state is)
{
	bool refund = is == ST_REFUND_REQUESTED || is == ST_REFUND_IN_DOUBT || is == ST_REFUNDED;
	if (was == is || !state_final(was))
		return true;
	return (was == ST_CREDITED && refund) || (was == ST_CREDIT_REFUSED && (refund || is == ST_CREDITED));
}

static void must_follow(int64_t no, uint32_t was, uint32_t is)
{
	uint32_t lost = was & ~is & ~(uint32_t)(F_DOUBT | F_REFUND_REQUESTED | F_REFUND_DOUBT | F_REFUND_REFUSED);
	enum state s = state_of(is);
	if (lost || !may_become(state_of(was), s))
		fail_msg("row %lld: from %s to %s, facts %x to %x", (long long)no, state_code(state_of(was)), state_code(s), was, is);
	if ((is & F_INSTRUCTED) && (is & (F_REJECTED | F_WITHDRAWN | F_EXPIRED)))
		fail_msg("row %lld: %s after it was instructed", (long long)no, state_code(s));
}

static struct row *row_at(struct watch *w, int64_t no)
{
	if (no >= w->cap) {
		int64_t cap = 2 * no + 1024;
		w->rows = realloc(w->rows, sizeof *w->rows * (size_t)cap);
		assert_non_null(w->rows);
		memset(w->rows + w->cap, 0, sizeof *w->rows * (size_t)(cap - w->cap));
		w->cap = cap;
	}
	return &w->rows[no];
}

static void look_at_row(struct watch *w, struct stmt *q)
{
	int64_t no = stmt_get_int(q, 0);
	struct row *r = row_at(w, no), now = {.known = true};
	struct str sponsor = stmt_get_blob(q, 8), token = stmt_get_blob(q, 9);
	struct decl d = {.facts = (uint32_t)stmt_get_int(q, 3), .amount_known = !stmt_is_null(q, 4)};
	now.facts = d.facts;
	now.key = key_of(w, stmt_get_text(q, 1), (int)stmt_get_int(q, 2));
	now.fen = stmt_get_int(q, 4);
	now.counted = !stmt_get_int(q, 5) && !stmt_get_int(q, 6);
	now.live = stmt_get_int(q, 7) && state_live(state_of(d.facts));
	now.column = stats_column(&d);
	if (sponsor.n == ID_LEN)
		memcpy(now.sponsor.b, sponsor.p, ID_LEN);
	if (token.n == ID_LEN)
		memcpy(now.token.b, token.p, ID_LEN);
	if (r->known) {
		must_follow(no, r->facts, now.facts);
		add(w, r, -1);
	}
	add(w, &now, 1);
	*r = now;
	w->looked++;
}

static void look_at_persons(struct watch *w, int64_t upto)
{
	stmt_int(w->persons, 1, w->seen);
	stmt_int(w->persons, 2, upto);
	while (step(w->persons)) {
		struct id token;
		struct str text = stmt_get_blob(w->persons, 0);
		int64_t reserved = stmt_get_int(w->persons, 1);
		assert_int_equal(text.n, ID_LEN);
		memcpy(token.b, text.p, ID_LEN);
		int64_t sum = slot_of(w->reserved, &token)->value;
		if (reserved != sum || sum > w->tier)
			fail_msg("a person's reservation is %lld, what lives %lld", (long long)reserved, (long long)sum);
	}
	for (int i = 0; i < w->touched_count; i++)
		assert_in_range(w->touched[i]->value, 0, 1);
	w->touched_count = 0;
}

static void sums(const struct key *k, int first, int last, int total)
{
	int64_t count = 0, fen = 0;
	for (int c = first; c <= last; c++) {
		count += k->count[c];
		fen += k->fen[c];
	}
	assert_int_equal(count, k->count[total]);
	assert_int_equal(fen, k->fen[total]);
}

static void look_at_statistics(struct watch *w)
{
	int64_t kept[KEYS_MAX] = {0}, counted[KEYS_MAX] = {0};
	while (step(w->cells)) {
		int k = key_of(w, stmt_get_text(w->cells, 0), (int)stmt_get_int(w->cells, 1)), c = (int)stmt_get_int(w->cells, 2);
		int64_t count = stmt_get_int(w->cells, 3), fen = stmt_get_int(w->cells, 4);
		assert_in_range(c, 0, STAT_CELLS - 1);
		if (count != w->keys[k].count[c] || fen != w->keys[k].fen[c])
			fail_msg("%s/%d, cell %d: %lld rows with %lld fen, of the rows themselves %lld with %lld", w->keys[k].village,
				 w->keys[k].type, c, (long long)count, (long long)fen, (long long)w->keys[k].count[c],
				 (long long)w->keys[k].fen[c]);
		kept[k] += count;
	}
	for (int k = 0; k < w->key_count; k++) {
		for (int c = 0; c < STAT_CELLS; c++)
			counted[k] += w->keys[k].count[c];
		assert_int_equal(kept[k], counted[k]); /* no cell is missing */
		sums(&w->keys[k], 0, STAT_COLUMNS - 1, ST_DECLARED_TOTAL);
		sums(&w->keys[k], SC_REFUND_REQUESTED, SC_AWAITING_CREDIT, ST_COLLECTED_TOTAL);
		sums(&w->keys[k], SC_CREDITED, SC_AWAITING_CREDIT, ST_KEPT_TOTAL);
	}
}

void watch_look(struct watch *w)
{
	(void)step(w->last);
	int64_t upto = stmt_get_int(w->last, 0);
	stmt_reset(w->last);
	if (upto == w->seen)
		return;
	stmt_int(w->changed, 1, w->seen);
	stmt_int(w->changed, 2, upto);
	while (step(w->changed))
		look_at_row(w, w->changed);
	look_at_persons(w, upto);
	look_at_statistics(w);
	w->seen = upto;
}
