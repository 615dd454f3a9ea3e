/* Each id of the design by one function. The first part names the kind, numbers are little
 * endian and of fixed width.
 *
 * The bytes that go in are a contract with every ledger and every bus in the field: a changed
 * part is another id, and another id is a second payment. The test holds each function to a
 * value computed elsewhere. */
#include "crypto/ids.h"
#include <string.h>

#define PARTS(a) a, (int)(sizeof(a) / sizeof((a)[0]))

static struct str le(char *room, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		room[i] = (char)(v >> (8 * i));
	return (struct str){room, n};
}

static struct str of_id(const struct id *id)
{
	return (struct str){(const char *)id->b, ID_LEN};
}

void payment_id(struct id *out, int year, const struct id *sponsor, const struct id *token, int n)
{
	char y[4], nth[4];
	struct str parts[] = {STR("payment"), le(y, 4, (uint32_t)year), of_id(sponsor),
			      of_id(token), le(nth, 4, (uint32_t)n)};

	id_make(out, PARTS(parts));
}

void submission_id(struct id *out, struct str sender, struct str reference)
{
	struct str parts[] = {STR("submission"), sender, reference};

	id_make(out, PARTS(parts));
}

void sponsor_id(struct id *out, struct str type_code, struct str identifier)
{
	struct str parts[] = {STR("sponsor"), type_code, identifier};

	id_make(out, PARTS(parts));
}

void attempt_id(struct id *out, const uint8_t content_sha256[SHA256_LEN], struct str reader_version)
{
	struct str parts[] = {
		STR("attempt"), {(const char *)content_sha256, SHA256_LEN}, reader_version};

	id_make(out, PARTS(parts));
}

void decision_id(struct id *out, struct str kind, const struct id *subject, int64_t version)
{
	char v[8];
	struct str parts[] = {STR("decision"), kind, of_id(subject), le(v, 8, (uint64_t)version)};

	id_make(out, PARTS(parts));
}

void outside_id(struct id *out, struct str kind, struct str system, struct str record_key,
		int64_t sequence)
{
	char v[8];
	struct str parts[] = {STR("outside"), kind, system, record_key,
			      le(v, 8, (uint64_t)sequence)};

	id_make(out, PARTS(parts));
}

/* Ten digits are enough to find a submission of a district by, not to make it unique: who looks
 * one up must expect two. */
void receipt_number(char out[11], const struct id *submission)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | submission->b[i];
	for (int i = 9; i >= 0; i--) {
		out[i] = (char)('0' + v % 10);
		v /= 10;
	}
	out[10] = '\0';
}

const char *receipt_text(char out[12], const char *ten_digits)
{
	memcpy(out, ten_digits, 5);
	out[5] = '-';
	memcpy(out + 6, ten_digits + 5, 5);
	out[11] = '\0';
	return out;
}

int receipt_parse(char out[11], struct str typed)
{
	int n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < typed.n; i++) {
		char c = typed.p[i];

		if (c == ' ' || c == '\t' || c == '-')
			continue;
		if (c < '0' || c > '9' || n == 10) {
			out[0] = '\0';
			return -1;
		}
		out[n++] = c;
	}
	out[n == 10 ? 10 : 0] = '\0';
	return n == 10 ? 0 : -1;
}
