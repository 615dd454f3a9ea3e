#include "bus/crc32.h"
#include <threads.h>

/* Sixteen bytes a turn through sixteen tables: a byte a turn would cost more than all else done to
 * an event. */
enum { TURN = 16 };
static uint32_t table[TURN][256];
static once_flag made = ONCE_FLAG_INIT;

static void make_table(void);
static uint32_t little(const uint8_t *p);
static uint32_t four(uint32_t word, int after);

uint32_t crc32_of(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t crc = ~UINT32_C(0);

	call_once(&made, make_table);
	for (; n >= TURN; n -= TURN, p += TURN)
		crc = four(crc ^ little(p), 12) ^ four(little(p + 4), 8) ^ four(little(p + 8), 4) ^
		      four(little(p + 12), 0);
	for (; n > 0; n--, p++)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
		table[0][i] = crc;
	}
	for (int k = 1; k < TURN; k++)
		for (int i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
}

static uint32_t little(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* What four bytes do to the CRC when so many bytes come after them in the turn. */
static uint32_t four(uint32_t word, int after)
{
	return table[after + 3][word & 0xff] ^ table[after + 2][word >> 8 & 0xff] ^
	       table[after + 1][word >> 16 & 0xff] ^ table[after][word >> 24];
}
