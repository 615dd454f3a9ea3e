/* Three steps: find the header row in the first records (a copy of the file's first 64 KiB, tried
 * with each delimiter), read the head out of what stands above it, then classify record by record.
 * Words decide, and a person's number outweighs any word: it is worse to lose somebody than to
 * answer a line that is nobody. */
#include "adapters/village/roster.h"
#include "adapters/village/head.h"
#include "domain/cell.h"
#include "domain/citizen_id.h"
#include "domain/money.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 64 << 10, PREFACE_MAX = 16 << 10, HEADER_MAX = 2 * CSV_RECORD_MAX };

/* A record of the window, while the header row is being looked for. */
struct record {
	struct str cells[CSV_CELLS_MAX];
	int count;
	size_t end; /* offset behind it */
	int64_t number;
};
struct search {
	struct csv_reader csv;
	struct record last, now;
	int columns[COLUMNS];
	int best;	     /* most of the three needed columns seen in one record */
	unsigned best_found; /* which */
	int64_t best_at;
};
enum { NEEDED = 3 };
static const enum column needed[NEEDED] = {COL_NAME, COL_ID, COL_AMOUNT};
static const char *const needed_text[NEEDED] = {"姓名", "公民身份号码", "补助金额"};

const char *const roster_appended[ROSTER_APPENDED] = {"结果", "原因", "处理办法", "名册行号"};

static int find_header(struct roster *r, struct str window, struct err *e);
static int search_with(struct roster *r, struct search *s, char *text, size_t n, char delimiter);
static int take_header(struct roster *r, struct search *s, const struct record *one,
		       const struct record *two, char delimiter);
static bool next_record(struct search *s);
static unsigned map_one(const struct record *one, int at[COLUMNS]);
static unsigned map_two(const struct record *upper, const struct record *lower, int at[COLUMNS]);
static bool is_sub_header(const struct record *one, const int at[COLUMNS],
			  const struct record *two);
static struct str parent_of(const struct record *upper, int cell);
static bool holds_data(const struct record *one);
static void find_hidden(struct roster *r, const struct record *last);
static void miss(struct roster *r, const struct search *s);
static enum roster_line classify(struct roster *r);
static enum roster_line classify_words(struct roster *r, struct str first, struct str name);
static bool blank_record(const struct roster *r, struct str *first);
static bool has_number(const struct roster *r);
static bool is_numbered(const struct roster *r);
static bool is_header_again(const struct roster *r);
static void read_total(struct roster *r);
static int refuse(struct roster *r, const char *code, int64_t at, struct err *e);

/* Also where there is no such column. */
static bool blank(struct str s)
{
	return s.n == 0 || cell_bare(s).n == 0;
}

/* What can be read lies in the buffer; the line behind it is the one that cannot. */
static int64_t lines_in(const struct csv_reader *r)
{
	int64_t lines = 1;

	for (size_t i = 0; i < r->len; i++)
		lines += r->data[i] == '\n' ||
			 (r->data[i] == '\r' && i + 1 < r->len && r->data[i + 1] != '\n');
	return lines;
}

int roster_open(struct roster *r, struct decoder *from, struct err *e)
{
	struct str window;

	memset(r, 0, sizeof *r);
	buf_init(&r->preface, PREFACE_MAX);
	buf_init(&r->header, HEADER_MAX);
	if (csv_init(&r->csv, from, ',', e) < 0)
		return -1;
	if (csv_peek(&r->csv, WINDOW, &window, e) < 0) {
		r->refused = r->csv.refused;
		r->refused_at = lines_in(&r->csv);
		return -1;
	}
	if (window.n > WINDOW)
		window.n = WINDOW;
	return find_header(r, window, e);
}

void roster_close(struct roster *r)
{
	csv_fini(&r->csv);
	buf_fini(&r->preface);
	buf_fini(&r->header);
}

/* */
int roster_next(struct roster *r, enum roster_line *line, struct err *e)
{
	int got = csv_next(&r->csv, e);

	*line = ROSTER_END;
	if (got < 0) {
		r->refused = r->csv.refused;
		r->refused_at = r->csv.record;
		return -1;
	}
	if (got == 0)
		return 0;
	for (int c = 0; c < COLUMNS; c++) {
		int at = r->column_at[c];

		r->cells[c] = at < 0		  ? (struct str){NULL, 0}
			      : at < r->csv.count ? r->csv.cells[at]
						  : (struct str){"", 0};
	}
	*line = classify(r);
	if (*line == ROSTER_TOTAL)
		read_total(r);
	if (*line == ROSTER_TOTAL || *line == ROSTER_FOOT)
		r->past_rows = true;
	if (*line == ROSTER_ROW && r->past_rows)
		return refuse(r, "roster_rows_after_total", r->csv.record, e);
	return 0;
}

int roster_header(const struct roster *r, int i, struct str cells[CSV_CELLS_MAX])
{
	struct cursor c = cursor_of(r->header.data, r->header.len);
	int count = 0;

	for (int record = 0; record <= i; record++) {
		count = (int)cursor_u32(&c);
		for (int k = 0; k < count; k++) {
			size_t n = cursor_u32(&c);

			cells[k] = (struct str){(const char *)cursor_bytes(&c, n), n};
		}
	}
	return c.bad ? 0 : count;
}

/* ---- the header row ---- */

/* The delimiter is the one with which a header row is found. The search works on a copy, because
 * taking out quotes changes the text. */
static int find_header(struct roster *r, struct str window, struct err *e)
{
	static const char delimiters[] = {',', '\t', ';'};
	char *text = malloc(window.n + 1);
	struct search *s = calloc(1, sizeof *s);
	int rc = -1;

	if (text == NULL || s == NULL) {
		err_sys(e, ERR_TEMP, ENOMEM, "roster");
		goto out;
	}
	for (size_t i = 0; i < sizeof delimiters; i++) {
		memcpy(text, window.p, window.n);
		if (search_with(r, s, text, window.n, delimiters[i]) == 0) {
			rc = 0;
			break;
		}
	}
	if (rc < 0) {
		miss(r, s);
		refuse(r, "roster_no_header", s->best_at, e);
	} else {
		head_read((struct str){(char *)r->preface.data, r->preface.len}, &r->year, r->town,
			  sizeof r->town, r->village, sizeof r->village);
	}
out:
	if (text)
		explicit_bzero(text, window.n);
	free(text);
	free(s);
	return rc;
}

/* A record that is not (part of) the header belongs to the head as soon as the next one is there:
 * until then it may be the upper row of two. */
static int search_with(struct roster *r, struct search *s, char *text, size_t n, char delimiter)
{
	bool have_last = false;
	struct record upper;
	int at[COLUMNS];

	buf_reset(&r->preface);
	csv_memory(&s->csv, text, n, delimiter);
	while (s->csv.record < ROSTER_HEAD_RECORDS && next_record(s)) {
		unsigned found = map_one(&s->now, s->columns);
		int count = __builtin_popcount(found);

		if (count == NEEDED) {
			upper = s->now;
			if (have_last && head_fold(&r->preface, s->last.cells, s->last.count) < 0)
				return -1;
			if (next_record(s) && is_sub_header(&upper, s->columns, &s->now)) {
				map_two(&upper, &s->now, s->columns);
				return take_header(r, s, &upper, &s->now, delimiter);
			}
			return take_header(r, s, &upper, NULL, delimiter);
		}
		if (have_last && !holds_data(&s->now) &&
		    __builtin_popcount(map_two(&s->last, &s->now, at)) == NEEDED) {
			memcpy(s->columns, at, sizeof at);
			return take_header(r, s, &s->last, &s->now, delimiter);
		}
		if (count > s->best) {
			s->best = count;
			s->best_found = found;
			s->best_at = s->csv.record;
		}
		/* A preface longer than the limit is cut: the head stands near the top. */
		if (have_last)
			head_fold(&r->preface, s->last.cells, s->last.count);
		s->last = s->now;
		have_last = true;
	}
	return -1;
}

static bool next_record(struct search *s)
{
	if (csv_next(&s->csv, NULL) != 1)
		return false;
	memcpy(s->now.cells, s->csv.cells, sizeof s->now.cells[0] * (size_t)s->csv.count);
	s->now.count = s->csv.count;
	s->now.end = s->csv.at;
	s->now.number = s->csv.record;
	return true;
}

/* Rows begin behind the header's last record; its cells are kept, for answers repeat them. */
static int take_header(struct roster *r, struct search *s, const struct record *one,
		       const struct record *two, char delimiter)
{
	const struct record *records[] = {one, two};
	const struct record *last = two ? two : one;

	buf_reset(&r->header);
	r->header_records = two ? 2 : 1;
	for (int i = 0; i < r->header_records; i++) {
		if (buf_put_u32(&r->header, (uint32_t)records[i]->count) < 0)
			return -1;
		for (int k = 0; k < records[i]->count; k++) {
			struct str cell = records[i]->cells[k];

			if (buf_put_u32(&r->header, (uint32_t)cell.n) < 0 ||
			    buf_put(&r->header, cell.p, cell.n) < 0)
				return -1;
		}
	}
	memcpy(r->column_at, s->columns, sizeof r->column_at);
	find_hidden(r, last);
	r->csv.delimiter = delimiter;
	r->csv.at += last->end;
	r->csv.record = last->number;
	r->header_last = last->number;
	return 0;
}

static unsigned needed_in(const int at[COLUMNS])
{
	unsigned found = 0;

	for (int i = 0; i < NEEDED; i++)
		found |= (unsigned)(at[needed[i]] >= 0) << i;
	return found;
}

/* Places of the columns; the result is which of the needed three were found, a bit each. Of two
 * columns with the same heading the left one counts. */
static unsigned map_one(const struct record *one, int at[COLUMNS])
{
	enum column c;

	for (int i = 0; i < COLUMNS; i++)
		at[i] = -1;
	for (int i = 0; i < one->count; i++) {
		if (column_of_heading(one->cells[i], &c) == 0 && at[c] < 0)
			at[c] = i;
	}
	return needed_in(at);
}

/* The lower cell says what a column is; else the upper with the lower (个人缴费 over 档次); else the
 * upper alone. A merged cell comes as its text and empty cells to the right of it. */
static unsigned map_two(const struct record *upper, const struct record *lower, int at[COLUMNS])
{
	int count = upper->count > lower->count ? upper->count : lower->count;

	for (int i = 0; i < COLUMNS; i++)
		at[i] = -1;
	for (int i = 0; i < count; i++) {
		struct str below = i < lower->count ? lower->cells[i] : STR("");
		struct str above = i < upper->count ? upper->cells[i] : STR("");
		struct str over = parent_of(upper, i);
		char joined[160];
		enum column c;

		if (!blank(below) && over.n + below.n < sizeof joined) {
			memcpy(joined, over.p, over.n);
			memcpy(joined + over.n, below.p, below.n);
		}
		if (column_of_heading(below, &c) != 0 &&
		    (blank(below) || over.n + below.n >= sizeof joined ||
		     column_of_heading((struct str){joined, over.n + below.n}, &c) != 0) &&
		    column_of_heading(above, &c) != 0)
			continue;
		if (at[c] < 0)
			at[c] = i;
	}
	return needed_in(at);
}

static struct str parent_of(const struct record *upper, int cell)
{
	for (int i = cell < upper->count ? cell : upper->count - 1; i >= 0; i--) {
		if (!blank(upper->cells[i]))
			return cell_bare(upper->cells[i]);
	}
	return (struct str){"", 0};
}

/* Numbers, amounts, dates: not a row of headings. (身份证 under 证件类型 would else pass for the
 * heading of the number.) */
static bool holds_data(const struct record *one)
{
	for (int i = 0; i < one->count; i++) {
		struct str s = one->cells[i];
		int digits = 0;

		for (size_t k = 0; k < s.n && digits < 3; k++)
			digits = s.p[k] >= '0' && s.p[k] <= '9' ? digits + 1 : 0;
		if (digits == 3)
			return true;
	}
	return false;
}

/* The second row of a header whose first row already names what is needed: no name, no number,
 * and a heading in it. */
static bool is_sub_header(const struct record *one, const int at[COLUMNS], const struct record *two)
{
	int name = at[COL_NAME], id = at[COL_ID];

	if ((name < two->count && !blank(two->cells[name])) ||
	    (id < two->count && !blank(two->cells[id])))
		return false;
	for (int i = 0; i < two->count; i++) {
		struct str over = parent_of(one, i), below = cell_bare(two->cells[i]);
		char joined[160];
		enum column c;

		if (below.n == 0 || over.n + below.n >= sizeof joined)
			continue;
		memcpy(joined, over.p, over.n);
		memcpy(joined + over.n, below.p, below.n);
		if (column_of_heading(below, &c) == 0 ||
		    column_of_heading((struct str){joined, over.n + below.n}, &c) == 0)
			return true;
	}
	return false;
}

/* Only all of ours together are ours: a column 原因 of her own stays. */
static void find_hidden(struct roster *r, const struct record *last)
{
	uint64_t hidden[CSV_CELLS_MAX / 64] = {0};
	unsigned seen = 0;

	for (int i = 0; i < last->count; i++) {
		for (int k = 0; k < ROSTER_APPENDED; k++) {
			if (!str_is(cell_bare(last->cells[i]), roster_appended[k]))
				continue;
			hidden[i / 64] |= UINT64_C(1) << i % 64;
			seen |= 1u << k;
		}
	}
	memset(r->hidden, 0, sizeof r->hidden);
	if (seen == (1u << ROSTER_APPENDED) - 1)
		memcpy(r->hidden, hidden, sizeof hidden);
}

/* "姓名、补助金额": what the best candidate for a header row lacks. */
static void miss(struct roster *r, const struct search *s)
{
	char *to = r->refused_what, *end = to + sizeof r->refused_what;

	for (int i = 0; i < NEEDED; i++) {
		size_t n = strlen(needed_text[i]);

		if (s->best_found >> i & 1)
			continue;
		if (to != r->refused_what) {
			memcpy(to, "、", 3);
			to += 3;
		}
		if ((size_t)(end - to) < n + 4)
			break;
		memcpy(to, needed_text[i], n);
		to += n;
	}
	*to = '\0';
}

/* ---- rows ---- */

static enum roster_line classify(struct roster *r)
{
	struct str first, name = cell_bare(r->cells[COL_NAME]);

	if (blank_record(r, &first))
		return ROSTER_BLANK;
	/* Nearly every record of a good roster has a name that begins none of the words below. */
	if (r->past_rows || (uint8_t)*first.p >= 0x80 || (name.n > 0 && (uint8_t)*name.p >= 0x80))
		return classify_words(r, first, name);
	return ROSTER_ROW;
}

static bool begins_with(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strncmp(text, *words, strlen(*words)) == 0)
			return true;
	}
	return false;
}

/* First characters of all the words below, each of three bytes: a quick no for nearly every
 * name. */
static bool begins_a_word(const char *p)
{
	static const char firsts[] = "合总共小本经填制审负单村联注说备镇盖（";

	for (size_t i = 0; i + 3 < sizeof firsts; i += 3) {
		if (firsts[i] == p[0] && firsts[i + 1] == p[1] && firsts[i + 2] == p[2])
			return true;
	}
	return p[0] == '(';
}

/* What a cell's first word says about its record; ROSTER_ROW where it says nothing. R-36 */
static enum roster_line classify_word(struct str cell)
{
	static const char *const totals[] = {"合计", "总计", "共计", "总合计", NULL};
	static const char *const parts[] = {"小计", "本页小计", "本页合计", "本组合计", NULL};
	static const char *const feet[] = {"经办人",   "填表人", "填表日期", "填报人",	"填报日期",
					   "填报单位", "制表人", "制表日期", "审核人",	"负责人",
					   "单位负责", "村负责", "联系电话", "联系人:", "注:",
					   "注1",      "说明:",	 "备注:",    "村(居)",	"镇(街道)",
					   "盖章",     "(盖章)", NULL};
	char word[64];
	struct str s = cell_bare(cell);

	if (s.n < 3 || !begins_a_word(s.p))
		return ROSTER_ROW;
	if (s.n >= sizeof word)
		s.n = utf8_cut(s.p, sizeof word - 1);
	if (cell_narrow(s, word, sizeof word) < 0)
		return ROSTER_ROW;
	if (begins_with(word, totals))
		return ROSTER_TOTAL;
	if (begins_with(word, parts))
		return ROSTER_NOTE;
	return begins_with(word, feet) ? ROSTER_FOOT : ROSTER_ROW;
}

static enum roster_line classify_words(struct roster *r, struct str first, struct str name)
{
	enum roster_line line = classify_word(first);

	if (line == ROSTER_ROW && name.p != first.p)
		line = classify_word(name);
	if (line == ROSTER_ROW && is_header_again(r))
		return ROSTER_NOTE;
	/* Whoever has a number is a person, whatever the name looks like. */
	if (line != ROSTER_ROW && has_number(r))
		return ROSTER_ROW;
	if (r->past_rows && !has_number(r) && !is_numbered(r))
		return ROSTER_FOOT;
	return line;
}

/* `first`: the first cell with something in it, bare. A form printed with numbered empty lines
 * has a serial number and nothing else in them, so the number does not count; 合计 in its place
 * does. */
static bool blank_record(const struct roster *r, struct str *first)
{
	for (int i = 0; i < r->csv.count; i++) {
		if (r->csv.cells[i].n == 0 || roster_hidden(r, i))
			continue;
		*first = cell_bare(r->csv.cells[i]);
		if (first->n > 0 && (i != r->column_at[COL_SERIAL] || (uint8_t)*first->p >= 0x80))
			return false;
	}
	return true;
}

/* Something like an ID number, whole or spoilt (3.30603E+17), and a name. */
static bool has_number(const struct roster *r)
{
	char number[64];
	int n = cell_narrow(r->cells[COL_ID], number, sizeof number);

	if (n < 4 || number[0] < '0' || number[0] > '9' || blank(r->cells[COL_NAME]))
		return false;
	return (n >= 15 && n <= 20 && strspn(number, "0123456789") >= 14) ||
	       strpbrk(number, "eE") != NULL;
}

/* A serial number, a name and an amount. */
static bool is_numbered(const struct roster *r)
{
	struct str serial = cell_bare(r->cells[COL_SERIAL]);
	int64_t fen;

	return serial.n > 0 && *serial.p >= '0' && *serial.p <= '9' && !blank(r->cells[COL_NAME]) &&
	       money_parse(r->cells[COL_AMOUNT], &fen) == NULL;
}

/* The header printed again on each page. */
static bool is_header_again(const struct roster *r)
{
	struct str id = r->cells[COL_ID];
	enum column c;

	if (id.n < 3 || (uint8_t)*id.p < 0x80)
		return false;
	return column_of_heading(id, &c) == 0 && c == COL_ID &&
	       column_of_heading(r->cells[COL_NAME], &c) == 0 && c == COL_NAME;
}

/* A total that cannot be read is no reason to refuse: the gateway warns when it differs, and there
 * is nothing to compare. */
static void read_total(struct roster *r)
{
	const char *why = money_parse(r->cells[COL_AMOUNT], &r->total_fen);

	r->total_known = why == NULL || strcmp(why, "amount_zero") == 0;
}

static int refuse(struct roster *r, const char *code, int64_t at, struct err *e)
{
	r->refused = code;
	r->refused_at = at;
	return err_set(e, ERR_PERM, "roster: %s in record %lld", code, (long long)at);
}
