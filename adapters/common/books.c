#include "adapters/common/books.h"
#include "base/date.h"
#include "crypto/digest.h"
#include "crypto/ids.h"
#include "domain/citizen_id.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TOPIC "requests"
enum { NUMBER_MAX = 32, PATH_MAX_BYTES = 1024, TIME_BYTES = 40 };

struct book_page {
	const json_t *root, *entries;
	int64_t as_of;
	char next[BOOK_CURSOR]; /* "": it is the last one */
};
static int take_request(struct books *b, const struct bus_record *r, struct err *e);
static void begin(struct books *b);
static int read_page(struct books *b, int64_t *wait_ms, struct err *e);
static const char *read_head(struct books *b, const json_t *root, struct book_page *p);
static int publish_page(struct books *b, const struct book_page *p, struct err *e);
static int publish_entry(struct books *b, const json_t *entry, struct err *e);
static int reject(struct books *b, const json_t *entry, struct err *e);
static int close_book(struct books *b, const json_t *root, struct err *e);

int books_open(struct books *b, struct adapter *a, struct peer *peer, struct keyring *keys, struct err *e)
{
	*b = (struct books){.a = a, .peer = peer, .keys = keys};
	idle_init(&b->idle, &a->role->conf);
	peer_add(peer, &b->backoff, "book");
	return bus_reader_open(a->bus, &b->reader, TOPIC, a->role->name, e);
}

void books_close(struct books *b)
{
	bus_reader_close(b->reader);
	b->reader = NULL;
}

int books_turn(void *arg, int64_t *wait_ms, struct err *e)
{
	struct books *b = arg;
	const struct bus_record *records;
	int count;

	if (b->open)
		return read_page(b, wait_ms, e);
	count = bus_read(b->reader, 1, &records, e);
	if (count < 0)
		return -1;
	if (count == 0) {
		*wait_ms = idle_next(&b->idle);
		return 0;
	}
	idle_reset(&b->idle);
	return take_request(b, &records[0], e);
}

/* One that is for another system, or that this program does not know, is passed over. */
static int take_request(struct books *b, const struct bus_record *r, struct err *e)
{
	struct book_request q;
	enum event_type type;
	int rc = adapter_decode(b->a, TOPIC, r, EV_BOOK_REQUEST, EV_BOOK_REQUEST, &type, &q, e);

	if (rc < 0)
		return -1;
	if (rc > 0 && str_is(q.system, b->a->role->name) && str_is(q.kind, "book")) {
		b->run_id = q.run_id;
		b->year = q.year;
		b->from = q.from;
		b->to = q.to;
		begin(b);
		return 0;
	}
	return adapter_flush(b->a, e) != 0 ? -1 : adapter_store_position(b->reader, e);
}

static void begin(struct books *b)
{
	random_bytes(&b->attempt, sizeof b->attempt);
	b->attempt &= INT64_MAX;
	b->seq = 0;
	b->as_of = 0;
	b->cursor[0] = '\0';
	b->open = true;
}

static struct id event_id(const struct books *b, const char *what, int64_t seq)
{
	struct str parts[] = {str_of(what), str_of(b->a->role->name), {(const char *)b->run_id.b, ID_LEN},
			      {(const char *)&b->attempt, sizeof b->attempt}, {(const char *)&seq, sizeof seq}};
	struct id id;

	id_make(&id, parts, 5);
	return id;
}

static int publish(struct books *b, enum event_type t, const void *event, int64_t seq, struct err *e)
{
	struct id id = event_id(b, event_name(t), seq);

	return adapter_publish(b->a, t, event, (struct str){(const char *)b->run_id.b, ID_LEN}, &id, &b->run_id, e);
}

static void put_escaped(struct buf *path, const char *text)
{
	for (const char *c = text; *c; c++)
		if (isalnum((unsigned char)*c) || strchr("-._~", *c))
			buf_printf(path, "%c", *c);
		else
			buf_printf(path, "%%%02X", (unsigned char)*c);
}

static int put_path(const struct books *b, struct buf *path)
{
	char time[TIME_BYTES];

	buf_printf(path, "/v1/book?year=%d&limit=%d&from=", (int)b->year, BOOK_PAGE);
	put_escaped(path, time_text(time, b->from));
	buf_printf(path, "&to=");
	put_escaped(path, time_text(time, b->to));
	buf_printf(path, "&cursor=");
	put_escaped(path, b->cursor);
	return path->len < PATH_MAX_BYTES - 1 ? 0 : -1;
}

/* One exchange; all of the page is durable before the cursor moves. */
static int read_page(struct books *b, int64_t *wait_ms, struct err *e)
{
	struct answer answer;
	struct buf path;
	enum exchange x;
	struct book_page page;
	const char *wrong;
	json_t *root;
	int rc;

	*wait_ms = peer_wait(b->peer, &b->backoff);
	if (*wait_ms > 0)
		return 0;
	buf_init(&path, PATH_MAX_BYTES);
	rc = put_path(b, &path);
	x = rc == 0 ? peer_exchange(b->peer, &b->backoff, buf_text(&path), (struct str){NULL, 0}, NULL, &answer) : EX_SPLIT;
	buf_fini(&path);
	if (x == EX_SPLIT) { /* a cursor that the agency does not know: from the start */
		backoff_failed(b->peer, &b->backoff, -1, rc == 0 ? answer.why : "cursor too long");
		begin(b);
	}
	if (x != EX_DONE) {
		*wait_ms = peer_wait(b->peer, &b->backoff);
		return 0;
	}
	root = jsonin_parse(answer.http.body);
	wrong = read_head(b, root, &page);
	if (wrong) {
		backoff_failed(b->peer, &b->backoff, -1, wrong);
		*wait_ms = peer_wait(b->peer, &b->backoff);
	} else {
		backoff_worked(b->peer, &b->backoff, answer.http.took_ms);
	}
	rc = wrong ? 0 : publish_page(b, &page, e);
	jsonin_free(root);
	return rc;
}

/* NULL, or what is wrong with it. */
static const char *read_head(struct books *b, const json_t *root, struct book_page *p)
{
	struct str next;

	p->root = root;
	p->entries = root ? jsonin_list(root, "entries") : NULL;
	if (!p->entries || jsonin_time(root, "as_of", &p->as_of) != 0)
		return "answer is no page of a book";
	if (jsonin_str_or_null(root, "next", sizeof p->next - 1, &next) != 0 || str_copy(p->next, sizeof p->next, next) != 0)
		return "cursor too long";
	return p->next[0] && strcmp(p->next, b->cursor) == 0 ? "cursor does not move" : NULL;
}

/* The moment of the book is that of its first page: what happened later may or may not be on the others. */
static int publish_page(struct books *b, const struct book_page *p, struct err *e)
{
	struct book_opened opened = {.run_id = b->run_id, .from = b->from, .to = b->to, .attempt = b->attempt};
	size_t count = json_array_size(p->entries);

	if (b->cursor[0] == '\0') {
		b->as_of = p->as_of;
		if (publish(b, EV_BOOK_OPENED, &opened, 0, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++)
		if (publish_entry(b, json_array_get(p->entries, i), e) != 0)
			return -1;
	if (!p->next[0])
		return close_book(b, p->root, e);
	memcpy(b->cursor, p->next, sizeof b->cursor);
	return adapter_flush(b->a, e);
}

static int publish_entry(struct books *b, const json_t *entry, struct err *e)
{
	struct book_entry out = {.run_id = b->run_id, .attempt = b->attempt, .seq = b->seq + 1};
	char number[NUMBER_MAX];
	struct err why = {0};
	struct str raw = {NULL, 0}, id;
	bool good = jsonin_str_or_null(entry, "payment_id", ID_HEX - 1, &id) == 0 && (!id.p || id_parse(&out.payment_id.v, id) == 0) &&
		    jsonin_str_or_null(entry, "number", NUMBER_MAX, &raw) == 0 &&
		    jsonin_int(entry, "amount_fen", 0, INT32_MAX, &out.amount_fen) == 0 && jsonin_time(entry, "at", &out.at) == 0 &&
		    jsonin_str(entry, "state", 24, &out.state) == 0 && jsonin_str_or_null(entry, "receipt", 20, &out.receipt) == 0;

	b->entries++;
	if (!good)
		return reject(b, entry, e);
	out.payment_id.set = id.p != NULL;
	if (raw.p && citizen_id_normalise(raw, number, sizeof number) == 0 && number[0] != '\0') {
		token_of(b->keys, str_of(number), &out.token.v);
		out.token.set = true;
		explicit_bzero(number, sizeof number);
	}
	if (publish(b, EV_BOOK_ENTRY, &out, out.seq, &why) == 0) {
		b->seq++;
		return 0;
	}
	if (why.class == ERR_PERM)
		return reject(b, entry, e);
	*e = why;
	return -1;
}

/* Without it the totals do not match, and the run says so. */
static int reject(struct books *b, const json_t *entry, struct err *e)
{
	static const char *const shown[] = {"payment_id", "amount_fen", "state", "at"};
	struct jsonout text;
	char feed[24];
	int rc;

	b->unreadable++;
	jsonout_init(&text, 4096);
	jsonin_show(entry, shown, sizeof shown / sizeof shown[0], &text);
	snprintf(feed, sizeof feed, "%s/book", b->a->role->name);
	rc = adapter_reject_entry(b->a, feed, b->seq, "unreadable_entry", jsonout_text(&text), e);
	jsonout_fini(&text);
	return rc;
}

static int close_book(struct books *b, const json_t *root, struct err *e)
{
	struct book_closed closed = {.run_id = b->run_id, .attempt = b->attempt, .as_of = b->as_of};

	/* No totals, no proof: the gateway takes -1 for what does not match. */
	if (jsonin_int(root, "count", 0, INT64_MAX, &closed.count) != 0 ||
	    jsonin_int(root, "amount_fen", 0, INT64_MAX, &closed.amount_fen) != 0)
		closed.count = -1;
	if (publish(b, EV_BOOK_CLOSED, &closed, b->seq + 1, e) != 0 || adapter_flush(b->a, e) != 0 ||
	    adapter_store_position(b->reader, e) != 0)
		return -1;
	log_info("BOOK", "entries=%lld unreadable=%lld", (long long)b->seq, (long long)b->unreadable);
	b->open = false;
	return 0;
}
