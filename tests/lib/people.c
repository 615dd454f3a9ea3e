#include "tests/lib/people.h"
#include "base/date.h"
#include <stdio.h>
#include <string.h>

enum { BIRTH_DAYS = 12000, ORDERS = 891 };

uint64_t chance_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

uint32_t chance_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(chance_next(state) >> 33) % n;
}

static char check_digit(const char *p)
{
	static const int weight[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	int sum = 0;

	for (int i = 0; i < 17; i++)
		sum += weight[i] * (p[i] - '0');
	return "10X98765432"[sum % 11];
}

static void digits(char *out, int n, int value)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
}

void citizen_number(char out[19], const char prefix[6], int year, int month, int day, int order)
{
	memcpy(out, prefix, 6);
	digits(out + 6, 4, year);
	digits(out + 10, 2, month);
	digits(out + 12, 2, day);
	digits(out + 14, 3, order);
	out[17] = check_digit(out);
	out[18] = '\0';
}

/* Most are three characters long: two are so short that they turn up in random bytes. */
static void make_name(char *out, size_t cap, uint64_t *s)
{
	static const char *const family[] = {"王", "陈", "沈", "张", "徐", "金", "李", "周", "俞", "傅", "章", "鲁", "何",
					     "孟", "茹", "祝", "魏", "潘", "胡", "谢", "诸葛", "冯", "高", "孙", "倪", "韩"};
	static const char *const given[] = {"水", "根", "阿", "毛", "建", "国", "春", "兰", "文", "娟", "小", "英", "志",
					    "明", "海", "燕", "利", "宝", "丽", "萍", "永", "法", "月", "仙", "校", "锋",
					    "玉", "琴", "炳", "灿", "雅", "芳", "华", "云", "祥", "凤", "秋", "荷", "一", "鸣"};
	const uint32_t n = sizeof given / sizeof given[0];

	snprintf(out, cap, "%s%s%s", family[chance_below(s, sizeof family / sizeof family[0])],
		 given[chance_below(s, n)], given[chance_below(s, n)]);
}

void invented_at(struct invented *p, uint64_t seed, uint32_t i)
{
	/* Half the registers still say Shaoxing County (330621); some people married in, some hold a residence permit. */
	static const char prefixes[][7] = {"330603", "330621", "330603", "330602", "330621", "330603", "330681", "362330",
					   "330603", "421023", "330621", "810000", "330603", "520203", "830000", "330624"};
	uint64_t s = seed * UINT64_C(0x100000001B3) + i;
	int day = date_of(1967, 1, 1) + (int)((i * UINT64_C(7919) + seed) % BIRTH_DAYS);
	/* 37 * BIRTH_DAYS + 1 and ORDERS have no common divisor: people of one birthday have all orders in turn. */
	int order = (int)((i / BIRTH_DAYS + UINT64_C(37) * i) % ORDERS), y, m, d;
	uint32_t round = i / BIRTH_DAYS / ORDERS;

	date_split(day, &y, &m, &d);
	order += 1 + order / 99; /* 1..899 without whole hundreds: those could end in 000 */
	citizen_number(p->number, prefixes[(i + i / BIRTH_DAYS + round) % 16], y, m, d, order);
	make_name(p->name, sizeof p->name, &s);
	snprintf(p->phone, sizeof p->phone, "1%u%08u", 30 + chance_below(&s, 30), chance_below(&s, 100000000));
	snprintf(p->ssa_no, sizeof p->ssa_no, "33%06u%06u", chance_below(&s, 1000000), chance_below(&s, 1000000));
}

void credit_code(char out[19], const char *prefix, uint64_t *state)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	size_t n = strlen(prefix);
	int weight = 1, sum = 0;

	memcpy(out, prefix, n);
	for (size_t i = n; i < 17; i++)
		out[i] = alphabet[chance_below(state, 31)];
	for (int i = 0; i < 17; i++, weight = weight * 3 % 31)
		sum += weight * (int)(strchr(alphabet, out[i]) - alphabet);
	out[17] = alphabet[(31 - sum % 31) % 31];
	out[18] = '\0';
}
