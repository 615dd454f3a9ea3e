/* An agency's book on its way to the bus: page by page, killed in the midst of it, with an entry that was keyed in at the counter. */
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include "tests/lib/adapter_rig.h"
#include <string.h>

enum { PAYMENTS = 2300, LATER = 3600000 };

static struct rig r;
static struct tmpdir side;
static char plants[320];

struct fetched {
	int attempts, of_attempt;
	int64_t attempt, seq, fen, closed_count, closed_fen, as_of;
	int closed, known, strangers;
	struct id stranger;
};

static void instruct(int i)
{
	struct subsidy_payment ev = {.attempt = 1, .year = i % 100 == 99 ? 2025 : 2026, .village = STR("330603001001"),
				     .sponsor_type = STR("collective"), .sponsor_code = STR("N2330603MA00000018"),
				     .amount_fen = 20000 + 10000 * (i % 5), .instructed_at = clock_wall(), .not_after = clock_wall() + LATER};
	struct id id;

	rig_person(&r, (uint32_t)i, &ev.token, &ev.identity);
	memset(ev.sponsor_id.b, 5, ID_LEN);
	payment_id(&ev.payment_id, ev.year, &ev.sponsor_id, &ev.token, 0);
	decision_id(&id, STR("SubsidyPayment"), &ev.payment_id, 1);
	rig_publish(&r, EV_SUBSIDY_PAYMENT, &ev, (struct str){(const char *)ev.token.b, ID_LEN}, &id, 0);
}

static void request(const char *system, uint8_t run)
{
	struct book_request q = {.system = str_of(system), .kind = STR("book"), .year = 2026, .from = clock_wall() - LATER,
				 .to = clock_wall() + LATER};
	struct id id;

	memset(q.run_id.b, run, ID_LEN);
	decision_id(&id, str_of(system), &q.run_id, 1);
	rig_publish(&r, EV_BOOK_REQUEST, &q, (struct str){(const char *)q.run_id.b, ID_LEN}, &id, 0);
	rig_flush(&r);
}

static void take_opened(struct fetched *f, const struct bus_record *rec)
{
	struct book_opened o;
	struct err e = {0};

	assert_int_equal(codec_decode(r.codec, EV_BOOK_OPENED, rec->event.data, &o, &e), 0);
	assert_true(o.attempt != f->attempt && o.attempt > 0);
	f->attempts++;
	f->attempt = o.attempt;
	f->seq = f->fen = f->known = f->strangers = 0;
}

static void take_entry(struct fetched *f, const struct bus_record *rec)
{
	struct book_entry b;
	struct err e = {0};

	assert_int_equal(codec_decode(r.codec, EV_BOOK_ENTRY, rec->event.data, &b, &e), 0);
	assert_int_equal(b.attempt, f->attempt);
	assert_int_equal(b.seq, f->seq + 1);
	assert_true(b.token.set);
	f->seq = b.seq;
	f->fen += b.amount_fen;
	f->known += b.payment_id.set;
	if (!b.payment_id.set) {
		f->strangers++;
		f->stranger = b.token.v;
	}
}

/* What is on books.tax now, up to the end of a run. */
static void take(struct fetched *f, uint8_t run)
{
	const struct bus_record *rec;

	while (f->closed == 0 && (rec = rig_read(&r, "books.tax"))) {
		struct book_closed c;
		struct err e = {0};

		assert_int_equal(rec->event.key.n, ID_LEN);
		assert_int_equal((uint8_t)rec->event.key.p[0], run);
		if (str_is(rec->event.type, "BookOpened")) {
			take_opened(f, rec);
		} else if (str_is(rec->event.type, "BookEntry")) {
			take_entry(f, rec);
		} else {
			assert_int_equal(codec_decode(r.codec, EV_BOOK_CLOSED, rec->event.data, &c, &e), 0);
			assert_int_equal(c.attempt, f->attempt);
			f->closed_count = c.count;
			f->closed_fen = c.amount_fen;
			f->as_of = c.as_of;
			f->closed++;
		}
	}
}

static void wait_closed(struct fetched *f, uint8_t run)
{
	for (int64_t start = clock_monotonic(); take(f, run), f->closed == 0;)
		rig_look_again(start);
}

static void whole(const struct fetched *f, int attempts)
{
	int64_t fen = 77700;
	int count = 0;

	for (int i = 0; i < PAYMENTS; i++)
		if (i % 100 != 99) {
			fen += 20000 + 10000 * (i % 5);
			count++;
		}
	assert_int_equal(f->attempts, attempts);
	assert_int_equal(f->closed_count, count + 1);
	assert_int_equal(f->closed_fen, fen);
	assert_int_equal(f->seq, count + 1);
	assert_int_equal(f->fen, fen);
	assert_int_equal(f->strangers, 1);
	assert_true(f->as_of > clock_wall() - LATER);
}

static void settle(void)
{
	for (int64_t start = clock_monotonic(); rig_book(&r, "counts", "in_treasury") != PAYMENTS;)
		rig_look_again(start);
}

static void books_come_whole(void **state)
{
	struct fetched f = {0};
	struct id token;
	struct str sealed;
	struct buf line;
	struct err e = {0};
	struct invented who;
	char time[40];

	(void)state;
	for (int i = 0; i < PAYMENTS; i++)
		instruct(i);
	rig_flush(&r);
	rig_adapter_start(&r);
	settle();
	invented_at(&who, RIG_SEED, 5);
	buf_init(&line, 400);
	buf_printf(&line, "add,%s,77700,paid,%s\n", who.number, time_text(time, clock_wall()));
	assert_int_equal(fs_write_atomic(plants, buf_text(&line), line.len, 0600, &e), 0);
	buf_fini(&line);
	rig_person(&r, 5, &token, &sealed);
	/* what is not for this program is passed over */
	request("ssa", 1);
	request("tax", 2);
	wait_closed(&f, 2);
	whole(&f, 1);
	assert_true(id_eq(&f.stranger, &token));
	/* bad answers: the same attempt goes on */
	f = (struct fetched){0};
	rig_faults(&r, "book/e500:1000:1,book/truncated:1000:1,book/e429:1000:1,book/cut_after:1000:1");
	request("tax", 3);
	wait_closed(&f, 3);
	whole(&f, 1);
	/* killed in the midst: a new attempt, and nothing of the first one counts */
	f = (struct fetched){0};
	rig_faults(&r, "");
	request("tax", 4);
	for (int64_t start = clock_monotonic(); take(&f, 4), f.seq < 1000;)
		rig_look_again(start);
	rig_adapter_kill(&r);
	take(&f, 4);
	if (!f.closed) {
		rig_adapter_start(&r);
		wait_closed(&f, 4);
		whole(&f, 2);
	}
	assert_null(rig_read(&r, "rejects.tax"));
}

static int setup(void **state)
{
	(void)state;
	tmpdir_make(&side);
	tmpdir_file(&side, plants, "plants");
	rig_open(&r, "tax", "", (const char *[]){"--settle-ms", "1", "--book-plants", plants, NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(&r);
	tmpdir_remove(&side);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(books_come_whole)};
	return cmocka_run_group_tests(tests, setup, teardown);
}
