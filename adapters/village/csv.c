/* One buffer holds at least one whole record; cells are slices of it. A record that is not all
 * there is scanned again from its start when more has been read, which happens once a piece. */
#include "adapters/village/csv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum scan { SCAN_RECORD, SCAN_SHORT, SCAN_LONG };

static int fill(struct csv_reader *r, struct err *e);
static enum scan scan_record(struct csv_reader *r, size_t *end);
static bool scan_cell(const struct csv_reader *r, size_t *at, bool *quotes);
static struct str unquote(char *p, size_t n);

int csv_init(struct csv_reader *r, struct decoder *from, char delimiter, struct err *e)
{
	*r = (struct csv_reader){.from = from, .delimiter = delimiter, .ended = from == NULL};
	r->data = malloc(CSV_BUFFER);
	if (r->data == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "csv reader");
	return 0;
}

void csv_fini(struct csv_reader *r)
{
	if (r->data)
		explicit_bzero(r->data, CSV_BUFFER);
	free(r->data);
	*r = (struct csv_reader){0};
}

void csv_memory(struct csv_reader *r, char *text, size_t n, char delimiter)
{
	*r = (struct csv_reader){.delimiter = delimiter, .ended = true, .data = text, .len = n};
}

/* For the search of the header row: the bytes stay, the reader goes over them again. */
int csv_peek(struct csv_reader *r, size_t n, struct str *ahead, struct err *e)
{
	while (r->len - r->at < n && !r->ended) {
		if (fill(r, e) < 0)
			return -1;
	}
	*ahead = (struct str){r->data + r->at, r->len - r->at};
	return 0;
}

/* Each round either has a whole record, or more bytes than before, or ends. */
int csv_next(struct csv_reader *r, struct err *e)
{
	size_t end;

	for (;;) {
		enum scan got = SCAN_SHORT;

		if (r->at < r->len)
			got = scan_record(r, &end);
		if (got == SCAN_RECORD)
			break;
		if (got == SCAN_LONG) {
			r->record++;
			r->refused = "roster_record_too_long";
			return err_set(e, ERR_PERM, "csv: record over %d bytes", CSV_RECORD_MAX);
		}
		if (r->ended)
			return 0; /* then nothing is left: a short last record is a record */
		if (fill(r, e) < 0) {
			r->record++;
			return -1;
		}
	}
	r->at = end;
	r->record++;
	return 1;
}

/* Reads one more piece behind what is kept. The buffer holds more than the longest record and a
 * piece. */
static int fill(struct csv_reader *r, struct err *e)
{
	struct err own = {0};
	ssize_t n;

	if (r->at > CSV_BUFFER / 2 || r->len + DECODE_ROOM > CSV_BUFFER) {
		memmove(r->data, r->data + r->at, r->len - r->at);
		r->len -= r->at;
		r->at = 0;
	}
	n = decoder_read(r->from, r->data + r->len, CSV_BUFFER - r->len, &own);
	if (n < 0) {
		if (own.class == ERR_PERM)
			r->refused = "file_undecodable";
		if (e)
			*e = own;
		return -1;
	}
	r->ended = n == 0;
	r->len += (size_t)n;
	return 0;
}

/* Finds the cells of the record at `at`; nothing is changed before the whole record is there,
 * because the scan starts again when it was not. */
static enum scan scan_record(struct csv_reader *r, size_t *end)
{
	size_t at = r->at, from;
	uint64_t quoted[CSV_CELLS_MAX / 64] = {0};
	int count = 0;

	for (;;) {
		bool quotes = false;

		from = at;
		if (!scan_cell(r, &at, &quotes))
			break;
		if (at - r->at > CSV_RECORD_MAX)
			return SCAN_LONG;
		if (count < CSV_CELLS_MAX) {
			r->cells[count] = (struct str){r->data + from, at - from};
			quoted[count / 64] |= (uint64_t)quotes << count % 64;
			count++;
		}
		if (at < r->len && r->data[at] == r->delimiter) {
			at++;
			continue;
		}
		if (at == r->len && !r->ended)
			break;
		/* The LF of a CRLF may be in the next piece. */
		if (at + 1 == r->len && r->data[at] == '\r' && !r->ended)
			break;
		if (at < r->len)
			at += r->data[at] == '\r' && at + 1 < r->len && r->data[at + 1] == '\n' ? 2
												: 1;
		*end = at;
		r->count = count;
		for (int i = 0; i < count; i++) {
			if (quoted[i / 64] >> i % 64 & 1)
				r->cells[i] =
					unquote(r->data + (r->cells[i].p - r->data), r->cells[i].n);
		}
		return SCAN_RECORD;
	}
	return at - r->at > CSV_RECORD_MAX ? SCAN_LONG : SCAN_SHORT;
}

/* Moves to the delimiter or line end behind the cell; false when the text ends before, inside
 * quotes or with more to come. A quote that is never closed ends with the text. */
static bool scan_cell(const struct csv_reader *r, size_t *at, bool *quotes)
{
	const char *p = r->data + *at, *end = r->data + r->len;
	char delimiter = r->delimiter;

	if (p < end && *p == '"') {
		*quotes = true;
		for (p++; p < end; p++) {
			if (*p != '"')
				continue;
			if (p + 1 < end && p[1] == '"')
				p++;
			else
				break;
		}
		if (p == end && !r->ended) {
			*at = r->len;
			return false;
		}
		if (p < end)
			p++;
	}
	while (p < end && *p != delimiter && *p != '\n' && *p != '\r')
		p++;
	*at = (size_t)(p - r->data);
	return p < end || r->ended;
}

/* In place: the quotes around go, doubled ones become one, what follows the closing one stays. */
static struct str unquote(char *p, size_t n)
{
	char *to = p;
	size_t i = 1;

	for (; i < n; i++) {
		if (p[i] == '"') {
			if (i + 1 < n && p[i + 1] == '"')
				i++;
			else
				break;
		}
		*to++ = p[i];
	}
	for (i++; i < n; i++)
		*to++ = p[i];
	return (struct str){p, (size_t)(to - p)};
}
