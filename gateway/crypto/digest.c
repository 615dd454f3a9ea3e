/* SHA-256 and random bytes on OpenSSL and the kernel.
 *
 * The algorithm is fetched once a thread and the context is used again: a fetch by name costs
 * more than the digest of an id. A digest that fails means a broken library: the process exits,
 * there is nothing a caller could do. */
#include "crypto/digest.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct digest {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "crypto: %s failed\n", what);
	abort();
}

struct digest *digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	must(d != NULL, "memory");
	d->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->ctx = EVP_MD_CTX_new();
	must(d->md != NULL && d->ctx != NULL, "SHA256");
	must(EVP_DigestInit_ex2(d->ctx, d->md, NULL) == 1, "SHA256 init");
	return d;
}

void digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	EVP_MD_free(d->md);
	free(d);
}

void digest_start(struct digest *d)
{
	must(EVP_DigestInit_ex2(d->ctx, NULL, NULL) == 1, "SHA256 init");
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	if (n > 0)
		must(EVP_DigestUpdate(d->ctx, p, n) == 1, "SHA256 update");
}

void digest_end(struct digest *d, uint8_t out[SHA256_LEN])
{
	must(EVP_DigestFinal_ex(d->ctx, out, NULL) == 1, "SHA256 final");
}

/* One digest a thread for the one-shot calls below; the key's destructor frees it with its
 * thread. */
static pthread_key_t per_thread;
static pthread_once_t per_thread_once = PTHREAD_ONCE_INIT;
static _Thread_local struct digest *mine;

static void free_digest(void *d)
{
	digest_free(d);
}

static void make_key(void)
{
	must(pthread_key_create(&per_thread, free_digest) == 0, "thread key");
}

static struct digest *own_digest(void)
{
	if (mine == NULL) {
		must(pthread_once(&per_thread_once, make_key) == 0, "thread key");
		mine = digest_new();
		must(pthread_setspecific(per_thread, mine) == 0, "thread key");
	}
	return mine;
}

void sha256(const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	struct digest *d = own_digest();

	digest_start(d);
	digest_add(d, p, n);
	digest_end(d, out);
}

/* Ids are short: the parts are gathered on the stack so that the library is called once; what
 * does not fit goes in pieces. */
#define GATHER 256

void id_make(struct id *out, const struct str *parts, int count)
{
	struct digest *d = own_digest();
	uint8_t full[SHA256_LEN], gathered[GATHER];
	size_t have = 0;

	digest_start(d);
	for (int i = 0; i < count; i++) {
		size_t n = parts[i].n;
		uint8_t head[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
				   (uint8_t)(n >> 24)};

		must(n <= UINT32_MAX, "id part: length");
		if (have + sizeof(head) + n > GATHER) {
			digest_add(d, gathered, have);
			have = 0;
		}
		memcpy(gathered + have, head, sizeof(head));
		have += sizeof(head);
		if (have + n > GATHER) {
			digest_add(d, gathered, have);
			have = 0;
			digest_add(d, parts[i].p, n);
		} else if (n > 0) {
			memcpy(gathered + have, parts[i].p, n);
			have += n;
		}
	}
	digest_add(d, gathered, have);
	digest_end(d, full);
	memcpy(out->b, full, ID_LEN);
}

static void from_kernel(uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		must(got > 0, "getrandom");
		p += got;
		n -= (size_t)got;
	}
}

/* A nonce is 12 bytes and a system call costs more than sealing: small draws come out of a pool,
 * each byte given once and wiped behind. Not safe across fork without exec; no program of ours
 * forks that way. */
#define POOL 4096
static _Thread_local uint8_t pool[POOL];
static _Thread_local size_t pool_left;

void random_bytes(void *p, size_t n)
{
	uint8_t *from;

	if (n > POOL / 16) {
		from_kernel(p, n);
		return;
	}
	if (n > pool_left) {
		from_kernel(pool, POOL);
		pool_left = POOL;
	}
	pool_left -= n;
	from = pool + pool_left;
	memcpy(p, from, n);
	OPENSSL_cleanse(from, n);
}
