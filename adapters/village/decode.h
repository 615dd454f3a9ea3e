/* Bytes of a village's file into UTF-8 (domain.md 6): byte order mark, else strict UTF-8, else
 * GB18030, else refused.
 *
 * Which of them can only be told when all bytes have been seen, so a file is read twice:
 * sniff_add over the whole, then a decoder over a source of the same bytes. Both need constant
 * memory. */
#ifndef QIAO_VILLAGE_DECODE_H
#define QIAO_VILLAGE_DECODE_H
#include "base/err.h"
#include "base/str.h"
#include <sys/types.h>

enum encoding { ENC_UTF8, ENC_UTF16LE, ENC_UTF16BE, ENC_GB18030, ENCODINGS };
const char *encoding_code(enum encoding enc);
int encoding_of(struct str code, enum encoding *enc);

struct sniff {
	uint8_t head[4];
	int head_len;
	uint8_t more, low,
		high; /* continuation bytes still expected, and the range of the next one */
	bool utf8_bad, nul;
	int64_t bytes;
};
void sniff_init(struct sniff *s);
void sniff_add(struct sniff *s, const void *p, size_t n);
/* NULL and the encoding, or why this is no text: file_empty, file_is_workbook, file_not_text,
 * file_undecodable. A GB18030 file may still turn out undecodable while it is decoded. */
const char *sniff_end(const struct sniff *s, enum encoding *enc);

/* Where bytes come from: read gives 1..n, 0 at the end, -1 and *e. */
struct source {
	ssize_t (*read)(void *arg, void *to, size_t n, struct err *e);
	void *arg;
};

struct decoder;
#define DECODE_ROOM 16 /* the least room that decoder_read needs */
/* Borrows what src names until the close. ERR_CONF when the system cannot convert GB18030. */
int decoder_open(struct decoder **out, enum encoding enc, struct source src, struct err *e);
void decoder_close(struct decoder *d);
/* 1..cap bytes of UTF-8, 0 at the end. -1: ERR_PERM where bytes mean nothing in that encoding
 * (or mean NUL), else what the source said. */
ssize_t decoder_read(struct decoder *d, char *to, size_t cap, struct err *e);

#endif
