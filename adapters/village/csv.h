/* Records of a CSV file as spreadsheets write them, one after the other, in constant memory.
 *
 * Delimiter , ; or tab; line ends CRLF, LF or CR; a cell that begins with " runs to the closing
 * one ("" is one quote, line ends inside belong to the cell). A record is what a spreadsheet
 * shows as a row, so its number is the row's number there. */
#ifndef QIAO_VILLAGE_CSV_H
#define QIAO_VILLAGE_CSV_H
#include "adapters/village/decode.h"

#define CSV_CELLS_MAX 128
#define CSV_RECORD_MAX (32 << 10)
#define CSV_BUFFER (128 << 10)

struct csv_reader {
	struct decoder *from; /* borrowed; NULL: only what is in the buffer */
	char delimiter;
	bool ended;
	int64_t record;	     /* number of the record that csv_next gave last */
	const char *refused; /* code, after -1 with ERR_PERM */
	struct str cells
		[CSV_CELLS_MAX]; /* valid until the next csv_next; further cells are left out */
	int count;
	size_t at, len;
	char *data;
};
/* from may be NULL (see csv_memory). The buffer is given back by csv_fini. */
int csv_init(struct csv_reader *r, struct decoder *from, char delimiter, struct err *e);
void csv_fini(struct csv_reader *r);
/* Reads until at least n bytes are in the buffer or the file has ended: what is ahead, without
 * taking it. */
int csv_peek(struct csv_reader *r, size_t n, struct str *ahead, struct err *e);
/* A reader over borrowed memory; it changes the bytes (quotes are taken out in place). Needs no
 * csv_fini. */
void csv_memory(struct csv_reader *r, char *text, size_t n, char delimiter);

/* 1 and the next record's cells, 0 at the end, -1: ERR_PERM and `refused` (file_undecodable,
 * roster_record_too_long; `record` is where), or what the source said. */
int csv_next(struct csv_reader *r, struct err *e);

#endif
