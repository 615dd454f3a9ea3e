/* qiao run: the four programs under one supervisor, for a single machine. */
#include "cli/supervisor.h"
#include <stdio.h>
#include <stdlib.h>

int cmd_run(struct cli *c, int argc, char **argv)
{
	struct supervisor *s;
	struct err e = {0};
	int rc;

	if (cli_options(c, argc, argv, NULL, NULL, 0) < 0)
		return EXIT_USAGE;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return EXIT_LATER;
	rc = supervisor_open(s, c, &e) < 0 ? cli_fail(&e) : supervisor_run(s);
	supervisor_close(s);
	free(s);
	return rc;
}
