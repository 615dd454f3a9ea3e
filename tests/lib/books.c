#include "tests/lib/books.h"
#include "bus/bus.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DUMP_MAX = 512 << 20 };

struct tuple { /* whose money, for whom, which year */
	struct id payment, sponsor, token;
	int year;
};
struct comparison {
	struct agency_book tax, ssa;
	struct statement_read statement;
	const struct outcomes *o;
	FILE *out;
	int differences;
};

static int read_dump(struct agency_book *b, char *text, struct err *e);
static int by_payment(const void *a, const void *b);
static void compare_tax(struct comparison *c);
static void compare_ssa(struct comparison *c);
static void compare_answers(struct comparison *c);
static void compare_statement(struct comparison *c);
static void compare_statistics(struct comparison *c, struct world *w);
static int compare_tuples(struct comparison *c, struct err *e);

/* ---- reading ---- */

int agency_book_read(struct agency_book *b, struct world *w, enum part sim, struct err *e)
{
	char book[512];
	const char *args[] = {"--book", world_path(w, book, sim == SIM_TAX ? "agencies/tax.db" : "agencies/ssa.db"), "--dump",
			      "csv", NULL};
	struct buf out;
	int rc = -1;

	memset(b, 0, sizeof *b);
	buf_init(&out, DUMP_MAX);
	if (world_run(w, &out, part_name(sim), args) != 0 || !buf_text(&out))
		err_set(e, ERR_TEMP, "%s --dump failed", part_name(sim));
	else
		rc = read_dump(b, (char *)out.data, e);
	buf_fini(&out);
	return rc;
}

/* payment_id,number,year,amount_fen,status,receipt,copies under a head line */
static int read_dump(struct agency_book *b, char *text, struct err *e)
{
	int lines = 0;
	char *save, *line;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	b->entries = calloc((size_t)lines + 1, sizeof *b->entries);
	if (!b->entries)
		return err_set(e, ERR_TEMP, "no memory");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct agency_entry *x = &b->entries[b->count];
		char hex[33];

		if (strncmp(line, "payment_id,", 11) == 0)
			continue;
		if (sscanf(line, "%32[0-9a-f],%*[^,],%*[^,],%" SCNd64 ",%23[^,],%*[0-9],%d", hex, &x->amount_fen, x->status,
			   &x->copies) != 4 &&
		    sscanf(line, "%32[0-9a-f],%*[^,],%*[^,],%" SCNd64 ",%23[^,],,%d", hex, &x->amount_fen, x->status,
			   &x->copies) != 4)
			return err_set(e, ERR_PERM, "dump: line %d is not understood", b->count + 2);
		if (id_parse(&x->payment, str_of(hex)) < 0)
			return err_set(e, ERR_PERM, "dump: line %d: no payment id", b->count + 2);
		b->count++;
	}
	qsort(b->entries, (size_t)b->count, sizeof *b->entries, by_payment);
	return 0;
}

void agency_book_free(struct agency_book *b)
{
	free(b->entries);
	memset(b, 0, sizeof *b);
}

static int by_payment(const void *a, const void *b)
{
	return memcmp(((const struct agency_entry *)a)->payment.b, ((const struct agency_entry *)b)->payment.b, ID_LEN);
}

const struct agency_entry *agency_book_find(const struct agency_book *b, const struct id *payment)
{
	struct agency_entry key = {.payment = *payment};

	return b->count ? bsearch(&key, b->entries, (size_t)b->count, sizeof key, by_payment) : NULL;
}

int statement_read(struct statement_read *s, struct world *w, struct err *e)
{
	struct buf out;

	memset(s, 0, sizeof *s);
	buf_init(&out, DUMP_MAX);
	s->status = world_qiao(w, &out, "statement", "--format", "json", NULL);
	s->json = out.len ? json_loadb((char *)out.data, out.len, 0, NULL) : NULL;
	buf_fini(&out);
	if (!s->json)
		return err_set(e, ERR_TEMP, "qiao statement: exit %d, no JSON", s->status);
	s->adds_up = json_is_true(json_object_get(s->json, "adds_up"));
	return 0;
}

void statement_free(struct statement_read *s)
{
	json_decref(s->json);
	s->json = NULL;
}

struct figure statement_total(const struct statement_read *s, const char *column)
{
	const json_t *cell = json_object_get(json_object_get(s->json, "totals"), column);

	return (struct figure){json_integer_value(json_object_get(cell, "count")),
			       json_integer_value(json_object_get(cell, "amount_fen"))};
}

/* ---- comparing ---- */

#define DIFFERS(c, ...) ((c)->differences++, fprintf((c)->out, __VA_ARGS__))

int books_compare(struct world *w, const struct outcomes *o, FILE *out)
{
	struct comparison c = {.o = o, .out = out};
	struct err e = {0};

	if (agency_book_read(&c.tax, w, SIM_TAX, &e) < 0 || agency_book_read(&c.ssa, w, SIM_SSA, &e) < 0 ||
	    statement_read(&c.statement, w, &e) < 0 || compare_tuples(&c, &e) < 0) {
		DIFFERS(&c, "%s\n", e.text);
	} else {
		compare_tax(&c);
		compare_ssa(&c);
		compare_answers(&c);
		compare_statement(&c);
		compare_statistics(&c, w);
	}
	agency_book_free(&c.tax);
	agency_book_free(&c.ssa);
	statement_free(&c.statement);
	return c.differences;
}

static void compare_tax(struct comparison *c)
{
	char hex[ID_HEX];

	for (int i = 0; i < c->tax.count; i++) {
		const struct agency_entry *x = &c->tax.entries[i];

		if (x->copies != 1)
			DIFFERS(c, "payment %s is in the tax book %d times\n", id_hex(&x->payment, hex), x->copies);
		if (strcmp(x->status, "accepted") == 0 || strcmp(x->status, "paid") == 0)
			DIFFERS(c, "payment %s is still on its way in the tax book\n", id_hex(&x->payment, hex));
	}
}

static void compare_ssa(struct comparison *c)
{
	char hex[ID_HEX];

	for (int i = 0; i < c->ssa.count; i++) {
		const struct agency_entry *x = &c->ssa.entries[i], *tax = agency_book_find(&c->tax, &x->payment);

		if (x->copies > 1)
			DIFFERS(c, "payment %s is credited %d times\n", id_hex(&x->payment, hex), x->copies);
		if (!tax || tax->amount_fen != x->amount_fen)
			DIFFERS(c, "payment %s: the books of the agencies differ\n", id_hex(&x->payment, hex));
	}
}

/* What the books say of a payment, in the words of answers; NULL: its row has no business to be final as it is. */
static const char *told_by_books(const struct comparison *c, const struct id *payment)
{
	const struct agency_entry *tax = agency_book_find(&c->tax, payment), *ssa = agency_book_find(&c->ssa, payment);

	if (!tax)
		return "nothing";
	if (strcmp(tax->status, "refused") == 0)
		return "tax_";
	if (strcmp(tax->status, "refunded") == 0)
		return "refunded";
	return ssa ? ssa->status : "in_treasury";
}

static void compare_answers(struct comparison *c)
{
	int in_tax = 0;
	char hex[ID_HEX];

	for (int i = 0; i < c->o->row_count; i++) {
		const struct outcome *a = &c->o->rows[i];
		const struct agency_entry *tax = a->paid ? agency_book_find(&c->tax, &a->payment) : NULL;
		const char *books = a->paid ? told_by_books(c, &a->payment) : "nothing";
		bool money = strcmp(a->code, "credited") == 0 || strcmp(a->code, "credit_refused") == 0 ||
			     strcmp(a->code, "refunded") == 0;

		in_tax += tax != NULL;
		id_hex(&a->payment, hex);
		if (tax && tax->amount_fen != a->amount_fen)
			DIFFERS(c, "payment %s: the tax book has another amount\n", hex);
		if (money ? strcmp(a->code, books) != 0 : strcmp(books, "nothing") != 0 && strncmp(a->code, books, 4) != 0)
			DIFFERS(c, "payment %s: answered %s, the books say %s\n", hex, a->code, books);
	}
	if (in_tax != c->tax.count)
		DIFFERS(c, "%d payments in the tax book, %d of them answered\n", c->tax.count, in_tax);
}

static struct figure sum_of(const struct agency_book *b, const char *status)
{
	struct figure f = {0, 0};

	for (int i = 0; i < b->count; i++)
		if (strcmp(b->entries[i].status, status) == 0) {
			f.count += b->entries[i].copies > 0 ? b->entries[i].copies : 1;
			f.fen += b->entries[i].amount_fen * (b->entries[i].copies > 0 ? b->entries[i].copies : 1);
		}
	return f;
}

static void same(struct comparison *c, const char *column, struct figure books)
{
	struct figure ours = statement_total(&c->statement, column);

	if (ours.count != books.count || ours.fen != books.fen)
		DIFFERS(c, "statement: %s %" PRId64 " rows %" PRId64 " fen, the books %" PRId64 " rows %" PRId64 " fen\n", column,
			ours.count, ours.fen, books.count, books.fen);
}

static void compare_statement(struct comparison *c)
{
	static const char *const on_their_way[] = {"staged", "pending", "in_flight", "in_doubt", "awaiting_credit",
						   "refund_requested", "refund_in_doubt"};
	struct figure treasury = sum_of(&c->tax, "in_treasury"), refunded = sum_of(&c->tax, "refunded");
	struct figure declared = statement_total(&c->statement, "declared"), none = {0, 0};

	if (c->statement.status != 0 || !c->statement.adds_up)
		DIFFERS(c, "qiao statement: exit %d, adds up: %d\n", c->statement.status, c->statement.adds_up);
	if (declared.count == 0)
		DIFFERS(c, "qiao statement: nothing was declared\n");
	for (size_t i = 0; i < sizeof on_their_way / sizeof on_their_way[0]; i++)
		same(c, on_their_way[i], none);
	same(c, "collected", (struct figure){treasury.count + refunded.count, treasury.fen + refunded.fen});
	same(c, "kept", treasury);
	same(c, "refunded", refunded);
	same(c, "credited", sum_of(&c->ssa, "credited"));
	same(c, "credit_refused", sum_of(&c->ssa, "credit_refused"));
}

/* What the statistics told the social-security agency, summed over the highest version of each key. */
static void compare_statistics(struct comparison *c, struct world *w)
{
	static const char *const columns[] = {"declared", "collected", "kept"};
	char book[512], name[40];
	const char *args[] = {"--book", world_path(w, book, "agencies/ssa.db"), "--report", "json", NULL};
	struct buf out;
	json_t *report, *told;

	buf_init(&out, DUMP_MAX);
	world_run(w, &out, part_name(SIM_SSA), args);
	report = json_loadb((const char *)out.data, out.len, 0, NULL);
	told = json_object_get(report, "statistics");
	if (!told)
		DIFFERS(c, "%s --report: no statistics\n", part_name(SIM_SSA));
	for (size_t i = 0; told && i < sizeof columns / sizeof columns[0]; i++) {
		struct figure f;

		snprintf(name, sizeof name, "%s_count", columns[i]);
		f.count = json_integer_value(json_object_get(told, name));
		snprintf(name, sizeof name, "%s_fen", columns[i]);
		f.fen = json_integer_value(json_object_get(told, name));
		same(c, columns[i], f);
	}
	json_decref(report);
	buf_fini(&out);
}

/* ---- one payment a sponsor, person and year ---- */

static int by_tuple(const void *a, const void *b)
{
	const struct tuple *x = a, *y = b;
	int rc = memcmp(x->sponsor.b, y->sponsor.b, ID_LEN);

	rc = rc ? rc : memcmp(x->token.b, y->token.b, ID_LEN);
	rc = rc ? rc : (x->year > y->year) - (x->year < y->year);
	return rc ? rc : memcmp(x->payment.b, y->payment.b, ID_LEN);
}

static bool same_tuple(const struct tuple *x, const struct tuple *y)
{
	return x->year == y->year && id_eq(&x->sponsor, &y->sponsor) && id_eq(&x->token, &y->token);
}

static int read_tuples(struct comparison *c, struct bus_reader *r, struct tuple **list, int *count, struct err *e)
{
	const struct bus_record *records;
	struct subsidy_payment p;
	int n, cap = 0;

	while ((n = bus_read(r, 1000, &records, e)) > 0)
		for (int i = 0; i < n; i++) {
			if (!str_is(records[i].event.type, "SubsidyPayment"))
				continue;
			if (codec_decode(c->o->codec, EV_SUBSIDY_PAYMENT, records[i].event.data, &p, e) < 0)
				return -1;
			if (*count == cap) {
				struct tuple *more = realloc(*list, sizeof **list * (size_t)(cap = cap ? 2 * cap : 1024));

				if (!more)
					return err_set(e, ERR_TEMP, "no memory");
				*list = more;
			}
			(*list)[(*count)++] = (struct tuple){p.payment_id, p.sponsor_id, p.token, p.year};
		}
	return n;
}

static bool holds_money(const struct comparison *c, const struct id *payment)
{
	const struct agency_entry *x = agency_book_find(&c->tax, payment);

	return x && strcmp(x->status, "refused") != 0 && strcmp(x->status, "refunded") != 0;
}

/* Different payments of one tuple that both hold money: paid twice under two ids. */
static int compare_tuples(struct comparison *c, struct err *e)
{
	struct bus_reader *r = NULL;
	struct tuple *list = NULL;
	const struct tuple *last = NULL;
	int count = 0, rc;

	if (bus_reader_open(c->o->bus, &r, "payments", NULL, e) < 0)
		return -1;
	rc = read_tuples(c, r, &list, &count, e);
	bus_reader_close(r);
	qsort(list, (size_t)count, list ? sizeof *list : 1, by_tuple);
	for (int i = 0; rc == 0 && i < count; i++) {
		char hex[ID_HEX];

		if (!holds_money(c, &list[i].payment) || (last && id_eq(&last->payment, &list[i].payment)))
			continue;
		if (last && same_tuple(last, &list[i]))
			DIFFERS(c, "payment %s: person, year and sponsor are paid already\n", id_hex(&list[i].payment, hex));
		last = &list[i];
	}
	free(list);
	return rc;
}

/* ---- the outbox ---- */

struct sent {
	int64_t seq;
	uint64_t digest;
};
struct lane { /* of one partition: there the order holds */
	struct sent *list;
	int count, cap;
};

static uint64_t digest_of(const struct bus_event *ev)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < ev->data.n; i++)
		h = (h ^ (uint8_t)ev->data.p[i]) * UINT64_C(1099511628211);
	for (int i = 0; i < ID_LEN; i++)
		h = (h ^ ev->id.b[i]) * UINT64_C(1099511628211);
	return h;
}

static int by_seq(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* 0; 1 when the event stands before one that was decided earlier, 2 when it repeats one with another content; -1. */
static int follows(struct lane *lane, const struct bus_event *ev)
{
	struct sent now = {ev->seq, digest_of(ev)};
	struct sent **list = &lane->list;
	int *count = &lane->count, *cap = &lane->cap;
	const struct sent *was;

	if (*count > 0 && now.seq <= (*list)[*count - 1].seq) {
		was = bsearch(&now, *list, (size_t)*count, sizeof now, by_seq);
		return !was ? 1 : was->digest != now.digest ? 2 : 0;
	}
	if (*count == *cap) {
		struct sent *more = realloc(*list, sizeof now * (size_t)(*cap = *cap ? 2 * *cap : 1024));

		if (!more)
			return -1;
		*list = more;
	}
	(*list)[(*count)++] = now;
	return 0;
}

static int outbox_topic(const struct outcomes *o, const char *topic, FILE *out, struct err *e)
{
	const struct bus_record *records;
	struct bus_reader *r = NULL;
	struct lane lanes[BUS_PARTITIONS_MAX] = {{NULL, 0, 0}};
	int n = 0, wrong = 0;

	if (bus_reader_open(o->bus, &r, topic, NULL, e) < 0)
		return -1;
	while (n >= 0 && (n = bus_read(r, 1000, &records, e)) > 0)
		for (int i = 0; i < n; i++) {
			int how = follows(&lanes[records[i].partition], &records[i].event);

			if (how == 0)
				continue;
			wrong++;
			fprintf(out, "%s at %" PRId64 ": sequence %" PRId64 " %s\n", topic, records[i].offset, records[i].event.seq,
				how == 1 ? "comes after a later one" : "came before with another content");
		}
	bus_reader_close(r);
	for (int i = 0; i < BUS_PARTITIONS_MAX; i++)
		free(lanes[i].list);
	return n < 0 ? -1 : wrong;
}

int outbox_compare(const struct outcomes *o, FILE *out)
{
	int differences = 0;

	for (int i = 0; i < topic_count; i++) {
		struct err e = {0};
		int n = strcmp(topics[i].producer, "gateway") == 0 ? outbox_topic(o, topics[i].name, out, &e) : 0;

		if (n < 0)
			fprintf(out, "%s: %s\n", topics[i].name, e.text);
		differences += n < 0 ? 1 : n;
	}
	return differences;
}
