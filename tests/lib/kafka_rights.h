/* Rights on a broker with an authorizer, as `qiao topics plan --acls --format json` prints them: given, and taken away.
 *
 * servers: of a listener by which the caller may do all. Who gives or takes waits until the broker goes by it, so that what is started
 * next meets it. For one broker: of three, the others may still be a moment behind. */
#ifndef QIAO_TESTS_LIB_KAFKA_RIGHTS_H
#define QIAO_TESTS_LIB_KAFKA_RIGHTS_H
#include "base/err.h"

enum { RIGHTS_MAX = 400 };

struct right {
	char program[24], operation[24], kind[12], name[120];
};
struct rights {
	struct right at[RIGHTS_MAX];
	int count;
};
int rights_read(struct rights *r, const char *json, struct err *e);
/* All that the program needs, and nothing else. principal: "User:gateway". */
int rights_give(const struct rights *r, const char *program, const char *principal,
		const char *servers, struct err *e);
int rights_take(const struct rights *r, const char *program, const char *principal,
		const char *servers, struct err *e);
int right_give(const struct right *one, const char *principal, const char *servers, struct err *e);

#endif
