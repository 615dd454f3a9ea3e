/* Whole files, piece by piece: the digest of one, a copy of one. For what may be larger than memory
 * should hold. */
#ifndef QIAO_CLI_FILES_H
#define QIAO_CLI_FILES_H
#include "base/err.h"
#include "crypto/digest.h"

#define FILE_DIGEST (2 * SHA256_LEN + 1)
/* SHA-256 in hex. ERR_CONF when it is no regular file. */
int file_digest(const char *path, char hex[FILE_DIGEST], struct err *e);
/* Writes `to` (0600) and syncs it; its folder is the caller's to sync. On failure nothing is left
 * under that name. */
int file_copy(const char *from, const char *to, struct err *e);

#endif
