/* Digests and ids (SHA-256). The only directory that includes OpenSSL is crypto/.
 *
 * An id is the first 16 bytes of SHA-256 over its parts, each part preceded by its length as 4
 * bytes little endian, so that no two lists of parts collide; the first part is always a fixed
 * word that names the kind ("payment", "submission"). */
#ifndef QIAO_CRYPTO_DIGEST_H
#define QIAO_CRYPTO_DIGEST_H
#include "base/err.h"
#include "base/str.h"

#define SHA256_LEN 32
void sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]);

struct digest; /* running SHA-256; reusable */
struct digest *digest_new(void);
void digest_free(struct digest *d);
void digest_start(struct digest *d);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_end(struct digest *d, uint8_t out[SHA256_LEN]);

/* id of a list of parts. About 100 ns. */
void id_make(struct id *out, const struct str *parts, int count);
/* From the system; never fails (exits the process if it does). Small draws come from a pool of
 * the thread, which must not be carried over a fork without exec. */
void random_bytes(void *p, size_t n);

#endif
