/* The content of an answer file 回执: what a clerk reads, and what is a valid roster when it is
 * mended and dropped again.
 *
 * Title, receipt number, the head line, digest, counts, what to do next and by when; then her
 * header row with our columns behind hers, her rows in her order with result, reason, cure and
 * their number in her file, her total and foot. UTF-8 with BOM, CRLF, comma. Numbers that a
 * spreadsheet would spoil end in a tab; a cell that it would take for a formula begins with '.
 * The reader takes both off again. */
#ifndef QIAO_VILLAGE_RENDER_H
#define QIAO_VILLAGE_RENDER_H
#include "adapters/village/answers.h"
#include "adapters/village/roster.h"
#include "adapters/village/spool.h"

/* Where the text goes; put gives -1 and *e. */
struct sink {
	int (*put)(void *arg, const void *p, size_t n, struct err *e);
	void *arg;
};
/* Borrows everything. roster: just opened. town, village: names for the head line. */
struct rendering {
	const struct spool_meta *meta;
	const char *town, *village;
	struct roster *roster;
	struct answers *answers;
};
int render(const struct rendering *r, struct sink to, struct err *e);
/* One cell of an answer, appended: quoted where needed, safe from formulas; id: always as text. */
int render_cell(struct buf *out, struct str raw, bool id);

#endif
