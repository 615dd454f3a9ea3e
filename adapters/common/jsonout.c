#include "adapters/common/jsonout.h"
#include "base/date.h"
#include <stdio.h>
#include <string.h>

static bool plain(unsigned char c);

void jsonout_init(struct jsonout *j, size_t max)
{
	buf_init(&j->buf, max);
	j->full = false;
}

void jsonout_fini(struct jsonout *j)
{
	buf_fini(&j->buf);
	j->full = false;
}

void jsonout_reset(struct jsonout *j)
{
	buf_reset(&j->buf);
	j->full = false;
}

struct str jsonout_text(const struct jsonout *j)
{
	return (struct str){j->buf.data ? (const char *)j->buf.data : "", j->buf.len};
}

void jsonout_raw(struct jsonout *j, struct str text)
{
	if (!j->full && buf_put(&j->buf, text.p, text.n) != 0)
		j->full = true;
}

void jsonout_str(struct jsonout *j, struct str s)
{
	size_t from = 0;

	if (!s.p) {
		JSONOUT(j, "null");
		return;
	}
	JSONOUT(j, "\"");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char escape[8];

		if (plain(c))
			continue;
		jsonout_raw(j, (struct str){s.p + from, i - from});
		from = i + 1;
		if (c == '"' || c == '\\')
			snprintf(escape, sizeof escape, "\\%c", c);
		else
			snprintf(escape, sizeof escape, "\\u%04x", c);
		jsonout_raw(j, str_of(escape));
	}
	jsonout_raw(j, (struct str){s.p + from, s.n - from});
	JSONOUT(j, "\"");
}

void jsonout_int(struct jsonout *j, int64_t v)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		digits[--at] = (char)('0' + left % 10);
	while (left /= 10);
	if (v < 0)
		digits[--at] = '-';
	jsonout_raw(j, (struct str){digits + at, sizeof digits - at});
}

void jsonout_bool(struct jsonout *j, bool v)
{
	jsonout_raw(j, v ? STR("true") : STR("false"));
}

void jsonout_id(struct jsonout *j, const struct id *id)
{
	char text[ID_HEX + 2];

	text[0] = '"';
	id_hex(id, text + 1);
	text[ID_HEX] = '"';
	jsonout_raw(j, (struct str){text, ID_HEX + 1});
}

void jsonout_time(struct jsonout *j, int64_t time_ms)
{
	char text[40];

	jsonout_str(j, str_of(time_text(text, time_ms)));
}

static bool plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}
