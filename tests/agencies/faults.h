/* Misbehaviour on request: which fault, if any, befalls a request.
 *
 * SPEC is a comma list of  [family/]kind:permille[:count] . Without family: every endpoint where
 * the kind makes sense. permille 1000 = always; count = at most so often, then never more. A file
 * of the same form replaces the list whenever it changes. */
#ifndef QIAO_AGENCIES_FAULTS_H
#define QIAO_AGENCIES_FAULTS_H
#include "base/err.h"
#include "base/str.h"

enum family { /* kinds of endpoint */
	      FAMILY_BATCHES,
	      FAMILY_QUERIES,
	      FAMILY_CHANGES,
	      FAMILY_FEEDBACK,
	      FAMILY_ENQUIRIES,
	      FAMILY_CREDITS,
	      FAMILY_STATISTICS,
	      FAMILY_BOOK,
	      FAMILY_REVERSALS,
	      FAMILY_COUNT,
	      FAMILY_NONE = FAMILY_COUNT, /* never misbehaves: health */
};
enum fault {
	FAULT_NONE,
	FAULT_SLOW,	   /* effect at once, answer late */
	FAULT_SLOW_BEFORE, /* effect and answer late, even when the client is gone by then */
	FAULT_E429,	   /* no effect, 429 with Retry-After */
	FAULT_E500,	   /* no effect, 500 */
	FAULT_E500_AFTER,  /* effect, 500 */
	FAULT_CUT_BEFORE,  /* no effect, connection closed without an answer */
	FAULT_CUT_AFTER,   /* effect, connection closed without an answer */
	FAULT_TRUNCATED,   /* effect, half of the body, then closed */
	FAULT_MISSING_ROW, /* effect, one result left out */
	FAULT_DUPLICATE,   /* each entry of a feed's page delivered twice */
	FAULT_COUNT,
};
const char *family_name(enum family f);
const char *fault_name(enum fault f);

enum { FAULT_RULES_MAX = 96 };
struct fault_rule {
	enum family family;
	enum fault fault;
	int64_t permille, left; /* left < 0: without limit */
};
struct faults {
	struct fault_rule rules[FAULT_RULES_MAX];
	int count;
	uint64_t random;
	const char *file; /* or NULL */
	int64_t seen_ns, seen_size, seen_inode;
};
/* spec and file may be NULL; file need not exist yet. ERR_CONF for a wrong spec. */
int faults_open(struct faults *f, const char *spec, const char *file, uint64_t seed, struct err *e);
/* The fault for one request; a look at the file first. A file that is wrong is told on stderr and
 * changes nothing. */
enum fault faults_pick(struct faults *f, enum family family);
void faults_put_back(struct faults *f, enum family family,
		     enum fault fault); /* picked, but it found nothing to spoil */

uint64_t random_next(uint64_t *state); /* splitmix64: plain, seeded, the same everywhere */

#endif
