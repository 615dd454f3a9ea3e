/* The same refusal goes to three readers: the sender (text and cure), the operator's .reason file
 * (code and what is not personal), the log (the same). */
#include "adapters/village/refusal.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int refusal_set(struct refusal *r, const char *code, const char *fmt, ...)
{
	va_list ap;

	r->code = code;
	va_start(ap, fmt);
	vsnprintf(r->what, sizeof r->what, fmt, ap);
	va_end(ap);
	r->what[utf8_cut(r->what, strlen(r->what))] = '\0';
	return -1;
}

int refusal_text(const struct refusal *r, struct buf *out)
{
	struct str arg = str_of(r->what);
	char cure[80];
	const char *text;
	int rc = text_fill(out, text_or_code(r->code, LANG_ZH), &arg, 1);

	if (r->shown[0])
		rc |= buf_printf(out, "\n%s", r->shown);
	snprintf(cure, sizeof cure, "%s.cure", r->code);
	text = text_get(cure, LANG_ZH);
	if (text) {
		rc |= buf_put_str(out, "\n处理办法：");
		rc |= text_fill(out, text, &arg, 1);
	}
	return rc | buf_put_u8(out, '\n');
}

int refusal_reason(const struct refusal *r, struct buf *out)
{
	return buf_printf(out, "%s%s%s\n", r->code, r->what[0] ? " " : "", r->what);
}
