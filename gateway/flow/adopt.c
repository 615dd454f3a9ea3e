/* Restore by adoption (design, section 5): yesterday's ledger against today's topics.
 *
 * What the lost life decided lies on the gateway's own topics, newer than the copy. It is taken over before any input is read:
 *   - a payment that was instructed is instructed: its amount is reserved in cap B at once, and its event is never said again;
 *   - an answer that was final stays; any answer of a filed row also tells which payment id the row had;
 *   - attempts and versions go on above those that were said, outgoing events above the highest sequence.
 * Then the inputs are read once more from where the copy stood, up to where they ended at the adoption (READING). Their order among
 * topics and partitions may be another one now, so meanwhile nothing is decided that depends on it: rows that the lost life had
 * decided are filed as it did; all others wait; nothing is judged by what the SSA said then, nothing comes due, no year ends. After
 * that (ASKING) the others are filed, and the SSA is asked anew about every pending payment. What no row has claimed by then is listed
 * for a person, and its money stays reserved.
 *
 * The taking writes nothing but its own tables until its last transaction: a crash before repeats it. */
#include "flow/adopt.h"
#include "base/clock.h"
#include "crypto/ids.h"
#include "domain/row.h"
#include "flow/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { READ_EVENTS = 1000, BATCH = 2000, FETCH_MS = 60000, TUPLE_MAX = 1000 };

/* ---- the gateway's own topics ---- */

struct ends {
	int64_t next[BUS_PARTITIONS_MAX]; /* 0: nothing to read there */
	int partitions;
};

static int ends_of(struct bus *b, const char *topic, struct ends *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->partitions = bus_partitions(b, topic);
	for (int p = 0; p < out->partitions; p++) {
		struct bus_record last = {0};
		int got = bus_last(b, topic, p, &last, e);
		if (got < 0)
			return -1;
		out->next[p] = got ? last.offset + 1 : 0;
	}
	return 0;
}

static bool reached(const struct ends *ends)
{
	for (int p = 0; p < ends->partitions; p++)
		if (ends->next[p] > 0)
			return false;
	return true;
}

/* Events of this ledger that are newer than `from`, in the order of their partitions. */
static bool newer(const struct adopt_source *from, const struct bus_record *r)
{
	size_t n = strlen(from->ledger_id);
	return r->event.seq > from->seq && r->ledger.p && r->ledger.n > n &&
	       memcmp(r->ledger.p, from->ledger_id, n) == 0 && r->ledger.p[n] == '/';
}

static int read_topic(const struct adopt_source *from, const char *topic, adopt_fn *fn, void *arg,
		      struct err *e)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	const struct bus_record *records;
	struct bus_reader *r = NULL;
	struct ends ends;
	int n, rc = -1;
	if (bus_reader_open(from->bus, &r, topic, NULL, e) != 0)
		return -1;
	if (ends_of(from->bus, topic, &ends, e) != 0)
		goto out;
	int64_t moved = clock_monotonic();
	while (!reached(&ends)) {
		n = bus_read(r, READ_EVENTS, &records, e);
		if (n < 0)
			goto out;
		if (n == 0 && clock_monotonic() - moved > FETCH_MS) {
			err_set(e, ERR_TEMP, "topic %s: its end cannot be read", topic);
			goto out;
		}
		if (n == 0)
			nanosleep(&pause, NULL);
		else
			moved = clock_monotonic();
		for (int i = 0; i < n; i++) {
			if (newer(from, &records[i]) && fn(arg, topic, &records[i], e) != 0)
				goto out;
			if (records[i].offset + 1 >= ends.next[records[i].partition])
				ends.next[records[i].partition] = 0;
		}
	}
	rc = 0;
out:
	bus_reader_close(r);
	return rc;
}

int adopt_each(const struct adopt_source *from, adopt_fn *fn, void *arg, struct err *e)
{
	for (int i = 0; i < topic_count; i++)
		if (strcmp(topics[i].producer, "gateway") == 0 &&
		    read_topic(from, topics[i].name, fn, arg, e) != 0)
			return -1;
	return 0;
}

/* ---- taking ---- */

struct taking {
	struct flow *f;
	struct outbox_marks on_bus;
	int64_t last_seq, last_epoch;
	int64_t count[EVENT_TYPES], taken;
};

static int take_payment(struct flow *f, const struct bus_record *r,
			const struct subsidy_payment *ev, struct err *e)
{
	enum sponsor_type t = SPONSOR_COLLECTIVE;
	struct person *who;
	bool fresh;
	struct adopted_payment p = {.pid = ev->payment_id,
				    .token = ev->token,
				    .sponsor = ev->sponsor_id,
				    .event = r->event.id,
				    .year = ev->year,
				    .attempt = ev->attempt,
				    .amount_fen = ev->amount_fen,
				    .instructed_at = ev->instructed_at,
				    .not_after = ev->not_after};
	(void)str_copy(p.village, sizeof(p.village), ev->village);
	p.sponsor_type = sponsor_type_of(ev->sponsor_type, &t) == 0 ? (int32_t)t : -1;
	if (adopted_payment_put(f->p.ledger, &p, &fresh, e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (person_get(f->p.ledger, &p.token, p.year, &who, e) != 0)
		return -1;
	who->reserved_fen += p.amount_fen;
	who->dirty = true;
	return plan_use_add(f->p.ledger, p.village, &p.sponsor, p.year, 1, p.amount_fen, e);
}

static int take_enquiry(struct flow *f, const struct contribution_enquiry *ev, struct err *e)
{
	struct person *who;
	if (person_get(f->p.ledger, &ev->token, ev->year, &who, e) != 0)
		return -1;
	if (ev->attempt > who->enquiry_attempt) {
		who->enquiry_attempt = ev->attempt;
		who->dirty = true;
	}
	return 0;
}

static void keep_text(char *out, size_t cap, struct str s)
{
	if (!s.p || str_copy(out, cap, s) != 0)
		out[0] = '\0';
}

static int take_row_answer(struct flow *f, const struct row_answer *ev, struct err *e)
{
	struct adopted_answer a = {.submission = ev->submission_id,
				   .row_no = ev->row_no,
				   .version = ev->version,
				   .result = flow_result_of(ev->result),
				   .final = ev->final,
				   .has_pid = ev->payment_id.set,
				   .pid = ev->payment_id.v};
	keep_text(a.code, sizeof(a.code), ev->code);
	keep_text(a.column, sizeof(a.column), ev->column);
	keep_text(a.detail, sizeof(a.detail), ev->detail);
	return adopted_answer_put(f->p.ledger, &a, e);
}

static int take_statistics(struct flow *f, const struct collection_statistics *ev, struct err *e)
{
	struct stat_key k = {.year = ev->year, .sponsor_type = -1};
	enum sponsor_type t;
	keep_text(k.village, sizeof(k.village), ev->village);
	if (sponsor_type_of(ev->sponsor_type, &t) == 0)
		k.sponsor_type = (int32_t)t;
	return stats_add(f->p.ledger, &k, SC_STAGED, 0, 0, e);
}

/* What does not decode cannot be adopted: a person must look. Its id keeps a payment from being said twice all the same. */
static int take_unreadable(struct flow *f, const char *topic, const struct bus_record *r,
			   const struct err *why, struct err *e)
{
	char place[100];
	if (why->class != ERR_PERM) {
		*e = *why;
		return -1;
	}
	snprintf(place, sizeof(place), "%s/%d/%" PRId64, topic, r->partition, r->offset);
	log_warn("NOT-ADOPTABLE", "event=%s", place);
	return difference_about(f->p.ledger, "not_adoptable", place, &r->event.id, e);
}

static bool said_once(enum event_type t)
{
	return t == EV_SUBSIDY_PAYMENT || t == EV_PAYMENT_REVERSAL || t == EV_PAYMENT_ENQUIRY ||
	       t == EV_COLLECTED_SUBSIDY || t == EV_SUBSIDY_REFUNDED || t == EV_REJECTED_EVENT;
}

static int take_event(struct flow *f, enum event_type t, const char *topic,
		      const struct bus_record *r, struct err *e)
{
	union {
		struct subsidy_payment payment;
		struct payment_enquiry asked;
		struct contribution_enquiry enquiry;
		struct row_answer row;
		struct submission_answer submission;
		struct collection_statistics statistics;
	} ev;
	struct err why = {0};
	bool fresh;
	if (said_once(t) && adopted_event_put(f->p.ledger, &r->event.id, e) != 0)
		return -1;
	switch (t) {
	case EV_SUBSIDY_PAYMENT:
	case EV_PAYMENT_ENQUIRY:
	case EV_CONTRIBUTION_ENQUIRY:
	case EV_ROW_ANSWER:
	case EV_SUBMISSION_ANSWER:
	case EV_COLLECTION_STATISTICS:
		break;
	default:
		return 0;
	}
	memset(&ev, 0, sizeof(ev));
	if (codec_decode(f->p.codec, t, r->event.data, &ev, &why) != 0)
		return take_unreadable(f, topic, r, &why, e);
	if (t == EV_SUBSIDY_PAYMENT)
		return take_payment(f, r, &ev.payment, e);
	if (t == EV_CONTRIBUTION_ENQUIRY)
		return take_enquiry(f, &ev.enquiry, e);
	if (t == EV_ROW_ANSWER)
		return take_row_answer(f, &ev.row, e);
	if (t == EV_COLLECTION_STATISTICS)
		return take_statistics(f, &ev.statistics, e);
	if (t == EV_PAYMENT_ENQUIRY) {
		if (ev.asked.reversal_id.set)
			return 0; /* not about the payment; whoever asks again takes the next number */
		struct adopted_payment p = {.pid = ev.asked.payment_id,
					    .enquiry = ev.asked.attempt,
					    .enquiry_of = ev.asked.payment_attempt};
		return adopted_payment_put(f->p.ledger, &p, &fresh, e);
	}
	struct adopted_answer a = {.submission = ev.submission.submission_id,
				   .version = ev.submission.version,
				   .final = ev.submission.final};
	return adopted_answer_put(f->p.ledger, &a, e);
}

static int commit(struct flow *f, struct err *e)
{
	if (ledger_commit(f->p.ledger, e) == 0)
		return 0;
	ledger_rollback(f->p.ledger);
	return -1;
}

static int take(void *arg, const char *topic, const struct bus_record *r, struct err *e)
{
	struct taking *t = arg;
	enum event_type type;
	size_t i = (size_t)(topic_find(str_of(topic)) - topics);
	int64_t epoch = flow_epoch_of(r->ledger);
	if (r->event.seq > t->on_bus.seq[i][r->partition])
		t->on_bus.seq[i][r->partition] = r->event.seq;
	if (r->event.seq > t->last_seq)
		t->last_seq = r->event.seq;
	if (epoch > t->last_epoch)
		t->last_epoch = epoch;
	if (event_type_of(r->event.type, &type) != 0)
		return 0;
	t->count[type]++;
	if (take_event(t->f, type, topic, r, e) != 0)
		return -1;
	if (++t->taken % BATCH)
		return 0;
	return commit(t->f, e) != 0 || ledger_begin(t->f->p.ledger, e) != 0 ? -1 : 0;
}

static int put_ends(struct flow *f, struct err *e)
{
	struct bus_record last;
	for (int i = 0; i < INPUTS; i++)
		for (int p = 0, n = bus_partitions(f->p.bus, flow_input(i)); p < n; p++) {
			memset(&last, 0, sizeof(last));
			int got = bus_last(f->p.bus, flow_input(i), p, &last, e);
			if (got < 0 || adopted_end_put(f->p.ledger, flow_input(i), p,
						       last.offset + (got > 0), e) != 0)
				return -1;
		}
	return 0;
}

int adopt_take(struct flow *f, struct err *e)
{
	struct ledger *l = f->p.ledger;
	struct adopt_source from = {.bus = f->p.bus, .seq = ledger_outbox_seq(l)};
	struct taking *t = calloc(1, sizeof(*t));
	int rc = -1;
	if (!t)
		return err_set(e, ERR_TEMP, "flow: out of memory");
	(void)str_copy(from.ledger_id, sizeof(from.ledger_id),
		       (struct str){ledger_mark(l), strcspn(ledger_mark(l), "/")});
	t->f = f;
	ledger_set_now(l, f->now);
	log_info("ADOPTION-BEGINS", "ledger=%s after=%" PRId64, ledger_mark(l), from.seq);
	if (ledger_begin(l, e) != 0)
		goto out;
	if (adopt_each(&from, take, t, e) != 0 || put_ends(f, e) != 0 ||
	    adopted_all(l, t->last_seq, t->last_epoch, &t->on_bus, e) != 0 ||
	    history_about(l, NULL, "adopted", NULL, f->now, e) != 0) {
		ledger_rollback(l);
		goto out;
	}
	rc = commit(f, e);
	if (rc == 0)
		log_info("ADOPTED",
			 "ledger=%s payments=%" PRId64 " answers=%" PRId64 " events=%" PRId64
			 " up_to=%" PRId64,
			 ledger_mark(l), t->count[EV_SUBSIDY_PAYMENT], t->count[EV_ROW_ANSWER],
			 t->taken, t->last_seq);
out:
	free(t);
	return rc;
}

/* ---- one declaration ---- */

/* Instructed in the life that was lost. */
static int stands_instructed(struct flow *f, struct decl *d, const struct adopted_payment *p,
			     struct err *e)
{
	enum absorb how;
	int32_t asked = p->enquiry ? p->enquiry : d->enquiry_attempt;
	int32_t of = p->enquiry ? p->enquiry_of : d->attempt ? d->attempt : 1;
	if (p->attempt > 0 &&
	    flow_fact(f, d, F_INSTRUCTED, &p->event, p->instructed_at, "adopted", &how, e) != 0)
		return -1;
	if (!(d->facts & F_INSTRUCTED))
		return 0; /* ended here otherwise: a difference by now */
	if (p->attempt > d->attempt) {
		if ((d->facts & F_DOUBT) && flow_cleared(f, d, F_DOUBT, &p->event, "cleared: never happened", e) != 0)
			return -1;
		d->attempt = p->attempt;
		d->instructed_at = p->instructed_at;
		d->doubt_at = 0;
	}
	/* Each time that it was instructed again took a number of its own (instruct_again). */
	asked += p->attempt > of ? p->attempt - of : 0;
	if (asked > d->enquiry_attempt)
		d->enquiry_attempt = asked;
	d->due = f->now + f->p.conf->gateway.answer_timeout_ms;
	d->dirty = true;
	return flow_wait(f, d->due, WAIT_PAYMENT, d->no, e);
}

static bool repeats(const struct adopted_answer *a)
{
	return strcmp(a->code, "already_accepted") == 0 || strcmp(a->code, "already_filed") == 0;
}

/* Ended in the life that was lost, by the gateway's own decision. What the agencies ended they tell again. */
static int stands_ended(struct flow *f, struct decl *d, const struct adopted_answer *a,
			struct err *e)
{
	bool instructed = d->facts & F_INSTRUCTED;
	enum absorb how;
	enum fact fact = a->result == RES_STOPPED ? F_EXPIRED : F_REJECTED;
	if (!a->final || a->result == RES_DONE || (a->result == RES_ACCEPTED && !repeats(a)))
		return 0;
	if (instructed && (a->result != RES_STOPPED || strcmp(a->code, "too_late") != 0))
		return 0;
	if (!d->has_pid && repeats(a) && flow_forget(f, d, e) != 0)
		return -1;
	return flow_fact(f, d, instructed ? F_FAILED : fact, &d->trace, f->now, a->code, &how, e);
}

/* What it was told is what it stands at. */
static int stands_told(struct flow *f, struct decl *d, const struct adopted_answer *a,
		       struct err *e)
{
	struct said say = {a->result, a->code, a->column[0] ? a->column : NULL,
			   str_of(a->detail[0] ? a->detail : NULL), NULL};
	if (flow_answer(f, d, &say, e) != 0)
		return -1;
	return adopted_answer_stands(f->p.ledger, a, TAKEN, e);
}

static bool of_tuple(const struct submission *s, const struct decl *d, const struct id *sponsor,
		     const struct id *pid)
{
	struct id id;
	for (int n = 0; n < TUPLE_MAX; n++) {
		payment_id(&id, s->year, sponsor, &d->token, n);
		if (id_eq(&id, pid))
			return true;
	}
	return false;
}

/* The row becomes the payment that it was. a or p may be NULL: it was not told so, or not instructed. */
static int become(struct flow *f, struct submission *s, struct decl *d, const struct id *pid,
		  const struct adopted_payment *p, const struct adopted_answer *a, struct err *e)
{
	static const struct said again = {RES_ACCEPTED, "instructed", NULL, {0}, NULL};
	struct person *who;
	enum absorb how;
	d->sponsor = p ? p->sponsor : s->sponsor;
	if (p && p->sponsor_type >= 0 && d->sponsor_type != p->sponsor_type &&
	    flow_typed(f, d, p->sponsor_type, e) != 0)
		return -1;
	if (person_get(f->p.ledger, &d->token, s->year, &who, e) != 0 ||
	    decl_set_pid(f->p.ledger, d, pid, e) != 0 ||
	    flow_fact(f, d, F_FILED, &d->trace, f->now, "adopted", &how, e) != 0)
		return -1;
	/* that of an instructed one moves over */
	if (p && strcmp(p->village, s->village) != 0 &&
	    plan_use_add(f->p.ledger, p->village, &p->sponsor, s->year, -1, -d->amount_fen, e) != 0)
		return -1;
	if ((!p || strcmp(p->village, s->village) != 0) &&
	    plan_use_add(f->p.ledger, s->village, &d->sponsor, s->year, 1, d->amount_fen, e) != 0)
		return -1;
	who->reserved_fen += p ? 0 : d->amount_fen;
	d->next_of_person = who->head;
	who->head = d->no;
	who->dirty = true;
	COUNT(C_ADOPTED);
	if (p && (adopted_payment_claim(f->p.ledger, pid, d->no, e) != 0 ||
		  stands_instructed(f, d, p, e) != 0))
		return -1;
	if (a && stands_ended(f, d, a, e) != 0)
		return -1;
	if ((a ? stands_told(f, d, a, e) : flow_answer(f, d, &again, e)) != 0)
		return -1;
	return absorb_early(f, d, e);
}

int adopt_row(struct flow *f, struct submission *s, struct decl *d, bool *done, struct err *e)
{
	struct adopted_payment p;
	struct adopted_answer a;
	struct decl *other;
	int got = adopted_answer_get(f->p.ledger, &s->id, d->row_no, &a, e);
	*done = false;
	if (got <= 0 || a.standing != TOLD)
		return got < 0 ? -1 : 0;
	if (!a.has_pid) {
		*done = a.final && (a.result == RES_MEND || a.result == RES_STOPPED || repeats(&a));
		return *done && (stands_ended(f, d, &a, e) != 0 || stands_told(f, d, &a, e) != 0)
			       ? -1
			       : 0;
	}
	got = adopted_payment_get(f->p.ledger, &a.pid, &p, e);
	if (got < 0 || decl_find_payment(f->p.ledger, &a.pid, &other, e) != 0)
		return -1;
	if (other || !d->has_token)
		return 0;
	bool fits = of_tuple(s, d, got ? &p.sponsor : &s->sponsor, &a.pid) &&
		    (!got || p.amount_fen == d->amount_fen);
	if (!fits) /* it was another row then: this one is judged like any other */
		return difference_add(f->p.ledger, d, "adopted_other_payment", NULL, &a.pid, e);
	*done = true;
	return become(f, s, d, &a.pid, got ? &p : NULL, &a, e);
}

/* "12345-67890 第 7 行", where the lost life told it to somebody. */
static int name_lost(struct flow *f, const struct id *pid, char *out, size_t cap, struct err *e)
{
	char ten[11], receipt[12];
	struct id sub;
	int row, got = adopted_answer_of(f->p.ledger, pid, &sub, &row, e);
	snprintf(out, cap, "%s", "先前的一笔");
	if (got != 1)
		return got;
	receipt_number(ten, &sub);
	snprintf(out, cap, "%s 第 %d 行", receipt_text(receipt, ten), row);
	return 0;
}

int adopt_tuple(struct flow *f, struct submission *s, struct decl *d, enum adopt_claim *claim,
		char *detail, size_t cap, struct err *e)
{
	struct adopted_payment p;
	*claim = CLAIM_NONE;
	if (!ledger_adopting(f->p.ledger)->open)
		return 0;
	int got = adopted_payment_of(f->p.ledger, &d->token, s->year, &s->sponsor, &p, e);
	if (got <= 0)
		return got;
	*claim = p.amount_fen == d->amount_fen ? CLAIM_TAKEN : CLAIM_OTHER_AMOUNT;
	if (*claim == CLAIM_TAKEN)
		return become(f, s, d, &p.pid, &p, NULL, e);
	return name_lost(f, &p.pid, detail, cap, e);
}

/* Final stays final; what was told already is not told again; and who was told anything is not told again that the papers miss. */
int adopt_silences(struct flow *f, const struct submission *s, int row_no, const struct said *say,
		   bool final, bool *silent, struct err *e)
{
	struct adopted_answer a;
	int got = adopted_answer_get(f->p.ledger, &s->id, row_no, &a, e);
	*silent = false;
	if (got <= 0)
		return got;
	if (a.final && !final) {
		*silent = true;
		return 0;
	}
	if (row_no == 0)
		return 0;
	if (a.standing != SUPERSEDED && a.result == say->result && strcmp(a.code, say->code) == 0 &&
	    a.final == final) {
		*silent = true;
		return adopted_answer_stands(f->p.ledger, &a, TAKEN, e);
	}
	*silent = a.standing == TOLD && strcmp(say->code, "waiting_filing") == 0;
	return *silent ? 0 : adopted_answer_stands(f->p.ledger, &a, SUPERSEDED, e);
}

/* ---- declarations that the copy knows ---- */

static int judge_known(struct flow *f, struct decl *d, struct err *e)
{
	struct adopted_payment p;
	struct adopted_answer a;
	struct submission *s;
	if (!d->has_pid)
		return 0; /* the pass through its roster does it */
	int instructed = adopted_payment_get(f->p.ledger, &d->pid, &p, e);
	if (instructed < 0 || (instructed && stands_instructed(f, d, &p, e) != 0) ||
	    submission_get(f->p.ledger, d->sub, &s, e) != 0)
		return -1;
	int told = adopted_answer_get(f->p.ledger, &s->id, d->row_no, &a, e);
	if (told <= 0)
		return told;
	return stands_ended(f, d, &a, e) != 0 || stands_told(f, d, &a, e) != 0 ? -1 : 0;
}

int adopt_known(struct flow *f, struct err *e)
{
	struct ledger *l = f->p.ledger;
	int64_t nos[BATCH];
	int n = BATCH;
	for (int64_t at = ledger_adopting(l)->cursor; at >= 0;) {
		if (ledger_begin(l, e) != 0)
			return -1;
		if (adopted_decls(l, at, nos, BATCH, &n, e) != 0)
			goto fail;
		for (int i = 0; i < n; i++) {
			struct decl *d;
			if (decl_get(l, nos[i], &d, e) != 0 || judge_known(f, d, e) != 0)
				goto fail;
		}
		at = n < BATCH ? -1 : nos[n - 1];
		if (at < 0)
			adopted_statistics(l);
		if (adopting_put(l, ADOPT_READING, at, e) != 0 ||
		    flow_answer_submissions(f, e) != 0 || flow_publish_statistics(f, e) != 0)
			goto fail;
		if (commit(f, e) != 0 || outbox_publish(l, f->p.bus, NULL, e) != 0)
			return -1;
	}
	return 0;
fail:
	ledger_rollback(l);
	return -1;
}

/* ---- the inputs once more ---- */

int adopt_ends(struct flow *f, struct err *e)
{
	for (int i = 0; i < INPUTS; i++)
		for (int k = 0; k < f->in[i].partitions; k++)
			if (adopted_end(f->p.ledger, flow_input(i), f->in[i].at[k].partition,
					&f->in[i].adopted[k], e) != 0)
				return -1;
	return 0;
}

static bool all_read(const struct flow *f)
{
	for (int i = 0; i < INPUTS; i++)
		for (int k = 0; k < f->in[i].partitions; k++)
			if (f->in[i].at[k].next < f->in[i].adopted[k])
				return false;
	for (int i = 0; i < f->active_count; i++)
		if (f->active[i] > 0)
			return false;
	return true;
}

bool adopt_reading(const struct flow *f)
{
	return ledger_adopting(f->p.ledger)->phase == ADOPT_READING;
}

/* Everything pending is asked for anew: what the SSA said meanwhile was not judged. */
static int ask_pending(struct flow *f, struct err *e)
{
	struct ledger *l = f->p.ledger;
	int64_t nos[BATCH], looked;
	int n;
	if (decl_pending(l, ledger_adopting(l)->cursor, 0, nos, BATCH, &n, &looked, e) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		struct decl *d;
		struct person *p;
		if (decl_get(l, nos[i], &d, e) != 0 ||
		    person_get(l, &d->token, d->year, &p, e) != 0)
			return -1;
		p->enquiry_due = 0;
		if (enquire(f, d, p, e) != 0)
			return -1;
	}
	f->touched = true;
	return adopting_put(l, ADOPT_ASKING, looked, e);
}

static int end_adoption(struct flow *f, struct err *e)
{
	int64_t payments, answers;
	for (int i = 0; i < f->active_count; i++)
		if (f->active[i] <= ledger_adopting(f->p.ledger)->last_sub)
			return 0; /* a row of it may claim one still */
	if (adopted_leftovers(f->p.ledger, &payments, &answers, e) != 0 ||
	    adopting_put(f->p.ledger, ADOPT_NONE, -1, e) != 0)
		return -1;
	f->touched = true;
	if (payments)
		log_warn("ADOPTED-UNCLAIMED", "payments=%" PRId64 " answers=%" PRId64, payments,
			 answers);
	log_info("ADOPTION-ENDS", "payments_unclaimed=%" PRId64 " answers_unclaimed=%" PRId64,
		 payments, answers);
	return 0;
}

int adopt_step(struct flow *f, struct err *e)
{
	const struct adopting *a = ledger_adopting(f->p.ledger);
	if (a->phase == ADOPT_ASKING)
		return a->cursor >= 0 ? ask_pending(f, e) : end_adoption(f, e);
	if (a->phase != ADOPT_READING || !all_read(f))
		return 0;
	for (int i = 0; i < f->active_count; i++)
		f->active[i] = -f->active[i];
	log_info("ADOPTION-READ", "rosters_going_on=%d", f->active_count);
	f->touched = true;
	return adopting_put(f->p.ledger, ADOPT_ASKING, 0, e);
}
