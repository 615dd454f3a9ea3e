/* Person tokens and sealed identities: see the header for the bytes.
 *
 * The plain text is laid out where the cipher text goes and encrypted in place: no allocation
 * and no copy a row. */
#include "crypto/identity.h"
#include "crypto/digest.h"
#include "crypto/keyring.h"
#include <assert.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

#define SEAL_VERSION 1
#define SEAL_AES_256_GCM 1
#define NONCE_LEN 12
#define TAG_LEN 16
#define HEAD_LEN (4 + NONCE_LEN)
#define SEPARATOR '\x1F'

static struct str of_id(const struct id *id)
{
	return (struct str){(const char *)id->b, ID_LEN};
}

void token_of(struct keyring *k, struct str number, struct id *out)
{
	uint8_t mac[SHA256_LEN];
	size_t n = 0;

	assert(k->token != NULL);
	if (EVP_MAC_init(k->token, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(k->token, (const uint8_t *)number.p, number.n) != 1 ||
	    EVP_MAC_final(k->token, mac, &n, sizeof(mac)) != 1)
		assert(!"HMAC");
	memcpy(out->b, mac, ID_LEN);
}

static struct seal_key *key_of_year(struct keyring *k, int year)
{
	for (int i = k->seal_count - 1; i >= 0; i--) /* the latest year is the one in use */
		if (k->seals[i].year == year)
			return &k->seals[i];
	return NULL;
}

/* Makes room for a sealed text of n plain bytes and gives where the plain text has to be put;
 * NULL when out is full. */
static uint8_t *seal_begin(struct buf *out, size_t n, struct err *e)
{
	uint8_t *room = n > INT_MAX / 2 ? NULL : buf_reserve(out, SEAL_OVERHEAD + n);

	if (room == NULL)
		err_set(e, ERR_PERM, "seal: no room for %zu bytes", n);
	return room == NULL ? NULL : room + HEAD_LEN;
}

/* Encrypts in place and only then lets out grow, so that a failure leaves nothing half sealed
 * behind. */
static int seal_end(struct seal_key *s, struct str aad, struct buf *out, size_t n, struct err *e)
{
	uint8_t *head = out->data + out->len, *text = head + HEAD_LEN;
	int got = 0;

	head[0] = SEAL_VERSION;
	head[1] = SEAL_AES_256_GCM;
	head[2] = (uint8_t)s->year;
	head[3] = (uint8_t)(s->year >> 8);
	random_bytes(head + 4, NONCE_LEN);
	if (EVP_EncryptInit_ex2(s->seal, NULL, NULL, head + 4, NULL) != 1 ||
	    EVP_EncryptUpdate(s->seal, NULL, &got, (const uint8_t *)aad.p, (int)aad.n) != 1 ||
	    (n > 0 && EVP_EncryptUpdate(s->seal, text, &got, text, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(s->seal, text + n, &got) != 1 ||
	    EVP_CIPHER_CTX_ctrl(s->seal, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, text + n) != 1) {
		OPENSSL_cleanse(head, SEAL_OVERHEAD + n);
		return err_set(e, ERR_TEMP, "seal: the cipher failed");
	}
	out->len += SEAL_OVERHEAD + n;
	return 0;
}

/* The year in the head, or -1 when the bytes are no sealed text of ours. */
static int sealed_year(struct str sealed)
{
	const uint8_t *p = (const uint8_t *)sealed.p;

	if (sealed.n < SEAL_OVERHEAD || sealed.n > INT_MAX / 2 || p[0] != SEAL_VERSION ||
	    p[1] != SEAL_AES_256_GCM)
		return -1;
	return p[2] | p[3] << 8;
}

/* Appends the plain text; on failure what was decrypted is wiped and out holds what it held. */
static int unseal(struct seal_key *s, struct str aad, struct str sealed, struct buf *out,
		  struct err *e)
{
	const uint8_t *p = (const uint8_t *)sealed.p;
	size_t n = sealed.n - SEAL_OVERHEAD;
	uint8_t *text = buf_reserve(out, n + TAG_LEN), tag[TAG_LEN];
	int got = 0;

	if (text == NULL)
		return err_set(e, ERR_PERM, "sealed text: no room for %zu bytes", n);
	memcpy(tag, p + HEAD_LEN + n, TAG_LEN); /* the library wants it writable */
	if (EVP_DecryptInit_ex2(s->open, NULL, NULL, p + 4, NULL) != 1 ||
	    EVP_DecryptUpdate(s->open, NULL, &got, (const uint8_t *)aad.p, (int)aad.n) != 1 ||
	    (n > 0 && EVP_DecryptUpdate(s->open, text, &got, p + HEAD_LEN, (int)n) != 1) ||
	    EVP_CIPHER_CTX_ctrl(s->open, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) != 1 ||
	    EVP_DecryptFinal_ex(s->open, text + n, &got) != 1) {
		OPENSSL_cleanse(text, n);
		return err_set(e, ERR_PERM, "sealed text: does not open");
	}
	out->len += n;
	return 0;
}

/* Destroyed is for good; a key that is not there may be somewhere. */
static int no_key(const struct keyring *k, int year, struct err *e)
{
	if (seal_year_destroyed(k, year))
		return err_set(e, ERR_PERM, "seal key: that of the year %d was destroyed", year);
	return err_set(e, ERR_CONF, "seal key: none for the year %d", year);
}

int identity_seal(struct keyring *k, int year, const struct id *token, struct str number,
		  struct str name, struct buf *out, struct err *e)
{
	struct seal_key *s = key_of_year(k, year);
	size_t n = number.n + 1 + name.n;
	uint8_t *text;

	if (s == NULL)
		return no_key(k, year, e);
	if (number.n == 0 || memchr(number.p, SEPARATOR, number.n) != NULL)
		return err_set(e, ERR_PERM, "identity: no number to seal");
	text = seal_begin(out, n, e);
	if (text == NULL)
		return -1;
	memcpy(text, number.p, number.n);
	text[number.n] = SEPARATOR;
	if (name.n > 0)
		memcpy(text + number.n + 1, name.p, name.n);
	return seal_end(s, of_id(token), out, n, e);
}

int identity_gone(int year, struct buf *out, struct err *e)
{
	const uint8_t nothing[SEAL_OVERHEAD] = {SEAL_VERSION, SEAL_AES_256_GCM, (uint8_t)year, (uint8_t)(year >> 8)};

	return buf_put(out, nothing, sizeof(nothing)) == 0 ? 0 : err_set(e, ERR_TEMP, "seal: out of memory");
}

bool seal_destroyed(const struct keyring *k, struct str sealed)
{
	return seal_year_destroyed(k, sealed_year(sealed));
}

int identity_open(struct keyring *k, const struct id *token, struct str sealed, struct buf *scratch,
		  struct str *number, struct str *name, struct err *e)
{
	int year = sealed_year(sealed);
	struct seal_key *s = year > 0 ? key_of_year(k, year) : NULL;
	const uint8_t *mid;
	struct id own;

	buf_reset(scratch);
	if (year <= 0)
		return err_set(e, ERR_PERM, "identity: not a sealed identity");
	if (s == NULL)
		return no_key(k, year, e);
	if (unseal(s, of_id(token), sealed, scratch, e) != 0)
		return -1;
	/* The tag proves who sealed it; only the number itself proves that this is the person of
	 * the token. */
	mid = memchr(scratch->data, SEPARATOR, scratch->len);
	if (mid != NULL) {
		*number = (struct str){(char *)scratch->data, (size_t)(mid - scratch->data)};
		*name = (struct str){(const char *)mid + 1, scratch->len - number->n - 1};
		token_of(k, *number, &own);
		if (CRYPTO_memcmp(own.b, token->b, ID_LEN) == 0)
			return 0;
	}
	OPENSSL_cleanse(scratch->data, scratch->len);
	buf_reset(scratch);
	*number = *name = (struct str){NULL, 0};
	return err_set(e, ERR_PERM, "identity: is not the token's person");
}

static int raw_seal(struct seal_key *s, struct str aad, struct str plain, struct buf *out,
		    struct err *e)
{
	uint8_t *text;

	if (aad.n > INT_MAX / 2)
		return err_set(e, ERR_PERM, "seal: associated data too long");
	text = seal_begin(out, plain.n, e);
	if (text == NULL)
		return -1;
	if (plain.n > 0)
		memcpy(text, plain.p, plain.n);
	return seal_end(s, aad, out, plain.n, e);
}

int bytes_seal(struct keyring *k, int year, struct str aad, struct str plain, struct buf *out,
	       struct err *e)
{
	struct seal_key *s = key_of_year(k, year);

	return s == NULL ? no_key(k, year, e) : raw_seal(s, aad, plain, out, e);
}

int bytes_open(struct keyring *k, struct str aad, struct str sealed, struct buf *out, struct err *e)
{
	int year = sealed_year(sealed);
	struct seal_key *s = year > 0 ? key_of_year(k, year) : NULL;

	if (year <= 0 || aad.n > INT_MAX / 2)
		return err_set(e, ERR_PERM, "sealed text: not sealed under the key of a year");
	return s == NULL ? no_key(k, year, e) : unseal(s, aad, sealed, out, e);
}

int spool_seal(struct keyring *k, struct str aad, struct str plain, struct buf *out, struct err *e)
{
	if (k->spool.seal == NULL)
		return err_set(e, ERR_CONF, "spool key: this role has none");
	return raw_seal(&k->spool, aad, plain, out, e);
}

int spool_open(struct keyring *k, struct str aad, struct str sealed, struct buf *out, struct err *e)
{
	if (k->spool.open == NULL)
		return err_set(e, ERR_CONF, "spool key: this role has none");
	if (sealed_year(sealed) != 0 || aad.n > INT_MAX / 2)
		return err_set(e, ERR_PERM, "sealed text: not sealed under the spool key");
	return unseal(&k->spool, aad, sealed, out, e);
}

/* Expanding an AES key and choosing the cipher cost several times what sealing a row costs: done
 * once for each key. */
int seal_key_init(struct seal_key *s, int year, const uint8_t key[KEY_LEN], struct err *e)
{
	EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);

	s->year = year;
	s->seal = EVP_CIPHER_CTX_new();
	s->open = EVP_CIPHER_CTX_new();
	if (gcm == NULL || s->seal == NULL || s->open == NULL ||
	    EVP_EncryptInit_ex2(s->seal, gcm, key, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex2(s->open, gcm, key, NULL, NULL) != 1) {
		seal_key_fini(s);
		EVP_CIPHER_free(gcm);
		return err_set(e, ERR_CONF, "AES-256-GCM: not available");
	}
	EVP_CIPHER_free(gcm); /* the contexts hold it */
	return 0;
}

void seal_key_fini(struct seal_key *s)
{
	EVP_CIPHER_CTX_free(s->seal); /* wipes the key */
	EVP_CIPHER_CTX_free(s->open);
	s->seal = s->open = NULL;
}

int token_key_init(EVP_MAC_CTX **out, const uint8_t key[KEY_LEN], struct err *e)
{
	char digest[] = "SHA256";
	const OSSL_PARAM with[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);

	EVP_MAC_free(hmac);
	if (ctx == NULL || EVP_MAC_init(ctx, key, KEY_LEN, with) != 1) {
		EVP_MAC_CTX_free(ctx);
		return err_set(e, ERR_CONF, "HMAC-SHA-256: not available");
	}
	*out = ctx;
	return 0;
}
