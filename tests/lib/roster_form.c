#include "tests/lib/roster_form.h"
#include "base/buf.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "tests/lib/people.h"
#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 16 << 20, CELLS_MAX = COLUMNS + 1, OWN = COLUMNS /* a column of the village's own */ };

/* Headings by column, and the order in which the columns stand. */
static const struct layout {
	const char *head[2]; /* one or two header rows, as cells with | between */
	int order[CELLS_MAX + 1]; /* ends with -1 */
} layouts[] = {
	[LAYOUT_PLAIN] = {{"序号|姓名|证件类型|公民身份号码|社保编号|个人缴费档次|个人缴费到账日期|补助金额（元）|其他资助金额|"
			   "是否集体经济组织成员|联系电话|备注", NULL},
			  {COL_SERIAL, COL_NAME, COL_CERT_KIND, COL_ID, COL_SSA_NO, COL_TIER, COL_ARRIVED, COL_AMOUNT,
			   COL_OTHER_AMOUNT, COL_MEMBER, COL_PHONE, COL_NOTE, -1}},
	[LAYOUT_TWO_ROWS] = {{"序号|姓名|身份信息|||个人缴费||补助金额|其他资助金额|是否集体经济组织成员|联系电话|备注",
			      "||证件类型|公民身份号码|社保编号|档次|到账日期|||||"},
			     {COL_SERIAL, COL_NAME, COL_CERT_KIND, COL_ID, COL_SSA_NO, COL_TIER, COL_ARRIVED, COL_AMOUNT,
			      COL_OTHER_AMOUNT, COL_MEMBER, COL_PHONE, COL_NOTE, -1}},
	[LAYOUT_MOVED] = {{"序号|组别|补助金额|姓名|身份证号码|手机|是否本集体经济组织成员|缴费档次|备注", NULL},
			  {COL_SERIAL, OWN, COL_AMOUNT, COL_NAME, COL_ID, COL_PHONE, COL_MEMBER, COL_TIER, COL_NOTE, -1}},
	[LAYOUT_NO_MEMBER] = {{"序号|姓名|证件类型|公民身份号码|个人缴费档次|补助金额|联系电话|备注", NULL},
			      {COL_SERIAL, COL_NAME, COL_CERT_KIND, COL_ID, COL_TIER, COL_AMOUNT, COL_PHONE, COL_NOTE, -1}},
};

static int put_cell(struct buf *b, const char *cell, char delimiter);
static int put_header(struct buf *b, const char *cells, char delimiter);
static void put_row(struct buf *b, const struct layout *l, const struct form_row *row, char delimiter);
static void put_total(struct buf *b, const struct layout *l, int64_t fen, char delimiter);
static int encode(struct buf *out, const struct buf *text, enum form_encoding encoding, struct err *e);
static int store(const struct buf *text, enum form_encoding encoding, const char *path, char hex[65], struct err *e);
static int width(const struct layout *l);
static void pad(struct buf *b, const struct layout *l, char delimiter);

int form_write(struct form *f, const char *path, char hex[65], struct err *e)
{
	const struct layout *l = &layouts[f->layout];
	char delimiter = f->encoding == FORM_UTF16 ? '\t' : ',';
	struct buf b;
	int line = 2, rc;

	buf_init(&b, FILE_MAX);
	buf_put_str(&b, f->title);
	pad(&b, l, delimiter);
	buf_printf(&b, "补助年度：%s　乡镇（街道）：%s　村（居）：%s", f->year, f->town, f->village);
	pad(&b, l, delimiter);
	for (int i = 0; i < 2 && l->head[i]; i++, line++)
		put_header(&b, l->head[i], delimiter);
	for (int i = 0; i < f->count; i++) {
		if (f->rows[i].blank_before) {
			pad(&b, l, delimiter);
			line++;
		}
		put_row(&b, l, &f->rows[i], delimiter);
		f->rows[i].row_no = ++line;
	}
	put_total(&b, l, f->total_fen, delimiter);
	buf_printf(&b, "经办人：%s　　联系电话：%s　　填表日期：%s", f->clerk, f->phone, f->filled_on);
	pad(&b, l, delimiter);
	rc = store(&b, f->encoding, path, hex, e);
	buf_fini(&b);
	return rc;
}

int text_write(const char *utf8, enum form_encoding encoding, const char *path, char hex[65], struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	buf_put_str(&b, utf8);
	rc = store(&b, encoding, path, hex, e);
	buf_fini(&b);
	return rc;
}

/* ---- lines ---- */

static int width(const struct layout *l)
{
	int n = 0;

	while (l->order[n] >= 0)
		n++;
	return n;
}

/* Spreadsheets fill each line up to the sheet's width. */
static void pad(struct buf *b, const struct layout *l, char delimiter)
{
	for (int i = 1; i < width(l); i++)
		buf_put_u8(b, (uint8_t)delimiter);
	buf_put_str(b, "\r\n");
}

static int put_cell(struct buf *b, const char *cell, char delimiter)
{
	/* Exports that guard numbers as ="..." leave the cell unquoted. */
	bool guard = cell[0] == '=' && cell[1] == '"';

	if (guard || (!strchr(cell, delimiter) && !strchr(cell, '"') && !strchr(cell, '\n')))
		return buf_put_str(b, cell);
	buf_put_u8(b, '"');
	for (; *cell; cell++) {
		if (*cell == '"')
			buf_put_u8(b, '"');
		buf_put_u8(b, (uint8_t)*cell);
	}
	return buf_put_u8(b, '"');
}

static int put_header(struct buf *b, const char *cells, char delimiter)
{
	for (; *cells; cells++)
		buf_put_u8(b, (uint8_t)(*cells == '|' ? delimiter : *cells));
	return buf_put_str(b, "\r\n");
}

static void put_row(struct buf *b, const struct layout *l, const struct form_row *row, char delimiter)
{
	for (int i = 0; l->order[i] >= 0; i++) {
		if (i > 0)
			buf_put_u8(b, (uint8_t)delimiter);
		put_cell(b, l->order[i] == OWN ? "第二组" : row->cells[l->order[i]], delimiter);
	}
	buf_put_str(b, "\r\n");
}

static void put_total(struct buf *b, const struct layout *l, int64_t fen, char delimiter)
{
	char text[24];

	for (int i = 0; l->order[i] >= 0; i++) {
		if (i > 0)
			buf_put_u8(b, (uint8_t)delimiter);
		if (i == 0)
			buf_put_str(b, "合计");
		else if (l->order[i] == COL_AMOUNT && fen >= 0)
			buf_put_str(b, yuan(text, fen));
	}
	buf_put_str(b, "\r\n");
}

/* ---- bytes ---- */

static int convert(struct buf *out, const struct buf *text, const char *to, struct err *e)
{
	char *in = (char *)text->data, *at;
	size_t left = text->len, room = text->len * 4 + 16, all = room;
	iconv_t cd = iconv_open(to, "UTF-8");

	if (cd == (iconv_t)-1)
		return err_sys(e, ERR_CONF, errno, "iconv %s", to);
	at = (char *)buf_reserve(out, room);
	if (at == NULL || iconv(cd, &in, &left, &at, &room) == (size_t)-1) {
		iconv_close(cd);
		return err_sys(e, ERR_PERM, errno, "iconv %s", to);
	}
	out->len += all - room;
	iconv_close(cd);
	return 0;
}

static int encode(struct buf *out, const struct buf *text, enum form_encoding encoding, struct err *e)
{
	switch (encoding) {
	case FORM_GB18030:
		return convert(out, text, "GB18030", e);
	case FORM_UTF16:
		buf_put(out, "\xFF\xFE", 2);
		return convert(out, text, "UTF-16LE", e);
	case FORM_UTF8_BOM:
		buf_put(out, "\xEF\xBB\xBF", 3);
		break;
	case FORM_UTF8:
		break;
	}
	return buf_put(out, text->data, text->len) == 0 ? 0 : err_set(e, ERR_TEMP, "roster: no memory");
}

static int store(const struct buf *text, enum form_encoding encoding, const char *path, char hex[65], struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct buf out;
	int rc;

	buf_init(&out, 4 * FILE_MAX + 64);
	rc = encode(&out, text, encoding, e);
	if (rc == 0) {
		sha256(out.data, out.len, digest);
		hex_put(hex, digest, sizeof digest);
		rc = fs_write_atomic(path, out.data, out.len, 0600, e);
	}
	buf_fini(&out);
	return rc;
}

/* ---- covers ---- */

struct gate_line {
	const char *gate, *date, *until, *by;
	bool cites;
};
static const struct gate_line plan_gates[] = {
	{"plan_agreed", "2026-10-12", NULL, "村党组织、村民委员会", false},
	{"plan_posted", "2026-10-15", "2026-10-22", NULL, false},
	{"plan_filed_town", "2026-10-27", NULL, "镇（街道）三资办", false},
	{"plan_filed_ssa", "2026-10-28", NULL, "区社保经办机构", false},
};
static const struct gate_line collective_gates[] = {
	{"ssa_check", "2026-11-20", NULL, "区社保经办机构", false},
	{"vote", "2026-11-27", NULL, "村民代表会议", true},
	{"posting", "2026-12-01", "2026-12-11", NULL, true},
	{"town_approval", "2026-12-15", NULL, "镇（街道）三资办", true},
	{"filed", "2026-12-22", NULL, "区税务局", true},
};
static const struct gate_line other_gates[] = {
	{"agreement", "2026-11-02", NULL, NULL, false},
	{"ssa_check", "2026-11-20", NULL, "区社保经办机构", false},
	{"filed", "2026-12-22", NULL, "区税务局", true},
};

static void put_gate(struct buf *b, const struct cover_form *c, const struct gate_line *g, uint64_t *chance)
{
	bool posting = strcmp(g->gate, "posting") == 0;
	const char *date = g->date, *until = g->until;

	if (posting && c->flaw == COVER_POSTED_TOO_SHORT) {
		date = "2026-12-08";
		until = "2026-12-10";
	}
	buf_printf(b, "    {\"gate\": \"%s\", \"date\": \"%s\"", g->gate, date);
	if (until)
		buf_printf(b, ", \"until\": \"%s\"", until);
	if (g->by)
		buf_printf(b, ", \"by\": \"%s\"", g->by);
	buf_put_str(b, ", \"document_sha256\": \"");
	for (int i = 0; i < 4; i++)
		buf_printf(b, "%016" PRIx64, chance_next(chance));
	buf_put_u8(b, '"');
	buf_printf(b, ", \"cites_roster\": %s}",
		   g->cites && !(posting && c->flaw == COVER_NOT_CITED) ? "true" : "false");
}

static void put_gates(struct buf *b, const struct cover_form *c, const struct gate_line *gates, size_t count, uint64_t chance)
{
	buf_put_str(b, "  \"gates\": [\n");
	for (size_t i = 0; i < count; i++) {
		put_gate(b, c, &gates[i], &chance);
		buf_put_str(b, i + 1 < count ? ",\n" : "\n  ]\n}\n");
	}
}

static void put_standards(struct buf *b, const struct cover_form *c)
{
	buf_put_str(b, "  \"standards_yuan\": [");
	for (const int *s = c->standards_yuan; s && *s; s++)
		buf_printf(b, "%s\"%d.00\"", s == c->standards_yuan ? "" : ", ", *s);
	buf_put_str(b, "],\n");
}

/* The same for each roster of a sponsor: one plan, however often it is sent. */
static int plan_write(const struct cover_form *c, const char *cover, struct err *e)
{
	size_t stem = strlen(cover) - strlen(".cover.json");
	char path[700];
	struct buf b;
	int rc;

	snprintf(path, sizeof path, "%.*s.plan.json", (int)stem, cover);
	buf_init(&b, 1 << 16);
	buf_printf(&b, "{\n  \"plan\": 1,\n  \"village\": \"%s\",\n", c->village);
	buf_printf(&b, "  \"sponsor\": {\"type\": \"%s\", \"code\": \"%s\", \"name\": \"%s\"},\n", c->type, c->code, c->name);
	buf_printf(&b, "  \"years\": {\"first\": %d, \"last\": %d},\n", c->year, c->year + 2);
	buf_put_str(&b, "  \"sources\": [{\"kind\": \"collective_income\"}, {\"kind\": \"donation\", \"name\": \"区慈善总会\","
			" \"yuan\": 20000}],\n  \"persons\": \"参加城乡居保并缴费的本集体经济组织成员\",\n"
			"  \"timing\": \"每年12月\",\n");
	put_standards(&b, c);
	put_gates(&b, c, plan_gates, sizeof plan_gates / sizeof plan_gates[0], 17);
	rc = fs_write_atomic(path, b.data, b.len, 0600, e);
	buf_fini(&b);
	return rc;
}

int cover_write(const struct cover_form *c, const char *path, struct err *e)
{
	bool collective = strcmp(c->type, "collective") == 0, individual = strcmp(c->type, "individual") == 0;
	const struct gate_line *gates = collective ? collective_gates : other_gates;
	size_t count = collective ? sizeof collective_gates / sizeof gates[0] : sizeof other_gates / sizeof gates[0];
	uint64_t chance = c->chance;
	struct buf b;
	int rc;

	buf_init(&b, 1 << 16);
	buf_printf(&b, "{\n  \"cover\": 1,\n  \"roster_sha256\": \"%s\",\n  \"year\": %d,\n  \"village\": \"%s\",\n", c->sha256,
		   c->year, c->village);
	buf_printf(&b, "  \"sponsor\": {\"type\": \"%s\", \"%s\": \"%.17s%c\", \"name\": \"%s\"},\n", c->type,
		   individual ? "id_number" : "code", c->code,
		   c->flaw != COVER_BAD_CODE ? c->code[17] : c->code[17] == '7' ? '8' : '7', c->name);
	if (!collective)
		put_standards(&b, c);
	buf_printf(&b, "  \"acceptance_no\": \"柯税受理%04u号\",\n", chance_below(&chance, 10000));
	put_gates(&b, c, gates, count, chance);
	rc = fs_write_atomic(path, b.data, b.len, 0600, e);
	buf_fini(&b);
	return rc == 0 && collective ? plan_write(c, path, e) : rc;
}
