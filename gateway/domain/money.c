/* Amounts as people type them, to fen. What could mean two things is refused, never guessed:
 * somebody is paid by it. */
#include "domain/money.h"
#include "domain/cell.h"
#include <string.h>

#define DIGITS_MAX 32 /* a longer cell is no amount that a person typed */

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str skip(struct str s, size_t n)
{
	return (struct str){s.p + n, s.n - n};
}

static bool begins(struct str s, const char *with, size_t n)
{
	return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* Takes off the sign, the currency around the number and the brackets of accounts; *negative is
 * set by - and by (...). */
static struct str strip(struct str s, bool *negative)
{
	static const struct str before[] = {STR("¥"), STR("￥"), STR("RMB"), STR("人民币")};
	static const struct str after[] = {STR("整"), STR("元"), STR("圆")};

	if (s.n >= 2 && s.p[0] == '(' && s.p[s.n - 1] == ')') {
		*negative = true;
		s = (struct str){s.p + 1, s.n - 2};
	}
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (begins(s, before[i].p, before[i].n))
			s = skip(s, before[i].n);
	if (begins(s, "\xE2\x88\x92", 3)) { /* U+2212, the minus of word processors */
		*negative = true;
		s = skip(s, 3);
	} else if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
		*negative = *negative || s.p[0] == '-';
		s = skip(s, 1);
	}
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (begins(s, before[i].p, before[i].n))
			s = skip(s, before[i].n);
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		if (s.n > after[i].n && memcmp(s.p + s.n - after[i].n, after[i].p, after[i].n) == 0)
			s.n -= after[i].n;
	return s;
}

/* The yuan before the point: digits, with commas only where they part thousands ("12,00" could
 * be a decimal comma: refused). Stops growing above the maximum, so that nothing overflows. */
static int read_yuan(struct str *s, int64_t *yuan)
{
	size_t i = 0, group = 0;
	bool commas = false;

	*yuan = 0;
	for (; i < s->n && (digit(s->p[i]) || s->p[i] == ','); i++) {
		if (s->p[i] == ',') {
			if (group == 0 || group > 3 || (commas && group != 3))
				return -1;
			commas = true;
			group = 0;
			continue;
		}
		group++;
		if (*yuan <= MONEY_MAX_FEN)
			*yuan = *yuan * 10 + (s->p[i] - '0');
	}
	if (group == 0 || (commas && group != 3))
		return -1;
	*s = skip(*s, i);
	return 0;
}

/* Digits after the point; *below says that something is there below one fen. */
static int read_fen(struct str *s, int64_t *fen, bool *below)
{
	size_t i = 1;

	*fen = 0;
	*below = false;
	if (s->n == 0 || s->p[0] != '.')
		return 0;
	for (; i < s->n && digit(s->p[i]); i++) {
		if (i == 1)
			*fen = 10 * (s->p[i] - '0');
		else if (i == 2)
			*fen += s->p[i] - '0';
		else
			*below = *below || s->p[i] != '0';
	}
	*s = skip(*s, i);
	return 0;
}

static bool means_nothing(struct str s)
{
	return s.n == 0 || str_is(s, "-") || str_is(s, "--") || str_is(s, "—") || str_is(s, "——") ||
	       str_is(s, "/") || str_is(s, "无");
}

/* Nearly every cell: one to seven digits and nothing else. */
static bool plain(struct str s, int64_t *fen)
{
	int64_t v = 0;

	if (s.n == 0 || s.n > 7)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!digit(s.p[i]))
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*fen = v * 100;
	return true;
}

const char *money_parse(struct str raw, int64_t *fen)
{
	char room[DIGITS_MAX + 32];
	struct str s = raw;
	bool negative = false, below;
	int64_t whole, part;
	int n;

	if (plain(raw, fen))
		return *fen == 0 ? "amount_zero" : NULL;
	*fen = 0;
	n = cell_narrow(raw, room, sizeof(room));
	if (n < 0)
		return "amount_not_a_number";
	s = (struct str){room, (size_t)n};
	if (means_nothing(s))
		return "amount_missing";
	s = strip(s, &negative);
	if (read_yuan(&s, &whole) != 0 || read_fen(&s, &part, &below) != 0 || s.n != 0)
		return "amount_not_a_number";
	if (whole == 0 && part == 0 && !below)
		return "amount_zero";
	if (negative)
		return "amount_negative";
	if (whole > MONEY_MAX_FEN / 100 || whole * 100 + part > MONEY_MAX_FEN)
		return "amount_too_large";
	if (below)
		return "amount_fraction";
	*fen = whole * 100 + part;
	return NULL;
}
