/* The ids of the design (section 4), each by one function, so that every program makes the same. */
#ifndef QIAO_CRYPTO_IDS_H
#define QIAO_CRYPTO_IDS_H
#include "crypto/digest.h"

void payment_id(struct id *out, int year, const struct id *sponsor, const struct id *token, int n);
/* sender: the folder; reference: content hash (drop folder) or idempotency key. */
void submission_id(struct id *out, struct str sender, struct str reference);
/* sponsor id: type code and credit code, or for an individual the token's 16 bytes. */
void sponsor_id(struct id *out, struct str type_code, struct str identifier);
void attempt_id(struct id *out, const uint8_t content_sha256[SHA256_LEN],
		struct str reader_version);
/* Event id of a decision of ours: kind is the event's name. */
void decision_id(struct id *out, struct str kind, const struct id *subject, int64_t version);
/* Event id of an outside fact: system ("tax"), record key, the outside's own sequence or as-of
 * time. */
void outside_id(struct id *out, struct str kind, struct str system, struct str record_key,
		int64_t sequence);
/* Ten digits from a submission id, NUL-terminated; people see it in fives: "12345-67890". */
void receipt_number(char out[11], const struct id *submission);
const char *receipt_text(char out[12], const char *ten_digits);
/* With or without blanks or dashes; -1 and "" when not ten digits. */
int receipt_parse(char out[11], struct str typed);

#endif
