/* One topic carried to one endpoint of the SSA: take a window, send it in batches, publish what the
 * answers say, flush, store the position. Whatever fails is sent again with the same content; a
 * batch that is refused as a whole is halved; a row that an answer leaves out is sent again alone,
 * and left out PASS_ROUNDS times it goes to rejects.ssa. */
#include "adapters/ssa/ssa.h"
#include <stdlib.h>
#include <string.h>

enum { JSON_MAX = 8 << 20 };

static int take(struct work *w, const struct bus_record *records, int count, struct err *e);
static int take_all(struct work *w, const struct bus_record *records, int count, struct err *e);
static void fill_pass(struct work *w);
static int record(struct work *w, const int *rows, int count, struct err *e);
static int one_group(const struct work *w, const int *rows, int count);
static int exchange(struct work *w, int64_t *wait_ms, struct err *e);
static void write_body(struct work *w, const int *rows, int count);
static int settle(struct work *w, const int *rows, int count, const struct answer *answer,
		  bool *again, struct err *e);
static int refuse(struct work *w, const struct work_row *row, const char *why, struct err *e);
static int left_out_in_order(struct work *w, int count, bool *again, const struct work_row *row,
			     struct err *e);
static int give_up(struct work *w, const struct work_row *row, struct err *e);
static int finish(struct work *w, struct err *e);

int work_open(struct work *w, struct ssa *s, const struct work_kind *kind, struct err *e)
{
	w->kind = kind;
	w->ssa = s;
	jsonout_init(&w->json, JSON_MAX);
	idle_init(&w->idle, &s->adapter.role->conf);
	peer_add(&s->peer, &w->backoff, kind->topic);
	return bus_reader_open(s->adapter.bus, &w->reader, kind->topic, s->adapter.role->name, e);
}

void work_close(struct work *w)
{
	bus_reader_close(w->reader);
	jsonout_fini(&w->json);
}

int work_turn(void *arg, int64_t *wait_ms, struct err *e)
{
	struct work *w = arg;
	const struct bus_record *records;
	int count;

	*wait_ms = 0;
	if (!w->open) {
		count = bus_read(w->reader, WINDOW_MAX, &records, e);
		if (count < 0)
			return -1;
		if (count == 0) {
			*wait_ms = idle_next(&w->idle);
			return 0;
		}
		idle_reset(&w->idle);
		if (take(w, records, count, e) != 0)
			return -1;
	}
	if (!pass_over(&w->pass) && exchange(w, wait_ms, e) != 0)
		return -1;
	if (pass_over(&w->pass))
		return finish(w, e);
	/* While the peer is away, what was settled so far must be known to the others. */
	return *wait_ms > 0 ? adapter_flush(&w->ssa->adapter, e) : 0;
}

struct work_row *work_add(struct work *w, const struct bus_record *r, const struct id *key,
			  int64_t version)
{
	int old = idmap_find(&w->keys, key);
	struct work_row *row;

	if (old >= 0) {
		TALLY(C_ABSORBED);
		if (version <= w->rows[old].version)
			return NULL;
		w->rows[old].dead = true;
		idmap_set(&w->keys, key, w->count);
	} else {
		idmap_add(&w->keys, key, w->count);
	}
	row = &w->rows[w->count++];
	*row = (struct work_row){.rec = r, .key = *key, .version = version, .at = w->json.buf.len};
	return row;
}

int work_added(struct work *w, struct work_row *row, struct err *e)
{
	row->len = w->json.buf.len - row->at;
	return w->json.full ? err_set(e, ERR_TEMP, "window: no room for its rows") : 0;
}

int work_identity(struct work *w, const struct bus_record *r, const struct id *token,
		  struct str sealed, struct str *number, struct str *name, struct err *e)
{
	struct ssa *s = w->ssa;
	struct err why = {0};

	if (identity_open(s->keys, token, sealed, &s->identity, number, name, &why) == 0) {
		w->identities++;
		return 1;
	}
	if (why.class != ERR_PERM) {
		*e = why;
		return -1;
	}
	TALLY(C_REJECTED);
	return adapter_reject(&s->adapter, w->kind->topic, r, seal_destroyed(s->keys, sealed) ? "identity_destroyed" : "identity", why.text, e);
}

/* What was opened is recorded even when the window comes to nothing. */
static int take(struct work *w, const struct bus_record *records, int count, struct err *e)
{
	char place[AUDIT_PLACE];
	struct err why = {0};
	int rc;

	w->identities = 0;
	rc = take_all(w, records, count, e);
	if (w->kind->opened && adapter_note(&w->ssa->adapter, w->kind->opened, audit_place(place, w->kind->topic, records),
					     w->identities, &why) != 0 &&
	    rc == 0) {
		*e = why;
		rc = -1;
	}
	if (rc == 0)
		fill_pass(w);
	return rc;
}

static int take_all(struct work *w, const struct bus_record *records, int count, struct err *e)
{
	union {
		struct contribution_enquiry enquiry;
		struct collected_subsidy collected;
		struct subsidy_refunded refunded;
		struct collection_statistics statistics;
	} ev;

	w->open = true;
	w->count = 0;
	jsonout_reset(&w->json);
	idmap_reset(&w->keys);
	for (int i = 0; i < count; i++) {
		enum event_type type;
		int rc = adapter_decode(&w->ssa->adapter, w->kind->topic, &records[i],
					w->kind->first, w->kind->last, &type, &ev, e);

		if (rc == 0)
			TALLY(C_REJECTED);
		if (rc < 0 || (rc > 0 && w->kind->take(w, &records[i], type, &ev, e) != 0))
			return -1;
	}
	return 0;
}

/* Live rows, group after group, otherwise in their order. */
static void fill_pass(struct work *w)
{
	int64_t group = INT64_MIN;
	bool more = true;

	pass_init(&w->pass);
	while (more) {
		int64_t next = INT64_MAX;

		for (int i = 0; i < w->count; i++) {
			if (!w->rows[i].dead && w->rows[i].group == group)
				pass_add(&w->pass, i);
			else if (!w->rows[i].dead && w->rows[i].group > group &&
				 w->rows[i].group < next)
				next = w->rows[i].group;
		}
		more = next != INT64_MAX;
		group = next;
	}
}

static int one_group(const struct work *w, const int *rows, int count)
{
	for (int i = 1; i < count; i++) {
		if (w->rows[rows[i]].group != w->rows[rows[0]].group)
			return i;
	}
	return count;
}

static int exchange(struct work *w, int64_t *wait_ms, struct err *e)
{
	struct peer *peer = &w->ssa->peer;
	struct answer answer;
	enum exchange x;
	const int *rows;
	bool again = false;
	int count, rc = 0;

	*wait_ms = peer_wait(peer, &w->backoff);
	if (*wait_ms > 0 || !pass_head(&w->pass, (int)peer->conf->batch_rows, &rows, &count))
		return 0;
	pass_head(&w->pass, one_group(w, rows, count), &rows, &count);
	write_body(w, rows, count);
	if (w->ssa->body.full)
		return err_set(e, ERR_TEMP, "%s: no room for the body", w->kind->path);
	if (record(w, rows, count, e) != 0)
		return -1;
	TALLY(C_REQUESTS);
	x = peer_exchange(peer, &w->backoff, w->kind->path, jsonout_text(&w->ssa->body), NULL,
			  &answer);
	if (x == EX_SPLIT) {
		TALLY(C_HALVED);
		backoff_worked(peer, &w->backoff, answer.http.took_ms);
		if (pass_split(&w->pass))
			return 0;
		rc = refuse(w, &w->rows[rows[0]], answer.why, e);
	} else if (x == EX_DONE) {
		rc = settle(w, rows, count, &answer, &again, e);
	} else {
		again = true;
	}
	if (rc != 0)
		return rc;
	if (again) {
		TALLY(C_RETRIED);
		*wait_ms = peer_wait(peer, &w->backoff);
		return 0;
	}
	pass_drop(&w->pass);
	return 0;
}

/* Before each request, repeats included: each of them hands the rows over. */
static int record(struct work *w, const int *rows, int count, struct err *e)
{
	char hex[ID_HEX], place[AUDIT_PLACE];
	const char *batch = id_is_zero(&w->batch) ? audit_place(place, w->kind->topic, w->rows[rows[0]].rec) : id_hex(&w->batch, hex);

	return w->kind->handed_over ? adapter_audit(&w->ssa->adapter, w->kind->handed_over, batch, count, e) : 0;
}

static void write_body(struct work *w, const int *rows, int count)
{
	struct jsonout *j = &w->ssa->body;

	jsonout_reset(j);
	w->kind->head(w, rows, count);
	for (int i = 0; i < count; i++) {
		const struct work_row *row = &w->rows[rows[i]];

		jsonout_raw(j, i ? STR(",") : STR(""));
		jsonout_raw(j, (struct str){(const char *)w->json.buf.data + row->at, row->len});
	}
	jsonout_raw(j, str_of(w->kind->foot));
}

static int settle(struct work *w, const int *rows, int count, const struct answer *answer,
		  bool *again, struct err *e)
{
	struct peer *peer = &w->ssa->peer;
	json_t *root = jsonin_parse(answer->http.body);
	bool seen[WINDOW_MAX] = {false};
	const char *why = "answer is no JSON object";
	int rc = 0;

	if (root) {
		why = NULL;
		rc = w->kind->answered(w, rows, count, root, seen, &why, e);
		jsonin_free(root);
	}
	if (rc != 0)
		return rc;
	if (why) {
		*again = true;
		backoff_failed(peer, &w->backoff, -1, why);
		return 0;
	}
	backoff_worked(peer, &w->backoff, answer->http.took_ms);
	for (int i = 0; i < count && rc == 0; i++) {
		if (seen[i])
			continue;
		if (w->kind->ordered)
			return left_out_in_order(w, count, again, &w->rows[rows[i]], e);
		if (!pass_aside(&w->pass, rows[i]))
			rc = give_up(w, &w->rows[rows[i]], e);
	}
	w->left_out = 0;
	return rc;
}

/* The batch goes out again at once, in halves, so that the row that is left out ends alone and
 * nothing behind it gets ahead of it. */
static int left_out_in_order(struct work *w, int count, bool *again, const struct work_row *row,
			     struct err *e)
{
	*again = true;
	if (count > 1) {
		pass_split(&w->pass);
		return 0;
	}
	if (++w->left_out <= PASS_ROUNDS) {
		backoff_failed(&w->ssa->peer, &w->backoff, -1, "a row is left out of the answer");
		return 0;
	}
	*again = false;
	w->left_out = 0;
	return give_up(w, row, e);
}

/* What the SSA made of it stays unknown: nothing is said in its place. */
static int give_up(struct work *w, const struct work_row *row, struct err *e)
{
	TALLY(C_REJECTED);
	return adapter_reject(&w->ssa->adapter, w->kind->topic, row->rec, "no_answer",
			      "the answers leave it out, also when asked alone", e);
}

static int refuse(struct work *w, const struct work_row *row, const char *why, struct err *e)
{
	TALLY(C_REJECTED);
	if (adapter_reject(&w->ssa->adapter, w->kind->topic, row->rec, "refused", why, e) != 0)
		return -1;
	return w->kind->refused ? w->kind->refused(w, row, e) : 0;
}

static int finish(struct work *w, struct err *e)
{
	if (adapter_flush(&w->ssa->adapter, e) != 0 || adapter_store_position(w->reader, e) != 0)
		return -1;
	/* The rows name people: not kept longer than needed. */
	if (w->json.buf.data)
		explicit_bzero(w->json.buf.data, w->json.buf.len);
	w->open = false;
	return 0;
}
