#include "tests/lib/outcomes.h"
#include "base/fs.h"
#include "http/registry.h"
#include <stdlib.h>
#include <string.h>

static int take(struct outcomes *o, const struct bus_record *r, struct err *e);
static int take_row(struct outcomes *o, const struct row_answer *a, struct err *e);
static int take_roster(struct outcomes *o, const struct submission_answer *a, struct err *e);
static bool ended_by_the_year(const char *code);

int outcomes_open(struct outcomes *o, const struct world *w, struct err *e)
{
	struct bus_options options = which_bus_options(&w->bus, "test");

	memset(o, 0, sizeof *o);
	if (registry_codec_open(&o->codec, &o->registry, &w->bus.conf, NULL, e) < 0 || bus_open(&o->bus, &options, e) < 0 ||
	    bus_reader_open(o->bus, &o->reader, "answers", NULL, e) < 0) {
		outcomes_close(o);
		return -1;
	}
	return 0;
}

void outcomes_close(struct outcomes *o)
{
	if (o->reader)
		bus_reader_close(o->reader);
	if (o->bus)
		bus_close(o->bus);
	registry_codec_close(o->codec, o->registry);
	free(o->rows);
	free(o->rosters);
	memset(o, 0, sizeof *o);
}

int outcomes_read(struct outcomes *o, struct err *e)
{
	const struct bus_record *records;
	int n;

	while ((n = bus_read(o->reader, 1000, &records, e)) > 0)
		for (int i = 0; i < n; i++)
			if (take(o, &records[i], e) < 0)
				return -1;
	return n;
}

static int take(struct outcomes *o, const struct bus_record *r, struct err *e)
{
	struct submission_answer roster;
	struct row_answer row;

	o->answers++;
	if (str_is(r->event.type, "RowAnswer"))
		return codec_decode(o->codec, EV_ROW_ANSWER, r->event.data, &row, e) < 0 ? -1 : take_row(o, &row, e);
	if (codec_decode(o->codec, EV_SUBMISSION_ANSWER, r->event.data, &roster, e) < 0)
		return -1;
	return take_roster(o, &roster, e);
}

/* Room for one more of size in *list; NULL without memory. */
static void *room(void **list, int *cap, int count, size_t size)
{
	if (count == *cap) {
		int more = *cap ? 2 * *cap : 256;
		void *p = realloc(*list, size * (size_t)more);

		if (!p)
			return NULL;
		*list = p;
		*cap = more;
	}
	return (char *)*list + size * (size_t)count;
}

static int take_row(struct outcomes *o, const struct row_answer *a, struct err *e)
{
	struct outcome now = {.submission = a->submission_id, .row = a->row_no, .version = a->version, .final = a->final,
			      .paid = a->payment_id.set, .payment = a->payment_id.v, .amount_fen = a->amount_fen.v};
	struct outcome *was = (struct outcome *)(uintptr_t)outcome_of(o, &now.submission, now.row);

	(void)str_copy(now.result, sizeof now.result, a->result);
	(void)str_copy(now.code, sizeof now.code, a->code);
	(void)str_copy(now.warning, sizeof now.warning, a->warning);
	if (was && now.version < was->version)
		return 0;
	if (was && now.version == was->version) {
		o->contradictions += strcmp(now.code, was->code) != 0 || strcmp(now.result, was->result) != 0 ||
				     now.final != was->final || !id_eq(&now.payment, &was->payment);
		return 0;
	}
	if (!was) {
		was = room((void **)&o->rows, &o->row_cap, o->row_count, sizeof *was);
		if (!was)
			return err_set(e, ERR_TEMP, "outcomes: no memory");
		o->row_count++;
	}
	*was = now;
	return 0;
}

static int take_roster(struct outcomes *o, const struct submission_answer *a, struct err *e)
{
	struct outcome_roster *was = (struct outcome_roster *)(uintptr_t)outcome_of_roster(o, &a->submission_id);

	if (was && a->version <= was->version)
		return 0;
	if (!was) {
		was = room((void **)&o->rosters, &o->roster_cap, o->roster_count, sizeof *was);
		if (!was)
			return err_set(e, ERR_TEMP, "outcomes: no memory");
		o->roster_count++;
	}
	*was = (struct outcome_roster){.submission = a->submission_id, .version = a->version, .rows = a->rows,
				       .accepted = a->accepted, .mend = a->mend, .waiting = a->waiting, .final = a->final};
	(void)str_copy(was->receipt, sizeof was->receipt, a->receipt);
	(void)str_copy(was->state, sizeof was->state, a->state);
	(void)str_copy(was->code, sizeof was->code, a->code);
	return 0;
}

/* A few hundred rows: looked through, newest first. */
const struct outcome *outcome_of(const struct outcomes *o, const struct id *submission, int row)
{
	for (int i = o->row_count; i-- > 0;)
		if (o->rows[i].row == row && id_eq(&o->rows[i].submission, submission))
			return &o->rows[i];
	return NULL;
}

const struct outcome_roster *outcome_of_roster(const struct outcomes *o, const struct id *submission)
{
	for (int i = o->roster_count; i-- > 0;)
		if (id_eq(&o->rosters[i].submission, submission))
			return &o->rosters[i];
	return NULL;
}

static bool refused_file(const struct expected_row *x)
{
	return x->row == 0;
}

static bool among(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

bool outcomes_filed(const struct outcomes *o, const struct rosters *r, int wave)
{
	static const char *const through[] = {"filed", "final", NULL};
	static const char *const stands[] = {"waiting", "held", "refused", "filed", "final", NULL};

	for (int i = 0; i < r->row_count; i++) {
		const struct expected_row *x = &r->rows[i];
		const struct outcome_roster *s;

		if (refused_file(x) || r->steps[x->step].wave > wave ||
		    (i > 0 && id_eq(&x->submission, &r->rows[i - 1].submission)))
			continue;
		s = outcome_of_roster(o, &x->submission);
		if (!s || !among(s->state, x->filed > 0 && x->filed <= wave ? through : stands))
			return false;
	}
	return true;
}

bool outcomes_quiet(const struct outcomes *o, const struct rosters *r, int wave)
{
	if (!outcomes_filed(o, r, wave))
		return false;
	for (int i = 0; i < r->row_count; i++) {
		const struct expected_row *x = &r->rows[i];
		const struct outcome *a;

		if (refused_file(x) || r->steps[x->step].wave > wave)
			continue;
		a = outcome_of(o, &x->submission, x->row);
		/* Who the SSA's check before the vote objects to is told so and waits for the vote all the same. */
		if (!a || !(a->final || strcmp(a->result, "waiting") == 0 || strcmp(a->result, "mend") == 0))
			return false;
	}
	return true;
}

static bool ended_by_the_year(const char *code)
{
	static const char *const codes[] = {"not_filed_in_time", "contribution_not_in_time", "past_year_only", NULL};

	return among(code, codes);
}

static bool all_final(const struct outcomes *o, const struct rosters *r, int wave, bool but_for_the_end)
{
	for (int i = 0; i < r->row_count; i++) {
		const struct expected_row *x = &r->rows[i];
		const struct outcome *a;

		if (refused_file(x) || r->steps[x->step].wave > wave || (but_for_the_end && ended_by_the_year(x->code)))
			continue;
		a = outcome_of(o, &x->submission, x->row);
		/* What is refunded was credited, with a final answer, before. */
		if (!a || !a->final || (strcmp(x->code, "refunded") == 0 && strcmp(a->code, "credited") == 0))
			return false;
	}
	return true;
}

bool outcomes_final_but_for_the_end(const struct outcomes *o, const struct rosters *r, int wave)
{
	return all_final(o, r, wave, true);
}

bool outcomes_final(const struct outcomes *o, const struct rosters *r, int wave)
{
	return all_final(o, r, wave, false);
}

static bool is_refused(const struct world *w, const struct expected_row *x)
{
	char name[80], path[512], hex[ID_HEX];
	struct buf reason;
	bool found = false;

	snprintf(name, sizeof name, "data/refused/%s.reason", id_hex(&x->submission, hex));
	buf_init(&reason, 1 << 16);
	if (fs_read(world_path(w, path, name), &reason, NULL) == 0)
		found = memmem(reason.data, reason.len, x->code, strlen(x->code)) != NULL;
	buf_fini(&reason);
	return found;
}

int outcomes_compare(const struct outcomes *o, const struct rosters *r, const struct world *w, FILE *out)
{
	int differences = o->contradictions, rows = 0;
	char hex[ID_HEX];

	if (o->contradictions)
		fprintf(out, "%d answers came again under the same version with another content\n", o->contradictions);
	for (int i = 0; i < r->row_count; i++) {
		const struct expected_row *x = &r->rows[i];
		const struct outcome *a = outcome_of(o, &x->submission, x->row);

		id_hex(&x->submission, hex);
		rows += !refused_file(x);
		if (refused_file(x) && !is_refused(w, x)) {
			fprintf(out, "step %d: submission %s is not refused as %s\n", x->step + 1, hex, x->code);
			differences++;
		} else if (!refused_file(x) && (!a || !a->final || strcmp(a->code, x->code) != 0)) {
			fprintf(out, "step %d: submission %s row %d: expected %s, is %s%s\n", x->step + 1, hex, x->row, x->code,
				a ? a->code : "unanswered", a && !a->final ? " (not final)" : "");
			differences++;
		}
	}
	if (rows == o->row_count)
		return differences;
	fprintf(out, "%d rows were answered, %d were handed in\n", o->row_count, rows);
	return differences + 1;
}
