/* Answers are found by their names alone, sender by sender: a few hundred rosters, and only when a
 * file is new or an answer is written. So there is no index that could say something else than the
 * submissions do. */
#include "adapters/village/claim.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { ANSWERS_MAX = 999, NAMES_BYTES_MAX = 64 << 10 };

static bool is_free(const struct village_role *v, const struct submission *s, int folder,
		    const char *answer);

struct submission *claim_holder(const struct village_role *v, const struct submission *but,
				const char *sender, const char *answer, struct file_name **name)
{
	for (int i = 0; i < v->submissions.count; i++) {
		struct submission *s = v->submissions.at[i];

		if (s == but || strcmp(s->meta.sender, sender) != 0)
			continue;
		for (int k = 0; k < s->name_count; k++) {
			if (strcmp(s->names[k].answer, answer) != 0)
				continue;
			*name = &s->names[k];
			return s;
		}
	}
	return NULL;
}

/* Three cases: the name is free; it had another content so far, whose answer this one inherits with
 * all that is known of the file there; or another file's answer happens to be called the same. */
int claim_name(const struct village_role *v, struct submission *s, const char *name, int folder,
	       struct submission **loser)
{
	char answer[FILE_NAME_MAX + 1];
	struct file_name *theirs, *ours;

	answer_name(answer, name, ".csv", 1, ".csv");
	*loser = claim_holder(v, s, s->meta.sender, answer, &theirs);
	/* Another file whose answer happens to have the same name (A.csv, A.CSV) keeps it. */
	if (*loser && strcmp(theirs->name, name) != 0)
		*loser = NULL;
	ours = submission_add_name(s, name, answer);
	if (ours == NULL)
		return -1;
	if (*loser) {
		memcpy(ours->written, theirs->written, sizeof ours->written);
		memcpy(ours->known, theirs->known, sizeof ours->known);
	} else if (claim_holder(v, s, s->meta.sender, answer, &theirs)) {
		return claim_next(v, s, ours, folder, NULL);
	}
	return 0;
}

int claim_next(const struct village_role *v, struct submission *s, struct file_name *n, int folder,
	       struct err *e)
{
	char answer[FILE_NAME_MAX + 1];

	for (int k = 2; k <= ANSWERS_MAX; k++) {
		answer_name(answer, n->name, ".csv", k, ".csv");
		if (!is_free(v, s, folder, answer))
			continue;
		if (file_name_set_answer(n, answer) < 0)
			break;
		return 0;
	}
	return err_set(e, ERR_TEMP, "answer: no free name");
}

int claim_store(const struct village_role *v, const struct submission *s, struct err *e)
{
	struct buf names;
	int rc = -1;

	buf_init(&names, NAMES_BYTES_MAX);
	if (submission_names_put(s, &names) < 0)
		err_sys(e, ERR_TEMP, ENOMEM, "names");
	else
		rc = spool_put_names(&v->spool, &s->meta.submission,
				     (struct str){(char *)names.data, names.len}, e);
	buf_fini(&names);
	return rc;
}

/* Neither claimed nor there: a file that nobody claims is a clerk's. */
static bool is_free(const struct village_role *v, const struct submission *s, int folder,
		    const char *answer)
{
	struct file_name *ignored;
	struct stat st;

	return claim_holder(v, NULL, s->meta.sender, answer, &ignored) == NULL &&
	       (folder < 0 || fstatat(folder, answer, &st, AT_SYMLINK_NOFOLLOW) < 0);
}
