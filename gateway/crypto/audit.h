/* The audit of identities: whoever opens sealed identities or hands them over writes one record a batch, before they leave the
 * process. What cannot be recorded does not happen.
 *
 *   <data>/audit/<role>-YYYY-MM.log   0600, appended to only, by one role; a month by the clock of the programs
 *   <data>/audit/.<role>.lock         held while a record is written: programs of one role take turns
 *
 * A record is one line: BEFORE TIME ROLE USER PURPOSE BATCH COUNT, one blank between. BEFORE is the SHA-256 of the line before it
 * (without its end), of the last month's last line where a file begins, 64 zeros for the very first: a line that was changed, taken
 * out or put in breaks the chain at the line after it. BATCH names a submission, a request or a window of a topic, never a person.
 * A line cut short (a kill, a full disk) stays as it is; the next record is preceded by one with the purpose torn_line, which
 * vouches for what is left of it.
 *
 * Kept: the law asks for three years at least for what is handed to another body, six months for logs. There is no setting for it,
 * and no program ever removes or shortens a file: they are kept until an operator puts the oldest months away. `qiao audit` then
 * says that the chain begins later.
 *
 * Limit: the chain has no key. Who may write the files can take off its end, or write all of it anew; `qiao audit` shows the last
 * line's digest, to be noted elsewhere. */
#ifndef QIAO_CRYPTO_AUDIT_H
#define QIAO_CRYPTO_AUDIT_H
#include "base/clock.h"
#include "crypto/digest.h"

#define AUDIT_FOLDER "audit"
#define AUDIT_TORN "torn_line"
#define AUDIT_WORD 40   /* longest role, user or purpose: letters, digits and . _ - */
#define AUDIT_BATCH 100 /* longest batch: these, and / : */

struct audit;
/* Makes the folder. ERR_CONF when nothing can be written there. clock is borrowed. */
int audit_open(struct audit **out, const char *data_dir, const char *role, struct clock *clock, struct err *e);
void audit_close(struct audit *a);
/* Durable when it returns 0. ERR_TEMP for whatever stood in the way: the caller hands nothing over and tries again. */
int audit_write(struct audit *a, const char *purpose, const char *batch, int64_t count, struct err *e);
/* The same for identities that were opened and stay here: it survives the process, and a power cut with the next audit_write. */
int audit_note(struct audit *a, const char *purpose, const char *batch, int64_t count, struct err *e);

struct audit_record {
	int64_t time_ms;
	struct str role, user, purpose, batch;
	int64_t count;
	uint8_t before[SHA256_LEN];
};
enum audit_fault { AUDIT_CHANGED, AUDIT_UNREADABLE }; /* does not continue what is before it; is no record */
struct audit_chain {				      /* of one role */
	const char *role;
	int64_t records;
	bool from_beginning;	  /* false: earlier months are not there */
	bool torn;		  /* the last line was cut short, and nothing was written since */
	uint8_t head[SHA256_LEN]; /* of the last line */
};
/* What is found, in order, role after role; NULL: not wanted. What they get lives until they return. */
struct audit_visitor {
	int (*record)(void *arg, const struct audit_record *r); /* -1: no room for more */
	void (*fault)(void *arg, const char *file, int line, enum audit_fault fault);
	void (*chain)(void *arg, const struct audit_chain *c);
	void *arg;
};
/* All roles, or that one. No folder: nothing is found. Faults are no error. */
int audit_read(const char *data_dir, const char *role, const struct audit_visitor *v, struct err *e);

/* Inside of crypto/ and tests only: -1 when the line (without its end) is no record. Slices point into it. */
int audit_parse(struct str line, struct audit_record *r);
/* The month of "<role>-YYYY-MM.log" as YYYYMM, or -1; role: as it must be, or NULL for any. */
int audit_month(const char *name, const char *role);

#endif
