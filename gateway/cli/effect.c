/* The dry run of a release: what the gateway would do with a rejected event now. It reads the ledger and decides nothing; what the flow
 * would make of it is predicted by the same table of facts (domain/payment.h), on a copy. */
#include "cli/rejects.h"
#include <stdio.h>
#include <string.h>

static int say(struct reject_effect *f, const char *code, const char *a, const char *b, const char *c)
{
	const char *args[] = {a, b, c};

	f->code = code;
	for (int i = 0; i < 3; i++)
		snprintf(f->args[i], sizeof f->args[i], "%.99s", args[i]);
	return 0;
}

/* ---- about a payment ---- */

static int the_decl(void *arg, const struct view_decl *d)
{
	struct view_decl *out = arg;

	if (!d->d.has_pid)
		return 0;
	*out = *d;
	return 1;
}

static enum fact fact_named(const char *name)
{
	for (uint32_t f = 1; f <= F_ALL; f <<= 1)
		if (strcmp(fact_code((enum fact)f), name) == 0)
			return (enum fact)f;
	return 0;
}

static int joins(struct reject_effect *f, const struct decl *d, const char *hex, enum fact fact)
{
	const char *now = text_or_code(state_code(state_of(d->facts)), f->lang);
	uint32_t facts = d->facts, implied;
	enum absorb how = fact_absorb(&facts, fact, &implied);

	if (how == ABSORB_CONTRADICTION)
		return say(f, "effect_difference", hex, now, text_or_code(fact_code(fact), f->lang));
	if (how == ABSORB_OLD)
		return say(f, "effect_old", hex, now, "");
	return say(f, "effect_new", hex, now, text_or_code(state_code(state_of(facts)), f->lang));
}

static int on_payment(struct reject_effect *f, struct ledger_view *v, const struct id *payment, struct view_decl *d, char hex[ID_HEX],
		      struct err *e)
{
	memset(d, 0, sizeof *d);
	if (view_by_prefix(v, str_of(id_hex(payment, hex)), the_decl, d, e) < 0)
		return -1;
	if (d->d.has_pid && id_eq(&d->d.pid, payment))
		return 1;
	return say(f, "effect_stranger", hex, "", "");
}

static int collection(struct reject_effect *f, struct ledger_view *v, const struct collection_result *ev, struct err *e)
{
	char hex[ID_HEX], state[24] = "";
	struct view_decl d;
	int rc = on_payment(f, v, &ev->payment_id, &d, hex, e);
	const char *now = rc == 1 ? text_or_code(state_code(state_of(d.d.facts)), f->lang) : "";

	(void)str_copy(state, sizeof state, ev->state);
	if (rc != 1)
		return rc;
	if ((ev->amount_fen.set && ev->amount_fen.v != d.d.amount_fen) ||
	    (ev->receipt.p && d.d.receipt[0] && !str_is(ev->receipt, d.d.receipt)))
		return say(f, "effect_other", hex, now, "");
	enum fact fact = fact_named(state);
	if (!fact || (ev->reversal_id.set && fact != F_REFUNDED) || strcmp(state, "doubt") == 0) /* in_doubt, unknown, too_late: judged by attempt and time */
		return say(f, "effect_judged", hex, now, state);
	if (ev->sequence > 0 ? ev->sequence < d.d.tax_seq : ev->attempt != d.d.attempt)
		return say(f, "effect_old", hex, now, "");
	if (ev->sequence > 0 && ev->sequence == d.d.tax_seq && !(d.d.facts & fact))
		return say(f, "effect_difference", hex, now, text_or_code(state, f->lang));
	return joins(f, &d.d, hex, fact);
}

static int credit(struct reject_effect *f, struct ledger_view *v, enum event_type t, const struct credit_result *ev, struct err *e)
{
	enum fact fact = t == EV_ACCOUNT_CREDITED  ? F_CREDITED
			 : t == EV_CREDIT_REFUSED  ? F_CREDIT_REFUSED
			 : t == EV_ACCOUNT_DEBITED ? F_DEBITED
						   : F_DEBIT_REFUSED;
	char hex[ID_HEX];
	struct view_decl d;
	int rc = on_payment(f, v, &ev->payment_id, &d, hex, e);
	const char *now = rc == 1 ? text_or_code(state_code(state_of(d.d.facts)), f->lang) : "";

	if (rc != 1)
		return rc;
	if (ev->sequence > 0 && ev->sequence < d.d.credit_seq)
		return say(f, "effect_old", hex, now, "");
	if (ev->amount_fen != d.d.amount_fen)
		return say(f, "effect_other", hex, now, "");
	return joins(f, &d.d, hex, fact);
}

/* ---- about a person, a roster, a decision ---- */

static int count_pending(void *arg, const struct view_decl *d)
{
	*(int *)arg += state_of(d->d.facts) == ST_PENDING && !d->d.voided;
	return 0;
}

static int contribution(struct reject_effect *f, struct ledger_view *v, const struct contribution_status *ev, struct err *e)
{
	char number[24];
	int pending = 0;

	if (view_by_token(v, &ev->token, count_pending, &pending, e) < 0)
		return -1;
	snprintf(number, sizeof number, "%d", pending);
	return say(f, "effect_person", number, "", "");
}

static int count_row(void *arg, const struct view_decl *d)
{
	*(int *)arg += !d->d.voided;
	return 0;
}

static int roster(struct reject_effect *f, struct ledger_view *v, const struct id *submission, struct err *e)
{
	char hex[ID_HEX], number[24];
	int rows = 0;

	if (view_by_prefix(v, str_of(id_hex(submission, hex)), count_row, &rows, e) < 0)
		return -1;
	snprintf(number, sizeof number, "%d", rows);
	return say(f, "effect_roster", hex, number, "");
}

static int decision(struct reject_effect *f, const struct operation *op)
{
	char kind[40] = "?", who[40] = "?";

	(void)str_copy(kind, sizeof kind, op->kind);
	(void)str_copy(who, sizeof who, op->operator);
	return say(f, "effect_decision", kind, who, "");
}

/* ---- the whole ---- */

/* "books.tax" carries what has the topic "books". */
static bool carries(struct str topic, enum event_type t)
{
	size_t n = strlen(event_topic(t));

	return topic.n >= n && memcmp(topic.p, event_topic(t), n) == 0 && (topic.n == n || topic.p[n] == '.');
}

int reject_predict(struct reject_effect *f, struct ledger_view *v, const struct reject_seen *s, struct err *e)
{
	static union {
		struct submission_opened opened;
		struct subsidy_declared row;
		struct submission_closed closed;
		struct gate_documents cover;
		struct subsidy_plan plan;
		struct operation operation;
		struct contribution_status status;
		struct contribution_feed_reached reached;
		struct collection_result result;
		struct credit_result credit;
		struct book_opened book_opened;
		struct book_entry book_entry;
		struct book_closed book_closed;
	} ev;
	struct err why = {0};
	enum event_type t;

	if (strcmp(s->role, "gateway") != 0)
		return say(f, "release_not_here", "", "", "");
	if (event_type_of(s->ev->event_type, &t) != 0 || !carries(s->ev->topic, t))
		return say(f, "effect_again", "unknown_type", "", "");
	switch ((int)t) { /* those that the gateway takes */
	case EV_SUBMISSION_OPENED: case EV_SUBSIDY_DECLARED: case EV_SUBMISSION_CLOSED: case EV_GATE_DOCUMENTS: case EV_SUBSIDY_PLAN:
	case EV_OPERATION: case EV_CONTRIBUTION_STATUS: case EV_CONTRIBUTION_FEED_REACHED: case EV_COLLECTION_RESULT:
	case EV_ACCOUNT_CREDITED: case EV_CREDIT_REFUSED: case EV_ACCOUNT_DEBITED: case EV_DEBIT_REFUSED:
	case EV_BOOK_OPENED: case EV_BOOK_ENTRY: case EV_BOOK_CLOSED:
		break;
	default:
		return say(f, "release_no_input", "", "", "");
	}
	if (codec_decode(s->codec, t, s->ev->bytes, &ev, &why) != 0)
		return say(f, "effect_again", why.text, "", "");
	switch ((int)t) {
	case EV_SUBMISSION_OPENED:
		return roster(f, v, &ev.opened.submission_id, e);
	case EV_SUBSIDY_DECLARED:
		return roster(f, v, &ev.row.submission_id, e);
	case EV_SUBMISSION_CLOSED:
		return roster(f, v, &ev.closed.submission_id, e);
	case EV_GATE_DOCUMENTS:
		return roster(f, v, &ev.cover.submission_id, e);
	case EV_OPERATION:
		return decision(f, &ev.operation);
	case EV_CONTRIBUTION_STATUS:
		return contribution(f, v, &ev.status, e);
	case EV_COLLECTION_RESULT:
		return collection(f, v, &ev.result, e);
	case EV_SUBSIDY_PLAN: case EV_CONTRIBUTION_FEED_REACHED: case EV_BOOK_OPENED: case EV_BOOK_ENTRY: case EV_BOOK_CLOSED:
		return say(f, "effect_taken", event_name(t), "", "");
	default:
		return credit(f, v, t, &ev.credit, e);
	}
}
