/* A batch is sorted by roster and row before it is applied: then each roster's file is opened,
 * written and synced once, however the gateway's answers were mixed. Of two answers to one row
 * the versions decide, so sorting changes nothing. */
#include "adapters/village/listen.h"
#include "adapters/village/answers.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Each batch costs a sync for every roster in it, and one for the position. */
enum { BATCH = 8000 };

struct heard {
	struct submission *of;
	const struct bus_record *record;
	enum event_type type;
	int32_t row; /* 0: about the roster */
	int order;
};

union answer {
	struct row_answer row;
	struct submission_answer roster;
};

static int sort_out(struct village_role *v, const struct bus_record *records, int count,
		    struct heard *heard, int *kept, struct err *e);
static int by_roster_and_row(const void *a, const void *b);
static int apply(struct village_role *v, const struct heard *heard, int count, struct err *e);
static int apply_one(struct village_role *v, struct answers *a, const struct heard *h,
		     bool *changed, struct err *e);

/* Effect first, position last; both may be repeated, neither may be missing. */
int listen_take(struct village_role *v, int *count, struct err *e)
{
	const struct bus_record *records;
	struct heard *heard = NULL;
	int kept = 0, rc = -1;

	*count = bus_read(v->answers, BATCH, &records, e);
	if (*count <= 0)
		return *count;
	heard = calloc((size_t)*count, sizeof *heard);
	if (heard == NULL) {
		err_sys(e, ERR_TEMP, ENOMEM, "answers");
		goto out;
	}
	if (sort_out(v, records, *count, heard, &kept, e) < 0)
		goto out;
	qsort(heard, (size_t)kept, sizeof *heard, by_roster_and_row);
	for (int i = 0, n; i < kept; i += n) {
		for (n = 1; i + n < kept && heard[i + n].of == heard[i].of; n++)
			;
		if (apply(v, heard + i, n, e) < 0)
			goto out;
	}
	/* Rejects of this batch, if any, are on the bus before the position says that it was
	 * read. */
	if (adapter_flush(&v->adapter, e) < 0 || adapter_store_position(v->answers, e) < 0)
		goto out;
	rc = 0;
out:
	free(heard);
	return rc;
}

/* Answers about rosters of other spools are theirs. */
static int sort_out(struct village_role *v, const struct bus_record *records, int count,
		    struct heard *heard, int *kept, struct err *e)
{
	for (int i = 0; i < count; i++) {
		struct heard *h = &heard[*kept];
		union answer answer;
		enum event_type t;
		int got = adapter_decode(&v->adapter, "answers", &records[i], EV_ROW_ANSWER,
					 EV_SUBMISSION_ANSWER, &t, &answer, e);

		if (got < 0)
			return -1;
		if (got == 0) {
			village_count(v, C_ANSWERS_REJECTED, 1);
			continue;
		}
		h->record = &records[i];
		h->type = t;
		h->row = t == EV_ROW_ANSWER ? answer.row.row_no : 0;
		h->order = i;
		h->of = submissions_find(&v->submissions, t == EV_ROW_ANSWER
								  ? &answer.row.submission_id
								  : &answer.roster.submission_id);
		if (h->of)
			++*kept;
		else
			village_count(v, C_ANSWERS_NOT_OURS, 1);
	}
	return 0;
}

static int by_roster_and_row(const void *a, const void *b)
{
	const struct heard *x = a, *y = b;
	int c = memcmp(&x->of->meta.submission, &y->of->meta.submission, sizeof(struct id));

	if (c != 0)
		return c;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->order - y->order;
}

/* All answers of one batch to one roster. */
static int apply(struct village_role *v, const struct heard *heard, int count, struct err *e)
{
	struct submission *s = heard->of;
	struct answers *a = NULL;
	bool changed = false;
	char path[640];
	int rc = -1;

	if (spool_path(&v->spool, &s->meta.submission, "answers.bin", path, sizeof path) < 0)
		return err_set(e, ERR_CONF, "spool: path too long");
	if (answers_open(&a, path, s->meta.records, e) < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		if (apply_one(v, a, &heard[i], &changed, e) < 0)
			goto out;
	}
	if (answers_sync(a, e) < 0)
		goto out;
	if (changed)
		submission_touch(s, clock_monotonic(), v->role->conf.village.answer_interval_ms);
	rc = 0;
out:
	answers_close(a);
	return rc;
}

static int apply_one(struct village_role *v, struct answers *a, const struct heard *h,
		     bool *changed, struct err *e)
{
	union answer answer;
	struct err why = {0};
	int got;

	/* Decoded a second time: what the codec gives lives only until its next call. */
	if (codec_decode(v->adapter.codec, h->type, h->record->event.data, &answer, e) < 0)
		return -1;
	got = h->type == EV_ROW_ANSWER ? answers_row(a, &answer.row, &why)
				       : answers_roster(a, &answer.roster, &why);
	if (got < 0 && why.class == ERR_PERM) {
		village_count(v, C_ANSWERS_REJECTED, 1);
		return adapter_reject(&v->adapter, "answers", h->record, "refused", why.text, e);
	}
	if (got < 0) {
		*e = why;
		return -1;
	}
	village_count(v, got ? C_ANSWERS_KEPT : C_ANSWERS_OLD, 1);
	*changed = *changed || got;
	return 0;
}
