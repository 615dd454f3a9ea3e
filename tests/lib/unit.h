/* What every cmocka test includes: cmocka with the headers that it wants before it, and a temporary
 * folder. */
#ifndef QIAO_TESTS_UNIT_H
#define QIAO_TESTS_UNIT_H
/* clang-format off: cmocka.h stands on the others */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include "base/fs.h"
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct tmpdir {
	char path[256];
};

/* Makes a new folder under $TMPDIR or /tmp; gives its path. */
static inline const char *tmpdir_make(struct tmpdir *t)
{
	const char *parent = getenv("TMPDIR");

	snprintf(t->path, sizeof t->path, "%.200s/qiao-test-XXXXXX",
		 parent && parent[0] ? parent : "/tmp");
	assert_non_null(mkdtemp(t->path));
	return t->path;
}

static inline void tmpdir_remove(struct tmpdir *t)
{
	struct err e = {0};

	if (fs_remove_tree(t->path, &e) < 0)
		fail_msg("%s", e.text);
}

/* path = folder/name, in a buffer of the caller. */
static inline const char *tmpdir_file(const struct tmpdir *t, char out[320], const char *name)
{
	assert_int_equal(fs_join(out, 320, t->path, name), 0);
	return out;
}

#endif
