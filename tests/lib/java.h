/* Below a test's Kafka and registry: their folder and ports, their processes and what those cost. */
#ifndef QIAO_TESTS_LIB_JAVA_H
#define QIAO_TESTS_LIB_JAVA_H
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct java {
	pid_t pid; /* 0: not running */
	int starts, kills;
	int status;	/* exit status of the last life, or -signal */
	int64_t cpu_us; /* of earlier lives */
	int64_t peak_kib;
};
int java_home(char home[256], struct err *e);			/* build/kafka, checked */
int java_dir(char dir[256], const char *wanted, struct err *e); /* made */
int java_port(int *port, int *held, struct err *e);
/* argv[0] is java: run in home with its output in <dir>/out; NULL-terminated. */
int java_start(struct java *c, const char *home, const char *dir, const char *const *argv,
	       struct err *e);
int java_run(const char *dir, const char *const *argv, struct err *e); /* to its end, in dir */
bool java_alive(struct java *c);
int java_end(struct java *c, int signal); /* and waits */
int64_t java_cpu_us(const struct java *c);
int64_t java_peak_kib(const struct java *c);
void java_said(const char *dir, struct err *e); /* adds the end of <dir>/out to the text */

#endif
