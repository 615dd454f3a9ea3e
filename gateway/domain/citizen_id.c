/* Numbers of persons and of units. The order of the checks is the order in which a clerk can do
 * something about them: what the spreadsheet broke first, then what was mistyped. */
#include "domain/citizen_id.h"
#include "base/date.h"
#include "domain/cell.h"
#include <string.h>

int citizen_id_normalise(struct str raw, char *out, size_t cap)
{
	int n = cell_narrow(raw, out, cap);

	for (int i = 0; i < n; i++)
		if (out[i] == 'x')
			out[i] = 'X';
	return n < 0 ? -1 : 0;
}

/* 3.30603E+17: what a spreadsheet that took the number for a number writes. The last digits are
 * lost. */
static bool scientific(struct str s)
{
	size_t i = 0;

	while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'))
		i++;
	if (i == 0 || i == s.n || (s.p[i] != 'E' && s.p[i] != 'e'))
		return false;
	i++;
	if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
		i++;
	if (i == s.n)
		return false;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i == s.n;
}

static bool good_characters(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') && !(s.p[i] == 'X' && i + 1 == s.n))
			return false;
	return true;
}

/* ISO 7064 MOD 11-2, the weights of GB 11643. */
static char check_digit(const char *p)
{
	static const uint8_t weight[CITIZEN_ID_LEN - 1] = {7, 9, 10, 5,	 8, 4, 2, 1, 6,
							   3, 7, 9,  10, 5, 8, 4, 2};
	unsigned sum = 0;

	for (int i = 0; i < CITIZEN_ID_LEN - 1; i++)
		sum += weight[i] * (unsigned)(p[i] - '0');
	return "10X98765432"[sum % 11];
}

static int number(const char *p, int digits)
{
	int v = 0;

	for (int i = 0; i < digits; i++)
		v = v * 10 + (p[i] - '0');
	return v;
}

/* Nobody on a roster is older than this: an earlier year is a slip. [ours] */
#define AGE_MAX 130

static bool good_birth(const char *p, int today)
{
	int year = number(p + 6, 4), born = date_of(year, number(p + 10, 2), number(p + 12, 2));

	return born != DATE_NONE && born <= today && year >= date_year(today) - AGE_MAX;
}

const char *citizen_id_check(struct str s, int today)
{
	if (s.n == 0)
		return "id_missing";
	if (!good_characters(s))
		return scientific(s) ? "id_scientific" : "id_characters";
	if (s.n != CITIZEN_ID_LEN)
		return "id_length";
	/* Before the check digit: a rounded number passes it once in eleven times, and then is
	 * somebody else's. */
	if (memcmp(s.p + CITIZEN_ID_LEN - 3, "000", 3) == 0)
		return "id_suspicious_zeros";
	if (check_digit(s.p) != s.p[CITIZEN_ID_LEN - 1])
		return "id_check_digit";
	return good_birth(s.p, today) ? NULL : "id_birth_date";
}

const char *certificate_kind(struct str raw)
{
	/* Codes of the SSA, of the tax bureau, ours, and the words that people write. */
	static const struct {
		const char *words, *kind;
	} known[] = {
		{"", "resident_id"},
		{"居民身份证", "resident_id"},
		{"身份证", "resident_id"},
		{"01", "resident_id"},
		{"1", "resident_id"},
		{"201", "resident_id"},
		{"居民身份证（户口簿）", "resident_id"},
		{"居民身份证(户口簿)", "resident_id"},
		{"二代身份证", "resident_id"},
		{"第二代居民身份证", "resident_id"},
		{"二代居民身份证", "resident_id"},
		{"中华人民共和国居民身份证", "resident_id"},
		{"resident_id", "resident_id"},
		{"16", "hmt_permit"},
		{"237", "hmt_permit"},
		{"238", "hmt_permit"},
		{"港澳台居民居住证", "hmt_permit"},
		{"港澳台居住证", "hmt_permit"},
		{"港澳居民居住证", "hmt_permit"},
		{"台湾居民居住证", "hmt_permit"},
		{"中华人民共和国港澳居民居住证", "hmt_permit"},
		{"中华人民共和国台湾居民居住证", "hmt_permit"},
		{"hmt_permit", "hmt_permit"},
		{"07", "foreigner_permit"},
		{"7", "foreigner_permit"},
		{"233", "foreigner_permit"},
		{"外国人永久居留身份证", "foreigner_permit"},
		{"外国人永久居留证", "foreigner_permit"},
		{"中华人民共和国外国人永久居留身份证", "foreigner_permit"},
		{"foreigner_permit", "foreigner_permit"},
	};
	char words[96];

	if (cell_narrow(raw, words, sizeof(words)) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].words, words) == 0)
			return known[i].kind;
	return NULL;
}

const char *credit_code_check(struct str code)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	static const uint8_t weight[17] = {1,  3,  9,  27, 19, 26, 16, 17, 20,
					   29, 25, 13, 8,  24, 10, 30, 28}; /* 3^i mod 31 */
	unsigned sum = 0;

	if (code.n == 0)
		return "credit_code_missing";
	if (code.n != 18)
		return "credit_code_length";
	for (int i = 0; i < 18; i++) {
		const char *at = code.p[i] == '\0' ? NULL : strchr(alphabet, code.p[i]);

		if (at == NULL)
			return "credit_code_characters";
		if (i < 17)
			sum += weight[i] * (unsigned)(at - alphabet);
	}
	return alphabet[(31 - sum % 31) % 31] == code.p[17] ? NULL : "credit_code_check";
}
