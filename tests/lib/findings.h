/* What a ledger holds for a person to look at: its differences, and answers about payments that are nobody's. */
#ifndef QIAO_TESTS_LIB_FINDINGS_H
#define QIAO_TESTS_LIB_FINDINGS_H
#include "base/err.h"
#include "base/str.h"

struct finding {
	struct id payment; /* zero: a row without one */
	char kind[40];     /* of the difference; "stranger" */
	int count;         /* differences; answers kept */
};
/* By payment and kind. Gives how many, at most max; -1 when the ledger cannot be read. */
int findings_read(const char *ledger, struct finding *out, int max, struct err *e);

#endif
