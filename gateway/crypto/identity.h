/* Person tokens and sealed identities (design, section 4), and the keys behind them.
 *
 * Token = first 16 bytes of HMAC-SHA-256(token key, normalised number alone). Sealed identity =
 * version byte 1, algorithm byte 1 (AES-256-GCM), key year (2 bytes, little endian), nonce (12),
 * ciphertext of `number 0x1F name`, tag (16); the token is the associated data. Who opens
 * recomputes the token and refuses a mismatch. Also the same for raw bytes (a cell that could
 * not be read; a spool chunk), with any associated data. Buffers given back never outlive the
 * call's arguments. */
#ifndef QIAO_CRYPTO_IDENTITY_H
#define QIAO_CRYPTO_IDENTITY_H
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

/* The keys of one role, from <dir>/<role>/: token.key, seal-<year>.key, spool.key; each 64 hex
 * digits and a newline, mode 0600, owned by the user. Roles: village (token, seal, spool), tax
 * (token, seal), ssa (token, seal), trace (token); gateway has none. keyring_open refuses
 * (ERR_CONF) a folder with more, fewer or wider-readable files than the role needs; with
 * separate_users also any other role's folder that can be read. The gateway calls keyring_check
 * only. */
struct keyring;
int keyring_open(struct keyring **out, const char *dir, const char *role, bool separate_users,
		 struct err *e);
int keyring_check(const char *dir, const char *role, bool separate_users, struct err *e);
void keyring_free(struct keyring *k); /* wipes */
/* Makes all keys of all roles for the years [first, last] under dir. A missing year is added to
 * an existing set; nothing that exists is changed. Files 0600, folders 0700, durable. */
int keygen(const char *dir, int first_year, int last_year, struct err *e);

/* Destroys the seal key of a year in every role's folder, for good: what was sealed under it cannot be opened by anybody any more. First
 * a mark seal-<year>.destroyed is put beside each key, then the keys are overwritten, synced and removed; who was killed in between calls
 * again. gone (may be NULL) is told each file. *count: how many. ERR_CONF when no role has the key, or a folder is not this user's to
 * write; programs that run hold what they read at their start. */
/* 0 some role has it; ERR_CONF: none. */
int seal_key_there(const char *dir, int year, struct err *e);
int seal_key_destroy(const char *dir, int year, void (*gone)(void *arg, const char *path), void *arg, int *count, struct err *e);
/* The key of that year was there once. */
bool seal_year_destroyed(const struct keyring *k, int year);
/* So was that of these bytes: nobody opens them any more (identity_open gives ERR_PERM then). */
bool seal_destroyed(const struct keyring *k, struct str sealed);

void token_of(struct keyring *k, struct str number, struct id *out);

#define SEAL_OVERHEAD (1 + 1 + 2 + 12 + 16)
/* Appends to out. ERR_CONF when there is no key for that year. */
int identity_seal(struct keyring *k, int year, const struct id *token, struct str number,
		  struct str name, struct buf *out, struct err *e);
/* What stands for an identity of a year whose key was destroyed: nobody opens it (seal_destroyed). Appends to out. */
int identity_gone(int year, struct buf *out, struct err *e);
/* number and name point into scratch (reset first). ERR_PERM when it does not open or the token
 * does not match; ERR_CONF when the key of its year is not there. */
int identity_open(struct keyring *k, const struct id *token, struct str sealed, struct buf *scratch,
		  struct str *number, struct str *name, struct err *e);
/* Raw bytes under the seal key of a year, aad e.g. a submission id and row number. */
int bytes_seal(struct keyring *k, int year, struct str aad, struct str plain, struct buf *out,
	       struct err *e);
int bytes_open(struct keyring *k, struct str aad, struct str sealed, struct buf *out,
	       struct err *e);
/* The same under the spool key (year 0 in the head). */
int spool_seal(struct keyring *k, struct str aad, struct str plain, struct buf *out, struct err *e);
int spool_open(struct keyring *k, struct str aad, struct str sealed, struct buf *out,
	       struct err *e);

#endif
