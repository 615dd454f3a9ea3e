#include "tests/lib/bulk.h"
#include "base/buf.h"
#include "crypto/digest.h"
#include "tests/lib/people.h"
#include "tests/lib/roster_form.h"
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <inttypes.h>
#include <unistd.h>

enum { PIECE = 256 << 10, LINE = 1 << 10 };

static const int standards[] = {200, 300, 400, 500, 600, 0};

struct writer {
	int fd;
	iconv_t cd;
	struct digest *digest;
	struct buf text, bytes; /* UTF-8, GB18030 */
};

static int put_all(struct writer *w, const struct bulk *b, struct err *e);
static int64_t put_row(struct buf *text, const struct bulk *b, uint32_t i);
static int send(struct writer *w, struct err *e);
static int put_cover(const struct bulk *b, const char *hex, const char *path, struct err *e);

int bulk_write(const struct bulk *b, const char *roster, const char *cover, struct err *e)
{
	struct writer w = {.fd = -1, .cd = iconv_open("GB18030", "UTF-8"), .digest = digest_new()};
	uint8_t sha[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	int rc = -1;

	buf_init(&w.text, PIECE + LINE);
	buf_init(&w.bytes, 2 * (PIECE + LINE));
	if (w.cd == (iconv_t)-1 || !w.digest) {
		err_set(e, ERR_TEMP, "roster: no memory or no GB18030");
		goto out;
	}
	w.fd = open(roster, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w.fd < 0) {
		err_sys(e, ERR_TEMP, errno, "%s", roster);
		goto out;
	}
	digest_start(w.digest);
	if (put_all(&w, b, e) < 0)
		goto out;
	digest_end(w.digest, sha);
	hex_put(hex, sha, sizeof sha);
	if (cover && put_cover(b, hex, cover, e) < 0)
		goto out;
	rc = 0;
out:
	if (w.fd >= 0 && close(w.fd) < 0 && rc == 0)
		rc = err_sys(e, ERR_TEMP, errno, "%s", roster);
	if (w.cd != (iconv_t)-1)
		iconv_close(w.cd);
	digest_free(w.digest);
	buf_fini(&w.text);
	buf_fini(&w.bytes);
	return rc;
}

static int put_all(struct writer *w, const struct bulk *b, struct err *e)
{
	int64_t total = 0;

	buf_printf(&w->text,
		   "集体补助人员名册,,,,,,,,,,,\r\n补助年度：%d年　乡镇（街道）：%s　村（居）：%s,,"
		   ",,,,,,,,,\r\n",
		   BULK_YEAR, b->town, b->village);
	buf_put_str(&w->text, "序号,姓名,证件类型,公民身份号码,社保编号,个人缴费档次,"
			      "个人缴费到账日期,补助金额（元）,"
			      "其他资助金额,是否集体经济组织成员,联系电话,备注\r\n");
	for (uint32_t i = 0; i < b->count; i++) {
		total += put_row(&w->text, b, i);
		if (w->text.len >= PIECE && send(w, e) < 0)
			return -1;
	}
	buf_printf(&w->text,
		   "合计,,,,,,,%" PRId64
		   ",,,,\r\n经办人：沈水根　　联系电话：13900001111　　填表日期：2026年12月9日,,,,,"
		   ",,,,,,\r\n",
		   total);
	return send(w, e);
}

/* Gives the amount in yuan. */
static int64_t put_row(struct buf *text, const struct bulk *b, uint32_t i)
{
	struct invented who;
	uint64_t chance = b->seed + b->first + i;
	int yuan = standards[chance_below(&chance, 5)];

	invented_at(&who, b->seed, b->first + i);
	buf_printf(text, "%" PRIu32 ",%s,居民身份证,%s\t,%s,1000,2026-05-14,%d,,是,%s,\r\n", i + 1,
		   who.name, who.number, who.ssa_no, yuan, who.phone);
	return yuan;
}

/* What lies in text goes out; a piece ends with a line, so no character is cut. */
static int send(struct writer *w, struct err *e)
{
	char *in = (char *)w->text.data, *out = (char *)buf_reserve(&w->bytes, 2 * w->text.len);
	size_t left = w->text.len, room = 2 * w->text.len, n;
	ssize_t sent = 0;

	if (!out || iconv(w->cd, &in, &left, &out, &room) == (size_t)-1)
		return err_set(e, ERR_TEMP, "roster: not to be written in GB18030");
	n = 2 * w->text.len - room;
	digest_add(w->digest, w->bytes.data, n);
	for (size_t at = 0; at < n; at += (size_t)sent) {
		sent = write(w->fd, w->bytes.data + at, n - at);
		if (sent < 0)
			return err_sys(e, ERR_TEMP, errno, "roster: write");
	}
	buf_reset(&w->text);
	return 0;
}

static int put_cover(const struct bulk *b, const char *hex, const char *path, struct err *e)
{
	uint64_t chance = b->seed + b->first + (uint64_t)b->sponsor * 1000003;
	char sponsor[19];
	struct cover_form c = {.sha256 = hex,
			       .village = b->code,
			       .type = "collective",
			       .code = sponsor,
			       .name = "股份经济合作社",
			       .year = BULK_YEAR,
			       .standards_yuan = standards,
			       .flaw = COVER_GOOD,
			       .chance = chance};

	credit_code(sponsor, "N2330603", &chance);
	return cover_write(&c, path, e);
}
