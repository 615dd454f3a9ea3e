/* The form 集体补助人员名册 and its cover, written as Excel and WPS in China write them (domain.md 6). */
#ifndef QIAO_TESTS_LIB_ROSTER_FORM_H
#define QIAO_TESTS_LIB_ROSTER_FORM_H
#include "base/err.h"
#include "domain/row.h"

enum form_layout {
	LAYOUT_PLAIN,
	LAYOUT_TWO_ROWS,  /* a header of two rows with merged cells */
	LAYOUT_MOVED,     /* columns in another order, one of their own among them */
	LAYOUT_NO_MEMBER, /* of sponsors that have no members */
};
enum form_encoding { FORM_GB18030, FORM_UTF8_BOM, FORM_UTF8, FORM_UTF16 /* tabs, as Excel's "Unicode text" */ };

struct form_row {
	char cells[COLUMNS][96]; /* UTF-8, not quoted */
	bool blank_before;       /* an empty line stands before it */
	int row_no;              /* set by form_write: the line as a spreadsheet numbers it */
};
struct form {
	const char *title, *year, *town, *village;
	enum form_layout layout;
	enum form_encoding encoding;
	const char *clerk, *phone, *filled_on;
	int64_t total_fen; /* of the total row; < 0: the row has no figure */
	struct form_row *rows;
	int count;
};
/* Writes the file and gives its digest, which a cover cites. */
int form_write(struct form *f, const char *path, char hex[65], struct err *e);
/* Any text in an encoding, for what is no roster. */
int text_write(const char *utf8, enum form_encoding encoding, const char *path, char hex[65], struct err *e);

enum cover_flaw {
	COVER_GOOD,
	COVER_POSTED_TOO_SHORT,
	COVER_NOT_CITED,     /* the posting was about another version of the roster */
	COVER_BAD_CODE,      /* the sponsor's credit code has a wrong check character */
};
struct cover_form {
	const char *sha256, *village, *type, *code, *name; /* code: the number of an individual */
	int year;
	const int *standards_yuan; /* ends with 0 */
	enum cover_flaw flaw;
	uint64_t chance; /* of the documents' digests */
};
/* For a collective also its plan, beside it: NAME.plan.json. */
int cover_write(const struct cover_form *c, const char *path, struct err *e);

#endif
