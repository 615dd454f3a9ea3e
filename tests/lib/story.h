/* The demo's story as tables: what can be wrong with a row and what the row comes to, the rosters, the steps in their order. */
#ifndef QIAO_TESTS_LIB_STORY_H
#define QIAO_TESTS_LIB_STORY_H
#include "tests/lib/roster_form.h"

/* What the social-security agency knows of a person: lines of population.csv behind number and name. */
enum known { PAID, PAID_LATE, PAID_IN_JANUARY, NOT_ARRIVED, NEVER_PAID, PAST_YEAR, BACK_PAYMENT, BOTH, REFUNDED, GOVERNMENT,
	     DRAWING, UNKNOWN, INSURED_NOT, KNOWN };
extern const char *const known_lines[KNOWN][2];

enum id_flaw { ID_GOOD, ID_CHECK, ID_SHORT, ID_SCIENTIFIC, ID_ZEROS, ID_BIRTH, ID_LETTER, ID_FOREIGN, ID_OLD };
enum kind {
	GOOD, K_ID_CHECK, K_ID_SHORT, K_ID_SCIENTIFIC, K_ID_ZEROS, K_ID_BIRTH, K_ID_LETTER, K_ID_NONE, K_NAME_NONE, K_NAME_MARK,
	K_CERT, K_AMOUNT_NONE, K_AMOUNT_MINUS, K_AMOUNT_TEXT, K_AMOUNT_ZERO, K_AMOUNT_PART, K_AMOUNT_HUGE, K_TIER, K_DATE,
	K_MEMBER_WHAT, K_MEMBER_NONE, K_MEMBER_NOT, K_CAP_A, K_NOT_IN_PLAN, K_ADVISED_NOT, K_LATE, K_JANUARY, K_NOT_ARRIVED,
	K_NEVER, K_PAST, K_BACK, K_BOTH, K_REFUNDED, K_GOVERNMENT, K_DRAWING, K_UNKNOWN, K_INSURED_NOT, K_TAX_ACCOUNT, K_TAX_NAME,
	K_TAX_PAYER, K_TAX_NO, K_TAX_BAD_ROW, K_TAX_REFUND, K_SSA_CLOSED, K_SSA_FROZEN, K_FOREIGN, K_DUPLICATE, K_CONFLICT, KINDS,
};
struct kind_line {
	const char *code;         /* the final answer */
	bool form;                /* seen in the form already, whatever becomes of the roster */
	enum id_flaw id;
	enum column column;       /* with cell: what stands there instead */
	const char *cell;
	enum known known;
	const char *tax, *ssa;    /* for what reason an agency refuses the person */
};
extern const struct kind_line kinds[KINDS];

enum story {
	GUANSHU, XINGHUA, MEISHU, ANCHANG, SHENGLING, CHANGLE, SONGJIADIAN, JIANGSHU, WANGTAN, SHENGLING_FIRM, RENLIWANG, JIUDING,
	KUAIJI, SHADI, PINGJIANG, DONGTAO, ZHANWANG, KANSHANG, STORIES,
};
struct story_line {
	const char *code, *town, *village; /* as this clerk writes them */
	const char *name;                  /* of the file; "@" stands for a person's name */
	const char *type, *prefix;         /* of the sponsor and of its credit code */
	enum form_layout layout;
	enum form_encoding encoding;
	int plain;                         /* rows that simply go through */
	int standards[4];                  /* yuan, ends with 0; the first is the largest that all rows may have */
	enum cover_flaw flaw;
	const char *fate;                  /* of rows whose form is good; NULL: as their kind says */
	uint8_t kinds[32];                 /* further rows, ends with GOOD */
};
extern const struct story_line stories[STORIES];

enum story_step {
	STEP_GUANSHU, STEP_XINGHUA, STEP_MEISHU, STEP_ANCHANG, STEP_CHARITY, STEP_CHANGLE, STEP_PERSON, STEP_JIANGSHU_COVER,
	STEP_WANGTAN, STEP_LETTER, STEP_2019, STEP_JIANGSHU, STEP_FIRM, STEP_RENLIWANG, STEP_JIUDING, STEP_SAME_AGAIN,
	STEP_OTHER_NAME, STEP_KUAIJI, STEP_SHADI, STEP_PINGJIANG, STEP_DONGTAO, STEP_ZHANWANG, STEP_NO_VILLAGE, STEP_TWO_VILLAGES,
	STEP_WORKBOOK, STEP_WANGTAN_COVER, STEP_MENDED, STEP_TOWN, STEP_LATE, STORY_STEPS,
};
struct step_line {
	int wave;
	const char *sender, *what;
};
extern const struct step_line story_steps[STORY_STEPS];

#endif
