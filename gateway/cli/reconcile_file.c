/* The bureau's book out of a file, in the manner of DZXX101: head lines with the period and the totals, then a table.
 *
 *     起始日期,2026-01-01            终止日期,2026-12-31        险种,170
 *     人数,1200                      其他补助缴费合计,600000.00   (统筹区, 经办机构, 单位数, 滞纳金, 利息 are passed over)
 *     缴款编号,公民身份号码,金额,状态,日期,电子税票号
 *
 * Numbers become tokens at once, by the key of the role trace; that is recorded as any opening is. Nothing is written: what was found
 * is told, and stays the file's word. */
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "cli/reconcile.h"
#include "crypto/audit.h"
#include "crypto/identity.h"
#include "domain/citizen_id.h"
#include "domain/csv.h"
#include "domain/money.h"
#include "ledger/read.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 128 << 20, CELLS = 6, LINES_MAX = 96 << 20, BUCKET_MAX = 64 << 20 };

struct file {
	struct report *report;
	struct reconcile_terms terms;
	struct buf lines, strangers, ours[BOOKS], left; /* book_line */
	size_t at;                                       /* lines before it are matched */
	const struct book_line *last_b;
	bool persons; /* the second merge */
	int first_day, last_day, no;
	int64_t heads, total_fen; /* as the head says; -1 not */
	struct keyring *keys;
	struct err *e;
};

static int wrong(struct file *f, const char *what)
{
	return err_set(f->e, ERR_CONF, "--tax-file line %d: %s", f->no, what);
}

/* ---- reading ---- */

/* 1 it was a head line, 0 the table's own head, -1 wrong. */
static int read_head(struct file *f, const struct str *cell, int count)
{
	if (str_is(cell[0], "缴款编号"))
		return count == CELLS ? 0 : wrong(f, "expected six columns");
	struct str value = count > 1 ? str_trim(cell[1]) : (struct str){"", 0};
	if (str_is(cell[0], "起始日期"))
		return date_parse(value, &f->first_day) == 0 ? 1 : wrong(f, "not a date");
	if (str_is(cell[0], "终止日期"))
		return date_parse(value, &f->last_day) == 0 ? 1 : wrong(f, "not a date");
	if (str_is(cell[0], "险种"))
		return str_is(value, "170") ? 1 : wrong(f, "another kind of insurance than 170");
	if (str_is(cell[0], "人数"))
		return str_int(value, 0, INT32_MAX, &f->heads) == 0 ? 1 : wrong(f, "not a number");
	if (str_is(cell[0], "其他补助缴费合计")) {
		if (str_is(value, "0") || str_is(value, "0.00"))
			f->total_fen = 0;
		else if (money_parse(value, &f->total_fen) != NULL)
			return wrong(f, "not an amount");
	}
	return 1;
}

static int word_of(struct str cell)
{
	static const char *const words[][2] = {{"已申报", "accepted"}, {"已缴费", "paid"}, {"已入库", "in_treasury"}, {"拒绝", "refused"},
					       {"已退款", "refunded"}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_is(cell, words[i][0]))
			return book_word_of(BOOK_TAX, str_of(words[i][1]));
	return book_word_of(BOOK_TAX, cell);
}

static int read_row(struct file *f, const struct str *raw, int count)
{
	struct book_line l = {.ref = f->no};
	struct str cell[CELLS];
	char number[32];
	int word, day;
	if (count != CELLS)
		return wrong(f, "expected six columns");
	for (int i = 0; i < CELLS; i++)
		cell[i] = str_trim(raw[i]);
	l.has_pid = cell[0].n > 0;
	if (l.has_pid && id_parse(&l.pid, cell[0]) != 0)
		return wrong(f, "not a payment id");
	if (citizen_id_normalise(cell[1], number, sizeof number) != 0 || number[0] == '\0')
		return wrong(f, "the number cannot be read");
	token_of(f->keys, str_of(number), &l.token);
	explicit_bzero(number, sizeof number);
	l.has_token = true;
	word = word_of(cell[3]);
	if (money_parse(cell[2], &l.amount_fen) != NULL || word < 0 || date_parse(cell[4], &day) != 0 ||
	    str_copy(l.receipt, sizeof l.receipt, cell[5]) != 0)
		return wrong(f, "amount, state, date or receipt");
	l.state = (uint8_t)word;
	l.stand = (uint8_t)stand_of_word(word);
	l.at = time_of_date(day);
	f->report->run.book[BOOK_TAX].seq++;
	f->report->run.book[BOOK_TAX].fen += l.amount_fen;
	return buf_put(l.has_pid ? &f->lines : &f->strangers, &l, sizeof l) == 0 ? 0 : wrong(f, "too many rows");
}

static int by_token(const void *a, const void *b)
{
	return memcmp(((const struct book_line *)a)->token.b, ((const struct book_line *)b)->token.b, ID_LEN);
}

/* The control totals, before anything is concluded. */
static int check_totals(struct file *f)
{
	struct buf all;
	int64_t heads = 0;
	buf_init(&all, LINES_MAX);
	int rc = buf_put(&all, f->lines.data, f->lines.len) | buf_put(&all, f->strangers.data, f->strangers.len);
	size_t count = all.len / sizeof(struct book_line);
	struct book_line *l = (struct book_line *)all.data;
	if (rc == 0 && count > 1)
		qsort(l, count, sizeof *l, by_token);
	for (size_t i = 0; i < count && rc == 0; i++)
		heads += i == 0 || memcmp(l[i].token.b, l[i - 1].token.b, ID_LEN) != 0;
	buf_fini(&all);
	if (rc != 0)
		return err_set(f->e, ERR_CONF, "--tax-file: too many rows");
	if (f->total_fen != f->report->run.book[BOOK_TAX].fen)
		return err_set(f->e, ERR_CONF, "--tax-file: the total of its head is not the sum of its rows; nothing is concluded");
	if (f->heads >= 0 && f->heads != heads)
		return err_set(f->e, ERR_CONF, "--tax-file: the persons of its head are not those of its rows; nothing is concluded");
	return 0;
}

static int read_text(struct file *f, struct str text)
{
	struct str line, cell[CELLS + 1];
	bool head = true;
	f->heads = f->total_fen = -1;
	f->first_day = f->last_day = DATE_NONE;
	while (csv_line(&text, &line)) {
		f->no++;
		int count = line.n ? csv_cells(line, cell, CELLS + 1) : 0, rc = 1;
		if (count > 0 && head)
			rc = read_head(f, cell, count);
		else if (count > 0)
			rc = read_row(f, cell, count);
		if (rc < 0)
			return -1;
		head = head && rc != 0;
	}
	if (head || f->first_day == DATE_NONE || f->last_day == DATE_NONE || f->total_fen < 0)
		return wrong(f, "period, total or table is missing");
	return check_totals(f);
}

/* ---- matching ---- */

static int judge(void *arg, const struct book_line *a, const struct book_line *b)
{
	struct file *f = arg;
	struct report *r = f->report;
	bool twice = !a && b->has_pid && f->last_b && id_eq(&f->last_b->pid, &b->pid);
	enum book_class c = reconcile_judge(&f->terms, a, b);
	if (b)
		f->last_b = b;
	if (a && !b && !f->persons && f->strangers.len > 0 && a->stand != STAND_NONE)
		return buf_put(&f->left, a, sizeof *a) == 0 ? 0 : err_set(f->e, ERR_TEMP, "out of memory");
	struct run_sum *s = &r->sums[BOOK_TAX][c];
	int64_t age = c == BC_LATER ? reconcile_age(&f->terms, a, b) : 0;
	s->count++;
	s->our_fen += a ? a->amount_fen : 0;
	s->their_fen += b ? b->amount_fen : 0;
	s->oldest_days = age > s->oldest_days ? age : s->oldest_days;
	if (!book_class_differs(c))
		return 0;
	struct case_row row = {.decl = a ? a->ref : 0, .class = c, .book = BOOK_TAX, .our_fen = a ? a->amount_fen : 0,
			       .their_fen = b ? b->amount_fen : 0, .our_at = a ? a->at : 0, .their_at = b ? b->at : 0,
			       .recorded_at = r->run.started_at, .has_pid = a || b->has_pid, .has_token = b || a->has_token,
			       .pid = a ? a->pid : b->pid, .token = b ? b->token : a->token};
	snprintf(row.kind, sizeof row.kind, "%s", case_kind(BOOK_TAX, c, twice));
	snprintf(row.our_state, sizeof row.our_state, "%s", a ? state_code((enum state)a->state) : "");
	snprintf(row.their_state, sizeof row.their_state, "%s", b ? book_word(b->state) : "");
	snprintf(row.receipt, sizeof row.receipt, "%s", b ? b->receipt : a->receipt);
	if (b)
		snprintf(row.detail, sizeof row.detail, "line %d", (int)b->ref);
	return cases_take(&r->cases, &row) == 0 ? 0 : err_set(f->e, ERR_TEMP, "out of memory");
}

static int match_bucket(void *arg, int first_byte)
{
	struct file *f = arg;
	const struct book_line *l = (const struct book_line *)f->lines.data;
	size_t count = f->lines.len / sizeof *l, from = f->at;
	while (f->at < count && l[f->at].pid.b[0] == first_byte)
		f->at++;
	return reconcile_by_pid((const struct book_line *)f->ours[BOOK_TAX].data, f->ours[BOOK_TAX].len / sizeof *l,
				f->at > from ? l + from : NULL, f->at - from, judge, f);
}

static void sort(struct buf *b, int (*order)(const void *, const void *))
{
	if (b->len > sizeof(struct book_line))
		qsort(b->data, b->len / sizeof(struct book_line), sizeof(struct book_line), order);
}

static int match(struct file *f, struct ledger_view *v)
{
	sort(&f->lines, book_line_by_pid);
	if (view_ours(v, f->report->run.year, &f->ours[BOOK_TAX], &f->ours[BOOK_SSA], match_bucket, f, f->e) != 0)
		return -1;
	f->persons = true;
	f->last_b = NULL;
	sort(&f->left, book_line_by_person);
	sort(&f->strangers, book_line_by_person);
	return reconcile_by_person(&f->terms, (const struct book_line *)f->left.data, f->left.len / sizeof(struct book_line),
				   (const struct book_line *)f->strangers.data, f->strangers.len / sizeof(struct book_line), judge, f);
}

static int record(const struct cli *c, struct clock *clock, int64_t rows, struct err *e)
{
	struct audit *audit;
	if (rows == 0)
		return 0;
	if (audit_open(&audit, c->conf.data.dir, "trace", clock, e) != 0)
		return -1;
	int rc = audit_write(audit, "numbers_of_a_book", "tax-file", rows, e);
	audit_close(audit);
	return rc;
}

static int read_file(struct cli *c, const char *file, struct file *f)
{
	struct buf content;
	buf_init(&content, FILE_MAX);
	int rc = keyring_open(&f->keys, c->conf.keys.dir, "trace", c->conf.keys.separate_users, f->e);
	if (rc == 0)
		rc = fs_read(file, &content, f->e);
	if (rc == 0 && !utf8_valid((struct str){(const char *)content.data, content.len}))
		rc = err_set(f->e, ERR_CONF, "--tax-file: not UTF-8");
	if (rc == 0)
		rc = read_text(f, (struct str){(const char *)content.data, content.len});
	keyring_free(f->keys);
	if (content.data)
		explicit_bzero(content.data, content.len);
	buf_fini(&content);
	return rc;
}

int reconcile_file(struct cli *c, const char *file, int year, struct report *r, struct err *e)
{
	struct file f = {.report = r, .e = e};
	struct ledger_view *v = NULL;
	struct clock clock;
	char path[CONF_PATH];
	int rc = -1;
	buf_init(&f.lines, LINES_MAX);
	buf_init(&f.strangers, LINES_MAX);
	buf_init(&f.left, LINES_MAX);
	for (int i = 0; i < BOOKS; i++)
		buf_init(&f.ours[i], BUCKET_MAX);
	if (clock_init(&clock, c->conf.clock.file, e) != 0 || read_file(c, file, &f) != 0 ||
	    record(c, &clock, r->run.book[BOOK_TAX].seq, e) != 0)
		goto out;
	r->run.year = year;
	r->run.state = RUN_DONE;
	r->run.started_at = r->run.ended_at = clock_now(&clock);
	r->run.from = time_of_date(f.first_day);
	r->run.to = time_of_date(f.last_day + 1);
	r->run.book[BOOK_TAX].asked = r->run.book[BOOK_TAX].closed = true;
	r->run.book[BOOK_TAX].as_of = r->run.to < r->run.started_at ? r->run.to : r->run.started_at;
	f.terms = reconcile_terms_of(r->run.from, r->run.to, r->run.book[BOOK_TAX].as_of);
	if (cli_path(c, path, CLI_LEDGER, e) == 0 && view_open(&v, path, e) == 0)
		rc = match(&f, v);
	r->open = r->cases.count;
out:
	view_close(v);
	buf_fini(&f.lines);
	buf_fini(&f.strangers);
	buf_fini(&f.left);
	for (int i = 0; i < BOOKS; i++)
		buf_fini(&f.ours[i]);
	return rc;
}
