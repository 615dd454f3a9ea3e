/* make_demo DIR [--seed N]: writes the demo's rosters and all that belongs to them (tests/lib/rosters.h) into DIR. */
#include "base/fs.h"
#include "tests/lib/rosters.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct rosters r;
	struct err e = {0};
	int64_t seed = 1;

	if ((argc != 2 && argc != 4) || argv[1][0] == '-' ||
	    (argc == 4 && (strcmp(argv[2], "--seed") != 0 || str_int(str_of(argv[3]), 0, INT64_MAX, &seed) < 0))) {
		fprintf(stderr, "usage: make_demo DIR [--seed N]\n");
		return EXIT_USAGE;
	}
	if (fs_mkdirs(argv[1], &e) < 0 || rosters_make(&r, argv[1], (uint64_t)seed, &e) < 0) {
		fprintf(stderr, "make_demo: %s\n", e.text);
		return err_exit(&e);
	}
	printf("%d people, %d rows in %d rosters, %d steps\n", r.people, r.row_count, rosters_submissions(&r, STORY_WAVES),
	       r.step_count);
	rosters_free(&r);
	return EXIT_YES;
}
