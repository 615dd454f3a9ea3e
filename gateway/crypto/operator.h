/* The keys of the people who decide: Ed25519 (RFC 8032), one pair a person. The private key is the person's own file; the public
 * one, NAME.pub, lies in the folder of operators ([operators] dir), which only an administrator may write. An operation is signed
 * over its canonical text (events.h), so that whoever can write the bus cannot decide in another's name. */
#ifndef QIAO_CRYPTO_OPERATOR_H
#define QIAO_CRYPTO_OPERATOR_H
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

enum { OPERATOR_NAME = 33, SIGNATURE_LEN = 64, OPERATORS_MAX = 256 };
struct operators; /* who may decide, as they were at start */

/* a-z 0-9 . _ - , 1 to 32 characters, a letter first: an account's name. */
bool operator_name_good(struct str name);
/* Makes a pair; refuses (ERR_CONF) to replace a file. The private file has mode 0600. */
int operator_keygen(const char *private_file, const char *public_file, struct err *e);
/* Signs with a person's private key; the file must be of this user, mode 0600 (ERR_CONF). */
int operator_sign(const char *private_file, struct str text, uint8_t signature[SIGNATURE_LEN], struct err *e);

/* Every NAME.pub of the folder. No folder: nobody may decide, no error. Two names with one key are refused: they would be two
 * persons and are one. */
int operators_load(struct operators **out, const char *dir, struct err *e);
void operators_free(struct operators *o);
int operators_count(const struct operators *o);
/* Whether that person signed that text; false for who is unknown. */
bool operators_signed(const struct operators *o, struct str name, struct str text, struct str signature);

#endif
