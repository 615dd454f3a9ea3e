/* The independent check over a world at rest: tests/scenario/check_topics.py recounts the money from the topics, with the published
 * schemas, and compares with the statement and the agencies' books. Run by $QIAO_PYTHON, else by the build's own virtual environment
 * (tests/lib/venv.sh). What was compared lies in <dir>/recount/, and what the check said in <dir>/recount/said. */
#ifndef QIAO_TESTS_LIB_RECOUNT_H
#define QIAO_TESTS_LIB_RECOUNT_H
#include "tests/lib/world.h"

/* 0 when everything agrees, -1 with the reason. ended: every row must have its final answer, and the agencies' books are compared. */
int recount_world(struct world *w, bool ended, struct err *e);
/* Prints on stderr what the last check said. */
void recount_show(const struct world *w);
/* Falsifies copies of that ended world in many ways; each must be seen (tests/scenario/tamper_topics.py). After recount_world. */
int recount_tampered(struct world *w, struct err *e);

#endif
