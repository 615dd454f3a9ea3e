/* Files with passwords, tokens and private keys: they belong to the user of this program, and nobody else can read them. */
#ifndef QIAO_BASE_SECRET_H
#define QIAO_BASE_SECRET_H
#include "base/err.h"

enum { SECRET_MAX = 4096 };
/* The one line that the file holds, without its end; on failure out is empty. setting: "[kafka] password_file", for the text of an
 * error, which never has anything of the secret. ERR_CONF. The caller wipes out when done. */
int secret_read(const char *path, const char *setting, char out[SECRET_MAX], struct err *e);
/* For a file that a library reads by itself: only whose it is and who can read it. */
int secret_check(const char *path, const char *setting, struct err *e);

#endif
