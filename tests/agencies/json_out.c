/* Values as JSON. Everything that is not ASCII goes out as the UTF-8 that it came in. */
#include "tests/agencies/json_out.h"
#include "base/date.h"
#include <string.h>

void out_init(struct out *o, size_t max)
{
	memset(o, 0, sizeof *o);
	buf_init(&o->b, max);
}

void out_fini(struct out *o)
{
	buf_fini(&o->b);
}

void out_reset(struct out *o)
{
	buf_reset(&o->b);
	o->bad = false;
}

void out_put(struct out *o, const char *p, size_t n)
{
	if (buf_put(&o->b, p, n) < 0)
		o->bad = true;
}

void out_int(struct out *o, int64_t v)
{
	char text[24], *at = text + sizeof text;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		*--at = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0)
		*--at = '-';
	out_put(o, at, (size_t)(text + sizeof text - at));
}

void out_text(struct out *o, struct str s)
{
	static const char digits[] = "0123456789abcdef";
	size_t from = 0;

	if (!s.p) {
		out_lit(o, "null");
		return;
	}
	out_lit(o, "\"");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char esc[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		out_put(o, s.p + from, i - from);
		out_put(o, esc, sizeof esc);
		from = i + 1;
	}
	out_put(o, s.p + from, s.n - from);
	out_lit(o, "\"");
}

void out_hex(struct out *o, const void *p, size_t n)
{
	char text[2 * 32 + 1];

	if (n > 32) {
		o->bad = true;
		return;
	}
	hex_put(text, p, n);
	out_lit(o, "\"");
	out_put(o, text, 2 * n);
	out_lit(o, "\"");
}

void out_time(struct out *o, int64_t ms)
{
	if (ms != o->time_ms || o->time[0] == '\0') {
		time_text(o->time, ms);
		o->time_ms = ms;
	}
	out_lit(o, "\"");
	out_put(o, o->time, strlen(o->time));
	out_lit(o, "\"");
}

void out_date(struct out *o, int days)
{
	char text[16];

	out_text(o, days == DATE_NONE ? (struct str){NULL, 0} : str_of(date_text(text, days)));
}
