#include "adapters/village/posting.h"
#include "base/date.h"
#include "base/text.h"
#include "domain/mask.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64 << 10, FLUSH_AT = 32 << 10 };

struct list {
	const struct rendering *r;
	struct buf out;
	int64_t count, fen;
	char name[CSV_RECORD_MAX];
};

static int cell(struct buf *out, const char *text)
{
	return render_cell(out, str_of(text), false);
}

static int put_head(struct list *l)
{
	const struct spool_meta *m = l->r->meta;
	char year[32];
	struct buf *o = &l->out;

	snprintf(year, sizeof year, "补助年度：%d年", (int)m->year);
	return buf_put_str(o, "\xEF\xBB\xBF") | cell(o, text_or_code("answer_posting_title", LANG_ZH)) | buf_put_str(o, "\r\n") |
	       cell(o, year) | buf_put_str(o, ",乡镇（街道）：") | cell(o, l->r->town) | buf_put_str(o, ",村（居）：") |
	       cell(o, l->r->village) | buf_put_str(o, "\r\n") | cell(o, text_or_code("answer_digest", LANG_ZH)) |
	       buf_put_str(o, m->sha256) | buf_put_str(o, "\r\n序号,姓名,公民身份号码,补助金额（元）\r\n");
}

/* */
static int put_person(struct list *l)
{
	char name[MASKED_NAME], number[MASKED_ID], money[24];
	struct row_form form;

	row_read(&form, l->r->roster->cells, date_of_time(l->r->meta->received_at), l->name, sizeof l->name);
	mask_name(name, form.name);
	mask_id(number, str_of(form.number));
	l->count++;
	l->fen += form.amount_known ? form.amount_fen : 0;
	return buf_printf(&l->out, "%" PRId64 ",", l->count) | cell(&l->out, name) | buf_put_str(&l->out, ",") |
	       cell(&l->out, number) | buf_put_str(&l->out, ",") |
	       cell(&l->out, form.amount_known ? yuan(money, form.amount_fen) : "") | buf_put_str(&l->out, "\r\n");
}

static int put_foot(struct list *l)
{
	char count[32], money[24];

	snprintf(count, sizeof count, "%" PRId64 "人", l->count);
	return buf_put_str(&l->out, "合计,") | cell(&l->out, count) | buf_put_str(&l->out, ",,") | cell(&l->out, yuan(money, l->fen)) |
	       buf_put_str(&l->out, "\r\n") | cell(&l->out, text_or_code("answer_posting_foot", LANG_ZH)) | buf_put_str(&l->out, "\r\n");
}

static int flush(struct list *l, struct sink to, struct err *e)
{
	int rc = l->out.len > 0 ? to.put(to.arg, l->out.data, l->out.len, e) : 0;

	buf_reset(&l->out);
	return rc;
}

static bool left_out(const struct row_state *st)
{
	return st->result == RESULT_MEND || st->result == RESULT_STOPPED;
}

static int put_rows(struct list *l, struct sink to, struct err *e)
{
	struct roster *r = l->r->roster;
	enum roster_line line;
	struct row_state st;

	for (;;) {
		if (roster_next(r, &line, e) < 0)
			return -1;
		if (line == ROSTER_END)
			return 0;
		if (line != ROSTER_ROW)
			continue;
		if (answers_get_row(l->r->answers, r->csv.record, &st, e) < 0)
			return -1;
		if (!left_out(&st) && put_person(l) != 0)
			return err_set(e, ERR_TEMP, "posting: a line is too long");
		if (l->out.len >= FLUSH_AT && flush(l, to, e) != 0)
			return -1;
	}
}

int posting_render(const struct rendering *r, struct sink to, struct err *e)
{
	struct list *l = calloc(1, sizeof *l);
	int rc = -1;

	if (!l)
		return err_set(e, ERR_TEMP, "posting: out of memory");
	l->r = r;
	buf_init(&l->out, LINE_BYTES + FLUSH_AT);
	if (put_head(l) != 0)
		err_set(e, ERR_TEMP, "posting: out of memory");
	else if (put_rows(l, to, e) == 0)
		rc = put_foot(l) != 0 ? err_set(e, ERR_TEMP, "posting: out of memory") : flush(l, to, e);
	buf_fini(&l->out);
	free(l);
	return rc;
}

int posting_name(char *out, size_t cap, const char *roster)
{
	size_t n = strlen(roster);

	if (n > 4 && roster[n - 4] == '.')
		n -= 4;
	return (size_t)snprintf(out, cap, "%.*s" POSTING_SUFFIX, (int)n, roster) < cap ? 0 : -1;
}

bool posting_is_due(const struct roster_state *st)
{
	static const char *const states[] = {"waiting", "held", "filed", "final"};

	for (size_t i = 0; st->known && i < sizeof states / sizeof states[0]; i++)
		if (strcmp(st->state, states[i]) == 0)
			return true;
	return false;
}
