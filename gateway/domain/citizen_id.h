/* Citizen ID numbers (GB 11643) and unified social credit codes (GB 32100). Pure. */
#ifndef QIAO_DOMAIN_CITIZEN_ID_H
#define QIAO_DOMAIN_CITIZEN_ID_H
#include "base/str.h"

#define CITIZEN_ID_LEN 18
/* What clerks' software does to a number, undone: guards (leading ', ="...", trailing tab),
 * full-width digits and X, blanks of every kind inside, x -> X. Writes at most cap - 1 bytes and
 * a NUL; -1 when longer. No check of content. */
int citizen_id_normalise(struct str raw, char *out, size_t cap);
/* NULL when good, else the reason code: id_missing, id_scientific (3.30603E+17), id_length,
 * id_characters, id_check_digit, id_birth_date, id_suspicious_zeros (18 digits that end in 000:
 * Excel rounds to 15 digits; asked back even if the check fits). Numbers of residence permits
 * (81/82/83) follow the same check; foreigners' cards (15 or 18 places starting with 9) are
 * taken when 18 long with the same check. `today` (date) bounds the birth date; any prefix of
 * area is fine. */
const char *citizen_id_check(struct str number, int today);

/* Certificate kind from its words or code (居民身份证, 01, 201, ...): one of "resident_id",
 * "hmt_permit", "foreigner_permit", or NULL when unknown. Empty means resident_id. */
const char *certificate_kind(struct str raw);

/* NULL when good, else credit_code_missing, credit_code_length, credit_code_characters,
 * credit_code_check. */
const char *credit_code_check(struct str code);

#endif
