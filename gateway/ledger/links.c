/* Links between the tokens of one person. Few people ever change their number, so all links are kept in memory, loaded at start:
 * who has none costs one look at an empty or small table. The tokens of a group form a ring. */
#include "ledger/links.h"
#include "ledger/internal.h"
#include <stdlib.h>
#include <string.h>

static struct link *find(const struct ledger *l, const struct id *token)
{
	size_t at = SIZE_MAX;
	if (l->link_by_token.count == 0)
		return NULL;
	for (struct link *k; (k = map_next(&l->link_by_token, id_key(token), &at));)
		if (k->next && id_eq(&k->token, token))
			return k;
	return NULL;
}

int links_of(const struct ledger *l, const struct id *token, struct id out[LINK_MAX])
{
	const struct link *first = find(l, token);
	int n = 0;
	out[n++] = *token;
	for (const struct link *k = first ? first->next : NULL; k && k != first && n < LINK_MAX; k = k->next)
		out[n++] = k->token;
	return n;
}

/* A ring of its own for a token that has none. */
static struct link *make(struct ledger *l, const struct id *token, const struct id *group, struct err *e)
{
	struct link *k = pool_take(&l->links);
	if (!k || map_put(&l->link_by_token, id_key(token), k) != 0) {
		err_set(e, ERR_TEMP, "ledger: out of memory");
		return NULL;
	}
	k->token = *token;
	k->group = *group;
	k->next = k;
	return k;
}

/* Two rings become one. */
static void join(struct link *a, struct link *b)
{
	struct link *after = a->next;
	a->next = b->next;
	b->next = after;
}

static int write(struct ledger *l, const struct link *k, struct err *e)
{
	struct stmt *q = l->q[Q_LINK_PUT];
	stmt_blob(q, 1, k->token.b, ID_LEN);
	stmt_blob(q, 2, k->group.b, ID_LEN);
	return stmt_run(q, e);
}

int link_put(struct ledger *l, const struct id *a, const struct id *b, const struct id *group, struct err *e)
{
	struct link *one = find(l, a), *two = find(l, b);
	if ((!one && !(one = make(l, a, group, e))) || (!two && !(two = make(l, b, group, e))))
		return -1;
	join(one, two);
	struct link *k = one;
	do {
		k->group = *group;
		if (write(l, k, e) != 0)
			return -1;
		k = k->next;
	} while (k != one);
	return 0;
}

static int drop(struct ledger *l, struct link *k, struct err *e)
{
	struct stmt *q = l->q[Q_LINK_FORGET];
	k->next = NULL; /* its slot stays and is passed over */
	stmt_blob(q, 1, k->token.b, ID_LEN);
	return stmt_run(q, e);
}

int link_drop(struct ledger *l, const struct id *token, struct err *e)
{
	struct link *k = find(l, token), *before = k;
	if (!k)
		return 0;
	while (before->next != k)
		before = before->next;
	before->next = k->next;
	if (drop(l, k, e) != 0)
		return -1;
	return before != k && before->next == before ? drop(l, before, e) : 0;
}

int links_load(struct ledger *l, struct err *e)
{
	struct stmt *q = l->q[Q_LINK_ALL];
	struct link *last = NULL;
	int got;
	l->links.size = sizeof(struct link);
	while ((got = stmt_step(q, e)) == 1) {
		struct str t = stmt_get_blob(q, 0), g = stmt_get_blob(q, 1);
		struct id token = {{0}}, group = {{0}};
		if (t.n != ID_LEN || g.n != ID_LEN)
			continue;
		memcpy(token.b, t.p, ID_LEN);
		memcpy(group.b, g.p, ID_LEN);
		struct link *k = make(l, &token, &group, e);
		if (!k) {
			stmt_reset(q);
			return -1;
		}
		if (last && id_eq(&last->group, &group))
			join(last, k);
		last = k;
	}
	stmt_reset(q);
	return got;
}

int view_links(struct ledger_view *v, const struct id *token, struct id out[LINK_MAX], struct err *e)
{
	struct stmt *q;
	int got, n = 0;
	out[n++] = *token;
	if (store_prepare(view_store(v), &q,
			  "SELECT token FROM person_link WHERE token <> ?1 AND grp = (SELECT grp FROM person_link WHERE token = ?1)"
			  " ORDER BY token",
			  e) != 0)
		return -1;
	stmt_blob(q, 1, token->b, ID_LEN);
	while ((got = stmt_step(q, e)) == 1 && n < LINK_MAX) {
		struct str t = stmt_get_blob(q, 0);
		if (t.n == ID_LEN)
			memcpy(out[n++].b, t.p, ID_LEN);
	}
	stmt_reset(q);
	return got < 0 ? -1 : n;
}

int64_t view_outside(struct ledger_view *v, const struct id *token, int year, struct err *e)
{
	struct stmt *q;
	if (store_prepare(view_store(v), &q, "SELECT outside_fen FROM person WHERE token = ?1 AND year = ?2", e) != 0)
		return -1;
	stmt_blob(q, 1, token->b, ID_LEN);
	stmt_int(q, 2, year);
	int got = stmt_step(q, e);
	int64_t fen = got == 1 ? stmt_get_int(q, 0) : got;
	stmt_reset(q);
	return fen;
}
