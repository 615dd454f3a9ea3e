/* answers.bin: what the gateway answered about one submission, the newest only. A record of
 * fixed size for each row of the file, written in place, so that neither memory nor time grows
 * with what was answered before.
 *
 *      0  head    magic "QIAOANS1", number of texts, the newest SubmissionAnswer      1024 bytes
 *   1024  texts   240 codes of 48 bytes; rows name them by place, from 1              11520 bytes
 *  12544  rows    80 bytes each, for record number 1, 2, ... of the file
 *
 * Numbers little endian. A row that is all zero was not answered. Repeats are harmless: an
 * answer is taken when its version is at least that of the one there, so after a power cut the
 * bus gives again whatever was not synced, and it is written anew. */
#ifndef QIAO_VILLAGE_ANSWERS_H
#define QIAO_VILLAGE_ANSWERS_H
#include "events/events.h"

#define ANSWER_CODE_MAX 47
#define ANSWER_DETAIL_MAX 64
#define ANSWER_NOTE_MAX 128

enum row_result {
	RESULT_NONE,
	RESULT_ACCEPTED,
	RESULT_MEND,
	RESULT_WAITING,
	RESULT_DONE,
	RESULT_STOPPED,
	RESULTS
};
const char *row_result_code(enum row_result r); /* "accepted" ... */

struct row_state {
	enum row_result result; /* RESULT_NONE: not answered yet */
	int version;
	const char *code, *warning; /* "" = none; valid while the file is open */
	int column;		    /* enum column, -1 = none */
	bool final;
	char detail[ANSWER_DETAIL_MAX + 1];
};
struct roster_state {
	bool known;
	int version;
	char state[ANSWER_CODE_MAX + 1], code[ANSWER_CODE_MAX + 1], detail[ANSWER_NOTE_MAX + 1];
	int rows, accepted, mend, waiting, done;
	int64_t amount_fen, accepted_fen, done_fen;
	struct opt_long deadline;
	bool final;
};

struct answers;
/* Makes the file (durably) when it is not there. records: how many the roster file has; answers
 * about others are refused. ERR_SAFE when the file is not one of these. */
int answers_open(struct answers **out, const char *path, int64_t records, struct err *e);
void answers_close(struct answers *a); /* what was not synced may be lost */
/* 1 something is new, 0 nothing is (a repeat, or older than what is there), -1: ERR_PERM when
 * the answer makes no sense (a row that the file does not have, an unknown result), else
 * ERR_TEMP. */
int answers_row(struct answers *a, const struct row_answer *ra, struct err *e);
int answers_roster(struct answers *a, const struct submission_answer *sa, struct err *e);
int answers_sync(struct answers *a, struct err *e); /* all of it is durable when it returns 0 */

int answers_get_row(struct answers *a, int64_t row_no, struct row_state *out, struct err *e);
int answers_get_roster(struct answers *a, struct roster_state *out);

#endif
