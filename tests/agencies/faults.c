/* Rules of misbehaviour: the first that fires for a request is the only one. Each kind and
 * endpoint that fires is counted in the book (server.c), so that a test can prove that it did. */
#include "tests/agencies/faults.h"
#include "base/fs.h"
#include "tests/agencies/cut.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SPEC_MAX = 8192 };
#define IN(family) (1u << FAMILY_##family)

static const char *const families[FAMILY_COUNT] = {
	"batches", "queries", "changes", "feedback", "enquiries", "credits", "statistics",
	"book", "reversals",
};
static const struct {
	const char *name;
	unsigned families; /* where it makes sense */
} kinds[FAULT_COUNT] = {
	[FAULT_NONE] = {"none", 0},
	[FAULT_SLOW] = {"slow", ~0u},
	[FAULT_SLOW_BEFORE] = {"slow_before", ~0u},
	[FAULT_E429] = {"e429", ~0u},
	[FAULT_E500] = {"e500", ~0u},
	[FAULT_E500_AFTER] = {"e500_after", ~0u},
	[FAULT_CUT_BEFORE] = {"cut_before", ~0u},
	[FAULT_CUT_AFTER] = {"cut_after", ~0u},
	[FAULT_TRUNCATED] = {"truncated", ~0u},
	/* A feed that leaves an entry out for good is not a fault that any reader could mend. */
	[FAULT_MISSING_ROW] = {"missing_row",
			       IN(BATCHES) | IN(QUERIES) | IN(FEEDBACK) | IN(ENQUIRIES) |
				       IN(REVERSALS)},
	[FAULT_DUPLICATE] = {"duplicate", IN(CHANGES) | IN(CREDITS)},
};

static int parse(struct fault_rule *rules, int *count, struct str spec, struct err *e);
static int parse_item(struct fault_rule *rules, int *count, struct str item, struct err *e);
static int add_rule(struct fault_rule *rules, int *count, struct fault_rule r);
static void look(struct faults *f);

const char *family_name(enum family f)
{
	return families[f];
}

const char *fault_name(enum fault f)
{
	return kinds[f].name;
}

int faults_open(struct faults *f, const char *spec, const char *file, uint64_t seed, struct err *e)
{
	memset(f, 0, sizeof *f);
	f->random = seed;
	f->file = file;
	return parse(f->rules, &f->count, str_of(spec ? spec : ""), e);
}

enum fault faults_pick(struct faults *f, enum family family)
{
	if (f->file)
		look(f);
	for (int i = 0; i < f->count; i++) {
		struct fault_rule *r = &f->rules[i];

		if (r->family != family || r->left == 0 ||
		    (int64_t)(random_next(&f->random) % 1000) >= r->permille)
			continue;
		if (r->left > 0)
			r->left--;
		return r->fault;
	}
	return FAULT_NONE;
}

void faults_put_back(struct faults *f, enum family family, enum fault fault)
{
	for (int i = 0; i < f->count; i++) {
		struct fault_rule *r = &f->rules[i];

		if (r->family == family && r->fault == fault && r->left >= 0) {
			r->left++;
			return;
		}
	}
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static int parse(struct fault_rule *rules, int *count, struct str spec, struct err *e)
{
	*count = 0;
	while (spec.n > 0) {
		struct str item = str_trim(str_cut(&spec, ','));

		if (item.n > 0 && parse_item(rules, count, item, e) < 0)
			return -1;
	}
	return 0;
}

static int parse_item(struct fault_rule *rules, int *count, struct str item, struct err *e)
{
	struct str rest = item, kind = str_cut(&rest, ':'), permille = str_cut(&rest, ':'),
		   family = {NULL, 0};
	struct fault_rule r = {.left = -1};
	int before = *count;

	if (memchr(kind.p, '/', kind.n))
		family = str_cut(&kind, '/');
	for (r.fault = 1; r.fault < FAULT_COUNT && !str_is(kind, kinds[r.fault].name); r.fault++)
		;
	if (r.fault == FAULT_COUNT || str_int(permille, 0, 1000, &r.permille) < 0 ||
	    (rest.n > 0 && str_int(rest, 0, INT32_MAX, &r.left) < 0))
		return err_set(e, ERR_CONF, "faults: %.*s: expected [family/]kind:permille[:count]",
			       (int)item.n, item.p);
	for (r.family = 0; r.family < FAMILY_COUNT; r.family++) {
		bool meant = !family.p || str_is(family, families[r.family]);

		if (meant && kinds[r.fault].families & 1u << r.family &&
		    add_rule(rules, count, r) < 0)
			return err_set(e, ERR_CONF, "faults: more than %d rules", FAULT_RULES_MAX);
	}
	if (*count == before)
		return err_set(e, ERR_CONF,
			       "faults: %.*s: no such endpoint, or not one for this kind",
			       (int)item.n, item.p);
	return 0;
}

static int add_rule(struct fault_rule *rules, int *count, struct fault_rule r)
{
	if (*count == FAULT_RULES_MAX)
		return -1;
	rules[(*count)++] = r;
	return 0;
}

static void look(struct faults *f)
{
	struct fault_rule rules[FAULT_RULES_MAX];
	struct stat st;
	struct buf text;
	struct err e = {0};
	int64_t ns;
	int count;

	if (stat(f->file, &st) < 0)
		return;
	ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	if (ns == f->seen_ns && st.st_size == f->seen_size && (int64_t)st.st_ino == f->seen_inode)
		return;
	f->seen_ns = ns;
	f->seen_size = st.st_size;
	f->seen_inode = (int64_t)st.st_ino;
	buf_init(&text, SPEC_MAX);
	if (fs_read(f->file, &text, &e) < 0)
		goto out;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n')
			text.data[i] = ',';
	if (parse(rules, &count, (struct str){(const char *)text.data, text.len}, &e) < 0)
		goto out;
	memcpy(f->rules, rules, sizeof f->rules);
	f->count = count;
out:
	if (e.class)
		fprintf(stderr, "%s: %s\n", f->file, e.text);
	buf_fini(&text);
}
