/* An answer of ours tells so itself: its head has a line with a check code over everything else in the file. An answer that nobody
 * changed is then known without the spool that wrote it (a spool restored from a backup has never heard of later answers), and one
 * that a clerk has mended is known to be hers. */
#ifndef QIAO_VILLAGE_OWN_H
#define QIAO_VILLAGE_OWN_H
#include "crypto/digest.h"
#include <stdbool.h>
#include <sys/types.h>

#define OWN_LABEL "回执校验码："
#define OWN_DIGITS 32
#define OWN_BLANK "00000000000000000000000000000000" /* in the place of the code while it is made */

struct own_check {
	struct digest *digest;
	bool begun, marked;
	off_t at;                     /* where the code's digits begin */
	char code[OWN_DIGITS];        /* as it stands in the file */
};
int own_begin(struct own_check *o); /* -1 without memory */
/* The file's bytes in order; the first call holds the head (at least 4 KiB, or all). */
void own_add(struct own_check *o, const void *p, size_t n);
/* The code that the content has (digits written into out, no NUL). */
void own_code(struct own_check *o, char out[OWN_DIGITS]);
bool own_is_true(struct own_check *o); /* it is there and fits; ends the check as own_code does */
void own_end(struct own_check *o);
bool own_name(const char *name); /* as answers are named: ….回执.csv, ….回执-2.csv */

#endif
