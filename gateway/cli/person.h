/* Persons named by their ID numbers: read from standard input, where nobody sees them, and made into tokens at once. */
#ifndef QIAO_CLI_PERSON_H
#define QIAO_CLI_PERSON_H
#include "base/str.h"
#include "cli/cli.h"

/* Reads `count` numbers from standard input, one a line, as they are copied from a spreadsheet, and makes their tokens. Records it in the
 * audit of the role trace under that purpose first. 0; 1 when a line is no number that can be in Qiao (*line: which, from 1). */
int person_tokens(const struct cli *c, const char *purpose, struct id *tokens, int count, int *line, struct err *e);

#endif
