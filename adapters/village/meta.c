/* Text, so that a person can read it and an older or newer program finds the keys that it knows:
 * a key that is missing is an error, a key too many is not. */
#include "adapters/village/meta.h"
#include "crypto/ids.h"
#include <inttypes.h>
#include <string.h>

static const char first_line[] = "qiao-spool 1";

static int value(struct str text, const char *key, struct str *out);
static int number(struct str text, const char *key, int64_t max, int64_t *out);
static int word(struct str text, const char *key, char *out, size_t cap);
static int state(struct str text, enum spool_state *out);
static const char *state_code(enum spool_state s);

int meta_put(struct buf *out, const struct spool_meta *m)
{
	char hex[ID_HEX], receipt[11];

	receipt_number(receipt, &m->submission);
	return buf_printf(out,
			  "%s\nsubmission %s\nreceipt %s\nstate %s\nsender %s\nsha256 %s\nyear %d\n"
			  "village %s\nreceived_at %" PRId64 "\nencoding %s\nbytes %" PRId64
			  "\nrecords %" PRId64 "\nrows %" PRId64 "\nreader %s\n",
			  first_line, id_hex(&m->submission, hex), receipt, state_code(m->state),
			  m->sender, m->sha256, (int)m->year, m->village, m->received_at,
			  encoding_code(m->encoding), m->bytes, m->records, m->rows, m->reader);
}

int meta_get(struct str text, struct spool_meta *m)
{
	struct str encoding;
	int64_t year;
	int rc = 0;

	if (text.n < strlen(first_line) || memcmp(text.p, first_line, strlen(first_line)) != 0)
		return -1;
	rc |= state(text, &m->state);
	rc |= word(text, "sender", m->sender, sizeof m->sender);
	rc |= word(text, "sha256", m->sha256, sizeof m->sha256);
	rc |= number(text, "year", 9999, &year);
	rc |= word(text, "village", m->village, sizeof m->village);
	rc |= number(text, "received_at", INT64_MAX, &m->received_at);
	rc |= value(text, "encoding", &encoding);
	rc |= number(text, "bytes", INT64_MAX, &m->bytes);
	rc |= number(text, "records", INT32_MAX, &m->records);
	rc |= number(text, "rows", INT32_MAX, &m->rows);
	rc |= word(text, "reader", m->reader, sizeof m->reader);
	if (rc < 0 || encoding_of(encoding, &m->encoding) < 0)
		return -1;
	m->year = (int32_t)year;
	return strlen(m->sha256) == 64 && strlen(m->village) == 12 ? 0 : -1;
}

int meta_put_cover(struct buf *out, const struct spool_cover *c)
{
	char hex[ID_HEX], roster[ID_HEX];

	return buf_printf(
		out, "%s\ncover %s\nsubmission %s\nstate %s\nsender %s\nreceived_at %" PRId64 "\n",
		first_line, id_hex(&c->cover, hex), id_hex(&c->submission, roster),
		state_code(c->state), c->sender, c->received_at);
}

int meta_get_cover(struct str text, struct spool_cover *c)
{
	struct str submission;
	int rc = 0;

	if (text.n < strlen(first_line) || memcmp(text.p, first_line, strlen(first_line)) != 0)
		return -1;
	rc |= state(text, &c->state);
	rc |= word(text, "sender", c->sender, sizeof c->sender);
	rc |= number(text, "received_at", INT64_MAX, &c->received_at);
	rc |= value(text, "submission", &submission);
	return rc < 0 ? -1 : id_parse(&c->submission, submission);
}

/* The rest of the line that begins with the key. */
static int value(struct str text, const char *key, struct str *out)
{
	size_t n = strlen(key);

	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t line = end ? (size_t)(end - text.p) : text.n;

		if (line > n && memcmp(text.p, key, n) == 0 && text.p[n] == ' ') {
			*out = (struct str){text.p + n + 1, line - n - 1};
			return 0;
		}
		text = (struct str){text.p + line + (end != NULL), text.n - line - (end != NULL)};
	}
	return -1;
}

static int number(struct str text, const char *key, int64_t max, int64_t *out)
{
	struct str v;

	return value(text, key, &v) < 0 ? -1 : str_int(v, 0, max, out);
}

static int word(struct str text, const char *key, char *out, size_t cap)
{
	struct str v;

	return value(text, key, &v) < 0 ? -1 : str_copy(out, cap, v);
}

static int state(struct str text, enum spool_state *out)
{
	struct str v;

	if (value(text, "state", &v) < 0)
		return -1;
	*out = str_is(v, state_code(SPOOL_PUBLISHED)) ? SPOOL_PUBLISHED : SPOOL_SPOOLED;
	return *out == SPOOL_PUBLISHED || str_is(v, state_code(SPOOL_SPOOLED)) ? 0 : -1;
}

static const char *state_code(enum spool_state s)
{
	return s == SPOOL_PUBLISHED ? "published" : "spooled";
}
