/* Inside of crypto/ only: the keys of one role, ready for use. Callers see struct keyring as
 * opaque (identity.h). */
#ifndef QIAO_CRYPTO_KEYRING_H
#define QIAO_CRYPTO_KEYRING_H
#include "crypto/identity.h"
#include <openssl/evp.h>

#define KEY_LEN 32
#define SEAL_YEARS_MAX 64

/* One AES-256-GCM key; the contexts hold it expanded, each message sets only its nonce. */
struct seal_key {
	int year; /* 0: the spool's */
	EVP_CIPHER_CTX *seal, *open;
};
struct keyring {
	EVP_MAC_CTX *token; /* NULL: this role has no token key */
	struct seal_key seals[SEAL_YEARS_MAX];
	int seal_count;
	int destroyed[SEAL_YEARS_MAX]; /* years whose key was destroyed: what was sealed under it is gone */
	int destroyed_count;
	struct seal_key spool; /* seal == NULL: none */
};

/* Of `seal-<year>.destroyed` in a role's folder, or -1. Such a file stands where the key was: nobody makes a new one. */
int destroyed_year(const char *name);
#define ROLE_COUNT 5
bool role_seals(int role, const char **name); /* has seal keys; *name: of its folder */
int seal_key_init(struct seal_key *s, int year, const uint8_t key[KEY_LEN], struct err *e);
void seal_key_fini(struct seal_key *s);
int token_key_init(EVP_MAC_CTX **out, const uint8_t key[KEY_LEN], struct err *e);

#endif
