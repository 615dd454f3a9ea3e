/* For tests of restore by adoption: losing a ledger, ordering the adoption, and comparing a world that lost one with a twin that did
 * not. */
#ifndef QIAO_TESTS_ADOPT_TEST_H
#define QIAO_TESTS_ADOPT_TEST_H
#include "ledger/internal.h"
#include "ledger/read.h"
#include "tests/lib/flow_test.h"
#include <unistd.h>

/* ---- losing and restoring ---- */

static inline void backup(struct flow_world *w)
{
	struct err e = {0};
	char copy[360];
	int64_t seq;
	snprintf(copy, sizeof copy, "%s/yesterday.db", w->dir);
	(void)unlink(copy);
	assert_int_equal(ledger_backup(w->ledger_path, copy, &seq, &e), 0);
}

/* The disk is gone; the copy takes its place. */
static inline void lose(struct flow_world *w)
{
	static int lives;
	char copy[360];
	fw_stop(w);
	snprintf(copy, sizeof copy, "%s/yesterday.db", w->dir);
	snprintf(w->ledger_path, sizeof w->ledger_path, "%.300s/gateway/life%d.db", w->dir,
		 ++lives);
	struct buf bytes;
	struct err e = {0};
	buf_init(&bytes, 64 << 20);
	assert_int_equal(fs_read(copy, &bytes, &e), 0);
	assert_int_equal(fs_write_durable(w->ledger_path, bytes.data, bytes.len, 0600, &e), 0);
	buf_fini(&bytes);
}

static inline void order(struct flow_world *w)
{
	struct err e = {0};
	struct adopt_info info;
	assert_int_equal(adopt_look(w->ledger_path, &info, &e), 0);
	assert_true(info.copy);
	assert_int_equal(adopt_order(w->ledger_path, &e), 0);
}

static inline void lose_and_adopt(struct flow_world *w)
{
	lose(w);
	order(w);
	start(w);
}

static inline enum adoption phase(struct flow_world *w)
{
	return ledger_adopting(w->ledger)->phase;
}

/* ---- what lies on the bus ---- */

typedef void each_fn(void *arg, const struct bus_record *r);
static inline void each(struct flow_world *w, const char *topic, each_fn *fn, void *arg)
{
	const struct bus_record *records;
	struct bus_reader *r;
	struct err e = {0};
	int n;
	assert_int_equal(bus_reader_open(w->tax_bus, &r, topic, NULL, &e), 0);
	while ((n = bus_read(r, 1000, &records, &e)) > 0)
		for (int i = 0; i < n; i++)
			fn(arg, &records[i]);
	assert_int_equal(n, 0);
	bus_reader_close(r);
}

enum { IDS_MAX = 20000 };
struct once {
	struct id ids[IDS_MAX];
	int count;
	int64_t seq;
};

static inline void see_id(void *arg, const struct bus_record *r)
{
	struct once *o = arg;
	assert_true(o->count < IDS_MAX);
	assert_true(r->event.seq > o->seq); /* one partition: they rise */
	o->seq = r->event.seq;
	o->ids[o->count++] = r->event.id;
}

static inline int by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

/* Nothing that the gateway ever said has the id of something else. */
static inline void said_once(struct flow_world *w)
{
	static const char *const own[] = {"payments", "enquiries",  "feedback",
					  "answers",  "statistics", "rejects.gateway"};
	struct once *o = calloc(1, sizeof *o);
	for (size_t t = 0; t < COUNT(own); t++) {
		o->count = 0;
		o->seq = 0;
		each(w, own[t], see_id, o);
		qsort(o->ids, (size_t)o->count, sizeof o->ids[0], by_id);
		for (int i = 1; i < o->count; i++)
			if (id_eq(&o->ids[i - 1], &o->ids[i]))
				fail_msg("an id of %s was said twice", own[t]);
	}
	free(o);
}

struct row {
	struct id sub;
	int row_no, version;
	bool final;
	char code[40];
};
struct rows {
	struct flow_world *w;
	struct row at[4000];
	int count;
};

static inline void see_row(void *arg, const struct bus_record *r)
{
	struct rows *t = arg;
	struct row_answer a;
	struct err e = {0};
	int i = 0;
	if (!str_is(r->event.type, "RowAnswer"))
		return;
	assert_int_equal(codec_decode(t->w->codec, EV_ROW_ANSWER, r->event.data, &a, &e), 0);
	while (i < t->count &&
	       (t->at[i].row_no != a.row_no || !id_eq(&t->at[i].sub, &a.submission_id)))
		i++;
	struct row *row = &t->at[i];
	if (i == t->count)
		*row = (struct row){.sub = a.submission_id, .row_no = a.row_no};
	t->count += i == t->count;
	assert_true(t->count < (int)COUNT(t->at));
	assert_true(a.version > row->version);
	if (row->final && !a.final)
		fail_msg("row %d was told %s for good, and then %.*s", a.row_no, row->code,
			 (int)a.code.n, a.code.p);
	row->version = a.version;
	row->final = a.final;
	str_copy(row->code, sizeof row->code, a.code);
}

static inline int by_row(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = memcmp(&x->sub, &y->sub, sizeof x->sub);
	return c ? c : x->row_no - y->row_no;
}

/* The current answer of each row; asserts that after a final one only final ones came. */
static inline struct rows *answers(struct flow_world *w)
{
	struct rows *t = calloc(1, sizeof *t);
	t->w = w;
	each(w, "answers", see_row, t);
	qsort(t->at, (size_t)t->count, sizeof t->at[0], by_row);
	return t;
}

static inline const char *code_of(struct flow_world *w, struct id sub, int row_no)
{
	static char code[40];
	struct rows *t = answers(w);
	code[0] = '\0';
	for (int i = 0; i < t->count; i++)
		if (t->at[i].row_no == row_no && id_eq(&t->at[i].sub, &sub))
			snprintf(code, sizeof code, "%s", t->at[i].code);
	free(t);
	return code;
}

static inline int64_t unclaimed(struct flow_world *w)
{
	struct ledger_view *v;
	struct err e = {0};
	struct view_adopted sum;
	assert_int_equal(view_open(&v, w->ledger_path, &e), 0);
	assert_int_equal(view_adopted_sum(v, 0, (struct str){0}, &sum, &e), 0);
	view_close(v);
	return sum.count;
}

static inline int64_t reserved(struct flow_world *w, int person)
{
	struct person *p;
	struct err e = {0};
	struct id token = fw_token(person);
	assert_int_equal(person_get(w->ledger, &token, 2026, &p, &e), 0);
	int64_t fen = p->reserved_fen;
	ledger_rollback(w->ledger);
	return fen;
}

struct paid {
	struct flow_world *w;
	struct {
		struct id pid;
		int64_t fen;
		int attempt;
	} at[4000];
	int count;
};

static inline void see_payment(void *arg, const struct bus_record *r)
{
	struct paid *t = arg;
	struct subsidy_payment p;
	struct err e = {0};
	if (!str_is(r->event.type, "SubsidyPayment"))
		return;
	assert_int_equal(codec_decode(t->w->codec, EV_SUBSIDY_PAYMENT, r->event.data, &p, &e), 0);
	assert_true(t->count < (int)COUNT(t->at));
	memset(&t->at[t->count], 0, sizeof t->at[0]);
	t->at[t->count].pid = p.payment_id;
	t->at[t->count].fen = p.amount_fen;
	t->at[t->count++].attempt = p.attempt;
}

static inline int by_payment(const void *a, const void *b)
{
	return memcmp(a, b, sizeof((struct paid *)0)->at[0]);
}

static inline struct paid *payments(struct flow_world *w)
{
	struct paid *t = calloc(1, sizeof *t);
	t->w = w;
	each(w, "payments", see_payment, t);
	qsort(t->at, (size_t)t->count, sizeof t->at[0], by_payment);
	return t;
}

/* The two worlds came to the same end. */
static inline void same_end(struct flow_world *w, struct flow_world *twin)
{
	struct paid *a = payments(w), *b = payments(twin);
	struct rows *x = answers(w), *y = answers(twin);
	assert_int_equal(a->count, b->count);
	for (int i = 0; i < a->count; i++)
		assert_memory_equal(&a->at[i], &b->at[i], sizeof a->at[0]);
	assert_int_equal(x->count, y->count);
	for (int i = 0; i < x->count; i++) {
		if (strcmp(x->at[i].code, y->at[i].code) != 0 || x->at[i].final != y->at[i].final)
			fail_msg("row %d is told %s, the twin's %s", x->at[i].row_no, x->at[i].code,
				 y->at[i].code);
		assert_int_equal(x->at[i].row_no, y->at[i].row_no);
	}
	struct stat st = fw_statement(w), su = fw_statement(twin);
	for (int c = 0; c < STAT_CELLS; c++) {
		assert_int_equal(st.count[c], su.count[c]);
		assert_int_equal(st.fen[c], su.fen[c]);
	}
	said_once(w);
	assert_int_equal(differences(w), differences(twin));
	free(a);
	free(b);
	free(x);
	free(y);
}

#endif
